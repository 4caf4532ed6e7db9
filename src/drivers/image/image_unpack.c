/* SPDX-License-Identifier: Apache-2.0
 * Unpacks images with libarchive. Only two filters and two formats are enabled, to limit the code reachable
 * by untrusted input. */
#include "drivers/image/image_unpack.h"

#include <archive.h>
#include <archive_entry.h>

#include "drivers/image/image_file.h"

enum { PIECE_SIZE = 64 * 1024, LOGIN_LINKS_MAX = 64 };

bool image_is_packed(struct str url)
{
	static const char *const ends[] = {".gz", ".bz2", ".zip"};
	struct str path = str_slice(url, 0, str_find_char(url, '?', 0));
	path = str_slice(path, 0, str_find_char(path, '#', 0));
	for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
		size_t n = strlen(ends[k]);
		if (path.n > n && str_equal_nocase(str_slice(path, path.n - n, path.n), str_from(ends[k])))
			return true;
	}
	return false;
}

static RESULT fail_packed(struct ctx *c, struct archive *a)
{
	const char *why = archive_error_string(a);
	return ctx_fail(c, ERR_INVALID, "the image cannot be unpacked: %s", why ? why : "it is broken");
}

/* Copies the archive's current entry. */
static RESULT copy(struct ctx *c, const struct image_packed *packed, struct archive *a,
		   struct image_upload *to)
{
	int64_t size = 0;
	char *piece = arena_alloc(c->arena, PIECE_SIZE);
	if (!piece)
		return ctx_no_memory(c);
	for (;;) {
		la_ssize_t n = archive_read_data(a, piece, PIECE_SIZE);
		if (n == 0)
			return OK;
		if (n < 0)
			return fail_packed(c, a);
		size += n;
		if (size > packed->cap_size)
			return ctx_fail(c, ERR_TOO_LARGE, "the image has more than %lld MiB unpacked",
					(long long) (packed->cap_size >> 20));
		if (packed->goes_on && !packed->goes_on(packed->arg, size, 0))
			return ctx_fail(c, ERR_AGAIN, "the unpacking was ended");
		TRY(image_upload_add(to, c, (struct str){piece, (size_t) n}));
	}
}

static RESULT unpack(struct ctx *c, const struct image_packed *packed, struct archive *a,
		     struct image_upload *to)
{
	struct archive_entry *entry = NULL;
	/* ARCHIVE_WARN means libarchive would run an external program instead. */
	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(a) != ARCHIVE_OK ||
	    archive_read_support_format_zip_streamable(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK)
		return ctx_fail(c, ERR_INTERNAL, "libarchive lacks gzip, bzip2 or zip");
	if (archive_read_open_filename(a, packed->path, PIECE_SIZE) != ARCHIVE_OK)
		return fail_packed(c, a);
	for (int k = 0; k < LOGIN_LINKS_MAX && archive_read_next_header(a, &entry) == ARCHIVE_OK; k++) {
		bool is_plain = archive_filter_count(a) <= 1 && archive_format(a) == ARCHIVE_FORMAT_RAW;
		if (is_plain)
			return ctx_fail(c, ERR_INVALID, "the image is not packed as its name says");
		if (archive_format(a) == ARCHIVE_FORMAT_RAW || archive_entry_filetype(entry) == AE_IFREG)
			return copy(c, packed, a, to);
	}
	return ctx_fail(c, ERR_INVALID, "no file is in the packed image");
}

RESULT image_unpack(struct ctx *c, const struct image_packed *packed, struct image_upload *to)
{
	struct archive *a = archive_read_new();
	if (!a)
		return ctx_no_memory(c);
	struct result result = unpack(c, packed, a, to);
	archive_read_free(a);
	return result;
}
