#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/hyperv src/drivers/remote/task_notes.c src/drivers/remote/xml_walk.c src/reconcile/remote tests/lib/winrm.py
"""Providers of Hyper-V against a small host of our own, whose answers have the documented shapes: it pages, signs in by Basic and NTLM, lets jobs take time,
refuses rights, and lies. No test has met a Windows host."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import winrm  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import machines, provider, rests, run  # noqa: E402
from waiting import wait_until  # noqa: E402


def add(home, name, url, *more, secret="pass<word>", region="host", login="CORP\\dari"):
    return run(home, "provider", "add", "hyperv", name, "--region", region, "--login", login, "--secret-stdin", "--endpoint", url, "--poll-s", "1",
               "--account", elsewhere.owner(home), "--json", *more, text=secret + "\n")


@pytest.fixture(scope="module")
def world():
    there = winrm.Host(schemes=("ntlm",))
    with Dev() as home:
        home.there = there
        done = add(home, "there", there.url)
        assert done.returncode == 0, done
        home.shown = json.loads(done.stdout)
        wait_until(lambda: set(machines(home)) == there.refs(), "the first listing", shows=lambda: provider(home))
        yield home
    there.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.there.spoil, world.there.slow, world.there.obeys, world.there.has_tools, world.there.is_member = lambda *_: None, 0, True, True, True
    world.there.denied.clear()


def listed(world):
    since = provider(world)["refreshed_us"]
    wait_until(lambda: provider(world)["refreshed_us"] > since, "a listing", shows=lambda: provider(world))


def test_list(world):
    """Pages of three are read to the end, and several classes make one row."""
    assert world.shown["identity"] == "HV1" and world.shown["status"] == "ok" and not world.shown["lacks"], world.shown
    guid = next(iter(world.there.machines))
    row = machines(world)[guid.lower()]
    assert (row["name"], row["power"], row["type"], row["raw_state"]) == ("web1 & co", "running", "2x2048", "Running"), row
    assert row["private_ips"] == ["10.0.0.7", "169.254.1.2", "fd00::7"] and row["platform"] == "Debian GNU/Linux 12", row
    assert row["network"] == world.there.switch.lower() and row["zone"] == "HV1" and row["launched_us"] == 1767225600500000
    assert row["volumes"] == [f"{guid.lower()}:83f8638b-8dca-4152-9eda-2ca8b33039b4:0:0:l"]
    assert world.there.seen.count("Pull") >= 2
    elsewhere.is_quiet(world)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
