/* SPDX-License-Identifier: Apache-2.0
 * Error codes of ELBv2. Sources: the errors of each action in the API Reference, and the common ones. */
#include "api/elb/internal.h"
#include "api/query/query_call.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, KIND_ELASTIC_LOAD_BALANCER, 400, "LoadBalancerNotFound",
	 .says = "One or more load balancers not found"},
	{ERR_NOT_FOUND, KIND_LISTENER, 400, "ListenerNotFound", .says = "One or more listeners not found"},
	{ERR_NOT_FOUND, KIND_LISTENER_RULE, 400, "RuleNotFound", .says = "One or more rules not found"},
	{ERR_NOT_FOUND, KIND_SERVER_CERTIFICATE, 400, "CertificateNotFound",
	 .says = "Certificate '*' not found"},
	{ERR_NOT_FOUND, KIND_SECURITY_GROUP, 400, "InvalidSecurityGroup",
	 .says = "The security group '*' does not exist"},
	{ERR_NOT_FOUND, KIND_TARGET_GROUP, 400, "TargetGroupNotFound",
	 .says = "One or more target groups not found"},
	{ERR_NOT_FOUND, KIND_SUBNET, 400, "SubnetNotFound", .says = "The subnet ID '*' does not exist"},
	{ERR_NOT_FOUND, KIND_ADDRESS, 400, "AllocationIdNotFound",
	 .says = "The allocation IDs '*' do not exist"},
	{ERR_NOT_FOUND, KIND_ROUTER, 400, "ValidationError", .says = "The VPC ID '*' is not found"},
	{ERR_NOT_FOUND, 0, 400, "ValidationError"},
	{ERR_EXISTS, KIND_ELASTIC_LOAD_BALANCER, 400, "DuplicateLoadBalancerName"},
	{ERR_EXISTS, KIND_TARGET_GROUP, 400, "DuplicateTargetGroupName"},
	{ERR_EXISTS, KIND_LISTENER, 400, "DuplicateListener"},
	{ERR_EXISTS, KIND_LISTENER_RULE, 400, "PriorityInUse"},
	{ERR_EXISTS, KIND_PORT, 400, "InvalidConfigurationRequest"},
	{ERR_COMBINATION, KIND_LISTENER, 400, "IncompatibleProtocols"},
	{ERR_COMBINATION, KIND_SERVER_CERTIFICATE, 400, "OperationNotPermitted"},
	{ERR_COMBINATION, 0, 400, "InvalidLoadBalancerAction", "Actions"},
	{ERR_COMBINATION, 0, 400, "DuplicateTagKeys", "Tags"},
	{ERR_COMBINATION, 0, 400, "InvalidConfigurationRequest"},
	{ERR_IN_USE, KIND_LISTENER, 400, "TargetGroupAssociationLimit"},
	{ERR_IN_USE, 0, 400, "ResourceInUse"},
	{ERR_PROTECTED, 0, 400, "OperationNotPermitted"},
	{ERR_STATE, KIND_GATEWAY, 400, "InvalidSubnet"},
	{ERR_CAPACITY, KIND_SUBNET, 400, "InvalidSubnet"},
	{ERR_CAPACITY, 0, 503, "ServiceUnavailable"},
	{ERR_RANGE, 0, 400, "InvalidConfigurationRequest"},
	{ERR_STATE, 0, 400, "OperationNotPermitted"},
	{ERR_CONFLICT, 0, 400, "OperationNotPermitted"},
	{ERR_QUOTA, KIND_ELASTIC_LOAD_BALANCER, 400, "TooManyLoadBalancers"},
	{ERR_QUOTA, KIND_LISTENER, 400, "TooManyListeners"},
	{ERR_QUOTA, KIND_LISTENER_RULE, 400, "TooManyRules"},
	{ERR_QUOTA, KIND_SERVER_CERTIFICATE, 400, "TooManyCertificates"},
	{ERR_QUOTA, KIND_SECURITY_GROUP, 400, "InvalidConfigurationRequest"},
	{ERR_QUOTA, KIND_TARGET_GROUP, 400, "TooManyTargetGroups"},
	{ERR_QUOTA, KIND_TARGET, 400, "TooManyTargets"},
	{ERR_QUOTA, KIND_PORT, 400,
	 "TooManyLoadBalancers"}, /* unverified: interfaces have a quota of EC2's */
	{ERR_QUOTA, 0, 400, "TooManyTags"},
	{ERR_INVALID, KIND_TARGET, 400, "InvalidTarget"},
	{ERR_MALFORMED, KIND_ROUTER, 400, "ValidationError", .says = "The VPC ID '*' is not found"},
	QUERY_INVALID("ValidationError"),
	{ERR_UNSUPPORTED, 0, 400, "OperationNotPermitted"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	QUERY_UNAVAILABLE("InternalFailure"),
};

const struct api_errors elb_errors = QUERY_ERRORS(rows);

const struct api_error elb_no_policy = {ERR_NOT_FOUND, 0, 400, "SSLPolicyNotFound"};
