/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/: helpers of the steps of desks and ticket links. */
#pragma once

#include "drivers/desk.h"
#include "model/desk.h"
#include "reconcile/work.h"

enum { DESK_TIMEOUT_S = 30 };

/* Driver for the desk's protocol; NULL: none. */
const struct desk_driver *desk_find_driver(const struct reconciler *r, const struct desk *desk);
/* Decrypts the desk's secret into the arena; desk_close_place() wipes it. */
RESULT desk_open_place(struct step *s, const struct desk *desk, struct desk_place *ret_place);
void desk_close_place(struct desk_place *place);

/* True if a retry may succeed after this error. Also used for webhooks. */
bool desk_may_help_later(enum err err);
/* Time of the next try: exponential backoff from 1 s to 1 h, ±20 % jitter, and not before wait_us
 * (Retry-After) has passed. */
int64_t desk_next_try_us(int64_t tries, int64_t wait_us);
