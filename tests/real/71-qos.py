#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn/nb_port src/reconcile/network/port src/engine/network/port/qos_policy src/engine/network/object_grant
"""QoS policies with packets: the stock openstack command makes them, gives them to a port, a network and another project, and OVN limits and marks what
passes between two hosts. OVN and the API are real; instances are simulated, and network namespaces play the guests."""
# limit: 900 s
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
import datagrams  # noqa: E402
from guests import Guests  # noqa: E402
from region import Region  # noqa: E402

NET, NOVA = "/network/v2.0", "/compute/v2.1/servers"


class Person:
    """A user with the role manager in a project, with the stock client and requests of their own."""

    def __init__(self, region, name):
        region.account(name)
        password = region.command("user", "create", f"{name}-user", "--account", name, "--role", "manager")["password"]
        self.region, self.project = region, lib.Project(region, name, f"{name}-user", password)
        self.env = [f"OS_AUTH_URL=http://127.0.0.1:{region.port}/identity/v3", "OS_IDENTITY_API_VERSION=3", f"OS_USERNAME={name}-user", f"OS_PASSWORD={password}",
                    "OS_USER_DOMAIN_NAME=Default", "OS_PROJECT_DOMAIN_NAME=Default", f"OS_PROJECT_NAME={name}", "OS_REGION_NAME=us-east-1"]

    def run(self, *argv, fails=False):
        """Output of `openstack network …` or `openstack port …`, as JSON if it shows a resource."""
        form = ["-f", "json"] if "create" in argv else []
        text = self.region.run("/usr/bin/env", *self.env, "/usr/bin/openstack", *argv, *form, fails=fails)
        return json.loads(text[text.index("{"):]) if form and not fails else text

    def make_network(self, name, block):
        """A network behind a router, which answers for its gateway. Returns the network's id."""
        make = lambda kind, path, **members: self.project.ok("POST", f"{NET}/{path}", {kind: members})[kind]["id"]  # noqa: E731
        network = make("network", "networks", name=name)
        subnet = make("subnet", "subnets", network_id=network, ip_version=4, cidr=block)
        self.project.ok("PUT", f"{NET}/routers/{make('router', 'routers', name='r')}/add_router_interface", {"subnet_id": subnet})
        return network

    def make_port(self, name, network):
        return self.project.ok("POST", f"{NET}/ports", {"port": {"name": name, "network_id": network}})["port"]


class Lab:
    """Two guests, each on a host of its own, in one network of the first person."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        self.owner, self.other, self.third = (Person(region, name) for name in ("owner", "other", "third"))
        self.network = self.owner.make_network("inside", "10.73.0.0/24")
        self.ports = {name: self.owner.make_port(name, self.network) for name in ("sender", "receiver")}
        project = self.owner.project
        apart = project.ok("POST", "/compute/v2.1/os-server-groups", {"server_group": {"name": "apart", "policy": "anti-affinity"}},
                           version="compute 2.93")["server_group"]["id"]
        for name, port in self.ports.items():
            self.start(project, name, port, apart)

    def start(self, project, name, port, apart):
        image = next(i["id"] for i in project.ok("GET", "/image/v2/images")["images"] if i["name"] == "tiny")
        flavor = next(f["id"] for f in project.ok("GET", "/compute/v2.1/flavors")["flavors"] if f["name"] == "t3.nano")
        server = project.ok("POST", NOVA, {"server": {"name": name, "imageRef": image, "flavorRef": flavor, "networks": [{"port": port["id"]}]},
                                           "os:scheduler_hints": {"group": apart}})["server"]["id"]
        self.region.check_soon(f"{name} runs", lambda: project.ok("GET", f"{NOVA}/{server}")["server"]["status"] == "ACTIVE")
        self.guests.plug(name, {"NetworkInterfaces": [{"NetworkInterfaceId": port["id"].replace("-", ""), "MacAddress": port["mac_address"],
                                                       "PrivateIpAddress": port["fixed_ips"][0]["ip_address"]}]})

    def measure(self, kbit_s=8000, seconds=4):
        """Rate in kbit/s that the receiver gets of that stream, and its marks."""
        ends = [["ip", "netns", "exec", self.guests.prefix + name] for name in ("receiver", "sender")]
        return datagrams.measure(*ends, self.ports["receiver"]["fixed_ips"][0]["ip_address"], kbit_s, seconds)

    def rows(self):
        """OVN's QoS rows: direction, bandwidth, action."""
        text = self.region.on("ctl", "ovn-nbctl", "--format=csv", "--no-headings", "--columns=direction,bandwidth,action", "list", "QoS")
        return sorted(csv.reader(text.splitlines()))

    def is_limited(self, limit, marks):
        """True if the receiver gets about the limit, and those marks alone. A margin allows for packets that were queued when the limit changed."""
        rate, seen = self.measure()
        self.told = f"{rate:.0f} kbit/s, marks {seen}"
        return limit * 0.7 < rate < limit * 1.6 and seen == marks

    def is_free(self):
        rate, seen = self.measure(seconds=1)
        self.told = f"{rate:.0f} kbit/s, marks {seen}"
        return rate > 5000 and seen == [0]


def own_policy(lab):
    """A port's policy: a limit and a mark of what it sends. A change of the rule reaches the port."""
    region, run = lab.region, lab.owner.run
    run("network", "qos", "policy", "create", "slow")
    limit = run("network", "qos", "rule", "create", "slow", "--type", "bandwidth-limit", "--max-kbps", "2000", "--egress")
    run("network", "qos", "rule", "create", "slow", "--type", "dscp-marking", "--dscp-mark", "26")
    region.check_soon("without a policy the guests send at any rate", lab.is_free, lambda: lab.told)
    run("port", "set", "--qos-policy", "slow", "sender")
    region.settle()
    region.check(f"OVN has one row of the port {lab.rows()}", lab.rows() == [["from-lport", "{burst=1600, rate=2000}", "{dscp=26}"]])
    region.check_soon("it limits and marks what the port sends", lambda: lab.is_limited(2000, [26]), lambda: lab.told)
    run("network", "qos", "rule", "set", "slow", limit["id"], "--max-kbps", "1000", "--max-burst-kbits", "500")
    region.settle()
    region.check_soon("another rate of the rule holds, too", lambda: lab.is_limited(1000, [26]), lambda: lab.told)
    region.check("a policy in use stays", "is used by port" in run("network", "qos", "policy", "delete", "slow", fails=True))
    run("port", "unset", "--qos-policy", "sender")
    region.settle()
    region.check("OVN has no row without a policy", lab.rows() == [])
    region.check_soon("and the port sends at any rate", lab.is_free, lambda: lab.told)


def network_policy(lab):
    """A network's policy holds for its ports without one of their own."""
    region, run = lab.region, lab.owner.run
    run("network", "qos", "policy", "create", "inwards")
    run("network", "qos", "rule", "create", "inwards", "--type", "bandwidth-limit", "--max-kbps", "1000", "--ingress")
    run("network", "set", "--qos-policy", "inwards", "inside")
    region.settle()
    region.check(f"OVN has a row of each port {lab.rows()}", lab.rows() == [["to-lport", "{burst=800, rate=1000}", "{}"]] * 2)
    region.check_soon("it limits what the ports receive", lambda: lab.is_limited(1000, [0]), lambda: lab.told)
    refused = run("network", "qos", "rule", "create", "inwards", "--type", "minimum-bandwidth", "--min-kbps", "10", "--egress", fails=True)
    region.check("a minimum bandwidth is refused", "not supported by" in refused)
    run("network", "set", "--no-qos-policy", "inside")
    region.settle()
    region.check_soon("without the network's policy the limit ends", lab.is_free, lambda: lab.told)
    run("network", "qos", "policy", "delete", "inwards")


def shared_policy(lab):
    """Another project uses a policy by a grant, which cannot be narrowed while it does."""
    region, owner, other = lab.region, lab.owner, lab.other
    network = other.make_network("theirs", "10.74.0.0/24")
    other.make_port("p", network)
    hidden = other.run("port", "set", "--qos-policy", "slow", "p", fails=True)
    region.check("without a grant the policy does not exist for others", "found for slow" in hidden)
    grant = owner.run("network", "rbac", "create", "--type", "qos_policy", "--action", "access_as_shared", "--target-project", other.project.id, "slow")["id"]
    other.run("port", "set", "--qos-policy", "slow", "p")
    region.settle()
    region.check("OVN limits the other project's port", lab.rows() == [["from-lport", "{burst=500, rate=1000}", "{dscp=26}"]])
    narrowed = owner.run("network", "rbac", "set", "--target-project", lab.third.project.id, grant, fails=True)
    ended = owner.run("network", "rbac", "delete", grant, fails=True)
    region.check(f"a grant in use is not narrowed: {narrowed}", "409" in narrowed)
    region.check(f"nor is it ended: {ended}", "409" in ended)
    rule = other.run("network", "qos", "rule", "create", "slow", "--type", "bandwidth-limit", "--max-kbps", "9000", "--egress", fails=True)
    region.check(f"the other project does not change the policy: {rule}", "404" in rule)
    other.run("port", "unset", "--qos-policy", "p")
    owner.run("network", "rbac", "set", "--target-project", lab.third.project.id, grant)
    owner.run("network", "rbac", "delete", grant)
    owner.run("network", "qos", "policy", "delete", "slow")
    region.settle()
    region.check("OVN keeps no row", lab.rows() == [])


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("qs") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        region.settle()
        own_policy(lab)
        network_policy(lab)
        shared_policy(lab)
        region.check_clean()


main()
