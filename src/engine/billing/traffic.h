/* SPDX-License-Identifier: Apache-2.0
 * Traffic of public addresses in the usage log: meters net.in and net.out, whose level is a counter's value.
 * Rating uses the difference to the previous record, or the full value if the counter is lower, because it
 * was reset. */
#pragma once

#include "engine/operation.h"

struct counted_traffic {
	uuid address, account;
	int64_t in, out; /* bytes since the counter's reset */
};

struct traffic_wish {
	const struct counted_traffic *at;
	size_t count;
};
/* Writes a record for each direction, also for an address that is gone. */
SYSTEM_OPERATION(engine_count_traffic, traffic_wish)
