/* SPDX-License-Identifier: Apache-2.0
 * Steps of snapshots that clients write block by block: makes the file of a written one, and fails one whose client has
 * stopped. Runs on a fetch lane, since a file may take as long to make as a download. A restarted step makes the file
 * again from the same blocks. */
#include "engine/storage/snapshot/snapshot_blocks.h"
#include "base/clock.h"
#include "drivers/block_upload.h"
#include "engine/storage/snapshot/snapshot.h"
#include "reconcile/work.h"
#include "store/snapshot.h"

enum { NO_ROOM_AGAIN_S = 30 }; /* no event reports that the image store has room again */

static struct block_upload upload_of(const struct step *s, const struct snapshot *row)
{
	return (struct block_upload){s->r->image_directory, s->id, row->volume_size};
}

void snapshot_blocks_remove(struct step *s, const struct snapshot *row)
{
	const struct block_upload upload = upload_of(s, row);
	block_upload_remove(&upload);
}

static RESULT report(struct step *s, const struct snapshot *row, struct snapshot_report seen)
{
	struct snapshot_report *report = STEP_NEW(s, struct snapshot_report);
	*report = seen;
	report->snapshot = s->id;
	report->gen = row->row.gen;
	step_report(s, engine_see_snapshot_run, report);
	return OK;
}

static RESULT report_failed(struct step *s, const struct snapshot *row, struct str problem)
{
	return report(s, row, (struct snapshot_report){.stage = row->seen_stage, .problem = problem});
}

static RESULT make(struct step *s, const struct snapshot *row, const struct disk_payer *payer,
		   struct snapshot_report *seen)
{
	const struct block_upload upload = upload_of(s, row);
	const struct disk_key *key = NULL;
	struct image_file file = {0};
	struct disk_payer own = *payer;
	struct str over = row->over.n ? gather_store_path(s, row->over) : STR_NONE;
	if (own.left_size < INT64_MAX - row->file_size)
		own.left_size += row->file_size; /* its own reservation */
	if (row->is_encrypted) {
		TRY(disk_key_draw(&s->ctx, s->r->master_key, &seen->data_key));
		TRY(gather_disk_key(s, seen->data_key, &key));
	}
	TRY(block_upload_import(&s->ctx, &upload, over.p, key, &own, &file));
	seen->sha256 = file.sha256;
	seen->file_size = file.file_size;
	seen->volume_size = file.virtual_size;
	return OK;
}

/* The row is pending and has no host. */
RESULT snapshot_blocks_step(struct step *s, const struct snapshot *row, const struct disk_payer *payer)
{
	const struct block_upload upload = upload_of(s, row);
	struct snapshot_report seen = {.stage = SNAPSHOT_SEEN_STAGE_KEPT, .progress = 100};
	int64_t written_us = block_upload_written_us(&upload);
	int64_t ends_us = (written_us > row->row.created_us ? written_us : row->row.created_us) +
			  row->blocks_timeout_min * MINUTE;
	if (row->is_migrating && !row->blocks_are_complete) /* the migration completes or deletes it */
		return OK;
	if (!row->blocks_are_complete && clock_now_us() >= ends_us)
		return report_failed(s, row, STR("It was not completed in time after its last block."));
	if (!row->blocks_are_complete) {
		step_again_by(s, ends_us); /* fails the snapshot then, unless another block has come */
		return OK;
	}
	struct result result = make(s, row, payer, &seen);
	if (result_is_ok(result))
		return report(s, row, seen);
	if (result.code == ERR_NO_MEMORY || result.code == ERR_AGAIN)
		return result;
	struct str problem = s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	if (result.code != ERR_CAPACITY)
		return report_failed(s, row, problem);
	step_again_at(s, clock_now_us() + NO_ROOM_AGAIN_S * SECOND);
	return OK;
}
