# SPDX-License-Identifier: Apache-2.0
"""VPC endpoints: an interface endpoint, a gateway endpoint with a route table, and an endpoint that tests may delete."""

EC2 = "com.amazonaws.us-east-1.ec2"

REQUESTS = {
    "CreateVpcEndpoint": {"VpcId": "spoke vpc", "ServiceName": "=" + EC2},
    ("CreateVpcEndpoint", "RouteTableId"): {"VpcId": "spoke vpc", "ServiceName": "=" + EC2, "RouteTableId.1": "spoke rtb"},
    **{("CreateVpcEndpoint", name): {"VpcId": "spoke vpc", "ServiceName": "=" + EC2, "VpcEndpointType": "=Interface", "PrivateDnsEnabled": "=false"}
       for name in ("SubnetId", "SecurityGroupId", "PrivateDnsEnabled")},
    **{("ModifyVpcEndpoint", name): {"VpcEndpointId": "gateway vpce"} for name in ("AddRouteTableId", "RemoveRouteTableId")},
    **{("ModifyVpcEndpoint", name): {"VpcEndpointId": "vpce"} for name in (
        "AddSubnetId", "RemoveSubnetId", "AddSecurityGroupId", "RemoveSecurityGroupId", "PrivateDnsEnabled")},
    "ModifyVpcEndpoint": {"VpcEndpointId": "vpce", "ResetPolicy": "=true"},
    "DeleteVpcEndpoints": {"VpcEndpointId.1": "spare vpce"},
}


def fill(w):
    ids = w.ids
    w.make("vpce", "CreateVpcEndpoint", {"VpcId": ids["spoke vpc"], "ServiceName": "com.amazonaws.us-east-1.sts", "VpcEndpointType": "Interface",
                                         "SubnetId.1": ids["spoke subnet"], "PrivateDnsEnabled": "false"}, "vpcEndpointId")
    w.make("spoke rtb", "CreateRouteTable", {"VpcId": ids["spoke vpc"]}, "routeTableId")
    w.make("used rtb", "CreateRouteTable", {"VpcId": ids["spoke vpc"]}, "routeTableId")
    w.make("gateway vpce", "CreateVpcEndpoint", {"VpcId": ids["spoke vpc"], "ServiceName": EC2, "RouteTableId.1": ids["used rtb"]}, "vpcEndpointId")


def spare(w):
    w.make("spare vpce", "CreateVpcEndpoint", {"VpcId": w.ids["spoke vpc"], "ServiceName": EC2}, "vpcEndpointId")
