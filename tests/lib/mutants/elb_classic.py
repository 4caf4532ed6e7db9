# SPDX-License-Identifier: Apache-2.0
"""Requests of Classic Load Balancers that must be refused: the account's valid request of each action (classic_world), mutated in one place."""
import contextlib

from classic_world import ACTIONS, SERVICE, VERSION, World
from dev import Dev, Still

from .iam import IAM

CODES = {"ValidationError", "OperationNotPermitted", "InvalidConfigurationRequest", "LoadBalancerNotFound", "SubnetNotFound", "InvalidInstance", "PolicyNotFound",
         "PolicyTypeNotFound", "CertificateNotFound", "InvalidSecurityGroup", "InvalidScheme", "ListenerNotFound"}


class ELBClassic(IAM):
    name = "elb_classic"
    service, version = SERVICE, VERSION
    codes, unbuilt = CODES, "OperationNotPermitted"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    cases = {"parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = World(dev, dev.new_account("classic"))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()
