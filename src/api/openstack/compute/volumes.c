/* SPDX-License-Identifier: Apache-2.0
 * Volumes and snapshots in the older Compute API: Block Storage's rows with other member names. Source:
 * Compute API reference, "Volume extension (os-volumes, os-snapshots) (DEPRECATED)". */
#include "api/openstack/volume/volumes.h"
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "model/snapshot.h"
#include "model/volume.h"
#include "store/zone.h"

enum { LAST_PROXY = 35 }; /* last microversion with these calls */

/* ---- volumes ---- */

struct old_volume {
	const struct volume *volume;
	const struct zone *zone;
	uuid snapshot; /* snapshot named at creation */
	const char *status;
	struct volume_list attachments;
};

static const void *gather_volume(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	const struct volume *v = volume_of(row);
	struct old_volume *item = arena_new_object(e->c->arena, struct old_volume);
	if (!item)
		return NULL;
	*item = (struct old_volume){v, zone_find(t, v->zone), os_volume_source_snapshot(t, v),
				    os_volume_status(t, v)};
	struct result listed = engine_list_attachments(e->c->arena, t, v, &item->attachments);
	return result_is_ok(listed) ? item : NULL;
}

/* A volume without attachments has one empty attachment object. */
static void write_attachments(struct json_writer *w, const struct volume_list *attachments)
{
	json_write_open_list(w, "attachments");
	for (size_t k = 0; k < attachments->count || k == 0; k++) {
		const struct volume *v = attachments->count ? attachments->at[k] : NULL;
		json_write_open(w, NULL);
		if (v) {
			os_write_id(w, "id", v->row.id);
			os_write_id(w, "volumeId", v->row.id);
			os_write_id(w, "serverId", engine_volume_holder(v));
			json_write_text(w, "device", v->device);
		}
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_volume(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_volume *i = item;
	const struct volume *v = i->volume;
	(void) e;
	os_write_id(w, "id", v->row.id);
	json_write_z(w, "status", i->status);
	json_write_int(w, "size", os_gib(v->size));
	json_write_text(w, "availabilityZone", i->zone ? i->zone->name : STR_NONE);
	os_write_time_us(w, "createdAt", v->row.created_us);
	write_attachments(w, &i->attachments);
	json_write_text(w, "displayName", os_name_of(v->name, v->tags));
	json_write_text_or_null(w, "displayDescription", v->description);
	json_write_text(w, "volumeType", v->type);
	os_write_id(w, "snapshotId", i->snapshot);
	os_write_tags(w, "metadata", v->tags);
}

static const struct os_listing volumes = {
	.kind = KIND_VOLUME,
	.items = "volumes",
	.flags = OS_NEWEST_FIRST | OS_BY_OFFSET,
	.page_max = 1000,
	.gather = gather_volume,
	.write = write_volume,
};

struct os_old_volume {
	struct ref volume;
};
static const struct param volume_params[] = {OS_VOLUME_PATH(struct os_old_volume, volume)};

struct os_old_volume_create {
	struct volume_wish wish;
	int64_t size;
	struct str type, zone;
};
#define P(wire, member, ...) OS_BODY(struct os_old_volume_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("size", size, .flags = REQUIRED, .min = 1, .max = 16384, .doc = "Size in GiB."),
	P("display_name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("display_description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("availability_zone", zone, .flags = NULLABLE, .doc = "Availability zone; absent: the first zone."),
	P("volume_type", type, .flags = NULLABLE, .doc = "Volume type by name or id; absent: __DEFAULT__."),
	P("snapshot_id", wish.disk.snapshot, .flags = NULLABLE, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot that the volume is created from."),
	P("metadata", wish.tags, .flags = NULL_ABSENT, .doc = "Metadata by key, stored as tags."),
};
#undef P

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_old_volume_create *a = args;
	return os_take_volume_wish(e, a->size, a->type, a->zone, &a->wish);
}

struct os_old_volume_delete {
	struct volume_target wish;
};
static const struct param delete_params[] = {OS_VOLUME_PATH(struct os_old_volume_delete, wish.volume)};

static RESULT prepare_delete(struct os_call *e, void *args)
{
	(void) e;
	((struct os_old_volume_delete *) args)->wish.snapshots = VOLUME_SNAPSHOTS_FORBID;
	return OK;
}

/* ---- snapshots ---- */

static void write_snapshot(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct snapshot *s = item;
	(void) e;
	os_write_id(w, "id", s->row.id);
	os_write_id(w, "volumeId", s->volume);
	json_write_z(w, "status", os_snapshot_status(s));
	json_write_int(w, "size", os_gib(s->volume_size));
	os_write_time_us(w, "createdAt", s->row.created_us);
	json_write_text(w, "displayName", os_name_of(s->name, s->tags));
	json_write_text_or_null(w, "displayDescription", s->description);
}

static const struct os_listing snapshots = {
	.kind = KIND_SNAPSHOT,
	.items = "snapshots",
	.flags = OS_NEWEST_FIRST | OS_BY_OFFSET,
	.page_max = 1000,
	.shows = os_is_snapshot_shown,
	.write = write_snapshot,
};

struct os_old_snapshot {
	struct snapshot_target wish;
};
static const struct param snapshot_params[] = {OS_SNAPSHOT_PATH(struct os_old_snapshot, wish.snapshot)};

struct os_old_snapshot_create {
	struct snapshot_wish wish;
	bool force;
};
#define P(wire, member, ...) OS_BODY(struct os_old_snapshot_create, wire, member, __VA_ARGS__)
static const struct param snapshot_create_params[] = {
	P("volume_id", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("display_name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("display_description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("force", force, .doc = "Whether the volume may be attached."),
};
#undef P

static RESULT prepare_snapshot(struct os_call *e, void *args)
{
	struct os_old_snapshot_create *a = args;
	(void) e;
	a->wish.only_free = !a->force;
	return OK;
}

#define POLICY "os_compute_api:os-volumes:"
#define VOLUMES "/v2.1/os-volumes"
#define SNAPSHOTS "/v2.1/os-snapshots"
static const struct os_action actions[] = {
	{HTTP_GET, VOLUMES, .permit = POLICY "list", .until = LAST_PROXY, .list = &volumes,
	 .doc = "Lists volumes through the deprecated Compute proxy."},
	{HTTP_GET, VOLUMES "/detail", .permit = POLICY "detail", .until = LAST_PROXY, .list = &volumes,
	 .doc = "Lists volumes with details through the deprecated Compute proxy."},
	{HTTP_POST, VOLUMES, .permit = POLICY "create", .flags = API_WRITES, .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_volume_create, create_params), .wrap = "volume", .item = "volume",
	 .prepare = prepare_create, .operation = engine_create_volume_run,
	 OS_SHOWS(volumes, struct os_old_volume_create, wish.volume), .returns = KIND_VOLUME,
	 .doc = "Creates a volume."},
	{HTTP_GET, VOLUMES "/{volume_id}", .permit = POLICY "show", .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_volume, volume_params), .item = "volume",
	 OS_SHOWS(volumes, struct os_old_volume, volume), .doc = "Shows one volume."},
	{HTTP_DELETE, VOLUMES "/{volume_id}", .permit = POLICY "delete", .flags = API_WRITES,
	 .until = LAST_PROXY, .status = 202, .args = OS_PARAMS(struct os_old_volume_delete, delete_params),
	 .prepare = prepare_delete, .operation = engine_delete_volume_run, .doc = "Deletes a volume."},
	{HTTP_GET, SNAPSHOTS, .permit = POLICY "snapshots:list", .until = LAST_PROXY, .list = &snapshots,
	 .doc = "Lists snapshots through the deprecated Compute proxy."},
	{HTTP_GET, SNAPSHOTS "/detail", .permit = POLICY "snapshots:detail", .until = LAST_PROXY,
	 .list = &snapshots, .doc = "Lists snapshots with details through the deprecated Compute proxy."},
	{HTTP_POST, SNAPSHOTS, .permit = POLICY "snapshots:create", .flags = API_WRITES, .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_snapshot_create, snapshot_create_params), .wrap = "snapshot",
	 .item = "snapshot", .prepare = prepare_snapshot, .operation = engine_create_snapshot_run,
	 OS_SHOWS(snapshots, struct os_old_snapshot_create, wish.snapshot), .returns = KIND_SNAPSHOT,
	 .doc = "Creates a snapshot."},
	{HTTP_GET, SNAPSHOTS "/{snapshot_id}", .permit = POLICY "snapshots:show", .until = LAST_PROXY,
	 .args = OS_PARAMS(struct os_old_snapshot, snapshot_params), .item = "snapshot",
	 OS_SHOWS(snapshots, struct os_old_snapshot, wish.snapshot), .doc = "Shows one snapshot."},
	{HTTP_DELETE, SNAPSHOTS "/{snapshot_id}", .permit = POLICY "snapshots:delete", .flags = API_WRITES,
	 .until = LAST_PROXY, .status = 202, .args = OS_PARAMS(struct os_old_snapshot, snapshot_params),
	 .sets = {API_SETS(struct os_old_snapshot, wish.leaves_to_images)},
	 .operation = engine_delete_snapshot_run, .doc = "Deletes a snapshot."},
};
const struct os_actions os_compute_volume_actions = OS_ACTIONS(OS_COMPUTE, actions);
