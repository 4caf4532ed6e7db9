/* SPDX-License-Identifier: Apache-2.0
 * Endpoint services of accounts: CreateVpcEndpointServiceConfiguration, DescribeVpcEndpointServiceConfigurations,
 * ModifyVpcEndpointServiceConfiguration, DeleteVpcEndpointServiceConfigurations, and
 * StartVpcEndpointServicePrivateDnsVerification, which is refused. Permissions and connections of services:
 * endpoint_connections.c. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/vpc_endpoints.h"
#include "engine/balancing/balancing.h"
#include "engine/network/routing/endpoint_service.h"
#include "store/elastic_load_balancer.h"
#include "store/endpoint_service.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/zone.h"

/* ---- members ---- */

struct strs ec2_list_service_balancers(struct ec2_call *e, const struct endpoint_service *service)
{
	struct str *arns = arena_new_array(e->c->arena, struct str, service->balancers.count);
	size_t count = 0;
	for (size_t k = 0; arns && k < service->balancers.count; k++) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find(ec2_tables(e), service->balancers.at[k]);
		if (b)
			arns[count++] =
				engine_write_balancing_arn(ec2_tables(e), e->c->arena, e->config->region,
							   ec2_owner_number(ec2_tables(e), b->account),
							   KIND_ELASTIC_LOAD_BALANCER, &b->row);
	}
	return (struct strs){arns, count};
}

struct strs ec2_list_service_zones(struct ec2_call *e, const struct endpoint_service *service)
{
	const struct tables *t = ec2_tables(e);
	struct str *names = arena_new_array(e->c->arena, struct str, service->legs.count);
	size_t count = 0;
	for (size_t k = 0; names && k < service->legs.count; k++) {
		const struct port *leg = port_find(t, service->legs.at[k]);
		const struct subnet *subnet = leg ? subnet_find(t, leg->subnet) : NULL;
		const struct zone *zone = subnet ? zone_find(t, subnet->zone) : NULL;
		if (zone)
			names[count++] = zone->name;
	}
	return (struct strs){names, count};
}

static struct strs list_balancers(struct api_call *e, const struct row *row)
{
	return ec2_list_service_balancers((struct ec2_call *) e, endpoint_service_of(row));
}

static struct strs list_zones(struct api_call *e, const struct row *row)
{
	return ec2_list_service_zones((struct ec2_call *) e, endpoint_service_of(row));
}

static struct strs list_one(struct api_call *e, struct str text)
{
	struct str *at = arena_new_object(e->c->arena, struct str);
	if (at)
		*at = text;
	return (struct strs){at, at != NULL};
}

static struct strs list_domain(struct api_call *e, const struct row *row)
{
	return list_one(e, engine_write_offered_domain(api_tables(e), e->c->arena, row->id));
}

static struct strs list_families(struct api_call *e, const struct row *row)
{
	(void) row;
	return list_one(e, STR("ipv4"));
}

ATTRIBUTE_GETTER(endpoint_service, s, struct str, get_name,
		 engine_write_offered_name(api_tables(e), e->c->arena, s->row.id))

static struct attribute_rows list_types(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, 1, sizeof *row);
}

static const struct attribute type_rows[] = {ATTRIBUTE_CONST("serviceType", "Interface")};
static const struct attributes type_members = ATTRIBUTES(type_rows);
static const struct attribute service_rows[] = {
	ATTRIBUTE_ROWS("serviceType", type_members, list_types),
	ATTRIBUTE_OWN_ID(endpoint_service, "serviceId", KIND_ENDPOINT_SERVICE, .filter = "service-id"),
	ATTRIBUTE_MADE(TEXT, text, "serviceName", get_name, .filter = "service-name"),
	ATTRIBUTE_CONST("serviceState", "Available", .filter = "service-state"),
	ATTRIBUTE_MADE(TEXTS, texts, "availabilityZoneSet", list_zones),
	ATTRIBUTE(endpoint_service, "acceptanceRequired", needs_acceptance),
	ATTRIBUTE_CONST("managesVpcEndpoints", "false"),
	ATTRIBUTE_MADE(TEXTS, texts, "networkLoadBalancerArnSet", list_balancers),
	ATTRIBUTE_MADE(TEXTS, texts, "supportedIpAddressTypeSet", list_families),
	ATTRIBUTE_MADE(TEXTS, texts, "baseEndpointDnsNameSet", list_domain),
	ATTRIBUTE(endpoint_service, "tagSet", tags),
};
static const struct attributes service_members = ATTRIBUTES(service_rows);
static const struct filter service_filters[] = {
	{"supported-ip-address-types", .fixed = "ipv4"},
};

static const struct ec2_listing service_listing = {.kind = KIND_ENDPOINT_SERVICE,
						   .set = "serviceConfigurationSet",
						   .filters = FILTERS_AND(service_filters, service_members),
						   .attributes = &service_members};

/* ---- describe ---- */

struct ec2_describe_configurations {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_configurations, "ServiceId", KIND_ENDPOINT_SERVICE, "Services by id."),
	QUERY_FILTERS(struct ec2_describe_configurations),
	QUERY_PAGES(struct ec2_describe_configurations, 5, 1000),
};

/* ---- creating, changing ---- */

/* Refs to load balancers of the caller by their ARNs. */
static RESULT find_balancers(struct ec2_call *e, const struct strs *arns, const char *field,
			     struct refs *ret_refs)
{
	struct ref *at = arena_new_array(e->c->arena, struct ref, arns->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < arns->count; k++) {
		struct str arn = arns->at[k];
		const struct row *row = engine_find_balancing_arn(ec2_tables(e), e->c, e->config->region,
								  KIND_ELASTIC_LOAD_BALANCER, arn);
		if (!str_starts_with(arn, STR("arn:aws:elasticloadbalancing:")))
			return ctx_fail_field(e->c, ERR_MALFORMED, STR("NetworkLoadBalancerArn"),
					      "The network load balancer ARN '%" STR_FMT "' is malformed",
					      STR_ARG(arn));
		if (!row)
			return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("NetworkLoadBalancerArn"),
					      "The network load balancer '%" STR_FMT "' does not exist",
					      STR_ARG(arn));
		at[k] = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, row->id);
		at[k].text = arn;
		at[k].field = str_from(field);
	}
	*ret_refs = (struct refs){at, arns->count};
	return OK;
}

static RESULT check_families(struct ec2_call *e, const struct strs *families, const char *field)
{
	for (size_t k = 0; k < families->count; k++)
		if (!str_is(families->at[k], "ipv4"))
			return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
					      "%s %" STR_FMT " is not supported: services have IPv4 alone.",
					      field, STR_ARG(families->at[k]));
	return OK;
}

struct ec2_create_configuration {
	struct endpoint_service_wish wish;
	struct strs balancers, families;
	enum choice needs_acceptance;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_configuration, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("NetworkLoadBalancerArn", balancers, .flags = REQUIRED, .min = 1, .max = 512,
	  .doc = "Network load balancers of one VPC, each in zones of its own."),
	P("AcceptanceRequired", needs_acceptance,
	  .doc = "Whether an endpoint connects only after AcceptVpcEndpointConnections; absent: true."),
	P("SupportedIpAddressType", families, .words = "ipv4|ipv6",
	  .doc = "Address families of the service: ipv4."),
	P("ClientToken", wish.client_token, .max = 64, .doc = "Idempotency token of the request."),
	TAG_SPECIFICATIONS(struct ec2_create_configuration, tag_specs),
	NOT_BUILT("PrivateDnsName|GatewayLoadBalancerArn|SupportedRegion"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_configuration *a = args;
	a->wish.needs_acceptance = a->needs_acceptance != CHOICE_NO;
	TRY(check_families(e, &a->families, "SupportedIpAddressType"));
	return find_balancers(e, &a->balancers, "NetworkLoadBalancerArn", &a->wish.balancers);
}

static RESULT ec2_create_configuration(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_configuration *a = args;
	TRY(ec2_write_returned(e, &service_listing, a->wish.service, "serviceConfiguration", x));
	xml_text_opt(x, "clientToken", a->wish.client_token);
	return OK;
}

struct ec2_modify_configuration {
	struct endpoint_service_change wish;
	struct strs added, removed, families;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_configuration, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("ServiceId", wish.service, .flags = REQUIRED, .kind = KIND_ENDPOINT_SERVICE,
	  .doc = "The endpoint service."),
	P("AcceptanceRequired", wish.needs_acceptance,
	  .doc = "Whether later endpoints connect only after AcceptVpcEndpointConnections."),
	P("AddNetworkLoadBalancerArn", added, .min = 1, .max = 512,
	  .doc = "Network load balancers to add, of the service's VPC."),
	P("RemoveNetworkLoadBalancerArn", removed, .min = 1, .max = 512,
	  .doc = "Network load balancers to remove."),
	P("AddSupportedIpAddressType", families, .words = "ipv4|ipv6",
	  .doc = "Address families to add; every service has ipv4."),
	NOT_BUILT("RemovePrivateDnsName", .only = "false"),
	NOT_BUILT("PrivateDnsName|AddGatewayLoadBalancerArn|RemoveGatewayLoadBalancerArn|"
		  "RemoveSupportedIpAddressType|AddSupportedRegion|RemoveSupportedRegion"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_configuration *a = args;
	TRY(check_families(e, &a->families, "AddSupportedIpAddressType"));
	TRY(find_balancers(e, &a->added, "AddNetworkLoadBalancerArn", &a->wish.balancers_added));
	return find_balancers(e, &a->removed, "RemoveNetworkLoadBalancerArn", &a->wish.balancers_removed);
}

/* ---- deleting ---- */

struct ec2_delete_configurations {
	struct endpoint_service_deletions wish;
	struct refs services;
};
static const struct param delete_params[] = {
	PARAM(struct ec2_delete_configurations, "ServiceId", services, .flags = REQUIRED,
	      .kind = KIND_ENDPOINT_SERVICE,
	      .doc = "Endpoint services to delete. Endpoints must be rejected or deleted first."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_configurations *a = args;
	a->wish.count = a->services.count;
	a->wish.at = arena_new_array(e->c->arena, struct endpoint_service_deletion, a->wish.count);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->wish.count; k++)
		a->wish.at[k].service = a->services.at[k];
	return OK;
}

void ec2_write_unsuccessful(struct ec2_call *e, struct xml *x, const char *code, const char *says,
			    struct str id)
{
	xml_open(x, "item");
	xml_open(x, "error");
	xml_z(x, "code", code);
	xml_text(x, "message", str_print(e->c->arena, says, STR_ARG(id)));
	xml_close(x, "error");
	xml_text(x, "resourceId", id);
	xml_close(x, "item");
}

/* Ids that cannot be deleted are reported one by one; the call succeeds. */
static RESULT ec2_delete_configurations(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_delete_configurations *a = args;
	xml_open(x, "unsuccessful");
	for (size_t k = 0; k < a->wish.count; k++) {
		const struct endpoint_service_deletion *d = &a->wish.at[k];
		if (d->failure == ERR_NOT_FOUND)
			ec2_write_unsuccessful(e, x, "InvalidVpcEndpointService.NotFound",
					       "The VpcEndpointService Id '%" STR_FMT "' does not exist",
					       d->service.text);
		else if (d->failure == ERR_IN_USE)
			ec2_write_unsuccessful(e, x, "ExistingVpcEndpointConnections",
					       "Service %" STR_FMT
					       " has existing active VPC Endpoint connections!",
					       d->service.text);
	}
	xml_close(x, "unsuccessful");
	return OK;
}

/* ---- private names ---- */

struct ec2_verify_name {
	struct ref service;
};
static const struct param verify_params[] = {
	PARAM(struct ec2_verify_name, "ServiceId", service, .flags = REQUIRED, .kind = KIND_ENDPOINT_SERVICE,
	      .doc = "The endpoint service, which has no private DNS name."),
};

static RESULT ec2_verify_name(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_verify_name *a = args;
	const struct endpoint_service *service = NULL;
	(void) x;
	TRY(engine_find_own_endpoint_service(e->c, ec2_tables(e), &a->service, &service));
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("ServiceId"),
			      "Private DNS names of endpoint services are not supported: %" STR_FMT
			      " has none to verify.",
			      STR_ARG(a->service.text));
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcEndpointServiceConfigurations"),
	 .args = PARAMS(struct ec2_describe_configurations, describe_params), .list = &service_listing,
	 .doc = "Lists the account's own endpoint services."},
	{EC2_ACTION("CreateVpcEndpointServiceConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_configuration, create_params), .prepare = prepare_create,
	 .operation = engine_create_endpoint_service_run, .returns = KIND_ENDPOINT_SERVICE,
	 .answer = ec2_create_configuration,
	 EC2_TAGS(struct ec2_create_configuration, "vpc-endpoint-service"),
	 EC2_DIGEST(struct ec2_create_configuration),
	 .doc = "Offers network load balancers to VPC endpoints of other VPCs and accounts."},
	{EC2_ACTION("ModifyVpcEndpointServiceConfiguration"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_configuration, modify_params), .prepare = prepare_modify,
	 .operation = engine_change_endpoint_service_run, .doc = "Changes an endpoint service."},
	{EC2_ACTION("DeleteVpcEndpointServiceConfigurations"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_configurations, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_endpoint_services_run, .answer = ec2_delete_configurations,
	 .doc = "Deletes endpoint services."},
	{EC2_ACTION("StartVpcEndpointServicePrivateDnsVerification"),
	 .args = PARAMS(struct ec2_verify_name, verify_params), .answer = ec2_verify_name,
	 .doc = "Always refused: endpoint services have no private DNS names."},
};
const struct api_actions ec2_endpoint_configuration_actions = API_ACTIONS(actions);
