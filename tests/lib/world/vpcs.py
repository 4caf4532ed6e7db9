# SPDX-License-Identifier: Apache-2.0
"""VPCs, their peerings, and their DHCP options."""
import ipaddress

REQUESTS = {
    ("AssociateVpcCidrBlock", "AmazonProvidedIpv6CidrBlock"): {"VpcId": "spare vpc"},
    ("AssociateVpcCidrBlock", "Ipv6CidrBlockNetworkBorderGroup"): {
        "VpcId": "spare vpc", "AmazonProvidedIpv6CidrBlock": "=true",
    },
    ("CreateVpc", "Ipv6CidrBlockNetworkBorderGroup"): {
        "CidrBlock": "=10.9.0.0/16", "AmazonProvidedIpv6CidrBlock": "=true",
    },
    "AssociateVpcCidrBlock": {"VpcId": "spare vpc", "CidrBlock": "=10.66.0.0/16"},
    "CreateVpcPeeringConnection": {"VpcId": "peer vpc", "PeerVpcId": "loose vpc"},
    "AcceptVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "RejectVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "DeleteVpcPeeringConnection": {"VpcPeeringConnectionId": "spare pcx"},
    "ModifyVpcPeeringConnectionOptions": {
        "VpcPeeringConnectionId": "pcx", "RequesterPeeringConnectionOptions.AllowDnsResolutionFromRemoteVpc": "=false",
    },
    "CreateVpc": {"CidrBlock": "=10.9.0.0/16"},
    "AssociateDhcpOptions": {"DhcpOptionsId": "dopt", "VpcId": "spare vpc"},
    "CreateDhcpOptions": {
        "DhcpConfiguration.1.Key": "=domain-name-servers", "DhcpConfiguration.1.Value.1": "=192.0.2.53",
    },
    "DeleteDhcpOptions": {"DhcpOptionsId": "spare dopt"},
    "DeleteVpc": {"VpcId": "spare vpc"},
    ("ModifyVpcAttribute", "EnableDnsHostnames"): {"VpcId": "spare vpc"},
    ("ModifyVpcAttribute", "EnableNetworkAddressUsageMetrics"): {"VpcId": "spare vpc"},
    "ModifyVpcAttribute": {"VpcId": "spare vpc", "EnableDnsSupport.Value": "=true"},
}


def fill(w):
    vpc = w.make("vpc", "CreateVpc", {"CidrBlock": "10.1.0.0/16"}, "vpcId")
    w.make("vpc-cidr-assoc", "AssociateVpcCidrBlock", {"VpcId": vpc, "CidrBlock": "10.65.0.0/16"}, "associationId")
    w.make("ipv6 vpc-cidr-assoc", "AssociateVpcCidrBlock", {"VpcId": vpc, "AmazonProvidedIpv6CidrBlock": "true"},
           "associationId")
    block = w.account.ok("DescribeVpcs", {"VpcId.1": vpc}).first(".//ipv6CidrBlock")
    w.ids["ipv6pool-ec2"] = w.account.ok("DescribeIpv6Pools").first(".//poolId")
    w.public.add(w.ids["ipv6pool-ec2"])  # belongs to the region
    w.parts = ipaddress.ip_network(block).subnets(new_prefix=64)
    w.make("dopt", "CreateDhcpOptions",
           {"DhcpConfiguration.1.Key": "domain-name", "DhcpConfiguration.1.Value.1": "corp.example"}, "dhcpOptionsId")


def fill_others(w):
    """Creates two more VPCs: one with a gateway of its own, and a peer of the first."""
    w.make("loose vpc", "CreateVpc", {"CidrBlock": "10.3.0.0/16"}, "vpcId")
    w.make("loose igw", "CreateInternetGateway", {}, "internetGatewayId")
    w.account.ok("AttachInternetGateway", {"InternetGatewayId": w.ids["loose igw"], "VpcId": w.ids["loose vpc"]})
    peer = w.make("peer vpc", "CreateVpc", {"CidrBlock": "10.4.0.0/16"}, "vpcId")
    w.account.ok("AssociateSecurityGroupVpc", {"GroupId": w.ids["sg"], "VpcId": peer})
    w.make("pcx", "CreateVpcPeeringConnection", {"VpcId": w.ids["vpc"], "PeerVpcId": peer}, "vpcPeeringConnectionId")
    w.account.ok("AcceptVpcPeeringConnection", {"VpcPeeringConnectionId": w.ids["pcx"]})


def spare(w):
    w.make("spare vpc", "CreateVpc", {"CidrBlock": "10.2.0.0/16"}, "vpcId")
    w.make("spare pcx", "CreateVpcPeeringConnection", {"VpcId": w.ids["loose vpc"], "PeerVpcId": w.ids["vpc"]},
           "vpcPeeringConnectionId")
    w.make("spare dopt", "CreateDhcpOptions",
           {"DhcpConfiguration.1.Key": "netbios-node-type", "DhcpConfiguration.1.Value.1": "2"}, "dhcpOptionsId")
