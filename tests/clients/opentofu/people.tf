# The administrator's day: people, quotas, flavors, types, hosts' aggregates.
data "openstack_identity_role_v3" "member" { name = "member" }
data "openstack_identity_auth_scope_v3" "me" { name = "me" }

resource "openstack_identity_project_v3" "shop" {
  name        = "shop-${var.round}"
  description = "round ${var.round}"
  tags        = ["round-${var.round}"]
}

resource "openstack_identity_user_v3" "anna" {
  name               = "anna-${var.round}"
  default_project_id = openstack_identity_project_v3.shop.id
  password           = "secret-7${var.round}"
  description        = "round ${var.round}"
  extra              = { email = "anna@shop.example" }
}

resource "openstack_identity_group_v3" "desk" {
  name        = "desk-${var.round}"
  description = "round ${var.round}"
}

resource "openstack_identity_user_membership_v3" "anna" {
  user_id  = openstack_identity_user_v3.anna.id
  group_id = openstack_identity_group_v3.desk.id
}

resource "openstack_identity_role_v3" "watcher" { name = "watcher-${var.round}" }

resource "openstack_identity_role_assignment_v3" "anna" {
  user_id    = openstack_identity_user_v3.anna.id
  project_id = openstack_identity_project_v3.shop.id
  role_id    = data.openstack_identity_role_v3.member.id
}

resource "openstack_identity_inherit_role_assignment_v3" "desk" {
  group_id  = openstack_identity_group_v3.desk.id
  domain_id = data.openstack_identity_auth_scope_v3.me.project_domain_id
  role_id   = data.openstack_identity_role_v3.member.id
}

resource "openstack_compute_quotaset_v2" "shop" {
  project_id = openstack_identity_project_v3.shop.id
  instances  = 3 + var.round
  cores      = 8
  ram        = 16384
}

resource "openstack_blockstorage_quotaset_v3" "shop" {
  project_id = openstack_identity_project_v3.shop.id
  volumes    = 3 + var.round
  gigabytes  = 100
}

resource "openstack_networking_quota_v2" "shop" {
  project_id = openstack_identity_project_v3.shop.id
  network    = 3 + var.round
  floatingip = 2
}

resource "openstack_compute_flavor_v2" "tiny" {
  name        = "tour.tiny"
  vcpus       = 1
  ram         = 256
  disk        = 1
  is_public   = false
  description = "round ${var.round}"
  extra_specs = { "hw:watchdog_action" = var.round == 1 ? "reset" : "pause" }
}

resource "openstack_compute_flavor_access_v2" "tiny" {
  tenant_id = openstack_identity_project_v3.shop.id
  flavor_id = openstack_compute_flavor_v2.tiny.id
}

resource "openstack_compute_aggregate_v2" "fast" {
  name     = "fast-${var.round}"
  metadata = { ssd = "round-${var.round}" }
  hosts    = var.round == 1 ? [] : [data.openstack_compute_hypervisor_v2.first.hostname]
}

data "openstack_compute_hypervisor_v2" "first" { hostname = var.host }
variable "host" { type = string }

resource "openstack_blockstorage_volume_type_v3" "quick" {
  name        = "quick-${var.round}"
  description = "round ${var.round}"
  is_public   = false
}

resource "openstack_blockstorage_volume_type_access_v3" "quick" {
  project_id     = openstack_identity_project_v3.shop.id
  volume_type_id = openstack_blockstorage_volume_type_v3.quick.id
}

resource "openstack_blockstorage_qos_v3" "held" {
  name     = "held"
  consumer = "front-end"
  specs    = { total_iops_sec = "${var.round}000" }
}

resource "openstack_blockstorage_qos_association_v3" "quick" {
  qos_id         = openstack_blockstorage_qos_v3.held.id
  volume_type_id = openstack_blockstorage_volume_type_v3.quick.id
}

resource "openstack_identity_service_v3" "clock" {
  name        = "clock-${var.round}"
  type        = "clock"
  description = "round ${var.round}"
}

resource "openstack_identity_endpoint_v3" "clock" {
  name            = "clock"
  service_id      = openstack_identity_service_v3.clock.id
  endpoint_region = "us-east-1"
  interface       = "public"
  url             = "https://clock.example:80${var.round}0/"
}
