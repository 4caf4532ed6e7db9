/* SPDX-License-Identifier: Apache-2.0
 * Services that VPC endpoints lead to: DescribePrefixLists, DescribeVpcEndpointServices, and
 * DescribeVpcEndpointConnections, which is always empty. Services are the region's own; all of them answer at one address. A gateway
 * endpoint leads to that address, so a region whose URL has a name instead of an address offers interface endpoints alone. */
#include "api/ec2/core/empty_list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/vpc_endpoints.h"
#include "engine/region/region.h"
#include "store/zone.h"

/* ---- prefix lists ---- */

uuid ec2_get_api_prefix_list(const struct tables *t)
{
	return uuid_v5(engine_get_region_id(t), STR("API's prefix list"));
}

struct shown_list {
	struct row row; /* no row of the store */
	struct str name;
};

static bool fits_list_id(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_ADDRESS_GROUP, row->id);
}

static bool fits_list_name(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ((const struct shown_list *) row)->name);
}

static const struct filter prefix_list_filters[] = {
	{"prefix-list-id", .get = fits_list_id},
	{"prefix-list-name", .get = fits_list_name},
};

static const struct param describe_prefix_lists_params[] = {
	QUERY_IDS(struct ec2_empty_list, "PrefixListId", KIND_ADDRESS_GROUP, "Lists by id."),
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
};

static bool asks_for(const struct refs *ids, uuid id)
{
	bool asks = ids->count == 0;
	for (size_t k = 0; k < ids->count; k++)
		asks = asks || id_has_prefix(id, ids->at[k].prefix, ids->at[k].bits);
	return asks;
}

/* The region's own list. Prefix lists of accounts are shown by DescribeManagedPrefixLists. */
static RESULT ec2_describe_prefix_lists(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(prefix_list_filters);
	const struct ec2_empty_list *a = args;
	const struct tables *t = ec2_tables(e);
	struct filter_runs runs;
	const struct shown_list shown = {
		.row.id = ec2_get_api_prefix_list(t),
		.name = engine_write_service_name(t, e->c->arena, VPC_ENDPOINT_SERVICE_EC2)};
	const struct ip ip = engine_read_api_ip(e->config->endpoint);
	TRY(ec2_check_empty_list(e, &a->query, a->query.ids.count));
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	for (size_t k = 0; k < a->query.ids.count; k++)
		if (ip_is_none(ip) ||
		    !id_has_prefix(shown.row.id, a->query.ids.at[k].prefix, a->query.ids.at[k].bits))
			return engine_fail_not_found(e->c, KIND_ADDRESS_GROUP, &a->query.ids.at[k]);
	xml_open(x, "prefixListSet");
	if (!ip_is_none(ip) && asks_for(&a->query.ids, shown.row.id) && filters_fit(&runs, t, &shown.row)) {
		xml_open(x, "item");
		ec2_write_id(x, "prefixListId", KIND_ADDRESS_GROUP, shown.row.id);
		xml_text(x, "prefixListName", shown.name);
		xml_open(x, "cidrSet");
		ec2_write_cidr(x, "item", (struct cidr){ip, 32});
		xml_close(x, "cidrSet");
		xml_close(x, "item");
	}
	xml_close(x, "prefixListSet");
	return OK;
}

/* ---- services ---- */

/* A service in one of the ways in which it is offered. */
struct shown_service {
	struct row row; /* no row of the store */
	enum vpc_endpoint_service service;
	enum vpc_endpoint_type type;
	struct str name, host;
};

const char *const ec2_endpoint_type_words[] = {"Gateway", "Interface", NULL};

static bool is_offered(struct ec2_call *e, enum vpc_endpoint_service service, enum vpc_endpoint_type type)
{
	return type == VPC_ENDPOINT_TYPE_INTERFACE ||
	       (service == VPC_ENDPOINT_SERVICE_EC2 && !ip_is_none(engine_read_api_ip(e->config->endpoint)));
}

RESULT ec2_find_endpoint_service(struct ec2_call *e, struct str name, enum vpc_endpoint_type type,
				 enum vpc_endpoint_service *ret_service)
{
	for (int k = 0; vpc_endpoint_service_words[k]; k++) {
		struct str other = engine_write_service_name(ec2_tables(e), e->c->arena, k);
		if (str_equal(other, name) && is_offered(e, k, type)) {
			*ret_service = (enum vpc_endpoint_service) k;
			return OK;
		}
	}
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("ServiceName"),
			      "The Vpc Endpoint Service '%" STR_FMT "' does not exist", STR_ARG(name));
}

static bool fits_name(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ((const struct shown_service *) row)->name);
}

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, ec2_endpoint_type_words[((const struct shown_service *) row)->type]);
}

static bool fits_region(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, f->e->config->region);
}

static const struct filter service_filters[] = {
	{"service-name", .get = fits_name},     {"service-type", .get = fits_type},
	{"owner", .fixed = "amazon"},           {"supported-ip-address-types", .fixed = "ipv4"},
	{"service-region", .get = fits_region}, OF_NO_TAGS,
};

static const struct param describe_services_params[] = {
	PARAM(struct ec2_empty_list, "ServiceName", names, .doc = "Endpoint services by name."),
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
	NOT_BUILT("ServiceRegion"),
};

static bool names_service(const struct strs *names, struct str name)
{
	for (size_t k = 0; k < names->count; k++)
		if (str_equal(names->at[k], name))
			return true;
	return names->count == 0;
}

struct shown_services {
	VEC(const struct row *) at;
};

static RESULT find_services(struct ec2_call *e, const struct strs *names, const struct filter_runs *runs,
			    struct shown_services *list)
{
	const struct tables *t = ec2_tables(e);
	for (int k = 0; vpc_endpoint_service_words[k]; k++)
		for (int type = 0; ec2_endpoint_type_words[type]; type++) {
			struct shown_service *s = arena_new_object(e->c->arena, struct shown_service);
			if (!s)
				return ctx_no_memory(e->c);
			*s = (struct shown_service){.service = k,
						    .type = type,
						    .name = engine_write_service_name(t, e->c->arena, k),
						    .host = engine_write_service_host(t, e->c->arena, k)};
			s->row.id = uuid_v5(engine_get_region_id(t),
					    str_print(e->c->arena, "%" STR_FMT " %s", STR_ARG(s->name),
						      ec2_endpoint_type_words[type]));
			if (is_offered(e, k, type) && names_service(names, s->name) &&
			    filters_fit(runs, t, &s->row) && !VEC_PUSH(e->c->arena, &list->at, &s->row))
				return ctx_no_memory(e->c);
		}
	return OK;
}

static void write_service(struct ec2_call *e, struct xml *x, const struct shown_service *s)
{
	const struct tables *t = ec2_tables(e);
	bool is_interface = s->type == VPC_ENDPOINT_TYPE_INTERFACE;
	xml_open(x, "item");
	xml_text(x, "serviceName", s->name);
	ec2_write_prefixed(x, "serviceId", "vpce-svc", s->row.id);
	xml_open(x, "serviceType");
	xml_open(x, "item");
	xml_z(x, "serviceType", ec2_endpoint_type_words[s->type]);
	xml_close(x, "item");
	xml_close(x, "serviceType");
	xml_text(x, "serviceRegion", e->config->region);
	xml_open(x, "availabilityZoneSet");
	for (const struct zone *zone = zone_first(t); zone; zone = zone_next(t, zone))
		if (row_is_live(&zone->row) && zone->enabled)
			xml_text(x, "item", zone->name);
	xml_close(x, "availabilityZoneSet");
	xml_z(x, "owner", "amazon");
	xml_open(x, "baseEndpointDnsNameSet");
	xml_text(x, "item",
		 is_interface ? engine_write_endpoint_domain(t, e->c->arena, s->service) : s->host);
	xml_close(x, "baseEndpointDnsNameSet");
	if (is_interface) {
		xml_text(x, "privateDnsName", s->host);
		xml_open(x, "privateDnsNameSet");
		xml_open(x, "item");
		xml_text(x, "privateDnsName", s->host);
		xml_close(x, "item");
		xml_close(x, "privateDnsNameSet");
		xml_z(x, "privateDnsNameVerificationState", "verified");
	}
	xml_bool(x, "vpcEndpointPolicySupported", true);
	xml_bool(x, "acceptanceRequired", false);
	xml_bool(x, "managesVpcEndpoints", false);
	xml_empty(x, "tagSet");
	ec2_write_words(x, "supportedIpAddressTypeSet", "ipv4");
	xml_close(x, "item");
}

static RESULT check_names(struct ec2_call *e, const struct strs *names)
{
	enum vpc_endpoint_service service;
	for (size_t k = 0; k < names->count; k++)
		TRY(ec2_find_endpoint_service(e, names->at[k], VPC_ENDPOINT_TYPE_INTERFACE, &service));
	return OK;
}

static RESULT ec2_describe_services(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(service_filters);
	const struct ec2_empty_list *a = args;
	struct filter_runs runs;
	struct shown_services list = {0};
	struct query_page page;
	struct query q = {.c = e->c,
			  .limit = a->query.max_results ? (size_t) a->query.max_results : SIZE_MAX};
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(ec2_parse_token(e, a->query.next_token, &q.after));
	TRY(check_names(e, &a->names));
	TRY(find_services(e, &a->names, &runs, &list));
	q.given = (struct rows){list.at.at, list.at.count};
	TRY(query_run(&q, &page));
	xml_open(x, "serviceNameSet");
	for (size_t k = 0; k < page.count; k++)
		xml_text(x, "item", ((const struct shown_service *) page.rows[k])->name);
	xml_close(x, "serviceNameSet");
	xml_open(x, "serviceDetailSet");
	for (size_t k = 0; k < page.count; k++)
		write_service(e, x, (const struct shown_service *) page.rows[k]);
	xml_close(x, "serviceDetailSet");
	if (page.found > page.count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page.rows[page.count - 1])));
	return OK;
}

/* ---- connections ---- */

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

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribePrefixLists"),
	 .args = PARAMS(struct ec2_empty_list, describe_prefix_lists_params),
	 .answer = ec2_describe_prefix_lists, .filters = FILTERS(prefix_list_filters),
	 .doc = "Lists the address of the region's API as a prefix list, which gateway endpoints route to."},
	{EC2_ACTION("DescribeVpcEndpointServices"),
	 .args = PARAMS(struct ec2_empty_list, describe_services_params), .answer = ec2_describe_services,
	 .filters = FILTERS(service_filters), .doc = "Lists the services that VPC endpoints can connect to."},
	{EC2_ACTION("DescribeVpcEndpointConnections"),
	 .args = PARAMS(struct ec2_empty_list, describe_connections_params),
	 .answer = ec2_describe_connections, .filters = FILTERS(connection_filters),
	 .never = "endpoint services of accounts are not implemented",
	 .doc = "Lists endpoint connections to the account's own services."},
};
const struct api_actions ec2_endpoint_service_actions = API_ACTIONS(actions);
