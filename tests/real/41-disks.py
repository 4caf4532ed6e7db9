#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/storage/snapshot.c src/reconcile/storage/volume.c
"""Data that a guest wrote on its second disk survive a move to another host, a snapshot taken while it runs, and an image; also if dari is killed
during the copies. The snapshot's blocks, read by EBS direct, are the same."""
# limit: 900 s
import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ebs  # noqa: E402
from region import Region, give_address, instance, launch, state, wait_state, wait_until  # noqa: E402

MEGABYTES = 96  # enough that a copy is caught on its way


def host_of(region, identifier, field="host"):
    return region.command("explain", identifier)["fields"][field]


def guest_elsewhere(region, ec2, host):
    """A second guest, on the other host, that answers ssh: (instance id, address)."""
    for _ in range(6):
        identifier = launch(ec2, KeyName="k")[0]
        wait_state(ec2, [identifier], "running")
        if host_of(region, identifier) != host:
            address, _ = give_address(ec2, identifier)
            wait_until(lambda: region.boot_id(address), "ssh to the second guest")
            return identifier, address
        ec2.terminate_instances(InstanceIds=[identifier])
    raise LookupError("every guest went to the same host")


def volume(ec2, identifier):
    return ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]


def make_volume(ec2, identifier, **more):
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, **more)["VolumeId"]
    wait_until(lambda: volume(ec2, made)["State"] == "available", "the volume is available")
    return made


def attach(ec2, made, identifier, device="/dev/sdf"):
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device=device)
    wait_until(lambda: [a["State"] for a in volume(ec2, made)["Attachments"]] == ["attached"], "attached")


def detach(ec2, made):
    ec2.detach_volume(VolumeId=made)
    wait_until(lambda: volume(ec2, made)["State"] == "available", "detached")


def digest(region, address, disk):
    return region.ssh(address, f"dd if={disk} bs=1M count={MEGABYTES} 2>/dev/null | md5sum").split()[0]


def write(region, address, disk):
    """Writes varied data and a marker word."""
    region.ssh(address, f"dd if=/dev/urandom of=/tmp/r bs=1M count=4 2>/dev/null; "
                        f"for k in $(seq 0 4 {MEGABYTES - 4}); do "
                        f"dd if=/tmp/r of={disk} bs=1M seek=$k conv=notrunc 2>/dev/null; done; sync")
    return digest(region, address, disk)


def images_on_their_way(region, beginning):
    return [name for name in os.listdir(f"{region.demo}/data/images") if name.startswith(beginning)]


def kill_in_the_midst(region, beginning):
    """Kills dari once such a file is being transferred here, and restarts it."""
    try:
        wait_until(lambda: images_on_their_way(region, beginning), f"a {beginning} on its way", every_s=0.005)
        caught = True
    except TimeoutError:
        caught = False
    region.kill_dari()
    region.start_dari()
    region.check(f"dari was killed in the midst of copying a {beginning}", caught)


def moves(region, ec2, guests):
    (one, address), (two, other) = guests
    made = make_volume(ec2, one, Size=1)
    attach(ec2, made, one)
    before = write(region, address, region.disk_of(address, made))
    detach(ec2, made)
    ec2.attach_volume(VolumeId=made, InstanceId=two, Device="/dev/sdf")
    kill_in_the_midst(region, "volume")
    wait_until(lambda: [a["State"] for a in volume(ec2, made)["Attachments"]] == ["attached"], "attached")
    region.check("a moved volume keeps its data", digest(region, other, region.disk_of(other, made)) == before)
    region.check("and is on the new host alone", host_of(region, made, "seen_host") == host_of(region, two))
    detach(ec2, made)
    attach(ec2, made, one)
    region.check("and back again", digest(region, address, region.disk_of(address, made)) == before)
    return made, before


def completed(ec2, snapshot):
    found = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    return found["State"] == "completed" and found["Progress"] == "100%"


def cut_size(region, snapshot):
    return int(region.command("explain", snapshot)["fields"]["cut_size"])


def snapshots(region, ec2, guests, made, before):
    (_, address), (two, other) = guests
    snapshot = ec2.create_snapshot(VolumeId=made)["SnapshotId"]
    kill_in_the_midst(region, "snapshot")
    wait_until(lambda: completed(ec2, snapshot), "the snapshot is completed")
    region.ssh(address, f"dd if=/dev/zero of={region.disk_of(address, made)} bs=1M count=8 2>/dev/null; sync")
    copy = make_volume(ec2, two, SnapshotId=snapshot)
    attach(ec2, copy, two)
    region.check("a snapshot of a running guest's disk holds what it had",
                 digest(region, other, region.disk_of(other, copy)) == before)
    by_blocks(region, snapshot, before)
    increment(region, ec2, guests, made, snapshot)


def by_blocks(region, snapshot, before):
    """Backup products read a snapshot so, without a host or a guest."""
    content = ebs.content(region.client(*region.keys["disks"], "ebs"), snapshot, MEGABYTES << 20)
    region.check("and its blocks are the same bytes", hashlib.md5(content).hexdigest() == before)


def increment(region, ec2, guests, made, snapshot):
    """The next snapshot transfers only the changes, and does not depend on the previous one."""
    (_, address), (two, other) = guests
    disk = region.disk_of(address, made)
    region.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M seek=50 count=3 conv=notrunc 2>/dev/null; sync")
    after = digest(region, address, disk)
    following = ec2.create_snapshot(VolumeId=made)["SnapshotId"]
    wait_until(lambda: completed(ec2, following), "the next snapshot is completed")
    sizes = cut_size(region, snapshot), cut_size(region, following)
    region.check(f"its host sent what was written since {sizes}",
                 sizes[0] > MEGABYTES << 20 and 3 << 20 < sizes[1] < 16 << 20)
    ec2.delete_snapshot(SnapshotId=snapshot)
    copy = make_volume(ec2, two, SnapshotId=following)
    attach(ec2, copy, two, "/dev/sdg")
    region.check("and it holds all, without the one before", digest(region, other, region.disk_of(other, copy)) == after)


def image(region, ec2, guests):
    (one, _), _ = guests
    made = ec2.create_image(InstanceId=one, Name="of-one", NoReboot=True)["ImageId"]
    wait_until(lambda: ec2.describe_images(ImageIds=[made])["Images"][0]["State"] == "available", "the image")
    third = launch(ec2, ImageId=made, KeyName="k")[0]
    wait_state(ec2, [third], "running")
    where, _ = give_address(ec2, third)
    region.reach(ec2, third, where, "a guest of the image")
    region.check("an image of a running instance launches", state(ec2, third) == "running")


def main():
    with Region("dk") as region:
        ec2, one, address = region.witness("disks")
        two = guest_elsewhere(region, ec2, host_of(region, one))
        guests = (one, address), two
        made, before = moves(region, ec2, guests)
        snapshots(region, ec2, guests, made, before)
        image(region, ec2, guests)
        region.check_clean()


if __name__ == "__main__":
    main()
