# SPDX-License-Identifier: Apache-2.0
"""Shared code of the IAM tests: a region with the account "shop", its owner's clients for both faces, and policies."""
import json

import cloud
import dev as ec2
import faces
import pytest


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module")
def dev():
    with ec2.Dev(fetch_from="127.0.0.1") as dev:
        yield dev


@pytest.fixture(scope="module")
def shop(dev):
    return cloud.another(dev, "shop", faces.Both)


@pytest.fixture(scope="module")
def iam(shop):
    return shop.root.client("iam")


@pytest.fixture(scope="module")
def number(shop):
    return shop.root.client("sts").get_caller_identity()["Account"]
