# SPDX-License-Identifier: Apache-2.0
"""Migrations from one simulated region to another by its OpenStack face: images that are uploaded, volumes that are made of them, and a server that boots from
those. A proxy in front of the other region sees each request."""
import json
import os
import re
import subprocess

import cloud
from block_cloud import BLOCK
from moving_out import BLOCKS, RUNNING, STOPPED, Home
from waiting import wait_until

POWERS = {"ACTIVE": RUNNING, "SHUTOFF": STOPPED, "BUILD": "pending"}
MADE = re.compile(r"/(image/v2/images|volume/v3/\w+/volumes|compute/v2\.\d/servers)$")


class OpenStackHome(Home):
    """A region whose provider `there` is of kind openstack."""
    KIND, PATH = "openstack", "/identity/v3"

    def call(self, method, path, *rest):
        return cloud.own(self.there).call(method, path, *rest)

    def note(self, path, body, answer):
        """Notes what was made there, by its token. The catalog names the proxy."""
        found = MADE.search(path)
        made = json.loads(answer) if found and body and answer[:1] == b"{" else {}
        asked = json.loads(body) if made else {}
        if made.get("id") and asked.get("id"):
            self.made["image", asked["id"]].add(made["id"])
        if made.get("volume"):
            self.made["volume", asked["volume"]["imageRef"]].add(made["volume"]["id"])
        if made.get("server"):
            self.made["server", asked["server"]["metadata"]["dari:id"]].add(made["server"]["id"])
        return answer.replace(b"127.0.0.1:%d" % self.there.port, b"127.0.0.1:%d" % self.proxy.port)

    def watch(self, method, path, _body):
        """Reads the images there before the first one is deleted, which ends the migration."""
        if method == "DELETE" and "/v2/images/" in path and not self.arrived:
            self.arrived = self.read_images()

    def images(self):
        found = self.call("GET", "/image/v2/images?limit=200").json["images"]
        return [i for i in found if i["name"].startswith("dari-migration-")]

    def read_images(self):
        """Contents of the last round's images, by the disks' devices."""
        last = {}
        for image in (i for i in self.images() if i["status"] == "active"):
            known = last.get(image["dari_disk"])
            if not known or int(known["dari_round"]) < int(image["dari_round"]):
                last[image["dari_disk"]] = image
        devices = {d["number"]: d["device"] for i in last.values() for d in self.disks_of(i["name"].removeprefix("dari-migration-"))}
        return {devices[int(number)]: self.content(image) for number, image in last.items()}

    def disks_of(self, migration):
        account, path = self.home.account, "/api/v1/cloud-migration-disks"
        answer = account.send("GET", path, account.sign("GET", "", b"", "dari", path))
        return [d for d in json.loads(answer.text)["items"] if d["migration"] == migration]

    def content(self, image):
        made, raw = os.path.join(self.disks, "arrived"), os.path.join(self.disks, "arrived.raw")
        project = cloud.own(self.there)
        url = f"{self.there.url}/image/v2/images/{image['id']}/file"
        subprocess.run(["curl", "-sSf", "-H", f"X-Auth-Token: {project.token}", "-o", made, url], check=True)
        subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", made, raw], check=True)
        with open(raw, "rb") as f:
            return f.read(BLOCKS * BLOCK)

    def power(self, machine):
        answer = self.call("GET", f"/compute/v2.1/servers/{machine}")
        return "terminated" if answer.status == 404 else POWERS.get(answer.json["server"]["status"], answer.json["server"]["status"])

    def volumes_there(self):
        return [v for v in self.call("GET", "/volume/v3/volumes/detail").json["volumes"] if (v["name"] or "").startswith("dari-migration-")]

    def end_machine(self, machine):
        assert self.call("DELETE", f"/compute/v2.1/servers/{machine}").status == 204
        wait_until(lambda: self.power(machine) == "terminated", "the machine is deleted")
        for volume in self.volumes_there():  # those that outlive it
            if volume["status"] == "available":
                assert self.call("DELETE", f"/volume/v3/volumes/{volume['id']}").status == 202

    def left_there(self):
        """Images and unattached volumes that migrations have left there."""
        return [i["id"] for i in self.images()] + [v["id"] for v in self.volumes_there() if v["status"] != "in-use"]
