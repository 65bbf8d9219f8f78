# Cloudflare before the load balancer: it takes floods, ends the buyers' TLS near to them, and alone may reach the load
# balancer. It must cache nothing of the API: the server says so in each answer.

locals {
  instances = var.enabled ? { this = var.zone_id } : {}
}

data "cloudflare_ip_ranges" "this" {
  for_each = local.instances
}

resource "cloudflare_dns_record" "this" {
  for_each = local.instances

  zone_id = each.value
  name    = var.host_name
  type    = "CNAME"
  content = var.origin
  proxied = true
  # What "automatic" is called.
  ttl = 1
}

# The zone's settings hold for all names in it.
resource "cloudflare_zone_setting" "this" {
  for_each = var.enabled ? {
    # TLS to the load balancer too, with its certificate checked.
    ssl              = "strict"
    min_tls_version  = "1.2"
    tls_1_3          = "on"
    always_use_https = "on"
  } : {}

  zone_id    = var.zone_id
  setting_id = each.key
  value      = each.value
}

# Before the sale itself nothing is limited here: many buyers share an address, and the server limits by account. A
# waiting room, where one is wanted, is Cloudflare's product of that name for the paths of the shop; the API behind it
# stays as it is.
resource "cloudflare_ruleset" "rate_limit" {
  for_each = local.instances

  zone_id     = each.value
  name        = "Limits of ${var.host_name}"
  description = "Tries to get into accounts"
  kind        = "zone"
  phase       = "http_ratelimit"

  rules = [{
    description = "Logging in and registering"
    expression  = "(http.host eq \"${var.host_name}\" and http.request.method eq \"POST\" and starts_with(http.request.uri.path, \"/v1/auth/\"))"
    action      = "block"
    enabled     = true
    ratelimit = {
      characteristics     = ["cf.colo.id", "ip.src"]
      period              = 10
      requests_per_period = ceil(var.login_tries_per_minute / 6)
      mitigation_timeout  = 10
    }
  }]
}
