#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/ec2 src/engine/remote src/reconcile/remote src/api/ebs
"""A guest of one region moves to another one, while it writes on both of its disks: rounds, a killed control plane, cutover. The frozen disks are equal byte
by byte, and the guest has its last marker here. Afterwards nothing is left there, and both audits are clean."""
# limit: 1800 s
import ctypes
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ebs  # noqa: E402
from region import Region, give_address, instance, open_ssh, state, wait_until  # noqa: E402

COUNT_AT_MIB = 200  # of the second disk; the root disk has the count, too
WRITER = """#!/bin/sh
n=0
while :; do
n=$((n + 1))
printf '%511d\\n' $n | dd of=DISK bs=512 seek=$((COUNT * 2048)) conv=notrunc,fsync 2>/dev/null || exit
printf '%511d\\n' $n | dd of=/dev/vda bs=512 seek=$((COUNT * 2048)) conv=notrunc,fsync 2>/dev/null
printf '%511d\\n' $n | dd of=DISK bs=512 seek=$((n % 400 * 1024 + 500000)) conv=notrunc 2>/dev/null
echo $n >/tmp/counted
usleep 200000
done
""".replace("COUNT", str(COUNT_AT_MIB))


def volumes(ec2, ref):
    return {d["DeviceName"]: d["Ebs"]["VolumeId"] for d in instance(ec2, ref)["BlockDeviceMappings"]}


def frozen(region, ec2, volume):
    """SHA-256 of each block of the disk that is not all zeros."""
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed", "a snapshot")
    found = blocks(region, snapshot)
    ec2.delete_snapshot(SnapshotId=snapshot)
    return found


def blocks(region, snapshot):
    client, found, more = region.client(*region.keys["mover"], "ebs"), {}, {}
    while True:
        page = client.list_snapshot_blocks(SnapshotId=snapshot, **more)
        for b in page["Blocks"]:
            data = client.get_snapshot_block(SnapshotId=snapshot, BlockIndex=b["BlockIndex"], BlockToken=b["BlockToken"])["BlockData"].read()
            if any(data):
                found[b["BlockIndex"]] = ebs.checksum(data)
        if "NextToken" not in page:
            return found
        more = {"NextToken": page["NextToken"]}


def migration(home):
    return home.command("migrate", "list")[0]


def reaches(home, *stages):
    def is_so():
        found = migration(home)
        assert found["stage"] in stages or found["stage"] not in ("failed", "undone"), found
        return found["stage"] in stages
    wait_until(is_so, f"the migration is {stages}")


def add_disk(there, ec2, ref, address):
    """A second disk with some MiB on it; returns its device in the guest."""
    made = ec2.create_volume(AvailabilityZone=instance(ec2, ref)["Placement"]["AvailabilityZone"], Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["State"] == "available", "the volume")
    ec2.attach_volume(VolumeId=made, InstanceId=ref, Device="/dev/sdf")
    disk = there.disk_of(address, made)
    there.ssh(address, f"dd if=/dev/urandom of={disk} bs=1M count=64 seek=100 2>/dev/null; sync")
    return disk


def listen_in(pid, port):
    """A socket that listens in the network namespace of the process."""
    made = []

    def enter():
        with open(f"/proc/{pid}/ns/net", encoding="ascii") as space:
            assert ctypes.CDLL(None).setns(space.fileno(), 0x40000000) == 0  # CLONE_NEWNET, of this thread alone
        made.append(socket.create_server(("127.0.0.1", port)))
    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return made[0]


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(home, there):
    """The regions are in namespaces of their own: what the one sends to the other's port is passed on there."""
    server = listen_in(home.dari_pid(), there.port)

    def serve():
        while True:
            near, _ = server.accept()
            far = socket.create_connection(("127.0.0.1", there.port))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=pump, args=pair, daemon=True).start()
    threading.Thread(target=serve, daemon=True).start()


def connect(home, there):
    relay(home, there)
    account = home.account("mover")
    account.import_key_pair(KeyName="k", PublicKeyMaterial=open(f"{there.demo}/key.pub", "rb").read())
    subprocess.run(["cp", f"{there.demo}/key", f"{home.demo}/key"], check=True)
    open_ssh(account)
    key_id, secret = there.keys["mover"]
    done = subprocess.run([home.dari, "--config", f"{home.demo}/dari.yaml", "provider", "add", "aws", "there", "--region", "us-east-1", "--login", key_id, "--endpoint",
                           f"http://127.0.0.1:{there.port}", "--secret-stdin", "--poll-s", "1", "--account", "mover"], input=secret + "\n", capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done
    return account


def move(there, home):
    source, ref, address = there.witness("mover")
    disk = add_disk(there, source, ref, address)
    here = connect(home, there)
    wait_until(lambda: any(m["ref"] == ref for m in home.command("remote", "list")), "the machine is listed")
    home.run("build/dari", "--config", f"{home.demo}/dari.yaml", "migrate", "plan", ref)
    planned = migration(home)
    home.check(f"the plan has no refusals {planned['refusals']}", planned["stage"] == "planned" and not planned["refusals"])
    with open(f"{there.demo}/writer", "w", encoding="ascii") as script:
        script.write(WRITER.replace("DISK", disk))
    there.ssh(address, "cat >/tmp/writer; (setsid sh /tmp/writer </dev/null >/dev/null 2>&1 &)", stdin=script.name)
    wait_until(lambda: there.ssh(address, "cat /tmp/counted", fails=True).strip(), "the guest counts")
    home.command("migrate", "start", ref)
    reaches(home, "copying", "synced")
    home.kill_dari()
    home.start_dari()
    reaches(home, "synced")
    home.command("migrate", "set", ref, "--round-s", "10")
    wait_until(lambda: migration(home)["round"] >= 2 and migration(home)["stage"] == "synced", "a second round")
    home.check(f"the second round copies what was written since: {migration(home)['delta'] >> 20} MiB", 0 < migration(home)["delta"] < 64 << 20)
    marker = int(there.ssh(address, "cat /tmp/counted"))
    began = time.monotonic()
    home.command("migrate", "cutover", ref)
    reaches(home, "making", "starting", "done")
    if migration(home)["stage"] == "making":
        home.kill_dari()
        home.start_dari()
    reaches(home, "done")
    print(f"# downtime {(migration(home)['running_us'] - migration(home)['stopped_us']) / 1e6:.1f} s from stopped to running, "
          f"{time.monotonic() - began:.1f} s from the request, machine busy")
    return source, here, ref, marker


def compare(there, home, source, here, ref, marker):
    home.check("the machine is stopped there", state(source, ref) == "stopped")
    moved = "i-" + migration(home)["instance"].replace("-", "")[:17]
    image = here.describe_images(ImageIds=[instance(here, moved)["ImageId"]])["Images"][0]
    for mapping in image["BlockDeviceMappings"]:
        device = mapping["DeviceName"]
        theirs, ours = frozen(there, source, volumes(source, ref)[device]), blocks(home, mapping["Ebs"]["SnapshotId"])
        home.check(f"the frozen disk {device} is equal, {len(ours)} blocks", theirs == ours and len(ours) > 0)
    address, _ = give_address(here, moved)
    home.reach(here, moved, address, "the moved guest")
    moved_volume = volumes(here, moved)["/dev/sdf"]
    for disk in (home.disk_of(address, moved_volume), "/dev/vda"):
        last = int(home.ssh(address, f"dd if={disk} bs=512 skip={COUNT_AT_MIB * 2048} count=1 2>/dev/null"))
        home.check(f"the guest has its last marker on {disk}: {last}, read before the cutover: {marker}", last >= marker)
    wait_until(lambda: migration(home).get("ended_us"), "the snapshots there are removed")
    home.check("nothing is left there", not source.describe_snapshots(OwnerIds=["self"])["Snapshots"])
    return moved


def main():
    there = Region("mt", hosts=1)
    there.__enter__()  # the end of the other region's block ends the process
    with Region("mh", hosts=1) as home:
        try:
            source, here, ref, marker = move(there, home)
            moved = compare(there, home, source, here, ref, marker)
            home.check_soon("audit is clean there", lambda: there.audit() == [])
            home.check_clean()
            home.command("migrate", "undo", ref, "--accept-loss")
            reaches(home, "undone")
            home.check("after an undo the machine runs there, and the instance is off", state(source, ref) == "running" and state(here, moved) == "stopped")
        finally:
            there.run("tools/demo", "down")


if __name__ == "__main__":
    main()
