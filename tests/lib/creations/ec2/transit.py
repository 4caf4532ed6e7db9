# SPDX-License-Identifier: Apache-2.0
"""Transit gateways, their attachments, route tables and routes. The form of a row: creations/ec2/__init__.py."""
from .values import TAGS, Some, tags

POLICY = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ec2:Describe*","Resource":"*"}]}'
TO_BUCKET = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow-logs"}
OF_TABLE = {"TransitGatewayRouteTableIds": ["{tgw rtb}"]}
OF_ATTACHMENT = {"TransitGatewayAttachmentIds": ["{tgw attach}"]}


def route(destination):
    return {"TransitGatewayRouteTableId": "{tgw rtb}", "Filters": [{"Name": "route-search.exact-match", "Values": [destination]}]}


ALGORITHMS = {"Phase1EncryptionAlgorithms": "AES256", "Phase2EncryptionAlgorithms": "AES256-GCM-16", "Phase1IntegrityAlgorithms": "SHA2-256",
              "Phase2IntegrityAlgorithms": "SHA2-384", "Phase1DHGroupNumbers": 19, "Phase2DHGroupNumbers": 20, "IKEVersions": "ikev2"}
NUMBERS = {"TunnelInsideCidr": "169.254.11.0/30", "PreSharedKey": "second.key_1234", "Phase1LifetimeSeconds": 20000, "Phase2LifetimeSeconds": 3000,
           "RekeyMarginTimeSeconds": 300, "RekeyFuzzPercentage": 50, "ReplayWindowSize": 512, "DPDTimeoutSeconds": 40, "DPDTimeoutAction": "restart",
           "StartupAction": "start"}
TUNNEL = {**NUMBERS, **{name: [{"Value": value}] for name, value in ALGORITHMS.items()}}
SHOWN_TUNNEL = {**{name.replace("DPD", "Dpd"): value for name, value in NUMBERS.items()},
                **{name.replace("IKE", "Ike"): [{"Value": value}] for name, value in ALGORITHMS.items()}}


ROWS = [
    ("CreateTransitGateway", {}, {"tgw": "TransitGateway.TransitGatewayId", "tgw default rtb": "TransitGateway.Options.AssociationDefaultRouteTableId"},
     "DescribeTransitGateways", {"TransitGatewayIds": ["{tgw}"]}, "TransitGateways[0]",
     {"OwnerId": "{owner}", "Description": None, "Tags": [], "TransitGatewayArn": "arn:aws:ec2:us-east-1:{owner}:transit-gateway/{tgw}",
      "Options.AmazonSideAsn": 64512, "Options.AutoAcceptSharedAttachments": "disable", "Options.DefaultRouteTableAssociation": "enable",
      "Options.DefaultRouteTablePropagation": "enable", "Options.PropagationDefaultRouteTableId": "{tgw default rtb}",
      "Options.VpnEcmpSupport": "enable", "Options.DnsSupport": "enable", "Options.MulticastSupport": "disable"}),
    ("CreateTransitGateway", {"Description": "hub", "TagSpecifications": tags("transit-gateway"), "Options": {
        "AmazonSideAsn": 64600, "AutoAcceptSharedAttachments": "enable", "DefaultRouteTableAssociation": "disable", "DnsSupport": "disable",
        "DefaultRouteTablePropagation": "disable", "VpnEcmpSupport": "disable"}}, {"odd tgw": "TransitGateway.TransitGatewayId"},
     "DescribeTransitGateways", {"TransitGatewayIds": ["{odd tgw}"]}, "TransitGateways[0]",
     {"Description": "hub", "Tags": TAGS, "Options.AmazonSideAsn": 64600, "Options.AutoAcceptSharedAttachments": "enable", "Options.DnsSupport": "disable",
      "Options.DefaultRouteTableAssociation": "disable", "Options.DefaultRouteTablePropagation": "disable", "Options.VpnEcmpSupport": "disable",
      "Options.AssociationDefaultRouteTableId": None}),
    ("CreateTransitGatewayVpcAttachment", {"TransitGatewayId": "{tgw}", "VpcId": "{vpc}", "SubnetIds": ["{subnet}"]},
     {"tgw attach": "TransitGatewayVpcAttachment.TransitGatewayAttachmentId"}, "DescribeTransitGatewayVpcAttachments", OF_ATTACHMENT,
     "TransitGatewayVpcAttachments[0]",
     {"TransitGatewayId": "{tgw}", "VpcId": "{vpc}", "SubnetIds": ["{subnet}"], "VpcOwnerId": "{owner}", "State": Some("pending|available"), "Tags": [],
      "Options.DnsSupport": "enable", "Options.Ipv6Support": "disable", "Options.ApplianceModeSupport": "disable"}),
    ("CreateTransitGatewayVpcAttachment", {"TransitGatewayId": "{odd tgw}", "VpcId": "{vpc}", "SubnetIds": ["{subnet}"],
                                           "TagSpecifications": tags("transit-gateway-attachment"), "Options": {"DnsSupport": "disable", "Ipv6Support": "enable"}},
     {"odd attach": "TransitGatewayVpcAttachment.TransitGatewayAttachmentId"}, "DescribeTransitGatewayVpcAttachments",
     {"TransitGatewayAttachmentIds": ["{odd attach}"]}, "TransitGatewayVpcAttachments[0]",
     {"TransitGatewayId": "{odd tgw}", "VpcId": "{vpc}", "SubnetIds": ["{subnet}"], "Tags": TAGS, "Options.DnsSupport": "disable", "Options.Ipv6Support": "enable"}),
    ("CreateTransitGatewayRouteTable", {"TransitGatewayId": "{tgw}", "TagSpecifications": tags("transit-gateway-route-table")},
     {"tgw rtb": "TransitGatewayRouteTable.TransitGatewayRouteTableId"}, "DescribeTransitGatewayRouteTables", OF_TABLE, "TransitGatewayRouteTables[0]",
     {"TransitGatewayId": "{tgw}", "Tags": TAGS, "State": "available", "DefaultAssociationRouteTable": False, "DefaultPropagationRouteTable": False}),
    ("DisassociateTransitGatewayRouteTable", {"TransitGatewayRouteTableId": "{tgw default rtb}", "TransitGatewayAttachmentId": "{tgw attach}"}, {},
     "DescribeTransitGatewayAttachments", OF_ATTACHMENT, "TransitGatewayAttachments[0]", {"Association": None, "ResourceId": "{vpc}", "ResourceType": "vpc"}),
    ("AssociateTransitGatewayRouteTable", {"TransitGatewayRouteTableId": "{tgw rtb}", "TransitGatewayAttachmentId": "{tgw attach}"}, {},
     "DescribeTransitGatewayAttachments", OF_ATTACHMENT, "TransitGatewayAttachments[0]",
     {"TransitGatewayAttachmentId": "{tgw attach}", "Association": {"TransitGatewayRouteTableId": "{tgw rtb}", "State": "associated"}}),
    ("CreateTransitGatewayRoute", {"TransitGatewayRouteTableId": "{tgw rtb}", "DestinationCidrBlock": "10.99.0.0/16", "TransitGatewayAttachmentId": "{tgw attach}"},
     {}, "SearchTransitGatewayRoutes", route("10.99.0.0/16"), "Routes[0]",
     {"DestinationCidrBlock": "10.99.0.0/16", "Type": "static", "State": "active",
      "TransitGatewayAttachments": [{"ResourceId": "{vpc}", "ResourceType": "vpc", "TransitGatewayAttachmentId": "{tgw attach}"}]}),
    ("CreateTransitGatewayRoute", {"TransitGatewayRouteTableId": "{tgw rtb}", "DestinationCidrBlock": "10.98.0.0/16", "Blackhole": True},
     {}, "SearchTransitGatewayRoutes", route("10.98.0.0/16"), "Routes[0]",
     {"DestinationCidrBlock": "10.98.0.0/16", "Type": "static", "State": "blackhole", "TransitGatewayAttachments": None}),
    ("CreateRoute", {"RouteTableId": "{rtb}", "DestinationCidrBlock": "10.97.0.0/16", "TransitGatewayId": "{tgw}"}, {},
     "DescribeRouteTables", {"RouteTableIds": ["{rtb}"]}, "RouteTables[0].Routes[?DestinationCidrBlock=='10.97.0.0/16'] | [0]",
     {"TransitGatewayId": "{tgw}", "State": "active", "Origin": "CreateRoute"}),
    ("CreateVpcEndpoint", {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-east-1.ec2"}, {"vpce": "VpcEndpoint.VpcEndpointId"},
     "DescribeVpcEndpoints", {"VpcEndpointIds": ["{vpce}"]}, "VpcEndpoints[0]",
     {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-east-1.ec2", "VpcEndpointType": "Gateway", "State": "available", "RouteTableIds": [],
      "SubnetIds": [], "Groups": [], "PrivateDnsEnabled": False, "NetworkInterfaceIds": [], "DnsEntries": [], "Tags": [], "OwnerId": "{owner}",
      "IpAddressType": "ipv4"}),
    ("CreateVpcEndpoint", {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-east-1.ec2", "VpcEndpointType": "Gateway", "RouteTableIds": ["{rtb}"],
                           "TagSpecifications": tags("vpc-endpoint")}, {"gateway vpce": "VpcEndpoint.VpcEndpointId"},
     "DescribeVpcEndpoints", {"VpcEndpointIds": ["{gateway vpce}"]}, "VpcEndpoints[0]", {"RouteTableIds": ["{rtb}"], "Tags": TAGS}),
    ("CreateVpcEndpoint", {"VpcId": "{vpc}", "ServiceName": "com.amazonaws.us-east-1.monitoring", "VpcEndpointType": "Interface",
                           "SubnetIds": ["{subnet}"], "SecurityGroupIds": ["{sg}"], "PrivateDnsEnabled": False, "ClientToken": "an odd endpoint",
                           "PolicyDocument": POLICY},
     {"odd vpce": "VpcEndpoint.VpcEndpointId"},
     "DescribeVpcEndpoints", {"VpcEndpointIds": ["{odd vpce}"]}, "VpcEndpoints[0]",
     {"VpcEndpointType": "Interface", "SubnetIds": ["{subnet}"], "Groups[0].GroupId": "{sg}", "PrivateDnsEnabled": False,
      "PolicyDocument": POLICY}),
    ("CreateVpcEndpointServiceConfiguration", {"NetworkLoadBalancerArns": ["{balancer}"], "AcceptanceRequired": False, "SupportedIpAddressTypes": ["ipv4"],
                                               "ClientToken": "an odd service", "TagSpecifications": tags("vpc-endpoint-service")},
     {"vpce svc": "ServiceConfiguration.ServiceId"}, "DescribeVpcEndpointServiceConfigurations", {"ServiceIds": ["{vpce svc}"]}, "ServiceConfigurations[0]",
     {"ServiceName": "com.amazonaws.vpce.us-east-1.{vpce svc}", "ServiceState": "Available", "AcceptanceRequired": False, "ManagesVpcEndpoints": False,
      "NetworkLoadBalancerArns": ["{balancer}"], "SupportedIpAddressTypes": ["ipv4"], "Tags": TAGS}),
    ("CreateCustomerGateway", {"Type": "ipsec.1", "IpAddress": "192.0.2.7", "BgpAsn": 65000}, {"plain cgw": "CustomerGateway.CustomerGatewayId"},
     "DescribeCustomerGateways", {"CustomerGatewayIds": ["{plain cgw}"]}, "CustomerGateways[0]",
     {"IpAddress": "192.0.2.7", "BgpAsn": "65000", "State": "available", "Type": "ipsec.1", "DeviceName": None, "Tags": []}),
    ("CreateCustomerGateway", {"Type": "ipsec.1", "PublicIp": "192.0.2.8", "BgpAsn": 65010, "DeviceName": "edge", "TagSpecifications": tags("customer-gateway")},
     {"cgw": "CustomerGateway.CustomerGatewayId"}, "DescribeCustomerGateways", {"CustomerGatewayIds": ["{cgw}"]}, "CustomerGateways[0]",
     {"IpAddress": "192.0.2.8", "BgpAsn": "65010", "DeviceName": "edge", "Tags": TAGS}),
    ("CreateVpnGateway", {"Type": "ipsec.1"}, {"vgw": "VpnGateway.VpnGatewayId"}, "DescribeVpnGateways", {"VpnGatewayIds": ["{vgw}"]}, "VpnGateways[0]",
     {"State": "available", "Type": "ipsec.1", "VpcAttachments": [], "AmazonSideAsn": 64512, "AvailabilityZone": None, "Tags": []}),
    ("CreateVpnGateway", {"Type": "ipsec.1", "AmazonSideAsn": 64600, "AvailabilityZone": "us-east-1a", "TagSpecifications": tags("vpn-gateway")},
     {"odd vgw": "VpnGateway.VpnGatewayId"}, "DescribeVpnGateways", {"VpnGatewayIds": ["{odd vgw}"]}, "VpnGateways[0]",
     {"AmazonSideAsn": 64600, "AvailabilityZone": "us-east-1a", "Tags": TAGS}),
    ("AttachVpnGateway", {"VpcId": "{vpc}", "VpnGatewayId": "{vgw}"}, {}, "DescribeVpnGateways", {"VpnGatewayIds": ["{vgw}"]}, "VpnGateways[0]",
     {"VpcAttachments": [{"State": "attached", "VpcId": "{vpc}"}]}),
    ("CreateVpnConnection", {"Type": "ipsec.1", "CustomerGatewayId": "{cgw}", "VpnGatewayId": "{vgw}", "Options": {
        "StaticRoutesOnly": True, "LocalIpv4NetworkCidr": "10.99.0.0/16", "RemoteIpv4NetworkCidr": "10.0.0.0/8", "TunnelOptions": [TUNNEL]},
                             "TagSpecifications": tags("vpn-connection")},
     {"vpn": "VpnConnection.VpnConnectionId"}, "DescribeVpnConnections", {"VpnConnectionIds": ["{vpn}"]}, "VpnConnections[0]",
     {"CustomerGatewayId": "{cgw}", "VpnGatewayId": "{vgw}", "Type": "ipsec.1", "Category": "VPN", "Tags": TAGS, "Routes": [],
      "Options.StaticRoutesOnly": True, "Options.EnableAcceleration": False, "Options.LocalIpv4NetworkCidr": "10.99.0.0/16",
      "Options.RemoteIpv4NetworkCidr": "10.0.0.0/8", **{f"Options.TunnelOptions[0].{name}": value for name, value in SHOWN_TUNNEL.items()}}),
    ("CreateVpnConnectionRoute", {"VpnConnectionId": "{vpn}", "DestinationCidrBlock": "10.99.1.0/24"}, {}, "DescribeVpnConnections",
     {"VpnConnectionIds": ["{vpn}"]}, "VpnConnections[0]", {"Routes": [{"DestinationCidrBlock": "10.99.1.0/24", "Source": "Static", "State": "available"}]}),
    ("CreateFlowLogs", {"ResourceIds": ["{vpc}"], "ResourceType": "VPC", "TrafficType": "REJECT", **TO_BUCKET}, {"fl": "FlowLogIds[0]"},
     "DescribeFlowLogs", {"FlowLogIds": ["{fl}"]}, "FlowLogs[0]",
     {"FlowLogId": "{fl}", "FlowLogStatus": "ACTIVE", "ResourceId": "{vpc}", "TrafficType": "REJECT", "LogDestinationType": "s3",
      "LogDestination": "arn:aws:s3:::flow-logs", "MaxAggregationInterval": 600, "DeliverLogsStatus": "SUCCESS", "DeliverLogsErrorMessage": None,
      "LogFormat": "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} "
                   "${action} ${log-status}",
      "DestinationOptions": {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}, "Tags": []}),
    ("CreateFlowLogs", {"ResourceIds": ["{subnet}"], "ResourceType": "Subnet", "TrafficType": "ALL", "LogDestinationType": "s3",
                        "LogDestination": "arn:aws:s3:::flow-logs/a/b", "LogFormat": "${version} ${vpc-id}", "MaxAggregationInterval": 60,
                        "DestinationOptions": {"PerHourPartition": True}, "ClientToken": "an odd log", "TagSpecifications": tags("vpc-flow-log")},
     {"odd fl": "FlowLogIds[0]"}, "DescribeFlowLogs", {"FlowLogIds": ["{odd fl}"]}, "FlowLogs[0]",
     {"ResourceId": "{subnet}", "TrafficType": "ALL", "LogDestination": "arn:aws:s3:::flow-logs/a/b", "LogFormat": "${version} ${vpc-id}",
      "MaxAggregationInterval": 60, "DestinationOptions.PerHourPartition": True, "Tags": TAGS}),
]
