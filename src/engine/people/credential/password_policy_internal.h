/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/people/. */
#pragma once

#include "engine/internal.h"

struct user;

/* In a change: gives the user that password (empty: none), ends its tokens, and keeps the hash before in the history as far as the
 * account's policy looks back. The row is written by the caller. */
RESULT password_replace(struct op *op, struct user *next, struct str hash);
