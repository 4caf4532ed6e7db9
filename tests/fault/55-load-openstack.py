#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/api/openstack/core src/auth/limit
"""OpenStack's face under those who ask for too much: a project that floods each service is told so in the service's words
while another's requests stay quick; images sent and read a kilobyte a second hold no thread and no memory to speak of;
wrong passwords by the dozen hold up nobody but each other.

# limit: 900 s
"""
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud as lib  # noqa: E402
from dev import Dev  # noqa: E402
from load import Steps, descriptors, resident_mib, threads  # noqa: E402
from waiting import HANG_S, communicate, soon, wait_until  # noqa: E402

SLOW, ROUNDS, PIECE = 100, 8, 1024
SAMPLES, LOOKS = 150, 5
FLOODERS, GUESSERS = 3, 40
PATHS = {"compute": "/compute/v2.1/servers", "network": "/network/v2.0/networks", "volume": "/volume/v3/volumes", "image": "/image/v2/images",
         "identity": "/identity/v3/auth/projects"}
steps = Steps()
check = steps.check


def requests(dev):
    """Number of requests that the server has accepted."""
    with urllib.request.urlopen(f"{dev.url}/metrics", timeout=HANG_S) as answer:
        return int(re.search(r"^dari_http_requests_total (\d+)$", answer.read().decode(), re.MULTILINE)[1])


class Pace:
    """Number of other clients' requests served during one of this project's: counting events, because durations depend on the machine's load. A
    project that waits behind all others repeatedly sees as many as they have connections."""

    def __init__(self, dev, project):
        beside, self.wrong = [], []
        for n in range(SAMPLES):
            before = requests(dev)
            answer = project.call("GET", list(PATHS.values())[n % len(PATHS)])
            beside.append(requests(dev) - before - 2)  # without its own request, and the read of the counter
            if answer.status != 200:
                self.wrong.append(answer)
        self.median = statistics.median(beside)

    def __str__(self):
        return f"beside one request {self.median:.0f} of others, median"


def keeps_pace(words, dev, other, most):
    """Other work of the machine may show in one look; an effect on the server shows in each."""
    for _ in range(LOOKS):
        now = Pace(dev, other)
        print(f"# {words}: {now}; at most {most}")
        keeps = now.median <= most
        if keeps or now.wrong:
            break
    check(f"{words}: another's requests are answered", not now.wrong, now.wrong[:3])
    check(f"{words}: and do not wait behind all others", keeps, now)


class Many:
    """Repeats an action in several threads while the block lasts; counts results by status."""

    def __init__(self, count, ask):
        self.ask, self.over, self.heard = ask, threading.Event(), {}
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(count)]

    def run(self, number):
        while not self.over.is_set():
            answer = self.ask(number)
            self.heard[answer.status] = answer, self.heard.get(answer.status, (None, 0))[1] + 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def count(self, status):
        return self.heard.get(status, (None, 0))[1]


# ---- floods

FLOODER = """
import http.client, sys
port, token, path, count = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
while True:
    connection.request("GET", path, headers={"X-Auth-Token": token})
    connection.getresponse().read()
"""


def floods(dev, one, other):
    flooders = [subprocess.Popen([sys.executable, "-c", FLOODER, str(dev.port), one.token, PATHS["network"], "0"], stderr=subprocess.DEVNULL) for _ in range(FLOODERS)]
    try:
        check("a project that floods is refused", soon(lambda: one.call("GET", PATHS["network"]).status == 429))
        keeps_pace("a flood", dev, other, 10 * FLOODERS)
        for service, path in PATHS.items():
            told = next((a for a in (one.call("GET", path, headers={"Accept": "application/json"}) for _ in range(200)) if a.status == 429), None)
            check(f"{service} says it in its words", told is not None and is_told(service, told), told)
    finally:
        for flooder in flooders:
            flooder.kill()
            flooder.wait()
    check("and is let in again", soon(lambda: one.call("GET", PATHS["network"]).status == 200))


def is_told(service, answer):
    said, seconds = answer.json, answer.headers.get("Retry-After")
    words = {"compute": lambda: said["overLimit"]["code"] == 429 and str(said["overLimit"]["retryAfter"]) == seconds,
             "volume": lambda: said["overLimit"]["code"] == 429 and str(said["overLimit"]["retryAfter"]) == seconds,
             "network": lambda: set(said["NeutronError"]) == {"type", "message", "detail"},
             "image": lambda: said["code"].startswith("429 "), "identity": lambda: said["error"]["code"] == 429}
    return re.fullmatch("[1-9][0-9]*", seconds or "") and words[service]()


GUESSER = """
import collections, http.client, json, sys, threading, time
heard, over = collections.Counter(), threading.Event()
def guess(user):
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=600)
    password = {"user": {"name": user, "domain": {"id": "default"}, "password": "wrong"}}
    body = json.dumps({"auth": {"identity": {"methods": ["password"], "password": password}}})
    while not over.is_set():
        connection.request("POST", "/identity/v3/auth/tokens", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        heard[answer.status] += 1
        time.sleep(0.1 if answer.status == 429 else 0)
threads = [threading.Thread(target=guess, args=(u,)) for u in [sys.argv[2], *(f"nobody {n}" for n in range(39))]]
for thread in threads:
    thread.start()
time.sleep(0.2)
print("begun", flush=True)
sys.stdin.readline()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(heard))
"""


# ---- slow clients

def open_request(dev, project, method, path, *more):
    s = socket.create_connection(("127.0.0.1", dev.port), timeout=HANG_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"X-Auth-Token: {project.token}", *more, "", ""]
    s.sendall("\r\n".join(lines).encode())
    return s


def new_image(project, name):
    return project.ok("POST", PATHS["image"], {"name": name, "disk_format": "raw", "container_format": "bare"})["id"]


def state_of(project, image):
    return project.ok("GET", f"{PATHS['image']}/{image}")["status"]


def slow_uploads(dev, one, other):
    threads_before, memory_before, open_before = threads(dev), resident_mib(dev), descriptors(dev)
    images = [new_image(one, f"slow {n}") for n in range(SLOW)]
    sent = [open_request(dev, one, "PUT", f"{PATHS['image']}/{i}/file", "Content-Type: application/octet-stream", "Transfer-Encoding: chunked") for i in images]
    piece = f"{PIECE:x}\r\n".encode() + b"x" * PIECE + b"\r\n"
    with Many(1, lambda _: time.sleep(1) or send_all(sent, piece)) as rounds:
        keeps_pace("slow uploads", dev, other, 1)
        wait_until(lambda: rounds.count(0) >= ROUNDS, "pieces are sent", shows=lambda: rounds.count(0))
        print(f"# {SLOW} slow uploads: {threads(dev) - threads_before} threads more, {resident_mib(dev) - memory_before:.1f} MiB more")
        check("slow uploads hold no threads", threads(dev) < threads_before + 5, threads(dev))
        check("slow uploads hold no memory", resident_mib(dev) < memory_before + SLOW * 0.25, f"{memory_before} MiB, then {resident_mib(dev)}")
    sent[0].sendall(b"0\r\n\r\n")
    check("the one that goes on to the end is taken", b" 204 " in sent[0].recv(65536)[:20])
    check("as it was sent", (one.ok("GET", f"{PATHS['image']}/{images[0]}")["size"] or 0) == PIECE * rounds.count(0))
    for s in sent:
        s.close()
    check("what is given up leaves nothing open", soon(lambda: descriptors(dev) <= open_before + 8), f"{descriptors(dev)}, before {open_before}")
    check("nor an image that waits for the rest", {state_of(one, i) for i in images[1:]} == {"queued"}, {state_of(one, i) for i in images[1:]})
    for image in images[1:]:
        assert one.call("DELETE", f"{PATHS['image']}/{image}").status == 204


def send_all(sockets, piece):
    for s in sockets:
        s.sendall(piece)
    return lib.Answer(0, {}, "")


def slow_readers(dev, one, other):
    image, size = new_image(one, "large"), 32 << 20
    answer = one.call("PUT", f"{PATHS['image']}/{image}/file", raw=os.urandom(size), headers={"Content-Type": "application/octet-stream"})
    check("a large image is taken", answer.status == 204, answer)
    threads_before, memory_before, open_before = threads(dev), resident_mib(dev), descriptors(dev)
    readers = []
    for _ in range(SLOW):
        readers.append(open_request(dev, one, "GET", f"{PATHS['image']}/{image}/file"))
    with Many(1, lambda _: time.sleep(1) or read_all(readers)) as rounds:
        keeps_pace("slow readers", dev, other, 1)
        wait_until(lambda: rounds.count(0) >= 3, "pieces are read", shows=lambda: rounds.count(0))
        print(f"# {SLOW} slow readers: {threads(dev) - threads_before} threads more, {resident_mib(dev) - memory_before:.1f} MiB more")
        check("slow readers hold no threads", threads(dev) < threads_before + 5, threads(dev))
        check("slow readers hold no memory", resident_mib(dev) < memory_before + SLOW * 0.25, f"{memory_before} MiB, then {resident_mib(dev)}")
    for s in readers:
        s.close()
    check("who stops reading leaves nothing open", soon(lambda: descriptors(dev) <= open_before + 8), f"{descriptors(dev)}, before {open_before}")


def read_all(sockets):
    for s in sockets:
        assert len(s.recv(PIECE)) > 0
    return lib.Answer(0, {}, "")


# ---- wrong passwords

def login(project, user, password):
    auth = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": user, "domain": {"id": "default"}, "password": password}}}}}
    return project.call("POST", "/identity/v3/auth/tokens", auth, headers={"X-Auth-Token": ""})


def wrong_logins(dev, one, other):
    """Each login costs a real hash, for existing and unknown users, until the address is throttled."""
    guesser = subprocess.Popen([sys.executable, "-c", GUESSER, str(dev.port), one.user, str(GUESSERS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    guesser.stdout.readline()  # the guesser has started
    keeps_pace("wrong passwords", dev, other, GUESSERS // 2)
    heard = json.loads(communicate(guesser, "over\n")[0])
    print(f"# wrong passwords: {heard}")
    check("they are refused, and some told to come again", heard.get("401", 0) > 5 and heard.get("429", 0) > 0 and set(heard) == {"401", "429"}, heard)
    check("and the right one is let in afterwards", soon(lambda: login(other, other.user, other.password).status == 201))


def main():
    with Dev("--limits") as dev:
        one, other = lib.another(dev, "one"), lib.another(dev, "other")
        wrong_logins(dev, one, other)
        floods(dev, one, other)
        check("it ends as it should", dev.end() == 0)
    with Dev() as dev:
        one, other = lib.another(dev, "one"), lib.another(dev, "other")
        slow_uploads(dev, one, other)
        slow_readers(dev, one, other)
        check("it ends as it should", dev.end() == 0)
    steps.end()


main()
