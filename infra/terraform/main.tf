# Onsale on AWS: load balancer -> tasks on Fargate -> Postgres (Multi-AZ), Redis and S3. What each part is for and what
# it costs is in README.md; who may talk to whom is in modules/network/security_groups.tf.

locals {
  recovery_window_days = var.protected ? 30 : 0

  # The server keeps an idle connection longer than the load balancer does. The other way round, a request could meet a
  # connection that the server has just closed, and be answered 502.
  server_idle_seconds = var.timeouts.idle_seconds + 15

  environment = merge(var.settings, {
    DATABASE_URL                  = module.database.url
    PGSSLROOTCERT                 = module.database.ca_certificates
    ONSALE_LISTEN                 = "0.0.0.0:8080"
    ONSALE_INTERNAL_LISTEN        = "0.0.0.0:9464"
    ONSALE_JOURNAL                = "postgres"
    ONSALE_S3_BUCKET              = module.storage.files_bucket
    ONSALE_S3_REGION              = data.aws_region.current.region
    ONSALE_TRUSTED_PROXIES        = join(",", concat(module.network.public_subnet_cidrs, var.edge.cidrs))
    ONSALE_SHUTDOWN_GRACE_SECONDS = tostring(var.timeouts.shutdown_grace_seconds)
    ONSALE_IDLE_TIMEOUT_SECONDS   = tostring(local.server_idle_seconds)
    ONSALE_LOG_FORMAT             = "json"
  })

  # ECS puts secrets into the environment of the process; it cannot mount them as files.
  secrets = merge(module.secrets.arns, {
    PGPASSWORD = module.database.password_secret_arn
    REDIS_URL  = module.cache.url_secret_arn
  })
}

module "network" {
  source = "./modules/network"

  name                    = var.name
  cidr                    = var.network.cidr
  zones                   = var.network.zones
  nat_per_zone            = var.network.nat_per_zone
  ingress_cidrs           = var.ingress_cidrs
  smtp_port               = var.smtp_port
  metrics_clients         = var.metrics_clients
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = aws_kms_key.this.arn
}

module "storage" {
  source = "./modules/storage"

  name                  = var.name
  kms_key_arn           = aws_kms_key.this.arn
  old_version_days      = 30
  log_days              = var.log_retention_days
  destroy_with_contents = !var.protected
}

module "secrets" {
  source = "./modules/secrets"

  name                 = var.name
  kms_key_arn          = aws_kms_key.this.arn
  names                = setunion(["peer_secret", "ticket_keys", "token_keys"], var.secrets)
  recovery_window_days = local.recovery_window_days
}

module "database" {
  source = "./modules/database"

  name                 = var.name
  subnet_ids           = module.network.data_subnet_ids
  security_group_id    = module.network.database_security_group_id
  kms_key_arn          = aws_kms_key.this.arn
  engine_version       = var.database.engine_version
  instance_class       = var.database.instance_class
  storage_gib          = var.database.storage_gib
  storage_max_gib      = var.database.storage_max_gib
  multi_az             = var.database.multi_az
  backup_days          = var.database.backup_days
  backup_window        = var.database.backup_window
  maintenance_window   = var.database.maintenance_window
  password_version     = var.database.password_version
  ca_bundle_url        = var.database.ca_bundle_url
  deletion_protection  = var.protected
  recovery_window_days = local.recovery_window_days
  log_retention_days   = var.log_retention_days
}

module "cache" {
  source = "./modules/cache"

  name                 = var.name
  subnet_ids           = module.network.data_subnet_ids
  security_group_id    = module.network.cache_security_group_id
  kms_key_arn          = aws_kms_key.this.arn
  engine_version       = var.cache.engine_version
  node_type            = var.cache.node_type
  node_count           = var.cache.node_count
  maintenance_window   = var.cache.maintenance_window
  token_version        = var.cache.token_version
  recovery_window_days = local.recovery_window_days
  log_retention_days   = var.log_retention_days
}

module "load_balancer" {
  source = "./modules/load_balancer"

  name                         = var.name
  vpc_id                       = module.network.vpc_id
  subnet_ids                   = module.network.public_subnet_ids
  security_group_id            = module.network.load_balancer_security_group_id
  certificate_arn              = var.certificate_arn
  idle_timeout_seconds         = var.timeouts.idle_seconds
  deregistration_delay_seconds = var.timeouts.deregistration_seconds
  logs_bucket                  = module.storage.logs_bucket
  deletion_protection          = var.protected
  requests_per_address         = var.firewall_requests_per_address
  address_header               = var.edge.address_header
  log_retention_days           = var.log_retention_days
  kms_key_arn                  = aws_kms_key.this.arn
}

module "service" {
  source = "./modules/service"

  name                     = var.name
  image                    = var.image
  operations_image         = coalesce(var.operations_image, var.image)
  image_repository_arn     = var.image_repository_arn
  cpu_architecture         = var.task.cpu_architecture
  cpu                      = var.task.cpu
  memory_mib               = var.task.memory_mib
  task_count               = var.task_count
  cpu_target_percent       = var.task.cpu_target_percent
  requests_per_task_target = var.task.requests_per_task
  shutdown_grace_seconds   = var.timeouts.shutdown_grace_seconds
  environment              = local.environment
  secrets                  = local.secrets
  kms_key_arn              = aws_kms_key.this.arn
  files_bucket_arn         = module.storage.files_bucket_arn
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.private_subnet_ids
  security_group_id        = module.network.service_security_group_id
  target_group_arn         = module.load_balancer.target_group_arn
  request_metric_label     = "${module.load_balancer.arn_suffix}/${module.load_balancer.target_group_arn_suffix}"
  log_group                = module.observability.log_group
  collector                = var.collector
}

module "observability" {
  source = "./modules/observability"

  name                 = var.name
  kms_key_arn          = aws_kms_key.this.arn
  log_retention_days   = var.log_retention_days
  mail_addresses       = var.alarm_mail_addresses
  task_count           = var.task_count
  load_balancer        = module.load_balancer.arn_suffix
  target_group         = module.load_balancer.target_group_arn_suffix
  cluster_name         = module.service.cluster_name
  service_name         = module.service.service_name
  database_identifier  = module.database.instance_identifier
  database_storage_gib = var.database.storage_gib
  cache_node_ids       = module.cache.node_ids
}

resource "aws_route53_record" "alias" {
  for_each = var.alias == null ? {} : { this = var.alias }

  zone_id = each.value.zone_id
  name    = each.value.name
  type    = "A"

  alias {
    name                   = module.load_balancer.dns_name
    zone_id                = module.load_balancer.zone_id
    evaluate_target_health = true
  }
}
