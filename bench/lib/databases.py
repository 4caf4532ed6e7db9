# SPDX-License-Identifier: Apache-2.0
"""Launches on both stores beside bare programs that write the same rows, three `dari` on one PostgreSQL at rest, and how long nobody writes after the
writer is killed. SQLite and PostgreSQL write to the disk for each commit here, as in production."""
import contextlib
import pathlib
import statistics
import sys
import tempfile
import time

from members import Region
from postgresql import Server
from rates import check, launch_form, region
from tools import Target, cpu_percent, pairs, rss_mib, run, say, wait_quiet, wait_until

ROUNDS, RUN_MS, HOSTS = 3, 3000, 64
KILLS, IDLE_S = 50, 10
BRIEF = {"ROUNDS": 1, "RUN_MS": 150, "HOSTS": 4, "KILLS": 1, "IDLE_S": 1}
DURABLE = {"fsync": "on", "full_page_writes": "on", "autovacuum": "on", "max_connections": "100", "shared_buffers": "128MB"}
LIMIT_S = 60


def load(target, said, clients, subnet):
    form = launch_form(said, subnet)
    return target.program("load", f"form={form}&Version=2016-11-15", f"clients={clients}", f"run_ms={RUN_MS}")[0]


def measure_rounds(build, scratch, store, peer, name, show):
    """Launches by 64 clients and by one, and the peer's transactions one after the other."""
    rates, ones, peers = [], [], []
    with region(build, scratch, HOSTS, store=store("ours") if store else "") as (target, said, pid, directory):
        for number in range(ROUNDS):
            line = load(target, said, 64, number)
            rates.append(check(line))
            wait_quiet(pid, 30)
            one = load(target, said, 1, number)
            check(one)
            ones.append(float(one["p50_us"]))
            wait_quiet(pid, 30)
            peers.append(peer(directory, number))
            say(f"{name}: 64 clients {line['rate']}/s; one {one['rate']}/s, p50 {one['p50_us']} us; peer {peers[-1]['rate']}/s, p50 {peers[-1]['p50_us']} us, "
                f"{peers[-1]['rows']} rows a launch")
    show(f"{name}_launches_per_s", statistics.median(rates), statistics.median(float(p["rate"]) for p in peers))
    show(f"{name}_launch_p50_us", statistics.median(ones), statistics.median(float(p["p50_us"]) for p in peers))


def measure_stores(build, scratch, show):
    rows = pathlib.Path(scratch, "rows.db")

    def sqlite(directory, number):
        rows.write_bytes(pathlib.Path(directory, "dari.db").read_bytes())
        with open(pathlib.Path(directory, "dari.db-wal"), "rb") as log:
            pathlib.Path(f"{rows}-wal").write_bytes(log.read())
        return pairs(run(f"{build}/bench/bench_sqlite_peer", f"from={rows}", f"to={scratch}/peer{number}.db", f"run_ms={RUN_MS}"))

    measure_rounds(build, scratch, None, sqlite, "sqlite", show)
    with Server(**DURABLE) as server:
        measure_rounds(build, scratch, server.create, lambda _, number: pairs(run(
            f"{build}/bench/bench_postgresql_peer", f"from={rows}", f"to={server.create(f'peer{number}')}", f"run_ms={RUN_MS}")), "postgresql", show)


# ---- three processes

def change_time(build, region_, others, since):
    """Milliseconds until a change is answered by one of them."""
    targets = [Target(build, f"127.0.0.1:{member.port}", *region_.key) for member in others]
    for number in range(10000):
        try:
            targets[number % len(targets)].ask(f"Action=CreateKeyPair&KeyName=k{time.monotonic_ns()}&KeyType=ed25519")
            return (time.monotonic() - since) * 1000
        except RuntimeError:  # refused, or not reached
            time.sleep(0.01)
    raise TimeoutError("no member takes a change")


def followers(region_, writer):
    """The members that follow it; none while one of them starts."""
    alive = [m for m in region_.members if m is not writer and m.process.poll() is None and "follow" in m.log()]
    return alive if len(alive) == 2 else []


def watch_members(build, show):
    """Milliseconds of each take-over; calls show(name, value) with what three members at rest take."""
    with Server(**DURABLE) as server, tempfile.TemporaryDirectory(prefix="dari-bench-") as room, Region(server, "bench", pathlib.Path(room)) as three:
        writer = three.await_writer()
        wait_until(lambda: followers(three, writer), LIMIT_S, "two members follow")
        for member in three.members:
            wait_quiet(member.process.pid, 10)
        show("three_dari_rss_mib", sum(rss_mib(m.process.pid) for m in three.members))
        show("three_dari_cpu_percent", sum(cpu_percent(m.process.pid, IDLE_S) for m in three.members))
        return [take_over(build, three) for _ in range(KILLS)]


def take_over(build, three):
    """Kills the writer; milliseconds until another member answers a change."""
    writer = three.await_writer()
    wait_until(lambda: followers(three, writer), LIMIT_S, "two members follow")
    change_time(build, three, [writer], time.monotonic())
    since = time.monotonic()
    writer.kill()
    return change_time(build, three, [m for m in three.members if m is not writer], since)


def measure_members(build, _, show):
    figures = {}
    with contextlib.redirect_stdout(sys.stderr):  # a region prints the logs of its members when it ends
        times = sorted(watch_members(build, figures.__setitem__))
    for name, value in figures.items():
        show(name, value)
    say("milliseconds:", *map(round, times))
    for name, share in (("p50", 0.5), ("p90", 0.9), ("max", 1)):
        show(f"takeover_{name}_ms", times[min(int(len(times) * share), len(times) - 1)])
