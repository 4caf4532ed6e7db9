#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api src/base/json_write.c src/http
# limit: 1200 s
"""Nearly valid requests, generated from the rows of every face's tables: each call with some members of another type, too long, too deep, too many,
in other alphabets, or with the id of an existing row. No answer may be a failure of the server, the process must keep running, and in the end
rows, database and hosts must agree. A part of the bodies is damaged as text: a member twice, broken UTF-8, half a pair, deep lists, numbers at and
beyond limits, a cut end. BODIES=60 generates more for each call, BODIES=0.2 asks a fifth of the calls; tests/fuzz/all-30-bodies.sh repeats it
under AddressSanitizer. SEED=… repeats a run."""
import collections
import contextlib
import copy
import json
import os
import random
import re
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import cloudstack  # noqa: E402
import dev as ec2  # noqa: E402
import ebs  # noqa: E402
import autoscaling_world  # noqa: E402
import classic_world  # noqa: E402
import cloudwatch_world  # noqa: E402
import elb_world  # noqa: E402
import native  # noqa: E402
import scim  # noqa: E402
import target_world  # noqa: E402
from dev import Dev  # noqa: E402
from faces import azure, face  # noqa: E402
from messaging_world import Queues, Topics  # noqa: E402

BODIES, SEED = float(os.environ.get("BODIES", "1")), int(os.environ.get("SEED", "1"))
print(f"SEED={SEED}")
VERSIONS = {"actions": ec2.VERSION, "iam": face.IAM_VERSION, "sts": "2011-06-15", "elb": elb_world.VERSION, "elb-classic": classic_world.VERSION,
            "autoscaling": autoscaling_world.VERSION, "cloudwatch": cloudwatch_world.VERSION, "sqs": Queues.version, "sns": Topics.version}
TARGETS = 20  # as many bodies, since these services have few calls
FAILED = {500, 502}  # statuses that no face may answer to any request; CloudStack's own error of that kind is 530
NOT_BUILT = 501  # the same, but for Octavia, which answers so to options that its provider lacks
TEXTS = ["", " ", "a", "é", "\u202e", "\x00", "\U0001F600", "%s%n", "' OR 1=1 --", "<x>&amp;", "../../etc/passwd", "-1", "0", "1e9", "true",
         "null", "9" * 19, "9" * 40, "x" * 300, "x" * 70000, "10.0.0.0/8", "::1", "10.0.0.1", "2024-01-31T00:00:00Z", "*", "[]", "{}", "\n", "a=b&c=d"]
VALUES = [None, True, False, 0, -1, 2**31, 2**63 - 1, 2**63, -2**63, 1.5, 1e308, [], {}, [[]], [{}], {"": ""}, ["a"] * 2000, [None], {"a": {"b": {"c": []}}}]


def dump(name):
    return json.loads(ec2.subprocess.run([ec2.DARI, "dump", name], check=True, capture_output=True).stdout)["actions"]


PATHS = ["title", "name.givenName", 'emails[type eq "work"].value', 'members[value eq "x"]', "emails", "members", scim.ENTERPRISE + ":manager", 'userName eq "u1"',
         'not (title pr) and emails[primary eq true]', "userName,emails.value", "((", 'emails[type eq "']  # of SCIM: paths, filters, names of attributes
NUMBERS = [b"-0", b"1e999", b"2147483648", b"-9223372036854775809", b"18446744073709551616", b"0.1", b"1E400", b"9" * 400]
STRINGS = [b'"\xff"', b'"\xc3"', b'"\xed\xa0\x80"', b'"\\ud800"', b'"\\u0000"', b'"\xf4\x90\x80\x80"', b'"' + b"y" * 200000 + b'"']


def damage(draw, text):
    """A JSON text with one part that no serializer would write."""
    spots = [m.span() for m in re.finditer(rb'"[^"]*"(?!\s*:)|-?[0-9]+|true|false|null', text)]
    opens = [m.end() for m in re.finditer(rb"{", text)]
    kind = draw.randrange(6)
    if kind == 0 and opens:
        at = draw.choice(opens)
        member = re.match(rb'\s*"[^"]*"', text[at:])
        twice = (member[0] if member else b'"a"') + b": 1"
        return text[:at] + twice + (b", " if member else b", " + twice) + text[at:]
    if kind == 1:
        return text[:draw.randrange(len(text) + 1)]
    if kind == 2 and text:
        at = draw.randrange(len(text))
        return text[:at] + bytes([draw.randrange(256)]) + text[at + 1:]
    if not spots:
        return text + b"]"
    begin, end = draw.choice(spots)
    deep = draw.choice([15, 100, 2047, 2049, 20000])
    return text[:begin] + (draw.choice(NUMBERS) if kind == 3 else draw.choice(STRINGS) if kind == 4 else b"[" * deep + b"]" * deep) + text[end:]


class Draw(random.Random):
    ids = ()

    def text(self):
        return self.choice(TEXTS) if self.random() < 0.6 or not self.ids else self.choice(self.ids)

    def value(self):
        if self.random() < 0.5:
            return self.text()
        if self.random() < 0.1:
            return json.loads("[" * 200 + "]" * 200)
        return self.choice(VALUES)

    def mostly_good(self, param):
        """Returns a valid value for the parameter, or sometimes an invalid one."""
        if self.random() < 0.35:
            return self.value()
        if param.get("kind") or param["type"] in ("id", "list of ids"):
            one = self.choice(self.ids) if self.ids else cloud.ABSENT
            return [one] if param["type"].startswith("list") else one
        words = (param.get("words") or "").split("|")
        if words[0]:
            return self.choice(words)
        return param.get("min", 1) if param["type"] == "integer" else cloud.EXAMPLES.get(param["type"], "a")

    def body(self, params, wrap=None, put=cloud.put):
        inner = {}
        for p in params:
            if p["required"] or self.random() < 0.4:
                try:
                    put(inner, p["name"], copy.deepcopy(self.mostly_good(p)))
                except (TypeError, IndexError, KeyError, AttributeError):
                    continue  # the parent object has been replaced
        return {wrap: inner} if wrap and self.random() < 0.95 else inner

    def raw(self, body):
        """The body as bytes, sometimes damaged; None: no body."""
        if body is None:
            return None
        text = json.dumps(body).encode()
        return damage(self, text) if self.random() < 0.3 else text

    def path(self, path):
        return re.sub(r"\{[^}]*\}", lambda _: urllib.parse.quote(self.text()[:200] or "x", safe=""), path)


@contextlib.contextmanager
def region():
    """In the end the server must still run, and rows, database and hosts must agree."""
    with Dev() as dev:
        yield dev
        dev.rest()
        assert not dev.has_ended()
        dev.audit()


@pytest.fixture(scope="module")
def plain():
    with region() as dev:
        dev.project = native.another(dev, "random")
        cloud.furnish(dev, dev.project)
        found = []
        for a in dump("native"):
            if a["lists"] and not a["admin"] and a["kind"] not in ("user", "access_key", "account", "domain", "role"):
                found += dev.project.api("GET", a["path"] + "?limit=20").json.get("items", [])
        dev.ids = [r["id"] for r in found] + [r["ec2"] for r in found if r.get("ec2")]
        dev.came_to = collections.Counter()
        yield dev
        proved = sum(n for status, n in dev.came_to.items() if status != 401)
        assert proved > dev.came_to[401] * 4, dev.came_to  # otherwise the caller has lost its own rights


def check(dev, status, what, said):
    dev.came_to[status] += 1
    assert status not in FAILED and (status != NOT_BUILT or "/v2/lbaas/" in str(what)), f"SEED={SEED}: {what}: {status} {str(said)[:2000]}"


def draws(name, ids=()):
    """Each call of a face, repeated; except calls that end the caller's access."""
    draw = Draw(SEED)
    draw.ids = ids
    for action in dump(name):
        if not re.search("(?i)password|session|logout|DeleteAccountAlias", action["name"] or "") and not action["open"]:
            for _ in range(int(BODIES) + (draw.random() < BODIES % 1)):
                yield draw, action


def pairs(draw, action):
    return {p["name"].replace(".N", f".{draw.choice([1, 1, 1, 2, 0, 4000])}"): str(draw.mostly_good(p))[:9000]
            for p in action["params"] if p["required"] or draw.random() < 0.3}


@pytest.mark.parametrize("name", [n for n in VERSIONS if n != "sts"])
def test_query(plain, name):
    for draw, a in draws(name, plain.ids):
        params = pairs(draw, a)
        params.pop("WaitTimeSeconds", None)  # a queue without messages would be waited for
        answer = plain.project.root.call(a["name"], params, service=a["service"], version=VERSIONS["sts" if a["service"] == "sts" else name])
        check(plain, answer.status, (a["name"], params), answer)


@pytest.mark.parametrize("name", target_world.SERVICES)
def test_target(plain, name):
    """Services of AWS JSON 1.1."""
    world = target_world.World(plain.project.root, name)
    for draw, a in draws(name, plain.ids):
        for _ in range(TARGETS):
            body = draw.body(a["params"])
            answer = world.call(a["name"], body, raw=draw.raw(body))
            check(plain, answer.status, (a["name"], body), answer)


def test_openstack(plain):
    for draw, a in draws("openstack", plain.ids):
        body = draw.body(cloud.members(a), a["name"] or a["wrap"]) if a["method"] not in ("GET", "DELETE") else None
        query = urllib.parse.urlencode({p["name"]: draw.text() for p in a["params"] if p["in"] == "query" and draw.random() < 0.2}, errors="replace")
        path = a["prefix"] + draw.path(a["path"]) + (f"?{query}" if query else "")
        answer = plain.project.call(a["method"], path, raw=draw.raw(body), version=cloud.version_of(a))
        check(plain, answer.status, (a["method"], path, body), answer)


def test_native(plain):
    for draw, a in draws("native", plain.ids):
        if "/stream" in a["path"] or a["path"].startswith(("/me", "/signups")):
            continue
        body = draw.body([p for p in a["params"] if p["in"] == "body"]) if a["method"] not in ("GET", "DELETE") else None
        query = urllib.parse.urlencode({p["name"]: draw.text() for p in a["params"] if p["in"] == "query" and draw.random() < 0.5}, errors="replace")
        path = draw.path(a["path"]) + (f"?{query}" if query else "")
        answer = plain.project.call(a["method"], native.PREFIX + path, raw=draw.raw(body))
        check(plain, answer.status, (a["method"], path, body), answer)


def test_cloudstack(plain):
    key = cloudstack.key_of(plain.project)
    for draw, a in draws("cloudstack", plain.ids):
        params = {k: v.encode(errors="replace").decode() for k, v in pairs(draw, a).items()}
        status, answer, _ = cloudstack.call(plain, a["name"], post=True, **params, **key)
        assert not (status == 530 and "internal" in str(answer).lower()), (a["name"], params, answer)
        check(plain, status, (a["name"], params), answer)


def test_scim(plain):
    domain = scim.Domain(cloud.admin(plain), "random")
    ids = [domain.user(f"u{n}")["id"] for n in range(3)] + [domain.group("g")["id"], *PATHS]
    for draw, a in draws("scim", ids):
        members = [p for p in a["params"] if p["in"] == "body" and not p.get("passed_over")]
        body = draw.body(members, put=scim.put) if a["method"] in ("POST", "PUT", "PATCH") else None
        query = urllib.parse.urlencode({p["name"]: draw.text() for p in a["params"] if p["in"] == "query" and draw.random() < 0.4}, errors="replace")
        path = "/" + draw.path(a["path"]) + (f"?{query}" if query else "")
        answer = domain.call(a["method"], path, raw=draw.raw(body))
        assert answer.status != 501 or a.get("never"), (a["method"], path, answer)
        check(plain, answer.status if not a.get("never") else 400, (a["method"], path, body), answer)


def test_ebs(plain):
    for draw, a in draws("ebs", plain.ids):
        values = {p["name"]: draw.mostly_good(p) for p in a["params"] if p["required"] or draw.random() < 0.4}
        for name in set(values) & set(ebs.HEADERS):
            values[name] = re.sub(r"[^\x20-\x7e]", "", str(values[name]))[:200]
        body = draw.raw(values) if a["name"] == "StartSnapshot" else draw.text().encode(errors="replace")
        answer = ebs.call(plain.project.root, a, values, raw=body if draw.random() < 0.5 else None)
        check(plain, answer.status, (a["name"], values), answer)


def test_azure():
    with azure.region() as (arm, _):
        dev = arm.dev
        dev.came_to = collections.Counter()
        here = arm.subscription(dev.account).rpartition("/")[2]
        for draw, a in draws("azure"):
            if not a["path"].startswith("/subscriptions"):
                continue
            body = draw.body([p for p in a["params"] if p["in"] == "body"]) if a["method"] in ("PUT", "POST", "PATCH") else None
            path = draw.path(a["path"].replace("{subscriptionId}", here).replace("{resourceGroupName}", draw.choice(["g", "g", "x"])))
            if draw.random() < 0.1:
                arm.ask("PUT", f"/subscriptions/{here}/resourceGroups/g", "2021-04-01", dev.account, {"location": "useast1"})
            version = a["versions"].split("|")[-1] or "2022-08-01"
            status, _, answer = arm.send(a["method"], f"{path}?api-version={version}", draw.raw(body), Authorization=f"Bearer {arm.token_of(dev.account)}",
                                         **({"Content-Type": "application/json"} if body is not None else {}))
            check(dev, status, (a["method"], path, body), answer)
        dev.rest()
        dev.audit()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", __file__, *sys.argv[1:]]))
