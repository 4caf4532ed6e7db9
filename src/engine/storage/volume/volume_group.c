/* SPDX-License-Identifier: Apache-2.0
 * Volume groups: rows only. Their disks are created, copied and removed like those of other volumes. */
#include "engine/storage/volume/volume_group.h"

#include "engine/acting.h"
#include "engine/quota_internal.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_group_internal.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/states.h"
#include "model/zone.h"
#include "store/condition.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_group.h"
#include "store/volume_group_snapshot.h"
#include "store/volume_group_type.h"
#include "store/volume_type.h"
#include "store/zone.h"

RESULT volume_group_check_words(struct op *op, enum kind kind, struct str name, struct str description)
{
	if (name.n <= 255 && str_is_xml_text(name) && description.n <= 255 && str_is_xml_text(description))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, kind, STR("name"),
			   "A name and a description have up to 255 characters.");
}

RESULT volume_group_read_mark(struct op *op, enum kind kind, const char *what, struct str status,
			      int *ret_mark)
{
	for (int mark = VOLUME_GROUP_MARK_NONE; volume_group_mark_words[mark]; mark++) {
		const char *word =
			mark == VOLUME_GROUP_MARK_NONE ? "available" : volume_group_mark_words[mark];
		if (!str_equal_nocase(status, str_from(word)))
			continue;
		*ret_mark = mark;
		return OK;
	}
	return ENGINE_FAIL(op, ERR_INVALID, kind, STR("status"),
			   "%s status: %" STR_FMT " is invalid, valid statuses are: error, available, "
			   "creating, deleting, deleted, updating, error_deleting.",
			   what, STR_ARG(str_slice(status, 0, 64)));
}

/* ---- status ---- */

/* In a copied group only the volumes created with it count, not those added later. */
const char *engine_volume_group_status(const struct tables *t, const struct volume_group *group)
{
	bool is_copy = !uuid_is_none(group->source_group) || !uuid_is_none(group->source_snapshot);
	if (group->mark != VOLUME_GROUP_MARK_NONE)
		return volume_group_mark_words[group->mark];
	for (const struct volume *v = volume_first_by_group(t, group->row.id); v && is_copy;
	     v = volume_next_by_group(t, v))
		if (row_is_live(&v->row) && v->row.created_us == group->row.created_us && v->seen_size == 0)
			return condition_first_by_subject(t, v->row.id) ? "error" : "creating";
	return "available";
}

static bool is_available(const struct op *op, const struct volume_group *group)
{
	return strcmp(engine_volume_group_status(op->head, group), "available") == 0;
}

/* ---- volumes ---- */

RESULT volume_group_find_for(struct op *op, const struct ref *ref, struct str type, uuid *ret_group)
{
	const struct volume_group *group = NULL;
	const struct volume_type *row = volume_type_find_by_name(op->head, type);
	*ret_group = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_find_own_volume_group(op->ctx, op->head, ref, &group));
	if (!row || !uuids_have(&group->volume_types, row->row.id))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_GROUP, ref->field,
				   "Invalid volume_type provided: %" STR_FMT
				   " (requested type must be supported by this group).",
				   STR_ARG(type));
	*ret_group = group->row.id;
	return OK;
}

RESULT volume_group_check_none(struct op *op, const struct volume *volume, const struct ref *ref)
{
	return uuid_is_none(volume->group)
		       ? OK
		       : ENGINE_FAIL(op, ERR_IN_USE, KIND_VOLUME, ref->field,
				     "Volume %" STR_FMT " belongs to the group %" STR_FMT ".",
				     STR_ARG(ref->text),
				     STR_ARG(engine_write_id(op, KIND_VOLUME_GROUP, volume->group)));
}

/* ---- create ---- */

static RESULT choose_types(struct op *op, const struct refs *refs, struct uuids *ret_types)
{
	uuid *types = arena_new_array(op->ctx->arena, uuid, refs->count + 1);
	size_t count = 0;
	if (!types)
		return ctx_no_memory(op->ctx);
	for (size_t n = 0; n < refs->count; n++) {
		const struct volume_type *type = NULL;
		TRY(engine_find_volume_type(op->ctx, op->head, &refs->at[n], &type));
		if (!engine_may_use_volume_type(op->ctx, type))
			return engine_fail_not_found(op->ctx, KIND_VOLUME_TYPE, &refs->at[n]);
		struct uuids chosen = {types, count};
		if (!uuids_have(&chosen, type->row.id))
			types[count++] = type->row.id;
	}
	*ret_types = (struct uuids){types, count};
	return OK;
}

static RESULT choose(struct op *op, const struct volume_group_wish *wish, struct volume_group *group)
{
	const struct volume_group_type *type = NULL;
	const struct zone *zone = NULL;
	TRY(engine_find_volume_group_type(op->ctx, op->head, &wish->type, &type));
	if (!engine_may_use_volume_group_type(op->ctx, type))
		return engine_fail_not_found(op->ctx, KIND_VOLUME_GROUP_TYPE, &wish->type);
	TRY(engine_find_zone(op->ctx, op->head, &wish->zone, &zone));
	group->type = type->row.id;
	group->zone = zone->row.id;
	return choose_types(op, &wish->volume_types, &group->volume_types);
}

/* A copy takes over the types of its source, or of the group behind a group snapshot. */
static RESULT choose_source(struct op *op, const struct volume_group_wish *wish, struct volume_group *group)
{
	const struct volume_group *source = NULL;
	const struct volume_group_snapshot *snapshot = NULL;
	if (ref_is_given(&wish->source_snapshot)) {
		TRY(engine_find_own_volume_group_snapshot(op->ctx, op->head, &wish->source_snapshot,
							  &snapshot));
		source = volume_group_find(op->head, snapshot->group);
		group->source_snapshot = snapshot->row.id;
	} else {
		TRY(engine_find_own_volume_group(op->ctx, op->head, &wish->source_group, &source));
		group->source_group = source->row.id;
	}
	group->type = source->type;
	group->zone = source->zone;
	group->volume_types = source->volume_types;
	return OK;
}

/* volume: the one to copy, or the snapshot's, which may be gone; then the group's first volume type is
 * used. */
static RESULT copy_one(struct op *op, const struct volume_group *group, const struct volume *volume,
		       const struct snapshot *snapshot)
{
	const struct zone *zone = zone_find(op->head, volume ? volume->zone : group->zone);
	const struct volume_type *first = volume_type_find(op->head, group->volume_types.at[0]);
	struct volume_wish wish = {
		.zone = engine_ref_to(op, KIND_ZONE, zone->row.id, STR_NONE),
		.group = engine_ref_to(op, KIND_VOLUME_GROUP, group->row.id, STR_NONE),
		.disk = {.type = volume ? volume->type : first->name, .field = STR("size")}};
	if (snapshot)
		wish.disk.snapshot = engine_ref_to(op, KIND_SNAPSHOT, snapshot->row.id, STR_NONE);
	else
		wish.disk.copied = engine_ref_to(op, KIND_VOLUME, volume->row.id, STR_NONE);
	return engine_create_volume(op, &wish);
}

static RESULT copy_group(struct op *op, const struct volume_group *group)
{
	size_t count = 0;
	for (const struct volume *v = volume_first_by_group(op->head, group->source_group);
	     v && !uuid_is_none(group->source_group); v = volume_next_by_group(op->head, v)) {
		if (!row_is_live(&v->row))
			continue;
		TRY(copy_one(op, group, v, NULL));
		count++;
	}
	if (!count)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_GROUP, STR("source_group_id"),
				   "Invalid Group: Source Group is empty. No group will be created.");
	return OK;
}

static RESULT copy_snapshots(struct op *op, const struct volume_group *group)
{
	for (const struct snapshot *s = snapshot_first_by_group_snapshot(op->head, group->source_snapshot); s;
	     s = snapshot_next_by_group_snapshot(op->head, s))
		TRY(copy_one(op, group, volume_find(op->head, s->volume), s));
	return OK;
}

RESULT engine_create_volume_group(struct op *op, struct volume_group_wish *wish)
{
	uuid account = UUID_NONE;
	struct volume_group group = {.row.gen = 1, .name = wish->name, .description = wish->description};
	bool is_copy = ref_is_given(&wish->source_group) || ref_is_given(&wish->source_snapshot);
	TRY(engine_find_acting_id(op, &account));
	TRY(engine_permit(op, "volume_group.create", KIND_VOLUME_GROUP, NULL));
	TRY(volume_group_check_words(op, KIND_VOLUME_GROUP, wish->name, wish->description));
	TRY(is_copy ? choose_source(op, wish, &group) : choose(op, wish, &group));
	TRY(quota_check(op, account, QUOTA_VOLUME_GROUPS, 1));
	group.row.id = engine_new_id(op, KIND_VOLUME_GROUP);
	group.account = account;
	TRY(volume_group_put(op, &group));
	wish->group = group.row.id;
	TRY(engine_log_event(op, KIND_VOLUME_GROUP, &group.row, "created", "Group of volumes %" STR_FMT ".",
			     STR_ARG(group.name)));
	if (!is_copy)
		return OK;
	return uuid_is_none(group.source_snapshot) ? copy_group(op, &group) : copy_snapshots(op, &group);
}

/* ---- update ---- */

static RESULT fail_volume(struct op *op, const struct volume_group *group, const struct ref *ref,
			  bool is_added, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, ref->field,
			   "Invalid volume: Cannot %s volume %" STR_FMT " %s group %" STR_FMT " because %s.",
			   is_added ? "add" : "remove", STR_ARG(ref->text), is_added ? "to" : "from",
			   STR_ARG(engine_write_id(op, KIND_VOLUME_GROUP, group->row.id)), why);
}

/* NULL: there is no such volume that the caller may change. */
static RESULT find_volume(struct op *op, const struct ref *ref, const struct volume **ret_volume)
{
	struct result found = engine_find_own_volume(op->ctx, op->head, ref, ret_volume);
	if (found.code != ERR_NOT_FOUND)
		return found;
	*ret_volume = NULL;
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT add_volume(struct op *op, const struct volume_group *group, const struct ref *ref,
			 bool *ret_done)
{
	const struct volume *volume = NULL;
	TRY(find_volume(op, ref, &volume));
	if (!volume)
		return fail_volume(op, group, ref, true, "volume cannot be found");
	if (uuid_equal(volume->group, group->row.id))
		return OK;
	if (!uuid_is_none(volume->group))
		return fail_volume(op, group, ref, true, "it is already in another group");
	if (!uuid_equal(volume->account, group->account))
		return fail_volume(op, group, ref, true, "they belong to different projects");
	const struct volume_type *type = volume_type_find_by_name(op->head, volume->type);
	if (!type || !uuids_have(&group->volume_types, type->row.id))
		return fail_volume(op, group, ref, true, "its volume type is not supported by the group");
	enum volume_state state = model_derive_volume_state(volume);
	if ((state != VOLUME_AVAILABLE && state != VOLUME_IN_USE) ||
	    volume->reservation != VOLUME_RESERVATION_NONE)
		return fail_volume(op, group, ref, true,
				   "volume is in an invalid state: it must be available or in-use");
	struct volume next = *volume;
	next.group = group->row.id;
	*ret_done = true;
	return volume_put(op, &next);
}

static RESULT remove_volume(struct op *op, const struct volume_group *group, const struct ref *ref,
			    bool *ret_done)
{
	const struct volume *volume = NULL;
	TRY(find_volume(op, ref, &volume));
	if (!volume || !uuid_equal(volume->group, group->row.id))
		return fail_volume(op, group, ref, false, "it is not in the group");
	struct volume next = *volume;
	next.group = UUID_NONE;
	*ret_done = true;
	return volume_put(op, &next);
}

static RESULT check_lists(struct op *op, const struct volume_group_change *wish)
{
	for (size_t a = 0; a < wish->added.count; a++)
		for (size_t r = 0; r < wish->removed.count; r++)
			if (uuid_equal(wish->added.at[a].prefix, wish->removed.at[r].prefix))
				return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME, STR("add_volumes"),
						   "Invalid volume: UUIDs ['%" STR_FMT
						   "'] are in both add and remove volume list.",
						   STR_ARG(wish->added.at[a].text));
	return OK;
}

static RESULT move_volumes(struct op *op, const struct volume_group_change *wish,
			   const struct volume_group *group, bool *ret_done)
{
	TRY(check_lists(op, wish));
	for (size_t n = 0; n < wish->added.count; n++)
		TRY(add_volume(op, group, &wish->added.at[n], ret_done));
	for (size_t n = 0; n < wish->removed.count; n++)
		TRY(remove_volume(op, group, &wish->removed.at[n], ret_done));
	if (*ret_done && !is_available(op, group))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_GROUP, wish->group.field,
				   "Invalid Group: Group status must be available.");
	return OK;
}

RESULT engine_update_volume_group(struct op *op, struct volume_group_change *wish)
{
	const struct volume_group *group = NULL;
	bool moves = false;
	TRY(engine_permit_volume_group(op, &wish->group, "volume_group.update", &group));
	struct volume_group next = *group;
	if (wish->set_name)
		next.name = wish->name;
	if (wish->set_description)
		next.description = wish->description;
	TRY(volume_group_check_words(op, KIND_VOLUME_GROUP, next.name, next.description));
	TRY(move_volumes(op, wish, group, &moves));
	if (!moves && str_equal(next.name, group->name) && str_equal(next.description, group->description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_VOLUME_GROUP, wish->group.field,
				   "Invalid Group: Cannot update group %" STR_FMT
				   " because no valid name, description, add_volumes, or remove_volumes were "
				   "provided.",
				   STR_ARG(wish->group.text));
	next.mark = VOLUME_GROUP_MARK_NONE; /* Cinder does the same: an update clears the mark */
	next.row.gen++;
	TRY(volume_group_put(op, &next));
	return engine_log_event(op, KIND_VOLUME_GROUP, &next.row, "changed", "What is said of it, or in it.");
}

RESULT engine_mark_volume_group(struct op *op, struct volume_group_marking *wish)
{
	const struct volume_group *group = NULL;
	int mark = 0;
	TRY(engine_permit_volume_group(op, &wish->group, "volume_group.update", &group));
	TRY(volume_group_read_mark(op, KIND_VOLUME_GROUP, "Group", wish->status, &mark));
	struct volume_group next = *group;
	next.mark = (enum volume_group_mark) mark;
	TRY(volume_group_put(op, &next));
	return engine_log_event(op, KIND_VOLUME_GROUP, &next.row, "marked", "As %s.",
				volume_group_mark_words[mark]);
}

/* ---- delete ---- */

/* Removes each volume from the group first, then deletes it with the caller's permissions. */
static RESULT delete_volumes(struct op *op, const struct volume_group *group)
{
	for (const struct volume *v = volume_first_by_group(op->head, group->row.id), *after = NULL; v;
	     v = after) {
		after = volume_next_by_group(op->head, v);
		struct volume next = *v;
		struct volume_target target = {.volume = engine_ref_to(op, KIND_VOLUME, v->row.id, STR_NONE),
					       .snapshots = VOLUME_SNAPSHOTS_FORBID};
		next.group = UUID_NONE;
		bool is_live = row_is_live(&v->row);
		TRY(volume_put(op, &next));
		if (is_live)
			TRY(engine_delete_volume(op, &target));
	}
	return OK;
}

static RESULT check_deletable(struct op *op, const struct volume_group_target *wish,
			      const struct volume_group *group)
{
	const char *status = engine_volume_group_status(op->head, group);
	const struct volume *v = volume_find_by_group(op->head, group->row.id);
	if (!wish->with_volumes && strcmp(status, "available") != 0 && strcmp(status, "error") != 0)
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_GROUP, wish->group.field,
				   "Invalid Group: Group status must be available or error, but current "
				   "status is: %s",
				   status);
	if (volume_group_snapshot_first_by_group(op->head, group->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_GROUP, wish->group.field,
				   "Invalid Group: Group has existing snapshots.");
	if (v && !wish->with_volumes)
		return ENGINE_FAIL(
			op, ERR_STATE, KIND_VOLUME_GROUP, wish->group.field,
			"Invalid Group: Group %" STR_FMT
			" still contains volumes. The delete-volumes flag is required to delete it.",
			STR_ARG(wish->group.text));
	return OK;
}

RESULT engine_delete_volume_group(struct op *op, struct volume_group_target *wish)
{
	const struct volume_group *group = NULL;
	TRY(engine_permit_volume_group(op, &wish->group, "volume_group.delete", &group));
	TRY(check_deletable(op, wish, group));
	uuid id = group->row.id;
	TRY(engine_log_event(op, KIND_VOLUME_GROUP, &group->row, "deleted", "Group of volumes %" STR_FMT ".",
			     STR_ARG(group->name)));
	TRY(delete_volumes(op, group));
	return volume_group_forget(op, id);
}
