#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn/nb_port src/reconcile/network/port src/engine/network/port/trunk
"""Neutron's trunks with packets: a guest reaches a sub-port's network by its VLAN tag and by that tag alone, across hosts, within the sub-port's security
groups, and not once the sub-port is removed. OVN and the API are real; instances are simulated, and network namespaces play the guests. The guest
tags its frames itself, because the test's kernel may lack VLAN interfaces."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from guests import Guests  # noqa: E402
from region import Region  # noqa: E402

NET, NOVA = "/network/v2.0", "/compute/v2.1/servers"
TAG = 100
# Sends an ICMP echo request with a VLAN tag (0: none) out of eth0, and answers 0 if the reply comes with that tag. ARP is asked likewise, before.
PING = """import socket, struct, sys
tag, mac, own, other = int(sys.argv[1]), bytes.fromhex(sys.argv[2].replace(":", "")), socket.inet_aton(sys.argv[3]), socket.inet_aton(sys.argv[4])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
s.setsockopt(263, 8, 1)  # PACKET_AUXDATA: the kernel takes the tag out of the frame
s.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex("eth0"), 1, 0, b""))  # PACKET_MR_PROMISC
s.settimeout(2)
def frame(to, kind, rest):
    return to + mac + (struct.pack("!HH", 0x8100, tag) if tag else b"") + struct.pack("!H", kind) + rest
def received(want):
    for _ in range(100):  # other frames may come before
        try:
            data, extra, _, _ = s.recvmsg(2000, 200)
        except TimeoutError:
            return None
        seen = 0
        for _, kind, value in extra:
            status, _, _, _, _, tci = struct.unpack("IIIHHH", value[:18])
            seen = tci & 4095 if kind == 8 and status & 16 else seen
        if data[12:14] == b"\\x81\\0":
            seen, data = struct.unpack("!H", data[14:16])[0] & 4095, data[:12] + data[16:]
        found = want(data) if seen == tag and data[:6] == mac else None
        if found:
            return found
def checksum(b):
    n = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    return ~((n & 0xffff) + (n >> 16)) & 0xffff
def arp():
    s.send(frame(b"\\xff" * 6, 0x806, struct.pack("!HHBBH", 1, 0x800, 6, 4, 1) + mac + own + bytes(6) + other))
    return received(lambda d: d[22:28] if d[12:14] == b"\\x08\\x06" and d[20:22] == b"\\0\\2" and d[28:32] == other else None)
def echo(to):
    icmp = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"dari" * 4
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), 1, 0, 64, 1, 0) + own + other
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    s.send(frame(to, 0x800, head + icmp))
    return received(lambda d: d[12:14] == b"\\x08\\0" and d[23] == 1 and d[34] == 0 and d[26:30] == other or None)
to = arp()
print("echo" if to and echo(to) else "arp" if to else "nothing")
"""


def make(project, kind, path, **members):
    return project.ok("POST", f"{NET}/{path}", {kind: members})[kind]


def make_network(project, name, block):
    network = make(project, "network", "networks", name=name)["id"]
    make(project, "subnet", "subnets", network_id=network, ip_version=4, cidr=block)
    return network


class Trunked:
    """Two guests, "carrier" with a trunk and "far" with a port in the sub-port's network, each on a host of its own."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        region.account("trunk")
        password = region.command("user", "create", "anna", "--account", "trunk", "--role", "admin")["password"]
        self.project = lib.Project(region, "trunk", "anna", password)
        self.outer, self.inner = make_network(self.project, "outer", "10.71.0.0/24"), make_network(self.project, "inner", "10.72.0.0/24")
        for network in (self.outer, self.inner):  # behind routers, for the gateway's answer to plug()
            subnet = self.project.ok("GET", f"{NET}/subnets?network_id={network}")["subnets"][0]["id"]
            router = make(self.project, "router", "routers", name="r")["id"]
            self.project.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet})
        self.parent, self.sub, self.far = (make(self.project, "port", "ports", network_id=n) for n in (self.outer, self.inner, self.inner))
        self.trunk = make(self.project, "trunk", "trunks", port_id=self.parent["id"], name="uplink")["id"]
        self.image = next(i["id"] for i in self.project.ok("GET", "/image/v2/images")["images"] if i["name"] == "tiny")
        apart = self.project.ok("POST", "/compute/v2.1/os-server-groups", {"server_group": {"name": "apart", "policy": "anti-affinity"}},
                                version="compute 2.93")["server_group"]["id"]
        for name, port in (("carrier", self.parent), ("far", self.far)):
            self.start(name, port, apart)

    def start(self, name, port, apart):
        flavor = next(f["id"] for f in self.project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.nano")
        server = self.project.ok("POST", NOVA, {"server": {"name": name, "imageRef": self.image, "flavorRef": flavor, "networks": [{"port": port["id"]}]},
                                                "os:scheduler_hints": {"group": apart}})["server"]["id"]
        self.region.check_soon(f"{name} runs", lambda: self.project.ok("GET", f"{NOVA}/{server}")["server"]["status"] == "ACTIVE")
        self.guests.plug(name, {"NetworkInterfaces": [{"NetworkInterfaceId": port["id"].replace("-", ""), "MacAddress": port["mac_address"],
                                                       "PrivateIpAddress": port["fixed_ips"][0]["ip_address"]}]})

    def change(self, what, **members):
        self.project.ok("PUT", f"{NET}/trunks/{self.trunk}/{what}", {"sub_ports": [{"port_id": self.sub["id"], **members}]})

    def guard(self, groups):
        self.project.ok("PUT", f"{NET}/ports/{self.sub['id']}", {"port": {"security_groups": groups}})

    def reaches(self, tag, other):
        """What came back: "echo", "arp" alone, or "nothing"."""
        return self.guests.ns("carrier", sys.executable, "-c", PING, str(tag), self.sub["mac_address"], self.sub["fixed_ips"][0]["ip_address"], other,
                              fails=True).strip()

    def status(self):
        return self.project.ok("GET", f"{NET}/trunks/{self.trunk}")["trunk"]["status"]


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("tk") as region, Guests(region) as guests:
        t = Trunked(region, guests)
        far = t.far["fixed_ips"][0]["ip_address"]
        region.settle()
        region.check("before there is a sub-port, its tag leads nowhere", t.reaches(TAG, far) == "nothing")
        t.change("add_subports", segmentation_type="vlan", segmentation_id=TAG)
        region.check_soon("the trunk is active", lambda: t.status() == "ACTIVE", t.status)
        region.check_soon("the tag reaches the sub-port's gateway", lambda: t.reaches(TAG, "10.72.0.1") == "echo")
        region.check_soon("and a guest in its network, on another host", lambda: t.reaches(TAG, far) == "echo")
        t.guard([])
        region.settle()
        region.check("without a security group the sub-port sends nothing", t.reaches(TAG, far) == "arp")
        t.guard(t.sub["security_groups"])
        region.check_soon("with its group it does again", lambda: t.reaches(TAG, far) == "echo")
        region.check("another tag leads nowhere", t.reaches(TAG + 1, far) == "nothing")
        region.check("frames without a tag do not reach the sub-port's network", t.reaches(0, far) == "nothing")
        t.change("remove_subports")
        region.settle()
        region.check("a removed sub-port's tag leads nowhere", t.reaches(TAG, far) == "nothing")
        region.check_clean()


main()
