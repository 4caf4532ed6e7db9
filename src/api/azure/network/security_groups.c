/* SPDX-License-Identifier: Apache-2.0
 * Network security groups with their rules, which are port policies. Source: Azure REST API reference, "Network Security Groups",
 * "Security Rules" and "Default Security Rules", 2022-07-01; "Network security groups" (service tags: of these there are
 * VirtualNetwork, Internet and AzureLoadBalancer). A body that lists rules lists all of them. */
#include "api/azure/network/network.h"

#include "engine/resolve.h"
#include "engine/tag.h"
#include "engine/virtual/port_policy.h"
#include "model/port_rule.h"
#include "store/port.h"
#include "store/port_policy.h"
#include "store/port_policy_rule.h"
#include "store/port_set.h"
#include "store/subnet.h"

static const struct {
	const char *word;
	int64_t number;
} protocols[] = {{"*", -1}, {"Tcp", 6}, {"Udp", 17}, {"Icmp", 1}, {"Esp", 50}, {"Ah", 51}};
enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

/* ---- what is shown ---- */

static const char *get_protocol(struct api_call *e, const struct row *row)
{
	(void) e;
	for (size_t k = 0; k < PROTOCOLS; k++)
		if (protocols[k].number == port_policy_rule_of(row)->protocol)
			return protocols[k].word;
	return "*";
}

/* Writes one value, or several as a list; none means all, unless the rule names application security groups. */
static void write_side(struct api_call *e, struct json_writer *w, const struct member *m, const void *at)
{
	const struct strs *values = at;
	const struct uuids *sets = (const void *) ((const char *) at + m->of);
	(void) e;
	if (values->count == 1)
		json_write_text(w, m->name, values->at[0]);
	else if (!values->count && !(m->of && sets->count))
		json_write_z(w, m->name, "*");
	json_write_open_list(w, m->arg);
	for (size_t k = 0; values->count > 1 && k < values->count; k++)
		json_write_text(w, NULL, values->at[k]);
	json_write_close_list(w);
}

#define SIDE(member_name, field)                                                                             \
	AZ_FORM_OF(member_name, write_side, .arg = member_name "s",                                          \
		   .offset = offsetof(struct port_policy_rule, field))
#define SIDE_OR_SETS(member_name, field, sets)                                                               \
	AZ_FORM_OF(member_name, write_side, .arg = member_name "es",                                         \
		   .offset = offsetof(struct port_policy_rule, field),                                       \
		   .of = (int) offsetof(struct port_policy_rule, sets) -                                     \
			 (int) offsetof(struct port_policy_rule, field))
#define SETS(member_name, field)                                                                             \
	AZ_LINKS(struct port_policy_rule, member_name, field, AZ_APPLICATION_GROUPS, KIND_PORT_SET)
static const struct member rule_properties[] = {
	AZ_SUCCEEDED,
	MEMBER(struct port_policy_rule, "description", description, .is_optional = true),
	MEMBER_MADE(WORD, word, "protocol", get_protocol),
	SIDE("sourcePortRange", source_ports),
	SIDE("destinationPortRange", destination_ports),
	SIDE_OR_SETS("sourceAddressPrefix", sources, source_sets),
	SIDE_OR_SETS("destinationAddressPrefix", destinations, destination_sets),
	SETS("sourceApplicationSecurityGroups", source_sets),
	SETS("destinationApplicationSecurityGroups", destination_sets),
	MEMBER(struct port_policy_rule, "access", allows, .yes = "Allow", .no = "Deny"),
	MEMBER(struct port_policy_rule, "priority", priority),
	MEMBER(struct port_policy_rule, "direction", egress, .yes = "Outbound", .no = "Inbound"),
};
static const struct member rule_members[] = {
	AZ_PART_HEAD(AZ_SECURITY_RULES, KIND_PORT_POLICY_RULE),
	MEMBER_OBJECT("properties", rule_properties),
};
static const struct api_listing rules = {.kind = KIND_PORT_POLICY_RULE,
					 .whole = offsetof(struct port_policy_rule, policy),
					 .item = "value",
					 .matches = az_is_part,
					 .members = MEMBERS(rule_members)};

static void write_default(struct az_call *e, struct json_writer *w, const struct row *policy,
			  const struct port_default *d)
{
	json_write_z(w, "name", d->name);
	json_write_text(w, "id",
			str_print(e->c->arena, "%" STR_FMT "/defaultSecurityRules/%s",
				  STR_ARG(az_id_of(e, AZ_SECURITY_GROUPS, KIND_PORT_POLICY, policy->id)),
				  d->name));
	json_write_text(w, "etag", az_etag_of(e, policy));
	json_write_z(w, "type", "Microsoft.Network/networkSecurityGroups/defaultSecurityRules");
	json_write_open(w, "properties");
	json_write_z(w, "provisioningState", "Succeeded");
	json_write_z(w, "description", d->description);
	json_write_z(w, "protocol", "*");
	json_write_z(w, "sourcePortRange", "*");
	json_write_raw(w, "sourcePortRanges", STR("[]"));
	json_write_z(w, "destinationPortRange", "*");
	json_write_raw(w, "destinationPortRanges", STR("[]"));
	json_write_z(w, "sourceAddressPrefix", port_word_text(d->source));
	json_write_z(w, "destinationAddressPrefix", port_word_text(d->destination));
	json_write_raw(w, "sourceAddressPrefixes", STR("[]"));
	json_write_raw(w, "destinationAddressPrefixes", STR("[]"));
	json_write_z(w, "access", d->allows ? "Allow" : "Deny");
	json_write_int(w, "priority", d->priority);
	json_write_z(w, "direction", d->egress ? "Outbound" : "Inbound");
	json_write_close(w);
}

static void write_defaults(struct api_call *core, struct json_writer *w, const char *name,
			   const struct row *policy)
{
	json_write_open_list(w, name);
	for (size_t k = 0; k < PORT_DEFAULTS; k++) {
		json_write_open(w, NULL);
		write_default(az_call_of(core), w, policy, &port_defaults[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_EACH("securityRules", rules.members, KIND_PORT_POLICY_RULE, PORT_POLICY_RULE_INDEX_POLICY),
	MEMBER_WRITTEN("defaultSecurityRules", write_defaults),
	AZ_EACH_LINK("networkInterfaces", AZ_INTERFACES, KIND_PORT, PORT_INDEX_POLICY, .is_optional = true),
	AZ_EACH_LINK("subnets", AZ_SUBNETS, KIND_SUBNET, SUBNET_INDEX_POLICY, .is_optional = true),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing policies = {
	.kind = KIND_PORT_POLICY, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

static RESULT list_defaults(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	write_defaults(&e->core, w, "value", tables_find(az_tables(e), KIND_PORT_POLICY, e->target));
	return OK;
}

static RESULT show_default(struct az_call *e, const void *args, struct json_writer *w)
{
	struct str name = az_path_value(e, "defaultSecurityRuleName");
	(void) args;
	for (size_t k = 0; k < PORT_DEFAULTS; k++)
		if (str_equal_nocase(name, str_from(port_defaults[k].name))) {
			write_default(e, w, tables_find(az_tables(e), KIND_PORT_POLICY, e->target),
				      &port_defaults[k]);
			return OK;
		}
	return ctx_fail(e->c, ERR_NOT_FOUND, "The default security rule '%" STR_FMT "' was not found.",
			STR_ARG(str_slice(name, 0, 128)));
}

/* ---- request body of a rule ---- */

struct rule_says {
	struct str description, protocol, access, direction, source, destination, source_port,
		destination_port;
	int64_t priority;
	struct strs sources, destinations, source_ports, destination_ports;
	struct az_links source_sets, destination_sets;
};
static const struct param rule_rows[] = {
	PARAM(struct rule_says, "description", description, .max = 140, .doc = "Description: free text."),
	PARAM(struct rule_says, "protocol", protocol, .flags = REQUIRED,
	      .doc = "Protocol: Tcp, Udp, Icmp, Esp, Ah or *."),
	PARAM(struct rule_says, "access", access, .flags = REQUIRED, .doc = "Access: Allow or Deny."),
	PARAM(struct rule_says, "direction", direction, .flags = REQUIRED,
	      .doc = "Direction: Inbound or Outbound."),
	PARAM(struct rule_says, "priority", priority,
	      .doc = "Priority, 100 to 4096. The matching rule with the lowest number decides."),
	PARAM(struct rule_says, "sourceAddressPrefix", source,
	      .doc = "A block, an address, or a service tag."),
	PARAM(struct rule_says, "sourceAddressPrefixes", sources, .doc = "Several blocks or addresses."),
	PARAM(struct rule_says, "destinationAddressPrefix", destination,
	      .doc = "A block, an address, or a service tag."),
	PARAM(struct rule_says, "destinationAddressPrefixes", destinations,
	      .doc = "Several blocks or addresses."),
	PARAM(struct rule_says, "sourcePortRange", source_port, .flags = OR_NUMBER,
	      .doc = "Port range, such as 80, 80-90 or *."),
	PARAM(struct rule_says, "sourcePortRanges", source_ports, .doc = "Several port ranges."),
	PARAM(struct rule_says, "destinationPortRange", destination_port, .flags = OR_NUMBER,
	      .doc = "Port range, such as 80, 80-90 or *."),
	PARAM(struct rule_says, "destinationPortRanges", destination_ports, .doc = "Several port ranges."),
	PARAM_LIST(struct rule_says, "sourceApplicationSecurityGroups", source_sets, az_link_params,
		   .max = 10, .doc = "Application security groups of the sources."),
	PARAM_LIST(struct rule_says, "destinationApplicationSecurityGroups", destination_sets, az_link_params,
		   .max = 10, .doc = "Application security groups of the destinations."),
	AZ_READ_ONLY("provisioningState"),
};
static const struct params rule_params =
	PARAMS(struct rule_says, rule_rows, .object = "SecurityRulePropertiesFormat");

static RESULT read_word(struct az_call *e, const char *field, struct str said, const char *yes,
			const char *no, bool *ret_yes)
{
	*ret_yes = str_equal_nocase(said, str_from(yes));
	if (*ret_yes || str_equal_nocase(said, str_from(no)))
		return OK;
	return az_fail(e, field, "The value '%" STR_FMT "' of %s is none of %s and %s.",
		       STR_ARG(str_slice(said, 0, 64)), field, yes, no);
}

static RESULT read_protocol(struct az_call *e, struct str said, int64_t *ret_number)
{
	for (size_t k = 0; k < PROTOCOLS; k++)
		if (str_equal_nocase(said, str_from(protocols[k].word))) {
			*ret_number = protocols[k].number;
			return OK;
		}
	return az_fail(e, "properties.protocol",
		       "Security rule has invalid Protocol. Value provided: %" STR_FMT
		       " Allowed values: *, Tcp, Udp, Icmp, Esp, Ah.",
		       STR_ARG(str_slice(said, 0, 64)));
}

/* A rule matches four fields. A body gives each as one value, as a list, or by application security groups. */
struct rule_side {
	const char *one, *several, *sets; /* names in messages; sets NULL: no application security groups */
	const char *wire;
};
enum { SIDE_SOURCE, SIDE_DESTINATION, SIDE_SOURCE_PORT, SIDE_DESTINATION_PORT };
static const struct rule_side sides[] = {
	[SIDE_SOURCE] = {"SourceAddressPrefix", "SourceAddressPrefixes", "SourceApplicationSecurityGroups",
			 "properties.sourceAddressPrefix"},
	[SIDE_DESTINATION] = {"DestinationAddressPrefix", "DestinationAddressPrefixes",
			      "DestinationApplicationSecurityGroups", "properties.destinationAddressPrefix"},
	[SIDE_SOURCE_PORT] = {"SourcePortRange", "SourcePortRanges", NULL, "properties.sourcePortRange"},
	[SIDE_DESTINATION_PORT] = {"DestinationPortRange", "DestinationPortRanges", NULL,
				   "properties.destinationPortRange"},
};

/* An absent or empty side never means "everything": a rule without a source would be open to the world. */
static RESULT check_side(struct az_call *e, struct str rule, const struct rule_side *side, struct str one,
			 size_t several, size_t sets)
{
	static const struct api_error is_missing = {ERR_MISSING, 0, 400, "SecurityRuleParametersMissing"};
	static const struct api_error is_twice = {ERR_COMBINATION, 0, 400,
						  "SecurityRuleInvalidParameters"}; /* guessed */
	size_t said = (one.n > 0) + (several > 0) + (sets > 0);
	struct str names =
		side->sets ? str_print(e->c->arena, "%s, %s, or %s", side->several, side->one, side->sets)
			   : str_print(e->c->arena, "%s or %s", side->several, side->one);
	if (said == 1)
		return OK;
	e->error = said ? &is_twice : &is_missing;
	if (said)
		return ctx_fail_field(e->c, ERR_COMBINATION, str_from(side->wire),
				      "Security rule with Id: %" STR_FMT " must specify only one of %" STR_FMT
				      ".",
				      STR_ARG(rule), STR_ARG(names));
	return ctx_fail_field(
		e->c, ERR_MISSING, str_from(side->wire),
		"Required security rule parameters are missing for security rule with Id: %" STR_FMT
		". Security rule must specify %" STR_FMT ".",
		STR_ARG(rule), STR_ARG(names));
}

/* A list of prefixes may contain addresses only. */
static RESULT check_listed(struct az_call *e, struct str rule, const struct rule_side *side, struct str value)
{
	static const struct api_error unsupported = {ERR_INVALID, 0, 400,
						     "SecurityRuleParameterContainsUnsupportedValue"};
	static const char *const words[] = {"*", "VirtualNetwork", "Internet", "AzureLoadBalancer"};
	for (size_t k = 0; side->sets && k < sizeof words / sizeof words[0]; k++)
		if (str_equal_nocase(value, str_from(words[k]))) {
			e->error = &unsupported;
			return ctx_fail_field(
				e->c, ERR_INVALID, str_from(side->wire),
				"Security rule parameter %s for rule with Id %" STR_FMT
				" cannot specify existing VIRTUALNETWORK, INTERNET, "
				"AZURELOADBALANCER, '*' or system tags. Unsupported value used: "
				"%" STR_FMT ".",
				side->one, STR_ARG(rule), STR_ARG(value));
		}
	return OK;
}

/* Collects the values of a side; none if one of them means everything. */
static RESULT gather(struct az_call *e, struct str rule, const struct rule_side *side, struct str one,
		     struct strs several, size_t sets, struct strs *ret_all)
{
	struct str *at = arena_new_array(e->c->arena, struct str, several.count + 1);
	size_t count = 0;
	bool is_all = str_is(one, "*");
	if (!at)
		return ctx_no_memory(e->c);
	TRY(check_side(e, rule, side, one, several.count, sets));
	if (one.n)
		at[count++] = str_copy(e->c->arena, one);
	for (size_t k = 0; k < several.count; k++) {
		TRY(check_listed(e, rule, side, several.at[k]));
		is_all = is_all || str_is(several.at[k], "*");
		at[count++] = str_copy(e->c->arena, several.at[k]);
	}
	*ret_all = (struct strs){at, is_all ? 0 : count};
	return OK;
}

/* rule: id of the rule. */
static RESULT read_rule(struct az_call *e, struct str rule, const struct rule_says *says,
			struct port_policy_rule_wish *wish)
{
	bool inbound = false;
	TRY(read_protocol(e, says->protocol, &wish->protocol));
	TRY(read_word(e, "properties.access", says->access, "Allow", "Deny", &wish->allows));
	TRY(read_word(e, "properties.direction", says->direction, "Inbound", "Outbound", &inbound));
	wish->egress = !inbound;
	wish->priority = says->priority;
	wish->description = says->description;
	TRY(gather(e, rule, &sides[SIDE_SOURCE], says->source, says->sources, says->source_sets.count,
		   &wish->sources));
	TRY(gather(e, rule, &sides[SIDE_DESTINATION], says->destination, says->destinations,
		   says->destination_sets.count, &wish->destinations));
	TRY(gather(e, rule, &sides[SIDE_SOURCE_PORT], says->source_port, says->source_ports, 0,
		   &wish->source_ports));
	TRY(gather(e, rule, &sides[SIDE_DESTINATION_PORT], says->destination_port, says->destination_ports, 0,
		   &wish->destination_ports));
	TRY(az_follow_all(e, "properties.sourceApplicationSecurityGroups.id", &says->source_sets,
			  AZ_APPLICATION_GROUPS, KIND_PORT_SET, &wish->source_sets));
	return az_follow_all(e, "properties.destinationApplicationSecurityGroups.id", &says->destination_sets,
			     AZ_APPLICATION_GROUPS, KIND_PORT_SET, &wish->destination_sets);
}

/* ---- one rule ---- */

struct rule_args {
	struct port_policy_rule_wish wish;
	struct rule_says properties;
};
static const struct param rule_put_rows[] = {
	PARAM_OBJECT(struct rule_args, "properties", properties, rule_params, .doc = "Settings of the rule."),
	AZ_NAMED_PART,
};

static RESULT prepare_rule(struct az_call *e, void *args)
{
	struct rule_args *a = args;
	a->wish.rule = e->target;
	a->wish.name = az_path_value(e, "securityRuleName");
	return read_rule(e, az_named_id(e, AZ_SECURITY_RULES, "networkSecurityGroupName/securityRuleName"),
			 &a->properties, &a->wish);
}

/* ---- a whole group ---- */

struct listed_rules {
	const struct listed_rule {
		struct str name;
		struct rule_says properties;
	} * at;
	size_t count;
};
struct group_says {
	struct listed_rules rules;
	bool has_rules;
};
static const struct param listed_rows[] = {
	PARAM(struct listed_rule, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct listed_rule, "properties", properties, rule_params,
		     .doc = "Settings of the rule."),
	AZ_PART,
};
static const struct params listed_params = PARAMS(struct listed_rule, listed_rows, .object = "SecurityRule");
static const struct param group_rows[] = {
	PARAM_LIST(struct group_says, "securityRules", rules, listed_params, .max = 1000,
		   .given = offsetof(struct group_says, has_rules) + 1,
		   .doc = "Security rules, which replace all present ones."),
	NOT_BUILT("flushConnection", .only = "false"),
	AZ_READ_ONLY(
		"defaultSecurityRules|networkInterfaces|subnets|flowLogs|resourceGuid|provisioningState"),
};
static const struct params group_params =
	PARAMS(struct group_says, group_rows, .object = "NetworkSecurityGroupPropertiesFormat");

struct rule_part {
	struct port_policy_rule_wish wish;
	struct str name;
};
struct group_args {
	struct group_says properties;
	struct port_policy_wish make;
	struct rule_part *parts;
	size_t part_count;
	struct refs gone;
	uuid group, id;
};
static const struct param put_rows[] = {
	PARAM_OBJECT(struct group_args, "properties", properties, group_params,
		     .doc = "Security rules of the group."),
	AZ_RESOURCE,
};

static RESULT read_part(struct az_call *e, struct group_args *a, const struct listed_rule *listed)
{
	const struct row *row = NULL;
	struct rule_part *part = &a->parts[a->part_count];
	if (!az_is_name(listed->name))
		return az_fail_name(e, "properties.securityRules.name");
	part->name = az_part_name(e, e->put.name, listed->name);
	part->wish.name = str_copy(e->c->arena, listed->name);
	struct str whole = az_named_id(e, AZ_SECURITY_GROUPS, "networkSecurityGroupName");
	TRY(read_rule(e,
		      str_print(e->c->arena, "%" STR_FMT "/securityRules/%" STR_FMT, STR_ARG(whole),
				STR_ARG(part->wish.name)),
		      &listed->properties, &part->wish));
	TRY(az_look_up(e, AZ_SECURITY_RULES, KIND_PORT_POLICY_RULE, part->name, &row));
	const struct port_policy_rule *r = port_policy_rule_of(row);
	bool stays = r && r->egress == part->wish.egress && r->priority == part->wish.priority;
	part->wish.rule = stays ? row->id : UUID_NONE;
	a->part_count++;
	return OK;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct group_args *a = args;
	const struct group_says *p = &a->properties;
	a->group = e->group;
	a->id = e->target;
	a->make.name = e->put.name;
	a->parts = arena_new_array(e->c->arena, struct rule_part, p->rules.count + 1);
	if (!a->parts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < p->rules.count; k++)
		TRY(read_part(e, a, &p->rules.at[k]));
	if (!p->has_rules || uuid_is_none(e->target))
		return OK;
	/* rules that the body no longer lists, or lists with another priority: two rules may have exchanged theirs */
	const struct az_kept kept = {&a->parts->wish.rule, a->part_count, sizeof *a->parts};
	return az_find_gone(e, KIND_PORT_POLICY_RULE, PORT_POLICY_RULE_INDEX_POLICY, &kept, NULL, &a->gone);
}

static RESULT put(struct op *op, void *args)
{
	struct group_args *a = args;
	if (uuid_is_none(a->id)) {
		TRY(engine_create_port_policy(op, &a->make));
		a->id = a->make.policy;
	}
	for (size_t k = 0; k < a->gone.count; k++)
		TRY(engine_delete_port_policy_rule(op,
						   &(struct port_policy_rule_target){.rule = a->gone.at[k]}));
	for (size_t k = 0; k < a->part_count; k++) {
		struct port_policy_rule_wish *wish = &a->parts[k].wish;
		wish->policy = ref_by_id(KIND_PORT_POLICY, a->id);
		TRY(engine_put_port_policy_rule(op, wish));
		TRY(az_name_part(op, a->group, AZ_SECURITY_RULES, a->parts[k].name, KIND_PORT_POLICY_RULE,
				 wish->rule, STR_NONE));
	}
	return OK;
}

#define GROUPS AZ_NETWORK "/networkSecurityGroups"
#define ONE_GROUP AZ_GROUP GROUPS "/{networkSecurityGroupName}"
#define OF_ONE .type = AZ_SECURITY_GROUPS, .kind = KIND_PORT_POLICY, .names = "networkSecurityGroupName"
#define RULES ONE_GROUP "/securityRules"
#define RULE RULES "/{securityRuleName}"
#define OF_GROUP AZ_WHOLE("networkSecurityGroupName", AZ_SECURITY_GROUPS, KIND_PORT_POLICY)
#define OF_RULE                                                                                              \
	.type = AZ_SECURITY_RULES, .kind = KIND_PORT_POLICY_RULE,                                            \
	.names = "networkSecurityGroupName/securityRuleName"
#define OF_WHOLE(of)                                                                                         \
	.type = (of), .kind = KIND_PORT_POLICY, .names = "networkSecurityGroupName",                         \
	.names_type = AZ_SECURITY_GROUPS
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION GROUPS, .name = "NetworkSecurityGroups_ListAll",
	 .permit = "ec2:DescribePortPolicies", .type = AZ_SECURITY_GROUPS, .listing = &policies,
	 .doc = "Lists the subscription's network security groups."},
	{HTTP_GET, AZ_GROUP GROUPS, .name = "NetworkSecurityGroups_List",
	 .permit = "ec2:DescribePortPolicies", .type = AZ_SECURITY_GROUPS, .listing = &policies,
	 .doc = "Lists a resource group's network security groups."},
	{HTTP_GET, ONE_GROUP, .name = "NetworkSecurityGroups_Get", .permit = "ec2:DescribePortPolicies",
	 OF_ONE, .shows = &policies, .doc = "Gets one network security group."},
	{HTTP_PUT, ONE_GROUP, .name = "NetworkSecurityGroups_CreateOrUpdate",
	 .parts = "properties.securityRules", .permit = "ec2:CreatePortPolicy", .flags = API_WRITES | AZ_PUT,
	 OF_ONE, .args = PARAMS(struct group_args, put_rows, .object = "NetworkSecurityGroup"),
	 .prepare = prepare, .operation = put, .returns = KIND_PORT_POLICY, AZ_SUBJECT(struct group_args, id),
	 .shows = &policies, .doc = "Creates a network security group or replaces its rules."},
	{HTTP_PATCH, ONE_GROUP, .name = "NetworkSecurityGroups_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_PORT_POLICY,
	 .shows = &policies, .doc = "Changes a network security group's tags."},
	{HTTP_DELETE, ONE_GROUP, .name = "NetworkSecurityGroups_Delete", .permit = "ec2:DeletePortPolicy",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct port_policy_target)},
	 AZ_TARGET(struct port_policy_target, policy), .operation = engine_delete_port_policy_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a network security group that nothing uses."},
	{HTTP_GET, RULES, .name = "SecurityRules_List", .permit = "ec2:DescribePortPolicies",
	 OF_WHOLE(AZ_SECURITY_RULES), .listing = &rules,
	 .doc = "Lists the rules of a network security group."},
	{HTTP_GET, RULE, .name = "SecurityRules_Get", .permit = "ec2:DescribePortPolicies", OF_RULE,
	 .shows = &rules, .doc = "Gets one security rule."},
	{HTTP_PUT, RULE, .name = "SecurityRules_CreateOrUpdate", .permit = "ec2:ModifyPortPolicy",
	 .flags = API_WRITES | AZ_PUT, OF_RULE, OF_GROUP, AZ_WHOLE_AT(struct rule_args, wish.policy),
	 .args = PARAMS(struct rule_args, rule_put_rows, .object = "SecurityRule"), .prepare = prepare_rule,
	 .operation = engine_put_port_policy_rule_run, .returns = KIND_PORT_POLICY_RULE,
	 AZ_SUBJECT(struct rule_args, wish.rule), .shows = &rules,
	 .doc = "Creates or changes a security rule."},
	{HTTP_DELETE, RULE, .name = "SecurityRules_Delete", .permit = "ec2:ModifyPortPolicy",
	 .flags = API_WRITES, OF_RULE, OF_GROUP, .args = {0, 0, sizeof(struct port_policy_rule_target)},
	 AZ_TARGET(struct port_policy_rule_target, rule), .operation = engine_delete_port_policy_rule_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Deletes a rule."},
	{HTTP_GET, ONE_GROUP "/defaultSecurityRules", .name = "DefaultSecurityRules_List",
	 .permit = "ec2:DescribePortPolicies", OF_WHOLE(AZ_DEFAULT_RULES), .answer = list_defaults,
	 .doc = "Lists the default rules of a network security group, which apply last."},
	{HTTP_GET, ONE_GROUP "/defaultSecurityRules/{defaultSecurityRuleName}",
	 .name = "DefaultSecurityRules_Get", .permit = "ec2:DescribePortPolicies", OF_WHOLE(AZ_DEFAULT_RULES),
	 .answer = show_default, .doc = "Gets one default rule."},
};
const struct api_actions az_security_group_actions = API_ACTIONS(actions);
