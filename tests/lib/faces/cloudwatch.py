# SPDX-License-Identifier: Apache-2.0
"""CloudWatch's adapter for the matrices of tests/contract/cross/: an account with alarms on a metric and on each other, and dashboards."""
import contextlib

import cloudwatch_world
import doors
from cloudwatch_world import SERVICE, VERSION, wire
from dev import Dev

from . import face

KINDS = {"AlarmName": "alarm", "AlarmNames.member.N": "alarm", "ResourceARN": "alarm", "DashboardName": "dashboard", "DashboardNames.member.N": "dashboard"}
LISTS = {"DescribeAlarms", "DescribeAlarmHistory"}  # lists filter by names, and tell nothing of one that is absent


class CloudWatch(face.Face):
    name = "cloudwatch"
    actions = cloudwatch_world.ACTIONS

    def __init__(self):
        named = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"] if p["name"] in KINDS and p["built"]]
        self.doors = sorted((c for c in named if c[0] not in LISTS), key=lambda c: c[0].startswith("Delete"))
        self.others = [c for c in named if not c[0].startswith("Put")]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = cloudwatch_world.World(dev, dev.new_account("watching"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(cloudwatch_world.World(dev, dev.account), cloudwatch_world.World(dev, dev.new_account("theirs")))
            made.before = made.theirs.state()
            yield made

    def unchanged(self, place):
        return place.theirs.state() == place.before

    def ask(self, caller, name, request):
        return caller.call(name, {k: v for k, v in request.items() if k != "Action"}, service=SERVICE, version=VERSION)

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "AccessDenied")

    def alone(self, place, name):
        return place.request(self.actions[name], {"name": ""})

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        request = {**place.request(self.actions[name], param)}
        value = request.setdefault(wire(wanted), place.values[wanted])
        arn = value if value.startswith("arn:") else place.arn(value)
        yield wanted, request, doors.Row(KINDS[wanted], arn, arn + "-other")

    def compare(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        theirs, mine = place.theirs.values[wanted], place.mine.request(self.actions[name], param)
        told = []
        for value in (theirs, theirs[:-8] + "00000000"):
            answer = place.mine.call({**mine, wire(wanted): value})
            told.append((answer.status, answer.code, answer.text.partition("<RequestId>")[0].replace(value, "it")))
        yield f"{wire(wanted)}={theirs}", *told
