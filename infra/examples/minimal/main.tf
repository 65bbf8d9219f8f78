# The least that shows how it runs: one task, one small Postgres in one zone, one node of Redis, one NAT gateway. For
# trying out, not for selling: the loss of a zone, or of the database's machine, stops it for as long as Amazon takes,
# and `terraform destroy` takes everything with it.

module "onsale" {
  source = "../../terraform"

  name                 = var.name
  image                = var.image
  image_repository_arn = var.image_repository_arn
  certificate_arn      = var.certificate_arn
  ingress_cidrs        = var.my_cidrs
  protected            = false
  log_retention_days   = 7

  network = {
    zones        = ["a", "b"]
    nat_per_zone = false
  }

  task_count = {
    min = var.running ? 1 : 0
    max = var.running ? 1 : 0
  }

  task = {
    cpu        = 1024
    memory_mib = 2048
  }

  database = {
    instance_class  = "db.t4g.medium"
    storage_gib     = 20
    storage_max_gib = 50
    multi_az        = false
    backup_days     = 7
  }

  cache = {
    node_type  = "cache.t4g.micro"
    node_count = 1
  }
}
