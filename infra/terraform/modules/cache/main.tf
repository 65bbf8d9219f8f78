# Redis makes several tasks behave as one: revocations, changes of roles, shared limits. It is never the truth, and sales
# go on without it, so there are no backups to restore.

resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the operator's choice
  name              = "/${var.name}/redis"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_elasticache_replication_group" "this" {
  #checkov:skip=CKV_AWS_31:The token is given as auth_token_wo, which keeps it out of the state
  #checkov:skip=CKV_AWS_191:Encrypted with the key of the variable kms_key_arn
  #checkov:skip=CKV2_AWS_50:On with two nodes or more, see the variable node_count; a trial may do with one
  replication_group_id = var.name
  description          = "Redis of ${var.name}"

  engine               = "redis"
  engine_version       = var.engine_version
  parameter_group_name = "default.redis7"
  node_type            = var.node_type
  num_cache_clusters   = var.node_count
  port                 = 6379

  automatic_failover_enabled = var.node_count > 1
  multi_az_enabled           = var.node_count > 1

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [var.security_group_id]

  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token_wo              = ephemeral.aws_secretsmanager_secret_version.token.secret_string
  auth_token_wo_version      = var.token_version
  auth_token_update_strategy = "ROTATE"

  auto_minor_version_upgrade = true
  # A new token must not wait for the window while its URL is already in use. Sales go on without Redis anyway.
  apply_immediately        = true
  maintenance_window       = var.maintenance_window
  snapshot_retention_limit = 0

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.this.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "engine-log"
  }
}
