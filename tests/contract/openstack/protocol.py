#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack/core src/http
"""The forms in which a request may come to OpenStack's face, and what it may be answered: versions, methods, paths, bodies,
tokens."""
import json
import os
import re
import socket
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402

LISTS = ["/compute/v2.1/servers", "/network/v2.0/networks", "/volume/v3/volumes", "/image/v2/images", "/identity/v3/auth/projects"]
SERVICES = ["compute", "network", "volume", "image", "identity", "placement"]


@pytest.fixture(scope="module")
def own():
    with Dev() as dev:
        yield lib.own(dev)


@pytest.fixture(scope="module")
def admin(own):
    return lib.admin(own.dev)


def header(answer, name):
    return {k.lower(): v for k, v in answer.headers.items()}.get(name.lower())


# ---- versions

@pytest.mark.parametrize("service", SERVICES)
def test_roots(own, service):
    """What a client reads before it has a token."""
    for path in (f"/{service}/", f"/{service}"):
        answer = own.call("GET", path, headers={"X-Auth-Token": ""})
        assert answer.status == {"volume": 300, "image": 300, "identity": 300}.get(service, 200), answer
        versions = answer.json["versions"]
        for version in versions["values"] if isinstance(versions, dict) else versions:
            (link, *_) = [l["href"] for l in version["links"] if l["rel"] == "self"]
            assert link.startswith(f"{own.dev.url}/{service}"), link


MICRO = [("compute", "2.93", "2.1", "/compute/v2.1/servers"), ("volume", "3.70", "3.0", "/volume/v3/volumes"),
         ("placement", "1.39", "1.0", "/placement/resource_providers")]


@pytest.mark.parametrize("service, newest, oldest, path", MICRO, ids=[m[0] for m in MICRO])
def test_microversions(admin, service, newest, oldest, path):
    major = newest.partition(".")[0]

    def said(version):
        return admin.call("GET", path, version=f"{service} {version}" if version else None)
    for asked, told in ((None, oldest), ("latest", newest), (newest, newest), (oldest, oldest)):
        answer = said(asked)
        assert answer.status == 200 and header(answer, "OpenStack-API-Version") == f"{service} {told}", f"{asked}: {answer} {answer.headers}"
        assert "OpenStack-API-Version" in header(answer, "Vary")
    for high in (f"{major}.999", "9.1", f"{major}.{int(newest.partition('.')[2]) + 1}"):
        answer = said(high)
        assert answer.status == 406 and newest in answer.text and oldest in answer.text, answer
    for bad in ("x", f"{major}.", ".1", f"{major}.1.1", f"{major}.01", "-1", f"{major}.{'9' * 40}"):
        assert said(bad).status in (400, 406), bad
    assert header(admin.call("GET", path, version="other 9.9"), "OpenStack-API-Version") == f"{service} {oldest}"  # another service's


def test_the_older_header(own):
    answer = own.call("GET", "/compute/v2.1/servers", headers={"X-OpenStack-Nova-API-Version": "2.10"})
    assert answer.status == 200 and header(answer, "X-OpenStack-Nova-API-Version") == "2.10" and header(answer, "OpenStack-API-Version") == "compute 2.10"
    assert own.call("GET", "/compute/v2.1/servers", headers={"X-OpenStack-Nova-API-Version": "2.999"}).status == 406


# ---- methods and paths

@pytest.mark.parametrize("path", LISTS)
def test_methods(own, path):
    got, head = own.call("GET", path), own.call("HEAD", path)
    assert (head.status, head.text) == (200, "") and header(head, "Content-Type") == header(got, "Content-Type") == "application/json"
    for method in ("PUT", "DELETE", "PATCH"):
        answer = own.call(method, path)
        assert answer.status in (404, 405), f"{method}: {answer}"
    for method in ("OPTIONS", "TRACE", "CONNECTED"):
        answer = own.call(method, path)
        assert 400 <= answer.status < 502 and answer.status != 500, f"{method}: {answer}"


@pytest.mark.parametrize("path", LISTS)
def test_paths(own, path):
    """Slashes at the end and twice say nothing, but to Compute, Image and Block Storage, who see an id that is empty at the
    end; what is no path is JSON, too."""
    whole, service = own.call("GET", path).same(), path.split("/")[1]
    for form in (path + "/", "//".join(path.rsplit("/", 1))):
        answer = own.call("GET", form)
        if service in ("compute", "image", "volume") and form.endswith("/"):
            assert answer.status == 404, form
            continue
        assert answer.status == 200 and re.sub(form, path, answer.same()) == whole, form
    for none in (f"/{service}/v9/x", path + "/x/y/z/w", path + "ers", path + "/%00", path + "/%ff", path + "/" + "x" * 3000):
        answer = own.call("GET", none)
        assert answer.status in (400, 404, 414), f"{none[:60]}: {answer}"
        assert answer.text == "" or answer.json, none[:60]
    assert own.call("GET", path + "?" + "&".join(f"a{n}=1" for n in range(600))).status in (400, 413)
    for query in ("%zz", "name=%ff", "limit=x", "limit=-1"):
        assert own.call("GET", f"{path}?{query}").status in ((200, 400) if "auth/projects" in path or query == "%zz" else (400,)), query


def test_request_ids(own):
    """Each answer names its request, also one that is refused; no two the same."""
    seen = set()
    for path in (*LISTS, "/compute/v2.1/servers/x", "/network/v2.0/ports/x", "/nowhere"):
        answer = own.call("GET", path)
        if path != "/nowhere":
            assert re.fullmatch(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", header(answer, "X-Openstack-Request-Id")), path
            seen.add(header(answer, "X-Openstack-Request-Id"))
    assert len(seen) == len(LISTS) + 2
    answer = own.call("GET", LISTS[0])
    assert header(answer, "x-compute-request-id") == header(answer, "X-Openstack-Request-Id")


# ---- bodies

BODIES = [("/compute/v2.1/os-keypairs", {"keypair": {"name": "x"}}), ("/network/v2.0/networks", {"network": {}}),
          ("/volume/v3/volumes", {"volume": {"size": 1}}), ("/image/v2/images", {"name": "x"}), ("/identity/v3/auth/tokens", {"auth": {}})]


def send(own, text, more=b""):
    """What is answered to bytes."""
    with socket.create_connection(("127.0.0.1", own.dev.port), 20) as s:
        s.sendall(text.encode() + more)
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = s.recv(65536)
            if not part:
                break
            answer += part
        return answer.decode(errors="replace")


def test_largest_body(own):
    """What the services take, and one byte more."""
    def create(size):
        body = json.dumps({"network": {"name": ""}})
        return own.call("POST", "/network/v2.0/networks", raw=body.replace('""', '"' + "x" * (size - len(body)) + '"').encode())
    assert create(114688).status == 400  # its name is too long
    refused = create(114689)
    assert refused.status == 413 and refused.json["NeutronError"]["message"] == "Request is too large."


@pytest.mark.parametrize("path, body", BODIES, ids=[b[0] for b in BODIES])
@pytest.mark.parametrize("token", ["", "good"])
def test_too_large(own, path, body, token):
    """By its length nothing of it is awaited; in pieces it ends where it is too much. Whoever asks."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Auth-Token: {own.token if token else ''}\r\n"
    refused = send(own, head + "Content-Length: 2000000\r\n\r\n{")
    assert refused.startswith("HTTP/1.1 413 ") and ("compute" not in path or not token or '"overLimit"' in refused), refused
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    try:
        answer = send(own, head + "Transfer-Encoding: chunked\r\n\r\n", piece * 40 + b"0\r\n\r\n")
    except ConnectionError:
        return  # told and closed while we were still talking
    assert answer.startswith("HTTP/1.1 413 ") or answer == "", answer


@pytest.mark.parametrize("path, body", BODIES, ids=[b[0] for b in BODIES])
def test_bodies(own, path, body):
    """Nothing is made by a body that is none."""
    collection = {"/identity/v3/auth/tokens": "/identity/v3/auth/projects"}.get(path, path)
    before = own.call("GET", collection).same()
    (key, *_), text = body, json.dumps(body)
    deep = '{"%s":' % key + '{"a":' * 5000 + "1" + "}" * 5001
    for raw in ("", "null", "[]", "{", text + "x", text[:-1], '{"%s":1,"%s":1}' % (key, key), deep, '{"%s":"\\ud800"}' % key, "\ufeff" + text, text.replace("{", "{/**/", 1)):
        answer = own.call("POST", path, raw=raw.encode())
        assert answer.status == 400, f"{raw[:40]!r}: {answer}"
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = own.call("POST", path, raw=b"<a/>", headers={"Content-Type": kind})
        assert answer.status in (400, 415), f"{kind}: {answer}"
    assert own.call("GET", collection).same() == before


@pytest.mark.parametrize("path, body", [(p, b) for p, b in BODIES if "image" not in p and "tokens" not in p], ids=["keypairs", "networks", "volumes"])
def test_unknown_members(own, path, body):
    """Refused by name, as the services' schemas do."""
    (wrap, inner), = body.items()
    for mutated in ({wrap: {**inner, "no_such_member": 1}}, ):
        answer = own.call("POST", path, mutated)
        assert answer.status == 400 and "no_such_member" in answer.text, answer


def test_pages_of_glance(own):
    """Its errors are pages of HTML where the client does not say that it reads JSON."""
    answer = own.call("GET", f"/image/v2/images/{lib.ABSENT}", headers={"Accept": "text/html"})
    assert answer.status == 404 and header(answer, "Content-Type").startswith("text/html") and "<h1>404 Not Found</h1>" in answer.text
    answer = own.call("GET", "/image/v2/images/<script>", headers={"Accept": "text/html"})
    assert "<script>" not in answer.text


# ---- tokens

def test_tokens(own, admin):
    """None, mutated by a bit, of another region, revoked: 401, and where to get one."""
    fresh = lib.own(own.dev)
    with Dev() as other:
        foreign = lib.own(other).token
    mutated = [fresh.token[:n] + ("A" if fresh.token[n] != "A" else "B") + fresh.token[n + 1:] for n in range(0, len(fresh.token) - 2, 7)]
    for token in ("", " ", "x", foreign, fresh.token[:-4], fresh.token + "AAAA", fresh.token.swapcase(), *mutated):
        for path in LISTS[:3]:
            answer = own.call("GET", path, headers={"X-Auth-Token": token})
            assert answer.status == 401 and header(answer, "WWW-Authenticate") == f'Keystone uri="{own.dev.url}/identity"' or \
                header(answer, "WWW-Authenticate").startswith(f'Keystone uri="{own.dev.url}/identity'), f"{token}: {answer}"
            assert fresh.token not in answer.text
    assert fresh.call("GET", LISTS[0]).status == 200
    assert admin.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": fresh.token}).status == 204
    assert fresh.call("GET", LISTS[0]).status == 401
    assert own.call("GET", LISTS[0]).status == 200  # another of the same user's stays
    assert own.call("GET", f"/volume/v3/{admin.id}/volumes").status in (400, 403)  # another project in the path


# ---- conditions, and actions

def test_if_match(own):
    """Neutron's condition holds for PUT and DELETE of each kind; nothing changes where it does not hold."""
    network = own.ok("POST", "/network/v2.0/networks", {"network": {"name": "net"}})["network"]
    things = [("networks", "network", network)]
    for path, item, body in (("subnets", "subnet", {"network_id": network["id"], "cidr": "10.9.0.0/24", "ip_version": 4}),
                             ("ports", "port", {"network_id": network["id"]}), ("routers", "router", {}),
                             ("security-groups", "security_group", {"name": "g"})):
        things.append((path, item, own.ok("POST", f"/network/v2.0/{path}", {item: body})[item]))
    for path, item, thing in things:
        at = f"/network/v2.0/{path}/{thing['id']}"
        for tag in ("revision_number=999", '"revision_number=999"', '"a", "revision_number=999"'):
            for method, body in (("PUT", {item: {"description": "d"}}), ("DELETE", None)):
                answer = own.call(method, at, body, headers={"If-Match": tag})
                assert answer.status == 412 and answer.json["NeutronError"]["type"] == "RevisionNumberConstraintFailed", answer
        for tag in ("revision_number=x", '"revision_number=1", "revision_number=2"'):
            assert own.call("PUT", at, {item: {"description": "d"}}, headers={"If-Match": tag}).status == 400
        before = own.ok("GET", at)[item]
        assert before["description"] == ""
        held = {"If-Match": f"revision_number={before['revision_number']}"}
        after = own.ok("PUT", at, {item: {"description": "d"}}, headers=held)[item]
        assert after["description"] == "d" and after["revision_number"] > before["revision_number"]
        assert own.call("PUT", at, {item: {"description": "e"}}, headers=held).status == 412
    for path, item, thing in reversed(things):
        at = f"/network/v2.0/{path}/{thing['id']}"
        revision = own.ok("GET", at)[item]["revision_number"]
        assert own.call("DELETE", at, headers={"If-Match": f"revision_number={revision}"}).status == 204


def test_one_action(admin):
    """Of two actions in one body none runs."""
    for path in (f"/compute/v2.1/servers/{lib.ABSENT}/action", f"/volume/v3/volumes/{lib.ABSENT}/action"):
        answer = admin.call("POST", path, {"pause": None, "os-extend": {"new_size": 9}, "os-start": None})
        assert answer.status == 400 and "too many body keys" in answer.text, answer


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
