#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
"""Uses one machine through every face of a `dari dev`, with stock clients: aws launches it, openstack shows it, IAM creates a user without access
to it, and the guest reads its metadata. Takes seconds, and finds faults that tests of single parts miss: parts that do not start together, or a
face that does not answer."""
import os
import re
import sys
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import cloud  # noqa: E402
import dev as ec2  # noqa: E402
import warm  # noqa: E402
import waiting  # noqa: E402

AWS = "/usr/bin/aws"
REFUSED = 254


class Region:
    """A `dari dev`, the stock clients, and one running instance."""

    def __init__(self, dev):
        self.dev, self.project = dev, cloud.own(dev)
        self.key = dev.account.key_id, dev.account.secret
        image = self.aws("ec2 describe-images", "Images[0].ImageId")
        self.instance = self.aws(f"ec2 run-instances --image-id {image} --instance-type t3.micro", "Instances[0].InstanceId")
        waiting.wait_until(lambda: self.state() == "running", f"{self.instance} runs")

    def run(self, words, query="", key=None):
        key_id, secret = key or self.key
        env = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_DEFAULT_REGION": ec2.REGION, "AWS_PAGER": "",
               "AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}
        shown = ["--query", query] if query else []
        return warm.run([AWS, "--endpoint-url", self.dev.url, "--output", "text", *words.split(), *shown], env)

    def aws(self, words, query):
        done = self.run(words, query)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout.strip()

    def state(self):
        return self.aws(f"ec2 describe-instances --instance-ids {self.instance}", "Reservations[0].Instances[0].State.Name")


@pytest.fixture(scope="module")
def region():
    with ec2.Dev() as dev:
        yield Region(dev)


def test_openstack_shows_the_same_machine(region):
    (server,) = region.project.openstack("server", "list")
    assert server["Status"] == "ACTIVE"
    assert region.instance == f"i-{server['ID'].replace('-', '')[:17]}"


def test_iam_says_who_may(region):
    assert region.aws("iam create-user --user-name ann", "User.UserName") == "ann"
    key = region.aws("iam create-access-key --user-name ann", "AccessKey.[AccessKeyId,SecretAccessKey]").split()
    refused = region.run(f"ec2 terminate-instances --instance-ids {region.instance}", key=key)
    assert refused.returncode == REFUSED and "UnauthorizedOperation" in refused.stderr, refused


def test_the_guest_is_told(region):
    (url,) = re.findall(r"curl (http://127\.0\.0\.1:\d+)/INSTANCE-ID", region.dev.banner)
    token = urllib.request.Request(f"{url}/{region.instance}/latest/api/token", method="PUT",
                                   headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    with urllib.request.urlopen(token, timeout=waiting.HANG_S) as answer:
        held = {"X-aws-ec2-metadata-token": answer.read().decode()}
    asked = urllib.request.Request(f"{url}/{region.instance}/latest/meta-data/instance-id", headers=held)
    with urllib.request.urlopen(asked, timeout=waiting.HANG_S) as answer:
        assert answer.read().decode() == region.instance


def test_ended_in_one_face_it_is_gone_in_the_other(region):
    region.project.openstack("server", "delete", "--wait", region.project.openstack("server", "list")[0]["ID"])
    assert region.state() == "terminated"
    assert region.project.openstack("server", "list") == []


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
