#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/network/vpn_connections.c src/api/openstack/network/ipsec_site_connections.c src/drivers/strongswan src/drivers/ovn/nb_vpn.c src/engine/vpn src/reconcile/network/vpn.c
"""Site-to-site VPN with packets: a guest of a VPC without an internet gateway reaches a host behind a strongSwan of another site by the first tunnel,
then by the second one. OVN, the API and the daemons of both sides are real; instances are simulated, and network namespaces in place of their
interfaces play the guests. Both sides encrypt in user space, so the kernel needs no ESP."""
import json
import os
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from cloudstack import of_region, ok, refused  # noqa: E402
from guests import Guests  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

SITE, BEHIND, PATTERN = "192.0.2.2", "10.99.0.2", "d0d1d2d3d4d5d6d7"
PLUGINS = "random nonce kdf aes sha1 sha2 hmac gcm openssl"
# Counts packets that pass an interface until its standard input ends: by protocol and UDP ports, and those that show the pattern.
SNIFF = """import json, select, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
s.bind((sys.argv[1], 0))
print("ready", flush=True)
kinds, seen = {}, 0
while True:
    ready = select.select([s, sys.stdin], [], [])[0]
    if s not in ready:  # the input has ended, and every packet has been read
        break
    packet = s.recv(65535)[14:]
    size = (packet[0] & 15) * 4
    ports = tuple(int.from_bytes(packet[size + k:size + k + 2], "big") for k in (0, 2)) if packet[9] == 17 else ()
    kinds[str((packet[9],) + ports)] = kinds.get(str((packet[9],) + ports), 0) + 1
    seen += bytes.fromhex(sys.argv[2]) in packet
print(json.dumps([kinds, seen]))
"""


class Site:
    """The customer's side: a gateway with strongSwan, and a host behind it. number: 1 for a second site."""

    def __init__(self, region, guests, number=0):
        self.region, self.guests, self.daemon = region, guests, None
        self.suffix, self.address, self.version = "2" if number else "", f"192.0.2.{2 + 4 * number}", 1 if number else 2
        hop, self.net = f"192.0.2.{1 + 4 * number}", f"10.{99 - number}.0"
        self.name, self.behind, tosite = "site" + self.suffix, "behind" + self.suffix, "tosite" + self.suffix
        self.directory = f"{region.demo}/{self.name}"
        os.makedirs(self.directory, mode=0o700)
        run, prefix = region.run, guests.prefix
        for name in (self.name, self.behind):
            run("ip", "netns", "add", prefix + name)
            guests.names.append(name)
            guests.ns(name, "ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "name", "wan", "netns", prefix + self.name, "type", "veth", "peer", "name", tosite, "netns", prefix + "inet")
        run("ip", "link", "add", "name", "lan", "netns", prefix + self.name, "type", "veth", "peer", "name", "eth0", "netns", prefix + self.behind)
        for name, link, address in ((self.name, "wan", self.address + "/30"), ("inet", tosite, hop + "/30"), (self.name, "lan", self.net + ".1/24"),
                                    (self.behind, "eth0", self.net + ".2/24")):
            guests.ns(name, "ip", "addr", "add", address, "dev", link)
            guests.ns(name, "ip", "link", "set", link, "up")
            guests.ns(name, "ethtool", "-K", link, "tx", "off")
        guests.ns(self.name, "ip", "route", "add", "default", "via", hop)
        guests.ns(self.behind, "ip", "route", "add", "default", "via", self.net + ".1")
        guests.ns(self.name, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def configure(self, tunnels):
        """tunnels: public address and key of each."""
        with open(self.directory + "/strongswan.conf", "w", encoding="ascii") as f:
            f.write(f"charon-systemd {{\n load = {PLUGINS} kernel-libipsec kernel-netlink socket-default vici\n install_routes = no\n"
                    f" plugins {{\n vici {{\n socket = unix://{self.directory}/vici\n }}\n }}\n}}\nswanctl {{\n load = {PLUGINS}\n}}\n")
        phase2 = " esp_proposals = aes192-sha384-ecp256\n" if self.version == 1 else ""  # quick mode offers the group
        connections = "".join(f" t{n} {{\n version = {self.version}\n local_addrs = {self.address}\n remote_addrs = {address}\n local {{\n auth = psk\n id = {self.address}\n }}\n"
                              f" remote {{\n auth = psk\n id = {address}\n }}\n children {{\n t{n} {{\n{phase2} local_ts = 0.0.0.0/0\n remote_ts = 0.0.0.0/0\n }}\n"
                              " }\n }\n" for n, (address, _) in enumerate(tunnels, 1))
        secrets = "".join(f" ike-t{n} {{\n id-1 = {address}\n secret = \"{key}\"\n }}\n" for n, (address, key) in enumerate(tunnels, 1))
        with open(self.directory + "/swanctl.conf", "w", encoding="ascii") as f:
            f.write(f"connections {{\n{connections}}}\nsecrets {{\n{secrets}}}\n")
        if not self.daemon:
            self.start()
        wait_until(lambda: f"successfully loaded {len(tunnels)}" in self.ask("--load-all", "--file", self.directory + "/swanctl.conf"), "the site's connections")

    def start(self):
        self.daemon = subprocess.Popen(["ip", "netns", "exec", self.guests.prefix + self.name, "/usr/sbin/charon-systemd"],
                                       env=os.environ | {"STRONGSWAN_CONF": self.directory + "/strongswan.conf"},
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.guests.children.append(self.daemon)
        wait_until(lambda: os.path.exists(self.directory + "/vici") and "uptime" in self.ask("--stats"), "the site's daemon")
        for block in ("10.7.0.0/16", "10.8.0.0/16"):
            self.guests.ns(self.name, "ip", "route", "add", block, "dev", "ipsec0")
        self.guests.ns(self.name, "ip", "rule", "add", "pref", "100", "lookup", "main")  # before charon's own, which leads everything there
        self.guests.ns(self.name, "ip", "link", "set", "ipsec0", "mtu", "1360")

    def ask(self, *command):
        done = subprocess.run(["swanctl", *command, "--uri", f"unix://{self.directory}/vici"], capture_output=True, text=True, check=False,
                              env=os.environ | {"STRONGSWAN_CONF": self.directory + "/strongswan.conf"})
        return done.stdout + done.stderr

    def initiate(self, n):
        return "initiate completed" in self.ask("--initiate", "--child", f"t{n}", "--timeout", "5")

    def terminate(self, n):
        self.ask("--terminate", "--ike", f"t{n}", "--timeout", "5")


class Lab:
    """A VPC with a guest, and a VPN connection to the site."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.ec2 = region.account("alice")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        ours = [{"Name": "vpc-id", "Values": [self.vpc]}]
        self.table = self.ec2.describe_route_tables(Filters=ours)["RouteTables"][0]["RouteTableId"]
        self.group = self.ec2.describe_security_groups(Filters=ours)["SecurityGroups"][0]["GroupId"]
        ids = launch(self.ec2, 1, SubnetId=subnet)
        wait_state(self.ec2, ids, "running")
        instance = self.ec2.describe_instances(InstanceIds=ids)["Reservations"][0]["Instances"][0]
        guests.plug("guest", instance)
        self.address = instance["PrivateIpAddress"]

    def connect(self):
        self.gateway = self.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
        self.ec2.attach_vpn_gateway(VpnGatewayId=self.gateway, VpcId=self.vpc)
        customer = self.ec2.create_customer_gateway(Type="ipsec.1", PublicIp=SITE, BgpAsn=65010)["CustomerGateway"]["CustomerGatewayId"]
        made = self.ec2.create_vpn_connection(Type="ipsec.1", CustomerGatewayId=customer, VpnGatewayId=self.gateway, Options={
            "StaticRoutesOnly": True, "TunnelOptions": [{"PreSharedKey": "first.key_1234"}]})["VpnConnection"]
        self.connection = made["VpnConnectionId"]
        self.ec2.create_vpn_connection_route(VpnConnectionId=self.connection, DestinationCidrBlock="10.99.0.0/24")
        self.ec2.enable_vgw_route_propagation(GatewayId=self.gateway, RouteTableId=self.table)
        root = ElementTree.fromstring(made["CustomerGatewayConfiguration"].encode())
        return [(t.findtext("vpn_gateway/tunnel_outside_address/ip_address"), t.findtext("ike/pre_shared_key")) for t in root.iter("ipsec_tunnel")]

    def shown(self):
        return self.ec2.describe_vpn_connections(VpnConnectionIds=[self.connection])["VpnConnections"][0]

    def states(self):
        return [t["Status"] for t in self.shown()["VgwTelemetry"]]

    def reaches(self, name="guest", address=BEHIND):
        return " 0% packet loss" in self.guests.ns(name, "ping", "-c", "2", "-i", "0.3", "-W", "2", "-p", PATTERN, address, fails=True)

    def daemons(self):
        """Process ids of the region's charons, by the directories of their tunnels."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    setting = next((v for v in f.read().split(b"\0") if v.startswith(b"STRONGSWAN_CONF=") and b"/tunnels/" in v), b"").decode()
                with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                    name = f.read().strip()
            except OSError:
                continue
            if self.region.demo in setting and name == "charon-systemd":
                found[os.path.dirname(setting.removeprefix("STRONGSWAN_CONF="))] = int(pid)
        return found


def comes_up(lab, site):
    region = lab.region
    tunnels = lab.connect()
    region.check("the configuration names two tunnels", len(tunnels) == 2 and tunnels[0][1] == "first.key_1234" and len(tunnels[1][1]) == 32)
    region.check_soon("the connection is available", lambda: lab.shown()["State"] == "available")
    region.check("both tunnels are down", lab.states() == ["DOWN", "DOWN"])
    site.configure(tunnels)
    region.check_soon("the site's gateway brings the first tunnel up", lambda: site.initiate(1))
    region.check_soon("the telemetry says so", lambda: lab.states() == ["UP", "DOWN"])
    routes = lab.ec2.describe_route_tables(RouteTableIds=[lab.table])["RouteTables"][0]
    region.check("the route is propagated", [r["Origin"] for r in routes["Routes"] if r["DestinationCidrBlock"] == "10.99.0.0/24"]
                 == ["EnableVgwRoutePropagation"] and routes["PropagatingVgws"] == [{"GatewayId": lab.gateway}])
    return tunnels


def carries(lab):
    region, guests = lab.region, lab.guests
    region.check_soon("a guest reaches a host behind the site's gateway", lab.reaches)
    with subprocess.Popen(["ip", "netns", "exec", guests.prefix + "inet", sys.executable, "-c", SNIFF, "tosite", PATTERN], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as sniffer:
        sniffer.stdout.readline()
        region.check("again, with the wire watched", lab.reaches())
        kinds, seen = json.loads(sniffer.communicate("")[0])
    region.check(f"outside there is ESP in UDP only ({kinds})", set(kinds) == {"(17, 4500, 4500)"} and not seen)
    region.settle()
    region.check("the security group keeps the site out", not lab.reaches("behind", lab.address))
    lab.ec2.authorize_security_group_ingress(GroupId=lab.group, IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="10.99.0.0/24")
    region.check_soon("once it lets the site in, the site reaches the guest", lambda: lab.reaches("behind", lab.address))
    region.check("the site reaches nothing else by the tunnel", not lab.reaches("behind", "169.254.169.254"))


def selects(lab, site):
    """A traffic selector of one guest: in user space charon needs that address in its namespace."""
    region = lab.region
    for block in (f"{lab.address}/32", "10.7.0.0/16"):
        lab.ec2.modify_vpn_connection_options(VpnConnectionId=lab.connection, RemoteIpv4NetworkCidr=block)
        region.check_soon(f"the tunnel comes up with the selector {block}", lambda: site.initiate(1) and block in site.ask("--list-sas"))
        region.check_soon("the guest reaches the site, and the site the guest", lambda: lab.reaches() and lab.reaches("behind", lab.address))


def fails_over(lab, site):
    region = lab.region
    region.check_soon("the second tunnel comes up", lambda: site.initiate(2))
    region.check_soon("both tunnels are up", lambda: lab.states() == ["UP", "UP"])
    site.terminate(1)
    region.check_soon("the first one goes down", lambda: lab.states() == ["DOWN", "UP"])
    region.check_soon("the second one carries the traffic", lab.reaches)
    before = lab.daemons()
    region.check("each tunnel has a daemon", len(before) == 2)
    modes = {os.stat(f"{d}/swanctl.conf").st_mode & 0o777 for d in before}
    region.check("files with keys are readable by their owner alone", modes == {0o600})
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    region.check_soon("daemons that were killed are started again", lambda: len(lab.daemons()) == 2 and not set(lab.daemons().values()) & set(before.values()))
    site.terminate(2)
    region.check_soon("the first tunnel comes up again", lambda: site.initiate(1))
    region.check_soon("its telemetry says so", lambda: lab.states()[0] == "UP")
    region.check_soon("with their traffic", lab.reaches)


def goes(lab):
    region = lab.region
    directories = list(lab.daemons())
    lab.ec2.delete_vpn_connection(VpnConnectionId=lab.connection)
    region.check_soon("a deleted connection's daemons end", lambda: not lab.daemons())
    region.check_soon("their files go, too", lambda: not any(os.path.exists(d) for d in directories))
    region.check_soon("nothing is reached any more", lambda: not lab.reaches())
    lab.ec2.detach_vpn_gateway(VpnGatewayId=lab.gateway, VpcId=lab.vpc)
    lab.ec2.delete_vpn_gateway(VpnGatewayId=lab.gateway)
    with open(f"{region.demo}/dari.log", encoding="utf-8", errors="replace") as log:
        region.check("no key is in the log", "first.key_1234" not in log.read())


def connects_by_cloudstack(lab, site):
    """The same VPC, connected by CloudStack's commands. Dari begins, with the blocks and policies of the customer gateway."""
    region, dev = lab.region, of_region(lab.region, "alice")
    vpc, = [v["id"] for v in ok(dev, "listVPCs")["vpc"] if v["cidr"] == "10.7.0.0/16"]
    gateway = ok(dev, "createVpnGateway", vpcid=vpc)["vpngateway"]
    settings = {"gateway": SITE, "cidrlist": "10.99.0.0/24", "ikepolicy": "aes256-sha256;modp2048", "esppolicy": "aes128-sha256", "ikeversion": "ikev2"}
    customer = ok(dev, "createVpnCustomerGateway", name="site", ipsecpsk="cloudstack.key", **settings)["vpncustomergateway"]["id"]
    site.configure([(gateway["publicip"], "cloudstack.key")])
    made = ok(dev, "createVpnConnection", s2svpngatewayid=gateway["id"], s2scustomergatewayid=customer)["vpnconnection"]
    region.check("the connection has the gateway's public address", made["publicip"] == gateway["publicip"])

    def state():
        return ok(dev, "listVpnConnections", id=made["id"])["vpnconnection"][0]["state"]

    region.check_soon("the tunnel comes up by itself", lambda: state() == "Connected")
    region.check_soon("a guest reaches the site", lab.reaches)
    shown, = lab.ec2.describe_vpn_connections(Filters=[{"Name": "state", "Values": ["available"]}])["VpnConnections"]
    region.check("EC2 shows one tunnel, and the route", [t["Status"] for t in shown["VgwTelemetry"]] == ["UP"]
                 and [r["DestinationCidrBlock"] for r in shown["Routes"]] == ["10.99.0.0/24"])
    negotiated = site.ask("--list-sas")
    region.check(f"the policies hold ({negotiated})", "AES_CBC-256" in negotiated and "AES_CBC-128/HMAC_SHA2_256_128" in negotiated
                 and "10.99.0.0/24" in negotiated and "10.7.0.0/16" in negotiated)
    before = lab.daemons()
    ok(dev, "resetVpnConnection", id=made["id"])
    region.check_soon("a reset connection has another daemon", lambda: lab.daemons().keys() == before.keys() and not set(lab.daemons().values()) & set(before.values()))
    region.check_soon("it connects again", lambda: state() == "Connected" and lab.reaches())
    ok(dev, "updateVpnCustomerGateway", id=customer, name="site", ipsecpsk="another.key", **settings)
    region.check_soon("another key ends the tunnel", lambda: state() == "Connecting")
    site.configure([(gateway["publicip"], "another.key")])
    ok(dev, "resetVpnConnection", id=made["id"])  # charon gives up when the peer refuses the key
    region.check_soon("with that key at the site it is up again", lambda: state() == "Connected" and lab.reaches())
    region.check("a connected gateway stays", refused(dev, "deleteVpnGateway", id=gateway["id"])[0] == 431)
    ok(dev, "deleteVpnConnection", id=made["id"])
    region.check_soon("the daemon ends with the connection", lambda: not lab.daemons())
    ok(dev, "deleteVpnGateway", id=gateway["id"])
    ok(dev, "deleteVpnCustomerGateway", id=customer)
    region.check("CloudStack lists nothing any more", not any(ok(dev, f"listVpn{kind}") for kind in ("Gateways", "Connections")))
    with open(f"{region.demo}/dari.log", encoding="utf-8", errors="replace") as log:
        region.check("no key is in the log", "cloudstack.key" not in (text := log.read()) and "another.key" not in text)


NET = "/network/v2.0"


class Branch:
    """A router of Neutron with a guest, a VPN service, and a connection to each site."""

    def __init__(self, lab, sites):
        self.lab, self.region = lab, lab.region
        password = self.region.command("user", "create", "anna", "--account", "alice", "--role", "admin")["password"]
        self.project = lib.Project(self.region, "alice", "anna", password)
        outside = self.project.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
        network = self.make("networks", "network", name="branch")["id"]
        self.subnet = self.make("subnets", "subnet", network_id=network, ip_version=4, cidr="10.8.1.0/24")["id"]
        self.router = self.make("routers", "router", name="branch", external_gateway_info={"network_id": outside})["id"]
        self.project.ok("PUT", f"{NET}/routers/{self.router}/add_router_interface", {"subnet_id": self.subnet})
        self.port = self.make("ports", "port", network_id=network)
        self.start()
        self.service = self.make("vpn/vpnservices", "vpnservice", router_id=self.router, subnet_id=self.subnet)
        esp = self.make("vpn/ipsecpolicies", "ipsecpolicy", encryption_algorithm="aes-192", auth_algorithm="sha384", pfs="group19")["id"]
        self.connections = []
        for site in sites:
            ike = self.make("vpn/ikepolicies", "ikepolicy", ike_version=f"v{site.version}", encryption_algorithm="aes-256", auth_algorithm="sha256", pfs="group14")["id"]
            self.connections.append(self.make(
                "vpn/ipsec-site-connections", "ipsec_site_connection", vpnservice_id=self.service["id"], ikepolicy_id=ike, ipsecpolicy_id=esp, peer_address=site.address,
                peer_id=site.address, psk="neutron.key" + site.suffix, peer_cidrs=[site.net + ".0/24"])["id"])

    def make(self, path, kind, **members):
        return self.project.ok("POST", f"{NET}/{path}", {kind: members})[kind]

    def start(self):
        image = next(i["id"] for i in self.project.ok("GET", "/image/v2/images")["images"] if i["name"] == "tiny")
        flavor = next(f["id"] for f in self.project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.nano")
        server = self.project.ok("POST", "/compute/v2.1/servers", {"server": {"name": "b", "imageRef": image, "flavorRef": flavor,
                                                                              "networks": [{"port": self.port["id"]}]}})["server"]["id"]
        self.region.check_soon("a server of Neutron's runs", lambda: self.project.ok("GET", f"/compute/v2.1/servers/{server}")["server"]["status"] == "ACTIVE")
        self.lab.guests.plug("branch", {"NetworkInterfaces": [{"NetworkInterfaceId": self.port["id"].replace("-", ""), "MacAddress": self.port["mac_address"],
                                                               "PrivateIpAddress": self.port["fixed_ips"][0]["ip_address"]}]})

    def connection(self, n):
        return f"{NET}/vpn/ipsec-site-connections/{self.connections[n]}"

    def change(self, n, **members):
        self.project.ok("PUT", self.connection(n), {"ipsec_site_connection": members})

    def states(self):
        return [c["status"] for c in sorted(self.project.ok("GET", f"{NET}/vpn/ipsec-site-connections")["ipsec_site_connections"],
                                            key=lambda c: self.connections.index(c["id"]))]

    def reaches(self, site):
        return self.lab.reaches("branch", site.net + ".2")


def connects_by_neutron(lab, site):
    """Two connections of one VPN service, one by IKEv2 and one by IKEv1, from one address and one daemon."""
    region, other = lab.region, Site(lab.region, lab.guests, 1)
    sites = (site, other)
    branch = Branch(lab, sites)
    for s in sites:
        s.configure([(branch.service["external_v4_ip"], "neutron.key" + s.suffix)])
    region.check_soon("both connections come up by themselves", lambda: branch.states() == ["ACTIVE", "ACTIVE"], branch.states)
    region.check("they have one daemon", len(lab.daemons()) == 1)
    negotiated = [s.ask("--list-sas") for s in sites]
    region.check(f"the policies hold ({negotiated})", all("AES_CBC-256" in n and "AES_CBC-192/HMAC_SHA2_384_192" in n and "10.8.1.0/24" in n for n in negotiated)
                 and "IKEv1" in negotiated[1] and "IKEv2" in negotiated[0])
    for s in sites:
        region.check_soon(f"a guest reaches the host behind {s.name}", lambda s=s: branch.reaches(s))
    before = site.ask("--list-sas", "--raw")
    branch.change(1, psk="neutron.other")
    other.configure([(branch.service["external_v4_ip"], "neutron.other")])
    branch.change(1, mtu=1280)  # connects again
    region.check_soon("a connection with another key comes up", lambda: branch.states() == ["ACTIVE", "ACTIVE"] and branch.reaches(other), branch.states)
    region.check("the guest is told of the connection's MTU", "mtu" in lab.guests.ns("branch", "ping", "-c", "2", "-W", "2", "-M", "do", "-s", "1300", other.net + ".2", fails=True))
    branch.change(1, admin_state_up=False)
    region.check_soon("a disabled connection is down", lambda: branch.states() == ["ACTIVE", "DOWN"] and not branch.reaches(other), branch.states)
    region.check("the other one has not been cut", branch.reaches(site) and bool(before))
    branch.project.call("DELETE", branch.connection(1))
    branch.project.ok("PUT", f"{NET}/vpn/vpnservices/{branch.service['id']}", {"vpnservice": {"admin_state_up": False}})
    region.check_soon("a disabled service has no daemon", lambda: not lab.daemons() and not branch.reaches(site))
    branch.project.ok("PUT", f"{NET}/vpn/vpnservices/{branch.service['id']}", {"vpnservice": {"admin_state_up": True}})
    region.check_soon("an enabled one carries traffic again", lambda: branch.reaches(site))
    branch.project.call("DELETE", branch.connection(0))
    region.check_soon("the daemon ends with the last connection", lambda: not lab.daemons())
    region.check("the service goes", branch.project.call("DELETE", f"{NET}/vpn/vpnservices/{branch.service['id']}").status == 204)
    with open(f"{region.demo}/dari.log", encoding="utf-8", errors="replace") as log:
        region.check("no key of Neutron's is in the log", "neutron.key" not in log.read())


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("vn") as region, Guests(region) as guests:
        lab, site = Lab(region, guests), Site(region, guests)
        comes_up(lab, site)
        carries(lab)
        selects(lab, site)
        fails_over(lab, site)
        goes(lab)
        connects_by_cloudstack(lab, site)
        connects_by_neutron(lab, site)
        region.check_clean()


if __name__ == "__main__":
    main()
