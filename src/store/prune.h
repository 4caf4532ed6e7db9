/* SPDX-License-Identifier: Apache-2.0
 * History that is too old: events go by age and by number, and records of the audit log once they are in a file.
 * Usage and the ledger stay: bills are computed from them. */
#pragma once

#include "store/audit.h"

/* Limits of the events that stay; zeroed: all stay. Events that are older, or more than so many, go a few at a time whenever events are
 * added (store/sqlite_prune.c). */
struct history_limits {
	int64_t events_age_us, events_max; /* 0: no limit */
};

enum { PRUNE_PIECE = 10000 /* rows that one change deletes */ };

/* Inside a change: deletes up to PRUNE_PIECE events from before that time, oldest first. ERR_NO_MEMORY. */
RESULT op_prune_events(struct op *op, int64_t before_us);

/* A sealed part of the audit log: the records up to a number, which are in an archive. The chain of those that stay
 * begins with the digest of its last record. */
struct audit_segment {
	int64_t seq;                 /* number of the last archived record; 0: nothing is archived */
	uint8_t digest[SHA256_SIZE]; /* of that record */
};
/* Inside a change: deletes the records up to the segment's end, PRUNE_PIECE of them at most, and stores where the chain goes
 * on. SQL refuses a digest that is not that record's, and every other deletion. ERR_NO_MEMORY. */
RESULT op_cut_audit(struct op *op, const struct audit_segment *segment);
/* Reads the last archived segment, behind which the remaining records go on. Any thread but the committer's; blocks. */
RESULT store_read_segment(struct store *s, struct ctx *c, struct audit_segment *ret_segment);
