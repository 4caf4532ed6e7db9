/* SPDX-License-Identifier: Apache-2.0
 * What a call asks about a disk's encryption. */
#pragma once

#include "engine/operation.h"

struct disk_crypt {
	enum choice is_wanted; /* default, or no: as the account says, or what the disk is made from */
	/* The parameter that named a key, and the one that would have asked for encryption. Empty:
	 * no key was named. A key needs an encrypted disk: ERR_COMBINATION with key_field. */
	struct str key_field, wanted_field;
};
