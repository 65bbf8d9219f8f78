variable "name" {
  description = "What the names of log group, topic and alarms begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that logs and notices are encrypted with."
  type        = string
}

variable "log_retention_days" {
  description = "How long the server's log is kept. CloudWatch takes certain numbers of days only."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch knows 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653 days."
  }
}

variable "mail_addresses" {
  description = "Who is told of alarms. Each address must confirm once."
  type        = set(string)

  validation {
    condition     = alltrue([for address in var.mail_addresses : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "Give mail addresses."
  }
}

variable "task_count" {
  description = "Least and most tasks."
  type = object({
    min = number
    max = number
  })
}

variable "load_balancer" {
  description = "The load balancer, as alarms name it."
  type        = string
}

variable "target_group" {
  description = "The target group, as alarms name it."
  type        = string
}

variable "cluster_name" {
  description = "Name of the ECS cluster."
  type        = string
}

variable "service_name" {
  description = "Name of the ECS service."
  type        = string
}

variable "database_identifier" {
  description = "Identifier of the database instance."
  type        = string
}

variable "database_storage_gib" {
  description = "Storage of the database at the start."
  type        = number
}

variable "cache_node_ids" {
  description = "Ids of Redis' nodes."
  type        = list(string)
}
