/* SPDX-License-Identifier: Apache-2.0
 * Image files on the control plane's own machine: checked by qemu-img under limits, converted to
 * one form (qcow2, compat 1.1), named by the digest of their bytes. The format is told from the
 * file's first bytes, never guessed by qemu-img, and a file that refers to another file is refused.
 * Blocks, for as long as a large copy takes: never on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct image_file {
	int64_t virtual_size, file_size; /* bytes */
	struct str sha256;               /* hex, of the converted file; in the context's arena */
};

enum { IMAGE_VIRTUAL_SIZE_MAX_GIB = 2048 };

/* Files on their way: of a conversion, of a download. */
#define IMAGE_PARTIAL_SUFFIX ".part"
#define IMAGE_DOWNLOAD_SUFFIX ".download"

/* Takes source (a path) into directory as <sha256>.qcow2; source stays. A file that is there
 * already is the same image: OK. ERR_INVALID: not an image, or one with external references, or
 * over the limits; ERR_NOT_FOUND, ERR_IO. */
RESULT image_file_import(struct ctx *c, const char *source, const char *directory,
			 struct image_file *ret_file);
/* Downloads url (http, https, file) to path, at most cap_size bytes. ERR_IO, ERR_TOO_LARGE. */
RESULT image_file_download(struct ctx *c, const char *url, const char *path, int64_t cap_size);
/* Removes what imports that never ended (a kill) left in the directory; at start, before the first
 * import. An absent directory is fine. */
void image_file_sweep(const char *directory);
