/* SPDX-License-Identifier: Apache-2.0
 * Private addresses of ports. Primary and secondary addresses are unique together within a subnet. A
 * secondary address is a row of its own. A removed one is marked deleted. Automatic choice
 * avoids it until the network has deployed its port without it. A call that names it may have it earlier, once
 * no guest can still use it (port_is_held()). */
#include <inttypes.h>

#include "engine/instance/instance_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/address/ip_pool_internal.h"
#include "engine/network/ipv6.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/port_prefixes_internal.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/network/subnet_internal.h"
#include "engine/virtual/balancer_set.h"
#include "model/mac.h"
#include "store/external_network.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/port.h"
#include "store/port_prefix.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

/* ---- reading ---- */

static const struct secondary_ip *live_or_next(const struct tables *t, const struct secondary_ip *s)
{
	while (s && !row_is_live(&s->row))
		s = secondary_ip_next_by_port(t, s);
	return s;
}

const struct secondary_ip *engine_first_secondary_ip(const struct tables *t, uuid port)
{
	return live_or_next(t, secondary_ip_first_by_port(t, port));
}

const struct secondary_ip *engine_next_secondary_ip(const struct tables *t, const struct secondary_ip *s)
{
	return live_or_next(t, secondary_ip_next_by_port(t, s));
}

static const struct secondary_ip *find_secondary(const struct tables *t, uuid port, struct ip ip)
{
	const struct secondary_ip *s = engine_first_secondary_ip(t, port);
	while (s && !ip_equal(s->ip, ip))
		s = engine_next_secondary_ip(t, s);
	return s;
}

bool port_has_ip(const struct tables *t, const struct port *port, struct ip ip)
{
	return ip_equal(port->ip, ip) || find_secondary(t, port->row.id, ip);
}

struct ip engine_get_port_ip(const struct tables *t, const struct port *port, enum ip_family family)
{
	if (port->ip.family == family)
		return port->ip;
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	while (s && s->ip.family != family)
		s = engine_next_secondary_ip(t, s);
	return s ? s->ip : (struct ip){0};
}

const struct port *engine_find_port_by_ip(const struct tables *t, uuid router, struct ip ip)
{
	const struct port *port = port_find_by_router(t, router, ip);
	if (port)
		return port;
	const struct secondary_ip *s = secondary_ip_find_by_router(t, router, ip);
	if (s)
		return port_find(t, s->port);
	const struct port_prefix *p = port_prefix_around_in_router(t, router, ip);
	return p ? port_find(t, p->port) : NULL;
}

size_t port_count_ips(const struct tables *t, const struct port *port, enum ip_family family)
{
	size_t count = (port->ip.family == family) + port_count_prefixes(t, port->row.id, family);
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	for (; s; s = engine_next_secondary_ip(t, s))
		count += s->ip.family == family;
	return count;
}

RESULT port_check_all_ip_counts(struct op *op, const struct instance_type *type, const struct port *port,
				struct str field)
{
	TRY(port_check_ip_count(op, type, port_count_ips(op->head, port, IP_V4), field));
	return port_check_ip_count(op, type, port_count_ips(op->head, port, IP_V6), field);
}

RESULT port_check_ip_count(struct op *op, const struct instance_type *type, size_t count, struct str field)
{
	size_t max = PORT_IPS_MAX;
	if (type && (size_t) type->addresses_per_port < max)
		max = (size_t) type->addresses_per_port;
	if (count <= max)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_SECONDARY_IP, field,
			   "Number of private addresses will exceed limit: %zu of %zu.", count, max);
}

/* ---- choice of addresses ---- */

/* Addresses in use in a subnet: primary and secondary ones. */
struct subnet_room {
	struct port port;
	struct secondary_ip secondary;
	struct ip_pool primaries, secondaries;
};

/* On an external network, ports share the addresses with gateways and elastic addresses. */
static bool is_external(const struct tables *t, const struct subnet *subnet)
{
	return external_network_find(t, subnet->network) != NULL;
}

static void open_pool(struct subnet_room *p, uuid subnet)
{
	*p = (struct subnet_room){.port.subnet = subnet, .secondary.subnet = subnet};
	p->secondaries = (struct ip_pool){.kind = KIND_SECONDARY_IP,
					  .index = SECONDARY_IP_INDEX_SUBNET,
					  .probe = &p->secondary.row,
					  .probe_ip = &p->secondary.ip,
					  .ip_offset = offsetof(struct secondary_ip, ip)};
	p->primaries = (struct ip_pool){.kind = KIND_PORT,
					.index = PORT_INDEX_SUBNET,
					.probe = &p->port.row,
					.probe_ip = &p->port.ip,
					.ip_offset = offsetof(struct port, ip),
					.other = &p->secondaries};
}

bool port_subnet_has_ip(const struct tables *t, uuid subnet, struct ip ip)
{
	struct subnet_room pool;
	open_pool(&pool, subnet);
	return ip_pool_has(t, &pool.primaries, ip);
}

bool port_subnet_has_ip_between(const struct tables *t, uuid subnet, struct ip first, struct ip last)
{
	struct subnet_room pool;
	open_pool(&pool, subnet);
	return ip_pool_has_between(t, &pool.primaries, first, last);
}

/* Deleted rows hold their address as long as their port does: a client that deletes a port and creates
 * another with the same address expects the second call to succeed. */
static bool is_held(const struct tables *t, uuid subnet, struct ip ip)
{
	const struct port port = {.subnet = subnet, .ip = ip};
	const struct row *row = tables_first(t, KIND_PORT, PORT_INDEX_SUBNET, &port.row, 2);
	for (; row; row = tables_next(t, KIND_PORT, PORT_INDEX_SUBNET, row, 2))
		if (port_is_held(t, row->id))
			return true;
	const struct secondary_ip secondary = {.subnet = subnet, .ip = ip};
	row = tables_first(t, KIND_SECONDARY_IP, SECONDARY_IP_INDEX_SUBNET, &secondary.row, 2);
	for (; row; row = tables_next(t, KIND_SECONDARY_IP, SECONDARY_IP_INDEX_SUBNET, row, 2))
		if (row_is_live(row) ||
		    port_is_held(t, ((const struct secondary_ip *) (const void *) row)->port))
			return true;
	return false;
}

static RESULT check_ip(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field)
{
	char text[IP_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	if (!cidr_contains(subnet->block, wanted))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, field,
				   "Address %s does not fall within the subnet's address range %s",
				   ip_write(wanted, text), cidr_write(subnet->block, block));
	if (!subnet_may_hold(subnet, wanted))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, field,
				   "Address %s is in subnet's reserved address range",
				   ip_write(wanted, text));
	if (is_held(op->head, subnet->row.id, wanted) || port_prefix_around(op->head, subnet->row.id, wanted))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_PORT, field, "Address %s is in use.",
				   ip_write(wanted, text));
	return OK;
}

/* First address that is neither in use nor in a prefix. */
static bool pick_next(const struct tables *t, const struct subnet *subnet, const struct ip_pool *pool,
		      struct ip first, struct ip last, struct ip *ret_ip)
{
	while (ip_pool_next(t, pool, first, last, ret_ip)) {
		const struct port_prefix *p = port_prefix_around(t, subnet->row.id, *ret_ip);
		if (!p)
			return true;
		first = cidr_last(p->block);
		if (ip_compare(first, last) >= 0)
			return false;
		first = ip_add(first, 1);
	}
	return false;
}

/* Azure's virtual networks assign the lowest free address. */
static bool picks_first(const struct tables *t, const struct subnet *subnet)
{
	const struct router *router = router_find(t, subnet->router);
	return router && router->has_system_routes;
}

/* Picks from a random address on, wrapping around. */
static bool pick_between(const struct tables *t, const struct subnet *subnet, const struct ip_pool *pool,
			 struct ip first, struct ip last, struct ip *ret_ip)
{
	if (picks_first(t, subnet))
		return ip_compare(first, last) <= 0 && pick_next(t, subnet, pool, first, last, ret_ip);
	if (!ip_pool_pick(t, pool, first, last, ret_ip))
		return false;
	struct ip from = *ret_ip;
	return pick_next(t, subnet, pool, from, last, ret_ip) ||
	       pick_next(t, subnet, pool, first, from, ret_ip);
}

/* Picks from the parts of [first, last] without reservations, from a random one on, wrapping around. */
static bool pick_unreserved(const struct tables *t, const struct subnet *subnet, const struct ip_pool *pool,
			    struct ip first, struct ip last, struct ip *ret_ip)
{
	struct ip_spans spans;
	subnet_find_spans(t, subnet, first, last, &spans);
	bool is_any = spans.count > 1 && !picks_first(t, subnet);
	size_t from = is_any ? (size_t) random_below(spans.count) : 0;
	for (size_t k = 0; k < spans.count; k++) {
		size_t at = (from + k) % spans.count;
		if (pick_between(t, subnet, pool, spans.at[at].first, spans.at[at].last, ret_ip))
			return true;
	}
	return false;
}

/* Picks from the first allocation pool that has an address left. */
static bool pick_ip(const struct tables *t, const struct subnet *subnet, struct ip *ret_ip)
{
	struct subnet_room pool;
	struct ip first, last;
	if (is_external(t, subnet))
		return address_pick_in(t, subnet, ret_ip);
	open_pool(&pool, subnet->row.id);
	for (size_t n = 0; subnet_get_pool(subnet, n, &first, &last); n++)
		if (pick_unreserved(t, subnet, &pool.primaries, first, last, ret_ip))
			return true;
	return false;
}

/* In a SLAAC subnet a port may only have the address that its own MAC yields. */
static RESULT check_auto_ip(struct op *op, const struct subnet *subnet, struct ip wanted, struct mac mac,
			    struct str field)
{
	char text[IP_TEXT_SIZE];
	if (ip_equal(wanted, model_make_eui64(subnet->block, mac)))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SECONDARY_IP, field,
			   "IPv6 address %s cannot be directly assigned to a port on subnet %" STR_FMT
			   " as the subnet is configured for automatic addresses",
			   ip_write(wanted, text), STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

static RESULT choose_ip(struct op *op, const struct subnet *subnet, struct ip wanted, struct mac mac,
			struct str field, struct ip *ret_ip)
{
	if (ipv6_subnet_is_auto(subnet) && ip_is_none(wanted))
		wanted = model_make_eui64(subnet->block, mac);
	if (ipv6_subnet_is_auto(subnet))
		TRY(check_auto_ip(op, subnet, wanted, mac, field));
	if (!ip_is_none(wanted)) {
		TRY(check_ip(op, subnet, wanted, field));
		*ret_ip = wanted;
		return OK;
	}
	if (pick_ip(op->head, subnet, ret_ip))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_SUBNET,
			     "There are no free addresses in subnet '%" STR_FMT "'.",
			     STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

/* Chooses an address for a port that has its id already. On an external network, where gateways and elastic
 * addresses choose from the same addresses, also reserves it. */
static RESULT take_ip(struct op *op, const struct subnet *subnet, struct ip wanted, const struct port *port,
		      struct str field, struct ip *ret_ip)
{
	TRY(choose_ip(op, subnet, wanted, port->mac, field, ret_ip));
	return address_reserve(op, subnet, *ret_ip, port->row.id);
}

RESULT port_choose_subnet(struct op *op, uuid network, enum ip_family family,
			  const struct subnet **ret_subnet)
{
	const struct subnet *subnet = subnet_first_by_network(op->head, network);
	struct ip ip;
	*ret_subnet = NULL;
	for (; subnet; subnet = subnet_next_by_network(op->head, subnet)) {
		if (!row_is_live(&subnet->row) || subnet->block.base.family != family ||
		    ipv6_subnet_is_auto(subnet))
			continue;
		*ret_subnet = subnet;
		if (pick_ip(op->head, subnet, &ip))
			return OK;
	}
	if (!*ret_subnet)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_SUBNET,
			     "No more IP addresses available on network %" STR_FMT ".",
			     STR_ARG(uuid_to_str(op->ctx->arena, network)));
}

/* ---- rows ---- */

RESULT port_add_ip(struct op *op, const struct port *port, const struct subnet *subnet, struct ip wanted,
		   struct str field, struct ip *ret_ip)
{
	struct secondary_ip s = {.row.gen = 1,
				 .account = port->account,
				 .port = port->row.id,
				 .subnet = subnet->row.id,
				 .router = subnet->router};
	TRY(take_ip(op, subnet, wanted, port, field, &s.ip));
	s.row.id = engine_new_id(op, KIND_SECONDARY_IP);
	*ret_ip = s.ip;
	return secondary_ip_put(op, &s);
}

/* `wanted`: requested addresses; the message names the first. */
static RESULT fail_no_ipv6(struct op *op, const struct subnet *subnet, const struct ips *wanted,
			   struct str field)
{
	char text[IP_TEXT_SIZE];
	struct str id = engine_write_id(op, KIND_SUBNET, subnet->row.id);
	if (wanted->count == 0)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, field,
				   "The subnet '%" STR_FMT "' has no IPv6 CIDR block.", STR_ARG(id));
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, field,
			   "The address %s cannot be assigned: the subnet '%" STR_FMT
			   "' has no IPv6 CIDR block.",
			   ip_write(wanted->at[0], text), STR_ARG(id));
}

RESULT port_make(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
		 struct port *port)
{
	TRY(limit_check(op, LIMIT_NETWORK_PORTS, port->network, 1, STR_NONE));
	if (ipv6_subnet_is_auto(subnet))
		TRY(port_draw_mac(op, port));
	TRY(choose_ip(op, subnet, wanted, port->mac, field, &port->ip));
	if (uuid_is_none(port->row.id))
		port->row.id = engine_new_id(op, KIND_PORT);
	return port_draw_mac(op, port);
}

/* ---- automatic addresses ---- */

static RESULT bump(struct op *op, uuid id)
{
	struct port next = *port_find(op->head, id);
	next.row.gen++;
	return port_put(op, &next);
}

static bool has_ip_in(const struct tables *t, const struct port *port, uuid subnet)
{
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	while (s && !uuid_equal(s->subnet, subnet))
		s = engine_next_secondary_ip(t, s);
	return s || uuid_equal(port->subnet, subnet);
}

RESULT port_add_auto_ips(struct op *op, const struct port *port)
{
	struct ip ip;
	for (const struct subnet *s = subnet_first_by_network(op->head, port->network); s;
	     s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row) && ipv6_subnet_is_auto(s) && !has_ip_in(op->head, port, s->row.id))
			TRY(port_add_ip(op, port, s, (struct ip){0}, STR_NONE, &ip));
	return OK;
}

/* Adds an IPv6 address in any subnet of the network that assigns some. */
static RESULT write_of_network(struct op *op, const struct port *port)
{
	const struct subnet *subnet = NULL;
	struct ip ip;
	if (port->ip.family == IP_V4)
		TRY(port_choose_subnet(op, port->network, IP_V6, &subnet));
	return subnet ? port_add_ip(op, port, subnet, (struct ip){0}, STR_NONE, &ip) : OK;
}

RESULT port_add_auto_ips_in(struct op *op, const struct subnet *subnet)
{
	struct ip ip;
	if (!ipv6_subnet_is_auto(subnet))
		return OK;
	const struct port *port = port_first_by_network(op->head, subnet->network), *next = NULL;
	for (; port; port = next) {
		next = port_next_by_network(op->head, port);
		if (!row_is_live(&port->row) || ip_is_none(port->ip) || !uuid_is_none(port->interface_of) ||
		    !uuid_is_none(port->nat_gateway) || engine_is_front(op->head, port) ||
		    engine_is_endpoint_port(op->head, port) || engine_is_service_leg(op->head, port) ||
		    port_count_ips(op->head, port, IP_V6) >= PORT_IPS_MAX)
			continue;
		TRY(port_add_ip(op, port, subnet, (struct ip){0}, STR_NONE, &ip));
		TRY(bump(op, port->row.id));
	}
	return OK;
}

/* Removes the primary address; the first of the others becomes primary. */
static RESULT drop_first(struct op *op, const struct port *port)
{
	struct port_fixed rest[2 * PORT_IPS_MAX];
	struct port next = *port;
	size_t count = 0;
	for (const struct secondary_ip *s = engine_first_secondary_ip(op->head, port->row.id);
	     s && count < sizeof rest / sizeof rest[0]; s = engine_next_secondary_ip(op->head, s))
		rest[count++] = (struct port_fixed){subnet_find(op->head, s->subnet), s->ip};
	next.row.gen++;
	return port_change_fixed(op, rest, count, STR_NONE, &next);
}

RESULT port_drop_auto_ips_in(struct op *op, const struct subnet *subnet)
{
	if (!ipv6_subnet_is_auto(subnet))
		return OK;
	const struct secondary_ip *s = secondary_ip_first_by_subnet(op->head, subnet->row.id), *next = NULL;
	for (; s; s = next) {
		next = secondary_ip_next_by_subnet(op->head, s);
		uuid port = s->port;
		if (!row_is_live(&s->row))
			continue;
		TRY(secondary_ip_delete(op, s->row.id));
		TRY(bump(op, port));
	}
	const struct port *port = port_first_by_subnet(op->head, subnet->row.id), *following = NULL;
	for (; port; port = following) {
		following = port_next_by_subnet(op->head, port);
		if (row_is_live(&port->row) && uuid_is_none(port->interface_of))
			TRY(drop_first(op, port));
	}
	return OK;
}

/* Adds IPv6 addresses in the subnet beside. ERR_INVALID: there is no such subnet. */
static RESULT write_ipv6(struct op *op, const struct subnet *subnet, const struct port_ips_wish *ips,
			 const struct port *port)
{
	struct ip ip;
	const struct subnet *beside = engine_find_ipv6_subnet(op->head, subnet);
	int64_t more = ips->ipv6_more;
	if (ips->of_network)
		return write_of_network(op, port);
	if (!ips->ipv6_is_said && ips->ipv6s.count == 0 && subnet->ipv6_on_create && beside &&
	    beside != subnet)
		more = 1;
	if (ips->ipv6s.count == 0 && more == 0)
		return OK;
	if (!beside)
		return fail_no_ipv6(op, subnet, &ips->ipv6s, ips->ipv6_field);
	for (size_t k = 0; k < ips->ipv6s.count; k++)
		TRY(port_add_ip(op, port, beside, ips->ipv6s.at[k], ips->ipv6_field, &ip));
	for (int64_t k = 0; k < more; k++)
		TRY(port_add_ip(op, port, beside, (struct ip){0}, ips->ipv6_field, &ip));
	return OK;
}

static RESULT write_prefixes(struct op *op, const struct subnet *subnet, const struct port_ips_wish *ips,
			     const struct port *port)
{
	static const struct ips none;
	const struct port_prefixes_wish *ipv6 = &ips->ipv6_prefixes;
	const struct subnet *beside = engine_find_ipv6_subnet(op->head, subnet);
	struct cidrs made;
	TRY(port_add_prefixes(op, port, subnet, &ips->prefixes, &made));
	if (ipv6->named.count == 0 && ipv6->more == 0)
		return OK;
	if (!beside)
		return fail_no_ipv6(op, subnet, &none, ipv6->field);
	return port_add_prefixes(op, port, beside, ipv6, &made);
}

static size_t count_wished(const struct port_prefixes_wish *wish)
{
	return wish->named.count + (size_t) wish->more;
}

/* In an IPv6 subnet the port needs a primary IPv6 address anyway: makes the first requested IPv6 address that
 * one. */
static struct port_ips_wish take_first(const struct subnet *subnet, const struct port_ips_wish *ips)
{
	struct port_ips_wish rest = *ips;
	if (subnet->block.base.family != IP_V6 || !ip_is_none(ips->primary))
		return rest;
	if (ips->ipv6s.count > 0) {
		rest.primary = ips->ipv6s.at[0];
		rest.ipv6s = (struct ips){ips->ipv6s.at + 1, ips->ipv6s.count - 1};
		rest.field = ips->ipv6_field;
	} else if (ips->ipv6_more > 0) {
		rest.ipv6_more--;
	}
	return rest;
}

/* Checks that the subnet has IPv4, unless no IPv4 address is requested. */
static RESULT check_has_ipv4(struct op *op, const struct subnet *subnet, int64_t more, struct str field)
{
	if (more == 0 || subnet->block.base.family == IP_V4)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, field,
			   "The subnet '%" STR_FMT
			   "' has no IPv4 CIDR block: its interfaces have no private IPv4 addresses.",
			   STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

RESULT port_check_wished(struct op *op, const struct instance_type *type, const struct port_ips_wish *ips)
{
	size_t count = 1 + ips->secondaries.count + (size_t) ips->more + count_wished(&ips->prefixes);
	TRY(port_check_ip_count(op, type, count, ips->field));
	count = ips->ipv6s.count + (size_t) ips->ipv6_more + count_wished(&ips->ipv6_prefixes);
	return port_check_ip_count(op, type, count, ips->ipv6_field);
}

/* Adds the named addresses before the random ones, so that no random choice hits a named one. */
RESULT port_write_new(struct op *op, const struct subnet *subnet, const struct port_ips_wish *wish,
		      struct port *port)
{
	const struct port_ips_wish all = take_first(subnet, wish), *ips = &all;
	struct ip ip;
	TRY(port_check_wished(op, NULL, wish));
	TRY(check_has_ipv4(op, subnet, ips->more, ips->field));
	TRY(check_has_ipv4(op, subnet, (int64_t) count_wished(&ips->prefixes), ips->prefixes.field));
	port->row.id = engine_new_id(op, KIND_PORT);
	for (size_t k = 0; k < ips->secondaries.count; k++)
		TRY(port_add_ip(op, port, subnet, ips->secondaries.at[k], ips->field, &ip));
	TRY(port_make(op, subnet, ips->primary, ips->field, port));
	TRY(port_put(op, port));
	for (int64_t k = 0; k < ips->more; k++)
		TRY(port_add_ip(op, port, subnet, (struct ip){0}, ips->field, &ip));
	TRY(write_ipv6(op, subnet, ips, port));
	TRY(write_prefixes(op, subnet, ips, port));
	return port_add_auto_ips(op, port);
}

RESULT port_remove_ip(struct op *op, uuid port, struct ip ip)
{
	const struct secondary_ip *s = find_secondary(op->head, port, ip);
	TRY(address_leave_ip(op, port, ip));
	return s ? secondary_ip_delete(op, s->row.id) : OK;
}

RESULT port_delete_ips(struct op *op, uuid port)
{
	const struct secondary_ip *s = engine_first_secondary_ip(op->head, port), *next = NULL;
	for (; s; s = next) {
		next = engine_next_secondary_ip(op->head, s);
		TRY(secondary_ip_delete(op, s->row.id));
	}
	return port_delete_prefixes(op, port);
}

RESULT port_forget_ips(struct op *op, uuid port)
{
	const struct secondary_ip *s = secondary_ip_first_by_port(op->head, port), *next = NULL;
	for (; s; s = next) {
		next = secondary_ip_next_by_port(op->head, s);
		if (!row_is_live(&s->row))
			TRY(secondary_ip_forget(op, s->row.id));
	}
	return port_forget_prefixes(op, port);
}

/* ---- addresses as a list with subnets ---- */

static bool is_fixed(const struct port_fixed *fixed, size_t count, struct ip ip)
{
	for (size_t k = 0; k < count; k++)
		if (ip_equal(fixed[k].ip, ip))
			return true;
	return false;
}

/* Adds the rest of the list; the port's row has the first. */
static RESULT write_rest(struct op *op, const struct port *port, const struct port_fixed *fixed, size_t count,
			 struct str field)
{
	struct ip ip;
	for (size_t k = 1; k < count; k++)
		if (ip_is_none(fixed[k].ip) || !find_secondary(op->head, port->row.id, fixed[k].ip))
			TRY(port_add_ip(op, port, fixed[k].subnet, fixed[k].ip, field, &ip));
	return OK;
}

/* The limit counts each family by itself, as for addresses that are assigned one by one. */
static RESULT check_fixed_count(struct op *op, const struct port_fixed *fixed, size_t count, struct str field)
{
	size_t ipv6 = 0;
	for (size_t k = 0; k < count; k++)
		ipv6 += fixed[k].subnet->block.base.family == IP_V6;
	TRY(port_check_ip_count(op, NULL, count - ipv6, field));
	return port_check_ip_count(op, NULL, ipv6, field);
}

RESULT port_write_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			struct port *port)
{
	TRY(check_fixed_count(op, fixed, count, field));
	TRY(limit_check(op, LIMIT_NETWORK_PORTS, port->network, 1, STR_NONE));
	port->row.id = engine_new_id(op, KIND_PORT);
	TRY(port_draw_mac(op, port));
	if (count > 0) {
		port->subnet = fixed[0].subnet->row.id;
		port->router = fixed[0].subnet->router;
		TRY(take_ip(op, fixed[0].subnet, fixed[0].ip, port, field, &port->ip));
	}
	TRY(port_put(op, port));
	return write_rest(op, port, fixed, count, field);
}

/* Removes addresses that are not in the list, with their public addresses. Forgets the row of the new primary
 * address, so that the port can take it. */
static RESULT drop_others(struct op *op, const struct port *port, const struct port_fixed *fixed,
			  size_t count)
{
	const struct secondary_ip *s = engine_first_secondary_ip(op->head, port->row.id), *next = NULL;
	for (; s; s = next) {
		next = engine_next_secondary_ip(op->head, s);
		if (count > 0 && ip_equal(fixed[0].ip, s->ip)) {
			TRY(secondary_ip_forget(op, s->row.id));
		} else if (!is_fixed(fixed, count, s->ip)) {
			TRY(address_leave_ip(op, port->row.id, s->ip));
			TRY(secondary_ip_delete(op, s->row.id));
		}
	}
	if (ip_is_none(port->ip) || is_fixed(fixed, count, port->ip))
		return OK;
	return address_leave_ip(op, port->row.id, port->ip);
}

RESULT port_change_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			 struct port *port)
{
	TRY(check_fixed_count(op, fixed, count, field));
	TRY(drop_others(op, port, fixed, count));
	struct ip before = port->ip;
	port->subnet = count ? fixed[0].subnet->row.id : UUID_NONE;
	port->router = count ? fixed[0].subnet->router : UUID_NONE;
	if (count == 0 || !ip_equal(fixed[0].ip, before) || ip_is_none(before)) {
		port->ip = (struct ip){0};
		if (count > 0)
			TRY(take_ip(op, fixed[0].subnet, fixed[0].ip, port, field, &port->ip));
	}
	TRY(port_put(op, port));
	return write_rest(op, port, fixed, count, field);
}

/* ---- assign ---- */

static const char *assign_permission(const struct port_assignment *wish)
{
	return wish->is_ipv6 ? "port.assign_ipv6" : "port.assign";
}

/* Refuses changes if the port is in a locked instance. */
static RESULT check_unlocked(struct op *op, const struct port *port, struct str field)
{
	const struct instance *instance = instance_find(op->head, port->instance);
	return instance ? instance_check_changeable(op, instance, field) : OK;
}

/* Checks that an address may be moved away from the port: the call has to be allowed on the losing port, too.
 * Addresses never move between accounts, because a granted network has ports of several. */
static RESULT check_loser(struct op *op, const struct port_assignment *wish, const struct port *loser)
{
	TRY(engine_check_found(op->ctx, op->head, KIND_PORT, &loser->row));
	TRY(port_check_unmanaged(op, loser, STR("NetworkInterfaceId")));
	if (wish->of_instance)
		TRY(check_unlocked(op, loser, wish->port.field));
	return engine_permit(op, assign_permission(wish), KIND_PORT, &loser->row);
}

/* Takes a secondary address, with its public address, from another port. The former port's row is put first
 * and the network is updated in that order: the address's DNS name is removed before it is added. */
static RESULT take(struct op *op, const struct port_assignment *wish, const struct secondary_ip *s,
		   const struct port *port, struct str field)
{
	char text[IP_TEXT_SIZE];
	uuid from = s->port;
	const struct port *loser = port_find(op->head, from);
	if (!wish->take || !uuid_equal(loser->account, port->account))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, field,
				   "[%s] assigned, but move is not allowed.", ip_write(s->ip, text));
	TRY(check_loser(op, wish, loser));
	struct secondary_ip next = *s;
	next.port = port->row.id;
	next.row.gen++;
	TRY(secondary_ip_put(op, &next));
	TRY(address_move_ip(op, from, port->row.id, s->ip));
	return bump(op, from);
}

static RESULT assign_named(struct op *op, struct port_assignment *wish, const struct port *port,
			   const struct subnet *subnet, struct ip wanted, struct ip *ret_ip)
{
	const struct secondary_ip *s = secondary_ip_find_by_subnet(op->head, subnet->row.id, wanted);
	*ret_ip = wanted;
	if (!s || !row_is_live(&s->row))
		return port_add_ip(op, port, subnet, wanted, wish->field, ret_ip);
	bool is_there = uuid_equal(s->port, port->row.id) && !wish->are_new;
	return is_there ? OK : take(op, wish, s, port, wish->field);
}

static RESULT check_room(struct op *op, const struct port_assignment *wish, const struct port *port)
{
	const struct instance *instance = instance_find(op->head, port->instance);
	const struct instance_type *type = instance ? instance_type_find(op->head, instance->type) : NULL;
	size_t count = port_count_ips(op->head, port, wish->is_ipv6 ? IP_V6 : IP_V4) + (size_t) wish->more;
	count += port_count_new_prefixes(op->head, port->row.id, &wish->prefixes);
	for (size_t k = 0; k < wish->ips.count; k++)
		count += !find_secondary(op->head, port->row.id, wish->ips.at[k]);
	return port_check_ip_count(op, type, count, wish->field);
}

RESULT engine_assign_ips(struct op *op, struct port_assignment *wish)
{
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	if (wish->of_instance)
		TRY(check_unlocked(op, port, wish->port.field));
	const struct subnet *subnet = subnet_find(op->head, port->subnet);
	if (!subnet)
		return engine_fail_not_found(op->ctx, KIND_PORT, &wish->port);
	if (wish->is_ipv6 && !engine_find_ipv6_subnet(op->head, subnet))
		return fail_no_ipv6(op, subnet, &wish->ips, wish->port.field);
	if (wish->is_ipv6)
		subnet = engine_find_ipv6_subnet(op->head, subnet);
	else
		TRY(check_has_ipv4(op, subnet, wish->more + (int64_t) count_wished(&wish->prefixes),
				   wish->field));
	TRY(port_check_unmanaged(op, port, wish->port.field));
	TRY(port_check_choices(op, port->network, wish->ips.count + wish->prefixes.named.count > 0,
			       wish->field));
	TRY(check_room(op, wish, port));
	TRY(engine_permit(op, assign_permission(wish), KIND_PORT, &port->row));
	struct ip *made =
		arena_new_array(op->ctx->arena, struct ip, wish->ips.count + (size_t) wish->more + 1);
	if (!made)
		return ctx_no_memory(op->ctx);
	size_t count = 0;
	for (size_t k = 0; k < wish->ips.count; k++)
		TRY(assign_named(op, wish, port, subnet, wish->ips.at[k], &made[count++]));
	for (int64_t k = 0; k < wish->more; k++)
		TRY(port_add_ip(op, port, subnet, (struct ip){0}, wish->field, &made[count++]));
	TRY(port_add_prefixes(op, port, subnet, &wish->prefixes, &wish->made_prefixes));
	TRY(bump(op, port->row.id));
	wish->assigned_to = port->row.id;
	wish->made = (struct ips){made, count};
	return engine_log_event(op, KIND_PORT, &port->row, "changed",
				wish->is_ipv6 ? "It has %zu IPv6 addresses."
					      : "It has %zu private addresses.",
				port_count_ips(op->head, port, wish->is_ipv6 ? IP_V6 : IP_V4));
}

/* ---- unassign ---- */

static RESULT find_unassigned(struct op *op, const struct port_unassignment *wish, const struct port *port,
			      struct ip ip, const struct secondary_ip **ret_ip)
{
	char text[IP_TEXT_SIZE];
	*ret_ip = find_secondary(op->head, port->row.id, ip);
	if (*ret_ip)
		return OK;
	const char *what = !wish->is_ipv6           ? "not a secondary"
			   : ip_equal(port->ip, ip) ? "the first"
						    : "not an IPv6";
	return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, wish->field,
			   "%s is %s address of interface '%" STR_FMT "'%s.", ip_write(ip, text), what,
			   STR_ARG(wish->port.text),
			   wish->is_ipv6 && ip_equal(port->ip, ip) ? ", which it keeps" : "");
}

/* A guest keeps using its SLAAC address, so it cannot be unassigned. */
static RESULT check_not_auto(struct op *op, uuid subnet_id, struct ip ip, struct str field)
{
	const struct subnet *subnet = subnet_find(op->head, subnet_id);
	char text[IP_TEXT_SIZE];
	if (!subnet || !ipv6_subnet_is_auto(subnet))
		return OK;
	return ENGINE_FAIL(op, ERR_PROTECTED, KIND_SECONDARY_IP, field,
			   "%s is an automatic address of the subnet '%" STR_FMT
			   "', which its interfaces have as long as the subnet is there.",
			   ip_write(ip, text), STR_ARG(engine_write_id(op, KIND_SUBNET, subnet->row.id)));
}

static RESULT unassign_ip(struct op *op, const struct port_unassignment *wish, const struct port *port,
			  struct ip ip)
{
	const struct secondary_ip *s = NULL;
	if (wish->may_be_first && ip_equal(port->ip, ip)) {
		TRY(check_not_auto(op, port->subnet, ip, wish->field));
		return drop_first(op, port);
	}
	TRY(find_unassigned(op, wish, port, ip, &s));
	TRY(check_not_auto(op, s->subnet, ip, wish->field));
	TRY(address_leave_ip(op, port->row.id, ip));
	return secondary_ip_delete(op, s->row.id);
}

RESULT engine_unassign_ips(struct op *op, struct port_unassignment *wish)
{
	const struct port *port = NULL;
	TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
	if (wish->of_instance)
		TRY(check_unlocked(op, port, wish->port.field));
	TRY(port_check_unmanaged(op, port, wish->port.field));
	TRY(engine_permit(op, wish->is_ipv6 ? "port.unassign_ipv6" : "port.unassign", KIND_PORT, &port->row));
	wish->unassigned_from = port->row.id;
	for (size_t k = 0; k < wish->ips.count; k++) {
		TRY(unassign_ip(op, wish, port, wish->ips.at[k]));
		port = port_find(op->head, wish->unassigned_from); /* the primary address may have changed */
	}
	TRY(port_remove_prefixes(op, port, wish->prefixes, wish->prefix_field));
	TRY(bump(op, port->row.id));
	return engine_log_event(op, KIND_PORT, &port->row, "changed",
				wish->is_ipv6 ? "It has %zu IPv6 addresses."
					      : "It has %zu private addresses.",
				port_count_ips(op->head, port, wish->is_ipv6 ? IP_V6 : IP_V4));
}

bool engine_leads_nowhere(const struct tables *t, const struct port *port)
{
	const struct instance *i = port->device_index == 0 ? NULL : instance_find(t, port->instance);
	return i && i->personality == INSTANCE_PERSONALITY_CLOUDSTACK;
}
