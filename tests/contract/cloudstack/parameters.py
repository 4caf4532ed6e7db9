#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/cloudstack
"""Compares each command's parameters with CloudStack's own (parameters.txt): each parameter that CloudStack obeys must have a row, which serves it or
refuses it by name, and each that CloudStack does not know must be ignored, as there."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
from cloudstack import call, dump  # noqa: E402
from dev import Dev  # noqa: E402

ACTIONS = {a["name"]: a for a in dump()["actions"]}
OF_THE_PROTOCOL = {"response"}  # the answer's format, which the protocol handles


def cloudstacks_own():
    with open(os.path.join(HERE, "parameters.txt"), encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                name, _, parameters = line.partition(": ")
                yield name, set(parameters.split()) - OF_THE_PROTOCOL


@pytest.mark.parametrize("name, known", list(cloudstacks_own()))
def test_every_parameter_has_a_row(name, known):
    rows = {word.partition(".")[0].lower() for p in ACTIONS[name]["params"] for word in p["name"].split("|")}
    assert not {p for p in known if p.lower() not in rows}


def test_unknown_parameters_are_passed_over():
    with Dev() as dev:
        status, answer, _ = call(dev, "listZones", nosuchparameter="x")
        assert status == 200 and answer["zone"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
