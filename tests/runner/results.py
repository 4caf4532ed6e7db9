# SPDX-License-Identifier: Apache-2.0
"""Reads what an entry printed: how many tests passed and failed, which failed, and where."""
import re

from entries import ROOT

FAILURE = re.compile(r"not ok |FAIL|ERROR[: ]|SEED=|seed |not within |demo: |sandbox: ")  # lines shown of a long output besides its end
# Places of failures: cmocka's lines, pytest's, and the frames of a traceback that are ours, with the line that follows each.
PLACE = re.compile(rf"# .*\.[ch]:\d+: error|E   +\S|(?:tests/)?\S+\.py:\d+: |  File \"{re.escape(ROOT)}/")
MOST_SHOWN, MOST_NAMED, LAST_SHOWN = 40, 10, 12  # lines


def count(output, status):
    """(passed, failed) of one entry's output."""
    closing = re.findall(r"^(?:\w+: )?(\d+) passed, (\d+) failed", output, re.MULTILINE)
    passed = len(re.findall(r"^ok\b", output, re.MULTILINE))
    failed = len(re.findall(r"^not ok\b", output, re.MULTILINE))
    if closing:
        passed, failed = int(closing[-1][0]), int(closing[-1][1])
    pytest = re.findall(r"^(?:=+ )?(\d+ (?:passed|failed|error|skipped).*) in [\d.]+s", output, re.MULTILINE)
    if pytest:
        words = pytest[-1]
        passed = sum(int(n) for n in re.findall(r"(\d+) passed", words))
        failed = sum(int(n) for n in re.findall(r"(\d+) (?:failed|errors?|skipped)", words))  # a skip hides a missing part
    if status != 0 and failed == 0:
        failed = 1
    if status == 0 and passed + failed == 0:
        passed = 1
    return passed, failed


def excerpt(output):
    """Shortens a long output to the lines that speak of failures, and its end."""
    lines = output.splitlines()
    return [line for line in lines[:-120] if FAILURE.match(line)] + lines[-120:]


def summary(output):
    """Lists the places and the words of the failures: enough to begin with."""
    lines = output.splitlines()
    found = [k for k, line in enumerate(lines) if FAILURE.match(line) or PLACE.match(line)]
    frames = [k + 1 for k in found if lines[k].startswith("  File ")]
    ends = [k for k, line in enumerate(lines) if re.match(r"[\w.]+(?:Error|Exception|Expired|Interrupt)\b", line)]
    last = range(max(0, len(lines) - LAST_SHOWN), len(lines))
    chosen = sorted({*found[:MOST_SHOWN // 2], *found[-MOST_SHOWN // 2:], *frames[-MOST_SHOWN // 2:], *ends[-3:], *last})
    return [lines[k] for k in chosen if k < len(lines)]


def names(output):
    """The tests of an entry that failed: cmocka's names, and pytest's with why."""
    return [line for line in output.splitlines() if re.match(r"not ok \d+ - |(?:FAILED|ERROR) \S+::", line)][:MOST_NAMED]
