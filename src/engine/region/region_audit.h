/* SPDX-License-Identifier: Apache-2.0
 * Audits of the region: request, progress and findings. The reconciler compares (reconcile/audit/audit.c) and
 * changes nothing; rows store the results, so that pages show them live. The last AUDITS_KEPT audits are
 * kept, and the findings of the last one that ended. */
#pragma once

#include "engine/operation.h"

struct audit_difference;

enum { AUDITS_KEPT = 10, AUDIT_DIFFERENCES_MAX = 1000 };

/* Requests an audit. ERR_STATE: one is in progress. */
struct audit_wish {
	uuid audit; /* result */
};
OPERATION(engine_begin_audit, audit_wish)

/* ---- for the reconciler, and for `dari audit`, which compares by itself ---- */

/* The progress of an audit. OK without a change if it ended or is gone. */
struct audit_progress {
	uuid audit;
	int64_t asked, answered;
};
SYSTEM_OPERATION(engine_see_audit, audit_progress)

/* The results of an audit. The findings replace those of the previous one. */
struct audit_end {
	uuid audit;                           /* none: an audit without a row, which is created now */
	int64_t begun_us;                     /* start of an audit without a row */
	int64_t asked;                        /* hosts asked, which have all answered */
	const struct audit_difference *found; /* without ids and audits */
	size_t found_count;
	int64_t cached, cached_bytes;
};
OPERATION(engine_end_audit, audit_end)

/* Removes the findings about an object that was adopted or is gone. */
RESULT engine_end_leftover(struct op *op, uuid subject);

/* The object was purged (reconcile/audit/leftover.h). */
struct leftover_purge {
	uuid subject;
};
OPERATION(engine_note_purge, leftover_purge)
