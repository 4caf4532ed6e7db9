#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/instance/instance_migration
"""A guest with an encrypted disk beside its root is live-migrated ten times, with each kind of disk: files of its host, which are copied; files in a
directory that both hosts share; images in a Ceph pool. Its counter is complete, nobody else writes to its disks, it is reachable after each
migration, and OVN has bound it on its host. A guest with a TPM keeps the TPM's measurements."""
# limit: 3600 s
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ceph  # noqa: E402
from moves import WRITER, Pings, check_reached, host_of, is_bound_once, is_heard, is_whole, move, numbers, other_than, root_of, running_on  # noqa: E402
from pools import Pools, attach, make  # noqa: E402
from region import ROOT, Region, give_address, instance, launch, wait_state  # noqa: E402

TIMES = int(os.environ.get("TIMES", "20"))
KINDS = {"dari": "files of its host", "nfs": "files that both hosts see", "ceph": "images in Ceph"}


def there_and_back(region, identifier, address, boot, words):
    gaps, silent, pauses, bound = [], [], [], 0
    for n in range(TIMES):
        with Pings(region, address) as pings:
            moved = move(region, identifier)
            start = time.monotonic()
            bound += is_bound_once(region)
            if not is_heard(region, address) and not check_reached(region, identifier, address, boot):
                print(f"lost in move {n + 1}")
                return
            silent.append(time.monotonic() - start)
        gaps.append(pings.longest_gap_s())
        pauses.append(int(moved.get("pause_ms", 0)) / 1000)
        if moved["outcome"] != "completed" or moved.get("problem"):
            print(f"move {n + 1}: {moved['outcome']} {moved.get('problem')}")
        here = host_of(region, identifier)
        assert identifier in running_on(region, here) and identifier not in running_on(region, other_than(here))
    print(f"{words}:")
    print("longest gap between two pings of each move, s:", " ".join(f"{gap:.1f}" for gap in gaps))
    print("for how long its host says that it stood still, s:", " ".join(f"{s:.1f}" for s in pauses))
    print("until it was heard after each, s:", " ".join(f"{s:.1f}" for s in silent))
    region.check(f"{words}: whenever a move is over OVN has it on one host alone, and up", bound == TIMES)
    region.check(f"{words}: no number is lost, there and back", is_whole(numbers(region, address)))


def by_each_kind(region, ec2, identifier, address, pools):
    """The root disk, and an encrypted disk, whose data must not change."""
    boot, root = region.boot_id(address), root_of(ec2, identifier)
    disk = make(ec2, instance(ec2, identifier)["Placement"]["AvailabilityZone"], Size=1, Encrypted=True)
    attach(ec2, disk, identifier, "/dev/sdf")
    device = region.disk_of(address, disk)
    region.ssh(address, f"dd if=/dev/urandom of={device} bs=1M count=8 conv=notrunc 2>/dev/null; sync")

    def digest():
        return region.ssh(address, f"sync; echo 3 >/proc/sys/vm/drop_caches; dd if={device} bs=1M count=8 2>/dev/null | md5sum")
    before = digest()
    for pool, words in KINDS.items():
        for volume in (root, disk) if pool != "dari" else ():
            pools.ask(volume, pool)
            pools.await_end(volume, pool)
        there_and_back(region, identifier, address, boot, words)
        region.check(f"{words}: the encrypted disk is as it was", digest() == before)
        region.check(f"{words}: each disk lies there, once", pools.files(root) == pools.files(disk) == [pool])


def tpm(region, ec2):
    """The TPM's registers contain the firmware's measurements at boot, which a new TPM would not have."""
    tiny = os.path.join(ROOT, "build/cache/tiny.qcow2")
    image = region.command("image", "import", tiny, "--name", "tiny-tpm", "--boot-mode", "uefi", "--tpm")["image_id"]
    identifier = launch(ec2, ImageId=image, KeyName="k")[0]
    wait_state(ec2, [identifier], "running")
    address, _ = give_address(ec2, identifier)
    region.reach(ec2, identifier, address, "the guest with a TPM")
    boot, registers = region.boot_id(address), "cat /sys/class/tpm/tpm0/pcr-sha256/[0-7]"
    before = region.ssh(address, registers, fails=True)
    region.check("a guest with a TPM goes to the other host", move(region, identifier)["outcome"] == "completed")
    check_reached(region, identifier, address, boot)
    region.check(f"the TPM's registers go along: {before[:80]!r}", region.ssh(address, registers, fails=True) == before)
    ec2.reboot_instances(InstanceIds=[identifier])
    region.check_soon("and it boots there", lambda: region.boot_id(address) not in ("", boot))
    return identifier


def main(region, cluster):
    pools = Pools(region, cluster)
    ec2, identifier, address = region.witness("acme")
    ec2.authorize_security_group_ingress(GroupName="default", IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
    print(region.ssh(address, "grep -m1 'model name' /proc/cpuinfo"))
    region.ssh(address, WRITER)
    by_each_kind(region, ec2, identifier, address, pools)
    tpm(region, ec2)
    region.check_clean()


with Region("mig2") as the_region:
    TOP = tempfile.mkdtemp(prefix="dari-ceph-")
    try:
        with ceph.Cluster(TOP, "10.100.0.10", ["ip", "netns", "exec", f"{the_region.env['DARI_SANDBOX_PREFIX']}ctl"]) as the_cluster:
            main(the_region, the_cluster)
    finally:
        shutil.rmtree(TOP)
