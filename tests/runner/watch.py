# SPDX-License-Identifier: Apache-2.0
"""Runs one entry and ends what hangs.

A limit is counted on a quiet clock: a second in which three processes want each processor counts as a third. On top of that
all limits grow with the slowness of the machine, so that a busy or slow machine ends nothing that goes on.
"""
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time

from entries import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import waiting  # noqa: E402

COUNTED = [sys.executable, "-IS", os.path.join(ROOT, "tests/lib/counted.py")]
LOOK_S = 2
GRACE_S = 60  # between the interrupt, on which a script takes down what it started, and the kill
RUNNING = set()


def measure_slowness():
    """Returns how many times longer than the reference this machine takes; the tests bound their waits by the same figure."""
    slowness = waiting.measure()
    print(f"machine: limits times {slowness:.1f}", flush=True)
    return slowness


class QuietClock:
    """Seconds since its start, each divided by the number of processes that want a processor then."""
    def __init__(self):
        self.quiet_s, self.last = 0.0, time.monotonic()

    def look(self):
        now = time.monotonic()
        self.quiet_s += (now - self.last) / max(1, os.getloadavg()[0] / (os.cpu_count() or 1))
        self.last = now
        return self.quiet_s


def run(entry, env, limit_s):
    """(output, status, processor seconds, seconds) of an entry's command; status 124 if it was ended at its limit."""
    report, told = os.pipe()
    start = time.monotonic()
    with open(report, encoding="ascii") as answer, tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen([*COUNTED, str(told), *entry.argv], cwd=ROOT, env=dict(os.environ, **env, **entry.env),
                                       stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                       pass_fds=[told])
        finally:
            os.close(told)
        RUNNING.add(process)
        status = wait(process, limit_s)
        RUNNING.discard(process)
        output.seek(0)
        text = output.read().decode(errors="replace")
        if status == 124:
            text += f"\nended at its limit of {limit_s:.0f} quiet seconds\n"
        return text, status, float(answer.read() or 0), time.monotonic() - start


def wait(process, limit_s):
    clock = QuietClock()
    while clock.look() < limit_s:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_S)
    for signal_number, grace_s in ((signal.SIGINT, GRACE_S), (signal.SIGKILL, GRACE_S)):
        send(process, signal_number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
            break
    return 124


def send(process, signal_number):
    """To a script and to all that it waits for: it leads a group of processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal_number)
