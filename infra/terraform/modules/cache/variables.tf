variable "name" {
  description = "Identifier of the replication group."
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
  description = "Key that Redis' snapshots and disks, the token and the logs are encrypted with."
  type        = string
}

variable "engine_version" {
  description = "Version of Redis."
  type        = string

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.engine_version))
    error_message = "Give Redis 7, such as 7.1."
  }
}

variable "node_type" {
  description = "Size of each node. Redis holds little: revocations of a quarter of an hour, roles, counters of limits."
  type        = string

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "Give a type such as cache.t4g.small."
  }
}

variable "node_count" {
  description = "Nodes, the primary included. With two or more, a replica in another zone takes over within a minute."
  type        = number

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 6 && floor(var.node_count) == var.node_count
    error_message = "Give 1 to 6 nodes."
  }
}

variable "maintenance_window" {
  description = "When Amazon may replace nodes, in UTC, as ddd:hh:mm-ddd:hh:mm."
  type        = string
}

variable "token_version" {
  description = "Raise it by one to have a new token made and set. The old one stays valid until the next exchange."
  type        = number

  validation {
    condition     = var.token_version >= 1 && floor(var.token_version) == var.token_version
    error_message = "Give a whole number from 1."
  }
}

variable "recovery_window_days" {
  description = "How long deleted secrets can be brought back: 7 to 30 days, or 0 for not at all."
  type        = number
}

variable "log_retention_days" {
  description = "How long Redis' own log is kept. CloudWatch takes certain numbers of days only."
  type        = number
}
