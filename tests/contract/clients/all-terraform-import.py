#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/client/commands_terraform.c
# when: long
# limit: 3600 s
"""`dari export terraform-import`: OpenTofu plans the import of what stands in another cloud by the blocks that are printed, with the provider that
knows that cloud. Texts of other clouds stay texts; Azure's ids become paths.

The plan itself takes seconds. Before it, tools/clients fetches Go and about 3 GB of modules, and compiles OpenTofu and its provider for OpenStack, unless the
cache has them: build/cache, which a new clone lacks, or the folder that DARI_CACHE names, which clones may share. On two loaded processors that takes more than a
quarter of an hour."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import elsewhere  # noqa: E402
from dev import REGION, ROOT, Dev  # noqa: E402
from elsewhere import launch, machines, provider, run  # noqa: E402
from waiting import wait_until  # noqa: E402

HOSTILE = 'k"${file("/etc/passwd")}'


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Dev() as there, Dev() as home:
        there.ec2, home.ec2 = there.account.client(), home.account.client()
        home.there, home.ref = there, launch(there, name="shop")[0]
        home.here, home.folder = launch(home, name="Shop 1")[0], tmp_path_factory.mktemp("tofu")
        there.ec2.create_key_pair(KeyName=HOSTILE)
        for name in ("openstack", "azure", "aws"):
            elsewhere.add(home, name, name, there)
            wait_until(lambda name=name: machines(home, name), "the machine", shows=lambda name=name: provider(home, name))
            wait_until(lambda name=name: {r["type"] for r in home.command("remote", "resources", "--provider", name)} >= {"network", "subnet", "key_pair"}, "resources")
        yield home


def blocks(world, *words):
    done = run(world, "export", "terraform-import", *words)
    assert done.returncode == 0, done
    return done.stdout, run(world, "export", "terraform-import", *words, "--json").stdout


def test_blocks(world):
    """A block of each machine and resource, with addresses that differ; ids as each provider wants them."""
    text, found = blocks(world)
    rows = json.loads(found)
    addresses = [r["to"] for r in rows]
    assert len(set(addresses)) == len(rows) == text.count("import {") and all(re.fullmatch(r"[a-z0-9_]+\.[a-z][a-z0-9_]*", a) for a in addresses), addresses
    ids = {r["to"]: r["id"] for r in rows}
    assert ids["aws_instance.shop_1"] == world.here and ids["aws_instance.aws_shop"] == world.ref
    machine = "azurerm_linux_virtual_machine.azure_" + world.ref.replace("-", "_")  # ARM knows a machine by its id there; "shop" is a tag
    assert re.fullmatch(r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft.Compute/virtualMachines/[^/]+", ids[machine]), ids
    assert {r["provider"] for r in rows} == {"", "aws.aws", "openstack.openstack", "azurerm.azure"}
    assert "${" not in text.replace("$${", "") and HOSTILE in ids.values()
    assert run(world, "export", "terraform-import", "--provider", "nobody").returncode


def test_plan(world):
    """OpenTofu accepts the blocks, finds each resource, and writes its configuration."""
    tools = os.path.join(ROOT, "tools/clients")
    subprocess.run([tools, "install", "opentofu"], check=True)
    programs = subprocess.run([tools, "where", "opentofu"], check=True, capture_output=True, text=True).stdout.strip()
    text, found = blocks(world, "--provider", "openstack")
    project = cloud.own(world.there)
    kinds = ("network", "subnet", "secgroup", "keypair")
    wanted = [b for b in text.split("\n\n") if any(kind in b for kind in kinds)]
    assert len(wanted) >= len(kinds), text
    (world.folder / "import.tf").write_text("\n\n".join(wanted))
    (world.folder / "provider.tf").write_text(
        'terraform {\n  required_providers {\n    openstack = { source = "terraform-provider-openstack/openstack" }\n  }\n}\n'
        f'provider "openstack" {{\n  alias = "openstack"\n  auth_url = "{world.there.url}/identity/v3"\n  user_name = "{project.user}"\n  password = "{project.password}"\n'
        f'  tenant_name = "{project.name}"\n  region = "{REGION}"\n  user_domain_name = "Default"\n  project_domain_name = "Default"\n}}\n')
    (world.folder / "tofu.rc").write_text(f'provider_installation {{\n  dev_overrides {{\n    "terraform-provider-openstack/openstack" = "{programs}/bin"\n  }}\n}}\n')
    done = subprocess.run([f"{programs}/bin/tofu", f"-chdir={world.folder}", "plan", "-no-color", "-input=false", "-generate-config-out=imported.tf"], capture_output=True, text=True,
                          check=False, env={**os.environ, "TF_CLI_CONFIG_FILE": str(world.folder / "tofu.rc"), "CHECKPOINT_DISABLE": "1"})
    assert re.search(rf"Plan: {len(wanted)} to import", done.stdout), done.stdout[-3000:] + done.stderr
    assert (world.folder / "imported.tf").read_text().count("resource ") == len(wanted) and len(json.loads(found)) >= len(wanted)


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
