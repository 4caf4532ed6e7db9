# SPDX-License-Identifier: Apache-2.0
"""Migrations from one simulated region to another by its OpenStack face: servers whose disks have content, and what is here afterwards. A proxy in front of the
other region sees each request. Simulated hosts copy no disk into a volume made of a snapshot: the proxy does."""
import collections
import json
import os
import re
import shutil
import subprocess
import tempfile

import cloud
import ebs
import elsewhere
from block_cloud import BLOCK, block
from elsewhere import launch, machines, power_there, run
from migrating import BLOCKS, RUNNING, STOPPED, ZERO, do, instance_here, migration, rests_in
from waiting import wait_until

MADE = re.compile(r"/(volumes/\w+/action|volumes|snapshots|servers/[\w-]+/action)$")


class FromOpenStack:
    """`there` has disks with content, and is the provider of kind openstack of `home`."""
    KIND, PATH = "openstack", "/identity/v3"

    def __init__(self, dev_of, *options):
        self.disks, self.frozen, self.dev_of, self.options = tempfile.mkdtemp(), tempfile.mkdtemp(), dev_of, options
        self.there = dev_of(env={"DARI_SIM_DISKS": self.disks})
        self.there.ec2 = self.there.account.client()
        self.proxy, self.contents, self.made, self.short = elsewhere.Proxy(self.there), {}, collections.Counter(), {}
        self.honest()
        self.home = dev_of(*options)
        elsewhere.add(self.home, "there", self.KIND, self.there, self.proxy.url + self.PATH)
        wait_until(lambda: elsewhere.provider(self.home)["status"] == "ok", "the provider is verified")

    def honest(self):
        self.proxy.spoil, self.proxy.change = lambda *_: None, self.note

    def note(self, path, body, answer):
        """Copies disks as snapshots and volumes are made, and counts what is made."""
        found = MADE.search(path)
        asked = json.loads(body) if found and body[:1] == b"{" else {}
        said = json.loads(answer) if asked and answer[:1] == b"{" else {}
        if said.get("snapshot"):
            self.copy(self.disks, asked["snapshot"]["volume_id"], self.frozen, said["snapshot"]["id"])
        if said.get("volume"):
            self.copy(self.frozen, asked["volume"]["snapshot_id"], self.disks, said["volume"]["id"])
        for kind, name in (("snapshot", "name"), ("volume", "name"), ("os-volume_upload_image", "image_name"), ("createImage", "name")):
            if kind in asked and (said.get(kind) or "image_id" in said):
                self.made[asked[kind][name]] += kind in ("os-volume_upload_image", "createImage")
        return answer.replace(b"127.0.0.1:%d" % self.there.port, b"127.0.0.1:%d" % self.proxy.port)

    @staticmethod
    def copy(source, one, target, other):
        path = os.path.join(source, one + ".qcow2")
        if os.path.exists(path):
            shutil.copy(path, os.path.join(target, other + ".qcow2"))

    def end(self):
        self.proxy.end()
        self.home.end()
        self.there.end()
        shutil.rmtree(self.disks)
        shutil.rmtree(self.frozen)

    def call(self, method, path, *rest):
        return cloud.own(self.there).call(method, path, *rest)

    # ---- the source

    def ec2_of(self, ref):
        return "i-" + ref.replace("-", "")[:17]

    def volumes(self, ref):
        """Ids of the volumes there by device, as rows have them."""
        found = self.there.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [self.ec2_of(ref)]}])["Volumes"]
        return {v["Attachments"][0]["Device"]: (self.row(v["VolumeId"]), v["Size"]) for v in found}

    def row(self, volume):
        account, path = self.there.account, f"/api/v1/volumes/{volume}"
        return json.loads(account.send("GET", path, account.sign("GET", "", b"", "dari", path)).text)["item"]["id"]

    def write(self, ref):
        for device, (identifier, size) in self.volumes(ref).items():
            raw, made = os.path.join(self.frozen, "raw"), os.path.join(self.frozen, "made")
            with open(raw, "wb") as f:
                f.truncate(size << 30)
                for index, data in self.contents[ref][device].items():
                    f.seek(index * BLOCK)
                    f.write(data)
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made], check=True)
            os.rename(made, os.path.join(self.disks, identifier + ".qcow2"))

    def make(self, name="web", more=None):
        """A server with content on its disks, that is made of an image; more: the size of a volume in GiB."""
        short = launch(self.there, name=name)[0]
        if more:
            zone = self.there.ec2.describe_instances(InstanceIds=[short])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
            made = self.there.ec2.create_volume(AvailabilityZone=zone, Size=more)["VolumeId"]
            self.there.rest()
            self.there.ec2.attach_volume(InstanceId=short, VolumeId=made, Device="/dev/sdf")
            self.there.rest()
        return self.fill(self.ref_of(short))

    def ref_of(self, short):
        return next(s["id"] for s in self.call("GET", "/compute/v2.1/servers").json["servers"] if self.ec2_of(s["id"]) == short)

    def fill(self, ref):
        self.contents[ref] = {d: {k: block(f"{d} {k} ") for k in (0, 1, 5, 9, 700)} | {3: ZERO} for d in self.volumes(ref)}
        self.write(ref)
        wait_until(lambda: ref in machines(self.home), "the machine is listed")
        return ref

    def root(self, ref):
        return self.contents[ref][min(self.contents[ref], key=lambda d: d.endswith("f"))]

    # ---- the migration

    def begin(self, more=None):
        ref = self.make(more=more)
        do(self, "plan", ref)
        assert migration(self, ref)["stage"] == "planned", migration(self, ref)
        do(self, "start", ref)
        return ref

    def disk_rows(self, ref):
        account, path = self.home.account, "/api/v1/cloud-migration-disks"
        answer = account.send("GET", path, account.sign("GET", "", b"", "dari", path))
        return [d for d in json.loads(answer.text)["items"] if d["migration"] == migration(self, ref)["id"]]

    def left_there(self):
        """Images, volumes and snapshots that migrations have made there."""
        lists = {"images": "/image/v2/images?limit=200", "volumes": "/volume/v3/volumes/detail", "snapshots": "/volume/v3/snapshots/detail"}
        return [(kind, each["id"]) for kind, path in lists.items() for each in self.call("GET", path).json[kind] if (each["name"] or "").startswith("dari-in-")]

    def is_same(self, ref):
        image = self.home.account.client().describe_images(ImageIds=[instance_here(self, ref)["ImageId"]])["Images"][0]
        direct = self.home.account.client("ebs")
        there = {identifier: device for device, (identifier, _) in self.volumes(ref).items()}
        rows = {d["device"]: d for d in self.disk_rows(ref)}
        assert {m["DeviceName"] for m in image["BlockDeviceMappings"]} == set(rows)
        for mapping in image["BlockDeviceMappings"]:
            disk = self.disk_of(ref, rows[mapping["DeviceName"]], there)
            content = ebs.content(direct, mapping["Ebs"]["SnapshotId"], BLOCKS * BLOCK)
            wrong = [k for k in range(BLOCKS) if content[k * BLOCK:(k + 1) * BLOCK] != disk.get(k, ZERO)]
            assert not wrong, (mapping["DeviceName"], wrong)

    def disk_of(self, ref, row, there):
        """The content of a disk of the migration; there: devices of the volumes there."""
        return self.contents[ref][there[row["volume"]]] if row["volume"] in there else self.root(ref)

    def finish(self, ref):
        rests_in(self, ref, "freezing", "copying", "synced", "stopping", "making", "starting", "done")
        if not migration(self, ref).get("cutover_us"):
            do(self, "cutover", ref)
        rests_in(self, ref, "done")
        assert power_there(self.there, self.ec2_of(ref)) == STOPPED
        self.is_same(ref)
        assert not self.left_there(), self.left_there()
        assert instance_here(self, ref)["State"]["Name"] == RUNNING

    def is_clean(self, ref):
        """Checks that an undone migration has left nothing, and that the server runs."""
        short = self.ec2_of(ref)
        wait_until(lambda: power_there(self.there, short) == RUNNING, "the server runs", shows=lambda: power_there(self.there, short))
        assert not self.left_there(), self.left_there()
        found = self.home.account.client().describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert not [s for s in found if ref in s["Description"]], found

    def forget(self, ref):
        """Makes room for the next test."""
        here = next((m["instance"] for m in self.home.command("migrate", "list") if m["ref"] == ref and m.get("instance")), None)
        if here:
            self.home.ec2 = self.home.account.client()
            self.home.ec2.terminate_instances(InstanceIds=[self.ec2_of(here)])
        self.there.ec2.terminate_instances(InstanceIds=[self.ec2_of(ref)])


__all__ = ["FromOpenStack", "run"]
