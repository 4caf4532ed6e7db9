/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of aggregates. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct aggregate;

/* It is one of its hosts. */
bool aggregate_has_host(const struct aggregate *aggregate, uuid host);
/* The host is in none of them any more. */
RESULT aggregate_leave_host(struct op *op, uuid host);
