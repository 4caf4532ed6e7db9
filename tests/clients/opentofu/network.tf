# Networks as a project's members write them.
data "openstack_networking_network_v2" "outside" { external = true }
data "openstack_identity_auth_scope_v3" "me" { name = "me" }

resource "openstack_networking_network_v2" "inner" {
  name                  = "inner-${var.round}"
  description           = "of the tour"
  admin_state_up        = true
  port_security_enabled = true
  mtu                   = var.round == 1 ? 1400 : 1300
  tags                  = ["tour", "round-${var.round}"]
}

resource "openstack_networking_subnetpool_v2" "pool" {
  name              = "pool-${var.round}"
  prefixes          = ["10.20.0.0/16"]
  default_prefixlen = 24
  min_prefixlen     = 20
  max_prefixlen     = 28
}

resource "openstack_networking_subnet_v2" "inner" {
  name            = "inner-${var.round}"
  network_id      = openstack_networking_network_v2.inner.id
  cidr            = "10.30.0.0/24"
  dns_nameservers = var.round == 1 ? ["9.9.9.9"] : ["9.9.9.9", "149.112.112.112"]
  allocation_pool {
    start = "10.30.0.100"
    end   = "10.30.0.200"
  }
}

resource "openstack_networking_subnet_v2" "pooled" {
  name          = "pooled"
  network_id    = openstack_networking_network_v2.inner.id
  subnetpool_id = openstack_networking_subnetpool_v2.pool.id
  prefix_length = 26
  no_gateway    = var.round == 2
}

resource "openstack_networking_subnet_v2" "six" {
  name              = "six"
  network_id        = openstack_networking_network_v2.inner.id
  ip_version        = 6
  cidr              = "fd00:30::/64"
  ipv6_address_mode = "dhcpv6-stateful"
  ipv6_ra_mode      = "dhcpv6-stateful"
}

resource "openstack_networking_subnet_route_v2" "far" {
  subnet_id        = openstack_networking_subnet_v2.inner.id
  destination_cidr = "10.99.0.0/24"
  next_hop         = "10.30.0.${var.round + 20}"
}

resource "openstack_networking_router_v2" "way" {
  name                = "way-${var.round}"
  external_network_id = data.openstack_networking_network_v2.outside.id
  tags                = ["round-${var.round}"]
}

resource "openstack_networking_router_interface_v2" "inner" {
  router_id = openstack_networking_router_v2.way.id
  subnet_id = openstack_networking_subnet_v2.inner.id
}

resource "openstack_networking_router_route_v2" "far" {
  router_id        = openstack_networking_router_interface_v2.inner.router_id
  destination_cidr = "10.98.0.0/24"
  next_hop         = "10.30.0.${var.round + 30}"
}

resource "openstack_networking_router_v2" "other" { name = "other" }

resource "openstack_networking_port_v2" "other" {
  network_id = openstack_networking_network_v2.inner.id
  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.inner.id
    ip_address = "10.30.0.2"
  }
}

resource "openstack_networking_router_interface_v2" "other" {
  router_id = openstack_networking_router_v2.other.id
  port_id   = openstack_networking_port_v2.other.id
}

resource "openstack_networking_router_routes_v2" "other" {
  router_id = openstack_networking_router_interface_v2.other.router_id
  routes {
    destination_cidr = "10.97.0.0/24"
    next_hop         = "10.30.0.${var.round + 40}"
  }
}

resource "openstack_networking_address_group_v2" "desks" {
  name      = "desks-${var.round}"
  addresses = var.round == 1 ? ["192.0.2.0/24"] : ["192.0.2.0/24", "198.51.100.0/24"]
}

resource "openstack_networking_secgroup_v2" "web" {
  name                 = "web-${var.round}"
  description          = "round ${var.round}"
  delete_default_rules = true
}

resource "openstack_networking_secgroup_v2" "data" { name = "data" }

resource "openstack_networking_secgroup_rule_v2" "http" {
  security_group_id = openstack_networking_secgroup_v2.web.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 80
  port_range_max    = 80 + var.round
  remote_ip_prefix  = "0.0.0.0/0"
}

resource "openstack_networking_secgroup_rule_v2" "ping" {
  security_group_id = openstack_networking_secgroup_v2.web.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "icmp"
}

resource "openstack_networking_secgroup_rule_v2" "any" {
  security_group_id = openstack_networking_secgroup_v2.web.id
  direction         = "egress"
  ethertype         = "IPv6"
  description       = "all"
}

resource "openstack_networking_secgroup_rule_v2" "sql" {
  security_group_id = openstack_networking_secgroup_v2.data.id
  direction         = "ingress"
  ethertype         = "IPv4"
  protocol          = "tcp"
  port_range_min    = 5432
  port_range_max    = 5432
  remote_group_id   = openstack_networking_secgroup_v2.web.id
}

resource "openstack_networking_secgroup_rule_v2" "desks" {
  security_group_id       = openstack_networking_secgroup_v2.data.id
  direction               = "ingress"
  ethertype               = "IPv4"
  protocol                = "tcp"
  port_range_min          = 22
  port_range_max          = 22
  remote_address_group_id = openstack_networking_address_group_v2.desks.id
}

resource "openstack_networking_port_v2" "door" {
  name               = "door-${var.round}"
  network_id         = openstack_networking_network_v2.inner.id
  security_group_ids = [openstack_networking_secgroup_v2.web.id]
  tags               = ["round-${var.round}"]
  fixed_ip {
    subnet_id  = openstack_networking_subnet_v2.inner.id
    ip_address = "10.30.0.77"
  }
  allowed_address_pairs { ip_address = "10.30.0.20${var.round}" }
  extra_dhcp_option {
    name  = "mtu"
    value = "1${var.round}00"
  }
}

resource "openstack_networking_port_v2" "open" {
  network_id            = openstack_networking_network_v2.inner.id
  port_security_enabled = false
  no_security_groups    = true
  fixed_ip { subnet_id = openstack_networking_subnet_v2.inner.id }
}

resource "openstack_networking_port_v2" "plain" {
  network_id = openstack_networking_network_v2.inner.id
  fixed_ip { subnet_id = openstack_networking_subnet_v2.inner.id }
  lifecycle { ignore_changes = [security_group_ids] }
}

resource "openstack_networking_port_secgroup_associate_v2" "plain" {
  port_id            = openstack_networking_port_v2.plain.id
  security_group_ids = var.round == 1 ? [openstack_networking_secgroup_v2.web.id] : [openstack_networking_secgroup_v2.data.id]
}

resource "openstack_networking_floatingip_v2" "door" {
  pool        = data.openstack_networking_network_v2.outside.name
  description = "round ${var.round}"
}

resource "openstack_networking_floatingip_associate_v2" "door" {
  floating_ip = openstack_networking_floatingip_v2.door.address
  port_id     = var.round == 1 ? openstack_networking_port_v2.door.id : openstack_networking_port_v2.plain.id
  depends_on  = [openstack_networking_router_interface_v2.inner]
}

resource "openstack_networking_floatingip_v2" "forward" {
  pool = data.openstack_networking_network_v2.outside.name
}

resource "openstack_networking_portforwarding_v2" "ssh" {
  floatingip_id       = openstack_networking_floatingip_v2.forward.id
  external_port       = 2200 + var.round
  internal_port       = 22
  internal_port_id    = openstack_networking_port_v2.open.id
  internal_ip_address = openstack_networking_port_v2.open.all_fixed_ips[0]
  protocol            = "tcp"
  depends_on          = [openstack_networking_router_interface_v2.inner]
}

resource "openstack_networking_network_v2" "shared" { name = "shared" }

resource "openstack_networking_rbac_policy_v2" "shared" {
  action        = "access_as_shared"
  object_type   = "network"
  object_id     = openstack_networking_network_v2.shared.id
  target_tenant = var.other_project
}

variable "other_project" { type = string }

data "openstack_networking_port_ids_v2" "all" { network_id = openstack_networking_network_v2.inner.id }
data "openstack_networking_quota_v2" "mine" { project_id = data.openstack_identity_auth_scope_v3.me.project_id }
