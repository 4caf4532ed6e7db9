#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/network/router.c src/reconcile/network/nat_gateway.c src/engine/network
"""Routing: NAT gateways chosen by routes, a middlebox, black holes, network ACLs, revoked rules, a gateway's route table; and name resolution. OVN
and the API are real; instances are simulated, and network namespaces in place of their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import WEB, Guests  # noqa: E402
from region import HANG_S, Region, launch, wait_state, wait_until  # noqa: E402

GUEST = 5  # host number of the guest in each of the four subnets
FIRST_NAT, SECOND_NAT, FURTHER_WITHOUT_B, FURTHER_WITH_B = "10.0.1.10", "10.0.1.11", "10.0.1.16", "10.0.1.12"

SERVER = """import socket, threading
def echo(c):
    while True:
        data = c.recv(100)
        if not data:
            return
        c.sendall(data)
s = socket.create_server(("", 8080))
while True:
    threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
"""


def check_seen(guests, words, name, address):
    """Waits until the routes work: a first packet may be lost to ARP."""
    guests.region.check_soon(words, lambda: address in guests.seen_as(name))


def make_vpc(ec2):
    """Four subnets, each with a route table; the first leads to the internet."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets, tables = [], []
    for n in range(1, 5):
        subnets.append(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"])
        tables.append(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        ec2.associate_route_table(SubnetId=subnets[-1], RouteTableId=tables[-1])
    ec2.create_route(RouteTableId=tables[0], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return vpc, subnets, tables


def make_nat(ec2, subnet, private):
    address = ec2.allocate_address()
    made = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"], PrivateIpAddress=private)
    return made["NatGateway"]["NatGatewayId"], address["PublicIp"]


def nat_state(ec2, nat):
    return ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"]


def route_state(ec2, table):
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    return next(r["State"] for r in routes if r["DestinationCidrBlock"] == "0.0.0.0/0")


def network_acls(region, ec2, guests, vpc, subnet, ips):
    """Network ACLs at the edge of b's subnet are stateless: an answer needs an entry of its own."""
    def pings(name, other):
        return " 0% packet loss" in guests.ns(name, "ping", "-c", "1", "-W", "1", ips[other], fails=True)

    def entry(number, egress, action, type_of_icmp, block):
        ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=egress, RuleAction=action, Protocol="icmp", CidrBlock=block,
                                     IcmpTypeCode={"Type": type_of_icmp, "Code": -1})

    def check_kept_out(words, name, other):
        region.settle()
        region.check(words, not pings(name, other))

    def give(wanted):
        (has,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["NetworkAcls"]
        association = next(a["NetworkAclAssociationId"] for a in has["Associations"] if a["SubnetId"] == subnet)
        ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=wanted)
        return has["NetworkAclId"]

    region.check_soon("the default network ACL lets everything pass", lambda: pings("c", "b") and pings("b", "c"))
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    default = give(acl)
    check_kept_out("a new network ACL lets nothing in", "c", "b")
    check_kept_out("and nothing out", "b", "c")
    region.check_soon("but metadata", lambda: ips["b"] in guests.ns("b", "curl", "-s", "-m", "5", "http://169.254.169.254/latest/meta-data/local-ipv4", fails=True))
    entry(100, False, "allow", 8, "10.0.3.0/24")
    check_kept_out("what is let in is not let answer", "c", "b")
    entry(100, True, "allow", 0, "10.0.3.0/24")
    region.check_soon("until that is said, too", lambda: pings("c", "b"))
    check_kept_out("which lets nothing else out", "b", "c")
    check_kept_out("and nobody else in", "d", "b")
    for egress, words in ((False, "inward"), (True, "outward")):
        entry(90, egress, "deny", -1, "10.0.0.0/8")
        check_kept_out(f"a lower number goes before, {words}", "c", "b")
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=90, Egress=egress)
        region.check_soon(f"its removal lets through again, {words}", lambda: pings("c", "b"))
    give(default)
    region.check_soon("another network ACL is another edge", lambda: pings("b", "c") and pings("d", "b"))
    ec2.delete_network_acl(NetworkAclId=acl)


def ask_newer(ec2, action, **parameters):
    """Calls an action that Debian's boto3 does not know, by renaming a known one."""
    def replace(params, **_):
        params["body"] = {"Action": action, "Version": params["body"]["Version"], **parameters}

    ec2.meta.events.register("before-call.ec2.DescribeNatGateways", replace)
    ec2.describe_nat_gateways()
    ec2.meta.events.unregister("before-call.ec2.DescribeNatGateways", replace)


def further_address(region, ec2, guests, nat, first):
    """A source's address depends on the gateway's private addresses: one source keeps the first address, and another one uses the second."""
    for private, words, seen_as in ((FURTHER_WITHOUT_B, "a guest keeps the address that has its share", lambda _: first),
                                    (FURTHER_WITH_B, "and is seen as the further one that has", lambda further: further)):
        address = ec2.allocate_address()
        ask_newer(ec2, "AssociateNatGatewayAddress", NatGatewayId=nat, **{"AllocationId.1": address["AllocationId"], "PrivateIpAddress.1": private})
        region.settle()
        check_seen(guests, words, "b", seen_as(address["PublicIp"]))
        association = ec2.describe_addresses(PublicIps=[address["PublicIp"]])["Addresses"][0]["AssociationId"]
        ask_newer(ec2, "DisassociateNatGatewayAddress", NatGatewayId=nat, **{"AssociationId.1": association})
        region.settle()
        ec2.release_address(AllocationId=address["AllocationId"])
    check_seen(guests, "when that has left, as the first again", "b", first)

def nat_gateways(region, ec2, guests, subnets, tables):
    check = region.check
    one, first = make_nat(ec2, subnets[0], FIRST_NAT)
    two, second = make_nat(ec2, subnets[0], SECOND_NAT)
    wait_until(lambda: nat_state(ec2, one) == nat_state(ec2, two) == "available", "the NAT gateways are available")
    region.settle()
    check("without a route the internet is not reached", guests.seen_as("b") == "")
    for table, nat in ((tables[1], one), (tables[2], two)):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    check_seen(guests, "a private guest is seen as its NAT gateway's address", "b", first)
    check_seen(guests, "another subnet's, as the one that its route leads to", "c", second)
    check("nothing comes in unasked", guests.dial("inet", first, 8080) is None and guests.dial("inet", second, 80) is None)
    further_address(region, ec2, guests, one, first)
    ec2.replace_route(RouteTableId=tables[1], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=two)
    check_seen(guests, "a replaced route leads to the other gateway", "b", second)
    ec2.delete_nat_gateway(NatGatewayId=two)
    # Deleted: OVN's northbound database no longer has it, and its address may be allocated again. The hosts' flows follow.
    wait_until(lambda: nat_state(ec2, two) == "deleted", "the NAT gateway is deleted")
    check("its address is free", ec2.describe_addresses(PublicIps=[second])["Addresses"][0].get("AssociationId") is None)
    check("a route to one that is gone is told as a black hole", route_state(ec2, tables[1]) == "blackhole")
    region.settle()
    check("and is one", guests.seen_as("b") == guests.seen_as("c") == "")


def middlebox(region, ec2, guests, tables, instance):
    """An instance is the next hop of another subnet's default route, once its source and destination check is off. It does not forward, but answers
    itself for the destination."""
    address = ec2.allocate_address()
    ec2.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])
    check_seen(guests, "an instance has its elastic address", "a", address["PublicIp"])
    pages = f"{region.demo}/www"
    os.makedirs(pages)
    with open(f"{pages}/index.html", "w", encoding="ascii") as page:
        page.write("middlebox")
    guests.ns("a", "ip", "addr", "add", WEB + "/32", "dev", "lo")
    guests.start("a", "busybox", "httpd", "-f", "-p", f"{WEB}:80", "-h", pages)
    ec2.create_route(RouteTableId=tables[3], DestinationCidrBlock="0.0.0.0/0", InstanceId=instance)
    region.settle()
    region.check("with the check on nothing comes to it", guests.seen_as("d") == "")
    ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    check_seen(guests, "a route to an instance leads to it", "d", "middlebox")
    return address["PublicIp"]


def echoes(stream):
    stream.settimeout(HANG_S)
    try:
        stream.sendall(b"x")
        return stream.recv(1) == b"x"
    except OSError:
        return False


def revoked_rule(region, ec2, guests, group, address):
    """A connection allowed before the revocation continues; new ones are blocked."""
    rule = dict(GroupId=group, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp="0.0.0.0/0")
    guests.start("a", sys.executable, "-c", SERVER)
    wait_until(lambda: guests.dial("a", "127.0.0.1", 8080), "the server listens")
    region.settle()
    region.check("a port that no rule opens is closed", guests.dial("inet", address, 8080) is None)
    ec2.authorize_security_group_ingress(**rule)
    streams = []
    wait_until(lambda: streams.append(guests.dial("inet", address, 8080)) or streams[-1], "the port is open")
    region.check("a stream through an opened port", echoes(streams[-1]))
    ec2.revoke_security_group_ingress(**rule)
    wait_until(lambda: guests.dial("inet", address, 8080) is None, "the port is closed again")
    region.settle()
    region.check("the rule revoked, nothing new comes in", guests.dial("inet", address, 8080) is None)
    region.check("the old stream lives on", echoes(streams[-1]) and echoes(streams[-1]))


def names(region, ec2, guests, vpc, address):
    """Names that resolve within a VPC, depending on its attributes."""
    def ask(name):
        return guests.ask("a", name)

    private = ec2.describe_addresses(PublicIps=[address])["Addresses"][0]["PrivateIpAddress"]
    host, public = f"ip-{private.replace('.', '-')}.ec2.internal", f"ec2-{address.replace('.', '-')}.us-east-1.compute.internal"
    region.check_soon("without host names a host has none", lambda: ask(host) == "rcode 3")
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    region.check_soon("with them, its private name", lambda: ask(host) == private)
    region.check_soon("and, within the VPC, its public one", lambda: ask(public) == private)
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    region.check_soon("without DNS support nothing is resolved", lambda: ask(host) == ask("www.example.com") == "rcode 5")


def gateway_table(region, ec2, guests, vpc, tables, ids):
    """Incoming traffic of the internet gateway for d goes to c, which may or may not forward it; so do d's answers."""
    (gateway,) = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
    igw, appliance, target = gateway["InternetGatewayId"], ids[2], ids[3]
    address = ec2.allocate_address()
    ec2.associate_address(InstanceId=target, AllocationId=address["AllocationId"])
    (nic,) = ec2.describe_instances(InstanceIds=[appliance])["Reservations"][0]["Instances"][0]["NetworkInterfaces"]
    group = nic["Groups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=8080, ToPort=8080, CidrIp="0.0.0.0/0")
    ec2.modify_instance_attribute(InstanceId=appliance, SourceDestCheck={"Value": False})
    guests.start("d", sys.executable, "-c", SERVER)
    wait_until(lambda: guests.dial("d", "127.0.0.1", 8080), "the server listens")

    def is_reached():
        stream = guests.dial("inet", address["PublicIp"], 8080)
        return bool(stream) and echoes(stream)

    def forward(does):
        guests.ns("c", "sysctl", "-qw", f"net.ipv4.ip_forward={int(does)}")

    def answer_by(**way):
        ec2.replace_route(RouteTableId=tables[3], DestinationCidrBlock="0.0.0.0/0", **way)

    def check_by_appliance(words):
        """Nothing passes while c does not forward; then both directions go through it."""
        forward(False)
        answer_by(GatewayId=igw)
        region.settle()
        region.check(words + " comes to the appliance, which keeps it", not is_reached())
        answer_by(InstanceId=appliance)
        forward(True)
        region.check_soon(words + " passes the appliance both ways", is_reached)

    def check_direct(words):
        forward(False)
        answer_by(GatewayId=igw)
        region.check_soon(words, is_reached)

    ec2.replace_route(RouteTableId=tables[2], DestinationCidrBlock="0.0.0.0/0", GatewayId=igw)
    check_direct("without a route table of the gateway's a guest is reached straight away")
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, GatewayId=igw)["AssociationId"]
    check_direct("so it is by a table that has the local route alone")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.4.0/24", NetworkInterfaceId=nic["NetworkInterfaceId"])
    check_by_appliance("what comes in for a subnet that has a route")
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.4.0/24")
    check_direct("without the route it is reached straight away")
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", NetworkInterfaceId=nic["NetworkInterfaceId"])
    check_by_appliance("what comes in where the local route is replaced")
    ec2.replace_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/16", LocalTarget=True)
    check_direct("the local route restored, it is reached straight away")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="10.0.4.0/24", NetworkInterfaceId=nic["NetworkInterfaceId"])
    ec2.disassociate_route_table(AssociationId=association)
    check_direct("nor is the table followed that the gateway has no more")


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("rt") as region, Guests(region) as guests:
        ec2 = region.account("alice")
        vpc, subnets, tables = make_vpc(ec2)
        group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]["GroupId"]
        ids = [launch(ec2, SubnetId=subnet, PrivateIpAddress=f"10.0.{n}.{GUEST}")[0] for n, subnet in enumerate(subnets, 1)]
        wait_state(ec2, ids, "running")
        ips = {}
        for name, identifier in zip("abcd", ids):
            instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
            guests.plug(name, instance)
            ips[name] = instance["PrivateIpAddress"]
        network_acls(region, ec2, guests, vpc, subnets[1], ips)
        nat_gateways(region, ec2, guests, subnets, tables)
        address = middlebox(region, ec2, guests, tables, ids[0])
        revoked_rule(region, ec2, guests, group, address)
        names(region, ec2, guests, vpc, address)
        gateway_table(region, ec2, guests, vpc, tables, ids)
        region.check_clean()


if __name__ == "__main__":
    main()
