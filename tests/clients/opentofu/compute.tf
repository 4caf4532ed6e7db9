# Machines, their disks and images.
data "openstack_networking_network_v2" "outside" { external = true }

data "openstack_images_image_v2" "given" {
  most_recent = true
  visibility  = "public"
}

data "openstack_compute_flavor_v2" "micro" { name = "t3.micro" }
data "openstack_compute_flavor_v2" "small" { name = "t3.small" }
data "openstack_compute_availability_zones_v2" "all" {}

resource "openstack_networking_network_v2" "inner" { name = "inner" }

resource "openstack_networking_subnet_v2" "inner" {
  network_id = openstack_networking_network_v2.inner.id
  cidr       = "10.30.0.0/24"
}

resource "openstack_networking_network_v2" "second" { name = "second" }

resource "openstack_networking_subnet_v2" "second" {
  network_id = openstack_networking_network_v2.second.id
  cidr       = "10.31.0.0/24"
}

resource "openstack_networking_secgroup_v2" "web" { name = "web" }

resource "openstack_compute_keypair_v2" "made" { name = "made" }

resource "openstack_compute_keypair_v2" "given" {
  name       = "given"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5r9rZB1Lh5oN1Yx1n3dQ0mB2u0Tz5H5gX8hB7d3G1a tour"
}

resource "openstack_compute_servergroup_v2" "apart" {
  name     = "apart"
  policies = ["anti-affinity"]
}

resource "openstack_compute_instance_v2" "web" {
  name                = "web-${var.round}"
  flavor_id           = var.round == 1 ? data.openstack_compute_flavor_v2.micro.id : data.openstack_compute_flavor_v2.small.id
  image_id            = data.openstack_images_image_v2.given.id
  key_pair            = openstack_compute_keypair_v2.given.name
  security_groups     = var.round == 1 ? ["default"] : ["default", openstack_networking_secgroup_v2.web.name]
  user_data           = "#cloud-config\n"
  metadata            = { team = "round-${var.round}" }
  tags                = ["round-${var.round}"]
  stop_before_destroy = true
  network {
    uuid        = openstack_networking_subnet_v2.inner.network_id
    fixed_ip_v4 = "10.30.0.9"
  }
  scheduler_hints { group = openstack_compute_servergroup_v2.apart.id }
}

resource "openstack_networking_port_v2" "disk" {
  network_id         = openstack_networking_subnet_v2.inner.network_id
  security_group_ids = [openstack_networking_secgroup_v2.web.id]
}

resource "openstack_compute_instance_v2" "disk" {
  name        = "disk"
  flavor_name = "t3.micro"
  power_state = var.round == 1 ? "active" : "shutoff"
  network { port = openstack_networking_port_v2.disk.id }
  block_device {
    uuid                  = data.openstack_images_image_v2.given.id
    source_type           = "image"
    destination_type      = "volume"
    volume_size           = 4
    boot_index            = 0
    delete_on_termination = true
  }
  block_device {
    source_type           = "blank"
    destination_type      = "volume"
    volume_size           = 1
    boot_index            = -1
    delete_on_termination = true
  }
}

resource "openstack_compute_interface_attach_v2" "second" {
  instance_id = openstack_compute_instance_v2.disk.id
  network_id  = openstack_networking_subnet_v2.second.network_id
}

resource "openstack_blockstorage_volume_v3" "data" {
  name                 = "data-${var.round}"
  description          = "of the tour"
  size                 = var.round
  metadata             = { team = "round-${var.round}" }
  enable_online_resize = true
}

resource "openstack_compute_volume_attach_v2" "data" {
  instance_id = openstack_compute_instance_v2.web.id
  volume_id   = openstack_blockstorage_volume_v3.data.id
}

resource "openstack_blockstorage_volume_v3" "booted" {
  name     = "booted"
  size     = 4
  image_id = data.openstack_images_image_v2.given.id
}

resource "openstack_blockstorage_volume_v3" "twin" {
  name          = "twin"
  size          = 4
  source_vol_id = openstack_blockstorage_volume_v3.booted.id
}

resource "openstack_images_image_v2" "mine" {
  name             = "mine-${var.round}"
  local_file_path  = "${path.module}/disk.raw"
  container_format = "bare"
  disk_format      = "raw"
  visibility       = "shared"
  min_disk_gb      = var.round
  tags             = ["round-${var.round}"]
  properties       = { os_distro = "debian", made = "round-${var.round}" }
}

resource "openstack_images_image_access_v2" "other" {
  image_id  = openstack_images_image_v2.mine.id
  member_id = var.other_project
}

variable "other_project" { type = string }

resource "openstack_identity_application_credential_v3" "robot" {
  name        = "robot-${var.round}"
  description = "of the tour"
  roles       = ["member"]
}

resource "openstack_identity_ec2_credential_v3" "key" {}
resource "openstack_networking_floatingip_v2" "web" { pool = data.openstack_networking_network_v2.outside.name }
