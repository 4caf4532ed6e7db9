#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: tools/source tools/version tools/sbom debian CHANGELOG.md meson.build
"""A release: its version, the source archive (the same bytes each time), the bill of materials, and pages whose links work where the
package puts them. all-release.py builds what this script only looks at."""
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main"))
COMMAND_PAGES = ("HACKING.md", "CONTRIBUTING.md")  # their links into tests/ work in the source alone


def run(*words, **how):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT, **how).stdout


def version():
    with open(os.path.join(ROOT, "meson.build"), encoding="utf-8") as file:
        return re.search(r"^project\('dari', 'c', version: '([^']+)'", file.read(), re.MULTILINE)[1]


def test_one_version_everywhere():
    number = version()
    assert run(os.path.join(BUILD, "src/daemon/dari"), "--version").split()[1].startswith(number)
    assert run("dpkg-parsechangelog", "-S", "Version").strip() == number
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as page:
        assert re.findall(r"^## \[(\d[^]]*)\]", page.read(), re.MULTILINE)[0] == number


def test_versions_of_builds_order():
    now = run("tools/version").strip()
    later = re.sub(r"git\.(\d+)", lambda found: f"git.{int(found[1]) + 1}", now)
    for older, newer in ((version(), now), (now, later), (now, "0.9.1"), ("0.9.0+git.99.ffffffff", "0.9.0+git.100.00000000")):
        assert older == newer or subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0, (older, newer)


def test_source_archive_is_the_same_each_time(tmp_path):
    digests = []
    for name, zone in (("one", "UTC"), ("two", "Asia/Seoul")):
        run("tools/source", str(tmp_path / name), env={**os.environ, "TZ": zone})
        (archive,) = (tmp_path / name).glob("dari-*.tar.gz")
        digests.append(hashlib.sha256(archive.read_bytes()).hexdigest())
        assert (tmp_path / name / (archive.name + ".sha256")).read_text() == f"{digests[-1]}  {archive.name}\n"
    assert digests[0] == digests[1]
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"meson.build", "LICENSE", "README.md", "CHANGELOG.md", "debian/control", "web/package-lock.json", "tools/version"} <= names


def test_bill_of_materials():
    bill = json.loads(run("tools/sbom", os.path.join(BUILD, "src/daemon/dari"), "1.2.3"))
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == ("CycloneDX", "1.5", "1.2.3")
    found = {c["name"]: c for c in bill["components"]}
    assert {"libsqlite3-0", "libssl3", "libmicrohttpd12", "libc6", "lit-html", "@xterm/xterm", "uplot"} <= set(found)
    assert "axe-core" not in found  # only tests use it
    assert all(c["version"] and c["purl"].startswith("pkg:") for c in found.values())
    assert set(bill["dependencies"][0]["dependsOn"]) == {c["bom-ref"] for c in found.values()}


def installed_pages():
    """Paths of the documentation below /usr/share/doc/dari, which are those of the source."""
    with open(os.path.join(ROOT, "debian/dari.docs"), encoding="ascii") as file:
        for line in file.read().split():
            path = os.path.join(ROOT, line)
            if os.path.isfile(path):
                yield line
            for folder, _, names in os.walk(path):
                yield from (os.path.relpath(os.path.join(folder, name), ROOT) for name in names)


@pytest.mark.parametrize("page", [p for p in installed_pages() if p.endswith(".md")])
def test_links_work_in_the_package(page):
    there = set(installed_pages())
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", file.read())
    for link in links:
        path = os.path.normpath(os.path.join(os.path.dirname(page), link))
        inside = path in there or any(name.startswith(path + "/") for name in there)
        assert re.match(r"[a-z]+:", link) or inside or (page in COMMAND_PAGES and path.startswith("tests/")), link


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
