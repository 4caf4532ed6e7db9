/* SPDX-License-Identifier: Apache-2.0
 * Actions on a volume: extend, retype, migrate, revert, upload as an image, bootable and read-only flags.
 * Also the metadata of volumes and snapshots, which are their tags. */
#include "api/openstack/core/write.h"
#include "api/openstack/volume/volumes.h"
#include "engine/storage/image/image.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_move.h"
#include "engine/storage/volume_type/volume_type.h"
#include "engine/tag.h"
#include "model/snapshot.h"
#include "model/volume.h"

/* ---- extend, retype ---- */

struct os_volume_modify {
	struct volume_modifying wish;
	int64_t new_size;
	struct str migration_policy;
};
static const struct param extend_params[] = {
	OS_VOLUME_PATH(struct os_volume_modify, wish.volume),
	OS_BODY(struct os_volume_modify, "new_size", new_size, .flags = REQUIRED, .min = 1, .max = 16384,
		.doc = "New size in GiB."),
};
static const struct param retype_params[] = {
	OS_VOLUME_PATH(struct os_volume_modify, wish.volume),
	OS_BODY(struct os_volume_modify, "new_type", wish.type, .flags = REQUIRED,
		.doc = "New volume type by name or id."),
	OS_BODY(struct os_volume_modify, "migration_policy", migration_policy, .words = "never|on-demand",
		.doc = "Whether the volume may be migrated to the pool of the type; absent: never."),
};

static RESULT prepare_retype(struct os_call *e, void *args)
{
	struct os_volume_modify *a = args;
	const struct volume *volume = NULL;
	TRY(os_find_volume_type(e, a->wish.type, &a->wish.type));
	TRY(engine_find_own_volume(e->c, os_tables(e), &a->wish.volume, &volume));
	bool is_shared = engine_type_shares(os_tables(e), a->wish.type);
	const char *status = os_volume_status(os_tables(e), volume);
	a->wish.is_shared = is_shared ? CHOICE_YES : CHOICE_NO;
	a->wish.stays_in_pool = !str_is(a->migration_policy, "on-demand");
	if (is_shared == volume->is_shared || strcmp(status, "available") == 0)
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("new_type"),
			      "Invalid input received: Invalid volume_type passed, retypes affecting "
			      "multiattach are only allowed on available volumes, the specified volume "
			      "however currently has a status of: %s.",
			      status);
}

/* ---- to another pool ---- */

struct os_volume_migrate {
	struct volume_moving wish;
	struct str host;
	bool copies;
};
static const struct param migrate_params[] = {
	OS_VOLUME_PATH(struct os_volume_migrate, wish.volume),
	OS_BODY(struct os_volume_migrate, "host", host, .flags = NULLABLE, .max = 255,
		.doc = "Destination as the pools are listed: HOST@dari#dari, or dari@POOL#POOL."),
	OS_BODY(struct os_volume_migrate, "force_host_copy", copies,
		.doc = "Accepted; the data are always copied by the hosts."),
	OS_BODY(struct os_volume_migrate, "lock_volume", wish.locks,
		.doc = "Whether an available volume has the status maintenance during the migration."),
};

static RESULT prepare_migrate(struct os_call *e, void *args)
{
	struct os_volume_migrate *a = args;
	if (str_is_empty(a->host))
		return ctx_fail_field(e->c, ERR_INVALID, STR("host"), "Invalid input received: %s",
				      e->request.version >= 16
					      ? "One and only one of cluster and host must be set."
					      : "Host field is missing.");
	return os_find_volume_backend(e, a->host, &a->wish.host, &a->wish.pool);
}

/* Answers every obstacle with Cinder's single sentence. Cinder also refuses volumes with snapshots; here
 * snapshots are stored apart from their volumes, so those may migrate. */
static RESULT migrate(struct op *op, void *args)
{
	struct os_volume_migrate *a = args;
	const struct volume *volume = NULL;
	TRY(engine_find_own_volume(op->ctx, op->head, &a->wish.volume, &volume));
	uuid id = volume->row.id;
	struct result result =
		uuid_is_none(volume->group) ? engine_move_volume(op, &a->wish) : (struct result){ERR_STATE};
	if (result.code != ERR_STATE && result.code != ERR_INVALID)
		return result;
	ctx_clear_problem(op->ctx);
	return ctx_fail(op->ctx, ERR_INVALID,
			"Invalid volume: Volume %" STR_FMT
			" status must be available or in-use, must not be migrating, have snapshots, be "
			"replicated, be part of a group and destination host/cluster must be different than "
			"the current one",
			STR_ARG(uuid_to_str(op->ctx->arena, id)));
}

static RESULT prepare_extend(struct os_call *e, void *args)
{
	struct os_volume_modify *a = args;
	(void) e;
	a->wish.size = a->new_size * OS_VOLUME_GIB;
	a->wish.must_grow = true;
	return OK;
}

/* ---- flags ---- */

struct os_volume_flags {
	struct volume_settings wish;
};
static const struct param bootable_params[] = {
	OS_VOLUME_PATH(struct os_volume_flags, wish.volume),
	OS_BODY(struct os_volume_flags, "bootable", wish.is_bootable, .flags = REQUIRED,
		.doc = "Whether instances may boot from the volume."),
};
static const struct param readonly_params[] = {
	OS_VOLUME_PATH(struct os_volume_flags, wish.volume),
	OS_BODY(struct os_volume_flags, "readonly", wish.is_readonly, .flags = REQUIRED,
		.doc = "Whether guests may only read the volume, from its next attachment on."),
};

/* ---- back to a snapshot ---- */

struct os_volume_revert {
	struct volume_reverting wish;
};
static const struct param revert_params[] = {
	OS_VOLUME_PATH(struct os_volume_revert, wish.volume),
	OS_BODY(struct os_volume_revert, "snapshot_id", wish.snapshot, .flags = REQUIRED,
		.kind = KIND_SNAPSHOT, .doc = "A snapshot of the volume."),
};

/* ---- upload ---- */

struct os_volume_upload {
	struct volume_capture wish;
	struct str image_name, visibility;
};
#define P(wire, member, ...) OS_BODY(struct os_volume_upload, wire, member, __VA_ARGS__)
static const struct param upload_params[] = {
	OS_VOLUME_PATH(struct os_volume_upload, wish.volume),
	P("image_name", image_name, .flags = REQUIRED, .min = 1, .doc = "Name of the image."),
	P("disk_format", wish.form.disk_format, .words = "raw|vmdk|qcow2|vhd|vhdx", .absent = "raw",
	  .doc = "Disk format of the image when it is downloaded."),
	P("container_format", wish.form.container_format, .words = "bare", .absent = "bare",
	  .doc = "Container format; bare only."),
	P("force", wish.also_attached, .doc = "Whether the volume may be attached."),
	P("visibility", visibility, .words = "private|shared|community|public", .absent = "private",
	  .doc = "Visibility of the image."),
	P("protected", wish.form.is_protected, .doc = "Whether the image is protected against deletion."),
};
#undef P

static RESULT prepare_upload(struct os_call *e, void *args)
{
	struct os_volume_upload *a = args;
	(void) e;
	a->wish.form.name = a->image_name;
	a->wish.form.visibility = str_is(a->visibility, "public")      ? IMAGE_VISIBLE_PUBLIC
				  : str_is(a->visibility, "community") ? IMAGE_VISIBLE_COMMUNITY
				  : str_is(a->visibility, "shared")    ? IMAGE_VISIBLE_SHARED
								       : IMAGE_VISIBLE_PRIVATE;
	return OK;
}

static RESULT show_upload(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_volume_upload *a = args;
	const struct row *row = NULL;
	TRY(os_find(e, KIND_VOLUME, &a->wish.volume, &row));
	const struct volume *volume = volume_of(row);
	os_write_id(w, "id", volume->row.id);
	os_write_id(w, "image_id", a->wish.image);
	json_write_text(w, "image_name", a->image_name);
	json_write_text(w, "disk_format", a->wish.form.disk_format);
	json_write_text(w, "container_format", a->wish.form.container_format);
	json_write_z(w, "status", "uploading");
	json_write_int(w, "size", os_gib(volume->size));
	json_write_text_or_null(w, "display_description", volume->description);
	os_write_time_us(w, "updated_at", volume->row.updated_us);
	json_write_open(w, "volume_type");
	json_write_text(w, "name", volume->type);
	json_write_close(w);
	json_write_text(w, "visibility", a->visibility);
	json_write_bool(w, "protected", a->wish.form.is_protected);
	return OK;
}

/* ---- metadata ---- */

struct os_volume_metadata {
	struct tags_wish wish;
	struct ref of; /* KIND_VOLUME or KIND_SNAPSHOT */
	struct str key;
	struct tag_removal removal;
};
#define METADATA_PARAMS(word, PATH)                                                                          \
	static const struct param word##_params[] = {PATH(struct os_volume_metadata, of)};                   \
	static const struct param word##_put_params[] = {                                                    \
		PATH(struct os_volume_metadata, of),                                                         \
		OS_BODY(struct os_volume_metadata, "metadata", wish.tags, .flags = REQUIRED,                 \
			.max = TAG_COUNT_MAX, .doc = "Metadata by key."),                                    \
	};                                                                                                   \
	static const struct param word##_key_params[] = {                                                    \
		PATH(struct os_volume_metadata, of),                                                         \
		OS_PATH(struct os_volume_metadata, "key", key, .doc = "Key of the metadata item."),          \
	};                                                                                                   \
	static const struct param word##_meta_params[] = {                                                   \
		PATH(struct os_volume_metadata, of),                                                         \
		OS_PATH(struct os_volume_metadata, "key", key, .doc = "Key of the metadata item."),          \
		OS_BODY(struct os_volume_metadata, "meta", wish.tags, .flags = REQUIRED, .min = 1, .max = 1, \
			.doc = "Metadata item, of the key in the path."),                                    \
	};
METADATA_PARAMS(volume, OS_VOLUME_PATH)
METADATA_PARAMS(snapshot, OS_SNAPSHOT_PATH)

static RESULT find_tags(struct os_call *e, const struct os_volume_metadata *a, struct tags *ret_tags)
{
	const struct row *row = NULL;
	TRY(os_find(e, a->of.kind, &a->of, &row));
	*ret_tags = a->of.kind == KIND_VOLUME ? volume_of(row)->tags : snapshot_of(row)->tags;
	return OK;
}

static RESULT prepare_metadata(struct os_call *e, void *args)
{
	struct os_volume_metadata *a = args;
	struct tags tags;
	a->wish.resources = (struct refs){&a->of, 1};
	e->returns = a->of.kind;
	return find_tags(e, a, &tags);
}

static RESULT prepare_meta(struct os_call *e, void *args)
{
	struct os_volume_metadata *a = args;
	if (a->wish.tags.count != 1 || !str_equal(a->wish.tags.at[0].key, a->key))
		return ctx_fail_field(e->c, ERR_INVALID, STR("meta"), "Request body and URI mismatch");
	return prepare_metadata(e, args);
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	struct os_volume_metadata *a = args;
	struct tags tags;
	TRY(find_tags(e, a, &tags));
	if (!tags_find(tags, a->key))
		return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata item was not found");
	a->removal = (struct tag_removal){.key = a->key};
	a->wish.removals = &a->removal;
	a->wish.removal_count = 1;
	return prepare_metadata(e, args);
}

/* Deletes all tags and sets the new ones in one change, all or nothing. */
static RESULT replace_tags(struct op *op, void *wish)
{
	struct os_volume_metadata *a = wish;
	struct tags_wish all = {.resources = a->wish.resources};
	TRY(engine_delete_tags(op, &all));
	return a->wish.tags.count ? engine_set_tags(op, &a->wish) : OK;
}

static RESULT show_all(struct os_call *e, const void *args, struct json_writer *w)
{
	struct tags tags;
	TRY(find_tags(e, args, &tags));
	os_write_tags(w, "metadata", tags);
	return OK;
}

static RESULT show_one(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_volume_metadata *a = args;
	struct tags tags;
	TRY(find_tags(e, a, &tags));
	const struct tag *tag = tags_find(tags, a->key);
	if (!tag)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Metadata item was not found");
	json_write_key(w, tag->key);
	json_write_text(w, NULL, tag->value);
	return OK;
}

#define ACTION(word, policy, T, rows, prepare_it, run, ...)                                                  \
	{                                                                                                    \
		.method = HTTP_POST, .path = "/v3/{project_id}/volumes/{volume_id}/action", .verb = (word),  \
		.permit = (policy), .flags = API_WRITES, .status = 202, .args = OS_PARAMS(T, rows),          \
		.prepare = (prepare_it), .operation = (run), __VA_ARGS__                                     \
	}
#define METADATA(word, policy)                                                                               \
	{HTTP_GET,                                                                                           \
	 "/v3/{project_id}/" #word "s/{" #word "_id}/metadata",                                              \
	 .permit = policy ":get",                                                                            \
	 .args = OS_PARAMS(struct os_volume_metadata, word##_params),                                        \
	 .answer = show_all,                                                                                 \
	 .doc = "Lists the metadata."},                                                                      \
		{HTTP_POST,                                                                                  \
		 "/v3/{project_id}/" #word "s/{" #word "_id}/metadata",                                      \
		 .permit = policy ":create",                                                                 \
		 .flags = API_WRITES,                                                                        \
		 .args = OS_PARAMS(struct os_volume_metadata, word##_put_params),                            \
		 .prepare = prepare_metadata,                                                                \
		 .operation = engine_set_tags_run,                                                           \
		 .answer = show_all,                                                                         \
		 .doc = "Adds metadata."},                                                                   \
		{HTTP_PUT,                                                                                   \
		 "/v3/{project_id}/" #word "s/{" #word "_id}/metadata",                                      \
		 .permit = policy ":update",                                                                 \
		 .flags = API_WRITES,                                                                        \
		 .args = OS_PARAMS(struct os_volume_metadata, word##_put_params),                            \
		 .prepare = prepare_metadata,                                                                \
		 .operation = replace_tags,                                                                  \
		 .answer = show_all,                                                                         \
		 .doc = "Replaces the metadata."},                                                           \
		{HTTP_GET,                                                                                   \
		 "/v3/{project_id}/" #word "s/{" #word "_id}/metadata/{key}",                                \
		 .permit = policy ":get",                                                                    \
		 .args = OS_PARAMS(struct os_volume_metadata, word##_key_params),                            \
		 .item = "meta",                                                                             \
		 .answer = show_one,                                                                         \
		 .doc = "Shows one metadata item."},                                                         \
		{HTTP_PUT,                                                                                   \
		 "/v3/{project_id}/" #word "s/{" #word "_id}/metadata/{key}",                                \
		 .permit = policy ":update",                                                                 \
		 .flags = API_WRITES,                                                                        \
		 .args = OS_PARAMS(struct os_volume_metadata, word##_meta_params),                           \
		 .prepare = prepare_meta,                                                                    \
		 .operation = engine_set_tags_run,                                                           \
		 .item = "meta",                                                                             \
		 .answer = show_one,                                                                         \
		 .doc = "Changes one metadata item."},                                                       \
	{                                                                                                    \
		HTTP_DELETE, "/v3/{project_id}/" #word "s/{" #word "_id}/metadata/{key}",                    \
			.permit = policy ":delete", .flags = API_WRITES,                                     \
			.args = OS_PARAMS(struct os_volume_metadata, word##_key_params),                     \
			.prepare = prepare_remove, .operation = engine_delete_tags_run,                      \
			.doc = "Removes one metadata item."                                                  \
	}
static const struct os_action actions[] = {
	ACTION("os-extend", "volume:extend", struct os_volume_modify, extend_params, prepare_extend,
	       engine_modify_volume_run, .doc = "Extends a volume."),
	ACTION("os-retype", "volume:retype", struct os_volume_modify, retype_params, prepare_retype,
	       engine_modify_volume_run, .doc = "Changes the type of a volume."),
	{HTTP_POST, "/v3/{project_id}/volumes/{volume_id}/action", .verb = "os-migrate_volume",
	 .permit = "volume_extension:volume_admin_actions:migrate_volume", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_volume_migrate, migrate_params),
	 .prepare = prepare_migrate, .operation = migrate,
	 .doc = "Migrates a volume to another pool or host."},
	{HTTP_POST, "/v3/{project_id}/volumes/{volume_id}/action", .verb = "os-set_bootable",
	 .permit = "volume_extension:volume_actions:set_bootable", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_volume_flags, bootable_params), .operation = engine_update_volume_run,
	 .doc = "Sets whether instances may boot from the volume."},
	ACTION("os-update_readonly_flag", "volume:update_readonly_flag", struct os_volume_flags,
	       readonly_params, NULL, engine_update_volume_run,
	       .doc = "Sets whether guests may write to the volume."),
	ACTION("revert", "volume:revert_to_snapshot", struct os_volume_revert, revert_params, NULL,
	       engine_revert_volume_run, .since = 40, .doc = "Reverts a volume to its newest snapshot."),
	ACTION("os-volume_upload_image", "volume_extension:volume_actions:upload_image",
	       struct os_volume_upload, upload_params, prepare_upload, engine_capture_volume_run,
	       .item = "os-volume_upload_image", .answer = show_upload, .returns = KIND_VOLUME,
	       .doc = "Creates an image from a volume."),
	METADATA(volume, "volume:metadata"),
	METADATA(snapshot, "volume:snapshot_metadata"),
};
const struct os_actions os_volume_action_actions = OS_ACTIONS(OS_VOLUME, actions);
