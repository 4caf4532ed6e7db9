#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/production.md src/daemon/run.c
# when: long
"""Certificates of an ACME authority, as docs/production.md gets them: Debian's certbot asks Let's Encrypt's own test server (pebble), the page's hook
installs what it gets, and the region presents it without a restart; so with a renewal. The page's own authority does the same without ACME."""
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import clone  # noqa: E402
import waiting  # noqa: E402
from dev import DARI, HANG_S, ROOT, end_with_parent  # noqa: E402

NAME = "localhost"  # pebble looks it up to connect to certbot


def page_block(after):
    """The indented block that follows these words of the page."""
    with open(os.path.join(ROOT, "docs/production.md"), encoding="utf-8") as page:
        text = page.read()
    block = re.match(r"[^\n]*(?:\n[^\n ][^\n]*)*\n\n((?:    .*\n|\n)+)", text[text.index(after):])[1]
    return re.sub("^    ", "", block, flags=re.MULTILINE)


def shell(script, folder, **env):
    """Runs a block of the page, with this folder in place of /etc/dari and certbot's."""
    moved = script.replace("/etc/dari", f"{folder}/etc").replace("/etc/letsencrypt", f"{folder}/letsencrypt")
    path = f"{folder}/bin:{os.environ['PATH']}"
    done = waiting.run(["sh", "-ec", moved], cwd=folder, env={**os.environ, **env, "PATH": path}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Region:
    """`dari dev --tls` whose certificate is the one of the page, and a `systemctl` that sends it the unit's signal."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("etc/tls", "bin", "data"):
            (folder / name).mkdir(parents=True)
        with open(folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([DARI, "dev", "--port", "0", "--tls", "--data", str(folder / "data")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)
        self.port = int(waiting.wait_until(lambda: re.search(r"https://[^:/]+:(\d+)/console/#t=", self.log()), "the region is ready")[1])
        for ours, pages in (("tls.pem", "fullchain.pem"), ("tls.key", "privkey.pem")):
            (folder / "data" / ours).rename(folder / "etc/tls" / pages)
            (folder / "data" / ours).symlink_to(folder / "etc/tls" / pages)
        systemctl = folder / "bin/systemctl"
        # The region names these files already, so what the page restarts for needs a reload here.
        systemctl.write_text(f'#!/bin/sh\necho "$*" >>{folder}/systemctl\ncase "$*" in "reload dari" | "restart dari") kill -HUP {self.process.pid};; *) exit 1;; esac\n')
        systemctl.chmod(0o755)

    def log(self):
        return (self.folder / "log").read_text()

    def connect(self, authority=None):
        context = ssl.create_default_context(cafile=authority)
        if not authority:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(NAME, self.port, context=context, timeout=HANG_S)
        connection.connect()
        return connection

    def shown(self):
        with contextlib.closing(self.connect()) as connection:
            return connection.sock.getpeercert(binary_form=True)

    def installed(self):
        first = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", (self.folder / "etc/tls/fullchain.pem").read_text(), re.DOTALL)[0]
        return ssl.PEM_cert_to_DER_cert(first)

    def presents_what_is_installed(self, before):
        waiting.wait_until(lambda: self.shown() == self.installed() != before, "the new certificate")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait() == 0


@pytest.fixture
def region(tmp_path):
    region = Region(tmp_path)
    yield region
    region.end()


@pytest.fixture
def pebble(tmp_path):
    """An ACME server that validates at once. (URL of its directory, file of the authority of its own HTTPS, port of http-01)"""
    tools, folder = os.path.join(ROOT, "tools/clients"), tmp_path / "pebble"
    subprocess.run([tools, "install", "pebble"], check=True)
    program = subprocess.run([tools, "where", "pebble"], check=True, capture_output=True, text=True).stdout.strip() + "/bin/pebble"
    folder.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                    "-keyout", folder / "key.pem", "-out", folder / "crt.pem"], check=True, capture_output=True)
    port = clone.reserve_ports(4)
    (folder / "config.json").write_text(json.dumps({"pebble": {
        "listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{port + 1}", "certificate": str(folder / "crt.pem"),
        "privateKey": str(folder / "key.pem"), "httpPort": port + 2, "tlsPort": port + 3, "ocspResponderURL": "",
        "profiles": {"default": {"description": "default", "validityPeriod": 7776000}}}}))
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen([program, "-config", folder / "config.json"], stdout=log, stderr=log, preexec_fn=end_with_parent,
                                   env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"})
    try:
        waiting.wait_until(lambda: "Listening on" in (folder / "log").read_text(), "pebble listens")
        yield f"https://{NAME}:{port}/dir", str(folder / "crt.pem"), port + 2
    finally:
        process.terminate()
        process.wait()


def test_certbot_gets_and_renews_the_certificate(region, pebble):
    directory, authority, port = pebble
    folder = region.folder
    hook = folder / "letsencrypt/renewal-hooks/deploy/dari"
    shell("install -d /etc/letsencrypt/renewal-hooks/deploy", folder)
    hook.write_text(page_block("An ACME client such as").replace("/etc/dari", f"{folder}/etc"))
    hook.chmod(0o755)
    commands = page_block("Then get the first certificate")
    assert "certbot certonly --standalone" in commands and "systemctl restart dari" in commands
    options = f"--server {directory} --http-01-port {port} --config-dir {folder}/letsencrypt --work-dir {folder}/work --logs-dir {folder}/logs --non-interactive"
    certbot = folder / "bin/certbot"
    certbot.write_text(f'#!/bin/sh\nexec {shutil.which("certbot", path="/usr/bin")} "$@" {options}\n')
    certbot.chmod(0o755)
    trusts = {"REQUESTS_CA_BUNDLE": authority}
    before = region.shown()
    shell(commands.replace("cloud.example.org", NAME), folder, **trusts)
    region.presents_what_is_installed(before)
    before = region.shown()
    shell("certbot renew --force-renewal --no-random-sleep-on-renew", folder, **trusts)
    region.presents_what_is_installed(before)
    assert os.stat(folder / "etc/tls/privkey.pem").st_mode & 0o777 == 0o600


def test_an_authority_of_ones_own(region):
    commands, before = page_block("An authority of your own"), region.shown()
    shell(commands.replace("cloud.example.org", NAME), region.folder)
    region.presents_what_is_installed(before)
    with contextlib.closing(region.connect(str(region.folder / "ca.pem"))) as verified:
        verified.request("GET", "/healthz")
        assert verified.getresponse().status == 200


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
