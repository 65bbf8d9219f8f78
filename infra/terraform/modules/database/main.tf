# Postgres: the relational rows and, on Fargate, the journal. A commit of a Multi-AZ instance is on the storage of both
# zones before it returns, which is what `synchronous_commit = on` waits for: an acknowledged sale survives the loss of
# an instance and of a zone. A loss of the region is what backups are for; they are up to five minutes behind.

locals {
  port    = 5432
  user    = "onsale"
  dbname  = "onsale"
  version = split(".", var.engine_version)[0]
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-postgres${local.version}-"
  description = "Postgres for Onsale"
  family      = "postgres${local.version}"

  # The server asks for it in each session as well: an acknowledgement must not hang on a default.
  parameter {
    name  = "synchronous_commit"
    value = "on"
  }

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # A failed or hung task must not keep its locks until the kernel gives the connection up after two hours.
  parameter {
    name  = "tcp_keepalives_idle"
    value = "30"
  }

  # What changed the schema, what was slow, who waited for whom. No statement of the sale is logged when it is quick.
  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  parameter {
    name  = "log_lock_waits"
    value = "1"
  }

  # Parameters of statements may be mail addresses.
  parameter {
    name  = "log_parameter_max_length"
    value = "0"
  }

  parameter {
    name  = "log_parameter_max_length_on_error"
    value = "0"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make it by itself, and keep it for ever and without our key.
resource "aws_cloudwatch_log_group" "postgres" {
  for_each = toset(["postgresql", "upgrade"])
  #checkov:skip=CKV_AWS_338:How long logs are kept is the operator's choice
  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# The same suffix for the life of the instance, another one after it was destroyed: names of final snapshots stay taken.
resource "random_id" "final_snapshot" {
  byte_length = 4
}

resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:The server knows passwords, not IAM tokens, which last 15 minutes and cost a call for each connection
  #checkov:skip=CKV_AWS_157:On by default; a trial may do without, see the variable multi_az
  #checkov:skip=CKV_AWS_293:On by default; a trial may do without, see the variable deletion_protection
  identifier = var.name

  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class
  multi_az       = var.multi_az

  db_name             = local.dbname
  username            = local.user
  password_wo         = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  password_wo_version = var.password_version

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_max_gib
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  port                   = local.port
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"

  parameter_group_name        = aws_db_parameter_group.this.name
  allow_major_version_upgrade = false
  auto_minor_version_upgrade  = true
  apply_immediately           = false
  maintenance_window          = var.maintenance_window

  backup_retention_period   = var.backup_days
  backup_window             = var.backup_window
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = false
  final_snapshot_identifier = "${var.name}-final-${random_id.final_snapshot.hex}"

  enabled_cloudwatch_logs_exports       = ["postgresql", "upgrade"]
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 30
  monitoring_role_arn                   = aws_iam_role.monitoring.arn

  depends_on = [aws_cloudwatch_log_group.postgres, aws_iam_role_policy_attachment.monitoring]
}

data "aws_iam_policy_document" "monitoring_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-rds-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_assume.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
