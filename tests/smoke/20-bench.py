#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
"""Runs each part of the benchmark that needs no hosts to its end, with tiny sizes, because nothing else would notice if it broke. The figures are
meaningless here. tests/smoke/all-20-bench.py runs the whole."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from benchmark import BUILD, PARTS, ROOT, named, run_part  # noqa: E402
import build_pairs  # noqa: E402


@pytest.mark.parametrize("name", named(""))
def test_the_part_runs_to_its_end(name):
    run_part(name, "--brief")


def test_two_builds_are_compared():
    done = subprocess.run([os.path.join(ROOT, "bench/run"), "--pairs", BUILD, BUILD, "--brief"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(build_pairs.ASKING)
    for _, new, old, median, low, high in lines:
        assert float(new) > 0 and float(old) > 0 and float(low.rstrip("%")) <= float(median.rstrip("%")) <= float(high.rstrip("%")), lines


def test_the_interval_of_a_median():
    assert build_pairs.interval([5, 1, 2]) == (1, 5)  # too few
    assert build_pairs.interval(list(range(7))) == (0, 6) and build_pairs.interval(list(range(9))) == (1, 7)


def test_the_libraries_share_no_module_name():
    """bench/run imports from bench/lib and from tests/lib: with two modules of one name, it would get an arbitrary one."""
    bench, tests = ({name.removesuffix(".py") for name in os.listdir(os.path.join(ROOT, folder))} for folder in ("bench/lib", "tests/lib"))
    assert not (bench & tests) - {"__pycache__"}


def test_the_tables_of_figures_name_lines_that_are_printed():
    with open(os.path.join(ROOT, "bench/README.md"), encoding="utf-8") as page:
        named_there = {name for row in page if row.startswith("| ") for name in re.findall(r"`([a-z0-9]+_[a-z0-9_]+)`", row)}
    assert len(named_there) > 10
    assert named_there <= {name for part in PARTS for name in part.figures}


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
