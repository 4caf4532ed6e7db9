# SPDX-License-Identifier: Apache-2.0
"""Formats of requests and answers (tests/contract/cross/protocol.py). Each module adapts one face:

name, actions   as in the adapters of tests/lib/faces/
make()          creates a region and its callers
cases           {kind of request: names}; each kind is a method (place, name) that asserts, or returns complaints"""
import socket

from waiting import HANG_S


def send(dev, text, more=b""):
    """Sends bytes; returns the head of the answer."""
    with socket.create_connection(("127.0.0.1", dev.port), HANG_S) as s:
        s.sendall(text.encode() + more)
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = s.recv(65536)
            if not part:
                break
            answer += part
        return answer.decode(errors="replace")
