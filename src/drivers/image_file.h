/* SPDX-License-Identifier: Apache-2.0
 * The image store: files on the control plane's own machine, named by the digest of their bytes, all
 * of one form (qcow2, compat 1.1, standing by itself). What is imported is checked by qemu-img under
 * limits and converted; its format is told from its first bytes or by the operator, never guessed by
 * qemu-img, and a file that refers to another file is refused. What comes from a host is looked at
 * and kept as it is. Blocks, for as long as a large copy takes: never on an HTTP thread or the committer. */
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

/* Takes source (a path) into directory as <sha256>.qcow2; source stays. format: qcow2, raw, vmdk, vhd
 * or vhdx; empty: by its first bytes. A file that is there already is the same image: OK.
 * ERR_INVALID: not an image, or one with external references, or over the limits; ERR_NOT_FOUND,
 * ERR_CAPACITY: no room, ERR_IO. */
RESULT image_file_import(struct ctx *c, const char *source, struct str format, const char *directory,
			 struct image_file *ret_file);
/* Keeps a qcow2 that lies in the directory (a cut that was fetched whole): it gets its final name.
 * ERR_INVALID: it is none, or does not stand by itself. */
RESULT image_file_keep(struct ctx *c, const char *part, const char *directory, struct image_file *ret_file);
/* Whether a file of the store is what its name says. It is read whole, and not again until it changes.
 * ERR_INVALID, in words: it is not there, or not to be read, or of other bytes. */
RESULT image_file_check(struct ctx *c, const char *path, struct str sha256, int64_t size);
/* ERR_CAPACITY, in words, unless the directory's file system has room for so many bytes more. */
RESULT image_file_check_room(struct ctx *c, const char *directory, int64_t size);
/* Removes the files that is_needed() denies and that nobody has kept anew for IMAGE_UNNEEDED_S: whoever
 * keeps a file has that long to make the row that needs it. An absent directory is fine. */
enum { IMAGE_UNNEEDED_S = 600 };
void image_file_collect(const char *directory, bool (*is_needed)(void *arg, struct str sha256), void *arg);
/* Downloads url (http, https, file) to path, at most cap_size bytes. ERR_IO, ERR_TOO_LARGE; ERR_CAPACITY: no
 * room. */
RESULT image_file_download(struct ctx *c, const char *url, const char *path, int64_t cap_size);
/* Removes what imports that never ended (a kill) left in the directory; at start, before the first
 * import. An absent directory is fine. */
void image_file_sweep(const char *directory);
