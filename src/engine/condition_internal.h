/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: conditions. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Like engine_set_condition() and engine_clear_condition(), inside another operation. */
RESULT condition_set(struct op *op, enum kind kind, uuid subject, const char *name, struct str message,
		     const char *advice);
RESULT condition_clear(struct op *op, uuid subject, struct str name);
RESULT condition_clear_all(struct op *op, uuid subject);

/* Refusals of single rows in a run over several. */
struct refusals {
	size_t count;
	struct str first; /* "vol-0123456789abcdef0: …", for a condition's message */
};
/* Undoes what the run has written for the refused row, and counts the refusal. Returns `result` if it is another failure. */
RESULT condition_take_refusal(struct op *op, struct op_place place, struct result result, enum kind kind,
			      uuid id, struct refusals *refusals);
