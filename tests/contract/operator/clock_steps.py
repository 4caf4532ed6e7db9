#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/base/clock.c src/base/exec.c src/store/lease.c src/auth/token
"""The clock of the machine is set back and forward by an hour: changes and the reconciler go on, the writer stays the writer, people who sign in are
believed, and the records of changes and of the audit log keep their order. libfaketime gives dari the clock; timers are on the monotonic one, which it
leaves alone."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import Dev  # noqa: E402
from postgresql import Server  # noqa: E402

FAKE = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
STEPS = ("-3600", "+0", "+3000", "-3000", "-7200")  # seconds from the real time, one after the other


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_steps(server, tmp_path, store):
    clock = tmp_path / "clock"
    clock.write_text("+0")
    assert os.path.exists(FAKE)
    env = {"LD_PRELOAD": FAKE, "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}
    options = []
    if store == "postgresql":
        server.sql("postgres", "CREATE DATABASE stepping")
        options = ["--store", server.url("stepping")]
    with Dev("--data", str(tmp_path / "data"), *options, env=env) as dev:
        project = cloud.own(dev)
        epoch = server.sql("stepping", "SELECT epoch FROM writer") if options else ""
        image = project.ok("GET", "/image/v2/images")["images"][0]["id"]
        flavor = project.ok("GET", "/compute/v2.1/flavors")["flavors"][0]["id"]
        made = []
        for number, step in enumerate(STEPS):
            clock.write_text(step)
            # A password that is set now must not make the token of the next sign-in look older than it.
            user = dev.command("user", "create", f"person-{number}", "--account", "dev", "--role", "member")
            someone = cloud.Project(dev, "dev", user["name"], user["password"])
            wish = {"name": f"s{number}", "imageRef": image, "flavorRef": flavor, "networks": "none"}
            server_id = someone.ok("POST", "/compute/v2.1/servers", {"server": wish}, version="compute 2.93")["server"]["id"]
            dev.rest()
            assert someone.ok("GET", f"/compute/v2.1/servers/{server_id}")["server"]["status"] == "ACTIVE"
            assert someone.call("POST", f"/compute/v2.1/servers/{server_id}/action", {"os-stop": None}).status == 202
            dev.rest()
            assert someone.ok("GET", f"/compute/v2.1/servers/{server_id}")["server"]["status"] == "SHUTOFF"
            made.append(server_id)
        assert sorted(s["id"] for s in someone.ok("GET", "/compute/v2.1/servers")["servers"]) == sorted(made)
        if options:
            assert server.sql("stepping", "SELECT epoch FROM writer") == epoch
        verified = dev.command("log", "audit", "--verify")
        assert verified["whole"] and verified["records"] > len(STEPS), verified
        assert not dev.command("audit")
    with Dev("--data", str(tmp_path / "data")) as dev:  # the store opens behind its own last change
        assert len(cloud.own(dev).ok("GET", "/compute/v2.1/servers")["servers"]) == len(STEPS)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
