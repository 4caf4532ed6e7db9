/* SPDX-License-Identifier: Apache-2.0
 * Snapshots: describe, create, copy, delete. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/storage/images.h"
#include "api/ec2/storage/sharing.h"
#include "api/ec2/storage/volumes.h"
#include "engine/storage/snapshot/snapshot.h"
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
	P("Owner", owners,
	  .doc = "Only of these owners: self, amazon (the region's operator), or account numbers."),
	P("RestorableBy", restorable_by,
	  .doc = "Only those that volumes can be made of by: self, all, or an account number."),
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

static struct str write_progress(struct ec2_call *e, const struct snapshot *s)
{
	return str_print(e->c->arena, "%lld%%", (long long) s->progress);
}

static bool fits_snapshot(const struct filter_run *f, const struct row *row)
{
	const struct snapshot *s = snapshot_of(row);
	struct str name = str_from(f->filter->name);
	if (str_is(name, "progress"))
		return filter_text(f, write_progress(f->e, s));
	if (str_is(name, "start-time"))
		return filter_time(f, s->row.created_us);
	if (str_is(name, "volume-size"))
		return filter_int(f, ec2_gib(s->volume_size));
	if (str_is(name, "owner-id"))
		return filter_text(f, ec2_owner_number(f->t, s->account));
	return uuid_is_none(s->account) && filter_z(f, "amazon");
}

static bool has_status(const struct filter_run *f, unsigned state)
{
	return filter_z(f, model_snapshot_states[state].ec2);
}

static bool fits_volume(const struct filter_run *f, const struct row *row)
{
	uuid volume = snapshot_of(row)->volume;
	return uuid_is_none(volume) ? filter_z(f, NO_VOLUME) : filter_id(f, KIND_VOLUME, volume);
}

static const struct filter snapshot_filters[] = {
	{"snapshot-id", .is_id = true},
	{"volume-id", .get = fits_volume, .access_paths = {{KIND_SNAPSHOT, SNAPSHOT_INDEX_VOLUME}}},
	{"volume-size", .get = fits_snapshot},
	{"status", .in_state = has_status},
	{"progress", .get = fits_snapshot},
	{"start-time", .get = fits_snapshot},
	{"owner-id", .get = fits_snapshot, .is_owner = true},
	{"owner-alias", .get = fits_snapshot, .is_owner = true},
	{"description", .field = "description"},
	{"encrypted", .field = "is_encrypted"},
	{"storage-tier", .fixed = "standard"},
	{"transfer-type", .get = filter_nothing},
};

struct snapshot_item {
	const struct snapshot *snapshot;
	struct str owner;
	struct tags tags; /* empty for snapshots of other accounts */
};

static const void *gather_snapshot(struct ec2_call *e, const struct row *row)
{
	struct snapshot_item *item = arena_new_object(e->c->arena, struct snapshot_item);
	if (!item)
		return 0;
	item->snapshot = snapshot_of(row);
	item->owner = ec2_owner_number(ec2_tables(e), item->snapshot->account);
	if (engine_is_own(e->c, KIND_SNAPSHOT, row))
		item->tags = item->snapshot->tags;
	return item;
}

static void write_snapshot_as(struct ec2_call *e, struct xml *x, const struct snapshot_item *item,
			      const char *state)
{
	const struct snapshot *s = item->snapshot;
	ec2_write_id(x, "snapshotId", KIND_SNAPSHOT, s->row.id);
	if (uuid_is_none(s->volume))
		xml_z(x, "volumeId", NO_VOLUME);
	ec2_write_id(x, "volumeId", KIND_VOLUME, s->volume);
	xml_z(x, state, model_snapshot_states[model_derive_snapshot_state(s)].ec2);
	xml_time_ms(x, "startTime", s->row.created_us);
	xml_text(x, "progress", ec2_is_change(e) ? STR_NONE : write_progress(e, s));
	xml_text(x, "ownerId", item->owner);
	xml_int(x, "volumeSize", ec2_gib(s->volume_size));
	xml_text(x, "description", s->description);
	ec2_write_encrypted(e, x, s->is_encrypted, s->account);
	ec2_write_tags_of_made(e, x, item->tags);
}

static void write_snapshot(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct snapshot_item *i = item;
	write_snapshot_as(e, x, i, "status");
	if (uuid_is_none(i->snapshot->account))
		xml_z(x, "ownerAlias", "amazon");
	xml_text_opt(x, "statusMessage", i->snapshot->problem);
	xml_z(x, "storageTier", "standard");
}

static const struct strs *owners_asked(const void *args)
{
	return &((const struct ec2_describe_snapshots *) args)->owners;
}

static const struct ec2_listing snapshot_listing = {.kind = KIND_SNAPSHOT,
						    .set = "snapshotSet",
						    .filters = FILTERS(snapshot_filters),
						    .has_operators = true,
						    .public_index = SNAPSHOT_INDEX_PUBLIC,
						    .owners = owners_asked,
						    .shows = is_asked,
						    .gather = gather_snapshot,
						    .write = write_snapshot};

/* ---- create ---- */

struct ec2_create_snapshot {
	struct snapshot_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_snapshot, wire, member, __VA_ARGS__)
static const struct param create_snapshot_params[] = {
	P("VolumeId", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME,
	  .doc = "The volume, in use or not."),
	P("Description", wish.description, .max = 255, .doc = "Free text."),
	TAG_SPECIFICATIONS(struct ec2_create_snapshot, tag_specs),
	NOT_BUILT("OutpostArn"),
	NOT_BUILT("Location", .only = "regional"),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_snapshot *a = args;
	return ec2_take_tags(e, &a->tag_specs, "snapshot", "snapshot", &a->wish.tags);
}

static RESULT ec2_create_snapshot(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_snapshot *a = args;
	return ec2_write_returned(e, &snapshot_listing, a->wish.snapshot, 0, x);
}

/* ---- all of an instance ---- */

struct ec2_create_snapshots {
	struct instance_snapshots wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_snapshots, wire, member, __VA_ARGS__)
static const struct param create_snapshots_params[] = {
	P("InstanceSpecification.InstanceId", wish.instance, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "The instance whose volumes are meant."),
	P("InstanceSpecification.ExcludeBootVolume", wish.without_root, .doc = "Not the root disk."),
	P("InstanceSpecification.ExcludeDataVolumeId", wish.without, .kind = KIND_VOLUME,
	  .doc = "Not these volumes."),
	P("Description", wish.description, .max = 255, .doc = "Free text."),
	P("CopyTagsFromSource", wish.with_tags, .yes = "volume", .no = "none",
	  .doc = "volume: each gets its volume's tags, too."),
	TAG_SPECIFICATIONS(struct ec2_create_snapshots, tag_specs),
	NOT_BUILT("OutpostArn"),
	NOT_BUILT("Location", .only = "regional"),
};
#undef P

static RESULT prepare_create_all(struct ec2_call *e, void *args)
{
	struct ec2_create_snapshots *a = args;
	return ec2_take_tags(e, &a->tag_specs, "snapshot", "snapshot", &a->wish.tags);
}

static RESULT ec2_create_snapshots(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct rows *made = &e->change.returned;
	const void **items = 0;
	(void) args;
	TRY(ec2_gather(e, &snapshot_listing, made->at, made->count, &items));
	xml_open(x, "snapshotSet");
	for (size_t k = 0; k < made->count; k++) {
		xml_open(x, "item");
		write_snapshot_as(e, x, items[k], "state");
		xml_close(x, "item");
	}
	xml_close(x, "snapshotSet");
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
	P("SourceSnapshotId", wish.source, .flags = REQUIRED, .kind = KIND_SNAPSHOT, .doc = "The snapshot."),
	P("SourceRegion", region, .flags = REQUIRED, .doc = "This region."),
	P("DestinationRegion", destination, .doc = "This region."),
	P("Description", wish.description, .max = 255, .doc = "Free text."),
	P("PresignedUrl", presigned_url, .max = 8192, .doc = "Not needed within a region; not looked at."),
	TAG_SPECIFICATIONS(struct ec2_copy_snapshot, tag_specs),
	NOT_BUILT("DestinationOutpostArn|DestinationAvailabilityZone|CompletionDurationMinutes"),
	P("Encrypted", wish.crypt.is_wanted,
	  .doc = "The copy is, also of a plain snapshot; absent: as the account says. A copy of an encrypted "
		 "one is "
		 "in any case."),
	P("KmsKeyId", kms_key, .max = 2048, .doc = EC2_KMS_KEY_DOC),
};
#undef P

static RESULT prepare_copy(struct ec2_call *e, void *args)
{
	struct ec2_copy_snapshot *a = args;
	TRY(ec2_check_region(e, a->region, "SourceRegion"));
	TRY(ec2_check_region(e, a->destination, "DestinationRegion"));
	TRY(ec2_take_kms_key(e, a->kms_key, &a->wish.crypt));
	return ec2_take_tags(e, &a->tag_specs, "snapshot", "snapshot", &a->wish.tags);
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
	      .doc = "The snapshot; no image may have it."),
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
	 .doc = "Snapshots of the account, and those that others let it have."},
	{EC2_ACTION("CreateSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_snapshot, create_snapshot_params), .prepare = prepare_create,
	 .operation = engine_create_snapshot_run, .returns = KIND_SNAPSHOT, .answer = ec2_create_snapshot,
	 .doc = "Keeps a disk as it is now."},
	{EC2_ACTION("CreateSnapshots"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_snapshots, create_snapshots_params), .prepare = prepare_create_all,
	 .operation = engine_create_snapshots_run, .returns = KIND_SNAPSHOT, .answer = ec2_create_snapshots,
	 .doc = "Keeps the disks of an instance as they are now."},
	{EC2_ACTION("CopySnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_copy_snapshot, copy_snapshot_params), .prepare = prepare_copy,
	 .operation = engine_copy_snapshot_run, .returns = KIND_SNAPSHOT, .answer = ec2_copy_snapshot,
	 .doc = "Makes a snapshot of one's own of another."},
	{EC2_ACTION("DeleteSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct snapshot_target, delete_snapshot_params),
	 .operation = engine_delete_snapshot_run, .doc = "Deletes a snapshot; disks made from it stay."},
};
const struct api_actions ec2_snapshot_actions = API_ACTIONS(actions);
