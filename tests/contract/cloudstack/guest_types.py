#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/network src/engine/network src/engine/instance/launch/launch_ports.c
"""CloudStack's guest types beside isolated networks: L2 networks, shared networks and their permissions, and what the other faces show of them. The steps
of the L2 tests follow TestL2Networks of CloudStack's smoke tests (test_network.py)."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from azure import Plain  # noqa: E402
from cloudstack import admin_key, call, key_of, let_users_expunge, wait  # noqa: E402
from dev import Dev  # noqa: E402
from faces import NETWORK, holds  # noqa: E402

ROOT = "64656661-756c-7400-8000-000000000000"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        let_users_expunge(region)
        yield region


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


class Person:
    """An account with a project's token and a key of CloudStack's API."""

    def __init__(self, dev, name):
        self.dev, self.project = dev, cloud.another(dev, name)
        self.who, self.name = key_of(self.project), name
        self.ec2 = self.project.ec2

    def ok(self, command, **given):
        status, answer, _ = call(self.dev, command, **given, **self.who)
        assert status == 200, answer
        return answer

    def done(self, command, **given):
        status, result = wait(self.dev, self.ok(command, **given), **self.who)
        assert status == 1, result
        return result

    def deploy(self, *networks, **given):
        made = self.done("deployVirtualMachine", networkids=",".join(networks), **place(self.dev), **given)["virtualmachine"]
        self.dev.rest()
        return made

    def networks(self, **given):
        return {n["id"]: n for n in self.ok("listNetworks", **given).get("network", [])}

    def port(self, machine, index=0):
        nic = machine["nic"][index]["id"]
        return self.project.ok("GET", f"/network/v2.0/ports/{nic}")["port"]


def place(dev):
    image = call(dev, "listTemplates", templatefilter="featured")[1]["template"][0]["id"]
    size = call(dev, "listServiceOfferings", name="t3.micro")[1]["serviceoffering"][0]["id"]
    return {"templateid": image, "serviceofferingid": size, "zoneid": zone(dev)}


def zone(dev):
    return call(dev, "listZones")[1]["zone"][0]["id"]


def offering(dev, name):
    return call(dev, "listNetworkOfferings", name=name)[1]["networkoffering"][0]


def refused(answer, *words, code=431):
    status, answer, _ = answer
    assert (status, answer.get("errorcode")) == (code, code), answer
    for word in words:
        assert word in answer["errortext"], answer


@pytest.fixture(scope="module")
def alice(dev):
    return Person(dev, "guest-alice")


@pytest.fixture(scope="module")
def bob(dev):
    return Person(dev, "guest-bob")


# ---- L2 ----


@pytest.fixture(scope="module")
def flat(dev, alice):
    return alice.ok("createNetwork", name="flat", networkofferingid=offering(dev, "DefaultL2NetworkOffering")["id"], zoneid=zone(dev))["network"]


def test_the_l2_offering(dev):
    shown = offering(dev, "DefaultL2NetworkOffering")
    assert (shown["guestiptype"], shown["service"], shown["specifyvlan"], shown["specifyipranges"]) == ("L2", [], False, False)
    assert [o["name"] for o in call(dev, "listNetworkOfferings", guestiptype="L2")[1]["networkoffering"]] == ["DefaultL2NetworkOffering"]


@holds("CloudStack's networks: L2 networks")
def test_an_l2_network(dev, alice, flat):
    assert (flat["type"], flat["state"], flat["acltype"], flat["account"], flat["service"]) == ("L2", "Allocated", "Account", alice.name, [])
    assert not {"cidr", "gateway", "netmask", "vpcid", "egressdefaultpolicy"} & set(flat)
    assert alice.networks(zoneid=zone(dev), type="L2") == {flat["id"]: flat}
    shown = alice.project.ok("GET", f"/network/v2.0/networks/{flat['id']}")["network"]
    assert (shown["name"], shown["subnets"], shown["port_security_enabled"], shown["shared"]) == ("flat", [], False, False)
    refused(call(dev, "restartNetwork", id=flat["id"], cleanup="true", **alice.who), "Network is not in the right state to be restarted")


def test_l2_networks_have_neither_addresses_nor_vlans(dev, alice):
    made = {"name": "x", "networkofferingid": offering(dev, "DefaultL2NetworkOffering")["id"], "zoneid": zone(dev)}
    before = alice.networks()
    refused(call(dev, "createNetwork", gateway="10.9.0.1", netmask="255.255.255.0", **made, **alice.who), "L2")
    refused(call(dev, "createNetwork", vlan="100", **made, **alice.who), "specifyvlan=false")
    refused(call(dev, "createNetwork", acltype="domain", **made, **alice.who), "Only admin can create", code=531)
    refused(call(dev, "createNetwork", acltype="domain", **made, **admin_key(dev)), "Only Shared networks can have aclType=Domain")
    refused(call(dev, "createNetwork", subdomainaccess="true", **made, **alice.who), "only with aclType=Domain")
    assert alice.networks() == before


@pytest.fixture(scope="module")
def machine(alice, flat):
    return alice.deploy(flat["id"], name="l2", userdata="Iy9iaW4vc2g=")


@holds("CloudStack's networks: L2 networks")
def test_a_machine_in_an_l2_network(dev, alice, flat, machine):
    assert machine["state"] == "Running"
    nic, = machine["nic"]
    assert (nic["type"], nic["networkname"], nic["isdefault"], nic["deviceid"]) == ("L2", "flat", True, "0") and nic["macaddress"]
    assert "gateway" not in str(nic) and "ipaddress" not in str(nic) and "ipaddress" not in machine  # as Marvin looks
    assert alice.ok("listNics", virtualmachineid=machine["id"])["nic"] == [{**nic, "virtualmachineid": machine["id"]}]
    assert alice.networks(id=flat["id"])[flat["id"]]["state"] == "Implemented"
    refused(call(dev, "addIpToNic", nicid=nic["id"], **alice.who))
    alice.done("restartNetwork", id=flat["id"], cleanup="false")
    alice.done("restartNetwork", id=flat["id"], cleanup="true")
    port = alice.port(machine)
    assert (port["fixed_ips"], port["security_groups"], port["port_security_enabled"], port["mac_address"]) == ([], [], False, nic["macaddress"])


@holds("CloudStack's networks: L2 networks")
def test_other_faces_show_the_machine(dev, alice, flat, machine):
    server = alice.project.ok("GET", f"/compute/v2.1/servers/{machine['id']}")["server"]
    assert server["status"] == "ACTIVE" and server["addresses"] == {"flat": []} and server["config_drive"] == "True"
    attached, = alice.project.ok("GET", f"/compute/v2.1/servers/{machine['id']}/os-interface")["interfaceAttachments"]
    assert (attached["fixed_ips"], attached["net_id"], attached["mac_addr"]) == ([], flat["id"], machine["nic"][0]["macaddress"])
    ec2 = alice.ec2
    mine, = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["State"]["Name"] == "running"]
    assert not {"SubnetId", "VpcId", "PrivateIpAddress"} & set(k for k, v in mine.items() if v)
    interface, = mine["NetworkInterfaces"]
    assert interface["MacAddress"] == machine["nic"][0]["macaddress"] and not interface.get("PrivateIpAddresses")
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []  # the lists are of VPCs
    assert all(s["CidrBlock"] for s in ec2.describe_subnets()["Subnets"]) and all(v["CidrBlock"] for v in ec2.describe_vpcs()["Vpcs"])
    assert not [v for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]]


def test_azure_shows_no_network_without_a_subnet(dev):
    here = Plain(dev)
    subscription = here.subscription()
    who = {"_key": dev.account.key_id, "_secret": dev.account.secret}
    made = call(dev, "createNetwork", name="flat", networkofferingid=offering(dev, "DefaultL2NetworkOffering")["id"], zoneid=zone(dev), **who)[1]["network"]
    status, started = call(dev, "deployVirtualMachine", networkids=made["id"], **place(dev), **who)[:2]
    assert status == 200 and wait(dev, started, **who)[0] == 1
    dev.rest()
    for kind in ("virtualNetworks", "networkInterfaces"):
        status, _, listed = here.ask("GET", f"{subscription}/providers/Microsoft.Network/{kind}")
        assert status == 200, listed
        for row in listed["value"]:
            assert "flat" not in row["name"]
            assert kind != "virtualNetworks" or row["properties"]["addressSpace"]["addressPrefixes"]
    status, _, machines = here.ask("GET", f"{subscription}/providers/Microsoft.Compute/virtualMachines")
    assert status == 200 and machines["value"]


def test_a_used_l2_network_stays(dev, alice, flat, machine):
    status, used, _ = call(dev, "deleteNetwork", id=flat["id"], **alice.who)
    assert status == 536, used
    renamed = alice.done("updateNetwork", id=flat["id"], name="flatter", displaytext="Without addresses")["network"]
    assert (renamed["name"], renamed["displaytext"], renamed["type"]) == ("flatter", "Without addresses", "L2")
    alice.done("updateNetwork", id=flat["id"], name="flat")


def test_nics_come_and_go(dev, alice, flat):
    more = alice.ok("createNetwork", name="second", networkofferingid=offering(dev, "DefaultL2NetworkOffering")["id"], zoneid=zone(dev))["network"]
    plain = alice.ok("createNetwork", name="plain", networkofferingid=offering(dev, "DefaultIsolatedNetworkOffering")["id"], zoneid=zone(dev))["network"]
    made = alice.deploy(flat["id"], plain["id"])
    assert [n["type"] for n in made["nic"]] == ["L2", "Isolated"] and made["nic"][1]["ipaddress"].startswith("10.1.1.")
    bigger = alice.done("addNicToVirtualMachine", virtualmachineid=made["id"], networkid=more["id"])["virtualmachine"]
    added = bigger["nic"][2]
    assert (added["networkid"], added["type"]) == (more["id"], "L2") and "ipaddress" not in added
    refused(call(dev, "addNicToVirtualMachine", virtualmachineid=made["id"], networkid=more["id"], **alice.who), "A NIC already exists")
    dev.rest()
    alice.done("updateDefaultNicForVirtualMachine", virtualmachineid=made["id"], nicid=made["nic"][1]["id"])
    dev.rest()
    alice.done("removeNicFromVirtualMachine", virtualmachineid=made["id"], nicid=added["id"])
    for step in ("stopVirtualMachine", "startVirtualMachine", "rebootVirtualMachine"):
        alice.done(step, id=made["id"])
        dev.rest()
    alice.done("destroyVirtualMachine", id=made["id"], expunge="true")
    dev.rest()
    for network in (more, plain):
        alice.done("deleteNetwork", id=network["id"])
    assert flat["id"] in alice.networks() and more["id"] not in alice.networks()


def test_other_faces_still_want_an_address(dev, alice, flat):
    image = alice.project.ok("GET", "/image/v2/images")["images"][0]["id"]
    flavor = alice.project.ok("GET", "/compute/v2.1/flavors")["flavors"][0]["id"]
    answer = alice.project.call("POST", "/compute/v2.1/servers", {"server": {"name": "x", "imageRef": image, "flavorRef": flavor, "networks": [{"uuid": flat["id"]}]}})
    assert answer.status == 400, answer


def test_an_l2_offering_of_the_operator(dev, admin, alice):
    made = {"name": "wire", "displaytext": "Wires", "guestiptype": "L2", "traffictype": "GUEST", "enable": "true"}
    refused(call(dev, "createNetworkOffering", supportedservices="Dhcp", **made, **admin), "For L2 networks, only UserData service is allowed")
    refused(call(dev, "createNetworkOffering", specifyvlan="true", **made, **admin), "specifyvlan")
    refused(call(dev, "createNetworkOffering", specifyipranges="true", **made, **admin), "SpecifyIpRanges can only be true")
    own = call(dev, "createNetworkOffering", supportedservices="UserData", **{"serviceproviderlist[0].service": "UserData"},
               **{"serviceproviderlist[0].provider": "ConfigDrive"}, **made, **admin)[1]["networkoffering"]
    assert (own["guestiptype"], own["service"]) == ("L2", [{"name": "UserData", "provider": [{"name": "ConfigDrive"}], "capability": []}])
    network = alice.ok("createNetwork", name="wire", networkofferingid=own["id"], zoneid=zone(dev))["network"]
    assert (network["type"], network["networkofferingname"]) == ("L2", "wire")
    assert own["id"] in {o["id"] for o in call(dev, "listNetworkOfferings", guestiptype="L2")[1]["networkoffering"]}
    refused(call(dev, "deleteNetworkOffering", id=own["id"], **admin), "used by 1 networks", code=536)
    alice.done("deleteNetwork", id=network["id"])
    assert call(dev, "deleteNetworkOffering", id=own["id"], **admin)[0] == 200


# ---- shared ----


def shared_args(dev, name, net, **more):
    return {"name": name, "networkofferingid": offering(dev, "DefaultSharedNetworkOffering")["id"], "zoneid": zone(dev), "gateway": f"{net}.1",
            "netmask": "255.255.255.0", "startip": f"{net}.10", "endip": f"{net}.12", **more}


@pytest.fixture(scope="module")
def wide(dev, admin):
    """A shared network of the administrator's, for everybody."""
    return call(dev, "createNetwork", **shared_args(dev, "wide", "10.77.0"), **admin)[1]["network"]


@holds("CloudStack's networks: Shared networks")
def test_a_network_for_everybody(dev, admin, alice, bob, wide):
    assert (wide["type"], wide["acltype"], wide["domain"], wide["domainid"], wide["subdomainaccess"]) == ("Shared", "Domain", "ROOT", ROOT, True)
    assert (wide["cidr"], wide["gateway"], wide["specifyipranges"]) == ("10.77.0.0/24", "10.77.0.1", True) and "account" not in wide
    assert {s["name"] for s in wide["service"]} == {"Dhcp", "Dns", "UserData"} and "egressdefaultpolicy" not in wide
    for person in (alice, bob):
        assert person.networks(id=wide["id"]) == {wide["id"]: wide}
        assert person.networks()[wide["id"]] == wide == person.networks(networkfilter="Domain", type="Shared")[wide["id"]]
        for given in ({"networkfilter": "Account"}, {"networkfilter": "Shared"}, {"acltype": "Account"}, {"type": "Isolated"}):
            assert wide["id"] not in person.networks(**given), given
        shown = person.project.ok("GET", f"/network/v2.0/networks/{wide['id']}")["network"]
        assert shown["shared"] and len(shown["subnets"]) == 1
    subnet = alice.project.ok("GET", f"/network/v2.0/subnets/{shown['subnets'][0]}")["subnet"]
    assert (subnet["cidr"], subnet["gateway_ip"], subnet["enable_dhcp"]) == ("10.77.0.0/24", "10.77.0.1", True)
    assert subnet["allocation_pools"] == [{"start": "10.77.0.10", "end": "10.77.0.12"}]


@holds("CloudStack's networks: Shared networks")
def test_machines_of_two_accounts_in_one_network(dev, admin, alice, bob, wide):
    made = [p.deploy(wide["id"]) for p in (alice, bob)]
    nics = [m["nic"][0] for m in made]
    assert {n["ipaddress"] for n in nics} <= {"10.77.0.10", "10.77.0.11", "10.77.0.12"} and nics[0]["ipaddress"] != nics[1]["ipaddress"]
    assert {(n["type"], n["gateway"], n["netmask"], n["networkname"]) for n in nics} == {("Shared", "10.77.0.1", "255.255.255.0", "wide")}
    port = alice.port(made[0])
    assert port["fixed_ips"][0]["ip_address"] == nics[0]["ipaddress"] and len(port["security_groups"]) == 1
    refused(call(dev, "deployVirtualMachine", networkids=wide["id"], ipaddress="10.77.0.12", **place(dev), **alice.who), code=531)
    alice.deploy(wide["id"])
    status, full, _ = call(dev, "deployVirtualMachine", networkids=wide["id"], **place(dev), **bob.who)
    assert status != 200 and "10.77" not in str(full), full
    for command in ("deleteNetwork", "restartNetwork", "updateNetwork"):
        refused(call(dev, command, id=wide["id"], **bob.who), "entity does not exist")
    assert call(dev, "restartNetwork", id=wide["id"], **admin)[0] == 200
    refused(call(dev, "associateIpAddress", networkid=wide["id"], **alice.who))
    assert call(dev, "listRouters", **admin)[1] == {}  # the administrator's own account has none


@holds("CloudStack's networks: Shared networks")
def test_a_network_of_a_domain(dev, admin, alice):
    domain = call(dev, "createDomain", name="shared-a", **admin)[1]["domain"]["id"]
    other = call(dev, "createDomain", name="shared-b", **admin)[1]["domain"]["id"]
    people = {}
    for name, where in (("ann", domain), ("ben", other)):
        person = call(dev, "createAccount", email="a@example.org", firstname=name, lastname="x", username=name, password="secret-word-1", account=name,
                      accounttype="0", domainid=where, **admin)[1]["account"]
        keys = call(dev, "registerUserKeys", id=person["user"][0]["id"], **admin)[1]["userkeys"]
        people[name] = {"_key": keys["apikey"], "_secret": keys["secretkey"]}
    made = call(dev, "createNetwork", **shared_args(dev, "for-a", "10.78.0", acltype="domain", domainid=domain, subdomainaccess="false"), **admin)[1]["network"]
    assert (made["domainid"], made["domain"], made["subdomainaccess"], made["acltype"]) == (domain, "shared-a", False, "Domain")

    def seen(**who):
        return made["id"] in {n["id"] for n in call(dev, "listNetworks", **who)[1].get("network", [])}
    assert seen(**people["ann"]) and not seen(**people["ben"]) and not seen(**alice.who) and seen(**admin)
    refused(call(dev, "deployVirtualMachine", networkids=made["id"], **place(dev), **people["ben"]), "entity does not exist")
    assert alice.project.call("GET", f"/network/v2.0/networks/{made['id']}").status == 404
    machine = wait(dev, call(dev, "deployVirtualMachine", networkids=made["id"], **place(dev), **people["ann"])[1], **people["ann"])[1]["virtualmachine"]
    assert machine["nic"][0]["ipaddress"].startswith("10.78.0.1")
    refused(call(dev, "createNetworkPermissions", networkid=made["id"], accounts="ann", **admin), "network is already shared in domain")
    refused(call(dev, "createNetwork", **shared_args(dev, "x", "10.79.0", acltype="domain", domainid=domain), **people["ann"]), "Only admin can create", code=531)
    dev.rest()
    assert wait(dev, call(dev, "destroyVirtualMachine", id=machine["id"], expunge="true", **admin)[1], **admin)[0] == 1
    dev.rest()
    assert wait(dev, call(dev, "deleteDomain", id=domain, cleanup="true", **admin)[1], **admin)[0] == 1
    left = call(dev, "listNetworks", id=made["id"], **admin)[1]["network"][0]
    assert (left["type"], left["acltype"]) == ("Shared", "Account")
    assert wait(dev, call(dev, "deleteNetwork", id=made["id"], **admin)[1], **admin)[0] == 1


def test_a_shared_network_of_one_account(dev, alice, bob):
    made = alice.ok("createNetwork", **shared_args(dev, "mine", "10.80.0"))["network"]
    assert (made["type"], made["acltype"], made["account"]) == ("Shared", "Account", alice.name) and "subdomainaccess" not in made
    assert made["id"] not in bob.networks() and made["id"] in alice.networks(networkfilter="Account")
    mine = alice.ok("createNetwork", **{**shared_args(dev, "plain", "10.81.0"), "networkofferingid": offering(dev, "QuickCloudNoServices")["id"]})["network"]
    assert (mine["networkofferingname"], mine["service"]) == ("QuickCloudNoServices", [])
    shown = alice.project.ok("GET", f"/network/v2.0/networks/{mine['id']}")["network"]["subnets"][0]
    assert not alice.project.ok("GET", f"/network/v2.0/subnets/{shown}")["subnet"]["enable_dhcp"]
    grouped = alice.ok("createNetwork", **{**shared_args(dev, "sg", "10.82.0"),
                                           "networkofferingid": offering(dev, "DefaultSharedNetworkOfferingWithSGService")["id"]})["network"]
    assert grouped["networkofferingname"] == "DefaultSharedNetworkOfferingWithSGService" and "SecurityGroup" in {s["name"] for s in grouped["service"]}
    for network in (made, mine, grouped):
        alice.done("deleteNetwork", id=network["id"])


def test_bad_shared_networks(dev, admin, alice):
    before = alice.networks()
    for change, words in (({"gateway": "", "netmask": ""}, "StartIp/endIp/gateway/netmask are required"), ({"startip": "", "endip": ""}, "start and end address are mandatory"),
                          ({"startip": "10.80.0.20", "endip": "10.80.0.10"}, "startip"), ({"startip": "10.90.0.10", "endip": "10.90.0.12"}, ""),
                          ({"netmask": ""}, "must be specified together"), ({"vlan": "100"}, "specifyvlan=false"), ({"acltype": "nobody"}, "Incorrect aclType"),
                          ({"networkdomain": "x"}, "networkdomain"), ({"gateway": "10.80.0.255"}, "")):
        refused(call(dev, "createNetwork", **{**shared_args(dev, "x", "10.80.0"), **change}, **alice.who), words)
    refused(call(dev, "createNetwork", **{**shared_args(dev, "x", "10.80.0"), "startip": "10.80.0.1"}, **alice.who), "in an allocation pool", code=537)
    isolated = offering(dev, "DefaultIsolatedNetworkOffering")["id"]
    refused(call(dev, "createNetwork", **{**shared_args(dev, "x", "10.80.0"), "networkofferingid": isolated}, **alice.who), "type Shared only")
    refused(call(dev, "createNetwork", **shared_args(dev, "x", "10.80.0", acltype="domain", domainid="b8dc7e2f-0000-4000-8000-000000000000"), **admin))
    assert alice.networks() == before


def test_a_shared_offering_of_the_operator(dev, admin, alice):
    made = {"name": "lan", "displaytext": "LANs", "guestiptype": "Shared", "traffictype": "GUEST", "enable": "true", "specifyipranges": "true"}
    refused(call(dev, "createNetworkOffering", supportedservices="Dhcp,SourceNat", **made, **admin), "SourceNat", "Shared")
    refused(call(dev, "createNetworkOffering", supportedservices="Dhcp", **{**made, "specifyipranges": "false"}, **admin), "SpecifyIpRanges should always be true")
    own = call(dev, "createNetworkOffering", supportedservices="Dhcp,Dns,SecurityGroup", **{"serviceproviderlist[0].service": "SecurityGroup"},
               **{"serviceproviderlist[0].provider": "SecurityGroupProvider"}, **made, **admin)[1]["networkoffering"]
    assert (own["guestiptype"], own["specifyipranges"], [s["name"] for s in own["service"]]) == ("Shared", True, ["Dhcp", "Dns", "SecurityGroup"])
    network = alice.ok("createNetwork", **{**shared_args(dev, "lan", "10.83.0"), "networkofferingid": own["id"]})["network"]
    assert (network["type"], network["networkofferingname"]) == ("Shared", "lan")
    alice.done("deleteNetwork", id=network["id"])
    assert call(dev, "deleteNetworkOffering", id=own["id"], **admin)[0] == 200


# ---- permissions ----


@holds("CloudStack's networks: Network permissions")
def test_permissions(dev, alice, bob, flat):
    account = bob.ok("listAccounts")["account"][0]["id"]
    assert alice.ok("listNetworkPermissions", networkid=flat["id"]) == {}
    for _ in range(2):
        assert alice.ok("createNetworkPermissions", networkid=flat["id"], accounts=f"{bob.name},{alice.name}") == {"success": "true"}
    shown, = alice.ok("listNetworkPermissions", networkid=flat["id"])["networkpermission"]
    assert shown == {"networkid": flat["id"], "accountid": account, "account": bob.name, "domainid": ROOT, "domain": "ROOT"}
    policy, = alice.project.ok("GET", f"/network/v2.0/rbac-policies?object_id={flat['id']}")["rbac_policies"]
    assert policy["target_tenant"] == account.replace("-", "") and policy["action"] == "access_as_shared"
    seen = bob.networks(networkfilter="Shared")[flat["id"]]
    assert (seen["account"], seen["acltype"], seen["type"]) == (alice.name, "Account", "L2") and flat["id"] not in bob.networks(networkfilter="Account")
    guest = bob.deploy(flat["id"])
    assert guest["nic"][0]["type"] == "L2"
    status, used, _ = call(dev, "removeNetworkPermissions", networkid=flat["id"], accountids=account, **alice.who)
    assert status == 536, used
    bob.done("destroyVirtualMachine", id=guest["id"], expunge="true")
    dev.rest()
    assert alice.ok("removeNetworkPermissions", networkid=flat["id"], accountids=account) == {"success": "true"}
    assert flat["id"] not in bob.networks() and alice.ok("listNetworkPermissions", networkid=flat["id"]) == {}
    alice.ok("createNetworkPermissions", networkid=flat["id"], accountids=account)
    assert alice.ok("resetNetworkPermissions", networkid=flat["id"]) == {"success": "true"}
    assert alice.ok("listNetworkPermissions", networkid=flat["id"]) == {}


def test_bad_permissions(dev, admin, alice, bob, flat, wide):
    for command in ("createNetworkPermissions", "removeNetworkPermissions"):
        refused(call(dev, command, networkid=flat["id"], accounts="nobody", **alice.who), "Unable to find account nobody")
        refused(call(dev, command, networkid=flat["id"], accounts=alice.name, **bob.who), "entity does not exist")
    refused(call(dev, "createNetworkPermissions", networkid=wide["id"], accounts=alice.name, **admin), "already shared in domain")
    refused(call(dev, "listNetworkPermissions", networkid=flat["id"], **bob.who), "entity does not exist")
    refused(call(dev, "resetNetworkPermissions", networkid=flat["id"], **bob.who), "entity does not exist")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
