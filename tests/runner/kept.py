# SPDX-License-Identifier: Apache-2.0
"""Keeps what passed of a whole run, so that a run of hours that was ended goes on (`tests/run --resume all`).

Only an entry of the same commit counts, and only where nothing is uncommitted: build/passed/COMMIT has a line for each entry that
passed. An entry that failed runs again.
"""
import json
import os
import subprocess

import choice
from entries import ROOT


def path_of_head():
    """The file of the present commit; empty if the tree is not what the commit says."""
    if choice.git("status", "--porcelain").stdout.strip():
        return ""
    return os.path.join(ROOT, "build/passed", choice.git("rev-parse", "HEAD").stdout.strip())


def is_built(build):
    """True if the programs are those of the present sources. A record of hours must not name a commit whose programs never ran."""
    done = subprocess.run(["ninja", "-C", os.path.join(ROOT, build), "-n"], capture_output=True, text=True, check=False)
    return done.returncode == 0 and "no work to do" in done.stdout


def read(path):
    """{entry id: [tests passed, processor seconds, seconds]}."""
    try:
        with open(path, encoding="utf-8") as file:
            return {row[0]: row[1:] for row in map(json.loads, file)}
    except FileNotFoundError:
        return {}


def add(path, outcome):
    """Writes at once: a run may be killed at any time."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps([outcome.entry.id, outcome.passed, round(outcome.cpu_s, 1), round(outcome.wall_s, 1)]) + "\n")
