#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/reach src/drivers/ovn
"""Compares `dari reach` with packets in some forty cases. Each obstacle is created and removed: groups, ACLs in both directions, routes, a peering,
public addresses, gateways of both families, a NAT gateway. OVN and the API are real; instances are simulated, and network namespaces in place of
their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import WEB, Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

POOL, OUTSIDE = "2001:db8:d000::/48", "2001:db8:ffff::1"
OPEN, CLOSED = 5000, 5001  # both ports are served; groups allow one
SERVE = """import socket, sys, threading
def serve(port):
    s = socket.create_server(("", port))
    while True:
        s.accept()[0].close()
for port in sys.argv[1:]:
    threading.Thread(target=serve, args=(int(port),)).start()
"""


class World:
    """a and b in one subnet, c in another of the VPC, d in a separate VPC."""

    def __init__(self, region, guests):
        self.region, self.guests, self.ec2 = region, guests, region.account("alice")
        self.vpc, self.group, self.table, self.acl = {}, {}, {}, {}
        self.ids, self.ips, self.subnets = {}, {}, {}
        for number, name in enumerate(("one", "two"), 1):
            self.make_vpc(name, number)
        self.subnets = {"near": self.make_subnet("one", "10.1.1.0/24"), "far": self.make_subnet("one", "10.1.2.0/24"), "other": self.make_subnet("two", "10.2.1.0/24")}
        for name, subnet in (("a", "near"), ("b", "near"), ("c", "far"), ("d", "other")):
            self.ids[name] = launch(self.ec2, SubnetId=self.subnets[subnet])[0]
        wait_state(self.ec2, list(self.ids.values()), "running")
        for name, identifier in self.ids.items():
            found = self.ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, found)
            guests.start(name, sys.executable, "-c", SERVE, str(OPEN), str(CLOSED))
            self.ips[name] = found["PrivateIpAddress"]

    def make_vpc(self, name, number):
        vpc = self.vpc[name] = self.ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"]
        ours = [{"Name": "vpc-id", "Values": [vpc]}]
        group = self.group[name] = self.ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]
        self.ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        self.group[name] = group["GroupId"]
        self.let_in(name, "10.0.0.0/8", OPEN)
        self.ec2.authorize_security_group_ingress(GroupId=self.group[name], IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="10.0.0.0/8")
        self.table[name] = self.ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]
        self.acl[name] = self.ec2.describe_network_acls(Filters=ours)["NetworkAcls"][0]["NetworkAclId"]

    def make_subnet(self, vpc, block):
        return self.ec2.create_subnet(VpcId=self.vpc[vpc], CidrBlock=block)["Subnet"]["SubnetId"]

    def let_in(self, vpc, block, port):
        self.ec2.authorize_security_group_ingress(GroupId=self.group[vpc], IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp=block)

    def deny(self, egress, first, last):
        self.ec2.create_network_acl_entry(NetworkAclId=self.acl["one"], RuleNumber=10, Protocol="6", RuleAction="deny", Egress=egress, CidrBlock="0.0.0.0/0",
                                          PortRange={"From": first, "To": last})

    def undeny(self, egress):
        self.ec2.delete_network_acl_entry(NetworkAclId=self.acl["one"], RuleNumber=10, Egress=egress)

    def lead(self, vpc, block, **to):
        self.ec2.create_route(RouteTableId=self.table[vpc], DestinationCidrBlock=block, **to)

    # ---- analysis and packets

    def said(self, start, end, port):
        return self.region.command("reach", start, end, "--port", str(port), fails=True)

    def connects(self, name, address, port):
        connection = self.guests.dial(name, address, port)
        if connection:
            connection.close()
        return connection is not None

    def agree(self, words, said, packets, stage=None, is_reply=False):
        """stage: where the packet is stopped; None if it passes."""
        first = next((s for s in said["steps"] if s["verdict"] == "stops"), {})
        self.region.check(f"{words}: said", said["reaches"] == ("no" if stage else "yes") and (first.get("stage"), first.get("is_reply", False)) == (stage, is_reply))
        if stage:
            self.region.settle()
            self.region.check(f"{words}: so it is", not packets())
        else:
            self.region.check_soon(f"{words}: so it is", packets)

    def ask(self, words, name, other, port=OPEN, stage=None, is_reply=False):
        said = self.said(self.ids[name], self.ids[other], port)
        self.agree(words, said, lambda: self.connects(name, self.ips[other], port), stage, is_reply)

    def ask_web(self, words, name, stage=None, is_reply=False):
        """The internet's web server."""
        self.agree(words, self.said(self.ids[name], WEB, 80), lambda: self.guests.seen_as(name) != "", stage, is_reply)

    def ask_from_outside(self, words, name, address, stage=None, is_reply=False):
        def packets():
            return "open" in self.region.on("inet", sys.executable, "-c", f"import socket; socket.create_connection(('{address}', {OPEN}), 2); print('open')", fails=True).split()
        self.agree(words, self.said(WEB, self.ids[name], OPEN), packets, stage, is_reply)


def by_groups(w):
    w.ask("within a subnet, let in by the group", "a", "b")
    w.ask("within a subnet, closed by the group", "a", "b", CLOSED, "group")
    w.ask("to another subnet", "a", "c")
    w.ask("to another subnet, closed by the group", "c", "a", CLOSED, "group")
    everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    w.ec2.revoke_security_group_egress(GroupId=w.group["one"], IpPermissions=everything)
    w.ask("the group lets nothing out", "a", "b", stage="group")
    w.ec2.authorize_security_group_egress(GroupId=w.group["one"], IpPermissions=everything)


def by_acls(w):
    w.deny(False, OPEN, OPEN)
    w.ask("an ACL keeps it out of the subnet", "a", "c", stage="acl")
    w.ask("and is not asked within one", "a", "b")
    w.undeny(False)
    w.deny(True, OPEN, OPEN)
    w.ask("an ACL keeps it in its own subnet", "a", "c", stage="acl")
    w.undeny(True)
    w.deny(True, 32768, 60999)
    w.ask("an ACL lets no answer out", "a", "c", stage="acl", is_reply=True)
    w.undeny(True)
    w.deny(False, 32768, 60999)
    w.ask("an ACL lets no answer in", "a", "c", stage="acl", is_reply=True)
    w.undeny(False)
    w.ask("without those entries", "a", "c")


def by_peering(w):
    w.ask("no route leads to another VPC", "a", "d", stage="route")
    peering = w.ec2.create_vpc_peering_connection(VpcId=w.vpc["one"], PeerVpcId=w.vpc["two"])["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    w.lead("one", "10.2.0.0/16", VpcPeeringConnectionId=peering)
    w.ask("a peering that nobody has accepted", "a", "d", stage="peering")
    w.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    wait_until(lambda: w.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"][0]["Status"]["Code"] == "active", "the peering is active")
    w.ask("no route leads back", "a", "d", stage="route", is_reply=True)
    w.lead("two", "10.1.0.0/16", VpcPeeringConnectionId=peering)
    w.ask("by a peering", "a", "d")
    w.ask("by a peering, the other way", "d", "a")
    w.ask("by a peering, closed by the group", "a", "d", CLOSED, "group")


def by_gateway(w):
    w.ask_web("no route leads out", "a", "route")
    gateway = w.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    w.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=w.vpc["one"])
    w.lead("one", "0.0.0.0/0", GatewayId=gateway)
    w.ask_web("without a public address", "a", "translation")
    address = w.ec2.allocate_address()
    w.ec2.associate_address(InstanceId=w.ids["a"], AllocationId=address["AllocationId"])
    w.ask_web("with a public address", "a")
    w.ask_from_outside("from outside, closed by the group", "a", address["PublicIp"], "group")
    w.let_in("one", "0.0.0.0/0", OPEN)
    w.ask_from_outside("from outside, let in by the group", "a", address["PublicIp"])
    w.ec2.delete_route(RouteTableId=w.table["one"], DestinationCidrBlock="0.0.0.0/0")
    w.ask_from_outside("from outside, with no way back", "a", address["PublicIp"], "route", True)
    return gateway


def by_own_public_addresses(w, gateway):
    """Within one VPC, by public addresses: out by the gateway and in again."""
    w.lead("one", "0.0.0.0/0", GatewayId=gateway)
    (of_a,) = w.ec2.describe_addresses()["Addresses"]
    of_c = w.ec2.allocate_address()
    w.ec2.associate_address(InstanceId=w.ids["c"], AllocationId=of_c["AllocationId"])

    def ask(words, name, address, port=OPEN, stage=None):
        w.agree(words, w.said(w.ids[name], address, port), lambda: w.connects(name, address, port), stage)
    ask("a public address of the same VPC", "a", of_c["PublicIp"])
    ask("a public address of the same VPC, closed by the group", "a", of_c["PublicIp"], CLOSED, "group")
    ask("from a machine that has none, a public address of the same VPC", "b", of_a["PublicIp"], stage="translation")
    w.ec2.disassociate_address(PublicIp=of_c["PublicIp"])
    w.ec2.release_address(AllocationId=of_c["AllocationId"])
    w.ec2.delete_route(RouteTableId=w.table["one"], DestinationCidrBlock="0.0.0.0/0")


def by_appliance(w):
    """A route to a machine: one with source and destination check accepts nothing; for one without, the result is unknown."""
    port = w.ec2.describe_instances(InstanceIds=[w.ids["c"]])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    w.lead("one", "192.0.2.0/24", NetworkInterfaceId=port)
    w.guests.ns("c", "ip", "addr", "add", "192.0.2.9/32", "dev", "lo")
    w.agree("a machine that checks addresses", w.said(w.ids["a"], "192.0.2.9", OPEN), lambda: w.connects("a", "192.0.2.9", OPEN), "guest")
    w.ec2.modify_instance_attribute(InstanceId=w.ids["c"], SourceDestCheck={"Value": False})
    w.region.check("one that does not: it decides itself", w.said(w.ids["a"], "192.0.2.9", OPEN)["reaches"] == "unknown")
    w.region.check_soon("and packets come up to it", lambda: w.connects("a", "192.0.2.9", OPEN))


def by_nat(w, gateway):
    """From the near subnet by a NAT gateway in the far one, which has its own table."""
    table = w.ec2.create_route_table(VpcId=w.vpc["one"])["RouteTable"]["RouteTableId"]
    w.ec2.associate_route_table(RouteTableId=table, SubnetId=w.subnets["far"])
    allocation = w.ec2.allocate_address()["AllocationId"]
    nat = w.ec2.create_nat_gateway(SubnetId=w.subnets["far"], AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    wait_until(lambda: w.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] == "available", "the NAT gateway is available")
    w.lead("one", "0.0.0.0/0", NatGatewayId=nat)
    w.ask_web("its subnet leads nowhere", "b", "route")
    w.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    w.ask_web("by a NAT gateway", "b")
    w.deny(False, 1024, 65535)
    w.ask_web("by a NAT gateway, whose answers an ACL keeps out", "b", "acl", True)
    w.undeny(False)


class Six:
    """IPv6 pings: e and f in two subnets of a VPC, each with its own table."""

    def __init__(self, w):
        self.w, self.ids, self.ips, self.tables = w, {}, {}, {}
        ec2 = w.ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.6.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
        block = ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        (self.group,) = [g["GroupId"] for g in ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["SecurityGroups"]]
        for n, name in enumerate("ef"):
            subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.6.{n}.0/24", Ipv6CidrBlock=block.replace("00::/56", f"{n:02x}::/64"))["Subnet"]["SubnetId"]
            ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
            self.tables[name] = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            ec2.associate_route_table(SubnetId=subnet, RouteTableId=self.tables[name])
            self.ids[name] = launch(ec2, SubnetId=subnet)[0]
        wait_state(ec2, list(self.ids.values()), "running")
        for name, identifier in self.ids.items():
            self.plug(name, ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0])

    def plug(self, name, instance):
        guests = self.w.guests
        guests.plug(name, instance)
        ip = self.ips[name] = instance["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"]
        wait_until(lambda: guests.ask_dhcpv6(name)[:1] == [ip], f"DHCPv6 gives {name} its address")
        guests.ns(name, "ip", "-6", "addr", "add", ip + "/128", "dev", "eth0", "nodad")
        wait_until(lambda: "default via fe80" in guests.ns(name, "ip", "-6", "route"), f"a way out is advertised to {name}")

    def ask(self, words, name, other, stage=None, is_reply=False):
        """The internet is named by its address as destination, and is "inet" as source."""
        ends = [self.ids.get(end, OUTSIDE) for end in (name, other)]
        said = self.w.region.command("reach", *ends, "--protocol", "icmp", "--ip-version", "6", fails=True)
        address = self.ips.get(other, OUTSIDE)
        self.w.agree(words, said, lambda: " 0% packet loss" in self.w.guests.ns(name, "ping", "-6", "-c", "1", "-W", "1", address, fails=True), stage, is_reply)

    def lead(self, name, **to):
        self.w.ec2.create_route(RouteTableId=self.tables[name], DestinationIpv6CidrBlock="::/0", **to)


def by_ipv6(w):
    six = Six(w)
    six.ask("IPv6 between subnets: members let each other in", "e", "f")
    six.ask("IPv6, no route leads out", "e", "inet", "route")
    six.ask("IPv6, nothing leads in", "inet", "e", "route")
    gateway = w.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    w.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=six.vpc)
    six.lead("e", GatewayId=gateway)
    everything = [{"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]
    six.ask("IPv6, out by an internet gateway", "e", "inet")
    six.ask("IPv6, in by it, closed by the group", "inet", "e", "group")
    w.ec2.authorize_security_group_ingress(GroupId=six.group, IpPermissions=everything)
    six.ask("IPv6, in by it, let in by the group", "inet", "e")
    only = w.ec2.create_egress_only_internet_gateway(VpcId=six.vpc)["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    six.lead("f", EgressOnlyInternetGatewayId=only)
    six.ask("IPv6, out by an egress-only gateway", "f", "inet")
    six.ask("IPv6, and nothing in by it", "inet", "f", "route")
    six.ask("IPv6, but from within the VPC", "e", "f")


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("rc") as region, Guests(region) as guests:
        region.run(region.dari, "network", "set-ipv6", "internet", "--pool", POOL, "--next-hop", "fe80::1")
        world = World(region, guests)
        by_groups(world)
        by_acls(world)
        by_peering(world)
        by_appliance(world)
        gateway = by_gateway(world)
        by_own_public_addresses(world, gateway)
        by_nat(world, gateway)
        by_ipv6(world)
        region.check_clean()


if __name__ == "__main__":
    main()
