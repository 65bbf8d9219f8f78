output "log_group" {
  description = "Name and ARN of the server's log group."
  value = {
    name = aws_cloudwatch_log_group.server.name
    arn  = aws_cloudwatch_log_group.server.arn
  }
}

output "alarms_topic_arn" {
  description = "Topic that alarms are told to, for a pager or a chat."
  value       = aws_sns_topic.alarms.arn
}
