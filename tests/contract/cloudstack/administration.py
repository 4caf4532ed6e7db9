#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/region src/api/cloudstack/account
"""An operator's CloudStack calls: offerings and hosts, and their effect in the other faces."""
import base64
import hashlib
import hmac
import os
import sys
import time

import boto3
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, ok, refused, wait  # noqa: E402
from faces import holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


def zone_of(dev):
    return call(dev, "listZones")[1]["zone"][0]["id"]


@holds("CloudStack: Pods and clusters")
def test_hosts(dev, admin):
    """Each zone is also a pod and a cluster; each host a storage pool."""
    zones = call(dev, "listZones", **admin)[1]["zone"]
    for command, item in [("listPods", "pod"), ("listClusters", "cluster")]:
        parts = call(dev, command, **admin)[1][item]
        assert [(p["zoneid"], p["zonename"]) for p in parts] == [(z["id"], z["name"]) for z in zones]
        assert call(dev, command, zoneid=zones[0]["id"], **admin)[1]["count"] == 1
    pod = call(dev, "listPods", **admin)[1]["pod"][0]
    hosts = call(dev, "listHosts", type="Routing", state="Up", podid=pod["id"], **admin)[1]["host"]
    assert hosts and {h["podname"] for h in hosts} == {pod["name"]}
    everywhere = call(dev, "listHosts", **admin)[1]["host"]
    assert {h["name"] for h in everywhere} == {h["hypervisor_hostname"] for h in cloud.admin(dev).ok("GET", "/compute/v2.1/os-hypervisors")["hypervisors"]}
    assert call(dev, "listHosts", id=hosts[0]["id"], **admin)[1]["host"] == hosts[:1]
    assert {p["id"] for p in call(dev, "listStoragePools", scope="HOST", **admin)[1]["storagepool"]} == {h["id"] for h in everywhere}
    assert call(dev, "listStoragePools", scope="ZONE", **admin)[1] == {} == call(dev, "listSystemVms", **admin)[1]


def test_management_servers(dev, admin):
    """The control plane is one server."""
    servers = call(dev, "listManagementServers", **admin)[1]["managementserver"]
    assert [(s["state"], s["version"]) for s in servers] == [("Up", call(dev, "listCapabilities")[1]["capability"]["cloudstackversion"])]
    assert call(dev, "listManagementServers", id=servers[0]["id"], name=servers[0]["name"].upper(), **admin)[1]["count"] == 1
    assert call(dev, "listManagementServers", version="4.11", **admin)[1] == {}
    assert call(dev, "listManagementServers")[0] == 401


def test_shared_pools(dev, admin):
    """Shared pools are listed beside each host's own directory."""
    def pools(**filters):
        return call(dev, "listStoragePools", **filters, **admin)[1].get("storagepool", [])
    own = pools()
    dev.command("pool", "add", "nfs", "--path", "/srv/nfs")
    dev.rest()
    one, = pools(scope="zone", status="up")
    assert (one["name"], one["path"], one["type"], one["scope"], one["overprovisionfactor"], one["provider"]) == ("nfs", "/srv/nfs", "SharedMountPoint", "ZONE", "1.0", "DefaultPrimary")
    assert [p["name"] for p in pools()] == sorted([*(p["name"] for p in own), "nfs"])
    assert pools(id=one["id"]) == pools(name="NFS") == pools(keyword="nf") == pools(path="/srv/nfs", zoneid=own[0]["zoneid"]) == [one]
    assert one in pools(hostid=own[0]["id"]) and one["disksizetotal"] > 0 and pools(scope="zone", status="Down") == []
    assert call(dev, "listStoragePools", page="2", pagesize=str(len(own)), **admin)[1] == {"count": len(own) + 1, "storagepool": pools()[-1:]}
    dev.command("pool", "remove", "nfs")
    assert pools() == own


def test_capacity_is_used(dev, admin):
    """A machine's memory and processors reduce the free capacity of its host."""
    def used():
        return {(c["name"], c.get("zoneid")): c["capacityused"] for c in call(dev, "listCapacity", **admin)[1]["capacity"]}
    before, ec2 = used(), dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    dev.rest()
    machine = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]
    grown = {name: n - before[name, zone] for (name, zone), n in used().items() if zone == machine["zoneid"]}
    assert grown["MEMORY"] == 1 << 30 and grown["CPU_CORE"] == 2 and grown["LOCAL_STORAGE"] > 0
    host, = call(dev, "listHosts", id=call(dev, "listVirtualMachines", listall="true", **admin)[1]["virtualmachine"][0]["hostid"], **admin)[1]["host"]
    assert host["cpuallocatedvalue"] == 2000 and host["zoneid"] == machine["zoneid"]
    told = [c for c in call(dev, "listCapacity", zoneid=machine["zoneid"], **admin)[1]["capacity"]]
    for command, item in [("listZones", "zone"), ("listPods", "pod"), ("listClusters", "cluster")]:  # with the same figures, on request
        assert call(dev, command, id=machine["zoneid"], showcapacities="true", **admin)[1][item][0]["capacity"] == told
        assert "capacity" not in call(dev, command, id=machine["zoneid"], showcapacities="false", **admin)[1][item][0]
    assert "capacity" not in call(dev, "listZones", showcapacities="true")[1]["zone"][0]  # not for users
    ec2.terminate_instances(InstanceIds=[made])


@holds("CloudStack: Service offerings", "CloudStack: Disk offerings")
def test_offerings(dev, admin):
    """Offerings are Nova's flavors and Cinder's types; machines and volumes can be created with them."""
    made = call(dev, "createServiceOffering", name="small", displaytext="Small", cpunumber="1", cpuspeed="500", memory="512", rootdisksize="8", **admin)[1]["serviceoffering"]
    flavor = cloud.admin(dev).ok("GET", f"/compute/v2.1/flavors/{made['id']}", version="compute 2.61")["flavor"]
    assert (flavor["name"], flavor["vcpus"], flavor["ram"], flavor["disk"]) == ("small", 1, 512, 8)
    assert flavor["extra_specs"] == {"cloudstack:cpuspeed": "500"}
    disk = call(dev, "createDiskOffering", name="five", displaytext="Five", disksize="5", **admin)[1]["diskoffering"]
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    deployed = call(dev, "deployVirtualMachine", serviceofferingid=made["id"], templateid=template, zoneid=zone_of(dev), diskofferingid=disk["id"])[1]
    status, result = wait(dev, deployed)
    machine = result["virtualmachine"]
    assert status == 1 and (machine["cpunumber"], machine["cpuspeed"], machine["memory"]) == (1, 500, 512)
    sizes = {v["type"]: v["size"] >> 30 for v in call(dev, "listVolumes", virtualmachineid=machine["id"])[1]["volume"]}
    assert sizes == {"ROOT": 8, "DATADISK": 5}
    assert call(dev, "updateServiceOffering", id=made["id"], name="tiny", state="Inactive", **admin)[1]["serviceoffering"]["state"] == "Inactive"
    assert call(dev, "listServiceOfferings", name="tiny")[1] == {}
    assert call(dev, "deployVirtualMachine", serviceofferingid=made["id"], templateid=template, zoneid=zone_of(dev))[0] == 431
    assert call(dev, "deleteServiceOffering", id=made["id"], **admin)[1] == {"success": "true"}
    shown = call(dev, "listVirtualMachines", id=machine["id"])[1]["virtualmachine"][0]
    assert (shown["serviceofferingname"], shown["memory"]) == ("tiny", 512)  # the machine keeps its size
    assert call(dev, "deleteDiskOffering", id=disk["id"], **admin)[0] == 536
    wait(dev, call(dev, "destroyVirtualMachine", id=machine["id"])[1])


def test_offerings_that_were_deleted(dev, admin):
    """CloudStack knows what it has removed: a list by that id is empty, for users, too; an id of nothing is an error."""
    services = {f"serviceproviderlist[0].{k}": v for k, v in (("service", "Dhcp"), ("provider", "VirtualRouter"))}
    kinds = [("Service", {"cpunumber": "1", "cpuspeed": "500", "memory": "512"}), ("Disk", {"disksize": "1"}),
             ("Network", {"guestiptype": "Isolated", "traffictype": "GUEST", "supportedservices": "Dhcp", **services}),
             ("VPC", {"supportedservices": "Dhcp,Dns"})]
    for kind, parameters in kinds:
        made = ok(dev, f"create{kind}Offering", name="brief", displaytext="x", **parameters, **admin)[f"{kind.lower()}offering"]["id"]
        ok(dev, f"delete{kind}Offering", id=made, **admin)
        for who in (admin, {}):
            assert call(dev, f"list{kind}Offerings", id=made, **who)[:2] == (200, {}), kind
            assert call(dev, f"list{kind}Offerings", id=cloud.ABSENT, **who)[0] == 431, kind
    told = {e["type"] for e in call(dev, "listEvents", keyword="offering", listall="true", pagesize="100", page="1", **admin)[1]["event"]}
    assert {"DISK.OFFERING.CREATE", "DISK.OFFERING.DELETE"} <= told


def test_names_are_found_whatever_their_case(dev, admin):
    """`name` and `keyword` ignore the case of all letters, as MySQL compares."""
    group = ok(dev, "createAffinityGroup", name="\u00c9t\u00e9", type="host anti-affinity")["affinitygroup"]["id"]
    vpc = ok(dev, "createVPCOffering", name="\u00c9t\u00e9", displaytext="x", supportedservices="Dhcp,Dns", **admin)["vpcoffering"]["id"]
    for word in ("keyword", "name"):
        assert [g["id"] for g in call(dev, "listAffinityGroups", **{word: "\u00e9T\u00c9"})[1]["affinitygroup"]] == [group]
        assert [o["id"] for o in call(dev, "listVPCOfferings", **{word: "\u00e9T\u00c9"}, **admin)[1]["vpcoffering"]] == [vpc]
    ok(dev, "deleteVPCOffering", id=vpc, **admin)
    ok(dev, "deleteAffinityGroup", id=group)


@holds("CloudStack: Service offerings", "CloudStack: Disk offerings")
def test_storage_types(dev, admin):
    """An offering keeps, shows and obeys the place of its disks, and lists filter by it."""
    def make(command, name, **more):
        return call(dev, command, name=name, displaytext=name, **more, **admin)
    if not call(dev, "listStoragePools", scope="zone", **admin)[1]:
        dev.command("pool", "add", "nfs", "--path", "/srv/nfs")
    assert make("createDiskOffering", "odd", customized="true", storagetype="tape")[0] == 431
    disk = make("createDiskOffering", "pooled", customized="true", storagetype="shared")[1]["diskoffering"]
    assert disk["storagetype"] == "shared"
    assert make("createDiskOffering", "own", disksize="1", storagetype="local")[1]["diskoffering"]["storagetype"] == "local"
    assert [o["name"] for o in call(dev, "listDiskOfferings", storagetype="shared")[1]["diskoffering"]] == ["pooled"]
    assert call(dev, "updateDiskOffering", id=disk["id"], name="in the pool", **admin)[1]["diskoffering"]["storagetype"] == "shared"
    small = make("createServiceOffering", "pooled", cpunumber="1", memory="512", storagetype="shared")[1]["serviceoffering"]
    assert small["storagetype"] == "shared"
    assert [o["id"] for o in call(dev, "listServiceOfferings", storagetype="shared")[1]["serviceoffering"]] == [small["id"]]
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    asked = {"serviceofferingid": small["id"], "templateid": template, "zoneid": zone_of(dev)}
    machine = wait(dev, call(dev, "deployVirtualMachine", **asked)[1])[1]["virtualmachine"]
    root, = call(dev, "listVolumes", virtualmachineid=machine["id"], **admin, listall="true")[1]["volume"]
    assert (root["storagetype"], root["storage"]) == ("shared", "nfs")
    wait(dev, call(dev, "destroyVirtualMachine", id=machine["id"])[1])


@holds("CloudStack: Service offerings", "CloudStack: Disk offerings")
def test_offered_in_part(dev, admin):
    """Offerings can be restricted to zones and domains; all faces enforce that."""
    ec2, (here, there) = dev.account.client(), call(dev, "listZones")[1]["zone"][:2]
    made = call(dev, "createServiceOffering", name="part", displaytext="Part", cpunumber="1", memory="512", zoneid=there["id"], **admin)[1]["serviceoffering"]
    assert (made["zoneid"], made["zone"], made.get("domainid")) == (there["id"], there["name"], None)
    disk = call(dev, "createDiskOffering", name="part", displaytext="Part", disksize="1", zoneid=there["id"], **admin)[1]["diskoffering"]

    def listed(**filters):
        return [call(dev, command, name="part", **filters)[1].get("count", 0) for command in ["listServiceOfferings", "listDiskOfferings"]]
    assert (listed(), listed(zoneid=there["id"]), listed(zoneid=here["id"])) == ([1, 1], [1, 1], [0, 0])
    image = ec2.describe_images()["Images"][0]["ImageId"]

    def launch(**where):
        return ec2.run_instances(ImageId=image, InstanceType="part", MinCount=1, MaxCount=1, **where)["Instances"][0]
    with pytest.raises(ec2.exceptions.ClientError, match="Unsupported"):
        launch(Placement={"AvailabilityZone": here["name"]})
    for zone, status in [(here, 400), (there, 202)]:
        body = {"volume": {"name": "part", "size": 1, "volume_type": "part", "availability_zone": zone["name"]}}
        answer = cloud.own(dev).call("POST", "/volume/v3/volumes", body)
        assert answer.status == status, answer
    dev.rest()
    cloud.own(dev).call("DELETE", f"/volume/v3/volumes/{answer.json['volume']['id']}")
    machine = launch()
    assert machine["Placement"]["AvailabilityZone"] == there["name"]
    offered = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": ["part"]}])
    assert [o["Location"] for o in offered["InstanceTypeOfferings"]] == [there["name"]]
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    wanted = {"serviceofferingid": made["id"], "templateid": template}
    status, answer, _ = call(dev, "deployVirtualMachine", zoneid=here["id"], **wanted)
    assert status == 531 and answer["errortext"].startswith("There's no way to confirm Account [")
    status, answer, _ = call(dev, "createVolume", name="v", diskofferingid=disk["id"], zoneid=here["id"])
    assert status == 531 and "Disk offering" in answer["errortext"]
    domain = call(dev, "createDomain", name="part", **admin)[1]["domain"]["id"]
    for command, one in [("updateServiceOffering", made), ("updateDiskOffering", disk)]:
        changed = call(dev, command, id=one["id"], zoneid="all", domainid=domain, **admin)[1]
        changed = changed.get("serviceoffering") or changed["diskoffering"]
        assert (changed.get("zoneid"), changed["domainid"], changed["domain"]) == (None, domain, "part")
    assert listed() == [0, 0] and call(dev, "listServiceOfferings", domainid=domain, name="part", **admin)[1]["count"] == 1
    assert call(dev, "deployVirtualMachine", zoneid=there["id"], **wanted)[0] == 531
    with pytest.raises(ec2.exceptions.ClientError, match="InvalidInstanceType"):
        ec2.describe_instance_types(InstanceTypes=["part"])
    assert cloud.own(dev).call("GET", f"/compute/v2.1/flavors/{made['id']}").status == 404
    for command, one in [("updateServiceOffering", made), ("updateDiskOffering", disk)]:
        call(dev, command, id=one["id"], domainid="public", **admin)
    assert listed(zoneid=here["id"]) == [1, 1]
    assert refused(dev, "updateServiceOffering", id=made["id"], domainid="x", **admin) == (431, "Failed to create service offering because invalid domain has been specified.")
    ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
    dev.rest()
    call(dev, "deleteDomain", id=domain, **admin)


def test_vpc_offerings(dev, admin):
    """A VPC remembers its offering, which can't be deleted before it and limits the services of tiers."""
    def make(**more):
        job = call(dev, "createVPCOffering", name="own", supportedservices="Dhcp,SourceNat,StaticNat", **more, **admin)[1]
        return wait(dev, job, **admin)[1]["vpcoffering"]
    made = make()
    assert (made["state"], made["isdefault"], [s["name"] for s in made["service"]]) == ("Disabled", False, ["Dhcp", "SourceNat", "StaticNat", "NetworkACL"])
    asked = {"name": "v", "displaytext": "v", "cidr": "10.71.0.0/16", "vpcofferingid": made["id"], "zoneid": zone_of(dev)}
    assert call(dev, "createVPC", **asked)[0] == 431
    assert wait(dev, call(dev, "updateVPCOffering", id=made["id"], state="Enabled", **admin)[1], **admin)[1]["vpcoffering"]["state"] == "Enabled"
    assert made["id"] not in {o["id"] for o in call(dev, "listNetworkOfferings")[1]["networkoffering"]}
    vpc = wait(dev, call(dev, "createVPC", **asked)[1])[1]["vpc"]
    assert vpc["vpcofferingid"] == made["id"] and [v["id"] for v in call(dev, "listVPCs", vpcofferingid=made["id"])[1]["vpc"]] == [vpc["id"]]
    assert call(dev, "deleteVPCOffering", id=made["id"], **admin)[0] == 536
    tier = call(dev, "listNetworkOfferings", name="DefaultIsolatedNetworkOfferingForVpcNetworks")[1]["networkoffering"][0]["id"]
    status, answer, _ = call(dev, "createNetwork", name="t", displaytext="t", networkofferingid=tier, zoneid=zone_of(dev), vpcid=vpc["id"],
                             gateway="10.71.1.1", netmask="255.255.255.0")
    assert status == 431 and "VPC offering" in answer["errortext"]
    assert wait(dev, call(dev, "deleteVPC", id=vpc["id"])[1])[0] == 1
    assert wait(dev, call(dev, "deleteVPCOffering", id=made["id"], **admin)[1], **admin)[0] == 1


@holds("CloudStack's networks: Network offerings")
def test_network_offerings(dev, admin):
    """A network remembers its offering; no face can use services that the offering lacks."""
    said = {"displaytext": "Own", "guestiptype": "Isolated", "traffictype": "Guest", "supportedservices": "Dhcp,Dns,SourceNat,PortForwarding"}
    provided = {f"serviceproviderlist[{n}].{k}": v for n, s in enumerate(["Dhcp", "Dns", "SourceNat", "PortForwarding"]) for k, v in [("service", s), ("provider", "VirtualRouter")]}
    made = call(dev, "createNetworkOffering", name="own", **said, **provided, **admin)[1]["networkoffering"]
    assert (made["state"], made["isdefault"], [s["name"] for s in made["service"]]) == ("Disabled", False, ["Dhcp", "Dns", "SourceNat", "PortForwarding"])
    asked = {"name": "n", "displaytext": "n", "networkofferingid": made["id"], "zoneid": zone_of(dev)}
    assert call(dev, "createNetwork", **asked)[0] == 431
    assert call(dev, "updateNetworkOffering", id=made["id"], state="Enabled", **admin)[1]["networkoffering"]["state"] == "Enabled"
    assert [o["id"] for o in call(dev, "listNetworkOfferings", isdefault="false", state="Enabled")[1]["networkoffering"]] == [made["id"]]
    network = call(dev, "createNetwork", **asked)[1]["network"]
    assert network["networkofferingid"] == made["id"] and [n["id"] for n in call(dev, "listNetworks", networkofferingid=made["id"])[1]["network"]] == [network["id"]]
    assert call(dev, "deleteNetworkOffering", id=made["id"], **admin)[0] == 536
    address = wait(dev, call(dev, "associateIpAddress", networkid=network["id"])[1])[1]["ipaddress"]["id"]
    offering = call(dev, "listServiceOfferings", name="t3.micro")[1]["serviceoffering"][0]["id"]
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    deployed = call(dev, "deployVirtualMachine", serviceofferingid=offering, templateid=template, zoneid=zone_of(dev), networkids=network["id"])[1]
    machine = wait(dev, deployed)[1]["virtualmachine"]["id"]
    status, answer, _ = call(dev, "enableStaticNat", ipaddressid=address, virtualmachineid=machine)
    assert status == 431 and "static NAT" in answer["errortext"]
    status, answer, _ = call(dev, "createLoadBalancerRule", name="b", publicipid=address, algorithm="roundrobin", publicport="80", privateport="80")
    assert status == 431 and "load balancing" in answer["errortext"]
    forwarded = call(dev, "createPortForwardingRule", ipaddressid=address, virtualmachineid=machine, protocol="tcp", publicport="80", privateport="80")[1]
    assert wait(dev, forwarded)[0] == 1
    more = call(dev, "createNetworkOffering", name="more", enable="true", **{**said, "supportedservices": said["supportedservices"] + ",Lb"}, **admin)[1]["networkoffering"]
    to = call(dev, "listNetworkOfferings", networkid=network["id"])[1]["networkoffering"]
    assert more["id"] in {o["id"] for o in to} and made["id"] not in {o["id"] for o in to}
    assert wait(dev, call(dev, "updateNetwork", id=network["id"], networkofferingid=more["id"])[1])[1]["network"]["networkofferingname"] == "more"
    assert call(dev, "updateNetwork", id=network["id"], networkofferingid=made["id"])[0] == 431  # the offering has no load balancing
    to = call(dev, "listNetworkOfferings", networkid=network["id"])[1].get("networkoffering", [])
    assert not {made["id"], more["id"]} & {o["id"] for o in to}  # its present offering is not among them
    assert all(call(dev, "updateNetwork", id=network["id"], networkofferingid=o["id"])[0] == 200 for o in to[:1])
    assert call(dev, "deleteNetworkOffering", id=made["id"], **admin)[1] == {"success": "true"}
    wait(dev, call(dev, "destroyVirtualMachine", id=machine, expunge="true", **admin)[1], **admin)
    dev.rest()
    assert wait(dev, call(dev, "deleteNetwork", id=network["id"])[1])[0] == 1
    assert call(dev, "deleteNetworkOffering", id=more["id"], **admin)[1] == {"success": "true"}


@holds("CloudStack: Limits")
def test_limits(dev, admin):
    """An account's limits also apply to EC2's and Nova's calls; the configuration has the defaults of new accounts."""
    other = dev.new_account("cloudstack-limited")
    who = {"_key": other.key_id, "_secret": other.secret}
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    owner = {"account": "cloudstack-limited", "domainid": root}
    assert call(dev, "updateResourceLimit", resourcetype="0", max="0", **owner, **admin)[1]["resourcelimit"]["max"] == 0
    assert call(dev, "listResourceLimits", resourcetypename="user_vm", **who)[1]["resourcelimit"][0]["max"] == 0
    offering = call(dev, "listServiceOfferings", name="t3.micro")[1]["serviceoffering"][0]["id"]
    template = call(dev, "listTemplates", templatefilter="executable")[1]["template"][0]["id"]
    status, answer, _ = call(dev, "deployVirtualMachine", serviceofferingid=offering, templateid=template, zoneid=zone_of(dev), **who)
    assert (status, answer["cserrorcode"]) == (532, 4280)
    counts = call(dev, "updateResourceCount", **owner, **admin)[1]["resourcecount"]
    assert {c["resourcetypename"]: c["resourcecount"] for c in counts}["user_vm"] == 0 and len(counts) == 12
    call(dev, "updateConfiguration", name="max.account.volumes", value="3", **admin)
    assert call(dev, "listConfigurations", name="max.account.volumes", **admin)[1]["configuration"][0]["value"] == "3"
    later = dev.new_account("cloudstack-later")
    limits = call(dev, "listResourceLimits", resourcetype="2", _key=later.key_id, _secret=later.secret)[1]["resourcelimit"]
    assert limits[0]["max"] == 3 and call(dev, "listResourceLimits", resourcetype="2", **who)[1]["resourcelimit"][0]["max"] == 1000


@holds("CloudStack: Limits of domains")
def test_limits_of_domains(dev, admin):
    """A domain's limit holds for its accounts together, in every face; the root domain has none."""
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    domain = call(dev, "createDomain", name="limited", **admin)[1]["domain"]["id"]
    keys = {}
    for name in ("limited-a", "limited-b"):
        made = call(dev, "createAccount", username=name, password="x", email="a@b.test", firstname="f", lastname="l", accounttype="0", domainid=domain, **admin)[1]["account"]
        key = call(dev, "registerUserKeys", id=made["user"][0]["id"], **admin)[1]["userkeys"]
        keys[name] = {"_key": key["apikey"], "_secret": key["secretkey"]}
    limit = {"resourcetype": "2", "domainid": domain}
    assert call(dev, "listResourceLimits", **limit, **admin)[1]["resourcelimit"][0]["max"] == -1
    said = call(dev, "updateResourceLimit", max="1", **limit, **admin)[1]["resourcelimit"]
    assert (said["max"], said["domainid"], said["resourcetypename"]) == (1, domain, "volume") and "account" not in said
    assert call(dev, "listResourceLimits", **limit, **admin)[1]["resourcelimit"] == [said]
    assert call(dev, "listResourceLimits", resourcetype="3", domainid=domain, **admin)[1]["resourcelimit"][0]["max"] == -1
    volume = {"name": "v", "size": "1", "diskofferingid": call(dev, "listDiskOfferings")[1]["diskoffering"][0]["id"], "zoneid": zone_of(dev)}
    made = wait(dev, call(dev, "createVolume", **volume, **keys["limited-a"])[1], **keys["limited-a"])[1]["volume"]["id"]
    assert refused(dev, "createVolume", **volume, **keys["limited-b"])[0] == 532
    counts = {c["resourcetypename"]: c["resourcecount"] for c in call(dev, "updateResourceCount", domainid=domain, **admin)[1]["resourcecount"]}
    assert counts["volume"] == 1
    shown = call(dev, "listDomains", id=domain, **admin)[1]["domain"][0]
    assert (shown["volumelimit"], shown["volumetotal"], shown["volumeavailable"], shown["vmlimit"]) == ("1", 1, "0", "Unlimited")
    assert call(dev, "deleteVolume", id=made, **keys["limited-a"])[1] == {"success": "true"}
    dev.rest()
    wait(dev, call(dev, "createVolume", **volume, **keys["limited-b"])[1], **keys["limited-b"])
    assert call(dev, "updateResourceLimit", **limit, **admin)[1]["resourcelimit"]["max"] == -1
    assert refused(dev, "updateResourceLimit", resourcetype="2", max="1", domainid=root, **admin)[0] == 531


@holds("CloudStack: Annotations")
def test_annotations(dev, admin):
    """Users annotate their own resources, administrators all; a hidden note is not shown to the owner."""
    volume = wait(dev, call(dev, "createVolume", name="noted", size="1", diskofferingid=call(dev, "listDiskOfferings")[1]["diskoffering"][0]["id"], zoneid=zone_of(dev))[1])[1]["volume"]["id"]
    entity = {"entitytype": "VOLUME", "entityid": volume}
    other = dev.new_account("cloudstack-notes")
    who = {"_key": other.key_id, "_secret": other.secret}

    def notes(**asked):
        return [a["annotation"] for a in call(dev, "listAnnotations", **asked)[1].get("annotation", [])]

    def is_marked():
        return call(dev, "listVolumes", id=volume)[1]["volume"][0].get("hasannotations", False)
    assert notes(**entity) == [] and not is_marked()
    own = call(dev, "addAnnotation", annotation="Mine", **entity)[1]["annotation"]
    assert (own["entitytype"], own["entityid"], own["entityname"], own["adminsonly"]) == ("VOLUME", volume, "noted", False) and own["username"] and is_marked()
    call(dev, "addAnnotation", annotation="Hidden", adminsonly="true", **entity, **admin)
    shown = call(dev, "addAnnotation", annotation="Shown", **entity, **admin)[1]["annotation"]["id"]
    assert notes(**entity) == ["Shown", "Mine"] == notes() and notes(entityid=volume) == ["Shown", "Mine"] and notes(annotationfilter="self") == ["Mine"]
    assert notes(**entity, **admin) == ["Shown", "Hidden", "Mine"] and notes(keyword="HID", **admin) == ["Hidden"] and notes(id=own["id"]) == ["Mine"]
    assert call(dev, "listAnnotations", page="2", pagesize="1", **entity)[1]["count"] == 2 and notes(page="2", pagesize="1", **entity) == ["Mine"]
    assert notes(entitytype="SNAPSHOT") == notes(entitytype="MOON") == notes(**who) == notes(**entity, **who) == notes(id=own["id"], **who) == []
    assert refused(dev, "addAnnotation", annotation="x", **entity, **who)[0] == 431
    assert refused(dev, "removeAnnotation", id=own["id"], **who)[0] == 431
    code, words = refused(dev, "removeAnnotation", id=shown)
    assert code == 530 and words.startswith("Only administrators or entity owner users can delete annotations")
    assert call(dev, "updateAnnotationVisibility", id=shown, adminsonly="true", **admin)[1]["annotation"]["adminsonly"] and notes(**entity) == ["Mine"]
    assert call(dev, "removeAnnotation", id=own["id"])[1] == {"success": "true"} and not is_marked()
    host = call(dev, "listHosts", type="Routing", **admin)[1]["host"][0]["id"]
    for text in ("Old", "New"):
        call(dev, "addAnnotation", annotation=text, entitytype="HOST", entityid=host, **admin)
    assert call(dev, "listHosts", id=host, **admin)[1]["host"][0]["annotation"] == "New"
    code, words = refused(dev, "addAnnotation", annotation="x", entitytype="HOST", entityid=host)
    assert code == 530 and words.endswith("is not allowed to add annotations on type: HOST")
    assert refused(dev, "addAnnotation", annotation="x", entitytype="BLA", entityid=host, **admin) == (530, "'BLA' is not a valid EntityType to put annotations on")
    assert refused(dev, "addAnnotation", annotation="x", entitytype="VR", entityid=host, **admin)[0] == 530
    assert refused(dev, "listAnnotations", entitytype="HOST", entityid=host) == (530, "Invalid entity type HOST")
    zone = zone_of(dev)
    call(dev, "addAnnotation", annotation="Rack 7", entitytype="POD", entityid=zone, **admin)
    assert call(dev, "listPods", id=zone, **admin)[1]["pod"][0]["hasannotations"] and "hasannotations" not in call(dev, "listZones", id=zone, **admin)[1]["zone"][0]
    assert notes(entitytype="POD", **admin) == ["Rack 7"] and notes(entitytype="ZONE", **admin) == []
    types = [e["type"] for e in call(dev, "listEvents", keyword="annotation", listall="true", **admin)[1]["event"]]
    assert {"ANNOTATION.CREATE", "ANNOTATION.REMOVE"} <= set(types)
    assert call(dev, "deleteVolume", id=volume)[1] == {"success": "true"}
    dev.rest()
    assert notes(entityid=volume, **admin) == []


@holds("CloudStack: Projects")
def test_projects(dev, admin):
    """An account without users is a project; members work there by projectid, and Keystone shows the same."""
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    made = call(dev, "createProject", name="shop", displaytext="The shop", account="dev", domainid=root, **admin)[1]
    project = wait(dev, made, **admin)[1]["project"]
    assert project["id"] == made["id"] and project["owner"] == [{"account": "dev"}] and project["state"] == "Active"
    assert call(dev, "listProjects")[1]["project"] == [project]
    assert "shop" not in {a["name"] for a in call(dev, "listAccounts", listall="true", **admin)[1]["account"]}
    assert cloud.admin(dev).ok("GET", f"/identity/v3/projects/{project['id'].replace('-', '')}")["project"]["description"] == "The shop"
    offering = call(dev, "listDiskOfferings")[1]["diskoffering"][0]["id"]
    volume = wait(dev, call(dev, "createVolume", name="v", diskofferingid=offering, size="1", zoneid=zone_of(dev), projectid=project["id"])[1])[1]["volume"]
    assert (volume["projectid"], volume["project"]) == (project["id"], "shop") and "account" not in volume
    assert [v["id"] for v in call(dev, "listVolumes", projectid=project["id"])[1]["volume"]] == [volume["id"]]
    other = dev.new_account("cloudstack-guest")
    who = {"_key": other.key_id, "_secret": other.secret}
    assert call(dev, "listVolumes", projectid=project["id"], **who)[0] == 431 and call(dev, "listProjects", **who)[1] == {}
    wait(dev, call(dev, "addAccountToProject", projectid=project["id"], account="cloudstack-guest", **admin)[1], **admin)
    assert call(dev, "listVolumes", projectid=project["id"], **who)[1]["count"] == 1
    roles = {a["account"]: a["role"] for a in call(dev, "listProjectAccounts", projectid=project["id"], **who)[1]["projectaccount"]}
    assert roles == {"dev": "Admin", "cloudstack-guest": "Regular"}
    assert call(dev, "listVolumes", id=volume["id"], **who)[1]["count"] == 1  # an id suffices
    second = wait(dev, call(dev, "createVolume", diskofferingid=offering, size="1", zoneid=zone_of(dev), projectid=project["id"])[1])[1]["volume"]
    assert call(dev, "deleteVolume", id=second["id"], **who)[1] == {"success": "true"}
    wait(dev, call(dev, "deleteAccountFromProject", projectid=project["id"], account="cloudstack-guest", **admin)[1], **admin)
    assert call(dev, "listVolumes", projectid=project["id"], **who)[0] == 431
    assert call(dev, "deleteVolume", id=volume["id"], **who)[0] == 431
    wait(dev, call(dev, "suspendProject", id=project["id"], **admin)[1], **admin)
    assert call(dev, "listVolumes", projectid=project["id"])[0] == 431
    wait(dev, call(dev, "activateProject", id=project["id"], **admin)[1], **admin)
    assert call(dev, "deleteProject", id=project["id"], **admin)[0] == 530  # it has a volume
    assert wait(dev, call(dev, "deleteProject", id=project["id"], cleanup="true", **admin)[1], **admin) == (1, {"success": True})
    assert call(dev, "listVolumes", id=volume["id"], **admin)[1] == {}
    assert call(dev, "listProjects")[1] == {}


@holds("CloudStack: Events")
def test_events(dev, admin):
    """A change by any face is an event of its account, newest first; other accounts cannot see it, administrators can."""
    ec2 = dev.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    dev.rest()
    ec2.stop_instances(InstanceIds=[made])
    dev.rest()
    machine = call(dev, "listVirtualMachines", state="Stopped")[1]["virtualmachine"][0]["id"]
    about = {"resourceid": machine, "resourcetype": "VirtualMachine"}
    events = call(dev, "listEvents", **about)[1]["event"]
    happened = [(e["type"], e["state"], e["username"]) for e in events]
    assert happened == [("VM.STOP", "Completed", "system"), ("VM.STOP", "Scheduled", "root"), ("VM.START", "Completed", "system"), ("VM.CREATE", "Completed", "root")]
    assert {(e["level"], e["account"], e["resourceid"], e["archived"]) for e in events} == {("INFO", "dev", machine, False)}
    pages = [call(dev, "listEvents", page=str(n), pagesize="1", **about)[1] for n in (1, 2, 3, 4, 5)]
    assert [p["event"][0]["id"] for p in pages[:4]] == [e["id"] for e in events] and {p["count"] for p in pages} == {4} and pages[4]["event"] == []
    assert call(dev, "listEvents", id=events[1]["id"])[1] == {"count": 1, "event": [events[1]]}
    assert [e["type"] for e in call(dev, "listEvents", type="VM.CREATE", **about)[1]["event"]] == ["VM.CREATE"]
    assert call(dev, "listEvents", state="Scheduled", **about)[1]["count"] == 1 == call(dev, "listEvents", keyword="vm.create", **about)[1]["count"]
    today = events[0]["created"][:10]
    assert call(dev, "listEvents", startdate=today, enddate=today, **about)[1]["count"] == 4
    assert call(dev, "listEvents", startdate="2999-01-01 00:00:00", **about)[1] == {} == call(dev, "listEvents", enddate="2001-01-01", **about)[1]
    assert call(dev, "listEvents", level="ERROR", **about)[1] == {}
    other = dev.new_account("cloudstack-curious")
    who = {"_key": other.key_id, "_secret": other.secret}
    assert call(dev, "listEvents", listall="true", **about, **who)[1] == {}
    assert call(dev, "listEvents", id=events[0]["id"], **who)[0] == 431
    assert call(dev, "listEvents", **about, **admin)[1] == {}  # the administrator's own events, without listall
    assert call(dev, "listEvents", listall="true", **about, **admin)[1]["count"] == 4
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    assert call(dev, "listEvents", account="dev", domainid=root, **about, **admin)[1]["count"] == 4
    types = {t["name"] for t in call(dev, "listEventTypes")[1]["eventtype"]}
    assert {e["type"] for e in call(dev, "listEvents", listall="true", pagesize="-1", **admin)[1]["event"]} <= types
    ec2.terminate_instances(InstanceIds=[made])


@holds("CloudStack: Usage")
def test_usage(dev, admin):
    """CloudStack's usage records of machines agree with Nova's report of the project's servers; disks and addresses have records, too."""
    account = dev.new_account("cloudstack-metered")
    who = {"_key": account.key_id, "_secret": account.secret}
    ec2 = account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    dev.rest()
    machine = call(dev, "listVirtualMachines", **who)[1]["virtualmachine"][0]
    address = ec2.allocate_address()["AllocationId"]
    root = call(dev, "listDomains", level="0", **admin)[1]["domain"][0]["id"]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    asked = {"startdate": "2024-01-01", "enddate": "2999-12-31", "account": "cloudstack-metered", "domainid": root, **admin}
    records = call(dev, "listUsageRecords", **asked)[1]["usagerecord"]
    assert {r["usagetype"] for r in records} == {1, 2, 3, 6} <= {t["id"] for t in call(dev, "listUsageTypes", **admin)[1]["usagetype"]}
    held = [r for r in records if r["usagetype"] == 2]
    assert {r["usageid"] for r in held} == {machine["id"]} and held[0]["startdate"] <= f"{today}T00:00:00+0000"
    assert (held[0]["account"], held[0]["offeringid"], held[0]["cpunumber"], held[0]["memory"]) == ("cloudstack-metered", machine["serviceofferingid"], 2, 1024)
    project = held[0]["accountid"].replace("-", "")
    nova = cloud.admin(dev).ok("GET", f"/compute/v2.1/os-simple-tenant-usage/{project}?start={held[0]['startdate'][:10]}T00:00:00")["tenant_usage"]
    assert abs(sum(float(r["rawusage"]) for r in held) - nova["total_hours"]) < 0.01
    assert held[0]["usage"] == held[0]["rawusage"] + " Hrs"
    one = call(dev, "listUsageRecords", type="2", usageid=machine["id"], **asked)[1]
    assert one["count"] == len(held) and call(dev, "listUsageRecords", type="2", usageid=root, **asked)[1] == {}
    assert call(dev, "listUsageRecords", **{**asked, "startdate": "2024-01-01", "enddate": "2024-01-02"})[1] == {}
    assert call(dev, "listUsageRecords", **{k: v for k, v in asked.items() if k not in ("account", "domainid")})[1]["count"] > len(records)
    assert call(dev, "listUsageRecords", page="1", pagesize="1", **asked)[1]["count"] == len(records)
    ec2.release_address(AllocationId=address)
    ec2.terminate_instances(InstanceIds=["i-" + machine["id"].replace("-", "")[:17]])


def test_roles(dev, admin):
    """A role with only a type permits nothing, one copied from another role what that permits; Keystone shows both."""
    def rules(role):
        return {(p["rule"], p["permission"]) for p in call(dev, "listRolePermissions", roleid=role["id"], **admin)[1].get("rolepermission", [])}
    user, = [r for r in call(dev, "listRoles", **admin)[1]["role"] if r["name"] == "User"]
    bare = call(dev, "createRole", name="bare", type="DomainAdmin", **admin)[1]["role"]
    copy = call(dev, "createRole", name="copy", roleid=user["id"], **admin)[1]["role"]
    assert (bare["type"], bare["isdefault"], copy["type"]) == ("DomainAdmin", False, "User")
    assert ("listVirtualMachines", "allow") not in rules(bare) and rules(copy) == rules(user)
    assert [r["name"] for r in call(dev, "listRoles", type="DomainAdmin", **admin)[1]["role"] if not r["isdefault"]] == ["bare"]
    names = {r["name"] for r in cloud.admin(dev).ok("GET", "/identity/v3/roles")["roles"]}
    assert {"bare", "copy"} <= names
    for role in (bare, copy):
        assert call(dev, "deleteRole", id=role["id"], **admin)[1] == {"success": "true"}


@holds("CloudStack: Rules of roles")
def test_rules_of_roles(dev, admin):
    """The users of a role run the commands that its rules allow, the first match deciding, and nothing by other APIs."""
    role = call(dev, "createRole", name="looker", type="User", **admin)[1]["role"]
    rules = [call(dev, "createRolePermission", roleid=role["id"], rule=rule, permission=word, **admin)[1]["rolepermission"]["id"]
             for rule, word in (("list*", "allow"), ("listVolumes", "deny"), ("listHosts", "allow"))]
    made = call(dev, "createAccount", username="looker", password="geheim", email="l@example.org", firstname="L", lastname="K", roleid=role["id"], **admin)[1]["account"]
    assert (made["roleid"], made["rolename"]) == (role["id"], "looker")
    keys = call(dev, "registerUserKeys", id=made["user"][0]["id"], **admin)[1]["userkeys"]
    who = {"_key": keys["apikey"], "_secret": keys["secretkey"]}
    assert call(dev, "listVolumes", **who)[0] == 200 == call(dev, "listZones", **who)[0]
    assert call(dev, "updateRolePermission", roleid=role["id"], ruleorder=",".join(reversed(rules)), **admin)[0] == 200
    assert call(dev, "listVolumes", **who)[0] == 401 == call(dev, "createSSHKeyPair", name="k", **who)[0]
    assert call(dev, "listHosts", **who)[0] == 401  # rules make nobody a root administrator
    mine = {a["name"] for a in call(dev, "listApis", **who)[1]["api"]}
    assert {"listZones", "listApis", "queryAsyncJobResult"} <= mine and not mine & {"listVolumes", "listHosts", "createVolume"}
    ec2 = boto3.client("ec2", endpoint_url=dev.url, region_name="us-east-1", aws_access_key_id=keys["apikey"], aws_secret_access_key=keys["secretkey"])
    with pytest.raises(botocore.exceptions.ClientError, match="UnauthorizedOperation"):
        ec2.describe_volumes()
    assert call(dev, "deleteRole", id=role["id"], **admin)[0] == 531 == call(dev, "updateRole", id=role["id"], type="Admin", **admin)[0]
    copy = call(dev, "createRole", name="looker too", roleid=role["id"], **admin)[1]["role"]
    assert copy["type"] == "User" and call(dev, "deleteRolePermission", id=rules[1], **admin)[0] == 200 == call(dev, "listVolumes", **who)[0]
    assert len(call(dev, "listRolePermissions", roleid=copy["id"], **admin)[1]["rolepermission"]) == 3
    user, = [r for r in call(dev, "listRoles", **admin)[1]["role"] if r["name"] == "User"]
    same = call(dev, "createRole", name="user too", roleid=user["id"], **admin)[1]["role"]
    assert call(dev, "createRolePermission", roleid=same["id"], rule="listVo*", permission="deny", **admin)[0] == 200
    written = call(dev, "listRolePermissions", roleid=same["id"], **admin)[1]["rolepermission"]
    assert (written[-1]["rule"], written[-1]["permission"]) == ("listVo*", "deny") and ("deployVirtualMachine", "allow") in {(p["rule"], p["permission"]) for p in written}


def test_domains_below_another(dev, admin):
    """Limits and offerings of a domain hold for those below it; a domain above others is not deleted."""
    works = call(dev, "createDomain", name="works", **admin)[1]["domain"]
    floor = call(dev, "createDomain", name="floor", parentdomainid=works["id"], **admin)[1]["domain"]
    assert (floor["path"], floor["level"]) == ("ROOT/works/floor", 2)
    assert [d["id"] for d in call(dev, "listDomainChildren", id=works["id"], **admin)[1]["domain"]] == [floor["id"]]
    below = call(dev, "listDomainChildren", isrecursive="true", **admin)[1]["domain"]
    assert {works["id"], floor["id"]} <= {d["id"] for d in below}
    assert floor["id"] not in {d["id"] for d in call(dev, "listDomainChildren", **admin)[1]["domain"]}
    made = call(dev, "createAccount", username="ann", password="geheim", email="a@example.org", firstname="A", lastname="N", domainid=floor["id"], **admin)[1]["account"]
    keys = call(dev, "registerUserKeys", id=made["user"][0]["id"], **admin)[1]["userkeys"]
    who = {"_key": keys["apikey"], "_secret": keys["secretkey"]}
    small = {"displaytext": "x", "cpunumber": "1", "memory": "512", **admin}
    for name, domain in (("of works", works["id"]), ("of floor", floor["id"])):
        assert call(dev, "createServiceOffering", name=name, domainid=domain, **small)[0] == 200
    assert {"of works", "of floor"} <= {o["name"] for o in call(dev, "listServiceOfferings", **who)[1]["serviceoffering"]}
    assert call(dev, "updateResourceLimit", resourcetype="2", max="1", domainid=works["id"], **admin)[0] == 200
    disk = {"zoneid": call(dev, "listZones")[1]["zone"][0]["id"], "diskofferingid": [o for o in call(dev, "listDiskOfferings")[1]["diskoffering"] if o["name"] == "Small"][0]["id"]}
    assert wait(dev, call(dev, "createVolume", name="one", **disk, **who)[1], **who)[0] == 1
    assert call(dev, "createVolume", name="two", **disk, **who)[0] == 532
    listed = call(dev, "listVolumes", domainid=works["id"], isrecursive="true", **admin)[1]["volume"]
    assert [v["name"] for v in listed] == ["one"] and call(dev, "listVolumes", domainid=works["id"], **admin)[1] == {}
    offering, = call(dev, "listNetworkOfferings", name="DefaultSharedNetworkOffering", **admin)[1]["networkoffering"]
    for n, below_too in enumerate(("true", "false")):
        net = {"gateway": f"10.9{n}.0.1", "netmask": "255.255.255.0", "startip": f"10.9{n}.0.10", "endip": f"10.9{n}.0.20"}
        answer = call(dev, "createNetwork", name=f"below {below_too}", displaytext="x", zoneid=disk["zoneid"], networkofferingid=offering["id"], acltype="domain",
                      domainid=works["id"], subdomainaccess=below_too, **net, **admin)
        assert answer[0] == 200, answer
    assert [n["name"] for n in call(dev, "listNetworks", type="Shared", **who)[1]["network"]] == ["below true"]
    assert call(dev, "deleteDomain", id=works["id"], cleanup="true", **admin)[0] == 530


def test_who_has_a_key(dev, admin):
    user = call(dev, "listUsers")[1]["user"][0]
    assert call(dev, "getUser", userapikey=dev.account.key_id, **admin)[1]["user"]["id"] == user["id"]
    said = call(dev, "getCloudIdentifier", userid=user["id"])[1]["cloudidentifier"]
    signature = hmac.new(dev.account.secret.encode(), said["cloudidentifier"].encode(), hashlib.sha1).digest()
    assert said["userid"] == user["id"] and base64.b64decode(said["signature"]) == signature


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
