#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/base/uuid src/api/core src/api/azure/core src/api/query
"""The nil UUID in a path or a parameter names nothing, in each face: it never counts as an absent value."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloudstack  # noqa: E402
from dev import Dev  # noqa: E402

NIL = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def dev():
    with Dev("--instant") as region:
        ec2 = region.account.client("ec2")
        volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        region.rest()
        ec2.create_snapshot(VolumeId=volume)
        region.rest()
        yield region


def test_ec2(dev):
    ec2 = dev.account.client("ec2")
    for prefix, call, word in [("snap", ec2.describe_snapshots, "SnapshotIds"), ("vol", ec2.describe_volumes, "VolumeIds"),
                               ("i", ec2.describe_instances, "InstanceIds")]:
        with pytest.raises(ec2.exceptions.ClientError, match="NotFound"):
            call(**{word: [f"{prefix}-{'0' * 17}"]})


@pytest.mark.parametrize("command", ["listSnapshots", "listVolumes", "listVirtualMachines", "listNetworks", "listPublicIpAddresses",
                                     "listSecurityGroups", "listEvents"])
def test_cloudstack(dev, command):
    """A list filtered by the id is refused, or empty; without the filter it has rows."""
    status, answer, _ = cloudstack.call(dev, command, id=NIL)
    assert status == 431 or not [v for v in answer.values() if isinstance(v, list) and v], answer
    assert command != "listSnapshots" or cloudstack.ok(dev, command)["count"] == 1


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
