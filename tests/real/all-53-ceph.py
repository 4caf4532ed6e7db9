#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ceph
"""Disks in a pool of a real Ceph: the driver alone, and guests on two hosts that boot from the pool, get disks from it, move between hosts and are
blocked."""
# limit: 1200 s
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ceph  # noqa: E402
import clone  # noqa: E402
import waiting  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("DARI_BUILD", ROOT / "build/main")) / "tests/unit/drivers"
NAMES, ADDRESS = clone.sandbox("ceph"), "10.100.0.10"  # ctl's address in the underlay
IN_CTL = ["ip", "netns", "exec", f"{NAMES['DARI_SANDBOX_PREFIX']}ctl"]
LIBRARY = "/usr/lib/x86_64-linux-gnu/librbd.so.1"

failed = 0


def check(words, holds):
    global failed
    failed += not holds
    print(f"{'ok' if holds else 'FAILED'}: {words}", flush=True)


def run(words, *argv, of=(), **environment):
    check(words, waiting.run(argv, env={**os.environ, **environment}, of=of).returncode == 0)


def try_all(cluster):
    environment = {**cluster.environment(), **NAMES, "CMOCKA_MESSAGE_OUTPUT": "STDOUT",
                   "DARI_TEST_SANDBOX": str(ROOT / "tools/sandbox"), "DARI_TEST_IMAGE": str(ROOT / "build/cache/tiny.qcow2")}
    driver = str(PROGRAMS / "test_drivers_disk_rbd")
    run("the driver by itself", *IN_CTL, driver, **environment)
    run("a machine without librbd says which package it lacks", "unshare", "-m", "sh", "-c",
        f'mount --bind /dev/null {LIBRARY} && exec "$0"', driver, **environment, DARI_TEST_NO_LIBRBD="yes")
    run("guests", *IN_CTL, str(PROGRAMS / "test_drivers_compute_libvirt"),
        of=[waiting.Nodes(NAMES["DARI_SANDBOX"]), *cluster.daemons], **environment)
    left = (cluster.run("rbd", "ls", ceph.POOL) + cluster.run("rbd", "trash", "ls", ceph.POOL)).splitlines()
    check(f"only cached images are left in the pool: {left}", all("-img-" in name for name in left))


def main():
    os.environ.update(NAMES)
    sandbox = str(ROOT / "tools/sandbox")
    subprocess.run([sandbox, "hold", str(os.getpid())], check=True)
    subprocess.run([sandbox, "down"], capture_output=True)
    top = tempfile.mkdtemp(prefix="dari-ceph-")
    try:
        subprocess.run([sandbox, "up"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([str(ROOT / "tools/tiny-image"), str(ROOT / "build/cache/tiny.qcow2")], check=True, stdout=subprocess.DEVNULL)
        with ceph.Cluster(top, ADDRESS, IN_CTL) as cluster:
            try_all(cluster)
    finally:
        subprocess.run([sandbox, "down"], stdout=subprocess.DEVNULL)
        shutil.rmtree(top)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
