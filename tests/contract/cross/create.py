#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/openstack src/api/native src/api/cloudstack src/api/scim
"""Creates each resource of a face with every parameter of its tables. The answer, the show and the list must agree, and contain the sent values; then
changes all members that can be changed. An action that creates and has no row (tests/lib/creations) fails, and so does a parameter that no row
gives."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import matrix  # noqa: E402
from creations.cloudstack import CloudStack  # noqa: E402
from creations.ec2 import EC2  # noqa: E402
from creations.native import Native  # noqa: E402
from creations.openstack import OpenStack  # noqa: E402
from creations.scim import SCIM  # noqa: E402

FACES = matrix.chosen([EC2(), OpenStack(), CloudStack(), Native(), SCIM()])


@matrix.kinds(FACES)
def test_create(place, face, name, param):
    matrix.ask(place, face, name, param)


if __name__ == "__main__":
    sys.exit(matrix.main(__file__, "make"))
