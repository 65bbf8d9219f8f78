output "url_secret_arn" {
  description = "Secret that holds REDIS_URL, once it is there."
  value       = aws_secretsmanager_secret_version.url.arn
}

output "node_ids" {
  description = "Ids of the nodes, as alarms name them. ElastiCache numbers them; known before they are made, since there is an alarm for each."
  value       = [for number in range(var.node_count) : format("%s-%03d", var.name, number + 1)]
}
