/* SPDX-License-Identifier: Apache-2.0
 * Backups of volumes. The reconciler (reconcile/backup/backup.c) writes, verifies and deletes them. States, messages
 * and the choice of an incremental backup's parent follow Cinder's backup.api. */
#include "engine/storage/snapshot/backup.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/backup/machine_backup_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/people/asker.h"
#include "engine/quota_internal.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/volume_internal.h"
#include "engine/storage/volume/volume_reservation.h"
#include "engine/tag_internal.h"
#include "model/backup_name.h"
#include "model/states.h"
#include "model/zone.h"
#include "store/backup.h"
#include "store/instance.h"
#include "store/machine_backup.h"
#include "store/snapshot.h"
#include "store/volume.h"

#define GIBIBYTE (INT64_C(1) << 30)

/* ---- state ---- */

static bool is_coming(const struct snapshot *s)
{
	return model_derive_snapshot_state(s) == SNAPSHOT_PENDING;
}

bool engine_backup_is_restoring(const struct tables *t, uuid backup)
{
	const struct snapshot *s = snapshot_first_by_backup(t, backup);
	while (s && !is_coming(s))
		s = snapshot_next_by_backup(t, s);
	return s != NULL;
}

bool engine_volume_is_backing_up(const struct tables *t, uuid volume)
{
	const struct backup *b = backup_first_by_volume(t, volume);
	for (; b; b = backup_next_by_volume(t, b)) {
		const struct snapshot *cut = snapshot_find(t, b->cut);
		if (model_derive_backup_state(b) == BACKUP_CREATING && uuid_is_none(b->snapshot) && cut &&
		    is_coming(cut))
			return true;
	}
	return false;
}

bool engine_volume_is_restoring(const struct tables *t, const struct volume *volume)
{
	const struct snapshot *from = snapshot_find(t, volume->snapshot);
	const struct snapshot *s = snapshot_first_by_restores(t, volume->row.id);
	while (s && !is_coming(s))
		s = snapshot_next_by_restores(t, s);
	bool is_fetched = from && !uuid_is_none(from->backup);
	bool is_pending = is_fetched && (is_coming(from) || volume->reverts != volume->seen_reverts ||
					 (volume->seen_size == 0 && from->sha256.n));
	return s || is_pending;
}

/* ---- checks ---- */

static RESULT check_words(struct op *op, struct str name, struct str description)
{
	if (name.n <= 255 && str_is_xml_text(name) && description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP, STR("name"),
			   "A backup's name and description have up to 255 characters.");
}

RESULT backup_check_container(struct op *op, struct str container)
{
	return backup_name_is_part(container) && !str_equal_nocase(container, STR(BACKUP_REGIONS))
		       ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP, STR("container"),
				     "A container's name has letters, digits, '-', '_' and '.', does not "
				     "begin with a dot, and is not '" BACKUP_REGIONS "'.");
}

static RESULT check_target(struct op *op, struct str target)
{
	return target.n ? OK : ctx_fail(op->ctx, ERR_GONE, "Service cinder-backup could not be found.");
}

RESULT backup_check_room(struct op *op, uuid account, int64_t size)
{
	TRY(quota_check(op, account, QUOTA_BACKUPS, 1));
	TRY(quota_check_disk(op, account, 1, KIND_BACKUP));
	return quota_check(op, account, QUOTA_BACKUP_BYTES, size);
}

static RESULT meter(struct op *op, const struct backup *b, int64_t level)
{
	return op_usage(op, KIND_BACKUP, b->row.id, b->account, STR("backup"), level);
}

/* ---- creation ---- */

static const char *status_of(const struct volume *v)
{
	return v->reservation != VOLUME_RESERVATION_NONE
		       ? volume_reservation_words[v->reservation]
		       : model_volume_states[model_derive_volume_state(v)].cinder;
}

RESULT backup_check_volume(struct op *op, const struct ref *ref, bool is_forced, const struct volume *v)
{
	enum volume_state state = model_derive_volume_state(v);
	bool is_at_rest = state == VOLUME_AVAILABLE || state == VOLUME_IN_USE;
	if (!is_at_rest || v->destroyed_us || v->reservation != VOLUME_RESERVATION_NONE)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				   "Invalid volume: Volume to be backed up must be available or in-use, but "
				   "the current status is \"%s\".",
				   status_of(v));
	if (state == VOLUME_IN_USE && !is_forced)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				   "Invalid volume: Backing up an in-use volume must use the force flag.");
	return volume_check_unreserved(op, v, ref);
}

static RESULT check_snapshot(struct op *op, const struct backup_wish *wish, const struct volume *v,
			     const struct snapshot *s)
{
	if (!uuid_equal(s->volume, v->row.id))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SNAPSHOT, wish->snapshot.field,
				   "Invalid volume: Volume %" STR_FMT
				   " does not match with snapshot.volume_id %" STR_FMT ".",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, v->row.id)),
				   STR_ARG(engine_write_id(op, KIND_VOLUME, s->volume)));
	enum snapshot_state state = model_derive_snapshot_state(s);
	if (state == SNAPSHOT_COMPLETED && s->reservation == SNAPSHOT_RESERVATION_NONE)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, wish->snapshot.field,
			   "Invalid snapshot: Snapshot to be backed up must be available, but the current "
			   "status is \"%s\".",
			   s->reservation ? snapshot_reservation_words[s->reservation]
					  : model_snapshot_states[state].cinder);
}

const struct backup *backup_find_parent(struct op *op, const struct backup *made,
					const struct snapshot *snapshot)
{
	const struct backup *newest = NULL;
	for (const struct backup *b = backup_first_by_volume(op->head, made->volume); b;
	     b = backup_next_by_volume(op->head, b))
		if (uuid_equal(b->account, made->account) && str_equal(b->target, made->target) &&
		    model_derive_backup_state(b) == BACKUP_AVAILABLE &&
		    (!snapshot || b->data_us < snapshot->row.created_us) &&
		    (!newest || b->data_us > newest->data_us))
			newest = b;
	return newest;
}

static RESULT take_parent(struct op *op, const struct backup_wish *wish, const struct snapshot *snapshot,
			  struct backup *b)
{
	if (!wish->is_incremental)
		return OK;
	const struct backup *parent = backup_find_parent(op, b, snapshot);
	if (!parent)
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->volume.field,
				   "Invalid backup: No backups available to do an incremental backup.");
	if (wish->container.n && !str_equal(wish->container, parent->container))
		return ENGINE_FAIL(
			op, ERR_INVALID, KIND_BACKUP, STR("container"),
			"An incremental backup is kept in the container of the one that it adds to: "
			"%" STR_FMT ".",
			STR_ARG(parent->container));
	b->parent = parent->row.id;
	b->container = parent->container;
	return OK;
}

/* Snapshot that the backup is written from: the given one, or a new one. */
static RESULT take_cut(struct op *op, const struct volume *v, const struct snapshot *snapshot,
		       bool notes_writes, struct backup *b)
{
	struct snapshot cut = {.description = STR("For a backup of the volume."),
			       .is_bound = true,
			       .notes_writes = notes_writes};
	if (!snapshot) {
		TRY(snapshot_write_of(op, v, &cut));
		snapshot = &cut;
	} else
		b->snapshot = snapshot->row.id;
	b->cut = snapshot->row.id;
	b->size = snapshot->volume_size;
	b->is_encrypted = snapshot->is_encrypted;
	b->data_key = snapshot->data_key;
	b->data_us = uuid_is_none(b->snapshot) ? op->now_us : snapshot->row.created_us;
	return OK;
}

RESULT backup_begin(struct op *op, const struct volume *v, const struct snapshot *snapshot, bool notes_writes,
		    struct backup *b)
{
	const struct backup *parent = backup_find(op->head, b->parent);
	b->row.id = engine_new_id(op, KIND_BACKUP);
	b->row.gen = 1;
	b->chain = parent && !uuid_is_none(parent->chain) ? parent->chain : b->row.id;
	b->zone = uuid_is_none(b->zone) ? v->zone : b->zone;
	b->is_bootable = v->is_bootable;
	b->image_properties = v->image_properties;
	b->volume_tags = v->tags;
	TRY(take_cut(op, v, snapshot, notes_writes, b));
	TRY(backup_put(op, b));
	return engine_log_event(op, KIND_BACKUP, &b->row, "created",
				uuid_is_none(b->parent) ? "Of volume %" STR_FMT ", full."
							: "Of volume %" STR_FMT ", incremental.",
				STR_ARG(engine_write_id(op, KIND_VOLUME, v->row.id)));
}

/* In Cinder an administrator's backup of another project's volume belongs to the administrator's project. */
static uuid find_owner(const struct op *op, const struct backup_wish *wish, const struct volume *v)
{
	uuid caller = engine_get_account(op->ctx);
	return wish->is_callers && !uuid_is_none(caller) ? caller : v->account;
}

RESULT engine_create_backup(struct op *op, struct backup_wish *wish)
{
	const struct volume *v = NULL;
	const struct snapshot *snapshot = NULL;
	const struct zone *zone = NULL;
	TRY(check_target(op, wish->target));
	TRY(engine_permit_volume(op, &wish->volume, "backup.create", &v));
	if (ref_is_given(&wish->snapshot))
		TRY(engine_find_own_snapshot(op->ctx, op->head, &wish->snapshot, &snapshot));
	if (ref_is_given(&wish->zone))
		TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	TRY(snapshot ? check_snapshot(op, wish, v, snapshot)
		     : backup_check_volume(op, &wish->volume, wish->is_forced, v));
	TRY(check_words(op, wish->name, wish->description));
	uuid owner = find_owner(op, wish, v);
	TRY(backup_check_room(op, owner, v->size));
	struct backup b = {.account = owner,
			   .name = wish->name,
			   .description = wish->description,
			   .volume = v->row.id,
			   .target = wish->target,
			   .zone = zone ? zone->row.id : v->zone,
			   .container = wish->container.n ? wish->container : STR(BACKUP_CONTAINER)};
	TRY(take_parent(op, wish, snapshot, &b));
	TRY(backup_check_container(op, b.container));
	TRY(tag_normalize(op, wish->metadata, &b.metadata));
	ASKER_NOTE(op, &b);
	TRY(backup_begin(op, v, snapshot, false, &b));
	wish->backup = b.row.id;
	return OK;
}

RESULT engine_import_backup(struct op *op, struct backup_importing *wish)
{
	uuid account = UUID_NONE;
	TRY(check_target(op, wish->target));
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit_new(op, "backup.import", KIND_BACKUP, NULL));
	TRY(backup_check_container(op, wish->container));
	TRY(check_words(op, wish->name, wish->description));
	/* the folder of a full backup that is gone may hold the chunks of those that were added to it */
	if (backup_find(op->head, wish->id) || backup_first_by_chain(op->head, wish->id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, STR("backup_url"),
				   "Invalid backup: Backup already exists in database.");
	TRY(backup_check_room(op, account, wish->size));
	struct backup b = {.row = {.id = wish->id, .gen = 1},
			   .account = account,
			   .name = wish->name,
			   .description = wish->description,
			   .container = wish->container,
			   .target = wish->target,
			   .parent = wish->parent,
			   .size = wish->size};
	TRY(backup_put(op, &b));
	wish->backup = b.row.id;
	return engine_log_event(op, KIND_BACKUP, &b.row, "imported", "From container %" STR_FMT ".",
				STR_ARG(b.container));
}

/* ---- changes ---- */

RESULT engine_update_backup(struct op *op, struct backup_settings *wish)
{
	const struct backup *b = NULL;
	TRY(engine_permit_backup(op, &wish->backup, "backup.update", &b));
	struct backup next = *b;
	if (wish->set_name)
		next.name = wish->name;
	if (wish->set_description)
		next.description = wish->description;
	if (wish->set_metadata)
		TRY(tag_normalize(op, wish->metadata, &next.metadata));
	choice_apply(wish->is_broken, &next.is_said_broken);
	if (wish->is_broken == CHOICE_NO)
		next.problem = STR_NONE; /* the reconciler checks it again */
	TRY(check_words(op, next.name, next.description));
	TRY(backup_put(op, &next));
	return engine_log_event(op, KIND_BACKUP, &next.row, "changed", "What is said of it.");
}

static RESULT drop_bound(struct op *op, uuid snapshot)
{
	const struct snapshot *cut = snapshot_find(op->head, snapshot);
	return cut && cut->is_bound && row_is_live(&cut->row) ? snapshot_delete_metered(op, cut) : OK;
}

/* Deletes the snapshot that was taken for the backup. */
static RESULT drop_cut(struct op *op, const struct backup *b)
{
	return drop_bound(op, b->cut);
}

RESULT backup_end_track(struct op *op, const struct backup *b)
{
	struct backup next = *b;
	if (uuid_is_none(b->track))
		return OK;
	next.track = UUID_NONE;
	TRY(drop_bound(op, b->track));
	return backup_put(op, &next);
}

RESULT backup_end_tracks(struct op *op, uuid volume, uuid but)
{
	for (const struct backup *b = backup_first_by_volume(op->head, volume), *after = NULL; b; b = after) {
		after = backup_next_by_volume(op->head, b);
		if (row_is_live(&b->row) && !uuid_equal(b->row.id, but))
			TRY(backup_end_track(op, b));
	}
	return OK;
}

bool backup_is_being_added_to(const struct tables *t, uuid backup)
{
	const struct backup *child = backup_first_by_parent(t, backup);
	while (child && model_derive_backup_state(child) != BACKUP_CREATING)
		child = backup_next_by_parent(t, child);
	return child != NULL;
}

RESULT backup_drop(struct op *op, const struct backup *b)
{
	TRY(drop_cut(op, b));
	TRY(drop_bound(op, b->track));
	TRY(backup_delete(op, b->row.id));
	TRY(meter(op, b, 0));
	return engine_log_event(op, KIND_BACKUP, &b->row, "deleted", "Backup of %" PRId64 " bytes.", b->size);
}

/* Deleted children are ignored: they are never read again. */
bool engine_backup_has_children(const struct tables *t, uuid backup)
{
	return backup_find_by_parent(t, backup) != NULL;
}

RESULT engine_delete_backup(struct op *op, struct backup_deleting *wish)
{
	const struct backup *b = NULL;
	TRY(engine_permit_backup(op, &wish->backup, "backup.delete", &b));
	TRY(engine_permit(op, "recovery_point.delete", KIND_BACKUP, &b->row));
	enum backup_state state = model_derive_backup_state(b);
	bool is_restoring = engine_backup_is_restoring(op->head, b->row.id);
	bool is_at_rest = (state == BACKUP_AVAILABLE && !is_restoring) || state == BACKUP_ERROR;
	if (!is_at_rest && !wish->force)
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->backup.field,
				   "Invalid backup: Backup status must be available or error");
	if (engine_backup_has_children(op->head, b->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->backup.field,
				   "Invalid backup: Incremental backups exist for this backup.");
	if (machine_backup_find(op->head, b->machine_backup))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->backup.field,
				   "Invalid backup: It is a disk of the machine backup %" STR_FMT
				   ": delete that one.",
				   STR_ARG(engine_write_id(op, KIND_MACHINE_BACKUP, b->machine_backup)));
	return backup_drop(op, b);
}

/* ---- restores ---- */

static RESULT fail_volume(struct op *op, const struct backup_restoring *wish, const char *why)
{
	return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field, "Invalid volume: %s", why);
}

/* True for a volume of an instance that is off: a machine's disks are restored in their places. */
static bool is_at_rest(const struct tables *t, const struct volume *v)
{
	const struct instance *i = uuid_is_none(v->instance) ? NULL : instance_find(t, v->instance);
	return i && model_derive_volume_state(v) == VOLUME_IN_USE &&
	       uuid_equal(v->instance, v->seen_instance) &&
	       model_derive_instance_state(i) == INSTANCE_STOPPED;
}

static bool is_settled(const struct tables *t, const struct volume *v)
{
	return v->reservation == VOLUME_RESERVATION_NONE && !v->destroyed_us &&
	       uuid_equal(v->host, v->seen_host) && uuid_is_none(v->left_host) &&
	       v->reverts == v->seen_reverts && !engine_volume_is_being_copied(t, v->row.id);
}

static bool is_free(const struct tables *t, const struct volume *v)
{
	return model_derive_volume_state(v) == VOLUME_AVAILABLE && is_settled(t, v);
}

bool backup_may_replace(const struct tables *t, const struct volume *v)
{
	return is_free(t, v) || (is_at_rest(t, v) && is_settled(t, v));
}

static RESULT check_restored(struct op *op, const struct backup_restoring *wish, const struct backup *b,
			     const struct volume *v)
{
	if (!is_free(op->head, v) || engine_volume_is_restoring(op->head, v))
		return fail_volume(op, wish, "Volume to be restored to must be available");
	if (b->size > v->size)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, wish->volume.field,
				   "Invalid volume: volume size %" PRId64
				   " is too small to restore backup of size %" PRId64 ".",
				   v->size / GIBIBYTE, (b->size + GIBIBYTE - 1) / GIBIBYTE);
	if (b->is_encrypted && !v->is_encrypted)
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_VOLUME, wish->volume.field,
			"Invalid volume: The backup is of an encrypted volume, and this one is not "
			"encrypted.");
	return volume_check_unreserved(op, v, &wish->volume);
}

RESULT backup_write_fetch(struct op *op, const struct backup *b, uuid account, uuid restores,
			  struct snapshot *s)
{
	*s = (struct snapshot){.row = {.id = engine_new_id(op, KIND_SNAPSHOT), .gen = 1},
			       .account = account,
			       .description = STR("To restore a backup."),
			       .volume_size = b->size,
			       .is_bound = true,
			       .is_encrypted = b->is_encrypted,
			       .data_key = b->data_key,
			       .backup = b->row.id,
			       .restores = restores};
	return snapshot_put(op, s);
}

/* A restored volume with a name of its own has it as its tag Name, too, if the original had one: EC2's clients
 * and the console show that tag. */
static RESULT rename_tags(struct op *op, struct str name, struct tags *tags)
{
	if (!name.n || !tags_find(*tags, STR("Name")))
		return OK;
	struct tag *renamed = arena_new_array(op->ctx->arena, struct tag, tags->count);
	if (!renamed)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < tags->count; k++) {
		bool is_name = str_equal(tags->at[k].key, STR("Name"));
		renamed[k] = (struct tag){tags->at[k].key, is_name ? name : tags->at[k].value};
	}
	tags->at = renamed;
	return OK;
}

static RESULT restore_anew(struct op *op, struct backup_restoring *wish, const struct backup *b)
{
	uuid account = UUID_NONE;
	struct snapshot s;
	TRY(engine_find_acting_id(op, &account));
	TRY(backup_write_fetch(op, b, account, UUID_NONE, &s));
	struct volume_wish *made = &wish->made;
	struct tags tags = b->volume_tags;
	TRY(rename_tags(op, made->name, &tags));
	if (!made->name.n)
		made->name = str_print(op->ctx->arena, "restore_backup_%" STR_FMT,
				       STR_ARG(uuid_to_str(op->ctx->arena, b->row.id)));
	made->description = STR("auto-created_from_restore_from_backup");
	if (!made->zone.kind && uuid_is_none(b->zone))
		return ENGINE_FAIL(op, ERR_MISSING, KIND_ZONE, STR("zone"),
				   "The backup was imported: say in which zone the new volume is to be.");
	if (!made->zone.kind)
		made->zone = engine_ref_to(op, KIND_ZONE, b->zone, STR("zone"));
	made->disk.snapshot = engine_ref_to(op, KIND_SNAPSHOT, s.row.id, STR("backup_id"));
	made->disk.size = (b->size + GIBIBYTE - 1) / GIBIBYTE * GIBIBYTE;
	TRY(engine_create_volume(op, made));
	struct volume next = *volume_find(op->head, made->volume);
	next.is_bootable = b->is_bootable;
	next.image_properties = b->image_properties;
	next.tags = tags;
	wish->volume_id = made->volume;
	wish->volume_name = made->name;
	return volume_put(op, &next);
}

RESULT engine_restore_backup(struct op *op, struct backup_restoring *wish)
{
	const struct backup *b = NULL;
	const struct volume *v = NULL;
	struct snapshot s;
	TRY(engine_permit_backup(op, &wish->backup, "backup.restore", &b));
	TRY(engine_permit(op, "recovery_point.restore", KIND_BACKUP, &b->row));
	if (model_derive_backup_state(b) != BACKUP_AVAILABLE ||
	    engine_backup_is_restoring(op->head, b->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP, wish->backup.field,
				   "Invalid backup: Backup status must be available");
	wish->restored = b->row.id;
	TRY(engine_log_event(op, KIND_BACKUP, &b->row, "restore asked",
			     ref_is_given(&wish->volume) ? "To an existing volume." : "To a new volume."));
	if (!ref_is_given(&wish->volume))
		return restore_anew(op, wish, b);
	TRY(engine_permit_volume(op, &wish->volume, "backup.restore", &v));
	TRY(check_restored(op, wish, b, v));
	TRY(backup_write_fetch(op, b, v->account, v->row.id, &s));
	wish->volume_id = v->row.id;
	wish->volume_name = v->name;
	return engine_log_event(op, KIND_VOLUME, &v->row, "restore asked", "From backup %" STR_FMT ".",
				STR_ARG(engine_write_id(op, KIND_BACKUP, b->row.id)));
}

static RESULT mark_failed(struct op *op, const struct volume *v, const struct snapshot *s)
{
	struct volume next = *v;
	next.reservation = VOLUME_RESERVATION_ERROR_RESTORING;
	TRY(volume_put(op, &next));
	return s->problem.n ? engine_log_event(op, KIND_VOLUME, &next.row, "restore failed", "%" STR_FMT,
					       STR_ARG(s->problem))
			    : engine_log_event(op, KIND_VOLUME, &next.row, "restore failed",
					       "It was not free any more.");
}

RESULT backup_end_restore(struct op *op, const struct snapshot *s)
{
	const struct volume *v = volume_find(op->head, s->restores);
	if (!v || !row_is_live(&v->row))
		return OK;
	if (!backup_may_replace(op->head, v))
		return mark_failed(op, v, s);
	struct volume next = *v;
	if (s->is_encrypted)
		next.data_key = s->data_key;
	return volume_write_revert(op, &next, s);
}

RESULT backup_fail_restore(struct op *op, const struct snapshot *s)
{
	const struct volume *v = volume_find(op->head, s->restores);
	if (v && row_is_live(&v->row))
		TRY(mark_failed(op, v, s));
	for (v = volume_first_by_snapshot(op->head, s->row.id); v; v = volume_next_by_snapshot(op->head, v))
		if (row_is_live(&v->row) && v->reservation != VOLUME_RESERVATION_ERROR_RESTORING)
			TRY(mark_failed(op, v, s));
	return snapshot_delete_metered(op, s);
}

/* ---- reports of the reconciler ---- */

/* An imported backup takes its properties from its record, and fails if the size differs. */
static RESULT apply_found(struct op *op, const struct backup_report *report, struct backup *next)
{
	next->is_encrypted = report->is_encrypted;
	next->data_key = report->data_key;
	next->data_us = report->data_us;
	next->is_bootable = report->is_bootable;
	next->image_properties = report->image_properties;
	next->volume_tags = report->volume_tags;
	if (report->size == next->size)
		return OK;
	next->problem = str_print(
		op->ctx->arena, "Its record says that it is of %" PRId64 " bytes, and it is of %" PRId64 ".",
		next->size, report->size);
	return next->problem.p ? OK : ctx_no_memory(op->ctx);
}

/* Takes over the moment of the cut, which stays as the base of the next backup of the volume if its host notes what
 * is written. */
static RESULT take_track(struct op *op, const struct backup *b, struct backup *next)
{
	const struct snapshot *cut = snapshot_find(op->head, b->cut);
	const struct volume *v = volume_find(op->head, b->volume);
	next->moment = cut ? cut->moment : UUID_NONE;
	bool is_noted = cut && cut->notes_writes && row_is_live(&cut->row) && v && row_is_live(&v->row) &&
			uuid_equal(v->tracked_from, cut->row.id);
	if (is_noted && !next->problem.n)
		next->track = b->cut;
	return OK;
}

RESULT engine_see_backup(struct op *op, struct backup_report *report)
{
	const struct backup *b = backup_find(op->head, report->backup);
	if (!b || model_derive_backup_state(b) != BACKUP_CREATING)
		return OK;
	struct backup next = *b;
	next.problem = report->problem;
	next.object_count = report->object_count;
	next.stored_size = report->stored_size;
	next.is_written = !report->problem.n;
	next.cut = UUID_NONE;
	if (report->is_found)
		TRY(apply_found(op, report, &next));
	TRY(take_track(op, b, &next));
	TRY(backup_put(op, &next));
	if (uuid_is_none(next.track))
		TRY(drop_cut(op, b));
	else
		TRY(backup_end_tracks(op, next.volume, next.row.id));
	if (next.problem.n)
		TRY(engine_log_event(op, KIND_BACKUP, &next.row, "failed", "%" STR_FMT,
				     STR_ARG(next.problem)));
	else {
		TRY(meter(op, &next, next.stored_size));
		TRY(engine_log_event(op, KIND_BACKUP, &next.row, "completed",
				     "%" PRId64 " objects of %" PRId64 " bytes.", next.object_count,
				     next.stored_size));
	}
	return machine_backup_follow(op, next.machine_backup);
}

/* The oldest other backup of the chain takes over what is left of the bytes of a backup that is gone. Less than
 * nothing is left if more has gone than that backup counted: chunks of backups that went before. One that was never
 * whole counted nothing. */
static RESULT bequeath(struct op *op, const struct backup *gone, int64_t freed)
{
	const struct backup *heir = NULL;
	int64_t left = gone->stored_size - freed;
	const struct backup *b =
		uuid_is_none(gone->chain) ? NULL : backup_first_by_chain(op->head, gone->chain);
	for (; b; b = backup_next_by_chain(op->head, b))
		if (model_derive_backup_state(b) == BACKUP_AVAILABLE && (!heir || b->data_us < heir->data_us))
			heir = b;
	if (!heir || left == 0 || !gone->is_written)
		return OK;
	struct backup next = *heir;
	next.stored_size = next.stored_size + left > 0 ? next.stored_size + left : 0;
	TRY(backup_put(op, &next));
	return meter(op, &next, next.stored_size);
}

RESULT engine_forget_backup(struct op *op, struct backup_forget *wish)
{
	const struct backup *b = backup_find(op->head, wish->backup);
	if (!b)
		return OK;
	if (row_is_live(&b->row))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_BACKUP, "The backup is not deleted.");
	TRY(bequeath(op, b, wish->freed));
	return backup_forget(op, wish->backup);
}
