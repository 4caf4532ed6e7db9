# SPDX-License-Identifier: Apache-2.0
"""OpenStack's adapter for the matrices of tests/contract/cross/: a project with one resource of each kind, and members and readers with policies."""
import contextlib
import copy

import cloud as lib
import doors
from cloud import ABSENT, LISTS, body_of, members, path_of, title, version_of
from dev import Dev, Still

from . import face

LB = "/load-balancer/v2/lbaas"
NAMES = {"server_group": "group", "key_pair": "own"}  # kinds whose ARNs end with a name
NOT_ASKED = {  # calls that name a row about which policies are not asked
    ("PUT /network/v2.0/routers/{router_id}/remove_router_interface", "port_id"): "is only looked for among the router's own",
    ("POST /compute/v2.1/servers/{server_id}/action addFixedIp 0-43", "networkId"): "is only looked for among the server's own",
    # an external network, which belongs to the operator
    ("POST /network/v2.0/floatingips", "subnet_id"): "must be of the external network",
    ("POST /network/v2.0/routers", "external_gateway_info.external_fixed_ips.N.subnet_id"): "must be of the external network",
    ("PUT /network/v2.0/routers/{router_id}", "external_gateway_info.external_fixed_ips.N.subnet_id"): "must be of the external network",
}
REFUSED_ANYWAY = {  # by the service itself
    "PUT /image/v2/images/{image_id}/members/{member_id}",  # a member decides, not the owner
    "POST /volume/v3/{project_id}/volumes/{volume_id}/action os-migrate_volume",  # for administrators only
}


def server(ids, **more):
    return {"server": {"name": "a", "imageRef": ids["image"], "flavorRef": "t3.micro", "networks": "auto", **more}}


SERVERS = "POST /compute/v2.1/servers"
def balanced_pool(ids, **more):
    """A new pool with a member in a subnet."""
    return {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "members": [{"address": "10.9.0.78", "protocol_port": 80, "subnet_id": ids["subnet"]}], **more}


def balancer(ids, **more):
    return {"loadbalancer": {"vip_network_id": ids["network"], **more}}


def subport(ids):
    return {"port_id": ids["port"], "segmentation_type": "vlan", "segmentation_id": 9}


VPN = "/network/v2.0/vpn"
SITE = {"peer_address": "192.0.2.9", "peer_id": "192.0.2.9", "psk": "key"}


def site(ids, **more):
    """A new IPsec site connection."""
    return {"ipsec_site_connection": {**SITE, "vpnservice_id": ids["vpn_service"], "ikepolicy_id": ids["ike_policy"], "ipsecpolicy_id": ids["ipsec_policy"], **more}}


LISTENER = {"protocol": "HTTP", "protocol_port": 81}
LED = {"action": "REDIRECT_TO_POOL"}
BODIES = {  # values that cannot be derived from the tables: a valid body, for all of a call's parameters or for one
    "POST /compute/v2.1/os-security-group-rules 0-35": lambda ids: {"security_group_rule": {
        "parent_group_id": ids["security_group"], "ip_protocol": "tcp", "from_port": 1, "to_port": 2, "cidr": "192.0.2.0/24"}},
    (SERVERS, "server.imageRef"): server,
    (SERVERS, "server.key_name"): lambda ids: server(ids, key_name="own"),
    (SERVERS, "server.block_device_mapping_v2.N.uuid"): lambda ids: server(ids, imageRef="", block_device_mapping_v2=[
        {"uuid": ids["image"], "source_type": "image", "destination_type": "local", "boot_index": 0}]),
    (SERVERS, "server.block_device_mapping.N.volume_id"): lambda ids: server(ids, block_device_mapping=[{"volume_id": ids["volume"]}]),
    (SERVERS, "server.block_device_mapping.N.snapshot_id"): lambda ids: server(ids, block_device_mapping=[{"snapshot_id": ids["snapshot"]}]),
    (SERVERS, "os:scheduler_hints.group"): lambda ids: {**server(ids), "os:scheduler_hints": {"group": ids["server_group"]}},
    (SERVERS, "OS-SCH-HNT:scheduler_hints.group"): lambda ids: {**server(ids), "OS-SCH-HNT:scheduler_hints": {"group": ids["server_group"]}},
    (f"POST {LB}/pools", "members.N.subnet_id"): lambda ids: {"pool": balanced_pool(ids, loadbalancer_id=ids["elastic_load_balancer"])},
    (f"POST {LB}/listeners", "default_pool.members.N.subnet_id"): lambda ids: {"listener": {
        **LISTENER, "loadbalancer_id": ids["elastic_load_balancer"], "default_pool": balanced_pool(ids)}},
    (f"POST {LB}/loadbalancers", "pools.N.members.N.subnet_id"): lambda ids: balancer(ids, pools=[balanced_pool(ids)]),
    (f"POST {LB}/loadbalancers", "listeners.N.default_pool.members.N.subnet_id"): lambda ids: balancer(
        ids, listeners=[{**LISTENER, "default_pool": balanced_pool(ids)}]),
    (f"POST {LB}/loadbalancers", "listeners.N.default_pool_id"): lambda ids: balancer(
        ids, listeners=[{**LISTENER, "default_pool_id": ids["target_group"]}]),
    (f"POST {LB}/listeners", "l7policies.N.redirect_pool_id"): lambda ids: {"listener": {
        **LISTENER, "loadbalancer_id": ids["elastic_load_balancer"], "l7policies": [{**LED, "redirect_pool_id": ids["target_group"]}]}},
    (f"POST {LB}/listeners", "l7policies.N.redirect_pool.members.N.subnet_id"): lambda ids: {"listener": {
        **LISTENER, "loadbalancer_id": ids["elastic_load_balancer"], "l7policies": [{**LED, "redirect_pool": balanced_pool(ids)}]}},
    (f"POST {LB}/loadbalancers", "listeners.N.l7policies.N.redirect_pool_id"): lambda ids: balancer(
        ids, listeners=[{**LISTENER, "l7policies": [{**LED, "redirect_pool_id": ids["target_group"]}]}]),
    (f"POST {LB}/loadbalancers", "listeners.N.l7policies.N.redirect_pool.members.N.subnet_id"): lambda ids: balancer(
        ids, listeners=[{**LISTENER, "l7policies": [{**LED, "redirect_pool": balanced_pool(ids)}]}]),
    (f"POST {LB}/l7policies", "listener_id"): lambda ids: {"l7policy": {"listener_id": ids["listener"], "action": "REJECT"}},
    (f"POST {LB}/l7policies", "redirect_pool_id"): lambda ids: {"l7policy": {
        "listener_id": ids["listener"], "action": "REDIRECT_TO_POOL", "redirect_pool_id": ids["target_group"]}},
    (f"PUT {LB}/l7policies/{{l7policy_id}}", "redirect_pool_id"): lambda ids: {"l7policy": {"redirect_pool_id": ids["target_group"]}},
    f"POST {LB}/l7policies/{{l7policy_id}}/rules": lambda ids: {"rule": {"type": "PATH", "compare_type": "EQUAL_TO", "value": "/"}},
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
    **{f"{method} /network/v2.0/qos/{path}": lambda ids, item=item, body=body: {item: body}
       for kind, body in (("bandwidth_limit", {"max_kbps": 1000}), ("dscp_marking", {"dscp_mark": 8}), ("minimum_bandwidth", {"min_kbps": 10}))
       for method, path, item in (("POST", f"policies/{{policy_id}}/{kind}_rules", f"{kind}_rule"),
                                  ("PUT", f"policies/{{policy_id}}/{kind}_rules/{{rule_id}}", f"{kind}_rule"),
                                  ("PUT", f"alias_{kind}_rules/{{rule_id}}", f"alias_{kind}_rule"))},
    "POST /network/v2.0/qos/policies": lambda ids: {"policy": {"name": "other"}},
    "PUT /network/v2.0/qos/policies/{policy_id}": lambda ids: {"policy": {"name": "other"}},
    ("POST /network/v2.0/subnetpools", "address_scope_id"): lambda ids: {"subnetpool": {"name": "other", "prefixes": ["10.90.0.0/16"], "address_scope_id": ids["address_scope"]}},
    "POST /network/v2.0/address-scopes": lambda ids: {"address_scope": {"name": "other", "ip_version": 4}},
    "PUT /network/v2.0/address-scopes/{address_scope_id}": lambda ids: {"address_scope": {"name": "other"}},
    f"POST {VPN}/vpnservices": lambda ids: {"vpnservice": {"router_id": ids["router"]}},
    (f"POST {VPN}/vpnservices", "subnet_id"): lambda ids: {"vpnservice": {"router_id": ids["router"], "subnet_id": ids["subnet"]}},
    f"PUT {VPN}/vpnservices/{{vpnservice_id}}": lambda ids: {"vpnservice": {"name": "other"}},
    f"POST {VPN}/ikepolicies": lambda ids: {"ikepolicy": {"name": "other"}},
    f"PUT {VPN}/ikepolicies/{{ikepolicy_id}}": lambda ids: {"ikepolicy": {"name": "other"}},
    f"POST {VPN}/ipsecpolicies": lambda ids: {"ipsecpolicy": {"name": "other"}},
    f"PUT {VPN}/ipsecpolicies/{{ipsecpolicy_id}}": lambda ids: {"ipsecpolicy": {"name": "other"}},
    f"POST {VPN}/endpoint-groups": lambda ids: {"endpoint_group": {"type": "cidr", "endpoints": ["10.98.0.0/24"]}},
    f"PUT {VPN}/endpoint-groups/{{endpoint_group_id}}": lambda ids: {"endpoint_group": {"name": "other"}},
    f"POST {VPN}/ipsec-site-connections": site,
    (f"POST {VPN}/ipsec-site-connections", "local_ep_group_id"): lambda ids: site(ids, local_ep_group_id=ids["vpn_endpoint_group"]),
    (f"POST {VPN}/ipsec-site-connections", "peer_ep_group_id"): lambda ids: site(ids, peer_ep_group_id=ids["vpn_endpoint_group"]),
    f"PUT {VPN}/ipsec-site-connections/{{ipsec_site_connection_id}}": lambda ids: {"ipsec_site_connection": {"name": "other"}},
    (f"PUT {VPN}/ipsec-site-connections/{{ipsec_site_connection_id}}", "local_ep_group_id"): lambda ids: {
        "ipsec_site_connection": {"local_ep_group_id": ids["vpn_endpoint_group"]}},
    (f"PUT {VPN}/ipsec-site-connections/{{ipsec_site_connection_id}}", "peer_ep_group_id"): lambda ids: {
        "ipsec_site_connection": {"peer_ep_group_id": ids["vpn_endpoint_group"]}},
    "POST /network/v2.0/trunks": lambda ids: {"trunk": {"port_id": ids["port"]}},
    ("POST /network/v2.0/trunks", "sub_ports.N.port_id"): lambda ids: {"trunk": {"port_id": ids["port"], "sub_ports": [subport(ids)]}},
    "PUT /network/v2.0/trunks/{trunk_id}": lambda ids: {"trunk": {"name": "other"}},
    "PUT /network/v2.0/trunks/{trunk_id}/add_subports": lambda ids: {"sub_ports": [subport(ids)]},
    "PUT /network/v2.0/trunks/{trunk_id}/remove_subports": lambda ids: {"sub_ports": [{"port_id": ids["port"]}]},
}


class Place:
    """A project with one resource of each kind."""


def has_arn(param):
    return param.get("kind") in ASKED_KINDS


# Kinds of which a project has a resource; other kinds belong to the region, or to identity.
ASKED_KINDS = {*lib.LISTS, "key_pair"} - {"backup"}


def named(action):
    """Yields (parameter, kind) that name a resource of the project, in the path and in the body."""
    for p in action["params"]:
        if p["in"] == "path" and has_arn(p):
            yield p, p["kind"]
    for p in members(action):
        if p["built"] and p["type"] in ("id", "list of ids") and has_arn(p):
            yield p, p["kind"]


class OpenStack(face.Face):
    name = "openstack"

    def __init__(self):
        self.tables = lib.dump()
        self.actions = {title(a): a for a in self.tables["actions"] if not a["open"] and not a["admin"] and a["service"] not in ("identity", "placement")}
        named_by = [(name, p["name"]) for name, action in sorted(self.actions.items()) for p, _ in named(action) if (name, p["name"]) not in NOT_ASKED]
        self.everything = {title(a): a for a in self.tables["actions"] if not a["open"] and a["service"] not in ("identity", "placement")}
        # Anyone with an offer's id and key may accept it, and so can find out that it exists.
        self.others = [(t, "path") for t, a in sorted(self.everything.items()) if any(p["in"] == "path" and p.get("kind") in LISTS for p in a["params"])
                       and not a["raw"] and not a["path"].endswith("/accept")]
        self.others += [(t, "body") for t, a in sorted(self.everything.items()) if any(
            p["type"] in ("id", "list of ids") and p.get("kind") in LISTS and p["in"] == "body" for p in a["params"])]
        self.filters = sorted(t for t, a in self.everything.items() if a["filters"])
        self.doors = [c for c in named_by if not c[0].startswith("DELETE")] + [c for c in named_by if c[0].startswith("DELETE")]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = Place()
            made.dev, made.owner = dev, lib.another(dev, "matrix", role="manager")
            lib.furnish(dev, made.owner)
            made.owner.root.ok("CreateKeyPair", {"KeyName": "own"})
            dev.rest()
            made.ids = {**lib.ids_of(made.owner), "key_pair": "own"}
            made.ids["external"] = made.owner.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]
            made.ids["type"] = made.owner.ok("GET", "/volume/v3/types")["volume_types"][0]["name"]
            made.ids["project"] = made.owner.id
            made.number = made.owner.root.client("sts").get_caller_identity()["Account"]
            made.manager, made.member, made.reader = (face.project_guest(dev, made.owner, f"guest-{role}", role) for role in ("manager", "member", "reader"))
            made.guest = made.member
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            mine, theirs = lib.another(dev, "mine", role="manager"), lib.another(dev, "theirs", role="manager")
            lib.furnish(dev, mine)
            lib.furnish(dev, theirs)
            made = face.Two(mine, theirs)
            made.ids, made.their_ids = lib.ids_of(mine), lib.ids_of(theirs)
            built = {(a["prefix"] + a["path"]).replace("v3/{project_id}", "v3") for a in self.tables["actions"] if a["method"] == "GET"}
            wanted = {kind for kind, (path, _) in LISTS.items() if path.partition("?")[0] in built}
            assert set(made.their_ids) == wanted, f"not furnished with {wanted - set(made.their_ids)}"
            made.unchanged = Still(dev, lambda: lib.digest(self.tables, theirs))
            yield made
            dev.rest()
            made.unchanged.ends()

    def compare(self, place, name, where):
        """The other project's row must get the same answer as a missing one."""
        action = self.everything[name]
        for p in (p for p in action["params"] if p["in"] == "path" and p.get("kind") in place.their_ids) if where == "path" else ():
            body = body_of(action)
            yield self.pair(place, action, p["kind"], lambda identifier, kind=p["kind"], body=body: (
                path_of(action, {**place.ids, kind: identifier}), copy.deepcopy(body)))
        for p in members(action) if where == "body" else ():
            if p["type"] in ("id", "list of ids") and p.get("kind") in place.their_ids and p["built"]:
                yield self.pair(place, action, p["kind"], lambda identifier, p=p: (path_of(action, place.ids), good_body(place.ids, action, p, identifier)))

    def pair(self, place, action, kind, request):
        told = []
        for identifier in (place.their_ids[kind], ABSENT):
            path, body = request(identifier)
            answer = place.mine.call(action["method"], path, body, version=version_of(action))
            assert 400 <= answer.status < 500, f"{path} {body}: {answer}"
            told.append((answer.status, answer.same().replace(identifier, "ID").replace(identifier.replace("-", ""), "ID")))
        return kind, *told

    def filtered(self, place, name):
        """Yields (query, rows of the other project found)."""
        action = self.everything[name]
        path = path_of(action, place.ids)
        for word in action["filters"]:
            for value in {*place.their_ids.values(), place.theirs.id}:
                answer = place.mine.call("GET", f"{path}?{word}={value}", version=version_of(action))
                found = answer.status == 200 and [i for i in place.their_ids.values() if i in answer.text]
                yield f"{word}={value}", found

    def shared(self, place):
        """Rows of the other project in this project's lists."""
        texts = " ".join(place.mine.call("GET", path_of(a), version=version_of(a)).text for a in self.everything.values()
                         if a["method"] == "GET" and "{" not in a["path"] and not a["admin"]).replace("-", "")
        return [i for i in [place.theirs.id, *place.their_ids.values()] if i.replace("-", "") in texts]

    def administration(self, place, name):
        """Checks the result of an administrator's call."""
        action = self.everything[name]
        return place.mine.call(action["method"], path_of(action, place.ids), body_of(action), version=version_of(action)).status

    def guest_of(self, place, what, action):
        """A member's role allows calls as a policy would, a manager's those on QoS policies, and a reader's role allows reads."""
        if not what.startswith("Allow"):
            return place.manager if "/qos/" in action["path"] else place.member
        return place.reader if action["writes"] else None

    def ask(self, caller, name, request):
        action, (path, body) = self.actions[name], request
        raw = b"data" if action["raw"] else None
        headers = {"Content-Type": "application/octet-stream"} if action["raw"] and action["method"] == "PUT" else None
        return caller.call(action["method"], path, None if raw else body, version=version_of(action), raw=raw, headers=headers)

    def is_refused(self, answer):
        return answer.status == 403

    def refuses_anyway(self, name, _answer):
        return name in REFUSED_ANYWAY

    def alone(self, place, name):
        good = BODIES.get(name)
        return path_of(self.actions[name], place.ids), good(place.ids) if good else body_of(self.actions[name])

    def ask_unscoped(self, place, name):
        """Sends the call with an unscoped token."""
        if not hasattr(place, "unscoped"):
            user = {"id": place.member.caller.user_id, "password": place.member.caller.password}
            answer = place.owner.call("POST", "/identity/v3/auth/tokens", {"auth": {"scope": "unscoped", "identity": {
                "methods": ["password"], "password": {"user": user}}}}, headers={"X-Auth-Token": ""})
            assert answer.status == 201, answer
            place.unscoped = answer.headers["X-Subject-Token"]
        action = self.actions[name]
        return place.owner.call(action["method"], path_of(action, place.ids), body_of(action), version=version_of(action),
                                headers={"X-Auth-Token": place.unscoped})

    def asked(self, place, name, wanted):
        action = self.actions[name]
        param, kind = next((p, k) for p, k in named(action) if p["name"] == wanted)
        yield wanted, request(place, action, param), row_of(place, kind)


# Load balancers of Octavia have ARNs of Elastic Load Balancing: "loadbalancer/octavia/HEX", with the first 16 digits of the id.
BALANCING = {"elastic_load_balancer": "loadbalancer", "listener": "listener", "target_group": "targetgroup", "listener_rule": "listener-rule"}


def row_of(place, kind):
    if kind not in BALANCING:
        return face.row(place.number, kind, place.ids[kind], NAMES.get(kind))
    digits = {k: place.ids[k].replace("-", "")[:16] for k in BALANCING}
    above = {"listener": ("elastic_load_balancer",), "listener_rule": ("elastic_load_balancer", "listener")}.get(kind, ())
    name = "/".join(digits[k] for k in (*above, kind))
    start = f"arn:aws:elasticloadbalancing:us-east-1:{place.number}:{BALANCING[kind]}/octavia/"
    return doors.Row(kind, start + name, start + "other")


def request(place, action, param):
    """The call, with a resource of each kind."""
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
    for q in members(action):  # other required members are valid, too
        if q is not param and q["required"] and "." not in q["name"] and isinstance(inner, dict):
            if q.get("kind") in place.ids:
                inner[q["name"]] = place.ids[q["kind"]]
            elif q["type"] == "cidr":
                inner[q["name"]] = "10.99.0.0/24"
    return path_of(action, place.ids), body


def good_body(ids, action, param, identifier):
    """A body that names that row; other required members are valid."""
    body = body_of(action, param["name"], identifier if param["type"] == "id" else [identifier])
    wrap = action["name"] or action["wrap"]
    inner = body[wrap] if wrap else body
    for q in members(action):
        if q is not param and q["required"] and q.get("kind") in ids and "." not in q["name"]:
            inner[q["name"]] = ids[q["kind"]]
        elif q is not param and q["required"] and "." not in q["name"] and q["type"] == "cidr":
            inner[q["name"]] = "10.99.0.0/24"
    return body
