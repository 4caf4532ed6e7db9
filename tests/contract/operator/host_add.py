#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/host_ src/daemon/commands_host src/daemon/onboard src/daemon/authority
"""dari host add root@ADDRESS, host renew, host remove --undo on a fake machine: a directory, with fake tools that record their input in files. `ssh`
is fake, too, and runs the shell here; openssl is real. The script is killed before each of its changes, and run again."""
# limit: 900 s
import base64
import hashlib
import itertools
import json
import os
import random
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import DARI, Dev  # noqa: E402
import waiting  # noqa: E402

KILLS, FIRST = os.environ.get("KILLS", "5"), int(os.environ.get("FIRST", "0"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519 of a stand-in").decode()


def fingerprint_of(key):
    return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")


FINGERPRINT = fingerprint_of(KEY)
OTHER_FINGERPRINT = "SHA256:" + base64.b64encode(bytes(32)).decode().rstrip("=")

# Runs before a change: kills the script if the test wants that here.
TICK = r"""
tick() {
    read -r ticks <"$STATE/ticks"
    echo $((ticks + 1)) >"$STATE/ticks"
    [ "$ticks" != "$(cat "$STATE/kill-at")" ] || kill -9 -"$(cat "$STATE/pid")"
}
"""
SSH = r"""
echo "$@" >>"$STATE/asked"
file='' alias=''
while [ "$1" != -- ]; do
    case $1 in UserKnownHostsFile=*) file=${1#*=} ;; HostKeyAlias=*) alias=${1#*=} ;; StrictHostKeyChecking=*) check=${1#*=} ;; esac
    shift
done
shift 2
file=$(echo "$file" | tr -d '"')
if [ "$check" = accept-new ]; then
    echo "$alias ssh-ed25519 $KEY" >"$file"
    echo 'Permission denied (publickey).' >&2
    exit 255
fi
grep -qx "$alias ssh-ed25519 $KEY" "$file" || { echo 'Host key verification failed.' >&2; exit 255; }
echo $$ >"$STATE/pid"
export SSH_CONNECTION="10.0.0.1 40000 10.0.0.11 22"
export DARI_HOST_ROOT="$STATE/root" PATH="$STATE/tools:$PATH"
echo "Welcome to this machine"
exec "$@"
"""
# A fake systemctl: a unit's state, "enabled active", is in a file with its name.
SYSTEMCTL = r"""
verb=$1
shift
[ "$1" != --quiet ] || shift
unit=$1
case $unit in *.*) ;; *) unit=$unit.service ;; esac
file=$STATE/units/$unit
case $verb in
list-unit-files) exit 0 ;;
daemon-reload) exit 0 ;;
cat) [ -e "$file" ]; exit ;;
esac
[ -e "$file" ] || { case $verb in is-*) ;; *) echo "no unit $unit" >&2 ;; esac; exit 4; }
read -r enabled active <"$file"
serve() {
    rm -f "$STATE/served"
    [ "$(cat "$STATE/units/libvirtd-tls.socket")" != "enabled active" ] || grep -qs '^listen_tls = 1' "$STATE/root/etc/libvirt/libvirtd.conf" ||
        { echo "no TLS settings" >&2; exit 1; }
    case $(cat "$STATE/units/libvirtd-tls.socket") in *' active') cp "$STATE/root/etc/pki/libvirt/servercert.pem" "$STATE/served" ;; esac
}
case $verb in
is-enabled) echo "$enabled"; exit ;;
is-active) echo "$active"; [ "$active" = active ]; exit ;;
esac
tick
case $verb in
enable) enabled=enabled ;;
disable) enabled=disabled ;;
start | restart)
    [ "$unit" != libvirtd-tls.socket ] || case $(cat "$STATE/units/libvirtd.service") in
        *' active') echo "Socket service libvirtd.service already active, refusing." >&2; exit 1 ;; esac
    [ "$unit" != libvirtd.service ] || serve
    active=active ;;
stop) active=inactive; [ "$unit" != libvirtd.service ] || rm -f "$STATE/served" ;;
esac
echo "$enabled $active" >"$file"
"""
# A fake ovs-vsctl: values are files below ovs/, and ports of br-ex files below ports/. An exporter's id is its target.
OVS = r"""
while :; do case $1 in --timeout=* | --no-wait | --if-exists | --may-exist | --bare | --columns=*) shift ;; *) break ;; esac; done
case $1 in
show) ;;
--id=@bridge)
    tick
    target=$(echo "$*" | sed 's/.*targets="\([^"]*\)".*/\1/')
    for one in ipfix drops; do printf %s "$target" >"$STATE/ovs/$one"; done ;;
find) [ ! -e "$STATE/ovs/drops" ] || cat "$STATE/ovs/drops" ;;
destroy) tick; rm -f "$STATE/ovs/drops" ;;
clear) tick; rm -f "$STATE/ovs/ipfix" ;;
get) [ "$2" != IPFIX ] || { echo "[$3]"; exit 0; }
    k=${4#external_ids:}; [ ! -e "$STATE/ovs/$k" ] || printf '"%s"\n' "$(cat "$STATE/ovs/$k")" ;;
set) tick; kv=${4#external_ids:}; v=${kv#*=}; printf %s "$v" | tr -d '"' >"$STATE/ovs/${kv%%=*}" ;;
remove) tick; rm -f "$STATE/ovs/$5" ;;
br-exists) [ -d "$STATE/ports/$2" ] || exit 2 ;;
list-ports) ls "$STATE/ports/$2" ;;
port-to-br) [ -e "$STATE/ports/br-ex/$2" ] && echo br-ex ;;
add-br) tick; mkdir -p "$STATE/ports/br-ex"; touch "$STATE/ports/br-ex/$7" ;;
del-port) tick; rm -f "$STATE/ports/$2/$3" ;;
del-br) tick; rm -rf "$STATE/ports/$2" ;;
*) exit 1 ;;
esac
"""
APT_GET = r"""
simulated='' verb=''
for word; do
    case $word in -s) simulated=1 ;; update | install | purge) verb=$word ;; esac
done
names=$(echo "$*" | sed "s/.*$verb//")
[ "$verb" != update ] || exit 0
for name in $names; do
    case $verb in
    install)
        for more in lib-of-$name $name; do
            grep -qx "$more" "$STATE/packages" && continue
            if [ "$simulated" ]; then echo "Inst $more (1.0 Debian)"; else tick; echo "$more" >>"$STATE/packages"; fi
        done ;;
    purge)
        if [ "$simulated" ]; then echo "Purg $name [1.0]"; cat "$STATE/needs" 2>/dev/null
        else tick; grep -vx "$name" "$STATE/packages" >"$STATE/packages.new"; mv "$STATE/packages.new" "$STATE/packages"; fi ;;
    esac
done
"""
TOOLS = {
    "id": "case $1 in -u) echo 0 ;; *) echo root ;; esac",
    "uname": "case $1 in -m) echo x86_64 ;; -n) echo hv9.example.org ;; esac",
    "timedatectl": "echo yes",
    "systemctl": SYSTEMCTL,
    "ovs-vsctl": OVS,
    "ovn-appctl": "case $* in *version) exit 0 ;; esac; [ -s \"$STATE/ovs/ovn-remote\" ] && echo connected",
    "apt-get": APT_GET,
    "apt-cache": "echo '  Candidate: (none)'",
    "dpkg": "exit 0",
    "dpkg-query": "sed 's/^/installed /' \"$STATE/packages\"",
    "virsh": r"""case $* in
        *pool-list*--all*) cat "$STATE/pools" ;;
        *pool-list*) ;;
        *pool-undefine*) tick; grep -vx "$4" "$STATE/pools" >"$STATE/pools.new"; mv "$STATE/pools.new" "$STATE/pools" ;;
        *) cat "$STATE/guests" ;;
        esac""",
    "virt-admin": "tick; cp \"$STATE/root/etc/pki/libvirt/servercert.pem\" \"$STATE/served\"",
    "openssl": '[ "$1" = s_client ] || exec /usr/bin/openssl "$@"\ncat "$STATE/served"',
    "ip": r"""case $* in
        *'route get'*) echo '10.0.0.1 dev eth0 src 10.0.0.11 uid 0' ;;
        *'route show'*) echo '10.0.0.0/24 src 10.0.0.11' ;;
        *'address show dev eth2'*) echo '4: eth2    inet 192.0.2.7/24 scope global eth2' ;;
        *'address show dev'*) ;;
        *'address show'*) echo '2: eth0    inet 10.0.0.11/24 scope global eth0' ;;
        esac""",
    "ufw": r"""case $1 in
        status) echo 'Status: active' ;;
        show) cat "$STATE/rules" ;;
        allow) tick; echo "ufw $*" >>"$STATE/rules" ;;
        delete) tick; shift; grep -vx "ufw $*" "$STATE/rules" >"$STATE/rules.new"; mv "$STATE/rules.new" "$STATE/rules" ;;
        esac""",
    "sleep": "exit 0",
    "nft": "exit 0",
    "restorecon": "exit 0",
    "chgrp": "exit 0",
    **{name: f'tick\nexec /usr/bin/{name} "$@"' for name in ("mv", "mkdir", "rmdir", "cp", "chmod")},
}
UNITS = {"chrony.service": "enabled active", "libvirtd.service": "enabled active", "libvirtd.socket": "enabled active",
         "libvirtd-tls.socket": "disabled inactive", "libvirt-guests.service": "enabled active", "ovn-controller.service": "enabled active",
         "openvswitch-switch.service": "enabled active"}
NEEDED = ["iproute2", "libvirt-clients", "libvirt-daemon-driver-qemu", "libvirt-daemon-system", "openssl", "openvswitch-switch", "ovmf",
          "ovn-host", "qemu-system-x86", "qemu-utils", "seabios"]  # the name must not match swtpm-tools, either
FLAGS = ["--ovn-remote", "tcp:10.0.0.1:6642", "--uri", "sim://", "--uplink", "eth1"]

NUMBERS = itertools.count()


class Machine:
    """A machine that was used before: it has certificates of another authority, a name in Open vSwitch, an uplink."""

    def __init__(self, folder, config):
        self.folder, self.config, self.key, self.address = str(folder), config, KEY, f"root@machine-{next(NUMBERS)}"
        self.write("root/etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
        self.write("root/etc/libvirt/libvirtd.conf", '#listen_tls = 0\nhost_uuid = "x"\n')
        self.write("root/etc/libvirt/qemu.conf", "#user = x\n")
        self.write("root/etc/openvswitch/system-id.conf", "de305d54-75b4-431b-adb2-eb6b9e546014\n")
        self.write("root/etc/pki/CA/cacert.pem", "another's\n")
        self.write("root/sys/class/net/eth1/mtu", "1500\n")
        self.write("root/sys/class/net/eth2/mtu", "1500\n")
        self.write("root/var/lib/libvirt/x", "")
        self.write("ovs/system-id", "de305d54-75b4-431b-adb2-eb6b9e546014")
        self.write("ovs/other", "stays")
        self.write("ports/none", "")
        self.write("packages", "\n".join(NEEDED) + "\n")
        for name in ("rules", "guests", "pools"):
            self.write(name, "")
        for name, state in UNITS.items():
            self.write(f"units/{name}", state + "\n")
        for name, script in TOOLS.items():
            self.tool(name, script)
        self.write("bin/ssh", f"#!/bin/sh\n{SSH}", 0o755)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def tool(self, name, script):
        self.write(f"tools/{name}", f"#!/bin/sh\n{TICK}\n{script}\n", 0o755)

    def dari(self, *argv, kill_at="never"):
        self.write("ticks", "0\n")
        self.write("kill-at", kill_at)
        env = {"PATH": f"{self.path('bin')}:/usr/sbin:/usr/bin:/bin", "STATE": self.folder, "KEY": self.key, "DARI_CONFIG": self.config}
        return waiting.run([DARI, *argv], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def add(self, *flags, **more):
        return self.dari("host", "add", self.address, "--fingerprint", FINGERPRINT, *FLAGS, *flags, **more)

    def remove(self, *flags, **more):
        return self.dari("host", "remove", "hv9", "--undo", *flags, **more)

    def state(self):
        """The machine's visible state: each file with its content, except random content."""
        seen = {}
        for top in ("root", "ovs", "ports", "units", "packages", "rules"):
            for folder, folders, names in os.walk(self.path(top)):
                seen.update({os.path.relpath(os.path.join(folder, name), self.folder): "folder" for name in folders})
                for name in names:
                    path = os.path.relpath(os.path.join(folder, name), self.folder)
                    seen[path] = oct(os.stat(self.path(path)).st_mode) + self.read(path)
        seen["packages"] = sorted(self.read("packages").split())
        return {path: what for path, what in seen.items() if not path.startswith("root/run")}

    def result(self):
        """The same, where keys and certificates are only marked as present."""
        return {path: "pem" if "BEGIN" in what else what for path, what in self.state().items() if path != "root/etc/dari-host.yaml"}


@pytest.fixture(scope="session")
def dev():
    with Dev("--hosts", "1") as server:
        yield server


@pytest.fixture
def machine(tmp_path, dev):
    it = Machine(tmp_path, dev.config)
    yield it
    it.write("guests", "")
    it.remove("--ssh", it.address)


def marks(done):
    return {line[4:18].strip(): line[:2] for line in done.stdout.splitlines() if line[:2] in {"ok", "??", "!!", "->", "++"}}


def test_a_plan_changes_nothing(machine):
    before = machine.state()
    done = machine.add("--plan")
    assert done.returncode == 0, done
    assert machine.state() == before
    told = marks(done)
    assert {step for step, mark in told.items() if mark == "->"} == {
        "packages", "pool", "guests", "certificates", "settings", "libvirt", "ovs", "bridge", "ovn", "firewall"}, done.stdout
    for command in ("apt-get", "systemctl start libvirtd-tls.socket", "external_ids:system-id=", "add-port br-ex eth1", "ufw allow from 10.0.0.1",
                    "in /etc/libvirt/libvirtd.conf: auth_tls = \"none\"", "write /etc/pki/CA/cacert.pem, mode 644"):
        assert command in done.stdout, done.stdout


def test_added_renewed_and_taken_back(machine, dev):
    before = machine.state()
    done = machine.add()
    assert done.returncode == 0 and "host hv9 is up" in done.stdout, done
    asked = machine.read("asked").splitlines()
    assert "StrictHostKeyChecking=accept-new" in asked[0] and "PubkeyAuthentication=no" in asked[0]
    assert all("StrictHostKeyChecking=yes" in line and "BatchMode=yes" in line and "ControlMaster=no" in line for line in asked[1:])
    assert not any("StrictHostKeyChecking=no" in line for line in asked)
    assert machine.read("ovs/system-id") == "hv9" and machine.read("ovs/ovn-encap-ip") == "10.0.0.11"
    assert machine.read("root/etc/openvswitch/system-id.conf") == "hv9\n"
    assert machine.read("ovs/ovn-bridge-mappings") == "physnet1:br-ex" and os.path.exists(machine.path("ports/br-ex/eth1"))
    conf = machine.read("root/etc/libvirt/libvirtd.conf")
    assert re.search(r'tls_allowed_dn_list = \["CN=dari [0-9a-f-]{36}"\]', conf) and conf.endswith('#listen_tls = 0\nhost_uuid = "x"\n')
    assert oct(os.stat(machine.path("root/etc/pki/libvirt/private/serverkey.pem")).st_mode)[-3:] == "600"
    assert machine.read("units/libvirt-guests.service") == "disabled active\n"
    assert "ufw allow from 10.0.0.1 to any port 16514 proto tcp" in machine.read("rules")
    assert re.search(r"^ovs system-id: 'was de305d54", machine.read("root/etc/dari-host.yaml"), re.MULTILINE)
    served = machine.read("served")
    text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=served, capture_output=True, text=True, check=True).stdout
    assert "IP Address:10.0.0.11" in text and "Subject: CN = hv9" in text
    again = machine.add()
    assert again.returncode == 0 and set(marks(again).values()) == {"ok"}, again.stdout
    assert machine.read("served") == served
    renewed = machine.dari("host", "renew", "hv9")
    assert renewed.returncode == 0 and marks(renewed)["certificates"] == "++", renewed
    assert machine.read("served") != served
    assert "until" in machine.dari("host", "authority").stdout
    log = [json.loads(line) for line in machine.dari("log", "audit", "--action", "dari:host sign", "--json").stdout.splitlines()]
    assert len([r for r in log if "name=hv9" in json.dumps(r) and r["outcome"] == "ok"]) >= 2, log
    nothing = machine.dari("host", "renew", "--all")
    assert nothing.returncode == 0 and nothing.stdout == "", nothing
    told = machine.remove("--plan")
    assert told.returncode == 0 and "ovs-vsctl" in told.stdout
    region = re.search(r"^region: '([0-9a-f]{8})", machine.read("root/etc/dari-host.yaml"), re.MULTILINE)[1]
    machine.write("pools", f"dari-{region}\ndari-{region}-console\ndefault\ndari-theirs\n")  # as a server that drives the host defines them
    undone = machine.remove()
    assert undone.returncode == 0, undone
    assert machine.state() == before and machine.read("pools") == "default\ndari-theirs\n"
    assert "hv9" not in machine.dari("host", "list").stdout


def test_the_authority_is_replaced(machine):
    def trusted():
        return machine.read("root/etc/pki/CA/cacert.pem").count("BEGIN CERTIFICATE")

    def issuer(of):
        return subprocess.run(["openssl", "x509", "-noout", "-issuer"], input=of, capture_output=True, text=True, check=True).stdout

    assert machine.add().returncode == 0 and trusted() == 1
    first = issuer(machine.read("served"))
    begun = machine.dari("host", "replace-authority")
    assert begun.returncode == 0 and "hv9 does not yet" in begun.stdout, begun
    again = machine.dari("host", "replace-authority")
    assert again.returncode == 1 and "being replaced already" in again.stderr, again
    assert "!!" in next(line for line in machine.dari("doctor").stdout.splitlines() if "host certificates" in line)
    one = machine.dari("host", "renew", "hv9")
    assert one.returncode == 0 and trusted() == 2 and issuer(machine.read("served")) == first, one
    assert "which is trusted still: hv9" in machine.dari("host", "authority").stdout
    ended = machine.dari("host", "renew", "--all")
    assert ended.returncode == 0 and ended.stdout.count("hv9:") == 2, ended
    assert trusted() == 1 and issuer(machine.read("served")) != first
    told = machine.dari("host", "authority").stdout
    assert "replaced" not in told and "renewed" not in told, told
    assert machine.dari("host", "renew", "--all").stdout == ""
    assert machine.add().returncode == 0
    log = [json.loads(line) for line in machine.dari("log", "audit", "--action", "dari:host replace-authority", "--json").stdout.splitlines()]
    assert [r["outcome"] for r in log[-2:]] == ["ok", "refused"] or len(log) >= 2, log


def test_killed_before_a_change(machine):
    """Onboarding, and then its undoing: killed before some of their changes (KILLS=all: each), and run again."""
    before = machine.state()
    assert machine.add().returncode == 0
    ticks, wanted = int(machine.read("ticks")), machine.result()
    assert machine.remove().returncode == 0 and machine.state() == before
    assert ticks > 100
    chosen = range(FIRST, ticks) if KILLS == "all" else sorted(random.Random(SEED).sample(range(ticks), int(KILLS)))
    print(f"SEED={SEED}, {ticks} changes, killed before {list(chosen)}")
    for tick in chosen:
        done = machine.add(kill_at=str(tick))
        assert done.returncode != 0 or tick > ticks - 5, (tick, done)
        done = machine.add()
        assert done.returncode == 0, (tick, done)
        assert machine.result() == wanted, tick
        done = machine.remove(kill_at=str(tick))
        done = machine.remove("--ssh", machine.address) if done.returncode else done
        assert done.returncode == 0, (tick, done)
        assert machine.state() == before, tick


@pytest.mark.parametrize("flags, words", [
    (["--uplink", "eth0"], "eth0 carries the connection"),
    (["--uplink", "eth2"], "eth2 has addresses"),
    (["--uplink", "eth7"], "no interface eth7"),
])
def test_an_uplink_that_would_cut_off(machine, flags, words):
    done = machine.add(*flags)
    assert done.returncode == 1 and words in done.stdout and not os.path.exists(machine.path("ports/br-ex")), done


def test_another_region_leaves_it_alone(machine):
    machine.write("root/etc/dari-host.yaml", "region: 'other'\nhost: 'hv9'\n")
    before = machine.state()
    done = machine.add()
    assert done.returncode == 1 and "of another region" in done.stdout, done
    assert machine.state() == before


def report_to(machine, dev, place):
    """Gives the machine's commands a configuration with that flow_logs.listen."""
    with open(dev.config, encoding="utf-8") as f:
        text = f.read()
    machine.config = f"{os.path.splitext(dev.config)[0]}-flows.yaml"
    with open(machine.config, "w", encoding="utf-8") as f:
        f.write(text + (f"flow_logs:\n  listen: '{place}'\n" if place else ""))


def test_traffic_is_reported_for_flow_logs(machine, dev):
    report_to(machine, dev, "10.0.0.9:4739")
    told = machine.add("--plan")
    assert marks(told)["flows"] == "->" and "Flow_Sample_Collector_Set id=113" in told.stdout, told
    assert machine.add().returncode == 0
    assert machine.read("ovs/ipfix") == machine.read("ovs/drops") == "10.0.0.9:4739"
    assert marks(machine.add())["flows"] == "ok"
    report_to(machine, dev, "0.0.0.0:4740")
    assert marks(machine.add())["flows"] == "++" and machine.read("ovs/ipfix") == "10.0.0.1:4740"
    report_to(machine, dev, "")
    assert marks(machine.add())["flows"] == "++" and not os.path.exists(machine.path("ovs/ipfix")) and not os.path.exists(machine.path("ovs/drops"))
    assert marks(machine.add())["flows"] == "ok"


def test_another_collector_stays(machine, dev):
    machine.write("ovs/ipfix", "192.0.2.1:4739")
    report_to(machine, dev, "10.0.0.9:4739")
    done = machine.add()
    assert done.returncode == 0 and marks(done)["flows"] == "??" and "192.0.2.1:4739, which is not of dari" in done.stdout, done
    assert machine.read("ovs/ipfix") == "192.0.2.1:4739"


def test_reports_are_taken_back(machine, dev):
    report_to(machine, dev, "10.0.0.9:4739")
    before = machine.state()
    assert machine.add().returncode == 0
    undone = machine.remove()
    assert undone.returncode == 0 and machine.state() == before, undone


def test_guests_are_not_undone(machine):
    assert machine.add().returncode == 0
    machine.write("guests", "dari-1\n")
    done = machine.remove()
    assert done.returncode == 1 and "guests run here: dari-1" in done.stdout, done
    assert "hv9" in machine.dari("host", "list").stdout


def test_what_others_changed_since_stays(machine):
    assert machine.add().returncode == 0
    machine.write("ovs/ovn-remote", "tcp:192.0.2.1:6642")
    machine.write("needs", "Remv theirs [1.0]\n")
    done = machine.remove()
    assert done.returncode == 0 and "which is not of dari" in done.stdout and "packages stay" in done.stdout, done
    assert machine.read("ovs/ovn-remote") == "tcp:192.0.2.1:6642" and "swtpm" in machine.read("packages")


@pytest.mark.parametrize("release, words", [("ID=alpine\nVERSION_ID=3.19\n", "alpine 3.19"), ("", "hosts are of Debian")])
def test_a_distribution_that_is_not_known(machine, release, words):
    machine.write("root/etc/os-release", release)
    done = machine.add()
    assert done.returncode == 1 and words in done.stdout and "root/etc/dari-host.yaml" not in machine.state(), done


@pytest.mark.parametrize("release", ['ID="rocky"\nVERSION_ID="9.4"\n'])
def test_rhel_like_says_that_it_is_not_tried(machine, release):
    machine.write("root/etc/os-release", release)
    machine.tool("rpm", "cat \"$STATE/packages\"")
    machine.tool("dnf", "exit 0")
    done = machine.add("--plan")
    assert marks(done)["system"] == "??" and "not tried" in done.stdout and "dnf -y install" in done.stdout, done


def test_a_step_that_fails_says_why_and_is_repeated(machine):
    machine.tool("ufw", 'case $1 in status) echo "Status: active" ;; show) ;; *) echo "ERROR: no room" >&2; exit 1 ;; esac')
    done = machine.add()
    assert done.returncode == 1 and marks(done)["firewall"] == "!!" and "ERROR: no room" in done.stdout, done
    assert "hv9" not in machine.dari("host", "list").stdout
    machine.tool("ufw", TOOLS["ufw"])
    assert machine.add().returncode == 0


def test_the_key_is_asked_for_or_named(machine):
    first = machine.dari("host", "add", machine.address, *FLAGS, "--fingerprint", OTHER_FINGERPRINT)
    assert first.returncode == 1 and FINGERPRINT in first.stderr, first
    assert len(machine.read("asked").splitlines()) == 1  # the request for the host key, and no login


def test_nobody_to_ask(machine):
    done = machine.dari("host", "add", machine.address, *FLAGS)
    assert done.returncode == 1 and "--fingerprint" in done.stderr and FINGERPRINT in done.stdout, done
    assert len(machine.read("asked").splitlines()) == 1


def test_another_key_than_before(machine):
    assert machine.add("--plan").returncode == 0
    machine.key = base64.b64encode(b"\0\0\0\x0bssh-ed25519 of somebody else").decode()
    done = machine.dari("host", "add", machine.address, *FLAGS, "--plan")
    assert done.returncode == 1 and "Host key verification failed" in done.stderr, done
    assert machine.add("--plan").returncode == 1  # the machine shows another key than the operator names
    taken = machine.dari("host", "add", machine.address, *FLAGS, "--plan", "--fingerprint", fingerprint_of(machine.key))
    assert taken.returncode == 0, taken


@pytest.mark.parametrize("flags", [["-oProxyCommand=x@y"], ["root@a;id"], ["root@a", "--uplink", "e;id"], ["root@a", "--pool", "x"],
                                   ["root@a", "--address", "name"], ["root@a", "--underlay", "10.0.0.1/24"], ["hv1", "--plan"],
                                   ["root@a", "--ovn-remote", "unix:/x"], ["root@a", "--as", "a b"], ["root@a", "--as", ""]])
def test_bad_words_reach_no_shell(machine, flags):
    done = machine.dari("host", "add", *flags)
    assert done.returncode in {1, 2} and done.stderr and not os.path.exists(machine.path("asked")), done


@pytest.mark.parametrize("flags, words", [
    (["--address", "10.0.0.1", "--libvirt", "AAAA", "--qemu", "AAAA"], "no request"),
    (["--address", "10.0.0.1", "--libvirt", "?", "--qemu", "?"], "base64"),
    (["--address", "x", "--libvirt", "AAAA", "--qemu", "AAAA"], "IP address"),
])
def test_nothing_else_is_signed(machine, flags, words):
    done = machine.dari("host", "sign", "hv9", *flags)
    assert done.returncode == 1 and words in done.stderr, done
    assert machine.dari("host", "sign", "../x", *flags).returncode == 1


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
