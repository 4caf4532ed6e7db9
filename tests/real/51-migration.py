#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/instance/instance_migration
"""Live migration: the guest keeps its boot ID and its data, and is reachable again; by command, by draining its host, and if dari is killed
meanwhile. A cancelled migration leaves it on its host. Afterwards its disks are on one host only."""
# limit: 900 s
import base64
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import uefi_data  # noqa: E402
from moves import (WRITER, Pings, check_reached, files_on, host_of, is_sending, is_settled, is_whole, move, numbers,  # noqa: E402
                   other_than, root_of, running_on)
from region import ROOT, Region, give_address, launch, state, wait_state, wait_until  # noqa: E402


def moves(region, ec2, identifier, address, boot):
    volume, source = root_of(ec2, identifier), host_of(region, identifier)
    target = other_than(source)
    start = time.monotonic()
    with Pings(region, address) as pings:
        move(region, identifier)
        took = time.monotonic() - start
        check_reached(region, identifier, address, boot)
    print(f"took {took:.1f} s; the longest gap between two pings: {pings.longest_gap_s():.1f} s")
    region.check("it is on the other host", host_of(region, identifier) == target)
    region.check("there alone", identifier in running_on(region, target) and identifier not in running_on(region, source))
    region.check("EC2 says that it runs", state(ec2, identifier) == "running")
    region.check_soon("its old disk is gone", lambda: not files_on(region, source, volume))
    region.check("its disk is there", len(files_on(region, target, volume)) == 1)
    region.check("it loses no write", is_whole(numbers(region, address)))


def attach_encrypted(ec2, identifier):
    zone = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True)["VolumeId"]
    wait_until(lambda: volume_of(ec2, made)["State"] == "available", "the volume is available")
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device="/dev/sdf")
    wait_until(lambda: [a["State"] for a in volume_of(ec2, made)["Attachments"]] == ["attached"], "attached")
    return made


def volume_of(ec2, made):
    return ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]


def digest(region, address, disk):
    return region.ssh(address, f"dd if={disk} bs=1M count=16 2>/dev/null | md5sum").split()[0]


def killed(region, identifier, address, boot):
    """dari is killed during a migration. The guest still runs on one host only, with its data, and the migration reaches a final state."""
    source = host_of(region, identifier)
    region.command("host", "move", identifier)
    wait_until(lambda: is_sending(region, source, identifier), "it is being sent", every_s=0.02)
    region.kill_dari()
    region.start_dari()
    wait_until(lambda: is_settled(region, identifier), "the migration is over")
    region.check("killed in the midst, it goes on to the other host", host_of(region, identifier) == other_than(source))
    everywhere = running_on(region, "hv1") + running_on(region, "hv2")
    region.check("it runs once", everywhere.count(identifier) == 1)
    region.check_soon("it answers again", lambda: region.boot_id(address) == boot)
    region.check("it loses no write then", is_whole(numbers(region, address)))


def drains(region, identifier, address, boot):
    source = host_of(region, identifier)
    said = region.command("host", "drain", source, "--reason", "New fans")
    region.check(f"what goes is told: {said}", [i["target"] for i in said if i["instance"] == identifier] == [other_than(source)])
    wait_until(lambda: is_settled(region, identifier), "the host is drained")
    region.check("a drained host has none that runs", identifier not in running_on(region, source))
    region.check_soon("it answers again", lambda: region.boot_id(address) == boot)


def variables(ec2, identifier):
    return uefi_data.read(base64.b64decode(ec2.get_instance_uefi_data(InstanceId=identifier)["UefiData"]))


def uefi(region, ec2):
    """UEFI variables move along, and the guest boots with them there."""
    tiny = os.path.join(ROOT, "build/cache/tiny.qcow2")
    image = region.command("image", "import", tiny, "--name", "tiny-uefi", "--boot-mode", "uefi")["image_id"]
    identifier = launch(ec2, ImageId=image, KeyName="k")[0]
    wait_state(ec2, [identifier], "running")
    address, _ = give_address(ec2, identifier)
    wait_until(lambda: region.boot_id(address), "ssh to the guest under UEFI")
    boot, before, source = region.boot_id(address), variables(ec2, identifier), host_of(region, identifier)
    region.command("host", "move", identifier)
    wait_until(lambda: is_settled(region, identifier), "the migration is over")
    region.check("a guest under UEFI goes to the other host", host_of(region, identifier) == other_than(source))
    region.check_soon("and was not started anew", lambda: region.boot_id(address) == boot)
    region.check("its variables are there", variables(ec2, identifier) == before)
    kept = region.on(source, "sh", "-c", "ls /var/lib/libvirt/qemu/nvram", fails=True)
    region.check(f"and not where it was: {kept}", identifier not in kept)
    ec2.stop_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "stopped")
    ec2.start_instances(InstanceIds=[identifier])
    region.check_soon("and it starts by them", lambda: region.boot_id(address) not in ("", boot))


def main(region):
    ec2, identifier, address = region.witness("acme")
    ec2.authorize_security_group_ingress(GroupName="default", IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
    boot = region.boot_id(address)
    secret = attach_encrypted(ec2, identifier)
    disk = region.disk_of(address, secret)
    region.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M seek=5 count=8 conv=notrunc 2>/dev/null; sync")
    before = digest(region, address, disk)
    region.ssh(address, WRITER)
    moves(region, ec2, identifier, address, boot)
    moves(region, ec2, identifier, address, boot)
    region.check("an encrypted disk has what was written", digest(region, address, disk) == before)
    uefi(region, ec2)
    killed(region, identifier, address, boot)
    region.check("and still has", digest(region, address, disk) == before)
    drains(region, identifier, address, boot)
    count = len(numbers(region, address))
    region.check_soon("it writes on", lambda: len(numbers(region, address)) > count)
    ec2.reboot_instances(InstanceIds=[identifier])
    region.check_soon("it boots where it is now", lambda: region.boot_id(address) not in ("", boot))
    region.check_clean()


with Region("migr") as the_region:
    main(the_region)
