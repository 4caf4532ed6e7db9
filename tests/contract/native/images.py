#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/drivers/image/ src/engine/storage
"""Images by /api/v1: an uploaded file becomes a disk; invalid, repeated or unauthorised uploads are refused, and change nothing; a failed download is
reported on the image."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402

MIB = 2**20  # bodies refused by their headers are small: the server closes before a long body is sent


@pytest.fixture(scope="module")
def mine():
    with Dev() as dev:
        yield native.another(dev, "mine")


def make(project, name, **more):
    return project.api_ok("POST", "/images/import", {"name": name, **more})["items"][0]


def send(project, image, data, kind="application/octet-stream"):
    return project.call("PUT", f"/api/v1/images/{image['id']}/data", raw=data, headers={"Content-Type": kind})


def row(project, image):
    return project.api_ok("GET", f"/images/{image['id']}")["item"]


def test_a_file_becomes_a_disk(mine):
    image = make(mine, "it's sent", format="raw", description="of a test", platform="windows", boot_mode="uefi")
    assert image["state"] == "pending"
    sent = send(mine, image, bytes(4 * MIB))
    assert sent.status == 202, sent
    mine.dev.rest()
    now = row(mine, image)
    assert (now["state"], now["data_size"], now["platform"], now["boot_mode"], now["name"]) == ("available", 4 * MIB, "windows", "uefi", "it's sent")
    again = send(mine, image, bytes(100))
    assert again.status == 409 and row(mine, image)["data_size"] == 4 * MIB


def test_what_is_refused(mine):
    image = make(mine, "empty")  # qcow2 by default
    before = row(mine, image)
    assert send(mine, image, b"{}", "application/json").status == 400
    assert send(mine, image, b"no disk at all" * 100).status == 400
    other = native.another(mine.dev, "theirs")
    assert send(other, image, bytes(100)).status == 404
    assert mine.call("PUT", "/api/v1/images/ami-00000000000000000/data", raw=bytes(100), headers={"Content-Type": "application/octet-stream"}).status == 404
    public = next(i for i in mine.rows("/images?fields=*") if i["is_public"])
    assert send(mine, public, bytes(100)).status == 403
    now = row(mine, image)
    assert {k: v for k, v in now.items() if k != "batch"} == {k: v for k, v in before.items() if k != "batch"}
    for wrong in ({}, {"name": ""}, {"name": "x", "format": "tar"}, {"name": "x", "platform": "beos"}, {"name": "x", "url": "ftp://192.0.2.1/x"}, {"name": "x", "min_disk": -1}):
        count = len(mine.rows("/images"))
        assert mine.api("POST", "/images/import", wrong).status == 400, wrong
        assert len(mine.rows("/images")) == count


def test_a_url_that_cannot_be_fetched(mine):
    """There is no retry: the owner sees the error, and may upload the file."""
    image = make(mine, "from elsewhere", url="http://127.0.0.1:1/disk.qcow2", format="raw")
    mine.dev.rest()
    now = row(mine, image)
    assert now["state"] == "pending" and [c["name"] for c in now["conditions"]] == ["NotFetched"]
    assert send(mine, image, bytes(MIB)).status == 202
    mine.dev.rest()
    assert row(mine, image)["state"] == "available" and not row(mine, image)["conditions"]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
