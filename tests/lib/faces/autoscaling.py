# SPDX-License-Identifier: Apache-2.0
"""EC2 Auto Scaling's adapter for the matrices of tests/contract/cross/: an account with scaling groups, an instance of one and an instance of none."""
import contextlib

import autoscaling_world
import doors
import elb_world
from autoscaling_world import DESIRED, MIXED, SERVICE, TEMPLATE, VERSION, wire
from dev import Dev

from . import face

KINDS = {"AutoScalingGroupName": "scaling_group", "AutoScalingGroupNames": "scaling_group", "ResourceId": "scaling_group", "LaunchConfigurationName": "launch_configuration",
         "InstanceId": "instance", "InstanceIds": "instance", "TargetGroupARNs": "target_group", "Identifier": "target_group", "LoadBalancerNames": "elastic_load_balancer",
         TEMPLATE: "launch_template", MIXED: "launch_template", DESIRED + TEMPLATE: "launch_template", DESIRED + MIXED: "launch_template", "VPCZoneIdentifier": "subnet"}
NEW = {("CreateAutoScalingGroup", "AutoScalingGroupName"), ("CreateAutoScalingGroup", "Tags.member.N.ResourceId"),
       ("CreateLaunchConfiguration", "LaunchConfigurationName")}
LATER = {("CompleteLifecycleAction", "InstanceId"), ("RecordLifecycleActionHeartbeat", "InstanceId"), ("ExitStandby", "InstanceIds.member.N")}  # no instance is in that state
LAST = ("DetachInstances", "TerminateInstanceInAutoScalingGroup", "DeleteAutoScalingGroup", "DeleteLaunchConfiguration")


def leaf(name):
    return name if name in KINDS else name.removesuffix(".member.N").split(".")[-1]


class AutoScaling(face.Face):
    name = "autoscaling"
    actions = autoscaling_world.ACTIONS

    def __init__(self):
        self.others = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                       if leaf(p["name"]) in KINDS and p["built"] and p["type"] != "list of structures" and (name, p["name"]) not in NEW
                       and not a.get("never")]
        named = [c for c in self.others if c not in LATER and (self.actions[c[0]]["writes"] or leaf(c[1]) == "AutoScalingGroupName")]
        self.doors = sorted(named, key=lambda c: (LAST.index(c[0]) + 1 if c[0] in LAST else "Delete" in c[0] or c[0].startswith("Detach")))

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = autoscaling_world.World(dev, dev.new_account("scaling"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(autoscaling_world.World(dev, dev.account), autoscaling_world.World(dev, dev.new_account("theirs")))
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

    def row(self, place, kind, value):
        if kind == "scaling_group":
            arn = place.arns[value]
        elif kind == "launch_configuration":
            listed = place.make("DescribeLaunchConfigurations", {"LaunchConfigurationNames.member.1": value})
            arn = listed.first(".//LaunchConfigurationARN")
        elif kind == "elastic_load_balancer":
            arn = f"{place.target.rpartition(':')[0]}:loadbalancer/{value}"
        elif kind == "target_group":
            return doors.Row(kind, value, value.rpartition("/")[0] + "/" + elb_world.ABSENT)
        else:
            return face.row(place.number, kind, value)
        return doors.Row(kind, arn, arn + "-other")

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        request = {**place.request(self.actions[name], param)}
        value = request.setdefault(wire(wanted), place.values[wanted])
        yield wanted, request, self.row(place, KINDS[leaf(wanted)], value)

    def compare(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        theirs, mine = place.theirs.request(self.actions[name], param).get(wire(wanted), place.theirs.values[wanted]), place.mine.request(self.actions[name], param)
        kind, told = KINDS[leaf(wanted)], []
        nobodys = (theirs.rpartition("/")[0] + "/" + elb_world.ABSENT if kind == "target_group"
                   else theirs[:-8] + "00000000" if kind in ("scaling_group", "launch_configuration", "elastic_load_balancer")
                   else theirs.partition("-")[0] + "-" + elb_world.ABSENT + "0")
        for value in (theirs, nobodys):
            answer = place.mine.call({**mine, wire(wanted): value})
            told.append((answer.status, answer.code, answer.text.partition("<RequestId>")[0].replace(value, "it")))
        yield f"{wire(wanted)}={theirs}", *told
