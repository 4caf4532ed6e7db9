#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/network src/engine/network
"""Azure's virtual networks with their subnets, network security groups, interfaces, public addresses, route tables, NAT gateways and peerings:
created, changed and deleted by raw requests, and compared with EC2."""
import concurrent.futures
import ipaddress
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud  # noqa: E402
from dev import Dev  # noqa: E402

VERSION = "2022-01-01"


class Network:
    """Resources of one group, under their types of Microsoft.Network."""

    def __init__(self, cloud, group):
        self.cloud, self.group, self.at = cloud, group, f"{group}/providers/Microsoft.Network"

    def id(self, path):
        return f"{self.at}/{path}"

    def ask(self, method, path, body=None):
        return self.cloud.ask(method, path if path.startswith("/subscriptions") else self.id(path), VERSION, body=body)

    def get(self, path):
        status, _, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def put(self, path, status=201, **body):
        body = {"location": "useast1", **body} if "/" not in path.split("/", 2)[-1] else body
        told, _, answer = self.ask("PUT", path, body)
        assert told == status, answer
        assert answer["id"] == self.id(path) and answer["properties"]["provisioningState"] == "Succeeded", answer
        assert self.get(path) == answer
        return answer

    def refused(self, path, method="PUT", **body):
        body = {"location": "useast1", **body} if method == "PUT" else None
        status, _, answer = self.ask(method, path, body)
        assert status >= 400, answer
        return status, answer["error"]["code"]

    def delete(self, path):
        self.cloud.done("DELETE", self.id(path), VERSION)
        assert self.ask("GET", path)[0] == 404
        assert self.ask("DELETE", path)[0] == 204


@pytest.fixture(scope="module")
def cloud():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


@pytest.fixture(scope="module")
def ec2(cloud):
    return cloud.dev.account.client()


@pytest.fixture(scope="module")
def net(cloud):
    path = f"{cloud.subscription()}/resourceGroups/Networks"
    assert cloud.ask("PUT", path, "2021-04-01", body={"location": "useast1"})[0] == 201
    return Network(cloud, path)


def space(*prefixes):
    return {"addressSpace": {"addressPrefixes": list(prefixes)}}


def subnet(name, prefix, **more):
    return {"name": name, "properties": {"addressPrefix": prefix, **more}}


def config(subnet_id, name="ipconfig1", **properties):
    return {"name": name, "properties": {"subnet": {"id": subnet_id}, **properties}}


def rule(name, priority, **changes):
    return {"name": name, "properties": {"protocol": "Tcp", "access": "Allow", "direction": "Inbound", "priority": priority,
                                         "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
                                         "destinationPortRange": "22", **changes}}


def test_virtual_network(net, ec2):
    made = net.put("virtualNetworks/Vnet1", tags={"a": "b"}, properties={
        **space("10.0.0.0/16", "10.9.0.0/29"), "dhcpOptions": {"dnsServers": ["10.0.0.4"]}, "enableDdosProtection": False,
        "subnets": [subnet("default", "10.0.0.0/24"), subnet("small", "10.9.0.0/29", serviceEndpoints=[])]})
    assert made["properties"]["addressSpace"] == {"addressPrefixes": ["10.0.0.0/16", "10.9.0.0/29"]} and made["etag"].startswith('W/"')
    assert [s["name"] for s in made["properties"]["subnets"]] == ["default", "small"] and made["tags"] == {"a": "b"}
    assert made["properties"]["dhcpOptions"]["dnsServers"] == ["10.0.0.4"] and made["properties"]["virtualNetworkPeerings"] == []
    one = net.get("virtualNetworks/vnet1/subnets/DEFAULT")
    assert one["id"] == net.id("virtualNetworks/Vnet1/subnets/default") and one["properties"]["addressPrefix"] == "10.0.0.0/24"
    assert {s["name"] for s in net.get("virtualNetworks/Vnet1/subnets")["value"]} == {"default", "small"}
    vpc, = ec2.describe_vpcs(Filters=[{"Name": "tag:a", "Values": ["b"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "10.0.0.0/16"
    assert {s["CidrBlock"] for s in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]} == {
        "10.0.0.0/24", "10.9.0.0/29"}
    # sending back what was read changes nothing
    assert net.put("virtualNetworks/Vnet1", 200, **{k: made[k] for k in ("tags", "properties")}) == made
    # a PUT without subnets keeps them; one with a list replaces them
    assert len(net.put("virtualNetworks/Vnet1", 200, properties=space("10.0.0.0/16", "10.9.0.0/29"))["properties"]["subnets"]) == 2
    changed = net.put("virtualNetworks/Vnet1", 200, properties={**space("10.0.0.0/16", "10.2.0.0/16"), "subnets": [
        subnet("default", "10.0.0.0/24"), subnet("other", "10.2.0.0/24")]})
    assert [s["name"] for s in changed["properties"]["subnets"]] == ["default", "other"]
    net.put("virtualNetworks/Vnet1/subnets/third", properties={"addressPrefixes": ["10.0.3.0/28"]})
    free = net.ask("GET", net.id("virtualNetworks/Vnet1/CheckIPAddressAvailability?ipAddress=10.0.3.4"))[2]
    assert free == {"available": True, "availableIPAddresses": [], "isPlatformReserved": False}
    taken = net.ask("GET", net.id("virtualNetworks/Vnet1/CheckIPAddressAvailability?ipAddress=10.0.3.1"))[2]
    assert taken == {"available": False, "availableIPAddresses": [f"10.0.3.{k}" for k in range(4, 9)], "isPlatformReserved": True}
    assert net.ask("PATCH", "virtualNetworks/Vnet1", {"tags": {"c": "d"}})[2]["tags"] == {"c": "d"}
    assert "Vnet1" in [v["name"] for v in net.cloud.ask("GET", f"{net.cloud.subscription()}/providers/Microsoft.Network/virtualNetworks",
                                                        VERSION)[2]["value"]]
    bad = [("x", {}, (400, "InvalidParameter")), ("x", space("10.0.0.0/33"), (400, "InvalidParameter")),
           ("x", space("127.0.0.0/16"), (400, "NetcfgInvalidVirtualNetworkSite")),
           ("x", space("10.0.0.0/16", "10.0.1.0/24"), (400, "NetcfgInvalidVirtualNetworkSite")),
           ("x", {**space("10.0.0.0/16"), "subnets": [subnet("a", "10.1.0.0/24")]}, (400, "NetcfgInvalidSubnet")),
           ("x", {**space("10.0.0.0/16"), "subnets": [subnet("a", "10.0.0.0/24"), subnet("b", "10.0.0.0/25")]},
            (400, "NetcfgSubnetRangesOverlap")),
           ("x", {**space("10.0.0.0/16"), "subnets": [subnet("a-", "10.0.0.0/24")]}, (400, "InvalidResourceName")),
           ("x", {**space("10.0.0.0/16"), "enableDdosProtection": True}, (409, "OperationNotAllowed")),
           ("Vnet1", space("10.2.0.0/16"), (400, "InUsePrefixCannotBeDeleted"))]
    for name, properties, code in bad:
        assert net.refused(f"virtualNetworks/{name}", properties=properties) == code, properties
    assert net.refused("virtualNetworks/none/subnets/x", properties={"addressPrefix": "10.0.0.0/24"}) == (404, "ParentResourceNotFound")
    assert net.refused("virtualNetworks/Vnet1/subnets/default", properties={"addressPrefix": "10.0.9.0/24"})[0] == 400
    net.delete("virtualNetworks/Vnet1/subnets/third")


def test_security_group(net):
    made = net.put("networkSecurityGroups/Nsg1", properties={"securityRules": [
        rule("ssh", 1000), rule("web", 1001, access="deny", direction="outbound", protocol="*", destinationPortRange=None,
                                destinationPortRanges=["80", "8000-8100"], sourceAddressPrefix="VirtualNetwork")]})
    rules = {r["name"]: r["properties"] for r in made["properties"]["securityRules"]}
    assert rules["ssh"]["destinationPortRange"] == "22" and rules["ssh"]["sourceAddressPrefix"] == "*"
    assert rules["web"]["destinationPortRanges"] == ["80", "8000-8100"] and rules["web"]["access"] == "Deny"
    assert rules["web"]["direction"] == "Outbound" and rules["web"]["sourceAddressPrefix"] == "VirtualNetwork"
    assert [r["properties"]["priority"] for r in made["properties"]["defaultSecurityRules"]] == [65000, 65001, 65500] * 2
    assert net.put("networkSecurityGroups/Nsg1", 200, properties=made["properties"]) == made
    # two rules swap priorities, one is removed
    again = net.put("networkSecurityGroups/Nsg1", 200, properties={"securityRules": [rule("ssh", 1001), rule("new", 1000)]})
    assert {r["name"]: r["properties"]["priority"] for r in again["properties"]["securityRules"]} == {"ssh": 1001, "new": 1000}
    one = net.put("networkSecurityGroups/Nsg1/securityRules/open-port-80", **{"properties": rule("", 900, protocol="*",
                                                                                           destinationPortRange="80")["properties"]})
    assert one["properties"]["protocol"] == "*" and one["type"] == "Microsoft.Network/networkSecurityGroups/securityRules"
    assert {r["name"] for r in net.get("networkSecurityGroups/nsg1/securityRules")["value"]} == {"ssh", "new", "open-port-80"}
    assert len(net.get("networkSecurityGroups/nsg1/defaultSecurityRules")["value"]) == 6
    assert net.get("networkSecurityGroups/nsg1/defaultSecurityRules/DenyAllInBound")["properties"]["access"] == "Deny"
    for changes, code in [({"priority": 99}, "SecurityRuleInvalidPriority"), ({"priority": 900}, "SecurityRuleConflict"),
                          ({"sourceAddressPrefix": "Sql"}, "SecurityRuleInvalidAddressPrefix"),
                          ({"destinationPortRange": "x"}, "SecurityRuleInvalidPortRange"),
                          ({"destinationPortRange": "9-1"}, "SecurityRuleInvalidPortRange"),
                          ({"protocol": "Gre"}, "InvalidParameter"), ({"access": "Maybe"}, "InvalidParameter"),
                          ({"direction": None}, "InvalidParameter")]:
        assert net.refused("networkSecurityGroups/Nsg1/securityRules/x", properties={**rule("x", 500)["properties"], **changes}) == (400, code)
    net.ask("DELETE", "networkSecurityGroups/Nsg1/securityRules/new")
    assert net.ask("DELETE", "networkSecurityGroups/Nsg1/securityRules/new")[0] == 204
    assert net.ask("PATCH", "networkSecurityGroups/Nsg1", {"tags": {"c": "d"}})[2]["tags"] == {"c": "d"}


def test_application_groups(net):
    net.put("applicationSecurityGroups/Web", tags={"a": "b"})
    named = net.put("networkSecurityGroups/Nsg1/securityRules/by-set", properties=rule("", 700, **{
        "sourceAddressPrefix": None, "sourceApplicationSecurityGroups": [{"id": net.id("applicationSecurityGroups/Web")}]})["properties"])
    assert named["properties"]["sourceApplicationSecurityGroups"] == [{"id": net.id("applicationSecurityGroups/Web")}]
    assert "sourceAddressPrefix" not in named["properties"]
    assert net.refused("applicationSecurityGroups/Web", "DELETE") == (400, "ApplicationSecurityGroupCannotBeDeleted")
    assert net.ask("DELETE", "networkSecurityGroups/Nsg1/securityRules/by-set")[0] == 200


def test_public_addresses(net, ec2):
    basic = net.put("publicIPAddresses/basic", properties={"publicIPAllocationMethod": None, "idleTimeoutInMinutes": 9})
    assert basic["sku"] == {"name": "Basic", "tier": "Regional"} and basic["properties"]["publicIPAllocationMethod"] == "Dynamic"
    assert "ipAddress" not in basic["properties"] and basic["properties"]["idleTimeoutInMinutes"] == 9
    standard = net.put("publicIPAddresses/standard", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"})
    assert standard["sku"]["name"] == "Standard" and standard["properties"]["ipAddress"]
    assert standard["properties"]["ipAddress"] in [a["PublicIp"] for a in ec2.describe_addresses()["Addresses"]]
    assert net.refused("publicIPAddresses/x", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Dynamic"})[0] == 400
    assert net.refused("publicIPAddresses/basic", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"}) == (
        409, "PropertyChangeNotAllowed")
    assert net.refused("publicIPAddresses/x", properties={"publicIPAddressVersion": "IPv6"}) == (409, "OperationNotAllowed")
    assert net.ask("PATCH", "publicIPAddresses/basic", {"tags": {"c": "d"}})[2]["tags"] == {"c": "d"}


def test_interfaces(net, ec2):
    default = net.id("virtualNetworks/Vnet1/subnets/default")
    made = net.put("networkInterfaces/Nic1", tags={"a": "b"}, properties={
        "enableIPForwarding": True, "networkSecurityGroup": {"id": net.id("networkSecurityGroups/nsg1")},
        "ipConfigurations": [
            config(default, primary=True, publicIPAddress={"id": net.id("publicIPAddresses/STANDARD")}, privateIPAllocationMethod="Static",
                   privateIPAddress="10.0.0.40", applicationSecurityGroups=[{"id": net.id("applicationSecurityGroups/web")}]),
            config(default, "second"), config(default, "third", privateIPAllocationMethod="Static", privateIPAddress="10.0.0.50")]})
    configs = {c["name"]: c["properties"] for c in made["properties"]["ipConfigurations"]}
    assert configs["ipconfig1"]["privateIPAddress"] == "10.0.0.40" and configs["third"]["privateIPAddress"] == "10.0.0.50"
    assert configs["second"]["privateIPAllocationMethod"] == "Dynamic" and configs["second"]["privateIPAddress"].startswith("10.0.0.")
    assert configs["ipconfig1"]["publicIPAddress"]["id"] == net.id("publicIPAddresses/standard")
    assert made["properties"]["networkSecurityGroup"] == {"id": net.id("networkSecurityGroups/Nsg1")}
    assert made["properties"]["enableIPForwarding"] is True
    interface, = ec2.describe_network_interfaces(Filters=[{"Name": "tag:a", "Values": ["b"]}])["NetworkInterfaces"]
    assert len(interface["PrivateIpAddresses"]) == 3 and interface["SourceDestCheck"] is False
    assert net.put("networkInterfaces/Nic1", 200, **{k: made[k] for k in ("tags", "properties")}) == made
    # the public address moves to another configuration, and a third one is removed
    one, two = made["properties"]["ipConfigurations"][:2]
    two["properties"]["publicIPAddress"] = one["properties"].pop("publicIPAddress")
    del one["properties"]["applicationSecurityGroups"]
    two["properties"].pop("applicationSecurityGroups", None)
    changed = net.put("networkInterfaces/Nic1", 200, properties={"ipConfigurations": [one, two]})
    configs = {c["name"]: c["properties"] for c in changed["properties"]["ipConfigurations"]}
    assert set(configs) == {"ipconfig1", "second"} and "publicIPAddress" in configs["second"] and "publicIPAddress" not in configs["ipconfig1"]
    assert "networkSecurityGroup" not in changed["properties"]
    address = net.get("publicIPAddresses/standard")
    assert address["properties"]["ipConfiguration"]["id"] == net.id("networkInterfaces/Nic1/ipConfigurations/second")
    assert net.refused("publicIPAddresses/standard", "DELETE") == (400, "PublicIPAddressCannotBeDeleted")
    assert net.refused("virtualNetworks/Vnet1/subnets/default", "DELETE") == (400, "InUseSubnetCannotBeDeleted")
    bad = [([], "InvalidParameter"), ([config(default, privateIPAllocationMethod="Static", privateIPAddress="10.0.0.40")], "PrivateIPAddressInUse"),
           ([config(default, privateIPAllocationMethod="Static", privateIPAddress="10.0.7.40")], "PrivateIPAddressNotInSubnet"),
           ([config(default, publicIPAddress={"id": net.id("publicIPAddresses/standard")})], "PublicIPAddressInUse"),
           ([config(default, privateIPAllocationMethod="Static")], "InvalidParameter"),
           ([config(net.id("virtualNetworks/Vnet1/subnets/none"))], "InvalidResourceReference"),
           ([config("x")], "LinkedInvalidPropertyId"), ([config(default), config(default)], "InvalidRequestFormat")]
    for configs, code in bad:
        assert net.refused("networkInterfaces/x", properties={"ipConfigurations": configs}) == (400, code), configs


def test_route_tables(net, ec2):
    made = net.put("routeTables/Table", properties={"disableBgpRoutePropagation": True, "routes": [
        {"name": "out", "properties": {"addressPrefix": "198.51.100.0/24", "nextHopType": "None"}},
        {"name": "by", "properties": {"addressPrefix": "192.0.2.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.0.0.40"}}]})
    assert {r["name"]: r["properties"]["nextHopType"] for r in made["properties"]["routes"]} == {"out": "None", "by": "VirtualAppliance"}
    assert net.put("routeTables/Table", 200, properties=made["properties"]) == made
    changed = net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={
        "addressPrefix": "10.2.0.0/24", "routeTable": {"id": net.id("routeTables/table")}})
    assert changed["properties"]["routeTable"] == {"id": net.id("routeTables/Table")}
    assert net.get("routeTables/Table")["properties"]["subnets"] == [{"id": net.id("virtualNetworks/Vnet1/subnets/other")}]
    net.put("routeTables/Table/routes/default", properties={"addressPrefix": "0.0.0.0/0", "nextHopType": "Internet"})

    def routes():
        subnet_id = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.2.0.0/24"]}])["Subnets"][0]["SubnetId"]
        table, = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet_id]}])["RouteTables"]
        return {r["DestinationCidrBlock"]: r for r in table["Routes"] if r.get("GatewayId") != "local"}
    seen = routes()
    assert set(seen) == {"0.0.0.0/0", "198.51.100.0/24", "192.0.2.0/24"}
    assert seen["0.0.0.0/0"]["GatewayId"].startswith("igw-") and seen["192.0.2.0/24"]["NetworkInterfaceId"].startswith("eni-")
    assert seen["198.51.100.0/24"]["State"] == "blackhole"
    assert net.refused("routeTables/Table", "DELETE") == (400, "InUseRouteTableCannotBeDeleted")
    for properties, code in [({"addressPrefix": "Storage", "nextHopType": "None"}, "InvalidParameter"),
                             ({"addressPrefix": "192.0.3.0/24", "nextHopType": "VirtualAppliance"}, "InvalidParameter"),
                             ({"addressPrefix": "192.0.3.0/24", "nextHopType": "VirtualNetworkGateway"}, "InvalidParameter"),
                             ({"addressPrefix": "192.0.3.0/24", "nextHopType": "None", "nextHopIpAddress": "10.0.0.4"}, "InvalidParameter")]:
        assert net.refused("routeTables/Table/routes/x", properties=properties) == (400, code)
    assert net.ask("DELETE", "routeTables/Table/routes/out")[0] == 200 and "198.51.100.0/24" not in routes()
    net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={"addressPrefix": "10.2.0.0/24"})
    net.delete("routeTables/Table")


def test_nat_gateways(net):
    net.put("publicIPAddresses/nat", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"})
    made = net.put("natGateways/Nat", sku={"name": "Standard"}, properties={
        "idleTimeoutInMinutes": 10, "publicIpAddresses": [{"id": net.id("publicIPAddresses/nat")}]})
    assert made["properties"]["publicIpAddresses"] == [{"id": net.id("publicIPAddresses/nat")}] and made["properties"]["subnets"] == []
    net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={
        "addressPrefix": "10.2.0.0/24", "natGateway": {"id": net.id("natGateways/nat")},
        "networkSecurityGroup": {"id": net.id("networkSecurityGroups/Nsg1")}})
    assert net.get("natGateways/Nat")["properties"]["subnets"] == [{"id": net.id("virtualNetworks/Vnet1/subnets/other")}]
    assert net.get("publicIPAddresses/nat")["properties"]["natGateway"] == {"id": net.id("natGateways/Nat")}
    assert net.refused("natGateways/Nat", "DELETE") == (400, "InUseNatGatewayCannotBeDeleted")
    assert net.refused("networkSecurityGroups/Nsg1", "DELETE") == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    assert net.refused("publicIPAddresses/nat", "DELETE") == (400, "PublicIPAddressCannotBeDeleted")
    assert net.refused("natGateways/x", properties={"publicIpAddresses": [{"id": net.id("publicIPAddresses/standard")}]}) == (
        400, "PublicIPAddressInUse")
    net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={"addressPrefix": "10.2.0.0/24"})
    net.delete("natGateways/Nat")
    net.delete("publicIPAddresses/nat")


def test_public_ip_prefixes(net, ec2):
    """An address block: addresses taken from it, its reservation, and what prevents its deletion."""
    standard, static = {"sku": {"name": "Standard"}}, {"publicIPAllocationMethod": "Static"}
    made = net.put("publicIPPrefixes/Block", **standard, tags={"a": "b"}, zones=["1"], properties={
        "prefixLength": 30, "publicIPAddressVersion": "IPv4", "ipTags": [], "publicIPAddresses": None})
    block = ipaddress.ip_network(made["properties"]["ipPrefix"])
    assert block.prefixlen == made["properties"]["prefixLength"] == 30 and made["sku"] == {"name": "Standard", "tier": "Regional"}
    assert made["zones"] == ["1"] and "publicIPAddresses" not in made["properties"]
    assert net.put("publicIPPrefixes/Block", 200, **made) == made
    assert net.ask("PATCH", "publicIPPrefixes/block", {"tags": {"c": "d"}})[2]["tags"] == {"c": "d"}
    for properties, code in [({"prefixLength": 24}, "SpecifiedPrefixLengthNotSupported"), ({}, "SpecifiedPrefixLengthNotSupported"),
                             ({"prefixLength": -1}, "SpecifiedPrefixLengthNotSupported"), ({"prefixLength": 1 << 40}, "SpecifiedPrefixLengthNotSupported")]:
        assert net.refused("publicIPPrefixes/x", properties=properties) == (400, code), properties
    assert net.refused("publicIPPrefixes/block", properties={"prefixLength": 31}) == (409, "PropertyChangeNotAllowed")
    assert net.refused("publicIPPrefixes/x", properties={"prefixLength": 127, "publicIPAddressVersion": "IPv6"}) == (409, "OperationNotAllowed")

    source = {"publicIPPrefix": {"id": net.id("publicIPPrefixes/BLOCK")}}
    named = net.put("publicIPAddresses/from-block", **standard, properties={**static, **source, "ipAddress": str(block[2])})
    assert named["properties"]["ipAddress"] == str(block[2])
    assert named["properties"]["publicIPPrefix"] == {"id": net.id("publicIPPrefixes/Block")}
    assert net.put("publicIPAddresses/from-block", 200, **named) == named
    assert net.get("publicIPPrefixes/block")["properties"]["publicIPAddresses"] == [{"id": net.id("publicIPAddresses/from-block")}]
    for body, code in [({**standard, "properties": {**static, **source, "ipAddress": str(block[2])}}, (400, "PublicIPAddressInUse")),
                       ({**standard, "properties": {**static, **source, "ipAddress": "192.0.2.1"}}, (400, "InvalidParameter")),
                       ({**standard, "properties": {**static, **source, "ipAddress": "nowhere"}}, (400, "InvalidParameter")),
                       ({"properties": source}, (400, "PublicIPAddressPublicIpPrefixSkuMismatch")),
                       ({**standard, "properties": {**static, "publicIPPrefix": {"id": "x"}}}, (400, "LinkedInvalidPropertyId"))]:
        assert net.refused("publicIPAddresses/x", **body) == code, body
    rest = [net.put(f"publicIPAddresses/rest{n}", **standard, properties={**static, **source})["properties"]["ipAddress"] for n in range(3)]
    assert sorted(map(ipaddress.ip_address, rest + [str(block[2])])) == list(block)
    assert net.refused("publicIPAddresses/x", **standard, properties={**static, **source}) == (400, "PublicIpPrefixOutOfIpAddresses")
    assert {a["PublicIpv4Pool"] for a in ec2.describe_addresses(PublicIps=rest)["Addresses"]} != {"amazon"}

    # an address of the prefix can be associated like any other
    net.put("networkInterfaces/drawn", properties={"ipConfigurations": [
        config(net.id("virtualNetworks/Vnet1/subnets/other"), publicIPAddress={"id": net.id("publicIPAddresses/from-block")})]})
    assert net.refused("publicIPAddresses/from-block", "DELETE") == (400, "PublicIPAddressCannotBeDeleted")
    assert net.refused("publicIPPrefixes/block", "DELETE") == (400, "InUsePublicIpPrefixCannotBeDeleted")
    net.delete("networkInterfaces/drawn")
    for name in ["from-block", "rest0", "rest1", "rest2"]:
        net.delete(f"publicIPAddresses/{name}")
    net.delete("publicIPPrefixes/block")
    assert net.ask("DELETE", "publicIPPrefixes/block")[0] == 204


def test_a_nat_gateway_has_a_prefix(net, ec2):
    """A NAT gateway uses all addresses of a prefix, which other faces do not see."""
    block, gateway = {"id": net.id("publicIPPrefixes/ways-out")}, {"id": net.id("natGateways/Block")}
    made = net.put("publicIPPrefixes/ways-out", properties={"prefixLength": 30})
    addresses = [str(ip) for ip in ipaddress.ip_network(made["properties"]["ipPrefix"])]
    nat = net.put("natGateways/Block", sku={"name": "Standard"}, properties={"publicIpPrefixes": [block]})
    assert nat["properties"]["publicIpPrefixes"] == [block] and nat["properties"]["publicIpAddresses"] == []
    assert net.put("natGateways/Block", 200, **nat) == nat
    shown = net.get("publicIPPrefixes/ways-out")
    assert shown["properties"]["natGateway"] == gateway and net.put("publicIPPrefixes/ways-out", 200, **shown) == shown
    net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={"addressPrefix": "10.2.0.0/24", "natGateway": gateway})
    assert not set(addresses) & {a["PublicIp"] for a in ec2.describe_addresses()["Addresses"]}
    listed = net.cloud.ask("GET", f"{net.at}/publicIPAddresses", VERSION)[2]["value"]
    assert not set(addresses) & {a["properties"].get("ipAddress") for a in listed}
    assert net.refused("publicIPAddresses/x", sku={"name": "Standard"}, properties={
        "publicIPAllocationMethod": "Static", "publicIPPrefix": block}) == (400, "PublicIpPrefixOutOfIpAddresses")
    assert net.refused("publicIPPrefixes/ways-out", "DELETE") == (400, "InUsePublicIpPrefixCannotBeDeleted")
    assert net.refused("natGateways/x", properties={"publicIpPrefixes": [block]}) == (400, "PublicIPPrefixInUse")
    assert net.refused("publicIPPrefixes/x", properties={"prefixLength": 31, "natGateway": gateway}) == (409, "PropertyChangeNotAllowed")
    net.put("virtualNetworks/Vnet1/subnets/other", 200, properties={"addressPrefix": "10.2.0.0/24"})
    net.put("natGateways/Block", 200, sku={"name": "Standard"}, properties={"publicIpPrefixes": []})
    assert "natGateway" not in net.get("publicIPPrefixes/ways-out")["properties"]
    net.delete("natGateways/Block")
    net.delete("publicIPPrefixes/ways-out")


def test_prefixes_move_and_are_locked(net):
    """A prefix moves to another group, can be locked, and is deleted with its group."""
    other = f"{net.group}-other"
    assert net.cloud.ask("PUT", other, "2021-04-01", body={"location": "useast1"})[0] == 201
    net.put("publicIPPrefixes/movable", properties={"prefixLength": 31})
    net.put("publicIPAddresses/moved", sku={"name": "Standard"}, properties={
        "publicIPAllocationMethod": "Static", "publicIPPrefix": {"id": net.id("publicIPPrefixes/movable")}})
    assert net.cloud.ask("POST", f"{net.group}/moveResources", "2021-04-01", body={
        "resources": [net.id("publicIPPrefixes/movable")], "targetResourceGroup": other})[0] in (202, 204)
    there = f"{other}/providers/Microsoft.Network/publicIPPrefixes/movable"
    assert net.get("publicIPAddresses/moved")["properties"]["publicIPPrefix"] == {"id": there}
    listed = net.cloud.ask("GET", f"{other}/resources", "2021-04-01")[2]["value"]
    assert [(r["name"], r["type"]) for r in listed] == [("movable", "Microsoft.Network/publicIPPrefixes")]
    lock = f"{there}/providers/Microsoft.Authorization/locks/l"
    net.cloud.ask("PUT", lock, "2016-09-01", body={"properties": {"level": "CanNotDelete"}})
    net.delete("publicIPAddresses/moved")
    status, _, answer = net.cloud.ask("DELETE", there, VERSION)
    assert (status, answer["error"]["code"]) == (409, "ScopeLocked")
    net.cloud.ask("DELETE", lock, "2016-09-01")
    net.cloud.done("DELETE", other, "2021-04-01")
    assert net.cloud.ask("GET", there, VERSION)[0] == 404


def test_peerings(net, ec2):
    net.put("virtualNetworks/far", properties={**space("10.77.0.0/16"), "subnets": [subnet("a", "10.77.0.0/24")]})
    there = {"remoteVirtualNetwork": {"id": net.id("virtualNetworks/far")}, "allowForwardedTraffic": True}
    here = {"remoteVirtualNetwork": {"id": net.id("virtualNetworks/Vnet1")}}
    first = net.put("virtualNetworks/Vnet1/virtualNetworkPeerings/to-far", properties=there)
    assert first["properties"]["peeringState"] == "Initiated" and first["properties"]["allowForwardedTraffic"] is True
    second = net.put("virtualNetworks/far/virtualNetworkPeerings/back", properties=here)
    assert second["properties"]["peeringState"] == "Connected"
    assert second["properties"]["remoteAddressSpace"]["addressPrefixes"] == ["10.0.0.0/16", "10.2.0.0/16"]
    listed, = net.get("virtualNetworks/Vnet1/virtualNetworkPeerings")["value"]
    assert listed["properties"]["peeringState"] == "Connected"
    peering, = [p for p in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] if p["Status"]["Code"] in ("active", "provisioning")]
    routes = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [peering["AccepterVpcInfo"]["VpcId"]]}])["RouteTables"][0]["Routes"]
    assert any(r.get("VpcPeeringConnectionId") == peering["VpcPeeringConnectionId"] for r in routes)
    net.put("virtualNetworks/near", properties=space("10.2.0.0/20"))
    for path, remote, code in [("Vnet1/virtualNetworkPeerings/x", "near", "VnetAddressSpacesOverlap"),
                               ("Vnet1/virtualNetworkPeerings/x", "far", "AnotherPeeringAlreadyReferencesRemoteVnet"),
                               ("Vnet1/virtualNetworkPeerings/x", "Vnet1", "InvalidParameter")]:
        assert net.refused(f"virtualNetworks/{path}", properties={
            "remoteVirtualNetwork": {"id": net.id(f"virtualNetworks/{remote}")}}) == (400, code)
    net.delete("virtualNetworks/far/virtualNetworkPeerings/back")
    assert net.get("virtualNetworks/Vnet1/virtualNetworkPeerings/to-far")["properties"]["peeringState"] == "Disconnected"
    net.delete("virtualNetworks/near")
    net.delete("virtualNetworks/far")


def front(name, **properties):
    return {"name": name, "properties": properties}


def balancing(net, frontends, rules, probes=(), inward=(), of="lb"):
    """Properties of a load balancer with rules (name, frontend, port, to, probe)."""
    def part(kind, name):
        return {"id": net.id(f"loadBalancers/{of}/{kind}/{name}")}
    return {"frontendIPConfigurations": frontends, "backendAddressPools": [{"name": "pool"}],
            "probes": [{"name": name, "properties": {"protocol": protocol, "port": port, "intervalInSeconds": 15, "numberOfProbes": 2}}
                       for name, protocol, port in probes],
            "loadBalancingRules": [{"name": name, "properties": {
                "frontendIPConfiguration": part("frontendIPConfigurations", at), "backendAddressPool": part("backendAddressPools", "pool"),
                "protocol": "Tcp", "frontendPort": port, "backendPort": to, **({"probe": part("probes", probe)} if probe else {})}}
                for name, at, port, to, probe in rules],
            "inboundNatRules": [{"name": name, "properties": {
                "frontendIPConfiguration": part("frontendIPConfigurations", at), "protocol": "Tcp", "frontendPort": port, "backendPort": 22}}
                for name, at, port in inward]}


def test_load_balancers(net, ec2):
    net.put("virtualNetworks/Balanced", properties={**space("10.5.0.0/16"), "subnets": [
        subnet("one", "10.5.1.0/24"), subnet("two", "10.5.2.0/24")]})
    net.put("publicIPAddresses/lb", sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"})
    one, two = ({"id": net.id(f"virtualNetworks/Balanced/subnets/{name}")} for name in ("one", "two"))
    public = front("out", publicIPAddress={"id": net.id("publicIPAddresses/lb")})
    probes = [("ssh", "Tcp", 22), ("web", "Http", 80), ("far", "Tcp", 81)]
    says = balancing(net, [public, front("in", subnet=one), front("fixed", subnet=two, privateIPAllocationMethod="Static",
                                                                  privateIPAddress="10.5.2.9")],
                     [("a", "out", 2222, 22, "ssh"), ("b", "in", 2222, 22, "ssh"), ("c", "fixed", 2222, 22, None)], probes)
    made = net.put("loadBalancers/lb", sku={"name": "Standard"}, properties=says)
    fronts = {f["name"]: f["properties"] for f in made["properties"]["frontendIPConfigurations"]}
    assert fronts["out"]["privateIPAllocationMethod"] == "Dynamic" and "privateIPAddress" not in fronts["out"]
    assert fronts["in"]["privateIPAddress"].startswith("10.5.1.") and fronts["in"]["privateIPAllocationMethod"] == "Dynamic"
    assert fronts["fixed"]["privateIPAddress"] == "10.5.2.9" and fronts["fixed"]["subnet"] == two
    assert [p["name"] for p in made["properties"]["probes"]] == ["ssh", "web", "far"]
    again = net.put("loadBalancers/lb", 200, sku={"name": "Standard"}, properties=made["properties"])["properties"]
    assert {f["name"]: f["properties"] for f in again["frontendIPConfigurations"]} == fronts
    # a frontend's address in its subnet is an interface, which nobody may change
    interfaces = ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": ["10.5.2.9"]}])["NetworkInterfaces"]
    assert len(interfaces) == 1
    with pytest.raises(ec2.exceptions.ClientError, match="permission"):
        ec2.delete_network_interface(NetworkInterfaceId=interfaces[0]["NetworkInterfaceId"])
    assert net.get("networkInterfaces")["value"] == [] or "10.5.2.9" not in str(net.get("networkInterfaces"))
    assert net.refused("virtualNetworks/Balanced/subnets/two", "DELETE") == (400, "InUseSubnetCannotBeDeleted")
    nic = net.put("networkInterfaces/member", properties={"ipConfigurations": [
        config(one["id"], loadBalancerBackendAddressPools=[{"id": net.id("loadBalancers/lb/backendAddressPools/pool")}])]})
    pool, = net.get("loadBalancers/lb")["properties"]["backendAddressPools"]
    assert pool["properties"]["backendIPConfigurations"] == [{"id": nic["properties"]["ipConfigurations"][0]["id"]}]
    for frontends, rules, inward, code in [
            ([public], [("a", "out", 80, 80, "web")], (), (409, "OperationNotAllowed")),
            ([public], [("a", "out", 80, 8080, "far")], (), (409, "OperationNotAllowed")),
            ([public], [("a", "out", 80, 80, "none")], (), (400, "InvalidResourceReference")),
            ([front("out")], [], (), (400, "InvalidParameter")),
            ([front("in", subnet=one)], [], [("n", "in", 22)], (409, "OperationNotAllowed")),
            ([front("in", subnet=one, privateIPAllocationMethod="Static")], [], (), (400, "InvalidParameter")),
            ([front("in", subnet=one, privateIPAllocationMethod="Static", privateIPAddress="10.5.7.7")], [], (),
             (400, "PrivateIPAddressNotInSubnet")),
            ([front("in", subnet={"id": net.id("virtualNetworks/Balanced/subnets/none")})], [], (), (400, "InvalidResourceReference"))]:
        refused = net.refused("loadBalancers/lb", sku={"name": "Standard"}, properties=balancing(net, frontends, rules, probes, inward))
        assert refused == code, (frontends, rules)
    # removing the private frontends frees their addresses
    net.put("loadBalancers/lb", 200, sku={"name": "Standard"}, properties=balancing(net, [public], [("a", "out", 2222, 22, "ssh")], probes))
    net.cloud.done("DELETE", net.id("loadBalancers/lb"), VERSION)
    net.delete("networkInterfaces/member")
    net.delete("virtualNetworks/Balanced")
    net.delete("publicIPAddresses/lb")


def test_labels(net):
    made = net.put("publicIPAddresses/named", sku={"name": "Standard"}, properties={
        "publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "WebShop", "reverseFqdn": "shop.example.com."}})
    assert made["properties"]["dnsSettings"] == {"domainNameLabel": "webshop", "fqdn": "webshop.us-east-1.cloudapp.internal",
                                                 "reverseFqdn": "shop.example.com"}
    for label, code in [("webshop", "DnsRecordInUse"), ("a", "InvalidDomainNameLabel"), ("1ab", "InvalidDomainNameLabel"),
                        ("a_b", "InvalidDomainNameLabel"), ("ab-", "InvalidDomainNameLabel"), ("a" * 64, "InvalidDomainNameLabel")]:
        assert net.refused("publicIPAddresses/x", properties={"dnsSettings": {"domainNameLabel": label}}) == (400, code), label
    gone = net.put("publicIPAddresses/named", 200, sku={"name": "Standard"}, properties={"publicIPAllocationMethod": "Static"})
    assert "dnsSettings" not in gone["properties"]
    net.delete("publicIPAddresses/named")


def test_etags(net):
    """A conditional change is refused if the resource's etag differs."""
    def ask(method, path, headers, body=None):
        return net.cloud.ask(method, net.id(path), VERSION, body=body, **headers)
    body = {"location": "useast1", "properties": {"securityRules": [rule("one", 500)]}}
    status, headers, made = ask("PUT", "networkSecurityGroups/tagged", {"If-None-Match": "*"}, body)
    assert status == 201 and headers["ETag"] == made["etag"]
    assert ask("PUT", "networkSecurityGroups/tagged", {"If-None-Match": "*"}, body)[2]["error"]["code"] == "PreconditionFailed"
    assert ask("PUT", "networkSecurityGroups/absent", {"If-Match": "*"}, body)[0] == 412
    body["properties"]["securityRules"].append(rule("two", 501))
    status, _, changed = ask("PUT", "networkSecurityGroups/tagged", {"If-Match": made["etag"]}, body)
    assert status == 200 and changed["etag"] != made["etag"]
    for method, body in [("PUT", body), ("PATCH", {"tags": {"a": "b"}}), ("DELETE", None)]:
        status, _, answer = ask(method, "networkSecurityGroups/tagged", {"If-Match": made["etag"]}, body)
        assert status == 412 and answer["error"]["code"] == "PreconditionFailed", method
    assert net.get("networkSecurityGroups/tagged") == changed
    # of several concurrent requests one creates it, and one changes it
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        made = [f.result()[0] for f in [pool.submit(ask, "PUT", "networkSecurityGroups/raced", {"If-None-Match": "*"}, {"location": "useast1"})
                                        for _ in range(24)]]
        etag = net.get("networkSecurityGroups/raced")["etag"]
        moved = [f.result()[0] for f in [pool.submit(ask, "PUT", "networkSecurityGroups/raced", {"If-Match": etag},
                                                     {"location": "useast1", "properties": {"securityRules": [rule("one", 500 + n)]}})
                                         for n in range(24)]]
    assert sorted(made) == [201] + [412] * 23 and sorted(moved) == [200] + [412] * 23
    assert ask("DELETE", "networkSecurityGroups/tagged", {"If-Match": changed["etag"]})[0] in (200, 202)


def test_what_is_said_again_changes_nothing(net):
    """Repeating a PUT, or sending back its answer, keeps the etags of the resource and of its parts."""
    def ref(path):
        return {"id": net.id(path)}
    standard = {"sku": {"name": "Standard"}}
    public = front("out", publicIPAddress=ref("publicIPAddresses/a-front"))
    member = config(net.id("virtualNetworks/a-net/subnets/one"), applicationSecurityGroups=[ref("applicationSecurityGroups/a-web")],
                    loadBalancerBackendAddressPools=[ref("loadBalancers/a-lb/backendAddressPools/pool")])
    made = [
        ("applicationSecurityGroups/a-web", {}),
        ("networkSecurityGroups/a-group", {"tags": {"a": "b"}, "properties": {"securityRules": [rule("one", 500), rule("two", 501)]}}),
        ("routeTables/a-table", {"properties": {"routes": [{"name": "one", "properties": {
            "addressPrefix": "10.77.0.0/16", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.6.1.7"}}]}}),
        ("publicIPAddresses/a-front", {**standard, "properties": {"publicIPAllocationMethod": "Static"}}),
        ("publicIPAddresses/a-nat", {**standard, "properties": {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "saidagain"}}}),
        ("publicIPPrefixes/a-block", {**standard, "tags": {"a": "b"}, "zones": ["1", "2"], "properties": {"prefixLength": 31}}),
        ("publicIPAddresses/a-drawn", {**standard, "properties": {
            "publicIPAllocationMethod": "Static", "publicIPPrefix": ref("publicIPPrefixes/a-block")}}),
        ("publicIPPrefixes/a-nat", {"properties": {"prefixLength": 31}}),
        ("natGateways/a-nat", {**standard, "properties": {
            "publicIpAddresses": [ref("publicIPAddresses/a-nat")], "publicIpPrefixes": [ref("publicIPPrefixes/a-nat")]}}),
        ("virtualNetworks/a-net", {"properties": {**space("10.6.0.0/16"), "subnets": [
            subnet("one", "10.6.1.0/24", networkSecurityGroup=ref("networkSecurityGroups/a-group"), routeTable=ref("routeTables/a-table")),
            subnet("two", "10.6.2.0/24", natGateway=ref("natGateways/a-nat"))]}}),
        ("loadBalancers/a-lb", {**standard, "properties": balancing(
            net, [public, front("in", subnet=ref("virtualNetworks/a-net/subnets/two"))],
            [("a", "out", 2222, 22, "ssh"), ("b", "in", 2222, 22, "ssh")], [("ssh", "Tcp", 22)], [("n", "out", 2200)], "a-lb")}),
        ("networkInterfaces/a-nic", {"tags": {"a": "b"}, "properties": {
            "ipConfigurations": [member], "networkSecurityGroup": ref("networkSecurityGroups/a-group")}})]
    for path, body in made:
        net.put(path, **body)
    for path, body in made:
        before = net.get(path)
        assert net.put(path, 200, **body) == before, path
        told, _, answer = net.ask("PUT", path, before)
        assert told == 200 and answer == before, path
    for path, _ in reversed(made):
        net.delete(path)


def test_its_end(net, ec2):
    assert net.refused("virtualNetworks/Vnet1", "DELETE") == (400, "InUseSubnetCannotBeDeleted")
    group = net.group
    net.put("publicIPPrefixes/left", properties={"prefixLength": 31})
    net.put("publicIPAddresses/left", sku={"name": "Standard"}, properties={
        "publicIPAllocationMethod": "Static", "publicIPPrefix": {"id": net.id("publicIPPrefixes/left")}})
    net.cloud.done("DELETE", group, "2021-04-01")
    assert net.cloud.ask("GET", group, "2021-04-01")[0] == 404
    assert not ec2.describe_network_interfaces(Filters=[{"Name": "tag:a", "Values": ["b"]}])["NetworkInterfaces"]
    assert not [v for v in ec2.describe_vpcs()["Vpcs"] if v["CidrBlock"] == "10.0.0.0/16"]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
