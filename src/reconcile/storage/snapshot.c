/* SPDX-License-Identifier: Apache-2.0
 * Steps of snapshots: bring a volume's content into the image store. The volume's host makes a copy in its
 * pool (the cut), the cut is fetched in pieces, stored under the name given by its digest, and removed from
 * the pool. Each stage is committed before the next begins. If a dirty bitmap records the changes since an
 * earlier snapshot whose file is in the store, the cut contains only those blocks and is applied to a copy of
 * that file: files in the store have no backing files, so no snapshot depends on another one. Until then the
 * row names the earlier file in `over`, which protects it from collection. An encrypted copy of a snapshot is
 * made on this machine, with a key that is committed together with the new file. A snapshot restored from a
 * backup is fetched by backup.c. One that a client writes block by block is in snapshot_blocks.c. A deleted snapshot is forgotten when no volume is based on it. Woken by its
 * row and its host's return, and by time while a cut is being made.
 *
 * The step without an id collects files of the store that no row names: see drivers/image/image_file.h. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk_room.h"
#include "base/file.h"
#include "drivers/block_upload.h"
#include "drivers/disk.h"
#include "drivers/image/image_file.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/quota.h"
#include "engine/storage/snapshot/snapshot.h"
#include "model/condition.h"
#include "reconcile/work.h"
#include "store/backup.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"

enum {
	CUT_SHARE = 50,               /* percent of the progress that the cut accounts for */
	PROGRESS_STEP = 10,           /* percent between two progress reports */
	LOOK_AGAIN_S = 1,             /* seconds between two checks of a cut in progress */
	HELD_S = 30,                  /* seconds for which guests are held at most until copying begins */
	HUNG_AGAIN_S = 300,           /* seconds before the next attempt if a guest could not be paused */
	HELD_AGAIN_S = 10,            /* seconds before the next attempt if the cut failed while guests
				       * were held */
	STILL_AGAIN_US = SECOND / 10, /* between two checks of guests that are about to be paused */
	ROOM_AGAIN_S = 30,
	COMPANIONS_MAX = 32
};

/* since: as of struct snapshot_rows. */
struct companion {
	struct disk_cut cut;
	struct str since;
};

struct snapshot_rows {
	const struct snapshot *snapshot; /* NULL: the row does not exist */
	struct disk_place place;
	struct disk_payer payer; /* the snapshot's account */
	bool is_pending;
	bool is_used;                 /* a volume is based on it */
	bool has_to_wait;             /* waits until the guest is off or a migration has ended */
	bool is_raw;                  /* the volume's file is a raw image */
	bool is_on_the_way;           /* the volume's file is being converted to a raw image */
	const struct disk_key *key;   /* NULL: not encrypted */
	struct str encrypted_base;    /* encrypted base image of the volume, or empty */
	bool is_in_ceph;              /* the volume's pool is a Ceph pool */
	uuid tracked_from;            /* dirty bitmap of the volume */
	struct companion *companions; /* cuts of other disks of the machine, for the same moment */
	size_t companion_count;
	struct str since; /* file with the volume's content when the bitmap was started; empty:
				     * not available */
};

/* Finds the earlier file, if it belongs to the same volume and is encrypted with the same key. */
static RESULT gather_track(struct step *s, const struct tables *t, const struct snapshot *snapshot,
			   struct snapshot_rows *rows)
{
	const struct volume *v = volume_find(t, snapshot->volume);
	rows->tracked_from = v ? v->tracked_from : UUID_NONE;
	const struct snapshot *since = snapshot_find(t, rows->tracked_from);
	if (!since || !row_is_live(&since->row) || since->seen_stage != SNAPSHOT_SEEN_STAGE_KEPT ||
	    !str_equal(since->data_key, snapshot->data_key))
		return OK;
	rows->since = str_copy(s->ctx.arena, since->sha256);
	return rows->since.p ? OK : ctx_no_memory(&s->ctx);
}

static RESULT gather_crypt(struct step *s, const struct tables *t, const struct snapshot *snapshot,
			   struct snapshot_rows *rows)
{
	const struct volume *v = volume_find(t, snapshot->volume);
	struct volume_base base = {0};
	TRY(gather_disk_key(s, snapshot->data_key, &rows->key));
	if (v)
		TRY(gather_volume_base(s, t, v, &base));
	if (base.is_encrypted)
		rows->encrypted_base = base.sha256;
	return OK;
}

/* True if the guest is migrating and its disk is accessible from both hosts. */
static bool is_on_a_journey(const struct tables *t, const struct volume *v)
{
	const struct instance *i = uuid_is_none(v->seen_instance) ? NULL : instance_find(t, v->seen_instance);
	return i && !uuid_is_none(v->pool) && !uuid_is_none(i->target);
}

static bool is_waiting(const struct snapshot *s)
{
	return engine_snapshot_is_pending(s) && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE;
}

static bool fits_beside(const struct tables *t, const struct snapshot *own, const struct snapshot *other)
{
	const struct volume *v = other ? volume_find(t, other->volume) : NULL;
	if (!v || uuid_equal(other->row.id, own->row.id) || !is_waiting(other))
		return false;
	return !v->is_raw && !v->is_shared && uuid_equal(other->instance, own->instance) &&
	       uuid_equal(other->host, own->host) && uuid_equal(other->pool, own->pool) &&
	       !engine_volume_goes_along(t, v);
}

/* The other disks of a machine backup, which one job can copy together with this one. */
static RESULT gather_companions(struct step *s, const struct tables *t, const struct snapshot *own,
				struct snapshot_rows *rows)
{
	const struct backup *b = backup_first_by_cut(t, own->row.id);
	if (!b || uuid_is_none(b->machine_backup) || rows->is_raw || !is_waiting(own))
		return OK;
	rows->companions = arena_new_array(s->ctx.arena, struct companion, COMPANIONS_MAX);
	if (!rows->companions)
		return ctx_no_memory(&s->ctx);
	for (b = backup_first_by_machine_backup(t, b->machine_backup);
	     b && rows->companion_count < COMPANIONS_MAX; b = backup_next_by_machine_backup(t, b)) {
		const struct snapshot *other = snapshot_find(t, b->cut);
		struct snapshot_rows its = {0};
		if (!fits_beside(t, own, other))
			continue;
		if (other->is_encrypted)
			TRY(gather_crypt(s, t, other, &its));
		TRY(gather_track(s, t, other, &its));
		rows->companions[rows->companion_count++] =
			(struct companion){.cut = {.snapshot = other->row.id,
						   .volume = other->volume,
						   .key = its.key,
						   .encrypted_base = its.encrypted_base,
						   .tracked_from = its.tracked_from,
						   .is_passing = other->is_bound && !other->notes_writes},
					   .since = its.since};
	}
	return OK;
}

static RESULT gather_snapshot(struct step *s, struct snapshot_rows *ret_rows)
{
	*ret_rows = (struct snapshot_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct snapshot *snapshot = snapshot_find(view.tables, s->id);
	if (!snapshot)
		return OK;
	ret_rows->snapshot = STEP_COPY(s, KIND_SNAPSHOT, struct snapshot, snapshot);
	ret_rows->payer = engine_pay_disk(view.tables, snapshot->account, KIND_SNAPSHOT);
	ret_rows->is_pending = engine_snapshot_is_pending(snapshot);
	ret_rows->is_used = volume_first_by_snapshot(view.tables, s->id) != NULL;
	if (ret_rows->is_pending && snapshot->is_encrypted && !snapshot->plain_sha256.n)
		TRY(gather_crypt(s, view.tables, snapshot, ret_rows));
	if (ret_rows->is_pending)
		TRY(gather_track(s, view.tables, snapshot, ret_rows));
	const struct volume *v = volume_find(view.tables, snapshot->volume);
	TRY(gather_place(s, view.tables, snapshot->pool, snapshot->host, &ret_rows->place));
	ret_rows->is_in_ceph = gather_is_ceph(view.tables, snapshot->pool);
	ret_rows->is_raw = v && v->is_raw;
	ret_rows->is_on_the_way = v && v->is_shared && !v->is_raw;
	TRY(gather_companions(s, view.tables, snapshot, ret_rows));
	const struct instance *i = instance_find(view.tables, snapshot->instance);
	/* once the content is fixed, the guest may run on */
	bool is_fixed = snapshot->seen_stage != SNAPSHOT_SEEN_STAGE_NONE;
	ret_rows->has_to_wait =
		(!is_fixed && snapshot->needs_off && i && i->seen_power == INSTANCE_SEEN_POWER_ON) ||
		(v && (engine_volume_goes_along(view.tables, v) || is_on_a_journey(view.tables, v)));
	return OK;
}

static struct disk_name cut_of(const struct step *s)
{
	return (struct disk_name){.kind = DISK_CUT, .id = s->id};
}

static struct str part_path(struct step *s)
{
	char id[UUID_TEXT_SIZE];
	return str_print(s->ctx.arena, "%s/snapshot-%s" IMAGE_PARTIAL_SUFFIX, s->r->image_directory,
			 uuid_write(s->id, id));
}

static struct str laid_path(struct step *s)
{
	char id[UUID_TEXT_SIZE];
	return str_print(s->ctx.arena, "%s/snapshot-%s.laid" IMAGE_PARTIAL_SUFFIX, s->r->image_directory,
			 uuid_write(s->id, id));
}

/* ---- reports ---- */

static RESULT report_snapshot(struct step *s, const struct snapshot *row, const struct snapshot_report *seen)
{
	bool is_news = seen->stage > row->seen_stage || seen->problem.n > 0 ||
		       seen->is_held != row->is_held || seen->progress >= row->progress + PROGRESS_STEP;
	if (!is_news)
		return OK;
	struct snapshot_report *report = STEP_NEW(s, struct snapshot_report);
	*report = *seen;
	report->snapshot = s->id;
	report->gen = row->row.gen;
	step_report(s, engine_see_snapshot_run, report);
	return OK;
}

/* Reports a final failure: the source of the snapshot is lost. */
static RESULT report_failed(struct step *s, const struct snapshot *row)
{
	struct snapshot_report seen = {.stage = row->seen_stage, .problem = s->ctx.problem.message};
	ctx_clear_problem(&s->ctx);
	return report_snapshot(s, row, &seen);
}

static RESULT report_room(struct step *s, bool lacks)
{
	struct condition condition = {
		.subject_kind = KIND_SNAPSHOT,
		.subject = s->id,
		.name = STR("NoRoom"),
		.message = s->ctx.problem.message,
		.advice = STR(
			"Delete images or snapshots, or give data.directory more space: it goes on then."),
	};
	return step_report_condition(s, &condition, lacks);
}

/* ---- the stages ---- */

/* Holds running guests, which were the only obstacle to the last attempt, until the cut is made. If the cut
 * then fails for another reason the guests are released: no guest is held while a host lacks space. */
static RESULT report_still(struct step *s, const struct snapshot *row, bool is_held)
{
	struct snapshot_report report = {.is_held = is_held};
	if (is_held)
		step_again_at(s, clock_now_us() + STILL_AGAIN_US);
	return report_snapshot(s, row, &report);
}

/* True if the guests were held for HELD_S and one still runs, for example because its QEMU does not
 * answer. */
static bool is_held_too_long(struct step *s, const struct snapshot *row)
{
	int64_t now_us = clock_now_us();
	if (!row->is_held || !s->work->held_us)
		s->work->held_us = now_us;
	return now_us >= s->work->held_us + HELD_S * SECOND;
}

static RESULT judge_cut(struct step *s, const struct snapshot_rows *rows, struct result result)
{
	bool is_lost = result.code == ERR_NOT_FOUND || (rows->is_raw && result.code == ERR_INVALID);
	if (is_lost)
		return report_failed(s, rows->snapshot);
	if (rows->is_raw && result.code == ERR_IN_USE && !is_held_too_long(s, rows->snapshot)) {
		ctx_clear_problem(&s->ctx);
		return report_still(s, rows->snapshot, true);
	}
	if (rows->is_raw && result.code != ERR_GONE) {
		int64_t rests_s = result.code == ERR_IN_USE ? HUNG_AGAIN_S : HELD_AGAIN_S;
		s->work->rests_until_us = clock_now_us() + rests_s * SECOND;
		TRY(report_still(s, rows->snapshot, false));
	}
	return result;
}

static RESULT list_companions(struct step *s, const struct snapshot_rows *rows, struct disk_cut *wish)
{
	struct disk_cut *others = arena_new_array(s->ctx.arena, struct disk_cut, rows->companion_count + 1);
	if (!others)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < rows->companion_count; k++) {
		const struct companion *from = &rows->companions[k];
		struct str since = from->since.n ? gather_store_path(s, from->since) : STR_NONE;
		others[k] = from->cut;
		others[k].takes_increment = since.n > 0 && file_exists(since.p);
	}
	wish->others = others;
	wish->other_count = rows->companion_count;
	return OK;
}

static RESULT cut(struct step *s, const struct snapshot_rows *rows)
{
	const struct snapshot *row = rows->snapshot;
	struct str since = rows->since.n ? gather_store_path(s, rows->since) : STR_NONE;
	struct disk_cut wish = {.snapshot = s->id,
				.volume = row->volume,
				.key = rows->key,
				.encrypted_base = rows->encrypted_base,
				.is_raw = rows->is_raw,
				.is_copied = row->seen_stage == SNAPSHOT_SEEN_STAGE_COPIED,
				.tracked_from = rows->tracked_from,
				.takes_increment = since.n > 0 && file_exists(since.p),
				.is_passing = row->is_bound && !row->notes_writes};
	struct disk_cut_seen seen = {0};
	TRY(list_companions(s, rows, &wish));
	struct result result = s->connection->disk_driver->cut(s->connection->disks, &s->ctx, &wish, &seen);
	if (!result_is_ok(result))
		return judge_cut(s, rows, result);
	if (!seen.is_whole && !seen.is_copied)
		step_again_at(s, clock_now_us() + LOOK_AGAIN_S * SECOND);
	struct snapshot_report report = {.stage = seen.is_whole    ? SNAPSHOT_SEEN_STAGE_CUT
						  : seen.is_copied ? SNAPSHOT_SEEN_STAGE_COPIED
								   : SNAPSHOT_SEEN_STAGE_NONE,
					 .progress = seen.progress * CUT_SHARE / 100,
					 .volume_size = seen.size,
					 .is_tracked = seen.is_tracked,
					 .moment = seen.moment,
					 .over = seen.is_increment ? rows->since : STR_NONE};
	return report_snapshot(s, row, &report);
}

/* Deletes the partial file at once, so that a copy that does not fit does not leave others without space. */
static RESULT give_up_copy(struct step *s, struct str path)
{
	(void) unlink(path.p);
	TRY(report_room(s, true));
	ctx_clear_problem(&s->ctx);
	step_again_at(s, clock_now_us() + ROOM_AGAIN_S * SECOND);
	return OK;
}

/* Applies the increment to a copy of the earlier file. The increment is useless without that file: if the
 * file is lost, the snapshot fails. */
static RESULT lay(struct step *s, const struct snapshot_rows *rows, struct str increment, struct str made)
{
	struct disk_layer layer = {.over = gather_store_path(s, rows->snapshot->over),
				   .increment = increment,
				   .made = made,
				   .key = rows->key};
	int64_t over_size = 0, size = 0;
	if (!layer.over.p || !made.p)
		return ctx_no_memory(&s->ctx);
	TRY(file_size(&s->ctx, layer.over.p, &over_size));
	TRY(file_size(&s->ctx, increment.p, &size));
	TRY(image_file_check(&s->ctx, layer.over.p, rows->snapshot->over, over_size));
	TRY(disk_room_check_for(&s->ctx, &rows->payer, s->r->image_directory, over_size + size));
	return s->connection->disk_driver->lay(&s->ctx, &layer);
}

/* data_key: sealed key of a file that was encrypted for this snapshot. */
static RESULT report_kept(struct step *s, const struct snapshot *row, struct str path, int64_t cut_size,
			  struct str data_key)
{
	struct image_file file = {0};
	TRY(image_file_keep(&s->ctx, path.p, s->r->image_directory, row->is_encrypted, &file));
	struct snapshot_report report = {.stage = SNAPSHOT_SEEN_STAGE_KEPT,
					 .progress = 100,
					 .sha256 = file.sha256,
					 .file_size = file.file_size,
					 .cut_size = cut_size,
					 .data_key = data_key,
					 .volume_size = file.virtual_size};
	TRY(report_room(s, false));
	return report_snapshot(s, row, &report);
}

/* Converts an encrypted container from a Ceph pool to the encrypted form used in the store. */
static RESULT recast(struct step *s, const struct snapshot_rows *rows, struct str path, struct str made)
{
	struct disk_recasting wish = {.from = path,
				      .to = made,
				      .from_form = DISK_FORM_CEPH,
				      .to_form = DISK_FORM_QCOW2,
				      .key = rows->key};
	if (!made.p)
		return ctx_no_memory(&s->ctx);
	TRY(image_file_check_room(&s->ctx, s->r->image_directory, rows->snapshot->volume_size));
	return s->connection->disk_driver->recast(&s->ctx, &wish);
}

/* path: the complete fetched file. */
static RESULT keep(struct step *s, const struct snapshot_rows *rows, struct str path, int64_t cut_size)
{
	bool is_increment = rows->snapshot->over.n > 0, is_container = rows->is_in_ceph && rows->key;
	struct str whole = is_increment || is_container ? laid_path(s) : path;
	struct result result = is_container   ? recast(s, rows, path, whole)
			       : is_increment ? lay(s, rows, path, whole)
					      : OK;
	bool is_lost = result.code == ERR_NOT_FOUND || result.code == ERR_INVALID || result.code == ERR_QUOTA;
	if (is_lost)
		result = report_failed(s, rows->snapshot);
	else if (result.code == ERR_CAPACITY)
		result = give_up_copy(s, path);
	else if (result_is_ok(result))
		result = report_kept(s, rows->snapshot, whole, cut_size, STR_NONE);
	(void) unlink(path.p);
	(void) unlink(whole.p);
	return result;
}

static RESULT fetch(struct step *s, const struct snapshot_rows *rows)
{
	const struct snapshot *row = rows->snapshot;
	struct disk_name name = cut_of(s);
	struct disk_copy copy = {.path = part_path(s)};
	if (!copy.path.p)
		return ctx_no_memory(&s->ctx);
	struct result result = s->connection->disk_driver->pull(s->connection->disks, &s->ctx, &name, &copy);
	if (result_is_ok(result) && copy.done < copy.size)
		result = image_file_check_room(&s->ctx, s->r->image_directory, copy.size - copy.done);
	if (result_is_ok(result) && copy.size > disk_room_left_for(&rows->payer))
		result = disk_room_check_for(&s->ctx, &rows->payer, s->r->image_directory, copy.size);
	if (result.code == ERR_CAPACITY)
		return give_up_copy(s, copy.path);
	if (result.code == ERR_NOT_FOUND || result.code == ERR_QUOTA)
		return report_failed(s, row);
	TRY(result);
	if (copy.done == copy.size)
		return keep(s, rows, copy.path, copy.size);
	step_again(s);
	struct snapshot_report report = {.stage = SNAPSHOT_SEEN_STAGE_CUT,
					 .progress = CUT_SHARE + copy.done * (99 - CUT_SHARE) / copy.size};
	return report_snapshot(s, row, &report);
}

/* Makes the encrypted copy of a snapshot; needs no host. A restarted step overwrites the partial file and
 * uses a new key. */
static RESULT encrypt(struct step *s, const struct snapshot *row)
{
	struct str data_key = STR_NONE;
	struct disk_sealing wish = {.from = gather_store_path(s, row->plain_sha256),
				    .sha256 = row->plain_sha256,
				    .file_size = row->file_size,
				    .size = row->volume_size,
				    .to = part_path(s)};
	if (!wish.from.p || !wish.to.p)
		return ctx_no_memory(&s->ctx);
	TRY(disk_key_draw(&s->ctx, s->r->master_key, &data_key));
	TRY(gather_disk_key(s, data_key, &wish.key));
	struct result result = image_file_check_room(&s->ctx, s->r->image_directory, row->file_size);
	if (result_is_ok(result))
		result = s->r->disks[0]->encrypt(&s->ctx, &wish);
	if (result.code == ERR_CAPACITY)
		return give_up_copy(s, wish.to);
	if (result_is_ok(result))
		result = report_kept(s, row, wish.to, 0, data_key);
	(void) unlink(wish.to.p);
	return result;
}

/* The snapshot is stored, failed or deleted: removes its files from the host. */
static RESULT leave_host(struct step *s)
{
	struct disk_name name = cut_of(s), copy = {.kind = DISK_CUT, .id = s->id, .is_raw = true};
	struct str path = part_path(s), laid = laid_path(s);
	if (!path.p || !laid.p)
		return ctx_no_memory(&s->ctx);
	(void) unlink(path.p);
	(void) unlink(laid.p);
	TRY(s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name));
	TRY(s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &copy));
	struct snapshot_leaving *leaving = STEP_NEW(s, struct snapshot_leaving);
	leaving->snapshot = s->id;
	step_report(s, engine_leave_snapshot_host_run, leaving);
	return OK;
}

/* ---- garbage collection of the store ---- */

static bool is_named(void *arg, struct str sha256)
{
	struct reconciler *r = arg;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	return snapshot_first_by_sha256(view.tables, sha256) || snapshot_first_by_over(view.tables, sha256) ||
	       snapshot_first_by_plain(view.tables, sha256);
}

static bool has_data(void *arg, struct str sha256)
{
	struct reconciler *r = arg;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	return image_find_by_data(view.tables, sha256) != NULL;
}

static bool needs_blocks(void *arg, uuid id)
{
	struct reconciler *r = arg;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct snapshot *snapshot = snapshot_find(view.tables, id);
	return snapshot && snapshot->blocks_timeout_min && engine_snapshot_is_pending(snapshot);
}

static RESULT collect(struct step *s)
{
	const struct image_file_user user = {is_named, has_data, s->r};
	image_file_collect(s->r->image_directory, &user);
	block_upload_collect(s->r->image_directory, needs_blocks, s->r);
	return OK;
}

void reconciler_drop_upload(struct reconciler *r, struct image_upload *upload)
{
	const struct image_file_user user = {is_named, has_data, r};
	image_upload_drop(upload, &user);
}

/* ---- the step ---- */

static RESULT forget(struct step *s)
{
	struct snapshot_forget *forget = STEP_NEW(s, struct snapshot_forget);
	forget->snapshot = s->id;
	step_report(s, engine_forget_snapshot_run, forget);
	return OK;
}

/* Waits if the guest must be off, the file is being converted, or an attempt failed recently; the guest's
 * power-off wakes the snapshot. */
static RESULT cut_when_due(struct step *s, const struct snapshot_rows *rows)
{
	bool rests = rows->is_raw && clock_now_us() < s->work->rests_until_us;
	if (rests)
		step_again_at(s, s->work->rests_until_us);
	if (rows->is_on_the_way)
		step_again_at(s, clock_now_us() + LOOK_AGAIN_S * SECOND);
	return rows->has_to_wait || rows->is_on_the_way || rests ? OK : cut(s, rows);
}

/* Makes the snapshot on this machine, or forgets it once it is deleted and unused. */
static RESULT step_without_host(struct step *s, const struct snapshot_rows *rows)
{
	const struct snapshot *row = rows->snapshot;
	if (rows->is_pending && row->plain_sha256.n)
		return encrypt(s, row);
	if (rows->is_pending && !uuid_is_none(row->backup))
		return step_restored_snapshot(s, row);
	if (rows->is_pending && row->blocks_timeout_min)
		return snapshot_blocks_step(s, row, &rows->payer);
	if (row->blocks_timeout_min)
		snapshot_blocks_remove(s, row);
	return row_is_live(&row->row) || rows->is_used ? OK : forget(s);
}

static RESULT step_snapshot(struct step *s)
{
	struct snapshot_rows rows = {0};
	if (uuid_is_none(s->id))
		return collect(s);
	TRY(gather_snapshot(s, &rows));
	const struct snapshot *row = rows.snapshot;
	if (!row)
		return OK;
	if (uuid_is_none(row->host))
		return step_without_host(s, &rows);
	if (!hosts_has_disks_here(s, rows.place.through)) {
		wake_on_host(s->r, rows.place.through, KIND_SNAPSHOT, s->id);
		return OK;
	}
	TRY(hosts_enter(s, &rows.place));
	TRY(host_connection_claim_volume(s, row->volume));
	if (!rows.is_pending)
		return leave_host(s);
	if (row->seen_stage == SNAPSHOT_SEEN_STAGE_CUT)
		return fetch(s, &rows);
	return cut_when_due(s, &rows);
}

/* ---- wake-ups ---- */

/* A snapshot without a host is forgotten on the home lane, or made on this machine on a fetch lane. */
static void wake_snapshot(struct reconciler *r, const struct row *row)
{
	const struct snapshot *snapshot = snapshot_of(row);
	if (!uuid_is_none(snapshot->host))
		wake_with_disks(r, snapshot->pool, snapshot->host, KIND_SNAPSHOT, row->id);
	else if (!row_is_live(row))
		work_wake(r, lane_home(r), KIND_SNAPSHOT, row->id, WAKE_WISH);
	else if (snapshot->plain_sha256.n || snapshot->blocks_timeout_min ||
		 !uuid_is_none(snapshot->backup)) /* may take as long as a download */
		work_wake(r, lane_fetches(snapshot->account), KIND_SNAPSHOT, row->id, WAKE_WISH);
}

/* Wakes the instance, which may be held off for the snapshot, and whatever waits for the snapshot. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	const struct snapshot *snapshot = snapshot_of(after);
	const struct volume *v = volume_find(t, snapshot->volume);
	if (v)
		wake_for_row(r, KIND_VOLUME, &v->row);
	if (v)
		wake_further_users(r, t, v);
	for (v = snapshot->is_bound ? volume_first_by_snapshot(t, after->id) : NULL; v;
	     v = volume_next_by_snapshot(t, v))
		wake_for_row(r, KIND_VOLUME, &v->row); /* volumes to be created from it */
	for (const struct image_device *d = image_device_first_by_snapshot(t, after->id); d;
	     d = image_device_next_by_snapshot(t, d)) {
		const struct image *image = image_find(t, d->image);
		if (image && image->is_exported)
			wake_for_row(r, KIND_IMAGE, &image->row);
	}
	wake_backups_of(r, t, after->id);
	if (snapshot->needs_off && !uuid_is_none(snapshot->instance))
		wake_on_host(r, snapshot->host, KIND_INSTANCE, snapshot->instance);
	wake_policy_of(r, t, snapshot);
	wake_snapshot(r, after);
}

const struct resource reconcile_snapshot = {
	.step = step_snapshot, /* without an id: collects the image store */
	.is_swept = true,
	.wake = wake_snapshot,
	.wake_changed = wake_changed,
};
