# SPDX-License-Identifier: Apache-2.0
"""Shared code of the load tests: counted steps, and looks at the server from outside."""
import os
import sys


class Steps:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, words, holds, why=""):
        print(f"{'ok' if holds else 'not ok'} - {words}" + (f": {why}" if why and not holds else ""), flush=True)
        if holds:
            self.passed += 1
        else:
            self.failed += 1

    def end(self):
        """Prints the closing line; returns the script's exit status."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(self.failed > 0)


def descriptors(dev):
    return len(os.listdir(f"/proc/{dev.process.pid}/fd"))


def threads(dev):
    return len(os.listdir(f"/proc/{dev.process.pid}/task"))


def resident_mib(dev):
    with open(f"/proc/{dev.process.pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024
