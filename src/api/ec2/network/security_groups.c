/* SPDX-License-Identifier: Apache-2.0
 * Security groups: DescribeSecurityGroups, GetSecurityGroupsForVpc, CreateSecurityGroup, DeleteSecurityGroup.
 * Their rules: security_group_rules.c. */
#include "api/ec2/core/write.h"
#include "api/ec2/network/security_group_rules.h"
#include "engine/network/filter/security_group.h"
#include "engine/network/filter/security_group_association.h"
#include "engine/network/routing/router.h"
#include "model/router.h"
#include "store/security_group.h"
#include "store/security_group_rule.h"

/* ---- describe ---- */

struct ec2_describe_groups {
	struct ec2_query query;
};
static const struct param describe_groups_params[] = {
	QUERY_IDS(struct ec2_describe_groups, "GroupId", KIND_SECURITY_GROUP, "Security groups by id."),
	QUERY_NAMES(struct ec2_describe_groups, "GroupName", KIND_SECURITY_GROUP,
		    "Security groups of the default VPC by name."),
	QUERY_FILTERS(struct ec2_describe_groups),
	QUERY_PAGES(struct ec2_describe_groups, 5, 1000),
};

/* Compares one attribute of a rule with a filter "[egress.]ip-permission.<attribute>". */
static bool fits_rule(const struct filter_run *f, const struct security_group_rule *rule,
		      struct str attribute)
{
	char text[CIDR_TEXT_SIZE];
	bool is_ipv6 = rule->peer_block.base.family == IP_V6;
	if (str_ends_with(attribute, STR("cidr")))
		return !cidr_is_none(rule->peer_block) && is_ipv6 == str_is(attribute, "ipv6-cidr") &&
		       filter_z(f, cidr_write(rule->peer_block, text));
	if (str_is(attribute, "protocol"))
		return filter_text(f, ec2_protocol_word(f->e->c->arena, rule->protocol));
	if (str_is(attribute, "from-port"))
		return filter_int(f, rule->from_port);
	if (str_is(attribute, "to-port"))
		return filter_int(f, rule->to_port);
	if (str_is(attribute, "group-id"))
		return filter_id(f, KIND_SECURITY_GROUP, rule->peer_group);
	if (uuid_is_none(rule->peer_group))
		return false;
	if (str_is(attribute, "user-id"))
		return filter_owner(f, 0);
	/* Rules of a VPC's group refer to the peer by id, those without a VPC by name. */
	const struct security_group *peer = security_group_find(f->t, rule->peer_group);
	return peer && uuid_is_none(peer->router) && filter_text(f, peer->name);
}

static bool fits_permission(const struct filter_run *f, const struct row *row)
{
	struct str name = str_from(f->filter->name);
	bool egress = str_starts_with(name, STR("egress."));
	struct str attribute =
		str_slice(name, strlen(egress ? "egress.ip-permission." : "ip-permission."), name.n);
	const struct security_group_rule *r = security_group_rule_first_by_group(f->t, row->id);
	for (; r; r = security_group_rule_next_by_group(f->t, r))
		if (row_is_live(&r->row) &&
		    (r->direction == SECURITY_GROUP_RULE_DIRECTION_EGRESS) == egress &&
		    fits_rule(f, r, attribute))
			return true;
	return false;
}

#define BY_PEER                                                                                              \
	.access_paths = {{KIND_SECURITY_GROUP_RULE, SECURITY_GROUP_RULE_INDEX_PEER_GROUP,                    \
			  .joins = {JOIN_ONE(KIND_SECURITY_GROUP, security_group_rule, group)}}}
static const struct filter group_filters[] = {
	{"group-id", .is_id = true},
	{"group-name", .field = "name", .index = SECURITY_GROUP_INDEX_NAME},
	{"vpc-id", .field = "router", .index = SECURITY_GROUP_INDEX_ROUTER},
	{"description", .field = "description"},
	{"owner-id", .get = filter_owner},
	{"ip-permission.cidr", .get = fits_permission},
	{"ip-permission.protocol", .get = fits_permission},
	{"ip-permission.from-port", .get = fits_permission},
	{"ip-permission.to-port", .get = fits_permission},
	{"ip-permission.group-id", .get = fits_permission, BY_PEER},
	{"ip-permission.group-name", .get = fits_permission},
	{"ip-permission.user-id", .get = fits_permission},
	{"egress.ip-permission.cidr", .get = fits_permission},
	{"egress.ip-permission.protocol", .get = fits_permission},
	{"egress.ip-permission.from-port", .get = fits_permission},
	{"egress.ip-permission.to-port", .get = fits_permission},
	{"egress.ip-permission.group-id", .get = fits_permission, BY_PEER},
	{"egress.ip-permission.group-name", .get = fits_permission},
	{"egress.ip-permission.user-id", .get = fits_permission},
	{"ip-permission.ipv6-cidr", .get = fits_permission},
	{"ip-permission.prefix-list-id", .get = filter_nothing},
	{"egress.ip-permission.ipv6-cidr", .get = fits_permission},
	{"egress.ip-permission.prefix-list-id", .get = filter_nothing},
};

struct group_item {
	const struct security_group *group;
	struct ec2_shown_rules shown;
};

static const void *gather_group(struct ec2_call *e, const struct row *row)
{
	const struct tables *t = ec2_tables(e);
	struct group_item *item = arena_new_object(e->c->arena, struct group_item);
	if (!item)
		return 0;
	item->group = security_group_of(row);
	const struct security_group_rule *r = security_group_rule_first_by_group(t, row->id);
	for (; r; r = security_group_rule_next_by_group(t, r))
		if (row_is_live(&r->row) && ec2_shows_rule(r) && !ec2_show_rule(e, t, r, &item->shown))
			return 0;
	return item;
}

static void write_arn(struct ec2_call *e, struct xml *x, uuid group)
{
	ec2_write_arn(e, x, "securityGroupArn", "security-group", KIND_SECURITY_GROUP, group);
}

static void write_group(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct group_item *g = item;
	PREFETCH_ROWS(KIND_SECURITY_GROUP_RULE, g->shown.rules);
	xml_text(x, "ownerId", e->owner);
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, g->group->row.id);
	xml_text(x, "groupName", g->group->name);
	xml_text(x, "groupDescription", g->group->description);
	ec2_write_id(x, "vpcId", KIND_ROUTER, g->group->router);
	write_arn(e, x, g->group->row.id);
	ec2_write_permissions(e, x, "ipPermissions", &g->shown, SECURITY_GROUP_RULE_DIRECTION_INGRESS);
	ec2_write_permissions(e, x, "ipPermissionsEgress", &g->shown, SECURITY_GROUP_RULE_DIRECTION_EGRESS);
	ec2_write_tags_if_any(x, g->group->tags);
}

static const struct ec2_listing group_listing = {.kind = KIND_SECURITY_GROUP,
						 .set = "securityGroupInfo",
						 .filters = FILTERS(group_filters),
						 .gather = gather_group,
						 .write = write_group};

/* ---- of a VPC ---- */

struct ec2_get_groups {
	struct ec2_query query;
	struct ref vpc;
	uuid found;
};
static const struct param get_groups_params[] = {
	PARAM(struct ec2_get_groups, "VpcId", vpc, .flags = REQUIRED, .kind = KIND_ROUTER, .doc = "The VPC."),
	QUERY_FILTERS(struct ec2_get_groups),
	QUERY_PAGES(struct ec2_get_groups, 5, 1000),
};

static RESULT prepare_get(struct ec2_call *e, void *args)
{
	struct ec2_get_groups *a = args;
	const struct router *router = NULL;
	TRY(engine_find_router(e->c, ec2_tables(e), &a->vpc, &router));
	a->found = router->row.id;
	return OK;
}

static bool is_of_vpc(struct ec2_call *e, const struct row *row)
{
	const struct security_group *group = security_group_of(row);
	return !uuid_is_none(group->router) &&
	       engine_is_group_in(ec2_tables(e), group, ((const struct ec2_get_groups *) e->args)->found);
}

static const struct attribute vpc_group_rows[] = {
	ATTRIBUTE(security_group, "description", description, .filter = "description"),
	ATTRIBUTE(security_group, "groupName", name, .filter = "group-name",
		  .index = SECURITY_GROUP_INDEX_NAME),
	EC2_OWNER("ownerId", .filter = "owner-id"),
	ATTRIBUTE_OWN_ID(security_group, "groupId", KIND_SECURITY_GROUP, .filter = "group-id"),
	ATTRIBUTE(security_group, "tagSet", tags),
	ATTRIBUTE_REF(security_group, "primaryVpcId", router, KIND_ROUTER, .filter = "primary-vpc-id",
		      .index = SECURITY_GROUP_INDEX_ROUTER),
};
static const struct attributes vpc_group_members = ATTRIBUTES(vpc_group_rows);

static const struct ec2_listing vpc_group_listing = {.kind = KIND_SECURITY_GROUP,
						     .set = "securityGroupForVpcSet",
						     .filters = FILTERS_OF(vpc_group_members),
						     .shows = is_of_vpc,
						     .attributes = &vpc_group_members};

/* ---- create ---- */

struct ec2_create_group {
	struct security_group_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_group, wire, member, __VA_ARGS__)
static const struct param create_group_params[] = {
	P("GroupName", wish.name, .flags = REQUIRED, .max = 255,
	  .doc = "Name of the security group; unique in the VPC."),
	P("GroupDescription", wish.description, .flags = REQUIRED, .max = 255,
	  .doc = "Description of the security group."),
	P("VpcId", wish.router, .kind = KIND_ROUTER, .doc = "VPC of the group; absent: the default VPC."),
	TAG_SPECIFICATIONS(struct ec2_create_group, tag_specs),
};
#undef P

static RESULT ec2_create_security_group(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_group *a = args;
	ec2_write_id(x, "groupId", KIND_SECURITY_GROUP, a->wish.group);
	write_arn(e, x, a->wish.group);
	ec2_write_tags_if_any(x, a->wish.tags);
	return OK;
}

/* ---- delete ---- */

struct ec2_delete_group {
	struct security_group_target wish;
	struct ref name;
};
static const struct param delete_group_params[] = {
	PARAM(struct ec2_delete_group, "GroupId", wish.group, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security group by id."),
	PARAM(struct ec2_delete_group, "GroupName", name, .flags = BY_NAME, .kind = KIND_SECURITY_GROUP,
	      .doc = "Security group by name, in the default VPC."),
};

static RESULT prepare_delete(struct ec2_call *e, void *args)
{
	struct ec2_delete_group *a = args;
	return request_choose(e->c, &a->wish.group, "GroupId", &a->name, "GroupName", &a->wish.group);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSecurityGroups"),
	 .args = PARAMS(struct ec2_describe_groups, describe_groups_params), .list = &group_listing,
	 .doc = "Lists the account's security groups with their rules."},
	{EC2_ACTION("GetSecurityGroupsForVpc"), .args = PARAMS(struct ec2_get_groups, get_groups_params),
	 .prepare = prepare_get, .list = &vpc_group_listing,
	 .doc = "Lists the security groups that interfaces of a VPC may use."},
	{EC2_ACTION("CreateSecurityGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_group, create_group_params),
	 EC2_TAGS(struct ec2_create_group, "security-group"), .operation = engine_create_security_group_run,
	 .answer = ec2_create_security_group,
	 .doc = "Creates a security group, which allows all outgoing and no incoming traffic."},
	{EC2_ACTION("DeleteSecurityGroup"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_delete_group, delete_group_params), .prepare = prepare_delete,
	 .operation = engine_delete_security_group_run,
	 .doc = "Deletes a security group that nothing references."},
};
const struct api_actions ec2_group_actions = API_ACTIONS(actions);
