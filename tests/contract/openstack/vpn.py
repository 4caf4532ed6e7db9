#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/network/vpn_services.c src/api/openstack/network/ipsec_site_connections.c src/engine/vpn
"""VPNaaS through the stock openstack command with neutronclient's commands, openstacksdk and requests, compared with EC2 and CloudStack. Tunnels are
simulated: tests/real/70-vpn.py has packets."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402

VPN = "/network/v2.0/vpn"


class Region:
    """A project with a router that leads outside, and an attached subnet."""

    def __init__(self, dev):
        self.dev, self.own = dev, lib.own(dev)
        self.say("network", "create", "inside")
        self.subnet = self.say("subnet", "create", "inside", "--network", "inside", "--subnet-range", "10.71.0.0/24")["id"]
        outside = self.say("network", "list", "--external")[0]["Name"]
        self.router = self.say("router", "create", "r")["id"]
        self.own.openstack("router", "set", "r", "--external-gateway", outside)
        self.own.openstack("router", "add", "subnet", "r", "inside")

    def say(self, *argv):
        return self.own.openstack(*argv, "-f", "json")

    def fails(self, *argv):
        done = self.own.openstack(*argv, fails=True)
        return done.stderr if hasattr(done, "stderr") else str(done)


@pytest.fixture(scope="module")
def r():
    with Dev() as dev:
        yield Region(dev)


def policies(r):
    r.say("vpn", "ike", "policy", "create", "ike", "--ike-version", "v2", "--encryption-algorithm", "aes-256", "--auth-algorithm", "sha256", "--pfs", "group14",
          "--lifetime", "units=seconds,value=7200")
    r.say("vpn", "ipsec", "policy", "create", "esp", "--encryption-algorithm", "aes-128", "--auth-algorithm", "sha512", "--pfs", "group14")


def test_the_stock_command(r):
    """A service, policies and a connection: created, listed, shown, changed and deleted."""
    policies(r)
    assert r.say("vpn", "ike", "policy", "show", "ike")["Lifetime"] == {"units": "seconds", "value": 7200}
    r.own.openstack("vpn", "ike", "policy", "set", "ike", "--pfs", "group5", "--name", "ike2")
    assert [(p["Name"], p["Encryption Algorithm"], p["PFS"] if "PFS" in p else p["Perfect Forward Secrecy (PFS)"]) for p in r.say("vpn", "ike", "policy", "list")] == [
        ("ike2", "aes-256", "group5")]
    assert [p["Name"] for p in r.say("vpn", "ipsec", "policy", "list")] == ["esp"]
    made = r.say("vpn", "service", "create", "s", "--router", "r", "--subnet", "inside", "--description", "d")
    assert (made["Status"], made["Router"], made["Subnet"]) == ("PENDING_CREATE", r.router, r.subnet)
    r.say("vpn", "ipsec", "site", "connection", "create", "c", "--vpnservice", "s", "--ikepolicy", "ike2", "--ipsecpolicy", "esp", "--peer-address", "192.0.2.2",
          "--peer-id", "192.0.2.2", "--psk", "of_the_command", "--peer-cidr", "10.99.0.0/24", "--dpd", "action=restart,interval=10,timeout=60", "--mtu", "1400")
    r.dev.rest()
    shown = r.say("vpn", "ipsec", "site", "connection", "show", "c")
    assert (shown["Status"], shown["MTU"], shown["Pre-shared Key"], shown["Peer CIDRs"]) == ("DOWN", 1400, "of_the_command", ["10.99.0.0/24"])
    assert r.say("vpn", "service", "show", "s")["Status"] == "ACTIVE"
    r.own.openstack("vpn", "ipsec", "site", "connection", "set", "c", "--name", "d", "--peer-address", "192.0.2.3", "--disable")
    assert [(c["Name"], c["Peer Address"], c["Status"]) for c in r.say("vpn", "ipsec", "site", "connection", "list")] == [("d", "192.0.2.3", "DOWN")]
    assert "is still in use" in r.fails("vpn", "service", "delete", "s")
    assert "is in use by existing IPsecSiteConnection" in r.fails("vpn", "ike", "policy", "delete", "ike2")
    assert "is currently used by VPN service" in r.fails("router", "unset", "r", "--external-gateway")
    assert "is used by VPNService" in r.fails("router", "remove", "subnet", "r", "inside")
    r.own.openstack("vpn", "ipsec", "site", "connection", "delete", "d")
    r.own.openstack("vpn", "service", "delete", "s")
    r.own.openstack("vpn", "ike", "policy", "delete", "ike2")
    r.own.openstack("vpn", "ipsec", "policy", "delete", "esp")
    assert r.say("vpn", "service", "list") == [] and r.say("vpn", "ipsec", "site", "connection", "list") == []
    r.dev.rest()
    assert r.dev.audit() == []


def test_endpoint_groups(r):
    """Without a subnet of the service a connection names two groups."""
    policies(r)
    r.say("vpn", "service", "create", "bare", "--router", "r")
    r.say("vpn", "endpoint", "group", "create", "local", "--type", "subnet", "--value", "inside")
    r.say("vpn", "endpoint", "group", "create", "peer", "--type", "cidr", "--value", "10.98.0.0/24", "--value", "10.97.0.0/24")
    assert {g["Name"]: g["Type"] for g in r.say("vpn", "endpoint", "group", "list")} == {"local": "subnet", "peer": "cidr"}
    made = r.say("vpn", "ipsec", "site", "connection", "create", "c", "--vpnservice", "bare", "--ikepolicy", "ike", "--ipsecpolicy", "esp", "--peer-address", "192.0.2.9",
                 "--peer-id", "there.example.com", "--psk", "k", "--local-endpoint-group", "local", "--peer-endpoint-group", "peer", "--initiator", "response-only")
    assert made["Initiator"] == "response-only" and made["Peer CIDRs"] == []
    assert "is in use and cannot be deleted" in r.fails("vpn", "endpoint", "group", "delete", "peer")
    assert "is used by endpoint group" in r.fails("subnet", "delete", "inside")
    assert "is used by ipsec site connection" in r.fails("router", "remove", "subnet", "r", "inside")
    r.own.openstack("vpn", "ipsec", "site", "connection", "delete", "c")
    for what, name in (("endpoint group", "local"), ("endpoint group", "peer"), ("service", "bare"), ("ike policy", "ike"), ("ipsec policy", "esp")):
        r.own.openstack("vpn", *what.split(), "delete", name)


@holds("The network: Site-to-site VPN in Neutron", "What each face calls it: VPN service, IKE policy, IPsec policy, endpoint group")
def test_other_faces(r):
    """EC2 and CloudStack show the rows of Neutron, and Neutron shows none of theirs."""
    own, ec2 = r.own, r.dev.account.client("ec2")
    make = lambda path, what, **body: own.ok("POST", f"{VPN}/{path}", {what: body})[what]  # noqa: E731
    service = make("vpnservices", "vpnservice", router_id=r.router, subnet_id=r.subnet)
    ike, esp = (make(f"{k}policies", f"{k}policy")["id"] for k in ("ike", "ipsec"))
    made = [make("ipsec-site-connections", "ipsec_site_connection", vpnservice_id=service["id"], ikepolicy_id=ike, ipsecpolicy_id=esp, peer_address=f"192.0.2.{k}",
                 peer_id=f"192.0.2.{k}", psk="k", peer_cidrs=[f"10.99.{k}.0/24"]) for k in (2, 3)]
    gateway, = (g for g in ec2.describe_vpn_gateways()["VpnGateways"] if g["State"] == "available")
    shown = [c for c in ec2.describe_vpn_connections()["VpnConnections"] if c["State"] != "deleted"]
    assert {c["VpnGatewayId"] for c in shown} == {gateway["VpnGatewayId"]}
    assert sorted(c["Routes"][0]["DestinationCidrBlock"] for c in shown) == ["10.99.2.0/24", "10.99.3.0/24"]
    assert {o["OutsideIpAddress"] for c in shown for o in c["Options"]["TunnelOptions"]} == {service["external_v4_ip"]}
    with pytest.raises(ec2.exceptions.ClientError, match="belongs to a VPN service"):
        ec2.create_vpn_connection_route(VpnConnectionId=shown[0]["VpnConnectionId"], DestinationCidrBlock="10.96.0.0/24")
    ec2.delete_vpn_connection(VpnConnectionId=shown[0]["VpnConnectionId"])
    assert len(own.ok("GET", f"{VPN}/ipsec-site-connections")["ipsec_site_connections"]) == 1
    for c in made:
        own.call("DELETE", f"{VPN}/ipsec-site-connections/{c['id']}")
    own.call("DELETE", f"{VPN}/vpnservices/{service['id']}")
    assert not [g for g in ec2.describe_vpn_gateways()["VpnGateways"] if g["State"] == "available"]
    assert not [g for g in ec2.describe_customer_gateways()["CustomerGateways"] if g["State"] == "available"]
    vpc = ec2.create_vpc(CidrBlock="10.70.0.0/16")["Vpc"]["VpcId"]
    ours = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpnGatewayId=ours, VpcId=vpc)
    customer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="192.0.2.4", BgpAsn=65000)["CustomerGateway"]["CustomerGatewayId"]
    ec2.create_vpn_connection(Type="ipsec.1", CustomerGatewayId=customer, VpnGatewayId=ours, Options={"StaticRoutesOnly": True})
    assert own.ok("GET", f"{VPN}/ipsec-site-connections")["ipsec_site_connections"] == [] == own.ok("GET", f"{VPN}/vpnservices")["vpnservices"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
