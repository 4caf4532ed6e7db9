#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""CloudStack's commands for machines, disks and templates: Apache Libcloud's driver where it has the call, plain signed calls
elsewhere. What they make, EC2 and OpenStack see."""
import os
import sys

import pytest
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cloudstack import call, wait  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402

SENTENCE = "due to incorrect long value format, or entity does not exist"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def driver(dev):
    return get_driver(Provider.CLOUDSTACK)(key=dev.account.key_id, secret=dev.account.secret, secure=False, host="127.0.0.1",
                                           port=dev.port, path="/client/api")


@pytest.fixture(scope="module")
def ec2(dev):
    return dev.account.client()


def ok(dev, command, **parameters):
    """The answer, or the result of its job."""
    status, answer, _ = call(dev, command, **parameters)
    assert status == 200, answer
    if "jobid" not in answer:
        return answer
    status, result = wait(dev, answer)
    assert status == 1, result
    return result


def refused(dev, command, **parameters):
    """(the error's code, its words), of the answer or of its job."""
    status, answer, _ = call(dev, command, **parameters)
    if status == 200:
        status, answer = wait(dev, answer)
        assert status == 2, answer
    return answer["errorcode"], answer["errortext"]


def ec2_id(prefix, uuid):
    return prefix + "-" + uuid.replace("-", "")[:17]


@pytest.fixture(scope="module")
def place(dev):
    """What a deployment needs."""
    template = next(t for t in ok(dev, "listTemplates", templatefilter="featured")["template"] if t["isready"])
    return {"templateid": template["id"], "zoneid": ok(dev, "listZones")["zone"][0]["id"],
            "serviceofferingid": ok(dev, "listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"]}


@pytest.fixture(scope="module")
def disk(dev, place):
    """A free volume of two GiB."""
    offering = ok(dev, "listDiskOfferings", name="gp3")["diskoffering"][0]["id"]
    return ok(dev, "createVolume", name="data", diskofferingid=offering, size="2", zoneid=place["zoneid"])["volume"]


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
    assert refused(dev, "migrateVolume", volumeid=disk["id"], storageid=disk["id"])[0] == 432


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
