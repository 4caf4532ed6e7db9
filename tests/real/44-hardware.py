#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/model/firmware
"""Images with other virtual hardware: UEFI with a TPM, SATA disks, e1000e interfaces. The tiny image starts on all of them; an instance's firmware
and TPM state are deleted with the instance only."""
# limit: 900 s
import base64
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import uefi_data  # noqa: E402
from region import ROOT, Region, give_address, instance, launch, open_ssh, wait_state, wait_until  # noqa: E402


def import_image(region, name, *options):
    tiny = os.path.join(ROOT, "build/cache/tiny.qcow2")
    return region.command("image", "import", tiny, "--name", name, *options)["image_id"]


def console(ec2, identifier):
    return ec2.get_console_output(InstanceId=identifier).get("Output", "")


def await_console(ec2, identifier, words):
    wait_until(lambda: words in console(ec2, identifier), f"'{words}' on the console of {identifier}")


def kept(region):
    """Files that libvirt keeps for domains beside their definitions, on all hosts."""
    found = []
    for host in ("hv1", "hv2"):
        listing = region.on(host, "sh", "-c", "ls /var/lib/libvirt/qemu/nvram /var/lib/libvirt/swtpm", fails=True)
        found += [line for line in listing.splitlines() if line and not line.endswith(":") and "cannot access" not in line]
    return found


def variables(ec2, identifier):
    return uefi_data.read(base64.b64decode(ec2.get_instance_uefi_data(InstanceId=identifier)["UefiData"]))


def uefi(region, ec2):
    """Firmware variables and the TPM survive a stop, and end with the instance."""
    image = import_image(region, "tiny-uefi", "--boot-mode", "uefi", "--tpm")
    shown = ec2.describe_images(ImageIds=[image])["Images"][0]
    region.check("the image says so", (shown.get("BootMode"), shown.get("TpmSupport")) == ("uefi", "v2.0"))
    identifier = launch(ec2, ImageId=image, KeyName="k")[0]
    wait_state(ec2, [identifier], "running")
    region.check("the instance says so", instance(ec2, identifier)["BootMode"] == "uefi")
    address, _ = give_address(ec2, identifier)
    wait_until(lambda: region.boot_id(address), "ssh to the guest under UEFI")
    region.check("the guest was started by UEFI", "yes" in region.ssh(address, "[ -d /sys/firmware/efi ] && echo yes", fails=True))
    version = region.ssh(address, "cat /sys/class/tpm/tpm0/tpm_version_major", fails=True).strip()
    region.check("the guest has a TPM 2.0", version == "2")
    before = kept(region)
    region.check("its variables and its TPM's state are kept", len(before) == 2)
    shown = variables(ec2, identifier)
    region.check("the firmware noted what it starts from", {"BootOrder", "Boot0000"} <= set(shown) and "PK" not in shown)
    ec2.stop_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "stopped")
    region.check("they outlive a stop", kept(region) == before and variables(ec2, identifier)["BootOrder"] == shown["BootOrder"])
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")
    region.check_soon("they end with the instance", lambda: kept(region) == [])


def register(region, ec2, name, given):
    """An image of the tiny one's disk with these variables."""
    image = import_image(region, f"disk-of-{name}")
    disk = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]
    snapshot = ec2.copy_snapshot(SourceSnapshotId=disk["Ebs"]["SnapshotId"], SourceRegion=ec2.meta.region_name)["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot])
    return ec2.register_image(
        Name=name, BootMode="uefi", UefiData=base64.b64encode(uefi_data.write(given)).decode(), RootDeviceName=disk["DeviceName"],
        BlockDeviceMappings=[{"DeviceName": disk["DeviceName"], "Ebs": {"SnapshotId": snapshot}}])["ImageId"]


MOTTO = uefi_data.Variable("DariMotto", b"given by the image", bytes.fromhex("00112233445566778899aabbccddeeff"), 7, None, None)


def given_variables(region, ec2):
    """If the firmware finds its variable store invalid, it creates a new one: here it must use the image's variables."""
    identifier = launch(ec2, ImageId=register(region, ec2, "with-variables", {"DariMotto": MOTTO}), KeyName="k")[0]
    wait_state(ec2, [identifier], "running")
    address, _ = give_address(ec2, identifier)
    wait_until(lambda: region.boot_id(address), "ssh to the guest with given variables")
    shown = variables(ec2, identifier)
    region.check("the firmware has added its own to those given", shown.get("DariMotto") == MOTTO and "BootOrder" in shown)
    before = kept(region)
    region.check("nothing is left of what they were made with", len(before) == 1 and "firmware" not in before[0])
    ec2.stop_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "stopped")
    ec2.start_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "running")
    region.check("they are not given anew", variables(ec2, identifier)["BootOrder"] == shown["BootOrder"])
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")
    region.check_soon("they end with it", lambda: kept(region) == [])


def own_keys(region, ec2, keys):
    """A platform key turns on secure boot; without a signature database no loader is accepted."""
    identifier = launch(ec2, ImageId=register(region, ec2, "with-keys", {"PK": keys["PK"], "KEK": keys["KEK"], "DariMotto": MOTTO}))[0]
    await_console(ec2, identifier, "Access Denied")
    shown = variables(ec2, identifier)
    region.check("its keys are those of its image", shown["PK"].data == keys["PK"].data and "db" not in shown and shown["DariMotto"] == MOTTO)
    ec2.terminate_instances(InstanceIds=[identifier])


def secure_boot(region, ec2):
    """The tiny image's loader is unsigned."""
    region.check("secure boot without UEFI is refused",
                 "UEFI" in region.run(region.dari, "image", "import", f"{ROOT}/build/cache/tiny.qcow2", "--name", "no",
                                      "--secure-boot", fails=True))
    image = import_image(region, "tiny-secure", "--boot-mode", "uefi", "--secure-boot")
    identifier = launch(ec2, ImageId=image)[0]
    await_console(ec2, identifier, "Access Denied")
    region.check("what nobody signed is not started", "dari-tiny" not in console(ec2, identifier))
    keys = variables(ec2, identifier)
    region.check("Microsoft's keys are among its variables",
                 b"Microsoft" in keys["db"].data and all(keys[name].timestamp for name in ("PK", "KEK", "db")))
    ec2.terminate_instances(InstanceIds=[identifier])
    own_keys(region, ec2, keys)


def without_virtio(region, ec2):
    """The cloud kernel has drivers for neither: the firmware has loaded everything that the guest runs. The guest lists the devices on its buses."""
    image = import_image(region, "tiny-windows", "--platform", "windows", "--disk-bus", "sata", "--nic-model", "e1000e")
    shown = ec2.describe_images(Filters=[{"Name": "platform", "Values": ["windows"]}])["Images"]
    region.check("found as a Windows image", [i["ImageId"] for i in shown] == [image])
    identifier = launch(ec2, ImageId=image)[0]
    await_console(ec2, identifier, "dari-tiny: ready")
    region.check("started from a SATA disk, without virtio", "ip=none disk=0" in console(ec2, identifier))
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")


def main():
    with Region("hw") as region:
        ec2 = region.account("alice")
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        open_ssh(ec2)
        started = time.monotonic()
        given_variables(region, ec2)
        without_virtio(region, ec2)
        secure_boot(region, ec2)
        uefi(region, ec2)
        print(f"# {time.monotonic() - started:.0f} s for all guests")
        region.check_clean()


if __name__ == "__main__":
    main()
