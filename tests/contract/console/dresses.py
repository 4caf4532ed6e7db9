#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web
# when: long
"""Each page of the console in every combination of language, theme and width, full and empty, and the page of one resource of each kind.
tests/contract/console/pages.py checks two of these combinations."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from console import BRIEF, DRESSES, OF_REGION, PAGES, go, instance, look, pages, world  # noqa: E402
from dev import Dev  # noqa: E402

OF_ONE = ["images", "volumes", "snapshots", "networks", "security-groups", "addresses", "keys", "people", "user-groups", "roles", "policies", "tickets"]


@pytest.fixture(scope="module")
def dev():
    with world() as region:
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with pages(dev) as b:
        yield b


@pytest.fixture(scope="module")
def operator(dev):
    with pages(dev, "admin") as b:
        yield b


@pytest.mark.parametrize("path", PAGES)
def test_page(page, dev, path):
    wrong = look(page, dev, path, DRESSES)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", OF_REGION)
def test_page_of_the_region(operator, dev, path):
    wrong = look(operator, dev, path, DRESSES)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", ["hosts", "accounts", "tickets", "instance-types", "volume-types", "external-networks", "webhooks"])
def test_page_of_one_of_the_region(operator, dev, path):
    test_page_of_one(operator, dev, path)


@pytest.mark.parametrize("path", OF_ONE)
def test_page_of_one(page, dev, path):
    go(page, dev, path)
    to = page.until("return document.querySelector('tr[data-id] a[href], .map a[href]')?.getAttribute('href')", what=f"one of {path}")
    wrong = look(page, dev, to.removeprefix("/console/"), BRIEF)
    if path != "networks":  # this page has a map instead of a list
        wrong += look(page, dev, f"{path}?open={to.rsplit('/', 1)[1]}", BRIEF)
    assert not wrong, "\n".join(wrong)


def test_page_of_an_instance(page, dev):
    wrong = look(page, dev, f"instances/{instance(dev, 'web-1')}", DRESSES) + look(page, dev, f"instances?open={instance(dev, 'web-2')}", BRIEF)
    assert not wrong, "\n".join(wrong)


def test_empty_pages():
    """Pages of an account without resources."""
    with Dev() as dev:
        wrong = []
        with pages(dev) as b:
            for path in PAGES:
                wrong += [f"{path}: {line}" for line in look(b, dev, path, BRIEF)]
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
