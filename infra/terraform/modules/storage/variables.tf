variable "name" {
  description = "What the buckets' names begin with. The account's number follows, since the names of buckets are worldwide."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that ticket files are encrypted with."
  type        = string
}

variable "old_version_days" {
  description = "How long a ticket file that was replaced or deleted can be brought back."
  type        = number

  validation {
    condition     = var.old_version_days >= 1 && var.old_version_days <= 365
    error_message = "Give 1 to 365 days."
  }
}

variable "log_days" {
  description = "How long access logs are kept. They hold addresses of buyers."
  type        = number

  validation {
    condition     = var.log_days >= 1 && var.log_days <= 3653
    error_message = "Give 1 to 3653 days."
  }
}

variable "destroy_with_contents" {
  description = "Whether `terraform destroy` may delete buckets that are not empty."
  type        = bool
}
