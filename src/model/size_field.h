/* SPDX-License-Identifier: Apache-2.0
 * Which whole numbers of a row are sizes in bytes, for whoever shows them to people. */
#pragma once

#include "model/row.h"

/* The fields whose schema says `bytes`; NULL ends them. tools/schema.py makes the list. */
extern const struct field *const model_size_fields[];

static inline bool model_is_size_field(const struct field *f)
{
	const struct field *const *at = model_size_fields;
	while (*at && *at != f)
		at++;
	return *at;
}
