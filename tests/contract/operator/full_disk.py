#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store src/api/core/park.c src/auth/token/bearer.c src/daemon/run.c
"""No byte is free on the data directory's file system: sign-ins of every face and reads of secrets go on, their audit records wait in memory and
are written when there is room again. fault/40-full-disk.py holds a disk that is full down to the reserve. A region whose database is elsewhere goes on with
changes, and refuses what needs room in the data directory."""
import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from postgresql import Server  # noqa: E402
from waiting import HANG_S  # noqa: E402


@contextlib.contextmanager
def small(*options):
    """A region whose data directory is on a file system of its own."""
    where = tempfile.mkdtemp(prefix="dari-none-free-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "dari-none-free", where], check=True)
    dev = Dev("--data", f"{where}/data", *options)
    dev.where = where
    try:
        yield dev
    finally:
        dev.end()
        subprocess.run(["umount", where], check=True)
        os.rmdir(where)


@pytest.fixture(name="dev")
def fixture_dev():
    with small() as dev:
        yield dev


def take_all(dev):
    """Fills the file system to the last byte. The database may still have room within its own files."""
    with open(f"{dev.where}/ballast", "wb", buffering=0) as ballast:
        with pytest.raises(OSError, match="No space left"):
            while True:
                ballast.write(bytes(2**16))


def environment(dev):
    return dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))


def post(dev, path, body, content_type):
    """Status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S)
    connection.request("POST", path, body, {"Content-Type": content_type})
    status = connection.getresponse().status
    connection.close()
    return status


def openstack_sign_in(dev, password=None):
    env = environment(dev)
    user = {"name": env["OS_USERNAME"], "domain": {"id": "default"}, "password": password or env["OS_PASSWORD"]}
    scope = {"project": {"name": env["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    return post(dev, "/identity/v3/auth/tokens", json.dumps(body), "application/json")


def azure_sign_in(dev):
    form = {"grant_type": "client_credentials", "client_id": dev.account.key_id, "client_secret": dev.account.secret, "scope": f"{dev.url}//.default"}
    return post(dev, "/adfs/oauth2/token", urllib.parse.urlencode(form), "application/x-www-form-urlencoded")


def count_records(dev):
    """Calls in the audit log, by action and outcome; and whether the chain is whole."""
    said = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], check=True, capture_output=True, text=True).stdout
    counts = {}
    for record in map(json.loads, said.splitlines()):
        key = record["face"], record["outcome"]
        counts[key] = counts.get(key, 0) + record["count"]
    subprocess.run([DARI, "--config", dev.config, "log", "audit", "--verify"], check=True, capture_output=True)
    return counts


def test_sign_ins_go_on_with_no_byte_free(dev):
    assert os.path.getsize(f"{dev.where}/data/bearer.key") > 0, "the key of Azure's tokens is made at start"
    key = dev.account.ok("CreateKeyPair", {"KeyName": "before"})
    assert key.status == 200
    before = count_records(dev)
    take_all(dev)
    for n in range(30):  # the first ones may find room in the database's own files
        assert openstack_sign_in(dev) == 201, n
        assert azure_sign_in(dev) == 200, n
    assert openstack_sign_in(dev, "wrong") == 401
    assert dev.account.call("CreateKeyPair", {"KeyName": "late"}).status == 503
    assert dev.account.call("DescribeKeyPairs").status == 200
    waiting = count_records(dev)
    assert sum(waiting.values()) < sum(before.values()) + 60, "the disk was not full"

    os.unlink(f"{dev.where}/ballast")
    assert dev.account.call("CreateKeyPair", {"KeyName": "after"}).status == 200
    after = count_records(dev)
    for face, outcome in (("openstack", "ok"), ("azure", "ok")):
        assert after[face, outcome] == before.get((face, outcome), 0) + 30, (face, before, after)
    assert dev.command("audit") == []


def test_changes_go_on_with_the_database_elsewhere():
    with Server() as server:
        server.sql("postgres", "CREATE DATABASE elsewhere")
        with small("--store", server.url("elsewhere")) as dev:
            project = cloud.own(dev)
            image = project.ok("POST", "/image/v2/images", {"name": "late", "disk_format": "raw", "container_format": "bare"})["id"]
            take_all(dev)
            assert dev.account.call("CreateKeyPair", {"KeyName": "full"}).status == 200
            upload = {"headers": {"Content-Type": "application/octet-stream"}, "raw": bytes(2**20)}
            assert project.call("PUT", f"/image/v2/images/{image}/file", **upload).status == 413
            assert project.ok("GET", f"/image/v2/images/{image}")["status"] == "queued"
            assert openstack_sign_in(dev) == 201
            os.unlink(f"{dev.where}/ballast")
            assert project.call("PUT", f"/image/v2/images/{image}/file", **upload).status == 204
            assert dev.command("audit") == []


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
