/* SPDX-License-Identifier: Apache-2.0
 * Digests of whole files, read in pieces: an image is larger than memory. */
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

/* As read(2), -1 with errno set as a bad disk would when the fault point fires. */
static ssize_t read_piece(int fd, char *piece)
{
	ssize_t n = 0;
	do {
		errno = EIO;
		n = fault_fires(FAULT_FILE) ? -1 : read(fd, piece, PIECE_SIZE);
	} while (n < 0 && errno == EINTR);
	return n;
}

RESULT crypto_sha256_file(struct ctx *c, int fd, uint8_t out[static SHA256_SIZE])
{
	OSSL(EVP_MD_CTX) md = EVP_MD_CTX_new();
	/* not in the arena: it would stay there for the rest of the call */
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
