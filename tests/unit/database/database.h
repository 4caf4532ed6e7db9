/* SPDX-License-Identifier: Apache-2.0
 * Databases for tests. With DARI_TEST_POSTGRESQL=DIRECTORY in the environment they are of the PostgreSQL whose
 * socket is in that directory (tests/lib/postgresql.py starts one), else of SQLite. */
#pragma once

#include "store/sql.h"

bool database_is_postgresql(void);
/* The database's place for sql_open(): an empty one for path NULL; else the one of that path, which is empty at
 * first. The text is static until the next call. */
const char *database_place(const char *path);
/* Opens it. */
RESULT database_open(struct ctx *c, const char *path, struct sql_driver **ret_driver);
/* The database of a path is empty at its next opening. */
void database_remove(void);
/* Runs SQL with a connection of its own, past the triggers with `without`. Returns the server's words, or NULL. */
const char *database_exec(const char *path, const char *sql, bool without_triggers);
/* The number that a statement returns. */
int64_t database_ask(const char *path, const char *sql);
