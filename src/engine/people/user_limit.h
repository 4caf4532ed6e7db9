/* SPDX-License-Identifier: Apache-2.0
 * Limits of one user in one account, in addition to the account's own. Most users have none. */
#pragma once

#include "engine/operation.h"
#include "model/user_limit.h"

struct account;
struct account_limits;
struct instance_type;

struct user_figures {
	int64_t instances, vcpus, memory;
};
/* Counts the instances that the user created and that are not terminated. Linear in the user's instances. */
void engine_count_user_usage(const struct tables *t, uuid account, uuid user, struct user_figures *ret_usage);
/* The user's limits; the account's where the user has none. */
void engine_read_user_limits(const struct tables *t, const struct account *account, uuid user,
			     struct user_figures *ret_limits);

/* ---- inside operations ---- */

/* Sets the limits of the user that account_limits names. */
RESULT user_limit_set(struct op *op, const struct account *account, const struct account_limits *wish);
/* The number of such instances that the caller may still create in the account; INT64_MAX: unlimited. */
int64_t user_limit_left(const struct op *op, uuid account, int64_t vcpus, int64_t memory);
/* ERR_QUOTA: `more` exceeds the user's limits in the account. */
RESULT user_limit_check(struct op *op, uuid account, uuid user, const struct user_figures *more);
