/* SPDX-License-Identifier: Apache-2.0
 * The cryptography that Dari uses, over OpenSSL's EVP: digests, HMAC, encryption of secrets under
 * the master key, key pairs and their fingerprints, certificates. Any thread. */
#pragma once

#include "base/ctx.h"

enum { SHA256_SIZE = 32, MASTER_KEY_SIZE = 32 };

/* Digests of memory. */
void crypto_sha256(struct str data, uint8_t out[static SHA256_SIZE]);
/* The digest of what fd gives from its position to its end. Blocks. ERR_IO. */
RESULT crypto_sha256_file(struct ctx *c, int fd, uint8_t out[static SHA256_SIZE]);
/* The digest of data that come in pieces; one thread at a time. */
enum crypto_algorithm { CRYPTO_MD5, CRYPTO_SHA256, CRYPTO_SHA512 };
struct crypto_digest;
struct crypto_digest *crypto_digest_new(enum crypto_algorithm algorithm); /* NULL: out of memory */
void crypto_digest_add(struct crypto_digest *d, struct str piece);
struct str crypto_digest_end(struct crypto_digest *d,
			     struct arena *a);    /* hex; called once, last; p NULL: out of memory */
void crypto_digest_free(struct crypto_digest *d); /* NULL: nothing */
void crypto_sha1(struct str data, uint8_t out[static 20]);
void crypto_md5(struct str data, uint8_t out[static 16]);
void crypto_hmac_sha256(const void *key, size_t key_size, struct str data, uint8_t out[static SHA256_SIZE]);
/* Only CloudStack's signatures need this; nothing new should use it. */
void crypto_hmac_sha1(const void *key, size_t key_size, struct str data, uint8_t out[static 20]);
bool crypto_equal(const void *a, const void *b, size_t size); /* takes the same time whatever differs */
void crypto_wipe(void *p, size_t size);

/* AES-256-GCM: 1 byte of version, 12 of nonce, the ciphertext, 16 of tag. aad is the id of the row
 * that the secret belongs to; a ciphertext that was moved to another row does not open.
 * ERR_INVALID: it does not open. */
RESULT crypto_seal(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad, struct str plain,
		   struct str *ret_sealed);
RESULT crypto_open(struct ctx *c, const uint8_t key[static MASTER_KEY_SIZE], struct str aad,
		   struct str sealed, struct str *ret_plain);

/* Makes a key pair: a private key in PEM (PKCS#1 for RSA 2048, OpenSSH's format for ed25519) and
 * the public key as OpenSSH's line without a comment. Takes up to a second: never on the
 * committer. */
RESULT crypto_make_key_pair(struct ctx *c, bool ed25519, struct str *ret_private_pem,
			    struct str *ret_public_line);
/* Checks a public key: OpenSSH's line ("ssh-rsa AAAA… comment") or its base64 alone; RSA of 1024 to
 * 16384 bits, ed25519, or ECDSA on one of NIST's curves. Gives the trimmed line, and the
 * fingerprint that EC2 shows of an imported key: of RSA the MD5 of the DER public key with colons,
 * of the others the SHA-256 in base64. ERR_INVALID. */
RESULT crypto_check_public_key(struct ctx *c, struct str text, struct str *ret_line,
			       struct str *ret_fingerprint, bool *ret_is_ed25519);
/* A public key in RFC 4716's form, or as a SubjectPublicKeyInfo in DER or in that's base64, becomes OpenSSH's line,
 * without a comment. Any other text stays as it is. ERR_INVALID: it is neither RSA nor Ed25519, or broken. */
RESULT crypto_convert_public_key(struct ctx *c, struct str text, struct str *ret_text);
/* Whether a line that was checked before is an ECDSA key. */
bool crypto_is_ecdsa(struct str public_line);
/* Whether the key of a JSON Web Key, given as bytes, has signed data: RSA of 2048 bits or more, or
 * P-256. */
bool crypto_verify_rs256(struct str n, struct str e, struct str data, struct str signature);
bool crypto_verify_es256(struct str x, struct str y, struct str data, struct str signature);
/* A key that signs tokens (RS256): RSA of 2048 bits, in PEM. Making one takes up to a second. */
RESULT crypto_make_signing_key(struct ctx *c, struct str *ret_pem);
/* The signature in bytes; takes a millisecond. ERR_INVALID: the PEM holds no RSA key. */
RESULT crypto_sign_rs256(struct ctx *c, struct str key_pem, struct str data, struct str *ret_signature);
/* The public half's numbers, as bytes, the highest first. ERR_INVALID likewise. */
RESULT crypto_read_signing_key(struct ctx *c, struct str key_pem, struct str *ret_n, struct str *ret_e);
/* Whether a server's certificates (PEM, its own first) are vouched for by one of these, which are
 * given as SHA-1 digests in hex. Names are not compared. */
bool crypto_is_vouched_for(struct arena *a, struct strs pems, struct strs thumbprints);
/* Whether a SubjectPublicKeyInfo in DER is a key of P-256, or of RSA with 2048 to 4096 bits; and whether that key has signed the data
 * (SHA-256; ECDSA in DER, or PKCS #1 v1.5). */
bool crypto_is_der_key(struct str der);
bool crypto_verify_der(struct str der, struct str data, struct str signature);
/* The SHA-256 of a certificate's public key (SubjectPublicKeyInfo in DER), in base64. Empty: it is no certificate in PEM. */
struct str crypto_digest_public_key(struct arena *a, struct str cert_pem);
/* The fingerprint that EC2 shows of a key that CreateKeyPair made: the SHA-1 of the private key in
 * DER (PKCS#8). */
RESULT crypto_fingerprint_private(struct ctx *c, struct str private_pem, struct str *ret_fingerprint);
/* Makes a self-signed certificate and its key, in PEM, for host names and addresses that commas
 * separate. */
RESULT crypto_make_certificate(struct ctx *c, struct str names, int64_t valid_us, struct str *ret_cert_pem,
			       struct str *ret_key_pem);
/* Makes what opens WinRM without a password for that user (Nova's key pairs of type x509): a certificate for
 * clients in PEM, and in base64 a PKCS #12 file without a password that holds it and its RSA key. Takes up to a
 * second: never on the committer. */
RESULT crypto_make_user_certificate(struct ctx *c, struct str user, struct str *ret_cert_pem,
				    struct str *ret_pkcs12);
/* The SHA-1 of a certificate in PEM, with colons. ERR_INVALID: it is none. */
RESULT crypto_fingerprint_certificate(struct ctx *c, struct str cert_pem, struct str *ret_fingerprint);
/* Its SHA-256, or its SHA-1, in bytes; how many they are. 0: it is none. */
size_t crypto_digest_certificate(struct str cert_pem, bool is_sha256, uint8_t ret_sum[static SHA256_SIZE]);
/* Whether the key of a certificate in PEM, which is RSA of 2048 bits or more, has signed the data: RS256, or with is_pss
 * PS256. */
bool crypto_verify_certificate(struct str cert_pem, bool is_pss, struct str data, struct str signature);
