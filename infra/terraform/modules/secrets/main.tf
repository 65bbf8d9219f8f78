# Secrets that people put in: keys of tokens and tickets, of payment providers, of the mail server. Terraform makes the
# places and never sees what is in them, so that no state and no plan holds a key. Those that Terraform must set itself
# (database, Redis) are made beside what they open.

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Keys overlap when they are exchanged, which takes a person or a program that knows how; see README.md
  for_each = var.names

  name                    = "${var.name}/${each.key}"
  description             = "Setting ${each.key} of Onsale"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}
