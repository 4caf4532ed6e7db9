# SPDX-License-Identifier: Apache-2.0
"""Packages that tests take from npm, pinned by web/'s lockfile: fetched once for a build, beside those of the build itself."""
import fcntl
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = os.path.join(os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main")), "web-test")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def module(path):
    """Path of a module below node_modules."""
    os.makedirs(HOME, exist_ok=True)
    pinned, here = read(os.path.join(ROOT, "web/package-lock.json")), os.path.join(HOME, "fetched-lock.json")
    with open(os.path.join(HOME, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(here) or read(here) != pinned:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(os.path.join(ROOT, "web", name), HOME)
            subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HOME, check=True, stdout=subprocess.DEVNULL)
            shutil.copy(os.path.join(HOME, "package-lock.json"), here)
    return os.path.join(HOME, "node_modules", path)
