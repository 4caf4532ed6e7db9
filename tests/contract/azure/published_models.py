#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure
"""Members of Azure's published models (the OpenAPI documents that Debian's python3-azure is generated from): each one, at any depth, is in the answer to a GET, or a
row of the PUT's table takes it or refuses it by name. A member with neither would be unknown to Dari: dropped without a word, and missing in answers. Answers
contain no member that the model lacks."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from faces import azure  # noqa: E402

VERSIONS = ("compute.v2022_08_01", "compute.v2022_07_02", "compute.v2022_03_03", "network.v2022_07_01", "msi", "monitor.v2022_10_01")
# Class of each type whose name is not the singular of the type's.
CLASSES = {"sshPublicKeys": "SshPublicKeyResource", "extensions": "VirtualMachineExtension", "runCommands": "VirtualMachineRunCommand",
           "userAssignedIdentities": "Identity", "autoscaleSettings": "AutoscaleSettingResource", "publicIPAddresses": "PublicIPAddress", "publicIPPrefixes": "PublicIPPrefix"}
# Members that no row of the PUT's table has: extensions.c reads the document of an extension, and refuses what its list does not name.
READ_ELSEWHERE = {"extension": {f"properties.{name}" for name in ("forceUpdateTag", "enableAutomaticUpgrade", "suppressFailures", "protectedSettings",
                                                                  "protectedSettingsFromKeyVault", "instanceView")} | {"tags"}}
DEPTH = 4  # structs within structs; some models contain each other
READ = """
import importlib, json, sys
models = {}
for module in sys.argv[1:]:
    for name, what in vars(importlib.import_module(f"azure.mgmt.{module}.models")).items():
        if hasattr(what, "_attribute_map"):
            models.setdefault(name, {row["key"].replace("\\\\.", "."): row["type"] for row in what._attribute_map.values()})
print(json.dumps(models))
"""


def read_models():
    """The name `azure` is that of tests/lib/azure.py here, so the SDK is loaded elsewhere."""
    return json.loads(subprocess.run([sys.executable, "-c", READ, *VERSIONS], check=True, capture_output=True, cwd="/").stdout)


MODELS = read_models()


def class_of(path):
    kind = path.split("/")[-2]
    if kind == "virtualMachines" and "/virtualMachineScaleSets/" in path:
        return "VirtualMachineScaleSetVM"
    return CLASSES.get(kind, kind[0].upper() + kind[1:].removesuffix("s"))


def leaves_of(name, prefix="", outer=()):
    """Members without members of their own: "properties.subnets.N.name"."""
    for key, form in MODELS[name].items():
        inner = form.strip("[]{}")
        path = prefix + key + (".N" if form.startswith("[") else "")
        if inner in MODELS and inner not in outer and len(outer) < DEPTH:
            yield from leaves_of(inner, path + ".", (*outer, name))
        else:
            yield path


def shown_in(value, prefix=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from shown_in(inner, f"{prefix}.{key}".removeprefix("."))
    elif isinstance(value, list):
        yield prefix
        for inner in value:
            yield from shown_in(inner, f"{prefix}.N")
    else:
        yield prefix


def is_within(path, whole):
    return path == whole or path.startswith(whole + ".")


def has(names, path):
    """True if one of the names is the member, contains it, or is within it."""
    plain = path.removesuffix(".N")
    return any(is_within(name, plain) or is_within(path, name) for name in names)


@pytest.fixture(scope="module")
def world():
    with azure.region() as (face, image):
        made = azure.World(face, face.dev.new_account("mallory"), image)
        made.make()
        made.make_parts()
        yield made


READABLE = sorted({azure.shape_of(path): word for word, path in azure.OWN.items() if f"GET {azure.shape_of(path)}" in azure.BY_SHAPE}.values())


@pytest.mark.parametrize("word", READABLE)
def test_members(world, word):
    path = azure.OWN[word]
    shape = azure.shape_of(path)
    taken = {p["name"] for p in azure.BY_SHAPE[f"PUT {shape}"]["params"] if p["in"] == "body"} | READ_ELSEWHERE.get(word, set())
    if "tags" not in taken:
        assert world.ask("PATCH", path, {"tags": {"a": "b"}})[0] in (200, 201, 202)
        world.cloud.dev.rest()
    shown = set(shown_in(world.ask("GET", path)[2]))
    known = set(leaves_of(class_of(path)))
    assert not [leaf for leaf in sorted(known) if not has(shown | taken, leaf)]
    assert not [name for name in sorted(shown) if not has(known, name)]


def test_types():
    """Each type that a PUT makes has a resource above."""
    made = {azure.shape_of(azure.OWN[word]) for word in READABLE}
    assert not [name for name in azure.BY_SHAPE if name.startswith("PUT ") and name.removeprefix("PUT ") not in made]


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=40", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
