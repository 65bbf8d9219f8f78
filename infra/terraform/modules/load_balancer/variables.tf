variable "name" {
  description = "Name of the load balancer and of its target group."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,30}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-")
    error_message = "Give 2 to 32 lower-case letters, digits and hyphens, and not internal- at the beginning."
  }
}

variable "vpc_id" {
  description = "VPC of the targets."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give subnets in at least two zones."
  }
}

variable "security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate of ACM, in the same region, for the name that buyers use."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:", var.certificate_arn))
    error_message = "Give the ARN of a certificate of ACM."
  }
}

variable "ssl_policy" {
  description = "Which versions and ciphers of TLS are spoken: 1.2 with forward secrecy and authenticated encryption alone, and 1.3."
  type        = string
  default     = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"

  validation {
    condition     = startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-") || startswith(var.ssl_policy, "ELBSecurityPolicy-TLS13-1-3-")
    error_message = "Choose a policy without TLS 1.0 and 1.1: one of ELBSecurityPolicy-TLS13-1-2-… or ELBSecurityPolicy-TLS13-1-3-…."
  }
}

variable "idle_timeout_seconds" {
  description = "How long the load balancer keeps a connection without a byte, and so waits for an answer. The server must keep its end for longer."
  type        = number

  validation {
    condition     = var.idle_timeout_seconds >= 15 && var.idle_timeout_seconds <= 600
    error_message = "Give 15 to 600 seconds; slow payment providers take up to ten seconds to answer."
  }
}

variable "deregistration_delay_seconds" {
  description = "How long requests under way at a task may take once no new ones are sent to it, before the task is told to stop."
  type        = number

  validation {
    condition     = var.deregistration_delay_seconds >= 5 && var.deregistration_delay_seconds <= 600
    error_message = "Give 5 to 600 seconds."
  }
}

variable "logs_bucket" {
  description = "Bucket of access logs."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}

variable "requests_per_address" {
  description = "Requests that one address may send within five minutes before the firewall refuses it; null for no firewall. Offices and mobile networks share an address among many buyers."
  type        = number
  nullable    = true

  validation {
    condition     = var.requests_per_address == null || try(var.requests_per_address >= 100 && var.requests_per_address <= 2000000000, false)
    error_message = "Give 100 to 2000000000 requests, or null."
  }
}

variable "address_header" {
  description = "Header in which a trusted edge tells the buyer's address, such as CF-Connecting-IP; null where buyers come directly."
  type        = string
  nullable    = true
}

variable "log_retention_days" {
  description = "How long the firewall's log is kept. CloudWatch takes certain numbers of days only."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that the firewall's log is encrypted with."
  type        = string
}
