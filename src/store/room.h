/* SPDX-License-Identifier: Apache-2.0
 * Behaviour on a full disk: below a minimum of free space the committer refuses changes of clients, so that
 * sign-ins, the audit log, reports of hosts and the next start still find space. */
#pragma once

#include "store/store.h"

/* Called before each batch, on the committer; must not block. Set it before the first change; without it only
 * the database's own refusal counts. */
void store_set_room(struct store *s, bool (*has_room)(void *self), void *self);

/* True while clients' changes are refused for lack of space. Any thread. */
bool store_is_full(struct store *s);
