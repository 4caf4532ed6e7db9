/* SPDX-License-Identifier: Apache-2.0
 * Launches that dari wrote into a SQLite database, row by row, for the peers that write the same rows again. One thread. */
#pragma once

#include <sqlite3.h>

#include "base/ctx.h"
#include "model/row.h"

enum { LAUNCHES_MAX = 10000, LAUNCH_ROWS_MAX = 16, TABLE_EVENT = KIND_COUNT, LAUNCH_TABLES };

struct launch_row {
	int table;
	sqlite3_value **values;
};

struct launch_written {
	char instance[UUID_TEXT_SIZE];
	int64_t created_us;
	struct launch_row rows[LAUNCH_ROWS_MAX];
	int row_count;
};

struct launch_rows {
	struct ctx *c;
	sqlite3 *from;
	const char *names[LAUNCH_TABLES];    /* tables: the kinds, then event */
	const char **columns[LAUNCH_TABLES]; /* names of columns, in the arena */
	int column_count[LAUNCH_TABLES];     /* 0: the launches have no row there */
	struct launch_written *launches;     /* oldest first */
	int count;
};

/* Reads up to LAUNCHES_MAX launches of the database at `path`. launch_rows_done() frees them, after a failure, too. */
RESULT launch_rows_read(struct launch_rows *l, struct ctx *c, const char *path);
void launch_rows_done(struct launch_rows *l);

/* Transactions of a peer: their count and rows, and how long each took. */
struct peer_times {
	int64_t since_us, at_us;
	int launches, rows;
	int64_t took_us[LAUNCHES_MAX];
};
void peer_times_begin(struct peer_times *times);
/* Notes a launch that was just committed. */
void peer_times_note(struct peer_times *times, const struct launch_written *launch);
/* Prints one line: launches, seconds, rate, rows (per launch), p50_us. */
void peer_times_print(struct peer_times *times);
