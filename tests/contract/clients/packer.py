#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute src/api/ec2/storage
"""Debian's Packer builds an image with amazon-ebs: finds the source, creates a key and a group, launches, stops, images, tags, and deletes its own
resources. Guests are simulated, so nothing runs inside: communicator none."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import REGION, Dev  # noqa: E402

BUILDER = {
    "type": "amazon-ebs", "region": REGION, "communicator": "none", "instance_type": "t3.micro", "ami_name": "packed", "ami_description": "of packer",
    "source_ami_filter": {"filters": {"name": "tiny"}, "owners": ["amazon"], "most_recent": True}, "tags": {"a": "b"}, "snapshot_tags": {"c": "d"},
    "launch_block_device_mappings": [{"device_name": "/dev/sdf", "volume_size": 2, "delete_on_termination": True}],
    "skip_metadata_api_check": True,
}


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as region:
        yield region


def build(dev, room, **more):
    account = dev.account
    template = {"builders": [{**BUILDER, "custom_endpoint_ec2": dev.url, "access_key": account.key_id, "secret_key": account.secret,
                              "skip_credential_validation": True, **more}]}
    (room / "template.json").write_text(json.dumps(template))
    env = {"PATH": "/usr/bin:/bin", "HOME": str(room), "CHECKPOINT_DISABLE": "1", "AWS_POLL_DELAY_SECONDS": "1", "PACKER_CACHE_DIR": str(room / "cache")}
    return subprocess.run(["/usr/bin/packer", "build", "-color=false", "template.json"], env=env, cwd=room, capture_output=True, text=True, check=False)


def tags(thing):
    return {t["Key"]: t["Value"] for t in thing.get("Tags", [])}


def test_build(dev, tmp_path):
    done = build(dev, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    dev.rest()
    ec2 = dev.account.client()
    (image,) = ec2.describe_images(Owners=["self"])["Images"]
    assert (image["Name"], image["Description"], image["State"], tags(image)) == ("packed", "of packer", "available", {"a": "b"})
    assert f"{REGION}: {image['ImageId']}" in done.stdout
    disks = [d["Ebs"]["SnapshotId"] for d in image["BlockDeviceMappings"]]
    assert len(disks) == 2
    assert [tags(s) for s in ec2.describe_snapshots(SnapshotIds=disks)["Snapshots"]] == [{"a": "b", "c": "d"}] * 2
    assert [g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]
    assert ec2.describe_key_pairs()["KeyPairs"] == [] and ec2.describe_volumes()["Volumes"] == []
    (machine,) = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    assert machine["State"]["Name"] == "terminated"


def test_name_is_taken(dev, tmp_path):
    """It checks the name before it builds; with force_deregister the new image replaces the old one."""
    done = build(dev, tmp_path)
    assert done.returncode == 1 and "is used by an existing AMI" in done.stdout
    (before,) = dev.account.client().describe_images(Owners=["self"])["Images"]
    done = build(dev, tmp_path, force_deregister=True, force_delete_snapshot=True)
    assert done.returncode == 0, done.stdout + done.stderr
    dev.rest()
    (after,) = dev.account.client().describe_images(Owners=["self"])["Images"]
    assert after["ImageId"] != before["ImageId"] and after["Name"] == "packed"
    assert len(dev.account.client().describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 2


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
