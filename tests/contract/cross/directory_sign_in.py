#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/scim src/drivers/ldap_directory.c src/auth/sign_in/login.c src/auth/directory src/engine/people/sign_in/directory_user.c
"""People of an LDAP directory sign in with their password there: in the console, for a Keystone token, in CloudStack and in Azure. The directory is a
real slapd, asked over LDAPS and StartTLS. Groups of the directory give the roles; whoever leaves a group loses them at the next sign-in."""
import json
import os
import subprocess
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import native  # noqa: E402
import scim  # noqa: E402
import waiting  # noqa: E402
from dev import DARI, Dev  # noqa: E402
from slapd import BASE, ROOT_DN, ROOT_PASSWORD, Slapd  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
RIGHT, WRONG = "her-own-1", "somebody's-1"


@pytest.fixture(scope="module")
def slapd():
    with Slapd() as server:
        for name in ("ann", "ben", "cat", "dan", "eve", "fay", "admin"):
            server.add_person(name, RIGHT)
        server.add_group("Cloud Users", "ann", "ben")
        yield server


def write_settings(slapd, tmp_path_factory, url, **more):
    folder = tmp_path_factory.mktemp("directory")
    (folder / "password").write_text(ROOT_PASSWORD + "\n")
    settings = {"url": url, "ca": slapd.authority, "bind_dn": ROOT_DN, "bind_password_file": str(folder / "password"), "people": f"ou=people,{BASE}",
                "group_base": f"ou=groups,{BASE}", "groups": ["Cloud Users=cloud-users", "operators"], **more}
    (folder / "dari.yaml").write_text("directory:\n" + "".join(f"  {k}: {json.dumps(v)}\n" for k, v in settings.items()))
    return str(folder / "dari.yaml")


@pytest.fixture(scope="module")
def dev(slapd, tmp_path_factory):
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps)) as region:
        yield region


@pytest.fixture(scope="module")
def admin(dev):
    return native.admin(dev)


def enter(dev, name, password, domain="Default"):
    status, _, said = web.ask(dev.url + "/api/v1/session", "POST", {"user": name, "domain": domain, "password": password}, SAME)
    return status, json.loads(said)


def password_body(name, password, **scope):
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, **({"scope": scope} if scope else {})}}


def token(dev, name, password, **scope):
    body = password_body(name, password, **scope)
    status, _, said = web.ask(dev.url + "/identity/v3/auth/tokens", "POST", body, {"Content-Type": "application/json"})
    return status, json.loads(said)


def cloudstack_login(dev, name, password):
    form = urllib.parse.urlencode({"command": "login", "username": name, "password": password, "response": "json"})
    return cloudstack.send(dev.port, form, True)


def azure_token(dev, name, password):
    form = {"grant_type": "password", "client_id": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "username": name, "password": password, "scope": "openid"}
    connection = dev.connect()
    connection.request("POST", "/adfs/oauth2/token", urllib.parse.urlencode(form), FORM)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def everywhere(dev, name, password):
    """The statuses of the four faces."""
    return [enter(dev, name, password)[0], token(dev, name, password)[0], cloudstack_login(dev, name, password)[0], azure_token(dev, name, password)[0]]


def row(admin, path, name):
    return next((r for r in admin.rows(f"{path}?fields=*&all=1") if r["name"] == name), None)


def grant(admin, group, role, project):
    """Gives a group of the domain a role on the project."""
    ids = {k["name"]: k["id"] for k in admin.ok("GET", "/identity/v3/roles")["roles"]}
    groups = {k["name"]: k["id"] for k in admin.ok("GET", "/identity/v3/groups")["groups"]}
    answer = admin.call("PUT", f"/identity/v3/projects/{project}/groups/{groups[group]}/roles/{ids[role]}")
    assert answer.status == 204, answer


def test_stranger_becomes_user(dev, admin):
    """The first sign-in makes a user without a password of the region, and the group that the configuration names."""
    assert row(admin, "/users", "ann") is None
    status, said = token(dev, "ann", RIGHT)
    assert status == 201 and said["token"]["user"]["name"] == "ann", said
    made = row(admin, "/users", "ann")
    assert made["email"] == "ann@example.com"
    group = row(admin, "/user-groups", "cloud-users")
    members = admin.rows(f"/group-members?fields=*&user_group={group['id']}")
    assert [m["user"] for m in members] == [made["id"]]


def test_roles_by_group(dev, admin, slapd):
    """A role of the group lets its members in, in every face; after they left it, they are out at the next sign-in."""
    token(dev, "ben", RIGHT)
    project = cloud.own(dev)
    assert token(dev, "ben", RIGHT, project={"id": project.id})[0] == 401
    grant(admin, "cloud-users", "member", project.id)
    status, said = token(dev, "ben", RIGHT, project={"id": project.id})
    assert status == 201 and "member" in [r["name"] for r in said["token"]["roles"]], said
    assert everywhere(dev, "ben", RIGHT) == [201, 201, 200, 200]
    slapd.set_members("Cloud Users", "ann")
    assert token(dev, "ben", RIGHT, project={"id": project.id})[0] == 401
    assert token(dev, "ann", RIGHT, project={"id": project.id})[0] == 201


def test_wrong_password(dev, admin):
    assert everywhere(dev, "cat", WRONG)[1:] == [401, 531, 400] and enter(dev, "cat", WRONG)[0] == 401
    assert row(admin, "/users", "cat") is None


@pytest.mark.parametrize("name,password", [("dan", ""), ("d*", RIGHT), ("*", RIGHT), ("dan)(uid=*", RIGHT), ("nobody", RIGHT), ("dan\0", RIGHT)])
def test_not_somebody_else(dev, admin, name, password):
    """An empty password is an anonymous bind to LDAP, and * in a filter is anybody: neither is sent."""
    assert token(dev, name, password)[0] in (400, 401)
    assert row(admin, "/users", "dan") is None


def test_name_of_local_user(dev, admin):
    """A user of the region with a password here is never the directory's person of the same name."""
    assert token(dev, "admin", RIGHT)[0] == 401
    assert token(dev, "admin", admin.password)[0] == 201


def test_renamed_person(dev, admin, slapd):
    """The directory's id identifies a person: a new name is the same user, and the old name is nobody's."""
    assert token(dev, "eve", RIGHT)[0] == 201
    was = row(admin, "/users", "eve")
    slapd.rename("eve", "eva")
    assert token(dev, "eva", RIGHT)[0] == 201
    assert row(admin, "/users", "eva")["id"] == was["id"]
    assert token(dev, "eve", RIGHT)[0] == 401


def test_scim_leaves_people_of_the_directory_alone(dev, admin):
    """The directory sets names, addresses and passwords: SCIM shows these people, and refuses to change them."""
    assert token(dev, "ann", RIGHT)[0] == 201
    domain = scim.default_domain(admin)
    (ann,) = domain.ok("GET", '/Users?filter=userName eq "ANN"')["Resources"]
    path = f"/Users/{ann['id']}"
    for name, value in (("title", "x"), ("active", False), ("password", "geheim-1"), ("userName", "anne"), ("emails", [{"value": "x@x.test"}])):
        domain.fails(400, "mutability", "PATCH", path, {"Operations": [scim.operation("replace", name, value)]})
    domain.fails(400, "mutability", "PUT", path, {"userName": "ann"})  # would remove the address
    domain.fails(400, "mutability", "DELETE", path)
    domain.fails(409, "uniqueness", "POST", "/Users", {"userName": "Ann"})
    sent = {name: ann[name] for name in ("userName", "active", "emails")}
    gen = row(admin, "/users", "ann")["gen"]
    for answer in (domain.ok("PUT", path, sent), domain.ok("GET", path)):
        answer["meta"]["lastModified"] = ann["meta"]["lastModified"]  # the use of the password may be noted meanwhile
        assert answer == ann
    assert row(admin, "/users", "ann")["gen"] == gen  # what changes nothing is no change
    group = domain.group("with-ann", ann)
    assert [m["value"] for m in group["members"]] == [ann["id"]]
    assert token(dev, "ann", RIGHT)[0] == 201


def test_disabled_here(dev, admin):
    assert token(dev, "fay", RIGHT)[0] == 201
    user = row(admin, "/users", "fay")
    admin.ok("PATCH", f"/identity/v3/users/{user['id'].replace('-', '')}", {"user": {"enabled": False}})
    assert token(dev, "fay", RIGHT)[0] == 401


def test_guesses_are_counted(dev):
    """After five wrong passwords from an address the right one is refused for a while, and the directory isn't asked."""
    for _ in range(5):
        assert token(dev, "dan", WRONG)[0] == 401
    assert token(dev, "dan", RIGHT)[0] == 401


def test_refresh(slapd, tmp_path_factory):
    """A person who has left the directory, or a group of it, loses access without another sign-in. A directory that is away changes nothing."""
    for name in ("gus", "hal", "ida"):
        slapd.add_person(name, RIGHT)
    slapd.add_group("operators", "gus", "hal")
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps, refresh_s=1)) as region:
        admin = native.admin(region)
        for name in ("gus", "hal", "ida"):
            assert token(region, name, RIGHT)[0] == 201
        project = cloud.own(region)
        grant(admin, "operators", "member", project.id)
        assert token(region, "hal", RIGHT, project={"id": project.id})[0] == 201
        slapd.set_members("operators", "gus")
        group = row(admin, "/user-groups", "operators")["id"]
        hal = row(admin, "/users", "hal")["id"]


        def members():
            return [m["user"] for m in admin.rows(f"/group-members?fields=*&user_group={group}")]

        waiting.wait_until(lambda: hal not in members(), "hal has left the group")
        opened = web.ask(region.url + "/identity/v3/auth/tokens", "POST", password_body("gus", RIGHT), {"Content-Type": "application/json"})[1]["X-Subject-Token"]
        slapd.delete("gus")
        waiting.wait_until(lambda: not row(admin, "/users", "gus")["enabled"], "gus is disabled")
        assert web.ask(region.url + "/identity/v3/auth/projects", "GET", None, {"X-Auth-Token": opened})[0] == 401
        assert row(admin, "/users", "ida")["enabled"]
        slapd.stop()
        slapd.start()
        slapd.set_members("operators", "ida")
        ida = row(admin, "/users", "ida")["id"]
        waiting.wait_until(lambda: ida in members(), "the groups follow after the directory was away")
        assert row(admin, "/users", "hal")["enabled"] and row(admin, "/users", "ida")["enabled"]


def test_start_tls(slapd, tmp_path_factory):
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldap)) as region:
        assert token(region, "ann", RIGHT)[0] == 201


def test_untrusted_certificate(slapd, tmp_path_factory):
    """A server whose certificate another authority signed gets nobody's password."""
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps, ca="/etc/ssl/certs/ca-certificates.crt")) as region:
        assert token(region, "ann", RIGHT)[0] == 401


def doctor(dev):
    said = subprocess.run([DARI, "--config", dev.config, "doctor"], capture_output=True, text=True, check=False).stdout
    return next(line for line in said.splitlines() if line[4:].startswith("directory"))


def test_doctor(dev, slapd, tmp_path_factory):
    assert doctor(dev).startswith("ok")
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps, people="ou=nobody,dc=example,dc=com")) as region:
        assert doctor(region).startswith("!!") and "directory.people" in doctor(region)
    with Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps, domain="gone")) as region:
        assert doctor(region).startswith("!!") and "no domain gone" in doctor(region)


def test_too_many_groups(slapd, tmp_path_factory):
    with pytest.raises(RuntimeError, match="directory.groups: 65 groups"):
        Dev("--directory", write_settings(slapd, tmp_path_factory, slapd.ldaps, groups=[f"g{n}" for n in range(65)]))


def test_directory_down(dev, admin, slapd):
    """The directory's people can't sign in; the region's own can. Afterwards all can."""
    slapd.stop()
    try:
        assert doctor(dev).startswith("!!")
        assert token(dev, "ann", RIGHT)[0] == 401
        assert token(dev, "admin", admin.password)[0] == 201
    finally:
        slapd.start()
    assert token(dev, "ann", RIGHT)[0] == 201


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
