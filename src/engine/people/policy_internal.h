/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of policies. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* What is attached to a user, a group or a role of IAM's that goes, and its inline policies. */
RESULT policy_forget_principal(struct op *op, enum kind kind, const struct row *row);
/* All of an account's. */
RESULT policy_forget_account(struct op *op, uuid account);
/* ERR_IN_USE: policies are attached to the principal, or it has its own. */
RESULT policy_check_principal_bare(struct op *op, enum kind kind, const struct row *row);
/* Of who may take a role. ERR_QUOTA. */
RESULT policy_check_trust_size(struct op *op, struct str document);
/* What bounds a user, or a role of IAM's, that was just made; policy of kind none: nothing. */
RESULT policy_put_boundary(struct op *op, enum kind kind, uuid principal, const struct ref *policy);
