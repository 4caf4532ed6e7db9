/* SPDX-License-Identifier: Apache-2.0
 * External networks and address ranges as the operator configures them. Changes raise gen of the gateways
 * concerned, and the reconciler deploys their routers again. */
#include "engine/network/external_network.h"

#include "engine/internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/network.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/subnet_internal.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"
#include "store/egress_gateway.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/subnet.h"

struct ip_run {
	struct ip first, last;
};

static bool run_is_sound(struct ip_run r)
{
	return r.first.family == IP_V4 && r.last.family == IP_V4 && ip_compare(r.first, r.last) <= 0;
}

static bool runs_overlap(struct ip_run a, struct ip_run b)
{
	return ip_compare(a.first, b.last) <= 0 && ip_compare(b.first, a.last) <= 0;
}

static RESULT check_run(struct op *op, enum kind kind, struct ip_run r, struct str field, const char *what)
{
	if (run_is_sound(r))
		return OK;
	char first[IP_TEXT_SIZE], last[IP_TEXT_SIZE];
	return ENGINE_FAIL(op, ERR_INVALID, (int) kind, field,
			   "%s from '%s' to '%s' is not a run of IPv4 addresses.", what,
			   ip_write(r.first, first), ip_write(r.last, last));
}

static RESULT write_range(struct op *op, const struct external_network *network, struct ip_run r,
			  uuid *ret_range)
{
	uuid id = engine_new_id(op, KIND_ADDRESS_RANGE);
	struct address_range range = {.row.id = id,
				      .row.gen = 1,
				      .external_network = network->row.id,
				      .subnet = id,
				      .first = r.first,
				      .last = r.last};
	*ret_range = id;
	TRY(address_range_put(op, &range));
	return external_network_write_shown_range(op, network, &range);
}

static RESULT check_external_network(struct op *op, const struct external_network_wish *wish)
{
	struct ip_run infra = {wish->infra_first, wish->infra_last}, range = {wish->first, wish->last};
	if (str_is_empty(wish->name) || str_is_empty(wish->physical_network) || ip_is_none(wish->next_hop))
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_EXTERNAL_NETWORK,
				     "An external network needs a name, a physical network and a next hop.");
	if (external_network_find_by_name(op->head, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_EXTERNAL_NETWORK, STR("name"),
				   "The external network '%" STR_FMT "' exists already.",
				   STR_ARG(wish->name));
	TRY(check_run(op, KIND_EXTERNAL_NETWORK, infra, STR("infra_first"), "The infrastructure's range"));
	if (ip_is_none(wish->first))
		return OK;
	TRY(check_run(op, KIND_EXTERNAL_NETWORK, range, STR("first"), "The range of public addresses"));
	if (runs_overlap(infra, range))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_RANGE, STR("first"),
				   "The infrastructure's range and that of public addresses overlap.");
	return OK;
}

const struct external_network *engine_find_default_external(const struct tables *t)
{
	const struct external_network *x = external_network_first(t);
	while (x && !(row_is_live(&x->row) && x->is_default))
		x = external_network_next(t, x);
	return x;
}

const struct external_network *external_network_next_choice(const struct tables *t,
							    const struct external_network *last)
{
	const struct external_network *first = engine_find_default_external(t);
	if (!last && first)
		return first;
	const struct external_network *next =
		!last || last == first ? external_network_first(t) : external_network_next(t, last);
	return next && next == first ? external_network_next(t, next) : next;
}

RESULT engine_set_default_external(struct op *op, struct external_default_wish *wish)
{
	const struct external_network *network = NULL, *present = engine_find_default_external(op->head);
	char id[UUID_TEXT_SIZE];
	TRY(engine_permit_external_network(op, &wish->external_network, "external_network.update", &network));
	if (wish->is_default && present && present != network)
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_EXTERNAL_NETWORK, STR("is_default"),
				   "A default external network already exists: %s.",
				   uuid_write(present->row.id, id));
	struct external_network next = *network;
	next.is_default = wish->is_default;
	TRY(external_network_put(op, &next));
	TRY(gateway_lead_all_out(op));
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &next.row, "changed",
				next.is_default ? "It is the default one." : "It is not the default one.");
}

RESULT engine_add_external_network(struct op *op, struct external_network_wish *wish)
{
	TRY(check_external_network(op, wish));
	TRY(engine_permit(op, "external_network.add", KIND_EXTERNAL_NETWORK, NULL));
	struct external_network network = {.row.id = engine_new_id(op, KIND_EXTERNAL_NETWORK),
					   .row.gen = 1,
					   .name = wish->name,
					   .physical_network = wish->physical_network,
					   .next_hop = wish->next_hop,
					   .is_default = !engine_find_default_external(op->head),
					   .infra_first = wish->infra_first,
					   .infra_last = wish->infra_last};
	TRY(external_network_put(op, &network));
	TRY(external_network_write_shown(op, &network));
	uuid range = UUID_NONE;
	if (!ip_is_none(wish->first))
		TRY(write_range(op, &network, (struct ip_run){wish->first, wish->last}, &range));
	TRY(gateway_lead_all_out(op));
	wish->external_network = network.row.id;
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &network.row, "added",
				"External network %" STR_FMT ".", STR_ARG(network.name));
}

/* Ranges of networks that Neutron's API made follow from their subnets. */
static RESULT check_has_ranges(struct op *op, const struct external_network *network)
{
	return !ip_is_none(network->infra_first)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_STATE, KIND_EXTERNAL_NETWORK,
				       "'%" STR_FMT
				       "' has the addresses of its subnets' allocation pools: openstack "
				       "subnet create, or set.",
				       STR_ARG(network->name));
}

RESULT engine_add_address_range(struct op *op, struct address_range_wish *wish)
{
	struct ip_run wanted = {wish->first, wish->last};
	const struct external_network *network = NULL;
	TRY(engine_find_own_external_network(op->ctx, op->head, &wish->external_network, &network));
	TRY(check_run(op, KIND_ADDRESS_RANGE, wanted, STR("first"), "The range"));
	TRY(check_has_ranges(op, network));
	bool clashes = !ip_is_none(network->infra_first) &&
		       runs_overlap(wanted, (struct ip_run){network->infra_first, network->infra_last});
	const struct address_range *range =
		address_range_first_by_external_network(op->head, network->row.id);
	for (; range && !clashes; range = address_range_next_by_external_network(op->head, range))
		clashes = row_is_live(&range->row) &&
			  runs_overlap(wanted, (struct ip_run){range->first, range->last});
	if (clashes)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_RANGE, STR("first"),
				   "The range overlaps with another one of '%" STR_FMT "'.",
				   STR_ARG(network->name));
	TRY(engine_permit(op, "address_range.add", KIND_EXTERNAL_NETWORK, &network->row));
	TRY(write_range(op, network, wanted, &wish->address_range));
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &network->row, "range added",
				"%llu public addresses.",
				(unsigned long long) ip_distance(wish->first, wish->last) + 1);
}

/* The range may grow only, so that no gateway port in use falls outside. */
static RESULT check_gateway_range(struct op *op, const struct external_network *network, struct ip_run wanted)
{
	TRY(check_run(op, KIND_EXTERNAL_NETWORK, wanted, STR("first"), "The gateways' range"));
	if (!ip_is_none(network->infra_first) && (ip_compare(wanted.first, network->infra_first) > 0 ||
						  ip_compare(wanted.last, network->infra_last) < 0))
		return ENGINE_FAIL(
			op, ERR_CONFLICT, KIND_EXTERNAL_NETWORK, STR("last"),
			"The gateways' range can only grow: it has to contain the one of '%" STR_FMT "'.",
			STR_ARG(network->name));
	const struct address_range *range =
		address_range_first_by_external_network(op->head, network->row.id);
	for (; range; range = address_range_next_by_external_network(op->head, range))
		if (row_is_live(&range->row) &&
		    runs_overlap(wanted, (struct ip_run){range->first, range->last}))
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_ADDRESS_RANGE, STR("last"),
					   "The gateways' range overlaps with public addresses of '%" STR_FMT
					   "'.",
					   STR_ARG(network->name));
	return OK;
}

RESULT engine_set_gateway_range(struct op *op, struct gateway_range_wish *wish)
{
	const struct external_network *network = NULL;
	struct ip_run wanted = {wish->first, wish->last};
	TRY(engine_find_own_external_network(op->ctx, op->head, &wish->external_network, &network));
	TRY(check_gateway_range(op, network, wanted));
	TRY(engine_permit(op, "external_network.set_gateway_range", KIND_EXTERNAL_NETWORK, &network->row));
	struct external_network next = *network;
	next.infra_first = wanted.first;
	next.infra_last = wanted.last;
	next.row.gen++;
	TRY(external_network_put(op, &next));
	TRY(gateway_lead_all_out(op));
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &next.row, "changed",
				"%llu addresses for internet gateways.",
				(unsigned long long) ip_distance(wanted.first, wanted.last) + 1);
}

/* ---- IPv6 ---- */

static RESULT check_pool(struct op *op, const struct external_network *network, struct cidr pool)
{
	char text[CIDR_TEXT_SIZE];
	cidr_write(pool, text);
	if (pool.bits < IPV6_POOL_BITS_MIN || pool.bits > IPV6_ROUTER_BITS || !ipv6_is_usable_block(pool))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_EXTERNAL_NETWORK, STR("pool"),
				   "The pool '%s' is not a block of IPv6 addresses from /%d to /%d.", text,
				   IPV6_POOL_BITS_MIN, IPV6_ROUTER_BITS);
	const struct external_network *other = external_network_first(op->head);
	for (; other; other = external_network_next(op->head, other))
		if (other != network && row_is_live(&other->row) && cidr_overlaps(other->ipv6_pool, pool))
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_EXTERNAL_NETWORK, STR("pool"),
					   "The pool '%s' overlaps with that of '%" STR_FMT "'.", text,
					   STR_ARG(other->name));
	return OK;
}

/* Raises gen of all egress-only gateways: some may have a way out now. */
static RESULT touch_egress_gateways(struct op *op)
{
	const struct egress_gateway *gateway = egress_gateway_first(op->head), *next = NULL;
	for (; gateway; gateway = next) {
		next = egress_gateway_next(op->head, gateway);
		struct egress_gateway touched = *gateway;
		touched.row.gen++;
		TRY(egress_gateway_put(op, &touched));
	}
	return OK;
}

/* Gateways read the next hop when they are deployed. */
RESULT external_network_touch_gateways(struct op *op, uuid network)
{
	const struct gateway *gateway = gateway_first(op->head), *next = NULL;
	for (; gateway; gateway = next) {
		next = gateway_next(op->head, gateway);
		if (!row_is_live(&gateway->row) || !uuid_equal(gateway->external_network, network))
			continue;
		struct gateway touched = *gateway;
		touched.row.gen++;
		TRY(gateway_put(op, &touched));
		TRY(gateway_lead_ipv6_out(op, &touched));
	}
	return touch_egress_gateways(op);
}

RESULT engine_set_external_ipv6(struct op *op, struct external_ipv6_wish *wish)
{
	const struct external_network *network = NULL;
	char text[CIDR_TEXT_SIZE];
	struct cidr pool = cidr_canonical(wish->pool);
	TRY(engine_find_own_external_network(op->ctx, op->head, &wish->external_network, &network));
	TRY(check_pool(op, network, pool));
	if (!ip_is_none(wish->next_hop) && wish->next_hop.family != IP_V6)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_EXTERNAL_NETWORK, STR("next_hop"),
				   "The next hop is not an IPv6 address.");
	TRY(engine_permit(op, "external_network.set_ipv6", KIND_EXTERNAL_NETWORK, &network->row));
	struct external_network next = *network;
	next.ipv6_pool = pool;
	next.ipv6_next_hop = wish->next_hop;
	next.row.gen++;
	TRY(external_network_put(op, &next));
	TRY(external_network_touch_gateways(op, next.row.id));
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &next.row, "changed", "IPv6 pool %s.",
				cidr_write(pool, text));
}

/* ---- removal ---- */

RESULT engine_delete_external_network(struct op *op, struct external_network_target *wish)
{
	const struct external_network *network = NULL;
	TRY(engine_find_own_external_network(op->ctx, op->head, &wish->external_network, &network));
	struct network_target shown = {
		engine_ref_to(op, KIND_NETWORK, network->row.id, wish->external_network.field)};
	return engine_delete_network(op, &shown);
}

/* Id of a public address or prefix in the range; empty if there is none. */
static struct str find_user(struct op *op, const struct address_range *range)
{
	const struct address at = {.external_network = range->external_network, .ip = range->first};
	const struct row *row = tables_seek(op->head, KIND_ADDRESS, ADDRESS_INDEX_IP, &at.row, 2);
	while (row && !row_is_live(row))
		row = tables_next(op->head, KIND_ADDRESS, ADDRESS_INDEX_IP, row, 1);
	if (row && uuid_equal(address_of(row)->external_network, range->external_network) &&
	    ip_compare(address_of(row)->ip, range->last) <= 0)
		return engine_write_id(op, KIND_ADDRESS, row->id);
	const struct address_prefix before = {.external_network = range->external_network,
					      .block = {range->first, 0}};
	row = tables_seek(op->head, KIND_ADDRESS_PREFIX, ADDRESS_PREFIX_INDEX_BLOCK, &before.row, 2);
	if (row && uuid_equal(address_prefix_of(row)->external_network, range->external_network) &&
	    ip_compare(address_prefix_of(row)->block.base, range->last) <= 0)
		return engine_write_id(op, KIND_ADDRESS_PREFIX, row->id);
	return STR_NONE;
}

RESULT engine_remove_address_range(struct op *op, struct address_range_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ADDRESS_RANGE, &wish->address_range, &row));
	const struct address_range *range = address_range_of(row);
	const struct external_network *network = external_network_find(op->head, range->external_network);
	const struct subnet *shown = subnet_find(op->head, range->subnet);
	TRY(engine_permit(op, "address_range.add", KIND_EXTERNAL_NETWORK, &network->row));
	TRY(check_has_ranges(op, network));
	struct str user = find_user(op, range);
	if (user.n)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_ADDRESS_RANGE, wish->address_range.field,
				   "Addresses of the range are in use, such as %" STR_FMT ".", STR_ARG(user));
	if (shown)
		TRY(subnet_check_unused(op, shown, wish->address_range.field));
	if (shown)
		TRY(subnet_delete(op, shown->row.id));
	TRY(address_range_forget(op, row->id));
	char first[IP_TEXT_SIZE], last[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &network->row, "range removed",
				"Public addresses %s to %s.", ip_write(range->first, first),
				ip_write(range->last, last));
}
