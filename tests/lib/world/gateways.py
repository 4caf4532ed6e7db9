# SPDX-License-Identifier: Apache-2.0
"""Gateways of VPCs: internet gateways, egress-only ones, and NAT gateways."""

REQUESTS = {
    "AssociateNatGatewayAddress": {"NatGatewayId": "public nat", "AllocationId.1": "spare eipalloc"},
    "AttachInternetGateway": {"InternetGatewayId": "spare igw", "VpcId": "spare vpc"},
    "CreateNatGateway": {"SubnetId": "subnet", "AllocationId": "spare eipalloc"},
    "CreateEgressOnlyInternetGateway": {"VpcId": "loose vpc"},
    "DeleteEgressOnlyInternetGateway": {"EgressOnlyInternetGatewayId": "spare eigw"},
    "DeleteInternetGateway": {"InternetGatewayId": "spare igw"},
    "DetachInternetGateway": {"InternetGatewayId": "loose igw", "VpcId": "loose vpc"},
    "DisassociateNatGatewayAddress": {"NatGatewayId": "public nat", "AssociationId.1": "nat eipassoc"},
}


def fill(w):
    igw = w.make("igw", "CreateInternetGateway", {}, "internetGatewayId")
    w.account.ok("AttachInternetGateway", {"InternetGatewayId": igw, "VpcId": w.ids["vpc"]})
    w.make("eigw", "CreateEgressOnlyInternetGateway", {"VpcId": w.ids["vpc"]}, "egressOnlyInternetGatewayId")


def fill_nat(w):
    """A private NAT gateway, and a public one with a further address."""
    subnet = w.ids["subnet"]
    w.make("nat", "CreateNatGateway",
           {"SubnetId": subnet, "ConnectivityType": "private"}, "natGatewayId")
    address = w.account.ok("AllocateAddress").first(".//allocationId")
    nat = w.make("public nat", "CreateNatGateway",
                 {"SubnetId": subnet, "AllocationId": address}, "natGatewayId")
    address = w.account.ok("AllocateAddress").first(".//allocationId")
    w.make("nat eipassoc", "AssociateNatGatewayAddress",
           {"NatGatewayId": nat, "AllocationId.1": address}, "associationId")


def spare(w):
    w.make("spare igw", "CreateInternetGateway", {}, "internetGatewayId")
    w.make("spare eigw", "CreateEgressOnlyInternetGateway", {"VpcId": w.ids["peer vpc"]}, "egressOnlyInternetGatewayId")
