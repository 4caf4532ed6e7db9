# SPDX-License-Identifier: Apache-2.0
"""The calls of the provider hashicorp/aws for the parts of a VPC (see terraform.py), according to its source: internal/service/ec2/vpc_*.go and
ec2_eip*.go. The provider also sends a client token for route tables and network ACLs, which Debian's boto3 does not support yet."""
import uuid


def only(rows):
    (row,) = rows
    return row


def tags_of(rows):
    return {t["Key"]: t["Value"] for t in rows or []}


def tagged(sort, v):
    tags = [{"Key": k, "Value": value} for k, value in v.get("tags", {}).items()]
    return {"TagSpecifications": [{"ResourceType": sort, "Tags": tags}]} if tags else {}


def given(v, **names):
    """Parameters for the members that are set."""
    return {parameter: v[name] for parameter, name in names.items() if name in v}


def token():
    return f"terraform-{uuid.uuid4()}"


PROTOCOLS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}


class Networks:
    """The network part of terraform.Provider, which has the clients."""

    def aws_vpc(self, v):
        made = self.ec2.create_vpc(CidrBlock=v["cidr_block"], AmazonProvidedIpv6CidrBlock=False, InstanceTenancy="default", **tagged("vpc", v))["Vpc"]["VpcId"]
        self.rest()
        found = only(self.ec2.describe_vpcs(VpcIds=[made])["Vpcs"])
        assert found["State"] == "available"
        return made, {"cidr_block": found["CidrBlock"], "tags": tags_of(found.get("Tags"))}

    def aws_subnet(self, v):
        made = self.ec2.create_subnet(VpcId=v["vpc_id"], CidrBlock=v["cidr_block"], **given(v, AvailabilityZone="availability_zone"), **tagged("subnet", v))["Subnet"]["SubnetId"]
        self.rest()
        if v.get("map_public_ip_on_launch"):
            self.ec2.modify_subnet_attribute(SubnetId=made, MapPublicIpOnLaunch={"Value": True})
        found = only(self.ec2.describe_subnets(SubnetIds=[made])["Subnets"])
        assert found["State"] == "available"
        return made, {"vpc_id": found["VpcId"], "availability_zone": found["AvailabilityZone"], "cidr_block": found["CidrBlock"], "map_public_ip_on_launch": found["MapPublicIpOnLaunch"],
                      "tags": tags_of(found.get("Tags"))}

    # ---- gateways and NAT

    def attach_gateway(self, gateway, vpc):
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        attachment = only(only(self.ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"])["Attachments"])
        assert attachment["State"] == "available"
        return attachment["VpcId"]

    def aws_internet_gateway(self, v):
        made = self.ec2.create_internet_gateway(**tagged("internet-gateway", v))["InternetGateway"]["InternetGatewayId"]
        return made, {"vpc_id": self.attach_gateway(made, v["vpc_id"])}

    def aws_internet_gateway_attachment(self, v):
        vpc = self.attach_gateway(v["internet_gateway_id"], v["vpc_id"])
        return f"{v['internet_gateway_id']}:{vpc}", {"internet_gateway_id": v["internet_gateway_id"], "vpc_id": vpc}

    def aws_nat_gateway(self, v):
        made = self.ec2.create_nat_gateway(ClientToken=token(), AllocationId=v["allocation_id"], ConnectivityType="public", SubnetId=v["subnet_id"], **tagged("natgateway", v))["NatGateway"]["NatGatewayId"]
        self.rest()
        found = only(self.ec2.describe_nat_gateways(NatGatewayIds=[made])["NatGateways"])
        assert found["State"] == "available" and found["ConnectivityType"] == "public"
        return made, {"subnet_id": found["SubnetId"], "allocation_id": only(found["NatGatewayAddresses"])["AllocationId"]}

    def aws_eip(self, v):
        made = self.ec2.allocate_address(Domain=v["domain"], **tagged("elastic-ip", v))["AllocationId"]
        found = only(self.ec2.describe_addresses(AllocationIds=[made])["Addresses"])
        return made, {"domain": found["Domain"]}

    def aws_eip_association(self, v):
        names = {"AllocationId": "allocation_id", "InstanceId": "instance_id", "NetworkInterfaceId": "network_interface_id"}
        made = self.ec2.associate_address(**given(v, AllowReassociation="allow_reassociation", **names))["AssociationId"]
        self.rest()
        found = only(self.ec2.describe_addresses(Filters=[{"Name": "association-id", "Values": [made]}])["Addresses"])
        return made, {**{name: found.get(theirs) for theirs, name in names.items()}, "allow_reassociation": v.get("allow_reassociation")}  # the provider does not read the last one

    # ---- routes

    def aws_route_table(self, v):
        made = self.ec2.create_route_table(VpcId=v["vpc_id"], **tagged("route-table", v))["RouteTable"]["RouteTableId"]
        found = only(self.ec2.describe_route_tables(RouteTableIds=[made])["RouteTables"])
        return made, {"vpc_id": found["VpcId"], "tags": tags_of(found.get("Tags"))}

    def aws_route(self, v):
        names = {"destination_cidr_block": "DestinationCidrBlock", "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock", "gateway_id": "GatewayId", "nat_gateway_id": "NatGatewayId",
                 "egress_only_gateway_id": "EgressOnlyInternetGatewayId", "vpc_peering_connection_id": "VpcPeeringConnectionId", "network_interface_id": "NetworkInterfaceId"}
        self.ec2.create_route(RouteTableId=v["route_table_id"], **{theirs: v[name] for name, theirs in names.items() if name in v})
        self.rest()
        table = only(self.ec2.describe_route_tables(RouteTableIds=[v["route_table_id"]])["RouteTables"])
        found = only(r for r in table["Routes"] if all(r.get(names[at]) == v.get(at) for at in ("destination_cidr_block", "destination_ipv6_cidr_block")))
        assert found["State"] == "active"
        return f"r-{v['route_table_id']}", {"route_table_id": table["RouteTableId"], **{name: found.get(theirs) for name, theirs in names.items()}}

    def aws_route_table_association(self, v):
        made = self.ec2.associate_route_table(RouteTableId=v["route_table_id"], SubnetId=v["subnet_id"])["AssociationId"]
        table = only(self.ec2.describe_route_tables(Filters=[{"Name": "association.route-table-association-id", "Values": [made]}])["RouteTables"])
        found = only(a for a in table["Associations"] if a["RouteTableAssociationId"] == made)
        assert found["AssociationState"]["State"] == "associated"
        return made, {"route_table_id": found["RouteTableId"], "subnet_id": found["SubnetId"]}

    # ---- peerings

    def peering(self, identifier):
        return only(self.ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[identifier])["VpcPeeringConnections"])

    def aws_vpc_peering_connection(self, v):
        made = self.ec2.create_vpc_peering_connection(PeerVpcId=v["peer_vpc_id"], VpcId=v["vpc_id"], **given(v, PeerOwnerId="peer_owner_id"), **tagged("vpc-peering-connection", v))
        self.rest()
        found = self.peering(made["VpcPeeringConnection"]["VpcPeeringConnectionId"])
        assert found["Status"]["Code"] in ("active", "pending-acceptance")
        return found["VpcPeeringConnectionId"], {"vpc_id": found["RequesterVpcInfo"]["VpcId"], "peer_vpc_id": found["AccepterVpcInfo"]["VpcId"], "peer_owner_id": found["AccepterVpcInfo"]["OwnerId"]}

    def aws_vpc_peering_connection_accepter(self, v):
        made = v["vpc_peering_connection_id"]
        if v["auto_accept"] and self.peering(made)["Status"]["Code"] == "pending-acceptance":
            self.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made)
            self.rest()
        assert self.peering(made)["Status"]["Code"] == "active"
        return made, v

    # ---- network ACLs

    def acl(self, identifier):
        return only(self.ec2.describe_network_acls(NetworkAclIds=[identifier])["NetworkAcls"])

    def aws_network_acl(self, v):
        made = self.ec2.create_network_acl(VpcId=v["vpc_id"], **tagged("network-acl", v))["NetworkAcl"]["NetworkAclId"]
        found = self.acl(made)
        return made, {"vpc_id": found["VpcId"], "tags": tags_of(found.get("Tags"))}

    def aws_network_acl_association(self, v):
        """Replaces the subnet's present association."""
        before = only(self.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [v["subnet_id"]]}])["NetworkAcls"])
        old = only(a for a in before["Associations"] if a["SubnetId"] == v["subnet_id"])["NetworkAclAssociationId"]
        made = self.ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=v["network_acl_id"])["NewAssociationId"]
        after = only(self.ec2.describe_network_acls(Filters=[{"Name": "association.association-id", "Values": [made]}])["NetworkAcls"])
        found = only(a for a in after["Associations"] if a["NetworkAclAssociationId"] == made)
        return made, {"network_acl_id": found["NetworkAclId"], "subnet_id": found["SubnetId"]}

    def aws_network_acl_rule(self, v):
        """Ports are sent for every protocol: 0 if none is given. Protocols are compared by number."""
        def entries():
            return [e for e in self.acl(v["network_acl_id"])["Entries"] if (e["Egress"], e["RuleNumber"]) == (v["egress"], v["rule_number"])]

        number = PROTOCOLS.get(v["protocol"], v["protocol"])
        assert entries() == []
        kinds = {"IcmpTypeCode": {"Type": v.get("icmp_type", 0), "Code": v.get("icmp_code", 0)}} if number in ("1", "58") else {}
        self.ec2.create_network_acl_entry(NetworkAclId=v["network_acl_id"], Egress=v["egress"], PortRange={"From": v.get("from_port", 0), "To": v.get("to_port", 0)}, Protocol=number,
                                          RuleAction=v["rule_action"], RuleNumber=v["rule_number"], **given(v, CidrBlock="cidr_block", Ipv6CidrBlock="ipv6_cidr_block"), **kinds)
        found = only(entries())
        assert found["Protocol"] == number
        ports, kinds = found.get("PortRange", {}), found.get("IcmpTypeCode", {})
        return f"nacl-{v['rule_number']}", {
            "network_acl_id": v["network_acl_id"], "egress": found["Egress"], "rule_number": found["RuleNumber"], "rule_action": found["RuleAction"], "protocol": v["protocol"], "from_port": ports.get("From"),
            "to_port": ports.get("To"), "icmp_type": kinds.get("Type"), "icmp_code": kinds.get("Code"), "cidr_block": found.get("CidrBlock"), "ipv6_cidr_block": found.get("Ipv6CidrBlock")}

    # ---- interfaces

    def aws_network_interface(self, v):
        made = self.ec2.create_network_interface(ClientToken=token(), SubnetId=v["subnet_id"], **given(v, Description="description"), **tagged("network-interface", v))["NetworkInterface"]["NetworkInterfaceId"]
        self.rest()
        found = only(self.ec2.describe_network_interfaces(NetworkInterfaceIds=[made])["NetworkInterfaces"])
        assert found["Status"] == "available" and found["SourceDestCheck"]
        return made, {"subnet_id": found["SubnetId"], "description": found["Description"]}

    def aws_network_interface_attachment(self, v):
        made = self.ec2.attach_network_interface(DeviceIndex=v["device_index"], InstanceId=v["instance_id"], NetworkInterfaceId=v["network_interface_id"])["AttachmentId"]
        self.rest()
        port = only(self.ec2.describe_network_interfaces(Filters=[{"Name": "attachment.attachment-id", "Values": [made]}])["NetworkInterfaces"])
        found = port["Attachment"]
        assert found["Status"] == "attached"
        return made, {"network_interface_id": port["NetworkInterfaceId"], "instance_id": found["InstanceId"], "device_index": found["DeviceIndex"]}
