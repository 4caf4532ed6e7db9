/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: policies. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* ERR_IN_USE: the principal has attached or inline policies. */
RESULT policy_check_principal_bare(struct op *op, enum kind kind, const struct row *row);
/* Rewrites policies that name a user or role of the account, which has changed, or is about to go (after NULL). */
RESULT policy_follow_principal(struct op *op, uuid account, enum kind kind, const struct row *before,
			       const struct row *after);
struct iam_role;
/* ERR_PROTECTED: the role belongs to a service, and nobody in the account changes it. */
RESULT iam_role_check_own(struct op *op, const struct iam_role *role);
/* Checks the size of a trust policy. ERR_QUOTA. */
RESULT policy_check_trust_size(struct op *op, struct str document);
/* Sets the permissions boundary of a new user or IAM role; policy of kind none: does nothing. */
RESULT policy_put_boundary(struct op *op, enum kind kind, uuid principal, const struct ref *policy);
