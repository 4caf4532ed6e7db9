#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/people/credential/password_policy.c src/api/native/sign_in src/api/openstack/identity/users.c src/api/iam/passwords.c
"""Passwords of an account's own users: they sign in to the console by account number or alias; a password that an administrator set for
the first sign-in has to be replaced there, or by Keystone's call that takes the original password alone; earlier ones are refused.
Ages are tested with a fixed clock (tests/unit/engine/test_password_policy.c)."""
import json
import os
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from dev import Dev  # noqa: E402

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
FIRST, SECOND, THIRD = "Correct-horse-1", "Correct-horse-2", "Correct-horse-3"


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def iam(dev):
    client = dev.account.client("iam")
    client.update_account_password_policy(PasswordReusePrevention=2)
    client.create_account_alias(AccountAlias="acme")
    return client


def enter(dev, name, password, place, **more):
    body = {"user": name, "domain": place, "password": password, **more}
    status, _, said = web.ask(dev.url + "/api/v1/session", "POST", body, SAME)
    return status, json.loads(said)


def make(dev, iam, name, is_first):
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=FIRST, PasswordResetRequired=is_first)
    return next(u["id"] for u in native.own(dev).rows("/users") if u["name"] == name)


def token(dev, user, password):
    proof = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": user.replace("-", ""), "password": password}}}}}
    status, _, said = web.ask(dev.url + "/identity/v3/auth/tokens", "POST", proof, {"Content-Type": "application/json"})
    return status, json.loads(said)


def renew(dev, user, original, password):
    body = {"user": {"original_password": original, "password": password}}
    return web.ask(dev.url + f"/identity/v3/users/{user.replace('-', '')}/password", "POST", body, {"Content-Type": "application/json"})


def test_by_account(dev, iam):
    make(dev, iam, "ann", False)
    number = dev.account.client("sts").get_caller_identity()["Account"]
    for place in (number, "acme"):
        status, said = enter(dev, "ann", FIRST, place)
        assert status == 201 and said["user"]["name"] == "ann", said
    assert enter(dev, "ann", FIRST, "nowhere")[0] == 401
    assert enter(dev, "ann", SECOND, "acme")[0] == 401


def test_first_sign_in(dev, iam):
    user = make(dev, iam, "ben", True)
    status, said = enter(dev, "ben", FIRST, "acme")
    assert status == 401 and said["need"] == "password", said
    assert "need" not in enter(dev, "ben", SECOND, "acme")[1]  # only the right password is told
    status, said = token(dev, user, FIRST)
    assert status == 401 and "expired and needs to be changed" in said["error"]["message"], said
    status, said = enter(dev, "ben", FIRST, "acme", new_password=FIRST)
    assert status == 400 and "reuse" in said["detail"], said
    status, said = enter(dev, "ben", FIRST, "acme", new_password="short")
    assert status == 400 and "does not conform" in said["detail"], said
    assert enter(dev, "ben", FIRST, "acme", new_password=SECOND)[0] == 201
    assert enter(dev, "ben", FIRST, "acme")[0] == 401
    assert enter(dev, "ben", SECOND, "acme")[0] == 201
    assert token(dev, user, SECOND)[0] == 201
    assert not iam.get_login_profile(UserName="ben")["LoginProfile"]["PasswordResetRequired"]


def test_keystone_renews(dev, iam):
    user = make(dev, iam, "cleo", True)
    assert renew(dev, user, SECOND, THIRD)[0] == 401
    status, _, said = renew(dev, user, FIRST, FIRST)
    assert status == 400 and "cannot be identical to a previous password" in json.loads(said)["error"]["message"]
    assert renew(dev, user, FIRST, SECOND)[0] == 204
    assert token(dev, user, SECOND)[0] == 201
    assert renew(dev, user, SECOND, THIRD)[0] == 403  # it need not change, and the account does not let its users change theirs
    assert renew(dev, "0" * 32, FIRST, SECOND)[0] == 401


def test_reuse(dev, iam):
    make(dev, iam, "dora", False)
    iam.update_login_profile(UserName="dora", Password=SECOND)
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        iam.update_login_profile(UserName="dora", Password=FIRST)
    assert refused.value.response["Error"]["Code"] == "PasswordPolicyViolation"
    iam.update_login_profile(UserName="dora", Password=THIRD)
    iam.update_login_profile(UserName="dora", Password=FIRST)  # two others since


DENIED = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}]}


def test_denied_renewal(dev, iam):
    user = make(dev, iam, "eve", True)
    iam.put_user_policy(UserName="eve", PolicyName="no", PolicyDocument=json.dumps(DENIED))
    status, said = enter(dev, "eve", FIRST, "acme", new_password=SECOND)
    assert status == 403 and "explicit deny" in said["detail"], said
    assert renew(dev, user, FIRST, SECOND)[0] == 403
    assert enter(dev, "eve", FIRST, "acme")[1]["need"] == "password"  # the password is as it was
    iam.delete_user_policy(UserName="eve", PolicyName="no")
    assert renew(dev, user, FIRST, SECOND)[0] == 204


def test_guesses(dev, iam):
    user = make(dev, iam, "fay", True)
    for _ in range(6):
        assert renew(dev, user, SECOND, THIRD)[0] == 401
    assert renew(dev, user, FIRST, THIRD)[0] == 401  # this address is locked out, by Keystone's call and by the console
    assert enter(dev, "fay", FIRST, "acme", new_password=THIRD)[0] == 401


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
