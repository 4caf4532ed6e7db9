# SPDX-License-Identifier: Apache-2.0
"""A Python whose imports are done: loading itself is most of what `openstack`, `aws` or a module of Ansible takes, hundreds
of times in these tests. One process loads what they will want and forks for each command, which is then the stock one, with
its own arguments, environment, directory, files and exit status.

    run(["/usr/bin/openstack", "server", "list"], env=…)   as subprocess.run(…, capture_output=True, text=True)
    interpreter(path, first, env)                          a program at that path that stands for /usr/bin/python3; first: a script that
                                                           imports what is wanted
"""
import atexit
import contextlib
import ctypes
import importlib
import io
import json
import logging
import os
import runpy
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile

PYTHON = "/usr/bin/python3"
FIRST = {  # what is run before any, for what it loads: neither asks a server
    "/usr/bin/aws": ["--version"],
    "/usr/bin/openstack": ["server", "list", "--help"],
}
THEN = {"/usr/bin/openstack": ["novaclient.v2.client", "cinderclient.v3.client", "cinderclient.v3.contrib.list_extensions",
                               "openstack.connection", "openstack.image.image_signer"]}  # and imported, as what was run did not
HANG_S = 2400  # a bound against hanging; waiting.py is out of reach: this program runs isolated (-I)
SERVERS = {}  # stock command → address of the process that runs it


# ---- who asks

def run(argv, env, cwd=None):
    """Of a command in FIRST."""
    if argv[0] not in SERVERS:
        SERVERS[argv[0]] = start([argv[0], *FIRST[argv[0]]])
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = call(SERVERS[argv[0]], argv, env, cwd or os.getcwd(), [f.fileno() for f in (nothing, out, err)])
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(argv, status, out.read().decode(), err.read().decode())


def interpreter(path, first, env):
    line = shlex.join([PYTHON, "-IS", os.path.abspath(__file__), "call", start([first], env)])
    with open(path, "w", encoding="utf-8") as program:
        program.write(f'#!/bin/sh\nexec {line} "$@"\n')
    os.chmod(path, 0o755)


def start(first, env=None):
    """Its address, in Linux' abstract names: nothing is left behind."""
    process = subprocess.Popen([PYTHON, os.path.abspath(__file__), "serve", *first], env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    return process.stdout.readline().strip()


def call(address, argv, env, cwd, files):
    """The exit status; all is written by then."""
    request = json.dumps([argv, env, cwd]).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(HANG_S)
        server.connect("\0" + address)
        socket.send_fds(server, [struct.pack("I", len(request))], files)
        server.sendall(request)
        status = server.recv(1)
        server.recv(1)  # until its process has ended
        return status[0] if status else 255


# ---- who runs it

def serve(first):
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a test that is killed takes it along
    sys.path.pop(0)  # ours: what runs here is not to find our modules
    before = set(os.environ)
    with contextlib.redirect_stdout(io.StringIO()):
        execute(first)
    for name in THEN.get(first[0], []):
        importlib.import_module(name)
    logging.root.handlers.clear()  # what it set up is set up again by each
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0warm-python-{os.getpid()}")
        listener.listen()
        print(f"warm-python-{os.getpid()}", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
        told = {k: v for k, v in os.environ.items() if k not in before}  # what modules tell themselves, as awscli does
        while True:
            asked, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                become(asked, told)
                return
            asked.close()


def become(asked, told):
    """What was asked for, as if this process had been started for it."""
    size, files, _, _ = socket.recv_fds(asked, 4, 3)
    with asked.makefile("rb") as request:
        argv, env, cwd = json.loads(request.read(*struct.unpack("I", size)))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update({**env, **told})
    os.chdir(cwd)
    status = execute(argv)
    sys.stdout.flush()
    sys.stderr.flush()
    asked.sendall(bytes([status & 255]))


def execute(argv):
    """A script, or what stands at standard input; its exit status."""
    sys.argv = argv or ["-"]
    try:
        if argv:
            runpy.run_path(argv[0], run_name="__main__")
        else:
            exec(compile(sys.stdin.read(), "<stdin>", "exec"), vars(sys.modules["__main__"]))  # as the interpreter does
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2:])
    else:
        sys.exit(call(sys.argv[2], sys.argv[3:], dict(os.environ), os.getcwd(), [0, 1, 2]))
