/* SPDX-License-Identifier: Apache-2.0
 * Reads launches out of dari's database, and times those of a peer: see launch_rows.h. */
#include "launch_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"

static RESULT fail(struct launch_rows *l, const char *doing)
{
	return ctx_fail(l->c, ERR_IO, "%s: %s", doing, sqlite3_errmsg(l->from));
}

/* The oldest launches, as ids of their instances. */
#define LAUNCHES "(SELECT id, created_us FROM instance ORDER BY created_us LIMIT ?1)"

static RESULT select_from(struct launch_rows *l, struct str sql, sqlite3_stmt **ret_statement)
{
	if (!sql.p || sqlite3_prepare_v2(l->from, sql.p, (int) sql.n, ret_statement, NULL) != SQLITE_OK)
		return fail(l, "preparing");
	sqlite3_bind_int(*ret_statement, 1, LAUNCHES_MAX);
	return OK;
}

static RESULT read_instances(struct launch_rows *l)
{
	sqlite3_stmt *s = NULL;
	l->launches = heap_alloc_array(LAUNCHES_MAX, sizeof *l->launches);
	if (!l->launches)
		return ctx_fail(l->c, ERR_NO_MEMORY, "out of memory");
	TRY(select_from(l, STR("SELECT id, created_us FROM " LAUNCHES " ORDER BY id"), &s));
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct launch_written *launch = &l->launches[l->count++];
		(void) snprintf(launch->instance, sizeof launch->instance, "%s",
				(const char *) sqlite3_column_text(s, 0));
		launch->created_us = sqlite3_column_int64(s, 1);
	}
	(void) sqlite3_finalize(s);
	return OK;
}

static RESULT keep_names(struct launch_rows *l, int table, sqlite3_stmt *s)
{
	const char **names = arena_new_array(l->c->arena, const char *, (size_t) l->column_count[table]);
	for (int k = 0; names && k < l->column_count[table]; k++)
		names[k] = str_to_z(l->c->arena, str_from(sqlite3_column_name(s, k + 1)));
	l->columns[table] = names;
	return names ? OK : ctx_no_memory(l->c);
}

/* Adds a row to the launch; the first column is only the instance by which it was found. */
static RESULT keep_row(struct launch_rows *l, struct launch_written *launch, int table, sqlite3_stmt *s)
{
	int count = l->column_count[table] = sqlite3_column_count(s) - 1;
	sqlite3_value **values = heap_alloc_array((size_t) count, sizeof *values);
	if (!values || launch->row_count == LAUNCH_ROWS_MAX)
		return ctx_fail(l->c, ERR_TOO_LARGE, "a launch of more than %d rows, or out of memory",
				LAUNCH_ROWS_MAX);
	for (int k = 0; k < count; k++)
		values[k] = sqlite3_value_dup(sqlite3_column_value(s, k + 1));
	if (!l->columns[table])
		TRY(keep_names(l, table, s));
	launch->rows[launch->row_count++] = (struct launch_row){table, values};
	return OK;
}

/* Reads the rows of a table that belong to the launches; `column` refers to the instance. */
static RESULT read_table(struct launch_rows *l, int table, const char *name, const char *column,
			 const char *more)
{
	sqlite3_stmt *s = NULL;
	int at = 0;
	l->names[table] = name;
	TRY(select_from(l,
			str_print(l->c->arena,
				  "SELECT l.id, r.* FROM " LAUNCHES " l JOIN \"%s\" r ON r.%s = l.id AND %s"
				  " ORDER BY l.id",
				  name, column, more),
			&s));
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *instance = (const char *) sqlite3_column_text(s, 0);
		while (strcmp(l->launches[at].instance, instance) != 0)
			at++;
		TRY(keep_row(l, &l->launches[at], table, s));
	}
	(void) sqlite3_finalize(s);
	return OK;
}

static bool has_instance(const struct kind_info *kind)
{
	for (unsigned k = 0; k < kind->field_count; k++)
		if (strcmp(kind->fields[k].name, "instance") == 0)
			return true;
	return false;
}

static int compare_times(const void *a, const void *b)
{
	const struct launch_written *x = a, *y = b;
	return x->created_us < y->created_us ? -1 : x->created_us > y->created_us;
}

RESULT launch_rows_read(struct launch_rows *l, struct ctx *c, const char *path)
{
	static const char same_time[] = "r.created_us = l.created_us";
	*l = (struct launch_rows){.c = c};
	if (sqlite3_open_v2(path, &l->from, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		return fail(l, path);
	TRY(read_instances(l));
	for (int kind = 1; kind < KIND_COUNT; kind++) {
		const struct kind_info *info = &model_kinds[kind];
		if (kind == KIND_INSTANCE)
			TRY(read_table(l, kind, info->name, "id", same_time));
		else if (has_instance(info))
			TRY(read_table(l, kind, info->name, "instance", same_time));
	}
	TRY(read_table(l, TABLE_EVENT, "event", "id", "r.action LIKE '%RunInstances'"));
	qsort(l->launches, (size_t) l->count, sizeof *l->launches, compare_times);
	return OK;
}

void launch_rows_done(struct launch_rows *l)
{
	for (int k = 0; k < l->count; k++)
		for (int n = 0; n < l->launches[k].row_count; n++) {
			const struct launch_row *row = &l->launches[k].rows[n];
			for (int c = 0; c < l->column_count[row->table]; c++)
				sqlite3_value_free(row->values[c]);
			heap_free(row->values);
		}
	heap_free(l->launches);
	(void) sqlite3_close_v2(l->from);
}

/* ---- times ---- */

void peer_times_begin(struct peer_times *times)
{
	times->since_us = times->at_us = clock_monotonic_us();
	times->launches = times->rows = 0;
}

void peer_times_note(struct peer_times *times, const struct launch_written *launch)
{
	int64_t now_us = clock_monotonic_us();
	times->took_us[times->launches++] = now_us - times->at_us;
	times->rows += launch->row_count;
	times->at_us = now_us;
}

static int compare_durations(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
	return x < y ? -1 : x > y;
}

void peer_times_print(struct peer_times *times)
{
	double seconds = (double) (times->at_us - times->since_us) / (double) SECOND;
	size_t n = (size_t) times->launches;
	qsort(times->took_us, n, sizeof times->took_us[0], compare_durations);
	(void) printf("launches=%zu seconds=%.3f rate=%.1f rows=%.2f p50_us=%lld\n", n, seconds,
		      n ? (double) n / seconds : 0.0, n ? (double) times->rows / (double) n : 0.0,
		      n ? (long long) times->took_us[n / 2] : 0LL);
}
