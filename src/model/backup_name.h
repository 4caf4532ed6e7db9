/* SPDX-License-Identifier: Apache-2.0
 * What a part of the name of a backup's object may be, a container's name too: letters, digits, '-', '_' and
 * '.', up to 255 of them, and no dot first. So no name leads out of its folder, and none needs escaping. */
#pragma once

#include <string.h>

#include "base/str.h"

static inline bool backup_name_is_part(struct str part)
{
	for (size_t k = 0; k < part.n; k++)
		if (!str_is_alphanumeric(part.p[k]) && !memchr("-_.", part.p[k], 3))
			return false;
	return part.n > 0 && part.n <= 255 && part.p[0] != '.';
}
