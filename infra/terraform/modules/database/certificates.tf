# RDS signs with roots of its own that no system and no program knows. The server gets them with its environment and
# checks certificate and name (`sslmode=verify-full`).

data "aws_region" "current" {}

locals {
  region     = data.aws_region.current.region
  bundle_url = coalesce(var.ca_bundle_url, "https://truststore.pki.rds.amazonaws.com/${local.region}/${local.region}-bundle.pem")
}

data "http" "ca_bundle" {
  url = local.bundle_url

  retry {
    attempts = 2
  }

  lifecycle {
    postcondition {
      condition     = self.status_code == 200 && startswith(trimspace(self.response_body), "-----BEGIN CERTIFICATE-----")
      error_message = "There are no certificates at ${local.bundle_url}; name the bundle of the region in ca_bundle_url."
    }

    # A task definition holds 64 KiB in all; the bundle of one region has about 7.
    postcondition {
      condition     = length(self.response_body) < 32768
      error_message = "The bundle is too long for a task definition: take that of one region, not the global one."
    }
  }
}
