/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: capacities. Everything here runs inside an operation. */
#pragma once

#include "engine/capacity.h"
#include "engine/internal.h"

/* Checks that OVN has keys left for the switches and routers of a row of that kind. ERR_QUOTA with the
 * kind. */
RESULT capacity_check_keys(struct op *op, enum kind kind);
/* The number of public addresses that are still available on the external network. */
int64_t capacity_count_public_left(const struct tables *t, uuid external_network);
