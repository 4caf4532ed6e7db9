#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/health.c docs/monitoring docs/production.md
"""Every metric used in docs/monitoring exists in /metrics."""
import json
import os
import re
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev  # noqa: E402

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/monitoring")


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return f.read()


def test_each_metric_is_given():
    board = json.loads(read("dashboard.json"))
    asked = "\n".join([read("alerts.yaml"), *(t["expr"] for p in board["panels"] for t in p["targets"])])
    with Dev() as dev, urllib.request.urlopen(dev.url + "/metrics") as answer:
        given = set(re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.MULTILINE))
    wanted = set(re.findall(r"\bdari_\w+", asked))
    assert len(wanted) > 20 and not wanted - given


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
