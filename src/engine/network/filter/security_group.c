/* SPDX-License-Identifier: Apache-2.0
 * Security groups; security_group_rule.c has the operations on rules. The reconciler (reconcile/network/group.c)
 * deploys a group with the rules of its gen. */
#include "engine/network/filter/security_group.h"

#include "engine/acting.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "model/account.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/security_group_association.h"
#include "store/security_group_rule.h"

static RESULT write_rule_for_all(struct op *op, const struct security_group *group,
				 enum security_group_rule_direction direction, bool is_ipv6)
{
	bool inward = direction == SECURITY_GROUP_RULE_DIRECTION_INGRESS;
	struct security_group_rule rule = {.row.id = engine_new_id(op, KIND_SECURITY_GROUP_RULE),
					   .row.gen = 1,
					   .account = group->account,
					   .group = group->row.id,
					   .direction = direction,
					   .protocol = -1,
					   .from_port = -1,
					   .to_port = -1,
					   .peer_group =
						   inward && !group->lets_all ? group->row.id : UUID_NONE};
	if (uuid_is_none(rule.peer_group))
		rule.peer_block = (struct cidr){is_ipv6 ? (struct ip){.family = IP_V6} : ip_from_v4(0), 0};
	else
		rule.is_ipv6 = is_ipv6;
	if (!uuid_is_none(group->router)) /* rules made by Neutron's API show no block where any is meant */
		rule.said_block = rule.peer_block;
	return security_group_rule_put(op, &rule);
}

static bool lets_all_out(const struct security_group_rule *rule, enum ip_family family)
{
	return row_is_live(&rule->row) && rule->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS &&
	       rule->protocol == -1 && rule->peer_block.base.family == family && rule->peer_block.bits == 0;
}

bool security_group_lets_all_out(const struct security_group_rule *rule)
{
	return lets_all_out(rule, IP_V4) || lets_all_out(rule, IP_V6);
}

RESULT security_group_open_egress(struct op *op, const struct security_group *group)
{
	const struct security_group_rule *rule = security_group_rule_first_by_group(op->head, group->row.id);
	const struct router *router = router_find(op->head, group->router);
	bool has_ipv6 = !router || router->ipv6_blocks.count > 0;
	while (rule && !(row_is_live(&rule->row) && rule->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS))
		rule = security_group_rule_next_by_group(op->head, rule);
	for (int is_ipv6 = 0; !rule && is_ipv6 < (has_ipv6 ? 2 : 1); is_ipv6++)
		TRY(write_rule_for_all(op, group, SECURITY_GROUP_RULE_DIRECTION_EGRESS, is_ipv6));
	return OK;
}

RESULT security_group_let_ipv6_out(struct op *op, uuid group)
{
	bool has_ipv4 = false, has_ipv6 = false;
	const struct security_group *row = security_group_find(op->head, group);
	const struct security_group_rule *rule = security_group_rule_first_by_group(op->head, group);
	for (; rule; rule = security_group_rule_next_by_group(op->head, rule)) {
		has_ipv4 = has_ipv4 || lets_all_out(rule, IP_V4);
		has_ipv6 = has_ipv6 || lets_all_out(rule, IP_V6);
	}
	if (!row || !row_is_live(&row->row) || !has_ipv4 || has_ipv6)
		return OK;
	struct security_group next = *row;
	next.row.gen++;
	TRY(security_group_put(op, &next));
	return write_rule_for_all(op, &next, SECURITY_GROUP_RULE_DIRECTION_EGRESS, true);
}

/* New groups allow all egress. Members of a default group reach each other; a group that allows everything
 * also allows all ingress. A group without a VPC has one rule a family, as in Neutron; in a VPC a rule by
 * membership covers both families. */
RESULT security_group_write(struct op *op, const struct security_group_plan *plan, uuid *ret_group)
{
	struct security_group group = {.row.id = engine_new_id(op, KIND_SECURITY_GROUP),
				       .row.gen = 1,
				       .account = plan->account,
				       .router = plan->router,
				       .name = plan->name,
				       .description = plan->description,
				       .is_default = plan->is_default,
				       .lets_all = plan->lets_all,
				       .tags = plan->tags};
	TRY(security_group_put(op, &group));
	bool is_alone = uuid_is_none(plan->router);
	for (int is_ipv6 = 0; is_ipv6 < (is_alone || plan->has_ipv6 ? 2 : 1); is_ipv6++) {
		TRY(write_rule_for_all(op, &group, SECURITY_GROUP_RULE_DIRECTION_EGRESS, is_ipv6));
		if ((plan->is_default || plan->lets_all) && (is_alone || !is_ipv6))
			TRY(write_rule_for_all(op, &group, SECURITY_GROUP_RULE_DIRECTION_INGRESS, is_ipv6));
	}
	*ret_group = group.row.id;
	return engine_log_event(op, KIND_SECURITY_GROUP, &group.row, "created",
				"Security group %" STR_FMT ".", STR_ARG(group.name));
}

const struct security_group *engine_find_default_group(const struct tables *t, uuid account)
{
	const struct security_group *group = security_group_first_by_account(t, account);
	while (group && !(row_is_live(&group->row) && group->is_default && uuid_is_none(group->router)))
		group = security_group_next_by_account(t, group);
	return group;
}

RESULT security_group_find_default(struct op *op, uuid account, uuid *ret_group)
{
	const struct security_group *group = engine_find_default_group(op->head, account);
	if (group) {
		*ret_group = group->row.id;
		return OK;
	}
	struct security_group_plan plan = {.account = account,
					   .name = STR("default"),
					   .description = STR("Default security group"),
					   .is_default = true};
	return security_group_write(op, &plan, ret_group);
}

RESULT security_group_find_open(struct op *op, uuid account, uuid *ret_group)
{
	const struct security_group *group = security_group_first_by_account(op->head, account);
	while (group && !(row_is_live(&group->row) && group->lets_all))
		group = security_group_next_by_account(op->head, group);
	if (group) {
		*ret_group = group->row.id;
		return OK;
	}
	struct security_group_plan plan = {
		.account = account,
		.name = STR("behind-firewall"),
		.description =
			STR("Lets everything in and out, for good. Machines that CloudStack deploys have it "
			    "where "
			    "the firewall of their network, or the ACL of their tier, stands before them."),
		.lets_all = true};
	return security_group_write(op, &plan, ret_group);
}

RESULT engine_ensure_default_group(struct op *op, struct security_group_wish *wish)
{
	uuid account = UUID_NONE;
	/* Every account has the group, and its first list makes it. */
	engine_need_no_permission(op);
	TRY(engine_find_owner_id(op, &wish->account, &account));
	return security_group_find_default(op, account, &wish->group);
}

static RESULT find_router(struct op *op, const struct ref *ref, const struct router **ret_router)
{
	if (ref_is_given(ref))
		return engine_find_own_router(op->ctx, op->head, ref, ret_router);
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	*ret_router = router_find(op->head, account->default_router);
	if (!*ret_router)
		return ctx_fail_kind(op->ctx, ERR_MISSING, KIND_ROUTER, "No default VPC for this user");
	return OK;
}

static RESULT check_names(struct op *op, const struct security_group_wish *wish)
{
	if (wish->name.n < 1 || wish->name.n > 255 || !str_is_line(wish->name))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECURITY_GROUP,
				     "A security group's name has 1 to 255 characters.");
	if (str_starts_with(wish->name, STR("sg-")))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECURITY_GROUP,
				     "Value (%" STR_FMT
				     ") for parameter GroupName is invalid. Group names may "
				     "not be in the format sg-*.",
				     STR_ARG(wish->name));
	if (wish->description.n > 255 || !str_is_xml_text(wish->description))
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECURITY_GROUP,
				     "A security group's description has up to 255 characters.");
	return OK;
}

/* True if the account has a live group of that name without a VPC. */
static bool has_alone(const struct tables *t, uuid account, struct str name)
{
	const struct security_group *group = security_group_find_by_name(t, account, name);
	while (group && str_equal(group->name, name) &&
	       !(row_is_live(&group->row) && uuid_is_none(group->router)))
		group = security_group_next_by_name(t, group);
	return group && str_equal(group->name, name);
}

enum { RULES_OF_NEW_GROUP = 2 }; /* all egress, for either family */

/* Creates a group without a VPC. Names need not be unique, unless has_own_name asks for it. */
static RESULT create_alone(struct op *op, struct security_group_wish *wish)
{
	uuid account = UUID_NONE;
	uuid ignored = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct security_group_plan plan = {
		.account = account, .name = wish->name, .description = wish->description};
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	if (str_is(wish->name, "default"))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_SECURITY_GROUP,
				     "Default security group already exists.");
	if (wish->has_own_name && has_alone(op->head, account, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SECURITY_GROUP, STR("name"),
				   "Unable to create security group, a group with name %" STR_FMT
				   " already exists.",
				   STR_ARG(wish->name));
	TRY(quota_check(op, account, QUOTA_GROUPS, 1));
	TRY(quota_check(op, account, QUOTA_RULES, RULES_OF_NEW_GROUP));
	TRY(engine_permit(op, "security_group.create", KIND_SECURITY_GROUP, NULL));
	/* Comes after the quota check: as in Neutron, the default group does not count against the client's
	 * request. */
	TRY(security_group_find_default(op, account, &ignored));
	return security_group_write(op, &plan, &wish->group);
}

RESULT engine_create_security_group(struct op *op, struct security_group_wish *wish)
{
	const struct router *router = NULL;
	if (wish->is_alone)
		return create_alone(op, wish);
	TRY(find_router(op, &wish->router, &router));
	TRY(check_names(op, wish));
	if (str_is(wish->name, "default"))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SECURITY_GROUP, STR("GroupName"),
				   "Cannot use reserved security group name: default");
	if (security_group_find_by_router(op->head, router->row.id, wish->name))
		return ctx_fail_kind(
			op->ctx, ERR_EXISTS, KIND_SECURITY_GROUP,
			"The security group '%" STR_FMT "' already exists for VPC '%" STR_FMT "'",
			STR_ARG(wish->name), STR_ARG(engine_write_id(op, KIND_ROUTER, router->row.id)));
	struct security_group_plan plan = {.account = router->account,
					   .router = router->row.id,
					   .name = wish->name,
					   .description = wish->description,
					   .has_ipv6 = router->ipv6_blocks.count > 0};
	TRY(tag_normalize(op, wish->tags, &plan.tags));
	TRY(quota_check(op, router->account, QUOTA_GROUPS, 1));
	TRY(engine_permit(op, "security_group.create", KIND_ROUTER, &router->row));
	return security_group_write(op, &plan, &wish->group);
}

static RESULT check_new_words(struct op *op, const struct security_group_settings *wish)
{
	bool is_name = !wish->name || (wish->name->n <= 255 && str_is_line(*wish->name));
	if (is_name &&
	    (!wish->description || (wish->description->n <= 255 && str_is_xml_text(*wish->description))))
		return OK;
	return ENGINE_FAIL(
		op, ERR_INVALID, KIND_SECURITY_GROUP, is_name ? STR("description") : STR("name"),
		"A security group's name has up to 255 characters on one line, and its description up to "
		"255.");
}

RESULT engine_update_security_group(struct op *op, struct security_group_settings *wish)
{
	const struct security_group *group = NULL;
	TRY(engine_find_own_security_group(op->ctx, op->head, &wish->group, &group));
	struct security_group next = *group;
	TRY(check_new_words(op, wish));
	if (wish->name && group->is_default && !str_equal(*wish->name, group->name))
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_SECURITY_GROUP, wish->group.field,
				   "Updating the default security group's name is not allowed.");
	if (wish->name && !group->is_default && uuid_is_none(group->router) && str_is(*wish->name, "default"))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SECURITY_GROUP, wish->group.field,
				   "Default security group already exists.");
	if (wish->name && !str_equal(*wish->name, group->name) && !uuid_is_none(group->router) &&
	    security_group_find_by_router(op->head, group->router, *wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_SECURITY_GROUP, wish->group.field,
				   "The security group '%" STR_FMT "' already exists in its VPC.",
				   STR_ARG(*wish->name));
	TRY(engine_permit(op, "security_group.update", KIND_SECURITY_GROUP, &group->row));
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	next.row.gen++;
	TRY(security_group_put(op, &next));
	return engine_log_event(op, KIND_SECURITY_GROUP, &next.row, "changed", "Name or description.");
}

/* ---- deletion ---- */

static bool port_has_group(const struct port *port, uuid group)
{
	for (size_t n = 0; n < port->groups.count; n++)
		if (uuid_equal(port->groups.at[n], group))
			return true;
	return false;
}

/* True if another group's rule names the group. */
static bool is_named_by(const struct security_group *group, const struct security_group_rule *rule)
{
	return row_is_live(&rule->row) && uuid_is_none(rule->peering) &&
	       !uuid_equal(rule->group, group->row.id);
}

/* Id of what still uses the group: an associated router, a port, or a rule of another group that is not
 * revoked with it. Empty if nothing does. */
static struct str find_user(struct op *op, const struct security_group *group, bool takes_rules)
{
	const struct security_group_association *association =
		security_group_association_first_by_group(op->head, group->row.id);
	if (association)
		return engine_write_id(op, KIND_ROUTER, association->router);
	bool is_alone = uuid_is_none(group->router);
	const struct port *port = is_alone ? port_first_by_account(op->head, group->account)
					   : port_first_by_router(op->head, group->router);
	for (; port;
	     port = is_alone ? port_next_by_account(op->head, port) : port_next_by_router(op->head, port))
		if (row_is_live(&port->row) && port_has_group(port, group->row.id))
			return engine_write_id(op, KIND_PORT, port->row.id);
	const struct security_group_rule *rule =
		security_group_rule_first_by_peer_group(op->head, group->row.id);
	for (; rule; rule = security_group_rule_next_by_peer_group(op->head, rule))
		if (is_named_by(group, rule) && !(takes_rules && uuid_equal(rule->account, group->account)))
			return engine_write_id(op, KIND_SECURITY_GROUP, rule->group);
	return STR_NONE;
}

RESULT security_group_delete_with_rules(struct op *op, uuid group)
{
	const struct security_group_rule *rule, *next = NULL;
	/* Rules of other groups that name this one are revoked already, or the deletion would have been
	 * refused. Live rules over a peering stay: they belong to the peer's account. */
	for (rule = security_group_rule_first_by_peer_group(op->head, group); rule; rule = next) {
		next = security_group_rule_next_by_peer_group(op->head, rule);
		if (uuid_is_none(rule->peering) || !row_is_live(&rule->row))
			TRY(security_group_rule_forget(op, rule->row.id));
	}
	return security_group_delete(op, group);
}

/* Revokes a rule of another group. Asks for that group's own permission, because the call did not name the
 * group. */
static RESULT take_rule(struct op *op, uuid rule, const struct security_group *from)
{
	TRY(engine_permit(op, "security_group.revoke", KIND_SECURITY_GROUP, &from->row));
	TRY(security_group_rule_forget(op, rule));
	struct security_group next = *from;
	next.row.gen++;
	TRY(security_group_put(op, &next));
	return engine_log_event(op, KIND_SECURITY_GROUP, &next.row, "rules removed",
				"A group that a rule names is deleted.");
}

static RESULT take_rules(struct op *op, const struct security_group *group)
{
	const struct security_group_rule *rule = security_group_rule_first_by_peer_group(op->head,
											 group->row.id),
					 *next = NULL;
	for (; rule; rule = next) {
		next = security_group_rule_next_by_peer_group(op->head, rule);
		if (is_named_by(group, rule))
			TRY(take_rule(op, rule->row.id, security_group_find(op->head, rule->group)));
	}
	return OK;
}

RESULT engine_delete_security_group(struct op *op, struct security_group_target *wish)
{
	const struct security_group *group = NULL;
	TRY(engine_permit_security_group(op, &wish->group, "security_group.delete", &group));
	struct str id = engine_write_id(op, KIND_SECURITY_GROUP, group->row.id);
	if (group->is_default && !(uuid_is_none(group->router) && identity_is_admin(op->ctx->who)))
		return ENGINE_FAIL_ABOUT(op, ERR_PROTECTED, KIND_SECURITY_GROUP, &wish->group,
					 "the specified group: \"%" STR_FMT
					 "\" name: \"default\" cannot be deleted by a user",
					 STR_ARG(id));
	struct str user = find_user(op, group, wish->takes_rules);
	if (!str_is_empty(user))
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_SECURITY_GROUP, &wish->group,
					 "resource %" STR_FMT " has a dependent object: %" STR_FMT,
					 STR_ARG(id), STR_ARG(user));
	TRY(take_rules(op, group));
	TRY(security_group_delete_with_rules(op, group->row.id));
	return engine_log_event(op, KIND_SECURITY_GROUP, &group->row, "deleted",
				"Security group %" STR_FMT ".", STR_ARG(group->name));
}

/* ---- groups of ports ---- */

static bool has_group(const uuid *groups, size_t count, uuid id)
{
	for (size_t n = 0; n < count; n++)
		if (uuid_equal(groups[n], id))
			return true;
	return false;
}

RESULT security_group_check_count(struct op *op, size_t count, struct str field)
{
	if (count <= PORT_GROUPS_MAX)
		return OK;
	return ENGINE_FAIL(op, ERR_QUOTA, KIND_SECURITY_GROUP, field,
			   "A network interface can be in %d security groups at most; %zu were named",
			   PORT_GROUPS_MAX, count);
}

RESULT security_group_resolve_all(struct op *op, uuid account, const struct router *router, struct refs refs,
				  struct uuids *ret_groups)
{
	uuid *groups = arena_new_array(op->ctx->arena, uuid, refs.count ? refs.count : 1);
	if (!groups)
		return ctx_no_memory(op->ctx);
	size_t count = 0;
	if (refs.count == 0 && router && !uuid_is_none(router->default_group))
		groups[count++] = router->default_group;
	else if (refs.count == 0)
		TRY(security_group_find_default(op, account, &groups[count++]));
	for (size_t n = 0; n < refs.count; n++) {
		const struct security_group *group = NULL;
		TRY(engine_find_group_in(op->ctx, op->head, account, router ? router->row.id : UUID_NONE,
					 &refs.at[n], &group));
		TRY(engine_permit(op, "security_group.use", KIND_SECURITY_GROUP, &group->row));
		if (!has_group(groups, count, group->row.id))
			groups[count++] = group->row.id;
	}
	if (refs.count)
		TRY(security_group_check_count(op, count, refs.at[0].field));
	*ret_groups = (struct uuids){groups, count};
	return OK;
}
