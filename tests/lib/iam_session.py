# SPDX-License-Identifier: Apache-2.0
"""Statements of policies, and clients with temporary credentials."""
import boto3
import botocore.config

import dev as ec2

AWS = "/usr/bin/aws"


def allow(*actions, resource="*", **more):
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trust(principal, *actions, effect="Allow", **more):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": list(actions) or ["sts:AssumeRole", "sts:TagSession"], **more}


class Session:
    """Clients with some credentials, temporary or not."""

    def __init__(self, dev, key_id, secret, token=None):
        self.dev, self.key_id, self.secret, self.token = dev, key_id, secret, token

    def client(self, service="ec2"):
        return boto3.client(service, region_name=ec2.REGION, endpoint_url=self.dev.url, aws_access_key_id=self.key_id,
                            aws_secret_access_key=self.secret, aws_session_token=self.token,
                            config=botocore.config.Config(retries={"max_attempts": 0}, parameter_validation=False))

    def env(self, room):
        return {"PATH": "/usr/bin:/bin", "HOME": str(room), "AWS_DEFAULT_REGION": ec2.REGION, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1",
                "AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret,
                **({"AWS_SESSION_TOKEN": self.token} if self.token else {})}


def session_of(dev, answer):
    c = answer["Credentials"]
    return Session(dev, c["AccessKeyId"], c["SecretAccessKey"], c["SessionToken"])
