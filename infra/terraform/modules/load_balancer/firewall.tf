# A limit for each address, far above what people do, and what is known to be an attack. Fairness between buyers is the
# server's own business: it limits by account and address (docs/CONFIGURATION.md, rate_limit_per_second).

locals {
  firewalls = var.requests_per_address == null ? [] : [var.name]
}

resource "aws_wafv2_web_acl" "this" {
  for_each = toset(local.firewalls)

  name        = each.key
  description = "Before ${each.key}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "known-bad"
    priority = 1

    override_action {
      none {}
    }

    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${each.key}-known-bad"
      sampled_requests_enabled   = false
    }
  }

  rule {
    name     = "rate"
    priority = 2

    action {
      block {
        custom_response {
          response_code = 429

          response_header {
            name  = "retry-after"
            value = "60"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_address
        evaluation_window_sec = 300
        aggregate_key_type    = var.address_header == null ? "IP" : "FORWARDED_IP"

        dynamic "forwarded_ip_config" {
          for_each = var.address_header == null ? [] : [var.address_header]

          content {
            header_name       = forwarded_ip_config.value
            fallback_behavior = "MATCH"
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${each.key}-rate"
      sampled_requests_enabled   = false
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = each.key
    sampled_requests_enabled   = false
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = aws_wafv2_web_acl.this

  resource_arn = aws_lb.this.arn
  web_acl_arn  = each.value.arn
}

resource "aws_cloudwatch_log_group" "firewall" {
  #checkov:skip=CKV_AWS_338:How long logs are kept is the operator's choice
  for_each = toset(local.firewalls)

  # The service insists on this beginning.
  name              = "aws-waf-logs-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  for_each = aws_wafv2_web_acl.this

  resource_arn            = each.value.arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall[each.key].arn]

  # Tokens and keys are in these.
  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }

  # What was let in is in the access logs.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}
