# Who may talk to whom, all in one place: edge -> load balancer -> tasks -> each other, Postgres,
# Redis, and the providers outside.

locals {
  # The same ports as in the image and the defaults of docs/CONFIGURATION.md.
  api_port      = 8080
  internal_port = 9464
  postgres_port = 5432
  redis_port    = 6379
}

resource "aws_security_group" "load_balancer" {
  #checkov:skip=CKV2_AWS_5:Attached by the module load_balancer
  name        = "${var.name}-load-balancer"
  description = "The public side"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "service" {
  #checkov:skip=CKV2_AWS_5:Attached by the module service
  name        = "${var.name}-service"
  description = "Tasks of the server, and those that migrate and look after it"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:Attached by the module database
  name        = "${var.name}-database"
  description = "Postgres"
  vpc_id      = aws_vpc.this.id
}

resource "aws_security_group" "cache" {
  #checkov:skip=CKV2_AWS_5:Attached by the module cache
  name        = "${var.name}-cache"
  description = "Redis"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = var.ingress_cidrs

  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "http" {
  #checkov:skip=CKV_AWS_260:Port 80 answers with a redirect to HTTPS and nothing else
  for_each = var.ingress_cidrs

  security_group_id = aws_security_group.load_balancer.id
  description       = "HTTP, redirected to HTTPS"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
}

resource "aws_vpc_security_group_egress_rule" "load_balancer_to_service" {
  for_each = { api = local.api_port, health = local.internal_port }

  security_group_id            = aws_security_group.load_balancer.id
  description                  = "To the tasks: ${each.key}"
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_vpc_security_group_ingress_rule" "service_from_load_balancer" {
  for_each = { api = local.api_port, health = local.internal_port }

  security_group_id            = aws_security_group.service.id
  description                  = "From the load balancer: ${each.key}"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

# A task asks the owner of an event on its internal port (ADR 0026).
resource "aws_vpc_security_group_egress_rule" "service_to_peers" {
  security_group_id            = aws_security_group.service.id
  description                  = "To the owner of an event"
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = local.internal_port
  to_port                      = local.internal_port
}

resource "aws_vpc_security_group_ingress_rule" "service_from_peers" {
  security_group_id            = aws_security_group.service.id
  description                  = "From tasks that do not own an event"
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = local.internal_port
  to_port                      = local.internal_port
}

resource "aws_vpc_security_group_ingress_rule" "service_from_metrics_client" {
  for_each = var.metrics_clients

  security_group_id            = aws_security_group.service.id
  description                  = "Metrics, read by ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.internal_port
  to_port                      = local.internal_port
}

resource "aws_vpc_security_group_egress_rule" "service_to_https" {
  security_group_id = aws_security_group.service.id
  description       = "Payment providers, and AWS: images, secrets, logs, files"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "service_to_smtp" {
  count = var.smtp_port == null ? 0 : 1

  security_group_id = aws_security_group.service.id
  description       = "Mail"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = var.smtp_port
  to_port           = var.smtp_port
}

resource "aws_vpc_security_group_egress_rule" "service_to_database" {
  security_group_id            = aws_security_group.service.id
  description                  = "Postgres"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = local.postgres_port
  to_port                      = local.postgres_port
}

resource "aws_vpc_security_group_ingress_rule" "database_from_service" {
  security_group_id            = aws_security_group.database.id
  description                  = "From the tasks"
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = local.postgres_port
  to_port                      = local.postgres_port
}

resource "aws_vpc_security_group_egress_rule" "service_to_cache" {
  security_group_id            = aws_security_group.service.id
  description                  = "Redis"
  referenced_security_group_id = aws_security_group.cache.id
  ip_protocol                  = "tcp"
  from_port                    = local.redis_port
  to_port                      = local.redis_port
}

resource "aws_vpc_security_group_ingress_rule" "cache_from_service" {
  security_group_id            = aws_security_group.cache.id
  description                  = "From the tasks"
  referenced_security_group_id = aws_security_group.service.id
  ip_protocol                  = "tcp"
  from_port                    = local.redis_port
  to_port                      = local.redis_port
}
