# SPDX-License-Identifier: Apache-2.0
"""Requests of Data Lifecycle Manager that must be refused: with an exception that names the member or the value, and that change nothing."""
import dlm_world
import target_world as lib
from dev import Account

from .target import ROLES, Target

PATHS = {"policyId", "resourceArn"}
WITH_BODY = {n for n, a in dlm_world.Policies.actions.items() if a["method"] in ("POST", "PATCH")}


class DLM(Target):
    name, world, denied, statuses = "dlm", dlm_world.Policies, (403, "AccessDeniedException"), (400, 404)
    codes = {"InvalidRequestException", "ResourceNotFoundException", "SerializationException", "LimitExceededException"}
    junk = {"ExecutionRoleArn": ROLES, "Description": ["a/b", "é"], "policyId": ["x", dlm_world.ABSENT, "vol-0123456789abcdef0"], "policyIds": [["x"], [dlm_world.ABSENT]],
            "resourceArn": ["x", "arn:aws:dlm:us-east-1:000000000000:policy/" + dlm_world.ABSENT]}

    def __init__(self):
        super().__init__()
        self.cases["bodies"] = sorted(WITH_BODY)
        self.cases["nulls"] = sorted(WITH_BODY)
        self.cases["counts"] = sorted(WITH_BODY)

    def say(self, tried, answer, statuses=(400,), codes=None, words=()):
        why = (f"is not {statuses}" if answer.status not in statuses else "has a code that the service does not have" if answer.code not in (codes or self.codes)
               else "names its code in one place alone" if answer.json.get("Code") != answer.code
               else f"names none of {words}" if words and not any(str(w).lower() in answer.text.lower() for w in words) else None)
        return [f"{tried}: {why}: {answer}"] if why else []

    def strangers(self, place, name):
        for key, secret, code in (("AKIAIOSFODNN7EXAMPLE", "x", "UnrecognizedClientException"), (place.account.key_id, "x", "InvalidSignatureException")):
            yield from self.say(key, place.call(name, place.request(name), by=Account(place.dev, key, secret)), (403,), {code})
        cut = place.account.sign("POST", "", b"", place.service)["Authorization"].partition(", SignedHeaders")[0]
        yield from self.say("a signature cut off", place.call(name, place.request(name), headers={"Authorization": cut}), (403,), {"IncompleteSignatureException"})

    def operations(self, place, _name):
        for method, path in (("PUT", "/policies"), ("DELETE", "/policies"), ("POST", "/policies/x"), ("PUT", "/tags/x"), ("GET", "/tags"), ("GET", "/x"), ("GET", "/policies/x/y")):
            yield from self.say(f"{method} {path}", place.send(place.account, method, path, path), (404,), {"UnknownOperationException"})

    def missing(self, place, name):
        for p in self.actions[name]["params"]:
            if p["required"] and p["name"] not in PATHS:
                for said, value in (("absent", lib.ABSENT), ("null", None)):
                    yield from self.say(f"{p['name']} is {said}", place.call(name, lib.put(place.request(name), p["name"], value)), words=[p["name"].rpartition(".")[2]])

    def refused(self, place, name):
        body = place.request(name)
        if self.actions[name]["writes"]:
            body.update({p: dlm_world.ABSENT for p in PATHS & set(body)} or {"Description": "a/b"})
        return body
