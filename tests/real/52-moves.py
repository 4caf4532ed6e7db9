#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A guest goes there and back ten times, running: what it counts is whole, it is heard after each, and OVN has it where it is.
One with a TPM keeps what that measured."""
# limit: 1500 s
# takes: 300 s
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from moves import WRITER, Pings, host_of, is_settled, is_whole, numbers, other_than, running_on  # noqa: E402
from region import BOOT_S, ROOT, SOON_S, Region, give_address, launch, wait_state, wait_until  # noqa: E402

TIMES = 20


def move(region, identifier):
    target = other_than(host_of(region, identifier))
    region.command("host", "move", identifier, "--to", target)
    wait_until(lambda: is_settled(region, identifier), BOOT_S, "the migration is over")
    return host_of(region, identifier) == target


def binding(region):
    """Where OVN has the guests' ports, and whether the way between any two hosts was cut off for want of a word in time."""
    ports = region.on("ctl", "ovn-sbctl", "--columns", "logical_port,chassis,additional_chassis,requested_chassis,up,options", "find",
                      "Port_Binding", 'type=""', fails=True)
    return ports + region.on("ctl", "ovs-vsctl", "--columns", "name,bfd_status", "find", "Interface", "type=geneve", fails=True)


def is_bound_once(region):
    lines = region.on("ctl", "ovn-sbctl", "--bare", "--columns", "chassis,additional_chassis,up", "find", "Port_Binding", 'type=""',
                      "requested_chassis!=[]", fails=True).split("\n")
    return all(additional == "" and up == "true" for _, additional, up in zip(lines[0::4], lines[1::4], lines[2::4]))


def is_heard(region, address):
    return "1 received" in region.on("inet", "ping", "-c", "1", "-W", "1", address, fails=True)


def there_and_back(region, identifier, address):
    gaps, silent = [], []
    for n in range(TIMES):
        with Pings(region, address) as pings:
            arrived = move(region, identifier)
            start = time.monotonic()
            if not is_heard(region, address):
                print(f"silent after move {n + 1}", binding(region), region.as_the_network_is(address), sep="\n")
            wait_until(lambda: is_heard(region, address), SOON_S, "it is heard", every_s=0.1)
            silent.append(time.monotonic() - start)
        gaps.append(pings.longest_gap_s())
        if not arrived:
            print(f"move {n + 1} stayed where it was")
        assert identifier in running_on(region, host_of(region, identifier))
    print("longest gap between two pings of each move, s:", " ".join(f"{gap:.1f}" for gap in gaps))
    print("until it was heard after each, s:", " ".join(f"{s:.1f}" for s in silent))
    region.check("no number is lost, there and back", is_whole(numbers(region, address)))
    region.check_soon("OVN has it on one host alone, and up", lambda: is_bound_once(region))


def tpm(region, ec2):
    """What firmware measured at the start is in the TPM's registers, which a new TPM would not have."""
    tiny = os.path.join(ROOT, "build/cache/tiny.qcow2")
    image = region.command("image", "import", tiny, "--name", "tiny-tpm", "--boot-mode", "uefi", "--tpm")["image_id"]
    identifier = launch(ec2, ImageId=image, KeyName="k")[0]
    wait_state(ec2, [identifier], "running")
    address, _ = give_address(ec2, identifier)
    region.reach(ec2, identifier, address, "the guest with a TPM", 2 * BOOT_S)
    boot, registers = region.boot_id(address), "cat /sys/class/tpm/tpm0/pcr-sha256/[0-7]"
    before = region.ssh(address, registers, fails=True)
    region.check("a guest with a TPM goes to the other host", move(region, identifier))
    region.check_soon("and was not started anew", lambda: region.boot_id(address) == boot)
    region.check(f"the TPM's registers go along: {before[:80]!r}", region.ssh(address, registers, fails=True) == before)
    ec2.reboot_instances(InstanceIds=[identifier])
    region.check_soon("and it boots there", lambda: region.boot_id(address) not in ("", boot), 2 * BOOT_S)
    return identifier


def main(region):
    ec2, identifier, address = region.witness("acme")
    ec2.authorize_security_group_ingress(GroupName="default", IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
    print(region.ssh(address, "grep -m1 'model name' /proc/cpuinfo"))
    region.ssh(address, WRITER)
    there_and_back(region, identifier, address)
    tpm(region, ec2)
    region.check_clean()


with Region("mig2") as the_region:
    main(the_region)
