# SPDX-License-Identifier: Apache-2.0
"""Costs of launches and lists in two builds, in interleaved pairs: bench/run --pairs OLD_BUILD NEW_BUILD. Each round starts `dari dev` of both builds and
gives them the same requests in turn, in short bursts: one build, then the other, the order turning around from burst to burst, so that whatever slows the
machine for a second slows both. A figure is the processor time of one request; of a launch, until its machine runs. Each line has the median of the rounds'
ratios new / old - 1 with its interval of at least 95 %, from the order of the ratios alone: with seven rounds it goes from the smallest to the largest, with
nine from the second to the eighth."""
import contextlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import urllib.request

from tools import VERSION, Target, cpu_s, pairs, process, run, say, wait_quiet, wait_until

ROUNDS, INSTANCES, HOSTS = 7, 100, 64
LIST_BURSTS, BURST_MS, LAUNCH_BURSTS, BURST_LAUNCHES = 16, 250, 8, 400
BRIEF = {"ROUNDS": 2, "INSTANCES": 5, "HOSTS": 4, "LIST_BURSTS": 2, "BURST_MS": 100, "LAUNCH_BURSTS": 2, "BURST_LAUNCHES": 10}
CONFIDENCE = 0.95


class Region:
    """A server, called by the generator of the build `client`."""

    def __init__(self, pid, banner, client, scratch):
        exports = " ".join(re.findall(r"^export (.*)", banner, re.MULTILINE))  # older builds have several in a line
        said = dict(re.findall(r"(\w+)=(\S*)", exports))
        host = said["AWS_ENDPOINT_URL"].partition("//")[2].rstrip("/")
        self.pid, self.client, self.token = pid, client, sign_in(said)
        self.target = Target(client, host, said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
        self.forms = os.path.join(scratch, "forms")

    def fill(self):
        """Launches INSTANCES, and writes down the requests of a burst of launches."""
        image = re.search(r"<imageId>([^<]*)", self.target.ask("Action=DescribeImages"))[1]
        launch = f"Action=RunInstances&ImageId={image}&InstanceType=t3.nano&MinCount=1&MaxCount="
        with open(self.forms, "w", encoding="ascii") as f:
            f.write(f"{launch}1&{VERSION}\n" * BURST_LAUNCHES)
        self.target.ask(f"{launch}{INSTANCES}")
        wait_until(lambda: self.target.ask("Action=DescribeInstances").count("<name>running</name>") == INSTANCES, 60, "all are running")
        wait_quiet(self.pid, 30)

    def describe(self):
        return self.target.load("Action=DescribeInstances", BURST_MS)

    def read(self, path):
        return pairs(run(f"{self.client}/bench/bench_load", f"host={self.target.host}", f"path={path}", f"token={self.token}", "clients=64", f"run_ms={BURST_MS}"))

    def launch(self):
        line = self.target.program("load", f"forms={self.forms}", "clients=64", timeout=600)[0]
        wait_quiet(self.pid, 60)
        return line


@contextlib.contextmanager
def dev(build, scratch, client):
    """`dari dev` of the build, with INSTANCES running instances."""
    os.mkdir(scratch)
    argv = [f"{build}/src/daemon/dari", "dev", "--instant", "--port", "0", "--hosts", str(HOSTS), "--data", os.path.join(scratch, "data")]
    with process(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        banner = ""
        for line in child.stdout:
            banner += line
            if line.startswith("Ready"):
                break
        else:
            raise RuntimeError(f"{' '.join(argv)} did not start")
        region = Region(child.pid, banner, client, scratch)
        region.fill()
        yield region
    shutil.rmtree(scratch)


def sign_in(said):
    domain = {"name": "Default"}
    user = {"name": said["OS_USERNAME"], "password": said["OS_PASSWORD"], "domain": domain}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": said["OS_PROJECT_NAME"], "domain": domain}}}}
    request = urllib.request.Request(said["OS_AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["X-Subject-Token"]


class Cost:
    """Processor time of a server, and how many requests it answered meanwhile."""

    def __init__(self):
        self.cpu_s, self.answers = 0, 0

    def add(self, region, ask):
        before = cpu_s(region.pid)
        line = ask(region)
        if line["errors"] != "0":
            raise RuntimeError(f"{line['errors']} of {line['answers']} answers were errors")
        self.cpu_s += cpu_s(region.pid) - before
        self.answers += float(line["answers"])

    def each_us(self):
        return self.cpu_s * 1e6 / self.answers


# Launches are last: the lists are of INSTANCES instances.
ASKING = {"describe_instances_us": Region.describe,
          "servers_detail_us": lambda region: region.read("/compute/v2.1/servers/detail"),
          "native_instances_us": lambda region: region.read("/api/v1/instances"),
          "launch_us": Region.launch}


def measure_round(old, new, scratch):
    """{figure: (of the new build, of the old one)}."""
    figures = {}
    with dev(old, os.path.join(scratch, "old"), new) as before, dev(new, os.path.join(scratch, "new"), new) as after:
        for figure, ask in ASKING.items():
            costs = {before: Cost(), after: Cost()}
            for burst in range(LAUNCH_BURSTS if figure == "launch_us" else LIST_BURSTS):
                for region in [before, after] if burst % 2 == 0 else [after, before]:
                    costs[region].add(region, ask)
            figures[figure] = (costs[after].each_us(), costs[before].each_us())
    return figures


def interval(values):
    """The median's interval of at least CONFIDENCE, or all values where there are too few for one."""
    count, ordered = len(values), sorted(values)
    outside, cut = 0.0, 0
    while cut < count // 2:  # probability that the median is below the smallest cut + 1 values
        outside += math.comb(count, cut) / 2 ** count
        if 1 - 2 * outside < CONFIDENCE:
            break
        cut += 1
    cut = max(cut - 1, 0)
    return ordered[cut], ordered[count - 1 - cut]


def measure(old, new, scratch, rounds, show):
    """Prints a line for each figure: name, medians of the new and the old build, median of the ratios, ends of its interval."""
    costs = {figure: [] for figure in ASKING}
    for number in range(rounds):
        measured = measure_round(old, new, scratch)
        for figure in ASKING:
            costs[figure].append(measured[figure])
        say(f"pair {number + 1} of {rounds}:", ", ".join(f"{f} {mine:.0f} beside {before:.0f}" for f, (mine, before) in measured.items()))
    for figure, of in costs.items():
        ratios = [mine / before - 1 for mine, before in of]
        low, high = interval(ratios)
        ends = f"{100 * statistics.median(ratios):+.1f}% {100 * low:+.1f}% {100 * high:+.1f}%"
        show(figure, f"{statistics.median(m for m, _ in of):.0f}", f"{statistics.median(b for _, b in of):.0f}", ends)
