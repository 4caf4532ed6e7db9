/* SPDX-License-Identifier: Apache-2.0
 * Transfers of volumes: an account offers a volume, and another account that knows the key accepts it. */
#pragma once

#include "engine/operation.h"

enum { VOLUME_TRANSFER_KEY_SIZE = 16, VOLUME_TRANSFER_KEY_SHA256_SIZE = 32 }; /* bytes */

/* Offers a free volume. ERR_STATE: the volume is not free, is already offered, or a snapshot of it is in
 * progress. */
struct volume_transfer_wish {
	struct ref volume;
	struct str name; /* up to 255 characters; empty: none */
	bool without_snapshots;
	struct str
		key_sha256; /* SHA-256 of the key as shown to the user: VOLUME_TRANSFER_KEY_SIZE random bytes
			     * as text */
	/* result: */
	uuid transfer;
};
OPERATION(engine_offer_volume, volume_transfer_wish)

/* Transfers the volume, and the snapshots included in the offer, to the caller's account. Anybody with the
 * key may accept an offer. ERR_INVALID with the field auth_key: wrong key. ERR_QUOTA. ERR_DENIED: the account
 * may not use the volume's type. */
struct volume_transfer_accept {
	struct ref transfer;
	struct str key_sha256;
	/* results: the offer as it was */
	uuid accepted, volume;
	struct str name;
};
OPERATION(engine_accept_volume, volume_transfer_accept)

/* Withdraws an offer. */
struct volume_transfer_target {
	struct ref transfer;
};
OPERATION(engine_withdraw_volume, volume_transfer_target)
