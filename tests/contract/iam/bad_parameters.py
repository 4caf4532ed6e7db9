#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/iam
"""Every parameter of every action of IAM, mutated as its row in the tables knows: the answer is one of IAM's codes, it
names the parameter or the value, and nothing has changed for the account. Each action's request is made of what is there."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from iam_world import ACTIONS, World, wire  # noqa: E402

CODES = {"ValidationError", "MalformedPolicyDocument", "NoSuchEntity", "InvalidInput", "InvalidAction", "EntityAlreadyExists",
         "PasswordPolicyViolation", "LimitExceeded", "DeleteConflict"}


def mutated(param):
    """Values that the parameter must not have."""
    if param["type"] == "any":
        yield "true" if param.get("only") == "false" else "x"
        return
    if param["type"] == "boolean":
        yield from ("maybe", "")
    elif param["type"] == "integer":
        yield from ("x", "1.5", str(2**63), str(param["min"] - 1), str(param["max"] + 1))
    elif param["type"] in ("string", "list of strings"):
        if param.get("words"):
            yield "no-such-word"
        elif "max" in param:
            yield "x" * (param["max"] + 1)
            yield "a\x01b" * 7
        if param.get("min", 0) > 0:
            yield ""
        if param.get("form") == "name":
            yield "nobody"


@pytest.fixture(scope="module")
def world():
    with ec2.Dev() as dev:
        yield World(dev)


def complaint(param, value, answer):
    if not 400 <= answer.status < 500:
        return "was not refused"
    if answer.code not in CODES:
        return "the code is not IAM's"
    if param["type"] == "any" and answer.code != "InvalidAction":
        return "what is not built is InvalidAction"
    leaf = param["name"].split(".N")[0].split(".")[0]
    names = (leaf, leaf[0].lower() + leaf[1:])
    if not any(name in answer.message for name in names) and not (value and value in answer.message):
        return "neither the parameter nor the value is named"
    return ""


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_action(name, world):
    action, wrong = ACTIONS[name], []
    before = world.state()
    for param in action["params"]:
        if param["type"] == "list of structures":
            continue
        request = world.request(action, param)
        cases = [(value, {**request, wire(param["name"]): value}) for value in mutated(param)]
        if param["required"] and ".N" not in param["name"]:
            cases.append((None, {k: v for k, v in request.items() if k != param["name"]}))
        for value, mutant in cases:
            answer = world.call(dict(mutant))
            why = complaint(param, value, answer)
            if why:
                wrong.append(f"{param['name']}={(value or '(absent)')[:40]!r}: {why}: {answer.status} {answer.code} {answer.message[:160]}")
    unknown = world.call({"Action": name, "NoSuchParameter": "x"})
    if unknown.code != "ValidationError":
        wrong.append(f"an unknown parameter: {unknown}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert world.state() == before, "something has changed"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
