/* SPDX-License-Identifier: Apache-2.0
 * Engine-internal: user groups. All functions run inside an operation. */
#pragma once

#include "engine/internal.h"

/* Forgets the group with its memberships, roles and policies. */
RESULT user_group_forget_whole(struct op *op, uuid user_group);
