/* SPDX-License-Identifier: Apache-2.0
 * Checks one part of a backup object's name, or a container's name: letters, digits, '-', '_' and '.', at
 * most 255, not starting with a dot. So no name can leave its folder, and none needs escaping. */
#pragma once

#include <string.h>

#include "base/str.h"

/* Folder of region backups on a target that backups of volumes may share. No container may have this name, because an
 * account could add folders that look like regions, and could delete a region's backups by an imported record. */
#define BACKUP_REGIONS "regions"

static inline bool backup_name_is_part(struct str part)
{
	for (size_t k = 0; k < part.n; k++)
		if (!str_is_alphanumeric(part.p[k]) && !memchr("-_.", part.p[k], 3))
			return false;
	return part.n > 0 && part.n <= 255 && part.p[0] != '.';
}
