/* SPDX-License-Identifier: Apache-2.0
 * Instance snapshots. Checks and messages are those of CloudStack 4.18: VMSnapshotManagerImpl and
 * VolumeApiServiceImpl. */
#include "engine/instance/instance_snapshot.h"

#include "engine/instance/instance_internal.h"
#include "engine/instance/instance_type_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/local_disk_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_internal.h"
#include "model/instance_task.h"
#include "model/states.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/instance_snapshot.h"
#include "store/instance_type.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* ---- state ---- */

/* True if the snapshot's disk is being reverted to it. */
static bool is_being_returned_to(const struct tables *t, const struct snapshot *s)
{
	const struct volume *v = volume_find(t, s->volume);
	return v && row_is_live(&v->row) && v->reverts != v->seen_reverts &&
	       uuid_equal(v->snapshot, s->row.id);
}

enum instance_snapshot_state engine_instance_snapshot_state(const struct tables *t,
							    const struct instance_snapshot *snapshot)
{
	enum instance_snapshot_state state = INSTANCE_SNAPSHOT_READY;
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(t, snapshot->row.id); s;
	     s = snapshot_next_by_instance_snapshot(t, s)) {
		if (model_derive_snapshot_state(s) == SNAPSHOT_ERROR)
			return INSTANCE_SNAPSHOT_ERROR;
		if (engine_snapshot_is_pending(s))
			state = INSTANCE_SNAPSHOT_CREATING;
		else if (is_being_returned_to(t, s))
			state = INSTANCE_SNAPSHOT_REVERTING;
	}
	return state;
}

static const struct instance_snapshot *find_current(const struct tables *t, uuid instance)
{
	const struct instance_snapshot *s = instance_snapshot_first_by_instance(t, instance);
	while (s && !s->is_current)
		s = instance_snapshot_next_by_instance(t, s);
	return s;
}

/* Makes the snapshot the current one instead of the present one; an unknown snapshot makes none current. */
static RESULT make_current(struct op *op, uuid instance, uuid snapshot)
{
	const struct instance_snapshot *before = find_current(op->head, instance);
	if (before) {
		struct instance_snapshot next = *before;
		next.is_current = false;
		TRY(instance_snapshot_put(op, &next));
	}
	const struct instance_snapshot *after = instance_snapshot_find(op->head, snapshot);
	if (!after)
		return OK;
	struct instance_snapshot next = *after;
	next.is_current = true;
	return instance_snapshot_put(op, &next);
}

static bool is_busy(const struct tables *t, const struct volume *v)
{
	return v->reverts != v->seen_reverts || engine_volume_is_being_copied(t, v->row.id);
}

RESULT instance_check_no_snapshots(struct op *op, uuid instance, struct str field, const char *why)
{
	return instance_snapshot_first_by_instance(op->head, instance)
		       ? ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, field, "%s", why)
		       : OK;
}

/* ---- creation ---- */

static RESULT check_words(struct op *op, const struct instance_snapshot_wish *wish)
{
	const char *what = wish->name.n > 255 || !str_is_xml_text(wish->name)                 ? "DisplayName"
			   : wish->description.n > 255 || !str_is_xml_text(wish->description) ? "Description"
											      : NULL;
	return what ? ENGINE_FAIL(op, ERR_INVALID, KIND_INSTANCE_SNAPSHOT, STR("name"),
				  "Creating VM snapshot failed due to length of VM snapshot vs%s should not "
				  "exceed 255",
				  what)
		    : OK;
}

static bool is_at_rest(const struct instance *instance)
{
	return uuid_is_none(instance->old_type) && uuid_is_none(instance->rescue_disk) &&
	       model_derive_instance_task(instance) == INSTANCE_TASK_NONE;
}

static RESULT check_state(struct op *op, const struct instance *instance, const struct ref *ref)
{
	enum instance_state state = model_derive_instance_state(instance);
	return is_at_rest(instance) && (state == INSTANCE_RUNNING || state == INSTANCE_STOPPED)
		       ? OK
		       : ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
				     "Creating vm snapshot failed due to VM:%" STR_FMT
				     " is not in the running or Stopped state",
				     STR_ARG(ref->text));
}

static RESULT check_others(struct op *op, const struct instance *instance, struct str name)
{
	int count = 0;
	for (const struct instance_snapshot *s =
		     instance_snapshot_first_by_instance(op->head, instance->row.id);
	     s; s = instance_snapshot_next_by_instance(op->head, s), count++)
		if (str_equal(s->name, name))
			return ENGINE_FAIL(op, ERR_EXISTS, KIND_INSTANCE_SNAPSHOT, STR("name"),
					   "Creating VM snapshot failed due to VM snapshot with name%" STR_FMT
					   "  already exists",
					   STR_ARG(name));
	return count < INSTANCE_SNAPSHOTS_MAX
		       ? OK
		       : ENGINE_FAIL(op, ERR_QUOTA, KIND_INSTANCE_SNAPSHOT, STR_NONE,
				     "Creating vm snapshot failed due to a VM can just have : %d VM "
				     "snapshots. Please delete old ones",
				     INSTANCE_SNAPSHOTS_MAX);
}

/* The message about shared disks is ours: CloudStack has none. */
static RESULT check_disks(struct op *op, const struct volume_list *disks, const struct ref *ref)
{
	for (size_t k = 0; k < disks->count; k++) {
		const struct volume *v = disks->at[k];
		if (!engine_is_hidden(KIND_VOLUME, &v->row)) /* a local disk, of which no policy speaks */
			TRY(engine_check_found(op->ctx, op->head, KIND_VOLUME, &v->row));
		if (v->is_shared)
			return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
					   "The volume '%" STR_FMT
					   "' may be shared with other instances: the instance '%" STR_FMT
					   "' cannot return to an earlier content of it.",
					   STR_ARG(engine_write_id(op, KIND_VOLUME, v->row.id)),
					   STR_ARG(ref->text));
		if (is_busy(op->head, v))
			return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE_SNAPSHOT, STR_NONE,
					   "There is other active volume snapshot tasks on the instance to "
					   "which the volume is attached, please try again later.");
	}
	return disks->count ? OK
			    : ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, ref->field,
					  "Create vm to snapshot failed due to no root disk was found");
}

static struct str name_of(struct op *op, const struct instance *instance)
{
	char text[CLOCK_TEXT_SIZE];
	(void) clock_write_basic(op->now_us, text); /* "20161115T100000Z" */
	return str_print(op->ctx->arena, "%" STR_FMT "_VS_%.8s%.6s",
			 STR_ARG(engine_write_id(op, KIND_INSTANCE, instance->row.id)), text, text + 9);
}

RESULT engine_create_instance_snapshot(struct op *op, struct instance_snapshot_wish *wish)
{
	const struct instance *instance = NULL;
	struct volume_list disks;
	TRY(engine_permit_instance(op, &wish->instance, "snapshot.create_many", &instance));
	TRY(check_words(op, wish));
	struct str name = wish->name.n ? wish->name : name_of(op, instance);
	TRY(check_others(op, instance, name));
	TRY(check_state(op, instance, &wish->instance));
	TRY(engine_list_disks(op->ctx->arena, op->head, instance->row.id, true, &disks));
	TRY(check_disks(op, &disks, &wish->instance));
	const struct instance_snapshot *parent = find_current(op->head, instance->row.id);
	struct instance_snapshot made = {.row.id = engine_new_id(op, KIND_INSTANCE_SNAPSHOT),
					 .row.gen = 1,
					 .account = instance->account,
					 .name = name,
					 .description = wish->description,
					 .instance = instance->row.id,
					 .parent = parent ? parent->row.id : UUID_NONE,
					 .type = instance->type};
	TRY(instance_snapshot_put(op, &made));
	TRY(make_current(op, made.instance, made.row.id));
	wish->snapshot = made.row.id;
	for (size_t k = 0; k < disks.count; k++) {
		struct snapshot snapshot = {.description = name, .instance_snapshot = made.row.id};
		TRY(snapshot_write_of(op, disks.at[k], &snapshot));
	}
	return engine_log_event(op, KIND_INSTANCE_SNAPSHOT, &made.row, "created", "Of %zu disks.",
				disks.count);
}

/* ---- deletion ---- */

static RESULT find_own(struct op *op, struct instance_snapshot_target *wish, const char *permission,
		       const struct instance_snapshot **ret_snapshot, const struct instance **ret_instance)
{
	TRY(engine_permit_instance_snapshot(op, &wish->snapshot, permission, ret_snapshot));
	*ret_instance = instance_find(op->head, (*ret_snapshot)->instance);
	wish->instance = (*ret_snapshot)->instance;
	return *ret_instance ? OK : engine_fail_gone(op->ctx, KIND_INSTANCE, wish->instance);
}

static RESULT check_idle(struct op *op, const struct instance_snapshot *snapshot, const struct ref *ref)
{
	for (const struct instance_snapshot *s =
		     instance_snapshot_first_by_instance(op->head, snapshot->instance);
	     s; s = instance_snapshot_next_by_instance(op->head, s)) {
		enum instance_snapshot_state state = engine_instance_snapshot_state(op->head, s);
		if (state == INSTANCE_SNAPSHOT_CREATING || state == INSTANCE_SNAPSHOT_REVERTING)
			return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE_SNAPSHOT, ref->field,
					   "There is other active vm snapshot tasks on the instance, please "
					   "try again later");
	}
	return OK;
}

static RESULT free_from_set(struct op *op, const struct snapshot *snapshot)
{
	struct snapshot next = *snapshot;
	next.instance_snapshot = UUID_NONE;
	return snapshot_put(op, &next);
}

/* Takes each disk's snapshot out of the set, then deletes it with the caller's permissions. */
static RESULT delete_snapshots(struct op *op, uuid set)
{
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(op->head, set), *after = NULL; s;
	     s = after) {
		after = snapshot_next_by_instance_snapshot(op->head, s);
		bool is_live = row_is_live(&s->row);
		struct snapshot_target target = {
			.snapshot = engine_ref_to(op, KIND_SNAPSHOT, s->row.id, STR_NONE)};
		TRY(free_from_set(op, s));
		if (is_live)
			TRY(engine_delete_snapshot(op, &target));
	}
	return OK;
}

/* Children of the deleted snapshot become children of its parent. */
static RESULT leave_tree(struct op *op, const struct instance_snapshot *gone)
{
	uuid id = gone->row.id, parent = gone->parent;
	for (const struct instance_snapshot *s =
		     instance_snapshot_first_by_instance(op->head, gone->instance);
	     s; s = instance_snapshot_next_by_instance(op->head, s)) {
		struct instance_snapshot next = *s;
		if (!uuid_equal(s->parent, id))
			continue;
		next.parent = parent;
		TRY(instance_snapshot_put(op, &next));
	}
	return gone->is_current ? make_current(op, gone->instance, parent) : OK;
}

RESULT engine_delete_instance_snapshot(struct op *op, struct instance_snapshot_target *wish)
{
	const struct instance_snapshot *snapshot = NULL;
	const struct instance *instance = NULL;
	TRY(find_own(op, wish, "snapshot.delete", &snapshot, &instance));
	TRY(check_idle(op, snapshot, &wish->snapshot));
	uuid id = snapshot->row.id, type = snapshot->type;
	TRY(engine_log_event(op, KIND_INSTANCE_SNAPSHOT, &snapshot->row, "deleted",
			     "With the snapshots of the disks."));
	TRY(delete_snapshots(op, id));
	TRY(leave_tree(op, snapshot));
	TRY(instance_snapshot_forget(op, id));
	return instance_type_forget_unused(op, type);
}

RESULT instance_end_snapshots(struct op *op, uuid instance)
{
	const struct instance_snapshot *set = NULL;
	while ((set = instance_snapshot_first_by_instance(op->head, instance)) != NULL) {
		uuid id = set->row.id, type = set->type;
		const struct snapshot *s = NULL;
		while ((s = snapshot_first_by_instance_snapshot(op->head, id)) != NULL) {
			bool goes =
				row_is_live(&s->row) && !image_device_first_by_snapshot(op->head, s->row.id);
			uuid snapshot = s->row.id;
			TRY(free_from_set(op, s));
			if (goes)
				TRY(snapshot_delete_metered(op, snapshot_find(op->head, snapshot)));
		}
		TRY(instance_snapshot_forget(op, id));
		TRY(instance_type_forget_unused(op, type));
	}
	return OK;
}

/* ---- revert ---- */

static RESULT check_returnable(struct op *op, const struct instance_snapshot *snapshot,
			       const struct instance *instance, const struct ref *ref)
{
	enum instance_state state = model_derive_instance_state(instance);
	const char *why = NULL;
	if (!is_at_rest(instance) || (state != INSTANCE_RUNNING && state != INSTANCE_STOPPED))
		why = "VM Snapshot reverting failed due to vm is not in the state of Running or Stopped.";
	else if (state == INSTANCE_RUNNING)
		why = "VM Snapshot revert not allowed. This will result in VM state change. You can revert "
		      "running VM to disk and memory type snapshot and stopped VM to disk type snapshot";
	else if (engine_instance_snapshot_state(op->head, snapshot) != INSTANCE_SNAPSHOT_READY)
		why = "VM Snapshot reverting failed due to vm snapshot is not in the state of Created.";
	return why ? ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE_SNAPSHOT, ref->field, "%s", why) : OK;
}

/* instance_check_no_snapshots() has kept disks attached and their sizes unchanged. What remains are volumes
 * reserved for a transfer, and disks that are moving now. */
static RESULT revert_disk(struct op *op, const struct instance *instance, const struct snapshot *snapshot,
			  const struct ref *ref)
{
	const struct volume *v = volume_find(op->head, snapshot->volume);
	bool is_its = v && row_is_live(&v->row) && uuid_equal(v->instance, instance->row.id) && !v->is_shared;
	bool is_whole = v && uuid_equal(v->host, v->seen_host) && uuid_is_none(v->left_host) &&
			!is_busy(op->head, v) && v->size == snapshot->volume_size && v->seen_size == v->size;
	if (!is_its || !is_whole)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME, ref->field,
				   "The volume '%" STR_FMT "' cannot return to its snapshot just now.",
				   STR_ARG(engine_write_id(op, KIND_VOLUME, snapshot->volume)));
	const struct ref disk = engine_ref_to(op, KIND_VOLUME, v->row.id, ref->field);
	TRY(volume_check_unreserved(op, v, &disk));
	TRY(engine_permit(op, "volume.revert", KIND_VOLUME, &v->row));
	return volume_write_revert(op, v, snapshot);
}

static RESULT revert_type(struct op *op, const struct instance *instance, uuid type_then, struct str field)
{
	const struct instance_type *type = instance_type_find(op->head, type_then);
	uuid before = instance->type;
	if (uuid_equal(before, type_then))
		return OK;
	if (!type)
		return engine_fail_gone(op->ctx, KIND_INSTANCE_TYPE, type_then);
	struct instance next = *instance;
	TRY(instance_change_type(op, type, field, &next));
	TRY(local_disks_fit(op, instance, type, true, field));
	next.row.gen++;
	TRY(instance_put(op, &next));
	return instance_type_forget_unused(op, before);
}

RESULT engine_revert_instance(struct op *op, struct instance_snapshot_target *wish)
{
	const struct instance_snapshot *snapshot = NULL;
	const struct instance *instance = NULL;
	TRY(find_own(op, wish, "volume.revert", &snapshot, &instance));
	TRY(instance_check_unlocked(op, instance, wish->snapshot.field));
	TRY(check_idle(op, snapshot, &wish->snapshot));
	TRY(check_returnable(op, snapshot, instance, &wish->snapshot));
	for (const struct snapshot *s = snapshot_first_by_instance_snapshot(op->head, snapshot->row.id); s;
	     s = snapshot_next_by_instance_snapshot(op->head, s))
		TRY(revert_disk(op, instance, s, &wish->snapshot));
	TRY(engine_log_event(op, KIND_INSTANCE, &instance->row, "revert asked",
			     "To instance snapshot %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_INSTANCE_SNAPSHOT, snapshot->row.id))));
	TRY(make_current(op, wish->instance, snapshot->row.id));
	return revert_type(op, instance, snapshot->type, wish->snapshot.field);
}
