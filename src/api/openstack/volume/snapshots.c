/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of volumes. Snapshots that belong to an image or a copy, and are deleted with it, are not
 * shown. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/snapshot.h"
#include "model/states.h"
#include "store/volume.h"
#include "store/zone.h"

const char *os_snapshot_status(const struct snapshot *s)
{
	return s->reservation == SNAPSHOT_RESERVATION_NONE || !row_is_live(&s->row)
		       ? model_snapshot_states[model_derive_snapshot_state(s)].cinder
		       : snapshot_reservation_words[s->reservation];
}

bool os_is_snapshot_shown(struct os_call *e, const struct row *row)
{
	(void) e;
	return !snapshot_of(row)->is_bound;
}

static bool fits_metadata(struct os_call *e, const struct row *row, struct str value)
{
	return os_fits_literal(e, snapshot_of(row)->tags, value);
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(snapshot, s, returned, function, expression)
GETTER(const char *, get_status, os_snapshot_status(s))
GETTER(uuid, find_maker, os_shown_maker(s->made_by, s->account))
GETTER(struct str, get_progress,
       s->said_progress.n ? s->said_progress : str_print(e->c->arena, "%d%%", (int) s->progress))
#undef GETTER

/* The zone of the snapshot's volume. */
static struct str get_zone(struct api_call *e, const struct row *row)
{
	const struct volume *v = volume_find(api_tables(e), snapshot_of(row)->volume);
	const struct zone *zone = v ? zone_find(api_tables(e), v->zone) : NULL;
	return zone ? zone->name : STR_NONE;
}

/* Source of filters: Cinder, resource filters; those for administrators follow. */
static const struct os_filter metadata_filter[] = {{"metadata", .since = 22, .fits = fits_metadata}};
#define S(wire, field, ...) ATTRIBUTE(snapshot, wire, field, __VA_ARGS__)
#define EXTENDED "os-extended-snapshot-attributes:"
enum { BRIEF_COUNT = 11 };
static const struct attribute snapshot_rows[] = {
	S("id", row.id, .filter = "id"),
	OS_NAME(snapshot, name, .sort = "name|display_name"),
	S("description", description, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
	S("size", volume_size, .shift = 30, .sort = "volume_size"),
	S("volume_id", volume, .filter = "volume_id"),
	ATTRIBUTE_AS(TIME_FINE, snapshot, "created_at", row.created_us),
	ATTRIBUTE_MADE(TIME_FINE, number, "updated_at", os_get_update),
	S("metadata", tags),
	ATTRIBUTE_MADE(HEX, id, "user_id", find_maker, .since = 41),
	ATTRIBUTE_CONST("consumes_quota", "true", .since = 65, .filter = "consumes_quota"),
	ATTRIBUTE_AS(HEX, snapshot, EXTENDED "project_id", account, .filter = "project_id"),
	ATTRIBUTE_MADE(TEXT, text, EXTENDED "progress", get_progress),
	S("group_snapshot_id", group_snapshot, .since = 14),
	ATTRIBUTE_MADE(TEXT, text, "availability_zone", get_zone, .flags = ATTRIBUTE_HIDDEN, .since = 31,
		       .filter = "availability_zone"),
	ATTRIBUTE_MADE(HEX, id, "user_id", find_maker, .flags = ATTRIBUTE_HIDDEN, .filter = "user_id"),
};
#undef S
static const struct attributes snapshot_members = ATTRIBUTES(snapshot_rows);

#define SNAPSHOTS(count)                                                                                     \
	{                                                                                                    \
		.kind = KIND_SNAPSHOT, .items = "snapshots", .links = "snapshots_links",                     \
		.filters = OS_FILTERS(metadata_filter), .page_max = 1000, .shows = os_is_snapshot_shown,     \
		.flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST | OS_COUNTS, .attributes = &snapshot_members,     \
		.shown_count = (count),                                                                      \
	}
static const struct os_listing snapshot_briefs = SNAPSHOTS(BRIEF_COUNT);
const struct os_listing os_snapshot_details = SNAPSHOTS(0);

/* ---- one ---- */

struct os_snapshot_shown {
	struct ref snapshot;
};
static const struct param show_params[] = {OS_SNAPSHOT_PATH(struct os_snapshot_shown, snapshot)};

struct os_snapshot_create {
	struct snapshot_wish wish;
	bool force, has_force;
};
#define P(wire, member, ...) OS_BODY(struct os_snapshot_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("volume_id", wish.volume, .flags = REQUIRED | NULLABLE, .kind = KIND_VOLUME, .doc = "The volume."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("display_name", wish.name, .flags = NULLABLE, .doc = "Name, by its older key."),
	P("display_description", wish.description, .flags = NULLABLE,
	  .doc = "Description, by its older key."),
	P("force", force, .given = offsetof(struct os_snapshot_create, has_force) + 1,
	  .doc = "Whether the volume may be attached. From 3.66 on it always may."),
	P("metadata", wish.tags, .flags = NULLABLE, .doc = "Metadata by key, stored as tags."),
};
#undef P

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_snapshot_create *a = args;
	bool is_late = e->request.version >= 66;
	if (is_late && a->has_force && !a->force)
		return ctx_fail_field(e->c, ERR_INVALID, STR("force"),
				      "Invalid value 'False' for force: it is not in this microversion.");
	a->wish.only_free = !is_late && !a->force;
	return OK;
}

static RESULT show_created(struct os_call *e, const void *args, struct json_writer *w)
{
	uuid id = ((const struct os_snapshot_create *) args)->wish.snapshot;
	return os_write_returned(e, &snapshot_briefs, id, w);
}

struct os_snapshot_update {
	struct snapshot_settings wish;
};
#define P(wire, member, ...) OS_BODY(struct os_snapshot_update, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	OS_SNAPSHOT_PATH(struct os_snapshot_update, wish.snapshot),
	P("name", wish.name, .flags = NULLABLE,
	  .given = offsetof(struct os_snapshot_update, wish.set_name) + 1, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_snapshot_update, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("display_name", wish.name, .flags = NULLABLE,
	  .given = offsetof(struct os_snapshot_update, wish.set_name) + 1, .doc = "Name, by its older key."),
	P("display_description", wish.description, .flags = NULLABLE,
	  .given = offsetof(struct os_snapshot_update, wish.set_description) + 1,
	  .doc = "Description, by its older key."),
};
#undef P

struct os_snapshot_delete {
	struct snapshot_target wish;
};
static const struct param delete_params[] = {OS_SNAPSHOT_PATH(struct os_snapshot_delete, wish.snapshot)};

#define ALL "/v3/{project_id}/snapshots"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "volume:get_all_snapshots", .list = &snapshot_briefs,
	 .doc = "Lists the snapshots of the project."},
	{HTTP_GET, ALL "/detail", .permit = "volume:get_all_snapshots", .list = &os_snapshot_details,
	 .doc = "Lists the snapshots of the project with details."},
	{HTTP_POST, ALL, .permit = "volume:create_snapshot", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_snapshot_create, create_params), .wrap = "snapshot", .item = "snapshot",
	 .prepare = prepare_create, .operation = engine_create_snapshot_run, .answer = show_created,
	 .returns = KIND_SNAPSHOT, .doc = "Creates a snapshot of a volume."},
	{HTTP_GET, ALL "/{snapshot_id}", .permit = "volume:get_snapshot",
	 .args = OS_PARAMS(struct os_snapshot_shown, show_params), .item = "snapshot",
	 OS_SHOWS(os_snapshot_details, struct os_snapshot_shown, snapshot), .doc = "Shows one snapshot."},
	{HTTP_PUT, ALL "/{snapshot_id}", .permit = "volume:update_snapshot", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_snapshot_update, update_params), .wrap = "snapshot", .item = "snapshot",
	 .operation = engine_update_snapshot_run,
	 OS_SHOWS(snapshot_briefs, struct os_snapshot_update, wish.snapshot), .returns = KIND_SNAPSHOT,
	 .doc = "Changes the name and description of a snapshot."},
	{HTTP_DELETE, ALL "/{snapshot_id}", .permit = "volume:delete_snapshot", .flags = API_WRITES,
	 .status = 202, .args = OS_PARAMS(struct os_snapshot_delete, delete_params),
	 .sets = {API_SETS(struct os_snapshot_delete, wish.leaves_to_images)},
	 .operation = engine_delete_snapshot_run, .doc = "Deletes a snapshot."},
};
const struct os_actions os_snapshot_actions = OS_ACTIONS(OS_VOLUME, actions);
