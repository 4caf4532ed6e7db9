/* SPDX-License-Identifier: Apache-2.0
 * Hooks that the layers above give to the store: a look at free space, and the judge that operations ask. Below a minimum of free space the
 * committer refuses changes of clients, so that sign-ins, the audit log, reports of hosts and the next start still find space. */
#pragma once

#include "store/store.h"

/* Called before each batch, on the committer; must not block. Set it before the first change; without it only
 * the database's own refusal counts. */
void store_set_room(struct store *s, bool (*has_room)(void *self), void *self);

/* True while clients' changes are refused for lack of space. Any thread. */
bool store_is_full(struct store *s);

/* For a change that sets derived figures without putting a row, after it has set them: kept answers that show figures end. */
void op_note_figures(const struct op *op);

struct service_judge; /* engine/messaging/service_sender.h */

/* Gives operations the judge of services' messages; NULL: none. The judge outlives the store: the last changes ask it. Any thread. */
void store_set_judge(struct store *s, struct service_judge *judge);
struct service_judge *store_get_judge(struct store *s);
