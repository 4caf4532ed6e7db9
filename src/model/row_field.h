/* SPDX-License-Identifier: Apache-2.0
 * Comparison of one field of two rows. */
#pragma once

#include "model/row.h"

/* True if both rows have the same value. Lists are equal if their elements are, in the same order. */
bool row_field_equal(const struct field *f, const struct row *a, const struct row *b);
