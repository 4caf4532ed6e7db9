# SPDX-License-Identifier: Apache-2.0
"""Requests of Data Lifecycle Manager that must be refused."""
import dlm_world

from .rest import Rest
from .target import ROLES


class DLM(Rest):
    name, world, denied, statuses = "dlm", dlm_world.Policies, (403, "AccessDeniedException"), (400, 404)
    codes = {"InvalidRequestException", "ResourceNotFoundException", "SerializationException", "LimitExceededException"}
    strange = (("PUT", "/policies"), ("DELETE", "/policies"), ("POST", "/policies/x"), ("PUT", "/tags/x"), ("GET", "/tags"), ("GET", "/x"), ("GET", "/policies/x/y"))
    junk = {"ExecutionRoleArn": ROLES, "Description": ["a/b", "é"], "policyId": ["x", dlm_world.ABSENT, "vol-0123456789abcdef0"], "policyIds": [["x"], [dlm_world.ABSENT]],
            "resourceArn": ["x", "arn:aws:dlm:us-east-1:000000000000:policy/" + dlm_world.ABSENT]}

    def refused(self, place, name):
        body = place.request(name)
        if self.actions[name]["writes"]:
            members = self.path_members(name)
            body.update({p: dlm_world.ABSENT for p in members} or {"Description": "a/b"})
        return body
