#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/transit src/engine/transit
"""Traffic between VPCs attached to a transit gateway: by its route tables, their associations, propagations and static routes. OVN and the API are
real; instances are simulated, and network namespaces in place of their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402


def make_vpc(ec2, block):
    """A VPC with one subnet, whose guest may be pinged."""
    vpc = ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=block.replace(".0.0/16", ".1.0/24"))["Subnet"]["SubnetId"]
    ours = [{"Name": "vpc-id", "Values": [vpc]}]
    group = ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="10.0.0.0/8")
    return vpc, subnet, ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]


def attachment_state(ec2, attachment):
    found = ec2.describe_transit_gateway_vpc_attachments(TransitGatewayAttachmentIds=[attachment])
    return found["TransitGatewayVpcAttachments"][0]["State"]


def gateway_state(ec2, gateway):
    return ec2.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"][0]["State"]


def attach(ec2, gateway, vpc, subnet):
    made = ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
    attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    wait_until(lambda: attachment_state(ec2, attachment) == "available", "the attachment is available")
    return attachment


def detach(ec2, attachment):
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
    wait_until(lambda: attachment_state(ec2, attachment) == "deleted", "the attachment is deleted")


def lead(ec2, table, block, gateway):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, TransitGatewayId=gateway)


def route_state(ec2, table, block):
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return next(r["State"] for r in routes if r["DestinationCidrBlock"] == block)


class Probe:
    """Pings between guests, by name."""

    def __init__(self, region, guests, ips):
        self.region, self.guests, self.ips = region, guests, ips

    def pings(self, name, other):
        return " 0% packet loss" in self.guests.ns(name, "ping", "-c", "1", "-W", "1", self.ips[other], fails=True)

    def reaches(self, words, name, other):
        self.region.check_soon(words, lambda: self.pings(name, other))

    def kept_out(self, words, name, other):
        self.region.settle()
        self.region.check(words, not self.pings(name, other))


def by_default_table(ec2, probe, tables, gateway):
    """All are attached; none has a route to the gateway yet."""
    probe.kept_out("without routes in the VPCs nothing passes", "a", "b")
    for table in tables.values():
        lead(ec2, table, "10.0.0.0/8", gateway)
    probe.region.check("a route to the gateway is active", route_state(ec2, tables["a"], "10.0.0.0/8") == "active")
    for name, other in ["ab", "ba", "ac", "ca", "bc", "cb"]:
        probe.reaches(f"{name} reaches {other}", name, other)


def by_static_routes(ec2, probe, table, attachments):
    """In the default route table, which all attachments use and propagate to."""
    def route(block, **target):
        ec2.create_transit_gateway_route(DestinationCidrBlock=block, TransitGatewayRouteTableId=table, **target)

    def drop(block):
        ec2.delete_transit_gateway_route(DestinationCidrBlock=block, TransitGatewayRouteTableId=table)

    route("10.3.0.0/16", Blackhole=True)
    probe.kept_out("a static black hole goes before the propagated route", "a", "c")
    probe.reaches("to its destination alone", "a", "b")
    ec2.replace_transit_gateway_route(DestinationCidrBlock="10.3.0.0/16", TransitGatewayRouteTableId=table,
                                      TransitGatewayAttachmentId=attachments["b"])
    probe.kept_out("a static route to another VPC does, too", "a", "c")
    drop("10.3.0.0/16")
    probe.reaches("without it, the propagated route counts again", "a", "c")
    route("10.0.0.0/8", Blackhole=True)
    probe.reaches("a more specific route goes before a wider black hole", "a", "b")
    route("10.2.1.0/24", Blackhole=True)
    probe.kept_out("and a still more specific one before that", "a", "b")
    drop("10.2.1.0/24")
    drop("10.0.0.0/8")
    probe.reaches("all are gone", "a", "b")


def by_tables(ec2, probe, gateway, table, attachments):
    """a gets a table of its own, which leads to b alone."""
    spoke = ec2.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    of_a = {"TransitGatewayAttachmentId": attachments["a"]}
    ec2.disassociate_transit_gateway_route_table(TransitGatewayRouteTableId=table, **of_a)
    probe.kept_out("what is associated with no table gets nowhere", "a", "b")
    ec2.associate_transit_gateway_route_table(TransitGatewayRouteTableId=spoke, **of_a)
    probe.kept_out("nor by a table without routes", "a", "b")
    ec2.enable_transit_gateway_route_table_propagation(TransitGatewayRouteTableId=spoke, TransitGatewayAttachmentId=attachments["b"])
    probe.reaches("a propagation leads there", "a", "b")
    probe.reaches("and back by the other table", "b", "a")
    probe.kept_out("and nowhere else", "a", "c")
    probe.kept_out("so that answers do not come back from there", "c", "a")
    probe.reaches("the others are as they were", "c", "b")
    ec2.disable_transit_gateway_route_table_propagation(TransitGatewayRouteTableId=spoke, TransitGatewayAttachmentId=attachments["b"])
    probe.kept_out("with the propagation off nothing passes", "a", "b")
    ec2.disassociate_transit_gateway_route_table(TransitGatewayRouteTableId=spoke, **of_a)
    ec2.associate_transit_gateway_route_table(TransitGatewayRouteTableId=table, **of_a)
    probe.reaches("back at the default table", "a", "c")


def by_propagation(ec2, probe, gateway, table, vpc):
    """Blocks that a VPC gains are propagated; a VPC with the blocks of one that is attached is not."""
    def routes():
        found = ec2.search_transit_gateway_routes(TransitGatewayRouteTableId=table, Filters=[{"Name": "type", "Values": ["propagated"]}])
        return {r["DestinationCidrBlock"]: r["TransitGatewayAttachments"][0]["ResourceId"] for r in found["Routes"]}

    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.12.0.0/16")
    probe.region.check("a further block of a VPC is propagated", routes().get("10.12.0.0/16") == vpc)
    before = routes()
    twin, subnet, _ = make_vpc(ec2, "10.2.0.0/16")
    attachment = attach(ec2, gateway, twin, subnet)
    probe.region.check("the blocks of an attached VPC stay where they lead", routes() == before)
    probe.reaches("its guests are reached as before", "a", "b")
    detach(ec2, attachment)


def not_to_the_edge(ec2, probe, vpcs, tables, gateway, attachments, table):
    """b reaches the internet; a has no way outside through it."""
    outside = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=outside, VpcId=vpcs["b"])
    ec2.create_route(RouteTableId=tables["b"], DestinationCidrBlock="0.0.0.0/0", GatewayId=outside)
    lead(ec2, tables["a"], "0.0.0.0/0", gateway)
    ec2.create_transit_gateway_route(DestinationCidrBlock="0.0.0.0/0", TransitGatewayRouteTableId=table,
                                     TransitGatewayAttachmentId=attachments["b"])
    probe.reaches("wide routes lead to the VPC's own subnets", "a", "b")
    probe.region.settle()
    probe.region.check("and not through its internet gateway", probe.guests.seen_as("a") == "")
    ec2.delete_transit_gateway_route(DestinationCidrBlock="0.0.0.0/0", TransitGatewayRouteTableId=table)


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("tg") as region, Guests(region) as guests:
        ec2 = region.account("alice")
        vpcs, subnets, tables, instances, ips = {}, {}, {}, {}, {}
        for number, name in enumerate("abc", 1):
            vpcs[name], subnets[name], tables[name] = make_vpc(ec2, f"10.{number}.0.0/16")
            instances[name] = launch(ec2, SubnetId=subnets[name])[0]
        wait_state(ec2, list(instances.values()), "running")
        for name, identifier in instances.items():
            instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, instance)
            ips[name] = instance["PrivateIpAddress"]
        probe = Probe(region, guests, ips)
        made = ec2.create_transit_gateway(Description="hub")["TransitGateway"]
        gateway, table = made["TransitGatewayId"], made["Options"]["AssociationDefaultRouteTableId"]
        wait_until(lambda: gateway_state(ec2, gateway) == "available", "the gateway is available")
        attachments = {name: attach(ec2, gateway, vpcs[name], subnets[name]) for name in "abc"}
        by_default_table(ec2, probe, tables, gateway)
        by_static_routes(ec2, probe, table, attachments)
        by_tables(ec2, probe, gateway, table, attachments)
        by_propagation(ec2, probe, gateway, table, vpcs["c"])
        not_to_the_edge(ec2, probe, vpcs, tables, gateway, attachments, table)
        detach(ec2, attachments["a"])
        region.check("a route of a VPC that is detached is a black hole", route_state(ec2, tables["a"], "10.0.0.0/8") == "blackhole")
        probe.kept_out("and nothing passes", "a", "b")
        probe.reaches("the others are as they were", "c", "b")
        for name in "bc":
            detach(ec2, attachments[name])
        ec2.delete_transit_gateway(TransitGatewayId=gateway)
        wait_until(lambda: gateway_state(ec2, gateway) == "deleted", "the gateway is deleted")
        probe.kept_out("without a gateway nothing passes", "c", "b")
        region.check_clean()


if __name__ == "__main__":
    main()
