#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/history src/store/past.c src/store/sqlite_series.c
"""`dari whatwas`: the state of resources at earlier times, also of deleted ones, equals what the faces answered then; and it says so if the
history does not reach back so far."""
import datetime
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402


class Past:
    def __init__(self, dev):
        self.dev, self.ec2 = dev, dev.account.client()
        self.image = self.ec2.describe_images()["Images"][0]["ImageId"]

    @staticmethod
    def now():
        """A time that no change has: later than all so far, earlier than all to come."""
        time.sleep(0.01)
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        time.sleep(0.01)
        return at

    def run(self, what, at, *words):
        return subprocess.run([DARI, "--config", self.dev.config, "whatwas", what, "--at", at, *words], capture_output=True, text=True, check=False)

    def ask(self, what, at, *words):
        done = self.run(what, at, "--json", *words)
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    def answer(self, what, at, face):
        value = self.ask(what, at, "--as", face)
        assert value["status"] == 200, value
        return value["answer"]

    def launch(self, **how):
        made = self.ec2.run_instances(ImageId=self.image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **how)["Instances"][0]
        self.dev.rest()
        return made["InstanceId"]

    def show(self, machine):
        return self.ec2.describe_instances(InstanceIds=[machine])["Reservations"][0]["Instances"][0]


@pytest.fixture(scope="module")
def past():
    with Dev() as dev:
        yield Past(dev)


def test_fields_and_states(past):
    before = past.now()
    machine = past.launch()
    running = past.now()
    past.ec2.stop_instances(InstanceIds=[machine])
    past.dev.rest()
    stopped = past.now()
    past.ec2.modify_instance_attribute(InstanceId=machine, InstanceType={"Value": "t3.small"})
    past.dev.rest()
    assert past.ask(machine, running)["state"] == "running"
    assert past.ask(machine, stopped)["state"] == "stopped"
    then, now = past.ask(machine, stopped)["fields"], past.ask(machine, past.now())["fields"]
    assert then["vcpus"] == now["vcpus"] and then["memory"] != now["memory"], (then, now)
    missing = past.run(machine, before)
    assert missing.returncode == 1 and "did not exist then" in missing.stdout, missing


def test_a_forgotten_one_is_whole(past):
    volume = past.ec2.create_volume(AvailabilityZone=past.ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"], Size=3,
                                    TagSpecifications=[{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "archive ☃"}]}])["VolumeId"]
    past.dev.rest()
    there = past.now()
    past.ec2.create_tags(Resources=[volume], Tags=[{"Key": "Name", "Value": "other"}])
    past.ec2.delete_volume(VolumeId=volume)
    past.dev.rest()
    value = past.ask(volume, there)
    assert value["state"] == "available" and json.loads(value["fields"]["tags"]) == {"Name": "archive ☃"}, value
    assert "archive ☃" in past.answer(volume, there, "ec2")


def test_faces_answer_as_they_did(past):
    machine = past.launch()
    shown, at = past.show(machine), past.now()
    uuid = past.ask(machine, at)["id"]
    past.ec2.create_tags(Resources=[machine], Tags=[{"Key": "Name", "Value": "renamed"}])
    past.ec2.terminate_instances(InstanceIds=[machine])
    past.dev.rest()
    text = past.answer(machine, at, "ec2")
    for value in (shown["PrivateIpAddress"], shown["NetworkInterfaces"][0]["NetworkInterfaceId"], "<name>running</name>",
                  shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]):
        assert value in text, (value, text)
    assert "renamed" not in text
    server = json.loads(past.answer(uuid, at, "openstack"))["server"]
    assert server["status"] == "ACTIVE" and shown["PrivateIpAddress"] in json.dumps(server["addresses"]), server
    listed = json.loads(past.answer(machine, at, "cloudstack"))["listvirtualmachinesresponse"]["virtualmachine"]
    assert [m["state"] for m in listed] == ["Running"] and listed[0]["nic"][0]["ipaddress"] == shown["PrivateIpAddress"], listed
    native = past.answer(uuid, at, "native")
    assert uuid in native and "running" in native and "renamed" not in native, native


def test_honest_words(past):
    machine = past.launch()
    early = past.run(machine, "2020-01-01T00:00:00Z")
    assert early.returncode != 0 and "reaches back to" in early.stderr, early
    for words, says in ((("vol-00000000000000000", past.now()), "is called vol-00000000000000000"),
                        ((machine, "yesterday"), "--at wants a time"),
                        ((machine, "2090-01-01T00:00:00Z"), "in the future"),
                        (("nonsense", past.now()), "neither an id nor a UUID"),
                        ((machine, past.now(), "--as", "azure2"), "azure")):
        done = past.run(*words)
        assert done.returncode != 0 and says in done.stderr, done


def test_a_blob_alone_changes(past):
    """Blobs are not recorded, and their change is no failure."""
    machine = past.launch(UserData="one")
    past.ec2.stop_instances(InstanceIds=[machine])
    past.dev.rest()
    at = past.now()
    past.ec2.modify_instance_attribute(InstanceId=machine, UserData={"Value": b"two"})
    past.dev.rest()
    assert "dHdv" not in json.dumps(past.ask(machine, at)["fields"])
    image = past.ec2.create_image(InstanceId=machine, Name="grown")["ImageId"]
    past.dev.rest()
    assert past.ask(image, past.now())["kind"] == "image"


def test_nothing_changes(past):
    machine = past.launch()
    at, shown = past.now(), past.show(machine)
    for face in ("ec2", "openstack", "cloudstack", "native"):
        past.answer(past.ask(machine, at)["id"], at, face)
    assert past.show(machine) == shown


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
