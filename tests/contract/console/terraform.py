#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web
"""Terraform blocks shown by the console, parsed by HashiCorp's own parser: each is a valid block, contains the click's values, and keeps typed text
as text. Terraform itself does not run: tests/contract/console/commands.py checks the blocks against the provider's schema, and makes the
provider's calls."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import npm  # noqa: E402
import terraform  # noqa: E402
from terraform import Code  # noqa: E402

HOSTILE = ["it's \"quoted\"", "${aws_vpc.x.id}", "%{if true}x%{endif}", "$${y}", "$$${y}", "%%{y}", "${", "%{", "$", "%", "$$", "a\\", "\\${x}", "a\nb\r\tc", "\x00\x07\x7f\u0085\u2028",
           "<img src=x onerror=alert(1)>", "EOT", "# no comment", "/* none */", "다리 구름", "\U0001f309", "{{x}}", "\"}\nresource \"aws_iam_user\" \"x\" {\n  name = \"evil\"\n}\n"]
INSTANCE, VOLUME, ADDRESS, GROUP, SNAPSHOT, IMAGE, VPC, SUBNET, TABLE, GATEWAY, ACL, PORT, PEERING, NAT = (
    {"ec2": f"{prefix}-0123456789abcdef0"} for prefix in ("i", "vol", "eipalloc", "sg", "snap", "ami", "vpc", "subnet", "rtb", "igw", "acl", "eni", "pcx", "nat"))
SCRIPT = """
import {TERRAFORM} from "./terraform.js";
import {readFileSync} from "node:fs";
const asked = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify({verbs: Object.keys(TERRAFORM), texts: asked.map(([verb, args]) => TERRAFORM[verb](args))}));
"""


def shown(asked):
    """Output of the page's own module, and its list of actions."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("terraform.js", "steps.js"):
            shutil.copy(os.path.join(npm.ROOT, "web/console", name), folder)
        for name, text in (("package.json", '{"type": "module"}'), ("run.js", SCRIPT),
                           ("session.js", 'export const session = {region: "here-1"}; export const policyArn = (policy) => `arn:aws:iam::123456789012:policy/${policy.name}`;')):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        done = subprocess.run([terraform.NODE, "run.js"], cwd=folder, input=json.dumps(asked), check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def clicks(name):
    """action → the click's values, and the expected blocks."""
    launch = {"image": {"ec2": "ami-1"}, "type": {"name": "t3.micro"}, "count": 2, "name": name, "key": {"name": name}, "subnet": {"ec2": "subnet-1"}, "groups": [GROUP], "publicIp": False,
              "hasUserData": True, "body": {"root_size": 8 * 2**30, "protect_terminate": True}}
    instance = {"count": 2, "ami": "ami-1", "instance_type": "t3.micro", "key_name": name, "subnet_id": "subnet-1", "vpc_security_group_ids": [GROUP["ec2"]], "associate_public_ip_address": False,
                "disable_api_termination": True, "user_data": Code('file("user-data")'), "root_block_device": [{"volume_size": 8}], "tags": {"Name": name}}
    rule = {"direction": "egress", "group": GROUP, "protocol": "tcp", "ports": "80", "block": "2001:db8::/32", "body": {"description": name}}
    policy, whose = {"name": "look", "account": "x"}, {"ids": [{"name": name}], "policy": {"name": "look", "account": "x"}}
    arn = f"arn:aws:iam::123456789012:policy/{policy['name']}"
    return {
        "instances.start": ({"ids": [INSTANCE, {"ec2": "i-1"}]}, [("aws_ec2_instance_state", {"instance_id": i, "state": "running"}) for i in (INSTANCE["ec2"], "i-1")]),
        "instances.stop": ({"ids": [INSTANCE]}, [("aws_ec2_instance_state", {"instance_id": INSTANCE["ec2"], "state": "stopped"})]),
        "instances.launch": (launch, [("aws_instance", instance)]),
        "volumes.create": ({"gib": "3", "zone": "z-1a", "name": name}, [("aws_ebs_volume", {"availability_zone": "z-1a", "size": 3, "tags": {"Name": name}})]),
        "volumes.attach": ({"ids": [VOLUME], "instance": INSTANCE}, [("aws_volume_attachment", {"device_name": "/dev/sdf", "volume_id": VOLUME["ec2"], "instance_id": INSTANCE["ec2"]})]),
        "snapshots.create": ({"ids": [VOLUME, {"ec2": "vol-1"}], "name": name}, [("aws_ebs_snapshot", {"volume_id": v, "description": name}) for v in (VOLUME["ec2"], "vol-1")]),
        "addresses.allocate": ({}, [("aws_eip", {"domain": "vpc"})]),
        "addresses.associate": ({"ids": [ADDRESS], "instance": INSTANCE}, [("aws_eip_association", {"allocation_id": ADDRESS["ec2"], "instance_id": INSTANCE["ec2"]})]),
        "key-pairs.import": ({"name": name}, [("aws_key_pair", {"key_name": name, "public_key": Code('file("id.pub")')})]),
        "security-groups.create": ({"name": name, "description": name, "router": {"ec2": "vpc-1"}}, [
            ("aws_security_group", {"name": name, "description": name, "vpc_id": "vpc-1"}),
            ("aws_vpc_security_group_egress_rule", {"security_group_id": "aws_security_group.*.id", "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"})]),
        "rules.add": (rule, [("aws_vpc_security_group_egress_rule", {"security_group_id": GROUP["ec2"], "ip_protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_ipv6": "2001:db8::/32",
                                                                     "description": name})]),
        "networks.create": ({"block": "10.0.0.0/16", "name": name, "subnets": [{"zone": {"name": "z-1a"}, "block": "10.0.0.0/20"}, {"zone": {"name": "z-1b"}, "block": "10.0.16.0/20"}]}, [
            ("aws_vpc", {"cidr_block": "10.0.0.0/16", "tags": {"Name": name}}),
            *(("aws_subnet", {"vpc_id": "aws_vpc.*.id", "availability_zone": zone, "cidr_block": part}) for zone, part in (("z-1a", "10.0.0.0/20"), ("z-1b", "10.0.16.0/20")))]),
        "users.create": ({"name": name}, [("aws_iam_user", {"name": name})]),
        "users.key": ({"ids": [{"name": name}]}, [("aws_iam_access_key", {"user": name})]),
        "groups.create": ({"name": name}, [("aws_iam_group", {"name": name})]),
        "groups.add": ({"ids": [{"name": name}], "user": {"name": name}}, [("aws_iam_user_group_membership", {"user": name, "groups": [name]})]),
        "policies.create": ({"name": name}, [("aws_iam_policy", {"name": name, "policy": Code('file("policy.json")')})]),
        "policies.attach-user": (whose, [("aws_iam_user_policy_attachment", {"user": name, "policy_arn": arn})]),
        "policies.attach-user-group": (whose, [("aws_iam_group_policy_attachment", {"group": name, "policy_arn": arn})]),
        "policies.attach-iam-role": (whose, [("aws_iam_role_policy_attachment", {"role": name, "policy_arn": arn})]),
        "roles.create": ({"name": name}, [("aws_iam_role", {"name": name, "assume_role_policy": Code('file("trust.json")')})]),
    }


def clicks_of_parts(name):
    """The same for parts of networks, and for resources created from others."""
    vpc, subnet, zone = VPC["ec2"], SUBNET["ec2"], {"name": "z-1a"}
    entry = {"acl": ACL, "egress": True, "number": 120, "allows": False, "protocol": "icmp", "block": "2001:db8::/32"}
    mend = {"subnet": SUBNET, "router": VPC, "table": TABLE, "way": "new-nat", "publicSubnet": {"ec2": "subnet-1"}, "isAlone": True,
            "routes": [{"destination": "2001:db8::/32", "field": "peering", "target": PEERING}]}
    return {
        "instances.image": ({"ids": [INSTANCE], "name": name}, [("aws_ami_from_instance", {"name": name, "source_instance_id": INSTANCE["ec2"], "snapshot_without_reboot": False})]),
        "images.copy": ({"ids": [IMAGE], "name": name}, [("aws_ami_copy", {"name": name, "source_ami_id": IMAGE["ec2"], "source_ami_region": "here-1"})]),
        "tags.set": ({"ids": [INSTANCE, VOLUME], "key": name, "value": name}, [("aws_ec2_tag", {"resource_id": r["ec2"], "key": name, "value": name}) for r in (INSTANCE, VOLUME)]),
        "snapshots.restore": ({"ids": [SNAPSHOT], "gib": "3", "zone": zone}, [("aws_ebs_volume", {"availability_zone": "z-1a", "snapshot_id": SNAPSHOT["ec2"], "size": 3})]),
        "addresses.lead": ({"ids": [ADDRESS], "port": PORT, "moves": True}, [
            ("aws_eip_association", {"allocation_id": ADDRESS["ec2"], "network_interface_id": PORT["ec2"], "allow_reassociation": True})]),
        "subnets.create": ({"router": VPC, "zone": zone, "block": "10.0.0.0/20", "name": name, "isPublic": True}, [
            ("aws_subnet", {"vpc_id": vpc, "availability_zone": "z-1a", "cidr_block": "10.0.0.0/20", "map_public_ip_on_launch": True, "tags": {"Name": name}})]),
        "subnets.mend": (mend, [
            ("aws_eip", {"domain": "vpc"}), ("aws_nat_gateway", {"subnet_id": "subnet-1", "allocation_id": "aws_eip.*.id"}), ("aws_route_table", {"vpc_id": vpc}),
            ("aws_route", {"route_table_id": "aws_route_table.*.id", "destination_ipv6_cidr_block": "2001:db8::/32", "vpc_peering_connection_id": PEERING["ec2"]}),
            ("aws_route", {"route_table_id": "aws_route_table.*.id", "destination_cidr_block": "0.0.0.0/0", "nat_gateway_id": "aws_nat_gateway.*.id"}),
            ("aws_route_table_association", {"route_table_id": "aws_route_table.*.id", "subnet_id": subnet})]),
        "routes.add": ({"table": TABLE, "destination": "10.9.0.0/16", "field": "port", "target": PORT}, [
            ("aws_route", {"route_table_id": TABLE["ec2"], "destination_cidr_block": "10.9.0.0/16", "network_interface_id": PORT["ec2"]})]),
        "route-tables.create": ({"router": VPC, "name": name}, [("aws_route_table", {"vpc_id": vpc, "tags": {"Name": name}})]),
        "route-tables.associate": ({"subnet": SUBNET, "table": TABLE}, [("aws_route_table_association", {"route_table_id": TABLE["ec2"], "subnet_id": subnet})]),
        "gateways.create": ({"router": VPC, "gateway": GATEWAY}, [("aws_internet_gateway_attachment", {"internet_gateway_id": GATEWAY["ec2"], "vpc_id": vpc})]),
        "nat-gateways.create": ({"subnet": SUBNET, "address": ADDRESS}, [("aws_nat_gateway", {"subnet_id": subnet, "allocation_id": ADDRESS["ec2"]})]),
        "peerings.create": ({"router": VPC, "peer": {"ec2": name}, "owner": name}, [("aws_vpc_peering_connection", {"vpc_id": vpc, "peer_vpc_id": name, "peer_owner_id": name})]),
        "peerings.accept": ({"ids": [PEERING]}, [("aws_vpc_peering_connection_accepter", {"vpc_peering_connection_id": PEERING["ec2"], "auto_accept": True})]),
        "network-acls.create": ({"router": VPC, "name": name}, [("aws_network_acl", {"vpc_id": vpc, "tags": {"Name": name}})]),
        "network-acls.associate": ({"subnet": SUBNET, "acl": ACL}, [("aws_network_acl_association", {"network_acl_id": ACL["ec2"], "subnet_id": subnet})]),
        "acl-entries.add": ({**entry, "block": name}, [
            ("aws_network_acl_rule", {"network_acl_id": ACL["ec2"], "egress": True, "rule_number": 120, "rule_action": "deny", "protocol": "icmp", "icmp_type": -1, "icmp_code": -1,
                                      "ipv6_cidr_block" if ":" in name else "cidr_block": name})]),
        "ports.create": ({"subnet": SUBNET, "description": name}, [("aws_network_interface", {"subnet_id": subnet, "description": name})]),
        "ports.attach": ({"ids": [PORT], "instance": INSTANCE, "index": 2}, [("aws_network_interface_attachment", {"network_interface_id": PORT["ec2"], "instance_id": INSTANCE["ec2"], "device_index": 2})]),
    }


def all_clicks(name):
    return clicks(name) | clicks_of_parts(name)


def said(text_found):
    """Resources in the order of their types, without the label of a reference if it refers to another block."""
    found = terraform.resources(text_found)
    lines = []
    for (sort, _), members in found.items():
        for member, value in members.items():
            if isinstance(value, Code) and "(" not in value:
                type_of, label, argument = value.split(".")
                assert (type_of, label) in found
                members[member] = f"{type_of}.*.{argument}"
        lines.append((sort, members))
    return sorted(lines, key=repr)


@pytest.fixture(scope="module")
def answers():
    """(action, name, expected, parsed), for each action with each name."""
    rows = [(verb, name, args, wanted) for name in ["web-1", *HOSTILE] for verb, (args, wanted) in all_clicks(name).items()]
    told = shown([(verb, args) for verb, _, args, _ in rows])
    assert sorted(told["verbs"]) == sorted(all_clicks("x")), "a verb that is not tried here"
    return [(verb, name, wanted, found) for (verb, name, _, wanted), found in zip(rows, terraform.parse(told["texts"]), strict=True)]


@pytest.mark.parametrize("verb", all_clicks("x"))
def test_a_block_says_what_the_click_had(answers, verb):
    for at, name, wanted, found in answers:
        if at == verb:
            assert said(found) == sorted(wanted, key=repr), name


def test_what_terraform_cannot_say_is_not_shown():
    """A public address needs a named subnet; a group unknown to the page has no id, nor does a route's target; a route leads to an instance's
    interface; a subnet with its own table already has a block."""
    launch, rule, mend, route = (all_clicks("x")[verb][0] for verb in ("instances.launch", "rules.add", "subnets.mend", "routes.add"))
    none = [["instances.launch", {**launch, "subnet": None}], ["rules.add", {**rule, "group": {"id": "x"}}], ["routes.add", {**route, "target": {"id": "x"}}],
            ["routes.add", {**route, "field": "instance", "target": INSTANCE}], ["route-tables.associate", {"subnet": {**SUBNET, "route_table": "x"}, "table": TABLE}],
            ["subnets.mend", {**mend, "subnet": {**SUBNET, "route_table": "x"}}], ["subnets.mend", {**mend, "routes": [{"destination": "10.9.0.0/16", "field": "port", "target": {"id": "x"}}]}]]
    assert shown(none)["texts"] == [""] * len(none)


def test_nothing_is_written_that_was_not_chosen():
    few = [["instances.launch", {"image": {"ec2": "ami-1"}, "type": {"name": "t3.micro"}, "count": 1, "name": "", "key": None, "subnet": None, "groups": []}],
           ["volumes.create", {"gib": 1, "zone": "z", "name": ""}], ["snapshots.create", {"ids": [VOLUME], "name": ""}],
           ["addresses.associate", {"ids": [ADDRESS], "instance": INSTANCE, "moves": False}], ["subnets.create", {"router": VPC, "block": "10.0.0.0/20", "name": "", "isPublic": False}],
           ["peerings.create", {"router": VPC, "peer": {"ec2": "vpc-1"}, "owner": ""}], ["ports.create", {"subnet": SUBNET, "description": ""}]]
    assert [said(found) for found in terraform.parse(shown(few)["texts"])] == [
        [("aws_instance", {"ami": "ami-1", "instance_type": "t3.micro"})], [("aws_ebs_volume", {"availability_zone": "z", "size": 1})],
        [("aws_ebs_snapshot", {"volume_id": VOLUME["ec2"]})], [("aws_eip_association", {"allocation_id": ADDRESS["ec2"], "instance_id": INSTANCE["ec2"]})],
        [("aws_subnet", {"vpc_id": VPC["ec2"], "cidr_block": "10.0.0.0/20"})], [("aws_vpc_peering_connection", {"vpc_id": VPC["ec2"], "peer_vpc_id": "vpc-1"})],
        [("aws_network_interface", {"subnet_id": SUBNET["ec2"]})]]


@pytest.mark.parametrize("way, gateway", [("attached", None), ("free", "aws_internet_gateway_attachment"), ("new", "aws_internet_gateway"), ("nat", None)])
def test_ways_out(way, gateway):
    """By an existing gateway, attached or not, or a new one; or by an existing NAT gateway: in the subnet's present table."""
    chosen = {"attached": {"way": "internet", "attached": GATEWAY}, "free": {"way": "internet", "gateway": GATEWAY}, "new": {"way": "internet"}, "nat": {"way": "nat", "nat": NAT}}[way]
    (text,) = shown([["subnets.mend", {"subnet": SUBNET, "router": VPC, "table": TABLE, "isAlone": False, "routes": [], **chosen}]])["texts"]
    found = dict(said(terraform.parse([text])[0]))
    target = {"nat_gateway_id": NAT["ec2"]} if way == "nat" else {"gateway_id": {"new": "aws_internet_gateway.*.id", "free": "aws_internet_gateway_attachment.*.internet_gateway_id"}.get(way, GATEWAY["ec2"])}
    assert found.pop("aws_route") == {"route_table_id": TABLE["ec2"], "destination_cidr_block": "0.0.0.0/0", **target}
    assert list(found) == ([gateway] if gateway else [])


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--import-mode=importlib", *sys.argv[1:], __file__]))
