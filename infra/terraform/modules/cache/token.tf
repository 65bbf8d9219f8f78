# As with the database's password: made in passing, kept in Secrets Manager, read back to be set. The whole URL is a
# secret of its own, since the server reads the token from there.

ephemeral "random_password" "new" {
  length  = 64
  special = false
}

resource "aws_secretsmanager_secret" "token" {
  #checkov:skip=CKV2_AWS_57:Raise token_version to exchange it; a rotation at an hour of Amazon's choice would cut tasks off
  name                    = "${var.name}/redis_token"
  description             = "Token of Redis"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "token" {
  secret_id                = aws_secretsmanager_secret.token.id
  secret_string_wo         = ephemeral.random_password.new.result
  secret_string_wo_version = var.token_version
}

ephemeral "aws_secretsmanager_secret_version" "token" {
  secret_id  = aws_secretsmanager_secret.token.id
  version_id = aws_secretsmanager_secret_version.token.version_id
}

resource "aws_secretsmanager_secret" "url" {
  #checkov:skip=CKV2_AWS_57:Follows the token above
  name                    = "${var.name}/redis_url"
  description             = "REDIS_URL of Onsale"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id                = aws_secretsmanager_secret.url.id
  secret_string_wo         = "rediss://:${ephemeral.aws_secretsmanager_secret_version.token.secret_string}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
  secret_string_wo_version = var.token_version

  lifecycle {
    # Another group has another address.
    replace_triggered_by = [aws_elasticache_replication_group.this.id]
  }
}
