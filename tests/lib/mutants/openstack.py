# SPDX-License-Identifier: Apache-2.0
"""OpenStack's requests that must be refused, in the form of each service."""
import contextlib
import json

import cloud
from cloud import ABSENT, body_of, dump, members, minor_of, path_of, title, version_of
from dev import Dev, Still

from . import BY_HTTP, Mutants, NOT_JSON, values

TABLES = dump()
ACTIONS = {title(a): a for a in TABLES["actions"]}
JSON_BODIES = [t for t, a in ACTIONS.items() if members(a) and not a["raw"]]


def misformed(action, answer):
    """Deviations of a refusal's body from its service's format."""
    body = answer.json
    refusals = range(400, 502 if action["service"] == "load-balancer" else 500)  # a provider of Octavia that lacks an option answers 501
    if answer.status not in refusals or not isinstance(body, dict) or not body:
        return "is no refusal"
    if action["service"] == "identity" or answer.status == 401:
        fine = body["error"]["code"] == answer.status
    elif action["service"] == "network":
        fine = {"type", "message", "detail"} == body["NeutronError"].keys()
    elif action["service"] in ("compute", "block-storage"):
        fine = len(body) == 1 and all(f["code"] == answer.status and f["message"] for f in body.values())
    else:
        fine = action["service"] != "image" or body["code"].startswith(str(answer.status))
    return None if fine and "x-openstack-request-id" in {n.lower() for n in answer.headers} else "is not in the service's form"


def wrong(action, answer, statuses, *named):
    """Complaints about the refusal."""
    if answer.status not in statuses:
        return f"is not {statuses}"
    return (misformed(action, answer) if answer.json or 400 in statuses[:1] else None) or next((f"does not name {n}" for n in named if n not in answer.text), None)


class OpenStack(Mutants):
    name = "openstack"
    actions = ACTIONS
    unread = {
        "headers": [t for t, a in ACTIONS.items() if not a["open"] and a["path"] != "/"],
        "queries": [t for t, a in ACTIONS.items() if a["method"] == "GET" and not a["open"] and a["path"] != "/"], "names": JSON_BODIES,
        "beside": [t for t in JSON_BODIES if ACTIONS[t]["name"] or ACTIONS[t]["wrap"]]}
    # WebOb's responses compare no condition unless conditional_response is set, and Flask's none without make_conditional(): of these
    # services Neutron alone reads one (check_request_for_revision_constraint).
    passed_over = {**BY_HTTP, **dict.fromkeys(("If-Match", "If-None-Match"), "WebOb, Response.conditional_response")}
    cases = {
        "strangers": [t for t, a in ACTIONS.items() if not a["open"]],
        "ids": [t for t, a in ACTIONS.items() if any(p["in"] == "path" and p.get("kind") and not p["by_name"] for p in a["params"]) and not a["raw"]],
        "bodies": JSON_BODIES, "parameters": JSON_BODIES, "missing": JSON_BODIES}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = cloud.admin(dev)
            made.member = cloud.another(dev, "acme")
            made.member.ok("GET", "/network/v2.0/security-groups")  # this list creates the default group
            dev.rest()
            made.still = Still(dev, lambda: cloud.digest(TABLES, made))
            yield made
            made.still.ends()

    def say(self, place, name, tried, statuses, *named, path=None, body=None, **how):
        """Complaints about the answer."""
        action = ACTIONS[name]
        answer = place.call(action["method"], path or path_of(action), body, version=version_of(action), **how)
        why = wrong(action, answer, statuses, *named)
        return [f"{tried}: {why}: {answer}"] if why else []

    def strangers(self, place, name):
        action = ACTIONS[name]
        for token in ("", "x", "A" * 176, "A" * 5000):
            answer = place.call(action["method"], path_of(action), body_of(action), headers={"X-Auth-Token": token}, version=version_of(action))
            why = wrong(action, answer, (401,)) or misformed(action, answer)
            if why or not answer.headers["WWW-Authenticate"].startswith("Keystone uri="):
                yield f"{token[:9]}: {why}: {answer}"

    def ids(self, place, name):
        """A value that cannot be an id is an unknown id."""
        for junk in ("x", "x" * 2000, "%00", "..%2F..", "%C3%A9", "0"):
            path = path_of(ACTIONS[name]).replace(ABSENT, junk, 1)
            answer = place.call(ACTIONS[name]["method"], path, body_of(ACTIONS[name]), version=version_of(ACTIONS[name]))
            why = wrong(ACTIONS[name], answer, (404, 400))
            if why:
                yield f"{junk[:9]}: {why}: {answer}"

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(place, name, raw[:20], (400,), raw=raw)

    def parameters(self, place, name):
        for p in members(ACTIONS[name]):
            more = [None] if not p["nullable"] and p["built"] and p["type"] != "any" else []
            for value in [*values(p), *more]:
                yield from self.say(place, name, f"{p['name']}: {json.dumps(value)[:50]}", (400, 501), p["name"].rpartition(".")[2],
                                    body=body_of(ACTIONS[name], p["name"], value))

    def refuses(self, name):
        is_compared = ACTIONS[name]["service"] == "network" and ACTIONS[name]["method"] in ("PUT", "DELETE")
        return {"If-Match": "revision_number=x"} if is_compared else {}

    def told(self, place, name, headers):
        """Calls as a user who is no administrator. The body of a change is malformed, so that it changes nothing."""
        action = ACTIONS[name]
        raw = b"{" if members(action) and action["method"] != "GET" and not self.refuses(name) else None
        body = body_of(action) if self.refuses(name) and members(action) else None
        answer = place.member.call(action["method"], path_of(action), body, version=version_of(action), raw=raw, headers=headers)
        return answer.status, answer.same()

    def is_refused_for(self, _header, answer, plain):
        return answer[0] == 400 and "if-match request" in answer[1] or (answer == plain and plain[0] == 403)

    def missing(self, place, name):
        action = ACTIONS[name]
        for p in (p for p in members(action) if p["required"] and "." not in p["name"]):
            body = body_of(action)
            del (body[action["name"] or action["wrap"]] if action["name"] or action["wrap"] else body)[p["name"]]
            yield from self.say(place, name, f"without {p['name']}", (400,), p["name"], body=body)

    def queries(self, place, name):
        """Unknown query parameters, from a non-administrator: either the same answer as without, or a refusal."""
        action, rule = ACTIONS[name], ACTIONS[name]["unknown_query"]
        plain, asked = (place.member.call("GET", path_of(action) + query, version=version_of(action)) for query in ("", "?colour=red"))
        if plain.status != 200:
            fine = asked.status in (plain.status, 400)
        elif rule["since"] is not None and minor_of(action) >= rule["since"]:
            fine = asked.status == 400 and QUERY_WORDS[action["service"]] in asked.text
        else:  # a summary refuses a filter as its list does
            fine = rule["source"] and (asked.status == 200 or QUERY_WORDS[action["service"]] in asked.text)
        if not fine:
            yield f"{plain}, and with another name {asked}"

    def names(self, place, name):
        action = ACTIONS[name]
        objects = [p["name"] + (".N" if p["type"] == "list of objects" else "") for p in members(action) if p["type"] in ("object", "list of objects")]
        keeps = (action["service"], action["method"]) in ENTIRE
        for outer in ([] if keeps else [""]) + objects:
            if "os-quota" not in action["path"]:
                yield from self.say(place, name, outer, (400, 401) if action["path"] == "/v3/auth/tokens" else (400,),
                                    *(() if action["path"] == "/v3/auth/tokens" else [WORDS.get(action["service"], UNEXPECTED)]),
                                    body=body_of(action, (outer + "." if outer else "") + "colour", "red"))

    def beside(self, place, name):
        words = "too many body keys" if ACTIONS[name]["name"] else WORDS.get(ACTIONS[name]["service"], UNEXPECTED)
        yield from self.say(place, name, "beside the object", (400,), words, body={**body_of(ACTIONS[name]), "colour": "red"})


ENTIRE = {  # bodies that keep members unknown to their service
    ("identity", "POST"), ("identity", "PATCH"), ("identity", "PUT"), ("image", "POST"), ("image", "PUT")}
UNEXPECTED = "('colour' was unexpected)"
WORDS = {"network": "Unrecognized attribute(s) 'colour'", "alarming": "Unknown attribute: colour", "metric": "extra keys not allowed @ data['colour']"}
QUERY_WORDS = {"network": "['colour'] is invalid attribute for filtering", "block-storage": "Invalid filters colour are found",
               "compute": UNEXPECTED, "placement": UNEXPECTED,
               "load-balancer": "One or more arguments are either duplicate or invalid: 'colour'", "key-manager": "The query parameter 'colour' is not known.",
               "alarming": 'Unknown argument: \\"colour\\"'}
