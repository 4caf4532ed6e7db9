/* SPDX-License-Identifier: Apache-2.0
 * Firewall rules of public addresses, and egress rules of isolated networks. Rules cannot be updated. Source
 * of messages: CreateFirewallRuleCmd, CreateEgressFirewallRuleCmd and FirewallManagerImpl. Guess: an end
 * port alone means that port.
 */
#include "api/cloudstack/network/network.h"
#include "engine/network/filter/firewall.h"
#include "engine/resolve.h"
#include "model/address.h"
#include "model/firewall_rule.h"
#include "store/network.h"
#include "store/subnet.h"

enum { PROTOCOL_ALL = -1, PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17 };

static const struct {
	const char *word;
	int64_t number;
	bool is_outward; /* used by egress rules only */
} protocols[] = {{"tcp", PROTOCOL_TCP, false},
		 {"udp", PROTOCOL_UDP, false},
		 {"icmp", PROTOCOL_ICMP, false},
		 {"all", PROTOCOL_ALL, true}};
enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

/* ---- lists ---- */

struct list_rules {
	struct cs_list_args list;
	struct ref address, network, project;
};
#define P(wire, member, ...) PARAM(struct list_rules, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_rules, KIND_FIREWALL_RULE),
	CS_OWNER_PARAMS(struct list_rules),
	CS_PROJECT_PARAM(struct list_rules, project),
	CS_TAGS_PARAM(struct list_rules),
	P("ipaddressid", address, .kind = KIND_ADDRESS, .fits = FITS(firewall_rule, address),
	  .doc = "Public address."),
	P("networkid", network, .kind = KIND_NETWORK, .fits = FITS(firewall_rule, network),
	  .doc = "Network."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static bool is_inward(const struct row *row)
{
	return firewall_rule_of(row)->direction == FIREWALL_RULE_DIRECTION_INGRESS;
}

static bool matches_inward(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	(void) args;
	return is_inward(row);
}

static bool matches_outward(struct api_call *e, const void *args, const struct row *row)
{
	(void) e;
	(void) args;
	return !is_inward(row);
}

static struct str get_direction(struct api_call *e, const struct row *row)
{
	(void) e;
	return is_inward(row) ? STR("Ingress") : STR("Egress");
}

static struct str get_sources(struct api_call *e, const struct row *row)
{
	return cs_write_blocks(e, firewall_rule_of(row)->sources);
}

static struct str get_destinations(struct api_call *e, const struct row *row)
{
	return cs_write_blocks(e, firewall_rule_of(row)->destinations);
}

/* Leaves out ports if the rule covers all. */
static void write_traffic(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct firewall_rule *rule = firewall_rule_of(row);
	bool is_icmp = rule->protocol == PROTOCOL_ICMP;
	(void) e;
	for (size_t k = 0; k < PROTOCOLS; k++)
		if (protocols[k].number == rule->protocol)
			json_write_z(w, name, protocols[k].word);
	if (!is_icmp && rule->from_port < 0)
		return;
	json_write_int(w, is_icmp ? "icmptype" : "startport", rule->from_port);
	json_write_int(w, is_icmp ? "icmpcode" : "endport", rule->to_port);
}

static const struct member members[] = {
	MEMBER(struct firewall_rule, "id", row.id),
	MEMBER_WRITTEN("protocol", write_traffic, .also = "startport|endport|icmptype|icmpcode"),
	MEMBER(struct firewall_rule, "ipaddressid", address),
	MEMBER(struct address, "ipaddress", ip, .path = {JOIN_ONE(KIND_ADDRESS, firewall_rule, address)}),
	MEMBER(struct firewall_rule, "networkid", network),
	MEMBER_TEXT("cidrlist", get_sources),
	MEMBER_TEXT("destcidrlist", get_destinations),
	MEMBER_TEXT("traffictype", get_direction),
	MEMBER_FIXED("state", "\"Active\""),
	MEMBER_FIXED("fordisplay", "true"),
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing inward_rules =
	CS_LISTING(KIND_FIREWALL_RULE, "firewallrule", members, .matches = matches_inward);
static const struct api_listing outward_rules =
	CS_LISTING(KIND_FIREWALL_RULE, "firewallrule", members, .matches = matches_outward);

/* ---- they are made ---- */

struct make_rule {
	struct firewall_rule_wish wish;
	struct cs_traffic traffic;
	struct strs destinations;
};
#define P(wire, member, ...) PARAM(struct make_rule, wire, member, __VA_ARGS__)
#define NUMBER(wire, member, flag, text)                                                                     \
	P(wire, traffic.member, .given = offsetof(struct make_rule, traffic.flag) + 1, .doc = (text))
#define RULE                                                                                                 \
	NUMBER("startport", start, has_start, "First port."),                                                \
		NUMBER("endport", end, has_end, "Last port; absent: the first one."),                        \
		NUMBER("icmptype", icmp_type, has_type, "ICMP type; -1: all."),                              \
		NUMBER("icmpcode", icmp_code, has_code, "ICMP code; -1: all."),                              \
		NOT_BUILT("type", .only = "user|User"), NOT_BUILT("fordisplay", .only = "true")
static const struct param create_params[] = {
	P("ipaddressid", wish.address, .kind = KIND_ADDRESS, .flags = REQUIRED, .doc = "The public address."),
	P("protocol", traffic.protocol, .flags = REQUIRED, .doc = "Protocol: tcp, udp or icmp."),
	RULE,
	P("cidrlist", traffic.blocks, .max = FIREWALL_SOURCES_MAX, .doc = "Source CIDR blocks; absent: any."),
};
static const struct param create_egress_params[] = {
	P("networkid", wish.network, .kind = KIND_NETWORK, .flags = REQUIRED, .doc = "The isolated network."),
	P("protocol", traffic.protocol, .flags = REQUIRED, .doc = "Protocol: tcp, udp, icmp or all."),
	RULE,
	P("cidrlist", traffic.blocks, .max = FIREWALL_SOURCES_MAX,
	  .doc = "Source CIDR blocks within the network; absent: all of it."),
	P("destcidrlist", destinations, .max = FIREWALL_SOURCES_MAX,
	  .doc = "Destination CIDR blocks; absent: any."),
};
#undef P

/* Zone of the network, else the region's default. */
static struct str write_zone(struct cs_call *e, uuid network)
{
	const struct subnet *s = cs_find_subnet(&e->core, network);
	return s ? uuid_to_str(e->c->arena, s->zone) : STR("1");
}

static RESULT read_protocol(struct cs_call *e, struct make_rule *a, uuid network)
{
	struct str word = str_trim(a->traffic.protocol);
	bool is_outward = ref_is_given(&a->wish.network);
	for (size_t k = 0; k < PROTOCOLS; k++) {
		if (!str_equal_nocase(word, str_from(protocols[k].word)) ||
		    (protocols[k].is_outward && !is_outward))
			continue;
		a->wish.protocol = protocols[k].number;
		return OK;
	}
	return cs_fail(e, "protocol", "Protocol %" STR_FMT " is not supported in zone %" STR_FMT,
		       STR_ARG(word), STR_ARG(write_zone(e, network)));
}

/* Checks that ICMP numbers or ports are given as the protocol needs. */
static RESULT check_numbers(struct cs_call *e, const struct make_rule *a)
{
	const struct cs_traffic *t = &a->traffic;
	bool is_icmp = a->wish.protocol == PROTOCOL_ICMP, has_ports = t->has_start || t->has_end;
	const char *port = t->has_start ? "startport" : "endport";
	if (!is_icmp && (t->has_type || t->has_code))
		return cs_fail(e, t->has_type ? "icmptype" : "icmpcode",
			       "Can specify icmpCode and icmpType for ICMP protocol only");
	if (is_icmp && has_ports)
		return cs_fail(e, port, "Can't specify start/end port when protocol is ICMP");
	if (a->wish.protocol == PROTOCOL_ALL && has_ports)
		return cs_fail(e, port,
			       "Unable to create firewall rule for the network id=[%" STR_FMT
			       "] due to: ports must not be informed to protocol ALL, as it does not require "
			       "them.",
			       STR_ARG(uuid_to_str(e->c->arena, a->wish.network.prefix)));
	return OK;
}

static RESULT read_traffic(struct cs_call *e, struct make_rule *a)
{
	const struct cs_traffic *t = &a->traffic;
	TRY(check_numbers(e, a));
	a->wish.from = t->has_type ? t->icmp_type : -1;
	a->wish.to = t->has_code ? t->icmp_code : -1;
	if (!t->has_start && !t->has_end)
		return OK;
	a->wish.from = t->has_start ? t->start : t->end;
	a->wish.to = t->has_end ? t->end : t->start;
	return OK;
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_rule *a = args;
	const struct address *address = NULL;
	TRY(cs_read_blocks(e, "cidrlist", "Source CIDRs formatting error ", "", &a->traffic.blocks,
			   &a->wish.sources));
	TRY(engine_find_own_address(e->c, cs_tables(e), &a->wish.address, &address));
	TRY(read_protocol(e, a, engine_get_address_network(cs_tables(e), address)));
	return read_traffic(e, a);
}

static RESULT prepare_create_egress(struct cs_call *e, void *args)
{
	struct make_rule *a = args;
	const struct network *network = NULL;
	TRY(cs_read_blocks(e, "cidrlist", "Source CIDRs formatting error [", "].", &a->traffic.blocks,
			   &a->wish.sources));
	TRY(cs_read_blocks(e, "destcidrlist", "Destination CIDRs formatting error [", "].", &a->destinations,
			   &a->wish.destinations));
	TRY(engine_find_own_network(e->c, cs_tables(e), &a->wish.network, &network));
	const struct subnet *s = cs_find_subnet(&e->core, network->row.id);
	if (s && cs_find_vpc(&e->core, s->router))
		return cs_fail(e, "networkid",
			       "Unable to create firewall rule for the network id=[%" STR_FMT
			       "] as firewall egress rule can be created only for non VPC networks.",
			       STR_ARG(uuid_to_str(e->c->arena, network->row.id)));
	TRY(read_protocol(e, a, network->row.id));
	return read_traffic(e, a);
}

/* ---- one rule ---- */

#define ONE                                                                                                  \
	PARAM(struct firewall_rule_target, "id", rule, .kind = KIND_FIREWALL_RULE, .flags = REQUIRED,        \
	      .doc = "The rule.")
static const struct param delete_params[] = {ONE};
static const struct param update_params[] = {
	ONE,
	NOT_BUILT("customid"),
	NOT_BUILT("fordisplay", .only = "true"),
};

#define LIST(command, listed, text)                                                                          \
	{                                                                                                    \
		.name = (command), .permit = "ec2:DescribeFirewallRules", .flags = CS_OF_ACCOUNT,            \
		.args = PARAMS(struct list_rules, list_params), .listing = (listed), .doc = (text)           \
	}
#define CREATE(command, params, prepared, listed, text)                                                      \
	{                                                                                                    \
		.name = (command), .permit = "ec2:CreateFirewallRule", .flags = API_WRITES | CS_MAKES,       \
		.args = PARAMS(struct make_rule, params), .prepare = (prepared),                             \
		.operation = engine_create_firewall_rule_run, .returns = API_RETURNS_NOTHING_STORED,         \
		CS_SUBJECT(struct make_rule, wish.rule), .shows = (listed),                                  \
		.outcome = ASYNC_JOB_OUTCOME_NOW, .doc = (text)                                              \
	}
#define DELETE(command, text)                                                                                \
	{                                                                                                    \
		.name = (command), .permit = "ec2:DeleteFirewallRule", .flags = API_WRITES,                  \
		.args = PARAMS(struct firewall_rule_target, delete_params),                                  \
		.operation = engine_delete_firewall_rule_run, .returns = API_RETURNS_NOTHING_STORED,         \
		.outcome = ASYNC_JOB_OUTCOME_NOW, .doc = (text)                                              \
	}
#define UPDATE(command, listed)                                                                              \
	{                                                                                                    \
		.name = (command), .permit = "ec2:ModifyFirewallRule", .flags = API_WRITES,                  \
		.args = PARAMS(struct firewall_rule_target, update_params),                                  \
		.operation = engine_change_firewall_rule_run, .returns = API_RETURNS_NOTHING_STORED,         \
		CS_SUBJECT(struct firewall_rule_target, rule.prefix), .shows = (listed),                     \
		.outcome = ASYNC_JOB_OUTCOME_NOW,                                                            \
		.doc = "Changes nothing: no property of a rule can be changed by this command."              \
	}
static const struct cs_action actions[] = {
	LIST("listFirewallRules", &inward_rules, "Lists firewall rules of public addresses."),
	CREATE("createFirewallRule", create_params, prepare_create, &inward_rules,
	       "Creates a firewall rule, which allows incoming traffic to a public address of an isolated "
	       "network."),
	UPDATE("updateFirewallRule", &inward_rules),
	DELETE("deleteFirewallRule", "Deletes a firewall rule. Established connections continue."),
	LIST("listEgressFirewallRules", &outward_rules, "Lists egress firewall rules of isolated networks."),
	CREATE("createEgressFirewallRule", create_egress_params, prepare_create_egress, &outward_rules,
	       "Creates an egress firewall rule. It allows outgoing traffic, or denies it if the network "
	       "allows all by default."),
	UPDATE("updateEgressFirewallRule", &outward_rules),
	DELETE("deleteEgressFirewallRule",
	       "Deletes an egress firewall rule. Established connections continue."),
};
const struct api_actions cs_firewall_rule_actions = API_ACTIONS(actions);
