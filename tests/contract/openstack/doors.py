#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/openstack src/auth/guard src/model/permissions.def
"""The matrix of OpenStack's doors: each call, with each parameter that names a resource, by a user whose policies keep
them from that resource. What is refused changes nothing, so all refusals are tried first, on what is there; then the same
calls are made with a policy about another resource, and none of them is refused."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import doors  # noqa: E402
from cloud import ABSENT, body_of, dump, members, path_of, title, version_of  # noqa: E402
from dev import Dev  # noqa: E402
from faces import ec2_id  # noqa: E402

TABLES = dump()
ACTIONS = {title(a): a for a in TABLES["actions"] if not a["open"] and not a["admin"] and a["service"] not in ("identity", "placement")}
ARNS = {  # kind → its type in ARNs, the prefix of its EC2 id (None: its UUID), and whether it bears the account
    "instance": ("instance", "i"), "volume": ("volume", "vol"), "snapshot": ("snapshot", "snap"), "image": ("image", "ami"),
    "router": ("vpc", "vpc"), "subnet": ("subnet", "subnet"), "port": ("network-interface", "eni"),
    "security_group": ("security-group", "sg"), "security_group_rule": ("security-group-rule", "sgr"),
    "address": ("elastic-ip", "eipalloc"), "address_group": ("prefix-list", "pl"), "subnet_pool": ("ipam-pool", None),
    "network": ("network", None), "network_grant": ("network_grant", None), "volume_transfer": ("volume_transfer", None),
    "volume_group": ("volume_group", None), "volume_group_snapshot": ("volume_group_snapshot", None),
    "server_group": ("placement-group", None), "key_pair": ("key-pair", None)}
NAMES = {"server_group": "group", "key_pair": "own"}  # whose ARNs end with a name
NOT_ASKED = {  # calls that name a row and are asked nothing about it
    ("PUT /network/v2.0/routers/{router_id}/remove_router_interface", "port_id"): "is only looked for among the router's own",
    ("POST /compute/v2.1/servers/{server_id}/action addFixedIp 0-43", "networkId"): "is only looked for among the server's own",
    # an external network's, which is the operator's
    ("POST /network/v2.0/floatingips", "subnet_id"): "must be of the external network",
    ("POST /network/v2.0/routers", "external_gateway_info.external_fixed_ips.N.subnet_id"): "must be of the external network",
    ("PUT /network/v2.0/routers/{router_id}", "external_gateway_info.external_fixed_ips.N.subnet_id"): "must be of the external network",
}
REFUSED_ANYWAY = {  # by the service itself
    "PUT /image/v2/images/{image_id}/members/{member_id}",  # a member decides, not the owner
    "POST /volume/v3/{project_id}/volumes/{volume_id}/action os-migrate_volume",  # administrators alone
}


def server(ids, **more):
    return {"server": {"name": "a", "imageRef": ids["image"], "flavorRef": "t3.micro", "networks": "auto", **more}}


SERVERS = "POST /compute/v2.1/servers"
BODIES = {  # what the tables cannot say: a good body, for all of a call's parameters or for one
    "POST /compute/v2.1/os-security-group-rules 0-35": lambda ids: {"security_group_rule": {
        "parent_group_id": ids["security_group"], "ip_protocol": "tcp", "from_port": 1, "to_port": 2, "cidr": "192.0.2.0/24"}},
    (SERVERS, "server.imageRef"): server,
    (SERVERS, "server.key_name"): lambda ids: server(ids, key_name="own"),
    (SERVERS, "server.block_device_mapping_v2.N.uuid"): lambda ids: server(ids, imageRef="", block_device_mapping_v2=[
        {"uuid": ids["image"], "source_type": "image", "destination_type": "local", "boot_index": 0}]),
    (SERVERS, "os:scheduler_hints.group"): lambda ids: {**server(ids), "os:scheduler_hints": {"group": ids["server_group"]}},
    (SERVERS, "OS-SCH-HNT:scheduler_hints.group"): lambda ids: {**server(ids), "OS-SCH-HNT:scheduler_hints": {"group": ids["server_group"]}},
    "POST /image/v2/images/{image_id}/import": lambda ids: {"method": {"name": "glance-direct"}},
    ("POST /network/v2.0/floatingips", "port_id"): lambda ids: {"floatingip": {"floating_network_id": ids["external"], "port_id": ids["port"]}},
    "POST /network/v2.0/floatingips/{floatingip_id}/port_forwardings": lambda ids: {"port_forwarding": {
        "protocol": "tcp", "internal_port_id": ids["port"], "internal_port": 1, "external_port": 1}},
    "POST /network/v2.0/rbac-policies": lambda ids: {"rbac_policy": {"object_type": "network", "object_id": ids["network"],
                                                                     "action": "access_as_shared", "target_tenant": ids["project"]}},
    "PUT /network/v2.0/rbac-policies/{rbac_id}": lambda ids: {"rbac_policy": {"target_tenant": ids["project"]}},
    ("POST /volume/v3/{project_id}/volumes", "group_id"): lambda ids: {"volume": {"size": 1, "volume_type": "gp2", "group_id": ids["volume_group"]}},
    "PUT /volume/v3/{project_id}/groups/{group_id}": lambda ids: {"group": {"name": "other"}},
    "POST /volume/v3/{project_id}/volumes/{volume_id}/action os-retype": lambda ids: {"os-retype": {"new_type": ids["type"]}},
    "PUT /compute/v2.1/images/{image_id}/metadata/{key} 0-38": lambda ids: {"meta": {ABSENT: "v"}},
    "PUT /compute/v2.1/servers/{server_id}/metadata/{key}": lambda ids: {"meta": {ABSENT: "v"}},
    "PUT /volume/v3/{project_id}/snapshots/{snapshot_id}/metadata/{key}": lambda ids: {"meta": {ABSENT: "v"}},
    "PUT /volume/v3/{project_id}/volumes/{volume_id}/metadata/{key}": lambda ids: {"meta": {ABSENT: "v"}},
    "PUT /network/v2.0/address-groups/{address_group_id}/add_addresses": lambda ids: {"addresses": ["192.0.2.128/25"]},
    "PUT /network/v2.0/address-groups/{address_group_id}/remove_addresses": lambda ids: {"addresses": ["192.0.2.0/24"]},
}


class Guest:
    """A user of the project with a role there, and one policy at a time."""

    def __init__(self, dev, owner, name, role):
        self.owner, self.name, self.now = owner, name, None
        made = dev.command("user", "create", name, "--account", owner.name, "--role", role)
        self.project = lib.Project(dev, owner.name, name, made["password"])

    def has(self, document):
        if document != self.now:
            self.owner.root.ok("PutUserPolicy", {"UserName": self.name, "PolicyName": "matrix", "PolicyDocument": document},
                               service="iam", version="2010-05-08")
            self.now = document
        return self.project


class Place:
    pass


@pytest.fixture(scope="module")
def place():
    with Dev() as dev:
        made = Place()
        made.dev, made.owner = dev, lib.another(dev, "matrix")
        lib.furnish(dev, made.owner)
        made.owner.root.ok("CreateKeyPair", {"KeyName": "own"})
        dev.rest()
        made.ids = {**lib.ids_of(made.owner), "key_pair": "own"}
        made.ids["external"] = made.owner.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
        made.ids["type"] = made.owner.ok("GET", "/volume/v3/types")["volume_types"][0]["name"]
        made.ids["project"] = made.owner.id
        made.number = made.owner.root.client("sts").get_caller_identity()["Account"]
        made.member, made.reader = (Guest(dev, made.owner, f"guest-{role}", role) for role in ("member", "reader"))
        made.seen = {}
        yield made


def row_of(place, kind):
    """The resource of that kind that the project has, as policies know it."""
    word, prefix = ARNS[kind]
    identifier = place.ids[kind]
    name = NAMES.get(kind) or (ec2_id(prefix, identifier) if prefix else identifier)
    account = "" if kind in ("image", "snapshot") else place.number
    start = f"arn:aws:ec2:us-east-1:{account}:{word}/"
    return doors.Row(kind, start + name, start + "other")


def named(action):
    """(parameter, kind): what names a resource of the project's, in the path and in the body."""
    for p in action["params"]:
        if p["in"] == "path" and p.get("kind") in ARNS:
            yield p, p["kind"]
    for p in members(action):
        if p["built"] and p["type"] in ("id", "list of ids") and p.get("kind") in ARNS:
            yield p, p["kind"]


def request(place, action, param):
    """The call with what there is of each kind."""
    inner = {}
    good = BODIES.get((title(action), param["name"]), BODIES.get(title(action)))
    if good:
        return path_of(action, place.ids), good(place.ids)
    body = body_of(action)
    if param["in"] == "body":
        identifier = place.ids[param["kind"]]
        body = body_of(action, param["name"], [identifier] if param["type"] == "list of ids" else identifier)
    wrap = action["name"] or action["wrap"]
    if body is not None:
        inner = body[wrap] if wrap else body
    for q in members(action):  # what else is required is right, too
        if q is not param and q["required"] and "." not in q["name"] and isinstance(inner, dict):
            if q.get("kind") in place.ids:
                inner[q["name"]] = place.ids[q["kind"]]
            elif q["type"] == "cidr":
                inner[q["name"]] = "10.99.0.0/24"
    return path_of(action, place.ids), body


def send(project, action, path, body):
    raw = b"data" if action["raw"] else None
    headers = {"Content-Type": "application/octet-stream"} if action["raw"] and action["method"] == "PUT" else None
    return project.call(action["method"], path, None if raw else body, version=version_of(action), raw=raw, headers=headers)


CASES = [(name, p["name"], kind) for name, action in sorted(ACTIONS.items()) for p, kind in named(action) if (name, p["name"]) not in NOT_ASKED]


def case(name, param):
    action = ACTIONS[name]
    return action, next(p for p, _ in named(action) if p["name"] == param)


@pytest.mark.parametrize("name,param,kind", CASES)
def test_refused(place, name, param, kind):
    """By a Deny, and where policies decide on such rows by an Allow that leaves the row out."""
    action, p = case(name, param)
    row = row_of(place, kind)
    path, body = request(place, action, p)
    for what, document, refuses in doors.cells(action, row, action["writes"]):
        if not refuses:
            continue
        gives_by_role = what.startswith("Allow") and not action["writes"]  # a reader's role allows it as a policy would
        if gives_by_role:
            continue
        guest = place.reader if what.startswith("Allow") else place.member
        answer = send(guest.has(document), action, path, body)
        place.seen.setdefault((name, param), []).append((what, answer.status))
        assert answer.status == 403, f"{what}: {answer}"


@pytest.mark.parametrize("name,param,kind", [c for c in CASES if ACTIONS[c[0]]["method"] != "DELETE"] + [c for c in CASES if ACTIONS[c[0]]["method"] == "DELETE"])
def test_goes_through(place, name, param, kind):
    """With a Deny on another one."""
    action, p = case(name, param)
    row = row_of(place, kind)
    path, body = request(place, action, p)
    answer = send(place.member.has(doors.policy(doors.ALLOW, doors.deny(doors.word_of(action), row.other))), action, path, body)
    assert answer.status != 403 or name in REFUSED_ANYWAY, answer


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_unscoped(place, name):
    """A token for no project opens none of them."""
    if not hasattr(place, "unscoped"):
        user = {"id": place.member.project.user_id, "password": place.member.project.password}
        answer = place.owner.call("POST", "/identity/v3/auth/tokens", {"auth": {"scope": "unscoped", "identity": {
            "methods": ["password"], "password": {"user": user}}}}, headers={"X-Auth-Token": ""})
        assert answer.status == 201, answer
        place.unscoped = answer.headers["X-Subject-Token"]
    action = ACTIONS[name]
    answer = place.owner.call(action["method"], path_of(action, place.ids), body_of(action), version=version_of(action),
                              headers={"X-Auth-Token": place.unscoped})
    assert answer.status == 403, answer


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
