/* SPDX-License-Identifier: Apache-2.0
 * Snapshots: describe, create, copy, delete. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "api/ec2/storage/sharing.h"
#include "api/ec2/storage/volumes.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/account.h"
#include "model/snapshot.h"
#include "model/states.h"

/* The volume id that EC2 shows for a snapshot not taken of a volume here. */
#define NO_VOLUME "vol-ffffffff"

/* ---- describe ---- */

struct ec2_describe_snapshots {
	struct ec2_query query;
	struct strs owners, restorable_by;
};
#define P(wire, member, ...) PARAM(struct ec2_describe_snapshots, wire, member, __VA_ARGS__)
static const struct param describe_snapshots_params[] = {
	QUERY_IDS(struct ec2_describe_snapshots, "SnapshotId", KIND_SNAPSHOT, "Snapshots by id."),
	P("Owner", owners, .doc = "Owners: self, amazon (the operator of the region), or account numbers."),
	P("RestorableBy", restorable_by,
	  .doc = "Accounts that may create volumes from the snapshot: self, all, or an account number."),
	QUERY_FILTERS(struct ec2_describe_snapshots),
	QUERY_PAGES(struct ec2_describe_snapshots, 5, 1000),
};
#undef P

/* True if the account may restore the snapshot: as owner, by sharing, or because it is public or the
 * operator's. */
static bool is_restorable_by(const struct ec2_call *e, const struct snapshot *s, struct str who)
{
	bool is_everybodys = uuid_is_none(s->account) || s->is_public;
	uuid account = engine_get_account(e->c);
	if (str_is(who, "all"))
		return is_everybodys;
	return (str_is(who, "self") || str_equal(who, e->owner)) &&
	       (is_everybodys || uuid_equal(s->account, account) || uuids_have(&s->restorers, account));
}

/* Parameters besides filters. */
static bool is_asked(struct ec2_call *e, const struct row *row)
{
	const struct snapshot *s = snapshot_of(row);
	const struct ec2_describe_snapshots *a = e->args;
	bool owned = a->owners.count == 0, restorable = a->restorable_by.count == 0;
	for (size_t k = 0; !owned && k < a->owners.count; k++)
		owned = ec2_is_owner(e, s->account, a->owners.at[k]);
	for (size_t k = 0; !restorable && k < a->restorable_by.count; k++)
		restorable = is_restorable_by(e, s, a->restorable_by.at[k]);
	return owned && restorable;
}

ATTRIBUTE_GETTER(snapshot, s, const char *, get_alias, uuid_is_none(s->account) ? "amazon" : NULL)
ATTRIBUTE_GETTER(snapshot, s, struct str, find_kms_key,
		 s->is_encrypted ? ec2_kms_arn(ec2_call_of(e), s->account) : STR_NONE)
ATTRIBUTE_GETTER(snapshot, s, struct str, get_progress,
		 ec2_is_change(ec2_call_of(e)) ? STR_NONE
					       : str_print(e->c->arena, "%lld%%", (long long) s->progress))
/* Callers do not see the tags of other accounts' snapshots. */
ATTRIBUTE_GETTER(snapshot, s, struct tags, get_tags,
		 engine_is_own(e->c, KIND_SNAPSHOT, row) ? s->tags : (struct tags){0})

#define COMMON_ROWS(state)                                                                                   \
	ATTRIBUTE_OWN_ID(snapshot, "snapshotId", KIND_SNAPSHOT, .filter = "snapshot-id"),                    \
		ATTRIBUTE_REF(snapshot, "volumeId", volume, KIND_VOLUME, .none = NO_VOLUME,                  \
			      .filter = "volume-id", .index = SNAPSHOT_INDEX_VOLUME),                        \
		ATTRIBUTE_STATE_OF(state, KIND_SNAPSHOT, .filter = "status"),                                \
		ATTRIBUTE_AS(TIME, snapshot, "startTime", row.created_us, .filter = "start-time"),           \
		ATTRIBUTE_MADE(TEXT, text, "progress", get_progress, .filter = "progress"),                  \
		ATTRIBUTE_OF(snapshot, account, KIND_ACCOUNT, account, "ownerId", number,                    \
			     .none = EC2_OPERATORS_NUMBER, .flags = ATTRIBUTE_IS_OWNER,                      \
			     .filter = "owner-id"),                                                          \
		ATTRIBUTE(snapshot, "volumeSize", volume_size, .shift = 30, .filter = "volume-size"),        \
		ATTRIBUTE(snapshot, "description", description, .filter = "description"),                    \
		ATTRIBUTE(snapshot, "encrypted", is_encrypted, .filter = "encrypted"),                       \
		ATTRIBUTE_MADE(TEXT, text, "kmsKeyId", find_kms_key, .flags = ATTRIBUTE_OMIT_NONE),          \
		ATTRIBUTE_MADE(TAGS, tags, "tagSet", get_tags, .flags = ATTRIBUTE_OMIT_NONE_IN_READS)
static const struct attribute snapshot_rows[] = {
	COMMON_ROWS("status"),
	ATTRIBUTE_MADE(WORD, word, "ownerAlias", get_alias, .flags = ATTRIBUTE_IS_OWNER,
		       .filter = "owner-alias"),
	ATTRIBUTE(snapshot, "statusMessage", problem, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_CONST("storageTier", "standard", .filter = "storage-tier"),
	ATTRIBUTE_NOTHING("transfer-type"),
};
static const struct attributes snapshot_members = ATTRIBUTES(snapshot_rows);
static const struct attribute made_rows[] = {COMMON_ROWS("state")};
static const struct attributes made_members = ATTRIBUTES(made_rows);

static const struct strs *owners_asked(const void *args)
{
	return &((const struct ec2_describe_snapshots *) args)->owners;
}

static const struct ec2_listing snapshot_listing = {.kind = KIND_SNAPSHOT,
						    .set = "snapshotSet",
						    .filters = FILTERS_OF(snapshot_members),
						    .has_operators = true,
						    .public_index = SNAPSHOT_INDEX_PUBLIC,
						    .owners = owners_asked,
						    .shows = is_asked,
						    .attributes = &snapshot_members};
static const struct ec2_listing made_listing = {
	.kind = KIND_SNAPSHOT, .set = "snapshotSet", .attributes = &made_members};

/* ---- create ---- */

struct ec2_create_snapshot {
	struct snapshot_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_snapshot, wire, member, __VA_ARGS__)
static const struct param create_snapshot_params[] = {
	P("VolumeId", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	  .doc = "The volume, attached or not."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	TAG_SPECIFICATIONS(struct ec2_create_snapshot, tag_specs),
	NOT_BUILT("OutpostArn"),
	NOT_BUILT("Location", .only = "regional"),
};
#undef P

/* ---- all of an instance ---- */

struct ec2_create_snapshots {
	struct instance_snapshots wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_snapshots, wire, member, __VA_ARGS__)
static const struct param create_snapshots_params[] = {
	P("InstanceSpecification.InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "Instance whose volumes are copied."),
	P("InstanceSpecification.ExcludeBootVolume", wish.without_root, .doc = "Excludes the root volume."),
	P("InstanceSpecification.ExcludeDataVolumeId", wish.without, .kind = KIND_VOLUME,
	  .doc = "Volumes to exclude."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("CopyTagsFromSource", wish.with_tags, .yes = "volume", .no = "none",
	  .doc = "volume: copies the tags of each volume to its snapshot."),
	TAG_SPECIFICATIONS(struct ec2_create_snapshots, tag_specs),
	NOT_BUILT("OutpostArn"),
	NOT_BUILT("Location", .only = "regional"),
};
#undef P

static RESULT ec2_create_snapshots(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct rows *made = &e->change.returned;
	const void **items = 0;
	(void) args;
	TRY(ec2_gather(e, &made_listing, made->at, made->count, &items));
	ec2_write_items(e, &made_listing, items, made->count, x);
	return OK;
}

/* ---- copy ---- */

RESULT ec2_check_region(struct ec2_call *e, struct str region, const char *parameter)
{
	if (str_is_empty(region) || str_equal(region, e->config->region))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, str_from(parameter),
			      "Value (%" STR_FMT ") for parameter %" STR_FMT
			      " is invalid. There is no other region than %" STR_FMT ".",
			      STR_ARG(str_slice(region, 0, 64)),
			      STR_ARG(params_small_name(e->c->arena, str_from(parameter))),
			      STR_ARG(e->config->region));
}

struct ec2_copy_snapshot {
	struct snapshot_copying wish;
	struct str region, destination, presigned_url, kms_key;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_copy_snapshot, wire, member, __VA_ARGS__)
static const struct param copy_snapshot_params[] = {
	P("SourceSnapshotId", wish.source, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	  .doc = "The snapshot to copy."),
	P("SourceRegion", region, .flags = REQUIRED, .doc = "Name of this region."),
	P("DestinationRegion", destination, .doc = "Name of this region."),
	P("Description", wish.description, .max = 255, .doc = "Description: free text."),
	P("PresignedUrl", presigned_url, .max = 8192,
	  .doc = "Accepted and ignored; not needed within one region."),
	TAG_SPECIFICATIONS(struct ec2_copy_snapshot, tag_specs),
	NOT_BUILT("DestinationOutpostArn|DestinationAvailabilityZone|CompletionDurationMinutes"),
	P("Encrypted", wish.crypt.is_wanted,
	  .doc = "Whether the copy is encrypted; absent: the account's default. The copy of an encrypted "
		 "snapshot always is."),
	P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
};
#undef P

static RESULT prepare_copy(struct ec2_call *e, void *args)
{
	struct ec2_copy_snapshot *a = args;
	TRY(ec2_check_region(e, a->region, "SourceRegion"));
	TRY(ec2_check_region(e, a->destination, "DestinationRegion"));
	return ec2_take_kms_key(e, a->kms_key, &a->wish.crypt);
}

static RESULT ec2_copy_snapshot(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_copy_snapshot *a = args;
	const struct row *row = 0;
	TRY(ec2_find_returned(e, a->wish.snapshot, &row));
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, row->id);
	ec2_write_tags_if_any(x, snapshot_of(row)->tags);
	return OK;
}

/* ---- delete ---- */

static const struct param delete_snapshot_params[] = {
	PARAM(struct snapshot_target, "SnapshotId", snapshot, .flags = REQUIRED, .kind = KIND_SNAPSHOT,
	      .doc = "The snapshot. Fails if an image uses it."),
};

static RESULT prepare_describe(struct ec2_call *e, void *args)
{
	const struct ec2_describe_snapshots *a = args;
	TRY(ec2_check_users(e, &a->owners, "Owner"));
	return ec2_check_users(e, &a->restorable_by, "RestorableBy");
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeSnapshots"),
	 .args = PARAMS(struct ec2_describe_snapshots, describe_snapshots_params),
	 .prepare = prepare_describe, .list = &snapshot_listing,
	 .doc = "Lists the account's snapshots and those shared with it."},
	{EC2_ACTION("CreateSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_snapshot, create_snapshot_params),
	 EC2_TAGS(struct ec2_create_snapshot, "snapshot"), .operation = engine_create_snapshot_run,
	 .returns = KIND_SNAPSHOT,
	 EC2_SHOWS(snapshot_listing, struct ec2_create_snapshot, wish.snapshot, NULL),
	 .doc = "Creates a snapshot of a volume."},
	{EC2_ACTION("CreateSnapshots"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_snapshots, create_snapshots_params),
	 EC2_TAGS(struct ec2_create_snapshots, "snapshot"), .operation = engine_create_snapshots_run,
	 .returns = KIND_SNAPSHOT, .answer = ec2_create_snapshots,
	 .doc = "Creates snapshots of the volumes of an instance."},
	{EC2_ACTION("CopySnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_copy_snapshot, copy_snapshot_params), .prepare = prepare_copy,
	 EC2_TAGS(struct ec2_copy_snapshot, "snapshot"), .operation = engine_copy_snapshot_run,
	 .returns = KIND_SNAPSHOT, .answer = ec2_copy_snapshot, .doc = "Copies a snapshot into the account."},
	{EC2_ACTION("DeleteSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct snapshot_target, delete_snapshot_params),
	 .operation = engine_delete_snapshot_run, .doc = "Deletes a snapshot. Volumes created from it stay."},
};
const struct api_actions ec2_snapshot_actions = API_ACTIONS(actions);
