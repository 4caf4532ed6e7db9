#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api
"""Every call of every face, from its tables: with each parameter mutated in every way that its row knows, without each required parameter, with
malformed bodies and unknown paths, unauthenticated and without permissions. Each must be refused with a documented code that names the parameter
or the value, in the face's format, and must change nothing."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import matrix  # noqa: E402
from mutants.autoscaling import AutoScaling  # noqa: E402
from mutants.cloudwatch import CloudWatch  # noqa: E402
from mutants.azure import Azure  # noqa: E402
from mutants.cloudstack import CloudStack  # noqa: E402
from mutants.backup import Backup  # noqa: E402
from mutants.dlm import DLM  # noqa: E402
from mutants.ebs import EBS  # noqa: E402
from mutants.ec2 import EC2  # noqa: E402
from mutants.elb import ELB  # noqa: E402
from mutants.elb_classic import ELBClassic  # noqa: E402
from mutants.iam import IAM  # noqa: E402
from mutants.messaging import SNS, SQS  # noqa: E402
from mutants.native import Native  # noqa: E402
from mutants.openstack import OpenStack  # noqa: E402
from mutants.scim import SCIM  # noqa: E402
from mutants.target import Acm, Connect, Events  # noqa: E402

FACES = matrix.chosen([EC2(), IAM(), AutoScaling(), CloudWatch(), SQS(), SNS(), ELB(), ELBClassic(), OpenStack(), CloudStack(), Azure(), Native(), SCIM(), EBS(), DLM(), Backup(), Events(), Acm(), Connect()])


@matrix.cases(FACES, lambda face: [(name, kind) for kind, names in face.cases.items() for name in sorted(names)])
def test_refused(place, face, name, param):
    face.begins(place, name, param)
    wrong = list(getattr(face, param)(place, name))
    assert not wrong, "\n" + "\n".join(wrong)
    face.holds(place, name, param)


@matrix.cases(FACES, lambda face: [(name, kind) for kind, names in face.unread.items() for name in sorted(names)])
def test_unread(place, face, name, param):
    """An unknown name at every place of the request: refused with the service's message, or ignored if a row of the tables or of the adapter names
    the source for that. Names ignored without a source are in the face's list of open ones."""
    face.begins(place, name, param)
    taken = list(getattr(face, param)(place, name))
    is_open = (param, name) in face.open
    assert is_open or not taken, "\n" + "\n".join(taken)
    assert taken or not is_open, "is refused now: take it out of the list of open ones"
    face.holds(place, name, param)


if __name__ == "__main__":
    sys.exit(matrix.main(__file__, "make"))
