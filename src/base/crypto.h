/* SPDX-License-Identifier: Apache-2.0
 * Dari's cryptography, on OpenSSL's EVP: digests, HMAC, encryption of secrets with the master key, key pairs
 * and their fingerprints, certificates. Any thread. */
#pragma once

#include "base/ctx.h"

enum { SHA256_SIZE = 32, MASTER_KEY_SIZE = 32 };

/* Digests of memory. */
void crypto_sha256(struct str data, uint8_t out[static SHA256_SIZE]);
/* Digests fd from its position to its end. Blocks. ERR_IO. */
RESULT crypto_sha256_file(struct ctx *c, int fd, uint8_t out[static SHA256_SIZE]);
/* Digests data in pieces; one thread at a time. */
enum crypto_algorithm { CRYPTO_MD5, CRYPTO_SHA256, CRYPTO_SHA512 };
struct crypto_digest;
struct crypto_digest *crypto_digest_new(enum crypto_algorithm algorithm); /* NULL: out of memory */
void crypto_digest_add(struct crypto_digest *d, struct str piece);
struct str crypto_digest_end(struct crypto_digest *d,
			     struct arena *a);    /* hex; the last call, once; p NULL: out of memory */
void crypto_digest_free(struct crypto_digest *d); /* ignores NULL */
void crypto_sha1(struct str data, uint8_t out[static 20]);
void crypto_md5(struct str data, uint8_t out[static 16]);
void crypto_hmac_sha256(const void *key, size_t key_size, struct str data, uint8_t out[static SHA256_SIZE]);
/* For CloudStack's signatures only; don't use it elsewhere. */
void crypto_hmac_sha1(const void *key, size_t key_size, struct str data, uint8_t out[static 20]);
bool crypto_equal(const void *a, const void *b, size_t size); /* constant time */
void crypto_wipe(void *p, size_t size);

/* AES-256-GCM: 1 byte of version, 12 of nonce, the ciphertext, 16 of tag. aad is the id of the secret's row,
 * so a ciphertext moved to another row can't be opened. ERR_INVALID: opening failed. */
RESULT crypto_seal(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad, struct str plain,
		   struct str *ret_sealed);
RESULT crypto_open(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad,
		   struct str sealed, struct str *ret_plain);

/* Generates a key pair: a private key in PEM (PKCS#1 for RSA 2048, OpenSSH's format for ed25519) and the
 * public key as OpenSSH's line without a comment. Takes up to a second: never use it on the committer. */
RESULT crypto_make_key_pair(struct ctx *c, bool ed25519, struct str *ret_private_pem,
			    struct str *ret_public_line);
/* Checks a public key: OpenSSH's line ("ssh-rsa AAAA… comment") or its base64 alone; RSA of 1024 to 16384
 * bits, ed25519, or ECDSA on a NIST curve. Returns the trimmed line, and EC2's fingerprint of an imported
 * key: for RSA the MD5 of the DER public key with colons, otherwise the SHA-256 in base64. ERR_INVALID. */
RESULT crypto_check_public_key(struct ctx *c, struct str text, struct str *ret_line,
			       struct str *ret_fingerprint, bool *ret_is_ed25519);
/* Converts a public key in RFC 4716's form, or a SubjectPublicKeyInfo in DER or base64, to OpenSSH's line
 * without a comment. Other text is returned unchanged. ERR_INVALID: neither RSA nor Ed25519, or malformed. */
RESULT crypto_convert_public_key(struct ctx *c, struct str text, struct str *ret_text);
/* An RSA key that a user uploads for SSH: OpenSSH's line without a comment, the SubjectPublicKeyInfo in PEM, and
 * the MD5 of the wire form, with colons, as ssh-keygen writes it. */
struct crypto_rsa_key {
	struct str line, pem, md5;
	size_t bits;
};
/* Reads either form. ERR_UNSUPPORTED: another form or type of key; ERR_INVALID: malformed. */
RESULT crypto_read_rsa_key(struct ctx *c, struct str text, struct crypto_rsa_key *ret_key);
/* True if a line that was checked before is an ECDSA key. */
bool crypto_is_ecdsa(struct str public_line);
/* Verifies a signature with a JSON Web Key's numbers, given as bytes: RSA of at least 2048 bits, or P-256. */
bool crypto_verify_rs256(struct str n, struct str e, struct str data, struct str signature);
bool crypto_verify_es256(struct str x, struct str y, struct str data, struct str signature);
/* Generates a key for signing tokens (RS256): RSA of 2048 bits, in PEM. Takes up to a second. */
RESULT crypto_make_signing_key(struct ctx *c, struct str *ret_pem);
/* Returns the signature bytes; takes a millisecond. ERR_INVALID: the PEM contains no RSA key. */
RESULT crypto_sign_rs256(struct ctx *c, struct str key_pem, struct str data, struct str *ret_signature);
/* Reads the public key's numbers as big-endian bytes. ERR_INVALID likewise. */
RESULT crypto_read_signing_key(struct ctx *c, struct str key_pem, struct str *ret_n, struct str *ret_e);
/* Verifies that a server's certificate chain (PEM, its own first) leads to one of these certificates, given
 * as SHA-1 digests in hex. Doesn't compare names. */
bool crypto_is_vouched_for(struct arena *a, struct strs pems, struct strs thumbprints);
/* Check that a SubjectPublicKeyInfo in DER is a P-256 key or RSA of 2048 to 4096 bits, and verify a signature
 * with it (SHA-256; ECDSA in DER, or PKCS #1 v1.5). */
bool crypto_is_der_key(struct str der);
bool crypto_verify_der(struct str der, struct str data, struct str signature);
/* Checks that a certificate in DER, and nothing behind it, has a public key that may verify signatures: RSA of 2048 to
 * 8192 bits, or on P-256, P-384 or P-521. Validity and issuer are not looked at. */
bool crypto_is_verifier(struct str certificate_der);
/* The SHA-256 of a certificate's public key (SubjectPublicKeyInfo in DER), in base64. Empty: not a
 * certificate in PEM. */
struct str crypto_digest_public_key(struct arena *a, struct str cert_pem);
/* EC2's fingerprint of a key created by CreateKeyPair: the SHA-1 of the private key in DER (PKCS#8). */
RESULT crypto_fingerprint_private(struct ctx *c, struct str private_pem, struct str *ret_fingerprint);
/* Creates a self-signed certificate and its key, in PEM, for comma-separated host names and addresses. */
RESULT crypto_make_certificate(struct ctx *c, struct str names, int64_t valid_us, struct str *ret_cert_pem,
			       struct str *ret_key_pem);
/* Creates credentials for password-less WinRM as that user (Nova's key pairs of type x509): a client
 * certificate in PEM, and a base64 PKCS #12 file without a password, containing it and its RSA key. Takes up
 * to a second: never use it on the committer. */
RESULT crypto_make_user_certificate(struct ctx *c, struct str user, struct str *ret_cert_pem,
				    struct str *ret_pkcs12);
/* The SHA-1 of a certificate in PEM, with colons. ERR_INVALID: not a certificate. */
RESULT crypto_fingerprint_certificate(struct ctx *c, struct str cert_pem, struct str *ret_fingerprint);
/* Digests a certificate by SHA-256 or SHA-1; returns the number of bytes. 0: not a certificate. */
size_t crypto_digest_certificate(struct str cert_pem, bool is_sha256, uint8_t ret_sum[static SHA256_SIZE]);
/* Verifies a signature with the key of a certificate in PEM, RSA of at least 2048 bits: RS256, or with is_pss
 * PS256. */
bool crypto_verify_certificate(struct str cert_pem, bool is_pss, struct str data, struct str signature);
