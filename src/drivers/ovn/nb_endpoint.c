/* SPDX-License-Identifier: Apache-2.0
 * Connections between VPC endpoints and endpoint services, without routes between the VPCs:
 *
 *   consumer's subnet -- entry == link == exit -- provider's subnet
 *
 * The entry is a small router with the endpoint's address, the exit one with the address of the service's leg. An entry
 * translates its address into the service's, which exists on links alone, and the source into its link's; an exit
 * translates the service's address into a target's by a load balancer like the provider's own, and the source into its
 * leg's. Each router knows the blocks of one VPC only, so both VPCs may have the same. Connections are tracked on the
 * routers' chassis: an exit and its entries are bound to the same one.
 *
 * Security groups apply to switch ports of guests, and an entry has none. So the entry has the inbound rules of its
 * groups as policies, and drops what none allows. Replies arrive from the link, where no policy applies. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/load_balancer.h"
#include "model/mac.h"
#include "model/port.h"
#include "model/security_group_rule.h"
#include "model/subnet.h"

#define LINKS_BASE (UINT32_C(169) << 24 | UINT32_C(254) << 16) /* 169.254.0.0/18: 4,096 links as /30 */
#define SERVICE_IP "169.254.64.1"                              /* behind every link */
enum { RULE_PRIORITY = 1000, DROP_PRIORITY = 900 };

/* An entry's or an exit's end of a link, which is named by the endpoint's interface. */
struct end {
	char name[NB_NAME_SIZE];
	struct ip ip;
	struct mac mac;
};

static struct end end_of(uuid front, int64_t number, bool is_exits)
{
	struct end end = {.ip = ip_from_v4(LINKS_BASE + 4 * (uint32_t) number + 1 + is_exits),
			  .mac = model_make_mac(front, is_exits ? "exit-mac" : "entry-mac")};
	nb_write_name(is_exits ? "vx-" : "ve-", front, end.name);
	return end;
}

static void plan_end(struct wish *w, uuid router, uuid front, int64_t number, bool is_exits)
{
	struct end own = end_of(front, number, is_exits), other = end_of(front, number, !is_exits);
	char ip[IP_TEXT_SIZE], network[IP_TEXT_SIZE + 4], mac[MAC_TEXT_SIZE];
	snprintf(network, sizeof network, "%s/30", ip_write(own.ip, ip));
	struct wish_row *row = wish_add_row(
		w, "Logical_Router_Port", uuid_v5(front, is_exits ? STR("exit-lrp") : STR("entry-lrp")),
		json_pack("{s:s,s:s,s:{s:b},s:s,s:{}}", "name", own.name, "mac", mac_write(own.mac, mac),
			  "networks", network, 1, "peer", other.name, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", router);
}

static void plan_route(struct wish *w, uuid router, const char *role, const char *prefix, struct ip hop,
		       const char *port)
{
	char next_hop[IP_TEXT_SIZE];
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Static_Route", uuid_v5(router, str_from(role)),
			     json_pack("{s:s,s:s,s:s,s:s}", "route_table", "", "ip_prefix", prefix, "nexthop",
				       ip_write(hop, next_hop), "output_port", port));
	wish_add_edge(w, row, "Logical_Router", "static_routes", router);
}

/* The small router with its port in the subnet. source: address that it gives connections which it forwards. */
static void plan_router(struct wish *w, uuid router, const struct port *port, const struct subnet *subnet,
			struct str chassis, struct ip source)
{
	char name[UUID_TEXT_SIZE], router_port[NB_NAME_SIZE], switch_port[NB_NAME_SIZE];
	char ip[IP_TEXT_SIZE], mac[MAC_TEXT_SIZE], network[IP_TEXT_SIZE + 8];
	wish_add_row(w, "Logical_Router", router,
		     json_pack("{s:s,s:{s:s%,s:s}}", "name", uuid_write(router, name), "options", "chassis",
			       chassis.p ? chassis.p : "", chassis.n, "lb_force_snat_ip",
			       ip_write(source, ip)));
	nb_write_name("rp-ve-", port->row.id, router_port);
	snprintf(network, sizeof network, "%s/%u", ip_write(port->ip, ip), subnet->block.bits);
	struct wish_row *row =
		wish_add_row(w, "Logical_Router_Port", uuid_v5(port->row.id, STR("endpoint-lrp")),
			     json_pack("{s:s,s:s,s:{s:b},s:{}}", "name", router_port, "mac",
				       mac_write(port->mac, mac), "networks", network, 1, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", router);
	w->kind = NB_PORT;
	w->id = port->row.id;
	row = wish_add_row(w, "Logical_Switch_Port", port->row.id,
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name",
				     nb_write_name("sp-ve-", port->row.id, switch_port), "type", "router",
				     "addresses", "router", 1, "options", "router-port", router_port));
	w->kind = NB_ROUTER;
	w->id = w->scope;
	wish_add_edge(w, row, "Logical_Switch", "ports", subnet->network);
	plan_route(w, router, "home", "0.0.0.0/0", subnet->gateway_ip, router_port);
}

/* ---- entries ---- */

static void plan_policy(struct wish *w, uuid router, uuid id, int priority, struct str match,
			const char *action)
{
	struct wish_row *row = wish_add_row(w, "Logical_Router_Policy", id,
					    json_pack("{s:i,s:s%,s:s}", "priority", priority, "match",
						      match.p ? match.p : "", match.n, "action", action));
	wish_add_edge(w, row, "Logical_Router", "policies", router);
}

static void plan_rules(struct wish *w, uuid router, const struct network_entry *n)
{
	char port[NB_NAME_SIZE];
	nb_write_name("rp-ve-", n->port->row.id, port);
	plan_policy(w, router, uuid_v5(router, STR("drop")), DROP_PRIORITY,
		    str_print(w->arena, "inport == \"%s\"", port), "drop");
	for (size_t k = 0; k < n->rule_count; k++) {
		const struct security_group_rule *rule = n->rules[k];
		struct str match = nb_write_routed_match(w->arena, rule);
		if (match.n)
			plan_policy(
				w, router, uuid_v5(rule->row.id, str_from(port)), RULE_PRIORITY,
				str_print(w->arena, "inport == \"%s\" && %" STR_FMT, port, STR_ARG(match)),
				"allow");
	}
}

void nb_plan_entry(struct wish *w, const struct network_entry *n)
{
	uuid front = n->port->row.id, router = uuid_v5(front, STR("entry"));
	char name[UUID_TEXT_SIZE], ip[IP_TEXT_SIZE];
	struct end own = end_of(front, n->link, false), other = end_of(front, n->link, true);
	plan_router(w, router, n->port, n->subnet, n->chassis, own.ip);
	plan_rules(w, router, n);
	if (!n->is_connected)
		return;
	plan_end(w, router, front, n->link, false);
	plan_route(w, router, "service", SERVICE_IP "/32", other.ip, own.name);
	uuid balancer = uuid_v5(router, STR("balancer"));
	struct wish_row *row = wish_add_row(
		w, "Load_Balancer", balancer,
		json_pack("{s:s,s:{s:s},s:{s:s}}", "name", uuid_write(balancer, name), "vips",
			  ip_write(n->port->ip, ip), SERVICE_IP, "options", "neighbor_responder", "none"));
	wish_add_edge(w, row, "Logical_Router", "load_balancer", router);
}

/* ---- exits ---- */

void nb_plan_exit(struct wish *w, const struct network_exit *n)
{
	uuid router = uuid_v5(n->port->row.id, STR("exit"));
	struct ip service = {0};
	IGNORE(ip_parse(STR(SERVICE_IP), &service));
	plan_router(w, router, n->port, n->subnet, n->chassis, n->port->ip);
	for (size_t k = 0; k < n->link_count; k++)
		plan_end(w, router, n->links[k].front, n->links[k].number, true);
	for (size_t k = 0; k < n->balancer_count; k++)
		if (n->balancers[k].member_count)
			nb_plan_balancer_at(w, &n->balancers[k], router, service);
}
