/* SPDX-License-Identifier: Apache-2.0
 * AWS's own managed policies: rows that are part of the program and not of the store. They belong
 * to no account. Every account may read and attach them, and nobody changes them. They live as long
 * as the process. Any thread. */
#pragma once

#include "base/uuid.h"
#include "model/policy.h"

struct policy;
struct policy_version;

/* Whether the policy belongs to no account, and so is part of the program. */
static inline bool aws_policy_is(const struct policy *p)
{
	return uuid_is_none(p->account);
}
/* The n-th policy, in the order of the table; NULL: there are no more. */
const struct policy *aws_policy_at(size_t n);
/* NULL: it is none of these. */
const struct policy *aws_policy_find(uuid id);
/* Finds a policy by "/job-function/ViewOnlyAccess", as in an ARN. NULL: there is none. */
const struct policy *aws_policy_find_path(struct str path);
/* The policy's only version. */
const struct policy_version *aws_policy_version(const struct policy *p);
