#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata src/drivers/ovn src/api/cloudstack/compute
"""Guests created by CloudStack: reached by forwarded ports, static NAT and a load balancer that skips members that do not answer; with the metadata
that cloud-init's CloudStack source requests; between a VPC's tiers, as their ACL items allow; and copied by a template."""
# limit: 900 s
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cloudstack import call, finish, of_region, ok  # noqa: E402
from region import Region  # noqa: E402

SOURCE_NAT, TIER = "DefaultIsolatedNetworkOfferingWithSourceNatService", "DefaultIsolatedNetworkOfferingForVpcNetworks"
ANYBODY, TRIES = "0.0.0.0/0", 16
# Serves the guest's own name at these ports.
SERVE = """#!/bin/sh
mkdir /tmp/www; echo {name} >/tmp/www/index.html
for port in 80 8080 8081; do
    busybox httpd -f -p $port -h /tmp/www </dev/null >/dev/null 2>&1 &
    echo $! >/run/httpd-$port
done
"""


class Cloud:
    """Resources for the machines of one account."""

    def __init__(self, region):
        region.account("cs")
        self.region, self.dev = region, of_region(region, "cs")
        self.zone = self.ok("listZones")["zone"][0]["id"]
        self.place = {"zoneid": self.zone, "serviceofferingid": self.ok("listServiceOfferings", name="t2.nano")["serviceoffering"][0]["id"],
                      "templateid": self.ok("listTemplates", templatefilter="executable", name="tiny")["template"][0]["id"]}
        self.ok("registerSSHKeyPair", name="k", publickey=region.make_key().decode())
        self.has_firewall = call(self.dev, "listApis", name="createFirewallRule")[0] == 200

    def ok(self, command, **parameters):
        return ok(self.dev, command, **parameters)

    def deploy(self, name, network, **more):
        """Starts a deployment, for which finished() waits later, so that guests boot at the same time."""
        data = base64.b64encode(SERVE.format(name=name).encode()).decode()
        status, answer, _ = call(self.dev, "deployVirtualMachine", name=name, networkids=network, keypair="k", userdata=data, **{**self.place, **more})
        assert status == 200, answer
        return answer

    def finished(self, answer):
        return finish(self.dev, answer)["virtualmachine"]

    def make_network(self, name, offering, **more):
        found = self.ok("listNetworkOfferings", name=offering)["networkoffering"][0]["id"]
        return self.ok("createNetwork", name=name, displaytext=name, networkofferingid=found, zoneid=self.zone, **more)["network"]["id"]

    def take_address(self, **where):
        return self.ok("associateIpAddress", **where)["ipaddress"]

    def forward(self, address, machine, public, private, **more):
        return self.ok("createPortForwardingRule", ipaddressid=address["id"], virtualmachineid=machine["id"], protocol="tcp",
                       publicport=str(public), privateport=str(private), **more)["portforwardingrule"]

    def stand_for(self, address, machine):
        """Creates static NAT and its firewall rules."""
        self.ok("enableStaticNat", ipaddressid=address["id"], virtualmachineid=machine["id"])
        for port in ("22", "80") if self.has_firewall else ():
            self.ok("createFirewallRule", ipaddressid=address["id"], protocol="tcp", startport=port, endport=port, cidrlist=ANYBODY)

    def get(self, address, port):
        """The name that the guest behind the address serves; empty if it cannot be reached."""
        return self.region.on("inet", "curl", "-s", "--connect-timeout", "2", "-m", "10", f"http://{address['ipaddress']}:{port}/", fails=True).strip()

    def gets(self, address, port, count=TRIES):
        return [self.get(address, port) for _ in range(count)]

    def ssh(self, address, command, **more):
        return self.region.ssh(address["ipaddress"], command, **more)


def forwarded(region, cloud, address, static, one, two):
    rules = [cloud.forward(address, one, public, private, openfirewall="false") for public, private in ((22, 22), (8000, 80))]
    allow = {"ipaddressid": address["id"], "protocol": "tcp", "cidrlist": ANYBODY}
    cloud.ok("createFirewallRule", **allow, startport="22", endport="22")
    opening = cloud.ok("createFirewallRule", **allow, startport="8000", endport="8000")["firewallrule"]
    cloud.stand_for(static, two)
    region.check_soon("a forwarded port leads to its guest by a firewall rule, whatever groups there are", lambda: cloud.get(address, 8000) == "one")
    cloud.ok("deleteFirewallRule", id=opening["id"])
    region.settle()
    region.check("and nowhere without it", cloud.get(address, 8000) == "")
    cloud.ok("createFirewallRule", **allow, startport="8000", endport="8000")
    region.check_soon("with another one it does", lambda: cloud.get(address, 8000) == "one")
    region.check_soon("static NAT leads to another", lambda: cloud.get(static, 80) == "two")
    region.check("a port that is not forwarded leads nowhere", cloud.get(address, 80) == "")
    return rules


def balanced(region, cloud, address, first, one, two):
    """TCP members are probed by the network; a machine known to be off is skipped at once."""
    rule = cloud.ok("createLoadBalancerRule", publicipid=address["id"], name="web", algorithm="roundrobin", publicport="80", privateport="8080")["loadbalancer"]
    cloud.ok("assignToLoadBalancerRule", id=rule["id"], virtualmachineids=f"{one['id']},{two['id']}")

    def answering():
        return set(cloud.gets(address, 80))
    region.check_soon("a balanced port leads to both", lambda: answering() == {"one", "two"})
    cloud.ssh(first, "kill $(cat /run/httpd-8080)")
    region.check_soon("a guest whose server has ended gets nothing", lambda: answering() == {"two"})
    cloud.ssh(first, "busybox httpd -p 8080 -h /tmp/www")
    region.check_soon("it gets its share when it serves again", lambda: answering() == {"one", "two"})


def off(region, cloud, address, one):
    cloud.ok("stopVirtualMachine", id=one["id"], forced="true")
    region.settle()
    region.check("a guest that is off gets nothing, from when that is seen", set(cloud.gets(address, 80)) == {"two"})


def copied(region, cloud, network, address, static, two):
    """A snapshot of the root disk becomes a template, and another guest boots from it."""
    cloud.ssh(static, "echo kept >/mnt/kept && sync")
    root = cloud.ok("listVolumes", virtualmachineid=two["id"], type="ROOT")["volume"][0]["id"]
    snapshot = cloud.ok("createSnapshot", volumeid=root)["snapshot"]["id"]
    os_type = cloud.ok("listOsTypes", keyword="Debian")["ostype"][0]["id"]
    template = cloud.ok("createTemplate", snapshotid=snapshot, name="copy", displaytext="copy", ostypeid=os_type, passwordenabled="true")["template"]
    region.check("the template is ready", template["isready"])
    three = cloud.finished(cloud.deploy("three", network, templateid=template["id"]))
    cloud.forward(address, three, 8003, 80)
    region.check_soon("a guest boots from the template", lambda: cloud.get(address, 8003) == "three")
    found = cloud.ssh(static, f"wget -q -O - http://{three['nic'][0]['ipaddress']}:8080/")
    region.check("its neighbour reaches it", found.strip() == "three")
    rule = cloud.forward(address, three, 2203, 22)
    region.check("and it has what was written", "kept" == cloud.ssh(address, "cat /mnt/kept", port=2203).strip())
    told_once(region, cloud, address, 2203, three)
    cloud.ok("deletePortForwardingRule", id=rule["id"])


def ended(region, cloud, rules, address, static):
    for rule in rules:
        cloud.ok("deletePortForwardingRule", id=rule["id"])
    cloud.ok("disableStaticNat", ipaddressid=static["id"])
    region.settle()
    region.check("a rule that is deleted leads nowhere", cloud.get(address, 8000) == "")
    region.check("nor does static NAT that is disabled", cloud.get(static, 80) == "")


# The requests of cloud-init's CloudStack source: finds the DHCP server, then reads everything that it lists.
ASK_LEASE = """printf '#!/bin/sh\n[ "$1" != bound ] || echo $serverid\n' >/tmp/lease && chmod +x /tmp/lease
udhcpc -n -q -f -i eth0 -s /tmp/lease 2>/dev/null"""
CRAWL = """crawl() {
    for entry in $(wget -q -O - "$1"); do
        case $entry in
        */) crawl "$1$entry" ;;
        *=*) wget -q -O /dev/null "$1${entry%%=*}/openssh-key" || echo "missing $1$entry" ;;
        *) wget -q -O /dev/null "$1$entry" || echo "missing $1$entry" ;;
        esac
    done
}
"""


def told(region, cloud, static, two):
    server = cloud.ssh(static, ASK_LEASE).strip()
    url = f"http://{server}/latest"

    def ask(path):
        return cloud.ssh(static, f"wget -q -O - {url}/{path}").strip()
    region.check(f"who gave the address tells of the guest, too: {server}", ask("meta-data/instance-id") == two["id"] == ask("meta-data/vm-id"))
    region.check("its user data", "echo two " in ask("user-data"))
    region.check("its names", (ask("meta-data/availability-zone"), ask("meta-data/local-hostname"), ask("meta-data/service-offering"))
                 == (two["zonename"], "two", "t2.nano"))
    region.check("its key, as it is", ask("meta-data/public-keys").startswith("ssh-ed25519 "))
    missing = cloud.ssh(static, f"{CRAWL}crawl {url}/meta-data/")
    region.check(f"all that is listed is there {missing}", missing.strip() == "")
    region.check("and the guest knows its cloud", "CloudStack" in cloud.ssh(static, "cat /sys/class/dmi/id/product_name"))


ASK_ROUTERS = """printf '#!/bin/sh\n[ "$1" != bound ] || echo $interface=$router\n' >/tmp/routers && chmod +x /tmp/routers
for n in eth0 eth1; do ip link set $n up; udhcpc -n -q -f -i $n -s /tmp/routers 2>/dev/null; done"""


def leading_out(region, cloud, static, two):
    """The default route of a guest with two NICs, and a change of the default NIC."""
    second = cloud.make_network("second", SOURCE_NAT, gateway="10.2.2.1", netmask="255.255.255.0")
    first, added = cloud.ok("addNicToVirtualMachine", virtualmachineid=two["id"], networkid=second)["virtualmachine"]["nic"]

    def routers():
        return cloud.ssh(static, ASK_ROUTERS, fails=True).split()

    def choose(nic):
        cloud.ok("updateDefaultNicForVirtualMachine", virtualmachineid=two["id"], nicid=nic["id"])
    region.check_soon("the default NIC is told the way out, the other one is not", lambda: routers() == [f"eth0={first['gateway']}", "eth1="])
    choose(added)
    region.check_soon("another default NIC is told its own", lambda: routers() == ["eth0=", "eth1=10.2.2.1"])
    choose(first)
    cloud.ok("removeNicFromVirtualMachine", virtualmachineid=two["id"], nicid=added["id"])


def told_once(region, cloud, address, port, machine):
    """The password server gives the guest its password once, requested as by cloud-init."""
    def ask(what):
        return cloud.ssh(address, f"wget -q -O - --header 'DomU_Request: {what}' 169.254.169.254:8080", port=port).strip()
    region.check("a guest is told the password that its maker was told", ask("send_my_password") == machine["password"])
    region.check("until it says that it has it", ask("saved_password") == "saved_password" == ask("send_my_password"))


class Lists:
    """ACL lists of a VPC, by name."""

    def __init__(self, cloud, vpc, *names):
        self.cloud = cloud
        self.ids = {name: cloud.ok("createNetworkACLList", name=name, vpcid=vpc)["networkacllist"]["id"] for name in names}

    def add(self, name, number, action, protocol, cidr, **more):
        return self.cloud.ok("createNetworkACL", aclid=self.ids[name], number=str(number), action=action, protocol=protocol, cidrlist=cidr,
                             **{"traffictype": "Ingress", **more})["networkacl"]["id"]


def tiers(region, cloud):
    """Two tiers: the front one accepts only ssh from outside, the back one only the front one."""
    offering = cloud.ok("listVPCOfferings")["vpcoffering"][0]["id"]
    vpc = cloud.ok("createVPC", name="vpc", displaytext="vpc", cidr="10.60.0.0/16", vpcofferingid=offering, zoneid=cloud.zone)["vpc"]["id"]
    lists = Lists(cloud, vpc, "front", "back")
    lists.add("front", 1, "Allow", "tcp", ANYBODY, startport="22", endport="22")
    denying = lists.add("back", 5, "Deny", "tcp", "10.60.1.0/24", startport="8081", endport="8081")
    letting = lists.add("back", 10, "Allow", "tcp", "10.60.1.0/24", startport="8000", endport="8999")
    deployed = []
    for n, name in enumerate(lists.ids, 1):
        tier = cloud.make_network(name, TIER, vpcid=vpc, gateway=f"10.60.{n}.1", netmask="255.255.255.0", aclid=lists.ids[name])
        deployed.append(cloud.deploy(name, tier))
    front, back = (cloud.finished(answer) for answer in deployed)
    address = cloud.take_address(vpcid=vpc)
    cloud.forward(address, front, 22, 22, networkid=front["nic"][0]["networkid"])
    cloud.forward(address, back, 8000, 8080, networkid=back["nic"][0]["networkid"])
    ip = back["nic"][0]["ipaddress"]

    def reaches(port):
        return cloud.ssh(address, f"timeout 5 wget -q -O - http://{ip}:{port}/", fails=True).strip() == "back"

    def pings():
        return " 0% packet loss" in cloud.ssh(address, f"ping -c 2 -W 2 {ip}", fails=True)
    region.check_soon("an item lets one tier into another, and answers come back without one", lambda: reaches(8080))
    region.check("a lower number comes first", not reaches(8081))
    region.check("what no item names is denied", not reaches(80) and not pings())
    region.check("from elsewhere, too", cloud.get(address, 8000) == "")
    cloud.ok("deleteNetworkACL", id=denying)
    region.check_soon("without that item the next one counts", lambda: reaches(8081))
    cloud.ok("updateNetworkACLItem", id=letting, cidrlist=ANYBODY)
    region.check_soon("for everybody, it lets the outside in", lambda: cloud.get(address, 8000) == "back")
    lists.add("back", 20, "Allow", "icmp", "10.60.0.0/16", icmptype="8", icmpcode="-1")
    region.check_soon("pings come through, and their answers", pings)
    lists.add("back", 30, "Allow", "udp", ANYBODY, startport="53", endport="53", traffictype="Egress")
    region.settle()
    region.check("what may go out is not asked of answers", reaches(8080) and pings())


def main():
    with Region("csg") as region:
        cloud = Cloud(region)
        network = cloud.make_network("inner", SOURCE_NAT)
        deployed = [cloud.deploy(name, network) for name in ("one", "two")]
        address, static, balanced_at = (cloud.take_address(networkid=network) for _ in range(3))
        one, two = (cloud.finished(answer) for answer in deployed)
        rules = forwarded(region, cloud, address, static, one, two)
        told(region, cloud, static, two)
        leading_out(region, cloud, static, two)
        balanced(region, cloud, balanced_at, address, one, two)
        copied(region, cloud, network, address, static, two)
        ended(region, cloud, rules, address, static)
        off(region, cloud, balanced_at, one)
        tiers(region, cloud)
        region.check_clean()


main()
