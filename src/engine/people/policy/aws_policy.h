/* SPDX-License-Identifier: Apache-2.0
 * AWS's managed policies: rows built into the program, not in the store. They belong to no account; every
 * account may read and attach them, and nobody can change them. Their lifetime is the process. Any thread. */
#pragma once

#include "base/uuid.h"
#include "model/policy.h"

struct policy;
struct policy_version;

/* True if the policy belongs to no account and is therefore built in. */
static inline bool aws_policy_is(const struct policy *p)
{
	return uuid_is_none(p->account);
}
/* The n-th policy in the table's order, or NULL at the end. */
const struct policy *aws_policy_at(size_t n);
/* NULL: not one of these policies. */
const struct policy *aws_policy_find(uuid id);
/* Finds a policy by its path and name as in an ARN, "/job-function/ViewOnlyAccess". NULL: not found. */
const struct policy *aws_policy_find_path(struct str path);
/* The policy's only version. */
const struct policy_version *aws_policy_version(const struct policy *p);
