#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/instance
"""A rescued guest boots from a rescue disk with its root disk behind it, and afterwards from its root disk again. A shelved one leaves no domain, and
has its root disk's data when it is unshelved. Also if dari is killed meanwhile. A maintenance of its host stops a guest for its duration; a guest
stopped by its user starts on the other host, with its disk."""
# limit: 900 s
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from region import Region, instance, state, wait_state, wait_until  # noqa: E402

NOVA = "/compute/v2.1/servers"
DISKS = "for d in /sys/block/vd*; do echo $(cat $d/serial) ${d##*/}; done"
WHERE = 900  # KiB before the disk's end: beyond the image's data


class Guest:
    """A guest that answers ssh on its address, whatever it boots from."""

    def __init__(self, region, project, ec2, identifier, address):
        self.region, self.project, self.ec2, self.identifier, self.address = region, project, ec2, identifier, address
        self.server = project.ok("GET", NOVA)["servers"][0]["id"]
        (root,) = instance(ec2, identifier)["BlockDeviceMappings"]
        self.root = root["Ebs"]["VolumeId"].replace("-", "")

    def act(self, **action):
        answer = self.project.call("POST", f"{NOVA}/{self.server}/action", action, version="compute 2.87")
        assert answer.status < 300, answer

    def status(self):
        return self.project.ok("GET", f"{NOVA}/{self.server}")["server"]["status"]

    def wait(self, status):
        wait_until(lambda: self.status() == status, f"{self.server} {status}")

    def reach(self, what):
        self.region.reach(self.ec2, self.identifier, self.address, what)

    def disks(self):
        """The serial of each disk by its name, in the guest's order."""
        lines = self.region.ssh(self.address, DISKS).splitlines()
        return {name: serial for serial, name in map(str.split, lines)}

    def place(self, disk):
        size = int(self.region.ssh(self.address, f"cat /sys/block/{disk}/size"))
        return f"/dev/{disk} bs=1024", size // 2 - WHERE

    def write(self, disk, word, line):
        """Writes a word of eight letters in a block of its own near the disk's end."""
        device, at = self.place(disk)
        self.region.ssh(self.address, f"echo {word} | dd of={device} seek={at + line} conv=notrunc 2>/dev/null; sync")

    def read(self, disk, line):
        device, at = self.place(disk)
        return self.region.ssh(self.address, f"dd if={device} skip={at + line} count=1 2>/dev/null | head -c 8")

    def images(self):
        return self.project.ok("GET", f"/image/v2/images?owner={self.project.id}")["images"]

    def domains(self, *which):
        """Hosts with a domain of the guest; which: virsh options that select domains."""
        return [host for host in ("hv1", "hv2") if self.server in self.region.on(host, "virsh", "list", "--uuid", *(which or ["--all"]))]

    def event(self):
        """The scheduled or past event in EC2."""
        status = self.ec2.describe_instance_status(InstanceIds=[self.identifier], IncludeAllInstances=True)["InstanceStatuses"][0]
        return (status.get("Events") or [None])[0]


def rescue(region, guest):
    before = region.boot_id(guest.address)
    guest.write("vda", "ofbefore", 0)
    guest.act(rescue={"adminPass": "rescue-it"})
    guest.wait("RESCUE")
    guest.reach("the guest in rescue")
    disks = guest.disks()
    region.check("it was booted anew", region.boot_id(guest.address) != before)
    region.check(f"the first disk is another, the second its root: {disks}", list(disks) == ["vda", "vdb"]
                 and disks["vda"] != guest.root and disks["vdb"] == guest.root)
    region.check("in rescue its root holds what it held", guest.read("vdb", 0) == "ofbefore")
    region.check("the disk that it boots from does not", guest.read("vda", 0) != "ofbefore")
    guest.write("vdb", "mendedit", 1)


def unrescue(region, guest):
    guest.act(unrescue=None)
    region.kill_dari()
    region.start_dari()
    guest.wait("ACTIVE")
    guest.reach("the guest out of rescue")
    region.check("out of rescue it has its root alone", guest.disks() == {"vda": guest.root})
    region.check("with what was on it", guest.read("vda", 0) == "ofbefore")
    region.check("and what was mended in rescue", guest.read("vda", 1) == "mendedit")


def shelve(region, guest):
    guest.write("vda", "shelvdit", 2)
    region.check("it has one domain", len(guest.domains()) == 1)
    guest.act(shelve=None)
    guest.wait("SHELVED_OFFLOADED")
    region.check("a shelved one has no domain", guest.domains() == [])
    region.check("but an image", len(guest.images()) == 1)
    region.check("EC2 calls it stopped", state(guest.ec2, guest.identifier) == "stopped")
    region.check_clean("audit is clean while it is shelved")


def unshelve(region, guest):
    guest.act(unshelve=None)
    region.kill_dari()
    region.start_dari()
    guest.wait("ACTIVE")
    guest.reach("the guest off the shelf")
    region.check("it has one domain again", len(guest.domains()) == 1)
    region.check("on its root disk is what it wrote", [guest.read("vda", n) for n in range(3)] == ["ofbefore", "mendedit", "shelvdit"])
    region.check("the image of the shelf is gone", guest.images() == [])


def is_held(region, guest):
    """Off until the maintenance of its host is over."""
    (host,) = guest.domains()
    region.command("host", "maintenance", host, "--from", "2090-01-31T22:00:00Z", "--kind", "reboot", "--reason", "New fans")
    event = guest.event()
    region.check(f"EC2 tells of the event: {event}", event["Code"] == "system-reboot" and event["Description"] == "New fans")
    url = "http://169.254.169.254/latest/meta-data/events/maintenance/scheduled"
    told = json.loads(region.ssh(guest.address, f"timeout 20 wget -q -O - {url}"))
    region.check(f"and so does its metadata: {told}", [(t["EventId"], t["State"], t["NotBefore"]) for t in told]
                 == [(event["InstanceEventId"], "active", "31 Jan 2090 22:00:00 GMT")])
    before = region.boot_id(guest.address)
    region.command("host", "maintenance", host, "--from", "now", "--kind", "reboot", "--reason", "New fans")
    region.check_soon("then its guest is off", lambda: guest.domains("--state-shutoff") == [host])
    region.check("its user is told that it is to run", state(guest.ec2, guest.identifier) == "pending")
    region.command("host", "maintenance", host, "--end")
    guest.reach("the guest after the maintenance")
    region.check("it was booted anew, where it was", region.boot_id(guest.address) != before and guest.domains() == [host])
    region.check("the event is over", guest.event()["Description"] == "[Completed] New fans")


def leaves(region, guest):
    """Stopped for a maintenance, and started meanwhile."""
    (host,) = guest.domains()
    region.command("host", "maintenance", host, "--from", "now")
    wait_state(guest.ec2, [guest.identifier], "stopped")
    guest.ec2.start_instances(InstanceIds=[guest.identifier])
    guest.reach("the guest on the other host")
    region.check("it is on the other host, and there alone", guest.domains() == [{"hv1": "hv2", "hv2": "hv1"}[host]])
    region.check("with what it wrote", guest.read("vda", 0) == "ofbefore")
    region.command("host", "maintenance", host, "--end")


def main():
    with Region("rs") as region:
        ec2, identifier, address = region.witness("people")
        user = region.command("user", "create", "anna", "--account", "people")
        guest = Guest(region, lib.Project(region, "people", "anna", user["password"]), ec2, identifier, address)
        rescue(region, guest)
        unrescue(region, guest)
        shelve(region, guest)
        unshelve(region, guest)
        is_held(region, guest)
        leaves(region, guest)
        ec2.terminate_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "terminated")
        region.check_clean()
        region.check("nothing is left", guest.domains() == [])


if __name__ == "__main__":
    main()
