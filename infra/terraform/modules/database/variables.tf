variable "name" {
  description = "Identifier of the database instance."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets in at least two zones, without a way out."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group that lets tasks in."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that storage, backups, the password and Performance Insights are encrypted with."
  type        = string
}

variable "engine_version" {
  description = "Version of Postgres. The major version also names the parameter group's family."
  type        = string

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "Give Postgres 15 or later, such as 17 or 17.6."
  }
}

variable "instance_class" {
  description = "Size of the instance. Its number of connections follows from its memory: each task takes 18 with the defaults."
  type        = string

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "Give a class such as db.m7g.large."
  }
}

variable "storage_gib" {
  description = "Storage at the start."
  type        = number

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 65536
    error_message = "Give 20 to 65536 GiB."
  }
}

variable "storage_max_gib" {
  description = "How far storage may grow by itself. It never shrinks."
  type        = number

  validation {
    condition     = var.storage_max_gib >= var.storage_gib * 1.1 && var.storage_max_gib <= 65536
    error_message = "Give at least a tenth more than storage_gib, and at most 65536 GiB."
  }
}

variable "multi_az" {
  description = "Whether a second instance in another zone has every commit before it is acknowledged, and takes over when the first is lost."
  type        = bool
}

variable "backup_days" {
  description = "How far back a point in time can be restored."
  type        = number

  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "Give 7 to 35 days."
  }
}

variable "backup_window" {
  description = "When the daily snapshot is taken, in UTC, as hh:mm-hh:mm: not in an on-sale."
  type        = string

  validation {
    condition     = can(regex("^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$", var.backup_window))
    error_message = "Give a window such as 03:00-03:30."
  }
}

variable "maintenance_window" {
  description = "When Amazon may restart or replace the instance, in UTC, as ddd:hh:mm-ddd:hh:mm: not in an on-sale."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{3}:[0-2][0-9]:[0-5][0-9]-[a-z]{3}:[0-2][0-9]:[0-5][0-9]$", var.maintenance_window))
    error_message = "Give a window such as mon:04:00-mon:05:00."
  }
}

variable "password_version" {
  description = "Raise it by one to have a new password made and set. Tasks take it over when they are started anew."
  type        = number

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "Give a whole number from 1."
  }
}

variable "deletion_protection" {
  description = "Whether the instance refuses to be deleted."
  type        = bool
}

variable "recovery_window_days" {
  description = "How long the deleted secret of the password can be brought back: 7 to 30 days, or 0 for not at all."
  type        = number
}

variable "log_retention_days" {
  description = "How long Postgres' own log is kept. CloudWatch takes certain numbers of days only."
  type        = number
}

variable "ca_bundle_url" {
  description = "Where the certificates are that sign those of RDS; null for the bundle of the provider's region."
  type        = string
  nullable    = true
  default     = null

  validation {
    condition     = var.ca_bundle_url == null || try(startswith(var.ca_bundle_url, "https://"), false)
    error_message = "Give an https address."
  }
}
