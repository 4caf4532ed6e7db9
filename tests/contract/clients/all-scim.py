#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/scim tests/clients/scim2
# when: long
"""Runs scim2-tester, in the version that tests/clients/scim2 pins, against SCIM: no check may fail."""
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *(sys.argv[1:] or ["scim2"])])
