#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""Ansible's openstack.cloud, as Debian ships it: playbooks that make a project's things and an administrator's, each played
twice. The first play changes all, the second nothing; one more deletes what there is.

Debian 12's collection is 1.10, which refuses an openstacksdk from 0.99 on, and its openstacksdk is 0.101: as they are, no
module of it works against any cloud. The test answers that one check, by a sitecustomize for the modules' interpreter that
says another version; collection and SDK are otherwise Debian's own. What is left out then fails by itself, in words of the
two and not of the cloud: server with state=present (it cannot show the server that it made: so the API makes ours), quota
(sends its own name as a quota), network for another project (asks by a parameter that the SDK has not), project (finds a
change each time), project_access (looks for project_id where Nova says tenant_id), a forced volume_snapshot (force is
dropped) and endpoint. For address_scope and catalog_service the cloud has no calls."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from playbook import Play, Playbooks, twice  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

COMPUTE, ZONE = "/compute/v2.1", "us-east-1a"
PREFIX = {"prefixes": ["10.70.0.0/16"], "default_prefix_length": 24}
POOL = {"allocation_pool_start": "10.7.0.10", "allocation_pool_end": "10.7.0.99"}
WEB = {"security_group": "web", "protocol": "tcp", "port_range_min": 80, "port_range_max": 80, "remote_ip_prefix": "192.0.2.0/24"}
PING = {"security_group": "web", "protocol": "icmp", "remote_ip_prefix": "0.0.0.0/0"}
PEERS = {"security_group": "web", "protocol": "tcp", "port_range_min": 1, "port_range_max": 100, "remote_group": "web"}
NETWORK = [
    ("network", {"name": "net"}),
    ("subnet", {"name": "sub", "network_name": "net", "cidr": "10.7.0.0/24", "dns_nameservers": ["192.0.2.53"], **POOL}),
    ("router", {"name": "r", "network": "internet", "interfaces": ["sub"]}),
    ("security_group", {"name": "web", "description": "of ansible"}),
    ("security_group_rule", WEB),
    ("security_group_rule", PING),
    ("security_group_rule", PEERS),
    ("port", {"name": "p", "network": "net", "fixed_ips": [{"ip_address": "10.7.0.20"}], "security_groups": ["web"]}),
    ("subnet_pool", {"name": "sp", **PREFIX}),
]
NO_NETWORK = [
    ("subnet_pool", {"name": "sp"}), ("port", {"name": "p"}), ("security_group_rule", PEERS), ("security_group_rule", PING),
    ("security_group_rule", WEB), ("security_group", {"name": "web"}), ("router", {"name": "r"}), ("subnet", {"name": "sub"}),
    ("network", {"name": "net"}),
]
STORED = [
    ("keypair", {"name": "k"}),
    ("server_group", {"name": "sg", "policies": ["anti-affinity"]}),
    ("volume", {"display_name": "data", "size": 2, "metadata": {"a": "b"}, "availability_zone": ZONE}),
    ("volume_snapshot", {"display_name": "snap", "volume": "data"}),
    ("server_volume", {"server": "s", "volume": "data"}),
    ("server_metadata", {"server": "s", "meta": {"c": "d"}}),
    ("floating_ip", {"server": "s", "network": "internet", "reuse": True, "wait": True}),
    ("server_action", {"server": "s", "action": "stop"}),
    ("image", {"name": "img", "disk_format": "raw", "filename": "FILE", "min_disk": 1, "properties": {"os_distro": "debian"}, "tags": ["x"]}),
]
NOT_STORED = [
    ("image", {"name": "img"}), ("server_metadata", {"server": "s", "meta": {"c": "d"}}), ("volume_snapshot", {"display_name": "snap", "volume": "data"}),
    ("server_volume", {"server": "s", "volume": "data"}), ("server", {"name": "s", "delete_fip": True}), ("volume", {"display_name": "data"}),
    ("server_group", {"name": "sg"}), ("keypair", {"name": "k"}),
]
PEOPLE = [
    ("identity_domain", {"name": "dom", "description": "x"}),
    ("identity_user", {"name": "u", "password": "geheim-und-lang", "email": "u@example.org", "domain": "default", "default_project": "dev"}),
    ("identity_role", {"name": "auditor"}),
    ("identity_group", {"name": "g", "description": "d", "domain_id": "default"}),
    ("role_assignment", {"role": "member", "user": "u", "project": "dev"}),
    ("group_assignment", {"user": "u", "group": "g"}),
    ("compute_flavor", {"name": "f.small", "ram": 512, "vcpus": 1, "disk": 1, "extra_specs": {"a:b": "c"}}),
    ("host_aggregate", {"name": "ag", "metadata": {"a": "b"}}),
]
NO_PEOPLE = [
    ("host_aggregate", {"name": "ag"}),
    ("compute_flavor", {"name": "f.small"}), ("group_assignment", {"user": "u", "group": "g"}),
    ("role_assignment", {"role": "member", "user": "u", "project": "dev"}), ("identity_group", {"name": "g", "domain_id": "default"}),
    ("identity_role", {"name": "auditor"}), ("identity_user", {"name": "u", "domain": "default"}), ("identity_domain", {"name": "dom"}),
]
ASKED = [("auth", {}), ("networks_info", {"name": "net"}), ("subnets_info", {"name": "sub"}), ("routers_info", {"name": "r"}),
         ("port_info", {"port": "p"}), ("security_group_info", {"name": "web"}), ("security_group_rule_info", {"security_group": "web"}),
         ("compute_flavor_info", {"name": "t3.micro"}), ("image_info", {"image": "tiny"})]


@pytest.fixture(scope="module")
def project(dev):
    return cloud.own(dev)


@pytest.fixture(scope="module")
def play(tmp_path_factory, dev):
    """Plays as that user; returns the results of the rows, by play."""
    home = tmp_path_factory.mktemp("ansible")
    (home / "site").mkdir()
    (home / "site/sitecustomize.py").write_text("import openstack.version\nopenstack.version.__version__ = '0.98.0'\n")
    books = Playbooks(home, "openstack.cloud", "import openstack, openstack.connection, openstack.cloud\n", dev.url, home / "site")
    (home / "disk").write_bytes(bytes(1 << 20))

    def run(who, *plays):
        for each in plays:
            each.rows = [(module, told(args, home)) for module, args in each.rows]
        return books.run(who.env(), *plays)
    return run


def told(args, home):
    return {name: str(home / "disk") if value == "FILE" else value for name, value in args.items()}


def gone(rows):
    return Play(rows, True, state="absent")


def test_the_network(dev, play, project):
    *_, found = play(project, *twice(NETWORK), Play(ASKED, False))
    network, subnet = found[1]["openstack_networks"][0], found[2]["openstack_subnets"][0]
    assert subnet["cidr"] == "10.7.0.0/24" and subnet["network_id"] == network["id"]
    (port,) = project.ok("GET", "/network/v2.0/ports?name=p")["ports"]
    assert [f["ip_address"] for f in port["fixed_ips"]] == ["10.7.0.20"]
    rules = found[6]["security_group_rules"]
    assert {(r["protocol"], r["port_range_min"]) for r in rules if r["direction"] == "ingress"} == {("tcp", 80), ("icmp", None), ("tcp", 1)}
    server(project, network)
    look = [("volume_info", {"name": "data", "details": True})]
    *_, (shown,), _, _ = play(project, *twice(STORED), Play(look, False), gone(NOT_STORED), gone(NO_NETWORK))
    (volume,) = shown["volumes"]
    assert (volume["status"], volume["size"], volume["metadata"]) == ("in-use", 2, {"a": "b"})
    dev.rest()
    assert project.ok("GET", f"{COMPUTE}/servers")["servers"] == []


def server(project, network):
    made = project.ok("POST", f"{COMPUTE}/servers", {"server": {
        "name": "s", "imageRef": project.ok("GET", "/image/v2/images?name=tiny")["images"][0]["id"], "flavorRef": "t3.micro",
        "availability_zone": ZONE, "networks": [{"uuid": network["id"]}], "security_groups": [{"name": "web"}]}})["server"]["id"]
    project.dev.rest()
    assert project.ok("GET", f"{COMPUTE}/servers/{made}")["server"]["status"] == "ACTIVE"


def test_an_administrators(play, dev):
    admin = cloud.admin(dev)
    *_, (shown,), _ = play(admin, *twice(PEOPLE), Play([("identity_user_info", {"name": "u"})], False), gone(NO_PEOPLE))
    (user,) = shown["openstack_users"]
    assert user["email"] == "u@example.org" and user["domain_id"] == "default"
    assert admin.ok("GET", "/identity/v3/users?name=u")["users"] == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
