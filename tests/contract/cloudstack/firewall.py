#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/network src/engine/network src/drivers/ovn
"""CloudStack's firewall rules and egress firewall rules: which networks have them, which calls create and delete them, and that Neutron and EC2 are
unaffected. tests/real/network_ovn checks them with packets."""
import os
import sys

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import call, wait  # noqa: E402
from faces import ec2_id, holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

NETWORK = "/network/v2.0"
CLOSED, OPEN = "DefaultIsolatedNetworkOfferingWithSourceNatService", "DefaultNetworkOfferingforKubernetesService"


@pytest.fixture(scope="module")
def zone(dev):
    return call(dev, "listZones", name="us-east-1a")[1]["zone"][0]["id"]


def done(dev, answer):
    assert answer[0] == 200, answer
    status, result = wait(dev, answer[1])
    assert status == 1, result
    return result


def refused(answer, code, *words):
    assert answer[0] == answer[1]["errorcode"] == code, answer
    assert all(w in answer[1]["errortext"] for w in words), answer


def make_network(dev, zone, made_by=CLOSED, **more):
    offering, = call(dev, "listNetworkOfferings", name=made_by)[1]["networkoffering"]
    return call(dev, "createNetwork", name="walled", networkofferingid=offering["id"], zoneid=zone, **more)[1]["network"]


@pytest.fixture(scope="module")
def network(dev, zone):
    return make_network(dev, zone, gateway="10.5.0.1", netmask="255.255.255.0")


@pytest.fixture(scope="module")
def machine(dev, zone, network):
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    offering = call(dev, "listServiceOfferings", name="t3.micro")[1]["serviceoffering"][0]["id"]
    return done(dev, call(dev, "deployVirtualMachine", zoneid=zone, templateid=template, serviceofferingid=offering, networkids=network["id"]))["virtualmachine"]


@pytest.fixture
def address(dev, network):
    taken = done(dev, call(dev, "associateIpAddress", networkid=network["id"]))["ipaddress"]
    yield taken
    if call(dev, "listPublicIpAddresses", id=taken["id"])[1]:
        done(dev, call(dev, "disassociateIpAddress", id=taken["id"]))
    assert rules(dev) == []


def rules(dev, way="", **filters):
    answer = call(dev, f"list{way}FirewallRules", **filters)[1]
    shown = answer.get("firewallrule", [])
    assert answer.get("count", 0) == len(shown), answer
    return shown


def allow(dev, address, protocol="tcp", **parameters):
    return call(dev, "createFirewallRule", ipaddressid=address["id"], protocol=protocol, **parameters)


def forward(dev, address, machine, port, **parameters):
    return call(dev, "createPortForwardingRule", ipaddressid=address["id"], virtualmachineid=machine["id"], protocol="tcp", publicport=port, privateport="22", **parameters)


@holds("What each face calls it: firewall rule")
def test_a_rule(dev, network, address):
    answer = allow(dev, address, "TCP", startport="80", endport="90", cidrlist="192.0.2.0/24,198.51.100.7/32")
    made = done(dev, answer)["firewallrule"]
    assert made == {"id": answer[1]["id"], "protocol": "tcp", "startport": 80, "endport": 90, "ipaddressid": address["id"], "ipaddress": address["ipaddress"],
                    "networkid": network["id"], "cidrlist": "192.0.2.0/24,198.51.100.7/32", "destcidrlist": "", "traffictype": "Ingress",
                    "state": "Active", "fordisplay": True, "tags": []}
    assert rules(dev, id=made["id"]) == rules(dev, ipaddressid=address["id"]) == rules(dev, networkid=network["id"]) == [made]
    assert rules(dev, "Egress", ipaddressid=address["id"]) == rules(dev, "Egress", networkid=network["id"]) == []
    assert done(dev, call(dev, "createTags", resourcetype="FirewallRule", resourceids=made["id"], **{"tags[0].key": "a", "tags[0].value": "b"}))
    assert [t["resourcetype"] for t in rules(dev, **{"tags[0].key": "a", "tags[0].value": "b"})[0]["tags"]] == ["FirewallRule"]
    assert done(dev, call(dev, "updateFirewallRule", id=made["id"], fordisplay="true"))["firewallrule"]["id"] == made["id"]
    refused(allow(dev, address, startport="85", cidrlist="192.0.2.0/24"), 537, "The range specified, 85-85", "80-90")
    ping = done(dev, allow(dev, address, "icmp"))["firewallrule"]
    assert (ping["icmptype"], ping["icmpcode"], ping["cidrlist"]) == (-1, -1, "0.0.0.0/0") and "startport" not in ping
    refused(allow(dev, address, "icmp", icmptype="-1"), 431, "New rule conflicts with existing rule")
    whole = done(dev, allow(dev, address, "udp"))["firewallrule"]
    assert "startport" not in whole and "icmptype" not in whole
    refused(allow(dev, address, "udp"), 537, "protocol = udp and no ports")
    assert done(dev, allow(dev, address, startport="7"))["firewallrule"]["endport"] == 7
    for words, wrong in [("publicPort is an invalid value: 0", {"startport": "0"}), ("Public port range is an invalid value: 65536", {"startport": "1", "endport": "65536"}),
                         ("Start port", {"startport": "2", "endport": "1"}), ("ICMP protocol only", {"icmpcode": "1"}), ("CIDRs formatting error x", {"cidrlist": "x"}),
                         ("IPv6", {"cidrlist": "2001:db8::/32"}), ("due to the parameter type", {"type": "system"})]:
        refused(allow(dev, address, **wrong), 431, words)
    refused(allow(dev, address, "icmp", startport="1"), 431, "when protocol is ICMP")
    refused(allow(dev, address, "all"), 431, "Protocol all is not supported in zone")
    assert done(dev, call(dev, "deleteFirewallRule", id=made["id"])) == {"success": True}
    refused(call(dev, "deleteFirewallRule", id=made["id"]), 431, "Invalid parameter id value=" + made["id"], "entity does not exist")


def test_libcloud(dev, network, address):
    driver = get_driver(Provider.CLOUDSTACK)(dev.account.key_id, dev.account.secret, host="127.0.0.1", port=dev.port, path="/client/api", secure=False)
    public, = (a for a in driver.ex_list_public_ips() if a.id == address["id"])
    made = driver.ex_create_firewall_rule(public, "192.0.2.0/24", "tcp", start_port=22, end_port=23)
    shown, = driver.ex_list_firewall_rules()
    assert (shown.id, shown.address.id, shown.cidr_list, shown.protocol, shown.start_port, shown.end_port) == (made.id, address["id"], "192.0.2.0/24", "tcp", 22, 23)
    assert driver.ex_delete_firewall_rule(shown) and driver.ex_list_firewall_rules() == []
    made = driver.ex_create_egress_firewall_rule(network["id"], "10.5.0.0/25", "icmp", icmp_code=0, icmp_type=8)
    shown, = driver.ex_list_egress_firewall_rules()
    assert (shown.id, shown.network_id, shown.cidr_list, shown.icmp_type, shown.icmp_code) == (made.id, network["id"], "10.5.0.0/25", 8, 0)
    assert driver.ex_delete_egress_firewall_rule(shown) and rules(dev, "Egress") == []


@holds("CloudStack's networks: Firewalls")
def test_what_makes_and_ends_rules(dev, network, machine, address):
    """A forwarding and a load balancer create rules; static NAT does not. All rules are deleted with their subject."""
    rule = done(dev, forward(dev, address, machine, "2222"))["portforwardingrule"]
    opened, = rules(dev)
    assert (opened["protocol"], opened["startport"], opened["endport"], opened["cidrlist"]) == ("tcp", 2222, 2222, "0.0.0.0/0")
    cloud.own(dev).ok("PUT", f"{NETWORK}/floatingips/{address['id']}/port_forwardings/{rule['id']}", {"port_forwarding": {"external_port": 2022}})
    assert [r["startport"] for r in rules(dev)] == [2022]
    done(dev, call(dev, "deletePortForwardingRule", id=rule["id"]))
    assert rules(dev) == []
    done(dev, forward(dev, address, machine, "2223", openfirewall="false"))
    assert rules(dev) == []
    balance = {"name": "web", "publicipid": address["id"], "publicport": "80", "privateport": "80", "algorithm": "roundrobin"}
    balancer = done(dev, call(dev, "createLoadBalancerRule", cidrlist="192.0.2.0/24", **balance))["loadbalancer"]
    assert balancer["cidrlist"] == "192.0.2.0/24" and [r["startport"] for r in rules(dev)] == [80]
    assert done(dev, call(dev, "updateLoadBalancerRule", id=balancer["id"], cidrlist="10.0.0.0/8,192.0.2.0/24"))["loadbalancer"]["cidrlist"] == "10.0.0.0/8,192.0.2.0/24"
    refused(call(dev, "updateLoadBalancerRule", id=balancer["id"], cidrlist="x"), 431, "Invalid cidr x")
    done(dev, call(dev, "deleteFirewallRule", id=rules(dev)[0]["id"]))  # the rule alone: the address still leads there, but nothing passes
    done(dev, call(dev, "disassociateIpAddress", id=address["id"]))
    static = done(dev, call(dev, "associateIpAddress", networkid=network["id"]))["ipaddress"]
    assert call(dev, "enableStaticNat", ipaddressid=static["id"], virtualmachineid=machine["id"])[0] == 200
    assert rules(dev) == []
    done(dev, allow(dev, static, startport="22"))
    project, ec2 = cloud.own(dev), dev.account.client()  # these faces show the address unchanged
    assert project.ok("GET", f"{NETWORK}/floatingips/{static['id']}")["floatingip"]["status"] == "ACTIVE"
    shown, = ec2.describe_addresses(AllocationIds=[ec2_id("eipalloc", static["id"])])["Addresses"]
    assert shown["InstanceId"] == ec2_id("i", machine["id"])
    ec2.disassociate_address(AssociationId=shown["AssociationId"])
    assert rules(dev) == []
    done(dev, call(dev, "disassociateIpAddress", id=static["id"]))


@holds("CloudStack's networks: Only the firewall stands before a machine")
def test_only_the_firewall(dev, zone, network, machine):
    """A NIC without groups in such a network is in an allow-all group, whose rules no face can change; in other networks it is not."""
    def names(where):
        return [g["name"] for g in call(dev, "listVirtualMachines", id=where["id"])[1]["virtualmachine"][0]["securitygroup"]]
    project, ec2 = cloud.own(dev), dev.account.client()
    group, = call(dev, "listSecurityGroups", virtualmachineid=machine["id"])[1]["securitygroup"]
    assert (group["name"], group["virtualmachinecount"]) == ("behind-firewall", 1) and "Lets everything in and out" in group["description"]
    assert {(r["protocol"], r["cidr"]) for way in ("ingressrule", "egressrule") for r in group[way]} == {("all", "0.0.0.0/0"), ("all", "::/0")}
    shown, = ec2.describe_security_groups(GroupIds=[ec2_id("sg", group["id"])])["SecurityGroups"]
    assert "VpcId" not in shown and len(shown["IpPermissions"][0]["IpRanges"]) == 1
    rules_of = project.ok("GET", f"{NETWORK}/security-groups/{group['id']}")["security_group"]["security_group_rules"]
    assert sorted((r["direction"], r["ethertype"]) for r in rules_of) == [(d, f) for d in ("egress", "ingress") for f in ("IPv4", "IPv6")]
    refused(call(dev, "revokeSecurityGroupIngress", id=group["ingressrule"][0]["ruleid"]), 431, "cannot be changed")
    refused(call(dev, "authorizeSecurityGroupEgress", securitygroupid=group["id"], protocol="tcp", startport="1", endport="1", cidrlist="10.0.0.0/8"), 431, "cannot be changed")
    answer = project.call("DELETE", f"{NETWORK}/security-group-rules/{rules_of[0]['id']}")
    assert answer.status == 409 and answer.json["NeutronError"]["type"] == "Conflict", answer
    with pytest.raises(ec2.exceptions.ClientError, match="OperationNotPermitted"):
        ec2.revoke_security_group_ingress(GroupId=shown["GroupId"], IpPermissions=shown["IpPermissions"])
    with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=shown["GroupId"])
    refused(call(dev, "deleteSecurityGroup", id=group["id"]), 536, "dependent object")
    walled, plain = (make_network(dev, zone, made_by, gateway=f"10.{n}.0.1", netmask="255.255.255.0") for n, made_by in ((8, CLOSED), (9, "DefaultIsolatedNetworkOffering")))
    made = {way: done(dev, call(dev, "deployVirtualMachine", zoneid=zone, templateid=machine["templateid"], serviceofferingid=machine["serviceofferingid"], **where))["virtualmachine"]
            for way, where in {"walled": {"networkids": walled["id"]}, "plain": {"networkids": plain["id"]}, "named": {"networkids": walled["id"], "securitygroupnames": "default"}}.items()}
    assert {way: names(one) for way, one in made.items()} == {"walled": ["behind-firewall"], "plain": ["default"], "named": ["default"]}
    done(dev, call(dev, "addNicToVirtualMachine", virtualmachineid=made["plain"]["id"], networkid=walled["id"]))
    ports = project.ok("GET", f"{NETWORK}/ports?device_id={made['plain']['id']}")["ports"]
    assert {p["network_id"]: p["security_groups"] == [group["id"]] for p in ports} == {plain["id"]: False, walled["id"]: True}
    own = project.ok("POST", f"{NETWORK}/ports", {"port": {"network_id": walled["id"]}})["port"]
    assert own["security_groups"] != [group["id"]]  # another face's NIC is in the default group
    project.ok("DELETE", f"{NETWORK}/ports/{own['id']}")
    gone = [ec2_id("i", one["id"]) for one in made.values()]
    ec2.terminate_instances(InstanceIds=gone)
    ec2.get_waiter("instance_terminated").wait(InstanceIds=gone)
    for one in (walled, plain):
        done(dev, call(dev, "deleteNetwork", id=one["id"]))


def test_what_has_none(dev, zone, network):
    """Addresses of a VPC or of no network, and networks created by other faces, have no firewall."""
    offering, = call(dev, "listVPCOfferings")[1]["vpcoffering"]
    vpc = done(dev, call(dev, "createVPC", name="v", displaytext="v", cidr="10.61.0.0/16", zoneid=zone, vpcofferingid=offering["id"]))["vpc"]
    tier = make_network(dev, zone, "DefaultIsolatedNetworkOfferingForVpcNetworks", vpcid=vpc["id"], gateway="10.61.1.1", netmask="255.255.255.0")
    of_vpc = done(dev, call(dev, "associateIpAddress", vpcid=vpc["id"]))["ipaddress"]
    project = cloud.own(dev)
    outside = project.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]
    loose = project.ok("POST", f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": outside}})["floatingip"]
    of_tier = done(dev, call(dev, "associateIpAddress", networkid=tier["id"]))["ipaddress"]
    for one in (of_vpc, loose):
        refused(allow(dev, one), 431, "is not associated with any network")
    refused(allow(dev, of_tier), 431, "Service Firewall is not supported")
    refused(call(dev, "createEgressFirewallRule", networkid=tier["id"], protocol="tcp"), 431, "only for non VPC networks")
    assert "egressdefaultpolicy" not in tier
    balance = {"name": "web", "publicport": "80", "privateport": "80", "algorithm": "roundrobin"}
    refused(call(dev, "createLoadBalancerRule", publicipid=of_tier["id"], openfirewall="true", **balance), 431, "openFirewall=true when IP address belongs to VPC")
    refused(call(dev, "createLoadBalancerRule", publicipid=of_tier["id"], cidrlist="10.0.0.0/8", **balance), 431, "firewall")
    plain = project.ok("POST", f"{NETWORK}/networks", {"network": {"name": "plain"}})["network"]["id"]
    project.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": plain, "cidr": "10.77.0.0/24", "ip_version": 4}})
    refused(call(dev, "createEgressFirewallRule", networkid=plain, protocol="tcp"), 431, "Service Firewall is not supported")
    assert call(dev, "listNetworks", id=plain)[1]["network"][0]["egressdefaultpolicy"] is True
    source, = call(dev, "listPublicIpAddresses", associatednetworkid=network["id"], issourcenat="true")[1]["publicipaddress"]
    rule = done(dev, allow(dev, source, startport="22"))["firewallrule"]  # the address has no target yet
    assert rule["networkid"] == network["id"]
    done(dev, call(dev, "deleteFirewallRule", id=rule["id"]))
    for one in (of_vpc, loose, of_tier):
        done(dev, call(dev, "disassociateIpAddress", id=one["id"]))
    done(dev, call(dev, "deleteNetwork", id=tier["id"]))
    done(dev, call(dev, "deleteVPC", id=vpc["id"]))


def test_outwards(dev, zone):
    closed, opened = make_network(dev, zone, gateway="10.6.0.1", netmask="255.255.255.0"), make_network(dev, zone, OPEN, gateway="10.7.0.1", netmask="255.255.255.0")
    assert (closed["egressdefaultpolicy"], opened["egressdefaultpolicy"]) == (False, True)
    assert (closed["networkofferingname"], opened["networkofferingname"]) == (CLOSED, OPEN)
    for one, block in ((closed, "10.6.0.0/24"), (opened, "10.7.0.0/24")):
        make = {"networkid": one["id"], "protocol": "all"}
        rule = done(dev, call(dev, "createEgressFirewallRule", **make))["firewallrule"]
        assert rule == {"id": rule["id"], "protocol": "all", "networkid": one["id"], "cidrlist": block, "destcidrlist": "", "traffictype": "Egress",
                        "state": "Active", "fordisplay": True, "tags": []}
        assert rules(dev, "Egress", networkid=one["id"]) == rules(dev, "Egress", id=rule["id"]) == [rule] and rules(dev, networkid=one["id"]) == []
        assert done(dev, call(dev, "updateEgressFirewallRule", id=rule["id"]))["firewallrule"] == rule
        refused(call(dev, "createEgressFirewallRule", **make), 537, "protocol = all and no ports")
        refused(call(dev, "createEgressFirewallRule", **make, startport="1", endport="2"), 431, "ports must not be informed")
        refused(call(dev, "createEgressFirewallRule", **make, cidrlist="10.8.0.0/24"), 431, f"[10.8.0.0/24] is not within the guest CIDR [{block}]. ")
        refused(call(dev, "createEgressFirewallRule", **make, destcidrlist="1.2.3.4"), 431, "Destination CIDRs formatting error [1.2.3.4].")
        some = done(dev, call(dev, "createEgressFirewallRule", networkid=one["id"], protocol="tcp", startport="80", cidrlist="0.0.0.0/0", destcidrlist="192.0.2.0/24,198.51.100.0/24"))
        assert (some["firewallrule"]["endport"], some["firewallrule"]["destcidrlist"]) == (80, "192.0.2.0/24,198.51.100.0/24")
        assert done(dev, call(dev, "deleteEgressFirewallRule", id=rule["id"])) == {"success": True}
        assert len(rules(dev, "Egress", networkid=one["id"])) == 1
        done(dev, call(dev, "deleteNetwork", id=one["id"]))  # with its rules
    assert rules(dev, "Egress") == []


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
