#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2
"""Compares the face with Amazon's documentation in Debian's python3-botocore: every filter in a Describe action's text is known, and the bounds of
MaxResults are the documented ones."""
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))
from dev import dump  # noqa: E402
from ec2_newer_filters import NEWER_FILTERS  # noqa: E402

MODEL = json.loads(pathlib.Path("/usr/lib/python3/dist-packages/botocore/data/ec2/2016-11-15/service-2.json").read_text())
ACTIONS = {a["name"]: a for a in dump()["actions"] if a["service"] == "ec2" and a["name"] in MODEL["operations"]}

# Filters that every Describe action knows, documented or not.
OF_TAGS = re.compile(r"tag|tag:.*|tag-key|tag-value")
# Words in the text that look like filters and are values, or examples.
NO_FILTERS = {("DescribeImages", "windows"),
              ("DescribeVpnConnections", "customer-gateway-configuration"),  # longer than a filter's value may be
              *(("DescribeCapacityReservations", value) for value in
                "default dedicated active expired cancelled pending failed unlimited limited open targeted".split())}


def members(action):
    shape = MODEL["operations"][action].get("input", {}).get("shape")
    return MODEL["shapes"][shape].get("members", {}) if shape else {}


def documented_filters(action):
    """First word of each list item: "<li> <p> <code>name</code> - description"."""
    text = members(action).get("Filters", {}).get("documentation", "")
    found = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>\s*(?:-|–|—|\(|:|</p>|\|)", text)
    found += re.findall(r"using the <code>([^<]+)</code> filter", text)
    return [name.strip() for name in found if (action, name) not in NO_FILTERS] + NEWER_FILTERS.get(action, [])


def bounds_clamp(action):
    """True for "If you specify a value larger than 500, only 500 items are returned", which is no bound of requests."""
    return "larger than" in members(action)["MaxResults"].get("documentation", "")


def documented_bounds(action):
    """Bounds of MaxResults: the model's own, or "between 5 and 1000" in the text; None without either."""
    member = members(action).get("MaxResults", {})
    shape = MODEL["shapes"].get(member.get("shape"), {})
    if "max" in shape:
        return shape.get("min"), shape["max"]
    text = member.get("documentation", "")
    match = re.search(r"between (\d+) and ([\d,]+)", text)
    return (int(match[1]), int(match[2].replace(",", ""))) if match else None


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if "Filters" in members(a)))
def test_filters(action):
    documented = documented_filters(action)
    assert documented or not ACTIONS[action]["filters"], "the text lists no filter: has its form changed?"
    missing = [name for name in documented if name not in ACTIONS[action]["filters"] and not OF_TAGS.match(name.replace("&lt;", "<"))]
    assert not missing, f"{action} does not know {', '.join(missing)}"


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if documented_bounds(a)))
def test_max_results(action):
    param = next((p for p in ACTIONS[action]["params"] if p["name"] == "MaxResults"), None)
    assert param and param["built"], "MaxResults is not built"
    least, most = documented_bounds(action)
    assert (param["max"] == most or bounds_clamp(action)) and (least is None or param["min"] == least), f"{param['min']} to {param['max']}, not {least} to {most}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
