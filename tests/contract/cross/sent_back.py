#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure src/api/openstack
"""A resource that is sent back as it was shown does not change, and nothing else does: clients read, edit one member and send all of them. The calls come from the
faces' tables: each PUT of Azure, and each change of OpenStack that has a GET at its path. A new one without a resource here fails."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from dev import Dev  # noqa: E402
from faces import azure  # noqa: E402
from openstack_world import Stack  # noqa: E402

# ---- Azure


@pytest.fixture(scope="module")
def world():
    with azure.region() as (face, image):
        made = azure.World(face, face.dev.new_account("mallory"), image)
        made.make()
        made.make_parts()
        yield made


def without_etags(shown):
    """A PUT may make a new etag."""
    if isinstance(shown, list):
        return [without_etags(part) for part in shown]
    return {k: without_etags(v) for k, v in shown.items() if k != "etag"} if isinstance(shown, dict) else shown


def whole(made):
    made.cloud.dev.rest()
    return {word: without_etags(made.ask("GET", path)[2]) for word, path in azure.OWN.items()
            if f"GET {azure.shape_of(path)}" in azure.BY_SHAPE}


@pytest.mark.parametrize("name", [n for n in azure.BY_SHAPE if n.startswith("PUT ")])
def test_azure(world, name):
    word = azure.WORD_OF_SHAPE.get(name.split(" ")[1])
    assert word, "OWN of tests/lib/faces/azure.py has no resource of this type"
    before = whole(world)
    status, headers, answer = world.ask("PUT", azure.OWN[word], world.ask("GET", azure.OWN[word])[2])
    assert status == 200 or (status in (201, 202) and headers["Azure-AsyncOperation"]), answer
    assert whole(world) == before


# ---- OpenStack

GLANCES = {"created_at", "updated_at", "self", "schema", "image_id", "member_id"}  # which Glance makes
TIMES = {"updated_at", "updated", "revision_number"}  # services count the call
LEFT_OUT = {  # members that are shown and not sent back, and why
    "/limits/": dict.fromkeys(("project_id", "domain_id", "service_id", "region_id", "resource_name"), "Keystone takes the limit and the description"),
    "namespaces/named": dict.fromkeys(("objects", "properties", "tags", "resource_type_associations"), "each has calls of its own"),
    "volumes/": {"display_name": "the older name of name", "display_description": "the older name of description"},
    "port_forwardings/": {"internal_port_range": "Neutron takes a port or a range", "external_port_range": "Neutron takes a port or a range"}}
NOT_SENT_BACK = {  # calls whose body has another form than what GET shows
    "PUT /identity/v3/regions/{region_id}": "creates a region: 409 where there is one",
    "PATCH /identity/v3/registered_limits/{registered_limit_id}": "Keystone refuses to change one of which a project has a limit",
    "PUT /volume/v3/{project_id}/qos-specs/{qos_id}": "takes the keys of `specs` without it",
    "PUT /volume/v3/{project_id}/groups/{group_id} 13-0": "Cinder refuses a change that changes nothing",
    "PUT /load-balancer/v2/lbaas/pools/{pool_id}/members": "takes no ids: members are known by address and port",
    "PUT /compute/v2.1/os-hosts/{host_name} 0-42": "GET shows what the host's servers use"}


@pytest.fixture(scope="module")
def stack():
    with Dev() as dev:
        yield Stack(dev)


def changes():
    actions = cloud.dump()["actions"]
    shown = {a["prefix"] + a["path"] for a in actions if a["method"] == "GET"}
    for action in actions:
        if cloud.title(action) not in NOT_SENT_BACK and action["method"] in ("PUT", "PATCH") and action["prefix"] + action["path"] in shown and not action["raw"] and cloud.members(action):
            yield action


def steady(shown):
    return {k: v for k, v in shown.items() if k not in TIMES} if isinstance(shown, dict) else shown


@pytest.mark.parametrize("action", list(changes()), ids=cloud.title)
def test_openstack(stack, action):
    path = stack.path_of(action)
    stack.dev.rest()
    shown = stack.call(action, "GET", path)
    assert shown.status == 200, shown
    inner = shown.json[action["wrap"]] if action["wrap"] else shown.json
    taken = {p["name"] for p in cloud.members(action) if "." not in p["name"]}
    if action["service"] in ("identity", "image"):  # which keep members that they do not know
        taken |= set(inner) - {"id", "links", "password_expires_at"} - GLANCES
    taken -= {name for part, members in LEFT_OUT.items() if path.endswith(part) or part[-1] == "/" and part in path for name in members}
    body = {name: value for name, value in inner.items() if name in taken}
    assert body, f"GET shows none of {sorted(taken)}"
    answer = stack.call(action, action["method"], path, {action["wrap"]: body} if action["wrap"] else body)
    assert answer.status < 300, (body, answer)
    stack.dev.rest()
    again = stack.call(action, "GET", path)
    assert again.status == 200 and steady(again.json[action["wrap"]] if action["wrap"] else again.json) == steady(inner), (body, again)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=400", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
