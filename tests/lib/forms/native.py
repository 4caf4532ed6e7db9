# SPDX-License-Identifier: Apache-2.0
"""Request formats of the native API: methods, paths, tokens and signatures, conditions, unusual texts; problem documents."""
import contextlib
import re

import native as lib
from dev import Dev
from faces.native import ask

from . import send

ACTIONS = {f"{a['method']} {a['path']}": a for a in lib.dump()["actions"]}
LISTS = sorted(a["path"] for a in ACTIONS.values() if a["lists"] and not a["admin"])
METHODS = ("PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECTED")
TEXTS = ["plain", "a b+c&d=e%", "다리 \u00fc \U0001f309", "<&>\"'", "  around  ", "line\nline\ttab"]
PATHS = ["/v9/x", "/zones/x/y/z/w", "/zoness", "/zones/%00", "/zones/%ff", "/zones/" + "x" * 3000]
OF_CALLER = {"/access-keys", "/users"}  # lists of the caller's own resources, or with last-used times
COMPUTED = {"/subnets"}  # lists with values that change without a commit
QUERIES = ["%zz", "limit=%zz", "limit=x", "limit=-1", "&".join(f"a{n}=1" for n in range(600))]


def wrong(answer, *statuses):
    """Lists deviations of an answer from a problem document (RFC 9457) with one of these statuses."""
    said = answer.json
    fine = answer.status in statuses and answer.headers["Content-Type"] == "application/problem+json" and said["status"] == answer.status \
        and said["type"].startswith("urn:dari:") and said["title"] and said["detail"] and said["request_id"]
    return [] if fine else [f"is no problem document with {statuses}: {answer}"]


def without(answer):
    """The text without parts that differ from call to call."""
    return re.sub(r'"(request_id|batch|now_us)":("[^"]*"|\d+),?', "", answer.text)


class Native:
    name = "native"
    actions = ACTIONS
    cases = {
        "get": LISTS, "methods": LISTS, "slashes": LISTS, "unchanged": [p for p in LISTS if p not in COMPUTED], "paths": PATHS, "queries": QUERIES, "request_ids": ["lists"],
        "text_comes_back": TEXTS, "tokens": ["mutated", "foreign", "ended"], "signatures": ["changed", "of nobody"], "too_large": ["key-pairs"]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield lib.another(dev, "forms")

    def get(self, place, path):
        """GET with a token and with a signature give the same answer; HEAD has no body."""
        answer, head = place.api("GET", path), place.api("HEAD", path)
        assert answer.status == 200 and answer.headers["Content-Type"] == "application/json", answer
        assert (head.status, head.text, head.headers["Content-Type"]) == (200, "", "application/json"), head
        signed = ask(place.root, "GET", path)
        assert signed.status == 200 and (path in OF_CALLER or signed.json["items"] == answer.json["items"]), signed

    def methods(self, place, path):
        for method in METHODS:
            if f"{method} {path}" not in ACTIONS:
                yield from wrong(place.api(method, path, {} if method in ("PUT", "POST", "PATCH") else None), 405)

    def slashes(self, place, path):
        """Trailing and double slashes are ignored."""
        whole = without(place.api("GET", path))
        for form in (path + "/", "/" + path):
            answer = place.api("GET", form)
            assert answer.status == 200 and without(answer) == whole, f"{form}: {answer}"

    def unchanged(self, place, path):
        """A list with a matching entity tag is not sent again; another list, or another tag, is."""
        tag = place.api("GET", path).headers["ETag"]
        assert re.fullmatch(r'"[0-9a-f]+"', tag), tag
        for said, status in ((tag, 304), (f'"x", W/{tag}', 304), ('"x"', 200)):
            answer = place.api("GET", path, If_None_Match=said)
            assert answer.status == status and bool(answer.text) == (status == 200), f"{said}: {answer}"

    def paths(self, place, path):
        return wrong(place.api("GET", path), 404)

    def queries(self, place, query):
        return wrong(place.api("GET", "/zones?" + query), 400)

    def request_ids(self, place, _):
        """Each answer, including refusals, has a unique request id."""
        seen = set()
        for path in (*LISTS, "/zones/x", "/nowhere"):
            answer = place.api("GET", path)
            identifier = answer.headers["x-amzn-RequestId"]
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", identifier), f"{path}: {answer.headers}"
            assert identifier == (answer.headers["X-Request-Id"] if answer.status == 200 else answer.json["request_id"]), answer
            seen.add(identifier)
        assert len(seen) == len(LISTS) + 2

    def text_comes_back(self, place, text):
        made = place.api_ok("POST", "/gateways", {"tags": {"text": text}})["items"][0]
        answer = place.api_ok("GET", f"/gateways/{made['id']}")["item"]
        assert made["tags"]["text"] == answer["tags"]["text"] == text, answer

    def tokens(self, place, how):
        """Refused tokens; the answer does not repeat the token."""
        fresh = lib.Native(place.dev, place.name, place.user, place.password)
        tokens = ["", " ", "x", fresh.token[:-4], fresh.token + "AAAA", fresh.token.swapcase()]
        if how == "mutated":
            tokens += [fresh.token[:n] + ("A" if fresh.token[n] != "A" else "B") + fresh.token[n + 1:] for n in range(0, len(fresh.token) - 2, 7)]
        elif how == "foreign":
            with Dev() as other:
                tokens = [lib.own(other).token]
        else:
            answer = place.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": fresh.token})
            assert answer.status == 204, answer
            tokens = [fresh.token]
        for token in tokens:
            answer = place.call("GET", lib.PREFIX + "/zones", headers={"X-Auth-Token": token})
            yield from wrong(answer, 401)
            assert fresh.token not in answer.text, answer

    def signatures(self, place, how):
        headers = place.root.sign("GET", "", b"", "ec2", lib.PREFIX + "/zones")
        changed = headers["Authorization"][:-8] + "00000000" if how == "changed" else headers["Authorization"].replace(place.root.key_id, "AKIA0000000000000000")
        for value in (changed, "AWS4-HMAC-SHA256 ", "Basic eDp4"):
            answer = place.root.send("GET", lib.PREFIX + "/zones", {**headers, "Authorization": value})
            yield from wrong(lib.cloud.Answer(answer.status, answer.headers, answer.text), 401, 403, 400)

    def too_large(self, place, path):
        """A body that is too large is refused by its length, whoever sends it; nothing is created."""
        before = place.rows(f"/{path}")
        for token in ("", place.token):
            refused = send(place.dev, f"POST {lib.PREFIX}/{path} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\nContent-Length: 2000000\r\n\r\n{{")
            assert refused.startswith("HTTP/1.1 413 " if token else ("HTTP/1.1 401 ", "HTTP/1.1 413 ")), refused
        assert place.rows(f"/{path}") == before
