#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/store/committer src/daemon/commands_doctor.c
"""A bad operator's day with PostgreSQL: after a fail-over the former primary starts again beside the new one, the server's disk fills up, and its clock is
set. `dari` refuses changes in words, never takes the older database for its own, and goes on by itself when all is as it should be."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from postgresql import Pair, Server  # noqa: E402
import waiting  # noqa: E402

HELD = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


def names(ec2):
    return sorted(key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"])


def make(ec2, name):
    ec2.create_key_pair(KeyName=name, KeyType="ed25519")


def refuse(ec2, name):
    """The words with which a change is refused."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        make(ec2, name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    return refused.value.response["Error"]["Message"]


def doctor(dev):
    return waiting.run([DARI, "doctor"], capture_output=True, text=True, env=dict(os.environ, DARI_CONFIG=dev.config)).stdout


def let_former_primary_write(pair):
    """Starts the former primary again, beside the new one. The URL names it first."""
    former = pair.servers[0]
    former.start()
    former.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names")
    former.sql("postgres", "SELECT pg_reload_conf()")
    return former


def test_a_former_primary(tmp_path):
    """A writer that finds the former primary refuses changes, whether or not one was under way, and goes on when it is gone."""
    with Pair() as pair, Dev("--data", str(tmp_path / "data"), "--store", pair.create("two")) as dev:
        ec2 = dev.account.client()
        make(ec2, "before")
        pair.fail_over()
        make(ec2, "after")
        dev.rest()
        former = let_former_primary_write(pair)
        pair.sql("two", HELD)  # whatever connects now finds the former primary
        words = refuse(ec2, "lost")
        assert "moved, removed or replaced" in words or "not known" in words or "cannot be reached" in words, words
        assert names(ec2) == ["after", "before"]
        assert "older copy" in doctor(dev)
        assert former.sql("two", "SELECT count(*) FROM key_pair") == ["1"]
        former.kill()
        waiting.wait_until(lambda: not attempt(ec2, "again"), "changes are taken again", of=dev)
        assert set(names(ec2)) - {"lost"} == {"after", "again", "before"}
        assert "lost" not in names(ec2) or "not known" in words
        assert not dev.audit()


def test_nobody_takes_over_beside_a_former_primary(tmp_path):
    """A process that starts knows no commit. It does not become the writer while the URL's servers differ."""
    with Pair() as pair:
        url = pair.create("beside")
        with Dev("--data", str(tmp_path / "data"), "--store", url) as dev:
            make(dev.account.client(), "before")
            pair.fail_over()
            make(dev.account.client(), "after")
            dev.rest()
        former = let_former_primary_write(pair)
        epochs = [server.sql("beside", "SELECT epoch FROM writer") for server in pair.servers]
        with open(tmp_path / "errors", "wb") as errors, \
                subprocess.Popen([DARI, "dev", "--port", "0", "--data", tmp_path / "data"], stdout=subprocess.DEVNULL, stderr=errors) as starting:
            waiting.wait_until(lambda: "End the one that is not the primary" in (tmp_path / "errors").read_text(), "dari says why it waits", of=os.getpid())
            assert [server.sql("beside", "SELECT epoch FROM writer") for server in pair.servers] == epochs
            starting.terminate()
        former.kill()
        with Dev("--data", str(tmp_path / "data")) as dev:
            assert names(dev.account.client()) == ["after", "before"]


def attempt(ec2, name):
    """The error's code, or an empty text."""
    try:
        make(ec2, name)
        return ""
    except botocore.exceptions.ClientError as e:
        return e.response["Error"]["Code"]


@pytest.fixture(name="small")
def make_small():
    """A file system of 64 MB for a tablespace."""
    where = pathlib.Path(tempfile.mkdtemp(prefix="dari-small-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "dari-small", where], check=True)
    (where / "space").mkdir()
    shutil.chown(where / "space", "postgres", "postgres")
    where.chmod(0o755)
    yield where
    subprocess.run(["umount", where], check=True)
    where.rmdir()


def test_a_full_disk(tmp_path, small):
    with Server() as server:
        server.sql("postgres", f"CREATE TABLESPACE small LOCATION '{small}/space'")
        server.sql("postgres", "CREATE DATABASE full_disk TABLESPACE small")
        with Dev("--data", str(tmp_path / "data"), "--store", server.url("full_disk")) as dev:
            ec2 = dev.account.client()
            make(ec2, "before")
            dev.rest()
            with open(small / "ballast", "wb", buffering=0) as ballast, pytest.raises(OSError, match="No space left"):
                while True:
                    ballast.write(bytes(2**16))
            made, words = ["before"], ""
            while not words:  # tables may have room in their last pages
                name = f"n{len(made)}"
                try:
                    make(ec2, name)
                    made.append(name)
                except botocore.exceptions.ClientError as e:
                    words = e.response["Error"]["Message"]
                    assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            assert "disk is full" in words, words
            assert names(ec2) == sorted(made)
            (small / "ballast").unlink()
            make(ec2, "room")
            assert names(ec2) == sorted([*made, "room"])
            assert not dev.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
