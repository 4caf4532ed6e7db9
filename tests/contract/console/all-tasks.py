#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native
# when: long
"""Each task of tests/lib/console_tasks.py, by keyboard alone and by pointer, at 1280 and 390 pixels, in both languages. Each dialog on the way is checked by
axe. tests/contract/console/tasks.py performs each task in two of the eight combinations."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from console_tasks import COMBINATIONS, OF_REGION, TASKS  # noqa: E402
from console_user import Users  # noqa: E402


@pytest.fixture(scope="module")
def users():
    with Users() as both:
        yield both


@pytest.mark.parametrize("way, width, language", COMBINATIONS)
@pytest.mark.parametrize("task", TASKS + OF_REGION)
def test_task(users, task, way, width, language):
    users.perform(task, way, width, language)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
