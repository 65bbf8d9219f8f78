output "load_balancer_dns_name" {
  description = "Name that the certificate's name must lead to."
  value       = module.onsale.load_balancer_dns_name
}

output "secret_arns" {
  description = "Secrets to put values into, by environment variable."
  value       = module.onsale.secret_arns
}

output "run_operations" {
  description = "Command that runs `onsale migrate` once."
  value       = module.onsale.run_operations
}

output "log_group_name" {
  description = "Log of the server and of operations."
  value       = module.onsale.log_group_name
}
