#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ceph src/drivers/libvirt
"""A region with disks in a pool of a real Ceph: launched from an image that is copied there once, written, snapshotted, restored, extended while
running, migrated both ways without a lost number. A disconnected host is blocked by Ceph, its guest runs elsewhere with its data, and no trace is
left when the host is back. The script also prints the durations of a launch there and on the hosts' own disks."""
# limit: 1500 s
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ceph  # noqa: E402
from moves import WRITER, files_on, host_of, is_settled, is_whole, numbers, other_than, root_of, running_on  # noqa: E402
from region import Region, launch, wait_state, wait_until  # noqa: E402

ADDRESSES = {"ctl": "10.100.0.10", "hv1": "10.100.0.11", "hv2": "10.100.0.12"}  # in the underlay
AFTER_S = 30
GIB = 1 << 30


def volume_of(ec2, made):
    return ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]


def await_volume(ec2, volume):
    wait_until(lambda: volume_of(ec2, volume)["State"] == "available", "the volume is available")
    return volume


def attach(ec2, volume, identifier, device):
    ec2.attach_volume(VolumeId=volume, InstanceId=identifier, Device=device)
    wait_until(lambda: [a["State"] for a in volume_of(ec2, volume)["Attachments"]] == ["attached"], "attached")


def detach(ec2, volume):
    ec2.detach_volume(VolumeId=volume)
    await_volume(ec2, volume)


def digest(region, address, disk):
    return region.ssh(address, f"dd if={disk} bs=1M count=4 2>/dev/null | md5sum").split()[0]


def images_of(cluster, volume):
    return [name for name in cluster.run("rbd", "ls", ceph.POOL).split() if volume.replace("vol-", "") in name.replace("-", "")]


def pool(region):
    return region.command("pool", "list")[0]


def joins(region, cluster):
    """The pool answers, and both hosts accept its key; a wrong key is reported."""
    key = f"{region.demo}/ceph.key"
    with open(key, "w", encoding="ascii") as f:
        f.write(cluster.add_user("nobody") + "\n")
    region.command("pool", "add", "ceph", "--kind", "rbd", "--monitors", cluster.monitor, "--pool", ceph.POOL, "--user", ceph.USER,
                   "--key-file", key)
    wait_until(lambda: pool(region)["ceph"] == "down", "Ceph refuses the wrong key")
    told = region.run(region.dari, "doctor", fails=True)
    region.check(f"doctor says so: {told}", "which does not answer" in told)
    with open(key, "w", encoding="ascii") as f:
        f.write(f"[client.{ceph.USER}]\n\tkey = {cluster.key}\n")
    region.command("pool", "set", "ceph", "--key-file", key)
    wait_until(lambda: pool(region)["ceph"] == "up", "Ceph answers")
    wait_until(lambda: {h["state"] for h in pool(region)["hosts"]} == {"proven"}, "both hosts have its key")
    shown = region.run(region.dari, "pool", "list", "--json")
    region.check("the key is shown to nobody", cluster.key not in shown)


def launch_s(region, ec2):
    """Seconds until libvirt runs it: the second launch finds the image there."""
    took = []
    for _ in range(3):
        start = time.monotonic()
        identifier = launch(ec2)[0]
        wait_until(lambda: identifier in running_on(region, "hv1") + running_on(region, "hv2"), "it is on", every_s=0.02)
        took.append(time.monotonic() - start)
        wait_state(ec2, [identifier], "running")
        ec2.terminate_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "terminated")
    return took


def measures(region):
    ec2 = region.account("measure")
    local = launch_s(region, ec2)
    region.command("pool", "set", "ceph", "--type", "gp2,gp3")
    there = launch_s(region, ec2)
    print(f"a launch took {[f'{s:.2f}' for s in local]} s with the hosts' disks, {[f'{s:.2f}' for s in there]} s in Ceph")


def cuts(region, ec2, identifier, address):
    """A volume, its snapshot, and another volume from that; extended while attached."""
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = await_volume(ec2, ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"])
    attach(ec2, volume, identifier, "/dev/sdf")
    disk = region.disk_of(address, volume)
    region.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M count=4 conv=notrunc 2>/dev/null; sync")
    before = digest(region, address, disk)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed", "the snapshot")
    region.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M count=1 conv=notrunc 2>/dev/null; sync")
    copy = await_volume(ec2, ec2.create_volume(AvailabilityZone=zone, SnapshotId=snapshot)["VolumeId"])
    attach(ec2, copy, identifier, "/dev/sdg")
    region.check("a volume made from a snapshot has what was there then", digest(region, address, region.disk_of(address, copy)) == before)
    region.check("and what was written since is in the first alone", digest(region, address, disk) != before)
    ec2.modify_volume(VolumeId=volume, Size=2)
    sectors = f"cat /sys/block/{disk.split('/')[-1]}/size"
    region.check_soon("a running guest sees that its disk has grown", lambda: int(region.ssh(address, sectors)) * 512 == 2 * GIB)
    detach(ec2, copy)
    ec2.delete_volume(VolumeId=copy)
    ec2.delete_snapshot(SnapshotId=snapshot)
    return volume


def moves(region, identifier, address, boot):
    source = host_of(region, identifier)
    region.command("host", "move", identifier, "--to", other_than(source))
    wait_until(lambda: is_settled(region, identifier), "the migration is over")
    region.check("it is on the other host", host_of(region, identifier) == other_than(source))
    region.check("there alone", identifier in running_on(region, other_than(source)) and identifier not in running_on(region, source))
    region.check_soon("it was not started anew", lambda: region.boot_id(address) == boot)
    region.check("it loses no write", is_whole(numbers(region, address)))


def fences(region, host):
    return region.command("host", "fences", host)


def blocklist(cluster):
    return cluster.run("ceph", "osd", "blocklist", "ls")


def is_cut_off(region, cluster, identifier, address, volume):
    """The host cannot be asked, and its guest writes until Ceph blocks it."""
    source = host_of(region, identifier)
    target = other_than(source)
    disk = region.disk_of(address, volume)
    before, synced = digest(region, address, disk), len(numbers(region, address))
    region.ssh(address, "sync")
    for host in ("hv1", "hv2"):
        region.command("host", "set-fence", host, "--blocklist", ADDRESSES[host], "--after-s", str(AFTER_S))
    start = time.monotonic()
    region.run("tools/sandbox", "kill", source, "ovn-controller", "STOP")
    region.run("tools/sandbox", "kill", source, "libvirtd", "STOP")
    wait_until(lambda: any(f["stage"] == "confirmed" for f in fences(region, source)), "Ceph keeps the host out")
    print(f"kept out {time.monotonic() - start:.0f} s after it was cut off")
    region.check("that is the proof", fences(region, source)[-1]["proof"] == "blocklist")
    region.check(f"it is on the blocklist: {blocklist(cluster)}", ADDRESSES[source] in blocklist(cluster))
    wait_until(lambda: identifier in running_on(region, target), "the guest runs on the other host")
    region.run("tools/sandbox", "kill", source, "ovn-controller", "CONT")
    region.check_soon("it is reached again", lambda: region.boot_id(address))
    written = numbers(region, address)
    region.check(f"with all that it had written: {len(written)} of {synced}", len(written) >= synced and is_whole(written))
    region.check("and its other disk", digest(region, address, region.disk_of(address, volume)) == before)
    return source


def comes_back(region, cluster, identifier, address, source):
    boot = region.boot_id(address)
    region.run("tools/sandbox", "kill", source, "libvirtd", "CONT")
    wait_until(lambda: all(f["ended"] for f in fences(region, source)), "the fence is over")
    region.check("nothing of the guest is left there", identifier not in region.on(source, "virsh", "list", "--all", "--name").split())
    region.check("it runs on where it is", region.boot_id(address) == boot and identifier in running_on(region, other_than(source)))
    region.check_soon("Ceph lets the host in again", lambda: ADDRESSES[source] not in blocklist(cluster))


def main(region, cluster):
    joins(region, cluster)
    measures(region)
    ec2, identifier, address = region.witness("acme")
    root, boot = root_of(ec2, identifier), region.boot_id(address)
    region.check("its disk lies in Ceph", len(images_of(cluster, root)) == 1)
    region.check("and on no host", not files_on(region, "hv1", root) and not files_on(region, "hv2", root))
    region.check("the image is there once", sum("-img-" in name for name in cluster.run("rbd", "ls", ceph.POOL).split()) == 1)
    region.ssh(address, WRITER)
    volume = cuts(region, ec2, identifier, address)
    moves(region, identifier, address, boot)
    moves(region, identifier, address, boot)
    source = is_cut_off(region, cluster, identifier, address, volume)
    comes_back(region, cluster, identifier, address, source)
    moves(region, identifier, address, region.boot_id(address))
    other = launch(ec2, KeyName="k")[0]
    wait_state(ec2, [other], "running")
    ec2.terminate_instances(InstanceIds=[other, identifier])
    wait_state(ec2, [other, identifier], "terminated")
    ec2.delete_volume(VolumeId=await_volume(ec2, volume))
    region.check_soon("nothing but the image stays in the pool",
                      lambda: all("-img-" in name for name in cluster.run("rbd", "ls", ceph.POOL).split()))
    region.check_clean()


with Region("rbd") as the_region:
    TOP = tempfile.mkdtemp(prefix="dari-ceph-")
    try:
        with ceph.Cluster(TOP, ADDRESSES["ctl"], ["ip", "netns", "exec", f"{the_region.env['DARI_SANDBOX_PREFIX']}ctl"]) as the_cluster:
            main(the_region, the_cluster)
    finally:
        shutil.rmtree(TOP)
