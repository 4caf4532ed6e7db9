/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: user groups. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Forgets the group with its memberships, roles and policies. */
RESULT user_group_forget_whole(struct op *op, uuid user_group);
