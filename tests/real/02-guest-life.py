#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/drivers/libvirt src/drivers/ovn src/reconcile/instance
"""The life of one guest on real libvirt and OVN: launched, with metadata, reached from outside, with a second disk, unaffected by a killed dari,
stopped, started with its data, and terminated without remains. tests/real has detailed scripts for each part."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402


def launch_guest(region, ec2):
    ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
    open_ssh(ec2)
    identifier = launch(ec2, KeyName="k", UserData="said-once")[0]
    wait_state(ec2, [identifier], "running")
    address, allocation = give_address(ec2, identifier)
    region.reach(ec2, identifier, address, "the guest")
    return identifier, address, allocation


def ask_metadata(region, ec2, identifier, address):
    base = "http://169.254.169.254/latest"
    region.check("metadata names the instance", region.ssh(address, f"wget -q -O - {base}/meta-data/instance-id", fails=True) == identifier)
    region.check("metadata has the user data", region.ssh(address, f"wget -q -O - {base}/user-data", fails=True) == "said-once")
    region.check("the guest has the address that the API tells",
                 instance(ec2, identifier)["PrivateIpAddress"] in region.ssh(address, "ip -4 addr show eth0"))


def give_disk(region, ec2, identifier, address):
    volume = ec2.create_volume(AvailabilityZone=instance(ec2, identifier)["Placement"]["AvailabilityZone"], Size=1)["VolumeId"]
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available", "the volume")
    ec2.attach_volume(VolumeId=volume, InstanceId=identifier, Device="/dev/sdf")
    device = region.disk_of(address, volume)
    region.ssh(address, f"echo written-by-the-guest | dd of={device} conv=sync bs=512 2>/dev/null; sync")
    return volume


def survive_kill(region, address):
    boot = region.boot_id(address)
    region.kill_dari()
    region.check("the guest goes on while dari is dead", region.boot_id(address) == boot)
    region.start_dari()
    region.check("and is not touched by its return", region.boot_id(address) == boot)
    region.check_clean("audit is clean after the kill")
    return boot


def stop_and_start(region, ec2, identifier, address, volume, boot):
    ec2.stop_instances(InstanceIds=[identifier], Force=True)
    wait_state(ec2, [identifier], "stopped")
    region.check("a stopped guest does not answer", not region.boot_id(address))
    ec2.start_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "running")
    region.reach(ec2, identifier, address, "the guest, started again")
    region.check("it has booted again", region.boot_id(address) not in ("", boot))
    device = region.disk_of(address, volume)
    region.check("what it wrote is there", "written-by-the-guest" in region.ssh(address, f"head -c 32 {device}"))


def end(region, ec2, identifier, allocation, volume):
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")
    ec2.release_address(AllocationId=allocation)
    wait_until(lambda: ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available", "the volume is free")
    ec2.delete_volume(VolumeId=volume)
    region.check_soon("no domain is left", lambda: not region.on("hv1", "virsh", "list", "--all", "--name").strip())
    region.check_clean("audit is clean at the end")


def main():
    with Region("gl", hosts=1) as region:
        ec2 = region.account("life")
        identifier, address, allocation = launch_guest(region, ec2)
        ask_metadata(region, ec2, identifier, address)
        volume = give_disk(region, ec2, identifier, address)
        boot = survive_kill(region, address)
        stop_and_start(region, ec2, identifier, address, volume, boot)
        end(region, ec2, identifier, allocation, volume)


if __name__ == "__main__":
    main()
