/* SPDX-License-Identifier: Apache-2.0
 * Deletion of old history: events by age and number, and audit records once they are archived in a file.
 * Usage and ledger are kept, because bills are computed from them. */
#pragma once

#include "store/audit.h"

/* Limits of the events to keep; zeroed: keep all. Older or surplus events are deleted a few at a time
 * whenever events are added (store/sqlite_prune.c). */
struct history_limits {
	int64_t events_age_us, events_max; /* 0: no limit */
};

enum { PRUNE_PIECE = 10000 /* rows deleted by one change */ };

/* Inside a change: deletes up to PRUNE_PIECE events before that time, oldest first. ERR_NO_MEMORY. */
RESULT op_prune_events(struct op *op, int64_t before_us);

/* A sealed part of the audit log: all records up to a number, which are in an archive. The remaining chain
 * starts from the digest of its last record. */
struct audit_segment {
	int64_t seq;                 /* number of the last archived record; 0: none */
	uint8_t digest[SHA256_SIZE]; /* digest of that record */
};
/* Inside a change: deletes the records up to the segment's end, at most PRUNE_PIECE, and stores where the
 * chain continues. SQL refuses a digest that is not that record's, and any other deletion. ERR_NO_MEMORY. */
RESULT op_cut_audit(struct op *op, const struct audit_segment *segment);
/* Reads the last archived segment. Blocks. Any thread but the committer's. */
RESULT store_read_segment(struct store *s, struct ctx *c, struct audit_segment *ret_segment);
