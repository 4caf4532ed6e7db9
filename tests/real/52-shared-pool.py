#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/host/pool_host.c src/reconcile/storage/storage_pool.c
"""Two hosts share a directory: a guest that counts and writes is live-migrated both ways without a copy; a stopped one starts on the other host; a
volume is attached to guests on both in turn. A host without the mount is reported."""
# limit: 900 s
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from moves import WRITER, check_reached, host_of, is_bound_once, is_settled, is_whole, move, numbers, other_than, root_of, running_on  # noqa: E402
from region import Region, give_address, launch, state, wait_state, wait_until  # noqa: E402

HOSTS = ("hv1", "hv2")
SHARED = "/var/lib/libvirt/shared"


def files_in(region, host, directory, identifier):
    listed = region.on(host, "ls", directory).split()
    return [name for name in listed if identifier.replace("vol-", "") in name.replace("-", "")]


def mount(region, host):
    kept = f"{region.env['DARI_SANDBOX']}/shared"
    region.on(host, "sh", "-c", f"mkdir -p {kept} {SHARED} && mount --bind {kept} {SHARED}")


def states(region):
    return {h["name"]: h["state"] for h in region.command("pool", "list")[0]["hosts"]}


def proves(region):
    """The second host has an unmounted directory there."""
    mount(region, "hv1")
    region.on("hv2", "mkdir", "-p", SHARED)
    region.command("pool", "add", "nfs", "--path", SHARED)
    wait_until(lambda: set(states(region).values()) == {"unproven"}, "neither host is believed")
    told = region.run(region.dari, "doctor", fails=True)
    region.check(f"doctor says so: {told}", re.search("not by (hv1 hv2|hv2 hv1)", told) and SHARED in told)
    mount(region, "hv2")
    wait_until(lambda: set(states(region).values()) == {"proven"}, "both hosts are proven")
    region.command("pool", "set", "nfs", "--type", "gp2,gp3")


def moves(region, ec2, identifier, address, boot):
    volume, source = root_of(ec2, identifier), host_of(region, identifier)
    target = other_than(source)
    moved = move(region, identifier)
    region.check(f"it goes: {moved.get('problem', '')}", moved["outcome"] == "completed" and not moved.get("problem"))
    region.check("OVN has it there alone", is_bound_once(region))
    region.check("it is on the other host", host_of(region, identifier) == target)
    region.check("there alone", identifier in running_on(region, target) and identifier not in running_on(region, source))
    check_reached(region, identifier, address, boot)
    region.check("EC2 says that it runs", state(ec2, identifier) == "running")
    region.check("there is one file of its disk", len(files_in(region, target, SHARED, volume)) == 1)
    region.check("and none in a host's own directory", not any(files_in(region, h, "/var/lib/libvirt/images", volume) for h in HOSTS))
    region.check("it loses no write", is_whole(numbers(region, address)))


def starts_elsewhere(region, ec2, identifier, address):
    """A stopped guest starts again on its host, with its data."""
    source = host_of(region, identifier)
    region.ssh(address, "killall sh usleep 2>/dev/null; sync", fails=True)
    ec2.stop_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "stopped")
    ec2.start_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "running")
    region.check_soon("it answers again", lambda: region.boot_id(address))
    region.check(f"where it was: {source}", host_of(region, identifier) == source)


def volume_of(ec2, made):
    return ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]


def attach(ec2, volume, identifier):
    ec2.attach_volume(VolumeId=volume, InstanceId=identifier, Device="/dev/sdf")
    wait_until(lambda: [a["State"] for a in volume_of(ec2, volume)["Attachments"]] == ["attached"], "attached")


def detach(ec2, volume):
    ec2.detach_volume(VolumeId=volume)
    wait_until(lambda: volume_of(ec2, volume)["State"] == "available", "detached")


def attaches_across(region, ec2, one, address, encrypted):
    """Data written by the first guest are read by the second, on the other host."""
    zone = ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=encrypted)["VolumeId"]
    wait_until(lambda: volume_of(ec2, volume)["State"] == "available", "the volume is available")
    two = launch(ec2, ImageId=ec2.describe_instances(InstanceIds=[one])["Reservations"][0]["Instances"][0]["ImageId"], KeyName="k")[0]
    wait_state(ec2, [two], "running")
    other, _ = give_address(ec2, two)
    wait_until(lambda: region.boot_id(other), "ssh to the second guest")
    if host_of(region, two) == host_of(region, one):
        region.command("host", "move", two)
        wait_until(lambda: is_settled(region, two), "the second guest is on the other host")
    attach(ec2, volume, one)
    disk = region.disk_of(address, volume)
    region.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M count=4 conv=notrunc 2>/dev/null; sync")
    before = region.ssh(address, f"dd if={disk} bs=1M count=4 2>/dev/null | md5sum")
    detach(ec2, volume)
    attach(ec2, volume, two)
    disk = region.disk_of(other, volume)
    after = region.ssh(other, f"dd if={disk} bs=1M count=4 2>/dev/null | md5sum")
    region.check(f"what the first guest wrote the second reads (encrypted: {encrypted})", before.split()[0] == after.split()[0])
    region.check("it is one file", len(files_in(region, "hv1", SHARED, volume)) == 1)
    made = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[made])["Snapshots"][0]["State"] == "completed", "a snapshot of it")
    detach(ec2, volume)
    ec2.delete_volume(VolumeId=volume)
    ec2.terminate_instances(InstanceIds=[two])
    wait_state(ec2, [two], "terminated")
    region.check_soon("nothing of it stays", lambda: not files_in(region, "hv2", SHARED, volume))


def main(region):
    proves(region)
    ec2, identifier, address = region.witness("acme")
    ec2.authorize_security_group_ingress(GroupName="default", IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
    boot = region.boot_id(address)
    region.check("its disk lies in the pool", len(files_in(region, "hv1", SHARED, root_of(ec2, identifier))) == 1)
    region.ssh(address, WRITER)
    moves(region, ec2, identifier, address, boot)
    moves(region, ec2, identifier, address, boot)
    attaches_across(region, ec2, identifier, address, False)
    attaches_across(region, ec2, identifier, address, True)
    region.check("it loses no write until the end", is_whole(numbers(region, address)))
    starts_elsewhere(region, ec2, identifier, address)
    region.check_clean()


with Region("pool") as the_region:
    main(the_region)
