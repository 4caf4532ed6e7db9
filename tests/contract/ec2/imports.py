#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/storage src/drivers/image/ src/drivers/web_fetch src/reconcile/storage/import_task.c
"""Imports of disks from a web server as snapshots and images, by boto3: each format, with its content; unavailable downloads and disks that depend on
other files leave nothing; a download is cancelled in its middle."""
import http.server
import os
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import WEB_ADDRESS, Dev  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)
import waiting  # noqa: E402

SIZE = 8 << 20


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder's files, at an address that the region may download from; /endless never ends, /inside redirects to an internal address."""
    daemon_threads = True

    def __init__(self, folder):
        server = self
        self.broken_off = threading.Event()

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.path == "/endless":
                    self.send_response(200)
                    self.send_header("Content-Length", str(SIZE))
                    self.end_headers()
                    try:
                        while True:
                            self.wfile.write(bytes(4096))
                            time.sleep(0.05)
                    except OSError:
                        server.broken_off.set()
                elif self.path == "/inside":
                    self.send_response(302)
                    self.send_header("Location", f"http://127.0.0.1:{server.server_port}/disk.raw")
                    self.end_headers()
                else:
                    super().do_GET()

        super().__init__((WEB_ADDRESS, 0), Handler)
        self.url = f"http://{WEB_ADDRESS}:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    folder = tmp_path_factory.mktemp("web")
    raw = folder / "disk.raw"
    raw.write_bytes(os.urandom(1 << 20) + bytes(SIZE - (1 << 20)))
    for kind, name in (("qcow2", "qcow2"), ("vmdk", "vmdk"), ("vpc", "vhd"), ("vhdx", "vhdx")):
        options = {"vmdk": ["-o", "subformat=streamOptimized"]}.get(kind, [])
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", kind, *options, raw, folder / f"disk.{name}"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", folder / "leading.qcow2"], check=True)
    # Not LUKS: on a busy machine qemu-img may fail to benchmark its key derivation ("Unable to get accurate CPU usage").
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=x", "-o", "encrypt.format=aes,encrypt.key-secret=s",
                    folder / "closed.qcow2", "8M"], check=True)
    (folder / "words.raw").write_text("no disk at all")
    yield Server(folder)


@pytest.fixture(scope="module")
def ec2(dev):
    return dev.account.client()


def end_of(ec2, task):
    """The task, once it has ended."""
    def ended():
        shown = ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]
        return shown["SnapshotTaskDetail"]["Status"] != "active" and shown
    return waiting.wait_until(ended, f"{task} ends", every_s=0.05)


@pytest.mark.parametrize("name, form", [("disk.raw", "RAW"), ("disk.qcow2", "QCOW2"), ("disk.vmdk", "VMDK"), ("disk.vhd", "VHD"), ("disk.vhdx", "vhdx"), ("disk.vmdk", None)])
def test_snapshot(ec2, web, name, form):
    asked = ec2.import_snapshot(DiskContainer={"Url": f"{web.url}/{name}", "Description": "old disk", **({"Format": form} if form else {})})
    assert asked["SnapshotTaskDetail"]["Status"] == "active" and asked["SnapshotTaskDetail"]["StatusMessage"] == "pending"
    detail = end_of(ec2, asked["ImportTaskId"])["SnapshotTaskDetail"]
    assert detail["Status"] == "completed" and "StatusMessage" not in detail and "Progress" not in detail, detail
    shown = ec2.describe_snapshots(SnapshotIds=[detail["SnapshotId"]])["Snapshots"][0]
    assert shown["State"] == "completed" and shown["Description"] == "old disk" and shown["VolumeSize"] == 1
    volume = ec2.create_volume(SnapshotId=detail["SnapshotId"], AvailabilityZone="us-east-1a")["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})


def test_encrypted(ec2, web):
    """The result is encrypted, and the error for an invalid disk reveals no more than that of a plain import."""
    key = {"Encrypted": True, "KmsKeyId": "alias/aws/ebs"}
    detail = end_of(ec2, ec2.import_snapshot(DiskContainer={"Url": f"{web.url}/disk.vmdk"}, **key)["ImportTaskId"])["SnapshotTaskDetail"]
    assert detail["Status"] == "completed" and detail["Encrypted"], detail
    shown = ec2.describe_snapshots(SnapshotIds=[detail["SnapshotId"]])["Snapshots"][0]
    assert shown["Encrypted"] and shown["KmsKeyId"] == detail["KmsKeyId"] and shown["VolumeSize"] == 1
    volume = ec2.create_volume(SnapshotId=detail["SnapshotId"], AvailabilityZone="us-east-1a")["VolumeId"]
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Encrypted"]
    detail = end_of(ec2, ec2.import_snapshot(DiskContainer={"Url": f"{web.url}/disk.raw", "Format": "VMDK"}, **key)["ImportTaskId"])["SnapshotTaskDetail"]
    assert detail["Status"] == "deleted" and "is no VMDK" in detail["StatusMessage"] and "/images/" not in detail["StatusMessage"], detail


def test_image(ec2, web):
    asked = ec2.import_image(Description="of two", Platform="Linux", DiskContainers=[
        {"Format": "QCOW2", "Url": f"{web.url}/disk.qcow2"}, {"DeviceName": "/dev/sdf", "Url": f"{web.url}/disk.vmdk"}])
    def ended():
        task = ec2.describe_import_image_tasks(ImportTaskIds=[asked["ImportTaskId"]])["ImportImageTasks"][0]
        return task["Status"] != "active" and task
    task = waiting.wait_until(ended, "the import ends", every_s=0.05)
    assert task["Status"] == "completed", task
    image = ec2.describe_images(ImageIds=[task["ImageId"]])["Images"][0]
    assert image["Name"] == asked["ImportTaskId"] and image["State"] == "available" and image["Description"] == "of two"
    disks = {d["DeviceName"]: d["Ebs"]["SnapshotId"] for d in image["BlockDeviceMappings"]}
    assert disks == {"/dev/sda1": task["SnapshotDetails"][0]["SnapshotId"], "/dev/sdf": task["SnapshotDetails"][1]["SnapshotId"]}
    ec2.run_instances(ImageId=task["ImageId"], InstanceType="t3.nano", MinCount=1, MaxCount=1)


@pytest.mark.parametrize("path, form, words", [
    ("/absent", "RAW", "404"), ("/leading.qcow2", "QCOW2", "refers to another file"), ("/leading.qcow2", None, "refers to another file"),
    ("/closed.qcow2", "QCOW2", "encrypted"), ("/words.raw", None, "too short"), ("/disk.raw", "VMDK", "is no VMDK"), ("/inside", "RAW", f"{WEB_ADDRESS} redirects to an address that is not allowed")])
def test_nothing_is_left(ec2, web, path, form, words):
    before = {s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    asked = ec2.import_snapshot(DiskContainer={"Url": web.url + path, **({"Format": form} if form else {})})
    detail = end_of(ec2, asked["ImportTaskId"])["SnapshotTaskDetail"]
    assert detail["Status"] == "deleted" and words in detail["StatusMessage"] and "SnapshotId" not in detail, detail
    assert "/images/" not in detail["StatusMessage"], "it tells where the store is"
    assert {s["SnapshotId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]} == before


def progress(ec2, task):
    return ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]["SnapshotTaskDetail"]["Progress"]


def test_cancelled_in_the_middle(ec2, web):
    task = ec2.import_snapshot(DiskContainer={"Url": f"{web.url}/endless", "Format": "RAW"})["ImportTaskId"]
    waiting.wait_until(lambda: progress(ec2, task) != "0", "progress is told")
    answer = ec2.cancel_import_task(ImportTaskId=task, CancelReason="no need")
    assert (answer["PreviousState"], answer["State"]) == ("active", "deleted")
    assert waiting.soon(web.broken_off.is_set), "the download went on"
    assert end_of(ec2, task)["SnapshotTaskDetail"]["StatusMessage"] == "no need"


def test_end_in_the_middle(web):
    """The server's shutdown does not wait for a download."""
    with Dev() as dev:
        ec2 = dev.account.client()
        task = ec2.import_snapshot(DiskContainer={"Url": f"{web.url}/endless", "Format": "RAW"})["ImportTaskId"]
        waiting.wait_until(lambda: progress(ec2, task) != "0", "progress is told")
        assert dev.end() == 0


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
