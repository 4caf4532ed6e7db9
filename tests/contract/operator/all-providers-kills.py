#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/api/native/remote/remotes.c
# when: long
# limit: 3600 s
"""The region is killed again and again while it acts on machines elsewhere: at the first to fifth request after the act was asked for, before the request is
passed on or before its answer is. Afterwards the act has happened once: never two machines, nor a lost one, nor an act that is forgotten. A reboot is sent
once at most, and so is a snapshot; one that may not have arrived says so. Save is asked of a small vCenter, because the faces have no such act. 160 kills at
the four clouds and 40 at the vCenter, drawn by a seed; the script prints how many there were of each act.

    EVENTS=20 SEED=7 all-providers-kills.py"""
import collections
import importlib.util
import os
import random
import signal
import sys
import threading

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, power_there, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402



def script(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(HERE, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


create, vmware = script("providers_create"), script("providers_vmware")

EVENTS, SEED = int(os.environ.get("EVENTS", "160")), int(os.environ.get("SEED", "1"))
LATEST = 5  # request at which the region is killed
ACTS = {"create": None, "stop": "running", "start": "stopped", "reboot": "running", "tag": None, "terminate": None, "snapshot": None, "resize": "stopped"}
ENDS = {"create": "running", "stop": "stopped", "start": "running", "reboot": "running"}
REBOOTS = {"aws": "Action=RebootInstances", "openstack": '"reboot"', "cloudstack": "command=rebootVirtualMachine", "azure": "/restart"}  # in the request
SIZES = ("t3.micro", "t3.small")


class Story:
    """Machines that this script made, by cloud and name, and what the region does to them."""

    def __init__(self, world):
        self.world, self.random, self.made, self.kills, self.done = world, random.Random(SEED), {kind: {} for kind in create.CLOUDS}, 0, {}
        self.sizes = {}  # type that was asked for, by cloud and name

    def kill_at(self, kind, nth, passes):
        """Kills at the nth request from now on. Returns what ends the fault, and the event that the request has come."""
        proxy, came, seen = self.world.proxies[kind], threading.Event(), []
        change = proxy.change

        def cut(_method, _path, _body):
            if came.is_set():
                return 0, {}, b""  # nothing leaves a region that is dead
            seen.append(1)
            if passes or len(seen) < nth:
                return None
            came.set()
            return 0, {}, b""

        def lose(path, body, answer):
            if len(seen) < nth or not passes:
                return change(path, body, answer)
            came.set()
            return None
        proxy.spoil, proxy.change = cut, lose

        def end():
            proxy.spoil, proxy.change = (lambda *_: None), change
        return came, end

    def ask(self, kind, act, name):
        if act == "create":
            self.world.create(kind, name)
            return
        words = ["--tag", f"round={self.kills}"] if act == "tag" else []
        if act == "resize":
            self.sizes[kind, name] = next(size for size in SIZES if size != self.row(kind, name)["type"])
            words = ["--type", self.sizes[kind, name]]
        done = run(self.world.home, "remote", act, self.row(kind, name)["id"], *words)
        assert done.returncode == 0, done

    def row(self, kind, name):
        rows = [r for r in self.world.rows(kind, name) if r["power"] != "terminated"]
        assert len(rows) == 1, rows
        return rows[0]

    def choose(self, kind):
        fits = [(act, name) for act, power in ACTS.items() if act != "create" and not (act == "tag" and kind == "cloudstack")
                for name, now in self.made[kind].items() if power in (None, now)]
        if not fits or len(self.made[kind]) < 2:
            return "create", f"k{SEED}-{self.kills}-{kind}"
        return self.random.choice(fits)

    def is_over(self, kind, act, name):
        rows = [r for r in self.world.rows(kind, name) if r["power"] != "terminated"]
        if act == "terminate":
            return not rows
        if len(rows) != 1 or (act == "resize" and rows[0]["type"] != self.sizes[kind, name]):
            return False
        return rows[0]["act"] == "none" and rows[0]["power"] == self.power_after(kind, act, name) and not rows[0]["ref"].startswith("new-")

    def power_after(self, kind, act, name):
        return ENDS.get(act) or self.made[kind][name]

    def step(self):
        kind = self.random.choice(create.CLOUDS)
        act, name = self.choose(kind)
        nth, passes = self.random.randint(1, LATEST), self.random.random() < 0.5
        known, frozen, reboots = self.there(), self.frozen(), self.world.proxies[kind].asked(REBOOTS[kind])
        came, end = self.kill_at(kind, nth, passes)
        self.ask(kind, act, name)
        wait_until(came.is_set, f"request {nth} of {act} on {kind}", shows=lambda: (name, self.world.rows(kind, name)))
        self.world.again()
        end()
        self.kills += 1
        wait_until(lambda: self.is_over(kind, act, name), f"{act} of {name} on {kind} at {nth} {passes}", shows=lambda: (self.world.rows(kind, name), elsewhere.provider(self.world.home, kind)))
        assert self.world.proxies[kind].asked(REBOOTS[kind]) <= reboots + (act == "reboot"), (kind, act, name, nth)
        more = self.frozen() - frozen
        assert max(more.values(), default=0) <= (act == "snapshot"), (kind, act, name, nth, more)
        self.check(kind, act, name, known, nth)

    def there(self):
        """Ids of all machines there. Ended ones are shown for a while."""
        return {i["InstanceId"] for r in self.world.there.ec2.describe_instances()["Reservations"] for i in r["Instances"]}

    def frozen(self):
        """Number of snapshots of each volume there, and of images."""
        ec2 = self.world.there.ec2
        return collections.Counter([s["VolumeId"] for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]] + ["image"] * len(ec2.describe_images(Owners=["self"])["Images"]))

    def check(self, kind, act, name, known, nth):
        """No machine was made twice, and none is lost."""
        problems = [r.get("act_problem") for r in self.world.rows(kind, name) if r.get("act_problem")]
        assert not problems or act in ("reboot", "snapshot"), (kind, act, nth, problems)
        assert len(self.there() - known) == (act == "create"), (kind, act, name, nth)
        if act == "terminate":
            del self.made[kind][name]
        else:
            row = self.row(kind, name)
            if kind in ("aws", "openstack"):
                rests(self.world.home, row["ref"], self.power_after(kind, act, name), kind)
            self.made[kind][name] = self.power_after(kind, act, name)
        self.done[act] = self.done.get(act, 0) + 1


@pytest.fixture(scope="module")
def story():
    with Dev() as there:
        world = create.World(there)
        yield Story(world)
        world.home.end()


def test_kills(story):
    """EVENTS kills; then every machine that stands there has one row, and each row a machine."""
    try:
        for _ in range(EVENTS):
            story.step()
    finally:
        print(f"{story.kills} kills: {story.done}", file=sys.stderr)
    for kind in create.CLOUDS:
        for name in story.made[kind]:
            story.row(kind, name)
    refs = {r["ref"] for r in machines(story.world.home, "aws").values() if r["power"] != "terminated"}
    there = {i["InstanceId"] for r in story.world.there.ec2.describe_instances()["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"}
    assert refs == there
    assert all(power_there(story.world.there, ref) in ("running", "stopped") for ref in there)


class Vcenter(vmware.Vcenter):
    """Dies with the region at a request: before it is carried out, or before its answer is sent."""

    def __init__(self):
        super().__init__()
        self.left, self.passes, self.came = 0, False, threading.Event()

    def arm(self, nth, passes):
        self.left, self.passes = nth, passes
        self.came.clear()

    def serve(self, handler, text):
        if self.came.is_set():
            return 500, {}, b""  # nothing leaves a region that is dead
        self.left -= 1
        if self.left:
            return super().serve(handler, text)
        if self.passes:
            super().serve(handler, text)
        self.came.set()
        return 500, {}, b""


def notes(home, row):
    """Counts how often the machine's history says that a request may have been lost."""
    return home.explain(row["id"]).count("It was not sent again")


def test_kills_at_a_vcenter(tmp_path):
    """Saving, starting, resizing and snapshots: EVENTS / 4 kills, and each act has happened once, or says that it may not have."""
    there, draw, done = Vcenter(), random.Random(SEED), collections.Counter()
    home = Dev("--data", str(tmp_path))
    try:
        assert vmware.add(home, "there", there.url).returncode == 0
        wait_until(lambda: set(machines(home)) == set(there.machines), "the first listing", shows=lambda: elsewhere.provider(home))
        for _ in range(max(EVENTS // 4, 4)):
            ref = draw.choice(sorted(there.machines))
            row, before = machines(home)[ref], len(there.machines[ref].get("snapshots", []))
            act = draw.choice(("save", "snapshot") if row["power"] == "running" else ("start", "snapshot", "resize"))
            size = "4x4096" if row["type"] != "4x4096" else "2x2048"
            noted = notes(home, row)
            there.arm(draw.randint(1, LATEST), draw.random() < 0.5)
            assert run(home, "remote", act, ref, *(["--type", size] if act == "resize" else [])).returncode == 0
            wait_until(there.came.is_set, f"a request of {act}", shows=lambda ref=ref: machines(home)[ref])
            port = home.port
            home.end(signal.SIGKILL)
            there.came.clear()
            home = Dev("--data", str(tmp_path), port=port)
            power = {"save": "stopped", "start": "running"}.get(act, row["power"])
            rests(home, ref, power)
            now, more = machines(home)[ref], len(there.machines[ref].get("snapshots", [])) - before
            assert now["type"] == (size if act == "resize" else row["type"]) and 0 <= more <= (act == "snapshot"), (act, ref, now, more)
            assert act == "snapshot" or not now.get("act_problem"), (act, now)
            assert more or act != "snapshot" or now.get("act_problem") or notes(home, row) > noted, (act, now)
            done[act] += 1
    finally:
        print(f"{done.total()} kills at a vCenter: {dict(done)}", file=sys.stderr)
        home.end()
        there.end()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
