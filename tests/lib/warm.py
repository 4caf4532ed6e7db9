# SPDX-License-Identifier: Apache-2.0
"""A Python process with imports done: importing takes most of the time of `openstack`, `aws` or an Ansible module, hundreds
of times in these tests. One process imports their modules and forks for each command. The child runs the stock command with
its own arguments, environment, directory, files and exit status.

    run(["/usr/bin/openstack", "server", "list"], env=…)   like subprocess.run(…, capture_output=True, text=True)
    command(path, "/usr/bin/aws", env)                     creates a program at that path that runs it, for scripts
    interpreter(path, first, env)                          creates a program at that path that replaces /usr/bin/python3, or another
                                                           `python`; first: a script that imports the modules
"""
import atexit
import contextlib
import ctypes
import gc
import importlib
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
FIRST = {  # commands that are run first for their imports: they need no server
    "/usr/bin/aws": ["--version"],
    "/usr/bin/openstack": ["server", "list", "--help"],
    "/usr/bin/az": ["vm", "create", "--help"],
}
THEN = {"/usr/bin/openstack": ["novaclient.v2.client", "cinderclient.v3.client", "cinderclient.v3.contrib.list_extensions",
                               "openstack.connection", "openstack.image.image_signer"],
        "/usr/bin/az": ["azure.cli.command_modules.resource.custom", "azure.cli.command_modules.identity.custom", "azure.cli.core.auth.identity",
                        "azure.cli.core.auth.msal_authentication", "azure.cli.core.auth.persistence", "azure.cli.core.aaz._client",
                        "azure.mgmt.resource.resources.v2021_04_01.operations", "azure.mgmt.resource.subscriptions.v2019_11_01.operations",
                        "azure.mgmt.compute", "azure.mgmt.network", "azure.mgmt.msi.v2018_11_30.operations"]}  # further imports that these commands do not cause
HANG_S = 2400  # a bound against hanging; waiting.py cannot be imported, because this program runs isolated (-I)
SERVERS = {}  # (stock command, az's directory) → address of the process that runs it


# ---- client side

def run(argv, env, cwd=None):
    """Runs a command in FIRST."""
    server = argv[0], env.get("AZURE_CONFIG_DIR")  # az reads this directory's name when it is imported
    if server not in SERVERS:
        SERVERS[server] = start([argv[0], *FIRST[argv[0]]], env)
    with open(os.devnull, "rb") as nothing, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = call(SERVERS[server], argv, env, cwd or os.getcwd(), [f.fileno() for f in (nothing, out, err)])
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(argv, status, out.read().decode(), err.read().decode())


def interpreter(path, first, env, python=PYTHON):
    line = shlex.join([PYTHON, "-IS", os.path.abspath(__file__), "call", start([first], env, python)])
    with open(path, "w", encoding="utf-8") as program:
        program.write(f'#!/bin/sh\nexec {line} "$@"\n')
    os.chmod(path, 0o755)


def command(path, stock, env):
    """Creates a program at that path that runs a command in FIRST."""
    with open(path, "w", encoding="utf-8") as program:
        program.write(f'#!/bin/sh\nexec {shlex.join([PYTHON, "-IS", os.path.abspath(__file__), "call", start([stock, *FIRST[stock]], env), stock])} "$@"\n')
    os.chmod(path, 0o755)


def start(first, env=None, python=PYTHON):
    """Starts a server process; returns its address in Linux's abstract namespace, which needs no file."""
    process = subprocess.Popen([python, os.path.abspath(__file__), "serve", *first], env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    return process.stdout.readline().strip()


def call(address, argv, env, cwd, files):
    """Exit status; all output is written by then."""
    request = json.dumps([argv, env, cwd]).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(HANG_S)
        server.connect("\0" + address)
        socket.send_fds(server, [struct.pack("I", len(request))], files)
        server.sendall(request)
        status = server.recv(1)
        server.recv(1)  # until the process has ended
        return status[0] if status else 255


# ---- server side

def serve(first):
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: ends with its test
    sys.path.pop(0)  # remove this directory: the command must not find the tests' modules
    before = set(os.environ)
    with silence():
        execute(first)
    for name in THEN.get(first[0], []):
        importlib.import_module(name)
    for logger in (logging.root, *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict))):
        logger.handlers.clear()  # each command sets its own up
    gc.freeze()  # garbage collection in a command must not copy the pages of loaded modules
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0warm-python-{os.getpid()}")
        listener.listen()
        print(f"warm-python-{os.getpid()}", flush=True)
        signal.signal(signal.SIGCHLD, reap)
        told = {k: v for k, v in os.environ.items() if k not in before}  # variables that modules set for themselves, as awscli does
        while True:
            asked, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                become(asked, told)
                return
            asked.close()


def reap(*_):
    """Waits for ended commands: the kernel then counts their processor time as this process's (counted.py)."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@contextlib.contextmanager
def silence():
    """Redirects file 1 to /dev/null and keeps sys.stdout, because knack stores that object when it is imported."""
    kept = os.dup(1)
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def become(asked, told):
    """Becomes the requested command, as if this process had been started for it."""
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
    """Runs a script, or the program on standard input; returns its exit status."""
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
