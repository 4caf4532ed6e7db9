/* SPDX-License-Identifier: Apache-2.0
 * Security groups and peerings: which peered VPCs refer to a group (DescribeSecurityGroupReferences), and
 * rules that refer to deleted groups or peerings (DescribeStaleSecurityGroups). */
#include "api/ec2/core/write.h"
#include "api/ec2/network/security_group_rules.h"
#include "engine/network/filter/security_group.h"
#include "model/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"

/* ---- references ---- */

struct ec2_describe_references {
	struct refs groups;
};
static const struct param describe_references_params[] = {
	PARAM(struct ec2_describe_references, "GroupId", groups, .flags = REQUIRED,
	      .kind = KIND_SECURITY_GROUP, .doc = "Security groups of the account."),
};

struct reference {
	uuid group, router, peering;
};
struct references {
	VEC(struct reference) at;
};

/* Lists each VPC only once. */
static RESULT add_reference(struct ec2_call *e, struct reference reference, struct references *found)
{
	for (size_t k = 0; k < found->at.count; k++)
		if (uuid_equal(found->at.at[k].group, reference.group) &&
		    uuid_equal(found->at.at[k].router, reference.router))
			return OK;
	return VEC_PUSH(e->c->arena, &found->at, reference) ? OK : ctx_no_memory(e->c);
}

static RESULT find_references(struct ec2_call *e, const struct tables *t, uuid group,
			      struct references *found)
{
	const struct security_group_rule *r = security_group_rule_first_by_peer_group(t, group);
	for (; r; r = security_group_rule_next_by_peer_group(t, r)) {
		const struct security_group *user = security_group_find(t, r->group);
		bool counts = row_is_live(&r->row) && !uuid_is_none(r->peering) && user &&
			      !engine_is_rule_stale(t, r);
		if (counts)
			TRY(add_reference(e, (struct reference){group, user->router, r->peering}, found));
	}
	return OK;
}

static RESULT ec2_describe_references(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_references *a = args;
	const struct tables *t = ec2_tables(e);
	struct references found = {0};
	for (size_t k = 0; k < a->groups.count; k++) {
		const struct security_group *group = NULL;
		TRY(engine_find_security_group(e->c, t, &a->groups.at[k], &group));
		TRY(find_references(e, t, group->row.id, &found));
	}
	xml_open(x, "securityGroupReferenceSet");
	for (size_t k = 0; k < found.at.count; k++) {
		xml_open(x, "item");
		ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, found.at.at[k].group);
		ec2_write_id(x, "referencingVpcId", KIND_ROUTER, found.at.at[k].router);
		ec2_write_id(x, "vpcPeeringConnectionId", KIND_PEERING, found.at.at[k].peering);
		xml_close(x, "item");
	}
	xml_close(x, "securityGroupReferenceSet");
	return OK;
}

/* ---- stale ---- */

struct ec2_describe_stale {
	struct ec2_query query;
	struct ref router;
};
static const struct param describe_stale_params[] = {
	PARAM(struct ec2_describe_stale, "VpcId", router, .flags = REQUIRED, .kind = KIND_ROUTER,
	      .doc = "VPC whose security groups are examined."),
	QUERY_PAGES(struct ec2_describe_stale, 5, 255),
};

struct stale_item {
	const struct security_group *group;
	struct ec2_shown_rules shown;
};

static bool is_stale(const struct tables *t, const struct security_group_rule *rule)
{
	return row_is_live(&rule->row) && ec2_shows_rule(rule) && engine_is_rule_stale(t, rule);
}

static bool has_stale(struct ec2_call *e, const struct row *row)
{
	const struct security_group *group = security_group_of(row);
	const struct ref *router = &((const struct ec2_describe_stale *) e->args)->router;
	const struct tables *t = ec2_tables(e);
	if (uuid_is_none(group->router) || !id_has_prefix(group->router, router->prefix, router->bits))
		return false;
	const struct security_group_rule *r = security_group_rule_first_by_group(t, row->id);
	while (r && !is_stale(t, r))
		r = security_group_rule_next_by_group(t, r);
	return r != NULL;
}

static const void *gather_stale(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct stale_item *item = arena_new_object(e->c->arena, struct stale_item);
	if (!item)
		return NULL;
	item->group = security_group_of(row);
	item->shown.is_stale = true;
	const struct security_group_rule *r = security_group_rule_first_by_group(t, row->id);
	for (; r; r = security_group_rule_next_by_group(t, r))
		if (is_stale(t, r) && !ec2_show_rule(e, t, r, &item->shown))
			return NULL;
	return item;
}

static void write_stale(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct stale_item *i = item;
	xml_text(x, "description", i->group->description);
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, i->group->row.id);
	xml_text(x, "groupName", i->group->name);
	ec2_write_id(x, "vpcId", KIND_ROUTER, i->group->router);
	ec2_write_permissions(e, x, "staleIpPermissions", &i->shown, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
	ec2_write_permissions(e, x, "staleIpPermissionsEgress", &i->shown,
			      SECURITY_GROUP_RULE_DIRECTION_EGRESS);
}

static const struct ec2_listing stale_listing = {.kind = KIND_SECURITY_GROUP,
						 .set = "staleSecurityGroupSet",
						 .shows = has_stale,
						 .gather = gather_stale,
						 .write = write_stale};

static RESULT ec2_describe_stale(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_stale *a = args;
	const struct router *router = NULL;
	TRY(engine_find_router(e->c, ec2_tables(e), &a->router, &router));
	return ec2_describe(e, &stale_listing, &a->query, x);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSecurityGroupReferences"),
	 .args = PARAMS(struct ec2_describe_references, describe_references_params),
	 .answer = ec2_describe_references,
	 .doc = "Lists the peer VPCs whose security group rules reference the given groups."},
	{EC2_ACTION("DescribeStaleSecurityGroups"),
	 .args = PARAMS(struct ec2_describe_stale, describe_stale_params), .answer = ec2_describe_stale,
	 .doc = "Lists security groups with stale rules: the referenced group or its peering connection was "
		"deleted."},
};
const struct api_actions ec2_peer_group_actions = API_ACTIONS(actions);
