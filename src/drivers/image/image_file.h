/* SPDX-License-Identifier: Apache-2.0
 * The image store: files on Dari's own machine, named by their SHA-256, all in one format (qcow2, compat 1.1,
 * without a backing file). An imported file is checked by its header (image_header.h), then by qemu-img under
 * limits, and converted. Its format comes from its first bytes or from the operator; qemu-img never guesses
 * it, and a file that refers to another file is refused. A file from a host is checked and stored unchanged.
 *
 * All calls block for as long as a large copy takes: never use them on an HTTP thread or the committer. */
#pragma once

#include "base/disk_room.h"
#include "model/disk_key.h"

struct image_file {
	int64_t virtual_size, file_size; /* bytes */
	struct str sha256;               /* hex, of the stored file; in the context's arena */
	int64_t named_us;                /* when it was named; 0: it existed before */
};

enum { IMAGE_VIRTUAL_SIZE_MAX_GIB = 2048, IMAGE_RAW_SIZE_MAX_GIB = 16384 /* the size of a volume */ };
#define IMAGE_DATA_MAX (INT64_C(64) << 30) /* maximum bytes to upload or download */

/* File name suffixes: unfinished conversion, unfinished download, image, data as uploaded. */
#define IMAGE_PARTIAL_SUFFIX ".part"
#define IMAGE_DOWNLOAD_SUFFIX ".download"
#define IMAGE_FILE_SUFFIX ".qcow2"
#define IMAGE_DATA_SUFFIX ".data"

/* Imports the file source into directory as <sha256>.qcow2; source remains. format: qcow2, raw, vmdk, vhd or
 * vhdx; empty: detected. key: encrypts the stored file; NULL: unencrypted. An existing file of that name is
 * the same image: OK. ERR_AGAIN: encrypting failed temporarily. ERR_INVALID: not an image, refers to other
 * files, or exceeds the limits. ERR_NOT_FOUND. ERR_CAPACITY: no space. ERR_QUOTA: payer's limit; payer NULL:
 * none. ERR_IO. */
RESULT image_file_import(struct ctx *c, const char *source, struct str format, const struct disk_key *key,
			 const struct disk_payer *payer, const char *directory, struct image_file *ret_file);
/* Data being uploaded: one sparse file, whose digests are computed as it grows. One thread at a time. */
struct image_upload;
struct image_digests { /* hex, in the context's arena */
	struct str md5, sha256, sha512;
	int64_t size;
};
RESULT image_upload_new(struct ctx *c, const char *directory, struct image_upload **ret_upload);
/* Sets the payer of stored and converted files. Call it before both; by default the region pays. */
void image_upload_charge(struct image_upload *u, const struct disk_payer *payer);
/* ERR_CAPACITY, ERR_QUOTA, ERR_IO */
RESULT image_upload_add(struct image_upload *u, struct ctx *c, struct str bytes);
/* Completes the upload: imports it like image_file_import(), and also stores the original data at
 * image_file_data_path(). */
RESULT image_upload_keep(struct image_upload *u, struct ctx *c, struct str format,
			 struct image_file *ret_file, struct image_digests *ret_digests);
/* Completes the upload: stores the original data without checks. image_data_import() can import them
 * later. */
RESULT image_upload_stage(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests);
/* The upload's file, for writing it by other means; then use image_upload_stage_written() instead of
 * image_upload_stage(). */
const char *image_upload_path(const struct image_upload *u);
RESULT image_upload_stage_written(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests);
RESULT image_data_import(struct ctx *c, const char *directory, struct str sha256, struct str format,
			 const struct disk_payer *payer, struct image_file *ret_file);
/* Exports a disk of the store to a file at `to`, overwriting it. format: raw, vmdk, vhd or vhdx.
 * ERR_CAPACITY: no space. ERR_IO. */
RESULT image_file_export(struct ctx *c, const char *from, struct str format, const char *to);
/* Completes the upload: imports it like image_file_import(), without storing the original data. */
RESULT image_upload_import(struct image_upload *u, struct ctx *c, struct str format,
			   const struct disk_key *key, struct image_file *ret_file);
void image_upload_free(struct image_upload *u); /* ignores NULL; removes what was not stored */
DEFINE_AUTO(image_upload)
struct egress_policy;
struct image_fetch {
	const char *url;    /* http, https, file */
	int64_t cap_size;   /* maximum bytes */
	bool from_anywhere; /* includes local files and this machine's addresses, whose content users must
			     * not see */
	struct egress_policy *reach; /* otherwise where this allows; NULL: default rules */
	/* Called repeatedly with the bytes received and expected (0: unknown); false aborts. NULL: none. */
	bool (*goes_on)(void *arg, int64_t done, int64_t size);
	void *arg;
};
/* Downloads data. ERR_IO, ERR_TOO_LARGE, ERR_CAPACITY. ERR_AGAIN: aborted by goes_on(). */
RESULT image_upload_fetch(struct image_upload *u, struct ctx *c, const struct image_fetch *fetch);
/* Verifies complete data. ERR_INVALID: neither SHA-256 nor SHA-512 matches this hex digest. Once per
 * upload. */
RESULT image_upload_check(struct image_upload *u, struct ctx *c, struct str digest);
int64_t image_upload_size(const struct image_upload *u); /* bytes received */
/* Moves a file to its name in the store and sets its time to now, for image_file_collect(). ret_named_us:
 * that time; 0 if such a file existed already. */
RESULT image_file_name(struct ctx *c, const char *part, struct str kept, int64_t *ret_named_us);
/* Paths of uploaded data, and of the image made from them. */
struct str image_file_data_path(struct arena *a, const char *directory, struct str sha256);
struct str image_file_path(struct arena *a, const char *directory, struct str sha256);

/* Checks the first bytes of a file from a host. ERR_INVALID: not qcow2, refers to another file, or its
 * encryption is wrong. */
RESULT image_file_check_head(struct ctx *c, const char *path, bool is_encrypted, int64_t *ret_virtual_size);
/* Likewise, but permits a backing file, which whoever opens it states explicitly. */
RESULT image_file_check_overlay(struct ctx *c, const char *path, bool is_encrypted);
/* Stores a qcow2 file that is in the directory already (a full cut, after its download) under its final name.
 * ERR_INVALID as above. */
RESULT image_file_keep(struct ctx *c, const char *part, const char *directory, bool is_encrypted,
		       struct image_file *ret_file);
/* Verifies that a stored file matches its digest. It is read completely once, then only after changes.
 * ERR_INVALID, with a message: missing, or with other content. ERR_IO, ERR_NO_MEMORY: it could not be read,
 * which doesn't mean it is damaged. */
RESULT image_file_check(struct ctx *c, const char *path, struct str sha256, int64_t size);
/* ERR_CAPACITY, with a message: the directory's file system lacks space for so many bytes. */
RESULT image_file_check_room(struct ctx *c, const char *directory, int64_t size);
/* Removes files that no row needs and that nobody has stored within IMAGE_UNNEEDED_S. So after storing a file
 * there is that much time to create the row that needs it. Absent directory: OK. */
enum { IMAGE_UNNEEDED_S = 600 };
/* True if a row needs the file of that digest, as an image or as uploaded data. */
struct image_file_user {
	bool (*needs_file)(void *arg, struct str sha256);
	bool (*needs_data)(void *arg, struct str sha256);
	void *arg;
};
void image_file_collect(const char *directory, const struct image_file_user *user);
/* Removes a file that was stored for a change that failed, unless a row needs it or somebody else has stored
 * the same bytes. */
void image_file_drop(const char *path, struct str sha256, int64_t named_us,
		     bool (*is_needed)(void *arg, struct str sha256), void *arg);
/* Likewise for the files stored by image_upload_keep() or image_upload_stage(). */
void image_upload_drop(struct image_upload *u, const struct image_file_user *user);
/* Removes unfinished imports left by a crash. Call it at start, before the first import. Absent directory:
 * OK. */
void image_file_sweep(const char *directory);
