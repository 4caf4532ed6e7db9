#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/network src/engine/network src/base/ip
"""Neutron's answers where clients are strict: bulk creation, forms of MAC addresses, protocols of each family, owners of ports on a shared network,
quotas and default groups, tags, page links, several next hops."""
import os
import re
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from regions import admin, dev, own  # noqa: E402, F401 (fixtures)

NET = "/network/v2.0"


@pytest.fixture(scope="module")
def net(own):
    """A network with a subnet."""
    network = own.ok("POST", f"{NET}/networks", {"network": {"name": "n"}})["network"]["id"]
    subnet = own.ok("POST", f"{NET}/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"}})["subnet"]["id"]
    return network, subnet


def project(admin, name):
    """A separate project with a member that has sent no request yet."""
    made = admin.ok("POST", "/identity/v3/projects", {"project": {"name": name}})["project"]["id"]
    user = admin.ok("POST", "/identity/v3/users", {"user": {"name": name, "password": "geheim"}})["user"]["id"]
    role = admin.ok("GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
    admin.ok("PUT", f"/identity/v3/projects/{made}/users/{user}/roles/{role}")
    return cloud.Project(admin.dev, name, name, "geheim")


def refused(answer, status, kind):
    assert (answer.status, answer.json["NeutronError"]["type"]) == (status, kind), answer
    return answer.json["NeutronError"]["message"]


# ---- lists to make

def bodies(own, admin, net):
    network, subnet = net
    external = next(n["id"] for n in own.ok("GET", f"{NET}/networks?router:external=True")["networks"])
    group = own.ok("POST", f"{NET}/security-groups", {"security_group": {"name": "rules"}})["security_group"]["id"]
    port = own.ok("POST", f"{NET}/ports", {"port": {"network_id": network}})["port"]
    parents = [own.ok("POST", f"{NET}/ports", {"port": {"network_id": network}})["port"]["id"] for _ in range(2)]
    router = own.ok("POST", f"{NET}/routers", {"router": {"name": "out", "external_gateway_info": {"network_id": external}}})["router"]["id"]
    own.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet})
    floating = own.ok("POST", f"{NET}/floatingips", {"floatingip": {"floating_network_id": external}})["floatingip"]["id"]
    forwarding = {"internal_port_id": port["id"], "internal_ip_address": port["fixed_ips"][0]["ip_address"], "protocol": "tcp"}
    return {
        "networks": ("network", [{"name": "a"}, {"name": "b"}]),
        "subnets": ("subnet", [{"network_id": network, "ip_version": 4, "cidr": f"10.9.{k}.0/24"} for k in (1, 2)]),
        "ports": ("port", [{"network_id": network}] * 2),
        "routers": ("router", [{"name": "a"}, {"name": "b"}]),
        "floatingips": ("floatingip", [{"floating_network_id": external}] * 2),
        f"floatingips/{floating}/port_forwardings": ("port_forwarding", [{**forwarding, "internal_port": k, "external_port": k} for k in (2201, 2202)]),
        "security-groups": ("security_group", [{"name": "a"}, {"name": "b"}]),
        "security-group-rules": ("security_group_rule", [{"security_group_id": group, "direction": "ingress", "protocol": p} for p in ("tcp", "udp")]),
        "subnetpools": ("subnetpool", [{"name": n, "prefixes": [f"10.{k}.0.0/16"]} for n, k in (("a", 81), ("b", 82))]),
        "qos/policies": ("policy", [{"name": "a"}, {"name": "b"}]),
        "address-scopes": ("address_scope", [{"name": n, "ip_version": v} for n, v in (("a", 4), ("b", 6))]),
        "trunks": ("trunk", [{"port_id": p} for p in parents]),
        "vpn/ikepolicies": ("ikepolicy", [{"name": n} for n in "ab"]),
        "vpn/ipsecpolicies": ("ipsecpolicy", [{"name": n} for n in "ab"]),
        "vpn/endpoint-groups": ("endpoint_group", [{"name": n, "type": "cidr", "endpoints": ["10.99.0.0/24"]} for n in "ab"]),
        "vpn/vpnservices": ("vpnservice", [{"name": n, "router_id": router} for n in "ab"]),
        "address-groups": ("address_group", [{"name": n, "addresses": ["10.0.0.0/8"]} for n in "ab"]),
        "rbac-policies": ("rbac_policy", [{"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": p}
                                          for p in (own.id, admin.id)]),
    }


def test_all_are_made_in_bulk(own, admin, net):
    """Every collection accepts a list, and answers in the same order; one invalid body prevents the whole list."""
    for path, (item, wanted) in bodies(own, admin, net).items():
        by = admin if path.startswith("qos/") else own
        many = item[:-1] + "ies" if item.endswith("y") else item + "s"
        answer = by.call("POST", f"{NET}/{path}", {many: wanted})
        assert answer.status == 201 and len(answer.json[many]) == 2, f"{path}: {answer}"
        for one, said in zip(answer.json[many], wanted):
            assert {k: one[k] for k in said if k != "prefixes"} == {k: v for k, v in said.items() if k != "prefixes"}, path
        before = len(by.ok("GET", f"{NET}/{path}")[many])
        wrong = by.call("POST", f"{NET}/{path}", {many: [{**wanted[0], "name": "c"} if "name" in wanted[0] else wanted[0], {"no": "such"}]})
        assert wrong.status in (400, 409), f"{path}: {wrong}"
        assert len(by.ok("GET", f"{NET}/{path}")[many]) == before, path
        assert by.call("POST", f"{NET}/{path}", {many: []}).status == 400, path


# ---- rules and addresses

def test_families_of_protocols(own):
    group = own.ok("POST", f"{NET}/security-groups", {"security_group": {"name": "families"}})["security_group"]["id"]

    def add(**rule):
        return own.call("POST", f"{NET}/security-group-rules", {"security_group_rule": {"security_group_id": group, "direction": "ingress", **rule}})

    for protocol in ("icmpv6", "ipv6-icmp", "58", 58, "ipv6-encap", "ipv6-frag", "ipv6-nonxt", "ipv6-opts", "ipv6-route", "41"):
        answer = add(ethertype="IPv4", protocol=protocol)
        assert answer.status == 400 and "Invalid ethertype IPv4 for protocol" in answer.text, f"{protocol}: {answer}"
    assert add(protocol="icmpv6").status == 400  # a rule without an ethertype is IPv4
    made = add(ethertype="IPv6", protocol="icmp")
    assert made.status == 201 and made.json["security_group_rule"]["protocol"] == "ipv6-icmp", made
    for protocol in ("icmp", "icmpv6", "ipv6-icmp", "1", "58", 1):
        assert refused(add(ethertype="ipv6", protocol=protocol), 409, "SecurityGroupRuleExists")
    assert add(ethertype="ipv4", protocol="icmp").json["security_group_rule"]["ethertype"] == "IPv4"
    assert add(ethertype="ARP").status == 400


def test_forms_of_mac_addresses(own, net):
    """Neutron accepts netaddr's forms, in a port, in its address pairs and in a filter, and shows colons."""
    forms = ("FA-16-3E-00-00-07", "fa163e000007", "fa16.3e00.0007", "fa:16:3e:0:0:7", "FA163E-000007")
    for form in forms:
        body = {"port": {"network_id": net[0], "mac_address": form, "allowed_address_pairs": [{"ip_address": "10.9.0.77", "mac_address": form}]}}
        port = own.ok("POST", f"{NET}/ports", body)["port"]
        assert port["mac_address"] == port["allowed_address_pairs"][0]["mac_address"] == "fa:16:3e:00:00:07", form
        found = own.ok("GET", f"{NET}/ports?mac_address={urllib.parse.quote(form)}")["ports"]
        assert [p["id"] for p in found] == [port["id"]], form
        own.ok("DELETE", f"{NET}/ports/{port['id']}")
    for form in ("fa:16:3e:00:00", "fa:16:3e:00:00:0g", "fa 16 3e 00 00 07", "FA-16:3E-00-00-07"):
        assert own.call("POST", f"{NET}/ports", {"port": {"network_id": net[0], "mac_address": form}}).status == 400, form


# ---- owners of ports

def test_the_owner_of_a_shared_network(own, admin):
    """get_port and delete_port are also allowed to the network's owner; update_port is not."""
    guest, stranger = project(admin, "guest"), project(admin, "stranger")
    network = own.ok("POST", f"{NET}/networks", {"network": {"name": "common"}})["network"]["id"]
    own.ok("POST", f"{NET}/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.8.0.0/24"}})
    own.ok("POST", f"{NET}/rbac-policies", {"rbac_policy": {"object_type": "network", "object_id": network, "action": "access_as_shared", "target_tenant": guest.id}})
    port = guest.ok("POST", f"{NET}/ports", {"port": {"network_id": network, "name": "guests"}})["port"]["id"]
    path = f"{NET}/ports/{port}"
    for query in (f"network_id={network}", f"id={port}", f"project_id={guest.id}", "name=guests"):
        assert port in [p["id"] for p in own.ok("GET", f"{NET}/ports?{query}")["ports"]], query
    assert own.ok("GET", path)["port"]["project_id"] == guest.id
    assert stranger.call("GET", path).status == stranger.call("DELETE", path).status == 404
    assert own.call("PUT", path, {"port": {"name": "mine"}}).status in (403, 404)
    assert own.call("DELETE", f"{NET}/networks/{network}").status == 409
    assert own.call("DELETE", path).status == 204 and guest.call("GET", path).status == 404
    assert own.call("DELETE", f"{NET}/networks/{network}").status in (204, 409)  # its policy may still exist
    for p in own.ok("GET", f"{NET}/rbac-policies?object_id={network}").get("rbac_policies", []):
        own.ok("DELETE", f"{NET}/rbac-policies/{p['id']}")


def test_quota_and_default_group(admin):
    """The default group counts in a project's quota; the quota details equal the list's count."""
    for name, first in (("fresh", "POST"), ("listed", "GET")):
        fresh = project(admin, name)
        limit = 1 if first == "POST" else 2
        admin.ok("PUT", f"{NET}/quotas/{fresh.id}", {"quota": {"security_group": limit}})
        if first == "GET":
            shown = admin.ok("GET", f"{NET}/security-groups?project_id={fresh.id}")["security_groups"]
            assert [g["name"] for g in shown] == ["default"]  # an administrator's list creates it, as in Neutron
        details = fresh.ok("GET", f"{NET}/quotas/{fresh.id}/details")["quota"]["security_group"]
        assert details == {"limit": limit, "used": limit - 1, "reserved": 0}
        assert fresh.call("POST", f"{NET}/security-groups", {"security_group": {"name": "one"}}).status == 201
        assert refused(fresh.call("POST", f"{NET}/security-groups", {"security_group": {"name": "two"}}), 409, "OverQuota")
        used = fresh.ok("GET", f"{NET}/quotas/{fresh.id}/details")["quota"]["security_group"]["used"]
        assert used == len(fresh.ok("GET", f"{NET}/security-groups")["security_groups"]) == 2


# ---- tags, pages, pools

def test_an_absent_tag(own, net):
    path = f"{NET}/networks/{net[0]}/tags"
    assert own.call("PUT", f"{path}/blue").status == 201
    assert own.call("DELETE", f"{path}/red").status == 404 and "Tag red could not be found" in own.call("DELETE", f"{path}/red").text
    assert own.call("DELETE", f"{path}/blue").status == 204 and own.call("DELETE", f"{path}/blue").status == 404
    assert own.call("DELETE", path).status == 204  # deleting all tags when there are none


def test_links_of_pages(own):
    """A page with a limit links both ways, even an empty one."""
    every = own.ok("GET", f"{NET}/networks?sort_key=id")["networks"]

    def links(query):
        answer = own.ok("GET", f"{NET}/networks?{query}")
        return len(answer["networks"]), {link["rel"]: link["href"] for link in answer.get("networks_links", [])}

    assert links("sort_key=id") == (len(every), {})
    count, found = links(f"sort_key=id&limit=2&marker={every[-1]['id']}")
    assert count == 0 and set(found) == {"previous"}, found
    assert re.search(r"page_reverse=True", found["previous"]) and "marker=" not in found["previous"]
    assert set(links("name=nobody&limit=2")[1]) == {"previous"}
    assert set(links("name=nobody&limit=2&page_reverse=True")[1]) == {"next"}
    assert set(links("sort_key=id&limit=1")[1]) == {"next", "previous"}


def test_lengths_of_a_pool(own):
    body = {"name": "p", "prefixes": ["10.83.0.0/16"], "min_prefixlen": 20, "default_prefixlen": "24", "max_prefixlen": 28}
    pool = own.ok("POST", f"{NET}/subnetpools", {"subnetpool": body})["subnetpool"]
    assert (pool["min_prefixlen"], pool["default_prefixlen"], pool["max_prefixlen"]) == ("20", "24", "28")


# ---- changes that would be lost, or would take more with them

@pytest.mark.parametrize("info", [{"enable_snat": False}, {"external_fixed_ips": []}, {"enable_snat": True, "external_fixed_ips": []}])
def test_a_gateway_without_a_network(own, info):
    """Neutron refuses the change and keeps the gateway; only null and the empty object take the gateway away."""
    external = next(n["id"] for n in own.ok("GET", f"{NET}/networks?router:external=True")["networks"])
    router = own.ok("POST", f"{NET}/routers", {"router": {"external_gateway_info": {"network_id": external}}})["router"]["id"]
    for method, path in (("PUT", f"{NET}/routers/{router}"), ("POST", f"{NET}/routers")):
        words = refused(own.call(method, path, {"router": {"external_gateway_info": info}}), 400, "HTTPBadRequest")
        assert "Expected keys: {'network_id'}" in words and all(f"'{name}'" in words for name in info)
    assert own.ok("GET", f"{NET}/routers/{router}")["router"]["external_gateway_info"]["network_id"] == external
    assert own.ok("PUT", f"{NET}/routers/{router}", {"router": {"external_gateway_info": {}}})["router"]["external_gateway_info"] is None
    own.ok("DELETE", f"{NET}/routers/{router}")


def test_the_device_of_a_port_that_is_plugged_in(own, net):
    """The device and its owner are the server's; what is shown may be sent back."""
    image = own.ok("GET", "/image/v2/images?visibility=public")["images"][0]["id"]
    server = {"name": "plugged", "imageRef": image, "flavorRef": own.ok("GET", "/compute/v2.1/flavors")["flavors"][0]["id"], "networks": [{"uuid": net[0]}]}
    server = own.ok("POST", "/compute/v2.1/servers", {"server": server}, version="compute 2.93")["server"]["id"]
    own.dev.rest()
    port, = own.ok("GET", f"{NET}/ports?device_id={server}")["ports"]
    path = f"{NET}/ports/{port['id']}"
    shown = {name: port[name] for name in ("device_id", "device_owner")}
    for wrong in ({"device_id": "other"}, {"device_id": ""}, {"device_owner": "network:dhcp"}, {**shown, "device_owner": ""}):
        assert server in refused(own.call("PUT", path, {"port": wrong}), 409, "PortInUse")
    assert own.ok("PUT", path, {"port": {**shown, "name": "again"}})["port"]["name"] == "again"
    free = own.ok("POST", f"{NET}/ports", {"port": {"network_id": net[0]}})["port"]["id"]
    said = {"device_id": "mine", "device_owner": "me"}
    assert {k: own.ok("PUT", f"{NET}/ports/{free}", {"port": said})["port"][k] for k in said} == said


# ---- several next hops

def test_next_hops_of_equal_cost(own, net):
    router = own.ok("POST", f"{NET}/routers", {"router": {"name": "spread"}})["router"]["id"]
    network = own.ok("POST", f"{NET}/networks", {"network": {"name": "arm"}})["network"]["id"]
    subnet = own.ok("POST", f"{NET}/subnets", {"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.7.0.0/24"}})["subnet"]["id"]
    own.ok("PUT", f"{NET}/routers/{router}/add_router_interface", {"subnet_id": subnet})

    def route(to, hop):
        return {"destination": to, "nexthop": f"10.7.0.{hop}"}

    def shown():
        return sorted((r["destination"], r["nexthop"]) for r in own.ok("GET", f"{NET}/routers/{router}")["router"]["routes"])

    def change(action, *routes):
        return own.call("PUT", f"{NET}/routers/{router}/{action}", {"router": {"routes": list(routes)}})

    two = [route("192.168.0.0/16", 5), route("192.168.0.0/16", 6)]
    assert own.call("PUT", f"{NET}/routers/{router}", {"router": {"routes": two}}).status == 200
    assert shown() == [("192.168.0.0/16", "10.7.0.5"), ("192.168.0.0/16", "10.7.0.6")]
    assert change("add_extraroutes", route("192.168.0.0/16", 7), route("192.168.0.0/16", 5), route("172.16.0.0/12", 5)).status == 200
    assert [hop for to, hop in shown() if to == "192.168.0.0/16"] == ["10.7.0.5", "10.7.0.6", "10.7.0.7"] and len(shown()) == 4
    assert change("remove_extraroutes", route("192.168.0.0/16", 5), route("192.168.0.0/16", 9)).status == 200
    assert [hop for to, hop in shown() if to == "192.168.0.0/16"] == ["10.7.0.6", "10.7.0.7"]
    assert change("add_extraroutes", {"destination": "192.168.0.0/16", "nexthop": "10.66.0.1"}).status == 400
    gone = own.call("PUT", f"{NET}/routers/{router}/remove_router_interface", {"subnet_id": subnet})
    assert refused(gone, 409, "RouterInterfaceInUseByRoute")
    assert own.call("PUT", f"{NET}/routers/{router}", {"router": {"routes": [route("192.168.0.0/16", 7)]}}).status == 200
    assert shown() == [("192.168.0.0/16", "10.7.0.7")]
    assert own.call("PUT", f"{NET}/routers/{router}", {"router": {"routes": None}}).status == 200 and shown() == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
