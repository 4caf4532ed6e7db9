#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/drivers/swap_file
"""A guest has its type's ephemeral and swap disks beside its root disk, with their sizes: the former blank, the latter formatted as swap. Both are
replaced by a rebuild, and end with the guest."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
from region import Region, instance, wait_state, wait_until  # noqa: E402

NOVA = "/compute/v2.1"
METADATA = "http://169.254.169.254/latest/meta-data/block-device-mapping"


class Guest:
    def __init__(self, region, address):
        self.region, self.address = region, address

    def sh(self, command):
        return self.region.ssh(self.address, command, fails=True).strip()

    def sizes(self):
        """Sizes of its second and third disk, in MiB."""
        return [int(self.sh(f"cat /sys/block/{disk}/size")) // 2048 for disk in ("vdb", "vdc")]

    def metadata(self, name):
        return self.sh(f"timeout 20 wget -q -O - {METADATA}/{name}")

    def head(self, disk):
        """A digest of the disk's first MiB, and that of zeros."""
        digests = self.sh(f"dd if=/dev/{disk} bs=1M count=1 2>/dev/null | md5sum; dd if=/dev/zero bs=1M count=1 2>/dev/null | md5sum")
        return [line.split()[0] for line in digests.splitlines()]

    def is_blank(self, disk):
        return len(set(self.head(disk))) == 1

    def swaps(self):
        """Activates the guest's swap device; returns its line of /proc/swaps: name, type, size in KiB."""
        said = self.sh("swapon /dev/vdc 2>&1; tail -n +2 /proc/swaps; swapoff /dev/vdc")
        return said.split()


def has_its_disks(region, guest, what):
    region.check(f"{what}: 1 GiB and 64 MiB are its second and third disk: {guest.sizes()}", guest.sizes() == [1024, 64])
    region.check(f"{what}: the ephemeral disk is blank", guest.is_blank("vdb"))
    swaps = guest.swaps()
    region.check(f"{what}: it swaps on the other: {swaps}", swaps[0] == "/dev/vdc" and int(swaps[2]) == 64 * 1024 - 4)


def main():
    with Region("ld") as region:
        admin = cloud.make_admin(region)
        flavor = {"name": "scratch", "id": "scratch", "ram": 256, "vcpus": 1, "disk": 0, "OS-FLV-EXT-DATA:ephemeral": 1, "swap": 64}
        admin.ok("POST", f"{NOVA}/flavors", {"flavor": flavor})
        ec2, identifier, address = region.witness("people", InstanceType="scratch")
        guest = Guest(region, address)
        has_its_disks(region, guest, "launched")
        names = guest.metadata("").split()
        region.check(f"its metadata names them: {names}", {"ephemeral0", "swap"} <= set(names)
                     and (guest.metadata("ephemeral0"), guest.metadata("swap")) == ("vdb", "vdc"))
        region.check("they are no volumes", len(ec2.describe_volumes()["Volumes"]) == 1
                     and len(instance(ec2, identifier)["BlockDeviceMappings"]) == 1)
        guest.sh("for d in vdb vdc; do dd if=/dev/urandom of=/dev/$d bs=1M count=1 conv=notrunc 2>/dev/null; done; sync")
        region.check("it writes to them", not guest.is_blank("vdb"))

        before = region.boot_id(address)
        (server,) = [s["id"] for s in admin.ok("GET", f"{NOVA}/servers?all_tenants=1")["servers"]]
        image = instance(ec2, identifier)["ImageId"]
        (uuid,) = [i["id"] for i in admin.ok("GET", "/image/v2/images")["images"] if i["id"].replace("-", "").startswith(image[4:])]
        answer = admin.call("POST", f"{NOVA}/servers/{server}/action", {"rebuild": {"imageRef": uuid}})
        region.check("it is to be rebuilt", answer.status == 202)
        wait_until(lambda: region.boot_id(address) not in ("", before), "the guest rebuilt")
        has_its_disks(region, guest, "rebuilt")
        region.check_clean("audit is clean with the disks")

        ec2.terminate_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "terminated")
        region.settle()
        region.check_clean()


if __name__ == "__main__":
    main()
