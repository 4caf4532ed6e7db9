# SPDX-License-Identifier: Apache-2.0
"""Subnets and what is decided for each: reservations, routes, network ACLs."""

REQUESTS = {
    "AssociateRouteTable": {"RouteTableId": "spare rtb", "SubnetId": "spare subnet"},
    "CreateSubnet": {"CidrBlock": "=10.1.9.0/24"},
    ("CreateSubnet", "Ipv6Native"): {"Ipv6CidrBlock": "free part"},
    "AssociateSubnetCidrBlock": {"SubnetId": "bare subnet", "Ipv6CidrBlock": "free part"},
    "DisassociateSubnetCidrBlock": {"AssociationId": "spare subnet-cidr-assoc"},
    "CreateRoute": {"RouteTableId": "spare rtb", "DestinationCidrBlock": "=198.18.0.0/15", "GatewayId": "igw"},
    ("CreateRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "spare rtb", "GatewayId": "igw"},
    **{("CreateRoute", name): {"RouteTableId": "spare rtb", "DestinationCidrBlock": "=198.18.0.0/15"}
       for name in ("InstanceId", "NatGatewayId", "NetworkInterfaceId", "TransitGatewayId", "VpcPeeringConnectionId")},
    ("CreateRoute", "EgressOnlyInternetGatewayId"): {
        "RouteTableId": "spare rtb", "DestinationIpv6CidrBlock": "=2001:db8:e001::/48",
    },
    ("ReplaceRoute", "EgressOnlyInternetGatewayId"): {
        "RouteTableId": "rtb", "DestinationIpv6CidrBlock": "=2001:db8:e000::/48",
    },
    ("ReplaceRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "rtb", "GatewayId": "igw"},
    ("DeleteRoute", "DestinationIpv6CidrBlock"): {"RouteTableId": "rtb"},
    ("ReplaceRoute", "TransitGatewayId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    ("ReplaceRoute", "VpcPeeringConnectionId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "CreateSubnetCidrReservation": {
        "SubnetId": "spare subnet", "Cidr": "=10.1.2.160/28", "ReservationType": "=explicit",
    },
    "DeleteSubnetCidrReservation": {"SubnetCidrReservationId": "spare scr"},
    ("CreateNetworkAclEntry", "Icmp.Type"): {
        "RuleNumber": "=310", "CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Code": "=-1",
    },
    ("CreateNetworkAclEntry", "Icmp.Code"): {
        "RuleNumber": "=310", "CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Type": "=8",
    },
    ("CreateNetworkAclEntry", "Ipv6CidrBlock"): {"RuleNumber": "=300", "PortRange.From": "=22", "PortRange.To": "=22"},
    ("ReplaceNetworkAclEntry", "Ipv6CidrBlock"): {"PortRange.From": "=22", "PortRange.To": "=22"},
    "CreateNetworkAclEntry": {
        "RuleNumber": "=300", "CidrBlock": "=10.1.9.0/24", "PortRange.From": "=22", "PortRange.To": "=22",
    },
    ("ReplaceNetworkAclEntry", "Icmp.Type"): {"CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Code": "=-1"},
    ("ReplaceNetworkAclEntry", "Icmp.Code"): {"CidrBlock": "=10.1.9.0/24", "Protocol": "=icmp", "Icmp.Type": "=8"},
    "ReplaceNetworkAclEntry": {"CidrBlock": "=10.1.9.0/24", "PortRange.From": "=22", "PortRange.To": "=22"},
    "DeleteNetworkAcl": {"NetworkAclId": "spare acl"},
    "CreateDefaultSubnet": {"AvailabilityZone": "=us-east-1b"},
    ("CreateDefaultSubnet", "AvailabilityZoneId"): {},
    "DeleteNetworkAclEntry": {"NetworkAclId": "spare acl"},
    "ReplaceNetworkAclAssociation": {"NetworkAclId": "spare acl"},
    "DeleteRoute": {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "DeleteRouteTable": {"RouteTableId": "spare rtb"},
    "DeleteSubnet": {"SubnetId": "spare subnet"},
    "ReplaceRoute": {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0", "NetworkInterfaceId": "eni"},
    ("ReplaceRoute", "InstanceId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    ("ReplaceRoute", "NatGatewayId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    ("ReplaceRoute", "GatewayId"): {"RouteTableId": "rtb", "DestinationCidrBlock": "=0.0.0.0/0"},
    "ReplaceRouteTableAssociation": {"RouteTableId": "spare rtb"},
}


def fill(w):
    vpc, call = w.ids["vpc"], w.account.ok
    subnet = w.make("subnet", "CreateSubnet",
                    {"VpcId": vpc, "CidrBlock": "10.1.1.0/24", "AvailabilityZone": "us-east-1a"}, "subnetId")
    # Addresses that are asked for by number are below 10.1.1.64, which are kept from those that EC2 draws.
    call("CreateSubnetCidrReservation", {"SubnetId": subnet, "Cidr": "10.1.1.0/26", "ReservationType": "explicit"})
    w.make("scr", "CreateSubnetCidrReservation",
           {"SubnetId": subnet, "Cidr": "10.1.1.128/28", "ReservationType": "explicit"}, "subnetCidrReservationId")
    part = next(w.parts)
    w.make("subnet-cidr-assoc", "AssociateSubnetCidrBlock", {"SubnetId": subnet, "Ipv6CidrBlock": str(part)},
           "associationId")
    w.ids["taken ipv6"], w.ids["free ipv6"] = str(part[0x77]), str(part[0x99])
    w.ids["taken prefix"], w.ids["free prefix"] = (f"{part[n << 48]}/80" for n in (7, 9))
    table = w.make("rtb", "CreateRouteTable", {"VpcId": vpc}, "routeTableId")
    w.make("rtbassoc", "AssociateRouteTable", {"RouteTableId": table, "SubnetId": subnet}, "associationId")
    igw = w.ids["igw"]
    call("CreateRoute", {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": igw})
    call("CreateRoute", {"RouteTableId": table, "DestinationIpv6CidrBlock": "2001:db8:e000::/48", "GatewayId": igw})


def note_acls(w):
    acls = w.account.ok("DescribeNetworkAcls", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": w.ids["vpc"]})
    w.ids["acl"], w.ids["aclassoc"] = acls.first(".//networkAclId"), acls.first(".//networkAclAssociationId")


def spare(w):
    vpc = w.ids["vpc"]
    subnet = w.make("spare subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": "10.1.2.0/24"}, "subnetId")
    w.make("bare subnet", "CreateSubnet", {"VpcId": vpc, "CidrBlock": f"10.1.{20 + len(w.deleted)}.0/24"}, "subnetId")
    w.make("spare subnet-cidr-assoc", "AssociateSubnetCidrBlock",
           {"SubnetId": subnet, "Ipv6CidrBlock": str(next(w.parts))}, "associationId")
    w.ids["free part"] = str(next(w.parts))
    w.make("spare scr", "CreateSubnetCidrReservation",
           {"SubnetId": subnet, "Cidr": "10.1.2.128/28", "ReservationType": "prefix"}, "subnetCidrReservationId")
    w.make("spare rtb", "CreateRouteTable", {"VpcId": vpc}, "routeTableId")
    acl = w.make("spare acl", "CreateNetworkAcl", {"VpcId": vpc}, "networkAclId")
    w.account.ok("CreateNetworkAclEntry", {"NetworkAclId": acl, "RuleNumber": 100, "Egress": "true", "Protocol": -1,
                                           "RuleAction": "allow", "CidrBlock": "10.1.9.0/24"})
