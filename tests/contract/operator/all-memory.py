#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/base/heap.c src/reconcile/reconcile.c src/store
# limit: 1500 s
"""The memory of a peak goes back to the system: volumes with many long tags are created, listed and deleted, and the process returns to near its first
size with the next resync, which runs every ten minutes."""
import os
import re
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402

VOLUMES, TAGS = 6000, 40
MIB = 1024
HIGH, LEFT = 100 * MIB, 60 * MIB  # above the first size, in KiB: at the peak, and afterwards (heap.c trims from 32 MiB of slack on)


def resident(dev):
    with open(f"/proc/{dev.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])


def test_a_peak_is_given_back():
    with Dev() as dev:
        zone = dev.account.client().describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
        first = resident(dev)
        wish = {"AvailabilityZone": zone, "Size": "1", "TagSpecification.1.ResourceType": "volume"}
        for n in range(1, TAGS + 1):
            wish.update({f"TagSpecification.1.Tag.{n}.Key": f"key-{n}", f"TagSpecification.1.Tag.{n}.Value": "v" * 250})
        made = [answer.first("volumeId") for answer in dev.account.call_all([("CreateVolume", wish)] * VOLUMES)]
        dev.rest()
        assert dev.account.ok("DescribeVolumes", {"MaxResults": "1000"}).text.count("<volumeId>") == 1000
        peak = resident(dev)
        assert peak > first + HIGH, f"{VOLUMES} volumes raise the process from {first} to {peak} KiB only: the test shows nothing"
        assert all(answer.status == 200 for answer in dev.account.call_all([("DeleteVolume", {"VolumeId": volume}) for volume in made]))
        dev.rest()
        seen = []
        for _ in range(140):  # two resyncs
            seen.append(resident(dev))
            if seen[-1] < first + LEFT:
                break
            time.sleep(10)
        assert seen[-1] < first + LEFT, f"first {first} KiB, peak {peak}, then {seen[::10]}"
        print(f"first {first} KiB, peak {peak}, after deletion {seen[0]}, at the end {seen[-1]}")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
