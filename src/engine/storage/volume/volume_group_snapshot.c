/* SPDX-License-Identifier: Apache-2.0
 * Group snapshots: rows only. Each snapshot is cut and stored like any other. */
#include "store/volume_group_snapshot.h"
#include "engine/quota_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/volume_group.h"
#include "engine/storage/volume/volume_group_internal.h"
#include "model/states.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_group.h"

const char *engine_volume_group_snapshot_status(const struct tables *t,
						const struct volume_group_snapshot *group)
{
	const char *status = "available";
	if (group->mark != VOLUME_GROUP_SNAPSHOT_MARK_NONE)
		return volume_group_snapshot_mark_words[group->mark];
	for (const struct snapshot *s = snapshot_first_by_group_snapshot(t, group->row.id); s;
	     s = snapshot_next_by_group_snapshot(t, s)) {
		if (model_derive_snapshot_state(s) == SNAPSHOT_ERROR)
			return "error";
		if (engine_snapshot_is_pending(s))
			status = "creating";
	}
	return status;
}

RESULT engine_create_volume_group_snapshot(struct op *op, struct volume_group_snapshot_wish *wish)
{
	const struct volume_group *group = NULL;
	size_t count = 0;
	TRY(engine_permit_volume_group(op, &wish->group, "volume_group.snapshot", &group));
	TRY(volume_group_check_words(op, KIND_VOLUME_GROUP_SNAPSHOT, wish->name, wish->description));
	struct volume_group_snapshot made = {.row.id = engine_new_id(op, KIND_VOLUME_GROUP_SNAPSHOT),
					     .row.gen = 1,
					     .account = group->account,
					     .name = wish->name,
					     .description = wish->description,
					     .group = group->row.id};
	TRY(volume_group_snapshot_put(op, &made));
	wish->group_snapshot = made.row.id;
	for (const struct volume *v = volume_first_by_group(op->head, made.group); v;
	     v = volume_next_by_group(op->head, v)) {
		struct snapshot snapshot = {
			.name = wish->name, .description = wish->description, .group_snapshot = made.row.id};
		if (!row_is_live(&v->row))
			continue;
		TRY(snapshot_write_of(op, v, &snapshot));
		count++;
	}
	if (!count) /* Cinder's status code; the text is a guess */
		return ENGINE_FAIL(op, ERR_STATE, KIND_VOLUME_GROUP, wish->group.field,
				   "Invalid Group: Group is empty. No group snapshot will be created.");
	return engine_log_event(op, KIND_VOLUME_GROUP_SNAPSHOT, &made.row, "created", "Of %zu volumes.",
				count);
}

/* A group being created from the group snapshot still needs its files. */
static RESULT check_deletable(struct op *op, const struct volume_group_snapshot_target *wish,
			      const struct volume_group_snapshot *group)
{
	const char *status = engine_volume_group_snapshot_status(op->head, group);
	bool is_free = strcmp(status, "available") == 0 || strcmp(status, "error") == 0;
	for (const struct volume_group *g = volume_group_first_by_source_snapshot(op->head, group->row.id); g;
	     g = volume_group_next_by_source_snapshot(op->head, g))
		if (strcmp(engine_volume_group_status(op->head, g), "creating") == 0)
			is_free = false;
	return is_free ? OK
		       : ENGINE_FAIL(
				 op, ERR_STATE, KIND_VOLUME_GROUP_SNAPSHOT, wish->group_snapshot.field,
				 "Invalid GroupSnapshot: GroupSnapshot status must be available or error, "
				 "and no Group can be currently using it as source for its creation.");
}

/* Takes each snapshot out of the group snapshot first, then deletes it with the caller's permissions. */
static RESULT delete_snapshots(struct op *op, uuid group)
{
	for (const struct snapshot *s = snapshot_first_by_group_snapshot(op->head, group), *after = NULL; s;
	     s = after) {
		after = snapshot_next_by_group_snapshot(op->head, s);
		struct snapshot next = *s;
		struct snapshot_target target = {
			.snapshot = engine_ref_to(op, KIND_SNAPSHOT, s->row.id, STR_NONE)};
		next.group_snapshot = UUID_NONE;
		bool is_live = row_is_live(&s->row);
		TRY(snapshot_put(op, &next));
		if (is_live)
			TRY(engine_delete_snapshot(op, &target));
	}
	return OK;
}

RESULT engine_delete_volume_group_snapshot(struct op *op, struct volume_group_snapshot_target *wish)
{
	const struct volume_group_snapshot *group = NULL;
	TRY(engine_permit_volume_group_snapshot(op, &wish->group_snapshot, "volume_group.delete_snapshot",
						&group));
	TRY(check_deletable(op, wish, group));
	uuid id = group->row.id;
	TRY(engine_log_event(op, KIND_VOLUME_GROUP_SNAPSHOT, &group->row, "deleted", "With its snapshots."));
	TRY(delete_snapshots(op, id));
	return volume_group_snapshot_forget(op, id);
}

RESULT engine_mark_volume_group_snapshot(struct op *op, struct volume_group_snapshot_marking *wish)
{
	const struct volume_group_snapshot *group = NULL;
	int mark = 0;
	TRY(engine_permit_volume_group_snapshot(op, &wish->group_snapshot, "volume_group.update", &group));
	TRY(volume_group_read_mark(op, KIND_VOLUME_GROUP_SNAPSHOT, "Group snapshot", wish->status, &mark));
	struct volume_group_snapshot next = *group;
	next.mark = (enum volume_group_snapshot_mark) mark;
	TRY(volume_group_snapshot_put(op, &next));
	return engine_log_event(op, KIND_VOLUME_GROUP_SNAPSHOT, &next.row, "marked", "As %s.",
				volume_group_mark_words[mark]);
}
