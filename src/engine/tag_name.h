/* SPDX-License-Identifier: Apache-2.0
 * Names and values of tags that Azure's users say beforehand: notes of an account, which bind nobody. Each is a row of arm_resource
 * whose target is the account. */
#pragma once

#include "engine/operation.h"

struct arm_resource;

struct tag_name_wish {
	struct str name;
	struct str value; /* empty: of the name by itself */
	bool is_removed;  /* with all its values, or that value; else it is there from now on */
	/* made: */
	bool is_new;
};
/* ERR_INVALID: a tag has no such name or value. ERR_NOT_FOUND: a value of a name that was not said. ERR_QUOTA. To remove what is not
 * there: OK. */
OPERATION(engine_put_tag_name, tag_name_wish)

/* What a row says: false: it is another's. value: empty, of a name by itself. */
bool engine_read_tag_name(const struct arm_resource *r, struct str *ret_name, struct str *ret_value);
