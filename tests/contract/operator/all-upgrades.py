#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/level.c src/store/upgrade.c src/store/sqlite_open.c src/store/postgresql_schema.c schema
# limit: 10800 s
"""A former version of dari beside this one, each built from its commit: a rolling restart under load, the way back, and the confirmation. The former
version's own tests run with a database that this version has opened. Builds are kept in build/former/."""
import contextlib
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev, ROOT  # noqa: E402
from members import Load, Region, check  # noqa: E402
from postgresql import Server  # noqa: E402
import waiting  # noqa: E402

# The former version: a release, or before the first one the oldest commit whose fields, words and kinds are all here still. Its level is in
# tests/unit/store/former_level.txt, which the unit tests compare with this version's.
FORMER = os.environ.get("FORMER", "79d6d3455590252e11bc90913c705f13536bee09")
# The schema step that this version gets if its level is still the former one's.
STEP = ("key_pair", "[placed]\n", 'colour = { type = "text", doc = "A field of the next version." }\n[placed]\n')
# Scripts of the former version that run with a database that this version has opened.
SCRIPTS = ["smoke/10-faces.py", "contract/cross/two_accounts.py", "contract/cross/pages.py"]


def build(folder, commit, prepare=lambda top: None):
    """Builds a commit in a folder of its own, unless that was done before; returns its tree."""
    top = pathlib.Path(ROOT) / "build/former" / folder
    if not (top / "built").exists():
        shutil.rmtree(top, ignore_errors=True)
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", ROOT, top], check=True)
        subprocess.run(["git", "-C", top, "checkout", "-q", commit], check=True)
        prepare(top)
        compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
        subprocess.run(["meson", "setup", top / "build/main", top], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, CC=compiler))
        waiting.run(["ninja", "-C", top / "build/main", "src/daemon/dari"], check=True, stdout=subprocess.DEVNULL)
        (top / "built").touch()
    return top


def add_step(top):
    kind, at, step = STEP
    path = top / f"schema/{kind}.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(at) == 1
    path.write_text(text.replace(at, step), encoding="utf-8")


def level_of(top):
    """Kinds, fields and words: the schema without documentation."""
    return subprocess.run([sys.executable, f"{top}/tools/schema.py", "--hash"], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", name="former")
def build_former():
    return build(FORMER[:12], FORMER)


@pytest.fixture(scope="module", name="programs")
def build_both(former):
    """(former program, newer program)"""
    newer = DARI
    if level_of(former) == level_of(ROOT):
        head = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
        newer = build(f"{head[:12]}-next", head, add_step) / "build/main/src/daemon/dari"
    return str(former / "build/main/src/daemon/dari"), str(newer)


@pytest.fixture(scope="module", name="server")
def start_server():
    with Server() as running:
        yield running


def run(program, folder, *words):
    return subprocess.run([program, "--config", f"{folder}/dev.yaml", *words], capture_output=True, text=True, check=False)


# ---- SQLite


def test_one_process(programs, tmp_path):
    """Newer, former, newer; then confirmed, and the former version is refused in words."""
    former, newer = programs
    folder = f"{tmp_path}/data"
    names = []
    for n, program in enumerate([former, newer, former, newer]):
        with Dev("--data", folder, program=program) as dev:
            ec2 = dev.account.client()
            assert sorted(key["KeyName"] for key in ec2.describe_key_pairs()["KeyPairs"]) == names
            names.append(f"key{n}")
            ec2.create_key_pair(KeyName=names[-1], KeyType="ed25519")
            ec2.create_tags(Resources=[ec2.describe_key_pairs(KeyNames=[names[0]])["KeyPairs"][0]["KeyPairId"]], Tags=[{"Key": str(n), "Value": "v"}])
            dev.rest()
            assert dev.audit() == []
            if n == 0:
                with contextlib.closing(sqlite3.connect(f"{folder}/dari.db")) as database:
                    level = database.execute("SELECT value FROM meta WHERE name = 'schema_level'").fetchone()[0]
                assert level == pathlib.Path(ROOT, "tests/unit/store/former_level.txt").read_text(encoding="utf-8").removesuffix("\n")
            shown = run(program, folder, "upgrade", "show").stdout
            assert ("nothing to confirm" in shown) == (program == former), shown
    with Dev("--data", folder, program=newer) as dev:
        confirmed = run(newer, folder, "upgrade", "confirm")
        assert confirmed.returncode == 0, confirmed
    with pytest.raises(RuntimeError) as refused:
        Dev("--data", folder, program=former)
    assert "was confirmed for another version of dari" in str(refused.value) and "restore a backup" in str(refused.value)
    with Dev("--data", folder, program=newer) as dev:
        assert len(dev.account.client().describe_key_pairs()["KeyPairs"][0]["Tags"]) == 4


# The program that the former version's tests start: the region in the folder `prepared`, copied.
WRAPPER = """#!/bin/sh
case "$1 $*" in
"dev "*--data*|"dev "*--store*) ;;
"dev "*) copy=$(mktemp -d {room}/XXXXXX) && cp -a {prepared}/. $copy && set -- "$@" --data $copy ;;
esac
exec {program} "$@"
"""


def prepare_region(programs, room):
    """Makes a region with the former version, opens it with the newer one, and returns a build folder whose program starts copies of it."""
    former, newer = programs
    prepared = room / "prepared"
    for program in (former, newer):
        with Dev("--data", str(prepared), program=program) as dev:
            dev.rest()
    (prepared / "dari.db.lock").unlink(missing_ok=True)
    wrapper = room / "build/src/daemon/dari"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(WRAPPER.format(room=room, prepared=prepared, program=former))
    wrapper.chmod(0o755)
    return room / "build"


@pytest.mark.parametrize("script", SCRIPTS)
def test_former_tests(programs, former, tmp_path, script):
    """Scripts of the former version pass with its program and a database that the newer version has opened."""
    folder = prepare_region(programs, tmp_path)
    done = waiting.run([sys.executable, former / "tests" / script], capture_output=True, text=True, env=dict(os.environ, DARI_BUILD=str(folder)))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    used = [copy for copy in tmp_path.iterdir() if (copy / "dari.db").exists() and copy.name != "prepared"]
    assert used, "the script started no region"


# ---- PostgreSQL


def await_program(member, program):
    waiting.wait_until(lambda: member.process.poll() is None and os.path.samefile(f"/proc/{member.process.pid}/exe", program), "the version runs", of=os.getpid())


def await_healthy(region, member):
    """The member follows, or writes."""
    def is_healthy():
        try:
            return region.client(region.members.index(member), answer_s=2).describe_vpcs() is not None
        except Exception:  # pylint: disable=broad-except
            return False  # it starts
    waiting.wait_until(is_healthy, "the member answers", of=os.getpid(), every_s=0.1)


def roll(region, load, program):
    """Changes the version of one machine after the other, the writer last. Returns the longest time without an answered change."""
    gaps = []
    writer = region.await_writer()
    for member in sorted(region.members, key=lambda m: m is writer):
        since = load.answered[-1][1]
        member.change(program)
        await_program(member, program)
        await_healthy(region, member)
        load.await_more()
        gaps.append(load.longest_gap(since))
    return max(gaps)


def test_a_rolling_restart(programs, server, tmp_path):
    """To the newer version and back, twice, and then for good. No answered change is lost."""
    former, newer = programs
    with Region(server, "rolling", tmp_path, former) as region:
        region.await_writer()
        for member in region.members:
            await_healthy(region, member)
        with Load(region, pause_s=0.5) as load:
            load.await_more()
            gaps = [roll(region, load, program) for program in (former, newer, former, newer)]
        print("seconds without an answered change, at most: same version, newer, back, newer:", *(f"{gap:.1f}" for gap in gaps))
        check(region, load)
        confirm_and_refuse(region, former, newer)
        check(region, load)


def confirm_and_refuse(region, former, newer):
    """The confirmation is refused while a former version runs. After the confirmation no former version can start."""
    writer = region.await_writer()
    other = next(m for m in region.members if m is not writer)
    other.change(former)
    await_healthy(region, other)
    shown = run(newer, writer.folder, "upgrade", "show").stdout
    assert re.search(r"^connected .*\(another version\)$", shown, re.MULTILINE), shown
    refused = run(newer, writer.folder, "upgrade", "confirm")
    assert refused.returncode == 1 and "another version is connected" in refused.stderr, refused
    other.change(newer)
    await_healthy(region, other)
    confirmed = run(newer, region.await_writer().folder, "upgrade", "confirm")
    assert confirmed.returncode == 0, confirmed
    other.change(former)
    waiting.wait_until(lambda: "was confirmed for another version of dari" in other.log(), "the former version is refused", of=os.getpid())
    other.change(newer)
    await_healthy(region, other)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-rP", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
