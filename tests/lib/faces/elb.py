# SPDX-License-Identifier: Apache-2.0
"""ELBv2's adapter for the matrices of tests/contract/cross/: an account with a load balancer, a listener, target groups and an instance."""
import contextlib

import doors
import elb_world
from dev import Dev
from elb_world import wire

from . import face

KINDS = {"LoadBalancerArn": "elastic_load_balancer", "LoadBalancerArns": "elastic_load_balancer", "TargetGroupArn": "target_group", "TargetGroupArns": "target_group",
         "ListenerArn": "listener", "ListenerArns": "listener", "ResourceArns": "elastic_load_balancer", "Subnets": "subnet", "SubnetId": "subnet",
         "AllocationId": "address", "VpcId": "router", "Id": "instance", "RuleArn": "listener_rule", "RuleArns": "listener_rule",
         "CertificateArn": "server_certificate", "SecurityGroups": "security_group"}


def leaf(name):
    return name.removesuffix(".member.N").split(".")[-1]


class ELB(face.Face):
    name = "elb"
    actions = elb_world.ACTIONS

    def __init__(self):
        self.others = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                       if leaf(p["name"]) in KINDS and p["built"] and p["type"] != "list of structures"]
        named = [c for c in self.others if c != ("DeregisterTargets", "Targets.member.N.Id") and c != ("DescribeTargetHealth", "Targets.member.N.Id")
                 and leaf(c[1]) != "AllocationId"]  # an address needs a VPC with an internet gateway
        self.doors = [c for c in named if "Delete" not in c[0]] + sorted((c for c in named if "Delete" in c[0]), key=lambda c: c[0] != "DeleteListener")

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = elb_world.World(dev, dev.new_account("elb"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(elb_world.World(dev, dev.account), elb_world.World(dev, dev.new_account("theirs")))
            made.before = made.theirs.state()
            yield made

    def unchanged(self, place):
        return place.theirs.state() == place.before

    def ask(self, caller, name, request):
        return caller.call(name, {k: v for k, v in request.items() if k != "Action"}, service="elasticloadbalancing", version=elb_world.VERSION)

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "AccessDenied")

    def alone(self, place, name):
        return place.request(self.actions[name], {"name": ""})

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        request = {**place.request(self.actions[name], param)}
        value = request.setdefault(wire(wanted), place.values[wanted])
        kind = KINDS[leaf(wanted)]
        row = doors.Row(kind, value, value.rpartition("/")[0] + "/" + elb_world.ABSENT) if value.startswith("arn:") else face.row(place.number, kind, value)
        yield wanted, request, row

    def compare(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        theirs, mine = place.theirs.request(self.actions[name], param).get(wire(wanted), place.theirs.values[wanted]), place.mine.request(self.actions[name], param)
        nobodys = theirs.rpartition("/")[0] + "/" + elb_world.ABSENT if theirs.startswith("arn:") else theirs.partition("-")[0] + "-" + elb_world.ABSENT + "0"
        told = []
        for value in (theirs, nobodys):
            answer = place.mine.call({**mine, wire(wanted): value})
            told.append((answer.status, answer.code, answer.text.partition("<RequestId>")[0].replace(value, "it")))
        yield f"{wire(wanted)}={theirs}", *told
