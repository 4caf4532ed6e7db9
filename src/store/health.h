/* SPDX-License-Identifier: Apache-2.0
 * The database's state, for `dari doctor`, backups and repairs. Each call blocks, for minutes with a large
 * database: never use it on an HTTP thread or inside a change. */
#pragma once

#include "store/store.h"

/* Checks the structure of the entire database; changes continue meanwhile. ERR_STATE, with a message:
 * damaged. */
RESULT store_check_database(struct store *s, struct ctx *c);
/* Writes a copy of the database to path, checking both the database and the copy; changes continue meanwhile.
 * ERR_STATE: damaged. ERR_EXISTS: path exists. */
RESULT store_copy_database(struct store *s, struct ctx *c, const char *path);
/* Writes a new database to path: rows from memory, and every readable log of the current database. ret_lost:
 * names of unreadable tables; empty: none. Changes wait meanwhile. ERR_EXISTS. */
RESULT store_rescue_database(struct store *s, struct ctx *c, const char *path, struct str *ret_lost);
/* The slowest commit since the start (0: none), and the time of its end. */
void store_read_slowest_commit(struct store *s, int64_t *ret_us, int64_t *ret_at_us);
