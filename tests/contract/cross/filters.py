#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/openstack src/api/native src/api/cloudstack src/store/query
"""Every list of every face, from its tables: each filter finds exactly the rows whose member has the value, an unknown value finds none; pages show
each row once; orders work both ways; invalid limits, markers and tokens are refused. A list with too few rows proves nothing and fails: the face's
region (tests/lib/filtering) must create more."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import matrix  # noqa: E402
from filtering.cloudstack import CloudStack  # noqa: E402
from filtering.ec2 import EC2  # noqa: E402
from filtering.native import Native  # noqa: E402
from filtering.openstack import OpenStack  # noqa: E402

FACES = matrix.chosen([EC2(), OpenStack(), CloudStack(), Native()])


@matrix.kinds(FACES)
def test_list(place, face, name, param):
    matrix.ask(place, face, name, param)


if __name__ == "__main__":
    sys.exit(matrix.main(__file__, "make"))
