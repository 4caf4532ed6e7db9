# SPDX-License-Identifier: Apache-2.0
"""Requests of SCIM that must be refused: with an Error (RFC 7644, 3.12) whose detail names the attribute, and that change nothing."""
import contextlib
import json
import re

import cloud
from dev import Dev, Still, quote
from faces import face
from faces.scim import title
from scim import ABSENT, ERROR, USER, Domain, default_domain, put

from . import Mutants, NOT_JSON, texts, values

ACTIONS = {title(a): a for a in face.tables("scim")["actions"]}
BUILT = [n for n, a in ACTIONS.items() if not a.get("never")]
ROWS = [n for n in BUILT if "{id}" in n and ACTIONS[n]["kind"]]
BODIES = [n for n in BUILT if ACTIONS[n]["method"] in ("POST", "PUT", "PATCH")]
GOOD = {"createUser": {"userName": "new"}, "replaceUser": {"userName": "ann"}, "createGroup": {"displayName": "new"}, "replaceGroup": {"displayName": "crew"},
        "patchUser": {"Operations": [{"op": "replace", "path": "title", "value": "x"}]}, "patchGroup": {"Operations": [{"op": "replace", "path": "externalId", "value": "x"}]},
        "searchUsers": {}, "searchGroups": {}}
# Forms that RFC 7643 does not have and identity providers send: a single value stands for a list of it, and a text for the value of a complex attribute.
TAKEN = {"list of objects": ({}, ["x"], "x"), "object": ("x",)}


class SCIM(Mutants):
    name = "scim"
    actions = ACTIONS
    cases = {"strangers": BUILT, "nobody": BUILT, "bodies": BODIES, "parameters": BUILT, "missing": BODIES, "ids": [n for n in BUILT if "{id}" in n],
             "methods": sorted({a["path"] for a in ACTIONS.values()}), "absent": [n for n in ACTIONS if n not in BUILT]}
    unread = {"headers": BUILT, "queries": BUILT, "names": BODIES, "emptied": [n for n in BUILT if n not in BODIES]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            admin = cloud.admin(dev)
            made = default_domain(admin)
            made.member = Domain(admin, "of-member", "member")
            made.rows = {"user": made.user("ann"), "user_group": made.group("crew")}
            made.still = Still(dev, made.users_and_groups)
            yield made
            made.still.ends()

    def path(self, place, name, identifier=None):
        row = place.rows.get(ACTIONS[name]["kind"])
        return "/" + ACTIONS[name]["path"].replace("{id}", identifier or (row["id"] if row else USER if "Schemas" in name else "User"))

    def good(self, name, changes=()):
        """A body that would be accepted, with members changed."""
        body = json.loads(json.dumps(GOOD.get(ACTIONS[name]["name"]) or {}))
        for member, value in changes:
            put(body, member, value)
        return body if name in BODIES else None

    def say(self, place, name, tried, statuses, word=None, path=None, by=None, **how):
        """Complaints about the answer."""
        how.setdefault("body", self.good(name) if "raw" not in how else None)
        answer = (by or place).call(ACTIONS[name]["method"], path or self.path(place, name), **how)
        said = answer.json
        why = (f"is not {statuses}" if answer.status not in statuses else "is no Error" if said["schemas"] != [ERROR] or said["status"] != str(answer.status) or not said["detail"] else
               f"does not name {word}" if word and word.lower() not in said["detail"].lower() else None)
        return [f"{tried}: {why}: {answer}"] if why else []

    # ---- who asks

    def strangers(self, place, name):
        for token in (":", "x", "x:y", place.key, f"{place.key}:{place.secret}x", "A" * 5000):
            yield from self.say(place, name, token[:9], (401,), token=token)
        for header in ("", f"Basic {place.token}", f"Bearer{place.token}"):
            yield from self.say(place, name, header[:9], (401,), headers={"Authorization": header})

    def nobody(self, place, name):
        yield from self.say(place, name, "a member", (403,), by=place.member)

    # ---- bodies

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(place, name, raw[:20], (400,), raw=raw)
        yield from self.say(place, name, "a form", (415,), raw=b"{}", headers={"Content-Type": "application/x-www-form-urlencoded"})

    def parameters(self, place, name):
        for p in ACTIONS[name]["params"]:
            word = re.split(r"[.:]", p["name"])[-1]
            if p["in"] == "query":
                for value in texts(p):
                    yield from self.say(place, name, f"{p['name']}={value[:50]}", (400,), word, path=f"{self.path(place, name)}?{p['name']}={quote(value)}")
            elif p["in"] == "body" and p["type"] != "any":
                for value in values(p):
                    if value not in TAKEN.get(p["type"], ()) or p["name"] in ("name", "Operations"):
                        yield from self.say(place, name, f"{p['name']}: {json.dumps(value)[:50]}", (400, 413), word, body=self.good(name, [(p["name"], value)]))

    def missing(self, place, name):
        for p in ACTIONS[name]["params"]:
            if p["required"] and p["in"] == "body":
                body = self.good(name)
                owner = body["Operations"][0] if p["name"].startswith("Operations.N.") else body
                del owner[p["name"].rpartition(".")[2]]
                yield from self.say(place, name, f"without {p['name']}", (400,), p["name"].rpartition(".")[2], body=body)

    # ---- paths

    def ids(self, place, name):
        for junk in ("x", "x" * 2000, "%00", "..%2F..", "%C3%A9", "0", ABSENT, ABSENT.upper() + "0"):
            yield from self.say(place, name, junk[:9], (400, 404), path=self.path(place, name, junk))

    def methods(self, place, path):
        """Methods that the path does not have."""
        known = {a["method"] for a in ACTIONS.values() if a["path"] == path}
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - known):
            answer = place.call(method, "/" + path.replace("{id}", ABSENT), {} if method in ("POST", "PUT", "PATCH") else None)
            if answer.status != (404 if path.endswith("s/.search") and method in ("GET", "PUT", "PATCH", "DELETE") else 405):  # no resource has this id
                yield f"{method}: {answer}"

    def absent(self, place, name):
        """Calls that the tables call not implemented answer 501."""
        yield from self.say(place, name, "as it is", (501,), "not implemented", path=self.path(place, name), body={} if ACTIONS[name]["method"] != "GET" else None)

    # ---- names that no row has

    def refuses(self, name):
        return {"If-Match": '"no-such-tag"', "If-None-Match": "*"}

    def told(self, place, name, headers, query=""):
        """A change has a body that is refused, and a deletion a condition that no row meets, so that nothing changes."""
        sent = {"If-Match": '"no-such-tag"', **headers} if name.startswith("DELETE") else headers
        answer = place.call(ACTIONS[name]["method"], self.path(place, name) + query, {"Operations": 7} if name in BODIES else None, headers=sent)
        return answer.status, answer.text, name.startswith("GET")

    def is_refused_for(self, header, answer, plain):
        """RFC 9110, 13.1: a read that is not to be repeated, and a change that is not to be made."""
        return answer[0] == (304 if header == "If-None-Match" and plain[2] else 412)

    def queries(self, place, name):
        """RFC 7644, 3.4.2: a provider should ignore query parameters that it does not recognize."""
        plain, asked = (self.told(place, name, {}, query) for query in ("", "?colour=red&sortBy=userName"))
        if asked != plain:
            yield f"{plain}, and with another name {asked}"

    def names(self, place, name):
        """RFC 7644, 3.3: a provider is free to ignore content of a resource. A path that names an unknown attribute is refused."""
        if ACTIONS[name]["method"] == "PATCH":
            for path in ("colour", "name.colour", "members.colour", 'emails[colour eq "x"]', "urn:x:colour"):
                yield from self.say(place, name, path, (400,), body={"Operations": [{"op": "replace", "path": path, "value": "x"}]})

    def emptied(self, place, name):
        """RFC 9110, 9.3: content of a GET or DELETE has no meaning, so that it must not change the answer."""
        method, path = ACTIONS[name]["method"], self.path(place, name, ABSENT if name.startswith("DELETE") else None)
        plain, asked = (place.call(method, path, body) for body in (None, {"colour": "red"}))
        if (plain.status, plain.text) != (asked.status, asked.text):
            yield f"{plain}, and with a body {asked}"
