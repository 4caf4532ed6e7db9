#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/history src/store/past.c src/api/azure/core
"""`dari whatwas --as azure` answers as Azure's GET did: with the name and the group of that time, also of a resource that is deleted or that another API
made."""
import datetime
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from faces import azure  # noqa: E402

SHOWN = {"machine": "vmId", "disk": "uniqueId", "snapshot": "uniqueId"}


@pytest.fixture(scope="module")
def world():
    with azure.region() as (face, image):
        made = azure.World(face, face.dev.new_account("mallory"), image)
        made.make()
        made.make_parts()
        yield made


def now():
    """A time that no change has: later than all so far, earlier than all to come."""
    time.sleep(0.01)
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    time.sleep(0.01)
    return at


def show(world, word):
    status, _, answer = world.ask("GET", azure.OWN[word])
    assert status == 200, answer
    return answer


def then(world, what, at):
    done = subprocess.run([DARI, "--config", world.cloud.dev.config, "whatwas", what, "--at", at, "--as", "azure", "--json"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout, done.stderr)
    value = json.loads(done.stdout)
    assert value["status"] == 200, value
    return json.loads(value["answer"])


def recorded(answer):
    """Extensions of a machine are as they are now, and that it had a password is not known."""
    left = {k: v for k, v in json.loads(json.dumps(answer)).items() if k not in ("etag", "resources")}
    left["properties"].get("osProfile", {}).pop("linuxConfiguration", None)
    return left


def test_answers_of_a_deleted_group(world):
    shown = {word: show(world, word) for word in SHOWN}
    ids = {word: answer["properties"][SHOWN[word]] for word, answer in shown.items()}
    ec2 = world.account.client()
    port = ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": ["i-" + ids["machine"].replace("-", "")[:17]]}])
    ids["machine_interface"] = port["NetworkInterfaces"][0]["NetworkInterfaceId"]
    shown["machine_interface"] = show(world, "machine_interface")
    at = now()
    for word, answer in shown.items():
        assert then(world, ids[word], at) == answer, word
    status, _, answer = world.ask("PATCH", azure.OWN["machine"], {"tags": {"later": "yes"}})
    assert status < 300, answer
    world.cloud.dev.rest()
    world.cloud.done("DELETE", f"{world.group}", "2021-04-01", world.account)
    world.cloud.dev.rest()
    assert world.cloud.ask("GET", world.group, "2021-04-01", world.account)[0] == 404
    for word, answer in shown.items():
        assert recorded(then(world, ids[word], at)) == recorded(answer), word


def test_made_by_another_api(world):
    ec2 = world.account.client()
    image = ec2.describe_images()["Images"][0]["ImageId"]
    machine = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    world.cloud.dev.rest()
    path = f"{world.subscription}/resourceGroups/dari-default/providers/{azure.COMPUTE}/virtualMachines/{machine}"
    shown, at = world.cloud.ask("GET", path, "2024-03-01", world.account)[2], now()
    ec2.terminate_instances(InstanceIds=[machine])
    world.cloud.dev.rest()
    answer = then(world, machine, at)
    assert answer["id"] == shown["id"] and answer["properties"]["vmId"] == shown["properties"]["vmId"]
    assert answer["properties"]["networkProfile"] == shown["properties"]["networkProfile"]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
