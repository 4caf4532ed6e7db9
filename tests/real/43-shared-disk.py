#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/storage/volume.c
"""A disk shared by two running guests: each sees the other's writes; it grows for both; its snapshot shows one moment; it can be detached from one of
them; also if dari is killed meanwhile."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, state, wait_state, wait_until  # noqa: E402

GIB = 1 << 30


def host_of(region, identifier):
    return region.command("explain", identifier)["fields"]["host"]


def guest_elsewhere(region, ec2, host):
    """A second guest, on the other host."""
    for _ in range(6):
        identifier = launch(ec2, KeyName="k")[0]
        wait_state(ec2, [identifier], "running")
        if host_of(region, identifier) != host:
            return identifier
        ec2.terminate_instances(InstanceIds=[identifier])
    raise LookupError("every guest went to the same host")


def volume(ec2, made):
    return ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]


def attachments(ec2, made):
    return {a["InstanceId"]: a["State"] for a in volume(ec2, made)["Attachments"]}


def wait_attached(ec2, made, *guests):
    wait_until(lambda: attachments(ec2, made) == {guest: "attached" for guest in guests}, "attached")


class Guests:
    """Running instances that answer ssh, by their addresses, and the name of the disk in each."""

    def __init__(self, region, made):
        self.region, self.made, self.addresses = region, made, []

    def add(self, address):
        wait_until(lambda: self.region.boot_id(address), "ssh to a guest")
        self.addresses.append(address)

    def sh(self, who, command):
        address = self.addresses[who]
        return self.region.ssh(address, command.replace("DISK", self.region.disk_of(address, self.made)), fails=True)

    def write(self, who, block, text):
        self.sh(who, f"echo {text} | dd of=DISK bs=4096 seek={block} conv=sync,notrunc,fsync 2>/dev/null")

    def read(self, who, block):
        """Reads from the disk, not from the guest's cache."""
        return self.sh(who, "echo 3 >/proc/sys/vm/drop_caches; "
                            f"dd if=DISK bs=4096 skip={block} count=1 2>/dev/null | tr -d '\\0'").strip()

    def size(self, who):
        return int(self.sh(who, "cat /sys/block/$(basename DISK)/size").strip() or 0) * 512

    def has(self, who):
        serial = self.made.replace("-", "")
        return bool(self.region.ssh(self.addresses[who], f"grep -l {serial} /sys/block/*/serial", fails=True).strip())

    def boots(self):
        return [self.region.boot_id(address) for address in self.addresses]


def share(region, ec2, guests, one, two):
    """Two's host is not the disk's: it moves there while it is stopped."""
    made = guests.made
    ec2.attach_volume(VolumeId=made, InstanceId=one, Device="/dev/sdf")
    wait_attached(ec2, made, one)
    region.refuses("a guest that runs on another host cannot have it", "IncorrectState",
                   ec2.attach_volume, VolumeId=made, InstanceId=two, Device="/dev/sdg")
    ec2.stop_instances(InstanceIds=[two])
    wait_state(ec2, [two], "stopped")
    ec2.attach_volume(VolumeId=made, InstanceId=two, Device="/dev/sdg")
    ec2.start_instances(InstanceIds=[two])
    region.kill_dari()
    region.start_dari()
    wait_state(ec2, [two], "running")
    wait_attached(ec2, made, one, two)
    region.check("stopped, it goes to the disk's host", host_of(region, two) == host_of(region, one))
    address, _ = give_address(ec2, two)
    guests.add(address)


def both_write(region, guests):
    guests.write(0, 10, "from-one")
    guests.write(1, 20, "from-two")
    seen = guests.read(1, 10), guests.read(0, 20)
    region.check(f"each guest sees what the other wrote {seen}", seen == ("from-one", "from-two"))


def grow(region, ec2, guests):
    ec2.modify_volume(VolumeId=guests.made, Size=5)
    region.check_soon("both see that it has grown", lambda: [guests.size(0), guests.size(1)] == [5 * GIB] * 2)


def snapshot(region, ec2, guests, one):
    boots = guests.boots()
    taken = ec2.create_snapshot(VolumeId=guests.made)["SnapshotId"]
    region.kill_dari()
    region.start_dari()
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[taken])["Snapshots"][0]["State"] == "completed",
               "the snapshot is completed")
    region.check("its guests ran on", guests.boots() == boots)
    guests.write(0, 10, "later")
    zone = instance(ec2, one)["Placement"]["AvailabilityZone"]
    copy = ec2.create_volume(AvailabilityZone=zone, SnapshotId=taken)["VolumeId"]
    wait_until(lambda: volume(ec2, copy)["State"] == "available", "the copy is available")
    ec2.attach_volume(VolumeId=copy, InstanceId=one, Device="/dev/sdh")
    wait_attached(ec2, copy, one)
    of_copy = Guests(region, copy)
    of_copy.add(guests.addresses[0])
    seen = of_copy.read(0, 10), of_copy.read(0, 20)
    region.check(f"its snapshot has what both wrote until then {seen}", seen == ("from-one", "from-two"))


def read_pool(region, host):
    """libvirt refreshes the pool, as it does periodically: it probes each file's format by its beginning."""
    region.on(host, "sh", "-c", "virsh pool-refresh $(virsh pool-list --name | grep -v console | head -n 1)")


def forge(region, ec2, guests, host):
    """A guest writes a header that refers to a file of the host: it must not get that file's data."""
    forged = f"{region.demo}/forged"
    region.run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/hostname", forged, "5G")
    disk = region.disk_of(guests.addresses[0], guests.made)
    region.ssh(guests.addresses[0], f"dd of={disk} bs=4096 conv=notrunc,fsync", stdin=forged)
    for beginning, state_then in (("forged", "error"), ("zeros", "completed")):
        read_pool(region, host)
        taken = ec2.create_snapshot(VolumeId=guests.made)["SnapshotId"]
        wait_until(lambda t=taken: ec2.describe_snapshots(SnapshotIds=[t])["Snapshots"][0]["State"] != "pending", "the snapshot")
        found = ec2.describe_snapshots(SnapshotIds=[taken])["Snapshots"][0]["State"]
        region.check(f"a disk that begins with {beginning}: its snapshot is {found}", found == state_then)
        guests.sh(1, "dd if=/dev/zero of=DISK bs=4096 count=64 seek=0 conv=notrunc,fsync 2>/dev/null")
    guests.write(0, 10, "later")


def leave(region, ec2, guests, one, two):
    made = guests.made
    region.refuses("which one is to leave has to be said", "MissingParameter", ec2.detach_volume, VolumeId=made)
    ec2.detach_volume(VolumeId=made, InstanceId=one)
    region.kill_dari()
    region.start_dari()
    wait_attached(ec2, made, two)
    guests.write(1, 30, "alone")
    region.check("it left one guest, and stays with the other",
                 guests.read(1, 30) == "alone" and volume(ec2, made)["State"] == "in-use" and not guests.has(0))
    ec2.attach_volume(VolumeId=made, InstanceId=one, Device="/dev/sdf")
    wait_attached(ec2, made, one, two)
    region.check("it came back as it was left", guests.read(0, 30) == "alone")
    ec2.terminate_instances(InstanceIds=[two])
    wait_state(ec2, [two], "terminated")
    wait_attached(ec2, made, one)
    region.check("the end of a guest ends its own attachment", state(ec2, one) == "running" and guests.read(0, 10) == "later")


def unshare(region, ec2, made):
    """The disk keeps its format, with one guest at a time."""
    ec2.detach_volume(VolumeId=made)
    wait_until(lambda: volume(ec2, made)["State"] == "available", "detached")
    ec2.modify_volume(VolumeId=made, MultiAttachEnabled=False)
    region.check("it is nobody's, and not shared any more", not volume(ec2, made)["MultiAttachEnabled"])


def move(region, ec2, guests, one):
    """A free disk moves to the host of its next guest."""
    other = guest_elsewhere(region, ec2, host_of(region, one))
    address, _ = give_address(ec2, other)
    ec2.attach_volume(VolumeId=guests.made, InstanceId=other, Device="/dev/sdf")
    wait_attached(ec2, guests.made, other)
    guests.add(address)
    region.check("it moves with what is on it", guests.read(-1, 30) == "alone")


def share_later(region, ec2, guests, one):
    """A disk created for one guest becomes shareable, with its data."""
    zone = instance(ec2, one)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, Size=4, VolumeType="io2", Iops=100)["VolumeId"]
    later = Guests(region, made)
    wait_until(lambda: volume(ec2, made)["State"] == "available", "the volume is available")
    ec2.attach_volume(VolumeId=made, InstanceId=one, Device="/dev/sdi")
    wait_attached(ec2, made, one)
    later.add(guests.addresses[0])
    later.write(0, 5, "before")
    ec2.detach_volume(VolumeId=made)
    wait_until(lambda: volume(ec2, made)["State"] == "available", "detached")
    ec2.modify_volume(VolumeId=made, MultiAttachEnabled=True)
    region.kill_dari()
    region.start_dari()
    ec2.attach_volume(VolumeId=made, InstanceId=one, Device="/dev/sdi")
    wait_attached(ec2, made, one)
    region.check("a disk that was made for one keeps its data", later.read(0, 5) == "before")


def main():
    with Region("sd") as region:
        ec2, one, address = region.witness("shared")
        two = guest_elsewhere(region, ec2, host_of(region, one))
        zone = instance(ec2, one)["Placement"]["AvailabilityZone"]
        made = ec2.create_volume(AvailabilityZone=zone, Size=4, VolumeType="io2", Iops=100, MultiAttachEnabled=True)["VolumeId"]
        wait_until(lambda: volume(ec2, made)["State"] == "available", "the volume is available")
        guests = Guests(region, made)
        guests.add(address)
        share(region, ec2, guests, one, two)
        both_write(region, guests)
        grow(region, ec2, guests)
        snapshot(region, ec2, guests, one)
        forge(region, ec2, guests, host_of(region, one))
        leave(region, ec2, guests, one, two)
        unshare(region, ec2, made)
        share_later(region, ec2, guests, one)
        move(region, ec2, guests, one)
        region.check_clean()


if __name__ == "__main__":
    main()
