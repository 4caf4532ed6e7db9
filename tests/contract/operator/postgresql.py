#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer.c src/store/sql.h
"""The store in PostgreSQL: the store's unit programs on a real server, and a region that survives kills of `dari` and of the server."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from postgresql import Server  # noqa: E402
import waiting  # noqa: E402

PROGRAMS = pathlib.Path(DARI).parents[2] / "tests/unit/store"


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.mark.parametrize("name", ["postgresql", "store", "view", "query", "ledger", "audit", "prune", "faults"])
def test_unit(server, name):
    done = waiting.run([PROGRAMS / f"test_store_{name}"], capture_output=True, text=True,
                       env=dict(os.environ, DARI_TEST_POSTGRESQL=str(server.folder), CMOCKA_MESSAGE_OUTPUT="STDOUT"))
    assert done.returncode == 0, done.stdout + done.stderr


def instances(ec2):
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    return sorted((i["InstanceId"], i["ImageId"], i["PrivateIpAddress"]) for i in found)


def launch(ec2):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    return ec2.run_instances(ImageId=image, InstanceType="t3.nano", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]


def test_region(server):
    """kill -9 of `dari`, then of the server: rows stay, reads go on, changes are refused and then accepted."""
    room = pathlib.Path(tempfile.mkdtemp(prefix="dari-test-"))
    options = ("--data", str(room / "data"), "--store", server.create("region"))
    try:
        with Dev(*options) as dev:
            ec2 = dev.account.client()
            launch(ec2)
            before = instances(ec2)
            dev.process.send_signal(signal.SIGKILL)
            dev.process.wait()
        with Dev(*options[:2]) as dev:
            ec2 = dev.account.client()
            assert instances(ec2) == before
            second = waiting.run([DARI, "dev", "--port", "0", "--data", str(room / "other"), *options[2:]], capture_output=True, text=True)
            assert second.returncode and "in use by another dari process" in second.stderr
            server.kill()
            with pytest.raises(botocore.exceptions.ClientError) as refused:
                launch(ec2)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert instances(ec2) == before
            server.start()
            launch(ec2)
            assert len(instances(ec2)) == 2
            said = subprocess.run([DARI, "store", "backup", str(room / "copy")], env=dict(os.environ, DARI_CONFIG=dev.config), capture_output=True, text=True, check=False)
            assert said.returncode and "not supported with PostgreSQL: use pg_dump" in said.stderr
    finally:
        shutil.rmtree(room)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
