# SPDX-License-Identifier: Apache-2.0
"""ELBv2's requests that must be refused: the account's valid request of each action (elb_world), mutated in one place."""
import contextlib

from dev import Dev, Still
from elb_world import ACTIONS, VERSION, World

from .iam import IAM

CODES = {"ValidationError", "OperationNotPermitted", "InvalidConfigurationRequest", "LoadBalancerNotFound", "TargetGroupNotFound", "ListenerNotFound",
         "SubnetNotFound", "InvalidTarget", "AllocationIdNotFound", "SSLPolicyNotFound", "IncompatibleProtocols",
         "RuleNotFound", "CertificateNotFound", "InvalidSecurityGroup", "InvalidLoadBalancerAction"}


class ELB(IAM):
    name = "elb"
    service, version = "elasticloadbalancing", VERSION
    codes, unbuilt = CODES, "OperationNotPermitted"
    actions = ACTIONS
    unread = {"names": ACTIONS}
    cases = {"parameters": ACTIONS}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = World(dev, dev.new_account("elb"))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()
