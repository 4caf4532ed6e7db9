/* SPDX-License-Identifier: Apache-2.0
 * VPC endpoints, and the prefix lists of Amazon's own services: DescribePrefixLists, DescribeVpcEndpoints,
 * DescribeVpcEndpointServices, DescribeVpcEndpointConnections, CreateVpcEndpoint, ModifyVpcEndpoint,
 * DeleteVpcEndpoints. No service here has an endpoint, and all actions answer as EC2 does in a region
 * without any: lists are empty, ids are not found, and the service of a new endpoint does not exist. No
 * action changes anything. */
#include "api/ec2/core/empty_list.h"
#include "api/ec2/core/write.h"

#define NO_SERVICES "no service of the region is reached by endpoints"

/* ---- prefix lists ---- */

static const struct param describe_prefix_lists_params[] = {
	QUERY_IDS(struct ec2_empty_list, "PrefixListId", KIND_ADDRESS_GROUP, "Lists by id."),
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
};
static const struct filter prefix_list_filters[] = {
	FITS_NOTHING("prefix-list-id"),
	FITS_NOTHING("prefix-list-name"),
};

/* Prefix lists of accounts are shown by DescribeManagedPrefixLists. */
static RESULT ec2_describe_prefix_lists(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_empty_list *a = args;
	TRY(ec2_check_empty_list(e, &a->query, a->query.ids.count));
	if (a->query.ids.count)
		return engine_fail_not_found(e->c, KIND_ADDRESS_GROUP, &a->query.ids.at[0]);
	xml_empty(x, "prefixListSet");
	return OK;
}

/* ---- endpoints, connections to them, services ---- */

static RESULT fail_no_endpoint(struct ec2_call *e, const struct ref *ref)
{
	return ctx_fail_field(e->c, ERR_NOT_FOUND, ref->field,
			      "The Vpc Endpoint Id '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

static RESULT fail_no_service(struct ec2_call *e, struct str name)
{
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("ServiceName"),
			      "The Vpc Endpoint Service '%" STR_FMT "' does not exist", STR_ARG(name));
}

static const struct param describe_endpoints_params[] = {
	PARAM(struct ec2_empty_list, "VpcEndpointId", query.ids, .prefix = "vpce", .doc = "Endpoints by id."),
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
};
static const struct filter endpoint_filters[] = {
	FITS_NOTHING("vpc-endpoint-id"), FITS_NOTHING("vpc-id"),
	FITS_NOTHING("service-name"),    FITS_NOTHING("vpc-endpoint-state"),
	FITS_NOTHING("ip-address-type"), FITS_NOTHING("vpc-endpoint-type"),
	FITS_NOTHING("service-region"),  OF_NO_TAGS,
};

static RESULT ec2_describe_endpoints(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_empty_list *a = args;
	TRY(ec2_check_empty_list(e, &a->query, a->query.ids.count));
	if (a->query.ids.count)
		return fail_no_endpoint(e, &a->query.ids.at[0]);
	xml_empty(x, "vpcEndpointSet");
	return OK;
}

static const struct param describe_connections_params[] = {
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
};
static const struct filter connection_filters[] = {
	FITS_NOTHING("service-id"),          FITS_NOTHING("vpc-endpoint-owner"),
	FITS_NOTHING("vpc-endpoint-state"),  FITS_NOTHING("vpc-endpoint-id"),
	FITS_NOTHING("ip-address-type"),     FITS_NOTHING("transit-gateway-attachment-id"),
	FITS_NOTHING("vpc-endpoint-region"),
};

static RESULT ec2_describe_connections(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_empty_list *a = args;
	TRY(ec2_check_empty_list(e, &a->query, 0));
	xml_empty(x, "vpcEndpointConnectionSet");
	return OK;
}

static const struct param describe_services_params[] = {
	PARAM(struct ec2_empty_list, "ServiceName", names, .doc = "Services by name."),
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
	NOT_BUILT("ServiceRegion"),
};
static const struct filter service_filters[] = {
	FITS_NOTHING("service-name"),   FITS_NOTHING("service-type"),
	FITS_NOTHING("owner"),          FITS_NOTHING("supported-ip-address-types"),
	FITS_NOTHING("service-region"), OF_NO_TAGS,
};

static RESULT ec2_describe_services(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_empty_list *a = args;
	TRY(ec2_check_empty_list(e, &a->query, a->names.count));
	if (a->names.count)
		return fail_no_service(e, a->names.at[0]);
	xml_empty(x, "serviceNameSet");
	xml_empty(x, "serviceDetailSet");
	return OK;
}

/* ---- making, changing, deleting ---- */

#define ENDPOINT_TYPES "Interface|Gateway|GatewayLoadBalancer"
#define ADDRESS_TYPES "ipv4|dualstack|ipv6"
#define NAME_TYPES "ipv4|dualstack|ipv6|service-defined"

enum { POLICY_MAX = 20480 };

struct ec2_create_endpoint {
	struct ref vpc;
	struct str service, type, policy, ip_type, name_type, client_token;
	struct refs route_tables, subnets, groups;
	enum choice private_names;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_endpoint, wire, member, __VA_ARGS__)
#define ENDPOINT_UNBUILT                                                                                     \
	NOT_BUILT("DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint|DnsOptions.PrivateDnsPreference|"     \
		  "DnsOptions.PrivateDnsSpecifiedDomain|SubnetConfiguration")
static const struct param create_endpoint_params[] = {
	P("VpcId", vpc, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	P("ServiceName", service, .flags = REQUIRED, .max = 255, .doc = "What it is to lead to."),
	P("VpcEndpointType", type, .words = ENDPOINT_TYPES, .doc = "How it is reached."),
	P("PolicyDocument", policy, .max = POLICY_MAX, .doc = "Who may do what with the service."),
	P("RouteTableId", route_tables, .kind = KIND_ROUTE_TABLE, .doc = "Where a gateway's routes go."),
	P("SubnetId", subnets, .kind = KIND_SUBNET, .doc = "Where an interface goes."),
	P("SecurityGroupId", groups, .kind = KIND_SECURITY_GROUP, .doc = "Of the interfaces."),
	P("IpAddressType", ip_type, .words = ADDRESS_TYPES, .doc = "Of the interfaces."),
	P("DnsOptions.DnsRecordIpType", name_type, .words = NAME_TYPES, .doc = "Of its names."),
	P("PrivateDnsEnabled", private_names, .doc = "Whether the service's own name leads there."),
	P("ClientToken", client_token, .max = 64, .doc = "Same token, same answer."),
	TAG_SPECIFICATIONS(struct ec2_create_endpoint, tag_specs),
	ENDPOINT_UNBUILT,
	NOT_BUILT("ServiceNetworkArn|ResourceConfigurationArn|ServiceRegion"),
};
#undef P

static RESULT check_refs(struct ec2_call *e, const struct tables *t, enum kind kind, const struct refs *refs)
{
	const struct row *row = 0;
	for (size_t k = 0; k < refs->count; k++)
		TRY(engine_find(e->c, t, kind, &refs->at[k], &row));
	return OK;
}

static RESULT ec2_create_endpoint(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_endpoint *a = args;
	const struct tables *t = ec2_tables(e);
	struct tags tags = {0};
	(void) x;
	TRY(check_refs(e, t, KIND_ROUTER, &(struct refs){.at = &a->vpc, .count = 1}));
	TRY(check_refs(e, t, KIND_ROUTE_TABLE, &a->route_tables));
	TRY(check_refs(e, t, KIND_SUBNET, &a->subnets));
	TRY(check_refs(e, t, KIND_SECURITY_GROUP, &a->groups));
	TRY(ec2_take_tags(e, &a->tag_specs, "vpc-endpoint", "vpc-endpoint", &tags));
	return fail_no_service(e, a->service);
}

struct ec2_modify_endpoint {
	struct ref endpoint;
	struct str policy, ip_type, name_type;
	struct refs route_tables[2], subnets[2], groups[2];
	enum choice reset_policy, private_names;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_endpoint, wire, member, __VA_ARGS__)
static const struct param modify_endpoint_params[] = {
	P("VpcEndpointId", endpoint, .flags = REQUIRED, .prefix = "vpce", .doc = "The endpoint."),
	P("ResetPolicy", reset_policy, .doc = "Whether everything is allowed again."),
	P("PolicyDocument", policy, .max = POLICY_MAX, .doc = "Who may do what with the service."),
	P("AddRouteTableId", route_tables[0], .kind = KIND_ROUTE_TABLE, .doc = "To get its routes."),
	P("RemoveRouteTableId", route_tables[1], .kind = KIND_ROUTE_TABLE, .doc = "To lose them."),
	P("AddSubnetId", subnets[0], .kind = KIND_SUBNET, .doc = "To get an interface."),
	P("RemoveSubnetId", subnets[1], .kind = KIND_SUBNET, .doc = "To lose it."),
	P("AddSecurityGroupId", groups[0], .kind = KIND_SECURITY_GROUP, .doc = "For its interfaces."),
	P("RemoveSecurityGroupId", groups[1], .kind = KIND_SECURITY_GROUP, .doc = "No more for them."),
	P("IpAddressType", ip_type, .words = ADDRESS_TYPES, .doc = "Of the interfaces."),
	P("DnsOptions.DnsRecordIpType", name_type, .words = NAME_TYPES, .doc = "Of its names."),
	P("PrivateDnsEnabled", private_names, .doc = "Whether the service's own name leads there."),
	ENDPOINT_UNBUILT,
};
#undef P

static RESULT ec2_modify_endpoint(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_modify_endpoint *a = args;
	(void) x;
	return fail_no_endpoint(e, &a->endpoint);
}

struct ec2_delete_endpoints {
	struct refs endpoints;
};
static const struct param delete_endpoints_params[] = {
	PARAM(struct ec2_delete_endpoints, "VpcEndpointId", endpoints, .flags = REQUIRED, .prefix = "vpce",
	      .doc = "The endpoints."),
};

/* Ids that cannot be deleted are reported one by one; the call succeeds. */
static RESULT ec2_delete_endpoints(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_endpoints *a = args;
	xml_open(x, "unsuccessful");
	for (size_t k = 0; k < a->endpoints.count; k++) {
		struct str id = a->endpoints.at[k].text;
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
	{EC2_ACTION("DescribePrefixLists"),
	 .args = PARAMS(struct ec2_empty_list, describe_prefix_lists_params),
	 .answer = ec2_describe_prefix_lists, .filters = FILTERS(prefix_list_filters), .never = NO_SERVICES,
	 .doc = "Blocks of Amazon's own services."},
	{EC2_ACTION("DescribeVpcEndpoints"), .args = PARAMS(struct ec2_empty_list, describe_endpoints_params),
	 .answer = ec2_describe_endpoints, .filters = FILTERS(endpoint_filters), .never = NO_SERVICES,
	 .doc = "Endpoints in VPCs."},
	{EC2_ACTION("DescribeVpcEndpointConnections"),
	 .args = PARAMS(struct ec2_empty_list, describe_connections_params),
	 .answer = ec2_describe_connections, .filters = FILTERS(connection_filters), .never = NO_SERVICES,
	 .doc = "Endpoints that lead to the account's services."},
	{EC2_ACTION("DescribeVpcEndpointServices"),
	 .args = PARAMS(struct ec2_empty_list, describe_services_params), .answer = ec2_describe_services,
	 .filters = FILTERS(service_filters), .never = NO_SERVICES, .doc = "What endpoints can lead to."},
	{EC2_ACTION("CreateVpcEndpoint"), .args = PARAMS(struct ec2_create_endpoint, create_endpoint_params),
	 .answer = ec2_create_endpoint, .never = NO_SERVICES, .doc = "Makes an endpoint in a VPC."},
	{EC2_ACTION("ModifyVpcEndpoint"), .args = PARAMS(struct ec2_modify_endpoint, modify_endpoint_params),
	 .answer = ec2_modify_endpoint, .never = NO_SERVICES, .doc = "Changes an endpoint."},
	{EC2_ACTION("DeleteVpcEndpoints"),
	 .args = PARAMS(struct ec2_delete_endpoints, delete_endpoints_params), .answer = ec2_delete_endpoints,
	 .never = NO_SERVICES, .doc = "Deletes endpoints."},
};
const struct api_actions ec2_endpoint_actions = API_ACTIONS(actions);
