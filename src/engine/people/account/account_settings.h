/* SPDX-License-Identifier: Apache-2.0
 * Settings of the caller's account: defaults for metadata options and CPU credits at launch, access to serial
 * ports, encryption of volumes, and whether images and snapshots may become public. */
#pragma once

#include "engine/operation.h"
#include "model/account_words.h"

struct account;

/* Defaults for a launch that does not set these options. CHOICE_DEFAULT: no preference. */
struct metadata_defaults {
	enum choice enabled, tokens_required, tags;
	int64_t hop_limit; /* 1 to 64; 0: no preference */
};
struct metadata_defaults engine_metadata_defaults(const struct account *account);

struct metadata_defaults_wish {
	struct metadata_defaults defaults;
	bool set_enabled, set_tokens_required, set_tags, set_hop_limit; /* fields to change */
};
/* ERR_INVALID: the hop limit is out of range. */
OPERATION(engine_set_metadata_defaults, metadata_defaults_wish)

/* Opens or closes access to serial ports. Open consoles stay open, but no new one can be opened
 * (engine_find_console()). */
struct serial_consoles_wish {
	bool are_closed;
};
OPERATION(engine_set_serial_consoles, serial_consoles_wish)

/* Encrypts all volumes created from now on, even without a request. Existing volumes stay unchanged. */
struct volume_encryption {
	bool encrypts;
};
OPERATION(engine_set_volume_encryption, volume_encryption)

/* Chooses the key for that. There is only one key, so nothing changes. */
struct volume_key_choice {
	bool is_reset; /* resets to the initial key */
};
OPERATION(engine_choose_volume_key, volume_key_choice)

/* Blocks or allows public images. Images that are public already stay so. */
struct public_images_wish {
	bool are_blocked;
};
OPERATION(engine_set_public_images, public_images_wish)

/* Blocks or allows public snapshots. ERR_IN_USE: with ACCOUNT_PUBLIC_SNAPSHOTS_NONE, the account has a public
 * snapshot, which has to be made private first. */
struct public_snapshots_wish {
	enum account_public_snapshots state;
};
OPERATION(engine_set_public_snapshots, public_snapshots_wish)

/* Default credit option of new instances of a burstable family ("t3"). ERR_INVALID: no such family. */
struct credit_default_wish {
	struct str family;
	enum choice unlimited;
};
OPERATION(engine_set_credit_default, credit_default_wish)
bool engine_is_credit_family(struct str family);
bool engine_has_unlimited_credits(const struct account *account, struct str family);
