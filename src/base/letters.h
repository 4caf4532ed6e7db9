/* SPDX-License-Identifier: Apache-2.0
 * Letter case of all scripts, by Unicode's simple mappings: one character becomes one character (str_encode.c). Bytes that
 * are no UTF-8 stay. For names that a protocol compares as ASCII there are str_lower() and str_equal_nocase(). */
#pragma once

#include "base/str.h"

/* Empty: no memory. */
struct str str_lower_all(struct arena *a, struct str s);
struct str str_upper_all(struct arena *a, struct str s);
