/* SPDX-License-Identifier: Apache-2.0
 * Ticket attachments, encrypted in pieces: a piece moved to another position or file fails to decrypt. */
#include "drivers/ticket_file.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/disk_room.h"
#include "base/file.h"

/* crypto_seal() adds version, nonce and tag. */
enum { PIECE_SIZE = 512 * 1024, PIECE_EXTRA = 1 + 12 + 16, FILE_CAP = 32 << 20 };

static const char *path_of(struct ctx *c, const struct ticket_place *place, uuid id)
{
	char text[UUID_TEXT_SIZE];
	return str_to_z(c->arena, str_print(c->arena, "%" STR_FMT "/%s", STR_ARG(place->directory),
					    uuid_write(id, text)));
}

/* Authenticated with each piece: the file's id, the piece's number, and whether it is the last. */
struct place_in_file {
	uint8_t id[16];
	uint32_t number;
	uint32_t is_last;
};

static RESULT seal_piece(struct ctx *c, const struct ticket_place *place, const struct place_in_file *at,
			 struct str piece, struct buf *out)
{
	struct str sealed;
	TRY(crypto_seal(c, place->master_key, (struct str){(const char *) at, sizeof *at}, piece, &sealed));
	buf_add_str(out, sealed);
	return OK;
}

static RESULT check_place(struct ctx *c, const struct ticket_place *place)
{
	return place->directory.n ? OK
				  : ctx_fail(c, ERR_UNSUPPORTED, "no files can be kept here for tickets");
}

static RESULT seal_all(struct ctx *c, const struct ticket_place *place, uuid id, struct str content,
		       struct buf *out)
{
	struct place_in_file at = {.number = 0};
	memcpy(at.id, id.b, sizeof at.id);
	for (size_t from = 0; !at.is_last; from += PIECE_SIZE, at.number++) {
		AUTO(arena) piece = arena_new(ARENA_FIRST_SIZE, 4 * PIECE_SIZE);
		struct ctx own;
		if (!piece)
			return ctx_no_memory(c);
		ctx_init(&own, piece);
		at.is_last = from + PIECE_SIZE >= content.n;
		TRY(seal_piece(&own, place, &at, str_slice(content, from, from + PIECE_SIZE), out));
	}
	return buf_finish(out);
}

RESULT ticket_file_write(struct ctx *c, const struct ticket_place *place, uuid id, struct str content,
			 struct str *ret_sha256)
{
	uint8_t digest[SHA256_SIZE];
	struct buf out;
	TRY(check_place(c, place));
	TRY(disk_room_check_for(c, place->payer, str_to_z(c->arena, place->directory), (int64_t) content.n));
	buf_init(&out, FILE_CAP);
	struct result result = seal_all(c, place, id, content, &out);
	if (result_is_ok(result))
		result = file_write_synced(c, path_of(c, place, id), buf_str(&out), 0600);
	buf_done(&out);
	TRY(result);
	crypto_sha256(content, digest);
	*ret_sha256 = str_encode_hex(c->arena, digest, sizeof digest);
	return OK;
}

static RESULT open_all(struct ctx *c, const struct ticket_place *place, uuid id, struct str sealed,
		       struct buf *out)
{
	struct place_in_file at = {.number = 0};
	memcpy(at.id, id.b, sizeof at.id);
	for (size_t from = 0; !at.is_last; at.number++) {
		AUTO(arena) piece = arena_new(ARENA_FIRST_SIZE, 4 * PIECE_SIZE);
		struct ctx own;
		struct str plain;
		if (!piece)
			return ctx_no_memory(c);
		ctx_init(&own, piece);
		struct str part = str_slice(sealed, from, from + PIECE_SIZE + PIECE_EXTRA);
		from += part.n;
		at.is_last = from >= sealed.n;
		struct str aad = {(const char *) &at, sizeof at};
		if (!result_is_ok(crypto_open(&own, place->master_key, aad, part, &plain)))
			return ctx_fail(c, ERR_INVALID, "a file of a ticket does not open");
		buf_add_str(out, plain);
	}
	return buf_finish(out);
}

RESULT ticket_file_read(struct ctx *c, const struct ticket_place *place, uuid id, size_t cap_size,
			struct str *ret_content)
{
	struct str sealed;
	struct buf out;
	TRY(check_place(c, place));
	const char *path = path_of(c, place, id);
	if (!file_exists(path))
		return ctx_fail(c, ERR_NOT_FOUND, "a file of a ticket is not there any more");
	TRY(file_read(c, path, cap_size + (cap_size / PIECE_SIZE + 1) * PIECE_EXTRA, &sealed));
	buf_init(&out, cap_size + 1);
	struct result result = open_all(c, place, id, sealed, &out);
	if (result_is_ok(result)) {
		*ret_content = str_copy(c->arena, buf_str(&out));
		if (out.size && !ret_content->p)
			result = ctx_no_memory(c);
	}
	buf_done(&out);
	return result;
}

void ticket_file_delete(struct ctx *c, const struct ticket_place *place, uuid id)
{
	if (place->directory.n)
		IGNORE(file_delete(c, path_of(c, place, id)));
	ctx_clear_problem(c);
}

static bool is_old(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && clock_now_us() > (int64_t) st.st_mtime * SECOND + HOUR;
}

void ticket_file_sweep(const struct ticket_place *place, bool (*is_kept)(void *arg, uuid id), void *arg)
{
	char path[4096];
	snprintf(path, sizeof path, "%" STR_FMT, STR_ARG(place->directory));
	DIR *directory = place->directory.n ? opendir(path) : NULL;
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		uuid id;
		int n = snprintf(path, sizeof path, "%" STR_FMT "/%s", STR_ARG(place->directory),
				 entry->d_name);
		if (n > 0 && (size_t) n < sizeof path &&
		    result_is_ok(uuid_parse(str_from(entry->d_name), &id)) && is_old(path) &&
		    !is_kept(arg, id))
			(void) remove(path);
	}
	if (directory)
		(void) closedir(directory);
}

static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} magics[] = {
	{"\x89PNG\r\n\x1a\n", 8, "image/png"},
	{"\xff\xd8\xff", 3, "image/jpeg"},
	{"GIF87a", 6, "image/gif"},
	{"GIF89a", 6, "image/gif"},
	{"%PDF-", 5, "application/pdf"},
	{"PK\x03\x04", 4, "application/zip"},
	{"\x1f\x8b", 2, "application/gzip"},
	{"\xfd"
	 "7zXZ\0",
	 6, "application/x-xz"},
	{"BZh", 3, "application/x-bzip2"},
	{"\x28\xb5\x2f\xfd", 4, "application/zstd"},
};

struct str ticket_file_type(struct str content)
{
	for (size_t k = 0; k < sizeof magics / sizeof magics[0]; k++)
		if (content.n >= magics[k].n && memcmp(content.p, magics[k].bytes, magics[k].n) == 0)
			return str_from(magics[k].type);
	return content.n && str_is_utf8(content) ? STR("text/plain") : STR("application/octet-stream");
}
