# What runs in a task.

locals {
  api_port      = 8080
  internal_port = 9464
  otlp_port     = 4318

  collected = var.collector != null

  log_configuration = {
    logDriver = "awslogs"
    options = {
      awslogs-group  = var.log_group.name
      awslogs-region = data.aws_region.current.region
      # A sale does not wait for its log: what does not fit the buffer is lost.
      mode            = "non-blocking"
      max-buffer-size = "25m"
    }
  }

  environment = merge(var.environment, local.collected ? {
    ONSALE_OTLP_ENDPOINT      = "http://127.0.0.1:${local.otlp_port}"
    ONSALE_TRACE_SAMPLE_RATIO = tostring(var.collector.trace_fraction)
  } : {})

  # Nothing is written to disk: the journal is in Postgres, ticket files in S3, logs on stderr.
  server = {
    name                   = "onsale"
    image                  = var.image
    essential              = true
    user                   = "10001:10001"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    # More than connections_max of the server, which is 20,000.
    ulimits          = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    secrets          = [for variable, arn in var.secrets : { name = variable, valueFrom = arn }]
    logConfiguration = merge(local.log_configuration, { options = merge(local.log_configuration.options, { awslogs-stream-prefix = "server" }) })
  }

  serve = merge(local.server, {
    command      = ["serve"]
    environment  = [for variable, value in local.environment : { name = variable, value = value }]
    portMappings = [for port in [local.api_port, local.internal_port] : { containerPort = port, hostPort = port, protocol = "tcp" }]
    # SIGKILL only after the server has had its own grace period.
    stopTimeout = var.shutdown_grace_seconds + 10
    # This is for processes that hang. It asks for readiness, which Postgres takes away while it fails over, so it is
    # patient: five minutes. Who gets requests is decided by the load balancer.
    healthCheck = {
      command     = ["CMD", "onsale", "healthcheck"]
      interval    = 30
      timeout     = 5
      retries     = 10
      startPeriod = 120
    }
  })

  # No collector beside it, so no traces.
  operations = merge(local.server, {
    image       = var.operations_image
    command     = ["migrate"]
    environment = [for variable, value in var.environment : { name = variable, value = value }]
    stopTimeout = 120
  })

  collector = {
    name                   = "collector"
    image                  = try(var.collector.image, null)
    essential              = false
    readonlyRootFilesystem = true
    environment            = [{ name = "AOT_CONFIG_CONTENT", value = local.collector_configuration }]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration       = merge(local.log_configuration, { options = merge(local.log_configuration.options, { awslogs-stream-prefix = "collector" }) })
  }

  collector_configuration = yamlencode({
    receivers = {
      otlp = { protocols = { http = { endpoint = "127.0.0.1:${local.otlp_port}" } } }
      prometheus = { config = { scrape_configs = [{
        # The rules of grafana/prometheus know the job by this name.
        job_name        = "onsale"
        scrape_interval = "15s"
        static_configs  = [{ targets = ["127.0.0.1:${local.internal_port}"] }]
      }] } }
    }
    processors = {
      memory_limiter = { check_interval = "1s", limit_mib = 256 }
      batch          = {}
      # Which task it was: all of them are 127.0.0.1 to their collectors.
      resourcedetection = { detectors = ["env", "ecs"] }
    }
    exporters = {
      awsxray = { region = data.aws_region.current.region }
      prometheusremotewrite = {
        endpoint                         = "${try(var.collector.workspace_url, "")}api/v1/remote_write"
        auth                             = { authenticator = "sigv4auth" }
        resource_to_telemetry_conversion = { enabled = true }
      }
    }
    extensions = { sigv4auth = { region = data.aws_region.current.region, service = "aps" } }
    service = {
      extensions = ["sigv4auth"]
      pipelines = {
        traces  = { receivers = ["otlp"], processors = ["memory_limiter", "resourcedetection", "batch"], exporters = ["awsxray"] }
        metrics = { receivers = ["prometheus"], processors = ["memory_limiter", "resourcedetection", "batch"], exporters = ["prometheusremotewrite"] }
      }
    }
  })
}
