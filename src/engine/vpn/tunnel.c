/* SPDX-License-Identifier: Apache-2.0
 * Tunnels of VPN connections: their options, inside blocks, links and public addresses. Source of ranges: "Tunnel options for your
 * Site-to-Site VPN connection" in AWS's user guide. */
#include <inttypes.h>

#include "engine/network/address/address_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpn_internal.h"
#include "model/vpn_link.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/vpn_connection.h"
#include "store/vpn_gateway.h"
#include "store/vpn_service.h"
#include "store/vpn_tunnel.h"

enum { INSIDE_BITS = 30, INSIDE_TRIES = 1000, INSIDE_BLOCKS = 1 << 14 };
#define INSIDE_BASE (UINT32_C(169) << 24 | UINT32_C(254) << 16) /* 169.254.0.0/16 */

bool engine_runs_vpn_tunnel(const struct tables *t, const struct vpn_tunnel *tunnel)
{
	const struct vpn_connection *c = vpn_connection_find(t, tunnel->connection);
	const struct vpn_gateway *g = c && row_is_live(&c->row) ? vpn_gateway_find(t, c->vpn_gateway) : NULL;
	const struct vpn_service *s = vpn_service_find(t, tunnel->service);
	return row_is_live(&tunnel->row) && g && !uuid_is_none(g->router) &&
	       !ip_is_none(tunnel->outside_ip) && !c->is_down && !(s && s->is_down);
}

const struct vpn_tunnel *engine_find_vpn_tunnel(const struct tables *t, uuid connection, struct ip outside)
{
	const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(t, connection);
	while (n && !(row_is_live(&n->row) && ip_equal(n->outside_ip, outside)))
		n = vpn_tunnel_next_by_connection(t, n);
	return n;
}

/* ---- other tunnels of the gateway ---- */

typedef bool fits_tunnel(const struct vpn_tunnel *other, const void *arg);

static bool any_other(const struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, fits_tunnel *fits,
		      const void *arg)
{
	for (const struct vpn_connection *c = engine_next_vpn_connection(op->head, gateway, NULL); c;
	     c = engine_next_vpn_connection(op->head, gateway, c))
		for (const struct vpn_tunnel *n = vpn_tunnel_first_by_connection(op->head, c->row.id); n;
		     n = vpn_tunnel_next_by_connection(op->head, n))
			if (!uuid_equal(n->row.id, tunnel->row.id) && fits(n, arg))
				return true;
	return false;
}

static bool overlaps(const struct vpn_tunnel *other, const void *arg)
{
	return cidr_overlaps(other->inside_cidr, *(const struct cidr *) arg);
}

static bool has_link(const struct vpn_tunnel *other, const void *arg)
{
	return other->link == *(const int64_t *) arg;
}

/* A service keeps its link while it has no connection. */
static bool is_link_of_service(const struct op *op, uuid gateway, int64_t link)
{
	const struct vpn_gateway *g = vpn_gateway_find(op->head, gateway);
	const struct vpn_service *s = vpn_find_service_of(op, g ? g->router : UUID_NONE);
	while (s && s->link != link)
		s = vpn_service_next_by_router(op->head, s);
	return s != NULL;
}

static RESULT choose_link(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, int64_t *ret_link)
{
	for (int64_t link = 0; link < VPN_LINKS_MAX; link++) {
		if (any_other(op, tunnel, gateway, has_link, &link) ||
		    is_link_of_service(op, gateway, link) ||
		    cidr_overlaps(model_get_vpn_link_block(link), tunnel->inside_cidr))
			continue;
		*ret_link = link;
		return OK;
	}
	return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_VPN_CONNECTION,
			     "The virtual private gateway has %d tunnels.", VPN_LINKS_MAX);
}

RESULT vpn_tunnel_link(struct op *op, struct vpn_tunnel *tunnel, uuid gateway)
{
	return uuid_is_none(tunnel->service) ? choose_link(op, tunnel, gateway, &tunnel->link) : OK;
}

RESULT vpn_choose_link(struct op *op, uuid gateway, int64_t *ret_link)
{
	const struct vpn_tunnel none = {0};
	return choose_link(op, &none, gateway, ret_link);
}

/* ---- inside blocks ---- */

/* The blocks that AWS reserves: 169.254.0.0/30 to 169.254.5.0/30, and 169.254.169.252/30. */
static bool is_reserved(struct cidr block)
{
	uint32_t offset = ip_to_v4(block.base) - INSIDE_BASE;
	return offset == (169 << 8 | 252) || (offset % 256 == 0 && offset / 256 <= 5);
}

static RESULT choose_inside(struct op *op, struct vpn_tunnel *tunnel, uuid gateway)
{
	for (int k = 0; k < INSIDE_TRIES; k++) {
		uint32_t place = (uint32_t) random_below(INSIDE_BLOCKS);
		struct cidr block = {ip_from_v4(INSIDE_BASE + (place << (32 - INSIDE_BITS))), INSIDE_BITS};
		if (is_reserved(block) || any_other(op, tunnel, gateway, overlaps, &block))
			continue;
		tunnel->inside_cidr = block;
		return OK;
	}
	return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_VPN_CONNECTION,
			     "No inside CIDR block is left for the tunnel.");
}

static RESULT check_inside(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, struct str field)
{
	char text[CIDR_TEXT_SIZE];
	struct cidr block = tunnel->inside_cidr, all = {ip_from_v4(INSIDE_BASE), 16};
	cidr_write(block, text);
	if (block.bits != INSIDE_BITS || !cidr_is_canonical(block) || !cidr_contains_cidr(all, block) ||
	    is_reserved(block))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VPN_TUNNEL, field,
				   "Tunnel inside CIDR %s is not valid: it must be a size /30 CIDR block of "
				   "169.254.0.0/16 that is not reserved.",
				   text);
	if (any_other(op, tunnel, gateway, overlaps, &block))
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_VPN_TUNNEL, field,
				   "Tunnel inside CIDR %s is in use by another tunnel of the gateway.", text);
	return OK;
}

/* ---- options ---- */

static int64_t or_default(int64_t value, int64_t absent)
{
	return value ? value : absent;
}

RESULT vpn_tunnel_check(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, struct str inside_field)
{
	int64_t phase1 = or_default(tunnel->phase1_lifetime_s, VPN_PHASE1_LIFETIME_S);
	int64_t phase2 = or_default(tunnel->phase2_lifetime_s, VPN_PHASE2_LIFETIME_S);
	int64_t margin = or_default(tunnel->rekey_margin_s, VPN_REKEY_MARGIN_S);
	if (phase2 > phase1)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_VPN_TUNNEL,
				     "Phase2LifetimeSeconds (%" PRId64 ") must not be greater than "
				     "Phase1LifetimeSeconds (%" PRId64 ").",
				     phase2, phase1);
	if (margin > phase2 / 2)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_VPN_TUNNEL,
				     "RekeyMarginTimeSeconds (%" PRId64
				     ") must not be greater than half of Phase2LifetimeSeconds (%" PRId64
				     ").",
				     margin, phase2);
	return cidr_is_none(tunnel->inside_cidr) ? OK : check_inside(op, tunnel, gateway, inside_field);
}

/* ---- public addresses ---- */

static RESULT take(struct op *op, uuid account, const struct address_place *place, uuid *ret_address,
		   struct ip *ret_ip)
{
	struct address address = {.row = {.id = engine_new_id(op, KIND_ADDRESS), .gen = 1},
				  .account = account,
				  .external_network = place->external_network,
				  .ip = place->ip};
	*ret_address = address.row.id;
	*ret_ip = place->ip;
	return address_put(op, &address);
}

RESULT vpn_address_allocate_on(struct op *op, uuid account, uuid network, uuid *ret_address,
			       struct ip *ret_ip)
{
	struct address_place place = {0};
	if (!address_pick_on(op->head, network, UUID_NONE, &place))
		return address_fail_none_left(op, network);
	return take(op, account, &place, ret_address, ret_ip);
}

RESULT vpn_address_allocate(struct op *op, uuid account, uuid *ret_address, struct ip *ret_ip)
{
	const struct external_network *network = external_network_next_choice(op->head, NULL);
	struct address_place place = {0};
	bool has_place = false;
	for (; network && !has_place; network = external_network_next_choice(op->head, network))
		has_place = external_network_is_for_all(op->head, network) &&
			    address_pick_on(op->head, network->row.id, UUID_NONE, &place);
	if (!has_place)
		return address_fail_none_left(op, UUID_NONE);
	return take(op, account, &place, ret_address, ret_ip);
}

RESULT vpn_tunnel_make(struct op *op, const struct vpn_tunnel *tunnel, uuid gateway, struct str inside_field)
{
	struct vpn_tunnel made = *tunnel;
	made.row.gen = 1;
	if (uuid_is_none(made.service)) /* Neutron's policies have ranges of their own */
		TRY(vpn_tunnel_check(op, &made, gateway, inside_field));
	if (cidr_is_none(made.inside_cidr))
		TRY(choose_inside(op, &made, gateway));
	TRY(vpn_tunnel_link(op, &made, gateway));
	if (uuid_is_none(made.address))
		TRY(vpn_address_allocate(op, made.account, &made.address, &made.outside_ip));
	return vpn_tunnel_put(op, &made);
}

RESULT vpn_tunnel_end(struct op *op, const struct vpn_tunnel *tunnel)
{
	struct vpn_tunnel next = *tunnel;
	uuid address = tunnel->address;
	next.key = STR_NONE; /* the daemon's files go with its step */
	next.address = UUID_NONE;
	next.is_up = false;
	next.row.gen++;
	TRY(vpn_tunnel_put(op, &next));
	TRY(vpn_tunnel_delete(op, next.row.id));
	const struct vpn_connection *c = vpn_connection_find(op->head, next.connection);
	const struct vpn_gateway *g = c ? vpn_gateway_find(op->head, c->vpn_gateway) : NULL;
	if (!uuid_is_none(next.service) || (g && uuid_equal(g->address, address)))
		return OK;
	return address_find(op->head, address) ? address_end(op, address) : OK;
}

/* ---- settings ---- */

#define SET_GIVEN(member)                                                                                    \
	do {                                                                                                 \
		if (wish->next.member)                                                                       \
			next.member = wish->next.member;                                                     \
	} while (0)
#define SET_GIVEN_LIST(member)                                                                               \
	do {                                                                                                 \
		if (wish->next.member.count)                                                                 \
			next.member = wish->next.member;                                                     \
	} while (0)

static struct vpn_tunnel merge(const struct vpn_tunnel *present, const struct vpn_tunnel_settings *wish)
{
	struct vpn_tunnel next = *present;
	SET_GIVEN(phase1_lifetime_s);
	SET_GIVEN(phase2_lifetime_s);
	SET_GIVEN(rekey_margin_s);
	SET_GIVEN(rekey_fuzz);
	SET_GIVEN(replay_window);
	SET_GIVEN(dpd_timeout_s);
	SET_GIVEN(dpd_action);
	SET_GIVEN(startup);
	SET_GIVEN_LIST(ike_versions);
	SET_GIVEN_LIST(phase1_encryption);
	SET_GIVEN_LIST(phase1_integrity);
	SET_GIVEN_LIST(phase1_groups);
	SET_GIVEN_LIST(phase2_encryption);
	SET_GIVEN_LIST(phase2_integrity);
	SET_GIVEN_LIST(phase2_groups);
	if (wish->next.key.n)
		next.key = wish->next.key;
	if (!cidr_is_none(wish->next.inside_cidr))
		next.inside_cidr = wish->next.inside_cidr;
	return next;
}

RESULT engine_update_vpn_tunnel(struct op *op, struct vpn_tunnel_settings *wish)
{
	const struct vpn_connection *c = NULL;
	char text[IP_TEXT_SIZE];
	TRY(engine_permit_vpn_connection(op, &wish->connection, "vpn.update_tunnel", &c));
	TRY(vpn_check_leads(op, c, wish->connection.field));
	const struct vpn_tunnel *present = engine_find_vpn_tunnel(op->head, c->row.id, wish->outside_ip);
	/* The key is sealed for the row that the request's own view showed. */
	if (!present || (wish->next.key.n && !uuid_equal(present->row.id, wish->next.row.id)))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_VPN_TUNNEL, STR("VpnTunnelOutsideIpAddress"),
				   "VPN connection %" STR_FMT
				   " has no tunnel with the outside IP address %s.",
				   STR_ARG(engine_write_id(op, KIND_VPN_CONNECTION, c->row.id)),
				   ip_write(wish->outside_ip, text));
	struct vpn_tunnel next = merge(present, wish);
	TRY(vpn_tunnel_check(op, &next, c->vpn_gateway, wish->inside_field));
	if (!cidr_equal(next.inside_cidr, present->inside_cidr))
		TRY(vpn_tunnel_link(op, &next, c->vpn_gateway));
	next.row.gen++;
	TRY(vpn_tunnel_put(op, &next));
	wish->made = c->row.id;
	return engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "tunnel changed", "Options of tunnel %s.",
				ip_write(next.outside_ip, text));
}

/* ---- reports ---- */

RESULT engine_see_vpn_tunnel(struct op *op, struct vpn_tunnel_report *report)
{
	const struct vpn_tunnel *present = vpn_tunnel_find(op->head, report->tunnel);
	char text[IP_TEXT_SIZE];
	if (!present || !row_is_live(&present->row))
		return OK;
	struct vpn_tunnel next = *present;
	bool is_changed = present->is_up != report->is_up;
	if ((int64_t) report->gen > next.seen_gen)
		next.seen_gen = (int64_t) report->gen;
	next.is_up = report->is_up;
	if (is_changed || !next.changed_us)
		next.changed_us = op->now_us;
	TRY(vpn_tunnel_put(op, &next));
	const struct vpn_connection *c = vpn_connection_find(op->head, next.connection);
	if (!is_changed || !c)
		return OK;
	ip_write(next.outside_ip, text);
	return next.is_up ? engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "tunnel up",
					     "Tunnel %s is up.", text)
			  : engine_log_event(op, KIND_VPN_CONNECTION, &c->row, "tunnel down",
					     "Tunnel %s is down.", text);
}
