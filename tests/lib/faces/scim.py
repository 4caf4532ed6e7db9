# SPDX-License-Identifier: Apache-2.0
"""SCIM's adapter for the matrices of tests/contract/cross/: the default domain, whose administrator's key is for the account of `dari dev`, so that
the account's policies apply; and two more domains for the matrix of two accounts."""
import contextlib
import itertools
import re

import cloud
import scim as lib
from dev import Dev, Still
from scim import ABSENT, Domain, operation

from . import face

MEMBERS, OPERATIONS = "members.N.value", "Operations.N.value"
GROUP_PATCH = "PATCH Groups/{id}"


def title(action):
    return f"{action['method']} {action['path']}"


def named(action):
    """Parameters that name a row. A group's members are a member of POST and PUT, and the value of an operation of PATCH."""
    yield from ((p["name"], p["kind"]) for p in action["params"] if p["type"] == "id" and p.get("kind"))
    if title(action) == GROUP_PATCH:
        yield OPERATIONS, "user"


class SCIM(face.Face):
    name = "scim"

    def __init__(self):
        self.actions = {title(a): a for a in face.tables("scim")["actions"] if not a.get("never")}
        self.others = [(name, param) for name, a in sorted(self.actions.items()) for param, _ in named(a)]
        self.doors = [c for c in self.others if not c[0].startswith("DELETE")] + [c for c in self.others if c[0].startswith("DELETE")]
        self.filters = sorted(name for name, a in self.actions.items() if a["lists"])
        self.counter = itertools.count()

    # ---- requests

    def fill(self, place, name, rows):
        """Path and body of a call that changes something. rows: kind → resource."""
        action, count = self.actions[name], next(self.counter)
        path = "/" + action["path"].replace("{id}", rows[action["kind"]]["id"] if action["kind"] in rows else "User")
        members = [{"value": rows["user"]["id"]}]
        kept = rows.get(action["kind"], {})
        bodies = {"POST Users": {"userName": f"new-{count}"}, "POST Groups": {"displayName": f"new-{count}", "members": members},
                  "PUT Users/{id}": {"userName": kept.get("userName"), "title": str(count)},
                  "PUT Groups/{id}": {"displayName": kept.get("displayName"), "externalId": str(count), "members": members},
                  "PATCH Users/{id}": {"Operations": [operation("replace", "title", str(count))]},
                  GROUP_PATCH: {"Operations": [operation("replace", "externalId", str(count)), operation("add", "members", members)]}}
        return path, bodies.get(name, {} if action["method"] == "POST" else None)

    def ask(self, caller, name, request):
        return caller.call(self.actions[name]["method"], *request)

    # ---- doors

    @contextlib.contextmanager
    def open(self):
        with Dev() as dev:
            place = lib.default_domain(cloud.admin(dev))
            place.dev, place.number = dev, dev.account.client("sts").get_caller_identity()["Account"]
            place.rows = {"user": place.user("ann"), "user_group": place.group("crew")}
            place.guest = face.Guest(dev.account, "boss", place)
            yield place

    def guest_of(self, place, what, _action):
        """The role of administrator allows calls as a policy would."""
        return None if what.startswith("Allow") else place.guest

    def is_refused(self, answer):
        return answer.status == 403 and answer.json["schemas"] == [lib.ERROR]

    def alone(self, place, name):
        return self.fill(place, name, place.rows)

    def asked(self, place, name, wanted):
        kind = dict(named(self.actions[name]))[wanted]
        row = place.rows[kind]
        yield wanted, self.fill(place, name, place.rows), face.row(place.number, kind, row["id"], row.get("userName") or row["displayName"])

    def seen(self, place, _name, _param):
        return place.users_and_groups()

    # ---- two domains

    @contextlib.contextmanager
    def open_two(self):
        with Dev() as dev:
            admin = cloud.admin(dev)
            made = face.Two(*(Domain(admin, name) for name in ("mine", "theirs")))
            for place in (made.mine, made.theirs):
                ann = place.user("ann", externalId="x-ann", password="geheim-1", emails=[{"value": "ann@work.test"}])
                place.rows = {"user": ann, "user_group": place.group("crew", ann)}
            made.unchanged = Still(dev, made.theirs.users_and_groups)
            yield made
            dev.rest()
            made.unchanged.ends()

    def compare(self, place, name, wanted):
        """Compares the other domain's row with a missing one."""
        kind, told = dict(named(self.actions[name]))[wanted], []
        for identifier in (place.theirs.rows[kind]["id"], ABSENT):
            rows = {**place.mine.rows, kind: {**place.mine.rows[kind], "id": identifier}}
            answer = self.ask(place.mine, name, self.fill(place.mine, name, rows))
            assert 400 <= answer.status < 500, answer
            told.append((answer.status, answer.text.replace(identifier, "ID")))
        yield kind, *told

    def filtered(self, place, name):
        """Yields (filter, rows of the other domain found), and totals that a filter by them changes."""
        theirs = {kind: row["id"] for kind, row in place.theirs.rows.items()}
        ids = [f'{attribute} eq "{i}"' for i in theirs.values() for attribute in (
            ("id", "groups.value", "meta.location") if self.actions[name]["kind"] == "user" else ("id", "members.value", "members.display", "meta.location"))]
        for text in ["", 'meta.created pr', *ids, *(f'not ({i})' for i in ids)]:
            found = place.mine.listed(self.actions[name], text)
            assert text not in ids or not found["totalResults"], f"{text}: {found}"
            yield text, [i for i in [place.theirs.domain, *theirs.values()] if re.search(i, str(found))]
