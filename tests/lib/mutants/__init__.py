# SPDX-License-Identifier: Apache-2.0
"""Requests that a face must refuse, made from its tables (tests/contract/cross/bad_parameters.py). Each module adapts one face:

name, actions   as in the adapters of tests/lib/faces/
make()          creates a region and the resources that requests name; .still asserts that nothing changes (dev.Still, or Silent)
cases           {kind of mutation: titles}; each kind is a method (place, title) that yields complaints, and nothing if all requests
                are refused as they should be
unread          the same for names that no row has
passed_over     {header: why the face does not read it, with the source}
refuses()       {header: value} that the call refuses, or compares with the row that it names; each call has its own
told()          what the call answers with these headers, without what differs from call to call
open            {(kind, title)} of mutations that are ignored, although no source says that the service ignores them"""
from cloud import WRONG

TEXTS = {"integer": ["x", "1.5", str(2**63), str(-2**70)], "boolean": ["maybe"], "id": ["x", "i-0123456789abcdef0"], "ip": ["x", "1.2.3"],
         "list of ids": ["x"], "cidr": ["x", "10.0.0.0/33"], "mac": ["x"]}
# Headers that could change what a request means, with values that no server agrees to.
HEADERS = {"If-Match": '"no-such-tag"', "If-None-Match": "*", "If-Modified-Since": "Fri, 28 Oct 2033 19:43:31 GMT", "If-Range": '"no-such-tag"',
           "If-Unmodified-Since": "Sat, 29 Oct 1994 19:43:31 GMT", "Range": "bytes=0-0", "Expect": "the-impossible", "Prefer": "return=minimal"}
BY_HTTP = {  # headers that each server may pass over, by HTTP itself
    "If-Modified-Since": "RFC 9110, 13.1.3: a resource without a modification date ignores it", "If-Range": "RFC 9110, 13.1.5: ignored where Range is",
    "If-Unmodified-Since": "RFC 9110, 13.1.4: a resource without a modification date ignores it", "Range": "RFC 9110, 14.2: a server may ignore it",
    "Expect": "RFC 9110, 10.1.1: 417 is the server's choice", "Prefer": "RFC 7240, 2: a server may ignore it"}
LONGEST = 65536  # length of texts that are one too long
NOT_JSON = [b"{", b"[]", b"7", b'"x"', b"\xff", b'{"a":1,"a":2}', b'{"a":' * 3000 + b"1" + b"}" * 3000, b"<xml/>"]


def bounds(p):
    """Integers just outside of the parameter's range."""
    if p["type"] == "integer" and (p.get("max") or p.get("min")):
        yield from [n for n in (p["max"] + 1, p["min"] - 1) if n < 2**63]  # jansson accepts no larger number


def too_long(p):
    if p["type"] == "string" and p.get("max") and p["max"] < LONGEST and not p.get("words") and not p.get("base64"):
        yield "x" * (p["max"] + 1)


def texts(p):
    """Invalid values of the parameter, as texts."""
    yield from [*TEXTS.get(p["type"], []), *map(str, bounds(p)), *too_long(p)]
    if p.get("words"):
        yield "no-such-word"


def values(p):
    """Invalid values of a JSON member."""
    if not p["built"]:
        yield "zzz" if p.get("only") else {"zzz": 1}
        return
    by_number = (7, ["x"]) if p.get("by_name") or p.get("or_number") else ()
    yield from [v for v in WRONG.get(p["type"], []) if v not in by_number and not (isinstance(v, str) and len(v) <= p.get("max", 0))]
    yield from [*bounds(p), *too_long(p)]
    if p.get("words"):
        yield "no such word"


class Silent:
    """Asserts that nothing is committed, except by calls that the audit log records. Reads only every few cases."""
    EVERY = 24

    def __init__(self, dev):
        self.dev, self.unlooked = dev, 0
        self.commits = self.count()

    def count(self):
        self.dev.rest()
        return self.dev.commits()

    def begins(self, recorded):
        if recorded and self.unlooked:
            self.look()

    def ends(self, recorded=False):
        self.unlooked += 1
        if recorded:
            self.commits, self.unlooked = self.count(), 0
        elif self.unlooked >= self.EVERY:
            self.look()

    def look(self):
        before, self.commits, self.unlooked = self.commits, self.count(), 0
        assert self.commits == before, f"something was committed, in this case or one of the {self.EVERY} before it"


class Mutants:
    name = ""
    actions = {}
    cases = {}
    unread = {}
    open = set()
    passed_over = BY_HTTP

    def refuses(self, _name):
        return {}

    def headers(self, place, name):
        """The headers that the call passes over change nothing, and each has a source; the others are refused by name."""
        refused = self.refuses(name)
        rest = {h: v for h, v in HEADERS.items() if h not in refused}
        yield from (f"{h} is passed over without a source" for h in rest if h not in self.passed_over)
        plain = self.told(place, name, {})
        if self.told(place, name, rest) != plain:  # one request for all: most calls pass all of them over
            yield from (f"{h}: {answer}, and without it {plain}" for h, v in rest.items() for answer in [self.told(place, name, {h: v})] if answer != plain)
        for header, value in refused.items():
            answer = self.told(place, name, {header: value})
            if not self.is_refused_for(header, answer, plain):
                yield f"{header} is not refused: {answer}"

    def is_recorded(self, name):
        return self.actions.get(name, {}).get("recorded", "never") != "never"

    def is_told(self, name, kind):
        """The audit log also records an invalid key, once a minute."""
        return kind == "strangers" or self.is_recorded(name)

    def begins(self, place, name, kind):
        """Runs before the cases of a call."""
        if isinstance(place.still, Silent):
            place.still.begins(self.is_told(name, kind))

    def holds(self, place, name, kind):
        """Asserts that the cases changed nothing."""
        if isinstance(place.still, Silent):
            place.still.ends(self.is_told(name, kind))
        else:
            assert place.still.holds_so_far(), "something has changed, in this case or one of the seven before it"
