#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api tools/clients tests/clients
# when: long
"""Tours of today's clients, at the versions that tests/clients pins: `make clients` as a test. Debian's clients are in the other scripts of
this folder."""
# limit: 5400 s
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *sys.argv[1:]])
