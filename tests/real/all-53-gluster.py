#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/storage/storage_pool.c
"""A GlusterFS volume, mounted by FUSE on two hosts, as a storage pool: both are proven to see it; a guest that counts and writes has its disk there,
and is live-migrated both ways without a copy."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import gluster  # noqa: E402
from region import Region, instance, wait_until  # noqa: E402

HOSTS = ("hv1", "hv2")
SHARED = "/var/lib/libvirt/gluster"
WRITER = "(n=0; while :; do n=$((n + 1)); echo $n >> /mnt/numbers; usleep 100000; done) </dev/null >/dev/null 2>&1 &"


def files_in(region, host, directory, volume):
    return [n for n in region.on(host, "ls", directory).split() if volume.replace("vol-", "") in n.replace("-", "")]


def fields(region, identifier):
    return region.command("explain", identifier)["fields"]


def states(region):
    return {h["name"]: h["state"] for h in region.command("pool", "list")[0]["hosts"]}


def is_proven(region):
    """At first only the hosts' own directories exist."""
    for host in HOSTS:
        region.on(host, "mkdir", "-p", SHARED)
    region.command("pool", "add", "gluster", "--path", SHARED)
    wait_until(lambda: set(states(region).values()) == {"unproven"}, "without the mount neither host is believed")
    for host in HOSTS:
        gluster.mount(region, host, SHARED)
        region.check(f"{host} has it by FUSE", gluster.is_mounted(region, host, SHARED))
    wait_until(lambda: set(states(region).values()) == {"proven"}, "both hosts are proven")
    region.command("pool", "set", "gluster", "--type", "gp2,gp3")


def numbers(region, address):
    return [int(n) for n in region.ssh(address, "cat /mnt/numbers").split()]


def moves(region, identifier, address, volume, boot):
    source = fields(region, identifier)["host"]
    target = {"hv1": "hv2", "hv2": "hv1"}[source]
    before = len(numbers(region, address))
    region.command("host", "move", identifier, "--to", target)
    wait_until(lambda: not fields(region, identifier).get("target"), "the migration is over")
    region.check(f"it is on {target}", fields(region, identifier)["host"] == target)
    region.check_soon("it was not started anew", lambda: region.boot_id(address) == boot)
    region.check("there is one file of its disk, in Gluster", len(files_in(region, target, SHARED, volume)) == 1)
    region.check("and none in a host's own directory",
                 not any(files_in(region, h, "/var/lib/libvirt/images", volume) for h in HOSTS))
    region.check_soon("it goes on writing", lambda: len(numbers(region, address)) > before)
    written = numbers(region, address)
    region.check("and loses no number", written == list(range(1, len(written) + 1)))


def main(region):
    brick = gluster.start(region)
    is_proven(region)
    ec2, identifier, address = region.witness("acme")
    volume = instance(ec2, identifier)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    region.check("its disk lies in the brick", len(files_in(region, "ctl", brick, volume)) == 1)
    boot = region.boot_id(address)
    region.ssh(address, WRITER)
    moves(region, identifier, address, volume, boot)
    moves(region, identifier, address, volume, boot)
    ec2.terminate_instances(InstanceIds=[identifier])
    region.check_soon("its file goes with it", lambda: not files_in(region, "ctl", brick, volume))
    region.check_clean()


with Region("gluster") as the_region:
    main(the_region)
