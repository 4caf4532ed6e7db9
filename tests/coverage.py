#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints which lines and branches of src/ the tests take, from a build with -Db_coverage=true whose tests have run.

    tests/coverage.py BUILD_DIR [--worst N] [--in FOLDER]... [--passed-on]

First each line of src/engine, src/auth and src/store (or of the folders named) with a branch that no test takes, as
"FILE:LINE taken/branches text". A branch is one way out of a condition, and && and || have their own. Then the N files with the most
branches not taken, of files with at least SMALL branches. At last a line for each folder: lines and branches taken, of how many.

Lines that decide nothing are left out of the list and of the files' order unless --passed-on is given: TRY(...), which passes a
failure on, and STR_ARG(...), which clips a text for printf. tests/simulation/each_fault makes every TRY fail. The lines of folders
and files count all branches.
"""
import argparse
import collections
import glob
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ["src/engine", "src/auth", "src/store"]
SMALL = 30  # branches
BATCH = 40  # files for one gcov
PASSED_ON = re.compile(r"TRY\(|STR_ARG\(")


def read_counts(build):
    """{path below ROOT: {line: how often it was run, and each of its branches}} of every C file that was compiled, by gcov's JSON."""
    counts = collections.defaultdict(dict)
    found = sorted(glob.glob(f"{build}/src/**/*.gcno", recursive=True))
    for n in range(0, len(found), BATCH):
        done = subprocess.run(["gcov", "--json-format", "--branch-probabilities", "--stdout", *found[n:n + BATCH]], cwd=build, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        for unit in done.stdout.splitlines():
            for file in json.loads(unit)["files"]:
                path = os.path.relpath(os.path.join(build, file["file"]), ROOT)
                if path.startswith("src/") and path.endswith(".c"):
                    for line in file["lines"]:
                        add_line(counts[path], line)
    return counts


def add_line(lines, line):
    """Adds one program's counts of a line to those of the others."""
    number = line["line_number"]
    known = lines.setdefault(number, {"count": 0, "branches": [0] * len(line["branches"])})
    known["count"] += line["count"]
    if len(known["branches"]) == len(line["branches"]):
        known["branches"] = [a + branch["count"] for a, branch in zip(known["branches"], line["branches"])]


class Tally:
    def __init__(self):
        self.lines, self.lines_taken, self.branches, self.branches_taken = 0, 0, 0, 0

    def add(self, line):
        self.lines += 1
        self.lines_taken += line["count"] > 0
        self.branches += len(line["branches"])
        self.branches_taken += sum(count > 0 for count in line["branches"])

    def show(self, name):
        def part(taken, whole):
            return f"{taken:7} of {whole:7} {100 * taken / whole if whole else 100:6.1f} %"
        print(f"{name:32} lines {part(self.lines_taken, self.lines)}   branches {part(self.branches_taken, self.branches)}")


def show_untaken(files, folders, with_passed_on):
    """Prints every line with a branch that no test takes, and returns the number of these branches, by file."""
    missing = collections.Counter()
    for path, lines in sorted(files.items()):
        if not path.startswith(tuple(folder + "/" for folder in folders)):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as source:
            text = source.read().split("\n")
        for number, line in sorted(lines.items()):
            branches = line["branches"]
            taken = sum(count > 0 for count in branches)
            words = text[number - 1].strip()
            if taken < len(branches) and (with_passed_on or not PASSED_ON.match(words)):
                missing[path] += len(branches) - taken
                print(f"{path}:{number} {taken}/{len(branches)} {words}")
    return missing


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--in", dest="folders", action="append", help="a folder, instead of " + ", ".join(FOLDERS))
    parser.add_argument("--passed-on", action="store_true", help="also lines that only pass a failure on")
    args = parser.parse_args()
    files = read_counts(os.path.join(ROOT, args.build))
    folders, by_file, whole = collections.defaultdict(Tally), {}, Tally()
    for path, lines in files.items():
        by_file[path] = Tally()
        for line in lines.values():
            for tally in (folders[os.path.dirname(path)], by_file[path], whole):
                tally.add(line)
    print("branches that no test takes:")
    missing = show_untaken(files, args.folders or FOLDERS, args.passed_on)
    print(f"\nthe {args.worst} files with the most of them:")
    for path, _ in [row for row in missing.most_common() if by_file[row[0]].branches >= SMALL][:args.worst]:
        by_file[path].show(path)
    print("\nby folder:")
    for name in sorted(folders):
        folders[name].show(name)
    whole.show("src")


if __name__ == "__main__":
    main()
