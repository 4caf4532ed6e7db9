/* SPDX-License-Identifier: Apache-2.0
 * Key pairs. Callers make or check the key before (base/crypto.h), and not on the committer. */
#pragma once

#include "engine/operation.h"

struct key_pair_wish {
	struct str name; /* 1 to 255 characters */
	struct str public_key, fingerprint;
	bool is_ed25519;
	struct tags tags;
	/* made: */
	uuid key_pair;
};
OPERATION(engine_create_key_pair, key_pair_wish)

/* Deletes a key pair. An absent one is a success, as in EC2, unless it must exist; `deleted` is
 * then none. */
struct key_pair_target {
	struct ref key_pair; /* by name or id */
	bool must_exist;
	/* made: */
	uuid deleted;
};
OPERATION(engine_delete_key_pair, key_pair_target)
