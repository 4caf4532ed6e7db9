#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http/forwarded.c src/http/call.c src/http/conn.c docs/production.md
"""A region behind Debian's nginx and HAProxy, each set up as docs/production.md says: the client's address and scheme reach policies, the audit log
and the limit of wrong passwords, and nobody can forge them."""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, ROOT, Account, Answer, Dev, HANG_S  # noqa: E402

PROXY, NEAR, FAR = "127.0.0.1", "127.0.0.2", "127.0.0.3"
FRAME = """
daemon off; pid {room}/pid; error_log {room}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {room}/body; proxy_temp_path {room}/proxy; fastcgi_temp_path {room}/f; uwsgi_temp_path {room}/u; scgi_temp_path {room}/s;
{recipe}
}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def recipe(program, changes):
    """The block of the page, with this machine's ports and files."""
    with open(os.path.join(ROOT, "docs/production.md"), encoding="utf-8") as page:
        block = re.search(rf"^{program} .*?:\n\n((?:    .*\n|\n)+)", page.read(), re.MULTILINE)[1]
    for old, new in changes.items():
        assert old in block, old
        block = block.replace(old, new)
    return re.sub("^    ", "", block, flags=re.MULTILINE)


def nginx(dev, port, room):
    """Command of the proxy, and a file with what it says."""
    files = "/etc/letsencrypt/live/cloud.example.org"
    text = recipe("nginx", {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl", f"{files}/fullchain.pem": f"{room}/crt", f"{files}/privkey.pem": f"{room}/key",
                            "127.0.0.1:8788": f"127.0.0.1:{dev.port}"})
    (room / "conf").write_text(FRAME.format(room=room, recipe=text))
    return [shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-p", room, "-c", room / "conf", "-e", room / "error.log"]


def haproxy(dev, port, room):
    (room / "pem").write_text((room / "crt").read_text() + (room / "key").read_text())
    text = recipe("HAProxy", {"bind :443": f"bind 127.0.0.1:{port}", "/etc/haproxy/cloud.pem": f"{room}/pem", "127.0.0.1:8788": f"127.0.0.1:{dev.port}"})
    (room / "conf").write_text(text)
    return [shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "-db", "-f", room / "conf"]


@pytest.fixture(scope="module")
def dev():
    with Dev("--proxies", PROXY) as region:
        yield region


@pytest.fixture(scope="module", params=[nginx, haproxy], ids=lambda start: start.__name__)
def proxy(request, dev, tmp_path_factory):
    """Port of the proxy."""
    room, port = tmp_path_factory.mktemp("proxy"), free_port()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", room / "key", "-out", room / "crt", "-subj", "/CN=localhost",
                    "-days", "2"], check=True, capture_output=True)
    command = request.param(dev, port, room)
    with open(room / "error.log", "a", encoding="utf-8") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            for _ in range(600):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0 or process.poll() is not None:
                        break
                time.sleep(0.05)
            assert process.poll() is None, (room / "error.log").read_text()
            yield port
        finally:
            process.terminate()


def ask(port, method, path, headers=None, body=None, source=NEAR, tls=True):
    """Sends a request from the address `source`."""
    import ssl  # pylint: disable=import-outside-toplevel
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    kind = {"context": context} if tls else {}
    connection = (http.client.HTTPSConnection if tls else http.client.HTTPConnection)("127.0.0.1", port, timeout=HANG_S, source_address=(source, 0), **kind)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.headers), text


class Through(Account):
    """An account that calls by the proxy, or past it, from an address."""

    def __init__(self, dev, key, port, source, tls=True, **headers):
        super().__init__(dev, key["access_key_id"], key["secret_access_key"])
        self.way, self.more = (port, source, tls), headers

    def send(self, method, path, headers, body=b""):
        port, source, tls = self.way
        return Answer(*ask(port, method, path, {**headers, **{k.replace("_", "-"): v for k, v in self.more.items()}}, body, source, tls))


def records(dev, **wanted):
    done = subprocess.run([DARI, "--config", dev.config, "log", "audit", "--json"], check=True, capture_output=True, text=True)
    return [r for r in map(json.loads, done.stdout.splitlines()) if all(r.get(k) == v for k, v in wanted.items())]


def address_of(dev, answer):
    identifier = re.search("<[Rr]equest(?:ID|Id)>([^<]+)<", answer.text)[1]
    (record,) = records(dev, request_id=identifier)
    return record["from"]


@pytest.fixture(scope="module")
def key(dev):
    return dev.command("account", "create", "behind")


def make_user(account, name):
    return account.call("CreateUser", {"UserName": name}, version="2010-05-08", service="iam")


def test_audit_log_has_the_clients_address(dev, proxy, key):
    assert address_of(dev, make_user(Through(dev, key, proxy, NEAR), f"one-{proxy}")) == NEAR
    assert address_of(dev, make_user(Through(dev, key, proxy, FAR), f"two-{proxy}")) == FAR
    forged = {"X_Forwarded_For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    assert address_of(dev, make_user(Through(dev, key, proxy, NEAR, **forged), f"three-{proxy}")) == NEAR
    assert address_of(dev, make_user(Through(dev, key, dev.port, NEAR, tls=False, **forged), f"four-{proxy}")) == NEAR


def test_policies_see_address_and_scheme(dev, proxy, key):
    root = Through(dev, key, proxy, NEAR)
    user = f"guarded-{proxy}"
    make_user(root, user)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {
        "IpAddress": {"aws:SourceIp": FAR + "/32"}, "Bool": {"aws:SecureTransport": "true"}}}]}
    iam = {"version": "2010-05-08", "service": "iam"}
    assert root.call("PutUserPolicy", {"UserName": user, "PolicyName": "p", "PolicyDocument": json.dumps(document)}, **iam).status == 200
    made = root.call("CreateAccessKey", {"UserName": user}, **iam)
    mine = {"access_key_id": made.first(".//AccessKeyId"), "secret_access_key": made.first(".//SecretAccessKey")}
    for port, source, tls, more, status in (
            (proxy, FAR, True, {}, 200), (proxy, NEAR, True, {}, 403), (proxy, NEAR, True, {"X_Forwarded_For": FAR}, 403),
            (dev.port, FAR, False, {}, 403), (dev.port, FAR, False, {"X_Forwarded_Proto": "https"}, 403),
            (dev.port, NEAR, False, {"X_Forwarded_For": FAR, "X_Forwarded_Proto": "https"}, 403),
            (dev.port, PROXY, False, {"X_Forwarded_For": FAR, "X_Forwarded_Proto": "https"}, 200)):
        answer = Through(dev, mine, port, source, tls, **more).call("DescribeVpcs")
        assert answer.status == status, (port, source, more, answer)


def sign_in(port, source, password):
    body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": {"user": {
        "name": "locked", "domain": {"id": "default"}, "password": password}}}}})
    return ask(port, "POST", "/identity/v3/auth/tokens", {"Content-Type": "application/json"}, body, source)[0]


def test_wrong_passwords_lock_one_client_out_alone(dev, proxy):
    """The lock is by address: with the proxy's own, one stranger would lock everybody out."""
    subprocess.run([DARI, "--config", dev.config, "user", "create", "locked", "--account", "dev", "--password-stdin"], input="right-word-1\n", text=True,
                   check=False)
    assert sign_in(proxy, FAR, "right-word-1") == 201
    for _ in range(6):
        sign_in(proxy, NEAR, "wrong")
    assert sign_in(proxy, NEAR, "right-word-1") == 401
    assert sign_in(proxy, FAR, "right-word-1") == 201


def test_a_browser_behind_tls_is_told_so(proxy):
    status, headers, _ = ask(proxy, "GET", "/console/")
    assert status == 200 and "strict-transport-security" in map(str.lower, headers)  # HAProxy writes names in lower case
    assert ask(proxy, "GET", "/metrics")[0] == 403


@pytest.mark.parametrize("proxies, words", [("10.0.0.1/8", '"10.0.0.1/8" is neither an address nor a block'), ("proxy.example.org", "neither")])
def test_bad_settings_are_refused(proxies, words):
    done = subprocess.run([DARI, "dev", "--port", "0", "--proxies", proxies], capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 1 and words in done.stderr and "api.proxies" in done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
