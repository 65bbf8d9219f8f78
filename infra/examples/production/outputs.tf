output "load_balancer_dns_name" {
  description = "Name that host_name must lead to, where neither Cloudflare nor Route 53 is managed here."
  value       = module.onsale.load_balancer_dns_name
}

output "secret_arns" {
  description = "Secrets to put values into, by environment variable."
  value       = module.onsale.secret_arns
}

output "run_operations" {
  description = "Command that runs `onsale migrate` once; with --overrides, another one."
  value       = module.onsale.run_operations
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.onsale.cluster_name
}

output "service_name" {
  description = "ECS service."
  value       = module.onsale.service_name
}

output "log_group_name" {
  description = "Log of the server and of operations."
  value       = module.onsale.log_group_name
}

output "alarms_topic_arn" {
  description = "Topic that alarms are told to, for a pager or a chat."
  value       = module.onsale.alarms_topic_arn
}

output "database_identifier" {
  description = "RDS instance, for backups and restores."
  value       = module.onsale.database_identifier
}

output "nat_addresses" {
  description = "Addresses from which tasks reach the outside, for the allow lists of payment providers."
  value       = module.onsale.nat_addresses
}
