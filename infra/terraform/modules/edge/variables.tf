variable "enabled" {
  description = "Whether Cloudflare stands before the load balancer."
  type        = bool
}

variable "zone_id" {
  description = "Id of the zone in Cloudflare."
  type        = string
  nullable    = true

  validation {
    condition     = !var.enabled || can(regex("^[0-9a-f]{32}$", var.zone_id))
    error_message = "Give the 32 hexadecimal digits that the zone's overview shows."
  }
}

variable "host_name" {
  description = "Name that buyers use, within the zone. The load balancer's certificate must be for it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.host_name))
    error_message = "Give a name such as tickets.example.org."
  }
}

variable "origin" {
  description = "Name of the load balancer."
  type        = string
}

variable "login_tries_per_minute" {
  description = "Tries to log in or register that one address may make in a minute before Cloudflare refuses them."
  type        = number
  default     = 60

  validation {
    condition     = var.login_tries_per_minute >= 6 && var.login_tries_per_minute <= 6000
    error_message = "Give 6 to 6000."
  }
}
