/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of user groups. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* With memberships, roles, policies. */
RESULT user_group_forget_whole(struct op *op, uuid user_group);
