#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/backup_ src/drivers/libvirt src/reconcile/backup
"""A guest's disks are backed up to a directory, fully and incrementally, while it writes on them: restored disks have the data of each backup, though
dari was killed meanwhile. Backups of an encrypted disk contain nothing in clear."""
# limit: 1200 s
import glob
import os
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
from region import Region, instance, wait_until  # noqa: E402

MARKED_MIB = 24
WORDS = "what a guest wrote on its disk, for its backup to have"
VOLUME = "volume 3.43"


def volume(ec2, identifier):
    return ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]


def free(ec2, made):
    wait_until(lambda: volume(ec2, made)["State"] == "available", f"{made} is available")
    return made


def make(ec2, identifier, **more):
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    return free(ec2, ec2.create_volume(AvailabilityZone=zone, **more)["VolumeId"])


def attach(region, ec2, address, made, identifier, device):
    """Attaches a volume; returns its device in the guest."""
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device=device)
    wait_until(lambda: [a["State"] for a in volume(ec2, made)["Attachments"]] == ["attached"], "attached")
    return region.disk_of(address, made)


def detach(ec2, made):
    ec2.detach_volume(VolumeId=made)
    free(ec2, made)


class Disk:
    def __init__(self, region, address, device):
        self.region, self.address, self.device = region, address, device

    def sh(self, command):
        return self.region.ssh(self.address, command).strip()

    def mark(self, at_mib):
        """Writes random data there, after the words; returns the digest of the first 200 MiB."""
        self.sh(f"dd if=/dev/urandom of={self.device} bs=1M seek={at_mib} count={MARKED_MIB} conv=notrunc,fsync 2>/dev/null; "
                f"echo '{WORDS}' | dd of={self.device} bs=512 seek={at_mib * 2048} conv=notrunc,fsync 2>/dev/null; sync")
        return self.digest()

    def digest(self):
        return self.sh(f"echo 3 >/proc/sys/vm/drop_caches; dd if={self.device} bs=1M count=200 2>/dev/null | md5sum").split()[0]


class Backups:
    def __init__(self, region, project):
        self.region, self.project, self.folder = region, project, f"{region.demo}/backups"

    def ids(self):
        return {i: v["id"] for v in self.project.ok("GET", "/volume/v3/volumes/detail")["volumes"] for i in ["vol-" + v["id"].replace("-", "")[:17]]}

    def begin(self, made, **more):
        body = {"backup": {"volume_id": self.ids()[made], "force": True, **more}}
        return self.project.ok("POST", "/volume/v3/backups", body)["backup"]["id"]

    def show(self, backup):
        return self.project.ok("GET", f"/volume/v3/backups/{backup}")["backup"]

    def written(self, backup):
        wait_until(lambda: self.show(backup)["status"] != "creating", "the backup is over")
        return self.show(backup)

    def restore(self, ec2, backup, made=None):
        body = {"restore": {"volume_id": made and self.ids()[made]}}
        answer = self.project.ok("POST", f"/volume/v3/backups/{backup}/restore", body)["restore"]
        status = f"/volume/v3/volumes/{answer['volume_id']}"
        wait_until(lambda: self.project.ok("GET", status)["volume"]["status"] != "restoring-backup", "it is restored")
        return free(ec2, next(i for i, v in self.ids().items() if v == answer["volume_id"]))

    def delete(self, backup):
        self.project.ok("DELETE", f"/volume/v3/backups/{backup}")
        wait_until(lambda: not glob.glob(f"{self.folder}/*/{backup}"), "its objects are gone")

    def has_words(self, backup):
        """True if a chunk of the backup contains the words in clear."""
        found = False
        for path in glob.glob(f"{self.folder}/*/{backup}/*"):
            if not path.endswith(".json"):
                with open(path, "rb") as f:
                    found = found or WORDS.encode() in zlib.decompress(f.read())
        return found


def set_target(region):
    with open(f"{region.demo}/dari.yaml", "a", encoding="utf-8") as f:
        f.write(f"backup:\n  target: file://{region.demo}/backups\n")
    region.kill_dari()
    region.start_dari()


def there_and_back(region, ec2, identifier, address, backups):
    made, other = make(ec2, identifier, Size=1), make(ec2, identifier, Size=2)
    disk = Disk(region, address, attach(region, ec2, address, made, identifier, "/dev/sdf"))
    first = disk.mark(0)
    full = backups.written(backups.begin(made))
    region.check(f"a disk in use is backed up: {full['object_count']} objects", full["status"] == "available" and full["object_count"] > MARKED_MIB // 4)
    region.check("its words are among the objects", backups.has_words(full["id"]))
    second = disk.mark(100)
    more = backups.begin(made, incremental=True)
    region.kill_dari()
    region.start_dari()
    more = backups.written(more)
    region.check(f"killed, it writes what is new: {more['object_count']} objects", more["status"] == "available" and more["is_incremental"])
    region.check("and nothing else", 2 < more["object_count"] <= MARKED_MIB // 4 + 3)
    third = disk.mark(0)
    detach(ec2, made)
    new = backups.restore(ec2, more["id"])
    backups.restore(ec2, full["id"], other)
    backups.restore(ec2, more["id"], made)
    for name, what, digest in (("a new volume", new, second), ("another volume", other, first), ("its own volume", made, second)):
        found = Disk(region, address, attach(region, ec2, address, what, identifier, "/dev/sdf")).digest()
        region.check(f"{name} has what was backed up", found == digest != third)
        detach(ec2, what)
    backups.delete(more["id"])
    backups.delete(full["id"])


def encrypted(region, ec2, identifier, address, backups):
    made = make(ec2, identifier, Size=1, Encrypted=True)
    disk = Disk(region, address, attach(region, ec2, address, made, identifier, "/dev/sdf"))
    first = disk.mark(0)
    full = backups.written(backups.begin(made))
    second = disk.mark(100)
    more = backups.written(backups.begin(made, incremental=True))
    region.check("an encrypted disk is backed up", full["status"] == more["status"] == "available")
    region.check("nothing of it is in clear", not backups.has_words(full["id"]) and not backups.has_words(more["id"]))
    print(f"objects of the full one: {full['object_count']}, of the incremental one: {more['object_count']}")
    detach(ec2, made)
    for name, backup, digest in (("in full", full, first), ("what is new", more, second)):
        restored = backups.restore(ec2, backup["id"])
        region.check(f"{name}: the restored one is encrypted", volume(ec2, restored)["Encrypted"])
        found = Disk(region, address, attach(region, ec2, address, restored, identifier, "/dev/sdf")).digest()
        region.check(f"{name}: it has what was backed up", found == digest)
        detach(ec2, restored)


def main():
    with Region("backups") as region:
        set_target(region)
        ec2, identifier, address = region.witness("keeper")
        made = region.command("user", "create", "keeper", "--account", "keeper", "--role", "member")
        project = cloud.Project(region, "keeper", "keeper", made["password"])
        backups = Backups(region, project)
        there_and_back(region, ec2, identifier, address, backups)
        encrypted(region, ec2, identifier, address, backups)
        region.check_clean()


main()
