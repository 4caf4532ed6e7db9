/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: cleanup of Azure's roles, assignments and locks. Everything here runs inside an
 * operation. */
#pragma once

#include "engine/internal.h"

/* Forgets the assignments of a deleted user, group or IAM role. */
RESULT arm_forget_principal(struct op *op, enum kind kind, uuid principal);
/* Forgets all assignments, roles and locks of an account. */
RESULT arm_forget_account(struct op *op, uuid account);
