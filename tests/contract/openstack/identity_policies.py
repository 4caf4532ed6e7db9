#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/identity src/engine/people
"""Identity: read access by Keystone's default policies (keystone/common/policies): each call below with a token of each kind; and null values in its
schemas."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from regions import admin, dev  # noqa: E402, F401 (fixtures)

V3 = "/identity/v3"
EVERYBODY = {"admin", "system", "domain", "manager", "service", "member"}
REGION = {"admin", "system"}
PEOPLE = REGION | {"domain", "manager"}
READS = {
    "/regions": EVERYBODY, "/auth/catalog": EVERYBODY, "/auth/projects": EVERYBODY, "/limits": EVERYBODY,
    "/services": REGION, "/services/{service}": REGION, "/endpoints": REGION, "/endpoints/{endpoint}": REGION,
    "/policies": REGION, "/OS-EP-FILTER/endpoint_groups": REGION, "/OS-EP-FILTER/projects/{project}/endpoints": REGION,
    "/roles": REGION | {"manager"}, "/roles/{reader}": REGION | {"manager"}, "/roles/{admin}": REGION, "/roles/{service_role}": REGION,
    "/roles/{admin}/implies": REGION, "/roles/{admin}/implies/{manager}": REGION, "/role_inferences": REGION,
    "/role_assignments": PEOPLE, "/role_assignments?user.id={member_user}": PEOPLE,
    "/domains/{domain}/users/{inside}/roles": PEOPLE, "/domains/{domain}/users/{inside}/roles/{reader}": PEOPLE,
    "/projects/{within}/users/{inside}/roles": PEOPLE,
    "/domains/default/users/{inside}/roles": REGION, "/domains/{domain}/users/{member_user}/roles": REGION,
    "/projects/{project}/users/{member_user}/roles": REGION,
    "/system/users/{inside}/roles": REGION, "/system/users/{sys_user}/roles/{reader}": REGION,
    "/users": PEOPLE, "/groups": PEOPLE, "/projects": PEOPLE, "/domains": PEOPLE,
}


class Cast:
    """A domain with users, and a token of each kind."""

    def __init__(self, admin):
        self.admin = admin
        self.roles = {r["name"]: r["id"] for r in admin.ok("GET", f"{V3}/roles")["roles"]}
        domain = admin.ok("POST", f"{V3}/domains", {"domain": {"name": "policed"}})["domain"]["id"]
        within = admin.ok("POST", f"{V3}/projects", {"project": {"name": "within", "domain_id": domain}})["project"]["id"]
        self.ids = {"domain": domain, "within": within, "project": cloud.own(admin.dev).id, "service_role": self.roles["service"],
                    **{name: self.roles[name] for name in ("admin", "manager", "reader")}}
        on_domain, on_project = {"domain": {"id": domain}}, {"project": {"id": self.ids["project"]}}
        self.tokens = {"admin": admin.token}
        self.ids["inside"] = self.add("domain", "reader", f"domains/{domain}", on_domain, domain)
        self.add("manager", "manager", f"domains/{domain}", on_domain, domain)
        self.ids["sys_user"] = self.add("system", "reader", "system", {"system": {"all": True}}, "default")
        self.ids["member_user"] = self.add("member", "member", f"projects/{self.ids['project']}", on_project, "default")
        self.add("service", "service", f"projects/{self.ids['project']}", on_project, "default")
        self.ids["service"] = admin.ok("GET", f"{V3}/services")["services"][0]["id"]
        self.ids["endpoint"] = admin.ok("GET", f"{V3}/endpoints")["endpoints"][0]["id"]

    def add(self, name, role, where, scope, domain):
        body = {"user": {"name": f"by-{name}", "password": "geheim", "domain_id": domain}}
        user = self.admin.ok("POST", f"{V3}/users", body)["user"]["id"]
        self.admin.ok("PUT", f"{V3}/{where}/users/{user}/roles/{self.roles[role]}")
        proof = {"methods": ["password"], "password": {"user": {"id": user, "password": "geheim"}}}
        answer = self.admin.call("POST", f"{V3}/auth/tokens", {"auth": {"identity": proof, "scope": scope}}, headers={"X-Auth-Token": ""})
        assert answer.status == 201, answer
        self.tokens[name] = answer.headers["X-Subject-Token"]
        return user


@pytest.fixture(scope="module")
def cast(admin):
    return Cast(admin)


@pytest.mark.parametrize("path", READS)
def test_who_reads(cast, path):
    asked = V3 + path.format(**cast.ids)
    answers = {who: cast.admin.call("GET", asked, headers={"X-Auth-Token": token}) for who, token in cast.tokens.items()}
    may = {who for who, answer in answers.items() if answer.status != 403}
    assert may == READS[path], {who: str(answer)[:120] for who, answer in answers.items() if (who in may) != (who in READS[path])}
    assert {a.status for a in answers.values()} <= {200, 204, 403, 404}, answers
    told = next((a.json["error"]["message"] for a in answers.values() if a.status == 403), "identity:")
    assert "identity:" in told, told


def test_who_validates_tokens(cast):
    """Service users, readers of the system and administrators may validate any token; others only their own."""
    subject = {"X-Subject-Token": cast.tokens["member"]}
    path = f"{V3}/auth/tokens"
    for method, may in (("GET", REGION | {"service", "member"}), ("HEAD", REGION | {"service", "member"})):
        passed = {who for who, token in cast.tokens.items() if cast.admin.call(method, path, headers={"X-Auth-Token": token, **subject}).status == 200}
        assert passed == may, f"{method} {passed}"
    for who in ("system", "service", "domain", "manager"):
        assert cast.admin.call("DELETE", path, headers={"X-Auth-Token": cast.tokens[who], **subject}).status == 403, who


def test_the_roles_of_a_bootstrap(cast):
    """keystone-manage bootstrap creates five roles: service implies nothing; all are immutable."""
    shown = {r["name"]: r["options"] for r in cast.admin.ok("GET", f"{V3}/roles")["roles"]}
    assert set(shown) == {"admin", "manager", "member", "reader", "service"} and all(o == {"immutable": True} for o in shown.values())
    assert cast.admin.ok("GET", f"{V3}/roles/{cast.roles['service']}/implies")["role_inference"]["implies"] == []
    for role in cast.roles.values():
        assert cast.admin.call("PATCH", f"{V3}/roles/{role}", {"role": {"description": "x"}}).status == 403
        assert cast.admin.call("DELETE", f"{V3}/roles/{role}").status == 403


# ---- null

def test_null_where_keystone_takes_it(admin):
    """Request schemas (keystone/*/schema.py): a nullable member may be null in a creation, and is cleared by null in a change."""
    def made(path, item, body, **changes):
        one = admin.ok("POST", f"{V3}/{path}", {item: body})[item]
        if changes:
            changed = admin.ok("PATCH", f"{V3}/{path}/{one['id']}", {item: changes})[item]
            full = {k: "x" for k in changes if k in ("description", "email")}
            if full:
                admin.ok("PATCH", f"{V3}/{path}/{one['id']}", {item: full})
                changed = admin.ok("PATCH", f"{V3}/{path}/{one['id']}", {item: changes})[item]
            assert not [k for k in full if changed.get(k)], changed
        return one["id"]

    project = made("projects", "project", {"name": "nulled", "description": None, "domain_id": None, "parent_id": None}, description=None)
    user = made("users", "user", {"name": "nulled", "description": None, "default_project_id": None, "password": None, "email": None},
                description=None, default_project_id=None, email=None)
    made("groups", "group", {"name": "nulled", "description": None}, description=None)
    made("roles", "role", {"name": "nulled", "description": None, "domain_id": None}, description=None)
    made("domains", "domain", {"name": "nulled", "description": None}, description=None)
    made("regions", "region", {"id": None, "description": None, "parent_region_id": None}, description=None, parent_region_id=None)
    service = made("services", "service", {"name": "nulled", "type": "nulled"})
    made("endpoints", "endpoint", {"service_id": service, "interface": "public", "url": "http://a.test", "region": None, "region_id": None, "description": None})
    made("OS-EP-FILTER/endpoint_groups", "endpoint_group", {"name": "nulled", "filters": {"interface": "public"}, "description": None}, description=None)
    own = {"application_credential": {"name": "nulled", "description": None, "expires_at": None, "unrestricted": None}}
    shown = admin.ok("POST", f"{V3}/users/{admin.user_id}/application_credentials", own)["application_credential"]
    assert shown["unrestricted"] is False and shown["expires_at"] is None
    trust = {"trustor_user_id": admin.user_id, "trustee_user_id": user, "project_id": admin.id, "impersonation": False, "roles": [{"name": "reader"}],
             "expires_at": None, "remaining_uses": None, "allow_redelegation": None, "redelegation_count": None}
    assert admin.ok("POST", f"{V3}/OS-TRUST/trusts", {"trust": trust})["trust"]["remaining_uses"] is None
    kept = admin.ok("POST", f"{V3}/credentials", {"credential": {"user_id": admin.user_id, "project_id": project, "type": "cert", "blob": "x"}})["credential"]
    assert admin.ok("PATCH", f"{V3}/credentials/{kept['id']}", {"credential": {"project_id": None}})["credential"]["project_id"] is None
    key = admin.ok("POST", f"{V3}/users/{admin.user_id}/credentials/OS-EC2", {"tenant_id": admin.id})["credential"]["access"]
    found = next(c for c in admin.ok("GET", f"{V3}/credentials?type=ec2")["credentials"] if key in c["blob"])
    assert admin.call("PATCH", f"{V3}/credentials/{found['id']}", {"credential": {"project_id": None}}).status == 400


def test_a_password_that_is_null(admin, cast):
    """No password works for such a user, and earlier tokens are invalid."""
    user = cast.ids["inside"]
    proof = {"methods": ["password"], "password": {"user": {"id": user, "password": "geheim"}}}
    body = {"auth": {"identity": proof, "scope": "unscoped"}}
    before = admin.call("POST", f"{V3}/auth/tokens", body, headers={"X-Auth-Token": ""})
    assert before.status == 201
    admin.ok("PATCH", f"{V3}/users/{user}", {"user": {"password": None}})
    assert admin.call("GET", f"{V3}/auth/projects", headers={"X-Auth-Token": before.headers["X-Subject-Token"]}).status == 401
    for password in ("geheim", ""):
        proof["password"]["user"]["password"] = password
        assert admin.call("POST", f"{V3}/auth/tokens", body, headers={"X-Auth-Token": ""}).status == 401


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
