output "url_secret_arn" {
  description = "Secret that holds REDIS_URL, once it is there."
  value       = aws_secretsmanager_secret_version.url.arn
}

output "node_ids" {
  description = "Ids of the nodes, as alarms name them."
  value       = [for number in range(var.node_count) : format("%s-%03d", aws_elasticache_replication_group.this.id, number + 1)]
}
