/* SPDX-License-Identifier: Apache-2.0
 * The last use of access keys, IAM roles and passwords, written in batches (auth/key/last_used.h). Called by the
 * system. */
#pragma once

#include "engine/operation.h"

struct last_use {
	enum kind kind; /* KIND_ACCESS_KEY, KIND_IAM_ROLE or KIND_USER */
	uuid id;
	int64_t at_us;
	struct str service, region; /* if the kind has them */
};
struct last_uses {
	const struct last_use *at;
	size_t count;
};
SYSTEM_OPERATION(engine_note_last_uses, last_uses) /* skips a row that is gone or has a later use */
