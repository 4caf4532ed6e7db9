#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/console src/http/websocket src/http/bridge.c
"""Remote consoles: the URL for the stock client, its pages, and the websocket behind them with a client of the test's own; and refused access."""
import os
import signal
import socket as socket_module
import struct
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
import websocket

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
import waiting  # noqa: E402


class Region:
    def __init__(self, dev):
        self.dev = dev
        self.own = lib.own(dev)
        image = self.own.ok("GET", "/image/v2/images")["images"][0]["id"]
        self.servers = [self.make(image, name) for name in ("one", "two")]

    def make(self, image, name):
        wish = {"server": {"name": name, "imageRef": image, "flavorRef": "t3.micro", "networks": "auto"}}
        server = self.own.ok("POST", "/compute/v2.1/servers", wish, version="compute 2.37")["server"]["id"]
        self.await_power(server, 1)
        return server

    def await_power(self, server, wanted):
        def power():
            return self.own.ok("GET", f"/compute/v2.1/servers/{server}")["server"]["OS-EXT-STS:power_state"]
        waiting.wait_until(lambda: power() == wanted, f"{server}: {wanted}", shows=power)

    def console(self, protocol, kind, server=None, project=None):
        return (project or self.own).call("POST", f"/compute/v2.1/servers/{server or self.servers[0]}/remote-consoles",
                                          {"remote_console": {"protocol": protocol, "type": kind}}, version="compute 2.6")

    def url(self, kind, server=None):
        answer = self.console("serial" if kind == "serial" else "vnc", kind, server)
        assert answer.status == 200, answer
        return answer.json["remote_console"]["url"]

    def socket_of(self, page, **how):
        return websocket.create_connection(socket_url(page), timeout=waiting.HANG_S, **how)


def socket_url(page):
    """The page's websocket URL: noVNC has it in its query, Dari's page beside itself."""
    parts = urllib.parse.urlsplit(page)
    query = urllib.parse.parse_qs(parts.query)
    path = "/" + query["path"][0] if "path" in query else f"/console/websocket?{parts.query}"
    return f"ws://{parts.netloc}{path}"


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=waiting.HANG_S) as answer:
            return answer.status, dict(answer.headers), answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read().decode()


def refusal(page, **how):
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(socket_url(page), timeout=waiting.HANG_S, **how)
    return caught.value.status_code


def hear(socket, size):
    data = b""
    while len(data) < size:
        piece = socket.recv()
        data += piece if isinstance(piece, bytes) else piece.encode()
    return data


def hear_until(socket, words):
    data = b""
    while words not in data:
        data += socket.recv()
    return data


@pytest.fixture(scope="module")
def region():
    with Dev() as dev:
        yield Region(dev)


def test_the_stock_client(region):
    for flag, kind in (("--novnc", "novnc"), ("--serial", "serial")):
        said = region.own.openstack("console", "url", "show", flag, "one", "-f", "json")
        assert said["type"] == kind and said["url"].startswith(region.dev.url + "/console/")
    assert "navailable console type" in region.own.openstack("console", "url", "show", "--spice", "one", fails=True)


def test_the_old_actions(region):
    path = f"/compute/v2.1/servers/{region.servers[0]}/action"
    for action, kind in (("os-getVNCConsole", "novnc"), ("os-getSerialConsole", "serial")):
        body = {action: {"type": kind}}
        console = region.own.ok("POST", path, body)["console"]
        assert console["type"] == kind and set(console) == {"type", "url"}
        assert region.own.call("POST", path, body, version="compute 2.6").status == 400
    assert region.own.call("POST", path, {"os-getVNCConsole": {"type": "xvpvnc"}}).status == 400
    assert region.own.call("POST", path.replace("action", "remote-consoles"), {}).status == 404


def test_serial(region):
    page = region.url("serial")
    status, headers, text = get(page)
    assert status == 200 and "serial.js" in text and headers["Referrer-Policy"] == "no-referrer"
    assert "script-src 'self';" in headers["Content-Security-Policy"] and "://" not in text
    for name, kind in (("serial.js", "text/javascript"), ("serial.css", "text/css")):
        status, headers, text = get(urllib.parse.urljoin(page, name))
        assert status == 200 and headers["Content-Type"].startswith(kind) and text
    socket = region.socket_of(page, subprotocols=["binary", "base64"], origin=region.dev.url)
    assert socket.subprotocol == "binary"
    assert b"no machine" in hear_until(socket, b"\r\n")
    socket.send_binary(b"uname -a\r")
    assert hear_until(socket, b"\r\n") == b"uname -a\r\n"
    socket.send("ä\x7f")  # text is sent as bytes, too
    assert hear(socket, 5) == "ä".encode() + b"\b \b"
    big = os.urandom(200000).replace(b"\r", b".").replace(b"\n", b".").replace(b"\b", b".").replace(b"\x7f", b".")
    for at in range(0, len(big), 50000):
        socket.send_binary(big[at:at + 50000])
    assert hear(socket, len(big)) == big
    socket.ping("x")
    socket.close()


def test_display(region):
    page = region.url("novnc")
    status, headers, text = get(page)
    if os.path.exists("/usr/share/novnc/vnc.html"):
        assert status == 200 and "noVNC" in text and "connect-src 'self' ws://127.0.0.1" in headers["Content-Security-Policy"]
        status, headers, _ = get(urllib.parse.urljoin(page, "core/rfb.js"))
        assert status == 200 and headers["Content-Type"].startswith("text/javascript")
    else:
        assert status == 503 and "package novnc" in text
    socket = region.socket_of(page)
    assert hear(socket, 12) == b"RFB 003.008\n"
    socket.send_binary(b"RFB 003.008\n")
    assert hear(socket, 2) == b"\1\1"
    socket.send_binary(b"\1")
    assert hear(socket, 4) == bytes(4)
    socket.send_binary(b"\1")
    init = hear(socket, 24)
    assert struct.unpack(">HH", init[:4]) == (640, 400)
    socket.send_binary(b"\3\0" + struct.pack(">HHHH", 0, 0, 640, 400))
    head = hear(socket, 640 * 400 * 4)
    assert b"simulated" in init + head[:64]
    socket.close()


@pytest.mark.parametrize("path", ["../../../../etc/passwd", "%2e%2e/x.js", ".hidden.js", "core//rfb.js", "core", "utils/novnc_proxy", ""])
def test_no_other_file(region, path):
    connection = region.own.call("GET", f"/console/vnc/{path}")
    assert connection.status == 404, connection


def test_the_newest_has_it(region):
    page = region.url("serial", region.servers[1])
    first, second = region.socket_of(page), None
    hear_until(first, b"\r\n")
    second = region.socket_of(page)  # a ticket can be used again while it is valid
    hear_until(second, b"\r\n")
    assert first.recv() in (b"", "")
    assert not first.connected
    second.close()


def test_a_revoked_token_closes_what_it_opened(region):
    caller = lib.own(region.dev)
    page = region.console("serial", "serial", region.servers[1], caller).json["remote_console"]["url"]
    socket = region.socket_of(page)
    hear_until(socket, b"\r\n")
    assert caller.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": caller.token}).status == 204
    assert socket.recv() in (b"", "") and not socket.connected


def raw_refusal(page):
    """The raw answer to a refused websocket, until the connection is closed."""
    parts = urllib.parse.urlsplit(socket_url(page))
    with socket_module.create_connection((parts.hostname, parts.port), timeout=waiting.HANG_S) as raw:
        raw.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        return b"".join(iter(lambda: raw.recv(4096), b""))


def test_refusals(region):
    page = region.url("serial")
    other = region.url("serial", region.servers[1])
    assert refusal(page, origin="https://elsewhere.example.com") == 403
    assert refusal(page[:-4] + "AAAA") == 403
    raw = raw_refusal(page[:-4] + "AAAA")
    assert raw.startswith(b"HTTP/1.1 403") and raw.endswith(b"\r\n\r\n")  # nothing that could be parsed as a frame
    assert refusal(page.split("?", maxsplit=1)[0] + "?x=") == 403
    assert refusal(page, subprotocols=["chat"]) == 400
    assert get(socket_url(page).replace("ws:", "http:"))[0] == 400
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(page).query)["token"][0]
    assert token not in get(page)[2] and token != other
    for protocol, kind, status in (("vnc", "xvpvnc", 400), ("spice", "spice-html5", 400), ("vnc", "serial", 400), ("tin", "can", 400)):
        assert region.console(protocol, kind).status == status
    assert region.console("serial", "serial", lib.ABSENT).status == 404
    stranger = lib.another(region.dev, "stranger")
    assert region.console("serial", "serial", project=stranger).status == 404


def test_a_reader_may_not(region):
    admin = lib.admin(region.dev)
    roles = {r["name"]: r["id"] for r in admin.ok("GET", "/identity/v3/roles")["roles"]}
    user = admin.ok("POST", "/identity/v3/users", {"user": {"name": "reads", "password": "secret"}})["user"]["id"]
    grants = f"/identity/v3/projects/{region.own.id}/users/{user}/roles/"
    assert admin.call("PUT", grants + roles["reader"]).status == 204
    reader = lib.Project(region.dev, region.own.name, "reads", "secret")
    assert region.console("serial", "serial", project=reader).status == 403
    # a member when the link was created, but no longer
    assert admin.call("PUT", grants + roles["member"]).status == 204
    member = lib.Project(region.dev, region.own.name, "reads", "secret")
    page = region.console("serial", "serial", project=member).json["remote_console"]["url"]
    region.socket_of(page).close()
    assert admin.call("DELETE", grants + roles["member"]).status == 204
    assert refusal(page) == 403
    # and a user whose token was revoked
    page = region.url("serial")
    again = lib.own(region.dev)
    spare = region.console("serial", "serial", project=again).json["remote_console"]["url"]
    assert again.call("DELETE", "/identity/v3/auth/tokens", headers={"X-Subject-Token": again.token}).status == 204
    assert refusal(spare) == 403
    region.socket_of(page).close()


def test_it_ends_with_the_guest(region):
    page = region.url("serial", region.servers[1])
    socket = region.socket_of(page)
    hear_until(socket, b"\r\n")
    region.own.ok("POST", f"/compute/v2.1/servers/{region.servers[1]}/action", {"os-stop": None})
    assert socket.recv() in (b"", "") and not socket.connected
    region.await_power(region.servers[1], 4)
    assert refusal(page) == 409
    answer = region.console("serial", "serial", region.servers[1])
    assert answer.status == 409 and "is not ready" in answer.text
    region.own.call("DELETE", f"/compute/v2.1/servers/{region.servers[1]}")
    assert region.console("serial", "serial", region.servers[1]).status == 404


def test_too_large_and_the_end():
    with Dev() as dev:
        region = Region(dev)
        page = region.url("serial")
        huge = region.socket_of(page)
        huge.send_binary(bytes(70000))
        opcode, data = huge.recv_data()
        while opcode != websocket.ABNF.OPCODE_CLOSE:
            opcode, data = huge.recv_data()
        assert struct.unpack(">H", data[:2])[0] == 1009
        last = region.socket_of(page)
        hear_until(last, b"\r\n")
        assert dev.end(signal.SIGTERM) == 0  # an orderly exit, despite an open console
        assert last.recv() in (b"", "")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-x", "-p", "no:cacheprovider", *sys.argv[1:]]))
