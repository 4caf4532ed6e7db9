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

/* Gives a key pair its key that was made without one, as Azure does: an empty public key. Nothing is launched with such.
 * ERR_STATE: it has one. */
struct key_pair_filling {
	struct ref key_pair; /* by id */
	struct str public_key, fingerprint;
	bool is_ed25519;
};
OPERATION(engine_fill_key_pair, key_pair_filling)

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
/* ERR_STATE: it waits for its key. */
RESULT engine_check_key_is_there(struct op *op, const struct key_pair *key, struct str field);
/* Whether a key pair's public key is a certificate. */
static inline bool engine_is_certificate(struct str public_key)
{
	return str_starts_with(public_key, STR("-----BEGIN CERTIFICATE-----"));
}
