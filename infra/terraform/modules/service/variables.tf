variable "name" {
  description = "Name of the cluster, the service and the task definitions."
  type        = string
}

variable "image" {
  description = "Image of the server, by digest."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}$", var.image))
    error_message = "Name the image by its digest, as registry/repository@sha256:…: a tag may mean something else tomorrow."
  }
}

variable "operations_image" {
  description = "Image of migrations and other operations, by digest."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-zA-Z0-9._:/-]*@sha256:[0-9a-f]{64}$", var.operations_image))
    error_message = "Name the image by its digest, as registry/repository@sha256:…: a tag may mean something else tomorrow."
  }
}

variable "image_repository_arn" {
  description = "ARN of the repository in ECR that holds the image; null for a public registry."
  type        = string
  nullable    = true

  validation {
    condition     = var.image_repository_arn == null || can(regex("^arn:aws[a-z-]*:ecr:", var.image_repository_arn))
    error_message = "Give the ARN of a repository in ECR, or null."
  }
}

variable "cpu_architecture" {
  description = "What the image is built for: X86_64 or ARM64."
  type        = string

  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "Choose X86_64 or ARM64."
  }
}

variable "cpu" {
  description = "Processor units of a task; 1024 are one."
  type        = number

  validation {
    condition     = contains([512, 1024, 2048, 4096, 8192, 16384], var.cpu)
    error_message = "Fargate knows 512, 1024, 2048, 4096, 8192 and 16384."
  }
}

variable "memory_mib" {
  description = "Memory of a task. Which sizes go with which processor units is up to Fargate."
  type        = number

  validation {
    condition     = var.memory_mib >= 1024 && var.memory_mib <= 122880 && var.memory_mib % 1024 == 0
    error_message = "Give 1024 to 122880 MiB, in steps of 1024."
  }
}

variable "task_count" {
  description = "Least and most tasks. Autoscaling moves between them."
  type = object({
    min = number
    max = number
  })

  validation {
    condition     = var.task_count.min >= 0 && var.task_count.min <= var.task_count.max && var.task_count.max <= 50
    error_message = "Give 0 <= min <= max <= 50. Each task takes its connections to Postgres."
  }
}

variable "cpu_target_percent" {
  description = "Average use of the processors that autoscaling aims at."
  type        = number

  validation {
    condition     = var.cpu_target_percent >= 20 && var.cpu_target_percent <= 90
    error_message = "Give 20 to 90 percent."
  }
}

variable "requests_per_task_target" {
  description = "Requests a minute and task that autoscaling aims at."
  type        = number

  validation {
    condition     = var.requests_per_task_target >= 100
    error_message = "Give at least 100 requests a minute."
  }
}

variable "shutdown_grace_seconds" {
  description = "How long the server takes at most to drain and flush after SIGTERM."
  type        = number

  validation {
    condition     = var.shutdown_grace_seconds >= 1 && var.shutdown_grace_seconds <= 110
    error_message = "Give 1 to 110 seconds: Fargate kills after 120."
  }
}

variable "environment" {
  description = "Settings that are no secrets, by environment variable."
  type        = map(string)
}

variable "secrets" {
  description = "ARNs of secrets, by the environment variable that each becomes."
  type        = map(string)
}

variable "kms_key_arn" {
  description = "Key that secrets and ticket files are encrypted with."
  type        = string
}

variable "files_bucket_arn" {
  description = "ARN of the bucket of ticket files."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the tasks."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets with a way out."
  type        = list(string)
}

variable "security_group_id" {
  description = "Security group of the tasks."
  type        = string
}

variable "target_group_arn" {
  description = "Target group that tasks are registered in."
  type        = string
}

variable "request_metric_label" {
  description = "Load balancer and target group whose requests are counted, as app/…/targetgroup/…."
  type        = string
}

variable "log_group" {
  description = "Name and ARN of the log group of the tasks."
  type = object({
    name = string
    arn  = string
  })
}

variable "collector" {
  description = "A collector beside each server that takes its traces to X-Ray and its metrics to Amazon Managed Prometheus; null for none. The image, by digest, is one of the AWS Distro for OpenTelemetry."
  type = object({
    image          = string
    workspace_arn  = string
    workspace_url  = string
    trace_fraction = number
  })
  nullable = true

  validation {
    condition = var.collector == null || try(
      can(regex("@sha256:[0-9a-f]{64}$", var.collector.image))
      && can(regex("^arn:aws[a-z-]*:aps:", var.collector.workspace_arn))
      && can(regex("^https://.*/$", var.collector.workspace_url))
      && var.collector.trace_fraction >= 0 && var.collector.trace_fraction <= 1,
      false
    )
    error_message = "Give an image by digest, the ARN of a workspace, its endpoint (https://…/), and a fraction of 0 to 1."
  }
}
