#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/gather src/api/cloudstack/network
"""CloudStack's network ACLs between the tiers of a VPC, by its commands and with packets: numbered, closed by default, and stateful: replies pass,
for UDP too. OVN and the API are real; instances are simulated, and network namespaces in place of their interfaces play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cloudstack import of_region, ok  # noqa: E402
from guests import WEB, Guests  # noqa: E402
from region import Region  # noqa: E402

TIER, PORT = "DefaultIsolatedNetworkOfferingForVpcNetworks", 5300
ECHO = """import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", int(sys.argv[1])))
while True:
    words, who = s.recvfrom(100)
    s.sendto(sys.argv[2].encode(), who)
"""
ASK = """import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
print(s.recv(100).decode())
"""


class Tiers:
    """A VPC with two tiers, "front" and "back", each with a list of its own and one guest, which answers UDP with its name."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.dev = of_region(region, "alice")
        self.zone = self.ok("listZones")["zone"][0]["id"]
        offering = self.ok("listVPCOfferings")["vpcoffering"][0]["id"]
        self.vpc = self.ok("createVPC", name="vpc", displaytext="vpc", cidr="10.60.0.0/16", vpcofferingid=offering, zoneid=self.zone)["vpc"]["id"]
        self.lists, self.ips = {}, {}
        for n, name in enumerate(("front", "back"), 1):
            self.lists[name] = self.ok("createNetworkACLList", name=name, vpcid=self.vpc)["networkacllist"]["id"]
            nic = self.deploy(name, self.make_tier(name, n))["nic"][0]
            self.ips[name] = nic["ipaddress"]
            guests.plug(name, {"NetworkInterfaces": [{"NetworkInterfaceId": nic["id"].replace("-", ""), "MacAddress": nic["macaddress"],
                                                      "PrivateIpAddress": nic["ipaddress"]}]})
            guests.start(name, sys.executable, "-c", ECHO, str(PORT), name)

    def ok(self, command, **parameters):
        return ok(self.dev, command, **parameters)

    def make_tier(self, name, n):
        offering = self.ok("listNetworkOfferings", name=TIER)["networkoffering"][0]["id"]
        return self.ok("createNetwork", name=name, displaytext=name, networkofferingid=offering, zoneid=self.zone, vpcid=self.vpc,
                       gateway=f"10.60.{n}.1", netmask="255.255.255.0", aclid=self.lists[name])["network"]["id"]

    def deploy(self, name, network):
        template = self.ok("listTemplates", templatefilter="executable")["template"][0]["id"]
        size = self.ok("listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"]
        return self.ok("deployVirtualMachine", zoneid=self.zone, templateid=template, serviceofferingid=size, name=name, networkids=network)["virtualmachine"]

    def add(self, name, number, action, protocol, direction="Ingress", cidr="0.0.0.0/0", **more):
        return self.ok("createNetworkACL", aclid=self.lists[name], number=str(number), action=action, protocol=protocol, cidrlist=cidr,
                       traffictype=direction, **more)["networkacl"]["id"]

    def add_udp(self, name, number, action, **more):
        return self.add(name, number, action, "udp", startport=str(PORT), endport=str(PORT), **more)

    def take_away(self, *items):
        for item in items:
            self.ok("deleteNetworkACL", id=item)

    def asks(self, who, whom):
        """True if `whom` answers `who`."""
        return self.guests.ns(who, sys.executable, "-c", ASK, self.ips[whom], str(PORT), fails=True).strip() == whom

    def pings(self, who, whom):
        return " 0% packet loss" in self.guests.ns(who, "ping", "-c", "1", "-W", "1", self.ips[whom], fails=True)

    def kept_out(self, words, *tries):
        self.region.settle()
        self.region.check(words, not any(one() for one in tries))


def inwards(t):
    t.kept_out("what no item names is denied", lambda: t.asks("front", "back"), lambda: t.pings("front", "back"))
    letting = t.add_udp("back", 10, "Allow", cidr="192.0.2.0/24,10.60.1.0/24")
    t.region.check_soon("an item lets a tier in, and what answers passes back without one", lambda: t.asks("front", "back"))
    t.kept_out("no further, and not the other way", lambda: t.asks("back", "front"), lambda: t.pings("front", "back"))
    denying = t.add_udp("back", 5, "Deny", cidr="10.60.1.0/24")
    t.kept_out("a lower number comes first", lambda: t.asks("front", "back"))
    allowing = t.add_udp("back", 3, "Allow", cidr=t.ips["front"] + "/32")
    t.region.check_soon("one lower still comes before it", lambda: t.asks("front", "back"))
    pings = t.add("back", 20, "Allow", "icmp", icmptype="8", icmpcode="-1")
    t.region.check_soon("pings pass by an item, and their answers", lambda: t.pings("front", "back"))
    t.kept_out("not the other way", lambda: t.pings("back", "front"))
    t.take_away(letting, denying, allowing, pings)
    t.kept_out("without the items nothing passes", lambda: t.asks("front", "back"), lambda: t.pings("front", "back"))


def outwards(t):
    letting = t.add_udp("back", 10, "Allow")
    t.region.check_soon("a new list lets all out", lambda: t.asks("front", "back"))
    t.region.check_soon("to the outside, too", lambda: t.guests.seen_as("back") != "")
    denying = t.add("front", 5, "Deny", "udp", "Egress", startport="1", endport="65535")
    t.kept_out("an item outwards keeps a tier in", lambda: t.asks("front", "back"))
    web = t.add("back", 1, "Allow", "tcp", "Egress", cidr=WEB + "/32", startport="80", endport="80")
    t.region.check_soon("one that allows leaves the rest closed, and the way to what it names open", lambda: t.guests.seen_as("back") != "")
    opening = t.add_udp("front", 1, "Allow")
    t.kept_out("the rest", lambda: t.asks("back", "front"))
    t.take_away(denying)
    t.region.check_soon("what may not go out answers all the same", lambda: t.asks("front", "back"))
    t.take_away(letting, web, opening)


def beside_groups(t):
    """The ACL cannot allow what a machine's groups deny."""
    (nic,) = t.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [t.ips["back"]]}])["NetworkInterfaces"]
    closed = t.ec2.create_security_group(GroupName="closed", Description="closed", VpcId=nic["VpcId"])["GroupId"]
    t.add_udp("back", 10, "Allow")
    t.region.check_soon("what the list lets in comes in", lambda: t.asks("front", "back"))
    t.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic["NetworkInterfaceId"], Groups=[closed])
    t.kept_out("but not past a group that does not", lambda: t.asks("front", "back"))
    t.region.check("the group lets out, and answers in", t.guests.seen_as("back") != "")


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("na") as region, Guests(region) as guests:
        tiers = Tiers(region, guests)
        inwards(tiers)
        outwards(tiers)
        beside_groups(tiers)
        region.check_clean()


if __name__ == "__main__":
    main()
