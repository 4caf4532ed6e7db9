#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/iam src/api/azure tests/clients/ansible tests/clients/ansible-aws tests/clients/ansible-azure tests/clients/lib/plays.py
# when: long
"""Runs the tours of Ansible's collections in the versions that tests/clients pins: each play twice, the second time without a change."""
# limit: 2700 s
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *(sys.argv[1:] or ["ansible", "ansible-aws", "ansible-azure"])])
