/* SPDX-License-Identifier: Apache-2.0
 * Digests of files, read in pieces because images are larger than memory. */
#include "base/crypto_ossl.h"

#include <errno.h>
#include <unistd.h>

#include "base/crypto_digest.h"
#include "base/fault.h"
#include "base/heap.h"

enum { PIECE_SIZE = 256 * 1024 };

DEFINE_OSSL(EVP_MD_CTX, EVP_MD_CTX_free)

static void piece_free(char **piece)
{
	heap_free(*piece);
}

/* Like read(2); when the fault point fires, fails like a defective disk. */
static ssize_t read_piece(int fd, char *piece)
{
	ssize_t n = 0;
	do {
		errno = EIO;
		n = fault_fires(FAULT_FILE) ? -1 : read(fd, piece, PIECE_SIZE);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* ---- in pieces of the caller's ---- */

struct crypto_digest {
	EVP_MD_CTX *md;
	bool failed;
};

struct crypto_digest *crypto_digest_new(enum crypto_algorithm algorithm)
{
	const EVP_MD *how = algorithm == CRYPTO_MD5      ? EVP_md5()
			    : algorithm == CRYPTO_SHA256 ? EVP_sha256()
							 : EVP_sha512();
	struct crypto_digest *d = heap_new(struct crypto_digest);
	if (d)
		d->md = EVP_MD_CTX_new();
	if (!d || !d->md || EVP_DigestInit_ex(d->md, how, NULL) != 1) {
		crypto_digest_free(d);
		return NULL;
	}
	return d;
}

void crypto_digest_add(struct crypto_digest *d, struct str piece)
{
	d->failed = d->failed || EVP_DigestUpdate(d->md, piece.p, piece.n) != 1;
}

struct str crypto_digest_end(struct crypto_digest *d, struct arena *a)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;
	if (d->failed || EVP_DigestFinal_ex(d->md, digest, &size) != 1)
		return STR_NONE;
	return str_encode_hex(a, digest, size);
}

void crypto_digest_free(struct crypto_digest *d)
{
	if (d)
		EVP_MD_CTX_free(d->md);
	heap_free(d);
}

/* ---- files ---- */

RESULT crypto_sha256_file(struct ctx *c, int fd, uint8_t out[static SHA256_SIZE])
{
	OSSL(EVP_MD_CTX) md = EVP_MD_CTX_new();
	/* on the heap, since arena memory would be kept for the rest of the call */
	__attribute__((cleanup(piece_free))) char *piece = heap_resize(NULL, PIECE_SIZE);
	if (!md || !piece)
		return ctx_no_memory(c);
	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return crypto_fail(c, "cannot digest a file");
	ssize_t n = 0;
	while ((n = read_piece(fd, piece)) > 0)
		if (EVP_DigestUpdate(md, piece, (size_t) n) != 1)
			return crypto_fail(c, "cannot digest a file");
	if (n < 0) {
		char text[128];
		return ctx_fail(c, ERR_IO, "cannot read a file to its end: %s",
				strerror_r(errno, text, sizeof text));
	}
	return EVP_DigestFinal_ex(md, out, NULL) == 1 ? OK : crypto_fail(c, "cannot digest a file");
}
