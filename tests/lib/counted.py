# SPDX-License-Identifier: Apache-2.0
"""Runs a command, exits with its status, and writes to a file descriptor the processor seconds used by the command and its
descendants. Daemons that left the command become children of this process, so their time is counted when they end.

    python3 -IS counted.py DESCRIPTOR COMMAND...
"""
import ctypes
import os
import resource
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main():
    report, argv = int(sys.argv[1]), sys.argv[2:]
    os.set_inheritable(report, False)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # SIGINT ends the command; this process waits for it
    command = os.fork()
    if command == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            os.execv(argv[0], argv)
        except OSError as error:
            os.write(2, f"{argv[0]}: {error}\n".encode())
            os._exit(127)
    status = None
    while status is None:
        ended, how = os.wait()
        status = how if ended == command else None
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.write(report, f"{used.ru_utime + used.ru_stime:.3f}".encode())
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


main()
