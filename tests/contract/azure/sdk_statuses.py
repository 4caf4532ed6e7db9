#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure tests/golden/azure
"""Statuses of the golden answers against Debian's azure-mgmt packages: an SDK fails on a status that its specification of the call lacks, as on 201 for
an availability set."""
import glob
import os
import re
import sys

import azure.mgmt
import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
PACKAGES = ["authorization", "compute", "msi", "network", "resource/locks", "resource/resources", "resource/subscriptions"]
PARTS = {"builder": r"^def (build_\w+_request)\(.*?(?=^def |^class |\Z)", "operation": r"^    (?:async )?def _?\w+\(.*?(?=^    (?:async )?def |^    @|^class |\Z)"}


def newest(package):
    """Operation files of the package's newest version."""
    folder = os.path.join(list(azure.mgmt.__path__)[0], package)
    folders = sorted(path for path in glob.glob(f"{folder}/*operations") + glob.glob(f"{folder}/v20*/operations") if "preview" not in path)
    assert folders, package
    return glob.glob((f"{folder}/operations" if f"{folder}/operations" in folders else folders[-1]) + "/*_operations.py")


def read_sdk():
    """[(method, pattern of the path, statuses)]"""
    found = []
    for path in sorted(path for package in PACKAGES for path in newest(package)):
        with open(path, encoding="utf-8") as page:
            text = page.read()
        requests = {}
        for part in re.finditer(PARTS["builder"], text, re.DOTALL | re.MULTILINE):
            url = re.search(r'_url = kwargs\.pop\(\s*"template_url",\s*((?:"[^"]*"\s*)+)', part[0])
            method = re.search(r'method="(\w+)"', part[0])
            if url and method:
                requests[part[1]] = method[1], "".join(re.findall(r'"([^"]*)"', url[1]))
        for part in re.finditer(PARTS["operation"], text, re.DOTALL | re.MULTILINE):
            called, statuses = re.search(r"(build_\w+_request)\(", part[0]), re.search(r"status_code not in \[([\d, ]*)\]", part[0])
            if called and statuses and called[1] in requests:
                method, url = requests[called[1]]
                pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(url))
                found.append((method, re.compile(pattern + r"/?$", re.IGNORECASE), {int(n) for n in statuses[1].split(",")}))
    return found


def goldens():
    """[(file, method, path, status)] of the last request of each case that succeeds."""
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/golden/azure/*/*.req"))):
        answer = path[:-len(".req")] + ".json"
        if not os.path.exists(answer):
            continue
        with open(path, encoding="utf-8") as page:
            lines = [line for line in page.read().splitlines() if re.match(r"(@\w+ )?(GET|PUT|PATCH|POST|DELETE|HEAD) /", line)]
        with open(answer, encoding="utf-8") as page:
            status = page.readline().strip()
        if lines and status.isdigit() and int(status) < 400:
            words = re.sub(r"^@\w+ ", "", lines[-1]).split()
            yield os.path.relpath(path, ROOT), words[0], re.sub(r"\$\([^)]*\)", "x", words[1]).split("?")[0], int(status)


SDK = read_sdk()


@pytest.mark.parametrize("name, method, path, status", [pytest.param(*row, id=row[0]) for row in goldens()])
def test_status(name, method, path, status):
    known = [statuses for verb, pattern, statuses in SDK if verb == method and pattern.match(path)]
    assert not known or any(status in statuses for statuses in known), f"{name}: {status} instead of {known}"


def test_most_goldens_have_a_specification():
    rows = list(goldens())
    seen = [row for row in rows if any(verb == row[1] and pattern.match(row[2]) for verb, pattern, _ in SDK)]
    assert len(seen) > len(rows) // 2, f"{len(seen)} of {len(rows)}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=line", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
