#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/storage/export_tasks.c src/api/native/storage src/drivers/image/guest_files.c src/drivers/image/ova.c src/reconcile/storage/export_task.c src/engine/storage/image/export_task.c
"""Images leave as files of each format, converted by the real qemu-img, with their content; files lie in the account's folder, are downloaded,
and go with their task. Files inside a snapshot's disk are listed and downloaded."""
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree

import pytest
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402

OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
RASD = "{http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData}"
QEMU_NAMES = {"qcow2": "qcow2", "raw": "raw", "vmdk": "vmdk", "vhd": "vpc", "vhdx": "vhdx"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A raw disk: a GPT with a small FAT-like partition without content, and ext4 in the second."""
    folder = tmp_path_factory.mktemp("disk")
    root, raw = folder / "root", folder / "disk.raw"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "fstab").write_text("UUID=1 / ext4\n")
    (root / "etc" / "two words.conf").write_bytes(os.urandom(100000))
    os.symlink("/etc/fstab", root / "etc" / "link")
    subprocess.run(["truncate", "-s", "48M", raw], check=True)
    subprocess.run(["/usr/sbin/sfdisk", "-q", raw], input="label: gpt\nstart=2048,size=2048\nstart=4096\n", text=True, check=True)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-E", f"offset={4096 * 512}", "-d", root, raw, "40M"], check=True)
    return raw


@pytest.fixture(scope="module")
def mine():
    with Dev() as dev:
        yield native.another(dev, "mine")


def upload(project, name, path, form="raw", **more):
    made = project.api_ok("POST", "/images/import", {"name": name, "format": form, **more})["items"][0]
    answer = project.call("PUT", f"/api/v1/images/{made['id']}/data", raw=path.read_bytes(), headers={"Content-Type": "application/octet-stream"})
    assert answer.status == 202, answer
    project.dev.rest()
    return project.api_ok("GET", f"/images/{made['id']}")["item"]


@pytest.fixture(scope="module")
def image(mine, disk):
    return upload(mine, "web", disk, boot_mode="uefi")


def fetch(project, path):
    """Status and bytes of a download."""
    connection = project.dev.connect()
    connection.request("GET", "/api/v1" + path, headers={"X-Auth-Token": project.token})
    answer = connection.getresponse()
    return answer.status, answer.read()


def export(project, image, form, **more):
    made = project.api_ok("POST", "/export-image-tasks", {"image": image["id"], "format": form, **more})["items"][0]
    project.dev.rest()
    return project.api_ok("GET", f"/export-image-tasks/{made['id']}")["item"]


def files(project):
    top = os.path.join(os.path.dirname(project.dev.config), "exports")
    return sorted(os.path.relpath(os.path.join(folder, name), top) for folder, folders, names in os.walk(top) for name in names + folders)


def remove(project, task):
    project.api_ok("DELETE", f"/export-image-tasks/{task['id']}")
    project.dev.rest()
    assert files(project) == []


@pytest.mark.parametrize("form", QEMU_NAMES)
def test_each_format_has_the_content(mine, image, disk, tmp_path, form):
    task = export(mine, image, form, prefix="moves/web-")
    assert (task["state"], task.get("problem"), task["bucket"]) == ("completed", None, "exports"), task
    status, data = fetch(mine, f"/export-image-tasks/{task['id']}/data")
    assert status == 200 and hashlib.sha256(data).hexdigest() == task["file_sha256"]
    assert files(mine)[-1] == f"{task['account']}/exports/moves/web-{task['ec2']}.{form}"
    (tmp_path / "data").write_bytes(data)
    subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", QEMU_NAMES[form], disk, tmp_path / "data"], check=True)
    remove(mine, task)


def test_ova(mine, image, disk, tmp_path):
    task = export(mine, image, "ova")
    assert task["state"] == "completed", task
    archive = tarfile.open(fileobj=io.BytesIO(fetch(mine, f"/export-image-tasks/{task['id']}/data")[1]))
    assert archive.getnames() == [f"{task['ec2']}{end}" for end in (".ovf", ".mf", "-disk1.vmdk")]
    parts = {name: archive.extractfile(name).read() for name in archive.getnames()}
    for line in parts[f"{task['ec2']}.mf"].decode().splitlines():
        name, digest = line[len("SHA256("):].split(")= ")
        assert hashlib.sha256(parts[name]).hexdigest() == digest
    tree = ElementTree.fromstring(parts[f"{task['ec2']}.ovf"])
    assert [int(f.get(f"{OVF}size")) for f in tree.iter(f"{OVF}File")] == [len(parts[f"{task['ec2']}-disk1.vmdk"])]
    assert sorted(int(i.find(f"{RASD}ResourceType").text) for i in tree.iter(f"{OVF}Item")) == [3, 4, 10, 17, 20]
    (tmp_path / "disk.vmdk").write_bytes(parts[f"{task['ec2']}-disk1.vmdk"])
    subprocess.run(["qemu-img", "compare", "-f", "raw", "-F", "vmdk", disk, tmp_path / "disk.vmdk"], check=True)
    remove(mine, task)


def test_by_ec2(mine, image):
    task = mine.ec2.export_image(ImageId=image["ec2"], DiskImageFormat="VMDK", S3ExportLocation={"S3Bucket": "moves"}, Description="away")["ExportImageTaskId"]
    mine.dev.rest()
    (told,) = mine.ec2.describe_export_image_tasks(ExportImageTaskIds=[task])["ExportImageTasks"]
    assert (told["Status"], told["ImageId"], told["Description"], told["S3ExportLocation"]) == ("completed", image["ec2"], "away", {"S3Bucket": "moves"})
    with pytest.raises(ClientError, match="IncorrectState"):
        mine.ec2.cancel_export_task(ExportTaskId=task)
    remove(mine, next(r for r in mine.rows("/export-image-tasks?fields=*") if r["ec2"] == task))


def test_others(mine, image):
    """Another account neither exports the image nor sees the task and its file."""
    other = native.another(mine.dev, "theirs")
    task = export(mine, image, "qcow2")
    assert other.api("POST", "/export-image-tasks", {"image": image["id"]}).status == 404
    assert fetch(other, f"/export-image-tasks/{task['id']}/data")[0] == 404
    assert other.api("DELETE", f"/export-image-tasks/{task['id']}").status == 404
    remove(mine, task)
    assert fetch(mine, f"/export-image-tasks/{task['id']}/data")[0] == 404


def test_files_in_a_snapshot(mine, image, disk):
    snapshot = next(s for s in mine.rows("/snapshots?fields=*") if "image web" in s["description"])
    path = f"/snapshots/{snapshot['id']}"
    listed = mine.api_ok("GET", f"{path}/files")
    assert [(p["number"], p["type"]) for p in listed["partitions"]] == [(1, "unknown"), (2, "ext")] and listed["partition"] == 2
    assert {i["name"] for i in listed["items"]} == {"etc", "lost+found"}
    listed = {i["name"]: i for i in mine.api_ok("GET", f"{path}/files?partition=2&path=/etc")["items"]}
    assert {(n, i["kind"]) for n, i in listed.items()} == {("fstab", "file"), ("two words.conf", "file"), ("link", "link")}
    status, data = fetch(mine, f"{path}/file?path=/etc/fstab")
    assert (status, data) == (200, b"UUID=1 / ext4\n")
    status, data = fetch(mine, f"{path}/file?path=/etc/two%20words.conf")
    assert status == 200 and len(data) == listed["two words.conf"]["size"] == 100000
    for query, expected in (("path=/etc", 409), ("path=/etc/link", 409), ("path=/nope", 404), ("path=etc/fstab", 400), ("path=/a%22b", 400), ("path=/etc/fstab&partition=1", 400),
                            ("path=/etc/fstab&partition=7", 404), ("path=/etc/fstab&partition=x", 400)):
        answer = mine.api("GET", f"{path}/file?{query}")
        assert answer.status == expected, f"{query}: {answer}"
    assert native.another(mine.dev, "strangers").api("GET", f"{path}/files").status == 404


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
