/* SPDX-License-Identifier: Apache-2.0
 * Several dari processes on one PostgreSQL database. One of them holds the lease and writes (store/lease.h); the others
 * wait. A process that loses the lease ends at once, as by kill -9: everything that it has answered is committed, and
 * its supervisor starts it again, to wait. */
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "store/lease.h"
#include "store/sql.h"

enum { EXIT_LEASE_LOST = 71 };

static void end_as_fenced(void *self)
{
	(void) self;
	log_event(LOG_ERROR, "writer-replaced", "why=%s",
		  log_quote(STR("another dari process writes to the database: this one ends")));
	_exit(EXIT_LEASE_LOST);
}

static RESULT open_sql(struct daemon *d, const char *path)
{
	TRY(sql_open(&d->ctx, path, &d->sql));
	struct str address =
		d->settings.store_peer.n ? d->settings.store_peer : settings_endpoint(d->arena, &d->settings);
	d->sql->limits = (struct history_limits){.events_age_us = d->settings.events_days * 24 * HOUR,
						 .events_max = d->settings.events_max};
	d->sql->lease =
		(struct sql_lease){.address = str_to_z(d->arena, address), .lost = end_as_fenced, .self = d};
	return OK;
}

/* Sleeps. False: the process is told to end. */
static bool pause_unless_told(struct daemon *d)
{
	const struct timespec pause = {.tv_nsec = LEASE_LOOK_MS * MILLISECOND * 1000};
	int number = sigtimedwait(d->awaited, NULL, &pause);
	d->is_told_to_end = number == SIGTERM || number == SIGINT;
	return !d->is_told_to_end;
}

/* Waits until the lease is free. A database that cannot be reached now may be back later. */
static RESULT await_lease(struct daemon *d)
{
	uint64_t shown = UINT64_MAX;
	for (bool is_first = true;; is_first = false) {
		struct sql_writer writer = {0};
		AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		struct ctx c;
		if (!arena)
			return ctx_no_memory(&d->ctx);
		ctx_init(&c, arena);
		struct result r = d->sql->read_writer(d->sql, &c, &writer);
		if (!result_is_ok(r) && r.code != ERR_TIMEOUT)
			return ctx_fail(&d->ctx, r.code, "%" STR_FMT, STR_ARG(c.problem.message));
		if (result_is_ok(r) && (writer.is_free || (is_first && writer.is_dead)))
			return OK;
		if (result_is_ok(r) && shown != (uint64_t) writer.epoch)
			log_event(LOG_WARN, "standby", "epoch=%" PRId64 " writer=%s address=%s", writer.epoch,
				  log_quote(writer.holder), log_quote(writer.address));
		if (result_is_ok(r))
			shown = (uint64_t) writer.epoch;
		if (!pause_unless_told(d))
			return FAIL(AGAIN);
	}
}

RESULT writer_open_store(struct daemon *d, const struct store_config *config, const char *path)
{
	for (;;) {
		struct store_config with = *config;
		TRY(open_sql(d, path));
		bool is_shared = d->sql->read_writer;
		struct result r = is_shared ? await_lease(d) : OK;
		if (!result_is_ok(r)) {
			d->sql->close(d->sql);
			return r;
		}
		with.sql = d->sql;
		r = store_open(&d->ctx, &with, &d->store);
		if (r.code != ERR_IN_USE || !is_shared)
			return r;
		ctx_clear_problem(&d->ctx); /* another process was faster */
	}
}

bool writer_may_act(void *self)
{
	const struct daemon *d = self;
	return d->sql->may_act(d->sql);
}
