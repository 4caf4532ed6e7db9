#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""listen.py PORT NETNS CMD...: open 127.0.0.1:PORT here, then run CMD in the network namespace NETNS
with the socket as descriptor 3, by systemd's socket activation protocol. A socket stays in the namespace
it was made in, so CMD answers here while all else it opens is in NETNS."""
import os
import socket
import sys

port, netns, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", port))
sock.listen(1024)
if port == 0:
    print("listening on 127.0.0.1:%d" % sock.getsockname()[1], file=sys.stderr, flush=True)
if sock.fileno() == 3:
    os.set_inheritable(3, True)
else:
    os.dup2(sock.fileno(), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execvp("nsenter", ["nsenter", "--net=" + netns, "--"] + command)
