/* SPDX-License-Identifier: Apache-2.0
 * Session policies of callers who ask for work that goes on after the call. The work's column made_with names the row. */
#pragma once

#include "engine/operation.h"
#include "model/session.h"

struct work_session;

/* True if the session's own policies limit it: it has some, or is a federated one, which may do nothing without. NULL: false. */
bool work_session_is_narrowed(const struct session *session);
/* Finds or makes the row of the caller's session. Forgets some rows of sessions that have ended and that no scaling group needs. ERR_QUOTA. */
RESULT work_session_note(struct op *op, const struct session *session, uuid *ret_row);
/* A session with the row's policies, in the arena and valid as long as the tables. NULL: out of memory. */
struct session *work_session_restore(struct arena *a, const struct work_session *row);
