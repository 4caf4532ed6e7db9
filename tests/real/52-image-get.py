#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/commands_image_get.c src/model/image_catalogue src/drivers/image/
"""A vendor's image from a directory, with checksums and a signature by a test key: a guest is launched by the usual AWS filter, and boots; a damaged
file creates no image."""
# limit: 900 s
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from region import ROOT, Region, give_address, launch, open_ssh, wait_state  # noqa: E402

FILE, VERSION = "ubuntu-24.04-server-cloudimg-amd64.img", "20260814"


def publish(folder):
    """Publishes the tests' guest like an image of Canonical; returns the key's path."""
    home = os.path.join(folder, "gpg")
    os.makedirs(home, mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]
    shutil.copy(os.path.join(ROOT, "build/cache/tiny.qcow2"), os.path.join(folder, FILE))
    sums = subprocess.run(["sha256sum", "-b", FILE], cwd=folder, check=True, capture_output=True).stdout
    with open(os.path.join(folder, "SHA256SUMS"), "wb") as f:
        f.write(sums)
    subprocess.run([*gpg, "--quick-generate-key", "vendor <vendor@example.com>", "ed25519", "sign", "never"], check=True)
    subprocess.run([*gpg, "--output", os.path.join(folder, "SHA256SUMS.gpg"), "--detach-sign", os.path.join(folder, "SHA256SUMS")], check=True)
    subprocess.run([*gpg, "--output", os.path.join(folder, "key.asc"), "--armor", "--export"], check=True)
    return os.path.join(folder, "key.asc")


def main():
    with Region("ig") as region:
        folder = os.path.join(region.demo, "vendor")
        key = publish(folder)
        get = (region.dari, "image", "get", f"ubuntu-24.04@{VERSION}", "--from", folder)
        region.check("the vendor's own key did not sign it", "another key made the signature" in region.run(*get, fails=True))
        with open(os.path.join(folder, FILE), "r+b") as image:
            image.seek(4096)
            byte = image.read(1)
            image.seek(4096)
            image.write(bytes([byte[0] ^ 1]))
            image.flush()
            region.check("damaged bytes are told", "is not what its checksum says" in region.run(*get, "--key", key, fails=True))
            region.check("and nothing is left of them", [i["name"] for i in region.command("image", "list")] == ["tiny"])
            image.seek(4096)
            image.write(byte)
        made = region.command("image", "get", f"ubuntu-24.04@{VERSION}", "--from", folder, "--key", key)
        region.check("it is an image", made["checked_by"] == "signature" and made["latest"])
        ec2 = region.account("people")
        found = ec2.describe_images(Owners=["099720109477"], Filters=[{"Name": "name", "Values": ["ubuntu/images/hvm-ssd*/ubuntu-noble-24.04-amd64-server-*"]}])
        region.check("the filter of many a Terraform file finds it", [i["ImageId"] for i in found["Images"]] == [made["image_id"]])
        ec2.import_key_pair(KeyName="k", PublicKeyMaterial=region.make_key())
        open_ssh(ec2)
        (identifier,) = launch(ec2, KeyName="k", ImageId=found["Images"][0]["ImageId"])
        wait_state(ec2, [identifier], "running")
        address, _ = give_address(ec2, identifier)
        region.reach(ec2, identifier, address, "the guest")
        region.check("a guest of it boots and answers", region.boot_id(address) != "")
        region.check_clean()


if __name__ == "__main__":
    main()
