/* SPDX-License-Identifier: Apache-2.0
 * Security groups and rules. Groups created here belong to no VPC, like OpenStack's. One command creates its
 * rules together, and its job shows the group with those rules only. Source of messages:
 * SecurityGroupManagerImpl and AuthorizeSecurityGroupIngressCmd of 4.18.
 */
#include "api/cloudstack/network/network.h"
#include "engine/network/filter/security_group.h"
#include "engine/resolve.h"
#include "model/term.h"
#include "store/account.h"
#include "store/port.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"

enum { PEERS_MAX = 100 };

/* ---- what is shown ---- */

static bool is_inward(const struct security_group_rule *rule)
{
	return rule->direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS;
}

static void write_peer(struct cs_call *e, struct json_writer *w, const struct security_group_rule *rule)
{
	char text[CIDR_TEXT_SIZE];
	const struct security_group *group = security_group_find(cs_tables(e), rule->peer_group);
	const struct account *account = group ? account_find(cs_tables(e), group->account) : NULL;
	if (!cidr_is_none(rule->peer_block))
		json_write_z(w, "cidr", cidr_write(rule->peer_block, text));
	if (group)
		json_write_text(w, "securitygroupname", group->name);
	if (account)
		json_write_text(w, "account", account->name);
}

static void write_rule(struct cs_call *e, struct json_writer *w, const struct security_group_rule *rule)
{
	const struct cs_read_traffic traffic = {rule->protocol, rule->from_port, rule->to_port};
	json_write_open(w, NULL);
	json_write_text(w, "ruleid", uuid_to_str(e->c->arena, rule->row.id));
	cs_write_traffic(e, w, &traffic);
	write_peer(e, w, rule);
	json_write_open_list(w, "tags");
	json_write_close_list(w);
	json_write_close(w);
}

/* Writes rules of a direction. made_us: creation time of the rules to show; 0: all. */
static void write_rules(struct cs_call *e, struct json_writer *w, uuid group, bool inward, int64_t made_us)
{
	const struct security_group_rule *rule = security_group_rule_first_by_group(cs_tables(e), group);
	json_write_open_list(w, inward ? "ingressrule" : "egressrule");
	for (; rule; rule = security_group_rule_next_by_group(cs_tables(e), rule))
		if (row_is_live(&rule->row) && is_inward(rule) == inward &&
		    (!made_us || rule->row.created_us == made_us))
			write_rule(e, w, rule);
	json_write_close_list(w);
}

static void write_all_rules(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	(void) name;
	write_rules(cs_call_of(e), w, row->id, true, 0);
	write_rules(cs_call_of(e), w, row->id, false, 0);
}

static bool has_group(const struct port *port, uuid group)
{
	for (size_t k = 0; k < port->groups.count; k++)
		if (uuid_equal(port->groups.at[k], group))
			return true;
	return false;
}

/* True for the first of a machine's interfaces in the group, so that each machine counts once. */
static bool is_first_in(struct api_call *e, const struct port *port, uuid group)
{
	const struct port *p = port_first_by_instance(api_tables(e), port->instance);
	while (p && !(row_is_live(&p->row) && has_group(p, group)))
		p = port_next_by_instance(api_tables(e), p);
	return p == port;
}

static void write_machines(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	uint64_t hash = term_of_group(security_group_of(row)->account, row->id);
	const struct term *term = tables_first_term(api_tables(e), KIND_PORT, hash, (struct row_place){0});
	int64_t count = 0;
	json_write_open_list(w, "virtualmachineids");
	for (; term; term = tables_next_term(api_tables(e), KIND_PORT, term)) {
		const struct port *port = port_of(term_row(term));
		if (!row_is_live(&port->row) || uuid_is_none(port->instance) || !has_group(port, row->id) ||
		    !is_first_in(e, port, row->id))
			continue;
		json_write_text(w, NULL, uuid_to_str(e->c->arena, port->instance));
		count++;
	}
	json_write_close_list(w);
	json_write_int(w, name, count);
}

static const struct member members[] = {
	MEMBER(struct security_group, "id", row.id),
	MEMBER(struct security_group, "name", name),
	MEMBER(struct security_group, "description", description, .is_optional = true),
	CS_OWNER_MEMBERS(security_group),
	MEMBER_WRITTEN("ingressrule", write_all_rules, .also = "egressrule"),
	MEMBER_WRITTEN("virtualmachinecount", write_machines, .also = "virtualmachineids"),
	MEMBER_WRITTEN("tags", cs_write_tags),
};

/* ---- listSecurityGroups ---- */

struct list_groups {
	struct cs_list_args list;
	struct ref machine, project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_groups, KIND_SECURITY_GROUP),
	CS_OWNER_PARAMS(struct list_groups),
	CS_PROJECT_PARAM(struct list_groups, project),
	CS_TAGS_PARAM(struct list_groups),
	PARAM(struct list_groups, "securitygroupname", list.name, .doc = "Name of the security group."),
	PARAM(struct list_groups, "virtualmachineid", machine, .kind = KIND_INSTANCE,
	      .doc = "Virtual machine that uses the security group."),
};

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_groups *a = args;
	const struct port *p = port_first_by_instance(api_tables(e), a->machine.prefix);
	while (p && !(row_is_live(&p->row) && has_group(p, row->id)))
		p = port_next_by_instance(api_tables(e), p);
	return !ref_is_given(&a->machine) || p;
}

static const struct api_listing groups =
	CS_LISTING(KIND_SECURITY_GROUP, "securitygroup", members,
		   .name = offsetof(struct security_group, name), .matches = matches);

/* ---- groups are made, changed and deleted ---- */

struct make_group {
	struct security_group_wish wish;
	struct cs_owner owner;
};
static const struct param create_params[] = {
	PARAM(struct make_group, "name", wish.name, .flags = REQUIRED, .doc = "Name; unique in the account."),
	PARAM(struct make_group, "description", wish.description, .doc = "Description: free text."),
	CS_FOR_PARAMS(struct make_group, owner),
};
static const struct param update_params[] = {
	PARAM(struct security_group_settings, "id", group, .kind = KIND_SECURITY_GROUP, .flags = REQUIRED,
	      .doc = "The security group."),
	PARAM(struct security_group_settings, "name", name, .doc = "New name."),
	NOT_BUILT("customid"),
};

/* Finds a group by id or name: in the default VPC, else one without a VPC. */
static RESULT choose_group(struct cs_call *e, struct ref *id, struct str name, const char *id_field,
			   const char *name_field)
{
	const struct account *account = account_find(cs_tables(e), e->c->who->account);
	const struct security_group *group = NULL;
	const struct ref ref = {.kind = KIND_SECURITY_GROUP, .text = name, .field = str_from(name_field)};
	if (ref_is_given(id) && name.n)
		return cs_fail(e, name_field, "%s and %s parameters are mutually exclusive", id_field,
			       name_field);
	if (ref_is_given(id))
		return OK;
	if (!name.n || !account)
		return cs_fail(e, id_field, "Either %s or %s is required by %s command", id_field, name_field,
			       e->action->name);
	TRY(engine_find_group_in(e->c, cs_tables(e), account->row.id, account->default_router, &ref, &group));
	*id = cs_ref_of(e->c, KIND_SECURITY_GROUP, group->row.id, name_field);
	return OK;
}

struct drop_group {
	struct security_group_target wish;
	struct str name;
	struct cs_owner owner;
};
static const struct param delete_params[] = {
	PARAM(struct drop_group, "id", wish.group, .kind = KIND_SECURITY_GROUP, .doc = "The security group."),
	PARAM(struct drop_group, "name", name, .doc = "Name, instead of the id."),
	CS_FOR_PARAMS(struct drop_group, owner),
};

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct drop_group *a = args;
	return choose_group(e, &a->wish.group, a->name, "id", "name");
}

/* ---- rules are let in ---- */

struct peer {
	struct str account, group;
};
static const struct param peer_rows[] = {
	PARAM(struct peer, "account", account, .doc = "Account of the source group; only the caller's own."),
	PARAM(struct peer, "group", group, .doc = "Name of the source group."),
};
static const struct params peer_params = PARAMS(struct peer, peer_rows);

struct authorize_args {
	struct rules_wish wish;
	struct cs_traffic traffic;
	struct cs_owner owner;
	struct str group_name;
	struct {
		const struct peer *at;
		size_t count;
	} peers;
	uuid first; /* first of the created rules */
};
static const struct param authorize_params[] = {
	PARAM(struct authorize_args, "securitygroupid", wish.group, .kind = KIND_SECURITY_GROUP,
	      .doc = "The security group."),
	PARAM(struct authorize_args, "securitygroupname", group_name, .doc = "Name, instead of the id."),
	PARAM(struct authorize_args, "protocol", traffic.protocol,
	      .doc = "Protocol: tcp, udp, icmp, a number, or all."),
	CS_TRAFFIC_PARAMS(struct authorize_args, traffic),
	PARAM_LIST(struct authorize_args, "usersecuritygrouplist", peers, peer_params, .max = PEERS_MAX,
		   .doc = "Peers by security group, as usersecuritygrouplist[0].account and "
			  "usersecuritygrouplist[0].group."),
	CS_FOR_PARAMS(struct authorize_args, owner),
};

static RESULT read_group_peer(struct cs_call *e, const struct peer *peer, struct ref *ret_group)
{
	static const char field[] = "usersecuritygrouplist";
	const struct account *own = account_find(cs_tables(e), e->c->who->account);
	if (!peer->account.n || !peer->group.n)
		return cs_fail(e, field,
			       "Invalid user group specified, fields 'group' and 'account' cannot be null, "
			       "please specify groups in the form:  "
			       "userGroupList[0].group=XXX&userGroupList[0].account=YYY");
	if (!own || !str_equal(own->name, peer->account))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
				      "A security group of another account, %" STR_FMT
				      ", is not supported as a peer",
				      STR_ARG(peer->account));
	*ret_group = (struct ref){.kind = KIND_SECURITY_GROUP, .text = peer->group, .field = str_from(field)};
	return OK;
}

static RESULT prepare_authorize(struct cs_call *e, struct authorize_args *a,
				enum security_group_rule_direction direction)
{
	size_t blocks = a->traffic.blocks.count, count = blocks + a->peers.count;
	struct rule_wish *rules = arena_new_array(e->c->arena, struct rule_wish, count + 1);
	struct cs_read_traffic traffic;
	if (!rules)
		return ctx_no_memory(e->c);
	TRY(choose_group(e, &a->wish.group, a->group_name, "securitygroupid", "securitygroupname"));
	if (!count)
		return cs_fail(e, "cidrlist",
			       "At least one cidr or at least one security group needs to be specified");
	TRY(cs_read_traffic(e, &a->traffic, true, &traffic));
	for (size_t k = 0; k < count; k++) {
		rules[k] = (struct rule_wish){.protocol = traffic.protocol,
					      .from_port = traffic.from_port,
					      .to_port = traffic.to_port,
					      .field = k < blocks ? STR("cidrlist")
								  : STR("usersecuritygrouplist")};
		TRY(k < blocks ? cs_read_block(e, a->traffic.blocks.at[k], &rules[k].peer_block)
			       : read_group_peer(e, &a->peers.at[k - blocks], &rules[k].peer_group));
	}
	a->wish.direction = direction;
	a->wish.rules = rules;
	a->wish.rule_count = count;
	a->wish.skips_present = a->wish.none_is_all = true;
	return OK;
}

static RESULT prepare_ingress(struct cs_call *e, void *args)
{
	return prepare_authorize(e, args, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
}

static RESULT prepare_egress(struct cs_call *e, void *args)
{
	return prepare_authorize(e, args, SECURITY_GROUP_RULE_DIRECTION_EGRESS);
}

static RESULT authorize(struct op *op, void *args)
{
	struct authorize_args *a = args;
	TRY(engine_authorize_rules(op, &a->wish));
	a->first = a->wish.made.at[0];
	return OK;
}

/* Writes the rules created together with this one. */
static void write_new_rules(struct api_call *e, struct json_writer *w, const char *name,
			    const struct row *row)
{
	const struct security_group_rule *rule = security_group_rule_of(row);
	(void) name;
	write_rules(cs_call_of(e), w, rule->group, is_inward(rule), row->created_us);
}

#define OF_GROUP .path = {JOIN_ONE(KIND_SECURITY_GROUP, security_group_rule, group)}
static const struct member new_rules_members[] = {
	MEMBER(struct security_group, "id", row.id, OF_GROUP),
	MEMBER(struct security_group, "name", name, OF_GROUP),
	MEMBER(struct security_group, "description", description, OF_GROUP, .is_optional = true),
	CS_OWNER_MEMBERS(security_group_rule),
	MEMBER_WRITTEN("ingressrule", write_new_rules, .also = "egressrule"),
};
static const struct api_listing new_rules =
	CS_LISTING(KIND_SECURITY_GROUP_RULE, "securitygroup", new_rules_members);

/* ---- rules are taken back ---- */

struct revoke_args {
	struct rules_wish wish;
	struct ref rule;
};

static RESULT prepare_revoke(struct cs_call *e, struct revoke_args *a,
			     enum security_group_rule_direction direction)
{
	const struct security_group_rule *rule = NULL;
	TRY(engine_find_own_security_group_rule(e->c, cs_tables(e), &a->rule, &rule));
	if (rule->direction != direction)
		return cs_fail(e, "id", "Mismatch in rule type for security rule with id %" STR_FMT,
			       STR_ARG(a->rule.text));
	a->wish.rule_ids = (struct refs){&a->rule, 1};
	a->wish.none_is_all = true;
	return OK;
}

static RESULT prepare_revoke_ingress(struct cs_call *e, void *args)
{
	return prepare_revoke(e, args, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
}

static RESULT prepare_revoke_egress(struct cs_call *e, void *args)
{
	return prepare_revoke(e, args, SECURITY_GROUP_RULE_DIRECTION_EGRESS);
}

/* ---- the commands ---- */

#define AUTHORIZE(direction, prepared, ...)                                                                  \
	{                                                                                                    \
		.name = "authorizeSecurityGroup" direction,                                                  \
		.permit = "ec2:AuthorizeSecurityGroup" direction, .flags = API_WRITES | CS_OF_ACCOUNT,       \
		.args = PARAMS(struct authorize_args, authorize_params), .prepare = (prepared),              \
		.operation = authorize, .returns = API_RETURNS_NOTHING_STORED,                               \
		CS_SUBJECT(struct authorize_args, first), .shows = &new_rules,                               \
		.outcome = ASYNC_JOB_OUTCOME_MADE, __VA_ARGS__                                               \
	}
#define REVOKE(direction, prepared, ...)                                                                     \
	{                                                                                                    \
		.name = "revokeSecurityGroup" direction, .permit = "ec2:RevokeSecurityGroup" direction,      \
		.flags = API_WRITES,                                                                         \
		.args = CS_ONE(struct revoke_args, "id", rule, KIND_SECURITY_GROUP_RULE, "The rule."),       \
		.prepare = (prepared), .operation = engine_revoke_rules_run,                                 \
		.returns = API_RETURNS_NOTHING_STORED, CS_SUBJECT(struct revoke_args, rule.prefix),          \
		.about = KIND_SECURITY_GROUP_RULE, .outcome = ASYNC_JOB_OUTCOME_GONE, __VA_ARGS__            \
	}
static const struct cs_action actions[] = {
	{CS_ACTION("listSecurityGroups", "ec2:DescribeSecurityGroups"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_groups, list_params), .listing = &groups,
	 .doc = "Lists security groups."},
	{CS_ACTION("createSecurityGroup", "ec2:CreateSecurityGroup"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct make_group, create_params),
	 .sets = {API_SETS(struct make_group, wish.is_alone), API_SETS(struct make_group, wish.has_own_name)},
	 .operation = engine_create_security_group_run, .returns = KIND_SECURITY_GROUP,
	 CS_SUBJECT(struct make_group, wish.group), .shows = &groups, .doc = "Creates a security group."},
	{CS_ACTION("updateSecurityGroup", "ec2:ModifySecurityGroup"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct security_group_settings, update_params),
	 .operation = engine_update_security_group_run, .returns = KIND_SECURITY_GROUP,
	 CS_SUBJECT(struct security_group_settings, group.prefix), .shows = &groups,
	 .doc = "Renames a security group."},
	{CS_ACTION("deleteSecurityGroup", "ec2:DeleteSecurityGroup"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct drop_group, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_security_group_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a security group."},
	AUTHORIZE("Ingress", prepare_ingress, .doc = "Adds an ingress rule, which allows incoming traffic."),
	AUTHORIZE("Egress", prepare_egress,
		  .doc = "Adds an egress rule. The first one ends the default of allowing all outgoing "
			 "traffic."),
	REVOKE("Ingress", prepare_revoke_ingress, .doc = "Revokes an ingress rule."),
	REVOKE("Egress", prepare_revoke_egress,
	       .doc = "Revokes an egress rule. Without egress rules all outgoing traffic is allowed."),
};
const struct api_actions cs_security_group_actions = API_ACTIONS(actions);
