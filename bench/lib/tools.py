# SPDX-License-Identifier: Apache-2.0
"""Shared by the benchmarks: runs programs, reads their NAME=VALUE lines, measures processes, prints figures."""
import contextlib
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = "Version=2016-11-15"


def say(*words):
    print("#", *words, file=sys.stderr, flush=True)


def number(value):
    if value is None:
        return "-"
    return f"{value:.{0 if value >= 1000 else 1 if value >= 10 else 2}f}"


class Figures:
    """Prints figures on standard output, and remembers their names."""

    def __init__(self):
        self.names = []

    def __call__(self, name, ours, peer=None):
        ratio = f"{ours / peer:.2f}" if peer else "-"
        self.print(name, number(ours), number(peer), ratio)

    def sizes(self, words, sizes, figures):
        """A table: a line "# words sizes", then a line for each name of `figures`, which has its value for each size."""
        print("#", words, *sizes, flush=True)
        for name, values in figures.items():
            self.print(name, *map(number, values))

    def print(self, name, *values):
        self.names.append(name)
        print(name, *values, flush=True)


def run(*argv, env=None, timeout=120):
    """Runs the command and returns its output. RuntimeError has the output of a failure."""
    done = subprocess.run(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)
    if done.returncode:
        words = done.stdout[-2000:] + done.stderr[-2000:]
        raise RuntimeError(f"{' '.join(argv[:3])} …: status {done.returncode}\n{words}")
    return done.stdout


def pairs(line):
    return dict(word.split("=", 1) for word in line.split())


class Target:
    """A server, and the key or token to call it with."""

    def __init__(self, build, host, key="", secret="", token=""):
        self.build, self.host, self.key, self.secret, self.token = build, host, key, secret, token

    def arguments(self):
        return [f"host={self.host}", f"key={self.key}", f"secret={self.secret}", f"token={self.token}"]

    def program(self, name, *arguments, timeout=120):
        """Runs one of bench/'s programs; returns its lines as dictionaries."""
        output = run(f"{self.build}/bench/bench_{name}", *self.arguments(), *arguments, timeout=timeout)
        return [pairs(line) for line in output.splitlines()]

    def ask(self, form):
        return run(f"{self.build}/bench/bench_ask", *self.arguments(), f"form={form}&{VERSION}")

    def load(self, form, run_ms):
        return self.program("load", f"form={form}&{VERSION}", "clients=64", f"run_ms={run_ms}")[0]


@contextlib.contextmanager
def process(argv, env=None, **more):
    """Starts a process, and ends it by its pid when the block is left."""
    child = subprocess.Popen(argv, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, **more)
    try:
        yield child
    finally:
        end(child)


def end(child, limit_s=20):
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(limit_s)
        except subprocess.TimeoutExpired:
            say(f"{child.args[0]} did not end in {limit_s} s")
            child.kill()
            child.wait()
    if child.stdout:
        child.stdout.close()


def cpu_s(pid):
    """User and system time so far, of all threads and in nanoseconds: /proc/PID/stat counts ticks of 10 ms, and a short measurement can fall between two. The
    id of another process's clock is computed as in glibc's clock_getcpuclockid()."""
    return time.clock_gettime(~pid << 3 | 2)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


def cpu_percent(pid, seconds):
    before = cpu_s(pid)
    time.sleep(seconds)
    return (cpu_s(pid) - before) / seconds * 100


def wait_quiet(pid, limit_s):
    """Waits until the process is nearly idle; returns the seconds waited."""
    since = time.monotonic()
    while cpu_percent(pid, 0.4) > 5:
        if time.monotonic() - since > limit_s:
            say(f"process {pid} is still busy after {limit_s} s")
            break
    return time.monotonic() - since


def wait_until(holds, limit_s, words, pause_s=0.1):
    since = time.monotonic()
    while not holds():
        if time.monotonic() - since > limit_s:
            raise TimeoutError(f"not within {limit_s} s: {words}")
        time.sleep(pause_s)
