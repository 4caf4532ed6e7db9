#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/network
# when: long
"""Debian's az, unmodified, creates a machine with everything it needs by its own template, and the network by its own commands.
Commands that fail within the client, before it sends anything (azure-cli 2.45.0-1 with python3-azure 20230112): `az network nic show`, `update` and
`delete`, `az network nic ip-config`, `az network vnet update`, `az network nsg rule show`, and `az network nat`, because the SDK has no operations of
any version of Microsoft.Network."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud, sign_in_az  # noqa: E402
from dev import Dev  # noqa: E402

GROUP = "Web"


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


@pytest.fixture(scope="module")
def az(cloud, tmp_path_factory):
    run = sign_in_az(cloud, tmp_path_factory.mktemp("az"))
    run("group", "create", "-n", GROUP, "-l", "useast1")
    return run


@pytest.fixture(scope="module")
def image(cloud):
    at = f"{cloud.subscription()}/providers/Microsoft.Compute/locations/useast1/publishers"
    offer = cloud.ask("GET", f"{at}/dari/artifacttypes/vmimage/offers")[2][0]["name"]
    return f"dari:{offer}:default:latest"


def test_vm_create(az, image, cloud, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", key], check=True)
    made = az("vm", "create", "-g", GROUP, "-n", "vm1", "--image", image, "--size", "Standard_B1s", "--admin-username", "azureuser",
              "--ssh-key-values", f"{key}.pub")
    assert made["powerState"] == "VM running" and made["privateIpAddress"] == "10.0.0.4" and made["publicIpAddress"]
    shown = az("vm", "show", "-d", "-g", GROUP, "-n", "vm1")
    assert shown["publicIps"] == made["publicIpAddress"] and shown["privateIps"] == "10.0.0.4" and shown["powerState"] == "VM running"
    listed, = az("vm", "list-ip-addresses", "-g", GROUP)
    network = listed["virtualMachine"]["network"]
    assert network["privateIpAddresses"] == ["10.0.0.4"] and network["publicIpAddresses"][0]["ipAddress"] == made["publicIpAddress"]
    assert {v["name"] for v in az("network", "vnet", "list", "-g", GROUP)} == {"vm1VNET"}
    rules = az("network", "nsg", "rule", "list", "-g", GROUP, "--nsg-name", "vm1NSG")
    assert [(r["name"], r["priority"]) for r in rules] == [("default-allow-ssh", 1000)]
    assert {n["name"] for n in az("network", "nic", "list", "-g", GROUP)} == {"vm1VMNic"}
    # a second machine uses the network of the first, which does not change
    az("vm", "create", "-g", GROUP, "-n", "vm2", "--image", image, "--size", "Standard_B1s", "--admin-username", "azureuser",
       "--ssh-key-values", f"{key}.pub", "--public-ip-address", "", "--nsg", "vm1NSG")
    assert {v["name"] for v in az("network", "vnet", "list", "-g", GROUP)} == {"vm1VNET"}


def test_open_port(az):
    az("vm", "open-port", "-g", GROUP, "-n", "vm1", "--port", "80", "--priority", "900")
    rules = az("network", "nsg", "show", "-g", GROUP, "-n", "vm1NSG")["securityRules"]
    assert {(r["name"], r["destinationPortRange"]) for r in rules} == {("default-allow-ssh", "22"), ("open-port-80", "80")}


def test_networks(az):
    az("network", "vnet", "create", "-g", GROUP, "-n", "other", "--address-prefixes", "10.8.0.0/16", "--subnet-name", "a",
       "--subnet-prefixes", "10.8.0.0/24")
    az("network", "vnet", "subnet", "create", "-g", GROUP, "--vnet-name", "other", "-n", "b", "--address-prefixes", "10.8.1.0/24")
    assert [s["name"] for s in az("network", "vnet", "subnet", "list", "-g", GROUP, "--vnet-name", "other")] == ["a", "b"]
    assert az("network", "vnet", "show", "-g", GROUP, "-n", "other")["addressSpace"]["addressPrefixes"] == ["10.8.0.0/16"]
    az("network", "nsg", "create", "-g", GROUP, "-n", "guard")
    az("network", "nsg", "rule", "create", "-g", GROUP, "--nsg-name", "guard", "-n", "web", "--priority", "200", "--access", "Deny",
       "--protocol", "Tcp", "--destination-port-ranges", "80", "8080-8090", "--direction", "Inbound")
    rule, = az("network", "nsg", "rule", "list", "-g", GROUP, "--nsg-name", "guard")
    assert rule["destinationPortRanges"] == ["80", "8080-8090"] and rule["access"] == "Deny"


def test_peerings(az):
    az("network", "vnet", "create", "-g", GROUP, "-n", "far", "--address-prefixes", "10.77.0.0/16")
    for here, there in [("far", "other"), ("other", "far")]:
        az("network", "vnet", "peering", "create", "-g", GROUP, "-n", f"to-{there}", "--vnet-name", here, "--remote-vnet", there,
           "--allow-vnet-access")
    shown = az("network", "vnet", "peering", "list", "-g", GROUP, "--vnet-name", "other")
    assert [p["peeringState"] for p in shown] == ["Connected"]
    az("network", "vnet", "peering", "delete", "-g", GROUP, "-n", "to-other", "--vnet-name", "far")


def test_load_balancers(az):
    made = az("network", "lb", "create", "-g", GROUP, "-n", "lb1", "--sku", "Standard", "--public-ip-address", "front",
              "--frontend-ip-name", "front", "--backend-pool-name", "pool")
    assert made["loadBalancer"]["backendAddressPools"][0]["name"] == "pool"
    az("network", "lb", "probe", "create", "-g", GROUP, "--lb-name", "lb1", "-n", "probe", "--protocol", "tcp", "--port", "8080")
    az("network", "lb", "rule", "create", "-g", GROUP, "--lb-name", "lb1", "-n", "web", "--protocol", "Tcp", "--frontend-port", "80",
       "--backend-port", "8080", "--frontend-ip-name", "front", "--backend-pool-name", "pool", "--probe-name", "probe")
    assert [r["backendPort"] for r in az("network", "lb", "rule", "list", "-g", GROUP, "--lb-name", "lb1")] == [8080]
    az("network", "lb", "create", "-g", GROUP, "-n", "inner", "--sku", "Standard", "--vnet-name", "other", "--subnet", "a",
       "--frontend-ip-name", "in", "--private-ip-address", "10.8.0.9", "--backend-pool-name", "pool")
    front, = az("network", "lb", "frontend-ip", "list", "-g", GROUP, "--lb-name", "inner")
    assert front["privateIpAddress"] == "10.8.0.9"


def test_labels(az):
    made = az("network", "public-ip", "create", "-g", GROUP, "-n", "named", "--sku", "Standard", "--dns-name", "shop")
    assert made["publicIp"]["dnsSettings"]["domainNameLabel"] == "shop"


def test_its_end(az):
    az("group", "delete", "-n", GROUP, "-y")
    assert az("group", "exists", "-n", GROUP) is False


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
