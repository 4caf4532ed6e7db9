terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

# The region's environment says all: OS_AUTH_URL, OS_REGION_NAME, OS_CACERT and who signs in.
provider "openstack" {}

variable "round" { type = number }
