#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/init.c src/daemon/commands_init.c
"""dari init: its questions, its plan, the created files, and repeated runs after any interruption."""
import contextlib
import itertools
import os
import pty
import re
import select
import socket
import sqlite3
import stat
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
import waiting  # noqa: E402

KILL_STEP_S = 0.003


class Place:
    """The place of a new region."""

    def __init__(self, folder):
        self.folder, self.data = folder, folder / "data"
        self.config = folder / "etc" / "dari.yaml"

    def line(self, *flags):
        words = [DARI, "--config", self.config, "init", "--data", self.data, "--socket", self.folder / "socket", *flags]
        return [str(word) for word in words]

    def init(self, *flags):
        return waiting.run(self.line(*flags), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def answer(self, *answers):
        """The same on a terminal, answering each question in turn; None closes the terminal. (status, output)"""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(DARI, [DARI, "--config", str(self.config), "init", "--data", str(self.data)])
        told, answers = b"", list(answers)
        while True:
            if not select.select([terminal], [], [], 0.2)[0]:
                if told.endswith(b": ") and answers:
                    answer = answers.pop(0)
                    os.write(terminal, b"\x04" if answer is None else f"{answer}\n".encode())
                continue
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the other end was closed
                break
            told += piece
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), told.decode().replace("\r", "")

    def region_id(self):
        return re.search(r"^  id: (\S+)$", self.config.read_text(), re.MULTILINE)[1]

    def files(self):
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_plan_makes_nothing(place):
    done = place.init("--plan", "--region", "eu-south-1", "--address", "0.0.0.0", "--account", "acme", "--host", "hv1")
    assert done.returncode == 0, done.stderr
    for word in ["region eu-south-1", "master.key", "dari.db", "api.crt", "acme", "hv1", "dari.yaml"]:
        assert word in done.stdout, done.stdout
    assert place.files() == {} and not place.data.exists()


def test_what_it_makes(place):
    done = place.init("--region", "eu-south-1", "--zone", "a,b", "--account", "acme", "--host", "hv1", "--host-uri", "sim://")
    assert done.returncode == 0, done.stderr
    assert re.search(r"access key id +AKIA\w{16}\n +secret access key +\S{40}\n", done.stdout), done.stdout
    assert "host hv1 added" in done.stdout and "KEEP A COPY OF THE MASTER KEY" in done.stdout
    assert (mode(place.data), mode(place.data / "master.key"), mode(place.data / "dari.db")) == (0o700, 0o600, 0o600)
    assert not (place.folder / "etc/api.crt").exists()  # no other machine can reach its address


def test_others_names_are_in_the_certificate(place):
    """0.0.0.0 is not reachable itself: the certificate has this machine's names and addresses, or the given ones, the first of which clients are
    told."""
    plan = place.init("--plan", "--address", "0.0.0.0").stdout
    names = re.search(r"api\.crt for (\S+)", plan)[1].split(",")
    assert "0.0.0.0" not in names and socket.gethostname() in names and {"localhost", "127.0.0.1"} <= set(names), names
    plan = place.init("--plan", "--address", "0.0.0.0", "--names", "cloud.example.org,192.0.2.7").stdout
    assert "api.crt for cloud.example.org,192.0.2.7" in plan and "https://cloud.example.org:" in plan, plan


def test_a_certificate_where_others_reach_the_api(place):
    assert place.init("--address", "0.0.0.0").returncode == 0
    assert mode(place.folder / "etc/api.key") == 0o600 and mode(place.folder / "etc/api.crt") == 0o644
    assert "certificate: " in place.config.read_text()


def test_again_changes_nothing(place):
    assert place.init("--account", "acme").returncode == 0
    before = place.files()
    done = place.init()
    assert done.returncode == 0 and "nothing was changed" in done.stdout, done
    assert place.files() == before
    done = place.init("--account", "acme")  # it exists: its keys are neither shown nor created again
    assert done.returncode == 0 and "AKIA" not in done.stdout, done
    done = place.init("--account", "other")
    assert done.returncode == 0 and "AKIA" in done.stdout, done


@pytest.mark.parametrize("lost", [["etc/dari.yaml"], ["etc/dari.yaml", "etc/api.key"], ["etc/dari.yaml", "data/dari.db", "data/dari.db.lock"]])
def test_what_is_missing_is_made(place, lost):
    """As if an earlier try had stopped before creating these."""
    flags = ["--region", "eu-south-1", "--address", "0.0.0.0"]
    assert place.init(*flags).returncode == 0
    before, region_id = place.files(), place.region_id()
    for name in lost:
        (place.folder / name).unlink()
    done = place.init(*flags)
    assert done.returncode == 0, done.stderr
    assert place.files()["data/master.key"] == before["data/master.key"]
    assert (place.region_id() == region_id) == ("data/dari.db" not in lost)
    assert ("KEEP A COPY" in done.stdout) is False
    assert (place.files()["etc/api.crt"] == before["etc/api.crt"]) == ("etc/api.key" not in lost)


def test_killed_at_any_time_it_goes_on(place):
    keys = set()
    for tries in itertools.count():
        process = subprocess.Popen(place.line("--address", "0.0.0.0", "--account", "acme"), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(tries * KILL_STEP_S)
        process.kill()
        done = process.wait() == 0
        keys |= {(place.data / "master.key").read_bytes()} if (place.data / "master.key").exists() else set()
        if done:
            break
    assert done and tries > 1 and len(keys) == 1
    with contextlib.closing(sqlite3.connect(place.data / "dari.db")) as database:
        assert database.execute("SELECT value FROM setting WHERE name = 'region.id'").fetchall() == [(place.region_id(),)]
        assert database.execute("SELECT count(*) FROM account").fetchall() == [(1,)]
    done = place.init("--address", "0.0.0.0")
    assert done.returncode == 0 and "nothing was changed" in done.stdout, done


def test_a_database_without_its_key_is_refused(place):
    assert place.init().returncode == 0
    (place.data / "master.key").unlink()
    before = place.files()
    done = place.init()
    assert done.returncode == 1 and "put the copy of master.key back" in done.stderr, done
    assert place.files() == before


@pytest.mark.parametrize("flags, words", [
    (["--region", "Seoul 1"], "--region wants"),
    (["--zone", "a,B"], 'cannot name a zone'),
    (["--address", "localhost"], "--address wants an IP address"),
    (["--port", "0"], "--port wants 1 to 65535"),
    (["--port", "x"], "--port wants 1 to 65535"),
    (["--certificate", "/x.crt"], "--certificate and --key go together"),
    (["--key", "/x.key"], "--certificate and --key go together"),
    (["--host-uri", "sim://"], "--host names it"),
])
def test_bad_flags_make_nothing(place, flags, words):
    done = place.init(*flags)
    assert done.returncode == 1 and words in done.stderr, done
    assert place.files() == {} and not place.config.exists()


@pytest.mark.parametrize("flags, words", [(["--region", "eu-south-1"], 'says region.name "us-east-1"'), (["--port", "99"], "says api.port 8788")])
def test_what_the_configuration_says_is_not_changed(place, flags, words):
    assert place.init().returncode == 0
    before = place.files()
    done = place.init(*flags)
    assert done.returncode == 1 and words in done.stderr, done
    assert place.files() == before


def test_who_may_not_write_is_told_what_to_do(place):
    if os.geteuid() == 0:
        (place.folder / "data").write_text("a file where the directory is to be")
        done = place.init()
        assert done.returncode == 1 and str(place.data) in done.stderr, done
        return
    done = waiting.run([DARI, "--config", "/etc/dari/none.yaml", "init", "--data", "/var/lib/dari/none"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "Run it as root" in done.stderr, done


def test_it_asks_on_a_terminal(place):
    status, told = place.answer("eu-south-1", "a,b", "", "acme", "hv1", "sim://", "yes")
    assert status == 0, told
    assert told.index("create") < told.index("Create it?") < told.index("is created")
    assert "[us-east-1]" in told and "AKIA" in told and "host hv1 added" in told
    text = place.config.read_text()
    assert "name: eu-south-1" in text and "address: 127.0.0.1" in text
    status, told = place.answer()  # again: there is nothing to ask
    assert status == 0 and "nothing was changed" in told


@pytest.mark.parametrize("answers", [["", "", "", "", "", "no"], ["x" * 300], ["", None], ["", "", "", "", "", None]])
def test_nothing_is_made_without_a_yes(place, answers):
    status, told = place.answer(*answers)
    assert status == 1 and "nothing was created" in told, told
    assert place.files() == {} and not place.data.exists()


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
