#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack
"""Debian's Ansible collection ngine_io.cloudstack, with Debian's client `cs`: playbooks that create networks, machines, VPCs and users, each played
twice. The first play changes everything, the second nothing; another one deletes the resources. Delays between polls are shortened."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloudstack import admin_key, call  # noqa: E402
from playbook import Play, Playbooks, twice  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

FIRST = """
import time, cs, ansible.module_utils.basic
import ansible_collections.ngine_io.cloudstack.plugins.module_utils.cloudstack
def read(self, response, json=True):  # the plain one tells the status alone
    if response.status_code != 200:
        raise cs.CloudStackException(response.text, response=response)
    return plain(self, response, json)
plain, cs.CloudStack._response_value = cs.CloudStack._response_value, read
wait = time.sleep
time.sleep = lambda seconds: wait(min(seconds, 0.1))
"""
ZONE = "us-east-1a"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6SPb4UcGZzvGJfzTxsVTWVRfLrtKJGTXKUlDvZvvnP desk"
SOURCE_NAT, TIER = "DefaultIsolatedNetworkOfferingWithSourceNatService", "DefaultIsolatedNetworkOfferingForVpcNetworks"
TAGS = {"tags": [{"key": "team", "value": "blue"}]}
STATIC, SHARED = "{{ static.ip_address }}", "{{ shared.ip_address }}"
NETWORK = [
    ("cs_sshkeypair", {"name": "desk", "public_key": KEY}),
    ("cs_affinitygroup", {"name": "apart", "affinity_type": "host anti-affinity"}),
    ("cs_securitygroup", {"name": "web", "description": "of ansible"}),
    ("cs_securitygroup_rule", {"security_group": "web", "start_port": 80, "end_port": 80}),
    ("cs_securitygroup_rule", {"security_group": "web", "protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "cidr": "10.0.0.0/8"}),
    ("cs_network", {"name": "inner", "zone": ZONE, "network_offering": SOURCE_NAT, "gateway": "10.5.0.1", "netmask": "255.255.255.0", **TAGS}),
    ("cs_instance", {"name": "till", "zone": ZONE, "service_offering": "t3.micro", "template": "tiny", "hypervisor": "KVM", "networks": ["inner"],
                     "ssh_key": "desk", "affinity_groups": ["apart"], **TAGS}),
    ("cs_network", {"name": "second", "zone": ZONE, "network_offering": SOURCE_NAT, "gateway": "10.6.0.1", "netmask": "255.255.255.0"}),
    ("cs_instance_nic", {"vm": "till", "network": "second", "zone": ZONE}),
    ("cs_instance_nic_secondaryip", {"vm": "till", "network": "second", "vm_guest_ip": "10.6.0.99", "zone": ZONE}),
    ("cs_instance", {"name": "till", "zone": ZONE, "state": "stopped"}),
]
STARTED = [("cs_instance", {"name": "till", "zone": ZONE, "state": "started"})]
# The module cannot find its own address by tags: it compares them with the cloud's, which also contain the account.
ADDRESSES = [("cs_ip_address", {"network": "inner", "zone": ZONE, **TAGS}, "static"), ("cs_ip_address", {"network": "inner", "zone": ZONE}, "shared")]
FOUND_ADDRESSES = [("cs_ip_address", {"ip_address": STATIC, "network": "inner", "zone": ZONE, **TAGS}), ("cs_ip_address", {"ip_address": SHARED, "zone": ZONE})]
BEHIND = [
    ("cs_staticnat", {"ip_address": STATIC, "vm": "till", "zone": ZONE, "network": "inner"}),
    ("cs_portforward", {"ip_address": SHARED, "vm": "till", "public_port": 2222, "private_port": 22, "zone": ZONE, "network": "inner", **TAGS}),
    ("cs_loadbalancer_rule", {"name": "balance", "ip_address": SHARED, "public_port": 80, "private_port": 8080, "algorithm": "roundrobin", "zone": ZONE,
                              "network": "inner"}),
    ("cs_loadbalancer_rule_member", {"name": "balance", "ip_address": SHARED, "vms": ["till"], "zone": ZONE}),
    ("cs_volume", {"name": "data", "disk_offering": "gp3", "size": 2, "zone": ZONE, **TAGS}),
    ("cs_volume", {"name": "data", "state": "attached", "vm": "till", "zone": ZONE}),
]
FIREWALL = [("cs_firewall", {"ip_address": STATIC, "start_port": 80, "end_port": 80, "cidrs": ["0.0.0.0/0"], "zone": ZONE})]
NO_NETWORK = [
    ("cs_volume", {"name": "data", "state": "detached", "zone": ZONE}), ("cs_volume", {"name": "data", "zone": ZONE}),
    ("cs_loadbalancer_rule_member", {"name": "balance", "vms": ["till"], "zone": ZONE}),
    ("cs_instance", {"name": "till", "state": "expunged", "zone": ZONE}),
    ("cs_network", {"name": "second", "zone": ZONE}), ("cs_network", {"name": "inner", "zone": ZONE}), ("cs_securitygroup_rule", {"security_group": "web", "start_port": 80, "end_port": 80}),
    ("cs_securitygroup", {"name": "web"}), ("cs_affinitygroup", {"name": "apart"}), ("cs_sshkeypair", {"name": "desk"}),
]
VPC = [
    ("cs_vpc", {"name": "shop", "display_text": "shop", "cidr": "10.60.0.0/16", "zone": ZONE, **TAGS}),
    ("cs_network_acl", {"name": "wall", "vpc": "shop", "zone": ZONE}),
    ("cs_network_acl_rule", {"network_acl": "wall", "vpc": "shop", "zone": ZONE, "rule_position": 1, "start_port": 80, "end_port": 81, "cidrs": ["0.0.0.0/0"]}),
    ("cs_network_acl_rule", {"network_acl": "wall", "vpc": "shop", "zone": ZONE, "rule_position": 2, "protocol": "icmp", "icmp_type": 8, "icmp_code": 0,
                             "action_policy": "deny", "cidrs": ["10.60.0.0/16"]}),
    ("cs_network", {"name": "tier", "vpc": "shop", "zone": ZONE, "network_offering": TIER, "gateway": "10.60.1.1", "netmask": "255.255.255.0", "acl": "wall"}),
]
NO_VPC = [
    ("cs_network", {"name": "tier", "vpc": "shop", "zone": ZONE}),
    ("cs_network_acl_rule", {"network_acl": "wall", "vpc": "shop", "zone": ZONE, "rule_position": 1}), ("cs_network_acl", {"name": "wall", "vpc": "shop", "zone": ZONE}),
    ("cs_vpc", {"name": "shop", "zone": ZONE}),
]
PERSON = {"username": "anna", "email": "anna@example.com", "first_name": "Anna", "last_name": "A", "account": "staff"}
PEOPLE = [
    ("cs_role", {"name": "clerk", "role_type": "User", "description": "of ansible"}),
    ("cs_domain", {"path": "shops"}),
    ("cs_account", {"name": "staff", "username": "boss", "password": "a long password", "last_name": "B", "first_name": "Bo", "email": "bo@example.com"}),
    ("cs_user", {**PERSON, "password": "a long password"}),
    ("cs_project", {"name": "till", "display_text": "till"}),
    ("cs_service_offering", {"name": "tiny", "display_text": "tiny", "cpu_number": 1, "cpu_speed": 1000, "memory": 512}),
    ("cs_disk_offering", {"name": "small", "display_text": "small", "disk_size": 5}),
    ("cs_resourcelimit", {"type": "instance", "limit": 7, "account": "staff", "domain": "ROOT"}),
]
NO_PEOPLE = [("cs_disk_offering", {"name": "small"}), ("cs_service_offering", {"name": "tiny"}),
             ("cs_project", {"name": "till"}), ("cs_user", {"username": "anna", "account": "staff"}), ("cs_account", {"name": "staff"}), ("cs_domain", {"path": "shops"}),
             ("cs_role", {"name": "clerk"})]
LOOK = [("cs_zone_info", {"zone": ZONE}, "zones"), ("cs_instance_info", {"name": "till"}, "machines")]


@pytest.fixture(scope="module")
def playbooks(dev, tmp_path_factory):
    return Playbooks(tmp_path_factory.mktemp("ansible"), "ngine_io.cloudstack", FIRST, dev.url)


@pytest.fixture(scope="module")
def own(dev):
    return credentials(dev, dev.account.key_id, dev.account.secret)


def credentials(dev, key, secret):
    return {"CLOUDSTACK_ENDPOINT": f"http://127.0.0.1:{dev.port}/client/api", "CLOUDSTACK_KEY": key, "CLOUDSTACK_SECRET": secret}


def gone(rows):
    return Play([(module, {"state": "absent", **args}) for module, args in rows], True)


def test_networks_and_machines(dev, playbooks, own):
    call(dev, "updateConfiguration", name="allow.user.expunge.recover.vm", value="true", **admin_key(dev))  # one machine is to be expunged at once
    behind = BEHIND + (FIREWALL if call(dev, "listApis", name="createFirewallRule")[0] == 200 else [])
    playbooks.run(own, *twice(NETWORK), *twice(STARTED), Play(ADDRESSES, True), Play(FOUND_ADDRESSES, False), *twice(behind))
    *_, found = playbooks.run(own, Play(LOOK, False))
    zones, machines = found
    assert zones["zones"][0]["name"] == ZONE and machines["instances"][0]["ssh_key"] == "desk"
    assert machines["instances"][0]["affinity_groups"] == ["apart"] and machines["instances"][0]["state"] == "Running"
    playbooks.run(own, gone(NO_NETWORK))


def test_vpcs(playbooks, own):
    playbooks.run(own, *twice(VPC), gone(NO_VPC))


def test_people(dev, playbooks):
    key = admin_key(dev)
    playbooks.run(credentials(dev, key["_key"], key["_secret"]), *twice(PEOPLE), gone(NO_PEOPLE))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
