# SPDX-License-Identifier: Apache-2.0
"""OpenStack's request formats: versions, methods, paths, bodies, tokens, conditions; and the format of answers."""
import contextlib
import json
import re

import cloud as lib
from dev import Dev

from . import send

LISTS = ["/compute/v2.1/servers", "/network/v2.0/networks", "/volume/v3/volumes", "/image/v2/images", "/identity/v3/auth/projects"]
SERVICES = ["compute", "network", "volume", "image", "identity", "placement"]
MICRO = {"compute": ("2.93", "2.1", "/compute/v2.1/servers"), "volume": ("3.70", "3.0", "/volume/v3/volumes"),
         "placement": ("1.39", "1.0", "/placement/resource_providers")}
BODIES = {"/compute/v2.1/os-keypairs": {"keypair": {"name": "x"}}, "/network/v2.0/networks": {"network": {}},
          "/volume/v3/volumes": {"volume": {"size": 1}}, "/image/v2/images": {"name": "x"}, "/identity/v3/auth/tokens": {"auth": {}}}


def header(answer, name):
    return {k.lower(): v for k, v in answer.headers.items()}.get(name.lower())


class OpenStack:
    name = "openstack"
    actions = {lib.title(a): a for a in lib.dump()["actions"]}
    cases = {
        "roots": SERVICES, "microversions": list(MICRO), "older_header": ["compute"], "methods": LISTS, "paths": LISTS, "request_ids": ["lists"],
        "largest_body": ["network"], "too_large": list(BODIES), "too_large_of_strangers": list(BODIES), "bodies": list(BODIES),
        "unknown_members": [p for p in BODIES if "image" not in p and "tokens" not in p], "pages_of_errors": ["image"], "tokens": ["lists"], "if_match": ["network"],
        "one_action": ["compute", "volume"]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            place = lib.own(dev)
            place.admin = lib.admin(dev)
            yield place

    def roots(self, place, service):
        """Version documents, which a client reads before it has a token."""
        for path in (f"/{service}/", f"/{service}"):
            answer = place.call("GET", path, headers={"X-Auth-Token": ""})
            assert answer.status == {"volume": 300, "image": 300, "identity": 300}.get(service, 200), answer
            versions = answer.json["versions"]
            for version in versions["values"] if isinstance(versions, dict) else versions:
                (link, *_) = [l["href"] for l in version["links"] if l["rel"] == "self"]
                assert link.startswith(f"{place.dev.url}/{service}"), link

    def microversions(self, place, service):
        newest, oldest, path = MICRO[service]
        major = newest.partition(".")[0]

        def said(version):
            return place.admin.call("GET", path, version=f"{service} {version}" if version else None)
        for asked, told in ((None, oldest), ("latest", newest), (newest, newest), (oldest, oldest)):
            answer = said(asked)
            assert answer.status == 200 and header(answer, "OpenStack-API-Version") == f"{service} {told}", f"{asked}: {answer} {answer.headers}"
            assert "OpenStack-API-Version" in header(answer, "Vary")
        for high in (f"{major}.999", "9.1", f"{major}.{int(newest.partition('.')[2]) + 1}"):
            answer = said(high)
            assert answer.status == 406 and newest in answer.text and oldest in answer.text, answer
        for bad in ("x", f"{major}.", ".1", f"{major}.1.1", f"{major}.01", "-1", f"{major}.{'9' * 40}"):
            assert said(bad).status in (400, 406), bad
        assert header(place.admin.call("GET", path, version="other 9.9"), "OpenStack-API-Version") == f"{service} {oldest}"  # a version of another service

    def older_header(self, place, _):
        answer = place.call("GET", "/compute/v2.1/servers", headers={"X-OpenStack-Nova-API-Version": "2.10"})
        assert answer.status == 200 and header(answer, "X-OpenStack-Nova-API-Version") == "2.10" and header(answer, "OpenStack-API-Version") == "compute 2.10"
        assert place.call("GET", "/compute/v2.1/servers", headers={"X-OpenStack-Nova-API-Version": "2.999"}).status == 406

    def methods(self, place, path):
        got, head = place.call("GET", path), place.call("HEAD", path)
        assert (head.status, head.text) == (200, "") and header(head, "Content-Type") == header(got, "Content-Type") == "application/json"
        for method in ("PUT", "DELETE", "PATCH"):
            answer = place.call(method, path)
            assert answer.status in (404, 405), f"{method}: {answer}"
        for method in ("OPTIONS", "TRACE", "CONNECTED"):
            answer = place.call(method, path)
            assert 400 <= answer.status < 502 and answer.status != 500, f"{method}: {answer}"

    def paths(self, place, path):
        """Trailing and double slashes are ignored, except by Compute, Image and Block Storage, for which a trailing slash is an empty id. Unknown
        paths answer in JSON, too."""
        whole, service = place.call("GET", path).same(), path.split("/")[1]
        for form in (path + "/", "//".join(path.rsplit("/", 1))):
            answer = place.call("GET", form)
            if service in ("compute", "image", "volume") and form.endswith("/"):
                assert answer.status == 404, form
                continue
            assert answer.status == 200 and re.sub(form, path, answer.same()) == whole, form
        for none in (f"/{service}/v9/x", path + "/x/y/z/w", path + "ers", path + "/%00", path + "/%ff", path + "/" + "x" * 3000):
            answer = place.call("GET", none)
            assert answer.status in (400, 404, 414), f"{none[:60]}: {answer}"
            assert answer.text == "" or answer.json, none[:60]
        assert place.call("GET", path + "?" + "&".join(f"a{n}=1" for n in range(600))).status in (400, 413)
        for query in ("%zz", "name=%ff", "limit=x", "limit=-1"):
            assert place.call("GET", f"{path}?{query}").status in ((200, 400) if "auth/projects" in path or query == "%zz" else (400,)), query

    def request_ids(self, place, _):
        """Each answer, including refusals, has a unique request id."""
        seen = set()
        for path in (*LISTS, "/compute/v2.1/servers/x", "/network/v2.0/ports/x", "/nowhere"):
            answer = place.call("GET", path)
            if path != "/nowhere":
                assert re.fullmatch(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", header(answer, "X-Openstack-Request-Id")), path
                seen.add(header(answer, "X-Openstack-Request-Id"))
        assert len(seen) == len(LISTS) + 2
        answer = place.call("GET", LISTS[0])
        assert header(answer, "x-compute-request-id") == header(answer, "X-Openstack-Request-Id")

    def largest_body(self, place, _):
        """Accepts the largest body of the service, and refuses one byte more."""
        def create(size):
            body = json.dumps({"network": {"name": ""}})
            return place.call("POST", "/network/v2.0/networks", raw=body.replace('""', '"' + "x" * (size - len(body)) + '"').encode())
        assert create(114688).status == 400  # refused because its name is too long
        refused = create(114689)
        assert refused.status == 413 and refused.json["NeutronError"]["message"] == "Request is too large."

    def too_large(self, place, path, token="good"):
        """Refuses a body by its Content-Length without waiting for it, and a chunked one as soon as it is too long."""
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Auth-Token: {place.token if token else ''}\r\n"
        refused = send(place.dev, head + "Content-Length: 2000000\r\n\r\n{")
        assert refused.startswith("HTTP/1.1 413 ") and ("compute" not in path or not token or '"overLimit"' in refused), refused
        piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
        try:
            answer = send(place.dev, head + "Transfer-Encoding: chunked\r\n\r\n", piece * 40 + b"0\r\n\r\n")
        except ConnectionError:
            return  # the server answered and closed while the client was still sending
        assert answer.startswith("HTTP/1.1 413 ") or answer == "", answer

    def too_large_of_strangers(self, place, path):
        self.too_large(place, path, token="")

    def bodies(self, place, path):
        """Malformed bodies are refused and create nothing."""
        body = BODIES[path]
        collection = {"/identity/v3/auth/tokens": "/identity/v3/auth/projects"}.get(path, path)
        before = place.call("GET", collection).same()
        (key, *_), text = body, json.dumps(body)
        deep = '{"%s":' % key + '{"a":' * 5000 + "1" + "}" * 5001
        for raw in ("", "null", "[]", "{", text + "x", text[:-1], '{"%s":1,"%s":1}' % (key, key), deep, '{"%s":"\\ud800"}' % key, "\ufeff" + text, text.replace("{", "{/**/", 1)):
            answer = place.call("POST", path, raw=raw.encode())
            assert answer.status == 400, f"{raw[:40]!r}: {answer}"
        for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
            answer = place.call("POST", path, raw=b"<a/>", headers={"Content-Type": kind})
            assert answer.status in (400, 415), f"{kind}: {answer}"
        assert place.call("GET", collection).same() == before

    def unknown_members(self, place, path):
        """Unknown members are refused by name, as by the services' schemas; Cinder's have passed them over until 3.52."""
        (wrap, inner), = BODIES[path].items()
        answer = place.call("POST", path, {wrap: {**inner, "no_such_member": 1}}, headers={"OpenStack-API-Version": "volume 3.53"} if "/volume/" in path else {})
        assert answer.status == 400 and "no_such_member" in answer.text, answer

    def pages_of_errors(self, place, _):
        """Glance answers errors as HTML pages unless the client accepts JSON."""
        answer = place.call("GET", f"/image/v2/images/{lib.ABSENT}", headers={"Accept": "text/html"})
        assert answer.status == 404 and header(answer, "Content-Type").startswith("text/html") and "<h1>404 Not Found</h1>" in answer.text
        answer = place.call("GET", "/image/v2/images/<script>", headers={"Accept": "text/html"})
        assert "<script>" not in answer.text

    def tokens(self, place, _):
        """Missing, mutated, foreign and revoked tokens: 401, with Keystone's address."""
        fresh = lib.own(place.dev)
        with Dev() as other:
            foreign = lib.own(other).token
        mutated = [fresh.token[:n] + ("A" if fresh.token[n] != "A" else "B") + fresh.token[n + 1:] for n in range(0, len(fresh.token) - 2, 7)]
        for token in ("", " ", "x", foreign, fresh.token[:-4], fresh.token + "AAAA", fresh.token.swapcase(), *mutated):
            for path in LISTS[:3]:
                answer = place.call("GET", path, headers={"X-Auth-Token": token})
                says = header(answer, "WWW-Authenticate")
                assert answer.status == 401 and says.startswith(f'Keystone uri="{place.dev.url}/identity'), f"{token}: {answer}"
                assert fresh.token not in answer.text
        assert fresh.call("GET", LISTS[0]).status == 200
        assert place.admin.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": fresh.token}).status == 204
        assert fresh.call("GET", LISTS[0]).status == 401
        assert place.call("GET", LISTS[0]).status == 200  # another token of the same user stays valid
        assert place.call("GET", f"/volume/v3/{place.admin.id}/volumes").status in (400, 403)  # another project in the path

    def if_match(self, place, _):
        """Neutron's If-Match applies to PUT and DELETE of each kind; nothing changes if it does not match."""
        network = place.ok("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]
        things = [("networks", "network", network)]
        for path, item, body in (("subnets", "subnet", {"network_id": network["id"], "cidr": "10.9.0.0/24", "ip_version": 4}),
                                 ("ports", "port", {"network_id": network["id"]}), ("routers", "router", {}),
                                 ("security-groups", "security_group", {"name": "g"})):
            things.append((path, item, place.ok("POST", f"/network/v2.0/{path}", {item: body})[item]))
        for path, item, thing in things:
            at = f"/network/v2.0/{path}/{thing['id']}"
            for tag in ("revision_number=999", '"revision_number=999"', '"a", "revision_number=999"'):
                for method, body in (("PUT", {item: {"description": "d"}}), ("DELETE", None)):
                    answer = place.call(method, at, body, headers={"If-Match": tag})
                    assert answer.status == 412 and answer.json["NeutronError"]["type"] == "RevisionNumberConstraintFailed", answer
            for tag in ("revision_number=x", '"revision_number=1", "revision_number=2"'):
                assert place.call("PUT", at, {item: {"description": "d"}}, headers={"If-Match": tag}).status == 400
            before = place.ok("GET", at)[item]
            assert before["description"] == ""
            held = {"If-Match": f"revision_number={before['revision_number']}"}
            after = place.ok("PUT", at, {item: {"description": "d"}}, headers=held)[item]
            assert after["description"] == "d" and after["revision_number"] > before["revision_number"]
            assert place.call("PUT", at, {item: {"description": "e"}}, headers=held).status == 412
        for path, item, thing in reversed(things):
            at = f"/network/v2.0/{path}/{thing['id']}"
            revision = place.ok("GET", at)[item]["revision_number"]
            assert place.call("DELETE", at, headers={"If-Match": f"revision_number={revision}"}).status == 204

    def one_action(self, place, service):
        """A body with two actions is refused."""
        path = {"compute": f"/compute/v2.1/servers/{lib.ABSENT}/action", "volume": f"/volume/v3/volumes/{lib.ABSENT}/action"}[service]
        answer = place.admin.call("POST", path, {"pause": None, "os-extend": {"new_size": 9}, "os-start": None})
        assert answer.status == 400 and "too many body keys" in answer.text, answer
