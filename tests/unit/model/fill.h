/* SPDX-License-Identifier: Apache-2.0
 * Rows of any kind with random contents, by the kind's field table: for tests that hold for every
 * field of every kind. Draws from base/random.h, which tests seed. */
#pragma once

#include "model/row.h"

/* A new row in the arena; every list has up to three members, and may be empty as may texts. */
struct row *fill_row(struct arena *a, const struct kind_info *k);
/* Gives one field another value than it has. False: an enum of one word has no other. */
bool fill_other_value(struct arena *a, const struct field *f, struct row *r);
