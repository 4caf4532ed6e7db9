/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of capacities. All of it runs inside an operation. */
#pragma once

#include "engine/capacity.h"
#include "engine/internal.h"

/* That OVN has keys left for the switches and routers that a row of the kind stands for. ERR_QUOTA with the kind. */
RESULT capacity_check_keys(struct op *op, enum kind kind);
/* How many public addresses are left to be handed out on the external network. */
int64_t capacity_count_public_left(const struct tables *t, uuid external_network);
