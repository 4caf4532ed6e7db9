#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/reconcile/instance/instance_migration
"""Faults during a live migration, on three hosts: Dari, either libvirtd, either QEMU, the target's power, the network between the two. After each
fault one QEMU runs, the guest continues counting (or boots again if its QEMU died), the row names the right host, and no domain, file or OVN
option is left. Dari talks to both libvirtds itself, so faults of libvirt's peer-to-peer migration cannot occur."""
# limit: 3600 s
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from moves import WRITER, files_on, host_of, is_sending, is_settled, is_whole, numbers, root_of  # noqa: E402
from region import Region, state, wait_until  # noqa: E402

HOSTS = ("hv1", "hv2", "hv3")
RATE_MIB_S = 2  # slow enough for a fault during the memory transfer


class Guest:
    """A guest with its root disk in a file of its host, which counts."""

    def __init__(self, region):
        self.region = region
        self.ec2, self.id, self.address = region.witness("acme")
        self.volume = root_of(self.ec2, self.id)
        self.begins_to_count()

    def begins_to_count(self):
        self.boot = self.region.boot_id(self.address)
        self.region.ssh(self.address, "rm -f /mnt/numbers; " + WRITER)

    def host(self):
        return host_of(self.region, self.id)

    def next_host(self):
        return HOSTS[(HOSTS.index(self.host()) + 1) % len(HOSTS)]

    def state_on(self, host):
        """libvirt's state there: "running (booted)"; empty if the domain is unknown."""
        said = self.region.on(host, "virsh", "domstate", "--reason", self.id, fails=True).strip()
        return "" if said.startswith("error:") else said

    def is_there(self, host):
        """A guest emulated by QEMU before 9.0 is paused while it is sent, until dari resumes it."""
        said = self.state_on(host)
        return said.startswith("running") or said == "paused (user)"

    def has_left(self, host):
        """All of its memory has been sent, and its job is not finished."""
        said = self.region.on(host, "virsh", "domjobinfo", self.id, fails=True)
        return re.search(r"Memory remaining: +0\.000", said) is not None

    def qemus_on(self, host):
        return [int(pid) for pid in self.region.on(host, "pgrep", "-f", f"guest={self.id}", fails=True).split()]

    def sent_mib(self, host):
        said = self.region.on(host, "virsh", "domjobinfo", self.id, fails=True)
        found = re.search(r"Memory processed: +([0-9.]+) MiB", said)
        return float(found.group(1)) if found else 0.0

    def kill_qemu(self, host):
        for pid in self.qemus_on(host):
            self.region.on(host, "kill", "-KILL", str(pid))

    def stage(self):
        """Result of its last migration, and its error."""
        text = self.region.run("sqlite3", "-readonly", f"{self.region.demo}/data/dari.db",
                               "SELECT outcome, problem FROM instance_migration ORDER BY created_us DESC LIMIT 1")
        return text.strip()


def begin(guest):
    """Waits until the migration has sent some memory."""
    source, target = guest.host(), guest.next_host()
    guest.region.command("host", "move", guest.id, "--to", target)
    wait_until(lambda: is_sending(guest.region, source, guest.id) and guest.sent_mib(source) > 1, "memory is sent")
    return source, target


def has_network(region, host):
    """True if the guest's port is bound on that host only, in both databases. The control machine's own ports do not count."""
    wanted = region.on("ctl", "ovn-nbctl", "--bare", "--columns", "options", "find", "Logical_Switch_Port", "options:requested-chassis!=\"\"")
    bound = region.on("ctl", "ovn-sbctl", "--format", "csv", "--no-headings", "--columns", "additional_chassis,up", "find", "Port_Binding",
                      'type=""', "requested_chassis!=[]")
    lines = [line for line in wanted.split("\n") if line and line != "requested-chassis=ctl"]
    return (lines == [f"requested-chassis={host}"]
            and all(line == "[],true" for line in bound.split()))


def check_whole(guest, host, words):
    """Checks that the guest runs on that host only, and that the migration left nothing behind."""
    region, others = guest.region, [h for h in HOSTS if h != host]
    wait_until(lambda: is_settled(region, guest.id), f"{words}: the migration is over")
    print(f"{words}: {guest.stage()}")
    region.check(f"{words}: its row says {host}", guest.host() == host)
    region.check_soon(f"{words}: it runs there", lambda: guest.state_on(host).startswith("running"))
    region.check_soon(f"{words}: in one QEMU alone", lambda: [len(guest.qemus_on(h)) for h in (host, *others)] == [1, 0, 0])
    region.check_soon(f"{words}: no other host knows it", lambda: not any(guest.state_on(h) for h in others))
    region.check_soon(f"{words}: no other host has a file of it", lambda: not any(files_on(region, h, guest.volume) for h in others))
    region.check(f"{words}: its host has one", len(files_on(region, host, guest.volume)) == 1)
    region.check_soon(f"{words}: OVN has it there alone", lambda: has_network(region, host))
    region.check(f"{words}: EC2 says that it runs", state(guest.ec2, guest.id) == "running")


def check_counts_on(guest, words):
    region = guest.region
    region.check_soon(f"{words}: it answers, in its old boot", lambda: region.boot_id(guest.address) == guest.boot)
    count = len(numbers(region, guest.address))
    region.check_soon(f"{words}: it counts on", lambda: len(numbers(region, guest.address)) > count)
    region.check(f"{words}: no number is lost", is_whole(numbers(region, guest.address)))


def stays(guest, source, words):
    check_whole(guest, source, words)
    check_counts_on(guest, words)
    guest.region.check(f"{words}: told as failed", guest.stage().startswith("failed|"))


def arrives(guest, target, words):
    check_whole(guest, target, words)
    check_counts_on(guest, words)


# ---- cases

def dari_dies(guest):
    source, target = begin(guest)
    guest.region.kill_dari()
    guest.region.check_soon("dari is killed: the source has it, with no job", lambda: not is_sending(guest.region, source, guest.id)
                            and guest.is_there(source))
    guest.region.check_soon("dari is killed: the target has none of it", lambda: not guest.state_on(target) and not guest.qemus_on(target))
    guest.region.start_dari()
    arrives(guest, target, "dari is killed, and tries again")


def source_libvirt_dies(guest):
    source, _ = begin(guest)
    guest.region.run("tools/sandbox", "kill", source, "libvirtd")
    guest.region.run("tools/sandbox", "start", source, "libvirtd")
    stays(guest, source, "the source's libvirtd is killed")


def target_libvirt_dies(guest):
    source, target = begin(guest)
    guest.region.run("tools/sandbox", "kill", target, "libvirtd")
    time.sleep(4)
    guest.region.check("the target's libvirtd is killed: the source has it", guest.is_there(source))
    guest.region.run("tools/sandbox", "start", target, "libvirtd")
    stays(guest, source, "the target's libvirtd is killed")


def target_qemu_dies(guest):
    source, target = begin(guest)
    guest.kill_qemu(target)
    stays(guest, source, "the target's QEMU is killed")


def source_qemu_dies(guest):
    words = "the source's QEMU is killed"
    source, _ = begin(guest)
    guest.kill_qemu(source)
    check_whole(guest, source, words)
    region = guest.region
    region.check_soon(f"{words}: it boots anew there", lambda: region.boot_id(guest.address) not in ("", guest.boot))
    guest.begins_to_count()
    check_counts_on(guest, words)


def target_host_dies(guest):
    words = "the target is without power"
    source, target = begin(guest)
    guest.region.run("tools/sandbox", "cut-power", target)
    wait_until(lambda: is_settled(guest.region, guest.id), f"{words}: the migration is over")
    guest.region.check(f"{words}: the source runs on", guest.state_on(source).startswith("running"))
    guest.region.check(f"{words}: with no job", not is_sending(guest.region, source, guest.id))
    check_counts_on(guest, words)
    guest.region.run("tools/sandbox", "give-power", target)
    wait_until(lambda: {h["state"] for h in guest.region.command("host", "list")} == {"up"}, "the target is back")
    stays(guest, source, f"{words}, and back")


def network_is_cut(guest):
    words = "the target's network is cut"
    source, target = begin(guest)
    guest.region.on(target, "ip", "link", "set", "eth0", "down")
    wait_until(lambda: is_settled(guest.region, guest.id), f"{words}: the migration is over")
    guest.region.check(f"{words}: the source runs on", guest.state_on(source).startswith("running"))
    guest.region.on(target, "ip", "link", "set", "eth0", "up")
    stays(guest, source, words)


def stop_target_at_the_end(guest):
    """Stops the target's libvirtd during a migration, until all memory is sent: the guest stays paused at the source."""
    source, target = begin(guest)
    guest.region.run("tools/sandbox", "kill", target, "libvirtd", "STOP")
    wait_until(lambda: guest.has_left(source), "all of it is sent", every_s=0.02)
    return source, target


def target_hangs_and_dies(guest):
    words = "the target's libvirtd hangs at the end, and is killed"
    source, target = stop_target_at_the_end(guest)
    guest.region.run("tools/sandbox", "kill", target, "libvirtd")
    guest.region.run("tools/sandbox", "start", target, "libvirtd")
    stays(guest, source, words)


def target_hangs_and_dari_dies(guest):
    """Depends on the order: if the target was told to resume, the guest runs there; otherwise nobody resumed it, and it continues at the source,
    which starts a new migration."""
    words = "the target's libvirtd hangs at the end, dari is killed, and it goes on"
    source, target = stop_target_at_the_end(guest)
    guest.region.kill_dari()
    print(f"{words}: then {guest.state_on(source)} at the source")
    guest.region.run("tools/sandbox", "kill", target, "libvirtd", "CONT")
    wait_until(lambda: guest.state_on(target).startswith("running") or not guest.qemus_on(target), "the target went on")
    found = [guest.state_on(host) for host in (source, target)]
    print(f"{words}: found {found}")
    guest.region.start_dari()
    arrives(guest, target, words)


ROWS = (dari_dies, source_libvirt_dies, target_libvirt_dies, target_qemu_dies, source_qemu_dies, target_host_dies, network_is_cut,
        target_hangs_and_dies, target_hangs_and_dari_dies)


def main(region):
    guest = Guest(region)
    for host in HOSTS:
        region.command("host", "set", host, "--move-rate", str(RATE_MIB_S))
    for row in ROWS:
        if len(sys.argv) > 1 and row.__name__ not in sys.argv[1:]:
            continue
        start = time.monotonic()
        row(guest)
        print(f"# {row.__name__}: {time.monotonic() - start:.0f} s")
    target = guest.next_host()
    region.command("host", "set", guest.host(), "--move-rate", "0")
    region.command("host", "move", guest.id, "--to", target)
    arrives(guest, target, "without a fault")
    region.check_clean()


with Region("fault", hosts=len(HOSTS)) as the_region:
    main(the_region)
