#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the lines of functions for each call of a face: tables describe calls, and functions are for what no table can say.

    tools/function_lines.py [FACE]…      default: those with tables in `dari dump`
"""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DARI = os.path.join(ROOT, "build/dari")


def count_lines(text):
    """Lines of function bodies with their heads, as clang-format writes them: the braces stand in the first column."""
    lines, count, start = text.splitlines(), 0, None
    for k, line in enumerate(lines):
        if line == "{":
            start = k
            while start and lines[start - 1] and not lines[start - 1].endswith((";", "}", "*/")):
                start -= 1
        elif line == "}" and start is not None:
            count, start = count + k - start + 1, None
    return count


DUMPS = {"ec2": "actions", "iam": "iam", "openstack": "openstack", "cloudstack": "cloudstack", "azure": "azure", "native": "native"}


def main():
    for face in sys.argv[1:] or DUMPS:
        paths = subprocess.run(["git", "ls-files", f"src/api/{face}/*.c"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
        lines = 0
        for path in paths:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                lines += count_lines(file.read())
        dump = subprocess.run([DARI, "dump", DUMPS[face]], check=True, capture_output=True, text=True).stdout
        calls = len(json.loads(dump)["actions"])
        print(f"{face}: {lines:,} lines of functions, {calls} calls, {lines / calls:.1f} lines a call")


if __name__ == "__main__":
    main()
