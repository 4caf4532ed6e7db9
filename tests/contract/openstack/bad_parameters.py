#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/openstack
"""Each call of the OpenStack face, from its tables: without a token, for what is not there, with a body that is none,
and with each of its members mutated by itself. The answer is the service's documented refusal that names the member, in the
service's form, and nothing has changed."""
import json
import os
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as os_lib  # noqa: E402
from dev import Dev  # noqa: E402
from cloud import WRONG, admin, body_of, dump, members, path_of, title, version_of  # noqa: E402

TABLES = dump()
ACTIONS = {title(a): a for a in TABLES["actions"]}
JSON_BODIES = sorted(t for t, a in ACTIONS.items() if members(a) and not a["raw"])


@pytest.fixture(scope="module")
def cloud():
    with Dev() as dev:
        yield admin(dev)


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(cloud):
    before = os_lib.digest(TABLES, cloud)
    yield
    assert os_lib.digest(TABLES, cloud) == before


def check_form(action, answer):
    """A refusal's body is in its service's form."""
    assert 400 <= answer.status < 500, answer
    body = answer.json
    assert isinstance(body, dict) and len(body) >= 1, answer
    if action["service"] == "identity" or answer.status == 401:
        assert body["error"]["code"] == answer.status
    elif action["service"] == "network":
        assert {"type", "message", "detail"} == body["NeutronError"].keys()
    elif action["service"] in ("compute", "block-storage"):
        (fault,) = body.values()
        assert fault["code"] == answer.status and fault["message"]
    elif action["service"] == "image":
        assert body["code"].startswith(str(answer.status))
    assert "x-openstack-request-id" in {name.lower() for name in answer.headers}


@pytest.mark.parametrize("name", sorted(t for t, a in ACTIONS.items() if not a["open"]))
def test_without_a_token(cloud, name):
    action = ACTIONS[name]
    for token in ("", "x", "A" * 176, "A" * 5000):
        answer = cloud.call(action["method"], path_of(action), body_of(action), headers={"X-Auth-Token": token},
                            version=version_of(action))
        assert answer.status == 401, answer
        assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")
        check_form(action, answer)


@pytest.mark.parametrize("name", sorted(t for t, a in ACTIONS.items() if any(
    p["in"] == "path" and p.get("kind") and not p["by_name"] for p in a["params"]) and not a["raw"]))
def test_ids_that_are_none(cloud, name):
    """What cannot be an id is the id of nothing."""
    action = ACTIONS[name]
    for junk in ("x", "x" * 2000, "%00", "..%2F..", "%C3%A9", "0"):
        answer = cloud.call(action["method"], path_of(action).replace(os_lib.ABSENT, junk, 1), body_of(action),
                            version=version_of(action))
        assert answer.status in (400, 404), f"{junk}: {answer}"
        if answer.json:
            check_form(action, answer)


@pytest.mark.parametrize("name", JSON_BODIES)
def test_bodies_that_are_none(cloud, name):
    action = ACTIONS[name]
    deep = b'{"a":' * 3000 + b"1" + b"}" * 3000
    for raw in (b"{", b"[]", b"7", b'"x"', b"\xff", b'{"a":1,"a":2}', deep, b"<xml/>"):
        answer = cloud.call(action["method"], path_of(action), raw=raw, version=version_of(action))
        assert answer.status == 400, f"{raw[:20]}: {answer}"
        check_form(action, answer)


@pytest.mark.parametrize("name", JSON_BODIES)
def test_members(cloud, name):
    action = ACTIONS[name]
    for p in members(action):
        values = list(WRONG.get(p["type"], []))
        if not p["built"]:
            values = ["zzz"] if p.get("only") else [{"zzz": 1}]
        if "max" in p and p["type"] == "integer" and (p["min"] or p["max"]):
            values += [p["max"] + 1, p["min"] - 1]
        if not p["nullable"] and p["built"] and p["type"] != "any":
            values.append(None)
        if p["by_name"] or p["or_number"]:
            values = [v for v in values if v not in (7, ["x"])]
        for value in values:
            body = body_of(action, p["name"], value)
            answer = cloud.call(action["method"], path_of(action), body, version=version_of(action))
            assert answer.status in (400, 501), f"{p['name']}: {json.dumps(value)[:50]}: {answer}"
            check_form(action, answer)
            assert p["name"].rpartition(".")[2] in answer.text, f"{p['name']}: {json.dumps(value)[:50]}: {answer}"


@pytest.mark.parametrize("name", JSON_BODIES)
def test_missing_members(cloud, name):
    action = ACTIONS[name]
    for p in (p for p in members(action) if p["required"] and "." not in p["name"]):
        body = body_of(action)
        inner = body[action["name"] or action["wrap"]] if action["name"] or action["wrap"] else body
        del inner[p["name"]]
        answer = cloud.call(action["method"], path_of(action), body, version=version_of(action))
        assert answer.status == 400, f"without {p['name']}: {answer}"
        assert p["name"] in answer.text, f"without {p['name']}: {answer}"


def test_too_large(cloud):
    """Refused by its size alone: nothing of it is awaited."""
    with socket.create_connection(("127.0.0.1", cloud.dev.port), 10) as s:
        s.sendall(f"POST /compute/v2.1/servers HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {cloud.token}\r\n"
                  "Content-Type: application/json\r\nContent-Length: 2000000\r\n\r\n{".encode())
        answer = s.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413 ") and '"overLimit"' in answer, answer


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
