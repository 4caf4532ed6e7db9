#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/web_ src/daemon/egress_policy.c
"""Addresses from which accounts cannot make the region download: its own, by number, by name, by redirect and in disguised forms, those of its hosts,
and those that the operator lists; and addresses that the operator allows. Everything runs in a network namespace with two local addresses, and a
web server in another one that plays the internet."""
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
import botocore.config
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as region  # noqa: E402
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402

INSIDE = "DARI_TEST_NAMESPACE"
OWN, OTHER_OWN, OWN_6, WORLD, PORT = "10.77.0.1", "10.77.0.3", "fd77::1", "10.77.0.2", 8080
DISK = os.urandom(1 << 20)
HOSTS = f"127.0.0.1 localhost\n::1 localhost\n{OWN} own.example.com\n{OWN} both.example.com\n{WORLD} both.example.com world.example.com\n"


class Web(http.server.ThreadingHTTPServer):
    """The path to?URL redirects there; every other path is a disk. Records requests."""
    daemon_threads = True
    address_family = socket.AF_INET6  # and IPv4 through it

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                path, _, to = self.path.partition("?")
                self.send_response(302 if path == "/to" else 200)
                if path == "/to":
                    self.send_header("Location", to)
                self.send_header("Content-Length", "0" if path == "/to" else str(len(DISK)))
                self.end_headers()
                self.wfile.write(b"" if path == "/to" else DISK)

            def log_message(self, *_):
                pass

        super().__init__(("::", PORT), Handler)

    def get_request(self):
        self.asked.append("connected")
        return super().get_request()


def run(*argv):
    subprocess.run(argv, check=True)


@pytest.fixture(scope="module", autouse=True)
def network(tmp_path_factory):
    """The machine's two addresses, and the internet's, which also has names."""
    hosts = tmp_path_factory.mktemp("net") / "hosts"
    hosts.write_text(HOSTS)
    run("mount", "--bind", str(hosts), "/etc/hosts")
    run("ip", "link", "set", "lo", "up")
    with subprocess.Popen(["unshare", "--net", sys.executable, os.path.abspath(__file__), "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as world:
        assert world.stdout.readline() == b"serving\n"
        run("ip", "link", "add", "own0", "type", "veth", "peer", "name", "world0", "netns", str(world.pid))
        run("ip", "addr", "add", f"{OWN}/24", "dev", "own0")
        run("ip", "addr", "add", f"{OTHER_OWN}/32", "dev", "lo")
        run("ip", "addr", "add", f"{OWN_6}/64", "dev", "own0", "nodad")
        run("ip", "link", "set", "own0", "up")
        for line in (f"addr add {WORLD}/24 dev world0", "addr add fd77::2/64 dev world0 nodad", "link set world0 up"):
            run("nsenter", "--net", "--target", str(world.pid), "ip", *line.split())
        yield
        world.stdin.close()


@pytest.fixture(scope="module")
def own(network):
    server = Web()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def dev(network):
    with Dev(fetch_from="") as dev:
        yield dev


@pytest.fixture(scope="module")
def open_dev(network):
    with Dev(fetch_from=f"{OWN},192.0.2.1") as dev:
        yield dev


def fetch(dev, url):
    """Result of importing a disk from there: None on success, else the error."""
    ec2 = dev.account.client()
    task = ec2.import_snapshot(DiskContainer={"Url": url, "Format": "RAW"})["ImportTaskId"]

    def ended():
        detail = ec2.describe_import_snapshot_tasks(ImportTaskIds=[task])["ImportSnapshotTasks"][0]["SnapshotTaskDetail"]
        return detail["Status"] != "active" and detail
    detail = waiting.wait_until(ended, f"{task} ends")
    assert (detail["Status"] == "completed") == ("StatusMessage" not in detail)
    return detail.get("StatusMessage")


def test_the_world_is_fetched_from(dev):
    assert fetch(dev, f"http://{WORLD}:{PORT}/disk") is None
    assert fetch(dev, f"http://[fd77::2]:{PORT}/disk") is None
    assert fetch(dev, f"http://world.example.com:{PORT}/to?http://{WORLD}:{PORT}/disk") is None


@pytest.mark.parametrize("host, shown", [
    (OWN, None), (OTHER_OWN, None), (f"[{OWN_6}]", None), ("own.example.com", None), ("localhost", None), ("172818433", OWN), ("0xa4d0001", OWN),
    ("10.77.1", OWN), ("10.77.0.255", None), ("10.77.0.0", None), (f"[::ffff:{OWN}]", "[::ffff:10.77.0.1]"), ("[64:ff9b::a4d:1]", None),
    ("[2002:a4d:1::1]", None), ("[fe80::1]", None), ("224.0.0.1", None), ("169.254.169.254", None)])
def test_this_machine_is_not(dev, own, host, shown):
    before = len(own.asked)
    assert fetch(dev, f"http://{host}:{PORT}/disk") == f"the address of {shown or host} is not allowed"
    assert len(own.asked) == before


@pytest.mark.parametrize("host", [OWN, OTHER_OWN, "own.example.com", f"[{OWN_6}]", "127.0.0.1"])
def test_nor_by_a_redirect(dev, own, host):
    before = len(own.asked)
    assert fetch(dev, f"http://{WORLD}:{PORT}/to?http://{host}:{PORT}/disk") == f"{WORLD} redirects to an address that is not allowed"
    assert len(own.asked) == before


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://10.77.0.2/x", "gopher://10.77.0.2/x", "dict://10.77.0.2/x"])
def test_redirects_stay_on_the_web(dev, to):
    assert "not supported" in fetch(dev, f"http://{WORLD}:{PORT}/to?{to}")


def test_redirects_end(dev):
    chain = "".join(f"http://{WORLD}:{PORT}/to?" for _ in range(5))
    assert fetch(dev, f"{chain}http://{WORLD}:{PORT}/disk") is None
    assert "redirects" in fetch(dev, f"{chain}http://{WORLD}:{PORT}/to?http://{WORLD}:{PORT}/disk")


def test_a_name_of_both_leads_to_the_world(dev, own):
    before = len(own.asked)
    assert fetch(dev, f"http://both.example.com:{PORT}/disk") is None
    assert len(own.asked) == before


def test_an_address_that_is_new(dev, own):
    """Checks the machine's present addresses, not those at start."""
    run("ip", "addr", "add", "10.78.0.1/24", "dev", "own0")
    before = len(own.asked)
    assert fetch(dev, f"http://10.78.0.1:{PORT}/disk") == "the address of 10.78.0.1 is not allowed"
    assert len(own.asked) == before


def test_images_of_glance(dev, own):
    def end_of(url):
        made = os_call(dev, "POST", "/v2/images", {"name": "of the web", "disk_format": "raw", "container_format": "bare"})["id"]
        os_call(dev, "POST", f"/v2/images/{made}/import", {"method": {"name": "web-download", "uri": url}})
        dev.rest()
        return os_call(dev, "GET", f"/v2/images/{made}")["status"]
    before = len(own.asked)
    assert end_of(f"http://{OWN}:{PORT}/disk") == "queued"
    assert end_of(f"http://{WORLD}:{PORT}/to?http://own.example.com:{PORT}/disk") == "queued"
    assert len(own.asked) == before
    assert end_of(f"http://{WORLD}:{PORT}/disk") == "active"


def os_call(dev, method, path, body=None):
    env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))
    if not hasattr(dev, "os_token"):
        ask = {"auth": {"identity": {"methods": ["password"], "password": {"user": {
            "name": env["OS_USERNAME"], "domain": {"id": "default"}, "password": env["OS_PASSWORD"]}}},
            "scope": {"project": {"name": env["OS_PROJECT_NAME"], "domain": {"id": "default"}}}}}
        with urllib.request.urlopen(urllib.request.Request(env["OS_AUTH_URL"] + "/auth/tokens", json.dumps(ask).encode(), {"Content-Type": "application/json"})) as answer:
            dev.os_token = answer.headers["X-Subject-Token"]
    request = urllib.request.Request(dev.url + "/image" + path, json.dumps(body).encode() if body else None,
                                     {"X-Auth-Token": dev.os_token, "Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


# ---- issuers

KEY = rsa.generate_private_key(65537, 2048)


def prove(dev, host):
    """Makes the region download the keys of the issuer at that host, which never answers correctly."""
    iam = dev.account.client("iam")
    number = dev.account.client("sts").get_caller_identity()["Account"]
    arn = f"arn:aws:iam::{number}:oidc-provider/{host}"
    name = "r" + str(abs(hash(host)))
    iam.create_open_id_connect_provider(Url=f"https://{host}", ClientIDList=["a"], ThumbprintList=["a" * 40])
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": arn}, "Action": "sts:AssumeRoleWithWebIdentity"}]}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    now = int(time.time())
    token = jwt.encode({"iss": f"https://{host}", "sub": "s", "aud": "a", "iat": now, "exp": now + 600}, KEY, "RS256", headers={"kid": "one"})
    sts = boto3.client("sts", region_name=region.REGION, endpoint_url=dev.url,
                       config=botocore.config.Config(signature_version=botocore.UNSIGNED, retries={"max_attempts": 0}))
    with pytest.raises(botocore.exceptions.ClientError) as told:
        sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="job", WebIdentityToken=token)
    assert told.value.response["Error"]["Code"] == "IDPCommunicationError"


def test_issuers(dev, own):
    """Control: in test_named_issuers the same server is asked."""
    before = len(own.asked)
    for host in (OWN, OTHER_OWN, "own.example.com", "localhost"):
        prove(dev, f"{host}:{PORT}")
    assert len(own.asked) == before


# ---- the operator's configuration

def test_what_is_named_is_fetched_from(open_dev, own):
    for url in (f"http://{OWN}:{PORT}/disk", f"http://own.example.com:{PORT}/disk", f"http://{WORLD}:{PORT}/to?http://{OWN}:{PORT}/disk"):
        before = len(own.asked)
        assert fetch(open_dev, url) is None
        assert len(own.asked) == before + 2
    before = len(own.asked)
    for host in (OTHER_OWN, f"[{OWN_6}]", "127.0.0.1"):
        assert fetch(open_dev, f"http://{host}:{PORT}/disk") == f"the address of {host} is not allowed"
        assert fetch(open_dev, f"http://{OWN}:{PORT}/to?http://{host}:{PORT}/disk") == f"{OWN} redirects to an address that is not allowed"
    assert own.asked[before:] == ["connected", f"/to?http://{OTHER_OWN}:{PORT}/disk", "connected", f"/to?http://[{OWN_6}]:{PORT}/disk",
                                  "connected", f"/to?http://127.0.0.1:{PORT}/disk"]


def test_named_issuers(open_dev, own):
    before = len(own.asked)
    prove(open_dev, f"{OWN}:{PORT}")
    assert len(own.asked) > before


def test_hosts_are_not(network):
    """A new host's address is refused at once, by number and by name."""
    with Dev(fetch_from="") as dev:
        assert fetch(dev, f"http://{WORLD}:{PORT}/disk") is None
        dev.command("host", "add", "hv9", "--uri", "qemu+tls://world.example.com/system")
        assert fetch(dev, f"http://{WORLD}:{PORT}/disk") == f"the address of {WORLD} is not allowed"
        assert fetch(dev, f"http://[64:ff9b::{WORLD}]:{PORT}/disk") == "the address of [64:ff9b::a4d:2] is not allowed"
        dev.command("host", "add", "hv10", "--uri", "qemu+tls://[fd77::2]:16514/system")
        assert fetch(dev, f"http://[fd77::2]:{PORT}/disk") == "the address of [fd77::2] is not allowed"


@pytest.mark.parametrize("key, text", [("fetch_not_from", "10.0.0.0/33"), ("fetch_not_from", "intranet"), ("fetch_also_from", "10.0.0.1/8")])
def test_a_bad_block_is_refused_at_start(tmp_path, key, text):
    config = tmp_path / "dari.yaml"
    run(DARI, "--config", str(config), "init", "--data", str(tmp_path / "data"), "--socket", str(tmp_path / "socket"))
    config.write_text(config.read_text() + f"images:\n  {key}: [192.0.2.0/24, {text}]\n")
    done = waiting.run([DARI, "--config", str(config), "serve"], capture_output=True, text=True)
    assert done.returncode == 1 and f'images.{key}: \\"{text}\\"' in done.stderr, done.stderr


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        web = Web()
        threading.Thread(target=web.serve_forever, daemon=True).start()
        print("serving", flush=True)
        sys.stdin.read()  # until the starter closes the pipe
        os._exit(0)
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.execvp("unshare", ["unshare", *user, "--net", "--mount", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
