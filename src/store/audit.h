/* SPDX-License-Identifier: Apache-2.0
 * The audit log: one record for each call that changes or reads a secret, or changes who may do
 * what. Records are in SQL only, and are written in the transaction of the change that they tell
 * of. SQL refuses to change or delete a record. Each record carries a SHA-256 of the record before
 * it and of itself, so that a record which somebody changed, removed or inserted behind the
 * program's back shows. A record holds no secret. api/core/audit.h says which calls are recorded. */
#pragma once

#include "base/crypto.h"
#include "store/store.h"

enum audit_text {
#define AUDIT_TEXT(name, column) AUDIT_##name,
#include "store/audit.def"
#undef AUDIT_TEXT
	AUDIT_TEXT_COUNT
};
enum { AUDIT_TEXT_MAX = 512 /* bytes; a longer text is cut */ };

struct audit_record {
	int64_t seq;   /* 1, 2, 3 …; the SQL driver sets it */
	int64_t at_us; /* op_audit() sets it */
	int64_t count; /* how many calls it stands for: more than one only for a flood of refusals */
	struct str texts[AUDIT_TEXT_COUNT];
	uint8_t digest[SHA256_SIZE]; /* the SQL driver sets it */
};

/* The names of the columns, as in the export. */
extern const char *const audit_names[AUDIT_TEXT_COUNT];

/* Inside a change: writes the record with the change, or not at all. A count of 0 means 1.
 * ERR_NO_MEMORY. */
RESULT op_audit(struct op *op, const struct audit_record *a);

/* The same for the refusal of somebody unknown. There may be any number of those. Refusals that are
 * alike (in all texts but the request's) within a minute become one record at once, and a second
 * one with their count when the minute is over. Beyond so many different ones in a minute, who and
 * from where is left out, which makes them alike. */
enum { AUDIT_FLOODS_MAX = 64, AUDIT_FLOOD_S = 60 };
RESULT op_audit_flood(struct op *op, const struct audit_record *a);
/* Writes the counts of the minutes that are over; with all, also of the present one. It is an
 * op_run, whose arg is a bool: all. */
RESULT op_sweep_audit(struct op *op, void *all);
/* The first row of the kind that the change has put or forgotten so far. False: none. */
bool op_find_touched(const struct op *op, enum kind kind, uuid *ret_id);

/* The digest of a record that follows a record with the digest `before` (zeros: it is the first).
 * False: out of memory. Pure; any thread. */
bool audit_digest(const struct audit_record *a, const uint8_t before[static SHA256_SIZE],
		  uint8_t ret_digest[static SHA256_SIZE]);

/* Where a check of the chain stands. Zeroed: before the first record. */
struct audit_chain {
	int64_t seq;
	uint8_t digest[SHA256_SIZE];
};
/* Goes on to the next record. False: it is not the one that was written behind the last (or memory
 * is out). */
bool audit_follows(struct audit_chain *chain, const struct audit_record *a);

/* Reads the records behind `after`, in their order, at most max. A failure of each() ends it and is
 * returned. Texts are valid during the call. Any thread but the committer's; blocks while it
 * reads. */
typedef RESULT (*audit_each)(void *arg, const struct audit_record *a);
RESULT store_read_audit(struct store *s, struct ctx *c, int64_t after, size_t max, audit_each each,
			void *arg);
