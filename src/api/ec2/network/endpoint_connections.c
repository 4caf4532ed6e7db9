/* SPDX-License-Identifier: Apache-2.0
 * Allowed principals and connections of endpoint services: DescribeVpcEndpointServicePermissions,
 * ModifyVpcEndpointServicePermissions, DescribeVpcEndpointConnections, AcceptVpcEndpointConnections,
 * RejectVpcEndpointConnections. */
#include "api/ec2/core/empty_list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/vpc_endpoints.h"
#include "engine/network/routing/endpoint_service.h"
#include "store/endpoint_service.h"
#include "store/vpc_endpoint.h"

struct found_rows {
	VEC(const struct row *) at;
};

/* ---- permissions ---- */

struct shown_principal {
	struct row row; /* no row of the store */
	struct str principal;
	const char *type;
};

/* "All", "Account", "User" or "Role"; NULL: no principal that may be allowed. */
static const char *type_of(struct str principal)
{
	struct str begin = STR("arn:aws:iam::");
	size_t number = 0;
	if (str_is(principal, "*"))
		return "All";
	if (!str_starts_with(principal, begin))
		return NULL;
	struct str rest = str_slice(principal, begin.n, principal.n);
	while (number < rest.n && rest.p[number] >= '0' && rest.p[number] <= '9')
		number++;
	struct str name = str_slice(rest, number, rest.n);
	if (number != 12)
		return NULL;
	if (str_is(name, ":root"))
		return "Account";
	if (str_starts_with(name, STR(":user/")) && name.n > 6)
		return "User";
	return str_starts_with(name, STR(":role/")) && name.n > 6 ? "Role" : NULL;
}

static struct shown_principal show_principal(uuid service, struct str principal)
{
	return (struct shown_principal){
		.row.id = uuid_v5(service, principal), .principal = principal, .type = type_of(principal)};
}

static void write_principal(struct xml *x, uuid service, const struct shown_principal *p)
{
	xml_open(x, "item");
	xml_z(x, "principalType", p->type ? p->type : "All");
	xml_text(x, "principal", p->principal);
	ec2_write_prefixed(x, "servicePermissionId", "vpce-svc-perm", p->row.id);
	ec2_write_id(x, "serviceId", KIND_ENDPOINT_SERVICE, service);
}

static bool fits_principal(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ((const struct shown_principal *) row)->principal);
}

static bool fits_principal_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, ((const struct shown_principal *) row)->type);
}

static const struct filter principal_filters[] = {
	{"principal", .get = fits_principal},
	{"principal-type", .get = fits_principal_type},
};

struct ec2_describe_permissions {
	struct ec2_query query;
	struct ref service;
};
static const struct param describe_permissions_params[] = {
	PARAM(struct ec2_describe_permissions, "ServiceId", service, .flags = REQUIRED,
	      .kind = KIND_ENDPOINT_SERVICE, .doc = "The endpoint service."),
	QUERY_FILTERS(struct ec2_describe_permissions),
	QUERY_PAGES(struct ec2_describe_permissions, 5, 1000),
};

/* The page of the given rows that the query asks for. */
static RESULT find_page(struct ec2_call *e, const struct ec2_query *query, const struct found_rows *rows,
			struct query_page *ret_page)
{
	struct query q = {.c = e->c, .limit = query->max_results ? (size_t) query->max_results : SIZE_MAX};
	TRY(ec2_parse_token(e, query->next_token, &q.after));
	q.given = (struct rows){rows->at.at, rows->at.count};
	return query_run(&q, ret_page);
}

static void write_token(struct ec2_call *e, struct xml *x, const struct query_page *page)
{
	if (page->found > page->count)
		xml_text(x, "nextToken", ec2_make_token(e, row_place_of(page->rows[page->count - 1])));
}

static RESULT ec2_describe_permissions(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(principal_filters);
	const struct ec2_describe_permissions *a = args;
	const struct endpoint_service *service = NULL;
	struct filter_runs runs;
	struct found_rows rows = {0};
	struct query_page page;
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	TRY(engine_find_own_endpoint_service(e->c, ec2_tables(e), &a->service, &service));
	struct shown_principal *shown =
		arena_new_array(e->c->arena, struct shown_principal, service->principals.count + 1);
	for (size_t k = 0; shown && k < service->principals.count; k++) {
		shown[k] = show_principal(service->row.id, service->principals.at[k]);
		if (filters_fit(&runs, ec2_tables(e), &shown[k].row) &&
		    !VEC_PUSH(e->c->arena, &rows.at, &shown[k].row))
			return ctx_no_memory(e->c);
	}
	TRY(find_page(e, &a->query, &rows, &page));
	xml_open(x, "allowedPrincipals");
	for (size_t k = 0; k < page.count; k++) {
		write_principal(x, service->row.id, (const struct shown_principal *) page.rows[k]);
		xml_empty(x, "tagSet");
		xml_close(x, "item");
	}
	xml_close(x, "allowedPrincipals");
	write_token(e, x, &page);
	return OK;
}

static const struct param modify_permissions_params[] = {
	PARAM(struct endpoint_service_grants, "ServiceId", service, .flags = REQUIRED,
	      .kind = KIND_ENDPOINT_SERVICE, .doc = "The endpoint service."),
	PARAM(struct endpoint_service_grants, "AddAllowedPrincipals", added, .max = 2048,
	      .doc = "ARNs of accounts, users and roles that may create endpoints, or *."),
	PARAM(struct endpoint_service_grants, "RemoveAllowedPrincipals", removed, .max = 2048,
	      .doc = "Principals that may not create further endpoints."),
};

static RESULT check_principals(struct ec2_call *e, const struct strs *principals)
{
	for (size_t k = 0; k < principals->count; k++)
		if (!type_of(principals->at[k]))
			return ctx_fail_field(e->c, ERR_INVALID, STR("AllowedPrincipals"),
					      "Invalid Principal: '%" STR_FMT "'",
					      STR_ARG(principals->at[k]));
	return OK;
}

static RESULT prepare_permissions(struct ec2_call *e, void *args)
{
	struct endpoint_service_grants *a = args;
	TRY(check_principals(e, &a->added));
	TRY(check_principals(e, &a->removed));
	if (a->added.count + a->removed.count == 0)
		return ctx_fail_field(e->c, ERR_MISSING, STR("AddAllowedPrincipals"),
				      "Either AddAllowedPrincipals or RemoveAllowedPrincipals must be "
				      "specified.");
	return OK;
}

static RESULT ec2_modify_permissions(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct endpoint_service_grants *a = args;
	(void) e;
	xml_open(x, "addedPrincipalSet");
	for (size_t k = 0; k < a->added.count; k++) {
		const struct shown_principal shown = show_principal(a->changed, a->added.at[k]);
		write_principal(x, a->changed, &shown);
		xml_close(x, "item");
	}
	xml_close(x, "addedPrincipalSet");
	xml_bool(x, "return", true);
	return OK;
}

/* ---- connections ---- */

static bool fits_service(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_ENDPOINT_SERVICE, vpc_endpoint_of(row)->endpoint_service);
}

static bool fits_endpoint(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_VPC_ENDPOINT, row->id);
}

static bool fits_endpoint_owner(const struct filter_run *f, const struct row *row)
{
	return filter_text(f, ec2_owner_number(f->t, vpc_endpoint_of(row)->account));
}

static bool fits_endpoint_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, engine_get_endpoint_state(f->t, vpc_endpoint_of(row)));
}

static bool fits_endpoint_region(const struct filter_run *f, const struct row *row)
{
	(void) row;
	return filter_text(f, f->e->config->region);
}

static const struct filter connection_filters[] = {
	{"service-id", .get = fits_service},
	{"vpc-endpoint-owner", .get = fits_endpoint_owner},
	{"vpc-endpoint-state", .get = fits_endpoint_state},
	{"vpc-endpoint-id", .get = fits_endpoint},
	{"ip-address-type", .fixed = "ipv4"},
	FITS_NOTHING("transit-gateway-attachment-id"),
	{"vpc-endpoint-region", .get = fits_endpoint_region},
};

static const struct param describe_connections_params[] = {
	QUERY_FILTERS(struct ec2_empty_list),
	QUERY_PAGES(struct ec2_empty_list, 5, 1000),
};

static void write_connection(struct ec2_call *e, struct xml *x, const struct vpc_endpoint *v)
{
	const struct tables *t = ec2_tables(e);
	const struct endpoint_service *service = endpoint_service_find(t, v->endpoint_service);
	xml_open(x, "item");
	ec2_write_prefixed(x, "vpcEndpointConnectionId", "vpce-con", v->row.id);
	ec2_write_id(x, "serviceId", KIND_ENDPOINT_SERVICE, v->endpoint_service);
	ec2_write_id(x, "vpcEndpointId", KIND_VPC_ENDPOINT, v->row.id);
	xml_text(x, "vpcEndpointOwner", ec2_owner_number(t, v->account));
	xml_z(x, "vpcEndpointState", engine_get_endpoint_state(t, v));
	xml_time_ms(x, "creationTimestamp", v->row.created_us);
	xml_open(x, "dnsEntrySet");
	xml_open(x, "item");
	xml_text(x, "dnsName", ec2_write_endpoint_name(e, v));
	xml_close(x, "item");
	xml_close(x, "dnsEntrySet");
	xml_open(x, "networkLoadBalancerArnSet");
	const struct strs arns = service ? ec2_list_service_balancers(e, service) : (struct strs){0};
	for (size_t k = 0; k < arns.count; k++)
		xml_text(x, "item", arns.at[k]);
	xml_close(x, "networkLoadBalancerArnSet");
	xml_z(x, "ipAddressType", "ipv4");
	xml_empty(x, "tagSet");
	xml_close(x, "item");
}

static RESULT ec2_describe_connections(struct ec2_call *e, const void *args, struct xml *x)
{
	static const struct filters filters = FILTERS(connection_filters);
	const struct ec2_empty_list *a = args;
	const struct tables *t = ec2_tables(e);
	struct filter_runs runs;
	struct found_rows rows = {0};
	struct query_page page;
	TRY(filters_compile(e, KIND_NONE, &filters, &a->query.filters, &runs));
	for (const struct vpc_endpoint *v = vpc_endpoint_first_by_provider(t, engine_get_account(e->c)); v;
	     v = vpc_endpoint_next_by_provider(t, v))
		if (!uuid_is_none(v->provider) && endpoint_service_find(t, v->endpoint_service) &&
		    filters_fit(&runs, t, &v->row) && !VEC_PUSH(e->c->arena, &rows.at, &v->row))
			return ctx_no_memory(e->c);
	TRY(find_page(e, &a->query, &rows, &page));
	xml_open(x, "vpcEndpointConnectionSet");
	for (size_t k = 0; k < page.count; k++)
		write_connection(e, x, vpc_endpoint_of(page.rows[k]));
	xml_close(x, "vpcEndpointConnectionSet");
	write_token(e, x, &page);
	return OK;
}

/* ---- answers ---- */

struct ec2_answer_connections {
	struct connection_answers wish;
	struct refs endpoints;
};
#define ANSWER_PARAMS(words)                                                                                 \
	{                                                                                                    \
		PARAM(struct ec2_answer_connections, "ServiceId", wish.service, .flags = REQUIRED,           \
		      .kind = KIND_ENDPOINT_SERVICE, .doc = "The endpoint service."),                        \
			PARAM(struct ec2_answer_connections, "VpcEndpointId", endpoints, .flags = REQUIRED,  \
			      .kind = KIND_VPC_ENDPOINT, .doc = words),                                      \
	}
static const struct param accept_params[] = ANSWER_PARAMS("Endpoints to connect to the service.");
static const struct param reject_params[] = ANSWER_PARAMS("Endpoints to disconnect from the service.");

static RESULT prepare_answer(struct ec2_call *e, struct ec2_answer_connections *a, bool accepts)
{
	a->wish.accepts = accepts;
	a->wish.count = a->endpoints.count;
	a->wish.at = arena_new_array(e->c->arena, struct connection_answer, a->wish.count);
	if (!a->wish.at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < a->wish.count; k++)
		a->wish.at[k].endpoint = a->endpoints.at[k];
	return OK;
}

static RESULT prepare_accept(struct ec2_call *e, void *args)
{
	return prepare_answer(e, args, true);
}

static RESULT prepare_reject(struct ec2_call *e, void *args)
{
	return prepare_answer(e, args, false);
}

/* Endpoints that do not exist, or not at the service, are reported one by one; the call succeeds. */
static RESULT ec2_answer_connections(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_answer_connections *a = args;
	xml_open(x, "unsuccessful");
	for (size_t k = 0; k < a->wish.count; k++)
		if (a->wish.at[k].is_absent)
			ec2_write_unsuccessful(e, x, "InvalidVpcEndpoint.NotFound",
					       "The VpcEndpoint '%" STR_FMT "' does not exist",
					       a->wish.at[k].endpoint.text);
	xml_close(x, "unsuccessful");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeVpcEndpointServicePermissions"),
	 .args = PARAMS(struct ec2_describe_permissions, describe_permissions_params),
	 .answer = ec2_describe_permissions, .filters = FILTERS(principal_filters),
	 .doc = "Lists who may create endpoints of an endpoint service."},
	{EC2_ACTION("ModifyVpcEndpointServicePermissions"), .flags = API_WRITES,
	 .args = PARAMS(struct endpoint_service_grants, modify_permissions_params),
	 .prepare = prepare_permissions, .operation = engine_grant_endpoint_service_run,
	 .answer = ec2_modify_permissions,
	 .doc = "Changes who may create endpoints of an endpoint service. Existing endpoints stay."},
	{EC2_ACTION("DescribeVpcEndpointConnections"),
	 .args = PARAMS(struct ec2_empty_list, describe_connections_params),
	 .answer = ec2_describe_connections, .filters = FILTERS(connection_filters),
	 .doc = "Lists endpoint connections to the account's own services."},
	{EC2_ACTION("AcceptVpcEndpointConnections"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_answer_connections, accept_params), .prepare = prepare_accept,
	 .operation = engine_answer_endpoint_connections_run, .answer = ec2_answer_connections,
	 .doc = "Connects endpoints that wait for acceptance, or were rejected."},
	{EC2_ACTION("RejectVpcEndpointConnections"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_answer_connections, reject_params), .prepare = prepare_reject,
	 .operation = engine_answer_endpoint_connections_run, .answer = ec2_answer_connections,
	 .doc = "Rejects endpoints that wait for acceptance, and disconnects accepted ones."},
};
const struct api_actions ec2_endpoint_connection_actions = API_ACTIONS(actions);
