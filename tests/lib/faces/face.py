# SPDX-License-Identifier: Apache-2.0
"""The interface of a face's adapter for the matrices of tests/contract/cross/, and code that all adapters share: rows as policies know them, and
users with one policy at a time."""
import json
import subprocess

import doors
from dev import DARI, Account

IAM_VERSION = "2010-05-08"


def tables(name):
    """The face's tables from `dari dump`."""
    return json.loads(subprocess.run([DARI, "dump", name], check=True, capture_output=True).stdout)


EC2 = tables("actions")
KINDS = {k["name"]: k for k in EC2["kinds"]}


class Face:
    """An adapter. .name: as in `--face`; .actions: by title, as in `dari dump`. open() creates a region and what the cases need
    there. For the matrix of doors:

    doors          (title, parameter) of each parameter that names a row
    goes           the doors whose calls must succeed afterwards; None: all
    unlike         titles without a case for the action alone → reason
    alone()        a request for the action by itself
    asked()        (description, request, row) for each row that the parameter names
    guest_of()     the user with the policy; None: a policy of that form has no effect here
    ask()          the answer to the caller
    is_refused()   true if the answer is a refusal for lack of permission
    comes_to()     the result of a call, as a word; if calls may be repeated (.compares) it equals the owner's
    refuses_anyway()  true if the face refuses the call for another reason with the same status

    For two accounts, which open_two() creates as .mine and .theirs:

    others         (title, parameter) of each parameter that takes the name of an account's row
    compare()      (description, result for the other account's row, result for a missing row) for each
    filters        titles of lists
    filtered()     (query, rows of the other account found) for each filter of a list
    unchanged()    true if the other account's rows are unchanged

    For filters, besides .filters:

    rows()         the rows of a list
    find()         the rows that a filter finds; None: the list refuses the filter by name, or the value for its form
    unfit          title → members whose filter compares another value
    empty          titles of lists that have no rows in the region"""
    name = ""
    actions = {}
    doors = []
    goes = None
    others = []
    filters = []
    unfit = {}
    empty = set()
    unlike = {}
    compares = False

    def guest_of(self, place, _what, _action):
        return place.guest

    def check_alone(self, place, name, request):
        """Further assertions in a case of an action; none by default."""

    def unchanged(self, place):
        return place.unchanged.holds_so_far()

    def seen(self, _place, _name, _param):
        """State that a refusal must not change."""
        return None

    def refuses_anyway(self, _name, _answer):
        return False


class Two:
    """Two accounts. unchanged: asserts that their view does not change (Unchanged)."""

    def __init__(self, mine, theirs, unchanged=None):
        self.mine, self.theirs, self.unchanged = mine, theirs, unchanged


class Guest:
    """A user of the account who has one policy at a time. caller: sends calls as this user."""

    def __init__(self, owner, name, caller=None):
        self.owner, self.name, self.caller, self.now = owner, name, caller, None
        if caller is None:
            self.iam("CreateUser", {})
            key = self.iam("CreateAccessKey", {})
            self.caller = Account(owner.dev, key.first(".//AccessKeyId"), key.first(".//SecretAccessKey"))

    def iam(self, action, params):
        return self.owner.ok(action, {"UserName": self.name, **params}, service="iam", version=IAM_VERSION)

    def has(self, document):
        if document != self.now:
            self.iam("PutUserPolicy", {"PolicyName": "matrix", "PolicyDocument": document})
            self.now = document
        return self.caller


def project_guest(dev, project, name, role):
    """A user of the project with that role there."""
    made = dev.command("user", "create", name, "--account", project.name, "--role", role)
    return Guest(project.root, name, type(project)(dev, project.name, name, made["password"]))


def ec2_id(prefix, identifier):
    return f"{prefix}-{identifier.replace('-', '')[:17]}"


IAM_WORDS = {"user": "user", "user_group": "group", "iam_role": "role", "policy": "policy", "instance_profile": "instance-profile",
             "oidc_provider": "oidc-provider", "saml_provider": "saml-provider"}


def row(number, kind, identifier, name=None, tag=None):
    """A row as policies know it. identifier: its UUID or its EC2 id; name: the end of its ARN, if that is a name."""
    if kind in IAM_WORDS:
        start = f"arn:aws:iam::{number}:{IAM_WORDS[kind]}/"
        return doors.Row(kind, start + name, start + "other", tag)
    form = KINDS[kind]
    last = name if form["arn_is_named"] else identifier
    if form["prefix"] and last != "*" and not form["arn_is_named"] and not last.startswith(form["prefix"] + "-"):
        last = ec2_id(form["prefix"], last)
    start = f"arn:aws:ec2:us-east-1:{number if form['arn_has_account'] else ''}:{form['arn_type']}/"
    return doors.Row(kind, start + last, start + "other", tag)
