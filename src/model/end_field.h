/* SPDX-License-Identifier: Apache-2.0
 * Lists the references that join two rows. A policy that keeps somebody from the row at one end keeps the reference, too. */
#pragma once

#include "model/row.h"

/* The references whose schema says `end` or `parent`; NULL ends them. tools/schema.py makes the list. */
extern const struct field *const model_end_fields[];

static inline bool model_is_end_field(const struct field *f)
{
	const struct field *const *at = model_end_fields;
	while (*at && *at != f)
		at++;
	return *at;
}
