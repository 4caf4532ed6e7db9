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

/* A peer: opens the database with dari's tables in it, and writes a launch in one transaction. */
struct peer {
	RESULT (*open)(struct launch_rows *l, const char *to);
	RESULT (*write)(struct launch_rows *l, const struct launch_written *launch);
	void (*close)(void);
};

/* Writes launches for run_ms= from the database from= into the new one to=, and prints one line: launches, seconds, rate, rows
 * (per launch), p50_us. Returns the exit status. */
int peer_main(const struct peer *peer, int argc, char **argv);
