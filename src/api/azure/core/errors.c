/* SPDX-License-Identifier: Apache-2.0
 * Azure's error codes and messages. Codes without a recorded answer are marked "guessed". Sources: Azure
 * Resource Manager, "Common deployment errors"; Azure REST API reference, "Error response"; RFC 6749,
 * section 5.2; Microsoft Entra, "Authentication and authorization error codes".
 */
#include "api/azure/core/action.h"

#include "base/clock.h"
#include "engine/billing/standing.h"
#include "engine/resolve.h"

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_UNAUTHENTICATED, 0, 401, "invalid_client", .parts = AZ_OF_SIGNIN},
	{ERR_INVALID, 0, 400, "invalid_request", .parts = AZ_OF_SIGNIN},
	{ERR_MISSING, 0, 400, "invalid_request", .parts = AZ_OF_SIGNIN},
	{ERR_TOO_LARGE, 0, 413, "invalid_request", .parts = AZ_OF_SIGNIN},
	{ERR_UNSUPPORTED, 0, 400, "unsupported_grant_type", .parts = AZ_OF_SIGNIN},
	{ERR_THROTTLED, 0, 429, "temporarily_unavailable", .parts = AZ_OF_SIGNIN},
	{ERR_NOT_FOUND, 0, 404, "invalid_request", .parts = AZ_OF_SIGNIN},
	{ERR_INTERNAL, 0, 500, "server_error", .parts = AZ_OF_SIGNIN},
	{ERR_UNAUTHENTICATED, 0, 401, "InvalidAuthenticationToken"},
	{ERR_EXPIRED, 0, 401, "ExpiredAuthenticationToken"},
	{ERR_DENIED, KIND_DOMAIN, 409, "ReadOnlyDisabledSubscription", STANDING_FIELD},
	{ERR_DENIED, 0, 403, "AuthorizationFailed"},
	{ERR_NOT_FOUND, KIND_ARM_ASSIGNMENT, 404, "RoleAssignmentNotFound"},
	{ERR_NOT_FOUND, KIND_ARM_ROLE, 404, "RoleDefinitionDoesNotExist"},
	{ERR_NOT_FOUND, KIND_ARM_LOCK, 404, "LockNotFound"},
	{ERR_NOT_FOUND, KIND_USER, 400, "PrincipalNotFound"},
	{ERR_EXISTS, KIND_ARM_ASSIGNMENT, 409, "RoleAssignmentExists"},
	{ERR_EXISTS, KIND_ARM_ROLE, 400, "RoleAssignmentUpdateNotPermitted", "roleAssignmentId"},
	{ERR_EXISTS, KIND_ARM_ROLE, 409, "RoleDefinitionWithSameNameExists"},
	{ERR_IN_USE, KIND_ARM_ROLE, 400, "RoleDefinitionHasAssignments"},
	{ERR_NOT_FOUND, KIND_INSTANCE_EXTENSION, 404, "ArtifactNotFound"},
	{ERR_EXISTS, KIND_AUTOSCALE_SETTING, 409, "Conflict", "properties.targetResourceUri"}, /* guessed */
	{ERR_EXISTS, KIND_PORT_POLICY_RULE, 400, "SecurityRuleConflict"},
	{ERR_RANGE, KIND_PORT_POLICY_RULE, 400, "SecurityRuleInvalidPriority"},
	{ERR_INVALID, KIND_PORT_POLICY_RULE, 400, "SecurityRuleInvalidAddressPrefix", "properties.sourceAddressPrefix"},
	{ERR_INVALID, KIND_PORT_POLICY_RULE, 400, "SecurityRuleInvalidAddressPrefix", "properties.destinationAddressPrefix"},
	{ERR_INVALID, KIND_PORT_POLICY_RULE, 400, "SecurityRuleInvalidPortRange", "properties.sourcePortRange"},
	{ERR_INVALID, KIND_PORT_POLICY_RULE, 400, "SecurityRuleInvalidPortRange", "properties.destinationPortRange"},
	{ERR_IN_USE, KIND_PORT_POLICY, 400, "InUseNetworkSecurityGroupCannotBeDeleted"},
	{ERR_IN_USE, KIND_PORT_SET, 400, "ApplicationSecurityGroupCannotBeDeleted"}, /* guessed */
	{ERR_IN_USE, KIND_SUBNET, 400, "InUseSubnetCannotBeDeleted"},
	{ERR_IN_USE, KIND_PORT, 400, "NicInUse"},
	{ERR_IN_USE, KIND_ADDRESS, 400, "PublicIPAddressCannotBeDeleted"},
	{ERR_IN_USE, KIND_ROUTE_PLAN, 400, "InUseRouteTableCannotBeDeleted"},
	{ERR_IN_USE, KIND_SOURCE_NAT, 400, "InUseNatGatewayCannotBeDeleted"}, /* guessed */
	{ERR_IN_USE, KIND_ROUTER, 400, "InUsePrefixCannotBeDeleted", "properties.addressSpace.addressPrefixes"},
	{ERR_CONFLICT, KIND_SUBNET, 400, "NetcfgSubnetRangesOverlap"},
	{ERR_RANGE, KIND_SUBNET, 400, "NetcfgInvalidSubnet"},
	{ERR_STATE, KIND_SUBNET, 400, "InUsePrefixCannotBeUpdated"}, /* guessed */
	{ERR_CAPACITY, KIND_SUBNET, 400, "SubnetIsFull"},
	{ERR_RANGE, KIND_ROUTER, 400, "NetcfgInvalidVirtualNetworkSite"}, /* guessed */
	{ERR_CONFLICT, KIND_ROUTER, 400, "NetcfgInvalidVirtualNetworkSite"}, /* guessed */
	{ERR_EXISTS, KIND_PORT, 400, "PrivateIPAddressInUse"},
	{ERR_RANGE, KIND_PORT, 400, "PrivateIPAddressNotInSubnet"},
	{ERR_EXISTS, KIND_ADDRESS, 400, "DnsRecordInUse", "properties.dnsSettings.domainNameLabel"},
	{ERR_INVALID, KIND_ADDRESS, 400, "InvalidDomainNameLabel", "properties.dnsSettings.domainNameLabel"},
	{ERR_CONFLICT, KIND_ADDRESS, 400, "PublicIPAddressInUse"},
	{ERR_CAPACITY, KIND_ADDRESS, 400, "PublicIPAddressAllocationFailed"}, /* guessed */
	{ERR_QUOTA, KIND_ADDRESS, 400, "PublicIPCountLimitReached",
	 .says = "Cannot create more than * public IP addresses for this subscription in this region."},
	{ERR_IN_USE, KIND_ADDRESS_PREFIX, 400, "InUsePublicIpPrefixCannotBeDeleted"},
	{ERR_CAPACITY, KIND_ADDRESS_PREFIX, 400, "PublicIpPrefixOutOfIpAddresses", "properties.publicIPPrefix.id"},
	{ERR_CAPACITY, KIND_ADDRESS_PREFIX, 400, "PublicIPAddressAllocationFailed"}, /* guessed */
	{ERR_EXISTS, KIND_ADDRESS_PREFIX, 400, "PublicIPAddressInUse"}, /* guessed */
	{ERR_CONFLICT, KIND_ADDRESS_PREFIX, 400, "PublicIPPrefixInUse"}, /* guessed */
	{ERR_CONFLICT, KIND_PEERING_SIDE, 400, "VnetAddressSpacesOverlap"},
	{ERR_CONFLICT, KIND_PEERING, 400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"},
	{ERR_EXISTS, KIND_PEERING_SIDE, 400, "AnotherPeeringAlreadyReferencesRemoteVnet"},
	{ERR_NOT_FOUND, KIND_RESOURCE_GROUP, 404, "ResourceGroupNotFound"},
	{ERR_STATE, KIND_RESOURCE_GROUP, 409, "ResourceGroupBeingDeleted"},
	{ERR_IN_USE, KIND_VOLUME, 409, "OperationNotAllowed"},
	{ERR_NOT_FOUND, 0, 404, "ResourceNotFound"},
	{ERR_INVALID, 0, 400, "InvalidParameter"},       {ERR_MISSING, 0, 400, "InvalidParameter"},
	{ERR_RANGE, 0, 400, "InvalidParameter"},         {ERR_COMBINATION, 0, 400, "InvalidParameter"},
	{ERR_MALFORMED, 0, 400, "InvalidRequestContent"},{ERR_UNKNOWN, 0, 400, "InvalidRequestContent"},
	{ERR_TOO_LARGE, 0, 413, "RequestEntityTooLarge"},  /* guessed */
	{ERR_STATE, KIND_DEPLOYMENT, 409, "DeploymentActive"},
	{ERR_UNSUPPORTED, 0, 409, "OperationNotAllowed"},
	{ERR_STATE, 0, 409, "OperationNotAllowed"},      {ERR_QUOTA, 0, 409, "OperationNotAllowed"},
	{ERR_PROTECTED, 0, 409, "ScopeLocked"},          {ERR_CAPACITY, 0, 409, "AllocationFailed"},
	{ERR_EXISTS, KIND_INSTANCE_EXTENSION, 400, "BadRequest"},
	{ERR_DRY_RUN, 0, 412, "WouldSucceed"}, /* only for internal calls */
	{ERR_CONFLICT, 0, 409, "Conflict"},              {ERR_EXISTS, 0, 409, "Conflict"},
	{ERR_IN_USE, 0, 409, "Conflict"},                {ERR_GONE, 0, 503, "ServerTimeout"}, /* guessed */
	{ERR_AGAIN, 0, 503, "ServerTimeout"},            {ERR_THROTTLED, 0, 429, "TooManyRequests"},
	{ERR_INTERNAL, 0, 500, "InternalServerError"},
};
/* clang-format on */
const struct api_error az_unknown_space = {ERR_NOT_FOUND, 0, 404, "InvalidResourceNamespace"};
const struct api_error az_unknown_type = {ERR_NOT_FOUND, 0, 404, "InvalidResourceType"};
const struct api_error az_no_subscription = {ERR_NOT_FOUND, 0, 404, "SubscriptionNotFound"};
const struct api_error az_no_group = {ERR_NOT_FOUND, 0, 404, "ResourceGroupNotFound"};
const struct api_error az_no_version = {ERR_MISSING, 0, 400, "MissingApiVersionParameter"};
const struct api_error az_bad_version = {ERR_INVALID, 0, 400, "InvalidApiVersionParameter"};
const struct api_error az_no_provider = {ERR_INVALID, 0, 400, "NoRegisteredProviderFound"};
const struct api_error az_no_method = {ERR_UNSUPPORTED, 0, 405, "MethodNotAllowed"}; /* guessed */
const struct api_error az_bad_name = {ERR_INVALID, 0, 400, "InvalidResourceName"};
const struct api_error az_bad_id = {ERR_INVALID, 0, 400, "LinkedInvalidPropertyId"};
const struct api_error az_no_location = {ERR_MISSING, 0, 400, "LocationRequired"};
const struct api_error az_other_location = {ERR_INVALID, 0, 400, "LocationNotAvailableForResourceType"};
const struct api_error az_no_whole = {ERR_NOT_FOUND, 0, 404, "ParentResourceNotFound"};
const struct api_error az_group_goes = {ERR_STATE, 0, 409, "ResourceGroupBeingDeleted"};
const struct api_error az_no_reference = {ERR_NOT_FOUND, 0, 400, "InvalidResourceReference"};
const struct api_error az_no_token = {ERR_UNAUTHENTICATED, 0, 401, "AuthenticationFailed"};
/* Wording of Azure Storage. */
const struct api_error az_bad_signature = {ERR_UNAUTHENTICATED, 0, 403, "AuthenticationFailed"};
const struct api_error az_wrong_audience = {ERR_UNAUTHENTICATED, 0, 401,
					    "InvalidAuthenticationTokenAudience"};
const struct api_error az_changed = {ERR_CONFLICT, 0, 412, "PreconditionFailed"};
const struct api_error az_wrong_tenant = {ERR_UNAUTHENTICATED, 0, 401, "InvalidAuthenticationTokenTenant"};

static const struct api_error not_changeable = {ERR_STATE, 0, 409, "PropertyChangeNotAllowed"};

RESULT az_fail_change(struct az_call *e, const char *property)
{
	e->error = &not_changeable;
	return ctx_fail_field(e->c, ERR_STATE, str_from(property), "Changing property '%s' is not allowed.",
			      property);
}

RESULT az_check_unchanged(struct az_call *e, const char *property, struct str said, struct str shown)
{
	return !said.n || str_equal_nocase(said, shown) ? OK : az_fail_change(e, property);
}

const struct api_errors azure_errors =
	API_ERRORS(rows, .internal = "Encountered internal server error.",
		   .throttled = "The request was throttled: too many requests. Please retry later.",
		   .unproved = "The access token is invalid.");

/* ---- parameters ---- */

#define INVALID_VALUE "The value of parameter {field} is invalid."
const struct params_dialect az_dialect = {
	.words =
		{
			[FAULT_MISSING] = "Required parameter '{field}' is missing (null).",
			[FAULT_UNKNOWN] = "Could not find member '{name}' on object of type '{object}'. Path "
					  "'{field}'.",
			[FAULT_UNBUILT] = "The parameter '{field}' is not supported.",
			[FAULT_UNBUILT_ELSE] = "Of the parameter '{field}' only {only} is supported.",
			[FAULT_TYPE] = INVALID_VALUE,
			[FAULT_WORDS] = INVALID_VALUE " Allowed values are: {words}.",
			[FAULT_CHOICE] = INVALID_VALUE,
			[FAULT_BOOL] = INVALID_VALUE,
			[FAULT_INT] = INVALID_VALUE,
			[FAULT_INT_BELOW] = INVALID_VALUE " It must be {min} to {max}.",
			[FAULT_INT_ABOVE] = INVALID_VALUE " It must be {min} to {max}.",
			[FAULT_TEXT_LONG] = INVALID_VALUE " It has more than {max} characters.",
			[FAULT_ID] = INVALID_VALUE,
		},
	.comma = ", ",
	.rules = NULLS_ARE_ABSENT | WORDS_IN_ANY_CASE | EMPTY_ASKS_NOTHING,
	.text_max = 1024,
};

static struct str write_row_id(struct arena *a, enum kind kind, uuid id)
{
	return id_to_text(a, kind, id);
}

const struct kind_words az_words = {
	.of =
		{
			[KIND_ACCOUNT] = "subscription",
			[KIND_INSTANCE] = "virtual machine",
			[KIND_INSTANCE_TYPE] = "VM size",
			[KIND_VOLUME] = "disk",
			[KIND_ROUTER] = "virtual network",
			[KIND_PORT] = "network interface",
			[KIND_ADDRESS] = "public IP address",
			[KIND_ADDRESS_PREFIX] = "public IP prefix",
			[KIND_IMAGE] = "image",
			[KIND_SNAPSHOT] = "snapshot",
			[KIND_SUBNET] = "subnet",
			[KIND_SECURITY_GROUP] = "network security group",
			[KIND_PORT_POLICY] = "network security group",
			[KIND_PORT_POLICY_RULE] = "security rule",
			[KIND_PORT_SET] = "application security group",
			[KIND_SOURCE_NAT] = "NAT gateway",
			[KIND_ROUTE_PLAN] = "route table",
			[KIND_ROUTE_PLAN_ENTRY] = "route",
			[KIND_PEERING_SIDE] = "virtual network peering",
			[KIND_BALANCER_SET] = "load balancer",
			[KIND_SERVER_GROUP] = "availability set",
			[KIND_RESOURCE_GROUP] = "resource group",
			[KIND_KEY_PAIR] = "SSH public key",
			[KIND_AUTOSCALE_SETTING] = "autoscale setting",
		},
	.write_id = write_row_id,
	.write_row = az_write_row_id,
	.has_scopes = true,
};

/* ---- refusals ---- */

struct str az_operation_of(struct arena *a, const struct az_action *action)
{
	const struct az_type *type = &az_types[action->type];
	const char *last = strrchr(action->path, '/');
	struct str verb = action->method == HTTP_POST     ? str_print(a, "%s/action", last + 1)
			  : action->method == HTTP_DELETE ? STR("delete")
			  : action->method == HTTP_GET || action->method == HTTP_HEAD ? STR("read")
										      : STR("write");
	const char *within =
		action->type == AZ_GROUPS ? "subscriptions/" : ""; /* name of the operation in roles */
	return str_print(a, "%s/%s%s/%" STR_FMT, type->space, within, type->name, STR_ARG(verb));
}

static const struct api_error bad_request = {ERR_UNKNOWN, 0, 400, "BadRequest"};
static const struct api_error bad_format = {ERR_UNKNOWN, 0, 400, "InvalidRequestFormat"};

RESULT az_fail_format(struct az_call *e, const char *detail, const char *field, struct str message)
{
	e->error = &bad_format;
	e->detail = detail;
	e->outer = STR("Cannot parse the request.");
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%" STR_FMT, STR_ARG(message));
}

/* Words an unknown member: the resource manager checks common members, the service the others, each with
 * its own message (recorded answers: azure-sdk-for-net 3487, azure-cli 18855, sql-server-samples 1294). */
static void word_unknown(struct az_call *e, struct api_problem *p)
{
	const char *space = az_types[az_action_of(e)->type].space;
	bool is_inner = str_contains(e->c->problem.field, STR("."));
	if (is_inner && strcmp(space, az_types[AZ_NETWORKS].space) == 0) {
		p->error = &bad_format;
		e->detail = "InvalidJson";
		e->outer = STR("Cannot parse the request.");
	} else if (is_inner && strcmp(space, az_types[AZ_MACHINES].space) == 0) {
		p->error = &bad_request;
	} else {
		p->message = str_print(
			e->c->arena,
			"The request content was invalid and could not be deserialized: '%" STR_FMT "'.",
			STR_ARG(p->message));
	}
}

void az_word_problem(struct api_call *core, struct api_problem *p)
{
	struct az_call *e = az_call_of(core);
	const struct identity *who = e->c->who;
	char user[UUID_TEXT_SIZE];
	p->message = api_say_problem(e->c, p);
	if (p->err == ERR_UNKNOWN && e->action && !e->error && e->part == AZ_OF_ARM)
		word_unknown(e, p);
	if (p->err != ERR_DENIED || !e->action || !who || e->part != AZ_OF_ARM)
		return;
	(void) uuid_write(who->user, user);
	p->message = str_print(
		e->c->arena,
		"The client '%s' with object id '%s' does not have authorization to perform action '%" STR_FMT
		"' over scope '%" STR_FMT
		"' or the scope is invalid. If access was recently granted, please refresh your credentials.",
		user, user, STR_ARG(az_operation_of(e->c->arena, az_action_of(e))), STR_ARG(e->call->path));
}

/* ---- documents ---- */

/* Number of a message that begins with AADSTS and digits. */
static int64_t find_number(struct str message)
{
	int64_t number = 0;
	struct str digits = STR_NONE;
	if (!str_starts_with(message, STR("AADSTS")))
		return 0;
	message = str_slice(message, strlen("AADSTS"), message.n);
	return str_split_next(&message, ':', &digits) && result_is_ok(str_parse_int(digits, &number)) ? number
												      : 0;
}

static void write_signin_problem(struct az_call *e, const struct api_problem *p, struct json_writer *w)
{
	char time[CLOCK_TEXT_SIZE];
	struct str id = e->c->request_id;
	int64_t number = find_number(p->message);
	json_write_z(w, "error", p->error->code);
	json_write_text(w, "error_description",
			str_print(e->c->arena, "%" STR_FMT " Trace ID: %" STR_FMT " Timestamp: %s",
				  STR_ARG(p->message), STR_ARG(id), clock_write_s(clock_now_us(), time)));
	json_write_open_list(w, "error_codes");
	if (number)
		json_write_int(w, NULL, number);
	json_write_close_list(w);
	json_write_z(w, "timestamp", time);
	json_write_text(w, "trace_id", id);
	json_write_text(w, "correlation_id", id);
}

static void write_arm_problem(struct az_call *e, const struct api_problem *p, struct json_writer *w)
{
	json_write_open(w, "error");
	json_write_z(w, "code", p->error->code);
	json_write_text(w, "message", e->detail ? e->outer : p->message);
	if (e->c->problem.field.n)
		json_write_text(w, "target", e->c->problem.field);
	if (e->detail) {
		json_write_open_list(w, "details");
		json_write_open(w, NULL);
		json_write_z(w, "code", e->detail);
		json_write_text(w, "message", p->message);
		json_write_close(w);
		json_write_close_list(w);
	}
	json_write_close(w);
}

/* Sets WWW-Authenticate, from which older SDKs learn where to sign in. */
static void tell_where(struct az_call *e, const struct api_problem *p)
{
	if (p->status == 401 && e->part == AZ_OF_ARM)
		call_set_answer_header(
			e->call, "WWW-Authenticate",
			str_print(e->c->arena,
				  "Bearer authorization_uri=\"%" STR_FMT "/adfs\", error=\"invalid_token\", "
				  "error_description=\"The access token is missing or invalid.\"",
				  STR_ARG(e->base_url)));
	if (p->status == 429)
		call_set_answer_header(e->call, "Retry-After", STR("1"));
}

RESULT az_write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct az_call *e = az_call_of(core);
	struct json_writer w;
	tell_where(e, p);
	if (e->action && az_action_of(e)->write_page_problem) {
		p->content_type = "text/html; charset=utf-8";
		az_action_of(e)->write_page_problem(e, p->message, body);
		return OK;
	}
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (e->part == AZ_OF_SIGNIN)
		write_signin_problem(e, p, &w);
	else
		write_arm_problem(e, p, &w);
	json_write_close(&w);
	return json_write_end(&w);
}
