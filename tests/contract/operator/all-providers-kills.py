#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote src/engine/remote src/reconcile/remote src/api/native/remote/remotes.c
# when: long
# limit: 3600 s
"""The region is killed again and again while it acts on machines elsewhere: at the first to fifth request after the act was asked for, before the request is
passed on or before its answer is. Afterwards the act has happened once: never two machines, nor a lost one, nor an act that is forgotten. A reboot is sent
once at most; one that may not have arrived says so.

    EVENTS=200 SEED=7 all-providers-kills.py"""
import importlib.util
import os
import random
import sys
import threading

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
import elsewhere  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, power_there, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402

spec = importlib.util.spec_from_file_location("providers_create", os.path.join(HERE, "providers_create.py"))
create = importlib.util.module_from_spec(spec)
spec.loader.exec_module(create)

EVENTS, SEED = int(os.environ.get("EVENTS", "20")), int(os.environ.get("SEED", "1"))
LATEST = 5  # request at which the region is killed
ACTS = {"create": None, "stop": "running", "start": "stopped", "reboot": "running", "tag": None, "terminate": None}
ENDS = {"create": "running", "stop": "stopped", "start": "running", "reboot": "running"}
REBOOTS = {"aws": "Action=RebootInstances", "openstack": '"reboot"', "cloudstack": "command=rebootVirtualMachine", "azure": "/restart"}  # in the request


class Story:
    """Machines that this script made, by cloud and name, and what the region does to them."""

    def __init__(self, world):
        self.world, self.random, self.made, self.kills, self.done = world, random.Random(SEED), {kind: {} for kind in create.CLOUDS}, 0, {}

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
        return len(rows) == 1 and rows[0]["act"] == "none" and rows[0]["power"] == self.power_after(kind, act, name) and not rows[0]["ref"].startswith("new-")

    def power_after(self, kind, act, name):
        return ENDS.get(act) or self.made[kind][name]

    def step(self):
        kind = self.random.choice(create.CLOUDS)
        act, name = self.choose(kind)
        nth, passes = self.random.randint(1, LATEST), self.random.random() < 0.5
        known, reboots = self.there(), self.world.proxies[kind].asked(REBOOTS[kind])
        came, end = self.kill_at(kind, nth, passes)
        self.ask(kind, act, name)
        wait_until(came.is_set, f"request {nth} of {act} on {kind}", shows=lambda: (name, self.world.rows(kind, name)))
        self.world.again()
        end()
        self.kills += 1
        wait_until(lambda: self.is_over(kind, act, name), f"{act} of {name} on {kind} at {nth} {passes}", shows=lambda: (self.world.rows(kind, name), elsewhere.provider(self.world.home, kind)))
        assert self.world.proxies[kind].asked(REBOOTS[kind]) <= reboots + (act == "reboot"), (kind, act, name, nth)
        self.check(kind, act, name, known, nth)

    def there(self):
        """Ids of all machines there. Ended ones are shown for a while."""
        return {i["InstanceId"] for r in self.world.there.ec2.describe_instances()["Reservations"] for i in r["Instances"]}

    def check(self, kind, act, name, known, nth):
        """No machine was made twice, and none is lost."""
        problems = [r.get("act_problem") for r in self.world.rows(kind, name) if r.get("act_problem")]
        assert not problems or act == "reboot", (kind, act, nth, problems)
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


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-s", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
