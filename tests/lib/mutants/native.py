# SPDX-License-Identifier: Apache-2.0
"""Requests of the native API that must be refused: with a problem document (RFC 9457) that names the field."""
import contextlib
import json
import re

import native as lib
import saml_idp
from cloud import ABSENT, body_of
from dev import Dev, quote
from faces.native import UNLIKE

from . import Mutants, NOT_JSON, Silent, texts, values

ACTIONS = {f"{a['method']} {a['path']}": a for a in lib.dump()["actions"]}
ASKED = [n for n, a in ACTIONS.items() if not a["open"]]
GIVEN = {"secret": "x" * 16, "metadata": saml_idp.Provider().metadata(), "data": "eA==", ("PUT /limits", "name"): "users", ("POST /providers/{id}/prices", "currency"): "EUR", "action": "ec2:RunInstances"}  # values that cannot be derived from the tables
STREAMS = {"GET /stream"}  # endless answers
RAW = {"PUT /images/{id}/data"}  # bodies that are an image's bytes
BODIES = [n for n in ASKED if n not in RAW and any(p["in"] == "body" for p in ACTIONS[n]["params"])]


def path_of(name, identifier=ABSENT):
    return re.sub(r"\{\w+\}", identifier, ACTIONS[name]["path"])


def good(name, mutated=None, value=None):
    """A body with the call's required members, and one member mutated."""
    body = body_of({**ACTIONS[name], "name": None, "wrap": None}, mutated, value)
    return body and {k: GIVEN.get((name, k), GIVEN.get(k, v)) if k != mutated else v for k, v in body.items()}


def wrong(answer, statuses, field=None):
    """Complaints about the refusal."""
    said = answer.json
    if answer.status not in statuses or not isinstance(said, dict):
        return f"is not {statuses}"
    if not said["type"].startswith("urn:dari:") or said["status"] != answer.status or not said["title"] or not said["detail"] or not said["request_id"] \
            or answer.headers["Content-Type"] != "application/problem+json":
        return "is no problem document"
    own = said.get("field", "")
    return None if field is None or own.split(".")[0] in (field.split(".")[0], field.split(".")[-1]) else f"does not name {field}"


class Native(Mutants):
    name = "native"
    actions = ACTIONS
    unread = {"headers": [n for n in ASKED if n not in STREAMS | RAW], "queries": [n for n in ASKED if n not in STREAMS], "names": BODIES, "emptied": [n for n in ASKED if n not in BODIES and n not in RAW and not n.startswith("GET")]}
    cases = {"strangers": ASKED, "nobody": [n for n in ASKED if ACTIONS[n]["admin"]], "bodies": BODIES, "parameters": ASKED, "missing": ASKED,
             "ids": [n for n in ASKED if "{" in n and n not in RAW]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = lib.admin(dev)
            made.member = lib.own(dev)
            zone = made.api_ok("GET", "/zones")["items"][0]["id"]
            GIVEN["ids"] = [made.api_ok("POST", "/volumes", {"size": 1 << 30, "type": "gp2", "zone": zone})["items"][0]["ec2"]]
            made.still = Silent(dev)
            yield made
            made.still.look()

    def say(self, by, name, tried, statuses, field=None, path=None, body=None, **how):
        """Complaints about the answer."""
        answer = by.call(ACTIONS[name]["method"], lib.PREFIX + (path or path_of(name)), body, **how)
        why = wrong(answer, statuses, field)
        return [f"{tried}: {why}: {answer}"] if why else []

    def strangers(self, place, name):
        for token in ("", "x", "A" * 5000):
            yield from self.say(place, name, token[:9], (401,), headers={"X-Auth-Token": token})

    def nobody(self, place, name):
        yield from self.say(place.member, name, "a member", (403,), body=good(name))

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(place, name, raw[:20], (400,), raw=raw)

    def parameters(self, place, name):
        for p in ACTIONS[name]["params"]:
            if p["in"] == "body":
                for value in values({**p, "by_name": p["type"] == "list of ids" or p["name"] == "limit"}):  # ids may be names, limits numbers
                    yield from self.say(place, name, f"{p['name']}: {json.dumps(value)[:50]}", (400,), p["name"], body=good(name, p["name"], value))
            elif p["in"] == "query":
                others = "".join(f"&{q['name']}={GIVEN.get(q['name'], 'x')}" for q in ACTIONS[name]["params"] if q["in"] == "query" and q["required"] and q is not p)
                for value in texts(p):
                    path = f"{path_of(name)}?{p['name']}={quote(value)}{others}"
                    yield from self.say(place, name, f"{p['name']}={value[:50]}", (400, 404), p["name"], path=path)

    def missing(self, place, name):
        for p in ACTIONS[name]["params"]:
            if p["required"] and p["in"] == "body" and "." not in p["name"]:
                yield from self.say(place, name, f"without {p['name']}", (400,), p["name"], body={k: v for k, v in good(name).items() if k != p["name"]})
                yield from self.say(place, name, f"{p['name']}: null", (400,), p["name"], body={**good(name), p["name"]: None})

    def ids(self, place, name):
        for junk in ("x", "x" * 2000, "%00", "..%2F..", "%C3%A9", "0"):
            yield from self.say(place, name, junk[:9], (400, 404), path=path_of(name, junk), body=good(name))

    def refuses(self, _name):
        return {"If-Match": '"x"', "If-None-Match": "*"}

    def told(self, place, name, headers):
        """A change has a member that is refused, so that it changes nothing."""
        body = {"colour": "red"} if not name.startswith("GET") else None
        query = "&".join(f"{p['name']}={GIVEN.get(p['name'], 'x')}" for p in ACTIONS[name]["params"] if p["in"] == "query" and p["required"])
        answer = place.call(ACTIONS[name]["method"], f"{lib.PREFIX}{path_of(name)}?{query}", body, headers=headers)
        return answer.status, UNLIKE.sub("", answer.text), "ETag" in answer.headers, name.startswith("GET")

    def is_refused_for(self, header, answer, plain):
        """If-None-Match is for reads: a list that has an entity tag is not sent again."""
        if header == "If-None-Match" and (plain[2] or plain[0] == 200):
            return answer[0] == 304 if plain[2] else answer == plain
        if header == "If-None-Match" and plain[3]:
            return answer == plain  # a read that is refused anyway
        return answer[0] == 400 and f'"field":"{header}"' in answer[1]

    def queries(self, place, name):
        """Lists refuse unknown filters; a change must not ignore a misspelt "dry"."""
        yield from self.say(place, name, "?colour=red", (400,), "colour", path=path_of(name) + "?colour=red", body=good(name))

    def names(self, place, name):
        for outer in ["", *(p["name"] + ("." if p["type"] == "object" else ".N.") for p in ACTIONS[name]["params"] if p["type"] in ("object", "list of objects"))]:
            yield from self.say(place, name, outer, (400,), f"{outer}colour", body=good(name, f"{outer}colour", "red"))

    def emptied(self, place, name):
        """A body for a call without one."""
        yield from self.say(place, name, "a body", (400,), "colour", body={"colour": "red"})
