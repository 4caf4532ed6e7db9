/* SPDX-License-Identifier: Apache-2.0
 * Routes by a VPN gateway: static ones, and those that a route table gets by propagation and that have no row. A walk ends at
 * the tunnel: the site decides on the rest. */
#include "engine/vpn/vpn.h"

#include "engine/reach/reach_internal.h"
#include "store/route.h"
#include "store/route_table.h"

const struct vpn_way *reach_find_vpn_way(struct reach_walk *w, uuid table, const struct reach_way *way,
					 struct ip to)
{
	struct vpn_ways ways = {0};
	if (uuid_is_none(table))
		return NULL;
	if (!engine_list_vpn_ways(w->c->arena, w->t, table, &ways)) {
		w->has_failed = true;
		return NULL;
	}
	const struct vpn_way *found = engine_find_vpn_way(&ways, to);
	bool is_static = way->route && !uuid_is_none(way->route->vpn_gateway);
	int rank = found ? 2 * (int) found->to.bits : -1;
	return rank > way->rank || (rank == way->rank && is_static) ? found : NULL;
}

enum reach_end reach_go_by_vpn(struct reach_walk *w, uuid table, const struct vpn_way *vpn)
{
	struct reach_step step = {.stage = REACH_VPN, .kind = KIND_ROUTE_TABLE, .row = table};
	if (!vpn->tunnel)
		return reach_stop(w, step,
				  reach_print(w,
					      "The route to %" STR_FMT " of table %" STR_FMT
					      " leads to a VPN gateway without a connection there.",
					      cidr_to_str(w->c->arena, vpn->to),
					      reach_name(w, KIND_ROUTE_TABLE, table)),
				  "Add a static route to a VPN connection of the gateway.");
	step = (struct reach_step){
		.stage = REACH_VPN, .kind = KIND_VPN_CONNECTION, .row = vpn->tunnel->connection};
	struct str name = reach_name(w, KIND_VPN_CONNECTION, vpn->tunnel->connection);
	if (!vpn->tunnel->is_up)
		return reach_stop(w, step,
				  reach_print(w, "No tunnel of VPN connection %" STR_FMT " is up.%" STR_FMT,
					      name, STR_NONE),
				  "Connect the site's device, and compare its keys and proposals.");
	step.verdict = REACH_UNKNOWN;
	reach_say(w, step, "VPN connection %" STR_FMT " leads to the site, which decides on the packet.",
		  STR_ARG(name));
	return REACH_END_GUEST;
}
