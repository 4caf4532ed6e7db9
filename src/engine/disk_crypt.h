/* SPDX-License-Identifier: Apache-2.0
 * What is asked of a disk's encryption. */
#pragma once

#include "engine/operation.h"

struct disk_crypt {
	enum choice is_wanted; /* default, or no: as the account says, or what it is made from */
	bool names_key; /* a key was named, which is for an encrypted disk: ERR_COMBINATION, field KmsKeyId */
};
