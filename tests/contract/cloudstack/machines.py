#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/compute src/api/cloudstack/storage src/engine/instance
"""CloudStack's commands for machines, disks and templates: by Apache Libcloud where it has the call, otherwise by signed requests; the results are
compared with EC2 and OpenStack."""
import base64
import http.client
import http.server
import os
import sys
import threading
import types
import urllib.parse
import urllib.request

import botocore.exceptions
import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, ok, refused, wait  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402
import waiting  # noqa: E402

SENTENCE = "due to incorrect long value format, or entity does not exist"


@pytest.fixture(scope="module")
def dev():
    with Dev(fetch_from="127.0.0.1") as region:
        yield region


@pytest.fixture(scope="module")
def driver(dev):
    return get_driver(Provider.CLOUDSTACK)(key=dev.account.key_id, secret=dev.account.secret, secure=False, host="127.0.0.1",
                                           port=dev.port, path="/client/api")


@pytest.fixture(scope="module")
def ec2(dev):
    return dev.account.client()


def ec2_id(prefix, uuid):
    return prefix + "-" + uuid.replace("-", "")[:17]


@pytest.fixture(scope="module")
def place(dev):
    """Parameters of a deployment."""
    template = next(t for t in ok(dev, "listTemplates", templatefilter="featured")["template"] if t["isready"])
    return {"templateid": template["id"], "zoneid": ok(dev, "listZones")["zone"][0]["id"],
            "serviceofferingid": ok(dev, "listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"]}


@pytest.fixture(scope="module")
def disk(dev, place):
    """A free volume of two GiB."""
    offering = ok(dev, "listDiskOfferings", name="gp3")["diskoffering"][0]["id"]
    return ok(dev, "createVolume", name="data", diskofferingid=offering, size="2", zoneid=place["zoneid"])["volume"]


# ---- machines that change hands

def seen_by(project):
    """Every face's view of machines and disks for the project's account, as one text each."""
    who = {"_key": project.root.key_id, "_secret": project.root.secret}
    shown = {}
    for command in ["listVirtualMachines", "listVolumes", "listTags"]:
        shown[command] = str(call(project.dev, command, **who)[1])
    for describe in ["instances", "instance_status", "volumes", "network_interfaces", "volume_status", "addresses"]:
        shown[describe] = str(getattr(project.ec2, f"describe_{describe}")())
    for path in ["/compute/v2.1/servers/detail", "/compute/v2.1/servers", "/volume/v3/volumes/detail", "/network/v2.0/ports"]:
        shown[path] = str(project.ok("GET", path))
    return shown


def count_of(project):
    """Numbers of machines, volumes, GiB and vCPUs, according to CloudStack, Nova and Cinder."""
    who = {"_key": project.root.key_id, "_secret": project.root.secret}
    account = call(project.dev, "listAccounts", **who)[1]["account"][0]
    servers = project.ok("GET", "/compute/v2.1/limits")["limits"]["absolute"]
    disks = project.ok("GET", "/volume/v3/limits")["limits"]["absolute"]
    assert (servers["totalInstancesUsed"], servers["totalCoresUsed"]) == (account["vmtotal"], account["cputotal"])
    assert (disks["totalVolumesUsed"], disks["totalGigabytesUsed"]) == (account["volumetotal"], account["primarystoragetotal"])
    return account["vmtotal"], account["cputotal"], account["volumetotal"], account["primarystoragetotal"]


def misplaced(ids, owner, other):
    return [(where, i) for where, all_of in ids.items() for i in all_of if i not in owner[where] or i in other[where]]


@holds("CloudStack: A machine that changes hands")
def test_assign(dev, place):
    """All lists of both accounts are read before and after, so that stale caches would be found."""
    old, new = (cloud.another(dev, name) for name in ["assign-old", "assign-new"])
    mine, theirs = ({"_key": p.root.key_id, "_secret": p.root.secret} for p in (old, new))
    offering = ok(dev, "listDiskOfferings", name="gp3")["diskoffering"][0]["id"]
    machine = ok(dev, "deployVirtualMachine", name="moving", diskofferingid=offering, size="2", **place, **mine)["virtualmachine"]
    ok(dev, "createTags", resourceids=machine["id"], resourcetype="UserVm", **{"tags[0].key": "of", "tags[0].value": "web"}, **mine)
    ok(dev, "stopVirtualMachine", id=machine["id"], forced="true", **mine)
    disks = [v["id"] for v in ok(dev, "listVolumes", **mine)["volume"]]
    ids = {"listVirtualMachines": [machine["id"]], "listVolumes": disks, "listTags": [machine["id"]], "instances": [ec2_id("i", machine["id"])],
           "volumes": [ec2_id("vol", d) for d in disks], "volume_status": [ec2_id("vol", d) for d in disks],
           "network_interfaces": [ec2_id("i", machine["id"])], "/compute/v2.1/servers": [machine["id"]],
           "/compute/v2.1/servers/detail": [machine["id"]], "/volume/v3/volumes/detail": disks, "/network/v2.0/ports": [machine["id"]]}
    seen = [seen_by(p) for p in (old, new)]
    assert misplaced(ids, *seen) == []
    (before, none), domain = (count_of(p) for p in (old, new)), machine["domainid"]
    assert none == (0, 0, 0, 0)
    target = {"virtualmachineid": machine["id"], "account": "assign-new", "domainid": domain}
    assert refused(dev, "assignVirtualMachine", **target, **mine)[0] == 531
    given = ok(dev, "assignVirtualMachine", **target, **admin_key(dev))["virtualmachine"]
    assert (given["id"], given["account"], given["state"], given["name"]) == (machine["id"], "assign-new", "Stopped", "moving")
    seen = [seen_by(p) for p in (new, old)]
    assert misplaced(ids, *seen) == []
    assert (count_of(new), count_of(old)) == (before, none)
    for command, parameter in [("startVirtualMachine", "id"), ("destroyVirtualMachine", "id"), ("listNics", "virtualmachineid")]:
        assert refused(dev, command, **{parameter: machine["id"]}, **mine)[0] == 431
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidInstanceID.NotFound"):
        old.ec2.start_instances(InstanceIds=[ec2_id("i", machine["id"])])
    assert old.call("GET", f"/compute/v2.1/servers/{machine['id']}").status == 404
    assert old.call("GET", f"/volume/v3/volumes/{disks[0]}").status == 404
    one = new.ec2.describe_instances()["Reservations"][0]
    assert one["OwnerId"] == new.ec2.describe_security_groups()["SecurityGroups"][0]["OwnerId"] and one["Instances"][0]["Tags"]
    assert new.ok("GET", f"/compute/v2.1/servers/{machine['id']}")["server"]["tenant_id"] == new.id
    assert ok(dev, "startVirtualMachine", id=machine["id"], **theirs)["virtualmachine"]["state"] == "Running"
    assert refused(dev, "assignVirtualMachine", **{**target, "account": "assign-old"}, **admin_key(dev))[0] == 431  # it is running
    for account in ["assign-old", "assign-new"]:  # each account is billed for its own time
        for kind, ids_of in [("1", [machine["id"]]), ("2", [machine["id"]]), ("6", disks)]:
            records = ok(dev, "listUsageRecords", startdate="2020-01-01", enddate="2099-01-01", type=kind, account=account, domainid=domain,
                         **admin_key(dev))["usagerecord"]
            assert {r["usageid"] for r in records} == set(ids_of) and all(float(r["rawusage"]) > 0 for r in records)
    ok(dev, "destroyVirtualMachine", id=machine["id"], **theirs)


@holds("CloudStack: A machine that changes hands")
def test_assign_refused(dev, place):
    """Reasons for refusals, with CloudStack's messages; without them the move succeeds."""
    new = cloud.another(dev, "assign-taker")
    machine = ok(dev, "deployVirtualMachine", startvm="false", **place)["virtualmachine"]
    target = {"virtualmachineid": machine["id"], "account": "assign-taker", "domainid": machine["domainid"], **admin_key(dev)}
    said = f"VM [{machine['id']}]"

    def stops(code, words, **given):
        assert refused(dev, "assignVirtualMachine", **{**target, **given}) == (code, words)
    stops(431, "AccountName and domainId must be specified together", account="")
    address, shared = (ok(dev, "associateIpAddress", zoneid=place["zoneid"])["ipaddress"] for _ in range(2))
    ok(dev, "enableStaticNat", ipaddressid=address["id"], virtualmachineid=machine["id"])
    stops(431, f"Remove the One to One Nat rule for {said} for IP [{address['ipaddress']}].")
    ok(dev, "disableStaticNat", ipaddressid=address["id"])
    rule = ok(dev, "createPortForwardingRule", ipaddressid=shared["id"], virtualmachineid=machine["id"], protocol="tcp", publicport="22",
              privateport="22")["portforwardingrule"]
    stops(431, f"Remove any Port Forwarding rules for {said} before assigning it to another user.")
    ok(dev, "deletePortForwardingRule", id=rule["id"])
    balancer = ok(dev, "createLoadBalancerRule", name="web", publicipid=shared["id"], algorithm="roundrobin", publicport="80",
                  privateport="80")["loadbalancer"]
    ok(dev, "assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=machine["id"])
    stops(431, f"Remove the Load Balancing rules for {said} before assigning it to another user.")
    ok(dev, "deleteLoadBalancerRule", id=balancer["id"])
    volume = ok(dev, "listVolumes", virtualmachineid=machine["id"])["volume"][0]
    snapshot = ok(dev, "createSnapshot", volumeid=volume["id"])["snapshot"]
    stops(431, f"Snapshots exist for volume [{volume['id']}]. Detach volume or remove snapshots for the volume before assigning VM "
               "to another user.")
    ok(dev, "deleteSnapshot", id=snapshot["id"])
    whole = ok(dev, "createVMSnapshot", virtualmachineid=machine["id"])["vmsnapshot"]
    stops(431, "Unable to move the VM, please remove VM snapshots before assigning it to another user")
    ok(dev, "deleteVMSnapshot", vmsnapshotid=whole["id"])
    for network in machine["nic"]:  # the network does not belong to the new account, though an administrator sees it
        assert f"networkids value={network['networkid']} {SENTENCE}" in refused(dev, "assignVirtualMachine", networkids=network["networkid"], **target)[1]
    limit = {"account": "assign-taker", "domainid": machine["domainid"], **admin_key(dev)}
    ok(dev, "updateResourceLimit", resourcetype="2", max="0", **limit)
    stops(532, "The account has 0 of 0 volumes; 1 more would exceed its limit")
    ok(dev, "updateResourceLimit", resourcetype="2", **limit)
    assert ok(dev, "assignVirtualMachine", **target)["virtualmachine"]["account"] == "assign-taker"
    ok(dev, "destroyVirtualMachine", id=machine["id"], expunge="true", **admin_key(dev))
    for taken in [address, shared]:
        ok(dev, "disassociateIpAddress", id=taken["id"])
    assert new.ec2.describe_volumes()["Volumes"] == []


# ---- snapshots and volumes

def test_snapshots_by_libcloud(driver, ec2, disk):
    volume, = [v for v in driver.list_volumes() if v.id == disk["id"]]
    made, spare = (driver.create_volume_snapshot(volume) for _ in range(2))
    assert made.extra["volume_id"] == disk["id"]
    assert made.id in {s.id for s in driver.list_snapshots()}
    assert ec2.describe_snapshots(SnapshotIds=[ec2_id("snap", made.id)])["Snapshots"][0]["State"] == "completed"
    assert driver.destroy_volume_snapshot(made) and driver.destroy_volume_snapshot(spare)


@holds("CloudStack: Snapshots")
def test_snapshots(dev, place, disk):
    tag = {"tags[0].key": "of", "tags[0].value": "today"}
    status, answer, _ = call(dev, "createSnapshot", volumeid=disk["id"], name="first", **tag)
    assert status == 200 and set(answer) == {"id", "jobid"}
    one = wait(dev, answer)[1]["snapshot"]
    assert (one["id"], one["name"], one["state"], one["volumename"]) == (answer["id"], "first", "BackedUp", "data")
    assert (one["snapshottype"], one["intervaltype"], one["volumetype"], one["virtualsize"]) == ("MANUAL", "MANUAL", "DATADISK", 2 << 30)
    assert one["revertable"] and one["zoneid"] == disk["zoneid"] and [t["key"] for t in one["tags"]] == ["of"] and one["account"] == "dev"
    for given in [{"id": one["id"]}, {"ids": one["id"]}, {"name": "first"}, {"volumeid": disk["id"]}, {"zoneid": disk["zoneid"], "keyword": "firs"},
                  {"snapshottype": "manual"}, tag]:
        assert ok(dev, "listSnapshots", **given)["snapshot"] == [one], given
    other = next(z["id"] for z in ok(dev, "listZones")["zone"] if z["id"] != disk["zoneid"])
    for given in [{"zoneid": other}, {"intervaltype": "DAILY"}, {"snapshottype": "DAILY"}, {"name": "second"}, {"tags[0].key": "of", "tags[0].value": "old"}]:
        assert ok(dev, "listSnapshots", **given) == {}, given
    again = ok(dev, "createVolume", name="again", snapshotid=one["id"])["volume"]
    assert again["snapshotid"] == one["id"] and again["zoneid"] == disk["zoneid"]
    assert ok(dev, "revertSnapshot", id=one["id"])["snapshot"]["id"] == one["id"]
    machine = ok(dev, "deployVirtualMachine", **place)["virtualmachine"]["id"]
    ok(dev, "attachVolume", id=disk["id"], virtualmachineid=machine)
    assert refused(dev, "revertSnapshot", id=one["id"])[0] == 431
    ok(dev, "detachVolume", id=disk["id"])
    ok(dev, "destroyVirtualMachine", id=machine)
    assert ok(dev, "deleteSnapshot", id=one["id"]) == {"success": True}
    code, words = refused(dev, "deleteSnapshot", id=one["id"])
    assert code == 431 and f"Invalid parameter id value={one['id']} {SENTENCE}" in words
    ok(dev, "deleteVolume", id=again["id"])


@holds("What each face calls it: snapshot policy", "CloudStack: Snapshot policies")
def test_snapshot_policies(dev, disk):
    tag = {"tags[0].key": "by", "tags[0].value": "policy"}
    given = {"volumeid": disk["id"], "intervaltype": "DAILY", "schedule": "30:02", "timezone": "America/New_York", "maxsnaps": "2"}
    daily = ok(dev, "createSnapshotPolicy", **given, **tag)["snapshotpolicy"]
    assert {k: str(daily[k]) for k in given} == {**given, "intervaltype": "1"} and daily["fordisplay"] and daily["tags"][0]["resourcetype"] == "SnapshotPolicy"
    weekly = ok(dev, "createSnapshotPolicy", **{**given, "intervaltype": "weekly", "schedule": "0:5:7"})["snapshotpolicy"]
    again = ok(dev, "createSnapshotPolicy", **{**given, "schedule": "15:03", "maxsnaps": "8"})["snapshotpolicy"]
    assert (again["id"], again["schedule"], again["maxsnaps"], again["tags"]) == (daily["id"], "15:03", 8, [])
    for query in [{"id": again["id"]}, {"volumeid": disk["id"], "page": "1", "pagesize": "1"}]:
        assert ok(dev, "listSnapshotPolicies", **query)["snapshotpolicy"][0]["volumeid"] == disk["id"]
    assert {p["id"] for p in ok(dev, "listSnapshotPolicies", volumeid=disk["id"])["snapshotpolicy"]} == {daily["id"], weekly["id"]}
    hidden = ok(dev, "updateSnapshotPolicy", id=weekly["id"], fordisplay="false")["snapshotpolicy"]
    assert not hidden["fordisplay"] and [p["id"] for p in ok(dev, "listSnapshotPolicies", fordisplay="false")["snapshotpolicy"]] == [weekly["id"]]
    for wrong, words in [({"intervaltype": "YEARLY"}, "Unsupported interval type YEARLY"), ({"schedule": "60:02"}, "invalid schedule [60:02] for interval type [DAILY]"),
                         ({"schedule": "5"}, "invalid schedule"), ({"timezone": "../UTC"}, "There is no timezone '../UTC'."),
                         ({"maxsnaps": "9"}, "exceeds limit [8] for interval type [DAILY]"), ({"maxsnaps": "0"}, "should be greater than 0"),
                         ({"intervaltype": "MONTHLY", "schedule": "0:0:29"}, "invalid schedule")]:
        code, text = refused(dev, "createSnapshotPolicy", **{**given, **wrong})
        assert code == 431 and words in text, (wrong, text)
    assert refused(dev, "deleteSnapshotPolicies") == (431, "No policy id (or list of ids) specified.")
    code, text = refused(dev, "deleteSnapshotPolicies", ids=daily["id"] + "," + disk["id"])
    assert code == 431 and SENTENCE in text and ok(dev, "listSnapshotPolicies", id=daily["id"])["count"] == 1
    assert ok(dev, "deleteSnapshotPolicies", ids=daily["id"] + "," + weekly["id"]) == {"success": "true"}
    assert ok(dev, "listSnapshotPolicies") == {}


@holds("What each face calls it: instance snapshot", "CloudStack: VM snapshots")
def test_vm_snapshots(dev, ec2, place, disk):
    vm = ok(dev, "deployVirtualMachine", **place)["virtualmachine"]["id"]
    ok(dev, "attachVolume", id=disk["id"], virtualmachineid=vm)
    status, answer, _ = call(dev, "createVMSnapshot", virtualmachineid=vm, name="one", description="x", snapshotmemory="false", quiescevm="false")
    assert status == 200 and set(answer) == {"id", "jobid"}
    one = wait(dev, answer)[1]["vmsnapshot"]
    assert (one["id"], one["displayname"], one["description"], one["state"], one["type"]) == (answer["id"], "one", "x", "Ready", "Disk")
    assert one["current"] and one["virtualmachineid"] == vm and one["zoneid"] == place["zoneid"] and "parent" not in one
    assert refused(dev, "createVMSnapshot", virtualmachineid=vm, name="one") == (
        431, "Creating VM snapshot failed due to VM snapshot with nameone  already exists")
    two = ok(dev, "createVMSnapshot", virtualmachineid=vm)["vmsnapshot"]
    assert (two["parent"], two["parentName"], two["name"]) == (one["id"], "one", two["displayname"])
    one = ok(dev, "listVMSnapshot", vmsnapshotid=one["id"])["vmSnapshot"][0]
    assert not one["current"]
    for given in [{"vmsnapshotids": one["id"]}, {"name": "one"}, {"virtualmachineid": vm, "keyword": "on", "name": "one"}, {"state": "ready", "name": "one"}]:
        assert ok(dev, "listVMSnapshot", **given)["vmSnapshot"] == [one], given
    for given in [{"name": "x"}, {"state": "Error"}, {"virtualmachineid": disk["id"]}, {"tags[0].key": "of", "tags[0].value": "x"}]:
        assert ok(dev, "listVMSnapshot", **given) == {}, given
    ok(dev, "createTags", resourceids=one["id"], resourcetype="VMSnapshot", **{"tags[0].key": "of", "tags[0].value": "x"})
    assert ok(dev, "listVMSnapshot", **{"tags[0].key": "of", "tags[0].value": "x"})["vmSnapshot"][0]["id"] == one["id"]
    # in other faces it is the snapshots of its disks, which stay with it, as its disks stay with the machine
    parts = [s for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] if s["Description"] == "one"]
    assert len(parts) == 2 and ec2_id("vol", disk["id"]) in {s["VolumeId"] for s in parts}
    assert ok(dev, "listSnapshots", volumeid=disk["id"]) == {}
    with pytest.raises(ec2.exceptions.ClientError, match="InvalidSnapshot.InUse"):
        ec2.delete_snapshot(SnapshotId=parts[0]["SnapshotId"])
    with pytest.raises(ec2.exceptions.ClientError, match="IncorrectInstanceState"):
        ec2.detach_volume(VolumeId=ec2_id("vol", disk["id"]))
    assert refused(dev, "detachVolume", id=disk["id"]) == (431, "Unable to detach volume, please specify a VM that does not have VM snapshots")
    assert refused(dev, "resizeVolume", id=disk["id"], size="9") == (431, "A volume that is attached to a VM with any VM snapshots cannot be resized.")
    assert refused(dev, "revertToVMSnapshot", vmsnapshotid=one["id"])[1].startswith("VM Snapshot revert not allowed.")
    assert refused(dev, "restoreVirtualMachine", virtualmachineid=vm) == (431, "Unable to restore VM, please remove VM snapshots before restoring VM")
    ok(dev, "stopVirtualMachine", id=vm)
    small = ok(dev, "listServiceOfferings", name="t3.small")["serviceoffering"][0]["id"]
    ok(dev, "scaleVirtualMachine", id=vm, serviceofferingid=small)
    machine = ok(dev, "revertToVMSnapshot", vmsnapshotid=one["id"])["virtualmachine"]
    assert (machine["id"], machine["state"], machine["serviceofferingid"]) == (vm, "Stopped", place["serviceofferingid"])
    assert {s["displayname"]: s["current"] for s in ok(dev, "listVMSnapshot")["vmSnapshot"]} == {"one": True, two["displayname"]: False}
    assert ok(dev, "deleteVMSnapshot", vmsnapshotid=two["id"]) == {"success": True}
    ok(dev, "startVirtualMachine", id=vm)
    ok(dev, "destroyVirtualMachine", id=vm)
    assert ok(dev, "listVMSnapshot") == {} and not [s for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] if s["Description"] == "one"]


def test_a_volume_changes(dev, ec2, disk):
    larger = ok(dev, "resizeVolume", id=disk["id"], size="3", shrinkok="false")["volume"]
    assert larger["size"] == 3 << 30 and ec2.describe_volumes(VolumeIds=[ec2_id("vol", disk["id"])])["Volumes"][0]["Size"] == 3
    assert refused(dev, "resizeVolume", id=disk["id"], size="1", shrinkok="true")[0] == 431
    assert refused(dev, "resizeVolume", id=disk["id"])[0] == 431
    offering = ok(dev, "listDiskOfferings", name="gp2")["diskoffering"][0]
    assert ok(dev, "changeOfferingForVolume", id=disk["id"], diskofferingid=offering["id"])["volume"]["diskofferingname"] == "gp2"
    assert ok(dev, "resizeVolume", id=disk["id"], diskofferingid=offering["id"], size="4")["volume"]["size"] == 4 << 30
    assert ok(dev, "updateVolume", id=disk["id"], name="facts")["volume"]["name"] == "facts"
    assert refused(dev, "updateVolume", id=disk["id"], name="x" * 256)[0] == 431
    assert refused(dev, "updateVolume", id=disk["id"], path="/tmp/x") == (
        431, "Unable to execute API command updatevolume due to the parameter path, which is not supported")
    assert refused(dev, "migrateVolume", volumeid=disk["id"], storageid=disk["id"])[0] == 401  # for administrators
    assert refused(dev, "migrateVirtualMachineWithVolume", virtualmachineid=disk["id"])[0] == 432


# ---- templates and ISOs

@pytest.fixture(scope="module")
def os_type(dev):
    return ok(dev, "listOsTypes", description="Ubuntu 22.04 LTS")["ostype"][0]


def test_os_types(dev, driver, os_type):
    everything = ok(dev, "listOsTypes")
    assert everything["count"] == len(everything["ostype"]) == len({t["id"] for t in everything["ostype"]}) == len(driver.ex_list_os_types())
    categories = {c["name"]: c["id"] for c in ok(dev, "listOsCategories")["oscategory"]}
    assert {t["oscategoryid"] for t in everything["ostype"]} == set(categories.values())
    assert os_type["oscategoryid"] == categories["Ubuntu"]
    for given in [{"id": os_type["id"]}, {"ids": os_type["id"]}, {"oscategoryid": categories["Ubuntu"], "keyword": "22.04"}]:
        assert ok(dev, "listOsTypes", **given)["ostype"] == [os_type], given
    assert len(ok(dev, "listOsTypes", page="2", pagesize="5")["ostype"]) == 5
    assert ok(dev, "listOsTypes", keyword="CP/M") == ok(dev, "listOsCategories", name="CP/M") == {}
    assert ok(dev, "listOsCategories", id=categories["Debian"])["oscategory"] == [{"id": categories["Debian"], "name": "Debian"}]


@holds("CloudStack: Templates that are made")
def test_templates_are_made(dev, driver, ec2, place, os_type):
    """From the root disk of a stopped machine, and from a snapshot; machines start from both."""
    machine = ok(dev, "deployVirtualMachine", **place)["virtualmachine"]
    root = ok(dev, "listVolumes", virtualmachineid=machine["id"], type="ROOT")["volume"][0]
    said = {"displaytext": "A template", "ostypeid": os_type["id"]}
    code, words = refused(dev, "createTemplate", name="of-a-disk", volumeid=root["id"], **said)
    assert code == 431 and words.endswith("volume is attached to a non-stopped VM, please stop the VM first")
    ok(dev, "stopVirtualMachine", id=machine["id"])
    made = ok(dev, "createTemplate", name="of-a-disk", volumeid=root["id"], **said)["template"]
    assert made["isready"] and (made["name"], made["displaytext"], made["ostypename"]) == ("of-a-disk", "A template", "Ubuntu 22.04 LTS")
    assert made["account"] == "dev" and not made["ispublic"] and made["templatetype"] == "USER"
    snapshot = next(s for s in [driver.create_volume_snapshot(v) for v in driver.list_volumes() if v.id == root["id"]])
    other = driver.ex_create_snapshot_template(snapshot, "of-a-snapshot", os_type["id"])
    assert other.extra["os"] == "Ubuntu 22.04 LTS" and driver.destroy_volume_snapshot(snapshot)  # the template does not depend on it
    assert {t["name"] for t in ok(dev, "listTemplates", templatefilter="self")["template"]} == {"of-a-disk", "of-a-snapshot"}
    assert {ec2_id("ami", made["id"]), ec2_id("ami", other.id)} == {i["ImageId"] for i in ec2.describe_images(Owners=["self"])["Images"]}
    again = ok(dev, "deployVirtualMachine", **{**place, "templateid": other.id})["virtualmachine"]
    assert again["templatename"] == "of-a-snapshot" and again["state"] == "Running"
    code, words = refused(dev, "deleteTemplate", id=other.id)
    assert code == 431 and "cannot be deleted while instances are made from it" in words
    assert ok(dev, "deleteTemplate", id=other.id, forced="true") == {"success": True}
    for id_ in [machine["id"], again["id"]]:
        ok(dev, "destroyVirtualMachine", id=id_)
    for wrong in [{}, {"volumeid": root["id"], "snapshotid": snapshot.id}]:
        assert refused(dev, "createTemplate", name="x", **said, **wrong)[0] == 431
    assert SENTENCE in refused(dev, "createTemplate", name="x", displaytext="x", ostypeid="x", volumeid=root["id"])[1]
    assert SENTENCE in refused(dev, "deleteIso", id=made["id"])[1]  # it is not an ISO


@holds("CloudStack: Templates that are shared")
def test_templates_are_shared(dev, os_type):
    mine, = ok(dev, "listTemplates", templatefilter="self")["template"]
    changed = ok(dev, "updateTemplate", id=mine["id"], name="better", displaytext="A better one", **{"details[0].UEFI": "LEGACY"})["template"]
    assert (changed["name"], changed["displaytext"], changed["ostypeid"], changed["details"]) == ("better", "A better one", os_type["id"], {"UEFI": "LEGACY"})
    assert refused(dev, "updateTemplate", id=mine["id"], **{"details[0].hypervisortoolsversion": "xenserver61"}) == (
        431, "The detail hypervisortoolsversion is not supported with that value")
    other = dev.new_account("cloudstack-templates")
    who = {"_key": other.key_id, "_secret": other.secret}
    name = ok(dev, "listAccounts", **who)["account"][0]["name"]
    assert ok(dev, "listTemplates", templatefilter="sharedexecutable", **who) == {}
    assert ok(dev, "updateTemplatePermissions", id=mine["id"], op="add", accounts=name) == {"success": "true"}
    assert [t["id"] for t in ok(dev, "listTemplates", templatefilter="sharedexecutable", **who)["template"]] == [mine["id"]]
    assert ok(dev, "listTemplatePermissions", id=mine["id"])["templatepermission"]["account"] == [name]
    assert refused(dev, "updateTemplate", id=mine["id"], name="theirs", **who)[0] == 431
    assert refused(dev, "updateTemplatePermissions", id=mine["id"], accounts=name)[1].startswith("Invalid operation on accounts")
    assert refused(dev, "updateTemplatePermissions", id=mine["id"], op="add", accounts="nobody")[0] == 431
    ok(dev, "updateTemplatePermissions", id=mine["id"], op="remove", accounts=name)
    assert ok(dev, "listTemplates", templatefilter="sharedexecutable", **who) == {}
    ok(dev, "updateTemplatePermissions", id=mine["id"], ispublic="true")
    assert [t["id"] for t in ok(dev, "listTemplates", templatefilter="community", **who)["template"]] == [mine["id"]]
    ok(dev, "updateTemplatePermissions", id=mine["id"], op="reset")
    assert ok(dev, "listTemplates", templatefilter="community", **who) == {}
    ok(dev, "deleteTemplate", id=mine["id"])


@pytest.fixture(scope="module")
def web():
    """A web server with one disk, under any path, without Content-Length."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if "gone" in self.path else 200)
            self.send_header("Content-Length", "0" if "gone" in self.path else str(1 << 20))
            self.end_headers()
            self.wfile.write(b"" if "gone" in self.path else bytes(1 << 20))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def ready(dev, command, item, id_, **given):
    def look():
        one, = ok(dev, command, id=id_, **given)[item]
        return one["isready"] and one
    return waiting.wait_until(look, f"{id_} is ready")


@holds("CloudStack: Templates that are fetched")
def test_templates_are_fetched(dev, place, web, os_type):
    said = {"name": "fetched", "displaytext": "From elsewhere", "hypervisor": "KVM", "ostypeid": os_type["id"], "zoneid": place["zoneid"]}
    answer = ok(dev, "registerTemplate", url=f"{web}/disk.raw", format="raw", **{"details[0].rootDiskController": "sata"}, **said)
    one, = answer["template"]
    assert answer["count"] == 1 and not one["isready"] and (one["format"], one["details"]) == ("RAW", {"rootDiskController": "sata"})
    done = ready(dev, "listTemplates", "template", one["id"], templatefilter="self")
    assert done["status"] == "Download Complete" and done["physicalsize"] == 1 << 20 and len(done["checksum"]) == 32
    assert ok(dev, "deployVirtualMachine", **{**place, "templateid": one["id"]})["virtualmachine"]["state"] == "Running"
    failed, = ok(dev, "registerTemplate", url=f"{web}/gone", format="QCOW2", **said)["template"]

    def status():
        return ok(dev, "listTemplates", id=failed["id"], templatefilter="self")["template"][0]["status"]
    waiting.wait_until(lambda: status() != "Not downloaded", "the download fails")
    assert "404" in status()
    ok(dev, "deleteTemplate", id=failed["id"], zoneid=place["zoneid"])
    for wrong in [{"format": "ISO"}, {"format": "OVA"}, {"hypervisor": "VMware"}, {"url": "ftp://x/y"}, {"zoneid": "x"}, {"ostypeid": "x"}, {"bits": "32"}]:
        assert refused(dev, "registerTemplate", **{"url": f"{web}/disk.raw", "format": "RAW", **said, **wrong})[0] == 431, wrong
    ok(dev, "deleteTemplate", id=one["id"], forced="true")


def test_details(dev, place, web, os_type):
    """A machine has the hardware that its template's details name."""
    said = {"name": "odd", "displaytext": "Odd hardware", "hypervisor": "KVM", "ostypeid": os_type["id"], "format": "RAW", "url": f"{web}/odd.raw"}
    one, = ok(dev, "registerTemplate", **said, **{"details[0].rootDiskController": "ide", "details[0].nicAdapter": "e1000"})["template"]
    ready(dev, "listTemplates", "template", one["id"], templatefilter="self")
    machine = ok(dev, "deployVirtualMachine", startvm="false", **{**place, "templateid": one["id"]})["virtualmachine"]
    details = {"rootDiskController": "sata", "nicAdapter": "E1000"}
    assert machine["details"] == one["details"] == details
    for type_, id_ in [("UserVm", machine["id"]), ("Template", one["id"])]:
        listed = ok(dev, "listResourceDetails", resourcetype=type_, resourceid=id_)
        assert listed["count"] == 2 and {d["key"]: d["value"] for d in listed["resourcedetail"]} == details
        assert [d["value"] for d in ok(dev, "listResourceDetails", resourcetype=type_, resourceid=id_, key="nicAdapter")["resourcedetail"]] == ["E1000"]
    root, = ok(dev, "listVolumes", virtualmachineid=machine["id"])["volume"]
    assert (root["templatename"], root["serviceofferingname"], root["virtualsize"]) == ("odd", "t3.micro", root["size"])
    assert ok(dev, "listResourceDetails", resourcetype="Volume", resourceid=root["id"]) == {}
    assert refused(dev, "listResourceDetails", resourcetype="UserVm")[0] == refused(dev, "listResourceDetails", resourcetype="Moon", resourceid="x")[0] == 431
    assert SENTENCE in refused(dev, "listResourceDetails", resourcetype="UserVm", resourceid=root["id"])[1]
    ok(dev, "destroyVirtualMachine", id=machine["id"])
    ok(dev, "deleteTemplate", id=one["id"], forced="true")


def test_isos(dev, driver, place, web, os_type):
    assert [i["name"] for i in driver.ex_register_iso("tools", f"{web}/tools.iso")["iso"]] == ["tools"]
    boots, = ok(dev, "registerIso", name="boots", displaytext="It boots", url=f"{web}/boots.iso", ostypeid=os_type["id"], zoneid="-1")["iso"]
    assert ready(dev, "listIsos", "iso", boots["id"], isofilter="self")["format"] == "ISO"
    assert ok(dev, "listIsos", isofilter="self", name="boots")["iso"][0]["id"] == boots["id"]
    assert ok(dev, "listTemplates", templatefilter="self") == {}  # an ISO is not in the list of templates
    assert refused(dev, "registerIso", name="x", displaytext="x", url=f"{web}/x.iso", zoneid=place["zoneid"])[1] == "Please pass a valid GuestOS Id"
    assert ok(dev, "updateIso", id=boots["id"], name="boot")["iso"]["name"] == "boot"
    assert SENTENCE in refused(dev, "updateTemplate", id=boots["id"], name="x")[1]
    ok(dev, "updateIsoPermissions", id=boots["id"], ispublic="true")
    assert ok(dev, "listIsoPermissions", id=boots["id"])["isopermission"]["ispublic"]
    for one in ok(dev, "listIsos", isofilter="self")["iso"]:
        assert ok(dev, "deleteIso", id=one["id"]) == {"success": True}
    assert ok(dev, "listIsos", isofilter="self") == {}


# ---- machines

def node_of(id_):
    """A node for Libcloud: its own list would also ask for public addresses."""
    return types.SimpleNamespace(id=id_)


@pytest.fixture(scope="module")
def machine(dev, place):
    """Id of a running machine."""
    return ok(dev, "deployVirtualMachine", name="changing", **place)["virtualmachine"]["id"]


def test_a_machine_changes(dev, ec2, machine):
    changed = ok(dev, "updateVirtualMachine", id=machine, name="changed", displayname="It changed", deleteprotection="true")["virtualmachine"]
    assert (changed["name"], changed["displayname"], changed["deleteprotection"], changed["state"]) == ("changed", "It changed", True, "Running")
    assert changed["osdisplayname"] == "Other Linux (64-bit)" and changed["ostypeid"] == changed["guestosid"] and changed["boottype"] == "BIOS"
    assert refused(dev, "destroyVirtualMachine", id=machine)[0] == 431
    ok(dev, "updateVirtualMachine", id=machine, deleteprotection="false")
    data = base64.b64encode(b"#!/bin/true").decode()
    assert refused(dev, "updateVirtualMachine", id=machine, userdata=data)[0] == 431  # it is running
    group = ec2.create_security_group(GroupName="tight", Description="x")["GroupId"]
    for given in [{"securitygroupnames": "tight"}, {"securitygroupids": changed["securitygroup"][0]["id"]}]:
        shown = ok(dev, "updateVirtualMachine", id=machine, **given)["virtualmachine"]["securitygroup"]
        assert [g["name"] for g in shown] == ["tight" if "securitygroupnames" in given else "default"]
    ec2.delete_security_group(GroupId=group)
    assert changed["haenable"] is False and ok(dev, "updateVirtualMachine", id=machine, haenable="true")["virtualmachine"]["haenable"] is True
    ok(dev, "stopVirtualMachine", id=machine)
    ok(dev, "updateVirtualMachine", id=machine, userdata=data)
    assert ok(dev, "getVirtualMachineUserData", virtualmachineid=machine)["virtualmachineuserdata"] == {"virtualmachineid": machine, "userdata": data}


def test_another_size(dev, driver, machine):
    small, large = (next(s for s in driver.list_sizes() if s.name == name) for name in ["t3.small", "t3.medium"])
    assert driver.ex_change_node_size(node_of(machine), small) == small.id
    changed = ok(dev, "changeServiceForVirtualMachine", id=machine, serviceofferingid=large.id)["virtualmachine"]
    assert (changed["serviceofferingname"], changed["memory"], changed["state"]) == ("t3.medium", 4096, "Stopped")
    assert ok(dev, "startVirtualMachine", id=machine)["virtualmachine"]["memory"] == 4096
    for command in ["scaleVirtualMachine", "changeServiceForVirtualMachine"]:
        code, words = refused(dev, command, id=machine, serviceofferingid=small.id)
        assert code == 431 and "is not in the 'stopped' state" in words


@holds("CloudStack: A machine that is destroyed")
def test_destroyed(dev, ec2, place):
    """It can be recovered for a while, also by Nova's call, and keeps its resources until it ends."""
    admin, nova = admin_key(dev), cloud.own(dev)
    offering = ok(dev, "listDiskOfferings", name="gp3")["diskoffering"][0]["id"]
    made = ok(dev, "deployVirtualMachine", name="twice", **place)["virtualmachine"]
    machine, address = made["id"], made["nic"][0]["ipaddress"]
    kept, gone = (ok(dev, "createVolume", name=name, diskofferingid=offering, size="1", zoneid=place["zoneid"])["volume"]["id"] for name in ["kept", "gone"])
    for disk in [kept, gone]:
        ok(dev, "attachVolume", id=disk, virtualmachineid=machine)
    root = ok(dev, "listVolumes", virtualmachineid=machine, type="ROOT")["volume"][0]["id"]
    assert refused(dev, "destroyVirtualMachine", id=machine, volumeids=root)[0] == 431
    assert ok(dev, "destroyVirtualMachine", id=machine, volumeids=gone)["virtualmachine"]["state"] == "Destroyed"
    assert ok(dev, "listVirtualMachines", id=machine) == {} == ok(dev, "listVirtualMachines", id=machine, state="Destroyed")
    shown, = ok(dev, "listVirtualMachines", id=machine, **admin)["virtualmachine"]
    assert (shown["state"], shown["nic"][0]["ipaddress"]) == ("Destroyed", address)
    assert ok(dev, "listVirtualMachines", id=machine, state="Present", **admin) == {}
    left = {v["id"]: v.get("virtualmachineid") for v in ok(dev, "listVolumes")["volume"]}
    assert left[kept] is None and left[root] == machine and gone not in left
    assert refused(dev, "recoverVirtualMachine", id=machine)[0] == 531 == refused(dev, "expungeVirtualMachine", id=machine)[0]
    assert refused(dev, "startVirtualMachine", id=machine)[0] == 431
    seen = ec2.describe_instances(InstanceIds=[ec2_id("i", machine)])["Reservations"][0]["Instances"][0]
    assert seen["State"]["Name"] == "stopped" and seen["PrivateIpAddress"] == address
    with pytest.raises(botocore.exceptions.ClientError, match="IncorrectInstanceState"):
        ec2.start_instances(InstanceIds=[ec2_id("i", machine)])
    server = f"/compute/v2.1/servers/{machine}"
    assert nova.ok("GET", server)["server"]["status"] == "SOFT_DELETED"
    assert machine not in {s["id"] for s in nova.ok("GET", "/compute/v2.1/servers")["servers"]}
    assert nova.call("POST", f"{server}/action", {"os-start": None}).status == 409
    recovered = ok(dev, "recoverVirtualMachine", id=machine, **admin)["virtualmachine"]
    assert (recovered["state"], recovered["nic"][0]["ipaddress"]) == ("Stopped", address)
    assert refused(dev, "recoverVirtualMachine", id=machine, **admin)[1] == f"Vm with id {machine} is not in the right state"
    ok(dev, "startVirtualMachine", id=machine)
    ok(dev, "destroyVirtualMachine", id=machine)
    assert nova.call("POST", f"{server}/action", {"restore": None}).status == 202
    dev.rest()
    assert ok(dev, "listVirtualMachines", id=machine)["virtualmachine"][0]["state"] == "Running"
    ok(dev, "destroyVirtualMachine", id=machine)
    assert nova.call("POST", f"{server}/action", {"forceDelete": None}).status == 202
    dev.rest()
    assert machine not in {m["id"] for m in ok(dev, "listVirtualMachines", listall="true", **admin)["virtualmachine"]}
    ok(dev, "deleteVolume", id=kept)


@holds("CloudStack: ISOs that are attached")
def test_isos_attached(dev, ec2, place):
    nova = cloud.own(dev)
    isos = []
    for name in ["tools", "drivers"]:
        made = nova.ok("POST", "/image/v2/images", {"name": name, "disk_format": "iso", "container_format": "bare"})["id"]
        sent = nova.call("PUT", f"/image/v2/images/{made}/file", raw=b"CD" * 4096, headers={"Content-Type": "application/octet-stream"})
        assert sent.status == 204, sent
        isos.append(made)
    machine = ok(dev, "deployVirtualMachine", name="reader", **place)["virtualmachine"]["id"]
    assert refused(dev, "detachIso", virtualmachineid=machine)[1] == "The specified VM has no ISO attached to it."
    for iso, name in zip(isos, ["tools", "drivers"]):
        shown = ok(dev, "attachIso", id=iso, virtualmachineid=machine, forced="true")["virtualmachine"]
        assert (shown["isoid"], shown["isoname"], shown["isodisplaytext"], shown["state"]) == (iso, name, name, "Running")
    assert [m["id"] for m in ok(dev, "listVirtualMachines", isoid=isos[1])["virtualmachine"]] == [machine]
    assert ok(dev, "listVirtualMachines", isoid=isos[0]) == {}
    assert ok(dev, "listVolumes", virtualmachineid=machine)["count"] == 1
    disks = ec2.describe_instances(InstanceIds=[ec2_id("i", machine)])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    assert "/dev/sr0" in {d["DeviceName"] for d in disks}
    medium = next(d["Ebs"]["VolumeId"] for d in disks if d["DeviceName"] == "/dev/sr0")
    with pytest.raises(botocore.exceptions.ClientError, match="IncorrectState"):
        ec2.detach_volume(VolumeId=medium)
    assert "isoid" not in ok(dev, "detachIso", virtualmachineid=machine)["virtualmachine"]
    assert refused(dev, "attachIso", id=place["templateid"], virtualmachineid=machine)[0] == 431
    assert refused(dev, "deployVirtualMachine", **{**place, "templateid": isos[0]})[0] == 431
    offering = ok(dev, "listDiskOfferings", name="gp3")["diskoffering"][0]["id"]
    installed = ok(dev, "deployVirtualMachine", hypervisor="KVM", diskofferingid=offering, size="3", **{**place, "templateid": isos[0]})["virtualmachine"]
    assert (installed["templateid"], installed["isoid"], installed["state"]) == (isos[0], isos[0], "Running")
    root, = ok(dev, "listVolumes", virtualmachineid=installed["id"])["volume"]
    assert (root["type"], root["size"] >> 30) == ("ROOT", 3)
    server = ec2.run_instances(ImageId=ec2.describe_images()["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]
    dev.rest()
    other = next(m["id"] for m in ok(dev, "listVirtualMachines")["virtualmachine"] if ec2_id("i", m["id"]) == server["InstanceId"])
    assert "has no CD-ROM drive" in refused(dev, "attachIso", id=isos[0], virtualmachineid=other)[1]
    ok(dev, "stopVirtualMachine", id=other)
    assert ok(dev, "attachIso", id=isos[0], virtualmachineid=other)["virtualmachine"]["isoid"] == isos[0]
    for id_ in [machine, installed["id"], other]:
        ok(dev, "destroyVirtualMachine", id=id_)
    ok(dev, "deleteIso", id=isos[1])
    assert "instances are made from it" in refused(dev, "deleteIso", id=isos[0])[1]  # its machine could still be recovered


@holds("CloudStack: A machine that is restored")
def test_restored(dev, driver, ec2, machine):
    before, = ok(dev, "listVolumes", virtualmachineid=machine, type="ROOT")["volume"]
    template = ok(dev, "listVirtualMachines", id=machine)["virtualmachine"][0]["templateid"]
    assert driver.ex_restore(node_of(machine)) == template
    after, = ok(dev, "listVolumes", virtualmachineid=machine, type="ROOT")["volume"]
    assert after["id"] != before["id"] and ok(dev, "listVirtualMachines", id=machine)["virtualmachine"][0]["state"] == "Running"
    seen = ec2.describe_instances(InstanceIds=[ec2_id("i", machine)])["Reservations"][0]["Instances"][0]
    assert ec2_id("vol", after["id"]) in {d["Ebs"]["VolumeId"] for d in seen["BlockDeviceMappings"]}
    assert SENTENCE in refused(dev, "restoreVirtualMachine", virtualmachineid=machine, templateid=machine)[1]


def test_keys_and_passwords(dev, machine):
    for name in ["old", "new"]:
        ok(dev, "createSSHKeyPair", name=name)
    assert refused(dev, "resetSSHKeyForVirtualMachine", id=machine, keypair="new")[0] == 431  # it is running
    assert refused(dev, "resetSSHKeyForVirtualMachine", id=machine)[1] == "A valid keypair or keypairs parameter must be provided"
    ok(dev, "stopVirtualMachine", id=machine)
    for given in [{"keypair": "old"}, {"keypairs": "new"}]:
        assert ok(dev, "resetSSHKeyForVirtualMachine", id=machine, **given)["virtualmachine"]["keypair"] == list(given.values())[0]
    assert refused(dev, "resetSSHKeyForVirtualMachine", id=machine, keypair="none")[0] == 431
    code, words = refused(dev, "resetPasswordForVirtualMachine", id=machine)
    assert (code, words) == (431, "Fail to reset password for the virtual machine, the template is not password enabled")
    assert refused(dev, "getVMPassword", id=machine)[1].startswith("No password for VM with specified id found.")
    ok(dev, "startVirtualMachine", id=machine)


@holds("CloudStack: What a guest is told")
def test_passwords(dev, place, os_type):
    """For a template with passwords: shown once to the caller, and to the guest until it confirms."""
    machine = ok(dev, "deployVirtualMachine", startvm="false", **place)["virtualmachine"]
    assert "password" not in machine and not machine["passwordenabled"]
    root = ok(dev, "listVolumes", virtualmachineid=machine["id"], type="ROOT")["volume"][0]["id"]
    template = ok(dev, "createTemplate", name="asks", displaytext="asks", ostypeid=os_type["id"], volumeid=root, passwordenabled="true")["template"]
    assert template["passwordenabled"] and ok(dev, "listTemplates", templatefilter="self", id=template["id"])["template"][0]["passwordenabled"]
    status, answer, _ = call(dev, "deployVirtualMachine", name="asks", **{**place, "templateid": template["id"]})
    made = wait(dev, answer)[1]["virtualmachine"]
    first = made["password"]
    assert status == 200 and made["passwordenabled"] and len(first) == 16
    assert "password" not in ok(dev, "listVirtualMachines", id=made["id"])["virtualmachine"][0]
    assert all("password" not in j.get("jobresult", {}).get("virtualmachine", {}) or j["jobresult"]["virtualmachine"]["password"] == first
               for j in ok(dev, "listAsyncJobs")["asyncjobs"])

    def serve(what, identifier=made["id"]):
        request = urllib.request.Request(f"{dev.metadata}/{ec2_id('i', identifier)}/", headers={"DomU_Request": what})
        with urllib.request.urlopen(request) as told:
            return told.read().decode()
    assert serve("send_my_password", machine["id"]) == "saved_password"
    assert [serve(what) for what in ("send_my_password", "saved_password", "send_my_password")] == [first, "saved_password", "saved_password"]
    assert refused(dev, "resetPasswordForVirtualMachine", id=made["id"])[0] == 431  # it is running
    ok(dev, "stopVirtualMachine", id=made["id"])
    again = ok(dev, "resetPasswordForVirtualMachine", id=made["id"])["virtualmachine"]["password"]
    assert again != first and serve("send_my_password") == again
    assert ok(dev, "resetPasswordForVirtualMachine", id=made["id"], password="My own")["virtualmachine"]["password"] == "My own"
    assert serve("send_my_password") == "My own"
    assert not ok(dev, "updateTemplate", id=template["id"], passwordenabled="false")["template"]["passwordenabled"]
    for one in (made, machine):
        ok(dev, "destroyVirtualMachine", id=one["id"])
    ok(dev, "deleteTemplate", id=template["id"], forced="true")


@holds("CloudStack: Affinity groups")
def test_affinity_groups(dev, driver, ec2, place, machine):
    kinds = {t.type: t for t in driver.ex_list_affinity_group_types()}
    assert set(kinds) == {"host affinity", "host anti-affinity", "non-strict host affinity", "non-strict host anti-affinity"}
    group = driver.ex_create_affinity_group("apart", kinds["host anti-affinity"])
    assert (group.name, group.description) == ("apart", "apart")
    assert ec2.describe_placement_groups(GroupNames=["apart"])["PlacementGroups"][0]["Strategy"] == "spread"
    assert refused(dev, "createAffinityGroup", name="apart", type="host affinity")[0] == 431
    assert refused(dev, "createAffinityGroup", name="x", type="moon affinity")[1].startswith("Unable to create affinity group, invalid")
    one = ok(dev, "deployVirtualMachine", affinitygroupnames="apart", **place)["virtualmachine"]
    assert [g["id"] for g in one["affinitygroup"]] == [group.id]
    ok(dev, "stopVirtualMachine", id=machine)
    assert driver.ex_update_node_affinity_group(node_of(machine), [group]).id == machine
    for given in [{"id": group.id}, {"name": "APART"}, {"type": "host anti-affinity"}, {"virtualmachineid": machine}]:
        shown, = ok(dev, "listAffinityGroups", **given)["affinitygroup"]
        assert set(shown["virtualmachineIds"]) == {one["id"], machine}, given
    assert ok(dev, "listAffinityGroups", type="host affinity") == {}
    assert ok(dev, "updateVMAffinityGroup", id=machine)["virtualmachine"]["affinitygroup"] == []
    assert refused(dev, "updateVMAffinityGroup", id=machine, affinitygroupids=group.id, affinitygroupnames="apart")[0] == 431
    assert refused(dev, "deleteAffinityGroup")[0] == 431
    assert driver.ex_delete_affinity_group(group) and driver.ex_list_affinity_groups() == []
    ok(dev, "createAffinityGroup", name="near", type="host affinity", description="Close")
    assert ok(dev, "deleteAffinityGroup", name="near") == {"success": True}
    ok(dev, "destroyVirtualMachine", id=one["id"])
    ok(dev, "startVirtualMachine", id=machine)


def test_metrics(dev, machine):
    one, = ok(dev, "listVirtualMachinesMetrics", id=machine)["virtualmachine"]
    assert (one["cputotal"], one["memorytotal"], one["ipaddress"]) == ("2.00 Ghz", "4.00 GB", one["nic"][0]["ipaddress"])
    assert {k: v for k, v in one.items() if k not in ("cputotal", "memorytotal", "ipaddress")} == ok(dev, "listVirtualMachines", id=machine)["virtualmachine"][0]


def test_console(dev, machine):
    """The URL opens the console's page, with a key and in a session."""
    answer = ok(dev, "createConsoleEndpoint", virtualmachineid=machine)["consoleendpoint"]
    assert answer["success"] and answer["url"].startswith(f"http://127.0.0.1:{dev.port}/console/vnc/vnc.html?")
    assert (answer["websocket"]["host"], answer["websocket"]["port"]) == ("127.0.0.1", str(dev.port))
    socket = f"http://127.0.0.1:{dev.port}{answer['websocket']['path']}"
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert http_status(socket, headers) == 101
    assert http_status(socket[:-1] + "x", headers) in (401, 403)
    ok(dev, "stopVirtualMachine", id=machine)
    assert refused(dev, "createConsoleEndpoint", virtualmachineid=machine)[0] == 431


@holds("CloudStack: User data by name")
def test_user_data(dev, ec2, place, os_type):
    data = base64.b64encode(b"#!/bin/sh\necho one").decode()
    one = ok(dev, "registerUserData", name="one", userdata=data)["userdata"]
    assert (one["name"], one["userdata"], one["account"]) == ("one", data, "dev") and ok(dev, "listUserData", id=one["id"])["userdata"] == [one]
    assert refused(dev, "registerUserData", name="one", userdata=data)[1] == "A userdata record with name one already exists for owner."
    assert ok(dev, "listUserData", name="none") == {}
    machine = ok(dev, "deployVirtualMachine", userdataid=one["id"], startvm="false", **place)["virtualmachine"]["id"]
    shown = lambda id_: ok(dev, "getVirtualMachineUserData", virtualmachineid=id_)["virtualmachineuserdata"].get("userdata")  # noqa: E731
    assert shown(machine) == data
    assert refused(dev, "deployVirtualMachine", userdataid=one["id"], userdata=data, **place)[1].startswith("Both userdata and userdata ID")
    other = base64.b64encode(b"#cloud-config").decode()
    ok(dev, "resetUserDataForVirtualMachine", id=machine, userdata=other)
    assert shown(machine) == other
    ok(dev, "updateVirtualMachine", id=machine, userdataid=one["id"])
    assert shown(machine) == data
    ok(dev, "resetUserDataForVirtualMachine", id=machine)
    assert shown(machine) is None
    root = ok(dev, "listVolumes", virtualmachineid=machine, type="ROOT")["volume"][0]["id"]
    template = ok(dev, "createTemplate", name="given", displaytext="given", ostypeid=os_type["id"], volumeid=root)["template"]["id"]
    linked = ok(dev, "linkUserDataToTemplate", templateid=template, userdataid=one["id"], userdatapolicy="DENYOVERRIDE")["template"]
    assert (linked["userdataid"], linked["userdataname"], linked["userdatapolicy"]) == (one["id"], "one", "DENYOVERRIDE")
    code, words = refused(dev, "deleteUserData", id=one["id"])
    assert code == 536 and "linked to active template" in words
    given = {**place, "templateid": template, "startvm": "false"}
    assert "configured to deny any userdata" in refused(dev, "deployVirtualMachine", userdata=other, **given)[1]
    launched = ec2.run_instances(ImageId=ec2_id("ami", template), InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    assert ec2.describe_instance_attribute(InstanceId=launched, Attribute="userData")["UserData"]["Value"] == data  # for every face
    ok(dev, "linkUserDataToTemplate", templateid=template, userdataid=one["id"])
    again = ok(dev, "deployVirtualMachine", userdata=other, **given)["virtualmachine"]["id"]
    assert shown(again) == other
    assert "userdataid" not in ok(dev, "linkUserDataToTemplate", templateid=template)["template"]
    assert refused(dev, "linkUserDataToTemplate", templateid=template, isoid=template)[0] == 431
    assert ok(dev, "deleteUserData", id=one["id"]) == {"success": "true"}
    ec2.terminate_instances(InstanceIds=[launched])
    for id_ in [machine, again]:
        ok(dev, "destroyVirtualMachine", id=id_)
    ok(dev, "deleteTemplate", id=template, forced="true")


def http_status(url, headers):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=waiting.HANG_S)
    connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
    return connection.getresponse().status


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
