# SPDX-License-Identifier: Apache-2.0
"""Costs that grow with the region and costs that must not: 1,000, 10,000 and 100,000 instances on a tenth as many
simulated hosts, side by side. Each filter finds one or two instances: such short answers are not cached, so each is
computed."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

from rates import launch_form, timed
from tools import Target, process, rss_mib, say, wait_quiet, wait_until

SIZES = [1000, 10000, 100000]
LAUNCH, SUBNETS = 500, 7  # the eighth subnet has only two instances
LAUNCHES_PER_S = 500
FILL_LIMIT_S = 900
FILTER_MS, PAGES_MS, LEAD_MS = 1000, 5000, 1000  # LEAD_MS: launches begin before the pages and end after them by at least this
BRIEF = {"SIZES": [10, 20], "LAUNCH": 5, "LAUNCHES_PER_S": 20, "FILTER_MS": 100, "PAGES_MS": 300, "LEAD_MS": 300}


class Region:
    """Runs bench/region.c on a directory that outlives it."""

    def __init__(self, build, directory, hosts, said=None):
        self.said = dict(said or {})
        self.argv = [f"{build}/bench/bench_region", f"directory={directory}", f"hosts={hosts}"]
        self.build, self.log = build, f"{directory}.log"

    @contextlib.contextmanager
    def run(self):
        since = time.monotonic()
        with open(self.log, "ab") as log, process(self.argv, stdout=subprocess.PIPE, stderr=log, text=True) as child:
            for line in child.stdout:
                if line.strip() == "ready":
                    break
                name, value = line.strip().split("=", 1)
                self.said[name] = [value] if name != "subnet" else self.said.get(name, []) + [value]
            self.child, self.pid = child, child.pid
            self.target = Target(self.build, *(self.said[name][0] for name in ["host", "key", "secret"]))
            self.target.ask("Action=DescribeVpcs")
            self.ready_s = time.monotonic() - since
            yield self

    def placement_us(self):
        self.child.send_signal(signal.SIGUSR1)
        return float(self.child.stdout.readline().split("=")[1])


def count(region, state):
    body = region.target.ask(f"Action=DescribeInstances&MaxResults=5&Filter.1.Name=instance-state-name&Filter.1.Value.1={state}")
    return body.count("<instanceState>")


def launch(region, number, subnet):
    body = region.target.ask(launch_form(region.said, subnet, number))
    return re.findall(r"<instanceId>([^<]*)", body)


def fill(region, size):
    """Launches all but two instances in seven subnets. The two in the eighth have a tag and are stopped."""
    since = time.monotonic()
    for number in range(0, size, LAUNCH):
        launch(region, LAUNCH, number // LAUNCH % SUBNETS)
    few = launch(region, 2, SUBNETS)
    say(f"{size} launched in {time.monotonic() - since:.0f} s")
    wait_until(lambda: count(region, "pending") == 0, FILL_LIMIT_S, "all are running", 2)
    listed = "&".join(f"{{}}.{k + 1}={identifier}" for k, identifier in enumerate(few))
    region.target.ask("Action=StopInstances&Force=true&" + listed.format(*["InstanceId"] * 2))
    region.target.ask("Action=CreateTags&Tag.1.Key=rare&Tag.1.Value=yes&" + listed.format(*["ResourceId"] * 2))
    wait_until(lambda: count(region, "stopped") == 2, 60, "two are stopped")
    wait_quiet(region.pid, 120)
    say(f"all were running {time.monotonic() - since:.0f} s after the first launch")
    return few


def measure_filters(region, few):
    """Processor time of a request, in microseconds."""
    vpc = re.search(r"<vpcId>([^<]*)", region.target.ask(f"Action=DescribeInstances&InstanceId.1={few[0]}"))[1]
    filters = {"id": ("instance-id", few[0]), "vpc": ("vpc-id", vpc), "subnet": ("subnet-id", region.said["subnet"][SUBNETS]),
               "state": ("instance-state-name", "stopped"), "tag": ("tag:rare", "yes"), "tag_key": ("tag-key", "rare")}
    costs = {}
    for word, (name, value) in filters.items():
        form = f"Action=DescribeInstances&Filter.1.Name={name}&Filter.1.Value.1={value}"
        line, costs[f"by_{word}_cpu_us"] = timed([region.pid], lambda f=form: region.target.load(f, FILTER_MS))
        if line["errors"] != "0":
            raise RuntimeError(f"{form}: {line}")
    return costs


def measure_pages(region):
    """Milliseconds to read pages of a thousand during launches."""
    form = launch_form(region.said, 0) + "&Version=2016-11-15"
    with process([f"{region.build}/bench/bench_load", *region.target.arguments(), f"form={form}", "clients=64", f"run_ms={PAGES_MS + 3 * LEAD_MS}",
                  f"per_second={LAUNCHES_PER_S}"], stdout=subprocess.PIPE, text=True) as launches:
        time.sleep(LEAD_MS / 1000)
        line = region.target.program("load", "form=Action=DescribeInstances&MaxResults=1000&Version=2016-11-15", "clients=1",
                                     f"run_ms={PAGES_MS}")[0]
        done = dict(word.split("=") for word in launches.stdout.readline().split())
    say(f"pages of 1,000: {line}; {done['rate']} launches a second meanwhile, {done['errors']} refused")
    return {"page_1000_p50_ms": float(line["p50_us"]) / 1000, "page_1000_p99_ms": float(line["p99_us"]) / 1000,
            "launches_meanwhile_per_s": float(done["rate"])}


def measure_size(build, scratch, size):
    directory = os.path.join(scratch, f"scale-{size}")
    os.mkdir(directory)
    region = Region(build, directory, max(size // 10, 8))
    with region.run():
        few = fill(region, size)
        figures = {"rss_mib": rss_mib(region.pid), "placement_us": region.placement_us()}
        figures.update(measure_filters(region, few))
        figures.update(measure_pages(region))
    with Region(build, directory, 0, region.said).run() as again:
        figures["ready_s"] = again.ready_s
    shutil.rmtree(directory)
    return figures


def measure(build, scratch, show):
    figures = [measure_size(build, scratch, size) for size in SIZES]
    show.sizes("instances", SIZES, {f"scale_{name}": [f[name] for f in figures] for name in figures[0]})
