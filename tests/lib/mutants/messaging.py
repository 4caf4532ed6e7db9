# SPDX-License-Identifier: Apache-2.0
"""Requests of SQS and SNS that must be refused: the account's valid request of each action (messaging_world), mutated in one place."""
import contextlib

from dev import Dev, Still
from messaging_world import Queues, Topics

from .iam import IAM


class Messaging(IAM):
    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = self.world(dev, dev.new_account("messages"))
            made.still = Still(dev, made.state)
            yield made
            made.still.ends()


class SQS(Messaging):
    name, world = "sqs", Queues
    unknown = {"InvalidParameterValue", "InvalidAttributeName"}
    service, version, actions = Queues.service, Queues.version, Queues.actions
    codes = {"InvalidParameterValue", "MissingParameter", "InvalidAttributeName", "InvalidAttributeValue", "AWS.SimpleQueueService.NonExistentQueue",
             "AWS.SimpleQueueService.UnsupportedOperation", "ReceiptHandleIsInvalid", "InvalidAction", "AWS.SimpleQueueService.InvalidBatchEntryId",
             "AWS.SimpleQueueService.EmptyBatchRequest", "InvalidParameterCombination"}
    unbuilt = "InvalidAction"
    unread = {"names": actions}
    cases = {"parameters": actions}


class SNS(Messaging):
    name, world = "sns", Topics
    unknown = {"InvalidParameter"}
    service, version, actions = Topics.service, Topics.version, Topics.actions
    codes = {"InvalidParameter", "ParameterValueInvalid", "NotFound", "InvalidAction", "InvalidBatchEntryId", "AuthorizationError"}
    unbuilt = "InvalidAction"
    unread = {"names": actions}
    cases = {"parameters": actions}
