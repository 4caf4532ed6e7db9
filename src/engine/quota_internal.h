/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: quotas. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

enum quota {
#define QUOTA(ID, ...) QUOTA_##ID,
#include "engine/limits.def"
	QUOTA_COUNTED, /* number of quotas with a usage figure */
	QUOTA_OTHERS_FOLLOW = QUOTA_COUNTED - 1,
#define EACH(ID, ...) QUOTA_##ID,
#define KEPT(ID, ...) QUOTA_##ID,
#include "engine/limits.def"
	QUOTA_COUNT
};
/* Checks a quota of limits.def that is stored in the account's row. ERR_QUOTA with the kind and both
 * figures. */
RESULT quota_check(struct op *op, uuid account, enum quota quota, int64_t more);
/* Checks the quota of bytes of files; kind: the file's. A file of unknown size counts as one byte, so that an
 * account at its limit starts no further ones. */
RESULT quota_check_disk(struct op *op, uuid account, int64_t more, enum kind kind);
/* Checks the account's size limit for a single resource. */
RESULT quota_check_each(struct op *op, uuid account, enum quota quota, int64_t size);
/* The number of resources of size `each` that still fit; INT64_MAX: unlimited. */
int64_t quota_left(const struct tables *t, uuid account, enum quota quota, int64_t each);
/* Sets a new account's limits: the region's settings, or else our defaults. */
void quota_set_defaults(const struct tables *t, struct account *account);
/* The setting with the default for new accounts. */
struct str quota_setting(enum quota quota);
/* The quota's field in the account's row. */
int64_t *quota_limit(struct account *account, enum quota quota);
