#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/fence src/reconcile/host/fence src/engine/region
"""A host dies: its guests start elsewhere only after its fence agent has reported it off; then a guest runs elsewhere, with a rebuilt root disk. The
host comes back later, and nothing runs twice. all-56-dead-host.py tests insufficient proofs."""
# limit: 900 s
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from fences import Agent, fences, has_power, state_of  # noqa: E402
from moves import host_of  # noqa: E402
from region import Region, blank_image, launch, wait_state, wait_until  # noqa: E402

HOSTS = ("hv1", "hv2")


def running_on(region, host):
    return region.on(host, "virsh", "list", "--name", fails=True).split()


def count_running(region, identifier):
    return sum(running_on(region, host).count(identifier) for host in HOSTS if has_power(region, host))


def launch_on(region, ec2, image, host):
    """Launches a guest on that host; terminates any that are placed elsewhere."""
    while True:
        identifier = launch(ec2, ImageId=image)[0]
        wait_state(ec2, [identifier], "running")
        if host_of(region, identifier) == host:
            return identifier
        ec2.terminate_instances(InstanceIds=[identifier])


def host_dies(region, agent, ec2, identifier, other):
    died = time.monotonic()
    region.run("tools/sandbox", "cut-power", "hv1")
    wait_until(lambda: any(f["stage"] == "confirmed" for f in fences(region, "hv1")), "the fence is confirmed")
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
    wait_until(lambda: identifier in running_on(region, "hv2"), "the guest runs on the other host")
    print(f"it runs elsewhere {time.monotonic() - start:.1f} s after it was told to")
    region.check("it is on the other host", host_of(region, identifier) == "hv2")


def comes_back(region, identifier):
    region.run("tools/sandbox", "give-power", "hv1")
    wait_until(lambda: state_of(region, "hv1") == "up", "the host is back")
    wait_until(lambda: all(f["ended"] for f in fences(region, "hv1")), "the fence is over")
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
    host_dies(region, agent, ec2, identifier, other)
    comes_back(region, identifier)
    region.check_clean()


with Region("fence") as the_region:
    main(the_region)
