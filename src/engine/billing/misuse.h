/* SPDX-License-Identifier: Apache-2.0
 * What an operator does about those who misuse what they have. Each of it can be taken back, is an event, and is told to webhooks. */
#pragma once

#include "engine/operation.h"

/* Freezes instances that are misused: their processors stand still, and their owners change nothing of them until they are thawed.
 * For administrators. ERR_STATE: one is not running. */
struct instances_wish;
OPERATION(engine_freeze_instances, instances_wish)
OPERATION(engine_thaw_instances, instances_wish)

enum { EGRESS_LIMIT_MAX = 1000000 };

/* cut: nothing goes to or from the account's interfaces, also not among them; its guests run on. quarantined: its people,
 * keys and tokens change nothing; they read. egress_limit: what each interface of its instances sends beyond that is dropped. Administrators
 * are kept from nothing. What is so already: nothing is done. */
struct account_restriction {
	struct ref account;
	enum choice cut, quarantined;
	bool has_egress_limit;
	int64_t egress_limit; /* Mbit/s, 1 to EGRESS_LIMIT_MAX; 0: no limit */
	struct str reason;
};
OPERATION(engine_restrict_account, account_restriction)
