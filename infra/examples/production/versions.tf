terraform {
  required_version = ">= 1.11.0, < 2.0.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.64"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.15"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      Deployment = var.name
      ManagedBy  = "terraform"
    }
  }
}

# Its token comes from CLOUDFLARE_API_TOKEN: DNS and zone settings of one zone, and its rate limits.
provider "cloudflare" {}
