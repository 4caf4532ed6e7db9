/* SPDX-License-Identifier: Apache-2.0
 * The master key's file (64 hex digits and a newline, so that it can be kept on paper), and access keys. A
 * sealed secret is bound to its row and cannot be opened for another one. */
#include "auth/key/key.h"

#include "base/file.h"
#include "base/random.h"
#include "model/access_key.h"

enum { MASTER_FILE_CAP = 4096, SECRET_RANDOM_SIZE = 30 /* 40 characters in base64 */ };

RESULT key_make_master(struct ctx *c, const char *path)
{
	uint8_t key[MASTER_KEY_SIZE];
	char line[2 * MASTER_KEY_SIZE + 1];
	if (file_exists(path))
		return ctx_fail(c, ERR_EXISTS, "%s is there already: a master key is never overwritten",
				path);
	random_bytes(key, sizeof key);
	static const char digits[] = "0123456789abcdef";
	for (size_t k = 0; k < sizeof key; k++) {
		line[2 * k] = digits[key[k] >> 4];
		line[2 * k + 1] = digits[key[k] & 15];
	}
	line[sizeof line - 1] = '\n';
	struct result r = file_write_synced(c, path, (struct str){line, sizeof line}, 0600);
	crypto_wipe(key, sizeof key);
	crypto_wipe(line, sizeof line);
	return r;
}

RESULT key_load_master(struct ctx *c, const char *path, uint8_t ret_key[static MASTER_KEY_SIZE])
{
	struct str text = STR_NONE;
	TRY(file_read(c, path, MASTER_FILE_CAP, &text));
	struct result r = str_decode_hex(str_trim(text), ret_key, MASTER_KEY_SIZE);
	crypto_wipe((void *) text.p, text.n); /* the copy in our arena */
	if (!result_is_ok(r))
		return ctx_fail(c, ERR_INVALID, "%s is no master key: it needs %d hex digits", path,
				2 * MASTER_KEY_SIZE);
	return OK;
}

RESULT key_seal(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str secret,
		struct str *ret_sealed)
{
	return crypto_seal(c, master, (struct str){(const char *) row.b, sizeof row.b}, secret, ret_sealed);
}

RESULT key_open(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], uuid row, struct str sealed,
		struct str *ret_secret)
{
	return crypto_open(c, master, (struct str){(const char *) row.b, sizeof row.b}, sealed, ret_secret);
}

struct str key_draw_id(struct ctx *c, const char *prefix, size_t count)
{
	static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t from = strlen(prefix);
	char *id = arena_alloc(c->arena, from + count);
	if (!id)
		return STR_NONE;
	memcpy(id, prefix, from);
	random_bytes(id + from, count);
	for (size_t k = from; k < from + count; k++)
		id[k] = base32[id[k] & 31];
	return (struct str){id, from + count};
}

RESULT key_draw(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE], struct access_key *row,
		struct str *ret_secret)
{
	uint8_t secret_bytes[SECRET_RANDOM_SIZE];
	struct str key_id = key_draw_id(c, "AKIA", KEY_ID_RANDOM);
	random_bytes(secret_bytes, sizeof secret_bytes);
	struct str secret =
		str_encode_base64(c->arena, (struct str){(char *) secret_bytes, sizeof secret_bytes});
	struct str sealed = STR_NONE;
	crypto_wipe(secret_bytes, sizeof secret_bytes);
	if (!secret.p || !key_id.p)
		return ctx_no_memory(c);
	TRY(key_seal(c, master, row->row.id, secret, &sealed));
	row->key_id = key_id;
	row->secret = sealed;
	*ret_secret = secret;
	return OK;
}

RESULT key_open_secret(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		       const struct access_key *row, struct str *ret_secret)
{
	return key_open(c, master, row->row.id, row->secret, ret_secret);
}
