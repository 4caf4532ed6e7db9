# SPDX-License-Identifier: Apache-2.0
"""Policies that keep somebody from one resource, and what each must come to: the cells of the matrix that
tests/contract/cross/doors.py runs for every action and every parameter that names a resource. An action says itself on which
kinds of rows policies decide it ("decided_on" of `dari dump`): there all of a policy counts. Of other rows that the
action names, a Deny that names the ARN counts. Where nothing is decided on rows (Describe…, lists) no row is asked for."""
import json

ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TAG = "matrix"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(action, arn, **condition):
    return {"Effect": "Deny", "Action": action, "Resource": arn, **({"Condition": condition} if condition else {})}


class Row:
    """A resource that an action names by a parameter: its kind, its ARN, and the ARN of another one of the kind."""

    def __init__(self, kind, arn, other, tag=None):
        self.kind, self.arn, self.other, self.tag = kind, arn, other, tag  # tag: the value of its tag TAG, which no other has


def word_of(action):
    """What IAM calls it."""
    return action["iam"] or action["permit"]


def is_decided(action, kind):
    kinds = action["decided_on"].split()
    return "*" in kinds or kind in kinds


def cells(action, row, changes):
    """(what it is, the policy, whether it refuses the call) for one row that a call names."""
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
