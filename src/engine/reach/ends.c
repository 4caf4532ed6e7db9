/* SPDX-License-Identifier: Apache-2.0
 * The addresses of a question: for an interface the address that fits the other end. */
#include <netinet/in.h>

#include "engine/network/port/port.h"
#include "engine/reach/reach_internal.h"
#include "store/address.h"
#include "store/address_range.h"
#include "store/load_balancer.h"
#include "store/load_balancer_member.h"
#include "store/port.h"
#include "store/port_forwarding.h"

/* ---- choice of addresses ---- */

bool engine_read_protocol(struct str text, int64_t *ret_protocol)
{
	static const struct {
		const char *word;
		int64_t number;
	} words[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"icmp", IPPROTO_ICMP}};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(text, words[k].word)) {
			*ret_protocol = words[k].number;
			return true;
		}
	return result_is_ok(str_parse_int(text, ret_protocol)) && *ret_protocol >= 0 &&
	       *ret_protocol <= UINT8_MAX;
}

/* True if the region allocates addresses from the block. */
static bool is_handed_out(const struct tables *t, struct cidr block)
{
	const struct address_range *r = address_range_first(t);
	while (r && !cidr_contains(block, r->first) && !cidr_contains(block, r->last))
		r = address_range_next(t, r);
	return r != NULL;
}

struct ip engine_get_stranger(const struct tables *t, enum ip_family family)
{
	/* RFC 5737, RFC 3849. A test region may allocate from one of the documentation blocks. */
	static const uint32_t blocks[] = {0xcb007107, 0xc6336407, 0xc0000207};
	struct ip ip = {{0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 7}, IP_V6};
	for (size_t k = 0; family != IP_V6 && k < sizeof blocks / sizeof blocks[0]; k++) {
		ip = ip_from_v4(blocks[k]);
		if (!is_handed_out(t, cidr_canonical((struct cidr){ip, 24})))
			break;
	}
	return ip;
}

static uuid find_forwarding_address(const struct tables *t, const struct reach_question *q)
{
	const struct port_forwarding *f = port_forwarding_first_by_port(t, q->to->row.id);
	while (f && !(f->public_first <= q->port && q->port <= f->public_last))
		f = port_forwarding_next_by_port(t, f);
	return f ? f->address : UUID_NONE;
}

static uuid find_balancer_address(const struct tables *t, const struct reach_question *q)
{
	const struct load_balancer_member *m = load_balancer_member_first_by_port(t, q->to->row.id);
	for (; m; m = load_balancer_member_next_by_port(t, m)) {
		const struct load_balancer *b = load_balancer_find(t, m->load_balancer);
		if (b && b->public_port == q->port && !uuid_is_none(b->address))
			return b->address;
	}
	return UUID_NONE;
}

/* A public address that leads to the interface: its own, or else one with a port forwarding or load balancer
 * for it. */
static struct ip find_public(const struct tables *t, const struct reach_question *q)
{
	const struct address *a = address_find_by_port(t, q->to->row.id);
	if (!a)
		a = address_find(t, find_forwarding_address(t, q));
	if (!a)
		a = address_find(t, find_balancer_address(t, q));
	return a ? a->ip : (struct ip){0};
}

static enum ip_family choose_family(const struct reach_walk *w)
{
	const struct reach_question *q = w->q;
	if (q->family != IP_NONE)
		return q->family;
	if (!ip_is_none(q->from_ip) || !ip_is_none(q->to_ip))
		return (enum ip_family)(ip_is_none(q->from_ip) ? q->to_ip.family : q->from_ip.family);
	bool has_both = (!q->from || !ip_is_none(engine_get_port_ip(w->t, q->from, IP_V4))) &&
			(!q->to || !ip_is_none(engine_get_port_ip(w->t, q->to, IP_V4)));
	return has_both ? IP_V4 : IP_V6;
}

/* The private address within a virtual network or over a peering; otherwise the public one. */
static struct ip choose_destination(struct reach_walk *w, enum ip_family family)
{
	const struct reach_question *q = w->q;
	struct ip own = engine_get_port_ip(w->t, q->to, family);
	if (family == IP_V6)
		return own;
	struct ip public = find_public(w->t, q);
	if (!q->from)
		return public;
	bool is_near = uuid_equal(q->from->network, q->to->network) ||
		       (!uuid_is_none(q->from->router) && uuid_equal(q->from->router, q->to->router)) ||
		       reach_leads_privately(w, q->from, own);
	return is_near || ip_is_none(public) ? own : public;
}

static RESULT fail(struct reach_walk *w, const char *words)
{
	return ctx_fail_field(w->c, ERR_INVALID, STR("to"), "%s", words);
}

static RESULT check_families(struct reach_walk *w, enum ip_family family)
{
	const struct ip from = w->p.from, to = w->p.to;
	/* A question from outside to an interface without a public address is valid: its answer says so. */
	bool may_lack = w->q->to && !w->q->from && family == IP_V4;
	bool fits = ip_is_none(to) ? may_lack : to.family == family;
	if (from.family != family || !fits)
		return fail(w, family == IP_V6 ? "The two have no addresses of one family, IPv6."
					       : "The two have no addresses of one family, IPv4.");
	return OK;
}

static int64_t protocol_of(const struct reach_question *q, enum ip_family family)
{
	bool is_icmp = q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6;
	if (!is_icmp)
		return q->protocol;
	return family == IP_V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

RESULT reach_begin(struct reach_walk *w)
{
	const struct reach_question *q = w->q;
	enum ip_family family = choose_family(w);
	if (!q->from && !q->to && ip_is_none(q->to_ip))
		return fail(w, "One of both ends must be here.");
	if (q->from && q->from == q->to)
		return fail(w, "Both ends are the same interface.");
	w->p = (struct reach_packet){.from = q->from_ip,
				     .to = q->to_ip,
				     .protocol = protocol_of(q, family),
				     .from_ports = {-1, -1},
				     .to_ports = {-1, -1},
				     .type = family == IP_V6 ? REACH_ECHO6 : REACH_ECHO4};
	if (q->from && ip_is_none(q->from_ip))
		w->p.from = engine_get_port_ip(w->t, q->from, family);
	if (q->to && ip_is_none(q->to_ip))
		w->p.to = choose_destination(w, family);
	if (reach_has_ports(q->protocol)) {
		w->p.from_ports = (struct reach_ports){REACH_CLIENT_FIRST, REACH_CLIENT_LAST};
		w->p.to_ports = (struct reach_ports){q->port, q->port};
	}
	return check_families(w, family);
}
