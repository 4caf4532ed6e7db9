/* SPDX-License-Identifier: Apache-2.0
 * Private to rate.c: charges whose price depends on what else the account had that month. */
#pragma once

#include "metering/rate.h"

/* Puts charges in the order in which tiers count them, and cuts them where tiers end. */
RESULT tiers_apply(struct charge *charges, size_t count, charge_each each, void *arg);
