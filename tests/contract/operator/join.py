#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/join src/daemon/commands_init src/daemon/settings
"""dari init --join root@HOST: a second machine gets a region's configuration and keys. The other machine is a folder; `ssh` is fake, and runs the shell
there. The region's database is on a real PostgreSQL server."""
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
from pem import Certificate  # noqa: E402
from postgresql import Server  # noqa: E402
import waiting  # noqa: E402

OVN = "tcp:10.0.0.1:6641,tcp:10.0.0.2:6641,tcp:10.0.0.3:6641"
# The region was made in the folder `here`, which then became `there`: paths are the same on both machines.
SSH = r"""#!/bin/sh
while [ "$1" != -- ]; do shift; done
[ "$2" = root@dari1 ] || { echo "no route to $2" >&2; exit 255; }
PATH="$TOOLS/there:$PATH"
echo "Welcome to this machine"
sed "s|$FOLDER/here|$FOLDER/there|g" | sh -s | sed "s|$FOLDER/there|$FOLDER/here|g"
"""


@pytest.fixture(scope="module")
def server():
    with Server() as running:
        yield running


class Pair:
    """Two machines."""

    def __init__(self, folder, store):
        self.folder, self.here, self.there = folder, folder / "here", folder / "there"
        tools = folder / "tools"
        (tools / "there").mkdir(parents=True)
        (tools / "ssh").write_text(SSH)
        (tools / "there/dari").write_text(f"#!/bin/sh\nexec {DARI} \"$@\"\n")
        for tool in [tools / "ssh", tools / "there/dari"]:
            tool.chmod(0o755)
        self.env = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", TOOLS=str(tools), FOLDER=str(folder))
        self.here.mkdir()
        made = self.run("init", "--yes", "--data", str(self.here / "data"), "--socket", str(self.here / "socket"), "--address", "0.0.0.0", "--no-tls",
                        "--endpoint", "http://cloud.example.com:8788", "--ovn", OVN, "--ovn-southbound", OVN.replace("6641", "6642"), "--chassis", "first",
                        *(["--store", store] if store else []))
        assert made.returncode == 0, made.stderr
        (self.here / "data/bearer.key").write_bytes(bytes(range(32)))
        (self.here / "data/libvirt/hosts").mkdir(parents=True)
        (self.here / "data/libvirt/ca.key").write_text("the authority's key")
        (self.here / "data/libvirt/hosts/hv1.json").write_text("{}")
        for file in ["bearer.key", "libvirt/ca.key"]:
            (self.here / "data" / file).chmod(0o600)
        self.here.rename(self.there)

    @property
    def config(self):
        return self.here / "dari.yaml"

    def run(self, *argv):
        return waiting.run([DARI, "--config", self.config, *argv], capture_output=True, text=True, env=self.env)

    def join(self, *more, address="root@dari1"):
        return self.run("init", "--join", address, *(more or ("--chassis", "second", "--peer", "http://dari2:8788")))

    def refuses(self, words, *more):
        done = self.join(*more)
        assert done.returncode == 1 and words in done.stderr, done.stdout + done.stderr
        assert not self.config.exists()

    def edit(self, old, new):
        file = self.there / "dari.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


@pytest.fixture(name="pair")
def make_pair(server, tmp_path):
    return Pair(tmp_path, server.create("join" + tmp_path.name.replace("-", "")))


def files_of(folder):
    return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mode & 0o777) for f in folder.rglob("*") if f.is_file()}


def test_joins(pair):
    pair.edit("dns:\n", "# four hosts a second\nlimits:\n  reads_burst: 77\ndns:\n")
    plan = pair.join("--chassis", "second", "--peer", "http://dari2:8788", "--plan")
    assert plan.returncode == 0 and "copy     " + str(pair.here / "data/master.key") in plan.stdout, plan.stdout + plan.stderr
    assert not pair.here.exists()
    done = pair.join()
    assert done.returncode == 0, done.stderr
    assert "set store_peer in" in done.stdout
    assert files_of(pair.here / "data") == files_of(pair.there / "data")
    first, second = (yaml.safe_load((f / "dari.yaml").read_text()) for f in [pair.there, pair.here])
    assert second.pop("store_peer") == "http://dari2:8788"
    assert second["ovn"].pop("chassis") == "second" and first["ovn"].pop("chassis") == "first"
    assert second == first
    assert "# four hosts a second\n" in pair.config.read_text()
    again = pair.join()
    assert again.returncode == 0 and "copy" not in again.stdout, again.stdout + again.stderr


def test_certificates(pair):
    """The API's certificate is copied, or this machine has its own; OVN's are copied."""
    own = Certificate("dari1")
    for name, text in {"api.crt": own.text, "api.key": own.key, "ovn-ca.pem": own.text}.items():
        (pair.there / name).write_text(text)
    pair.edit("  port:", f"  certificate: {pair.here}/api.crt\n  key: {pair.here}/api.key\n  port:")
    pair.edit("ovn:\n", f"ovn:\n  ca: {pair.here}/ovn-ca.pem\n")
    pair.refuses("--peer is missing", "--chassis", "second")
    done = pair.join("--chassis", "second", "--certificate", "/etc/ssl/own.crt", "--key", "/etc/ssl/own.key", "--address", "10.0.0.2")
    assert done.returncode == 0, done.stderr
    second = yaml.safe_load(pair.config.read_text())
    assert (second["api"]["certificate"], second["api"]["address"]) == ("/etc/ssl/own.crt", "10.0.0.2")
    assert second["store_peer"].startswith("https://")
    assert (pair.here / "ovn-ca.pem").read_text() == own.text and not (pair.here / "api.key").exists()
    pair.config.unlink()
    assert pair.join().returncode == 0
    assert (pair.here / "api.key").read_text() == own.key


def test_refusals(pair):
    pair.refuses("--zone is an option of a new region", "--zone", "a")
    pair.refuses("--certificate and --key go together", "--certificate", "/x")
    pair.refuses("a host is root@ADDRESS", "--join", "-oProxyCommand=x")
    pair.refuses("no route to root@dari9", "--join", "root@dari9")
    pair.refuses("--address wants an IP address", "--chassis", "s", "--address", "dari2")
    pair.refuses("Open vSwitch does not answer", "--ovs", "unix:/nonexistent")
    pair.edit("address: 0.0.0.0", "address: 10.0.0.1")
    pair.refuses("--address is missing", "--chassis", "s")
    pair.edit("address: 10.0.0.1", "address: 127.0.0.1")
    pair.refuses("which other machines cannot reach", "--chassis", "s")
    pair.edit("address: 127.0.0.1", "address: 10.0.0.1")
    pair.edit(OVN, "unix:/run/ovn/ovnnb_db.sock")
    pair.refuses("ovn.northbound of root@dari1 is a socket", "--chassis", "s")
    pair.edit("unix:/run/ovn/ovnnb_db.sock", OVN)
    pair.edit("ovn:\n  northbound", "ovn: {northbound: \"tcp:10.0.0.1:6641\", chassis: first}\nrest:\n  northbound")
    pair.refuses("unknown key", "--chassis", "s")


def test_flow_style(pair):
    """YAML that the command cannot edit is refused, rather than changed into something else."""
    file = pair.there / "dari.yaml"
    value = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(value, default_flow_style=True, width=10000))
    pair.refuses("copy it by hand", "--chassis", "second", "--peer", "http://dari2:8788")


def test_sqlite(tmp_path):
    Pair(tmp_path, None).refuses("which serves one machine", "--chassis", "s")


def test_other_version(pair):
    (pair.folder / "tools/there/dari").write_text("#!/bin/sh\necho dari 0.0.1\n")
    pair.refuses("install the same version on both", "--chassis", "s")


def test_other_keys(pair):
    (pair.here / "data").mkdir(parents=True)
    (pair.here / "data/master.key").write_bytes(bytes(32))
    pair.refuses("differs from that of root@dari1")
    assert [f.name for f in (pair.here / "data").iterdir()] == ["master.key"]
    (pair.here / "data/master.key").rename(pair.here / "data/dari.db")
    pair.refuses("is the database of another region")


@pytest.mark.parametrize("name", ["../../x", "/etc/../x", "a\x1b[2J", "libvirt/$(id)", "libvirt/../../x", "/etc/cron.d/dari-join", "dari.db"])
def test_hostile_names(pair, name):
    """The other machine sends no files but those that it is asked for."""
    tool = pair.folder / "tools/ssh"
    tool.write_text(tool.read_text() + f"printf '=%s 600 eA==\\n' '{name}'\n")
    pair.refuses("sent a file that cannot be read")
    assert "\x1b" not in pair.join().stderr
    assert not (pair.folder / "x").exists()


def test_unreadable(pair):
    """A file that is not there is no empty file here."""
    (pair.there / "data/bearer.key").unlink()
    pair.refuses("bearer.key cannot be read")
    assert not pair.here.exists()


def test_cut_off(pair):
    """An interrupted run leaves no configuration, and the next one copies the rest."""
    file = pair.there / "data/libvirt/ca.key"
    text = file.read_text()
    file.unlink()
    assert pair.join().returncode == 0
    pair.config.unlink()
    file.write_text(text)
    done = pair.join()
    assert done.returncode == 0, done.stderr
    assert (pair.here / "data/libvirt/ca.key").read_text() == text


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
