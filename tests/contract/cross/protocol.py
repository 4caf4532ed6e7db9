#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/query src/api/ec2/core src/api/iam/iam.c src/api/autoscaling/autoscaling.c src/api/cloudwatch/cloudwatch.c src/api/elb/elb.c src/api/sns/sns.c src/api/sqs/sqs.c src/daemon/run.c src/api/openstack/core src/api/cloudstack/core src/api/native src/http src/auth/key/sigv4 src/model/sigv4_sign.c
"""Request and answer formats of each face: methods, versions, paths, signatures and tokens, unusual characters, bodies. Each face's adapter is in
tests/lib/forms; lists and actions come from its tables."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import matrix  # noqa: E402
from forms.cloudstack import CloudStack  # noqa: E402
from forms.ec2 import EC2  # noqa: E402
from forms.native import Native  # noqa: E402
from forms.openstack import OpenStack  # noqa: E402
from forms.query import Query  # noqa: E402

FACES = matrix.chosen([EC2(), OpenStack(), CloudStack(), Native(), Query()])


@matrix.kinds(FACES)
def test_form(place, face, name, param):
    matrix.ask(place, face, name, param)


if __name__ == "__main__":
    sys.exit(matrix.main(__file__, "make"))
