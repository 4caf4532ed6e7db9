# SPDX-License-Identifier: Apache-2.0
"""A provider with ten thousand machines, simulated by prepared EC2 answers: processor time of a listing without changes, its commits, memory of the rows, and
duration of the first listing. Then the first listing of another Dari with so many instances, beside AWS's own command line that lists them."""
import http.server
import json
import os
import re
import subprocess
import threading
import time

import lists
from dev import DARI, REGION, Dev
from rates import region
from tools import cpu_s, rss_mib, run, say, wait_quiet, wait_until

MACHINES, FEW, PAGE, LISTINGS, POLL_S = 10000, 20, 1000, 5, 5
BRIEF = {"MACHINES": 20, "PAGE": 10, "LISTINGS": 1, "POLL_S": 1}

MACHINE = """<item><instanceId>i-{n:017x}</instanceId><imageId>ami-{image:017x}</imageId><instanceState><code>16</code><name>running</name></instanceState>
<privateDnsName>ip-10-{a}-{b}.internal</privateDnsName><keyName>ann</keyName><instanceType>m5.large</instanceType><launchTime>2026-01-02T03:04:05.000Z</launchTime>
<placement><availabilityZone>eu-1a</availabilityZone><tenancy>default</tenancy></placement><platformDetails>Linux/UNIX</platformDetails><vpcId>vpc-1</vpcId>
<subnetId>subnet-{a}</subnetId><privateIpAddress>10.1.{a}.{b}</privateIpAddress><groupSet><item><groupId>sg-1</groupId><groupName>default</groupName></item></groupSet>
<blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-{n:017x}</volumeId><status>attached</status></ebs></item></blockDeviceMapping>
<tagSet><item><key>Name</key><value>web-{n}</value></item><item><key>team</key><value>red</value></item></tagSet>
<cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore></cpuOptions></item>"""


def page(k, count, total):
    """Machines from the k-th on of `total`, each in a reservation of its own, as in EC2."""
    items = "".join(f"<item><reservationId>r-{n}</reservationId><instancesSet>{MACHINE.format(n=n, image=n % 50, a=n // 250, b=n % 250)}</instancesSet></item>"
                    for n in range(k, min(k + count, total)))
    more = f"<nextToken>{k + count}</nextToken>" if k + count < total else ""
    return f"<DescribeInstancesResponse><reservationSet>{items}</reservationSet>{more}</DescribeInstancesResponse>".encode()


class Cloud:
    """The simulated cloud. It checks no signatures."""

    def __init__(self, total):
        pages = {k: page(k, PAGE, total) for k in range(0, total, PAGE)}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802 (the library's name)
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = answer_to(form, pages)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


def answer_to(form, pages):
    action = re.search("Action=([A-Za-z]+)", form)[1]
    if "DryRun=true" in form:
        return 412, b"<Response><Errors><Error><Code>DryRunOperation</Code><Message>yes</Message></Error></Errors></Response>"
    if action == "GetCallerIdentity":
        return 200, b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
    token = re.search("NextToken=([0-9]+)", form)
    return 200, pages[int(token[1]) if token else 0] if action == "DescribeInstances" else f"<{action}Response/>".encode()


def ask(dev, *words, text=None):
    done = subprocess.run([DARI, "--config", dev.config, *words, "--json"], capture_output=True, text=True, check=True, input=text)
    return json.loads(done.stdout)


def measure_first_listing(build, scratch, show):
    """Another Dari's instances are listed for the first time: from `dari provider add` on, beside `aws ec2 describe-instances` in the same minute."""
    with region(build, scratch, max(MACHINES // 100, 8)) as (target, said, pid, _), Dev() as home:
        lists.launch(target, said, MACHINES)
        wait_quiet(pid, 120)
        env = {**os.environ, "AWS_ACCESS_KEY_ID": target.key, "AWS_SECRET_ACCESS_KEY": target.secret, "AWS_DEFAULT_REGION": REGION}
        began = time.monotonic()
        listed = run("aws", "ec2", "describe-instances", "--endpoint-url", f"http://{target.host}", "--query", "length(Reservations[].Instances[])", env=env, timeout=600)
        peer_ms = (time.monotonic() - began) * 1000
        if int(listed) != MACHINES:
            raise RuntimeError(f"the command line lists {listed}")
        account = ask(home, "account", "list")[0]["name"]
        ask(home, "provider", "add", "dari", "other", "--region", REGION, "--login", target.key, "--secret-stdin", "--endpoint", f"http://{target.host}", "--poll-s", "3600",
            "--account", account, text=target.secret + "\n")

        def other():
            return next(each for each in ask(home, "provider", "list") if each["name"] == "other")
        wait_until(lambda: other().get("refreshed_us"), 120, "the first listing")
        shown = other()
        known = len(ask(home, "remote", "list", "--provider", "other"))
        if known != MACHINES:
            raise RuntimeError(f"{known} machines are listed")
        show("other_dari_first_listing_ms", (shown["refreshed_us"] - shown["created_us"]) / 1000, peer_ms)


def measure(build, scratch, show):
    measure_unchanged(show)
    measure_first_listing(build, scratch, show)


def measure_unchanged(show):
    few, cloud = Cloud(FEW), Cloud(MACHINES)
    with Dev() as dev:
        def provider(name):
            return next(each for each in ask(dev, "provider", "list") if each["name"] == name)

        def listed_us(name="there"):
            return provider(name).get("refreshed_us", 0)

        def add(name, url, poll_s):
            ask(dev, "provider", "add", "aws", name, "--region", "eu-1", "--login", "AKIA1", "--secret-stdin", "--endpoint", url, "--poll-s", str(poll_s),
                "--account", account, text="secret\n")
            wait_until(lambda: listed_us(name), 120, "the first listing")

        pid = dev.process.pid
        account = ask(dev, "account", "list")[0]["name"]
        add("few", few.url, 3600)  # so that the memory of the rows is without the code that lists and the libraries' own
        wait_quiet(pid, 10)
        before_mib = rss_mib(pid)
        add("there", cloud.url, POLL_S)
        there = provider("there")
        show("other_cloud_first_listing_ms", (there["refreshed_us"] - there["created_us"]) / 1000)
        for _ in range(2):  # wait until the other resources are listed and the rows are stable
            since = listed_us()
            wait_until(lambda: listed_us() > since, 120, "another listing")
        show("other_cloud_rss_mib", rss_mib(pid) - before_mib)
        since, commits, cpu = listed_us(), dev.commits(), cpu_s(pid)
        ends = set()
        wait_until(lambda: ends.add(listed_us()) or len(ends - {since}) >= LISTINGS, 60 + 10 * POLL_S * LISTINGS, "listings without a change", POLL_S / 4)
        show("other_cloud_listing_ms", (cpu_s(pid) - cpu) / LISTINGS * 1000)
        show("other_cloud_listing_commits", (dev.commits() - commits) / LISTINGS)
        say(f"{MACHINES} machines in pages of {PAGE}; processor time of the region with what it does besides")
