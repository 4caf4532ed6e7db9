/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what goes with a principal, and with an account, of Azure's roles and locks. */
#pragma once

#include "engine/internal.h"

/* What is assigned to a user, a group or a role of IAM's that goes. */
RESULT arm_forget_principal(struct op *op, enum kind kind, uuid principal);
/* All of an account's. */
RESULT arm_forget_account(struct op *op, uuid account);
