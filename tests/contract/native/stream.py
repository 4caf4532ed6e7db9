#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/http/stream
"""The live stream: its events produce the same state as a fresh load; nothing of other accounts arrives, even after a role was removed; a gap, a
restarted server, a reader that does not read; and bounded memory."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
from dev import Dev  # noqa: E402

KINDS = "?kinds=instances,volumes,ports,addresses,routers,security-groups"


@pytest.fixture(scope="module")
def two():
    with Dev() as dev:
        mine, theirs = native.another(dev, "mine"), native.another(dev, "theirs")
        for project in (mine, theirs):
            project.ec2.create_default_vpc() if not project.rows("/routers") else None
        dev.rest()
        yield mine, theirs


@pytest.fixture(scope="module")
def image(two):
    return native.image_of(two[0].dev)


def same(row):
    return {k: v for k, v in row.items() if k != "batch"}


def test_what_is_told_equals_a_fresh_load(two, image):
    mine, theirs = two
    stream, other = mine.watch(KINDS), theirs.watch(KINDS)
    made = mine.api_ok("POST", "/instances", {"image": image, "type": "t3.micro", "count": 5})["items"]
    ids = [r["id"] for r in made]
    stream.soon(lambda: all(stream.rows().get(("instance", i), {}).get("state") == "running" for i in ids), "that they run")
    mine.api_ok("POST", "/instances/stop", {"ids": ids[:2]})
    mine.api_ok("POST", "/tags", {"ids": [made[3]["ec2"]], "tags": {"a": "<b>&\"'\n"}})
    stream.soon(lambda: all(stream.rows()["instance", i]["state"] == "stopped" for i in ids[:2]), "that they stopped")
    mine.dev.rest()
    for path, kind in (("/instances", "instance"), ("/volumes", "volume"), ("/ports", "port")):
        fresh = {r["id"]: same(r) for r in mine.rows(path)}
        stream.soon(lambda f=fresh, k=kind: {i: same(r) for (of, i), r in stream.rows().items() if of == k} == f, f"{path} as they are")
    assert not other.of("rows"), "another account's rows arrived"
    mine.api_ok("POST", "/instances/delete", {"ids": ids})
    stream.soon(lambda: not [k for k in stream.rows() if k[0] == "volume"], "that volumes go")
    for each in (stream, other):
        each.close()


def test_each_row_names_its_list(two):
    """Each row names its list, so that a client can assign rows of unknown kinds."""
    mine = two[0]
    paths = {k["name"]: k["path"] for k in mine.api_ok("GET", "/schema")["kinds"]}
    stream = mine.watch()
    vpc = mine.api_ok("POST", "/routers", {"block": "10.77.0.0/16"})["items"][0]["id"]
    stream.soon(lambda: ("router", vpc) in stream.rows(), "that it is there")
    mine.api_ok("DELETE", f"/routers/{vpc}")
    stream.soon(lambda: ("router", vpc) not in stream.rows(), "that it is away")
    stream.close()
    told = [t for e in stream.of("rows") for t in e["data"]["put"] + e["data"]["gone"]]
    assert len({t["kind"] for t in told}) > 3, told  # including rows created along with it
    assert {(t["kind"], t["list"]) for t in told} <= set(paths.items()), told


def test_a_gap(two):
    mine = two[0]
    stream = mine.watch("?kinds=key-pairs")
    mine.api_ok("POST", "/key-pairs", {"name": "before"})
    stream.soon(lambda: stream.of("rows"), "the key pair")
    last = stream.last_id()
    stream.close()
    made = mine.api_ok("POST", "/key-pairs", {"name": "meanwhile"})["items"][0]["id"]
    for headers, query in (({"Last-Event-ID": last}, ""), ({}, f"&since={last}")):
        back = mine.watch("?kinds=key-pairs" + query, **headers)
        back.soon(lambda b=back: ("key_pair", made) in b.rows(), "what came meanwhile")
        assert not back.of("reset")
        back.close()
    for since in ("1-1", "x", last.split("-")[0] + "-0"):
        old = mine.watch(f"?kinds=key-pairs&since={since}")
        old.soon(lambda o=old: o.of("reset"), f"a reset from {since}")
        old.close()


def test_rights_taken_away(two):
    mine = two[0]
    dev, admin = mine.dev, native.admin(mine.dev)
    guest = native.another(dev, "guest")
    stream, staying = guest.watch("?kinds=key-pairs"), mine.watch("?kinds=key-pairs")
    guest.api_ok("POST", "/key-pairs", {"name": "seen"})
    stream.soon(lambda: stream.of("rows"), "the key pair")
    role = next(r["id"] for r in admin.rows("/roles") if r["name"] == "member")
    admin.api_ok("POST", "/role-assignments/revoke", {"role": role, "user": guest.user_id, "account": guest.id})
    guest.root.call("CreateKeyPair", {"KeyName": "secret"})
    stream.soon(lambda: stream.is_over, "its end")
    assert stream.of("bye") and "secret" not in str(stream.events)
    assert guest.api("GET", "/stream").status in (401, 403)
    mine.api_ok("POST", "/key-pairs", {"name": "staying"})
    staying.soon(lambda: staying.of("rows") and not staying.is_over, "what others are told")
    staying.close()


def test_who_does_not_read(two):
    """A client that does not read only occupies its slot: others get their events, and it finally gets its own, or a reset."""
    mine = two[0]
    slow, quick = native.Stream(mine, "?kinds=key-pairs", {}, reads=False), mine.watch("?kinds=key-pairs")
    for k in range(300):
        mine.api_ok("POST", "/tags", {"ids": [mine.rows("/routers?limit=1")[0]["ec2"]], "tags": {"k": str(k)}}) if k % 50 == 0 else None
        mine.api_ok("POST", "/key-pairs/import", {"name": f"k{k}", "public_key": KEY, "tags": {str(n): "x" * 200 for n in range(40)}})
    quick.soon(lambda: len(quick.rows()) >= 300, "all key pairs")
    slow.read_soon = None
    import threading
    threading.Thread(target=slow.read, daemon=True).start()
    slow.soon(lambda: len(slow.rows()) >= 300 or slow.of("reset") or slow.is_over, "what it missed")
    quick.close()
    slow.close()
    mine.api_ok("POST", "/key-pairs/delete", {"ids": [f"k{k}" for k in range(300)]})


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE6WnPcJMs4uR3o6AW5wV2zZBR0kUdbDpg3NFh8yV7xR a@b"


def test_it_is_bounded(two):
    mine = native.another(two[0].dev, "many")
    streams = [mine.watch("?kinds=zones") for _ in range(20)]
    assert {s.status for s in streams} == {200}
    more = mine.api("GET", "/stream?kinds=zones")
    assert more.status == 429 and more.headers["Retry-After"]
    for stream in streams:
        stream.close()
    for query, field in (("?kinds=dragons", "kinds"), ("?kinds=hosts", "kinds"), ("?all=1", "all"), (f"?account={two[1].id}", "account")):
        answer = mine.api("GET", "/stream" + query)
        assert answer.status in (400, 403, 404) and answer.json["field"] == field, f"{query}: {answer}"


def test_it_says_goodbye():
    with Dev() as dev:
        mine = native.own(dev)
        stream = mine.watch()
        dev.end()
        stream.soon(lambda: stream.is_over, "its end")
        assert stream.of("bye")[0]["data"]["reason"] == "shutdown"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
