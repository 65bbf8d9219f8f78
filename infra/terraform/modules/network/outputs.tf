output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one for each zone."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "public_subnet_cidrs" {
  description = "Addresses from which the load balancer asks: what the server trusts as its proxy."
  value       = [for zone in local.zones : local.public[zone]]
}

output "private_subnet_ids" {
  description = "Subnets of the tasks, one for each zone."
  value       = [for zone in local.zones : aws_subnet.private[zone].id]
}

output "data_subnet_ids" {
  description = "Subnets of Postgres and Redis, one for each zone."
  value       = [for zone in local.zones : aws_subnet.data[zone].id]
}

output "nat_addresses" {
  description = "Addresses from which tasks reach the outside, for allow lists of payment providers and mail servers."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}

output "load_balancer_security_group_id" {
  description = "Security group of the load balancer."
  value       = aws_security_group.load_balancer.id
}

output "service_security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.service.id
}

output "database_security_group_id" {
  description = "Security group of Postgres."
  value       = aws_security_group.database.id
}

output "cache_security_group_id" {
  description = "Security group of Redis."
  value       = aws_security_group.cache.id
}
