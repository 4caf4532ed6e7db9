# SPDX-License-Identifier: Apache-2.0
"""Runs each part of bench/run and checks that it prints every figure named in bench/lib/parts.py, with values."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main"))
sys.path.insert(0, os.path.join(ROOT, "bench/lib"))
from parts import PARTS  # noqa: E402

TOLD = 3000  # characters of a failed part's output


def named(needs):
    return [part.name for part in PARTS if part.needs == needs]


def run_part(name, *options):
    """Runs a part to its end and returns {figure: values}. On failure the message has its output."""
    done = subprocess.run([os.path.join(ROOT, "bench/run"), BUILD, f"--{name}", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-TOLD:]
    lines = [line.split() for line in done.stdout.splitlines() if not line.startswith("#")]
    figures = {line[0]: [float(value) for value in line[1:] if value != "-"] for line in lines}
    assert figures and all(figures.values()), done.stdout
    return figures
