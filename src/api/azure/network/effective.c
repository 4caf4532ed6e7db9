/* SPDX-License-Identifier: Apache-2.0
 * Effective routes and effective security rules of an interface. As in Azure, its machine must be running.
 * Answers come at once, without an operation. Source: Azure REST API reference, "Network Interfaces - Get
 * Effective Route Table" and "List Effective Network Security Groups", 2022-07-01.
 */
#include "api/azure/network/network.h"

#include "engine/network/routing/peering.h"
#include "engine/network/routing/router.h"
#include "engine/virtual/port_policy.h"
#include "model/port_rule.h"
#include "model/state.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/port_policy_rule.h"
#include "store/route.h"
#include "store/route_plan.h"
#include "store/route_plan_entry.h"
#include "store/route_table.h"
#include "store/router.h"
#include "store/subnet.h"

static const struct api_error not_running = {ERR_STATE, 0, 400,
					     "NetworkInterfaceIsNotAttachedToRunningVM"}; /* guessed */

static RESULT check_running(struct az_call *e, const struct port *p)
{
	const struct instance *i = instance_find(az_tables(e), p->instance);
	if (i && model_derive_instance_state(i) == INSTANCE_RUNNING)
		return OK;
	e->error = &not_running;
	return ctx_fail(e->c, ERR_STATE,
			"Network interface %" STR_FMT " must be attached to a running virtual machine.",
			STR_ARG(az_name_of(e, AZ_INTERFACES, KIND_PORT, p->row.id)));
}

/* ---- routes ---- */

struct shown_route {
	const char *source, *hop, *state;
	struct str name;
	struct ip ip;
};

static void write_route(struct json_writer *w, struct cidr block, const struct shown_route *r)
{
	char text[CIDR_TEXT_SIZE], ip[IP_TEXT_SIZE];
	json_write_open(w, NULL);
	if (r->name.n)
		json_write_text(w, "name", r->name);
	json_write_z(w, "source", r->source);
	json_write_z(w, "state", r->state);
	json_write_open_list(w, "addressPrefix");
	json_write_z(w, NULL, cidr_write(block, text));
	json_write_close_list(w);
	json_write_open_list(w, "nextHopIpAddress");
	if (!ip_is_none(r->ip))
		json_write_z(w, NULL, ip_write(r->ip, ip));
	json_write_close_list(w);
	json_write_z(w, "nextHopType", r->hop);
	json_write_bool(w, "disableBgpRoutePropagation", false);
	json_write_close(w);
}

static const struct route_plan_entry *find_entry(const struct tables *t, uuid plan, struct cidr block)
{
	return uuid_is_none(plan) ? NULL : route_plan_entry_find_by_plan(t, plan, block);
}

static const char *hop_of(const struct route *r)
{
	if (!uuid_is_none(r->gateway))
		return "Internet";
	if (!uuid_is_none(r->peering))
		return "VNetPeering";
	if (!uuid_is_none(r->transit_gateway))
		return "VirtualNetworkGateway";
	return uuid_is_none(r->port) && uuid_is_none(r->nat_gateway) && ip_is_none(r->next_hop)
		       ? "None"
		       : "VirtualAppliance";
}

static void write_routes(struct az_call *e, struct json_writer *w, const struct port *p)
{
	const struct tables *t = az_tables(e);
	const struct router *router = router_find(t, p->router);
	const struct subnet *subnet = subnet_find(t, p->subnet);
	struct cidrs blocks = router ? engine_get_blocks(t, e->c->arena, router) : (struct cidrs){0};
	uuid own = subnet ? subnet->route_table : UUID_NONE;
	const struct route_table *table =
		route_table_find(t, uuid_is_none(own) && router ? router->main_route_table : own);
	for (size_t k = 0; k < blocks.count; k++)
		write_route(w, blocks.at[k],
			    &(struct shown_route){"Default", "VnetLocal", "Active", STR_NONE, {{0}, 0}});
	for (const struct route *r = table ? route_first_by_table(t, table->row.id) : NULL; r;
	     r = route_next_by_table(t, r)) {
		const struct route_plan_entry *entry = find_entry(t, table->plan, r->destination);
		const struct port *hop = port_find(t, r->port);
		const struct shown_route shown = {entry ? "User" : "Default", hop_of(r), "Active",
						  entry ? entry->name : STR_NONE,
						  entry && !ip_is_none(entry->next_hop) ? entry->next_hop
						  : hop                                 ? hop->ip
											: r->next_hop};
		if (r->destination.base.family == IP_V4)
			write_route(w, r->destination, &shown);
	}
}

static RESULT show_routes(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct port *p = port_find(az_tables(e), e->target);
	(void) args;
	TRY(check_running(e, p));
	json_write_open_list(w, "value");
	write_routes(e, w, p);
	json_write_close_list(w);
	return OK;
}

/* ---- rules ---- */

static void write_blocks(struct json_writer *w, const char *name, struct port_spans spans)
{
	char text[CIDR_TEXT_SIZE];
	json_write_open_list(w, name);
	for (size_t k = 0; k < spans.count; k++) {
		uint64_t at = spans.at[k].first, end = (uint64_t) spans.at[k].last + 1;
		while (at < end) {
			uint64_t size = at == 0 ? UINT64_C(1) << 32 : at & (~at + 1);
			while (at + size > end)
				size /= 2;
			struct cidr block = {ip_from_v4((uint32_t) at),
					     (uint8_t) (32 - __builtin_ctzll(size))};
			json_write_z(w, NULL, cidr_write(block, text));
			at += size;
		}
	}
	json_write_close_list(w);
}

static void write_ports(struct az_call *e, struct json_writer *w, const char *one, const char *several,
			struct port_spans spans)
{
	for (size_t k = 0; k < spans.count; k++) {
		struct str text = str_print(e->c->arena, "%u-%u", spans.at[k].first, spans.at[k].last);
		if (k == 0)
			json_write_text(w, one, text);
		if (k == 0)
			json_write_open_list(w, several);
		json_write_text(w, NULL, text);
	}
	if (spans.count)
		json_write_close_list(w);
}

struct named_rule {
	struct str name;
	int64_t priority;
};

static void write_rule(struct az_call *e, struct json_writer *w, const struct port_rule *r,
		       const struct named_rule *named, bool egress)
{
	static const struct {
		int64_t number;
		const char *word;
	} protocols[] = {{6, "Tcp"}, {17, "Udp"}, {1, "Icmp"}, {50, "Esp"}, {51, "Ah"}};
	const char *protocol = "All";
	for (size_t k = 0; k < sizeof protocols / sizeof protocols[0]; k++)
		if (protocols[k].number == r->protocol)
			protocol = protocols[k].word;
	json_write_open(w, NULL);
	json_write_text(w, "name", named->name);
	json_write_z(w, "protocol", protocol);
	write_ports(e, w, "sourcePortRange", "sourcePortRanges", r->about.sides[PORT_FROM_PORTS]);
	write_ports(e, w, "destinationPortRange", "destinationPortRanges", r->about.sides[PORT_TO_PORTS]);
	write_blocks(w, "expandedSourceAddressPrefix", r->about.sides[PORT_FROM]);
	write_blocks(w, "expandedDestinationAddressPrefix", r->about.sides[PORT_TO]);
	json_write_z(w, "access", r->allows ? "Allow" : "Deny");
	json_write_int(w, "priority", named->priority);
	json_write_z(w, "direction", egress ? "Outbound" : "Inbound");
	json_write_close(w);
}

/* Follows the order of engine_read_port_rules(). */
static RESULT write_direction(struct az_call *e, struct json_writer *w, uuid policy, uuid router, bool egress)
{
	const struct tables *t = az_tables(e);
	struct port_rules rules = {0};
	size_t at = 0;
	TRY(engine_read_port_rules(e->c, t, policy, router, egress, &rules));
	for (const struct port_policy_rule *r = port_policy_rule_first_by_policy(t, policy);
	     r && at < rules.count; r = port_policy_rule_next_by_policy(t, r))
		if (r->egress == egress) {
			struct str name = str_print(e->c->arena, "securityRules/%" STR_FMT, STR_ARG(r->name));
			write_rule(e, w, &rules.at[at++], &(struct named_rule){name, r->priority}, egress);
		}
	for (size_t k = 0; k < PORT_DEFAULTS && at < rules.count; k++)
		if (port_defaults[k].egress == egress) {
			struct str name =
				str_print(e->c->arena, "defaultSecurityRules/%s", port_defaults[k].name);
			write_rule(e, w, &rules.at[at++],
				   &(struct named_rule){name, port_defaults[k].priority}, egress);
		}
	return OK;
}

static RESULT write_policy(struct az_call *e, struct json_writer *w, uuid policy, const struct port *p,
			   bool is_subnets)
{
	if (!port_policy_find(az_tables(e), policy))
		return OK;
	json_write_open(w, NULL);
	az_write_ref(e, w, "networkSecurityGroup", AZ_SECURITY_GROUPS, KIND_PORT_POLICY, policy);
	json_write_open(w, "association");
	if (is_subnets)
		az_write_ref(e, w, "subnet", AZ_SUBNETS, KIND_SUBNET, p->subnet);
	else
		az_write_ref(e, w, "networkInterface", AZ_INTERFACES, KIND_PORT, p->row.id);
	json_write_close(w);
	json_write_open_list(w, "effectiveSecurityRules");
	TRY(write_direction(e, w, policy, p->router, false));
	TRY(write_direction(e, w, policy, p->router, true));
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

static RESULT show_policies(struct az_call *e, const void *args, struct json_writer *w)
{
	const struct port *p = port_find(az_tables(e), e->target);
	const struct subnet *s = subnet_find(az_tables(e), p->subnet);
	(void) args;
	TRY(check_running(e, p));
	json_write_open_list(w, "value");
	if (s)
		TRY(write_policy(e, w, s->policy, p, true));
	TRY(write_policy(e, w, p->policy, p, false));
	json_write_close_list(w);
	return OK;
}

#define INTERFACE AZ_GROUP AZ_NETWORK "/networkInterfaces/{networkInterfaceName}"
#define OF_ONE .type = AZ_INTERFACES, .kind = KIND_PORT, .names = "networkInterfaceName"
static const struct az_action actions[] = {
	{HTTP_POST, INTERFACE "/effectiveRouteTable", .name = "NetworkInterfaces_GetEffectiveRouteTable",
	 .permit = "ec2:DescribeRouteTables", OF_ONE, .answer = show_routes,
	 .doc = "Lists the effective routes of a network interface."},
	{HTTP_POST, INTERFACE "/effectiveNetworkSecurityGroups",
	 .name = "NetworkInterfaces_ListEffectiveNetworkSecurityGroups", .permit = "ec2:DescribePortPolicies",
	 OF_ONE, .answer = show_policies,
	 .doc = "Lists the effective security rules of a network interface."},
};
const struct api_actions az_effective_actions = API_ACTIONS(actions);
