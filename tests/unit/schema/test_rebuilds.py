#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Limits how much is recompiled after a change of one kind of row: counts the objects in the build that depend on
the headers which tools/schema.py generates for the kind. A header that includes all kinds makes this test fail.

    test_rebuilds.py BUILD_DIR
"""
import collections
import re
import subprocess
import sys
import unittest

MOST = 100
# Kinds that more objects depend on, each with its ceiling and the reason.
MORE = {
    "instance": (527, "drivers/compute.h and engine/instance/instance.h speak of its enums; each face has machines"),
    "host": (421, "drivers/compute.h and drivers/disk.h speak of its enums, and each command of dari has those"),
    "subnet": (291, "most of the network's tests make one"), "router": (268, "most of the network's tests make one"),
    "port": (251, "as subnet"), "snapshot": (254, "engine/storage/image.h includes snapshots and disks"),
    "image": (248, "engine/storage/image.h has its enums in every wish"),
    "security_group": (219, "as subnet"), "access_key": (228, "the guard asks for keys"),
    "account": (254, "everything belongs to one"), "instance_type": (143, "faces name sizes, and offerings are types"),
    "async_job": (148, "Azure's operations are jobs, and each file of that face knows their outcomes"),
    "address": (118, "each face gives machines and interfaces public addresses; they are billed"),
    "volume": (152, "disks are placed, moved, lost with their host, and local to machines"), "security_group_rule": (202, "as subnet"),
    "product": (270, "engine/storage/image.h has whose licence an image carries, as its other enums"),
    "oidc_provider": (147, "daemon/daemon.h has it, and each command of dari has that"),
}


def count_objects(build):
    """Kind -> how many objects depend on its headers."""
    found = collections.Counter()
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for block in listing.split("\n\n"):
        found.update(set(re.findall(r"^\s+schema/(?:model|store)/(\w+)\.h$", block, re.M)))
    return found


class Rebuilds(unittest.TestCase):
    def test_few_objects_depend_on_a_kind(self):
        found = count_objects(sys.argv[1])
        del found["kinds"], found["states"]
        self.assertGreater(len(found), 50, "the build has no objects yet")
        for kind, count in sorted(found.items()):
            most = MORE.get(kind, (MOST - 1,))[0]
            with self.subTest(kind):
                self.assertLessEqual(count, most, f"{count} objects depend on the headers of {kind}, {most} at most")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
