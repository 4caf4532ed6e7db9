#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/mapping.md src/engine/storage src/api/ec2/storage src/api/openstack/volume src/api/openstack/image
"""Volumes, snapshots and images through two faces, as docs/mapping.md says."""
import base64
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import faces  # noqa: E402
from regions import admin, dev  # noqa: E402, F401 (fixtures)
import uefi_data  # noqa: E402
from faces import COMPUTE, IMAGE, NEWEST, VOLUME, code, ec2_id, holds  # noqa: E402

GIB = 1024 ** 3
API = "/api/v1"
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}


@pytest.fixture(scope="module")
def both(dev):
    yield lib.another(dev, "both", faces.Both)


@pytest.fixture(scope="module")
def other(dev):
    yield lib.another(dev, "other", faces.Both)


def tags(*pairs):
    return [{"Key": k, "Value": v} for k, v in pairs]


def make_volume(both, **how):
    volume = both.ec2.create_volume(**{"AvailabilityZone": both.zone, "Size": 1, **how})["VolumeId"]
    both.rest()
    return volume, both.seen(VOLUME, "volumes", volume)["id"]


def drop_volume(both, *volumes):
    for volume in volumes:
        both.ec2.delete_volume(VolumeId=volume)
    both.rest()


# ---- volumes

@holds("What each face calls it: volume, snapshot", "Images and volumes through OpenStack: Volumes")
def test_a_volume_of_ec2(both):
    volume, identifier = make_volume(both, Size=2, VolumeType="gp3", TagSpecifications=[
        {"ResourceType": "volume", "Tags": tags(("a", "b"), ("Name", "mine"))}])
    path = f"{VOLUME}/volumes/{identifier}"
    seen, shown = both.ok("GET", path)["volume"], both.volume(volume)
    assert (seen["name"], seen["size"], seen["status"], seen["volume_type"], seen["bootable"]) == ("mine", 2, "available", "gp3", "false")
    assert seen["metadata"] == {"a": "b", "Name": "mine"} and seen["availability_zone"] == shown["AvailabilityZone"]
    assert (seen["snapshot_id"], seen["encrypted"], seen["multiattach"], seen["attachments"]) == (None, False, False, [])
    assert seen["created_at"].startswith(shown["CreateTime"].strftime("%Y-%m-%dT%H:%M:%S"))
    assert both.ok("GET", f"{VOLUME}/volumes?name=mine")["volumes"][0]["id"] == identifier
    assert both.status("POST", f"{path}/action", {"os-extend": {"new_size": 3}}) == 202
    both.rest()
    assert both.volume(volume)["Size"] == 3
    both.ok("PUT", path, {"volume": {"name": "other", "description": "d"}})
    both.ok("PUT", f"{path}/metadata", {"metadata": {"c": "d"}})
    assert {t["Key"]: t["Value"] for t in both.volume(volume)["Tags"]} == {"c": "d"}
    both.delete(path)
    assert code(both.ec2.describe_volumes, VolumeIds=[volume]) == "InvalidVolume.NotFound"


@holds("What each face calls it: volume, snapshot", "Images and volumes through OpenStack: Volumes", "Disks: ModifyVolume", "Disks: Types")
def test_a_volume_of_cinder(both, admin):
    made = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "name": "mine", "availability_zone": both.zone, "metadata": {"k": "v"}}})["volume"]
    both.rest()
    volume, path = ec2_id("vol", made["id"]), f"{VOLUME}/volumes/{made['id']}"
    shown = both.volume(volume)
    assert (shown["State"], shown["Size"], shown["VolumeType"], shown["Encrypted"]) == ("available", 1, "__DEFAULT__", False)
    assert shown["AvailabilityZone"] == both.zone and shown["Tags"] == tags(("k", "v"))
    both.ec2.create_tags(Resources=[volume], Tags=tags(("of", "ec2")))
    assert both.ok("GET", path)["volume"]["metadata"] == {"k": "v", "of": "ec2"}
    both.ec2.modify_volume(VolumeId=volume, Size=4, VolumeType="gp2")
    both.rest()
    seen = both.ok("GET", path)["volume"]
    assert (seen["size"], seen["volume_type"], seen["status"]) == (4, "gp2", "available")
    (change,) = both.ec2.describe_volumes_modifications(VolumeIds=[volume])["VolumesModifications"]
    assert change["ModificationState"] == "completed"  # without the state `optimizing`, another modification may follow
    both.ec2.modify_volume(VolumeId=volume, Size=5)
    both.rest()
    admin.ok("POST", f"{VOLUME}/types", {"volume_type": {"name": "own"}})
    assert both.status("POST", f"{path}/action", {"os-retype": {"new_type": "own", "migration_policy": "never"}}) == 202
    both.rest()
    assert both.volume(volume)["VolumeType"] == "own" and both.ok("GET", path)["volume"]["size"] == 5
    both.ec2.delete_volume(VolumeId=volume)
    both.rest()
    assert both.status("GET", path) == 404
    (own,) = [t for t in admin.ok("GET", f"{VOLUME}/types")["volume_types"] if t["name"] == "own"]
    assert admin.call("DELETE", f"{VOLUME}/types/{own['id']}").status == 202


@holds("What each face calls it: machine backup, backup plan")
def test_machine_backups(both):
    """Cinder shows the disks of a machine backup as backups, and does not delete one of them; EC2 shows neither backups nor plans."""
    image = both.ec2.describe_images()["Images"][0]["ImageId"]
    machine = both.ok("POST", f"{API}/instances", {"image": image, "type": "t3.micro"})["items"][0]
    both.rest()
    plan = both.ok("POST", f"{API}/backup-plans", {"name": "nightly", "instances": [machine["id"]], "interval": "cron", "schedule": "0 0 29 2 *"})["items"][0]["id"]
    both.ok("POST", f"{API}/backup-plans/{plan}/run", {})
    both.rest()
    made = next(m for m in both.ok("GET", f"{API}/machine-backups?fields=*")["items"] if m.get("plan") == plan)
    disk = next(b for b in both.ok("GET", f"{API}/backups?fields=*")["items"] if b.get("machine_backup") == made["id"])
    assert both.ok("GET", f"{VOLUME}/backups/{disk['id']}")["backup"]["status"] == made["state"] == "available"
    refused = both.call("DELETE", f"{VOLUME}/backups/{disk['id']}")
    assert refused.status == 400 and made["id"] in refused.text
    both.ok("DELETE", f"{API}/backup-plans/{plan}")
    both.ok("DELETE", f"{API}/machine-backups/{made['id']}")
    both.rest()
    assert both.call("GET", f"{VOLUME}/backups/{disk['id']}").status == 404


@holds("What each face calls it: backup")
def test_a_backup(both):
    """EC2 shows the volumes of backups and restores, but not the backup or its snapshot."""
    volume, identifier = make_volume(both, Size=2)
    before = {s["SnapshotId"] for s in both.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    made = both.ok("POST", f"{VOLUME}/backups", {"backup": {"volume_id": identifier}})["backup"]["id"]
    both.rest()
    assert both.ok("GET", f"{VOLUME}/backups/{made}")["backup"]["status"] == "available"
    restored = both.ok("POST", f"{VOLUME}/backups/{made}/restore", {"restore": {"name": "again"}})["restore"]["volume_id"]
    both.rest()
    shown = both.volume(ec2_id("vol", restored))
    assert (shown["State"], shown["Size"]) == ("available", 2)
    assert {s["SnapshotId"] for s in both.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]} == before
    assert both.status("DELETE", f"{VOLUME}/backups/{made}") == 202
    for each in (volume, ec2_id("vol", restored)):
        drop_volume(both, each)


@holds("Disks: Types")
def test_types(both):
    """EC2's types are rows in Cinder, with EC2's size limits in both faces."""
    names = {t["name"] for t in both.ok("GET", f"{VOLUME}/types")["volume_types"]}
    assert {"gp2", "gp3", "io1", "io2", "st1", "sc1", "standard", "__DEFAULT__"} <= names
    assert code(both.ec2.create_volume, AvailabilityZone=both.zone, Size=1, VolumeType="st1") == "InvalidParameterValue"
    assert both.status("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "volume_type": "st1"}}) == 400
    for name, size in (("gp2", 1), ("io1", 4), ("io2", 4), ("st1", 125), ("sc1", 125), ("standard", 1)):
        more = {"Iops": 100} if name.startswith("io") else {}
        volume, identifier = make_volume(both, Size=size, VolumeType=name, **more)
        seen = both.ok("GET", f"{VOLUME}/volumes/{identifier}")["volume"]
        assert (seen["volume_type"], seen["size"]) == (name, size)
        drop_volume(both, volume)


@holds("What each face calls it: `rtbassoc-`, `aclassoc-`, `eipassoc-`, `eni-attach-`", "Disks: Device names", "Disks: Place")
def test_attachments(both):
    instance = both.run()
    zone = both.instance(instance)["Placement"]["AvailabilityZone"]
    volume, identifier = make_volume(both, AvailabilityZone=zone)
    both.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    both.rest()
    server = both.server(instance)["id"]
    path = f"{COMPUTE}/servers/{server}/os-volume_attachments"
    (attachment,) = both.ok("GET", path)["volumeAttachments"]
    assert (attachment["volumeId"], attachment["device"], attachment["serverId"]) == (identifier, "/dev/sdf", server)
    seen = both.ok("GET", f"{VOLUME}/volumes/{identifier}")["volume"]
    assert seen["status"] == "in-use" and [(a["server_id"], a["device"]) for a in seen["attachments"]] == [(server, "/dev/sdf")]
    assert both.server(instance)["os-extended-volumes:volumes_attached"] == [{"id": identifier, "delete_on_termination": False}]
    assert both.status("DELETE", f"{VOLUME}/volumes/{identifier}") == 400
    assert code(both.ec2.delete_volume, VolumeId=volume) == "VolumeInUse"
    both.ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}])
    assert both.server(instance)["os-extended-volumes:volumes_attached"] == [{"id": identifier, "delete_on_termination": True}]
    assert both.status("DELETE", f"{path}/{identifier}") == 202
    both.rest()
    assert both.volume(volume)["State"] == "available"
    both.ok("POST", path, {"volumeAttachment": {"volumeId": identifier}})
    both.rest()
    (shown,) = both.volume(volume)["Attachments"]
    assert (shown["InstanceId"], shown["State"], shown["DeleteOnTermination"]) == (instance, "attached", False)
    assert both.ok("GET", f"{path}/{identifier}")["volumeAttachment"]["device"] == shown["Device"]
    both.ec2.detach_volume(VolumeId=volume)
    both.rest()
    assert both.ok("GET", path)["volumeAttachments"] == [] and both.ok("GET", f"{VOLUME}/volumes/{identifier}")["volume"]["status"] == "available"
    root = both.instance(instance)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    assert both.seen(VOLUME, "volumes", root)["attachments"][0]["server_id"] == server  # Nova omits the root disk
    both.terminate(instance)
    drop_volume(both, volume)


@holds("Images and volumes through OpenStack: Groups of volumes")
def test_groups(both, admin):
    """EC2 shows a group's volume, and can delete neither the volume nor its snapshot."""
    newest = {"version": lib.VOLUME}
    assert admin.call("POST", "/volume/v3/group_types", {"group_type": {"name": "joint"}}, **newest).status == 202
    group = both.ok("POST", "/volume/v3/groups", {"group": {"group_type": "joint", "volume_types": ["gp3"]}}, **newest)["group"]["id"]
    made = both.ok("POST", "/volume/v3/volumes", {"volume": {"size": 1, "volume_type": "gp3", "group_id": group}}, **newest)["volume"]["id"]
    both.rest()
    joint = both.ok("POST", "/volume/v3/group_snapshots", {"group_snapshot": {"group_id": group}}, **newest)["group_snapshot"]["id"]
    both.rest()
    volume = ec2_id("vol", made)
    (snapshot,) = both.ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"]
    assert code(lambda: both.ec2.delete_volume(VolumeId=volume)) == "VolumeInUse"
    assert code(lambda: both.ec2.modify_volume(VolumeId=volume, VolumeType="gp2")) == "VolumeInUse"
    assert code(lambda: both.ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])) == "InvalidSnapshot.InUse"
    assert both.call("DELETE", f"/volume/v3/group_snapshots/{joint}", **newest).status == 202
    assert both.call("POST", f"/volume/v3/groups/{group}/action", {"delete": {"delete-volumes": True}}, **newest).status == 202
    both.rest()
    assert not both.ec2.describe_volumes(Filters=[{"Name": "volume-id", "Values": [volume]}])["Volumes"]


@holds("Disks: Encryption")
def test_encryption(both):
    """Everything created from an encrypted volume is encrypted, and cannot be shared; encryption by default applies in both faces."""
    volume, identifier = make_volume(both, Encrypted=True)
    assert both.ok("GET", f"{VOLUME}/volumes/{identifier}")["volume"]["encrypted"] is True
    assert both.volume(volume)["KmsKeyId"].startswith("arn:aws:kms:")
    taken = both.ok("POST", f"{VOLUME}/snapshots", {"snapshot": {"volume_id": identifier}})["snapshot"]["id"]
    both.rest()
    snapshot = ec2_id("snap", taken)
    (shown,) = both.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert shown["Encrypted"] and shown["KmsKeyId"] == both.volume(volume)["KmsKeyId"]
    assert code(both.ec2.modify_snapshot_attribute, SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add",
                GroupNames=["all"]) == "OperationNotPermitted"
    made = ec2_id("vol", both.ok("POST", f"{VOLUME}/volumes", {"volume": {"snapshot_id": taken, "availability_zone": both.zone}})["volume"]["id"])
    plain = both.ec2.create_volume(SnapshotId=snapshot, AvailabilityZone=both.zone, Encrypted=False)["VolumeId"]
    copy = both.ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")["SnapshotId"]
    both.rest()
    assert both.volume(made)["Encrypted"] and both.volume(plain)["Encrypted"]
    assert both.ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["Encrypted"]
    assert code(both.ec2.create_volume, AvailabilityZone=both.zone, Size=1, Encrypted=True,
                KmsKeyId="alias/another") == "InvalidParameterValue"
    both.ec2.enable_ebs_encryption_by_default()
    by_default = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "availability_zone": both.zone}})["volume"]["id"]
    both.ec2.disable_ebs_encryption_by_default()
    both.rest()
    assert both.ok("GET", f"{VOLUME}/volumes/{by_default}")["volume"]["encrypted"] is True
    drop_volume(both, volume, made, plain, ec2_id("vol", by_default))
    for one in (snapshot, copy):
        both.ec2.delete_snapshot(SnapshotId=one)
    both.rest()


def attach(both, server, volume, version="compute 2.60"):
    return both.call("POST", f"{COMPUTE}/servers/{server}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume}}, version=version)


@holds("Disks: Volumes of several instances", "Disks: Types")
def test_a_volume_of_several(both, admin):
    """Multi-Attach is the same property in both faces; each attachment is added and removed separately, by either face."""
    both.ec2.create_placement_group(GroupName="near", Strategy="cluster")
    near = {"Placement": {"AvailabilityZone": both.zone, "GroupName": "near"}}
    one, two = both.run(**near), both.run(**near)
    servers = [both.server(i)["id"] for i in (one, two)]
    volume, identifier = make_volume(both, Size=4, VolumeType="io2", Iops=100, MultiAttachEnabled=True)
    path = f"{VOLUME}/volumes/{identifier}"
    assert both.ok("GET", path)["volume"]["multiattach"] is True
    both.ec2.attach_volume(VolumeId=volume, InstanceId=one, Device="/dev/sdf")
    assert attach(both, servers[1], identifier, "compute 2.59").status == 400
    made = attach(both, servers[1], identifier, NEWEST)
    assert made.status == 200 and attach(both, servers[1], identifier).status == 400
    both.rest()
    shown = both.ok("GET", path)["volume"]
    assert [a["server_id"] for a in shown["attachments"]] == servers and shown["status"] == "in-use"
    assert [a["InstanceId"] for a in both.volume(volume)["Attachments"]] == [one, two]
    assert both.instance(two)["BlockDeviceMappings"][1]["Ebs"]["VolumeId"] == volume
    assert both.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [two]}, {"Name": "multi-attach-enabled", "Values": ["true"]}])["Volumes"]
    ids = [a["attachment_id"] for a in shown["attachments"]]
    listed = both.ok("GET", f"{VOLUME}/attachments?volume_id={identifier}", version="volume 3.27")["attachments"]
    assert {a["id"]: a["instance"] for a in listed} == dict(zip(ids, servers)) and ids[0] == identifier
    (other,) = both.ok("GET", f"{COMPUTE}/servers/{servers[1]}/os-volume_attachments", version=NEWEST)["volumeAttachments"]
    assert other["attachment_id"] == ids[1] and other == made.json["volumeAttachment"]
    assert code(both.ec2.detach_volume, VolumeId=volume) == "MissingParameter"
    assert admin.call("PUT", f"{COMPUTE}/servers/{servers[0]}/os-volume_attachments/{identifier}",
                      {"volumeAttachment": {"volumeId": make_volume(both, Size=4)[1]}}).status == 400
    both.ec2.detach_volume(VolumeId=volume, InstanceId=one)
    both.rest()
    (left,) = both.ok("GET", path)["volume"]["attachments"]
    assert (left["server_id"], left["attachment_id"]) == (servers[1], ids[1])
    assert both.ok("GET", f"{VOLUME}/attachments/{ids[1]}", version="volume 3.27")["attachment"]["status"] == "attached"
    assert both.call("DELETE", f"{VOLUME}/attachments/{ids[1]}", version="volume 3.27").status == 200
    both.rest()
    assert both.volume(volume)["State"] == "available"
    assert code(both.ec2.create_volume, AvailabilityZone=both.zone, Size=4, VolumeType="io2", Iops=100, MultiAttachEnabled=True,
                Encrypted=True) == "UnsupportedOperation"
    elsewhere(both, volume, one)
    types(both, admin)
    both.terminate(one, two)
    both.ec2.delete_placement_group(GroupName="near")


def elsewhere(both, volume, one):
    """An instance running on another host is refused; a stopped one moves to the volume's host."""
    host = both.server(one)["hostId"]
    away = both.run(Placement={"AvailabilityZone": both.zone})
    both.ec2.attach_volume(VolumeId=volume, InstanceId=one, Device="/dev/sdf")
    both.rest()
    if both.server(away)["hostId"] != host:
        assert code(both.ec2.attach_volume, VolumeId=volume, InstanceId=away, Device="/dev/sdf") == "IncorrectState"
        assert attach(both, both.server(away)["id"], both.seen(VOLUME, "volumes", volume)["id"]).status == 400
    both.ec2.stop_instances(InstanceIds=[away])
    both.rest()
    both.ec2.attach_volume(VolumeId=volume, InstanceId=away, Device="/dev/sdf")
    both.ec2.start_instances(InstanceIds=[away])
    both.rest()
    assert both.server(away)["hostId"] == host and both.instance(away)["State"]["Name"] == "running"
    both.terminate(away)
    assert [a["InstanceId"] for a in both.volume(volume)["Attachments"]] == [one]


def types(both, admin):
    """In Cinder a type makes a volume shareable; a free volume can be retyped to and from such a type."""
    kind = admin.ok("POST", f"{VOLUME}/types", {"volume_type": {"name": "several", "extra_specs": {"multiattach": "<is> True"}}})["volume_type"]["id"]
    made = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "volume_type": "several", "availability_zone": both.zone}})["volume"]["id"]
    both.rest()
    path = f"{VOLUME}/volumes/{made}"
    assert both.volume(ec2_id("vol", made))["MultiAttachEnabled"] is True
    assert both.status("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "multiattach": True, "volume_type": "gp3"}}) == 400
    for to, shared in (("gp2", False), ("several", True)):
        assert both.status("POST", f"{path}/action", {"os-retype": {"new_type": to, "migration_policy": "never"}}) == 202
        both.rest()
        assert both.ok("GET", path)["volume"]["multiattach"] is shared
    both.delete(path)
    assert admin.call("DELETE", f"{VOLUME}/types/{kind}").status == 202


# ---- snapshots

@holds("Disks: Swaps")
def test_a_swap(both, admin):
    """For administrators; then each face shows the new volume in place of the old one, which is free."""
    instance = both.run(Placement={"AvailabilityZone": both.zone})
    server = both.server(instance)["id"]
    (old, old_id), (new, new_id), (other, other_id) = (make_volume(both, Size=size) for size in (1, 2, 1))
    both.ec2.attach_volume(VolumeId=old, InstanceId=instance, Device="/dev/sdf")
    both.rest()
    path = f"{COMPUTE}/servers/{server}/os-volume_attachments"
    exchange = {"volumeAttachment": {"volumeId": new_id}}
    assert both.call("PUT", f"{path}/{old_id}", exchange).status == 403
    assert admin.call("PUT", f"{path}/{old_id}", exchange).status == 202
    both.rest()
    shown = both.ok("GET", f"{VOLUME}/volumes/{new_id}")["volume"]
    assert shown["status"] == "in-use" and [(a["server_id"], a["device"]) for a in shown["attachments"]] == [(server, "/dev/sdf")]
    assert both.ok("GET", f"{VOLUME}/volumes/{old_id}")["volume"]["status"] == "available"
    (attached,) = both.volume(new)["Attachments"]
    assert (attached["InstanceId"], attached["Device"], attached["State"]) == (instance, "/dev/sdf", "attached")
    assert both.volume(old)["State"] == "available" and not both.volume(old)["Attachments"]
    assert [a["volumeId"] for a in both.ok("GET", path)["volumeAttachments"]] == [new_id]
    assert admin.call("PUT", f"{path}/{new_id}", {"volumeAttachment": {"volumeId": other_id}}).status == 400  # the new volume is smaller
    shared = make_volume(both, Size=4, VolumeType="io2", Iops=100, MultiAttachEnabled=True)
    assert admin.call("PUT", f"{path}/{new_id}", {"volumeAttachment": {"volumeId": shared[1]}}).status == 400
    both.terminate(instance)
    drop_volume(both, old, new, other, shared[0])


@holds("Disks: Moves")
def test_a_move(dev, both, admin):
    """To another pool by its type or by an administrator, free or attached: EC2 shows the same volume throughout."""
    dev.command("pool", "add", "nfs", "--path", "/srv/nfs")
    kind = admin.ok("POST", f"{VOLUME}/types", {"volume_type": {"name": "shared", "extra_specs": {"volume_backend_name": "nfs"}}})["volume_type"]["id"]
    both.rest()
    instance = both.run(Placement={"AvailabilityZone": both.zone})
    (free, free_id), (used, used_id) = (make_volume(both, VolumeType="gp3") for _ in range(2))
    both.ec2.attach_volume(VolumeId=used, InstanceId=instance, Device="/dev/sdf")
    both.rest()

    def seen(identifier):
        shown = admin.ok("GET", f"{VOLUME}/volumes/{identifier}")["volume"]
        return shown["os-vol-host-attr:host"], shown["migration_status"], shown["status"], shown["volume_type"]

    home = seen(used_id)[0]
    assert home.endswith("@dari#dari") and seen(free_id)[1:] == (None, "available", "gp3")
    for identifier in (free_id, used_id):
        path = f"{VOLUME}/volumes/{identifier}/action"
        state = "in-use" if identifier == used_id else "available"
        assert both.status("POST", path, {"os-retype": {"new_type": "shared"}}) == 400  # a move must be allowed explicitly
        assert both.status("POST", path, {"os-retype": {"new_type": "shared", "migration_policy": "on-demand"}}) == 202
        both.rest()
        assert seen(identifier) == ("dari@nfs#nfs", "success", state, "shared")
        assert both.status("POST", path, {"os-migrate_volume": {"host": home}}) == 403
        assert admin.call("POST", path, {"os-migrate_volume": {"host": "dari@nfs#nfs"}}).status == 400  # it is already there
        assert admin.call("POST", path, {"os-migrate_volume": {"host": "nowhere@dari#dari"}}).status == 400
        assert admin.call("POST", path, {"os-migrate_volume": {"host": home, "lock_volume": True}}).status == 202
        both.rest()
        assert seen(identifier) == (home, "success", state, "shared")
    assert both.volume(used)["State"] == "in-use" and both.volume(free)["State"] == "available"
    both.ec2.modify_volume(VolumeId=free, VolumeType="gp3")  # its present pool
    both.rest()
    dev.command("pool", "set", "nfs", "--type", "gp2")
    both.ec2.modify_volume(VolumeId=free, VolumeType="gp2")
    both.rest()
    assert seen(free_id)[0] == "dari@nfs#nfs" and both.volume(free)["VolumeType"] == "gp2"
    dev.command("pool", "move", used, "nfs")
    both.rest()
    assert seen(used_id)[0] == "dari@nfs#nfs"
    both.terminate(instance)
    drop_volume(both, free, used)
    dev.command("pool", "set", "nfs", "--no-type", "gp2")
    assert admin.call("DELETE", f"{VOLUME}/types/{kind}").status == 202
    dev.command("pool", "remove", "nfs")


@holds("Disks: Encrypted types")
def test_encrypted_types(both, admin):
    """Volumes of an encrypted type are encrypted, in both faces; a plain volume cannot be retyped to it."""
    made = admin.ok("POST", f"{VOLUME}/types", {"volume_type": {"name": "sealed"}})["volume_type"]["id"]
    said = {"encryption": {"provider": "luks", "control_location": "front-end"}}
    assert admin.ok("POST", f"{VOLUME}/types/{made}/encryption", said)["encryption"]["volume_type_id"] == made
    assert admin.call("POST", f"{VOLUME}/types/{made}/encryption", said).status == 400
    sealed = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"size": 1, "volume_type": "sealed", "availability_zone": both.zone}})["volume"]["id"]
    both.rest()
    volume = both.volume(ec2_id("vol", sealed))
    assert volume["Encrypted"] and volume["KmsKeyId"] and volume["VolumeType"] == "sealed"
    plain, identifier = make_volume(both)
    assert both.status("POST", f"{VOLUME}/volumes/{identifier}/action", {"os-retype": {"new_type": "sealed", "migration_policy": "on-demand"}}) == 400
    both.ec2.modify_volume(VolumeId=ec2_id("vol", sealed), VolumeType="gp3")
    both.rest()
    assert both.volume(ec2_id("vol", sealed))["Encrypted"]
    drop_volume(both, ec2_id("vol", sealed), plain)
    assert admin.call("DELETE", f"{VOLUME}/types/{made}").status == 202


@holds("Disks: Encrypted copies")
def test_encrypted_copies(both):
    """Encrypted copies of plain snapshots and images: both faces show them as encrypted; copies of them stay encrypted."""
    volume, _ = make_volume(both)
    plain = both.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    both.rest()
    copy = both.ec2.copy_snapshot(SourceSnapshotId=plain, SourceRegion="us-east-1", Encrypted=True)["SnapshotId"]
    assert code(both.ec2.copy_snapshot, SourceSnapshotId=plain, SourceRegion="us-east-1", KmsKeyId="alias/aws/ebs") == "InvalidParameterDependency"
    both.rest()
    again = both.ec2.copy_snapshot(SourceSnapshotId=copy, SourceRegion="us-east-1", Encrypted=False)["SnapshotId"]
    shown = {s["SnapshotId"]: s["Encrypted"] for s in both.ec2.describe_snapshots(SnapshotIds=[plain, copy, again])["Snapshots"]}
    assert shown == {plain: False, copy: True, again: True}
    assert both.seen(VOLUME, "snapshots", copy)["status"] == "available"
    made = ec2_id("vol", both.ok("POST", f"{VOLUME}/volumes", {"volume": {
        "snapshot_id": both.seen(VOLUME, "snapshots", copy)["id"], "availability_zone": both.zone}})["volume"]["id"])
    both.rest()
    assert both.volume(made)["Encrypted"]
    image = both.ec2.copy_image(SourceImageId=both.image, SourceRegion="us-east-1", Name="sealed", Encrypted=True)["ImageId"]
    assert both.ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
    both.rest()
    assert both.seen(IMAGE, "images", image)["status"] == "active"
    assert code(both.ec2.modify_image_attribute, ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]}) == "OperationNotPermitted"
    assert code(both.ec2.import_image, Encrypted=True, DiskContainers=[{"SnapshotId": plain}]) == "InvalidParameterCombination"
    drop_volume(both, volume, made)
    both.ec2.deregister_image(ImageId=image)
    for one in (plain, copy, again):
        both.ec2.delete_snapshot(SnapshotId=one)
    both.rest()


@holds("What each face calls it: volume, snapshot", "Disks: Snapshots")
def test_snapshots(both):
    volume, identifier = make_volume(both)
    taken = both.ec2.create_snapshot(VolumeId=volume, Description="words", TagSpecifications=[
        {"ResourceType": "snapshot", "Tags": tags(("a", "b"))}])["SnapshotId"]
    both.rest()
    seen = both.seen(VOLUME, "snapshots", taken)
    path = f"{VOLUME}/snapshots/{seen['id']}"
    assert (seen["status"], seen["volume_id"], seen["size"], seen["description"], seen["metadata"]) == ("available", identifier, 1, "words", {"a": "b"})
    both.ok("PUT", path, {"snapshot": {"description": "other"}})
    both.ok("PUT", f"{path}/metadata", {"metadata": {"c": "d"}})
    (shown,) = both.ec2.describe_snapshots(SnapshotIds=[taken])["Snapshots"]
    assert (shown["Description"], shown["Tags"]) == ("other", tags(("c", "d")))
    copy = both.ok("POST", f"{VOLUME}/volumes", {"volume": {"snapshot_id": seen["id"], "availability_zone": both.zone}})["volume"]["id"]
    both.rest()
    assert both.volume(ec2_id("vol", copy))["SnapshotId"] == taken
    both.delete(path)
    assert code(both.ec2.describe_snapshots, SnapshotIds=[taken]) == "InvalidSnapshot.NotFound"
    made = both.ok("POST", f"{VOLUME}/snapshots", {"snapshot": {"volume_id": identifier, "name": "s", "description": "d", "metadata": {"k": "v"}}})["snapshot"]["id"]
    both.rest()
    (shown,) = both.ec2.describe_snapshots(SnapshotIds=[ec2_id("snap", made)])["Snapshots"]
    assert (shown["State"], shown["VolumeId"], shown["VolumeSize"], shown["Description"], shown["Tags"]) == ("completed", volume, 1, "d", tags(("k", "v")))
    back = both.ec2.create_volume(SnapshotId=shown["SnapshotId"], AvailabilityZone=both.zone)["VolumeId"]
    both.rest()
    assert both.seen(VOLUME, "volumes", back)["snapshot_id"] == made
    assert both.status("DELETE", f"{VOLUME}/volumes/{identifier}") == 400  # Cinder refuses to delete a volume with a snapshot
    drop_volume(both, volume, back, ec2_id("vol", copy))  # EC2 does not
    assert both.ok("GET", f"{VOLUME}/snapshots/{made}")["snapshot"]["status"] == "available"
    both.ec2.delete_snapshot(SnapshotId=shown["SnapshotId"])
    both.rest()
    assert both.status("GET", f"{VOLUME}/snapshots/{made}") == 404


# ---- images

def shown_image(both, identifier, **more):
    (image,) = both.ec2.describe_images(ImageIds=[identifier], **more)["Images"]
    return image


def upload(both, name="up", data=bytes(65536), **members):
    """Creates an image with data; returns its id."""
    made = both.ok("POST", f"{IMAGE}/images", {"name": name, "disk_format": "raw", "container_format": "bare", **members})["id"]
    answer = both.call("PUT", f"{IMAGE}/images/{made}/file", raw=data, headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 204, answer
    both.rest()
    return made


@holds("What each face calls it: image, instance, key pair", "Disks: CreateImage", "Images and volumes through OpenStack: Properties")
def test_an_image_of_ec2(both):
    instance = both.run()
    identifier = both.ec2.create_image(InstanceId=instance, Name="golden", Description="words", NoReboot=False)["ImageId"]
    both.rest()
    assert both.instance(instance)["State"]["Name"] == "running"
    seen, shown = both.seen(IMAGE, "images", identifier), shown_image(both, identifier)
    path = f"{IMAGE}/images/{seen['id']}"
    assert (seen["name"], seen["status"], seen["owner"], seen["visibility"]) == ("golden", "active", both.id, "shared")
    assert (seen["disk_format"], seen["container_format"], seen.get("architecture", "x86_64")) == ("qcow2", "bare", shown["Architecture"])
    assert seen["created_at"] == shown["CreationDate"][:19] + "Z" and seen["description"] == "words"
    assert both.ok("GET", f"{IMAGE}/images/{seen['id']}/members")["members"] == []
    renamed = both.call("PATCH", path, [{"op": "replace", "path": "/name", "value": "gold"},
                                        {"op": "add", "path": "/os_distro", "value": "debian"}], headers=PATCH)
    assert renamed.status == 200 and shown_image(both, identifier)["Name"] == "gold"
    both.ec2.modify_image_attribute(ImageId=identifier, Description={"Value": "other"})
    assert both.ok("GET", path)["description"] == "other"
    both.ec2.create_tags(Resources=[identifier], Tags=tags(("k", "v")))
    assert both.ok("GET", path)["tags"] == []  # Glance's tags are not EC2's
    assert both.status("PUT", f"{path}/tags/word") == 204
    assert shown_image(both, identifier)["Tags"] == tags(("k", "v"))
    both.delete(path)
    assert both.ec2.describe_images(ImageIds=[identifier])["Images"] == []  # for an hour; then the id is unknown
    both.terminate(instance)


@holds("Images and volumes through OpenStack: A volume that is uploaded")
def test_an_uploaded_volume(both):
    """Its data have the given format, and EC2 can launch it."""
    volume = both.ec2.create_volume(Size=1, AvailabilityZone=both.zone)["VolumeId"]
    both.rest()
    seen = both.seen(VOLUME, "volumes", volume)
    both.ok("POST", f"{VOLUME}/volumes/{seen['id']}/action", {"os-volume_upload_image": {"image_name": "sent", "disk_format": "vhd"}})
    both.rest()
    image, = [i for i in both.listed(IMAGE, "images") if i["name"] == "sent"]
    assert (image["status"], image["disk_format"], image["os_hash_algo"]) == ("active", "vhd", "sha512")
    assert len(both.call("GET", f"{IMAGE}/images/{image['id']}/file").text) == image["size"]
    assert shown_image(both, ec2_id("ami", image["id"]))["State"] == "available"
    both.delete(f"{IMAGE}/images/{image['id']}")
    both.ec2.delete_volume(VolumeId=volume)


@holds("What each face calls it: image, instance, key pair", "Images and volumes through OpenStack: An image's data", "Images and volumes through OpenStack: Properties")
def test_an_image_of_glance(both):
    made = both.ok("POST", f"{IMAGE}/images", {"name": "up", "disk_format": "raw", "container_format": "bare", "min_disk": 1, "architecture": "x86_64",
                                               "hw_disk_bus": "sata", "hw_firmware_type": "uefi", "hw_vif_model": "e1000", "other": "kept"})
    identifier, path = ec2_id("ami", made["id"]), f"{IMAGE}/images/{made['id']}"
    assert (made["status"], made["hw_disk_bus"], made["hw_vif_model"], made["other"]) == ("queued", "sata", "e1000", "kept")
    shown = shown_image(both, identifier)
    assert (shown["State"], shown["Name"], shown["Architecture"], shown["BootMode"]) == ("pending", "up", "x86_64", "uefi")
    assert code(both.ec2.run_instances, ImageId=identifier, InstanceType="t3.nano", MinCount=1, MaxCount=1) == "InvalidAMIID.Unavailable"
    data = b"\0" * 65536
    assert both.status("PUT", f"{path}/file", raw=data, headers={"Content-Type": "application/octet-stream"}) == 204
    both.rest()
    seen, shown = both.ok("GET", path), shown_image(both, identifier)
    assert (seen["status"], seen["size"], shown["State"]) == ("active", 65536, "available")
    snapshot = shown["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert both.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]  # EC2 shows it, Cinder does not
    assert snapshot not in [ec2_id("snap", s["id"]) for s in both.listed(VOLUME, "snapshots")]
    assert both.call("GET", f"{path}/file").text == data.decode()
    instance = both.ec2.run_instances(ImageId=identifier, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    both.rest()
    assert both.server(instance)["image"]["id"] == made["id"]
    both.terminate(instance)
    assert both.status("POST", f"{path}/actions/deactivate") == 204
    answer = both.root.ok("DescribeImages", {"ImageId.1": identifier, "IncludeDisabled": "true"})
    assert answer.first(".//imageState") == "disabled" and not both.ec2.describe_images(ImageIds=[identifier])["Images"]
    assert code(both.ec2.run_instances, ImageId=identifier, InstanceType="t3.nano", MinCount=1, MaxCount=1) == "InvalidAMIID.Unavailable"
    assert both.root.ok("EnableImage", {"ImageId": identifier}) and both.ok("GET", path)["status"] == "active"
    assert both.status("POST", f"{path}/members", {"member": both.id}) == 200
    assert both.root.ok("DisableImage", {"ImageId": identifier}) and both.ok("GET", path)["status"] == "deactivated"
    assert both.ok("GET", f"{path}/members")["members"] == []
    assert both.status("POST", f"{path}/actions/reactivate") == 204
    both.ec2.deregister_image(ImageId=identifier)
    both.rest()
    assert both.status("GET", path) == 404


def test_shared_snapshot(both, other):
    """Visible and usable for the account that it is shared with, and nobody else; that account cannot change it."""
    volume = both.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    both.rest()
    snapshot = both.ec2.create_snapshot(VolumeId=volume, TagSpecifications=[
        {"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}])["SnapshotId"]
    both.rest()
    number = other.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]

    def listed(**more):
        return snapshot in [s["SnapshotId"] for s in other.ec2.describe_snapshots(**more)["Snapshots"]]

    def share(**how):
        both.ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=how)

    def attribute():
        return both.ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"]
    assert not listed() and attribute() == []
    assert code(other.ec2.describe_snapshots, SnapshotIds=[snapshot]) == "InvalidSnapshot.NotFound"
    assert code(other.ec2.copy_snapshot, SourceSnapshotId=snapshot, SourceRegion="us-east-1") == "InvalidSnapshot.NotFound"
    share(Add=[{"UserId": number}])
    assert attribute() == [{"UserId": number}]
    shown = other.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert "Tags" not in shown and shown["OwnerId"] == both.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    assert listed(RestorableByUserIds=["self"]) and listed(RestorableByUserIds=[number]) and not listed(OwnerIds=["self"])
    copy = other.ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")["SnapshotId"]
    made = other.ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["VolumeId"]
    image = other.ec2.register_image(Name="of another's", RootDeviceName="/dev/sda1", BlockDeviceMappings=[
        {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}])["ImageId"]
    assert code(other.ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidSnapshot.NotFound"
    assert code(other.ec2.modify_snapshot_attribute, SnapshotId=snapshot,
                CreateVolumePermission={"Add": [{"Group": "all"}]}) == "InvalidSnapshot.NotFound"
    assert code(both.ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidSnapshot.InUse"
    other.ec2.deregister_image(ImageId=image)
    share(Remove=[{"UserId": number}], Add=[{"Group": "all"}])
    assert attribute() == [{"Group": "all"}] and listed() and listed(RestorableByUserIds=["all"])
    both.ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert attribute() == [] and not listed()
    other.rest()
    other.ec2.delete_snapshot(SnapshotId=copy)
    other.ec2.delete_volume(VolumeId=made)
    both.ec2.delete_snapshot(SnapshotId=snapshot)
    both.ec2.delete_volume(VolumeId=volume)
    both.rest()


@holds("Disks: ExportImage")
def test_export(both):
    image = both.ec2.copy_image(SourceImageId=both.image, SourceRegion="us-east-1", Name="away")["ImageId"]
    both.rest()
    task = both.ec2.export_image(ImageId=image, DiskImageFormat="QCOW2", S3ExportLocation={"S3Bucket": "moves"})["ExportImageTaskId"]
    both.rest()
    (told,) = both.ec2.describe_export_image_tasks(ExportImageTaskIds=[task])["ExportImageTasks"]
    assert told["Status"] == "completed" and told["S3ExportLocation"] == {"S3Bucket": "moves"}
    assert code(both.ec2.export_image, ImageId=both.image, DiskImageFormat="RAW", S3ExportLocation={"S3Bucket": "moves"}) != ""
    both.ec2.deregister_image(ImageId=image)
    both.rest()
    images = both.ec2.describe_images(Owners=["self"])["Images"]
    server = both.ec2.run_instances(ImageId=both.image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    both.rest()
    target = {"S3Bucket": "moves", "ContainerFormat": "ova"}
    asked = both.ec2.create_instance_export_task(InstanceId=server, TargetEnvironment="vmware", ExportToS3Task=target)["ExportTask"]["ExportTaskId"]
    both.rest()
    (told,) = both.ec2.describe_export_tasks(ExportTaskIds=[asked])["ExportTasks"]
    assert (told["State"], told["ExportToS3Task"]["DiskImageFormat"], told["InstanceExportDetails"]["InstanceId"]) == ("completed", "VMDK", server)
    assert asked not in [t["ExportImageTaskId"] for t in both.ec2.describe_export_image_tasks()["ExportImageTasks"]]
    assert both.ec2.describe_images(Owners=["self"])["Images"] == images
    both.ec2.terminate_instances(InstanceIds=[server])
    both.rest()


@holds("What each face calls it: import of a snapshot, of an image", "Disks: ImportSnapshot, ImportImage", "Disks: `autoEnableIO`")
def test_what_openstack_has_no_word_for(both):
    task = both.ec2.import_snapshot(DiskContainer={"Url": "http://127.0.0.1:9/disk"})["ImportTaskId"]
    image = both.ec2.import_image(DiskContainers=[{"Url": "http://127.0.0.1:9/disk"}])["ImportTaskId"]
    assert code(both.ec2.import_snapshot, DiskContainer={"Url": "s3://bucket/disk"}) == "UnsupportedOperation"
    both.rest()
    (told,) = both.ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"]
    assert told["SnapshotTaskDetail"]["Status"] == "deleted" and told["SnapshotTaskDetail"]["StatusMessage"]
    (told,) = both.ec2.describe_import_image_tasks(ImportTaskIds=[image])["ImportImageTasks"]
    assert told["Status"] == "deleted" and told["StatusMessage"]
    volume = both.ec2.create_volume(AvailabilityZone=both.zone, Size=1)["VolumeId"]
    both.ec2.modify_volume_attribute(VolumeId=volume, AutoEnableIO={"Value": True})
    assert both.ec2.describe_volume_attribute(VolumeId=volume, Attribute="autoEnableIO")["AutoEnableIO"] == {"Value": True}
    both.rest()
    both.ec2.delete_volume(VolumeId=volume)
    both.rest()


@holds("Images and volumes through OpenStack: QoS specs")
def test_qos_specs(both, admin):
    """QoS specs apply to volumes of an EC2 type; EC2 still shows the type's own rates."""
    fast = admin.ok("POST", f"{VOLUME}/qos-specs", {"qos_specs": {"name": "fast", "consumer": "front-end", "total_iops_sec": "70"}})["qos_specs"]
    (gp3,) = [t for t in admin.ok("GET", f"{VOLUME}/types")["volume_types"] if t["name"] == "gp3"]
    assert admin.call("GET", f"{VOLUME}/qos-specs/{fast['id']}/associate?vol_type_id={gp3['id']}").status == 202
    volume = both.ec2.create_volume(AvailabilityZone=both.zone, Size=1, VolumeType="gp3", Iops=3000)["VolumeId"]
    both.rest()
    assert both.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Iops"] == 3000
    assert [a["name"] for a in admin.ok("GET", f"{VOLUME}/qos-specs/{fast['id']}/associations")["qos_associations"]] == ["gp3"]
    assert admin.call("DELETE", f"{VOLUME}/qos-specs/{fast['id']}?force=true").status == 202
    both.ec2.delete_volume(VolumeId=volume)
    both.rest()


@holds("Images and volumes through OpenStack: Visibility")
def test_visibility(both, other):
    made = upload(both)
    identifier, path = ec2_id("ami", made), f"{IMAGE}/images/{made}"

    def attribute():
        return both.ec2.describe_image_attribute(ImageId=identifier, Attribute="launchPermission")["LaunchPermissions"]

    def listed():
        return made in [i["id"] for i in other.listed(IMAGE, "images")]
    number = other.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    assert attribute() == [] and not listed() and other.status("GET", path) == 404
    assert both.status("POST", f"{path}/members", {"member": other.id}) == 200
    assert attribute() == [{"UserId": number}]
    assert shown_image(other, identifier)["OwnerId"] == both.ec2.describe_vpcs()["Vpcs"][0]["OwnerId"]
    assert not listed() and other.ok("GET", path)["status"] == "active"  # a member who has not accepted it
    other.ok("PUT", f"{path}/members/{other.id}", {"status": "accepted"})
    assert listed()
    both.ec2.modify_image_attribute(ImageId=identifier, LaunchPermission={"Remove": [{"UserId": number}]})
    assert both.ok("GET", f"{path}/members")["members"] == [] and other.status("GET", path) == 404
    both.ec2.modify_image_attribute(ImageId=identifier, LaunchPermission={"Add": [{"UserId": number}]})
    assert [(m["member_id"], m["status"]) for m in both.ok("GET", f"{path}/members")["members"]] == [(other.id, "pending")]
    assert both.status("DELETE", f"{path}/members/{other.id}") == 204 and attribute() == []
    both.ec2.modify_image_attribute(ImageId=identifier, LaunchPermission={"Add": [{"Group": "all"}]})
    assert both.ok("GET", path)["visibility"] == "public" and listed()
    both.ec2.modify_image_attribute(ImageId=identifier, LaunchPermission={"Remove": [{"Group": "all"}]})
    assert both.ok("GET", path)["visibility"] == "shared"

    def see(value):
        answer = both.call("PATCH", path, [{"op": "replace", "path": "/visibility", "value": value}], headers=PATCH)
        assert answer.status == 200, answer
    see("community")
    assert identifier not in [i["ImageId"] for i in other.ec2.describe_images()["Images"]]
    instance = other.ec2.run_instances(ImageId=identifier, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    other.rest()
    other.terminate(instance)
    see("private")
    assert attribute() == [] and other.status("GET", path) == 404
    both.ec2.deregister_image(ImageId=identifier)
    both.rest()


@holds("Images and volumes through OpenStack: Names", "Disks: RegisterImage", "Images and volumes through OpenStack: Formats")
def test_names_and_formats(both):
    first, second = upload(both, name="twice"), upload(both, name="twice")
    assert len([i for i in both.ec2.describe_images(Owners=["self"])["Images"] if i["Name"] == "twice"]) == 2
    assert code(both.ec2.copy_image, SourceImageId=both.image, SourceRegion="us-east-1", Name="twice") == "InvalidAMIName.Duplicate"
    snapshot = shown_image(both, ec2_id("ami", first))["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    copy = both.ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")["SnapshotId"]
    both.rest()
    assert both.ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["VolumeId"] == "vol-ffffffff"
    registered = both.ec2.register_image(Name="reg", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": copy}}])["ImageId"]
    both.rest()
    shown, seen = shown_image(both, registered), both.seen(IMAGE, "images", registered)
    assert (shown["Architecture"], shown["VirtualizationType"]) == ("x86_64", "hvm")
    assert (seen["name"], seen["disk_format"], seen["checksum"], seen.get("architecture")) == ("reg", "qcow2", None, None)
    both.ec2.deregister_image(ImageId=registered)
    both.ec2.delete_snapshot(SnapshotId=copy)
    for image in (first, second):
        both.delete(f"{IMAGE}/images/{image}")
    for name in ("raw", "qcow2", "vmdk", "vhd", "vhdx", "iso"):
        made = both.ok("POST", f"{IMAGE}/images", {"name": name, "disk_format": name, "container_format": "bare"})["id"]
        both.delete(f"{IMAGE}/images/{made}")
    for members in ({"disk_format": "ploop", "container_format": "bare"}, {"disk_format": "raw", "container_format": "ova"}):
        assert both.status("POST", f"{IMAGE}/images", {"name": "x", **members}) == 400


@holds("Disks: UEFI data", "Disks: ImdsSupport")
def test_what_an_image_gives_its_machines(both):
    """Glance shows that secure boot is on; Nova's servers start with the variables, and require metadata tokens."""
    given = {name: uefi_data.Variable(name, b"given", uefi_data.GLOBAL, attributes, timestamp, None)
             for name, attributes, timestamp in (("PK", 0x27, b"\xe8\x07\x01\x01"), ("Motto", 7, None))}
    snapshot = shown_image(both, both.image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    copy = both.ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion="us-east-1")["SnapshotId"]
    both.rest()
    image = both.ec2.register_image(
        Name="given", RootDeviceName="/dev/xvda", BootMode="uefi", ImdsSupport="v2.0", UefiData=base64.b64encode(uefi_data.write(given)).decode(),
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": copy}}])["ImageId"]
    both.rest()
    seen = both.seen(IMAGE, "images", image)
    assert (seen["hw_firmware_type"], seen["os_secure_boot"]) == ("uefi", "required")
    made = both.ok("POST", f"{COMPUTE}/servers", {"server": {
        "name": "given", "flavorRef": "t3.nano", "imageRef": seen["id"], "networks": "none"}}, version=NEWEST)["server"]["id"]
    both.rest()
    instance = ec2_id("i", made)
    options = both.instance(instance)["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 2)
    data = both.ec2.get_instance_uefi_data(InstanceId=instance)["UefiData"]
    assert {name: v.data for name, v in uefi_data.read(base64.b64decode(data)).items()} == {"PK": b"given", "Motto": b"given"}
    both.terminate(instance)
    both.ec2.deregister_image(ImageId=image)
    both.ec2.delete_snapshot(SnapshotId=copy)


def test_images_of_servers(both):
    """Nova's createImage corresponds to EC2's CreateImage."""
    instance = both.run()
    answer = both.act(both.server(instance)["id"], "createImage", {"name": "snap", "metadata": {"k": "v"}})
    image = answer.json["image_id"]
    seen, shown = both.ok("GET", f"{IMAGE}/images/{image}"), shown_image(both, ec2_id("ami", image))
    assert (seen["status"], seen["name"], seen["k"], shown["State"], shown["Name"]) == ("active", "snap", "v", "available", "snap")
    assert both.instance(instance)["State"]["Name"] == "running"
    both.delete(f"{IMAGE}/images/{image}")
    both.terminate(instance)


def test_servers_from_volumes(both):
    """A volume as root disk, kept or not, shown by EC2."""
    for keeps in (True, False):
        made = both.ok("POST", f"{COMPUTE}/servers", {"server": {"name": "v", "flavorRef": "t3.nano", "networks": "none", "block_device_mapping_v2": [
            {"boot_index": 0, "source_type": "image", "destination_type": "volume", "uuid": both.image_uuid, "volume_size": 12,
             "delete_on_termination": not keeps}]}}, version=NEWEST)["server"]["id"]
        both.rest()
        instance = both.instance(ec2_id("i", made))
        (root,) = instance["BlockDeviceMappings"]
        assert root["DeviceName"] == instance["RootDeviceName"] and root["Ebs"]["DeleteOnTermination"] is not keeps
        volume = root["Ebs"]["VolumeId"]
        assert both.volume(volume)["Size"] == 12
        both.terminate(ec2_id("i", made))
        if keeps:
            assert both.volume(volume)["State"] == "available"
            drop_volume(both, volume)
        else:
            assert code(both.ec2.describe_volumes, VolumeIds=[volume]) == "InvalidVolume.NotFound"


def test_the_region_is_as_its_rows_say(both):
    assert both.dev.audit() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
