#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/native src/api/cloudstack src/store/query
"""Every list of a face and every member that its rows show: as a filter, its value finds the rows that have it and no other, and
a value of nobody's finds none. EC2's and OpenStack's filters have other names than members, so that tables say what each compares:
tests/contract/ec2/filters_and_pages.py, tests/contract/openstack/filters.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import matrix  # noqa: E402
from faces.cloudstack import CloudStack  # noqa: E402
from faces.native import Native  # noqa: E402

FACES = matrix.chosen([CloudStack(), Native()])
NOBODYS = "no-such-value"


@matrix.cases(FACES, lambda face: face.filters)
def test_filters(place, face, name):
    rows, wrong = face.rows(place, name), []
    assert rows or name in face.empty, "it lists nothing: the region has to make one"
    for member in sorted({k for row in rows for k in row} - face.unfit.get(name, set())):
        values = sorted({text(row[member]) for row in rows if isinstance(row.get(member), (str, int, bool)) and row[member] != ""})
        for value in [*values[:3], NOBODYS] if values else ():
            found = face.find(place, name, member, value)
            wanted = [row for row in rows if text(row.get(member)) == value]
            if found is not None and sorted(map(str, found)) != sorted(map(str, wanted)):
                wrong.append(f"{member}={value} finds {len(found)} rows; {len(wanted)} have it")
    assert not wrong, "\n" + "\n".join(wrong)


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    sys.exit(matrix.main(__file__))
