/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of quotas. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

enum quota {
#define QUOTA(ID, ...) QUOTA_##ID,
#include "engine/limits.def"
	QUOTA_COUNTED, /* of so many the account's usage has a figure */
	QUOTA_OTHERS_FOLLOW = QUOTA_COUNTED - 1,
#define EACH(ID, ...) QUOTA_##ID,
#define KEPT(ID, ...) QUOTA_##ID,
#include "engine/limits.def"
	QUOTA_COUNT
};
/* What limits.def says of those that an account's row keeps. ERR_QUOTA with the kind and both figures. */
RESULT quota_check(struct op *op, uuid account, enum quota quota, int64_t more);
/* Likewise bytes of files, the kind being that of the file. A file whose size is not known yet counts as one byte:
 * an account at its limit begins no more. */
RESULT quota_check_disk(struct op *op, uuid account, int64_t more, enum kind kind);
/* The same for one thing by itself, of which the account's row says how large each may be. */
RESULT quota_check_each(struct op *op, uuid account, enum quota quota, int64_t size);
/* How many things of this size the account may still have; INT64_MAX: no limit. */
int64_t quota_left(const struct tables *t, uuid account, enum quota quota, int64_t each);
/* The limits that a new account gets: the region's settings, else ours. */
void quota_set_defaults(const struct tables *t, struct account *account);
/* The setting that says what new accounts get of it. */
struct str quota_setting(enum quota quota);
/* Where the account's row keeps that limit. */
int64_t *quota_limit(struct account *account, enum quota quota);
