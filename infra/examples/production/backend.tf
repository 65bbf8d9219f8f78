# State in S3, encrypted and locked there. Bucket, region and key are in backend.hcl, made from backend.hcl.example:
#
#   terraform init -backend-config=backend.hcl
terraform {
  backend "s3" {
    key          = "onsale/production.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
