#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api src/engine/resolve src/auth/guard
"""Two accounts, for every face and from its tables: neither can see or change anything of the other, by any action and for any kind of resource, and
the answer equals that for an unknown name, except for the name."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
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
from faces.messaging import SNS, SQS  # noqa: E402
from faces.native import Native  # noqa: E402
from faces.openstack import OpenStack  # noqa: E402
from faces.scim import SCIM  # noqa: E402
from faces.target import Acm, Connect, Events  # noqa: E402

FACES = matrix.chosen([EC2(), AutoScaling(), CloudWatch(), SQS(), SNS(), ELB(), ELBClassic(), OpenStack(), CloudStack(), Azure(), Native(), SCIM(), EBS(), DLM(), Backup(), Events(), Acm(), Connect()])


@matrix.cases([f for f in FACES if f.name in ("ec2", "openstack")], lambda _: ["lists"])
def test_nothing_is_shared(place, face, name):
    assert not face.shared(place), name


@matrix.cases(FACES, lambda face: face.others)
def test_what_is_anothers(place, face, name, param):
    """Each parameter that names a row, with the other account's row of each kind."""
    wrong = [f"{what}: {theirs}\nwhere nobody's gets {nobodys}" for what, theirs, nobodys in face.compare(place, name, param) if theirs != nobodys]
    assert not wrong, "\n" + "\n".join(wrong)
    assert face.unchanged(place), "something has changed, in this test or one of the seven before it"


@matrix.cases([f for f in FACES if f.name == "azure"], lambda face: face.others)
def test_own(place, face, name, param):
    """The same call with the caller's own row: the refusal before was due to the owner."""
    came_to, wanted = face.own(place, name, param)
    assert came_to == wanted


@matrix.cases(FACES, lambda face: face.filters)
def test_lists(place, face, name):
    """No filter finds the other account's rows."""
    wrong = [f"{asked}: {found}" for asked, found in face.filtered(place, name) if found]
    assert not wrong, "\n" + "\n".join(wrong)


@matrix.cases([f for f in FACES if f.name == "openstack"], lambda face: sorted(t for t, a in face.everything.items() if a["admin"]))
def test_administration(place, face, name):
    """Administrators' calls are refused with any parameters."""
    assert face.administration(place, name) == 403


if __name__ == "__main__":
    sys.exit(matrix.main(__file__, "open_two"))
