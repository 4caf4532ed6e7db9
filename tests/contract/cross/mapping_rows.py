#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: docs/mapping.md tests/contract
"""Each row of docs/mapping.md is named by the case that proves it, with @holds. The check needs no region, so it runs at every commit: a row that a
feature adds without a case is found where it is added."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import faces  # noqa: E402


def test_each_row_is_held():
    """Every row of docs/mapping.md has a case, and every case names existing rows."""
    said, held = set(faces.rows()), faces.held()
    assert len(said) > 30
    assert said == held, f"no case holds {sorted(said - held)}; there are no rows {sorted(held - said)}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
