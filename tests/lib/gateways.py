# SPDX-License-Identifier: Apache-2.0
"""Gateways to the internet and the guests behind them, for tests of hosts that lose their power."""
import base64
import re
import time

import cloud
from fences import state_of
from moves import host_of
from region import launch, wait_state, wait_until

NET, NOVA = "/network/v2.0", "/compute/v2.1/servers"
# The guest sends a request to a web server outside, which logs it, about once a second.
TELLS = """#!/bin/sh
while :; do
	timeout 2 wget -q -O /dev/null "http://198.51.100.1/alive/$(cat /mnt/tiny/instance)" 2>/dev/null
	sleep 1
done &
"""


def heard(region, identifier):
    with open(f"{region.env['DARI_SANDBOX']}/inet/log/httpd.log", encoding="utf-8", errors="replace") as f:
        return len(re.findall(rf"/alive/{identifier}", f.read()))


def wait_word(region, identifier, words):
    """Waits for three new requests of the guest: a packet or two may still have been under way. Returns the seconds until the first."""
    before, began, first = heard(region, identifier), time.monotonic(), []

    def is_heard():
        now = heard(region, identifier)
        if now > before and not first:
            first.append(time.monotonic() - began)
        return now >= before + 3
    region.check_soon(words, is_heard)
    return first[0] if first else 0


def make_vpc(ec2):
    """A VPC with a public and a private subnet; returns both subnets and the private one's table."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets, tables = [], []
    for n in (1, 2):
        subnets.append(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"])
        tables.append(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        ec2.associate_route_table(SubnetId=subnets[-1], RouteTableId=tables[-1])
    ec2.create_route(RouteTableId=tables[0], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return subnets, tables[1]


def make_private(region, ec2):
    """A subnet that reaches the internet through a NAT gateway; returns both."""
    subnets, table = make_vpc(ec2)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    wait_until(lambda: ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"][0]["State"] == "available", "the NAT gateway is available")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    return subnets[1]


def make_router(project):
    """A network behind a router of OpenStack, which translates its guests' addresses; returns both ids."""
    def make(kind, path, **members):
        return project.ok("POST", f"{NET}/{path}", {kind: members})[kind]["id"]
    outside = project.ok("GET", f"{NET}/networks?router:external=True")["networks"][0]["id"]
    network = make("network", "networks", name="inner")
    subnet = make("subnet", "subnets", network_id=network, ip_version=4, cidr="10.7.0.0/24")
    router = make("router", "routers", name="r", external_gateway_info={"network_id": outside})
    project.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    return network, router


def make_server(project, ec2, network):
    image = project.ok("GET", "/image/v2/images?name=tiny")["images"][0]["id"]
    flavor = next(f["id"] for f in project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t2.nano")
    server = project.ok("POST", NOVA, {"server": {"name": "g", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": network}],
                                                  "user_data": base64.b64encode(TELLS.encode()).decode()}})["server"]["id"]
    guest = "i-" + server.replace("-", "")[:17]
    wait_state(ec2, [guest], "running")
    return guest


def rows(text):
    """Pairs of two columns of --bare output."""
    return re.findall(r"^(\S+)\n(\S+)$", text, re.MULTILINE)


def carriers(region):
    """Hosts that carry the gateways of routers, by port."""
    names = dict(rows(region.on("ctl", "ovn-sbctl", "--bare", "--columns=_uuid,name", "list", "Chassis")))
    return {port: names[chassis] for port, chassis in rows(region.on(
        "ctl", "ovn-sbctl", "--bare", "--columns=logical_port,chassis", "find", "Port_Binding", "type=chassisredirect"))}


def nat_carrier(region):
    return re.search(r"chassis=(\w+)", region.on("ctl", "ovn-nbctl", "--bare", "--columns=options", "find", "Logical_Router", 'options:chassis!=""'))[1]


def start_guests(region, project, ec2, subnet, network, lost):
    """Starts a guest behind each gateway, on hosts that keep their power."""
    for host in lost:
        region.command("host", "maintenance", host, "--from", "now", "--kind", "move")
    guests = launch(ec2, SubnetId=subnet, UserData=TELLS)[0], make_server(project, ec2, network)
    wait_state(ec2, guests, "running")
    for host in lost:
        region.command("host", "maintenance", host, "--end")
    region.check(f"no guest is on {lost}", not lost & {host_of(region, guest) for guest in guests})
    return guests


def lose(region, host, guest, words):
    """Cuts the host's power; returns where the gateways are then."""
    before = carriers(region)
    region.run("tools/sandbox", "cut-power", host)
    print(f"{words}: {wait_word(region, guest, words):.1f} s after the loss of {host}")
    region.check_soon(f"no gateway is on {host}", lambda: host not in carriers(region).values())
    now = carriers(region)
    stayed = {port: at for port, at in before.items() if at != host}
    region.check(f"gateways of other hosts have not moved: {before} {now}", all(now[port] == at for port, at in stayed.items()))


def is_back(region, host, guests):
    wait_until(lambda: state_of(region, host) == "up", f"{host} is up")
    region.settle()
    for guest in guests:
        wait_word(region, guest, f"{guest} is heard with {host} again")


def make_world(region):
    """An account; a subnet behind a NAT gateway; a network of OpenStack behind a router, with a server: networks come to OVN with their first port."""
    ec2 = region.account("acme")
    password = region.command("user", "create", "anna", "--account", "acme", "--role", "member")["password"]
    project = cloud.Project(region, "acme", "anna", password)
    subnet, (network, router) = make_private(region, ec2), make_router(project)
    return ec2, project, subnet, network, router, make_server(project, ec2, network)
