/* SPDX-License-Identifier: Apache-2.0
 * What is asked of a disk's encryption. */
#pragma once

#include "engine/operation.h"

struct disk_crypt {
	enum choice is_wanted; /* default, or no: as the account says, or what it is made from */
	/* What a key was named by, and what would have asked for encryption; empty: none was named. It is for
	 * an encrypted disk: ERR_COMBINATION about key_field. */
	struct str key_field, wanted_field;
};
