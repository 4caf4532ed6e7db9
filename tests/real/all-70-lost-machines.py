#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql src/daemon/writer.c src/daemon/follower src/drivers/ovsdb src/drivers/ovn
# limit: 14400 s
"""Any machine may die. Three `dari`, PostgreSQL under Patroni with a synchronous standby, etcd, OVN's databases and northd as clusters, two hosts with real
guests: EVENTS=200 faults (kill -9, SIGSTOP, a pulled cable) of each part, alone and in pairs, while stock clients of four faces change things. No answered
change is lost or made twice, a refused one leaves nothing, no guest that ran before is touched, metadata and DNS answer guests from the machine that writes,
and the audit finds nothing.

Faults come in batches of ten, which draw from SEED and their number (default: the number of commits). Passed batches stand in build/lost-machines.txt, so
an interrupted run goes on; ONLY=3,4 repeats these two. FAULTS=kill_writer,cut_writer draws from these alone, and not in pairs."""
import hashlib
import os
import pathlib
import random
import subprocess
import sys
import time
import types

import azure.mgmt.compute  # noqa: F401  # Azure's package, before tests/lib has a module of that name  # pylint: disable=unused-import

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from control_machines import ControlPlane, Faults  # noqa: E402
from face_clients import ANSWER_S, DatabasePulse, FacesLoad, Launches, Pulse  # noqa: E402
from members import check_batches  # noqa: E402
from region import ROOT, blank_image, launch, wait_state, wait_until  # noqa: E402

EVENTS, BATCH, PAUSE_S = int(os.environ.get("EVENTS", "200")), 10, 0.5
# By weight. A quarter of the faults are fail-overs of the database: of 200 some 50.
KINDS = {"kill_writer": 4, "stop_writer": 3, "cut_writer": 3, "kill_follower": 2, "stop_follower": 1, "cut_follower": 2,
         "kill_primary": 3, "stop_primary": 2, "cut_primary": 3, "switch_over": 3, "kill_server": 2, "kill_standby": 1, "cut_standby": 1,
         "kill_etcd": 1, "cut_etcd": 1, "kill_ovn_leader": 3, "stop_ovn_leader": 2, "cut_ovn_leader": 2, "kill_northd": 2}
FAIL_OVERS = {"kill_primary", "stop_primary", "cut_primary", "switch_over"}
# A second fault comes first: of another part, and one that leaves a majority of each.
PAIRED = ["kill_writer", "stop_writer", "cut_writer", "kill_follower", "cut_follower", "kill_ovn_leader", "cut_ovn_leader", "kill_northd"]
NOBODY_WRITES = {"kill_etcd", "cut_etcd"}
PROGRESS = pathlib.Path(ROOT, "build/lost-machines.txt")


def part_of(kind):
    return {"writer": "dari", "follower": "dari", "leader": "ovn", "northd": "ovn"}.get(kind.split("_")[-1], "database")


def draw(chance):
    if "FAULTS" in os.environ:
        return [chance.choice(os.environ["FAULTS"].split(","))]
    kind = chance.choices(list(KINDS), KINDS.values())[0]
    pair = [chance.choice([p for p in PAIRED if part_of(p) != part_of(kind)])] if chance.random() < 0.25 else []
    return [*pair, kind]


def mark(seed):
    """Names the program: what another one has passed does not count."""
    digest = hashlib.sha256(pathlib.Path(ROOT, "build/dari").read_bytes())
    return f"{digest.hexdigest()[:12]} {seed} {os.environ.get('FAULTS', 'all')}"


class Guests:
    """Guests that ran before the faults: one that answers ssh, and two on each host that do nothing."""

    def __init__(self, region):
        self.region = region
        self.ec2, self.witness, self.address = region.witness("guests")
        self.image = blank_image(self.ec2)
        self.ec2.modify_image_attribute(ImageId=self.image, LaunchPermission={"Add": [{"Group": "all"}]})
        self.idle = launch(self.ec2, 4, ImageId=self.image)
        wait_state(self.ec2, self.idle, "running")
        self.boot_id = region.boot_id(self.address)
        self.private_address = self.ec2.describe_instances(InstanceIds=[self.witness])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
        self.processes = self.look()

    def look(self):
        """Each guest's QEMU: the process id within its host, and when it started."""
        found = {}
        script = "for f in /run/libvirt/qemu/*.pid; do p=$(cat $f); echo $(basename $f .pid) $p $(cut -d ' ' -f 22 /proc/$p/stat); done"
        for host in self.region.guest_hosts:
            for line in self.region.on(host, "sh", "-c", script, fails=True).splitlines():
                words = line.split()
                if len(words) == 3:
                    found[words[0]] = host, words[1], words[2]
        return found

    def read_metadata(self):
        """The witness's instance id, and the address of its own name: the machine that writes answers both."""
        name = f"ip-{self.private_address.replace('.', '-')}.ec2.internal"
        said = self.region.ssh(self.address, f"timeout 5 wget -q -O - http://169.254.169.254/latest/meta-data/instance-id; echo; timeout 5 nslookup {name}", fails=True)
        return self.witness in said and f"Address: {self.private_address}" in said

    def touched(self):
        now = self.look()
        return [f"{name}: {was} became {now.get(name)}" for name, was in self.processes.items() if now.get(name) != was]


def run_batch(region, guests, account, number, seed):
    chance, since_start, gaps = random.Random(f"{seed} {number}"), time.monotonic(), []
    faults = Faults(region, chance, time.sleep)
    region.server.await_primary()
    region.server.await_standby()
    region.await_writer()
    for member in region.members:  # clients of OpenStack sign in first
        wait_until(member.answers, "the machine answers")
    with (FacesLoad(region, account, f"b{number}", PAUSE_S) as load, Launches(region, account, account.image, f"b{number}") as launches,
          Pulse(region, account) as pulse, DatabasePulse(region) as database):
        load.await_more()
        for n in range(min(BATCH, EVENTS - BATCH * number)):
            kinds, since = draw(chance), time.monotonic()
            ends = [getattr(faults, kind)() for kind in kinds]
            if not NOBODY_WRITES & set(kinds):
                load.await_more()
            for end in filter(None, ends):
                end()
            load.await_more()
            (ended, seconds), (database_ended, database_seconds) = pulse.gap(since), database.gap(since)
            gaps.append((seconds, " and ".join(kinds)))
            print(f"  {number}.{n}: {gaps[-1][1]}: {seconds:.1f} s without an answered change, {load.longest_gap(since):.1f} s for clients that wait "
                  f"{ANSWER_S} s; the database {database_seconds:.1f} s, changes {ended - database_ended:.1f} s later", flush=True)
        region.server.await_standby()
    mistakes = load.mistakes() + launches.mistakes() + guests.touched()
    region.check(f"batch {number}: answers are kept, and guests untouched ({load.count()}, {len(launches.launched)} launches, "
                 f"{time.monotonic() - since_start:.0f} s): {mistakes[:10]}", not mistakes)
    check_batches(region)
    load.clear()
    region.check_soon(f"batch {number}: a guest reads its metadata and resolves its name", guests.read_metadata)
    region.check_soon(f"batch {number}: the audit finds nothing", lambda: region.audit() == [])
    return gaps


def main():
    seed = os.environ.get("SEED") or subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    program, gaps = mark(seed), []
    passed = {line.rsplit(" ", 1)[1] for line in PROGRESS.read_text().splitlines() if line.startswith(program)} if PROGRESS.exists() else set()
    wanted = os.environ["ONLY"].split(",") if "ONLY" in os.environ else [str(n) for n in range((EVENTS + BATCH - 1) // BATCH) if str(n) not in passed]
    print(f"SEED={seed}, batches {' '.join(wanted)}", flush=True)
    with ControlPlane("lm") as region:
        guests = Guests(region)
        region.account("load")
        made = region.command("user", "create", "anna", "--account", "load", "--role", "admin")
        account = types.SimpleNamespace(name="load", key=region.keys["load"], user="anna", password=made["password"], image=guests.image)
        region.spread()
        for number in wanted:
            failed = region.failed
            gaps += run_batch(region, guests, account, int(number), seed)
            if region.failed != failed:
                break
            with open(PROGRESS, "a", encoding="ascii") as file:
                file.write(f"{program} {number}\n")
        region.check("the witness answers, and has not booted again", wait_until(lambda: region.boot_id(guests.address), "ssh") == guests.boot_id)
        fail_overs = sum(any(kind in words.split(" and ") for kind in FAIL_OVERS) for _, words in gaps)
        print(f"{len(gaps)} events, {fail_overs} fail-overs of the database")


if __name__ == "__main__":
    main()
