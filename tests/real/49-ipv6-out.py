#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/engine/network
"""IPv6 and the outside: both ways by an internet gateway, outgoing only by an egress-only one, neither without one; peers; network ACLs; an IPv6-only
subnet. OVN and the API are real; instances are simulated, and network namespaces in place of their interfaces play the guests, whose kernels learn
their default route from router advertisements."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

POOL = "2001:db8:d000::/48"
OUTSIDE = "2001:db8:ffff::1"


def make_vpc(ec2, number, subnets):
    """A dual-stack VPC with an internet gateway; its subnets, each with a route table."""
    vpc = ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = ec2.describe_vpcs(VpcIds=[vpc["VpcId"]])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    made = {"id": vpc["VpcId"], "block": block, "subnets": [], "tables": []}
    for n in range(subnets):
        ipv6 = block.replace("00::/56", f"{n:02x}::/64")
        subnet = ec2.create_subnet(VpcId=made["id"], CidrBlock=f"10.{number}.{n}.0/24", Ipv6CidrBlock=ipv6)["Subnet"]["SubnetId"]
        ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
        table = ec2.create_route_table(VpcId=made["id"])["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(SubnetId=subnet, RouteTableId=table)
        made["subnets"].append(subnet)
        made["tables"].append(table)
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [made["id"]]}])["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    return made


def attach(ec2, vpc):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc["id"])
    return gateway


def start(ec2, guests, names, subnets):
    """Guests by name, with both addresses: {name: IPv6 address}, {name: instance id}."""
    ids = [launch(ec2, SubnetId=subnet)[0] for subnet in subnets]
    wait_state(ec2, ids, "running")
    addresses = {}
    for name, identifier in zip(names, ids):
        instance = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]
        guests.plug(name, instance)
        addresses[name] = instance["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"]
        wait_until(lambda: guests.ask_dhcpv6(name)[:1] == [addresses[name]], f"DHCPv6 gives {name} its address")
        guests.ns(name, "ip", "-6", "addr", "add", addresses[name] + "/128", "dev", "eth0", "nodad")
        wait_until(lambda: "default via fe80" in guests.ns(name, "ip", "-6", "route"), f"a way out is advertised to {name}")
    return addresses, dict(zip(names, ids))


def pings(guests, name, address):
    return " 0% packet loss" in guests.ns(name, "ping", "-6", "-c", "1", "-W", "1", address, fails=True)


def check_both_ways(region, guests, words, name, address):
    region.check_soon(f"{words}: out", lambda: pings(guests, name, OUTSIDE))
    region.check_soon(f"{words}: in", lambda: pings(guests, "inet", address))


def check_neither_way(region, guests, words, name, address):
    region.settle()
    region.check(f"{words}: not out", not pings(guests, name, OUTSIDE))
    region.check(f"{words}: not in", not pings(guests, "inet", address))


def native(region, ec2, guests, vpc, gateway, ips):
    """An IPv6-only subnet: its guest gets an address by DHCPv6; the subnet has its own route table and network ACL."""
    made = ec2.create_subnet(VpcId=vpc["id"], Ipv6Native=True, Ipv6CidrBlock=vpc["block"].replace("00::/56", "aa::/64"))["Subnet"]["SubnetId"]
    found, _ = start(ec2, guests, "n", [made])
    region.check_soon("a guest without IPv4 reaches another subnet", lambda: pings(guests, "n", ips["a"]))
    check_neither_way(region, guests, "without IPv4 and a route", "n", found["n"])
    table = ec2.create_route_table(VpcId=vpc["id"])["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(SubnetId=made, RouteTableId=table)
    ec2.create_route(RouteTableId=table, DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
    check_both_ways(region, guests, "with a route", "n", found["n"])
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [made]}])["NetworkAcls"]
    (own,) = [a for a in acl["Associations"] if a["SubnetId"] == made]
    closed = ec2.create_network_acl(VpcId=vpc["id"])["NetworkAcl"]["NetworkAclId"]
    ec2.replace_network_acl_association(AssociationId=own["NetworkAclAssociationId"], NetworkAclId=closed)
    check_neither_way(region, guests, "with a list that denies all", "n", found["n"])


def egress_only(region, ec2, guests, vpc, ips):
    """Outgoing connections and their answers pass, incoming ones do not; also in a VPC without an internet gateway."""
    region.check_soon("before, a new connection comes in", lambda: pings(guests, "inet", ips["b"]))
    gateway = ec2.create_egress_only_internet_gateway(VpcId=vpc["id"])["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    ec2.replace_route(RouteTableId=vpc["tables"][1], DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=gateway)
    region.settle()
    region.check_soon("by an egress-only gateway it gets out", lambda: pings(guests, "b", OUTSIDE))
    region.check("and nothing in", not pings(guests, "inet", ips["b"]))
    region.check_soon("but from within the VPC", lambda: pings(guests, "a", ips["b"]))
    other = make_vpc(ec2, 1, 1)
    gateway = ec2.create_egress_only_internet_gateway(VpcId=other["id"])["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    ec2.create_route(RouteTableId=other["tables"][0], DestinationIpv6CidrBlock="::/0", EgressOnlyInternetGatewayId=gateway)
    found, _ = start(ec2, guests, "c", other["subnets"])
    region.check_soon("without an internet gateway as well", lambda: pings(guests, "c", OUTSIDE))
    region.check("and nothing in there", not pings(guests, "inet", found["c"]) and not pings(guests, "a", found["c"]))
    return other, found["c"]


def peering(region, ec2, guests, vpc, other, ips, far):
    pcx = ec2.create_vpc_peering_connection(VpcId=vpc["id"], PeerVpcId=other["id"])["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pcx)
    ec2.create_route(RouteTableId=vpc["tables"][0], DestinationIpv6CidrBlock=other["block"], VpcPeeringConnectionId=pcx)
    ec2.create_route(RouteTableId=other["tables"][0], DestinationIpv6CidrBlock=vpc["block"], VpcPeeringConnectionId=pcx)
    region.check_soon("a peer is reached, and the egress-only gateway lets it in", lambda: pings(guests, "a", far))
    region.check_soon("and reaches back", lambda: pings(guests, "c", ips["a"]))


def middlebox(region, ec2, guests, vpc, instance):
    ec2.modify_instance_attribute(InstanceId=instance, SourceDestCheck={"Value": False})
    guests.ns("a", "ip", "-6", "addr", "add", "2001:db8:eeee::1/128", "dev", "lo", "nodad")
    ec2.create_route(RouteTableId=vpc["tables"][1], DestinationIpv6CidrBlock="2001:db8:eeee::/48", InstanceId=instance)
    region.check_soon("a route to an instance leads to it", lambda: pings(guests, "b", "2001:db8:eeee::1"))


def blocked_by_list(region, ec2, guests, vpc, ips):
    """IPv6 entries of a network ACL, in each direction."""
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [vpc["subnets"][0]]}])["NetworkAcls"]
    for egress, words in ((False, "inward"), (True, "outward")):
        ec2.create_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=50, Egress=egress, RuleAction="deny", Protocol="-1",
                                     Ipv6CidrBlock=OUTSIDE + "/128")
        check_neither_way(region, guests, f"an entry that denies, {words}", "a", ips["a"])
        ec2.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=50, Egress=egress)
        check_both_ways(region, guests, f"without it, {words}", "a", ips["a"])


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("v6out") as region, Guests(region) as guests:
        region.run(region.dari, "network", "set-ipv6", "internet", "--pool", POOL, "--next-hop", "fe80::1")
        ec2 = region.account("alice")
        vpc = make_vpc(ec2, 0, 2)
        gateway = attach(ec2, vpc)
        ec2.create_route(RouteTableId=vpc["tables"][0], DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
        ips, ids = start(ec2, guests, "ab", vpc["subnets"])
        check_both_ways(region, guests, "a subnet with a route", "a", ips["a"])
        check_neither_way(region, guests, "one without", "b", ips["b"])
        region.check_soon("within the VPC it is reached", lambda: pings(guests, "a", ips["b"]))
        region.check("and nobody is translated", ips["a"] in guests.ns("inet", "ip", "-6", "neigh", "show", "dev", "wan0"))
        blocked_by_list(region, ec2, guests, vpc, ips)
        middlebox(region, ec2, guests, vpc, ids["a"])
        ec2.create_route(RouteTableId=vpc["tables"][1], DestinationIpv6CidrBlock="::/0", InstanceId=ids["a"])
        ec2.replace_route(RouteTableId=vpc["tables"][1], DestinationIpv6CidrBlock="::/0", GatewayId=gateway)
        check_both_ways(region, guests, "with a route it has", "b", ips["b"])
        native(region, ec2, guests, vpc, gateway, ips)
        other, far = egress_only(region, ec2, guests, vpc, ips)
        peering(region, ec2, guests, vpc, other, ips, far)
        ec2.delete_route(RouteTableId=vpc["tables"][1], DestinationIpv6CidrBlock="::/0")
        check_neither_way(region, guests, "the route deleted", "b", ips["b"])
        region.check_clean()


if __name__ == "__main__":
    main()
