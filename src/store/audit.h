/* SPDX-License-Identifier: Apache-2.0
 * The audit log: one record for each call that changes or reads a secret, or changes permissions. Records
 * exist in SQL only, and are written in the transaction of the change they describe. SQL refuses to change or
 * delete a record. Each record contains a SHA-256 over its predecessor's digest and itself, so that a record
 * changed, removed or inserted by other means is detected. A record contains no secret. api/core/audit.h
 * defines which calls are recorded. */
#pragma once

#include "base/crypto.h"
#include "store/store.h"

enum audit_text {
#define AUDIT_TEXT(name, column) AUDIT_##name,
#include "store/audit.def"
#undef AUDIT_TEXT
	AUDIT_TEXT_COUNT
};
enum { AUDIT_TEXT_MAX = 512 /* bytes; longer texts are cut */ };

struct audit_record {
	int64_t seq;   /* 1, 2, 3 …; set by the SQL driver */
	int64_t at_us; /* set by op_audit() */
	int64_t count; /* number of calls it stands for; above 1 only for repeated refusals */
	struct str texts[AUDIT_TEXT_COUNT];
	uint8_t digest[SHA256_SIZE]; /* set by the SQL driver */
};

/* Column names, as used in the export. */
extern const char *const audit_names[AUDIT_TEXT_COUNT];

/* Inside a change: writes the record with the change, or not at all. A count of 0 means 1. ERR_NO_MEMORY. */
RESULT op_audit(struct op *op, const struct audit_record *a);

/* The same for the refusal of an unauthenticated caller, of which there may be any number. Equal refusals (all
 * texts but the request id; without AUDIT_ID also but subject, credential and `as`) of a source within a minute
 * become one record at once and, when the minute is over, one with their count and a few subjects. Beyond
 * AUDIT_FLOODS_MAX different ones in a minute, identity and address are omitted: the rest is equal. */
enum { AUDIT_FLOODS_MAX = 64, AUDIT_FLOOD_S = 60 };
RESULT op_audit_flood(struct op *op, const struct audit_record *a);
/* Writes the counts of completed minutes; with all, also those of the present one. An op_run whose arg is a
 * bool (all). */
RESULT op_sweep_audit(struct op *op, void *all);
/* First row of the kind that the change has put or forgotten so far. False: none. */
bool op_find_touched(const struct op *op, enum kind kind, uuid *ret_id);

/* Digest of a record whose predecessor has the digest `before` (zeros for the first record). False: out of
 * memory. Pure; any thread. */
bool audit_digest(const struct audit_record *a, const uint8_t before[static SHA256_SIZE],
		  uint8_t ret_digest[static SHA256_SIZE]);

/* State of a verification of the chain. Zeroed: before the first record. */
struct audit_chain {
	int64_t seq;
	uint8_t digest[SHA256_SIZE];
};
/* Verifies the next record. False: it does not continue the chain (or out of memory). */
bool audit_follows(struct audit_chain *chain, const struct audit_record *a);

/* Reads up to max records after `after`, in order. A failure of each() stops and is returned. Texts are valid
 * during the call. Blocks. Any thread but the committer's. */
typedef RESULT (*audit_each)(void *arg, const struct audit_record *a);
RESULT store_read_audit(struct store *s, struct ctx *c, int64_t after, size_t max, audit_each each,
			void *arg);
/* The same from the newest record before `before` back to older ones. */
RESULT store_read_audit_back(struct store *s, struct ctx *c, int64_t before, size_t max, audit_each each,
			     void *arg);
