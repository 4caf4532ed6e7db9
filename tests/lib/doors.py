# SPDX-License-Identifier: Apache-2.0
"""Policies that deny a caller one resource, and their expected results: the matrix that tests/contract/cross/doors.py runs for every action and every
parameter that names a resource. An action's table says on which kinds of rows policies decide ("decided_on" of `dari dump`): for those the whole
policy counts. For other rows that the action names, only a Deny with the ARN counts. Reads that are not decided on rows (Describe…, lists) ask
about none."""
import json

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TAG = "matrix"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action, arn, **condition):
    return {"Effect": "Deny", "Action": action, "Resource": arn, **({"Condition": condition} if condition else {})}


class Row:
    """A resource that a parameter of an action names: its kind, its ARN, and the ARN of another resource of the kind."""

    def __init__(self, kind, arn, other, tag=None):
        self.kind, self.arn, self.other, self.tag = kind, arn, other, tag  # tag: the value of its tag TAG, which no other resource has


def word_of(action):
    """IAM's name of the action."""
    return action["iam"] or action["permit"]


def is_decided(action, kind):
    kinds = action["decided_on"].split()
    return "*" in kinds or kind in kinds


def cells(action, row, changes):
    """Yields (description, policy, whether it refuses the call) for one row that a call names."""
    word, decided = word_of(action), is_decided(action, row.kind)
    named = decided or changes
    yield "Deny on its ARN", policy(ALLOW, deny(word, row.arn)), named
    yield "Deny on another ARN", policy(ALLOW, deny(word, row.other)), False
    yield "Allow but for its ARN", policy({"Effect": "Allow", "Action": word, "NotResource": row.arn}, {
        "Effect": "Allow", "NotAction": word, "Resource": "*"}), decided
    yield "Allow but for another ARN", policy({"Effect": "Allow", "Action": word, "NotResource": row.other}, {
        "Effect": "Allow", "NotAction": word, "Resource": "*"}), False
    if row.tag:
        yield "Deny by its tag", policy(ALLOW, deny(word, "*", StringEquals={f"aws:ResourceTag/{TAG}": row.tag})), decided
        yield "Deny by another tag", policy(ALLOW, deny(word, "*", StringEquals={f"aws:ResourceTag/{TAG}": "other"})), False
