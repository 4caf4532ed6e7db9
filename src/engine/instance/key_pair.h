/* SPDX-License-Identifier: Apache-2.0
 * Key pairs. Callers generate or check keys beforehand (base/crypto.h), because that is too slow for the
 * committer. */
#pragma once

#include "engine/operation.h"

struct key_pair_wish {
	struct str name; /* 1 to 255 characters */
	struct str public_key, fingerprint;
	bool is_ed25519;
	struct tags tags;
	struct ref user; /* owner, for administrators; kind none: the caller */
	/* outputs: */
	uuid key_pair;
};
OPERATION(engine_create_key_pair, key_pair_wish)

/* Sets the key of a key pair created without one, as in Azure (empty public key). Such a key pair cannot be
 * used in a launch. ERR_STATE: it has a key. */
struct key_pair_filling {
	struct ref key_pair; /* by id */
	struct str public_key, fingerprint;
	bool is_ed25519;
};
OPERATION(engine_fill_key_pair, key_pair_filling)

/* Deletes a key pair. A missing one counts as success, as in EC2, with `deleted` none, unless must_exist is
 * set. */
struct key_pair_target {
	struct ref key_pair; /* by name or id */
	bool must_exist;
	struct ref user; /* owner, for administrators; kind none: the caller's account */
	/* outputs: */
	uuid deleted;
};
OPERATION(engine_delete_key_pair, key_pair_target)

/* Finds a user's key pair by name, for administrators: in the account that holds the user's key pairs.
 * ERR_NOT_FOUND. */
struct key_pair;
RESULT engine_find_key_pair_of(struct ctx *c, const struct tables *t, const struct ref *user,
			       const struct ref *name, const struct key_pair **ret_key);
/* ERR_STATE: the key pair has no key yet. */
RESULT engine_check_key_is_there(struct op *op, const struct key_pair *key, struct str field);
/* True if a key pair's public key is a certificate. */
static inline bool engine_is_certificate(struct str public_key)
{
	return str_starts_with(public_key, STR("-----BEGIN CERTIFICATE-----"));
}
