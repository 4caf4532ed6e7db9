/* SPDX-License-Identifier: Apache-2.0
 * Steps of Ceph pools. This step alone connects a pool; steps of volumes and snapshots there share the
 * connection and wake this step when they lose it. Also checks the pool's content as a whole. Woken by the
 * pool's row, at every tick, and at each resync. pool_host.c handles pools that are mounted on hosts. */
#include "engine/storage/storage_pool.h"
#include "drivers/disk.h"
#include "model/condition.h"
#include "reconcile/work.h"
#include "store/storage_pool.h"

enum { FULL_PERCENT = 1 };

/* *ret_row NULL: the row does not exist. */
static RESULT copy_row(struct step *s, const struct storage_pool **ret_row)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct storage_pool *row = storage_pool_find(view.tables, s->id);
	*ret_row = row ? STEP_COPY(s, KIND_STORAGE_POOL, struct storage_pool, row) : NULL;
	return OK;
}

static RESULT report_away(struct step *s, const struct storage_pool *row, bool is_away)
{
	struct condition condition = {
		.subject_kind = KIND_STORAGE_POOL,
		.subject = row->row.id,
		.name = STR("PoolAway"),
		.message = s->ctx.problem.message,
		.advice = STR("See that Ceph is well (`ceph -s`), that this machine reaches its monitors and "
			      "OSDs, and "
			      "that the user's key is the one that the pool has: `dari pool set --key-file`. "
			      "Guests go on "
			      "meanwhile as far as their hosts reach Ceph; what is to be done with disks "
			      "there is done "
			      "once it answers."),
	};
	return step_report_condition(s, &condition, is_away);
}

static RESULT report_seen(struct step *s, const struct storage_pool *row, bool is_up,
			  const struct disk_marks *room)
{
	struct storage_pool_report seen = {.pool = row->row.id,
					   .is_up = is_up,
					   .size = is_up ? room->size : row->seen_size,
					   .is_full = is_up ? room->free < room->size / 100 * FULL_PERCENT
							    : row->seen_full};
	bool was_up = row->seen_state == STORAGE_POOL_SEEN_STATE_UP;
	bool is_known = row->seen_state != STORAGE_POOL_SEEN_STATE_UNKNOWN;
	if (is_known && was_up == is_up && row->seen_size == seen.size && row->seen_full == seen.is_full)
		return OK;
	struct storage_pool_report *report = STEP_NEW(s, struct storage_pool_report);
	*report = seen;
	step_report(s, engine_see_storage_pool_run, report);
	return OK;
}

/* Reports the pool as unavailable, whatever the error, and has the step retried. */
static struct result give_up(struct step *s, const struct storage_pool *row, struct result why)
{
	if (why.code == ERR_NO_MEMORY || why.code == ERR_AGAIN)
		return why;
	struct str words = s->ctx.problem.message;
	host_connection_disconnect(s->connection);
	TRY(report_seen(s, row, false, NULL));
	TRY(report_away(s, row, true));
	return ctx_fail(&s->ctx, ERR_GONE, "%" STR_FMT, STR_ARG(words));
}

static RESULT ask(struct step *s, const struct storage_pool *row, struct disk_marks *ret_room)
{
	TRY(hosts_connect_pool(s, row));
	return s->connection->disk_driver->prove(s->connection->disks, &s->ctx, &(struct disk_mark){0},
						 STR_NONE, ret_room);
}

/* On a new connection, at each resync, and while strays remain. */
static RESULT look_at_all(struct step *s)
{
	size_t strays = 0;
	uint64_t round = atomic_load(&s->r->round);
	if (s->connection->round == round && !atomic_load(&s->host->disks.has_strays))
		return OK;
	TRY(host_disks_look_at(s, UUID_NONE, s->id, &strays));
	s->connection->round = round;
	atomic_store(&s->host->disks.has_strays, strays > 0);
	return OK;
}

static RESULT step_storage_pool(struct step *s)
{
	const struct storage_pool *row = NULL;
	struct disk_marks room = {0};
	TRY(copy_row(s, &row));
	if (!row) {
		host_connection_disconnect(s->connection);
		return OK;
	}
	struct result result = ask(s, row, &room);
	if (!result_is_ok(result))
		return give_up(s, row, result);
	TRY(report_seen(s, row, true, &room));
	TRY(report_away(s, row, false));
	if (!atomic_exchange(&s->host->is_ready, true)) { /* set before the rows are read: see
							   * wake_on_host() */
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		wake_in_pool(s->r, view.tables, s->id, UUID_NONE);
	}
	return look_at_all(s);
}

/* ---- wake-ups ---- */

static void wake_pool(struct reconciler *r, const struct row *row)
{
	const struct storage_pool *pool = storage_pool_of(row);
	struct rec_host *h = pool->kind == STORAGE_POOL_KIND_RBD ? hosts_ensure_pool(r, row->id) : NULL;
	if (h)
		work_wake(r, h->disks.lane, KIND_STORAGE_POOL, row->id, WAKE_WISH);
}

/* Observations of the pool's own step leave gen as it was and do not wake the pool. */
static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before || before->gen != after->gen)
		wake_pool(r, after);
}

const struct resource reconcile_storage_pool = {
	.step = step_storage_pool,
	.is_swept = true,
	.wake = wake_pool,
	.wake_changed = wake_changed,
	.wakes_forgotten = true, /* closes the connection */
};
