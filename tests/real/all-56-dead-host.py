#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile/host/fence src/drivers/fence
"""Three hosts share a directory, and ten guests of one of them have their disks there, so that each could start elsewhere at any time. A hanging
libvirt, a cut network, a chassis that lags behind, each alone and all together: nothing starts without a proof. Then the host dies: its fence
agent powers it off, its guests start elsewhere, and it comes back meanwhile. No guest runs twice: no second QEMU is ever seen, and each boot of a
guest sends its number until the next one does; most of the ten have nothing to boot, which costs a machine without KVM little. Finally the host is
gone for good, with a disk that only it had."""
# limit: 1200 s
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from fences import AFTER_S, Agent, fences, has_power, state_of  # noqa: E402
from moves import host_of  # noqa: E402
from region import Region, blank_image, launch, state, wait_state, wait_until  # noqa: E402

HOSTS = ("hv1", "hv2", "hv3")
SHARED = "/var/lib/libvirt/shared"
TELLERS, BLANKS = 3, 7  # guests that send their numbers, and guests with nothing to boot
WITHOUT_PROOF_S = AFTER_S + 15  # a lagging chassis counts as silent after the same time
LOOKS = 50  # for ten seconds
# At each boot the guest sends its number repeatedly to a web server outside, which logs requests.
TOKENS = """#!/bin/sh
cat >/mnt/tiny/each-boot <<'END'
boot=$(cat /proc/sys/kernel/random/boot_id)
while :; do
	timeout 5 wget -q -O /dev/null "http://198.51.100.1/token/$(cat /mnt/tiny/instance)/$boot" 2>/dev/null
	sleep 3
done
END
sh /mnt/tiny/each-boot &
"""


class Watch(threading.Thread):
    """Watches every QEMU of these guests on this machine, five times a second; records the maximum number at a time. A process that is no QEMU ten
    seconds after it was first seen is ignored from then on, because it will not become one."""

    def __init__(self, names):
        super().__init__(daemon=True)
        self.names, self.most, self.ends = names, {}, threading.Event()
        self.others = {}  # other processes: how often each was looked at

    def run(self):
        while not self.ends.wait(0.2):
            seen = self.look()
            for name in seen:
                self.most[name] = max(self.most.get(name, 0), seen.count(name))

    def look(self):
        found, pids = [], set(filter(str.isdigit, os.listdir("/proc")))
        self.others = {pid: looks for pid, looks in self.others.items() if pid in pids}
        for pid in pids:
            if self.others.get(pid, 0) > LOOKS:
                continue
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    name = re.search(rb"\0guest=([^,\0]+)", f.read())
            except OSError:
                continue
            if name and name[1].decode() in self.names:
                found.append(name[1].decode())
            else:
                self.others[pid] = self.others.get(pid, 0) + 1
        return found


def mount(region, host):
    kept = f"{region.env['DARI_SANDBOX']}/shared"
    region.on(host, "sh", "-c", f"mkdir -p {kept} {SHARED} && mount --bind {kept} {SHARED}")


def make_pool(region):
    for host in HOSTS:
        mount(region, host)
    region.command("pool", "add", "nfs", "--path", SHARED)
    wait_until(lambda: {h["state"] for h in region.command("pool", "list")[0]["hosts"]} == {"proven"}, "all hosts are proven")
    region.command("pool", "set", "nfs", "--type", "gp2,gp3")


def launch_all(region, ec2):
    """Launches all guests on the first host; returns those that send numbers, and all."""
    blank = blank_image(ec2)
    for host in HOSTS[1:]:
        region.command("host", "maintenance", host, "--from", "now", "--kind", "move")
    tellers = launch(ec2, TELLERS, UserData=TOKENS)
    names = tellers + launch(ec2, BLANKS, ImageId=blank)
    wait_state(ec2, names, "running")
    for host in HOSTS[1:]:
        region.command("host", "maintenance", host, "--end")
    region.check("all are on the first host", hosts_of(region, names) == {"hv1"})
    return tellers, names


def hosts_of(region, names):
    return {host_of(region, name) for name in names}


def boots(region):
    """Boot ids that each guest sent, in order; consecutive repetitions count once."""
    said = {}
    with open(f"{region.env['DARI_SANDBOX']}/inet/log/httpd.log", encoding="utf-8", errors="replace") as f:
        for name, boot in re.findall(r"/token/(i-[0-9a-f]+)/([0-9a-f-]{36})", f.read()):
            if said.setdefault(name, [])[-1:] != [boot]:
                said[name].append(boot)
    return said


def has_all_said(region, names, count):
    said = boots(region)
    return all(len(said.get(name, [])) >= count for name in names)


def running_on(region, host):
    return set(region.on(host, "virsh", "list", "--name", "--state-running", fails=True).split()) if has_power(region, host) else set()


# ---- without a proof

def hang(region, part):
    region.run("tools/sandbox", "kill", "hv1", part, "STOP")


def go_on(region, part):
    region.run("tools/sandbox", "kill", "hv1", part, "CONT")


TROUBLES = {
    "libvirt hangs": (lambda r: hang(r, "libvirtd"), lambda r: go_on(r, "libvirtd")),
    "its network is cut": (lambda r: r.on("hv1", "ip", "link", "set", "eth0", "down"), lambda r: r.on("hv1", "ip", "link", "set", "eth0", "up")),
    "its chassis is behind": (lambda r: hang(r, "ovn-controller"), lambda r: go_on(r, "ovn-controller")),
}


def check_stay(region, words, names):
    region.check(f"{words}: none leaves", hosts_of(region, names) == {"hv1"})
    region.check(f"{words}: none runs elsewhere", not any(running_on(region, host) & set(names) for host in HOSTS[1:]))
    refused = region.attempt(region.dari, "host", "evacuate", "hv1")
    region.check(f"{words}: by hand it is refused, too", refused.returncode != 0)


def is_well(region, names, before):
    wait_until(lambda: state_of(region, "hv1") == "up", "the host is reached again")
    region.settle()
    region.check("all ran on, in their old boots", running_on(region, "hv1") == set(names) and boots(region) == before)


def alone(region, agent, names):
    before = boots(region)
    for words, (begin, end) in TROUBLES.items():
        begin(region)
        time.sleep(WITHOUT_PROOF_S)
        check_stay(region, words, names)
        region.check(f"{words}: nobody asks for a fence", fences(region, "hv1") == [] and agent.calls() == [])
        end(region)
        is_well(region, names, before)


def together(region, agent, names):
    """All signs of a dead host; but it is running, and its agent cannot power it off."""
    words, before = "all at once", boots(region)
    agent.set_broken(True)
    for begin, _ in TROUBLES.values():
        begin(region)
    wait_until(lambda: any(f["stage"] == "failed" for f in fences(region, "hv1")), "the fence fails")
    region.check(f"{words}: the agent was asked in vain: {agent.calls()}", set(agent.calls()) == {"off hv1 geheim"})
    check_stay(region, words, names)
    agent.set_broken(False)
    for _, end in TROUBLES.values():
        end(region)
    is_well(region, names, before)


# ---- with a proof

def dies(region, ec2, names):
    died = time.monotonic()
    region.run("tools/sandbox", "cut-power", "hv1")
    wait_until(lambda: fences(region, "hv1")[-1:] and fences(region, "hv1")[-1]["stage"] == "confirmed", "it is fenced")
    fenced = time.monotonic()
    wait_until(lambda: running_on(region, "hv2") & set(names) or running_on(region, "hv3") & set(names), "one runs elsewhere")
    print(f"fenced {fenced - died:.1f} s after it died; the first guest runs elsewhere {time.monotonic() - fenced:.1f} s later")
    region.check("the proof is all that the first waits for: its host has no power yet", not has_power(region, "hv1"))
    region.run("tools/sandbox", "give-power", "hv1")
    mount(region, "hv1")
    print(f"it is back {time.monotonic() - fenced:.1f} s after the proof; until then {len(moved(region, names))} had left it")
    wait_until(lambda: all(f["ended"] for f in fences(region, "hv1")), "the fence is over")
    wait_state(ec2, names, "running")
    wait_until(lambda: set().union(*(running_on(region, h) for h in HOSTS)) >= set(names), "all run")
    print(f"all run {time.monotonic() - fenced:.1f} s after the proof")


def moved(region, names):
    return [name for name in names if host_of(region, name) != "hv1"]


def check_once(region, tellers, names, watch):
    region.check_soon("each says the number of its next boot", lambda: has_all_said(region, tellers, 2))
    said = boots(region)
    region.check(f"and none that of an old one again: {said}", all(len(said[name]) == 2 == len(set(said[name])) for name in tellers))
    region.check(f"no guest ever had two QEMUs: {watch.most}", set(watch.most) == set(names) and set(watch.most.values()) == {1})
    known = set(region.on("hv1", "virsh", "list", "--all", "--name").split())
    region.check("its old host knows none of those that left it", not known & set(moved(region, names)))
    on = {name: [h for h in HOSTS if name in running_on(region, h)] for name in names}
    region.check(f"each runs where its row says: {on}", all(on[name] == [host_of(region, name)] for name in names))


# ---- forgotten

def launch_local(region, ec2):
    """A guest with its disk in a file of the first host."""
    while True:
        name = launch(ec2, BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"VolumeType": "standard"}}])[0]
        wait_state(ec2, [name], "running")
        if host_of(region, name) == "hv1":
            return name
        ec2.terminate_instances(InstanceIds=[name])


def is_gone(region, ec2, names):
    local = launch_local(region, ec2)
    volume = ec2.describe_instances(InstanceIds=[local])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    refused = region.attempt(region.dari, "host", "forget", "hv1", "--disks-lost")
    region.check("a host that answers is not forgotten", refused.returncode != 0 and state_of(region, "hv1") == "up")
    region.run("tools/sandbox", "cut-power", "hv1")
    wait_until(lambda: fences(region, "hv1")[-1]["stage"] == "confirmed" and not fences(region, "hv1")[-1]["ended"], "it is fenced again")
    wait_until(lambda: "hv1" not in hosts_of(region, names), "what can leave it has left")
    planned = region.run(region.dari, "host", "forget", "hv1", "--plan")
    region.check(f"what would be lost is told: {planned}", volume in planned and not any(name in planned for name in names))
    refused = region.attempt(region.dari, "host", "forget", "hv1")
    region.check("it is not lost without a word for it", refused.returncode != 0 and "disks-lost" in refused.stdout)
    region.command("host", "forget", "hv1", "--disks-lost")
    region.check("the host is forgotten", sorted(h["name"] for h in region.command("host", "list")) == ["hv2", "hv3"])
    wait_state(ec2, names, "running")
    region.check("the volume that it alone had is an error", ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "error")
    region.check("its instance does not run", state(ec2, local) != "running")
    ec2.terminate_instances(InstanceIds=[local])
    wait_state(ec2, [local], "terminated")
    region.check_soon("no interface is bound to it", lambda: "hv1" not in region.on(
        "ctl", "ovn-nbctl", "--bare", "--columns", "options", "find", "Logical_Switch_Port", 'options:requested-chassis!=""'))


def main(region):
    ec2 = region.account("acme")
    make_pool(region)
    agent = Agent(region)
    for host in HOSTS:
        agent.serve(region, host)
    tellers, names = launch_all(region, ec2)
    watch = Watch(names)
    watch.start()
    region.check_soon("each says the number of its boot", lambda: has_all_said(region, tellers, 1))
    if "proof" not in sys.argv[1:]:
        alone(region, agent, names)
        together(region, agent, names)
    dies(region, ec2, names)
    check_once(region, tellers, names, watch)
    is_gone(region, ec2, names)
    watch.ends.set()
    region.check_clean()


with Region("dead", hosts=len(HOSTS), host_options="--overcommit-percent 1000") as the_region:
    main(the_region)
