#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names and ports of this clone's test runs, so that runs in two clones do not meet.

A name outside of the clone carries the clone's tag (tools/clone-tag). A port is reserved for as long as a process lives: a
port that was only probed may be taken by the time that the server listens, half a minute later.

    eval "$(tests/lib/clone.py sandbox NAME $$)"    in a shell script: exports the variables of tools/sandbox and tools/demo
    port=$(tests/lib/clone.py port $$)
"""
import fcntl
import functools
import os
import random
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORTS = range(20000, 30000)  # below the kernel's range for outgoing connections
# All clones share this folder on purpose: the file of a port names the process that reserved it.
RESERVED = next((path for path in ("/run/lock", "/dev/shm") if os.access(path, os.W_OK)), tempfile.gettempdir())


@functools.cache
def tag():
    return subprocess.run([os.path.join(ROOT, "tools/clone-tag")], check=True, capture_output=True, text=True).stdout.strip()


def folder(name, kind="dari"):
    """A path that only this clone uses. It is short, because the path of a socket below it has at most 108 bytes."""
    return f"/tmp/{kind}-{tag()}-{name}"


def sandbox(name, pid=None):
    """Environment of a sandbox and of a demo in it: state folder, prefix of the network namespaces, the demo's folder and port. The limits in seconds
    of sandbox and demo are meant for interactive use; tests watch for progress instead (waiting.py)."""
    demo = folder(name)
    return {"DARI_SANDBOX_PATIENCE": "20", "DARI_SANDBOX": folder(name, "ds"), "DARI_SANDBOX_PREFIX": f"d{tag()}-{name}-", "DARI_DEMO": demo,
            "DARI_DEMO_PORT": str(reserve_ports(pid=pid)), "DARI_CONFIG": f"{demo}/dari.yaml"}


def reserve_ports(count=1, pid=None):
    """Reserves `count` consecutive free ports and returns the first. They stay reserved until process `pid` (default: this one) ends."""
    while True:
        first = random.randrange(PORTS.start, PORTS.stop - count)
        if all(reserve(port, pid or os.getpid()) for port in range(first, first + count)):
            return first


def reserve(port, pid):
    try:
        fd = os.open(f"{RESERVED}/dari-port-{port}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except PermissionError:  # another user's process
        return False
    with os.fdopen(fd, "r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        owner = file.read().strip()
        if owner and os.path.exists(f"/proc/{owner}") or not is_free(port):
            return False
        file.seek(0)
        file.truncate()
        file.write(str(pid))
        return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def main(what, *words):
    if what == "sandbox":
        print("\n".join(f"export {key}={value}" for key, value in sandbox(words[0], int(words[1])).items()))
    elif what == "port":
        print(reserve_ports(pid=int(words[0])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
