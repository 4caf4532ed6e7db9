#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/network src/engine/network
"""CloudStack's port forwarding rules and load balancer rules: created, listed, changed and deleted by libcloud and by signed requests; forwardings
also in Neutron."""
import os
import sys

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider
from libcloud.loadbalancer.base import Member
from libcloud.loadbalancer.providers import get_driver as get_balancer_driver
from libcloud.loadbalancer.types import Provider as Balancers

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import call, wait  # noqa: E402
from faces import ec2_id, holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

NETWORK = "/network/v2.0"


@pytest.fixture(scope="module")
def machines(dev):
    ec2 = dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for name in ("one", "two"):
        ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1,
                          TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}])
    dev.rest()
    return sorted(call(dev, "listVirtualMachines")[1]["virtualmachine"], key=lambda m: m["name"])


@pytest.fixture
def address(dev):
    """A floating address of the account, as Neutron shows it."""
    project = cloud.own(dev)
    outside = project.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]
    made = project.ok("POST", f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": outside}})["floatingip"]
    yield made
    if project.call("GET", f"{NETWORK}/floatingips/{made['id']}").status == 200:
        done(dev, call(dev, "disassociateIpAddress", id=made["id"]))  # with all its forwardings
    assert rules(dev) == balancers(dev) == []


def rules(dev, **filters):
    answer = call(dev, "listPortForwardingRules", **filters)[1]
    shown = answer.get("portforwardingrule", [])
    assert answer.get("count", 0) == len(shown), answer
    return shown


def balancers(dev, **filters):
    return call(dev, "listLoadBalancerRules", **filters)[1].get("loadbalancerrule", [])


def done(dev, answer):
    assert answer[0] == 200, answer
    status, result = wait(dev, answer[1])
    assert status == 1, result
    return result


def make(dev, address, machine, **parameters):
    wish = {"ipaddressid": address["id"], "virtualmachineid": machine["id"], "protocol": "tcp", "publicport": "2222", "privateport": "22", **parameters}
    return call(dev, "createPortForwardingRule", **wish)


def refused(answer, code, *words):
    assert answer[0] == answer[1]["errorcode"] == code, answer
    assert all(w in answer[1]["errortext"] for w in words), answer


def test_libcloud(dev, machines, address):
    driver = get_driver(Provider.CLOUDSTACK)(dev.account.key_id, dev.account.secret, host="127.0.0.1", port=dev.port, path="/client/api", secure=False)
    node = type("Node", (), {"id": machines[0]["id"], "public_ips": [], "extra": {"port_forwarding_rules": []}})
    public = type("Address", (), {"id": address["id"], "address": address["floating_ip_address"], "virtualmachine_id": None})
    rule = driver.ex_create_port_forwarding_rule(node, public, 22, 2222, "tcp")
    assert (rule.public_port, rule.private_port, rule.protocol) == (2222, 22, "tcp")
    (shown,) = rules(dev, ipaddressid=address["id"])
    assert (shown["id"], shown["virtualmachineid"], shown["state"]) == (rule.id, machines[0]["id"], "Active")
    assert driver.ex_delete_port_forwarding_rule(node, rule)
    assert rules(dev, ipaddressid=address["id"]) == []


def test_a_rule(dev, machines, address):
    one, two = machines
    answer = make(dev, address, one, protocol="UDP", publicport="5000", publicendport="5002", privateport="6000", privateendport="6002", openfirewall="false")
    made = done(dev, answer)["portforwardingrule"]
    assert made["id"] == answer[1]["id"]
    nic = one["nic"][0]
    assert made == {"id": made["id"], "protocol": "udp", "publicport": "5000", "publicendport": "5002", "privateport": "6000", "privateendport": "6002",
                    "ipaddressid": address["id"], "ipaddress": address["floating_ip_address"], "virtualmachineid": one["id"],
                    "virtualmachinename": one["name"], "virtualmachinedisplayname": one["displayname"], "vmguestip": nic["ipaddress"],
                    "networkid": nic["networkid"], "cidrlist": "", "state": "Active", "fordisplay": True, "tags": []}
    assert rules(dev, id=made["id"]) == rules(dev, networkid=nic["networkid"], ipaddressid=address["id"]) == [made]
    assert done(dev, call(dev, "createTags", resourcetype="PortForwardingRule", resourceids=made["id"], **{"tags[0].key": "a", "tags[0].value": "b"}))
    assert [t["resourcetype"] for t in rules(dev, **{"tags[0].key": "a", "tags[0].value": "b"})[0]["tags"]] == ["PortForwardingRule"]
    changed = done(dev, call(dev, "updatePortForwardingRule", id=made["id"], virtualmachineid=two["id"], privateport="7000", privateendport="7002"))
    changed = changed["portforwardingrule"]
    assert (changed["virtualmachineid"], changed["vmguestip"], changed["privateport"]) == (two["id"], two["nic"][0]["ipaddress"], "7000")
    refused(call(dev, "updatePortForwardingRule", id=made["id"], privateport="7000"), 431, "equal sizes")
    assert done(dev, call(dev, "deletePortForwardingRule", id=made["id"])) == {"success": True}
    refused(call(dev, "deletePortForwardingRule", id=made["id"]), 431, "entity does not exist")


def test_refusals(dev, machines, address):
    done(dev, make(dev, address, machines[0]))
    refused(make(dev, address, machines[1]), 537, "2222:2222")
    refused(make(dev, address, machines[0], protocol="icmp"), 431, "icmp")
    refused(make(dev, address, machines[0], publicport="80", publicendport="82", privateport="80"), 431, "equal sizes")
    refused(make(dev, address, machines[0], publicport="82", publicendport="80"), 431)
    refused(make(dev, address, machines[0], publicport="80", vmguestip="10.9.9.9"), 431, "network interface")
    refused(make(dev, address, machines[0], publicport="1000", publicendport="1500", privateport="1000", privateendport="1500"), 532, "500")
    assert len(rules(dev, ipaddressid=address["id"])) == 1
    done(dev, make(dev, address, machines[0], publicport="2223"))  # to a port with another forwarding, which only Neutron refuses


@holds("What each face calls it: port forwarding")
def test_two_faces(dev, machines, address):
    """Created in one face, shown, changed and deleted in the other; EC2 shows the address as in use."""
    project, path = cloud.own(dev), f"{NETWORK}/floatingips/{address['id']}/port_forwardings"
    rule = done(dev, make(dev, address, machines[0]))["portforwardingrule"]
    seen = project.ok("GET", f"{path}/{rule['id']}")["port_forwarding"]
    assert (seen["internal_port_id"], seen["internal_ip_address"]) == (machines[0]["nic"][0]["id"], rule["vmguestip"])
    assert (seen["internal_port"], seen["external_port"], seen["protocol"]) == (22, 2222, "tcp")
    project.ok("PUT", f"{path}/{rule['id']}", {"port_forwarding": {"external_port": 2022}})
    assert rules(dev, id=rule["id"])[0]["publicport"] == "2022"
    assert project.call("DELETE", f"{path}/{rule['id']}").status == 204
    assert rules(dev, ipaddressid=address["id"]) == []
    wish = {"protocol": "udp", "internal_port_id": machines[1]["nic"][0]["id"], "internal_port": 53, "external_port_range": "53:54"}
    made = project.ok("POST", path, {"port_forwarding": wish})["port_forwarding"]
    (shown,) = rules(dev, ipaddressid=address["id"])
    assert (shown["id"], shown["publicport"], shown["publicendport"], shown["privateport"], shown["privateendport"]) == (made["id"], "53", "54", "53", "53")
    ec2, allocation = dev.account.client(), ec2_id("eipalloc", address["id"])
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.release_address(AllocationId=allocation)
    assert caught.value.response["Error"]["Code"] == "InvalidIPAddress.InUse"
    done(dev, call(dev, "deletePortForwardingRule", id=made["id"]))
    assert project.ok("GET", path)["port_forwardings"] == []


# ---- load balancer rules


def balance(dev, address, **parameters):
    wish = {"publicipid": address["id"], "name": "web", "publicport": "80", "privateport": "8080", "algorithm": "roundrobin", **parameters}
    return call(dev, "createLoadBalancerRule", **wish)


def members(dev, rule, **parameters):
    return call(dev, "listLoadBalancerRuleInstances", id=rule["id"], **parameters)[1]


def test_libcloud_balances(dev, machines, address):
    driver = get_balancer_driver(Balancers.CLOUDSTACK)(dev.account.key_id, dev.account.secret, host="127.0.0.1", port=dev.port, path="/client/api", secure=False)
    made = done(dev, balance(dev, address))["loadbalancer"]
    (balancer,) = driver.list_balancers()
    assert (balancer.id, balancer.name, balancer.ip, balancer.port) == (made["id"], "web", address["floating_ip_address"], "80")
    assert driver.balancer_attach_member(balancer, Member(machines[0]["id"], machines[0]["nic"][0]["ipaddress"], 8080))
    (member,) = driver.balancer_list_members(balancer)
    assert member.id == machines[0]["id"]
    assert driver.balancer_detach_member(balancer, member)
    assert members(dev, made) == {}
    driver.destroy_balancer(balancer)
    dev.rest()
    assert balancers(dev) == [] and cloud.own(dev).call("GET", f"{NETWORK}/floatingips/{address['id']}").status == 404


def test_the_network_of_an_address(dev, machines):
    """An address acquired for a network leads into that network."""
    nic = machines[0]["nic"][0]
    project = cloud.own(dev)
    second = project.ok("POST", f"{NETWORK}/networks", {"network": {"name": "second"}})["network"]["id"]
    project.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": second, "cidr": "10.77.0.0/24", "ip_version": 4}})
    done(dev, call(dev, "addNicToVirtualMachine", virtualmachineid=machines[0]["id"], networkid=second))
    loose = done(dev, call(dev, "associateIpAddress", zoneid=call(dev, "listZones")[1]["zone"][0]["id"]))["ipaddress"]
    refused(make(dev, loose, machines[0]), 431, "as ip is not associated with any network and no networkId is passed in")  # the machine has two NICs
    assert done(dev, make(dev, loose, machines[0], networkid=nic["networkid"]))["portforwardingrule"]["vmguestip"] == nic["ipaddress"]
    taken = done(dev, call(dev, "associateIpAddress", networkid=nic["networkid"]))["ipaddress"]
    assert done(dev, make(dev, taken, machines[0]))["portforwardingrule"]["networkid"] == nic["networkid"]
    balancer = done(dev, balance(dev, taken))["loadbalancer"]
    assert balancer["networkid"] == nic["networkid"]
    done(dev, call(dev, "assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=machines[0]["id"]))
    assert members(dev, balancer, lbvmips="true")["lbrulevmidip"][0]["lbvmipaddresses"] == [nic["ipaddress"]]
    for one in (loose, taken):
        done(dev, call(dev, "disassociateIpAddress", id=one["id"]))
    added, = (n for n in call(dev, "listNics", virtualmachineid=machines[0]["id"])[1]["nic"] if n["networkid"] == second)
    done(dev, call(dev, "removeNicFromVirtualMachine", virtualmachineid=machines[0]["id"], nicid=added["id"]))


@holds("What each face calls it: load balancer, member", "The network: Load balancers")
def test_a_balancer(dev, machines, address):
    one, two = machines
    network = one["nic"][0]["networkid"]
    answer = balance(dev, address, description="d", protocol="tcp", networkid=network, openfirewall="false")
    made = done(dev, answer)["loadbalancer"]
    assert made["id"] == answer[1]["id"] and made["state"] == "Add" and made["networkid"] == network
    assert (made["publicip"], made["publicport"], made["privateport"], made["algorithm"]) == (address["floating_ip_address"], "80", "8080", "roundrobin")
    assert members(dev, made) == {}
    project, ec2 = cloud.own(dev), dev.account.client()
    path = f"{NETWORK}/floatingips/{address['id']}"
    assert project.ok("GET", path)["floatingip"]["status"] == "DOWN"
    assert done(dev, call(dev, "assignToLoadBalancerRule", id=made["id"], virtualmachineids=one["id"])) == {"success": True}
    (shown,) = balancers(dev, virtualmachineid=one["id"])
    assert shown == {**made, "state": "Active"} and balancers(dev, virtualmachineid=two["id"]) == []
    assert balancers(dev, networkid=network, name="web") == balancers(dev, id=made["id"]) == [shown]
    floating = project.ok("GET", path)["floatingip"]  # Neutron and EC2 know that the address is in use
    assert (floating["status"], ec2_id("vpc", floating["router_id"])) == ("ACTIVE", ec2.describe_vpcs()["Vpcs"][0]["VpcId"])
    assert project.call("DELETE", path).status == 409
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.associate_address(AllocationId=ec2_id("eipalloc", address["id"]), InstanceId=ec2_id("i", two["id"]))
    assert caught.value.response["Error"]["Code"] == "InvalidIPAddress.InUse"
    listed = members(dev, made)
    assert listed["count"] == 1 and listed["loadbalancerruleinstance"][0]["id"] == one["id"]
    assert members(dev, made, page="2", pagesize="1") == {"count": 1, "loadbalancerruleinstance": []}
    (with_ip,) = members(dev, made, lbvmips="true")["lbrulevmidip"]
    assert (with_ip["loadbalancerruleinstance"]["id"], with_ip["lbvmipaddresses"]) == (one["id"], [one["nic"][0]["ipaddress"]])
    refused(call(dev, "assignToLoadBalancerRule", id=made["id"], virtualmachineids=one["id"]), 431, "already")
    refused(call(dev, "assignToLoadBalancerRule", id=made["id"]), 431, "virtualMachineIds")
    refused(call(dev, "removeFromLoadBalancerRule", id=made["id"], virtualmachineids=two["id"]), 431, "no member")
    refused(balance(dev, address, name="other"), 537, "80:80")
    refused(make(dev, address, one, publicport="80", privateport="80"), 537, "80:80")
    refused(balance(dev, address, algorithm="leastconn"), 431, "algorithm")
    changed = done(dev, call(dev, "updateLoadBalancerRule", id=made["id"], name="new", algorithm="source", description="e"))["loadbalancer"]
    assert (changed["name"], changed["algorithm"], changed["description"], changed["id"]) == ("new", "source", "e", made["id"])
    assert done(dev, call(dev, "createTags", resourcetype="LoadBalancer", resourceids=made["id"], **{"tags[0].key": "a", "tags[0].value": "b"}))
    assert [t["key"] for t in balancers(dev, id=made["id"])[0]["tags"]] == ["a"]
    assert done(dev, call(dev, "removeFromLoadBalancerRule", id=made["id"], virtualmachineids=one["id"])) == {"success": True}
    assert balancers(dev, id=made["id"])[0]["state"] == "Add"
    assert done(dev, call(dev, "deleteLoadBalancerRule", id=made["id"])) == {"success": True}
    refused(call(dev, "deleteLoadBalancerRule", id=made["id"]), 431, "entity does not exist")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
