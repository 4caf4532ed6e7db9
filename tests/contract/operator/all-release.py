#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: tools/deb tools/source tools/release tools/sbom debian meson.build docs/releasing.md
# when: long
"""A release made as docs/releasing.md says, in a clone, with a key that is thrown away: a tag without a signature or with a schema that may still
change is refused; the files and their digests are signed; a second build in another directory, time zone, language and umask is equal; lintian finds
nothing; the bill of materials fits CycloneDX's schema; and the source archive builds by itself, without git."""
# limit: 5400 s
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
WHO = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "Release"), ("EMAIL", "release@example.org"))}
OTHER = {"TZ": "Asia/Seoul", "LC_ALL": "C", "DEB_BUILD_OPTIONS": "parallel=1"}
CHECK = """import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
sys.exit(str(JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1], encoding="utf-8").read()) or "") or 0)
"""


class Clone:
    """A clone of the last commit, and a keyring of its own."""

    def __init__(self, folder, home):
        self.folder = folder / "dari"
        self.env = {**os.environ, **WHO, "GNUPGHOME": home}
        subprocess.run(["git", "clone", "--quiet", ROOT, self.folder], check=True, capture_output=True)
        self.run("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "release@example.org", "ed25519", "sign", "1d")
        self.fingerprint = re.search("^fpr:+(\\w+):", self.run("gpg", "--with-colons", "--list-keys"), re.MULTILINE)[1]
        self.run("git", "config", "user.signingkey", self.fingerprint)
        self.version = self.run("tools/version").split("+")[0].strip()

    def run(self, *words, **how):
        return subprocess.run([str(w) for w in words], check=True, cwd=self.folder, env=self.env, capture_output=True, text=True, **how).stdout

    def refused(self, out):
        done = subprocess.run(["tools/release", out], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and not os.path.exists(out), done
        return done.stderr

    def freeze(self):
        path = self.folder / "schema/migrations/hashes.txt"
        path.write_text(path.read_text().replace(" unreleased\n", f" {self.run('/usr/bin/python3', 'tools/schema.py', '--hash')}"))
        self.run("git", "commit", "--quiet", "--all", "--allow-empty", "--message", "schema: freeze")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    home = tempfile.mkdtemp(prefix="gnupg-")  # the path of the agent's socket is short
    try:
        yield Clone(tmp_path_factory.mktemp("clone"), home)
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": home}, check=False)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def released(clone, tmp_path_factory):
    """Folder of the release's files."""
    out, refused = tmp_path_factory.mktemp("released") / "files", tmp_path_factory.mktemp("refused") / "files"
    tag = f"v{clone.version}"
    assert f"no tag {tag}" in clone.refused(refused)
    if "unreleased\n" in (clone.folder / "schema/migrations/hashes.txt").read_text():
        clone.run("git", "tag", tag, "--no-sign", "--message", "x")
        assert "not frozen" in clone.refused(refused)
        clone.run("git", "tag", "--delete", tag)
        clone.freeze()
    clone.run("git", "tag", "--no-sign", tag, "--message", "x")
    assert "signature of the tag" in clone.refused(refused)
    clone.run("git", "tag", "--delete", tag)
    clone.run("git", "tag", "--sign", tag, "--message", f"Dari {clone.version}")
    clone.run("git", "verify-tag", tag)
    (clone.folder / "new").write_text("")
    assert "not committed" in clone.refused(refused)
    (clone.folder / "new").unlink()
    clone.run("sh", "-c", 'umask 022; exec tools/release "$1"', "sh", out, stdin=subprocess.DEVNULL)
    return out


def sums(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.suffix in (".deb", ".json")}


def test_the_files_are_signed(clone, released):
    version = clone.version
    names = {f.name for f in released.iterdir()}
    assert {f"dari-{version}.tar.gz", f"dari_{version}_amd64.deb", f"dari-host_{version}_all.deb", f"dari-{version}.cdx.json", f"dari_{version}_amd64.changes",
            f"dari_{version}_amd64.buildinfo", "SHA256SUMS", "SHA256SUMS.asc"} <= names
    clone.run("gpg", "--verify", released / "SHA256SUMS.asc", released / "SHA256SUMS")
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=released, check=True, capture_output=True)
    told = {line.split()[1] for line in (released / "SHA256SUMS").read_text().splitlines()}
    assert told == names - {"SHA256SUMS", "SHA256SUMS.asc"}


def test_two_builds_are_equal(clone, released, tmp_path_factory):
    second = tmp_path_factory.mktemp("a-longer-name-of-the-second")
    subprocess.run(["sh", "-c", 'umask 027; exec tools/deb "$1"', "sh", second], check=True, cwd=clone.folder, env={**clone.env, **OTHER}, stdout=subprocess.DEVNULL)
    (second / "sbom.cdx.json").rename(second / f"dari-{clone.version}.cdx.json")
    assert sums(released) == sums(second) and len(sums(second)) >= 3


def test_lintian_has_no_tags(released):
    (changes,) = released.glob("*.changes")
    done = subprocess.run(["lintian", "--allow-root", "--pedantic", str(changes)], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


def test_the_bill_of_materials_fits_its_schema(clone, released):
    tools = os.path.join(ROOT, "tools/clients")
    subprocess.run([tools, "install", "cyclonedx"], check=True)
    python = subprocess.run([tools, "where", "cyclonedx"], check=True, capture_output=True, text=True).stdout.strip() + "/bin/python3"
    done = subprocess.run([python, "-c", CHECK, str(released / f"dari-{clone.version}.cdx.json")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_source_archive_builds(clone, released, tmp_path):
    subprocess.run(["tar", "-xf", released / f"dari-{clone.version}.tar.gz", "-C", tmp_path], check=True)
    source = tmp_path / f"dari-{clone.version}"
    subprocess.run(["meson", "setup", "build", "--buildtype=release", "-Dtests=false", "-Dbench=false"], check=True, cwd=source, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build", "src/daemon/dari"], check=True, cwd=source, stdout=subprocess.DEVNULL)
    told = subprocess.run(["build/src/daemon/dari", "--version"], check=True, cwd=source, capture_output=True, text=True).stdout
    assert told == f"dari {clone.version}\n"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
