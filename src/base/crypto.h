/* SPDX-License-Identifier: Apache-2.0
 * The cryptography Dari uses, over OpenSSL's EVP: digests, HMAC, authenticated encryption of
 * secrets under the master key, key fingerprints. Any thread. */
#pragma once

#include "base/ctx.h"

enum { SHA256_SIZE = 32, MASTER_KEY_SIZE = 32 };

/* Digests of memory; any thread. */
void crypto_sha256(struct str data, uint8_t out[static SHA256_SIZE]);
/* Of what fd gives from its position to its end; blocks. ERR_IO. */
RESULT crypto_sha256_file(struct ctx *c, int fd, uint8_t out[static SHA256_SIZE]);
/* Of what comes in pieces; one thread at a time. */
enum crypto_algorithm { CRYPTO_MD5, CRYPTO_SHA256, CRYPTO_SHA512 };
struct crypto_digest;
struct crypto_digest *crypto_digest_new(enum crypto_algorithm algorithm); /* NULL: out of memory */
void crypto_digest_add(struct crypto_digest *d, struct str piece);
struct str crypto_digest_end(struct crypto_digest *d,
			     struct arena *a);    /* hex; once, last; p NULL: out of memory */
void crypto_digest_free(struct crypto_digest *d); /* NULL: fine */
void crypto_sha1(struct str data, uint8_t out[static 20]);
void crypto_md5(struct str data, uint8_t out[static 16]);
void crypto_hmac_sha256(const void *key, size_t key_size, struct str data, uint8_t out[static SHA256_SIZE]);
/* CloudStack's signatures; nothing new should ask for it. */
void crypto_hmac_sha1(const void *key, size_t key_size, struct str data, uint8_t out[static 20]);
bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */
void crypto_wipe(void *p, size_t size);

/* AES-256-GCM: 1 version byte, 12 nonce, ciphertext, 16 tag. aad binds it to its row (the row's
 * id), so that a ciphertext moved to another row does not open. ERR_INVALID when it does not. */
RESULT crypto_seal(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad, struct str plain,
		   struct str *ret_sealed);
RESULT crypto_open(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad,
		   struct str sealed, struct str *ret_plain);

/* A fresh key pair: PEM private key (PKCS#1 for RSA 2048, OpenSSH format for ed25519) and the
 * OpenSSH public key line without comment. Takes up to a second: never on the committer. */
RESULT crypto_make_key_pair(struct ctx *c, bool ed25519, struct str *ret_private_pem,
			    struct str *ret_public_line);
/* Checks an OpenSSH public key line or bare base64 of one ("ssh-rsa AAAA… comment"; rsa 1024 to
 * 16384 bits, ed25519, ecdsa of the NIST curves); gives the trimmed line and EC2's fingerprint of an
 * imported key: MD5 of the DER public key with colons for RSA, base64 SHA-256 for the others. ERR_INVALID. */
RESULT crypto_check_public_key(struct ctx *c, struct str text, struct str *ret_line,
			       struct str *ret_fingerprint, bool *ret_is_ed25519);
/* Whether a line that was checked is of an ECDSA key. */
bool crypto_is_ecdsa(struct str public_line);
/* Whether a JSON Web Key, in bytes, signed data: RSA of 2048 bits and more, or P-256. */
bool crypto_verify_rs256(struct str n, struct str e, struct str data, struct str signature);
bool crypto_verify_es256(struct str x, struct str y, struct str data, struct str signature);
/* Whether a server's certificates (PEM, its own first) hold from one of these on: SHA-1 digests in hex. Names
 * are not looked at. */
bool crypto_is_vouched_for(struct arena *a, struct strs pems, struct strs thumbprints);
/* EC2's fingerprint of a key made by CreateKeyPair: SHA-1 of the DER (PKCS#8) private key. */
RESULT crypto_fingerprint_private(struct ctx *c, struct str private_pem, struct str *ret_fingerprint);
/* A self-signed certificate for host names and addresses (comma separated), PEM. */
RESULT crypto_make_certificate(struct ctx *c, struct str names, int64_t valid_us, struct str *ret_cert_pem,
			       struct str *ret_key_pem);
