#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/auth/limit
"""Crowds and misers: ten thousand kept connections, clients that send or read a byte now and then or close
half, an account and a stranger that flood. Nobody else's request fails meanwhile, the flooders are told
RequestLimitExceeded, and nothing of it stays behind.

    LOAD_ROUNDS=10: the whole so many times, to see whether memory grows.
# limit: 900 s
"""
import contextlib
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import DARI, Dev, VERSION  # noqa: E402
from load import Steps, descriptors, resident_mib  # noqa: E402
from waiting import HANG_S, soon  # noqa: E402

LOAD = os.path.join(os.path.dirname(DARI), "../../bench/bench_load")
# With two rounds of half-closed connections, the first of which is not idle long enough yet, and a few more this reaches the maximum of 10,000.
CROWD, MISERS, SLOW_READERS, HALF_CLOSED = int(os.environ.get("LOAD_CROWD", "9700")), 100, 40, 50
steps = Steps()
check = steps.check


def metric(dev, name):
    with urllib.request.urlopen(f"{dev.url}/metrics", timeout=HANG_S) as answer:
        return float(re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)[1])


# ---- clients

def connect(dev):
    s = socket.create_connection(("127.0.0.1", dev.port), timeout=HANG_S)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def request(account, action, **more):
    """Bytes of a complete signed request."""
    body = "&".join(f"{k}={v}" for k, v in sorted({"Action": action, "Version": VERSION, **more}.items())).encode()
    headers = account.sign("POST", "", body, "ec2")
    head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_answer(s):
    """(status, body); status 0 if the connection ended first."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = s.recv(65536)
        if not piece:
            return 0, data
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    size = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < size:
        piece = s.recv(1 << 20)
        if not piece:
            return 0, body
        body += piece
    return int(head.split()[1]), body


def asks_well(words, account, count=30):
    """Requests of another client meanwhile: every one must be answered."""
    answers = [account.call(["DescribeVpcs", "DescribeInstances", "DescribeVolumes"][n % 3]).status for n in range(count)]
    check(f"{words}: others are answered", answers == [200] * count, answers)


# ---- attacks

def crowd(dev, one, other):
    """Uses an account of its own, because a flooding account is throttled for a while."""
    kept = [connect(dev) for _ in range(CROWD)]
    check(f"{CROWD} connections are kept", soon(lambda: metric(dev, "dari_http_connections") >= CROWD))
    asks_well("a crowd", other)
    some = kept[::50]
    for s in some:
        s.sendall(request(one, "DescribeVpcs"))
    got = [read_answer(s)[0] for s in some]
    check(f"{len(some)} of them ask at once, and are answered", got == [200] * len(some), set(got))
    print(f"# with them it is {resident_mib(dev):.0f} MiB")
    return kept


def misers(dev, one, other):
    """Opens slow connections; the returned function waits until the server has cut them: an incomplete request may take half a minute."""
    whole = request(one, "DescribeVpcs")
    writers = [connect(dev) for _ in range(MISERS)]
    for n, s in enumerate(writers):
        s.sendall(whole[:10 + n] if n % 2 else whole[:-1 - n % 8])  # within the headers, within the body
        if n % 3 == 0:
            s.shutdown(socket.SHUT_WR)  # and no more follows
    readers = [connect(dev) for _ in range(SLOW_READERS)]
    for s in readers:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(request(one, "DescribeInstances"))
    asks_well("slow writers and readers", other)

    def end():
        last = [drain(s) for s in writers]
        check("slow writers are told 408, or cut", all(b"" == d or b" 408 " in d[:20] for d in last),
              {d[:20] for d in last})
        check("one at least is told", any(b" 408 " in d[:20] for d in last))
        asks_well("after the slow ones", other)
        for s in writers + readers:
            s.close()
    return end


def drain(s):
    s.settimeout(HANG_S)
    data = b""
    try:
        while piece := s.recv(4096):
            data += piece
    except ConnectionError:
        pass
    except TimeoutError:
        return b"still open"
    return data


def half_closed(dev, one, other):
    asked = [connect(dev) for _ in range(HALF_CLOSED)]
    for s in asked:
        s.sendall(request(one, "DescribeVpcs"))
        s.shutdown(socket.SHUT_WR)
    got = [read_answer(s)[0] for s in asked]
    check("whoever closes his half after asking is answered, or left", set(got) <= {200, 0}, set(got))
    asks_well("half-closed connections", other)
    for s in asked:
        s.close()


@contextlib.contextmanager
def flood(dev, key_id, secret):
    """Sends requests as fast as one process can, while the block lasts; yields the answers."""
    with tempfile.TemporaryFile("w+") as heard:
        flooder = subprocess.Popen([LOAD, f"host=127.0.0.1:{dev.port}", f"key={key_id}", f"secret={secret}", "clients=32",
                                    "run_ms=60000", "warm_ms=1", f"form=Action=DescribeVpcs&Version={VERSION}"],
                                   stdout=subprocess.DEVNULL, stderr=heard)
        yield lambda: heard.seek(0) or heard.read()
        flooder.kill()
        flooder.wait()


def floods(dev, one, other):
    for who, secret, words in [("reads", one.secret, "an account"), ("strangers", "x" * 40, "a stranger at the same address")]:
        name = f"dari_limit_{who}_refused_total"
        counted = metric(dev, name)
        with flood(dev, one.key_id, secret) as heard:
            check(f"{words} that floods is refused, and counted", soon(lambda n=name, c=counted: metric(dev, n) > c))
            asks_well(f"{words} floods", other)
            check(f"{words} is told so", soon(lambda h=heard: "503" in h() and "RequestLimitExceeded" in h()), heard()[:300])


def main():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 1000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2 * CROWD, 2 * CROWD))  # root may
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, CROWD + 1000), hard))
    with Dev("--limits") as dev:
        one, other, many = dev.account, dev.new_account("other"), dev.new_account("many")
        image = one.ok("DescribeImages").first(".//imageId")
        one.ok("RunInstances", {"ImageId": image, "InstanceType": "t3.nano", "MinCount": 60, "MaxCount": 60})
        asks_well("before it all", other)
        before, peaks = descriptors(dev), []
        for _ in range(int(os.environ.get("LOAD_ROUNDS", "1"))):
            end_of_misers = misers(dev, one, other)
            half_closed(dev, one, other)
            floods(dev, one, other)
            for _ in range(2):
                for s in crowd(dev, many, other):
                    s.close()
                rest = MISERS + SLOW_READERS + 2 * HALF_CLOSED + 10
                check("their descriptors are given back", soon(lambda: descriptors(dev) <= before + rest))
                peaks.append(resident_mib(dev))
            end_of_misers()
        # the end of a half-closed connection is only noticed after its idle timeout
        check("all descriptors are given back", soon(lambda: descriptors(dev) <= before + 4),
              f"{before} before, {descriptors(dev)} now")
        check("a second crowd takes no more memory", max(peaks[1:]) < 1.3 * peaks[0] + 16, peaks)
        asks_well("after it all", other)
    steps.end()


if __name__ == "__main__":
    main()
