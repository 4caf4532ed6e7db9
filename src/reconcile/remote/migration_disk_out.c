/* SPDX-License-Identifier: Apache-2.0
 * Steps of disks of the way out: write the blocks of a snapshot here into a snapshot there, on a fetch lane. The first round
 * writes all blocks that are not zeros, later ones those that differ from the last round's snapshot, over the snapshot that
 * the last round made there. A step writes for some seconds and reports how far it is; after a crash the next step goes on from
 * the last report, and writes those blocks again. A cloud that takes no blocks gets the snapshot's file in one request. */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/disk_blocks.h"
#include "reconcile/remote/migration_step.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/provider.h"
#include "store/snapshot.h"

/* STEP_S: a step ends and reports, so that a crash loses little. SEAL_DOUBT_S: a refusal to complete a snapshot usually means
 * that it was completed before; later it is shown. */
enum { STEP_S = 5, AGAIN_S = 30, SEAL_LOOK_MS = 1000, SEAL_DOUBT_S = 60, RETRY_STEPS = 4, ASK_MS = 1000 };
enum { REQUEST_ARENA_FIRST = 16 * 1024, REQUEST_ARENA_CAP = 4 << 20 };
_Static_assert((int) DISK_BLOCK_SIZE == (int) REMOTE_BLOCK_SIZE, "blocks here and there have one size");

struct pushing {
	struct step *s;
	const struct cloud_migration *m;
	const struct cloud_migration_disk *disk;
	const struct provider *provider;
	const struct remote_sink_ops *ops;
	struct remote remote;
	struct str path, base_path; /* files of the image store; base_path empty: all blocks are written */
	uint8_t *bytes, *old;
	struct arena *arena; /* for one request at a time */
	int64_t ends_us;     /* the step reports from then on */
	int64_t asked_us;    /* when an upload was last asked whether it goes on */
	bool waits;          /* the next step has a time already */
	/* results: */
	struct migration_disk_report report;
};

/* The file of a kept snapshot; empty: there is none. */
static struct str path_of(struct step *s, const struct snapshot *snapshot)
{
	bool is_kept = snapshot && row_is_live(&snapshot->row) && snapshot->sha256.n &&
		       snapshot->seen_stage == SNAPSHOT_SEEN_STAGE_KEPT;
	return is_kept ? gather_store_path(s, snapshot->sha256) : STR_NONE;
}

/* The disk, if it is to be copied; NULL: not now. */
static RESULT gather(struct step *s, struct pushing *k)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct cloud_migration_disk *d = cloud_migration_disk_find(view.tables, s->id);
	const struct cloud_migration *m = d ? cloud_migration_find(view.tables, d->migration) : NULL;
	const struct provider *p = m ? provider_find(view.tables, m->provider) : NULL;
	if (!p || m->stage != CLOUD_MIGRATION_STAGE_COPYING || d->is_copied)
		return OK;
	k->m = STEP_COPY(s, KIND_CLOUD_MIGRATION, struct cloud_migration, m);
	k->disk = STEP_COPY(s, KIND_CLOUD_MIGRATION_DISK, struct cloud_migration_disk, d);
	k->provider = STEP_COPY(s, KIND_PROVIDER, struct provider, p);
	k->path = path_of(s, snapshot_find(view.tables, d->snapshot));
	if (d->base.n)
		k->base_path = path_of(s, snapshot_find(view.tables, d->base_snapshot));
	if (!k->path.n)
		k->report.failure = STR("A snapshot here is gone.");
	return OK;
}

static bool is_wanted(const struct pushing *k)
{
	AUTO_VIEW view = {0};
	view_open(k->s->r->store, &view);
	const struct cloud_migration_disk *d = cloud_migration_disk_find(view.tables, k->s->id);
	const struct cloud_migration *m = d ? cloud_migration_find(view.tables, d->migration) : NULL;
	return m && m->stage == CLOUD_MIGRATION_STAGE_COPYING && str_equal(d->target, k->disk->target);
}

/* ---- the target ---- */

/* The token names the attempt: a repeated request finds the snapshot of the first one. */
static RESULT begin(struct pushing *k)
{
	struct ctx *c = &k->s->ctx;
	char id[UUID_TEXT_SIZE];
	struct str text = str_print(c->arena, "%s %lld %lld", uuid_write(k->disk->row.id, id),
				    (long long) k->m->round, (long long) k->disk->resets);
	uint8_t digest[SHA256_SIZE];
	struct remote_sink sink = {.migration = k->m->row.id,
				   .round = k->m->round,
				   .number = k->disk->number,
				   .size = k->disk->size,
				   .is_uefi = str_is(k->m->boot_mode, "uefi"),
				   .base = k->disk->base};
	crypto_sha256(text, digest);
	memcpy(&sink.token, digest, sizeof sink.token);
	/* the file that the cloud has already */
	if (k->ops->upload && k->disk->base.n && str_equal(k->path, k->base_path))
		k->report.begun = k->disk->base;
	else
		TRY(k->ops->begin(c, &k->remote, &sink, &k->report.begun));
	step_again(k->s);
	return OK;
}

/* Completes the snapshot there, and looks whether it is complete. */
static RESULT seal(struct pushing *k)
{
	struct ctx *c = &k->s->ctx;
	struct remote_point point = {0};
	TRY(k->ops->look(c, &k->remote, k->disk->target, &point));
	k->report.is_copied = point.is_complete;
	if (point.has_failed)
		return ctx_fail(c, ERR_NOT_FOUND, "The snapshot %" STR_FMT " failed there.",
				STR_ARG(k->disk->target));
	if (point.is_complete)
		return OK;
	step_again_at(k->s, clock_now_us() + SEAL_LOOK_MS * (SECOND / 1000));
	struct result result = k->ops->end(c, &k->remote, k->disk->target, k->disk->blocks);
	if (result.code != ERR_INVALID && result.code != ERR_STATE)
		return result;
	if (clock_now_us() > k->disk->sealed_us + SEAL_DOUBT_S * SECOND)
		k->report.problem = c->problem.message;
	ctx_clear_problem(c);
	return OK;
}

/* ---- whole disks ---- */

static bool goes_on(void *arg)
{
	struct pushing *k = arg;
	int64_t now_us = clock_now_us();
	if (now_us < k->asked_us + ASK_MS * (SECOND / 1000) && now_us >= k->asked_us)
		return true;
	k->asked_us = now_us;
	return !work_is_stopping(k->s->r) && is_wanted(k);
}

/* Uploads the snapshot's file, unless the cloud has it already or is about to: an answer may have been lost. */
static RESULT send_file(struct pushing *k)
{
	struct ctx *c = &k->s->ctx;
	struct remote_point point = {0};
	struct remote_file file = {.path = k->path.p, .goes_on = goes_on, .arg = k};
	TRY(k->ops->look(c, &k->remote, k->disk->target, &point));
	k->report.is_copied = point.is_complete;
	if (point.has_failed)
		return ctx_fail(c, ERR_NOT_FOUND, "The image %" STR_FMT " failed there.",
				STR_ARG(k->disk->target));
	k->waits = !point.is_complete && !point.is_open;
	if (k->waits)
		step_again_at(k->s, clock_now_us() + SEAL_LOOK_MS * (SECOND / 1000));
	if (!point.is_open)
		return OK;
	TRY(k->ops->upload(c, &k->remote, k->disk->target, &file));
	k->report.bytes = file.size;
	return OK;
}

/* ---- blocks ---- */

static bool is_zero(const uint8_t *bytes)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, DISK_BLOCK_SIZE - 1) == 0;
}

/* Writes a block with an arena that is emptied for each, since a step writes hundreds. */
static RESULT write_block(struct pushing *k, int64_t index)
{
	struct ctx own;
	uint8_t digest[SHA256_SIZE];
	arena_reset(k->arena);
	ctx_init(&own, k->arena);
	crypto_sha256((struct str){(const char *) k->bytes, DISK_BLOCK_SIZE}, digest);
	struct result result = k->ops->put(&own, &k->remote, k->disk->target, index, k->bytes, digest);
	if (!result_is_ok(result))
		return ctx_fail(&k->s->ctx, result.code, "%" STR_FMT, STR_ARG(own.problem.message));
	k->report.bytes += DISK_BLOCK_SIZE;
	k->report.blocks++;
	return OK;
}

/* Zeros are written only where the base has something else. */
static RESULT copy_block(struct pushing *k, struct qcow2_file *file, struct qcow2_file *base, int64_t index)
{
	struct ctx *c = &k->s->ctx;
	bool has_data = false;
	TRY(disk_blocks_read(file, c, index, k->bytes, &has_data));
	if (base)
		TRY(disk_blocks_read(base, c, index, k->old, &has_data));
	bool is_same = base ? memcmp(k->bytes, k->old, DISK_BLOCK_SIZE) == 0 : is_zero(k->bytes);
	return is_same ? OK : write_block(k, index);
}

/* The next block of which either file has data; -1: none. base NULL: none. */
static RESULT find_next(struct ctx *c, struct qcow2_file *file, struct qcow2_file *base, int64_t from,
			int64_t *ret_index)
{
	int64_t at = -1, base_at = -1;
	TRY(disk_blocks_find_next(file, c, from, &at));
	if (base)
		TRY(disk_blocks_find_next(base, c, from, &base_at));
	*ret_index = at < 0 || (base_at >= 0 && base_at < at) ? base_at : at;
	return OK;
}

static RESULT open_file(struct ctx *c, struct str path, struct qcow2_file **ret_file)
{
	struct result result = qcow2_open(c, path.p, ret_file);
	return result.code == ERR_INVALID
		       ? ctx_fail(c, ERR_RANGE, "The snapshot has no blocks: its host is simulated.")
		       : result;
}

static RESULT copy(struct pushing *k)
{
	struct ctx *c = &k->s->ctx;
	AUTO_QCOW2_FILE *file = NULL;
	AUTO_QCOW2_FILE *base = NULL;
	int64_t index = 0;
	TRY(open_file(c, k->path, &file));
	if (k->base_path.n)
		TRY(open_file(c, k->base_path, &base));
	for (;;) {
		TRY(find_next(c, file, base, k->report.next_block, &index));
		if (index < 0) {
			k->report.is_sealed = true;
			return OK;
		}
		if (clock_now_us() >= k->ends_us || work_is_stopping(k->s->r) || !is_wanted(k))
			return OK;
		TRY(copy_block(k, file, base, index));
		k->report.next_block = index + 1;
	}
}

/* ---- failures ---- */

/* A snapshot there that is gone, or takes no blocks, is replaced by a new one with all blocks. */
static RESULT fail(struct pushing *k, struct result result)
{
	struct step *s = k->s;
	struct str why = s->ctx.problem.message;
	if (result.code == ERR_NO_MEMORY)
		return result;
	ctx_clear_problem(&s->ctx);
	k->report.problem = why.n ? why : STR("It failed.");
	if (result.code == ERR_STATE || result.code == ERR_NOT_FOUND || result.code == ERR_INVALID) {
		k->report.is_reset = true;
		k->report.begun = STR_NONE;
		step_again_at(s, remote_next_try_us((unsigned) k->disk->resets + 1, 0));
	} else if (result.code == ERR_RANGE) {
		k->report.failure = k->report.problem;
	} else {
		step_again_at(s, remote_next_try_us(RETRY_STEPS, k->remote.wait_us));
	}
	return OK;
}

/* ---- the step ---- */

static RESULT transfer(struct pushing *k)
{
	struct step *s = k->s;
	AUTO(remote_connection) connection = remote_connection_new();
	struct provider_lane lane = {.connection = connection};
	AUTO(arena) arena = arena_new(REQUEST_ARENA_FIRST, REQUEST_ARENA_CAP);
	AUTO(arena) blocks =
		arena_new(REQUEST_ARENA_FIRST, REQUEST_ARENA_CAP); /* too large for the step's own */
	if (!connection || !arena || !blocks)
		return ctx_no_memory(&s->ctx);
	k->arena = arena;
	k->bytes = arena_alloc(blocks, DISK_BLOCK_SIZE);
	k->old = arena_alloc(blocks, DISK_BLOCK_SIZE);
	if (!k->bytes || !k->old)
		return ctx_no_memory(&s->ctx);
	if (k->disk->base.n && !k->ops->upload &&
	    !k->base_path.n) /* without it, blocks that became zeros would keep the base's content */
		return ctx_fail(&s->ctx, ERR_STATE, "The last round's snapshot here is gone.");
	TRY(remote_open(s, k->provider, &lane, &k->remote));
	struct result result = !k->disk->target.n   ? begin(k)
			       : k->ops->upload     ? send_file(k)
			       : k->disk->is_sealed ? seal(k)
						    : copy(k);
	remote_close(&k->remote);
	return result;
}

RESULT migration_disk_push(struct step *s)
{
	struct pushing k = {.s = s, .ends_us = clock_now_us() + STEP_S * SECOND};
	TRY(gather(s, &k));
	if (!k.disk)
		return OK;
	k.ops = remote_driver_of((int) k.provider->cloud)->sink;
	k.report.disk = s->id;
	k.report.target = k.disk->target;
	k.report.next_block = k.disk->next_block;
	if (!k.provider->verified_us || !k.ops) { /* new credentials may belong to another account */
		step_again_at(s, clock_now_us() + AGAIN_S * SECOND);
		return OK;
	}
	if (!k.report.failure.n) {
		struct result result = transfer(&k);
		if (!result_is_ok(result))
			TRY(fail(&k, result));
		else if (!k.disk->is_sealed && !k.waits)
			step_again(s);
	}
	struct migration_disk_report *report = STEP_NEW(s, struct migration_disk_report);
	*report = k.report;
	step_report(s, engine_see_cloud_migration_disk_run, report);
	return OK;
}
