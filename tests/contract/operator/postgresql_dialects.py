#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/daemon/follower src/daemon/writer.c
"""`dari` on systems that speak PostgreSQL's protocol and have neither LISTEN and NOTIFY nor advisory locks, report conflicts (40001) that a client has to
repeat, or lead a name to another address after a fail-over. A proxy makes a real PostgreSQL server behave so."""
import os
import stat
import sys

import boto3
import botocore.config
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
from members import Load, REFUSALS, Region, check  # noqa: E402
from postgresql import Server  # noqa: E402
from postgresql_dialect import DialectServer  # noqa: E402
import waiting  # noqa: E402

NAME, FIRST, SECOND = "db.example.internal", "127.0.0.1", "127.0.0.2"
CONFLICTS = 0.2  # seven attempts in a row fail once in 1,300: a commit has two such statements


@pytest.fixture(scope="module")
def server():
    with Server(max_connections=60) as running:
        yield running


def key_names(region, member):
    try:
        return {k["KeyName"] for k in region.client(region.members.index(member)).describe_key_pairs()["KeyPairs"]}
    except REFUSALS:  # it starts
        return None


def test_notifications_locks_conflicts(server, tmp_path):
    """Three `dari`: one takes over from another; every change happens once; followers see each other's changes without notifications."""
    dialect = DialectServer(server, CONFLICTS)
    with Region(dialect, "dialect", tmp_path) as region:
        writer = region.await_writer()
        with Load(region) as load:
            load.await_more(20)
            writer.kill()
            region.await_writer(other_than=writer)
            load.await_more(20)
        check(region, load)
        names = key_names(region, region.await_writer())
        for member in region.members:
            waiting.wait_until(lambda: key_names(region, member) == names, "the follower has everything", of=os.getpid())  # pylint: disable=cell-var-from-loop
    dialect.close()
    print(dialect.proxy.counts, f"{len(load.answered)} changes")
    assert {"LISTEN", "NOTIFY", "SELECT pg_advisory_", "COMMIT", "SELECT dari_fence("} <= set(dialect.proxy.counts), dialect.proxy.counts


def test_two_first_starts(server, tmp_path):
    """Without advisory locks, too, the second of two regions finds the first one's database before it changes anything."""
    dialect = DialectServer(server, 0)
    url = dialect.create("first")
    with Dev("--data", str(tmp_path / "a"), "--store", url) as first:
        with pytest.raises(Exception, match="master.key is not that of the region"):
            with Dev("--data", str(tmp_path / "b"), "--store", url):
                pass
        assert first.account.client().describe_images()["Images"]
    dialect.close()


def client_of(dev):
    return boto3.client("ec2", endpoint_url=dev.url, region_name="us-east-1", aws_access_key_id=dev.account.key_id, aws_secret_access_key=dev.account.secret,
                        config=botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=waiting.HANG_S))


def test_changing_dns(server, tmp_path):
    """The name leads elsewhere: `dari` resolves it at each connection."""
    hosts, program = tmp_path / "hosts", tmp_path / "dari"
    hosts.write_text(f"{FIRST} {NAME} localhost\n")
    program.write_text(f"#!/bin/sh\nexec /usr/bin/unshare --mount sh -c 'mount --bind {hosts} /etc/hosts && exec {DARI} \"$@\"' dari \"$@\"\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    dialect = DialectServer(server, 0, host=NAME)
    with Dev("--data", str(tmp_path / "data"), "--store", dialect.create("dns"), program=str(program)) as dev:
        ec2 = client_of(dev)
        ec2.create_key_pair(KeyName="before")
        hosts.write_text(f"{SECOND} {NAME} localhost\n")
        dialect.move(SECOND)
        ec2.create_key_pair(KeyName="after")
        assert {k["KeyName"] for k in ec2.describe_key_pairs()["KeyPairs"]} >= {"before", "after"}
    dialect.close()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
