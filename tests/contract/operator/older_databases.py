#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: schema src/store
"""A database of every released schema can be opened, and shows the same region. schema/migrations/NNN.dump is one, as text: a simulated region that
this script created with the release's program (`tests/contract/operator/older_databases.py --write`). The unreleased schema changes freely, so the
program under test creates its dump each time: the dump must suffice to open it."""
import os
import re
import sqlite3
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
MIGRATIONS = os.path.join(ROOT, "schema/migrations")
HEAD = "-- {}: {}\n"  # further parts of a database: the region's id, and the key of its secrets
POLICY = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}'
LOOKS = ["describe_vpcs", "describe_subnets", "describe_instances", "describe_volumes", "describe_snapshots", "describe_key_pairs",
         "describe_addresses", "describe_launch_templates", "describe_images", "describe_security_groups"]


def versions():
    """(number, is released) of each schema."""
    with open(os.path.join(MIGRATIONS, "hashes.txt"), encoding="utf-8") as file:
        rows = [line.split("#")[0].split() for line in file]
    return [(int(row[0]), row[1] != "unreleased") for row in rows if row]


def fill(dev):
    """Creates some resources of most kinds."""
    ec2, iam = dev.account.client(), dev.account.client("iam")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.import_key_pair(KeyName="key", PublicKeyMaterial=b"ssh-ed25519 " b"AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS")
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, KeyName="key",
                                 UserData="#!/bin/sh\n")["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    ec2.create_snapshot(VolumeId=volume)
    ec2.allocate_address()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData={"InstanceType": "t3.micro"})
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=POLICY)
    dev.rest()


def show(dev):
    """The account's view, without parts that a restart changes."""
    ec2 = dev.account.client()
    shown = {look: getattr(ec2, look)() for look in LOOKS}
    for answer in shown.values():
        del answer["ResponseMetadata"]
    shown["users"] = [user["UserName"] for user in dev.account.client("iam").list_users()["Users"]]
    return re.sub(r"'State(Transition)?Reason': [^}]+}", "", repr(shown))


def write_dump(folder):
    """Text of the stopped region in that folder."""
    with open(f"{folder}/dev.yaml", encoding="utf-8") as file:
        region = re.search(r"^  id: (\S+)$", file.read(), re.MULTILINE)[1]
    with open(f"{folder}/master.key", encoding="ascii") as file:
        key = file.read().strip()
    database = sqlite3.connect(f"{folder}/dari.db")
    text = HEAD.format("region", region) + HEAD.format("key", key) + "".join(line + "\n" for line in database.iterdump())
    database.close()
    return text


def read_dump(text, folder):
    """A folder that `dari dev --data` opens."""
    said = dict(re.findall(r"^-- (\w+): (\S+)$", text[:1000], re.MULTILINE))
    os.makedirs(folder, mode=0o700)
    for name, content in [("dev.yaml", f"region: {{name: us-east-1, id: {said['region']}}}\n"), ("master.key", said["key"] + "\n")]:
        with open(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(content)
    database = sqlite3.connect(f"{folder}/dari.db")
    database.executescript(text)
    database.close()


def make(folder):
    """(text of a region's database, its account's view)"""
    with Dev("--data", folder) as dev:
        fill(dev)
        shown = show(dev)
    return write_dump(folder), shown


def check(folder, shown):
    with Dev("--data", folder) as dev:
        dev.rest()
        assert dev.audit() == []
        assert len(dev.account.client().describe_instances()["Reservations"]) == 1
        assert shown is None or show(dev) == shown
        dev.account.ok("CreateVolume", {"AvailabilityZone": "us-east-1a", "Size": "1"})


def test_the_schema_of_today(tmp_path):
    text, shown = make(f"{tmp_path}/made")
    read_dump(text, f"{tmp_path}/read")
    check(f"{tmp_path}/read", shown)


@pytest.mark.parametrize("number", [number for number, is_released in versions() if is_released] or [None])
def test_a_released_schema(tmp_path, number):
    if number is None:
        assert [name for name in os.listdir(MIGRATIONS) if name.endswith(".dump")] == [], "a dump is of a released schema"
        return
    path = f"{MIGRATIONS}/{number:03}.dump"
    assert os.path.exists(path), f"schema {number} is released: with its program, tests/contract/operator/older_databases.py --write"
    with open(path, encoding="utf-8") as file:
        read_dump(file.read(), f"{tmp_path}/read")
    check(f"{tmp_path}/read", None)


def write_newest():
    path = f"{MIGRATIONS}/{versions()[-1][0]:03}.dump"
    folder = subprocess.run(["mktemp", "-d"], capture_output=True, text=True, check=True).stdout.strip()
    with open(path, "w", encoding="utf-8") as file:
        file.write(make(f"{folder}/region")[0])
    print(path)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        sys.exit(write_newest())
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
