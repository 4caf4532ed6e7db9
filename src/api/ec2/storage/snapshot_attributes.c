/* SPDX-License-Identifier: Apache-2.0
 * Permissions of other accounts to create volumes from a snapshot. */
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "api/ec2/storage/sharing.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/snapshot.h"

#define ATTRIBUTE_NAMES "createVolumePermission|productCodes"

static const struct param restorer_rows[] = {EC2_PERMISSION_ROWS};
static const struct params restorer_params = PARAMS(struct ec2_permission, restorer_rows);

struct ec2_modify_snapshot {
	struct snapshot_settings wish;
	struct ec2_sharing sharing;
	struct str attribute;
};
static const struct param modify_snapshot_params[] = {
	PARAM(struct ec2_modify_snapshot, "SnapshotId", wish.snapshot, .flags = REQUIRED,
	      .kind = KIND_SNAPSHOT, .doc = "A snapshot of the account."),
	EC2_SHARING_PARAMS(struct ec2_modify_snapshot, "CreateVolumePermission", sharing, restorer_params),
	PARAM(struct ec2_modify_snapshot, "Attribute", attribute, .words = "createVolumePermission",
	      UNKNOWN_ATTRIBUTE, .doc = "Attribute that the other parameters change."),
};

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	struct ec2_modify_snapshot *a = args;
	bool is_asked = false;
	TRY(ec2_take_sharing(e, &a->sharing, "CreateVolumePermission", &a->wish.sharing, &is_asked));
	if (!is_asked)
		return ctx_fail_field(e->c, ERR_MISSING, STR("CreateVolumePermission"),
				      "The request must contain the parameter createVolumePermission");
	return OK;
}

struct ec2_reset_snapshot {
	struct snapshot_settings wish;
	struct str attribute;
};
static const struct param reset_snapshot_params[] = {
	PARAM(struct ec2_reset_snapshot, "SnapshotId", wish.snapshot, .flags = REQUIRED,
	      .kind = KIND_SNAPSHOT, .doc = "A snapshot of the account."),
	PARAM(struct ec2_reset_snapshot, "Attribute", attribute, .flags = REQUIRED,
	      .words = "createVolumePermission", UNKNOWN_ATTRIBUTE,
	      .doc = "createVolumePermission: afterwards only the owner may use the snapshot."),
};

struct ec2_describe_snapshot {
	struct ref snapshot;
	struct str attribute;
};
static const struct param describe_snapshot_params[] = {
	PARAM(struct ec2_describe_snapshot, "SnapshotId", snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	      .doc = "A snapshot of the account."),
	PARAM(struct ec2_describe_snapshot, "Attribute", attribute, .flags = REQUIRED,
	      .words = ATTRIBUTE_NAMES, UNKNOWN_ATTRIBUTE, .doc = "Name of the attribute."),
};

static RESULT ec2_describe_snapshot_attribute(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_describe_snapshot *a = args;
	const struct tables *t = ec2_tables(e);
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
	{EC2_ACTION("ModifySnapshotAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_modify_snapshot, modify_snapshot_params), .prepare = prepare_modify,
	 .operation = engine_update_snapshot_run,
	 .doc = "Changes which accounts may create volumes from a snapshot."},
	{EC2_ACTION("ResetSnapshotAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_reset_snapshot, reset_snapshot_params),
	 .sets = {API_SETS(struct ec2_reset_snapshot, wish.sharing.reset)},
	 .operation = engine_update_snapshot_run, .doc = "Removes the permissions of all other accounts."},
	{EC2_ACTION("DescribeSnapshotAttribute"),
	 .args = PARAMS(struct ec2_describe_snapshot, describe_snapshot_params),
	 .answer = ec2_describe_snapshot_attribute,
	 .doc = "Returns one attribute of a snapshot of the account."},
};
const struct api_actions ec2_snapshot_attribute_actions = API_ACTIONS(actions);
