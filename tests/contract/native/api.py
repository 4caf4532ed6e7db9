#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native
"""The native API: lists, pages, filters and ETags; changes of one row and of many, If-Match, ?dry=1; two accounts over every kind and every call that
names a row; invalid values for every parameter, from the face's tables."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import native  # noqa: E402
from dev import Dev  # noqa: E402

ACTIONS = native.dump()["actions"]
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
LISTED = sorted(a["path"] for a in ACTIONS if a["lists"] and not a["admin"])
NAMING = [a for a in ACTIONS if "{id}" in a["path"] and not a["admin"]]
CHANGES = [a for a in ACTIONS if a["method"] != "GET" and not a["admin"]]
OF_FORMS = [a for a in CHANGES if a["path"].endswith("/acs")]  # a browser's form, answered by a redirect; tests/contract/console/saml_sign_in.py tries it


ENCODED = "eA=="  # valid base64


def label(action):
    return f"{action['method']} {action['path']}"


@pytest.fixture(scope="module")
def two():
    with Dev() as dev:
        mine, theirs = native.another(dev, "mine"), native.another(dev, "theirs")
        for project in (mine, theirs):
            cloud.furnish(dev, project)
            ticket = project.api_ok("POST", "/tickets", {"subject": "It panics", "body": "Every night."})["items"][0]["id"]
            project.api_ok("POST", f"/tickets/{ticket}/attach", {"name": "log", "data": ENCODED})
        dev.rest()
        yield mine, theirs


@pytest.fixture(scope="module")
def image(two):
    return native.image_of(two[0].dev)


@pytest.fixture(scope="module")
def their_rows(two):
    """One id of each kind that only the other account has."""
    own = {path: {r["id"] for r in two[0].rows(path)} for path in LISTED}
    return {path: [r["id"] for r in two[1].rows(path) if r["id"] not in own[path]] for path in LISTED}


# ---- two accounts


def test_the_world_is_furnished(their_rows):
    assert sum(bool(ids) for ids in their_rows.values()) >= 20, {p: len(i) for p, i in their_rows.items()}


@pytest.mark.parametrize("path", LISTED)
def test_lists_are_of_one_account(two, their_rows, path):
    text = json.dumps(two[0].rows(path + "?fields=*"))
    for ids in their_rows.values():
        for i in ids:
            assert i not in text, f"{path} names {i} of the other account"


@pytest.mark.parametrize("path", LISTED)
def test_nothing_of_the_other_is_found(two, their_rows, path):
    for i in their_rows[path][:1]:
        for behind in ("", "/events"):
            theirs, absent = two[0].api("GET", f"{path}/{i}{behind}"), two[0].api("GET", f"{path}/{ABSENT}{behind}")
            assert theirs.status == absent.status == 404, f"{path}/{i}{behind}: {theirs}"
            assert theirs.json["detail"].replace(i, ABSENT) == absent.json["detail"]


@pytest.mark.parametrize("action", [a for a in NAMING if a["method"] != "GET"], ids=label)
def test_nothing_of_the_other_is_changed(two, their_rows, action):
    path = "/" + action["path"].split("/")[1]
    body = {p["name"]: value_for(p, two[0]) for p in action["params"] if is_in_body(p)}
    for i in their_rows.get(path, [])[:1]:
        before = two[1].api("GET", f"{path}/{i}").json["item"]
        answer = two[0].api(action["method"], action["path"].replace("{id}", i), body)
        assert answer.status in (400, 403, 404), f"{answer}"
        after = two[1].api("GET", f"{path}/{i}").json["item"]
        assert {k: v for k, v in after.items() if k != "batch"} == {k: v for k, v in before.items() if k != "batch"}


def test_only_administrators_operate(two):
    for action in ACTIONS:
        if action["admin"]:
            answer = two[0].api(action["method"], action["path"].replace("{id}", ABSENT), None if action["method"] == "GET" else {})
            assert answer.status == 403, f"{label(action)}: {answer}"


def test_all_is_for_administrators(two):
    assert two[0].api("GET", "/instances?all=1").status == 403
    assert two[0].api("GET", f"/instances?account={two[1].id}").status in (403, 404)
    seen = {r["id"] for r in native.admin(two[0].dev).rows("/instances?all=1")}
    assert {r["id"] for p in two for r in p.rows("/instances")} <= seen


def test_hosts_are_the_operators_business(two):
    for row in two[0].rows("/instances?fields=*"):
        assert not {"host", "target", "old_host", "cpu", "machine"} & set(row)
    assert all("host" in r for r in native.admin(two[0].dev).rows("/instances?all=1&fields=host,state") if r["state"] == "running")


# ---- lists


def test_pages_and_orders(two, image):
    mine = two[0]
    made = mine.api_ok("POST", "/instances", {"image": image, "type": "t3.micro", "count": 7, "name": "page"})["items"]
    for order in ("created", "-created", "name", "-name", "state", "type"):
        ids, after = [], ""
        while True:
            page = mine.api_ok("GET", f"/instances?q=page&order={order}&limit=2&total=1{after}")
            assert page["total"] == 7 and len(page["items"]) <= 2
            ids += [r["id"] for r in page["items"]]
            if "next" not in page:
                break
            after = "&after=" + page["next"]
        assert sorted(ids) == sorted(r["id"] for r in made), order
        if order.endswith("name"):
            names = [next(r["name"] for r in made if r["id"] == i) for i in ids]
            assert names == sorted(names, reverse=order[0] == "-")
    answer = mine.api_ok("POST", "/instances/delete", {"ids": [r["id"] for r in made]})
    assert len(answer["done"]) == 7 and not answer["failed"]


def test_filters(two):
    mine = two[0]
    rows = mine.rows("/instances?fields=*")
    assert rows
    one = rows[0]
    for name, value in (("state", one["state"]), ("type", "t3.micro"), ("type", one["type"]), ("wanted_power", one["wanted_power"]),
                        ("subnet", one["subnet"]), ("vcpus", one["vcpus"]), ("q", one["ec2"]), ("q", one["addresses"][0]["ip"] if one["addresses"] else one["id"])):
        assert one["id"] in {r["id"] for r in mine.rows(f"/instances?{name}={value}")}, (name, value)
    assert not mine.rows("/instances?key_name=nobodys")


def test_etags(two):
    mine = two[0]
    first = mine.api("GET", "/key-pairs")
    assert mine.api("GET", "/key-pairs", If_None_Match=first.headers["ETag"]).status == 304
    mine.api_ok("POST", "/key-pairs", {"name": "etag"})
    assert mine.api("GET", "/key-pairs", If_None_Match=first.headers["ETag"]).status == 200
    assert two[1].api("GET", "/key-pairs").headers["ETag"] != first.headers["ETag"]


# ---- changes


def test_launch(two, image):
    mine = two[0]
    body = {"image": image, "type": "t3.micro", "count": 2, "name": "web", "tags": {"role": "web"}, "root_size": 3 << 30}
    would = mine.api("POST", "/instances?dry=1", body)
    assert would.status == 200 and would.json["would"]["makes"]["instance"] == 2
    assert would.json["would"]["placement"]["fits"] > 0
    used = next(q for q in would.json["would"]["quota"] if q["name"] == "instances")
    assert used["would_use"] - used["used"] == 2
    assert not mine.rows("/instances?q=web")
    made = mine.api_ok("POST", "/instances", body, Idempotency_Key="one")
    again = mine.api_ok("POST", "/instances", body, Idempotency_Key="one")
    assert [r["id"] for r in made["items"]] == [r["id"] for r in again["items"]]
    assert mine.api("POST", "/instances", {**body, "count": 1}, Idempotency_Key="one").status == 409
    mine.dev.rest()
    row = mine.api_ok("GET", f"/instances/{made['items'][0]['id']}")["item"]
    assert row["state"] == "running" and row["tags"] == {"role": "web"} and row["addresses"] and row["conditions"] == []
    assert mine.ec2.describe_instances(InstanceIds=[row["ec2"]])["Reservations"][0]["Instances"][0]["State"]["Name"] == "running"
    stale = mine.api("PATCH", f"/instances/{row['id']}", {"name": "db"}, If_Match=f'"{row["gen"] + 1}"')
    assert stale.status == 412 and stale.json["row"]["id"] == row["id"]
    assert mine.api_ok("PATCH", f"/instances/{row['id']}", {"name": "db"}, If_Match=f'"{row["gen"]}"')["items"][0]["name"] == "db"
    for path, said in [("/instances", body), ("/instances/stop", {"ids": [row["id"]]})]:  # no row, or one of many, whose gen would be compared
        unread = mine.api("POST", path, said, If_Match='"1"')
        assert unread.status == 400 and unread.json["field"] == "If-Match", unread.json
    mine.api_ok("POST", f"/instances/{row['id']}/lock", {"reason": "not now"})
    ids = [r["id"] for r in made["items"]] + [ABSENT]
    many = mine.api_ok("POST", "/instances/stop", {"ids": ids})
    assert len(many["done"]) + len(many["failed"]) == 3
    assert {f["id"] for f in many["failed"]} >= {ABSENT}
    assert all(f["error"]["type"].startswith("urn:dari:") and f["error"]["advice"] for f in many["failed"])
    mine.api_ok("POST", f"/instances/{row['id']}/unlock", {})
    assert len(mine.api_ok("POST", "/instances/delete", {"ids": ids[:2]})["done"]) == 2


def test_no_room(two, image):
    answer = two[0].api("POST", "/instances", {"image": image, "type": "m5.4xlarge", "count": 40})
    assert answer.status == 503 and answer.json["type"] == "urn:dari:no-capacity"
    assert answer.headers["Content-Type"] == "application/problem+json" and answer.json["reasons"] is not None


def test_a_vpc(two):
    mine = two[0]

    def made(path, body):
        return mine.api_ok("POST", path, body)["items"][0]["id"]
    vpc = made("/routers", {"block": "10.40.0.0/16", "name": "v"})
    subnet = made("/subnets", {"router": vpc, "block": "10.40.1.0/24"})
    gateway = made("/gateways", {})
    mine.api_ok("POST", f"/gateways/{gateway}/attach", {"router": vpc})
    table = mine.rows(f"/route-tables?router={vpc}")[0]["id"]
    route = made("/routes", {"table": table, "destination": "0.0.0.0/0", "gateway": gateway})
    tables = [made("/route-tables", {"router": vpc}) for _ in range(2)]
    unused = mine.api("POST", f"/route-tables/{tables[0]}/replace", {"subnet": subnet})
    assert unused.status == 409 and unused.json["type"] == "urn:dari:wrong-state"
    for path, uses in ((f"{tables[0]}/associate", tables[0]), (f"{tables[1]}/replace", tables[1]), (f"{tables[1]}/disassociate", None)):
        assert mine.api_ok("POST", f"/route-tables/{path}", {"subnet": subnet})["items"][0].get("route_table") == uses
        assert mine.api("POST", f"/route-tables/{tables[0] if uses != tables[0] else tables[1]}/disassociate", {"subnet": subnet}).json["type"] == "urn:dari:wrong-state"
    for table in tables:
        mine.api_ok("DELETE", f"/route-tables/{table}")
    group = made("/security-groups", {"name": "g", "description": "d", "router": vpc})
    rule = made("/security-group-rules/ingress", {"group": group, "protocol": 6, "from_port": 22, "to_port": 22, "peer_block": "0.0.0.0/0"})
    assert mine.api("DELETE", f"/security-group-rules/{rule}/egress").status == 404
    mine.api_ok("DELETE", f"/security-group-rules/{rule}/ingress")
    mine.api_ok("DELETE", f"/routes/{route}")
    mine.api_ok("POST", f"/gateways/{gateway}/detach", {"router": vpc})
    in_use = mine.api("DELETE", f"/routers/{vpc}")
    assert in_use.status == 409 and in_use.json["type"] == "urn:dari:in-use"
    mine.api_ok("DELETE", f"/security-groups/{group}")
    mine.api_ok("DELETE", f"/subnets/{subnet}")
    mine.api_ok("DELETE", f"/gateways/{gateway}")
    mine.api_ok("DELETE", f"/routers/{vpc}")


def test_secrets_are_told_once(two):
    mine = two[0]
    made = mine.api_ok("POST", "/key-pairs", {"name": "once"})
    assert "PRIVATE KEY" in made["private_key"]
    assert "private_key" not in json.dumps(mine.rows("/key-pairs?fields=*"))


# ---- bad values

BAD = {"integer": "x", "boolean": "maybe", "id": {"a": 1}, "ip": "1.2.3", "cidr": "10.0.0.0/99", "list of ids": 7, "list of strings": 7, "list of objects": 7,
       "object of strings": 7, "string": {"a": 1}}
GOOD = {"integer": 1, "boolean": True, "ip": "10.0.0.1", "cidr": "10.99.0.0/24", "object of strings": {}}


def is_in_body(param):
    """True if the parameter belongs to the body: the table also lists those of the path."""
    return param["required"] and param["in"] != "path"


def value_for(param, project):
    if param["name"] == "data":
        return ENCODED
    if param.get("words"):
        return param["words"].split("|")[0]
    if "list" in param["type"]:
        return []
    if param["type"] == "id":
        return ABSENT
    return GOOD.get(param["type"], "x" * max(1, param.get("min", 0)))


@pytest.mark.parametrize("action", [a for a in CHANGES if a not in OF_FORMS], ids=label)
def test_bad_values(two, action):
    path = action["path"].replace("{id}", ABSENT)
    good = {p["name"]: value_for(p, two[0]) for p in action["params"] if is_in_body(p)}
    if "/{id}" not in action["path"] and action["many"]:
        good["ids"] = [ABSENT]
    is_file = action["path"].endswith("/data")  # its body is not JSON
    for p in action["params"]:
        if "." in p["name"]:
            continue
        answer = two[0].api(action["method"], path, {**good, p["name"]: BAD[p["type"]]})
        assert answer.status == 400, f"{p['name']}: {answer}"
        assert answer.json["field"].startswith("Content-Type" if is_file else p["name"]), f"{p['name']}: {answer}"
        if is_in_body(p):
            answer = two[0].api(action["method"], path, {k: v for k, v in good.items() if k != p["name"]})
            assert answer.status == 400 and answer.json["field"] == p["name"], f"without {p['name']}: {answer}"
    answer = two[0].api(action["method"], path, {**good, "colour": 1})
    assert answer.status == 400 and answer.json["field"] == ("Content-Type" if is_file else "colour"), f"{answer}"


@pytest.mark.parametrize("query,field", [("limit=0", "limit"), ("limit=1001", "limit"), ("order=colour", "order"), ("after=x", "after"), ("fields=colour", "fields"),
                                         ("colour=1", "colour"), ("state=asleep", "state"), ("vcpus=many", "vcpus"), ("all=2", "all"),
                                         ("q=" + "+".join("abcdefghi"), "q"), ("host=x", "host")])
def test_bad_lists(two, query, field):
    answer = two[0].api("GET", "/instances?" + query)
    assert answer.status == 400 and answer.json["field"] == field, f"{answer}"


def test_bad_requests(two):
    mine = two[0]
    assert mine.api("GET", "/nothing").status == 404
    assert mine.api("DELETE", "/instances").json["type"] == "urn:dari:no-method"
    assert mine.call("POST", "/api/v1/instances", raw=b"[1]").status == 400
    assert mine.call("POST", "/api/v1/instances", raw=b"{").status == 400
    assert mine.call("GET", "/api/v1/instances", headers={"X-Auth-Token": "x"}).status == 401
    assert mine.api("POST", "/instances/stop", {"ids": []}).json["field"] == "ids"
    assert mine.api("POST", "/instances/stop", {"ids": [7]}).json["field"] == "ids"
    assert mine.api("POST", "/instances/stop", {"ids": [ABSENT] * 1001}).json["field"] == "ids"
    assert mine.api("GET", "/search").json["field"] == "q"
    assert mine.api("GET", "/may?permission=a.b").json["field"] == "permission"


def test_paths_that_no_face_has(two):
    """The face of the credential refuses unknown paths, otherwise the native one; EC2's XML is used for its own calls only."""
    mine = two[0]
    for headers, kind in (({}, "application/problem+json"), ({"Authorization": "Bearer x"}, "application/json"),
                          ({"Authorization": "AWS4-HMAC-SHA256 x"}, "text/xml"), ({"X-Auth-Token": "x"}, "application/problem+json")):
        answer = mine.call("POST", "/batch?api-version=2020-06-01", {"requests": []}, headers=headers)
        assert answer.status in (400, 401, 404) and answer.headers["Content-Type"].startswith(kind), f"{headers} {answer}"


# ---- the rest


def test_search_and_may(two):
    mine = two[0]
    row = mine.rows("/volumes")[0]
    found = mine.api_ok("GET", f"/search?q={row['ec2']}")["items"]
    assert [f["id"] for f in found if f["kind"] == "volume"] == [row["id"]]
    assert not two[1].api_ok("GET", f"/search?q={row['ec2']}")["items"]
    may = mine.api_ok("GET", f"/may?permission=volume.delete,volume.list&id={row['id']}")["may"]
    assert may == {"volume.delete": True, "volume.list": True}
    assert two[1].api("GET", f"/may?permission=volume.delete&id={row['id']}").status == 404


def test_quotas(two):
    """Quotas count what they name; other accounts' are for administrators."""
    mine, other, operator = two[0], two[1], native.admin(two[0].dev)
    before = {q["name"]: q for q in mine.api_ok("GET", "/quotas")["items"]}
    made = mine.api_ok("POST", "/volumes", {"size": 2**30, "zone": mine.rows("/zones")[0]["id"]})["items"][0]["id"]
    after = {q["name"]: q for q in mine.api_ok("GET", "/quotas")["items"]}
    assert after["volumes"]["used"] == before["volumes"]["used"] + 1 and after["volume_bytes"]["used"] == before["volume_bytes"]["used"] + 2**30
    mine.api_ok("DELETE", f"/volumes/{made}")
    account = mine.api_ok("GET", "/me")["account"]
    assert other.api("GET", f"/quotas?account={account}").status in (403, 404)
    limit = before["snapshots"]["limit"]
    operator.api_ok("PATCH", f"/accounts/{account}/limits", {"snapshots": 3})
    for who in (mine, operator):
        said = {q["name"]: q for q in who.api_ok("GET", f"/quotas?account={account}")["items"]}
        assert said["snapshots"]["limit"] == 3 and said["instances"]["limit"] == before["instances"]["limit"]
    operator.api_ok("PATCH", f"/accounts/{account}/limits", {"snapshots": limit})
    assert mine.api("PATCH", f"/accounts/{account}/limits", {"snapshots": -1}).status == 403


def test_it_describes_itself(two):
    schema = two[0].api_ok("GET", "/schema")
    assert {k["path"] for k in schema["kinds"]} == {a["path"][1:] for a in ACTIONS if a["lists"]}
    document = two[0].api_ok("GET", "/openapi.json")
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert "default" in operation["responses"] and operation["summary"], (path, method)
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == {s[1:-1] for s in path.split("/") if s.startswith("{")}, path


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
