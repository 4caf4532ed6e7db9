#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack/account src/api/cloudstack/region src/engine/people/policy
"""Roles and members of projects, users that move, other regions, and hosts in maintenance, by CloudStack's commands."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
from cloudstack import admin_key, call, wait  # noqa: E402
from faces import holds  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


def done(dev, admin, command, **given):
    """Result of a job that ends well."""
    status, answer, _ = call(dev, command, **given, **admin)
    assert status == 200, answer
    state, result = wait(dev, answer, **admin)
    assert state == 1, result
    return result


def made_account(dev, admin, name, **given):
    """An account, and the key of its user."""
    person = {"username": name, "password": "geheim", "email": f"{name}@example.org", "firstname": "F", "lastname": "L"}
    account = call(dev, "createAccount", **{**person, **given}, **admin)[1]["account"]
    return account, key_of(dev, admin, account["user"][0]["id"])


def key_of(dev, admin, user):
    keys = call(dev, "registerUserKeys", id=user, **admin)[1]["userkeys"]
    return {"_key": keys["apikey"], "_secret": keys["secretkey"]}


def made_project(dev, admin, name):
    return done(dev, admin, "createProject", name=name)["project"]


@holds("CloudStack: Project roles")
def test_project_roles(dev, admin):
    """A project role denies commands to its members in that project alone; administrators of the project run them all, and change the role."""
    project, other = made_project(dev, admin, "roles"), made_project(dev, admin, "others")
    assert project["displaytext"] == "roles"
    role = call(dev, "createProjectRole", projectid=project["id"], name="looker", description="Looks", **admin)[1]["projectrole"]
    assert (role["name"], role["description"], role["projectid"]) == ("looker", "Looks", project["id"])
    assert call(dev, "createProjectRole", projectid=project["id"], name="looker", **admin)[0] == 431
    rules = [call(dev, "createProjectRolePermission", projectid=project["id"], projectroleid=role["id"], rule=rule, permission=word, **admin)[1]["projectrolepermission"]
             for rule, word in (("listVo*", "deny"), ("listVolumes", "allow"))]
    assert (rules[0]["projectroleid"], rules[0]["projectrolename"], rules[0]["permission"]) == (role["id"], "looker", "deny")
    (account, who), (manager, boss) = made_account(dev, admin, "member", roleid="4"), made_account(dev, admin, "boss", roleid="4")
    assert account["rolename"] == "User"
    assert call(dev, "addAccountToProject", projectid=other["id"], account="member", projectroleid=role["id"], **admin)[0] == 431
    done(dev, admin, "addAccountToProject", projectid=project["id"], account="member", projectroleid=role["id"])
    done(dev, admin, "addAccountToProject", projectid=project["id"], account="boss", projectroleid=role["id"], roletype="admin")
    done(dev, admin, "addAccountToProject", projectid=other["id"], account="member")
    refused = call(dev, "listVolumes", projectid=project["id"], **who)
    assert refused[0] == 531 and "denied for the user's/account's project role" in refused[1]["errortext"]
    assert {call(dev, "listVolumes", projectid=p, **k)[0] for p, k in ((project["id"], boss), (other["id"], who), (project["id"], admin))} == {200}
    assert call(dev, "listVolumes", **who)[0] == 200 == call(dev, "listSnapshots", projectid=project["id"], **who)[0]
    listed = call(dev, "listProjectAccounts", projectid=project["id"], projectroleid=role["id"], **who)[1]["projectaccount"]
    assert {(m["account"], m["role"], m["projectroleid"]) for m in listed} == {("member", "Regular", role["id"]), ("boss", "Admin", role["id"])}
    # the project's administrator orders the rules anew; a member does not, and nobody those of another project
    order = {"projectid": project["id"], "projectroleid": role["id"], "ruleorder": ",".join(r["id"] for r in reversed(rules))}
    assert call(dev, "updateProjectRolePermission", **order, **who)[0] == 401
    assert call(dev, "updateProjectRolePermission", **{**order, "projectid": other["id"]}, **boss)[0] == 401
    assert call(dev, "updateProjectRolePermission", **order, **boss)[1] == {"success": "true"}
    assert call(dev, "listVolumes", projectid=project["id"], **who)[0] == 200
    assert call(dev, "deleteProjectRole", projectid=project["id"], id=role["id"], **boss)[0] == 531  # it is in use
    assert call(dev, "deleteProjectRolePermission", projectid=project["id"], id=rules[1]["id"], **boss)[1] == {"success": "true"}
    assert [r["id"] for r in call(dev, "listProjectRolePermissions", projectid=project["id"], **who)[1]["projectrolepermission"]] == [rules[0]["id"]]
    assert call(dev, "listVolumes", projectid=project["id"], **who)[0] == 531
    changed = call(dev, "updateProjectRole", projectid=project["id"], id=role["id"], name="watcher", **boss)[1]["projectrole"]
    assert changed["name"] == "watcher" and call(dev, "listProjectRoles", projectid=project["id"], name="watcher", **who)[1]["count"] == 1
    done(dev, admin, "deleteAccountFromProject", projectid=project["id"], account="member")
    assert call(dev, "listProjectRoles", projectid=project["id"], **who)[1] == {}
    done(dev, admin, "deleteProject", id=project["id"])
    assert call(dev, "listProjectRoles", projectid=other["id"], **admin)[1] == {}


def test_administrators_of_a_project(dev, admin):
    """An administrator of a project changes that project and its members, and no other one; the last one stays."""
    project, other = made_project(dev, admin, "led"), made_project(dev, admin, "foreign")
    (_, who), (_, boss) = made_account(dev, admin, "regular"), made_account(dev, admin, "leader")
    done(dev, admin, "addAccountToProject", projectid=project["id"], account="leader")
    assert call(dev, "updateProject", id=project["id"], displaytext="x", **boss)[0] == 401
    done(dev, admin, "updateProject", id=project["id"], account="leader")  # takes the place of the present administrator
    roles = {m["account"]: m["role"] for m in call(dev, "listProjectAccounts", projectid=project["id"], **admin)[1]["projectaccount"]}
    assert roles.pop("leader") == "Admin" and set(roles.values()) == {"Regular"}
    done(dev, boss, "addAccountToProject", projectid=project["id"], account="regular", email="r@example.org")
    done(dev, boss, "updateProject", id=project["id"], displaytext="Led")
    assert call(dev, "updateProject", id=other["id"], projectid=project["id"], displaytext="x", **boss)[0] == 401
    assert call(dev, "addAccountToProject", projectid=other["id"], account="regular", **boss)[0] == 401
    assert call(dev, "deleteAccountFromProject", projectid=project["id"], account="leader", **boss)[0] == 431
    assert call(dev, "updateProject", id=project["id"], account="leader", swapowner="false", roletype="Regular", **boss)[0] == 431
    done(dev, boss, "updateProject", id=project["id"], account="regular", swapowner="false", roletype="Admin")
    done(dev, who, "deleteAccountFromProject", projectid=project["id"], account="leader")
    assert call(dev, "suspendProject", id=project["id"], **who)[0] == 401 and call(dev, "createProject", name="x", **who)[0] == 401
    done(dev, admin, "suspendProject", id=project["id"])
    assert call(dev, "activateProject", id=project["id"], **who)[0] == 401  # what an operator has disabled stays so
    offering, zone = call(dev, "listDiskOfferings", **admin)[1]["diskoffering"][0]["id"], call(dev, "listZones")[1]["zone"][0]["id"]
    assert call(dev, "listVolumes", projectid=project["id"], **admin)[0] == 200
    assert call(dev, "createVolume", projectid=project["id"], diskofferingid=offering, size="1", zoneid=zone, **admin)[0] == 431 == call(dev, "listVolumes", projectid=project["id"], **who)[0]
    assert call(dev, "addAccountToProject", projectid=project["id"], account="leader", **admin)[0] == 431  # it is suspended


def test_users_of_a_project(dev, admin):
    """A user is a member without the other users of its account."""
    project = made_project(dev, admin, "single")
    account, first = made_account(dev, admin, "pair")
    second = call(dev, "createUser", username="pair2", account="pair", password="geheim", email="p@example.org", firstname="F", lastname="L", **admin)[1]["user"]
    done(dev, admin, "addUserToProject", projectid=project["id"], username="pair2")
    member, = [m for m in call(dev, "listProjectAccounts", projectid=project["id"], **admin)[1]["projectaccount"] if m["account"] == "pair"]
    assert (member["userid"], member["username"], member["role"]) == (second["id"], "pair2", "Regular")
    assert call(dev, "listVolumes", projectid=project["id"], **key_of(dev, admin, second["id"]))[0] == 200
    assert call(dev, "listVolumes", projectid=project["id"], **first)[0] == 431
    done(dev, admin, "updateProject", id=project["id"], userid=second["id"], swapowner="false", roletype="Admin")
    assert call(dev, "listProjectAccounts", projectid=project["id"], userid=second["id"], role="Admin", **admin)[1]["count"] == 1
    done(dev, admin, "deleteUserFromProject", projectid=project["id"], userid=second["id"])
    assert call(dev, "deleteUserFromProject", projectid=project["id"], userid=second["id"], **admin)[0] == 431
    done(dev, admin, "addAccountToProject", projectid=project["id"], account="pair")
    member, = [m for m in call(dev, "listProjectAccounts", projectid=project["id"], **admin)[1]["projectaccount"] if m["account"] == "pair"]
    assert "userid" not in member and member["accountid"] == account["id"]


@holds("CloudStack: Users that move")
def test_moved_user(dev, admin):
    """A moved user has the role of the new account, none of the former, and no key; an account's role is that of its users."""
    (old, _), (new, _) = made_account(dev, admin, "old"), made_account(dev, admin, "new")
    user = call(dev, "createUser", username="walker", account="old", password="geheim", email="w@example.org", firstname="F", lastname="L", **admin)[1]["user"]
    who = key_of(dev, admin, user["id"])
    assert call(dev, "listVolumes", **who)[0] == 200
    domain = call(dev, "createDomain", name="elsewhere", **admin)[1]["domain"]
    far, _ = made_account(dev, admin, "far", domainid=domain["id"])
    assert call(dev, "moveUser", id=user["id"], accountid=far["id"], **admin)[0] == 431 == call(dev, "moveUser", id=user["id"], **admin)[0]
    assert call(dev, "moveUser", id=user["id"], account="new", **admin)[1] == {"success": "true"}
    assert call(dev, "listUsers", id=user["id"], **admin)[1]["user"][0]["account"] == "new"
    assert call(dev, "listVolumes", **who)[0] == 401
    assert [u["username"] for u in call(dev, "listAccounts", id=old["id"], **admin)[1]["account"][0]["user"]] == ["old"]
    keystone = cloud.admin(dev).ok("GET", f"/identity/v3/role_assignments?user.id={user['id'].replace('-', '')}")["role_assignments"]
    assert [a["scope"]["project"]["id"] for a in keystone] == [new["id"].replace("-", "")]
    changed = call(dev, "updateAccount", id=new["id"], roleid="3", **admin)[1]["account"]
    assert (changed["rolename"], changed["accounttype"]) == ("Domain Admin", 2)
    assert call(dev, "updateAccount", id=new["id"], roleid="4", **admin)[1]["account"]["rolename"] == "User"
    keystone = cloud.admin(dev).ok("GET", f"/identity/v3/role_assignments?user.id={user['id'].replace('-', '')}")["role_assignments"]
    assert len(keystone) == 1


@holds("CloudStack: Other regions")
def test_regions(dev, admin):
    """A region that is added is one of Keystone's, too."""
    here, = call(dev, "listRegions")[1]["region"]
    added = call(dev, "addRegion", id="7", name="west", endpoint="https://west.example.org/client/", **admin)[1]["region"]
    assert (added["id"], added["name"], added["endpoint"]) == (7, "west", "https://west.example.org/client/")
    assert call(dev, "listRegions")[1]["region"] == [here, added] and call(dev, "listRegions", id="7")[1]["region"] == [added]
    for given in ({"id": "7", "name": "other"}, {"id": "8", "name": "west"}, {"id": "1", "name": "other"}, {"id": "8", "name": here["name"]}):
        assert call(dev, "addRegion", endpoint="https://x/", **given, **admin)[0] == 431, given
    assert call(dev, "updateRegion", id="7", name="far west", **admin)[1]["region"]["name"] == "far west"
    keystone = {r["id"]: r["description"] for r in cloud.admin(dev).ok("GET", "/identity/v3/regions")["regions"]}
    assert keystone["7"] == "far west"
    assert call(dev, "removeRegion", id="1", **admin)[0] == 431 == call(dev, "removeRegion", id="9", **admin)[0]
    assert call(dev, "removeRegion", id="7", **admin)[1] == {"success": "true"} and call(dev, "listRegions")[1]["region"] == [here]
    assert call(dev, "addRegion", id="7", name="west", endpoint="https://x/")[0] == 401


def test_groups_of_settings(dev, admin):
    """Each group and subgroup has settings, and these are all."""
    groups = call(dev, "listConfigurationGroups", **admin)[1]["configurationgroup"]
    assert groups[0]["name"] == "Access" and groups[0]["subgroup"][0]["name"] == "Account"
    named = [c["name"] for g in groups for s in g["subgroup"]
             for c in call(dev, "listConfigurations", group=g["name"], subgroup=s["name"], **admin)[1]["configuration"]]
    assert sorted(named) == sorted(c["name"] for c in call(dev, "listConfigurations", **admin)[1]["configuration"])
    one, = call(dev, "listConfigurations", name="storage.cleanup.interval", **admin)[1]["configuration"]
    assert (one["group"], one["subgroup"]) == ("Infrastructure", "Primary Storage")


def test_hosts_in_maintenance(dev, admin):
    """A host is closed and opened, and its maintenance ends when it is cancelled; Nova shows the same."""
    host = call(dev, "listHosts", **admin)[1]["host"][-1]
    services = {"/compute/v2.1/os-services?binary=nova-compute"}

    def status():
        return next(s["status"] for path in services for s in cloud.admin(dev).ok("GET", path)["services"] if s["host"] == host["name"])
    assert call(dev, "updateHost", id=host["id"], allocationstate="Disable", **admin)[1]["host"]["resourcestate"] == "Disabled"
    assert status() == "disabled"
    assert call(dev, "updateHost", id=host["id"], allocationstate="Enable", **admin)[1]["host"]["resourcestate"] == "Enabled"
    assert status() == "enabled" and call(dev, "updateHost", id=host["id"], allocationstate="Maybe", **admin)[0] == 431
    assert done(dev, admin, "prepareHostForMaintenance", id=host["id"])["host"]["resourcestate"] in ("Maintenance", "PrepareForMaintenance")
    assert call(dev, "prepareHostForMaintenance", id=host["id"], **admin)[0] == 530 == call(dev, "updateHost", id=host["id"], allocationstate="Enable", **admin)[0]
    assert done(dev, admin, "cancelHostMaintenance", id=host["id"])["host"]["resourcestate"] == "Enabled"
    assert call(dev, "cancelHostMaintenance", id=host["id"], **admin)[0] == 530 and call(dev, "updateHost", id=host["id"])[0] == 401


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
