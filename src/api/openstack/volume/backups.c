/* SPDX-License-Identifier: Apache-2.0
 * Backups of volumes, if the operator configured backup.target; otherwise Cinder's answers when no backup
 * service is up. Source: Block Storage API reference, "Backups". */
#include <jansson.h>

#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "base/json_write.h"
#include "engine/storage/snapshot/backup.h"
#include "model/backup.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/zone.h"

/* Name of the service that can read an exported record. */
#define SERVICE "dari"
enum { RECORD_MAX = 64 << 10 };

/* ---- one, as it is shown ---- */

static const char *status_of(const struct tables *t, const struct backup *b)
{
	enum backup_state state = model_derive_backup_state(b);
	bool is_restoring = state == BACKUP_AVAILABLE && engine_backup_is_restoring(t, b->row.id);
	return is_restoring ? "restoring" : model_backup_states[state].cinder;
}

static void write_links(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	(void) name;
	os_write_volume_links(os_call_of(e), w, "backups", row->id);
}

static struct str find_volume(struct api_call *e, const struct row *row)
{
	/* An imported backup has no volume in this region; Cinder shows zeros. */
	return uuid_to_str(e->c->arena, backup_of(row)->volume);
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(backup, b, returned, function, expression)
GETTER(const char *, get_status, status_of(api_tables(e), b))
GETTER(bool, is_incremental, !uuid_is_none(b->parent))
GETTER(bool, has_children, engine_backup_has_children(api_tables(e), b->row.id))
GETTER(uuid, find_maker, os_shown_maker(b->made_by, b->account))
#undef GETTER

#define B(wire, field, ...) ATTRIBUTE(backup, wire, field, __VA_ARGS__)
static const struct attribute backup_rows[] = {
	B("id", row.id, .filter = "id"),
	ATTRIBUTE_MADE(WORD, word, "status", get_status, .filter = "status"),
	B("size", size, .shift = 30, .sort = "size"),
	B("object_count", object_count),
	ATTRIBUTE_OF(backup, zone, KIND_ZONE, zone, "availability_zone", name, .flags = ATTRIBUTE_NULL_NONE),
	B("container", container),
	ATTRIBUTE_AS(TIME_FINE, backup, "created_at", row.created_us),
	ATTRIBUTE_MADE(TIME_FINE, number, "updated_at", os_get_update),
	B("name", name, .flags = ATTRIBUTE_NULL_NONE, .filter = "name", .sort = "name|display_name"),
	B("description", description, .flags = ATTRIBUTE_NULL_NONE),
	B("fail_reason", problem, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_MADE(TEXT, text, "volume_id", find_volume),
	B("volume_id", volume, .flags = ATTRIBUTE_HIDDEN, .filter = "volume_id"),
	ATTRIBUTE_WRITTEN("links", write_links),
	ATTRIBUTE_MADE(BOOL, truth, "is_incremental", is_incremental),
	ATTRIBUTE_MADE(BOOL, truth, "has_dependent_backups", has_children),
	B("snapshot_id", snapshot),
	ATTRIBUTE_AS(TIME_FINE, backup, "data_timestamp", data_us),
	B("metadata", metadata, .since = 43),
	ATTRIBUTE_AS(HEX, backup, "os-backup-project-attr:project_id", account, .flags = ATTRIBUTE_ADMIN,
		     .since = 18),
	ATTRIBUTE_AS(HEX, backup, "project_id", account, .flags = ATTRIBUTE_HIDDEN, .filter = "project_id"),
	ATTRIBUTE_MADE(HEX, id, "user_id", find_maker, .flags = ATTRIBUTE_ADMIN, .since = 56),
};
#undef B
static const struct attributes backup_members = ATTRIBUTES(backup_rows);

/* Lists without details have the filters of those with them. */
static void write_brief(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct backup *b = item;
	os_write_id(w, "id", b->row.id);
	json_write_text_or_null(w, "name", b->name);
	os_write_volume_links(e, w, "backups", b->row.id);
}

#define BACKUPS(...)                                                                                         \
	{                                                                                                    \
		.kind = KIND_BACKUP, .items = "backups", .links = "backups_links",                           \
		.flags = OS_ALL_PROJECTS | OS_NEWEST_FIRST | OS_BY_OFFSET | OS_COUNTS, .page_max = 1000,     \
		.attributes = &backup_members, __VA_ARGS__                                                   \
	}
static const struct os_listing backup_briefs = BACKUPS(.write = write_brief);
const struct os_listing os_backup_details = BACKUPS();

#define BACKUP_PATH(T, member) OS_PATH(T, "backup_id", member, .kind = KIND_BACKUP, .doc = "The backup.")

struct os_backup_shown {
	struct ref backup;
};
static const struct param show_params[] = {BACKUP_PATH(struct os_backup_shown, backup)};

/* ---- create ---- */

struct os_backup_create {
	struct backup_wish wish;
	struct str zone;
};
#define P(wire, member, ...) OS_BODY(struct os_backup_create, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("volume_id", wish.volume, .flags = REQUIRED, .kind = KIND_VOLUME, .doc = "The volume."),
	P("container", wish.container, .flags = NULLABLE, .doc = "Folder of the backup target."),
	P("name", wish.name, .flags = NULLABLE, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, .doc = "Description: free text."),
	P("incremental", wish.is_incremental,
	  .doc = "Whether the backup contains only the changes since the volume's newest backup."),
	P("force", wish.is_forced, .doc = "Whether the volume may be attached."),
	P("snapshot_id", wish.snapshot, .flags = NULLABLE, .kind = KIND_SNAPSHOT,
	  .doc = "Snapshot of the volume to back up, instead of its present content."),
	P("metadata", wish.metadata, .since = 43, .flags = NULLABLE, .doc = "Metadata by key."),
	P("availability_zone", zone, .since = 51, .flags = NULLABLE,
	  .doc = "Availability zone of the region."),
};
#undef P

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_backup_create *a = args;
	a->wish.target = e->config->backup_target;
	a->wish.is_callers = true;
	if (a->zone.n)
		a->wish.zone =
			(struct ref){.kind = KIND_ZONE, .text = a->zone, .field = STR("availability_zone")};
	return OK;
}

/* ---- update, and what an administrator says of it ---- */

struct os_backup_update {
	struct backup_settings wish;
	struct str status;
};
#define P(wire, member, given_by, ...)                                                                       \
	OS_BODY(struct os_backup_update, wire, member,                                                       \
		.given = offsetof(struct os_backup_update, given_by) + 1, __VA_ARGS__)
static const struct param update_params[] = {
	BACKUP_PATH(struct os_backup_update, wish.backup),
	P("name", wish.name, wish.set_name, .flags = NULLABLE, .doc = "Name."),
	P("description", wish.description, wish.set_description, .flags = NULLABLE,
	  .doc = "Description: free text."),
	P("metadata", wish.metadata, wish.set_metadata, .since = 43,
	  .doc = "Metadata that replaces the present metadata."),
};
#undef P

static const struct param reset_params[] = {
	BACKUP_PATH(struct os_backup_update, wish.backup),
	OS_BODY(struct os_backup_update, "status", status, .flags = REQUIRED,
		.doc = "New status: available or error."),
};

static RESULT prepare_reset(struct os_call *e, void *args)
{
	struct os_backup_update *a = args;
	a->wish.is_broken = str_equal_nocase(a->status, STR("error"))       ? CHOICE_YES
			    : str_equal_nocase(a->status, STR("available")) ? CHOICE_NO
									    : CHOICE_DEFAULT;
	return a->wish.is_broken != CHOICE_DEFAULT
		       ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("status"),
					"Backup status: %" STR_FMT
					" is invalid, valid statuses are: ['available', 'error'].",
					STR_ARG(a->status));
}

/* ---- delete ---- */

struct os_backup_delete {
	struct backup_deleting wish;
};
static const struct param delete_params[] = {BACKUP_PATH(struct os_backup_delete, wish.backup)};

/* ---- restore ---- */

struct os_backup_restore {
	struct backup_restoring wish;
};
#define P(wire, member, ...) OS_BODY(struct os_backup_restore, wire, member, __VA_ARGS__)
static const struct param restore_params[] = {
	BACKUP_PATH(struct os_backup_restore, wish.backup),
	P("volume_id", wish.volume, .flags = NULLABLE, .kind = KIND_VOLUME,
	  .doc = "Available volume to restore to; absent: a new one."),
	P("name", wish.made.name, .flags = NULLABLE, .doc = "Name of the new volume."),
};
#undef P

/* A new volume has the default type and the first open zone. The engine replaces the size of 1 GiB by the
 * backup's. */
static RESULT prepare_restore(struct os_call *e, void *args)
{
	return os_take_volume_wish(e, 1, STR_NONE, STR_NONE, &((struct os_backup_restore *) args)->wish.made);
}

static RESULT show_restored(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_backup_restore *a = args;
	(void) e;
	os_write_id(w, "backup_id", a->wish.restored);
	os_write_id(w, "volume_id", a->wish.volume_id);
	json_write_text(w, "volume_name", a->wish.volume_name);
	return OK;
}

/* ---- records ---- */

static RESULT write_record(struct os_call *e, const struct backup *b, struct str *ret_record)
{
	struct buf out;
	struct json_writer w;
	buf_init(&out, RECORD_MAX);
	json_write_begin(&w, &out);
	json_write_open(&w, NULL);
	os_write_id(&w, "id", b->row.id);
	os_write_id(&w, "parent_id", b->parent);
	json_write_int(&w, "size", os_gib(b->size));
	json_write_int(&w, "bytes", b->size);
	json_write_text(&w, "container", b->container);
	json_write_text(&w, "display_name", b->name);
	json_write_text(&w, "display_description", b->description);
	json_write_close(&w);
	struct result result = json_write_end(&w);
	if (result_is_ok(result))
		*ret_record = str_encode_base64(e->c->arena, buf_str(&out));
	buf_done(&out);
	TRY(result);
	return ret_record->p ? OK : ctx_no_memory(e->c);
}

static RESULT show_record(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	struct str record = STR_NONE;
	TRY(os_find(e, KIND_BACKUP, &((const struct os_backup_shown *) args)->backup, &row));
	const char *status = status_of(os_tables(e), backup_of(row));
	if (strcmp(status, "available") != 0)
		return ctx_fail_kind(e->c, ERR_STATE, KIND_BACKUP,
				     "Invalid backup: Backup status must be available and not %s.", status);
	TRY(write_record(e, backup_of(row), &record));
	json_write_z(w, "backup_service", SERVICE);
	json_write_text(w, "backup_url", record);
	return OK;
}

struct os_backup_import {
	struct backup_importing wish;
	struct str service, record;
};
#define P(wire, member, ...) OS_BODY(struct os_backup_import, wire, member, __VA_ARGS__)
static const struct param import_params[] = {
	P("backup_service", service, .flags = REQUIRED, .doc = "Backup service named by the record."),
	P("backup_url", record, .flags = REQUIRED, .min = 1, .max = RECORD_MAX,
	  .doc = "Record of the backup."),
};
#undef P

static struct str copy_member(struct os_call *e, const json_t *root, const char *key)
{
	return str_copy(e->c->arena, str_from(json_string_value(json_object_get(root, key))));
}

static RESULT fail_record(struct os_call *e, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("backup_url"), "Invalid input received: %s", why);
}

static RESULT read_record(struct os_call *e, const json_t *root, struct backup_importing *wish)
{
	const json_t *bytes = json_object_get(root, "bytes"), *size = json_object_get(root, "size");
	const char *id = json_string_value(json_object_get(root, "id"));
	const char *parent = json_string_value(json_object_get(root, "parent_id"));
	if (!root)
		return fail_record(e, "Can't parse backup record.");
	if (!id || !result_is_ok(uuid_parse(str_from(id), &wish->id)) || uuid_is_none(wish->id))
		return fail_record(e, "Provided backup record is missing an id");
	if (!json_is_integer(bytes) && !json_is_integer(size))
		return fail_record(e, "Provided backup record is missing size attribute");
	if (parent && !result_is_ok(uuid_parse(str_from(parent), &wish->parent)))
		return fail_record(e, "Can't parse backup record.");
	int64_t gib = json_integer_value(size);
	wish->size = json_is_integer(bytes)     ? json_integer_value(bytes)
		     : gib > 0 && gib < 1 << 20 ? gib * OS_VOLUME_GIB
						: 0;
	wish->container = copy_member(e, root, "container");
	wish->name = copy_member(e, root, "display_name");
	wish->description = copy_member(e, root, "display_description");
	return wish->size > 0 ? OK : fail_record(e, "Provided backup record is missing size attribute");
}

static RESULT prepare_import(struct os_call *e, void *args)
{
	struct os_backup_import *a = args;
	struct str text = STR_NONE;
	json_error_t where;
	a->wish.target = e->config->backup_target;
	if (!a->wish.target.n || !str_is(a->service, SERVICE))
		return ctx_fail(e->c, ERR_GONE, "Service %" STR_FMT " could not be found.",
				STR_ARG(a->service));
	if (!result_is_ok(str_decode_base64(e->c->arena, a->record, &text)))
		return fail_record(e, "Can't parse backup record.");
	json_t *root = json_loadb(text.p, text.n, 0, &where);
	struct result result = read_record(e, root, &a->wish);
	json_decref(root);
	return result;
}

#define ALL "/v3/{project_id}/backups"
#define ONE ALL "/{backup_id}"
#define ADMINS "volume_extension:backup_admin_actions:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "backup:get_all", .list = &backup_briefs,
	 .doc = "Lists the backups of the project."},
	{HTTP_GET, ALL "/detail", .permit = "backup:get_all", .list = &os_backup_details,
	 .doc = "Lists the backups of the project with details."},
	{HTTP_POST, ALL, .permit = "backup:create", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_backup_create, create_params), .wrap = "backup", .item = "backup",
	 .prepare = prepare_create, .operation = engine_create_backup_run,
	 OS_SHOWS(backup_briefs, struct os_backup_create, wish.backup), .returns = KIND_BACKUP,
	 .doc = "Creates a backup of a volume."},
	{HTTP_POST, ALL "/import_record", .permit = "backup:backup-import", .flags = API_WRITES | OS_ADMIN,
	 .status = 201, .args = OS_PARAMS(struct os_backup_import, import_params), .wrap = "backup-record",
	 .item = "backup", .prepare = prepare_import, .operation = engine_import_backup_run,
	 OS_SHOWS(backup_briefs, struct os_backup_import, wish.backup), .returns = KIND_BACKUP,
	 .doc = "Imports the record of a backup that exists in the target."},
	{HTTP_GET, ONE, .permit = "backup:get", .args = OS_PARAMS(struct os_backup_shown, show_params),
	 .item = "backup", OS_SHOWS(os_backup_details, struct os_backup_shown, backup),
	 .doc = "Shows one backup."},
	{HTTP_PUT, ONE, .since = 9, .permit = "backup:update", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_backup_update, update_params), .wrap = "backup", .item = "backup",
	 .operation = engine_update_backup_run, OS_SHOWS(backup_briefs, struct os_backup_update, wish.backup),
	 .returns = KIND_BACKUP, .doc = "Changes the name, description and metadata of a backup."},
	{HTTP_DELETE, ONE, .permit = "backup:delete", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_backup_delete, delete_params), .operation = engine_delete_backup_run,
	 .doc = "Deletes a backup."},
	{HTTP_POST, ONE "/restore", .permit = "backup:restore", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_backup_restore, restore_params), .wrap = "restore", .item = "restore",
	 .prepare = prepare_restore, .operation = engine_restore_backup_run, .answer = show_restored,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Restores a backup to a new or an available volume."},
	{HTTP_GET, ONE "/export_record", .permit = "backup:export-import", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_backup_shown, show_params), .item = "backup-record",
	 .answer = show_record, .doc = "Exports the record of a backup, which another region can import."},
	{HTTP_POST, ONE "/action", .verb = "os-reset_status", .permit = ADMINS "reset_status",
	 .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_backup_update, reset_params), .prepare = prepare_reset,
	 .operation = engine_update_backup_run,
	 .doc = "Resets the status of a backup: error stops its use, available has it checked again."},
	{HTTP_POST, ONE "/action", .verb = "os-force_delete", .permit = ADMINS "force_delete",
	 .flags = API_WRITES | OS_ADMIN, .status = 202,
	 .args = OS_PARAMS(struct os_backup_delete, delete_params),
	 .sets = {API_SETS(struct os_backup_delete, wish.force)}, .operation = engine_delete_backup_run,
	 .doc = "Deletes a backup in any status."},
};
const struct os_actions os_backup_actions = OS_ACTIONS(OS_VOLUME, actions);
