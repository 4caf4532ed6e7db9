/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/: what the steps about desks and links share. */
#pragma once

#include "drivers/desk.h"
#include "model/desk.h"
#include "reconcile/work.h"

enum { DESK_TIMEOUT_S = 30 };

/* By its driver's word; NULL: nothing here speaks it. */
const struct desk_driver *desk_find_driver(const struct reconciler *r, const struct desk *desk);
/* With its secret opened, until desk_close_place(). */
RESULT desk_open_place(struct step *s, const struct desk *desk, struct desk_place *ret_place);
void desk_close_place(struct desk_place *place);

/* Of whatever is told to others by HTTP. Whether a failure may be none the next time. */
bool desk_may_help_later(enum err err);
/* When what failed so often is tried again: after 1 s, 2 s, 4 s, … an hour, a fifth more or less; not before wait_us
 * have passed, which it asked for. */
int64_t desk_next_try_us(int64_t tries, int64_t wait_us);
