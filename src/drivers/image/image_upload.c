/* SPDX-License-Identifier: Apache-2.0
 * Uploads and downloads into the image store. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/disk_room.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/random.h"
#include "drivers/egress_policy.h"
#include "drivers/image/image_file.h"

enum { SHARE_SIZE = 1 << 20 }; /* quota that an upload reserves at once, ahead of the data */

struct image_upload {
	char *directory, *path; /* owned; path: temporary file until it is named */
	int fd;
	int64_t size;
	struct disk_share share;
	struct crypto_digest *md5, *sha256, *sha512; /* owned */
	/* The stored files, to be dropped if the change that refers to them fails. */
	char file_sha256[2 * SHA256_SIZE + 1], data_sha256[2 * SHA256_SIZE + 1];
	int64_t file_named_us, data_named_us;
};

static RESULT fail_write(struct ctx *c, const char *path, int error)
{
	if (error == ENOSPC || error == EDQUOT)
		return disk_room_fail(c, 0);
	return ctx_fail(c, ERR_IO, "cannot write %s: %s", path, strerrordesc_np(error));
}

/* ---- in pieces ---- */

static char *copy_z(struct str text)
{
	char *z = text.p ? heap_alloc(text.n + 1) : NULL;
	if (z)
		memcpy(z, text.p, text.n);
	return z;
}

RESULT image_upload_new(struct ctx *c, const char *directory, struct image_upload **ret_upload)
{
	AUTO(image_upload) u = heap_new(struct image_upload);
	if (!u)
		return ctx_no_memory(c);
	u->fd = -1;
	TRY(file_make_directory(c, directory, 0700));
	u->directory = copy_z(str_from(directory));
	u->path = copy_z(str_print(c->arena, "%s/%016llx" IMAGE_DOWNLOAD_SUFFIX, directory,
				   (unsigned long long) random_u64()));
	u->md5 = crypto_digest_new(CRYPTO_MD5);
	u->sha256 = crypto_digest_new(CRYPTO_SHA256);
	u->sha512 = crypto_digest_new(CRYPTO_SHA512);
	if (!u->directory || !u->path || !u->md5 || !u->sha256 || !u->sha512)
		return ctx_no_memory(c);
	u->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (u->fd < 0)
		return fail_write(c, u->path, errno);
	*ret_upload = TAKE(u);
	return OK;
}

void image_upload_charge(struct image_upload *u, const struct disk_payer *payer)
{
	u->share.payer = *payer;
}

void image_upload_free(struct image_upload *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		(void) unlink(u->path);
	disk_share_end(&u->share);
	fd_autoclose(&u->fd);
	crypto_digest_free(u->md5);
	crypto_digest_free(u->sha256);
	crypto_digest_free(u->sha512);
	heap_free(u->path);
	heap_free(u->directory);
	heap_free(u);
}

static bool is_zero(struct str bytes)
{
	return bytes.n > 0 && bytes.p[0] == 0 && memcmp(bytes.p, bytes.p + 1, bytes.n - 1) == 0;
}

static void add_digests(struct image_upload *u, struct str bytes)
{
	crypto_digest_add(u->md5, bytes);
	crypto_digest_add(u->sha256, bytes);
	crypto_digest_add(u->sha512, bytes);
}

RESULT image_upload_add(struct image_upload *u, struct ctx *c, struct str bytes)
{
	add_digests(u, bytes);
	if (u->share.left_size < (int64_t) bytes.n)
		TRY(disk_share_take(&u->share, c, u->directory, (int64_t) bytes.n + SHARE_SIZE));
	for (size_t at = 0; at < bytes.n && !is_zero(bytes);) {
		errno = ENOSPC;
		ssize_t n = fault_fires(FAULT_FILE)
				    ? -1
				    : pwrite(u->fd, bytes.p + at, bytes.n - at, u->size + (int64_t) at);
		if (n < 0 && errno != EINTR)
			return fail_write(c, u->path, errno);
		at += n > 0 ? (size_t) n : 0;
	}
	disk_share_use(&u->share, (int64_t) bytes.n);
	u->size += (int64_t) bytes.n;
	return OK;
}

/* Removes the path from error messages, since the uploader must not learn it. */
static void hide_path(struct str path, struct ctx *c)
{
	struct str *message = &c->problem.message;
	for (size_t k = 0; k + path.n <= message->n; k++)
		if (str_equal(str_slice(*message, k, k + path.n), path))
			*message = str_print(c->arena, "%" STR_FMT "the data%" STR_FMT,
					     STR_ARG(str_slice(*message, 0, k)),
					     STR_ARG(str_slice(*message, k + path.n, message->n)));
}

static RESULT without_path(struct ctx *c, struct str path, struct result result)
{
	if (result.code == ERR_INVALID || result.code == ERR_UNSUPPORTED)
		hide_path(path, c);
	return result;
}

RESULT image_upload_import(struct image_upload *u, struct ctx *c, struct str format,
			   const struct disk_key *key, struct image_file *ret_file)
{
	if (ftruncate(u->fd, u->size) != 0 || fsync(u->fd) != 0) /* the data may end in a hole */
		return fail_write(c, u->path, errno);
	TRY(without_path(
		c, str_from(u->path),
		image_file_import(c, u->path, format, key, &u->share.payer, u->directory, ret_file)));
	(void) snprintf(u->file_sha256, sizeof u->file_sha256, "%" STR_FMT, STR_ARG(ret_file->sha256));
	u->file_named_us = ret_file->named_us;
	return OK;
}

void image_upload_drop(struct image_upload *u, const struct image_file_user *user)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, ARENA_FIRST_SIZE);
	struct str file = str_from(u->file_sha256), data = str_from(u->data_sha256);
	struct str file_path = a ? image_file_path(a, u->directory, file) : STR_NONE;
	struct str data_path = a ? image_file_data_path(a, u->directory, data) : STR_NONE;
	if (file_path.p)
		image_file_drop(file_path.p, file, u->file_named_us, user->needs_file, user->arg);
	if (data_path.p)
		image_file_drop(data_path.p, data, u->data_named_us, user->needs_data, user->arg);
}

static RESULT end_digests(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests)
{
	struct image_digests digests = {.md5 = crypto_digest_end(u->md5, c->arena),
					.sha256 = crypto_digest_end(u->sha256, c->arena),
					.sha512 = crypto_digest_end(u->sha512, c->arena),
					.size = u->size};
	if (!digests.md5.p || !digests.sha256.p || !digests.sha512.p)
		return ctx_no_memory(c);
	*ret_digests = digests;
	return OK;
}

RESULT image_upload_check(struct image_upload *u, struct ctx *c, struct str digest)
{
	struct image_digests digests = {0};
	TRY(end_digests(u, c, &digests));
	struct str own = digest.n == digests.sha512.n ? digests.sha512
			 : digest.n == digests.md5.n  ? digests.md5
						      : digests.sha256;
	if (str_equal_nocase(own, digest))
		return OK;
	return ctx_fail(c, ERR_INVALID, "the bytes have the digest %" STR_FMT " instead of %" STR_FMT,
			STR_ARG(own), STR_ARG(digest));
}

static RESULT keep_data(struct image_upload *u, struct ctx *c, struct str sha256)
{
	TRY(image_file_name(c, u->path, image_file_data_path(c->arena, u->directory, sha256),
			    &u->data_named_us));
	(void) snprintf(u->data_sha256, sizeof u->data_sha256, "%" STR_FMT, STR_ARG(sha256));
	fd_autoclose(&u->fd);
	return OK;
}

RESULT image_upload_keep(struct image_upload *u, struct ctx *c, struct str format,
			 struct image_file *ret_file, struct image_digests *ret_digests)
{
	struct image_digests digests = {0};
	TRY(end_digests(u, c, &digests));
	TRY(image_upload_import(u, c, format, NULL, ret_file));
	TRY(keep_data(u, c, digests.sha256));
	*ret_digests = digests;
	return OK;
}

RESULT image_upload_stage(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests)
{
	struct image_digests digests = {0};
	TRY(end_digests(u, c, &digests));
	if (ftruncate(u->fd, u->size) != 0 || fsync(u->fd) != 0)
		return fail_write(c, u->path, errno);
	TRY(keep_data(u, c, digests.sha256));
	*ret_digests = digests;
	return OK;
}

RESULT image_data_import(struct ctx *c, const char *directory, struct str sha256, struct str format,
			 const struct disk_payer *payer, struct image_file *ret_file)
{
	struct str path = image_file_data_path(c->arena, directory, sha256);
	if (!path.p)
		return ctx_no_memory(c);
	return without_path(c, path, image_file_import(c, path.p, format, NULL, payer, directory, ret_file));
}

/* ---- written by others ---- */

enum { PIECE_SIZE = 1 << 20 };

const char *image_upload_path(const struct image_upload *u)
{
	return u->path;
}

RESULT image_upload_stage_written(struct image_upload *u, struct ctx *c, struct image_digests *ret_digests)
{
	AUTO_FD fd = open(u->path, O_RDONLY | O_CLOEXEC);
	char *piece = arena_alloc(c->arena, PIECE_SIZE);
	if (!piece)
		return ctx_no_memory(c);
	for (ssize_t n = 1; n > 0; u->size += n) {
		n = fd < 0 ? -1 : pread(fd, piece, PIECE_SIZE, u->size);
		if (n < 0)
			return ctx_fail(c, ERR_IO, "cannot read %s: %s", u->path, strerrordesc_np(errno));
		add_digests(u, (struct str){piece, (size_t) n});
	}
	return image_upload_stage(u, c, ret_digests);
}

/* ---- downloads ---- */

static const long FETCH_TIMEOUT_S = 24L * 3600; /* so a very slow sender doesn't occupy a lane forever */

struct download {
	struct ctx *ctx;
	struct image_upload *to;
	const struct image_fetch *wish;
	bool is_larger, is_stopped;
	struct result result; /* of writing */
};

static size_t take_piece(char *bytes, size_t size, size_t count, void *arg)
{
	struct download *d = arg;
	d->is_larger = (int64_t) (size * count) > d->wish->cap_size - d->to->size;
	if (d->is_larger)
		return 0; /* makes curl fail with a write error */
	d->result = image_upload_add(d->to, d->ctx, (struct str){bytes, size * count});
	return result_is_ok(d->result) ? size * count : 0;
}

static int report_progress(void *arg, curl_off_t size, curl_off_t done, curl_off_t up_size,
			   curl_off_t up_done)
{
	struct download *d = arg;
	(void) up_size;
	(void) up_done;
	d->is_stopped = !d->wish->goes_on(d->wish->arg, done, size);
	return d->is_stopped;
}

static void set_options(CURL *curl, struct download *d, char *words)
{
	(void) curl_easy_setopt(curl, CURLOPT_URL, d->wish->url);
	(void) curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
	(void) curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void) curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
	(void) curl_easy_setopt(curl, CURLOPT_TIMEOUT, FETCH_TIMEOUT_S);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
	(void) curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
	(void) curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
	(void) curl_easy_setopt(curl, CURLOPT_WRITEDATA, d);
	if (d->wish->goes_on) {
		(void) curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		(void) curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, report_progress);
		(void) curl_easy_setopt(curl, CURLOPT_XFERINFODATA, d);
	}
}

int64_t image_upload_size(const struct image_upload *u)
{
	return u->size;
}

/* Restricts the transfer. Operators may fetch from any address and from local files; redirects never lead to
 * files. */
static RESULT begin_visit(struct web_visit *v, CURL *curl, bool from_anywhere)
{
	if (!from_anywhere)
		return web_visit_begin(v, curl, "http,https");
	(void) curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
	(void) curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	return OK;
}

/* Reports why the download is incomplete. words: curl's message, or empty. */
static RESULT check_download(const struct download *d, CURLcode code, const char *words)
{
	const char *url = d->wish->url;
	TRY(d->result);
	if (d->is_stopped)
		return ctx_fail(d->ctx, ERR_AGAIN, "%s is not wanted any more", url);
	if (d->is_larger)
		return ctx_fail(d->ctx, ERR_TOO_LARGE, "%s is larger than %lld bytes", url,
				(long long) d->wish->cap_size);
	return code == CURLE_OK ? OK
				: ctx_fail(d->ctx, ERR_IO, "cannot download %s: %s", url,
					   words[0] ? words : curl_easy_strerror(code));
}

RESULT image_upload_fetch(struct image_upload *u, struct ctx *c, const struct image_fetch *fetch)
{
	struct download d = {.ctx = c, .to = u, .wish = fetch};
	struct web_visit visit = {.c = c, .url = fetch->url, .reach = fetch->reach};
	char words[CURL_ERROR_SIZE] = {0};
	CURL *curl = curl_easy_init();
	if (!curl)
		return ctx_no_memory(c);
	struct result result = begin_visit(&visit, curl, fetch->from_anywhere);
	if (result_is_ok(result)) {
		set_options(curl, &d, words);
		CURLcode code = curl_easy_perform(curl);
		result = web_visit_check(&visit, code);
		if (result_is_ok(result))
			result = check_download(&d, code, words);
	}
	curl_easy_cleanup(curl);
	return result;
}
