output "cidrs" {
  description = "IPv4 networks of Cloudflare, which alone may reach the load balancer and whose X-Forwarded-For is believed; everybody, and nobody, without Cloudflare."
  value = {
    ingress = var.enabled ? data.cloudflare_ip_ranges.this["this"].ipv4_cidrs : ["0.0.0.0/0"]
    proxies = var.enabled ? data.cloudflare_ip_ranges.this["this"].ipv4_cidrs : []
  }
}

output "address_header" {
  description = "Header in which Cloudflare tells the buyer's address; null without Cloudflare."
  value       = var.enabled ? "CF-Connecting-IP" : null
}
