# The password is made in passing, kept in Secrets Manager alone, and read back from there to be set: neither state nor
# plan holds it, and an apply that breaks off between the two is mended by the next one.

ephemeral "random_password" "new" {
  length  = 40
  special = false
}

resource "aws_secretsmanager_secret" "password" {
  #checkov:skip=CKV2_AWS_57:Raise password_version to exchange it; a rotation at an hour of Amazon's choice would cut tasks off
  name                    = "${var.name}/database_password"
  description             = "Password of the role ${local.user} of Postgres"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.password.id
  secret_string_wo         = ephemeral.random_password.new.result
  secret_string_wo_version = var.password_version
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id  = aws_secretsmanager_secret.password.id
  version_id = aws_secretsmanager_secret_version.password.version_id
}
