/* SPDX-License-Identifier: Apache-2.0
 * External networks as Neutron's API sees them: creates and changes them as networks, and derives the ranges
 * of public addresses from their subnets' allocation pools. Changes raise gen of the gateways concerned. */
#include <inttypes.h>

#include "engine/capacity.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/address_prefix_internal.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/external_network.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/network_grant.h"
#include "engine/network/network_grant_internal.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/subnet_internal.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/address_range.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/host.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/port.h"
#include "store/subnet.h"

bool external_network_is_for_all(const struct tables *t, const struct external_network *network)
{
	return row_is_live(&network->row) && (network->is_default || !ip_is_none(network->infra_first)) &&
	       network_grant_find_by_network(t, network->row.id, true, UUID_NONE);
}

RESULT external_network_find_usable(struct op *op, const struct ref *ref,
				    const struct external_network **ret_network)
{
	TRY(engine_find_external_network(op->ctx, op->head, ref, ret_network));
	return engine_may_use_external(op->ctx, op->head, (*ret_network)->row.id)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_EXTERNAL_NETWORK, ref);
}

const struct address_range *external_network_find_range(const struct tables *t, uuid network, struct ip ip)
{
	const struct address_range *r = address_range_first_by_external_network(t, network);
	while (r && !(row_is_live(&r->row) && ip_compare(r->first, ip) <= 0 && ip_compare(ip, r->last) <= 0))
		r = address_range_next_by_external_network(t, r);
	return r;
}

/* ---- provider attributes ---- */

/* True if a host reports a bridge mapping for the physical network, or an external network uses it. */
static bool is_known(const struct tables *t, struct str physical)
{
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		struct str rest = h->seen_physical_networks, word = STR_NONE;
		while (row_is_live(&h->row) && str_split_next(&rest, ' ', &word))
			if (str_equal(word, physical))
				return true;
	}
	for (const struct external_network *x = external_network_first(t); x; x = external_network_next(t, x))
		if (row_is_live(&x->row) && str_equal(x->physical_network, physical))
			return true;
	return false;
}

static const struct external_network *find_on(const struct tables *t, struct str physical, int64_t vlan)
{
	const struct external_network *x = external_network_first(t);
	while (x && !(row_is_live(&x->row) && str_equal(x->physical_network, physical) && x->vlan == vlan))
		x = external_network_next(t, x);
	return x;
}

/* Fails in Neutron's words, which begin with "Invalid input for operation: ". */
#define REFUSE(op, field, ...)                                                                               \
	ENGINE_FAIL(op, ERR_INVALID, KIND_NETWORK, STR("provider:" field),                                   \
		    "Invalid input for operation: " __VA_ARGS__)

static RESULT check_flat(struct op *op, const struct network_provider *p)
{
	if (!p->physical_network.n)
		return REFUSE(op, "physical_network", "physical_network required for flat provider network.");
	if (!is_known(op->head, p->physical_network))
		return REFUSE(op, "physical_network",
			      "physical_network '%" STR_FMT "' unknown for flat provider network.",
			      STR_ARG(p->physical_network));
	if (p->segment)
		return REFUSE(op, "segmentation_id", "segmentation_id prohibited for flat provider network.");
	if (find_on(op->head, p->physical_network, 0))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_EXTERNAL_NETWORK, STR("provider:physical_network"),
				   "Unable to create the flat network. Physical network %" STR_FMT
				   " is in use.",
				   STR_ARG(p->physical_network));
	return OK;
}

/* VLAN numbers are never assigned automatically: the call has to name one. */
static RESULT check_vlan(struct op *op, const struct network_provider *p)
{
	if (!p->physical_network.n && p->segment)
		return REFUSE(op, "physical_network",
			      "segmentation_id requires physical_network for VLAN provider network.");
	if (!p->physical_network.n)
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_EXTERNAL_NETWORK,
				     "Unable to create the network. No tenant network is available for "
				     "allocation.");
	if (!is_known(op->head, p->physical_network))
		return REFUSE(op, "physical_network",
			      "physical_network '%" STR_FMT "' unknown for VLAN provider network.",
			      STR_ARG(p->physical_network));
	if (!p->segment)
		return REFUSE(op, "segmentation_id",
			      "Physical network %" STR_FMT
			      " requires segmentation_id to be specified when creating a provider network.",
			      STR_ARG(p->physical_network));
	if (p->segment < 1 || p->segment > VLAN_MAX)
		return REFUSE(op, "segmentation_id", "segmentation_id out of range (1 through %d).",
			      VLAN_MAX);
	if (find_on(op->head, p->physical_network, p->segment))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_EXTERNAL_NETWORK, STR("provider:segmentation_id"),
				   "Unable to create the network. The VLAN %" PRId64
				   " on physical network %" STR_FMT " is in use.",
				   p->segment, STR_ARG(p->physical_network));
	return OK;
}

static RESULT check_type(struct op *op, const struct network_wish *wish)
{
	const struct network_provider *p = &wish->provider;
	bool is_said = p->physical_network.n || p->segment;
	if (!p->type.n)
		return is_said ? REFUSE(op, "network_type", "network_type required.") : OK;
	if (str_is(p->type, "geneve"))
		return !is_said ? OK
				: REFUSE(op, "physical_network",
					 "provider:physical_network specified for geneve network.");
	bool is_flat = str_is(p->type, "flat");
	if (!is_flat && !str_is(p->type, "vlan"))
		return REFUSE(op, "network_type", "network_type value '%" STR_FMT "' not supported.",
			      STR_ARG(p->type));
	if (!wish->is_external)
		return REFUSE(op, "network_type",
			      "network_type value '%" STR_FMT
			      "' not supported: only external networks lie on physical ones.",
			      STR_ARG(p->type));
	return is_flat ? check_flat(op, p) : check_vlan(op, p);
}

/* `attribute` is the rule's name in Neutron's policy file. */
static RESULT check_admin(struct op *op, bool is_said, const char *attribute)
{
	if (!is_said || identity_is_admin(op->ctx->who))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_NETWORK, "rule:%s is disallowed by policy", attribute);
}

RESULT external_network_check_provider(struct op *op, const struct network_wish *wish)
{
	const struct network_provider *p = &wish->provider;
	TRY(check_admin(op, wish->is_external, "create_network:router:external"));
	TRY(check_admin(op, p->type.n > 0, "create_network:provider:network_type"));
	TRY(check_admin(op, p->physical_network.n > 0, "create_network:provider:physical_network"));
	TRY(check_admin(op, p->segment != 0, "create_network:provider:segmentation_id"));
	return check_type(op, wish);
}

/* ---- becoming external and internal ---- */

static RESULT fail_in_use(struct op *op, const struct network *network, struct str field)
{
	const struct ref about = {.text = uuid_to_str(op->ctx->arena, network->row.id), .field = field};
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK, &about,
				 "The network '%" STR_FMT "' has dependencies.", STR_ARG(about.text));
}

static RESULT check_empty(struct op *op, const struct network *network)
{
	for (const struct port *p = port_first_by_network(op->head, network->row.id); p;
	     p = port_next_by_network(op->head, p))
		if (row_is_live(&p->row))
			return fail_in_use(op, network, STR("router:external"));
	for (const struct subnet *s = subnet_first_by_network(op->head, network->row.id); s;
	     s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row) && !uuid_is_none(s->router))
			return fail_in_use(op, network, STR("router:external"));
	return OK;
}

/* Name for the external network: the network's, or its id if that is empty or taken, because external
 * networks have unique names. */
static struct str name_for(struct op *op, const struct network *network)
{
	const struct external_network *other = external_network_find_by_name(op->head, network->name);
	bool is_free = network->name.n > 0 && (!other || uuid_equal(other->row.id, network->row.id));
	return is_free ? network->name : uuid_to_str(op->ctx->arena, network->row.id);
}

RESULT external_network_open(struct op *op, const struct network *network,
			     const struct network_provider *provider)
{
	TRY(check_admin(op, true, "update_network:router:external"));
	TRY(check_empty(op, network));
	TRY(engine_permit(op, "external_network.add", KIND_EXTERNAL_NETWORK, NULL));
	struct external_network external = {.row.id = network->row.id,
					    .row.gen = 1,
					    .name = name_for(op, network),
					    .physical_network = provider->physical_network,
					    .vlan = provider->segment};
	TRY(external_network_put(op, &external));
	TRY(external_network_follow(op, network->row.id));
	return engine_log_event(op, KIND_EXTERNAL_NETWORK, &external.row, "added",
				"External network %" STR_FMT ".", STR_ARG(external.name));
}

static const struct gateway *find_gateway_to(const struct tables *t, uuid network)
{
	const struct gateway *g = gateway_first(t);
	while (g && !(row_is_live(&g->row) && uuid_equal(g->external_network, network)))
		g = gateway_next(t, g);
	return g;
}

/* Next live address of the external network in IP order; the first one if `address` is NULL. */
static const struct address *next_from(const struct tables *t, uuid network, const struct address *address)
{
	const struct address probe = {.external_network = network};
	const struct row *row = address ? tables_next(t, KIND_ADDRESS, ADDRESS_INDEX_IP, &address->row, 1)
					: tables_first(t, KIND_ADDRESS, ADDRESS_INDEX_IP, &probe.row, 1);
	while (row && !row_is_live(row))
		row = tables_next(t, KIND_ADDRESS, ADDRESS_INDEX_IP, row, 1);
	return row ? address_of(row) : NULL;
}

static bool has_prefix(const struct tables *t, uuid network)
{
	return address_prefix_first_in(t, network, (struct cidr){0});
}

/* True if a VPC or subnet has an IPv6 block from the network's pool. */
static bool gave_ipv6(const struct tables *t, uuid network)
{
	struct capacity_use use = {0};
	engine_read_capacity(t, CAPACITY_IPV6_BLOCKS, &external_network_find(t, network)->row, &use);
	return use.used > 0;
}

RESULT external_network_close(struct op *op, const struct network *network)
{
	uuid id = network->row.id;
	TRY(check_admin(op, true, "update_network:router:external"));
	TRY(engine_permit(op, "external_network.update", KIND_EXTERNAL_NETWORK,
			  &external_network_find(op->head, id)->row));
	bool has_gateways = find_gateway_to(op->head, id) != NULL;
	if (has_gateways || next_from(op->head, id, NULL) || has_prefix(op->head, id) ||
	    gave_ipv6(op->head, id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_EXTERNAL_NETWORK, STR("router:external"),
				   "External network %" STR_FMT
				   " cannot be updated to be made non-external, since it has existing %s.",
				   STR_ARG(uuid_to_str(op->ctx->arena, id)),
				   has_gateways ? "gateway ports" : "floating IPs, ports or IPv6 blocks");
	TRY(network_grant_forget_external(op, id));
	TRY(engine_log_event(op, KIND_NETWORK, &network->row, "changed", "It is no external one any more."));
	return external_network_forget(op, id);
}

/* True for elastic addresses without an association or forwarding: only those may be released with their
 * network. */
static bool is_free(const struct tables *t, const struct address *a)
{
	return a->is_elastic && uuid_is_none(a->port) &&
	       uuid_is_none(engine_get_forwarding_router(t, a->row.id));
}

RESULT external_network_leave(struct op *op, const struct network *network, const struct ref *ref)
{
	uuid id = network->row.id;
	const struct address *a = next_from(op->head, id, NULL), *next = NULL;
	if (!uuid_equal(network->account, engine_get_account(op->ctx))) /* the owner may, as in Neutron */
		TRY(engine_permit(op, "external_network.update", KIND_EXTERNAL_NETWORK,
				  &external_network_find(op->head, id)->row));
	if (find_gateway_to(op->head, id) || has_prefix(op->head, id) || gave_ipv6(op->head, id))
		return fail_in_use(op, network, ref->field);
	for (; a; a = next) {
		next = next_from(op->head, id, a);
		if (!is_free(op->head, a))
			return fail_in_use(op, network, ref->field);
		TRY(address_release(op, a));
	}
	return external_network_forget(op, id);
}

RESULT external_network_check_subnet(struct op *op, const struct subnet *subnet, const struct ref *ref)
{
	uuid id = subnet->network;
	const struct address *a = external_network_find(op->head, id) ? next_from(op->head, id, NULL) : NULL;
	const struct address_prefix *p = address_prefix_first_in(op->head, id, subnet->block);
	while (a && !cidr_contains(subnet->block, a->ip))
		a = next_from(op->head, id, a);
	if (!a && !p)
		return OK;
	char ip[IP_TEXT_SIZE];
	const struct ref about = {.text = engine_write_id(op, KIND_SUBNET, subnet->row.id),
				  .field = ref->field};
	return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SUBNET, &about, "The subnet's address %s is in use.",
				 ip_write(a ? a->ip : p->block.base, ip));
}

RESULT external_network_check_own(struct op *op, const struct ref *ref, const char *what)
{
	const struct external_network *external = external_network_find(op->head, ref->prefix);
	const struct network *network = external ? network_find(op->head, external->row.id) : NULL;
	if (!network || engine_may_use(op->ctx, op->head, KIND_NETWORK, &network->row))
		return OK;
	return ENGINE_FAIL(op, ERR_DENIED, KIND_EXTERNAL_NETWORK, ref->field,
			   "Tenant %" STR_FMT " not allowed to create %s on this network",
			   STR_ARG(engine_write_id(op, KIND_ACCOUNT, engine_get_account(op->ctx))), what);
}

RESULT external_network_check_none(struct op *op, uuid network, struct str field)
{
	char id[UUID_TEXT_SIZE];
	if (!external_network_find(op->head, network))
		return OK;
	return ENGINE_FAIL(op, ERR_DENIED, KIND_EXTERNAL_NETWORK, field,
			   "It is not allowed to create an interface on external network %s",
			   uuid_write(network, id));
}

/* ---- updates from subnets ---- */

static bool has_pool(const struct subnet *s, struct ip first, struct ip last)
{
	struct ip from, to;
	for (size_t n = 0; subnet_get_pool(s, n, &from, &to); n++)
		if (ip_equal(from, first) && ip_equal(to, last))
			return true;
	return false;
}

static RESULT drop_ranges(struct op *op, uuid network)
{
	const struct address_range *r = address_range_first_by_external_network(op->head, network), *next;
	for (; r; r = next) {
		next = address_range_next_by_external_network(op->head, r);
		const struct subnet *s = subnet_find(op->head, r->subnet);
		if (!s || !row_is_live(&s->row) || !has_pool(s, r->first, r->last))
			TRY(address_range_forget(op, r->row.id));
	}
	return OK;
}

/* Floating IPs are IPv4 only. */
static RESULT add_ranges(struct op *op, uuid network, const struct subnet *s)
{
	struct ip first, last;
	for (size_t n = 0; s->block.base.family == IP_V4 && subnet_get_pool(s, n, &first, &last); n++) {
		const struct address_range *there = external_network_find_range(op->head, network, first);
		struct address_range range = {.row.gen = 1,
					      .external_network = network,
					      .subnet = s->row.id,
					      .first = first,
					      .last = last};
		if (there)
			continue;
		range.row.id = engine_new_id(op, KIND_ADDRESS_RANGE);
		TRY(address_range_put(op, &range));
	}
	return OK;
}

/* Gateway of an IPv4 subnet: the present next hop if a subnet still has it, otherwise the first subnet's. */
static struct ip choose_next_hop(const struct tables *t, const struct external_network *x)
{
	struct ip hop = {0};
	for (const struct subnet *s = subnet_first_by_network(t, x->row.id); s;
	     s = subnet_next_by_network(t, s)) {
		if (!row_is_live(&s->row) || s->gateway_ip.family != IP_V4)
			continue;
		if (ip_is_none(hop) || ip_equal(s->gateway_ip, x->next_hop))
			hop = s->gateway_ip;
	}
	return hop;
}

RESULT external_network_follow(struct op *op, uuid id)
{
	const struct external_network *external = external_network_find(op->head, id);
	const struct network *network = network_find(op->head, id);
	if (!external || !network || !row_is_live(&external->row))
		return OK;
	TRY(drop_ranges(op, id));
	for (const struct subnet *s = subnet_first_by_network(op->head, id); s;
	     s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row))
			TRY(add_ranges(op, id, s));
	struct external_network next = *external_network_find(op->head, id);
	struct ip hop = choose_next_hop(op->head, &next);
	bool is_other = !ip_equal(hop, next.next_hop);
	next.next_hop = hop;
	next.name = name_for(op, network);
	next.row.gen += is_other;
	TRY(external_network_put(op, &next));
	if (is_other)
		TRY(external_network_touch_gateways(op, id));
	return gateway_lead_all_out(op);
}

/* ---- networks that the operator adds ---- */

RESULT external_network_write_shown(struct op *op, const struct external_network *external)
{
	struct network network = {
		.row.id = external->row.id, .row.gen = 1, .name = external->name, .mtu = EXTERNAL_MTU};
	TRY(network_put(op, &network));
	return network_grant_open_to_all(op, &network);
}

/* Smallest block that contains all known addresses of the network. The operator gives ranges only, not a
 * subnet's size. */
static struct cidr guess_block(const struct external_network *x, const struct address_range *r)
{
	struct cidr block = {r->first, 32};
	while (block.bits > 0 &&
	       !(cidr_contains(block, r->last) && cidr_contains(block, x->next_hop) &&
		 cidr_contains(block, x->infra_first) && cidr_contains(block, x->infra_last)))
		block.bits--;
	return cidr_canonical(block);
}

RESULT external_network_write_shown_range(struct op *op, const struct external_network *x,
					  const struct address_range *range)
{
	struct ip pool[] = {range->first, range->last};
	const struct network *network = network_find(op->head, x->row.id);
	struct subnet subnet = {.row.id = range->subnet,
				.row.gen = 1,
				.account = network ? network->account : UUID_NONE,
				.network = x->row.id,
				.block = guess_block(x, range),
				.pools = {pool, 2},
				.gateway_ip = x->next_hop,
				.no_dhcp = true};
	return subnet_put(op, &subnet);
}

struct ip engine_get_outer_hop(const struct tables *t, const struct external_network *external, struct ip ip)
{
	struct ip hop = external->next_hop;
	for (const struct subnet *n = subnet_first_by_network(t, external->row.id); n;
	     n = subnet_next_by_network(t, n))
		if (row_is_live(&n->row) && n->gateway_ip.family == IP_V4 && cidr_contains(n->block, ip))
			hop = n->gateway_ip;
	return hop;
}
