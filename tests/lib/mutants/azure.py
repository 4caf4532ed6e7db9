# SPDX-License-Identifier: Apache-2.0
"""Azure's requests that must be refused, in Azure Resource Manager's form."""
import contextlib
import os
import re

from azure import Cloud
from dev import Dev
from faces import face

from . import BY_HTTP, LONGEST, Mutants, Silent, values

# Only members of bodies are mutated: other tests cover paths and queries.
CALLS = {f"{a['method']} {a['path']}": {**a, "params": [p for p in a["params"] if p["in"] == "body"]} for a in face.tables("azure")["actions"]}
# tests/contract/azure/signin.py covers the sign-in and unauthenticated calls.
ASKED = [n for n, a in CALLS.items() if not a["open"]]
IN_SUBSCRIPTION = [n for n in ASKED if "{subscriptionId}" in n]
CHANGES = [n for n in IN_SUBSCRIPTION if not n.startswith(("GET", "HEAD"))]
BODIES = [n for n in CHANGES if CALLS[n]["params"]]
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
KNOWN = {"resourceGroupName": "dari-default", "location": "useast1", "resourceProviderNamespace": "Microsoft.Compute", "resourceType": "virtualMachines"}
GOOD = {"integer": 1, "boolean": True, "list of objects": [], "list of strings": [], "any": [], "object of strings": {}}


def path_of(name, subscription):
    """The call's path with unknown names."""
    path = name.split(" ", 1)[1].replace("/subscriptions/{subscriptionId}", subscription)
    return re.sub(r"\{(\w+)\}", lambda m: KNOWN.get(m[1], ABSENT), path)


def version_of(name):
    return CALLS[name]["versions"].split("|")[-1]


def wrong(answer, *wanted):
    """Complaints about a refusal: (status, code) must be one of `wanted`."""
    status, _, body = answer
    if status not in {w[0] for w in wanted}:
        return f"{status} {body}"
    if body is None:
        return None
    fine = set(body) == {"error"} and (status, body["error"]["code"]) in wanted and body["error"]["message"] \
        and not re.search(r"(?i)internal|null pointer|assert", body["error"]["message"])
    return None if fine else f"{status} {body}"


def put(body, name, value):
    """Sets a member at a dotted name: "properties.level" is a member of an object."""
    *outer, last = name.split(".")
    for part in outer:
        body = body.setdefault(part, {})
        if not isinstance(body, dict):
            return
    body[last] = value


def good(params):
    """A body with all required members, of valid form."""
    body = {}
    for p in params:
        if p["required"] and p["type"] != "object":
            put(body, p["name"], p["words"].split("|")[0] if p.get("words") else GOOD.get(p["type"], "x"))
    return body


class Azure(Mutants):
    name = "azure"
    actions = CALLS
    # azure-rest-api-specs: reads and actions of Microsoft.Compute and .Network, and all of .Resources have no parameter of these names.
    passed_over = {**BY_HTTP, **dict.fromkeys(("If-Match", "If-None-Match"), "azure-rest-api-specs")}
    unread = {"headers": [n for n in IN_SUBSCRIPTION if n not in CHANGES or "/providers/" in n], "queries": IN_SUBSCRIPTION, "names": BODIES, "unbuilt": BODIES}
    cases = {"strangers": ASKED, "versions": ASKED, "anothers": IN_SUBSCRIPTION, "nobody": [n for n in CHANGES if not CALLS[n]["for_all"]],
             "bodies": BODIES, "parameters": BODIES}

    @contextlib.contextmanager
    def make(self):
        before = {name: os.environ.get(name) for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE")}
        with Dev("--tls") as dev:
            made = Cloud(dev)
            os.environ.update(dict.fromkeys(before, made.ca))
            try:
                made.stranger = dev.new_account("stranger")
                made.nobody = face.Guest(dev.account, "nobody").caller
                made.own, made.others = made.subscription(), made.subscription(made.stranger)
                made.bearer = f"Bearer {made.token_of(dev.account)}"
                made.token_of(made.nobody)
                made.still = Silent(dev)
                yield made
                made.still.look()
            finally:
                for name, value in before.items():
                    os.environ.pop(name) if value is None else os.environ.update({name: value})

    def strangers(self, place, name):
        method, path = name.split(" ")[0], f"{path_of(name, place.own)}?api-version={version_of(name)}"
        answer = place.send(method, path)
        yield from filter(None, [wrong(answer, (401, "AuthenticationFailed")),
                                 wrong(place.send(method, path, Authorization="Bearer x.y.z"), (401, "InvalidAuthenticationToken"))])
        if not (answer[1]["WWW-Authenticate"] or "").startswith("Bearer authorization_uri="):
            yield f"{answer[1]['WWW-Authenticate']}"

    def versions(self, place, name):
        method, path = name.split(" ")[0], path_of(name, place.own)
        invalid = (400, "InvalidApiVersionParameter")
        for query, *wanted in [("", (400, "MissingApiVersionParameter")), *((f"?api-version={v}", invalid) for v in ("x", "2019-1-1", "2019-01-01preview")),
                               ("?api-version=2001-01-01", invalid, (400, "NoRegisteredProviderFound"))]:
            why = wrong(place.send(method, path + query, Authorization=place.bearer), *wanted)
            if why:
                yield f"{query}: {why}"

    def anothers(self, place, name):
        """Another subscription's resources are refused without any information."""
        for subscription in [place.others, f"/subscriptions/{ABSENT}", "/subscriptions/x"]:
            why = wrong(place.ask(name.split(" ")[0], path_of(name, subscription), version_of(name), body={}), (404, "SubscriptionNotFound"))
            if why:
                yield f"{subscription}: {why}"

    def nobody(self, place, name):
        why = wrong(place.ask(name.split(" ")[0], path_of(name, place.own), version_of(name), place.nobody, {}), (403, "AuthorizationFailed"))
        if why:
            yield why

    def bodies(self, place, name):
        path = f"{path_of(name, place.own)}?api-version={version_of(name)}"
        for raw in (b"{", b"[]", b"7", b'{"a": 1, "a": 2}', b"\xff"):
            why = wrong(place.send(name.split(" ")[0], path, raw, Authorization=place.bearer), (400, "InvalidRequestContent"))
            if why:
                yield f"{raw}: {why}"

    def parameters(self, place, name):
        params = CALLS[name]["params"]
        for p in (p for p in params if p["built"] and not p.get("passed_over")):
            for value in values(p):
                if (p["type"], value) in TAKEN:
                    continue
                body = good(params)
                put(body, p["name"], value)
                status, _, answer = place.ask(name.split(" ")[0], path_of(name, place.own), version_of(name), body=body)
                if (status, answer["error"]["code"]) != (400, "InvalidParameter") and status not in (404, 409) and (status, len(str(value)) > LONGEST) != (413, True):
                    yield f"{p['name']}={str(value)[:40]}: {status} {answer}"


    def say(self, place, name, *members, query=""):
        """Complaints about a body with only these members: a required member may be refused earlier."""
        body = {}
        for member, value in members:
            put(body, member, value)
        status, _, answer = place.ask(name.split(" ")[0], path_of(name, place.own) + query, version_of(name), body=body if members else None)
        code = answer["error"]["code"] if answer and "error" in answer else None
        fine = status == 404 or status == 409 or (status == 400 and code in UNREAD)
        return [] if fine else [f"{query}{[m[0] for m in members]}: {status} {code} {str(answer)[:200]}"]

    def refuses(self, name):
        return {"If-Match": '"no-such-tag"'} if re.match(r"(PUT|PATCH|DELETE) .*/Microsoft\.(?!Resources)", name) else {}

    def told(self, place, name, headers):
        """The body of a change is none, so that it changes nothing."""
        raw = b"{" if name in BODIES else None
        status, _, answer = place.send(name.split(" ")[0], f"{path_of(name, place.own)}?api-version={version_of(name)}", raw, Authorization=place.bearer, **headers)
        return status, str(answer)

    def is_refused_for(self, _header, answer, plain):
        """What is refused anyway, or has nothing to do, needs no condition; azure/network.py has those that hold."""
        return answer[0] == 412 or (answer == plain and (plain[0] >= 400 or plain[0] == 204))

    def queries(self, place, name):
        yield from self.say(place, name, query="?colour=red")

    def names(self, place, name):
        for p in [{"name": "", "type": "object"}, *CALLS[name]["params"]]:
            if p["type"] == "object" and ".N" not in p["name"]:
                yield from self.say(place, name, (f"{p['name']}.colour".lstrip("."), 1))

    def unbuilt(self, place, name):
        """Members that the table marks as not built are refused; ignored members have a reason."""
        for p in CALLS[name]["params"]:
            if p.get("passed_over") and not p["doc"]:
                yield f"{p['name']} has no source"
            if not p["built"] and ".N" not in p["name"]:
                yield from self.say(place, name, (p["name"], "x"))


UNREAD = {"BadRequest", "InvalidRequestFormat", "InvalidRequestContent", "OperationNotAllowed"}
TAKEN = [("string", 7), ("string", [])]
