# A VPC as a private cloud's user writes it: subnets in two ways, gateways, routes, filters, addresses.
data "aws_availability_zones" "all" {}

resource "aws_vpc" "shop" {
  cidr_block                       = "10.80.0.0/16"
  assign_generated_ipv6_cidr_block = true
  enable_dns_hostnames             = var.round == 2
  tags                             = { Name = "shop-${var.round}" }
}

resource "aws_vpc_ipv4_cidr_block_association" "more" {
  vpc_id     = aws_vpc.shop.id
  cidr_block = "10.81.0.0/16"
}

resource "aws_subnet" "open" {
  vpc_id                  = aws_vpc.shop.id
  cidr_block              = "10.80.1.0/24"
  ipv6_cidr_block         = cidrsubnet(aws_vpc.shop.ipv6_cidr_block, 8, 1)
  availability_zone       = data.aws_availability_zones.all.names[0]
  map_public_ip_on_launch = var.round == 2
}

resource "aws_subnet" "inner" {
  vpc_id     = aws_vpc_ipv4_cidr_block_association.more.vpc_id
  cidr_block = "10.81.1.0/24"
  tags       = { Name = "inner-${var.round}" }
}

resource "aws_ec2_subnet_cidr_reservation" "kept" {
  subnet_id        = aws_subnet.open.id
  cidr_block       = "10.80.1.64/28"
  reservation_type = "explicit"
}

resource "aws_internet_gateway" "out" {
  vpc_id = aws_vpc.shop.id
  tags   = { Name = "out-${var.round}" }
}

resource "aws_egress_only_internet_gateway" "six" {
  vpc_id = aws_vpc.shop.id
  tags   = { Name = "six-${var.round}" }
}

resource "aws_eip" "nat" {
  domain     = "vpc"
  depends_on = [aws_internet_gateway.out]
}

resource "aws_nat_gateway" "nat" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.open.id
  tags          = { Name = "nat-${var.round}" }
}

resource "aws_route_table" "open" {
  vpc_id = aws_vpc.shop.id
  route {
    cidr_block = var.round == 1 ? "0.0.0.0/0" : "198.51.100.0/24"
    gateway_id = aws_internet_gateway.out.id
  }
}

resource "aws_route_table" "inner" {
  vpc_id = aws_vpc.shop.id
}

resource "aws_route" "nat" {
  route_table_id         = aws_route_table.inner.id
  destination_cidr_block = var.round == 1 ? "0.0.0.0/0" : "203.0.113.0/24"
  nat_gateway_id         = aws_nat_gateway.nat.id
}

resource "aws_route" "six" {
  route_table_id              = aws_route_table.inner.id
  destination_ipv6_cidr_block = "::/0"
  egress_only_gateway_id      = aws_egress_only_internet_gateway.six.id
}

resource "aws_route_table_association" "open" {
  subnet_id      = aws_subnet.open.id
  route_table_id = aws_route_table.open.id
}

resource "aws_main_route_table_association" "inner" {
  vpc_id         = aws_vpc.shop.id
  route_table_id = aws_route_table.inner.id
}

resource "aws_default_security_group" "shop" {
  vpc_id = aws_vpc.shop.id
}

resource "aws_default_network_acl" "shop" {
  default_network_acl_id = aws_vpc.shop.default_network_acl_id
  ingress {
    protocol   = "-1"
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 0
    to_port    = 0
  }
  lifecycle { ignore_changes = [subnet_ids] }
}

resource "aws_network_acl" "wall" {
  vpc_id     = aws_vpc.shop.id
  subnet_ids = [aws_subnet.open.id]
  ingress {
    protocol   = "tcp"
    rule_no    = 100
    action     = "allow"
    cidr_block = "0.0.0.0/0"
    from_port  = 80
    to_port    = var.round == 1 ? 80 : 443
  }
}

resource "aws_network_acl" "other" { vpc_id = aws_vpc.shop.id }

resource "aws_network_acl_rule" "ssh" {
  network_acl_id = aws_network_acl.other.id
  rule_number    = 200
  protocol       = "tcp"
  rule_action    = var.round == 1 ? "deny" : "allow"
  cidr_block     = "192.0.2.0/24"
  from_port      = 22
  to_port        = 22
}

resource "aws_network_acl_association" "inner" {
  network_acl_id = aws_network_acl.other.id
  subnet_id      = aws_subnet.inner.id
}

resource "aws_ec2_managed_prefix_list" "desks" {
  name           = "desks"
  address_family = "IPv4"
  max_entries    = 4
  entry {
    cidr        = var.round == 1 ? "192.0.2.0/24" : "198.51.100.0/24"
    description = "office"
  }
}

resource "aws_ec2_managed_prefix_list" "labs" {
  name           = "labs"
  address_family = "IPv4"
  max_entries    = 4
}

resource "aws_ec2_managed_prefix_list_entry" "lab" {
  prefix_list_id = aws_ec2_managed_prefix_list.labs.id
  cidr           = "203.0.113.0/24"
  description    = "lab"
}

resource "aws_security_group" "web" {
  name        = "web"
  description = "web servers"
  vpc_id      = aws_vpc.shop.id
  ingress {
    description = "http"
    protocol    = "tcp"
    from_port   = 80
    to_port     = var.round == 1 ? 80 : 81
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    protocol        = "tcp"
    from_port       = 22
    to_port         = 22
    self            = true
    prefix_list_ids = [aws_ec2_managed_prefix_list.desks.id]
  }
  egress {
    protocol         = "-1"
    from_port        = 0
    to_port          = 0
    cidr_blocks      = ["0.0.0.0/0"]
    ipv6_cidr_blocks = ["::/0"]
  }
}

resource "aws_security_group" "data" {
  name_prefix = "data-"
  vpc_id      = aws_vpc.shop.id
}

resource "aws_security_group_rule" "sql" {
  security_group_id        = aws_security_group.data.id
  type                     = "ingress"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.web.id
  description              = "round ${var.round}"
}

resource "aws_security_group" "loose" {
  name   = "loose"
  vpc_id = aws_vpc.shop.id
}

resource "aws_vpc_security_group_ingress_rule" "ping" {
  security_group_id = aws_security_group.loose.id
  ip_protocol       = "icmp"
  from_port         = 8
  to_port           = -1
  cidr_ipv4         = var.round == 1 ? "0.0.0.0/0" : "192.0.2.0/24"
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.loose.id
  ip_protocol       = "-1"
  cidr_ipv6         = "::/0"
  description       = "round ${var.round}"
}

resource "aws_vpc_security_group_vpc_association" "loose" {
  security_group_id = aws_security_group.loose.id
  vpc_id            = aws_vpc.near.id
}

resource "aws_vpc_dhcp_options" "names" {
  domain_name         = "shop.example"
  domain_name_servers = ["9.9.9.9", "149.112.112.112"]
  ntp_servers         = ["192.0.2.123"]
  tags                = { Name = "names-${var.round}" }
}

resource "aws_vpc_dhcp_options_association" "names" {
  vpc_id          = aws_vpc.shop.id
  dhcp_options_id = aws_vpc_dhcp_options.names.id
}

resource "aws_vpc" "near" {
  cidr_block = "10.90.0.0/16"
  lifecycle { ignore_changes = [tags, tags_all] }
}

resource "aws_default_route_table" "near" {
  default_route_table_id = aws_vpc.near.default_route_table_id
  tags                   = { Name = "near-${var.round}" }
}

resource "aws_vpc_peering_connection" "near" {
  depends_on  = [aws_vpc_ipv4_cidr_block_association.more]
  vpc_id      = aws_vpc.shop.id
  peer_vpc_id = aws_vpc.near.id
  auto_accept = true
  tags        = { Name = "near-${var.round}" }
}

resource "aws_vpc_peering_connection_options" "near" {
  vpc_peering_connection_id = aws_vpc_peering_connection.near.id
  requester { allow_remote_vpc_dns_resolution = var.round == 2 }
}

resource "aws_route" "near" {
  route_table_id            = aws_route_table.inner.id
  destination_cidr_block    = "10.90.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection.near.id
}

# The other account's VPC, and its word to the peering.
provider "aws" {
  alias      = "other"
  access_key = var.other_key
  secret_key = var.other_secret
}

resource "aws_vpc" "far" {
  provider   = aws.other
  cidr_block = "10.91.0.0/16"
}

resource "aws_vpc_peering_connection" "far" {
  depends_on    = [aws_vpc_ipv4_cidr_block_association.more]
  vpc_id        = aws_vpc.shop.id
  peer_vpc_id   = aws_vpc.far.id
  peer_owner_id = aws_vpc.far.owner_id
  auto_accept   = false
}

resource "aws_vpc_peering_connection_accepter" "far" {
  provider                  = aws.other
  vpc_peering_connection_id = aws_vpc_peering_connection.far.id
  auto_accept               = true
  tags                      = { Side = "round-${var.round}" }
}

resource "aws_network_interface" "door" {
  subnet_id         = aws_subnet.open.id
  description       = "round ${var.round}"
  private_ips       = var.round == 1 ? ["10.80.1.10"] : ["10.80.1.10", "10.80.1.11"]
  security_groups   = [aws_security_group.web.id]
  source_dest_check = var.round == 1
}

resource "aws_eip" "door" {
  domain = "vpc"
  tags   = { Name = "door-${var.round}" }
}

resource "aws_eip_association" "door" {
  allocation_id        = aws_eip.door.id
  network_interface_id = aws_network_interface.door.id
  depends_on           = [aws_internet_gateway.out]
}


resource "aws_ec2_tag" "vpc" {
  resource_id = aws_vpc.near.id
  key         = "Team"
  value       = "round-${var.round}"
}

data "aws_vpc" "default" { default = true }
data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
