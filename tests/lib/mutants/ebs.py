# SPDX-License-Identifier: Apache-2.0
"""Requests of EBS direct that must be refused: with an exception of its model that names the parameter, and that change nothing."""
import contextlib
import json

import doors
import ebs as lib
from dev import Account, Dev, Still
from faces import face
from faces.ebs import ACTIONS

from . import BY_HTTP, Mutants, NOT_JSON, texts, values

BY_HTTP_AND_MODEL = {**BY_HTTP, "If-Match": "botocore's model: no operation of EBS has conditions", "If-None-Match": "botocore's model: no operation of EBS has conditions"}
IN_PATH = {name: [p["name"] for p in a["params"] if "{" + p["name"] + "}" in a["path"]] for name, a in ACTIONS.items()}


class EBS(Mutants):
    name = "ebs"
    actions = ACTIONS
    passed_over = BY_HTTP_AND_MODEL
    cases = {"strangers": ACTIONS, "nobody": ACTIONS, "bodies": ["StartSnapshot"], "parameters": ACTIONS, "missing": ACTIONS,
             "paths": [n for n in ACTIONS if IN_PATH[n]], "methods": sorted({a["path"] for a in ACTIONS.values()})}
    unread = {"headers": ACTIONS, "queries": ACTIONS, "names": ["StartSnapshot"]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            place = lib.World(dev.account, ACTIONS)
            place.nobody = face.Guest(dev.account, "nobody").has(doors.policy({"Effect": "Deny", "Action": "*", "Resource": "*"}))
            place.still = Still(dev, place.snapshots)
            yield place
            place.still.ends()

    def say(self, place, name, tried, changes=(), statuses=(400,), word=None, by=None, **how):
        """Complaints about the answer to a good request with these changes."""
        answer = lib.call(by or place.account, ACTIONS[name], {**place.values(name), **dict(changes)}, **how)
        why = (f"is not {statuses}" if answer.status not in statuses else "is no exception" if not answer.code.endswith("Exception") or not answer.message else
               f"does not name {word}" if word and word.lower() not in answer.message.lower() else None)
        return [f"{tried}: {why}: {answer}"] if why else []

    # ---- who asks

    def strangers(self, place, name):
        for key, secret in (("AKIAIOSFODNN7EXAMPLE", "x"), (place.account.key_id, "x")):
            yield from self.say(place, name, key, statuses=(403,), by=Account(place.account.dev, key, secret))
        for header in (f"AWS4-HMAC-SHA256 Credential={place.account.key_id}/20260101/us-east-1/ebs/aws4_request, SignedHeaders=host, Signature=00", "x /ebs/aws4_request"):
            yield from self.say(place, name, header[:9], statuses=(400, 403), headers={"Authorization": header})

    def nobody(self, place, name):
        yield from self.say(place, name, "a user without permission", statuses=(403,), by=place.nobody)

    # ---- values

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(place, name, raw[:20], raw=raw)

    def parameters(self, place, name):
        for p in ACTIONS[name]["params"]:
            word = p["name"].rpartition(".")[2]
            if name != "StartSnapshot":
                for value in texts(p):
                    yield from self.say(place, name, f"{p['name']}={value[:50]}", {p["name"]: value}, word=value if p["type"] == "id" else word)
            else:
                for value in values(p):
                    changed = {"Tags": [{word: value}]} if p["name"].startswith("Tags.N.") else {p["name"]: value}
                    yield from self.say(place, name, f"{p['name']}: {json.dumps(value)[:50]}", changed, word=word)

    def missing(self, place, name):
        for p in ACTIONS[name]["params"]:
            if p["required"] and p["name"] not in IN_PATH[name]:
                for value in (None, "") if name != "StartSnapshot" else (None,):
                    yield from self.say(place, name, f"{p['name']}={value!r}", {p["name"]: value}, word=p["name"])

    # ---- paths

    def paths(self, place, name):
        """Values in the path; those with characters that separate parameters of a query add none."""
        for wanted in IN_PATH[name]:
            good = str(place.values(name)[wanted])
            for junk in ("x", "x" * 2000, "\0", "../..", "é", "-1", "0x0", " 0", "1e3", f"{good}&maxResults=100", f"x&{wanted}={good}", f"{good}+", f"{good}="):
                yield from self.say(place, name, f"{wanted}={junk[:30]}", {wanted: junk}, (400, 404))
            action = ACTIONS[name]
            for junk in (f"{good}&Progress=7", f"x&{wanted}={good}", "%", "%zz", "%ff"):
                path = action["path"].replace("{" + wanted + "}", junk)
                for other in IN_PATH[name]:
                    path = path.replace("{" + other + "}", str(place.values(name)[other]))
                answer = lib.send(place.account, action["method"], path)
                if answer.status not in (400, 403, 404) or not answer.code.endswith("Exception"):
                    yield f"{path}: {answer}"

    def methods(self, place, path):
        """Methods that the path does not have."""
        known = {a["method"] for a in ACTIONS.values() if a["path"] == path}
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - known):
            answer = lib.send(place.account, method, path.replace("{blockIndex}", "0").replace("{", "").replace("}", ""))
            if (answer.status, answer.code) not in ((404, "UnknownOperationException"), (400, "ValidationException")):
                yield f"{method}: {answer}"

    # ---- names that no row has

    def told(self, place, name, headers):
        """A change is refused for its last parameter, so that it changes nothing."""
        wrong = {"StartSnapshot": {"VolumeSize": 0}, "PutSnapshotBlock": {"blockIndex": 2048}, "CompleteSnapshot": {"ChangedBlocksCount": 7}}
        answer = lib.call(place.account, ACTIONS[name], {**place.values(name), **wrong.get(name, {}), **({"body": b""} if name == "PutSnapshotBlock" else {})}, headers=headers)
        return answer.status, answer.code, answer.reason, answer.message

    def queries(self, place, name):
        for more in ("Colour=red", "Action=DescribeVolumes"):
            yield from self.say(place, name, more, more=more, word=more.partition("=")[0])

    def names(self, place, name):
        for changed in ({"Colour": "red"}, {"Tags": [{"Key": "a", "Value": "b", "Colour": "red"}]}):
            yield from self.say(place, name, str(changed), changed, word="Colour")
