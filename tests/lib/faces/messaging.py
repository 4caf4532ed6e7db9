# SPDX-License-Identifier: Apache-2.0
"""Adapters of SQS and SNS for the matrices of tests/contract/cross/: an account with queues, topics and subscriptions."""
import contextlib

import doors
from dev import Dev
from messaging_world import Queues, Topics, wire

from . import face


class Messaging(face.Face):
    def __init__(self):
        self.actions = self.world.actions
        named = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"] if p["name"] in self.kinds and p["built"]]
        self.doors = sorted((c for c in named if c not in self.unasked), key=lambda c: c[0].startswith(("Delete", "Unsubscribe", "Purge")))
        self.others = [c for c in named if c not in self.unasked and not c[0].startswith("Create")]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = self.world(dev, dev.new_account("messages"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(self.world(dev, dev.account), self.world(dev, dev.new_account("theirs")))
            made.before = made.theirs.state()
            yield made

    def unchanged(self, place):
        return place.theirs.state() == place.before

    def ask(self, caller, name, request):
        return caller.call(name, {k: v for k, v in request.items() if k != "Action"}, service=self.world.service, version=self.world.version)

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, self.denied)

    def alone(self, place, name):
        return place.request(self.actions[name], {"name": ""})

    def param(self, name, wanted):
        return next(p for p in self.actions[name]["params"] if p["name"] == wanted)

    def asked(self, place, name, wanted):
        request = {**place.request(self.actions[name], self.param(name, wanted))}
        value = request.setdefault(wire(wanted), place.of(name)[wanted])
        arn = self.arn(place, value)
        yield wanted, request, doors.Row(self.kinds[wanted], arn, arn + "-other")

    def compare(self, place, name, wanted):
        theirs, mine = place.theirs.of(name)[wanted], place.mine.request(self.actions[name], self.param(name, wanted))
        told = []
        for value in (theirs, theirs[:-8] + "00000000"):
            answer = place.mine.call({**mine, wire(wanted): value})
            told.append((answer.status, answer.code, answer.text.partition("<RequestId>")[0].replace(value, "it")))
        yield f"{wire(wanted)}={theirs}", *told


class SQS(Messaging):
    name, world, denied = "sqs", Queues, "AccessDenied"
    kinds = {"QueueUrl": "queue"}
    unasked = set()

    def arn(self, place, value):
        return place.arn(value)


class SNS(Messaging):
    name, world, denied = "sns", Topics, "AuthorizationError"
    kinds = {"TopicArn": "topic", "TargetArn": "topic", "ResourceArn": "topic", "SubscriptionArn": "topic_subscription"}
    unasked = {("ConfirmSubscription", "TopicArn"),  # needs a token, and no rights
               ("Publish", "TargetArn")}  # another name of TopicArn
    unlike = {"ConfirmSubscription"}

    def arn(self, place, value):
        return value
