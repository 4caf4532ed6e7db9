/* SPDX-License-Identifier: Apache-2.0
 * SSH's wire form of keys, for base's own files: strings behind their length, numbers with a sign
 * bit, and a public key's blob made of both. Pure but for arenas. */
#pragma once

#include "base/buf.h"
#include "base/crypto_digest.h"
#include "base/crypto_ossl.h"

enum {
	RSA_LEAST_BITS = 1024,
	RSA_MOST_BITS = 16384,
	ED25519_SIZE = 32,
	KEY_TEXT_CAP_SIZE = 16 * 1024,
};

#define SSH_RSA STR("ssh-rsa")
#define SSH_ED25519 STR("ssh-ed25519")
#define SSH_ECDSA STR("ecdsa-sha2-") /* a curve's name follows */

/* Borrows from the blob it was read of; exponent and modulus big-endian, RSA only. */
struct ssh_public_key {
	bool ed25519, ecdsa; /* neither: RSA */
	struct str name;     /* "ssh-rsa" */
	struct str blob, exponent, modulus;
};

/* Writers of the wire's types; sticky as the buffer is. */
void crypto_ssh_add_u32(struct buf *b, uint32_t value);
void crypto_ssh_add_string(struct buf *b, struct str s);
bool crypto_ssh_add_number(struct buf *b, const BIGNUM *number); /* positive; false: larger than any key's */
/* Cuts the string at the head off *rest; false when there is no whole one. */
bool crypto_ssh_take_string(struct str *rest, struct str *ret_string);
/* False for another type, bytes behind it, or an RSA key that is too short, too long or none. */
bool crypto_ssh_parse_blob(struct str blob, struct ssh_public_key *ret_key);
/* "ssh-rsa AAAA…". ERR_NO_MEMORY. */
RESULT crypto_ssh_write_line(struct ctx *c, struct str name, struct str blob, struct str *ret_line);
/* The base64 of the blob's SHA-256. */
RESULT crypto_ssh_fingerprint_blob(struct ctx *c, struct str blob, struct str *ret_fingerprint);
