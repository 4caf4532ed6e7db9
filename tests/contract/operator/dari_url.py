#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/client src/daemon/control.c
"""`dari --url`: commands from another machine, over TLS; authorisation; and protection of the client against wrong and malicious servers. And the
same API on the server's own socket."""
import contextlib
import http.client
import http.server
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import clone  # noqa: E402
import cloud  # noqa: E402
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402

NOBODY = "nobody is signed in"
OF_THE_MACHINE = ("env", "account rc dev", "console", "host authority", "host sign sim1",
                  "bill export --to file:///tmp/x", "prices load /tmp/x")
LOCAL = ("serve", "dev", "init", "dump actions", "host check hv1", "host add root@192.0.2.1")


class Elsewhere:
    """A machine that has only `dari`, and a home directory."""

    def __init__(self, home, url, ca=None):
        self.home, self.url, self.ca = str(home), url, ca

    def environment(self, more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DARI_", "AWS_", "OS_", "XDG_", "SSL_"))}
        return {**kept, "HOME": self.home, "DARI_CONFIG": "/nonexistent/dari.yaml", **more}

    def run(self, *argv, fails=False, **how):
        done = waiting.run([DARI, *argv], capture_output=True, text=True, env=self.environment(how.pop("env", {})), **how)
        assert (done.returncode != 0) == fails, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    def ask(self, *argv, fails=False, **how):
        """With --url."""
        return self.run("--url", self.url, *(["--ca-file", self.ca] if self.ca else []), *argv, fails=fails, **how)

    def value(self, *argv, **how):
        return json.loads(self.ask(*argv, "--json", **how))

    def login(self, *argv, fails=False, **how):
        return self.run("login", "--url", self.url, *(["--ca-file", self.ca] if self.ca else []), *argv, fails=fails, **how)

    def kept(self):
        return os.path.join(self.home, ".config/dari/signed-in.json")


@pytest.fixture(scope="module")
def dev():
    with Dev("--tls") as here:
        here.ca = os.path.join(os.path.dirname(here.config), "tls.pem")
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)  # for boto3, and urllib
        here.admin_password = cloud.re.search(r'"admin" with the password (\S+)', here.banner)[1]
        yield here


@pytest.fixture
def elsewhere(dev, tmp_path):
    return Elsewhere(tmp_path, dev.url, dev.ca)


@pytest.fixture
def admin(dev, elsewhere):
    said = elsewhere.login("--user", "admin", "--password-stdin", input=dev.admin_password + "\n")
    assert said == "signed in as admin for the account admin, an administrator of the region\n"
    return elsewhere


# ---- authentication


def test_nobody_is_signed_in(elsewhere):
    said = elsewhere.ask("host", "list", fails=True)
    assert NOBODY in said and f"dari login --url {elsewhere.url}" in said and "DARI_ACCESS_KEY_ID" in said


def test_what_is_kept_is_ones_own(admin):
    assert stat.S_IMODE(os.stat(admin.kept()).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(admin.kept())).st_mode) == 0o700
    os.chmod(admin.kept(), 0o644)
    said = admin.ask("host", "list", fails=True)
    assert "is not yours alone" in said and "chmod 600" in said


def test_what_is_kept_is_broken(admin):
    for text in ("", "[]", "{", '{"%s": 7}' % admin.url, '{"%s": {"session": 7}}' % admin.url):
        with open(admin.kept(), "w", encoding="ascii") as f:
            f.write(text)
        assert "sign" in admin.ask("host", "list", fails=True), text


def test_an_administrator_is_the_operator(dev, admin):
    """Same output as over the socket on the machine itself, byte for byte, as text and as JSON."""
    for argv in (["host", "list"], ["host", "show", "sim1"], ["account", "list"], ["role", "list"], ["network", "list"], ["limit", "list"],
                 ["image", "list"], ["signup", "templates"], ["pool", "list"], ["whatif", "host-down", "sim1"], ["audit"], ["prices", "list"]):
        for form in ([], ["--json"]):
            here = subprocess.run([DARI, "--config", dev.config, *argv, *form], check=True, capture_output=True, text=True).stdout
            assert admin.ask(*argv, *form) == here, argv
    assert admin.ask("explain", "sim1").startswith("state ")  # its output contains relative times


def test_changes_bear_a_name(dev, admin):
    made = admin.value("account", "create", "from-afar")
    assert made["account_id"] in {a["account_id"] for a in dev.command("account", "list")}
    record = next(json.loads(line) for line in admin.ask("log", "audit", "--json").splitlines()
                  if json.loads(line)["action"] == "dari:account create" and json.loads(line)["subject"] == "name=from-afar")
    assert record["user_name"] == "admin" and record["from"] == "127.0.0.1" and record["outcome"] == "ok" and len(record["user_id"]) == 32


def test_failures_are_the_commands_own(dev, admin):
    for argv in (["host", "show", "nope"], ["account", "create", "admin"], ["explain", "i-0123456789abcdef0"], ["host", "list", "more"]):
        here = subprocess.run([DARI, "--config", dev.config, *argv], check=False, capture_output=True, text=True)
        assert here.returncode != 0 and admin.ask(*argv, fails=True) == here.stderr


def test_wrong_credentials(dev, elsewhere):
    assert "The name or password is wrong." in elsewhere.login("--user", "admin", "--password-stdin", input="wrong\n", fails=True)
    assert "The access key or its secret is wrong." in elsewhere.login("--access-key", dev.account.key_id, "--secret-stdin", input="wrong\n", fails=True)
    assert "This link was used" in elsewhere.login("--ticket", "nothing", fails=True)
    assert "one of --user" in elsewhere.login(fails=True)
    assert "one of --user" in elsewhere.login("--user", "a", "--ticket", "b", fails=True)
    assert "is missing" in elsewhere.login("--user", "admin", stdin=subprocess.DEVNULL, fails=True)
    assert not os.path.exists(elsewhere.kept())
    for env in ({"DARI_TOKEN": "nonsense"}, {"DARI_ACCESS_KEY_ID": dev.account.key_id, "DARI_SECRET_ACCESS_KEY": "wrong"},
                {"DARI_ACCESS_KEY_ID": "AKIA0000000000000000", "DARI_SECRET_ACCESS_KEY": "wrong"},
                {"DARI_ACCESS_KEY_ID": dev.account.key_id, "DARI_SECRET_ACCESS_KEY": dev.account.secret, "DARI_REGION": "elsewhere-1"}):
        said = elsewhere.ask("account", "list", env=env, fails=True)
        assert "dari login" in said and "AKIA" not in said, said


def test_a_token(dev, elsewhere):
    context = ssl.create_default_context(cafile=dev.ca)
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    body = {"auth": {"scope": scope, "identity": {"methods": ["password"], "password": {"user": {
        "name": "admin", "domain": {"id": "default"}, "password": dev.admin_password}}}}}
    connection = http.client.HTTPSConnection("127.0.0.1", dev.port, context=context)
    connection.request("POST", "/identity/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
    token = connection.getresponse().headers["X-Subject-Token"]
    assert "sim1" in elsewhere.ask("host", "list", env={"DARI_TOKEN": token})


def test_a_link(dev, elsewhere):
    link = dev.command("console")["url"]
    assert elsewhere.login("--ticket", link).startswith("signed in as admin")
    assert "sim1" in elsewhere.ask("host", "list")
    assert "This link was used" in elsewhere.login("--ticket", link, fails=True)


def test_sign_out(admin):
    with open(admin.kept(), encoding="ascii") as f:
        before = f.read()
    assert admin.run("logout", "--url", admin.url, "--ca-file", admin.ca) == "signed out\n"
    assert NOBODY in admin.ask("host", "list", fails=True)
    with open(admin.kept(), "w", encoding="ascii") as f:
        f.write(before)
    assert "The session is over." in admin.ask("host", "list", fails=True)
    assert admin.run("logout", "--url", admin.url) == "signed out\n"  # already signed out


# ---- callers who are not administrators


def test_operators_commands_are_administrators(dev, elsewhere):
    said = elsewhere.login("--access-key", dev.account.key_id, "--secret-stdin", input=dev.account.secret + "\n")
    assert said == "signed in as root for the account dev\n" or said.endswith("for the account dev\n")
    for argv in (["host", "list"], ["account", "create", "x"], ["log", "audit"], ["host", "drain", "sim1"], ["role", "list"]):
        assert "Only administrators of the region may do this." in elsewhere.ask(*argv, fails=True)
    assert "x" not in {a["name"] for a in dev.command("account", "list")}


def test_one_sees_ones_own(dev, elsewhere):
    """Lists show what /api/v1 shows the caller: nothing of other accounts, and nothing of the operator's."""
    for name in ("theirs", "hers"):
        dev.command("account", "create", name)
    dev.command("user", "create", "ann", "--account", "hers", "--role", "manager")
    password = dev.command("user", "password", "ann")["password"]
    here = {name: dev.command(*name.split()) for name in ("account list", "image list", "network list")}
    keys = {"DARI_ACCESS_KEY_ID": dev.account.key_id, "DARI_SECRET_ACCESS_KEY": dev.account.secret, "DARI_REGION": "us-east-1"}
    assert [a["name"] for a in elsewhere.value("account", "list", env=keys)] == ["dev"]
    elsewhere.login("--user", "ann", "--password-stdin", input=password + "\n")
    assert [a["name"] for a in elsewhere.value("account", "list")] == ["hers"]
    assert {"dev", "theirs", "hers", "admin"} <= {a["name"] for a in here["account list"]}
    assert elsewhere.value("image", "list") == here["image list"]  # public images
    dev.account.client().register_image(Name="own", RootDeviceName="/dev/sda1", BlockDeviceMappings=[{
        "DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot_of(dev)}}])
    assert "own" in {i["name"] for i in dev.command("image", "list")} and "own" in {i["name"] for i in elsewhere.value("image", "list", env=keys)}
    assert "own" not in {i["name"] for i in elsewhere.value("image", "list")}
    (mine,), (whole,) = elsewhere.value("network", "list"), here["network list"]
    assert mine["name"] == whole["name"] and whole["ranges"] and whole["physical_network"] and not mine["ranges"] and not mine["physical_network"]
    for argv in (["role", "grant", "admin", "--user", "ann", "--system"], ["instance", "freeze", "i-0123456789abcdef0", "--reason", "r"],
                 ["webhook", "remove", "w"], ["signup", "remove", "s"], ["role", "list"]):
        assert "Only administrators of the region may do this." in elsewhere.ask(*argv, fails=True)


def snapshot_of(dev):
    ec2 = dev.account.client()
    volume = ec2.create_volume(Size=1, AvailabilityZone="us-east-1a")["VolumeId"]
    dev.rest()
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    dev.rest()
    return snapshot


def test_changes_are_the_apis(dev, admin):
    """The same output from both places, and rows, events and records that name the caller."""
    dev.command("user", "create", "bob", "--account", "dev")
    for where in ([DARI, "--config", dev.config], None):
        run = (lambda *argv: subprocess.run([*where, *argv], check=True, capture_output=True, text=True).stdout) if where else admin.ask
        assert run("role", "grant", "reader", "--user", "bob", "--domain", "Default", "--inherited") == "granted\n"
        assert {"role": "reader", "who": "Default/bob", "where": "all accounts of Default"} in dev.command("role", "list")
        assert run("role", "revoke", "reader", "--user", "Default/bob", "--domain", "Default", "--inherited") == "revoked\n"
        assert run("signup", "set", "free", "--open", "yes") and run("signup", "remove", "free") == "removed\n"
    records = [json.loads(line) for line in admin.ask("log", "audit", "--json").splitlines()]
    asked = [(r["user_name"], r["from"].split(":")[0]) for r in records if r["action"] == "iam:GrantKeystoneRole" and r["outcome"] == "ok"]
    assert asked == [("operator", "unix"), ("admin", "127.0.0.1")]
    for argv in (["role", "grant", "nope", "--user", "bob", "--system"], ["role", "grant", "reader", "--user", "bob"], ["webhook", "remove", "nope"],
                 ["webhook", "retry", "nope"], ["signup", "accept", "nope"], ["instance", "thaw", "i-0123456789abcdef0"], ["webhook", "remove", "a/../b"]):
        here = subprocess.run([DARI, "--config", dev.config, *argv], check=False, capture_output=True, text=True)
        assert here.returncode == 1 and admin.ask(*argv, fails=True) == here.stderr and "does not exist" in here.stderr or "A role is of" in here.stderr


# ---- commands of the server's machine


@pytest.mark.parametrize("words", OF_THE_MACHINE)
def test_of_the_servers_machine(admin, words):
    assert "has to do with the server's own machine" in admin.ask(*words.split(), fails=True)


def test_the_server_says_so_too(dev, admin):
    """The server also refuses clients other than `dari`: neither commands of its machine, nor its files."""
    with open(admin.kept(), encoding="ascii") as f:
        cookie = json.load(f)[admin.url]["session"]
    connection = http.client.HTTPSConnection("127.0.0.1", dev.port, context=ssl.create_default_context(cafile=dev.ca))
    asked = [{"command": words, "args": {}} for words in ("env", "account rc", "host sign", "console", "bill export", "dev", "", "host set-fence", "host add", "pool add")]
    asked += [{"command": "image import", "args": {"source": source}} for source in ("/etc/passwd", "file:///etc/passwd", "FILE:///etc/passwd", "passwd")]
    asked += [{"command": "desk add", "args": {"name": "d", "secret-file": "/etc/shadow"}},
              {"command": "ticket open", "args": {"account": "dev", "subject": "s", "body-file": "/etc/shadow"}}]
    for body in asked:
        connection.request("POST", "/api/v1/commands", json.dumps(body),
                           {"Content-Type": "application/json", "Cookie": cookie, "Origin": admin.url})
        answer = connection.getresponse()
        said = json.load(answer)
        if answer.status == 200:
            assert said["outcome"]["error"] in ("DENIED", "UNKNOWN"), (body, said)
        else:
            assert answer.status == 400, (body, said)


def test_no_program_of_the_servers_machine(dev, admin):
    """Neither libvirt nor a fence runs a program named by a remote caller."""
    for uri in ("qemu+ssh://root@h9/system?command=/bin/sh", "qemu+ext://h9/system?command=/bin/sh", "qemu+tls://h9/system?pkipath=/tmp", "sim://",
                "QEMU+TLS://h9/system"):
        assert "on the server's own machine" in admin.ask("host", "add", "h9", "--uri", uri, fails=True), uri
    assert "on that machine alone" in admin.ask("host", "set-fence", "sim1", "--command", "/bin/sh", fails=True)
    assert "h9" not in {h["name"] for h in dev.command("host", "list")}
    assert admin.ask("host", "add", "h9", "--uri", "qemu+tls://192.0.2.9/system") == "host h9 added; it is being looked at: dari host list\n"
    assert admin.ask("host", "set-fence", "h9", "--blocklist", "192.0.2.9", "--by-hand") == "host h9 is turned off by `dari host fence` alone\n"
    assert admin.ask("host", "set-fence", "h9", "--none") == "host h9 has no fence command any more\n"
    assert admin.ask("host", "remove", "h9") == "host h9 removed\n"
    records = [json.loads(line) for line in admin.ask("log", "audit", "--json").splitlines()]
    assert [(r["outcome"], r["subject"]) for r in records if r["action"] == "ec2:FenceHypervisor"] == [("DENIED", "id=sim1"), ("ok", "id=h9"), ("ok", "id=h9")]


def test_a_secret_comes_from_where_it_is_typed(admin, tmp_path):
    (tmp_path / "secret").write_text("sixteen bytes and some\n")
    assert admin.ask("webhook", "add", "shop", "--url", "https://shop.example.com/", "--secret-file", "secret", cwd=str(tmp_path)) == "webhook shop is there\n"
    assert "secret is missing" in admin.ask("webhook", "add", "other", "--url", "https://shop.example.com/", fails=True)
    assert "absent" in admin.ask("webhook", "set", "shop", "--secret-file", str(tmp_path / "absent"), fails=True)
    assert admin.ask("webhook", "remove", "shop") == "webhook shop is gone\n"


@pytest.mark.parametrize("words", LOCAL)
def test_of_this_machine(admin, words):
    assert "leave --url out" in admin.ask(*words.split(), fails=True)


# ---- connections


def test_urls(elsewhere):
    for url in ("cloud.example.org", "ftp://cloud.example.org", "https://", "https://a b", "https://user:pw@cloud.example.org", "https://cloud.example.org/api",
                "https://cloud.example.org?x=1", "https://cloud.example.org:port", "file:///etc/passwd", ""):
        assert "wants the server's address" in elsewhere.run("--url", url, "host", "list", fails=True), url
    assert "Use https." in elsewhere.run("--url", "http://cloud.example.org", "host", "list", fails=True)
    assert "--url wants a value" in elsewhere.run("--url", fails=True)


def test_who_vouches(dev, admin, tmp_path):
    """System authorities do not know the certificate; another file is no authority; `dari login` has stored the right one."""
    stranger = Elsewhere(tmp_path / "stranger", dev.url)
    said = stranger.login("--user", "admin", "--password-stdin", input=dev.admin_password + "\n", fails=True)
    assert "does not prove that it is the server" in said and "--ca-file" in said
    stranger.ca = "/nonexistent.pem"
    assert "--ca-file" in stranger.login("--user", "admin", "--password-stdin", input=dev.admin_password + "\n", fails=True)
    admin.ca = None
    assert "sim1" in admin.ask("host", "list")


def test_server_gone(elsewhere):
    port = clone.reserve_ports()
    elsewhere.url, elsewhere.ca = f"http://127.0.0.1:{port}", None
    said = elsewhere.ask("host", "list", env={"DARI_TOKEN": "t"}, fails=True)
    assert f"cannot reach http://127.0.0.1:{port}" in said and "does `dari serve` run there" in said
    assert "cannot reach" in elsewhere.login("--ticket", "t", fails=True)


# ---- malicious servers


class Hostile(http.server.BaseHTTPRequestHandler):
    """Sends any answer."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        size = int(self.headers.get("Content-Length", 0))
        self.server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(size)))
        status, headers, pieces = self.server.says
        with contextlib.suppress(OSError):  # the client has closed
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)
        self.close_connection = True

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def hostile(tmp_path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
        server.asked, server.says = [], (200, {}, [b"{}"])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        there = Elsewhere(tmp_path, f"http://127.0.0.1:{server.server_address[1]}")
        there.server = server
        there.token = {"DARI_TOKEN": "secret-token"}
        yield there
        server.shutdown()


FOREIGN = (b"", b"<html>", b"[]", b"7", b"null", b'{"outcome":7}', b'{"outcome":{}}', b"{}", b'{"outcome":{"text":7,"status":0}}', b'{"outcome":{"text":"a"}}',
           b'{"outcome":{"text":"a","status":"0"}}', b'{"outcome":{"error":7,"message":"a"}}', b'{"outcome":{"message":"a","text":"b","status":0}}',
           b'{"outcome":{"text":"a","status":0,"more":[]}}', b'{"outcome":{"text":"\xff","status":0}}', b'{"outcome":' * 5000, b'{"a":1,"a":2}')


@pytest.mark.parametrize("body", FOREIGN, ids=range(len(FOREIGN)))
def test_no_answer_of_ours(hostile, body):
    hostile.server.says = (200, {}, [body])
    for form in ([], ["--json"]):
        said = hostile.ask("host", "list", *form, env=hostile.token, fails=True)
        assert "is no server of Dari's" in said and len(said) < 500


ROWS = (b"{}", b'{"items":7}', b'{"items":[7]}', b'{"items":{"a":1}}', b'{"items":[null]}')


@pytest.mark.parametrize("body", ROWS, ids=range(len(ROWS)))
def test_no_rows_of_ours(hostile, body):
    hostile.server.says = (200, {}, [body])
    assert "its list has no rows" in hostile.ask("account", "list", env=hostile.token, fails=True)


def test_rows_of_the_wrong_types(hostile):
    hostile.server.says = (200, {}, [b'{"items":[{"name":7,"number":[],"enabled":"yes"},{"name":"\\u001b[2J"}],"next":7}'])
    assert hostile.ask("account", "list", env=hostile.token).splitlines()[2].split() == ["?[2J", "disabled"]


def test_a_list_without_an_end(hostile):
    hostile.server.says = (200, {}, [b'{"items":[{}],"next":"on"}'])
    assert "its list does not end" in hostile.ask("account", "list", env=hostile.token, fails=True)
    assert len(hostile.server.asked) <= 1001


@pytest.mark.parametrize("status", (204, 301, 401, 403, 404, 418, 500, 502))
def test_no_refusal_of_ours(hostile, status):
    hostile.server.says = (status, {"Location": "file:///etc/passwd"}, [] if status == 204 else [b"<html>Bad gateway"])
    said = hostile.ask("host", "list", env=hostile.token, fails=True)
    assert "is no server of Dari's" in said and str(status) in said
    assert len(hostile.server.asked) == 1  # the client does not follow redirects


def test_too_much(hostile):
    hostile.server.says = (200, {}, (b"x" * (1 << 20) for _ in range(100)))
    assert "answers with more than 64 MiB" in hostile.ask("host", "list", env=hostile.token, fails=True)


def test_it_ends_midway(hostile):
    hostile.server.says = (200, {"Content-Length": "1000"}, [b'{"outcome":'])
    assert "cannot reach" in hostile.ask("host", "list", env=hostile.token, fails=True)


def test_it_writes_no_files(hostile, tmp_path):
    """Only the server of this machine may tell the client to write files."""
    path = str(tmp_path / "planted")
    hostile.server.says = (200, {}, [json.dumps({"outcome": {"text": "ok\n", "status": 0, "files": {path: "ssh-rsa …"}}}).encode()])
    assert hostile.ask("host", "list", env=hostile.token) == "ok\n"
    assert not os.path.exists(path)


def test_it_steers_no_terminal(hostile):
    evil = "a\x1b]0;b\x07\x9bc\r\n\td\x7f"
    hostile.server.says = (200, {}, [json.dumps({"outcome": {"text": evil, "status": 0, "value": evil}}).encode()])
    assert hostile.ask("host", "list", env=hostile.token) == "a?]0;b???c?\n\td?"
    assert not set("\x1b\x7f\x9b") & set(hostile.ask("host", "list", "--json", env=hostile.token))
    hostile.server.says = (200, {}, [json.dumps({"outcome": {"error": "DENIED", "message": evil}}).encode()])
    assert "\x1b" not in hostile.ask("host", "list", env=hostile.token, fails=True)
    hostile.server.says = (403, {}, [json.dumps({"detail": evil}).encode()])
    said = hostile.ask("host", "list", env=hostile.token, fails=True)
    assert "\x1b" not in said and "a?]0;b" in said


def test_its_cookies_are_bounded(hostile):
    session = json.dumps({"user": {"name": "\x1b[2J"}, "account": 7, "rights": [7, "admin"]}).encode()
    for cookie in ("", "other=1; Path=/", "dari=a b", "dari=" + "x" * 5000, "dari=é"):
        hostile.server.says = (201, {"Set-Cookie": cookie}, [session])
        assert "opened no session" in hostile.login("--ticket", "t", fails=True), cookie
    assert not os.path.exists(hostile.kept())
    hostile.server.says = (201, {"Set-Cookie": "dari=good; Path=/"}, [session])
    assert hostile.login("--ticket", "t") == "signed in as ?[2J for the account -, an administrator of the region\n"


def test_a_session_is_for_one_server(hostile, admin):
    """A session of one server is not sent to another."""
    other = Elsewhere(admin.home, hostile.url)
    assert NOBODY in other.ask("host", "list", fails=True)
    assert not hostile.server.asked


def test_a_renewed_session_is_kept(hostile):
    hostile.server.says = (201, {"Set-Cookie": "dari=first; Path=/"}, [b"{}"])
    hostile.login("--ticket", "t")
    hostile.server.says = (200, {"Set-Cookie": "dari=second; Path=/"}, [b'{"outcome":{"text":"","status":0}}'])
    hostile.ask("host", "list")
    hostile.ask("host", "list")
    assert [headers["Cookie"] for _, path, headers, _ in hostile.server.asked if path == "/api/v1/commands"] == ["dari=first", "dari=second"]


def test_a_key_is_not_sent(hostile):
    """The signature is sent, the key is not."""
    hostile.ask("host", "list", env={"DARI_ACCESS_KEY_ID": "AKIA0123", "DARI_SECRET_ACCESS_KEY": "the-secret", "DARI_REGION": "r-1"}, fails=True)
    _, path, headers, body = hostile.server.asked[0]
    assert path == "/api/v1/commands" and json.loads(body) == {"command": "host list", "args": {}}
    assert "AKIA0123/" in headers["Authorization"] and "/r-1/ec2/aws4_request" in headers["Authorization"] and "the-secret" not in str(headers)


# ---- on the server's machine


class Socket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=waiting.HANG_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def on_socket(dev, method, path, body=None):
    connection = Socket(os.path.join(os.path.dirname(dev.config), "dari.sock"))
    connection.request(method, path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    return answer.status, json.load(answer)


def test_the_socket_speaks_the_api(dev):
    """Callers on the socket are the operator, who sees all accounts' rows."""
    status, me = on_socket(dev, "GET", "/api/v1/me")
    assert status == 200 and me["is_admin"] and me["user_name"] == "operator" and "user" not in me
    assert {h["name"] for h in on_socket(dev, "GET", "/api/v1/hosts?fields=name")[1]["items"]} == {f"sim{n}" for n in range(1, 5)}
    assert {"dev", "admin"} <= {a["name"] for a in on_socket(dev, "GET", "/api/v1/accounts")[1]["items"]}
    assert on_socket(dev, "PATCH", "/api/v1/hosts/sim4", {"enabled": False, "reason": "fans"})[0] == 202
    assert [h["state"] for h in dev.command("host", "list") if not h["enabled"]]
    assert on_socket(dev, "PATCH", "/api/v1/hosts/sim4", {"enabled": True})[0] == 202
    assert on_socket(dev, "GET", "/")[0] == on_socket(dev, "GET", "/identity/v3")[0] == 404
    assert on_socket(dev, "POST", "/api/v1/commands", {"command": "nope"})[1]["outcome"]["error"] == "UNKNOWN"
    assert on_socket(dev, "POST", "/api/v1/commands", {"command": "host list", "args": [1]})[0] == 400
    assert on_socket(dev, "POST", "/api/v1/commands", {"args": {}})[0] == 400


def test_the_socket_is_ones_own(dev):
    path = os.path.join(os.path.dirname(dev.config), "dari.sock")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    if os.getuid() != 0:  # otherwise no other user can be played, and only the mode is checked
        return
    os.chmod(path, 0o666)  # now only the kernel's peer credentials keep others out
    os.chmod(os.path.dirname(path), 0o711)
    said = subprocess.run([sys.executable, "-c", f"import os, socket\nos.setuid(65534)\ns = socket.socket(socket.AF_UNIX)\ns.connect({path!r})\n"
                           "s.sendall(b'GET /api/v1/me HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n')\nprint(s.recv(4096).decode())"],
                          check=True, capture_output=True, text=True).stdout
    os.chmod(path, 0o600)
    assert said.startswith("HTTP/1.1 403") and "operator" not in said


def test_commands_end_with_the_server():
    """A waiting command does not delay the server's exit; its client is told."""
    with Dev() as here:
        following = subprocess.Popen([DARI, "--config", here.config, "log", "audit", "--follow"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        here.command("account", "list")
        assert here.end() == 0
        _, said = waiting.communicate(following)
        assert following.returncode == 1 and said.startswith("dari") and "cannot re" in said or "without an answer" in said
        assert not os.path.exists(os.path.join(os.path.dirname(here.config), "dari.sock"))


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
