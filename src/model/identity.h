/* SPDX-License-Identifier: Apache-2.0
 * Who asks, once it is proved. Made by auth/, carried by the call's context, read by operations
 * (ownership, events). Immutable while the call lives. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "base/uuid.h"

struct identity {
	uuid account;
	uuid user;                 /* none for the operator over the unix socket */
	struct str account_number; /* 12 digits */
	struct str user_name;
	struct str access_key_id; /* empty for the operator */
	bool is_operator;         /* the unix socket: may act for any account */
};
