/* SPDX-License-Identifier: Apache-2.0
 * Decodes single UTF-8 characters, for base's own checks and writers. Pure; any thread. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* Returns the length of the well-formed character at s.p[at], and its code point; 0: ill-formed (overlong,
 * surrogate, beyond U+10FFFF, truncated). at < s.n. */
size_t utf8_decode(struct str s, size_t at, uint32_t *ret_character);
