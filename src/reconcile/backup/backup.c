/* SPDX-License-Identifier: Apache-2.0
 * Steps of backups: write a snapshot's content as objects to the configured backup target. A backup waits
 * until its snapshot is in the image store, then writes the data, and the manifest last, so that a backup
 * with a manifest is complete; a restarted process writes everything again. A target that does not answer is
 * retried without a limit and reported as a condition; an error that waiting cannot mend fails the backup. A
 * deleted backup is forgotten when the target has none of its objects. A backup imported by record is looked
 * up in the target. step_restored_snapshot() is the reverse: it fetches the file of a snapshot from a backup.
 *
 * Of a plain disk the content is written, independent of the file format; of an encrypted disk the encrypted
 * file itself, so that no plaintext leaves this machine. */
#include "drivers/backup_data.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "drivers/disk.h"
#include "drivers/image/image_file.h"
#include "engine/backup/backup_vault.h"
#include "engine/people/asker.h"
#include "engine/quota.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/snapshot.h"
#include "reconcile/work.h"
#include "store/backup.h"
#include "store/snapshot.h"
#include "store/volume.h"

enum { WEIGH_SIZE = 4096, WEIGH_CAP = 1 << 20 }; /* bytes */
enum { CHAIN_AGAIN_S = 2 };                      /* another step holds the chain; its end wakes nobody */

struct backup_rows {
	const struct backup *backup; /* NULL: the row does not exist */
	const struct snapshot *cut;  /* NULL: none, or deleted */
	struct str why_not;          /* whoever asked for it may not go on; empty: may */
	uuid *others;                /* the other backups of its chain */
	size_t other_count;
};

/* Asks the asker's policies about the backed up volume. The reason of a refusal is in the arena. */
static RESULT weigh(struct step *s, struct arena *a, const struct tables *t, const struct backup *b,
		    struct str *ret_why_not)
{
	const struct asker asker = ASKER_OF(b);
	const struct asker_work work = {s->r->later_guard, "backup.create", clock_now_us()};
	const struct snapshot *cut = snapshot_find(t, b->cut);
	const struct volume *volume = cut ? volume_find(t, cut->volume) : NULL;
	return asker_ask(a, t, &asker, &work, KIND_VOLUME,
			 volume && row_is_live(&volume->row) ? &volume->row : NULL, ret_why_not);
}

static RESULT gather_others(struct step *s, const struct tables *t, const struct backup *b,
			    struct backup_rows *rows)
{
	size_t count = 0;
	const struct backup *other = uuid_is_none(b->chain) ? NULL : backup_first_by_chain(t, b->chain);
	for (; other; other = backup_next_by_chain(t, other))
		count++;
	rows->others = arena_new_array(s->ctx.arena, uuid, count + 1);
	if (!rows->others)
		return ctx_no_memory(&s->ctx);
	for (other = count ? backup_first_by_chain(t, b->chain) : NULL; other;
	     other = backup_next_by_chain(t, other))
		if (row_is_live(&other->row) && !uuid_equal(other->row.id, b->row.id))
			rows->others[rows->other_count++] = other->row.id;
	return OK;
}

static RESULT gather_backup(struct step *s, struct backup_rows *ret_rows)
{
	*ret_rows = (struct backup_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup *backup = backup_find(view.tables, s->id);
	const struct snapshot *cut = backup ? snapshot_find(view.tables, backup->cut) : NULL;
	if (backup)
		ret_rows->backup = STEP_COPY(s, KIND_BACKUP, struct backup, backup);
	if (backup)
		TRY(weigh(s, s->ctx.arena, view.tables, backup, &ret_rows->why_not));
	if (cut && row_is_live(&cut->row))
		ret_rows->cut = STEP_COPY(s, KIND_SNAPSHOT, struct snapshot, cut);
	return backup ? gather_others(s, view.tables, backup, ret_rows) : OK;
}

/* ---- chains ---- */

/* Claims the chain for a step that writes or removes chunks: a removal must not delete a chunk that another backup has
 * just found there. False: another step has the chain. */
static bool claim_chain(struct reconciler *r, uuid chain)
{
	struct backup_chains *c = &r->chains;
	pthread_mutex_lock(&c->lock);
	size_t k = 0;
	while (k < c->count && !uuid_equal(c->at[k], chain))
		k++;
	bool is_free = k == c->count && k < FETCH_LANES;
	if (is_free)
		c->at[c->count++] = chain;
	pthread_mutex_unlock(&c->lock);
	return is_free;
}

static void leave_chain(struct reconciler *r, uuid chain)
{
	struct backup_chains *c = &r->chains;
	pthread_mutex_lock(&c->lock);
	for (size_t k = 0; k < c->count; k++)
		if (uuid_equal(c->at[k], chain))
			c->at[k] = c->at[--c->count];
	pthread_mutex_unlock(&c->lock);
}

/* Runs `act` while no other step works on the chain of the step's backup; otherwise the step is repeated. */
static RESULT with_chain(struct step *s, const struct backup_rows *rows,
			 RESULT (*act)(struct step *s, const struct backup_rows *rows))
{
	uuid chain = rows->backup->chain;
	if (uuid_is_none(chain))
		return act(s, rows);
	if (!claim_chain(s->r, chain)) {
		step_again_at(s, clock_now_us() + CHAIN_AGAIN_S * SECOND);
		return OK;
	}
	/* read again: backups of the chain may have come or gone before the claim */
	struct backup_rows fresh = {0};
	struct result result = gather_backup(s, &fresh);
	if (result_is_ok(result) && fresh.backup &&
	    row_is_live(&fresh.backup->row) == row_is_live(&rows->backup->row))
		result = act(s, &fresh);
	leave_chain(s->r, chain);
	return result;
}

/* ---- target ---- */

/* ERR_IO, with a message: backup.target names another target now, or none. */
static RESULT open_place(struct step *s, const struct backup *b, uuid id, struct backup_place *ret_place)
{
	struct str now = s->r->backup ? s->r->backup->url : STR_NONE;
	if (!str_equal(now, b->target))
		return ctx_fail(&s->ctx, ERR_IO,
				"the backup is in %" STR_FMT ", and the setting backup.target is %" STR_FMT,
				STR_ARG(b->target), STR_ARG(now.n ? now : STR("not set")));
	*ret_place = (struct backup_place){.container = b->container, .id = id, .chain = b->chain};
	return backup_store_new(&s->ctx, s->r->backup, &ret_place->store);
}

static struct str part_path(struct step *s, const char *what)
{
	char id[UUID_TEXT_SIZE];
	return str_print(s->ctx.arena, "%s/%s-%s" IMAGE_PARTIAL_SUFFIX, s->r->image_directory, what,
			 uuid_write(s->id, id));
}

/* ---- cancellation ---- */

static bool backup_goes_on(void *arg)
{
	struct step *s = arg;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup *b = backup_find(view.tables, s->id);
	bool is_wanted = b && model_derive_backup_state(b) == BACKUP_CREATING && !work_is_stopping(s->r);
	AUTO(arena) arena =
		is_wanted ? arena_new(WEIGH_SIZE, WEIGH_CAP) : NULL; /* asked before each object */
	struct str why_not = STR_NONE;
	return arena && result_is_ok(weigh(s, arena, view.tables, b, &why_not)) && !why_not.n;
}

/* Bytes that the account may store in this backup: its limit counts the backup once that is whole. */
static int64_t backup_find_left(void *arg)
{
	struct step *s = arg;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup *b = backup_find(view.tables, s->id);
	const struct disk_payer payer =
		b ? engine_pay_disk(view.tables, b->account, KIND_BACKUP) : (struct disk_payer){0};
	return uuid_is_none(payer.account) ? INT64_MAX : payer.left_size;
}

static bool snapshot_goes_on(void *arg)
{
	struct step *s = arg;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct snapshot *snapshot = snapshot_find(view.tables, s->id);
	return snapshot && engine_snapshot_is_pending(snapshot) && !work_is_stopping(s->r);
}

/* True for errors that waiting cannot mend. */
static bool is_final(struct result result)
{
	return result.code == ERR_NOT_FOUND || result.code == ERR_INVALID || result.code == ERR_TOO_LARGE ||
	       result.code == ERR_QUOTA;
}

/* Maps a failure: returns a transient error for the retry; otherwise OK, with the problem of a final error,
 * or none if the work was cancelled. */
static RESULT judge(struct step *s, struct result result, bool is_wanted, struct str *ret_problem)
{
	if (!is_final(result) && (result.code != ERR_AGAIN || is_wanted))
		return result;
	*ret_problem = result.code == ERR_AGAIN ? STR_NONE : s->ctx.problem.message;
	ctx_clear_problem(&s->ctx);
	return OK;
}

/* ---- writing ---- */

static RESULT report_problem(struct step *s, struct str problem)
{
	struct backup_report *report = STEP_NEW(s, struct backup_report);
	*report = (struct backup_report){.backup = s->id, .problem = problem};
	step_report(s, engine_see_backup_run, report);
	return OK;
}

static RESULT write_file(struct step *s, const struct backup_rows *rows, const struct backup_place *place,
			 struct str path, bool is_file, struct backup_report *report)
{
	const struct backup *b = rows->backup;
	AUTO(backup_manifest) parent = NULL;
	struct backup_place before = *place;
	before.id = b->parent;
	if (!uuid_is_none(b->parent))
		TRY(backup_manifest_load(&s->ctx, &before, &parent));
	const struct backup_facts facts = {.parent = b->parent,
					   .size = b->size,
					   .data_us = b->data_us,
					   .is_file = is_file,
					   .sha256 = is_file ? rows->cut->sha256 : STR_NONE,
					   .is_encrypted = b->is_encrypted,
					   .is_bootable = b->is_bootable,
					   .data_key = b->data_key,
					   .image_properties = b->image_properties,
					   .volume_tags = b->volume_tags};
	const struct backup_watch watch = {backup_goes_on, backup_find_left, s};
	struct backup_written written = {0};
	TRY(backup_data_write(&s->ctx, place, &facts, parent, path.p, &watch, &written));
	report->object_count = written.object_count;
	report->stored_size = written.stored_size;
	return OK;
}

/* Writes the content as a raw image if the driver distinguishes formats. */
static RESULT write_content(struct step *s, const struct backup_rows *rows, const struct backup_place *place,
			    struct backup_report *report)
{
	const struct snapshot *cut = rows->cut;
	const struct disk_driver *disks = s->r->disks[0];
	struct str file = gather_store_path(s, cut->sha256), plain = part_path(s, "backup");
	if (!file.p || !plain.p)
		return ctx_no_memory(&s->ctx);
	if (rows->backup->is_encrypted || !disks->pack) {
		TRY(image_file_check(&s->ctx, file.p, cut->sha256, cut->file_size));
		return write_file(s, rows, place, file, true, report);
	}
	TRY(image_file_check_room(&s->ctx, s->r->image_directory, cut->file_size));
	const struct disk_export wish = {.from = file,
					 .sha256 = cut->sha256,
					 .file_size = cut->file_size,
					 .format = STR("raw"),
					 .to = plain};
	struct result result = disks->export_file(&s->ctx, &wish);
	if (result_is_ok(result))
		result = write_file(s, rows, place, plain, false, report);
	(void) unlink(plain.p);
	return result;
}

/* Removes the objects of a backup that the account has no room for: no row counts them. */
static void remove_parts(struct step *s, const struct backup_rows *rows, const struct backup_place *place)
{
	struct ctx own; /* keeps the problem that the step reports */
	int64_t freed = 0;
	ctx_init(&own, s->ctx.arena);
	struct result removed = backup_data_collect(&own, place, rows->others, rows->other_count, &freed);
	if (!result_is_ok(removed))
		log_event(LOG_WARN, "backup-parts-left", "message=%s", log_quote(own.problem.message));
}

static RESULT write_backup(struct step *s, const struct backup_rows *rows)
{
	struct backup_place place = {0};
	struct backup_report *report = STEP_NEW(s, struct backup_report);
	*report = (struct backup_report){.backup = s->id};
	TRY(open_place(s, rows->backup, s->id, &place));
	struct result result = write_content(s, rows, &place, report);
	if (result.code == ERR_QUOTA)
		remove_parts(s, rows, &place);
	backup_store_free(place.store);
	if (result_is_ok(result)) {
		step_report(s, engine_see_backup_run, report);
		return OK;
	}
	struct str problem = STR_NONE;
	TRY(judge(s, result, backup_goes_on(s), &problem));
	return problem.n ? report_problem(s, problem) : OK;
}

/* The snapshot may still be pending; its commit wakes the backup. */
static RESULT write_when_due(struct step *s, const struct backup_rows *rows)
{
	if (!rows->cut)
		return report_problem(s, STR("The snapshot that it was made of is gone."));
	if (rows->cut->problem.n)
		return report_problem(s, rows->cut->problem);
	if (rows->why_not.n)
		return report_problem(s, rows->why_not);
	return engine_snapshot_is_pending(rows->cut) ? OK : with_chain(s, rows, write_backup);
}

/* ---- looking up, and removing ---- */

static RESULT copy_tags(struct step *s, struct tags tags, struct tags *ret_tags)
{
	struct tag *at = arena_new_array(s->ctx.arena, struct tag, tags.count + 1);
	if (!at)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < tags.count; k++)
		at[k] = (struct tag){str_copy(s->ctx.arena, tags.at[k].key),
				     str_copy(s->ctx.arena, tags.at[k].value)};
	*ret_tags = (struct tags){at, tags.count};
	return OK;
}

static RESULT report_found(struct step *s, const struct backup_manifest *m)
{
	const struct backup_facts *f = backup_manifest_facts(m);
	struct backup_report *report = STEP_NEW(s, struct backup_report);
	*report = (struct backup_report){.backup = s->id,
					 .is_found = true,
					 .size = f->size,
					 .data_us = f->data_us,
					 .is_encrypted = f->is_encrypted,
					 .is_bootable = f->is_bootable,
					 .data_key = str_copy(s->ctx.arena, f->data_key)};
	TRY(copy_tags(s, f->image_properties, &report->image_properties));
	TRY(copy_tags(s, f->volume_tags, &report->volume_tags));
	step_report(s, engine_see_backup_run, report);
	return OK;
}

static RESULT look_up(struct step *s, const struct backup *b)
{
	struct backup_place place = {0};
	AUTO(backup_manifest) m = NULL;
	TRY(open_place(s, b, s->id, &place));
	struct result result = backup_manifest_load(&s->ctx, &place, &m);
	backup_store_free(place.store);
	if (result_is_ok(result))
		return report_found(s, m);
	struct str problem = STR_NONE;
	TRY(judge(s, result, true, &problem));
	return report_problem(s, problem);
}

/* An imported backup has no chain: whatever else needs its folder is not known here. */
static RESULT remove_backup(struct step *s, const struct backup_rows *rows)
{
	const struct backup *b = rows->backup;
	struct backup_place place = {0};
	struct backup_forget *forget = STEP_NEW(s, struct backup_forget);
	forget->backup = s->id;
	TRY(open_place(s, b, s->id, &place));
	struct result result = uuid_is_none(b->chain)
				       ? backup_data_remove(&s->ctx, &place)
				       : backup_data_collect(&s->ctx, &place, rows->others, rows->other_count,
							     &forget->freed);
	backup_store_free(place.store);
	TRY(result);
	step_report(s, engine_forget_backup_run, forget);
	return OK;
}

/* The completion window of the backup is over, or the backup has expired. */
static bool is_due(const struct backup *b, int64_t now_us)
{
	bool is_creating = model_derive_backup_state(b) == BACKUP_CREATING;
	int64_t at_us = is_creating ? b->deadline_us : b->expires_us;
	return at_us && at_us <= now_us;
}

static RESULT step_backup(struct step *s)
{
	struct backup_rows rows = {0};
	TRY(gather_backup(s, &rows));
	const struct backup *b = rows.backup;
	if (!b)
		return OK;
	if (!row_is_live(&b->row))
		return with_chain(s, &rows, remove_backup);
	if (is_due(b, clock_now_us())) {
		struct recovery_point_due *due = STEP_NEW(s, struct recovery_point_due);
		*due = (struct recovery_point_due){.backup = s->id};
		step_report(s, engine_end_due_backup_run, due);
		return OK;
	}
	if (model_derive_backup_state(b) != BACKUP_CREATING)
		return OK;
	return uuid_is_none(b->cut) ? look_up(s, b) : write_when_due(s, &rows);
}

/* ---- restoring ---- */

/* Fetches the file; *ret_file is its temporary path. */
static RESULT fetch_file(struct step *s, const struct backup_place *place, const struct backup_manifest *m,
			 struct str fetched, struct str *ret_file)
{
	disk_pack *pack = s->r->disks[0]->pack;
	const struct backup_watch watch = {.goes_on = snapshot_goes_on, .arg = s};
	struct str packed = part_path(s, "packed");
	if (!packed.p)
		return ctx_no_memory(&s->ctx);
	*ret_file = backup_manifest_facts(m)->is_file ? fetched : packed;
	TRY(backup_data_read(&s->ctx, place, m, fetched.p, &watch));
	if (backup_manifest_facts(m)->is_file)
		return OK;
	return pack ? pack(&s->ctx, fetched.p, packed.p)
		    : ctx_fail(&s->ctx, ERR_INVALID, "the backup is of hosts of another kind");
}

static RESULT keep_file(struct step *s, const struct snapshot *row, const struct backup_facts *facts,
			struct str path, struct snapshot_report *report)
{
	struct image_file file = {0};
	int64_t size = 0;
	TRY(image_file_check_head(&s->ctx, path.p, row->is_encrypted, &size));
	if (size != row->volume_size || facts->is_encrypted != row->is_encrypted)
		return ctx_fail(&s->ctx, ERR_INVALID, "the backup is of another disk than it was");
	TRY(image_file_keep(&s->ctx, path.p, s->r->image_directory, row->is_encrypted, &file));
	if (facts->is_file && !str_equal(file.sha256, facts->sha256))
		return ctx_fail(&s->ctx, ERR_INVALID, "the backup's data are not those that it was made of");
	*report = (struct snapshot_report){.snapshot = s->id,
					   .gen = row->row.gen,
					   .stage = SNAPSHOT_SEEN_STAGE_KEPT,
					   .progress = 100,
					   .sha256 = file.sha256,
					   .file_size = file.file_size,
					   .cut_size = file.file_size,
					   .volume_size = file.virtual_size};
	return OK;
}

static RESULT fetch(struct step *s, const struct snapshot *row, const struct backup_place *place,
		    struct snapshot_report *report)
{
	AUTO(backup_manifest) m = NULL;
	const struct disk_key *key = NULL;
	struct str fetched = part_path(s, "restored"), file = STR_NONE;
	if (!fetched.p)
		return ctx_no_memory(&s->ctx);
	TRY(gather_disk_key(s, row->data_key, &key)); /* a key that cannot be opened now would make the
						       * volume unusable later */
	TRY(backup_manifest_load(&s->ctx, place, &m));
	struct result result = fetch_file(s, place, m, fetched, &file);
	if (result_is_ok(result))
		result = keep_file(s, row, backup_manifest_facts(m), file, report);
	(void) unlink(fetched.p);
	if (file.p)
		(void) unlink(file.p);
	return result;
}

/* ERR_NOT_FOUND: the backup's row is gone. */
static RESULT gather_source(struct step *s, uuid id, const struct backup **ret_backup)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct backup *b = backup_find(view.tables, id);
	*ret_backup = b && row_is_live(&b->row) ? STEP_COPY(s, KIND_BACKUP, struct backup, b) : NULL;
	return b && row_is_live(&b->row)
		       ? OK
		       : ctx_fail(&s->ctx, ERR_NOT_FOUND, "The backup that it was to come from is gone.");
}

static RESULT fetch_from(struct step *s, const struct snapshot *row, struct snapshot_report *report)
{
	const struct backup *b = NULL;
	struct backup_place place = {0};
	TRY(gather_source(s, row->backup, &b));
	TRY(open_place(s, b, b->row.id, &place));
	struct result result = fetch(s, row, &place, report);
	backup_store_free(place.store);
	return result;
}

RESULT step_restored_snapshot(struct step *s, const struct snapshot *row)
{
	struct snapshot_report *report = STEP_NEW(s, struct snapshot_report);
	struct str problem = STR_NONE;
	struct result result = fetch_from(s, row, report);
	if (!result_is_ok(result)) {
		TRY(judge(s, result, snapshot_goes_on(s), &problem));
		if (!problem.n)
			return OK;
		*report =
			(struct snapshot_report){.snapshot = s->id, .gen = row->row.gen, .problem = problem};
	}
	step_report(s, engine_see_snapshot_run, report);
	return OK;
}

/* ---- wake-ups ---- */

static void wake_backup(struct reconciler *r, const struct row *row)
{
	work_wake(r, lane_fetches(backup_of(row)->account), KIND_BACKUP, row->id, WAKE_WISH);
}

void wake_backups_of(struct reconciler *r, const struct tables *t, uuid snapshot)
{
	for (const struct backup *b = backup_first_by_cut(t, snapshot); b; b = backup_next_by_cut(t, b))
		wake_backup(r, &b->row);
}

static void wake_due(struct reconciler *r, const struct tables *t, unsigned index, const struct backup *probe,
		     size_t offset, int64_t now_us)
{
	const struct row *row = tables_seek(t, KIND_BACKUP, index, &probe->row, 1);
	for (; row; row = tables_next(t, KIND_BACKUP, index, row, 0)) {
		if (*(const int64_t *) (const void *) ((const char *) row + offset) > now_us)
			return;
		if (row_is_live(row))
			wake_backup(r, row);
	}
}

void wake_due_backups(struct reconciler *r)
{
	const struct backup probe = {.expires_us = 1, .deadline_us = 1};
	int64_t now_us = clock_now_us();
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	wake_due(r, view.tables, BACKUP_INDEX_EXPIRES, &probe, offsetof(struct backup, expires_us), now_us);
	wake_due(r, view.tables, BACKUP_INDEX_DEADLINE, &probe, offsetof(struct backup, deadline_us), now_us);
}

const struct resource reconcile_backup = {
	.step = step_backup,
	.is_swept = true,
	.wake = wake_backup,
};
