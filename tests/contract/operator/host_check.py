#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/host_check.sh src/daemon/commands_host_check.c
"""dari host check: reports each thing that a host can lack. `ssh` is fake and runs the shell here, where the tools that it uses (virsh, ovs-vsctl …)
are fake, too, and answer as on a host."""
import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI  # noqa: E402
import waiting  # noqa: E402

SSH = """
echo "$@" >"$STAND_INS/asked"
while [ "$1" != -- ]; do shift; done
shift 2
echo "Welcome to this machine"
exec "$@"
"""
# Answers of a host that lacks nothing.
HOST = {
    "id": "case $1 in -u) echo 0 ;; *) echo root ;; esac",
    "uname": "echo x86_64",
    "timedatectl": "echo yes",
    "virsh": "echo 'Running hypervisor: QEMU 7.2.17'",
    "qemu-system-x86_64": "",
    "swtpm": "",
    "swtpm_setup": "",
    "systemctl": "echo inactive; exit 3",
    "ip": "echo '2: eth0    inet 10.0.0.11/24 scope global eth0'",
    "ovn-appctl": "echo connected",
    "ovs-vsctl": """case "$*" in
        *system-id) echo '"hv1"' ;;
        *ovn-remote) echo '"tcp:10.0.0.1:6642"' ;;
        *ovn-encap-type) echo geneve ;;
        *ovn-encap-ip) echo '"10.0.0.11"' ;;
        *ovn-bridge-mappings) echo '"physnet1:br-ex"' ;;
        *br-exists*br-ex) ;;
        *) exit 2 ;;
    esac""",
    "df": "echo Filesystem; echo /dev/sda1 1000000 500000 500000 50% /",
}
OVS_DOWN = "echo 'ovs-vsctl: unix:/run/openvswitch/db.sock: database connection failed (No such file or directory)' >&2; exit 1"


@pytest.fixture
def check(tmp_path):
    def run(*flags, path="/usr/bin:/bin", without=(), config="/nowhere/dari.yaml", **tools):
        for name, script in {**HOST, **{name.replace("_", "-"): script for name, script in tools.items()}, "ssh": tools.get("ssh", SSH)}.items():
            if name in without:
                continue
            made = tmp_path / name
            made.write_text(f"#!/bin/sh\n{script}\n")
            made.chmod(0o755)
        argv = [DARI, "host", "check", *(flags or ["root@10.0.0.11", "--pool", str(tmp_path)])]
        env = {"PATH": f"{tmp_path}:{path}", "STAND_INS": str(tmp_path), "DARI_CONFIG": config}
        return waiting.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return run


def states(done):
    """{part: its mark}, and the text of each faulty one."""
    lines = done.stdout.splitlines()
    return {line[4:20].strip(): line[:2] for line in lines if line[:2] in {"ok", "??", "!!"}}


def test_a_host_that_lacks_nothing(check, tmp_path):
    done = check()
    here = {"virtualization", "firmware", "system", "certificate"}  # files of this machine decide these
    told = states(done)
    assert len(told) == 14, done
    assert {mark for part, mark in told.items() if part not in here} == {"ok"}, done.stdout
    assert "!!" not in {mark for part, mark in told.items() if part != "certificate"}, done.stdout
    assert (tmp_path / "asked").read_text().split() == ["-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "ControlMaster=no",
                                                         "--", "root@10.0.0.11", "sh", "-s"]


@pytest.mark.parametrize("part, tools, words", [
    ("user", {"id": "case $1 in -u) echo 1000 ;; *) echo ann ;; esac"}, ["ann", "root@ADDRESS"]),
    ("system", {"uname": "echo aarch64"}, ["aarch64"]),
    ("clock", {"date": "echo 1000000"}, ["s from the clock here", "chrony"]),
    ("clock", {"timedatectl": "echo no"}, ["synchronized: no"]),
    ("libvirt", {"virsh": "echo 'error: Failed to connect socket' >&2; exit 1"}, ["Failed to connect socket", "systemctl status libvirtd"]),
    ("libvirt-guests", {"systemctl": "echo active"}, ["active", "apt install dari-host"]),
    ("pool", {"df": "echo Filesystem; echo /dev/sda1 1000000 990000 10000 99% /"}, ["99% used"]),
    ("system-id", {"ovs-vsctl": OVS_DOWN}, ["dari host add"]),
    ("ovn-remote", {"ovs-vsctl": OVS_DOWN}, ["southbound"]),
    ("tunnels", {"ip": "echo '2: eth0    inet 10.0.0.12/24 scope global eth0'"}, ["geneve, 10.0.0.11"]),
    ("tunnels", {"ovs-vsctl": HOST["ovs-vsctl"].replace("echo geneve", "echo geneve,vxlan")}, ["geneve,vxlan"]),
    ("ovn-controller", {"ovn-appctl": "echo 'not connected'"}, ["not connected", "ovn-controller.log"]),
    ("bridges", {"ovs-vsctl": HOST["ovs-vsctl"].replace("*br-exists*br-ex", "*br-exists*br-none")}, ["there is no bridge br-ex"]),
])
def test_each_lack_is_told(check, part, tools, words):
    done = check(**tools)
    marks = states(done)
    assert marks[part] in {"!!", "??"} and len(marks) == 14, done.stdout
    lines = done.stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line[4:20].strip() == part)
    assert all(word in lines[at] + lines[at + 1] for word in words), lines[at:at + 2]
    assert done.returncode == (1 if "!!" in marks.values() else 0)


def test_a_bare_machine(check, tmp_path):
    """Open vSwitch and OVN are not installed: no error of the shell is shown, and the last lines name the command that sets the machine up."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "sed", "tr", "awk", "grep", "date", "openssl", "df"):
        (tools / name).symlink_to(shutil.which(name))
    done = check(path=str(tools), without=("ovs-vsctl", "ovn-appctl"))
    marks = states(done)
    assert {part for part in ("system-id", "ovn-remote", "tunnels", "ovn-controller") if marks[part] == "!!"} == {"system-id", "ovn-remote", "tunnels", "ovn-controller"}, done.stdout
    assert "not found" not in done.stdout and "Open vSwitch is not installed" in done.stdout and "`dari host add root@10.0.0.11 --as NAME`" in done.stdout, done.stdout


FLOWS = HOST["ovs-vsctl"].replace('*) exit 2', """*"get Bridge br-int ipfix") echo 5d2c ;;
        *Flow_Sample_Collector_Set*113*) echo 77aa ;;
        *"get IPFIX 5d2c targets" | *"get IPFIX 77aa targets") echo '["10.0.0.9:4739"]' ;;
        *) exit 2""")


@pytest.mark.parametrize("listen, mark", [("10.0.0.9:4739", "ok"), ("0.0.0.0:4739", "ok"), ("10.0.0.8:4739", "!!"), ("", None)])
def test_reports_for_flow_logs(check, tmp_path, listen, mark):
    """Only a machine whose configuration has flow_logs.listen asks for them."""
    config = tmp_path / "dari.yaml"
    config.write_text("region:\n  id: 5ba3a6a0-0a0e-4b6e-9a55-6a2f0d3b7c11\n" + (f"flow_logs:\n  listen: '{listen}'\n" if listen else ""))
    done = check(config=str(config), ovs_vsctl=FLOWS)
    assert states(done).get("flows") == mark, done
    bare = check(config=str(config))
    assert states(bare).get("flows") == ("!!" if listen else None), bare


def test_a_pool_that_is_not_there(check):
    done = check("root@10.0.0.11", "--pool", "/nowhere/images")
    assert states(done)["pool"] == "!!" and "no directory /nowhere/images" in done.stdout and done.returncode == 1


def test_a_host_that_is_not_reached(check):
    done = check(ssh="echo 'Host key verification failed.' >&2; exit 255")
    assert done.returncode == 1 and done.stdout == ""
    assert "Host key verification failed." in done.stderr and "Try: ssh root@10.0.0.11 true" in done.stderr


def test_a_host_that_is_cut_off_is_not_judged(check):
    done = check(ssh=r"printf 'dari-check\tok\tuser\troot\tx\n'; exit 255")
    assert done.returncode == 1 and done.stdout == "", done


def test_what_a_host_says_does_not_reach_the_terminal_as_it_is(check):
    done = check(virsh=r"printf 'Running hypervisor: \033[2J\007evil\n'")
    assert "?[2J?evil" in done.stdout and "\033" not in done.stdout


@pytest.mark.parametrize("flags", [["-oProxyCommand=id"], ["root@a;id"], [""], ["root@a", "--pool", "x"], ["root@a", "--pool", "/x;id"],
                                   ["root@a", "--pool", ""]])
def test_bad_words_reach_no_shell(check, tmp_path, flags):
    done = check(*flags)
    assert done.returncode in {1, 2} and done.stderr and not (tmp_path / "asked").exists(), done


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
