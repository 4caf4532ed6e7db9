# SPDX-License-Identifier: Apache-2.0
"""Requests of AWS's REST services with JSON that must be refused: with an exception that names the member or the value, and that change nothing."""
import target_world as lib
from dev import Account

from . import NOT_JSON, texts
from .target import Target, damaged


class Rest(Target):
    """A service whose calls are selected by method and path, with an example of each request. Values of paths and queries are texts."""
    strange = ()  # (method, path) without a call

    def __init__(self):
        super().__init__()
        for kind in ("bodies", "nulls", "counts"):
            self.cases[kind] = sorted(n for n in self.actions if self.has_body(n))

    def has_body(self, name):
        return self.actions[name]["method"] not in ("GET", "DELETE")

    def path_members(self, name):
        return [p["name"] for p in self.actions[name]["params"] if "{" + p["name"] + "}" in self.actions[name]["path"]]

    def say(self, tried, answer, statuses=(400,), codes=None, words=()):
        why = (f"is not {statuses}" if answer.status not in statuses else "has a code that the service does not have" if answer.code not in (codes or self.codes)
               else "names its code in one place alone" if answer.json.get("Code") != answer.code
               else f"names none of {words}" if words and not any(str(w).lower() in answer.text.lower() for w in words) else None)
        return [f"{tried}: {why}: {answer}"] if why else []

    def strangers(self, place, name):
        for key, secret, code in (("AKIAIOSFODNN7EXAMPLE", "x", "UnrecognizedClientException"), (place.account.key_id, "x", "InvalidSignatureException")):
            yield from self.say(key, place.call(name, place.request(name), by=Account(place.dev, key, secret)), (403,), {code})
        cut = place.account.sign("POST", "", b"", place.service)["Authorization"].partition(", SignedHeaders")[0]
        yield from self.say("a signature cut off", place.call(name, place.request(name), headers={"Authorization": cut}), (403,), {"IncompleteSignatureException"})

    def operations(self, place, _name):
        for method, path in self.strange:
            yield from self.say(f"{method} {path}", place.send(place.account, method, path, path), (404,), {"UnknownOperationException"})

    def bodies(self, place, name):
        for raw in NOT_JSON:
            yield from self.say(raw[:20], place.call(name, {k: v for k, v in place.request(name).items() if k in self.path_members(name)}, raw=raw), codes={"SerializationException"})

    def parameters(self, place, name):
        for p in self.actions[name]["params"]:
            word, by_text = p["name"].removesuffix(".N").rpartition(".")[2], not self.has_body(name) or p["name"] in self.path_members(name)
            for value in [*texts(p), *self.junk.get(p["name"], ())] if by_text else damaged(p, self.junk):
                body = put(place.request(name), p["name"], value)
                for other in self.required_beside(name, p):
                    if lib.get(body, other) is None:
                        put(body, other, "x")
                shown = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str) and v]
                yield from self.say(f"{p['name']}={str(value)[:40]!r}", place.call(name, body), self.statuses, words=[word, *self.spoken.get(word, ()), *shown])

    def missing(self, place, name):
        for p in self.actions[name]["params"]:
            if p["required"] and p["name"] not in self.path_members(name):
                for said, value in (("absent", lib.ABSENT), ("null", None)) if self.has_body(name) else (("absent", lib.ABSENT),):
                    body = put(place.request(name), p["name"], value)
                    for other in self.required_beside(name, p):
                        if lib.get(body, other) is None:
                            put(body, other, "x")
                    yield from self.say(f"{p['name']} is {said}", place.call(name, body), words=[p["name"].rpartition(".")[2]])

    def counts(self, place, name):
        for p in self.actions[name]["params"]:
            if p["type"] == "list of objects" and p["built"] and p.get("max"):
                item = (lib.get(place.request(name), p["name"]) or [{"Key": "k", "Value": "v"}])[0]
                body = put(place.request(name), p["name"], [item] * (p["max"] + 1))
                yield from self.say(f"{p['name']}: {p['max'] + 1} items", place.call(name, body), words=[p["name"].rpartition(".")[2]])


def put(body, name, value):
    """Sets a member like target_world.put(). An empty list on the way gets one element first."""
    at = body
    for word in [w for w in name.split(".")[:-1] if w != "N"]:
        at = at.get(word)
        if isinstance(at, list):
            at.extend([] if at else [{}])
            at = at[0]
        if not isinstance(at, dict):
            break
    return lib.put(body, name, value)
