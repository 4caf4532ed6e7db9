#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/remote/openstack src/drivers/remote/ec2/resources.c src/reconcile/remote/resources.c src/daemon/client/commands_remote.c
"""Stacks of providers with their resources. Heat's answers have the forms of the Orchestration API reference: another Dari's Keystone signs in, and a proxy adds
Heat to its catalog and answers for it. A Dari has no CloudFormation, and so a provider of its EC2 API has no stacks; all-providers-moto.py has some."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from dev import Dev  # noqa: E402
from elsewhere import add, launch, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

PROJECT = "0123456789abcdef0123456789abcdef"
MANY = 250  # more than a page


def stack(n, name, status="CREATE_COMPLETE"):
    identity = f"3095aefc-09fb-4bc7-b1f0-{n:012x}"
    return {"creation_time": "2026-06-12T20:06:18Z", "description": "A server of its own", "id": identity, "links": [{"href": "http://elsewhere/", "rel": "self"}],
            "stack_name": name, "stack_status": status, "stack_status_reason": "Stack CREATE completed successfully", "updated_time": None, "stack_owner": None,
            "parent": None, "stack_user_project_id": "65728b74-cfe7-4f17-9c15-11d4f686e591", "deletion_time": None, "tags": None}


def resource(name, kind, physical, status="CREATE_COMPLETE"):
    return {"creation_time": "2026-06-25T18:59:54Z", "links": [], "logical_resource_id": name, "physical_resource_id": physical, "required_by": [], "resource_name": name,
            "resource_status": status, "resource_status_reason": "state changed", "resource_type": kind, "updated_time": "2026-06-25T18:59:54Z"}


class Heat:
    """Recorded forms of Heat's answers for the stacks that a test sets, behind a proxy in front of Keystone."""

    def __init__(self, there):
        self.proxy, self.stacks, self.parts, self.spoilt = elsewhere.Proxy(there, "/identity/v3"), [], {}, None
        self.base = self.proxy.url.removesuffix("/identity/v3")
        self.proxy.change, self.proxy.spoil = self.add_to_catalog, self.serve

    def add_to_catalog(self, path, _body, answer):
        if not path.endswith("/auth/tokens"):
            return answer
        token = json.loads(answer)
        region = token["token"]["catalog"][0]["endpoints"][0]["region"]
        endpoint = {"id": "1", "interface": "public", "region": region, "region_id": region, "url": f"{self.base}/heat/v1/{PROJECT}"}
        token["token"]["catalog"].append({"id": "2", "name": "heat", "type": "orchestration", "endpoints": [endpoint]})
        return json.dumps(token).encode()

    def serve(self, method, path, _body):
        found = re.fullmatch(rf"/heat/v1/{PROJECT}/stacks(?:/([^/?]+)/([^/?]+)/resources)?(?:\?(.*))?", path)
        if not found or method != "GET":
            return None
        if self.spoilt:
            return self.spoilt
        if not found[1]:
            return self.page(dict(pair.split("=") for pair in (found[3] or "").split("&") if pair))
        if not any((s["stack_name"], s["id"]) == (found[1], found[2]) for s in self.stacks):
            text = {"code": 404, "error": {"message": f"The Stack ({found[1]}) could not be found.", "traceback": None, "type": "EntityNotFound"},
                    "explanation": "The resource could not be found.", "title": "Not Found"}
            return 404, {"Content-Type": "application/json"}, json.dumps(text).encode()
        return 200, {"Content-Type": "application/json"}, json.dumps({"resources": self.parts.get(found[2], [])}).encode()

    def page(self, query):
        ids, limit = [s["id"] for s in self.stacks], int(query["limit"])
        first = ids.index(query["marker"]) + 1 if "marker" in query else 0
        answer = {"stacks": self.stacks[first:first + limit]}
        if len(answer["stacks"]) == limit:
            answer["links"] = [{"href": "http://elsewhere/next", "rel": "next"}]
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        there.ec2 = there.account.client()
        launch(there)
        home.heat = Heat(there)
        home.heat.stacks = [stack(1, "web"), stack(2, "empty", "CREATE_FAILED"), stack(3, "db")]
        home.heat.parts = {stack(1, "web")["id"]: [resource("server", "OS::Nova::Server", "s-1"), resource("port", "OS::Neutron::Port", "p-1")],
                           stack(3, "db")["id"]: [resource("server", "OS::Nova::Server", "s-2"), resource("x" * 255, "OS::Heat::None", "")]}
        add(home, "there", "openstack", there, home.heat.proxy.url)
        add(home, "dari", "aws", there)
        yield home
        home.heat.proxy.end()


@pytest.fixture(autouse=True)
def honest(world):
    yield
    world.heat.spoilt = None


def rows(world, kind, *more, name="there"):
    return {r["ref"]: r for r in world.command("remote", "resources", "--provider", name, "--type", kind, *more)}


def refresh(world, *more):
    assert run(world, "provider", "refresh", "there", *more).returncode == 0


def test_list(world):
    wait_until(lambda: len(rows(world, "stack")) == 3 and len(rows(world, "stack_resource")) == 4, "the stacks", shows=lambda: provider(world))
    web = stack(1, "web")["id"]
    row = rows(world, "stack")[web]
    assert (row["name"], row["state"], row["attributes"]["description"]) == ("web", "CREATE_COMPLETE", "A server of its own")
    parts = rows(world, "stack_resource", "--of", web)
    assert set(parts) == {f"{web}/server", f"{web}/port"}
    assert (parts[f"{web}/server"]["name"], parts[f"{web}/server"]["attributes"]["physical_id"]) == ("server", "s-1")
    long = [ref for ref in rows(world, "stack_resource") if len(ref) > 64]
    assert len(long) == 1 and re.fullmatch(stack(3, "db")["id"] + "/[0-9a-f]{64}", long[0])
    assert not provider(world).get("unlisted")


def test_shown(world):
    """In /api/v1, and in search."""
    own = native.own(world)
    web = stack(1, "web")["id"]
    shown = own.rows("/remote-resources?type=stack")
    assert {r["name"] for r in shown} == {"web", "empty", "db"} and all(r["refreshed_us"] for r in shown)
    row = rows(world, "stack")[web]
    assert row["id"] in json.dumps(own.api_ok("GET", "/search?q=" + web))


def test_changes_there(world):
    """A stack that ends takes its resources with it; a new one shows with them, in pages."""
    heat, before = world.heat, list(world.heat.stacks)
    heat.stacks = [stack(n, f"s{n}") for n in range(10, 10 + MANY)] + before[:2]
    heat.parts[stack(10, "s10")["id"]] = [resource("a", "OS::Cinder::Volume", "v")]
    refresh(world)
    wait_until(lambda: len(rows(world, "stack")) == MANY + 2 and f"{stack(10, 's10')['id']}/a" in rows(world, "stack_resource"), "the new stacks")
    wait_until(lambda: {r["parent"] for r in rows(world, "stack_resource").values()} == {stack(1, "web")["id"], stack(10, "s10")["id"]}, "the end of db's",
               shows=lambda: rows(world, "stack_resource"))
    heat.stacks = before
    refresh(world, "--accept-loss")
    wait_until(lambda: len(rows(world, "stack")) == 3, "the end of the others", shows=lambda: (len(rows(world, "stack")), provider(world)))


@pytest.mark.parametrize("answer", [(200, {}, b'{"stacks": 3}'), (502, {}, b"<html>bad gateway</html>"), (404, {}, b"{}"), (200, {}, b'{"stacks": [{"id": ""}]}')],
                         ids=["form", "page", "absent", "no id"])
def test_hostile(world, answer):
    """Bad answers leave the rows as they were, and the provider says so."""
    before = set(rows(world, "stack"))
    world.heat.spoilt = answer
    refresh(world)
    wait_until(lambda: any(u.startswith("stack: ") for u in provider(world).get("unlisted", [])), "the failure", shows=lambda: provider(world))
    assert set(rows(world, "stack")) == before and provider(world)["status"] == "ok"
    world.heat.spoilt = None
    refresh(world)
    wait_until(lambda: not provider(world).get("unlisted"), "rest", shows=lambda: provider(world))


def test_without_stacks(world):
    """Clouds without CloudFormation have no stacks, which is no failure."""
    wait_until(lambda: rows(world, "instance_type", name="dari"), "the listing")
    assert not rows(world, "stack", name="dari") and not provider(world, "dari").get("unlisted")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
