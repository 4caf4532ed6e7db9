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

#include "base/disk_room.h"
#include "model/disk_key.h"

struct image_file {
	int64_t virtual_size, file_size; /* bytes */
	struct str sha256;               /* hex, of the file in the store; in the context's arena */
	int64_t named_us;                /* the time the file got; 0: the store had it already */
};

enum { IMAGE_VIRTUAL_SIZE_MAX_GIB = 2048 };
#define IMAGE_DATA_MAX (INT64_C(64) << 30) /* bytes of data that are sent or downloaded */

/* Endings of file names: of a conversion and of a download that are not finished, of an image, and
 * of data as they were uploaded. */
#define IMAGE_PARTIAL_SUFFIX ".part"
#define IMAGE_DOWNLOAD_SUFFIX ".download"
#define IMAGE_FILE_SUFFIX ".qcow2"
#define IMAGE_DATA_SUFFIX ".data"

/* Takes the file source into directory as <sha256>.qcow2; source stays. format: qcow2, raw, vmdk,
 * vhd or vhdx; empty: by its first bytes. key: the stored file is encrypted with it; NULL: it is
 * plain. If such a file is there already, it is the same image: OK. ERR_AGAIN: it cannot be
 * encrypted just now. ERR_INVALID: it is no image, or refers to other files, or is over the limits.
 * ERR_NOT_FOUND. ERR_CAPACITY: no room. ERR_QUOTA: the payer's limit leaves none; NULL: nobody's. ERR_IO. */
RESULT image_file_import(struct ctx *c, const char *source, struct str format, const struct disk_key *key,
			 const struct disk_payer *payer, const char *directory, struct image_file *ret_file);
/* Data on their way into the store: one file, whose digests are computed as it grows, with holes
 * for zeros. One thread at a time. */
struct image_upload;
struct image_digests { /* hex, in the context's arena */
	struct str md5, sha256, sha512;
	int64_t size;
};
RESULT image_upload_new(struct ctx *c, const char *directory, struct image_upload **ret_upload);
/* Sets who pays for files that are added and converted. Call it before both; without it the region pays. */
void image_upload_charge(struct image_upload *u, const struct disk_payer *payer);
/* ERR_CAPACITY, ERR_QUOTA, ERR_IO */
RESULT image_upload_add(struct image_upload *u, struct ctx *c, struct str bytes);
/* The data are complete. Takes them in as image_file_import() does, and also stores them as they
 * were sent, at image_file_data_path(). */
RESULT image_upload_keep(struct image_upload *u, struct ctx *c, struct str format,
			 struct image_file *ret_file, struct image_digests *ret_digests);
/* The data are complete. Stores them as they were sent, whatever they are. image_data_import()
 * takes them in later. */
RESULT image_upload_stage(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests);
/* The file that takes the data, for something else to write them there; and then, instead of
 * image_upload_stage(). */
const char *image_upload_path(const struct image_upload *u);
RESULT image_upload_stage_written(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests);
RESULT image_data_import(struct ctx *c, const char *directory, struct str sha256, struct str format,
			 const struct disk_payer *payer, struct image_file *ret_file);
/* Writes the disk in a file of the store to a file at `to`, whatever that has. format: raw, vmdk, vhd or vhdx.
 * ERR_CAPACITY: no room. ERR_IO. */
RESULT image_file_export(struct ctx *c, const char *from, struct str format, const char *to);
/* The data are complete. Takes them in as image_file_import() does, and does not store them as they
 * were sent. */
RESULT image_upload_import(struct image_upload *u, struct ctx *c, struct str format,
			   const struct disk_key *key, struct image_file *ret_file);
void image_upload_free(struct image_upload *u); /* NULL: nothing; what was not stored is removed */
DEFINE_AUTO(image_upload)
struct web_reach;
struct image_fetch {
	const char *url;    /* http, https, file */
	int64_t cap_size;   /* bytes at most */
	bool from_anywhere; /* may reach this machine's own files and addresses, which users must not see */
	struct web_reach *reach; /* else only where this allows; NULL: nothing is configured */
	/* Called from time to time with how much has arrived of how much (0: unknown). It returns
	 * false to end the transfer. NULL: nobody asks. */
	bool (*goes_on)(void *arg, int64_t done, int64_t size);
	void *arg;
};
/* Fetches data from the web. ERR_IO, ERR_TOO_LARGE, ERR_CAPACITY. ERR_AGAIN: goes_on() ended it. */
RESULT image_upload_fetch(struct image_upload *u, struct ctx *c, const struct image_fetch *fetch);
/* The data are complete. ERR_INVALID: neither their SHA-256 nor their SHA-512 is that, in hex. Once for each upload. */
RESULT image_upload_check(struct image_upload *u, struct ctx *c, struct str digest);
int64_t image_upload_size(const struct image_upload *u); /* bytes that have arrived */
/* Gives a file its name in the store, and the present time, for image_file_collect(). ret_named_us: that time;
 * 0 if the store has had such a file already. */
RESULT image_file_name(struct ctx *c, const char *part, struct str kept, int64_t *ret_named_us);
/* Where data are as they were uploaded, and where the image is that is made of them. */
struct str image_file_data_path(struct arena *a, const char *directory, struct str sha256);
struct str image_file_path(struct arena *a, const char *directory, struct str sha256);

/* Checks the first bytes of a file that came from a host. ERR_INVALID: it is no qcow2, or refers to
 * another file, or is not encrypted as it should be. */
RESULT image_file_check_head(struct ctx *c, const char *path, bool is_encrypted, int64_t *ret_virtual_size);
/* Likewise, of one that may stand on another file, which whoever opens it names. */
RESULT image_file_check_overlay(struct ctx *c, const char *path, bool is_encrypted);
/* Stores a qcow2 file that is in the directory already (a cut that was fetched whole): it gets its
 * final name. ERR_INVALID as above. */
RESULT image_file_keep(struct ctx *c, const char *part, const char *directory, bool is_encrypted,
		       struct image_file *ret_file);
/* Checks that a file of the store has the bytes that its name says. It is read whole, and not again
 * until it changes. ERR_INVALID, in words: it is not there, or has other bytes. ERR_IO, ERR_NO_MEMORY: it could
 * not be read now, which does not say that it is broken. */
RESULT image_file_check(struct ctx *c, const char *path, struct str sha256, int64_t size);
/* ERR_CAPACITY, in words: the directory's file system has no room for so many bytes more. */
RESULT image_file_check_room(struct ctx *c, const char *directory, int64_t size);
/* Removes the files that no row needs and that nobody has stored within IMAGE_UNNEEDED_S. So
 * whoever stores a file has that long to make the row that needs it. An absent directory is OK. */
enum { IMAGE_UNNEEDED_S = 600 };
/* Whether a row needs the file of that digest, as it is used or as it was uploaded. */
struct image_file_user {
	bool (*needs_file)(void *arg, struct str sha256);
	bool (*needs_data)(void *arg, struct str sha256);
	void *arg;
};
void image_file_collect(const char *directory, const struct image_file_user *user);
/* Removes a file that was named for a change that has failed, unless a row needs the file or somebody else has
 * stored the same bytes before or since. */
void image_file_drop(const char *path, struct str sha256, int64_t named_us,
		     bool (*is_needed)(void *arg, struct str sha256), void *arg);
/* Likewise, what image_upload_keep() or image_upload_stage() have stored. */
void image_upload_drop(struct image_upload *u, const struct image_file_user *user);
/* Removes what unfinished imports have left in the directory after a kill. Call it at start, before
 * the first import. An absent directory is OK. */
void image_file_sweep(const char *directory);
