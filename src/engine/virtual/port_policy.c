/* SPDX-License-Identifier: Apache-2.0
 * Port policies with their rules, and sets of interfaces. Also evaluates the rules (engine_read_port_rules)
 * for the reconciler and for queries. */
#include "engine/virtual/port_policy.h"

#include <inttypes.h>
#include <netinet/in.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/peering.h"
#include "engine/network/routing/router.h"
#include "engine/tag_internal.h"
#include "model/peering.h"
#include "model/port_rule.h"
#include "model/secondary_ip.h"
#include "store/address.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/port_policy_rule.h"
#include "store/port_set.h"
#include "store/reference.h"
#include "store/router.h"
#include "store/subnet.h"

enum { NAME_MAX_SIZE = 80, DESCRIPTION_MAX_SIZE = 140 };

/* ---- policies ---- */

RESULT engine_create_port_policy(struct op *op, struct port_policy_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_check_name(op, KIND_PORT_POLICY, wish->name));
	TRY(limit_check(op, LIMIT_PORT_POLICIES, account, 1, STR_NONE));
	TRY(engine_permit(op, "port_policy.create", KIND_PORT_POLICY, NULL));
	struct port_policy policy = {.row = {.id = engine_new_id(op, KIND_PORT_POLICY), .gen = 1},
				     .account = account,
				     .name = wish->name};
	wish->policy = policy.row.id;
	TRY(port_policy_put(op, &policy));
	return engine_log_event(op, KIND_PORT_POLICY, &policy.row, "created", "Port policy %" STR_FMT ".",
				STR_ARG(wish->name));
}

RESULT engine_delete_port_policy(struct op *op, struct port_policy_target *wish)
{
	const struct port_policy *policy = NULL;
	TRY(engine_permit_port_policy(op, &wish->policy, "port_policy.delete", &policy));
	if (reference_find_user(op->head, KIND_PORT_POLICY, policy->row.id, false))
		return ENGINE_FAIL_ABOUT(
			op, ERR_IN_USE, KIND_PORT_POLICY, &wish->policy,
			"Network security group %" STR_FMT
			" cannot be deleted because it is in use by an interface or a subnet.",
			STR_ARG(policy->name));
	uuid id = policy->row.id;
	TRY(engine_log_event(op, KIND_PORT_POLICY, &policy->row, "deleted", "Port policy %" STR_FMT ".",
			     STR_ARG(policy->name)));
	return port_policy_delete(op, id);
}

/* ---- rule checks ---- */

static RESULT fail_rule(struct op *op, enum err err, const char *field, const char *what, struct str value)
{
	return ENGINE_FAIL(op, err, KIND_PORT_POLICY_RULE, str_from(field),
			   "Security rule has invalid %s. Value provided: %" STR_FMT, what,
			   STR_ARG(str_slice(value, 0, 64)));
}

static RESULT check_places(struct op *op, struct strs places, const char *field)
{
	enum port_word word;
	struct cidr block;
	for (size_t k = 0; k < places.count; k++)
		if (!port_read_place(places.at[k], &word, &block))
			return fail_rule(op, ERR_INVALID, field, "Address prefix", places.at[k]);
	return places.count <= PORT_POLICY_LIST_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_PORT_POLICY_RULE, str_from(field),
				     "A rule has up to %d prefixes on a side.", PORT_POLICY_LIST_MAX);
}

static RESULT check_ports(struct op *op, struct strs ports, const char *field)
{
	uint32_t first, last;
	for (size_t k = 0; k < ports.count; k++)
		if (!port_read_ports(ports.at[k], &first, &last))
			return fail_rule(op, ERR_INVALID, field, "Port range", ports.at[k]);
	return ports.count <= PORT_POLICY_LIST_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_PORT_POLICY_RULE, str_from(field),
				     "A rule has up to %d port ranges on a side.", PORT_POLICY_LIST_MAX);
}

static RESULT check_rule(struct op *op, const struct port_policy_rule_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > NAME_MAX_SIZE || !str_is_line(wish->name))
		return fail_rule(op, ERR_INVALID, "name", "name", wish->name);
	if (wish->description.n > DESCRIPTION_MAX_SIZE || !str_is_xml_text(wish->description))
		return fail_rule(op, ERR_INVALID, "properties.description", "description", wish->description);
	if (wish->priority < PORT_POLICY_PRIORITY_MIN || wish->priority > PORT_POLICY_PRIORITY_MAX)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT_POLICY_RULE, STR("properties.priority"),
				   "Security rule %" STR_FMT " has invalid Priority. Value provided: %" PRId64
				   " Allowed range %d-%d.",
				   STR_ARG(wish->name), wish->priority, PORT_POLICY_PRIORITY_MIN,
				   PORT_POLICY_PRIORITY_MAX);
	TRY(check_places(op, wish->sources, "properties.sourceAddressPrefix"));
	TRY(check_places(op, wish->destinations, "properties.destinationAddressPrefix"));
	TRY(check_ports(op, wish->source_ports, "properties.sourcePortRange"));
	return check_ports(op, wish->destination_ports, "properties.destinationPortRange");
}

static RESULT check_priority(struct op *op, const struct port_policy_rule_wish *wish, uuid policy)
{
	const struct port_policy_rule *there =
		port_policy_rule_find_by_policy(op->head, policy, wish->egress, wish->priority);
	if (!there || uuid_equal(there->row.id, wish->rule))
		return OK;
	return ENGINE_FAIL(op, ERR_EXISTS, KIND_PORT_POLICY_RULE, STR("properties.priority"),
			   "Security rule %" STR_FMT " conflicts with rule %" STR_FMT
			   ". Rules cannot have the same Priority and Direction.",
			   STR_ARG(wish->name), STR_ARG(there->name));
}

static RESULT find_sets(struct op *op, struct refs refs, size_t most, struct uuids *ret_sets)
{
	uuid *at = arena_new_array(op->ctx->arena, uuid, refs.count + 1);
	if (!at)
		return ctx_no_memory(op->ctx);
	*ret_sets = (struct uuids){at, 0};
	for (size_t k = 0; k < refs.count; k++) {
		const struct port_set *set = NULL;
		TRY(engine_find_own_port_set(op->ctx, op->head, &refs.at[k], &set));
		if (!uuids_have(ret_sets, set->row.id))
			at[ret_sets->count++] = set->row.id;
	}
	return ret_sets->count <= most
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_PORT_SET,
				       "Up to %zu application security groups are named.", most);
}

/* Checks that the rules can be programmed into the network. */
static RESULT check_cells(struct op *op, uuid policy)
{
	struct port_cells cells;
	for (int egress = 0; egress < 2; egress++) {
		struct port_rules rules = {0};
		TRY(engine_read_port_rules(op->ctx, op->head, policy, UUID_NONE, egress, &rules));
		for (int k = 0; k < PORT_PROTOCOLS; k++)
			if (!port_find_denied(op->ctx->arena, rules.at, rules.count, (enum port_protocol) k,
					      &cells) ||
			    cells.count > PORT_CELLS_MAX / 2)
				return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_PORT_POLICY_RULE,
						     "The rules of the network security group cut what they "
						     "are about in too many parts.");
	}
	return OK;
}

enum { SETS_OF_RULE_MAX = 10 };

static RESULT touch(struct op *op, uuid policy, struct str name, const char *what)
{
	struct port_policy next = *port_policy_find(op->head, policy);
	next.row.gen++;
	TRY(port_policy_put(op, &next));
	return engine_log_event(op, KIND_PORT_POLICY, &next.row, "changed", "Rule %" STR_FMT " is %s.",
				STR_ARG(name), what);
}

/* Ignores the gen. */
static bool is_same(const struct port_policy_rule *before, const struct port_policy_rule *next)
{
	struct port_policy_rule as_before = *next;
	as_before.row = before->row;
	return row_equal(&model_kinds[KIND_PORT_POLICY_RULE], &before->row, &as_before.row);
}

RESULT engine_put_port_policy_rule(struct op *op, struct port_policy_rule_wish *wish)
{
	const struct port_policy *policy = NULL;
	struct uuids sources = {0}, destinations = {0};
	TRY(engine_permit_port_policy(op, &wish->policy, "port_policy.update", &policy));
	uuid id = policy->row.id;
	const struct port_policy_rule *before = port_policy_rule_find(op->head, wish->rule);
	if (before && !uuid_equal(before->policy, id))
		return engine_fail_gone(op->ctx, KIND_PORT_POLICY_RULE, wish->rule);
	TRY(check_rule(op, wish));
	TRY(check_priority(op, wish, id));
	TRY(find_sets(op, wish->source_sets, SETS_OF_RULE_MAX, &sources));
	TRY(find_sets(op, wish->destination_sets, SETS_OF_RULE_MAX, &destinations));
	if (!before)
		TRY(limit_check(op, LIMIT_PORT_POLICY_RULES, id, 1, STR_NONE));
	struct port_policy_rule next = {
		.row = {.id = before ? wish->rule : engine_new_id(op, KIND_PORT_POLICY_RULE),
			.gen = before ? before->row.gen + 1 : 1},
		.account = policy->account,
		.policy = id,
		.name = wish->name,
		.description = wish->description,
		.egress = wish->egress,
		.priority = wish->priority,
		.allows = wish->allows,
		.protocol = wish->protocol,
		.sources = wish->sources,
		.source_ports = wish->source_ports,
		.destinations = wish->destinations,
		.destination_ports = wish->destination_ports,
		.source_sets = sources,
		.destination_sets = destinations};
	wish->rule = next.row.id;
	if (before && is_same(before, &next))
		return OK;
	TRY(port_policy_rule_put(op, &next));
	TRY(check_cells(op, id));
	return touch(op, id, wish->name, wish->allows ? "one that allows" : "one that denies");
}

RESULT engine_delete_port_policy_rule(struct op *op, struct port_policy_rule_target *wish)
{
	const struct port_policy_rule *rule = NULL;
	TRY(engine_find_own_port_policy_rule(op->ctx, op->head, &wish->rule, &rule));
	uuid policy = rule->policy;
	struct str name = rule->name;
	TRY(engine_permit(op, "port_policy.update", KIND_PORT_POLICY,
			  &port_policy_find(op->head, policy)->row));
	TRY(touch(op, policy, name, "no more"));
	return port_policy_rule_forget(op, rule->row.id);
}

/* ---- sets ---- */

RESULT engine_create_port_set(struct op *op, struct port_set_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_check_name(op, KIND_PORT_SET, wish->name));
	TRY(limit_check(op, LIMIT_PORT_SETS, account, 1, STR_NONE));
	TRY(engine_permit(op, "port_set.create", KIND_PORT_SET, NULL));
	struct port_set set = {.row = {.id = engine_new_id(op, KIND_PORT_SET), .gen = 1},
			       .account = account,
			       .name = wish->name};
	wish->set = set.row.id;
	TRY(port_set_put(op, &set));
	return engine_log_event(op, KIND_PORT_SET, &set.row, "created", "Set of interfaces %" STR_FMT ".",
				STR_ARG(wish->name));
}

bool engine_rule_has_set(const struct port_policy_rule *rule, uuid set)
{
	return uuids_have(&rule->source_sets, set) || uuids_have(&rule->destination_sets, set);
}

static bool is_set_used(const struct tables *t, uuid account, uuid set)
{
	const struct port_policy_rule *r = port_policy_rule_first_by_account(t, account);
	while (r && !engine_rule_has_set(r, set))
		r = port_policy_rule_next_by_account(t, r);
	const struct port *p = r ? NULL : port_first_by_account(t, account);
	while (p && !(row_is_live(&p->row) && uuids_have(&p->sets, set)))
		p = port_next_by_account(t, p);
	return r || p;
}

RESULT engine_delete_port_set(struct op *op, struct port_set_target *wish)
{
	const struct port_set *set = NULL;
	TRY(engine_permit_port_set(op, &wish->set, "port_set.delete", &set));
	if (is_set_used(op->head, set->account, set->row.id))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_PORT_SET, &wish->set,
					 "Application security group %" STR_FMT
					 " is in use by an interface or a rule and cannot be deleted.",
					 STR_ARG(set->name));
	TRY(engine_log_event(op, KIND_PORT_SET, &set->row, "deleted", "Set of interfaces %" STR_FMT ".",
			     STR_ARG(set->name)));
	return port_set_forget(op, set->row.id);
}

/* ---- interfaces ---- */

RESULT engine_guard_port(struct op *op, struct port_guard_wish *wish)
{
	const struct port *port = NULL;
	const struct port_policy *policy = NULL;
	struct uuids sets = {0};
	TRY(engine_permit_port(op, &wish->port, "port.update", &port));
	struct port next = *port;
	if (ref_is_given(&wish->policy))
		TRY(engine_find_own_port_policy(op->ctx, op->head, &wish->policy, &policy));
	TRY(find_sets(op, wish->sets, PORT_SETS_OF_PORT_MAX, &sets));
	next.policy = policy ? policy->row.id : UUID_NONE;
	next.sets = sets;
	if (row_equal(&model_kinds[KIND_PORT], &port->row, &next.row))
		return OK;
	next.row.gen++;
	return port_put(op, &next);
}

/* ---- evaluation ---- */

enum { NETWORK_BLOCKS_MAX = 512 };

static void push_blocks(const struct tables *t, struct arena *a, const struct router *router, struct cidr *at,
			size_t *count)
{
	struct cidrs blocks = engine_get_blocks(t, a, router);
	for (size_t k = 0; k < blocks.count && *count < NETWORK_BLOCKS_MAX; k++)
		at[(*count)++] = blocks.at[k];
}

/* The blocks of a network without a router. */
static void push_subnets(const struct tables *t, uuid network, struct cidr *at, size_t *count)
{
	for (const struct subnet *s = subnet_first_by_network(t, network); s && *count < NETWORK_BLOCKS_MAX;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row))
			at[(*count)++] = s->block;
}

bool engine_list_network_blocks(const struct tables *t, struct arena *a, uuid place, struct cidrs *ret_blocks)
{
	const struct router *row = router_find(t, place);
	uuid router = place;
	struct cidr *at = arena_new_array(a, struct cidr, NETWORK_BLOCKS_MAX);
	*ret_blocks = (struct cidrs){at, 0};
	if (at && !row && !uuid_is_none(place))
		push_subnets(t, place, at, &ret_blocks->count);
	if (!at || !row)
		return at != NULL;
	push_blocks(t, a, row, at, &ret_blocks->count);
	for (const struct peering *p = engine_next_peering(t, router, NULL); p;
	     p = engine_next_peering(t, router, p)) {
		const struct router *peer = router_find(t, engine_get_peer(p, router));
		if (p->is_accepted && row_is_live(&p->row) && peer)
			push_blocks(t, a, peer, at, &ret_blocks->count);
	}
	return true;
}

/* The meaning of service tags behind one router. */
struct reading {
	struct ctx *c;
	const struct tables *t;
	uuid account;
	struct port_spans network, internet, balancer;
};

/* The sources of health probes: in each subnet an address that is otherwise unused. */
static bool read_balancer(struct reading *r, uuid router)
{
	size_t count = 1;
	for (const struct subnet *s = subnet_first_by_router(r->t, router); s;
	     s = subnet_next_by_router(r->t, s))
		count++;
	struct port_span *at = arena_new_array(r->c->arena, struct port_span, count);
	if (!at)
		return false;
	at[0] = (struct port_span){0xa83f8110, 0xa83f8110}; /* 168.63.129.16 */
	count = 1;
	for (const struct subnet *s = uuid_is_none(router) ? NULL : subnet_first_by_router(r->t, router); s;
	     s = subnet_next_by_router(r->t, s)) {
		uint32_t ip = s->block.base.family == IP_V4 ? ip_to_v4(s->block.base) + 3 : 0;
		if (ip)
			at[count++] = (struct port_span){ip, ip};
	}
	r->balancer = port_spans_settle(at, count);
	return true;
}

static bool begin_reading(struct reading *r, uuid place)
{
	struct cidrs blocks;
	if (!engine_list_network_blocks(r->t, r->c->arena, place, &blocks))
		return false;
	struct port_span *at = arena_new_array(r->c->arena, struct port_span, blocks.count + 1);
	size_t count = 0;
	if (!at)
		return false;
	for (size_t k = 0; k < blocks.count; k++)
		if (blocks.at[k].base.family == IP_V4)
			at[count++] = port_span_of_block(blocks.at[k]);
	/* An assumed network, to check before there is one that the rules can be programmed. */
	if (uuid_is_none(place))
		at[count++] = (struct port_span){0x0a000000, 0x0a00ffff};
	r->network = port_spans_settle(at, count);
	return port_spans_subtract(r->c->arena, port_all_addresses, r->network, &r->internet) &&
	       read_balancer(r, place);
}

static struct port_spans spans_of(const struct reading *r, enum port_word word)
{
	return word == PORT_NETWORK    ? r->network
	       : word == PORT_INTERNET ? r->internet
	       : word == PORT_BALANCER ? r->balancer
				       : port_all_addresses;
}

struct spans {
	VEC(struct port_span) at;
};

static bool push_all(struct arena *a, struct spans *to, struct port_spans from)
{
	for (size_t k = 0; k < from.count; k++)
		if (!VEC_PUSH(a, &to->at, from.at[k]))
			return false;
	return true;
}

/* Adds the addresses of a set's interfaces. */
static bool push_set(const struct reading *r, struct spans *to, uuid set)
{
	struct arena *a = r->c->arena;
	for (const struct port *p = port_first_by_account(r->t, r->account); p;
	     p = port_next_by_account(r->t, p)) {
		if (!row_is_live(&p->row) || !uuids_have(&p->sets, set))
			continue;
		if (p->ip.family == IP_V4 &&
		    !VEC_PUSH(a, &to->at, ((struct port_span){ip_to_v4(p->ip), ip_to_v4(p->ip)})))
			return false;
		for (const struct secondary_ip *s = engine_first_secondary_ip(r->t, p->row.id); s;
		     s = engine_next_secondary_ip(r->t, s))
			if (s->ip.family == IP_V4 &&
			    !VEC_PUSH(a, &to->at, ((struct port_span){ip_to_v4(s->ip), ip_to_v4(s->ip)})))
				return false;
	}
	return true;
}

static bool read_side(const struct reading *r, struct strs places, struct uuids sets,
		      struct port_spans *ret_spans)
{
	struct spans spans = {0};
	bool is_any = places.count == 0 && sets.count == 0;
	for (size_t k = 0; k < places.count; k++) {
		enum port_word word;
		struct cidr block;
		if (!port_read_place(places.at[k], &word, &block))
			continue; /* the engine rejects such places */
		bool done = word == PORT_BLOCK ? VEC_PUSH(r->c->arena, &spans.at, port_span_of_block(block))
					       : push_all(r->c->arena, &spans, spans_of(r, word));
		if (!done)
			return false;
	}
	for (size_t k = 0; k < sets.count; k++)
		if (!push_set(r, &spans, sets.at[k]))
			return false;
	*ret_spans = is_any ? port_all_addresses : port_spans_settle(spans.at.at, spans.at.count);
	return true;
}

static bool read_port_side(const struct reading *r, struct strs ports, struct port_spans *ret_spans,
			   bool *has_ports)
{
	struct port_span *at = arena_new_array(r->c->arena, struct port_span, ports.count + 1);
	size_t count = 0;
	if (!at)
		return false;
	for (size_t k = 0; k < ports.count; k++)
		if (port_read_ports(ports.at[k], &at[count].first, &at[count].last))
			count++;
	*ret_spans = count ? port_spans_settle(at, count) : port_all_ports;
	*has_ports = *has_ports || ret_spans->at[0].first > 0 || ret_spans->at[0].last < 65535;
	return true;
}

static bool read_rule(const struct reading *r, const struct port_policy_rule *rule,
		      struct port_rule *ret_rule)
{
	struct port_spans *sides = ret_rule->about.sides;
	*ret_rule = (struct port_rule){.protocol = rule->protocol, .allows = rule->allows};
	return read_side(r, rule->sources, rule->source_sets, &sides[PORT_FROM]) &&
	       read_side(r, rule->destinations, rule->destination_sets, &sides[PORT_TO]) &&
	       read_port_side(r, rule->source_ports, &sides[PORT_FROM_PORTS], &ret_rule->has_ports) &&
	       read_port_side(r, rule->destination_ports, &sides[PORT_TO_PORTS], &ret_rule->has_ports);
}

RESULT engine_read_port_rules(struct ctx *c, const struct tables *t, uuid policy, uuid router, bool egress,
			      struct port_rules *ret_rules)
{
	const struct port_policy *row = port_policy_find(t, policy);
	struct reading reading = {.c = c, .t = t, .account = row ? row->account : UUID_NONE};
	size_t count = PORT_DEFAULTS;
	for (const struct port_policy_rule *r = port_policy_rule_first_by_policy(t, policy); r;
	     r = port_policy_rule_next_by_policy(t, r))
		count++;
	struct port_rule *at = arena_new_array(c->arena, struct port_rule, count);
	if (!at || !begin_reading(&reading, router))
		return ctx_no_memory(c);
	count = 0; /* the index is sorted by direction and priority */
	for (const struct port_policy_rule *r = port_policy_rule_first_by_policy(t, policy); r;
	     r = port_policy_rule_next_by_policy(t, r))
		if (r->egress == egress && !read_rule(&reading, r, &at[count++]))
			return ctx_no_memory(c);
	for (size_t k = 0; k < PORT_DEFAULTS; k++)
		if (port_defaults[k].egress == egress)
			at[count++] = (struct port_rule){
				.about = {{spans_of(&reading, port_defaults[k].source),
					   spans_of(&reading, port_defaults[k].destination), port_all_ports,
					   port_all_ports}},
				.protocol = -1,
				.allows = port_defaults[k].allows};
	*ret_rules = (struct port_rules){at, count};
	return OK;
}

/* ---- policies of an interface ---- */

bool engine_list_policies_of(struct arena *a, const struct tables *t, const struct port *port,
			     struct uuids *ret_policies)
{
	const struct subnet *subnet = subnet_find(t, port->subnet);
	const uuid ids[] = {port->policy, subnet ? subnet->policy : UUID_NONE};
	uuid *at = arena_new_array(a, uuid, sizeof ids / sizeof ids[0]);
	*ret_policies = (struct uuids){at, 0};
	for (size_t k = 0; at && k < sizeof ids / sizeof ids[0]; k++) {
		const struct port_policy *policy = port_policy_find(t, ids[k]);
		if (policy && row_is_live(&policy->row) && !uuids_have(ret_policies, ids[k]))
			at[ret_policies->count++] = ids[k];
	}
	return at != NULL;
}

/* True if a guarded address leads to the interface through a load balancer. */
static bool is_balanced_closed(const struct tables *t, const struct port *port)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_port(t, port->row.id);
	for (; m; m = load_balancer_member_next_by_port(t, m)) {
		const struct load_balancer *b = load_balancer_find(t, m->load_balancer);
		const struct address *a = b ? address_find(t, b->address) : NULL;
		if (a && a->is_guarded)
			return true;
	}
	return false;
}

/* True if a guarded address leads to the interface. */
bool engine_is_port_closed(const struct tables *t, const struct port *port)
{
	const struct router *router = router_find(t, port->router);
	const struct address *a =
		router && router->has_system_routes ? address_first_by_port(t, port->row.id) : NULL;
	while (a && !(row_is_live(&a->row) && a->is_guarded))
		a = address_next_by_port(t, a);
	return a != NULL || (router && router->has_system_routes && is_balanced_closed(t, port));
}
