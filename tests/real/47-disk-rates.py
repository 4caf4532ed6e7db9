#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/model/disk_limits
"""Volume types limit their guests: uncached reads take as long as the volume's IOPS and throughput imply, the new limit applies at once after a
modification, and again after the guest was off."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, instance, wait_state, wait_until  # noqa: E402

READS = 500  # at 400 a second, QEMU's initial burst is a twelfth of them


def volume(ec2, identifier):
    return ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]


def attach(region, ec2, address, identifier, **more):
    """Attaches a volume of that kind; returns its device in the guest."""
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, **more)["VolumeId"]
    wait_until(lambda: volume(ec2, made)["State"] == "available", "the volume is available")
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device="/dev/sdf")
    wait_until(lambda: [a["State"] for a in volume(ec2, made)["Attachments"]] == ["attached"], "attached")
    return made, region.disk_of(address, made)


def read_s(region, address, disk, size, count):
    """Duration of reads by the guest's clock. Unwritten blocks count, too: QEMU counts requests."""
    script = f"a=$(cut -d' ' -f1 /proc/uptime); dd if={disk} of=/dev/null bs={size} count={count} iflag=direct 2>/dev/null; " \
             "echo $a $(cut -d' ' -f1 /proc/uptime)"
    begin, end = region.ssh(address, script).split()
    return float(end) - float(begin)


def is_held(region, what, seconds, rate, work):
    """Not faster than the rate, except for QEMU's initial burst of a tenth of a second. There is no upper limit, because an emulated guest on a busy
    machine may be arbitrarily slow."""
    region.check(f"{what}: {work / seconds:.0f} a second of {rate}", work / seconds < 1.25 * rate)


def main():
    with Region("dr") as region:
        ec2, one, address = region.witness("rates")
        made, disk = attach(region, ec2, address, one, Size=40, VolumeType="io1", Iops=100)
        slow = read_s(region, address, disk, 4096, READS)
        is_held(region, "io1 of 100 IOPS", slow, 100, READS)
        ec2.modify_volume(VolumeId=made, Iops=400)

        def is_quicker():
            return read_s(region, address, disk, 4096, READS) < slow / 2
        region.check_soon("modified to 400 while it runs, it is quicker", is_quicker)
        is_held(region, "io1 of 400 IOPS", read_s(region, address, disk, 4096, READS), 400, READS)
        ec2.modify_volume(VolumeId=made, Iops=100)
        region.check_soon("and slower again", lambda: not is_quicker())
        ec2.stop_instances(InstanceIds=[one], Force=True)
        wait_state(ec2, [one], "stopped")
        ec2.start_instances(InstanceIds=[one])
        wait_state(ec2, [one], "running")
        wait_until(lambda: region.boot_id(address), "ssh after the start")
        disk = region.disk_of(address, made)
        is_held(region, "io1 of 100 IOPS after a stop and a start", read_s(region, address, disk, 4096, READS), 100, READS)
        is_held(region, "its 25 MiB/s, in KiB", read_s(region, address, disk, 1 << 20, 75), 25 * 1024, 75 * 1024)
        region.check_clean()


if __name__ == "__main__":
    main()
