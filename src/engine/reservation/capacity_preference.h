/* SPDX-License-Identifier: Apache-2.0
 * Changes which capacity reservations an existing instance uses (capacity_reservation.c). */
#pragma once

#include "engine/operation.h"
#include "model/instance_words.h"

struct capacity_preferring {
	struct ref instance;
	enum instance_capacity_preference preference;
	struct ref target; /* kind none: no reservation in particular */
};
/* Changes which reservations a stopped instance uses, at once: it gives its unit back, or takes one, if that is free.
 * ERR_STATE: it is not stopped. */
OPERATION(engine_set_capacity_preference, capacity_preferring)
