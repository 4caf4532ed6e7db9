# SPDX-License-Identifier: Apache-2.0
"""Migrations between two simulated regions: machines with content there, and what is here afterwards."""
import ebs
from block_cloud import BLOCK, block
from elsewhere import launch, machines, power_there, run
from waiting import wait_until

ZERO = bytes(BLOCK)
BLOCKS = 701  # of each disk that are compared
RUNNING, STOPPED = "running", "stopped"


def volumes_of(there, ref):
    found = there.ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [ref]}])["Volumes"]
    return {v["Attachments"][0]["Device"]: v["VolumeId"] for v in found}


def make_machine(world, name="web", more=None):
    """A machine there with content on its disks; more: the size of a second one in GiB."""
    ref = launch(world.there, name=name)[0]
    if more:
        zone = world.there.ec2.describe_instances(InstanceIds=[ref])["Reservations"][0]["Instances"][0]["Placement"]["AvailabilityZone"]
        made = world.there.ec2.create_volume(AvailabilityZone=zone, Size=more)["VolumeId"]
        world.there.rest()
        world.there.ec2.attach_volume(InstanceId=ref, VolumeId=made, Device="/dev/sdf")
        world.there.rest()
    for device, volume in volumes_of(world.there, ref).items():
        world.proxy.disks[volume] = {k: block(f"{device} {k} ") for k in (0, 1, 5, 9, 700)} | {3: ZERO}
    wait_until(lambda: ref in machines(world.home), "the machine is listed")
    return ref


def root_of(world, ref):
    """The blocks of the machine's root disk, to be changed."""
    return world.proxy.disks[volumes_of(world.there, ref)["/dev/xvda"]]


def migration(world, ref):
    """The newest migration of the machine."""
    return max((m for m in world.home.command("migrate", "list") if m["ref"] == ref), key=lambda m: (not m.get("ended_us"), m.get("ended_us", 0)))


def rests_in(world, ref, *stages):
    def is_so():
        found = migration(world, ref)
        assert found["stage"] in stages or found["stage"] not in ("failed", "undone"), (found["stage"], found.get("problem"))
        return found["stage"] in stages and (found["stage"] not in ("done", "failed", "undone") or found.get("ended_us"))
    wait_until(is_so, f"{ref} is {stages}", shows=lambda: migration(world, ref))
    return migration(world, ref)


def do(world, word, ref, *options):
    done = run(world.home, "migrate", word, ref, *options)
    assert done.returncode == 0, (word, done)


def points_there(world, ref):
    """Snapshots that the machine's last migration has made there."""
    tag = {"Key": "dari:migration", "Value": migration(world, ref)["id"]}
    found = world.there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return [s["SnapshotId"] for s in found if tag in s.get("Tags", [])]


def instance_here(world, ref):
    """The instance as EC2 shows it here."""
    identifier = "i-" + migration(world, ref)["instance"].replace("-", "")[:17]
    return world.home.account.client().describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"][0]


def is_same(world, ref):
    """Compares the instance's disks with the machine's volumes."""
    image = world.home.account.client().describe_images(ImageIds=[instance_here(world, ref)["ImageId"]])["Images"][0]
    direct, volumes = world.home.account.client("ebs"), volumes_of(world.there, ref)
    assert {d["DeviceName"] for d in image["BlockDeviceMappings"]} == set(volumes)
    for mapping in image["BlockDeviceMappings"]:
        content, disk = ebs.content(direct, mapping["Ebs"]["SnapshotId"], BLOCKS * BLOCK), world.proxy.disks[volumes[mapping["DeviceName"]]]
        wrong = [k for k in range(BLOCKS) if content[k * BLOCK:(k + 1) * BLOCK] != disk.get(k, ZERO)]
        assert not wrong, (mapping["DeviceName"], wrong)


def begin(world, more=None):
    """A machine whose migration has been planned and started."""
    ref = make_machine(world, more=more)
    do(world, "plan", ref)
    assert migration(world, ref)["stage"] == "planned", migration(world, ref)
    do(world, "start", ref)
    return ref


def finish(world, ref):
    """Requests the cutover unless that was done, and compares both sides at the end."""
    rests_in(world, ref, "freezing", "copying", "synced", "stopping", "making", "starting", "done")
    if not migration(world, ref).get("cutover_us"):
        do(world, "cutover", ref)
    rests_in(world, ref, "done")
    assert power_there(world.there, ref) == STOPPED
    is_same(world, ref)
    assert not points_there(world, ref), points_there(world, ref)
    assert instance_here(world, ref)["State"]["Name"] == RUNNING
    found = world.home.account.client().describe_images(Owners=["self"])["Images"]
    assert len([i for i in found if ref in i["Name"]]) == 1, found


def is_clean(world, ref):
    """Checks that an undone migration has left nothing, and that the machine runs."""
    wait_until(lambda: power_there(world.there, ref) == RUNNING, "the machine runs", shows=lambda: power_there(world.there, ref))
    assert not points_there(world, ref), points_there(world, ref)
    found = world.home.account.client().describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert not [s for s in found if ref in s["Description"]], found
    assert not [i for i in world.home.account.client().describe_images(Owners=["self"])["Images"] if ref in i["Name"]]
