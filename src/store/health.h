/* SPDX-License-Identifier: Apache-2.0
 * The state of the database, for `dari doctor`, backups and a database that is damaged. Each call blocks, for minutes if the
 * database is large: never on an HTTP thread or inside a change. */
#pragma once

#include "store/store.h"

/* Checks the structure of the whole database. ERR_STATE, in words: it is damaged. Changes go on meanwhile. */
RESULT store_check_database(struct store *s, struct ctx *c);
/* Writes a copy of the database to path once the database and the copy have passed that check. ERR_STATE: damaged.
 * ERR_EXISTS: path is there already. Changes go on meanwhile. */
RESULT store_copy_database(struct store *s, struct ctx *c, const char *path);
/* Writes a new database to path: the rows from memory, and of the present database each log that can be read.
 * ret_lost: names of the tables that cannot, empty if all can. Changes wait meanwhile. ERR_EXISTS. */
RESULT store_rescue_database(struct store *s, struct ctx *c, const char *path, struct str *ret_lost);
/* The slowest commit since start, 0 if there was none, and when it ended. */
void store_read_slowest_commit(struct store *s, int64_t *ret_us, int64_t *ret_at_us);
