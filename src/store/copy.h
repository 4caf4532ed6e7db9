/* SPDX-License-Identifier: Apache-2.0
 * Copies a region from one database to another of either kind, while no server uses them, or out of one whose writer goes on. */
#pragma once

#include "base/ctx.h"

struct sql_driver;

struct store_copied {
	size_t row_count, record_count; /* rows of resources; records of history */
	uint64_t commit;
};

/* Places are as in sql_open(). Copies everything in one transaction, then reads both databases' contents and compares each
 * row and record. ERR_IN_USE: a server uses one of them. ERR_NOT_FOUND: `from` has no region. ERR_EXISTS: `to` has
 * one. ERR_CONFLICT, with a message: the copy differs. */
RESULT store_copy(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied);
/* Likewise, and moves the region: from then on no process starts with `from`, and until then none with `to`. A call that ended early
 * can be repeated. ERR_STATE, with a message: the region was moved elsewhere before. */
RESULT store_move(struct ctx *c, const char *from, const char *to, struct store_copied *ret_copied);
/* Takes the marks of store_move() back, so that processes start with the database. ERR_STATE: it has none. */
RESULT store_reopen(struct ctx *c, const char *where);
/* Checks that a region can be copied there: an absent file, or a database of PostgreSQL without a region. Changes nothing. ERR_EXISTS,
 * ERR_STATE: it has one, or another program's tables. */
RESULT store_check_empty(struct ctx *c, const char *where);
/* Copies what an opened reader (open_reader() of sql.h) sees into a new file of SQLite, likewise in one transaction and compared. A
 * failure leaves no file. */
RESULT store_copy_reader(struct ctx *c, struct sql_driver *from, const char *path,
			 struct store_copied *ret_copied);
