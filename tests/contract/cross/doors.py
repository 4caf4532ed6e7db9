#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api src/auth/guard src/model/permissions.def
"""The matrix of doors, for every face and from its tables: each action, and each parameter that names a resource, called by a user whose policies
deny that action or that resource. It must be refused with the face's error; with a policy about another resource the result must be the owner's.
Refusals change nothing, so all of a face's refusals are tried before its successful calls."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import doors  # noqa: E402
import matrix  # noqa: E402
from faces.autoscaling import AutoScaling  # noqa: E402
from faces.cloudwatch import CloudWatch  # noqa: E402
from faces.azure import Azure  # noqa: E402
from faces.cloudstack import CloudStack  # noqa: E402
from faces.backup import Backup  # noqa: E402
from faces.dlm import DLM  # noqa: E402
from faces.ebs import EBS  # noqa: E402
from faces.ec2 import EC2  # noqa: E402
from faces.elb import ELB  # noqa: E402
from faces.elb_classic import ELBClassic  # noqa: E402
from faces.iam import IAM  # noqa: E402
from faces.messaging import SNS, SQS  # noqa: E402
from faces.native import Native  # noqa: E402
from faces.openstack import OpenStack  # noqa: E402
from faces.scim import SCIM  # noqa: E402
from faces.target import Acm, Connect, Events  # noqa: E402

FACES = matrix.chosen([EC2(), IAM(), AutoScaling(), CloudWatch(), SQS(), SNS(), ELB(), ELBClassic(), OpenStack(), CloudStack(), Azure(), Native(), SCIM(), EBS(), DLM(), Backup(), Events(), Acm(), Connect()])


# ---- an action by itself

@matrix.cases(FACES, lambda face: sorted(n for n in face.actions if n not in face.unlike and face.actions[n]["iam"] and not face.actions[n]["for_all"]))
def test_action(place, face, name):
    """A Deny on the action, and no policy that allows it."""
    action, request = face.actions[name], face.alone(place, name)
    face.check_alone(place, name, request)
    word = doors.word_of(action)
    others = "iam:*" if word.startswith("ec2:") else "ec2:*"
    documents = {"Deny": doors.policy(doors.ALLOW, doors.deny(word, "*")), "Allow another service": doors.policy({**doors.ALLOW, "Action": others}),
                 "Allow but this": doors.policy({"Effect": "Allow", "NotAction": word, "Resource": "*"})}
    for what, document in documents.items():
        guest = face.guest_of(place, what, action)
        if guest:
            answer = face.ask(guest.has(document), name, request)
            assert face.is_refused(answer), f"{what}: {answer}"


# ---- each row that it names

@matrix.cases(FACES, lambda face: face.doors)
def test_refused(place, face, name, param):
    """A Deny on the row, and if policies decide about such rows, an Allow without the row."""
    action, wrong, before = face.actions[name], [], face.seen(place, name, param)
    for named, request, row in face.asked(place, name, param):
        for what, document, refuses in doors.cells(action, row, action["writes"]):
            guest = refuses and face.guest_of(place, what, action)
            if guest:
                answer = face.ask(guest.has(document), name, request)
                if not face.is_refused(answer):
                    wrong.append(f"{named} ({row.kind}), {what}: {answer}, not refused")
    assert not wrong, "\n" + "\n".join(wrong)
    assert face.seen(place, name, param) == before


@matrix.cases(FACES, lambda face: face.doors if face.goes is None else face.goes)
def test_goes_through(place, face, name, param):
    """With a policy about another row the result is the owner's, or at least not a refusal."""
    action, wrong = face.actions[name], []
    for named, request, row in face.asked(place, name, param):
        compared = face.comes_to(face.ask(place.account, name, request)) if face.compares else None
        for what, document, refuses in doors.cells(action, row, action["writes"]):
            if refuses or not (face.compares or row.other in document):
                continue
            guest = face.guest_of(place, what, action)
            if not guest:
                continue
            answer = face.ask(guest.has(document), name, request)
            fine = face.comes_to(answer) == compared if face.compares else not face.is_refused(answer) or face.refuses_anyway(name, answer)
            if not fine:
                wrong.append(f"{named} ({row.kind}), {what}: {answer}, not {compared or 'through'}")
    assert not wrong, "\n" + "\n".join(wrong)


# ---- resources that an action does not name

@matrix.cases([f for f in FACES if f.name == "ec2"], lambda _: ["DetachVolume", "DetachNetworkInterface"])
def test_detaching_from_a_protected_instance(place, face, name):
    """The instance that loses a disk or an interface is checked, though the call names another resource."""
    instance = f"arn:aws:ec2:us-east-1:{place.number}:instance/{place.ids['i']}"
    request = {"VolumeId": place.ids["plugged vol"]} if name == "DetachVolume" else {"AttachmentId": place.ids["eni-attach"]}
    for document, wanted in [(doors.policy(doors.ALLOW, doors.deny("*", instance)), "UnauthorizedOperation"),
                             (doors.policy(doors.ALLOW, doors.deny("*", instance + "0")), "through")]:
        assert face.comes_to(face.ask(place.guest.has(document), name, request)) == wanted, document


# ---- resources that an action creates

NO_REQUEST_TAG = {"CreateSubnetCidrReservation"}  # AWS gives this action no aws:RequestTag


def takes_tags(action):
    return any(p["name"] == "TagSpecification.N" and p["built"] for p in action["params"]) and not action.get("never")


@matrix.cases([f for f in FACES if f.name == "ec2"], lambda face: sorted(n for n, a in face.actions.items() if takes_tags(a)))
def test_made(place, face, name):
    """Tags of a new resource need the same permission as later ones, and conditions can require them."""
    request, word = face.tagged_request(place, name), face.actions[name]["permit"]
    asked = "aws:RequestTag/made"
    for refuses, document in [
            (True, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*"))),
            (True, doors.policy(doors.ALLOW, doors.deny(word, "*", StringEquals={asked: "here"}))),
            (True, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*", StringEquals={"ec2:CreateAction": word.partition(":")[2]}))),
            (False, doors.policy(doors.ALLOW, doors.deny(word, "*", StringEquals={asked: "elsewhere"}))),
            (False, doors.policy(doors.ALLOW, doors.deny("ec2:CreateTags", "*", StringEquals={"ec2:CreateAction": "NoSuchAction"})))]:
        if asked in document and refuses and name in NO_REQUEST_TAG:
            continue
        assert face.comes_to(face.ask(place.guest.has(document), name, request)) == ("UnauthorizedOperation" if refuses else "through"), document


# ---- tokens for no project

@matrix.cases([f for f in FACES if f.name == "openstack"], lambda face: sorted(face.actions))
def test_unscoped(place, face, name):
    """An unscoped token can call none of them."""
    assert face.ask_unscoped(place, name).status == 403


if __name__ == "__main__":
    sys.exit(matrix.main(__file__))
