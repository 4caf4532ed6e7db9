/* SPDX-License-Identifier: Apache-2.0
 * Traffic of public addresses in the usage log: net.in and net.out, whose level is what a counter has come to. Rating takes
 * the difference to the record before, or all of it where the counter is below that: it began anew. */
#pragma once

#include "engine/operation.h"

struct counted_traffic {
	uuid address, account;
	int64_t in, out; /* bytes since the counters began */
};

struct traffic_wish {
	const struct counted_traffic *at;
	size_t count;
};
/* Writes a record for each direction. The address may be gone. */
OPERATION(engine_count_traffic, traffic_wish)
