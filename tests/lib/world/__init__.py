# SPDX-License-Identifier: Apache-2.0
"""An account's resources for the contract tests, and requests made from the face's own tables.

A World contains at least one resource of every kind; request() builds from `dari dump actions` the smallest request of an
action that would succeed, so that a test can mutate it in one place. Each file here is about a group of resources: how they
are created, and what requests of their actions need.
"""
import re

import waiting

from . import disks, endpoints, gateways, gone, groups, instances, interfaces, subnets, transit, vpcs, vpn
from .requests import Requests, wire
from .values import VALUES

__all__ = ["ABSENT_DIGITS", "HOSTS", "ID", "VALUES", "World", "ids_in", "wire"]

HOSTS = ("--hosts", "48")  # options of a region that fits a world, which allocates dedicated hosts
ABSENT_DIGITS = "0123456789abcdef0"  # end of ids that never exist
ID = re.compile(r"\b((?:instance-|vpc-cidr-|subnet-cidr-|iip-|import-|export-)?(?:ipv6pool-ec2|[a-z]+(?:-attach|-rtb|-svc)?))-[0-9a-f]{17}\b")
# Actions marked as creating whose resource fill() has made, or that return no id.
CREATED = """AllocateAddress AllocateHosts CopyImage CopySnapshot CreateCapacityReservation CreateDefaultSubnet CreateDefaultVpc CreateDhcpOptions
             CreateEgressOnlyInternetGateway CreateFleet CreateImage CreateInstanceExportTask CreateInternetGateway CreateKeyPair CreateLaunchTemplate
             CreateLaunchTemplateVersion CreateManagedPrefixList CreateNatGateway CreateNetworkAcl CreateNetworkAclEntry
             CreateNetworkInterface CreatePlacementGroup CreateRoute CreateRouteTable CreateSecurityGroup CreateSnapshot
             CreateSnapshots CreateSubnet CreateSubnetCidrReservation CreateTags CreateTransitGateway
             CreateTransitGatewayRoute CreateTransitGatewayRouteTable CreateTransitGatewayVpcAttachment CreateVolume CreateVpc
             CreateVpcPeeringConnection CreateCustomerGateway CreateVpnConnection CreateVpnConnectionRoute CreateVpnGateway ExportImage ImportImage ImportKeyPair ImportSnapshot RegisterImage RequestSpotFleet RequestSpotInstances""".split()


class World(Requests):
    """The resources of one account: live ones by label, such as "vpc" or "spare vpc"; deleted ones by their prefix; names unique to the account, by
    the parameter that takes them; deleted names likewise."""

    def __init__(self, account, tables):
        self.account, self.tables = account, {a["name"]: a for a in tables["actions"]}
        self.ids, self.deleted, self.names, self.deleted_names = {}, {}, {}, {}
        images = account.ok("DescribeImages")
        self.image, self.operators_snapshot = images.first(".//imageId"), images.first(".//snapshotId")
        self.images_made = 0
        self.public = set(ids_in(images.text))
        self.ids["operators ami"] = self.image
        self.ids["vpce"] = "vpce-0fedcba9876543210"  # no endpoint exists
        self.fill()
        self.spare()
        gone.delete_spare(self)
        self.deleted_names = self.names
        account.dev.rest()  # an address is free again once the network has confirmed
        self.spare()
        self.make_the_rest()
        self.ids.setdefault("ami", self.image)
        account.dev.rest()
        # A released address may have been allocated again, and then does not count as deleted.
        address = {"Filter.1.Name": "public-ip", "Filter.1.Value.1": self.deleted_names["PublicIp"]}
        if account.ok("DescribeAddresses", address).first(".//publicIp"):
            del self.deleted_names["PublicIp"]

    @staticmethod
    def image_of(account):
        return account.ok("DescribeImages").first(".//imageId")

    def make(self, label, action, params, path):
        self.ids[label] = self.account.ok(action, params).first(".//" + path)
        assert self.ids[label], f"{action} names no {path}"
        return self.ids[label]

    def host_of(self, label):
        return self.account.dev.command("explain", self.ids[label])["fields"]["host"]

    def fill(self):
        """Creates one resource of each kind, in use."""
        vpcs.fill(self)
        gateways.fill(self)
        subnets.fill(self)
        groups.fill(self)
        interfaces.fill(self)
        instances.fill(self)
        disks.fill(self)
        instances.fill_for_events(self)
        instances.note_parts(self)
        disks.fill_imports(self)
        instances.settle(self)
        disks.plug_volume(self)
        interfaces.fill_of_instance(self)
        vpcs.fill_others(self)
        gateways.fill_nat(self)
        transit.fill(self)
        endpoints.fill(self)
        vpn.fill(self)
        subnets.note_acls(self)
        tagged = enumerate(["vpc", "subnet", "i", "vol", "eni", "sg"], 1)
        self.account.ok("CreateTags", {**{f"ResourceId.{n}": self.ids[k] for n, k in tagged},
                                       "Tag.1.Key": "contract", "Tag.1.Value": "yes"})

    def spare(self):
        """Creates one resource of each kind that nothing depends on."""
        name = f"only-{self.account.key_id[-8:].lower()}-{len(self.deleted)}"
        vpcs.spare(self)
        gateways.spare(self)
        subnets.spare(self)
        groups.spare(self, name)
        interfaces.spare(self)
        instances.spare(self, name)
        disks.spare(self)
        transit.spare(self)
        endpoints.spare(self)
        vpn.spare(self)
        addresses = self.account.ok("DescribeAddresses", {"AllocationId.1": self.ids["spare eipalloc"]})
        self.names = {"KeyName": name, "LaunchTemplateName": name, "GroupName": name, "SecurityGroup": name,
                      "PublicIp": addresses.first(".//publicIp")}

    def make_the_rest(self):
        """Creates kinds that are in the tables but not in fill(), by whatever action creates them."""
        for action in self.tables:
            if re.match("Create|Allocate|Register|Import|Copy", action) and action not in CREATED:
                answer = self.account.call(action, self.request(action))
                for identifier in ids_in(answer.text) if answer.status == 200 else []:
                    self.ids.setdefault(identifier.rpartition("-")[0], identifier)

    def await_word(self, action, params, path, word):
        """Waits until the reconciler has reached that state."""
        found = None

        def is_so():
            nonlocal found
            found = self.account.ok(action, params).first(path)
            return found == word
        if not waiting.soon(is_so, shows=lambda: found, every_s=0.01):
            what = self.account.dev.explain(next(iter(params.values())))
            raise AssertionError(f"{action} {params}: {found}, not {word}\n{what}")

    def await_state(self, instance, wanted):
        self.await_word("DescribeInstances", {"InstanceId.1": instance}, ".//instanceState/name", wanted)


def ids_in(text):
    return [m[0] for m in ID.finditer(text)]
