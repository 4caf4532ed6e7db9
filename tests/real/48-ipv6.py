#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""IPv6 with real guests: addresses told by DHCPv6 and metadata, between subnets, and by whom a group lets in."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, image_of, wait_state  # noqa: E402

POOL = "2001:db8:d000::/48"


def make_vpc(ec2):
    """A VPC with both families, a way out for ssh, and two subnets; their ids."""
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    shown = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]
    block = shown["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnets = []
    for n in (0, 1):
        ipv6 = block.replace("00::/56", f"{n:02x}::/64")
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", Ipv6CidrBlock=ipv6, AvailabilityZone="us-east-1a")
        subnets.append(made["Subnet"]["SubnetId"])
        ec2.modify_subnet_attribute(SubnetId=subnets[-1], AssignIpv6AddressOnCreation={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return vpc, subnets, gateway, table


def open_group(ec2, vpc):
    group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    return group


def start(ec2, subnet, **more):
    run = ec2.run_instances(ImageId=image_of(ec2), InstanceType="t3.nano", MinCount=1, MaxCount=1, SubnetId=subnet, KeyName="k", **more)
    return run["Instances"][0]["InstanceId"]


def ipv6_of(ec2, identifier):
    nic = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]
    return nic["Ipv6Addresses"][0]["Ipv6Address"]


def take_address(region, address, ipv6):
    """As DHCPv6 would: the tiny image has no client of it. The router's advertisements the kernel takes by itself."""
    region.ssh(address, f"ip -6 addr add {ipv6}/128 dev eth0")


def pings(region, address, other):
    return " 0% packet loss" in region.ssh(address, f"ping -6 -c 2 -W 3 {other}", fails=True)


def main():
    with Region("ipv6") as region:
        region.run(region.dari, "network", "set-ipv6", "internet", "--pool", POOL, "--next-hop", "fe80::1")
        ec2 = region.account("six")
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        vpc, subnets, gateway, table = make_vpc(ec2)
        group = open_group(ec2, vpc)
        guests = [start(ec2, subnet) for subnet in subnets]
        wait_state(ec2, guests, "running")
        addresses = [give_address(ec2, guest)[0] for guest in guests]
        ipv6 = [ipv6_of(ec2, guest) for guest in guests]
        for guest, address, ip in zip(guests, addresses, ipv6):
            region.reach(ec2, guest, address, guest)
            mac = region.ssh(address, "cat /sys/class/net/eth0/address").strip()
            url = "http://169.254.169.254/latest/meta-data/"
            region.check("metadata tells the address", ip == region.ssh(address, f"wget -q -O - {url}ipv6"))
            region.check("and of the interface", ip == region.ssh(address, f"wget -q -O - {url}network/interfaces/macs/{mac}/ipv6s"))
            take_address(region, address, ip)
            region.check_soon("a way out is advertised", lambda at=address: "default via fe80:" in region.ssh(at, "ip -6 route"))
        region.check_soon("the other subnet is reached by IPv6", lambda: pings(region, addresses[0], ipv6[1]))
        region.check_soon("and back", lambda: pings(region, addresses[1], ipv6[0]))
        region.check_clean()


main()
