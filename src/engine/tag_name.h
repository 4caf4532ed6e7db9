/* SPDX-License-Identifier: Apache-2.0
 * Azure's predefined tag names and values: notes of an account without any effect. Each is a row of
 * arm_resource with the account as its target. */
#pragma once

#include "engine/operation.h"

struct arm_resource;

struct tag_name_wish {
	struct str name;
	struct str value; /* empty: the name itself */
	bool is_removed;  /* removes the name with all its values, or the value; otherwise adds it */
	/* result: */
	bool is_new;
};
/* ERR_INVALID: invalid tag name or value. ERR_NOT_FOUND: a value for a name that is not predefined.
 * ERR_QUOTA. OK when removing something absent. */
OPERATION(engine_put_tag_name, tag_name_wish)

/* Reads a row; false: it is not a tag name. value: empty for a name itself. */
bool engine_read_tag_name(const struct arm_resource *r, struct str *ret_name, struct str *ret_value);
