output "load_balancer_dns_name" {
  description = "Name that the buyers' name must lead to, as CNAME or alias."
  value       = module.load_balancer.dns_name
}

output "secret_arns" {
  description = "Secrets that people put values into before tasks start, by environment variable."
  value       = module.secrets.arns
}

output "run_operations" {
  description = "Command that runs `onsale migrate` once in the cluster. With --overrides it runs another command, such as doctor or audit."
  value       = module.service.run_operations
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.service.cluster_name
}

output "service_name" {
  description = "ECS service."
  value       = module.service.service_name
}

output "log_group_name" {
  description = "Log of the server and of operations."
  value       = module.observability.log_group.name
}

output "alarms_topic_arn" {
  description = "Topic that alarms are told to, for a pager or a chat."
  value       = module.observability.alarms_topic_arn
}

output "database_identifier" {
  description = "RDS instance, for backups and restores."
  value       = module.database.instance_identifier
}

output "files_bucket" {
  description = "Bucket of ticket files."
  value       = module.storage.files_bucket
}

output "discovery_name" {
  description = "Name that resolves to every task within the VPC, for a Prometheus of your own."
  value       = module.service.discovery_name
}

output "nat_addresses" {
  description = "Addresses from which tasks reach the outside, for allow lists."
  value       = module.network.nat_addresses
}

output "vpc_id" {
  description = "VPC of the deployment."
  value       = module.network.vpc_id
}
