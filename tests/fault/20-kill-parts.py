#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/drivers/ovn src/reconcile/host
"""Parts around dari die or hang: libvirtd, ovn-northd, the northbound database, ovn-controller, a guest's QEMU; an empty or old database. No guest
may stop, work must continue when the part is back, and the audit must be clean or list exactly the quarantined resources. Only one guest boots;
the others only need to be running."""
# limit: 1200 s
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import Region, blank_image, instance, launch, state, wait_state, wait_until  # noqa: E402


def host_of(region, identifier):
    return region.command("explain", identifier)["fields"]["host"]


def part_dies(region, ec2, blank, node, part, address, before):
    region.run("tools/sandbox", "kill", node, part)
    made = launch(ec2, ImageId=blank)
    time.sleep(2)
    region.run("tools/sandbox", "start", node, part)
    wait_state(ec2, made, "running")
    wait_until(lambda: region.boot_id(address) == before, f"the witness answers after {part}")
    region.check(f"{part} on {node} killed and back: the launch meanwhile runs, the guest was not touched", True)
    ec2.terminate_instances(InstanceIds=made)
    wait_state(ec2, made, "terminated")
    region.check_clean(f"audit is clean after {part}")


def host_states(region):
    return {h["name"]: h["state"] for h in region.command("host", "list")}


def hung_libvirtd(region, ec2, blank, address, before):
    """SIGSTOP of libvirtd: its host's instances wait, others proceed, and the host is reported. The limit of 30 s for that report is tested by the
    simulated clock (tests/unit/reconcile)."""
    region.run("tools/sandbox", "kill", "hv2", "libvirtd", "STOP")
    made = launch(ec2, 4, ImageId=blank)
    on_hv1 = [i for i in made if host_of(region, i) == "hv1"]
    region.check("the launch spread over both hosts", 0 < len(on_hv1) < 4)
    wait_until(lambda: host_states(region)["hv2"] == "down", "hv2 shows as down")
    region.check("the hung host shows", True)
    wait_state(ec2, on_hv1, "running")
    region.check("the other host's instances run meanwhile", host_states(region)["hv2"] == "down")
    region.run("tools/sandbox", "kill", "hv2", "libvirtd", "CONT")
    wait_state(ec2, made, "running")
    region.check("it goes on where it was", region.boot_id(address) == before)
    ec2.terminate_instances(InstanceIds=made)
    wait_state(ec2, made, "terminated")


def qemu_of(region, identifier):
    """Process id of the guest's QEMU, seen from outside of the sandbox hosts' namespaces."""
    wanted = region.command("explain", identifier)["id"]
    listing = subprocess.run(["pgrep", "-f", f"^[^ ]*qemu-system.*-uuid {wanted}"], stdout=subprocess.PIPE, text=True, check=True)
    return int(listing.stdout.split()[0])


def conditions_of(region, identifier):
    return [c["message"] for c in region.command("explain", identifier)["conditions"]]


def cut(ec2, identifier):
    mapping = instance(ec2, identifier)["BlockDeviceMappings"][0]
    return ec2.create_snapshot(VolumeId=mapping["Ebs"]["VolumeId"])["SnapshotId"]


def is_cut(ec2, snapshot):
    return ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"] == "completed"


def hung_disk(region, ec2, hung, neighbour):
    """QEMU hangs in a disk call: other disks of its host proceed; the snapshot succeeds once QEMU answers, or is killed."""
    os.kill(qemu_of(region, hung), signal.SIGSTOP)
    held, free = cut(ec2, hung), cut(ec2, neighbour)
    wait_until(lambda: is_cut(ec2, free), "the snapshot of a disk beside the hung guest's")
    region.check("the snapshot of a disk beside the hung guest's is cut, its own is not", not is_cut(ec2, held))
    for name, identifier in (("snapshot", held), ("instance", hung)):
        region.check_soon(f"the {name}'s condition says so",
                          lambda it=identifier: any("has not answered" in m for m in conditions_of(region, it)))
    region.check("only theirs", not conditions_of(region, neighbour) + conditions_of(region, free))
    os.kill(qemu_of(region, hung), signal.SIGCONT)
    wait_until(lambda: is_cut(ec2, held), "the snapshot, once QEMU answers")
    region.check_soon("and nothing has a condition", lambda: not conditions_of(region, hung) + conditions_of(region, held))
    os.kill(qemu_of(region, hung), signal.SIGSTOP)
    forced = cut(ec2, hung)
    time.sleep(2)
    ec2.stop_instances(InstanceIds=[hung], Force=True)
    wait_state(ec2, [hung], "stopped")
    wait_until(lambda: is_cut(ec2, forced), "a snapshot whose guest was forced off meanwhile")
    region.check("a snapshot whose guest was forced off meanwhile is cut all the same", True)
    ec2.start_instances(InstanceIds=[hung])
    wait_state(ec2, [hung], "running")
    for snapshot in (held, free, forced):
        ec2.delete_snapshot(SnapshotId=snapshot)


def hung_guest(region, ec2, blank, address, before):
    """SIGSTOP of one guest's QEMU: libvirt waits without a timeout. Other guests of the host proceed, the hang is reported, and a forced stop ends
    it."""
    hung, other = launch(ec2, 2, ImageId=blank)
    wait_state(ec2, [hung, other], "running")
    os.kill(qemu_of(region, hung), signal.SIGSTOP)
    ec2.reboot_instances(InstanceIds=[hung])
    made = launch(ec2, 4, ImageId=blank)
    region.check("some are placed beside the hung guest", any(host_of(region, i) == host_of(region, hung) for i in made))
    wait_state(ec2, made, "running")
    region.check("instances on the host of a hung guest start", True)
    region.check_soon("the hung one's condition says so", lambda: any("QEMU has not answered" in m for m in conditions_of(region, hung)))
    region.check("only its own", not any(conditions_of(region, i) for i in made + [other]))
    region.run("tools/demo", "stop-dari")
    region.check("a call that hangs does not keep dari from an orderly end", not os.path.exists(f"{region.demo}/dari.sock"))
    region.start_dari()
    made += launch(ec2, 2, ImageId=blank)
    wait_state(ec2, made, "running")
    region.check_soon("after a restart, too, it alone is held up, and says so", lambda: conditions_of(region, hung))
    ec2.stop_instances(InstanceIds=[hung], Force=True)
    wait_state(ec2, [hung], "stopped")
    ec2.start_instances(InstanceIds=[hung])
    wait_state(ec2, [hung], "running")
    region.check_soon("forced off and started again, it has no condition", lambda: not conditions_of(region, hung))
    hung_disk(region, ec2, other, next(i for i in made + [hung] if host_of(region, i) == host_of(region, other)))
    os.kill(qemu_of(region, other), signal.SIGSTOP)
    ec2.terminate_instances(InstanceIds=made + [hung, other])
    wait_state(ec2, made + [hung, other], "terminated")
    region.check("the witness was not touched", region.boot_id(address) == before)
    region.check_clean("audit is clean after guests that hung")


def plug_rows(region):
    """The switch's rows of our plugs, each with its own id, whether or not the switch has applied them."""
    listing = region.on("ctl", "ovs-vsctl", "--no-wait", "--format=csv", "--no-headings", "--columns=_uuid,name", "list", "Port")
    return [line for line in listing.splitlines() if ",dm" in line]


def switch_sleeps(region, witness, address):
    """The switch of the metadata plugs hangs while dari is killed and restarted: it sees the old plug's removal and the new plug at once."""
    def told():
        return region.ssh(address, "imds -t && imds meta-data/instance-id", fails=True).strip()

    region.check_soon("the witness has its metadata", lambda: told() == witness)
    before = plug_rows(region)
    region.run("tools/sandbox", "kill", "ctl", "ovs-vswitchd", "STOP")
    region.kill_dari()
    region.start_dari()
    wait_until(lambda: plug_rows(region) not in ([], before), "the new plug's rows")
    region.run("tools/sandbox", "kill", "ctl", "ovs-vswitchd", "CONT")
    region.check_soon("a new plug that a busy switch sees together with the old one's end carries them", lambda: told() == witness)


def empty_database(region, address, before):
    """Without its database the region does not start, and touches nothing outside; the old database restores it."""
    region.run("tools/demo", "stop-dari")
    data = f"{region.demo}/data"
    kept = {n: n + ".kept" for n in os.listdir(data) if n.startswith("dari.db")}
    for name, copy in kept.items():
        shutil.move(f"{data}/{name}", f"{data}/{copy}")
    started = subprocess.run([region.dari, "--config", f"{region.demo}/dari.yaml", "serve"], capture_output=True, text=True, check=False)
    region.check("without its database dari refuses to start, and says so", started.returncode != 0 and "is missing" in started.stderr)
    region.check("and the guest still runs", region.boot_id(address) == before)
    for name, copy in kept.items():
        shutil.move(f"{data}/{copy}", f"{data}/{name}")
    region.start_dari()
    region.check_clean("audit is clean with the old database")


def old_database(region, ec2, blank, address, before):
    """A copy from before a launch: the instance is quarantined, keeps running, and can be adopted."""
    region.run("tools/demo", "stop-dari")
    data = f"{region.demo}/data"
    shutil.copy(f"{data}/dari.db", f"{region.demo}/old.db")
    region.start_dari()
    made = launch(ec2, ImageId=blank)[0]
    wait_state(ec2, [made], "running")
    uuid = region.command("explain", made)["id"]
    before_loss = instance(ec2, made)
    region.run("tools/demo", "stop-dari")
    for suffix in ("-wal", "-shm"):
        if os.path.exists(f"{data}/dari.db{suffix}"):
            os.unlink(f"{data}/dari.db{suffix}")
    shutil.copy(f"{region.demo}/old.db", f"{data}/dari.db")
    region.start_dari()
    wait_until(lambda: set(host_states(region).values()) == {"up"}, "hosts are up")
    region.check_soon("audit lists the guest without a row as quarantined",
                      lambda: any(uuid in f and "domain" in f for f in region.audit()))
    running = region.on("hv1", "virsh", "list", "--uuid") + region.on("hv2", "virsh", "list", "--uuid")
    region.check("and it still runs", uuid in running)
    region.command("adopt", uuid)
    private_ip = instance(ec2, made)["PrivateIpAddress"]
    region.check_clean("audit is clean after the adoption")
    region.check(f"adopted: EC2 shows it again, with its address {private_ip}", state(ec2, made) == "running" and
                 private_ip == before_loss["PrivateIpAddress"])
    now = region.on("hv1", "virsh", "list", "--uuid") + region.on("hv2", "virsh", "list", "--uuid")
    region.check("and it was never stopped", uuid in now)
    ec2.terminate_instances(InstanceIds=[made])
    wait_state(ec2, [made], "terminated")
    region.check("the witness was not touched", region.boot_id(address) == before)


def main():
    with Region("fp") as region:
        ec2, witness, address = region.witness("fault")
        before, blank = region.boot_id(address), blank_image(ec2)
        for node, part in (("ctl", "northd"), ("ctl", "nb"), ("hv1", "ovn-controller"), ("hv1", "libvirtd"),
                           ("hv2", "libvirtd")):
            part_dies(region, ec2, blank, node, part, address, before)
        switch_sleeps(region, witness, address)
        hung_libvirtd(region, ec2, blank, address, before)
        hung_guest(region, ec2, blank, address, before)
        old_database(region, ec2, blank, address, before)
        empty_database(region, address, before)
        wait_until(lambda: state(ec2, witness) == "running", "the witness runs")
        region.check("the witness was never stopped", region.boot_id(address) == before)


if __name__ == "__main__":
    main()
