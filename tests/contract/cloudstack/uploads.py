#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/upload src/base/multipart src/drivers/image/image_upload.c
"""Uploads of templates, ISOs and volumes by stock HTTP clients, as a form with a file to the URL of getUploadParams…, with only the headers of its
answer, as CloudStack's UI and Marvin send them."""
import datetime
import hashlib
import os
import subprocess
import sys

import pytest
import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, finish, key_of, ok, refused  # noqa: E402
from faces import holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

IMAGES, SIZE = "/image/v2/images", 3 << 20


@pytest.fixture(scope="module")
def said(dev):
    return {"name": "sent", "displaytext": "It was sent", "format": "QCOW2", "hypervisor": "KVM", "zoneid": ok(dev, "listZones")["zone"][0]["id"]}


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A qcow2 file, with line breaks and hyphens in its data."""
    folder = tmp_path_factory.mktemp("disks")
    with open(folder / "disk.raw", "wb") as raw:
        raw.write(b"\r\n--" * 1000 + os.urandom(SIZE - 4000))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder / "disk.raw", folder / "disk.qcow2"], check=True)
    return folder / "disk.qcow2"


def headers_of(params, **changed):
    return {**{"X-signature": params["signature"], "X-metadata": params["metadata"], "X-expires": params["expires"]}, **changed}


def begin(dev, said, command="getUploadParamsForTemplate", **more):
    params = ok(dev, command, **{**said, **more})["getuploadparams"]
    assert sorted(params) == ["expires", "id", "metadata", "postURL", "signature"]
    assert params["postURL"] == f"http://127.0.0.1:{dev.port}/upload/{params['id']}"
    left = datetime.datetime.fromisoformat(params["expires"].replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=9) < left <= datetime.timedelta(minutes=10)
    return params


def post(params, content, **changed):
    return requests.post(params["postURL"], files={"files": ("disk.qcow2", content)}, headers=headers_of(params, **changed))


def curl(params, *argv, **changed):
    """Output of curl."""
    command = ["curl", "-s", "-D", "/dev/stderr", *argv, params["postURL"]]
    for name, value in headers_of(params, **changed).items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    heads = [block for block in done.stderr.replace("\r", "").split("\n\n") if block.startswith("HTTP/1.1 ") and " 100 " not in block]
    kind, = (line.split(": ", 1)[1] for line in heads[-1].splitlines() if line.lower().startswith("content-type: "))
    return f"{heads[-1].split()[1]} {kind} {done.stdout}"


def template(dev, id, command="listTemplates", item="template", **more):
    return ok(dev, command, id=id, templatefilter="self", **more)[item][0]


@holds("CloudStack: Uploads")
def test_curl(dev, said, disk):
    params = begin(dev, said)
    shown = template(dev, params["id"])
    assert (shown["name"], shown["isready"], shown["format"]) == ("sent", False, "QCOW2")
    assert curl(params, "-F", "note=a field", "-F", f"file=@{disk}") == "200 text/plain; charset=UTF-8 upload successful."
    dev.rest()
    shown = template(dev, params["id"])
    assert shown["isready"] and shown["status"] == "Download Complete"
    project = cloud.own(dev)
    image = project.ok("GET", f"{IMAGES}/{params['id']}")
    assert (image["status"], image["size"]) == ("active", disk.stat().st_size)
    assert image["checksum"] == hashlib.md5(disk.read_bytes()).hexdigest()
    place = {"zoneid": said["zoneid"], "templateid": params["id"], "serviceofferingid": ok(dev, "listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"]}
    machine = finish(dev, call(dev, "deployVirtualMachine", **place)[1])["virtualmachine"]
    assert (machine["state"], machine["templateid"]) == ("Running", params["id"])
    again = post(params, b"x")
    assert again.status_code == 400 and "has its data already" in again.text


def test_a_browser(dev, said, disk):
    """A page of another origin may send, and read the answer."""
    params = begin(dev, said)
    asked = requests.options(params["postURL"], headers={"Origin": "http://ui.example.org", "Access-Control-Request-Method": "POST",
                                                         "Access-Control-Request-Headers": "x-signature,x-expires,x-metadata"})
    assert (asked.status_code, asked.text, asked.headers["Access-Control-Allow-Methods"]) == (200, "", "POST, OPTIONS")
    allowed = asked.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"x-signature", "x-expires", "x-metadata", "Content-Type"} <= set(allowed)
    for answer in (asked, post(params, b"x", **{"X-signature": "x"}), post(params, disk.read_bytes())):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.text == "upload successful."


def test_an_iso(dev, said):
    params = begin(dev, {k: said[k] for k in ("name", "zoneid")}, "getUploadParamsForIso", format="ISO", bootable="false")
    assert post(params, bytes(1 << 20)).text == "upload successful."
    dev.rest()
    assert template(dev, params["id"], "listIsos", "iso", isofilter="self")["isready"]


def volume(dev, id):
    return ok(dev, "listVolumes", id=id)["volume"][0]


def test_a_volume(dev, said, disk):
    """The volume exists before its data, and a machine can finally read them."""
    params = begin(dev, {k: said[k] for k in ("name", "format", "zoneid")}, "getUploadParamsForVolume")
    shown = volume(dev, params["id"])
    assert (shown["state"], shown["size"], shown["type"]) == ("NotUploaded", 0, "DATADISK")
    assert cloud.own(dev).ok("GET", f"/volume/v3/volumes/{params['id']}")["volume"]["status"] == "creating"
    assert post(params, disk.read_bytes()).text == "upload successful."
    dev.rest()
    shown = volume(dev, params["id"])
    assert (shown["state"], shown["size"]) == ("Ready", 1 << 30)
    assert post(params, disk.read_bytes()).status_code == 400
    place = {"zoneid": said["zoneid"], "templateid": ok(dev, "listTemplates", templatefilter="executable")["template"][0]["id"],
             "serviceofferingid": ok(dev, "listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"]}
    machine = finish(dev, call(dev, "deployVirtualMachine", **place)[1])["virtualmachine"]
    attached = finish(dev, call(dev, "attachVolume", id=params["id"], virtualmachineid=machine["id"])[1])["volume"]
    assert (attached["virtualmachineid"], attached["size"]) == (machine["id"], 1 << 30)
    assert not [s for s in ok(dev, "listSnapshots").get("snapshot", []) if s.get("volumeid") == params["id"]]


def test_a_volume_of_no_disk(dev, said, disk):
    params = begin(dev, {k: said[k] for k in ("name", "format", "zoneid")}, "getUploadParamsForVolume")
    answer = post(params, b"no disk at all")
    assert answer.status_code == 400 and answer.text
    assert volume(dev, params["id"])["state"] == "UploadError"
    assert post(params, disk.read_bytes()).status_code == 400
    assert refused(dev, "createSnapshot", volumeid=params["id"])[0] == 431
    ok(dev, "deleteVolume", id=params["id"])
    dev.rest()
    assert ok(dev, "listVolumes", id=params["id"]) == {}


def test_what_does_not_prove_it(dev, said, disk):
    params, other = begin(dev, said), begin(dev, said)
    compulsory = "signature, metadata and expires are compulsory fields."
    for changed, words in [({"X-signature": None}, compulsory), ({"X-metadata": None}, compulsory), ({"X-expires": ""}, compulsory),
                           ({"X-signature": other["signature"]}, "signature validation failed."), ({"X-metadata": other["metadata"]}, "signature validation failed."),
                           ({"X-expires": "2099-01-01T00:00:00.000Z"}, "signature validation failed."), ({"X-signature": "x"}, "signature validation failed.")]:
        answer = post(params, disk.read_bytes(), **changed)
        assert (answer.status_code, answer.text) == (400, words), changed
    for id in (other["id"], "3f0a5e7e-0000-4000-8000-000000000000", "x", ""):
        answer = post({**params, "postURL": f"http://127.0.0.1:{dev.port}/upload/{id}"}, b"x")
        assert (answer.status_code, answer.text) == (400, "signature validation failed."), id
    answer = requests.get(params["postURL"], headers=headers_of(params))
    assert (answer.status_code, answer.text) == (400, "only post requests are allowed")
    told = curl(params, "-F", f"file=@{disk}", **{"Transfer-Encoding": "chunked"})
    assert told == "400 text/plain; charset=UTF-8 content length is not set in the request or has invalid value."
    assert not template(dev, params["id"])["isready"]
    assert post(params, disk.read_bytes()).status_code == 200  # failed attempts do not use up the link


def test_what_is_no_file(dev, said):
    params = begin(dev, said)
    for how in ({"data": b"plain"}, {"data": {"a": "b"}}, {"files": {"a": (None, "a field")}},
                {"data": b"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\ncut off", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}):
        answer = requests.post(params["postURL"], **{**how, "headers": headers_of(params, **how.get("headers", {}))})
        assert (answer.status_code, answer.text) == (422, "received entity is not a file"), how
    answer = requests.post(params["postURL"], data=b"--x\r\n" + b"y" * 9000, headers=headers_of(params, **{"Content-Type": "multipart/form-data; boundary=x"}))
    assert (answer.status_code, answer.text) == (400, "The form with the file is not whole.")
    for content in (b"no disk at all", b"", b"QFI\xfb" + bytes(600)):
        other = begin(dev, said)
        answer = post(other, content)
        assert answer.status_code == 400 and answer.text, content
        assert template(dev, other["id"])["status"] == "UploadError", content
    assert template(dev, params["id"])["status"] == "NotUploaded"
    ok(dev, "deleteTemplate", id=params["id"])
    answer = post(params, b"x")
    assert answer.status_code == 400, answer.text


def test_for_whom(dev, said, disk):
    """A link has the rights of its creator, and an upload for another account requires a role there."""
    somebody = cloud.another(dev, "uploads")
    key = key_of(somebody)
    params = call(dev, "getUploadParamsForTemplate", **said, **key)[1]["getuploadparams"]
    assert call(dev, "listTemplates", templatefilter="self", id=params["id"], **key)[1]["template"][0]["account"] == somebody.name
    for wrong in ({"format": "ISO"}, {"hypervisor": "Xen"}, {"zoneid": "x"}, {"checksum": "x"}):
        assert refused(dev, "getUploadParamsForTemplate", **{**said, **wrong})[0] == 431, wrong
    assert refused(dev, "getUploadParamsForIso", name="x", zoneid=said["zoneid"], format="QCOW2", bootable="false")[0] == 431
    domain = ok(dev, "listDomains", **admin_key(dev))["domain"][0]["id"]
    status, answer, _ = call(dev, "getUploadParamsForTemplate", **said, **admin_key(dev), account=somebody.name, domainid=domain)
    assert status == 531 and "has a role in the account" in answer["errortext"]
    assert post(params, disk.read_bytes()).status_code == 200


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
