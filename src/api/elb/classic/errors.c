/* SPDX-License-Identifier: Apache-2.0
 * Error codes of Classic Load Balancers. Sources: the errors of each action in the API Reference, version 2012-06-01, and
 * the common ones. */
#include "api/elb/classic/internal.h"
#include "api/query/query_call.h"

/* The first row that fits counts. */
static const struct api_error rows[] = {
	{ERR_NOT_FOUND, KIND_ELASTIC_LOAD_BALANCER, 400, "LoadBalancerNotFound",
	 .says = "There is no ACTIVE Load Balancer named '*'"},
	{ERR_NOT_FOUND, KIND_LISTENER, 400, "ListenerNotFound"},
	{ERR_NOT_FOUND, KIND_POLICY, 400, "PolicyNotFound"},
	{ERR_NOT_FOUND, KIND_SERVER_CERTIFICATE, 400, "CertificateNotFound",
	 .says = "Server Certificate not found for the key: *"},
	{ERR_NOT_FOUND, KIND_SECURITY_GROUP, 400, "InvalidSecurityGroup",
	 .says = "One or more of the specified security groups do not exist."},
	{ERR_NOT_FOUND, KIND_SUBNET, 400, "SubnetNotFound", .says = "The subnet ID '*' does not exist"},
	{ERR_NOT_FOUND, KIND_INSTANCE, 400, "InvalidInstance"},
	{ERR_NOT_FOUND, 0, 400, "ValidationError"},
	{ERR_EXISTS, KIND_ELASTIC_LOAD_BALANCER, 400, "DuplicateLoadBalancerName"},
	{ERR_EXISTS, KIND_LISTENER, 400, "DuplicateListener"},
	{ERR_EXISTS, KIND_POLICY, 400, "DuplicatePolicyName"},
	{ERR_COMBINATION, 0, 400, "DuplicateTagKeys", "Tags"},
	{ERR_COMBINATION, 0, 409, "InvalidConfigurationRequest"},
	{ERR_IN_USE, 0, 409, "InvalidConfigurationRequest"},
	{ERR_PROTECTED, 0, 400, "OperationNotPermitted"},
	{ERR_STATE, KIND_GATEWAY, 400, "InvalidSubnet"},
	{ERR_STATE, 0, 409, "InvalidConfigurationRequest"},
	{ERR_CONFLICT, 0, 409, "InvalidConfigurationRequest"},
	{ERR_CAPACITY, KIND_SUBNET, 400, "InvalidSubnet"},
	{ERR_CAPACITY, 0, 503, "ServiceUnavailable"},
	{ERR_RANGE, 0, 409, "InvalidConfigurationRequest"},
	{ERR_QUOTA, KIND_ELASTIC_LOAD_BALANCER, 400, "TooManyLoadBalancers"},
	{ERR_QUOTA, KIND_POLICY, 400, "TooManyPolicies"},
	{ERR_QUOTA, KIND_PORT, 400, "TooManyLoadBalancers"}, /* unverified, as in ELBv2 */
	{ERR_QUOTA, KIND_LISTENER, 409, "InvalidConfigurationRequest"},
	{ERR_QUOTA, KIND_TARGET, 409, "InvalidConfigurationRequest"},
	{ERR_QUOTA, KIND_SECURITY_GROUP, 409, "InvalidConfigurationRequest"},
	{ERR_QUOTA, 0, 400, "TooManyTags"},
	{ERR_INVALID, KIND_TARGET, 400, "InvalidInstance"},
	{ERR_INVALID, 0, 400, "InvalidScheme", "Scheme"},
	QUERY_INVALID("ValidationError"),
	{ERR_UNSUPPORTED, 0, 400, "OperationNotPermitted"},
	{ERR_DENIED, 0, 403, "AccessDenied"},
	{ERR_THROTTLED, 0, 400, "Throttling"},
	QUERY_UNAVAILABLE("InternalFailure"),
};

const struct api_error classic_no_type = {ERR_NOT_FOUND, 0, 400, "PolicyTypeNotFound"};
const struct api_error classic_no_policy = {ERR_NOT_FOUND, 0, 400, "PolicyNotFound"};

const struct api_errors classic_errors = QUERY_ERRORS(rows);
