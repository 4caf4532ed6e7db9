/* SPDX-License-Identifier: Apache-2.0
 * Egress-only gateways: no connection may be opened into a subnet from the destinations that its routes reach
 * through such a gateway. The router and its ports on the external side do not track connections, but guests'
 * ports do, and replies pass there before any ACL. So drops are placed on the subnet's switch, above the
 * security groups' rules, for the sources covered by the route's destination, minus destinations of narrower
 * routes and of the router itself. */
#include "base/buf.h"
#include "drivers/ovn/nb.h"
#include "model/egress_gateway.h"
#include "model/route.h"
#include "model/router.h"
#include "model/subnet.h"

enum { EGRESS_PRIORITY = 1100, SOURCES_CAP_SIZE = 256 * 1024 };

struct holes {
	VEC(struct cidr) at;
};

struct cidr nb_get_half(struct cidr block, bool is_upper)
{
	struct cidr half = {block.base, (uint8_t) (block.bits + 1)};
	if (is_upper)
		half.base.b[block.bits / 8] |= (uint8_t) (0x80 >> block.bits % 8);
	return half;
}

/* Writes the block minus the holes, as blocks. */
static void write_rest(struct buf *b, struct cidr whole, const struct holes *holes)
{
	char text[CIDR_TEXT_SIZE];
	struct cidr stack[130];
	size_t count = 0, written = 0;
	stack[count++] = whole;
	while (count > 0) {
		struct cidr block = stack[--count];
		bool is_hole = false, has_hole = false;
		for (size_t k = 0; k < holes->at.count; k++) {
			is_hole = is_hole || cidr_contains_cidr(holes->at.at[k], block);
			has_hole = has_hole || cidr_contains_cidr(block, holes->at.at[k]);
		}
		if (is_hole)
			continue;
		if (!has_hole) {
			buf_print(b, "%s%s", written++ ? ", " : "", cidr_write(block, text));
			continue;
		}
		stack[count++] = nb_get_half(block, true); /* at most one of each prefix length, of which
							    * there are 129 */
		stack[count++] = nb_get_half(block, false);
	}
}

static void add_hole(struct wish *w, struct holes *holes, struct cidr whole, struct cidr block)
{
	block = cidr_canonical(block);
	if (block.base.family == IP_V6 && cidr_contains_cidr(whole, block) && block.bits > whole.bits &&
	    !VEC_PUSH(w->arena, &holes->at, block))
		w->failed = true;
}

static struct str write_sources(struct wish *w, const struct network_router *wish, const struct route *route)
{
	struct cidr whole = cidr_canonical(route->destination);
	struct holes holes = {0};
	struct buf b;
	add_hole(w, &holes, whole, (struct cidr){{{0xfe, 0x80}, IP_V6}, 10});
	for (size_t k = 0; k < wish->router->ipv6_blocks.count; k++)
		add_hole(w, &holes, whole, wish->router->ipv6_blocks.at[k]);
	for (size_t k = 0; k < wish->subnet_count; k++)
		add_hole(w, &holes, whole, wish->subnets[k].subnet->block);
	for (size_t k = 0; k < wish->route_count; k++)
		if (uuid_equal(wish->routes[k].route->table, route->table))
			add_hole(w, &holes, whole, wish->routes[k].route->destination);
	buf_init(&b, SOURCES_CAP_SIZE);
	write_rest(&b, whole, &holes);
	return wish_take_text(w, &b);
}

static void plan_one(struct wish *w, const struct network_router *wish, const struct subnet *subnet,
		     const struct route *route)
{
	char block[CIDR_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct str sources = write_sources(w, wish, route);
	if (sources.n == 0)
		return;
	struct str match = str_print(w->arena, "ip6.dst == %s && ip6.src == {%" STR_FMT "}",
				     cidr_write(cidr_canonical(subnet->block), block), STR_ARG(sources));
	uuid acl = uuid_v5(subnet->row.id, str_print(w->arena, "egress:%s", uuid_write(route->row.id, id)));
	struct wish_row *row = wish_add_row(w, "ACL", acl,
					    json_pack("{s:i,s:s,s:s%,s:s}", "priority", EGRESS_PRIORITY,
						      "direction", "to-lport", "match",
						      match.p ? match.p : "", match.n, "action", "drop"));
	wish_add_edge(w, row, "Logical_Switch", "acls", subnet->network);
}

void nb_plan_egress(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->route_count && wish->egress; k++) {
		const struct route *route = wish->routes[k].route;
		if (!uuid_equal(route->egress_gateway, wish->egress->row.id))
			continue;
		for (size_t j = 0; j < wish->subnet_count; j++) {
			const struct network_subnet *arm = &wish->subnets[j];
			if (arm->subnet->block.base.family == IP_V6 &&
			    uuid_equal(arm->route_table, route->table))
				plan_one(w, wish, arm->subnet, route);
		}
	}
}
