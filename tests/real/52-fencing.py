#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A host dies: nothing of it is started elsewhere before its fence agent says that it is off; then a guest runs
elsewhere, with a root disk made anew. It comes back late: nothing runs twice. libvirt that hangs, and a network that is
cut, are no proof by themselves."""
# limit: 1200 s
# takes: 300 s
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import BOOT_S, ROOT, Region, blank_image, launch, wait_state, wait_until  # noqa: E402

# By the convention of fence agents: what to do comes on standard input, line by line; 2 is "it is off".
AGENT = """#!/bin/sh
[ $# = 0 ] || exit 1
while IFS='=' read -r name value; do eval "$name=\\$value"; done
echo "$action $plug $passwd" >>{log}
[ "$passwd" = geheim ] || {{ echo "wrong password" >&2; exit 3; }}
[ ! -e {broken} ] || {{ echo "no route to the switch" >&2; exit 1; }}
export DARI_SANDBOX={sandbox} DARI_SANDBOX_PREFIX={prefix}
case $action in
off) {root}/tools/sandbox on "$plug" true 2>/dev/null && {root}/tools/sandbox cut-power "$plug"; exit 0 ;;
status) if {root}/tools/sandbox on "$plug" true 2>/dev/null; then echo "Status: ON"; exit 0; fi; echo "Status: OFF"; exit 2 ;;
esac
exit 1
"""
AFTER_S = 30
FENCED_S = 240
HOSTS = ("hv1", "hv2")


class Agent:
    def __init__(self, region):
        self.path, self.log, self.broken = (f"{region.demo}/{name}" for name in ("fence_test", "fence.log", "fence.broken"))
        words = {"log": self.log, "broken": self.broken, "root": ROOT, "sandbox": region.env["DARI_SANDBOX"],
                 "prefix": region.env["DARI_SANDBOX_PREFIX"]}
        with open(self.path, "w", encoding="ascii") as f:
            f.write(AGENT.format(**words))
        os.chmod(self.path, 0o755)
        self.secret = f"{region.demo}/fence.secret"
        with open(self.secret, "w", encoding="ascii") as f:
            f.write("passwd=geheim\n")

    def serve(self, region, host):
        region.command("host", "set-fence", host, "--command", self.path, "--option", f"plug={host}", "--option", "login=x",
                       "--secret-file", self.secret, "--after-s", str(AFTER_S))

    def calls(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="ascii") as f:
            return f.read().split("\n")[:-1]

    def set_broken(self, is_broken):
        if is_broken:
            open(self.broken, "w", encoding="ascii").close()
        elif os.path.exists(self.broken):
            os.unlink(self.broken)


def host_of(region, identifier):
    return region.command("explain", identifier)["fields"].get("host")


def state_of(region, host):
    return [h["state"] for h in region.command("host", "list") if h["name"] == host][0]


def fences(region, host):
    return region.command("host", "fences", host)


def running_on(region, host):
    return region.on(host, "virsh", "list", "--name", fails=True).split()


def count_running(region, identifier):
    return sum(running_on(region, host).count(identifier) for host in HOSTS if has_power(region, host))


def has_power(region, host):
    return region.attempt("tools/sandbox", "on", host, "true").returncode == 0


def launch_on(region, ec2, image, host):
    """A guest on that host; what lands elsewhere goes."""
    while True:
        identifier = launch(ec2, ImageId=image)[0]
        wait_state(ec2, [identifier], "running")
        if host_of(region, identifier) == host:
            return identifier
        ec2.terminate_instances(InstanceIds=[identifier])


def libvirt_hangs(region, agent, identifier):
    """OVN of the host follows: nobody asks."""
    region.run("tools/sandbox", "kill", "hv1", "libvirtd", "STOP")
    wait_until(lambda: state_of(region, "hv1") == "down", FENCED_S, "libvirt's silence is noticed")
    time.sleep(AFTER_S + 30)
    region.check("libvirt that hangs is no reason to turn a host off", fences(region, "hv1") == [] and agent.calls() == [])
    region.check("nor does its guest leave", host_of(region, identifier) == "hv1")
    refused = region.attempt(region.dari, "host", "evacuate", "hv1")
    region.check("and by hand it is refused", refused.returncode != 0)
    region.run("tools/sandbox", "kill", "hv1", "libvirtd", "CONT")
    wait_until(lambda: state_of(region, "hv1") == "up", FENCED_S, "libvirt answers again")
    region.check("its guest ran on", identifier in running_on(region, "hv1"))


def network_is_cut(region, agent, identifier):
    """OVN's sign alone; then both signs, and a fence agent that cannot: no restart without a proof."""
    agent.set_broken(True)
    region.on("hv1", "ip", "link", "set", "eth0", "down")
    time.sleep(AFTER_S + 30)
    region.check("a cut network is no reason while libvirt answers", fences(region, "hv1") == [] and agent.calls() == [])
    region.run("tools/sandbox", "kill", "hv1", "libvirtd", "STOP")
    wait_until(lambda: any(f["stage"] == "failed" for f in fences(region, "hv1")), 2 * FENCED_S, "the fence fails")
    region.check("it does not leave without a proof", host_of(region, identifier) == "hv1")
    region.check(f"the agent was asked in vain: {agent.calls()}", set(agent.calls()) == {"off hv1 geheim"})
    region.on("hv1", "ip", "link", "set", "eth0", "up")
    region.run("tools/sandbox", "kill", "hv1", "libvirtd", "CONT")
    wait_until(lambda: state_of(region, "hv1") == "up", FENCED_S, "the host is reached again")
    region.check("it ran on", identifier in running_on(region, "hv1"))
    agent.set_broken(False)


def host_dies(region, agent, ec2, identifier, other):
    died = time.monotonic()
    region.run("tools/sandbox", "cut-power", "hv1")
    wait_until(lambda: any(f["stage"] == "confirmed" for f in fences(region, "hv1")), 2 * FENCED_S, "the fence is confirmed")
    print(f"fenced {time.monotonic() - died:.0f} s after it died")
    region.check("by the agent, asked by the region itself", fences(region, "hv1")[-1]["proof"] == "command")
    calls = agent.calls()[-2:]
    region.check(f"the agent got its password on standard input: {calls}", calls == ["off hv1 geheim", "status hv1 geheim"])
    plan = {i["instance"]: i for i in region.command("host", "evacuate", "hv1", "--rebuild", "--plan")}
    region.check("a plan says where it would go", plan[identifier]["target"] == "hv2")
    region.check("and changes nothing", host_of(region, identifier) == "hv1")
    waits = {i["instance"]: i for i in region.command("host", "evacuate", "hv1")}
    region.check(f"its disk is there alone: {waits[identifier]['problem']}", "waits for its host" in waits[identifier]["problem"])
    start = time.monotonic()
    region.command("host", "evacuate", "hv1", "--rebuild")
    wait_state(ec2, [identifier, other], "running")
    wait_until(lambda: identifier in running_on(region, "hv2"), BOOT_S, "the guest runs on the other host")
    print(f"it runs elsewhere {time.monotonic() - start:.1f} s after it was told to")
    region.check("it is on the other host", host_of(region, identifier) == "hv2")


def comes_back(region, identifier):
    region.run("tools/sandbox", "give-power", "hv1")
    wait_until(lambda: state_of(region, "hv1") == "up", FENCED_S, "the host is back")
    wait_until(lambda: all(f["ended"] for f in fences(region, "hv1")), FENCED_S, "the fence is over")
    region.check("nothing runs twice", count_running(region, identifier) == 1)
    known = region.on("hv1", "virsh", "list", "--all", "--name").split()
    region.check(f"nothing of it is left there: {known}", identifier not in known)
    region.check("it runs on where it is", identifier in running_on(region, "hv2"))


def main(region):
    ec2 = region.account("acme")
    image = blank_image(ec2)
    agent = Agent(region)
    for host in HOSTS:
        agent.serve(region, host)
    identifier = launch_on(region, ec2, image, "hv1")
    other = launch_on(region, ec2, image, "hv1")
    libvirt_hangs(region, agent, identifier)
    network_is_cut(region, agent, identifier)
    host_dies(region, agent, ec2, identifier, other)
    comes_back(region, identifier)
    region.check_clean()


with Region("fence") as the_region:
    main(the_region)
