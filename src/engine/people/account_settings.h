/* SPDX-License-Identifier: Apache-2.0
 * What the caller's own account sets for all of its instances: how those that are launched from now
 * on may ask for their metadata, whether anybody may open their serial ports, and whether their
 * volumes are encrypted. */
#pragma once

#include "engine/operation.h"
#include "model/account.h"

/* What a launch uses that does not say it itself. CHOICE_DEFAULT: no preference. */
struct metadata_defaults {
	enum choice enabled, tokens_required, tags;
	int64_t hop_limit; /* 1 to 64; 0: no preference */
};
struct metadata_defaults engine_metadata_defaults(const struct account *account);

struct metadata_defaults_wish {
	struct metadata_defaults defaults;
	bool set_enabled, set_tokens_required, set_tags, set_hop_limit; /* others stay */
};
/* ERR_INVALID: the hop limit is out of bounds. */
OPERATION(engine_set_metadata_defaults, metadata_defaults_wish)

/* Opens or closes serial ports. Consoles that are open stay open until they are closed; no other is
 * opened (engine_find_console()). */
struct serial_consoles_wish {
	bool are_closed;
};
OPERATION(engine_set_serial_consoles, serial_consoles_wish)

/* Volumes that are made from now on are encrypted, whether the call says so or not. Existing ones
 * stay as they are. */
struct volume_encryption {
	bool encrypts;
};
OPERATION(engine_set_volume_encryption, volume_encryption)

/* Chooses the key for that. There is only one, so nothing changes. */
struct volume_key_choice {
	bool is_reset; /* to what it is from the beginning */
};
OPERATION(engine_choose_volume_key, volume_key_choice)
