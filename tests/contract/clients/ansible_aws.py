#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/iam src/api/query
"""Debian's Ansible collections amazon.aws and community.aws: playbooks that create a network, machines and users, each played twice. The first play
changes everything, the second nothing; another one deletes the resources. Delays between polls are shortened."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION  # noqa: E402
from playbook import Play, Playbooks, twice  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

FIRST = """
import functools, time, boto3, botocore.loaders, ansible.module_utils.basic
import ansible_collections.amazon.aws.plugins.module_utils.modules
plain, wait = botocore.loaders.JSONFileLoader.load_file, time.sleep
kept = functools.lru_cache(None)(lambda path: plain(botocore.loaders.JSONFileLoader(), path))
botocore.loaders.JSONFileLoader.load_file = lambda self, path: kept(path)
time.sleep = lambda seconds: wait(min(seconds, 0.2))
for service in ("ec2", "iam"):
    boto3.Session().client(service, region_name="us-east-1")
"""
VPC, SUBNET, OUTSIDE = "{{ vpc.vpc.id }}", "{{ subnet.subnet.id }}", "{{ outside.subnet.id }}"
LAUNCHED = {"name": "till", "state": "running", "wait": True}
NETWORK = [
    ("ec2_vpc_net", {"name": "shop", "cidr_block": "10.60.0.0/16", "dns_support": True, "dns_hostnames": True, "tags": {"team": "blue"}}, "vpc"),
    ("ec2_vpc_dhcp_option", {"vpc_id": VPC, "domain_name": "shop.example", "dns_servers": ["192.0.2.53"], "tags": {"Name": "shop"}}, "dhcp"),
    ("ec2_vpc_igw", {"vpc_id": VPC, "tags": {"Name": "shop"}}, "igw"),
    ("ec2_vpc_subnet", {"vpc_id": VPC, "cidr": "10.60.1.0/24", "az": REGION + "a", "map_public": True, "tags": {"Name": "till"}}, "subnet"),
    ("ec2_vpc_subnet", {"vpc_id": VPC, "cidr": "10.60.2.0/24", "az": REGION + "b", "tags": {"Name": "outside"}}, "outside"),
    ("ec2_vpc_nat_gateway", {"subnet_id": OUTSIDE, "if_exist_do_not_create": True, "wait": True, "tags": {"Name": "nat"}}, "nat"),
    ("ec2_vpc_route_table", {"vpc_id": VPC, "tags": {"Name": "public"}, "subnets": [OUTSIDE],
                             "routes": [{"dest": "0.0.0.0/0", "gateway_id": "igw"}]}, "public"),
    ("ec2_vpc_route_table", {"vpc_id": VPC, "tags": {"Name": "private"}, "subnets": [SUBNET],
                             "routes": [{"dest": "0.0.0.0/0", "gateway_id": "{{ nat.nat_gateway_id }}"}]}, "private"),
    ("ec2_security_group", {"name": "web", "description": "of ansible", "vpc_id": VPC, "tags": {"Name": "web"}, "rules": [
        {"proto": "tcp", "ports": [80, "443-444"], "cidr_ip": "0.0.0.0/0", "rule_desc": "all"},
        {"proto": "icmp", "icmp_type": 8, "icmp_code": -1, "cidr_ip": "10.60.0.0/16"},
        {"proto": "tcp", "from_port": 1, "to_port": 100, "group_name": "web"}],
        "rules_egress": [{"proto": "udp", "ports": [53], "cidr_ip": "0.0.0.0/0"}]}, "group"),
    ("community.aws.ec2_vpc_nacl", {"vpc_id": VPC, "name": "wall", "subnets": [SUBNET], "tags": {"team": "blue"},
                                    "ingress": [[100, "tcp", "allow", "0.0.0.0/0", None, None, 80, 80], [300, "icmp", "deny", "10.60.0.0/16", 8, -1]],
                                    "egress": [[100, "all", "allow", "0.0.0.0/0", None, None, None, None]]}, "wall"),
    ("ec2_eni", {"name": "plug", "subnet_id": SUBNET, "private_ip_address": "10.60.1.20", "security_groups": ["{{ group.group_id }}"],
                 "description": "of ansible", "secondary_private_ip_addresses": ["10.60.1.21"]}, "eni"),
    ("ec2_eip", {"device_id": "{{ eni.interface.id }}", "in_vpc": True, "private_ip_address": "10.60.1.20"}, "eip"),
]
LOOK = [
    ("ec2_ami_info", {"owners": ["amazon"], "filters": {"name": "tiny"}}, "images"),
    ("ec2_vpc_subnet_info", {"filters": {"tag:Name": "till"}}, "subnets"),
]
MACHINES = [
    ("ec2_key", {"name": "desk", "key_type": "ed25519", "tags": {"a": "b"}}),
    ("community.aws.ec2_placement_group", {"name": "apart", "strategy": "spread"}),
    ("community.aws.ec2_launch_template", {"template_name": "till", "image_id": "{{ images.images[0].image_id }}", "instance_type": "t3.micro", "key_name": "desk",
                                           "tags": {"Name": "till"}}, "template"),
    ("ec2_instance", {**LAUNCHED, "image_id": "{{ images.images[0].image_id }}", "instance_type": "t3.micro", "vpc_subnet_id": "{{ subnets.subnets[0].subnet_id }}", "key_name": "desk", "security_group": "web",
                      "placement_group": "apart", "user_data": "#!/bin/sh\n", "tags": {"stage": "test"}, "termination_protection": False,
                      "metadata_options": {"http_tokens": "required", "http_endpoint": "enabled"},
                      "volumes": [{"device_name": "/dev/sdf", "ebs": {"volume_size": 2, "delete_on_termination": True}}]}, "till"),
    ("ec2_vol", {"instance": "{{ till.instances[0].instance_id }}", "name": "data", "volume_size": 3, "device_name": "/dev/sdg", "volume_type": "gp3"}, "data"),
    ("ec2_snapshot", {"volume_id": "{{ data.volume_id }}", "last_snapshot_min_age": 60, "snapshot_tags": {"Name": "kept"}}, "kept"),
    ("ec2_tag", {"resource": "{{ kept.snapshot_id }}", "tags": {"c": "d"}}),
]
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
POLICY = "{{ policy.policy.arn }}"
PEOPLE = [
    ("community.aws.iam_managed_policy", {"policy_name": "readers", "policy_description": "of ansible", "policy": READ}, "policy"),
    ("iam_user", {"name": "ann", "managed_policies": [POLICY], "tags": {"team": "blue"}}),
    ("community.aws.iam_group", {"name": "staff", "users": ["ann"], "managed_policies": [POLICY]}),
    ("community.aws.iam_role", {"name": "guest", "description": "of ansible", "assume_role_policy_document": TRUST, "managed_policies": [POLICY],
                                "max_session_duration": 7200, "tags": {"team": "blue"}}),
    *[("iam_policy", {"iam_type": sort, "iam_name": name, "policy_name": "own", "policy_json": READ})
      for sort, name in [("user", "ann"), ("group", "staff"), ("role", "guest")]],
]
NO_PEOPLE = [
    *[("iam_policy", {"iam_type": sort, "iam_name": name, "policy_name": "own"}) for sort, name in [("user", "ann"), ("group", "staff"), ("role", "guest")]],
    ("community.aws.iam_group", {"name": "staff"}),
    ("community.aws.iam_role", {"name": "guest", "delete_instance_profile": True}),
    ("iam_user", {"name": "ann"}),
    ("community.aws.iam_managed_policy", {"policy_name": "readers"}),
]


def no_network(made):
    """In an order in which nothing prevents the next deletion."""
    vpc = made["vpc"]["vpc"]["id"]
    return [
        ("ec2_eip", {"device_id": made["eni"]["interface"]["id"], "in_vpc": True, "release_on_disassociation": True}),
        ("ec2_eni", {"eni_id": made["eni"]["interface"]["id"]}),
        ("ec2_security_group", {"name": "web", "vpc_id": vpc}),
        ("community.aws.ec2_vpc_nacl", {"vpc_id": vpc, "nacl_id": made["wall"]["nacl_id"]}),
        *[("ec2_vpc_route_table", {"lookup": "id", "route_table_id": made[name]["route_table"]["id"], "vpc_id": vpc}) for name in ("private", "public")],
        ("ec2_vpc_nat_gateway", {"nat_gateway_id": made["nat"]["nat_gateway_id"], "wait": True, "release_eip": True}),
        *[("ec2_vpc_subnet", {"vpc_id": vpc, "cidr": cidr}) for cidr in ("10.60.1.0/24", "10.60.2.0/24")],
        ("ec2_vpc_igw", {"vpc_id": vpc}),
        ("ec2_vpc_net", {"name": "shop", "cidr_block": "10.60.0.0/16"}),
        ("ec2_vpc_dhcp_option", {"dhcp_options_id": made["dhcp"]["dhcp_options_id"]}),
    ]


def no_machines(made):
    return [
        ("ec2_tag", {"resource": made["kept"]["snapshot_id"], "tags": {"c": "d"}}),
        ("ec2_snapshot", {"snapshot_id": made["kept"]["snapshot_id"]}),
        ("ec2_vol", {"id": made["data"]["volume_id"]}),
        ("ec2_instance", {"instance_ids": made["till"]["instance_ids"]}),
        ("community.aws.ec2_launch_template", {"template_name": "till"}),
        ("community.aws.ec2_placement_group", {"name": "apart"}),
        ("ec2_key", {"name": "desk"}),
    ]


@pytest.fixture(scope="module", name="credentials")
def find_credentials(dev):
    return {"PATH": "/usr/bin:/bin", "AWS_URL": dev.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": dev.account.key_id,
            "AWS_SECRET_ACCESS_KEY": dev.account.secret}


@pytest.fixture(scope="module", name="books")
def make_books(tmp_path_factory, dev):
    return Playbooks(tmp_path_factory.mktemp("ansible"), "amazon.aws", FIRST, dev.url)


@pytest.fixture(scope="module", name="play")
def play_as_account(books, credentials):
    return lambda *plays: books.run(credentials, *plays)


def named(rows, results):
    """Results of the rows, by the names of those that have one."""
    return {row[2]: result for row, result in zip(rows, results, strict=True) if len(row) > 2}


def gone(rows):
    return Play(rows, True, state="absent")


def all_of(account):
    """Ids in all of the account's lists, except deleted resources that are still visible."""
    ec2 = account.client()
    shown = {
        "vpcs": ec2.describe_vpcs()["Vpcs"], "subnets": ec2.describe_subnets()["Subnets"], "tables": ec2.describe_route_tables()["RouteTables"],
        "groups": ec2.describe_security_groups()["SecurityGroups"], "gateways": ec2.describe_internet_gateways()["InternetGateways"],
        "ports": ec2.describe_network_interfaces()["NetworkInterfaces"], "addresses": ec2.describe_addresses()["Addresses"],
        "keys": ec2.describe_key_pairs()["KeyPairs"], "templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "options": ec2.describe_dhcp_options()["DhcpOptions"], "volumes": ec2.describe_volumes()["Volumes"],
        "snapshots": ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"], "images": ec2.describe_images(Owners=["self"])["Images"],
        "placement": ec2.describe_placement_groups()["PlacementGroups"],
        "machines": [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"],
        "walls": ec2.describe_network_acls()["NetworkAcls"],
        "nats": [n for n in ec2.describe_nat_gateways()["NatGateways"] if n["State"] != "deleted"],
    }
    return {name: len(rows) for name, rows in shown.items()}


def inventory(books, credentials):
    """Hosts of the aws_ec2 inventory plugin. This collection and Debian's boto3 have no endpoint setting, so the test sets one."""
    (books.home / "site").mkdir()
    (books.home / "site/sitecustomize.py").write_text("import functools, os, boto3.session as s\n"
                                                      "s.Session.client = functools.partialmethod(s.Session.client, endpoint_url=os.environ['AWS_URL'])\n")
    path = books.home / "inventory.aws_ec2.yml"
    path.write_text(json.dumps({"plugin": "amazon.aws.aws_ec2", "regions": [REGION],
                                "hostnames": ["tag:Name"], "filters": {"instance-state-name": "running"},
                                "keyed_groups": [{"key": "tags.stage", "prefix": "stage"}]}))
    done = subprocess.run(["/usr/bin/ansible-inventory", "-i", str(path), "--list"], env=dict(books.env(credentials), PYTHONPATH=str(books.home / "site")),
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


IMAGE = [("ec2_ami", {"instance_id": "{{ till.instances[0].instance_id }}", "name": "golden", "no_reboot": True, "wait": True, "tags": {"a": "b"}}, "golden")]
NAMED = [("ec2_ami", {"image_id": "{{ golden.image_id }}", "name": "golden", "tags": {"a": "b"}})]
COPY = [("community.aws.ec2_ami_copy", {"source_region": REGION, "source_image_id": "{{ golden.image_id }}", "name": "silver", "wait": True,
                                        "tags": {"of": "golden"}, "tag_equality": True})]
COPIED = [("ec2_ami_info", {"owners": ["self"], "filters": {"name": "silver"}}, "copied")]
NO_IMAGES = [("ec2_ami", {"image_id": "{{ golden.image_id }}", "wait": True, "delete_snapshot": True}),
             ("ec2_ami", {"image_id": "{{ copied.images[0].image_id }}", "wait": True})]
NO_SNAPSHOTS = [("ec2_snapshot", {"snapshot_id": f"{{{{ copied.images[0].block_device_mappings[{k}].ebs.snapshot_id }}}}"}) for k in range(3)]


def images():
    """An image is created once, because its name is then in use, as in EC2; naming its id changes nothing. And its copy."""
    return [Play(IMAGE, True), Play(NAMED, False), *twice(COPY), Play(COPIED, False), gone(NO_IMAGES),
            Play(NO_IMAGES, False, state="absent"), gone(NO_SNAPSHOTS)]


def test_network_and_machines(dev, books, play, credentials):
    before = all_of(dev.account)
    nets, _, machines, _, (image,), *_ = play(*twice(NETWORK), *twice(MACHINES, LOOK), *images())
    net, made = named(NETWORK, nets), named([*LOOK, *MACHINES], machines)
    assert [b["ebs"]["volume_id"] for b in made["till"]["instances"][0]["block_device_mappings"]] and image["state"] == "available"
    hosts = inventory(books, credentials)
    assert hosts["stage_test"]["hosts"] == ["till"] and hosts["_meta"]["hostvars"]["till"]["instance_id"] == made["till"]["instance_ids"][0]
    play(gone(no_machines(made)), gone(no_network(net)))
    dev.rest()
    assert all_of(dev.account) == before


def people(account):
    iam = account.client("iam")
    return [iam.list_users()["Users"], iam.list_groups()["Groups"], iam.list_roles()["Roles"], iam.list_instance_profiles()["InstanceProfiles"],
            iam.list_policies(Scope="Local")["Policies"]]


def test_people(dev, play):
    before = people(dev.account)
    play(*twice(PEOPLE, state="present"), gone(NO_PEOPLE))
    dev.rest()
    assert people(dev.account) == before


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
