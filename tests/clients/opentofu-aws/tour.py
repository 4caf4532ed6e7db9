# SPDX-License-Identifier: Apache-2.0
"""OpenTofu with the AWS provider: VPCs, machines, IAM and AWS Backup, from the first apply to the last destroy."""
import os
import sys

from steps import tell
from tofu import Course, Import, Tofu

HERE = os.path.dirname(os.path.abspath(__file__))
tofu = Tofu(os.environ["TOFU"], {"hashicorp/aws": os.path.dirname(os.environ["PROVIDER"])})


def join(separator, *names):
    return lambda values: separator.join(values[name] for name in names)


def rule(values):
    source = values["source_security_group_id"]
    return f"{values['security_group_id']}_{values['type']}_{values['protocol']}_{values['from_port']}_{values['to_port']}_{source}"


def route(values):
    return f"{values['route_table_id']}_{values['destination_cidr_block'] or values['destination_ipv6_cidr_block']}"


IDS = {
    "aws_backup_selection": lambda values: f"{values['plan_id']}|{values['id']}",
    "aws_default_route_table": join("", "vpc_id"),
    "aws_ec2_tag": join(",", "resource_id", "key"),
    "aws_iam_group_policy_attachment": join("/", "group", "policy_arn"),
    "aws_iam_role_policies_exclusive": join("", "role_name"),
    "aws_iam_role_policy_attachment": join("/", "role", "policy_arn"),
    "aws_iam_role_policy_attachments_exclusive": join("", "role_name"),
    "aws_iam_user_group_membership": lambda values: "/".join([values["user"], *values["groups"]]),
    "aws_iam_user_policy_attachment": join("/", "user", "policy_arn"),
    "aws_ec2_instance_state": join("", "instance_id"),
    "aws_ec2_managed_prefix_list_entry": join(",", "prefix_list_id", "cidr"),
    "aws_ec2_subnet_cidr_reservation": lambda values: f"{values['subnet_id']}:{values['id']}",
    "aws_network_acl_rule": lambda values: f"{values['network_acl_id']}:{values['rule_number']}:{values['protocol']}:{str(values['egress']).lower()}",
    "aws_network_interface_attachment": join("", "attachment_id"),
    "aws_route": route,
    "aws_route_table_association": join("/", "subnet_id", "route_table_id"),
    "aws_security_group_rule": rule,
    "aws_volume_attachment": join(":", "device_name", "volume_id", "instance_id"),
    "aws_vpc_dhcp_options_association": join("", "vpc_id"),
    "aws_vpc_security_group_vpc_association": join(",", "security_group_id", "vpc_id"),
}
UNREAD = {
    "aws_iam_user": ["force_destroy"],
    "aws_instance": ["user_data", "user_data_replace_on_change", "force_destroy"],
    "aws_security_group": ["revoke_rules_on_delete"],
    "aws_default_security_group": ["revoke_rules_on_delete"],
    "aws_vpc_security_group_ingress_rule": ["to_port"],
    "aws_vpc_peering_connection": ["auto_accept"],
    "aws_vpc_peering_connection_accepter": ["auto_accept"],
}
NEVER = ["aws_ami_copy", "aws_ami_from_instance", "aws_ami_launch_permission", "aws_ebs_snapshot_copy", "aws_iam_access_key", "aws_iam_group_membership",
         "aws_iam_policy_attachment", "aws_main_route_table_association", "aws_network_interface_sg_attachment", "aws_snapshot_create_volume_permission",
         "aws_ec2_instance_metadata_defaults", "aws_iam_user_login_profile"]

VARIABLES = {"image": os.environ["IMAGE"], "other_key": os.environ["OTHER_KEY"], "other_secret": os.environ["OTHER_SECRET"], "other_account": os.environ["OTHER_ACCOUNT"]}
for name in sys.argv[1:] or ["network", "compute", "people", "backup"]:
    Course(tofu, HERE, name, Import(IDS, UNREAD, NEVER), VARIABLES, {}).go()
tell("end of tour")
