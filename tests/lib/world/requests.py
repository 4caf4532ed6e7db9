# SPDX-License-Identifier: Apache-2.0
"""Requests made from the face's own tables.

Values that the tables do not contain (which subnet, which range) are in the resources' REQUESTS: values for a request in
addition to, or instead of, its required parameters with the first resource of a kind. A value is a resource's label, or "="
and a word. For parameters that exclude each other the key is both names.
"""
import re

from . import disks, endpoints, gateways, groups, instances, interfaces, subnets, transit, vpcs, vpn
from .values import VALUES

RESOURCES = [vpcs, gateways, subnets, groups, interfaces, instances, disks, transit, endpoints, vpn]
REQUESTS = {name: request for resource in RESOURCES for name, request in resource.REQUESTS.items()}


def wire(name):
    """Wire name of a parameter, with the first element of its lists."""
    return re.sub(r"\.N(?=\.|$)", ".1", name)


class Requests:
    """Builds requests for an account whose resources are in self.ids, and actions in self.tables."""

    def value(self, action, param):
        """A valid value of the parameter."""
        leaf = re.sub(r"(\.N)+$", "", param["name"]).split(".")[-1]
        if param.get("form") == "id" and leaf not in VALUES:
            prefix = param.get("prefix", "vpc")
            assert prefix in self.ids, f"{action}: no resource {prefix}-… is known: tests/lib/world has to make one"
            return self.ids[prefix]
        if param.get("words"):
            return next(w for w in param["words"].split("|") if w)
        if param["type"] == "boolean":
            return "true"
        value = VALUES.get(leaf, param.get("absent"))
        if value is None and param["type"] == "integer":
            value = param.get("min", 1)
        assert value is not None, f"{action}: {param['name']} has no example in tests/lib/world/values.py"
        return value(self) if callable(value) else value

    def request(self, action, mutated=None):
        """The smallest request that should succeed. If a parameter will be mutated, includes what is needed for its value to be checked."""
        request = {}
        heads = [mutated["name"], mutated["name"].split(".")[0]] if mutated else []
        table = next((REQUESTS[action, head] for head in heads if (action, head) in REQUESTS), REQUESTS.get(action, {}))
        for name, value in table.items():
            request[name] = value[1:] if value.startswith("=") else self.ids[value]
        for param in self.tables[action]["params"]:
            if param["required"] and not re.search(r"\.N\.", param["name"]):
                self.add(action, param, request)
        if mutated:
            self.add_around(action, mutated, request)
        return request

    def asked(self, action):
        """Ids that a list must name."""
        more = {"StartTime": "2024-01-01T00:00:00Z"} if action in ("DescribeFleetHistory", "DescribeSpotFleetRequestHistory") else {}
        return more | {p["name"]: self.ids[p["prefix"]] for p in self.tables[action]["params"]
                if p["required"] and p.get("prefix") and "." not in p["name"]}

    def add(self, action, param, request):
        """Adds the parameter, and other required members of its list element."""
        if any(k.startswith(wire(param["name"]) + ".") for k in request):
            return  # a structure of which a member is given
        if param["type"] != "list of structures":
            request.setdefault(wire(param["name"]), self.value(action, param))
        elif not any(p for p in self.members(action, param) if p["required"]):
            self.add(action, next(p for p in self.members(action, param) if p["built"]), request)
        self.add_around(action, param, request)

    def add_around(self, action, param, request):
        for outer in self.outer_lists(action, param):
            for member in self.members(action, outer):
                name = wire(member["name"])
                is_there = any((k + ".").startswith(name + ".") for k in request)
                if member["required"] and member is not param and not is_there:
                    self.add(action, member, request)

    def members(self, action, table):
        """Members of a list of structures, without those of nested lists."""
        return [p for p in self.tables[action]["params"] if p["name"].startswith(table["name"] + ".") and
                ".N." not in p["name"][len(table["name"]) + 1:]]

    def outer_lists(self, action, param):
        return [p for p in self.tables[action]["params"] if p["type"] == "list of structures" and
                (param["name"].startswith(p["name"] + ".") or p is param)]
