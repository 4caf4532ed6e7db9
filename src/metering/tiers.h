/* SPDX-License-Identifier: Apache-2.0
 * Private to rate.c: charges whose price depends on the account's other usage of the month. */
#pragma once

#include "metering/rate.h"

/* Sorts charges for counting and splits them at the ends of tiers. */
RESULT tiers_apply(struct charge *charges, size_t count, charge_each each, void *arg);
