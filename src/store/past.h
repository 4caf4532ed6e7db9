/* SPDX-License-Identifier: Apache-2.0
 * Former states of rows, which answer what a resource was. Each commit that changes or forgets a row of a kept kind adds a record
 * of the fields that the change replaced. A row as of a time is the present row, or none, with all later records
 * applied, newest first. Kept kinds are those that EC2 has ids for, the parts of such rows, and their names in Azure, but not support
 * tickets, which are people's letters. Blobs and fields that no API shows are not recorded: secrets and user data. Records are
 * pruned with events (store/prune.h). */
#pragma once

#include "model/row.h"
#include "store/store.h"

struct past {
	int64_t seq; /* number in the log, from 1; assigned when added, by past_count() higher than the last */
	int64_t at_us; /* time of the change */
	enum kind kind;
	uuid id;
	struct str was; /* the replaced fields, as past_write() writes them */
};

/* An id as two integers: SQL finds them with less work than a text, and its index takes a third of the room. */
struct past_id {
	int64_t high, low; /* bytes 0 to 7 and 8 to 15, big-endian */
};
struct past_id past_split_id(uuid id);
uuid past_join_id(struct past_id id);
/* Finds the limits of both integers for all ids that begin with a text. False: no id does. */
bool past_find_ids(struct str beginning, struct past_id *ret_least, struct past_id *ret_most);

/* Selects the records of one id, newest first. */
struct past_query {
	struct str id;    /* beginning of the UUID as text */
	int64_t after_us; /* only later records */
	size_t max;
};

/* True if changes of the kind's rows are recorded. */
bool past_is_kept(enum kind kind);
/* Writes what a change of `before` into `after` replaces; after NULL: the row was forgotten, and everything is written. Empty:
 * nothing was replaced. p NULL: out of memory. */
struct str past_write(struct arena *a, enum kind kind, const struct row *before, const struct row *after);
/* Puts the replaced fields back into row, whose texts are then in the arena. ERR_STATE: the text is damaged, or of a field that
 * this program does not know. */
RESULT past_apply(struct ctx *c, const struct past *past, struct row *row);

/* Number of records that one with such a text counts for. Limits of the log's records thus limit its bytes, too: an account
 * could else fill the disk by changing long tags. */
enum { PAST_RECORD_BYTES = 256 };
static inline int64_t past_count(struct str was)
{
	return 1 + (int64_t) (was.n / PAST_RECORD_BYTES);
}

/* Empties the row's fields that are not recorded, of which nothing is known. */
void past_empty_unrecorded(enum kind kind, struct row *row);

/* A row as it was at at_us. present: the row as it is; NULL: it was forgotten. */
struct past_row {
	enum kind kind;
	const struct row *row; /* in the arena; NULL: it did not exist then, or was forgotten before */
	int64_t reach_us;      /* the log knows all changes since then */
	size_t changes;        /* records between then and now */
};
/* Blocks. ERR_TOO_LARGE: more than PAST_CHANGES_MAX changes since. ERR_UNSUPPORTED: the database keeps no former states. */
enum { PAST_CHANGES_MAX = 10000 };
RESULT store_read_past(struct store *s, struct ctx *c, struct str id, const struct row *present,
		       int64_t at_us, struct past_row *ret_past);
