/* SPDX-License-Identifier: Apache-2.0
 * Images: registered with their file already kept, or pending until a see says so. */
#pragma once

#include "engine/operation.h"

struct image_wish {
	uuid id; /* none: drawn */
	struct str name, description;
	bool is_public;
	enum image_arch arch;
	enum image_personality personality;
	int64_t virtual_size, file_size;
	struct str sha256;
	enum image_seen_state state;
	struct tags tags;
	/* made: */
	uuid image;
};
/* Owned by the caller's account; by the operator when it names none. ERR_EXISTS: the owner has one
 * of that name. */
OPERATION(engine_register_image, image_wish)

/* Marked deleted: no launch finds it any more; instances made from it go on. */
struct image_target {
	struct ref image;
};
OPERATION(engine_delete_image, image_target)

struct image_sight {
	uuid image;
	enum image_seen_state state;
	int64_t virtual_size, file_size; /* -1: as before */
	struct str sha256;               /* empty: as before */
};
OPERATION(engine_see_image, image_sight)

/* ERR_IN_USE while an instance or a volume is made from it; ERR_STATE unless deleted. */
struct image_forget {
	uuid image;
};
OPERATION(engine_forget_image, image_forget)
