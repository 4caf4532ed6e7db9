#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: tools/deb tools/source debian meson.build
# when: long
"""A release built: `make deb` gives the same packages in another directory, time zone, language and umask, lintian finds nothing, and the source
archive builds by itself, without git."""
# limit: 5400 s
import hashlib
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PLAIN = {"TZ": "UTC", "LC_ALL": "C.UTF-8"}
OTHER = {"TZ": "Asia/Seoul", "LC_ALL": "C", "DEB_BUILD_OPTIONS": "parallel=1"}


def build(folder, environment, umask):
    """SHA-256 by name of what tools/deb writes."""
    subprocess.run(["sh", "-c", f'umask {umask}; exec tools/deb "$1"', "sh", str(folder)], check=True, cwd=ROOT, env={**os.environ, **environment},
                   stdout=subprocess.DEVNULL)
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.suffix in (".deb", ".json")}


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    return folder, build(folder, PLAIN, "022")


def test_two_builds_are_equal(first, tmp_path_factory):
    second = build(tmp_path_factory.mktemp("a-longer-name-of-the-second"), OTHER, "027")
    assert first[1] == second and len(second) >= 3, (first[1], second)


def test_lintian_has_no_tags(first):
    (changes,) = first[0].glob("*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--pedantic", str(changes)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_the_source_archive_builds(tmp_path):
    subprocess.run(["tools/source", str(tmp_path)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    (archive,) = tmp_path.glob("dari-*.tar.gz")
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True)
    (source,) = (path for path in tmp_path.iterdir() if path.is_dir())
    subprocess.run(["meson", "setup", "build", "--buildtype=release", "-Dtests=false", "-Dbench=false"], check=True, cwd=source, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build", "src/daemon/dari"], check=True, cwd=source, stdout=subprocess.DEVNULL)
    told = subprocess.run(["build/src/daemon/dari", "--version"], check=True, cwd=source, capture_output=True, text=True).stdout
    version = subprocess.run(["tools/version"], check=True, cwd=source, capture_output=True, text=True).stdout
    assert told == f"dari {version}"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
