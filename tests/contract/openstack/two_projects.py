#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/openstack src/engine/resolve src/auth/guard
"""Two projects: nothing of one's is seen or changed by the other, in no call of the OpenStack face and for no kind of
resource, and the answer is what an id that does not exist gets, but for the id."""
import copy
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from cloud import ABSENT, LISTS, body_of, dump, members, path_of, title, version_of  # noqa: E402
from dev import Dev  # noqa: E402

TABLES = dump()
ACTIONS = {title(a): a for a in TABLES["actions"] if not a["open"] and a["service"] not in ("identity", "placement")}
# Whoever has an offer's id may take it by its key, and so learn that it is there.
OF_PATH = sorted(t for t, a in ACTIONS.items() if any(p["in"] == "path" and p.get("kind") in LISTS for p in a["params"])
                 and not a["raw"] and not a["path"].endswith("/accept"))
IN_BODY = sorted(t for t, a in ACTIONS.items() if any(
    p["type"] in ("id", "list of ids") and p.get("kind") in LISTS and p["in"] == "body" for p in a["params"]))


@pytest.fixture(scope="module")
def projects():
    with Dev() as dev:
        mine, theirs = lib.another(dev, "mine"), lib.another(dev, "theirs")
        lib.furnish(dev, mine)
        lib.furnish(dev, theirs)
        yield mine, theirs


@pytest.fixture(scope="module")
def their_ids(projects):
    found = lib.ids_of(projects[1])
    built = {(a["prefix"] + a["path"]).replace("v3/{project_id}", "v3") for a in TABLES["actions"] if a["method"] == "GET"}
    wanted = {kind for kind, (path, _) in LISTS.items() if path.partition("?")[0] in built}
    assert set(found) == wanted, f"not furnished with {wanted - set(found)}"
    return found


@pytest.fixture(scope="module", autouse=True)
def nothing_changes(projects):
    before = [lib.digest(TABLES, project) for project in projects]
    yield
    projects[0].dev.rest()
    assert lib.digest(TABLES, projects[1]) == before[1]


def lists(project):
    """The texts of all that the project's lists show, and what is everybody's apart."""
    return [project.call("GET", path_of(a), version=version_of(a)).text for a in ACTIONS.values()
            if a["method"] == "GET" and "{" not in a["path"] and not a["admin"]]


def uuids(texts):
    return {i.replace("-", "") for text in texts for i in re.findall(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", text)}


def test_nothing_is_shared(projects):
    mine, theirs = (uuids(lists(p)) for p in projects)
    everybodys = uuids([projects[0].call("GET", p).text for p in ["/network/v2.0/networks?router:external=true", "/image/v2/images?visibility=public"]])
    shared = (mine & theirs) - everybodys
    both = {p.id for p in projects}
    assert not both & shared
    texts = " ".join(lists(projects[0])).replace("-", "")
    for found in lib.ids_of(projects[1]).values():
        assert found.replace("-", "") not in texts


def same(answer, identifier):
    return answer.status, answer.same().replace(identifier, "ID").replace(identifier.replace("-", ""), "ID")


def ask(project, action, ids, body):
    return project.call(action["method"], path_of(action, ids), body, version=version_of(action))


@pytest.mark.parametrize("name", OF_PATH)
def test_paths(projects, their_ids, name):
    """Theirs is as good as none."""
    action, mine = ACTIONS[name], lib.ids_of(projects[0])
    for p in (p for p in action["params"] if p["in"] == "path" and p.get("kind") in their_ids):
        kind, body = p["kind"], body_of(action)
        theirs = ask(projects[0], action, {**mine, kind: their_ids[kind]}, copy.deepcopy(body))
        absent = ask(projects[0], action, {**mine, kind: ABSENT}, copy.deepcopy(body))
        assert same(theirs, their_ids[kind]) == same(absent, ABSENT)
        assert 400 <= theirs.status < 500, theirs


@pytest.mark.parametrize("name", IN_BODY)
def test_bodies(projects, their_ids, name):
    action, mine = ACTIONS[name], lib.ids_of(projects[0])
    ids = [p for p in members(action) if p["type"] in ("id", "list of ids") and p.get("kind") in their_ids and p["built"]]
    for p in ids:
        answers = []
        for identifier in (their_ids[p["kind"]], ABSENT):
            body = body_of(action, p["name"], identifier if p["type"] == "id" else [identifier])
            inner = body[action["name"] or action["wrap"]] if action["name"] or action["wrap"] else body
            for q in members(action):  # what else is required is right
                if q is not p and q["required"] and q.get("kind") in mine and "." not in q["name"]:
                    inner[q["name"]] = mine[q["kind"]]
                elif q is not p and q["required"] and "." not in q["name"] and q["type"] == "cidr":
                    inner[q["name"]] = "10.99.0.0/24"
            answers.append(same(projects[0].call(action["method"], path_of(action, mine), body, version=version_of(action)), identifier))
        assert answers[0] == answers[1], f"{p['name']}: {json.dumps(body)}"
        assert 400 <= answers[0][0] < 500, answers[0]


@pytest.mark.parametrize("name", sorted(t for t, a in ACTIONS.items() if a["filters"]))
def test_filters(projects, their_ids, name):
    """No filter leads to what is theirs."""
    action = ACTIONS[name]
    for word in action["filters"]:
        for value in {*their_ids.values(), projects[1].id}:
            answer = projects[0].call("GET", f"{path_of(action, lib.ids_of(projects[0]))}?{word}={value}", version=version_of(action))
            if answer.status == 200:
                assert not any(i in answer.text for i in their_ids.values()), f"{word}={value}: {answer}"


@pytest.mark.parametrize("name", sorted(t for t, a in ACTIONS.items() if a["admin"]))
def test_administration(projects, name):
    """What is an administrator's is refused, whatever is asked."""
    action = ACTIONS[name]
    answer = ask(projects[0], action, lib.ids_of(projects[0]), body_of(action))
    assert answer.status == 403, answer


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
