#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
"""Query parameters of lists: directions and keys of the order, bounds, words, and names that another service's lists have. Each must have an effect or be
refused with the service's status, because a parameter that is passed over gives another answer than the one that was asked for."""
import os
import sys
import urllib.parse

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloud import VOLUME  # noqa: E402
from regions import admin, dev, own  # noqa: E402, F401 (fixtures)

VERSIONS = {"compute": "compute 2.93", "volume": VOLUME}
SORTED = ["/compute/v2.1/servers", "/compute/v2.1/flavors", "/compute/v2.1/os-migrations", "/volume/v3/volumes", "/volume/v3/snapshots", "/volume/v3/backups",
          "/volume/v3/groups", "/volume/v3/types", "/volume/v3/attachments", "/image/v2/images", "/network/v2.0/networks", "/network/v2.0/ports", "/network/v2.0/security-groups"]


def get(by, path):
    return by.call("GET", path, version=VERSIONS.get(path.split("/")[1]))


@pytest.mark.parametrize("path", SORTED)
@pytest.mark.parametrize("query", ["sort_dir=foo", "sort_key=name&sort_dir=foo", "sort_key=foo", "sort_key=name&sort_dir=asc&sort_dir=desc", "limit=x", "limit=-1"])
def test_a_wrong_order(admin, path, query):
    assert get(admin, f"{path}?{query}").status == 400


@pytest.mark.parametrize("path", ["/compute/v2.1/flavors", "/volume/v3/types", "/image/v2/images"])
def test_a_direction_alone(admin, path):
    """A direction without a key turns the list's own order."""
    def ids(query):
        rows, = [v for v in get(admin, f"{path}?{query}").json.values() if isinstance(v, list)]
        return [row["id"] for row in rows]
    up = ids("sort_dir=asc")
    assert up == ids("sort_dir=desc")[::-1] and len(up) > 1 and ids("") in (up, up[::-1])


@pytest.mark.parametrize("name", ["page_reverse=True", "fields=id", "sort=name:asc", "unknown=1"])
@pytest.mark.parametrize("path", ["/compute/v2.1/servers", "/compute/v2.1/flavors", "/compute/v2.1/os-keypairs"])
def test_names_of_other_services(admin, path, name):
    assert get(admin, f"{path}?{name}").status == 400
    assert admin.call("GET", f"{path}?{name}", version="compute 2.74").status == 200  # Nova passes them over before 2.75


@pytest.mark.parametrize("query, words", [
    ("size_min=big", "Unable to filter on a range with a non-numeric value."), ("size_max=", "Unable to filter on a range"), ("os_hidden=perhaps", "os_hidden"),
    ("changes-since=2020-01-01", "no longer available on v2"), ("visibility=foo", "Invalid visibility value"), ("member_status=foo", "Invalid status")])
def test_filters_of_images(own, query, words):
    answer = get(own, f"/image/v2/images?{query}")
    assert answer.status == 400 and words in answer.text, answer


def test_good_filters_of_images(own):
    every = len(get(own, "/image/v2/images").json["images"])
    for query in ("os_hidden=False", "os_hidden=false", "size_min=0", "visibility=public"):
        assert len(get(own, f"/image/v2/images?{query}").json["images"]) == every > 0, query


def test_specs_of_volume_types(own, admin):
    """Members see the specs that are for users (cinder/policies/volume_type.py: user_visible_extra_specs); the others are neither shown nor found."""
    specs = {"volume_backend_name": "x", "multiattach": "<is> False", "RESKEY:availability_zones": "us-east-1a"}
    made = admin.ok("POST", "/volume/v3/types", {"volume_type": {"name": "secretive", "extra_specs": specs}}, version=VOLUME)["volume_type"]
    path, seen = f"/volume/v3/types/{made['id']}", {k: v for k, v in specs.items() if k != "volume_backend_name"}
    for by, wanted in ((admin, specs), (own, seen)):
        assert get(by, path).json["volume_type"]["extra_specs"] == get(by, f"{path}/extra_specs").json["extra_specs"] == wanted
        assert [t["extra_specs"] for t in get(by, "/volume/v3/types").json["volume_types"] if t["id"] == made["id"]] == [wanted]
        assert get(by, f"{path}/extra_specs/volume_backend_name").status == (200 if by is admin else 404)
    asked = urllib.parse.quote('{"volume_backend_name": "x"}')
    assert get(own, f"/volume/v3/types?extra_specs={asked}").json["volume_types"] == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
