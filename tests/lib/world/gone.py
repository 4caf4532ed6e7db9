# SPDX-License-Identifier: Apache-2.0
"""Ids of deleted resources: deletes the spare ones, in an order that dependencies allow."""

ROWS = [
    ("spare scr", "DeleteSubnetCidrReservation", "SubnetCidrReservationId"),
    ("spare subnet", "DeleteSubnet", "SubnetId"),
    ("spare rtb", "DeleteRouteTable", "RouteTableId"),
    ("spare acl", "DeleteNetworkAcl", "NetworkAclId"),
    ("named sg", "DeleteSecurityGroup", "GroupId"),
    ("spare sg", "DeleteSecurityGroup", "GroupId"),
    ("spare key", "DeleteKeyPair", "KeyPairId"),
    ("spare igw", "DeleteInternetGateway", "InternetGatewayId"),
    ("spare eigw", "DeleteEgressOnlyInternetGateway", "EgressOnlyInternetGatewayId"),
    ("spare eipalloc", "ReleaseAddress", "AllocationId"),
    ("spare vol", "DeleteVolume", "VolumeId"),
    ("spare lt", "DeleteLaunchTemplate", "LaunchTemplateId"),
    ("spare h", "ReleaseHosts", "HostId.1"),
    ("spare cr", "CancelCapacityReservation", "CapacityReservationId"),
    ("spare dopt", "DeleteDhcpOptions", "DhcpOptionsId"),
    ("spare pl", "DeleteManagedPrefixList", "PrefixListId"),
    ("spare snap", "DeleteSnapshot", "SnapshotId"),
    ("spare ami", "DeregisterImage", "ImageId"),
    ("spare eni", "DeleteNetworkInterface", "NetworkInterfaceId"),
    ("spare tgw-rtb", "DeleteTransitGatewayRouteTable", "TransitGatewayRouteTableId"),
    ("spare tgw-attach", "DeleteTransitGatewayVpcAttachment", "TransitGatewayAttachmentId"),
    ("spare tgw", "DeleteTransitGateway", "TransitGatewayId"),
    ("spare vpc", "DeleteVpc", "VpcId"),
]


def delete_spare(w):
    take_apart(w)
    w.account.ok("DeletePlacementGroup", {"GroupName": w.names["GroupName"]})
    w.deleted["pg"] = w.ids["spare pg"]
    for label, action, name in ROWS:
        w.account.ok(action, {name: w.ids[label]})
        w.deleted[label.split()[1]] = w.ids[label]


def take_apart(w):
    """Ids of associations, and of resources that stay visible after their end."""
    call, ids, gone = w.account.ok, w.ids, w.deleted
    gone["sgr"] = call("AuthorizeSecurityGroupIngress", {
        "GroupId": ids["spare sg"], "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1,
        "CidrIp": "198.51.100.0/24"}).first(".//securityGroupRuleId")
    call("RevokeSecurityGroupIngress", {"GroupId": ids["spare sg"], "SecurityGroupRuleId.1": gone["sgr"]})
    take_apart_network(w)
    gone["acl"] = call("DescribeNetworkAcls", {
        "Filter.1.Name": "vpc-id", "Filter.1.Value.1": ids["spare vpc"]}).first(".//networkAclId")
    gone["nat"] = call("CreateNatGateway", {
        "SubnetId": ids["subnet"], "ConnectivityType": "private"}).first(".//natGatewayId")
    gone["i"] = call("RunInstances", {"ImageId": w.image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1,
                                      "SubnetId": ids["subnet"]}).first(".//instanceId")
    gone["iip-assoc"] = call("AssociateIamInstanceProfile", {
        "InstanceId": gone["i"], "IamInstanceProfile.Name": "contract"}).first(".//associationId")
    w.account.dev.rest()
    call("DeleteNatGateway", {"NatGatewayId": gone["nat"]})
    gone["pcx"] = ids["spare pcx"]
    call("DeleteVpcPeeringConnection", {"VpcPeeringConnectionId": gone["pcx"]})
    call("TerminateInstances", {"InstanceId.1": gone["i"]})
    for prefix, kind in (("vpn", "VpnConnection"), ("vgw", "VpnGateway"), ("cgw", "CustomerGateway")):
        gone[prefix] = ids["spare " + prefix]
        call("Delete" + kind, {kind + "Id": gone[prefix]})
    gone["sir"] = ids["spare sir"]
    call("CancelSpotInstanceRequests", {"SpotInstanceRequestId.1": gone["sir"]})
    gone["fleet"] = ids["spare fleet"]
    call("DeleteFleets", {"FleetId.1": gone["fleet"], "TerminateInstances": "true"})
    gone["sfr"] = ids["spare sfr"]
    call("CancelSpotFleetRequests", {"SpotFleetRequestId.1": gone["sfr"], "TerminateInstances": "true"})
    w.await_state(gone["i"], "terminated")
    w.account.dev.rest()


def take_apart_network(w):
    """Deletes associations and an attachment."""
    call, ids, gone = w.account.ok, w.ids, w.deleted
    gone["vpc-cidr-assoc"] = call("AssociateVpcCidrBlock", {
        "VpcId": ids["spare vpc"], "CidrBlock": "10.66.0.0/16"}).first(".//associationId")
    call("DisassociateVpcCidrBlock", {"AssociationId": gone["vpc-cidr-assoc"]})
    gone["subnet-cidr-assoc"] = ids["spare subnet-cidr-assoc"]
    call("DisassociateSubnetCidrBlock", {"AssociationId": gone["subnet-cidr-assoc"]})
    gone["rtbassoc"] = call("AssociateRouteTable", {
        "RouteTableId": ids["spare rtb"], "SubnetId": ids["spare subnet"]}).first(".//associationId")
    call("DisassociateRouteTable", {"AssociationId": gone["rtbassoc"]})
    gone["eipassoc"] = call("AssociateAddress", {
        "AllocationId": ids["spare eipalloc"], "NetworkInterfaceId": ids["spare eni"]}).first(".//associationId")
    call("DisassociateAddress", {"AssociationId": gone["eipassoc"]})
    gone["eni-attach"] = call("AttachNetworkInterface", {
        "NetworkInterfaceId": ids["spare eni"], "InstanceId": ids["i"], "DeviceIndex": 3}).first(".//attachmentId")
    w.account.dev.rest()
    call("DetachNetworkInterface", {"AttachmentId": gone["eni-attach"]})
