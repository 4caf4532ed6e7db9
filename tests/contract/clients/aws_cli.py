#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/api/query
"""A shop's everyday commands with Debian's aws, from keys and a network to the last deletion, with shorthand syntax, waiters, pages, queries and exit
statuses."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import warm  # noqa: E402
from dev import REGION, Dev  # noqa: E402

AWS = "/usr/bin/aws"
SERVICE_ERROR = 254  # exit status of aws if the service answered an error


class Cli:
    def __init__(self, dev, room):
        self.dev, self.room = dev, room
        self.env = {"PATH": "/usr/bin:/bin", "HOME": str(room), "AWS_ENDPOINT_URL": dev.url, "AWS_DEFAULT_REGION": REGION, "AWS_PAGER": "",
                    "AWS_ACCESS_KEY_ID": dev.account.key_id, "AWS_SECRET_ACCESS_KEY": dev.account.secret, "AWS_MAX_ATTEMPTS": "1"}
        self.endpoint = dev.url

    def run(self, *words):
        return warm.run([AWS, "--endpoint-url", self.endpoint, *words], self.env, cwd=str(self.room))

    def text(self, line, *more):
        """Output of a command line as it is typed; pass arguments with spaces separately."""
        done = self.run("ec2", *line.split(), *more)
        assert done.returncode == 0, f"{line} {more}: {done.stderr}"
        return done.stdout.strip()

    def wait(self, line):
        """Runs a waiter once the region is at rest, because aws polls only every 15 s."""
        self.dev.rest()
        self.text("wait " + line)

    def get(self, line, query):
        return self.text(line + " --output text --query", query)

    def json(self, line, *more):
        return json.loads(self.text(line, *more))

    def fails(self, line, code):
        done = self.run("ec2", *line.split())
        assert done.returncode == SERVICE_ERROR and f"({code})" in done.stderr, f"{line}: {done.returncode} {done.stderr}"
        return done.stderr


@pytest.fixture(scope="module", name="cli")
def start_dev(tmp_path_factory):
    with Dev() as dev:
        yield Cli(dev, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module", name="net")
def build_network(cli):
    """A VPC with a way outside and a group that allows ssh."""
    vpc = cli.get("create-vpc --cidr-block 10.20.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=Name,Value=shop}]", "Vpc.VpcId")
    cli.wait(f"vpc-available --vpc-ids {vpc}")
    cli.text(f"modify-vpc-attribute --vpc-id {vpc} --enable-dns-hostnames Value=true")
    subnet = cli.get(f"create-subnet --vpc-id {vpc} --cidr-block 10.20.1.0/24 --availability-zone {REGION}a", "Subnet.SubnetId")
    cli.wait(f"subnet-available --subnet-ids {subnet}")
    cli.text(f"modify-subnet-attribute --subnet-id {subnet} --map-public-ip-on-launch")
    gateway = cli.get("create-internet-gateway", "InternetGateway.InternetGatewayId")
    cli.text(f"attach-internet-gateway --internet-gateway-id {gateway} --vpc-id {vpc}")
    table = cli.get(f"create-route-table --vpc-id {vpc}", "RouteTable.RouteTableId")
    cli.text(f"create-route --route-table-id {table} --destination-cidr-block 0.0.0.0/0 --gateway-id {gateway}")
    association = cli.get(f"associate-route-table --route-table-id {table} --subnet-id {subnet}", "AssociationId")
    group = cli.get(f"create-security-group --vpc-id {vpc} --group-name web --description web", "GroupId")
    cli.text(f"authorize-security-group-ingress --group-id {group} --protocol tcp --port 22 --cidr 198.51.100.0/24")
    cli.text(f"authorize-security-group-ingress --group-id {group} --ip-permissions",
             "IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=0.0.0.0/0,Description=all}]")
    yield {"vpc": vpc, "subnet": subnet, "gateway": gateway, "table": table, "association": association, "group": group}
    cli.text(f"disassociate-route-table --association-id {association}")
    cli.text(f"delete-route-table --route-table-id {table}")
    cli.text(f"detach-internet-gateway --internet-gateway-id {gateway} --vpc-id {vpc}")
    cli.text(f"delete-internet-gateway --internet-gateway-id {gateway}")
    cli.text(f"delete-security-group --group-id {group}")
    cli.text(f"delete-subnet --subnet-id {subnet}")
    cli.text(f"delete-vpc --vpc-id {vpc}")


def test_key_pair(cli):
    pem = cli.get("create-key-pair --key-name desk --key-type ed25519", "KeyMaterial")
    assert pem.startswith("-----BEGIN OPENSSH PRIVATE KEY-----")
    (cli.room / "desk.pem").write_text(pem + "\n", encoding="ascii")
    os.chmod(cli.room / "desk.pem", 0o600)
    public = subprocess.run(["/usr/bin/ssh-keygen", "-y", "-f", str(cli.room / "desk.pem")], check=True, capture_output=True, text=True)
    (cli.room / "desk.pub").write_text(public.stdout, encoding="ascii")
    cli.text("import-key-pair --key-name again --public-key-material fileb://desk.pub")
    prints = cli.get("describe-key-pairs --key-names desk again", "KeyPairs[].KeyFingerprint").split()
    assert len(prints) == 2 and prints[0] == prints[1]
    cli.text("delete-key-pair --key-name again")
    cli.fails("describe-key-pairs --key-names again", "InvalidKeyPair.NotFound")


def test_machine(cli, net):
    """An instance with a disk and an elastic address: stopped, changed, started, imaged, terminated."""
    image = cli.get("describe-images --owners self amazon --filters Name=state,Values=available", "Images[0].ImageId")
    (cli.room / "boot.sh").write_text("#!/bin/sh\necho hello\n", encoding="ascii")
    instance = cli.get(f"run-instances --image-id {image} --instance-type t3.micro --subnet-id {net['subnet']} --key-name desk "
                       f"--security-group-ids {net['group']} --user-data file://boot.sh --block-device-mappings "
                       "DeviceName=/dev/sdf,Ebs={VolumeSize=2,DeleteOnTermination=true} "
                       "--tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=till}]", "Instances[0].InstanceId")
    cli.text(f"wait instance-running --instance-ids {instance}")  # while it is pending
    cli.wait(f"instance-status-ok --instance-ids {instance}")
    found = cli.json("describe-instances --filters Name=tag:Name,Values=till Name=vpc-id,Values=" + net["vpc"])["Reservations"][0]["Instances"][0]
    assert found["InstanceId"] == instance and found["PublicDnsName"] and len(found["BlockDeviceMappings"]) == 2
    data = cli.get(f"describe-instance-attribute --instance-id {instance} --attribute userData", "UserData.Value")
    assert subprocess.run(["/usr/bin/base64", "-d"], input=data, capture_output=True, text=True, check=True).stdout.endswith("echo hello\n")
    assert "simulated" in cli.get(f"get-console-output --instance-id {instance} --latest", "Output")

    allocation, address = cli.get("allocate-address --domain vpc", "[AllocationId,PublicIp]").split()
    association = cli.get(f"associate-address --instance-id {instance} --allocation-id {allocation}", "AssociationId")
    assert cli.get(f"describe-instances --instance-ids {instance}", "Reservations[].Instances[].PublicIpAddress") == address
    cli.text(f"disassociate-address --association-id {association}")
    cli.text(f"release-address --allocation-id {allocation}")

    cli.text(f"stop-instances --instance-ids {instance}")
    cli.wait(f"instance-stopped --instance-ids {instance}")
    cli.text(f"modify-instance-attribute --instance-id {instance} --instance-type", "{\"Value\": \"t3.small\"}")
    cli.text(f"modify-instance-attribute --instance-id {instance} --disable-api-termination")
    cli.text(f"start-instances --instance-ids {instance}")
    cli.wait(f"instance-running --instance-ids {instance}")
    cli.fails(f"terminate-instances --instance-ids {instance}", "OperationNotPermitted")
    cli.text(f"modify-instance-attribute --instance-id {instance} --no-disable-api-termination")

    golden = cli.get(f"create-image --instance-id {instance} --name golden --no-reboot", "ImageId")
    cli.wait(f"image-available --image-ids {golden}")
    cli.text(f"create-tags --resources {golden} {instance} --tags Key=stage,Value=test Key=team,Value=")
    assert cli.get("describe-tags --filters Name=key,Values=stage", "length(Tags)") == "2"
    cli.text(f"terminate-instances --instance-ids {instance}")
    cli.wait(f"instance-terminated --instance-ids {instance}")
    snapshots = cli.get(f"describe-images --image-ids {golden}", "Images[].BlockDeviceMappings[].Ebs.SnapshotId").split()
    cli.text(f"deregister-image --image-id {golden}")
    for snapshot in snapshots:
        cli.text(f"delete-snapshot --snapshot-id {snapshot}")


def test_volume(cli, net):
    del net  # only for the order of the tests
    volume = cli.get(f"create-volume --availability-zone {REGION}a --size 1 --volume-type gp3", "VolumeId")
    cli.wait(f"volume-available --volume-ids {volume}")
    snapshot = cli.get(f"create-snapshot --volume-id {volume} --description nightly", "SnapshotId")
    cli.wait(f"snapshot-completed --snapshot-ids {snapshot}")
    again = cli.get(f"create-volume --availability-zone {REGION}b --snapshot-id {snapshot} --size 3", "VolumeId")
    cli.wait(f"volume-available --volume-ids {again}")
    cli.text(f"modify-volume --volume-id {again} --size 4")
    assert cli.get(f"describe-volumes --volume-ids {again}", "Volumes[].Size") == "4"
    for made in (volume, again):
        cli.text(f"delete-volume --volume-id {made}")
        cli.wait(f"volume-deleted --volume-ids {made}")
    cli.text(f"delete-snapshot --snapshot-id {snapshot}")


def test_pages(cli):
    """aws fetches all pages automatically, or returns a token for the next one."""
    for n in range(7):
        cli.text(f"create-volume --availability-zone {REGION}a --size 1 --tag-specifications",
                 f"ResourceType=volume,Tags=[{{Key=lot,Value={n}}}]")
    where = "describe-volumes --filters Name=tag-key,Values=lot"
    whole = cli.get(where + " --page-size 5", "Volumes[].VolumeId").split()
    first = cli.json(where + " --page-size 5 --max-items 3")
    rest = cli.json(where + " --page-size 5 --starting-token", first["NextToken"])
    assert len(whole) == 7 and [v["VolumeId"] for v in first["Volumes"] + rest["Volumes"]] == whole
    for volume in whole:
        cli.text(f"delete-volume --volume-id {volume}")


def test_refusals(cli, net):
    """Messages and exit statuses that scripts rely on."""
    cli.fails("describe-instances --instance-ids i-0123456789abcdef0", "InvalidInstanceID.NotFound")
    cli.fails("describe-instances --instance-ids none", "InvalidInstanceID.Malformed")
    cli.fails(f"delete-vpc --vpc-id {net['vpc']}", "DependencyViolation")
    assert "Request would have succeeded" in cli.fails(f"create-subnet --vpc-id {net['vpc']} --cidr-block 10.20.9.0/24 --dry-run", "DryRunOperation")
    assert cli.run("ec2", "wait", "volume-available", "--volume-ids", "vol-0123456789abcdef0").returncode == 255
    assert "vpn" in cli.fails("create-vpn-gateway --type ipsec.1", "UnsupportedOperation").lower()
    done = cli.run("sts", "get-caller-identity", "--query", "Account", "--output", "text")
    assert done.returncode == 0 and len(done.stdout.strip()) == 12


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
