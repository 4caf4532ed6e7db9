# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the scripts that need one `dari dev` for all their tests: imported by name, `from regions import admin, dev, own`.

Starting and ending a region costs 0.1 s of processors, an account nothing: a script starts its own region, and where tests would meet,
each makes an account (cloud.another, Dev.new_account)."""
import pytest

import cloud
from dev import Dev


@pytest.fixture(scope="module")
def dev():
    """The region."""
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def admin(dev):  # pylint: disable=redefined-outer-name
    """The region's administrator, by a token."""
    return cloud.admin(dev)


@pytest.fixture(scope="module")
def own(dev):  # pylint: disable=redefined-outer-name
    """The user of the project "dev", by a token."""
    return cloud.own(dev)


def add_user(by, name, project, role):
    """A user of the default domain with the role on the project, by name; and a token for it."""
    user = by.ok("POST", "/identity/v3/users", {"user": {"name": name, "password": "geheim"}})["user"]["id"]
    where = by.ok("GET", f"/identity/v3/projects?name={project}")["projects"][0]["id"]
    which = by.ok("GET", f"/identity/v3/roles?name={role}")["roles"][0]["id"]
    by.ok("PUT", f"/identity/v3/projects/{where}/users/{user}/roles/{which}")
    return cloud.Project(by.dev, project, name, "geheim")
