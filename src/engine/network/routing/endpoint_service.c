/* SPDX-License-Identifier: Apache-2.0
 * Endpoint services, their interfaces, and answers to those who want to connect. */
#include "engine/network/routing/endpoint_service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/quota_internal.h"
#include "engine/region/region.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "model/id.h"
#include "store/account.h"
#include "store/elastic_load_balancer.h"
#include "store/endpoint_service.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

#define LEG_OWNER "network:endpoint_service"
#define NAME_PREFIX "com.amazonaws.vpce."
enum {
	LINKS_MAX = 4096,      /* addresses of a join (drivers/ovn/nb_endpoint.c) */
	CONNECTION_SHARES = 10 /* accounts that a service has connections for at least */
};

/* ---- names ---- */

struct str engine_write_offered_name(const struct tables *t, struct arena *a, uuid service)
{
	return str_print(a, NAME_PREFIX "%" STR_FMT ".%" STR_FMT, STR_ARG(engine_get_region_name(t)),
			 STR_ARG(id_to_ec2(a, KIND_ENDPOINT_SERVICE, service)));
}

bool engine_is_offered_name(struct str name)
{
	return str_starts_with(name, STR(NAME_PREFIX));
}

struct str engine_write_offered_domain(const struct tables *t, struct arena *a, uuid service)
{
	return str_print(a, "%" STR_FMT ".%" STR_FMT ".vpce.amazonaws.com",
			 STR_ARG(id_to_ec2(a, KIND_ENDPOINT_SERVICE, service)),
			 STR_ARG(engine_get_region_name(t)));
}

/* ---- who may connect ---- */

static bool is_principal(const struct tables *t, struct str allowed, uuid account, struct strs principals)
{
	const struct account *row = account_find(t, account);
	char root[64];
	if (str_is(allowed, "*"))
		return true;
	snprintf(root, sizeof root, "arn:aws:iam::%.*s:root", row ? (int) row->number.n : 0,
		 row ? row->number.p : "");
	if (row && str_is(allowed, root))
		return true;
	for (size_t k = 0; k < principals.count; k++)
		if (str_equal(principals.at[k], allowed))
			return true;
	return false;
}

bool engine_may_connect(const struct tables *t, const struct endpoint_service *service, uuid account,
			struct strs principals)
{
	bool is_offered = uuid_equal(service->account, account);
	for (size_t k = 0; k < service->principals.count && !is_offered; k++)
		is_offered = is_principal(t, service->principals.at[k], account, principals);
	return is_offered && row_is_live(&service->row);
}

const struct endpoint_service *engine_find_offered(const struct tables *t, struct arena *a, struct str name,
						   uuid account, struct strs principals)
{
	struct str region = engine_get_region_name(t);
	size_t before = sizeof NAME_PREFIX - 1 + region.n + 1;
	struct ref ref = {0};
	if (!engine_is_offered_name(name) || name.n <= before ||
	    id_parse_ec2(str_slice(name, before, name.n), KIND_ENDPOINT_SERVICE, &ref).code)
		return NULL;
	const struct endpoint_service *service = endpoint_service_find_prefix(t, ref.prefix, ref.bits);
	return service && str_equal(engine_write_offered_name(t, a, service->row.id), name) &&
			       engine_may_connect(t, service, account, principals)
		       ? service
		       : NULL;
}

/* ---- interfaces ---- */

bool engine_is_service_leg(const struct tables *t, const struct port *port)
{
	uuid id;
	if (!result_is_ok(uuid_parse(port->device_id, &id)))
		return false;
	const struct endpoint_service *service = endpoint_service_find(t, id);
	return service && uuids_have(&service->legs, port->row.id);
}

const struct port *engine_find_service_leg(const struct tables *t, const struct endpoint_service *service,
					   uuid zone)
{
	for (size_t k = 0; k < service->legs.count; k++) {
		const struct port *leg = port_find(t, service->legs.at[k]);
		const struct subnet *subnet = leg ? subnet_find(t, leg->subnet) : NULL;
		if (subnet && uuid_equal(subnet->zone, zone))
			return leg;
	}
	return NULL;
}

/* Subnets of the fronts of a service's load balancers, one in each zone. */
struct places {
	const struct subnet *at[SERVICE_LEGS_MAX];
	size_t count;
};

/* An endpoint connects to the load balancer of its zone, so a zone has one load balancer of the service. A load balancer that
 * later gets a subnet in a zone of another one does not serve endpoints there. */
static RESULT add_place(struct op *op, const struct elastic_load_balancer *balancer, uuid front, bool checks,
			struct str field, struct places *places)
{
	const struct port *port = port_find(op->head, front);
	const struct subnet *subnet = port ? subnet_find(op->head, port->subnet) : NULL;
	bool is_taken = places->count == SERVICE_LEGS_MAX;
	for (size_t k = 0; subnet && k < places->count; k++)
		is_taken = is_taken || uuid_equal(places->at[k]->zone, subnet->zone);
	if (!subnet || (is_taken && !checks))
		return OK;
	if (is_taken)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, field,
				   "Load balancer '%" STR_FMT
				   "' has a subnet in an Availability Zone of another load balancer of the "
				   "service.",
				   STR_ARG(balancer->name));
	places->at[places->count++] = subnet;
	return OK;
}

static RESULT find_places(struct op *op, const struct endpoint_service *service, bool checks,
			  struct str field, struct places *ret_places)
{
	*ret_places = (struct places){0};
	for (size_t k = 0; k < service->balancers.count; k++) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find(op->head, service->balancers.at[k]);
		for (size_t i = 0; b && i < b->fronts.count; i++)
			TRY(add_place(op, b, b->fronts.at[i], checks, field, ret_places));
	}
	return OK;
}

static RESULT make_leg(struct op *op, const struct endpoint_service *service, const struct subnet *subnet,
		       struct str field, uuid *ret_leg)
{
	struct port port = port_new_in(subnet, service->account);
	port.description = str_print(op->ctx->arena, "VPC Endpoint Service Interface %" STR_FMT,
				     STR_ARG(engine_write_id(op, KIND_ENDPOINT_SERVICE, service->row.id)));
	port.device_owner = STR(LEG_OWNER);
	port.device_id = uuid_to_str(op->ctx->arena, service->row.id);
	TRY(quota_check(op, service->account, QUOTA_PORTS, 1));
	TRY(port_make(op, subnet, (struct ip){0}, field, &port));
	TRY(port_put(op, &port));
	*ret_leg = port.row.id;
	return OK;
}

/* Puts the service with an interface in each subnet of its load balancers. */
static RESULT settle(struct op *op, struct endpoint_service *next, bool checks, struct str field)
{
	struct places places;
	uuid *legs = arena_new_array(op->ctx->arena, uuid, SERVICE_LEGS_MAX);
	size_t count = 0;
	const struct uuids before = next->legs;
	if (!legs)
		return ctx_no_memory(op->ctx);
	TRY(find_places(op, next, checks, field, &places));
	for (size_t k = 0; k < places.count; k++) {
		uuid leg = UUID_NONE;
		for (size_t i = 0; i < before.count; i++) {
			const struct port *port = port_find(op->head, before.at[i]);
			if (port && uuid_equal(port->subnet, places.at[k]->row.id))
				leg = port->row.id;
		}
		if (uuid_is_none(leg))
			TRY(make_leg(op, next, places.at[k], field, &leg));
		legs[count++] = leg;
	}
	next->legs = (struct uuids){legs, count};
	TRY(endpoint_service_put(op, next));
	return port_delete_all_but(op, &before, &(const struct uuids){legs, count});
}

RESULT endpoint_service_settle_balancer(struct op *op, const struct elastic_load_balancer *balancer)
{
	const struct endpoint_service *s = endpoint_service_first_by_router(op->head, balancer->router);
	for (; s; s = endpoint_service_next_by_router(op->head, s)) {
		if (!uuids_have(&s->balancers, balancer->row.id))
			continue;
		struct endpoint_service next = *s;
		next.row.gen++;
		TRY(settle(op, &next, false, STR("Subnets")));
	}
	return OK;
}

RESULT endpoint_service_check_balancer(struct op *op, const struct elastic_load_balancer *balancer,
				       const struct ref *ref)
{
	const struct endpoint_service *s = endpoint_service_first_by_router(op->head, balancer->router);
	while (s && !uuids_have(&s->balancers, balancer->row.id))
		s = endpoint_service_next_by_router(op->head, s);
	if (!s)
		return OK;
	return ENGINE_FAIL(op, ERR_IN_USE, KIND_ELASTIC_LOAD_BALANCER, ref->field,
			   "Load balancer '%" STR_FMT
			   "' cannot be deleted because it is currently associated with another service",
			   STR_ARG(ref->text));
}

/* ---- creation and change ---- */

/* Adds the load balancers to ids. */
static RESULT add_balancers(struct op *op, const struct refs *refs, struct endpoint_service *service,
			    uuid *ids, size_t *count)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct elastic_load_balancer *b = NULL;
		const struct ref *ref = &refs->at[k];
		TRY(engine_find_own_elastic_load_balancer(op->ctx, op->head, ref, &b));
		if (b->type != ELASTIC_LOAD_BALANCER_TYPE_NETWORK)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, ref->field,
					   "'%" STR_FMT "' is not a Network Load Balancer.",
					   STR_ARG(ref->text));
		if (uuid_is_none(service->router)) {
			service->router = b->router;
			service->account = b->account;
		}
		if (!uuid_equal(service->router, b->router))
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, ref->field,
					   "'%" STR_FMT
					   "' is in another VPC than the service's other load balancers.",
					   STR_ARG(ref->text));
		bool is_there = uuids_have(&(const struct uuids){ids, *count}, b->row.id);
		if (!is_there && *count == SERVICE_BALANCERS_MAX)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE, ref->field,
					   "A service has up to %d load balancers.", SERVICE_BALANCERS_MAX);
		if (!is_there)
			ids[(*count)++] = b->row.id;
	}
	service->balancers = (struct uuids){ids, *count};
	return OK;
}

static RESULT create(struct op *op, struct endpoint_service_wish *wish, uuid account)
{
	static const char permission[] = "endpoint.create_service";
	uuid ids[SERVICE_BALANCERS_MAX];
	size_t count = 0;
	const struct str field = STR("NetworkLoadBalancerArn");
	struct endpoint_service made = {.row = {.id = engine_new_id(op, KIND_ENDPOINT_SERVICE), .gen = 1},
					.needs_acceptance = wish->needs_acceptance};
	TRY(add_balancers(op, &wish->balancers, &made, ids, &count));
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, permission, KIND_ENDPOINT_SERVICE, &made.row));
	TRY(capacity_check_keys(op, KIND_ENDPOINT_SERVICE));
	TRY(limit_check(op, LIMIT_ENDPOINT_SERVICES, made.router, 1, STR_NONE));
	TRY(endpoint_service_put(op, &made)); /* before its interfaces, which name it */
	TRY(settle(op, &made, true, field));
	wish->service = made.row.id;
	TRY(engine_log_event(op, KIND_ENDPOINT_SERVICE, &made.row, "created",
			     "Endpoint service of %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_ROUTER, made.router))));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->service);
}

RESULT engine_create_endpoint_service(struct op *op, struct endpoint_service_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_ENDPOINT_SERVICE,
				   &wish->service));
	return uuid_is_none(wish->service) ? create(op, wish, account) : OK;
}

static RESULT remove_balancers(struct op *op, const struct refs *refs, uuid *ids, size_t *count)
{
	for (size_t k = 0; k < refs->count; k++) {
		const struct elastic_load_balancer *b = NULL;
		size_t stay = 0;
		TRY(engine_find_own_elastic_load_balancer(op->ctx, op->head, &refs->at[k], &b));
		for (size_t i = 0; i < *count; i++)
			if (!uuid_equal(ids[i], b->row.id))
				ids[stay++] = ids[i];
		*count = stay;
	}
	return OK;
}

RESULT engine_change_endpoint_service(struct op *op, struct endpoint_service_change *wish)
{
	const struct endpoint_service *present = NULL;
	uuid ids[SERVICE_BALANCERS_MAX];
	const struct str field = STR("AddNetworkLoadBalancerArn");
	TRY(engine_permit_endpoint_service(op, &wish->service, "endpoint.update_service", &present));
	struct endpoint_service next = *present;
	size_t count = next.balancers.count;
	memcpy(ids, next.balancers.at, count * sizeof *ids);
	TRY(remove_balancers(op, &wish->balancers_removed, ids, &count));
	TRY(add_balancers(op, &wish->balancers_added, &next, ids, &count));
	if (!count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ENDPOINT_SERVICE,
				   STR("RemoveNetworkLoadBalancerArn"),
				   "An endpoint service must have at least one load balancer.");
	choice_apply(wish->needs_acceptance, &next.needs_acceptance);
	next.row.gen++;
	TRY(settle(op, &next, wish->balancers_added.count != 0, field));
	return engine_log_event(op, KIND_ENDPOINT_SERVICE, &next.row, "changed", "Endpoint service.");
}

static bool is_listed(const struct strs *list, struct str text)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return true;
	return false;
}

RESULT engine_grant_endpoint_service(struct op *op, struct endpoint_service_grants *wish)
{
	const struct endpoint_service *present = NULL;
	struct str at[SERVICE_PRINCIPALS_MAX];
	struct strs list = {at, 0};
	TRY(engine_permit_endpoint_service(op, &wish->service, "endpoint.update_permissions", &present));
	struct endpoint_service next = *present;
	for (size_t k = 0; k < next.principals.count; k++)
		if (!is_listed(&wish->removed, next.principals.at[k]))
			at[list.count++] = next.principals.at[k];
	for (size_t k = 0; k < wish->added.count; k++) {
		if (is_listed(&list, wish->added.at[k]))
			continue;
		if (list.count == SERVICE_PRINCIPALS_MAX)
			return ENGINE_FAIL(op, ERR_QUOTA, KIND_ENDPOINT_SERVICE, STR("AddAllowedPrincipals"),
					   "An endpoint service has up to %d allowed principals.",
					   SERVICE_PRINCIPALS_MAX);
		at[list.count++] = wish->added.at[k];
	}
	next.principals = list;
	next.row.gen++;
	TRY(endpoint_service_put(op, &next));
	wish->changed = next.row.id;
	return engine_log_event(op, KIND_ENDPOINT_SERVICE, &next.row, "permissions_changed",
				"Allowed principals.");
}

/* ---- connections ---- */

/* The smallest number that no endpoint of the service has. */
static RESULT draw_link(struct op *op, uuid service, int64_t *ret_link)
{
	bool *taken = arena_new_array(op->ctx->arena, bool, LINKS_MAX);
	if (!taken)
		return ctx_no_memory(op->ctx);
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(op->head, service); e;
	     e = vpc_endpoint_next_by_endpoint_service(op->head, e))
		if (e->link >= 0 && e->link < LINKS_MAX)
			taken[e->link] = true;
	for (*ret_link = 0; *ret_link < LINKS_MAX && taken[*ret_link]; (*ret_link)++)
		;
	return *ret_link < LINKS_MAX ? OK
				     : ENGINE_FAIL(op, ERR_QUOTA, KIND_VPC_ENDPOINT, STR("ServiceName"),
						   "The endpoint service has %d endpoints.", LINKS_MAX);
}

/* One account cannot take all connections of another account's service: it has a tenth of them. */
static RESULT check_share(struct op *op, const struct endpoint_service *service, uuid account)
{
	int64_t count = 0, share = engine_get_limit(op->head, LIMIT_ENDPOINT_CONNECTIONS);
	if (share < 0 || uuid_equal(account, service->account))
		return OK;
	share = (share + CONNECTION_SHARES - 1) / CONNECTION_SHARES;
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(op->head, service->row.id);
	     e; e = vpc_endpoint_next_by_endpoint_service(op->head, e))
		count += uuid_equal(e->account, account);
	return count < share
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_VPC_ENDPOINT, STR("ServiceName"),
				     "An account has up to %" PRId64 " endpoints of an endpoint service.",
				     share);
}

RESULT endpoint_service_connect(struct op *op, const struct endpoint_service *service,
				struct vpc_endpoint *endpoint)
{
	const struct account *owner = account_find(op->head, endpoint->account);
	TRY(limit_check(op, LIMIT_ENDPOINT_CONNECTIONS, service->row.id, 1, STR("ServiceName")));
	TRY(check_share(op, service, endpoint->account));
	endpoint->endpoint_service = service->row.id;
	endpoint->provider = service->account;
	endpoint->acceptance = service->needs_acceptance ? VPC_ENDPOINT_ACCEPTANCE_PENDING
							 : VPC_ENDPOINT_ACCEPTANCE_ACCEPTED;
	TRY(draw_link(op, service->row.id, &endpoint->link));
	return engine_log_event(op, KIND_ENDPOINT_SERVICE, &service->row, "connection_requested",
				"Endpoint %" STR_FMT " of account %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_VPC_ENDPOINT, endpoint->row.id)),
				STR_ARG(owner ? owner->number : STR_NONE));
}

static const struct vpc_endpoint *find_connection(const struct tables *t, uuid service, const struct ref *ref)
{
	const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(t, service);
	while (e && !(ref->bits && id_has_prefix(e->row.id, ref->prefix, ref->bits)))
		e = vpc_endpoint_next_by_endpoint_service(t, e);
	return e;
}

static RESULT answer(struct op *op, const struct endpoint_service *service, bool accepts,
		     const struct vpc_endpoint *present)
{
	struct vpc_endpoint next = *present;
	struct str id = engine_write_id(op, KIND_VPC_ENDPOINT, next.row.id);
	next.acceptance = accepts ? VPC_ENDPOINT_ACCEPTANCE_ACCEPTED : VPC_ENDPOINT_ACCEPTANCE_REJECTED;
	if (next.acceptance == present->acceptance)
		return OK;
	next.row.gen++;
	TRY(vpc_endpoint_put(op, &next));
	if (accepts) {
		TRY(engine_log_event(op, KIND_VPC_ENDPOINT, &next.row, "accepted", "Endpoint."));
		return engine_log_event(op, KIND_ENDPOINT_SERVICE, &service->row, "connection_accepted",
					"Endpoint %" STR_FMT ".", STR_ARG(id));
	}
	TRY(engine_log_event(op, KIND_VPC_ENDPOINT, &next.row, "rejected", "Endpoint."));
	return engine_log_event(op, KIND_ENDPOINT_SERVICE, &service->row, "connection_rejected",
				"Endpoint %" STR_FMT ".", STR_ARG(id));
}

RESULT engine_answer_endpoint_connections(struct op *op, struct connection_answers *wish)
{
	const struct endpoint_service *service = NULL;
	TRY(engine_permit_endpoint_service(op, &wish->service,
					   wish->accepts ? "endpoint.accept" : "endpoint.reject", &service));
	for (size_t k = 0; k < wish->count; k++) {
		const struct vpc_endpoint *e =
			find_connection(op->head, service->row.id, &wish->at[k].endpoint);
		wish->at[k].is_absent = e == NULL;
		if (!e)
			continue;
		TRY(engine_check_found(op->ctx, op->head, KIND_VPC_ENDPOINT, &e->row));
		TRY(answer(op, service, wish->accepts, e));
	}
	return OK;
}

/* ---- deletion ---- */

static bool is_used(const struct tables *t, uuid service)
{
	const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(t, service);
	while (e && e->acceptance == VPC_ENDPOINT_ACCEPTANCE_REJECTED)
		e = vpc_endpoint_next_by_endpoint_service(t, e);
	return e != NULL;
}

static RESULT reject_all(struct op *op, const struct endpoint_service *service)
{
	const struct vpc_endpoint *e = vpc_endpoint_first_by_endpoint_service(op->head, service->row.id);
	for (; e; e = vpc_endpoint_next_by_endpoint_service(op->head, e))
		TRY(answer(op, service, false, e));
	return OK;
}

RESULT engine_delete_endpoint_service(struct op *op, struct endpoint_service_target *wish)
{
	const struct endpoint_service *present = NULL;
	TRY(engine_permit_endpoint_service(op, &wish->service, "endpoint.delete_service", &present));
	if (wish->is_forced)
		TRY(reject_all(op, present));
	if (is_used(op->head, present->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ENDPOINT_SERVICE, wish->service.field,
				   "Service has existing active VPC Endpoint connections!");
	const struct uuids legs = present->legs;
	TRY(engine_log_event(op, KIND_ENDPOINT_SERVICE, &present->row, "deleted", "Endpoint service."));
	TRY(endpoint_service_forget(op, present->row.id));
	return port_delete_all_but(op, &legs, &(const struct uuids){0});
}

RESULT engine_delete_endpoint_services(struct op *op, struct endpoint_service_deletions *wish)
{
	engine_need_no_permission(op); /* asked for each service */
	for (size_t k = 0; k < wish->count; k++) {
		struct endpoint_service_target target = {wish->at[k].service};
		struct result deleted = engine_delete_endpoint_service(op, &target);
		if (deleted.code != ERR_NOT_FOUND && deleted.code != ERR_IN_USE)
			TRY(deleted);
		else
			ctx_clear_problem(op->ctx);
		wish->at[k].failure = deleted.code;
	}
	return OK;
}
