/* SPDX-License-Identifier: Apache-2.0
 * AWS's own managed policies: rows that are part of the program and not of the store. They belong to no
 * account, every account may attach them and read them, and nobody changes them. They live as long as the
 * process. Any thread. */
#pragma once

#include "base/uuid.h"
#include "model/policy.h"

struct policy;
struct policy_version;

/* Of no account: part of the program. */
static inline bool aws_policy_is(const struct policy *p)
{
	return uuid_is_none(p->account);
}
/* In the order of the table; NULL: no more. */
const struct policy *aws_policy_at(size_t n);
/* NULL: it is none of these. */
const struct policy *aws_policy_find(uuid id);
/* By "/job-function/ViewOnlyAccess", as it stands in an ARN; NULL: there is none. */
const struct policy *aws_policy_find_path(struct str path);
/* Its only version. */
const struct policy_version *aws_policy_version(const struct policy *p);
