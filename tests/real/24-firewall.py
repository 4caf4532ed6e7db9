#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn src/reconcile/network/gather_firewall.c src/api/cloudstack/network
"""The firewall of CloudStack's isolated networks, by its commands and with packets: closed both ways, opened by a rule, closed again without it;
nothing else filters a machine. OVN and the API are real; instances are simulated, and network namespaces in place of their interfaces play the
guests."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloudstack  # noqa: E402
from guests import WEB, Guests  # noqa: E402
from region import Region  # noqa: E402


class Lab:
    """An account, its isolated network, and two guests in it that answer HTTP with their names."""

    def __init__(self, region, guests):
        self.region, self.guests = region, guests
        region.account("alice")
        self.who = dict(zip(("_key", "_secret"), region.keys["alice"]))
        self.zone = self.first("listZones", "zone")["id"]
        offering = self.first("listNetworkOfferings", "networkoffering", name="DefaultIsolatedNetworkOfferingWithSourceNatService")
        self.network = self.call("createNetwork", name="inner", networkofferingid=offering["id"], zoneid=self.zone)["network"]["id"]
        self.machines = {name: self.launch(name) for name in ("one", "two")}
        for name, machine in self.machines.items():
            nic = machine["nic"][0]
            guests.plug(name, {"NetworkInterfaces": [{"NetworkInterfaceId": nic["id"].replace("-", ""), "MacAddress": nic["macaddress"],
                                                      "PrivateIpAddress": nic["ipaddress"]}]})
            home = f"{region.demo}/www-{name}"
            os.makedirs(home)
            with open(f"{home}/index.html", "w") as page:
                page.write(name)
            guests.start(name, "busybox", "httpd", "-f", "-p", "80", "-h", home)

    def call(self, command, **parameters):
        status, answer, _ = cloudstack.call(self.region, command, **parameters, **self.who)
        assert status == 200, answer
        return answer

    def done(self, command, **parameters):
        status, result = cloudstack.wait(self.region, self.call(command, **parameters), **self.who)
        assert status == 1, result
        return result

    def first(self, command, item, **parameters):
        return self.call(command, **parameters)[item][0]

    def launch(self, name):
        template = self.first("listTemplates", "template", templatefilter="executable")["id"]
        size = self.first("listServiceOfferings", "serviceoffering", name="t3.micro")["id"]
        return self.done("deployVirtualMachine", zoneid=self.zone, templateid=template, serviceofferingid=size, name=name, networkids=self.network)["virtualmachine"]

    def take_address(self):
        return self.done("associateIpAddress", networkid=self.network)["ipaddress"]

    def allow(self, address, protocol, **parameters):
        return self.done("createFirewallRule", ipaddressid=address["id"], protocol=protocol, **parameters)["firewallrule"]

    def close(self, rule):
        self.done("deleteFirewallRule", id=rule["id"])

    def get(self, to, source=WEB):
        return self.region.on("inet", "curl", "-s", "--interface", source, "--connect-timeout", "1", "-m", "20", f"http://{to}/", fails=True).strip()

    def pings(self, to):
        return " 0% packet loss" in self.region.on("inet", "ping", "-c", "1", "-W", "1", to, fails=True)

    def comes_in(self, words, to, wanted):
        self.region.check_soon(words, lambda: self.get(to) in wanted)

    def kept_out(self, words, *to):
        self.region.settle()
        self.region.check(words, not any(self.get(one) for one in to))


def outwards(lab):
    guests, region = lab.guests, lab.region
    source = lab.first("listPublicIpAddresses", "publicipaddress", issourcenat="true")["ipaddress"]
    other = lab.machines["two"]["nic"][0]["ipaddress"]
    region.check_soon("within the network everything passes", lambda: "two" in guests.ns("one", "curl", "-s", "-m", "5", f"http://{other}/", fails=True))
    region.settle()
    region.check("nothing goes out", guests.seen_as("one") == guests.seen_as("two") == "")
    own = lab.machines["one"]["nic"][0]["ipaddress"]
    rule = lab.done("createEgressFirewallRule", networkid=lab.network, protocol="tcp", startport="80", cidrlist=own + "/32", destcidrlist=WEB + "/24")["firewallrule"]
    region.check_soon("by an egress rule it does, under the network's address", lambda: source in guests.seen_as("one"))
    region.check("of whom it names alone", guests.seen_as("two") == "")
    lab.done("deleteEgressFirewallRule", id=rule["id"])
    region.settle()
    region.check("and no more without it", guests.seen_as("one") == "")


def by_forwarding(lab):
    address = lab.take_address()
    to = address["ipaddress"] + ":8080"
    lab.region.check("no group was changed", [g["name"] for m in lab.machines.values() for g in m["securitygroup"]] == ["behind-firewall"] * 2)
    wish = {"ipaddressid": address["id"], "virtualmachineid": lab.machines["one"]["id"], "protocol": "tcp", "publicport": "8080", "privateport": "80"}
    forwarding = lab.done("createPortForwardingRule", **wish)["portforwardingrule"]
    lab.comes_in("a forwarded port is open by the rule that was made with it", to, ["one"])
    lab.close(lab.first("listFirewallRules", "firewallrule", ipaddressid=address["id"]))
    lab.kept_out("and closed without", to)
    rule = lab.allow(address, "tcp", startport="8000", endport="8100", cidrlist=WEB + "/32,192.0.2.0/24")
    lab.comes_in("a rule of public ports opens it", to, ["one"])
    lab.region.check("to its sources alone", not lab.get(to, "203.0.113.1"))
    lab.close(rule)
    rule = lab.allow(address, "tcp", startport="80", endport="8079")
    lab.kept_out("a rule of other ports does not", to)
    lab.close(rule)
    lab.done("deletePortForwardingRule", id=forwarding["id"])
    lab.done("disassociateIpAddress", id=address["id"])


def by_static_nat(lab):
    address = lab.take_address()
    lab.call("enableStaticNat", ipaddressid=address["id"], virtualmachineid=lab.machines["two"]["id"])
    lab.kept_out("static NAT opens nothing", address["ipaddress"])
    lab.region.check("not to pings either", not lab.pings(address["ipaddress"]))
    rule = lab.allow(address, "icmp", icmptype="8")
    lab.region.check_soon("pings pass by a rule", lambda: lab.pings(address["ipaddress"]))
    lab.kept_out("and they alone", address["ipaddress"])
    lab.close(rule)
    lab.allow(address, "tcp", startport="80")
    lab.comes_in("so does a port, and is answered though nothing may go out", address["ipaddress"], ["two"])
    lab.region.check("pings do no more", not lab.pings(address["ipaddress"]))
    lab.done("disableStaticNat", ipaddressid=address["id"])
    lab.region.check("the rules end with it", lab.call("listFirewallRules") == {})
    lab.done("disassociateIpAddress", id=address["id"])


def by_load_balancer(lab):
    address = lab.take_address()
    to = address["ipaddress"]
    wish = {"publicipid": address["id"], "name": "web", "publicport": "80", "privateport": "80", "algorithm": "roundrobin"}
    balancer = lab.done("createLoadBalancerRule", openfirewall="false", **wish)["loadbalancer"]
    lab.done("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=",".join(m["id"] for m in lab.machines.values()))
    lab.kept_out("a load balancer that opens nothing is closed", to)
    lab.allow(address, "tcp", startport="80")
    lab.comes_in("it is open by a rule", to, ["one", "two"])
    lab.done("updateLoadBalancerRule", id=balancer["id"], cidrlist="192.0.2.0/24")
    lab.kept_out("and closed to whom it does not serve", to)
    lab.done("updateLoadBalancerRule", id=balancer["id"], cidrlist="198.51.0.0/16")
    lab.comes_in("and open to whom it does", to, ["one", "two"])
    lab.done("disassociateIpAddress", id=address["id"])
    lab.kept_out("without its address it is gone", to)


def main():
    os.environ["DARI_DEMO_URI"] = "sim://"
    with Region("cf") as region, Guests(region) as guests:
        lab = Lab(region, guests)
        outwards(lab)
        by_forwarding(lab)
        by_static_nat(lab)
        by_load_balancer(lab)
        region.check_clean()


if __name__ == "__main__":
    main()
