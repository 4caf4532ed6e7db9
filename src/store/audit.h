/* SPDX-License-Identifier: Apache-2.0
 * The audit log: one record for each call that changes or reads a secret, or changes who may what. Records
 * are in SQL only and are written in the transaction of the change that they are of; SQL refuses to change or
 * to delete one. Each carries a SHA-256 over the record before it and itself, so that a record which was
 * changed, left out or put in between behind the program's back shows. A record holds no secret.
 * Which calls: api/audit.h. */
#pragma once

#include "base/crypto.h"
#include "store/store.h"

enum audit_text {
#define AUDIT_TEXT(name, column) AUDIT_##name,
#include "store/audit.def"
#undef AUDIT_TEXT
	AUDIT_TEXT_COUNT
};
enum { AUDIT_TEXT_MAX = 512 /* bytes; what is longer is cut */ };

struct audit_record {
	int64_t seq;   /* 1, 2, 3 …; given by SQL's driver */
	int64_t at_us; /* given by op_audit() */
	int64_t count; /* calls that it stands for: more than one only of refusals that came as a flood */
	struct str texts[AUDIT_TEXT_COUNT];
	uint8_t digest[SHA256_SIZE]; /* given by SQL's driver */
};

/* The columns' names, as in the export. */
extern const char *const audit_names[AUDIT_TEXT_COUNT];

/* Within a change: writes the record with it, or not at all. count 0 is 1. ERR_NO_MEMORY. */
RESULT op_audit(struct op *op, const struct audit_record *a);

/* The same for the refusal of somebody unknown, of which there may be any number: those alike (all texts but
 * the request's) within a minute are one record at once, and one with their count once the minute is over.
 * Beyond so many different ones in a minute who and from where is left out, and they are alike. */
enum { AUDIT_FLOODS_MAX = 64, AUDIT_FLOOD_S = 60 };
RESULT op_audit_flood(struct op *op, const struct audit_record *a);
/* Writes the counts of minutes that are over; all: of those that are not, too. An op_run; arg: a bool, all.
 */
RESULT op_sweep_audit(struct op *op, void *all);
/* The first row of the kind that the change has put or forgotten so far. False: none. */
bool op_find_touched(const struct op *op, enum kind kind, uuid *ret_id);

/* What a record's digest has to be, behind a record with that digest (zeros: it is the first). False: out of
 * memory. Pure; any thread. */
bool audit_digest(const struct audit_record *a, const uint8_t before[static SHA256_SIZE],
		  uint8_t ret_digest[static SHA256_SIZE]);

/* Where somebody who checks the chain stands; zeroed: before the first record. */
struct audit_chain {
	int64_t seq;
	uint8_t digest[SHA256_SIZE];
};
/* Goes on to the next record. False: it is not the one that was written behind the last (or memory is out).
 */
bool audit_follows(struct audit_chain *chain, const struct audit_record *a);

/* The records behind `after`, in their order, at most max; a failure of each() ends it and is passed on.
 * Their texts are valid during the call. Any thread but the committer's; blocks for as long as that reads. */
typedef RESULT (*audit_each)(void *arg, const struct audit_record *a);
RESULT store_read_audit(struct store *s, struct ctx *c, int64_t after, size_t max, audit_each each,
			void *arg);
