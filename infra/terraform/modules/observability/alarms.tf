# One row each: what is measured, from where on it is bad, and for how long. `meaning` goes into the message; what to do
# is in infra/terraform/README.md and docs/OPERATING.md.

locals {
  load_balancer = { LoadBalancer = var.load_balancer }
  targets       = { LoadBalancer = var.load_balancer, TargetGroup = var.target_group }
  service       = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  database      = { DBInstanceIdentifier = var.database_identifier }

  gibibyte = 1024 * 1024 * 1024

  alarms = merge(
    {
      no-ready-task = {
        namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = local.targets
        statistic  = "Minimum", comparison = "LessThanThreshold", threshold = max(var.task_count.min, 1)
        period     = 60, minutes = 3, missing = "breaching"
        meaning    = "Fewer tasks are ready than there must be: nobody, or not enough, sells."
        is_running = true
      }
      refused-by-load-balancer = {
        namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.load_balancer
        statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 10
        period     = 60, minutes = 3, missing = "notBreaching"
        meaning    = "The load balancer itself answered 502, 503 or 504: no task, a task that died, or one that did not answer in time."
        is_running = true
      }
      refused-by-server = {
        namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.targets
        statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 1000
        period     = 60, minutes = 5, missing = "notBreaching"
        meaning    = "The server answers 503 (overloaded, unavailable) or 500 to many."
        is_running = true
      }
      slow = {
        namespace  = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.targets
        statistic  = "p99", comparison = "GreaterThanThreshold", threshold = 2
        period     = 60, minutes = 5, missing = "notBreaching"
        meaning    = "One answer in a hundred takes longer than two seconds. Purchases wait for the payment provider, too."
        is_running = true
      }
      logged-errors = {
        namespace  = "Onsale/${var.name}", metric = "LoggedErrors", dimensions = {}
        statistic  = "Sum", comparison = "GreaterThanThreshold", threshold = 0
        period     = 60, minutes = 1, missing = "notBreaching"
        meaning    = "The server logged an error: an event that crashed, a job that was given up, a journal that is damaged, a refund that failed."
        is_running = true
      }
      server-processor = {
        namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service
        statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 85
        period     = 60, minutes = 10, missing = "notBreaching"
        meaning    = "The tasks work at their limit: autoscaling is at its most, or one task has a hot event."
        is_running = true
      }
      server-memory = {
        namespace  = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service
        statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 80
        period     = 60, minutes = 5, missing = "notBreaching"
        meaning    = "A task is near its memory; at its end the kernel kills it."
        is_running = true
      }
      database-storage = {
        namespace  = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database
        statistic  = "Minimum", comparison = "LessThanThreshold", threshold = floor(var.database_storage_gib * local.gibibyte * 0.05)
        period     = 300, minutes = 10, missing = "breaching"
        meaning    = "Postgres runs out of storage, which should have grown at a tenth free. When it is full, nothing is sold."
        is_running = false
      }
      database-processor = {
        namespace  = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database
        statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 85
        period     = 60, minutes = 10, missing = "notBreaching"
        meaning    = "Postgres works at its limit: commits wait, and the projection falls behind."
        is_running = false
      }
      database-memory = {
        namespace  = "AWS/RDS", metric = "FreeableMemory", dimensions = local.database
        statistic  = "Minimum", comparison = "LessThanThreshold", threshold = 0.25 * local.gibibyte
        period     = 60, minutes = 10, missing = "notBreaching"
        meaning    = "Postgres has little memory left: too many connections, or too small an instance."
        is_running = false
      }
      database-writes-slow = {
        namespace  = "AWS/RDS", metric = "WriteLatency", dimensions = local.database
        statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 0.02
        period     = 60, minutes = 5, missing = "notBreaching"
        meaning    = "A write to storage takes longer than 20 ms, and each sale waits for one."
        is_running = false
      }
      database-transaction-ids = {
        namespace  = "AWS/RDS", metric = "MaximumUsedTransactionIDs", dimensions = local.database
        statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 1000000000
        period     = 300, minutes = 15, missing = "notBreaching"
        meaning    = "Autovacuum does not keep up; at two thousand million Postgres stops to write."
        is_running = false
      }
    },
    { for id in var.cache_node_ids : "redis-memory-${id}" => {
      namespace  = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = { CacheClusterId = id }
      statistic  = "Maximum", comparison = "GreaterThanThreshold", threshold = 80
      period     = 60, minutes = 10, missing = "notBreaching"
      meaning    = "Redis is nearly full. Sales go on without it; limits and revocations are then kept by each task alone."
      is_running = false
    } },
    { for id in var.cache_node_ids : "redis-processor-${id}" => {
      namespace  = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = { CacheClusterId = id }
      statistic  = "Average", comparison = "GreaterThanThreshold", threshold = 80
      period     = 60, minutes = 10, missing = "notBreaching"
      meaning    = "Redis works at its limit and answers late. Sales go on without it."
      is_running = false
    } },
  )

  # While nothing is to run (before the first migration, during a restore), nobody is called for that.
  in_force = { for key, alarm in local.alarms : key => alarm if var.task_count.max > 0 || !alarm.is_running }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.in_force

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.meaning} What to do: infra/terraform/README.md, Alarms."

  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = startswith(each.value.statistic, "p") ? null : each.value.statistic
  extended_statistic  = startswith(each.value.statistic, "p") ? each.value.statistic : null
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = max(1, floor(each.value.minutes * 60 / each.value.period))
  treat_missing_data  = each.value.missing

  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]

  depends_on = [aws_sns_topic_policy.alarms]
}
