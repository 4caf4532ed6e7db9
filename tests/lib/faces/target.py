# SPDX-License-Identifier: Apache-2.0
"""Adapters of EventBridge, ACM and EC2 Instance Connect for the matrices of tests/contract/cross/: accounts with rules and their targets, and with an
instance."""
import contextlib

import doors
import target_world as lib
from dev import Dev

from . import face


class Target(face.Face):
    """.kinds: parameters that name a row, and the row's kind; .new: (action, parameter) that name a row to create; .filtering: parameters of lists
    that no row needs to fit."""
    world, denied, kinds, new, filtering = None, (), {}, set(), {}
    told_apart = ()  # parameters that take the ARN of another service's row

    def __init__(self):
        self.actions = self.world.actions
        named = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"] if p["built"]]
        self.doors = sorted((c for c in named if c[1] in self.kinds), key=lambda c: c[0].startswith(("Delete", "Remove")))
        self.others = [c for c in named if (c[1] in self.kinds or c[1] in self.told_apart) and c not in self.new]
        self.filters = sorted(self.filtering)

    # ---- doors

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = self.world(dev, dev.new_account("targets"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    def ask(self, caller, name, request):
        return self.place.call(name, request, by=caller)

    def is_refused(self, answer):
        return (answer.status, answer.code) == self.denied

    def alone(self, place, name):
        self.place = place
        return place.request(name)

    def asked(self, place, name, wanted):
        self.place = place
        request = place.request(name)
        value = lib.get(request, wanted)
        arn = value if value.startswith("arn:") else place.arn(value)
        yield wanted, request, doors.Row(self.kinds[wanted], arn, arn[:-2] + "00")

    def seen(self, place, _name, _param):
        return place.state()

    # ---- two accounts

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(self.world(dev, dev.account), self.world(dev, dev.new_account("theirs")))
            made.before = made.theirs.state()
            yield made

    def unchanged(self, place):
        return place.theirs.state() == place.before

    def compare(self, place, name, wanted):
        for theirs in self.theirs_of(place.theirs, name, wanted):
            told = []
            for value in (theirs, theirs[:-8] + "00000000"):
                answer = place.mine.call(name, lib.put(place.mine.request(name), wanted, value))
                told.append((answer.status, answer.code, answer.text.replace(value, "it")))
            yield f"{wanted}={theirs}", *told

    def theirs_of(self, theirs, name, wanted):
        """The other account's rows that the parameter may name."""
        return [lib.get(theirs.request(name), wanted)]


class Events(Target):
    name, world, denied = "events", lib.Events, (400, "AccessDeniedException")
    kinds = {"Name": "event_rule", "Rule": "event_rule", "ResourceARN": "event_rule"}
    told_apart = ("RoleArn", "Targets.N.Arn", "Targets.N.RoleArn", "Targets.N.DeadLetterConfig.Arn", "EventBusName")
    new = {("PutRule", "Name")}
    filtering = {"ListRules": ("NamePrefix", "Rules"), "ListRuleNamesByTarget": ("TargetArn", "RuleNames")}

    def __init__(self):
        super().__init__()
        self.doors = [c for c in self.doors if c[0] != "DescribeEventBus"]  # its Name is the bus's, which is not a row
        self.others = [c for c in self.others if c != ("PutEvents", "EventBusName")]

    def theirs_of(self, theirs, name, wanted):
        bus = f"arn:aws:events:us-east-1:{theirs.number}:event-bus/default"
        if wanted == "EventBusName" or name == "DescribeEventBus":
            return [bus]
        if wanted.endswith("RoleArn"):
            return [theirs.role]
        if wanted.endswith(".Arn"):
            return [theirs.queue, theirs.topic]
        return [lib.get(theirs.request(name), wanted)]

    def filtered(self, place, name):
        wanted, member = self.filtering[name]
        for value in {"NamePrefix": [place.theirs.orders, "orders-"], "TargetArn": [place.theirs.queue, place.theirs.topic]}[wanted]:
            rows = place.mine.ok(name, {wanted: value}).json[member]
            yield f"{wanted}={value}", [r for r in rows if place.theirs.orders in str(r)]


class Connect(Target):
    name, world, denied = "connect", lib.Connect, (403, "AuthException")
    kinds = {"InstanceId": "instance"}


class Acm(Target):
    """Actions that ACM itself refuses for imported certificates have no door to test."""
    name, world, denied = "acm", lib.Acm, (400, "AccessDeniedException")
    kinds = {"CertificateArn": "server_certificate"}
    refused = ("ExportCertificate", "RenewCertificate", "ResendValidationEmail", "UpdateCertificateOptions")

    def __init__(self):
        super().__init__()
        self.doors = [c for c in self.doors if c[0] not in self.refused]
