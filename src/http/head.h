/* SPDX-License-Identifier: Apache-2.0
 * Validates the head of a request with the strictness of RFC 9112 that libmicrohttpd 0.9.75 lacks. Any
 * thread. */
#pragma once

#include "base/str.h"

struct header {
	struct str name, value;
};

/* Removes optional whitespace (RFC 9110, 5.5) at both ends. */
struct str head_trim(struct str value);

bool head_is_token(struct str name); /* RFC 9110, 5.6.2 */

/* True if all names are tokens and no value contains a control character except tab. Refuses for example a
 * bare CR in a value, or a blank before the colon. */
bool head_fields_are_valid(const struct header *headers, size_t count);

/* True if the parser has understood every byte of the head. libmicrohttpd up to 0.9.76 parses in place and
 * overwrites each delimiter, CR and LF with NUL, so target and headers (values not yet trimmed) must follow
 * each other without a gap. NULs within values, folded lines, bare LF and dropped lines leave gaps. */
bool head_is_whole(struct str head, struct str target, const struct header *headers, size_t count);
