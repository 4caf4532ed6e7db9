# SPDX-License-Identifier: Apache-2.0
"""VPN: a gateway attached to a VPC of its own, with a connection and a route, and gateways that nothing uses."""

CONNECTION = {"VpnConnectionId": "vpn"}
ROUTE = {**CONNECTION, "DestinationCidrBlock": "=10.99.0.0/24"}
ATTACHED = {"VpcId": "vpn vpc", "VpnGatewayId": "vgw"}
PROPAGATION = {"GatewayId": "vgw", "RouteTableId": "vpn rtb"}

REQUESTS = {
    "CreateCustomerGateway": {"IpAddress": "=192.0.2.9"},
    "DeleteCustomerGateway": {"CustomerGatewayId": "spare cgw"},
    "DeleteVpnGateway": {"VpnGatewayId": "spare vgw"},
    "AttachVpnGateway": {"VpcId": "vpc", "VpnGatewayId": "spare vgw"},
    "DetachVpnGateway": ATTACHED,
    "CreateVpnConnection": {"VpnGatewayId": "vgw", "Options.StaticRoutesOnly": "=true"},
    "DeleteVpnConnection": {"VpnConnectionId": "spare vpn"},
    "ModifyVpnTunnelOptions": {**CONNECTION, "VpnTunnelOutsideIpAddress": "vpn address", "TunnelOptions.StartupAction": "=add"},
    "CreateVpnConnectionRoute": ROUTE,
    "DeleteVpnConnectionRoute": {**CONNECTION, "DestinationCidrBlock": "=10.98.0.0/24"},
    "EnableVgwRoutePropagation": PROPAGATION,
    "DisableVgwRoutePropagation": PROPAGATION,
}


def connect(w, label):
    answer = w.account.ok("CreateVpnConnection", {
        "Type": "ipsec.1", "CustomerGatewayId": w.ids["cgw"], "VpnGatewayId": w.ids["vgw"], "Options.StaticRoutesOnly": "true"})
    w.ids[label] = answer.first(".//vpnConnectionId")
    return answer.first(".//outsideIpAddress")


def fill(w):
    vpc = w.make("vpn vpc", "CreateVpc", {"CidrBlock": "10.8.0.0/16"}, "vpcId")
    w.make("vpn rtb", "CreateRouteTable", {"VpcId": vpc}, "routeTableId")
    w.make("cgw", "CreateCustomerGateway", {"Type": "ipsec.1", "IpAddress": "192.0.2.2", "BgpAsn": "65010"}, "customerGatewayId")
    w.make("vgw", "CreateVpnGateway", {"Type": "ipsec.1", "AvailabilityZone": "us-east-1a"}, "vpnGatewayId")
    w.account.ok("AttachVpnGateway", {"VpcId": vpc, "VpnGatewayId": w.ids["vgw"]})
    w.ids["vpn address"] = connect(w, "vpn")
    w.account.ok("CreateVpnConnectionRoute", {"VpnConnectionId": w.ids["vpn"], "DestinationCidrBlock": "10.98.0.0/24"})


def spare(w):
    w.make("spare cgw", "CreateCustomerGateway", {"Type": "ipsec.1", "IpAddress": "192.0.2.3", "BgpAsn": "65010"}, "customerGatewayId")
    w.make("spare vgw", "CreateVpnGateway", {"Type": "ipsec.1"}, "vpnGatewayId")
    connect(w, "spare vpn")
