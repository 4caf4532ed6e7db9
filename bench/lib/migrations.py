# SPDX-License-Identifier: Apache-2.0
"""Live migration, beside `virsh migrate` of copies of the same guests between the same hosts: one booted guest, there and
back; and draining a host with twenty guests, beside a shell loop. The disks lie in a directory that both hosts share,
because virsh alone copies no disks."""
import contextlib
import re
import shlex
import sqlite3
import statistics
import time
import uuid

from sandbox_launches import DEMO, PORT, Demo
from tools import Target, run, say, wait_until

ROUNDS, GUESTS = 6, 20
HOSTS = ("hv1", "hv2")
SHARED = "/var/lib/libvirt/shared"
BOOT_S = 60
BRIEF = {"ROUNDS": 1, "GUESTS": 2, "BOOT_S": 10}


class Region:
    def __init__(self, demo, build):
        env = demo.command("env", "demo")
        self.demo, self.target = demo, Target(build, f"127.0.0.1:{PORT}", env["access_key_id"], env["secret_access_key"])
        self.uris = {h: demo.sandbox[f"DSB_URI_{h}"].strip("'") for h in HOSTS}
        self.addresses = {h: demo.sandbox[f"DSB_IP_{h}"].strip("'") for h in HOSTS}

    def ask(self, form, pattern):
        return re.findall(pattern, self.target.ask(form))

    def make_pool(self):
        kept = f"{self.demo.env['DARI_SANDBOX']}/shared"
        for host in HOSTS:
            self.demo.run("tools/sandbox", "on", host, "sh", "-c", f"mkdir -p {kept} {SHARED} && mount --bind {kept} {SHARED}")
        self.demo.command("pool", "add", "shared", "--path", SHARED)
        wait_until(lambda: {h["state"] for h in self.demo.command("pool", "list")[0]["hosts"]} == {"proven"}, 60, "both hosts see the pool")
        self.demo.command("pool", "set", "shared", "--type", "gp2,gp3")

    def blank_image(self):
        """Registers an image with nothing to boot: its guests touch little memory and are idle."""
        zone = self.ask("Action=DescribeAvailabilityZones", "<zoneName>(.*?)</zoneName>")[0]
        volume = self.ask(f"Action=CreateVolume&Size=1&AvailabilityZone={zone}", "<volumeId>(.*?)</volumeId>")[0]
        wait_until(lambda: self.ask(f"Action=DescribeVolumes&VolumeId.1={volume}", "<status>(available)</status>"), 60, "a blank volume")
        made = self.ask(f"Action=CreateSnapshot&VolumeId={volume}", "<snapshotId>(.*?)</snapshotId>")[0]
        wait_until(lambda: self.ask(f"Action=DescribeSnapshots&SnapshotId.1={made}", "<status>(completed)</status>"), 60, "its snapshot")
        return self.ask("Action=RegisterImage&Name=blank&RootDeviceName=/dev/xvda&BlockDeviceMapping.1.DeviceName=/dev/xvda"
                        f"&BlockDeviceMapping.1.Ebs.SnapshotId={made}", "<imageId>(.*?)</imageId>")[0]

    def launch(self, image, count):
        """Launches instances on the first host."""
        self.demo.command("host", "maintenance", HOSTS[1], "--from", "now", "--kind", "move")
        names = self.ask(f"Action=RunInstances&ImageId={image}&InstanceType=t2.nano&MinCount={count}&MaxCount={count}",
                         "<instanceId>(.*?)</instanceId>")
        look = "Action=DescribeInstances&" + "&".join(f"InstanceId.{k + 1}={name}" for k, name in enumerate(names))
        wait_until(lambda: len(self.ask(look, "<name>running</name>")) == count, 180, "they run")
        self.demo.command("host", "maintenance", HOSTS[1], "--end")
        return names

    def migrations(self, since_us):
        """(requested, arrived, ended) in microseconds of each migration requested since."""
        with contextlib.closing(sqlite3.connect(f"file:{DEMO}/data/dari.db?mode=ro", uri=True)) as db:
            return db.execute("SELECT created_us, arrived_us, ended_us FROM instance_migration WHERE created_us >= ?", (since_us,)).fetchall()

    def await_all(self, since_us, count):
        wait_until(lambda: sum(row[2] > 0 for row in self.migrations(since_us)) == count, 600, "all have gone over", 0.2)
        rows = self.migrations(since_us)
        if not all(row[1] for row in rows):
            raise RuntimeError(f"of {count} guests some stayed: {rows}")
        return rows


class Peers:
    """Copies of these guests' domains with disks of their own, which are managed by virsh alone."""

    def __init__(self, region, names):
        self.region, self.names = region, [f"peer-{name}" for name in names]
        for name in names:
            self.make(name)

    def make(self, name):
        uri, kept = self.region.uris[HOSTS[0]], f"{self.region.demo.env['DARI_SANDBOX']}/shared"
        xml = run("virsh", "-q", "-c", uri, "dumpxml", "--inactive", name)
        disk = re.search(f"<source file='({SHARED}/[^']*)'", xml)[1]
        copy = f"{SHARED}/peer-{name}.qcow2"
        run("cp", disk.replace(SHARED, kept), copy.replace(SHARED, kept))
        xml = re.sub("<metadata>.*?</metadata>", "", xml, flags=re.DOTALL)
        xml = re.sub("<interface .*?</interface>", "", xml, flags=re.DOTALL)  # the port belongs to the original
        xml = re.sub("<(serial|console) .*?</\\1>", "", xml, flags=re.DOTALL)  # so does the console's file
        xml = xml.replace(re.search("<uuid>(.*?)</uuid>", xml)[1], str(uuid.uuid4()))  # SMBIOS contains it, too
        xml = xml.replace(disk, copy).replace(f"<name>{name}</name>", f"<name>peer-{name}</name>")
        path = f"{DEMO}/peer.xml"
        with open(path, "w", encoding="utf-8") as f:
            f.write(xml)
        run("virsh", "-q", "-c", uri, "define", path)
        run("virsh", "-q", "-c", uri, "start", f"peer-{name}")

    def migrate_ms(self, source, target):
        """Migrates all of them in a shell loop."""
        command = ["virsh", "-q", "-c", self.region.uris[source], "migrate", "--live", "--persistent", "--undefinesource", "--unsafe"]
        loop = (f"for d in {' '.join(self.names)}; do {shlex.join(command)} $d {shlex.quote(self.region.uris[target])} "
                f"--migrateuri tcp://{self.region.addresses[target]} || exit 1; done")
        start = time.monotonic()
        run("sh", "-c", loop, timeout=900)
        return (time.monotonic() - start) * 1000

    def end(self):
        for host in HOSTS:
            for name in set(run("virsh", "-q", "-c", self.region.uris[host], "list", "--all", "--name").split()) & set(self.names):
                run("virsh", "-q", "-c", self.region.uris[host], "destroy", name)
                run("virsh", "-q", "-c", self.region.uris[host], "undefine", name)


def measure_one(region, show):
    """Migrates a booted guest. "Arrived" is the time in the migration's row; afterwards dari waits for the network, which virsh does not."""
    image = region.demo.command("image", "list")[0]["image_id"]
    names = region.launch(image, 1)
    peers = Peers(region, names)
    time.sleep(BOOT_S)
    arrived, settled, others = [], [], []
    for k in range(ROUNDS):
        source, target = HOSTS[k % 2], HOSTS[(k + 1) % 2]
        since_us = int(time.time() * 1e6)
        region.demo.command("host", "move", names[0], "--to", target)
        [(_, arrived_us, ended_us)] = region.await_all(since_us, 1)
        arrived.append((arrived_us - since_us) / 1000)
        settled.append((ended_us - since_us) / 1000)
        others.append(peers.migrate_ms(source, target))
    say("moves of one guest, until it is there:", *(f"{ms:.0f}" for ms in arrived))
    say("until its network has followed:", *(f"{ms:.0f}" for ms in settled))
    say("virsh migrate:", *(f"{ms:.0f}" for ms in others))
    show("move_ms", statistics.median(arrived), statistics.median(others))
    show("move_settled_ms", statistics.median(settled), statistics.median(others))
    peers.end()
    region.target.ask(f"Action=TerminateInstances&InstanceId.1={names[0]}")


def measure_drain(region, show):
    names = region.launch(region.blank_image(), GUESTS)
    peers = Peers(region, names)
    since_us = int(time.time() * 1e6)
    region.demo.command("host", "drain", HOSTS[0])
    rows = region.await_all(since_us, GUESTS)
    ours = (max(row[2] for row in rows) - since_us) / 1000
    loop = peers.migrate_ms(*HOSTS)
    say(f"each of the {GUESTS}, since it was asked for, until it was there:", *(f"{(row[1] - row[0]) / 1000:.0f}" for row in rows))
    show("drain_ms", ours, loop)
    peers.end()


def measure(build, _, show):
    with Demo(build, "--overcommit-percent 4000") as demo:
        region = Region(demo, build)
        region.make_pool()
        measure_one(region, show)
        measure_drain(region, show)
