#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/drivers/drive_file
"""A machine that CloudStack deploys from an ISO boots from its CD-ROM drive, and from another ISO when that is inserted; a non-bootable ISO does not
prevent booting from disk. The tests' own guest has no CD-ROM driver, so the ISOs themselves print words. A guest with an ISO in its drive is
live-migrated."""
# limit: 900 s
import os
import struct
import sys
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from cloudstack import call, wait  # noqa: E402
from moves import move  # noqa: E402
from region import Region, wait_state  # noqa: E402

SECTOR = 2048


def bootable(words):
    """A CD that the firmware boots (El Torito, no emulation), and that prints these words on the serial port."""
    code = bytes.fromhex("fcbe207c0e1f"      # cld; mov si, 0x7c20; push cs; pop ds
                         "ac84c07406"        # next: lodsb; test al, al; jz end
                         "baf803eeebf5"      # mov dx, 0x3f8; out dx, al; jmp next
                         "f4ebfd")           # end: hlt; jmp end
    image = code.ljust(0x20, b"\0") + f"{words}\r\n".encode() + b"\0"
    catalog = struct.pack("<BBH24sHBB", 1, 0, 0, b"dari", 0x55AA, 0x55, 0xAA)
    catalog += struct.pack("<BBHBBHI20x", 0x88, 0, 0, 0, 0, 4, 20)
    record = b"\0CD001\1EL TORITO SPECIFICATION".ljust(71, b"\0") + struct.pack("<I", 19)
    volume = b"\1CD001\1"
    sectors = {16: volume, 17: record, 18: b"\xffCD001\1", 19: catalog, 20: image}
    return b"".join(sectors.get(n, b"").ljust(SECTOR, b"\0") for n in range(64))


def upload(project, name, content):
    image = project.ok("POST", "/image/v2/images", {"name": name, "disk_format": "iso", "container_format": "bare"})["id"]
    sent = project.call("PUT", f"/image/v2/images/{image}/file", raw=content, headers={"Content-Type": "application/octet-stream"})
    assert sent.status == 204, sent
    return image


def main():
    with Region("cd") as region:
        ec2, identifier, address = region.witness("people")
        key_id, secret = region.keys["people"]
        dev = types.SimpleNamespace(port=region.port, account=types.SimpleNamespace(key_id=key_id, secret=secret))
        user = region.command("user", "create", "anna", "--account", "people")
        project = lib.Project(region, "people", "anna", user["password"])
        isos = [upload(project, name, content) for name, content in
                (("one", bootable("dari-cd: one")), ("two", bootable("dari-cd: two")), ("data", b"data" * 65536))]

        def do(command, **parameters):
            status, answer, _ = call(dev, command, **parameters)
            assert status == 200, answer
            status, result = wait(dev, answer)
            assert status == 1, result
            return result["virtualmachine"]

        def said(machine):
            return ec2.get_console_output(InstanceId="i-" + machine.replace("-", "")[:17], Latest=True).get("Output", "")

        witness = call(dev, "listVirtualMachines")[1]["virtualmachine"][0]["id"]
        status, refused, _ = call(dev, "attachIso", id=isos[2], virtualmachineid=witness)
        region.check("one that runs without a drive gets none", status == 431 and "no CD-ROM drive" in refused["errortext"])
        offering = call(dev, "listServiceOfferings", name="t2.nano")[1]["serviceoffering"][0]["id"]
        disk = call(dev, "listDiskOfferings", name="gp3")[1]["diskoffering"][0]["id"]
        zone = call(dev, "listZones")[1]["zone"][0]["id"]
        made = do("deployVirtualMachine", templateid=isos[0], serviceofferingid=offering, zoneid=zone, diskofferingid=disk, size="1", hypervisor="KVM")
        region.check_soon("a machine starts from the ISO that it was made of", lambda: "dari-cd: one" in said(made["id"]))
        do("attachIso", id=isos[1], virtualmachineid=made["id"])
        region.check("another one in its drive is there at once, and speaks when it starts", "dari-cd: two" not in said(made["id"]))
        region.kill_dari()
        region.start_dari()
        do("rebootVirtualMachine", id=made["id"], forced="true")
        region.check_soon("then it starts from that", lambda: "dari-cd: two" in said(made["id"]))
        ec2_id = "i-" + made["id"].replace("-", "")[:17]
        moved = move(region, ec2_id)
        region.check(f"it goes to another host with what lies in its drive: {moved.get('problem', '')}", moved["outcome"] == "completed")
        before = said(made["id"]).count("dari-cd: two")  # the new host may not have its earlier output
        do("rebootVirtualMachine", id=made["id"], forced="true")
        region.check_soon("and starts from it there", lambda: said(made["id"]).count("dari-cd: two") > before)
        ec2.stop_instances(InstanceIds=[identifier])
        wait_state(ec2, [identifier], "stopped")
        do("attachIso", id=isos[2], virtualmachineid=witness)
        ec2.start_instances(InstanceIds=[identifier])
        region.reach(ec2, identifier, address, "the guest with an ISO that nothing starts from")
        region.check_clean()
        both = [identifier, ec2_id]
        ec2.terminate_instances(InstanceIds=both)
        wait_state(ec2, both, "terminated")
        region.check_clean("nothing is left of them")


if __name__ == "__main__":
    main()
