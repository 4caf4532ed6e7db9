# SPDX-License-Identifier: Apache-2.0
"""moto's server: a stranger's AWS, which checks signatures and policies."""
import json
import os
import signal
import subprocess
import tempfile

import boto3
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from clone import reserve_ports
from dev import ROOT, end_with_parent
from waiting import wait_until

FREE_CALLS = 5  # calls that moto answers to anybody, before it asks for signatures
FIRST_CALL_S = 300
REGION = "eu-central-1"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Moto:
    """The server, with a user who may everything. Further users are made by that one."""

    def __init__(self):
        tools = os.path.join(ROOT, "tools/clients")
        subprocess.run([tools, "install", "moto"], check=True)
        folder = subprocess.run([tools, "where", "moto"], check=True, capture_output=True, text=True).stdout.strip()
        self.port, self.log = reserve_ports(), tempfile.TemporaryFile()
        self.url = f"http://127.0.0.1:{self.port}"
        env = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(FREE_CALLS), "MOTO_EC2_LOAD_DEFAULT_AMIS": "true"}
        self.process = subprocess.Popen([f"{folder}/bin/moto_server", "-H", "127.0.0.1", "-p", str(self.port)], env=env, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        self.key = ("any", "any")
        wait_until(self.answers, "moto answers")
        self.key = self.user("dari", ALL)
        self.ec2 = self.client("ec2")

    def answers(self):
        try:
            self.client("iam").create_user(UserName="dari")
        except EndpointConnectionError:
            return False
        return True

    def client(self, service, key=None):
        key_id, secret = key or self.key
        # moto loads a service at its first call, which takes minutes on a busy machine; a repeated call would be one of FREE_CALLS
        config = Config(read_timeout=FIRST_CALL_S, retries={"total_max_attempts": 1})
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id=key_id, aws_secret_access_key=secret, config=config)

    def user(self, name, document):
        iam = self.client("iam")
        if name != "dari":
            iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def launch(self, count):
        image = self.ec2.describe_images()["Images"][0]["ImageId"]
        made = self.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=count, MaxCount=count,
                                      TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}])
        return image, [i["InstanceId"] for i in made["Instances"]]

    def power(self, ref):
        return self.ec2.describe_instances(InstanceIds=[ref])["Reservations"][0]["Instances"][0]["State"]["Name"]

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
