/* SPDX-License-Identifier: Apache-2.0
 * Decoding of single UTF-8 characters, for base's own checks and writers. Pure; any thread. */
#pragma once

#include <stdint.h>

#include "base/str.h"

/* Bytes of the well-formed character that begins at s.p[at], and its code point; 0 when none
 * does (overlong, surrogate, beyond U+10FFFF, cut off). at < s.n. */
size_t utf8_decode(struct str s, size_t at, uint32_t *ret_character);
