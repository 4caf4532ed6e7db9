#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/instance/instance_swap.c
"""Replaces a volume while its guest writes to it: data written before and during the copy are on the new one, later data only there; a killed dari
makes no difference, and neither does a stop meanwhile."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
from region import Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402

GIB = 1 << 30
MARKED_MIB = 48
COUNT_AT_MIB = 512  # where the guest writes its counter


class Guest:
    def __init__(self, region, ec2, identifier):
        self.region, self.ec2, self.id = region, ec2, identifier
        self.address = give_address(ec2, identifier)[0]

    def sh(self, command):
        return self.region.ssh(self.address, command, fails=True).strip()

    def await_ssh(self):
        wait_until(lambda: self.region.boot_id(self.address), f"ssh to {self.id}")

    def disk(self, volume):
        """The kernel's name of the disk with that volume's serial number; empty if it has none."""
        return self.sh(f"grep -l {volume.replace('-', '')} /sys/block/*/serial | cut -d/ -f4")

    def mark(self, name):
        """Writes that many MiB of random data; returns their digest."""
        self.sh(f"dd if=/dev/urandom of=/dev/{name} bs=1M count={MARKED_MIB} conv=fsync 2>/dev/null")
        return self.digest(name)

    def digest(self, name):
        self.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
        return self.sh(f"dd if=/dev/{name} bs=1M count={MARKED_MIB} 2>/dev/null | md5sum | cut -d' ' -f1")

    def count_on(self, name):
        """Writes increasing numbers there, flushing each before the next."""
        self.sh(f"""cat >/tmp/count <<'END'
n=0
while :; do n=$((n + 1)); printf '%511d\\n' $n | dd of=/dev/{name} bs=512 seek={COUNT_AT_MIB * 2048} conv=notrunc,fsync 2>/dev/null || exit; echo $n >/tmp/counted; done
END
sh /tmp/count >/dev/null 2>&1 &""")

    def counted(self, name):
        self.sh("sync; echo 3 >/proc/sys/vm/drop_caches")
        return int(self.sh(f"dd if=/dev/{name} bs=512 skip={COUNT_AT_MIB * 2048} count=1 2>/dev/null") or 0)


def state(ec2, volume):
    """(state of the volume, its instance or None)."""
    found = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    return found["State"], found["Attachments"][0]["InstanceId"] if found["Attachments"] else None


def make_volume(ec2, zone, size, **how):
    volume = ec2.create_volume(AvailabilityZone=zone, Size=size, VolumeType="gp2", **how)["VolumeId"]
    wait_until(lambda: state(ec2, volume)[0] == "available", "the volume made")
    return volume


class Swaps:
    def __init__(self, region, ec2, admin, guest):
        self.region, self.ec2, self.admin, self.guest = region, ec2, admin, guest
        self.server = self.openstack("/compute/v2.1/servers?all_tenants=1", "servers", guest.id)
        self.zone = instance(ec2, guest.id)["Placement"]["AvailabilityZone"]

    def openstack(self, path, items, identifier):
        """OpenStack's id of the resource with that EC2 id."""
        begin = identifier.split("-")[1]
        return next(i["id"] for i in self.admin.ok("GET", path)[items] if i["id"].replace("-", "").startswith(begin))

    def ask(self, old, new):
        ids = [self.openstack("/volume/v3/volumes?all_tenants=1", "volumes", v) for v in (old, new)]
        path = f"/compute/v2.1/servers/{self.server}/os-volume_attachments/{ids[0]}"
        assert self.admin.call("PUT", path, {"volumeAttachment": {"volumeId": ids[1]}}).status == 202

    def await_end(self, old, new):
        wait_until(lambda: state(self.ec2, new) == ("in-use", self.guest.id), "the new volume in its place")
        wait_until(lambda: state(self.ec2, old) == ("available", None), "the old volume free")


def while_it_writes(swaps, old, new):
    """Replaced by an encrypted volume; dari is killed meanwhile."""
    region, ec2, guest = swaps.region, swaps.ec2, swaps.guest
    ec2.attach_volume(VolumeId=old, InstanceId=guest.id, Device="/dev/sdf")
    wait_until(lambda: guest.disk(old), "the guest has the disk")
    name, boot = guest.disk(old), region.boot_id(guest.address)
    digest = guest.mark(name)
    guest.count_on(name)
    wait_until(lambda: guest.counted(name) > 3, "the guest counts")
    swaps.ask(old, new)
    region.kill_dari()
    region.start_dari()
    swaps.await_end(old, new)
    gone_over = int(guest.sh("cat /tmp/counted"))
    region.check("what was written before is on the new volume", guest.digest(name) == digest)
    region.check_soon("the guest goes on writing there", lambda: guest.counted(name) > gone_over + 3)
    region.check("the guest ran all the while", boot == region.boot_id(guest.address))
    ec2.attach_volume(VolumeId=old, InstanceId=guest.id, Device="/dev/sdg")
    wait_until(lambda: state(ec2, old)[0] == "in-use", "the old volume attached again")
    wait_until(lambda: len(guest.sh("ls -d /sys/block/vd*").split()) == 3, "the guest has both")
    second = [n for n in guest.sh("ls /sys/block").split() if n.startswith("vd")][-1]
    before = guest.counted(second)
    region.check("the old volume has what was there at that moment", guest.digest(second) == digest and 0 < before <= gone_over)
    ec2.detach_volume(VolumeId=old)
    wait_until(lambda: state(ec2, old) == ("available", None), "the old volume free again")
    return digest


def restart(guest, stops=True):
    if stops:
        guest.ec2.stop_instances(InstanceIds=[guest.id])
    wait_state(guest.ec2, [guest.id], "stopped")
    guest.ec2.start_instances(InstanceIds=[guest.id])
    wait_state(guest.ec2, [guest.id], "running")
    guest.await_ssh()


def stopped_in_the_midst(swaps, old, new, digest):
    """The guest's volume is complete in either case; finally the larger one is in use."""
    region, ec2, guest = swaps.region, swaps.ec2, swaps.guest
    swaps.ask(old, new)
    ec2.stop_instances(InstanceIds=[guest.id], Force=True)
    restart(guest, stops=False)
    has, other = (old, new) if state(ec2, old)[1] else (new, old)
    wait_until(lambda: state(ec2, other) == ("available", None), "the other volume free")
    region.check(f"stopped in the midst, it has the {'old' if has == old else 'new'} one, whole", guest.digest(guest.disk(has)) == digest)
    if has == old:
        swaps.ask(old, new)
        swaps.await_end(old, new)
    name = "vdb"
    region.check_soon("the larger one is larger in the guest, too",
                      lambda: guest.sh(f"cat /sys/block/{name}/size") == str(2 * GIB // 512))
    region.check("with what was there", guest.digest(name) == digest)


def main():
    with Region("sw") as region:
        ec2, admin = region.account("alice"), cloud.make_admin(region)
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        open_ssh(ec2)
        (identifier,) = launch(ec2, 1, KeyName="k")
        wait_state(ec2, [identifier], "running")
        guest = Guest(region, ec2, identifier)
        guest.await_ssh()
        swaps = Swaps(region, ec2, admin, guest)
        old, sealed = make_volume(ec2, swaps.zone, 1), make_volume(ec2, swaps.zone, 1, Encrypted=True)
        large = make_volume(ec2, swaps.zone, 2)
        digest = while_it_writes(swaps, old, sealed)
        restart(guest)
        region.check("started anew, the guest finds the new volume by its own serial", guest.digest(guest.disk(sealed)) == digest)
        stopped_in_the_midst(swaps, sealed, large, digest)
        region.check_clean()


if __name__ == "__main__":
    main()
