/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of volumes. Snapshots that belong to a template are hidden; those of VM snapshots are shown for
 * the type GROUP. Source: API reference, "Snapshot", 4.18.
 */
#include "api/cloudstack/compute/os_types.h"
#include "api/cloudstack/region/annotations.h"
#include "api/cloudstack/region/region.h"
#include "api/cloudstack/storage/storage.h"
#include "engine/resolve.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "engine/tag.h"
#include "model/image.h"
#include "model/states.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

/* ---- listSnapshots ---- */

struct list_snapshots {
	struct cs_list_args list;
	struct ref volume, zone, project;
	struct str type, interval;
};
#define P(wire, member, ...) PARAM(struct list_snapshots, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_snapshots, KIND_SNAPSHOT),
	CS_NAME_PARAM(struct list_snapshots),
	CS_IDS_PARAM(struct list_snapshots, KIND_SNAPSHOT),
	CS_OWNER_PARAMS(struct list_snapshots),
	CS_PROJECT_PARAM(struct list_snapshots, project),
	CS_TAGS_PARAM(struct list_snapshots),
	P("volumeid", volume, .kind = KIND_VOLUME, .fits = FITS(snapshot, volume),
	  .doc = "Volume of the snapshot."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone of the volume."),
	P("snapshottype", type,
	  .doc = "Snapshot type: MANUAL, RECURRING, HOURLY, DAILY, WEEKLY, MONTHLY, or GROUP for VM "
		 "snapshots."),
	P("intervaltype", interval, .words = "HOURLY|DAILY|WEEKLY|MONTHLY",
	  .doc = "Interval of the policy that took the snapshot."),
	NOT_BUILT("imagestoreid|locationtype|storageid"),
	NOT_BUILT("showunique", .only = "false"),
};
#undef P

static const char *type_of(const struct snapshot *s)
{
	static const char *const words[] = {[SNAPSHOT_INTERVAL_NONE] = "MANUAL",
					    [SNAPSHOT_INTERVAL_HOURLY] = "HOURLY",
					    [SNAPSHOT_INTERVAL_DAILY] = "DAILY",
					    [SNAPSHOT_INTERVAL_WEEKLY] = "WEEKLY",
					    [SNAPSHOT_INTERVAL_MONTHLY] = "MONTHLY"};
	return uuid_is_none(s->instance_snapshot) ? words[s->interval] : "GROUP";
}

static bool is_of_type(const struct list_snapshots *a, const struct snapshot *s)
{
	const char *type = type_of(s);
	if (a->interval.n && !str_equal_nocase(a->interval, str_from(type)))
		return false;
	if (!a->type.n)
		return strcmp(type, "GROUP") != 0;
	return str_equal_nocase(a->type, str_from(type)) ||
	       (str_equal_nocase(a->type, STR("RECURRING")) && s->interval != SNAPSHOT_INTERVAL_NONE);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_snapshots *a = args;
	const struct snapshot *s = snapshot_of(row);
	const struct volume *v = volume_find(api_tables(e), s->volume);
	if (ref_is_given(&a->zone) && (!v || !uuid_equal(v->zone, a->zone.prefix)))
		return false;
	return !s->is_bound && is_of_type(a, s);
}

static struct str get_type(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(type_of(snapshot_of(row)));
}

static struct str get_name(struct api_call *e, const struct row *row)
{
	const struct snapshot *s = snapshot_of(row);
	return s->name.n ? s->name : s->description.n ? s->description : uuid_to_str(e->c->arena, row->id);
}

static struct str get_state(struct api_call *e, const struct row *row)
{
	(void) e;
	return str_from(model_snapshot_states[model_derive_snapshot_state(snapshot_of(row))].cloudstack);
}

/* Zone of the snapshot's volume, which may be deleted already. */
static void write_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *volume)
{
	const struct zone *zone = zone_find(api_tables(e), volume_of(volume)->zone);
	json_write_text(w, "volumetype", cs_volume_type(e, volume));
	if (!zone)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, zone->row.id));
	json_write_text(w, "zonename", zone->name);
}

/* OS type of the image that the volume was made from. */
static void write_os_type(struct api_call *e, struct json_writer *w, const char *name,
			  const struct row *image)
{
	const struct cs_os_type *type = cs_os_type_of(image_of(image));
	json_write_text(w, name, cs_os_type_id(e->c->arena, type));
	json_write_z(w, "osdisplayname", type->name);
}

#define OF_VOLUME .path = {JOIN_ONE(KIND_VOLUME, snapshot, volume)}
static const struct member members[] = {
	MEMBER(struct snapshot, "id", row.id),
	MEMBER_TEXT("name", get_name),
	CS_OWNER_MEMBERS(snapshot),
	MEMBER_AS(struct snapshot, TIME, "created", row.created_us),
	MEMBER_TEXT("state", get_state),
	MEMBER_TEXT("snapshottype", get_type),
	MEMBER_TEXT("intervaltype", get_type),
	MEMBER_FIXED("locationtype", "\"SECONDARY\""),
	MEMBER(struct snapshot, "volumeid", volume),
	MEMBER(struct volume, "volumename", name, OF_VOLUME),
	MEMBER_WRITTEN("zoneid", write_zone, .also = "zonename|volumetype", OF_VOLUME),
	MEMBER(struct snapshot, "virtualsize", volume_size),
	MEMBER(struct snapshot, "physicalsize", file_size),
	MEMBER_FIXED("revertable", "true"),
	MEMBER_WRITTEN(
		"ostypeid", write_os_type, .also = "osdisplayname",
		.path = {JOIN_ONE(KIND_VOLUME, snapshot, volume), JOIN_ONE(KIND_IMAGE, volume, image)}),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
static const struct api_listing snapshots =
	CS_LISTING(KIND_SNAPSHOT, "snapshot", members, .name = offsetof(struct snapshot, name),
		   .get_name = get_name, .matches = matches);

/* ---- changes ---- */

struct make_snapshot {
	struct snapshot_wish wish;
	struct cs_owner owner;
	struct refs zones;
	enum choice is_async;
};
#define P(wire, member, ...) PARAM(struct make_snapshot, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("volumeid", wish.volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "Volume."),
	P("name", wish.name, .doc = "Name."),
	PARAM_LIST(struct make_snapshot, "tags", wish.tags, cs_tag_params, .max = TAG_COUNT_MAX,
		   .doc = "Tags, as tags[0].key and tags[0].value."),
	P("asyncbackup", is_async, .doc = "Ignored: the job ends when the snapshot is in the image store."),
	P("account", owner.account, .doc = "Owning account; needs domainid."),
	P("domainid", owner.domain, .kind = KIND_DOMAIN, .doc = "Domain of the account."),
	P("zoneids", zones, .kind = KIND_ZONE, .doc = CS_EVERY_ZONE),
	NOT_BUILT("locationtype|policyid|storageids"),
	NOT_BUILT("quiescevm|usestoragereplication", .only = "false"),
};
#undef P

static const struct param delete_params[] = {
	PARAM(struct snapshot_target, "id", snapshot, .kind = KIND_SNAPSHOT, .flags = REQUIRED,
	      .doc = "The snapshot."),
	NOT_BUILT("zoneid"),
};

static RESULT revert(struct op *op, void *args)
{
	struct volume_reverting *a = args;
	const struct snapshot *snapshot = NULL;
	TRY(engine_find_own_snapshot(op->ctx, op->head, &a->snapshot, &snapshot));
	const struct row *volume = tables_find(op->head, KIND_VOLUME, snapshot->volume);
	if (!volume || !row_is_live(volume))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("id"),
				      "The volume of the snapshot is not there any more");
	a->volume = cs_ref_of(op->ctx, KIND_VOLUME, volume->id, "id");
	return engine_revert_volume(op, a);
}

static RESULT prepare_create(struct cs_call *e, void *args)
{
	const struct make_snapshot *a = args;
	struct uuids found;
	return cs_find_zones(e, &a->zones, &found);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listSnapshots", "ec2:DescribeSnapshots"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_snapshots, list_params), .listing = &snapshots,
	 .doc = "Lists snapshots of volumes."},
	{CS_ACTION("createSnapshot", "ec2:CreateSnapshot"), .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES,
	 .args = PARAMS(struct make_snapshot, create_params), .prepare = prepare_create,
	 .operation = engine_create_snapshot_run, CS_SUBJECT(struct make_snapshot, wish.snapshot),
	 .shows = &snapshots, CS_JOB(MADE), .doc = "Creates a snapshot of a volume."},
	{CS_ACTION("deleteSnapshot", "ec2:DeleteSnapshot"), .flags = API_WRITES,
	 .args = PARAMS(struct snapshot_target, delete_params), .operation = engine_delete_snapshot_run,
	 CS_SUBJECT(struct snapshot_target, snapshot.prefix), .about = KIND_SNAPSHOT, CS_JOB(GONE),
	 .doc = "Deletes a snapshot."},
	{CS_ACTION("revertSnapshot", "ec2:RevertVolume"), .flags = API_WRITES,
	 .args = CS_ONE(struct volume_reverting, "id", snapshot, KIND_SNAPSHOT,
			"The snapshot. Its volume must be detached."),
	 .operation = revert, CS_SUBJECT(struct volume_reverting, snapshot.prefix), .shows = &snapshots,
	 CS_JOB(REVERTED), .doc = "Reverts a volume to its snapshot."},
};
const struct api_actions cs_snapshot_actions = API_ACTIONS(actions);
