#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Limits how much of the product is recompiled after a new member of a kind: counts the objects of src/ that depend on the struct which
tools/schema.py generates for the kind. A header that includes all kinds makes this test fail. Who needs a kind's enums alone includes its
words (model/KIND_words.h), which change more rarely and are not counted.

    test_rebuilds.py BUILD_DIR
"""
import collections
import re
import subprocess
import sys
import unittest

MOST = 120
# Kinds that more objects depend on, each with its ceiling and the reason.
MORE = {
    "instance": (229, "each face has machines, and what they have is looked up by its owner"),
    "port": (149, "the files of networks find one by another"),
    "account": (181, "everything belongs to one"),
    "subnet": (134, "interfaces, routers and fronts of load balancers are in one"),
}


def count_objects(build):
    """Kind -> how many objects of src/ depend on its headers. Each test program that makes a row depends on its kind, and is welcome."""
    found = collections.Counter()
    listing = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True, check=True).stdout
    for block in listing.split("\n\n"):
        if block.startswith("src/"):
            found.update(set(re.findall(r"^\s+schema/(?:model|store)/(\w+?)(?<!_words)\.h$", block, re.M)))
    return found


class Rebuilds(unittest.TestCase):
    def test_few_objects_depend_on_a_kind(self):
        found = count_objects(sys.argv[1])
        del found["kinds"], found["states"]
        self.assertGreater(len(found), 50, "the build has no objects yet")
        for kind, count in sorted(found.items()):
            most = MORE.get(kind, (MOST,))[0]
            with self.subTest(kind):
                self.assertLessEqual(count, most, f"{count} objects depend on the headers of {kind}, {most} at most")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=0)
