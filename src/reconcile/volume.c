/* SPDX-License-Identifier: Apache-2.0
 * Volumes: what is wanted → a file in its host's pool. Woken by its row and its hosts' return. A
 * disk is deleted only for a row that says so, and one that was there and is gone is not replaced
 * by an empty one: that is told, and whoever needs it waits.
 *
 * A move goes over this machine: what the new host may have of an earlier try goes; the file is
 * fetched whole; it is sent; once the new host has all of it, its row says so, which is the moment
 * from which the copy counts; then the row says where the old file lies, until that is gone. What goes into a pool
 * of Ceph, or out of one, is written in another form between fetching and sending, and stands alone then. Which of
 * the first three is next is told by the fetched file, which has the row's gen in its name: it is of
 * this move, and of a file that nobody had plugged since. All fetched files go when the process
 * starts, so that a move that was cut off begins anew. To another storage pool it goes in the same way, while no
 * guest runs with it; for one that does, this makes a blank file there, which its host fills (instance_swap.c). */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "drivers/disk.h"
#include "drivers/image_file.h"
#include "engine/instance/instance_migration.h"
#include "engine/storage/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume.h"
#include "engine/storage/volume_attachment.h"
#include "engine/storage/volume_move.h"
#include "model/condition.h"
#include "reconcile/work.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

enum { ROOM_AGAIN_S = 30, IMAGE_AGAIN_S = 5 };
static const int64_t TURN_AGAIN_US = SECOND / 5;

struct volume_rows {
	const struct volume *volume; /* NULL: no such row */
	struct volume_base base;
	const struct disk_key *key; /* NULL: it is plain, or has none yet */
	struct disk_place place;
	bool is_in_use;      /* a domain or a snapshot may still need it where it is */
	bool is_left_in_use; /* a snapshot asked for just before the move ended is cut where it was */
	bool goes_along;     /* its instance goes to another host, running, and brings what it has */
	bool is_running;     /* a guest that runs has it plugged */
	uuid source_host;    /* through which its file is fetched, to go elsewhere */
	bool grows_later;    /* a snapshot is to be cut of it first, at the size that it has; or it is to
				     * take over from another volume first */
	int64_t blank_size;  /* its file is to be made anew, blank, of that size; 0: it is not */
	bool is_in_ceph, goes_to_ceph;
};

static bool is_to_be_cut_on(const struct tables *t, const struct volume *v, uuid host)
{
	for (const struct snapshot *s = snapshot_first_by_volume(t, v->row.id); s;
	     s = snapshot_next_by_volume(t, s))
		if (engine_snapshot_is_pending(s) && s->seen_stage == SNAPSHOT_SEEN_STAGE_NONE &&
		    uuid_equal(s->host, host))
			return true;
	return false;
}

/* Into an instance besides the one that its row names. One that is only to be attached waits for a move. */
static bool is_plugged_further(const struct tables *t, uuid volume)
{
	const struct volume_attachment *f = volume_attachment_first_by_volume(t, volume);
	while (f && uuid_is_none(f->seen_instance))
		f = volume_attachment_next_by_volume(t, f);
	return f != NULL;
}

/* In a domain, or a copy of it is under way. */
static bool is_in_use(const struct tables *t, const struct volume *v)
{
	const struct instance *i = instance_find(t, v->instance);
	bool has_domain = i && i->seen_power != INSTANCE_SEEN_POWER_ABSENT && !row_is_live(&v->row);
	return has_domain || !uuid_is_none(v->seen_instance) || is_plugged_further(t, v->row.id) ||
	       (v->seen_size > 0 && engine_volume_is_being_copied(t, v->row.id));
}

static RESULT gather_volume(struct step *s, struct volume_rows *ret_rows)
{
	*ret_rows = (struct volume_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct volume *v = volume_find(view.tables, s->id);
	if (!v)
		return OK;
	ret_rows->volume = STEP_COPY(s, KIND_VOLUME, struct volume, v);
	if (row_is_live(&v->row)) {
		TRY(gather_volume_base(s, view.tables, v, &ret_rows->base));
		TRY(gather_disk_key(s, v->data_key, &ret_rows->key));
	}
	const struct volume *old = volume_find(view.tables, v->takes_over);
	if (old && !uuid_equal(v->seen_takes_over, v->takes_over))
		ret_rows->blank_size = old->seen_size;
	const struct instance *user = instance_find(view.tables, v->seen_instance);
	bool sees = !uuid_is_none(v->pool) && engine_host_sees_pool(view.tables, v->host, v->pool);
	ret_rows->is_running = user && user->seen_power == INSTANCE_SEEN_POWER_ON;
	ret_rows->source_host = sees ? v->host : v->seen_host;
	ret_rows->goes_along = engine_volume_goes_along(view.tables, v);
	ret_rows->is_left_in_use = is_to_be_cut_on(view.tables, v, v->left_host);
	ret_rows->grows_later = v->seen_size > 0 && v->size > v->seen_size &&
				(old || is_to_be_cut_on(view.tables, v, v->seen_host));
	ret_rows->is_in_use = is_in_use(view.tables, v);
	ret_rows->is_in_ceph = gather_is_ceph(view.tables, v->pool);
	ret_rows->goes_to_ceph = v->moves && gather_is_ceph(view.tables, v->next_pool);
	return OK;
}

/* The one that counts. */
static struct disk_name file_of(const struct volume *v)
{
	return (struct disk_name){.kind = DISK_VOLUME, .id = v->row.id, .is_raw = v->is_raw};
}

/* In whichever form: while it is to become a plain image, or has just become one, there may be two. */
static RESULT remove_file(struct step *s, const struct volume *v)
{
	struct disk_name name = {.kind = DISK_VOLUME, .id = s->id};
	TRY(s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name));
	name.is_raw = true;
	return v->is_shared || v->is_raw
		       ? s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name)
		       : OK;
}

/* ---- what is told ---- */

static RESULT report_volume(struct step *s, const struct volume *v, op_run run, uuid host, int64_t size,
			    bool is_raw)
{
	struct volume_report *report = STEP_NEW(s, struct volume_report);
	*report = (struct volume_report){
		.volume = v->row.id, .gen = v->row.gen, .host = host, .size = size, .reverts = v->reverts};
	report->is_raw = is_raw;
	step_report(s, run, report);
	return OK;
}

/* Its file was made anew for the volume that it takes over from. */
static RESULT report_blank(struct step *s, const struct volume *v, int64_t size, bool is_raw)
{
	struct volume_report *report = STEP_NEW(s, struct volume_report);
	*report = (struct volume_report){.volume = v->row.id,
					 .gen = v->row.gen,
					 .host = v->host,
					 .size = size,
					 .is_raw = is_raw,
					 .reverts = v->reverts,
					 .blank_for = v->takes_over};
	step_report(s, engine_see_volume_run, report);
	return OK;
}

static RESULT report_size(struct step *s, const struct volume *v, int64_t size, bool is_raw)
{
	if (v->seen_size == size && v->seen_gen == (int64_t) v->row.gen && v->seen_reverts == v->reverts &&
	    v->is_raw == is_raw && (size == 0 || uuid_equal(v->seen_host, v->host)))
		return OK;
	return report_volume(s, v, engine_see_volume_run, v->host, size, is_raw);
}

static RESULT report_missing(struct step *s, const struct volume *v, bool is_missing)
{
	struct condition condition = {
		.subject_kind = KIND_VOLUME,
		.subject = v->row.id,
		.name = STR(DISK_MISSING),
		.message = STR("Its disk was on its host, and is there no more."),
		.advice = STR("Bring the file back into the host's pool, or delete the volume. Its instance "
			      "is not started without it."),
	};
	return step_report_condition(s, &condition, is_missing);
}

static RESULT report_room(struct step *s, bool lacks)
{
	struct condition condition = {
		.subject_kind = KIND_VOLUME,
		.subject = s->id,
		.name = STR("NoRoom"),
		.message = s->ctx.problem.message,
		.advice =
			STR("A disk goes to another host over this machine. Give data.directory more space: "
			    "it goes on then."),
	};
	return step_report_condition(s, &condition, lacks);
}

static RESULT report_unreadable(struct step *s, bool is_unreadable)
{
	struct condition condition = {
		.subject_kind = KIND_VOLUME,
		.subject = s->id,
		.name = STR("ImageUnreadable"),
		.message = s->ctx.problem.message,
		.advice = STR(
			"Put the file back from a backup, or import the same image once more (`dari image "
			"import`): it goes on by itself then. Or delete what is made from it."),
	};
	return step_report_condition(s, &condition, is_unreadable);
}

/* ---- deleting ---- */

/* What was fetched for another gen. */
static void drop_fetched(struct step *s)
{
	char id[UUID_TEXT_SIZE];
	struct str prefix = str_print(s->ctx.arena, "volume-%s-", uuid_write(s->id, id));
	DIR *dir = opendir(s->r->image_directory);
	const struct dirent *entry = NULL;
	while (dir && prefix.n && (entry = readdir(dir)))
		if (str_starts_with(str_from(entry->d_name), prefix))
			(void) unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void) closedir(dir);
}

static RESULT step_deleted(struct step *s, const struct volume_rows *rows, uuid host)
{
	const struct volume *v = rows->volume;
	if (rows->is_in_use)
		return OK; /* the going of what holds it wakes it */
	if (rows->is_in_ceph)
		drop_fetched(s); /* what it was to be filled with */
	if (!uuid_is_none(host)) /* else it never was anywhere */
		TRY(remove_file(s, v));
	bool is_elsewhere = !uuid_is_none(v->seen_host) && !uuid_equal(host, v->seen_host);
	if (is_elsewhere && uuid_is_none(v->pool))
		return report_volume(s, v, engine_leave_volume_host_run, host, 0, v->is_raw);
	TRY(report_size(s, v, 0, false));
	return report_volume(s, v, engine_forget_volume_run, UUID_NONE, 0, false);
}

/* ---- moving ---- */

static struct str fetched_path(struct step *s, const struct volume *v, bool is_whole)
{
	char id[UUID_TEXT_SIZE];
	return str_print(s->ctx.arena, "%s/volume-%s-%" PRIu64 ".%s" IMAGE_PARTIAL_SUFFIX,
			 s->r->image_directory, uuid_write(v->row.id, id), v->row.gen,
			 is_whole ? "whole" : "fetched");
}

enum move { MOVE_NONE, MOVE_BEGIN, MOVE_FETCH, MOVE_SEND };

/* How far a move has come, says what has been fetched. */
static RESULT next_move(struct step *s, const struct volume *v, enum move *ret_move)
{
	struct str fetched = fetched_path(s, v, false), whole = fetched_path(s, v, true);
	if (!fetched.p || !whole.p)
		return ctx_no_memory(&s->ctx);
	*ret_move = file_exists(whole.p) ? MOVE_SEND : file_exists(fetched.p) ? MOVE_FETCH : MOVE_BEGIN;
	return OK;
}

static bool changes_host(const struct volume *v)
{
	return row_is_live(&v->row) && uuid_is_none(v->left_host) && !uuid_is_none(v->seen_host) &&
	       !uuid_is_none(v->host) && !uuid_equal(v->host, v->seen_host);
}

static bool changes_pool(const struct volume *v)
{
	return row_is_live(&v->row) && v->moves && uuid_is_none(v->left_host);
}

static bool is_moving(const struct volume *v)
{
	return changes_pool(v) || (changes_host(v) && uuid_is_none(v->pool));
}

/* What comes out of a pool of Ceph, or goes into one, stands on nothing afterwards. */
static bool changes_form(const struct volume_rows *rows)
{
	return rows->volume->moves && (rows->is_in_ceph || rows->goes_to_ceph);
}

/* Its file stays where it is, in a shared pool, and is worked on through another host. */
static bool is_passed_on(const struct volume *v)
{
	return changes_host(v) && !uuid_is_none(v->pool) && !v->moves;
}

/* The host on whose disks the next step works; none: no host. */
static uuid host_of_step(const struct volume_rows *rows, enum move move)
{
	const struct volume *v = rows->volume;
	if (!uuid_is_none(v->left_host))
		return v->left_host;
	return move == MOVE_FETCH ? rows->source_host : v->host;
}

/* The pool in which it works; none: that host's own directory. */
static uuid pool_of_step(const struct volume *v, enum move move)
{
	if (!uuid_is_none(v->left_host))
		return v->left_pool;
	return move == MOVE_FETCH || !changes_pool(v) ? v->pool : v->next_pool;
}

static RESULT find_place(struct step *s, struct volume_rows *rows, enum move move)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	return gather_place(s, view.tables, pool_of_step(rows->volume, move), host_of_step(rows, move),
			    &rows->place);
}

/* Of the hosts of a shared pool one at a time sends a piece: the file there tells by its length alone how far
 * it has come. False: another one does. */
static _Atomic bool *turn_of(struct step *s, uuid pool)
{
	return &s->r->pool_turns[pool.b[0] % POOL_TURNS];
}

static bool take_turn(struct step *s, uuid pool)
{
	return uuid_is_none(pool) || !atomic_exchange(turn_of(s, pool), true);
}

static void end_turn(struct step *s, uuid pool)
{
	if (!uuid_is_none(pool))
		atomic_store(turn_of(s, pool), false);
}

static RESULT fail_unreadable(struct step *s)
{
	TRY(report_unreadable(s, true));
	ctx_clear_problem(&s->ctx);
	step_again_at(s, clock_now_us() + IMAGE_AGAIN_S * SECOND);
	return OK;
}

/* A piece of the file that it is to stand on. */
static RESULT send_base(struct step *s, uuid pool, const struct volume_base *base, bool *ret_is_whole)
{
	TRY(host_connection_check_current(s)); /* the same file may be on its way for another volume */
	struct disk_name name = {.kind = DISK_BASE, .sha256 = base->sha256};
	struct disk_copy copy = {.path = gather_store_path(s, base->sha256), .size = base->file_size};
	if (!copy.path.p)
		return ctx_no_memory(&s->ctx);
	*ret_is_whole = false;
	if (!take_turn(s, pool)) {
		step_again_at(s, clock_now_us() + TURN_AGAIN_US);
		return OK;
	}
	struct result result = s->connection->disk_driver->push(s->connection->disks, &s->ctx, &name, &copy);
	end_turn(s, pool);
	if (result.code == ERR_INVALID)
		return fail_unreadable(s);
	TRY(result);
	TRY(report_unreadable(s, false));
	step_again(s);
	*ret_is_whole = copy.done == copy.size;
	return OK;
}

/* On the new host: what may be there of the volume is of another try. */
static RESULT begin_move(struct step *s, const struct volume_rows *rows)
{
	bool has_base = true;
	drop_fetched(s);
	TRY(remove_file(s, rows->volume));
	if (rows->base.sha256.n && !changes_form(rows))
		TRY(send_base(s, pool_of_step(rows->volume, MOVE_BEGIN), &rows->base, &has_base));
	if (!has_base)
		return OK;
	struct str path = fetched_path(s, rows->volume, false);
	AUTO_FD fd = path.p ? open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	return fd >= 0 ? OK
		       : ctx_fail(&s->ctx, ERR_IO, "the copy %" STR_FMT " cannot be made", STR_ARG(path));
}

/* ---- forms */

static RESULT give_up_room(struct step *s, struct str path)
{
	TRY(report_room(s, true));
	(void) unlink(path.p);
	ctx_clear_problem(&s->ctx);
	step_again_at(s, clock_now_us() + ROOM_AGAIN_S * SECOND);
	return OK;
}

/* Whole at once, or not at all. */
static RESULT recast(struct step *s, struct disk_recasting *wish, struct str to, int64_t size)
{
	bool is_sealed = wish->to_form == DISK_FORM_CEPH && wish->key; /* and thus all of it is data, twice */
	wish->to = str_print(s->ctx.arena, "%" STR_FMT IMAGE_PARTIAL_SUFFIX, STR_ARG(to));
	if (!wish->to.p || !wish->from.p)
		return ctx_no_memory(&s->ctx);
	TRY(image_file_check_room(&s->ctx, s->r->image_directory, is_sealed ? 2 * size : size));
	struct result r = s->connection->disk_driver->recast(&s->ctx, wish);
	if (result_is_ok(r))
		return file_rename_synced(&s->ctx, wish->to.p, to.p);
	(void) unlink(wish->to.p);
	return r;
}

static enum disk_form form_in(bool in_ceph, bool is_raw)
{
	return in_ceph ? DISK_FORM_CEPH : is_raw ? DISK_FORM_RAW : DISK_FORM_QCOW2;
}

/* It has been fetched. */
static RESULT finish_fetch(struct step *s, const struct volume_rows *rows, struct str fetched,
			   struct str whole, int64_t size)
{
	const struct volume *v = rows->volume;
	struct disk_recasting wish = {.from = fetched,
				      .from_form = form_in(rows->is_in_ceph, v->is_raw),
				      .to_form = form_in(rows->goes_to_ceph, v->is_raw),
				      .key = rows->key,
				      .base_is_plain = !rows->base.is_encrypted};
	if (wish.from_form == wish.to_form)
		return file_rename_synced(&s->ctx, fetched.p, whole.p);
	if (rows->base.sha256.n && !rows->is_in_ceph) /* an image that came from Ceph stands alone */
		wish.base = gather_store_path(s, rows->base.sha256);
	struct result r = recast(s, &wish, whole, rows->key ? v->seen_size : size + rows->base.file_size);
	if (r.code == ERR_CAPACITY)
		return give_up_room(s, fetched);
	TRY(r);
	(void) unlink(fetched.p);
	return report_room(s, false);
}

/* On the old host. */
static RESULT fetch(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_name name = file_of(v);
	struct disk_copy copy = {.path = fetched_path(s, v, false)};
	struct str whole = fetched_path(s, v, true);
	if (!copy.path.p || !whole.p)
		return ctx_no_memory(&s->ctx);
	struct result result = s->connection->disk_driver->pull(s->connection->disks, &s->ctx, &name, &copy);
	if (result_is_ok(result) && copy.done < copy.size)
		result = image_file_check_room(&s->ctx, s->r->image_directory, copy.size - copy.done);
	if (result.code == ERR_CAPACITY)
		return give_up_room(s, copy.path);
	TRY(report_room(s, false));
	if (result.code == ERR_NOT_FOUND) {
		ctx_clear_problem(&s->ctx);
		return report_missing(s, v, true);
	}
	TRY(result);
	TRY(report_missing(s, v, false));
	return copy.done == copy.size ? finish_fetch(s, rows, copy.path, whole, copy.size) : OK;
}

static RESULT report_move(struct step *s, const struct volume *v, enum volume_move_stage stage)
{
	struct volume_move_report *report = STEP_NEW(s, struct volume_move_report);
	*report = (struct volume_move_report){
		.volume = v->row.id, .pool = v->next_pool, .host = v->host, .stage = stage};
	step_report(s, engine_see_volume_move_run, report);
	return OK;
}

/* On the new host. */
static RESULT send(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_name name = file_of(v);
	struct disk_copy copy = {.path = fetched_path(s, v, true)};
	if (!copy.path.p)
		return ctx_no_memory(&s->ctx);
	TRY(file_size(&s->ctx, copy.path.p, &copy.size));
	TRY(s->connection->disk_driver->push(s->connection->disks, &s->ctx, &name, &copy));
	if (copy.done < copy.size)
		return OK;
	if (v->moves)
		return report_move(s, v, changes_form(rows) ? VOLUME_MOVE_COPIED : VOLUME_MOVE_MOVED);
	return report_volume(s, v, engine_see_volume_run, v->host, v->seen_size, v->is_raw);
}

static RESULT step_moving(struct step *s, const struct volume_rows *rows, enum move move)
{
	const struct volume *v = rows->volume;
	if (rows->is_in_use)
		return OK; /* likewise */
	TRY(move == MOVE_BEGIN ? begin_move(s, rows) : move == MOVE_FETCH ? fetch(s, rows) : send(s, rows));
	if (s->end.again == AGAIN_LATER)
		return OK;
	TRY(next_move(s, v, &move));
	wake_on_host(s->r, host_of_step(rows, move), KIND_VOLUME,
		     s->id); /* the next piece, on whichever host */
	return OK;
}

/* What its running guest is to go over to: as large, in the same form, and blank. */
static RESULT step_blank(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_seen seen = {0};
	struct disk_spec wish = {
		.volume = v->row.id, .size = v->seen_size, .key = rows->key, .is_raw = v->is_raw};
	if (v->is_next_blank)
		return OK;
	TRY(remove_file(s, v));
	TRY(s->connection->disk_driver->ensure(s->connection->disks, &s->ctx, &wish, &seen));
	return report_move(s, v, VOLUME_MOVE_BLANK);
}

/* The copy counts: nothing needs the file any more, nor what was fetched of it. */
static RESULT step_left(struct step *s, const struct volume *v)
{
	drop_fetched(s);
	TRY(remove_file(s, v));
	return report_volume(s, v, engine_leave_volume_host_run, v->left_host, 0, v->is_raw);
}

/* ---- going along with a running instance ---- */

/* What is there of another try goes: what is copied into the file is only what the disk has beside its base. */
static RESULT step_going_along(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_seen seen = {0};
	bool has_base = true;
	struct disk_spec wish = {.volume = v->row.id,
				 .size = v->seen_size,
				 .base_sha256 = rows->base.sha256,
				 .base_file_size = rows->base.file_size,
				 .key = rows->key,
				 .base_is_encrypted = rows->base.is_encrypted};
	if (uuid_equal(v->ready_host, v->host))
		return OK;
	TRY(remove_file(s, v));
	TRY(s->connection->disk_driver->ensure(s->connection->disks, &s->ctx, &wish, &seen));
	if (seen.lacks_base)
		return send_base(s, rows->volume->pool, &rows->base, &has_base);
	struct migration_disk_report *report = STEP_NEW(s, struct migration_disk_report);
	*report = (struct migration_disk_report){.volume = v->row.id, .host = v->host};
	step_report(s, engine_see_migration_disk_run, report);
	return OK;
}

/* ---- the step ---- */

/* Noted before anything is encrypted with it, which wakes this again. */
static RESULT draw_key(struct step *s, const struct volume *v)
{
	struct volume_keying *keying = STEP_NEW(s, struct volume_keying);
	keying->volume = v->row.id;
	TRY(disk_key_draw(&s->ctx, s->r->master_key, &keying->data_key));
	step_report(s, engine_key_volume_run, keying);
	return OK;
}

static struct disk_spec spec_of(const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	bool is_reverting = v->reverts != v->seen_reverts;
	struct disk_spec wish = {.volume = v->row.id,
				 .size = rows->grows_later ? v->seen_size : v->size,
				 .base_sha256 = rows->base.sha256,
				 .base_file_size = rows->base.file_size,
				 .key = rows->key,
				 .base_is_encrypted = rows->base.is_encrypted,
				 .is_swap = v->local == VOLUME_LOCAL_SWAP,
				 .tracked_from = v->tracked_from,
				 .is_raw = v->is_shared || v->is_raw, /* once it is one it stays so */
				 .was_raw = v->is_raw && !is_reverting,
				 .is_growing =
					 v->seen_size<v->size, .was_there = v->seen_size> 0 && !is_reverting};
	if (rows->blank_size) {
		wish.size = rows->blank_size;
		wish.base_sha256 = STR_NONE;
		wish.was_raw = wish.was_there = wish.is_growing = false;
	}
	return wish;
}

/* In a pool of Ceph an encrypted volume stands on nothing: it is sent what it is made from, as a container. */
static bool is_filled(const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	return rows->is_in_ceph && rows->key && rows->base.sha256.n && !rows->blank_size &&
	       (v->seen_size == 0 || v->reverts != v->seen_reverts);
}

/* What may be there of another try goes with the beginning. */
static RESULT begin_filling(struct step *s, const struct volume_rows *rows, struct str whole)
{
	struct disk_recasting wish = {.from = gather_store_path(s, rows->base.sha256),
				      .sha256 = rows->base.sha256,
				      .file_size = rows->base.file_size,
				      .from_form = DISK_FORM_QCOW2,
				      .to_form = DISK_FORM_CEPH,
				      .key = rows->key,
				      .from_is_plain = !rows->base.is_encrypted};
	drop_fetched(s);
	TRY(remove_file(s, rows->volume));
	return recast(s, &wish, whole, rows->volume->size);
}

/* *ret_is_whole: all of it is there. */
static RESULT fill(struct step *s, const struct volume_rows *rows, bool *ret_is_whole)
{
	struct disk_name name = file_of(rows->volume);
	struct disk_copy copy = {.path = fetched_path(s, rows->volume, true)};
	struct result r = OK;
	*ret_is_whole = false;
	if (!copy.path.p)
		return ctx_no_memory(&s->ctx);
	if (!file_exists(copy.path.p))
		r = begin_filling(s, rows, copy.path);
	if (r.code == ERR_CAPACITY)
		return give_up_room(s, copy.path);
	if (r.code == ERR_INVALID)
		return fail_unreadable(s);
	TRY(r);
	TRY(report_room(s, false));
	TRY(report_unreadable(s, false));
	TRY(file_size(&s->ctx, copy.path.p, &copy.size));
	TRY(s->connection->disk_driver->push(s->connection->disks, &s->ctx, &name, &copy));
	*ret_is_whole = copy.done == copy.size;
	if (!*ret_is_whole)
		step_again(s);
	return OK;
}

static RESULT step_live(struct step *s, const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	struct disk_seen seen = {0};
	struct disk_spec wish = spec_of(rows);
	bool has_base = true, fills = is_filled(rows);
	if (v->is_encrypted && !rows->key)
		return draw_key(s, v);
	if (fills) {
		TRY(fill(s, rows, &has_base));
		wish.base_sha256 = STR_NONE;
	}
	if (!has_base)
		return OK;
	if (!fills && (v->reverts != v->seen_reverts || rows->blank_size))
		TRY(remove_file(s,
				v)); /* as often as it takes until the new one is reported: nothing has it */
	struct result result =
		s->connection->disk_driver->ensure(s->connection->disks, &s->ctx, &wish, &seen);
	bool is_missing = result.code == ERR_NOT_FOUND && wish.was_there;
	if (is_missing)
		ctx_clear_problem(&s->ctx);
	else
		TRY(result);
	TRY(report_missing(s, v, is_missing));
	if (is_missing)
		return OK;
	if (seen.lacks_base)
		return send_base(s, rows->volume->pool, &rows->base, &has_base);
	TRY(report_unreadable(s, false)); /* another volume's step may have sent it */
	if (fills)
		drop_fetched(s);
	if (rows->blank_size)
		return report_blank(s, v, seen.size, wish.is_raw);
	if (rows->grows_later)
		return OK; /* the cut wakes it, or the end of the swap */
	return report_size(s, v, seen.size, wish.is_raw);
}

static RESULT step_on(struct step *s, const struct volume_rows *rows, uuid host, enum move move)
{
	const struct volume *v = rows->volume;
	TRY(hosts_enter(s, &rows->place));
	TRY(host_connection_claim_volume(s, s->id));
	if (!uuid_is_none(v->left_host))
		return rows->is_left_in_use ? OK : step_left(s, v);
	if (!row_is_live(&v->row))
		return step_deleted(s, rows, host);
	if (rows->goes_along)
		return step_going_along(s, rows);
	if (changes_pool(v) && rows->is_running)
		return step_blank(s, rows);
	return move == MOVE_NONE ? step_live(s, rows) : step_moving(s, rows, move);
}

static RESULT step_volume(struct step *s)
{
	struct volume_rows rows = {0};
	TRY(gather_volume(s, &rows));
	const struct volume *v = rows.volume;
	if (!v)
		return OK;
	enum move move = MOVE_NONE;
	if (changes_pool(v) && rows.is_running)
		move = MOVE_BEGIN;
	else if (is_moving(v) && !rows.goes_along)
		TRY(next_move(s, v, &move));
	TRY(find_place(s, &rows, move));
	uuid host = host_of_step(&rows, move);
	uuid through = uuid_is_none(rows.place.through) ? host : rows.place.through;
	if (uuid_is_none(host) && !row_is_live(&v->row))
		return step_deleted(s, &rows, host);
	if (v->sending == VOLUME_SENDING_WAITING && row_is_live(&v->row))
		return step_sending(s, KIND_VOLUME, v->sending_until_us);
	if (uuid_is_none(host))
		return OK; /* its instance's placing wakes it */
	if (!hosts_has_disks_here(s, through)) {
		wake_on_host(s->r, through, KIND_VOLUME, s->id);
		return OK;
	}
	return is_passed_on(v) && rows.is_in_use ? OK : step_on(s, &rows, host, move);
}

/* ---- who looks because of it ---- */

/* Where it has left a copy, then where it is to be. What is to be done first on the host that it comes from,
 * the step finds out (wake_on_host). */
static void wake_volume(struct reconciler *r, const struct row *row)
{
	const struct volume *v = volume_of(row);
	uuid host = uuid_is_none(v->left_host) ? v->host : v->left_host;
	if (uuid_is_none(host))
		work_wake(r, lane_home(r), KIND_VOLUME, row->id, WAKE_WISH);
	else
		wake_with_disks(r, v->pool, host, KIND_VOLUME, row->id);
	if (!uuid_is_none(v->instance)) /* it may have waited for its disk */
		wake_on_host(r, v->host, KIND_INSTANCE, v->instance);
	if (!uuid_is_none(v->takes_over))
		wake_on_host(r, v->host, KIND_INSTANCE, v->reserved_for); /* whose host fills it */
	if (!uuid_is_none(v->seen_instance) && !uuid_equal(v->seen_instance, v->instance))
		wake_on_host(r, v->host, KIND_INSTANCE, v->seen_instance); /* it is to let go of it */
}

void wake_further_users(struct reconciler *r, const struct tables *t, const struct volume *v)
{
	for (const struct volume_attachment *f = volume_attachment_first_by_volume(t, v->row.id); f;
	     f = volume_attachment_next_by_volume(t, f)) {
		uuid instance = uuid_is_none(f->instance) ? f->seen_instance : f->instance;
		wake_on_host(r, v->host, KIND_INSTANCE, instance);
	}
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) before;
	wake_volume(r, after);
	wake_further_users(r, t, volume_of(after));
	if (!uuid_is_none(volume_of(after)->ready_host))
		wake_migration(r, t, volume_of(after)->instance);
}

/* What it was made from may have waited for the last such volume. */
static void wake_forgotten(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_deleted(r, t, KIND_SNAPSHOT, volume_of(row)->snapshot);
}

const struct resource reconcile_volume = {
	.step = step_volume,
	.is_swept = true,
	.wake = wake_volume,
	.wake_changed = wake_changed,
	.wake_forgotten = wake_forgotten,
};

/* Its instance plugs it, or lets go of it. */
static void wake_attached(struct reconciler *r, const struct tables *t, const struct row *row)
{
	const struct volume_attachment *f = volume_attachment_of(row);
	const struct volume *v = volume_find(t, f->volume);
	uuid instance = uuid_is_none(f->instance) ? f->seen_instance : f->instance;
	if (v && !uuid_is_none(instance))
		wake_on_host(r, v->host, KIND_INSTANCE, instance);
}

static void wake_attachment(struct reconciler *r, const struct tables *t, const struct row *before,
			    const struct row *after)
{
	if (before)
		wake_attached(r, t, before);
	wake_attached(r, t, after);
}

const struct resource reconcile_volume_attachment = {
	.wake_changed = wake_attachment,
	.wake_forgotten = wake_attached,
};

static const struct volume *find_subject(const struct tables *t, const struct row *condition)
{
	const struct condition *c = condition_of(condition);
	return c->subject_kind == KIND_VOLUME ? volume_find(t, c->subject) : NULL;
}

/* What is in a disk's way is its instance's as well. */
static void wake_for_obstacle(struct reconciler *r, const struct tables *t, const struct row *before,
			      const struct row *after)
{
	(void) before;
	const struct volume *v = find_subject(t, after);
	if (v && !uuid_is_none(v->instance))
		wake_on_host(r, v->host, KIND_INSTANCE, v->instance);
	if (v)
		wake_further_users(r, t, v);
}

/* A disk is back: the instance may have waited for it. */
static void wake_for_way(struct reconciler *r, const struct tables *t, const struct row *row)
{
	const struct volume *v = find_subject(t, row);
	if (v)
		wake_changed(r, t, NULL, &v->row);
}

const struct resource reconcile_condition = {
	.wake_changed = wake_for_obstacle,
	.wake_forgotten = wake_for_way,
};
