/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: users. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Forgets the user with its keys, credentials, roles and memberships. */
RESULT user_forget_whole(struct op *op, uuid user);
