# The server's log, and where alarms are told. What the sale itself is like (invariants, lag, goodput) is told by the
# server's own metrics and the rules in grafana/prometheus: CloudWatch sees the machines around it.

data "aws_caller_identity" "current" {}

resource "aws_cloudwatch_log_group" "server" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the operator's choice
  name              = "/${var.name}/server"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# What the server calls an error is for a person to look at.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.server.name
  pattern        = "{ $.level = \"ERROR\" }"

  metric_transformation {
    namespace     = "Onsale/${var.name}"
    name          = "LoggedErrors"
    value         = "1"
    default_value = "0"
  }
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "alarms" {
  statement {
    sid       = "AlarmsAndDatabaseEvents"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alarms.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "alarms" {
  arn    = aws_sns_topic.alarms.arn
  policy = data.aws_iam_policy_document.alarms.json
}

resource "aws_sns_topic_subscription" "mail" {
  for_each = var.mail_addresses

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# Failovers, restarts, storage that runs out: told by RDS itself.
resource "aws_db_event_subscription" "database" {
  name             = "${var.name}-database"
  sns_topic        = aws_sns_topic.alarms.arn
  source_type      = "db-instance"
  source_ids       = [var.database_identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "maintenance", "recovery"]

  depends_on = [aws_sns_topic_policy.alarms]
}
