/* SPDX-License-Identifier: Apache-2.0
 * Rows of snapshots that are written block by block. */
#include "engine/storage/snapshot/snapshot_blocks.h"

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/quota_internal.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/snapshot/snapshot_internal.h"
#include "engine/storage/volume/disk_plan_internal.h"
#include "engine/tag_internal.h"
#include "model/states.h"
#include "store/snapshot.h"

enum { GENERATIONS_MAX = 1000 }; /* of parents that are followed */

bool engine_snapshot_takes_blocks(const struct snapshot *snapshot)
{
	return snapshot->blocks_timeout_min && !snapshot->is_migrating && !snapshot->blocks_are_complete &&
	       engine_snapshot_is_pending(snapshot);
}

/* The volume of the oldest ancestor, else that ancestor itself. */
static uuid find_origin(const struct tables *t, const struct snapshot *s)
{
	for (int k = 0; k < GENERATIONS_MAX && !uuid_is_none(s->blocks_parent); k++) {
		const struct snapshot *parent = snapshot_find(t, s->blocks_parent);
		if (!parent)
			return s->blocks_parent;
		s = parent;
	}
	return uuid_is_none(s->volume) ? s->row.id : s->volume;
}

bool engine_are_snapshots_related(const struct tables *t, const struct snapshot *a, const struct snapshot *b)
{
	return uuid_equal(find_origin(t, a), find_origin(t, b));
}

/* Pins the parent's file by `over`, so that the parent may be deleted meanwhile. */
static RESULT take_parent(struct op *op, const struct block_snapshot_wish *wish, struct snapshot *snapshot)
{
	const struct snapshot *parent = NULL;
	const struct ref *ref = &wish->parent;
	if (!ref_is_given(ref))
		return OK;
	if (wish->crypt.is_wanted != CHOICE_DEFAULT)
		return ctx_fail_field(op->ctx, ERR_COMBINATION, STR("Encrypted"),
				      "Encrypted and ParentSnapshotId cannot be specified together.");
	TRY(engine_find_own_snapshot(op->ctx, op->head, ref, &parent));
	if (model_derive_snapshot_state(parent) != SNAPSHOT_COMPLETED)
		return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, ref->field,
				   "The snapshot '%" STR_FMT "' is not completed.", STR_ARG(ref->text));
	if (parent->is_encrypted)
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_SNAPSHOT, ref->field,
				   "The snapshot '%" STR_FMT
				   "' is encrypted: blocks are written over unencrypted snapshots alone.",
				   STR_ARG(ref->text));
	if (wish->size < parent->volume_size)
		return ENGINE_FAIL(op, ERR_RANGE, KIND_SNAPSHOT, STR("VolumeSize"),
				   "The size is less than that of the snapshot '%" STR_FMT "'.",
				   STR_ARG(ref->text));
	snapshot->blocks_parent = parent->row.id;
	snapshot->over = parent->sha256;
	return OK;
}

static RESULT check_pending(struct op *op, uuid account)
{
	int count = 0;
	for (const struct snapshot *s = snapshot_first_by_account(op->head, account); s;
	     s = snapshot_next_by_account(op->head, s))
		count += engine_snapshot_takes_blocks(s);
	return count < BLOCK_SNAPSHOTS_PENDING_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_THROTTLED, KIND_SNAPSHOT,
				       "%d snapshots are pending, as many as an account may have.", count);
}

RESULT engine_start_block_snapshot(struct op *op, struct block_snapshot_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_SNAPSHOT,
				   &wish->snapshot));
	if (!uuid_is_none(wish->snapshot))
		return OK;
	struct snapshot snapshot = {.row.gen = 1,
				    .account = account,
				    .description = wish->description,
				    .volume_size = wish->size,
				    .file_size = wish->size,
				    .blocks_timeout_min = wish->timeout_min};
	snapshot.is_encrypted = wish->crypt.is_wanted == CHOICE_YES || disk_plan_is_encrypted_by_default(op);
	TRY(take_parent(op, wish, &snapshot));
	TRY(disk_plan_check_key(op, &wish->crypt, snapshot.is_encrypted));
	TRY(snapshot_check_description(op, wish->description));
	TRY(tag_normalize(op, wish->tags, &snapshot.tags));
	TRY(engine_permit(op, "snapshot.start", KIND_SNAPSHOT, NULL));
	TRY(check_pending(op, account));
	TRY(quota_check(op, account, QUOTA_SNAPSHOTS, 1));
	TRY(quota_check_disk(op, account, wish->size, KIND_SNAPSHOT));
	snapshot.row.id = engine_new_id(op, KIND_SNAPSHOT);
	TRY(snapshot_put(op, &snapshot));
	wish->snapshot = snapshot.row.id;
	TRY(engine_log_event(op, KIND_SNAPSHOT, &snapshot.row, "started", "To be written block by block."));
	return client_token_write(op, account, wish->client_token, wish->digest, wish->snapshot);
}

RESULT engine_complete_block_snapshot(struct op *op, struct block_snapshot_target *wish)
{
	const struct snapshot *snapshot = NULL;
	TRY(engine_permit_snapshot(op, &wish->snapshot, "snapshot.complete", &snapshot));
	if (!engine_snapshot_takes_blocks(snapshot))
		return ENGINE_FAIL(op, ERR_STATE, KIND_SNAPSHOT, wish->snapshot.field,
				   "The snapshot '%" STR_FMT "' is not pending.",
				   STR_ARG(wish->snapshot.text));
	struct snapshot next = *snapshot;
	next.blocks_are_complete = true;
	next.row.gen++;
	wish->completed = next.row.id;
	TRY(snapshot_put(op, &next));
	return engine_log_event(op, KIND_SNAPSHOT, &next.row, "written", "All its blocks have come.");
}
