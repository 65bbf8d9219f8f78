variable "name" {
  description = "What the secrets' names begin with."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that secrets are encrypted with."
  type        = string
}

variable "names" {
  description = "Which of the settings that are secret this deployment has, by their names in lower case, such as token_keys."
  type        = set(string)

  validation {
    condition     = alltrue([for name in var.names : can(regex("^[a-z][a-z0-9_]{1,40}$", name))])
    error_message = "Give keys of settings as docs/CONFIGURATION.md has them, such as stripe_secret_key."
  }
}

variable "recovery_window_days" {
  description = "How long a deleted secret can be brought back: 7 to 30 days, or 0 for not at all."
  type        = number

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "Give 7 to 30 days, or 0."
  }
}
