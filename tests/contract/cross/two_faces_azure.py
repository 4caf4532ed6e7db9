#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/api/azure/network src/engine/network
"""Azure's network in the other faces, as docs/mapping.md says: one account's resources, created by Azure's face and read by EC2's, Neutron's and
CloudStack's, and the other way round."""
import ipaddress
import os
import re
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import cloudstack  # noqa: E402
from azure import Azure  # noqa: E402
from dev import Dev  # noqa: E402
from faces import ec2_id, holds  # noqa: E402
from waiting import HANG_S  # noqa: E402

NETWORK, VERSION = "/network/v2.0", "2022-07-01"
STANDARD = {"sku": {"name": "Standard"}}


class Both:
    """An account with its clients of four faces."""

    def __init__(self, dev):
        self.dev, self.project = dev, lib.own(dev)
        self.ec2 = dev.account.client()
        self.azure = Azure(dev, (dev.account.key_id, dev.account.secret))
        self.group = self.azure.machines.split("/resourceGroups/")[0] + "/resourceGroups/faces"
        self.azure.ask("PUT", self.group, {"location": "useast1"}, "2021-04-01")
        self.at = f"{self.group}/providers/Microsoft.Network"

    def put(self, path, **body):
        made = self.azure.ask("PUT", f"{self.at}/{path}", {"location": "useast1", **body}, VERSION)
        self.dev.rest()
        return made

    def part(self, path, properties):
        made = self.azure.ask("PUT", f"{self.at}/{path}", {"properties": properties}, VERSION)
        self.dev.rest()
        return made

    def get(self, path):
        return self.azure.ask("GET", path if path.startswith("/sub") else f"{self.at}/{path}", version=VERSION)

    def list(self, kind):
        return self.azure.ask("GET", f"{self.group.split('/resourceGroups')[0]}/providers/Microsoft.Network/{kind}", version=VERSION)["value"]

    def ref(self, path):
        return {"id": f"{self.at}/{path}"}

    def vpc(self, block):
        return [v["VpcId"] for v in self.ec2.describe_vpcs()["Vpcs"] if v["CidrBlock"] == block]

    def address(self, name):
        made = self.put(f"publicIPAddresses/{name}", **STANDARD, properties={"publicIPAllocationMethod": "Static"})
        return made["properties"]["ipAddress"]


@pytest.fixture(scope="module")
def both():
    with Dev() as dev:
        yield Both(dev)


@pytest.fixture(scope="module")
def network(both):
    both.put("virtualNetworks/v", properties={"addressSpace": {"addressPrefixes": ["10.50.0.0/16"]}, "subnets": [
        {"name": "a", "properties": {"addressPrefix": "10.50.0.0/24"}}, {"name": "b", "properties": {"addressPrefix": "10.50.1.0/24"}}]})
    vpc, = both.vpc("10.50.0.0/16")
    return vpc


def subnets_of(both, vpc):
    return both.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]


@holds("Azure: virtual network, subnet")
def test_a_virtual_network(both, network):
    """A VPC with a way outside, Neutron's router; a VPC of EC2 is a virtual network in the group of unnamed resources."""
    assert {s["CidrBlock"] for s in subnets_of(both, network)} == {"10.50.0.0/24", "10.50.1.0/24"}
    gateway, = both.ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [network]}])["InternetGateways"]
    assert gateway["Attachments"][0]["State"] == "available"
    routers = both.project.ok("GET", f"{NETWORK}/routers")["routers"]
    assert [r for r in routers if ec2_id("vpc", r["id"]) == network and r["external_gateway_info"]]
    assert "10.50.0.0/24" in {s["cidr"] for s in both.project.ok("GET", f"{NETWORK}/subnets")["subnets"]}
    made = both.ec2.create_vpc(CidrBlock="10.51.0.0/16")["Vpc"]["VpcId"]
    shown, = [v for v in both.list("virtualNetworks") if v["name"] == made]
    assert "/resourceGroups/dari-default/" in shown["id"] and shown["properties"]["addressSpace"]["addressPrefixes"] == ["10.51.0.0/16"]


@holds("Azure: network interface", "Azure: network security group", "Azure: application security group")
def test_an_interface(both, network):
    """An interface and a port, in the allow-all group; only Azure's own rules filter it."""
    both.put("networkSecurityGroups/g", properties={"securityRules": []})
    both.put("applicationSecurityGroups/s")
    before = {g["GroupName"] for g in both.ec2.describe_security_groups()["SecurityGroups"]}
    made = both.put("networkInterfaces/n", properties={"networkSecurityGroup": both.ref("networkSecurityGroups/g"), "ipConfigurations": [
        {"name": "c", "properties": {"subnet": both.ref("virtualNetworks/v/subnets/a"), "applicationSecurityGroups": [both.ref("applicationSecurityGroups/s")]}}]})
    ip = made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    shown, = both.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [ip]}, {"Name": "vpc-id", "Values": [network]}])[
        "NetworkInterfaces"]
    assert [g["GroupName"] for g in shown["Groups"]] == ["behind-firewall"]
    ports = [p for p in both.project.ok("GET", f"{NETWORK}/ports")["ports"] if ec2_id("eni", p["id"]) == shown["NetworkInterfaceId"]]
    assert [f["ip_address"] for f in ports[0]["fixed_ips"]] == [ip]
    assert {g["GroupName"] for g in both.ec2.describe_security_groups()["SecurityGroups"]} - before <= {"behind-firewall"}
    assert {"g", "s"}.isdisjoint(g["name"] for g in both.project.ok("GET", f"{NETWORK}/security-groups")["security_groups"])
    subnet = next(s["SubnetId"] for s in subnets_of(both, network) if s["CidrBlock"] == "10.50.0.0/24")
    other = both.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assert [i for i in both.list("networkInterfaces") if i["name"] == other and "networkSecurityGroup" not in i["properties"]]


@holds("Azure: public IP address", "Azure: NAT gateway")
def test_addresses(both, network):
    """An elastic, floating and public IP address; a NAT gateway's address is in use, without an association."""
    ip = both.address("p")
    elastic, = both.ec2.describe_addresses(PublicIps=[ip])["Addresses"]
    assert "AssociationId" not in elastic
    assert ip in {f["floating_ip_address"] for f in both.project.ok("GET", f"{NETWORK}/floatingips")["floatingips"]}
    assert ip in {a["ipaddress"] for a in cloudstack.ok(both.dev, "listPublicIpAddresses")["publicipaddress"]}
    out = both.address("out")
    both.put("natGateways/w", **STANDARD, properties={"publicIpAddresses": [both.ref("publicIPAddresses/out")]})
    both.part("virtualNetworks/v/subnets/b", {"addressPrefix": "10.50.1.0/24", "natGateway": both.ref("natGateways/w")})
    assert both.ec2.describe_nat_gateways(Filters=[{"Name": "vpc-id", "Values": [network]}])["NatGateways"] == []
    held, = both.ec2.describe_addresses(PublicIps=[out])["Addresses"]
    assert "AssociationId" not in held
    with pytest.raises(both.ec2.exceptions.ClientError):
        both.ec2.release_address(AllocationId=held["AllocationId"])
    other = both.ec2.allocate_address(Domain="vpc")
    assert [a for a in both.list("publicIPAddresses") if a["properties"].get("ipAddress") == other["PublicIp"]]


@holds("Azure: public IP prefix")
def test_a_prefix(both):
    """All of its addresses are reserved; EC2 shows the pool of an address from it, the other faces a plain address."""
    def taken():
        with urllib.request.urlopen(both.dev.url + "/metrics", timeout=HANG_S) as answer:
            return int(re.search(r'^dari_pool_used\{pool="public_addresses"\} (\d+)$', answer.read().decode(), re.MULTILINE)[1])
    before = taken()
    block = ipaddress.ip_network(both.put("publicIPPrefixes/block", **STANDARD, properties={"prefixLength": 30})["properties"]["ipPrefix"])
    ip = str(block[2])
    assert taken() == before + 4
    with pytest.raises(both.ec2.exceptions.ClientError, match="is allocated already"):
        both.ec2.allocate_address(Domain="vpc", Address=ip)
    drawn = both.put("publicIPAddresses/drawn", **STANDARD, properties={
        "publicIPAllocationMethod": "Static", "ipAddress": ip, "publicIPPrefix": both.ref("publicIPPrefixes/block")})
    assert drawn["properties"]["ipAddress"] == ip and taken() == before + 4
    row, = [r for r in both.project.call("GET", "/api/v1/address-prefixes").json["items"] if r["block"] == str(block)]
    elastic, = both.ec2.describe_addresses(PublicIps=[ip])["Addresses"]
    assert elastic["PublicIpv4Pool"] == ec2_id("ipv4pool-ec2", row["id"])
    assert ip in {f["floating_ip_address"] for f in both.project.ok("GET", f"{NETWORK}/floatingips")["floatingips"]}
    assert ip in {a["ipaddress"] for a in cloudstack.ok(both.dev, "listPublicIpAddresses")["publicipaddress"]}
    both.ec2.release_address(AllocationId=elastic["AllocationId"])
    both.dev.rest()
    assert "publicIPAddresses" not in both.get("publicIPPrefixes/block")["properties"] and taken() == before + 4
    with pytest.raises(both.ec2.exceptions.ClientError, match="is allocated already"):
        both.ec2.allocate_address(Domain="vpc", Address=ip)
    both.azure.ask("DELETE", f"{both.at}/publicIPPrefixes/block", version=VERSION)
    assert taken() == before and both.ec2.allocate_address(Domain="vpc", Address=ip)["PublicIp"] == ip


@holds("Azure: route table, route")
def test_a_route_table(both, network):
    """A plan, from which each network where a subnet uses it gets a route table."""
    def tables():
        return both.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [network]}])["RouteTables"]
    before = len(tables())
    both.put("routeTables/t", properties={"routes": [{"name": "r", "properties": {"addressPrefix": "192.0.2.0/24", "nextHopType": "None"}}]})
    assert len(tables()) == before
    both.part("virtualNetworks/v/subnets/a", {"addressPrefix": "10.50.0.0/24", "routeTable": both.ref("routeTables/t")})
    mine, = [t for t in tables() if [r for r in t["Routes"] if r.get("DestinationCidrBlock") == "192.0.2.0/24"]]
    subnet = next(s["SubnetId"] for s in subnets_of(both, network) if s["CidrBlock"] == "10.50.0.0/24")
    assert len(tables()) == before + 1 and [a["SubnetId"] for a in mine["Associations"]] == [subnet]
    both.part("virtualNetworks/v/subnets/a", {"addressPrefix": "10.50.0.0/24"})
    assert len(tables()) == before


@holds("Azure: virtual network peering")
def test_a_peering(both, network):
    """One side alone is invisible elsewhere; both sides are an active peering."""
    def peerings():
        return [p for p in both.ec2.describe_vpc_peering_connections()["VpcPeeringConnections"] if p["Status"]["Code"] == "active"]
    both.put("virtualNetworks/w", properties={"addressSpace": {"addressPrefixes": ["10.52.0.0/16"]}})
    both.part("virtualNetworks/v/virtualNetworkPeerings/x", {"remoteVirtualNetwork": both.ref("virtualNetworks/w")})
    assert peerings() == []
    both.part("virtualNetworks/w/virtualNetworkPeerings/y", {"remoteVirtualNetwork": both.ref("virtualNetworks/v")})
    made, = peerings()
    assert {made["RequesterVpcInfo"]["VpcId"], made["AccepterVpcInfo"]["VpcId"]} == {network, *both.vpc("10.52.0.0/16")}


@holds("Azure: load balancer", "Azure: inbound NAT rule")
def test_a_load_balancer(both, network):
    """Each rule of a public frontend is a CloudStack rule; an inbound rule is a port forwarding once an interface uses it."""
    ip = both.address("front")
    at = f"{both.at}/loadBalancers/l"
    frontend, pool = {"id": f"{at}/frontendIPConfigurations/f"}, {"id": f"{at}/backendAddressPools/b"}
    both.put("loadBalancers/l", **STANDARD, properties={
        "frontendIPConfigurations": [{"name": "f", "properties": {"publicIPAddress": both.ref("publicIPAddresses/front")}}],
        "backendAddressPools": [{"name": "b"}],
        "loadBalancingRules": [{"name": "r", "properties": {"frontendIPConfiguration": frontend, "backendAddressPool": pool, "protocol": "Tcp",
                                                            "frontendPort": 80, "backendPort": 8080}}],
        "inboundNatRules": [{"name": "i", "properties": {"frontendIPConfiguration": frontend, "protocol": "Tcp", "frontendPort": 2222, "backendPort": 22}}]})
    rule, = cloudstack.ok(both.dev, "listLoadBalancerRules")["loadbalancerrule"]
    assert (rule["publicip"], rule["publicport"], rule["privateport"]) == (ip, "80", "8080")
    assert both.ec2.describe_addresses(PublicIps=[ip])["Addresses"] and not cloudstack.ok(both.dev, "listPortForwardingRules").get("portforwardingrule")
    made = both.put("networkInterfaces/member", properties={"ipConfigurations": [{"name": "c", "properties": {
        "subnet": both.ref("virtualNetworks/v/subnets/a"), "loadBalancerBackendAddressPools": [pool],
        "loadBalancerInboundNatRules": [{"id": f"{at}/inboundNatRules/i"}]}}]})
    private = made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    floating, = [f for f in both.project.ok("GET", f"{NETWORK}/floatingips")["floatingips"] if f["floating_ip_address"] == ip]
    forwarded, = both.project.ok("GET", f"{NETWORK}/floatingips/{floating['id']}/port_forwardings")["port_forwardings"]
    assert (forwarded["internal_ip_address"], forwarded["external_port"], forwarded["internal_port"]) == (private, 2222, 22)
    with pytest.raises(both.ec2.exceptions.ClientError):
        both.ec2.associate_address(AllocationId=both.ec2.describe_addresses(PublicIps=[ip])["Addresses"][0]["AllocationId"],
                                   NetworkInterfaceId=both.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [private]}])[
                                       "NetworkInterfaces"][0]["NetworkInterfaceId"])


@holds("Azure: scale set", "Azure: autoscale setting")
def test_a_scale_set(both, network):
    """EC2 Auto Scaling shows the set as a group with its instances, and changes its capacity; the group has no launch configuration of EC2's. A rule
    of its autoscale setting is a policy there, and an alarm of CloudWatch's."""
    compute = f"{both.group}/providers/Microsoft.Compute"
    publishers = f"{both.group.split('/resourceGroups')[0]}/providers/Microsoft.Compute/locations/useast1/publishers"
    offer = both.azure.ask("GET", f"{publishers}/dari/artifacttypes/vmimage/offers")[0]["name"]
    config = {"name": "c", "properties": {"subnet": both.ref("virtualNetworks/v/subnets/a")}}
    at = f"{compute}/virtualMachineScaleSets/s"
    both.azure.ask("PUT", at, {"location": "useast1", "sku": {"name": "Standard_B1s", "capacity": 1}, "properties": {"virtualMachineProfile": {
        "osProfile": {"adminUsername": "me", "adminPassword": "Correct-horse-1"},
        "storageProfile": {"imageReference": {"publisher": "dari", "offer": offer, "sku": "default", "version": "latest"}},
        "networkProfile": {"networkInterfaceConfigurations": [{"name": "n", "properties": {"ipConfigurations": [config]}}]}}}})
    both.dev.rest()
    scaling = both.dev.account.client("autoscaling")
    group, = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    machine, = both.azure.ask("GET", f"{at}/virtualMachines")["value"]
    assert (group["AutoScalingGroupName"], group["DesiredCapacity"]) == ("faces/s", 1)
    assert [i["InstanceId"] for i in group["Instances"]] == [ec2_id("i", machine["properties"]["vmId"])]
    assert scaling.describe_launch_configurations()["LaunchConfigurations"] == []
    scaling.set_desired_capacity(AutoScalingGroupName="faces/s", DesiredCapacity=2)
    both.dev.rest()
    assert both.azure.ask("GET", at)["sku"]["capacity"] == 2 and len(both.azure.ask("GET", f"{at}/virtualMachines")["value"]) == 2
    rule = {"metricTrigger": {"metricName": "Percentage CPU", "metricResourceUri": at, "timeGrain": "PT1M", "statistic": "Average", "timeWindow": "PT5M",
                              "timeAggregation": "Average", "operator": "GreaterThan", "threshold": 75},
            "scaleAction": {"direction": "Increase", "type": "ChangeCount", "value": "1", "cooldown": "PT5M"}}
    both.azure.ask("PUT", f"{both.group}/providers/Microsoft.Insights/autoscaleSettings/a", {"location": "useast1", "properties": {
        "enabled": True, "targetResourceUri": at, "profiles": [{"name": "all", "capacity": {"minimum": "1", "maximum": "2", "default": "1"}, "rules": [rule]}]}})
    policy, = scaling.describe_policies(AutoScalingGroupName="faces/s")["ScalingPolicies"]
    alarm, = both.dev.account.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (policy["ScalingAdjustment"], alarm["Threshold"], alarm["AlarmActions"]) == (1, 75, [policy["PolicyARN"]])
    both.azure.begin("DELETE", at)
    both.dev.rest()
    assert scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_an_image_that_nobody_brings_data(both):
    """Glance creates images without data. Azure's changes of one take effect at once, even without data."""
    made = both.project.ok("POST", "/image/v2/images", {"name": "bare", "disk_format": "raw", "container_format": "bare"})
    images = f"{both.group.split('/resourceGroups')[0]}/providers/Microsoft.Compute/images"
    one, = [i for i in both.azure.ask("GET", images)["value"] if i["name"] == ec2_id("ami", made["id"])]
    operation = both.azure.begin("PUT", one["id"], {"location": "useast1", "tags": {"of": "nothing"}})
    assert both.azure.wait(operation)["status"] == "Succeeded"
    now = both.azure.ask("GET", one["id"])
    assert now["tags"] == {"of": "nothing"} and now["properties"]["provisioningState"] == "Creating"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
