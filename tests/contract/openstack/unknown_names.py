#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""Names that no row reads, in every call of the OpenStack face: as a filter, as a member of the body at every depth, beside the
body's object, as a second action, in a conditional header. Each service refuses them in its own words, or its table has the
source that proves that it ignores them. Nothing changes."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as os_lib  # noqa: E402
from dev import Dev  # noqa: E402
from cloud import VOLUME, admin, another, body_of, dump, members, minor_of, path_of, title, version_of  # noqa: E402

TABLES = dump()
ACTIONS = {title(a): a for a in TABLES["actions"]}
LOOKS = sorted(t for t, a in ACTIONS.items() if a["method"] == "GET" and not a["open"] and a["path"] != "/")
BODIES = sorted(t for t, a in ACTIONS.items() if members(a) and not a["raw"])
ENTIRE = {  # bodies that keep members which their service does not know
    ("identity", "POST"), ("identity", "PATCH"), ("identity", "PUT"), ("image", "POST"), ("image", "PUT")}
WORDS = {"network": "Unrecognized attribute(s) 'colour'", "block-storage": "('colour' was unexpected)"}
QUERY_WORDS = {"network": "['colour'] is invalid attribute for filtering", "block-storage": "Invalid filters colour are found",
               "compute": "('colour' was unexpected)", "placement": "('colour' was unexpected)"}


@pytest.fixture(scope="module")
def cloud():
    with Dev() as dev:
        yield admin(dev)


@pytest.fixture(scope="module")
def member(cloud):
    return another(cloud.dev, "acme")


def say(project, action, query="", body=None, version=None):
    return project.call(action["method"], path_of(action) + query, body, version=version or version_of(action))


@pytest.mark.parametrize("name", LOOKS)
def test_queries(member, name):
    """As a user who is no administrator: the same answer as without the name, or the refusal."""
    action = ACTIONS[name]
    rule = action["unknown_query"]
    plain, asked = say(member, action), say(member, action, "?colour=red")
    if plain.status != 200:
        assert asked.status == plain.status or asked.status == 400, asked
    elif rule["since"] is not None and minor_of(action) >= rule["since"]:
        assert asked.status == 400 and QUERY_WORDS[action["service"]] in asked.text, asked
    else:
        assert rule["source"], f"{name} ignores a name, and nothing says why"
        assert asked.status == 200 or QUERY_WORDS[action["service"]] in asked.text, asked  # a sum of what a list returns


@pytest.mark.parametrize("name", BODIES)
def test_members(cloud, name):
    action = ACTIONS[name]
    objects = [p["name"] + (".N" if p["type"] == "list of objects" else "") for p in members(action)
               if p["type"] in ("object", "list of objects")]
    keeps = (action["service"], action["method"]) in ENTIRE
    for outer in ([] if keeps else [""]) + objects:
        answer = say(cloud, action, body=body_of(action, (outer + "." if outer else "") + "colour", "red"))
        if action["path"] == "/v3/auth/tokens":
            assert answer.status in (400, 401), answer
        elif "os-quota" not in action["path"]:
            assert answer.status == 400 and WORDS.get(action["service"], "('colour' was unexpected)") in answer.text, f"{outer}: {answer}"


@pytest.mark.parametrize("name", sorted(t for t in BODIES if ACTIONS[t]["name"] or ACTIONS[t]["wrap"]))
def test_beside_the_object(cloud, name):
    action = ACTIONS[name]
    answer = say(cloud, action, body={**body_of(action), "colour": "red"})
    words = "too many body keys" if action["name"] else WORDS.get(action["service"], "('colour' was unexpected)")
    assert answer.status == 400 and words in answer.text, answer


def test_filters_by_microversion(cloud, member):
    """Cinder ignores an unknown filter before 3.31, except an administrator's, for whom it finds nothing."""
    member.ok("POST", "/volume/v3/volumes", {"volume": {"size": 1, "name": "a"}})
    cloud.dev.rest()
    assert len(member.ok("GET", "/volume/v3/volumes?colour=red", version="volume 3.30")["volumes"]) == 1
    for minor in (31, 34, 70):
        for query in ("colour=red", "name~=a"):
            answer = member.call("GET", f"/volume/v3/volumes/detail?{query}", version=f"volume 3.{minor}")
            assert answer.status == 400, answer
    assert cloud.call("GET", "/volume/v3/volumes?all_tenants=1&colour=red").status == 400


@pytest.mark.parametrize("query, found", [
    ("metadata={'a':'b'}", {"one", "three"}), ("metadata={'a':+'b',+\"c\":+'d'}", {"one"}), ("metadata={'a':'z'}", set()),
    ("metadata=a", set()), ("metadata={'a'", set()), ("size=2", {"two", "three"}), ("size=x", set()),
    ("migration_status=migrating", set()), ("migration_status=None", {"one", "two", "three"}),
    ("consumes_quota=True", {"one", "two", "three"}), ("consumes_quota=0", set()), ("name=one&size=1", {"one"})])
def test_volume_filters(cloud, query, found):
    if not hasattr(cloud, "filtered"):
        cloud.filtered = another(cloud.dev, "filters")
        for name, size, metadata in (("one", 1, {"a": "b", "c": "d"}), ("two", 2, {}), ("three", 2, {"a": "b"})):
            cloud.filtered.ok("POST", "/volume/v3/volumes", {"volume": {"size": size, "name": name, "metadata": metadata}})
        cloud.dev.rest()
    shown = cloud.filtered.ok("GET", f"/volume/v3/volumes/detail?{query}&with_count=1&limit=1", version=VOLUME)
    assert shown["count"] == len(found)
    all_of_them = cloud.filtered.ok("GET", f"/volume/v3/volumes/detail?{query}", version=VOLUME)["volumes"]
    assert {v["name"] for v in all_of_them} == found


def test_if_match(member):
    """Neutron's condition holds for PUT and DELETE of each kind; nothing changes where it does not hold."""
    network = member.ok("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]
    things = [("networks", "network", network)]
    for path, item, body in (("subnets", "subnet", {"network_id": network["id"], "cidr": "10.9.0.0/24", "ip_version": 4}),
                             ("ports", "port", {"network_id": network["id"]}), ("routers", "router", {}),
                             ("security-groups", "security_group", {"name": "g"})):
        things.append((path, item, member.ok("POST", f"/network/v2.0/{path}", {item: body})[item]))
    for path, item, thing in things:
        at = f"/network/v2.0/{path}/{thing['id']}"
        for tag in ("revision_number=999", '"revision_number=999"', '"a", "revision_number=999"'):
            for method, body in (("PUT", {item: {"description": "d"}}), ("DELETE", None)):
                answer = member.call(method, at, body, headers={"If-Match": tag})
                assert answer.status == 412 and answer.json["NeutronError"]["type"] == "RevisionNumberConstraintFailed", answer
        for tag in ("revision_number=x", '"revision_number=1", "revision_number=2"'):
            assert member.call("PUT", at, {item: {"description": "d"}}, headers={"If-Match": tag}).status == 400
        before = member.ok("GET", at)[item]
        assert before["description"] == ""
        held = {"If-Match": f"revision_number={before['revision_number']}"}
        after = member.ok("PUT", at, {item: {"description": "d"}}, headers=held)[item]
        assert after["description"] == "d" and after["revision_number"] > before["revision_number"]
        assert member.call("PUT", at, {item: {"description": "e"}}, headers=held).status == 412
    for path, item, thing in reversed(things):
        at = f"/network/v2.0/{path}/{thing['id']}"
        revision = member.ok("GET", at)[item]["revision_number"]
        assert member.call("DELETE", at, headers={"If-Match": f"revision_number={revision}"}).status == 204


def test_one_action(cloud):
    """Of two actions in one body none runs."""
    for path in (f"/compute/v2.1/servers/{os_lib.ABSENT}/action", f"/volume/v3/volumes/{os_lib.ABSENT}/action"):
        answer = cloud.call("POST", path, {"pause": None, "os-extend": {"new_size": 9}, "os-start": None})
        assert answer.status == 400 and "too many body keys" in answer.text, answer


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
