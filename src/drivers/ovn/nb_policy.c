/* SPDX-License-Identifier: Apache-2.0
 * Port policies as port groups with ACLs, one group for each router behind which the policy applies to
 * something, and for each such network without a router. OVN has one stage per direction, in which the
 * highest priority decides alone: an allow would bypass other policies, security groups and network ACLs. So
 * what a policy does not admit is written as drops above everything that allows (model/port_rule.h), and the
 * drops of several policies add up. All ACLs match new connections only.
 *
 * An interface with a protected public address and without a policy is in a group that drops traffic from
 * outside. */
#include <inttypes.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "drivers/ovn/nb_drops.h"
#include "model/port_policy.h"
#include "model/port_rule.h"
#include "model/router.h"

enum {
	PRIORITY_DROP = 1050,     /* above what security groups and stateful network ACLs allow */
	PRIORITY_PLATFORM = 1051, /* DHCP */
	TEXT_CAP_SIZE = 1024 * 1024,
	PROTOCOLS = 256
};

uuid nb_policy_id(uuid policy, uuid place)
{
	char text[UUID_TEXT_SIZE];
	return uuid_v5(policy, str_from(uuid_write(place, text)));
}

uuid nb_closed_id(uuid router)
{
	return uuid_v5(router, STR("closed"));
}

/* ---- one group ---- */

struct guard {
	struct wish *w;
	uuid group;
	char name[NB_NAME_SIZE];
};

static void add_group(struct guard *g)
{
	nb_write_hex("pp_", g->group, g->name);
	wish_add_row(g->w, "Port_Group", g->group, json_pack("{s:s}", "name", g->name));
}

static void add_acl(const struct guard *g, bool egress, int priority, struct str match, const char *action)
{
	struct str whole = str_print(g->w->arena, "%s == @%s && %" STR_FMT, egress ? "inport" : "outport",
				     g->name, STR_ARG(match));
	struct wish_row *row = wish_add_row(g->w, "ACL", uuid_v5(g->group, whole),
					    json_pack("{s:i,s:s,s:s%,s:s}", "priority", priority, "direction",
						      egress ? "from-lport" : "to-lport", "match",
						      whole.p ? whole.p : "", whole.n, "action", action));
	wish_add_edge(g->w, row, "Port_Group", "acls", g->group);
}

/* ---- exceptions for the platform's own traffic ---- */

static const struct port_span platform[] = {
	{0xa83f8110, 0xa83f8110}, /* 168.63.129.16 */
	{0xa9fea9fd, 0xa9fea9fe}, /* 169.254.169.253 and .254 */
	{0xffffffff, 0xffffffff},
};
static const struct port_spans platform_spans = {platform, sizeof platform / sizeof platform[0]};

static struct port_rule make_platform_rule(bool egress)
{
	struct port_rule rule = {
		.about = {{port_all_addresses, port_all_addresses, port_all_ports, port_all_ports}},
		.protocol = -1,
		.allows = true};
	rule.about.sides[egress ? PORT_TO : PORT_FROM] = platform_spans;
	return rule;
}

/* ---- matches ---- */

static struct str write_addresses(struct wish *w, const char *field, struct port_spans spans)
{
	struct nb_spans list = {0};
	for (size_t k = 0; k < spans.count; k++)
		nb_add_span(w, &list, spans.at[k].first, spans.at[k].last);
	return nb_write_addresses(w, field, &list);
}

/* for example " && (tcp.dst == 22 || (tcp.dst >= 80 && tcp.dst <= 90))" */
static struct str write_ports(struct wish *w, const char *protocol, const char *side, struct port_spans spans)
{
	struct buf b;
	if (spans.count == 1 && spans.at[0].first == 0 && spans.at[0].last == 65535)
		return STR_NONE;
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && (");
	for (size_t k = 0; k < spans.count; k++) {
		struct port_span s = spans.at[k];
		if (k)
			buf_print(&b, " || ");
		if (s.first == s.last)
			buf_print(&b, "%s.%s == %" PRIu32, protocol, side, s.first);
		else
			buf_print(&b, "(%s.%s >= %" PRIu32 " && %s.%s <= %" PRIu32 ")", protocol, side,
				  s.first, protocol, side, s.last);
	}
	buf_print(&b, ")");
	return wish_take_text(w, &b);
}

static struct str write_cell(struct wish *w, const struct port_cell *cell, enum port_protocol protocol)
{
	const char *word = protocol == PORT_UDP ? "udp" : "tcp";
	bool has_ports = protocol == PORT_TCP || protocol == PORT_UDP;
	struct str from = write_addresses(w, "ip4.src", cell->sides[PORT_FROM]);
	struct str to = write_addresses(w, "ip4.dst", cell->sides[PORT_TO]);
	struct str from_ports =
		has_ports ? write_ports(w, word, "src", cell->sides[PORT_FROM_PORTS]) : STR_NONE;
	struct str to_ports = has_ports ? write_ports(w, word, "dst", cell->sides[PORT_TO_PORTS]) : STR_NONE;
	return str_print(w->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(from),
			 STR_ARG(to), STR_ARG(from_ports), STR_ARG(to_ports));
}

/* ---- a direction ---- */

/* A drop for some protocols. */
struct drop {
	struct str match;
	unsigned protocols; /* bits by enum port_protocol */
};
struct drops {
	VEC(struct drop) at;
};
enum { ALL_PROTOCOLS = (1 << PORT_PROTOCOLS) - 1 };

static void add_drop(struct wish *w, struct drops *drops, struct str match, unsigned protocols)
{
	for (size_t k = 0; k < drops->at.count; k++)
		if (str_equal(drops->at.at[k].match, match)) {
			drops->at.at[k].protocols |= protocols;
			return;
		}
	if (!VEC_PUSH(w->arena, &drops->at, ((struct drop){match, protocols})))
		w->failed = true;
}

/* True if the protocol number is in the bit set. */
static bool has_protocol(unsigned protocols, int number)
{
	for (int k = 0; k < PORT_OTHERS; k++)
		if (port_protocol_numbers[k] == number)
			return protocols & 1u << k;
	return protocols & 1u << PORT_OTHERS;
}

/* OVN matches protocols by value: a nearly full set is written as inequalities, others as a list. */
static struct str write_protocols(struct wish *w, unsigned protocols)
{
	struct buf b;
	const char *comma = "";
	unsigned missing = ALL_PROTOCOLS & ~protocols;
	if (!missing)
		return STR_NONE;
	for (int k = 0; k < PORT_OTHERS; k++)
		if (missing == 1u << k)
			return str_print(w->arena, " && ip.proto != %d", port_protocol_numbers[k]);
	buf_init(&b, TEXT_CAP_SIZE);
	buf_print(&b, " && ip.proto == {");
	for (int number = 0; number < PROTOCOLS; number++)
		if (has_protocol(protocols, number)) {
			buf_print(&b, "%s%d", comma, number);
			comma = ", ";
		}
	buf_print(&b, "}");
	return wish_take_text(w, &b);
}

/* Drops everything if the rules have too many combinations; the engine refuses such policies. */
static void find_drops(struct wish *w, const struct port_rule *rules, size_t count, struct drops *drops)
{
	for (int k = 0; k < PORT_PROTOCOLS; k++) {
		struct port_cells cells = {0};
		if (!port_find_denied(w->arena, rules, count, (enum port_protocol) k, &cells)) {
			*drops = (struct drops){0};
			add_drop(w, drops, STR_NONE, ALL_PROTOCOLS);
			return;
		}
		for (size_t n = 0; n < cells.count; n++)
			add_drop(w, drops, write_cell(w, &cells.at[n], (enum port_protocol) k), 1u << k);
	}
}

static void plan_direction(const struct guard *g, const struct network_policy_place *place, bool egress)
{
	size_t count = place->counts[egress];
	struct drops drops = {0};
	struct port_rule *rules = arena_new_array(g->w->arena, struct port_rule, count + 1);
	if (!rules) {
		g->w->failed = true;
		return;
	}
	rules[0] = make_platform_rule(egress);
	for (size_t k = 0; k < count; k++)
		rules[k + 1] = place->rules[egress][k];
	find_drops(g->w, rules, count + 1, &drops);
	for (size_t k = 0; k < drops.at.count; k++) {
		struct str protocols = write_protocols(g->w, drops.at.at[k].protocols);
		add_acl(g, egress, PRIORITY_DROP,
			str_print(g->w->arena, "ct.new && ip4%" STR_FMT "%" STR_FMT, STR_ARG(protocols),
				  STR_ARG(drops.at.at[k].match)),
			"drop");
	}
	add_acl(g, egress, PRIORITY_DROP, STR("ct.new && ip6"), "drop");
}

void nb_plan_policy(struct wish *w, const struct network_policy *wish)
{
	for (size_t k = 0; k < wish->place_count; k++) {
		struct guard g = {.w = w, .group = nb_policy_id(w->scope, wish->places[k].place)};
		add_group(&g);
		plan_direction(&g, &wish->places[k], false);
		plan_direction(&g, &wish->places[k], true);
		add_acl(&g, true, PRIORITY_PLATFORM, STR("ip4 && udp.src == 68 && udp.dst == 67"),
			"allow-related");
		add_acl(&g, true, PRIORITY_PLATFORM, STR("ip6 && udp.src == 546 && udp.dst == 547"),
			"allow-related");
	}
}

/* ---- closed ones ---- */

void nb_plan_closed(struct wish *w, const struct network_router *wish)
{
	struct guard g = {.w = w, .group = nb_closed_id(wish->router->row.id)};
	struct nb_spans own = {0}, rest = {0};
	if (!wish->closed_to_others_count)
		return;
	for (size_t k = 0; k < wish->closed_to_others_count; k++) {
		struct port_span span = port_span_of_block(wish->closed_to_others[k]);
		if (wish->closed_to_others[k].base.family == IP_V4)
			nb_add_span(w, &own, span.first, span.last);
	}
	for (size_t k = 0; k < platform_spans.count; k++)
		nb_add_span(w, &own, platform[k].first, platform[k].last);
	nb_find_rest(w, &own, &rest);
	struct str outside = nb_write_addresses(w, "ip4.src", &rest);
	add_group(&g);
	add_acl(&g, false, PRIORITY_DROP, str_print(w->arena, "ct.new && ip4%" STR_FMT, STR_ARG(outside)),
		"drop");
}
