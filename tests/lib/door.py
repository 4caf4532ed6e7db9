# SPDX-License-Identifier: Apache-2.0
"""A region's API in another network namespace, for programs that must run where guests' addresses are reachable."""
import ctypes
import socket
import socketserver
import threading

CLONE_NEWNET = 0x40000000


class Door(socketserver.ThreadingTCPServer):
    """Forwards connections to the API's port from another network namespace."""
    daemon_threads = allow_reuse_address = True

    def __init__(self, netns, port):
        self.port, ready = port, threading.Thread(target=self.open, args=(netns,))
        ready.start()
        ready.join()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def open(self, netns):
        """Sockets belong to the namespace of the thread that opened them; this thread enters the namespace and ends."""
        with open(netns, "rb") as there:
            if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), netns)
        super().__init__(("127.0.0.1", self.port), None)

    def finish_request(self, request, client_address):
        with socket.create_connection(("127.0.0.1", self.port)) as api:
            back = threading.Thread(target=carry, args=(api, request), daemon=True)
            back.start()
            carry(request, api)
            back.join()


def carry(come, go):
    """Copies until one side closes."""
    try:
        while piece := come.recv(65536):
            go.sendall(piece)
        go.shutdown(socket.SHUT_WR)
    except OSError:
        pass
