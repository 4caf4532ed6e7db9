/* SPDX-License-Identifier: Apache-2.0
 * A disk that fills up: below the floor of free space the committer takes no more changes of clients, so that
 * sign-ins, the audit log, reports of hosts and the next start still find room. */
#pragma once

#include "store/store.h"

/* Asked before each batch, on the committer; it must not wait. Set it before the first change; without it only
 * the database's own refusal counts. */
void store_set_room(struct store *s, bool (*has_room)(void *self), void *self);

/* True while clients' changes are refused for want of room. Any thread. */
bool store_is_full(struct store *s);
