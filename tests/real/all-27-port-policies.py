#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/api/azure/network
"""Azure's network security groups, by its calls and with packets: ordered, stateful, on a subnet and on an interface at once, together with security
groups and ACLs; and the closed default. OVN and the API are real; instances are simulated, and network namespaces in place of their interfaces
play the guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from azure import Azure  # noqa: E402
from guests import Guests  # noqa: E402
from region import Region  # noqa: E402

PORT, OTHER = 5300, 5301
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
KEPT = """import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
while True:
    s.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
    try:
        open(sys.argv[3], "w").write("%d" % (time.time() if s.recv(100) else 0))
    except socket.timeout:
        pass
    time.sleep(0.5)
"""


class Net:
    """A virtual network with two subnets, "front" and "back", and a guest in each, which answers UDP with its name."""

    def __init__(self, region, guests):
        self.region, self.guests, self.ips, self.nics = region, guests, {}, {}
        self.ec2 = region.account("az")
        self.azure = Azure(region, region.keys["az"])
        subscription = self.azure.machines.split("/resourceGroups")[0]
        self.azure.ask("PUT", f"{subscription}/resourceGroups/net", {"location": self.azure.location}, "2021-04-01")
        self.at = f"{subscription}/resourceGroups/net/providers/Microsoft.Network"
        self.put("virtualNetworks/vnet", {"addressSpace": {"addressPrefixes": ["10.70.0.0/16"]}, "subnets": [
            {"name": name, "properties": {"addressPrefix": f"10.70.{n}.0/24"}} for n, name in enumerate(("front", "back"), 1)]})
        for name in ("front", "back"):
            self.make(name)

    def put(self, path, properties=None, **more):
        return self.azure.ask("PUT", f"{self.at}/{path}", {"location": self.azure.location, "properties": properties or {}, **more}, "2022-01-01")

    def id(self, path):
        return {"id": f"{self.at}/{path}"}

    def interface(self, name, policy=None, **more):
        configs = [{"name": "c", "properties": {"subnet": self.id(f"virtualNetworks/vnet/subnets/{name}"), **more}}]
        guard = {"networkSecurityGroup": self.id(f"networkSecurityGroups/{policy}")} if policy else {}
        return self.put(f"networkInterfaces/{name}", {"ipConfigurations": configs, **guard})

    def make(self, name):
        nic = self.interface(name)
        self.ips[name] = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
        (row,) = self.ec2.describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [self.ips[name]]}])["NetworkInterfaces"]
        self.nics[name] = row["NetworkInterfaceId"]
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                               NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": row["NetworkInterfaceId"]}])
        self.guests.plug(name, {"NetworkInterfaces": [row]})
        for port in (PORT, OTHER):
            self.guests.start(name, sys.executable, "-c", ECHO, str(port), name)

    def policy(self, name, *rules):
        """Rules as (direction, priority, access, source, port)."""
        self.put(f"networkSecurityGroups/{name}", {"securityRules": [{"name": f"r{priority}{direction}", "properties": {
            "direction": direction, "priority": priority, "access": access, "protocol": "Udp", "sourceAddressPrefix": source,
            "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": port}}
            for direction, priority, access, source, port in rules]})

    def guard_subnet(self, name, policy=None):
        guard = {"networkSecurityGroup": self.id(f"networkSecurityGroups/{policy}")} if policy else {}
        self.put(f"virtualNetworks/vnet/subnets/{name}", {"addressPrefix": f"10.70.{('front', 'back').index(name) + 1}.0/24", **guard})

    def asks(self, who, whom, port=PORT):
        """True if `whom` answers `who`."""
        return self.guests.ns(who, sys.executable, "-c", ASK, self.ips[whom], str(port), fails=True).strip() == whom

    def pings(self, who, whom):
        return " 0% packet loss" in self.guests.ns(who, "ping", "-c", "1", "-W", "1", self.ips[whom], fails=True)

    def let(self, words, *tries):
        for one in tries:
            self.region.check_soon(words, one)

    def kept_out(self, words, *tries):
        self.region.settle()
        self.region.check(words, not any(one() for one in tries))


def ordered(n):
    n.let("without a policy everything passes", lambda: n.asks("front", "back"), lambda: n.pings("front", "back"))
    n.policy("near")
    n.interface("back", "near")
    n.let("with the rules that each policy ends with, a virtual network is open within", lambda: n.asks("front", "back"))
    n.policy("near", ("Inbound", 200, "Deny", "*", "*"))
    n.kept_out("a rule that denies comes before them", lambda: n.asks("front", "back"), lambda: n.asks("front", "back", OTHER))
    n.let("of what it is about alone", lambda: n.pings("front", "back"))
    n.let("and replies pass", lambda: n.asks("back", "front"))
    n.policy("near", ("Inbound", 100, "Allow", "10.70.1.0/24", str(PORT)), ("Inbound", 200, "Deny", "*", "*"))
    n.let("one that allows, and comes before it, lets through", lambda: n.asks("front", "back"))
    n.kept_out("no more than it says", lambda: n.asks("front", "back", OTHER))
    n.policy("near", ("Inbound", 300, "Allow", "10.70.1.0/24", str(PORT)), ("Inbound", 200, "Deny", "*", "*"))
    n.kept_out("behind it, it does not", lambda: n.asks("front", "back"))


def tracked(n):
    mark = os.path.join(os.path.dirname(n.region.env.get("DARI_CONFIG", "/tmp/x")), "kept")
    n.policy("near", ("Inbound", 100, "Allow", "*", str(PORT)), ("Inbound", 200, "Deny", "*", "*"))
    n.let("a connection is there", lambda: n.asks("front", "back"))
    n.guests.start("front", sys.executable, "-c", KEPT, n.ips["back"], str(PORT), mark)
    n.region.check_soon("it goes on", lambda: os.path.exists(mark))
    n.policy("near", ("Inbound", 200, "Deny", "*", "*"))
    n.kept_out("new ones do not pass", lambda: n.asks("front", "back"))
    os.unlink(mark)
    n.region.check_soon("one that was tracked goes on when its rule ends", lambda: os.path.exists(mark))


def outwards(n):
    n.policy("near", ("Outbound", 100, "Deny", "*", str(PORT)))
    n.kept_out("outwards likewise", lambda: n.asks("back", "front"))
    n.let("of that port alone, and what it answers passes", lambda: n.asks("back", "front", OTHER), lambda: n.asks("front", "back"))
    n.interface("back")
    n.let("without the policy all is as before", lambda: n.asks("back", "front"))


def both(n):
    n.policy("far", ("Inbound", 100, "Allow", "*", str(PORT)), ("Inbound", 200, "Deny", "*", "*"))
    n.guard_subnet("back", "far")
    n.let("a subnet's policy lets a port through", lambda: n.asks("front", "back"))
    n.kept_out("and keeps the rest out", lambda: n.asks("front", "back", OTHER))
    n.policy("near", ("Inbound", 100, "Allow", "*", str(OTHER)), ("Inbound", 200, "Deny", "*", "*"))
    n.interface("back", "near")
    n.kept_out("with the interface's both must let it through", lambda: n.asks("front", "back"), lambda: n.asks("front", "back", OTHER))
    n.policy("near", ("Inbound", 100, "Allow", "*", f"{PORT}-{OTHER}"), ("Inbound", 200, "Deny", "*", "*"))
    n.let("and do", lambda: n.asks("front", "back"))
    n.kept_out("but what the subnet's keeps out", lambda: n.asks("front", "back", OTHER))


def beside_groups(n):
    """A policy cannot allow what security groups or ACLs deny."""
    (nic,) = n.ec2.describe_network_interfaces(NetworkInterfaceIds=[n.nics["back"]])["NetworkInterfaces"]
    before = [g["GroupId"] for g in nic["Groups"]]
    closed = n.ec2.create_security_group(GroupName="closed", Description="closed", VpcId=nic["VpcId"])["GroupId"]
    n.ec2.modify_network_interface_attribute(NetworkInterfaceId=n.nics["back"], Groups=[closed])
    n.kept_out("a group that lets nothing in holds", lambda: n.asks("front", "back"))
    n.let("and lets out", lambda: n.asks("back", "front"))
    n.ec2.modify_network_interface_attribute(NetworkInterfaceId=n.nics["back"], Groups=before)
    n.let("without it the policy decides", lambda: n.asks("front", "back"))
    (acl,) = n.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [nic["VpcId"]]}])["NetworkAcls"]
    entry = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 50, "Egress": False}
    n.ec2.create_network_acl_entry(**entry, Protocol="17", RuleAction="deny", CidrBlock="10.70.1.0/24", PortRange={"From": PORT, "To": PORT})
    n.kept_out("an ACL that denies holds", lambda: n.asks("front", "back"))
    n.ec2.delete_network_acl_entry(**entry)
    n.let("and no longer", lambda: n.asks("front", "back"))


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("pp") as region, Guests(region) as guests:
        n = Net(region, guests)
        ordered(n)
        tracked(n)
        outwards(n)
        both(n)
        beside_groups(n)
        region.check_clean()


if __name__ == "__main__":
    main()
