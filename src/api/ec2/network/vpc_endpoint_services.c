/* SPDX-License-Identifier: Apache-2.0
 * Services that VPC endpoints lead to: DescribePrefixLists, DescribeVpcEndpointServices. The region's own services answer at one
 * address. A gateway endpoint leads to that address, so a region whose URL has a name instead of an address offers interface
 * endpoints alone. Endpoint services of accounts are listed for those who may create endpoints of them. */
#include "api/ec2/core/empty_list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/vpc_endpoints.h"
#include "auth/guard/guard.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/region/region.h"
#include "store/endpoint_service.h"
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

struct strs ec2_list_principals(struct ec2_call *e)
{
	struct str *at = arena_new_array(e->c->arena, struct str, 2);
	if (!at || !e->c->who)
		return (struct strs){0};
	at[0] = guard_write_principal(e->c->who, e->c->arena);
	at[1] = guard_write_policy_principal(e->c->who, e->c->arena);
	return (struct strs){at, 2};
}

/* A service in one of the ways in which it is offered. */
struct shown_service {
	struct row row; /* no row of the store */
	enum vpc_endpoint_service service;
	enum vpc_endpoint_type type;
	const struct endpoint_service *offered; /* NULL: the region's own */
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

static bool fits_owner(const struct filter_run *f, const struct row *row)
{
	const struct endpoint_service *offered = ((const struct shown_service *) row)->offered;
	return offered ? filter_text(f, ec2_owner_number(f->t, offered->account)) : filter_z(f, "amazon");
}

/* Tags of a service are its owner's alone. */
static struct tags tags_of(struct ec2_call *e, const struct row *row)
{
	const struct endpoint_service *offered = ((const struct shown_service *) row)->offered;
	return offered && uuid_equal(offered->account, engine_get_account(e->c)) ? offered->tags
										 : (struct tags){0};
}

static bool fits_tag(const struct filter_run *f, const struct row *row)
{
	const struct tags tags = tags_of(f->e, row);
	for (size_t k = 0; k < tags.count; k++)
		if (str_equal(tags.at[k].key, f->tag_key) && filter_text(f, tags.at[k].value))
			return true;
	return false;
}

static bool fits_tag_key(const struct filter_run *f, const struct row *row)
{
	const struct tags tags = tags_of(f->e, row);
	for (size_t k = 0; k < tags.count; k++)
		if (filter_text(f, tags.at[k].key))
			return true;
	return false;
}

static const struct filter service_filters[] = {
	{"service-name", .get = fits_name},     {"service-type", .get = fits_type},
	{"owner", .get = fits_owner},           {"supported-ip-address-types", .fixed = "ipv4"},
	{"service-region", .get = fits_region}, {"tag:", .get = fits_tag},
	{"tag-key", .get = fits_tag_key},
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

/* Endpoint services that are offered to the caller, the caller's own among them. */
static RESULT find_offered(struct ec2_call *e, const struct strs *names, const struct filter_runs *runs,
			   struct shown_services *list)
{
	const struct tables *t = ec2_tables(e);
	const struct strs principals = ec2_list_principals(e);
	for (const struct endpoint_service *o = endpoint_service_first(t); o;
	     o = endpoint_service_next(t, o)) {
		if (!engine_may_connect(t, o, engine_get_account(e->c), principals))
			continue;
		struct shown_service *s = arena_new_object(e->c->arena, struct shown_service);
		if (!s)
			return ctx_no_memory(e->c);
		*s = (struct shown_service){.row.id = o->row.id,
					    .type = VPC_ENDPOINT_TYPE_INTERFACE,
					    .offered = o,
					    .name = engine_write_offered_name(t, e->c->arena, o->row.id),
					    .host = engine_write_offered_domain(t, e->c->arena, o->row.id)};
		if (names_service(names, s->name) && filters_fit(runs, t, &s->row) &&
		    !VEC_PUSH(e->c->arena, &list->at, &s->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

static void write_service_zones(struct ec2_call *e, struct xml *x, const struct shown_service *s)
{
	const struct strs zones = s->offered ? ec2_list_service_zones(e, s->offered) : (struct strs){0};
	xml_open(x, "availabilityZoneSet");
	for (size_t k = 0; k < zones.count; k++)
		xml_text(x, "item", zones.at[k]);
	const struct zone *zone = s->offered ? NULL : zone_first(ec2_tables(e));
	for (; zone; zone = zone_next(ec2_tables(e), zone))
		if (row_is_live(&zone->row) && zone->enabled)
			xml_text(x, "item", zone->name);
	xml_close(x, "availabilityZoneSet");
}

static void write_private_name(struct xml *x, struct str host)
{
	xml_text(x, "privateDnsName", host);
	xml_open(x, "privateDnsNameSet");
	xml_open(x, "item");
	xml_text(x, "privateDnsName", host);
	xml_close(x, "item");
	xml_close(x, "privateDnsNameSet");
	xml_z(x, "privateDnsNameVerificationState", "verified");
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
	write_service_zones(e, x, s);
	xml_text(x, "owner", s->offered ? ec2_owner_number(t, s->offered->account) : STR("amazon"));
	xml_open(x, "baseEndpointDnsNameSet");
	xml_text(x, "item",
		 is_interface && !s->offered ? engine_write_endpoint_domain(t, e->c->arena, s->service)
					     : s->host);
	xml_close(x, "baseEndpointDnsNameSet");
	if (is_interface && !s->offered)
		write_private_name(x, s->host);
	xml_bool(x, "vpcEndpointPolicySupported", !s->offered);
	xml_bool(x, "acceptanceRequired", s->offered && s->offered->needs_acceptance);
	xml_bool(x, "managesVpcEndpoints", false);
	ec2_write_tags(x, tags_of(e, &s->row));
	ec2_write_words(x, "supportedIpAddressTypeSet", "ipv4");
	xml_close(x, "item");
}

static RESULT check_names(struct ec2_call *e, const struct strs *names)
{
	enum vpc_endpoint_service service;
	const struct strs principals = ec2_list_principals(e);
	for (size_t k = 0; k < names->count; k++)
		if (!engine_find_offered(ec2_tables(e), e->c->arena, names->at[k], engine_get_account(e->c),
					 principals))
			TRY(ec2_find_endpoint_service(e, names->at[k], VPC_ENDPOINT_TYPE_INTERFACE,
						      &service));
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
	TRY(find_offered(e, &a->names, &runs, &list));
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

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribePrefixLists"),
	 .args = PARAMS(struct ec2_empty_list, describe_prefix_lists_params),
	 .answer = ec2_describe_prefix_lists, .filters = FILTERS(prefix_list_filters),
	 .doc = "Lists the address of the region's API as a prefix list, which gateway endpoints route to."},
	{EC2_ACTION("DescribeVpcEndpointServices"),
	 .args = PARAMS(struct ec2_empty_list, describe_services_params), .answer = ec2_describe_services,
	 .filters = FILTERS(service_filters), .doc = "Lists the services that VPC endpoints can connect to."},
};
const struct api_actions ec2_endpoint_service_actions = API_ACTIONS(actions);
