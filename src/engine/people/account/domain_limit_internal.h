/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: checks of domains' limits. quota.c calls them. */
#pragma once

#include "engine/people/account/domain_limit.h"
#include "engine/quota_internal.h"

/* ERR_QUOTA with that kind: `more` exceeds what the domain of the account may have. */
RESULT domain_limit_check(struct op *op, const struct account *account, enum quota quota, enum kind kind,
			  const char *words, int64_t more);
/* Returns how much the domain of the account leaves; INT64_MAX: unlimited. */
int64_t domain_limit_left(const struct tables *t, const struct account *account, enum quota quota);
