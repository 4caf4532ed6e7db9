# SPDX-License-Identifier: Apache-2.0
"""Guests of a region with a real network and simulated instances: network namespaces attached in place of their interfaces."""
import ctypes
import os
import socket
import subprocess
import sys

from region import wait_until

WEB = "198.51.100.1"
ASK = """import socket, sys
family, kind = (socket.AF_INET6, 28) if sys.argv[2:] else (socket.AF_INET, 1)
name = b"".join(bytes([len(part)]) + part.encode() for part in sys.argv[1].split("."))
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.sendto(b"\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00" + name + bytes([0, 0, kind, 0, 1]), ("169.254.169.253", 53))
answer = s.recv(512)
print(socket.inet_ntop(family, answer[-16 if kind == 28 else -4:]) if answer[7] else "rcode %d" % (answer[3] & 15))
"""
# A DHCPv6 client (RFC 8415, stateful): prints the address assigned to eth0, and the first resolver.
ASK_DHCPV6 = """import socket, struct
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 546))
s.settimeout(2)
index = socket.if_nametoindex("eth0")
def option(number, value):
    return struct.pack("!HH", number, len(value)) + value
def options(b):
    found = {}
    while b:
        number, size = struct.unpack("!HH", b[:4])
        found[number], b = b[4:4 + size], b[4 + size:]
    return found
client = option(1, b"\\0\\3\\0\\1" + bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", "")))
wanted = client + option(3, struct.pack("!III", 7, 0, 0)) + option(6, b"\\0\\x17") + option(8, b"\\0\\0")
def ask(kind, more):
    s.sendto(bytes([kind]) + b"dar" + wanted + more, ("ff02::1:2", 547, 0, index))
    return options(s.recv(1500)[4:])
offer = ask(1, b"")
reply = ask(3, option(2, offer[2]))
print(socket.inet_ntop(socket.AF_INET6, options(reply[3][12:])[5][:16]))
print(socket.inet_ntop(socket.AF_INET6, reply[23][:16]) if 23 in reply else "-")
"""


class Guests:
    """Namespaces in place of virtual machines: each has a veth in its host's br-int, with its interface's id."""

    def __init__(self, region):
        self.region = region
        self.env = dict(line.split("=", 1) for line in region.run("tools/sandbox", "serve-env").splitlines() if "=" in line)
        self.env = {k: v.strip("'\"") for k, v in self.env.items()}
        self.prefix = region.env["DARI_SANDBOX_PREFIX"]
        self.names, self.children = [], []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children:
            child.kill()
            child.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", self.prefix + name], check=False)

    def port_name(self, eni):
        """The interface's whole UUID, which is the name of its switch port."""
        names = self.region.run("ovn-nbctl", "-t", "15", "--db=" + self.env["DSB_NB"], "--bare", "--columns=name", "find",
                                "Logical_Switch_Port", "type=\"\"").split()
        digits = eni.removeprefix("eni-")
        return next((n for n in names if n.replace("-", "").startswith(digits)), "")

    def chassis(self, port):
        options = self.region.run("ovn-nbctl", "-t", "15", "--db=" + self.env["DSB_NB"], "get", "Logical_Switch_Port", port, "options")
        return options.split("requested-chassis=")[1].split(",")[0].strip("{}\"\n ")

    def plug(self, name, instance):
        """Attaches the instance's primary interface, with its IPv4 address, if any, and a default route."""
        nic = instance["NetworkInterfaces"][0]
        wait_until(lambda: self.port_name(nic["NetworkInterfaceId"]), f"the port of {name}")
        port, netns = self.port_name(nic["NetworkInterfaceId"]), self.prefix + name
        link = "dt" + port.replace("-", "")[:11]  # as libvirt is told
        host, run = self.chassis(port), self.region.run
        run("ip", "netns", "add", netns)
        self.names.append(name)
        run("ip", "link", "add", "name", "eth0", "netns", netns, "type", "veth", "peer", "name", link, "netns", self.prefix + host)
        self.ns(name, "ip", "link", "set", "lo", "up")
        self.ns(name, "ip", "link", "set", "eth0", "address", nic["MacAddress"], "mtu", "1442", "up")
        run("ip", "-n", self.prefix + host, "link", "set", link, "up")
        self.ns(name, "ethtool", "-K", "eth0", "tx", "off")
        self.region.on(host, "ethtool", "-K", link, "tx", "off")
        self.region.on(host, "ovs-vsctl", "add-port", "br-int", link, "--", "set", "Interface", link, "external_ids:iface-id=" + port)
        if "PrivateIpAddress" not in nic:
            return
        self.ns(name, "ip", "addr", "add", nic["PrivateIpAddress"] + "/24", "dev", "eth0")
        gateway = nic["PrivateIpAddress"].rsplit(".", 1)[0] + ".1"
        self.ns(name, "ip", "route", "add", "default", "via", gateway)
        wait_until(lambda: " 0% packet loss" in self.ns(name, "ping", "-c", "1", "-W", "1", gateway, fails=True),
                   f"{name} reaches its gateway")

    def ns(self, name, *argv, fails=False):
        return self.region.run("ip", "netns", "exec", self.prefix + name, *argv, fails=fails)

    def ask(self, name, host, *ipv6):
        """Address of a host name from the VPC's resolver; "rcode N" if there is none. ipv6: "6" asks for the IPv6 address."""
        return (self.ns(name, sys.executable, "-c", ASK, host, *ipv6, fails=True).strip().splitlines() or [""])[-1]

    def ask_dhcpv6(self, name):
        """Answer of DHCPv6: address and resolver ("-": none); empty without an answer."""
        return self.ns(name, sys.executable, "-c", ASK_DHCPV6, fails=True).split() if self.can_ask(name) else []

    def can_ask(self, name):
        """True once duplicate address detection of the link-local address has finished."""
        shown = self.ns(name, "ip", "-6", "addr", "show", "dev", "eth0", "scope", "link")
        return "fe80" in shown and "tentative" not in shown

    def start(self, name, *argv):
        self.children.append(subprocess.Popen(["ip", "netns", "exec", self.prefix + name, *argv], stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL))

    def seen_as(self, name):
        """The guest's address as the internet sees it; empty if the internet cannot be reached."""
        return self.ns(name, "curl", "-s", "--connect-timeout", "2", "-m", "20", f"http://{WEB}/", fails=True).strip()

    def dial(self, name, address, port):
        """Opens a connection from that namespace; returns it, or None."""
        setns = ctypes.CDLL(None, use_errno=True).setns
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        other = os.open(f"/run/netns/{self.prefix}{name}", os.O_RDONLY)
        setns(other, 0)
        try:
            return socket.create_connection((address, port), timeout=2)
        except OSError:
            return None
        finally:
            setns(own, 0)
            os.close(own)
            os.close(other)
