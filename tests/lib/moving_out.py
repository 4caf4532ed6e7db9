# SPDX-License-Identifier: Apache-2.0
"""Migrations from one simulated region to another: instances whose disks have content, and what has arrived there. A proxy in front of the other region sees
each request."""
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

import ebs
import elsewhere
from block_cloud import BLOCK, block
from elsewhere import launch, power_there, run
from waiting import HANG_S, wait_until

ZERO = bytes(BLOCK)
BLOCKS = 701  # of each disk that are compared
RUNNING, STOPPED = "running", "stopped"


class Home:
    """A region whose simulated disks have content, and `there`, behind a proxy, as its provider."""
    KIND, PATH = "aws", ""

    def __init__(self, dev_of, there, *options):
        self.disks, self.there, self.dev_of, self.options = tempfile.mkdtemp(), there, dev_of, options
        self.proxy, self.contents, self.arrived, self.made = elsewhere.Proxy(there), {}, None, collections.defaultdict(set)
        self.honest()
        there.ec2 = there.account.client()
        self.home = self.begin(0)
        elsewhere.add(self.home, "there", self.KIND, there, self.proxy.url + self.PATH)
        wait_until(lambda: elsewhere.provider(self.home)["status"] == "ok", "the provider is verified")

    def begin(self, port):
        dev = self.dev_of(*self.options, env={"DARI_SIM_DISKS": self.disks}, port=port)
        dev.ec2 = dev.account.client()
        return dev

    def honest(self):
        self.proxy.spoil, self.proxy.change = self.watch, self.note

    def note(self, path, body, answer):
        """Notes what was made there, by the request's token or name."""
        if path == "/snapshots" and b'"SnapshotId"' in answer:
            self.made["snapshot", json.loads(body)["ClientToken"]].add(json.loads(answer)["SnapshotId"])
        for action, member, tag in (("RegisterImage", "Name", "imageId"), ("RunInstances", "ClientToken", "instanceId")):
            found = re.search(rf"<{tag}>(.*?)</{tag}>", answer.decode(errors="replace")) if f"Action={action}&".encode() in body else None
            if found:
                self.made[action, re.search(rf"&{member}=([^&]*)", body.decode())[1]].add(found[1])
        return answer

    def made_once(self):
        """Fails if a request that was repeated has made something twice."""
        twice = {k: v for k, v in self.made.items() if len(v) > 1}
        assert not twice, twice

    def watch(self, _method, _path, body):
        """Reads the disks of the image there right before it is deleted, which ends the migration."""
        if b"Action=DeregisterImage" in body and b"DryRun" not in body:
            self.arrived = self.read_image()

    def read_image(self):
        found = [i for i in self.there.ec2.describe_images(Owners=["self"])["Images"] if i["Name"].startswith("dari-migration-")]
        direct = self.there.account.client("ebs")
        return {m["DeviceName"]: ebs.content(direct, m["Ebs"]["SnapshotId"], BLOCKS * BLOCK) for i in found for m in i["BlockDeviceMappings"]}

    def end(self):
        self.proxy.end()
        self.home.end()
        shutil.rmtree(self.disks)

    # ---- kills

    def again(self):
        """Kills the region, and starts it again with its data."""
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = self.begin(port)

    def die_at(self, word, when, nth=1):
        """The region is to be killed at the nth request that has the word: before it is passed on, or before its answer is. Returns what waits for that."""
        met, dead, left, base = threading.Event(), threading.Event(), [nth], self.proxy.spoil

        def meets(path, body):
            if (word in path.encode() or word in body) and b"DryRun" not in body and not met.is_set():
                left[0] -= 1
                return left[0] == 0
            return False

        def hold():
            met.set()
            dead.wait(HANG_S)

        def spoil(method, path, body):
            if when == "after" or not meets(path, body):
                return base(method, path, body)
            hold()
            return 200, {}, None

        def change(path, body, answer):
            answer = self.note(path, body, answer)
            if when == "after" and meets(path, body):
                hold()
                return None
            return answer
        self.proxy.spoil, self.proxy.change = spoil, change

        def wait():
            wait_until(met.is_set, f"a request with {word}", shows=lambda: self.home.command("migrate", "list"))
            self.again()
            self.honest()
            dead.set()
        return wait

    # ---- the source

    def volumes(self, ref):
        found = self.home.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [ref]}])["Volumes"]
        return {v["Attachments"][0]["Device"]: v for v in found}

    def read(self, path):
        """Reads a row by the native API. faces/native.py has the general call, but takes long to import."""
        account = self.home.account
        answer = account.send("GET", path, account.sign("GET", "", b"", "dari", path))
        assert answer.status == 200, answer
        return json.loads(answer.text)["item"]

    def write(self, ref):
        """Writes the contents into the files that simulated snapshots are copied from."""
        for device, volume in self.volumes(ref).items():
            row = self.read(f"/api/v1/volumes/{volume['VolumeId']}")
            raw = os.path.join(self.disks, "raw")
            with open(raw, "wb") as f:
                f.truncate(volume["Size"] << 30)
                for index, data in self.contents[ref][device].items():
                    f.seek(index * BLOCK)
                    f.write(data)
            made = os.path.join(self.disks, "made")
            subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, made], check=True)
            os.rename(made, os.path.join(self.disks, row["id"] + ".qcow2"))

    def make(self, name="web", more=None):
        """An instance with content on its disks; more: the size of a second one in GiB."""
        ref = launch(self.home, name=name)[0]
        if more:
            zone = self.home.ec2.describe_instances(InstanceIds=[ref])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
            made = self.home.ec2.create_volume(AvailabilityZone=zone, Size=more)["VolumeId"]
            self.home.rest()
            self.home.ec2.attach_volume(InstanceId=ref, VolumeId=made, Device="/dev/sdf")
            self.home.rest()
        self.contents[ref] = {d: {k: block(f"{d} {k} ") for k in (0, 1, 5, 9, 700)} | {3: ZERO} for d in self.volumes(ref)}
        self.write(ref)
        return ref

    # ---- the migration

    def migration(self, ref):
        """The newest migration of the instance."""
        hexadecimal = ref[2:]
        found = [m for m in self.home.command("migrate", "list") if m.get("instance", "").replace("-", "").startswith(hexadecimal)]
        return max(found, key=lambda m: (not m.get("ended_us"), m.get("ended_us", 0)))

    def disk_rows(self, ref):
        """Rows of the disks of the newest migration."""
        account, path = self.home.account, "/api/v1/cloud-migration-disks"
        answer = account.send("GET", path, account.sign("GET", "", b"", "dari", path))
        assert answer.status == 200, answer
        return [d for d in json.loads(answer.text)["items"] if d["migration"] == self.migration(ref)["id"]]

    def do(self, word, ref, *options):
        done = run(self.home, "migrate", word, ref, *options)
        assert done.returncode == 0, (word, done)
        return done

    def rests_in(self, ref, *stages):
        def is_so():
            found = self.migration(ref)
            assert found["stage"] in stages or found["stage"] not in ("failed", "undone"), (found["stage"], found.get("problem"))
            return found["stage"] in stages and (found["stage"] not in ("done", "failed", "undone") or found.get("ended_us"))
        wait_until(is_so, f"{ref} is {stages}", shows=lambda: self.migration(ref))
        return self.migration(ref)

    def plan(self, ref):
        self.do("plan", ref, "--to", "there")
        assert self.migration(ref)["stage"] == "planned", self.migration(ref)
        self.do("set", ref, "--to-type", "t3.micro")
        return self.migration(ref)

    # ---- what is there

    def is_same(self, ref):
        """Compares the disks of the image there with the contents here."""
        assert self.arrived and set(self.arrived) == set(self.contents[ref]), self.arrived and set(self.arrived)
        for device, disk in self.contents[ref].items():
            wrong = [k for k in range(BLOCKS) if self.arrived[device][k * BLOCK:(k + 1) * BLOCK] != disk.get(k, ZERO)]
            assert not wrong, (device, wrong)

    def power(self, machine):
        """Power of a machine there."""
        return power_there(self.there, machine)

    def end_machine(self, machine):
        self.there.ec2.terminate_instances(InstanceIds=[machine])

    def left_there(self):
        """Snapshots and images that migrations have left there."""
        snapshots = self.there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        images = self.there.ec2.describe_images(Owners=["self"])["Images"]
        return [s["SnapshotId"] for s in snapshots] + [i["ImageId"] for i in images if i["Name"].startswith("dari-migration-")]

    def finish(self, ref):
        """The migration ends; compares both sides."""
        found = self.rests_in(ref, "done")
        assert power_there(self.home, ref) == STOPPED
        assert self.power(found["ref"]) == RUNNING
        self.is_same(ref)
        assert not self.left_there(), self.left_there()
        self.made_once()
        return found["ref"]

    def forget(self, ref, machine=None):
        """Makes room for the next test."""
        self.home.ec2.terminate_instances(InstanceIds=[ref])
        if machine:
            self.end_machine(machine)
