/* SPDX-License-Identifier: Apache-2.0
 * Limits of one user in one account. Most users have none; the account's own hold besides. */
#pragma once

#include "engine/operation.h"
#include "model/user_limit.h"

struct account;
struct account_limits;
struct instance_type;

struct user_figures {
	int64_t instances, vcpus, memory;
};
/* What the user asked for that has not ended. Costs what the user has. */
void engine_count_user_usage(const struct tables *t, uuid account, uuid user, struct user_figures *ret_usage);
/* The user's, with the account's where there are none. */
void engine_read_user_limits(const struct tables *t, const struct account *account, uuid user,
			     struct user_figures *ret_limits);

/* ---- inside operations ---- */

/* What account_limits says of its user. */
RESULT user_limit_set(struct op *op, const struct account *account, const struct account_limits *wish);
/* How many instances of these figures the caller may still have in the account; INT64_MAX: no limit. */
int64_t user_limit_left(const struct op *op, uuid account, int64_t vcpus, int64_t memory);
/* ERR_QUOTA: the user of the instance's account may not have so much more. */
RESULT user_limit_check(struct op *op, uuid account, uuid user, const struct user_figures *more);
