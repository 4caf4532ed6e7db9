#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every part of the benchmark with its real sizes, like `make bench`, to its end. Figures are printed and not judged: other work on the machine
changes them."""
# limit: 5400 s
# covers: 20-bench.py
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from benchmark import PARTS, run_part  # noqa: E402


@pytest.mark.parametrize("name", [part.name for part in PARTS])
def test_the_part_runs_to_its_end(name):
    for figure, values in run_part(name).items():
        print(figure, *values)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-rP", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
