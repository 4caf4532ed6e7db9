#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/key_manager src/engine/people/credential/secret src/api/openstack/load_balancer/certificates.c src/base/crypto_certificate
"""Secrets and containers through the stock openstack command with Barbican's plug-in and through requests, and listeners of Octavia that take certificates from them."""
import base64
import os
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
from faces import holds  # noqa: E402
import pem  # noqa: E402
import waiting  # noqa: E402

KM, LB = "/key-manager/v1", "/load-balancer/v2/lbaas"


class Region:
    def __init__(self, dev):
        self.dev, self.own = dev, lib.own(dev)
        self.authority = pem.Certificate("authority")

    def say(self, *argv, fails=False):
        return self.own.openstack(*argv, *([] if "delete" in argv or fails else ["-f", "json"]), fails=fails)

    def secret(self, payload=None, **body):
        given = {} if payload is None else {"payload": payload, "payload_content_type": "text/plain"}
        return path_of(self.own.ok("POST", f"{KM}/secrets/", {**given, **body})["secret_ref"])

    def container(self, **parts):
        refs = [{"name": name, "secret_ref": self.own.base + path} for name, path in parts.items()]
        return self.own.ok("POST", f"{KM}/containers", {"type": "certificate", "secret_refs": refs})["container_ref"]

    def certificate(self, name):
        """Reference to a container with a new certificate."""
        made = self.authority.issue(name)
        return made, self.container(certificate=self.secret(made.text), private_key=self.secret(made.key), intermediates=self.secret(self.authority.text))


def path_of(ref):
    return ref[ref.index("/key-manager"):]


@pytest.fixture(scope="module")
def r():
    with Dev() as dev:
        region = Region(dev)
        region.own.base = region.secret("x") and region.own.ok("GET", f"{KM}/secrets")["secrets"][0]["secret_ref"].partition("/key-manager")[0]
        yield region


# ---- the stock command

def test_the_stock_command_stores_secrets(r):
    assert "key-manager" in {s["Type"] for s in r.say("catalog", "list")}
    ref = r.say("secret", "store", "--name", "word", "--payload", "open sesame", "--secret-type", "passphrase")["Secret href"]
    # The command sends bytes, and asks for text unless told otherwise.
    assert "open sesame" in str(r.own.openstack("secret", "get", ref, "--payload", "-t", "application/octet-stream"))
    assert "Not Acceptable" in str(r.say("secret", "get", ref, "--payload", fails=True))
    shown = r.say("secret", "get", ref)
    assert shown["Name"] == "word" and shown["Status"] == "ACTIVE" and shown["Secret type"] == "passphrase"
    assert [s["Secret href"] for s in r.say("secret", "list", "--name", "word")] == [ref]
    later = r.say("secret", "store", "--name", "later")["Secret href"]
    r.own.openstack("secret", "update", later, "now")
    assert "now" in str(r.own.openstack("secret", "get", later, "--payload"))
    for one in (ref, later):
        r.say("secret", "delete", one)
    assert "castle" in str(r.say("secret", "get", ref, fails=True))


def test_the_stock_command_makes_containers(r):
    refs = {name: r.say("secret", "store", "--name", name, "--payload", name)["Secret href"] for name in ("certificate", "private_key")}
    made = r.say("secret", "container", "create", "--name", "web", "--type", "certificate", *[f"--secret={name}={ref}" for name, ref in refs.items()])["Container href"]
    shown = str(r.own.openstack("secret", "container", "get", made))
    assert "web" in shown and all(ref in shown for ref in refs.values())
    assert made in [c["Container href"] for c in r.say("secret", "container", "list")]
    r.say("secret", "container", "delete", made)
    assert r.own.call("GET", path_of(made)).status == 404 and r.own.call("GET", path_of(refs["certificate"])).status == 200


# ---- requests

def test_payloads_have_one_type(r):
    path = r.secret(base64.b64encode(b"\0\1").decode(), payload_content_type="application/octet-stream", payload_content_encoding="base64")
    assert r.own.ok("GET", path)["content_types"] == {"default": "application/octet-stream"}
    got = r.own.call("GET", f"{path}/payload", headers={"Accept": "application/octet-stream"})
    assert got.status == 200 and got.headers["Content-Type"] == "application/octet-stream" and got.text == "\0\1"
    assert r.own.call("GET", f"{path}/payload", headers={"Accept": "text/plain"}).status == 406
    empty = r.secret(name="empty")
    assert "content_types" not in r.own.ok("GET", empty) and r.own.call("GET", f"{empty}/payload").status == 404


def test_bad_secrets_are_refused(r):
    def status(**body):
        return r.own.call("POST", f"{KM}/secrets", body).status
    assert status(payload="x") == status(payload_content_type="text/plain") == status(payload="", payload_content_type="text/plain") == 400
    assert status(payload="x", payload_content_type="image/png") == status(payload="!", payload_content_type="application/octet-stream", payload_content_encoding="base64") == 400
    assert status(payload="x", payload_content_type="application/octet-stream") == status(expiration="2001-01-01T00:00:00") == status(secret_type="x") == status(colour="red") == 400
    assert status(payload="x" * 20001, payload_content_type="text/plain") == 413
    refused = r.own.call("POST", f"{KM}/orders", {"type": "key", "meta": {}})
    assert refused.status == 400 and "Orders are not supported" in refused.json["description"]
    assert r.own.ok("GET", f"{KM}/orders")["orders"] == [] and r.own.ok("GET", f"{KM}/quotas")["quotas"]["secrets"] == 1000


def test_lists_filter_and_page(r):
    made = [r.secret(name=f"page{k}", algorithm="des", bit_length=256 + k, mode="ctr", secret_type="symmetric") for k in range(3)]
    paths = lambda query: [path_of(s["secret_ref"]) for s in r.own.ok("GET", f"{KM}/secrets?{query}")["secrets"]]  # noqa: E731
    assert paths("alg=des") == paths("mode=ctr") == paths("secret_type=symmetric") == made
    assert paths("bits=257") == paths("name=page1") == [made[1]] and paths("name=none") == []
    page = r.own.ok("GET", f"{KM}/secrets?alg=des&limit=2&offset=1")
    assert [path_of(s["secret_ref"]) for s in page["secrets"]] == made[1:] and page["total"] == 3 and "previous" in page and "next" not in page
    assert r.own.call("GET", f"{KM}/secrets?colour=red").status == 400


def test_metadata(r):
    path = r.secret("x")
    assert r.own.call("PUT", f"{path}/metadata", {"metadata": {"a": "1", "b": "2"}}).status == 201
    assert r.own.call("POST", f"{path}/metadata", {"key": "c", "value": "3"}).status == 201
    assert r.own.call("POST", f"{path}/metadata", {"key": "c", "value": "4"}).status == 409
    assert r.own.call("PUT", f"{path}/metadata/a", {"key": "a", "value": "5"}).status == 200 and r.own.ok("GET", f"{path}/metadata/a") == {"key": "a", "value": "5"}
    assert r.own.call("DELETE", f"{path}/metadata/b").status == 204 and r.own.call("GET", f"{path}/metadata/b").status == 404
    assert r.own.ok("GET", f"{path}/metadata") == {"metadata": {"a": "5", "c": "3"}}


def test_consumers(r):
    path = path_of(r.certificate("consumed")[1])
    one = {"name": "balancer", "URL": "https://example.com/lb/1"}
    assert r.own.ok("POST", f"{path}/consumers", one)["consumers"] == [one]
    assert r.own.ok("GET", f"{path}/consumers") == {"consumers": [one], "total": 1}
    assert r.own.call("DELETE", f"{path}/consumers", one).status == 200 and r.own.call("DELETE", f"{path}/consumers", one).status == 404


@holds("The network: Secrets of Barbican", "What each face calls it: secret, container of secrets")
def test_private_secrets(r):
    path = r.secret("mine")
    assert r.own.ok("GET", f"{path}/acl")["read"] == {"project-access": True, "users": []}
    assert r.own.call("PUT", f"{path}/acl", {"read": {"project-access": False, "users": ["0" * 32]}}).status == 400
    assert r.own.call("PUT", f"{path}/acl", {"read": {"project-access": False}}).status == 200
    assert r.own.ok("GET", f"{path}/acl")["read"]["project-access"] is False
    assert r.own.call("PATCH", f"{path}/acl", {"read": {"users": []}}).status == 200
    assert r.own.ok("GET", f"{path}/acl")["read"]["project-access"] is False, "a change without the member leaves it"
    assert r.own.call("GET", f"{path}/payload", headers={"Accept": "text/plain"}).status == 200
    assert r.own.call("DELETE", f"{path}/acl").status == 200 and r.own.ok("GET", f"{path}/acl")["read"]["project-access"] is True


# ---- Octavia

@pytest.fixture(scope="module")
def balancer(r):
    subnet = r.own.ok("GET", "/network/v2.0/subnets?ip_version=4")["subnets"][0]["id"]
    made = r.own.ok("POST", f"{LB}/loadbalancers", {"loadbalancer": {"vip_subnet_id": subnet}})["loadbalancer"]["id"]
    ready(r, made)
    return made


def ready(r, balancer):
    waiting.wait_until(lambda: r.own.ok("GET", f"{LB}/loadbalancers/{balancer}")["loadbalancer"]["provisioning_status"] == "ACTIVE", "the balancer is active")


def listener(r, balancer, port, **body):
    answer = r.own.call("POST", f"{LB}/listeners", {"listener": {"loadbalancer_id": balancer, "protocol": "TERMINATED_HTTPS", "protocol_port": port, **body}})
    ready(r, balancer)
    return answer


@holds("The network: Certificates of load balancers", "What each face calls it: certificate of a load balancer")
def test_a_listener_takes_a_container(r, balancer):
    _, first = r.certificate("first.example.com")
    _, second = r.certificate("second.example.com")
    made = listener(r, balancer, 443, default_tls_container_ref=first, sni_container_refs=[second], insert_headers={"X-Forwarded-Proto": "true"})
    shown = made.json["listener"]
    assert made.status == 201 and (shown["protocol"], shown["default_tls_container_ref"], shown["sni_container_refs"]) == ("TERMINATED_HTTPS", first, [second])
    # The listener has a copy: the container may go.
    r.own.call("DELETE", path_of(first))
    changed = r.own.ok("PUT", f"{LB}/listeners/{shown['id']}", {"listener": {"sni_container_refs": []}})["listener"]
    ready(r, balancer)
    assert (changed["default_tls_container_ref"], changed["sni_container_refs"]) == (first, [])
    changed = r.own.ok("PUT", f"{LB}/listeners/{shown['id']}", {"listener": {"default_tls_container_ref": second}})["listener"]
    ready(r, balancer)
    assert changed["default_tls_container_ref"] == second
    assert r.own.call("PUT", f"{LB}/listeners/{shown['id']}", {"listener": {"default_tls_container_ref": first}}).status == 400
    assert r.own.call("DELETE", f"{LB}/listeners/{shown['id']}").status == 204
    ready(r, balancer)


def test_a_listener_takes_a_pkcs12_file(r, balancer):
    made = r.authority.issue("packed.example.com")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("key", made.key), ("cert", made.text)):
            pem.pathlib.Path(folder, name).write_text(text)
        packed = subprocess.run(["openssl", "pkcs12", "-export", "-inkey", f"{folder}/key", "-in", f"{folder}/cert", "-passout", "pass:"], check=True, capture_output=True).stdout
    ref = r.own.base + r.secret(base64.b64encode(packed).decode(), payload_content_type="application/octet-stream", payload_content_encoding="base64")
    assert listener(r, balancer, 444, default_tls_container_ref=ref).status == 201
    text = r.own.base + r.secret("no file")
    refused = listener(r, balancer, 445, default_tls_container_ref=text)
    assert refused.status == 400 and "PKCS12" in refused.json["faultstring"]


def test_bad_certificates_are_refused(r, balancer):
    made, other = r.authority.issue("a"), r.authority.issue("b")
    mixed = r.container(certificate=r.secret(made.text), private_key=r.secret(other.key))
    assert listener(r, balancer, 446, default_tls_container_ref=mixed).json["faultstring"] == "Key and x509 certificate do not match"
    half = r.container(certificate=r.secret(made.text))
    assert "Could not retrieve" in listener(r, balancer, 446, default_tls_container_ref=half).json["faultstring"]
    _, good = r.certificate("good")
    assert "not allowed" in listener(r, balancer, 446, protocol="HTTP", default_tls_container_ref=good).json["faultstring"]
    assert listener(r, balancer, 446).status == listener(r, balancer, 446, sni_container_refs=[good]).status == 400
    assert listener(r, balancer, 446, default_tls_container_ref=good[:-4] + "0000").status == 400


def test_a_fully_populated_balancer(r):
    _, ref = r.certificate("full.example.com")
    subnet = r.own.ok("GET", "/network/v2.0/subnets?ip_version=4")["subnets"][0]["id"]
    pool = {"name": "pool", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "tls_enabled": True}
    policies = [{"action": "REDIRECT_TO_POOL", "redirect_pool": {"name": "pool"}, "rules": [{"type": "PATH", "compare_type": "STARTS_WITH", "value": "/a"}]},
                {"action": "REDIRECT_TO_URL", "redirect_url": "https://example.com/", "position": 1},
                {"action": "REDIRECT_TO_POOL", "redirect_pool": {"name": "own", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}}]
    front = {"protocol": "TERMINATED_HTTPS", "protocol_port": 443, "default_tls_container_ref": ref, "default_pool": {"name": "pool"}, "l7policies": policies}
    made = r.own.ok("POST", f"{LB}/loadbalancers", {"loadbalancer": {"vip_subnet_id": subnet, "pools": [pool], "listeners": [front]}})["loadbalancer"]
    ready(r, made["id"])
    shown = r.own.ok("GET", f"{LB}/listeners/{made['listeners'][0]['id']}")["listener"]
    listed = r.own.ok("GET", f"{LB}/l7policies?listener_id={shown['id']}")["l7policies"]
    assert {p["position"]: p["action"] for p in listed} == {1: "REDIRECT_TO_URL", 2: "REDIRECT_TO_POOL", 3: "REDIRECT_TO_POOL"}
    assert len({p["redirect_pool_id"] for p in listed}) == 3 and shown["default_pool_id"] in {p["redirect_pool_id"] for p in listed}
    assert [len(p["rules"]) for p in sorted(listed, key=lambda p: p["position"])] == [0, 1, 0]
    assert r.own.call("DELETE", f"{LB}/loadbalancers/{made['id']}?cascade=true").status == 204


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
