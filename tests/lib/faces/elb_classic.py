# SPDX-License-Identifier: Apache-2.0
"""The adapter of Classic Load Balancers for the matrices of tests/contract/cross/: an account with a load balancer that has an instance."""
import contextlib

import classic_world
import doors
import elb_world
from dev import Dev
from elb_world import wire

from . import face

KINDS = {"LoadBalancerName": "elastic_load_balancer", "LoadBalancerNames": "elastic_load_balancer", "Subnets": "subnet", "SecurityGroups": "security_group",
         "InstanceId": "instance", "SSLCertificateId": "server_certificate"}
NEW = {("CreateLoadBalancer", "LoadBalancerName")}
LAST = ("DetachLoadBalancerFromSubnets", "DeleteLoadBalancer")


def leaf(name):
    return name.removesuffix(".member.N").split(".")[-1]


class ELBClassic(face.Face):
    name = "elb_classic"
    actions = classic_world.ACTIONS

    def __init__(self):
        self.others = [(name, p["name"]) for name, a in sorted(self.actions.items()) for p in a["params"]
                       if leaf(p["name"]) in KINDS and p["built"] and p["type"] != "list of structures" and (name, p["name"]) not in NEW]
        named = [c for c in self.others if c[0] != "DeregisterInstancesFromLoadBalancer" or c[1] == "LoadBalancerName"]
        # a load balancer that is the last one's only subnet stays, and a zone has one subnet of a load balancer
        self.doors = sorted((c for c in named if c[1] != "Subnets.member.N" or c[0] == "CreateLoadBalancer"),
                            key=lambda c: LAST.index(c[0]) + 1 if c[0] in LAST else "Delete" in c[0])
        self.goes = [c for c in self.doors if c[0] != "DetachLoadBalancerFromSubnets"]

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            made = classic_world.World(dev, dev.new_account("classic"))
            made.guest = face.Guest(made.account, "guest")
            yield made

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(classic_world.World(dev, dev.account), classic_world.World(dev, dev.new_account("theirs")))
            made.before = made.theirs.state()
            yield made

    def unchanged(self, place):
        return place.theirs.state() == place.before

    def ask(self, caller, name, request):
        return caller.call(name, {k: v for k, v in request.items() if k != "Action"}, service=classic_world.SERVICE, version=classic_world.VERSION)

    def is_refused(self, answer):
        return (answer.status, answer.code) == (403, "AccessDenied")

    def alone(self, place, name):
        return place.request(self.actions[name], {"name": ""})

    def asked(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        request = {**place.request(self.actions[name], param)}
        value, kind = request.setdefault(wire(wanted), place.values[wanted]), KINDS[leaf(wanted)]
        row = doors.Row(kind, place.arn, place.arn + "-other") if kind == "elastic_load_balancer" else \
            doors.Row(kind, value, value + "-other") if value.startswith("arn:") else face.row(place.number, kind, value)
        yield wanted, request, row

    def compare(self, place, name, wanted):
        param = next(p for p in self.actions[name]["params"] if p["name"] == wanted)
        theirs, mine = place.theirs.request(self.actions[name], param).get(wire(wanted), place.theirs.values[wanted]), place.mine.request(self.actions[name], param)
        nobodys = theirs[:-8] + "00000000" if KINDS[leaf(wanted)] in ("elastic_load_balancer", "server_certificate") else \
            theirs.partition("-")[0] + "-" + elb_world.ABSENT + "0"
        told = []
        for value in (theirs, nobodys):
            answer = place.mine.call({**mine, wire(wanted): value})
            told.append((answer.status, answer.code, answer.text.partition("<RequestId>")[0].replace(value, "it")))
        yield f"{wire(wanted)}={theirs}", *told
