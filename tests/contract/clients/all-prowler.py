#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/iam src/api/absent tests/clients/prowler
# when: long
"""Runs Prowler's checks of EC2 and IAM, in the version that tests/clients/prowler pins: no check may fail to run."""
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *(sys.argv[1:] or ["prowler"])])
