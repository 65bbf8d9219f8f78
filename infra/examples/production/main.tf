# For selling: three zones, Postgres and Redis with a standby, Stripe, mail, alarms, and Cloudflare before it where
# cloudflare_zone_id is given.

module "onsale" {
  source = "../../terraform"

  name                 = var.name
  image                = var.image
  operations_image     = var.operations_image
  image_repository_arn = var.image_repository_arn
  certificate_arn      = var.certificate_arn
  task_count           = var.task_count
  alarm_mail_addresses = var.alarm_mail_addresses
  log_retention_days   = 90
  collector            = var.collector

  ingress_cidrs = module.edge.cidrs.ingress
  edge = {
    cidrs          = module.edge.cidrs.proxies
    address_header = module.edge.address_header
  }
  alias = var.route53_zone_id == null ? null : {
    zone_id = var.route53_zone_id
    name    = var.host_name
  }

  settings = {
    ONSALE_TOKEN_ISSUER             = "https://${var.host_name}"
    ONSALE_PAYMENT_GATEWAY          = "stripe"
    ONSALE_MAILER                   = "smtp"
    ONSALE_MAIL_FROM                = var.mail_from
    ONSALE_CORS_ORIGINS             = join(",", var.cors_origins)
    ONSALE_DATABASE_CONNECTIONS_MAX = "24"
  }
  secrets   = ["smtp_url", "stripe_secret_key", "stripe_webhook_secrets"]
  smtp_port = 465

  task = {
    cpu        = 4096
    memory_mib = 8192
  }

  database = {
    instance_class  = "db.m7g.xlarge"
    storage_gib     = 400
    storage_max_gib = 4000
    backup_days     = 35
  }

  cache = {
    node_type  = "cache.m7g.large"
    node_count = 2
  }
}

module "edge" {
  source = "../../terraform/modules/edge"

  enabled   = var.cloudflare_zone_id != null
  zone_id   = var.cloudflare_zone_id
  host_name = var.host_name
  origin    = module.onsale.load_balancer_dns_name
}
