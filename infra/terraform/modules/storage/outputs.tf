output "files_bucket" {
  description = "Name of the bucket of ticket files."
  value       = aws_s3_bucket.files.bucket
}

output "files_bucket_arn" {
  description = "ARN of the bucket of ticket files."
  value       = aws_s3_bucket.files.arn
}

output "logs_bucket" {
  description = "Name of the bucket of access logs, once it may be written to."
  value       = aws_s3_bucket_policy.logs.bucket
}
