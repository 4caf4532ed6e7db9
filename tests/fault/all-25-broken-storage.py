#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/storage/volume.c
"""Full or broken storage. A host's pool without room: guests keep running, or are paused in a write and resume when there is room; new disks go
elsewhere, or wait with a reason. An image whose file is missing, truncated, or altered cannot be launched until the file is restored. A full image
store delays a snapshot and refuses an import. Disks that refer to other files are never imported."""
# limit: 1200 s
import os
import shutil
import subprocess
import sys

import botocore.exceptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import ROOT, Region, give_address, instance, launch, state, wait_state, wait_until  # noqa: E402

POOL_MIB = 3200
FIRST, LAST = 60, 75  # range in the root disk, in units of 4 MiB, beyond the image's data


def fields(region, identifier):
    return region.command("explain", identifier)["fields"]


def conditions(region, identifier):
    return {c["name"]: f"{c['message']} {c['advice']}" for c in region.command("explain", identifier)["conditions"]}


def host_of(region, identifier):
    return fields(region, identifier)["host"]


# ---- a host's pool

def make_small(region, host):
    """Mounts a small, empty file system as the host's pool."""
    pool = "/var/lib/libvirt/images"
    region.on(host, "sh", "-c", f"mount -t tmpfs -o size={POOL_MIB}m small {pool} && mkdir -m 711 {pool}/console")


def fill(region, host):
    region.on(host, "sh", "-c", "fallocate -l {} /var/lib/libvirt/images/full || true; "
              "dd if=/dev/zero of=/var/lib/libvirt/images/more bs=64k 2>/dev/null || true".format(
                  free_of(region, host) - (1 << 20)))


def free_of(region, host):
    return int(region.on(host, "df", "--output=avail", "-B1", "/var/lib/libvirt/images").split()[-1])


def make_room(region, host):
    region.on(host, "rm", "-f", "/var/lib/libvirt/images/full", "/var/lib/libvirt/images/more")


def guest_is_held(region, ec2, host, identifier, address):
    """The guest writes more than there is room for: it is paused, and loses nothing."""
    before = region.boot_id(address)
    region.ssh(address, "dd if=/dev/urandom of=/tmp/r bs=1M count=4 2>/dev/null; rm -f /tmp/written; "
               f"(for k in $(seq {FIRST} {LAST}); do dd if=/tmp/r of=/dev/vda bs=4M seek=$k conv=notrunc,fsync; done; "
               "touch /tmp/written) >/dev/null 2>&1 &")
    wait_until(lambda: "HeldForRoom" in conditions(region, identifier), "the guest is held")
    told = conditions(region, identifier)["HeldForRoom"]
    region.check(f"a guest without room for its write is held, and that is told: {told}", "Make room" in told)
    region.check("it is running to the user", state(ec2, identifier) == "running")
    status = ec2.describe_instance_status(InstanceIds=[identifier])["InstanceStatuses"][0]["InstanceStatus"]["Status"]
    region.check(f"and its status is {status}", status == "impaired")
    return before


def new_ones(region, ec2, host):
    """New disks go to the host with room."""
    wait_until(lambda: "PoolFull" in conditions(region, host), "the host says so")
    told = conditions(region, host)["PoolFull"]
    region.check(f"the host says so: {told}", "lack disk space" in told or "Make room" in told)
    made = launch(ec2, 2)
    wait_state(ec2, made, "running")
    region.check("what is launched meanwhile runs where there is room", host not in [host_of(region, i) for i in made])
    volume = ec2.create_volume(AvailabilityZone=instance(ec2, made[0])["Placement"]["AvailabilityZone"], Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available", "a volume")
    region.check("a volume likewise", host_of(region, volume) != host)
    ec2.delete_volume(VolumeId=volume)
    ec2.terminate_instances(InstanceIds=made)


def nowhere_else(region, ec2, other):
    """The host with room is down: the refusal says what each host lacks."""
    region.run("tools/sandbox", "kill", other, "libvirtd")
    wait_until(lambda: "HostDown" in conditions(region, other), "the other host is down")
    try:
        launch(ec2)
        region.check("a launch that no host has room for is refused", False)
    except botocore.exceptions.ClientError as error:
        said = error.response["Error"]
        region.check(f"a launch that no host has room for is refused: {said['Code']} {said['Message']}",
                     said["Code"] == "InsufficientInstanceCapacity" and "lack disk space" in said["Message"])
    region.run("tools/sandbox", "start", other, "libvirtd")
    wait_until(lambda: not conditions(region, other), "the other host is back")


def full_pool(region, ec2, host, identifier, address):
    fill(region, host)
    before = guest_is_held(region, ec2, host, identifier, address)
    new_ones(region, ec2, host)
    nowhere_else(region, ec2, "hv2")
    make_room(region, host)
    wait_until(lambda: region.boot_id(address) == before, "the guest goes on")
    region.check(f"with room again it goes on where it was, by itself", True)
    wait_until(lambda: region.ssh(address, "ls /tmp/written", fails=True).strip() == "/tmp/written", "all is written")
    same = region.ssh(address, "echo 3 >/proc/sys/vm/drop_caches; "
                      f"for k in $(seq {FIRST} {LAST}); do dd if=/dev/vda bs=4M skip=$k count=1 2>/dev/null | cmp - /tmp/r || exit; "
                      "done; echo same", fails=True)
    region.check(f"what it wrote is on its disk: {same.strip()}", same.strip() == "same")
    wait_until(lambda: not conditions(region, identifier) and not conditions(region, host), "nothing is told any more")
    region.check("and nothing is told of it any more", True)


# ---- the image store

def store_files(region):
    where = f"{region.demo}/data/images"
    return [f"{where}/{name}" for name in os.listdir(where) if name.endswith(".qcow2")]


def cut(path):
    os.truncate(path, os.path.getsize(path) - 4096)


def spoil(path):
    """Overwrites a file with other bytes of the same length."""
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) // 2)
        f.write(b"spoilt" * 100)


def broken_image(region, ec2, name, words, breaks):
    """An image that no host has cached yet."""
    plain = f"{region.demo}/{name}.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", f"{ROOT}/build/cache/tiny.qcow2", plain], check=True)
    with open(plain, "r+b") as f:
        f.truncate(os.path.getsize(plain) + (1 << 20))
        f.seek(-4096, os.SEEK_END)
        f.write(name.encode())
    known = set(store_files(region))
    region.run(region.dari, "image", "import", plain, "--name", name)
    os.unlink(plain)
    path = (set(store_files(region)) - known).pop()
    shutil.copy(path, f"{path}.kept")
    breaks(path)
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"][0]["ImageId"]
    made = launch(ec2, ImageId=image)[0]
    wait_until(lambda: conditions(region, made), f"the launch from an image that is {words} says so")
    told = " ".join(conditions(region, made).values())
    region.check(f"an image that is {words} is not launched, and that is told: {told}",
                 "import" in told and state(ec2, made) == "pending")
    good = launch(ec2)[0]
    wait_state(ec2, [good], "running")
    region.check("others are launched meanwhile", True)
    os.replace(f"{path}.kept", path)
    wait_state(ec2, [made], "running")
    region.check(f"with its file back what was launched from the image that was {words} runs", True)
    ec2.terminate_instances(InstanceIds=[made, good])


def full_store(region, ec2, identifier):
    """Limits the store to its present size, by mounting a small file system."""
    where = f"{region.demo}/data/images"
    kept = f"{region.demo}/kept"
    shutil.copytree(where, kept)
    size = sum(os.path.getsize(f"{kept}/{name}") for name in os.listdir(kept)) + (2 << 20)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", where], check=True)
    try:
        shutil.copytree(kept, where, dirs_exist_ok=True)
        volume = instance(ec2, identifier)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        wait_until(lambda: "NoRoom" in conditions(region, snapshot), "the snapshot lacks room")
        told = conditions(region, snapshot)["NoRoom"]
        region.check(f"a snapshot on a full store waits, and says for what: {told}",
                     "data.directory" in told and snapshot_state(ec2, snapshot) == "pending")
        said = region.run(region.dari, "image", "import", f"{ROOT}/build/cache/tiny.qcow2", "--name", "late", fails=True)
        region.check(f"an import is refused: {said.strip()}", "room" in said and "late" not in image_names(ec2))
        region.check("nothing of it is left there", not [n for n in os.listdir(where) if n.endswith(".part")])
        subprocess.run(["mount", "-o", "remount,size=2g", where], check=True)
        wait_until(lambda: snapshot_state(ec2, snapshot) == "completed", "the snapshot is completed")
        region.check("with room again it is completed", not conditions(region, snapshot))
    finally:
        shutil.copytree(where, kept, dirs_exist_ok=True)
        subprocess.run(["umount", "-l", where], check=True)
        shutil.copytree(kept, where, dirs_exist_ok=True)


def snapshot_state(ec2, snapshot):
    return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]


def image_names(ec2):
    return [i["Name"] for i in ec2.describe_images()["Images"]]


def outward_images(region):
    """An image that refers to a file of this machine would disclose the file to its launcher."""
    secret, outward = f"{region.demo}/secret", f"{region.demo}/outward.qcow2"
    for words, options in (("a backing file", ["-b", secret, "-F", "raw"]), ("a data file", ["-o", f"data_file={secret}"])):
        with open(secret, "wb") as f:
            f.write(b"secret" * 1024 * 1024)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *options, outward, "6M"], check=True)
        said = region.run(region.dari, "image", "import", outward, "--name", "outward", fails=True)
        region.check(f"an image with {words} is refused: {said.strip()}", "refers to another file" in said)
        os.unlink(outward)


def main():
    with Region("bs") as region:
        make_small(region, "hv1")
        wait_until(lambda: int(fields(region, "hv1")["seen_disk"]) == POOL_MIB << 20, "the host's pool is small")
        ec2, first, _ = region.witness("storage")
        outward_images(region)
        guest = next(i for i in [first] + launch(ec2, 2, KeyName="k") if host_of(region, i) == "hv1")
        wait_state(ec2, [guest], "running")
        address = instance(ec2, guest).get("PublicIpAddress") if guest == first else give_address(ec2, guest)[0]
        wait_until(lambda: region.boot_id(address), "ssh to the guest on the small pool")
        full_pool(region, ec2, "hv1", guest, address)
        broken_image(region, ec2, "gone", "gone", os.unlink)
        broken_image(region, ec2, "cut", "cut", cut)
        broken_image(region, ec2, "spoilt", "of other bytes", spoil)
        full_store(region, ec2, guest)
        region.check_clean()


if __name__ == "__main__":
    main()
