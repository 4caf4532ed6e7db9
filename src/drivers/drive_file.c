/* SPDX-License-Identifier: Apache-2.0
 * Writes config drives, with libarchive. */
#include "drivers/drive_file.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"

/* The volume label's position in ECMA-119: in the first descriptor, after 16 unused sectors. */
enum { SECTOR_SIZE = 2048, LABEL_AT = 16 * SECTOR_SIZE + 40 };
static const size_t DRIVE_CAP = (size_t) 4 << 20;

static la_ssize_t take_bytes(struct archive *a, void *arg, const void *bytes, size_t size)
{
	(void) a;
	buf_add(arg, bytes, size);
	return (la_ssize_t) size;
}

static int write_file(struct archive *a, struct ctx *c, const struct compute_file *file)
{
	struct archive_entry *e = archive_entry_new();
	if (!e)
		return ARCHIVE_FATAL;
	archive_entry_set_pathname(e, str_to_z(c->arena, file->path));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0444);
	archive_entry_set_size(e, (la_int64_t) file->bytes.n);
	int status = archive_write_header(a, e);
	archive_entry_free(e);
	if (status == ARCHIVE_OK && file->bytes.n)
		status = archive_write_data(a, file->bytes.p, file->bytes.n) < 0 ? ARCHIVE_FATAL : ARCHIVE_OK;
	return status;
}

static struct str label_of(const struct compute_files *files)
{
	return files->label.n ? files->label : STR(DRIVE_LABEL);
}

static int write_all(struct archive *a, struct ctx *c, const struct compute_files *files, struct buf *b)
{
	int status = archive_write_set_format_iso9660(a);
	if (status == ARCHIVE_OK)
		status = archive_write_set_format_option(a, "iso9660", "volume-id",
							 str_to_z(c->arena, label_of(files)));
	if (status == ARCHIVE_OK)
		status = archive_write_open(a, b, NULL, take_bytes, NULL);
	for (size_t k = 0; k < files->count && status == ARCHIVE_OK; k++)
		status = write_file(a, c, &files->at[k]);
	return status == ARCHIVE_OK ? archive_write_close(a) : status;
}

RESULT drive_file_write(struct ctx *c, const struct compute_files *files, struct str *ret_bytes)
{
	struct buf b;
	struct archive *a = archive_write_new();
	if (!a)
		return ctx_no_memory(c);
	buf_init(&b, DRIVE_CAP);
	struct result r = OK;
	if (write_all(a, c, files, &b) != ARCHIVE_OK)
		r = ctx_fail(c, ERR_IO, "writing a config drive: %s",
			     archive_error_string(a) ? archive_error_string(a) : "unknown");
	else if (!result_is_ok(buf_finish(&b)))
		r = ctx_fail(c, ERR_TOO_LARGE, "a config drive of more than %zu bytes", DRIVE_CAP);
	archive_write_free(a); /* before b, which it may still write to */
	struct str bytes = result_is_ok(r) ? str_copy(c->arena, buf_str(&b)) : STR_NONE;
	buf_done(&b);
	TRY(r);
	if (!bytes.p)
		return ctx_no_memory(c);
	/* libarchive writes the label in capitals, as the standard requires; guests look for the exact
	 * label. */
	struct str label = label_of(files);
	memcpy((char *) (uintptr_t) bytes.p + LABEL_AT, label.p, label.n);
	*ret_bytes = bytes;
	return OK;
}
