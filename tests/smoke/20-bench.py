#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
"""The region that bench/run measures starts, and takes one launch and one list through EC2 and one through OpenStack. No other
test runs it, so that it could break unnoticed. Nothing is measured here."""
import json
import os
import sys
import urllib.request

import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(ROOT, "bench/lib"))
import rates  # noqa: E402
from waiting import HANG_S  # noqa: E402

BUILD = os.environ.get("DARI_BUILD", os.path.join(ROOT, "build/main"))


def test_the_measured_region_answers(tmp_path):
    with rates.region(BUILD, str(tmp_path), 4) as (target, said, _, _):
        assert "<instanceId>" in target.ask(rates.launch_form(said, 0))
        assert "<instanceId>" in target.ask("Action=DescribeInstances")
        servers = urllib.request.Request(f"http://{target.host}/compute/v2.1/servers/detail",
                                         headers={"X-Auth-Token": said["token"][0]})
        with urllib.request.urlopen(servers, timeout=HANG_S) as answer:
            assert len(json.load(answer)["servers"]) == 1


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
