# SPDX-License-Identifier: Apache-2.0
"""VPC endpoints: an interface endpoint, a gateway endpoint with a route table, and an endpoint that tests may delete; flow logs and endpoint services
likewise."""

EC2 = "com.amazonaws.us-east-1.ec2"
BUCKET = "arn:aws:s3:::flow-logs"

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
    "CreateVpcEndpointServiceConfiguration": {"NetworkLoadBalancerArn.1": "balancer"},
    "ModifyVpcEndpointServiceConfiguration": {"ServiceId": "vpce-svc", "AcceptanceRequired": "=true"},
    "ModifyVpcEndpointServicePermissions": {"ServiceId": "vpce-svc", "AddAllowedPrincipals.1": "=arn:aws:iam::123456789012:root"},
    **{action: {"ServiceId": "vpce-svc", "VpcEndpointId.1": "offered vpce"} for action in ("AcceptVpcEndpointConnections", "RejectVpcEndpointConnections")},
    "DeleteVpcEndpointServiceConfigurations": {"ServiceId.1": "spare vpce-svc"},
    "CreateFlowLogs": {"ResourceType": "=VPC", "ResourceId.1": "spoke vpc", "TrafficType": "=REJECT", "LogDestinationType": "=s3",
                       "LogDestination": "=" + BUCKET + "-elsewhere"},  # answered each time, and nothing is made
    "DeleteFlowLogs": {"FlowLogId.1": "spare fl"},
}


def fill(w):
    ids = w.ids
    w.make("vpce", "CreateVpcEndpoint", {"VpcId": ids["spoke vpc"], "ServiceName": "com.amazonaws.us-east-1.sts", "VpcEndpointType": "Interface",
                                         "SubnetId.1": ids["spoke subnet"], "PrivateDnsEnabled": "false"}, "vpcEndpointId")
    w.make("spoke rtb", "CreateRouteTable", {"VpcId": ids["spoke vpc"]}, "routeTableId")
    w.make("used rtb", "CreateRouteTable", {"VpcId": ids["spoke vpc"]}, "routeTableId")
    w.make("gateway vpce", "CreateVpcEndpoint", {"VpcId": ids["spoke vpc"], "ServiceName": EC2, "RouteTableId.1": ids["used rtb"]}, "vpcEndpointId")
    flow_log(w, "fl", "spoke subnet")
    w.ids["balancer"] = w.account.ok("CreateLoadBalancer", {"Name": "offered", "Type": "network", "Scheme": "internal", "Subnets.member.1": ids["spoke subnet"]},
                                     service="elasticloadbalancing", version="2015-12-01").first(".//LoadBalancerArn")
    w.make("vpce-svc", "CreateVpcEndpointServiceConfiguration", {"NetworkLoadBalancerArn.1": ids["balancer"]}, "serviceId")
    w.account.ok("ModifyVpcEndpointServicePermissions", {"ServiceId": ids["vpce-svc"], "AddAllowedPrincipals.1": "arn:aws:iam::123456789012:root"})
    region = "com.amazonaws.vpce.us-east-1."
    w.make("offered vpce", "CreateVpcEndpoint", {"VpcId": ids["spoke vpc"], "ServiceName": region + ids["vpce-svc"], "VpcEndpointType": "Interface",
                                                 "SubnetId.1": ids["spoke subnet"]}, "vpcEndpointId")


def flow_log(w, label, subnet):
    w.make(label, "CreateFlowLogs", {"ResourceType": "Subnet", "ResourceId.1": w.ids[subnet], "TrafficType": "ALL", "LogDestinationType": "s3",
                                     "LogDestination": BUCKET}, "item")


def spare(w):
    w.make("spare vpce", "CreateVpcEndpoint", {"VpcId": w.ids["spoke vpc"], "ServiceName": EC2}, "vpcEndpointId")
    flow_log(w, "spare fl", "spare subnet")
    w.make("spare vpce-svc", "CreateVpcEndpointServiceConfiguration", {"NetworkLoadBalancerArn.1": w.ids["balancer"]}, "serviceId")
