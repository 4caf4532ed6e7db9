/* SPDX-License-Identifier: Apache-2.0
 * Steps that verify that hosts see a storage pool. On each connection a host creates a marker file with a
 * random word in its name and looks for the markers of the other hosts; a host sees a Ceph pool once libvirt
 * has accepted the pool's key. The first proven host also checks the pool as a whole. Woken by its row, by
 * other hosts' markers, by the host's return, at each resync, and, while unproven, at each probe of the
 * host. */
#include "store/pool_host.h"
#include "base/random.h"
#include "base/vec.h"
#include "drivers/compute.h"
#include "drivers/disk.h"
#include "engine/storage/storage_pool.h"
#include "reconcile/work.h"
#include "store/storage_pool.h"

enum { WORD_BYTES = 8, FULL_PERCENT = 1 };

struct pool_host_rows {
	const struct pool_host *seen; /* NULL: the row does not exist */
	struct str path;
	const struct ceph_place *ceph; /* NULL: a mounted directory */
	bool is_alone;                 /* the pool has no other host */
	int64_t size;                  /* size in the pool's row */
	bool is_full;
	bool is_keeper;               /* this host checks the pool as a whole */
	VEC(struct disk_mark) others; /* markers of the other hosts, from their rows */
};

static RESULT gather(struct step *s, struct pool_host_rows *ret_rows)
{
	*ret_rows = (struct pool_host_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct pool_host *seen = pool_host_find(view.tables, s->id);
	const struct storage_pool *pool = seen ? storage_pool_find(view.tables, seen->pool) : NULL;
	const struct pool_host *keeper = NULL;
	if (!pool)
		return OK;
	ret_rows->seen = STEP_COPY(s, KIND_POOL_HOST, struct pool_host, seen);
	TRY(gather_ceph(s, pool, &ret_rows->ceph));
	ret_rows->path = str_copy(s->ctx.arena, pool->path);
	ret_rows->size = pool->seen_size;
	ret_rows->is_full = pool->seen_full;
	ret_rows->is_alone = true;
	for (const struct pool_host *p = pool_host_first_by_pool(view.tables, pool->row.id); p;
	     p = pool_host_next_by_pool(view.tables, p)) {
		struct disk_mark mark = {.host = p->host, .word = str_copy(s->ctx.arena, p->mark)};
		if (!keeper && p->seen_state == POOL_HOST_SEEN_STATE_PROVEN)
			keeper = p;
		ret_rows->is_alone = ret_rows->is_alone && p == seen;
		if (p != seen && mark.word.n && !VEC_PUSH(s->ctx.arena, &ret_rows->others, mark))
			return ctx_no_memory(&s->ctx);
	}
	ret_rows->is_keeper = keeper == seen;
	return ret_rows->path.p || !pool->path.n ? OK : ctx_no_memory(&s->ctx);
}

/* Draws a new word, unless the present one was drawn for this connection. */
static RESULT choose_word(struct step *s, const struct pool_host *seen, struct str *ret_word)
{
	uint8_t bytes[WORD_BYTES];
	*ret_word = seen->mark;
	if (seen->seen_state != POOL_HOST_SEEN_STATE_UNKNOWN && seen->mark.n)
		return OK;
	random_bytes(bytes, sizeof bytes);
	*ret_word = str_encode_hex(s->ctx.arena, bytes, sizeof bytes);
	return ret_word->p ? OK : ctx_no_memory(&s->ctx);
}

static bool has_mark(const struct disk_marks *marks, const struct disk_mark *mark)
{
	for (size_t k = 0; k < marks->count; k++)
		if (uuid_equal(marks->at[k].host, mark->host) && str_equal(marks->at[k].word, mark->word))
			return true;
	return false;
}

static bool is_news(const struct pool_host_rows *rows, const struct pool_host_report *report)
{
	const struct pool_host *seen = rows->seen;
	bool proves = report->is_there && (report->saw.count > 0 || rows->is_alone);
	enum pool_host_seen_state state =
		proves ? POOL_HOST_SEEN_STATE_PROVEN : POOL_HOST_SEEN_STATE_UNPROVEN;
	return seen->seen_state != state || (report->is_there && !str_equal(seen->mark, report->mark)) ||
	       (proves && (rows->size != report->size || rows->is_full != report->is_full));
}

static RESULT report(struct step *s, const struct pool_host_rows *rows, struct str word,
		     const struct disk_marks *marks)
{
	struct pool_host_report *report = STEP_NEW(s, struct pool_host_report);
	uuid *saw = arena_new_array(s->ctx.arena, uuid, rows->others.count + 1);
	if (!saw)
		return ctx_no_memory(&s->ctx);
	*report = (struct pool_host_report){.pool_host = s->id, .is_there = marks != NULL, .mark = word};
	for (size_t k = 0; marks && k < rows->others.count; k++)
		if (has_mark(marks, &rows->others.at[k]))
			saw[report->saw.count++] = rows->others.at[k].host;
	report->saw.at = saw;
	report->size = marks ? marks->size : 0;
	report->is_full = marks && marks->free < marks->size / 100 * FULL_PERCENT;
	if (is_news(rows, report))
		step_report(s, engine_see_pool_host_run, report);
	return OK;
}

/* ---- the step ---- */

/* Gives the host the key of a Ceph pool. libvirt keeps the key in memory only, so it is set on each
 * connection. */
static RESULT step_trust(struct step *s, const struct pool_host_rows *rows)
{
	const struct pool_host *seen = rows->seen;
	if (s->is_disks || !hosts_is_here(s, seen->host)) {
		wake_among_guests(s->r, seen->host, KIND_POOL_HOST, s->id);
		return OK;
	}
	TRY(hosts_connected(s));
	struct result result =
		s->connection->driver->trust_pool(s->connection->connection, &s->ctx, rows->ceph);
	if (result.code == ERR_GONE || result.code == ERR_NO_MEMORY)
		return result;
	struct pool_host_report *report = STEP_NEW(s, struct pool_host_report);
	*report = (struct pool_host_report){
		.pool_host = s->id, .is_there = result_is_ok(result), .problem = s->ctx.problem.message};
	ctx_clear_problem(&s->ctx);
	if (!report->is_there)
		atomic_store(&s->host->disks.has_unproven, true); /* tried again at each probe of the host */
	if (seen->seen_state !=
	    (report->is_there ? POOL_HOST_SEEN_STATE_PROVEN : POOL_HOST_SEEN_STATE_UNPROVEN))
		step_report(s, engine_see_pool_host_run, report);
	return OK;
}

static RESULT step_directory(struct step *s, const struct pool_host_rows *rows)
{
	struct disk_marks marks = {0};
	size_t strays = 0;
	const struct pool_host *seen = rows->seen;
	if (!hosts_has_disks_here(s, seen->host)) {
		wake_on_host(s->r, seen->host, KIND_POOL_HOST, s->id);
		return OK;
	}
	struct disk_mark own = {.host = seen->host};
	TRY(choose_word(s, seen, &own.word));
	TRY(hosts_connect_disks(s->connection, &s->ctx, rows->path));
	struct result result =
		s->connection->disk_driver->prove(s->connection->disks, &s->ctx, &own, seen->mark, &marks);
	if (seen->seen_state != POOL_HOST_SEEN_STATE_PROVEN) /* until another host's marker is seen, or
							      * another host sees this one */
		atomic_store(&s->host->disks.has_unproven, true);
	if (!result_is_ok(result)) {
		TRY(report(s, rows, own.word, NULL));
		return result;
	}
	TRY(report(s, rows, own.word, &marks));
	return rows->is_keeper ? host_disks_look_at(s, seen->host, seen->pool, &strays) : OK;
}

static RESULT step_pool_host(struct step *s)
{
	struct pool_host_rows rows = {0};
	TRY(gather(s, &rows));
	if (!rows.seen)
		return OK;
	return rows.ceph ? step_trust(s, &rows) : step_directory(s, &rows);
}

/* ---- wake-ups ---- */

static void wake_pool_host(struct reconciler *r, const struct row *row)
{
	const struct pool_host *seen = pool_host_of(row);
	if (hosts_find(r, seen->pool)) /* the pool has a connection of its own; the host only needs the key */
		wake_among_guests(r, seen->host, KIND_POOL_HOST, row->id);
	else
		wake_on_host(r, seen->host, KIND_POOL_HOST, row->id);
}

static void wake_unproven(struct reconciler *r, const struct tables *t, uuid pool)
{
	for (const struct pool_host *p = pool_host_first_by_pool(t, pool); p;
	     p = pool_host_next_by_pool(t, p))
		if (p->seen_state != POOL_HOST_SEEN_STATE_PROVEN)
			wake_pool_host(r, &p->row);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	const struct pool_host *was = pool_host_of(before), *is = pool_host_of(after);
	if (!was || is->seen_state == POOL_HOST_SEEN_STATE_UNKNOWN)
		wake_pool_host(r, after);
	if (!was || !str_equal(was->mark, is->mark))
		wake_unproven(r, t, is->pool);
	if (is->seen_state == POOL_HOST_SEEN_STATE_PROVEN && (!was || was->seen_state != is->seen_state))
		wake_in_pool(r, t, is->pool, is->host);
}

const struct resource reconcile_pool_host = {
	.step = step_pool_host,
	.is_swept = true,
	.wake = wake_pool_host,
	.wake_changed = wake_changed,
};
