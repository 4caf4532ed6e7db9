#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/upload/download.c src/api/core/image_data.c src/auth/token/ticket.c
"""Downloads of templates and ISOs by the links of extractTemplate and extractIso, and machines that an administrator places."""
import os
import subprocess
import sys

import pytest
import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloudstack import admin_key, ok, refused  # noqa: E402
from faces import holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

SIZE = 3 << 20


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disks")
    (folder / "disk.raw").write_bytes(os.urandom(SIZE))
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", folder / "disk.raw", folder / "disk.qcow2"], check=True)
    return (folder / "disk.qcow2").read_bytes()


def make(dev, content, **more):
    """Uploads a template; returns its id."""
    zone = ok(dev, "listZones")["zone"][0]["id"]
    params = ok(dev, "getUploadParamsForTemplate", name="sent", displaytext="Sent", format="QCOW2", hypervisor="KVM", zoneid=zone, **more)["getuploadparams"]
    answer = requests.post(params["postURL"], files={"files": ("disk.qcow2", content)},
                           headers={"X-signature": params["signature"], "X-metadata": params["metadata"], "X-expires": params["expires"]})
    assert answer.status_code == 200, answer.text
    dev.rest()
    return params


def must_refuse(dev, command, code, text, **parameters):
    said = refused(dev, command, **parameters)
    assert said[0] == code and text in said[1], said


def extract(dev, id, command="extractTemplate", **more):
    return ok(dev, command, id=id, mode="HTTP_DOWNLOAD", **more)


@holds("CloudStack: Downloads")
def test_the_owner_downloads_a_template(dev, disk):
    id = make(dev, disk, isextractable="true")["id"]
    said = extract(dev, id)["template"]
    assert (said["id"], said["name"], said["state"], said["extractMode"]) == (id, "sent", "DOWNLOAD_URL_CREATED", "HTTP_DOWNLOAD")
    assert said["url"].startswith(f"http://127.0.0.1:{dev.port}/userdata/") and said["url"].endswith(".qcow2")
    answer = requests.get(said["url"])
    assert answer.status_code == 200 and answer.content == disk
    assert requests.get(said["url"]).content == disk, "a link serves any number of downloads"
    assert requests.post(said["url"], data=b"x").status_code == 400


def test_another_link_is_refused(dev, disk):
    params = make(dev, disk, isextractable="true")
    url = extract(dev, params["id"])["template"]["url"]
    head, ticket = url.rsplit("/", 1)
    changed = ("A" if ticket[0] != "A" else "B") + ticket[1:]
    for path in (changed, "x.qcow2", "", params["metadata"] + ".qcow2"):
        answer = requests.get(f"{head}/{path}")
        assert (answer.status_code, answer.text) == (400, "The link is not one of ours, or has expired."), path
    ok(dev, "deleteTemplate", id=params["id"])
    dev.rest()
    assert requests.get(url).status_code == 400, "the template is gone"


def test_a_template_that_may_not_be_extracted(dev, disk):
    id = make(dev, disk)["id"]
    must_refuse(dev, "extractTemplate", 431, f"Unable to extract template id={id} as it's not extractable", id=id, mode="HTTP_DOWNLOAD")
    must_refuse(dev, "extractIso", 431, "Unsupported format, could not extract the ISO", id=id, mode="HTTP_DOWNLOAD")
    must_refuse(dev, "extractTemplate", 531, "for the account that owns the template", id=id, mode="HTTP_DOWNLOAD", **admin_key(dev))


def test_only_administrators_choose_a_host(dev):
    admin = admin_key(dev)
    host = ok(dev, "listHosts", type="Routing", **admin)["host"][-1]
    asked = {"zoneid": host["zoneid"], "serviceofferingid": ok(dev, "listServiceOfferings", name="t3.micro")["serviceoffering"][0]["id"],
             "templateid": ok(dev, "listTemplates", templatefilter="executable")["template"][0]["id"]}
    for name, value in (("hostid", host["id"]), ("clusterid", host["clusterid"]), ("podid", host["podid"])):
        must_refuse(dev, "deployVirtualMachine", 531, f"Parameter {name} can only be specified by a Root Admin", **asked, **{name: value})
        made = ok(dev, "deployVirtualMachine", **asked, **{name: value}, **admin)["virtualmachine"]
        assert name != "hostid" or made["hostid"] == host["id"]
    must_refuse(dev, "deployVirtualMachine", 431, "Invalid parameter hostid", **asked, hostid=asked["templateid"], **admin)
    other = next(zone["id"] for zone in ok(dev, "listZones")["zone"] if zone["id"] != host["zoneid"])
    must_refuse(dev, "deployVirtualMachine", 431, "Invalid parameter clusterid", **asked, clusterid=other, **admin)


if __name__ == "__main__":
    sys.exit(pytest.main([os.path.abspath(__file__), "-q", *sys.argv[1:]]))
