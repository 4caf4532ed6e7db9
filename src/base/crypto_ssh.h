/* SPDX-License-Identifier: Apache-2.0
 * SSH's wire form of keys, for base's own files: length-prefixed strings, signed numbers, and public key
 * blobs. Pure except for arenas. */
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
#define SSH_ECDSA STR("ecdsa-sha2-") /* followed by the curve's name */

/* Borrows from the parsed blob; exponent and modulus are big-endian, RSA only. */
struct ssh_public_key {
	bool ed25519, ecdsa; /* neither: RSA */
	struct str name;     /* "ssh-rsa" */
	struct str blob, exponent, modulus;
};

/* Write the wire's types; failures are sticky in the buffer. */
void crypto_ssh_add_u32(struct buf *b, uint32_t value);
void crypto_ssh_add_string(struct buf *b, struct str s);
bool crypto_ssh_add_number(struct buf *b, const BIGNUM *number); /* positive; false: too large */
/* Takes the string at the start of *rest; false: incomplete. */
bool crypto_ssh_take_string(struct str *rest, struct str *ret_string);
/* False: another type, trailing bytes, or an RSA key of invalid length. */
bool crypto_ssh_parse_blob(struct str blob, struct ssh_public_key *ret_key);
/* "ssh-rsa AAAA…". ERR_NO_MEMORY. */
RESULT crypto_ssh_write_line(struct ctx *c, struct str name, struct str blob, struct str *ret_line);
/* The base64 of the blob's SHA-256. */
RESULT crypto_ssh_fingerprint_blob(struct ctx *c, struct str blob, struct str *ret_fingerprint);
