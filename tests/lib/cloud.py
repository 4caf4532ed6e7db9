# SPDX-License-Identifier: Apache-2.0
"""OpenStack's API of a `dari dev`: the face's own tables, projects with a token, and requests that no library would send. Tests of compatibility with
real clients use python3-openstackclient and openstacksdk."""
import copy
import functools
import http.client
import json
import os
import re
import subprocess
import threading

import warm
from dev import DARI
from waiting import HANG_S

ABSENT = "00000000-dead-4bee-8f00-000000000000"
OPENSTACK = "/usr/bin/openstack"
LATEST = {"compute": "2.93", "volume": "3.70", "placement": "1.39"}
VOLUME = f"volume {LATEST['volume']}"


def dump():
    """The tables of `dari dump openstack`."""
    return json.loads(subprocess.run([DARI, "dump", "openstack"], check=True, capture_output=True).stdout)


def title(action):
    name = f" {action['name']}" if action["name"] else ""
    version = f" {action['since']}-{action['until']}" if action["since"] or action["until"] else ""
    return f"{action['method']} {action['prefix']}{action['path']}{name}{version}"


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.json = json.loads(text) if text[:1] in "{[" and text else None

    def same(self):
        """The text without parts that differ from call to call."""
        return re.sub(r"req-[0-9a-f-]{36}", "req", self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:400]}"


class Project:
    """A project of the region with one of its users and a token."""

    def __init__(self, dev, project, user, password):
        self.dev, self.name, self.user, self.password = dev, project, user, password
        self.local = threading.local()
        scope = {"project": {"name": project, "domain": {"id": "default"}}}
        self.auth = {"auth": {"scope": scope, "identity": {"methods": ["password"], "password": {"user": {
            "name": user, "domain": {"id": "default"}, "password": password}}}}}
        self.sign_in()

    def sign_in(self):
        self.token = None
        answer = self.call("POST", "/identity/v3/auth/tokens", self.auth)
        assert answer.status == 201, answer
        self.token = answer.headers["X-Subject-Token"]
        self.id = answer.json["token"]["project"]["id"]
        self.user_id = answer.json["token"]["user"]["id"]

    @functools.cached_property
    def ec2(self):
        """The account owner's client of EC2, of a project that another() made."""
        return self.root.client()

    def call(self, method, path, body=None, version=None, headers=None, raw=None):
        """Sends one request. version: "compute 2.93"; body: sent as JSON; raw: bytes sent instead."""
        sent = {"Accept": "application/json", **(headers or {})}
        if self.token and "X-Auth-Token" not in sent:
            sent["X-Auth-Token"] = self.token
        if version:
            sent["OpenStack-API-Version"] = version
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        for retry in (False, True):  # the server may have closed the idle connection
            if not hasattr(self.local, "connection"):
                plain = not getattr(self.dev, "url", "").startswith("https:")  # a region of real guests (region.py) speaks plain HTTP here
                self.local.connection = http.client.HTTPConnection("127.0.0.1", self.dev.port, timeout=HANG_S) if plain else self.dev.connect()
            try:
                self.local.connection.request(method, path, data, sent)
                answer = self.local.connection.getresponse()
                return Answer(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))  # an image's bytes
            except (http.client.HTTPException, ConnectionError):
                del self.local.connection
                if retry:
                    raise

    def ok(self, method, path, body=None, **how):
        answer = self.call(method, path, body, **how)
        assert answer.status < 300, f"{method} {path} {body}: {answer}"
        return answer.json

    def env(self):
        """Environment for python3-openstackclient."""
        return dict(os.environ, OS_AUTH_URL=f"{self.dev.url}/identity/v3", OS_IDENTITY_API_VERSION="3",
                    OS_REGION_NAME="us-east-1", OS_USERNAME=self.user, OS_USER_DOMAIN_NAME="Default",
                    OS_PASSWORD=self.password, OS_PROJECT_NAME=self.name, OS_PROJECT_DOMAIN_NAME="Default")

    def openstack(self, *argv, fails=False):
        """Output of python3-openstackclient, parsed as JSON if possible; with `fails`, its error message."""
        shown = [*argv, "-f", "json"] if argv[-1] in ("list", "show", "create") or "-f" in argv else list(argv)
        done = warm.run([OPENSTACK, *shown], self.env())
        assert (done.returncode != 0) == fails, f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}"
        if fails:
            return done.stderr
        return json.loads(done.stdout) if done.stdout[:1] in "[{" and done.stdout else done.stdout


def said(dev, name):
    """Value of a variable in the banner of `dari dev`."""
    return re.search(rf"\b{name}=(\S+)", dev.banner)[1]


def own(dev):
    """The project `dev` as its user."""
    return Project(dev, said(dev, "OS_PROJECT_NAME"), said(dev, "OS_USERNAME"), said(dev, "OS_PASSWORD"))


def admin(dev):
    return Project(dev, "admin", "admin", re.search(r'"admin" with the password (\S+)', dev.banner)[1])


def make_admin(region):
    """Adds the cloud's administrator to a region that was made without one."""
    region.command("account", "create", "admin")
    made = region.command("user", "create", "admin", "--account", "admin", "--role", "admin")
    return Project(region, "admin", "admin", made["password"])


def another(dev, name, kind=Project, role="member"):
    """Adds a project with a user who has the role in it; .root is the owner of its account."""
    account = dev.new_account(name)
    user = dev.command("user", "create", name, "--account", name, "--role", role)
    project = kind(dev, name, name, user["password"])
    project.root = account
    return project


def furnish(dev, project):
    """Creates one resource of each kind, through the face with the simplest call for it."""
    ec2 = project.ec2
    network = project.ok("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]["id"]
    subnet = project.ok("POST", "/network/v2.0/subnets", {"subnet": {
        "network_id": network, "cidr": "10.9.0.0/24", "ip_version": 4}})["subnet"]["id"]
    router = project.ok("POST", "/network/v2.0/routers", {"router": {"name": "router"}})["router"]["id"]
    project.ok("PUT", f"/network/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    project.ok("POST", "/network/v2.0/ports", {"port": {"network_id": network, "name": "port"}})
    project.ok("POST", "/load-balancer/v2/lbaas/loadbalancers", {"loadbalancer": {"name": "balancer", "vip_subnet_id": subnet, "listeners": [{
        "protocol": "HTTP", "protocol_port": 80, "default_pool": {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
                                                                  "members": [{"address": "10.9.0.77", "protocol_port": 80}],
                                                                  "healthmonitor": {"type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2}}}]}})
    dev.rest()
    listener = project.ok("GET", "/load-balancer/v2/lbaas/listeners")["listeners"][0]["id"]
    project.ok("POST", "/load-balancer/v2/lbaas/l7policies", {"l7policy": {
        "listener_id": listener, "action": "REJECT", "rules": [{"type": "PATH", "compare_type": "EQUAL_TO", "value": "/secret"}]}})
    project.ok("POST", "/network/v2.0/rbac-policies", {"rbac_policy": {
        "object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": project.id}})
    project.ok("POST", "/network/v2.0/subnetpools", {"subnetpool": {"name": "pool", "prefixes": ["10.10.0.0/16"]}})
    project.ok("POST", "/network/v2.0/address-groups", {"address_group": {"name": "office", "addresses": ["192.0.2.0/24"]}})
    parent = project.ok("POST", "/network/v2.0/ports", {"port": {"network_id": network, "name": "parent"}})["port"]["id"]
    project.ok("POST", "/network/v2.0/trunks", {"trunk": {"port_id": parent, "name": "trunk"}})
    root = admin(dev)
    policy = root.ok("POST", "/network/v2.0/qos/policies", {"policy": {"name": "qos", "project_id": project.id}})["policy"]["id"]
    root.ok("POST", f"/network/v2.0/qos/policies/{policy}/bandwidth_limit_rules", {"bandwidth_limit_rule": {"max_kbps": 10000}})
    project.ok("POST", "/network/v2.0/address-scopes", {"address_scope": {"name": "scope", "ip_version": 4}})
    outside = project.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
    project.ok("POST", "/network/v2.0/floatingips", {"floatingip": {"floating_network_id": outside}})
    make_vpn(project, outside)
    project.ok("POST", "/network/v2.0/security-groups", {"security_group": {"name": "group"}})
    project.ok("POST", "/compute/v2.1/os-server-groups", {"server_group": {"name": "group", "policy": "affinity"}},
               version="compute 2.93")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    dev.rest()
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    dev.rest()
    ec2.register_image(Name="own", RootDeviceName="/dev/xvda", BlockDeviceMappings=[
        {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}])
    dev.rest()
    offered = project.ok("POST", "/volume/v3/volumes", {"volume": {"size": 1}})["volume"]["id"]
    dev.rest()
    project.ok("POST", "/volume/v3/backups", {"backup": {"volume_id": offered}})
    dev.rest()
    project.ok("POST", "/volume/v3/os-volume-transfer", {"transfer": {"volume_id": offered}})
    admin(dev).call("POST", "/volume/v3/group_types", {"group_type": {"name": "own"}}, version=VOLUME)  # the type may exist already
    group = project.ok("POST", "/volume/v3/groups", {"group": {"group_type": "own", "volume_types": ["gp2"]}}, version=VOLUME)["group"]["id"]
    project.ok("POST", "/volume/v3/volumes", {"volume": {"size": 1, "volume_type": "gp2", "group_id": group}}, version=VOLUME)
    dev.rest()
    project.ok("POST", "/volume/v3/group_snapshots", {"group_snapshot": {"group_id": group}}, version=VOLUME)
    dev.rest()


def make_vpn(project, outside):
    """A VPN service of a router that leads outside, with a connection."""
    made = lambda path, what, **body: project.ok("POST", f"/network/v2.0/{path}", {what: body})[what]["id"]  # noqa: E731
    network = made("networks", "network", name="vpn")
    subnet = made("subnets", "subnet", network_id=network, cidr="10.11.0.0/24", ip_version=4)
    router = made("routers", "router", name="vpn", external_gateway_info={"network_id": outside})
    project.ok("PUT", f"/network/v2.0/routers/{router}/add_router_interface", {"subnet_id": subnet})
    service = made("vpn/vpnservices", "vpnservice", name="vpn", router_id=router)
    local = made("vpn/endpoint-groups", "endpoint_group", name="local", type="subnet", endpoints=[subnet])
    peer = made("vpn/endpoint-groups", "endpoint_group", name="peer", type="cidr", endpoints=["10.99.0.0/24"])
    ike, esp = made("vpn/ikepolicies", "ikepolicy", name="ike"), made("vpn/ipsecpolicies", "ipsecpolicy", name="esp")
    made("vpn/ipsec-site-connections", "ipsec_site_connection", name="vpn", vpnservice_id=service, ikepolicy_id=ike, ipsecpolicy_id=esp, peer_address="192.0.2.2",
         peer_id="192.0.2.2", psk="key", local_ep_group_id=local, peer_ep_group_id=peer)


# ---- requests made from the tables

LISTS = {  # kind → path of the list of a project's own resources
    "instance": ("/compute/v2.1/servers", "servers"), "server_group": ("/compute/v2.1/os-server-groups", "server_groups"),
    "volume": ("/volume/v3/volumes", "volumes"), "snapshot": ("/volume/v3/snapshots", "snapshots"),
    "backup": ("/volume/v3/backups", "backups"), "volume_transfer": ("/volume/v3/os-volume-transfer", "transfers"),
    "volume_group": ("/volume/v3/groups", "groups"), "volume_group_snapshot": ("/volume/v3/group_snapshots", "group_snapshots"),
    "image": ("/image/v2/images?visibility=shared", "images"), "network": ("/network/v2.0/networks", "networks"),
    "subnet": ("/network/v2.0/subnets", "subnets"), "port": ("/network/v2.0/ports", "ports"),
    "router": ("/network/v2.0/routers", "routers"), "address": ("/network/v2.0/floatingips", "floatingips"),
    "security_group": ("/network/v2.0/security-groups", "security_groups"),
    "security_group_rule": ("/network/v2.0/security-group-rules", "security_group_rules"),
    "address_group": ("/network/v2.0/address-groups", "address_groups"), "trunk": ("/network/v2.0/trunks", "trunks"),
    "qos_policy": ("/network/v2.0/qos/policies", "policies"), "address_scope": ("/network/v2.0/address-scopes", "address_scopes"),
    "elastic_load_balancer": ("/load-balancer/v2/lbaas/loadbalancers", "loadbalancers"), "listener": ("/load-balancer/v2/lbaas/listeners", "listeners"),
    "target_group": ("/load-balancer/v2/lbaas/pools", "pools"), "listener_rule": ("/load-balancer/v2/lbaas/l7policies", "l7policies"),
    "vpn_service": ("/network/v2.0/vpn/vpnservices", "vpnservices"), "vpn_connection": ("/network/v2.0/vpn/ipsec-site-connections", "ipsec_site_connections"),
    "ike_policy": ("/network/v2.0/vpn/ikepolicies", "ikepolicies"), "ipsec_policy": ("/network/v2.0/vpn/ipsecpolicies", "ipsecpolicies"),
    "vpn_endpoint_group": ("/network/v2.0/vpn/endpoint-groups", "endpoint_groups"),
    "network_grant": ("/network/v2.0/rbac-policies", "rbac_policies"), "subnet_pool": ("/network/v2.0/subnetpools", "subnetpools"),
}
EXAMPLES = {"string": "a", "integer": 1, "boolean": True, "id": ABSENT[:-1] + "f", "ip": "192.0.2.1", "cidr": "192.0.2.0/24",
            "mac": "02:00:00:00:00:01", "list of strings": ["a"], "list of ids": [ABSENT[:-1] + "f"], "object of strings": {"a": "b"},
            "list of objects": [{}], "object": {}, "any": {}}
WRONG = {"string": [7, [], {}, "x" * 70000], "integer": ["x", [], {}, 1.5], "boolean": ["perhaps", [], {}], "id": [{}, []],
         "ip": ["x", 7], "cidr": ["x", "192.0.2.1", 7], "mac": ["x", 7], "list of strings": [{}, [7], [{}]],
         "list of ids": [{}, [7], ["x"]], "object of strings": [[], {"a": 7}, "x"], "list of objects": [{}, ["x"], "x"],
         "object": [[], "x", 7]}


def version_of(action):
    """A microversion in which the action exists."""
    service = {"block-storage": "volume"}.get(action["service"], action["service"])
    if service not in LATEST:
        return None
    return f"{service} {LATEST[service].split('.')[0]}.{action['until']}" if action["until"] else f"{service} {LATEST[service]}"


def minor_of(action):
    version = version_of(action)
    return int(version.rpartition(".")[2]) if version else 0


def members(action, place="body"):
    """Members of the action's microversion; members inside a missing member are missing, too."""
    minor = minor_of(action)
    gone = tuple(p["name"] + "." for p in action["params"] if p.get("until") and p["until"] < minor)
    return [p for p in action["params"] if p["in"] == place and (not p.get("since") or p["since"] <= minor)
            and (not p.get("until") or p["until"] >= minor) and not p["name"].startswith(gone)]


def example(param):
    if param.get("words"):
        return param["words"].split("|")[0]
    if param.get("yes"):
        return param["yes"]
    if param["type"] == "integer":
        return param.get("min", 1)
    return EXAMPLES[param["type"]]


def put(body, name, value):
    """Sets the member with a dotted name; ".N" is the first element of a list."""
    steps = name.split(".")
    for step, then in zip(steps, [*steps[1:], None]):
        if step == "N":
            body = body[0]
        elif then is None:
            body[step] = value
        else:
            at = body.setdefault(step, [{}] if then == "N" else {})
            if not isinstance(at, (dict, list)) or (then == "N" and not at):
                at = body[step] = [{}] if then == "N" else {}
            body = at


def body_of(action, mutated=None, value=None):
    """A body with the required members, and one member mutated."""
    if action["method"] in ("GET", "DELETE") and not members(action):
        return None
    inner, there = {}, {""}  # there: objects that exist in the body
    for p in members(action):
        outer = p["name"].rpartition(".")[0].removesuffix(".N")
        if outer in there and (p["required"] or (mutated or "").startswith(p["name"] + ".")):
            put(inner, p["name"], copy.deepcopy(example(p)))
            there.add(p["name"])
    if mutated:
        put(inner, mutated, value)
    wrap = action["name"] or action["wrap"]
    return {wrap: inner} if wrap else inner


def path_of(action, ids=None):
    """The action's path with an id for each variable; without ids, unknown ones."""
    kinds = {p["name"]: p.get("kind") for p in action["params"] if p["in"] == "path"}

    def value(match):
        return (ids or {}).get(kinds.get(match[1]), ABSENT)
    path = action["path"].replace("/{project_id}/", "/") if action["prefix"] == "/volume" else action["path"]  # optional in the path
    return action["prefix"] + re.sub(r"\{([^}]*)\}", value, path)


def ids_of(project):
    """One id of each kind that exists in the project."""
    found = {}
    for kind, (path, items) in LISTS.items():
        answer = project.call("GET", path, version=VOLUME if path.startswith("/volume/") else None)
        rows = answer.json.get(items, []) if answer.status == 200 else []
        if rows:
            found[kind] = rows[-1]["id"]
    return found


def digest(tables, project):
    """Content of all lists of the project."""
    paths = [a for a in tables["actions"] if a["method"] == "GET" and "{" not in a["path"] and not a["admin"] and not a["open"]
             and a["service"] != "identity"]
    return "\n".join(project.call("GET", path_of(a), version=version_of(a)).same() for a in paths)

