# SPDX-License-Identifier: Apache-2.0
"""The event stream of Dari's own API: cost of many viewers of one account while its rows change continuously, and the delay
from a commit's answer until a viewer has received the change. Viewers are sockets of this process, which only counts the
events."""
import http.client
import json
import os
import re
import selectors
import socket
import subprocess
import threading
import time

from tools import cpu_s, process, rss_mib, run, say

VIEWERS, OF_USER, CHANGES_S, SECONDS, ROWS = 500, 20, 200, 10, 50
BRIEF = {"VIEWERS": 10, "OF_USER": 5, "CHANGES_S": 50, "SECONDS": 1, "ROWS": 5}
MARK = re.compile(rb'"n":"(\d+)"')


def token(port, project, user, password):
    body = {"auth": {"scope": {"project": {"name": project, "domain": {"id": "default"}}}, "identity": {
        "methods": ["password"], "password": {"user": {"name": user, "domain": {"id": "default"}, "password": password}}}}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/identity/v3/auth/tokens", json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.headers["X-Subject-Token"]


def call(connection, who, method, path, body=None):
    connection.request(method, "/api/v1" + path, json.dumps(body) if body is not None else None,
                       {"X-Auth-Token": who, "Content-Type": "application/json"})
    return json.loads(connection.getresponse().read())


class Viewers:
    """Open streams; records when each stream first received each change."""

    def __init__(self, port, tokens, count):
        self.selector, self.bytes, self.had, self.is_over = selectors.DefaultSelector(), 0, {}, False
        for n in range(count):
            s = socket.create_connection(("127.0.0.1", port))
            s.sendall(f"GET /api/v1/stream?kinds=key-pairs HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {tokens[n // OF_USER]}\r\n\r\n".encode())
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, n)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while not self.is_over:
            for key, _ in self.selector.select(0.1):
                try:
                    piece = key.fileobj.recv(1 << 18)
                except OSError:
                    continue
                self.bytes += len(piece)
                if not piece:
                    self.selector.unregister(key.fileobj)
                elif key.data == 0:  # only one stream is parsed
                    now = time.monotonic()
                    for n in MARK.findall(piece):
                        self.had.setdefault(int(n), now)

    def end(self):
        self.is_over = True


def change(port, who, ids, seconds):
    """Makes changes at this rate per second. Returns when each was answered."""
    connection, answered, begin = http.client.HTTPConnection("127.0.0.1", port, timeout=60), {}, time.monotonic()
    for n in range(CHANGES_S * seconds):
        wait = begin + n / CHANGES_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        call(connection, who, "POST", "/tags", {"ids": [ids[n % len(ids)]], "tags": {"n": str(n)}})
        answered[n] = time.monotonic()
    return answered, time.monotonic() - begin


def measure(build, _, show):
    argv = [f"{build}/src/daemon/dari", "dev", "--port", "0", "--instant"]
    with process(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        banner = ""
        for line in child.stdout:
            banner += line
            if line.startswith("Ready"):
                break
        port = int(re.search(r"AWS_ENDPOINT_URL=http://127.0.0.1:(\d+)", banner)[1])
        config, project = re.search(r"DARI_CONFIG=(\S+)", banner)[1], re.search(r"OS_PROJECT_NAME=(\S+)", banner)[1]
        tokens = []
        for n in range(VIEWERS // OF_USER):
            made = run(argv[0], "--config", config, "user", "create", f"viewer{n}", "--account", project, "--json")
            tokens.append(token(port, project, f"viewer{n}", json.loads(made)["password"]))
        who = token(port, project, re.search(r"OS_USERNAME=(\S+)", banner)[1], re.search(r"OS_PASSWORD=(\S+)", banner)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        ids = [call(connection, who, "POST", "/key-pairs", {"name": f"k{n}"})["items"][0]["ec2"] for n in range(ROWS)]
        alone = cpu_s(child.pid)
        _, seconds = change(port, who, ids, SECONDS)
        alone = (cpu_s(child.pid) - alone) / seconds
        before = rss_mib(child.pid)
        viewers = Viewers(port, tokens, VIEWERS)
        time.sleep(2)
        watched = cpu_s(child.pid)
        answered, seconds = change(port, who, ids, SECONDS)
        watched = (cpu_s(child.pid) - watched) / seconds
        time.sleep(1)
        late = sorted(max(0.0, viewers.had[n] - at) * 1000 for n, at in answered.items() if n in viewers.had)
        say(f"stream: {len(late)} of {len(answered)} changes were told by themselves, {viewers.bytes >> 20} MiB in all, "
            f"{os.cpu_count()} processors")
        show("stream_processor_percent", (watched - alone) * 100)
        show("stream_late_p50_ms", late[len(late) // 2])
        show("stream_late_p99_ms", late[len(late) * 99 // 100])
        show("stream_viewer_kib", (rss_mib(child.pid) - before) * 1024 / VIEWERS)
        viewers.end()
