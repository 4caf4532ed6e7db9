# SPDX-License-Identifier: Apache-2.0
"""IAM's requests that must be refused: the account's valid request of each action (iam_world), mutated in one place."""
import contextlib

from dev import Dev, Still
from iam_world import ACTIONS, World, wire

from . import BY_HTTP, Mutants, texts
from .ec2 import BY_QUERY, heads, send

CODES = {"ValidationError", "MalformedPolicyDocument", "NoSuchEntity", "InvalidInput", "InvalidAction", "EntityAlreadyExists",
         "PasswordPolicyViolation", "LimitExceeded", "DeleteConflict"}


def mutated(param):
    """Invalid values of the parameter."""
    if param["type"] == "any":
        yield "true" if param.get("only") == "false" else "x"
        return
    yield from texts(param)
    if param["type"] == "boolean":
        yield ""
    if param["type"] in ("string", "list of strings"):
        if not param.get("words") and "max" in param:
            yield from ("x" * (param["max"] + 1), "a\x01b" * 7)
        if param.get("min", 0) > 0:
            yield ""
        if param.get("form") == "name":
            yield "nobody"


def complaint(param, value, answer, codes=frozenset(CODES), unbuilt="InvalidAction"):
    if not 400 <= answer.status < 500:
        return "was not refused"
    if answer.code not in codes:
        return "the code is not the service's"
    if param["type"] == "any" and answer.code != unbuilt:
        return f"what is not built is {unbuilt}"
    leaf = param["name"].split(".N")[0].split(".")[0]
    names = (leaf, leaf[0].lower() + leaf[1:])
    if not any(name in answer.message for name in names) and not (value and value in answer.message):
        return "neither the parameter nor the value is named"
    return ""


class IAM(Mutants):
    unknown = {"ValidationError"}  # codes for a parameter that the action does not have
    name = "iam"
    service, version = "iam", "2010-05-08"
    codes, unbuilt = CODES, "InvalidAction"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    passed_over = {**BY_HTTP, **BY_QUERY}
    cases = {"parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = World(dev)
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()

    def told(self, place, name, headers):
        """A change has a parameter that is refused, so that it changes nothing."""
        refused = {"Colour": "red"} if self.actions[name]["writes"] else {}
        answer = send(place.account, self.service, {"Action": name, "Version": self.version, **refused}, headers)
        return answer.status, answer.same()

    def parameters(self, place, name):
        for param in (p for p in self.actions[name]["params"] if p["type"] != "list of structures"):
            request = place.request(self.actions[name], param)
            cases = [(value, {**request, wire(param["name"]): value}) for value in mutated(param)]
            if param["required"] and ".N" not in param["name"]:
                cases.append((None, {k: v for k, v in request.items() if k != param["name"]}))
            for value, mutant in cases:
                answer = place.call(dict(mutant))
                why = complaint(param, value, answer, self.codes, self.unbuilt)
                if why:
                    yield f"{param['name']}={(value or '(absent)')[:40]!r}: {why}: {answer.status} {answer.code} {answer.message[:160]}"

    def names(self, place, name):
        """Unknown names at the top level and in each structure; and headers, since a look at the whole account is dear here."""
        yield from self.headers(place, name)
        for head in heads(self.actions[name]):
            answer = place.call({"Action": name, head + "Colour": "red"})
            if answer.code not in self.unknown or head + "Colour" not in answer.message:
                yield f"{head}Colour: {answer}"
