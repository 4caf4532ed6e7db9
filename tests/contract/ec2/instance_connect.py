#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/connect src/engine/instance/connect_key src/api/metadata/imds_tree
"""EC2 Instance Connect through boto3: a key is in the metadata of its instance alone, below its user alone, and each refusal has its documented code."""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import REGION, Dev  # noqa: E402
from faces import code  # noqa: E402
from waiting import HANG_S  # noqa: E402

NOBODY = "i-0123456789abcdef0"


@pytest.fixture(scope="module", name="dev")
def start_dev():
    with Dev() as dev:
        yield dev


@pytest.fixture(scope="module", name="ec2")
def connect_ec2(dev):
    return dev.account.client()


@pytest.fixture(scope="module", name="connect")
def connect_face(dev):
    return dev.account.client("ec2-instance-connect")


@pytest.fixture(scope="module", name="pair")
def launch(ec2):
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=2, MaxCount=2)["Instances"]
    ids = [i["InstanceId"] for i in made]
    ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig={"Delay": 1})
    return ids, made[0]["Placement"]["AvailabilityZone"]


@pytest.fixture(scope="module", name="key")
def make_key(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", path], check=True)
    return (path.parent / "key.pub").read_text()


def metadata(dev, ident, path):
    """The text at the path, or the status."""
    try:
        return urllib.request.urlopen(f"{dev.metadata}/{ident}/latest/meta-data/{path}", timeout=HANG_S).read().decode()
    except urllib.error.HTTPError as error:
        return error.code


def test_key_is_in_the_metadata_of_its_user_and_instance(dev, connect, pair, key):
    (one, other), zone = pair
    before = int(time.time())
    said = connect.send_ssh_public_key(InstanceId=one, InstanceOSUser="debian", SSHPublicKey=key, AvailabilityZone=zone)
    assert said["Success"] is True and said["RequestId"]
    text = metadata(dev, one, "managed-ssh-keys/active-keys/debian/")
    stamp, ident, line, end, last = text.split("\n")
    assert before + 59 <= int(stamp.removeprefix("#Timestamp=")) <= int(time.time()) + 60
    assert (ident, line, end, last) == ("#Instance=" + one, " ".join(key.split()[:2]), "", "")
    assert "managed-ssh-keys/" in metadata(dev, one, "").split("\n")
    assert metadata(dev, one, "managed-ssh-keys/") == "active-keys/"
    assert metadata(dev, one, "managed-ssh-keys/active-keys/") == "debian"
    assert metadata(dev, one, "managed-ssh-keys/active-keys/root") == 404
    assert metadata(dev, other, "managed-ssh-keys/active-keys/debian") == 404
    assert metadata(dev, one, "managed-ssh-keys/signer-cert") == 404


def test_refusals(connect, ec2, pair, key):
    (one, other), zone = pair
    good = {"InstanceId": one, "InstanceOSUser": "debian", "SSHPublicKey": key}
    send = connect.send_ssh_public_key
    assert code(send, **{**good, "InstanceId": NOBODY}) == "EC2InstanceNotFoundException"
    assert code(send, **good, AvailabilityZone=zone[:-1] + "z") == "EC2InstanceNotFoundException"
    for name, value in (("InstanceId", "i-0123456789ABCDEF0"), ("InstanceOSUser", "a/b"), ("InstanceOSUser", "1st"), ("InstanceOSUser", "a$b"),
                        ("SSHPublicKey", "ssh-rsa " + "A" * 100), ("SSHPublicKey", 'command="x" ' + key), ("SSHPublicKey", key.strip() + "\n" + key)):
        assert code(send, **{**good, name: value}) == "InvalidArgsException", (name, value)
    ec2.stop_instances(InstanceIds=[other], Force=True)
    assert code(send, **{**good, "InstanceId": other}) == "EC2InstanceStateInvalidException"
    ec2.modify_instance_metadata_options(InstanceId=one, HttpEndpoint="disabled")
    assert code(send, **good) == "EC2InstanceUnavailableException"
    ec2.modify_instance_metadata_options(InstanceId=one, HttpEndpoint="enabled")
    assert code(connect.send_serial_console_ssh_public_key, InstanceId=one, SSHPublicKey=key) == "UnknownOperationException"


def test_policy_decides_by_user_and_instance(dev, pair, key):
    iam, (one, other) = dev.account.client("iam"), pair[0]
    iam.create_user(UserName="operator")
    iam.put_user_policy(UserName="operator", PolicyName="own", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "ec2-instance-connect:SendSSHPublicKey", "Resource": f"arn:aws:ec2:*:*:instance/{one}",
         "Condition": {"StringEquals": {"ec2:osuser": "ubuntu"}}}]}))
    made = iam.create_access_key(UserName="operator")["AccessKey"]
    send = boto3.client("ec2-instance-connect", region_name=REGION, endpoint_url=dev.url, aws_access_key_id=made["AccessKeyId"],
                        aws_secret_access_key=made["SecretAccessKey"]).send_ssh_public_key
    assert send(InstanceId=one, InstanceOSUser="ubuntu", SSHPublicKey=key)["Success"] is True
    assert code(send, InstanceId=one, InstanceOSUser="root", SSHPublicKey=key) == "AuthException"
    assert code(send, InstanceId=other, InstanceOSUser="ubuntu", SSHPublicKey=key) == "AuthException"


def test_an_account_has_its_share(connect, pair, key):
    sent = 0
    with pytest.raises(connect.exceptions.ThrottlingException):
        while sent <= 64:
            connect.send_ssh_public_key(InstanceId=pair[0][0], InstanceOSUser="crowd", SSHPublicKey=key)
            sent += 1
    assert sent > 50


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
