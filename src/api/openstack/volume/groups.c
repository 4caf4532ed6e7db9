/* SPDX-License-Identifier: Apache-2.0
 * Groups of volumes. Source: Block Storage API reference, "Generic volume groups". */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/volume/volume_group.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/volume_group.h"
#include "store/volume.h"
#include "store/zone.h"

/* ---- writing ---- */

struct os_group {
	const struct volume_group *group;
	const struct zone *zone;
	const char *status;
	VEC(uuid) volumes;
};

static const void *gather_group(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct os_group *item = arena_new_object(e->c->arena, struct os_group);
	if (!item)
		return NULL;
	item->group = volume_group_of(row);
	item->zone = zone_find(t, item->group->zone);
	item->status = engine_volume_group_status(t, item->group);
	for (const struct volume *v = volume_first_by_group(t, row->id); v; v = volume_next_by_group(t, v))
		if (row_is_live(&v->row) && !VEC_PUSH(e->c->arena, &item->volumes, v->row.id))
			return NULL;
	return item;
}

static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct volume_group *group = item;
	(void) e;
	os_write_id(w, "id", group->row.id);
	json_write_text_or_null(w, "name", group->name);
}

static void write_ids(struct json_writer *w, const char *key, const uuid *ids, size_t count)
{
	json_write_open_list(w, key);
	for (size_t k = 0; k < count; k++)
		os_write_id(w, NULL, ids[k]);
	json_write_close_list(w);
}

static void write_group(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_group *g = item;
	struct str lists = pairs_find(&e->request.query, "list_volume");
	write_brief(e, w, g->group);
	json_write_z(w, "status", g->status);
	json_write_text(w, "availability_zone", g->zone ? g->zone->name : STR_NONE);
	os_write_time_us(w, "created_at", g->group->row.created_us);
	json_write_text_or_null(w, "description", g->group->description);
	os_write_id(w, "group_type", g->group->type);
	write_ids(w, "volume_types", g->group->volume_types.at, g->group->volume_types.count);
	if (e->request.version >= 14) {
		os_write_id(w, "group_snapshot_id", g->group->source_snapshot);
		os_write_id(w, "source_group_id", g->group->source_group);
	}
	if (e->request.version >= 25 && str_equal_nocase(lists, STR("true")))
		write_ids(w, "volumes", g->volumes.at, g->volumes.count);
	if (e->request.version >= 38)
		json_write_z(w, "replication_status", "disabled");
	if (e->request.version >= 58 && os_is_admin(e))
		os_write_hex(w, "project_id", g->group->account);
}

/* ---- lists ---- */

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	return str_is(value, engine_volume_group_status(os_tables(e), volume_group_of(row)));
}

static const struct os_filter group_filters[] = {
	{"name", "name"}, {"id", .is_id = true}, {"status", .fits = fits_status}};
static const struct os_sort_key group_sort_keys[] = {{"name", "name"}};
#define GROUPS(write_them, gather_them)                                                                      \
	{                                                                                                    \
		.kind = KIND_VOLUME_GROUP, .items = "groups", .links = "group_links",                        \
		.others = "list_volume", .unknown_since = -1, .filters = OS_FILTERS(group_filters),          \
		.sort_keys = {group_sort_keys, 1}, .flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST,               \
		.page_max = 1000, .gather = (gather_them), .write = (write_them),                            \
	}
static const struct os_listing briefs = GROUPS(write_brief, NULL);
const struct os_listing os_volume_group_details = GROUPS(write_group, gather_group);

/* ---- one ---- */

#define GROUP_PATH(T, member)                                                                                \
	OS_PATH(T, "group_id", member, .kind = KIND_VOLUME_GROUP, .doc = "The volume group.")

struct os_group_target {
	struct volume_group_target wish;
	bool lists_volumes;
};
static const struct param show_params[] = {
	GROUP_PATH(struct os_group_target, wish.group),
	OS_QUERY(struct os_group_target, "list_volume", lists_volumes, .since = 25,
		 .doc = "Whether the answer lists the volumes of the group."),
};
static const struct param delete_params[] = {
	GROUP_PATH(struct os_group_target, wish.group),
	OS_BODY(struct os_group_target, "delete-volumes", wish.with_volumes,
		.doc = "Whether the volumes are deleted with the group."),
};

/* ---- making ---- */

struct os_group_create {
	struct volume_group_wish wish;
};
#define P(wire, member, ...) OS_BODY(struct os_group_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("group_type", wish.type, .flags = REQUIRED | BY_NAME, .kind = KIND_VOLUME_GROUP_TYPE,
	  .doc = "Group type by name or id."),
	P("volume_types", wish.volume_types, .flags = REQUIRED | BY_NAME, .min = 1, .max = 1000,
	  .kind = KIND_VOLUME_TYPE, .doc = "Volume types that the group accepts, by name or id."),
	P("availability_zone", wish.zone, .flags = NULLABLE | BY_NAME, .kind = KIND_ZONE,
	  .doc = "Availability zone; absent: the first zone."),
};
static const struct param copy_params[] = {
	P("name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("source_group_id", wish.source_group, .kind = KIND_VOLUME_GROUP, .doc = "Group to copy."),
	P("group_snapshot_id", wish.source_snapshot, .kind = KIND_VOLUME_GROUP_SNAPSHOT,
	  .doc = "Group snapshot to create the group from, instead of a group."),
};
#undef P

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct volume_group_wish *wish = &((struct os_group_create *) args)->wish;
	if (wish->zone.kind == KIND_NONE)
		wish->zone = os_first_zone(e);
	return OK;
}

static RESULT prepare_copy(struct os_call *e, void *args)
{
	const struct volume_group_wish *wish = &((struct os_group_create *) args)->wish;
	return ref_is_given(&wish->source_group) != ref_is_given(&wish->source_snapshot)
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("create-from-src"),
					"Either source_group_id or group_snapshot_id must be given.");
}

/* ---- changing ---- */

struct os_group_update {
	struct volume_group_change wish;
	struct str added, removed;
};
#define P(wire, member, ...) OS_BODY(struct os_group_update, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	GROUP_PATH(struct os_group_update, wish.group),
	P("name", wish.name, .flags = NULL_ABSENT,
	  .given = offsetof(struct os_group_update, wish.set_name) + 1, .doc = "Name."),
	P("description", wish.description, .flags = NULL_ABSENT,
	  .given = offsetof(struct os_group_update, wish.set_description) + 1,
	  .doc = "Description: free text."),
	P("add_volumes", added, .flags = NULLABLE, .doc = "Volumes to add, by id, comma separated."),
	P("remove_volumes", removed, .flags = NULLABLE, .doc = "Volumes to remove, by id, comma separated."),
};
#undef P

/* Reads comma-separated volume ids. Text that is not an id names a volume that does not exist. */
static RESULT read_ids(struct os_call *e, struct str list, const char *field, struct refs *ret_refs)
{
	VEC(struct ref) refs = {0};
	struct str piece;
	while (str_split_next(&list, ',', &piece)) {
		struct ref ref = {0};
		if (!piece.n)
			continue;
		if (!os_parse_id(piece, KIND_VOLUME, &ref))
			ref = (struct ref){.kind = KIND_VOLUME, .text = piece};
		ref.field = str_from(field);
		if (!VEC_PUSH(e->c->arena, &refs, ref))
			return ctx_no_memory(e->c);
	}
	*ret_refs = (struct refs){refs.at, refs.count};
	return OK;
}

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_group_update *a = args;
	TRY(read_ids(e, a->added, "add_volumes", &a->wish.added));
	return read_ids(e, a->removed, "remove_volumes", &a->wish.removed);
}

struct os_group_reset {
	struct volume_group_marking wish;
};
static const struct param reset_params[] = {
	GROUP_PATH(struct os_group_reset, wish.group),
	OS_BODY(struct os_group_reset, "status", wish.status, .flags = REQUIRED, .doc = "New status."),
};

#define ALL "/v3/{project_id}/groups"
#define ONE ALL "/{group_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .since = 13, .permit = "group:get_all", .list = &briefs,
	 .doc = "Lists the groups of the project with id and name."},
	{HTTP_GET, ALL "/detail", .since = 13, .permit = "group:get_all", .list = &os_volume_group_details,
	 .doc = "Lists the groups of the project with details."},
	{HTTP_POST, ALL, .since = 13, .permit = "group:create", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_group_create, create_params), .wrap = "group", .item = "group",
	 .prepare = prepare_create, .operation = engine_create_volume_group_run,
	 OS_SHOWS(briefs, struct os_group_create, wish.group), .returns = KIND_VOLUME_GROUP,
	 .doc = "Creates an empty group."},
	{HTTP_POST, ALL "/action", .verb = "create-from-src", .since = 14, .permit = "group:create",
	 .flags = API_WRITES, .status = 202, .args = OS_PARAMS(struct os_group_create, copy_params),
	 .item = "group", .prepare = prepare_copy, .operation = engine_create_volume_group_run,
	 OS_SHOWS(briefs, struct os_group_create, wish.group), .returns = KIND_VOLUME_GROUP,
	 .doc = "Creates a group from another group or from a group snapshot."},
	{HTTP_GET, ONE, .since = 13, .permit = "group:get",
	 .args = OS_PARAMS(struct os_group_target, show_params), .item = "group",
	 OS_SHOWS(os_volume_group_details, struct os_group_target, wish.group), .doc = "Shows one group."},
	{HTTP_PUT, ONE, .since = 13, .permit = "group:update", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_group_update, update_params), .wrap = "group", .prepare = prepare_update,
	 .operation = engine_update_volume_group_run,
	 .doc = "Changes the name, the description and the volumes of a group."},
	{HTTP_POST, ONE "/action", .verb = "delete", .since = 13, .permit = "group:delete",
	 .flags = API_WRITES, .status = 202, .args = OS_PARAMS(struct os_group_target, delete_params),
	 .operation = engine_delete_volume_group_run, .doc = "Deletes a group."},
	{HTTP_POST, ONE "/action", .verb = "reset_status", .since = 20, .permit = "group:reset_status",
	 .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_group_reset, reset_params), .operation = engine_mark_volume_group_run,
	 .doc = "Resets the status of a group; available restores the status of its volumes."},
};
const struct os_actions os_volume_group_actions = OS_ACTIONS(OS_VOLUME, actions);
