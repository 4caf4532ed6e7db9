#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/auth src/engine/people
"""Calls about a user's own access keys, application credentials, passwords and tokens. Whatever a token's scope, the policies of every account
concerned apply. A restricted or narrowed credential can neither see nor create anything with more rights than itself. In addition: refusal
messages can be decoded by the refused account only."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import doors  # noqa: E402
from dev import DARI, ROOT, Account  # noqa: E402
from regions import dev  # noqa: E402, F401 (fixtures)

TABLES = cloud.dump()
PERSONAL = ("iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:ListAccessKeys", "iam:ChangePassword", "iam:CreateServiceSpecificCredential",
            "iam:DeleteServiceSpecificCredential")
ACTIONS = {cloud.title(a): a for a in TABLES["actions"] if a["service"] == "identity" and a["iam"] in PERSONAL}
TOKENS = "/identity/v3/auth/tokens"


@pytest.fixture(scope="module")
def owner(dev):
    return cloud.another(dev, "own")


def login(project, identity, scope=None):
    """A token, or the refusal's status."""
    answer = project.call("POST", TOKENS, {"auth": {"identity": identity, **({"scope": scope} if scope else {})}}, headers={"X-Auth-Token": ""})
    return answer.headers["X-Subject-Token"] if answer.status == 201 else answer.status


def by_password(user, password):
    return {"methods": ["password"], "password": {"user": {"id": user, "password": password}}}


class Person:
    """A user with a password, and calls with one of the user's tokens."""

    def __init__(self, project, user, password):
        self.project, self.user, self.password = project, user, password
        self.keys = f"/identity/v3/users/{user}/credentials/OS-EC2"
        self.programs = f"/identity/v3/users/{user}/application_credentials"

    def token(self, scope):
        token = login(self.project, by_password(self.user, self.password), scope)
        assert isinstance(token, str), token
        return token

    def call(self, token, method, path, body=None):
        return self.project.call(method, path, body, headers={"X-Auth-Token": token})

    def program(self, token, **how):
        """Token of an application credential created with this token."""
        made = self.call(token, "POST", self.programs, {"application_credential": {"name": f"p{len(how)}{os.urandom(4).hex()}", **how}})
        assert made.status == 201, made
        secret = made.json["application_credential"]
        return login(self.project, {"methods": ["application_credential"], "application_credential": {"id": secret["id"], "secret": secret["secret"]}})


def iam(owner, action, params):
    return owner.root.ok(action, params, service="iam", version="2010-05-08")


@pytest.fixture(scope="module")
def bob(owner):
    """A user of the account."""
    iam(owner, "CreateUser", {"UserName": "bob"})
    iam(owner, "CreateLoginProfile", {"UserName": "bob", "Password": "Correct-horse-1"})
    admin = cloud.admin(owner.dev)
    (found,) = [u["id"] for u in admin.ok("GET", "/identity/v3/users")["users"] if u["name"] == "bob"]
    return Person(owner, found, "Correct-horse-1")


@pytest.fixture(scope="module")
def ann(owner):
    """A domain's user with the role member."""
    return Person(owner, owner.user_id, owner.password)


def has(owner, name, *statements):
    iam(owner, "PutUserPolicy", {"UserName": name, "PolicyName": "own", "PolicyDocument": doors.policy(*statements)})


def has_none(owner, name):
    owner.root.call("DeleteUserPolicy", {"UserName": name, "PolicyName": "own"}, service="iam", version="2010-05-08")


def new_key(person, token):
    return person.call(token, "POST", person.keys, {"tenant_id": person.project.id})


# ---- restricted and narrowed credentials

def test_a_restricted_credential_sees_no_secret(owner, ann):
    """Not even with all roles; and there is no other way to read secrets."""
    full = ann.token({"project": {"id": owner.id}})
    made = new_key(ann, full)
    assert made.status == 201, made
    access, secret = made.json["credential"]["access"], made.json["credential"]["secret"]
    reader = ann.program(full, roles=[{"name": "reader"}])
    for token in (reader, ann.program(full)):
        for method, path, body in [("GET", ann.keys, None), ("GET", f"{ann.keys}/{access}", None), ("GET", "/identity/v3/credentials", None),
                                   ("POST", ann.keys, {"tenant_id": owner.id}), ("DELETE", f"{ann.keys}/{access}", None),
                                   ("POST", ann.programs, {"application_credential": {"name": "more"}}),
                                   ("POST", f"/identity/v3/users/{ann.user}/password", {"user": {"original_password": ann.password, "password": "Other-horse-1"}})]:
            answer = ann.call(token, method, path, body)
            assert answer.status in (401, 403) and secret not in answer.text, f"{method} {path}: {answer}"
    assert ann.call(full, "GET", f"{ann.keys}/{access}").json["credential"]["secret"] == secret
    assert ann.call(full, "DELETE", f"{ann.keys}/{access}").status == 204


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_restricted(owner, ann, name):
    """Each call about the user's own credentials. Named objects need not exist."""
    action = ACTIONS[name]
    token = ann.program(ann.token({"project": {"id": owner.id}}))
    path = cloud.path_of(action, {"user": ann.user})
    body = BODIES.get(name, lambda _: cloud.body_of(action))(ann)
    answer = ann.call(token, action["method"], path, body)
    is_absent = "credential_id}" in action["path"]
    assert answer.status in (403, 404) if is_absent else answer.status == 403, answer


BODIES = {
    "POST /identity/v3/users/{user_id}/credentials/OS-EC2": lambda p: {"tenant_id": p.project.id},
    "POST /identity/v3/users/{user_id}/password": lambda p: {"user": {"original_password": p.password, "password": "Other-horse-1"}},
    "POST /identity/v3/users/{user_id}/application_credentials": lambda p: {"application_credential": {"name": "x"}},
}


def test_a_narrowed_credential_makes_no_key(owner, ann):
    """An unrestricted credential of a reader: a key would have all of its user's rights. With all roles it is allowed."""
    full = ann.token({"project": {"id": owner.id}})
    made = new_key(ann, full).json["credential"]
    narrow = ann.program(full, roles=[{"name": "reader"}], unrestricted=True)
    assert new_key(ann, narrow).status == 403
    listed = ann.call(narrow, "GET", ann.keys)
    assert listed.status == 403 and made["secret"] not in listed.text
    assert ann.call(narrow, "GET", f"{ann.keys}/{made['access']}").status == 403
    wide = ann.program(full, unrestricted=True)
    assert made["secret"] in ann.call(wide, "GET", ann.keys).text
    # a credential created by a narrowed one has no more roles
    child = ann.call(narrow, "POST", ann.programs, {"application_credential": {"name": "child", "roles": [{"name": "member"}]}})
    assert child.status == 403, child
    assert ann.call(full, "DELETE", f"{ann.keys}/{made['access']}").status == 204


def test_a_narrowed_credential_has_no_more_by_a_policy(owner, ann):
    """A policy's rights of the user do not extend to a reader's credential; they do to one with all roles."""
    full = ann.token({"project": {"id": owner.id}})
    has(owner, owner.user, doors.ALLOW)
    try:
        reader, wide = ann.program(full, roles=[{"name": "reader"}]), ann.program(full)
        assert ann.call(reader, "GET", "/network/v2.0/networks").status == 200
        assert ann.call(reader, "POST", "/network/v2.0/networks", {"network": {"name": "n"}}).status == 403
        assert ann.call(wide, "POST", "/network/v2.0/networks", {"network": {"name": "n"}}).status == 201
    finally:
        has_none(owner, owner.user)


def test_a_restricted_credential_ends_its_own_token_only(owner, ann):
    full = ann.token({"project": {"id": owner.id}})
    token = ann.program(full, roles=[{"name": "reader"}])
    refused = owner.call("DELETE", TOKENS, headers={"X-Auth-Token": token, "X-Subject-Token": full})
    assert refused.status == 403, refused
    assert owner.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": full}).status == 200
    assert owner.call("DELETE", TOKENS, headers={"X-Auth-Token": token, "X-Subject-Token": token}).status == 204
    assert owner.call("GET", "/compute/v2.1/servers", headers={"X-Auth-Token": token}).status == 401


# ---- all accounts concerned, regardless of the token's scope

SCOPES = ["unscoped", "project"]


def scope_of(owner, scope):
    return "unscoped" if scope == "unscoped" else {"project": {"id": owner.id}}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("denied", ["iam:*", "iam:CreateAccessKey"])
def test_denied_keys(owner, ann, scope, denied):
    """A domain's user, by the policies of the account that the key is for."""
    token = ann.token(scope_of(owner, scope))
    has(owner, owner.user, doors.ALLOW, doors.deny(denied, "*"))
    try:
        assert new_key(ann, token).status == 403
    finally:
        has_none(owner, owner.user)
    made = new_key(ann, token)
    assert made.status == 201, made
    access, secret = made.json["credential"]["access"], made.json["credential"]["secret"]
    has(owner, owner.user, doors.ALLOW, doors.deny(["iam:ListAccessKeys", "iam:DeleteAccessKey"], "*"))
    try:
        for path in (ann.keys, f"{ann.keys}/{access}", "/identity/v3/credentials"):
            assert secret not in ann.call(token, "GET", path).text, path
        assert ann.call(token, "DELETE", f"{ann.keys}/{access}").status == 403
    finally:
        has_none(owner, owner.user)
    assert ann.call(token, "DELETE", f"{ann.keys}/{access}").status == 204


def test_denied_by_arn(owner, ann):
    """A Deny on the user's own ARN, and one on another's."""
    number = owner.root.client("sts").get_caller_identity()["Account"]
    token = ann.token("unscoped")
    for who, status in ((owner.user, 403), ("somebody-else", 201)):
        has(owner, owner.user, doors.ALLOW, doors.deny("iam:CreateAccessKey", f"arn:aws:iam::{number}:user/{who}"))
        made = new_key(ann, token)
        assert made.status == status, made
    has_none(owner, owner.user)
    assert ann.call(token, "DELETE", f"{ann.keys}/{made.json['credential']['access']}").status == 204


def test_an_accounts_own_user_needs_leave(owner, bob):
    """IAM denies what nothing allows, also for an unscoped token."""
    token = bob.token("unscoped")
    change = {"user": {"original_password": bob.password, "password": "Correct-horse-2"}}
    password = f"/identity/v3/users/{bob.user}/password"
    for statements in ([], [{**doors.ALLOW, "Action": "ec2:*"}, doors.deny(["iam:*", "ec2:CreateVpc"], "*")]):
        if statements:
            has(owner, "bob", *statements)
        assert new_key(bob, token).status == 403
        assert bob.call(token, "GET", bob.keys).status == 403
        assert bob.call(token, "POST", password, change).status == 403
    has(owner, "bob", {**doors.ALLOW, "Action": ["iam:CreateAccessKey", "iam:ListAccessKeys", "iam:ChangePassword"]})
    made = new_key(bob, token)
    assert made.status == 201 and made.json["credential"]["secret"] in bob.call(token, "GET", bob.keys).text
    assert bob.call(token, "DELETE", f"{bob.keys}/{made.json['credential']['access']}").status == 403
    assert bob.call(token, "POST", password, change).status == 204
    bob.password = "Correct-horse-2"
    has_none(owner, "bob")
    assert bob.call(bob.token("unscoped"), "POST", password, {"user": {"original_password": bob.password, "password": "Correct-horse-3"}}).status == 403
    iam(owner, "UpdateAccountPasswordPolicy", {"MinimumPasswordLength": "8", "AllowUsersToChangePassword": "true"})
    assert bob.call(bob.token("unscoped"), "POST", password, {"user": {"original_password": bob.password, "password": "Correct-horse-3"}}).status == 204
    bob.password = "Correct-horse-3"
    iam(owner, "DeleteAccountPasswordPolicy", {})


# ---- streams

def test_no_ticket_to_a_denied_console(owner, ann):
    """A Deny on the row prevents reading output, password, console ticket and image bytes, and detaching interfaces."""
    ec2 = owner.ec2
    image = ec2.describe_images()["Images"][0]["ImageId"]
    instance = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    owner.dev.rest()
    server = owner.ok("GET", "/compute/v2.1/servers")["servers"][0]["id"]
    own = owner.ok("POST", "/image/v2/images", {"name": "own", "disk_format": "raw", "container_format": "bare"})["id"]
    assert owner.call("PUT", f"/image/v2/images/{own}/file", raw=b"x" * 512, headers={"Content-Type": "application/octet-stream"}).status == 204
    owner.dev.rest()
    consoles = [{"remote_console": {"protocol": p, "type": t}} for p, t in (("vnc", "novnc"), ("serial", "serial"))]

    def doors_of_it():
        yield owner.call("POST", f"/compute/v2.1/servers/{server}/action", {"os-getConsoleOutput": {}})
        yield owner.call("GET", f"/compute/v2.1/servers/{server}/os-server-password")
        for body in consoles:
            yield owner.call("POST", f"/compute/v2.1/servers/{server}/remote-consoles", body, version="compute 2.60")
        yield owner.call("GET", f"/image/v2/images/{own}/file")
    assert [a.status for a in doors_of_it()] == [200] * 5, list(doors_of_it())
    network = owner.ok("POST", "/network/v2.0/networks", {"network": {"name": "side"}})["network"]["id"]
    owner.ok("POST", "/network/v2.0/subnets", {"subnet": {"network_id": network, "cidr": "10.77.0.0/24", "ip_version": 4}})
    port = owner.ok("POST", "/network/v2.0/ports", {"port": {"network_id": network}})["port"]["id"]
    owner.ok("POST", f"/compute/v2.1/servers/{server}/os-interface", {"interfaceAttachment": {"port_id": port}})
    owner.dev.rest()
    ami = "ami-" + own.replace("-", "")[:17]
    has(owner, owner.user, doors.ALLOW, doors.deny("*", [f"arn:aws:ec2:*:*:instance/{instance}", f"arn:aws:ec2:*::image/{ami}"]))
    refused = list(doors_of_it())
    kept = owner.call("DELETE", f"/compute/v2.1/servers/{server}/os-interface/{port}")
    has_none(owner, owner.user)
    assert [a.status for a in refused] == [403] * 5, refused
    assert kept.status == 403, kept
    assert owner.call("DELETE", f"/compute/v2.1/servers/{server}/os-interface/{port}").status == 202


# ---- reads whose permission does not depend on rows

def reads_of(table):
    """Reads of a face that are decided on no row."""
    return {a["iam"] for a in table["actions"] if not a["decided_on"] and not a["writes"] and a["iam"] and a["service"] != "sts"
            and not (a.get("never") or a["for_all"] or a["open"] or a.get("admin") and a["face"] == "native")}


def test_reads_without_rows_are_named():
    """docs/mapping.md names each read to which a Deny by ARN does not apply."""
    with open(os.path.join(ROOT, "docs/mapping.md"), encoding="utf-8") as page:
        section = page.read().partition("## Policies: on what a call is decided")[2].partition("\n## ")[0]
    named = set()
    for service, names in re.findall(r"^\* `(\w+:)` (.*?)\.$", section, re.MULTILINE | re.DOTALL):
        named |= {service + n for n in re.findall(r"`(\w+)`", names)}
    dumps = [json.loads(subprocess.run([DARI, "dump", face], check=True, capture_output=True).stdout)
             for face in ("actions", "iam", "elb", "elb-classic", "autoscaling", "cloudwatch", "events", "sqs", "sns", "acm", "dlm", "awsbackup", "openstack", "cloudstack", "azure", "native", "scim", "ebs")]
    reads = set().union(*(reads_of(d) for d in dumps))
    assert reads <= named, f"docs/mapping.md does not name {reads - named}"
    assert named - reads <= {a["permit"] for a in dumps[0]["actions"] if a.get("never")}, f"docs/mapping.md names too much: {named - reads}"


# ---- refusals

def test_a_refusal_opens_for_its_account_alone(dev, owner):
    iam(owner, "CreateUser", {"UserName": "nobody"})
    key = iam(owner, "CreateAccessKey", {"UserName": "nobody"})
    nobody = Account(dev, key.first(".//AccessKeyId"), key.first(".//SecretAccessKey"))
    has(owner, "nobody", {**doors.ALLOW, "Action": "iam:*"})
    message = re.search(r"failure message: ([0-9a-f]+)", nobody.call("CreateVpc", {"CidrBlock": "10.0.0.0/16"}).message)[1]
    how = {"service": "sts", "version": "2011-06-15"}
    assert "nobody" in owner.root.call("DecodeAuthorizationMessage", {"EncodedMessage": message}, **how).text
    stranger = dev.new_account("stranger").call("DecodeAuthorizationMessage", {"EncodedMessage": message}, **how)
    assert stranger.status == 400 and "nobody" not in stranger.text, stranger


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
