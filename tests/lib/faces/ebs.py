# SPDX-License-Identifier: Apache-2.0
"""EBS direct's adapter for the matrices of tests/contract/cross/: accounts with snapshots that are completed and pending."""
import contextlib

import ebs as lib
from dev import Dev, Still

from . import face

ACTIONS = {a["name"]: a for a in face.tables("ebs")["actions"]}


class EBS(face.Face):
    name = "ebs"
    actions = ACTIONS

    def __init__(self):
        self.others = [(name, p["name"]) for name, a in sorted(ACTIONS.items()) for p in a["params"] if p.get("kind")]
        self.doors = self.others

    def ask(self, caller, name, request):
        return lib.call(caller, ACTIONS[name], request)

    # ---- doors

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            place = lib.World(dev.account, ACTIONS)
            place.number = dev.account.client("sts").get_caller_identity()["Account"]
            place.guest = face.Guest(dev.account, "guest")
            yield place

    def is_refused(self, answer):
        return (answer.status, answer.code, answer.reason) == (403, "AccessDeniedException", "UNAUTHORIZED_ACCOUNT")

    def alone(self, place, name):
        return {**place.values(name), "ParentSnapshotId": None} if name == "StartSnapshot" else place.values(name)

    def asked(self, place, name, wanted):
        request = place.values(name)
        yield wanted, request, face.row(place.number, "snapshot", request[wanted])

    def seen(self, place, _name, _param):
        return place.snapshots()

    # ---- two accounts

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            made = face.Two(lib.World(dev.account, ACTIONS), lib.World(dev.new_account("theirs"), ACTIONS))
            made.unchanged = Still(dev, made.theirs.snapshots)
            yield made
            dev.rest()
            made.unchanged.ends()

    def compare(self, place, name, wanted):
        """Compares the other account's snapshots, completed and pending, with a missing one."""
        for theirs in (place.theirs.values(name)[wanted], place.theirs.pending):
            told = []
            for identifier in (theirs, lib.ABSENT):
                answer = self.ask(place.mine.account, name, {**place.mine.values(name), wanted: identifier})
                assert 400 <= answer.status < 500, answer
                told.append((answer.status, answer.code, answer.text.replace(identifier, "ID")))
            yield wanted, *told
