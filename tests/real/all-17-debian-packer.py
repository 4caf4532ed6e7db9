#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2/compute
"""Debian's Packer builds an image with amazon-ebs over ssh: from the Debian image, with its own key, group and address; an instance of the image has
the file written during the build. Packer runs in the internet's namespace, where guests' addresses are reachable; the API is forwarded there."""
# limit: 2400 s
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from door import Door  # noqa: E402
from region import HANG_S, Region, give_address, open_ssh, wait_state, wait_until  # noqa: E402

BOOT_S = round(2 * HANG_S)  # Packer only knows a limit in seconds: a bound against hanging
BUILDER = {
    "type": "amazon-ebs", "region": "us-east-1", "instance_type": "t2.nano", "ami_name": "packed", "tags": {"a": "b"},
    "source_ami_filter": {"filters": {"name": "debian"}, "owners": ["amazon"], "most_recent": True},
    "communicator": "ssh", "ssh_username": "debian", "ssh_interface": "public_ip", "ssh_timeout": f"{BOOT_S}s", "ssh_handshake_attempts": 1000,
    "skip_metadata_api_check": True, "skip_credential_validation": True,
}
PROVISIONERS = [
    {"type": "file", "source": "sent", "destination": "/tmp/sent"},
    {"type": "shell", "inline": ["cloud-init status --wait || true", "sudo cp /tmp/sent /etc/sent", "echo built as $(id -un) | sudo tee /etc/built"]},
]


def build(region, room):
    key_id, secret = region.keys["packer"]
    template = {"builders": [{**BUILDER, "custom_endpoint_ec2": f"http://127.0.0.1:{region.port}", "access_key": key_id, "secret_key": secret}],
                "provisioners": PROVISIONERS}
    with open(f"{room}/template.json", "w", encoding="utf-8") as page:
        json.dump(template, page)
    with open(f"{room}/sent", "w", encoding="utf-8") as page:
        page.write("as it was sent\n")
    netns = f"/run/netns/{region.env['DARI_SANDBOX_PREFIX']}inet"
    with Door(netns, region.port):
        env = ["/usr/bin/env", "-i", "-C", room, "PATH=/usr/bin:/bin", f"HOME={room}", "CHECKPOINT_DISABLE=1", "AWS_POLL_DELAY_SECONDS=2",
               "AWS_MAX_ATTEMPTS=600", f"PACKER_CACHE_DIR={room}/cache"]
        done = region.attempt("nsenter", f"--net={netns}", "--", *env, "/usr/bin/packer", "build", "-color=false", "template.json")
    if not region.check("packer builds by ssh", done.returncode == 0):
        print(done.stdout)
    return done.returncode == 0


def look_at_built(region, ec2):
    """Only the image is left; it contains the written file."""
    (image,) = ec2.describe_images(Owners=["self"])["Images"]
    region.check("the image is available", (image["Name"], image["State"], image.get("Tags")) == ("packed", "available", [{"Key": "a", "Value": "b"}]))
    region.check("its key and its group are gone", ec2.describe_key_pairs()["KeyPairs"] == [] and
                 [g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]] == ["default"])
    ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
    open_ssh(ec2)
    made = ec2.run_instances(ImageId=image["ImageId"], InstanceType="t2.nano", MinCount=1, MaxCount=1, KeyName="k")
    identifier = made["Instances"][0]["InstanceId"]
    wait_state(ec2, [identifier], "running")
    address, _ = give_address(ec2, identifier)
    region.reach(ec2, identifier, address, "an instance of the image")
    said = []

    def has_said():
        said[:] = region.ssh(address, "cat /etc/built /etc/sent", fails=True).splitlines()
        return len(said) == 2

    wait_until(has_said, "what was written is there")
    region.check(f"it holds what was written: {said}", said == ["built as debian", "as it was sent"])
    ec2.terminate_instances(InstanceIds=[identifier])
    wait_state(ec2, [identifier], "terminated")


def main():
    with Region("dp", image="debian", login="debian") as region:
        ec2 = region.account("packer")
        room = f"{region.demo}/packer"
        shutil.rmtree(room, ignore_errors=True)
        os.mkdir(room)
        if build(region, room):
            look_at_built(region, ec2)
        region.check_clean()


main()
