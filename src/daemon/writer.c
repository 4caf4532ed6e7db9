/* SPDX-License-Identifier: Apache-2.0
 * Several dari processes on one PostgreSQL database. One of them holds the lease and writes (store/lease.h); the others
 * wait. A process that loses the lease ends at once, as by kill -9: everything that it has answered is committed, and
 * its supervisor starts it again, to wait. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/follower/follower.h"
#include "store/follow.h"
#include "store/lease.h"
#include "store/setting.h"
#include "store/sql.h"

enum { EXIT_LEASE_LOST = 71, WHY_MAX = 512 };

static void end_as_fenced(void *self)
{
	(void) self;
	log_event(LOG_ERROR, "writer-replaced", "why=%s",
		  log_quote(STR("another dari process writes to the database: this one ends")));
	_exit(EXIT_LEASE_LOST);
}

void writer_mark_key(struct sql_driver *sql, const uint8_t *master_key)
{
	enum { MARK_BYTES = 16 };
	uint8_t mac[SHA256_SIZE];
	crypto_hmac_sha256(master_key, MASTER_KEY_SIZE, STR("dari-key-mark"), mac);
	for (size_t n = 0; n < MARK_BYTES; n++)
		(void) snprintf(sql->key_mark + 2 * n, 3, "%02x", mac[n]);
}

struct admission {
	struct ctx *c;
	const struct settings *settings;
};

static RESULT check_setting(void *arg, const struct row *row)
{
	const struct admission *a = arg;
	const struct setting *setting = (const struct setting *) row;
	if (!str_is(setting->name, "region.id") || str_equal(setting->value, a->settings->region_id))
		return OK;
	return ctx_fail(
		a->c, ERR_CONFLICT,
		"the database is of another region than the configuration: its region.id is %" STR_FMT,
		STR_ARG(setting->value));
}

/* Before this process becomes the writer: hosts and OVN obey the latest one. */
static RESULT check_region(void *self, struct sql_driver *driver, struct ctx *c)
{
	struct daemon *d = self;
	struct admission admission = {c, &d->settings};
	return driver->load(driver, c, KIND_SETTING, check_setting, &admission);
}

static RESULT open_sql(struct daemon *d, const char *path)
{
	TRY(sql_open(&d->ctx, path, &d->sql));
	struct str address =
		d->settings.store_peer.n ? d->settings.store_peer : settings_endpoint(d->arena, &d->settings);
	d->sql->limits = (struct history_limits){.events_age_us = d->settings.events_days * 24 * HOUR,
						 .events_max = d->settings.events_max};
	writer_mark_key(d->sql, d->master_key);
	d->sql->admit = check_region;
	d->sql->admit_self = d;
	d->sql->lease =
		(struct sql_lease){.address = str_to_z(d->arena, address), .lost = end_as_fenced, .self = d};
	return OK;
}

/* Sleeps. False: the process must end. */
static bool pause_unless_told(struct daemon *d)
{
	const struct timespec pause = {.tv_nsec = LEASE_LOOK_MS * MILLISECOND * 1000};
	int number = sigtimedwait(d->awaited, NULL, &pause);
	d->is_told_to_end = number == SIGTERM || number == SIGINT;
	return !d->is_told_to_end;
}

/* Looks at the lease. ERR_TIMEOUT: the database cannot be reached. */
static RESULT look(struct daemon *d, struct sql_writer *ret_writer)
{
	struct result r = d->sql->read_writer(d->sql, &d->ctx, ret_writer);
	if (r.code == ERR_TIMEOUT)
		ctx_clear_problem(&d->ctx);
	return r;
}

static RESULT try_to_write(struct daemon *d, const struct store_config *config)
{
	struct store_config with = *config;
	with.sql = TAKE(d->sql);
	struct sql_driver *sql = with.sql;
	TRY(store_open(&d->ctx, &with, &d->store));
	d->sql = sql;
	if (sql->level)
		log_event(LOG_WARN, "upgrade-unconfirmed", "level=%" STR_FMT " why=%s",
			  STR_ARG(sql->level->in_force.hash),
			  log_quote(STR("what is new in this version waits for `dari upgrade confirm`")));
	return OK;
}

static RESULT try_to_follow(struct daemon *d, const struct store_config *config,
			    const struct sql_writer *writer)
{
	struct store_config with = *config;
	with.sql = TAKE(d->sql);
	struct sql_driver *sql = with.sql;
	TRY(store_open_follower(&d->ctx, &with, follower_refusal, &d->store));
	d->sql = sql;
	log_event(LOG_WARN, "follows", "epoch=%" PRId64 " writer=%s address=%s", writer->epoch,
		  log_quote(writer->holder), log_quote(writer->address));
	return follower_new(d, writer);
}

/* A writer of another program's version cannot be followed: this process waits for the lease. */
static RESULT try_once(struct daemon *d, const struct store_config *config, const char *path, bool is_first,
		       bool *ret_waits)
{
	struct sql_writer writer = {0};
	TRY(open_sql(d, path));
	*ret_waits = false;
	if (!d->sql->read_writer)
		return try_to_write(d, config);
	struct result r = look(d, &writer);
	*ret_waits = r.code == ERR_TIMEOUT;
	if (result_is_ok(r) && (writer.is_free || (is_first && writer.is_dead))) {
		r = try_to_write(d, config);
		*ret_waits = r.code == ERR_IN_USE; /* another process was faster */
	} else if (result_is_ok(r)) {
		r = try_to_follow(d, config, &writer);
		*ret_waits = r.code == ERR_STATE || r.code == ERR_TIMEOUT;
	}
	if (!result_is_ok(r) && d->sql)
		d->sql->close(TAKE(d->sql));
	return r;
}

/* Logs why this process waits, once for each reason: commit numbers and epochs in it grow while another process writes. */
static void say_why(struct str why, char said[static WHY_MAX])
{
	char now[WHY_MAX] = "";
	size_t size = 0;
	for (size_t k = 0; k < why.n && size + 1 < WHY_MAX; k++)
		if (why.p[k] < '0' || why.p[k] > '9')
			now[size++] = why.p[k];
	if (strcmp(now, said) == 0)
		return;
	memcpy(said, now, WHY_MAX);
	log_event(LOG_WARN, "standby", "why=%s", log_quote(why));
}

RESULT writer_open_store(struct daemon *d, const struct store_config *config, const char *path)
{
	char said[WHY_MAX] = "";
	for (bool is_first = true;; is_first = false) {
		bool waits = false;
		struct result r = try_once(d, config, path, is_first, &waits);
		if (!waits)
			return r;
		say_why(d->ctx.problem.message, said);
		ctx_clear_problem(&d->ctx);
		if (!pause_unless_told(d))
			return FAIL(AGAIN);
	}
}

bool writer_may_act(void *self)
{
	const struct daemon *d = self;
	return d->sql->may_act(d->sql);
}
