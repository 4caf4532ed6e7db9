/* SPDX-License-Identifier: Apache-2.0
 * Steps of volumes: create, fill, grow, move and delete a volume's file. Woken by the volume's row and its
 * hosts' return. A file is deleted only for a deleted row. A file that was seen before and is gone is
 * reported, never replaced by an empty one, and instances wait for it.
 *
 * A move copies the file through this machine in stages: (1) remove leftovers on the new host, (2) fetch the
 * whole file from the old host, (3) send it, (4) report it, from which moment the new copy is the valid one,
 * (5) remove the old file, whose place the row records as left_host. A file moved into or out of a Ceph pool
 * is converted between (2) and (3) and then has no backing file. The fetched file on this machine tells which
 * of the first three stages is next; its name contains the row's gen, so it belongs to this move and to
 * content that no guest has changed since. Fetched files are deleted when the process starts, so an
 * interrupted move begins again. A move to another pool works the same way while no running guest uses the
 * volume; for a running guest this file only creates a blank file, which the guest's host fills
 * (instance_swap.c). */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "drivers/disk.h"
#include "drivers/image/image_file.h"
#include "engine/instance/placement/instance_migration.h"
#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/storage_pool.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_destroy.h"
#include "engine/storage/volume/volume_move.h"
#include "model/condition.h"
#include "reconcile/work.h"
#include "store/instance.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

/* No event reports that room is freed, or that a file can be read again. */
enum { ROOM_AGAIN_S = 30, IMAGE_AGAIN_S = 5 };
/* Another step sends the same image to that pool; its end wakes nobody. */
static const int64_t TURN_AGAIN_US = SECOND / 5;

struct volume_rows {
	const struct volume *volume; /* NULL: the row does not exist */
	struct volume_base base;
	const struct disk_key *key; /* NULL: not encrypted, or no key yet */
	struct disk_place place;
	bool is_in_use;      /* a domain or a snapshot may need the file in its place */
	bool is_left_in_use; /* a snapshot requested just before the end of a move is taken at the old
			      * place */
	bool goes_along;     /* live migration copies the volume with its instance */
	bool is_running;     /* attached to a running guest */
	uuid source_host;    /* the host from which a move fetches the file */
	bool grows_later;    /* growing waits for a snapshot that must have the present size, or for taking
			      * over from another volume */
	int64_t blank_size;  /* size of the blank file that replaces the present one; 0: no replacement */
	bool is_in_ceph, goes_to_ceph;
	int64_t expunge_us; /* when it is deleted, destroyed as it is; 0: it is not */
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

/* True if the volume is plugged into an instance other than the one its row names. An attachment that is only
 * requested waits for the move instead. */
static bool is_plugged_further(const struct tables *t, uuid volume)
{
	const struct volume_attachment *f = volume_attachment_first_by_volume(t, volume);
	while (f && uuid_is_none(f->seen_instance))
		f = volume_attachment_next_by_volume(t, f);
	return f != NULL;
}

/* True if the file is part of a domain or is being copied. */
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
	ret_rows->expunge_us = engine_get_volume_expunge_us(view.tables, v);
	ret_rows->is_in_ceph = gather_is_ceph(view.tables, v->pool);
	ret_rows->goes_to_ceph = v->moves && gather_is_ceph(view.tables, v->next_pool);
	return OK;
}

/* Name of the volume's valid file. */
static struct disk_name file_of(const struct volume *v)
{
	return (struct disk_name){.kind = DISK_VOLUME, .id = v->row.id, .is_raw = v->is_raw};
}

/* Removes the file in both forms: during and just after conversion to a raw image both may exist. */
static RESULT remove_file(struct step *s, const struct volume *v)
{
	struct disk_name name = {.kind = DISK_VOLUME, .id = s->id};
	TRY(s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name));
	name.is_raw = true;
	return v->is_shared || v->is_raw
		       ? s->connection->disk_driver->remove(s->connection->disks, &s->ctx, &name)
		       : OK;
}

/* ---- reports ---- */

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

/* Reports the blank file created for taking over from another volume. */
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

/* Deletes fetched files of all gens of the volume. */
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
		return OK; /* whatever holds the file wakes the volume when it releases it */
	if (rows->is_in_ceph)
		drop_fetched(s); /* the prepared content, too */
	if (!uuid_is_none(host)) /* none: the volume was never on a host */
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

/* Next stage of a move, derived from the fetched file. */
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

/* True if the move crosses a Ceph pool's border: the file is converted and then has no backing file. */
static bool changes_form(const struct volume_rows *rows)
{
	return rows->volume->moves && (rows->is_in_ceph || rows->goes_to_ceph);
}

/* True if the file stays in a shared pool and only the host that works on it changes. */
static bool is_passed_on(const struct volume *v)
{
	return changes_host(v) && !uuid_is_none(v->pool) && !v->moves;
}

/* Host that performs the stage; none: no host. */
static uuid host_of_step(const struct volume_rows *rows, enum move move)
{
	const struct volume *v = rows->volume;
	if (!uuid_is_none(v->left_host))
		return v->left_host;
	return move == MOVE_FETCH ? rows->source_host : v->host;
}

/* Pool in which the stage works; none: the host's own directory. */
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

/* Lock of a shared pool for sending a base image. Only one host may append to the file at a time, because the
 * length of the partial file alone records the progress. Pools that share a slot of the table merely wait for
 * each other. take_turn() returns false if another step holds the lock. */
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

/* Sends the next piece of the base image. */
static RESULT send_base(struct step *s, uuid pool, const struct volume_base *base, bool *ret_is_whole)
{
	TRY(host_connection_check_current(s)); /* otherwise a second job on a fresh connection may send the
					        * same file */
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

/* On the new host: removes leftovers of an earlier attempt. */
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

/* Converts the file; the result appears under its final name only when complete. */
static RESULT recast(struct step *s, struct disk_recasting *wish, struct str to, int64_t size)
{
	/* an encrypted container has no holes: plaintext and ciphertext both take the full size */
	bool is_sealed = wish->to_form == DISK_FORM_CEPH && wish->key;
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

/* The file was fetched completely. */
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
	if (rows->base.sha256.n && !rows->is_in_ceph) /* volumes from a Ceph pool have no backing file */
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
		return OK; /* whatever holds the file wakes the volume when it releases it */
	TRY(move == MOVE_BEGIN ? begin_move(s, rows) : move == MOVE_FETCH ? fetch(s, rows) : send(s, rows));
	if (s->end.again == AGAIN_LATER)
		return OK;
	TRY(next_move(s, v, &move));
	wake_on_host(s->r, host_of_step(rows, move), KIND_VOLUME,
		     s->id); /* the next piece, perhaps on the other host */
	return OK;
}

/* Creates the blank target of a live copy, with the same size and form. */
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

/* The new copy is valid: removes the old file and the fetched one. */
static RESULT step_left(struct step *s, const struct volume *v)
{
	drop_fetched(s);
	TRY(remove_file(s, v));
	return report_volume(s, v, engine_leave_volume_host_run, v->left_host, 0, v->is_raw);
}

/* ---- live migration ---- */

/* Creates the file that live migration fills on the target. Leftovers of an earlier attempt are removed
 * first, because the migration copies only what the disk has beyond its base image. */
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

/* Draws the volume's key. The key is committed before anything is encrypted with it; the commit wakes the
 * volume. */
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
				 .is_raw = v->is_shared || v->is_raw, /* a raw volume stays raw */
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

/* An encrypted volume in a Ceph pool cannot have a backing image; its initial content is sent as an encrypted
 * container. */
static bool is_filled(const struct volume_rows *rows)
{
	const struct volume *v = rows->volume;
	return rows->is_in_ceph && rows->key && rows->base.sha256.n && !rows->blank_size &&
	       (v->seen_size == 0 || v->reverts != v->seen_reverts);
}

/* Prepares the initial content; leftovers of an earlier attempt are removed first. */
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

/* *ret_is_whole: all content was sent. */
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
		TRY(remove_file(s, v)); /* repeated until the new file is reported; nothing uses it before
				      * that */
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
	TRY(report_unreadable(s, false)); /* another volume's step may have sent the image meanwhile */
	if (fills)
		drop_fetched(s);
	if (rows->blank_size)
		return report_blank(s, v, seen.size, wish.is_raw);
	if (rows->grows_later)
		return OK; /* woken by the snapshot or by the end of the takeover */
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

/* Schedules the step at that time; while it is far, the look at everything comes first. */
static bool is_to_be_expunged(struct step *s, const struct volume_rows *rows)
{
	int64_t now_us = clock_now_us();
	if (rows->expunge_us > now_us && now_us + s->r->resync_interval_us > rows->expunge_us)
		step_again_at(s, rows->expunge_us);
	return rows->expunge_us && now_us >= rows->expunge_us;
}

/* Deletes a volume that was destroyed, and not recovered in time. */
static RESULT expunge(struct step *s)
{
	struct volume_expunging *expunging = STEP_NEW(s, struct volume_expunging);
	expunging->volume = s->id;
	step_report(s, engine_expunge_volume_run, expunging);
	return OK;
}

/* A running guest's host copies the disk to another pool itself: only the blank file is made here. */
static RESULT choose_move(struct step *s, const struct volume_rows *rows, enum move *ret_move)
{
	const struct volume *v = rows->volume;
	if (changes_pool(v) && rows->is_running)
		*ret_move = MOVE_BEGIN;
	else if (is_moving(v) && !rows->goes_along)
		return next_move(s, v, ret_move);
	return OK;
}

static RESULT step_volume(struct step *s)
{
	struct volume_rows rows = {0};
	TRY(gather_volume(s, &rows));
	const struct volume *v = rows.volume;
	if (!v)
		return OK;
	if (is_to_be_expunged(s, &rows))
		return expunge(s);
	enum move move = MOVE_NONE;
	TRY(choose_move(s, &rows, &move));
	TRY(find_place(s, &rows, move));
	uuid host = host_of_step(&rows, move);
	uuid through = uuid_is_none(rows.place.through) ? host : rows.place.through;
	if (uuid_is_none(host) && !row_is_live(&v->row))
		return step_deleted(s, &rows, host);
	if (v->sending == VOLUME_SENDING_WAITING && row_is_live(&v->row))
		return step_sending(s, KIND_VOLUME, v->sending_until_us);
	if (uuid_is_none(host))
		return OK; /* woken when its instance is placed */
	if (!hosts_has_disks_here(s, through)) {
		wake_on_host(s->r, through, KIND_VOLUME, s->id);
		return OK;
	}
	return is_passed_on(v) && rows.is_in_use ? OK : step_on(s, &rows, host, move);
}

/* ---- wake-ups ---- */

/* Wakes the volume on the host of a leftover file, otherwise on its own host. If work on the old host comes
 * first, the step passes itself on (wake_on_host()). */
static void wake_volume(struct reconciler *r, const struct row *row)
{
	const struct volume *v = volume_of(row);
	uuid host = uuid_is_none(v->left_host) ? v->host : v->left_host;
	if (uuid_is_none(host))
		work_wake(r, lane_home(r), KIND_VOLUME, row->id, WAKE_WISH);
	else
		wake_with_disks(r, v->pool, host, KIND_VOLUME, row->id);
	if (!uuid_is_none(v->instance)) /* the instance may have waited for the disk */
		wake_on_host(r, v->host, KIND_INSTANCE, v->instance);
	if (!uuid_is_none(v->takes_over))
		/* the instance whose host fills the volume */
		wake_on_host(r, v->host, KIND_INSTANCE, v->reserved_for);
	if (!uuid_is_none(v->seen_instance) && !uuid_equal(v->seen_instance, v->instance))
		/* the instance must release the volume */
		wake_on_host(r, v->host, KIND_INSTANCE, v->seen_instance);
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

/* The snapshot may be deleting and have waited for its last volume. */
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

/* The instance must plug in or release the volume. */
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

/* The volume may be deleted and have waited for its last attachment, which refuses that it is forgotten. */
static void wake_detached(struct reconciler *r, const struct tables *t, const struct row *row)
{
	wake_attached(r, t, row);
	wake_deleted(r, t, KIND_VOLUME, volume_attachment_of(row)->volume);
}

const struct resource reconcile_volume_attachment = {
	.wake_changed = wake_attachment,
	.wake_forgotten = wake_detached,
};

static const struct volume *find_subject(const struct tables *t, const struct row *condition)
{
	const struct condition *c = condition_of(condition);
	return c->subject_kind == KIND_VOLUME ? volume_find(t, c->subject) : NULL;
}

/* A condition of a volume is repeated on its instances (WaitsForDisk). */
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

/* The volume is usable again: its instances may have waited for it. */
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
