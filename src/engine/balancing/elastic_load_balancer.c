/* SPDX-License-Identifier: Apache-2.0
 * Load balancers: their fronts, public addresses and attributes. Called by: api/elb. */
#include "store/elastic_load_balancer.h"
#include "engine/acting.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding_internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/backup_name.h"
#include "model/gateway.h"
#include "store/address.h"
#include "store/listener.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/target_group.h"

/* The device owner of a front's port, in Neutron's style. */
#define FRONT_OWNER "network:load_balancer"

enum { LOG_PREFIX_MAX = 255 }; /* schema/elastic_load_balancer.toml */

/* ---- subnets ---- */

/* A subnet that a balancer is to have a front in. */
struct front_plan {
	const struct subnet *subnet;
	const struct address *address; /* NULL: none is named */
	struct ip private_ip, ipv6;
};
struct fronts_plan {
	struct front_plan at[BALANCER_FRONTS_MAX];
	size_t count;
	uuid router;
};

static RESULT fail_subnets(struct op *op, struct str field, const char *why)
{
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_ELASTIC_LOAD_BALANCER, field, "%s", why);
}

static RESULT check_subnet(struct op *op, const struct fronts_plan *plan, const struct subnet *subnet,
			   const struct ref *ref)
{
	if (uuid_is_none(subnet->router) || subnet->block.base.family == IP_V6)
		return fail_subnets(op, ref->field,
				    "A load balancer needs subnets of a VPC with an IPv4 CIDR block.");
	for (size_t k = 0; k < plan->count; k++) {
		const struct subnet *other = plan->at[k].subnet;
		if (!uuid_equal(other->router, subnet->router))
			return fail_subnets(op, ref->field, "All subnets must be in the same VPC.");
		if (uuid_equal(other->row.id, subnet->row.id) ||
		    (!uuid_is_none(subnet->zone) && uuid_equal(other->zone, subnet->zone)))
			return fail_subnets(
				op, ref->field,
				"A load balancer cannot be attached to multiple subnets in the same "
				"Availability Zone");
	}
	return OK;
}

static RESULT find_address(struct op *op, const struct ref *ref, uuid router,
			   const struct address **ret_address)
{
	TRY(engine_find_own_address(op->ctx, op->head, ref, ret_address));
	const struct address *a = *ret_address;
	if (!a->is_elastic)
		return engine_fail_not_found(op->ctx, KIND_ADDRESS, ref);
	TRY(engine_permit(op, "elastic_load_balancer.create", KIND_ADDRESS, &a->row));
	if (!address_is_reachable(op->head, a, router))
		return ENGINE_FAIL(op, ERR_STATE, KIND_GATEWAY, ref->field,
				   "The allocation ID '%" STR_FMT
				   "' cannot be reached through the VPC's internet gateway.",
				   STR_ARG(ref->text));
	return OK;
}

/* The subnet beside a front's that has its IPv6 address. */
static RESULT find_ipv6_subnet(struct op *op, const struct subnet *subnet, const struct subnet **ret_ipv6)
{
	*ret_ipv6 = engine_find_ipv6_subnet(op->head, subnet);
	return *ret_ipv6 ? OK
			 : ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, STR("Subnets"),
				       "You must specify subnets with an associated IPv6 CIDR block.");
}

static RESULT check_ipv6(struct op *op, bool is_dualstack, const struct front_plan *front)
{
	const struct subnet *ipv6 = NULL;
	if (is_dualstack)
		return find_ipv6_subnet(op, front->subnet, &ipv6);
	return ip_is_none(front->ipv6)
		       ? OK
		       : fail_subnets(op, STR("SubnetMappings"),
				      "An IPv6 address requires the IP address type 'dualstack'.");
}

/* balancer: as it is to be; its fronts do not matter. */
static RESULT plan_fronts(struct op *op, const struct balancer_subnets *subnets,
			  const struct elastic_load_balancer *balancer, struct fronts_plan *plan)
{
	bool is_internal = balancer->is_internal;
	if (subnets->count == 0 || subnets->count > BALANCER_FRONTS_MAX)
		return fail_subnets(op, STR("Subnets"), "A load balancer has one to ten subnets.");
	for (; plan->count < subnets->count; plan->count++) {
		const struct balancer_subnet *wish = &subnets->at[plan->count];
		struct front_plan *front = &plan->at[plan->count];
		*front = (struct front_plan){.private_ip = wish->private_ip, .ipv6 = wish->ipv6};
		TRY(engine_find_own_subnet(op->ctx, op->head, &wish->subnet, &front->subnet));
		TRY(check_subnet(op, plan, front->subnet, &wish->subnet));
		TRY(check_ipv6(op, balancer->is_dualstack, front));
		plan->router = front->subnet->router;
		if (!ref_is_given(&wish->address))
			continue;
		if (is_internal)
			return fail_subnets(op, wish->address.field,
					    "An internal load balancer has no public addresses.");
		TRY(find_address(op, &wish->address, plan->router, &front->address));
	}
	const struct gateway *gateway = gateway_of_router(op->head, plan->router);
	if (is_internal || (gateway && !uuid_is_none(gateway->external_network)))
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_GATEWAY, STR("Subnets"),
			   "VPC %" STR_FMT " has no internet gateway",
			   STR_ARG(engine_write_id(op, KIND_ROUTER, plan->router)));
}

/* ---- fronts ---- */

static RESULT give_address(struct op *op, const struct front_plan *plan, const struct port *port)
{
	if (!plan->address) {
		TRY(address_give_auto(op, port));
		return !port->wants_public_ip || address_first_by_port(op->head, port->row.id)
			       ? OK
			       : address_fail_none_left(op, UUID_NONE);
	}
	/* two subnets of one call may name the same address */
	const struct address *a = address_find(op->head, plan->address->row.id);
	if (!uuid_is_none(a->port) || !uuid_is_none(a->source_nat) ||
	    port_forwarding_has_any(op->head, a->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ADDRESS, STR("SubnetMappings"),
				   "The allocation ID '%" STR_FMT "' is not available for use",
				   STR_ARG(engine_write_id(op, KIND_ADDRESS, a->row.id)));
	return address_write_association(op, a, port, port->ip);
}

/* groups: security groups, which an application load balancer's fronts have. */
static RESULT make_front(struct op *op, const struct elastic_load_balancer *balancer,
			 const struct front_plan *plan, const struct uuids *groups, uuid *ret_front)
{
	struct port port = port_new_in(plan->subnet, balancer->account);
	struct str hex = str_encode_hex(op->ctx->arena, balancer->row.id.b, 8);
	bool is_application = balancer->type == ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	port.description =
		balancer->type == ELASTIC_LOAD_BALANCER_TYPE_CLASSIC
			? str_print(op->ctx->arena, "ELB %" STR_FMT, STR_ARG(balancer->name))
			: str_print(op->ctx->arena, "ELB %s/%" STR_FMT "/%" STR_FMT,
				    is_application ? "app" : "net", STR_ARG(balancer->name), STR_ARG(hex));
	port.device_owner = STR(FRONT_OWNER);
	port.device_id = uuid_to_str(op->ctx->arena, balancer->row.id);
	port.groups = *groups;
	proxy_turn_front(op->head, balancer, &port);
	port.wants_public_ip = !balancer->is_internal && !plan->address;
	TRY(quota_check(op, balancer->account, QUOTA_PORTS, 1));
	TRY(port_make(op, plan->subnet, plan->private_ip, STR("SubnetMappings"), &port));
	TRY(port_put(op, &port));
	*ret_front = port.row.id;
	return give_address(op, plan, &port);
}

/* Gives a front an IPv6 address that it lacks, or takes away the one that it has. A front keeps its address if another
 * one is wanted. */
static RESULT settle_ipv6(struct op *op, uuid front, bool is_dualstack, struct ip wanted)
{
	const struct port *port = port_find(op->head, front);
	const struct subnet *subnet = port ? subnet_find(op->head, port->subnet) : NULL;
	if (!subnet)
		return OK;
	struct ip ip = engine_get_port_ip(op->head, port, IP_V6);
	if (!ip_is_none(ip) == is_dualstack)
		return OK;
	struct port next = *port;
	next.row.gen++;
	if (is_dualstack) {
		TRY(find_ipv6_subnet(op, subnet, &subnet));
		TRY(port_add_ip(op, &next, subnet, wanted, STR("SubnetMappings"), &ip));
	} else {
		TRY(port_remove_ip(op, front, ip));
	}
	return port_put(op, &next);
}

static uuid find_front(const struct tables *t, const struct uuids *fronts, uuid subnet)
{
	for (size_t k = 0; k < fronts->count; k++) {
		const struct port *port = port_find(t, fronts->at[k]);
		if (port && uuid_equal(port->subnet, subnet))
			return fronts->at[k];
	}
	return UUID_NONE;
}

/* Makes the fronts that are missing, gives all of them the balancer's families of addresses, and puts the balancer's row. */
static RESULT add_fronts(struct op *op, const struct fronts_plan *plan, const struct uuids *groups,
			 struct elastic_load_balancer *balancer)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, plan->count);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < plan->count; k++) {
		at[k] = find_front(op->head, &balancer->fronts, plan->at[k].subnet->row.id);
		if (uuid_is_none(at[k]))
			TRY(make_front(op, balancer, &plan->at[k], groups, &at[k]));
		TRY(settle_ipv6(op, at[k], balancer->is_dualstack, plan->at[k].ipv6));
	}
	balancer->fronts = (struct uuids){at, plan->count};
	return elastic_load_balancer_put(op, balancer);
}

/* ---- creation ---- */

/* Creating a balancer twice with the same settings makes one, as in ELBv2. */
static bool is_same(const struct tables *t, const struct elastic_load_balancer *present,
		    const struct elastic_load_balancer *made, const struct fronts_plan *plan)
{
	bool is_same = present->is_internal == made->is_internal && present->type == made->type &&
		       present->is_dualstack == made->is_dualstack && present->fronts.count == plan->count;
	for (size_t k = 0; k < plan->count && is_same; k++)
		is_same = !uuid_is_none(find_front(t, &present->fronts, plan->at[k].subnet->row.id));
	return is_same;
}

enum { IDLE_DEFAULT_S = 60, KEEP_ALIVE_DEFAULT_S = 3600 };

static void set_application(struct elastic_load_balancer *made)
{
	made->type = ELASTIC_LOAD_BALANCER_TYPE_APPLICATION;
	made->crosses_zones = true;
	made->idle_s = IDLE_DEFAULT_S;
	made->keep_alive_s = KEEP_ALIVE_DEFAULT_S;
	made->has_http2 = true;
}

enum { DRAIN_DEFAULT_S = 300 };

static void set_classic(struct elastic_load_balancer *made)
{
	made->type = ELASTIC_LOAD_BALANCER_TYPE_CLASSIC;
	made->idle_s = IDLE_DEFAULT_S;
	made->drain_s = DRAIN_DEFAULT_S;
}

/* The security groups of the fronts; a network load balancer may have none. */
static RESULT find_groups(struct op *op, const struct elastic_load_balancer *balancer, struct refs refs,
			  struct uuids *ret_groups)
{
	if (!balancer_is_proxied(balancer) && !refs.count)
		return OK;
	TRY(security_group_resolve_all(op, balancer->account, router_find(op->head, balancer->router), refs,
				       ret_groups));
	return security_group_check_count(op, ret_groups->count, STR("SecurityGroups"));
}

RESULT engine_create_elastic_load_balancer(struct op *op, struct elastic_load_balancer_wish *wish)
{
	uuid account = UUID_NONE;
	struct fronts_plan plan = {0};
	TRY(engine_find_acting_id(op, &account));
	struct elastic_load_balancer made = {
		.row = {.id = engine_new_id(op, KIND_ELASTIC_LOAD_BALANCER), .gen = 1},
		.account = account,
		.name = wish->name,
		.is_internal = wish->is_internal,
		.is_dualstack = wish->is_dualstack};
	struct uuids groups = {0};
	if (wish->is_application)
		set_application(&made);
	if (wish->is_classic)
		set_classic(&made);
	TRY(tag_normalize(op, wish->tags, &made.tags));
	TRY(engine_permit_new(op, "elastic_load_balancer.create", KIND_ELASTIC_LOAD_BALANCER, &made.row));
	TRY(plan_fronts(op, &wish->subnets, &made, &plan));
	made.router = plan.router;
	const struct elastic_load_balancer *present =
		elastic_load_balancer_find_by_account(op->head, account, wish->name);
	if (present && (wish->is_classic || !is_same(op->head, present, &made, &plan)))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_ELASTIC_LOAD_BALANCER, STR("Name"),
				   "A load balancer with the same name '%" STR_FMT
				   "' exists, but with different settings",
				   STR_ARG(wish->name));
	if (present) {
		TRY(engine_check_found(op->ctx, op->head, KIND_ELASTIC_LOAD_BALANCER, &present->row));
		wish->balancer = present->row.id;
		return OK;
	}
	TRY(find_groups(op, &made, wish->groups, &groups));
	TRY(limit_check(op,
			balancer_is_proxied(&made) ? LIMIT_APPLICATION_LOAD_BALANCERS
						   : LIMIT_NETWORK_LOAD_BALANCERS,
			account, 1, STR_NONE));
	TRY(elastic_load_balancer_put(op, &made)); /* before its fronts, which name it */
	wish->balancer = made.row.id;
	TRY(add_fronts(op, &plan, &groups, &made));
	if (wish->is_classic)
		TRY(classic_make(op, &made, wish->listeners, wish->listener_count));
	TRY(balancer_is_proxied(&made) ? proxy_make(op, &made) : proxy_settle(op, made.row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &made.row, "created",
				"Load balancer %" STR_FMT ".", STR_ARG(made.name));
}

/* ---- changes ---- */

/* Instances of a Classic Load Balancer drain for as long as its attribute says. */
static RESULT set_delay(struct op *op, const struct elastic_load_balancer *balancer)
{
	const struct target_group *present =
		target_group_first_by_elastic_load_balancer(op->head, balancer->row.id);
	if (!present)
		return OK;
	struct target_group next = *present;
	next.delay_s = balancer->drains ? balancer->drain_s : 0;
	next.row.gen++;
	return target_group_put(op, &next);
}

/* Names between single slashes; "AWSLogs" is reserved for the accounts' own folders. */
static bool is_prefix(struct str prefix)
{
	struct str rest = prefix, piece;
	while (str_split_next(&rest, '/', &piece))
		if (!backup_name_is_part(piece))
			return false;
	return prefix.n <= LOG_PREFIX_MAX && prefix.p[prefix.n - 1] != '/' &&
	       !str_contains(prefix, STR("AWSLogs"));
}

/* Access logs or connection logs of a balancer: places in its row. */
struct log_place {
	const char *word;
	bool *is_on;
	struct str *bucket, *prefix;
	int64_t *delivered_us;
};

static RESULT check_log(struct op *op, const struct log_place *place, struct str region_bucket)
{
	const struct str field = STR("Attributes");
	if (place->prefix->n && !is_prefix(*place->prefix))
		return ctx_fail_field(op->ctx, ERR_INVALID, field,
				      "The value of '%s_logs.s3.prefix' is not valid: '%" STR_FMT "'",
				      place->word, STR_ARG(*place->prefix));
	if (!*place->is_on)
		return OK;
	if (!place->bucket->n)
		return ctx_fail_field(op->ctx, ERR_INVALID, field,
				      "The value of '%s_logs.s3.bucket' cannot be empty", place->word);
	if (!str_equal(*place->bucket, region_bucket))
		return ctx_fail_field(op->ctx, ERR_RANGE, field,
				      "Access Denied for bucket: %" STR_FMT
				      ". Please check S3bucket permission",
				      STR_ARG(*place->bucket));
	return OK;
}

/* A new place gets a test file before any log. A region whose bucket is another one now does not refuse other changes. */
static RESULT set_log(struct op *op, const struct balancer_log_change *wish, struct str region_bucket,
		      const struct log_place *place, struct str *problem)
{
	bool was_on = *place->is_on;
	const struct str bucket = *place->bucket, prefix = *place->prefix;
	choice_apply(wish->is_on, place->is_on);
	if (wish->sets_bucket)
		*place->bucket = wish->bucket;
	if (wish->sets_prefix)
		*place->prefix = wish->prefix;
	if (was_on != *place->is_on || !str_equal(bucket, *place->bucket) ||
	    !str_equal(prefix, *place->prefix)) {
		*place->delivered_us = 0;
		*problem = STR_NONE;
	}
	bool is_changed = wish->is_on != CHOICE_DEFAULT || wish->sets_bucket || wish->sets_prefix;
	return is_changed ? check_log(op, place, region_bucket) : OK;
}

static RESULT set_logs(struct op *op, const struct elastic_load_balancer_change *wish,
		       struct elastic_load_balancer *next)
{
	const struct log_place requests = {"access", &next->logs_requests, &next->log_bucket,
					   &next->log_prefix, &next->log_delivered_us};
	const struct log_place connections = {"connection", &next->logs_connections,
					      &next->connection_log_bucket, &next->connection_log_prefix,
					      &next->connection_log_delivered_us};
	if (wish->log_interval_s)
		next->log_interval_s = wish->log_interval_s;
	if (wish->requests.is_on == CHOICE_YES && next->type == ELASTIC_LOAD_BALANCER_TYPE_OCTAVIA)
		return ctx_fail_field(op->ctx, ERR_UNSUPPORTED, STR("Attributes"),
				      "Access logs of such load balancers are not supported.");
	TRY(set_log(op, &wish->requests, wish->region_bucket, &requests, &next->log_problem));
	return set_log(op, &wish->connections, wish->region_bucket, &connections, &next->log_problem);
}

RESULT engine_see_access_log(struct op *op, struct access_log_report *report)
{
	const struct elastic_load_balancer *present = elastic_load_balancer_find(op->head, report->balancer);
	if (!present)
		return OK;
	struct elastic_load_balancer next = *present;
	if (report->delivered_us)
		next.log_delivered_us = report->delivered_us;
	if (report->connections_delivered_us)
		next.connection_log_delivered_us = report->connections_delivered_us;
	next.log_lines += report->lines;
	next.connection_log_lines += report->connection_lines;
	next.log_dropped += report->dropped;
	if (report->worker) {
		next.log_worker = report->worker;
		next.log_lost = report->lost;
	}
	next.log_problem = report->problem;
	if (report->problem.n && !present->log_problem.n)
		TRY(engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &present->row,
				     report->is_failure ? "log_failed" : "log_dropped", "%" STR_FMT,
				     STR_ARG(report->problem)));
	if (!report->problem.n && present->log_problem.n)
		TRY(engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &present->row, "log_written",
				     "Access logs are complete again."));
	return elastic_load_balancer_put(op, &next);
}

RESULT engine_set_elastic_load_balancer(struct op *op, struct elastic_load_balancer_change *wish)
{
	const struct elastic_load_balancer *present = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.set_attributes",
						&present));
	struct elastic_load_balancer next = *present;
	choice_apply(wish->is_protected, &next.is_protected);
	choice_apply(wish->crosses_zones, &next.crosses_zones);
	choice_apply(wish->forwards_port, &next.forwards_port);
	choice_apply(wish->keeps_host, &next.keeps_host);
	choice_apply(wish->drops_headers, &next.drops_headers);
	choice_apply(wish->names_cipher, &next.names_cipher);
	choice_apply(wish->has_http2, &next.has_http2);
	if (wish->idle_s)
		next.idle_s = wish->idle_s;
	if (wish->keep_alive_s)
		next.keep_alive_s = wish->keep_alive_s;
	if (wish->sets_forwarded_for)
		next.forwarded_for = (enum elastic_load_balancer_forwarded_for) wish->forwarded_for;
	choice_apply(wish->drains, &next.drains);
	if (wish->drain_s)
		next.drain_s = wish->drain_s;
	TRY(set_logs(op, wish, &next));
	next.row.gen++;
	TRY(elastic_load_balancer_put(op, &next));
	TRY(set_delay(op, &next));
	TRY(listener_settle_balancer(op, next.row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &next.row, "changed", "Attributes.");
}

/* The groups of a front; all fronts have the same. */
static struct uuids groups_of(const struct tables *t, const struct elastic_load_balancer *balancer)
{
	const struct port *front = balancer->fronts.count ? port_find(t, balancer->fronts.at[0]) : NULL;
	return front ? front->groups : (struct uuids){0};
}

/* A network load balancer keeps its choice at creation: it has security groups for ever, or never. */
static RESULT check_has_groups(struct op *op, const struct elastic_load_balancer *balancer, size_t count)
{
	const char *why =
		groups_of(op->head, balancer).count == 0
			? "You cannot set security groups on a load balancer that was created without "
			  "them"
		: count == 0 ? "You cannot remove all security groups of a network load balancer"
			     : NULL;
	return balancer_is_proxied(balancer) || !why
		       ? OK
		       : ENGINE_FAIL(op, ERR_COMBINATION, KIND_ELASTIC_LOAD_BALANCER, STR("SecurityGroups"),
				     "%s", why);
}

RESULT engine_set_elastic_load_balancer_groups(struct op *op, struct elastic_load_balancer_groups *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	struct uuids groups = {0};
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer,
						wish->is_classic ? "elastic_load_balancer.apply_groups"
								 : "elastic_load_balancer.set_groups",
						&balancer));
	TRY(check_has_groups(op, balancer, wish->groups.count));
	TRY(find_groups(op, balancer, wish->groups, &groups));
	for (size_t k = 0; k < balancer->fronts.count; k++) {
		const struct port *front = port_find(op->head, balancer->fronts.at[k]);
		if (!front)
			continue;
		struct port next = *front;
		next.groups = groups;
		next.row.gen++;
		TRY(port_put(op, &next));
	}
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &balancer->row, "changed",
				"Security groups.");
}

/* After a change of the fronts: a network load balancer may need a proxy, or need none any more. */
static RESULT settle_listeners(struct op *op, uuid balancer)
{
	TRY(proxy_settle(op, balancer));
	TRY(listener_settle_balancer(op, balancer));
	TRY(proxy_touch(op, balancer));
	return listener_check_proxied(op, balancer);
}

static RESULT replace_subnets(struct op *op, const struct elastic_load_balancer *present,
			      const struct balancer_subnets *subnets, enum choice is_dualstack)
{
	struct fronts_plan plan = {0};
	struct elastic_load_balancer next = *present;
	choice_apply(is_dualstack, &next.is_dualstack);
	TRY(plan_fronts(op, subnets, &next, &plan));
	if (!uuid_equal(plan.router, present->router))
		return fail_subnets(op, STR("Subnets"), "The subnets are not in the load balancer's VPC.");
	const struct uuids before = next.fronts;
	const struct uuids groups = groups_of(op->head, present);
	TRY(target_group_check_families(op, &next));
	next.row.gen++;
	TRY(add_fronts(op, &plan, &groups, &next));
	TRY(settle_listeners(op, next.row.id));
	TRY(port_delete_all_but(op, &before, &next.fronts));
	TRY(endpoint_service_settle_balancer(op, &next));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &next.row, "changed", "Subnets.");
}

RESULT engine_set_elastic_load_balancer_subnets(struct op *op, struct elastic_load_balancer_subnets *wish)
{
	const struct elastic_load_balancer *present = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.set_subnets",
						&present));
	return replace_subnets(op, present, &wish->subnets, wish->is_dualstack);
}

RESULT engine_set_elastic_load_balancer_ip_type(struct op *op, struct elastic_load_balancer_ip_type *wish)
{
	const struct elastic_load_balancer *present = NULL;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.set_ip_type",
						&present));
	if (present->is_dualstack == wish->is_dualstack)
		return OK;
	struct elastic_load_balancer next = *present;
	next.is_dualstack = wish->is_dualstack;
	TRY(target_group_check_families(op, &next));
	next.row.gen++;
	TRY(elastic_load_balancer_put(op, &next));
	for (size_t k = 0; k < next.fronts.count; k++)
		TRY(settle_ipv6(op, next.fronts.at[k], next.is_dualstack, (struct ip){0}));
	TRY(settle_listeners(op, next.row.id));
	return engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &next.row, "changed", "IP address type.");
}

static bool is_named(const struct refs *subnets, uuid subnet)
{
	for (size_t k = 0; k < subnets->count; k++)
		if (id_has_prefix(subnet, subnets->at[k].prefix, subnets->at[k].bits))
			return true;
	return false;
}

/* The subnets that the balancer has, without those named. */
static void list_subnets(struct op *op, const struct elastic_load_balancer *balancer,
			 const struct refs *without, struct balancer_subnet *ret_at, size_t *ret_count)
{
	*ret_count = 0;
	for (size_t k = 0; k < balancer->fronts.count; k++) {
		const struct port *front = port_find(op->head, balancer->fronts.at[k]);
		if (!front || is_named(without, front->subnet))
			continue;
		ret_at[*ret_count] =
			(struct balancer_subnet){.subnet = ref_by_id(KIND_SUBNET, front->subnet)};
		ret_at[(*ret_count)++].subnet.field = STR("Subnets");
	}
}

RESULT engine_attach_balancer_subnets(struct op *op, struct balancer_subnets_change *wish)
{
	const struct elastic_load_balancer *present = NULL;
	struct balancer_subnet at[2 * BALANCER_FRONTS_MAX];
	size_t count = 0;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer,
						wish->is_by_zone ? "elastic_load_balancer.enable_zones"
								 : "elastic_load_balancer.attach_subnets",
						&present));
	if (wish->subnets.count > BALANCER_FRONTS_MAX)
		return fail_subnets(op, STR("Subnets"), "A load balancer has one to ten subnets.");
	list_subnets(op, present, &wish->subnets, at, &count);
	for (size_t k = 0; k < wish->subnets.count; k++)
		at[count++] = (struct balancer_subnet){.subnet = wish->subnets.at[k]};
	return replace_subnets(op, present, &(const struct balancer_subnets){at, count}, CHOICE_DEFAULT);
}

RESULT engine_detach_balancer_subnets(struct op *op, struct balancer_subnets_change *wish)
{
	const struct elastic_load_balancer *present = NULL;
	struct balancer_subnet at[BALANCER_FRONTS_MAX];
	size_t count = 0;
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer,
						wish->is_by_zone ? "elastic_load_balancer.disable_zones"
								 : "elastic_load_balancer.detach_subnets",
						&present));
	list_subnets(op, present, &wish->subnets, at, &count);
	if (!count)
		return fail_subnets(op, STR("Subnets"),
				    "A load balancer must stay attached to at least one subnet.");
	return replace_subnets(op, present, &(const struct balancer_subnets){at, count}, CHOICE_DEFAULT);
}

/* ---- deletion ---- */

RESULT engine_delete_elastic_load_balancer(struct op *op, struct elastic_load_balancer_target *wish)
{
	const struct elastic_load_balancer *balancer = NULL;
	if (!ref_is_given(&wish->balancer))
		return engine_permit(op, "elastic_load_balancer.delete", KIND_ELASTIC_LOAD_BALANCER, NULL);
	TRY(engine_permit_elastic_load_balancer(op, &wish->balancer, "elastic_load_balancer.delete",
						&balancer));
	if (balancer->is_protected && !wish->is_forced)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ELASTIC_LOAD_BALANCER, wish->balancer.field,
				   "Load balancer '%" STR_FMT
				   "' cannot be deleted because deletion protection is enabled",
				   STR_ARG(wish->balancer.text));
	TRY(endpoint_service_check_balancer(op, balancer, &wish->balancer));
	return elastic_load_balancer_end(op, balancer);
}

/* A front that was the user's own port is one again, without a device. */
static RESULT release_front(struct op *op, uuid front)
{
	const struct port *present = port_find(op->head, front);
	if (!present || !row_is_live(&present->row))
		return OK;
	struct port next = *present;
	next.device_owner = next.device_id = STR_NONE;
	next.row.gen++;
	return port_put(op, &next);
}

RESULT elastic_load_balancer_end(struct op *op, const struct elastic_load_balancer *balancer)
{
	uuid id = balancer->row.id;
	bool keeps_front = balancer->keeps_front && balancer->fronts.count;
	const struct uuids fronts = balancer->fronts;
	TRY(engine_log_event(op, KIND_ELASTIC_LOAD_BALANCER, &balancer->row, "deleted",
			     "Load balancer %" STR_FMT ".", STR_ARG(balancer->name)));
	for (const struct listener *l = listener_first_by_elastic_load_balancer(op->head, id); l;
	     l = listener_first_by_elastic_load_balancer(op->head, id))
		TRY(listener_end(op, l));
	TRY(keeps_front ? release_front(op, fronts.at[0])
			: port_delete_all_but(op, &fronts, &(const struct uuids){0}));
	TRY(proxy_end(op, id));
	return elastic_load_balancer_forget(op, id);
}
