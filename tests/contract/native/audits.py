#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/reconcile/audit
"""Audits by /api/v1: started, followed by the stream, and their findings; orphaned resources adopted and purged as by `dari adopt` and `dari purge`;
for administrators only, and recorded in the audit log."""
import contextlib
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402

LEFTOVERS = 6
GIB = 2**30


@pytest.fixture(scope="module")
def dev():
    with Dev("--leftovers", str(LEFTOVERS)) as region:
        region.operator, region.mine = native.admin(region), native.own(region)
        region.rest()
        yield region


def run(dev):
    """The row of a finished audit."""
    made = dev.operator.api_ok("POST", "/audits", {})["items"][0]
    assert (made["stage"], made["asked_by"], made["asked"]) == ("running", "admin", 0)

    def ended():
        row = dev.operator.api_ok("GET", f"/audits/{made['id']}")["item"]
        return row["stage"] == "ended" and row
    return waiting.wait_until(ended, "the audit ends")


def findings(dev):
    return sorted(dev.operator.rows("/audit-findings?fields=*"), key=lambda f: f["subject"])


def says(dev):
    """Resources that `dari audit` reports as orphaned, by id."""
    done = subprocess.run([DARI, "--config", dev.config, "audit", "--json"], capture_output=True, text=True, check=False)
    return sorted(f["finding"].split(" the disk ")[1].split(",")[0] for f in json.loads(done.stdout) if f["quarantined"])


def on_record(dev, action):
    lines = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [r for r in map(json.loads, lines) if r["action"] == action]


def test_an_audit(dev):
    with contextlib.closing(dev.operator.watch("?kinds=audits,audit-findings")) as stream:
        row = run(dev)
        assert (row["asked"], row["answered"], row["found"], row["quarantined"]) == (9, 9, LEFTOVERS, LEFTOVERS)  # two for each of four hosts, and the network
        assert row["begun_us"] <= row["ended_us"]
        found = findings(dev)
        hosts = {h["id"]: h["name"] for h in dev.operator.rows("/hosts")}
        assert {(f["about"], f["quarantined"], f["audit"], hosts[f["place"]]) for f in found} == {("disk", True, row["id"], "sim1")}
        waiting.wait_until(lambda: len([k for k in stream.rows() if k[0] == "audit_difference"]) >= LEFTOVERS, "all findings are told")
        told = stream.rows()
        assert told["region_audit", row["id"]]["stage"] == "ended" and {i for k, i in told if k == "audit_difference"} == {f["id"] for f in found}
    assert [f["subject"] for f in found] == says(dev)
    last = max(dev.operator.rows("/audits?fields=*"), key=lambda a: a["begun_us"])
    assert "asked_by" not in last or not last["asked_by"]  # the command's own audit has a row, too
    assert {f["audit"] for f in findings(dev)} == {last["id"]}
    assert [r["outcome"] for r in on_record(dev, "ec2:AuditRegion")] == ["ok"]


def test_the_last_ten_are_kept(dev):
    for _ in range(12):
        run(dev)
    rows = dev.operator.rows("/audits")
    assert len(rows) == 10
    assert {f["audit"] for f in findings(dev)} == {max(rows, key=lambda a: a["begun_us"])["id"]} and len(findings(dev)) == LEFTOVERS


def test_adopted(dev):
    run(dev)
    one, other = findings(dev)[:2]
    refused = dev.operator.api("POST", f"/audit-findings/{one['id']}/adopt", {})
    assert (refused.status, refused.json["type"], refused.json["field"]) == (400, "urn:dari:missing", "account")
    assert dev.operator.api("POST", f"/audit-findings/{one['id']}/adopt", {"account": "no-such"}).status == 404
    account = next(a for a in dev.operator.rows("/accounts") if a["name"] == "dev")
    made = dev.operator.api_ok("POST", f"/audit-findings/{one['id']}/adopt", {"account": account["id"]})
    assert [(v["id"], v["size"]) for v in made["items"]] == [(one["subject"], GIB)]
    subprocess.run([DARI, "--config", dev.config, "adopt", other["subject"], "--account", "dev"], check=True, capture_output=True)
    dev.rest()
    ours = {v["id"]: v for v in dev.mine.rows("/volumes?fields=*")}
    assert {name: ours[one["subject"]].get(name) for name in ("size", "type", "state", "zone")} == {name: ours[other["subject"]].get(name) for name in ("size", "type", "state", "zone")}
    assert not {one["subject"], other["subject"]} & {f["subject"] for f in findings(dev)}
    assert dev.operator.api("POST", f"/audit-findings/{one['id']}/adopt", {"account": "dev"}).status == 404
    assert {r["outcome"] for r in on_record(dev, "ec2:AdoptLeftover")} >= {"ok"} and [r["outcome"] for r in on_record(dev, "dari:adopt")] == ["ok"]


def test_purged(dev):
    run(dev)
    one, other = findings(dev)[:2]
    before = len(findings(dev))
    for query, headers in (("?dry=1", {}), ("", {"If_Match": '"1"'})):
        assert dev.operator.api("POST", f"/audit-findings/{one['id']}/purge{query}", {}, **headers).status == 400
    dev.operator.api_ok("POST", f"/audit-findings/{one['id']}/purge", {})
    subprocess.run([DARI, "--config", dev.config, "purge", other["subject"]], check=True, capture_output=True)
    assert len(findings(dev)) == before - 2
    assert not {one["subject"], other["subject"]} & set(says(dev))
    assert dev.operator.api("POST", f"/audit-findings/{one['id']}/purge", {}).status == 404
    assert [r["outcome"] for r in on_record(dev, "ec2:PurgeLeftover")][-1] == "NOT_FOUND" and [r["outcome"] for r in on_record(dev, "dari:purge")] == ["ok"]


def test_what_has_a_row_by_now(dev):
    """A finding older than its resource's row no longer counts as orphaned."""
    run(dev)
    one = findings(dev)[0]
    subprocess.run([DARI, "--config", dev.config, "adopt", one["subject"], "--account", "dev"], check=True, capture_output=True)
    assert dev.operator.api("GET", f"/audit-findings/{one['id']}").status == 404
    done = subprocess.run([DARI, "--config", dev.config, "purge", one["subject"]], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "it is no leftover" in done.stderr


def test_administrators_alone(dev):
    run(dev)
    one = findings(dev)[0]
    for method, path in (("GET", "/audits"), ("GET", "/audit-findings"), ("GET", f"/audit-findings/{one['id']}"), ("POST", "/audits"),
                         ("POST", f"/audit-findings/{one['id']}/adopt"), ("POST", f"/audit-findings/{one['id']}/purge")):
        answer = dev.mine.api(method, path, {} if method == "POST" else None)
        assert answer.status in (403, 404) and one["subject"] not in json.dumps(answer.json), (method, path, answer.status)
        assert answer.status == 403 or method == "GET" and one["id"] in path
    for kind in ("audits", "audit-findings"):
        with contextlib.closing(dev.mine.watch(f"?kinds={kind}")) as stream:
            assert stream.status == 403
    with contextlib.closing(dev.mine.watch()) as stream:  # streams of everything that they may see
        run(dev)
        made = dev.mine.api_ok("POST", "/volumes", {"size": GIB, "zone": dev.mine.rows("/zones")[0]["id"]})["items"][0]["id"]
        stream.soon(lambda: ("volume", made) in stream.rows(), "the volume")
        assert not {kind for kind, _ in stream.rows()} & {"region_audit", "audit_difference"}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
