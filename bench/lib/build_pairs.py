# SPDX-License-Identifier: Apache-2.0
"""Costs of launches and lists in two builds, in interleaved pairs: bench/run --pairs OLD_BUILD NEW_BUILD. Each round starts `dari dev` of either build, the
order turning around from round to round, and gives both the same requests by the same generator. A figure is the processor time of one request, which another
load on the machine hardly moves; of a launch, until its machine runs. Each line has the median of the pairs' ratios new / old - 1 with its interval of at least
95 %, from the order of the pairs alone: with seven pairs it goes from the smallest to the largest, with nine from the second to the eighth."""
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

ROUNDS, LAUNCHES, INSTANCES, LIST_MS, HOSTS = 7, 3000, 100, 3000, 64
BRIEF = {"ROUNDS": 2, "LAUNCHES": 20, "INSTANCES": 5, "LIST_MS": 200, "HOSTS": 4}
CONFIDENCE = 0.95
FIGURES = ["launch_us", "describe_instances_us", "servers_detail_us", "native_instances_us"]


@contextlib.contextmanager
def dev(build, scratch, client):
    """`dari dev` of the build, called by the generator of the build `client`: (target, pid, an OpenStack token)."""
    data = os.path.join(scratch, "data")
    argv = [f"{build}/src/daemon/dari", "dev", "--instant", "--port", "0", "--hosts", str(HOSTS), "--data", data]
    with process(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        banner = ""
        for line in child.stdout:
            banner += line
            if line.startswith("Ready"):
                break
        else:
            raise RuntimeError(f"{' '.join(argv)} did not start")
        exports = " ".join(re.findall(r"^export (.*)", banner, re.MULTILINE))  # older builds have several in a line
        said = dict(re.findall(r"(\w+)=(\S*)", exports))
        host = said["AWS_ENDPOINT_URL"].partition("//")[2].rstrip("/")
        yield Target(client, host, said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"]), child.pid, sign_in(said)
    shutil.rmtree(data)


def sign_in(said):
    domain = {"name": "Default"}
    user = {"name": said["OS_USERNAME"], "password": said["OS_PASSWORD"], "domain": domain}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": said["OS_PROJECT_NAME"], "domain": domain}}}}
    request = urllib.request.Request(said["OS_AUTH_URL"] + "/auth/tokens", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["X-Subject-Token"]


def cost_us(pid, measure):
    """Processor time of the server for one request of measure(), until the server is quiet again."""
    before = cpu_s(pid)
    line = measure()
    if line["errors"] != "0":
        raise RuntimeError(f"{line['errors']} of {line['answers']} answers were errors")
    wait_quiet(pid, 60)
    return (cpu_s(pid) - before) * 1e6 / float(line["answers"])


def measure_build(build, scratch, client):
    with dev(build, scratch, client) as (target, pid, token):
        image = re.search(r"<imageId>([^<]*)", target.ask("Action=DescribeImages"))[1]
        launch = f"Action=RunInstances&ImageId={image}&InstanceType=t3.nano&MinCount=1&MaxCount="
        target.ask(f"{launch}{INSTANCES}")
        describe = "Action=DescribeInstances"
        wait_until(lambda: target.ask(describe).count("<name>running</name>") == INSTANCES, 60, "all are running")
        wait_quiet(pid, 30)

        def read(path):
            return pairs(run(f"{client}/bench/bench_load", f"host={target.host}", f"path={path}", f"token={token}", "clients=64", f"run_ms={LIST_MS}"))
        costs = {"describe_instances_us": cost_us(pid, lambda: target.load(describe, LIST_MS)),
                 "servers_detail_us": cost_us(pid, lambda: read("/compute/v2.1/servers/detail")),
                 "native_instances_us": cost_us(pid, lambda: read("/api/v1/instances"))}
        forms = os.path.join(scratch, "forms")
        with open(forms, "w", encoding="ascii") as f:
            f.write(f"{launch}1&{VERSION}\n" * LAUNCHES)
        costs["launch_us"] = cost_us(pid, lambda: target.program("load", f"forms={forms}", "clients=64", timeout=600)[0])
        return costs


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
    builds, costs = {"old": old, "new": new}, {figure: [] for figure in FIGURES}
    for number in range(rounds):
        order = ["old", "new"] if number % 2 == 0 else ["new", "old"]
        measured = {name: measure_build(builds[name], scratch, new) for name in order}
        for figure in FIGURES:
            costs[figure].append((measured["new"][figure], measured["old"][figure]))
        words = [f"{f} {measured['new'][f]:.0f} beside {measured['old'][f]:.0f}" for f in FIGURES]
        say(f"pair {number + 1} of {rounds}:", ", ".join(words))
    for figure, of in costs.items():
        ratios = [mine / before - 1 for mine, before in of]
        low, high = interval(ratios)
        ends = f"{100 * statistics.median(ratios):+.1f}% {100 * low:+.1f}% {100 * high:+.1f}%"
        show(figure, f"{statistics.median(m for m, _ in of):.0f}", f"{statistics.median(b for _, b in of):.0f}", ends)
