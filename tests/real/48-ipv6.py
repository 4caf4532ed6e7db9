#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/engine/network src/api/metadata
"""IPv6 with real guests: addresses from metadata, traffic between subnets, and group rules by membership; and a Neutron network with automatic
addresses from router advertisements, whose guests reach each other and the outside. Resource names, and metadata with role credentials over IPv6,
only if the instance enables them. Delegated prefixes of both families."""
# limit: 900 s
import ipaddress
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from region import Region, give_address, image_of, wait_state  # noqa: E402

POOL = "2001:db8:d000::/48"
OUTSIDE = "2001:db8:ffff::1"
NET, NOVA = "/network/v2.0", "/compute/v2.1/servers"


def make_vpc(ec2):
    """A dual-stack VPC, a gateway for ssh, and two subnets; returns their ids."""
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
    """Replaces DHCPv6, for which the tiny image has no client. The kernel handles router advertisements itself."""
    region.ssh(address, f"ip -6 addr add {ipv6}/128 dev eth0")


def pings(region, address, other, how=""):
    return " 0% packet loss" in region.ssh(address, f"ping -6 {how} -c 2 -W 3 {other}", fails=True)


def make_person(region, name, role):
    password = region.command("user", "create", name, "--account", "six", "--role", role)["password"]
    return lib.Project(region, "six", name, password)


def make_network(project, admin):
    """A network with a subnet of the region's pool, behind a router with a gateway; a group that allows all IPv6."""
    def make(kind, path, who=project, **members):
        return who.ok("POST", f"{NET}/{path}", {kind: members})[kind]
    pool = make("subnetpool", "subnetpools", admin, name="six", prefixes=[POOL], shared=True)
    outside = project.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
    network = make("network", "networks", name="slaac")["id"]
    subnet = make("subnet", "subnets", network_id=network, ip_version=6, subnetpool_id=pool["id"], ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    router = make("router", "routers", name="six", external_gateway_info={"network_id": outside})["id"]
    project.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet["id"]})
    group = make("security_group", "security-groups", name="six")["id"]
    make("security_group_rule", "security-group-rules", security_group_id=group, direction="ingress", ethertype="IPv6")
    return [make("port", "ports", network_id=network, security_groups=[group]) for _ in range(2)]


def slaac(region, guests, addresses):
    """Interfaces attached to the running guests, without any configuration of addresses."""
    project = make_person(region, "anna", "member")
    ports = make_network(project, make_person(region, "root", "admin"))
    servers = {s["name"]: s["id"] for s in project.ok("GET", NOVA)["servers"]}
    made = []
    for guest, address, port in zip(guests, addresses, ports):
        project.ok("POST", f"{NOVA}/{servers[guest]}/os-interface", {"interfaceAttachment": {"port_id": port["id"]}})
        made.append(port["fixed_ips"][0]["ip_address"])
        region.check_soon("the guest has the interface", lambda at=address: "eth1" in region.ssh(at, "ls /sys/class/net"))
        region.ssh(address, "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_ra; ip -6 route del default dev eth0; ip link set eth1 up")
    for address, ip in zip(addresses, made):
        region.check_soon("a guest makes its address by itself", lambda at=address, ip=ip: ip + "/64" in region.ssh(at, "ip -6 addr show dev eth1"))
    region.check_soon("with it, it reaches another", lambda: pings(region, addresses[0], made[1], "-I eth1"))
    region.check_soon("and the outside", lambda: pings(region, addresses[0], OUTSIDE, "-I eth1"))
    region.check_soon("which reaches it", lambda: " 0% packet loss" in region.on("inet", "ping", "-6", "-c", "1", "-W", "2", made[1], fails=True))


def names_of_ids(region, ec2, vpc, guests, addresses):
    """A guest resolves the other guest's id: without records, with one of A and AAAA, with both."""
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    name = ec2.describe_instances(InstanceIds=[guests[1]])["Reservations"][0]["Instances"][0]["PrivateDnsName"]
    name = guests[1] + "." + name.split(".", 1)[1]

    def resolves(family):
        return " 0% packet loss" in region.ssh(addresses[0], f"ping {family} -c 1 -W 3 {name}", fails=True)
    region.check("a name made of an id is not there unasked", not resolves("-4") and not resolves("-6"))
    ec2.modify_private_dns_name_options(InstanceId=guests[1], EnableResourceNameDnsAAAARecord=True)
    region.check_soon("it has an AAAA record when asked for", lambda: resolves("-6"))
    ec2.modify_private_dns_name_options(InstanceId=guests[1], EnableResourceNameDnsAAAARecord=False, EnableResourceNameDnsARecord=True)
    region.check_soon("and no longer", lambda: not resolves("-6"))


def metadata(region, ec2, guests, addresses):
    """Over IPv6 where it is enabled, with the credentials of a role."""
    iam, name = region.client(*region.keys["six"], "iam"), "guest"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    ec2.associate_iam_instance_profile(InstanceId=guests[0], IamInstanceProfile={"Name": name})
    ec2.modify_instance_metadata_options(InstanceId=guests[0], HttpProtocolIpv6="enabled")

    def ask(address, path):
        return region.ssh(address, f"timeout 20 wget -q -O - http://[fd00:ec2::254]/latest/{path}", fails=True).strip()
    region.check_soon("metadata answers by IPv6", lambda: ask(addresses[0], "meta-data/instance-id") == guests[0])
    region.check_soon("with the role's credentials", lambda: '"Success"' in ask(addresses[0], f"meta-data/iam/security-credentials/{name}"))
    region.check("but not to one that did not ask for it", ask(addresses[1], "meta-data/instance-id") != guests[1])


def prefixes(region, ec2, group, guests, addresses):
    """Addresses of delegated prefixes, configured so that they do not answer ARP: only the network routes them."""
    nic = ec2.describe_instances(InstanceIds=[guests[0]])["Reservations"][0]["Instances"][0]["NetworkInterfaces"][0]["NetworkInterfaceId"]
    made = ec2.assign_private_ip_addresses(NetworkInterfaceId=nic, Ipv4PrefixCount=1)
    four = made["AssignedIpv4Prefixes"][0]["Ipv4Prefix"]
    six = ec2.assign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6PrefixCount=1)["AssignedIpv6Prefixes"][0]
    inside = [str(ipaddress.ip_network(four)[9]), str(ipaddress.ip_network(six)[9])]
    region.ssh(addresses[0], f"echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore; ip addr add {inside[0]}/32 dev lo; ip -6 addr add {inside[1]}/128 dev lo")
    region.check_soon("an address of a prefix is reached", lambda: " 0% packet loss" in region.ssh(addresses[1], f"ping -c 2 -W 3 {inside[0]}", fails=True))
    region.check_soon("and one of IPv6", lambda: pings(region, addresses[1], inside[1]))
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "icmpv6", "FromPort": -1, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": six}]}])
    region.check_soon("which may be sent from", lambda: pings(region, addresses[0], ipv6_of(ec2, guests[1]), f"-I {inside[1]}"))
    mac = region.ssh(addresses[0], "cat /sys/class/net/eth0/address").strip()
    url = f"http://169.254.169.254/latest/meta-data/network/interfaces/macs/{mac}/"
    region.check("metadata tells the prefix", four == region.ssh(addresses[0], f"wget -q -O - {url}ipv4-prefix"))
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=nic, Ipv4Prefixes=[four])
    ec2.unassign_ipv6_addresses(NetworkInterfaceId=nic, Ipv6Prefixes=[six])
    region.check_soon("and no more when it is taken away", lambda: not pings(region, addresses[1], inside[1])
                      and "100% packet loss" in region.ssh(addresses[1], f"ping -c 1 -W 2 {inside[0]}", fails=True))


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
        names_of_ids(region, ec2, vpc, guests, addresses)
        metadata(region, ec2, guests, addresses)
        prefixes(region, ec2, group, guests, addresses)
        slaac(region, guests, addresses)
        region.check_clean()


main()
