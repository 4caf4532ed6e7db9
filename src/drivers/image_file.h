/* SPDX-License-Identifier: Apache-2.0
 * The image store: files on Dari's own machine, named by the SHA-256 of their bytes, all of one
 * form (qcow2, compat 1.1, without a backing file). An imported file is checked by its head
 * (image_head.h), then by qemu-img under limits, and converted. Its format comes from its first
 * bytes or from the operator; qemu-img never guesses it, and a file that refers to another file is
 * refused. A file that comes from a host is checked and kept as it is.
 *
 * Everything here blocks for as long as a large copy takes: never on an HTTP thread or the
 * committer. */
#pragma once

#include "base/ctx.h"
#include "model/disk_key.h"

struct image_file {
	int64_t virtual_size, file_size; /* bytes */
	struct str sha256;               /* hex, of the converted file; in the context's arena */
};

enum { IMAGE_VIRTUAL_SIZE_MAX_GIB = 2048 };
#define IMAGE_DATA_MAX (INT64_C(64) << 30) /* of data that are sent or downloaded */

/* Files on their way: of a conversion, of a download. */
#define IMAGE_PARTIAL_SUFFIX ".part"
#define IMAGE_DOWNLOAD_SUFFIX ".download"
#define IMAGE_FILE_SUFFIX ".qcow2"
#define IMAGE_DATA_SUFFIX ".data"

/* Takes source (a path) into directory as <sha256>.qcow2; source stays. format: qcow2, raw, vmdk, vhd
 * or vhdx; empty: by its first bytes. key: the file kept is encrypted with it; NULL: it is plain. A file that
 * is there already is the same image: OK. ERR_AGAIN: it could not be encrypted just now. ERR_INVALID: not an
 * image, or one with external references, or over the limits; ERR_NOT_FOUND, ERR_CAPACITY: no room, ERR_IO.
 */
RESULT image_file_import(struct ctx *c, const char *source, struct str format, const struct disk_key *key,
			 const char *directory, struct image_file *ret_file);
/* Data as they are sent, on their way into the store: one file, digested as it grows, with holes for zeros.
 * One thread at a time. */
struct image_upload;
struct image_digests { /* hex, in the context's arena */
	struct str md5, sha256, sha512;
	int64_t size;
};
RESULT image_upload_new(struct ctx *c, const char *directory, struct image_upload **ret_upload);
RESULT image_upload_add(struct image_upload *u, struct ctx *c, struct str bytes); /* ERR_CAPACITY, ERR_IO */
/* They are whole: takes them in as image_file_import() does, and keeps them also as they are, by the name
 * of image_file_data_path(). */
RESULT image_upload_keep(struct image_upload *u, struct ctx *c, struct str format,
			 struct image_file *ret_file, struct image_digests *ret_digests);
/* They are whole: keeps them as they are, whatever they are; image_data_import() takes them in later. */
RESULT image_upload_stage(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests);
RESULT image_data_import(struct ctx *c, const char *directory, struct str sha256, struct str format,
			 struct image_file *ret_file);
/* As image_file_import(): they are not kept as they are. */
RESULT image_upload_import(struct image_upload *u, struct ctx *c, struct str format,
			   const struct disk_key *key, struct image_file *ret_file);
void image_upload_free(struct image_upload *u); /* NULL: fine; what was not kept is gone */
DEFINE_AUTO(image_upload)
struct web_reach;
struct image_fetch {
	const char *url;         /* http, https, file */
	int64_t cap_size;        /* bytes at most */
	bool from_anywhere;      /* also this machine's own files and addresses, which users must not see */
	struct web_reach *reach; /* else only from where it lets us go; NULL: nothing is configured */
	/* Now and then, how much has come of how much (0: nobody said). false: enough. NULL: nobody asks. */
	bool (*goes_on)(void *arg, int64_t done, int64_t size);
	void *arg;
};
/* ERR_IO, ERR_TOO_LARGE, ERR_CAPACITY; ERR_AGAIN: goes_on() had enough. */
RESULT image_upload_fetch(struct image_upload *u, struct ctx *c, const struct image_fetch *fetch);
int64_t image_upload_size(const struct image_upload *u); /* bytes that have come */
/* A file of the store, or that is to be one, gets its name. Its time is that of the keeping, for
 * image_file_collect(). */
RESULT image_file_name(struct ctx *c, const char *part, struct str kept);
/* Where data lie as they were uploaded, and as they are used. */
struct str image_file_data_path(struct arena *a, const char *directory, struct str sha256);
struct str image_file_path(struct arena *a, const char *directory, struct str sha256);

/* Looks at the first bytes of a file that came from a host. ERR_INVALID: no qcow2, or it does not stand by
 * itself, or is not encrypted as it should be. */
RESULT image_file_check_head(struct ctx *c, const char *path, bool is_encrypted, int64_t *ret_virtual_size);
/* Keeps a qcow2 that lies in the directory (a cut that was fetched whole): it gets its final name.
 * ERR_INVALID: it is none, or does not stand by itself, or is not encrypted as it should be. */
RESULT image_file_keep(struct ctx *c, const char *part, const char *directory, bool is_encrypted,
		       struct image_file *ret_file);
/* Whether a file of the store is what its name says. It is read whole, and not again until it changes.
 * ERR_INVALID, in words: it is not there, or not to be read, or of other bytes. */
RESULT image_file_check(struct ctx *c, const char *path, struct str sha256, int64_t size);
/* ERR_CAPACITY, in words, unless the directory's file system has room for so many bytes more. */
RESULT image_file_check_room(struct ctx *c, const char *directory, int64_t size);
/* Removes the files that no row needs and that nobody has kept anew for IMAGE_UNNEEDED_S: whoever
 * keeps a file has that long to make the row that needs it. An absent directory is fine. */
enum { IMAGE_UNNEEDED_S = 600 };
struct image_file_user { /* is a row of that digest there, of a file as it is used, or as it was uploaded? */
	bool (*needs_file)(void *arg, struct str sha256);
	bool (*needs_data)(void *arg, struct str sha256);
	void *arg;
};
void image_file_collect(const char *directory, const struct image_file_user *user);
/* Removes what imports that never ended (a kill) left in the directory; at start, before the first
 * import. An absent directory is fine. */
void image_file_sweep(const char *directory);
