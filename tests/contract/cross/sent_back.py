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

# ---- Azure


@pytest.fixture(scope="module")
def world():
    with azure.region() as (face, image):
        made = azure.World(face, face.dev.new_account("mallory"), image)
        made.make()
        requests = azure.Azure()
        for word in ("extension", "command"):  # parts of the machine that doors.py makes itself
            _, path, body = requests.request(made, f"PUT {azure.shape_of(azure.OWN[word])}", word)
            assert made.ask("PUT", path, {"location": "useast1", **body})[0] in (200, 201, 202), word
        face.dev.rest()
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

ID, IMAGE, NET, NOVA, VOL = "/identity/v3", "/image/v2", "/network/v2.0", "/compute/v2.1", "/volume/v3"
GLANCES = {"created_at", "updated_at", "self", "schema", "image_id", "member_id"}  # which Glance makes
TIMES = {"updated_at", "updated", "revision_number"}  # services count the call
LEFT_OUT = {  # members that are shown and not sent back, and why
    "namespaces/named": dict.fromkeys(("objects", "properties", "tags", "resource_type_associations"), "each has calls of its own"),
    "volumes/": {"display_name": "the older name of name", "display_description": "the older name of description"},
    "port_forwardings/": {"internal_port_range": "Neutron takes a port or a range", "external_port_range": "Neutron takes a port or a range"}}
NOT_SENT_BACK = {  # calls whose body has another form than what GET shows
    "PUT /identity/v3/regions/{region_id}": "creates a region: 409 where there is one",
    "PUT /volume/v3/{project_id}/qos-specs/{qos_id}": "takes the keys of `specs` without it",
    "PUT /volume/v3/{project_id}/groups/{group_id} 13-0": "Cinder refuses a change that changes nothing",
    "PUT /compute/v2.1/os-hosts/{host_name} 0-42": "GET shows what the host's servers use"}


class Stack:
    """A project with one resource of each kind, and the value of each variable of a path that leads to them."""

    def __init__(self, dev):
        self.dev, self.project, self.other, self.admin = dev, cloud.another(dev, "sent"), cloud.another(dev, "other"), cloud.admin(dev)
        cloud.furnish(dev, self.project)
        dev.rest()
        ids = cloud.ids_of(self.project)
        names = {"server_id": "instance", "volume_id": "volume", "snapshot_id": "snapshot", "backup_id": "backup", "group_id": "volume_group", "image_id": "image",
                 "floatingip_id": "address", "rbac_id": "network_grant", "subnetpool_id": "subnet_pool"}
        self.values = {**{f"{kind}_id": value for kind, value in ids.items()}, **{name: ids[kind] for name, kind in names.items()}, "project_id": self.project.id,
                       "target_project": self.project.id, "class": "default", "id": ids["security_group"], "collection": "networks", "tag": "t", "tag_name": "t"}
        self.people()
        self.offers()
        self.parts()
        dev.rest()

    def made(self, path, what, body, by=None, version=None, key="id"):
        return (by or self.admin).ok("POST", path, {what: body}, version=version)[what][key]

    def people(self):
        v = self.values
        v["region_id"] = self.made(f"{ID}/regions", "region", {"id": "named", "description": "d"})
        v["service_id"] = self.made(f"{ID}/services", "service", {"type": "named", "name": "named", "description": "d"})
        v["endpoint_id"] = self.made(f"{ID}/endpoints", "endpoint", {"service_id": v["service_id"], "interface": "public", "url": "http://a.test", "region_id": "named"})
        v["policy_id"] = self.made(f"{ID}/policies", "policy", {"blob": "x", "type": "y"})
        v["endpoint_group_id"] = self.made(f"{ID}/OS-EP-FILTER/endpoint_groups", "endpoint_group", {"name": "named", "description": "d", "filters": {"interface": "public"}})
        v["domain_id"] = self.made(f"{ID}/domains", "domain", {"name": "named", "description": "d"})
        self.identity = {
            "project_id": self.made(f"{ID}/projects", "project", {"name": "named", "description": "d", "tags": ["a"], "more": {"of": "it"}}),
            "user_id": self.made(f"{ID}/users", "user", {"name": "named", "description": "d", "email": "e@d.test", "default_project_id": self.project.id, "more": 1}),
            "group_id": self.made(f"{ID}/groups", "group", {"name": "named", "description": "d"}),
            "role_id": self.made(f"{ID}/roles", "role", {"name": "named", "description": "d"})}
        v["credential_id"] = self.made(f"{ID}/credentials", "credential", {"type": "cert", "blob": "x", "user_id": self.identity["user_id"], "project_id": self.project.id})

    def offers(self):
        v = self.values
        v["type_id"] = self.made(f"{VOL}/types", "volume_type", {"name": "named", "description": "d", "extra_specs": {"a": "b"}})
        v["qos_id"] = self.made(f"{VOL}/qos-specs", "qos_specs", {"name": "named", "consumer": "back-end", "a": "b"})
        v["group_type_id"] = self.made(f"{VOL}/group_types", "group_type", {"name": "named", "description": "d", "group_specs": {"a": "b"}}, version=cloud.VOLUME)
        v["flavor_id"] = self.made(f"{NOVA}/flavors", "flavor", {"name": "named", "ram": 64, "vcpus": 1, "disk": 1, "description": "d"}, version="compute 2.93")
        zone = self.admin.ok("GET", f"{NOVA}/os-availability-zone")["availabilityZoneInfo"][0]["zoneName"]
        v["aggregate_id"] = self.made(f"{NOVA}/os-aggregates", "aggregate", {"name": "named", "availability_zone": zone})
        v["host_name"] = self.admin.ok("GET", f"{NOVA}/os-hypervisors")["hypervisors"][0]["hypervisor_hostname"]
        v["agent_id"] = self.admin.ok("GET", f"{NET}/agents")["agents"][0]["id"]
        space = f"{IMAGE}/metadefs/namespaces"
        self.admin.ok("POST", space, {"namespace": "named", "display_name": "d", "description": "d", "visibility": "public"})
        self.admin.ok("POST", f"{space}/named/objects", {"name": "named", "description": "d", "properties": {"p": {"type": "string", "title": "t"}}})
        self.admin.ok("POST", f"{space}/named/properties", {"name": "named", "type": "string", "title": "t", "enum": ["a"]})
        self.admin.ok("POST", f"{space}/named/tags/t", None)
        v.update(namespace="named", object_name="named", property_name="named")

    def parts(self):
        """Metadata, tags, members and rules of the project's resources."""
        v, words = self.values, {"metadata": {"a": "b"}}
        v["key"] = "a"
        self.project.ok("PUT", f"{VOL}/groups/{v['group_id']}", {"group": {"name": "named", "description": "d"}}, version=cloud.VOLUME)
        self.project.ok("PUT", f"{NET}/subnetpools/{v['subnetpool_id']}", {"subnetpool": {"default_quota": 4096}})  # Neutron takes no null
        for path in (f"{VOL}/volumes/{v['volume_id']}", f"{VOL}/snapshots/{v['snapshot_id']}", f"{NOVA}/servers/{v['server_id']}", f"{NOVA}/images/{v['image_id']}"):
            assert self.project.call("POST", f"{path}/metadata", words).status == 200, path
        self.project.ok("PUT", f"{NOVA}/servers/{v['server_id']}/tags", {"tags": ["t"]}, version="compute 2.93")
        self.project.ok("PUT", f"{NET}/networks/{v['network_id']}/tags", {"tags": ["t"]})
        assert self.project.call("POST", f"{IMAGE}/images/{v['image_id']}/members", {"member": self.other.id}).status == 200
        v["member_id"] = self.other.id
        volume = self.project.ok("POST", f"{VOL}/volumes", {"volume": {"size": 1, "name": "attached"}})["volume"]["id"]
        self.dev.rest()
        self.project.ok("POST", f"{NOVA}/servers/{v['server_id']}/os-volume_attachments", {"volumeAttachment": {"volumeId": volume}})
        self.attached = {"volume_id": volume}
        (net,), (router,) = (self.project.ok("GET", f"{NET}/{what}s?name={name}")[f"{what}s"] for what, name in (("network", "net"), ("router", "router")))
        outside = self.project.ok("GET", f"{NET}/networks?router:external=true")["networks"][0]["id"]
        self.project.ok("PUT", f"{NET}/routers/{router['id']}", {"router": {"external_gateway_info": {"network_id": outside}}})
        port = self.made(f"{NET}/ports", "port", {"network_id": net["id"], "name": "target"}, by=self.project)
        v["pf_id"] = self.made(f"{NET}/floatingips/{v['floatingip_id']}/port_forwardings", "port_forwarding",
                               {"internal_port_id": port, "internal_port": 22, "external_port": 2222, "protocol": "tcp", "description": "d"}, by=self.project)

    def path_of(self, action):
        path = action["path"].replace("/{project_id}/", "/") if action["prefix"] == "/volume" else action["path"]
        more = self.identity if action["service"] == "identity" else self.attached if "os-volume_attachments" in path else {}
        for part, kind in (("os-aggregates", "aggregate"), ("{collection}", "network")):
            more = {"id": self.values[f"{kind}_id"]} if part in path else more
        values = {**self.values, **more}
        missing = [name for name in re.findall(r"\{([^}]*)\}", path) if name not in values]
        assert not missing, f"no resource here for {missing} of {path}"
        return action["prefix"] + re.sub(r"\{([^}]*)\}", lambda m: str(values[m[1]]), path)

    def call(self, action, method, path, body=None):
        """By the project, else by an administrator; a shared image's member itself decides about it."""
        callers = [self.other] if "/members/" in path else [self.project, self.admin]
        for by in callers:
            answer = by.call(method, path, body, version=cloud.version_of(action))
            if answer.status not in (401, 403, 404):
                break
        return answer


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
