#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/backup_ src/reconcile/backup src/engine/backup tests/clients/moto
# when: long
# limit: 1200 s
"""Backups in a bucket of a stranger's S3: moto's server, which checks signatures. Full and incremental backups of a machine whose disk has content, expiry, a
restore after the machine is gone, wrong credentials, and nothing left in the bucket in the end."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from block_cloud import BLOCK, block  # noqa: E402
from dev import Dev  # noqa: E402
from moto_server import REGION, Moto  # noqa: E402
from waiting import wait_until  # noqa: E402

CHUNK, BUCKET, NEVER = 4 << 20, "backups", "0 0 29 2 *"


class World:
    def __init__(self):
        self.moto, self.folder = Moto(), tempfile.TemporaryDirectory()
        self.s3 = self.moto.client("s3")
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.region = self.begin(self.moto.key[1])
        made = self.region.mine.api_ok("POST", "/instances", {"image": native.image_of(self.region), "type": "t3.micro", "name": "web", "tags": {"backup": "daily"}})
        self.region.rest()
        self.machine = made["items"][0]["id"]
        self.volume = next(v for v in self.region.mine.rows("/volumes?fields=*") if v.get("instance") == self.machine)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def begin(self, secret):
        """A region whose target is the bucket."""
        with open(self.path("secret"), "w", encoding="utf-8") as f:
            f.write(secret + "\n")
        with open(self.path("dari.yaml"), "w", encoding="utf-8") as f:
            f.write(f"backup:\n  target: s3://{BUCKET}/dari\n  s3_endpoint: {self.moto.url}\n  s3_region: {REGION}\n  s3_key_id: {self.moto.key[0]}\n"
                    f"  s3_secret_file: {self.path('secret')}\n")
        os.makedirs(self.path("disks"), exist_ok=True)
        region = Dev("--directory", self.path("dari.yaml"), env={"DARI_SIM_DISKS": self.path("disks")})
        region.mine = native.own(region)
        return region

    def write(self, blocks):
        """Gives the machine's disk that content, by blocks of 512 KiB."""
        with open(self.path("raw"), "wb") as f:
            f.truncate(self.volume["size"])
            for index, data in blocks.items():
                f.seek(index * BLOCK)
                f.write(data)
        made = self.path("made")
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", self.path("raw"), made], check=True)
        os.rename(made, os.path.join(self.path("disks"), self.volume["id"] + ".qcow2"))

    def objects(self):
        """Names and sizes of all objects of the bucket."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}

    def chunks(self):
        return {k for k in self.objects() if not k.endswith("manifest.json")}

    def backups(self):
        return sorted(self.region.mine.rows("/machine-backups?fields=*"), key=lambda m: m["created_us"])

    def run(self, plan):
        self.region.mine.api_ok("POST", f"/backup-plans/{plan['id']}/run", {})
        self.region.rest()
        return self.backups()

    def end(self):
        self.region.end()
        self.moto.end()
        self.folder.cleanup()


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.end()


def test_life(world):
    """A plan's backups are objects below the prefix, named by the SHA-256 of their content. An increment stores what has changed. What expires goes from the
    bucket, and a backup outlives its machine."""
    world.write({0: block("zero "), 9: block("nine "), 700: block("last ")})
    plan = world.region.mine.api_ok("POST", "/backup-plans", {"name": "nightly", "interval": "cron", "schedule": NEVER, "tag_key": "backup", "keep_last": 2})["items"][0]
    first = world.run(plan)
    assert [m["state"] for m in first] == ["available"], first
    full = world.chunks()
    assert full and all(k.startswith("dari/") for k in world.objects()), world.objects()
    for name in full:
        data = zlib.decompress(world.s3.get_object(Bucket=BUCKET, Key=name)["Body"].read())
        assert hashlib.sha256(data).hexdigest() == name.rsplit("/", 1)[-1] and len(data) <= CHUNK, name
    world.write({0: block("zero "), 9: block("changed "), 700: block("last ")})
    assert len(world.run(plan)) == 2
    more = world.chunks() - full
    assert full <= world.chunks() and 1 <= len(more) <= 2, more  # the changed chunk, and one of the file's own tables
    for _ in range(2):
        kept = world.run(plan)
    assert len(kept) == 2 and len(world.chunks()) < len(full) + len(more) + 2, world.chunks()
    world.region.mine.api_ok("POST", "/instances/delete", {"ids": [world.machine]})
    world.region.rest()
    late = world.region.mine.api_ok("POST", f"/machine-backups/{kept[-1]['id']}/restore", {})["items"][0]
    world.region.rest()
    assert next(i for i in world.region.mine.rows("/instances?fields=*") if i["id"] == late["id"])["state"] == "running"
    for m in world.backups():
        world.region.mine.api_ok("DELETE", f"/machine-backups/{m['id']}")
    wait_until(lambda: not world.objects(), "an empty bucket", shows=world.objects)


def test_wrong_secret(world):
    """A bucket that refuses the signature is named, and nothing is stored."""
    region = world.begin("wrong")
    try:
        made = region.mine.api_ok("POST", "/instances", {"image": native.image_of(region), "type": "t3.micro", "name": "web"})["items"][0]
        region.rest()
        region.mine.api_ok("POST", "/machine-backups", {"instance": made["id"], "name": "b"})
        wait_until(lambda: "SignatureDoesNotMatch" in json.dumps(region.mine.rows("/backups?fields=*")), "the condition",
                   shows=lambda: region.mine.rows("/backups?fields=*"))
        assert not world.objects()
    finally:
        region.end()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
