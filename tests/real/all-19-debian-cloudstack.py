#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/metadata
"""A Debian guest created by CloudStack's commands: cloud-init detects CloudStack, and applies key, name, user data and, once, the password; a
password reset while it is off applies from the next start on."""
# limit: 2400 s
import base64
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cloudstack import of_region, ok  # noqa: E402
from region import Region, wait_until  # noqa: E402

# Sets the password at each start, as CloudStack requires of templates: by default cloud-init does so at the first start only.
USER_DATA = """#cloud-config
cloud_config_modules:
- runcmd
- [set-passwords, always]
runcmd:
- echo user data ran on $(hostname) | tee /var/tmp/ran >/dev/console
"""
QUESTIONS = "cat /run/cloud-init/result.json && echo --- && cloud-id && hostname && cat /var/tmp/ran"
# Compares the text with the user's password, by the guest's own crypt().
COMPARE = """sudo perl -e '$p = (getpwnam("debian"))[1]; print crypt($ARGV[0], $p) eq $p ? "same" : "other"' '{}'"""


class Cloud:
    def __init__(self, region):
        ec2 = region.account("cs")
        self.region, self.dev = region, of_region(region, "cs")
        zone = self.ok("listZones")["zone"][0]["id"]
        # A template of the account, whose password setting the account may change.
        public = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian*"]}])["Images"][0]
        ec2.copy_image(Name="own", SourceImageId=public["ImageId"], SourceRegion="us-east-1")
        template = self.ok("listTemplates", templatefilter="self", name="own")["template"][0]["id"]
        self.ok("updateTemplate", id=template, passwordenabled="true")
        self.ok("registerSSHKeyPair", name="k", publickey=region.make_key().decode())
        offering = self.ok("listNetworkOfferings", name="DefaultIsolatedNetworkOfferingWithSourceNatService")["networkoffering"][0]["id"]
        self.network = self.ok("createNetwork", name="inside", displaytext="inside", networkofferingid=offering, zoneid=zone)["network"]["id"]
        self.place = {"zoneid": zone, "templateid": template, "networkids": self.network,
                      "serviceofferingid": self.ok("listServiceOfferings", name="t2.nano")["serviceoffering"][0]["id"]}

    def ok(self, command, **parameters):
        return ok(self.dev, command, **parameters)

    def reach(self, machine):
        """An address that accepts ssh."""
        address = self.ok("associateIpAddress", networkid=self.network)["ipaddress"]
        self.ok("createPortForwardingRule", ipaddressid=address["id"], virtualmachineid=machine["id"], protocol="tcp", publicport="22",
                privateport="22", openfirewall="true")
        return address["ipaddress"]


def first_start(region, cloud, machine, address):
    said = []

    def has_ended():
        """cloud-init has finished; everything is read in one ssh command, because ssh on a busy machine may need several tries."""
        said[:] = region.ssh(address, QUESTIONS, fails=True).partition("\n---\n")[::2]
        return bool(said[1])

    wait_until(has_ended, "ssh with the key, over a forwarded port, and cloud-init's end")
    result, rest = json.loads(said[0])["v1"], said[1].splitlines()
    region.check("cloud-init finds CloudStack", rest[0] == "cloudstack" and "DataSourceCloudStack" in result["datasource"])
    region.check("it needed no second try", not [e for e in result["errors"] if "locale" not in e])  # the image has no locales
    region.check("its name is the machine's", rest[1] == "web-1")
    region.check(f"user data ran: {rest[2]}", rest[2] == "user data ran on web-1")
    region.check("its password is the one that its maker was told", region.ssh(address, COMPARE.format(machine["password"])) == "same")


def another_password(region, cloud, machine, address):
    """The password is reset while the guest is off: cloud-init asks at each start, and gets it once."""
    cloud.ok("stopVirtualMachine", id=machine["id"])
    password = cloud.ok("resetPasswordForVirtualMachine", id=machine["id"])["virtualmachine"]["password"]
    cloud.ok("startVirtualMachine", id=machine["id"])
    region.check("it is another one", password != machine["password"])
    wait_until(lambda: region.ssh(address, COMPARE.format(password), fails=True) == "same", "the new password")
    region.check("the new password is its own", True)


def main():
    with Region("ocs", image="debian", login="debian") as region:
        cloud = Cloud(region)
        data = base64.b64encode(USER_DATA.encode()).decode()
        machine = cloud.ok("deployVirtualMachine", name="web-1", keypair="k", userdata=data, **cloud.place)["virtualmachine"]
        address = cloud.reach(machine)
        first_start(region, cloud, machine, address)
        another_password(region, cloud, machine, address)
        region.check_clean()


main()
