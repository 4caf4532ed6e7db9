/* SPDX-License-Identifier: Apache-2.0
 * The operator's measures against misuse. Each can be undone, writes an event and notifies webhooks. */
#pragma once

#include "engine/operation.h"

/* Freezes instances: pauses them and locks them against changes by their owners until they are thawed.
 * Requires an administrator. ERR_STATE: an instance is not running. */
struct instances_wish;
OPERATION(engine_freeze_instances, instances_wish)
OPERATION(engine_thaw_instances, instances_wish)

enum { EGRESS_LIMIT_MAX = 1000000 };

/* cut: drops all traffic of the account's interfaces, also between them; guests keep running. quarantined:
 * users, keys and tokens may only read. egress_limit: limits what each interface of its instances sends.
 * Administrators are not restricted. No change for values already set. */
struct account_restriction {
	struct ref account;
	enum choice cut, quarantined;
	bool has_egress_limit;
	int64_t egress_limit; /* Mbit/s, 1 to EGRESS_LIMIT_MAX; 0: unlimited */
	struct str reason;
};
OPERATION(engine_restrict_account, account_restriction)
