# SPDX-License-Identifier: Apache-2.0
"""Courses of OpenTofu: apply, an empty second plan, a change, an import of what can be imported, destroy.

Providers that no package registry has come from the mirror that DARI_PROVIDERS names (tools/clients). A course is a file NAME.tf beside the tour. Its variable `round` is 1 at first and 2 after the change, and provider.tf stands beside each."""
import collections
import json
import os
import re
import shutil

from steps import Failed, Program, step

Import = collections.namedtuple("Import", "ids unread never", defaults=({}, {}, ()))
"""ids: {type: function that makes the id to import by of a resource's values}, where it is not their `id`;
unread: {type: attributes that the provider cannot read back, so that the plan after an import may set them};
never: types, or addresses of resources, that the provider does not import, or would make anew after an import."""


class Tofu:
    """The program, with providers that need no registry: {address of a provider: folder of its program}."""

    def __init__(self, program, providers):
        rows = "\n".join(f'    "{address}" = "{folder}"' for address, folder in providers.items())
        self.settings = os.path.abspath("tofu.rc")
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(f"provider_installation {{\n  dev_overrides {{\n{rows}\n  }}\n}}\n")
        self.program = program

    def at(self, folder, env):
        return Program(self.program, f"-chdir={folder}", env={**env, "TF_CLI_CONFIG_FILE": self.settings, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"})


class Course:
    """Takes the resources of a file from the first apply to the last destroy."""

    def __init__(self, tofu, sources, name, imports, variables, env):
        self.folder = os.path.abspath(name)
        os.makedirs(self.folder)
        for part in ("provider", name):
            shutil.copy(os.path.join(sources, f"{part}.tf"), self.folder)
        self.name, self.imports, self.variables, self.tofu = name, imports, variables, tofu.at(self.folder, env)

    def told(self, value):
        return [f"-var=round={value}", *(f"-var={name}={text}" for name, text in self.variables.items())]

    def apply(self, value):
        self.tofu.text("apply", "-auto-approve", "-no-color", "-input=false", *self.told(value))

    def assert_empty(self, value):
        """Reports a non-empty plan in the program's own words. A big provider takes seconds to start, so that one call must do."""
        words = ["plan", "-no-color", "-input=false", "-detailed-exitcode", *self.told(value)]
        status, out, errors = self.tofu.started([*self.tofu.argv, *words])
        if status == 1:
            raise Failed(errors)
        assert status == 0, "the plan is not empty: " + " ".join(line for line in out.splitlines() if re.match(r"\s*(#|[-~+/<=]+) ", line))

    def resources(self):
        """[(address, type, values)] of the state's resources"""
        with open(os.path.join(self.folder, "terraform.tfstate"), encoding="utf-8") as file:
            rows = json.load(file)["resources"]
        return [(f'{row["type"]}.{row["name"]}' + (f'[{json.dumps(part["index_key"])}]' if "index_key" in part else ""), row["type"], part["attributes"])
                for row in rows if row["mode"] == "managed" for part in row["instances"]]

    def again_by_import(self):
        """Forgets what can be imported, and imports it: the plan must make nothing, and change nothing but what cannot be read."""
        rows = [row for row in self.resources() if not {row[0], row[1]} & {*self.imports.never}]
        with open(os.path.join(self.folder, "imports.tf"), "w", encoding="utf-8") as file:
            for address, kind, values in rows:
                key = self.imports.ids.get(kind, lambda values: values["id"])(values)
                file.write(f'import {{\n  to = {address}\n  id = {json.dumps(key)}\n}}\n')
        self.tofu.text("state", "rm", *(address for address, _, _ in rows))
        self.tofu.text("plan", "-no-color", "-input=false", "-out=planned", *self.told(2))
        rows = json.loads(self.tofu.text("show", "-json", "planned")).get("resource_changes", [])
        wrong = [differences(row["address"], row["change"]) for row in rows if row["mode"] == "managed" and not self.may_change(row)]
        assert not wrong, f"after the import: {wrong}"
        self.tofu.text("apply", "-no-color", "-input=false", "planned")
        os.unlink(os.path.join(self.folder, "imports.tf"))

    def may_change(self, row):
        """The plan leaves the resource alone, or sets what the provider cannot read."""
        before, after = row["change"]["before"] or {}, row["change"]["after"] or {}
        changed = {name for name in after if before.get(name) != after[name]}
        return row["change"]["actions"] == ["no-op"] or row["change"]["actions"] == ["update"] and changed <= {*self.imports.unread.get(row["type"], ())}

    def destroy(self):
        self.tofu.text("destroy", "-auto-approve", "-no-color", "-input=false", *self.told(2))

    def go(self):
        """Each step alone; the destroy is tried even if an earlier one failed."""
        with step(f"{self.name}: apply"):
            self.apply(1)
        with step(f"{self.name}: the second plan is empty"):
            self.assert_empty(1)
        with step(f"{self.name}: change"):
            self.apply(2)
            self.assert_empty(2)
        kept = os.path.join(self.folder, "kept.tfstate")
        with step(f"{self.name}: import"):
            shutil.copy(os.path.join(self.folder, "terraform.tfstate"), kept)
            self.again_by_import()
            os.unlink(kept)
        if os.path.exists(kept):  # the import failed: destroy knows of all resources again
            shutil.move(kept, os.path.join(self.folder, "terraform.tfstate"))
            os.unlink(os.path.join(self.folder, "imports.tf"))
        with step(f"{self.name}: destroy"):
            self.destroy()


def differences(address, change):
    """Says in short how a plan would change a resource."""
    before, after = change["before"] or {}, change["after"] or {}
    if change["actions"] not in (["update"], ["delete", "create"], ["create", "delete"]):
        return f"{address} {change['actions']}"
    told = [f"{name}: {before.get(name)!r} -> {after.get(name)!r}" for name in after if before.get(name) != after[name]]
    return f"{address} {change['actions']} {told}"


__all__ = ["Course", "Failed", "Import", "Tofu"]
