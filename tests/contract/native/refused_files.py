#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/core src/drivers/ticket_file src/drivers/image/image_upload.c
"""A refused change leaves no file: attachments of tickets and data of images, whose files are written before the change."""
import base64
import http.client
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

CONTENT = base64.b64encode(bytes(1000)).decode()
RAW = {"Content-Type": "application/octet-stream"}


@pytest.fixture(name="mine", scope="module")
def start(tmp_path_factory):
    with Dev("--data", str(tmp_path_factory.mktemp("region"))) as dev:
        yield native.another(dev, "mine")


def files(project, folder):
    path = os.path.join(os.path.dirname(project.dev.config), folder)
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def attach(project, ticket, **more):
    return project.api("POST", f"/tickets/{ticket}/attach", {"name": "a.txt", "data": CONTENT, **more})


def test_attachments(mine):
    ticket = mine.api_ok("POST", "/tickets", {"subject": "s", "body": "b"})["items"][0]["id"]
    mine.dev.rest()
    before = files(mine, "tickets")
    assert attach(mine, ticket).status < 300
    kept = files(mine, "tickets")
    assert len(kept) == len(before) + 1
    assert attach(mine, ticket[:-4] + "ffff").status == 404
    assert attach(mine, "nonsense").status in (400, 404)
    assert attach(mine, ticket, name="n" * 256).status == 400
    mine.api_ok("POST", f"/tickets/{ticket}/close")
    assert attach(mine, ticket).status == 409
    assert files(mine, "tickets") == kept


def test_sets(mine):
    support = mine.dev.new_account("cases").client("support")
    before = files(mine, "tickets")
    one = [{"fileName": "a", "data": b"x"}]
    made = support.add_attachments_to_set(attachments=one * 2)["attachmentSetId"]
    kept = files(mine, "tickets")
    assert len(kept) == len(before) + 2
    for wrong, many in (("as-00000000-0000-4000-8000-000000000000", 1), (made, 2)):
        with pytest.raises(botocore.exceptions.ClientError):
            support.add_attachments_to_set(attachmentSetId=wrong, attachments=one * many)
    assert files(mine, "tickets") == kept


def send_late(project, path, image, data):
    """Sends half of the data, deletes the image, and sends the rest."""
    connection = http.client.HTTPConnection("127.0.0.1", project.dev.port, timeout=HANG_S)
    connection.putrequest("PUT", path)
    for name, value in {**RAW, "X-Auth-Token": project.token, "Content-Length": str(len(data))}.items():
        connection.putheader(name, value)
    connection.endheaders(data[:len(data) // 2])
    wait_until(lambda: any(name.endswith(".download") for name in files(project, "images")), "the upload has begun")
    project.api_ok("DELETE", f"/images/{image}")
    connection.send(data[len(data) // 2:])
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize("path", ["/api/v1/images/{}/data", "/image/v2/images/{}/file", "/image/v2/images/{}/stage"])
def test_images(mine, path):
    data = os.urandom(512) * 128
    before = files(mine, "images")
    made = mine.api_ok("POST", "/images/import", {"name": "late", "format": "raw"})["items"][0]["id"]
    known = mine.call("GET", "/image/v2/images?name=late").json["images"][0]["id"] if "/v2/" in path else made
    assert send_late(mine, path.format(known), made, data) in (404, 409, 410)
    assert files(mine, "images") == before


def test_what_others_have_stays(mine):
    """Equal data share one file, which stays for the other image."""
    data = os.urandom(512) * 128
    kept = mine.api_ok("POST", "/images/import", {"name": "kept", "format": "raw"})["items"][0]["id"]
    assert mine.call("PUT", f"/api/v1/images/{kept}/data", raw=data, headers=RAW).status < 300
    before = files(mine, "images")
    gone = mine.api_ok("POST", "/images/import", {"name": "gone", "format": "raw"})["items"][0]["id"]
    assert send_late(mine, f"/api/v1/images/{gone}/data", gone, data) in (404, 409, 410)
    assert files(mine, "images") == before


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__, *sys.argv[1:]]))
