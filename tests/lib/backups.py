# SPDX-License-Identifier: Apache-2.0
"""A region whose backups a test makes and restores."""
import glob
import json
import subprocess
import tempfile

from dev import DARI, Dev


class Place:
    """A region with a database of its own, a target, and a recovery key."""

    def __init__(self, top, *options):
        self.top, self.data, self.store = top, str(top / "data"), top / "target"
        self.target, self.key, self.certificate = f"file://{self.store}", str(top / "recovery.key"), str(top / "recovery.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", "/CN=recovery", "-keyout", self.key,
                        "-out", self.certificate], check=True, capture_output=True)
        self.dev = Dev("--data", self.data, *options)

    def run(self, *words):
        return subprocess.run([DARI, "--config", self.dev.config, *words], capture_output=True, text=True, check=False)

    def backup(self, *words):
        done = self.run("backup", self.target, *words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def make(self, *words):
        return self.backup("--recovery-certificate", self.certificate, *words)[0]

    def restore(self, root, *words):
        """Below a folder, or in place with None."""
        below = ["--root", str(root)] if root else []
        return subprocess.run([DARI, "restore", self.target, *below, *words], capture_output=True, text=True, check=False)

    def folder(self, made):
        (found,) = glob.glob(f"{self.store}/regions/*/{made['id']}")
        return found


def short_folder():
    """A restored path has both folders in it, and a socket's path is short."""
    return tempfile.TemporaryDirectory(prefix="rb-")


def restored(place, root, *options):
    """The region of the restored files, with the credentials of before: the secrets in its rows open with its master key."""
    dev = Dev("--data", f"{root}{place.data}", *options)
    dev.account.key_id, dev.account.secret = place.dev.account.key_id, place.dev.account.secret
    return dev
