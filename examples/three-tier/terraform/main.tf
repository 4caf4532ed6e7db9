# SPDX-License-Identifier: Apache-2.0
# The three-tier application with terraform-provider-openstack 3, in OpenTofu 1.12 or Terraform. The region and the credentials come from the
# environment (OS_AUTH_URL, OS_REGION_NAME, …). OpenStack has no scaling groups: `machines` says how many machines the application has.

terraform {
  required_providers {
    openstack = { source = "terraform-provider-openstack/openstack" }
  }
}

provider "openstack" {}

variable "external_network" {
  type        = string
  description = "Network of floating IP addresses."
}

variable "image" {
  type    = string
  default = "debian-12"
}

variable "flavor" {
  type    = string
  default = "t3.micro"
}

variable "machines" {
  type    = number
  default = 2
}

variable "password" {
  type        = string
  sensitive   = true
  description = "The database's password, letters and digits. It is in the state file and in user data."
  validation {
    condition     = can(regex("^[A-Za-z0-9]{24,}$", var.password))
    error_message = "Use 24 letters and digits or more."
  }
}

data "openstack_networking_network_v2" "external" {
  name = var.external_network
}

data "openstack_images_image_v2" "debian" {
  name        = var.image
  most_recent = true
}

# ---- network: a private subnet behind a router ----

resource "openstack_networking_network_v2" "guestbook" {
  name = "guestbook"
}

resource "openstack_networking_subnet_v2" "guestbook" {
  name       = "guestbook"
  network_id = openstack_networking_network_v2.guestbook.id
  cidr       = "10.20.10.0/24"
}

resource "openstack_networking_router_v2" "guestbook" {
  name                = "guestbook"
  external_network_id = data.openstack_networking_network_v2.external.id
}

resource "openstack_networking_router_interface_v2" "guestbook" {
  router_id = openstack_networking_router_v2.guestbook.id
  subnet_id = openstack_networking_subnet_v2.guestbook.id
}

# ---- security groups: each tier is open to the one before it. The balancer's address is in the subnet ----

resource "openstack_networking_secgroup_v2" "app" {
  name = "guestbook-app"
}

resource "openstack_networking_secgroup_rule_v2" "app" {
  security_group_id = openstack_networking_secgroup_v2.app.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 8080
  port_range_max    = 8080
  remote_ip_prefix  = "${openstack_lb_loadbalancer_v2.guestbook.vip_address}/32"
}

resource "openstack_networking_secgroup_v2" "database" {
  name = "guestbook-database"
}

resource "openstack_networking_secgroup_rule_v2" "database" {
  security_group_id = openstack_networking_secgroup_v2.database.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 5432
  port_range_max    = 5432
  remote_group_id   = openstack_networking_secgroup_v2.app.id
}

# ---- database: one machine with a data volume; a backup plan finds both by the metadata `backup` ----

resource "openstack_networking_port_v2" "database" {
  name               = "database"
  network_id         = openstack_networking_network_v2.guestbook.id
  security_group_ids = [openstack_networking_secgroup_v2.database.id]
  fixed_ip {
    subnet_id = openstack_networking_subnet_v2.guestbook.id
  }
}

resource "openstack_blockstorage_volume_v3" "database" {
  name = "database"
  size = 20
}

# The volume is there when the machine starts for the first time, so that cloud-init formats it.
resource "openstack_compute_instance_v2" "database" {
  name        = "database"
  flavor_name = var.flavor
  metadata    = { backup = "nightly" }
  user_data   = replace(file("${path.module}/../database.yaml"), "@PASSWORD@", var.password)
  depends_on  = [openstack_networking_router_interface_v2.guestbook]
  network {
    port = openstack_networking_port_v2.database.id
  }
  block_device {
    uuid                  = data.openstack_images_image_v2.debian.id
    source_type           = "image"
    destination_type      = "local"
    boot_index            = 0
    delete_on_termination = true
  }
  block_device {
    uuid             = openstack_blockstorage_volume_v3.database.id
    source_type      = "volume"
    destination_type = "volume"
    boot_index       = -1
  }
}

# ---- balancer ----

resource "openstack_lb_loadbalancer_v2" "guestbook" {
  name          = "guestbook"
  vip_subnet_id = openstack_networking_subnet_v2.guestbook.id
}

resource "openstack_lb_listener_v2" "guestbook" {
  name            = "guestbook"
  loadbalancer_id = openstack_lb_loadbalancer_v2.guestbook.id
  protocol        = "HTTP"
  protocol_port   = 80
}

resource "openstack_lb_pool_v2" "guestbook" {
  name        = "guestbook"
  listener_id = openstack_lb_listener_v2.guestbook.id
  protocol    = "HTTP"
  lb_method   = "ROUND_ROBIN"
}

resource "openstack_lb_monitor_v2" "guestbook" {
  pool_id     = openstack_lb_pool_v2.guestbook.id
  type        = "HTTP"
  url_path    = "/health"
  delay       = 10
  timeout     = 5
  max_retries = 2
}

resource "openstack_networking_floatingip_v2" "guestbook" {
  pool       = var.external_network
  port_id    = openstack_lb_loadbalancer_v2.guestbook.vip_port_id
  depends_on = [openstack_networking_router_interface_v2.guestbook]
}

# ---- application ----

resource "openstack_compute_instance_v2" "app" {
  count           = var.machines
  name            = "app-${count.index}"
  image_id        = data.openstack_images_image_v2.debian.id
  flavor_name     = var.flavor
  security_groups = [openstack_networking_secgroup_v2.app.name]
  user_data = replace(replace(file("${path.module}/../app.yaml"), "@PASSWORD@", var.password),
  "@DATABASE@", openstack_networking_port_v2.database.all_fixed_ips[0])
  depends_on = [openstack_networking_router_interface_v2.guestbook]
  network {
    uuid = openstack_networking_network_v2.guestbook.id
  }
}

resource "openstack_lb_member_v2" "app" {
  count         = var.machines
  pool_id       = openstack_lb_pool_v2.guestbook.id
  address       = openstack_compute_instance_v2.app[count.index].access_ip_v4
  protocol_port = 8080
  subnet_id     = openstack_networking_subnet_v2.guestbook.id
}

output "url" {
  value = "http://${openstack_networking_floatingip_v2.guestbook.address}/"
}
