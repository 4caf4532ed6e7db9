/* SPDX-License-Identifier: Apache-2.0
 * Generates, seals and opens disk keys. */
#include "model/disk_key.h"

#include "base/random.h"

static const struct str BINDING = STR("disk key");

RESULT disk_key_draw(struct ctx *c, const uint8_t *master_key, struct str *ret_sealed)
{
	uint8_t bytes[DISK_KEY_SIZE];
	if (!master_key)
		return ctx_fail(c, ERR_INTERNAL, "there is no master key to seal a volume's key under");
	random_bytes(bytes, sizeof bytes);
	struct result result = crypto_seal(c, master_key, BINDING,
					   (struct str){(const char *) bytes, sizeof bytes}, ret_sealed);
	crypto_wipe(bytes, sizeof bytes);
	return result;
}

RESULT disk_key_open(struct ctx *c, const uint8_t *master_key, struct str sealed,
		     const struct disk_key **ret_key)
{
	struct str bytes = STR_NONE;
	struct disk_key *key = arena_new_object(c->arena, struct disk_key);
	if (!key)
		return ctx_no_memory(c);
	struct result result =
		master_key ? crypto_open(c, master_key, BINDING, sealed, &bytes) : FAIL(INVALID);
	if (result.code == ERR_NO_MEMORY)
		return result;
	if (!result_is_ok(result) || bytes.n != DISK_KEY_SIZE) {
		ctx_clear_problem(c);
		return ctx_fail(c, ERR_INVALID,
				"the volume's key does not open: it was sealed under another master key");
	}
	struct str hex = str_encode_hex(c->arena, bytes.p, bytes.n);
	if (!hex.p)
		return ctx_no_memory(c);
	memcpy(key->text, hex.p, 2 * DISK_KEY_SIZE);
	*ret_key = key;
	return OK;
}
