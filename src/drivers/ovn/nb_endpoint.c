/* SPDX-License-Identifier: Apache-2.0
 * Connections between VPC endpoints and endpoint services, without routes between the VPCs:
 *
 *   consumer's subnet -- entry -- join -- exit -- provider's subnet
 *
 * The entry is a small router with the endpoint's address, the exit one with the address of the service's leg; the join is
 * a switch of the exit. An entry translates its address into the service's, which exists in the join alone, and the source
 * into its own address there; an exit translates the service's address into a target's by a load balancer like the
 * provider's own, and the source into its leg's. Each router knows the blocks of one VPC only, so both VPCs may have the
 * same. Each is bound to one chassis.
 *
 * Each translation recirculates a packet, and Open vSwitch's userspace datapath drops a packet that does so more than six
 * times on a host. So load balancers choose by named fields, which saves one, and an entry and its exit are on different
 * hosts if there are two (reconcile/network/gather_endpoints.c).
 *
 * Security groups apply to switch ports of guests, and an entry has none. So the entry has the inbound rules of its
 * groups as policies, and drops what none allows, and what it has not translated: otherwise guests could send to the join, where
 * other consumers' entries are. Replies arrive from the join, where no policy applies. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/mac.h"
#include "model/port.h"
#include "model/security_group_rule.h"
#include "model/subnet.h"

#define JOIN_BASE                                                                                            \
	(UINT32_C(169) << 24 | UINT32_C(254)                                                                 \
				       << 16) /* 169.254.0.0/18; entries count from its second address */
#define EXIT_IP "169.254.63.254"
#define SERVICE_IP "169.254.64.1" /* behind the exit */
enum { RULE_PRIORITY = 1000, DROP_PRIORITY = 900 };

uuid nb_get_join_id(uuid leg)
{
	return uuid_v5(leg, STR("join"));
}

/* Connects the router to the join. part: the interface whose router it is. */
static void plan_join_port(struct wish *w, uuid router, uuid part, uuid join, struct ip at,
			   char port[static NB_NAME_SIZE])
{
	char switch_port[NB_NAME_SIZE], ip[IP_TEXT_SIZE], network[IP_TEXT_SIZE + 4], mac[MAC_TEXT_SIZE];
	nb_write_name("rp-vj-", part, port);
	snprintf(network, sizeof network, "%s/18", ip_write(at, ip));
	struct wish_row *row = wish_add_row(w, "Logical_Router_Port", uuid_v5(part, STR("join-lrp")),
					    json_pack("{s:s,s:s,s:{s:b},s:{}}", "name", port, "mac",
						      mac_write(model_make_mac(part, "join-mac"), mac),
						      "networks", network, 1, "options"));
	wish_add_edge(w, row, "Logical_Router", "ports", router);
	row = wish_add_row(w, "Logical_Switch_Port", uuid_v5(part, STR("join-lsp")),
			   json_pack("{s:s,s:s,s:{s:b},s:{s:s}}", "name",
				     nb_write_name("sp-vj-", part, switch_port), "type", "router",
				     "addresses", "router", 1, "options", "router-port", port));
	wish_add_edge(w, row, "Logical_Switch", "ports", join);
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
			plan_policy(w, router, uuid_v5(rule->row.id, str_from(port)), RULE_PRIORITY,
				    str_print(w->arena,
					      "inport == \"%s\" && ip4.dst == " SERVICE_IP " && %" STR_FMT,
					      port, STR_ARG(match)),
				    "allow");
	}
}

static struct ip parse(const char *text)
{
	struct ip ip = {0};
	IGNORE(ip_parse(str_from(text), &ip));
	return ip;
}

void nb_plan_entry(struct wish *w, const struct network_entry *n)
{
	uuid front = n->port->row.id, router = uuid_v5(front, STR("entry"));
	char name[UUID_TEXT_SIZE], ip[IP_TEXT_SIZE], port[NB_NAME_SIZE];
	struct ip own = ip_from_v4(JOIN_BASE + 2 + (uint32_t) n->link);
	plan_router(w, router, n->port, n->subnet, n->chassis, own);
	plan_rules(w, router, n);
	if (uuid_is_none(n->leg))
		return;
	plan_join_port(w, router, front, nb_get_join_id(n->leg), own, port);
	plan_route(w, router, "service", SERVICE_IP "/32", parse(EXIT_IP), port);
	uuid balancer = uuid_v5(router, STR("balancer"));
	struct wish_row *row = wish_add_row(
		w, "Load_Balancer", balancer,
		json_pack("{s:s,s:{s:s},s:{s:s},s:o}", "name", uuid_write(balancer, name), "vips",
			  ip_write(n->port->ip, ip), SERVICE_IP, "options", "neighbor_responder", "none",
			  "selection_fields", json_pack("{s:b}", "ip_src", 1)));
	wish_add_edge(w, row, "Logical_Router", "load_balancer", router);
}

/* ---- exits ---- */

void nb_plan_exit(struct wish *w, const struct network_exit *n)
{
	uuid leg = n->port->row.id, router = uuid_v5(leg, STR("exit")), join = nb_get_join_id(leg);
	char name[UUID_TEXT_SIZE], port[NB_NAME_SIZE];
	plan_router(w, router, n->port, n->subnet, n->chassis, n->port->ip);
	wish_add_row(w, "Logical_Switch", join, json_pack("{s:s}", "name", uuid_write(join, name)));
	plan_join_port(w, router, leg, join, parse(EXIT_IP), port);
	for (size_t k = 0; k < n->balancer_count; k++)
		if (n->balancers[k].member_count)
			nb_plan_balancer_at(w, &n->balancers[k], router, parse(SERVICE_IP));
}
