/* SPDX-License-Identifier: Apache-2.0
 * VPC endpoints, their interfaces and their names. */
#include "engine/network/routing/vpc_endpoint.h"

#include <string.h>

#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/route_table_internal.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "engine/tag_internal.h"
#include "model/id.h"
#include "store/endpoint_service.h"
#include "store/port.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

#define ENDPOINT_METER STR("vpc-endpoint")
#define FRONT_OWNER "network:vpc_endpoint"
enum { TABLES_MAX = 100 /* in one endpoint; the schema says so too */ };

/* ---- names ---- */

static struct str word_of(enum vpc_endpoint_service service)
{
	return str_from(vpc_endpoint_service_words[service]);
}

/* IAM has one name for all regions. */
struct str engine_write_service_name(const struct tables *t, struct arena *a,
				     enum vpc_endpoint_service service)
{
	if (service == VPC_ENDPOINT_SERVICE_IAM)
		return STR("com.amazonaws.iam");
	return str_print(a, "com.amazonaws.%" STR_FMT ".%" STR_FMT, STR_ARG(engine_get_region_name(t)),
			 STR_ARG(word_of(service)));
}

struct str engine_write_service_host(const struct tables *t, struct arena *a,
				     enum vpc_endpoint_service service)
{
	if (service == VPC_ENDPOINT_SERVICE_IAM)
		return STR("iam.amazonaws.com");
	return str_print(a, "%" STR_FMT ".%" STR_FMT ".amazonaws.com", STR_ARG(word_of(service)),
			 STR_ARG(engine_get_region_name(t)));
}

struct str engine_write_endpoint_domain(const struct tables *t, struct arena *a,
					enum vpc_endpoint_service service)
{
	return str_print(a, "%" STR_FMT ".%" STR_FMT ".vpce.amazonaws.com", STR_ARG(word_of(service)),
			 STR_ARG(engine_get_region_name(t)));
}

static bool is_offered(const struct vpc_endpoint *e)
{
	return !uuid_is_none(e->endpoint_service);
}

struct str engine_write_service_of(const struct tables *t, struct arena *a, const struct vpc_endpoint *e)
{
	return is_offered(e) ? engine_write_offered_name(t, a, e->endpoint_service)
			     : engine_write_service_name(t, a, e->service);
}

struct str engine_write_domain_of(const struct tables *t, struct arena *a, const struct vpc_endpoint *e)
{
	return is_offered(e) ? engine_write_offered_domain(t, a, e->endpoint_service)
			     : engine_write_endpoint_domain(t, a, e->service);
}

/* "vpce-0123456789abcdef0.ec2.us-east-1.vpce.amazonaws.com" */
static bool has_own_name(const struct tables *t, struct arena *a, const struct vpc_endpoint *endpoint,
			 struct str name)
{
	struct str domain = engine_write_domain_of(t, a, endpoint);
	struct str own =
		str_print(a, "%" STR_FMT ".%" STR_FMT,
			  STR_ARG(id_to_ec2(a, KIND_VPC_ENDPOINT, endpoint->row.id)), STR_ARG(domain));
	return str_equal_nocase(own, name);
}

const struct vpc_endpoint *engine_find_endpoint_by_host(const struct tables *t, struct arena *a, uuid router,
							struct str name)
{
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(t, router); e;
	     e = vpc_endpoint_next_by_router(t, e)) {
		if (e->type != VPC_ENDPOINT_TYPE_INTERFACE)
			continue;
		bool is_private = e->private_names &&
				  str_equal_nocase(engine_write_service_host(t, a, e->service), name);
		if (is_private || has_own_name(t, a, e, name))
			return e;
	}
	return NULL;
}

struct ip engine_read_api_ip(struct str url)
{
	struct ip ip = {0};
	size_t from = str_find_char(url, '/', 0);
	from = from + 1 < url.n ? from + 2 : 0; /* behind "https://" */
	size_t to = from;
	while (to < url.n && url.p[to] != ':' && url.p[to] != '/')
		to++;
	IGNORE(ip_parse(str_slice(url, from, to), &ip)); /* a name: none */
	return ip;
}

/* ---- finding ---- */

/* The endpoint whose interface the port is, or NULL. */
static const struct vpc_endpoint *find_of_port(const struct tables *t, const struct port *port)
{
	uuid id;
	if (!result_is_ok(uuid_parse(port->device_id, &id)))
		return NULL;
	const struct vpc_endpoint *endpoint = vpc_endpoint_find(t, id);
	return endpoint && uuids_have(&endpoint->fronts, port->row.id) ? endpoint : NULL;
}

bool engine_is_endpoint_port(const struct tables *t, const struct port *port)
{
	return find_of_port(t, port) != NULL;
}

bool engine_is_offered_port(const struct tables *t, const struct port *port)
{
	const struct vpc_endpoint *endpoint = find_of_port(t, port);
	return endpoint && is_offered(endpoint);
}

const struct vpc_endpoint *engine_find_gateway_endpoint(const struct tables *t, uuid router, uuid table)
{
	const struct vpc_endpoint *e = vpc_endpoint_first_by_router(t, router);
	while (e && !uuids_have(&e->tables, table))
		e = vpc_endpoint_next_by_router(t, e);
	return e;
}

static bool has_front_at(const struct tables *t, const struct vpc_endpoint *e, struct ip at)
{
	for (size_t k = 0; k < e->fronts.count; k++) {
		const struct port *port = port_find(t, e->fronts.at[k]);
		if (port && ip_equal(port->ip, at))
			return true;
	}
	return false;
}

/* Route table of the subnet with the address. */
static uuid find_table_of(const struct tables *t, const struct router *router, struct ip ip)
{
	for (const struct subnet *s = subnet_first_by_router(t, router->row.id); s;
	     s = subnet_next_by_router(t, s))
		if (cidr_contains(s->block, ip) && !uuid_is_none(s->route_table))
			return s->route_table;
	return router->main_route_table;
}

const struct vpc_endpoint *engine_find_endpoint_of_guest(const struct tables *t, uuid router, struct ip at,
							 struct ip guest)
{
	const struct router *row = router_find(t, router);
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(t, router); e;
	     e = vpc_endpoint_next_by_router(t, e))
		if (has_front_at(t, e, at))
			return e;
	return row ? engine_find_gateway_endpoint(t, router, find_table_of(t, row, guest)) : NULL;
}

bool engine_is_endpoint_ready(const struct tables *t, const struct vpc_endpoint *endpoint)
{
	for (size_t k = 0; k < endpoint->fronts.count; k++) {
		const struct port *port = port_find(t, endpoint->fronts.at[k]);
		if (!port || port->seen_gen == 0)
			return false;
	}
	return true;
}

const char *engine_get_endpoint_state(const struct tables *t, const struct vpc_endpoint *endpoint)
{
	if (endpoint->acceptance == VPC_ENDPOINT_ACCEPTANCE_PENDING)
		return "pendingAcceptance";
	if (endpoint->acceptance == VPC_ENDPOINT_ACCEPTANCE_REJECTED)
		return "rejected";
	return engine_is_endpoint_ready(t, endpoint) ? "available" : "pending";
}

/* ---- route tables ---- */

struct id_list {
	uuid at[TABLES_MAX];
	size_t count;
};

static bool is_listed(const struct id_list *list, uuid id)
{
	return uuids_have(&(const struct uuids){(uuid *) list->at, list->count}, id);
}

static void drop(struct id_list *list, uuid id)
{
	size_t count = 0;
	for (size_t k = 0; k < list->count; k++)
		if (!uuid_equal(list->at[k], id))
			list->at[count++] = list->at[k];
	list->count = count;
}

static struct id_list copy_ids(const struct uuids *from)
{
	struct id_list list = {0};
	for (; list.count < from->count && list.count < TABLES_MAX; list.count++)
		list.at[list.count] = from->at[list.count];
	return list;
}

static RESULT find_table(struct op *op, const struct vpc_endpoint *endpoint, const struct ref *ref,
			 const char *permission, const struct route_table **ret_table)
{
	TRY(engine_find_own_route_table(op->ctx, op->head, ref, ret_table));
	if (!uuid_equal((*ret_table)->router, endpoint->router))
		return engine_fail_not_found(op->ctx, KIND_ROUTE_TABLE, ref);
	return engine_permit(op, permission, KIND_ROUTE_TABLE, &(*ret_table)->row);
}

static RESULT add_tables(struct op *op, const struct vpc_endpoint *endpoint, const struct refs *refs,
			 const char *permission, struct id_list *list)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct route_table *table = NULL;
		TRY(find_table(op, endpoint, &refs->at[k], permission, &table));
		const struct vpc_endpoint *other =
			engine_find_gateway_endpoint(op->head, endpoint->router, table->row.id);
		if (is_listed(list, table->row.id) || list->count == TABLES_MAX ||
		    (other && !uuid_equal(other->row.id, endpoint->row.id)))
			return ENGINE_FAIL(
				op, ERR_EXISTS, KIND_ROUTE, refs->at[k].field,
				"route table %" STR_FMT
				" already has a route with destination-prefix-list-id of the service",
				STR_ARG(refs->at[k].text));
		list->at[list->count++] = table->row.id;
	}
	return OK;
}

static RESULT remove_tables(struct op *op, const struct vpc_endpoint *endpoint, const struct refs *refs,
			    const char *permission, struct id_list *list)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct route_table *table = NULL;
		TRY(find_table(op, endpoint, &refs->at[k], permission, &table));
		drop(list, table->row.id);
	}
	return OK;
}

/* ---- interfaces ---- */

static const struct port *find_front(const struct tables *t, const struct id_list *fronts, uuid subnet)
{
	for (size_t k = 0; k < fronts->count; k++) {
		const struct port *port = port_find(t, fronts->at[k]);
		if (port && uuid_equal(port->subnet, subnet))
			return port;
	}
	return NULL;
}

static RESULT find_subnet(struct op *op, const struct vpc_endpoint *endpoint, const struct ref *ref,
			  const char *permission, const struct subnet **ret_subnet)
{
	TRY(engine_find_own_subnet(op->ctx, op->head, ref, ret_subnet));
	if (!uuid_equal((*ret_subnet)->router, endpoint->router) || (*ret_subnet)->block.base.family == IP_V6)
		return engine_fail_not_found(op->ctx, KIND_SUBNET, ref);
	return engine_permit(op, permission, KIND_SUBNET, &(*ret_subnet)->row);
}

/* An endpoint has one interface in a zone. */
static RESULT check_zone(struct op *op, const struct id_list *fronts, const struct subnet *subnet,
			 struct str field)
{
	for (size_t k = 0; k < fronts->count; k++) {
		const struct port *port = port_find(op->head, fronts->at[k]);
		const struct subnet *other = port ? subnet_find(op->head, port->subnet) : NULL;
		if (other && uuid_equal(other->zone, subnet->zone))
			return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VPC_ENDPOINT, field,
					   "Found another VPC endpoint subnet in the availability zone of "
					   "subnet %" STR_FMT ".",
					   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
	}
	return OK;
}

/* The endpoint's interface connects to the service's in the same zone. */
static RESULT check_offered_zone(struct op *op, const struct vpc_endpoint *endpoint,
				 const struct subnet *subnet, struct str field)
{
	const struct endpoint_service *service = endpoint_service_find(op->head, endpoint->endpoint_service);
	if (!service || engine_find_service_leg(op->head, service, subnet->zone))
		return OK;
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_ENDPOINT_SERVICE, field,
		"The VPC endpoint service %" STR_FMT
		" does not support the availability zone of the subnet: %" STR_FMT ".",
		STR_ARG(engine_write_offered_name(op->head, op->ctx->arena, endpoint->endpoint_service)),
		STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

static RESULT make_front(struct op *op, const struct vpc_endpoint *endpoint, const struct subnet *subnet,
			 struct str field, uuid *ret_front)
{
	struct port port = port_new_in(subnet, endpoint->account);
	port.description = str_print(op->ctx->arena, "VPC Endpoint Interface %" STR_FMT,
				     STR_ARG(engine_write_id(op, KIND_VPC_ENDPOINT, endpoint->row.id)));
	port.device_owner = STR(FRONT_OWNER);
	port.device_id = uuid_to_str(op->ctx->arena, endpoint->row.id);
	port.groups = endpoint->groups;
	TRY(quota_check(op, endpoint->account, QUOTA_PORTS, 1));
	TRY(port_make(op, subnet, (struct ip){0}, field, &port));
	TRY(port_put(op, &port));
	*ret_front = port.row.id;
	return OK;
}

static RESULT add_fronts(struct op *op, const struct vpc_endpoint *endpoint, const struct refs *refs,
			 const char *permission, struct id_list *fronts)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct subnet *subnet = NULL;
		TRY(find_subnet(op, endpoint, &refs->at[k], permission, &subnet));
		TRY(check_zone(op, fronts, subnet, refs->at[k].field));
		TRY(check_offered_zone(op, endpoint, subnet, refs->at[k].field));
		if (fronts->count == ENDPOINT_FRONTS_MAX)
			return ENGINE_FAIL(op, ERR_COMBINATION, KIND_VPC_ENDPOINT, refs->at[k].field,
					   "An endpoint has up to %d subnets.", ENDPOINT_FRONTS_MAX);
		TRY(make_front(op, endpoint, subnet, refs->at[k].field, &fronts->at[fronts->count]));
		fronts->count++;
	}
	return OK;
}

/* gone: ports to be deleted once the endpoint's row no longer names them. */
static RESULT remove_fronts(struct op *op, const struct vpc_endpoint *endpoint, const struct refs *refs,
			    const char *permission, struct id_list *fronts, struct id_list *gone)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct subnet *subnet = NULL;
		TRY(find_subnet(op, endpoint, &refs->at[k], permission, &subnet));
		const struct port *port = find_front(op->head, fronts, subnet->row.id);
		if (!port)
			continue;
		drop(fronts, port->row.id);
		gone->at[gone->count++] = port->row.id;
	}
	return OK;
}

static RESULT delete_fronts(struct op *op, const struct id_list *gone)
{
	const struct uuids before = {(uuid *) gone->at, gone->count};
	return port_delete_all_but(op, &before, &(const struct uuids){0});
}

/* All interfaces of an endpoint have the same groups. */
static RESULT regroup_fronts(struct op *op, const struct vpc_endpoint *endpoint)
{
	for (size_t k = 0; k < endpoint->fronts.count; k++) {
		const struct port *port = port_find(op->head, endpoint->fronts.at[k]);
		if (!port)
			continue;
		struct port next = *port;
		next.groups = endpoint->groups;
		next.row.gen++;
		TRY(port_put(op, &next));
	}
	return OK;
}

/* ---- checks ---- */

static RESULT check_private_names(struct op *op, const struct vpc_endpoint *endpoint, struct str field)
{
	const struct router *router = router_find(op->head, endpoint->router);
	if (!endpoint->private_names || !router)
		return OK;
	if (is_offered(endpoint))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, field,
				   "Private DNS can't be enabled because the service %" STR_FMT
				   " does not provide a private DNS name.",
				   STR_ARG(engine_write_service_of(op->head, op->ctx->arena, endpoint)));
	if (!router->dns_support || !router->dns_hostnames)
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_VPC_ENDPOINT, field,
			"Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
			"attributes set to true for %" STR_FMT,
			STR_ARG(engine_write_id(op, KIND_ROUTER, endpoint->router)));
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(op->head, endpoint->router); e;
	     e = vpc_endpoint_next_by_router(op->head, e))
		if (!uuid_equal(e->row.id, endpoint->row.id) && e->private_names && !is_offered(e) &&
		    e->service == endpoint->service)
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_VPC_ENDPOINT, field,
					   "private-dns-enabled cannot be set because there is already a "
					   "conflicting DNS domain for the service in the VPC %" STR_FMT,
					   STR_ARG(engine_write_id(op, KIND_ROUTER, endpoint->router)));
	return OK;
}

static RESULT check_fits(struct op *op, enum vpc_endpoint_type type, const struct refs *refs,
			 enum vpc_endpoint_type wanted)
{
	if (type == wanted || refs->count == 0)
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NONE, refs->at[0].field,
			   "The parameter is for endpoints of type %s.",
			   wanted == VPC_ENDPOINT_TYPE_GATEWAY ? "Gateway" : "Interface");
}

/* ---- creation ---- */

static RESULT permit_groups(struct op *op, const struct uuids *groups, const char *permission)
{
	for (size_t k = 0; k < groups->count; k++) {
		const struct security_group *group = security_group_find(op->head, groups->at[k]);
		if (group)
			TRY(engine_permit(op, permission, KIND_SECURITY_GROUP, &group->row));
	}
	return OK;
}

static RESULT put_new(struct op *op, const struct vpc_endpoint_wish *wish, struct vpc_endpoint *made)
{
	static const char permission[] = "endpoint.create";
	struct id_list tables = {0}, fronts = {0};
	TRY(add_tables(op, made, &wish->tables, permission, &tables));
	made->tables = (struct uuids){tables.at, tables.count};
	TRY(vpc_endpoint_put(op, made)); /* before its interfaces, which name it */
	TRY(add_fronts(op, made, &wish->subnets, permission, &fronts));
	made->fronts = (struct uuids){fronts.at, fronts.count};
	TRY(vpc_endpoint_put(op, made));
	return op_usage(op, KIND_VPC_ENDPOINT, made->row.id, made->account, ENDPOINT_METER,
			(int64_t) fronts.count);
}

/* Policies are asked by the region's API, which does not see what goes to an endpoint service. */
static RESULT check_policy(struct op *op, const struct vpc_endpoint *endpoint)
{
	if (!is_offered(endpoint) || !endpoint->policy.n)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, STR("PolicyDocument"),
			   "The service %" STR_FMT " does not support endpoint policies.",
			   STR_ARG(engine_write_service_of(op->head, op->ctx->arena, endpoint)));
}

static RESULT connect(struct op *op, const struct vpc_endpoint_wish *wish, struct vpc_endpoint *made)
{
	if (!wish->offered.n)
		return OK;
	const struct endpoint_service *service =
		engine_find_offered(op->head, op->ctx->arena, wish->offered, made->account, wish->principals);
	if (!service || wish->type != VPC_ENDPOINT_TYPE_INTERFACE)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, STR("ServiceName"),
				   "The Vpc Endpoint Service '%" STR_FMT "' does not exist",
				   STR_ARG(wish->offered));
	TRY(capacity_check_keys(op, KIND_VPC_ENDPOINT));
	return endpoint_service_connect(op, service, made);
}

static RESULT create(struct op *op, struct vpc_endpoint_wish *wish, uuid account)
{
	const struct router *router = NULL;
	TRY(engine_find_own_router(op->ctx, op->head, &wish->router, &router));
	TRY(engine_permit(op, "endpoint.create", KIND_ROUTER, &router->row));
	struct vpc_endpoint made = {.row = {.id = engine_new_id(op, KIND_VPC_ENDPOINT), .gen = 1},
				    .account = router->account,
				    .router = router->row.id,
				    .type = wish->type,
				    .service = wish->service,
				    .private_names = wish->private_names,
				    .policy = wish->policy};
	TRY(check_fits(op, made.type, &wish->tables, VPC_ENDPOINT_TYPE_GATEWAY));
	TRY(check_fits(op, made.type, &wish->subnets, VPC_ENDPOINT_TYPE_INTERFACE));
	TRY(check_fits(op, made.type, &wish->groups, VPC_ENDPOINT_TYPE_INTERFACE));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(connect(op, wish, &made));
	TRY(check_policy(op, &made));
	TRY(check_private_names(op, &made, STR("PrivateDnsEnabled")));
	if (made.type == VPC_ENDPOINT_TYPE_INTERFACE) {
		TRY(security_group_resolve_all(op, made.account, router, wish->groups, &made.groups));
		TRY(security_group_check_count(op, made.groups.count, STR("SecurityGroupId")));
		TRY(permit_groups(op, &made.groups, "endpoint.create"));
	}
	TRY(engine_permit_new(op, "endpoint.create", KIND_VPC_ENDPOINT, &made.row));
	TRY(limit_check(op, LIMIT_VPC_ENDPOINTS, router->row.id, 1, STR_NONE));
	TRY(put_new(op, wish, &made));
	wish->endpoint = made.row.id;
	TRY(engine_log_event(op, KIND_VPC_ENDPOINT, &made.row, "created", "Endpoint of %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ROUTER, made.router))));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->endpoint);
}

RESULT engine_create_vpc_endpoint(struct op *op, struct vpc_endpoint_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_VPC_ENDPOINT,
				   &wish->endpoint));
	return uuid_is_none(wish->endpoint) ? create(op, wish, account) : OK;
}

/* ---- change ---- */

static RESULT change_groups(struct op *op, const struct vpc_endpoint_change *wish, struct vpc_endpoint *next)
{
	const struct router *router = router_find(op->head, next->router);
	struct uuids added = {0}, removed = {0};
	struct id_list list = copy_ids(&next->groups);
	if (wish->groups_removed.count)
		TRY(security_group_resolve_all(op, next->account, router, wish->groups_removed, &removed));
	if (wish->groups_added.count)
		TRY(security_group_resolve_all(op, next->account, router, wish->groups_added, &added));
	TRY(permit_groups(op, &removed, "endpoint.update"));
	TRY(permit_groups(op, &added, "endpoint.update"));
	for (size_t k = 0; k < removed.count; k++)
		drop(&list, removed.at[k]);
	for (size_t k = 0; k < added.count && list.count < TABLES_MAX; k++)
		if (!is_listed(&list, added.at[k]))
			list.at[list.count++] = added.at[k];
	uuid *at = arena_new_array(op->ctx->arena, uuid, list.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	memcpy(at, list.at, list.count * sizeof *at);
	next->groups = (struct uuids){at, list.count};
	return security_group_check_count(op, list.count, STR("AddSecurityGroupId"));
}

static RESULT check_change(struct op *op, const struct vpc_endpoint_change *wish,
			   const struct vpc_endpoint *present)
{
	const struct refs *gateways[] = {&wish->tables_added, &wish->tables_removed};
	const struct refs *interfaces[] = {&wish->subnets_added, &wish->subnets_removed, &wish->groups_added,
					   &wish->groups_removed};
	for (size_t k = 0; k < sizeof gateways / sizeof gateways[0]; k++)
		TRY(check_fits(op, present->type, gateways[k], VPC_ENDPOINT_TYPE_GATEWAY));
	for (size_t k = 0; k < sizeof interfaces / sizeof interfaces[0]; k++)
		TRY(check_fits(op, present->type, interfaces[k], VPC_ENDPOINT_TYPE_INTERFACE));
	if (wish->private_names == CHOICE_YES && present->type == VPC_ENDPOINT_TYPE_GATEWAY)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NONE, STR("PrivateDnsEnabled"),
				   "Private DNS is for endpoints of type Interface.");
	return OK;
}

/* Interfaces are removed first, so that a subnet may be replaced by another of its zone. */
static RESULT change_fronts(struct op *op, const struct vpc_endpoint_change *wish, struct vpc_endpoint *next)
{
	static const char permission[] = "endpoint.update";
	struct id_list fronts = copy_ids(&next->fronts), gone = {0};
	TRY(remove_fronts(op, next, &wish->subnets_removed, permission, &fronts, &gone));
	TRY(add_fronts(op, next, &wish->subnets_added, permission, &fronts));
	next->fronts = (struct uuids){fronts.at, fronts.count};
	TRY(vpc_endpoint_put(op, next));
	if (wish->groups_added.count || wish->groups_removed.count)
		TRY(regroup_fronts(op, next));
	TRY(delete_fronts(op, &gone));
	return op_usage(op, KIND_VPC_ENDPOINT, next->row.id, next->account, ENDPOINT_METER,
			(int64_t) fronts.count);
}

RESULT engine_change_vpc_endpoint(struct op *op, struct vpc_endpoint_change *wish)
{
	static const char permission[] = "endpoint.update";
	const struct vpc_endpoint *present = NULL;
	TRY(engine_permit_vpc_endpoint(op, &wish->endpoint, permission, &present));
	TRY(check_change(op, wish, present));
	struct vpc_endpoint next = *present;
	struct id_list tables = copy_ids(&next.tables);
	choice_apply(wish->private_names, &next.private_names);
	if (wish->sets_policy)
		next.policy = wish->policy;
	TRY(check_policy(op, &next));
	TRY(check_private_names(op, &next, STR("PrivateDnsEnabled")));
	TRY(remove_tables(op, &next, &wish->tables_removed, permission, &tables));
	TRY(add_tables(op, &next, &wish->tables_added, permission, &tables));
	next.tables = (struct uuids){tables.at, tables.count};
	if (wish->groups_added.count || wish->groups_removed.count)
		TRY(change_groups(op, wish, &next));
	next.row.gen++;
	TRY(change_fronts(op, wish, &next));
	wish->made = next.row.id;
	return engine_log_event(op, KIND_VPC_ENDPOINT, &next.row, "changed", "Endpoint.");
}

RESULT vpc_endpoint_leave_table(struct op *op, uuid router, uuid table)
{
	const struct vpc_endpoint *e = engine_find_gateway_endpoint(op->head, router, table);
	for (; e; e = engine_find_gateway_endpoint(op->head, router, table)) {
		struct vpc_endpoint next = *e;
		struct id_list tables = copy_ids(&e->tables);
		drop(&tables, table);
		next.tables = (struct uuids){tables.at, tables.count};
		next.row.gen++;
		TRY(vpc_endpoint_put(op, &next));
	}
	return OK;
}

/* ---- deletion ---- */

static RESULT delete_endpoint(struct op *op, const struct vpc_endpoint *endpoint)
{
	const struct id_list fronts = copy_ids(&endpoint->fronts);
	uuid id = endpoint->row.id;
	TRY(engine_log_event(op, KIND_VPC_ENDPOINT, &endpoint->row, "deleted", "Endpoint."));
	TRY(op_usage(op, KIND_VPC_ENDPOINT, id, endpoint->account, ENDPOINT_METER, 0));
	TRY(vpc_endpoint_forget(op, id));
	return delete_fronts(op, &fronts);
}

RESULT engine_delete_vpc_endpoint(struct op *op, struct vpc_endpoint_target *wish)
{
	const struct vpc_endpoint *endpoint = NULL;
	TRY(engine_permit_vpc_endpoint(op, &wish->endpoint, "endpoint.delete", &endpoint));
	return delete_endpoint(op, endpoint);
}

RESULT engine_delete_vpc_endpoints(struct op *op, struct vpc_endpoint_deletions *wish)
{
	engine_need_no_permission(op); /* asked for each endpoint */
	for (size_t k = 0; k < wish->count; k++) {
		struct vpc_endpoint_target target = {wish->at[k].endpoint};
		struct result deleted = engine_delete_vpc_endpoint(op, &target);
		wish->at[k].is_absent = deleted.code == ERR_NOT_FOUND;
		if (!wish->at[k].is_absent)
			TRY(deleted);
		else
			ctx_clear_problem(op->ctx);
	}
	return OK;
}
