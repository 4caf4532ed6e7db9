/* SPDX-License-Identifier: Apache-2.0
 * VPC endpoints: DescribeVpcEndpoints, CreateVpcEndpoint, ModifyVpcEndpoint, DeleteVpcEndpoints. An endpoint without a policy
 * shows the one that allows everything. */
#include "api/ec2/network/vpc_endpoints.h"
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "auth/policy/endpoint_policy.h"
#include "engine/network/routing/endpoint_service.h"
#include "store/port.h"
#include "store/security_group.h"
#include "store/vpc_endpoint.h"

/* ---- members ---- */

static struct strs list_ids(struct api_call *e, const struct uuids *of, enum kind kind)
{
	struct str *ids = arena_new_array(e->c->arena, struct str, of->count);
	for (size_t k = 0; ids && k < of->count; k++)
		ids[k] = id_to_ec2(e->c->arena, kind, of->at[k]);
	return (struct strs){ids, ids ? of->count : 0};
}

static struct strs list_tables(struct api_call *e, const struct row *row)
{
	return list_ids(e, &vpc_endpoint_of(row)->tables, KIND_ROUTE_TABLE);
}

static struct strs list_fronts(struct api_call *e, const struct row *row)
{
	return list_ids(e, &vpc_endpoint_of(row)->fronts, KIND_PORT);
}

static struct strs list_subnets(struct api_call *e, const struct row *row)
{
	const struct uuids *fronts = &vpc_endpoint_of(row)->fronts;
	uuid *subnets = arena_new_array(e->c->arena, uuid, fronts->count);
	size_t count = 0;
	for (size_t k = 0; subnets && k < fronts->count; k++) {
		const struct port *port = port_find(api_tables(e), fronts->at[k]);
		if (port)
			subnets[count++] = port->subnet;
	}
	return list_ids(e, &(const struct uuids){subnets, count}, KIND_SUBNET);
}

static struct attribute_rows list_groups(struct api_call *e, const struct row *row)
{
	const struct uuids *groups = &vpc_endpoint_of(row)->groups;
	const struct security_group **at =
		arena_new_array(e->c->arena, const struct security_group *, groups->count);
	size_t count = 0;
	for (size_t k = 0; at && k < groups->count; k++) {
		at[count] = security_group_find(api_tables(e), groups->at[k]);
		count += at[count] != NULL;
	}
	return (struct attribute_rows){at, count};
}

struct str ec2_write_endpoint_name(struct ec2_call *e, const struct vpc_endpoint *endpoint)
{
	struct arena *a = e->c->arena;
	return str_print(a, "%" STR_FMT ".%" STR_FMT,
			 STR_ARG(id_to_ec2(a, KIND_VPC_ENDPOINT, endpoint->row.id)),
			 STR_ARG(engine_write_domain_of(ec2_tables(e), a, endpoint)));
}

struct shown_name {
	struct row row; /* no row of the store */
	struct str name;
};

static struct attribute_rows list_names(struct api_call *e, const struct row *row)
{
	const struct vpc_endpoint *v = vpc_endpoint_of(row);
	const struct tables *t = api_tables(e);
	struct arena *a = e->c->arena;
	struct shown_name *names = arena_new_array(a, struct shown_name, 2);
	if (!names || v->type != VPC_ENDPOINT_TYPE_INTERFACE)
		return (struct attribute_rows){0};
	names[0].name = ec2_write_endpoint_name((struct ec2_call *) e, v);
	names[1].name = engine_write_service_host(t, a, v->service);
	return attribute_rows_of(e, names, v->private_names ? 2 : 1, sizeof *names);
}

static const char *find_state(struct api_call *e, const struct row *row)
{
	return engine_get_endpoint_state(api_tables(e), vpc_endpoint_of(row));
}

ATTRIBUTE_GETTER(vpc_endpoint, v, struct str, get_service,
		 engine_write_service_of(api_tables(e), e->c->arena, v))

#define POLICY                                                                                               \
	"{\"Statement\":[{\"Action\":\"*\",\"Effect\":\"Allow\",\"Principal\":\"*\",\"Resource\":\"*\"}],"   \
	"\"Version\":\"2008-10-17\"}"
ATTRIBUTE_GETTER(vpc_endpoint, v, struct str, get_policy, v->policy.n ? v->policy : STR(POLICY))
static const struct attribute group_rows[] = {
	ATTRIBUTE_OWN_ID(security_group, "groupId", KIND_SECURITY_GROUP),
	ATTRIBUTE(security_group, "groupName", name),
};
static const struct attributes group_members = ATTRIBUTES(group_rows);
static const struct attribute name_rows[] = {ATTRIBUTE(shown_name, "dnsName", name)};
static const struct attributes name_members = ATTRIBUTES(name_rows);
static const struct attribute option_rows[] = {ATTRIBUTE_CONST("dnsRecordIpType", "ipv4")};
static const struct attributes option_members = ATTRIBUTES(option_rows);
static const struct attribute endpoint_rows[] = {
	ATTRIBUTE_OWN_ID(vpc_endpoint, "vpcEndpointId", KIND_VPC_ENDPOINT, .filter = "vpc-endpoint-id"),
	ATTRIBUTE_AS(ENUM, vpc_endpoint, "vpcEndpointType", type, .words = ec2_endpoint_type_words,
		     .filter = "vpc-endpoint-type"),
	ATTRIBUTE_REF(vpc_endpoint, "vpcId", router, KIND_ROUTER, .filter = "vpc-id",
		      .index = VPC_ENDPOINT_INDEX_ROUTER),
	ATTRIBUTE_MADE(TEXT, text, "serviceName", get_service, .filter = "service-name"),
	ATTRIBUTE_MADE(WORD, word, "state", find_state, .filter = "vpc-endpoint-state"),
	ATTRIBUTE_MADE(TEXT, text, "policyDocument", get_policy),
	ATTRIBUTE_MADE(TEXTS, texts, "routeTableIdSet", list_tables),
	ATTRIBUTE_MADE(TEXTS, texts, "subnetIdSet", list_subnets),
	ATTRIBUTE_ROWS("groupSet", group_members, list_groups),
	ATTRIBUTE_CONST("ipAddressType", "ipv4", .filter = "ip-address-type"),
	ATTRIBUTE_WITHIN("dnsOptions", option_members),
	ATTRIBUTE(vpc_endpoint, "privateDnsEnabled", private_names),
	ATTRIBUTE_CONST("requesterManaged", "false"),
	ATTRIBUTE_MADE(TEXTS, texts, "networkInterfaceIdSet", list_fronts),
	ATTRIBUTE_ROWS("dnsEntrySet", name_members, list_names),
	ATTRIBUTE_AS(TIME, vpc_endpoint, "creationTimestamp", row.created_us),
	ATTRIBUTE(vpc_endpoint, "tagSet", tags),
	EC2_OWNER("ownerId"),
	EC2_REGION("serviceRegion", .filter = "service-region"),
};
static const struct attributes endpoint_members = ATTRIBUTES(endpoint_rows);

static const struct ec2_listing endpoint_listing = {.kind = KIND_VPC_ENDPOINT,
						    .set = "vpcEndpointSet",
						    .filters = FILTERS_OF(endpoint_members),
						    .attributes = &endpoint_members};

/* ---- describe ---- */

struct ec2_describe_endpoints {
	struct ec2_query query;
};
static const struct param describe_endpoints_params[] = {
	QUERY_IDS(struct ec2_describe_endpoints, "VpcEndpointId", KIND_VPC_ENDPOINT, "Endpoints by id."),
	QUERY_FILTERS(struct ec2_describe_endpoints),
	QUERY_PAGES(struct ec2_describe_endpoints, 5, 1000),
};

/* ---- making, changing, deleting ---- */

#define ENDPOINT_UNBUILT                                                                                     \
	NOT_BUILT("IpAddressType", .only = "ipv4"), NOT_BUILT("DnsOptions.DnsRecordIpType", .only = "ipv4"), \
		NOT_BUILT("DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint|"                             \
			  "DnsOptions.PrivateDnsPreference|DnsOptions.PrivateDnsSpecifiedDomain|"            \
			  "SubnetConfiguration")

struct ec2_create_endpoint {
	struct vpc_endpoint_wish wish;
	struct str service, type;
	enum choice private_names;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_endpoint, wire, member, __VA_ARGS__)
static const struct param create_endpoint_params[] = {
	P("VpcId", wish.router, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("ServiceName", service, .flags = REQUIRED, .max = 255,
	  .doc = "Name of the service: an endpoint service that another account offers, or a service of "
		 "the region, which reaches the region's whole API."),
	P("VpcEndpointType", type, .words = "Interface|Gateway|GatewayLoadBalancer", .absent = "Gateway",
	  .doc = "Type: Interface adds a network interface to each subnet, Gateway a route to the address of "
		 "the API."),
	P("RouteTableId", wish.tables, .kind = KIND_ROUTE_TABLE,
	  .doc = "Route tables of a gateway endpoint, which get its route."),
	P("SubnetId", wish.subnets, .kind = KIND_SUBNET,
	  .doc = "Subnets in which the endpoint gets an interface, one in each zone."),
	P("SecurityGroupId", wish.groups, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups of the interfaces; absent: the VPC's default group."),
	P("PolicyDocument", wish.policy, .max = ENDPOINT_POLICY_MAX,
	  .doc = "Policy that must allow each call through the endpoint; absent: everything is allowed."),
	P("PrivateDnsEnabled", private_names,
	  .doc = "Whether the DNS name of the service resolves to the endpoint; absent: true for an "
		 "interface endpoint of the region's API. Endpoint services have no such name."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_endpoint, tag_specs),
	ENDPOINT_UNBUILT,
	NOT_BUILT("ServiceNetworkArn|ResourceConfigurationArn|ServiceRegion"),
};
#undef P

/* EC2 keeps the document as it was sent. */
static RESULT check_policy(struct ec2_call *e, struct str document)
{
	const struct policy_code *policy = NULL;
	if (!document.n)
		return OK;
	struct result compiled = endpoint_policy_compile(e->c, document, &policy);
	if (result_is_ok(compiled) || compiled.code == ERR_NO_MEMORY)
		return compiled;
	struct str why = e->c->problem.message;
	ctx_clear_problem(e->c);
	return ctx_fail_kind(e->c, ERR_INVALID, KIND_VPC_ENDPOINT,
			     "The specified policy document is not a valid JSON policy document. %" STR_FMT,
			     STR_ARG(why));
}

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_create_endpoint *a = args;
	bool is_interface = str_is(a->type, "Interface");
	a->wish.type = is_interface ? VPC_ENDPOINT_TYPE_INTERFACE : VPC_ENDPOINT_TYPE_GATEWAY;
	if (str_is(a->type, "GatewayLoadBalancer"))
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("ServiceName"),
				      "The Vpc Endpoint Service '%" STR_FMT
				      "' of type GatewayLoadBalancer does not exist",
				      STR_ARG(a->service));
	bool is_offered = engine_is_offered_name(a->service);
	if (is_offered) {
		a->wish.offered = a->service;
		a->wish.principals = ec2_list_principals(e);
	} else
		TRY(ec2_find_endpoint_service(e, a->service, a->wish.type, &a->wish.service));
	TRY(check_policy(e, a->wish.policy));
	if (a->private_names == CHOICE_YES && !is_interface)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("PrivateDnsEnabled"),
				      "Private DNS is for endpoints of type Interface.");
	a->wish.private_names = a->private_names == CHOICE_YES ||
				(is_interface && !is_offered && a->private_names == CHOICE_DEFAULT);
	a->wish.digest = pairs_digest(e->c, &e->pairs, not_in_digest);
	return ec2_take_tags(e, &a->tag_specs, "vpc-endpoint", "vpc-endpoint", &a->wish.tags);
}

static RESULT ec2_create_endpoint(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_endpoint *a = args;
	TRY(ec2_write_returned(e, &endpoint_listing, a->wish.endpoint, "vpcEndpoint", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

struct ec2_modify_endpoint {
	struct vpc_endpoint_change wish;
	enum choice resets_policy;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_endpoint, wire, member, __VA_ARGS__)
static const struct param modify_endpoint_params[] = {
	P("VpcEndpointId", wish.endpoint, .flags = REQUIRED, .kind = KIND_VPC_ENDPOINT,
	  .doc = "The VPC endpoint."),
	P("PolicyDocument", wish.policy, .max = ENDPOINT_POLICY_MAX,
	  .doc = "Policy that must allow each call through the endpoint."),
	P("ResetPolicy", resets_policy, .doc = "Whether the policy becomes the one that allows everything."),
	P("AddRouteTableId", wish.tables_added, .kind = KIND_ROUTE_TABLE,
	  .doc = "Route tables that get the endpoint's route."),
	P("RemoveRouteTableId", wish.tables_removed, .kind = KIND_ROUTE_TABLE,
	  .doc = "Route tables that lose the endpoint's route."),
	P("AddSubnetId", wish.subnets_added, .kind = KIND_SUBNET,
	  .doc = "Subnets in which the endpoint gets an interface."),
	P("RemoveSubnetId", wish.subnets_removed, .kind = KIND_SUBNET,
	  .doc = "Subnets whose interface is removed."),
	P("AddSecurityGroupId", wish.groups_added, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups to add to the interfaces."),
	P("RemoveSecurityGroupId", wish.groups_removed, .kind = KIND_SECURITY_GROUP,
	  .doc = "Security groups to remove from the interfaces."),
	P("PrivateDnsEnabled", wish.private_names,
	  .doc = "Whether the DNS name of the service resolves to the endpoint."),
	ENDPOINT_UNBUILT,
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_endpoint *a = args;
	bool resets = a->resets_policy == CHOICE_YES;
	if (resets && a->wish.policy.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("ResetPolicy"),
				      "PolicyDocument and ResetPolicy cannot be specified together.");
	a->wish.sets_policy = resets || a->wish.policy.n;
	return check_policy(e, a->wish.policy);
}

struct ec2_delete_endpoints {
	struct vpc_endpoint_deletions wish;
	struct refs endpoints;
};
static const struct param delete_endpoints_params[] = {
	PARAM(struct ec2_delete_endpoints, "VpcEndpointId", endpoints, .flags = REQUIRED,
	      .kind = KIND_VPC_ENDPOINT, .doc = "VPC endpoints to delete."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_endpoints *a = args;
	a->wish.count = a->endpoints.count;
	a->wish.at = arena_new_array(e->c->arena, struct vpc_endpoint_deletion, a->wish.count);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->wish.count; k++)
		a->wish.at[k].endpoint = a->endpoints.at[k];
	return OK;
}

/* Ids that cannot be deleted are reported one by one; the call succeeds. */
static RESULT ec2_delete_endpoints(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_endpoints *a = args;
	xml_open(x, "unsuccessful");
	for (size_t k = 0; k < a->wish.count; k++) {
		struct str id = a->wish.at[k].endpoint.text;
		if (!a->wish.at[k].is_absent)
			continue;
		xml_open(x, "item");
		xml_open(x, "error");
		xml_z(x, "code", "InvalidVpcEndpoint.NotFound");
		xml_text(
			x, "message",
			str_print(e->c->arena, "The VpcEndpoint '%" STR_FMT "' does not exist", STR_ARG(id)));
		xml_close(x, "error");
		xml_text(x, "resourceId", id);
		xml_close(x, "item");
	}
	xml_close(x, "unsuccessful");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcEndpoints"),
	 .args = PARAMS(struct ec2_describe_endpoints, describe_endpoints_params), .list = &endpoint_listing,
	 .doc = "Lists the account's VPC endpoints."},
	{EC2_ACTION("CreateVpcEndpoint"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_endpoint, create_endpoint_params), .prepare = prepare_create,
	 .operation = engine_create_vpc_endpoint_run, .returns = KIND_VPC_ENDPOINT,
	 .answer = ec2_create_endpoint,
	 .doc = "Creates an endpoint, by which a VPC reaches the region's API without an internet gateway."},
	{EC2_ACTION("ModifyVpcEndpoint"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_endpoint, modify_endpoint_params), .prepare = prepare_modify,
	 .operation = engine_change_vpc_endpoint_run, .doc = "Changes a VPC endpoint."},
	{EC2_ACTION("DeleteVpcEndpoints"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_endpoints, delete_endpoints_params), .prepare = prepare_delete,
	 .operation = engine_delete_vpc_endpoints_run, .answer = ec2_delete_endpoints,
	 .doc = "Deletes VPC endpoints with their interfaces and routes."},
};
const struct api_actions ec2_endpoint_actions = API_ACTIONS(actions);
