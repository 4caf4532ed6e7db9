#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: debian tools/deb tools/units src/drivers/haproxy/units.c
# when: long
"""The Debian packages: built, looked at by lintian, and installed, upgraded, removed and purged on a copy of this machine's root:
an overlay in memory, in namespaces of its own, with Debian's dpkg and database, booted by systemd. There the server runs as its
unit says, over the databases of Open vSwitch and OVN, and answers the stock aws. Root only; nothing is fetched."""
# limit: 1800 s
import glob
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import clone  # noqa: E402
from machines import Machine, build_packages, run, until  # noqa: E402
from waiting import HANG_S  # noqa: E402

INSIDE = "DARI_PACKAGES_INSIDE"  # folder of the copied root
OUT = os.environ.get("DARI_DEBS", os.path.join(ROOT, "build/deb"))  # directory of existing packages, or where they are built
DATABASES = {"/run/openvswitch/db.sock": "/usr/share/openvswitch/vswitch.ovsschema", "/run/ovn/ovnnb_db.sock": "/usr/share/ovn/ovn-nb.ovsschema"}
RIGHTS = 0x201404  # CAP_DAC_READ_SEARCH, CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_SYS_ADMIN
UNITS = {"dari.service": 31, "dari-backup.service": 17, "dari-balancer@.service": 26, "dari-balancer-check@.service": 17, "dari-tunnel@.service": 30}  # result of systemd-analyze security, in tenths: lower is better


class Packaged(Machine):
    """A copy of this machine with the packages installed."""

    def start_databases(self):
        for at, schema in DATABASES.items():
            folder, name = os.path.dirname(at), os.path.basename(schema).split(".")[0]
            self.shell(f"mkdir -p {folder}; ovsdb-tool create {folder}/{name}.db {schema}; ovsdb-server --detach "
                       f"--pidfile={folder}/{name}.pid --unixctl={folder}/{name}.ctl --remote=punix:{at} {folder}/{name}.db")
        self.shell("ovs-vsctl --no-wait init; ovs-vsctl --no-wait set Open_vSwitch . external_ids:system-id=ctl; "
                   "ovs-vsctl --no-wait add-br br-int")

    def wait_for_dari(self):
        until(self.answers, "the API answers")

    def answers(self):
        assert self.of_unit("ActiveState") != "failed", self.run("journalctl", "-u", "dari").stdout
        try:
            with urllib.request.urlopen("http://127.0.0.1:8788/healthz", timeout=HANG_S):
                return True
        except urllib.error.HTTPError:
            return True  # unhealthy, because it has no host
        except OSError:
            return False

    def aws(self, *words):
        return self.aws_by(self.run("dari", "env", "acme").stdout, *words)

    @staticmethod
    def aws_by(exports, *words):
        """exports: lines of a shell, as dari prints them."""
        lines = [line for line in exports.splitlines() if line.startswith("export ")]
        env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
        env.update(shlex.split(line)[1].split("=", 1) for line in lines)
        return run("/usr/bin/aws", "--endpoint-url", env["AWS_ENDPOINT_URL"], "--output", "text", *words, env=env).stdout.strip()

    def vpcs(self):
        return self.aws("ec2", "describe-vpcs", "--query", "Vpcs[].VpcId").split()


def package(name):
    (found,) = glob.glob(f"{OUT}/{name}_*.deb")
    return found


def change(package_file, folder, lines):
    """The same package with other lines in its control file."""
    tree, made = folder / "tree", folder / f"{folder.name}.deb"
    run("dpkg-deb", "-R", package_file, tree)
    control = (tree / "DEBIAN/control").read_text()
    for key, value in lines.items():
        control = re.sub(rf"^{key}: .*$", f"{key}: {value}", control, flags=re.MULTILINE)
    (tree / "DEBIAN/control").write_text(control)
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, made)
    return made


def make_stand_in(name, folder):
    """An empty package with that name, in place of one that adds users to the machine."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(f"Package: {name}\nVersion: 9999\nArchitecture: all\nMaintainer: x <x@x.org>\nDescription: x\n")
    run("dpkg-deb", "--root-owner-group", "-b", tree, folder / f"{name}.deb")
    return folder / f"{name}.deb"


@pytest.fixture(scope="module")
def machine():
    machine = Packaged(os.environ[INSIDE])
    try:
        machine.start_databases()
        yield machine
    finally:
        machine.end()


def test_the_pages_are_inside(tmp_path):
    """Installing needs no npm: the program contains the pages, their libraries and licences, which debian/copyright lists, too."""
    run("dpkg-deb", "-x", package("dari"), tmp_path)
    program = (tmp_path / "usr/bin/dari").read_bytes()
    with open(os.path.join(ROOT, "web/package.json"), encoding="utf-8") as f:
        packages = json.load(f)["dependencies"]
    copyrights = (tmp_path / "usr/share/doc/dari/copyright").read_text()
    for name in packages:
        assert f"vendor/{name}/".encode() in program and f"{name}\n\n".encode() in program, name
        assert f"web/console/vendor/{name}/*" in copyrights, name
    for path in ("index.html", "main.js", "terminal.js", "words/ko.js", "pages/screen.js"):
        assert path.encode() + b"\0" in program, path


def test_lintian_has_nothing_to_say():
    (changes,) = glob.glob(f"{OUT}/*.changes")
    done = run("lintian", "--allow-root", "--pedantic", changes)
    assert done.stdout + done.stderr == ""
    assert not glob.glob(os.path.join(ROOT, "debian/*lintian-overrides"))


def test_the_version_is_the_programs():
    with open(os.path.join(ROOT, "meson.build"), encoding="utf-8") as build:
        version = re.search(r"^project\(.* version: '([^']+)'", build.read(), re.MULTILINE)[1]
    assert re.fullmatch(re.escape(version) + r"(\+git\..*)?", run("dpkg-deb", "-f", package("dari"), "Version").stdout.strip())


def test_an_installation_starts_nothing(machine):
    machine.install(package("dari"))
    assert machine.state("dari").startswith("installed")
    assert machine.run("dpkg", "--verify", "dari").stdout == ""
    assert not machine.has("/etc/dari") and not machine.has("/var/lib/dari")
    assert (machine.of_unit("UnitFileState"), machine.of_unit("ActiveState")) == ("disabled", "inactive")
    machine.run("systemctl", "start", "dari")  # without a region there is nothing to serve, which is no failure
    assert (machine.of_unit("ActiveState"), machine.of_unit("ConditionResult")) == ("inactive", "no")
    assert machine.run("dari", "--version").stdout.startswith("dari ")
    for page in ["man8/dari.8.gz", "man1/dari.1.gz"]:
        assert machine.has(f"/usr/share/man/{page}")
    completed = machine.run("bash", "-c", ". /usr/share/bash-completion/completions/dari.bash; COMP_WORDS=(dari ini) COMP_CWORD=1; "
                            "_dari; echo ${COMPREPLY[*]}")
    assert completed.stdout == "init\n"


@pytest.mark.parametrize("unit", [*UNITS, "dari-balancer-netns@.service", "dari-tunnel-netns@.service"])
def test_its_units(machine, unit):
    path = f"/lib/systemd/system/{unit}"
    done = machine.run("systemd-analyze", "verify", "--man=no", path)
    assert unit.partition("@")[0] not in done.stderr, done.stderr
    if unit in UNITS:
        done = machine.run("systemd-analyze", "security", "--offline=true", f"--threshold={UNITS[unit]}", path)
        assert "exposure level for dari" in done.stdout


def test_what_autopkgtest_runs(machine):
    run("cp", os.path.join(ROOT, "debian/tests/simulated-region"), f"{machine.root}/srv")
    machine.run("sh", "/srv/simulated-region")


def test_maintainer_scripts_may_run_again(machine):
    version = machine.state("dari").split()[1]
    before = {name: machine.read(f"/var/lib/dpkg/info/dari.{name}") for name in ["postinst", "prerm", "postrm"]}
    for _ in range(2):
        machine.run("/var/lib/dpkg/info/dari.postinst", "configure", version)
        machine.run("/var/lib/dpkg/info/dari.postinst", "configure", "")
        machine.run("/var/lib/dpkg/info/dari.prerm", "upgrade", version)
        machine.run("/var/lib/dpkg/info/dari.postrm", "upgrade", version)
    assert all("#DEBHELPER#" not in text for text in before.values())


def test_the_server_runs_as_its_unit_says(machine):
    done = machine.run("dari", "init", "--account", "acme")
    assert "AKIA" in done.stdout and "chassis: ctl" in machine.read("/etc/dari/dari.yaml"), done.stdout
    machine.run("systemctl", "enable", "--now", "dari")
    machine.wait_for_dari()
    assert len(machine.vpcs()) == 1
    done = machine.run("dari", "init", "--account", "other", status=1)
    assert "in use by another dari process" in done.stderr and "dari account create" in done.stderr
    rights = machine.read(f"/proc/{machine.of_unit('MainPID')}/status")
    assert int(re.search(r"^CapEff:\s+(\w+)$", rights, re.MULTILINE)[1], 16) == RIGHTS, rights
    assert "NoNewPrivs:\t1" in rights and "Seccomp:\t2" in rights, rights


def test_what_the_server_may_not_do_is_not_missed(machine):
    """The unit's restrictions do not matter: the client writes users' files, not the server. The server reads another user's file, imports it,
    launches it on a simulated host, and connects the guests' metadata to the local switch."""
    machine.shell("mkdir -m 700 /home/ann; cd /home/ann; dari account rc acme --directory rc")
    assert "aws_access_key_id" in machine.read("/home/ann/rc/credentials")
    machine.shell("cd /home/ann; qemu-img create -q -f qcow2 disk.qcow2 16M; chmod 600 disk.qcow2; chown 1000 disk.qcow2 .; "
                  "dari image import disk.qcow2 --name disk; dari host add hv1 --uri sim://")
    image = machine.aws("ec2", "describe-images", "--query", "Images[0].ImageId")
    until(lambda: " up " in machine.run("dari", "host", "list").stdout, "the host is up")
    machine.aws("ec2", "run-instances", "--image-id", image, "--instance-type", "t3.micro")
    until(lambda: machine.aws("ec2", "describe-instances", "--query", "Reservations[].Instances[].State.Name") == "running",
          "the instance runs")
    until(lambda: re.search(r"^dm\w+@", machine.run("ip", "-brief", "link").stdout, re.MULTILINE), "metadata is plugged in")


class Balancer:
    """An application load balancer of the region in the machine."""

    def __init__(self, machine):
        self.machine = machine
        subnet = machine.aws("ec2", "describe-subnets", "--query", "Subnets[0].SubnetId")
        self.arn = machine.aws("elbv2", "create-load-balancer", "--name", "web", "--scheme", "internal", "--subnets", subnet,
                                    "--query", "LoadBalancers[0].LoadBalancerArn")
        self.listener = machine.aws("elbv2", "create-listener", "--load-balancer-arn", self.arn, "--protocol", "HTTP", "--port", "80", "--default-actions",
                                    self.says("first"), "--query", "Listeners[0].ListenerArn")
        found = until(lambda: glob.glob(f"{machine.root}/var/lib/dari/proxies/*"), "the proxy has a directory")
        self.id = os.path.basename(found[0])
        self.unit, self.netns = f"dari-balancer@{self.id}", f"dari-{self.id}"

    @staticmethod
    def says(body):
        return json.dumps([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": body}}])

    def change(self, body):
        self.machine.aws("elbv2", "modify-listener", "--listener-arn", self.listener, "--default-actions", self.says(body))

    def answer(self, path="/"):
        inside = ("nsenter", f"--net=/run/netns/{self.netns}")
        address = re.search(r"inet ([\d.]+)/\d+ scope global", self.machine.run(*inside, "ip", "addr", status=None).stdout)
        return address and self.machine.run(*inside, "curl", "-s", "--max-time", "10", f"http://{address[1]}{path}", status=None).stdout

    def answers(self, body, path="/"):
        until(lambda: self.answer(path) == body, f"HAProxy answers {body}")

    def process(self):
        return self.machine.of_unit("MainPID", self.unit)

    def left(self):
        units = self.machine.run("systemctl", "list-units", "--plain", "--no-legend", "dari-balancer*").stdout
        files = [f"/run/netns/{self.netns}", f"/run/dari/balancers/{self.id}", f"/var/lib/dari/proxies/{self.id}"]
        return units.split() + [name for name in files if self.machine.has(name)]


def test_systemd_runs_the_load_balancers(machine):
    """HAProxy has a unit and a namespace of its own, rights that the server lacks, and outlives the server. A pattern is compiled to machine code, which
    the server's unit forbids."""
    balancer = Balancer(machine)
    balancer.answers("first")
    assert machine.of_unit("ActiveState", balancer.unit) == "active"
    machine.aws("elbv2", "create-rule", "--listener-arn", balancer.listener, "--priority", "1", "--conditions", "Field=path-pattern,Values=/a*z", "--actions",
                balancer.says("pattern"))
    balancer.answers("pattern", "/abcz")
    first = balancer.process()
    balancer.change("second")
    balancer.answers("second")
    assert balancer.process() == first  # reloaded, not restarted
    machine.run("systemctl", "stop", "dari")
    assert balancer.answer() == "second" and machine.of_unit("ActiveState", balancer.unit) == "active"
    assert machine.run("systemctl", "show", "--value", "--property=TasksCurrent", "dari").stdout.strip() in {"0", "[not set]"}  # it left no process
    machine.run("systemctl", "start", "dari")
    machine.wait_for_dari()
    balancer.change("third")
    balancer.answers("third")
    assert balancer.process() == first
    machine.run("systemctl", "kill", "--signal=KILL", balancer.unit)
    until(lambda: balancer.process() not in {"0", first}, "dari starts it again")
    balancer.answers("third")
    machine.aws("elbv2", "delete-load-balancer", "--load-balancer-arn", balancer.arn)
    until(lambda: balancer.left() == [], "nothing of it is left", balancer.left)


def test_an_upgrade_keeps_the_region(machine, tmp_path):
    before, vpcs, server = machine.read("/etc/dari/dari.yaml"), machine.vpcs(), machine.of_unit("MainPID")
    machine.install(change(package("dari"), tmp_path, {"Version": "99"}))
    assert machine.state("dari") == "installed 99"
    machine.wait_for_dari()
    assert machine.of_unit("MainPID") not in {"0", server}  # the new server, which dpkg started instead of the old one
    assert machine.vpcs() == vpcs and machine.read("/etc/dari/dari.yaml") == before
    machine.run("systemctl", "stop", "dari")
    machine.install(tmp_path / f"{tmp_path.name}.deb")
    assert machine.of_unit("ActiveState") == "inactive"  # a stopped server stays stopped
    machine.run("systemctl", "start", "dari")


def test_removed_and_purged_it_leaves_the_region(machine):
    machine.wait_for_dari()
    vpcs = machine.vpcs()
    machine.dpkg("--remove", "dari")
    assert not machine.has("/usr/bin/dari") and machine.of_unit("MainPID") == "0"
    done = machine.dpkg("--purge", "dari")
    assert all(f"dari: {kept} is kept" in done.stderr for kept in ["/etc/dari", "/var/lib/dari"]), done.stderr
    assert machine.has("/var/lib/dari/master.key") and machine.has("/var/lib/dari/dari.db")
    assert machine.shell("ls /var/lib/dpkg/info | grep '^dari[.]' || true").stdout == ""
    assert machine.shell("find /etc/systemd /lib/systemd /var/lib/systemd -name 'dari*'").stdout == ""
    machine.install(package("dari"))
    machine.run("systemctl", "start", "dari")
    machine.wait_for_dari()
    assert machine.vpcs() == vpcs


def test_a_purge_of_what_was_never_set_up_is_silent(machine):
    machine.shell("systemctl stop dari; rm -r /etc/dari /var/lib/dari")
    done = machine.dpkg("--purge", "dari")
    assert "kept" not in done.stderr


def test_three_commands_lead_to_a_first_instance(machine):
    start = time.monotonic()
    machine.install(package("dari"))
    machine.shell("setsid dari dev >/srv/dev 2>&1 </dev/null &")
    until(lambda: "\nReady" in machine.read("/srv/dev"), "dari dev is ready")
    exports = machine.read("/srv/dev")
    image = machine.aws_by(exports, "ec2", "describe-images", "--query", "Images[0].ImageId")
    machine.aws_by(exports, "ec2", "run-instances", "--image-id", image, "--instance-type", "t3.micro")
    until(lambda: machine.aws_by(exports, "ec2", "describe-instances", "--query", "Reservations[].Instances[].State.Name") == "running",
          "the instance runs")
    print(f"{time.monotonic() - start:.1f} s from the package to an instance")
    machine.dpkg("--purge", "dari")


def test_a_host(machine, tmp_path):
    for name in run("dpkg-deb", "-f", package("dari-host"), "Depends").stdout.replace(",", " ").split():
        if not machine.state(name).startswith("installed"):
            machine.install(make_stand_in(name, tmp_path))
    machine.install(package("dari-host"))
    drop_in = machine.read("/lib/systemd/system/libvirt-guests.service.d/libvirt-guests.conf")
    assert "ConditionPathExists=/etc/dari/keep-libvirt-guests" in drop_in
    machine.dpkg("--purge", "dari-host")
    assert not machine.has("/lib/systemd/system/libvirt-guests.service.d")


def enter():
    """Starts this script again, in namespaces of its own, whose mounts disappear with it."""
    if os.geteuid() != 0:
        sys.exit("root only: it mounts a root of its own")
    if "DARI_DEBS" not in os.environ:
        build_packages(OUT)  # here, where npm reaches its registry
        os.environ["DARI_DEBS"] = OUT
    inside = clone.folder(f"packages-{os.getpid()}")
    script = f"""set -e
        mkdir -p {inside}
        mount -t tmpfs -o mode=755 packages {inside}
        mkdir {inside}/upper {inside}/work {inside}/root
        mount -t overlay -o lowerdir=/,upperdir={inside}/upper,workdir={inside}/work packages {inside}/root
        cd {inside}/root
        rm -rf etc/dari var/lib/dari etc/systemd/system/*.wants usr/sbin/policy-rc.d
        mkdir -p srv
        cd "$OLDPWD"
        ip link set lo up
        {INSIDE}={inside}/root "$@"
        """
    status = subprocess.call(["unshare", "--mount", "--net", "sh", "-c", script, "sh", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    os.rmdir(inside)
    sys.exit(status)


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter()
    sys.exit(pytest.main(["-q", "--tb=short", "-rP", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
