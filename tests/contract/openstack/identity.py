#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/identity src/auth/token src/engine/people
"""Identity: the stock client's commands for users, roles and credentials; the protocol of tokens; and equal rights by token and by EC2 key, until
they are revoked."""
import concurrent.futures
import http.client
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import dev as ec2  # noqa: E402
from regions import add_user, admin, dev, own  # noqa: E402, F401 (fixtures)
from world import HOSTS, World  # noqa: E402
from waiting import HANG_S  # noqa: E402

EC2 = ec2.dump()
TOKENS = "/identity/v3/auth/tokens"


def key_of(project):
    """An EC2 key that the project's user creates."""
    made = project.ok("POST", f"/identity/v3/users/{project.user_id}/credentials/OS-EC2", {"tenant_id": project.id})
    return ec2.Account(project.dev, made["credential"]["access"], made["credential"]["secret"])


def login(project, identity, scope=None, **how):
    return project.call("POST", TOKENS, {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}, **how)


# ---- the stock client

def test_the_stock_command(admin, dev):
    run = admin.openstack
    project = run("project", "create", "--description", "It builds", "build", "-f", "json")
    assert (project["name"], project["domain_id"], project["enabled"]) == ("build", "default", True)
    user = run("user", "create", "--password", "geheim", "--project", "build", "--email", "a@b.test", "ann", "-f", "json")
    assert user["default_project_id"] == project["id"]
    run("role", "add", "--user", "ann", "--project", "build", "member")
    run("group", "create", "builders", "-f", "json")
    run("group", "add", "user", "builders", "ann")
    assert "in group" in run("group", "contains", "user", "builders", "ann")
    run("role", "add", "--group", "builders", "--project", "dev", "reader")
    given = run("role", "assignment", "list", "--user", "ann", "--names", "--effective", "-f", "json")
    assert {(g["Role"], g["Project"]) for g in given} == {("member", "build@Default"), ("reader", "build@Default"),
                                                          ("reader", "dev@Default")}
    ann = cloud.Project(dev, "build", "ann", "geheim")
    assert ann.openstack("token", "issue", "-f", "json")["project_id"] == project["id"]
    assert {p["Name"] for p in ann.openstack("project", "list", "-f", "json")} == {"build", "dev"}
    assert "403" in ann.openstack("user", "list", fails=True)
    made = ann.openstack("application", "credential", "create", "--role", "reader", "program", "-f", "json")
    env = dict(ann.env(), OS_AUTH_TYPE="v3applicationcredential", OS_APPLICATION_CREDENTIAL_ID=made["id"],
               OS_APPLICATION_CREDENTIAL_SECRET=made["secret"])
    for name in ("OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME", "OS_USER_DOMAIN_NAME"):
        env.pop(name)
    done = subprocess.run([cloud.OPENSTACK, "token", "issue", "-c", "project_id", "-f", "value"], env=env, check=True,
                          capture_output=True, text=True)
    assert done.stdout.strip() == project["id"]
    ann.openstack("application", "credential", "delete", "program")
    key = ann.openstack("ec2", "credentials", "create", "-f", "json")
    assert [k["Access"] for k in ann.openstack("ec2", "credentials", "list")] == [key["access"]]
    ann.openstack("ec2", "credentials", "delete", key["access"])
    ann.openstack("user", "password", "set", "--original-password", "geheim", "--password", "neu")
    assert cloud.Project(dev, "build", "ann", "neu").id == project["id"]
    run("role", "remove", "--user", "ann", "--project", "build", "member")
    run("user", "delete", "ann")
    run("group", "delete", "builders")
    run("project", "delete", "build")
    assert {p["Name"] for p in run("project", "list")} == {"admin", "dev"}


def test_credentials(admin, own, dev):
    """An access key chosen by its user signs for EC2, also after a change; other types are stored for their user only."""
    path = "/identity/v3/credentials"

    def ec2_blob(access, secret):
        return json.dumps({"access": access, "secret": secret})

    def may_sign(access, secret):
        return ec2.Account(dev, access, secret).call("DescribeVpcs", {}).status == 200

    made = own.ok("POST", path, {"credential": {"user_id": own.user_id, "project_id": own.id, "type": "ec2", "blob": ec2_blob("my-own-key", "my secret")}})["credential"]
    assert json.loads(made["blob"]) == {"access": "my-own-key", "secret": "my secret", "trust_id": None}
    assert may_sign("my-own-key", "my secret") and not may_sign("my-own-key", "another")
    assert "my-own-key" in [k["access"] for k in own.ok("GET", f"/identity/v3/users/{own.user_id}/credentials/OS-EC2")["credentials"]]
    changed = own.ok("PATCH", f"{path}/{made['id']}", {"credential": {"blob": ec2_blob("my-new-key", "new")}})["credential"]
    assert changed["id"] == made["id"] and own.ok("GET", f"{path}/{made['id']}")["credential"] == changed
    assert may_sign("my-new-key", "new") and not may_sign("my-own-key", "my secret")
    seed = {"user_id": own.user_id, "type": "totp", "blob": "GEZDGNBVGY3TQOJQ"}
    kept = own.ok("POST", path, {"credential": seed})["credential"]
    assert {k: kept[k] for k in seed} == seed and kept["project_id"] is None
    assert own.ok("PATCH", f"{path}/{kept['id']}", {"credential": {"type": "cert", "blob": "x"}})["credential"]["blob"] == "x"
    assert [c["id"] for c in own.ok("GET", f"{path}?type=cert")["credentials"]] == [kept["id"]]
    assert {made["id"], kept["id"]} <= {c["id"] for c in admin.ok("GET", path)["credentials"]}
    other = add_user(admin, "curious", own.name, "member")
    assert not other.ok("GET", path)["credentials"]
    for method, body in (("GET", None), ("PATCH", {"credential": {"blob": "y"}}), ("DELETE", None)):
        for identifier in (kept["id"], made["id"], cloud.ABSENT):
            assert other.call(method, f"{path}/{identifier}", body).status == 403
        assert admin.call(method, f"{path}/{cloud.ABSENT}", body).status == 404
    assert other.call("POST", path, {"credential": seed}).status == 403
    for blob in ("[]", "{", ec2_blob("", "a"), ec2_blob("a/b", "a"), ec2_blob("ASIAAAAAAAAAAAAAAAAA", "a"), ec2_blob("a", 7)):
        wrong = own.call("POST", path, {"credential": {"user_id": own.user_id, "project_id": own.id, "type": "ec2", "blob": blob}})
        assert wrong.status == 400, blob
    taken = {"credential": {"user_id": other.user_id, "project_id": own.id, "type": "ec2", "blob": ec2_blob("my-new-key", "mine")}}
    assert other.call("POST", path, taken).status == 409
    assert own.call("PATCH", f"{path}/{made['id']}", {"credential": {"type": "cert"}}).status == 400
    for identifier in (made["id"], kept["id"]):
        assert own.call("DELETE", f"{path}/{identifier}").status == 204
    assert not may_sign("my-new-key", "new") and not own.ok("GET", f"{path}?type=cert")["credentials"]


def test_domains(admin):
    run = admin.openstack
    domain = run("domain", "create", "works", "-f", "json")["id"]
    run("project", "create", "--domain", "works", "dev", "-f", "json")  # names are unique in a domain
    run("user", "create", "--domain", "works", "--password", "x", "boss", "-f", "json")
    run("role", "add", "--user-domain", "works", "--user", "boss", "--domain", "works", "admin")
    answer = login(admin, {"methods": ["password"], "password": {"user": {
        "name": "boss", "domain": {"name": "works"}, "password": "x"}}}, {"domain": {"id": domain}})
    assert answer.status == 201, answer
    boss = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert {u["name"] for u in admin.call("GET", "/identity/v3/users", headers=boss).json["users"]} == {"boss"}
    made = admin.call("POST", "/identity/v3/users", {"user": {"name": "aide", "domain_id": domain}}, headers=boss)
    assert made.status == 201, made
    assert admin.call("POST", "/identity/v3/users", {"user": {"name": "spy", "domain_id": "default"}}, headers=boss).status == 403
    assert admin.call("POST", "/identity/v3/domains", {"domain": {"name": "more"}}, headers=boss).status == 403
    role = admin.ok("GET", "/identity/v3/roles?name=admin")["roles"][0]["id"]
    above = f"/identity/v3/projects/{admin.id}/users/{made.json['user']['id']}/roles/{role}"
    assert admin.call("PUT", above, headers=boss).status == 403  # not an administrator of the region
    run("project", "delete", "--domain", "works", "dev")
    assert "403" in run("domain", "delete", "works", fails=True)
    run("domain", "set", "--disable", "works")
    assert admin.call("GET", "/identity/v3/auth/projects", headers=boss).status == 401
    run("domain", "delete", "works")


def test_a_domain_is_a_project(admin):
    made = admin.ok("POST", "/identity/v3/projects", {"project": {"name": "plant", "is_domain": True}})["project"]
    assert made["is_domain"] and made["domain_id"] is None and made["parent_id"] is None
    assert made["id"] in [d["ID"] for d in admin.openstack("domain", "list", "-f", "json")]
    assert made["id"] in [p["id"] for p in admin.ok("GET", "/identity/v3/projects?is_domain=true")["projects"]]
    assert made["id"] not in [p["ID"] for p in admin.openstack("project", "list", "-f", "json")]
    inside = admin.openstack("project", "create", "--domain", "plant", "line", "-f", "json")
    assert inside["domain_id"] == made["id"]
    assert admin.call("DELETE", f"/identity/v3/projects/{made['id']}").status == 403
    admin.ok("PATCH", f"/identity/v3/projects/{made['id']}", {"project": {"enabled": False}})
    admin.openstack("project", "delete", inside["id"])
    assert admin.call("DELETE", f"/identity/v3/projects/{made['id']}").status == 204
    assert "plant" not in [d["Name"] for d in admin.openstack("domain", "list", "-f", "json")]


def test_what_cannot_move(admin):
    """Keystone takes the domain and the parent that a project, user or group has, and no other. contract/cross/sent_back.py sends them as they are."""
    other = admin.ok("POST", "/identity/v3/domains", {"domain": {"name": "elsewhere"}})["domain"]["id"]
    for kind in ("project", "user", "group"):
        path = f"/identity/v3/{kind}s/" + admin.ok("POST", f"/identity/v3/{kind}s", {kind: {"name": "fixed"}})[kind]["id"]
        shown = admin.ok("GET", path)[kind]
        answer = admin.call("PATCH", path, {kind: {"domain_id": other, "description": "moved"}})
        assert (answer.status, answer.json["error"]["message"]) == (400, "Cannot change Domain ID")
        assert admin.ok("GET", path)[kind] == shown
        if kind == "project":
            answer = admin.call("PATCH", path, {kind: {"parent_id": other}})
            assert (answer.status, answer.json["error"]["message"]) == (403, "Update of `parent_id` is not allowed.")


def test_endpoint_groups(admin, own, tmp_path):
    """A project with assigned endpoints sees only these in the catalogue, with new and existing tokens."""
    filters = tmp_path / "filters"
    filters.write_text(json.dumps({"interface": "internal"}))
    run = admin.openstack

    def interfaces():
        catalog = own.ok("GET", "/identity/v3/auth/catalog")["catalog"]
        return {e["interface"] for service in catalog for e in service["endpoints"]}, {service["type"] for service in catalog}

    assert interfaces()[0] == {"public", "internal", "admin"}
    made = run("endpoint", "group", "create", "--description", "d", "inside", str(filters), "-f", "json")
    assert made["filters"] == {"interface": "internal"}
    run("endpoint", "group", "add", "project", "inside", own.id)
    assert [g["ID"] for g in run("endpoint", "group", "list", "--project", own.id, "-f", "json")] == [made["id"]]
    assert [p["ID"] for p in run("endpoint", "group", "list", "--endpointgroup", made["id"], "-f", "json")] == [own.id]
    assert interfaces()[0] == {"internal"}
    again = cloud.Project(own.dev, own.name, own.user, own.password)
    token = again.call("GET", TOKENS, headers={"X-Subject-Token": again.token}).json["token"]
    assert {e["interface"] for service in token["catalog"] for e in service["endpoints"]} == {"internal"}
    run("endpoint", "group", "set", "--name", "within", "inside")
    run("endpoint", "group", "remove", "project", "within", own.id)
    assert interfaces()[0] == {"public", "internal", "admin"}
    service = admin.ok("GET", "/identity/v3/services?type=image")["services"][0]["id"]
    (endpoint,) = admin.ok("GET", f"/identity/v3/endpoints?interface=public&service_id={service}")["endpoints"]
    run("endpoint", "add", "project", endpoint["id"], own.id)
    assert [e["ID"] for e in run("endpoint", "list", "--project", own.id, "-f", "json")] == [endpoint["id"]]
    assert interfaces() == ({"public"}, {"image"})
    run("endpoint", "remove", "project", endpoint["id"], own.id)
    assert len(interfaces()[1]) > 3
    run("endpoint", "group", "delete", "within")


# ---- tokens

def test_tokens(admin, own):
    password = {"methods": ["password"], "password": {"user": {"id": own.user_id, "password": own.password}}}
    answer = login(own, password, "unscoped")
    assert answer.status == 201 and "catalog" not in answer.json["token"] and "roles" not in answer.json["token"]
    unscoped = answer.headers["X-Subject-Token"]
    assert len(unscoped) < 255
    answer = login(own, {"methods": ["token"], "token": {"id": unscoped}}, {"project": {"id": own.id}})
    token = answer.json["token"]
    assert answer.status == 201 and set(token["methods"]) == {"password", "token"} and len(token["audit_ids"]) == 2
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", token["expires_at"])
    assert {r["name"] for r in token["roles"]} == {"member", "reader"}
    assert {e["interface"] for s in token["catalog"] for e in s["endpoints"]} == {"public", "internal", "admin"}
    scoped = answer.headers["X-Subject-Token"]
    check = {"X-Subject-Token": scoped}
    assert own.ok("GET", TOKENS, headers=check)["token"]["audit_ids"] == token["audit_ids"]
    assert "catalog" not in own.ok("GET", TOKENS + "?nocatalog", headers=check)["token"]
    head = own.call("HEAD", TOKENS, headers=check)
    assert (head.status, head.text) == (200, "")
    assert admin.call("GET", TOKENS, headers=check).status == 200
    assert own.call("GET", TOKENS, headers={"X-Subject-Token": admin.token}).status == 403
    assert own.call("GET", TOKENS, headers={"X-Subject-Token": "nothing"}).status == 404
    assert own.call("DELETE", TOKENS, headers=check).status == 204
    assert own.call("GET", TOKENS, headers=check).status == 404
    refused = own.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": scoped})
    assert refused.status == 401 and refused.headers["WWW-Authenticate"].startswith("Keystone uri=")
    assert refused.json["error"]["title"] == "Unauthorized"
    assert own.call("POST", "/v3/auth/tokens", {"auth": {"identity": password}}).status == 201  # without a prefix


def test_all_wrong_proofs_are_told_alike(admin):
    def by(user):
        return login(admin, {"methods": ["password"], "password": {"user": user}})
    add_user(admin, "known", "dev", "reader")
    domain = {"domain": {"id": "default"}}
    answers = [by({"name": "known", "password": "wrong", **domain}), by({"name": "unknown", "password": "x", **domain}),
               by({"name": "known", "password": "geheim", "domain": {"name": "nowhere"}}), by({"id": "x", "password": "x"})]
    assert {(a.status, a.same()) for a in answers} == {(401, answers[0].same())}
    for _ in range(5):
        by({"name": "known", "password": "wrong", **domain})
    locked = by({"name": "known", "password": "geheim", **domain})
    assert (locked.status, locked.same()) == (401, answers[0].same())


def login_from(dev, address, identity):
    """Status of a login from that local address."""
    connection = http.client.HTTPConnection("127.0.0.1", dev.port, timeout=HANG_S, source_address=(address, 0))
    connection.request("POST", TOKENS, json.dumps({"auth": {"identity": identity}}), {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_stranger_locks_out_nobody_else(admin, dev):
    add_user(admin, "victim", "dev", "member")
    victim = cloud.Project(dev, "dev", "victim", "geheim")
    made = victim.ok("POST", f"/identity/v3/users/{victim.user_id}/application_credentials",
                     {"application_credential": {"name": "program", "secret": "geheim"}})["application_credential"]
    proofs = [lambda secret: {"methods": ["password"], "password": {"user": {"id": victim.user_id, "password": secret}}},
              lambda secret: {"methods": ["application_credential"],
                              "application_credential": {"id": made["id"], "secret": secret}}]
    for proof in proofs:
        assert {login_from(dev, "127.0.0.66", proof("wrong")) for _ in range(6)} == {401}
        assert login_from(dev, "127.0.0.66", proof("geheim")) == 401  # the address of the failed attempts
        assert login_from(dev, "127.0.0.1", proof("geheim")) == 201


def test_guesses_are_limited():
    with ec2.Dev("--limits") as limited:
        by = cloud.admin(limited)
        guess = {"methods": ["password"], "password": {"user": {"id": "0" * 32, "password": "x"}}}
        assert {login(by, guess).status for _ in range(8)} == {401}
        with concurrent.futures.ThreadPoolExecutor(40) as guessers:  # more than are hashed or wait at a time
            statuses = list(guessers.map(lambda _: login(by, guess).status, range(120)))
        assert set(statuses) == {401, 429}


# ---- delegation: trusts, and restricted credentials

def by_password(project):
    return {"methods": ["password"], "password": {"user": {"id": project.user_id, "password": "geheim"}}}


def trust(trustor, trustee, **more):
    """Creates a trust for the trustor's project, by default with a reader's role."""
    body = {"trustor_user_id": trustor.user_id, "trustee_user_id": trustee.user_id, "project_id": trustor.id, "impersonation": False,
            "roles": [{"name": "reader"}], **more}
    return trustor.ok("POST", "/identity/v3/OS-TRUST/trusts", {"trust": body})["trust"]


def token_of(trustee, made, identity=None):
    answer = login(trustee, identity or by_password(trustee), {"OS-TRUST:trust": {"id": made["id"]}})
    assert answer.status == 201, answer
    return {"X-Auth-Token": answer.headers["X-Subject-Token"]}, answer.json["token"]


def test_a_trustee_acts_in_the_trustors_project(admin, dev):
    """With exactly the delegated roles, in the name that the trust says, until it ends."""
    giver, taker = add_user(admin, "giver", "dev", "member"), add_user(admin, "taker", "admin", "reader")
    reads, writes = trust(giver, taker), trust(giver, taker, impersonation=True, roles=[{"name": "member"}])
    read, token = token_of(taker, reads)
    assert token["user"]["id"] == taker.user_id and token["project"]["id"] == giver.id and [r["name"] for r in token["roles"]] == ["reader"]
    network = {"network": {"name": "of a trust"}}
    assert taker.call("GET", "/network/v2.0/networks", headers=read).status == 200
    assert taker.call("POST", "/network/v2.0/networks", network, headers=read).status == 403
    write, token = token_of(taker, writes)
    assert token["user"]["id"] == giver.user_id and token["OS-TRUST:trust"]["trustee_user"]["id"] == taker.user_id
    made = taker.call("POST", "/network/v2.0/networks", network, headers=write)
    assert made.status == 201 and made.json["network"]["project_id"] == giver.id, made
    assert taker.call("GET", f"/identity/v3/users/{giver.user_id}/credentials/OS-EC2", headers=write).status == 403
    for path, body in [(f"/identity/v3/users/{giver.user_id}/application_credentials", {"application_credential": {"name": "x"}}),
                       (f"/identity/v3/users/{giver.user_id}/credentials/OS-EC2", {"tenant_id": giver.id})]:
        refused = taker.call("POST", path, body, headers=write)
        assert refused.status == 403 and "delegation" in refused.text, refused
    again = login(taker, {"methods": ["token"], "token": {"id": write["X-Auth-Token"]}}, {"project": {"id": giver.id}})
    assert again.status == 403 and "trust-scoped" in again.text, again
    role = admin.ok("GET", "/identity/v3/roles?name=member")["roles"][0]["id"]
    admin.ok("DELETE", f"/identity/v3/projects/{giver.id}/users/{giver.user_id}/roles/{role}")
    assert taker.call("GET", "/network/v2.0/networks", headers=write).status == 401
    lost = login(taker, by_password(taker), {"OS-TRUST:trust": {"id": writes["id"]}})
    assert (lost.status, lost.json["error"]["message"]) == (403, "Trustee has no delegated roles."), lost
    admin.ok("PUT", f"/identity/v3/projects/{giver.id}/users/{giver.user_id}/roles/{role}")
    assert taker.call("GET", "/network/v2.0/networks", headers=write).status == 200
    assert giver.call("DELETE", f"/identity/v3/OS-TRUST/trusts/{writes['id']}").status == 204
    assert taker.call("GET", "/network/v2.0/networks", headers=write).status == 401


def test_uses_of_a_trust_are_counted(admin, dev):
    """Only uses that gave a token count, also with concurrent requests."""
    giver, taker = add_user(admin, "counting", "dev", "member"), add_user(admin, "counted", "admin", "reader")
    made = trust(giver, taker, remaining_uses=4)
    scope = {"OS-TRUST:trust": {"id": made["id"]}}
    wrong = {"methods": ["password"], "password": {"user": {"id": taker.user_id, "password": "wrong"}}}
    assert login(taker, wrong, scope).status == 401 and login(giver, by_password(giver), scope).status == 403
    headers, _ = token_of(taker, made, {"methods": ["token"], "token": {"id": taker.token}})
    with concurrent.futures.ThreadPoolExecutor(8) as askers:
        statuses = sorted(askers.map(lambda _: login(taker, by_password(taker), scope).status, range(8)))
    assert statuses == [201] * 3 + [401] * 5
    assert taker.call("GET", "/network/v2.0/networks", headers=headers).status == 200
    assert giver.call("GET", f"/identity/v3/OS-TRUST/trusts/{made['id']}").status == 404


def test_a_trust_is_passed_on(admin, dev):
    """Within the trust's roles and chain length; ending the first one ends all."""
    giver, taker, third = (add_user(admin, name, where, "member") for name, where in (("first", "dev"), ("second", "admin"), ("third", "admin")))
    start = trust(giver, taker, allow_redelegation=True, redelegation_count=1)
    headers, _ = token_of(taker, start)
    body = {"trust": {"trustor_user_id": taker.user_id, "trustee_user_id": third.user_id, "project_id": giver.id, "impersonation": False,
                      "roles": [{"name": "reader"}], "allow_redelegation": True}}
    passed = taker.call("POST", "/identity/v3/OS-TRUST/trusts", body, headers=headers)
    assert passed.status == 201 and passed.json["trust"]["redelegated_trust_id"] == start["id"] and passed.json["trust"]["redelegation_count"] == 0, passed
    more = {"trust": {**body["trust"], "roles": [{"name": "member"}]}}
    refused = taker.call("POST", "/identity/v3/OS-TRUST/trusts", more, headers=headers)
    assert (refused.status, refused.json["error"]["message"]) == (403, "Some of requested roles are not in redelegated trust")
    last, token = token_of(third, passed.json["trust"])
    assert third.call("GET", "/network/v2.0/networks", headers=last).status == 200 and token["project"]["id"] == giver.id
    body["trust"].update(trustor_user_id=third.user_id, trustee_user_id=taker.user_id)
    assert third.call("POST", "/identity/v3/OS-TRUST/trusts", body, headers=last).status == 403
    assert giver.call("DELETE", f"/identity/v3/OS-TRUST/trusts/{start['id']}").status == 204
    assert third.call("GET", "/network/v2.0/networks", headers=last).status == 401


def program(project, name, **how):
    """Headers with a token of an application credential."""
    body = {"application_credential": {"name": name, "secret": "geheim", **how}}
    made = project.ok("POST", f"/identity/v3/users/{project.user_id}/application_credentials", body)["application_credential"]
    answer = login(project, {"methods": ["application_credential"], "application_credential": {"id": made["id"], "secret": "geheim"}})
    assert answer.status == 201, answer
    return {"X-Auth-Token": answer.headers["X-Subject-Token"]}


def test_a_program_manages_no_trusts(admin, dev):
    giver = add_user(admin, "programmer", "dev", "member")
    for how in ({}, {"unrestricted": True}):
        headers = program(giver, f"p{len(how)}", **how)
        body = {"trust": {"trustor_user_id": giver.user_id, "trustee_user_id": admin.user_id, "project_id": giver.id, "impersonation": True,
                          "roles": [{"name": "reader"}]}}
        for method, path, sent in [("POST", "/identity/v3/OS-TRUST/trusts", body),
                                   ("GET", f"/identity/v3/OS-TRUST/trusts?trustor_user_id={giver.user_id}", None)]:
            refused = giver.call(method, path, sent, headers=headers)
            assert refused.status == 403 and "not allowed for managing trusts" in refused.text, refused


def test_access_rules_hold_in_every_service(admin, dev):
    """A rule matches the service's own path, or the path with its prefix, and the method; nothing else is allowed."""
    giver = add_user(admin, "ruled", "dev", "member")
    paths = {"compute": "/v2.1/servers", "image": "/v2/images", "network": "/v2.0/networks", "block-storage": "/v3/volumes",
             "volumev3": "/v3/snapshots", "placement": "/resource_providers", "identity": "/v3/auth/projects"}
    calls = {s: {"block-storage": "/volume", "volumev3": "/volume"}.get(s, f"/{s}") + path for s, path in paths.items()}
    for service, path in paths.items():
        for pattern in (path, calls[service]):
            headers = program(giver, service + pattern, access_rules=[{"service": service, "path": pattern, "method": "GET"}])
            allowed = {s for s, call in calls.items() if giver.call("GET", call, headers=headers).status != 401}
            assert allowed == {service}, f"{service} {pattern}: {allowed}"
            assert giver.call("POST", calls[service], {}, headers=headers).status == 401
            assert giver.call("GET", calls[service] + "/detail", headers=headers).status == 401
    headers = program(giver, "patterns", unrestricted=True, access_rules=[
        {"service": "compute", "path": "/v2.1/servers/{server_id}/ips", "method": "GET"},
        {"service": "network", "path": "/v2.0/**", "method": "GET"}, {"service": "identity", "path": "/**", "method": "POST"}])
    statuses = [giver.call("GET", p, headers=headers).status for p in (
        "/compute/v2.1/servers/0/ips", "/compute/v2.1/servers/0/ips/x", "/compute/v2.1/servers", "/network/v2.0/ports/x", "/network/v2.0/networks")]
    assert statuses == [404, 401, 401, 404, 200], statuses
    key = giver.call("POST", f"/identity/v3/users/{giver.user_id}/credentials/OS-EC2", {"tenant_id": giver.id}, headers=headers)
    assert key.status == 403 and "access rules" in key.text, key
    itself = {**headers, "X-Subject-Token": headers["X-Auth-Token"]}
    assert giver.call("GET", TOKENS, headers=itself).status == 404  # the caller knows nothing of rules
    shown = giver.call("GET", TOKENS, headers={**itself, "OpenStack-Identity-Access-Rules": "1.0"})
    assert shown.status == 200 and len(shown.json["token"]["application_credential"]["access_rules"]) == 3, shown


# ---- the same rights by token and by key

def everything(account):
    return ec2.digest(EC2, account)


def test_a_reader_changes_nothing(admin, dev):
    world = World(dev.account, EC2)
    key = key_of(add_user(admin, "reader", "dev", "reader"))
    before = everything(dev.account)
    assert everything(key) == before  # and sees all of it
    for action in EC2["actions"]:
        if action["writes"]:
            answer = key.call(action["name"], world.request(action["name"]))
            assert (answer.status, answer.code) == (403, "UnauthorizedOperation"), f"{action['name']}: {answer}"
    assert everything(dev.account) == before


def test_no_call_changes_anything_for_a_reader(admin):
    tables = cloud.dump()
    reader = add_user(admin, "watcher", "dev", "reader")
    for action in tables["actions"]:
        if not action["writes"] or action["service"] == "identity":
            continue
        answer = reader.call(action["method"], cloud.path_of(action), cloud.body_of(action), version=cloud.version_of(action))
        assert answer.status in (400, 403, 404), f"{cloud.title(action)}: {answer}"
        assert answer.status == 403 or not action["path"].endswith("s"), f"{cloud.title(action)}: {answer}"


def test_a_member_works_by_key(admin, own):
    key = key_of(add_user(admin, "worker", "dev", "member"))
    made = key.client().create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    assert made in [v["VpcId"] for v in own.dev.account.client().describe_vpcs()["Vpcs"]]  # the account is the same
    who = key.client("sts").get_caller_identity()
    assert who["Arn"].endswith(":user/worker")
    key.client().delete_vpc(VpcId=made)


def test_the_system_of_a_token(admin):
    """Only users with a role on the system see it."""
    someone = add_user(admin, "systemic", "dev", "member")
    reader = admin.ok("GET", "/identity/v3/roles?name=reader")["roles"][0]["id"]
    assert someone.ok("GET", "/identity/v3/auth/system")["system"] == []
    admin.ok("PUT", f"/identity/v3/system/users/{someone.user_id}/roles/{reader}")
    assert someone.ok("GET", "/identity/v3/auth/system")["system"] == [{"all": True}]
    admin.ok("DELETE", f"/identity/v3/system/users/{someone.user_id}/roles/{reader}")
    assert someone.ok("GET", "/identity/v3/auth/system")["system"] == []


def test_what_is_taken_back_holds_at_once(admin):
    user = add_user(admin, "leaver", "dev", "member")
    key, path = key_of(user), f"/identity/v3/users/{user.user_id}"
    roles = f"/identity/v3/projects/{user.id}/users/{user.user_id}/roles"
    role = admin.ok("GET", roles)["roles"][0]["id"]
    assert user.call("GET", "/compute/v2.1/servers").status == 200 and key.ok("DescribeVpcs")
    admin.ok("DELETE", f"{roles}/{role}")
    assert user.call("GET", "/compute/v2.1/servers").status == 401
    assert key.call("CreateVpc", {"CidrBlock": "10.78.0.0/16"}).code == "UnauthorizedOperation"
    admin.ok("PUT", f"{roles}/{role}")
    assert user.call("GET", "/compute/v2.1/servers").status == 200
    admin.ok("PATCH", path, {"user": {"enabled": False}})
    assert user.call("GET", "/compute/v2.1/servers").status == 401 and key.call("DescribeVpcs").status == 401
    admin.ok("PATCH", path, {"user": {"enabled": True}})
    assert user.call("GET", "/compute/v2.1/servers").status == 401 and key.ok("DescribeVpcs")
    admin.ok("DELETE", path)
    assert key.call("DescribeVpcs").status == 401


def test_unified_limits(dev, admin, own):
    """The stock commands of registered limits and limits; a limit holds when a server is created."""
    def run(*argv, **how):
        return admin.openstack(*argv, **how)
    made = run("registered", "limit", "create", "--service", "nova", "--default-limit", "9", "--description", "d", "servers", "-f", "json")
    assert (made["resource_name"], made["default_limit"], made["region_id"]) == ("servers", 9, None)
    assert [r["Default Limit"] for r in run("registered", "limit", "list")] == [9]
    run("registered", "limit", "set", "--default-limit", "8", made["id"])
    assert run("registered", "limit", "show", made["id"], "-f", "json")["default_limit"] == 8
    limit = run("limit", "create", "--project", own.id, "--service", "nova", "--resource-limit", "0", "servers", "-f", "json")
    assert [row["Resource Limit"] for row in own.openstack("limit", "list")] == [0]
    (network,) = own.ok("GET", "/network/v2.0/networks?router:external=false")["networks"][:1]
    image = own.ok("GET", "/image/v2/images?visibility=public")["images"][0]["id"]
    answer = own.call("POST", "/compute/v2.1/servers", {"server": {"name": "over", "imageRef": image, "flavorRef": "t3.nano", "networks": [{"uuid": network["id"]}]}})
    assert answer.status == 403 and "0 of 0 instances" in answer.text, answer
    assert "associated with it" in run("registered", "limit", "delete", made["id"], fails=True)
    run("limit", "set", "--resource-limit", "3", limit["id"])
    assert own.ok("GET", f"/compute/v2.1/os-quota-sets/{own.id}")["quota_set"]["instances"] == 3
    run("limit", "delete", limit["id"])
    run("registered", "limit", "delete", made["id"])
    assert admin.ok("GET", "/identity/v3/limits/model")["model"]["name"] == "flat" and run("registered", "limit", "list") == []


# ---- dari's own commands

def test_rc(dev, tmp_path):
    made = dev.command("account", "rc", "dev", "--directory", str(tmp_path / "rc"))
    assert made["cloud"] == "dev" and (tmp_path / "rc/clouds.yaml").stat().st_mode & 0o777 == 0o600
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OS_", "AWS_"))}
    env.update(OS_CLIENT_CONFIG_FILE=str(tmp_path / "rc/clouds.yaml"), OS_CLOUD="dev", AWS_PROFILE="dev",
               AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "rc/credentials"))
    done = subprocess.run([cloud.OPENSTACK, "project", "list", "-f", "value", "-c", "Name"], env=env, check=True,
                          capture_output=True, text=True)
    assert done.stdout.split() == ["dev"]
    done = subprocess.run(["/usr/bin/aws", "--endpoint-url", dev.url, "sts", "get-caller-identity", "--query", "Arn", "--output",
                           "text"], env=env, check=True, capture_output=True, text=True)
    assert done.stdout.strip().endswith(":root")


def test_users_of_the_operator(dev, admin):
    dev.command("user", "create", "operated", "--account", "dev", "--role", "reader")
    said = dev.command("user", "password", "operated")
    assert cloud.Project(dev, "dev", "operated", said["password"]).call("GET", "/compute/v2.1/servers").status == 200
    dev.command("role", "grant", "admin", "--user", "operated", "--system")
    roles = dev.command("role", "list")
    assert {"role": "admin", "who": "Default/operated", "where": "the system"} in roles
    dev.command("role", "revoke", "admin", "--user", "operated", "--system")
    assert {"role": "admin", "who": "Default/operated", "where": "the system"} not in dev.command("role", "list")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
