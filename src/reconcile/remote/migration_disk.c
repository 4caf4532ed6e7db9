/* SPDX-License-Identifier: Apache-2.0
 * Steps of a migration's disks: copy the blocks of a snapshot there into a snapshot here, on a fetch lane, with a connection
 * of the step's own. A step copies for some seconds and reports how far it is; after a crash the next step goes on from the
 * last report, and copies those blocks again. Blocks of zeros stay holes. A cloud without blocks gives whole disks: a step
 * downloads one, takes it into the image store under its checks, and copies the blocks of that file. */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "drivers/block_upload.h"
#include "drivers/disk_blocks.h"
#include "drivers/image/image_file.h"
#include "engine/quota.h"
#include "engine/remote/migration.h"
#include "reconcile/remote/migration_step.h"
#include "store/cloud_migration.h"
#include "store/cloud_migration_disk.h"
#include "store/provider.h"
#include "store/snapshot.h"

/* STEP_S: a step ends and reports, so that a crash loses little. NO_ROOM_AGAIN_S: no event reports free room, or verified
 * credentials. */
enum { STEP_S = 5, NO_ROOM_AGAIN_S = 30, EMPTY_PAGES_MIN = 1000, BLOCKS_A_PAGE_MIN = 16 };
enum { REQUEST_ARENA_FIRST = 16 * 1024, REQUEST_ARENA_CAP = 1 << 20 };
#define WHOLE_EXTRA (INT64_C(64) << 20)
enum { RETRY_STEPS = 4 /* as after four failures: about 8 s */, ASK_MS = 1000 };

struct copying {
	struct step *s;
	const struct cloud_migration_disk *disk;
	const struct provider *provider;
	const struct remote_source_ops *ops;
	struct remote remote;
	struct block_upload upload;
	uint8_t *bytes;
	struct arena *arena; /* for one request at a time */
	int64_t ends_us;     /* the step reports from then on */
	/* whole disks: */
	struct disk_payer payer;
	struct image_upload *whole;
	int64_t asked_us; /* when a download was last asked whether it goes on */
	/* results: */
	struct migration_disk_report report;
};

/* The disk, if it is to be copied; NULL: not now. */
static RESULT gather(struct step *s, struct copying *k, bool *ret_is_out)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct cloud_migration_disk *d = cloud_migration_disk_find(view.tables, s->id);
	const struct cloud_migration *m = d ? cloud_migration_find(view.tables, d->migration) : NULL;
	const struct provider *p = m ? provider_find(view.tables, m->provider) : NULL;
	const struct snapshot *snapshot = d ? snapshot_find(view.tables, d->snapshot) : NULL;
	*ret_is_out = m && m->direction == CLOUD_MIGRATION_DIRECTION_OUT;
	if (!p || *ret_is_out || m->stage != CLOUD_MIGRATION_STAGE_COPYING || d->is_copied)
		return OK;
	k->disk = STEP_COPY(s, KIND_CLOUD_MIGRATION_DISK, struct cloud_migration_disk, d);
	k->provider = STEP_COPY(s, KIND_PROVIDER, struct provider, p);
	k->upload = (struct block_upload){s->r->image_directory, d->snapshot, d->size};
	k->payer = engine_pay_disk(view.tables, d->account, KIND_SNAPSHOT);
	if (!snapshot || !row_is_live(&snapshot->row))
		k->report.failure = STR("A snapshot here is gone.");
	return OK;
}

static bool is_wanted(const struct copying *k)
{
	AUTO_VIEW view = {0};
	view_open(k->s->r->store, &view);
	const struct cloud_migration_disk *d = cloud_migration_disk_find(view.tables, k->s->id);
	const struct cloud_migration *m = d ? cloud_migration_find(view.tables, d->migration) : NULL;
	return m && m->stage == CLOUD_MIGRATION_STAGE_COPYING && str_equal(d->target, k->disk->target);
}

static bool is_zero(const uint8_t *bytes)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, REMOTE_BLOCK_SIZE - 1) == 0;
}

/* Reads a block with an arena that is emptied for each, since a step reads thousands. */
static RESULT read_block(struct copying *k, const struct remote_block *block, uint8_t *ret_digest)
{
	struct ctx own;
	arena_reset(k->arena);
	ctx_init(&own, k->arena);
	struct result result = k->ops->read(&own, &k->remote, k->disk->target, block, k->bytes, ret_digest);
	return result_is_ok(result)
		       ? OK
		       : ctx_fail(&k->s->ctx, result.code, "%" STR_FMT, STR_ARG(own.problem.message));
}

/* A block of zeros needs a hole only if the block was written before. */
static RESULT copy_block(struct copying *k, const struct remote_block *block)
{
	struct ctx *c = &k->s->ctx;
	uint8_t digest[SHA256_SIZE];
	if (!block->is_gone) {
		TRY(read_block(k, block, digest));
		k->report.bytes += REMOTE_BLOCK_SIZE;
	}
	if (!block->is_gone && !is_zero(k->bytes))
		return block_upload_put(c, &k->upload, block->index, k->bytes, digest);
	return k->disk->base.n ? block_upload_clear(c, &k->upload, block->index) : OK;
}

static bool must_report(const struct copying *k)
{
	return clock_now_us() >= k->ends_us || work_is_stopping(k->s->r);
}

/* *ret_goes_on: the page is copied, and there is time for the next one. */
static RESULT copy_page(struct copying *k, const struct remote_block_page *page, bool *ret_goes_on)
{
	*ret_goes_on = false;
	for (size_t n = 0; n < page->count; n++) {
		if (must_report(k))
			return OK;
		TRY(copy_block(k, &page->at[n]));
		k->report.next_block = page->at[n].index + 1;
	}
	*ret_goes_on = page->cursor.n > 0;
	k->report.is_copied = !page->cursor.n;
	return OK;
}

/* Empty pages are normal, but not without end. */
static RESULT copy(struct copying *k)
{
	struct ctx *c = &k->s->ctx;
	bool goes_on = true;
	struct remote_block_query query = {.snapshot = k->disk->target,
					   .base = k->disk->base,
					   .from = k->disk->next_block,
					   .count = disk_blocks_count(k->disk->size)};
	int64_t pages_left = EMPTY_PAGES_MIN + query.count / BLOCKS_A_PAGE_MIN;
	while (goes_on) {
		struct remote_block_page page = {0};
		TRY(k->ops->list(c, &k->remote, &query, &page));
		if (pages_left-- == 0)
			return ctx_fail(
				c, ERR_IO,
				"The answer is not usable: the list of blocks has more pages than blocks.");
		TRY(copy_page(k, &page, &goes_on));
		query.cursor = page.cursor;
		query.from = k->report.next_block;
		if (goes_on && (work_is_stopping(k->s->r) || !is_wanted(k)))
			return OK;
	}
	return OK;
}

/* ---- whole disks ---- */

static bool goes_on(void *arg)
{
	struct copying *k = arg;
	int64_t now_us = clock_now_us();
	if (now_us < k->asked_us + ASK_MS * (SECOND / 1000) && now_us >= k->asked_us)
		return true;
	k->asked_us = now_us;
	return !work_is_stopping(k->s->r) && is_wanted(k);
}

/* Formats of disks add tables to the data: a sixteenth and WHOLE_EXTRA are more than any of them needs. */
static RESULT add_piece(void *arg, struct ctx *c, struct str bytes)
{
	struct copying *k = arg;
	int64_t most = k->disk->size + k->disk->size / 16 + WHOLE_EXTRA;
	if (image_upload_size(k->whole) + (int64_t) bytes.n > most)
		return ctx_fail(
			c, ERR_RANGE,
			"The cloud sends more than the %lld bytes that the disk had when it was planned.",
			(long long) k->disk->size);
	return image_upload_add(k->whole, c, bytes);
}

/* Copies the file's blocks. Those of an earlier round were removed before. */
static RESULT copy_file(struct copying *k, struct qcow2_file *file)
{
	struct ctx *c = &k->s->ctx;
	if (qcow2_size(file) > k->disk->size)
		return ctx_fail(
			c, ERR_RANGE,
			"The disk has %lld bytes, and %lld when it was planned. Undo it, and plan again.",
			(long long) qcow2_size(file), (long long) k->disk->size);
	for (int64_t index = 0;; index++) {
		uint8_t digest[SHA256_SIZE];
		bool has_data = false;
		TRY(disk_blocks_find_next(file, c, index, &index));
		if (index < 0)
			return OK;
		if (!goes_on(k))
			return ctx_fail(c, ERR_AGAIN, "The copy of the disk was ended.");
		TRY(disk_blocks_read(file, c, index, k->bytes, &has_data));
		if (is_zero(k->bytes))
			continue;
		crypto_sha256((struct str){(const char *) k->bytes, REMOTE_BLOCK_SIZE}, digest);
		TRY(block_upload_put(c, &k->upload, index, k->bytes, digest));
	}
}

/* The file in the store is of use for this copy alone. */
static RESULT import_whole(struct copying *k, struct str format)
{
	struct ctx *c = &k->s->ctx;
	struct image_file made = {0};
	struct result result = image_upload_import(k->whole, c, format, NULL, &made);
	if (result.code == ERR_INVALID) {
		struct str why = c->problem.message;
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_RANGE, "The disk cannot be read: %" STR_FMT, STR_ARG(why));
	}
	TRY(result);
	struct str path = image_file_path(c->arena, k->s->r->image_directory, made.sha256);
	AUTO_QCOW2_FILE *file = NULL;
	result = qcow2_open(c, path.p, &file);
	if (result_is_ok(result))
		result = copy_file(k, file);
	reconciler_drop_upload(k->s->r, k->whole);
	return result;
}

/* A download that is cut begins anew. */
static RESULT copy_whole(struct copying *k)
{
	struct ctx *c = &k->s->ctx;
	AUTO(image_upload) whole = NULL;
	struct remote_download download = {.point = k->disk->target,
					   .number = k->disk->number,
					   .add = add_piece,
					   .goes_on = goes_on,
					   .arg = k};
	TRY(image_upload_new(c, k->s->r->image_directory, &whole));
	image_upload_charge(whole, &k->payer);
	k->whole = whole;
	TRY(k->ops->fetch(c, &k->remote, &download));
	if (!image_upload_size(whole))
		return ctx_fail(c, ERR_IO, "The cloud gives no data of the disk.");
	if (download.digest.n && !result_is_ok(image_upload_check(whole, c, download.digest))) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_IO, "The disk's data differ from their checksum.");
	}
	TRY(import_whole(k, download.format));
	k->report.bytes = image_upload_size(whole);
	k->report.is_copied = true;
	return OK;
}

/* ---- failures ---- */

/* The files are removed when the row says that copying begins anew: the other order would lose blocks at a crash. */
static void begin_anew(struct copying *k)
{
	k->report.is_reset = true;
	k->report.next_block = 0;
	k->report.bytes = 0;
	step_again(k->s);
}

static RESULT fail(struct copying *k, struct result result)
{
	struct step *s = k->s;
	struct str why = s->ctx.problem.message;
	if (result.code == ERR_NO_MEMORY)
		return result;
	ctx_clear_problem(&s->ctx);
	k->report.problem = why.n ? why : STR("It failed.");
	k->report.is_lost = result.code == ERR_NOT_FOUND && (!k->disk->base.n || k->ops->fetch);
	bool is_busy =
		result.code == ERR_STATE && k->ops->fetch; /* another disk of the machine is being read */
	if ((result.code == ERR_STATE && !is_busy) || result.code == ERR_NOT_FOUND)
		begin_anew(k); /* with a base, either snapshot may be gone there: the next list tells */
	else if (result.code == ERR_RANGE || (result.code == ERR_INVALID && k->ops->fetch))
		k->report.failure = k->report.problem;
	else if (result.code == ERR_CAPACITY || result.code == ERR_QUOTA)
		step_again_at(s, clock_now_us() + NO_ROOM_AGAIN_S * SECOND);
	else
		step_again_at(s, remote_next_try_us(RETRY_STEPS, k->remote.wait_us));
	return OK;
}

/* ---- the step ---- */

/* Ends the connection's session, where the cloud counts them. The failure of the copy stays in the step's context. */
static void leave(struct copying *k)
{
	struct ctx own;
	const struct remote_driver *driver = remote_driver_of((int) k->provider->cloud);
	arena_reset(k->arena);
	ctx_init(&own, k->arena);
	if (driver->leave)
		driver->leave(&own, &k->remote);
}

static RESULT transfer(struct copying *k)
{
	struct step *s = k->s;
	AUTO(remote_connection) connection = remote_connection_new();
	struct provider_lane lane = {.connection = connection};
	k->bytes = arena_alloc(s->ctx.arena, REMOTE_BLOCK_SIZE);
	AUTO(arena) arena = arena_new(REQUEST_ARENA_FIRST, REQUEST_ARENA_CAP);
	k->arena = arena;
	if (!connection || !k->bytes || !arena)
		return ctx_no_memory(&s->ctx);
	bool is_new = k->ops->fetch || (!k->disk->base.n && !k->disk->next_block);
	if (is_new)
		block_upload_remove(&k->upload);
	else if (k->disk->done_bytes && !block_upload_written_us(&k->upload))
		return ctx_fail(&s->ctx, ERR_STATE, "The files of the copied blocks are gone.");
	TRY(remote_open(s, k->provider, &lane, &k->remote));
	struct result result = k->ops->fetch ? copy_whole(k) : copy(k);
	leave(k);
	remote_close(&k->remote);
	return result;
}

static RESULT step_disk(struct step *s)
{
	struct copying k = {.s = s, .ends_us = clock_now_us() + STEP_S * SECOND};
	bool is_out = false;
	TRY(gather(s, &k, &is_out));
	if (is_out)
		return migration_disk_push(s);
	if (!k.disk)
		return OK;
	k.report.disk = s->id;
	k.report.target = k.disk->target;
	k.report.next_block = k.disk->next_block;
	k.ops = remote_driver_of((int) k.provider->cloud)->source;
	if (!k.provider->verified_us) { /* new credentials may belong to another account */
		step_again_at(s, clock_now_us() + NO_ROOM_AGAIN_S * SECOND);
		return OK;
	}
	if (!k.report.failure.n) {
		struct result result = k.ops ? transfer(&k) : OK;
		if (!result_is_ok(result))
			TRY(fail(&k, result));
		else if (!k.report.is_copied)
			step_again(s);
	}
	struct migration_disk_report *report = STEP_NEW(s, struct migration_disk_report);
	*report = k.report;
	step_report(s, engine_see_cloud_migration_disk_run, report);
	return OK;
}

static void wake_disk(struct reconciler *r, const struct row *row)
{
	const struct cloud_migration_disk *d = cloud_migration_disk_of(row);
	bool is_to_be_copied =
		d->target.n || !uuid_is_none(d->source); /* way out: the step begins the target */
	if (is_to_be_copied && !d->is_copied)
		work_wake(r, lane_fetches(d->account), KIND_CLOUD_MIGRATION_DISK, row->id, WAKE_WISH);
}

/* Progress is this step's own report; the migration's stage wakes its disks. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) r, (void) t, (void) before, (void) after;
}

const struct resource reconcile_cloud_migration_disk = {
	.step = step_disk, .is_swept = true, .wake = wake_disk, .wake_changed = wake_changed};
