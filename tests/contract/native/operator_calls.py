#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/engine/network/external_network.c src/engine/billing/webhook.c
"""Calls of /api/v1 for administrators: the audit log with its filters and pages, targets and ends of live migrations, offerings that single accounts
may use, external networks and their pools, and the test event of a webhook. Accounts are refused all of them."""
import http.server
import json
import os
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import native  # noqa: E402
import waiting  # noqa: E402
from dev import Dev  # noqa: E402


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.operator, region.mine = native.admin(region), native.own(region)
        region.rest()
        yield region


def refused(answer):
    """Status and word of a refusal."""
    return answer.status, answer.json["type"].removeprefix("urn:dari:")


def log(dev, query=""):
    return dev.operator.api_ok("GET", f"/audit-log{query}")


def test_the_audit_log(dev):
    """Newest first, in pages; each filter finds what was done, and nothing else."""
    before = log(dev, "?limit=1")["items"][0]["seq"]
    for name in ("ann", "ben"):
        made = dev.operator.api_ok("POST", "/users", {"name": name})["items"][0]["id"]
        dev.operator.api_ok("POST", "/access-keys", {"user": made})
    assert dev.operator.api("POST", "/users", {"name": "ann"}).status == 409
    found = log(dev, "?action=iam:CreateUser")["items"]
    assert [(r["outcome"], r["user_name"], r["kind"] if "kind" in r else "") for r in found][1:] == [("ok", "admin", "user"), ("ok", "admin", "user")]
    assert found[0]["outcome"] == "EXISTS" and [r["seq"] for r in found] == sorted((r["seq"] for r in found), reverse=True)
    assert {r["action"] for r in log(dev, "?action=iam:*&outcome=ok")["items"]} == {"iam:CreateUser", "iam:CreateAccessKey"}
    assert {r["permission"] for r in log(dev, "?action=access_key.create")["items"]} == {"access_key.create"}
    assert [r["outcome"] for r in log(dev, "?action=iam:*&outcome=failed")["items"]] == ["EXISTS"]
    number = found[0]["account"]
    assert {r["account"] for r in log(dev, f"?account={number}&limit=1000")["items"]} == {number} and not log(dev, "?account=1")["items"]
    assert {r["user_name"] for r in log(dev, "?user=admin&limit=1000")["items"]} == {"admin"}
    at = found[1]["at_us"]
    assert [r["seq"] for r in log(dev, f"?from={at}&to={at + 1}&action=iam:CreateUser")["items"]] == [found[1]["seq"]]
    pages, last = [], ""
    while last is not None:
        page = log(dev, f"?limit=2{last}")
        assert len(page["items"]) <= 2
        pages += [r["seq"] for r in page["items"]]
        last = f"&before={page['next']}" if page.get("next") else None
    assert pages == list(range(pages[0], 0, -1)) and pages[0] > before


@pytest.mark.parametrize("query, field", [("limit=0", "limit"), ("limit=1001", "limit"), ("before=0", "before"), ("from=x", "from"), ("users=ann", "users")])
def test_what_the_log_refuses(dev, query, field):
    answer = dev.operator.api("GET", f"/audit-log?{query}")
    assert (answer.status, answer.json["field"]) == (400, field)


def test_targets_of_a_migration(dev):
    """The hosts with capacity are those that a dry run accepts; what runs nowhere has none."""
    made = dev.mine.api_ok("POST", "/instances", {"image": native.image_of(dev), "type": "t3.micro"})["items"][0]["id"]
    dev.rest()
    at = dev.operator.api_ok("GET", f"/instances/{made}")["item"]["host"]
    said = dev.operator.api_ok("GET", f"/instances/{made}/migration-targets")
    assert {t["host"] for t in said["items"]} == {h["id"] for h in dev.operator.rows("/hosts")} - {at} and "problem" not in said
    for target in said["items"]:
        tried = dev.operator.api("POST", f"/instances/{made}/migrate?dry=1", {"host": target["host"]})
        assert (tried.status == 200) is target["fits"] and (target["fits"] or target["problem"] == tried.json["detail"])
    to = next(t["host"] for t in said["items"] if t["fits"])
    dev.operator.api_ok("POST", f"/instances/{made}/migrate", {"host": to})
    dev.rest()
    assert dev.operator.api_ok("GET", f"/instances/{made}")["item"]["host"] == to
    for verb in ("cancel", "complete"):
        assert refused(dev.operator.api("POST", f"/instances/{made}/{verb}-migration", {})) == (409, "wrong-state")
        assert refused(dev.mine.api("POST", f"/instances/{made}/{verb}-migration", {})) == (403, "denied")
    dev.mine.api_ok("POST", f"/instances/{made}/stop", {})
    dev.rest()
    said = dev.operator.api_ok("GET", f"/instances/{made}/migration-targets")
    assert said["items"] == [] and "does not run" in said["problem"]
    assert refused(dev.mine.api("GET", f"/instances/{made}/migration-targets")) == (403, "denied")


def test_an_instance_type_for_one_account(dev):
    """A private type is for those that may use it."""
    of = next(a["id"] for a in dev.operator.rows("/accounts") if a["name"] == "dev")
    made = dev.operator.api_ok("POST", "/instance-types", {"name": "c2.big", "vcpus": 2, "memory": 2**31, "is_public": False})["items"][0]["id"]
    body = {"image": native.image_of(dev), "type": "c2.big"}
    assert dev.mine.api("POST", "/instances?dry=1", body).status in (400, 404)
    dev.operator.api_ok("PATCH", f"/instance-types/{made}", {"share_with": of})
    assert refused(dev.operator.api("PATCH", f"/instance-types/{made}", {"share_with": of})) == (409, "exists")
    assert dev.mine.api("POST", "/instances?dry=1", body).status == 200
    dev.operator.api_ok("PATCH", f"/instance-types/{made}", {"unshare_with": of})
    assert dev.mine.api("POST", "/instances?dry=1", body).status in (400, 404)
    for change in ({"name": "t3.micro"}, {"share_with": "no-such"}, {"vcpus": 4}):
        assert dev.operator.api("PATCH", f"/instance-types/{made}", change).status in (400, 404, 409)
    for wrong in ({"name": "x", "vcpus": 0, "memory": 2**30}, {"name": "x", "vcpus": 1, "memory": 1}, {"name": "c2.big", "vcpus": 1, "memory": 2**30}, {"vcpus": 1, "memory": 2**30}):
        assert dev.operator.api("POST", "/instance-types", wrong).status in (400, 409)
    dev.operator.api_ok("DELETE", f"/instance-types/{made}", {})
    assert dev.operator.api("GET", f"/instance-types/{made}").status == 404


def test_a_volume_type_in_use(dev):
    made = dev.operator.api_ok("POST", "/volume-types", {"name": "fast"})["items"][0]["id"]
    zone = dev.mine.rows("/zones")[0]["id"]
    volume = dev.mine.api_ok("POST", "/volumes", {"zone": zone, "size": 2**30, "type": "fast"})["items"][0]["id"]
    dev.rest()
    assert refused(dev.operator.api("DELETE", f"/volume-types/{made}", {})) == (409, "in-use")
    assert refused(dev.operator.api("PATCH", f"/volume-types/{made}", {"name": "faster"})) == (409, "in-use")
    default = next(t["id"] for t in dev.operator.rows("/volume-types") if t["name"] == "__DEFAULT__")
    assert refused(dev.operator.api("DELETE", f"/volume-types/{default}", {})) == (409, "protected")
    dev.mine.api_ok("DELETE", f"/volumes/{volume}", {})
    dev.rest()
    dev.operator.api_ok("DELETE", f"/volume-types/{made}", {})


def test_external_networks(dev):
    """A pool with an allocated address stays, and so does a network with a gateway or an associated address."""
    made = dev.operator.api_ok("POST", "/external-networks", {"name": "second", "physical_network": "p2", "next_hop": "192.0.2.1", "infra_first": "192.0.2.10", "infra_last": "192.0.2.19",
                                                               "first": "192.0.2.100", "last": "192.0.2.110"})["items"][0]["id"]
    (pool,) = dev.operator.rows(f"/address-ranges?external_network={made}&all=1")
    address = dev.mine.api_ok("POST", "/addresses", {"external_network": made})["items"][0]["id"]
    assert refused(dev.operator.api("DELETE", f"/address-ranges/{pool['id']}", {})) == (409, "in-use")
    dev.mine.api_ok("DELETE", f"/addresses/{address}", {})
    dev.operator.api_ok("DELETE", f"/address-ranges/{pool['id']}", {})
    dev.rest()
    assert not dev.operator.rows(f"/address-ranges?external_network={made}&all=1")
    assert dev.operator.api_ok("GET", f"/external-networks/{made}")["item"]["next_hop"] == "192.0.2.1"
    assert dev.mine.api("POST", "/addresses", {"external_network": made}).status == 400  # as Neutron: it has no subnet
    dev.operator.api_ok("POST", "/address-ranges", {"external_network": made, "first": "192.0.2.100", "last": "192.0.2.110"})
    dev.mine.api_ok("POST", "/addresses", {"external_network": made})
    dev.operator.api_ok("DELETE", f"/external-networks/{made}", {})
    dev.rest()
    assert [n["name"] for n in dev.operator.rows("/external-networks")] == ["internet"]
    dev.mine.api_ok("POST", "/instances", {"image": native.image_of(dev), "type": "t3.micro"})
    dev.rest()
    assert refused(dev.operator.api("DELETE", "/external-networks/internet", {})) == (409, "in-use")


def test_an_address_is_of_the_gateways_network(dev):
    """Clients of EC2 name no external network: their address is of the one to which their gateway leads, whatever others there are."""
    (internet,) = [n["id"] for n in dev.operator.rows("/external-networks")]
    others = [dev.operator.api_ok("POST", "/external-networks", {"name": f"other-{k}", "physical_network": f"other{k}", "next_hop": f"198.51.{k}.1", "infra_first": f"198.51.{k}.10", "infra_last": f"198.51.{k}.19",
                                                                 "first": f"198.51.{k}.100", "last": f"198.51.{k}.110"})["items"][0]["id"] for k in range(6)]
    instance = dev.mine.api_ok("POST", "/instances", {"image": native.image_of(dev), "type": "t3.micro"})["items"][0]["id"]
    dev.rest()
    ours, theirs = [dev.mine.api_ok("POST", "/addresses", body)["items"][0]["id"] for body in ({}, {"external_network": others[0]})]
    assert dev.operator.api_ok("GET", f"/addresses/{ours}")["item"]["external_network"] == internet
    answer = dev.mine.api("POST", f"/addresses/{theirs}/associate", {"instance": instance})
    assert refused(answer) == (409, "wrong-state") and "leads to another external network" in answer.json["detail"]
    dev.mine.api_ok("POST", f"/addresses/{ours}/associate", {"instance": instance})
    dev.command("account", "create", "later")  # with a default VPC, whose gateway leads to the default network
    dev.rest()
    assert {g["external_network"] for g in dev.operator.rows("/gateways?all=1&fields=*")} == {internet}
    dev.mine.api_ok("DELETE", f"/instances/{instance}")
    dev.rest()
    for address in (ours, theirs):
        dev.mine.api_ok("DELETE", f"/addresses/{address}")
    for other in others:
        dev.operator.api_ok("DELETE", f"/external-networks/{other}", {})


def test_a_test_event(dev):
    """It is sent whatever events the webhook wants, and refused while the webhook is off."""
    told = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802 (the library's name)
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = dev.operator.api_ok("POST", "/webhooks", {"name": "w", "url": f"http://127.0.0.1:{server.server_port}/", "secret": "s" * 16, "events": ["invoice.*"]})["items"][0]["id"]
    delivery = dev.operator.api_ok("POST", f"/webhooks/{made}/test", {})["items"][0]
    assert (delivery["event"], delivery["webhook"], delivery["stage"]) == ("webhook.test", made, "waiting")
    waiting.wait_until(lambda: dev.operator.api_ok("GET", f"/webhook-deliveries/{delivery['id']}")["item"]["stage"] == "sent", "it is delivered")
    server.shutdown()
    assert ["webhook.test" in json.dumps(body) for body in told] == [True]
    dev.operator.api_ok("PATCH", f"/webhooks/{made}", {"is_off": True})
    assert refused(dev.operator.api("POST", f"/webhooks/{made}/test", {})) == (409, "wrong-state")
    assert refused(dev.mine.api("POST", f"/webhooks/{made}/test", {})) == (403, "denied")


def test_schedules(dev):
    """A volume has one of each interval: another call changes it."""
    zone = dev.mine.rows("/zones")[0]["id"]
    volume = dev.mine.api_ok("POST", "/volumes", {"zone": zone, "size": 2**30})["items"][0]["id"]
    dev.rest()
    body = {"volume": volume, "interval": "daily", "schedule": "30:03", "kept": 2}
    made = dev.mine.api_ok("POST", "/snapshot-policies", body)["items"][0]
    again = dev.mine.api_ok("POST", "/snapshot-policies", {**body, "schedule": "00:04", "timezone": "Asia/Seoul"})["items"][0]
    assert again["id"] == made["id"] and (again["schedule"], again["timezone"]) == ("00:04", "Asia/Seoul")
    for wrong in ({"timezone": "Asia/Nowhere"}, {"schedule": "00:24"}, {"interval": "weekly"}, {"interval": "yearly"}, {"kept": 0}, {"kept": 9}):
        assert dev.mine.api("POST", "/snapshot-policies", {**body, **wrong}).status == 400, wrong
    dev.rest()
    assert dev.mine.rows("/snapshot-policies?fields=*")[0]["next_us"] > 0
    assert dev.mine.api_ok("POST", "/snapshot-policies/delete", {"ids": [made["id"]]})["done"] == [made["id"]]


@pytest.mark.parametrize("method, path", [("GET", "/audit-log"), ("POST", "/instance-types"), ("POST", "/volume-types"), ("DELETE", "/instance-types/t3.micro"), ("DELETE", "/volume-types/gp3"),
                                          ("PATCH", "/instance-types/t3.micro"), ("DELETE", "/external-networks/internet")])
def test_accounts_are_refused(dev, method, path):
    assert refused(dev.mine.api(method, path, None if method == "GET" else {})) == (403, "denied")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
