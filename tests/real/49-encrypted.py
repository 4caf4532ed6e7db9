#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/crypt_file src/drivers/libvirt src/model/disk_key
"""Data that a guest writes on an encrypted volume cannot be found in its host's pool or in the image store, while the same data on a plain volume
can. They survive a stop, a detachment, a restart of libvirtd and of dari, an extension, snapshots while in use and at rest, an encrypted copy of a
plain snapshot, and an image of an encrypted root disk."""
# limit: 1200 s
import base64
import os
import sqlite3
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, image_of, instance, launch, state, wait_state, wait_until  # noqa: E402

WORDS = "what nobody else is to read, written by a guest on its disk"
PLACES, APART = 8, 8 << 8  # number of words; distance in blocks of 4 KiB: 8 MiB


def volume(ec2, identifier):
    return ec2.describe_volumes(VolumeIds=[identifier])["Volumes"][0]


def make(ec2, identifier, **more):
    zone = instance(ec2, identifier)["Placement"]["AvailabilityZone"]
    made = ec2.create_volume(AvailabilityZone=zone, **more)["VolumeId"]
    wait_until(lambda: volume(ec2, made)["State"] == "available", "the volume is available")
    return made


def attach(region, ec2, address, made, identifier, device):
    """Attaches a volume; returns its device in the guest."""
    ec2.attach_volume(VolumeId=made, InstanceId=identifier, Device=device)
    wait_until(lambda: [a["State"] for a in volume(ec2, made)["Attachments"]] == ["attached"], "attached")
    return region.disk_of(address, made)


def detach(ec2, made):
    ec2.detach_volume(VolumeId=made)
    wait_until(lambda: volume(ec2, made)["State"] == "available", "detached")


def write(region, address, disk):
    region.ssh(address, f"for k in $(seq 0 {PLACES - 1}); do echo '{WORDS}' | dd of={disk} bs=4k seek=$((k * {APART})) conv=notrunc 2>/dev/null; done; sync")


def count(region, address, disk):
    """Number of words that the guest reads."""
    script = f"for k in $(seq 0 {PLACES - 1}); do dd if={disk} bs=4k skip=$((k * {APART})) count=1 2>/dev/null | head -n 1; done | grep -c '{WORDS}'"
    return int(region.ssh(address, script, fails=True).split()[-1])


def reads_all(region, address, disk):
    return count(region, address, disk) == PLACES


def pool_files(region, ec2, made):
    """Files in hosts' pools that may contain the volume's data."""
    uuid = region.command("explain", made)["id"]
    pools = f"{region.env['DARI_SANDBOX']}/*/lib/libvirt/images"
    return region.run("sh", "-c", f"ls {pools}/dari-*-vol-{uuid}.qcow2").split()


def has_words(region, path):
    return region.run("grep", "-a", "-c", WORDS, path, fails=True).split()[:1] not in ([], ["0"])


def snapshot_of(region, ec2, made):
    snapshot = ec2.create_snapshot(VolumeId=made)["SnapshotId"]

    def completed():
        return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed"
    try:
        wait_until(completed, "the snapshot is completed")
    except TimeoutError:
        print(region.command("explain", snapshot), who_has_it_open(region))
        raise
    return snapshot


def who_has_it_open(region):
    """Disks and jobs of each guest's QEMU, to find who has a file locked."""
    asks = "for d in $(virsh list --name); do for q in query-named-block-nodes query-jobs query-block; do " \
           "echo $d $q; virsh qemu-monitor-command $d \"{'execute':'$q'}\"; done; virsh dumpxml $d; done"
    return "\n".join(region.on(host["name"], "sh", "-c", asks, fails=True) for host in region.command("host", "list"))


def store_file(region, snapshot):
    return f"{region.demo}/data/images/{region.command('explain', snapshot)['fields']['sha256']}.qcow2"


def check_at_rest(region, ec2, sealed, plain):
    files = pool_files(region, ec2, sealed)
    region.check("the encrypted volume's file does not hold what was written", files and not any(has_words(region, f) for f in files))
    region.check("the plain one's does", any(has_words(region, f) for f in pool_files(region, ec2, plain)))
    domains = region.run("sh", "-c", f"cat {region.env['DARI_SANDBOX']}/*/etc/libvirt/qemu/*.xml {region.env['DARI_SANDBOX']}/*/run/libvirt/qemu/*.xml", fails=True)
    region.check("hosts' definitions name its secret", "passphrase" in domains)


def lives_on(region, ec2, one, address, sealed):
    """Restarts of every process between the guest and its key."""
    host = region.command("explain", one)["fields"]["host"]
    for action in ("kill", "start"):
        region.run("tools/sandbox", action, host, "libvirtd")
    region.kill_dari()
    region.start_dari()
    region.settle()
    detach(ec2, sealed)
    disk = attach(region, ec2, address, sealed, one, "/dev/sdg")
    region.check("its data are there after libvirtd and dari began anew, and it was plugged again", reads_all(region, address, disk))
    ec2.stop_instances(InstanceIds=[one], Force=True)
    wait_state(ec2, [one], "stopped")
    ec2.start_instances(InstanceIds=[one])
    wait_state(ec2, [one], "running")
    wait_until(lambda: region.boot_id(address), "ssh after the start")
    region.check("and after a stop and a start", reads_all(region, address, region.disk_of(address, sealed)))


def grows(region, ec2, one, address, sealed):
    for gib, rests in ((2, False), (3, True)):
        if rests:
            detach(ec2, sealed)
        ec2.modify_volume(VolumeId=sealed, Size=gib)
        wait_until(lambda: ec2.describe_volumes_modifications(VolumeIds=[sealed])["VolumesModifications"][0]["ModificationState"] == "completed",
                   "grown")
        disk = attach(region, ec2, address, sealed, one, "/dev/sdh") if rests else region.disk_of(address, sealed)
        sectors = int(region.ssh(address, f"cat /sys/block/{disk[5:]}/size"))
        region.check(f"it grew to {gib} GiB {'at rest' if rests else 'in use'} and holds its data",
                     sectors * 512 == gib << 30 and reads_all(region, address, disk))


def snapshots(region, ec2, one, address, sealed):
    used = snapshot_of(region, ec2, sealed)
    detach(ec2, sealed)
    rested = snapshot_of(region, ec2, sealed)
    for snapshot, when in ((used, "in use"), (rested, "at rest")):
        shown = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
        region.check(f"a snapshot {when} is encrypted, in the image store, too",
                     shown["Encrypted"] and not has_words(region, store_file(region, snapshot)))
        made = make(ec2, one, SnapshotId=snapshot)
        region.check("a volume of it is", volume(ec2, made)["Encrypted"])
        disk = attach(region, ec2, address, made, one, "/dev/sdi")
        region.check(f"and holds what was written before the snapshot {when}", reads_all(region, address, disk))
        again = snapshot_of(region, ec2, made)
        detach(ec2, made)
        ec2.delete_volume(VolumeId=made)
        region.check("a snapshot of that is encrypted", not has_words(region, store_file(region, again)))


def copies(region, ec2, one, address, plain):
    """A plain volume's snapshot: the copy's data are encrypted in the store and in the pool."""
    bare = snapshot_of(region, ec2, plain)
    copy = ec2.copy_snapshot(SourceSnapshotId=bare, SourceRegion="us-east-1", Encrypted=True)["SnapshotId"]
    wait_until(lambda: ec2.describe_snapshots(SnapshotIds=[copy])["Snapshots"][0]["State"] == "completed", "the copy is completed")
    region.check("a plain snapshot's file holds what was written", has_words(region, store_file(region, bare)))
    region.check("that of its encrypted copy does not", not has_words(region, store_file(region, copy)))
    made = make(ec2, one, SnapshotId=copy)
    region.check("a volume of the copy is encrypted", volume(ec2, made)["Encrypted"])
    digest = region.command("explain", copy)["fields"]["sha256"]
    cached = region.run("sh", "-c", f"ls {region.env['DARI_SANDBOX']}/*/lib/libvirt/images/dari-*-img-{digest}.qcow2").split()
    region.check("nor does the host's copy of it", cached and not any(has_words(region, file) for file in cached))
    disk = attach(region, ec2, address, made, one, "/dev/sdj")
    region.check("and its guest reads what was written", reads_all(region, address, disk))
    detach(ec2, made)


def root_disks(region, ec2, one):
    """The guest with these volumes has an encrypted root disk itself; another guest boots from its image."""
    root = instance(ec2, one)["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    region.check("its root disk is encrypted", volume(ec2, root)["Encrypted"])
    made = ec2.create_image(InstanceId=one, Name="sealed", NoReboot=True)["ImageId"]
    wait_until(lambda: ec2.describe_images(ImageIds=[made])["Images"][0]["State"] == "available", "the image")
    region.check("its image is encrypted", ec2.describe_images(ImageIds=[made])["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["Encrypted"])
    ec2.terminate_instances(InstanceIds=[one])
    two = launch(ec2, ImageId=made, KeyName="k")[0]
    wait_state(ec2, [two], "running")
    where, _ = give_address(ec2, two)
    region.reach(ec2, two, where, "a guest of the encrypted image")
    region.check("an image of an encrypted root disk launches", state(ec2, two) == "running")


def main():
    with Region("en") as region:
        root = {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": True}}
        ec2, one, address = region.witness("sealed", BlockDeviceMappings=[root])
        region.check("there is an image", image_of(ec2))
        sealed, other = (make(ec2, one, Size=1, Encrypted=True) for _ in range(2))
        plain = make(ec2, one, Size=1)
        for made, device in ((sealed, "/dev/sdf"), (plain, "/dev/sdp")):
            disk = attach(region, ec2, address, made, one, device)
            write(region, address, disk)
            region.check("the guest reads what it wrote", reads_all(region, address, disk))
        check_at_rest(region, ec2, sealed, plain)
        check_secrets(region, sealed, other)
        lives_on(region, ec2, one, address, sealed)
        grows(region, ec2, one, address, sealed)
        snapshots(region, ec2, one, address, sealed)
        copies(region, ec2, one, address, plain)
        root_disks(region, ec2, one)
        region.check_clean()


def check_secrets(region, *volumes):
    """No file and no process argument contains the key, as bytes or as digits."""
    with open(f"{region.demo}/data/master.key") as file:
        master = bytes.fromhex(file.read().strip())
    database = sqlite3.connect(f"file:{region.demo}/data/dari.db?mode=ro", uri=True)
    keys = set()
    for made in volumes:
        uuid = region.command("explain", made)["id"]
        ((sealed,),) = database.execute("select data_key from volume where id = ? or id = ?", (uuid, bytes.fromhex(uuid.replace("-", ""))))
        sealed = base64.b64decode(sealed) if isinstance(sealed, str) else sealed
        keys.add(AESGCM(master).decrypt(sealed[1:13], sealed[13:], b"disk key"))
    region.check("each has a key of its own", len(keys) == len(volumes))
    arguments = b"".join(read(f"/proc/{pid}/cmdline") for pid in os.listdir("/proc") if pid.isdigit())
    files = [os.path.join(folder, name) for root in (region.demo, region.env["DARI_SANDBOX"])
             for folder, _, names in os.walk(root) for name in names if not name.endswith((".qcow2", ".sock"))]
    for key in keys:
        forms = key, key.hex().encode()
        region.check("no process has it in its arguments", not any(form in arguments for form in forms))
        held = [path for path in files if os.path.isfile(path) and any(form in read(path) for form in forms)]
        region.check(f"no log, definition or database has it {held}", not held)


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read(64 << 20)
    except OSError:
        return b""


if __name__ == "__main__":
    main()
