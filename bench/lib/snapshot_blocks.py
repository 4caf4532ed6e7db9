# SPDX-License-Identifier: Apache-2.0
"""Snapshots by blocks (EBS direct) on 16 connections, as backup products read and write them: MiB/s of a region on simulated hosts. The peer
of writing is threads that write the same blocks to a file with a SHA-256 each, since every block needs a checksum. The peer of reading is nginx,
which sends the same bytes from a file without signature, token or checksum. All four figures include the client's time."""
import base64
import concurrent.futures
import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
import threading
import time

from rates import nginx
from tools import cpu_s, process, say

BLOCK, CONNECTIONS, BLOCKS, ROUNDS = 512 * 1024, 16, 1024, 3
BRIEF = {"BLOCKS": 16, "ROUNDS": 1}
REGION = "us-east-1"


def checksum(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class Client:
    """Sends signed requests, with one connection per thread. The signature excludes bodies, as AWS SDKs do."""

    def __init__(self, host, key, secret):
        self.host, self.key, self.local = host, key, threading.local()
        self.date = time.strftime("%Y%m%d", time.gmtime())
        self.secret = ("AWS4" + secret).encode()
        for word in (self.date, REGION, "ebs", "aws4_request"):
            self.secret = hmac.digest(self.secret, word.encode(), "sha256")

    def sign(self, method, path, query, headers, payload):
        now, scope = time.strftime("%H%M%S", time.gmtime()), f"{self.date}/{REGION}/ebs/aws4_request"
        sent = {"host": self.host, "x-amz-content-sha256": payload, "x-amz-date": f"{self.date}T{now}Z", **headers}
        names = ";".join(sorted(sent))
        lines = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
        canonical = f"{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}".encode()
        text = f"AWS4-HMAC-SHA256\n{sent['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}".encode()
        signature = hmac.new(self.secret, text, "sha256").hexdigest()
        return {**sent, "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, Signature={signature}"}

    def send(self, method, path, query="", body=b"", headers=None):
        payload = "UNSIGNED-PAYLOAD" if method == "PUT" else hashlib.sha256(body).hexdigest()
        request = method, path + ("?" + query if query else ""), body or None, self.sign(method, path, query, headers or {}, payload)
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            self.local.connection.request(*request)
            answer = self.local.connection.getresponse()
        except ConnectionError:  # the server closes a connection that is idle for a minute
            self.local.connection.close()
            self.local.connection.request(*request)
            answer = self.local.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
        return data

    def ask(self, *request, **how):
        return json.loads(self.send(*request, **how))

    def put(self, snapshot, index, data, digest):
        self.send("PUT", f"/snapshots/{snapshot}/blocks/{index}", body=data,
                  headers={"x-amz-data-length": str(BLOCK), "x-amz-checksum": digest, "x-amz-checksum-algorithm": "SHA256"})

    def get(self, snapshot, index, token):
        return self.send("GET", f"/snapshots/{snapshot}/blocks/{index}", f"blockToken={token.replace('+', '%2B').replace('/', '%2F')}")


def rate(pool, work, items, pid=None):
    """MiB/s, and the process's processor time per block in milliseconds."""
    before, begin = cpu_s(pid) if pid else 0, time.monotonic()
    list(pool.map(work, items))
    seconds = time.monotonic() - begin
    return len(items) * BLOCK / seconds / 2**20, ((cpu_s(pid) if pid else 0) - before) * 1000 / len(items)


def write_peer(pool, scratch, contents):
    """Writes the same blocks to a file, and computes a SHA-256 of each."""
    fd = os.open(os.path.join(scratch, "peer"), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)

    def write(index):
        data = contents[index % len(contents)][0]
        hashlib.sha256(data).digest()
        os.pwrite(fd, data, index * BLOCK)
    done = rate(pool, write, range(BLOCKS))[0]
    os.close(fd)
    return done


def read_peer(pool, scratch, data):
    with nginx(scratch, data.decode()) as (host, _):
        local = threading.local()

        def read(_):
            if not hasattr(local, "connection"):
                local.connection = http.client.HTTPConnection(host, timeout=60)
            local.connection.request("GET", "/answer.xml")
            if len(local.connection.getresponse().read()) != BLOCK:
                raise RuntimeError("nginx sent something else")
        return rate(pool, read, range(BLOCKS))[0]


def measure_round(client, pid, scratch, contents):
    """Rates of writing and of reading, dari's and the peer's. Each pool opens new connections, as a client does."""
    made = client.ask("POST", "/snapshots", body=b'{"VolumeSize": 1}', headers={"content-type": "application/json"})["SnapshotId"]
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        wrote, write_ms = rate(pool, lambda k: client.put(made, k, *contents[k % len(contents)]), range(BLOCKS), pid)
        written = wrote, write_peer(pool, scratch, contents)
        client.send("POST", f"/snapshots/completion/{made}", headers={"x-amz-changedblockscount": str(BLOCKS)})
        tokens = None
        while not tokens:
            try:
                tokens = {b["BlockIndex"]: b["BlockToken"] for b in client.ask("GET", f"/snapshots/{made}/blocks")["Blocks"]}
            except RuntimeError:  # the snapshot is not completed yet
                time.sleep(0.1)
        got, read_ms = rate(pool, lambda k: client.get(made, k, tokens[k]), range(BLOCKS), pid)
        read = got, read_peer(pool, scratch, contents[0][0])
        if client.get(made, 1, tokens[1]) != contents[1][0]:
            raise RuntimeError("the block is another one")
    say(f"blocks: {BLOCKS} of 512 KiB on {CONNECTIONS} connections; dari took {write_ms:.2f} ms of processor to write one, {read_ms:.2f} to read one")
    return written, read


def measure(build, scratch, show):
    contents = [(data, checksum(data)) for data in (base64.b64encode(os.urandom(BLOCK * 3 // 4)) for _ in range(8))]
    argv = [f"{build}/src/daemon/dari", "dev", "--port", "0", "--instant", "--data", os.path.join(scratch, "region")]
    with process(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        banner = ""
        for line in child.stdout:
            banner += line
            if line.startswith("Ready"):
                break
        host, key, secret = (re.search(word + r"=(?:http://)?(\S+)", banner)[1] for word in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
        rounds = [measure_round(Client(host, key, secret), child.pid, scratch, contents) for _ in range(ROUNDS)]
    for name, at in (("block_write_mib_per_s", 0), ("block_read_mib_per_s", 1)):
        ours, peers = (sorted(r[at][side] for r in rounds)[len(rounds) // 2] for side in (0, 1))
        show(name, ours, peers)
