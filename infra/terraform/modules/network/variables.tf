variable "name" {
  description = "What the names of all resources begin with."
  type        = string
}

variable "cidr" {
  description = "Addresses of the VPC, from /16 to /20. Each kind of subnet gets a sixteenth of it in each zone."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "Give an IPv4 network from /16 to /20, such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "Letters of the availability zones that subnets are made in. Append only: the order gives the subnets their addresses. Not every account has every letter, and a few zones lack Fargate."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4 && length(distinct(var.zones)) == length(var.zones) && alltrue([for letter in var.zones : can(regex("^[a-f]$", letter))])
    error_message = "Give two to four letters, such as a, b and c: the load balancer and the database need two zones."
  }
}

variable "nat_per_zone" {
  description = "Whether each zone has a NAT gateway of its own. With one for all, the loss of its zone cuts all tasks off from payment providers and mail."
  type        = bool
}

variable "ingress_cidrs" {
  description = "IPv4 networks that may reach the load balancer: everybody, or the edge before it."
  type        = set(string)

  validation {
    condition     = length(var.ingress_cidrs) >= 1 && length(var.ingress_cidrs) <= 25 && alltrue([for cidr in var.ingress_cidrs : can(cidrhost(cidr, 0)) && !strcontains(cidr, ":")])
    error_message = "Give 1 to 25 IPv4 networks: a security group takes 60 rules, and each network needs two."
  }
}

variable "smtp_port" {
  description = "Port of the mail server that tasks may reach; null where none is used."
  type        = number
  nullable    = true
  default     = null

  validation {
    condition     = var.smtp_port == null || try(contains([465, 587, 2465, 2587], var.smtp_port), false)
    error_message = "Choose 465 or 2465 (TLS from the start), or 587 or 2587 (STARTTLS)."
  }
}

variable "metrics_clients" {
  description = "Security groups, by a name of yours, that may read the metrics of each task."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for id in values(var.metrics_clients) : startswith(id, "sg-")])
    error_message = "Give ids of security groups, such as sg-0123456789abcdef0."
  }
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept. CloudWatch takes certain numbers of days only."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that flow logs are encrypted with."
  type        = string
}
