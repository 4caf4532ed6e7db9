/* SPDX-License-Identifier: Apache-2.0
 * The asker of work that is done later: jobs, backups, imports, schedules. The work's row stores the user and
 * the credential that narrowed that user, because the work must end when the credential is gone, expired or
 * narrower. A row has the columns made_by, made_with and made_until_us. For the head or a view. */
#pragma once

#include "engine/operation.h"

struct asker {
	uuid account, user;
	uuid with;        /* application credential, trust or IAM role used; none: the user's own rights */
	int64_t until_us; /* end of the temporary credentials used; 0: they were not temporary */
};
#define ASKER_OF(row) ((struct asker){(row)->account, (row)->made_by, (row)->made_with, (row)->made_until_us})

/* Fills in the caller of an operation, for a new row of work. The system and the operator are none. */
struct asker asker_find(const struct ctx *c);
#define ASKER_NOTE(c, row)                                                                                   \
	do {                                                                                                 \
		const struct asker asker = asker_find(c);                                                    \
		(row)->made_by = asker.user;                                                                 \
		(row)->made_with = asker.with;                                                               \
		(row)->made_until_us = asker.until_us;                                                       \
	} while (0)

/* True if the caller asked for it: the same user by the same credential. A narrower credential of the user is
 * another caller, and so is each role's session without that role. */
bool asker_is_caller(const struct asker *a, const struct ctx *c);

/* NULL: the credential used still allows changes to the account; otherwise the reason, as a sentence. A user's
 * own rights are not looked at. */
const char *asker_weigh_credential(const struct tables *t, const struct asker *a, int64_t now_us);
/* The same, and the user may still act for the account (engine_acts_still()). */
const char *asker_weigh(const struct tables *t, const struct asker *a, int64_t now_us);

/* Puts the asker into an operation's context in place of the system, with rights by the present roles: a row
 * that went to another account is not found any more. The operator's work stays the system's. ERR_DENIED with
 * the reason of asker_weigh(). */
RESULT asker_act(struct op *op, const struct asker *a);
