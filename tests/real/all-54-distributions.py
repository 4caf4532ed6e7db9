#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/host_ src/daemon/onboard debian
"""A region by nothing but packages: dari's package on a copy of this machine's root, and `dari host add` on bare machines of
Debian 12, Debian 13 and Ubuntu 24.04, each booted by its own systemd, with its own apt, sshd, libvirt and Open vSwitch. The
commands from the package to the first instance are counted and timed, where the host has its packages already. Guests go on
while dari's package is upgraded; one is to go to a host of another release. All of it is taken back.

The roots are made once, from the distributions' archives, and kept in build/cache. What this machine lacks is not shown: the
kernel's datapath of Open vSwitch (netdev stands for it), KVM, AppArmor, and a machine of RHEL's kind."""
# limit: 3600 s
import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import clone  # noqa: E402
from machines import Machine, build_packages, run, until  # noqa: E402

INSIDE = "DARI_DISTRIBUTIONS_INSIDE"  # directory of the roots
CACHE = os.environ.get("DARI_CACHE", f"{ROOT}/build/cache") + "/roots"
DEB = os.environ.get("DARI_DEBS", "")  # the packages to test; if absent, they are built
CTL = "10.101.0.10"
HOSTS = {"hv1": ("bookworm", "10.101.0.11", "debian 12"), "hv2": ("trixie", "10.101.0.12", "debian 13"),
         "hv3": ("noble", "10.101.0.13", "ubuntu 24.04")}
if len(sys.argv) > 1:  # some distributions, by their suites
    HOSTS = {host: how for host, how in HOSTS.items() if how[0] in sys.argv[1:]}
FIRST = next(iter(HOSTS))  # the one with packages preinstalled, on which the guest starts
PREFIX = os.environ.get("DARI_SANDBOX_PREFIX", f"d{clone.tag()}-pm-")
COUNTS = {"passed": 0, "failed": 0}


def check(what, holds):
    COUNTS["passed" if holds else "failed"] += 1
    print(f"{'ok' if holds else 'not ok'} - {what}", flush=True)
    return holds


# ---- the network: a bridge, and a link to each machine

def net_of(name):
    return f"{PREFIX}{name}"


def make_network():
    run("ip", "netns", "add", net_of("fab"))
    run("ip", "-n", net_of("fab"), "link", "add", "br0", "type", "bridge")
    run("ip", "-n", net_of("fab"), "link", "set", "br0", "up")
    for name, address in (("ctl", CTL), *((host, how[1]) for host, how in HOSTS.items())):
        run("ip", "netns", "add", net_of(name))
        run("ip", "link", "add", "name", "eth0", "netns", net_of(name), "type", "veth", "peer", "name", name, "netns", net_of("fab"))
        run("ip", "-n", net_of("fab"), "link", "set", name, "master", "br0", "up")
        for argv in (("link", "set", "lo", "up"), ("link", "set", "eth0", "up"), ("addr", "add", f"{address}/24", "dev", "eth0")):
            run("ip", "-n", net_of(name), *argv)


def unmake_network():
    for name in ("ctl", *HOSTS, "fab"):
        run("ip", "netns", "del", net_of(name), status=None)


# ---- the machines

class Control(Machine):
    """A copy of this machine's root, with the package; OVN's central databases and Open vSwitch run here."""

    def prepare(self):
        self.shell(": >/var/lib/dpkg/statoverride; rm -f /etc/openvswitch/conf.db /var/lib/openvswitch/* /var/lib/ovn/* /root/.ssh/*; mkdir -p -m 700 /root/.ssh; "
                   "ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
        self.shell("systemctl start openvswitch-switch ovn-central")
        until(lambda: self.shell("ovn-sbctl --timeout=5 get SB_Global . nb_cfg", status=None).returncode == 0, "OVN's databases answer")
        self.shell(f"ovn-sbctl set-connection ptcp:6642; ovs-vsctl set Open_vSwitch . external_ids:system-id=ctl "
                   f"external_ids:ovn-remote=tcp:{CTL}:6642 external_ids:ovn-encap-type=geneve external_ids:ovn-encap-ip={CTL} "
                   "external_ids:ovn-bridge-datapath-type=netdev; systemctl start ovn-controller")

    def dari(self, *words, status=0):
        return self.run("dari", *words, status=status).stdout

    def value(self, *words):
        return json.loads(self.dari(*words, "--json"))

    def is_ready(self):
        assert self.of_unit("ActiveState") != "failed", self.run("journalctl", "-u", "dari").stdout
        return self.run("dari", "host", "list", status=None).returncode == 0

    def aws(self, *words):
        env = dict(line.split(" ", 1)[1].replace('"', "").split("=", 1) for line in self.dari("env", "acme").splitlines()
                   if line.startswith("export "))
        return run("nsenter", f"--net=/run/netns/{net_of('ctl')}", "/usr/bin/aws", "--endpoint-url", env["AWS_ENDPOINT_URL"], "--output",
                   "text", *words, env={**env, "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}).stdout.strip()

    def state_of(self, instance):
        return self.aws("ec2", "describe-instances", "--instance-ids", instance, "--query", "Reservations[].Instances[].State.Name")

    def launch(self):
        image = self.aws("ec2", "describe-images", "--query", "Images[0].ImageId")
        instance = self.aws("ec2", "run-instances", "--image-id", image, "--instance-type", "t2.nano", "--query", "Instances[0].InstanceId")
        until(lambda: self.state_of(instance) == "running", f"{instance} runs")
        return instance

    def host_of(self, instance):
        return self.value("explain", instance)["fields"]["host"]


class Bare(Machine):
    """A machine of a distribution from its archive, with sshd, and the host's packages available to apt."""

    def prepare(self, public_key):
        self.shell(f"mkdir -p -m 700 /root/.ssh; echo '{public_key}' >/root/.ssh/authorized_keys; ssh-keygen -A >/dev/null; "
                   "mkdir -p /run/sshd; systemctl start ssh.service")

    def fingerprint(self):
        return self.run("ssh-keygen", "-l", "-f", "/etc/ssh/ssh_host_ed25519_key.pub").stdout.split()[1]

    def use_netdev(self):
        """This kernel has no Open vSwitch datapath."""
        self.shell("ovs-vsctl --no-wait set Open_vSwitch . external_ids:ovn-bridge-datapath-type=netdev")

    def sight(self):
        """Everything that onboarding could change, except packages' own files, which stay where others need them."""
        return self.shell("cd /etc; find pki dari-host.yaml systemd/system/libvirtd-tls.socket.d libvirt/libvirtd.conf libvirt/qemu.conf "
                          "2>/dev/null | sort; dpkg-query -W -f '${db:Status-Status} ${Package}\\n' | grep ^installed | sort; "
                          "ovs-vsctl --timeout=5 get Open_vSwitch . external_ids 2>/dev/null || true").stdout


def qemus(machine):
    return machine.run("pgrep", "-f", "guest=i-", status=None).stdout.split()


def host_add(ctl, host, machine, *more):
    return ctl.run("dari", "host", "add", f"root@{HOSTS[host][1]}", "--as", host, "--fingerprint", machine.fingerprint(),
                   *more, status=None)


# ---- the test

def first_instance(ctl, host):
    """The operator's commands on prepared machines: packages are available, and the host has the dependencies of dari-host."""
    package = glob.glob(f"{DEB}/dari_*.deb")[0]
    commands = [("dpkg -i dari.deb", lambda: ctl.install(package)),
                ("dari init", lambda: ctl.dari("init", "--yes", "--zone", "a", "--account", "acme", "--chassis", "ctl")),
                ("systemctl enable --now dari", lambda: (ctl.run("systemctl", "enable", "--now", "dari"), until(ctl.is_ready, "dari answers"))),
                ("dari host add", lambda: add(ctl, FIRST, host)),
                ("dari image import", lambda: ctl.dari("image", "import", "/srv/disk.qcow2", "--name", "disk")),
                ("aws ec2 run-instances", ctl.launch)]
    start, result = time.monotonic(), None
    for words, command in commands:
        begun = time.monotonic()
        result = command()
        print(f"# {words}: {time.monotonic() - begun:.1f} s")
    check(f"{len(commands)} commands lead from the package to a first instance, in {time.monotonic() - start:.1f} s", bool(result))
    return result


def add(ctl, host, machine):
    done = host_add(ctl, host, machine)
    if not check(f"{HOSTS[host][2]} becomes a host", done.returncode == 0 and f"host {host} is up" in done.stdout):
        print(done.stdout, done.stderr, machine.shell("journalctl -n 60 --no-pager | cat", status=None).stdout)
    machine.use_netdev()


def prepare_host(machine):
    """Installs its packages in advance, as a mirror or an image would."""
    machine.shell("apt-get -q update && apt-get -y -q --no-install-recommends install dari-host chrony")
    machine.use_netdev()


def upgraded(ctl, host, instance, scratch):
    before, server = qemus(host), ctl.of_unit("MainPID")
    ctl.install(newer(glob.glob(f"{DEB}/dari_*.deb")[0], scratch))
    until(ctl.is_ready, "dari answers")
    check("the package is upgraded, and a new server runs", ctl.state("dari") == "installed 99" and ctl.of_unit("MainPID") not in {"0", server})
    check("the guest's QEMU ran on", before and qemus(host) == before and ctl.state_of(instance) == "running")
    until(lambda: {h["state"] for h in ctl.value("host", "list")} == {"up"}, "the host is up")
    ctl.aws("ec2", "reboot-instances", "--instance-ids", instance)
    check("and dari works on it", ctl.state_of(instance) == "running")


def newer(package, scratch):
    """The same package with another version."""
    tree, made = f"{scratch}/tree", f"{scratch}/dari-99.deb"
    run("dpkg-deb", "-R", package, tree)
    with open(f"{tree}/DEBIAN/control", encoding="utf-8") as f:
        text = re.sub(r"^Version: .*$", "Version: 99", f.read(), flags=re.MULTILINE)
    with open(f"{tree}/DEBIAN/control", "w", encoding="utf-8") as f:
        f.write(text)
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, made)
    return made


def others(ctl, machines):
    for host in list(HOSTS)[1:]:
        machine, system = machines[host], HOSTS[host][2]
        before = machine.sight()
        planned = host_add(ctl, host, machine, "--plan")
        check(f"{system}: a plan", planned.returncode == 0 and f"ok  system         {system}" in planned.stdout and "apt-get" in planned.stdout)
        check(f"{system}: changes nothing", machine.sight() == before)
        add(ctl, host, machine)
        again = host_add(ctl, host, machine)
        check(f"{system}: once more, nothing is left to do", again.returncode == 0 and "++" not in again.stdout)
        said = machine.shell("systemctl is-enabled libvirtd-tls.socket; systemctl is-active libvirtd-tls.socket; ss -Hltn | grep -c :16514", status=None)
        check(f"{system}: its socket unit listens for TLS: {said.stdout.split()}", said.stdout.split() == ["enabled", "active", "1"])
        check(f"{system}: libvirt is restarted as systemd does, and reached again", restarted(ctl, host, machine))


def restarted(ctl, host, machine):
    machine.run("systemctl", "restart", "libvirtd.service")
    until(lambda: ctl.value("host", "show", host)["state"] == "up", f"{host} is up")
    return True


def goes(ctl, instance, source, host, machines):
    """Migrates to a host of a newer release, over TLS; or the refusal names processor features that the target lacks, for example because a newer
    QEMU no longer emulates them."""
    def ask():
        return ctl.run("dari", "host", "move", instance, "--to", host, status=None)

    asked = []  # the guest boots nothing, so the reboot before ends only at its timeout
    until(lambda: asked.append(ask()) or "under way" not in asked[-1].stderr, f"the reboot of {instance} is over")
    asked = asked[-1]
    if asked.returncode:
        check(f"a guest of {HOSTS[source][2]} is not sent to {HOSTS[host][2]}: {asked.stderr.strip()}",
              "lacks what the instance has" in asked.stderr and ctl.host_of(instance) == source)
        return
    until(lambda: ctl.host_of(instance) == host, f"{instance} is at {host}")
    check(f"a guest goes from {HOSTS[source][2]} to {HOSTS[host][2]}", len(qemus(machines[host])) == 1)


def taken_back(ctl, host, machine):
    done = ctl.run("dari", "host", "remove", host, "--undo", status=None)
    gone = machine.shell("ls /etc/dari-host.yaml /etc/systemd/system/libvirtd-tls.socket.d /etc/pki/libvirt/servercert.pem 2>/dev/null; "
                         "grep -l 'dari host add' /etc/libvirt/*.conf 2>/dev/null", status=None).stdout
    if not check(f"{HOSTS[host][2]}: taken back", done.returncode == 0 and not gone.strip()):
        print(done.stdout, done.stderr, gone)


def course(machines, scratch):
    ctl = machines["ctl"]
    ctl.prepare()
    public_key = ctl.read("/root/.ssh/id_ed25519.pub").strip()
    ctl.shell("qemu-img create -q -f qcow2 /srv/disk.qcow2 16M")
    for host in HOSTS:
        machines[host].prepare(public_key)
    prepare_host(machines[FIRST])
    instance = first_instance(ctl, machines[FIRST])
    upgraded(ctl, machines[FIRST], instance, scratch)
    others(ctl, machines)
    if len(HOSTS) > 1:
        goes(ctl, instance, FIRST, list(HOSTS)[1], machines)
    ctl.aws("ec2", "terminate-instances", "--instance-ids", instance)
    until(lambda: ctl.state_of(instance) == "terminated", "it is gone")
    for host in HOSTS:
        taken_back(ctl, host, machines[host])
    ctl.dpkg("--purge", "dari")
    check("dari's package is purged, and the region is kept", ctl.has("/var/lib/dari/dari.db") and not ctl.has("/usr/bin/dari"))


def main():
    inside, machines = os.environ[INSIDE], {}
    try:
        make_network()
        for name in ("ctl", *HOSTS):
            machines[name] = (Control if name == "ctl" else Bare)(f"{inside}/{name}/root", name, net_of(name))
        course(machines, inside)
    except (AssertionError, subprocess.SubprocessError) as failure:
        check(f"no exception: {failure}", False)
    finally:
        for machine in machines.values():
            machine.end()
        unmake_network()
    print(f"{COUNTS['passed']} passed, {COUNTS['failed']} failed")
    sys.exit(COUNTS["failed"] > 0)


def enter():
    """Starts this script again, in a mount namespace of its own, over copies of the roots with changes in memory only."""
    if os.geteuid() != 0:
        sys.exit("root only: it makes roots of its own")
    for suite in sorted({how[0] for how in HOSTS.values()}):
        run(f"{ROOT}/tools/distribution-root", suite, f"{CACHE}/{suite}")
    if not DEB:
        os.environ["DARI_DEBS"] = f"{ROOT}/build/deb"
        build_packages(os.environ["DARI_DEBS"])
    inside = clone.folder(f"distributions-{os.getpid()}")
    script = f"""set -e
        mkdir -p {inside}
        mount -t tmpfs -o mode=755 machines {inside}
        overlay() {{
            mkdir -p {inside}/$1/upper {inside}/$1/work {inside}/$1/root
            mount -t overlay -o lowerdir=$2,upperdir={inside}/$1/upper,workdir={inside}/$1/work machines {inside}/$1/root
            rm -rf {inside}/$1/root/usr/sbin/policy-rc.d {inside}/$1/root/etc/dari
            mkdir -p {inside}/$1/root/srv
        }}
        overlay ctl /
        (cd {inside}/ctl/root && rm -rf var/lib/dari etc/systemd/system/*.wants)
        {"; ".join(f"overlay {host} {CACHE}/{how[0]}" for host, how in HOSTS.items())}
        for host in {" ".join(HOSTS)}; do
            mkdir {inside}/$host/root/srv/dari
            cp {os.environ['DARI_DEBS']}/dari-host_*.deb {inside}/$host/root/srv/dari
            (cd {inside}/$host/root/srv/dari && dpkg-scanpackages . >Packages 2>/dev/null)
            echo 'deb [trusted=yes] file:/srv/dari ./' >>{inside}/$host/root/etc/apt/sources.list
        done
        {INSIDE}={inside} "$@"
        """
    status = subprocess.call(["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, os.path.abspath(__file__), *sys.argv[1:]])
    os.rmdir(inside)
    sys.exit(status)


if __name__ == "__main__":
    main() if INSIDE in os.environ else enter()
