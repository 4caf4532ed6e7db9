#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
"""The waiting library gives up only for lack of progress, and names of runs contain their clone's tag."""
import fcntl
import os
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import clone  # noqa: E402
import waiting  # noqa: E402

IDLE = ["sleep", "1000"]
BUSY = [sys.executable, "-c", "while True: pass"]


@pytest.fixture(autouse=True)
def small_budgets(monkeypatch):
    for name, value in {"QUIET_LOOKS": 8, "CHANGING_LOOKS": 5, "CPU_S": 0.3, "SAMPLE_S": 0.01, "LONGEST_LOOK": 1}.items():
        monkeypatch.setattr(waiting, name, value)
    monkeypatch.setenv("DARI_TEST_SLOWNESS", "1")
    monkeypatch.setattr(waiting, "WATCHED", [])


@pytest.fixture
def patience(monkeypatch):
    """Undoes the small budget of idle looks. Tests of what must end by itself use it: a busy machine may take longer than
    eight looks to start a program."""
    monkeypatch.setattr(waiting, "QUIET_LOOKS", 10**6)


@pytest.fixture
def start():
    started = []

    def call(argv):
        started.append(subprocess.Popen(argv))
        return started[-1]
    yield call
    for process in started:
        process.kill()
        process.wait()


def test_what_holds_is_returned(start):
    looks = iter([0, "", None, "there"])
    assert waiting.wait_until(lambda: next(looks), "it", of=start(IDLE), every_s=0) == "there"


def test_idle_processes_end_the_wait(start):
    with pytest.raises(waiting.Stalled, match="not within its budget: the moon: nothing changed in 8 looks"):
        waiting.wait_until(lambda: False, "the moon", of=start(IDLE), every_s=0.001)
    assert not waiting.soon(lambda: False, of=start(IDLE), every_s=0.001)


def test_a_change_renews_the_budget(start):
    """Thirty looks exceed a budget of eight looks without a change."""
    polls = []

    def holds():
        polls.append(1)
        return len(polls) == 30
    waiting.wait_until(holds, "the last", of=start(IDLE), shows=lambda: len(polls) // 4, every_s=0.011)


def test_changes_without_an_end_end_the_wait(start):
    count = iter(range(10**6))
    with pytest.raises(waiting.Stalled, match="it changed all the while"):
        waiting.wait_until(lambda: False, "an end", of=start(IDLE), shows=lambda: next(count), every_s=0.001)


@pytest.mark.usefixtures("patience")
def test_processor_time_ends_the_wait(start):
    with pytest.raises(waiting.Stalled, match="s of processors changed nothing"):
        waiting.wait_until(lambda: False, "a result", of=start(BUSY), every_s=0.001)


def test_who_waits_for_a_processor_has_more_looks():
    assert waiting.weigh(0, wants=True) < waiting.weigh(0.5, wants=False) < waiting.weigh(0, wants=False)


@pytest.mark.usefixtures("patience")
def test_descendants_are_watched(start):
    shell = start(["sh", "-c", "sleep 1000 & wait"])
    waiting.wait_until(lambda: len(waiting.descendants([shell.pid])) == 2, "the shell's child", of=shell, every_s=0.001)
    for pid in waiting.descendants([shell.pid]) - {shell.pid}:
        waiting.kill(pid)


def test_an_end_is_told_at_once(start):
    class Ended:
        pid = start(["true"]).pid

        def has_ended(self):
            return "the server has ended"
    with pytest.raises(waiting.Stalled, match="the server has ended"):
        waiting.wait_until(lambda: False, "an answer", of=Ended())


@pytest.mark.usefixtures("patience")
def test_commands_that_end_are_waited_for():
    done = waiting.run(["sh", "-c", "cat; echo $0", "end"], input="begin ", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "begin end\n")
    with pytest.raises(subprocess.CalledProcessError):
        waiting.run(["false"], check=True)


def test_commands_are_bounded_too(monkeypatch):
    monkeypatch.setattr(waiting, "QUIET_LOOKS", 200)  # the shell speaks within 2 s
    with pytest.raises(waiting.Stalled, match="heard"):  # its child keeps the output open
        waiting.run(["sh", "-c", "echo heard; sleep 1000; true"], stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("patience")
def test_a_command_that_computes_is_bounded_by_processor_time(monkeypatch):
    with pytest.raises(waiting.Stalled, match="s of processors changed nothing"):
        waiting.run(BUSY)
    monkeypatch.setattr(waiting, "CPU_S", 10**6)
    waiting.run([sys.executable, "-c", "import time\nwhile time.process_time() < 1: pass"], check=True)


def test_a_command_may_wait_for_a_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(waiting, "QUIET_LOOKS", 200)  # the command starts within 2 s, and then waits for longer
    path = tmp_path / "lock"
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(3, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        waiting.run(["flock", path, "true"], check=True)


SCRIPT = """
. tests/lib/steps.sh
echo 0 >$1/tries
third() { echo $(($(cat $1/tries) + 1)) >$1/tries; [ $(cat $1/tries) = 3 ]; }
step "the third time" soon third $1
step "never" soon false
end_steps
"""


def test_scripts_wait_as_well(tmp_path):
    """A used-up budget ends the wait; for processes that have ended, looks alone use it up."""
    tool = tmp_path / "tests/lib"
    tool.mkdir(parents=True)
    subprocess.run(["cp", os.path.join(clone.ROOT, "tests/lib/steps.sh"), tool], check=True)
    (tool / "waiting.py").write_text("#!/bin/sh\nsleep 2\n")
    (tool / "waiting.py").chmod(0o755)
    done = subprocess.run(["bash", "-c", SCRIPT, "bash", tmp_path], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "ok - the third time\nnot ok - never\n1 passed, 1 failed\n" and done.returncode == 1
    program = os.path.join(clone.ROOT, "tests/lib/waiting.py")
    code = f"import sys; sys.path.insert(0, {os.path.dirname(program)!r}); import waiting; waiting.QUIET_LOOKS = 2; waiting.SAMPLE_S = 0.01; waiting.main()"
    told = subprocess.run([sys.executable, "-c", code, "budget"], capture_output=True, text=True, check=False)
    assert told.returncode == 1 and "not within its budget" in told.stderr


def test_names_are_those_of_the_clone(tmp_path):
    """The same tool in another clone has another tag; paths of sockets stay short."""
    tags = []
    for name in ("one", "two"):
        (tmp_path / name / "tools").mkdir(parents=True)
        subprocess.run(["cp", os.path.join(clone.ROOT, "tools/clone-tag"), tmp_path / name / "tools"], check=True)
        tags.append(subprocess.run([tmp_path / name / "tools/clone-tag"], check=True, capture_output=True, text=True).stdout)
    assert tags[0] != tags[1] and all(len(tag) == 5 for tag in tags)
    names = clone.sandbox("backups")
    assert all(clone.tag() in names[key] for key in ("DARI_SANDBOX", "DARI_SANDBOX_PREFIX", "DARI_DEMO", "DARI_CONFIG"))
    assert len(names["DARI_SANDBOX"]) <= 40


def test_a_port_is_reserved_while_its_process_lives(start):
    process = start(IDLE)
    port = clone.reserve_ports(pid=process.pid)
    assert not clone.reserve(port, os.getpid())
    process.kill()
    process.wait()
    assert clone.reserve(port, os.getpid())


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
