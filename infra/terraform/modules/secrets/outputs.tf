output "arns" {
  description = "ARN of each secret, by the environment variable that it becomes."
  value       = { for name, secret in aws_secretsmanager_secret.this : "ONSALE_${upper(name)}" => secret.arn }
}
