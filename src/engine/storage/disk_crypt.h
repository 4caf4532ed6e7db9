/* SPDX-License-Identifier: Apache-2.0
 * Encryption parameters of a request. */
#pragma once

#include "engine/operation.h"

struct disk_crypt {
	enum choice is_wanted; /* default or no: the account's default, or the source's encryption */
	/* Parameter that names a key, and the one that would request encryption. Empty: no key is named. A
	 * key requires an encrypted disk: ERR_COMBINATION with key_field. */
	struct str key_field, wanted_field;
};
