#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native
"""Each task of tests/lib/console_tasks.py once by keyboard alone and once by pointer; widths and languages take turns, so that each pair of them occurs.
tests/contract/console/all-tasks.py performs each in all combinations."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from console_tasks import COMBINATIONS, OF_REGION, TASKS  # noqa: E402
from console_user import Users  # noqa: E402

HALF = len(COMBINATIONS) // 2  # by keyboard; the rest is by pointer
CHOSEN = [(task, *COMBINATIONS[turn]) for k, task in enumerate(TASKS + OF_REGION) for turn in (k % HALF, HALF + (HALF - 1 - k) % HALF)]


@pytest.fixture(scope="module")
def users():
    with Users() as both:
        yield both


@pytest.mark.parametrize("task, way, width, language", CHOSEN)
def test_task(users, task, way, width, language):
    users.perform(task, way, width, language)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
