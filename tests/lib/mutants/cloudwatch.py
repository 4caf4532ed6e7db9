# SPDX-License-Identifier: Apache-2.0
"""CloudWatch's requests that must be refused: the account's valid request of each action (cloudwatch_world), mutated in one place."""
import contextlib

from cloudwatch_world import ACTIONS, SERVICE, VERSION, World
from dev import Dev, Still

from .iam import IAM

CODES = {"ValidationError", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter", "InvalidNextToken", "InvalidFormat", "InvalidParameterInput", "ResourceNotFound",
         "ResourceNotFoundException", "InvalidAction"}


class CloudWatch(IAM):
    name = "cloudwatch"
    service, version = SERVICE, VERSION
    codes, unbuilt = CODES, "InvalidAction"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    cases = {"parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = World(dev, dev.new_account("watching"))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()
