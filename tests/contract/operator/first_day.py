#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/init.c src/daemon/commands_ src/daemon/dev.c
"""An operator's first day: help of each group of commands, reopening a kept region, and a login link for the right account."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402


def dari(*argv, config=None):
    return subprocess.run([DARI, *(["--config", config] if config else []), *argv], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("argv", [["host"], ["host", "--help"], ["host", "-h"], ["help", "host"]])
def test_a_group_explains_itself(argv):
    done = dari(*argv)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: dari host COMMAND") and "dari host list" in done.stdout and "network list" not in done.stdout


@pytest.mark.parametrize("argv", [["backup", "machine"], ["backup", "machine", "--help"], ["help", "backup", "machine"]])
def test_a_group_below_a_command_explains_itself(argv):
    """`dari backup TARGET` copies the region, and `dari backup machine …` copies machines."""
    done = dari(*argv)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith("usage: dari backup machine COMMAND") and "dari backup machine create" in done.stdout and "backup plan" not in done.stdout
    whole = dari("help", "backup").stdout
    assert whole.startswith("usage: dari backup TARGET") and "dari backup plan add" in whole.partition("Further commands")[2]


def test_help_has_headings_and_examples():
    """Each command is under one heading; examples use options that their commands have."""
    said = dari("help").stdout
    assert all(f"\n{title}\n" in said for title in ("Getting started", "Hosts and storage", "Networks", "Examples")) and said.index("  account create") < said.index("  user create") < said.index("  role grant")
    shown = dari("host", "add", "--help").stdout
    assert shown.startswith("usage: dari host add NAME [OPTIONS]") and "\nArguments\n" in shown and "--zone ZONE" in shown
    example = shown.partition("\nExamples\n")[2]
    assert example and all(f"{option} " in shown.partition("\nExamples\n")[0] for option in re.findall(r"--[a-z-]+", example))


@pytest.mark.parametrize("typed, meant", [(["lunch"], None), (["--verison"], "--version"), (["host", "shwo"], "host show"), (["acount", "create"], "account create"), (["dotcor"], "doctor")])
def test_a_mistyped_command_has_a_suggestion(typed, meant):
    done = dari(*typed)
    assert done.returncode == 2 and (f"Did you mean `dari {meant}`?" in done.stderr if meant else "Did you mean" not in done.stderr), done.stderr


def test_a_mistyped_option_has_a_suggestion():
    done = dari("dev", "--dtaa", "x")
    assert done.returncode == 2 and "Did you mean `--data`?" in done.stderr


def test_what_init_writes_has_whole_paths(tmp_path):
    """The plan uses a relative path; the configuration must contain absolute ones."""
    done = subprocess.run([DARI, "--config", "u/dari.yaml", "init", "--plan", "--data", str(tmp_path / "d")], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"{tmp_path}/u/dari.yaml" in done.stdout, done


def test_help_of_one_command():
    assert dari("help", "host", "list").stdout == dari("host", "list", "--help").stdout != ""
    for argv in (["host", "shwo"], ["help", "nothing"], ["nothing"]):
        done = dari(*argv)
        assert done.returncode == 2 and "no such command: " in done.stderr and done.stdout == ""
    assert "no such command: host shwo" in dari("host", "shwo").stderr


def test_a_kept_region_opens_again_after_a_host_was_added(tmp_path):
    """No driver simulates that host, so it never comes up; the test does not wait for it."""
    with Dev("--data", str(tmp_path)) as dev:
        dev.command("host", "add", "hv9")
    with Dev("--data", str(tmp_path)) as dev:
        assert "hv9" in {h["name"] for h in dev.command("host", "list")}


def test_dev_leaves_files_of_others_alone(tmp_path):
    (tmp_path / "x").write_text("mine")
    done = dari("dev", "--port", "0", "--data", str(tmp_path))
    assert done.returncode == 1 and "files that `dari dev` did not create" in done.stderr, done
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_configuration_of_root_says_who_may_read_it(tmp_path):
    """The file, and a directory, that only root may read. Tried as nobody."""
    tmp_path.chmod(0o755)
    for mode in (0o755, 0o700):
        folder = tmp_path / str(mode)
        folder.mkdir(mode=mode)
        (folder / "dari.yaml").touch(mode=0o600)
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", DARI, "--config", str(folder / "dari.yaml"), "host", "list"], capture_output=True, text=True, check=False)
        assert "Permission denied" in done.stderr and "Run it as root" in done.stderr, done


def test_a_link_is_into_the_account_that_was_named():
    with Dev() as dev:
        assert "administrator" in dev.banner and "`dari console` prints" in dev.banner
        dev.command("account", "create", "empty")
        done = dari("console", "--account", "empty", config=dev.config)
        assert done.returncode != 0 and "the user admin has no role on the account empty" in done.stderr and "/console/" not in done.stdout
        dev.command("role", "grant", "member", "--user", "admin", "--account", "empty")
        assert "/console/#t=" in dari("console", "--account", "empty", config=dev.config).stdout


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
