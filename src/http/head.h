/* SPDX-License-Identifier: Apache-2.0
 * The head of a request: the strictness of RFC 9112 that libmicrohttpd 0.9.75 lacks. Any thread. */
#pragma once

#include "base/str.h"

struct header {
	struct str name, value;
};

/* Removes optional whitespace (blanks and tabs; RFC 9110, 5.5) at both ends. */
struct str head_trim(struct str value);

bool head_is_token(struct str name); /* RFC 9110, 5.6.2 */

/* True if all names are tokens and no value holds a control character but the tab. A value with a bare
 * CR or a name with a blank before its colon is not valid. */
bool head_fields_are_valid(const struct header *headers, size_t count);

/* True if the parser has understood every byte of a head. libmicrohttpd up to 0.9.76 parses in place and
 * overwrites each delimiter, CR and LF with NUL. The target and the headers, values not yet trimmed, must
 * follow each other there without a gap. NULs inside of values, folded lines, bare LF and dropped lines leave one. */
bool head_is_whole(struct str head, struct str target, const struct header *headers, size_t count);
