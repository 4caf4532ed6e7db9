/* SPDX-License-Identifier: Apache-2.0
 * Checks, copies and rescues the database. */
#include "store/health.h"

#include <unistd.h>

#include "base/file.h"
#include "store/internal.h"

RESULT store_check_database(struct store *s, struct ctx *c)
{
	return s->config.sql->check(s->config.sql, c);
}

static RESULT refuse_existing(struct ctx *c, const char *path)
{
	return file_exists(path) ? ctx_fail(c, ERR_EXISTS, "%s is there already", path) : OK;
}

RESULT store_copy_database(struct store *s, struct ctx *c, const char *path)
{
	TRY(refuse_existing(c, path));
	return s->config.sql->copy(s->config.sql, c, path);
}

/* ---- rescue ---- */

static RESULT rescue_rows(struct store *s, struct ctx *c, struct sql_driver *to)
{
	TRY(to->open(to, c));
	TRY(to->begin(to, c));
	for (enum kind kind = 1; kind < KIND_COUNT; kind++) {
		const struct row *row = tables_first(&s->published, kind, 0, NULL, 0);
		for (; row; row = tables_next(&s->published, kind, 0, row, 0))
			TRY(to->put(to, c, kind, row));
	}
	return to->commit(to, c, s->sql_commit);
}

static RESULT rescue_into(struct store *s, struct ctx *c, const char *path, struct str *ret_lost)
{
	struct sql_driver *to = NULL;
	TRY(sqlite_open(c, path, &to));
	struct result result = rescue_rows(s, c, to);
	to->close(to); /* moves its WAL into the file */
	TRY(result);
	return s->config.sql->save_history(s->config.sql, c, path, ret_lost);
}

RESULT store_rescue_database(struct store *s, struct ctx *c, const char *path, struct str *ret_lost)
{
	const char *half = str_print(c->arena, "%s.half", path).p;
	const char *lock = str_print(c->arena, "%s.half.lock", path).p;
	if (!half || !lock)
		return ctx_no_memory(c);
	TRY(refuse_existing(c, path));
	TRY(file_delete(c, half));
	/* prevents batches, so that rows and logs are from the same commit */
	TRY(committer_hold(s, c));
	struct result result = rescue_into(s, c, half, ret_lost);
	committer_let_go(s);
	(void) unlink(lock);
	return sqlite_settle_copy(c, result, half, path);
}

void store_read_slowest_commit(struct store *s, int64_t *ret_us, int64_t *ret_at_us)
{
	pthread_mutex_lock(&s->queue_lock);
	*ret_us = s->slowest_us;
	*ret_at_us = s->slowest_at_us;
	pthread_mutex_unlock(&s->queue_lock);
}
