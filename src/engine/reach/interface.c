/* SPDX-License-Identifier: Apache-2.0
 * The filters of an interface: policies (each must allow), security groups (one rule must allow), and the
 * firewall of a guest network. All of them filter only new connections (drivers/ovn/nb_group.c, nb_policy.c,
 * nb_firewall.c). */
#include <inttypes.h>
#include <netinet/in.h>

#include "engine/network/filter/firewall.h"
#include "engine/network/filter/security_group.h"
#include "engine/reach/reach_internal.h"
#include "engine/virtual/port_policy.h"
#include "model/port_rule.h"
#include "model/router.h"
#include "model/state.h"
#include "store/account.h"
#include "store/address_group.h"
#include "store/firewall_rule.h"
#include "store/instance.h"
#include "store/network.h"
#include "store/port.h"
#include "store/port_policy_rule.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"
#include "store/subnet.h"

/* ---- state ---- */

static void stop_state(struct reach_walk *w, enum kind kind, uuid row, const char *words, const char *advice)
{
	reach_say(w,
		  (struct reach_step){.stage = REACH_STATE, .verdict = REACH_STOPS, .kind = kind, .row = row},
		  words, STR_ARG(reach_name(w, kind, row)));
	reach_advise(w, "%s", advice);
}

/* Reports the state of the interface's instance. The walk continues even if the instance is off, to report
 * other obstacles, too. */
void reach_tell_state(struct reach_walk *w, const struct port *port)
{
	const struct network *network = network_find(w->t, port->network);
	const struct instance *i = uuid_is_none(port->instance) ? NULL : instance_find(w->t, port->instance);
	const struct account *account = i ? account_find(w->t, port->account) : NULL;
	enum instance_state state = i ? model_derive_instance_state(i) : INSTANCE_PENDING;
	if (account && account->is_cut) {
		stop_state(w, KIND_ACCOUNT, account->row.id,
			   "All interfaces of account %" STR_FMT " are cut off.",
			   "An administrator has to restore the account.");
	} else if (network && network->is_down) {
		stop_state(w, KIND_NETWORK, network->row.id, "Network %" STR_FMT " is down.", "Bring it up.");
	} else if (port->is_down) {
		stop_state(w, KIND_PORT, port->row.id, "Interface %" STR_FMT " is down.", "Bring it up.");
	} else if (!i) {
		stop_state(w, KIND_PORT, port->row.id, "Interface %" STR_FMT " is in no instance.",
			   "Attach it to one.");
	} else if (state != INSTANCE_RUNNING || i->seen_paused) {
		reach_say(w,
			  (struct reach_step){.stage = REACH_STATE,
					      .verdict = REACH_STOPS,
					      .kind = KIND_INSTANCE,
					      .row = i->row.id},
			  "Instance %" STR_FMT " is %s.", STR_ARG(reach_name(w, KIND_INSTANCE, i->row.id)),
			  i->seen_paused ? "paused" : model_instance_states[state].name);
		reach_advise(w, "Start it.");
	} else if (!port->seen_up) {
		stop_state(w, KIND_PORT, port->row.id,
			   "Interface %" STR_FMT " is not bound on its instance's host yet.",
			   "Its history says what is in its way.");
	} else {
		reach_say(w,
			  (struct reach_step){.stage = REACH_STATE, .kind = KIND_INSTANCE, .row = i->row.id},
			  "Instance %" STR_FMT " is running.",
			  STR_ARG(reach_name(w, KIND_INSTANCE, i->row.id)));
	}
}

/* ---- policies ---- */

/* The policy's own rule at that position of the direction. NULL: the policy has only *ret_count. */
static const struct port_policy_rule *find_policy_rule(const struct reach_walk *w, uuid policy, bool egress,
						       size_t at, size_t *ret_count)
{
	const struct port_policy_rule *r = port_policy_rule_first_by_policy(w->t, policy);
	*ret_count = 0;
	for (; r; r = port_policy_rule_next_by_policy(w->t, r))
		if (r->egress == egress && (*ret_count)++ == at)
			return r;
	return NULL;
}

/* The n-th default rule of the direction, with which every policy ends. */
static const struct port_default *find_default(bool egress, size_t at)
{
	for (size_t k = 0; k < PORT_DEFAULTS; k++)
		if (port_defaults[k].egress == egress && at-- == 0)
			return &port_defaults[k];
	return NULL;
}

/* A rule of the policy itself, or a default rule. */
struct decider {
	uuid rule; /* none: a default rule */
	struct str name;
	int64_t priority;
};

static struct decider find_decider(const struct reach_walk *w, uuid policy, bool egress, size_t at)
{
	size_t own_count = 0;
	const struct port_policy_rule *own = find_policy_rule(w, policy, egress, at, &own_count);
	if (own)
		return (struct decider){own->row.id, own->name, own->priority};
	const struct port_default *common = find_default(egress, at - own_count);
	return common ? (struct decider){UUID_NONE, str_from(common->name), common->priority}
		      : (struct decider){0};
}

static bool tell_policy(struct reach_walk *w, uuid policy, bool egress, size_t at, bool allows)
{
	struct decider d = find_decider(w, policy, egress, at);
	struct reach_step step = {
		.stage = REACH_POLICY, .kind = KIND_PORT_POLICY, .row = policy, .whole = policy};
	if (!uuid_is_none(d.rule)) {
		step.kind = KIND_PORT_POLICY_RULE;
		step.row = d.rule;
		step.part_of = KIND_PORT_POLICY;
	}
	step.verdict = allows ? REACH_PASSES : REACH_STOPS;
	reach_say(w, step,
		  "Rule %" STR_FMT " (priority %" PRId64 ") of policy %" STR_FMT " %s %" STR_FMT " %s.",
		  STR_ARG(d.name), d.priority, STR_ARG(reach_name(w, KIND_PORT_POLICY, policy)),
		  allows ? "lets" : "denies", STR_ARG(reach_write_traffic(w)), egress ? "out" : "in");
	if (!allows)
		reach_advise(
			w, "Add a rule %s to the policy that allows it, with a lower number as its priority.",
			egress ? "outwards" : "inwards");
	return allows;
}

static bool pass_policy(struct reach_walk *w, const struct port *port, uuid policy, bool egress)
{
	struct port_rules rules = {0};
	const struct reach_packet *p = &w->p;
	uuid place = uuid_is_none(port->router) ? port->network : port->router;
	if (p->to.family == IP_V6) {
		reach_say(w,
			  (struct reach_step){.stage = REACH_POLICY,
					      .verdict = REACH_STOPS,
					      .kind = KIND_PORT_POLICY,
					      .row = policy},
			  "Policy %" STR_FMT " lets nothing new of IPv6 through.",
			  STR_ARG(reach_name(w, KIND_PORT_POLICY, policy)));
		return false;
	}
	if (reach_is_platform(egress ? p->to : p->from))
		return true;
	if (!result_is_ok(engine_read_port_rules(w->c, w->t, policy, place, egress, &rules))) {
		w->has_failed = true;
		return false;
	}
	const struct port_traffic traffic = {p->protocol,
					     {ip_to_v4(p->from), ip_to_v4(p->to),
					      (uint32_t) p->from_ports.first, (uint32_t) p->to_ports.first}};
	size_t k = 0;
	while (k < rules.count && !port_rule_fits(&rules.at[k], &traffic))
		k++;
	return tell_policy(w, policy, egress, k, k < rules.count && rules.at[k].allows);
}

static bool pass_policies(struct reach_walk *w, const struct port *port, bool egress, size_t *ret_count)
{
	struct uuids policies = {0};
	if (!engine_list_policies_of(w->c->arena, w->t, port, &policies))
		return !(w->has_failed = true);
	*ret_count = policies.count;
	for (size_t k = 0; k < policies.count; k++)
		if (!pass_policy(w, port, policies.at[k], egress))
			return false;
	return true;
}

/* ---- security groups ---- */

static bool has_peer(const struct reach_walk *w, const struct security_group *group,
		     const struct security_group_rule *rule, struct ip peer)
{
	const struct port *ends[] = {w->q->from, w->hit, w->q->to};
	bool is_of_family = rule->is_ipv6 == (peer.family == IP_V6), is_member = false;
	if (!uuid_is_none(rule->peer_group)) {
		is_of_family = is_of_family || (peer.family == IP_V6 && engine_is_rule_of_both(group, rule));
		for (size_t k = 0; k < sizeof ends / sizeof ends[0] && is_of_family && !is_member; k++)
			is_member = ends[k] && uuids_have(&ends[k]->groups, rule->peer_group) &&
				    reach_has_ip(w->t, ends[k], peer);
		return is_member;
	}
	const struct address_group *list = address_group_find(w->t, rule->peer_address_group);
	for (size_t k = 0; list && k < list->addresses.count && is_of_family && !is_member; k++)
		is_member = cidr_contains(cidr_canonical(list->addresses.at[k]), peer);
	return is_member ||
	       (!cidr_is_none(rule->peer_block) && cidr_contains(cidr_canonical(rule->peer_block), peer));
}

static const struct security_group_rule *find_rule(const struct reach_walk *w, const struct port *port,
						   bool egress)
{
	struct ip peer = egress ? w->p.to : w->p.from;
	for (size_t k = 0; k < port->groups.count; k++) {
		const struct security_group *group = security_group_find(w->t, port->groups.at[k]);
		const struct security_group_rule *r =
			group ? security_group_rule_first_by_group(w->t, group->row.id) : NULL;
		for (; r; r = security_group_rule_next_by_group(w->t, r))
			if (row_is_live(&r->row) && !engine_is_rule_stale(w->t, r) &&
			    (r->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS) == egress &&
			    has_peer(w, group, r, peer) &&
			    reach_traffic_fits(&w->p, w->p.to_ports.first, r->protocol, r->from_port,
					       r->to_port))
				return r;
	}
	return NULL;
}

static struct str name_group(const struct reach_walk *w, uuid group)
{
	const struct security_group *row = security_group_find(w->t, group);
	struct str id = reach_name(w, KIND_SECURITY_GROUP, group);
	return row ? str_print(w->c->arena, "%" STR_FMT " (%" STR_FMT ")", STR_ARG(row->name), STR_ARG(id))
		   : id;
}

static struct reach_remedy make_remedy(const struct reach_walk *w, const struct port *port, bool egress)
{
	struct ip peer = egress ? w->p.to : w->p.from;
	bool is_icmp = reach_is_icmp(&w->p);
	return (struct reach_remedy){.group = port->groups.count ? port->groups.at[0] : UUID_NONE,
				     .is_egress = egress,
				     .protocol = w->p.protocol,
				     .from_port = is_icmp ? w->p.type : w->p.to_ports.first,
				     .to_port = is_icmp ? -1 : w->p.to_ports.first,
				     .peer_block = {peer, peer.family == IP_V6 ? 128 : 32}};
}

static void stop_by_groups(struct reach_walk *w, const struct port *port, bool egress)
{
	struct ip peer = egress ? w->p.to : w->p.from;
	const char *way = egress ? "out" : "in", *at = egress ? "to" : "from";
	struct str traffic = reach_write_traffic(w), other = reach_write_ip(w, peer);
	bool has_groups = port->groups.count > 0;
	uuid first = has_groups ? port->groups.at[0] : UUID_NONE;
	reach_say(w,
		  (struct reach_step){.stage = REACH_GROUP,
				      .verdict = REACH_STOPS,
				      .kind = has_groups ? KIND_SECURITY_GROUP : KIND_PORT,
				      .row = has_groups ? first : port->row.id,
				      .remedy = make_remedy(w, port, egress)},
		  "No rule of %s%" STR_FMT "%s lets %" STR_FMT " %s %s %" STR_FMT ".",
		  !has_groups              ? "a group: the interface is in none, so none"
		  : port->groups.count > 1 ? "its groups, "
					   : "",
		  STR_ARG(has_groups ? name_group(w, first) : STR_NONE),
		  port->groups.count > 1 ? " and others," : "", STR_ARG(traffic), way, at, STR_ARG(other));
	if (has_groups)
		reach_advise(w, "Add a rule to %" STR_FMT " that lets %" STR_FMT " %s %s %" STR_FMT ".",
			     STR_ARG(name_group(w, first)), STR_ARG(traffic), way, at, STR_ARG(other));
	else
		reach_advise(w, "Put the interface into a security group.");
}

static struct str write_peer(const struct reach_walk *w, const struct security_group_rule *r)
{
	if (!uuid_is_none(r->peer_group))
		return str_print(w->c->arena, "members of %" STR_FMT,
				 STR_ARG(reach_name(w, KIND_SECURITY_GROUP, r->peer_group)));
	if (!uuid_is_none(r->peer_address_group))
		return str_print(w->c->arena, "the addresses of %" STR_FMT,
				 STR_ARG(reach_name(w, KIND_ADDRESS_GROUP, r->peer_address_group)));
	return cidr_to_str(w->c->arena, r->peer_block);
}

static bool pass_groups(struct reach_walk *w, const struct port *port, bool egress)
{
	if (reach_is_platform(w->p.to))
		return true;
	if (port->is_open) {
		reach_say(w,
			  (struct reach_step){.stage = REACH_GROUP, .kind = KIND_PORT, .row = port->row.id},
			  "Port security is off at interface %" STR_FMT ": no group is asked.",
			  STR_ARG(reach_name(w, KIND_PORT, port->row.id)));
		return true;
	}
	const struct security_group_rule *r = find_rule(w, port, egress);
	if (!r) {
		stop_by_groups(w, port, egress);
		return false;
	}
	reach_say(w,
		  (struct reach_step){.stage = REACH_GROUP,
				      .kind = KIND_SECURITY_GROUP_RULE,
				      .row = r->row.id,
				      .part_of = KIND_SECURITY_GROUP,
				      .whole = r->group},
		  "A rule of %" STR_FMT " lets it %s %s %" STR_FMT ".", STR_ARG(name_group(w, r->group)),
		  egress ? "out" : "in", egress ? "to" : "from", STR_ARG(write_peer(w, r)));
	return true;
}

/* ---- firewalls of guest networks ---- */

static bool has_block(const struct cidrs *blocks, struct ip ip)
{
	bool has = blocks->count == 0;
	for (size_t k = 0; k < blocks->count && !has; k++)
		has = blocks->at[k].bits == 0 || cidr_contains(cidr_canonical(blocks->at[k]), ip);
	return has;
}

static bool is_inside(const struct reach_walk *w, const struct network *network,
		      const struct firewall_openings *openings)
{
	bool is = reach_is_platform(w->p.to);
	for (const struct subnet *s = subnet_first_by_network(w->t, network->row.id); s && !is;
	     s = subnet_next_by_network(w->t, s))
		is = row_is_live(&s->row) && cidr_contains(s->block, w->p.to);
	for (size_t k = 0; k < openings->own_ips.count && !is; k++)
		is = ip_equal(openings->own_ips.at[k], w->p.to);
	return is;
}

static bool tell_firewall(struct reach_walk *w, const struct network *network,
			  const struct firewall_rule *rule, bool egress, bool passes)
{
	struct str traffic = reach_write_traffic(w), name = reach_name(w, KIND_NETWORK, network->row.id);
	reach_say(w,
		  (struct reach_step){.stage = REACH_FIREWALL,
				      .verdict = passes ? REACH_PASSES : REACH_STOPS,
				      .kind = rule ? KIND_FIREWALL_RULE : KIND_NETWORK,
				      .row = rule ? rule->row.id : network->row.id},
		  "%s of the firewall of network %" STR_FMT " %s %" STR_FMT " %s.",
		  rule     ? "A rule"
		  : passes ? "No rule"
			   : "No rule",
		  STR_ARG(name),
		  rule     ? (passes ? "lets" : "denies")
		  : passes ? "denies"
			   : "lets",
		  STR_ARG(traffic), egress ? "out" : "in");
	if (!passes)
		reach_advise(w, rule     ? "Remove that rule."
				: egress ? "Add an egress rule to the network that names it."
					 : "Add a firewall rule to the public address that lets it in.");
	return passes;
}

static bool pass_firewall_out(struct reach_walk *w, const struct network *network,
			      const struct firewall_openings *openings)
{
	if (is_inside(w, network, openings))
		return true;
	const struct firewall_rule *r = firewall_rule_first_by_network(w->t, network->row.id);
	while (r && !(r->direction == FIREWALL_RULE_DIRECTION_EGRESS && has_block(&r->sources, w->p.from) &&
		      has_block(&r->destinations, w->p.to) &&
		      reach_traffic_fits(&w->p, w->p.to_ports.first, r->protocol, r->from_port, r->to_port)))
		r = firewall_rule_next_by_network(w->t, r);
	return tell_firewall(w, network, r, true, (r != NULL) != network->egress_open);
}

static bool pass_firewall_in(struct reach_walk *w, const struct network *network,
			     const struct firewall_openings *openings)
{
	const struct firewall_opening *o = NULL;
	for (size_t k = 0; k < openings->count && !o; k++) {
		const struct firewall_opening *one = &openings->at[k];
		if (ip_equal(one->ip, w->p.to) &&
		    (one->source.bits == 0 || cidr_contains(cidr_canonical(one->source), w->p.from)) &&
		    reach_traffic_fits(&w->p, w->p.to_ports.first, one->protocol, one->from, one->to))
			o = one;
	}
	return tell_firewall(w, network, o ? o->rule : NULL, false, o != NULL);
}

static bool pass_firewall(struct reach_walk *w, const struct port *port, bool egress)
{
	const struct network *network = network_find(w->t, port->network);
	struct firewall_openings openings = {0};
	if (!network || !network->has_firewall || w->p.to.family != IP_V4)
		return true;
	if (!result_is_ok(engine_list_openings(w->c, w->t, network->row.id, &openings)))
		return !(w->has_failed = true);
	return egress ? pass_firewall_out(w, network, &openings) : pass_firewall_in(w, network, &openings);
}

/* ---- both directions ---- */

bool reach_leave_port(struct reach_walk *w, const struct port *port)
{
	size_t policies = 0;
	struct str ip = reach_write_ip(w, w->p.from);
	if (!port->is_open && port->source_dest_check && !reach_has_ip(w->t, port, w->p.from)) {
		reach_say(w,
			  (struct reach_step){.stage = REACH_SOURCE,
					      .verdict = REACH_STOPS,
					      .kind = KIND_PORT,
					      .row = port->row.id},
			  "Interface %" STR_FMT " may not send from %" STR_FMT
			  ", which is none of its addresses.",
			  STR_ARG(reach_name(w, KIND_PORT, port->row.id)), STR_ARG(ip));
		reach_advise(w, "Give it that address, or turn its source/destination check off.");
		return false;
	}
	reach_say(w, (struct reach_step){.stage = REACH_SOURCE, .kind = KIND_PORT, .row = port->row.id},
		  "Interface %" STR_FMT " sends from its address %" STR_FMT ".",
		  STR_ARG(reach_name(w, KIND_PORT, port->row.id)), STR_ARG(ip));
	return pass_policies(w, port, true, &policies) && pass_groups(w, port, true);
}

bool reach_leave_network(struct reach_walk *w, const struct port *port, const struct subnet *subnet,
			 const struct router *router)
{
	return pass_firewall(w, port, true) && (!router || reach_pass_tracked(w, router, subnet, true));
}

/* The interface has a guarded public address: without a policy nothing enters from outside. */
static bool pass_closed(struct reach_walk *w, const struct port *port, size_t policies)
{
	struct cidrs own = {0};
	bool is_own = reach_is_platform(w->p.from);
	if (policies || w->p.to.family != IP_V4 || !engine_is_port_closed(w->t, port))
		return true;
	if (!engine_list_network_blocks(w->t, w->c->arena, port->router, &own))
		return !(w->has_failed = true);
	for (size_t k = 0; k < own.count && !is_own; k++)
		is_own = cidr_contains(own.at[k], w->p.from);
	if (is_own)
		return true;
	reach_say(w,
		  (struct reach_step){.stage = REACH_POLICY,
				      .verdict = REACH_STOPS,
				      .kind = KIND_PORT,
				      .row = port->row.id},
		  "The public address of interface %" STR_FMT
		  " is guarded, and no policy before the interface lets anything in.",
		  STR_ARG(reach_name(w, KIND_PORT, port->row.id)));
	reach_advise(w, "Put a policy before the interface or its subnet that allows it.");
	return false;
}

static bool pass_egress_only(struct reach_walk *w)
{
	const struct route *r = w->p.to.family == IP_V6 && w->by
					? reach_find_egress_only(w, w->by, w->hit_subnet, w->p.from)
					: NULL;
	if (!r)
		return true;
	uuid id = ((const struct row *) r)->id;
	reach_say(w,
		  (struct reach_step){
			  .stage = REACH_ROUTE, .verdict = REACH_STOPS, .kind = KIND_ROUTE, .row = id},
		  "The subnet's way to %" STR_FMT
		  " is an egress-only gateway, through which nothing comes in but answers.",
		  STR_ARG(reach_write_ip(w, w->p.from)));
	reach_advise(w, "Lead the subnet's route there by an internet gateway.");
	return false;
}

bool reach_enter_port(struct reach_walk *w)
{
	size_t policies = 0;
	const struct port *port = w->hit;
	if (!pass_egress_only(w) || !pass_policies(w, port, false, &policies) ||
	    !pass_closed(w, port, policies))
		return false;
	if (w->by && (!pass_firewall(w, port, false) || !reach_pass_tracked(w, w->by, w->hit_subnet, false)))
		return false;
	return pass_groups(w, port, false);
}
