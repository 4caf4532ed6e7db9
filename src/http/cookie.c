/* SPDX-License-Identifier: Apache-2.0
 * Cookies of a request (RFC 6265, section 5.4). */
#include "http/cookie.h"

struct str cookie_find(const struct call *call, const char *cookie)
{
	struct str rest = call_header(call, "Cookie"), part, name = str_from(cookie);
	while (str_split_next(&rest, ';', &part)) {
		part = str_trim(part);
		size_t gap = str_find_char(part, '=', 0);
		if (gap < part.n && str_equal(str_slice(part, 0, gap), name))
			return str_slice(part, gap + 1, part.n);
	}
	return STR_NONE;
}
