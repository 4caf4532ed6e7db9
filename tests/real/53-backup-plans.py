#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/backup src/reconcile/backup src/drivers/backup_ src/drivers/libvirt/dirty_bitmap.c
"""A plan backs up a guest with two disks. Its second run reads little more from the host than what the guest has written since. The full backups expire;
the machine that is restored from what is left boots and has the content, and so has the machine itself after a restore in place. A test restore
sees a guest start that has no network."""
# limit: 1500 s
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
from region import Region, give_address, instance, wait_state, wait_until  # noqa: E402

API = "/api/v1"
MIB = 1 << 20
WRITTEN_MIB = 40
DATA_SECTOR, ROOT_SECTOR = 1024000, 2052096  # unused otherwise
ROOT_MIB = 1000  # a place of the root disk that its image does not use
MOST = 1.1  # bytes read from the host for each byte written in the guest


class Machine:
    def __init__(self, region, address, device):
        self.region, self.address, self.device = region, address, device

    def sh(self, command):
        return self.region.ssh(self.address, command).strip()

    def write(self, at_mib):
        self.sh(f"dd if=/dev/urandom of={self.device} bs=1M seek={at_mib} count={WRITTEN_MIB} conv=notrunc,fsync 2>/dev/null; "
                f"dd if=/dev/urandom of=/dev/vda bs=1M seek={ROOT_MIB} count=1 conv=notrunc,fsync 2>/dev/null; sync")

    def count_on_both(self):
        """Writes growing numbers to the data disk and then to the root disk, without end."""
        write = "printf '%010d' $i | dd of={} bs=512 seek={} count=1 conv=notrunc,fsync 2>/dev/null; "
        loop = "i=0; while :; do i=$((i+1)); " + write.format(self.device, DATA_SECTOR) + write.format("/dev/vda", ROOT_SECTOR) + "done"
        self.sh(f"echo '{loop.replace(chr(39), chr(34))}' >/tmp/count; sh /tmp/count >/dev/null 2>&1 </dev/null &")
        wait_until(lambda: all(self.counts()), "the guest counts")

    def counts(self):
        read = "dd if={} bs=512 skip={} count=1 2>/dev/null | head -c 10; echo; "
        return [int(n.replace("\0", "") or 0) for n in self.sh(read.format(self.device, DATA_SECTOR) + read.format("/dev/vda", ROOT_SECTOR)).split()]

    def content(self):
        """Digests of the data disk's first 400 MiB, and of what was written on the root disk."""
        return self.sh(f"echo 3 >/proc/sys/vm/drop_caches; dd if={self.device} bs=1M count=400 2>/dev/null | md5sum; "
                       f"dd if=/dev/vda bs=1M skip={ROOT_MIB} count=1 2>/dev/null | md5sum")


class Backups:
    def __init__(self, region, project):
        self.region, self.project = region, project

    def rows(self, kind):
        return sorted(self.project.ok("GET", f"{API}/{kind}?fields=*")["items"], key=lambda r: r["created_us"])

    def run(self, plan):
        """Runs the plan; returns the new machine backup once it is complete."""
        before = {m["id"] for m in self.rows("machine-backups")}
        self.project.ok("POST", f"{API}/backup-plans/{plan}/run", {})
        new = []

        def is_over():
            new[:] = [m for m in self.rows("machine-backups") if m["id"] not in before and m["state"] != "creating"]
            return bool(new)
        wait_until(is_over, "the run is over")
        return new[0]

    def read_from_host(self, backup):
        """Bytes that the host sent for each disk, by its slot."""
        disks = {b.get("device_slot", 0): b for b in self.rows("backups") if b.get("machine_backup") == backup["id"]}
        with sqlite3.connect(f"file:{self.region.demo}/data/dari.db?mode=ro", uri=True) as db:
            sizes = {bytes(i).hex() if isinstance(i, bytes) else str(i).replace("-", ""): n for i, n in db.execute("SELECT id, cut_size FROM snapshot")}
        return {slot: sizes[b["track"].replace("-", "")] for slot, b in disks.items()}


def prepare(region):
    with open(f"{region.demo}/dari.yaml", "a", encoding="utf-8") as f:
        f.write(f"backup:\n  target: file://{region.demo}/backups\n")
    region.kill_dari()
    region.start_dari()
    ec2, identifier, address = region.witness("keeper")
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["State"] == "available", "the volume is available")
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device="/dev/sdf")
    return ec2, identifier, Machine(region, address, region.disk_of(address, made))


def restored(region, ec2, backups, backup):
    """A new machine, with its data disk."""
    known = {i["InstanceId"] for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]}
    row = backups.project.ok("POST", f"{API}/machine-backups/{backup['id']}/restore", {"name": "again"})["items"][0]
    region.check("the restored machine is a new one", row["ec2"] not in known)
    wait_state(ec2, [row["ec2"]], "running")
    address, _ = give_address(ec2, row["ec2"])
    region.reach(ec2, row["ec2"], address, "the restored machine")
    volume = next(d["Ebs"]["VolumeId"] for d in instance(ec2, row["ec2"])["BlockDeviceMappings"] if d["DeviceName"] == "/dev/sdf")
    return Machine(region, address, region.disk_of(address, volume)), row["ec2"]


def main():
    with Region("backup-plans") as region:
        ec2, identifier, machine = prepare(region)
        made = region.command("user", "create", "keeper", "--account", "keeper", "--role", "member")
        backups = Backups(region, cloud.Project(region, "keeper", "keeper", made["password"]))
        region.command("backup", "plan", "add", "nightly", "--account", "keeper", "--instance", identifier, "--every", "cron", "--at", "0 0 29 2 *",
                       "--keep-last", "3", "--check-marker", "built-in shell")
        plan = backups.rows("backup-plans")[0]["id"]
        machine.write(0)
        first = backups.run(plan)
        region.check(f"two disks are backed up: {first}", first["state"] == "available" and first["disk_count"] == 2)
        machine.write(200)
        before = machine.content()
        machine.count_on_both()
        second = backups.run(plan)
        read = backups.read_from_host(second)
        print(f"the first run stored {first['stored_size']} bytes, the second {second['stored_size']}; read from the host by disk: {read}")
        region.check(f"both disks are from one moment: {first['consistency']}, {second['consistency']}", first["consistency"] == second["consistency"] == "crash")
        region.check(f"of the data disk's {WRITTEN_MIB} MiB the second run reads {read[1] / MIB:.1f} MiB", WRITTEN_MIB * MIB <= read[1] <= MOST * WRITTEN_MIB * MIB)
        backups.project.ok("PATCH", f"{API}/backup-plans/{plan}", {"keep_last": 1})
        wait_until(lambda: [m["id"] for m in backups.rows("machine-backups")] == [second["id"]], "the first backup expires")
        wait_until(lambda: len(backups.rows("backups")) == 2, "its disks' backups are gone")
        again, new = restored(region, ec2, backups, second)
        region.check("the new machine has the content of both disks", again.content() == before)
        counts = again.counts()
        region.check(f"the disks are from one moment: {counts}", counts[0] > 0 and 0 <= counts[0] - counts[1] <= 1)
        ec2.terminate_instances(InstanceIds=[new])
        machine.write(300)
        ec2.stop_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "stopped")
        backups.project.ok("POST", f"{API}/machine-backups/{second['id']}/restore", {"in_place": True})
        wait_until(lambda: not any(b["state"] != "available" for b in backups.rows("backups")), "the backups are at rest")

        def starts():
            return backups.project.call("POST", f"{API}/instances/{identifier}/start", {}).status < 300
        wait_until(starts, "the machine may start again")
        region.reach(ec2, identifier, machine.address, "the machine")
        region.check("restored in place, both disks have the content", machine.content() == before)
        backups.project.ok("POST", f"{API}/machine-backups/{second['id']}/check", {})
        wait_until(lambda: backups.rows("machine-backups")[0].get("check_state") != "running", "the test restore is over")
        tested = backups.rows("machine-backups")[0]
        region.check(f"a test restore starts: {tested.get('check_message')}", tested.get("check_state") == "passed")
        region.check_clean()


main()
