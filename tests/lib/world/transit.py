# SPDX-License-Identifier: Apache-2.0
"""Transit gateways: one that a VPC is attached to, and one without default route tables for a further VPC."""

TABLE = {"TransitGatewayRouteTableId": "tgw-rtb"}
ROUTE = {**TABLE, "DestinationCidrBlock": "=198.51.100.0/24"}
NEW_ROUTE = {**TABLE, "DestinationCidrBlock": "=198.18.0.0/15"}
LOOSE = {"TransitGatewayRouteTableId": "hub tgw-rtb", "TransitGatewayAttachmentId": "spare tgw-attach"}
USED = {**TABLE, "TransitGatewayAttachmentId": "tgw-attach"}

REQUESTS = {
    "DeleteTransitGateway": {"TransitGatewayId": "spare tgw"},
    "CreateTransitGatewayVpcAttachment": {"TransitGatewayId": "tgw", "VpcId": "spoke vpc", "SubnetIds.1": "spoke subnet"},
    ("ModifyTransitGatewayVpcAttachment", "AddSubnetIds"): {
        "TransitGatewayAttachmentId": "spare tgw-attach", "AddSubnetIds.1": "spoke b subnet",
    },
    ("ModifyTransitGatewayVpcAttachment", "RemoveSubnetIds"): {
        "TransitGatewayAttachmentId": "tgw-attach", "RemoveSubnetIds.1": "transit subnet",
    },
    "DeleteTransitGatewayVpcAttachment": {"TransitGatewayAttachmentId": "spare tgw-attach"},
    "DeleteTransitGatewayRouteTable": {"TransitGatewayRouteTableId": "spare tgw-rtb"},
    "AssociateTransitGatewayRouteTable": LOOSE,
    "EnableTransitGatewayRouteTablePropagation": LOOSE,
    "DisassociateTransitGatewayRouteTable": USED,
    "DisableTransitGatewayRouteTablePropagation": USED,
    "CreateTransitGatewayRoute": {**NEW_ROUTE, "Blackhole": "=true"},
    ("CreateTransitGatewayRoute", "TransitGatewayAttachmentId"): NEW_ROUTE,
    "ReplaceTransitGatewayRoute": {**ROUTE, "TransitGatewayAttachmentId": "tgw-attach"},
    ("ReplaceTransitGatewayRoute", "Blackhole"): ROUTE,
    "DeleteTransitGatewayRoute": ROUTE,
    "SearchTransitGatewayRoutes": {**TABLE, "Filter.1.Name": "=state", "Filter.1.Value.1": "=blackhole"},
}


def fill(w):
    call, ids = w.account.ok, w.ids
    answer = call("CreateTransitGateway", {"Description": "contract"})
    ids["tgw"], ids["tgw-rtb"] = answer.first(".//transitGatewayId"), answer.first(".//associationDefaultRouteTableId")
    w.make("transit subnet", "CreateSubnet", {"VpcId": ids["vpc"], "CidrBlock": "10.1.90.0/24", "AvailabilityZone": "us-east-1b"}, "subnetId")
    w.make("tgw-attach", "CreateTransitGatewayVpcAttachment", {
        "TransitGatewayId": ids["tgw"], "VpcId": ids["vpc"], "SubnetIds.1": ids["subnet"], "SubnetIds.2": ids["transit subnet"]},
        "transitGatewayAttachmentId")
    call("CreateTransitGatewayRoute", {"TransitGatewayRouteTableId": ids["tgw-rtb"], "DestinationCidrBlock": "198.51.100.0/24", "Blackhole": "true"})
    w.make("hub tgw", "CreateTransitGateway", {
        "Options.DefaultRouteTableAssociation": "disable", "Options.DefaultRouteTablePropagation": "disable"}, "transitGatewayId")
    w.make("hub tgw-rtb", "CreateTransitGatewayRouteTable", {"TransitGatewayId": ids["hub tgw"]}, "transitGatewayRouteTableId")
    vpc = w.make("spoke vpc", "CreateVpc", {"CidrBlock": "10.7.0.0/16"}, "vpcId")
    for label, block, zone in [("spoke subnet", "10.7.1.0/24", "us-east-1a"), ("spoke b subnet", "10.7.2.0/24", "us-east-1b")]:
        w.make(label, "CreateSubnet", {"VpcId": vpc, "CidrBlock": block, "AvailabilityZone": zone}, "subnetId")


def spare(w):
    w.make("spare tgw", "CreateTransitGateway", {"Description": "spare"}, "transitGatewayId")
    w.make("spare tgw-rtb", "CreateTransitGatewayRouteTable", {"TransitGatewayId": w.ids["tgw"]}, "transitGatewayRouteTableId")
    w.make("spare tgw-attach", "CreateTransitGatewayVpcAttachment", {
        "TransitGatewayId": w.ids["hub tgw"], "VpcId": w.ids["spoke vpc"], "SubnetIds.1": w.ids["spoke subnet"]},
        "transitGatewayAttachmentId")
