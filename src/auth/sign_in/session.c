/* SPDX-License-Identifier: Apache-2.0
 * Temporary credentials: packs, seals and opens session tokens. */
#include "auth/sign_in/session.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/random.h"

enum { VERSION = 4, HALF_SIZE = 5, SECRET_SIZE = 30 /* 40 characters in base64 */ };

#define NUMBERS_END UINT64_C(1000000000000) /* account numbers have 12 digits */

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Header of the plaintext token. Strings follow, each preceded by its size: name, policy, keys and values of
 * tags; then the ids of policies. Numbers are little-endian, so that another machine with the same master key reads the token.
 * VERSION grows with each change of the layout: older tokens are then refused. */
struct head {
	uint8_t version, policy_count, tag_count, zero;
	uuid account, user, iam_role, instance, router;
	uint64_t issued_us, expires_us, factor_us;
} __attribute__((packed));

void session_derive_keys(const uint8_t master[static MASTER_KEY_SIZE], struct session_keys *ret_keys)
{
	crypto_hmac_sha256(master, MASTER_KEY_SIZE, STR("session token"), ret_keys->seal);
	crypto_hmac_sha256(master, MASTER_KEY_SIZE, STR("session key id"), ret_keys->id);
	crypto_hmac_sha256(master, MASTER_KEY_SIZE, STR("session secret"), ret_keys->secret);
}

/* ---- access key ids: forty random bits, and the number masked by them ---- */

bool session_is_key_id(struct str key_id)
{
	return key_id.n == SESSION_KEY_ID_SIZE && str_starts_with(key_id, STR("ASIA"));
}

static void mask(const struct session_keys *keys, const uint8_t drawn[static HALF_SIZE],
		 uint8_t half[static HALF_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	crypto_hmac_sha256(keys->id, sizeof keys->id, (struct str){(const char *) drawn, HALF_SIZE}, digest);
	for (size_t k = 0; k < HALF_SIZE; k++)
		half[k] ^= digest[k];
}

static void write_half(const uint8_t half[static HALF_SIZE], char out[static 2 * HALF_SIZE - 2])
{
	uint64_t bits = 0;
	for (size_t k = 0; k < HALF_SIZE; k++)
		bits = bits << 8 | half[k];
	for (size_t k = 8; k-- > 0; bits >>= 5)
		out[k] = base32[bits & 31];
}

static bool read_half(const char text[static 2 * HALF_SIZE - 2], uint8_t ret_half[static HALF_SIZE])
{
	uint64_t bits = 0;
	for (size_t k = 0; k < 8; k++) {
		const char *digit = text[k] ? strchr(base32, text[k]) : NULL;
		if (!digit)
			return false;
		bits = bits << 5 | (uint64_t) (digit - base32);
	}
	for (size_t k = HALF_SIZE; k-- > 0; bits >>= 8)
		ret_half[k] = (uint8_t) bits;
	return true;
}

static RESULT draw_key_id(struct ctx *c, const struct session_keys *keys, struct str number,
			  struct str *ret_key_id)
{
	uint8_t drawn[HALF_SIZE], half[HALF_SIZE];
	char text[SESSION_KEY_ID_SIZE] = "ASIA";
	int64_t value = 0;
	TRY(str_parse_int(number, &value));
	random_bytes(drawn, sizeof drawn);
	for (size_t k = HALF_SIZE; k-- > 0; value >>= 8)
		half[k] = (uint8_t) value;
	mask(keys, drawn, half);
	write_half(drawn, text + 4);
	write_half(half, text + 12);
	*ret_key_id = str_copy(c->arena, (struct str){text, sizeof text});
	return ret_key_id->p ? OK : ctx_no_memory(c);
}

bool session_read_number(const struct session_keys *keys, struct str key_id,
			 char ret_number[static ACCOUNT_NUMBER_SIZE])
{
	uint8_t drawn[HALF_SIZE], half[HALF_SIZE];
	char text[ACCOUNT_NUMBER_SIZE + 1];
	uint64_t value = 0;
	if (!session_is_key_id(key_id) || !read_half(key_id.p + 4, drawn) || !read_half(key_id.p + 12, half))
		return false;
	mask(keys, drawn, half);
	for (size_t k = 0; k < HALF_SIZE; k++)
		value = value << 8 | half[k];
	if (value >= NUMBERS_END)
		return false;
	(void) snprintf(text, sizeof text, "%012" PRIu64, value);
	memcpy(ret_number, text, ACCOUNT_NUMBER_SIZE);
	return true;
}

/* ---- packing ---- */

size_t session_packed_size(const struct session *s)
{
	size_t size = s->name.n + s->policy.n + s->policies.count * sizeof(uuid);
	for (size_t k = 0; k < s->tags.count; k++)
		size += s->tags.at[k].key.n + s->tags.at[k].value.n;
	return size;
}

static void put_bytes(char **at, const void *bytes, size_t size)
{
	if (size)
		memcpy(*at, bytes, size);
	*at += size;
}

static void put_text(char **at, struct str text)
{
	uint16_t size = htole16((uint16_t) text.n);
	put_bytes(at, &size, sizeof size);
	put_bytes(at, text.p, text.n);
}

/* Little-endian whatever the processor: a session outlives a move of the region to another machine. */
static struct str pack(struct arena *a, const struct session *s)
{
	struct head head = {.version = VERSION,
			    .policy_count = (uint8_t) s->policies.count,
			    .tag_count = (uint8_t) s->tags.count,
			    .account = s->account,
			    .user = s->user,
			    .iam_role = s->iam_role,
			    .instance = s->instance,
			    .router = s->router,
			    .issued_us = htole64((uint64_t) s->issued_us),
			    .expires_us = htole64((uint64_t) s->expires_us),
			    .factor_us = htole64((uint64_t) s->factor_us)};
	size_t size = sizeof head + session_packed_size(s) + (2 + 2 * s->tags.count) * sizeof(uint16_t);
	char *whole = arena_alloc(a, size), *at = whole;
	if (!whole)
		return STR_NONE;
	put_bytes(&at, &head, sizeof head);
	put_text(&at, s->name);
	put_text(&at, s->policy);
	for (size_t k = 0; k < s->tags.count; k++) {
		put_text(&at, s->tags.at[k].key);
		put_text(&at, s->tags.at[k].value);
	}
	put_bytes(&at, s->policies.at, s->policies.count * sizeof(uuid));
	return (struct str){whole, size};
}

/* The plaintext was packed here and is authenticated; sizes are checked nevertheless. */
static bool take(struct str *rest, void *out, size_t size)
{
	if (rest->n < size)
		return false;
	memcpy(out, rest->p, size);
	*rest = str_slice(*rest, size, rest->n);
	return true;
}

static bool take_text(struct str *rest, struct str *ret_text)
{
	uint16_t size = 0;
	if (!take(rest, &size, sizeof size) || rest->n < le16toh(size))
		return false;
	*ret_text = str_slice(*rest, 0, le16toh(size));
	*rest = str_slice(*rest, le16toh(size), rest->n);
	return true;
}

static bool unpack(struct arena *a, struct str plain, struct session *ret_session)
{
	struct head head;
	struct str rest = plain;
	if (!take(&rest, &head, sizeof head) || head.version != VERSION ||
	    head.tag_count > SESSION_TAGS_MAX || head.policy_count > SESSION_POLICIES_MAX)
		return false;
	struct session s = {.account = head.account,
			    .user = head.user,
			    .iam_role = head.iam_role,
			    .instance = head.instance,
			    .router = head.router,
			    .issued_us = (int64_t) le64toh(head.issued_us),
			    .expires_us = (int64_t) le64toh(head.expires_us),
			    .factor_us = (int64_t) le64toh(head.factor_us)};
	struct tag *tags = arena_new_array(a, struct tag, head.tag_count + 1U);
	uuid *policies = arena_new_array(a, uuid, head.policy_count + 1U);
	if (!tags || !policies || !take_text(&rest, &s.name) || !take_text(&rest, &s.policy))
		return false;
	for (size_t k = 0; k < head.tag_count; k++)
		if (!take_text(&rest, &tags[k].key) || !take_text(&rest, &tags[k].value))
			return false;
	if (!take(&rest, policies, head.policy_count * sizeof *policies) || rest.n)
		return false;
	s.tags = (struct tags){tags, head.tag_count};
	s.policies = (struct uuids){policies, head.policy_count};
	*ret_session = s;
	return true;
}

/* ---- sealing ---- */

struct str session_derive_secret(struct arena *a, const struct session_keys *keys, struct str token)
{
	uint8_t digest[SHA256_SIZE];
	crypto_hmac_sha256(keys->secret, sizeof keys->secret, token, digest);
	struct str secret = str_encode_base64(a, (struct str){(const char *) digest, SECRET_SIZE});
	crypto_wipe(digest, sizeof digest);
	return secret;
}

RESULT session_issue(struct ctx *c, const struct session_keys *keys, const struct session *s,
		     struct str number, struct session_credentials *ret_credentials)
{
	struct session_credentials out = {0};
	struct str sealed = STR_NONE;
	if (session_packed_size(s) > SESSION_PACKED_MAX || s->tags.count > SESSION_TAGS_MAX ||
	    s->policies.count > SESSION_POLICIES_MAX)
		return ctx_fail(c, ERR_QUOTA,
				"Packed policy consumes %zu%% of allotted space, please use smaller policy.",
				(session_packed_size(s) * 100 + SESSION_PACKED_MAX - 1) / SESSION_PACKED_MAX);
	struct str plain = pack(c->arena, s);
	if (!plain.p)
		return ctx_no_memory(c);
	TRY(draw_key_id(c, keys, number, &out.key_id));
	TRY(crypto_seal(c, keys->seal, out.key_id, plain, &sealed));
	out.token = str_encode_base64(c->arena, sealed);
	out.secret = out.token.p ? session_derive_secret(c->arena, keys, out.token) : STR_NONE;
	if (!out.secret.p)
		return ctx_no_memory(c);
	*ret_credentials = out;
	return OK;
}

bool session_open(struct ctx *c, const struct session_keys *keys, struct str key_id, struct str token,
		  struct session *ret_session)
{
	struct str sealed = STR_NONE, plain = STR_NONE;
	if (token.n > SESSION_TOKEN_MAX || !result_is_ok(str_decode_base64(c->arena, token, &sealed)))
		return false;
	if (!result_is_ok(crypto_open(c, keys->seal, key_id, sealed, &plain))) {
		ctx_clear_problem(c);
		return false;
	}
	return unpack(c->arena, plain, ret_session);
}
