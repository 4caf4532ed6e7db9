# SPDX-License-Identifier: Apache-2.0
"""A real GlusterFS with one server and one brick, for the nodes of a sandbox. The server runs on the node ctl, with its underlay address, because
bricks refuse 127.0.0.1. Its files are below the sandbox's directory, and other paths that it writes are mounts private to ctl; so everything
disappears with the sandbox. Needs Debian's glusterfs-server, and glusterfs-client for the hosts."""
import subprocess

from region import wait_until

VOLUME, ADDRESS = "vms", "10.100.0.10"  # ctl's address in the underlay
OWN = ("/var/lib/glusterd", "/var/run/gluster", "/var/log/glusterfs")


def tell(region, *words):
    return region.on("ctl", "gluster", "--mode=script", *words)


def answers(region):
    try:
        tell(region, "pool", "list")
        return True
    except subprocess.CalledProcessError:
        return False


def start(region):
    """Creates and starts a volume of one brick. A brick on the root file system requires the word force."""
    brick = f"{region.env['DARI_SANDBOX']}/brick"
    for directory in OWN:
        region.on("ctl", "sh", "-c", f"mkdir -p {directory} && mount -t tmpfs gluster {directory}")
    region.on("ctl", "mkdir", "-p", brick)
    region.on("ctl", "glusterd")
    wait_until(lambda: answers(region), "glusterd answers")
    tell(region, "volume", "create", VOLUME, f"{ADDRESS}:{brick}", "force")
    tell(region, "volume", "start", VOLUME)
    return brick


def mount(region, host, directory):
    """FUSE belongs to the machine's kernel: without it (`grep fuse /proc/filesystems`) no host can mount the volume."""
    region.on(host, "mkdir", "-p", directory, "/var/log/glusterfs")
    try:
        region.on(host, "mount", "-t", "glusterfs", f"{ADDRESS}:/{VOLUME}", directory)
    except subprocess.CalledProcessError:
        print(region.on(host, "sh", "-c", "grep fuse /proc/filesystems; ls -l /dev/fuse; tail -n 20 /var/log/glusterfs/*.log", fails=True))
        raise


def is_mounted(region, host, directory):
    return f"{ADDRESS}:/{VOLUME} {directory} fuse.glusterfs" in region.on(host, "cat", "/proc/mounts")
