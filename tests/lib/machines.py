# SPDX-License-Identifier: Apache-2.0
"""Machines booted by systemd on root directories of their own: hand-made containers in namespaces, without processes, devices or services of this
machine. For tests of package managers and service managers."""
import os
import subprocess

import waiting

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Prepares what systemd expects. The machine's cgroups are below $2, which other such machines cannot see.
BOOT = """
    cd "$1"
    mount --make-rprivate /
    mount -t proc proc proc
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup sys/fs/cgroup
    mount -t tmpfs -o mode=755 dev dev
    for name in null zero full random urandom tty; do
        mknod -m 666 "dev/$name" c $(stat -c '0x%t 0x%T' "/dev/$name")
    done
    mkdir dev/pts dev/shm dev/net
    mknod -m 666 dev/net/tun c 10 200
    mount -t devpts -o newinstance,ptmxmode=0666 pts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    printf '[Unit]\\nDescription=No more than what every unit wants\\n' >etc/systemd/system/small.target
    [ -z "$2" ] || echo "$2" >etc/hostname
    mkdir -p mnt
    pivot_root . mnt
    umount -l /mnt
    mount --make-rshared / # as systemd does where it is not in a container: services see mounts that come later
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=small.target --show-status=0
"""


def run(*argv, status=0, **more):
    done = waiting.run([str(word) for word in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    assert status is None or done.returncode == status, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def build_packages(out):
    """Debian packages of this tree, in that directory. tools/deb is silent for minutes, so its log is watched."""
    log = os.path.join(out, "build.log")
    run(os.path.join(ROOT, "tools/deb"), out, shows=lambda: os.path.exists(log) and os.path.getsize(log))


def until(holds, what, shows=None):
    return waiting.wait_until(holds, what, shows=shows)


def cgroups():
    """Mount point of cgroups version 2; None without them."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        return next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)


class Machine:
    """A booted machine on its own root directory, and commands in it. net: its network namespace; default: the caller's."""

    def __init__(self, root, name="", net=None):
        self.root, self.name = root, name
        self.group = f"{cgroups()}/dari-{os.getpid()}-{name}" if cgroups() else ""
        if self.group:
            os.mkdir(self.group)
        enter = ["nsenter", f"--net=/run/netns/{net}"] if net else []
        own = ["sh", "-ec", '[ -z "$1" ] || echo 0 >"$1/cgroup.procs"; shift; exec "$@"', "sh", self.group]
        self.systemd = subprocess.Popen(own + enter + ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc",
                                                       "sh", "-ec", BOOT, "sh", root, name],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        until(self.is_up, "systemd is up")

    def is_up(self):
        assert self.systemd.poll() is None, "systemd ended"
        return self.run("systemctl", "is-system-running", status=None).stdout.strip() in {"running", "degraded"}

    def first(self):
        """Process id, outside of the machine, of its first process."""
        with open(f"/proc/{self.systemd.pid}/task/{self.systemd.pid}/children", encoding="ascii") as children:
            return children.read().split()

    def run(self, *argv, **how):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "HOME": "/root"}
        return run("nsenter", "--all", "--target", *self.first(), "--", *argv, env=env, **how)

    def shell(self, script, **how):
        return self.run("sh", "-ec", script, **how)

    def has(self, name):
        return self.run("test", "-e", name, status=None).returncode == 0

    def read(self, name):
        return self.run("cat", name).stdout

    def dpkg(self, *argv, **how):
        return self.run("dpkg", "--force-unsafe-io", *argv, **how)

    def install(self, package, **how):
        """Installs a package file of this machine."""
        run("cp", package, f"{self.root}/srv")
        return self.dpkg("--install", f"/srv/{os.path.basename(package)}", **how)

    def state(self, package):
        return self.run("dpkg-query", "-W", "-f=${db:Status-Status} ${Version}", package, status=None).stdout

    def of_unit(self, key, unit="dari"):
        return self.run("systemctl", "show", "--value", f"--property={key}", unit).stdout.strip()

    def end(self):
        self.systemd.kill()
        self.systemd.wait()
        for folder, _, _ in os.walk(self.group, topdown=False) if self.group else ():
            until(lambda: remove_group(folder), "its cgroups are empty")  # pylint: disable=cell-var-from-loop


def remove_group(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True
