#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/backup src/reconcile/backup src/api/native/storage src/daemon/client/commands_backups.c
"""Backup plans and machine backups by /api/v1 and by `dari`: refusals, expiry, legal hold, restores and test restores."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
import waiting  # noqa: E402
from dev import DARI, Dev  # noqa: E402

NEVER = "0 0 29 2 *"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.mine, region.operator = native.own(region), native.admin(region)
        made = region.mine.api_ok("POST", "/instances", {"image": native.image_of(region), "type": "t3.micro", "name": "web", "tags": {"backup": "daily"}})["items"][0]
        region.rest()
        region.machine = made["id"]
        yield region


def plan(dev, **more):
    return dev.mine.api_ok("POST", "/backup-plans", {"name": "nightly", "interval": "cron", "schedule": NEVER, "tag_key": "backup", **more})["items"][0]


def backups(dev, of):
    return sorted((m for m in dev.mine.rows("/machine-backups?fields=*") if m.get("plan") == of["id"]), key=lambda m: m["created_us"])


def run(dev, of):
    dev.mine.api_ok("POST", f"/backup-plans/{of['id']}/run", {})
    dev.rest()
    return backups(dev, of)


def dari(dev, *words):
    done = subprocess.run([DARI, "--config", dev.config, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("given, field", [
    ({"schedule": "61 0 * * *"}, "schedule"), ({"interval": "daily", "schedule": "30"}, "schedule"), ({"timezone": "Mars/Olympus"}, "timezone"),
    ({"tag_key": ""}, "instances"), ({"tag_key": "", "tag_value": "x"}, "tag_key"), ({"keep_daily": 1001}, "keep_daily"), ({"check_days": -1}, "check_days"),
    ({"container": "../etc"}, "container"), ({"check_marker": ""}, "check_marker"), ({"name": ""}, "name"), ({"interval": "yearly"}, "interval"),
    ({"instances": ["00000000-0000-4000-8000-000000000000"]}, "instances")])
def test_refusals(dev, given, field):
    body = {"name": "wrong", "interval": "cron", "schedule": NEVER, "tag_key": "backup", **given}
    answer = dev.mine.api("POST", "/backup-plans", body)
    assert answer.status in (400, 404) and answer.json.get("field", "").split(".")[0].split("[")[0] == field, answer
    assert not [p for p in dev.mine.rows("/backup-plans") if p["name"] == "wrong"]


def test_life_of_a_plan(dev):
    of = plan(dev, tag_value="daily", keep_last=2)
    assert dev.mine.api("POST", "/backup-plans", {"name": "nightly", "interval": "cron", "schedule": NEVER, "tag_key": "x"}).status == 409
    first = run(dev, of)[0]
    assert first["state"] == "available" and first["machine_name"] == "web" and first["instance"] == dev.machine
    dev.mine.api_ok("PATCH", f"/machine-backups/{first['id']}", {"is_held": True})
    assert dev.mine.api("DELETE", f"/machine-backups/{first['id']}").status == 409
    for _ in range(3):
        made = run(dev, of)
    assert len(made) == 3 and first["id"] in [m["id"] for m in made]  # the held one, and the last two
    dev.mine.api_ok("PATCH", f"/machine-backups/{first['id']}", {"is_held": False})
    dev.rest()
    assert len(backups(dev, of)) == 2
    dev.mine.api_ok("DELETE", f"/backup-plans/{of['id']}")
    dev.rest()
    assert len(backups(dev, of)) == 2
    for m in backups(dev, of):
        dev.mine.api_ok("DELETE", f"/machine-backups/{m['id']}")
    dev.rest()
    assert not [b for b in dev.mine.rows("/backups?fields=*") if b.get("machine_backup")]


def test_restores(dev):
    made = dev.mine.api_ok("POST", "/machine-backups", {"instance": dev.machine, "name": "before"})["items"][0]
    dev.rest()
    assert dev.mine.api("POST", f"/machine-backups/{made['id']}/restore", {"in_place": True}).status == 409  # it runs
    again = dev.mine.api_ok("POST", f"/machine-backups/{made['id']}/restore", {"name": "again"})["items"][0]
    dev.rest()
    row, old = (next(i for i in dev.mine.rows("/instances?fields=*") if i["id"] == which) for which in (again["id"], dev.machine))
    assert row["state"] == "running" and row["name"] == "again"
    assert [row[k] for k in ("type", "image", "tags", "subnet", "root_device")] == [old[k] for k in ("type", "image", "tags", "subnet", "root_device")]
    dev.mine.api_ok("POST", f"/machine-backups/{made['id']}/check", {})

    def tested():
        row = dev.mine.api_ok("GET", f"/machine-backups/{made['id']}")["item"]
        return row["check_state"] != "running" and row
    assert waiting.wait_until(tested, "the test restore is over", of=dev)["check_state"] == "passed"
    dev.rest()
    dev.mine.api_ok("POST", "/instances/delete", {"ids": [dev.machine, again["id"]]})
    dev.rest()
    late = dev.mine.api_ok("POST", f"/machine-backups/{made['id']}/restore", {})["items"][0]  # the backup outlives its machine
    dev.rest()
    assert next(i for i in dev.mine.rows("/instances?fields=*") if i["id"] == late["id"])["state"] == "running"
    assert dev.mine.api("POST", f"/machine-backups/{made['id']}/restore", {"in_place": True}).status == 409


def test_commands(dev):
    account = dev.mine.rows("/instances?fields=account")[0]["account"]
    dari(dev, "backup", "plan", "add", "by-hand", "--account", account, "--tag-key", "backup", "--every", "daily", "--at", "30:02", "--timezone", "Asia/Seoul", "--keep-daily", "7", "--keep-last", "0")
    row = next(p for p in dev.operator.rows("/backup-plans?fields=*&all=1") if p["name"] == "by-hand")
    assert (row["account"], row["interval"], row["schedule"], row["keep_daily"]) == (account, "daily", "30:02", 7)
    assert "by-hand" in dari(dev, "backup", "plan", "list")
    dari(dev, "backup", "plan", "set", row["id"], "--active", "no")
    machine = next(i["id"] for i in dev.mine.rows("/instances?fields=*") if i["state"] == "running")
    made = json.loads(dari(dev, "backup", "machine", "create", machine, "--json"))["backup"]
    dev.rest()
    assert made in dari(dev, "backup", "machine", "list")
    dari(dev, "backup", "machine", "restore", made, "--stays-off")
    dev.rest()
    for verb in ("hold", "release", "remove"):
        dari(dev, "backup", "machine", verb, made)
    dari(dev, "backup", "plan", "remove", row["id"])


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
