#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/auth/saml src/api/native/sign_in tests/clients/samlp
# when: long
"""Signs in to the console by samlp, an identity provider in JavaScript, in the version that tests/clients/samlp pins: no step may fail."""
import os
import sys

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../clients/run")

os.execv(RUN, [RUN, *(sys.argv[1:] or ["samlp"])])
