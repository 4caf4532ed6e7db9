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
