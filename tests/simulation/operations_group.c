/* SPDX-License-Identifier: Apache-2.0
 * Security groups and their rules. */
#include <stdio.h>

#include "simulation.h"

static struct thing *find_named(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SECURITY_GROUP)
		if (t->of == x->refs[0] && strcmp(t->name, x->name) == 0)
			return t;
	return NULL;
}

static bool draw_group(struct request *x)
{
	snprintf(x->name, sizeof x->name, "g%d", (int) random_below(8));
	request_add(x, "GroupName", "%s", x->name);
	request_add(x, "GroupDescription", "drawn");
	return true;
}

static size_t count_groups(const struct request *x)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_SECURITY_GROUP)
		used += t->account == x->account;
	return used;
}

static void judge_group(const struct request *x, struct verdict *v)
{
	if (find_named(x))
		refuse(v, "InvalidGroup.Duplicate");
	if (count_groups(x) >= LIMIT_GROUPS)
		refuse(v, "SecurityGroupLimitExceeded");
}

static void apply_group(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add_group(&x->s->model, x->account, x->refs[0], str_from(x->name),
					     answer_at(answer, "groupId")));
}

static bool draw_os_group(struct request *x)
{
	snprintf(x->name, sizeof x->name, "g%d", (int) random_below(8));
	request_add(x, "name", "\"%s\"", x->name);
	return true;
}

static void judge_os_group(const struct request *x, struct verdict *v)
{
	if (count_groups(x) >= LIMIT_GROUPS)
		refuse(v, "409 OverQuota");
}

static void apply_os_group(struct request *x, struct str answer)
{
	struct str rules = answer_at(answer, "security_group/security_group_rules"), item;
	size_t count = 0;
	model_add_group(&x->s->model, x->account, NULL, str_from(x->name),
			answer_at(answer, "security_group/id"));
	while (answer_next_item(&rules, &item))
		count++;
	if (count != 2)
		blame(x->s, "#%d: a new group has %zu rules", (int) x->serial, count);
}

/* Nova uses the same groups, with an error code of its own for each refusal. */
static const char *word(const struct request *x, const char *ec2, const char *neutron)
{
	bool is_nova = strstr(x->operation->action, "/compute/") != NULL;
	return is_nova ? "400" : request_word(x, ec2, neutron);
}

/* Neutron deletes the account's rules that name the group; EC2 refuses. */
static bool goes_with_group(const struct request *x, const struct thing *rule)
{
	return request_is_openstack(x) && rule->account == x->account;
}

static void judge_delete_group(const struct request *x, struct verdict *v)
{
	const struct thing *group = x->refs[0];
	const char *code = word(x, "DependencyViolation", "409 SecurityGroupInUse");
	if (group->is_default)
		refuse(v, word(x, "CannotDelete", "409 SecurityGroupCannotRemoveDefault"));
	EACH (&x->s->model, t, KIND_SECURITY_GROUP_ASSOCIATION)
		if (t->of == group) {
			refuse(v, code);
			return;
		}
	EACH (&x->s->model, t, KIND_SECURITY_GROUP_RULE)
		if (t->to == group && t->of != group && !goes_with_group(x, t)) {
			refuse(v, code);
			return;
		}
	EACH (&x->s->model, t, KIND_PORT)
		if ((t->of ? t->of->group : t->group) == group)
			refuse_or_doubt(v, !model_may_have_ended(t), code);
}

static void apply_delete_group(struct request *x, struct str answer)
{
	EACH (&x->s->model, t, KIND_SECURITY_GROUP_RULE)
		if (t->to == x->refs[0] && t->of != x->refs[0] && goes_with_group(x, t))
			model_end(&x->s->model, t, GONE);
	request_apply_end(x, answer);
}

/* ---- associations with further VPCs ---- */

static void judge_associate(const struct request *x, struct verdict *v)
{
	const struct thing *group = x->refs[0], *vpc = x->refs[1];
	if (group->is_default || !group->of || group->of == vpc || vpc->is_default)
		refuse(v, "InvalidParameterValue");
}

/* Repeating the call changes nothing. */
static void apply_associate(struct request *x, struct str answer)
{
	struct model *m = &x->s->model;
	if (!str_is(answer_at(answer, "state"), "associating"))
		blame(x->s, "#%d: a group is not being associated", (int) x->serial);
	if (!model_group_association(m, x->refs[0], x->refs[1]))
		model_add(m, KIND_SECURITY_GROUP_ASSOCIATION, x->account, x->refs[0], STR_NONE)->to =
			x->refs[1];
}

static void judge_disassociate(const struct request *x, struct verdict *v)
{
	const struct thing *group = x->refs[0], *vpc = x->refs[1];
	if (!model_group_association(&x->s->model, group, vpc)) {
		refuse(v, "InvalidAssociationID.NotFound");
		return;
	}
	EACH (&x->s->model, t, KIND_PORT)
		if ((t->of ? t->of->group : t->group) == group && model_subnet(t)->of == vpc)
			refuse_or_doubt(v, !model_may_have_ended(t), "DependencyViolation");
}

static void apply_disassociate(struct request *x, struct str answer)
{
	struct model *m = &x->s->model;
	(void) answer;
	model_end(m, model_group_association(m, x->refs[0], x->refs[1]), GONE);
}

/* ---- rules ---- */

static bool draw_rule(struct request *x)
{
	x->port = random_below(2) ? 22 : 80;
	request_add(x, "IpPermissions.1.IpProtocol", "tcp");
	request_add(x, "IpPermissions.1.FromPort", "%d", (int) x->port);
	request_add(x, "IpPermissions.1.ToPort", "%d", (int) x->port);
	if (random_below(3) == 0)
		return request_ref(x, "IpPermissions.1.Groups.1.GroupId", KIND_SECURITY_GROUP) != NULL;
	x->block = (struct cidr){ip_from_v4((uint32_t) (10U << 24 | random_below(2) << 8)), 24};
	char text[CIDR_TEXT_SIZE];
	request_add(x, "IpPermissions.1.IpRanges.1.CidrIp", "%s", cidr_write(x->block, text));
	return true;
}

static bool draw_os_rule(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	x->port = random_below(2) ? 22 : 80;
	x->flag = random_below(2) == 0;
	request_add(x, "direction", "\"%s\"", x->flag ? "egress" : "ingress");
	request_add(x, "protocol", "\"tcp\"");
	request_add(x, "port_range_min", "%d", (int) x->port);
	request_add(x, "port_range_max", "%d", (int) x->port);
	if (random_below(3) == 0)
		return request_ref(x, "remote_group_id", KIND_SECURITY_GROUP) != NULL;
	x->block = (struct cidr){ip_from_v4((uint32_t) (10U << 24 | random_below(2) << 8)), 24};
	request_add(x, "remote_ip_prefix", "\"%s\"", cidr_write(x->block, text));
	return true;
}

static bool draw_nova_rule(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	x->port = random_below(2) ? 22 : 80;
	request_add(x, "ip_protocol", "\"tcp\"");
	request_add(x, "from_port", "%d", (int) x->port);
	request_add(x, "to_port", "%d", (int) x->port);
	if (random_below(3) == 0)
		return request_ref(x, "group_id", KIND_SECURITY_GROUP) != NULL;
	x->block = (struct cidr){ip_from_v4((uint32_t) (10U << 24 | random_below(2) << 8)), 24};
	request_add(x, "cidr", "\"%s\"", cidr_write(x->block, text));
	return true;
}

static bool is_egress(const struct request *x)
{
	return request_is_openstack(x) ? x->flag : strstr(x->operation->action, "Egress") != NULL;
}

static struct thing *find_rule(const struct request *x)
{
	return model_rule(&x->s->model, x->refs[0], is_egress(x), x->port, x->block,
			  x->ref_count > 1 ? x->refs[1] : NULL);
}

static void judge_peer(const struct request *x, struct verdict *v)
{
	bool is_of_another = x->ref_count > 1 && x->refs[1]->of && x->refs[1]->of != x->refs[0]->of;
	if (is_of_another && !model_group_association(&x->s->model, x->refs[1], x->refs[0]->of))
		refuse(v, word(x, "InvalidParameterValue", "400 HTTPBadRequest"));
}

static void judge_authorize(const struct request *x, struct verdict *v)
{
	judge_peer(x, v);
	if (find_rule(x))
		refuse(v, word(x, "InvalidPermission.Duplicate", "409 SecurityGroupRuleExists"));
}

static void apply_authorize(struct request *x, struct str answer)
{
	struct str id = answer_at(answer, request_word(x, "securityGroupRuleSet/item/securityGroupRuleId",
						       "security_group_rule/id"));
	struct thing *rule = model_add(&x->s->model, KIND_SECURITY_GROUP_RULE, x->account, x->refs[0], id);
	rule->egress = is_egress(x);
	rule->port = x->port;
	rule->block = x->block;
	rule->to = x->ref_count > 1 ? x->refs[1] : NULL;
	request_apply_tag(x, rule);
}

/* A stale rule can be found like any other. */
static void judge_revoke(const struct request *x, struct verdict *v)
{
	if (find_rule(x))
		return;
	judge_peer(x, v);
	if (!x->refs[0]->of || !x->refs[0]->of->is_default)
		refuse(v, "InvalidPermission.NotFound");
}

static void apply_revoke(struct request *x, struct str answer)
{
	struct thing *rule = find_rule(x);
	(void) answer;
	if (rule) /* in a default VPC the revocation of a missing rule succeeds */
		model_end(&x->s->model, rule, GONE);
}

static bool draw_rule_change(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	x->port = random_below(2) ? 22 : 80;
	x->block = (struct cidr){ip_from_v4((uint32_t) (10U << 24 | random_below(2) << 8)), 24};
	request_add(x, "SecurityGroupRule.1.SecurityGroupRule.IpProtocol", "tcp");
	request_add(x, "SecurityGroupRule.1.SecurityGroupRule.FromPort", "%d", (int) x->port);
	request_add(x, "SecurityGroupRule.1.SecurityGroupRule.ToPort", "%d", (int) x->port);
	request_add(x, "SecurityGroupRule.1.SecurityGroupRule.CidrIpv4", "%s", cidr_write(x->block, text));
	return true;
}

static void judge_rule_change(const struct request *x, struct verdict *v)
{
	const struct thing *rule = x->refs[1];
	const struct thing *same = model_rule(&x->s->model, rule->of, rule->egress, x->port, x->block, NULL);
	if (rule->of != x->refs[0])
		refuse(v, "InvalidSecurityGroupRuleId.NotFound");
	else if (same && same != rule)
		refuse(v, "InvalidPermission.Duplicate");
}

static void apply_rule_change(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[1]->port = x->port;
	x->refs[1]->block = x->block;
	x->refs[1]->to = NULL;
}

#define GROUP_ID                                                                                             \
	{                                                                                                    \
		{                                                                                            \
			"GroupId", KIND_SECURITY_GROUP                                                       \
		}                                                                                            \
	}
#define OS_GROUPS "/network/v2.0/security-groups"
#define OS_RULES "/network/v2.0/security-group-rules"
#define NOVA_GROUPS "/compute/v2.1/os-security-groups"
#define NOVA_RULES "/compute/v2.1/os-security-group-rules"
static const struct operation rows[] = {
	{"POST " OS_GROUPS, 2, {}, "security_group", draw_os_group, judge_os_group, apply_os_group},
	{"DELETE " OS_GROUPS "/{security_group_id}",
	 2,
	 {{"security_group_id", KIND_SECURITY_GROUP}},
	 NULL,
	 NULL,
	 judge_delete_group,
	 apply_delete_group},
	{"POST " OS_RULES,
	 3,
	 {{"security_group_id", KIND_SECURITY_GROUP}},
	 "security_group_rule",
	 draw_os_rule,
	 judge_authorize,
	 apply_authorize},
	{"DELETE " OS_RULES "/{rule_id}",
	 2,
	 {{"rule_id", KIND_SECURITY_GROUP_RULE}},
	 NULL,
	 NULL,
	 NULL,
	 request_apply_end},
	{"DELETE " NOVA_GROUPS "/{id}",
	 1,
	 {{"id", KIND_SECURITY_GROUP}},
	 NULL,
	 NULL,
	 judge_delete_group,
	 apply_delete_group},
	{"POST " NOVA_RULES,
	 2,
	 {{"parent_group_id", KIND_SECURITY_GROUP}},
	 "security_group_rule",
	 draw_nova_rule,
	 judge_authorize,
	 apply_authorize},
	{"DELETE " NOVA_RULES "/{id}",
	 1,
	 {{"id", KIND_SECURITY_GROUP_RULE}},
	 NULL,
	 NULL,
	 NULL,
	 request_apply_end},
	{"CreateSecurityGroup",
	 3,
	 {{"VpcId", KIND_ROUTER}},
	 "security-group",
	 draw_group,
	 judge_group,
	 apply_group},
	{"DeleteSecurityGroup", 3, GROUP_ID, NULL, NULL, judge_delete_group, request_apply_end},
	{"AssociateSecurityGroupVpc",
	 2,
	 {{"GroupId", KIND_SECURITY_GROUP}, {"VpcId", KIND_ROUTER}},
	 NULL,
	 NULL,
	 judge_associate,
	 apply_associate},
	{"DisassociateSecurityGroupVpc",
	 2,
	 {{"GroupId", KIND_SECURITY_GROUP}, {"VpcId", KIND_ROUTER}},
	 NULL,
	 NULL,
	 judge_disassociate,
	 apply_disassociate},
	{"AuthorizeSecurityGroupIngress", 4, GROUP_ID, "security-group-rule", draw_rule, judge_authorize,
	 apply_authorize},
	{"AuthorizeSecurityGroupEgress", 2, GROUP_ID, "security-group-rule", draw_rule, judge_authorize,
	 apply_authorize},
	{"RevokeSecurityGroupIngress", 2, GROUP_ID, NULL, draw_rule, judge_revoke, apply_revoke},
	{"RevokeSecurityGroupEgress", 1, GROUP_ID, NULL, draw_rule, judge_revoke, apply_revoke},
	{"ModifySecurityGroupRules",
	 2,
	 {{"GroupId", KIND_SECURITY_GROUP},
	  {"SecurityGroupRule.1.SecurityGroupRuleId", KIND_SECURITY_GROUP_RULE}},
	 NULL,
	 draw_rule_change,
	 judge_rule_change,
	 apply_rule_change},
};
const struct operations group_operations = {rows, sizeof rows / sizeof *rows};
