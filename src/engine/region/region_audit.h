/* SPDX-License-Identifier: Apache-2.0
 * Audits of the region: that one is asked for, how far it is, what it found. The reconciler compares
 * (reconcile/audit/audit.c) and changes nothing; rows keep what it says, so that pages show it live. The last
 * AUDITS_KEPT audits are kept, and the findings of the last that has ended. */
#pragma once

#include "engine/operation.h"
#include "model/audit_difference.h"

enum { AUDITS_KEPT = 10, AUDIT_DIFFERENCES_MAX = 1000 };

/* Asks for an audit. ERR_STATE: one is under way. */
struct audit_wish {
	uuid audit; /* made */
};
OPERATION(engine_begin_audit, audit_wish)

/* ---- for the reconciler, and for `dari audit`, which compares by itself ---- */

/* How far it is. Over, or gone: OK, and nothing happens. */
struct audit_progress {
	uuid audit;
	int64_t asked, answered;
};
OPERATION(engine_see_audit, audit_progress)

/* What it found. Its findings come in the place of those of the one before. */
struct audit_end {
	uuid audit;       /* none: one that nobody had asked for by a row, which is made now */
	int64_t begun_us; /* of such */
	int64_t asked;    /* how many were, and have answered */
	const struct audit_difference *found; /* without ids and runs */
	size_t found_count;
	int64_t cached, cached_bytes;
};
OPERATION(engine_end_audit, audit_end)

/* A thing that was left alone has got its rows, or is gone: nothing is found of it any more. */
RESULT engine_end_leftover(struct op *op, uuid subject);

/* It was purged (reconcile/audit/leftover.h). */
struct leftover_purge {
	uuid subject;
};
OPERATION(engine_note_purge, leftover_purge)
