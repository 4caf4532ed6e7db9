# SPDX-License-Identifier: Apache-2.0
"""Says what the machine has, and what is short: guests on a machine without memory are slow in ways that look like faults,
and a full disk stops them."""
import os
import shutil
import subprocess

from entries import ROOT

SCARCE_MEMORY, MUCH_SHARED = 4 << 30, 1 << 30  # bytes: two regions with their guests and what they keep in memory
SCARCE_DISK = 8 << 30  # bytes: what the regions that run at once write


def describe():
    """Lines about the machine."""
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        kib = {line.split(":")[0]: int(line.split()[1]) for line in meminfo}
    free, shared = kib["MemAvailable"] << 10, shared_memory()
    yield (f"machine: {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {free / 2**30:.1f} of {kib['MemTotal'] / 2**20:.1f} GiB "
           f"of memory free, {shared / 2**30:.1f} GiB in /dev/shm, {describe_room()}")
    if free < SCARCE_MEMORY:
        yield f"machine: less than {SCARCE_MEMORY >> 30} GiB free: guests may be slow or not start"
    if min(room().values()) < SCARCE_DISK:
        yield f"machine: less than {SCARCE_DISK >> 30} GiB of disk free: guests stop where they write"
    if shared > MUCH_SHARED:
        yield "machine: /dev/shm holds memory that nobody gives back; the largest:"
        yield from largest("/dev/shm")


def room():
    """Bytes free where the tests write."""
    return {folder: shutil.disk_usage(folder).free for folder in ("/tmp", ROOT)}


def describe_room():
    return ", ".join(f"{free / 2**30:.1f} GiB free in {folder}" for folder, free in room().items())


def shared_memory():
    if not os.path.isdir("/dev/shm"):
        return 0
    fs = os.statvfs("/dev/shm")
    return (fs.f_blocks - fs.f_bfree) * fs.f_frsize


def largest(folder):
    done = subprocess.run(["du", "-xm", "--max-depth=1", "--all", folder], capture_output=True, text=True, check=False)
    rows = sorted((int(size), path) for size, path in (line.split("\t", 1) for line in done.stdout.splitlines()) if path != folder)
    return [f"{size} MiB {path}" for size, path in reversed(rows[-5:])]
