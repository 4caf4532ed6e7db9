#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/host src/reconcile/instance src/drivers/libvirt
"""A host loses its power: its guests, libvirtd and OVN's agents end, its disks stay. Instances that are wanted running run again with their disks and
addresses, even if dari was down meanwhile; stopped ones stay stopped, other hosts' guests are unaffected, and the condition names the cause."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, state, wait_state, wait_until  # noqa: E402


def host_of(region, identifier):
    return region.command("explain", identifier)["fields"]["host"]


def addresses(ec2, identifier):
    found = instance(ec2, identifier)
    return found["PrivateIpAddress"], found["PublicIpAddress"]


def attach_disk(region, ec2, identifier, address):
    """Attaches a second disk and writes a word on it."""
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["State"] == "available", "a volume")
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device="/dev/sdf")
    wait_until(lambda: region.ssh(address, "ls /dev/vdb", fails=True).strip() == "/dev/vdb", "the guest sees it")
    flush = "conv=fsync,notrunc 2>/dev/null"  # flush to the disk: unflushed data are lost with the power
    region.ssh(address, f"dd if=/dev/urandom of=/dev/vdb bs=1M count=8 {flush}; dd if=/dev/null of=/dev/vda {flush}")


def digest(region, address):
    return region.ssh(address, "dd if=/dev/vdb bs=1M count=8 2>/dev/null | md5sum").split()[0]


def what_it_has(region, ec2, identifier, address):
    return addresses(ec2, identifier), digest(region, address), region.host_key(address)


def reboots(region, ec2, guest, others, words, power_cycle):
    (one, address), (two, other, stopped) = guest, others
    before, other_boot, had = region.boot_id(address), region.boot_id(other), what_it_has(region, ec2, one, address)
    power_cycle()
    wait_until(lambda: region.boot_id(address) not in ("", before), f"it runs again after {words}")
    region.check(f"{words}: what ran there runs again", state(ec2, one) == "running")
    has = what_it_has(region, ec2, one, address)
    region.check(f"{words}: with the same addresses, data and host key" + ("" if has == had else f": {had} {has}"),
                 has == had)
    conditions = {c["name"]: c["message"] for c in region.command("explain", one)["conditions"]}
    region.check(f"{words}: a condition says why: {conditions}",
                 list(conditions) == ["Restarted"] and "host was restarted" in conditions["Restarted"])
    region.check(f"{words}: what was stopped there is stopped", state(ec2, stopped) == "stopped")
    region.check(f"{words}: the other host's guest noticed nothing",
                 region.boot_id(other) == other_boot and state(ec2, two) == "running")


def power_cycle_without_dari(region, host):
    region.kill_dari()
    region.run("tools/sandbox", "reboot-host", host)
    region.start_dari()


def main():
    with Region("hr") as region:
        ec2, one, address = region.witness("reboot")
        host = host_of(region, one)
        others = launch(ec2, 3, KeyName="k")
        wait_state(ec2, others, "running")
        two = next(i for i in others if host_of(region, i) != host)
        stopped = next(i for i in others if host_of(region, i) == host)
        ec2.stop_instances(InstanceIds=[stopped], Force=True)
        other, _ = give_address(ec2, two)
        attach_disk(region, ec2, one, address)
        wait_state(ec2, [stopped], "stopped")
        wait_until(lambda: region.boot_id(other), "ssh to the other host's guest")
        guest, rest = (one, address), (two, other, stopped)
        reboots(region, ec2, guest, rest, "a reboot",
                lambda: region.run("tools/sandbox", "reboot-host", host))
        # The user's next action clears the condition.
        before = region.boot_id(address)
        ec2.reboot_instances(InstanceIds=[one])
        wait_until(lambda: not region.command("explain", one)["conditions"], "the condition is cleared")
        wait_until(lambda: region.boot_id(address) not in ("", before), "ssh after the user's reboot")
        reboots(region, ec2, guest, rest, "a reboot while dari is down",
                lambda: power_cycle_without_dari(region, host))
        ec2.start_instances(InstanceIds=[stopped])
        wait_state(ec2, [stopped], "running")
        region.check("what was stopped can be started there", True)
        region.check_clean()


if __name__ == "__main__":
    main()
