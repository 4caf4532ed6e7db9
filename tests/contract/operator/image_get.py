#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/commands_image_get.c src/model/image_catalogue src/model/keys src/drivers/signature
"""`dari image get`: every row of the catalogue from a fake vendor with test keys; damaged, revoked, unsigned or wrongly signed images leave nothing;
a newer version creates a new image; mirrors, directories; and common AWS and OpenStack filters find the images."""
import datetime
import hashlib
import http.server
import ipaddress
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import DARI, REGION, Dev  # noqa: E402

INSIDE, BUNDLE = "DARI_TEST_NAMESPACE", "/etc/ssl/certs/ca-certificates.crt"
OLD, NEW = 0, 1


class Row:
    """A vendor's URLs, from its own pages; V stands for the version."""

    def __init__(self, name, owner, versions, listing, path, sums, form, signature, filters):
        self.name, self.owner, self.versions, self.listing, self.path, self.sums, self.form = name, owner, versions, listing, path, sums, form
        self.signature, self.filters = signature, filters


def debian(number, code):
    return Row(f"debian-{number}", "136693071363", ("20260601-2100", "20260711-2187"), f"{code}/", f"{code}/V/debian-{number}-genericcloud-amd64-V.qcow2",
               f"{code}/V/SHA512SUMS", "lines512", None, f"debian-{number}-amd64-*")


def ubuntu(number, code, volume):
    return Row(f"ubuntu-{number}", "099720109477", ("20260731", "20260814.1"), f"{code}/", f"{code}/release-V/ubuntu-{number}-server-cloudimg-amd64.img",
               f"{code}/release-V/SHA256SUMS", "stars", f"{code}/release-V/SHA256SUMS.gpg", f"ubuntu/images/{volume}*/ubuntu-{code}-{number}-amd64-server-*")


def rocky(number):
    at = f"{number}/images/x86_64/Rocky-{number}-GenericCloud-Base-V.x86_64.qcow2"
    return Row(f"rocky-{number}", "792107900819", (f"{number}.9-20260501.0", f"{number}.10-20260401.2"), f"{number}/images/x86_64/", at, at + ".CHECKSUM", "bsd", None,
               f"Rocky-{number}-EC2-Base-*.x86_64")


def alma(number):
    at = f"{number}/cloud/x86_64/images/"
    return Row(f"almalinux-{number}", "764336703387", (f"{number}.6-20250522", f"{number}.7-20251118"), at + "CHECKSUM", f"{at}AlmaLinux-{number}-GenericCloud-V.x86_64.qcow2",
               at + "CHECKSUM", "lines", at + "CHECKSUM.asc", f"AlmaLinux OS {number}*x86_64")


def centos(number):
    at = f"{number}-stream/x86_64/images/CentOS-Stream-GenericCloud-{number}-V.x86_64.qcow2"
    return Row(f"centos-stream-{number}", "125523088429", ("20260813.0", "20260922.0"), f"{number}-stream/x86_64/images/", at, at + ".SHA256SUM", "bsd", None,
               f"CentOS Stream {number} x86_64 *")


def fedora(number):
    at = f"{number}/Cloud/x86_64/images/"
    return Row(f"fedora-{number}", "125523088429", (f"{number}-1.6", f"{number}-1.7"), at, f"{at}Fedora-Cloud-Base-Generic-V.x86_64.qcow2",
               f"{at}Fedora-Cloud-V-x86_64-CHECKSUM", "bsd", "inline", f"Fedora-Cloud-Base-*x86_64-{number}-*")


ALPINE = "latest-stable/releases/cloud/generic_alpine-V-x86_64-bios-cloudinit-r0.qcow2"
ROWS = [debian(11, "bullseye"), debian(12, "bookworm"), debian(13, "trixie"), ubuntu("22.04", "jammy", "hvm-ssd"), ubuntu("24.04", "noble", "hvm-ssd"),
        ubuntu("26.04", "resolute", "hvm-ssd"), rocky(8), rocky(9), rocky(10), alma(8), alma(9), alma(10), centos(9), centos(10), fedora(43), fedora(44),
        Row("alpine", "538276064493", ("3.22.9", "3.22.10"), "latest-stable/releases/cloud/", ALPINE, ALPINE + ".sha512", "bare", None,
            "alpine-*-x86_64-bios-cloudinit-*")]
BY_NAME = {row.name: row for row in ROWS}


class Keys:
    """Test keys: the vendor's, a stranger's, and the vendor's after revocation."""

    def __init__(self, room):
        self.home = str(room)
        os.chmod(self.home, 0o700)
        self.vendor, self.stranger = (self.make(name) for name in ("vendor", "stranger"))
        self.armored = self.export(self.vendor, "vendor.asc", "--armor")
        self.binary = self.export(self.vendor, "vendor.gpg")
        revocation = room / "openpgp-revocs.d" / f"{self.vendor}.rev"
        self.revoked = str(room / "revoked.asc")
        other = room / "other"
        other.mkdir(mode=0o700)
        self.gpg("--homedir", str(other), "--import", self.binary)
        self.gpg("--homedir", str(other), "--import", data=revocation.read_text().replace(":-----BEGIN", "-----BEGIN").encode())
        self.gpg("--homedir", str(other), "--output", self.revoked, "--armor", "--export", self.vendor)

    def gpg(self, *argv, data=b""):
        home = [] if "--homedir" in argv else ["--homedir", self.home]
        done = subprocess.run(["gpg", *home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *argv], input=data,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, name, until="never"):
        self.gpg("--quick-generate-key", f"{name} <{name}@example.com>", "ed25519", "sign", until)
        listed = self.gpg("--list-keys", "--with-colons", name).decode()
        return re.search(r"^fpr:+([0-9A-F]{40}):", listed, re.MULTILINE)[1]

    def export(self, key, name, *how):
        path = os.path.join(self.home, name)
        self.gpg("--output", path, *how, "--export", key)
        return path

    def sign(self, text, how, key=None):
        return self.gpg("--local-user", key or self.vendor, f"--{how}", data=text)


class Vendor(http.server.ThreadingHTTPServer):
    """A file tree over HTTP, with Apache's directory pages. Records requests."""
    daemon_threads = True

    def __init__(self, keys, disks, certificate=None):
        self.keys, self.disks, self.asked = keys, disks, []
        self.fresh()
        vendor = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path[1:]
                vendor.asked.append(path)
                body = vendor.files.get(path)
                if body is None and path.endswith("/"):
                    entries = sorted({p[len(path):].split("/")[0] + "/" * ("/" in p[len(path):]) for p in vendor.files if p.startswith(path)})
                    rows = "".join(f'<tr><td><a href="{e}">{e}</a></td><td>2026-09-30 10:24</td><td>-</td></tr>\n' for e in entries)
                    body = f"<html><title>Index of /{path}</title>{rows}</html>".encode() if entries else None
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}/"

    def fresh(self):
        self.files = {}
        for row in ROWS:
            self.publish(row, OLD)

    def publish(self, row, which, key=None):
        """Adds a version. Its checksums are signed by the vendor, or by another key."""
        version, body = row.versions[which], self.disks[which]
        path, sums = row.path.replace("V", version), row.sums.replace("V", version)
        name = path.rsplit("/", 1)[1]
        sha256, sha512 = hashlib.sha256(body).hexdigest(), hashlib.sha512(body).hexdigest()
        stranger = "0" * 64
        text = {"lines": f"{stranger}  other.qcow2\n{sha256}  {name}\n", "stars": f"{stranger} *other.img\n{sha256} *{name}\n",
                "lines512": f"{stranger * 2}  other.qcow2\n{sha512}  {name}\n", "bare": f"{sha512}\n",
                "bsd": f"# {name}: {len(body)} bytes\nSHA256 ({name}) = {sha256}\n"}[row.form].encode()
        if row.sums == row.listing:  # one file for all images
            text = self.files.get(sums, b"") + text
        self.files[path] = body
        self.files[sums] = self.keys.sign(text, "clear-sign", key) if row.signature == "inline" else text
        if row.signature and row.signature != "inline":
            self.files[row.signature.replace("V", version)] = self.keys.sign(text, "detach-sign", key)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def disks(tmp_path_factory):
    room, made = tmp_path_factory.mktemp("disks"), []
    for k in (OLD, NEW):
        (room / f"{k}.raw").write_bytes(os.urandom(1 << 16) + b"\0" * (3 << 20))
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", room / f"{k}.raw", room / f"{k}.qcow2"], check=True)
        made.append((room / f"{k}.qcow2").read_bytes())
    return made


@pytest.fixture(scope="module")
def server(keys, disks):
    with Vendor(keys, disks) as vendor:
        yield vendor
        vendor.shutdown()


@pytest.fixture
def vendor(server):
    server.fresh()
    server.asked.clear()
    return server


@pytest.fixture(scope="module")
def region():
    with Dev() as dev:
        yield dev


@pytest.fixture
def dev():
    """A separate, empty region for the case."""
    with Dev() as own:
        yield own


def get(dev, name, *options):
    """Output of `dari image get`, and its success."""
    done = subprocess.run([DARI, "--config", dev.config, "image", "get", name, *options, "--json"], capture_output=True, text=True, check=False)
    return (json.loads(done.stdout), None) if done.returncode == 0 else (None, done.stderr)


def got(dev, vendor, keys, name, *options):
    row = BY_NAME.get(name.split("@")[0])
    how = (["--key", keys.armored] if row.signature else ["--unsigned"]) if row else []
    value, problem = get(dev, name, "--mirror", vendor.url, *how, *options)
    assert value, problem
    return value


def images(dev):
    """Names of all images except the initial one of `dari dev`."""
    return {i["name"] for i in dev.command("image", "list")} - STAND


def leaves_nothing(dev, problem, *words):
    for word in words:
        assert word in problem, problem
    assert images(dev) == set()
    folder = os.path.join(os.path.dirname(dev.config), "images")
    left = [f for f in os.listdir(folder) if not f.endswith(".qcow2")] if os.path.isdir(folder) else []
    assert not left, left


STAND = set()


@pytest.fixture(scope="module", autouse=True)
def stand():
    with Dev() as dev:
        STAND.update(i["name"] for i in dev.command("image", "list"))


def aws(dev, *words):
    env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "", "AWS_ACCESS_KEY_ID": dev.account.key_id,
           "AWS_SECRET_ACCESS_KEY": dev.account.secret}
    done = warm.run(["/usr/bin/aws", "--endpoint-url", dev.url, "ec2", *words, "--output", "json"], env, cwd="/")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- every row

def test_the_list_is_the_catalogue(region):
    listed = region.command("image", "get", "--list")
    assert {i["name"]: (i["owner"], i["signed"]) for i in listed} == {r.name: (r.owner, r.signature is not None) for r in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
def test_a_row(region, vendor, keys, row):
    made = got(region, vendor, keys, row.name)
    assert (made["version"], made["made"], made["latest"]) == (row.versions[OLD], True, True)
    assert made["checked_by"] == ("signature" if row.signature else "unsigned")
    again = got(region, vendor, keys, row.name)
    assert (again["image_id"], again["made"]) == (made["image_id"], False)
    vendor.publish(row, NEW)
    newer = got(region, vendor, keys, row.name)
    assert (newer["version"], newer["made"], newer["latest"]) == (row.versions[NEW], True, True)
    found = aws(region, "describe-images", "--owners", row.owner, "--filters", f"Name=name,Values={row.filters}", "Name=architecture,Values=x86_64",
                "Name=virtualization-type,Values=hvm", "Name=root-device-type,Values=ebs", "Name=state,Values=available")["Images"]
    assert {i["ImageId"] for i in found} == {made["image_id"], newer["image_id"]}
    assert {i["OwnerId"] for i in found} == {row.owner}
    assert max(found, key=lambda i: i["CreationDate"])["ImageId"] == newer["image_id"]  # Terraform's most_recent = true


# ---- failures leave nothing behind, and have a reason

@pytest.mark.parametrize("name", ["debian-12", "ubuntu-24.04", "fedora-44", "rocky-9", "alpine"])
def test_damaged_bytes(dev, vendor, keys, name):
    row = BY_NAME[name]
    path = row.path.replace("V", row.versions[OLD])
    vendor.files[path] = vendor.files[path][:-1] + bytes([vendor.files[path][-1] ^ 1])
    _, problem = get(dev, name, "--mirror", vendor.url, *(["--key", keys.armored] if row.signature else ["--unsigned"]))
    leaves_nothing(dev, problem, "is not what its checksum says", path)


@pytest.mark.parametrize("name", ["ubuntu-24.04", "almalinux-9", "fedora-44"])
def test_signatures(dev, vendor, keys, name):
    row = BY_NAME[name]

    def fails(*words, key=keys.armored):
        leaves_nothing(dev, get(dev, name, "--mirror", vendor.url, *(["--key", key] if key else []))[1], "the signature of ", "does not hold", *words)

    fails("another key made the signature", key=None)  # the vendor's own key did not make the signature
    fails("the key that signed is revoked", key=keys.revoked)
    sums = row.sums.replace("V", row.versions[OLD])
    whole = vendor.files[sums]
    vendor.files[sums] = whole.replace(b"0" * 64, b"1" * 64) if b"0" * 64 in whole else whole.replace(b" bytes", b" bites")
    fails("the signature is not of these bytes")
    vendor.publish(row, OLD, keys.stranger)
    if row.sums == row.listing:
        vendor.files[sums] = whole
    fails("another key made the signature")
    vendor.fresh()
    at = sums if row.signature == "inline" else row.signature.replace("V", row.versions[OLD])
    vendor.files[at] = b"no signature\n"
    fails("there is no signature")
    vendor.fresh()
    assert got(dev, vendor, keys, name, "--key", keys.binary)["made"]  # and with the vendor's data it succeeds


def test_what_stands_outside_of_a_signature_is_not_read(dev, vendor, keys):
    row = BY_NAME["fedora-44"]
    sums, path = (p.replace("V", row.versions[OLD]) for p in (row.sums, row.path))
    name, evil = path.rsplit("/", 1)[1], vendor.disks[NEW]
    vendor.files[path] = evil
    vendor.files[sums] = f"SHA256 ({name}) = {hashlib.sha256(evil).hexdigest()}\n".encode() + vendor.files[sums]
    leaves_nothing(dev, get(dev, row.name, "--mirror", vendor.url, "--key", keys.armored)[1], "is not what its checksum says")
    vendor.publish(row, OLD)
    vendor.files[path] = evil
    forged = keys.sign(f"SHA256 ({name}) = {hashlib.sha256(evil).hexdigest()}\n".encode(), "clear-sign", keys.stranger)
    for both in (forged + vendor.files[sums], vendor.files[sums] + forged):
        vendor.files[sums] = both
        leaves_nothing(dev, get(dev, row.name, "--mirror", vendor.url, "--key", keys.armored)[1])
        vendor.publish(row, OLD)
        vendor.files[path] = evil


def test_a_key_that_has_expired(dev, vendor, keys):
    row = BY_NAME["ubuntu-24.04"]
    key = keys.make("brief", "seconds=2")
    vendor.publish(row, OLD, key)
    path = keys.export(key, "brief.asc", "--armor")
    time.sleep(3)
    leaves_nothing(dev, get(dev, row.name, "--mirror", vendor.url, "--key", path)[1], "does not hold", "has expired")


def test_what_is_not_there(dev, vendor, keys):
    row = BY_NAME["rocky-9"]
    leaves_nothing(dev, get(dev, "debian-99")[1], 'the catalogue has no "debian-99"')
    leaves_nothing(dev, get(dev, "debian-12@../../etc")[1], "Debian has no version such as")
    leaves_nothing(dev, get(dev, "debian-12", "--arch", "mips")[1], "--arch is x86_64 or arm64")
    leaves_nothing(dev, get(dev, "debian-12", "--key", keys.armored)[1], "debian-12 is not signed")
    leaves_nothing(dev, get(dev, "rocky-9", "--mirror", vendor.url)[1], "Rocky Linux does not sign the checksums of rocky-9", "--unsigned")
    leaves_nothing(dev, get(dev, "rocky-9@9.1-1.0", "--mirror", vendor.url, "--unsigned")[1], "cannot fetch", ".CHECKSUM")
    del vendor.files[row.path.replace("V", row.versions[OLD])]
    leaves_nothing(dev, get(dev, "rocky-9@" + row.versions[OLD], "--mirror", vendor.url, "--unsigned")[1], "cannot download")
    leaves_nothing(dev, get(dev, "debian-12", "--mirror", vendor.url + "elsewhere/", "--unsigned")[1], "cannot fetch", "elsewhere/bookworm/")
    vendor.files["bookworm/latest/x"] = b""
    vendor.files = {k: v for k, v in vendor.files.items() if not k.startswith("bookworm/2026")}
    leaves_nothing(dev, get(dev, "debian-12", "--mirror", vendor.url, "--unsigned")[1], "names no version of debian-12", "debian-12@VERSION")
    vendor.fresh()
    sums = row.sums.replace("V", row.versions[OLD])
    vendor.files[sums] = b"MD5 (x) = d41d8cd98f00b204e9800998ecf8427e\n"
    leaves_nothing(dev, get(dev, "rocky-9", "--mirror", vendor.url, "--unsigned")[1], "has no one SHA-256 or SHA-512 of")
    vendor.files[sums] = b"x" * (2 << 20)
    leaves_nothing(dev, get(dev, "rocky-9", "--mirror", vendor.url, "--unsigned")[1], "cannot fetch")


def test_what_is_no_disk(dev, vendor):
    """The checksum is right, but a guest could not boot the image, or it would read this machine's files."""
    row = BY_NAME["debian-12"]
    vendor.disks = [b"#!/bin/sh\n" * 100, vendor.disks[NEW]]
    try:
        vendor.publish(row, OLD)
        leaves_nothing(dev, get(dev, "debian-12", "--mirror", vendor.url, "--unsigned")[1])
    finally:
        vendor.disks = DISKS


DISKS = []


@pytest.fixture(scope="module", autouse=True)
def remember(disks):
    DISKS.extend(disks)


# ---- versions

def test_an_older_version_is_not_the_latest(dev, vendor, keys):
    row = BY_NAME["ubuntu-24.04"]
    vendor.publish(row, NEW)
    newest = got(dev, vendor, keys, row.name)
    older = got(dev, vendor, keys, f"{row.name}@{row.versions[OLD]}")
    assert (newest["version"], newest["latest"]) == (row.versions[NEW], True)
    assert (older["version"], older["latest"], older["made"]) == (row.versions[OLD], False, True)
    assert not got(dev, vendor, keys, "noble", "--key", keys.armored)["made"]  # by its alias
    (shown,) = [i for i in dev.command("image", "get", "--list") if i["name"] == row.name]
    assert shown["latest_here"] == row.versions[NEW]


# ---- sources

def test_a_directory(dev, vendor, keys, tmp_path):
    """Plain files, and a mirror's tree."""
    for name, tree in (("debian-12", False), ("ubuntu-24.04", True), ("fedora-44", False), ("almalinux-9", False), ("almalinux-10", True)):
        row = BY_NAME[name]
        folder = tmp_path / name
        parts = {p.replace("V", row.versions[OLD]) for p in (row.path, row.sums, row.signature if row.signature not in (None, "inline") else row.sums)}
        for part in parts:
            to = folder / (part if tree else part.rsplit("/", 1)[1])
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(vendor.files[part])
        value, problem = get(dev, name, "--from", str(folder), *(["--key", keys.armored] if row.signature else ["--unsigned"]))
        assert value and value["version"] == row.versions[OLD], problem
    assert not vendor.asked


def test_a_directory_whose_names_have_no_version(dev, vendor, keys, tmp_path):
    row = BY_NAME["ubuntu-24.04"]
    for part in (row.path, row.sums, row.signature):
        part = part.replace("V", row.versions[OLD])
        (tmp_path / part.rsplit("/", 1)[1]).write_bytes(vendor.files[part])
    _, problem = get(dev, row.name, "--from", str(tmp_path), "--key", keys.armored)
    leaves_nothing(dev, problem, "ubuntu-24.04@VERSION")
    value, problem = get(dev, f"{row.name}@{row.versions[OLD]}", "--from", str(tmp_path), "--key", keys.armored)
    assert value and value["latest"], problem


def test_an_empty_directory(dev, tmp_path):
    """The message says which files to copy."""
    leaves_nothing(dev, get(dev, "debian-12", "--from", str(tmp_path), "--unsigned")[1], f"the directory {tmp_path} has no version of debian-12", "copy the image there", "checksum file")


def test_a_mirror_of_many_vendors(dev, vendor, keys):
    vendor.files = {("ubuntu/" if "noble" in path else "debian/") + path: body for path, body in vendor.files.items()}
    assert got(dev, vendor, keys, "ubuntu-24.04", "--mirror", vendor.url + "{vendor}")["made"]
    assert got(dev, vendor, keys, "debian-12", "--mirror", vendor.url + "{vendor}/")["made"]


def test_https_vouches_for_what_nobody_signs(dev, keys, disks, authority):
    with Vendor(keys, disks, authority.issue("127.0.0.1")) as vendor:
        value, problem = get(dev, "debian-12", "--mirror", vendor.url)
        assert value and value["checked_by"] == "https", problem
        vendor.shutdown()
    with Vendor(keys, disks, authority.issue("127.0.0.9")) as vendor:
        _, problem = get(dev, "debian-13", "--mirror", vendor.url)
        assert "cannot fetch" in problem, problem
        vendor.shutdown()


class Authority:
    """A certificate authority that this machine trusts, while the test is in its namespace."""

    def __init__(self, room):
        self.room, self.key = room, ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.make("authority", self.key, None)
        bundle = room / "bundle.pem"
        shutil.copy(BUNDLE, bundle)
        with open(bundle, "ab") as f:
            f.write(self.certificate.public_bytes(serialization.Encoding.PEM))
        subprocess.run(["mount", "--bind", str(bundle), BUNDLE], check=True)

    def make(self, name, key, address):
        now, subject = datetime.datetime.utcnow(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = self.certificate.subject if address else subject
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
                   .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)).add_extension(x509.BasicConstraints(not address, None), True))
        if address:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, address):
        key = ec.generate_private_key(ec.SECP256R1())
        paths = [self.room / f"{address}.{what}" for what in ("crt", "key")]
        paths[0].write_bytes(self.make(address, key, address).public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return [str(p) for p in paths]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


# ---- other faces' view

def test_openstack_finds_it(dev, vendor, keys):
    row = BY_NAME["debian-12"]
    got(dev, vendor, keys, row.name)
    vendor.publish(row, NEW)
    newer = got(dev, vendor, keys, row.name)
    env = dict(re.findall(r"(OS_\w+)=(\S+)", dev.banner))

    def run(*words):
        done = warm.run(["/usr/bin/openstack", *words, "-f", "json"], {**os.environ, **env})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (latest,) = run("image", "list", "--public", "--tag", "latest", "--property", "os_distro=debian", "--property", "os_version=12")
    assert latest["Name"] == newer["name"] == "debian-12-amd64-20260711-2187"
    shown = run("image", "show", latest["ID"])
    assert shown["status"] == "active" and shown["visibility"] == "public"
    assert {k: shown["properties"][k] for k in ("os_distro", "os_version", "os_admin_user", "image_family", "image_version")} == {
        "os_distro": "debian", "os_version": "12", "os_admin_user": "debian", "image_family": "debian-12", "image_version": row.versions[NEW]}
    assert len(run("image", "list", "--property", "image_family=debian-12")) == 2


def test_an_owner_by_number_is_nobody(dev, vendor, keys):
    """The owner number is shown and searchable, and grants nothing."""
    made = got(dev, vendor, keys, "debian-12")
    (image,) = aws(dev, "describe-images", "--image-ids", made["image_id"])["Images"]
    assert (image["OwnerId"], image["ImageOwnerAlias"], image["Public"]) == ("136693071363", "amazon", True)
    assert image["ImageLocation"] == "136693071363/" + made["name"] and image["Description"] == "Debian 12 (20260601-2100)"
    assert [i["ImageId"] for i in aws(dev, "describe-images", "--filters", "Name=owner-id,Values=136693071363")["Images"]] == [made["image_id"]]
    assert made["image_id"] in [i["ImageId"] for i in aws(dev, "describe-images", "--owners", "amazon")["Images"]]
    assert made["image_id"] not in [i["ImageId"] for i in aws(dev, "describe-images", "--owners", "000000000000")["Images"]]
    assert aws(dev, "describe-images", "--owners", "099720109477")["Images"] == []
    assert aws(dev, "describe-images", "--owners", "self")["Images"] == []
    launched = aws(dev, "run-instances", "--image-id", made["image_id"], "--instance-type", "t3.micro")
    assert launched["Instances"][0]["ImageId"] == made["image_id"]
    answer = dev.account.call("ModifyImageAttribute", {"ImageId": made["image_id"], "Description.Value": "mine"})
    assert answer.status in (400, 403), answer


if __name__ == "__main__":
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        os.execvp("unshare", ["unshare", *user, "--mount", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
