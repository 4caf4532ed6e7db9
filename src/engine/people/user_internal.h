/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of users. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* With all that is its own: keys, credentials, roles, memberships. */
RESULT user_forget_whole(struct op *op, uuid user);
