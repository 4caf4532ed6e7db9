/* SPDX-License-Identifier: Apache-2.0
 * Volumes that change their owner: one account offers a volume, and another that was told the key
 * accepts it. */
#pragma once

#include "engine/operation.h"

enum { VOLUME_TRANSFER_KEY_SIZE = 16, VOLUME_TRANSFER_KEY_SHA256_SIZE = 32 }; /* bytes */

/* Offers a free volume. ERR_STATE: it is not free, or offered already, or a snapshot of it is being
 * made. */
struct volume_transfer_wish {
	struct ref volume;
	struct str name; /* up to 255 characters; empty: none */
	bool without_snapshots;
	struct str
		key_sha256; /* of a key of VOLUME_TRANSFER_KEY_SIZE random bytes, in the form that is shown */
	/* made: */
	uuid transfer;
};
OPERATION(engine_offer_volume, volume_transfer_wish)

/* Makes the volume, and the snapshots that go with it, the caller's. Anybody may accept any offer:
 * the key proves the right to it. ERR_INVALID with the field auth_key: it is not the key.
 * ERR_QUOTA: the account may have no more. ERR_DENIED: it may not have volumes of that type. */
struct volume_transfer_accept {
	struct ref transfer;
	struct str key_sha256;
	/* made: as it was */
	uuid accepted, volume;
	struct str name;
};
OPERATION(engine_accept_volume, volume_transfer_accept)

/* Withdraws an offer. */
struct volume_transfer_target {
	struct ref transfer;
};
OPERATION(engine_withdraw_volume, volume_transfer_target)
