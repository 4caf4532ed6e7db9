# Machines, their disks and images, in the default VPC.
data "aws_vpc" "default" { default = true }

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_ami" "given" {
  most_recent = true
  owners      = ["amazon", "self"]
  filter {
    name   = "image-id"
    values = [var.image]
  }
}

data "aws_ec2_instance_type" "micro" { instance_type = "t3.micro" }

locals {
  subnet = sort(data.aws_subnets.default.ids)[0]
}

data "aws_subnet" "first" { id = local.subnet }

resource "aws_key_pair" "desk" {
  key_name   = "desk"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5r9rZB1Lh5oN1Yx1n3dQ0mB2u0Tz5H5gX8hB7d3G1a tour"
}

resource "aws_security_group" "web" {
  name   = "web"
  vpc_id = data.aws_vpc.default.id
}

resource "aws_placement_group" "apart" {
  name     = "apart"
  strategy = "spread"
  tags     = { Name = "apart-${var.round}" }
}

resource "aws_iam_role" "guest" {
  name               = "guest"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }] })
}

resource "aws_iam_instance_profile" "guest" {
  name = "guest"
  role = aws_iam_role.guest.name
}

resource "aws_instance" "web" {
  ami                         = data.aws_ami.given.id
  instance_type               = var.round == 1 ? "t3.micro" : "t3.small"
  subnet_id                   = local.subnet
  vpc_security_group_ids      = [aws_security_group.web.id]
  key_name                    = aws_key_pair.desk.key_name
  iam_instance_profile        = aws_iam_instance_profile.guest.name
  placement_group             = aws_placement_group.apart.name
  user_data                   = "#cloud-config\n"
  disable_api_termination     = false
  user_data_replace_on_change = true
  root_block_device {
    volume_size = var.round == 1 ? 4 : 6
    volume_type = "gp3"
    encrypted   = true
    tags        = { Name = "root" }
  }
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = var.round == 1 ? 1 : 2
    instance_metadata_tags      = "enabled"
  }
  tags = { Name = "web-${var.round}" }
}

resource "aws_network_interface" "second" {
  subnet_id = local.subnet
}

resource "aws_network_interface_attachment" "second" {
  instance_id          = aws_instance.web.id
  network_interface_id = aws_network_interface.second.id
  device_index         = 1
}

resource "aws_network_interface_sg_attachment" "web" {
  security_group_id    = aws_security_group.web.id
  network_interface_id = aws_network_interface.second.id
}

resource "aws_eip" "web" {
  network_interface = aws_instance.web.primary_network_interface_id
  domain            = "vpc"
}

resource "aws_ebs_volume" "data" {
  availability_zone = data.aws_subnet.first.availability_zone
  size              = var.round == 1 ? 1 : 2
  type              = "gp3"
  tags              = { Name = "data-${var.round}" }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdg"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.web.id
}

resource "aws_ebs_snapshot" "shot" {
  volume_id   = aws_ebs_volume.data.id
  description = "of the tour"
  tags        = { Name = "shot-${var.round}" }
}

resource "aws_ebs_snapshot_copy" "copy" {
  source_snapshot_id = aws_ebs_snapshot.shot.id
  source_region      = "us-east-1"
  tags               = { Name = "copy-${var.round}" }
}

resource "aws_snapshot_create_volume_permission" "other" {
  snapshot_id = aws_ebs_snapshot.shot.id
  account_id  = var.other_account
}

resource "aws_ami" "mine" {
  name                = "mine"
  virtualization_type = "hvm"
  root_device_name    = "/dev/sda1"
  ena_support         = true
  description         = "round ${var.round}"
  ebs_block_device {
    device_name = "/dev/sda1"
    snapshot_id = aws_ebs_snapshot.shot.id
    volume_size = 4
  }
}

resource "aws_ami_copy" "twin" {
  name              = "twin"
  source_ami_id     = aws_ami.mine.id
  source_ami_region = "us-east-1"
  tags              = { Name = "twin-${var.round}" }
}

resource "aws_ami_from_instance" "web" {
  name                    = "web"
  source_instance_id      = aws_instance.web.id
  snapshot_without_reboot = true
  tags                    = { Name = "web-${var.round}" }
}

resource "aws_ami_launch_permission" "other" {
  image_id   = aws_ami.mine.id
  account_id = var.other_account
}

resource "aws_launch_template" "plan" {
  name                   = "plan"
  image_id               = data.aws_ami.given.id
  instance_type          = var.round == 1 ? "t3.micro" : "t3.small"
  vpc_security_group_ids = [aws_security_group.web.id]
  update_default_version = true
  block_device_mappings {
    device_name = "/dev/sda1"
    ebs {
      volume_size = 4
      volume_type = "gp3"
    }
  }
  tag_specifications {
    resource_type = "volume"
    tags          = { From = "plan" }
  }
}

resource "aws_instance" "planned" {
  subnet_id = local.subnet
  launch_template {
    id      = aws_launch_template.plan.id
    version = "1"
  }
  instance_initiated_shutdown_behavior = "stop"
  ebs_block_device {
    device_name           = "/dev/sdf"
    volume_size           = 1
    delete_on_termination = true
  }
}

resource "aws_ec2_host" "own" {
  instance_type     = "t3.micro"
  availability_zone = data.aws_subnet.first.availability_zone
  auto_placement    = var.round == 1 ? "on" : "off"
}

resource "aws_ec2_instance_state" "planned" {
  instance_id = aws_instance.planned.id
  state       = var.round == 1 ? "stopped" : "running"
}

resource "aws_ebs_encryption_by_default" "all" { enabled = var.round == 2 }
resource "aws_ec2_serial_console_access" "all" { enabled = var.round == 1 }
resource "aws_ec2_instance_metadata_defaults" "all" { http_tokens = var.round == 1 ? "required" : "optional" }
