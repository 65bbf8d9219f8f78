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
  default     = "onsale-trial"
}

variable "image" {
  description = "Image of the server, by digest."
  type        = string
  nullable    = false
}

variable "image_repository_arn" {
  description = "ARN of the repository in ECR that holds the image; null for a public registry."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "Certificate of ACM for the name that buyers use."
  type        = string
  nullable    = false
}

variable "my_cidrs" {
  description = "IPv4 networks that may try it out. Not everybody: payments are simulated."
  type        = set(string)
  nullable    = false

  validation {
    condition     = !contains(var.my_cidrs, "0.0.0.0/0")
    error_message = "Give your own networks, such as 198.51.100.7/32."
  }
}

variable "running" {
  description = "Whether the server runs. Not at the first apply: it needs its keys and a migrated database before."
  type        = bool
  nullable    = false
  default     = false
}
