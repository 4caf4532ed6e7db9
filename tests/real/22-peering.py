#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/network/peering.c
"""Traffic between peered VPCs: by routes, both ways, and only to the peer's own subnets. OVN and the API are real; instances are simulated, and
network namespaces in place of their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import Account  # noqa: E402
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402


def make_vpc(ec2, number):
    """A VPC with one subnet, whose guest may be pinged."""
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number}.1.0/24")["Subnet"]["SubnetId"]
    ours = [{"Name": "vpc-id", "Values": [vpc]}]
    group = ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="10.0.0.0/8")
    return vpc, subnet, ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]


def state(ec2, peering):
    return ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"][0]["Status"]["Code"]


def request(ec2, one, other):
    return ec2.create_vpc_peering_connection(VpcId=one, PeerVpcId=other)["VpcPeeringConnection"]["VpcPeeringConnectionId"]


def accept(ec2, peering):
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    wait_until(lambda: state(ec2, peering) == "active", "the peering is active")


def lead(ec2, table, block, peering):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, VpcPeeringConnectionId=peering)


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


def by_routes(ec2, probe, tables, peering):
    """The peering of a and b, requested and not accepted yet."""
    probe.kept_out("what is not accepted leads nowhere", "a", "b")
    lead(ec2, tables["a"], "10.2.0.0/16", peering)
    lead(ec2, tables["b"], "10.1.0.0/16", peering)
    probe.region.check("a route over it is a black hole", route_state(ec2, tables["a"], "10.2.0.0/16") == "blackhole")
    probe.kept_out("in the network, too", "a", "b")
    accept(ec2, peering)
    probe.region.check("accepted, its route is active", route_state(ec2, tables["a"], "10.2.0.0/16") == "active")
    probe.reaches("packets pass by it", "a", "b")
    probe.reaches("both ways", "b", "a")
    ec2.delete_route(RouteTableId=tables["b"], DestinationCidrBlock="10.1.0.0/16")
    probe.kept_out("without the route back nothing is answered", "a", "b")
    lead(ec2, tables["b"], "10.1.0.0/16", peering)
    probe.reaches("with it, again", "a", "b")


def not_transitively(ec2, probe, vpcs, tables, peering):
    """c is a peer of b, but not of a."""
    other = request(ec2, vpcs["c"], vpcs["b"])
    accept(ec2, other)
    lead(ec2, tables["c"], "10.2.0.0/16", other)
    lead(ec2, tables["b"], "10.3.0.0/16", other)
    probe.reaches("a second peering of the same VPC", "c", "b")
    probe.reaches("beside the first", "a", "b")
    lead(ec2, tables["a"], "10.3.0.0/16", peering)
    lead(ec2, tables["c"], "10.1.0.0/16", other)
    probe.kept_out("a peer is no way to its peers", "a", "c")
    probe.kept_out("from neither side", "c", "a")
    return other


def by_names(ec2, probe, vpc, peering, address):
    """b's public name, resolved by a; b is the accepter."""
    name, check = f"ec2-{address.replace('.', '-')}.us-east-1.compute.internal", probe.region.check_soon
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    check("a peer's public name is its public address", lambda: probe.guests.ask("a", name) == address)
    for lets, words, ip in [(True, "and its private one where it is let", probe.ips["b"]), (False, "and no longer when it is not", address)]:
        ec2.modify_vpc_peering_connection_options(VpcPeeringConnectionId=peering,
                                                  AccepterPeeringConnectionOptions={"AllowDnsResolutionFromRemoteVpc": lets})
        check(words, lambda ip=ip: probe.guests.ask("a", name) == ip)


def not_to_the_edge(ec2, probe, vpcs, tables, peering, instance):
    """b reaches the internet; a has no way outside except through b."""
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpcs["b"])
    ec2.create_route(RouteTableId=tables["b"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address()
    ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    probe.region.check_soon("the peer reaches the internet", lambda: address["PublicIp"] in probe.guests.seen_as("b"))
    by_names(ec2, probe, vpcs["b"], peering, address["PublicIp"])
    lead(ec2, tables["a"], "0.0.0.0/0", peering)
    probe.reaches("a wide route leads to the peer's own", "a", "b")
    probe.region.settle()
    probe.region.check("and not through its gateway", probe.guests.seen_as("a") == "")


def by_group(ec2, account, probe, vpcs, instances):
    """b's guest is also in a group of a's VPC, through the peering: members allow each other in both VPCs."""
    group = ec2.create_security_group(GroupName="both", Description="of two VPCs", VpcId=vpcs["a"])["GroupId"]
    of_members = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[of_members])
    account.ok("AssociateSecurityGroupVpc", {"GroupId": group, "VpcId": vpcs["b"]})
    ec2.modify_instance_attribute(InstanceId=instances["b"], Groups=[group])
    probe.kept_out("who is not in the group of another VPC is kept out of its member there", "a", "b")
    ec2.modify_instance_attribute(InstanceId=instances["a"], Groups=[group])
    probe.reaches("a member is let in, in the group's own VPC and in the other", "a", "b")
    probe.reaches("from there, too", "b", "a")
    refused = account.call("DisassociateSecurityGroupVpc", {"GroupId": group, "VpcId": vpcs["b"]})
    probe.region.check("a member there holds the group", refused.code == "DependencyViolation")


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("pe") as region, Guests(region) as guests:
        ec2 = region.account("alice")
        vpcs, subnets, tables, instances, ips = {}, {}, {}, {}, {}
        for number, name in enumerate("abc", 1):
            vpcs[name], subnets[name], tables[name] = make_vpc(ec2, number)
            instances[name] = launch(ec2, SubnetId=subnets[name])[0]
        wait_state(ec2, list(instances.values()), "running")
        for name, identifier in instances.items():
            instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, instance)
            ips[name] = instance["PrivateIpAddress"]
        probe = Probe(region, guests, ips)
        peering = request(ec2, vpcs["a"], vpcs["b"])
        by_routes(ec2, probe, tables, peering)
        other = not_transitively(ec2, probe, vpcs, tables, peering)
        not_to_the_edge(ec2, probe, vpcs, tables, peering, instances["b"])
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)
        wait_until(lambda: state(ec2, peering) == "deleted", "the peering is deleted")
        region.check("the route over it is a black hole again", route_state(ec2, tables["a"], "10.2.0.0/16") == "blackhole")
        probe.kept_out("and nothing passes", "a", "b")
        probe.reaches("the other peering is as it was", "c", "b")
        again = request(ec2, vpcs["b"], vpcs["a"])
        accept(ec2, again)
        ec2.replace_route(RouteTableId=tables["a"], DestinationCidrBlock="10.2.0.0/16", VpcPeeringConnectionId=again)
        ec2.replace_route(RouteTableId=tables["b"], DestinationCidrBlock="10.1.0.0/16", VpcPeeringConnectionId=again)
        probe.reaches("the two may be peered anew", "a", "b")
        by_group(ec2, Account(region, *region.keys["alice"]), probe, vpcs, instances)
        region.check("two peerings are there", {state(ec2, again), state(ec2, other)} == {"active"})
        region.check_clean()


if __name__ == "__main__":
    main()
