#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api tools/clients tests/clients
# when: long
"""Runs `make clients`: tours of current clients, in the versions pinned by tests/clients. The other scripts of this folder test Debian's clients."""
# limit: 5400 s
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *sys.argv[1:]])
