variable "region" {
  description = "Region of AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region such as eu-central-1."
  }
}

variable "name" {
  description = "Name of the deployment."
  type        = string
  nullable    = false
  default     = "onsale"
}

variable "host_name" {
  description = "Name that buyers use."
  type        = string
  nullable    = false
}

variable "certificate_arn" {
  description = "Certificate of ACM for host_name, in the region."
  type        = string
  nullable    = false
}

variable "image" {
  description = "Image of the server, by digest."
  type        = string
  nullable    = false
}

variable "operations_image" {
  description = "Image of the next release, by digest, while its migrations are run; null otherwise."
  type        = string
  default     = null
}

variable "image_repository_arn" {
  description = "ARN of the repository in ECR that holds the image."
  type        = string
  default     = null
}

variable "task_count" {
  description = "Least and most tasks; 0 and 0 for the first apply and while a backup is restored."
  type = object({
    min = number
    max = number
  })
  nullable = false
  default = {
    min = 2
    max = 10
  }
}

variable "cors_origins" {
  description = "Sites whose scripts may call the API from a browser."
  type        = list(string)
  nullable    = false
  default     = []
}

variable "mail_from" {
  description = "From whom mail comes, such as Onsale <tickets@example.org>."
  type        = string
  nullable    = false
}

variable "alarm_mail_addresses" {
  description = "Who is told of alarms."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.alarm_mail_addresses) > 0
    error_message = "Somebody must be told."
  }
}

variable "cloudflare_zone_id" {
  description = "Zone in Cloudflare that host_name is in; null without Cloudflare."
  type        = string
  default     = null
}

variable "route53_zone_id" {
  description = "Zone in Route 53 that host_name is in, where Cloudflare does not stand before; null where another DNS leads to the load balancer."
  type        = string
  default     = null

  validation {
    condition     = var.route53_zone_id == null || var.cloudflare_zone_id == null
    error_message = "Give a zone of Cloudflare or of Route 53, not both."
  }
}

variable "collector" {
  description = "Collector of traces and metrics beside each server: its image by digest, and the workspace of Amazon Managed Prometheus; null for none."
  type = object({
    image         = string
    workspace_arn = string
    workspace_url = string
  })
  default = null
}
