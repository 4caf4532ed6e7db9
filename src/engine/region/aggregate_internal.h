/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: host aggregates. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct aggregate;

/* True if the aggregate contains the host. */
bool aggregate_has_host(const struct aggregate *aggregate, uuid host);
/* Removes the host from all aggregates. */
RESULT aggregate_leave_host(struct op *op, uuid host);
