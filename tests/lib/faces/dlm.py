# SPDX-License-Identifier: Apache-2.0
"""Data Lifecycle Manager's adapter for the matrices of tests/contract/cross/: accounts with policies by tags."""
import dlm_world
import target_world as lib

from .target import Target


class DLM(Target):
    name, world, denied = "dlm", dlm_world.Policies, (403, "AccessDeniedException")
    kinds = {"policyId": "snapshot_policy", "resourceArn": "snapshot_policy"}
    told_apart = ("ExecutionRoleArn", "policyIds")
    filtering = {"GetLifecyclePolicies": ("state", "resourceTypes", "targetTags", "tagsToAdd")}

    def compare(self, place, name, wanted):
        """Compares the other account's policies with missing ones, by ids and by ARNs of either account."""
        for theirs in self.theirs_of(place, name, wanted):
            told = []
            for value in (theirs, theirs[:-8] + "00000000"):
                answer = place.mine.call(name, lib.put(place.mine.request(name), wanted, [place.mine.main, value] if wanted == "policyIds" else value))
                told.append((answer.status, answer.code, answer.text.replace(value.rpartition("/")[2], "it")))
                assert answer.status >= 400, answer
            yield f"{wanted}={theirs}", *told

    def theirs_of(self, place, name, wanted):
        if wanted == "ExecutionRoleArn":
            return [place.theirs.role]
        if wanted == "resourceArn":
            return [place.theirs.arn(place.theirs.main), place.mine.arn(place.theirs.main)]
        return [place.theirs.main, place.theirs.spare]

    def filtered(self, place, name):
        for wanted, value in {"state": "ENABLED", "resourceTypes": ["VOLUME"], "targetTags": ["backup=yes"], "tagsToAdd": ["by=dlm"]}.items():
            rows = place.mine.ok(name, {wanted: value}).json["Policies"]
            assert place.mine.main in str(rows), "the filter finds its own"
            yield f"{wanted}={value}", [r for r in rows if r["PolicyId"] in (place.theirs.main, place.theirs.spare)]
