terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

# The region's environment says all: AWS_ENDPOINT_URL, AWS_REGION, AWS_CA_BUNDLE and the key.
provider "aws" {
  default_tags {
    tags = { made = "tour" }
  }
}

variable "round" { type = number }
variable "image" { type = string }
variable "other_key" { type = string }
variable "other_secret" { type = string }
variable "other_account" { type = string }
