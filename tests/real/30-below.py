#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/host/observe.c src/reconcile/instance
"""Changes from below: a guest that shuts itself down, a QEMU that dies, a domain destroyed from outside, a host that reboots; and what stop, start
and reboot preserve."""
# limit: 900 s
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, instance, launch, state, wait_state, wait_until  # noqa: E402


def qemu_pid(identifier):
    """Process id of the guest's QEMU, seen from outside of the host's process namespace."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read()
            if words.startswith(b"/usr/bin/qemu-system") and f"guest={identifier}".encode() in words:
                return int(pid)
        except OSError:
            continue
    raise LookupError(identifier)


def guest_powers_off(region, ec2):
    stays, goes = launch(ec2)[0], launch(ec2, InstanceInitiatedShutdownBehavior="terminate")[0]
    for identifier, then in ((stays, "stopped"), (goes, "terminated")):
        wait_state(ec2, [identifier], "running")
        host = region.command("explain", identifier)["fields"]["host"]
        wait_until(lambda i=identifier: "ready" in console(ec2, i), "it has booted")
        region.on(host, "virsh", "shutdown", identifier)
        wait_state(ec2, [identifier], then)
        region.check(f"a guest that shuts itself down is {then}", state(ec2, identifier) == then)
    reason = instance(ec2, stays)["StateReason"]["Code"]
    region.check(f"the reason says so: {reason}", reason == "Client.InstanceInitiatedShutdown")
    return stays


def console(ec2, identifier):
    return ec2.get_console_output(InstanceId=identifier, Latest=True).get("Output", "")


def restarted(region, address, before, words):
    wait_until(lambda: region.boot_id(address) not in ("", before), f"it runs again after {words}")
    region.check(f"{words}: it was started again", True)
    return region.boot_id(address)


def dies_below(region, ec2, witness, address):
    host = region.command("explain", witness)["fields"]["host"]
    before = region.boot_id(address)
    os.kill(qemu_pid(witness), 9)
    before = restarted(region, address, before, "QEMU killed")
    region.check_soon("and a condition says so", lambda: "Restarted" in region.run(region.dari, "explain", witness))
    region.on(host, "virsh", "destroy", witness)
    before = restarted(region, address, before, "destroyed from outside")
    region.run("tools/sandbox", "reboot-host", host)
    restarted(region, address, before, "the host rebooted")
    region.check("it was running to the user all along", state(ec2, witness) == "running")


def keeps_its_disk(region, ec2, witness, address):
    key_before = region.host_key(address)
    before = region.boot_id(address)
    ec2.reboot_instances(InstanceIds=[witness])
    restarted(region, address, before, "RebootInstances")
    ec2.stop_instances(InstanceIds=[witness])
    wait_state(ec2, [witness], "stopped")
    ec2.start_instances(InstanceIds=[witness])
    wait_state(ec2, [witness], "running")
    region.reach(ec2, witness, address, "the witness after stop and start")
    region.check_soon("stop and start keep the disk and the elastic address",
                      lambda: bool(key_before) and region.host_key(address) == key_before)


def main():
    with Region("bl") as region:
        ec2, witness, address = region.witness("below")
        guest_powers_off(region, ec2)
        dies_below(region, ec2, witness, address)
        keeps_its_disk(region, ec2, witness, address)
        region.check_clean()


if __name__ == "__main__":
    main()
