/* SPDX-License-Identifier: Apache-2.0
 * The callers' side of the OVSDB client: opens, reads the cache, waits for answers. ovsdb_session.c is the
 * thread that feeds it. */
#include "drivers/ovsdb/ovsdb.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/ovsdb/ovsdb_internal.h"

enum { OUT_CAP_SIZE = 64 * 1024 * 1024 };
static const int64_t timeout_absent_us = 5 * SECOND;

static RESULT start(struct ctx *c, struct ovsdb *db)
{
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&db->turned, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&db->lock, NULL);
	db->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (db->wake_fd >= 0 && pthread_create(&db->thread, NULL, ovsdb_run, db) == 0)
		return OK;
	if (db->wake_fd >= 0)
		close(db->wake_fd);
	pthread_cond_destroy(&db->turned);
	pthread_mutex_destroy(&db->lock);
	return ctx_fail(c, ERR_IO, "cannot start the thread for %s", db->addresses);
}

RESULT ovsdb_open(struct ctx *c, const struct ovsdb_config *config, struct ovsdb **ret_db)
{
	struct ovsdb_remotes remotes;
	TRY(ovsdb_remotes_parse(c, config->address, &remotes));
	struct ovsdb *db = heap_new(struct ovsdb);
	char *addresses = db ? heap_alloc(config->address.n + 1) : NULL;
	if (!addresses) {
		heap_free(db);
		return ctx_no_memory(c);
	}
	memcpy(addresses, config->address.p, config->address.n);
	addresses[config->address.n] = 0;
	db->remotes = remotes;
	db->addresses = addresses;
	db->tls = config->tls;
	db->schema = config->schema;
	db->timeout_us = config->timeout_us ? config->timeout_us : timeout_absent_us;
	buf_init(&db->out, OUT_CAP_SIZE);
	struct result r = start(c, db);
	if (r.code) {
		heap_free(db->addresses);
		heap_free(db);
		return r;
	}
	*ret_db = db;
	return OK;
}

void ovsdb_wake(struct ovsdb *db)
{
	uint64_t one = 1;
	ssize_t written = write(db->wake_fd, &one, sizeof one);
	(void) written; /* a full counter means that a wake-up is pending anyway */
}

void ovsdb_close(struct ovsdb *db)
{
	if (!db)
		return;
	pthread_mutex_lock(&db->lock);
	db->stop = true;
	pthread_mutex_unlock(&db->lock);
	ovsdb_wake(db);
	pthread_join(db->thread, NULL);
	close(db->wake_fd);
	pthread_cond_destroy(&db->turned);
	pthread_mutex_destroy(&db->lock);
	ovsdb_cache_done(&db->cache);
	buf_done(&db->out);
	heap_free(db->addresses);
	heap_free(db);
}

void ovsdb_watch(struct ovsdb *db, const struct ovsdb_watcher *watcher)
{
	pthread_mutex_lock(&db->lock);
	db->watcher = watcher ? *watcher : (struct ovsdb_watcher){0};
	pthread_mutex_unlock(&db->lock);
}

bool ovsdb_is_connected(struct ovsdb *db)
{
	pthread_mutex_lock(&db->lock);
	bool connected = db->state == OVSDB_SYNCED;
	pthread_mutex_unlock(&db->lock);
	return connected;
}

/* Time limit on the monotonic clock: the client's timeout, or c's deadline if earlier. */
static struct timespec get_deadline(const struct ovsdb *db, const struct ctx *c)
{
	int64_t left_us = db->timeout_us;
	if (c->deadline_us && c->deadline_us - clock_now_us() < left_us)
		left_us = c->deadline_us - clock_now_us();
	int64_t at_us = clock_monotonic_us() + (left_us > 0 ? left_us : 0);
	return (struct timespec){.tv_sec = at_us / SECOND, .tv_nsec = at_us % SECOND * 1000};
}

static RESULT check_synced(struct ovsdb *db, struct ctx *c)
{
	struct timespec until = get_deadline(db, c);
	while (db->state == OVSDB_NEW)
		if (pthread_cond_timedwait(&db->turned, &db->lock, &until) == ETIMEDOUT)
			break;
	if (db->state == OVSDB_SYNCED)
		return OK;
	return ctx_fail(c, ERR_GONE, "the database at %s cannot be reached: %s", db->addresses,
			db->problem[0] ? db->problem : "it does not answer");
}

RESULT ovsdb_with_cache(struct ovsdb *db, struct ctx *c, ovsdb_reader read, void *arg)
{
	pthread_mutex_lock(&db->lock);
	struct result r = check_synced(db, c);
	if (!r.code)
		r = read(c, &db->cache, arg);
	pthread_mutex_unlock(&db->lock);
	return r;
}

/* ---- transactions ---- */

static int append_bytes(const char *bytes, size_t size, void *out)
{
	buf_add(out, bytes, size);
	return 0;
}

bool ovsdb_queue(struct ovsdb *db, const json_t *message)
{
	if (!message || json_dump_callback(message, append_bytes, &db->out, JSON_COMPACT) < 0)
		return false;
	return !db->out.failed;
}

static RESULT queue_transaction(struct ovsdb *db, struct ctx *c, const json_t *ops, json_int_t id)
{
	json_t *params = json_pack("[s]", db->schema->database);
	bool ok = json_array_extend(params, (json_t *) ops) == 0;
	json_t *message = json_pack("{s:s,s:o,s:I}", "method", "transact", "params", params, "id", id);
	ok = ok && ovsdb_queue(db, message);
	json_decref(message);
	/* a half-queued message would corrupt the stream; the session detects that and ends */
	return ok ? OK : ctx_no_memory(c);
}

static void drop_wait(struct ovsdb *db, const struct ovsdb_wait *wait)
{
	for (struct ovsdb_wait **at = &db->waits; *at; at = &(*at)->next) {
		if (*at == wait) {
			*at = wait->next;
			return;
		}
	}
}

static RESULT await_answer(struct ovsdb *db, struct ctx *c, struct ovsdb_wait *wait)
{
	struct timespec until = get_deadline(db, c);
	int rc = 0;
	while (!wait->done && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&db->turned, &db->lock, &until);
	drop_wait(db, wait);
	if (!wait->done)
		return ctx_fail(c, ERR_TIMEOUT, "the database at %s does not answer", db->addresses);
	if (!wait->answer)
		return ctx_fail(c, ERR_GONE, "the connection to %s was lost: %s", db->addresses, db->problem);
	return OK;
}

static RESULT transact_locked(struct ovsdb *db, struct ctx *c, const json_t *ops, struct ovsdb_wait *wait)
{
	TRY(check_synced(db, c));
	wait->id = ++db->next_id;
	wait->next = db->waits;
	struct result queued = queue_transaction(db, c, ops, wait->id);
	ovsdb_wake(db);
	TRY(queued);
	db->waits = wait;
	return await_answer(db, c, wait);
}

RESULT ovsdb_transact(struct ovsdb *db, struct ctx *c, const json_t *ops, json_t **ret_results)
{
	struct ovsdb_wait wait = {0};
	TRY(ctx_check_may_act(c));
	pthread_mutex_lock(&db->lock);
	struct result r = transact_locked(db, c, ops, &wait);
	pthread_mutex_unlock(&db->lock);
	if (r.code)
		return r;
	json_t *results = json_object_get(wait.answer, "result");
	const json_t *error = json_object_get(wait.answer, "error");
	if (error && !json_is_null(error))
		r = ctx_fail(c, ERR_INTERNAL, "the database refused the request: %s",
			     json_is_string(error) ? json_string_value(error)
						   : json_string_value(json_object_get(error, "error")));
	else
		r = ovsdb_check_results(c, results, json_array_size(ops));
	if (!r.code && ret_results)
		*ret_results = json_incref(results);
	json_decref(wait.answer);
	return r;
}

static enum err classify_error(const char *error)
{
	static const struct {
		const char *words;
		enum err err;
	} known[] = {
		{"referential integrity violation", ERR_AGAIN},
		{"duplicate uuid", ERR_AGAIN},
		{"timed out", ERR_AGAIN},
		{"not leader", ERR_AGAIN}, /* this and the next: a cluster elects a leader */
		{"cluster error", ERR_AGAIN},
		{"constraint violation", ERR_CONFLICT},
		{"I/O error", ERR_IO},
		{"resources exhausted", ERR_IO},
	};
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (strcmp(known[k].words, error) == 0)
			return known[k].err;
	return ERR_INTERNAL;
}

RESULT ovsdb_check_results(struct ctx *c, const json_t *results, size_t op_count)
{
	size_t k;
	json_t *each;
	json_array_foreach ((json_t *) results, k, each) {
		const char *error = json_string_value(json_object_get(each, "error"));
		const char *details = json_string_value(json_object_get(each, "details"));
		if (error)
			return ctx_fail(c, classify_error(error),
					"the database refused operation %zu: %s%s%s", k, error,
					details ? ": " : "", details ? details : "");
	}
	if (json_array_size(results) < op_count)
		return ctx_fail(c, ERR_INTERNAL, "the database answered %zu of %zu operations",
				json_array_size(results), op_count);
	return OK;
}
