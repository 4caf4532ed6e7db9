#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/store/postgresql docs/postgresql.md
# when: long
"""Back to any point in time by PostgreSQL's own means: the settings and commands that docs/postgresql.md gives archive the log, make a base backup, and restore it to a
moment; `dari` then starts with what was answered before that moment, and goes on."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402
from postgresql import BIN, Server  # noqa: E402
import waiting  # noqa: E402

PAGE = pathlib.Path(__file__).parents[3] / "docs/postgresql.md"


def blocks(folder):
    """The page's blocks of lines: the server's settings, the base backup's command, and the settings of a recovery."""
    section = PAGE.read_text(encoding="utf-8").split("### Any point in time\n")[1].split("\n## ")[0].replace("/srv/", f"{folder}/")
    return [re.sub("^    ", "", block, flags=re.MULTILINE) for block in re.findall(r"(?:^    .*\n)+", section, re.MULTILINE)]


class Archiving(Server):
    """A server with the page's settings."""

    def make_data(self):
        super().make_data()
        (self.folder / "wal").mkdir()
        self.own(self.folder / "wal")
        self.add("postgresql.conf", blocks(self.folder)[0])

    def own(self, path):
        if self.is_root:
            shutil.chown(path, "postgres", "postgres")

    def add(self, name, lines):
        with open(self.data / name, "a", encoding="ascii") as file:
            file.write(lines)

    def make_base(self):
        program, *words = blocks(self.folder)[1].split()
        subprocess.run([*self.as_owner(), BIN / program, *words, "-h", self.folder, "-U", "postgres"], cwd=self.folder, check=True)

    def go_back(self, moment):
        self.kill()
        os.rename(self.data, self.folder / "away")
        subprocess.run([*self.as_owner(), "cp", "-a", self.folder / "base", self.data], check=True)
        lines = blocks(self.folder)[2]
        changed = re.sub("(recovery_target_time = ).*", rf"\1'{moment}'", lines)
        assert changed != lines
        self.add("postgresql.auto.conf", changed)
        (self.data / "recovery.signal").touch()
        self.own(self.data / "recovery.signal")
        self.start()
        waiting.wait_until(lambda: self.sql("postgres", "SELECT pg_is_in_recovery()") == ["f"], "the recovery ends", of=self)


def make(dev, name):
    dev.account.client().create_key_pair(KeyName=name, KeyType="ed25519")


def names(dev):
    return sorted(key["KeyName"] for key in dev.account.client().describe_key_pairs()["KeyPairs"])


def test_any_point_in_time(tmp_path):
    with Archiving() as server:
        data = ("--data", str(tmp_path / "data"))
        with Dev(*data, "--store", server.create("region")) as dev:
            make(dev, "before")
            server.make_base()
            make(dev, "kept")
            dev.rest()
            (moment,) = server.sql("region", "SELECT clock_timestamp()")
            make(dev, "lost")
            dev.rest()
            (segment,) = server.sql("region", "SELECT pg_walfile_name(pg_switch_wal())")
            waiting.wait_until(lambda: server.sql("region", f"SELECT last_archived_wal >= '{segment}' FROM pg_stat_archiver") == ["t"], "the log is archived", of=server)
        server.go_back(moment)
        with Dev(*data) as dev:
            assert names(dev) == ["before", "kept"]
            make(dev, "after")
            assert not dev.audit()
            assert names(dev) == ["after", "before", "kept"]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
