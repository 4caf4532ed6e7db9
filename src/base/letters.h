/* SPDX-License-Identifier: Apache-2.0
 * Letter case for all scripts, by Unicode's simple one-to-one mappings (str_encode.c). Invalid UTF-8 is kept.
 * For names that protocols compare as ASCII, use str_lower() and str_equal_nocase(). */
#pragma once

#include "base/str.h"

/* Empty: out of memory. */
struct str str_lower_all(struct arena *a, struct str s);
struct str str_upper_all(struct arena *a, struct str s);
/* Equality that ignores the case of all letters. */
bool str_equal_anycase(struct str a, struct str b);
