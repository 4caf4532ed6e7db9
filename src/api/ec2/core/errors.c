/* SPDX-License-Identifier: Apache-2.0
 * The error tables. Codes are those that EC2 documents for the case, where it documents one. Tools branch
 * on codes, so changing one here changes the API. */
#include "api/ec2/core/errors.h"

#include "api/ec2/core/action.h"
#include "api/query/query_call.h"
#include "engine/billing/standing.h"

#define E(err, kind, status, code, ...)                                                                      \
	{                                                                                                    \
		ERR_##err, KIND_##kind, status, code, 0, __VA_ARGS__                                         \
	}
#define E_OF(err, kind, field, status, code, ...)                                                            \
	{                                                                                                    \
		ERR_##err, KIND_##kind, status, code, field, __VA_ARGS__                                     \
	}

#define E_PART(part, err, kind, code, sentence)                                                              \
	{                                                                                                    \
		ERR_##err, KIND_##kind, 400, code, 0, EC2_OF_##part, .says = (sentence)                      \
	}

#define TAG_KEY_EMPTY "Value ( '' ) for parameter Tag key is invalid. Tag key cannot be null or empty."

/* The name of what prevents the deletion follows. */
#define NOT_TO_BE_HAD "The Elastic IP address '*' does not exist or is not available. "

/* The first row that fits counts; KIND_NONE fits every kind. */
static const struct api_error ec2_rows[] = {
	E_PART(INTERFACES, NOT_FOUND, SECURITY_GROUP, "InvalidSecurityGroupID.NotFound",
	       "The securityGroup ID '*' does not exist"),
	E_PART(NEW_NAT_GATEWAYS, MALFORMED, SUBNET, "InvalidSubnet", "The subnet ID '*' is malformed"),
	E_PART(NEW_NAT_GATEWAYS, MALFORMED, ADDRESS, "InvalidElasticIpID.Malformed",
	       "The elastic-ip ID '*' is malformed"),
	E_OF(MISSING, SUBNET, "SubnetId", 400, "MissingInput"), /* the default VPC has no subnet */
	E(MISSING, SUBNET, 400, "VPCIdNotSpecified"),
	E_OF(MISSING, ROUTER, "AvailabilityZone", 400, "DefaultVpcDoesNotExist"), /* when a default subnet
	                                                                           * is needed */
	E(MISSING, ROUTER, 400, "VPCIdNotSpecified"),
	E_OF(MISSING, INSTANCE, "InstanceId", 400, "InvalidParameterCombination", /* missing member of a
	                                                                           * list */
	     .says = "No instances specified"),
	E_OF(MISSING, NONE, "ResourceId", 400, "MissingParameter",
	     .says = "The request must contain the parameter resourceIdSet"),
	E_OF(MISSING, NONE, "Tag.", 400, "InvalidParameterValue", .says = TAG_KEY_EMPTY),
	E_OF(MISSING, NONE, "TagSpecification.", 400, "InvalidParameterValue", .says = TAG_KEY_EMPTY),
	E_OF(MISSING, NONE, "Tag", 400, "InvalidParameterValue",
	     .says = "You must specify one or more tags to create"),
	E_OF(MISSING, NONE, "LaunchTemplateId", 400, "MissingParameter",
	     .says = "The request must contain the parameter launch template ID or launch template name"),
	E(MISSING, NONE, 400, "MissingParameter"),
	E_OF(INVALID, SECURITY_GROUP, "SecurityGroup", 400, "InvalidParameter"), /* group of another VPC */
	E_OF(INVALID, SECURITY_GROUP, "NetworkInterface", 400, "InvalidParameter"),
	E_OF(INVALID, KEY_PAIR, "PublicKeyMaterial", 400, "InvalidKey.Format"),
	E_OF(INVALID, IMAGE, "BlockDeviceMapping", 400, "InvalidBlockDeviceMapping"),
	E(INVALID, INSTANCE_EVENT, 400, "InvalidInstanceEventStartTime"),
	E(INVALID, VPC_ENDPOINT, 400, "InvalidPolicyDocument"),
	E(INVALID, FLOW_LOG, 400, "InvalidParameter"),
	E(INVALID, ENDPOINT_SERVICE, 400, "InvalidParameter"),
	E_OF(INVALID, SUBNET, "Placement", 400, "InvalidInput"), /* no default subnet in the zone */
	E_OF(INVALID, DEDICATED_HOST, "InstanceFamily", 400, "InvalidInstanceFamily"),
	E_OF(INVALID, NETWORK, "TagSpecification", 400, "InvalidParameter"), /* in a VPC action */
	E_OF(INVALID, INSTANCE_PROFILE, "IamInstanceProfile.Arn", 400, "InvalidParameterValue",
	     .says = "Value (*) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance "
		     "Profile ARN"),
	E_OF(INVALID, INSTANCE_PROFILE, "IamInstanceProfile", 400, "InvalidParameterValue",
	     .says = "Value (*) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance "
		     "Profile name"),
	E_OF(INVALID, NONE, "LaunchPermission", 400, "InvalidAMIAttributeItemValue",
	     .says = "Invalid attribute item value \"* \" for UserGroup item type. "),
	E_OF(INVALID, NONE, "CreateVolumePermission", 400, "InvalidAMIAttributeItemValue",
	     .says = "Invalid attribute item value \"* \" for UserGroup item type. "),
	E_OF(INVALID, NONE, "UserGroup", 400, "InvalidAMIAttributeItemValue",
	     .says = "Invalid attribute item value \"* \" for UserGroup item type. "),
	E_OF(INVALID, NONE, "InstanceTenancy", 400, "UnsupportedTenancy",
	     .says = "The tenancy value * is not supported. "),
	E_OF(INVALID, NONE, "Affinity", 400, "InvalidAffinity"),
	E_OF(INVALID, NONE, "Placement.Affinity", 400, "InvalidAffinity"),
	E_OF(INVALID, NONE, "AutoPlacement", 400, "InvalidAutoPlacement"),
	E_OF(INVALID, NONE, "Quantity", 400, "InvalidQuantity"),
	E_OF(INVALID, NONE, "CreditSpecification.", 400, "InvalidCpuCredits"),
	E_OF(INVALID, NONE, "InstanceCreditSpecification.", 400, "InvalidCpuCredits"),
	E_OF(INVALID, NONE, "ClientToken", 400, "InvalidClientToken"),
	E_OF(INVALID, NONE, "DiskContainer.Format", 400, "InvalidFormat"),
	E_OF(INVALID, NONE, "DiskContainer.1.Format", 400, "InvalidFormat"),
	E_OF(INVALID, NONE, "Owner", 400, "InvalidUserID.Malformed"),
	E_OF(INVALID, NONE, "ExecutableBy", 400, "InvalidUserID.Malformed"),
	E_OF(INVALID, NONE, "RestorableBy", 400, "InvalidUserID.Malformed"),
	E_OF(INVALID, NONE, "SourceRegion", 400, "InvalidRegion"),
	E_OF(INVALID, NONE, "VolumeType", 400, "UnknownVolumeType",
	     .says = "Unsupported volume type '*' for volume creation. "),
	E_OF(INVALID, NONE, "AllowedPrincipals", 400, "InvalidPrincipal"),
	E_OF(INVALID, NONE, "VpcEndpointType", 400, "InvalidVpcEndpointType"),
	E(INVALID, NONE, 400, "InvalidParameterValue"),
	/* EC2 documents no code for malformed ids of associations, allocations and reservations of subnets. */
	E_OF(MALFORMED, NONE, "AssociationId", 400, "InvalidAssociationID.NotFound",
	     .says = "The association ID '*' does not exist"),
	E_OF(MALFORMED, NONE, "Attachment", 400, "InvalidNetworkInterfaceAttachmentId.Malformed"),
	E(MALFORMED, INSTANCE, 400, "InvalidInstanceID.Malformed"),
	E_OF(MALFORMED, IMAGE, "Name", 400, "InvalidAMIName.Malformed"),
	E(MALFORMED, IMAGE, 400, "InvalidAMIID.Malformed"),
	E_OF(MALFORMED, SECURITY_GROUP, "Filter", 400, "InvalidGroupId.Malformed",
	     .says = "The security group ID '*' is malformed"),
	E(MALFORMED, SECURITY_GROUP, 400, "InvalidGroupId.Malformed"),
	E(MALFORMED, SECURITY_GROUP_RULE, 400, "InvalidSecurityGroupRuleId.Malformed"),
	/* AWS answers this for public IPv4 pools; for IPv6 pools, here and in .NotFound, it is a guess. */
	E(MALFORMED, EXTERNAL_NETWORK, 400, "InvalidPoolID.Malformed"),
	E(MALFORMED, ROUTER, 400, "InvalidVpcID.Malformed"),
	E(MALFORMED, DHCP_OPTIONS, 400, "InvalidDhcpOptionsId.Malformed"),
	E(MALFORMED, ADDRESS_GROUP, 400, "InvalidPrefixListId.Malformed"),
	E(MALFORMED, SUBNET_RESERVATION, 400, "InvalidSubnetCidrReservationID.NotFound",
	  .says = "The subnet-cidr-reservation ID '*' does not exist"),
	E(MALFORMED, SUBNET, 400, "InvalidSubnetID.Malformed"),
	E(MALFORMED, PORT, 400, "InvalidNetworkInterfaceId.Malformed"),
	E(MALFORMED, GATEWAY, 400, "InvalidInternetGatewayId.Malformed"),
	E(MALFORMED, EGRESS_GATEWAY, 400, "InvalidEgressOnlyInternetGatewayId.Malformed"),
	E(MALFORMED, ROUTE_TABLE, 400, "InvalidRouteTableId.Malformed"),
	E(MALFORMED, FLOW_LOG, 400, "InvalidFlowLogId.Malformed"),
	E(MALFORMED, VPC_ENDPOINT, 400, "InvalidVpcEndpointId.Malformed"),
	E(MALFORMED, ENDPOINT_SERVICE, 400, "InvalidVpcEndpointServiceIdId.Malformed"),
	E_OF(MALFORMED, NONE, "NetworkLoadBalancerArn", 400, "InvalidNetworkLoadBalancerArn.Malformed"),
	E(MALFORMED, NAT_GATEWAY, 400, "NatGatewayMalformed"),
	E(MALFORMED, CUSTOMER_GATEWAY, 400, "InvalidCustomerGatewayId.Malformed"),
	/* The next two codes are known only from moto, an imitation of EC2. */
	E(MALFORMED, VPN_GATEWAY, 400, "InvalidVpnGatewayID.Malformed"),
	E(MALFORMED, VPN_CONNECTION, 400, "InvalidVpnConnectionID.Malformed"),
	E(MALFORMED, TRANSIT_GATEWAY, 400, "InvalidTransitGatewayID.Malformed"),
	E(MALFORMED, TRANSIT_ATTACHMENT, 400, "InvalidTransitGatewayAttachmentID.Malformed"),
	E(MALFORMED, TRANSIT_ROUTE_TABLE, 400, "InvalidRouteTableId.Malformed"),
	E(MALFORMED, PEERING, 400, "InvalidVpcPeeringConnectionId.Malformed"),
	E(MALFORMED, IMPORT_SNAPSHOT_TASK, 400, "InvalidConversionTaskId.Malformed"),
	E(MALFORMED, IMPORT_IMAGE_TASK, 400, "InvalidConversionTaskId.Malformed"),
	E(MALFORMED, EXPORT_IMAGE_TASK, 400, "InvalidExportTaskID.Malformed"),
	E(MALFORMED, NETWORK_ACL, 400, "InvalidNetworkAclId.Malformed"),
	E_OF(COMBINATION, VOLUME, "VolumeId", 400, "InvalidVolume.ZoneMismatch"),
	E(MALFORMED, SNAPSHOT, 400, "InvalidSnapshotID.Malformed"),
	E(MALFORMED, VOLUME, 400, "InvalidVolumeID.Malformed"),
	E_OF(MALFORMED, ADDRESS, "PublicIp", 400, "InvalidAddress.Malformed"),
	E(MALFORMED, ADDRESS, 400, "InvalidAllocationID.NotFound",
	  .says = "The allocation ID '*' does not exist"),
	E(MALFORMED, KEY_PAIR, 400, "InvalidKeyPair.Malformed"),
	E_OF(MALFORMED, LAUNCH_TEMPLATE, "LaunchTemplateName", 400,
	     "InvalidLaunchTemplateName.MalformedException"),
	E(MALFORMED, LAUNCH_TEMPLATE, 400, "InvalidLaunchTemplateId.Malformed"),
	E(MALFORMED, CAPACITY_RESERVATION, 400, "InvalidCapacityReservationId.Malformed"),
	E_OF(MALFORMED, FLEET, "SpotFleetRequestId", 400, "InvalidSpotFleetRequestId.Malformed"),
	E(MALFORMED, FLEET, 400, "InvalidFleetId.Malformed"),
	E(MALFORMED, SPOT_REQUEST, 400, "InvalidSpotInstanceRequestID.Malformed"),
	E(MALFORMED, SERVER_GROUP, 400, "InvalidPlacementGroupId.Malformed"),
	E(MALFORMED, DEDICATED_HOST, 400, "InvalidHostId.Malformed"),
	E_OF(MALFORMED, NONE, "ImportTaskId", 400, "InvalidConversionTaskId.Malformed"),
	E(MALFORMED, NONE, 400, "InvalidID"),
	E_OF(COMBINATION, NONE, "IamInstanceProfile", 400, "InvalidParameterCombination",
	     .says = "The parameter 'iamInstanceProfile.name' may not be used in combination with "
		     "'iamInstanceProfile.arn'"),
	E_OF(COMBINATION, NONE, "KmsKeyId", 400, "InvalidParameterDependency"),
	E_OF(COMBINATION, NONE, "SpotFleetRequestConfig", 400, "InvalidSpotFleetRequestConfig"),
	E(COMBINATION, TRANSIT_ATTACHMENT, 400, "DuplicateSubnetsInSameZone"),
	E(COMBINATION, VPC_ENDPOINT, 400, "DuplicateSubnetsInSameZone"),
	E(COMBINATION, DEDICATED_HOST, 400, "IncompatibleHostRequirements"),
	E(COMBINATION, NONE, 400, "InvalidParameterCombination"),
	E(UNKNOWN, NONE, 400, "UnknownParameter"),
	E_OF(UNSUPPORTED, NONE, "InstanceTenancy", 400, "UnsupportedTenancy"),
	E(UNSUPPORTED, EXPORT_IMAGE_TASK, 400, "NotExportable"),
	E(UNSUPPORTED, NONE, 400, "UnsupportedOperation"),
	E(NOT_FOUND, INSTANCE, 400, "InvalidInstanceID.NotFound",
	  .says = "The instance ID '*' does not exist", .says_many = "The instance IDs '*' do not exist"),
	E(NOT_FOUND, INSTANCE_EVENT, 400, "InvalidInstanceEventIDNotFound"),
	E(NOT_FOUND, IMAGE, 400, "InvalidAMIID.NotFound", .says = "The image id '[*]' does not exist",
	  .says_many = "The image ids '[*]' do not exist"),
	E(NOT_FOUND, SNAPSHOT, 400, "InvalidSnapshot.NotFound", .says = "The snapshot '*' does not exist."),
	E_OF(NOT_FOUND, VOLUME, "BlockDeviceMapping", 400, "InvalidInstanceAttributeValue"),
	E_OF(NOT_FOUND, VOLUME, "InstanceId", 400, "InvalidAttachment.NotFound"),
	E_OF(NOT_FOUND, VOLUME, "Device", 400, "InvalidAttachment.NotFound"),
	E(NOT_FOUND, VOLUME, 400, "InvalidVolume.NotFound", .says = "The volume '*' does not exist."),
	E(NOT_FOUND, EXTERNAL_NETWORK, 400, "InvalidPoolID.NotFound",
	  .says = "The pool ID '*' does not exist"),
	E_OF(NOT_FOUND, ROUTER, "AssociationId", 400, "InvalidVpcCidrBlockAssociationIdError.NotFound"),
	E(NOT_FOUND, ROUTER, 400, "InvalidVpcID.NotFound", .says = "The vpc ID '*' does not exist"),
	E(NOT_FOUND, DHCP_OPTIONS, 400, "InvalidDhcpOptionID.NotFound",
	  .says = "The dhcpOption ID '*' does not exist"),
	E_OF(NOT_FOUND, ADDRESS_GROUP, "RemoveEntry", 400, "InvalidPrefixListModification"),
	E(NOT_FOUND, ADDRESS_GROUP, 400, "InvalidPrefixListID.NotFound",
	  .says = "The prefix list (*) does not exist."),
	E(NOT_FOUND, SUBNET_RESERVATION, 400, "InvalidSubnetCidrReservationID.NotFound",
	  .says = "The subnet-cidr-reservation ID '*' does not exist"),
	E_OF(NOT_FOUND, SUBNET, "AssociationId", 400, "InvalidSubnetCidrBlockAssociationID.NotFound"),
	E(NOT_FOUND, SUBNET, 400, "InvalidSubnetID.NotFound", .says = "The subnet ID '*' does not exist"),
	E(NOT_FOUND, SECURITY_GROUP, 400, "InvalidGroup.NotFound"),
	E_OF(NOT_FOUND, SECURITY_GROUP_RULE, "SecurityGroupRule", 400, "InvalidSecurityGroupRuleId.NotFound",
	     .says = "The security group rule ID '*' does not exist"),
	E_OF(NOT_FOUND, SECURITY_GROUP_RULE, "ResourceId", 400, "InvalidSecurityGroupRuleId.NotFound",
	     .says = "The security group rule ID '*' does not exist"),
	E(NOT_FOUND, SECURITY_GROUP_RULE, 400, "InvalidPermission.NotFound"),
	E(NOT_FOUND, PORT, 400, "InvalidNetworkInterfaceID.NotFound",
	  .says = "The networkInterface ID '*' does not exist"),
	/* The text is known only from moto, an imitation of EC2. */
	E_OF(NOT_FOUND, ADDRESS, "PublicIp", 400, "InvalidAddress.NotFound",
	     .says = "Address '*' not found."),
	E(NOT_FOUND, PROFILE_ASSOCIATION, 400, "NoSuchAssociation"),
	E(NOT_FOUND, SECURITY_GROUP_ASSOCIATION, 400, "InvalidAssociationID.NotFound"),
	E_OF(NOT_FOUND, NONE, "AssociationId", 400, "InvalidAssociationID.NotFound"),
	E(NOT_FOUND, FLOW_LOG, 400, "InvalidFlowLogId.NotFound"),
	E(NOT_FOUND, VPC_ENDPOINT, 400, "InvalidVpcEndpointId.NotFound",
	  .says = "The Vpc Endpoint Id '*' does not exist"),
	E(NOT_FOUND, ENDPOINT_SERVICE, 400, "InvalidVpcEndpointServiceId.NotFound",
	  .says = "The vpcEndpointService ID '*' does not exist"),
	E_OF(NOT_FOUND, NONE, "NetworkLoadBalancerArn", 400, "InvalidNetworkLoadBalancerArn.NotFound"),
	E_OF(NOT_FOUND, NONE, "ServiceName", 400, "InvalidServiceName"),
	E_OF(NOT_FOUND, NONE, "VolumeModification", 400, "InvalidVolumeModification.NotFound"),
	E_OF(NOT_FOUND, VPN_GATEWAY, "Attachment", 400, "InvalidVpnGatewayAttachment.NotFound"),
	E_OF(NOT_FOUND, NONE, "Attachment", 400, "InvalidAttachmentID.NotFound"),
	E(NOT_FOUND, ADDRESS, 400, "InvalidAllocationID.NotFound",
	  .says = "The allocation ID '*' does not exist"),
	E(NOT_FOUND, GATEWAY, 400, "InvalidInternetGatewayID.NotFound",
	  .says = "The internetGateway ID '*' does not exist"),
	E(NOT_FOUND, EGRESS_GATEWAY, 400, "InvalidGatewayID.NotFound"),
	E(NOT_FOUND, ROUTE_TABLE, 400, "InvalidRouteTableID.NotFound",
	  .says = "The routeTable ID '*' does not exist"),
	E(NOT_FOUND, ROUTE, 400, "InvalidRoute.NotFound"),
	E(NOT_FOUND, CUSTOMER_GATEWAY, 400, "InvalidCustomerGatewayID.NotFound",
	  .says = "The customerGateway ID '*' does not exist"),
	E(NOT_FOUND, VPN_GATEWAY, 400, "InvalidVpnGatewayID.NotFound",
	  .says = "The vpnGateway ID '*' does not exist"),
	E(NOT_FOUND, VPN_CONNECTION, 400, "InvalidVpnConnectionID.NotFound",
	  .says = "The vpnConnection ID '*' does not exist"),
	E(NOT_FOUND, VPN_TUNNEL, 400, "InvalidParameterValue"),
	E(NOT_FOUND, VPN_ROUTE, 400, "InvalidRoute.NotFound"),
	E(NOT_FOUND, TRANSIT_GATEWAY, 400, "InvalidTransitGatewayID.NotFound",
	  .says = "Transit Gateway * was deleted or does not exist."),
	/* Codes of associations and propagations known only from clients that expect them. */
	E_OF(NOT_FOUND, TRANSIT_ATTACHMENT, "Association", 400, "InvalidAssociation.NotFound"),
	E_OF(NOT_FOUND, TRANSIT_ATTACHMENT, "Propagation", 400,
	     "TransitGatewayRouteTablePropagation.NotFound"),
	E(NOT_FOUND, TRANSIT_ATTACHMENT, 400, "InvalidTransitGatewayAttachmentID.NotFound",
	  .says = "Transit Gateway Attachment * was deleted or does not exist."),
	E(NOT_FOUND, TRANSIT_ROUTE_TABLE, 400, "InvalidRouteTableID.NotFound",
	  .says = "Transit Gateway Route Table * was deleted or does not exist."),
	E(NOT_FOUND, TRANSIT_ROUTE, 400, "InvalidRoute.NotFound"),
	E(NOT_FOUND, NAT_GATEWAY, 400, "NatGatewayNotFound", .says = "NAT gateway * was not found"),
	/* DescribeVpcPeeringConnections takes a list of them. */
	E_OF(NOT_FOUND, PEERING, "VpcPeeringConnectionId.", 400, "InvalidVpcPeeringConnectionID.NotFound",
	     .says = "The vpcPeeringConnection ID '*' does not exist"),
	E(NOT_FOUND, PEERING, 400, "InvalidVpcPeeringConnectionId.NotFound",
	  .says = "The vpcPeeringConnection ID '*' does not exist"),
	E(NOT_FOUND, IMPORT_SNAPSHOT_TASK, 400, "InvalidConversionTaskId"),
	E(NOT_FOUND, IMPORT_IMAGE_TASK, 400, "InvalidConversionTaskId"),
	E(NOT_FOUND, EXPORT_IMAGE_TASK, 400, "InvalidExportTaskID.NotFound"),
	E(NOT_FOUND, NETWORK_ACL, 400, "InvalidNetworkAclID.NotFound",
	  .says = "The networkAcl ID '*' does not exist"),
	E(NOT_FOUND, NETWORK_ACL_ENTRY, 400, "InvalidNetworkAclEntry.NotFound"),
	E(NOT_FOUND, KEY_PAIR, 400, "InvalidKeyPair.NotFound"),
	/* DescribeLaunchTemplates takes lists of them. */
	E(NOT_FOUND, SPOT_REQUEST, 400, "InvalidSpotInstanceRequestID.NotFound",
	  .says = "The spot instance request ID '*' does not exist"),
	E(NOT_FOUND, CAPACITY_RESERVATION, 400, "InvalidCapacityReservationId.NotFound"),
	E_OF(NOT_FOUND, FLEET, "SpotFleetRequestId", 400, "InvalidSpotFleetRequestId.NotFound",
	     .says = "The spotFleetRequest ID '*' does not exist"),
	E(NOT_FOUND, FLEET, 400, "InvalidFleetId.NotFound", .says = "The fleet ID '*' does not exist"),
	E_OF(NOT_FOUND, LAUNCH_TEMPLATE, "LaunchTemplateName.", 400,
	     "InvalidLaunchTemplateName.NotFoundException",
	     .says = "At least one of the launch templates specified in the request does not exist."),
	E_OF(NOT_FOUND, LAUNCH_TEMPLATE, "LaunchTemplateId.", 400, "InvalidLaunchTemplateId.NotFound",
	     .says = "At least one of the launch templates specified in the request does not exist."),
	E_OF(NOT_FOUND, LAUNCH_TEMPLATE, "LaunchTemplateName", 400,
	     "InvalidLaunchTemplateName.NotFoundException",
	     .says = "The specified launch template, with template name *, does not exist."),
	E_OF(NOT_FOUND, LAUNCH_TEMPLATE, "LaunchTemplate.LaunchTemplateName", 400,
	     "InvalidLaunchTemplateName.NotFoundException",
	     .says = "The specified launch template, with template name *, does not exist."),
	E(NOT_FOUND, LAUNCH_TEMPLATE, 400, "InvalidLaunchTemplateId.NotFound",
	  .says = "The specified launch template, with template ID *, does not exist."),
	E_OF(NOT_FOUND, LAUNCH_TEMPLATE_VERSION, "SetDefaultVersion", 400,
	     "InvalidLaunchTemplateId.VersionNotFound",
	     .says = "The launch template version * is not found for the specified launch template."),
	E(NOT_FOUND, LAUNCH_TEMPLATE_VERSION, 400, "InvalidLaunchTemplateId.VersionNotFound"),
	E(NOT_FOUND, SERVER_GROUP, 400, "InvalidPlacementGroup.Unknown",
	  .says = "The Placement Group '*' is unknown."),
	E(NOT_FOUND, DEDICATED_HOST, 400, "InvalidHostID.NotFound"),
	E(NOT_FOUND, CLIENT_TOKEN, 400, "IdempotentInstanceTerminated"),
	E_OF(NOT_FOUND, ACCOUNT, "LaunchPermission", 400, "InvalidAMIAttributeItemValue",
	     .says = "Invalid attribute item value \"* \" for userId item type. "),
	E_OF(NOT_FOUND, ACCOUNT, "UserId", 400, "InvalidAMIAttributeItemValue",
	     .says = "Invalid attribute item value \"* \" for userId item type. "),
	E_OF(NOT_FOUND, ZONE, "AvailabilityZone", 400, "InvalidZone.NotFound",
	     .says = "The zone '*' does not exist."),
	E_OF(NOT_FOUND, ZONE, "ZoneName", 400, "InvalidParameterValue",
	     .says = "Invalid availability zone: [*]", .says_many = "Invalid availability zone: [*]"),
	E_OF(NOT_FOUND, INSTANCE_TYPE, "InstanceType.Value", 400, "InvalidInstanceAttributeValue",
	     .says = "Invalid value '*' for InstanceType."),
	E_OF(NOT_FOUND, INSTANCE_TYPE, "InstanceType.", 400, "InvalidInstanceType",
	     .says = "The following supplied instance types do not exist: [*]",
	     .says_many = "The following supplied instance types do not exist: [*]"),
	E_OF(NOT_FOUND, INSTANCE_TYPE, "InstanceType", 400, "InvalidParameterValue",
	     .says = "Invalid value '*' for InstanceType."),
	E(NOT_FOUND, NONE, 400, "InvalidParameterValue"), /* zones and instance types, which are not ids in
	                                                   * EC2 */
	E(EXISTS, KEY_PAIR, 400, "InvalidKeyPair.Duplicate"),
	E_OF(EXISTS, SECURITY_GROUP, "GroupName", 400, "InvalidGroup.Reserved"),
	E(EXISTS, SECURITY_GROUP, 400, "InvalidGroup.Duplicate"),
	E(EXISTS, SECURITY_GROUP_RULE, 400, "InvalidPermission.Duplicate"),
	E(EXISTS, IMAGE, 400, "InvalidAMIName.Duplicate"),
	E(EXISTS, ROUTE, 400, "RouteAlreadyExists"),
	E(EXISTS, FLOW_LOG, 400, "FlowLogAlreadyExists"),
	E(EXISTS, VPC_ENDPOINT, 400, "InvalidParameter"),
	E(EXISTS, TRANSIT_ROUTE, 400, "RouteAlreadyExists"),
	E(EXISTS, TRANSIT_ATTACHMENT, 400, "DuplicateTransitGatewayAttachment"),
	E(EXISTS, TRANSIT_ROUTE_TABLE, 400, "TransitGatewayRouteTablePropagation.Duplicate"),
	E(EXISTS, NETWORK_ACL_ENTRY, 400, "NetworkAclEntryAlreadyExists"),
	E(EXISTS, VPN_GATEWAY, 400, "InvalidVpcState"),        /* the VPC already has one */
	E(EXISTS, GATEWAY, 400, "Resource.AlreadyAssociated"), /* the VPC already has a gateway */
	E(EXISTS, EGRESS_GATEWAY, 400, "Resource.AlreadyAssociated"),
	E(EXISTS, PEERING, 400, "VpcPeeringConnectionAlreadyExists"),
	E(EXISTS, ADDRESS, 400, "InvalidAddress.NotFound", .says = NOT_TO_BE_HAD),
	E(EXISTS, PORT, 400, "InvalidIPAddress.InUse"),
	E(EXISTS, ROUTER, 400, "DefaultVpcAlreadyExists"),
	E(EXISTS, SUBNET, 400, "DefaultSubnetAlreadyExistsInAvailabilityZone"),
	E(EXISTS, LAUNCH_TEMPLATE, 400, "InvalidLaunchTemplateName.AlreadyExistsException"),
	E(EXISTS, SERVER_GROUP, 400, "InvalidPlacementGroup.Duplicate"),
	E(EXISTS, ADDRESS_GROUP, 400, "InvalidPrefixListModification"),
	E(EXISTS, NONE, 400, "InvalidParameterValue"),
	E(IN_USE, SNAPSHOT, 400, "InvalidSnapshot.InUse"),
	E(IN_USE, VOLUME, 400, "VolumeInUse"),
	E(IN_USE, ADDRESS, 400, "InvalidIPAddress.InUse"),
	E(IN_USE, PORT, 400, "InvalidNetworkInterface.InUse"),
	E(IN_USE, TRUNK, 400, "InvalidNetworkInterface.InUse"),
	E(IN_USE, SERVER_GROUP, 400, "InvalidPlacementGroup.InUse"),
	E(IN_USE, NONE, 400, "DependencyViolation"),
	E(STATE, INSTANCE, 400, "IncorrectInstanceState"),
	E(STATE, GATEWAY, 400, "Gateway.NotAttached"),
	E(STATE, IMAGE, 400, "InvalidAMIID.Unavailable"),
	E_OF(STATE, PEERING, "AllowDnsResolution", 400,
	     "InvalidVpcPeeringConnectionState.DnsHostnamesDisabled"),
	E(STATE, PEERING, 400, "InvalidStateTransition"),
	E(STATE, SPOT_REQUEST, 400, "IncorrectSpotRequestState"), /* known from messages of clients only */
	E(STATE, FLEET, 400, "FleetNotInModifiableState"),
	E(STATE, DEDICATED_HOST, 400, "InvalidTenancy"),
	E(STATE, VPC_ENDPOINT, 400, "InvalidParameter"),
	E(STATE, NONE, 400, "IncorrectState"),
	E_OF(CONFLICT, SUBNET, "SubnetId", 400, "Resource.AlreadyAssociated"), /* already associated with a
	                                                                        * route table */
	E(CONFLICT, SUBNET, 400, "InvalidSubnet.Conflict"),
	E_OF(CONFLICT, INSTANCE, "InstanceCreditSpecification", 400,
	     "InvalidInstanceCreditSpecification.DuplicateInstanceId"),
	E(CONFLICT, INSTANCE, 400,
	  "InvalidInstanceID"), /* the instance has several interfaces, or cannot hold an address */
	E(CONFLICT, ADDRESS_GROUP, 400, "PrefixListVersionMismatch"),
	E(CONFLICT, EXTERNAL_NETWORK, 400, "InvalidVpc.Range"),
	E(RANGE, EXTERNAL_NETWORK, 400, "InvalidVpc.Range"),
	E(CONFLICT, SUBNET_RESERVATION, 400, "InvalidParameterValue"),
	E(CONFLICT, ADDRESS, 400, "Resource.AlreadyAssociated"),
	E(CONFLICT, ROUTE_TABLE, 400, "Resource.AlreadyAssociated"),
	E(CONFLICT, TRANSIT_ATTACHMENT, 400, "Resource.AlreadyAssociated"),
	E(CONFLICT, VPN_GATEWAY, 400, "VpnGatewayAttachmentLimitExceeded"),
	E(CONFLICT, VPN_TUNNEL, 400, "InvalidParameterValue"),
	E(CONFLICT, GATEWAY, 400, "Resource.AlreadyAssociated"),
	E(CONFLICT, VOLUME, 400, "IncorrectModificationState"),
	E(CONFLICT, CLIENT_TOKEN, 400, "IdempotentParameterMismatch"),
	E(CONFLICT, NONE, 400, "InvalidParameterCombination"),
	E(RANGE, ROUTER, 400, "InvalidVpc.Range"),
	E(RANGE, SUBNET, 400, "InvalidSubnet.Range"),
	E(RANGE, ADDRESS, 400, "InvalidAddress.NotFound", .says = NOT_TO_BE_HAD),
	E(RANGE, NONE, 400, "InvalidParameterValue"),
	E(PROTECTED, SECURITY_GROUP, 400, "CannotDelete"),
	E_OF(PROTECTED, PORT, "NetworkInterface", 400, "AuthFailure"),
	E_OF(PROTECTED, IMAGE, "Attribute", 401, "AuthFailure"),
	E_OF(PROTECTED, IMAGE, "is_public", 400, "OperationNotPermitted",
	     .says = "You can’t publicly share this image because block public access for AMIs is enabled "
		     "for "
		     "this account. To publicly share the image, you must call the "
		     "DisableImageBlockPublicAccess API."),
	E(PROTECTED, NONE, 400, "OperationNotPermitted"),
	E(QUOTA, INSTANCE, 400, "InstanceLimitExceeded",
	  .says = "You have requested more instances (#) than your current instance limit of * allows for "
		  "the "
		  "specified instance type. "),
	E(QUOTA, INSTANCE_TYPE, 400, "VcpuLimitExceeded",
	  .says = "You have requested more vCPU capacity than your current vCPU limit of * allows for the "
		  "instance bucket that the specified instance type belongs to. "),
	E_OF(QUOTA, PORT, "InstanceId", 400, "AttachmentLimitExceeded"), /* limit of the instance type */
	E_OF(QUOTA, PORT, "InstanceType", 400, "AttachmentLimitExceeded"),
	E_OF(QUOTA, PORT, "NetworkInterface", 400, "AttachmentLimitExceeded"),
	E(QUOTA, SECONDARY_IP, 400, "PrivateIpAddressLimitExceeded"),
	E(QUOTA, PORT, 400, "NetworkInterfaceLimitExceeded"),
	E_OF(QUOTA, VOLUME, "InstanceId", 400, "AttachmentLimitExceeded"),
	E(QUOTA, VOLUME, 400, "VolumeLimitExceeded"),
	E_OF(QUOTA, SNAPSHOT, "VolumeId", 400, "ConcurrentSnapshotLimitExceeded"),
	E(QUOTA, SNAPSHOT, 400, "SnapshotLimitExceeded"),
	E(QUOTA, IMPORT_SNAPSHOT_TASK, 400, "ResourceCountLimitExceeded"),
	E(QUOTA, IMPORT_IMAGE_TASK, 400, "ResourceCountLimitExceeded"),
	E(QUOTA, EXPORT_IMAGE_TASK, 400, "ResourceCountLimitExceeded"),
	E(QUOTA, IMAGE, 400, "ResourceLimitExceeded"),
	E(QUOTA, SPOT_REQUEST, 400, "MaxSpotInstanceCountExceeded"),
	E(QUOTA, CAPACITY_RESERVATION, 400, "ResourceLimitExceeded"), /* a guess */
	E(QUOTA, FLEET, 400, "ResourceLimitExceeded"),                /* a guess */
	E(QUOTA, ADDRESS, 400, "AddressLimitExceeded",
	  .says = "The maximum number of addresses has been reached."),
	E_OF(QUOTA, ROUTER, "CidrBlock", 400, "CidrLimitExceeded"),
	E_OF(QUOTA, ROUTER, "AmazonProvidedIpv6CidrBlock", 400, "CidrLimitExceeded"),
	E(QUOTA, ROUTER, 400, "VpcLimitExceeded", .says = "The maximum number of VPCs has been reached."),
	E(QUOTA, DHCP_OPTIONS, 400, "DhcpOptionsLimitExceeded"),
	E_OF(QUOTA, ADDRESS_GROUP, "addresses", 400, "PrefixListMaxEntriesExceeded"),
	E(QUOTA, ADDRESS_GROUP, 400, "ResourceLimitExceeded"),
	E(QUOTA, SUBNET_RESERVATION, 400, "ResourceLimitExceeded"),
	E(QUOTA, NETWORK_ACL, 400, "NetworkAclLimitExceeded"),
	E(QUOTA, NETWORK_ACL_ENTRY, 400, "NetworkAclEntryLimitExceeded"),
	E(QUOTA, SUBNET, 400, "SubnetLimitExceeded"),
	E(QUOTA, NETWORK, 400, "SubnetLimitExceeded"), /* in EC2 each subnet has its own quota */
	E_OF(QUOTA, SECURITY_GROUP, "SecurityGroup", 400, "SecurityGroupsPerInterfaceLimitExceeded"),
	E_OF(QUOTA, SECURITY_GROUP, "NetworkInterface", 400, "SecurityGroupsPerInterfaceLimitExceeded"),
	E_OF(QUOTA, SECURITY_GROUP, "GroupId", 400, "SecurityGroupsPerInterfaceLimitExceeded"),
	E(QUOTA, NAT_GATEWAY, 400, "NatGatewayLimitExceeded",
	  .says = "Performing this operation would exceed the limit of * NAT gateways"),
	E_OF(QUOTA, PEERING, "VpcId", 400, "OutstandingVpcPeeringConnectionLimitExceeded"),
	E(QUOTA, PEERING, 400, "VpcPeeringConnectionsPerVpcLimitExceeded"),
	E(QUOTA, SECURITY_GROUP, 400, "SecurityGroupLimitExceeded"),
	E(QUOTA, SECURITY_GROUP_RULE, 400, "RulesPerSecurityGroupLimitExceeded"),
	E(QUOTA, SECURITY_GROUP_ASSOCIATION, 400, "ResourceLimitExceeded"),
	E(QUOTA, LAUNCH_TEMPLATE, 400, "MaxTemplateLimitExceeded"),
	E(QUOTA, LAUNCH_TEMPLATE_VERSION, 400, "MaxTemplateVersionLimitExceeded"),
	E(QUOTA, DEDICATED_HOST, 400, "HostLimitExceeded"),
	E(QUOTA, SERVER_GROUP, 400, "PlacementGroupLimitExceeded"),
	E(QUOTA, KEY_PAIR, 400, "KeyPairLimitExceeded"),
	E(QUOTA, GATEWAY, 400, "InternetGatewayLimitExceeded",
	  .says = "The maximum number of internet gateways has been reached."),
	E(QUOTA, ROUTE_TABLE, 400, "RouteTableLimitExceeded"),
	E(QUOTA, ROUTE, 400, "RouteLimitExceeded"),
	E(QUOTA, FLOW_LOG, 400, "FlowLogsLimitExceeded"),
	E(QUOTA, VPC_ENDPOINT, 400, "VpcEndpointLimitExceeded"),
	E(QUOTA, ENDPOINT_SERVICE, 400, "VpcEndpointServiceLimitExceeded"),
	E(QUOTA, CUSTOMER_GATEWAY, 400, "CustomerGatewayLimitExceeded"),
	E(QUOTA, VPN_GATEWAY, 400, "VpnGatewayLimitExceeded"),
	E(QUOTA, VPN_CONNECTION, 400, "VpnConnectionLimitExceeded"),
	E(QUOTA, VPN_TUNNEL, 400, "VpnConnectionLimitExceeded"),
	/* The next code is a guess. */
	E(QUOTA, VPN_ROUTE, 400, "RouteLimitExceeded"),
	E(QUOTA, TRANSIT_GATEWAY, 400, "TransitGatewayLimitExceeded"),
	/* The next three codes are guesses. */
	E(QUOTA, TRANSIT_ATTACHMENT, 400, "TransitGatewayAttachmentLimitExceeded"),
	E(QUOTA, TRANSIT_ROUTE_TABLE, 400, "RouteTableLimitExceeded"),
	E(QUOTA, TRANSIT_ROUTE, 400, "RouteLimitExceeded"),
	E(QUOTA, ACCOUNT, 400, "ResourceLimitExceeded"),
	E(QUOTA, CLIENT_TOKEN, 503, "RequestLimitExceeded"),
	E(QUOTA, NONE, 400, "TagLimitExceeded"),
	E(CAPACITY, SUBNET, 400, "InsufficientFreeAddressesInSubnet"),
	E(CAPACITY, PORT_PREFIX, 400, "InsufficientCidrBlocks"),
	E(CAPACITY, VOLUME, 500, "InsufficientVolumeCapacity"),
	E(CAPACITY, ADDRESS, 500, "InsufficientAddressCapacity"),
	/* MAC addresses are used up; code and text are a guess. */
	E(CAPACITY, PORT, 500, "InsufficientAddressCapacity",
	  .says = "Not enough available addresses to satisfy your minimum request. The region has no MAC "
		  "address "
		  "left."),
	E(CAPACITY, GATEWAY, 500, "InsufficientAddressCapacity"), /* no free address on the external link
	                                                           * of the gateway */
	E_OF(CAPACITY, DEDICATED_HOST, "Quantity", 500, "InsufficientHostCapacity"),
	E(CAPACITY, DEDICATED_HOST, 400, "InsufficientCapacityOnHost"),
	E(CAPACITY, CAPACITY_RESERVATION, 400, "ReservationCapacityExceeded"),
	E(CAPACITY, FLEET, 500, "UnfulfillableCapacity"),
	E(CAPACITY, NONE, 500, "InsufficientInstanceCapacity"),
	E(UNAUTHENTICATED, NONE, 401, "AuthFailure"),
	E(EXPIRED, NONE, 400, "RequestExpired"),
	E_OF(DENIED, DOMAIN, STANDING_FIELD, 403, "Blocked"), /* the status is a guess */
	E(DENIED, NONE, 403, "UnauthorizedOperation"),
	E(DRY_RUN, NONE, 412, "DryRunOperation"),
	E_OF(TOO_LARGE, NONE, API_WHOLE_REQUEST, 413, "RequestEntityTooLarge"),
	E_OF(TOO_LARGE, NONE, "Filter", 400, "FilterLimitExceeded"),
	E(TOO_LARGE, NONE, 400, "InvalidRequest"),
	E(THROTTLED, NONE, 503, "RequestLimitExceeded"),
	E(NO_MEMORY, NONE, 503, "Unavailable"),
	E(IO, NONE, 500, "InternalError"),
	E(AGAIN, NONE, 503, "Unavailable"),
	E(GONE, NONE, 503, "Unavailable"),
	E(TIMEOUT, NONE, 503, "Unavailable"),
	E(INTERNAL, NONE, 500, "InternalError"),
};

static const struct api_error sts_rows[] = {
	E(UNAUTHENTICATED, SECOND_FACTOR, 403, "AccessDenied"), /* another call spent the code */
	E(UNAUTHENTICATED, NONE, 403, "InvalidClientTokenId"),
	E(EXPIRED, OIDC_PROVIDER, 400, "ExpiredTokenException"),
	E(EXPIRED, SAML_PROVIDER, 400, "ExpiredTokenException"),
	E(INVALID, SAML_PROVIDER, 400, "InvalidIdentityToken"),
	E(DENIED, SAML_PROVIDER, 403, "IDPRejectedClaim"),
	E(IO, OIDC_PROVIDER, 400, "IDPCommunicationError"),
	E(INVALID, OIDC_PROVIDER, 400, "InvalidIdentityToken"),
	E(EXPIRED, NONE, 403, "SignatureDoesNotMatch"),
	E(DENIED, NONE, 403, "AccessDenied"),
	E(THROTTLED, NONE, 400, "Throttling"),
	E(TOO_LARGE, NONE, 400, "ValidationError"),
	E(MISSING, NONE, 400, "ValidationError"),
	E(INVALID, POLICY, 400, "MalformedPolicyDocument"),
	E(COMBINATION, NONE, 400, "InvalidParameterValue"),
	E(MALFORMED, NONE, 400, "InvalidAuthorizationMessageException"),
	E(INVALID, NONE, 400, "ValidationError"),
	E(QUOTA, CLIENT_TOKEN, 400, "Throttling"), /* as many assertions as an account may use in a day */
	E(QUOTA, NONE, 400, "PackedPolicyTooLarge"),
	E(UNKNOWN, NONE, 400, "ValidationError"),
	E(UNSUPPORTED, NONE, 400, "InvalidAction"),
	E(NO_MEMORY, NONE, 503, "ServiceUnavailable"),
	E(AGAIN, NONE, 503, "ServiceUnavailable"),
	E(GONE, NONE, 503, "ServiceUnavailable"),
	E(TIMEOUT, NONE, 503, "ServiceUnavailable"),
	E(INTERNAL, NONE, 500, "InternalFailure"),
};

#define F(fault, status, code) [SIGV4_##fault] = {ERR_UNAUTHENTICATED, KIND_NONE, status, code}

const struct api_error ec2_faults[SIGV4_SCOPE + 1] = {
	F(NO_CREDENTIALS, 400, "MissingParameter"),
	F(INCOMPLETE, 401, "AuthFailure"),
	F(UNKNOWN_KEY, 401, "AuthFailure"),
	F(MISMATCH, 401, "AuthFailure"),
	F(SKEWED, 400, "RequestExpired"),
	F(EXPIRED, 400, "RequestExpired"),
	F(SCOPE, 401, "AuthFailure"),
};

#define INTERNAL "An internal error has occurred."
const struct api_errors ec2_errors =
	API_ERRORS(ec2_rows, .internal = INTERNAL, .throttled = "Request limit exceeded.");
const struct api_errors sts_errors = API_ERRORS(sts_rows, .internal = INTERNAL, .throttled = "Rate exceeded");

/* ---- documents ---- */

static void write_ec2(struct xml *x, const struct api_problem *p, struct str request_id)
{
	xml_open(x, "Response");
	xml_open(x, "Errors");
	xml_open(x, "Error");
	xml_z(x, "Code", p->error->code);
	xml_text(x, "Message", p->message);
	xml_close(x, "Error");
	xml_close(x, "Errors");
	xml_text(x, "RequestID", request_id);
	xml_close(x, "Response");
}

void ec2_word_problem(struct api_call *core, struct api_problem *p)
{
	p->message = api_say_problem(core->c, p);
	if (p->refusal.n && !ec2_call_of(core)->is_sts)
		p->message = str_print(core->c->arena,
				       "%" STR_FMT " Encoded authorization failure message: %" STR_FMT,
				       STR_ARG(p->message), STR_ARG(p->refusal));
}

RESULT ec2_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	if (ec2_call_of(core)->is_sts)
		query_write_problem(core, p, &x, STR("https://sts.amazonaws.com/doc/2011-06-15/"));
	else
		write_ec2(&x, p, core->c->request_id);
	return xml_end(&x);
}
