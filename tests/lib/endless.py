# SPDX-License-Identifier: Apache-2.0
"""A download that never ends."""
import socketserver
import threading
import time

from dev import WEB_ADDRESS


class Zeros(socketserver.BaseRequestHandler):
    """Sends fast enough that the client does not give up."""

    def handle(self):
        try:
            self.request.recv(4096)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            while True:
                self.request.sendall(bytes(4096))
                time.sleep(0.5)
        except OSError:
            pass


class Endless(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__((WEB_ADDRESS, 0), Zeros)
        self.url = "http://%s:%d/disk" % self.server_address
        threading.Thread(target=self.serve_forever, daemon=True).start()
