#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/network/port.c src/reconcile/storage/volume.c
"""Hotplug of disks and network interfaces: the guest sees them, its other devices keep their names and addresses, and killing dari makes no
difference."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402

GIB = 1 << 30


class Guest:
    """A running instance that answers ssh."""

    def __init__(self, region, ec2, identifier, address):
        self.region, self.ec2, self.id, self.address = region, ec2, identifier, address

    def sh(self, command):
        return self.region.ssh(self.address, command, fails=True)

    def await_ssh(self):
        wait_until(lambda: self.region.boot_id(self.address), f"ssh to {self.id}")

    def disk(self, volume):
        """The kernel's name of the disk with that volume's serial number; empty if it has none."""
        return self.sh(f"grep -l {volume.replace('-', '')} /sys/block/*/serial | cut -d/ -f4").strip()

    def places(self):
        """Every disk by serial and NIC by MAC, with its address on the PCI bus."""
        disks = self.sh('for d in /sys/block/vd*; do echo "$(cat $d/serial) $(readlink -f $d/device/..)"; done')
        nics = self.sh('for n in /sys/class/net/eth*; do echo "$(cat $n/address) $(readlink -f $n/device/..)"; done')
        return dict(line.split() for line in (disks + nics).splitlines() if len(line.split()) == 2)


def make_guests(region, ec2):
    ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
    group = open_ssh(ec2)
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="icmp", FromPort=-1, ToPort=-1, CidrIp="172.31.0.0/16")
    guests = []
    identifiers = launch(ec2, 2, KeyName="k")
    wait_state(ec2, identifiers, "running")
    for identifier in identifiers:
        guests.append(Guest(region, ec2, identifier, give_address(ec2, identifier)[0]))
        guests[-1].await_ssh()
    return guests


# ---- network interfaces

def interface(ec2, nic):
    return ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"][0]


def nic_state(ec2, nic):
    """The attachment's state, or the interface's where there is none."""
    found = interface(ec2, nic)
    return found.get("Attachment", found)["Status"]


def device_of(guest, mac):
    return guest.sh(f"grep -l {mac} /sys/class/net/*/address | cut -d/ -f5").strip()


def interfaces(region, ec2, one, two):
    """An interface gets an address by DHCP, answers, is detached, and attached to another guest."""
    nic = ec2.create_network_interface(SubnetId=instance(ec2, one.id)["SubnetId"])["NetworkInterface"]
    nic_id, address, mac = nic["NetworkInterfaceId"], nic["PrivateIpAddress"], nic["MacAddress"]
    boots = [guest.region.boot_id(guest.address) for guest in (one, two)]
    for turn, guest in enumerate((one, two)):
        other = (two, one)[turn]
        before = guest.places()
        ec2.attach_network_interface(NetworkInterfaceId=nic_id, InstanceId=guest.id, DeviceIndex=1)
        if turn == 0:
            region.kill_dari()
            region.start_dari()
        wait_until(lambda: nic_state(ec2, nic_id) == "attached", "the interface attached")
        wait_until(lambda g=guest: device_of(g, mac), "the guest has the interface")
        name = device_of(guest, mac)
        dhcp = f"ip link set {name} up; udhcpc -n -q -i {name} -t 5 -T 1 >/dev/null 2>&1; ip addr show {name}"
        region.check_soon(f"a second interface: its address by DHCP on {name}", lambda g=guest, d=dhcp: address in g.sh(d))
        # Uses that interface by name, because the guest's only route to the subnet is the first interface's.
        ping = f"ping -I {name} -c 3 -W 2 {instance(ec2, other.id)['PrivateIpAddress']}"
        region.check_soon("a second interface carries packets", lambda g=guest, p=ping: " 0% packet loss" in g.sh(p))
        after = guest.places()
        region.check("what was there has kept its place", before.items() <= after.items() and len(after) == len(before) + 1)
        attachment = interface(ec2, nic_id)["Attachment"]["AttachmentId"]
        ec2.detach_network_interface(AttachmentId=attachment)
        wait_until(lambda: nic_state(ec2, nic_id) == "available", "the interface available")
        region.check("detached: the guest has it no more", guest.places() == before)
    region.check("no guest was booted for it", boots == [g.region.boot_id(g.address) for g in (one, two)])
    ec2.delete_network_interface(NetworkInterfaceId=nic_id)


# ---- disks

def volume_state(ec2, volume):
    """The attachment's state, or the volume's where there is none."""
    found = ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
    return found["Attachments"][0]["State"] if found["Attachments"] else found["State"]


def attach(ec2, volume, guest, device):
    ec2.attach_volume(VolumeId=volume, InstanceId=guest.id, Device=device)
    wait_until(lambda: volume_state(ec2, volume) == "attached", "the volume attached")
    wait_until(lambda: guest.disk(volume), "the guest has the disk")
    return guest.disk(volume)


def detach(ec2, volume):
    ec2.detach_volume(VolumeId=volume)
    wait_until(lambda: volume_state(ec2, volume) == "available", "the volume available")


def disks(region, ec2, one, two):
    """Written, detached, extended while in use, found again after stop and start, and read in another guest."""
    volume, spare = (ec2.create_volume(AvailabilityZone=instance(ec2, one.id)["Placement"]["AvailabilityZone"], Size=1,
                                       VolumeType="gp2")["VolumeId"] for _ in range(2))
    for made in (volume, spare):
        wait_until(lambda v=made: volume_state(ec2, v) == "available", "the volume made")
    boots, before = region.boot_id(one.address), one.places()
    name = attach(ec2, volume, one, "/dev/sdf")
    after = one.places()
    region.check(f"a disk comes live, as {name}; what was there has kept its place",
                 before.items() <= after.items() and len(after) == len(before) + 1)
    size = one.sh(f"cat /sys/block/{name}/size").strip()
    one.sh(f"echo marked-{volume} | dd of=/dev/{name} bs=512 conv=sync; sync")
    region.check("it is as large as asked", size == str(GIB // 512))
    ec2.detach_volume(VolumeId=volume)
    region.kill_dari()
    region.start_dari()
    wait_until(lambda: volume_state(ec2, volume) == "available", "the volume available")
    region.check("detached while dari was killed: the guest has it no more", one.places() == before and not one.disk(volume))
    region.check("the guest ran all the while", boots == region.boot_id(one.address))
    attach(ec2, spare, one, "/dev/sdf")
    name = attach(ec2, volume, one, "/dev/sdg")
    ec2.modify_volume(VolumeId=volume, Size=2)
    wait_until(lambda: one.sh(f"cat /sys/block/{name}/size").strip() == str(2 * GIB // 512), "the guest sees it grow")
    region.check("grown while in use", f"marked-{volume}" in one.sh(f"head -c 512 /dev/{name}"))
    before = one.places()
    detach(ec2, spare)
    ec2.stop_instances(InstanceIds=[one.id], Force=True)
    wait_state(ec2, [one.id], "stopped")
    ec2.start_instances(InstanceIds=[one.id])
    wait_state(ec2, [one.id], "running")
    one.await_ssh()
    region.check("after stop and start each device is where it was",
                 one.places() == {key: place for key, place in before.items() if key != spare.replace("-", "")})
    detach(ec2, volume)
    name = attach(ec2, volume, two, "/dev/sdf")
    region.check("attached elsewhere: what was written is there", f"marked-{volume}" in two.sh(f"head -c 512 /dev/{name}"))
    detach(ec2, volume)
    for made in (volume, spare):
        ec2.delete_volume(VolumeId=made)


# ---- reboot

def reboot(region, ec2, guest):
    """A reboot shuts the guest down in order, and the instance never shows as off."""
    first = region.boot_id(guest.address)
    ec2.reboot_instances(InstanceIds=[guest.id])
    wait_until(lambda: region.boot_id(guest.address) not in ("", first), "the guest booted again")
    region.check("a reboot: running, with another boot id", instance(ec2, guest.id)["State"]["Name"] == "running")
    region.check_soon("the guest shut down in order",
                      lambda: "Power down" in ec2.get_console_output(InstanceId=guest.id).get("Output", ""))


def main():
    with Region("hp", never_forces=True) as region:
        ec2 = region.account("alice")
        one, two = make_guests(region, ec2)
        interfaces(region, ec2, one, two)
        disks(region, ec2, one, two)
        reboot(region, ec2, two)
        region.check_clean()


if __name__ == "__main__":
    main()
