variable "name" {
  description = "Name of the deployment, and what all its resources are called."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name)) && !startswith(var.name, "internal-") && !strcontains(var.name, "--")
    error_message = "Give 3 to 20 lower-case letters, digits and single hyphens, beginning with a letter: names of load balancers are short."
  }
}

variable "image" {
  description = "Image of the server, by digest, built with the features s3 and otlp: registry/repository@sha256:…"
  type        = string
}

variable "operations_image" {
  description = "Image of migrations and other operations, by digest: that of the next release while an upgrade is on its way; null for `image`."
  type        = string
  nullable    = true
  default     = null
}

variable "image_repository_arn" {
  description = "ARN of the repository in ECR that holds the image; null for a public registry."
  type        = string
  nullable    = true
  default     = null
}

variable "certificate_arn" {
  description = "Certificate of ACM, in the same region, for the name that buyers use."
  type        = string
}

variable "alias" {
  description = "Zone of Route 53 and the name in it that shall lead to the load balancer; null where another DNS does."
  type = object({
    zone_id = string
    name    = string
  })
  nullable = true
  default  = null
}

variable "network" {
  description = "Addresses of the VPC, letters of the zones in use, and whether each has a NAT gateway of its own."
  type = object({
    cidr         = optional(string, "10.20.0.0/16")
    zones        = optional(list(string), ["a", "b", "c"])
    nat_per_zone = optional(bool, true)
  })
  nullable = false
  default  = {}
}

variable "ingress_cidrs" {
  description = "IPv4 networks that may reach the load balancer."
  type        = set(string)
  nullable    = false
  default     = ["0.0.0.0/0"]
}

variable "edge" {
  description = "Proxies before the load balancer, such as Cloudflare: networks whose X-Forwarded-For is believed, and the header in which they tell the buyer's address."
  type = object({
    cidrs          = optional(list(string), [])
    address_header = optional(string)
  })
  nullable = false
  default  = {}

  validation {
    condition     = alltrue([for cidr in var.edge.cidrs : can(cidrhost(cidr, 0))])
    error_message = "Give networks, such as 173.245.48.0/20."
  }
}

variable "firewall_requests_per_address" {
  description = "Requests that one address may send within five minutes before the firewall refuses it; null for no firewall."
  type        = number
  nullable    = true
  default     = 5000
}

variable "task_count" {
  description = "Least and most tasks of the server; autoscaling moves between them. 0 and 0 for the first apply and while a backup is restored."
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

variable "task" {
  description = "Size of a task and what autoscaling aims at."
  type = object({
    cpu                = optional(number, 2048)
    memory_mib         = optional(number, 4096)
    cpu_architecture   = optional(string, "X86_64")
    cpu_target_percent = optional(number, 60)
    requests_per_task  = optional(number, 30000)
  })
  nullable = false
  default  = {}
}

variable "settings" {
  description = "Settings of docs/CONFIGURATION.md that are no secrets and that this module does not set itself, by environment variable."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = alltrue([for variable in keys(var.settings) : can(regex("^ONSALE_[A-Z0-9_]+$", variable))])
    error_message = "Give environment variables of docs/CONFIGURATION.md, such as ONSALE_CORS_ORIGINS."
  }

  validation {
    condition = length(setintersection(keys(var.settings), [
      "ONSALE_LISTEN", "ONSALE_INTERNAL_LISTEN", "ONSALE_JOURNAL", "ONSALE_S3_BUCKET", "ONSALE_S3_REGION",
      "ONSALE_TRUSTED_PROXIES", "ONSALE_SHUTDOWN_GRACE_SECONDS", "ONSALE_IDLE_TIMEOUT_SECONDS", "ONSALE_LOG_FORMAT",
      "ONSALE_NODE_NAME", "ONSALE_OTLP_ENDPOINT", "ONSALE_TRACE_SAMPLE_RATIO",
    ])) == 0
    error_message = "Some of these follow from what is built; take them out."
  }

  validation {
    condition     = alltrue([for variable in keys(var.settings) : !endswith(variable, "_SECRET_KEY") && !endswith(variable, "_SERVER_KEY") && !endswith(variable, "_SECRETS") && !endswith(variable, "_KEYS") && !endswith(variable, "_SECRET") && variable != "ONSALE_SMTP_URL"])
    error_message = "Secrets do not belong into plans and states; name them in `secrets` and put their values into Secrets Manager."
  }
}

variable "secrets" {
  description = "Secret settings beside token_keys, ticket_keys and peer_secret that this deployment has. Each must have a value before tasks start."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for name in var.secrets : contains(["stripe_secret_key", "stripe_webhook_secrets", "midtrans_server_key", "smtp_url", "token_secret"], name)])
    error_message = "Choose among stripe_secret_key, stripe_webhook_secrets, midtrans_server_key, smtp_url and token_secret."
  }
}

variable "smtp_port" {
  description = "Port of the mail server in smtp_url, which the network then lets through; null where no mail is sent."
  type        = number
  nullable    = true
  default     = null
}

variable "timeouts" {
  description = "How long the server drains and flushes after SIGTERM, how long the load balancer waits for an answer, and how long it lets requests end at a task that goes away."
  type = object({
    shutdown_grace_seconds = optional(number, 25)
    idle_seconds           = optional(number, 60)
    deregistration_seconds = optional(number, 20)
  })
  nullable = false
  default  = {}
}

variable "database" {
  description = "Postgres: version, size, redundancy, backups, windows in UTC."
  type = object({
    engine_version     = optional(string, "17")
    instance_class     = optional(string, "db.m7g.large")
    storage_gib        = optional(number, 100)
    storage_max_gib    = optional(number, 1000)
    multi_az           = optional(bool, true)
    backup_days        = optional(number, 14)
    backup_window      = optional(string, "03:00-03:30")
    maintenance_window = optional(string, "mon:04:00-mon:05:00")
    password_version   = optional(number, 1)
    ca_bundle_url      = optional(string)
  })
  nullable = false
  default  = {}
}

variable "cache" {
  description = "Redis: version, size, nodes, window in UTC."
  type = object({
    engine_version     = optional(string, "7.1")
    node_type          = optional(string, "cache.t4g.small")
    node_count         = optional(number, 2)
    maintenance_window = optional(string, "tue:04:00-tue:05:00")
    token_version      = optional(number, 1)
  })
  nullable = false
  default  = {}
}

variable "collector" {
  description = "A collector beside each server that takes traces to X-Ray and metrics to Amazon Managed Prometheus; null for none."
  type = object({
    image          = string
    workspace_arn  = string
    workspace_url  = string
    trace_fraction = optional(number, 0.01)
  })
  nullable = true
  default  = null
}

variable "metrics_clients" {
  description = "Security groups, by a name of yours, that may read the metrics of each task: those of your own Prometheus."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "alarm_mail_addresses" {
  description = "Who is told of alarms. Each address must confirm once."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "log_retention_days" {
  description = "How long logs are kept, in CloudWatch and in the bucket of access logs. CloudWatch takes certain numbers of days only."
  type        = number
  nullable    = false
  default     = 90
}

variable "protected" {
  description = "Whether what holds data refuses to be deleted, and secrets and files can be brought back. Set it to false, and apply, before you destroy."
  type        = bool
  nullable    = false
  default     = true
}
