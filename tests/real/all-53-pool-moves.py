#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/drivers/ceph src/reconcile/instance/instance_swap.c
"""Volumes move between a host's own directory, a shared one, and a pool of a real Ceph: the root disk of a guest that counts and writes, an encrypted
disk beside it, and both with the guest off. dari is killed during each move. No number is lost, no byte of the other disk changes, and nothing is
left behind. Snapshots of encrypted volumes in Ceph are restored elsewhere, and the reverse. Disks in a pool without a row are purged or adopted."""
# limit: 1500 s
import os
import shutil
import sys
import tempfile
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ceph  # noqa: E402
from moves import WRITER, host_of, is_whole, numbers, root_of  # noqa: E402
from pools import SHARED, Pools, attach, detach, make, volume_of  # noqa: E402
from region import Region, instance, wait_state, wait_until  # noqa: E402

MARKED_MIB = 8  # two objects of Ceph, and four more MiB far from the beginning


class Disk:
    """An encrypted disk, and its content."""

    def __init__(self, region, ec2, identifier, address):
        self.region, self.ec2, self.address = region, ec2, address
        zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
        self.zone = zone
        self.id = make(ec2, zone, Size=1, Encrypted=True)
        attach(ec2, self.id, identifier, "/dev/sdf")
        device = region.disk_of(address, self.id)
        region.ssh(address, f"for at in '0 count={MARKED_MIB}' '700 count=4'; do "
                            f"dd if=/dev/urandom of={device} bs=1M seek=$at conv=notrunc 2>/dev/null; done; sync")
        self.digest = self.read(self.id)

    def read(self, volume):
        device = self.region.disk_of(self.address, volume)
        reads = "; ".join(f"dd if={device} bs=1M skip={at} count={count} 2>/dev/null | md5sum" for at, count in ((0, MARKED_MIB), (700, 4)))
        return self.region.ssh(self.address, f"sync; echo 3 >/proc/sys/vm/drop_caches; {reads}").split()[::2]

    def is_whole(self, words):
        self.region.check_soon(f"the encrypted disk has what was written: {words}", lambda: self.read(self.id) == self.digest)


def counts_on(region, address, pool):
    seen, before = [], len(numbers(region, address))

    def goes_on():
        seen[:] = numbers(region, address)
        return len(seen) > before
    region.check_soon(f"it counts on in {pool}", goes_on)
    region.check(f"no number is lost on the way to {pool}", is_whole(seen))


def while_it_runs(pools, identifier, address, root, disk):
    region = pools.region
    boot = region.boot_id(address)
    for n, pool in enumerate(("nfs", "ceph", "dari")):  # file to file, file to Ceph, Ceph to file
        for volume in (root, disk.id):
            pools.ask(volume, pool)
        for volume in (root, disk.id):
            pools.await_end(volume, pool, kills=n in (1, 2) and volume == root)
        counts_on(region, address, pool)
        disk.is_whole(f"moved to {pool}")
    region.check("the guest ran all the while", region.boot_id(address) == boot)


def while_it_is_off(pools, ec2, identifier, address, root, disk):
    region = pools.region
    for n, pool in enumerate(("ceph", "dari")):
        region.ssh(address, "sync")
        ec2.stop_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "stopped")
        for volume in (root, disk.id):
            pools.ask(volume, pool)
        for volume in (root, disk.id):
            pools.await_end(volume, pool, kills=n == 0 and volume == root)
        ec2.start_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "running")
        region.reach(ec2, identifier, address, f"the guest in {pool}")
        region.check(f"moved to {pool} while it is off, it has its numbers", is_whole(numbers(region, address)))
        disk.is_whole(f"moved to {pool} while it is off")


def snapshot(ec2, volume):
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["State"] == "completed", "the snapshot")
    return made


def restored(pools, ec2, identifier, disk, pool, snapshots):
    """Restored into that pool, each volume has its snapshot's data, and can be extended."""
    pools.region.command("pool", "set", "ceph", "--type" if pool == "ceph" else "--no-type", "gp2,gp3")
    for made in snapshots:
        volume = make(ec2, disk.zone, SnapshotId=made, Size=2)
        pools.region.check(f"a volume of {made} lies in {pool}", pools.files(volume) == [pool])
        attach(ec2, volume, identifier, "/dev/sdg")
        pools.region.check_soon("with what was there", lambda: disk.read(volume) == disk.digest)
        device = pools.region.disk_of(disk.address, volume).split("/")[-1]
        sectors = int(pools.region.ssh(disk.address, f"cat /sys/block/{device}/size"))
        pools.region.check(f"it has 2 GiB: {sectors}", sectors * 512 == 2 << 30)
        if pool == "ceph":
            ec2.modify_volume(VolumeId=volume, Size=3)
            pools.region.check_soon("its guest sees it grow", lambda: int(
                pools.region.ssh(disk.address, f"cat /sys/block/{device}/size")) * 512 == 3 << 30)
        detach(ec2, volume)
        ec2.delete_volume(VolumeId=volume)
        pools.region.check_soon("nothing of it stays", lambda: not pools.files(volume))


def is_sealed(pools, disk):
    """Ceph contains none of the guest's data in clear."""
    name = next(n for n in pools.cluster.run("rbd", "ls", ceph.POOL).split() if disk.id.replace("vol-", "") in n.replace("-", ""))
    head = pools.cluster.run("sh", "-c", f"rbd export --no-progress {ceph.POOL}/{name} - | head -c 6 | od -An -tx1")
    pools.region.check(f"it is a LUKS container: {head}", head.split() == "4c 55 4b 53 ba be".split())


def leftovers(pools, ec2):
    """A disk in a pool without a row is reported, and is deleted or becomes a volume when the operator says so."""
    region, cluster = pools.region, pools.cluster
    image = next(n for n in cluster.run("rbd", "ls", ceph.POOL).split() if n.startswith("dari-"))
    mark = cluster.run("rbd", "image-meta", "get", f"{ceph.POOL}/{image}", "dari.region").strip()
    begin = "-".join(image.split("-")[:2])
    lost, found, file = str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())
    for made in (lost, found):
        name = f"{ceph.POOL}/{begin}-vol-{made}"
        cluster.run("rbd", "create", "--size", "1G", name)
        cluster.run("rbd", "image-meta", "set", name, "dari.region", mark)
    region.on("hv1", "qemu-img", "create", "-q", "-f", "qcow2", f"{SHARED}/{begin}-vol-{file}.qcow2", "1G")
    told = region.run(region.dari, "audit", fails=True)
    region.check("the audit tells of each", all(name in told for name in (lost, found, file)))
    for name in (lost, file):
        region.run(region.dari, "purge", name)
    region.run(region.dari, "adopt", found, "--account", "acme")
    adopted = "vol-" + found.replace("-", "")[:17]
    region.check_soon("the adopted one is a free volume", lambda: volume_of(ec2, adopted)["State"] == "available")
    region.check("it stays in Ceph, and the others are gone", [pools.files(name) for name in (adopted, lost, file)] == [["ceph"], [], []])
    region.check_clean()
    ec2.delete_volume(VolumeId=adopted)
    region.check_soon("the adopted one goes, too", lambda: not pools.files(adopted))


def main(region, cluster):
    pools = Pools(region, cluster)
    ec2, identifier, address = region.witness("acme")
    root = root_of(ec2, identifier)
    print(f"{identifier} on {host_of(region, identifier)}, root {root}")
    region.ssh(address, WRITER)
    disk = Disk(region, ec2, identifier, address)
    local = snapshot(ec2, disk.id)
    while_it_runs(pools, identifier, address, root, disk)
    while_it_is_off(pools, ec2, identifier, address, root, disk)
    detach(ec2, disk.id)
    pools.ask(disk.id, "ceph")
    pools.await_end(disk.id, "ceph")
    is_sealed(pools, disk)
    attach(ec2, disk.id, identifier, "/dev/sdf")
    there = snapshot(ec2, disk.id)
    for pool in ("ceph", "dari"):
        restored(pools, ec2, identifier, disk, pool, (local, there))
    leftovers(pools, ec2)
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")
    ec2.delete_volume(VolumeId=disk.id)
    region.check_soon("nothing but images stays in the pool",
                      lambda: all("-img-" in name for name in cluster.run("rbd", "ls", ceph.POOL).split()))
    region.check_clean()


with Region("pmv") as the_region:
    TOP = tempfile.mkdtemp(prefix="dari-ceph-")
    try:
        with ceph.Cluster(TOP, "10.100.0.10", ["ip", "netns", "exec", f"{the_region.env['DARI_SANDBOX_PREFIX']}ctl"]) as the_cluster:
            main(the_region, the_cluster)
    finally:
        shutil.rmtree(TOP)
