# SPDX-License-Identifier: Apache-2.0
"""Requests of EventBridge and of EC2 Instance Connect that must be refused: with a code of the service that names the member or the value, and that
change nothing."""
import contextlib
import json

import doors
import target_world as lib
from dev import Account, Dev, Still
from faces import face

from . import BY_HTTP, Mutants, NOT_JSON, values

IGNORED = {"If-Match": "botocore's model: no operation has conditions", "If-None-Match": "botocore's model: no operation has conditions"}
NAMES = ["no name", "a/b", "é"]
ROLES = ["x", "arn:aws:iam::000000000000:role/none"]


def damaged(p, junk):
    """Invalid values of a member."""
    yield from values(p)
    yield from junk.get(p["name"], ())
    if p["built"] and p.get("min") and p["type"] == "string":
        yield from ("", "x" * (p["min"] - 1))
    if p["built"] and p["type"].startswith("list of") and p["type"] != "list of objects" and p.get("max"):
        yield ["x" * (p["max"] + 1)]


class Target(Mutants):
    """.junk: invalid values that no table knows; .spoken: members that messages call otherwise; .denied: status of a refusal for lack of permission; .statuses: those of other refusals."""
    world, codes, junk, spoken, denied, statuses = None, set(), {}, {}, (), (400,)
    passed_over = {**BY_HTTP, **IGNORED}

    def __init__(self):
        self.actions = self.world.actions
        self.cases = {kind: sorted(self.actions) for kind in ("strangers", "nobody", "bodies", "parameters", "missing", "nulls", "counts")} | {"operations": [self.name]}
        self.unread = {"headers": sorted(self.actions), "names": sorted(self.actions)}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = self.world(dev, dev.new_account("targets"))
            made.nobody = face.Guest(made.account, "nobody").has(doors.policy({"Effect": "Deny", "Action": "*", "Resource": "*"}))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()

    def say(self, tried, answer, statuses=(400,), codes=None, words=()):
        """Complaints about an answer: none if it is a refusal with one of the codes whose message has one of the words."""
        failed = answer.json.get("FailedEntryCount") if answer.status == 200 else 0
        why = (f"is not {statuses}" if answer.status not in statuses and not failed else "has a code that the service does not have" if answer.code not in (codes or self.codes) and not failed
               else "names its code in one place alone" if not failed and answer.json.get("__type") != answer.code
               else f"names none of {words}" if words and not any(str(w).lower() in answer.text.lower() for w in words) else None)
        return [f"{tried}: {why}: {answer}"] if why else []

    # ---- who asks

    def strangers(self, place, name):
        body = json.dumps(place.request(name)).encode()
        for key, secret, code in (("AKIAIOSFODNN7EXAMPLE", "x", "UnrecognizedClientException"), (place.account.key_id, "x", "InvalidSignatureException")):
            yield from self.say(key, place.call(name, {}, by=Account(place.dev, key, secret), raw=body), codes={code})
        cut = place.account.sign("POST", "", body, place.service)["Authorization"].partition(", SignedHeaders")[0]
        yield from self.say("a signature cut off", place.call(name, {}, raw=body, headers={"Authorization": cut}), codes={"IncompleteSignatureException"})

    def nobody(self, place, name):
        status, code = self.denied
        yield from self.say("a user without permission", place.call(name, place.request(name), by=place.nobody), (status,), {code})

    # ---- bodies

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(raw[:20], place.call(name, {}, raw=raw), codes={"SerializationException"})

    def operations(self, place, _name):
        for target in ("LaunchRockets", "", "a.b", "x" * 300):
            yield from self.say(target, place.call(target, {}), codes={"UnknownOperationException"})
        yield from self.say("another service", place.call("x", {}, headers={"X-Amz-Target": "AWSOther.DescribeRule"}), codes={"UnknownOperationException"})
        yield from self.say("no operation", place.call("x", {}, headers={"X-Amz-Target": None}), codes={"UnknownOperationException"})

    # ---- members

    def parameters(self, place, name):
        for p in self.actions[name]["params"]:
            word = p["name"].replace(".N", "").rpartition(".")[2]
            for value in damaged(p, self.junk):
                body = lib.put(place.request(name), p["name"], value)
                for other in self.required_beside(name, p):
                    if lib.get(body, other) is None:
                        lib.put(body, other, '"x"')
                shown = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str) and v]
                yield from self.say(f"{p['name']}={str(value)[:40]!r}", place.call(name, body), self.statuses, words=[word, *self.spoken.get(word, ()), *shown])

    def required_beside(self, name, param):
        """Required members of the object that contains the parameter."""
        parent = param["name"].rpartition(".")[0]
        return [p["name"] for p in self.actions[name]["params"] if parent and p["required"] and p is not param and p["name"].rpartition(".")[0] == parent]

    def missing(self, place, name):
        for p in self.actions[name]["params"]:
            if not p["required"]:
                continue
            word = p["name"].rpartition(".")[2]
            null = lib.put(place.request(name), p["name"], None)
            absent = lib.put(lib.put(place.request(name), p["name"], None), p["name"], lib.ABSENT)
            for said, body in (("absent", absent), ("null", null)):
                yield from self.say(f"{p['name']} is {said}", place.call(name, body), words=[word])

    def nulls(self, place, name):
        """A null is an absent member, so that its default holds. A change lacks a member, so that it changes nothing."""
        for p in self.actions[name]["params"]:
            if p["built"] and not p["required"] and "." not in p["name"]:
                body, nulled = self.refused(place, name), lib.put(self.refused(place, name), p["name"], None)
                body.pop(p["name"], None)
                told = [(a.status, a.code, a.same()) for a in (place.call(name, body), place.call(name, nulled))]
                if told[0] != told[1]:
                    yield f"{p['name']} is null: {told[1]}, and without it {told[0]}"

    def counts(self, place, name):
        """Lists that are empty or too long."""
        for p in self.actions[name]["params"]:
            if p["type"] == "list of objects" and p["built"]:
                item = (lib.get(place.request(name), p["name"]) or [{"Key": "k", "Value": "v"}])[0]
                for count in ([p["max"] + 1] if p.get("max") else []) + ([0] if p.get("min") else []):
                    yield from self.say(f"{p['name']}: {count} items", place.call(name, lib.put(place.request(name), p["name"], [item] * count)), words=[p["name"]])

    # ---- names that no row has

    def told(self, place, name, headers):
        """A change is refused for a member, so that it changes nothing."""
        answer = place.call(name, self.refused(place, name), headers=headers)
        return answer.status, answer.code, answer.same()

    def refused(self, place, name):
        body = place.request(name)
        if self.actions[name]["writes"]:
            first = next(p["name"] for p in self.actions[name]["params"] if p["required"])
            lib.put(body, first, lib.ABSENT)
        return body

    def names(self, place, name):
        """AWS JSON 1.1 ignores members that the model does not have: a client may be newer than the service."""
        body = {**self.refused(place, name), "Colour": "red"}
        plain, coloured = self.told(place, name, {}), place.call(name, body)
        if (coloured.status, coloured.code, coloured.same()) != plain:
            yield f"Colour: {coloured}, and without it {plain}"


class Events(Target):
    name, world, denied = "events", lib.Events, (400, "AccessDeniedException")
    codes = {"ValidationException", "InvalidEventPatternException", "ResourceNotFoundException", "SerializationException", "LimitExceededException"}
    junk = {"Name": NAMES, "Rule": NAMES, "NamePrefix": NAMES[:1], "EventBusName": ["other", "arn:aws:events:us-east-1:000000000000:event-bus/default"], "EventPattern": ["{", "[]", '{"a":"b"}', "{}"],
            "ScheduleExpression": ["x", "rate(1 minutes)", "cron(* * * * * *)"], "RoleArn": ROLES, "Targets.N.RoleArn": ROLES, "Event": ["{", "[]", "{}"], "NextToken": ["!", "é"],
            "ResourceARN": ["x", "arn:aws:events:us-east-1:000000000000:rule/x"], "Targets.N.Id": NAMES, "Targets.N.Arn": ["x", "arn:aws:lambda:us-east-1:000000000000:function:f"],
            "Targets.N.Input": ["{", "x"], "Targets.N.InputPath": ["detail", "$."], "Targets.N.InputTransformer.InputPathsMap": [{"a": "detail"}, {"a": 7}, {"": "$.a"}, {"a b": "$.a"}],
            "Targets.N.SqsParameters.MessageGroupId": ["g"], "Targets.N.DeadLetterConfig.Arn": ["x"], "Ids": [["none"], [], ["x"] * 101], "TagKeys": [[""]],
            "Entries.N.Time": ["x", -1, [], {}, True, 1e300], "Entries.N.Detail": ["{", "[]", ""], "Entries.N.Source": ["aws.ec2", ""], "Entries.N.DetailType": [""],
            "Tags.N.Key": ["aws:x"], "Targets.N.RetryPolicy.MaximumEventAgeInSeconds": [59]}


class Connect(Target):
    name, world, denied = "connect", lib.Connect, (403, "AuthException")
    statuses, spoken = (400, 404), {"SSHPublicKey": ["public key"]}
    codes = {"InvalidArgsException", "EC2InstanceNotFoundException", "SerializationException"}
    junk = {"InstanceId": ["vol-0123456789abcdef0", "i-0123456789abcdeg0", "i-0123456789abcdef0"], "InstanceOSUser": ["a b", "-a", "a/b", "é"], "AvailabilityZone": ["us-mars-1a"],
            "SSHPublicKey": ["x" * 90, 'command="x" ' + lib.Connect.KEY, lib.Connect.KEY + "\nssh-ed25519 x", lib.Connect.KEY[:-2] + "  "]}


class Acm(Target):
    name, world, denied = "acm", lib.Acm, (400, "AccessDeniedException")
    spoken = {"Certificate": ["certificate"], "PrivateKey": ["private key", "privateKey"], "CertificateChain": ["chain"], "Key": ["re-import"], "Passphrase": ["private certificate"]}
    codes = {"ValidationException", "InvalidArnException", "ResourceNotFoundException", "SerializationException", "InvalidTagException", "TooManyTagsException", "InvalidStateException"}
    junk = {"CertificateArn": ["x" * 30, "arn:aws:acm:us-east-1:000000000000:certificate/x", "arn:aws:iam::000000000000:server-certificate/x"], "Certificate": ["!", "eA==", ""], "PrivateKey": ["!", "eA=="],
            "CertificateChain": ["!", "eA=="], "Tags.N.Key": ["aws:x", ""], "NextToken": ["!", "AAAA"], "MaxItems": [0, 1001], "SortBy": ["x"], "SortOrder": ["x"], "CertificateStatuses": [["x"]],
            "Passphrase": ["!", "eA=="], "DomainName": ["", "x" * 254]}
