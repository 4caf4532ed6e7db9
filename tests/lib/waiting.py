#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Waiting that is bounded by progress, not by seconds.

A limit in seconds fails on a busy or slow machine, although nothing is wrong. These functions look at the processes under
test instead: the processor time that they spend, whether they want a processor, and the state that the test can see. They
give up only if nothing changes for many looks, or if much processor time brings no change.

    wait_until(holds, words)      polls until holds() is true and returns its value; raises Stalled
    soon(holds)                   the same; returns False instead of raising
    found(what)                   the same for a value that may not exist yet
    run(argv, ...)                subprocess.run() that kills a command which makes no progress
    HANG_S                        a bound against hanging for APIs that require seconds; no result depends on it

    tests/lib/waiting.py budget PID...   for scripts (steps.sh): ends once nothing progresses; without PIDs nothing is watched

Watched are the regions and servers that called watch(); without any, all descendants of this process. A watched object has
watched() (process ids; their descendants count as well), and may have progress() (any value; a different one is a change) and
has_ended() (a message if no wait can succeed any more).

DARI_TEST_SLOWNESS scales all budgets: 1 is a machine that starts a process in 1 ms. tests/run sets it once a run.
"""
import contextlib
import glob
import os
import re
import signal
import statistics
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")
EVERY_S, SAMPLE_S = 0.1, 0.5  # seconds between polls, and between samples of the processes
QUIET_LOOKS = 300    # looks without a change, if the processes are idle; see weigh()
LONGEST_LOOK = 20    # maximum weight of a condition that takes long to evaluate, in looks
CHANGING_LOOKS = 20  # factor of the budget if something always changes but the condition never holds
CPU_S = 600          # processor seconds without a change; a guest's boot takes four
IDLE_SHARE = 0.1     # of one processor: about the use of a sandbox with idle guests
START_S, COMPUTE_S = 0.001, 0.006  # results of measure() on the reference machine
MOST_SLOW = 4
WATCHED = []


class Stalled(TimeoutError):
    """Nothing progresses any more, and the condition is still false."""


def measure():
    """How many times slower than the reference this machine starts processes or computes, whichever is worse."""
    starts = [timed(lambda: subprocess.run(["/bin/true"], check=True)) for _ in range(15)]
    computed = [timed(lambda: sum(range(300000))) for _ in range(5)]
    found = max(statistics.median(starts) / START_S, statistics.median(computed) / COMPUTE_S)
    return round(min(max(found, 1), MOST_SLOW), 2)


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def slowness():
    """Slowness factor, measured once a run: the environment passes it to every process of the run."""
    if "DARI_TEST_SLOWNESS" not in os.environ:
        os.environ["DARI_TEST_SLOWNESS"] = str(measure())
    return float(os.environ["DARI_TEST_SLOWNESS"])


HANG_S = round(600 * slowness())


# ---- watched objects

def watch(thing):
    WATCHED.append(thing)
    return thing


def unwatch(thing):
    if thing in WATCHED:
        WATCHED.remove(thing)


def pids_of(thing):
    if isinstance(thing, int):
        return [thing]
    return thing.watched() if hasattr(thing, "watched") else [thing.pid]


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:  # the process has ended meanwhile
        return ""


def descendants(pids):
    """These processes and all their descendants."""
    found, next_ones = set(), list(pids)
    while next_ones:
        pid = next_ones.pop()
        if pid in found:
            continue
        found.add(pid)
        for task in tasks(pid):
            next_ones += map(int, read(f"/proc/{pid}/task/{task}/children").split())
    return found


def tasks(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def wants(pid):
    """True if a thread of the process runs, or wants a processor."""
    return any(fields(read(f"/proc/{pid}/task/{task}/stat"))[:1] == ["R"] for task in tasks(pid))


def open_files(pid):
    """{path of an open file: its place below /proc}. The process goes on, and may close a file before it is read here."""
    found = {}
    for place in [f"/proc/{pid}/fd/{number}" for number in os.listdir(f"/proc/{pid}/fd")]:
        with contextlib.suppress(FileNotFoundError):
            found[os.readlink(place)] = place
    return found


def newest_change(folder):
    """When a file of the folder was last written, in nanoseconds; 0: never. The folder's owner may remove files meanwhile."""
    newest = 0
    for entry in os.scandir(folder):
        with contextlib.suppress(FileNotFoundError):
            newest = max(newest, entry.stat().st_mtime_ns)
    return newest


def waiting_for_locks():
    """The processes that wait for a lock on a file: "3: -> FLOCK  ADVISORY  WRITE 4711 …" of proc(5)."""
    return {int(pid) for pid in re.findall(r"^\d+: -> \S+ +\S+ +\S+ +(\d+)", read("/proc/locks"), re.MULTILINE)}


def fields(text):
    """Fields of a stat file from the state on; parsed from the end because a program's name may contain anything."""
    return text.rpartition(")")[2].split()


def read_pids(paths):
    return [int(pid) for pid in (read(path).strip() for path in paths) if pid.isdigit()]


class Nodes:
    """The machines of a sandbox (tools/sandbox), to be watched. Their daemons and guests are no descendants of the test."""

    def __init__(self, folder):
        self.folder = folder

    def watched(self):
        """The first process of each, ancestor of its daemons and guests."""
        return read_pids(glob.glob(f"{self.folder}/*/init.pid"))

    def progress(self):
        """The sizes of the guests' console logs."""
        return sorted((path, size_of(path)) for path in glob.glob(f"{self.folder}/*/lib/libvirt/images/console/*"))


def size_of(path):
    try:
        return os.path.getsize(path)
    except OSError:  # its guest has ended meanwhile
        return 0


class Watch:
    """The budget of one wait. command: a started program that ends by itself. As long as it computes, or waits for a file's lock, it is bounded by
    processor time alone: building a disk image shows nothing for minutes."""

    def __init__(self, of=(), shows=None, command=None):
        self.of = list(of)
        self.command = command
        self.shows = shows
        self.quiet = self.looks = 0
        self.cpu_s = self.all_cpu_s = 0.0
        self.state, self.ticks, self.sampled = None, None, 0.0

    def things(self):
        return self.of or WATCHED

    def pids(self):
        if self.things():
            return descendants(pid for thing in self.things() for pid in pids_of(thing))
        return descendants([os.getpid()]) - {os.getpid()}

    def spend(self, pids):
        """Processor seconds of each since the last look, by pid."""
        ticks = {}
        for pid in pids:
            said = fields(read(f"/proc/{pid}/stat"))
            if len(said) > 14:
                ticks[pid] = sum(map(int, said[11:15]))  # its own time, and that of children that it has waited for
        before, self.ticks = self.ticks, ticks
        return {pid: max(0, now - before.get(pid, 0)) / TICKS if before else 0.0 for pid, now in ticks.items()}

    def is_at_work(self, spent, since_s):
        """True if the command computes, wants to, or waits for a lock that another run holds."""
        own = descendants([self.command.pid]) if self.command else set()
        return sum(spent.get(pid, 0) for pid in own) / since_s >= IDLE_SHARE or any(map(wants, own)) or bool(own & waiting_for_locks())

    def observe(self):
        shown = [thing.progress() for thing in self.things() if hasattr(thing, "progress")]
        return repr((shown, self.shows() if self.shows else None))

    def look(self):
        """Takes a sample, if one is due; raises Stalled if the budget is used up."""
        now = time.monotonic()
        if now - self.sampled < SAMPLE_S:
            return
        since_s, self.sampled = now - self.sampled, now
        pids = self.pids()
        by_pid = self.spend(pids)
        spent = sum(by_pid.values())
        self.all_cpu_s += spent
        state = self.observe()
        if state != self.state:
            self.looks += 1
            self.state, self.quiet, self.cpu_s = state, 0, 0.0
        else:
            self.cpu_s += spent
            if not self.is_at_work(by_pid, since_s):
                self.looks += 1
                self.quiet += weigh(spent / since_s, any(map(wants, pids))) * min(since_s / SAMPLE_S, LONGEST_LOOK)
        why = self.used_up()
        if why:
            raise Stalled(why)

    def used_up(self):
        ended = [thing.has_ended() for thing in self.things() if hasattr(thing, "has_ended")]
        factor = slowness()
        if any(ended):
            return next(words for words in ended if words)
        if self.quiet >= QUIET_LOOKS * factor:
            return f"nothing changed in {self.quiet:.0f} looks, {self.cpu_s:.1f} s of processors"
        if self.cpu_s >= CPU_S * factor:
            return f"{self.cpu_s:.0f} s of processors changed nothing"
        if self.looks >= CHANGING_LOOKS * QUIET_LOOKS * factor:
            return f"it changed all the while, {self.looks} looks and {self.all_cpu_s:.0f} s of processors long"
        return ""


def weigh(share, wants):
    """Weight of a look without a change. A process that waits for a processor is delayed by others, so its looks count little. One that computes may
    be about to finish. An idle one waits for something that may never come."""
    return 0.25 if wants else 0.5 if share >= IDLE_SHARE else 1


# ---- waiting

def wait_until(holds, words, of=(), shows=None, every_s=EVERY_S):
    """Returns the value of holds() once it is true. of: objects to watch instead of those of watch(); shows: returns a visible sign of progress, such
    as a size, a state or a count."""
    budget = Watch(of if isinstance(of, (list, tuple)) else [of], shows)
    while not (value := holds()):
        try:
            budget.look()
        except Stalled as why:
            if value := holds():  # one last time: the end of the process may have made it true
                return value
            raise Stalled(f"not within its budget: {words}: {why}" + (f"; last seen: {shows()}" if shows else "")) from None
        time.sleep(every_s)
    return value


def soon(holds, of=(), shows=None, every_s=EVERY_S):
    """True if the condition becomes true, False if nothing progresses any more."""
    try:
        wait_until(holds, "", of, shows, every_s)
        return True
    except Stalled:
        return False


def found(what, words=""):
    """Returns the value of what() once it is true. An IndexError or a KeyError means that it does not exist yet."""
    def look():
        try:
            return what()
        except (IndexError, KeyError):
            return None
    return wait_until(look, words or "what the test looks for")


def run(argv, input=None, check=False, of=(), shows=None, capture_output=False, **how):  # pylint: disable=redefined-builtin
    """subprocess.run() without a time limit: kills a command if neither it nor the watched objects make progress. shows: as in wait_until()."""
    if capture_output:
        how.update(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if input is not None:
        how["stdin"] = subprocess.PIPE
    with subprocess.Popen(argv, **how) as process:
        budget = Watch([process, *(of or WATCHED)], shows, command=process)
        while True:
            try:
                out, err = process.communicate(input, timeout=SAMPLE_S)
                break
            except subprocess.TimeoutExpired:
                input = None
                if process.poll() is None:
                    look_at(process, budget)
            except BaseException:
                process.kill()
                raise
        done = subprocess.CompletedProcess(argv, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def look_at(process, budget):
    try:
        budget.look()
    except Stalled as why:
        for pid in descendants([process.pid]):  # a surviving child would keep the output open
            kill(pid)
        out, err = process.communicate()
        raise Stalled(f"not within its budget: {process.args}: {why}\n{out or ''}{err or ''}") from None


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def communicate(process, input=None):  # pylint: disable=redefined-builtin
    """Output of a started process until its end; bounded by progress, as above."""
    budget = Watch([process, *WATCHED], command=process)
    while True:
        try:
            return process.communicate(input, timeout=SAMPLE_S)
        except subprocess.TimeoutExpired:
            input = None
            look_at(process, budget)


def main():
    if sys.argv[1:2] != ["budget"]:
        sys.exit(__doc__)
    try:
        wait_until(lambda: False, "what the script waits for", [int(pid) for pid in sys.argv[2:]])
    except Stalled as why:
        sys.exit(str(why))


if __name__ == "__main__":
    main()
