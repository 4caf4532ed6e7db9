# SPDX-License-Identifier: Apache-2.0
"""A stream of datagrams between two guests: its rate and its marks, as the receiver sees them. Each end is a Python program, because a guest may be a
network namespace without iperf."""
import subprocess
import sys

import waiting

# Prints the bytes and seconds of the stream, and the DSCP marks of its packets.
RECEIVE = """import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5001)); print("ready", flush=True); s.settimeout(600)
s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
first = None; got = 0; marks = set()
while True:
    data, more, _, _ = s.recvmsg(2000, 100)
    marks |= {value[0] >> 2 for level, what, value in more if what == socket.IP_TOS}
    if data == b"end": break
    first = first or time.monotonic(); got += len(data); last = time.monotonic()
print(got, last - first, *sorted(marks))
"""
SEND = """import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
to, rate, seconds = (sys.argv[1], 5001), int(sys.argv[2]) * 125, int(sys.argv[3])
begin = time.monotonic(); sent = 0
while (since := time.monotonic() - begin) < seconds:
    while sent < since * rate:
        s.sendto(bytes(1000), to); sent += 1000
    time.sleep(0.005)
for k in range(20):
    time.sleep(0.2); s.sendto(b"end", to)
"""


def measure(receiver, sender, to, kbit_s, seconds):
    """Returns the received rate in kbit/s, and the DSCP marks. receiver, sender: words that run a command in a guest."""
    listener = subprocess.Popen([*receiver, sys.executable, "-c", RECEIVE], stdout=subprocess.PIPE, text=True)
    assert listener.stdout.readline().strip() == "ready"
    sent = waiting.run([*sender, sys.executable, "-c", SEND, to, str(kbit_s), str(seconds)], capture_output=True, text=True)
    assert sent.returncode == 0, sent.stderr
    got, took, *marks = waiting.communicate(listener)[0].split()
    return int(got) * 8 / 1000 / float(took), [int(mark) for mark in marks]
