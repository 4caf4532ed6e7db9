#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: docs/monitoring
# when: long
"""Debian's promtool accepts the alert rules, the metrics and the page's configuration, and the rules' own tests pass. monitoring.py compares the metrics'
names."""
import os
import re
import shutil
import subprocess
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import Dev, ROOT  # noqa: E402

FOLDER = os.path.join(ROOT, "docs/monitoring")


def promtool(*words, **how):
    return subprocess.run([shutil.which("promtool", path="/usr/bin"), *words], cwd=FOLDER, capture_output=True, text=True, check=False, **how)


def test_the_rules_are_accepted():
    done = promtool("check", "rules", "alerts.yaml")
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_the_pages_configuration_is_accepted(tmp_path):
    with open(os.path.join(ROOT, "docs/production.md"), encoding="utf-8") as page:
        block = re.search(r"^Prometheus reads .*:\n\n((?:    .*\n)+)", page.read(), re.MULTILINE)[1]
    text = re.sub("^    ", "", block, flags=re.MULTILINE).replace("/etc/prometheus/dari", FOLDER)
    (tmp_path / "prometheus.yml").write_text(text)
    done = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert done.returncode == 0 and "1 rule files found" in done.stdout, done.stdout + done.stderr


def test_the_rules_fire_as_they_should():
    done = promtool("test", "rules", "alerts-test.yaml")
    assert done.returncode == 0 and "SUCCESS" in done.stdout, done.stdout + done.stderr


def test_the_metrics_are_well_formed():
    with Dev() as dev, urllib.request.urlopen(dev.url + "/metrics") as answer:
        done = promtool("check", "metrics", input=answer.read().decode())
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
