/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of groups of volumes. Source: Block Storage API reference, "Group snapshots"; Cinder's
 * cinder.api.v3.group_snapshots. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume/volume_group.h"
#include "model/volume_group_snapshot.h"
#include "store/volume_group.h"

struct os_group_snapshot {
	const struct volume_group_snapshot *row;
	const struct volume_group *group;
	const char *status;
};

static const void *gather_snapshot(struct os_call *e, const struct row *row)
{
	const struct volume_group_snapshot *s = volume_group_snapshot_of(row);
	struct os_group_snapshot *item = arena_new_object(e->c->arena, struct os_group_snapshot);
	if (item)
		*item = (struct os_group_snapshot){s, volume_group_find(os_tables(e), s->group),
						   engine_volume_group_snapshot_status(os_tables(e), s)};
	return item;
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_group_snapshot *s = item;
	(void) e;
	os_write_id(w, "id", s->row.id);
	json_write_text_or_null(w, "name", s->name);
}

/* Adds the group type's id, which only the answer to a creation shows. */
static void write_made(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_group_snapshot *s = item;
	write_brief(e, w, s->row);
	os_write_id(w, "group_type_id", s->group ? s->group->type : UUID_NONE);
}

static void write_snapshot(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_group_snapshot *s = item;
	write_made(e, w, s);
	os_write_id(w, "group_id", s->row->group);
	json_write_z(w, "status", s->status);
	os_write_time_us(w, "created_at", s->row->row.created_us);
	json_write_text_or_null(w, "description", s->row->description);
	if (e->request.version >= 58 && os_is_admin(e))
		os_write_hex(w, "project_id", s->row->account);
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return str_is(value,
		      engine_volume_group_snapshot_status(os_tables(e), volume_group_snapshot_of(row)));
}

static const struct os_filter filters[] = {
	{"name", "name"}, {"id", .is_id = true}, {"status", .fits = fits_status}, {"group_id", "group"}};
static const struct os_sort_key sort_keys[] = {{"name", "name"}};
#define SNAPSHOTS(write_them, gather_them)                                                                   \
	{                                                                                                    \
		.kind = KIND_VOLUME_GROUP_SNAPSHOT, .items = "group_snapshots",                              \
		.links = "group_snapshot_links", .filters = OS_FILTERS(filters),                             \
		.sort_keys = {sort_keys, 1}, .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST, .page_max = 1000,   \
		.gather = (gather_them), .write = (write_them),                                              \
	}
static const struct os_listing briefs = SNAPSHOTS(write_brief, NULL);
static const struct os_listing made = SNAPSHOTS(write_made, gather_snapshot);
const struct os_listing os_group_snapshot_details = SNAPSHOTS(write_snapshot, gather_snapshot);

#define SNAPSHOT_PATH(T, member)                                                                             \
	OS_PATH(T, "group_snapshot_id", member, .kind = KIND_VOLUME_GROUP_SNAPSHOT, .doc = "The snapshot.")

struct os_group_snapshot_target {
	struct volume_group_snapshot_target wish;
};
static const struct param target_params[] = {
	SNAPSHOT_PATH(struct os_group_snapshot_target, wish.group_snapshot)};

struct os_group_snapshot_create {
	struct volume_group_snapshot_wish wish;
};
#define P(wire, member, ...) OS_BODY(struct os_group_snapshot_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("group_id", wish.group, .flags = REQUIRED, .kind = KIND_VOLUME_GROUP, .doc = "The group."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Its name, and that of its snapshots."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Likewise."),
};
#undef P

struct os_group_snapshot_reset {
	struct volume_group_snapshot_marking wish;
};
static const struct param reset_params[] = {
	SNAPSHOT_PATH(struct os_group_snapshot_reset, wish.group_snapshot),
	OS_BODY(struct os_group_snapshot_reset, "status", wish.status, .flags = REQUIRED,
		.doc = "Its status from now on."),
};

#define ALL "/v3/{project_id}/group_snapshots"
#define ONE ALL "/{group_snapshot_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .since = 14, .permit = "group:get_all_group_snapshots", .list = &briefs,
	 .doc = "Groups' snapshots of the project, id and name."},
	{HTTP_GET, ALL "/detail", .since = 14, .permit = "group:get_all_group_snapshots",
	 .list = &os_group_snapshot_details, .doc = "The same, with more of each."},
	{HTTP_POST, ALL, .since = 14, .permit = "group:create_group_snapshot", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_group_snapshot_create, create_params),
	 .wrap = "group_snapshot", .item = "group_snapshot",
	 .operation = engine_create_volume_group_snapshot_run,
	 OS_SHOWS(made, struct os_group_snapshot_create, wish.group_snapshot),
	 .returns = KIND_VOLUME_GROUP_SNAPSHOT, .doc = "Makes a snapshot of each volume of a group."},
	{HTTP_GET, ONE, .since = 14, .permit = "group:get_group_snapshot",
	 .args = OS_PARAMS(struct os_group_snapshot_target, target_params), .item = "group_snapshot",
	 OS_SHOWS(os_group_snapshot_details, struct os_group_snapshot_target, wish.group_snapshot),
	 .doc = "One of them."},
	{HTTP_DELETE, ONE, .since = 14, .permit = "group:delete_group_snapshot", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_group_snapshot_target, target_params),
	 .operation = engine_delete_volume_group_snapshot_run, .doc = "Deletes one, with its snapshots."},
	{HTTP_POST, ONE "/action", .verb = "reset_status", .since = 19,
	 .permit = "group:reset_group_snapshot_status", .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_group_snapshot_reset, reset_params),
	 .operation = engine_mark_volume_group_snapshot_run,
	 .doc = "Says another status; available: whichever its snapshots have."},
};
const struct os_actions os_group_snapshot_actions = OS_ACTIONS(OS_VOLUME, actions);
