#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine/remote src/api/native/remote src/auth/guard/guard_keys.c
"""Rights to migrate: another account's migrations do not exist, rows of another account cannot be mapped to, and each step needs its right."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import elsewhere  # noqa: E402
import native  # noqa: E402
from block_cloud import BlockCloud  # noqa: E402
from dev import Account, Dev  # noqa: E402
from faces.native import ask  # noqa: E402
from migrating import do, make_machine, migration, rests_in  # noqa: E402

PATH = "/cloud-migrations"


class World:
    def __init__(self, there, home):
        self.there, self.home, self.proxy = there, home, BlockCloud(there)
        there.ec2 = there.account.client()
        elsewhere.add(home, "there", "aws", there, self.proxy.url)
        self.ref = make_machine(self)
        do(self, "plan", self.ref)
        self.id = migration(self, self.ref)["id"]


@pytest.fixture(scope="module")
def world():
    with Dev() as there, Dev() as home:
        made = World(there, home)
        yield made
        made.proxy.end()


def test_another_account(world):
    """Another account neither lists, reads nor changes it."""
    other = native.another(world.home, "other").root
    assert not ask(other, "GET", PATH).json["items"]
    assert ask(other, "GET", f"{PATH}/{world.id}").status == 404
    assert ask(other, "PATCH", f"{PATH}/{world.id}", {"name": "mine"}).status == 404
    for step in ("start", "cutover", "undo"):
        assert ask(other, "POST", f"{PATH}/{world.id}/{step}", {}).status == 404
    assert ask(other, "DELETE", f"{PATH}/{world.id}").status == 404


def test_other_accounts_rows(world):
    """Ids of another account are answered like ids that do not exist."""
    other = native.another(world.home, "rows")
    client, own = other.root.client(), world.home.account
    client.describe_vpcs()
    theirs = {"subnet": client.describe_subnets()["Subnets"][0]["SubnetId"], "groups": client.describe_security_groups()["SecurityGroups"][0]["GroupId"]}
    client.create_key_pair(KeyName="theirs")
    theirs["key_pair"] = "theirs"
    for name, row in theirs.items():
        absent = row[:row.index("-") + 1] + "0123456789abcdef0" if "-" in row else "nobodys"
        answers = [ask(own, "PATCH", f"{PATH}/{world.id}", {name: [v] if name == "groups" else v}) for v in (row, absent)]
        assert answers[0].status == answers[1].status == 404, (name, answers)
        assert answers[0].text.replace(row, "X").split('"advice"')[0] == answers[1].text.replace(absent, "X").split('"advice"')[0], (name, answers)


STEPS = [("PATCH", "", {"name": "other"}, "dari:PlanMigration"), ("POST", "/start", {}, "dari:StartMigration"),
         ("POST", "/cutover", {}, "dari:CutOverMigration"), ("POST", "/undo", {}, "dari:UndoMigration"), ("DELETE", "", None, "dari:DeleteMigration")]


@pytest.mark.parametrize("method,path,body,action", STEPS)
def test_denied(world, method, path, body, action):
    """A policy that denies the step keeps a user from it, whatever else is allowed."""
    iam, name = world.home.account.client("iam"), action.split(":")[1]
    iam.create_user(UserName=name)
    statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": action, "Resource": "*"}]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    user = Account(world.home, key["AccessKeyId"], key["SecretAccessKey"])
    answer = ask(user, method, f"{PATH}/{world.id}{path}", body)
    assert answer.status == 403, answer
    assert migration(world, world.ref)["stage"] == "planned"


def test_user(world):
    """A user whose policy allows it carries a migration through, and the instance is launched as that user."""
    iam = world.home.account.client("iam")
    iam.create_user(UserName="mover")
    statement = [{"Effect": "Allow", "Action": ["dari:*", "ec2:*"], "Resource": "*"}]
    iam.put_user_policy(UserName="mover", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    key = iam.create_access_key(UserName="mover")["AccessKey"]
    user = Account(world.home, key["AccessKeyId"], key["SecretAccessKey"])
    assert ask(user, "POST", f"{PATH}/{world.id}/start", {}).status == 202
    rests_in(world, world.ref, "synced")
    assert ask(user, "POST", f"{PATH}/{world.id}/cutover", {}).status == 202
    rests_in(world, world.ref, "done")


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
