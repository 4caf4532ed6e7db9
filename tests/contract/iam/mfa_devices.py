#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam/mfa_devices.c src/api/iam/qr_code src/api/ec2/account/sts src/engine/people/credential/mfa_ src/engine/people/credential/second_factor
"""Virtual MFA devices through stock boto3 and aws: made, enabled by two codes, asked for by the console, shown to STS for sessions and roles, and seen
by conditions of policies."""
import base64
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import dev as ec2  # noqa: E402
import otp  # noqa: E402
import waiting  # noqa: E402
from faces import code  # noqa: E402
from iam_session import AWS, Session, allow, session_of, trust  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures

SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
ASK = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}


class Person:
    """A user with a key, and with a device whose codes of the past enabled it."""

    def __init__(self, dev, iam, name, *statements):
        self.iam, self.name = iam, name
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.session = Session(dev, key["AccessKeyId"], key["SecretAccessKey"])
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
        self.serial, self.seed = made["SerialNumber"], made["Base32StringSeed"]

    def codes(self, *off):
        now = int(time.time()) // otp.PERIOD_S
        return [otp.code(self.seed, now + k) for k in off]

    def enable(self, first=-3, **more):
        one, two = self.codes(first, first + 1)
        self.iam.enable_mfa_device(**{"UserName": self.name, "SerialNumber": self.serial, "AuthenticationCode1": one, "AuthenticationCode2": two, **more})

    def take(self, shown):
        sts = self.session.client("sts")
        return session_of(self.session.dev, sts.get_session_token(SerialNumber=self.serial, TokenCode=shown))


@pytest.fixture
def person(dev, iam, request):
    def make(*statements):
        made.append(Person(dev, iam, f"{request.node.name[5:25]}{len(made)}", *statements))
        return made[-1]
    made = []
    return make


def names(answer):
    return [d["SerialNumber"] for d in answer]


def test_a_device_is_made_enabled_and_taken_away(person, iam, number):
    ann = person(allow("ec2:*"))
    assert ann.serial == f"arn:aws:iam::{number}:mfa/{ann.name}"
    assert ann.serial in names(iam.list_virtual_mfa_devices(AssignmentStatus="Unassigned")["VirtualMFADevices"])
    assert code(iam.create_virtual_mfa_device, VirtualMFADeviceName=ann.name) == "EntityAlreadyExists"
    assert code(ann.enable, AuthenticationCode1="000000") == "InvalidAuthenticationCode"
    assert code(ann.enable, SerialNumber=ann.serial + "x") == "NoSuchEntity"
    assert iam.list_mfa_devices(UserName=ann.name)["MFADevices"] == []
    ann.enable()
    assert code(ann.enable) == "EntityAlreadyExists"
    mine = iam.list_mfa_devices(UserName=ann.name)["MFADevices"]
    assert [(d["UserName"], d["SerialNumber"]) for d in mine] == [(ann.name, ann.serial)]
    device = next(d for d in iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"] if d["SerialNumber"] == ann.serial)
    assert device["User"]["UserName"] == ann.name and device["EnableDate"] == mine[0]["EnableDate"]
    assert iam.get_account_summary()["SummaryMap"]["MFADevicesInUse"] == 1
    assert code(iam.delete_virtual_mfa_device, SerialNumber=ann.serial) == "DeleteConflict"
    for key in iam.list_access_keys(UserName=ann.name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=ann.name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=ann.name, PolicyName="own")
    assert code(iam.delete_user, UserName=ann.name) == "DeleteConflict"
    iam.deactivate_mfa_device(UserName=ann.name, SerialNumber=ann.serial)
    assert code(iam.deactivate_mfa_device, UserName=ann.name, SerialNumber=ann.serial) == "NoSuchEntity"
    iam.delete_virtual_mfa_device(SerialNumber=ann.serial)
    iam.delete_user(UserName=ann.name)
    assert ann.serial not in names(iam.list_virtual_mfa_devices()["VirtualMFADevices"])


def test_aws_writes_what_a_telephone_scans(iam, shop, tmp_path):
    env = Session(shop.root.dev, shop.root.key_id, shop.root.secret).env(tmp_path)
    for how, begins in (("QRCodePNG", b"\x89PNG\r\n\x1a\n"), ("Base32StringSeed", b"")):
        file = tmp_path / how
        subprocess.run([AWS, "--endpoint-url", shop.root.dev.url, "iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", how,
                        "--outfile", file, "--bootstrap-method", how], check=True, env=env, stdout=subprocess.DEVNULL)
        assert file.read_bytes().startswith(begins)
    assert len(base64.b32decode(file.read_bytes())) == 20


def test_conditions_see_the_factor(person):
    ann = person(allow("ec2:*", **ASK), allow("iam:GetUser", Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}))
    ann.enable()
    assert code(ann.session.client().describe_instances) == "UnauthorizedOperation"
    plain = session_of(ann.session.dev, ann.session.client("sts").get_session_token())
    assert code(plain.client().describe_instances) == "UnauthorizedOperation"
    shown, = ann.codes(0)
    with_factor = ann.take(shown)
    assert with_factor.client().describe_instances()["Reservations"] == []
    assert with_factor.client("iam").get_user()["User"]["UserName"] == ann.name
    assert code(plain.client("iam").get_user) == "InvalidClientTokenId", "IAM takes a user's session with a factor alone"
    assert code(ann.take, shown) == "AccessDenied", "a code is good once"


def test_a_key_that_shows_no_factor_is_denied(person):
    """AWS's own example denies by BoolIfExists, because an access key has no such key at all."""
    ann = person(allow("ec2:*"), {"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}})
    ann.enable()
    assert code(ann.session.client().describe_instances) == "UnauthorizedOperation"
    assert ann.take(ann.codes(0)[0]).client().describe_instances()["Reservations"] == []


def test_a_role_asks_for_the_factor(person, iam, number):
    ann = person(allow("sts:AssumeRole"))
    ann.enable()
    role = iam.create_role(RoleName="ops", AssumeRolePolicyDocument=policy(trust(f"arn:aws:iam::{number}:user/{ann.name}", "sts:AssumeRole", **ASK)))["Role"]
    iam.put_role_policy(RoleName="ops", PolicyName="p", PolicyDocument=policy(allow("ec2:DescribeVpcs"), allow("ec2:DescribeInstances", **ASK)))
    sts = ann.session.client("sts")
    asked = {"RoleArn": role["Arn"], "RoleSessionName": "night"}
    assert code(sts.assume_role, **asked) == "AccessDenied"
    assert code(sts.assume_role, **asked, SerialNumber=ann.serial) == "AccessDenied"
    taken = session_of(ann.session.dev, sts.assume_role(**asked, SerialNumber=ann.serial, TokenCode=ann.codes(0)[0]))
    assert taken.client().describe_vpcs()["Vpcs"]
    assert code(taken.client().describe_instances) == "UnauthorizedOperation", "a role's session has no factor"
    again = ann.take(ann.codes(1)[0]).client("sts").assume_role(**asked)
    assert again["AssumedRoleUser"]["Arn"].endswith("/ops/night"), "the session has shown one"


def test_wrong_codes_lock_the_door(person):
    ann = person(allow("ec2:*"))
    ann.enable()
    wrong = next(text for text in ("000000", "000001", "000002", "000003") if text not in ann.codes(-2, -1, 0, 1, 2))
    assert {code(ann.take, wrong) for _ in range(5)} == {"AccessDenied"}
    assert code(ann.take, ann.codes(0)[0]) == "AccessDenied", "the right code is tried no more"


def test_a_clock_that_is_off(person, iam):
    ann = person(allow("ec2:*"))
    ann.enable(first=20)
    assert ann.take(ann.codes(22)[0])
    for one, two in (ann.codes(26, 25), ann.codes(-3, -2), ann.codes(21, 22)):  # in the wrong order; older than a used one; used
        asked = {"UserName": ann.name, "SerialNumber": ann.serial, "AuthenticationCode1": one, "AuthenticationCode2": two}
        assert code(iam.resync_mfa_device, **asked) == "InvalidAuthenticationCode"
    one, two = ann.codes(25, 26)
    iam.resync_mfa_device(UserName=ann.name, SerialNumber=ann.serial, AuthenticationCode1=one, AuthenticationCode2=two)
    iam.deactivate_mfa_device(UserName=ann.name, SerialNumber=ann.serial)
    assert code(ann.enable, first=25) == "InvalidAuthenticationCode", "its codes are spent, whoever has it"
    ann.enable(first=28)


def test_users_of_their_own_devices(person, iam, number):
    """AWS's policy by which users manage their own devices; one that is enabled goes by a session that has shown it."""
    own = [f"arn:aws:iam::{number}:mfa/${{aws:username}}", f"arn:aws:iam::{number}:user/${{aws:username}}"]
    ann = person(allow("iam:*VirtualMFADevice", "iam:EnableMFADevice", "iam:DeactivateMFADevice", resource=own))
    bob = person(allow("ec2:*"))
    mine = ann.session.client("iam")
    ann.iam = mine
    ann.enable()
    assert code(mine.create_virtual_mfa_device, VirtualMFADeviceName="other") == "AccessDenied"
    bob.iam = mine
    assert code(bob.enable) == "AccessDenied", "another user's"
    assert code(mine.deactivate_mfa_device, UserName=ann.name, SerialNumber=ann.serial) == "AccessDenied", "a key alone"
    strong = ann.take(ann.codes(0)[0]).client("iam")
    strong.deactivate_mfa_device(UserName=ann.name, SerialNumber=ann.serial)
    strong.delete_virtual_mfa_device(SerialNumber=ann.serial)


class Entry:
    """The console's sign-in of an account's own user, and the session's calls."""

    def __init__(self, dev, iam, name, number):
        self.url, self.cookie = dev.url + "/api/v1", ""
        self.sent = {"user": name, "domain": number, "password": "Correct-horse-battery-1"}
        iam.create_login_profile(UserName=name, Password=self.sent["password"])

    def __call__(self, **more):
        status, headers, body = web.ask(self.url + "/session", "POST", {**self.sent, **more}, SAME)
        self.cookie = (headers["Set-Cookie"] or "").split(";")[0]
        return status, json.loads(body).get("need")

    def post(self, path, **body):
        status, _, said = web.ask(self.url + path, "POST", body, {"Cookie": self.cookie, **SAME})
        return status, json.loads(said)


def test_the_console_asks_for_it(person, iam, number, dev):
    ann = person(allow("ec2:*"))
    enter = Entry(dev, iam, ann.name, number)
    ann.enable()
    assert enter() == (401, "totp")
    assert enter(totp=ann.codes(0)[0])[0] == 201


def test_a_key_alone_locks_nobody_out(person, iam, number, dev):
    """A user with a password gets the first device in the console, or by an administrator. A user without one has nothing to be locked out of."""
    ann = person(allow("iam:*VirtualMFADevice", "iam:EnableMFADevice"))
    enter = Entry(dev, iam, ann.name, number)
    ann.iam = ann.session.client("iam")
    assert code(ann.enable) == "AccessDenied"
    ann.iam = session_of(dev, ann.session.client("sts").get_session_token()).client("iam")
    assert code(ann.enable) in ("AccessDenied", "InvalidClientTokenId")
    assert enter() == (201, None)
    status, made = enter.post("/second-factors/totp", name="telephone")
    assert status == 201, made
    ann.seed = made["secret"]
    status, said = enter.post(f"/second-factors/{made['item']['id']}/confirm", code=ann.codes(-1)[0])
    assert status == 202 and len(said["recovery"]) == 10, said
    assert enter() == (401, "totp") and enter(totp=ann.codes(0)[0]) == (201, None)
    (device,) = iam.list_mfa_devices(UserName=ann.name)["MFADevices"]
    ann.serial = device["SerialNumber"]
    strong = ann.take(ann.codes(1)[0])
    assert code(strong.client("iam").deactivate_mfa_device, UserName=ann.name, SerialNumber=ann.serial) == "AccessDenied", "no policy allows it"
    iam.deactivate_mfa_device(UserName=ann.name, SerialNumber=ann.serial)
    assert enter() == (201, None)


def test_credentials_of_a_lost_device_change_nothing(person, iam):
    ann = person(allow("iam:DeactivateMFADevice"))
    ann.enable()
    old = ann.take(ann.codes(0)[0]).client("iam")
    iam.deactivate_mfa_device(UserName=ann.name, SerialNumber=ann.serial)
    issued = int(time.time())
    waiting.wait_until(lambda: int(time.time()) > issued, "the next second: credentials know whole ones")
    ann.enable(first=2)
    assert code(old.deactivate_mfa_device, UserName=ann.name, SerialNumber=ann.serial) == "AccessDenied"


def test_a_serial_number_fits(iam):
    assert code(iam.create_virtual_mfa_device, VirtualMFADeviceName="n", Path=f"/{'p' * 240}/") == "ValidationError"


def test_tags_and_pages(iam):
    made = [iam.create_virtual_mfa_device(VirtualMFADeviceName=f"tag{k}", Path="/desk/", Tags=[{"Key": "a", "Value": str(k)}]) for k in range(3)]
    serial = made[0]["VirtualMFADevice"]["SerialNumber"]
    assert serial.endswith(":mfa/desk/tag0") and made[0]["VirtualMFADevice"]["Tags"] == [{"Key": "a", "Value": "0"}]
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "b", "Value": "1"}])
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["a"])
    assert iam.list_mfa_device_tags(SerialNumber=serial)["Tags"] == [{"Key": "b", "Value": "1"}]
    pages = list(iam.get_paginator("list_virtual_mfa_devices").paginate(PaginationConfig={"PageSize": 1}))
    assert len(pages) >= 3 and {d["VirtualMFADevice"]["SerialNumber"] for d in made} <= {s for p in pages for s in names(p["VirtualMFADevices"])}


def test_strangers_see_nothing(iam, dev, number):
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="hidden")["VirtualMFADevice"]["SerialNumber"]
    other = dev.account.client("iam")
    assert code(other.delete_virtual_mfa_device, SerialNumber=serial) == code(other.list_mfa_device_tags, SerialNumber=serial) == "NoSuchEntity"
    answer = dev.account.call("GetMFADevice", {"SerialNumber": serial}, service="iam", version="2010-05-08")
    assert answer.status == 404 and answer.code == "NoSuchEntity"


if __name__ == "__main__":
    assert ec2.REGION and number
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
