/* SPDX-License-Identifier: Apache-2.0
 * Generates initial passwords for guests: Nova's adminPass, and CloudStack templates with passwordenabled.
 */
#include "api/core/guest_password.h"
#include "api/core/face.h"
#include "base/crypto.h"

enum { DRAWN_LENGTH = 16 };

/* Letters and digits that are not easily confused. 32 characters, a power of two, make each equally
 * likely. */
static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
_Static_assert(sizeof alphabet - 1 == 32, "five bits a character");

/* Derives the password from the call's random request id under the master key. Nobody else can compute
 * it, and nothing has to be stored. */
static struct str draw(struct api_call *e)
{
	uint8_t bytes[SHA256_SIZE];
	char *p = arena_alloc(e->c->arena, DRAWN_LENGTH);
	struct str of = str_print(e->c->arena, "adminPass %" STR_FMT, STR_ARG(e->c->request_id));
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, of, bytes);
	for (size_t k = 0; p && k < DRAWN_LENGTH; k++)
		p[k] = alphabet[bytes[k] % 32];
	crypto_wipe(bytes, sizeof bytes);
	return p ? (struct str){p, DRAWN_LENGTH} : STR_NONE;
}

RESULT api_draw_guest_password(struct api_call *e, struct str *password)
{
	if (str_is_empty(*password))
		*password = draw(e);
	return password->p ? OK : ctx_no_memory(e->c);
}

RESULT api_seal_guest_password(struct api_call *e, uuid account, struct str password, struct str *ret_sealed)
{
	return crypto_seal(e->c, e->config->master_key, uuid_to_str(e->c->arena, account), password,
			   ret_sealed);
}

RESULT api_open_guest_password(struct api_call *e, uuid account, struct str sealed, struct str *ret_password)
{
	return crypto_open(e->c, e->config->master_key, uuid_to_str(e->c->arena, account), sealed,
			   ret_password);
}
