/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks, as ACLs of the network's switch in the scope of the router that leads out of it. Security
 * groups hold besides, and in OVN the ACL of the highest priority decides alone. So both directions look away from theirs:
 *
 * Inwards, to a guest's port, there is one stage for all ACLs, where to allow would pass over the groups. So only what no
 * rule lets in is written, as drops above them: all addresses that no rule leads to; of the others, the protocols and ports
 * that none names, and of each further span of ports the sources that are none of its rules'. What is left is the groups'
 * to decide. OVN has a protocol and ICMP's type as values and not as ranges, so these are listed one by one.
 *
 * Outwards, from a guest's port, there is a second stage behind the switch's load balancers, which the groups have no ACL
 * in: there rules allow or drop as they are. Behind the load balancers a public address of the network's own is the guest's
 * that it leads to, and no longer outside.
 *
 * All of them see new connections alone: replies pass, and so does what was let through before its rule ended. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "model/firewall_rule.h"
#include "model/network.h"
#include "model/port.h"
#include "model/subnet.h"

enum {
	PRIORITY_INWARD = 1050, /* above what security groups allow */
	PRIORITY_INSIDE = 1003, /* those of the second stage outwards */
	PRIORITY_RULE = 1002,
	PRIORITY_REST = 1001
};
enum { LINE_LAST = 65535, ICMP_CODES = 256, PROTOCOLS = 256, TEXT_CAP_SIZE = 1024 * 1024 };

/* What guests may always reach: metadata, names, and what no router passes on. */
static const char always[] = "169.254.169.253, 169.254.169.254, 168.63.129.16, 255.255.255.255, 224.0.0.0/4";

/* Of numbers: addresses, ports. */
struct span {
	uint32_t first, last;
};
struct spans {
	VEC(struct span) at;
};

static void add_span(struct wish *w, struct spans *spans, uint32_t first, uint32_t last)
{
	if (!VEC_PUSH(w->arena, &spans->at, ((struct span){first, last})))
		w->failed = true;
}

static int compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	return x->first != y->first ? (x->first < y->first ? -1 : 1) : 0;
}

/* All numbers that are in none of them, which are sorted by it; into a vector that may have been used. */
static void find_rest(struct wish *w, struct spans *spans, struct spans *rest)
{
	uint64_t next = 0;
	rest->at.count = 0;
	if (spans->at.count)
		qsort(spans->at.at, spans->at.count, sizeof *spans->at.at, compare_spans);
	for (size_t k = 0; k < spans->at.count; k++) {
		struct span s = spans->at.at[k];
		if (s.first > next)
			add_span(w, rest, (uint32_t) next, s.first - 1);
		if ((uint64_t) s.last + 1 > next)
			next = (uint64_t) s.last + 1;
	}
	if (next <= UINT32_MAX)
		add_span(w, rest, (uint32_t) next, UINT32_MAX);
}

static struct span span_of_block(struct cidr block)
{
	block = cidr_canonical(block);
	return (struct span){ip_to_v4(block.base), ip_to_v4(cidr_last(block))};
}

/* A span of addresses as blocks, each the largest that begins there. */
static void write_blocks(struct buf *b, struct span s, const char **comma)
{
	char text[CIDR_TEXT_SIZE];
	uint64_t at = s.first, end = (uint64_t) s.last + 1;
	while (at < end) {
		uint64_t size = at == 0 ? UINT64_C(1) << 32 : at & (~at + 1);
		while (at + size > end)
			size /= 2;
		struct cidr block = {ip_from_v4((uint32_t) at), (uint8_t) (32 - __builtin_ctzll(size))};
		buf_print(b, "%s%s", *comma, cidr_write(block, text));
		*comma = ", ";
		at += size;
	}
}

static bool is_whole(const struct spans *spans, uint32_t last)
{
	return spans->at.count == 1 && spans->at.at[0].first == 0 && spans->at.at[0].last == last;
}

/* " && ip4.src == {…}"; of all of them nothing. */
static struct str write_addresses(struct wish *w, const char *field, const struct spans *spans)
{
	struct buf b;
	const char *comma = "";
	if (is_whole(spans, UINT32_MAX))
		return STR_NONE;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && %s == {", field);
	for (size_t k = 0; k < spans->at.count; k++)
		write_blocks(&b, spans->at.at[k], &comma);
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

/* ---- one firewall ---- */

struct guard {
	struct wish *w;
	const struct network_router *router;
	const struct network_firewall *firewall;
	uuid id;          /* of its rows' */
	struct str ports; /* "inport == {"sp-…"} && ": the switch's to the router */
};

static struct wish_row *add_acl(const struct guard *g, struct str role, const char *direction, int priority,
				struct str match, const char *action)
{
	struct wish_row *row =
		wish_add_row(g->w, "ACL", uuid_v5(g->id, role),
			     json_pack("{s:i,s:s,s:s%,s:s}", "priority", priority, "direction", direction,
				       "match", match.p ? match.p : "", match.n, "action", action));
	wish_add_edge(g->w, row, "Logical_Switch", "acls", g->firewall->network->row.id);
	return row;
}

/* ---- inwards ---- */

static void drop_inward(const struct guard *g, struct str match)
{
	struct str whole = str_print(g->w->arena, "%" STR_FMT "ct.new && ip4%" STR_FMT, STR_ARG(g->ports),
				     STR_ARG(match));
	add_acl(g, whole, "to-lport", PRIORITY_INWARD, whole, "drop");
}

/* Where on its protocol's line an opening is: ports, or of ICMP a type's codes behind one another. */
static struct span span_of_opening(const struct network_opening *o)
{
	if (o->from < 0)
		return (struct span){0, LINE_LAST};
	if (o->protocol != IPPROTO_ICMP)
		return (struct span){(uint32_t) o->from, (uint32_t) o->to};
	uint32_t first = (uint32_t) o->from * ICMP_CODES;
	return o->to < 0 ? (struct span){first, first + ICMP_CODES - 1}
			 : (struct span){first + (uint32_t) o->to, first + (uint32_t) o->to};
}

/* An opening by where it is: openings are sorted by it. */
struct place {
	uint32_t ip;
	int64_t protocol;
	struct span on, sources;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	if (x->ip != y->ip)
		return x->ip < y->ip ? -1 : 1;
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	return x->on.first != y->on.first ? (x->on.first < y->on.first ? -1 : 1) : 0;
}

/* A protocol's line of one guest's address, in parts that the same sources are kept out of. */
struct part {
	struct spans kept_out, spans;
};
struct line {
	const struct guard *g;
	uint32_t ip;
	int64_t protocol;
	const struct place *places; /* on it */
	size_t count;
	VEC(struct part) parts;
	VEC(struct place) open;      /* at the span that is looked at */
	struct spans let_in, others; /* there */
};

static bool is_same(const struct spans *a, const struct spans *b)
{
	bool is = a->at.count == b->at.count;
	for (size_t k = 0; k < a->at.count && is; k++)
		is = a->at.at[k].first == b->at.at[k].first && a->at.at[k].last == b->at.at[k].last;
	return is;
}

/* That from which line->others are kept out. */
static struct part *find_part(struct line *line)
{
	struct wish *w = line->g->w;
	struct part made = {0};
	for (size_t k = 0; k < line->parts.count; k++)
		if (is_same(&line->parts.at[k].kept_out, &line->others))
			return &line->parts.at[k];
	for (size_t k = 0; k < line->others.at.count; k++)
		add_span(w, &made.kept_out, line->others.at.at[k].first, line->others.at.at[k].last);
	if (VEC_PUSH(w->arena, &line->parts, made))
		return &line->parts.at[line->parts.count - 1];
	w->failed = true;
	return NULL;
}

static void add_to_part(struct line *line, struct span span)
{
	struct part *part = find_part(line);
	struct span *last =
		part && part->spans.at.count ? &part->spans.at.at[part->spans.at.count - 1] : NULL;
	if (last && last->last + 1 == span.first)
		last->last = span.last;
	else if (part)
		add_span(line->g->w, &part->spans, span.first, span.last);
}

/* The span has no end of an opening within; spans come in their order, and *next is the first place behind. */
static void divide(struct line *line, struct span span, size_t *next)
{
	struct wish *w = line->g->w;
	size_t kept = 0;
	for (; *next < line->count && line->places[*next].on.first <= span.first; ++*next)
		if (!VEC_PUSH(w->arena, &line->open, line->places[*next]))
			w->failed = true;
	line->let_in.at.count = 0;
	for (size_t k = 0; k < line->open.count; k++) {
		struct place p = line->open.at[k];
		if (p.on.last < span.first)
			continue;
		line->open.at[kept++] = p;
		add_span(w, &line->let_in, p.sources.first, p.sources.last);
	}
	line->open.count = kept;
	find_rest(w, &line->let_in, &line->others);
	if (line->others.at.count)
		add_to_part(line, span);
}

/* " && (tcp.dst == 22 || 80 <= tcp.dst <= 90)" */
static void write_ports(struct buf *b, const char *protocol, const struct spans *spans)
{
	const char *between = "";
	buf_print(b, " && (");
	for (size_t k = 0; k < spans->at.count; k++, between = " || ") {
		struct span s = spans->at.at[k];
		if (s.first == s.last)
			buf_print(b, "%s%s.dst == %u", between, protocol, s.first);
		else
			buf_print(b, "%s%u <= %s.dst <= %u", between, s.first, protocol, s.last);
	}
	buf_print(b, ")");
}

/* "0, 1, 2" */
static void write_numbers(struct buf *b, uint32_t first, uint32_t last, const char **comma)
{
	for (; first <= last; first++, *comma = ", ")
		buf_print(b, "%s%u", *comma, first);
}

/* A part of one type's codes, or the types that all codes are meant of. */
static void write_types(struct buf *b, const struct spans *spans, bool in_whole, const char **between)
{
	const char *comma = "";
	for (size_t k = 0; k < spans->at.count; k++) {
		for (uint32_t at = spans->at.at[k].first, last; at <= spans->at.at[k].last; at = last + 1) {
			uint32_t type = at / ICMP_CODES, of_type = type * ICMP_CODES + ICMP_CODES - 1;
			last = of_type < spans->at.at[k].last ? of_type : spans->at.at[k].last;
			bool is_type = at % ICMP_CODES == 0 && last == of_type;
			if (is_type && in_whole) {
				buf_print(b, "%s", comma[0] ? "" : "icmp4.type == {");
				write_numbers(b, type, type, &comma);
			} else if (!is_type && !in_whole) {
				comma = "";
				buf_print(b, "%s(icmp4.type == %u && icmp4.code == {", *between, type);
				write_numbers(b, at % ICMP_CODES, last % ICMP_CODES, &comma);
				buf_print(b, "})");
				*between = " || ";
			}
		}
	}
	if (in_whole && comma[0]) {
		buf_print(b, "}");
		*between = " || ";
	}
}

static struct str write_part(const struct line *line, const struct part *part)
{
	struct str sources = write_addresses(line->g->w, "ip4.src", &part->kept_out);
	static const char *const words[] = {
		[IPPROTO_ICMP] = "icmp4", [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp"};
	const char *between = "";
	char ip[IP_TEXT_SIZE];
	struct buf b;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && ip4.dst == %s%" STR_FMT, ip_write(ip_from_v4(line->ip), ip), STR_ARG(sources));
	if (is_whole(&part->spans, LINE_LAST))
		buf_print(&b, " && %s", words[line->protocol]);
	else if (line->protocol != IPPROTO_ICMP)
		write_ports(&b, words[line->protocol], &part->spans);
	else {
		buf_print(&b, " && (");
		write_types(&b, &part->spans, true, &between);
		write_types(&b, &part->spans, false, &between);
		buf_print(&b, ")");
	}
	return wish_take_text(line->g->w, &b);
}

static void plan_line(struct line *line)
{
	struct wish *w = line->g->w;
	struct spans cuts = {0}; /* where parts begin */
	size_t at = 0;
	add_span(w, &cuts, 0, 0);
	for (size_t k = 0; k < line->count; k++) {
		add_span(w, &cuts, line->places[k].on.first, 0);
		add_span(w, &cuts, line->places[k].on.last + 1, 0);
	}
	if (cuts.at.count)
		qsort(cuts.at.at, cuts.at.count, sizeof *cuts.at.at, compare_spans);
	for (size_t k = 0; k < cuts.at.count; k++) {
		uint32_t next = k + 1 < cuts.at.count ? cuts.at.at[k + 1].first : LINE_LAST + 1;
		if (cuts.at.at[k].first < next && cuts.at.at[k].first <= LINE_LAST)
			divide(line, (struct span){cuts.at.at[k].first, next - 1}, &at);
	}
	for (size_t k = 0; k < line->parts.count; k++)
		drop_inward(line->g, write_part(line, &line->parts.at[k]));
}

/* The places are all of that address. */
static void plan_target(const struct guard *g, const struct place *places, size_t count)
{
	static const int64_t protocols[] = {IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP};
	size_t at = 0;
	for (size_t n = 0; n < sizeof protocols / sizeof protocols[0]; n++) {
		struct line line = {
			.g = g, .ip = places->ip, .protocol = protocols[n], .places = &places[at]};
		for (; at < count && places[at].protocol == protocols[n]; at++)
			line.count++;
		plan_line(&line);
	}
}

/* Protocols that no rule inwards is about. */
static void drop_others(const struct guard *g, const struct spans *targets)
{
	struct buf b;
	const char *comma = "";
	struct str ips = write_addresses(g->w, "ip4.dst", targets);
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, "%" STR_FMT " && ip.proto == {", STR_ARG(ips));
	for (uint32_t k = 0; k < PROTOCOLS; k++)
		if (k != IPPROTO_ICMP && k != IPPROTO_TCP && k != IPPROTO_UDP)
			write_numbers(&b, k, k, &comma);
	buf_print(&b, "}");
	drop_inward(g, wish_take_text(g->w, &b));
}

static void plan_inward(const struct guard *g)
{
	const struct network_firewall *f = g->firewall;
	struct place *places = arena_new_array(g->w->arena, struct place, f->opening_count + 1);
	struct spans targets = {0}, rest = {0};
	if (!places) {
		g->w->failed = true;
		return;
	}
	for (size_t k = 0; k < f->opening_count; k++)
		places[k] = (struct place){ip_to_v4(f->openings[k].ip), f->openings[k].protocol,
					   span_of_opening(&f->openings[k]),
					   span_of_block(f->openings[k].source)};
	qsort(places, f->opening_count, sizeof *places, compare_places);
	for (size_t k = 0, end; k < f->opening_count; k = end) {
		for (end = k + 1; end < f->opening_count && places[end].ip == places[k].ip;)
			end++;
		add_span(g->w, &targets, places[k].ip, places[k].ip);
		plan_target(g, &places[k], end - k);
	}
	find_rest(g->w, &targets, &rest);
	drop_inward(g, write_addresses(g->w, "ip4.dst", &rest));
	if (targets.at.count)
		drop_others(g, &targets);
}

/* ---- outwards ---- */

static void decide_outward(const struct guard *g, struct str role, int priority, struct str match,
			   const char *action)
{
	struct wish_row *row =
		add_acl(g, role, "from-lport", priority,
			str_print(g->w->arena, "ct.new && ip4%" STR_FMT, STR_ARG(match)), action);
	if (row &&
	    json_object_set_new(row->columns, "options", json_pack("{s:s}", "apply-after-lb", "true")) < 0)
		g->w->failed = true;
}

/* What is not outside. It also has the switch track connections, whatever ports are in it. */
static void allow_inside(const struct guard *g)
{
	struct buf b;
	char block[CIDR_TEXT_SIZE], ip[IP_TEXT_SIZE];
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && ip4.dst == {%s", always);
	for (size_t k = 0; k < g->router->subnet_count; k++) {
		const struct subnet *s = g->router->subnets[k].subnet;
		if (uuid_equal(s->network, g->firewall->network->row.id) && s->block.base.family == IP_V4)
			buf_print(&b, ", %s", cidr_write(cidr_canonical(s->block), block));
	}
	for (size_t k = 0; k < g->firewall->own_ips.count; k++)
		buf_print(&b, ", %s", ip_write(g->firewall->own_ips.at[k], ip));
	buf_print(&b, "}");
	decide_outward(g, STR("inside"), PRIORITY_INSIDE, wish_take_text(g->w, &b), "allow-related");
}

static void plan_outward(const struct guard *g)
{
	bool is_open = g->firewall->network->egress_open;
	allow_inside(g);
	for (size_t k = 0; k < g->firewall->rule_count; k++)
		decide_outward(g, uuid_to_str(g->w->arena, g->firewall->rules[k]->row.id), PRIORITY_RULE,
			       nb_write_firewall_match(g->w->arena, g->firewall->rules[k]),
			       is_open ? "drop" : "allow-related");
	if (!is_open)
		decide_outward(g, STR("rest"), PRIORITY_REST, STR_NONE, "drop");
}

static void plan_firewall(struct wish *w, const struct network_router *router,
			  const struct network_firewall *firewall)
{
	struct guard g = {.w = w, .router = router, .firewall = firewall};
	const char *comma = "";
	char name[NB_NAME_SIZE];
	struct buf b;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, "inport == {");
	for (size_t k = 0; k < router->subnet_count; k++) {
		if (!uuid_equal(router->subnets[k].subnet->network, firewall->network->row.id))
			continue;
		buf_print(&b, "%s\"%s\"", comma,
			  nb_write_name("sp-", nb_get_arm_id(&router->subnets[k]), name));
		comma = ", ";
	}
	buf_print(&b, "} && ");
	g.ports = wish_take_text(w, &b);
	g.id = uuid_v5(w->scope, str_from(nb_write_name("firewall:", firewall->network->row.id, name)));
	plan_inward(&g);
	plan_outward(&g);
}

void nb_plan_firewalls(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->firewall_count; k++)
		plan_firewall(w, wish, &wish->firewalls[k]);
}
