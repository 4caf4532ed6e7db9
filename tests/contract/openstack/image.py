#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/image src/drivers/image/
"""Images through the stock openstack command and openstacksdk: created from a file, shown, saved, changed, deleted; and EC2 launches images uploaded
to Glance."""
import hashlib
import json
import os
import re
import sys

import openstack
import openstack.exceptions
import openstack.resource
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import Dev  # noqa: E402


class Cloud:
    def __init__(self, dev):
        self.dev = dev
        self.env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))
        self.sdk = openstack.connect(
            auth_url=self.env["OS_AUTH_URL"], username=self.env["OS_USERNAME"], password=self.env["OS_PASSWORD"],
            project_name=self.env["OS_PROJECT_NAME"], user_domain_name="Default", project_domain_name="Default",
            region_name=self.env["OS_REGION_NAME"], identity_api_version="3")

    def run(self, *argv, check=True, silent=False):
        done = warm.run(["/usr/bin/openstack", *argv, *([] if silent else ["-f", "json"])], {**os.environ, **self.env})
        assert not check or done.returncode == 0, f"{argv}: {done.stderr}"
        return done if not check else None if silent else json.loads(done.stdout)


@pytest.fixture(scope="module")
def cloud():
    with Dev() as dev:
        yield Cloud(dev)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """Three MiB of a disk, partly written."""
    path = tmp_path_factory.mktemp("images") / "disk.raw"
    path.write_bytes(b"\0" * 65536 + os.urandom(65536) + b"\0" * (3 * 1024 * 1024 - 131072))
    return path


def test_command(cloud, disk, tmp_path):
    made = cloud.run("image", "create", "--file", str(disk), "--disk-format", "raw", "--container-format", "bare",
                     "--property", "hw_disk_bus=sata", "--tag", "one", "mine")
    image = made["id"]
    shown = cloud.run("image", "show", image)
    assert shown["status"] == "active"
    assert shown["size"] == disk.stat().st_size
    assert shown["checksum"] == hashlib.md5(disk.read_bytes()).hexdigest()
    assert shown["properties"]["hw_disk_bus"] == "sata"
    cloud.run("image", "save", "--file", str(tmp_path / "back"), image, silent=True)
    assert (tmp_path / "back").read_bytes() == disk.read_bytes()
    cloud.run("image", "set", "--name", "other", "--property", "os_distro=debian", "--tag", "two", "--min-disk", "2", image, silent=True)
    shown = cloud.run("image", "show", "other")
    assert sorted(shown["tags"]) == ["one", "two"] and shown["properties"]["os_distro"] == "debian" and shown["min_disk"] == 2
    cloud.run("image", "unset", "--property", "os_distro", "--tag", "two", image, silent=True)
    assert cloud.run("image", "show", image)["tags"] == ["one"]
    assert "other" in [i["Name"] for i in cloud.run("image", "list")]
    seen = cloud.dev.account.client().describe_images(Owners=["self"])["Images"]
    assert [i["Name"] for i in seen] == ["other"] and seen[0]["State"] == "available"
    cloud.dev.account.client().run_instances(ImageId=seen[0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1)
    cloud.run("image", "set", "--protected", image, silent=True)
    assert cloud.run("image", "delete", image, check=False).returncode != 0
    cloud.run("image", "set", "--unprotected", image, silent=True)
    cloud.run("image", "delete", image, silent=True)
    assert cloud.run("image", "show", image, check=False).returncode != 0


def test_sdk(cloud, disk):
    image = cloud.sdk.create_image("by-sdk", filename=str(disk), disk_format="raw", container_format="bare", wait=True, validate_checksum=True)
    assert image.status == "active" and image.size == disk.stat().st_size
    again = cloud.sdk.create_image("by-sdk", filename=str(disk), disk_format="raw", container_format="bare", validate_checksum=True)
    assert again.id == image.id  # its digests show that the image exists
    data = cloud.sdk.image.download_image(image.id)
    assert data.content == disk.read_bytes()
    cloud.sdk.image.deactivate_image(image.id)
    assert cloud.sdk.image.get_image(image.id).status == "deactivated"
    cloud.sdk.image.reactivate_image(image.id)
    assert [i.name for i in cloud.sdk.image.images(name="by-sdk")] == ["by-sdk"]
    cloud.sdk.image.delete_image(image.id)
    with pytest.raises(openstack.exceptions.ResourceNotFound):
        cloud.sdk.image.get_image(image.id)


def test_staged(cloud, disk):
    """Staged first and imported later: the data are stored as sent, and an invalid disk leaves the image empty."""
    image = cloud.sdk.image.create_image(name="staged", disk_format="raw", container_format="bare", allow_duplicates=True)
    cloud.sdk.image.stage_image(image, data=disk.read_bytes())
    assert cloud.sdk.image.get_image(image.id).status == "uploading"
    cloud.sdk.image.import_image(image, method="glance-direct")
    shown = openstack.resource.wait_for_status(cloud.sdk.image, cloud.sdk.image.get_image(image.id), "active", [], 0.2, 20)
    assert shown.checksum == hashlib.md5(disk.read_bytes()).hexdigest()
    assert cloud.sdk.image.download_image(image.id).content == disk.read_bytes()
    cloud.sdk.image.delete_image(image.id)
    text = cloud.sdk.image.create_image(name="text", disk_format="qcow2", container_format="bare", allow_duplicates=True)
    cloud.sdk.image.stage_image(text, data=b"no disk")
    cloud.sdk.image.import_image(text, method="glance-direct")
    openstack.resource.wait_for_status(cloud.sdk.image, cloud.sdk.image.get_image(text.id), "queued", [], 0.2, 20)
    cloud.sdk.image.delete_image(text.id)


def test_filters(cloud):
    names = [i.name for i in cloud.sdk.image.images(size_min=1)]
    assert names and names == [i.name for i in cloud.sdk.image.images(created_at="lt:2100-01-01T00:00:00Z")]
    assert not list(cloud.sdk.image.images(size_max=1))


def test_what_is_no_disk(cloud, tmp_path):
    path = tmp_path / "text"
    path.write_text("no disk")
    image = cloud.sdk.image.create_image(name="none", disk_format="qcow2", container_format="bare", allow_duplicates=True)
    assert image.status == "queued"
    answer = cloud.sdk.image.put(f"/images/{image.id}/file", data=path.read_bytes(), headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 400
    assert str(path.parent.parent) not in answer.text and ".download" not in answer.text
    assert cloud.sdk.image.get_image(image.id).status == "queued"
    cloud.sdk.image.delete_image(image.id)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:], __file__]))
