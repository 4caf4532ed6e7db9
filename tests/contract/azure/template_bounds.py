#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure/template src/api/azure/deployments
"""Templates whose values would take gigabytes are refused with Azure's errors; meanwhile another account's deployment proceeds."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from azure import Cloud  # noqa: E402
from dev import Dev  # noqa: E402
from waiting import wait_until  # noqa: E402

VERSION = "2021-04-01"
BOMBS, MORE_KIB_MAX = 8, 256 * 1024  # without a budget each bomb takes 524 MiB
# A template's values may take 64 MiB in total.
BOMB = "[length(map(range(0, 10000), lambda('x', range(0, 10000))))]"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


@pytest.fixture(name="cloud", scope="module")
def start():
    with Dev("--tls") as dev:
        here = Cloud(dev)
        os.environ.update(AWS_CA_BUNDLE=here.ca, SSL_CERT_FILE=here.ca)
        yield here


def path_of(cloud, name, account=None):
    return f"{cloud.subscription(account)}/resourceGroups/dari-default/providers/Microsoft.Resources/deployments/{name}"


def deploy(cloud, name, outputs, account=None):
    template = {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": [], "outputs": outputs}
    return cloud.ask("PUT", path_of(cloud, name, account), VERSION, account, {"properties": {"mode": "Incremental", "template": template}})


def wait(cloud, name, account=None):
    def ended():
        properties = cloud.ask("GET", path_of(cloud, name, account), VERSION, account)[2]["properties"]
        return None if properties["provisioningState"] in ("Accepted", "Running") else properties
    return wait_until(ended, f"{name} has ended")


def peak_kib(cloud):
    with open(f"/proc/{cloud.dev.process.pid}/status", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("VmHWM")).split()[1])


def words_of(error):
    return " ".join([error.get("message", ""), *(d.get("message", "") for d in error.get("details", []))])


def test_many_values(cloud):
    other = cloud.dev.new_account("other")
    before = peak_kib(cloud)
    taken = [deploy(cloud, f"bomb{k}", {"o": {"type": "int", "value": BOMB}}) for k in range(BOMBS)]
    assert all(status in (200, 201, 400) for status, _, _ in taken), taken
    assert deploy(cloud, "small", {"o": {"type": "int", "value": "[add(1, 2)]"}}, other)[0] == 201
    assert wait(cloud, "small", other)["outputs"]["o"]["value"] == 3
    for k, (status, _, answer) in enumerate(taken):
        error = answer["error"] if status == 400 else wait(cloud, f"bomb{k}")["error"]
        assert "more memory to evaluate than is allowed" in words_of(error), error
    more = peak_kib(cloud) - before
    assert more < MORE_KIB_MAX, f"{more} KiB more at the peak"


@pytest.mark.parametrize("name, value", [("texts", "[length(map(range(0, 3000), lambda('x', padLeft('x', 1000, 'y'))))]"),
                                         ("joined", "[length(join(map(range(0, 10000), lambda('x', padLeft('x', 1000, 'y'))), ','))]")])
def test_texts_fill_the_memory_of_a_turn(cloud, name, value):
    """The deployment fails instead of being evaluated again each second."""
    assert deploy(cloud, name, {"o": {"type": "int", "value": value}})[0] == 201
    assert "more memory to evaluate than is allowed" in words_of(wait(cloud, name)["error"])


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", __file__, *sys.argv[1:]]))
