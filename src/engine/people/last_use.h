/* SPDX-License-Identifier: Apache-2.0
 * When access keys, IAM roles and passwords were last used: written from time to time, many at once
 * (auth/uses.h). For the system. */
#pragma once

#include "engine/operation.h"

struct last_use {
	enum kind kind; /* KIND_ACCESS_KEY, KIND_IAM_ROLE or KIND_USER */
	uuid id;
	int64_t at_us;
	struct str service, region; /* as far as the kind has them */
};
struct last_uses {
	const struct last_use *at;
	size_t count;
};
OPERATION(engine_note_last_uses, last_uses) /* a row that is gone, or was used later, stays as it is */
