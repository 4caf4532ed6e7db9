#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/load_balancer src/engine/balancing src/reconcile/balancing
"""Load balancers through the stock openstack command with Octavia's plug-in, and through requests as controllers of Kubernetes send them."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
import warm  # noqa: E402
from faces import holds  # noqa: E402
import waiting  # noqa: E402

LB = "/load-balancer/v2/lbaas"


class Region:
    def __init__(self, dev):
        self.dev, self.own = dev, lib.own(dev)
        self.subnet = self.own.ok("GET", "/network/v2.0/subnets?ip_version=4")["subnets"][0]
        self.outside = self.own.ok("GET", "/network/v2.0/networks?router:external=true")["networks"][0]["id"]

    def say(self, *argv, fails=False):
        quiet = {"delete", "set", "unset"} & set(argv[:5])
        return self.own.openstack(*argv, *([] if quiet or fails else ["-f", "json"]), fails=fails)

    def make(self, what, one, body):
        return self.own.ok("POST", f"{LB}/{what}", {one: body})[one]

    def show(self, path, one):
        return self.own.ok("GET", f"{LB}/{path}")[one]

    def ready(self, balancer):
        """Waits as every client does, for the state that permits the next change."""
        waiting.wait_until(lambda: self.show(f"loadbalancers/{balancer}", "loadbalancer")["provisioning_status"] == "ACTIVE",
                           f"{balancer} is active")
        return balancer

    def balancer(self, **body):
        made = self.make("loadbalancers", "loadbalancer", {"vip_subnet_id": self.subnet["id"], **body})
        self.ready(made["id"])
        return made

    def drop(self, balancer):
        self.ready(balancer)
        assert self.own.call("DELETE", f"{LB}/loadbalancers/{balancer}?cascade=true").status == 204
        assert self.own.call("GET", f"{LB}/loadbalancers/{balancer}").status == 404


@pytest.fixture(scope="module")
def r():
    with Dev() as dev:
        yield Region(dev)


def test_the_stock_command(r):
    """Each part is made, shown, listed, changed and deleted with the command that the manuals give."""
    assert "load-balancer" in {s["Type"] for s in r.say("catalog", "list")}
    made = r.say("loadbalancer", "create", "--name", "web", "--vip-subnet-id", r.subnet["id"], "--wait")
    assert (made["provisioning_status"], made["operating_status"], made["provider"]) == ("ACTIVE", "ONLINE", "dari")
    port = r.own.ok("GET", f"/network/v2.0/ports/{made['vip_port_id']}")["port"]
    assert port["fixed_ips"][0]["ip_address"] == made["vip_address"] and port["name"] == f"octavia-lb-{made['id']}"
    r.say("loadbalancer", "listener", "create", "--name", "l", "--protocol", "TCP", "--protocol-port", "80", "--wait", "web")
    r.say("loadbalancer", "pool", "create", "--name", "p", "--listener", "l", "--protocol", "TCP", "--lb-algorithm", "ROUND_ROBIN", "--wait")
    address = r.subnet["cidr"].rsplit(".", 1)[0] + ".77"
    member = r.say("loadbalancer", "member", "create", "--name", "m", "--address", address, "--protocol-port", "8080", "--wait", "p")
    assert (member["address"], member["weight"], member["operating_status"]) == (address, 1, "NO_MONITOR")
    r.say("loadbalancer", "healthmonitor", "create", "--name", "h", "--type", "TCP", "--delay", "5", "--timeout", "3", "--max-retries", "2",
          "--wait", "p")
    waiting.wait_until(lambda: r.say("loadbalancer", "member", "show", "p", "m")["operating_status"] == "ONLINE", "the member is healthy")
    for kind, name in (("listener", "l"), ("pool", "p"), ("healthmonitor", "h")):
        shown = r.say("loadbalancer", kind, "show", name)
        assert (shown["provisioning_status"], shown["operating_status"]) == ("ACTIVE", "ONLINE"), shown
        assert [row["name"] for row in r.say("loadbalancer", kind, "list")] == [name]
    assert [row["name"] for row in r.say("loadbalancer", "list")] == ["web"]
    assert [row["address"] for row in r.say("loadbalancer", "member", "list", "p")] == [address]
    tree = json.loads(warm.run([lib.OPENSTACK, "loadbalancer", "status", "show", "web"], r.own.env()).stdout)
    pool = tree["loadbalancer"]["listeners"][0]["pools"][0]
    assert (pool["members"][0]["operating_status"], pool["health_monitor"]["type"]) == ("ONLINE", "TCP")
    figures = {"active_connections": 0, "bytes_in": 0, "bytes_out": 0, "request_errors": 0, "total_connections": 0}
    assert r.say("loadbalancer", "stats", "show", "web") == r.say("loadbalancer", "listener", "stats", "show", "l") == figures
    r.say("loadbalancer", "set", "--description", "d", "--wait", "web")
    assert r.say("loadbalancer", "show", "web")["description"] == "d"
    r.say("loadbalancer", "member", "set", "--weight", "0", "--wait", "p", "m")
    assert r.say("loadbalancer", "member", "show", "p", "m")["operating_status"] == "DRAINING"
    assert "children" in r.say("loadbalancer", "delete", "web", fails=True)
    r.say("loadbalancer", "healthmonitor", "delete", "--wait", "h")
    r.say("loadbalancer", "member", "delete", "--wait", "p", "m")
    r.say("loadbalancer", "pool", "delete", "--wait", "p")
    r.say("loadbalancer", "listener", "delete", "--wait", "l")
    r.say("loadbalancer", "delete", "--wait", "web")
    assert r.say("loadbalancer", "list") == []
    assert r.own.call("GET", f"/network/v2.0/ports/{made['vip_port_id']}").status == 404


def test_lists_without_rows(r):
    """The stock command lists the providers, and nothing of flavors, zones and quotas that differ from the defaults."""
    assert {row["name"] for row in r.say("loadbalancer", "provider", "list")} == {"dari", "amphora", "octavia"}
    for words in (("flavor",), ("availabilityzone",), ("quota",)):
        assert r.say("loadbalancer", *words, "list") == [], words
    assert r.say("loadbalancer", "quota", "show", r.own.id) == r.say("loadbalancer", "quota", "defaults", "show")


def test_a_balancer_with_all_its_parts(r):
    """A single request makes a listener with its pool, members and health monitor, and another deletes them."""
    base = r.subnet["cidr"].rsplit(".", 1)[0]
    made = r.balancer(name="whole", tags=["a", "b"], listeners=[{
        "name": "http", "protocol": "HTTP", "protocol_port": 80, "insert_headers": {"X-Forwarded-For": "true"},
        "allowed_cidrs": ["10.0.0.0/8"], "default_pool": {
            "name": "back", "protocol": "HTTP", "lb_algorithm": "LEAST_CONNECTIONS", "session_persistence": {"type": "HTTP_COOKIE"},
            "members": [{"address": f"{base}.71", "protocol_port": 80}, {"address": f"{base}.72", "protocol_port": 80, "backup": True}],
            "healthmonitor": {"type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 2, "url_path": "/health"}}}])
    shown = r.show(f"loadbalancers/{made['id']}", "loadbalancer")
    assert (len(shown["listeners"]), len(shown["pools"]), shown["tags"]) == (1, 1, ["a", "b"])
    assert r.show(f"loadbalancers/{made['id']}?fields=name&fields=tags", "loadbalancer") == {"name": "whole", "tags": ["a", "b"]}
    listener = r.show(f"listeners/{shown['listeners'][0]['id']}", "listener")
    assert (listener["insert_headers"], listener["allowed_cidrs"]) == ({"X-Forwarded-For": "true"}, ["10.0.0.0/8"])
    assert listener["timeout_client_data"] == 50000 and listener["connection_limit"] == -1
    pool = r.show(f"pools/{listener['default_pool_id']}", "pool")
    assert (pool["session_persistence"]["type"], len(pool["members"])) == ("HTTP_COOKIE", 2)
    monitor = r.show(f"healthmonitors/{pool['healthmonitor_id']}", "healthmonitor")
    assert (monitor["url_path"], monitor["expected_codes"], monitor["http_method"]) == ("/health", "200", "GET")
    assert [b["id"] for b in r.show("loadbalancers?tags=a,b", "loadbalancers")] == [made["id"]]
    assert r.show("loadbalancers?tags=a,c", "loadbalancers") == []
    r.drop(made["id"])
    assert r.show("listeners", "listeners") == r.show("pools", "pools") == r.show("healthmonitors", "healthmonitors") == []


def test_l7_policies(r):
    """Policies and rules are made, shown, listed, moved, changed and deleted with the stock command."""
    made = r.balancer(name="seven", listeners=[{"name": "l7", "protocol": "HTTP", "protocol_port": 80}])
    r.say("loadbalancer", "pool", "create", "--name", "p7", "--loadbalancer", "seven", "--protocol", "HTTP", "--lb-algorithm", "ROUND_ROBIN", "--wait")
    make = lambda name, *more: r.say("loadbalancer", "l7policy", "create", "--name", name, *more, "--wait", "l7")  # noqa: E731
    first = make("no", "--action", "REJECT")
    assert (first["position"], first["action"], first["provisioning_status"], first["operating_status"]) == (1, "REJECT", "ACTIVE", "ONLINE")
    assert make("there", "--action", "REDIRECT_TO_URL", "--redirect-url", "http://a.test/", "--redirect-http-code", "301")["redirect_http_code"] == 301
    assert make("tls", "--action", "REDIRECT_PREFIX", "--redirect-prefix", "https://a.test", "--position", "1")["redirect_http_code"] == 302
    pool = make("pool", "--action", "REDIRECT_TO_POOL", "--redirect-pool", "p7", "--position", "2")
    assert pool["redirect_pool_id"] == r.show("pools?name=p7", "pools")[0]["id"]
    order = lambda: [p["name"] for p in sorted(r.show("l7policies", "l7policies"), key=lambda p: p["position"])]  # noqa: E731
    assert order() == ["tls", "pool", "no", "there"]
    r.say("loadbalancer", "l7policy", "set", "--position", "4", "--wait", "tls")
    r.say("loadbalancer", "l7policy", "delete", "--wait", "no")
    assert order() == ["pool", "there", "tls"] and {row["name"] for row in r.say("loadbalancer", "l7policy", "list")} == {"pool", "there", "tls"}
    assert len(r.show("listeners?name=l7", "listeners")[0]["l7policies"]) == 3
    # With --wait the command of Debian 12 shows the rule with its id in the place of the policy's.
    rule = r.say("loadbalancer", "l7rule", "create", "--type", "COOKIE", "--key", "k", "--compare-type", "STARTS_WITH", "--value", "v", "--invert", "pool")
    r.ready(made["id"])
    assert (rule["type"], rule["key"], rule["invert"]) == ("COOKIE", "k", True)
    r.say("loadbalancer", "l7rule", "set", "--type", "PATH", "--value", "/v", "--wait", "pool", rule["id"])
    assert r.say("loadbalancer", "l7rule", "show", "pool", rule["id"])["key"] is None
    assert [row["id"] for row in r.say("loadbalancer", "l7rule", "list", "pool")] == [rule["id"]]
    assert "in use by L7 policy" in r.say("loadbalancer", "pool", "delete", "p7", fails=True)
    listener = json.loads(warm.run([lib.OPENSTACK, "loadbalancer", "status", "show", "seven"], r.own.env()).stdout)["loadbalancer"]["listeners"][0]
    assert [p["name"] for p in listener["pools"]] == ["p7"]
    r.say("loadbalancer", "l7rule", "delete", "--wait", "pool", rule["id"])
    assert r.show(f"l7policies/{pool['id']}", "l7policy")["rules"] == []
    r.say("loadbalancer", "listener", "delete", "--wait", "l7")
    assert r.show("l7policies", "l7policies") == []
    r.drop(made["id"])


def test_failover(r):
    """An administrator has another process serve a load balancer; its owner may not."""
    made = r.balancer(name="over")
    path = f"{LB}/loadbalancers/{made['id']}/failover"
    assert r.own.call("PUT", path).status == 403
    assert lib.admin(r.dev).call("PUT", path).status == 202
    r.ready(made["id"])
    r.drop(made["id"])


def test_a_controller_of_kubernetes(r):
    """The calls of cloud-provider-openstack: members as one list, sent again with other ones, and a floating address for the front."""
    base = r.subnet["cidr"].rsplit(".", 1)[0]
    made = r.balancer(name="kube_service_c_default_web", provider="amphora")
    listener = r.make("listeners", "listener", {"name": "listener_0", "protocol": "TCP", "protocol_port": 80, "loadbalancer_id": made["id"],
                                                "connection_limit": -1, "timeout_client_data": 50000, "allowed_cidrs": ["0.0.0.0/0"]})
    r.ready(made["id"])
    pool = r.make("pools", "pool", {"name": "pool_0", "protocol": "TCP", "lb_algorithm": "ROUND_ROBIN", "listener_id": listener["id"]})["id"]
    r.ready(made["id"])

    def put(*last, query=""):
        members = [{"address": f"{base}.{n}", "protocol_port": 30080, "name": f"node{n}", "monitor_port": 30081} for n in last]
        answer = r.own.call("PUT", f"/load-balancer/v2.0/lbaas/pools/{pool}/members{query}", {"members": members})
        assert answer.status == 202, answer
        r.ready(made["id"])
        return {m["name"]: m["id"] for m in r.show(f"pools/{pool}/members", "members")}

    first = put(61, 62)
    second = put(62, 63)
    assert set(first) == {"node61", "node62"} and set(second) == {"node62", "node63"} and first["node62"] == second["node62"]
    assert set(put(64, query="?additive_only=true")) == {"node62", "node63", "node64"}
    r.make("healthmonitors", "healthmonitor", {"pool_id": pool, "type": "TCP", "delay": 5, "timeout": 3, "max_retries": 1, "max_retries_down": 3})
    r.ready(made["id"])
    floating = r.own.ok("POST", "/network/v2.0/floatingips", {"floatingip": {
        "floating_network_id": r.outside, "port_id": made["vip_port_id"]}})["floatingip"]
    assert floating["fixed_ip_address"] == made["vip_address"]
    r.drop(made["id"])
    assert r.own.ok("GET", f"/network/v2.0/floatingips/{floating['id']}")["floatingip"]["port_id"] is None
    assert r.own.call("DELETE", f"/network/v2.0/floatingips/{floating['id']}").status == 204


def test_the_users_own_port(r):
    """A port that the user made is the front, and outlives the balancer."""
    port = r.own.ok("POST", "/network/v2.0/ports", {"port": {"network_id": r.subnet["network_id"]}})["port"]
    made = r.make("loadbalancers", "loadbalancer", {"vip_port_id": port["id"]})
    assert made["vip_address"] == port["fixed_ips"][0]["ip_address"]
    assert r.own.call("DELETE", f"/network/v2.0/ports/{port['id']}").status == 409
    r.drop(made["id"])
    assert r.own.ok("GET", f"/network/v2.0/ports/{port['id']}")["port"]["device_id"] == ""
    assert r.own.call("DELETE", f"/network/v2.0/ports/{port['id']}").status == 204


@holds("The network: Load balancers of Octavia", "What each face calls it: load balancer of Octavia, listener, pool, member, L7 policy, L7 rule")
def test_other_faces(r):
    """ELBv2 and Classic Load Balancers' API do not show balancers of Octavia; EC2 shows the front's interface."""
    made = r.balancer(name="apart")
    elb = r.dev.account.client("elbv2")
    assert elb.describe_load_balancers()["LoadBalancers"] == []
    assert r.dev.account.client("elb").describe_load_balancers()["LoadBalancerDescriptions"] == []
    found = r.dev.account.client("ec2").describe_network_interfaces(Filters=[{"Name": "private-ip-address", "Values": [made["vip_address"]]}])
    assert len(found["NetworkInterfaces"]) == 1
    r.drop(made["id"])


REFUSED = [
    ("loadbalancers", "loadbalancer", {}, 400, "VIP must contain one of"),
    ("loadbalancers", "loadbalancer", {"provider": "ovn"}, 400, "Provider 'ovn' is not enabled."),
    ("loadbalancers", "loadbalancer", {"flavor_id": "5e8a9f9e-0000-4000-8000-000000000000"}, 501, "flavor_id"),
    ("listeners", "listener", {"protocol": "UDP", "protocol_port": 53}, 501, "UDP is not supported for listeners"),
    ("listeners", "listener", {"protocol": "TCP", "protocol_port": 0}, 400, "protocol_port"),
    ("listeners", "listener", {"protocol": "TCP", "protocol_port": 80, "insert_headers": {"X-Forwarded-For": "true"}}, 400, "insert-headers"),
    ("listeners", "listener", {"protocol": "TERMINATED_HTTPS", "protocol_port": 443, "default_tls_container_ref": "x"}, 400, "Could not retrieve certificate"),
    ("listeners", "listener", {"protocol": "TERMINATED_HTTPS", "protocol_port": 443, "client_ca_tls_container_ref": "x"}, 501, "client_ca_tls_container_ref"),
    ("pools", "pool", {"protocol": "TCP", "lb_algorithm": "SOURCE_IP_PORT"}, 501, "SOURCE_IP_PORT"),
    ("pools", "pool", {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "session_persistence": {"type": "APP_COOKIE", "cookie_name": "a'b"}}, 400, "cookie_name"),
]


def test_refusals(r):
    """Options that the region lacks are refused by name with 501; wrong input with 400."""
    made = r.balancer(name="refuser")
    for what, one, body, status, words in REFUSED:
        if what == "loadbalancers":
            body = {"vip_subnet_id": r.subnet["id"], **body} if body else {"name": "nowhere"}
        else:
            body = {"loadbalancer_id": made["id"], **body}
        answer = r.own.call("POST", f"{LB}/{what}", {one: body})
        assert answer.status == status and words in answer.json["faultstring"], (body, answer)
    assert r.show("pools", "pools") == r.show("listeners", "listeners") == []
    r.drop(made["id"])


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
