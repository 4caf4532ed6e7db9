# SPDX-License-Identifier: Apache-2.0
"""A region for the contract tests: `dari dev`, its accounts, and a small client for requests that no library would send. Requests use persistent
connections, one per thread. Signing is a few lines of HMAC, fast enough for thousands of requests a second. Tests of compatibility with real
clients use boto3."""
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

import quick_headers  # noqa: F401
import waiting
from waiting import HANG_S

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DARI = os.path.join(os.path.abspath(os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main"))), "src/daemon/dari")  # scripts run it in folders of their own
REGION = "us-east-1"
VERSION = "2016-11-15"
PARALLEL = 8
CALLED_FILTERS = {"DescribeImportImageTasks", "DescribeImportSnapshotTasks"}  # actions whose filter list has another name
WEB_ADDRESS = "127.0.0.2"  # address of the tests' web servers; each region may fetch from it
BROKEN = {-signal.SIGSEGV, -signal.SIGABRT, 23, 66}  # the last two are exit statuses of LeakSanitizer and ThreadSanitizer, which report at exit
CALM_LOOKS = 400  # without a change, while steps are still waiting


def dump():
    """The tables of `dari dump actions`, which the face itself uses."""
    return json.loads(subprocess.run([DARI, "dump", "actions"], check=True, capture_output=True).stdout)


def end_with_parent():
    """Makes the server end when its test is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Dev:
    """A running `dari dev`; with `instant` simulated work takes no time."""

    def __init__(self, *options, instant=True, env=None, fetch_from=WEB_ADDRESS, port=0, program=DARI):
        argv = [program, "dev", "--port", str(port), "--fetch-from", fetch_from, *(["--instant"] if instant else []), *options]
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
        # base URL of guests' metadata; append an instance, such as "/i-0123456789abcdef0"
        self.metadata = re.search(r"http://127.0.0.1:\d+", self.banner[self.banner.index("# metadata"):])[0]
        waiting.watch(self)

    # ---- interface of waiting.py

    def watched(self):
        return [self.process.pid]

    def progress(self):
        """The reconciler's pending work and its failures."""
        try:
            health = json.loads(self.look("/healthz"))
        except (OSError, http.client.HTTPException):
            return None
        return health["waiting"], health["failing"]

    def has_ended(self):
        """Describes how the server ended, unless the test killed it."""
        return self.process.poll() not in (None, -signal.SIGKILL) and f"the server has ended with {self.process.returncode}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self, number=signal.SIGTERM):
        """Ends the server; returns its exit status. Copies its standard error to ours."""
        waiting.unwatch(self)
        self.process.send_signal(number)
        _, errors = waiting.communicate(self.process)
        print(errors, end="")
        assert self.process.returncode not in BROKEN, f"it ended with {self.process.returncode}"
        return self.process.returncode

    def connect(self):
        """Opens a connection to the API, with TLS if the region uses it."""
        if not self.url.startswith("https:"):
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        context = ssl.create_default_context(cafile=os.path.join(os.path.dirname(self.config), "tls.pem"))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=HANG_S, context=context)

    def look(self, path):
        """Text of an unauthenticated GET. With TLS the connection is kept, one per thread, because a handshake costs as much as ten requests."""
        if not self.url.startswith("https:"):
            with urllib.request.urlopen(self.url + path, timeout=HANG_S) as answer:
                return answer.read()
        for retry in (False, True):  # the server may have closed the idle connection
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
        """JSON value of a dari command."""
        done = subprocess.run([DARI, "--config", self.config, *argv, "--json"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.strip() else None

    endless = 0  # number of steps that a test made endless, such as a download: they stay pending

    def rest(self):
        """Waits until the reconciler has no pending work, or only waiting work that does not change for many looks."""
        calm, before = 0, None

        def rests():
            nonlocal calm, before
            now = json.loads(self.look("/healthz"))["waiting"]
            calm, before = calm + 1 if now == before else 0, now
            return now <= self.endless or calm >= CALM_LOOKS
        waiting.wait_until(rests, "the reconciler comes to rest", of=self, shows=lambda: before, every_s=0.01)

    def commits(self):
        """Number of commits that requests caused. Metrics and last-used times are committed by timers."""
        text = self.look("/metrics")
        every, by_clock = (int(float(re.search(rb"^dari_store_%s_total (\S+)$" % name, text, re.MULTILINE)[1])) for name in (b"batches", b"clock_batches"))
        return every - by_clock

    def audit(self):
        """Findings of `dari audit` after everything could come to rest."""
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
        """The text without parts that differ from call to call."""
        return re.sub(r"<(request(?:Id|ID)|RequestI[dD])>[^<]*", r"<\1>", self.text)

    def __repr__(self):
        return f"{self.status} {self.code} {self.message}" if self.status != 200 else self.text


class Account:
    """An account's access key, and calls signed with it."""

    def __init__(self, dev, key_id, secret):
        self.dev, self.key_id, self.secret = dev, key_id, secret
        self.local = threading.local()
        self.signing_keys = {}

    # ---- boto3

    def client(self, service="ec2", token=None):
        import boto3  # here, because loading it takes half a second of processors, which most scripts do not need
        import botocore.config
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=HANG_S, read_timeout=HANG_S,
                                        max_pool_connections=PARALLEL)
        return boto3.client(service, region_name=REGION, endpoint_url=self.dev.url, aws_access_key_id=self.key_id,
                            aws_secret_access_key=self.secret, aws_session_token=token, config=config)

    # ---- requests without boto3

    def signing_key(self, date, service):
        if (date, service) not in self.signing_keys:
            key = ("AWS4" + self.secret).encode()
            for word in [date, REGION, service, "aws4_request"]:
                key = hmac.digest(key, word.encode(), "sha256")
            self.signing_keys[date, service] = key
        return self.signing_keys[date, service]

    def sign(self, method, query, body, service, path="/"):
        """Headers that sign a request."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host, scope = f"127.0.0.1:{self.dev.port}", f"{now[:8]}/{REGION}/{service}/aws4_request"
        canonical = f"{method}\n{path}\n{query}\nhost:{host}\nx-amz-date:{now}\n\nhost;x-amz-date\n" + hashlib.sha256(body).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        signature = hmac.new(self.signing_key(now[:8], service), text.encode(), "sha256").hexdigest()
        return {"Host": host, "X-Amz-Date": now,
                "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key_id}/{scope}, SignedHeaders=host;x-amz-date, "
                                 f"Signature={signature}"}

    def send(self, method, path, headers, body=b""):
        for retry in (False, True):  # the server may have closed the idle connection
            if not hasattr(self.local, "connection"):
                self.local.connection = self.dev.connect()
            try:
                self.local.connection.request(method, path, body or None, headers)
                answer = self.local.connection.getresponse()
                return Answer(answer.status, dict(answer.headers), answer.read().decode(errors="replace"))  # bytes of a screenshot
            except (http.client.HTTPException, ConnectionError):
                del self.local.connection
                if retry:
                    raise

    def call(self, action, params=None, method="POST", version=VERSION, service="ec2"):
        """Sends one request with exactly these wire parameters, renaming Filter.N if the action uses another name."""
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
        """Answers to many (action, params), in order; several requests run in parallel."""
        with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(lambda r: self.call(*r), requests))


def quote(value):
    return urllib.parse.quote(str(value), safe="-_.~")


# Without a template the first requires the versions; the second always requires a filter.
ASKED = {"DescribeLaunchTemplateVersions": {"LaunchTemplateVersion.1": "$Latest", "LaunchTemplateVersion.2": "$Default"},
         "SearchTransitGatewayRoutes": {"Filter.1.Name": "state", "Filter.1.Value.1": "*"}}


def describes(tables):
    """Describe actions that list an account's resources."""
    return [a["name"] for a in tables["actions"] if a["name"].startswith("Describe") and a["name"] not in ASKED
            and not any(p["required"] for p in a["params"] if "." not in p["name"].removesuffix(".N"))]


def attributes(tables, text):
    """Requests for every attribute that Describe…Attribute actions show of the resource named by the text."""
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
    """Everything that the accounts can see, as one text, without parts that differ from call to call."""
    names, seen = [(name, {}) for name in describes(tables)], []
    for account in accounts:
        lists = [answer.same() for answer in account.call_all(names)]
        seen += lists + [answer.same() for answer in account.call_all(list(attributes(tables, "\n".join(lists))))]
    return "\n".join(seen)


class Still:
    """Asserts that the result of see() does not change. Without any commit it cannot have changed, so nothing is read. Otherwise everything is read
    again, and the new result is the base of the next check."""
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
        """For many checks in a row: reading everything is expensive, and each refusal commits at least an audit record. Reads only every few calls;
        ends() makes the last check."""
        self.unlooked += 1
        return self.unlooked < self.EVERY or self.holds()

    def ends(self):
        assert self.holds(), f"something has changed in one of the last {self.EVERY} tests"


class Unchanged(Still):
    """Asserts that the accounts' view in EC2 does not change."""

    def __init__(self, tables, *accounts):
        super().__init__(accounts[0].dev, lambda: digest(tables, *accounts))
