#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/network src/engine/network
"""CloudStack's commands for networks: by Apache Libcloud where it has the call, by signed requests where the format of an answer matters."""
import hashlib
import os
import sys
import types

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, let_users_expunge, wait  # noqa: E402
from dev import Dev  # noqa: E402
from faces import NETWORK, ec2_id, holds  # noqa: E402


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        let_users_expunge(region)
        yield region


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


@pytest.fixture(scope="module")
def driver(dev):
    return get_driver(Provider.CLOUDSTACK)(key=dev.account.key_id, secret=dev.account.secret, secure=False, host="127.0.0.1", port=dev.port,
                                           path="/client/api")


@pytest.fixture(scope="module")
def machines(dev):
    """Two instances in the default VPC."""
    ec2 = dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = [i["InstanceId"] for i in ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2)["Instances"]]
    assert len(made) == 2
    dev.rest()
    return call(dev, "listVirtualMachines", state="Running")[1]["virtualmachine"]


def done(dev, answer, **who):
    """Result of a command's job, which must succeed."""
    status, answer, _ = answer
    assert status == 200, answer
    status, result = wait(dev, answer, **who)
    assert status == 1, result
    return result


def refused(answer, *words, code=431):
    status, answer, _ = answer
    assert (status, answer.get("errorcode")) == (code, code), answer
    for word in words:
        assert word in answer["errortext"], answer


def rules(dev, group, direction="ingress"):
    shown, = call(dev, "listSecurityGroups", id=group)[1]["securitygroup"]
    return shown[direction + "rule"]


# ---- security groups ----


def test_security_groups(dev, driver, machines):
    made = driver.ex_create_security_group("web", description="Of the web")
    shown, = call(dev, "listSecurityGroups", securitygroupname="web")[1]["securitygroup"]
    assert made == shown and (shown["name"], shown["description"], shown["ingressrule"], shown["account"]) == ("web", "Of the web", [], "dev")
    assert (shown["virtualmachinecount"], shown["virtualmachineids"], shown["tags"]) == (0, [], [])
    refused(call(dev, "createSecurityGroup", name="web"), "Unable to create security group, a group with name web already exists.")
    refused(call(dev, "createSecurityGroup", name="default"), "already exists")
    in_use, = call(dev, "listSecurityGroups", virtualmachineid=machines[0]["id"])[1]["securitygroup"]
    assert in_use["name"] == "default" and set(in_use["virtualmachineids"]) == {m["id"] for m in machines} and in_use["virtualmachinecount"] == 2
    refused(call(dev, "deleteSecurityGroup", id=in_use["id"]), "cannot be deleted")
    refused(call(dev, "deleteSecurityGroup"), "Either id or name")
    refused(call(dev, "deleteSecurityGroup", id=made["id"], name="web"), "mutually exclusive")
    refused(call(dev, "deleteSecurityGroup", name="nothing"), "name", "nothing")
    assert driver.ex_delete_security_group("web") == "true"
    assert call(dev, "listSecurityGroups", securitygroupname="web")[1] == {}


def test_a_group_is_renamed(dev, admin):
    made = call(dev, "createSecurityGroup", name="before")[1]["securitygroup"]
    assert call(dev, "updateSecurityGroup", id=made["id"], name="after", **admin)[1]["securitygroup"]["name"] == "after"
    refused(call(dev, "updateSecurityGroup", id=made["id"], name="mine"), code=401)
    assert call(dev, "deleteSecurityGroup", name="after")[1] == {"success": "true"}


def test_rules_come_and_go(dev, driver):
    group = driver.ex_create_security_group("rules")["id"]
    answer = driver.ex_authorize_security_group_ingress("rules", "TCP", "10.0.0.0/8", 80, 90)
    tcp, = answer["ingressrule"]
    assert (answer["id"], answer["name"]) == (group, "rules")
    assert {k: tcp[k] for k in ["protocol", "startport", "endport", "cidr"]} == {"protocol": "tcp", "startport": 80, "endport": 90, "cidr": "10.0.0.0/8"}
    two = done(dev, call(dev, "authorizeSecurityGroupIngress", securitygroupid=group, protocol="icmp", icmptype="8", icmpcode="0",
                         cidrlist="10.0.0.0/8,192.168.0.0/16"))["securitygroup"]["ingressrule"]
    assert {(r["protocol"], r["icmptype"], r["icmpcode"], r["cidr"]) for r in two} == {("icmp", 8, 0, "10.0.0.0/8"), ("icmp", 8, 0, "192.168.0.0/16")}
    assert "startport" not in two[0]
    peer = {"usersecuritygrouplist[0].account": "dev", "usersecuritygrouplist[0].group": "rules"}
    own, = done(dev, call(dev, "authorizeSecurityGroupIngress", securitygroupname="rules", **peer))["securitygroup"]["ingressrule"]
    assert (own["protocol"], own["startport"], own["endport"], own["securitygroupname"], own["account"]) == ("all", 0, 0, "rules", "dev")
    other, = done(dev, call(dev, "authorizeSecurityGroupIngress", securitygroupid=group, protocol="50", cidrlist="10.0.0.0/8"))["securitygroup"]["ingressrule"]
    assert other["protocol"] == "50" and len(rules(dev, group)) == 5
    more = done(dev, call(dev, "authorizeSecurityGroupIngress", securitygroupid=group, protocol="tcp", startport="80", endport="90",
                          cidrlist="10.0.0.0/8,11.0.0.0/8"))["securitygroup"]["ingressrule"]
    assert [r["cidr"] for r in more] == ["11.0.0.0/8"]  # existing rules are skipped
    assert driver.ex_revoke_security_group_ingress(tcp["ruleid"]) is not False
    assert tcp["ruleid"] not in {r["ruleid"] for r in rules(dev, group)} and len(rules(dev, group)) == 5
    refused(call(dev, "revokeSecurityGroupIngress", id=tcp["ruleid"]), "entity does not exist")
    refused(call(dev, "revokeSecurityGroupEgress", id=own["ruleid"]), "Mismatch in rule type")
    good = {"securitygroupid": group, "protocol": "tcp", "startport": "1", "endport": "2", "cidrlist": "10.0.0.0/8"}
    for wrong, words in [({"startport": "3"}, "Invalid port range 3:2"), ({"endport": ""}, "Invalid port range"), ({"protocol": "xyz"}, "Invalid protocol xyz"),
                         ({"protocol": "256"}, "Invalid protocol number: 256"), ({"protocol": "all"}, "Cannot specify startPort or endPort"),
                         ({"protocol": "icmp"}, "ICMP type/code"), ({"protocol": "icmp", "icmptype": "-1", "icmpcode": "3"}, "Invalid icmp code"),
                         ({"protocol": "icmp", "icmptype": "3", "icmpcode": "-1"}, "need non-negative icmp code"), ({"cidrlist": "10.0.0.0"}, "Invalid cidr 10.0.0.0"),
                         ({"cidrlist": ""}, "At least one cidr"), ({"startport": "70000"}, "startport"), ({"securitygroupid": ""}, "Either securitygroupid"),
                         ({"usersecuritygrouplist[0].group": "rules"}, "Invalid user group"),
                         ({**peer, "usersecuritygrouplist[0].account": "admin"}, "another account"), ({**peer, "usersecuritygrouplist[0].group": "none"}, "none"),
                         ({"protocol": "50"}, "each of them exists")]:
        refused(call(dev, "authorizeSecurityGroupIngress", **{**good, **wrong}), words)
    assert len(rules(dev, group)) == 5
    driver.ex_delete_security_group("rules")


@holds("CloudStack's networks: Security groups")
def test_a_group_in_three_faces(dev, machines):
    """Created in CloudStack, given a rule in EC2, used by a launch, deleted in OpenStack."""
    made = call(dev, "createSecurityGroup", name="three", description="faces")[1]["securitygroup"]
    ec2, group = dev.account.client(), ec2_id("sg", made["id"])
    shown, = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert (shown["GroupName"], shown["Description"], shown.get("VpcId")) == ("three", "faces", None)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "udp", "FromPort": 53, "ToPort": 53,
                                                                        "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}])
    rule, = rules(dev, made["id"])
    assert (rule["protocol"], rule["startport"], rule["endport"], rule["cidr"]) == ("udp", 53, 53, "10.1.0.0/16")
    machine = done(dev, call(dev, "deployVirtualMachine", **{k: machines[0][k] for k in ["serviceofferingid", "templateid", "zoneid"]},
                             securitygroupnames="three"))["virtualmachine"]
    assert [g["id"] for g in machine["securitygroup"]] == [made["id"]]
    assert call(dev, "listSecurityGroups", id=made["id"])[1]["securitygroup"][0]["virtualmachineids"] == [machine["id"]]
    refused(call(dev, "deleteSecurityGroup", id=made["id"]), code=536)
    done(dev, call(dev, "destroyVirtualMachine", id=machine["id"], expunge="true"))
    assert cloud.own(dev).call("DELETE", f"{NETWORK}/security-groups/{made['id']}").status == 204
    assert call(dev, "listSecurityGroups", securitygroupname="three")[1] == {}


@holds("CloudStack's networks: What goes out")
def test_what_goes_out(dev):
    """Everything may leave until the first egress rule is added, and again after the last is removed."""
    group = call(dev, "createSecurityGroup", name="out")[1]["securitygroup"]
    assert {(r["protocol"], r["cidr"]) for r in group["egressrule"]} == {("all", "0.0.0.0/0"), ("all", "::/0")}
    made = [done(dev, call(dev, "authorizeSecurityGroupEgress", securitygroupid=group["id"], protocol="tcp", startport=port, endport=port,
                           cidrlist="0.0.0.0/0"))["securitygroup"]["egressrule"][0] for port in ["80", "443"]]
    assert [r["startport"] for r in rules(dev, group["id"], "egress")] == [80, 443]
    for rule in made:
        assert done(dev, call(dev, "revokeSecurityGroupEgress", id=rule["ruleid"])) == {"success": True}
    assert {(r["protocol"], r["cidr"]) for r in rules(dev, group["id"], "egress")} == {("all", "0.0.0.0/0"), ("all", "::/0")}
    assert call(dev, "deleteSecurityGroup", id=group["id"])[0] == 200


# ---- public addresses ----


@pytest.fixture(scope="module")
def zone(dev):
    return call(dev, "listZones")[1]["zone"][0]["id"]


@pytest.fixture(scope="module")
def second(dev):
    """Id of an OpenStack network without a router."""
    project = cloud.own(dev)
    made = project.ok("POST", f"{NETWORK}/networks", {"network": {"name": "second"}})["network"]["id"]
    project.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": made, "cidr": "10.77.0.0/24", "ip_version": 4}})
    return made


def address(dev, identifier):
    shown, = call(dev, "listPublicIpAddresses", id=identifier)[1]["publicipaddress"]
    return shown


def test_addresses(dev, driver, machines, zone):
    taken = driver.ex_allocate_public_ip(location=driver.list_locations()[0])
    shown = address(dev, taken.id)
    assert (shown["ipaddress"], shown["state"], shown["account"], shown["zoneid"]) == (taken.address, "Allocated", "dev", zone)
    assert not shown["issourcenat"] and not shown["isstaticnat"] and not shown["issystem"] and "associatednetworkid" not in shown
    assert [a.address for a in driver.ex_list_public_ips() if a.id == taken.id] == [taken.address]
    network = machines[0]["nic"][0]["networkid"]
    one = done(dev, call(dev, "associateIpAddress", networkid=network))["ipaddress"]
    assert (one["associatednetworkid"], one["vpcid"]) == (network, machines[0]["nic"][0]["vpcid"])
    assert [a["id"] for a in call(dev, "listPublicIpAddresses", associatednetworkid=network, isstaticnat="false")[1]["publicipaddress"]] == [one["id"]]
    assert call(dev, "listPublicIpAddresses", ipaddress=one["ipaddress"])[1]["publicipaddress"] == [one]
    assert call(dev, "listPublicIpAddresses", state="Free")[1] == {}
    assert done(dev, call(dev, "updateIpAddress", id=one["id"], fordisplay="true"))["ipaddress"] == one
    named = done(dev, call(dev, "associateIpAddress", vpcid=one["vpcid"], networkid=network))["ipaddress"]
    assert named["vpcid"] == one["vpcid"] and "associatednetworkid" not in named
    refused(call(dev, "associateIpAddress"), "Unable to figure out zone to assign IP to.")
    refused(call(dev, "associateIpAddress", zoneid=zone, ipaddress=one["ipaddress"]), "allocated already")
    refused(call(dev, "associateIpAddress", zoneid=zone, ipaddress="8.8.8.8"), "in no range")
    assert driver.ex_release_public_ip(taken) is not False
    for each in [one, named]:
        assert done(dev, call(dev, "disassociateIpAddress", id=each["id"])) == {"success": True}
    assert {a["id"] for a in call(dev, "listPublicIpAddresses")[1].get("publicipaddress", [])}.isdisjoint({taken.id, one["id"], named["id"]})
    refused(call(dev, "disassociateIpAddress", id=one["id"]), "entity does not exist")


def test_an_address_for_a_network_without_a_way_out(dev, second):
    refused(call(dev, "associateIpAddress", networkid=second), "No gateway leads out")
    assert not [a for a in call(dev, "listPublicIpAddresses")[1].get("publicipaddress", []) if a.get("associatednetworkid") == second]


def test_static_nat(dev, machines):
    """An address is associated with one machine; EC2's temporary addresses are shown as system addresses."""
    machine, other = machines
    taken = done(dev, call(dev, "associateIpAddress", networkid=machine["nic"][0]["networkid"]))["ipaddress"]
    assert call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=machine["id"])[1] == {"success": "true"}
    shown = address(dev, taken["id"])
    assert shown["isstaticnat"] and (shown["virtualmachineid"], shown["vmipaddress"]) == (machine["id"], machine["nic"][0]["ipaddress"])
    assert shown["virtualmachinename"] == machine["name"] and shown["virtualmachinetype"] == "User"
    assert call(dev, "listVirtualMachines", id=machine["id"])[1]["virtualmachine"][0]["publicip"] == taken["ipaddress"]
    refused(call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=other["id"]), "already associated", code=537)
    refused(call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=machine["id"], vmguestip="10.9.9.9"), "10.9.9.9")
    assert done(dev, call(dev, "disableStaticNat", ipaddressid=taken["id"])) == {"success": True}
    refused(call(dev, "disableStaticNat", ipaddressid=taken["id"]), "Specified IP address id is not associated with any vm Id")
    assert call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=other["id"])[0] == 200
    assert done(dev, call(dev, "disassociateIpAddress", id=taken["id"])) == {"success": True}  # with its association
    given = [a for a in call(dev, "listPublicIpAddresses", isstaticnat="true")[1].get("publicipaddress", []) if a["issystem"]]
    for system in given:
        refused(call(dev, "disassociateIpAddress", id=system["id"]), "system IP address")


@holds("CloudStack's networks: Public addresses")
def test_an_address_in_three_faces(dev, machines):
    """Acquired in CloudStack, associated in EC2, shown in both, released in OpenStack."""
    ec2, project = dev.account.client(), cloud.own(dev)
    taken = done(dev, call(dev, "associateIpAddress", networkid=machines[0]["nic"][0]["networkid"]))["ipaddress"]
    allocation = ec2_id("eipalloc", taken["id"])
    assert ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]["PublicIp"] == taken["ipaddress"]
    ec2.associate_address(AllocationId=allocation, InstanceId=ec2_id("i", machines[0]["id"]))
    assert address(dev, taken["id"])["virtualmachineid"] == machines[0]["id"]
    floating = project.ok("GET", f"{NETWORK}/floatingips/{taken['id']}")["floatingip"]
    assert (floating["floating_ip_address"], floating["fixed_ip_address"]) == (taken["ipaddress"], machines[0]["nic"][0]["ipaddress"])
    assert project.call("DELETE", f"{NETWORK}/floatingips/{taken['id']}").status == 204
    assert call(dev, "listPublicIpAddresses", id=taken["id"])[1] == {}


# ---- NICs ----


def test_nics(dev, driver, machines, second):
    node = types.SimpleNamespace(id=machines[0]["id"])
    first, = driver.ex_list_nics(node)
    assert first.is_default and first.id == machines[0]["nic"][0]["id"]
    answer = done(dev, call(dev, "addNicToVirtualMachine", virtualmachineid=node.id, networkid=second, ipaddress="10.77.0.9"))["virtualmachine"]
    assert [(n["isdefault"], n["networkid"]) for n in answer["nic"]] == [(True, first.network_id), (False, second)]
    added = answer["nic"][1]
    assert (added["ipaddress"], added["netmask"], added["networkname"], added["deviceid"]) == ("10.77.0.9", "255.255.255.0", "second", "1")
    refused(call(dev, "addNicToVirtualMachine", virtualmachineid=node.id, networkid=second), "A NIC already exists")
    shown = call(dev, "listNics", virtualmachineid=node.id, nicid=added["id"])[1]
    assert shown["nic"] == [added] and shown["count"] == 1 and added["virtualmachineid"] == node.id
    assert call(dev, "listNics", virtualmachineid=node.id, networkid=first.network_id)[1]["count"] == 1
    assert call(dev, "listNics", virtualmachineid=node.id, page="2", pagesize="1")[1]["nic"] == [added]
    refused(call(dev, "listNics", virtualmachineid="3f0a5e7e-0000-4000-8000-000000000000"), "entity does not exist")
    refused(call(dev, "removeNicFromVirtualMachine", virtualmachineid=node.id, nicid=first.id), "nic is default")
    refused(call(dev, "removeNicFromVirtualMachine", virtualmachineid=machines[1]["id"], nicid=added["id"]), "nicid")
    assert [n["id"] for n in done(dev, call(dev, "removeNicFromVirtualMachine", virtualmachineid=node.id, nicid=added["id"]))["virtualmachine"]["nic"]] == [first.id]
    dev.rest()
    assert cloud.own(dev).call("GET", f"{NETWORK}/ports/{added['id']}").status == 404  # the port was created with the NIC


@holds("CloudStack's networks: NICs")
def test_a_nic_in_three_faces(dev, machines, second):
    """A port of OpenStack that EC2 attaches is a NIC; it is kept when CloudStack removes the NIC."""
    ec2, project = dev.account.client(), cloud.own(dev)
    port = project.ok("POST", f"{NETWORK}/ports", {"port": {"network_id": second}})["port"]
    ec2.attach_network_interface(NetworkInterfaceId=ec2_id("eni", port["id"]), InstanceId=ec2_id("i", machines[1]["id"]), DeviceIndex=1)
    shown = call(dev, "listNics", virtualmachineid=machines[1]["id"], networkid=second)[1]["nic"]
    assert [(n["id"], n["macaddress"]) for n in shown] == [(port["id"], port["mac_address"])]
    done(dev, call(dev, "removeNicFromVirtualMachine", virtualmachineid=machines[1]["id"], nicid=port["id"]))
    dev.rest()
    assert project.ok("GET", f"{NETWORK}/ports/{port['id']}")["port"]["device_id"] == ""
    assert project.call("DELETE", f"{NETWORK}/ports/{port['id']}").status == 204


@holds("CloudStack's networks: The default NIC")
@pytest.mark.parametrize("power", ["Running", "Stopped"])
def test_another_default_nic(dev, machines, second, power):
    """The two swap their numbers, in all faces; a machine in transition refuses."""
    ec2, project, id = dev.account.client(), cloud.own(dev), machines[0]["id"]

    def choose(nic, machine=id):
        return call(dev, "updateDefaultNicForVirtualMachine", virtualmachineid=machine, nicid=nic["id"])

    def shown():
        machine = ec2.describe_instances(InstanceIds=[ec2_id("i", id)])["Reservations"][0]["Instances"][0]
        by_index = {i["Attachment"]["DeviceIndex"]: i["NetworkInterfaceId"] for i in machine["NetworkInterfaces"]}
        nova = project.ok("GET", f"/compute/v2.1/servers/{id}")["server"]["addresses"]
        return machine["PrivateIpAddress"], machine.get("SubnetId"), by_index, list(nova)
    first = call(dev, "listNics", virtualmachineid=id)[1]["nic"][0]
    before = shown()
    added = done(dev, call(dev, "addNicToVirtualMachine", virtualmachineid=id, networkid=second))["virtualmachine"]["nic"][1]
    if power == "Stopped":
        done(dev, call(dev, "stopVirtualMachine", id=id))
    refused(choose(first), "refusing to set default nic because chosen nic is already the default")
    refused(choose(added, machines[1]["id"]), "nicid")
    answer = done(dev, choose(added))["virtualmachine"]
    assert answer["state"] == power
    assert [(n["id"], n["isdefault"], n["deviceid"]) for n in answer["nic"]] == [(added["id"], True, "0"), (first["id"], False, "1")]
    ip, subnet, by_index, networks = shown()
    assert ip == added["ipaddress"] and subnet != before[1] and networks[0] == added["networkname"]
    assert by_index == {0: ec2_id("eni", added["id"]), 1: ec2_id("eni", first["id"])}
    refused(call(dev, "removeNicFromVirtualMachine", virtualmachineid=id, nicid=added["id"]), "nic is default")
    done(dev, choose(first))
    assert shown()[:2] == before[:2]
    holding, letting = ("lock", "unlock") if power == "Stopped" else ("pause", "unpause")
    project.ok("POST", f"/compute/v2.1/servers/{id}/action", {holding: None})
    dev.rest()
    refused(choose(added), "locked" if power == "Stopped" else "is not Running or Stopped")
    project.ok("POST", f"/compute/v2.1/servers/{id}/action", {letting: None})
    dev.rest()
    done(dev, call(dev, "removeNicFromVirtualMachine", virtualmachineid=id, nicid=added["id"]))
    if power == "Stopped":
        done(dev, call(dev, "startVirtualMachine", id=id))


def test_secondary_addresses(dev, machines):
    nic = machines[0]["nic"][0]
    refused(call(dev, "addIpToNic", nicid=nic["id"], ipaddress="192.0.2.1"), "192.0.2.1")
    answer = call(dev, "addIpToNic", nicid=nic["id"])
    one = done(dev, answer)["nicsecondaryip"]
    assert one["id"] == answer[1]["id"] and (one["nicid"], one["networkid"], one["virtualmachineid"]) == (nic["id"], nic["networkid"], machines[0]["id"])
    shown, = call(dev, "listNics", virtualmachineid=machines[0]["id"])[1]["nic"]
    assert shown["secondaryip"] == [{"id": one["id"], "ipaddress": one["ipaddress"]}]
    refused(call(dev, "addIpToNic", nicid=nic["id"], ipaddress=one["ipaddress"]), one["ipaddress"])
    taken = done(dev, call(dev, "associateIpAddress", networkid=nic["networkid"]))["ipaddress"]
    assert call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=machines[0]["id"], vmguestip=one["ipaddress"])[0] == 200
    assert address(dev, taken["id"])["vmipaddress"] == one["ipaddress"]
    assert done(dev, call(dev, "removeIpFromNic", id=one["id"])) == {"success": True}
    assert not address(dev, taken["id"])["isstaticnat"]
    refused(call(dev, "removeIpFromNic", id=one["id"]), "entity does not exist")
    done(dev, call(dev, "disassociateIpAddress", id=taken["id"]))


# ---- guest networks ----

OPEN = "DefaultNetworkOfferingforKubernetesService"  # the same, with egress allowed by default
SOURCE_NAT, ISOLATED, TIER, L2, SHARED = ("DefaultIsolatedNetworkOfferingWithSourceNatService", "DefaultIsolatedNetworkOffering",
                                         "DefaultIsolatedNetworkOfferingForVpcNetworks", "DefaultL2NetworkOffering", "DefaultSharedNetworkOffering")


def offering(dev, name):
    found, = call(dev, "listNetworkOfferings", name=name)[1]["networkoffering"]
    return found["id"]


def make_network(dev, name, made_by, zone, **parameters):
    return call(dev, "createNetwork", name=name, displaytext=f"The {name}", networkofferingid=offering(dev, made_by), zoneid=zone, **parameters)


def test_offerings(dev, driver, admin):
    assert {SOURCE_NAT, ISOLATED, TIER, L2, SHARED, "QuickCloudNoServices"} <= {o.name for o in driver.ex_list_network_offerings()}
    all_of_them = call(dev, "listNetworkOfferings")[1]["networkoffering"]
    one, = call(dev, "listNetworkOfferings", id=offering(dev, SOURCE_NAT))[1]["networkoffering"]
    assert one in all_of_them and (one["guestiptype"], one["availability"], one["egressdefaultpolicy"]) == ("Isolated", "Required", False)
    assert {"name": "SourceNat", "provider": [{"name": "VirtualRouter"}], "capability": []} in one["service"]
    for filters, names in [({"forvpc": "true", "keyword": "nolb"}, {TIER + "NoLB"}), ({"guestiptype": "L2"}, {L2}), ({"sourcenatsupported": "true", "forvpc": "false"}, {SOURCE_NAT, OPEN}),
                           ({"supportedservices": "SourceNat,StaticNat,Firewall", "forvpc": "false"}, {SOURCE_NAT, OPEN}), ({"state": "Disabled"}, set()),
                           ({"availability": "Required"}, {SOURCE_NAT}), ({"isdefault": "false"}, set()), ({"page": "2", "pagesize": "1"}, {ISOLATED})]:
        assert {o["name"] for o in call(dev, "listNetworkOfferings", **filters)[1].get("networkoffering", [])} == names, filters
    refused(call(dev, "listNetworkOfferings", id="3f0a5e7e-0000-4000-8000-000000000000"), "Invalid parameter id value=3f0a5e7e")
    vpc, = driver.ex_list_vpc_offerings()
    assert vpc.name == "Default VPC offering" and call(dev, "listVPCOfferings", supportedservices="NetworkACL", id=vpc.id)[1]["count"] == 1
    refused(call(dev, "deleteNetworkOffering", id=one["id"], **admin), "Default network offering can't be deleted")


@holds("CloudStack's networks: Virtual routers")
def test_routers(dev, admin, machines):
    """The router of a VPC with machines is listed, without a host; no command starts or stops it."""
    router, = call(dev, "listRouters", listall="true", vpcid=call(dev, "listVPCs")[1]["vpc"][0]["id"], **admin)[1]["router"]
    assert (router["state"], router["role"], router["account"]) == ("Running", "VIRTUAL_ROUTER", "dev") and "hostid" not in router
    assert {n["networkid"] for n in router["nic"]} == {m["nic"][0]["networkid"] for m in machines}
    assert call(dev, "listRouters", listall="true", state="Stopped", **admin)[1] == {} == call(dev, "listRouters", **admin)[1]
    assert call(dev, "stopRouter", id=router["id"], **admin)[0] == 432


def test_infrastructure(dev, admin, zone):
    physical, = call(dev, "listPhysicalNetworks", zoneid=zone, **admin)[1]["physicalnetwork"]
    assert physical["state"] == "Enabled" and physical["zoneid"] == zone
    ranges = call(dev, "listVlanIpRanges", physicalnetworkid=physical["id"], **admin)[1]["vlaniprange"]
    assert {"id", "startip", "endip", "gateway", "networkid"} <= set(ranges[0])
    providers = call(dev, "listNetworkServiceProviders", physicalnetworkid=physical["id"], **admin)[1]["networkserviceprovider"]
    assert {p["name"] for p in providers} == {"VirtualRouter", "VpcVirtualRouter", "ConfigDrive", "SecurityGroupProvider"} and "Dhcp" in providers[0]["servicelist"]
    services = call(dev, "listSupportedNetworkServices", provider="SecurityGroupProvider", **admin)[1]["networkservice"]
    assert [s["name"] for s in services] == ["SecurityGroup"]


def source_nat_of(dev, network):
    return call(dev, "listPublicIpAddresses", associatednetworkid=network, issourcenat="true")[1]["publicipaddress"]


def test_an_isolated_network(dev, driver, machines, zone):
    """With a router, a gateway and an address; a machine in it, static NAT; everything is deleted with it."""
    made = driver.ex_create_network("A text", "inner", next(o for o in driver.ex_list_network_offerings() if o.name == SOURCE_NAT),
                                    driver.list_locations()[0], gateway="10.5.0.1", netmask="255.255.0.0")
    shown, = call(dev, "listNetworks", id=made.id)[1]["network"]
    assert (shown["name"], shown["displaytext"], shown["cidr"], shown["gateway"], shown["netmask"]) == ("inner", "A text", "10.5.0.0/16", "10.5.0.1", "255.255.0.0")
    assert (shown["type"], shown["networkofferingname"], shown["state"], shown["zoneid"]) == ("Isolated", SOURCE_NAT, "Allocated", zone) and "vpcid" not in shown
    assert {s["name"] for s in shown["service"]} == {"Dhcp", "Dns", "UserData", "SourceNat", "StaticNat", "PortForwarding", "Lb", "Firewall"}
    assert call(dev, "listNetworks", networkofferingid=shown["networkofferingid"], name="inner")[1]["count"] == 1
    source, = source_nat_of(dev, made.id)
    assert source["issourcenat"] and not source["isstaticnat"] and not source["issystem"]
    refused(call(dev, "disassociateIpAddress", id=source["id"]), "used for source nat purposes")
    machine = done(dev, call(dev, "deployVirtualMachine", networkids=made.id,
                             **{k: machines[0][k] for k in ["serviceofferingid", "templateid"]}, zoneid=zone))["virtualmachine"]
    assert machine["nic"][0]["networkid"] == made.id and machine["nic"][0]["gateway"] == "10.5.0.1"
    taken = done(dev, call(dev, "associateIpAddress", networkid=made.id))["ipaddress"]
    assert call(dev, "enableStaticNat", ipaddressid=taken["id"], virtualmachineid=machine["id"])[0] == 200
    assert address(dev, taken["id"])["associatednetworkid"] == made.id
    refused(call(dev, "deleteNetwork", id=made.id), code=536)
    assert address(dev, taken["id"])["isstaticnat"]  # a failure changes nothing
    done(dev, call(dev, "destroyVirtualMachine", id=machine["id"], expunge="true"))
    dev.rest()
    assert driver.ex_delete_network(made, force=True) is True
    assert call(dev, "listPublicIpAddresses", id=taken["id"])[1] == {}
    assert call(dev, "listPublicIpAddresses", associatednetworkid=made.id)[0] in (200, 431)
    assert call(dev, "listNetworks", name="inner")[1] == {}


def test_other_networks(dev, zone):
    plain = make_network(dev, "plain", ISOLATED, zone)[1]["network"]
    assert (plain["cidr"], plain["gateway"], plain["networkofferingname"]) == ("10.1.1.0/24", "10.1.1.1", ISOLATED)
    project = cloud.own(dev)
    flat = project.ok("POST", f"{NETWORK}/networks", {"network": {"name": "flat"}})["network"]["id"]  # OpenStack's network without a subnet
    shown, = call(dev, "listNetworks", type="L2")[1]["network"]
    assert (shown["id"], shown["networkofferingname"], shown["service"]) == (flat, L2, []) and "cidr" not in shown
    renamed = done(dev, call(dev, "updateNetwork", id=plain["id"], name="plainer", displaytext="No more"))["network"]
    assert (renamed["name"], renamed["displaytext"]) == ("plainer", "No more")
    assert done(dev, call(dev, "restartNetwork", id=plain["id"], cleanup="true")) == {"success": True}
    before = call(dev, "listNetworks")[1]
    for name, parameters, words, code in [(SHARED, {}, "StartIp/endIp/gateway/netmask", 431), (TIER, {}, "VPC networks only", 431),
                                          (ISOLATED, {"gateway": "10.0.0.1"}, "netmask", 431), (ISOLATED, {"gateway": "10.0.0.1", "netmask": "255.0.255.0"}, "netmask", 431),
                                          (ISOLATED, {"gateway": "10.0.0.0", "netmask": "255.255.255.0"}, "10.0.0.0", 431),
                                          (L2, {"gateway": "10.0.0.1", "netmask": "255.255.255.0"}, "type L2", 431),
                                          (ISOLATED, {"vlan": "7"}, "vlan", 431)]:
        refused(make_network(dev, "wrong", name, zone, **parameters), words, code=code)
    refused(call(dev, "createNetwork", name="x", networkofferingid="3f0a5e7e-0000-4000-8000-000000000000", zoneid=zone), "networkofferingid")
    assert call(dev, "listNetworks")[1] == before
    for network in [plain["id"], flat]:
        assert done(dev, call(dev, "deleteNetwork", id=network)) == {"success": True}


def test_forwarded_ports(dev, machines, zone):
    """A port forwarding rule decides the network of its address; both are deleted with the network, and the rule with the address."""
    made = make_network(dev, "forwarding", SOURCE_NAT, zone)[1]["network"]["id"]
    machine = done(dev, call(dev, "deployVirtualMachine", networkids=made, **{k: machines[0][k] for k in ["serviceofferingid", "templateid"]},
                             zoneid=zone))["virtualmachine"]
    rule = {"protocol": "tcp", "publicport": "2222", "virtualmachineid": machine["id"]}
    project = cloud.own(dev)
    outside = project.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]
    first = project.ok("POST", f"{NETWORK}/floatingips", {"floatingip": {"floating_network_id": outside}})["floatingip"]["id"]
    second = done(dev, call(dev, "associateIpAddress", networkid=made))["ipaddress"]["id"]
    assert "associatednetworkid" not in address(dev, first)  # OpenStack's address is for no network yet
    for taken, port in [(first, "22"), (second, "23")]:
        done(dev, call(dev, "createPortForwardingRule", ipaddressid=taken, privateport=port, **rule))
    assert address(dev, first)["associatednetworkid"] == made and not address(dev, first)["isstaticnat"]
    refused(call(dev, "enableStaticNat", ipaddressid=first, virtualmachineid=machine["id"]), code=536)
    done(dev, call(dev, "disassociateIpAddress", id=first))
    assert [r["ipaddressid"] for r in call(dev, "listPortForwardingRules")[1]["portforwardingrule"]] == [second]
    done(dev, call(dev, "destroyVirtualMachine", id=machine["id"], expunge="true"))
    dev.rest()
    done(dev, call(dev, "deleteNetwork", id=made))
    assert call(dev, "listPublicIpAddresses", id=second)[1] == {}
    assert call(dev, "listPortForwardingRules")[1] == {}


def test_an_address_that_went_elsewhere(dev, machines, zone):
    """An address acquired for a network, then given to a machine of another one, stays when the network is deleted."""
    made = make_network(dev, "gone", SOURCE_NAT, zone)[1]["network"]["id"]
    kept, freed = (done(dev, call(dev, "associateIpAddress", networkid=made))["ipaddress"]["id"] for _ in range(2))
    assert call(dev, "enableStaticNat", ipaddressid=kept, virtualmachineid=machines[0]["id"])[0] == 200
    done(dev, call(dev, "deleteNetwork", id=made))
    assert address(dev, kept)["virtualmachineid"] == machines[0]["id"]
    assert call(dev, "listPublicIpAddresses", id=freed)[1] == {}
    done(dev, call(dev, "disassociateIpAddress", id=kept))


@pytest.fixture
def newcomer(dev, admin, request):
    """Access key of a new account without networks."""
    name = request.node.name.replace("_", "-")
    person = {"username": name, "password": "Secret-1234", "email": "new@example.org", "firstname": "New", "lastname": "Comer"}
    made = call(dev, "createAccount", account=name, **person, **admin)[1]["account"]
    key = call(dev, "registerUserKeys", id=made["user"][0]["id"], **admin)[1]["userkeys"]
    return {"_key": key["apikey"], "_secret": key["secretkey"], "account": name}


def deploy(dev, machines, zone, who, **parameters):
    """Deploys without naming a network, unless `parameters` do."""
    return call(dev, "deployVirtualMachine", zoneid=zone, **{k: machines[0][k] for k in ["serviceofferingid", "templateid"]}, **parameters, **who)


@holds("CloudStack's networks: A network that nobody names")
def test_a_first_machine_makes_its_network(dev, machines, zone, newcomer):
    """The next machine and a new address use the network, too; with a second network the choice is ambiguous."""
    who = {name: newcomer[name] for name in ("_key", "_secret")}
    refused(call(dev, "associateIpAddress", zoneid=zone, **who), f"Account name={newcomer['account']} domain=ROOT doesn't have virtual networks in zone=us-east-1a")
    assert call(dev, "listNetworks", **who)[1] == {}
    one, two = (done(dev, deploy(dev, machines, zone, who), **who)["virtualmachine"] for _ in range(2))
    network, = call(dev, "listNetworks", **who)[1]["network"]
    assert (network["name"], network["networkofferingname"], network["zoneid"]) == (f"{newcomer['account']}-network", SOURCE_NAT, zone)
    assert (network["cidr"], network["gateway"], network["account"]) == ("10.1.1.0/24", "10.1.1.1", newcomer["account"])
    assert [(m["state"], [(n["networkid"], n["isdefault"]) for n in m["nic"]]) for m in (one, two)] == [("Running", [(network["id"], True)])] * 2
    taken = done(dev, call(dev, "associateIpAddress", zoneid=zone, **who), **who)["ipaddress"]
    assert taken["associatednetworkid"] == network["id"]
    made_by = offering(dev, ISOLATED)
    other = call(dev, "createNetwork", name="other", networkofferingid=made_by, zoneid=zone, **who)[1]["network"]
    refused(deploy(dev, machines, zone, who), "More than 1 default Isolated networks are found for account", "please specify networkIds")
    assert len(call(dev, "listVirtualMachines", **who)[1]["virtualmachine"]) == len(call(dev, "listNetworks", **who)[1]["network"]) == 2
    assert done(dev, deploy(dev, machines, zone, who, networkids=other["id"]), **who)["virtualmachine"]["nic"][0]["networkid"] == other["id"]
    more = done(dev, call(dev, "associateIpAddress", zoneid=zone, **who), **who)["ipaddress"]
    assert more["associatednetworkid"] == network["id"]  # no address leads into the other network
    call(dev, "createNetwork", name="third", networkofferingid=offering(dev, SOURCE_NAT), zoneid=zone, **who)
    refused(call(dev, "associateIpAddress", zoneid=zone, **who), "Account has more than one isolated network in the zone")


def test_a_launch_that_fails_makes_no_network(dev, machines, zone, newcomer):
    who = {name: newcomer[name] for name in ("_key", "_secret")}
    assert deploy(dev, machines, zone, who, ipaddress="192.0.2.7")[0] == 431  # not in the network that would be created
    assert call(dev, "listNetworks", **who)[1] == call(dev, "listPublicIpAddresses", **who)[1] == call(dev, "listVirtualMachines", **who)[1] == {}


@holds("CloudStack's networks: Isolated networks")
def test_an_isolated_network_in_three_faces(dev, zone):
    """OpenStack shows a network, a subnet and a router with a gateway, EC2 a subnet in a VPC. The same combination created by OpenStack is an
    isolated network."""
    project = cloud.own(dev)
    made = make_network(dev, "three", SOURCE_NAT, zone, gateway="10.6.0.1", netmask="255.255.255.0")[1]["network"]
    subnet, = project.ok("GET", f"{NETWORK}/subnets?network_id={made['id']}")["subnets"]
    router, = [r for r in project.ok("GET", f"{NETWORK}/routers")["routers"] if r["name"] == "three"]
    assert subnet["cidr"] == "10.6.0.0/24" and router["external_gateway_info"]["enable_snat"]
    assert router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"] == source_nat_of(dev, made["id"])[0]["ipaddress"]
    seen, = dev.account.client().describe_subnets(SubnetIds=[ec2_id("subnet", subnet["id"])])["Subnets"]
    assert (seen["VpcId"], seen["CidrBlock"]) == (ec2_id("vpc", router["id"]), "10.6.0.0/24")
    assert router["id"] not in {v["id"] for v in call(dev, "listVPCs")[1]["vpc"]}
    done(dev, call(dev, "deleteNetwork", id=made["id"]))
    assert project.call("GET", f"{NETWORK}/routers/{router['id']}").status == 404
    network = project.ok("POST", f"{NETWORK}/networks", {"network": {"name": "theirs"}})["network"]["id"]
    subnet = project.ok("POST", f"{NETWORK}/subnets", {"subnet": {"network_id": network, "cidr": "10.7.0.0/24", "ip_version": 4}})["subnet"]["id"]
    outside = project.ok("GET", f"{NETWORK}/networks?router:external=true")["networks"][0]["id"]
    router = project.ok("POST", f"{NETWORK}/routers", {"router": {"name": "theirs", "external_gateway_info": {"network_id": outside}}})["router"]["id"]
    assert call(dev, "listNetworks", id=network)[1]["network"][0]["networkofferingname"] == ISOLATED
    project.ok("PUT", f"{NETWORK}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    assert call(dev, "listNetworks", id=network)[1]["network"][0]["networkofferingname"] == SOURCE_NAT
    done(dev, call(dev, "deleteNetwork", id=network))
    assert project.call("GET", f"{NETWORK}/subnets/{subnet}").status == 404
    assert project.call("DELETE", f"{NETWORK}/routers/{router}").status == 204  # the router was not created with the network


# ---- VPCs ----


def vpc_offering(dev):
    return call(dev, "listVPCOfferings")[1]["vpcoffering"][0]["id"]


def test_vpcs(dev, driver, zone):
    made = driver.ex_create_vpc("10.40.0.0/16", "A text", "works", driver.ex_list_vpc_offerings()[0], zone)
    dev.rest()
    shown, = call(dev, "listVPCs", id=made.id)[1]["vpc"]
    assert (shown["name"], shown["displaytext"], shown["cidr"], shown["state"], shown["network"]) == ("works", "A text", "10.40.0.0/16", "Enabled", [])
    assert shown["vpcofferingname"] == "Default VPC offering" and "NetworkACL" in {s["name"] for s in shown["service"]}
    source, = call(dev, "listPublicIpAddresses", vpcid=made.id)[1]["publicipaddress"]
    assert source["issourcenat"] and source["vpcname"] == "works" and "associatednetworkid" not in source
    tier = make_network(dev, "tier", TIER, zone, vpcid=made.id, gateway="10.40.1.1", netmask="255.255.255.0")[1]["network"]
    assert (tier["cidr"], tier["vpcid"], tier["vpcname"], tier["aclname"]) == ("10.40.1.0/24", made.id, "works", "default_allow")
    assert (tier["networkofferingname"], tier["name"], tier["displaytext"], tier["zoneid"]) == (TIER, "tier", "The tier", zone)
    assert [n["id"] for n in call(dev, "listNetworks", vpcid=made.id)[1]["network"]] == [tier["id"]]
    assert [n["id"] for n in call(dev, "listVPCs", id=made.id)[1]["vpc"][0]["network"]] == [tier["id"]]
    for parameters, words in [({"gateway": "10.41.1.1", "netmask": "255.255.255.0"}, "10.41.1.0/24"), ({}, "Gateway/netmask are required"),
                              ({"gateway": "10.40.2.9", "netmask": "255.255.255.0"}, "first address"), ({"gateway": "10.40.1.1", "netmask": "255.255.255.128"}, "conflicts")]:
        refused(make_network(dev, "wrong", TIER, zone, vpcid=made.id, **parameters), words, code=537 if words == "conflicts" else 431)
    refused(make_network(dev, "wrong", SOURCE_NAT, zone, vpcid=made.id), "can't be used for VPC networks")
    refused(call(dev, "deleteVPC", id=made.id), "subnets", code=536)
    changed = done(dev, call(dev, "updateVPC", id=made.id, name="plant", displaytext="B"))["vpc"]
    assert (changed["name"], changed["displaytext"]) == ("plant", "B")
    assert done(dev, call(dev, "restartVPC", id=made.id)) == {"success": True}
    assert done(dev, call(dev, "deleteNetwork", id=tier["id"])) == {"success": True}
    taken = done(dev, call(dev, "associateIpAddress", vpcid=made.id))["ipaddress"]
    assert driver.ex_delete_vpc(made) is not False
    assert call(dev, "listPublicIpAddresses", id=taken["id"])[1] == {}
    assert call(dev, "listVPCs", id=made.id)[1] == {}
    good = {"name": "x", "displaytext": "x", "cidr": "10.50.0.0/16", "vpcofferingid": vpc_offering(dev), "zoneid": zone}
    for wrong, words in [({"cidr": "10.0.0.0/8"}, "10.0.0.0/8"), ({"vpcofferingid": made.id}, "vpcofferingid"), ({"networkdomain": "x.org"}, "networkdomain")]:
        refused(call(dev, "createVPC", **{**good, **wrong}), words)


@holds("CloudStack's networks: VPCs")
def test_a_vpc_in_three_faces(dev, zone):
    """CloudStack adds a tier to EC2's VPC; OpenStack's router without blocks is no VPC; EC2 deletes CloudStack's VPC."""
    ec2, project = dev.account.client(), cloud.own(dev)
    theirs = ec2.create_vpc(CidrBlock="10.60.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "of EC2"}]}])["Vpc"]["VpcId"]
    shown, = [v for v in call(dev, "listVPCs")[1]["vpc"] if ec2_id("vpc", v["id"]) == theirs]
    assert (shown["name"], shown["cidr"]) == ("of EC2", "10.60.0.0/16")
    tier = make_network(dev, "tier", TIER, zone, vpcid=shown["id"], gateway="10.60.1.1", netmask="255.255.255.0")[1]["network"]
    subnet, = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [theirs]}])["Subnets"]
    assert subnet["CidrBlock"] == tier["cidr"] == "10.60.1.0/24"
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    assert call(dev, "listNetworks", vpcid=shown["id"])[1] == {}
    assert done(dev, call(dev, "deleteVPC", id=shown["id"])) == {"success": True}
    router = project.ok("POST", f"{NETWORK}/routers", {"router": {"name": "no VPC"}})["router"]["id"]
    assert router not in {v["id"] for v in call(dev, "listVPCs")[1]["vpc"]}
    refused(call(dev, "deleteVPC", id=router), "Invalid parameter id")
    assert project.call("DELETE", f"{NETWORK}/routers/{router}").status == 204
    answer = call(dev, "createVPC", name="ours", displaytext="x", cidr="10.61.0.0/16", vpcofferingid=vpc_offering(dev), zoneid=zone)
    ours = done(dev, answer)["vpc"]
    assert ours["id"] == answer[1]["id"]
    seen, = [r for r in project.ok("GET", f"{NETWORK}/routers")["routers"] if r["id"] == ours["id"]]
    assert seen["name"] == "ours" and seen["external_gateway_info"]["enable_snat"]
    gateway, = ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [ec2_id("vpc", ours["id"])]}])["InternetGateways"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=ec2_id("vpc", ours["id"]))
    ec2.delete_vpc(VpcId=ec2_id("vpc", ours["id"]))
    assert call(dev, "listVPCs", id=ours["id"])[1] == {}


# ---- network ACLs ----


@pytest.fixture(scope="module")
def vpc(dev, zone):
    made = done(dev, call(dev, "createVPC", name="lists", displaytext="x", cidr="10.70.0.0/16", vpcofferingid=vpc_offering(dev), zoneid=zone))["vpc"]["id"]
    tier = make_network(dev, "guarded", TIER, zone, vpcid=made, gateway="10.70.1.1", netmask="255.255.255.0")[1]["network"]["id"]
    return made, tier


def items(dev, acl, **filters):
    return call(dev, "listNetworkACLs", aclid=acl, **filters)[1].get("networkacl", [])


def test_lists(dev, driver, vpc):
    own, = call(dev, "listNetworkACLLists", vpcid=vpc[0])[1]["networkacllist"]
    assert (own["name"], own["vpcname"]) == ("default_allow", "lists")
    made = driver.ex_create_network_acllist("strict", vpc[0], description="Few")
    shown, = call(dev, "listNetworkACLLists", id=made.id)[1]["networkacllist"]
    assert (shown["name"], shown["description"], shown["vpcid"], shown["vpcname"]) == ("strict", "Few", vpc[0], "lists")
    assert {a.name for a in driver.ex_list_network_acllists()} >= {"strict", "default_allow"}
    assert done(dev, call(dev, "updateNetworkACLList", id=made.id, name="stricter", description="Fewer")) == {"success": True}
    assert call(dev, "listNetworkACLLists", name="stricter")[1]["networkacllist"][0]["description"] == "Fewer"
    assert done(dev, call(dev, "replaceNetworkACLList", aclid=made.id, networkid=vpc[1])) == {"success": True}
    assert call(dev, "listNetworks", id=vpc[1])[1]["network"][0]["aclname"] == "stricter"
    assert [a["id"] for a in call(dev, "listNetworkACLLists", networkid=vpc[1])[1]["networkacllist"]] == [made.id]
    refused(call(dev, "deleteNetworkACLList", id=made.id), code=536)
    refused(call(dev, "deleteNetworkACLList", id=own["id"]), "cannot delete default network ACL")
    refused(call(dev, "replaceNetworkACLList", aclid=made.id), "can't be null")
    done(dev, call(dev, "replaceNetworkACLList", aclid=own["id"], networkid=vpc[1]))
    assert done(dev, call(dev, "deleteNetworkACLList", id=made.id)) == {"success": True}


def test_static_routes(dev, vpc):
    """A static route of a VPC is a route of its main table to an address in a tier, as Neutron's extra routes."""
    good = {"vpcid": vpc[0], "cidr": "172.20.0.0/16", "nexthop": "10.70.1.9"}
    made = done(dev, call(dev, "createStaticRoute", **good))["staticroute"]
    assert (made["cidr"], made["nexthop"], made["vpcid"], made["state"]) == ("172.20.0.0/16", "10.70.1.9", vpc[0], "Active")
    for filters in ({}, {"vpcid": vpc[0]}, {"id": made["id"]}, {"state": "Active"}):
        assert call(dev, "listStaticRoutes", **filters)[1]["staticroute"] == [made]
    assert call(dev, "listStaticRoutes", state="Revoke")[1] == {}
    table, = dev.account.client().describe_route_tables(Filters=[{"Name": "route.destination-cidr-block", "Values": ["172.20.0.0/16"]}])["RouteTables"]
    assert table["Associations"][0]["Main"]
    for wrong, words, code in [({"cidr": "10.70.9.0/24"}, "outside of VPC cidr 10.70.0.0/16", 431), ({"cidr": "169.254.7.0/24"}, "outside of link local cidr 169.254.0.0/16", 431),
                               ({"cidr": "172.20.7.0/24"}, "conflicts with existing route", 537), ({"cidr": "2001:db8::/64"}, "invalid value 2001:db8::/64 for parameter cidr", 431),
                               ({"cidr": "172.21.0.0/16", "nexthop": "192.0.2.1"}, "Next hop 192.0.2.1 is invalid", 431),
                               ({"cidr": "172.21.0.0/16", "nexthop": ""}, "missing parameter nexthop", 431), ({"cidr": "172.21.0.0/16", "vpcid": ""}, "missing parameter vpcid", 431)]:
        refused(call(dev, "createStaticRoute", **{**good, **wrong}), words, code=code)
    assert call(dev, "listStaticRoutes")[1]["staticroute"] == [made]
    assert done(dev, call(dev, "deleteStaticRoute", id=made["id"])) == {"success": True}
    assert call(dev, "listStaticRoutes")[1] == {}
    refused(call(dev, "deleteStaticRoute", id=made["id"]), "does not exist")


def test_items(dev, driver, vpc):
    acl = done(dev, call(dev, "createNetworkACLList", name="items", vpcid=vpc[0]))["networkacllist"]["id"]
    assert items(dev, acl) == []  # the allow-all egress default is no item
    one = driver.ex_create_network_acl("tcp", acl, "10.0.0.0/8", 22, 23, traffic_type="Ingress")
    shown, = items(dev, acl, traffictype="Ingress")
    assert shown["id"] == one.id and (shown["startport"], shown["endport"], shown["cidrlist"], shown["number"], shown["state"]) == ("22", "23", "10.0.0.0/8", 1, "Active")
    icmp = done(dev, call(dev, "createNetworkACL", aclid=acl, protocol="icmp", icmptype="8", icmpcode="0", action="Deny", number="7", reason="No pings"))["networkacl"]
    assert (icmp["icmptype"], icmp["icmpcode"], icmp["action"], icmp["number"], icmp["reason"], icmp["cidrlist"]) == (8, 0, "Deny", 7, "No pings", "0.0.0.0/0")
    assert [i["id"] for i in items(dev, acl, action="deny", protocol="ICMP")] == [icmp["id"]]
    changed = done(dev, call(dev, "updateNetworkACLItem", id=icmp["id"], action="Allow", number="9", cidrlist="10.0.0.0/8"))["networkacl"]
    assert (changed["id"], changed["action"], changed["number"], changed["icmptype"], changed["cidrlist"]) == (icmp["id"], "Allow", 9, 8, "10.0.0.0/8")
    changed = done(dev, call(dev, "updateNetworkACLItem", id=one.id, endport="30"))["networkacl"]
    assert (changed["protocol"], changed["endport"]) == ("tcp", "30")
    out = [done(dev, call(dev, "createNetworkACL", aclid=acl, protocol="udp", startport=port, endport=port, traffictype="egress"))["networkacl"] for port in ["53", "123"]]
    assert [i["id"] for i in items(dev, acl, traffictype="Egress")] == [o["id"] for o in out] and [o["number"] for o in out] == [10, 11]
    for item in out:
        assert done(dev, call(dev, "deleteNetworkACL", id=item["id"])) == {"success": True}
    assert items(dev, acl, traffictype="Egress") == []
    wide = done(dev, call(dev, "createNetworkACL", aclid=acl, protocol="tcp", startport="1", endport="2", cidrlist="10.0.0.0/8,192.0.2.0/24"))["networkacl"]
    assert wide["cidrlist"] == "10.0.0.0/8,192.0.2.0/24"
    changed = done(dev, call(dev, "updateNetworkACLItem", id=wide["id"], action="Deny"))["networkacl"]
    assert (changed["action"], changed["cidrlist"]) == ("Deny", wide["cidrlist"])
    changed = done(dev, call(dev, "updateNetworkACLItem", id=wide["id"], cidrlist="10.9.0.0/16"))["networkacl"]
    assert (changed["action"], changed["cidrlist"]) == ("Deny", "10.9.0.0/16")
    done(dev, call(dev, "deleteNetworkACL", id=wide["id"]))
    before = items(dev, acl)
    good = {"aclid": acl, "protocol": "tcp", "startport": "1", "endport": "2"}
    for wrong, words in [({"number": "9"}, "already exists"), ({"cidrlist": "10.0.0.0/8,2001:db8::/32"}, "of one family"), ({"cidrlist": "x"}, "Source cidrs formatting error x"),
                         ({"startport": "3"}, "Invalid port range 3:2"), ({"protocol": "xyz"}, "Invalid protocol xyz"), ({"number": "32766"}, "number"),
                         ({"traffictype": "Sideways"}, "traffictype"), ({"aclid": ""}, "ACL Id or network Id is required"), ({"protocol": "all"}, "startPort")]:
        refused(call(dev, "createNetworkACL", **{**good, **wrong}), words)
    refused(call(dev, "updateNetworkACLItem", id=one.id, number="9"), "already exists")
    assert items(dev, acl) == before
    of_tier = done(dev, call(dev, "createNetworkACL", networkid=vpc[1], protocol="all", number="500"))["networkacl"]
    assert of_tier["aclname"] == "default_allow"
    done(dev, call(dev, "deleteNetworkACL", id=of_tier["id"]))
    assert {i.id for i in driver.ex_list_network_acl()} >= {i["id"] for i in before}
    assert done(dev, call(dev, "deleteNetworkACLList", id=acl)) == {"success": True}


def test_items_move(dev, vpc):
    """Moves an item to the top, to the end and between two others, with conflicting items moved up; uses the hash of the order that the caller knows."""
    acl = done(dev, call(dev, "createNetworkACLList", name="order", vpcid=vpc[0]))["networkacllist"]["id"]
    names = {}
    for port, way in [("1", "ingress"), ("2", "egress"), ("3", "ingress"), ("4", "egress")]:
        names[done(dev, call(dev, "createNetworkACL", aclid=acl, protocol="tcp", startport=port, endport=port, traffictype=way))["networkacl"]["id"]] = port
    ids = {port: i for i, port in names.items()}

    def order():
        return {names[i["id"]]: i["number"] for i in items(dev, acl)}

    def move(port, **between):
        return call(dev, "moveNetworkAclItem", id=ids[port], **{f"{k}aclruleid": ids[v] for k, v in between.items()})
    assert order() == {"1": 1, "2": 2, "3": 3, "4": 4}
    assert done(dev, move("4", previous="1", next="2"))["networkacl"]["number"] == 2
    assert order() == {"1": 1, "4": 2, "2": 3, "3": 4}
    done(dev, move("3", next="1"))
    assert order() == {"3": 1, "1": 2, "4": 3, "2": 4}
    done(dev, move("1", previous="2"))
    assert order() == {"3": 1, "4": 3, "2": 4, "1": 5}
    known = hashlib.md5("".join(ids[port] for port in "3421").encode()).hexdigest()
    refused(call(dev, "moveNetworkAclItem", id=ids["2"], nextaclruleid=ids["3"], aclconsistencyhash="0" * 32), "not in the state")
    done(dev, call(dev, "moveNetworkAclItem", id=ids["2"], previousaclruleid=ids["3"], nextaclruleid=ids["4"], aclconsistencyhash=known))
    assert order() == {"3": 1, "2": 2, "4": 3, "1": 5}
    refused(move("3", previous="2", next="1"), "inconsistencies")
    refused(move("3"), "cannot be blank")
    other = done(dev, call(dev, "createNetworkACLList", name="elsewhere", vpcid=vpc[0]))["networkacllist"]["id"]
    stranger = done(dev, call(dev, "createNetworkACL", aclid=other, protocol="tcp", startport="9", endport="9"))["networkacl"]["id"]
    refused(call(dev, "moveNetworkAclItem", id=ids["1"], previousaclruleid=stranger), "differenting ACLs")
    done(dev, call(dev, "updateNetworkACLItem", id=ids["1"], number="32764"))
    done(dev, move("2", previous="1"))
    assert order()["2"] == 32765
    refused(move("3", previous="1", next="2"), "no number left")
    assert order() == {"3": 1, "4": 3, "1": 32764, "2": 32765}


@holds("CloudStack's networks: Network ACLs")
def test_a_list_in_two_faces(dev, vpc):
    """Created in CloudStack, given an entry and a subnet in EC2, shown in both."""
    ec2 = dev.account.client()
    made = done(dev, call(dev, "createNetworkACLList", name="both", vpcid=vpc[0]))["networkacllist"]["id"]
    acl = ec2_id("acl", made)
    seen, = ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    assert {(e["Egress"], e["RuleNumber"], e["RuleAction"]) for e in seen["Entries"]} == {(True, 32766, "allow"), (True, 32767, "deny"), (False, 32767, "deny")}
    ec2.create_network_acl_entry(NetworkAclId=acl, RuleNumber=40, Protocol="6", RuleAction="allow", Egress=False, CidrBlock="10.0.0.0/8",
                                 PortRange={"From": 443, "To": 443})
    shown, = items(dev, made, traffictype="Ingress")
    assert (shown["number"], shown["protocol"], shown["startport"], shown["cidrlist"]) == (40, "tcp", "443", "10.0.0.0/8")
    tier, = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [
        ec2_id("subnet", cloud.own(dev).ok("GET", f"{NETWORK}/subnets?network_id={vpc[1]}")["subnets"][0]["id"])]}])["NetworkAcls"]
    association = tier["Associations"][0]["NetworkAclAssociationId"]
    back = ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)["NewAssociationId"]
    assert call(dev, "listNetworks", id=vpc[1])[1]["network"][0]["aclid"] == made
    ec2.replace_network_acl_association(AssociationId=back, NetworkAclId=tier["NetworkAclId"])
    done(dev, call(dev, "deleteNetworkACL", id=shown["id"]))
    ec2.delete_network_acl(NetworkAclId=acl)
    assert call(dev, "listNetworkACLLists", id=made)[1] == {}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
