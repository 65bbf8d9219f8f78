output "dns_name" {
  description = "Name of the load balancer, for a CNAME or an alias."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "Route 53's zone of that name, for an alias."
  value       = aws_lb.this.zone_id
}

output "arn_suffix" {
  description = "The load balancer, as alarms and scaling policies name it."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn" {
  description = "Target group of the tasks, once a listener leads to it."
  value       = aws_lb_listener.https.default_action[0].target_group_arn
}

output "target_group_arn_suffix" {
  description = "The target group, as alarms and scaling policies name it."
  value       = aws_lb_target_group.this.arn_suffix
}
