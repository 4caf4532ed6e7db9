#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/vmware src/engine/remote src/reconcile/remote tests/clients/vcsim tests/lib/vsphere.py
# when: long
# limit: 1800 s
"""Machines of a stranger's vCenter, govmomi's simulator, move here: plan, two whole exports by leases, cutover, undo at each stage, a region that is killed, and
a vCenter that answers badly. The simulator exports the datastore's file of each disk: real VMDKs, as qemu-img writes them for streams. A proxy passes the API on."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import types
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import ebs  # noqa: E402
import elsewhere  # noqa: E402
from block_cloud import BLOCK, block  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, run  # noqa: E402
from migrating import RUNNING, ZERO, do, instance_here, migration, rests_in  # noqa: E402
from vsphere import VIM, Simulator, fault, method_of  # noqa: E402
from waiting import HANG_S, wait_until  # noqa: E402

BLOCKS = 100
MACHINES = 12
DESCRIPTOR = b"""# Disk DescriptorFile
version=1
CID=fffffffe
parentCID=ffffffff
createType="vmfs"

# Extent description
RW %d VMFS "disk1-flat.vmdk"
"""


class World:
    def __init__(self):
        self.there, self.data, self.work = Simulator("-machines", str(MACHINES)), tempfile.mkdtemp(), tempfile.mkdtemp()
        self.refs = dict(sorted(self.there.refs().items()))
        self.names, self.free = {ref: name for name, ref in self.refs.items()}, list(self.refs.values())
        self.proxy, self.contents = elsewhere.Proxy(types.SimpleNamespace(port=self.there.port)), {}
        self.home = Dev("--data", self.data)
        done = run(self.home, "provider", "add", "vmware", "there", "--region", "all", "--login", "user", "--secret-stdin", "--endpoint", self.proxy.url, "--poll-s", "1",
                   "--account", elsewhere.owner(self.home), "--json", text="pass\n")
        assert done.returncode == 0, done
        wait_until(lambda: set(machines(self.home)) == set(self.names), "the first listing", shows=lambda: provider(self.home))

    def end(self):
        self.proxy.end()
        self.home.end()
        self.there.end()
        shutil.rmtree(self.data)
        shutil.rmtree(self.work)

    def again(self):
        port = self.home.port
        self.home.end(signal.SIGKILL)
        self.home = Dev("--data", self.data, port=port)

    def make(self, disks=1):
        """A machine with content on its disks, that was not moved before."""
        ref = self.free.pop()
        self.contents[ref] = {k: block(f"{ref} {k} ") for k in (0, 1, 5, 9, 60)} | {3: ZERO}
        self.write(ref)
        if disks > 1:
            self.add_disk(ref)
            self.contents[ref, 2] = {k: block(f"{ref} second {k} ") for k in (0, 7, 60)}
            self.write(ref, 2)
        return ref

    def add_disk(self, ref):
        (disk,) = [d for d in self.there.prop("VirtualMachine", ref, "config.hardware.device") if d.find(f"{VIM}capacityInKB") is not None]
        self.there.task("ReconfigVM_Task", ref, (
            '<spec><deviceChange><operation>add</operation><fileOperation>create</fileOperation><device xsi:type="VirtualDisk"><key>-1</key>'
            f'<backing xsi:type="VirtualDiskFlatVer2BackingInfo"><fileName>[LocalDS_0] {self.names[ref]}/disk2.vmdk</fileName><diskMode>persistent</diskMode></backing>'
            f'<controllerKey>{disk.findtext(VIM + "controllerKey")}</controllerKey><unitNumber>1</unitNumber><capacityInKB>1048576</capacityInKB></device></deviceChange></spec>'))

    def write(self, ref, disk=1):
        raw, made = os.path.join(self.work, "raw"), os.path.join(self.work, "made.vmdk")
        with open(raw, "wb") as f:
            f.truncate(BLOCKS * BLOCK)
            for index, data in self.contents[ref if disk == 1 else (ref, disk)].items():
                f.seek(index * BLOCK)
                f.write(data)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", raw, made], check=True)
        with open(made, "rb") as f:
            self.put(ref, f.read(), disk)

    def write_flat(self, ref):
        """The disk as ESXi keeps it: a descriptor, and a flat file beside it."""
        raw = bytearray(BLOCKS * BLOCK)
        for index, data in self.contents[ref].items():
            raw[index * BLOCK:(index + 1) * BLOCK] = data
        self.put(ref, bytes(raw), "1-flat")
        self.put(ref, DESCRIPTOR % (len(raw) // 512))

    def put(self, ref, data, disk=1):
        url = f"{self.there.url}/folder/{self.names[ref]}/disk{disk}.vmdk?dcPath=DC0&dsName=LocalDS_0"
        urllib.request.urlopen(urllib.request.Request(url, data=data, method="PUT"), timeout=HANG_S).close()

    def power(self, ref):
        return self.there.power(ref)

    def snapshots(self, ref):
        found = self.there.prop("VirtualMachine", ref, "snapshot")
        return [] if found is None else [e.text for e in found.iter() if e.tag.endswith("}name")]

    def begin(self):
        ref = self.make()
        do(self, "plan", ref)
        assert migration(self, ref)["stage"] == "planned", migration(self, ref)
        do(self, "start", ref)
        return ref

    def is_same(self, ref):
        image = self.home.account.client().describe_images(ImageIds=[instance_here(self, ref)["ImageId"]])["Images"][0]
        wanted = {"/dev/sda": self.contents[ref], **({"/dev/sdb": self.contents[ref, 2]} if (ref, 2) in self.contents else {})}
        assert {m["DeviceName"] for m in image["BlockDeviceMappings"]} == set(wanted), image
        for mapping in image["BlockDeviceMappings"]:
            content, disk = ebs.content(self.home.account.client("ebs"), mapping["Ebs"]["SnapshotId"], BLOCKS * BLOCK), wanted[mapping["DeviceName"]]
            wrong = [k for k in range(BLOCKS) if content[k * BLOCK:(k + 1) * BLOCK] != disk.get(k, ZERO)]
            assert not wrong, (mapping["DeviceName"], wrong)

    def finish(self, ref):
        rests_in(self, ref, "freezing", "copying", "synced", "stopping", "making", "starting", "done")
        if not migration(self, ref).get("cutover_us"):
            do(self, "cutover", ref)
        rests_in(self, ref, "done")
        assert self.power(ref) == "poweredOff"
        self.is_same(ref)
        assert not self.snapshots(ref), self.snapshots(ref)
        assert instance_here(self, ref)["State"]["Name"] == RUNNING
        self.home.account.client().terminate_instances(InstanceIds=[instance_here(self, ref)["InstanceId"]])

    def is_clean(self, ref):
        wait_until(lambda: self.power(ref) == "poweredOn", "the machine runs", shows=lambda: self.power(ref))
        assert not self.snapshots(ref), self.snapshots(ref)
        found = self.home.account.client().describe_snapshots(OwnerIds=["self"])["Snapshots"]
        assert not [s for s in found if f"{ref}," in s["Description"]], found

    def die_at(self, method, when):
        """The region is to be killed at the first request of that method: before it is passed on, or before its answer is. Returns what waits for that."""
        met, dead = threading.Event(), threading.Event()

        def hold():
            met.set()
            dead.wait(HANG_S)

        def spoil(_verb, _path, body):
            if when == "after" or method_of(body) != method or met.is_set():
                return None
            hold()
            return 200, {}, None

        def change(_path, body, answer):
            if when == "before" or method_of(body) != method or met.is_set():
                return answer
            hold()
            return None
        self.proxy.spoil, self.proxy.change = spoil, change

        def wait():
            wait_until(met.is_set, method, shows=lambda: self.home.command("migrate", "list"))
            self.again()
            self.honest()
            dead.set()
        return wait

    def honest(self):
        self.proxy.spoil, self.proxy.change = lambda *_: None, lambda path, body, answer: answer


@pytest.fixture(scope="module")
def world():
    made = World()
    yield made
    made.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.honest()


def test_whole_way(world):
    """A first export while the machine runs, the last one when it is off: the disk is equal, and no snapshot is left there. An undo afterwards starts the
    machine again."""
    ref = world.make()
    planned = run(world.home, "migrate", "plan", ref)
    assert planned.returncode == 0 and "refused" not in planned.stdout and "virtio" in planned.stdout, planned
    do(world, "start", ref)
    assert rests_in(world, ref, "synced")["round"] == 1
    assert world.power(ref) == "poweredOn"
    world.contents[ref][60] = block("later ")
    del world.contents[ref][9]
    world.write(ref)
    do(world, "cutover", ref)
    rests_in(world, ref, "done")
    world.is_same(ref)
    assert world.power(ref) == "poweredOff" and not world.snapshots(ref), world.snapshots(ref)
    refused = run(world.home, "migrate", "undo", ref)
    assert refused.returncode != 0 and "has run" in refused.stderr, refused
    do(world, "undo", ref, "--accept-loss")
    rests_in(world, ref, "undone")
    assert world.power(ref) == "poweredOn" and instance_here(world, ref)["State"]["Name"] == "stopped"


def test_two_disks(world):
    """Both disks come from one snapshot, each by a lease of its own."""
    ref = world.make(disks=2)
    do(world, "plan", ref)
    do(world, "start", ref)
    rests_in(world, ref, "synced")
    world.contents[ref, 2][9] = block("last ")
    world.write(ref, 2)
    world.finish(ref)


def test_datastore(world):
    """A server that exports no snapshots gives the datastore's files: a flat one, and at the cutover a VMDK of one file."""
    ref = world.make()
    world.write_flat(ref)
    world.proxy.spoil = lambda _verb, _path, body: fault("NotSupported") if method_of(body) == "ExportSnapshot" else None
    do(world, "plan", ref)
    do(world, "start", ref)
    rests_in(world, ref, "synced")
    world.contents[ref][60] = block("last ")
    world.write(ref)
    world.finish(ref)
    assert world.proxy.asked("/folder/") >= 4, world.proxy.asked("/folder/")


HOLDS = {"freezing": "CreateSnapshot_Task", "copying": "ExportSnapshot", "stopping": "ShutdownGuest"}


@pytest.mark.parametrize("stage", ["planned", *HOLDS, "synced"])
def test_undo(world, stage):
    """An undo leaves nothing at any stage, and the machine runs."""
    ref = world.make()
    do(world, "plan", ref)
    if stage in ("freezing", "copying"):
        world.proxy.spoil = lambda _verb, _path, body: fault("TaskInProgress") if method_of(body) == HOLDS[stage] else None
    if stage != "planned":
        do(world, "start", ref)
        rests_in(world, ref, "synced" if stage == "stopping" else stage)
    if stage == "stopping":
        world.proxy.spoil = lambda _verb, _path, body: (503, {}, b"busy") if method_of(body) == HOLDS[stage] else None
        do(world, "cutover", ref)
        rests_in(world, ref, stage)
    do(world, "undo", ref)
    world.honest()
    rests_in(world, ref, "undone")
    world.is_clean(ref)


@pytest.mark.parametrize("method", ["CreateSnapshot_Task", "ExportSnapshot", "HttpNfcLeaseComplete"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_kill(world, method, when):
    """The region is killed at a request of the first round, and goes on by itself."""
    ref = world.make()
    do(world, "plan", ref)
    waits = world.die_at(method, when)
    do(world, "start", ref)
    waits()
    rests_in(world, ref, "synced")
    world.contents[ref][5] = block("last ")
    world.write(ref)
    world.finish(ref)


@pytest.mark.parametrize("method", ["ShutdownGuest", "RemoveSnapshot_Task"])
def test_kill_cutover(world, method):
    ref = world.begin()
    rests_in(world, ref, "synced")
    waits = world.die_at(method, "after")
    do(world, "cutover", ref)
    waits()
    world.finish(ref)


def test_bad_disk(world):
    """A VMDK that names another file is refused, and ends the migration; the machine runs on."""
    ref = world.make()
    world.put(ref, b'# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 204800 FLAT "/etc/shadow" 0\n')
    do(world, "plan", ref)
    do(world, "start", ref)
    wait_until(lambda: migration(world, ref)["stage"] == "failed" and migration(world, ref).get("ended_us"), "it fails", shows=lambda: migration(world, ref))
    assert "cannot be read" in migration(world, ref)["problem"], migration(world, ref)
    world.is_clean(ref)


def test_refusals(world):
    """Devices and disks that no snapshot covers, encryption, and missing privileges, as the vCenter says."""
    ref = world.make()

    def said(change):
        world.proxy.change = lambda path, body, answer: change(answer) if b"config.hardware.device" in body or b"HasPrivilege" in body else answer
        text = run(world.home, "migrate", "plan", ref).stdout
        world.honest()
        do(world, "delete", ref)
        return text
    assert "it is independent" in said(lambda a: a.replace(b"<diskMode>persistent<", b"<diskMode>independent_persistent<"))
    assert "Multi-Attach" in said(lambda a: a.replace(b"<diskMode>persistent</diskMode>", b"<diskMode>persistent</diskMode><sharing>sharingMultiWriter</sharing>"))
    assert "RDM" in said(lambda a: a.replace(b"VirtualDiskFlatVer2BackingInfo", b"VirtualDiskRawDiskMappingVer1BackingInfo"))
    assert "passed through" in said(lambda a: a.replace(b'"VirtualE1000"', b'"VirtualPCIPassthrough"'))
    assert "VApp.Export" in said(lambda a: a.replace(b"<privId>VApp.Export</privId><isGranted>true<", b"<privId>VApp.Export</privId><isGranted>false<"))


def test_audit(world):
    world.home.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
