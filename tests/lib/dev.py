# SPDX-License-Identifier: Apache-2.0
"""A region for the contract tests: `dari dev`, its accounts, and a small client that sends what no
library would. Requests go over kept connections, one a thread; signing is a few lines of HMAC, for
thousands of requests a second. Where the point is that a real client understands us, boto3 is used.
"""
import concurrent.futures
import ctypes
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import boto3
import botocore.config

import waiting
from waiting import HANG_S

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DARI = os.path.join(os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main")), "src/daemon/dari")
REGION = "us-east-1"
VERSION = "2016-11-15"
PARALLEL = 8
CALLED_FILTERS = {"DescribeImportImageTasks", "DescribeImportSnapshotTasks"}  # their list of filters is called otherwise
WEB_ADDRESS = "127.0.0.2"  # where tests have their web servers; each region is told that it may fetch from there
BROKEN = {-signal.SIGSEGV, -signal.SIGABRT, 23, 66}  # the last two are LeakSanitizer's and ThreadSanitizer's, which report at the end
CALM_LOOKS = 400  # without a change, while something still waits for better times


def dump():
    """What `dari dump actions` says: the tables that the face itself works by."""
    return json.loads(subprocess.run([DARI, "dump", "actions"], check=True, capture_output=True).stdout)


def end_with_parent():
    """A test that is killed for its time takes its server with it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Dev:
    """A running `dari dev`; with instant it takes no time for simulated work."""

    def __init__(self, *options, instant=True, env=None, fetch_from=WEB_ADDRESS, port=0):
        argv = [DARI, "dev", "--port", str(port), "--fetch-from", fetch_from, *(["--instant"] if instant else []), *options]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **(env or {})), preexec_fn=end_with_parent)
        self.banner, self.kept = "", threading.local()
        for line in self.process.stdout:
            self.banner += line
            if line.startswith("Ready"):
                break
        else:
            raise RuntimeError(f"{' '.join(argv)}: {self.process.stderr.read()}")
        said = dict(re.findall(r"^export (\w+)=(\S*)", self.banner, re.MULTILINE))
        self.config = said["DARI_CONFIG"]
        self.url = said["AWS_ENDPOINT_URL"]
        self.port = urllib.parse.urlsplit(self.url).port
        self.account = Account(self, said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
        # What guests are told: behind it comes whose, "/i-0123456789abcdef0".
        self.metadata = re.search(r"http://127.0.0.1:\d+", self.banner[self.banner.index("# what the guest"):])[0]
        waiting.watch(self)

    # ---- what waiting.py watches

    def watched(self):
        return [self.process.pid]

    def progress(self):
        """What the reconciler has on its way, and what it failed at."""
        try:
            health = json.loads(self.look("/healthz"))
        except (OSError, http.client.HTTPException):
            return None
        return health["waiting"], health["failing"]

    def has_ended(self):
        """Unless the test itself has killed it."""
        return self.process.poll() not in (None, -signal.SIGKILL) and f"the server has ended with {self.process.returncode}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, number=signal.SIGTERM):
        """Ends it; its exit status. What it wrote to standard error goes on to ours."""
        waiting.unwatch(self)
        self.process.send_signal(number)
        _, errors = waiting.communicate(self.process)
        print(errors, end="")
        assert self.process.returncode not in BROKEN, f"it ended with {self.process.returncode}"
        return self.process.returncode

    def connect(self):
        """A new connection to the API, in TLS where the region speaks it."""
        if not self.url.startswith("https:"):
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        context = ssl.create_default_context(cafile=os.path.join(os.path.dirname(self.config), "tls.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=HANG_S, context=context)

    def look(self, path):
        """What the server answers to anybody. In TLS over a kept connection, one a thread: a handshake costs as much as ten requests."""
        if not self.url.startswith("https:"):
            with urllib.request.urlopen(self.url + path, timeout=HANG_S) as answer:
                return answer.read()
        for retry in (False, True):  # the connection may have been closed for its age
            if not hasattr(self.kept, "connection"):
                self.kept.connection = self.connect()
            try:
                self.kept.connection.request("GET", path)
                return self.kept.connection.getresponse().read()
            except (http.client.HTTPException, ConnectionError):
                del self.kept.connection
                if retry:
                    raise
        return None

    def command(self, *argv):
        """A dari command's JSON value."""
        done = subprocess.run([DARI, "--config", self.config, *argv, "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    endless = 0  # downloads that somebody made never to end: always on their way

    def rest(self):
        """Waits until the reconciler has nothing on its way, or only what waits for better times: nothing changes for many looks."""
        calm, before = 0, None

        def rests():
            nonlocal calm, before
            now = json.loads(self.look("/healthz"))["waiting"]
            calm, before = calm + 1 if now == before else 0, now
            return now <= self.endless or calm >= CALM_LOOKS
        waiting.wait_until(rests, "the reconciler comes to rest", of=self, shows=lambda: before, every_s=0.01)

    def commits(self):
        """Those that somebody asked for: figures and last uses come by the clock."""
        text = self.look("/metrics")
        every, by_clock = (int(float(re.search(rb"^dari_store_%s_total (\S+)$" % name, text, re.MULTILINE)[1])) for name in (b"batches", b"clock_batches"))
        return every - by_clock

    def audit(self):
        """What `dari audit` still finds when all had the chance to come to rest."""
        found = []

        def is_clean():
            done = subprocess.run([DARI, "--config", self.config, "audit", "--json"], capture_output=True, text=True, check=False)
            found[:] = json.loads(done.stdout)
            return done.returncode == 0
        waiting.soon(is_clean, of=self, shows=lambda: found)
        return found

    def explain(self, identifier):
        return subprocess.run([DARI, "--config", self.config, "explain", identifier], capture_output=True, text=True, check=False).stdout

    def new_account(self, name):
        key = self.command("account", "create", name)
        return Account(self, key["access_key_id"], key["secret_access_key"])


class Answer:
    """An answer: its status, its text, and its elements without their namespace."""

    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.xmlns = (re.findall(r'xmlns="([^"]*)"', text) + [""])[0]
        self.root = ET.fromstring(text.replace(f' xmlns="{self.xmlns}"', "", 1)) if text.startswith("<") else None
        self.code = self.first(".//Code") if status != 200 else ""
        self.message = self.first(".//Message") if status != 200 else ""

    def first(self, path):
        found = self.root.find(path) if self.root is not None else None
        return "" if found is None else found.text or ""

    def all(self, path):
        return [e.text or "" for e in self.root.findall(path)]

    def same(self):
        """The text without what differs from call to call."""
        return re.sub(r"<(request(?:Id|ID)|RequestI[dD])>[^<]*", r"<\1>", self.text)

    def __repr__(self):
        return f"{self.status} {self.code} {self.message}" if self.status != 200 else self.text


class Account:
    """One account's keys, and calls signed with them."""

    def __init__(self, dev, key_id, secret):
        self.dev, self.key_id, self.secret = dev, key_id, secret
        self.local = threading.local()
        self.signing_keys = {}

    # ---- boto3

    def client(self, service="ec2"):
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=HANG_S, read_timeout=HANG_S,
                                        max_pool_connections=PARALLEL)
        return boto3.client(service, region_name=REGION, endpoint_url=self.dev.url, aws_access_key_id=self.key_id,
                            aws_secret_access_key=self.secret, config=config)

    # ---- by hand

    def signing_key(self, date, service):
        if (date, service) not in self.signing_keys:
            key = ("AWS4" + self.secret).encode()
            for word in [date, REGION, service, "aws4_request"]:
                key = hmac.digest(key, word.encode(), "sha256")
            self.signing_keys[date, service] = key
        return self.signing_keys[date, service]

    def sign(self, method, query, body, service, path="/"):
        """The headers that sign a request."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host, scope = f"127.0.0.1:{self.dev.port}", f"{now[:8]}/{REGION}/{service}/aws4_request"
        canonical = f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{now}\n\nhost;x-amz-date\n" + hashlib.sha256(body).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.signing_key(now[:8], service), text.encode(), "sha256").hexdigest()
        return {"Host": host, "X-Amz-Date": now,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders=host;x-amz-date, "
                                 f"Signature={signature}"}

    def send(self, method, path, headers, body=b""):
        for retry in (False, True):  # a kept connection may have been closed for its age
            if not hasattr(self.local, "connection"):
                self.local.connection = self.dev.connect()
            try:
                self.local.connection.request(method, path, body or None, headers)
                answer = self.local.connection.getresponse()
                return Answer(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))  # a screen's bytes
            except (http.client.HTTPException, ConnectionError):
                del self.local.connection
                if retry:
                    raise

    def call(self, action, params=None, method="POST", version=VERSION, service="ec2"):
        """One request with exactly these wire parameters; Filter.N where the action calls it so."""
        if action in CALLED_FILTERS:
            params = {re.sub("^Filter[.]", "Filters.", k): v for k, v in (params or {}).items()}
        pairs = {"Action": action, "Version": version, **(params or {})}
        query = "&".join(f"{quote(k)}={quote(v)}" for k, v in sorted(pairs.items()))
        if method == "GET":
            return self.send("GET", "/?" + query, self.sign("GET", query, b"", service))
        headers = self.sign("POST", "", query.encode(), service)
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        return self.send("POST", "/", headers, query.encode())

    def ok(self, action, params=None, **how):
        answer = self.call(action, params, **how)
        assert answer.status == 200, f"{action} {params}: {answer}"
        return answer

    def call_all(self, requests):
        """Answers of many (action, params), in their order, some at a time."""
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(lambda r: self.call(*r), requests))


def quote(value):
    return urllib.parse.quote(str(value), safe="-_.~")


# Without a template it wants to be told which versions.
ASKED = {"DescribeLaunchTemplateVersions": {"LaunchTemplateVersion.1": "$Latest", "LaunchTemplateVersion.2": "$Default"}}


def describes(tables):
    """The Describe actions that list what an account has."""
    return [a["name"] for a in tables["actions"] if a["name"].startswith("Describe") and a["name"] not in ASKED
            and not any(p["required"] for p in a["params"] if "." not in p["name"].removesuffix(".N"))]


def attributes(tables, text):
    """Requests for every attribute, of whatever the text names, that Describe…Attribute actions show."""
    for action in tables["actions"]:
        needed = [p for p in action["params"] if p["required"]]
        ids = [p for p in needed if p.get("prefix")]
        words = [p for p in action["params"] if p["name"] == "Attribute" and p.get("words")]
        if action["writes"] or len(ids) != 1 or not words or len(needed) > 2:
            continue
        for identifier in sorted(set(re.findall(rf"\b{ids[0]['prefix']}-[0-9a-f]{{17}}\b", text))):
            for word in words[0]["words"].split("|"):
                yield action["name"], {ids[0]["name"]: identifier, "Attribute": word}


def digest(tables, *accounts):
    """All that the accounts can see, as one text; what differs from call to call left out."""
    names, seen = [(name, {}) for name in describes(tables)], []
    for account in accounts:
        lists = [answer.same() for answer in account.call_all(names)]
        seen += lists + [answer.same() for answer in account.call_all(list(attributes(tables, "\n".join(lists))))]
    return "\n".join(seen)


class Still:
    """That what see() tells stays as it is. Where nothing at all was committed it did; else all of it is looked at, and what
    one look ends with is what the next begins with."""
    EVERY = 8

    def __init__(self, dev, see):
        self.dev, self.see, self.unlooked = dev, see, 0
        self.look()

    def look(self):
        self.commits, self.unlooked = self.dev.commits(), 0
        self.seen = self.see()

    def holds(self):
        if self.dev.commits() == self.commits:
            return True
        before = self.seen
        self.look()
        return before == self.seen

    def holds_so_far(self):
        """For many checks in a row: a look is dear, and a refusal commits a record of the audit log at least. One is taken every
        so many times, and the last one by ends()."""
        self.unlooked += 1
        return self.unlooked < self.EVERY or self.holds()

    def ends(self):
        assert self.holds(), f"something has changed in one of the last {self.EVERY} tests"


class Unchanged(Still):
    """That what the accounts see in EC2 stays as it is."""

    def __init__(self, tables, *accounts):
        super().__init__(accounts[0].dev, lambda: digest(tables, *accounts))
