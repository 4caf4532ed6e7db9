#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/engine/people src/auth/sign_in/password
"""IAM's users through stock aws and boto3: users, groups, keys, passwords, the account's settings. Rights given here apply in EC2, and a password set
here works in Keystone."""
import os
import re
import sys

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
import dev as ec2  # noqa: E402
import faces  # noqa: E402
from faces import IDENTITY, code  # noqa: E402
from shop import dev, iam, number, policy, shop  # noqa: E402, F401  fixtures


def allow(*actions, **more):
    return policy({"Effect": "Allow", "Action": list(actions), "Resource": "*", **more})


def all_pages(iam, call, key, **words):
    return [item for page in iam.get_paginator(call).paginate(PaginationConfig={"PageSize": 2}, **words) for item in page[key]]


@pytest.fixture()
def user(iam):
    """A function that creates users; remaining ones are deleted at the end."""
    made = []

    def make(name, **words):
        made.append(name)
        return iam.create_user(UserName=name, **words)["User"]

    yield make
    for name in made:
        end(iam, name)


def end(iam, name):
    try:
        iam.delete_login_profile(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        pass
    try:
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        for one in iam.list_user_policies(UserName=name)["PolicyNames"]:
            iam.delete_user_policy(UserName=name, PolicyName=one)
        for one in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=name, PolicyArn=one["PolicyArn"])
        for group in iam.list_groups_for_user(UserName=name)["Groups"]:
            iam.remove_user_from_group(UserName=name, GroupName=group["GroupName"])
        iam.delete_user(UserName=name)
    except iam.exceptions.NoSuchEntityException:
        pass


def keyed(dev, iam, name):
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return ec2.Account(dev, key["AccessKeyId"], key["SecretAccessKey"])


def test_users(iam, number, user):
    made = user("ann", Path="/staff/", Tags=[{"Key": "team", "Value": "red"}])
    assert made["Arn"] == f"arn:aws:iam::{number}:user/staff/ann" and re.fullmatch(r"AIDA[0-9A-F]{17}", made["UserId"])
    assert iam.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "team", "Value": "red"}]
    for name in ("bea", "cid", "dot"):
        user(name)
    assert [u["UserName"] for u in all_pages(iam, "list_users", "Users")] == ["ann", "bea", "cid", "dot", "shop"]
    assert [u["UserName"] for u in iam.list_users(PathPrefix="/staff/")["Users"]] == ["ann"]
    assert code(iam.create_user, UserName="ANN") == "EntityAlreadyExists"
    iam.update_user(UserName="bea", NewUserName="bee", NewPath="/staff/")
    assert iam.get_user(UserName="bee")["User"]["Path"] == "/staff/"
    assert code(iam.get_user, UserName="bea") == "NoSuchEntity"
    iam.update_user(UserName="bee", NewUserName="bea")
    iam.tag_user(UserName="ann", Tags=[{"Key": "team", "Value": "blue"}, {"Key": "desk", "Value": "4"}])
    assert {t["Key"]: t["Value"] for t in iam.list_user_tags(UserName="ann")["Tags"]} == {"team": "blue", "desk": "4"}
    iam.untag_user(UserName="ann", TagKeys=["team", "none"])
    assert [t["Key"] for t in iam.list_user_tags(UserName="ann")["Tags"]] == ["desk"]
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{number}:root"


def test_a_user_is_deleted_when_nothing_is_left(iam, user):
    user("eve")
    iam.create_group(GroupName="club")
    iam.create_login_profile(UserName="eve", Password="Correct-horse-1")
    key = iam.create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]
    iam.put_user_policy(UserName="eve", PolicyName="own", PolicyDocument=allow("ec2:Describe*"))
    arn = iam.create_policy(PolicyName="given", PolicyDocument=allow("ec2:Describe*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="eve", PolicyArn=arn)
    iam.add_user_to_group(GroupName="club", UserName="eve")
    said = []
    for undo in (lambda: iam.delete_login_profile(UserName="eve"), lambda: iam.delete_access_key(UserName="eve", AccessKeyId=key),
                 lambda: iam.detach_user_policy(UserName="eve", PolicyArn=arn),
                 lambda: iam.delete_user_policy(UserName="eve", PolicyName="own"),
                 lambda: iam.remove_user_from_group(GroupName="club", UserName="eve")):
        with pytest.raises(iam.exceptions.DeleteConflictException) as refused:
            iam.delete_user(UserName="eve")
        said.append(refused.value.response["Error"]["Message"])
        undo()
    assert said == [f"Cannot delete entity, must {what} first." for what in (
        "delete login profile", "delete access keys", "detach all policies", "delete policies", "remove users from group")]
    iam.delete_user(UserName="eve")
    assert code(iam.get_user, UserName="eve") == "NoSuchEntity"
    iam.delete_policy(PolicyArn=arn)
    iam.delete_group(GroupName="club")


def test_groups(iam, number, user, dev):
    user("fay"), user("gus")
    made = iam.create_group(GroupName="readers", Path="/div/")["Group"]
    assert made["Arn"] == f"arn:aws:iam::{number}:group/div/readers" and re.fullmatch(r"AGPA[0-9A-F]{17}", made["GroupId"])
    assert code(iam.create_group, GroupName="Readers") == "EntityAlreadyExists"
    for name in ("fay", "gus"):
        iam.add_user_to_group(GroupName="readers", UserName=name)
    assert sorted(u["UserName"] for u in all_pages(iam, "get_group", "Users", GroupName="readers")) == ["fay", "gus"]
    assert [g["GroupName"] for g in iam.list_groups_for_user(UserName="fay")["Groups"]] == ["readers"]
    fay = keyed(dev, iam, "fay").client()
    assert code(fay.describe_vpcs) == "UnauthorizedOperation"
    iam.put_group_policy(GroupName="readers", PolicyName="look", PolicyDocument=allow("ec2:DescribeVpcs"))
    assert fay.describe_vpcs()["Vpcs"]
    assert code(fay.create_vpc, CidrBlock="10.3.0.0/16") == "UnauthorizedOperation"
    assert code(iam.delete_group, GroupName="readers") == "DeleteConflict"
    iam.remove_user_from_group(GroupName="readers", UserName="fay")
    assert code(fay.describe_vpcs) == "UnauthorizedOperation"
    iam.remove_user_from_group(GroupName="readers", UserName="fay")  # the user has already left
    iam.remove_user_from_group(GroupName="readers", UserName="gus")
    assert code(iam.delete_group, GroupName="readers") == "DeleteConflict"
    iam.delete_group_policy(GroupName="readers", PolicyName="look")
    iam.update_group(GroupName="readers", NewGroupName="lookers")
    assert [g["GroupName"] for g in iam.list_groups()["Groups"]] == ["lookers"]
    iam.delete_group(GroupName="lookers")


def test_access_keys(iam, user, dev):
    user("hal")
    iam.put_user_policy(UserName="hal", PolicyName="look", PolicyDocument=allow("ec2:Describe*", "iam:GetUser"))
    hal = keyed(dev, iam, "hal")
    key = iam.list_access_keys(UserName="hal")["AccessKeyMetadata"][0]
    assert key["Status"] == "Active" and key["AccessKeyId"] == hal.key_id
    assert iam.get_access_key_last_used(AccessKeyId=hal.key_id)["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    assert hal.client().describe_vpcs()["Vpcs"]
    used = iam.get_access_key_last_used(AccessKeyId=hal.key_id)
    assert used["UserName"] == "hal" and used["AccessKeyLastUsed"]["ServiceName"] == "ec2" and used["AccessKeyLastUsed"]["LastUsedDate"]
    assert hal.client("iam").get_user()["User"]["UserName"] == "hal"
    assert hal.client("sts").get_caller_identity()["UserId"] == iam.get_user(UserName="hal")["User"]["UserId"]
    iam.update_access_key(UserName="hal", AccessKeyId=hal.key_id, Status="Inactive")
    assert code(hal.client().describe_vpcs) == "AuthFailure"
    iam.update_access_key(UserName="hal", AccessKeyId=hal.key_id, Status="Active")
    assert hal.client().describe_vpcs()["Vpcs"]
    iam.create_access_key(UserName="hal")
    assert code(iam.create_access_key, UserName="hal") == "LimitExceeded"
    iam.delete_access_key(UserName="hal", AccessKeyId=hal.key_id)
    assert code(hal.client().describe_vpcs) == "AuthFailure"
    assert code(iam.delete_access_key, UserName="hal", AccessKeyId=hal.key_id) == "NoSuchEntity"


def test_a_user_decides_about_nobody(iam, user, dev):
    user("ike"), user("jan")
    ike = keyed(dev, iam, "ike").client("iam")
    assert code(ike.create_access_key, UserName="jan") == "AccessDenied"
    assert code(ike.create_access_key) == "AccessDenied"
    iam.put_user_policy(UserName="ike", PolicyName="self", PolicyDocument=policy(
        {"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::*:user/${aws:username}"}))
    assert ike.create_access_key()["AccessKey"]["UserName"] == "ike"
    assert code(ike.create_access_key, UserName="jan") == "AccessDenied"
    assert code(ike.delete_user, UserName="jan") == "AccessDenied"


def test_passwords(iam, user, shop, dev):
    made = user("kim")
    assert code(iam.create_login_profile, UserName="kim", Password="short") == "PasswordPolicyViolation"
    iam.create_login_profile(UserName="kim", Password="Correct-horse-1", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName="kim")["LoginProfile"]["PasswordResetRequired"] is True
    assert code(iam.create_login_profile, UserName="kim", Password="Correct-horse-2") == "EntityAlreadyExists"
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireNumbers=True, AllowUsersToChangePassword=True)
    assert iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"] == 12
    assert code(iam.update_login_profile, UserName="kim", Password="no-digits-in-it") == "PasswordPolicyViolation"
    kim = keyed(dev, iam, "kim").client("iam")
    assert code(kim.change_password, OldPassword="wrong", NewPassword="Battery-staple-2") == "AccessDenied"
    kim.change_password(OldPassword="Correct-horse-1", NewPassword="Battery-staple-2")
    admin = lib.admin(dev)
    person = admin.ok("GET", f"{IDENTITY}/users?name=kim")["users"][0]["id"]
    assert person.upper().startswith(made["UserId"][4:])
    login = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"id": person, "password": "Battery-staple-2"}}}}}
    assert admin.call("POST", f"{IDENTITY}/auth/tokens", login).status == 201
    short = admin.call("PATCH", f"{IDENTITY}/users/{person}", {"user": {"password": "short"}})
    assert short.status == 400 and "account password policy" in short.text
    iam.delete_login_profile(UserName="kim")
    assert admin.call("POST", f"{IDENTITY}/auth/tokens", login).status == 401
    assert code(iam.get_login_profile, UserName="kim") == "NoSuchEntity"
    iam.delete_account_password_policy()
    assert code(iam.get_account_password_policy) == "NoSuchEntity"


def test_account(iam, user, number):
    user("lea")
    iam.create_account_alias(AccountAlias="corner-shop")
    assert iam.list_account_aliases()["AccountAliases"] == ["corner-shop"]
    assert code(iam.delete_account_alias, AccountAlias="another") == "NoSuchEntity"
    assert code(iam.create_account_alias, AccountAlias="Bad_Alias") in ("ValidationError", "InvalidInput")
    iam.delete_account_alias(AccountAlias="corner-shop")
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] == 2 and summary["Groups"] == 0 and summary["AccountAccessKeysPresent"] == 1


def test_who_has_a_policy(iam, user):
    user("mia"), user("ned")
    iam.create_group(GroupName="g")
    arn = iam.create_policy(PolicyName="shared", PolicyDocument=allow("ec2:*"))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="mia", PolicyArn=arn)
    iam.attach_group_policy(GroupName="g", PolicyArn=arn)
    iam.put_user_permissions_boundary(UserName="ned", PermissionsBoundary=arn)
    said = iam.list_entities_for_policy(PolicyArn=arn)
    assert {u["UserName"] for u in said["PolicyUsers"]} == {"mia", "ned"} and [g["GroupName"] for g in said["PolicyGroups"]] == ["g"]
    said = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [u["UserName"] for u in said["PolicyUsers"]] == ["ned"] and not said["PolicyGroups"]
    assert iam.get_user(UserName="ned")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == arn
    iam.detach_user_policy(UserName="mia", PolicyArn=arn)
    iam.detach_group_policy(GroupName="g", PolicyArn=arn)
    iam.delete_user_permissions_boundary(UserName="ned")
    iam.delete_group(GroupName="g")
    iam.delete_policy(PolicyArn=arn)


def trust(*principals, **condition):
    return policy({"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole", **condition})


def test_roles_and_profiles(iam, number):
    made = iam.create_role(RoleName="deploy", Path="/app/", AssumeRolePolicyDocument=trust(number), MaxSessionDuration=7200)["Role"]
    assert made["Arn"] == f"arn:aws:iam::{number}:role/app/deploy" and re.fullmatch(r"AROA[0-9A-F]{17}", made["RoleId"])
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] == [number]
    assert code(iam.create_role, RoleName="Deploy", AssumeRolePolicyDocument=trust(number)) == "EntityAlreadyExists"
    assert code(iam.create_role, RoleName="bad", AssumeRolePolicyDocument=allow("sts:AssumeRole")) == "MalformedPolicyDocument"
    iam.update_role(RoleName="deploy", Description="Deploys")
    role = iam.get_role(RoleName="deploy")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("Deploys", 7200)
    iam.put_role_policy(RoleName="deploy", PolicyName="look", PolicyDocument=allow("ec2:Describe*"))
    assert iam.list_role_policies(RoleName="deploy")["PolicyNames"] == ["look"]
    said = iam.simulate_principal_policy(PolicySourceArn=role["Arn"], ActionNames=["ec2:DescribeVpcs", "ec2:CreateVpc"])["EvaluationResults"]
    assert [r["EvalDecision"] for r in said] == ["allowed", "implicitDeny"]
    profile = iam.create_instance_profile(InstanceProfileName="web")["InstanceProfile"]
    assert profile["Arn"] == f"arn:aws:iam::{number}:instance-profile/web" and profile["Roles"] == []
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="deploy")
    assert iam.get_instance_profile(InstanceProfileName="web")["InstanceProfile"]["Roles"][0]["RoleName"] == "deploy"
    assert [p["InstanceProfileName"] for p in iam.list_instance_profiles_for_role(RoleName="deploy")["InstanceProfiles"]] == ["web"]
    assert code(iam.add_role_to_instance_profile, InstanceProfileName="web", RoleName="deploy") == "LimitExceeded"
    assert code(iam.delete_role, RoleName="deploy") == "DeleteConflict"
    assert code(iam.delete_instance_profile, InstanceProfileName="web") == "DeleteConflict"
    iam.remove_role_from_instance_profile(InstanceProfileName="web", RoleName="deploy")
    iam.delete_instance_profile(InstanceProfileName="web")
    assert code(iam.delete_role, RoleName="deploy") == "DeleteConflict"
    iam.delete_role_policy(RoleName="deploy", PolicyName="look")
    iam.delete_role(RoleName="deploy")
    assert code(iam.get_role, RoleName="deploy") == "NoSuchEntity"


def test_other_accounts_see_nothing(dev, iam, user):
    user("oda")
    other = lib.another(dev, "other", faces.Both).root.client("iam")
    assert code(other.get_user, UserName="oda") == "NoSuchEntity" and code(other.delete_user, UserName="oda") == "NoSuchEntity"
    assert "oda" not in [u["UserName"] for u in other.list_users()["Users"]]
    assert other.create_user(UserName="oda")["User"]["UserName"] == "oda"
    other.delete_user(UserName="oda")
    assert iam.get_user(UserName="oda")["User"]["UserName"] == "oda"


def test_what_is_not_there(iam):
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        iam.create_service_specific_credential(UserName="oda", ServiceName="codecommit.amazonaws.com")
    assert refused.value.response["Error"]["Code"] == "InvalidAction"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
