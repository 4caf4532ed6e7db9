# SPDX-License-Identifier: Apache-2.0
"""Forms in which a request may come, and answers do (tests/contract/cross/protocol.py). Each module adapts one face:

name, actions   as the adapters of tests/lib/faces/ have them
make()          makes a region and who asks there
cases           {kind of question: what it is asked about}; each kind is a method (place, what) that asserts, or returns what is wrong"""
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
