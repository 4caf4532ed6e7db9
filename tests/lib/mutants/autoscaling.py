# SPDX-License-Identifier: Apache-2.0
"""EC2 Auto Scaling's requests that must be refused: the account's valid request of each action (autoscaling_world), mutated in one place."""
import contextlib

from autoscaling_world import ACTIONS, SERVICE, VERSION, World
from dev import Dev, Still

from .iam import IAM

CODES = {"ValidationError", "InvalidNextToken"}


class AutoScaling(IAM):
    name = "autoscaling"
    service, version = SERVICE, VERSION
    codes, unbuilt = CODES, "ValidationError"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    cases = {"parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = World(dev, dev.new_account("scaling"))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()
