/* SPDX-License-Identifier: Apache-2.0
 * Signed URLs that carry their own expiry, keyed from the region's master key. Clients fetch them without a
 * token, like shared access signatures. The handler of a URL checks whether the access was ended earlier.
 */
#include "api/azure/core/action.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/uuid_asked.h"

static struct str sign(struct az_call *e, const char *what, struct str id, struct str until)
{
	uint8_t key[SHA256_SIZE], sum[SHA256_SIZE];
	struct str said =
		str_print(e->c->arena, "%s/%" STR_FMT "/%" STR_FMT, what, STR_ARG(id), STR_ARG(until));
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, STR("azure-address"), key);
	crypto_hmac_sha256(key, sizeof key, said, sum);
	crypto_wipe(key, sizeof key);
	return said.p ? str_encode_hex(e->c->arena, sum, sizeof sum) : STR_NONE;
}

struct str az_sign_address(struct az_call *e, const char *what, uuid id, int64_t until_us)
{
	struct str text = uuid_to_str(e->c->arena, id);
	struct str until = str_print(e->c->arena, "%lld", (long long) (until_us / SECOND));
	return str_print(e->c->arena,
			 "%" STR_FMT "/azure/%s/%" STR_FMT "?sv=2018-03-28&sr=b&sp=r&se=%" STR_FMT
			 "&sig=%" STR_FMT,
			 STR_ARG(e->base_url), what, STR_ARG(text), STR_ARG(until),
			 STR_ARG(sign(e, what, text, until)));
}

static RESULT fail(struct az_call *e)
{
	e->error = &az_bad_signature;
	return ctx_fail(e->c, ERR_UNAUTHENTICATED,
			"Server failed to authenticate the request. Make sure the value of Authorization "
			"header is formed correctly including the signature.");
}

RESULT az_check_address(struct az_call *e, const char *what, uuid *ret_id)
{
	struct str id = az_path_value(e, "id"), until = az_query_value(e, "se"),
		   signature = az_query_value(e, "sig");
	int64_t until_s = 0;
	if (id.n > UUID_TEXT_SIZE || until.n > 20 || !result_is_ok(str_parse_int(until, &until_s)))
		return fail(e);
	struct str wanted = sign(e, what, id, until);
	if (!wanted.p)
		return ctx_no_memory(e->c);
	if (wanted.n != signature.n || !crypto_equal(wanted.p, signature.p, wanted.n) ||
	    clock_now_us() / SECOND >= until_s || !result_is_ok(uuid_parse_asked(id, ret_id)))
		return fail(e);
	return OK;
}
