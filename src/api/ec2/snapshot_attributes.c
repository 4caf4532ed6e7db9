/* SPDX-License-Identifier: Apache-2.0
 * Who may make volumes of a snapshot besides its owner. */
#include "api/ec2/images.h"
#include "api/ec2/sharing.h"
#include "api/ec2/write.h"
#include "engine/snapshot.h"

#define ATTRIBUTES "createVolumePermission|productCodes"

static const struct param restorer_rows[] = {
	PARAM(struct ec2_permission, "Group", group, .words = "all", .doc = "Everybody."),
	PARAM(struct ec2_permission, "UserId", user, .flags = BY_NAME, .kind = KIND_ACCOUNT, .max = 12,
	      .doc = "An account, by its number."),
};
static const struct params restorer_params = PARAMS(struct ec2_permission, restorer_rows);

struct ec2_modify_snapshot {
	struct snapshot_settings wish;
	struct ec2_permissions add, remove;
	struct str attribute, operation;
	struct strs groups;
	struct refs users;
};
#define P(wire, member, ...) PARAM(struct ec2_modify_snapshot, wire, member, __VA_ARGS__)
static const struct param modify_snapshot_params[] = {
	P("SnapshotId", wish.snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	  .doc = "A snapshot of one's own."),
	PARAM_LIST(struct ec2_modify_snapshot, "CreateVolumePermission.Add", add, restorer_params, .max = 100,
		   .doc = "Who may use it from now on."),
	PARAM_LIST(struct ec2_modify_snapshot, "CreateVolumePermission.Remove", remove, restorer_params,
		   .max = 100, .doc = "Who may not any more."),
	P("Attribute", attribute, .words = "createVolumePermission", .doc = "What the others are for."),
	P("OperationType", operation, .words = "add|remove",
	  .doc = "What is done with UserId and UserGroup."),
	P("UserId", users, .flags = BY_NAME, .kind = KIND_ACCOUNT, .max = 12,
	  .doc = "Accounts, by their numbers."),
	P("UserGroup", groups, .words = "all", .doc = "Everybody."),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_snapshot *a = args;
	bool adds = str_is(a->operation, "add");
	if ((a->users.count || a->groups.count) && str_is_empty(a->operation))
		return ctx_fail_field(e->c, ERR_MISSING, STR("OperationType"),
				      "The request must contain the parameter OperationType");
	if (a->groups.count)
		a->wish.is_public = adds ? CHOICE_YES : CHOICE_NO;
	*(adds ? &a->wish.add_users : &a->wish.remove_users) = a->users;
	TRY(ec2_take_permissions(e, &a->add, CHOICE_YES, &a->wish.is_public, &a->wish.add_users));
	TRY(ec2_take_permissions(e, &a->remove, CHOICE_NO, &a->wish.is_public, &a->wish.remove_users));
	if (a->wish.is_public == CHOICE_DEFAULT && !a->wish.add_users.count && !a->wish.remove_users.count)
		return ctx_fail_field(e->c, ERR_MISSING, STR("CreateVolumePermission"),
				      "The request must contain the parameter CreateVolumePermission");
	return OK;
}

struct ec2_reset_snapshot {
	struct snapshot_settings wish;
	struct str attribute;
};
static const struct param reset_snapshot_params[] = {
	PARAM(struct ec2_reset_snapshot, "SnapshotId", wish.snapshot, .flags = REQUIRED,
	      .kind = KIND_SNAPSHOT, .doc = "A snapshot of one's own."),
	PARAM(struct ec2_reset_snapshot, "Attribute", attribute, .flags = REQUIRED,
	      .words = "createVolumePermission", .doc = "Only its owner may use it then."),
};

static RESULT prepare_reset(struct ec2_call *e, void *args)
{
	(void) e;
	((struct ec2_reset_snapshot *) args)->wish.reset_users = true;
	return OK;
}

struct ec2_describe_snapshot {
	struct ref snapshot;
	struct str attribute;
};
static const struct param describe_snapshot_params[] = {
	PARAM(struct ec2_describe_snapshot, "SnapshotId", snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	      .doc = "A snapshot of one's own."),
	PARAM(struct ec2_describe_snapshot, "Attribute", attribute, .flags = REQUIRED, .words = ATTRIBUTES,
	      .doc = "What is asked for."),
};

static RESULT ec2_describe_snapshot_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_snapshot *a = args;
	const struct tables *t = ec2_walk(e);
	const struct snapshot *s = NULL;
	TRY(engine_find_own_snapshot(e->c, t, &a->snapshot, &s));
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, s->row.id);
	if (str_is(a->attribute, "productCodes"))
		xml_empty(x, "productCodes");
	else
		ec2_write_sharing(x, "createVolumePermission", t, s->is_public, &s->restorers);
	return OK;
}

static const struct ec2_action actions[] = {
	{"ModifySnapshotAttribute", "ec2:ModifySnapshotAttribute", WRITES,
	 PARAMS(struct ec2_modify_snapshot, modify_snapshot_params), prepare_modify,
	 engine_update_snapshot_run, .doc = "Says who may make volumes of a snapshot."},
	{"ResetSnapshotAttribute", "ec2:ResetSnapshotAttribute", WRITES,
	 PARAMS(struct ec2_reset_snapshot, reset_snapshot_params), prepare_reset, engine_update_snapshot_run,
	 .doc = "Leaves a snapshot to its owner alone."},
	{"DescribeSnapshotAttribute", "ec2:DescribeSnapshotAttribute", 0,
	 PARAMS(struct ec2_describe_snapshot, describe_snapshot_params),
	 .answer = ec2_describe_snapshot_attribute, .doc = "One attribute of a snapshot of one's own."},
};
const struct ec2_actions ec2_snapshot_attribute_actions = ACTIONS(actions);
