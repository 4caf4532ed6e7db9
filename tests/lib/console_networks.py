# SPDX-License-Identifier: Apache-2.0
"""Objects of the clicks on the console's network pages, for the test that compares clicks with commands: one VPC of the account, restored for each
click, and the fields of its rows that a click decides."""
BLOCK, FREE = "10.88.0.0/16", "10.88.240.0/24"
KINDS = ["network-acls", "network-acl-entries", "route-tables", "routes", "gateways", "nat-gateways", "peerings", "ports"]
SHOWN = {
    "network-acls": ["is_default"], "network-acl-entries": ["egress", "number", "allows", "protocol", "from_port", "to_port", "blocks"],
    "routes": ["destination"], "nat-gateways": ["state", "is_public"], "peerings": ["state"], "ports": ["state", "device_index"], "routers": ["dns_hostnames"], "subnets": ["public_on_launch"], "security-groups": ["description"],
}
OVER = {"nat-gateways": ("deleted", "failed"), "peerings": ("deleted", "rejected", "failed", "expired"), "ports": ("deleted",)}
HOPS = ("gateway", "nat_gateway", "peering", "port", "next_hop")


def told(kind, r, names):
    """Fields of a row besides SHOWN that it refers to, without ids. names: names of route tables and ACLs, by their ids."""
    if kind == "subnets":
        return {"table": names.get(r.get("route_table")), "acl": names.get(r.get("acl"))}
    if kind == "routes":
        return {"to": [hop for hop in HOPS if r.get(hop)]}
    if kind == "ports":
        return {"groups": len(r.get("groups", [])), "is attached": bool(r.get("instance"))}
    if kind == "gateways":
        return {"is attached": bool(r.get("router"))}
    if kind == "security-group-rules":
        return {"by group": bool(r.get("peer_group"))}
    return {}


def name_of(r):
    return r.get("tags", {}).get("Name") or ("default" if r.get("is_default") else "")


# ---- the VPC ----

def ours(dev, kind, router):
    return [r for r in dev.mine.rows(f"/{kind}?fields=*") if r.get("router") == router["id"] and r.get("state") not in OVER.get(kind, ())]


def row(dev, kind, identifier):
    return dev.mine.api_ok("GET", f"/{kind}/{identifier}")["item"]


def made(dev, kind, body):
    return row(dev, kind, dev.mine.api_ok("POST", f"/{kind}", body)["items"][0]["id"])


def drop(dev, kind, rows):
    for r in rows:
        dev.mine.api_ok("DELETE", f"/{kind}/{r['id']}")


def net(dev, plain=False):
    """Creates a VPC with only its default parts. plain: its machines have no public names."""
    if not hasattr(dev, "net"):
        dev.net = made(dev, "routers", {"block": BLOCK, "tags": {"Name": "net"}})
    router = dev.net
    drop(dev, "nat-gateways", ours(dev, "nat-gateways", router))
    drop(dev, "peerings", ours(dev, "peerings", router))
    dev.rest()
    drop(dev, "addresses", [a for a in dev.mine.rows("/addresses?fields=*") if a["is_elastic"] and not a.get("port")])
    drop(dev, "ports", ours(dev, "ports", router))
    dev.rest()
    drop(dev, "subnets", ours(dev, "subnets", router))
    drop(dev, "routes", [r for r in dev.mine.rows("/routes?fields=*") if r["table"] == router["main_route_table"]])
    for gateway in ours(dev, "gateways", router):
        dev.mine.api_ok("POST", f"/gateways/{gateway['id']}/detach", {"router": router["id"]})
    drop(dev, "gateways", [g for g in dev.mine.rows("/gateways?fields=*") if not g.get("router")])
    drop(dev, "route-tables", [t for t in ours(dev, "route-tables", router) if t["id"] != router["main_route_table"]])
    drop(dev, "network-acls", [a for a in ours(dev, "network-acls", router) if not a.get("is_default")])
    if plain:
        dev.mine.api_ok("PATCH", f"/routers/{router['id']}", {"dns_hostnames": False})
    return router


def subnet(dev, router, block=FREE):
    return made(dev, "subnets", {"router": router["id"], "block": block, "zone": dev.mine.rows("/zones")[0]["id"]})


def gateway(dev, router):
    one = made(dev, "gateways", {})
    dev.mine.api_ok("POST", f"/gateways/{one['id']}/attach", {"router": router["id"]})
    return row(dev, "gateways", one["id"])


def table(dev, router, name):
    return made(dev, "route-tables", {"router": router["id"], "tags": {"Name": name}})


def route(dev, of, target):
    return made(dev, "routes", {"table": of["id"], "destination": "0.0.0.0/0", "gateway": target["id"]})


def main_table(dev, router):
    return row(dev, "route-tables", router["main_route_table"])


# ---- objects of a click ----

def new_subnet(dev):
    router, zone = net(dev), dev.mine.rows("/zones?fields=*")[0]
    return {"router": router, "zone": zone, "block": FREE, "name": "it's new", "isPublic": True,
            "body": {"router": router["id"], "zone": zone["id"], "block": FREE, "public_on_launch": True, "tags": {"Name": "it's new"}}}


def changed_subnet(dev):
    return {"ids": [subnet(dev, net(dev))], "isPublic": True, "name": "it's another"}


def old_subnet(dev):
    router = net(dev)
    return {"ids": [subnet(dev, router)], "router": router}


def lost_subnet(dev):
    """A subnet with a way out by a new NAT gateway, in a route table of its own."""
    router = net(dev)
    front, back, main = subnet(dev, router, "10.88.1.0/24"), subnet(dev, router), main_table(dev, router)
    open_ = table(dev, router, "open")
    route(dev, open_, gateway(dev, router))
    dev.mine.api_ok("POST", f"/route-tables/{open_['id']}/associate", {"subnet": front["id"]})
    return {"subnet": back, "router": router, "table": main, "way": "new-nat", "publicSubnet": front, "isAlone": True, "routes": []}


def free_gateway(dev):
    """A subnet with a way out by an unattached gateway, in its present route table."""
    router = net(dev)
    return {"subnet": subnet(dev, router), "router": router, "table": main_table(dev, router), "way": "internet", "gateway": made(dev, "gateways", {}), "isAlone": False, "routes": []}


def kept_routes(dev):
    """A subnet with a way out by a new gateway, in a separate route table that keeps a route to a peering."""
    one = asked_peering(dev, True)["ids"][0]
    router = dev.net
    return {"subnet": subnet(dev, router), "router": router, "table": main_table(dev, router), "way": "internet", "isAlone": True, "routes": [{"destination": "192.0.2.0/24", "field": "peering", "target": one}]}


def by_nat(dev):
    nat = old_nat(dev)["ids"][0]
    router = dev.net
    return {"subnet": subnet(dev, router, "10.88.1.0/24"), "router": router, "table": main_table(dev, router), "way": "nat", "nat": nat, "isAlone": True, "routes": []}


def new_route(dev):
    router = net(dev)
    one, to = gateway(dev, router), main_table(dev, router)
    return {"table": to, "router": router, "destination": "0.0.0.0/0", "field": "gateway", "target": one, "body": {"table": to["id"], "destination": "0.0.0.0/0", "gateway": one["id"]}}


def old_route(dev):
    router = net(dev)
    of = main_table(dev, router)
    return {"ids": [route(dev, of, gateway(dev, router))], "table": of}


def used(dev, now, then):
    """The subnet uses the table `now`, and must use `then`; neither is the main table."""
    router = net(dev)
    one, tables = subnet(dev, router), {name: table(dev, router, name) for name in {now, then} if name}
    if now:
        dev.mine.api_ok("POST", f"/route-tables/{tables[now]['id']}/associate", {"subnet": one["id"]})
    return {"subnet": row(dev, "subnets", one["id"]), **({"table": tables[then]} if then else {})}


def named(dev):
    router = net(dev)
    return {"router": router, "name": "it's new", "body": {"router": router["id"], "tags": {"Name": "it's new"}}}


def open_vpc(dev):
    router = net(dev)
    return {"router": router, "gateway": gateway(dev, router)}


def new_nat(dev):
    router = net(dev)
    gateway(dev, router)
    return {"subnet": subnet(dev, router)}


def old_nat(dev):
    args = new_nat(dev)
    address = made(dev, "addresses", {})
    one = made(dev, "nat-gateways", {"subnet": args["subnet"]["id"], "address": address["id"]})
    dev.rest()
    return {"ids": [row(dev, "nat-gateways", one["id"])]}


def new_peering(dev):
    router, peer = net(dev), next(r for r in dev.mine.rows("/routers?fields=*") if r.get("is_default"))
    return {"router": router, "peer": peer, "owner": "", "body": {"router": router["id"], "peer_router": peer["id"]}}


def asked_peering(dev, accepted=False):
    one = made(dev, "peerings", new_peering(dev)["body"])
    if accepted:
        dev.mine.api_ok("POST", f"/peerings/{one['id']}/accept", {})
        dev.rest()
    return {"ids": [row(dev, "peerings", one["id"])]}


def acl(dev, router):
    return made(dev, "network-acls", {"router": router["id"], "tags": {"Name": "guard"}})


def guarded(dev):
    router = net(dev)
    return {"subnet": subnet(dev, router), "acl": acl(dev, router)}


def other_entry(dev, protocol, number, block, **ports):
    of = acl(dev, net(dev))
    match = {"protocol": number} if number else {}
    return {"acl": of, "egress": True, "number": 130, "allows": True, "protocol": protocol, **({"from": ports["from_port"], "to": ports["to_port"]} if ports else {}), "block": block,
            "body": {"acl": of["id"], "egress": True, "number": 130, "allows": True, **match, **ports, "block": block}}


def new_entry(dev):
    of = acl(dev, net(dev))
    return {"acl": of, "egress": False, "number": 120, "allows": False, "protocol": "tcp", "from": 80, "to": 90, "block": "198.51.100.0/24",
            "body": {"acl": of["id"], "number": 120, "allows": False, "protocol": 6, "from_port": 80, "to_port": 90, "block": "198.51.100.0/24"}}


def old_entry(dev):
    args = new_entry(dev)
    return {"ids": [made(dev, "network-acl-entries", args["body"])], "acl": args["acl"]}


def whole_vpc(dev):
    """Creates a VPC with one resource of each kind that is deleted with it."""
    router = made(dev, "routers", {"block": "10.99.0.0/16"})
    of = {"router": router["id"]}
    groups = [made(dev, "security-groups", {"name": name, "description": "of a test", **of}) for name in ("one", "two")]
    rule = made_rule(dev, groups[0], groups[1])
    peer = next(r for r in dev.mine.rows("/routers?fields=*") if r.get("is_default"))
    return {"router": router, "subnets": [subnet(dev, router, "10.99.1.0/24")], "gateways": [gateway(dev, router)], "egress": [made(dev, "egress-gateways", of)], "tables": [table(dev, router, "more")],
            "acls": [acl(dev, router)], "rules": [{"rule": rule, "group": groups[0]}], "groups": groups, "peerings": [made(dev, "peerings", {**of, "peer_router": peer["id"]})]}


def made_rule(dev, of, peer):
    one = dev.mine.api_ok("POST", "/security-group-rules/ingress", {"group": of["id"], "protocol": 6, "from_port": 80, "to_port": 80, "peer_group": peer["id"]})["items"][0]
    return row(dev, "security-group-rules", one["id"])


# ---- interfaces ----

def new_port(dev):
    one = subnet(dev, net(dev))
    return {"subnet": one, "description": "it's spare", "body": {"subnet": one["id"], "description": "it's spare"}}


def port(dev):
    return made(dev, "ports", new_port(dev)["body"])


def in_zone(dev, instance):
    """A port in the instance's subnet."""
    return made(dev, "ports", {"subnet": next(p["subnet"] for p in dev.mine.rows("/ports?fields=*") if p.get("instance") == instance["id"])})


def plugged(dev, instance, is_in):
    one = in_zone(dev, instance)
    if is_in:
        dev.mine.api_ok("POST", f"/ports/{one['id']}/attach", {"instance": instance["id"], "device_index": 1})
        dev.rest()
        return {"ids": [row(dev, "ports", one["id"])]}
    return {"ids": [one], "instance": instance, "index": 1}


def grouped(dev, group):
    one = made(dev, "ports", {"subnet": next(s["id"] for s in dev.mine.rows("/subnets?fields=*") if s.get("is_default"))})
    return {"ids": [one], "groups": [group(dev), group(dev)]}


def led(dev, address, instance, back=False):
    """An address and an interface; with `back`, an address that is already associated."""
    on, of = in_zone(dev, instance), address(dev)
    if back:
        dev.mine.api_ok("POST", f"/addresses/{of['id']}/associate", {"port": on["id"]})
        return {"ids": [row(dev, "addresses", of["id"])]}
    return {"ids": [of], "port": on}


def verbs(instance, address, group):
    """Clicks in functions that create their own objects."""
    return {
        "networks.update": lambda d: {"ids": [net(d, plain=True)], "hasNames": True, "name": "net"}, "networks.delete": whole_vpc, "subnets.create": new_subnet, "subnets.update": changed_subnet, "subnets.delete": old_subnet, "subnets.mend": lost_subnet,
        "routes.add": new_route, "routes.remove": old_route, "route-tables.create": named, "route-tables.delete": lambda d: {"ids": [table(d, net(d), "old")]},
        "route-tables.associate": lambda d: used(d, None, "one"), "route-tables.replace": lambda d: used(d, "one", "two"), "route-tables.disassociate": lambda d: used(d, "one", None),
        "gateways.create": lambda d: {"router": net(d)}, "gateways.delete": open_vpc, "nat-gateways.create": new_nat, "nat-gateways.delete": old_nat,
        "peerings.create": new_peering, "peerings.accept": asked_peering, "peerings.reject": asked_peering, "peerings.delete": lambda d: asked_peering(d, True),
        "network-acls.create": named, "network-acls.delete": lambda d: {"ids": [acl(d, net(d))]}, "network-acls.associate": guarded, "acl-entries.add": new_entry, "acl-entries.remove": old_entry,
        "ports.create": new_port, "ports.attach": lambda d: plugged(d, instance(d), False), "ports.detach": lambda d: plugged(d, instance(d), True),
        "ports.groups": lambda d: grouped(d, group), "ports.delete": lambda d: {"ids": [port(d)]},
        "addresses.lead": lambda d: led(d, address, instance(d)), "addresses.disassociate": lambda d: led(d, address, instance(d), True),
        "security-groups.update": lambda d: {"ids": [group(d)], "name": f"it's {d.count}", "description": "it's <that>"},
    }


MORE = {  # alternative ways to perform an action: (action, how)
    ("subnets.mend", "a free gateway"): free_gateway, ("subnets.mend", "kept routes"): kept_routes, ("subnets.mend", "a NAT gateway"): by_nat,
    ("gateways.create", "a free one"): lambda d: {"router": net(d), "gateway": made(d, "gateways", {})},
    ("nat-gateways.create", "an address"): lambda d: {**new_nat(d), "address": made(d, "addresses", {})},
    ("acl-entries.add", "all"): lambda d: other_entry(d, "any", None, "192.0.2.0/24"), ("acl-entries.add", "ICMP"): lambda d: other_entry(d, "icmp", 1, "192.0.2.0/24"),
    ("acl-entries.add", "IPv6"): lambda d: other_entry(d, "udp", 17, "2001:db8::/32", from_port=53, to_port=53),
}
SHOWN_BY = {
    "networks.update": "aws", "networks.delete": "aws", "subnets.create": "aws ansible terraform", "subnets.update": "aws", "subnets.delete": "aws openstack ansible", "subnets.mend": "aws terraform", "routes.add": "aws ansible terraform", "routes.remove": "aws",
    "route-tables.create": "aws terraform", "route-tables.delete": "aws", "route-tables.associate": "aws terraform", "route-tables.replace": "aws", "route-tables.disassociate": "aws",
    "gateways.create": "aws ansible terraform", "gateways.delete": "aws ansible", "nat-gateways.create": "aws ansible terraform", "nat-gateways.delete": "aws ansible",
    "peerings.create": "aws ansible terraform", "peerings.accept": "aws ansible terraform", "peerings.reject": "aws ansible", "peerings.delete": "aws ansible",
    "network-acls.create": "aws terraform", "network-acls.delete": "aws cmk", "network-acls.associate": "aws terraform", "acl-entries.add": "aws cmk terraform", "acl-entries.remove": "aws cmk",
    "ports.create": "aws ansible terraform", "ports.attach": "aws openstack ansible terraform", "ports.detach": "aws ansible", "ports.groups": "aws openstack", "ports.delete": "aws openstack ansible",
    "addresses.lead": "aws openstack terraform", "addresses.disassociate": "aws openstack", "security-groups.update": "openstack",
}
