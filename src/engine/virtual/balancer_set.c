/* SPDX-License-Identifier: Apache-2.0
 * Sets of load balancers. Each rule is a load balancer with all members of its pool, kept up to date with the
 * pool. Called by: api/azure. */
#include "engine/virtual/balancer_set.h"

#include "engine/acting.h"
#include "engine/balancing/load_balancer.h"
#include "engine/balancing/load_balancer_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/virtual/balancer_set_internal.h"
#include "store/address.h"
#include "store/balancer_pool_member.h"
#include "store/balancer_set.h"
#include "store/elastic_load_balancer.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"
#include "store/subnet.h"

/* The device owner of a private frontend's port, in Neutron's style. */
#define FRONT_OWNER "network:load_balancer"

/* ---- members of rules ---- */

static RESULT fail_unreachable(struct op *op, struct str field)
{
	return ENGINE_FAIL(
		op, ERR_STATE, KIND_LOAD_BALANCER, field,
		"The interface cannot be reached from the load balancer's public address: all members "
		"of its pools are in one virtual network.");
}

static RESULT join(struct op *op, uuid balancer, const struct port *port, struct ip ip)
{
	const struct load_balancer *b = load_balancer_find(op->head, balancer);
	uuid router = engine_get_router_of_ip(op->head, port, ip);
	if (load_balancer_member_find_by_load_balancer(op->head, balancer, ip))
		return OK;
	if (!load_balancer_reaches(op->head, b, router))
		return fail_unreachable(op, STR("properties.backendAddressPools"));
	struct load_balancer next = *b;
	struct load_balancer_member made = {
		.row = {.id = engine_new_id(op, KIND_LOAD_BALANCER_MEMBER), .gen = 1},
		.account = b->account,
		.load_balancer = balancer,
		.port = port->row.id,
		.private_ip = ip};
	next.router = router;
	next.row.gen++;
	TRY(load_balancer_member_put(op, &made));
	return load_balancer_put(op, &next);
}

static RESULT leave(struct op *op, uuid balancer, struct ip ip)
{
	const struct load_balancer_member *m =
		load_balancer_member_find_by_load_balancer(op->head, balancer, ip);
	if (!m)
		return OK;
	TRY(load_balancer_member_forget(op, m->row.id));
	struct load_balancer next = *load_balancer_find(op->head, balancer);
	if (!load_balancer_member_first_by_load_balancer(op->head, balancer) && uuid_is_none(next.front))
		next.router = UUID_NONE;
	next.row.gen++;
	return load_balancer_put(op, &next);
}

static bool is_of_pool(const struct load_balancer *b, struct str pool)
{
	return str_equal(b->pool, pool);
}

/* Adds the member to all rules of the set that use the pool. */
static RESULT join_all(struct op *op, const struct balancer_pool_member *m)
{
	uuid set = m->set, port = m->port;
	struct ip ip = m->private_ip;
	struct str pool = str_copy(op->ctx->arena, m->pool);
	const struct load_balancer *b = load_balancer_first_by_set(op->head, set), *next = NULL;
	for (; b; b = next) {
		next = load_balancer_next_by_set(op->head, b);
		if (is_of_pool(b, pool))
			TRY(join(op, b->row.id, port_find(op->head, port), ip));
	}
	return OK;
}

static RESULT forget_member(struct op *op, const struct balancer_pool_member *m)
{
	uuid set = m->set, id = m->row.id;
	struct ip ip = m->private_ip;
	struct str pool = str_copy(op->ctx->arena, m->pool);
	const struct load_balancer *b = load_balancer_first_by_set(op->head, set), *next = NULL;
	for (; b; b = next) {
		next = load_balancer_next_by_set(op->head, b);
		if (is_of_pool(b, pool))
			TRY(leave(op, b->row.id, ip));
	}
	return balancer_pool_member_forget(op, id);
}

RESULT balancer_set_leave_ip(struct op *op, uuid port, struct ip private_ip)
{
	const struct balancer_pool_member *m = balancer_pool_member_first_by_port(op->head, port),
					  *next = NULL;
	for (; m; m = next) {
		next = balancer_pool_member_next_by_port(op->head, m);
		if (ip_is_none(private_ip) || ip_equal(m->private_ip, private_ip))
			TRY(balancer_pool_member_forget(op, m->row.id));
	}
	return OK;
}

/* ---- rules ---- */

/* The port of a set's private frontend with that name, or NULL. */
const struct port *engine_find_front(const struct tables *t, uuid set, struct str name)
{
	const struct balancer_set *row = balancer_set_find(t, set);
	for (size_t k = 0; row && k < row->fronts.count; k++) {
		const struct port *p = port_find(t, row->fronts.at[k]);
		if (p && row_is_live(&p->row) && str_equal_nocase(p->name, name))
			return p;
	}
	return NULL;
}

bool engine_is_front(const struct tables *t, const struct port *port)
{
	uuid set;
	if (!result_is_ok(uuid_parse(port->device_id, &set)))
		return false;
	const struct balancer_set *row = balancer_set_find(t, set);
	const struct elastic_load_balancer *balancer = elastic_load_balancer_find(t, set);
	return (row && uuids_have(&row->fronts, port->row.id)) ||
	       (balancer && uuids_have(&balancer->fronts, port->row.id));
}

static bool is_front_as_said(const struct tables *t, const struct load_balancer *b,
			     const struct balancer_rule *r)
{
	const struct port *front = r->front.n ? engine_find_front(t, b->set, r->front) : NULL;
	return r->front.n ? front && uuid_equal(b->front, front->row.id) : uuid_is_none(b->front);
}

static bool is_as_said(const struct tables *t, const struct load_balancer *b, const struct balancer_rule *r)
{
	return str_equal(b->name, r->name) && uuid_equal(b->address, r->address.prefix) &&
	       is_front_as_said(t, b, r) && b->is_unasked == r->is_unasked &&
	       b->ask_interval == r->ask_interval && b->ask_failures == r->ask_failures &&
	       b->protocol == r->protocol && b->public_port == r->public_port &&
	       b->private_port == r->private_port && b->algorithm == r->algorithm &&
	       str_equal(b->pool, r->pool);
}

static RESULT drop_rules(struct op *op, const struct balancer_set_wish *wish, uuid set)
{
	const struct load_balancer *b = load_balancer_first_by_set(op->head, set), *next = NULL;
	for (; b; b = next) {
		bool stays = false;
		next = load_balancer_next_by_set(op->head, b);
		for (size_t k = 0; k < wish->rule_count; k++)
			stays = stays || is_as_said(op->head, b, &wish->rules[k]);
		struct load_balancer_target target = {engine_ref_to(op, KIND_LOAD_BALANCER, b->row.id,
								    STR("properties.loadBalancingRules"))};
		if (!stays)
			TRY(uuid_is_none(b->front) ? engine_delete_load_balancer(op, &target)
						   : load_balancer_end(op, b));
	}
	return OK;
}

static bool has_rule(const struct tables *t, uuid set, const struct balancer_rule *rule)
{
	const struct load_balancer *b = load_balancer_first_by_set(t, set);
	while (b && !is_as_said(t, b, rule))
		b = load_balancer_next_by_set(t, b);
	return b != NULL;
}

static RESULT fill(struct op *op, uuid set, struct str pool, uuid balancer)
{
	const struct balancer_pool_member *m = balancer_pool_member_first_by_set(op->head, set), *next = NULL;
	for (; m; m = next) {
		next = balancer_pool_member_next_by_set(op->head, m);
		if (str_equal(m->pool, pool))
			TRY(join(op, balancer, port_find(op->head, m->port), m->private_ip));
	}
	return OK;
}

static RESULT add_rule(struct op *op, const struct balancer_rule *rule, uuid set)
{
	struct load_balancer_wish wish = {.address = rule->address,
					  .protocol = rule->protocol,
					  .algorithm = rule->algorithm,
					  .public_port = rule->public_port,
					  .private_port = rule->private_port,
					  .name = rule->name};
	if (has_rule(op->head, set, rule))
		return OK;
	if (rule->front.n)
		wish.front =
			engine_ref_to(op, KIND_PORT, engine_find_front(op->head, set, rule->front)->row.id,
				      STR("properties.frontendIPConfigurations"));
	TRY(engine_create_load_balancer(op, &wish));
	struct load_balancer next = *load_balancer_find(op->head, wish.balancer);
	next.set = set;
	next.pool = rule->pool;
	next.is_unasked = rule->is_unasked;
	next.ask_interval = rule->ask_interval;
	next.ask_failures = rule->ask_failures;
	TRY(load_balancer_put(op, &next));
	return rule->pool.n ? fill(op, set, rule->pool, wish.balancer) : OK;
}

static bool is_inward_as_said(const struct port_forwarding *f, const struct balancer_inward *said)
{
	return f->protocol == said->protocol && f->public_first == said->public_port &&
	       f->public_last == said->public_port && f->private_first == said->private_port &&
	       f->private_last == said->private_port;
}

/* Updates claimed inbound ports that changed, and deletes those that were removed. */
static RESULT settle_inwards(struct op *op, const struct balancer_set_wish *wish, uuid set)
{
	const struct port_forwarding *f = port_forwarding_first_by_set(op->head, set), *next = NULL;
	for (; f; f = next) {
		const struct balancer_inward *said = NULL;
		struct ref ref =
			engine_ref_to(op, KIND_PORT_FORWARDING, f->row.id, STR("properties.inboundNatRules"));
		next = port_forwarding_next_by_set(op->head, f);
		for (size_t k = 0; k < wish->inward_count && !said; k++)
			said = str_equal_nocase(wish->inwards[k].name, f->name) &&
					       uuid_equal(wish->inwards[k].address.prefix, f->address)
				       ? &wish->inwards[k]
				       : NULL;
		struct port_forwarding_target target = {.forwarding = ref};
		if (!said) {
			TRY(engine_delete_port_forwarding(op, &target));
			continue;
		}
		if (is_inward_as_said(f, said))
			continue;
		struct port_forwarding_change change = {.forwarding = ref,
							.sets_protocol = true,
							.protocol = said->protocol,
							.ports = {said->public_port, said->public_port,
								  said->private_port, said->private_port}};
		TRY(engine_change_port_forwarding(op, &change));
	}
	return OK;
}

/* ---- private frontends ---- */

static bool is_said_so(const struct port *p, const struct balancer_front *said)
{
	return str_equal_nocase(p->name, said->name) && uuid_equal(p->subnet, said->subnet.prefix) &&
	       (ip_is_none(said->ip) || ip_equal(said->ip, p->ip));
}

static bool is_wanted_front(const struct balancer_set_wish *wish, const struct port *p)
{
	for (size_t k = 0; k < wish->front_count; k++)
		if (is_said_so(p, &wish->fronts[k]))
			return true;
	return false;
}

static RESULT write_fronts(struct op *op, uuid set, const uuid *at, size_t count)
{
	struct balancer_set next = *balancer_set_find(op->head, set);
	if (next.fronts.count == count && (!count || memcmp(next.fronts.at, at, count * sizeof *at) == 0))
		return OK;
	next.fronts = (struct uuids){at, count};
	return balancer_set_put(op, &next);
}

/* Deletes private frontends that the wish does not list. The caller has deleted their rules. */
static RESULT drop_fronts(struct op *op, const struct balancer_set_wish *wish, uuid set)
{
	const struct uuids before = balancer_set_find(op->head, set)->fronts;
	uuid *stay = arena_new_array(op->ctx->arena, uuid, before.count + 1);
	size_t count = 0;
	if (!stay)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < before.count; k++) {
		const struct port *p = port_find(op->head, before.at[k]);
		if (p && row_is_live(&p->row) && is_wanted_front(wish, p))
			stay[count++] = before.at[k];
		else if (p && row_is_live(&p->row))
			TRY(port_delete_with_addresses(op, p));
	}
	return write_fronts(op, set, stay, count);
}

static RESULT add_front(struct op *op, const struct balancer_front *front, uuid set)
{
	const struct subnet *subnet = NULL;
	if (engine_find_front(op->head, set, front->name))
		return OK;
	TRY(engine_find_own_subnet(op->ctx, op->head, &front->subnet, &subnet));
	struct port port = port_new_in(subnet, subnet->account);
	port.name = front->name;
	port.description = STR("Frontend of a load balancer");
	port.device_owner = STR(FRONT_OWNER);
	port.device_id = uuid_to_str(op->ctx->arena, set);
	TRY(port_make(op, subnet, front->ip, STR("properties.frontendIPConfigurations.privateIPAddress"),
		      &port));
	TRY(port_put(op, &port));
	const struct uuids before = balancer_set_find(op->head, set)->fronts;
	uuid *at = arena_new_array(op->ctx->arena, uuid, before.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < before.count; k++)
		at[k] = before.at[k];
	at[before.count] = port.row.id;
	return write_fronts(op, set, at, before.count + 1);
}

/* Deletes rules first, because a changed frontend takes its rules with it. */
static RESULT drop_rules_of_fronts(struct op *op, const struct balancer_set_wish *wish, uuid set)
{
	const struct load_balancer *b = load_balancer_first_by_set(op->head, set), *next = NULL;
	for (; b; b = next) {
		const struct port *front = port_find(op->head, b->front);
		next = load_balancer_next_by_set(op->head, b);
		if (front && !is_wanted_front(wish, front))
			TRY(load_balancer_end(op, b));
	}
	return OK;
}

static bool has_pool(struct strs pools, struct str pool)
{
	for (size_t k = 0; k < pools.count; k++)
		if (str_equal(pools.at[k], pool))
			return true;
	return false;
}

static RESULT drop_pools(struct op *op, const struct balancer_set_wish *wish, uuid set)
{
	const struct balancer_pool_member *m = balancer_pool_member_first_by_set(op->head, set), *next = NULL;
	for (; m; m = next) {
		next = balancer_pool_member_next_by_set(op->head, m);
		if (!has_pool(wish->pools, m->pool))
			TRY(forget_member(op, m));
	}
	return OK;
}

static RESULT make(struct op *op, struct balancer_set_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_check_name(op, KIND_BALANCER_SET, wish->name));
	TRY(limit_check(op, LIMIT_BALANCER_SETS, account, 1, STR_NONE));
	TRY(engine_permit(op, "load_balancer.create", KIND_BALANCER_SET, NULL));
	struct balancer_set set = {.row = {.id = engine_new_id(op, KIND_BALANCER_SET), .gen = 1},
				   .account = account,
				   .name = wish->name};
	wish->made = set.row.id;
	TRY(balancer_set_put(op, &set));
	return engine_log_event(op, KIND_BALANCER_SET, &set.row, "created",
				"Set of load balancers %" STR_FMT ".", STR_ARG(wish->name));
}

static RESULT find(struct op *op, struct balancer_set_wish *wish)
{
	const struct balancer_set *set = NULL;
	TRY(engine_permit_balancer_set(op, &wish->set, "load_balancer.update", &set));
	wish->made = set->row.id;
	return OK;
}

/* The set's gen also counts changes of its parts. */
static RESULT note_changed(struct op *op, uuid id)
{
	struct balancer_set next = *balancer_set_find(op->head, id);
	next.row.gen++;
	return balancer_set_put(op, &next);
}

RESULT engine_put_balancer_set(struct op *op, struct balancer_set_wish *wish)
{
	if (wish->rule_count + wish->inward_count > BALANCER_RULES_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_BALANCER_SET,
				     "A load balancer has up to %d rules.", BALANCER_RULES_MAX);
	TRY(ref_is_given(&wish->set) ? find(op, wish) : make(op, wish));
	size_t before = op_place_now(op).entries;
	TRY(drop_pools(op, wish, wish->made));
	TRY(drop_rules(op, wish, wish->made));
	TRY(settle_inwards(op, wish, wish->made));
	TRY(drop_rules_of_fronts(op, wish, wish->made));
	TRY(drop_fronts(op, wish, wish->made));
	for (size_t k = 0; k < wish->front_count; k++)
		TRY(add_front(op, &wish->fronts[k], wish->made));
	for (size_t k = 0; k < wish->rule_count; k++)
		TRY(add_rule(op, &wish->rules[k], wish->made));
	return op_place_now(op).entries == before ? OK : note_changed(op, wish->made);
}

RESULT engine_delete_balancer_set(struct op *op, struct balancer_set_target *wish)
{
	const struct balancer_set *set = NULL;
	const struct balancer_set_wish nothing = {0};
	TRY(engine_permit_balancer_set(op, &wish->set, "load_balancer.delete", &set));
	uuid id = set->row.id;
	TRY(engine_log_event(op, KIND_BALANCER_SET, &set->row, "deleted",
			     "Set of load balancers %" STR_FMT ".", STR_ARG(set->name)));
	TRY(drop_pools(op, &nothing, id));
	TRY(drop_rules(op, &nothing, id));
	TRY(settle_inwards(op, &nothing, id));
	TRY(drop_fronts(op, &nothing, id));
	return balancer_set_forget(op, id);
}

/* ---- interfaces ---- */

static bool is_wished(const struct balanced_wish *wish, const struct balancer_pool_member *m)
{
	for (size_t k = 0; k < wish->pool_count; k++)
		if (uuid_equal(wish->pools[k].set.prefix, m->set) && str_equal(wish->pools[k].pool, m->pool))
			return true;
	return false;
}

/* Leaving a pool changes its load balancer, so the caller needs a permission there, as for joining one. */
static RESULT leave_pool(struct op *op, const struct balancer_pool_member *m)
{
	const struct balancer_set *set = balancer_set_find(op->head, m->set);
	if (set) {
		TRY(engine_check_found(op->ctx, op->head, KIND_BALANCER_SET, &set->row));
		TRY(engine_permit(op, "load_balancer.remove", KIND_BALANCER_SET, &set->row));
	}
	return forget_member(op, m);
}

static RESULT leave_pools(struct op *op, const struct balanced_wish *wish, uuid port)
{
	const struct balancer_pool_member *m = balancer_pool_member_first_by_port(op->head, port),
					  *next = NULL;
	for (; m; m = next) {
		next = balancer_pool_member_next_by_port(op->head, m);
		if (ip_equal(m->private_ip, wish->private_ip) && !is_wished(wish, m))
			TRY(leave_pool(op, m));
	}
	return OK;
}

static bool is_in_pool(const struct tables *t, uuid set, struct str pool, uuid port, struct ip ip)
{
	const struct balancer_pool_member *m = balancer_pool_member_first_by_port(t, port);
	while (m && !(uuid_equal(m->set, set) && str_equal(m->pool, pool) && ip_equal(m->private_ip, ip)))
		m = balancer_pool_member_next_by_port(t, m);
	return m != NULL;
}

static RESULT join_pool(struct op *op, const struct balanced_pool *pool, uuid port, struct ip ip)
{
	const struct balancer_set *set = NULL;
	TRY(engine_find_own_balancer_set(op->ctx, op->head, &pool->set, &set));
	if (is_in_pool(op->head, set->row.id, pool->pool, port, ip))
		return OK;
	TRY(engine_permit(op, "load_balancer.add", KIND_BALANCER_SET, &set->row));
	TRY(limit_check(op, LIMIT_BALANCER_POOL_MEMBERS, set->row.id, 1, STR_NONE));
	struct balancer_pool_member made = {
		.row = {.id = engine_new_id(op, KIND_BALANCER_POOL_MEMBER), .gen = 1},
		.account = set->account,
		.set = set->row.id,
		.pool = pool->pool,
		.port = port,
		.private_ip = ip};
	TRY(balancer_pool_member_put(op, &made));
	return join_all(op, &made);
}

static bool leads_as_wished(const struct balanced_wish *wish, const struct port_forwarding *f)
{
	for (size_t k = 0; k < wish->inward_count; k++)
		if (uuid_equal(wish->inwards[k].set.prefix, f->set) &&
		    str_equal_nocase(wish->inwards[k].rule.name, f->name))
			return true;
	return false;
}

static RESULT leave_inwards(struct op *op, const struct balanced_wish *wish, uuid port)
{
	const struct port_forwarding *f = port_forwarding_first_by_port(op->head, port), *next = NULL;
	for (; f; f = next) {
		next = port_forwarding_next_by_port(op->head, f);
		struct port_forwarding_target target = {
			.forwarding = engine_ref_to(op, KIND_PORT_FORWARDING, f->row.id, wish->port.field)};
		if (!uuid_is_none(f->set) && ip_equal(f->private_ip, wish->private_ip) &&
		    !leads_as_wished(wish, f))
			TRY(engine_delete_port_forwarding(op, &target));
	}
	return OK;
}

static RESULT lead_inwards(struct op *op, const struct balanced_inward *inward, uuid port, struct ip ip)
{
	const struct balancer_set *set = NULL;
	TRY(engine_find_own_balancer_set(op->ctx, op->head, &inward->set, &set));
	uuid id = set->row.id;
	const struct port_forwarding *f = port_forwarding_first_by_port(op->head, port);
	for (; f; f = port_forwarding_next_by_port(op->head, f))
		if (uuid_equal(f->set, id) && str_equal_nocase(f->name, inward->rule.name) &&
		    ip_equal(f->private_ip, ip))
			return OK;
	struct port_forwarding_wish wish = {
		.address = inward->rule.address,
		.protocol = inward->rule.protocol,
		.ports = {inward->rule.public_port, inward->rule.public_port, inward->rule.private_port,
			  inward->rule.private_port},
		.port = engine_ref_to(op, KIND_PORT, port, STR("properties.ipConfigurations")),
		.private_ip = ip};
	TRY(engine_create_port_forwarding(op, &wish));
	struct port_forwarding next = *port_forwarding_find(op->head, wish.forwarding);
	next.set = id;
	next.name = inward->rule.name;
	return port_forwarding_put(op, &next);
}

RESULT engine_balance_port(struct op *op, struct balanced_wish *wish)
{
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	uuid id = port->row.id;
	TRY(leave_pools(op, wish, id));
	TRY(leave_inwards(op, wish, id));
	for (size_t k = 0; k < wish->pool_count; k++)
		TRY(join_pool(op, &wish->pools[k], id, wish->private_ip));
	for (size_t k = 0; k < wish->inward_count; k++)
		TRY(lead_inwards(op, &wish->inwards[k], id, wish->private_ip));
	return OK;
}
