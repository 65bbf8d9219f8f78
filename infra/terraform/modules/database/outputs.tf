output "url" {
  description = "Value of DATABASE_URL, without the password, which comes as PGPASSWORD."
  value       = "postgres://${local.user}@${aws_db_instance.this.address}:${local.port}/${local.dbname}?sslmode=verify-full"
}

output "ca_certificates" {
  description = "Value of PGSSLROOTCERT: the certificates themselves, as PEM."
  value       = trimspace(data.http.ca_bundle.response_body)
}

output "password_secret_arn" {
  description = "Secret that holds the password, once it is there."
  value       = aws_secretsmanager_secret_version.password.arn
}

output "instance_identifier" {
  description = "Identifier of the instance, as alarms and commands name it."
  value       = aws_db_instance.this.identifier
}
