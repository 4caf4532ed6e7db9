#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/host_ src/daemon/onboard src/daemon/ssh src/daemon/commands_host
"""dari host add root@ADDRESS on three hosts of the sandbox, over true sshd and to true libvirtd and Open vSwitch: each has
an /etc of its own, and nothing of a region's. Onboarding is killed whenever its marker file grows, on both sides, and run
again; what it did is taken back, and the machine is as it was before. A launch goes through TLS. With the word
authority behind it, the authority of all certificates is replaced, too, while one host is away.

What this does not show, because the sandbox has no systemd and its hosts share the machine's packages: packages that are
installed (dpkg-query is a stand-in that has them all), socket activation (systemctl is a stand-in, which starts libvirtd
with --listen), ufw and firewalld, and a distribution other than Debian 12."""
# limit: 1200 s
import base64
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import ROOT, Region, blank_image, state, wait_state, wait_until  # noqa: E402

HOSTS = {"hv1": "10.100.0.11", "hv2": "10.100.0.12", "hv3": "10.100.0.13"}
SSHD = os.environ.get("DARI_SSHD", "/usr/sbin/sshd")
UNITS = {"chrony.service": "enabled active", "libvirtd.service": "enabled active", "libvirtd-tls.socket": "disabled inactive",
         "ovn-controller.service": "disabled inactive", "libvirt-guests.service": "enabled active"}
PACKAGES = ["iproute2", "libvirt-clients", "libvirt-daemon-driver-qemu", "libvirt-daemon-system", "openssl", "openvswitch-switch", "ovmf",
            "ovn-host", "qemu-system-x86", "qemu-utils", "seabios", "swtpm", "swtpm-tools"]
OURS_IN_OVS = ["ovn-remote", "ovn-encap-type", "ovn-encap-ip", "ovn-bridge-mappings"]
OLD_NAME = "3f0a7c52-5a4e-4f2e-9d3c-2d1c6a7c9e10"
KILLS = int(os.environ.get("KILLS", "8"))


class Bare(Region):
    """A sandbox of three hosts, and dari, which does not know them."""

    def __enter__(self):
        self.run("tools/demo", "down")
        try:
            self.run("tools/sandbox", "up", "--hosts", str(len(HOSTS)))
            self.serve()
        except (subprocess.CalledProcessError, TimeoutError):
            self.run("tools/demo", "down", fails=True)
            raise
        return self

    def serve(self):
        os.makedirs(self.demo, 0o700)
        self.write_configuration()
        self.start_server()

    def write_configuration(self):
        said = dict(re.findall(r"^(\w+)='?([^'\n]*)'?$", self.run("tools/sandbox", "serve-env"), re.MULTILINE))
        self.run(self.dari, "init", "--yes", "--zone", "a", "--data", f"{self.demo}/data", "--socket", f"{self.demo}/dari.sock",
                 "--port", str(self.port), "--ovn", said["DSB_NB"], "--ovs", said["DSB_OVS"], "--chassis", said["DSB_CHASSIS"],
                 "--upstreams", said["DSB_DNS"])

    def start_server(self):
        with open(f"{self.demo}/dari.log", "a", encoding="utf-8") as log:
            server = subprocess.Popen(["tools/sandbox", "serve", "--port", str(self.port), self.dari, "serve"], cwd=ROOT, env=self.env,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        with open(f"{self.demo}/dari.pid", "w", encoding="ascii") as f:
            f.write(str(server.pid))
        wait_until(self.health, "the API answers")

    def folder(self, host):
        return f"{self.env['DARI_SANDBOX']}/{host}"

    def path(self, host, name):
        return f"{self.folder(host)}/{name}"

    # ---- machines that are not hosts yet

    def prepare(self, host, public_key):
        """A separate /etc, sshd, fake tools; Open vSwitch with its own system-id, and no ovn-controller."""
        folder, address = self.folder(host), HOSTS[host]
        self.on(host, "sh", "-c", f"cp -a /etc {folder}/etc-own && mount --bind {folder}/etc-own /etc && mkdir -p /run/sshd && "
                "rm -rf /etc/pki /etc/dari-host.yaml /etc/systemd/system/libvirtd-tls.socket.d && "
                "mkdir -p /etc/openvswitch /etc/libvirt/storage/autostart && "  # libvirtd creates the latter once, and keeps it
                f"echo {OLD_NAME} >/etc/openvswitch/system-id.conf && "
                "{ grep -q ^sshd: /etc/passwd || echo 'sshd:x:64056:65534::/run/sshd:/usr/sbin/nologin' >>/etc/passwd; }")
        self.on(host, "ovn-appctl", "-t", "ovn-controller", "exit")
        for key in OURS_IN_OVS:
            self.on(host, "ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "external_ids", key)
        self.on(host, "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f"external_ids:system-id={OLD_NAME}")
        os.makedirs(f"{folder}/units")
        os.makedirs(f"{folder}/tools")
        for name, state in UNITS.items():
            with open(f"{folder}/units/{name}", "w", encoding="ascii") as f:
                f.write(state + "\n")
        shutil.copy(f"{ROOT}/tests/real/onboarding/systemctl", f"{folder}/tools/systemctl")
        self.stand_in(host, "timedatectl", "echo yes")
        self.stand_in(host, "dpkg-query", f"for name in {' '.join(PACKAGES)}; do echo \"installed $name\"; done")
        for name in ("apt-get", "dpkg"):
            self.stand_in(host, name, f"echo '{name}: the packages are the machine'\"'\"'s' >&2; exit 1")
        self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{folder}/host_key")
        with open(f"{folder}/authorized_keys", "w", encoding="ascii") as f:
            f.write(public_key)
        run = f"{folder}/run"
        with open(f"{folder}/sshd_config", "w", encoding="ascii") as f:
            f.write(f"Port 22\nListenAddress {address}\nHostKey {folder}/host_key\nPidFile {folder}/sshd.pid\nStrictModes no\nUsePAM no\n"
                    f"AuthorizedKeysFile {folder}/authorized_keys\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
                    f"SetEnv PATH={folder}/tools:/usr/sbin:/usr/bin:/sbin:/bin DARI_TEST_DIR={folder} OVS_RUNDIR={run} OVN_RUNDIR={run} "
                    f"OVS_DBDIR={folder}/db DARI_SANDBOX_MARK={self.env['DARI_SANDBOX']}\n")
        self.on(host, SSHD, "-f", f"{folder}/sshd_config", "-E", f"{folder}/log/sshd.log")

    def stand_in(self, host, name, script):
        path = self.path(host, f"tools/{name}")
        with open(path, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def fingerprint(self, host):
        with open(self.path(host, "host_key.pub"), encoding="ascii") as f:
            key = base64.b64decode(f.read().split()[1])
        return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")

    def sight(self, host):
        """Everything that onboarding could change there."""
        seen = {}
        top = self.path(host, "etc-own")
        for folder, folders, names in os.walk(top):
            for name in folders + names:
                path = os.path.join(folder, name)
                mode = oct(os.lstat(path).st_mode)
                content = ""
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, "rb") as f:
                        content = hashlib.sha256(f.read()).hexdigest()
                seen[path[len(top):]] = mode + content
        for name in UNITS:
            with open(self.path(host, f"units/{name}"), encoding="ascii") as f:
                seen[name] = f.read()
        seen["ids"] = self.on(host, "ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids")
        seen["bridges"] = self.on(host, "ovs-vsctl", "list-br")
        seen["listening"] = self.on(host, "sh", "-c", "ss -Hltn | grep -c :16514", fails=True)
        return seen

    # ---- the command with an ssh agent, in the network of dari's machine

    def argv(self, *words):
        return ["tools/sandbox", "on", "ctl", "env", f"SSH_AUTH_SOCK={self.demo}/agent", self.dari, *words]

    def add_words(self, host, *more):
        return ["host", "add", f"root@{HOSTS[host]}", "--as", host, "--fingerprint", self.fingerprint(host), "--reserved-mib", "512", *more]

    def dari_there(self, *words):
        return self.attempt(*self.argv(*words))

    def scripts_on(self, host):
        """Process ids, outside of the host, of its ssh shells."""
        wanted = os.stat(f"/run/netns/{self.env['DARI_SANDBOX_PREFIX']}{host}").st_ino
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    if f.read() == b"sh\0-s\0" and os.stat(f"/proc/{pid}/ns/net").st_ino == wanted:
                        found.append(int(pid))
            except OSError:
                continue
        return found

    def kill(self, pid):
        try:
            os.kill(pid, signal.SIGKILL)
            return True
        except ProcessLookupError:
            return False

    def marked(self, host):
        try:
            with open(self.path(host, "etc-own/dari-host.yaml"), encoding="utf-8") as f:
                return len(f.readlines())
        except FileNotFoundError:
            return 0

    def add_and_kill(self, host, lines, there):
        """Kills the command once the marker file has so many lines: ssh and dari here, or the shell there. False if it ended first."""
        command = subprocess.Popen(self.argv(*self.add_words(host)), cwd=ROOT, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        while command.poll() is None and self.marked(host) < lines:
            time.sleep(0.002)
        if not there and command.poll() is None:
            os.killpg(command.pid, signal.SIGKILL)
        while there and command.poll() is None and not any([self.kill(pid) for pid in self.scripts_on(host)]):
            pass
        command.communicate()
        return command.returncode != 0


def onboard(region, host):
    start = time.monotonic()
    done = region.dari_there(*region.add_words(host))
    took = time.monotonic() - start
    if not region.check(f"{host} is added, and up, in {took:.0f} s", done.returncode == 0 and f"host {host} is up" in done.stdout):
        print(done.stdout)
        print(region.on(host, "sh", "-c", f"tail -n 20 {region.folder(host)}/log/*.log", fails=True))


def undo(region, host):
    done = region.dari_there("host", "remove", host, "--undo", "--ssh", f"root@{HOSTS[host]}")
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


def tell_difference(before, after):
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            print(f"  {path}: {before.get(path)} -> {after.get(path)}")


def taken_back(region, host, before, words):
    region.check(f"{words}: undo", undo(region, host))
    after = region.sight(host)
    if not region.check(f"{words}: the machine is as it was before", after == before):
        tell_difference(before, after)


def nobody_else(region, host):
    """Only dari's certificate gives access to libvirt: no other, not even the host's own."""
    address, folder = HOSTS[host], region.path(host, "etc-own/pki")
    uri = f"qemu+tls://{address}/system?pkipath="
    own = f"{region.demo}/pki"
    os.makedirs(own)
    for source, name in (("qemu/ca-cert.pem", "cacert.pem"), ("qemu/client-cert.pem", "clientcert.pem"), ("qemu/client-key.pem", "clientkey.pem")):
        shutil.copy(f"{folder}/{source}", f"{own}/{name}")
    said = region.on("ctl", "virsh", "-c", uri + own, "list", fails=True)
    region.check("a host's own certificate opens no libvirt", "error" in said and "Id" not in said)
    said = region.on("ctl", "virsh", "-c", f"{uri}{region.demo}/data/libvirt/client", "list", fails=True)
    region.check("dari's does", "Id" in said)


def renews(region, host):
    def served():
        return region.on("ctl", "sh", "-c", f"openssl s_client -connect {HOSTS[host]}:16514 </dev/null 2>/dev/null | openssl x509 -noout -serial")
    before, pid = served(), region.on(host, "cat", f"{region.folder(host)}/run/libvirtd.pid")
    done = region.dari_there("host", "renew", host)
    if not region.check("renewed", done.returncode == 0):
        print(done.stdout)
    region.check("libvirtd serves the new certificate", served() not in {"", before})
    region.check("and was not started again for it", region.on(host, "cat", f"{region.folder(host)}/run/libvirtd.pid") == pid)


def replaces_authority(region):
    """Replaces the certificate authority while a host is down: no connection is refused, and the replacement continues when the host is back."""
    def issuer(host):
        return region.on("ctl", "sh", "-c", f"openssl s_client -connect {HOSTS[host]}:16514 </dev/null 2>/dev/null | openssl x509 -noout -issuer")

    def all_up():
        return {h["state"] for h in region.command("host", "list")} == {"up"}

    def restart():
        region.kill_dari()
        region.start_server()
        wait_until(all_up, "a new server reaches all of them")
    before = {host: issuer(host) for host in HOSTS}
    old = f"{region.demo}/old-client"
    shutil.copytree(f"{region.demo}/data/libvirt/client", old)
    region.command("host", "replace-authority")
    away = region.on("hv3", "cat", region.path("hv3", "sshd.pid")).strip()
    region.on("hv3", "kill", away)
    done = region.dari_there("host", "renew", "--all")
    region.check("a host that is away is told of", done.returncode == 1 and done.stdout.count("hv1:") == 1)
    region.check("and keeps the new authority from signing", {host: issuer(host) for host in HOSTS} == before)
    restart()
    region.on("hv3", SSHD, "-f", f"{region.folder('hv3')}/sshd_config", "-E", f"{region.folder('hv3')}/log/sshd.log")
    done = region.dari_there("host", "renew", "--all")
    if not region.check("once it is back, all have certificates of the new one", done.returncode == 0):
        print(done.stdout)
    region.check("of another name", not set(issuer(host) for host in HOSTS) & set(before.values()))
    told = region.run(region.dari, "host", "authority")
    region.check(f"nothing is left to do: {told}", "replace" not in told and "renewed" not in told)
    restart()
    said = region.on("ctl", "virsh", "-c", f"qemu+tls://{HOSTS['hv1']}/system?pkipath={old}", "list", fails=True)
    region.check("what the old one signed for dari opens nothing any more", "error" in said and "Id" not in said)


def main():
    with Bare("ob") as region:
        region.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{region.demo}/operator")
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", f"{region.demo}/agent"], stdout=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(f"{region.demo}/agent"), "the agent")
        region.run("env", f"SSH_AUTH_SOCK={region.demo}/agent", "ssh-add", "-q", f"{region.demo}/operator")
        try:
            course(region)
        finally:
            agent.terminate()


def course(region):
    with open(f"{region.demo}/operator.pub", encoding="ascii") as f:
        public_key = f.read()
    before = {}
    for host in HOSTS:
        region.prepare(host, public_key)
        before[host] = region.sight(host)

    refused = region.dari_there(*region.add_words("hv1")[:3])
    region.check("a key that nobody vouched for is refused", refused.returncode == 1 and region.fingerprint("hv1") in refused.stdout)
    planned = region.dari_there(*region.add_words("hv1", "--plan"))
    region.check("a plan", planned.returncode == 0 and "tls_allowed_dn_list" in planned.stdout)
    region.check("changes nothing", region.sight("hv1") == before["hv1"])
    cut = region.dari_there(*region.add_words("hv1", "--uplink", "br-phy"))
    region.check("the interface of ssh is left alone", cut.returncode == 1 and "carries the connection" in cut.stdout)
    taken_back(region, "hv1", before["hv1"], "what was done until then")

    onboard(region, "hv1")
    lines = region.marked("hv1")
    again = region.dari_there(*region.add_words("hv1"))
    region.check("once more: nothing is left to do", again.returncode == 0 and "++" not in again.stdout)
    nobody_else(region, "hv1")
    renews(region, "hv1")
    taken_back(region, "hv1", before["hv1"], "added and renewed")

    places = sorted({1 + k * lines // KILLS for k in range(KILLS)})
    for number, place in enumerate(places):
        there = number % 2 == 1
        killed = region.add_and_kill("hv1", place, there)
        done = region.dari_there(*region.add_words("hv1"))
        if not region.check(f"killed {'there' if there else 'here'} at line {place} of {lines} ({'cut off' if killed else 'had ended'}), and "
                            "run again: it is up", done.returncode == 0 and "host hv1 is up" in done.stdout):
            print(done.stdout)
        if number % 3 == 0:
            taken_back(region, "hv1", before["hv1"], f"killed at line {place}")

    for host in HOSTS:
        onboard(region, host)
    listed = {h["name"]: h for h in region.command("host", "list")}
    region.check("all are up, by TLS", all(listed[h]["state"] == "up" and listed[h]["uri"].startswith(f"qemu+tls://{HOSTS[h]}/") for h in HOSTS))
    wait_until(lambda: all(name in region.on("ctl", "ovn-sbctl", "show") for name in HOSTS), "all are chassis of OVN")
    region.check("dari doctor is content with their certificates", "host certificates" in region.run(region.dari, "doctor", fails=True))
    region.command("network", "add-external", "internet", "--physical-network", "physnet1", "--next-hop", "100.64.0.1",
                   "--range", "203.0.113.100-203.0.113.200", "--gateway-range", "100.64.1.1-100.64.255.254")
    ec2 = region.account("ob")
    started = ec2.run_instances(ImageId=blank_image(ec2), InstanceType="t2.nano", MinCount=1, MaxCount=1)
    identifier = started["Instances"][0]["InstanceId"]
    wait_state(ec2, [identifier], "running")
    region.check("an instance runs there", True)
    if "authority" in sys.argv[1:]:
        replaces_authority(region)
        region.check("the instance ran on", state(ec2, identifier) == "running")
    home = region.command("explain", identifier)["fields"]["host"]
    refused = region.dari_there("host", "remove", home, "--undo")
    region.check("a host with a guest is not taken back", refused.returncode == 1)
    region.check("and still a host", listed.keys() == {h["name"] for h in region.command("host", "list")})
    for host in sorted(set(HOSTS) - {home}):
        done = undo(region, host)
        region.check(f"{host} is no host any more", done and host not in {h["name"] for h in region.command("host", "list")})


if __name__ == "__main__":
    main()
