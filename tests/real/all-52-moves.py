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
from moves import WRITER, Pings, check_reached, host_of, is_bound_once, is_heard, is_whole, move, numbers, running_on  # noqa: E402
from region import BOOT_S, ROOT, Region, give_address, launch, wait_state  # noqa: E402

TIMES = 20


def there_and_back(region, identifier, address, boot):
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
        assert identifier in running_on(region, host_of(region, identifier))
    print("longest gap between two pings of each move, s:", " ".join(f"{gap:.1f}" for gap in gaps))
    print("for how long its host says that it stood still, s:", " ".join(f"{s:.1f}" for s in pauses))
    print("until it was heard after each, s:", " ".join(f"{s:.1f}" for s in silent))
    region.check("whenever a move is over OVN has it on one host alone, and up", bound == TIMES)
    region.check("no number is lost, there and back", is_whole(numbers(region, address)))


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
    region.check("a guest with a TPM goes to the other host", move(region, identifier)["outcome"] == "completed")
    check_reached(region, identifier, address, boot)
    region.check(f"the TPM's registers go along: {before[:80]!r}", region.ssh(address, registers, fails=True) == before)
    ec2.reboot_instances(InstanceIds=[identifier])
    region.check_soon("and it boots there", lambda: region.boot_id(address) not in ("", boot), 2 * BOOT_S)
    return identifier


def main(region):
    ec2, identifier, address = region.witness("acme")
    ec2.authorize_security_group_ingress(GroupName="default", IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="0.0.0.0/0")
    print(region.ssh(address, "grep -m1 'model name' /proc/cpuinfo"))
    region.ssh(address, WRITER)
    there_and_back(region, identifier, address, region.boot_id(address))
    tpm(region, ec2)
    region.check_clean()


with Region("mig2") as the_region:
    main(the_region)
