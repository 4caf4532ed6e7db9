/* SPDX-License-Identifier: Apache-2.0
 * Key pairs. Callers make or check the key before (base/crypto.h), and not on the committer. */
#pragma once

#include "engine/operation.h"

struct key_pair_wish {
	struct str name; /* 1 to 255 characters */
	struct str public_key, fingerprint;
	bool is_ed25519;
	struct tags tags;
	struct ref user; /* whose, as an administrator says; kind none: the caller's */
	/* made: */
	uuid key_pair;
};
OPERATION(engine_create_key_pair, key_pair_wish)

/* Deletes a key pair. An absent one is a success, as in EC2, unless it must exist; `deleted` is
 * then none. */
struct key_pair_target {
	struct ref key_pair; /* by name or id */
	bool must_exist;
	struct ref user; /* of which user, as an administrator says; kind none: the account's */
	/* made: */
	uuid deleted;
};
OPERATION(engine_delete_key_pair, key_pair_target)

/* The key pair of that name that the user has, for an administrator: in the account that the user's own keys are
 * kept in. ERR_NOT_FOUND. */
struct key_pair;
RESULT engine_find_key_pair_of(struct ctx *c, const struct tables *t, const struct ref *user,
			       const struct ref *name, const struct key_pair **ret_key);
/* Whether a key pair's public key is a certificate. */
static inline bool engine_is_certificate(struct str public_key)
{
	return str_starts_with(public_key, STR("-----BEGIN CERTIFICATE-----"));
}
