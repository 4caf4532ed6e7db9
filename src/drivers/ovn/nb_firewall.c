/* SPDX-License-Identifier: Apache-2.0
 * Firewalls of guest networks, as ACLs of the network's switch in the scope of its router. Security groups
 * apply as well, and in OVN the ACL with the highest priority decides alone, so both directions avoid
 * overriding the groups:
 *
 * Inbound, towards a guest's port, there is one stage for all ACLs, and an allow would bypass the groups. So
 * only the complement of the rules is written, as drops above the groups: all addresses that no rule covers,
 * and for the others what the rules do not admit (nb_drops.h). The groups decide the rest.
 *
 * Outbound, there is a second stage behind the switch's load balancers, without ACLs of the groups: there
 * rules are written directly. Behind the load balancers a public address of the network itself has been
 * translated to the guest's address and is no longer outside.
 *
 * All ACLs match new connections only: replies pass, as does a connection admitted before its rule ended. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "drivers/ovn/nb_drops.h"
#include "model/firewall_rule.h"
#include "model/network.h"
#include "model/subnet.h"

enum {
	PRIORITY_INWARD = 1050, /* above what security groups allow */
	PRIORITY_INSIDE = 1003, /* these are in the second outbound stage */
	PRIORITY_RULE = 1002,
	PRIORITY_REST = 1001
};
enum { TEXT_CAP_SIZE = 1024 * 1024 };

/* Destinations that guests may always reach: metadata, DNS, and addresses that no router forwards. */
static const char always[] = "169.254.169.253, 169.254.169.254, 168.63.129.16, 255.255.255.255, 224.0.0.0/4";

/* ---- one firewall ---- */

struct guard {
	struct wish *w;
	const struct network_router *router;
	const struct network_firewall *firewall;
	uuid id;          /* scope of its rows */
	struct str ports; /* match of the switch's ports towards the router: "inport == {"sp-…"} && " */
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

static int compare_openings(const void *a, const void *b)
{
	uint32_t x = ip_to_v4(((const struct network_opening *) a)->ip);
	uint32_t y = ip_to_v4(((const struct network_opening *) b)->ip);
	return x != y ? (x < y ? -1 : 1) : 0;
}

static void drop_what_comes(const void *guard, struct str match)
{
	drop_inward(guard, match);
}

static void plan_inward(const struct guard *g)
{
	const struct network_firewall *f = g->firewall;
	struct network_opening *openings =
		arena_new_array(g->w->arena, struct network_opening, f->opening_count + 1);
	struct nb_rule *rules = arena_new_array(g->w->arena, struct nb_rule, f->opening_count + 1);
	struct nb_dropping d = {.w = g->w, .rules = rules, .drop = drop_what_comes, .arg = g};
	struct nb_spans targets = {0}, rest = {0};
	char ip[IP_TEXT_SIZE];
	if (!openings || !rules) {
		g->w->failed = true;
		return;
	}
	if (f->opening_count)
		memcpy(openings, f->openings, f->opening_count * sizeof *openings);
	qsort(openings, f->opening_count, sizeof *openings, compare_openings);
	for (size_t k = 0, end; k < f->opening_count; k = end) {
		struct ip target = openings[k].ip;
		for (end = k, d.count = 0; end < f->opening_count && ip_equal(openings[end].ip, target);
		     end++)
			rules[d.count++] = (struct nb_rule){openings[end].source, openings[end].protocol,
							    openings[end].from, openings[end].to, false};
		nb_add_span(g->w, &targets, ip_to_v4(target), ip_to_v4(target));
		d.to = str_print(g->w->arena, " && ip4.dst == %s", ip_write(target, ip));
		nb_drop_known(&d);
	}
	nb_find_rest(g->w, &targets, &rest);
	drop_inward(g, nb_write_addresses(g->w, "ip4.dst", &rest));
	d.count = 0; /* no rule covers the other addresses */
	d.to = nb_write_addresses(g->w, "ip4.dst", &targets);
	if (targets.at.count)
		nb_drop_others(&d);
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

/* Allows destinations that are not outside. Also makes the switch track connections, whichever ports it
 * has. */
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
