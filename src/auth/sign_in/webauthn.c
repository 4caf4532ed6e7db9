/* SPDX-License-Identifier: Apache-2.0
 * Checks a passkey's answer, in the order of the sources. A challenge consists of a time, random bytes, and a
 * MAC over both and the party: its return proves that we issued it, and when. */
#include "auth/sign_in/webauthn.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/ip.h"
#include "base/random.h"

enum { STAMP_SIZE = 8, CHANCE_SIZE = 16, HEAD_SIZE = STAMP_SIZE + CHANCE_SIZE };
enum { FLAG_PRESENT = 0x01, FLAG_VERIFIED = 0x04, FLAG_HAS_CREDENTIAL = 0x40 };
/* Layout of authenticator data: digest of the host name, flags, counter; for a new key also the
 * authenticator's model and the credential id, preceded by its length. */
enum { AT_FLAGS = 32, AT_COUNTER = 33, DATA_SIZE_MIN = 37, AT_LENGTH = 53, AT_CREDENTIAL = 55 };

static void json_autofree(json_t **json)
{
	json_decref(*json);
}
#define AUTO_JSON __attribute__((cleanup(json_autofree))) json_t *

static RESULT fail(struct ctx *c, const char *why)
{
	return ctx_fail(c, ERR_INVALID, "%s", why);
}

/* ---- challenges ---- */

static void seal(const uint8_t master[static MASTER_KEY_SIZE], const struct webauthn_party *party,
		 const uint8_t *head, uint8_t ret_mac[static SHA256_SIZE])
{
	uint8_t key[SHA256_SIZE];
	struct {
		uint8_t head[HEAD_SIZE], user[sizeof(uuid)], is_new;
	} said = {.is_new = party->is_new};
	memcpy(said.head, head, HEAD_SIZE);
	memcpy(said.user, party->user.b, sizeof said.user);
	crypto_hmac_sha256(master, MASTER_KEY_SIZE, STR("passkey challenge"), key);
	crypto_hmac_sha256(key, sizeof key, (struct str){(const char *) &said, sizeof said}, ret_mac);
	crypto_wipe(key, sizeof key);
}

void webauthn_draw_challenge(const uint8_t master[static MASTER_KEY_SIZE], const struct webauthn_party *party,
			     uint8_t ret_challenge[static WEBAUTHN_CHALLENGE_SIZE])
{
	int64_t now_us = clock_now_us();
	memcpy(ret_challenge, &now_us, STAMP_SIZE);
	random_bytes(ret_challenge + STAMP_SIZE, CHANCE_SIZE);
	seal(master, party, ret_challenge, ret_challenge + HEAD_SIZE);
}

/* False: not ours, for another party, or too old. */
static bool open_challenge(struct arena *a, const uint8_t master[static MASTER_KEY_SIZE],
			   const struct webauthn_party *party, struct str text, int64_t *ret_asked_us)
{
	struct str bytes = STR_NONE;
	uint8_t mac[SHA256_SIZE];
	int64_t asked_us = 0, now_us = clock_now_us();
	if (!result_is_ok(str_decode_base64url(a, text, &bytes)) || bytes.n != WEBAUTHN_CHALLENGE_SIZE)
		return false;
	seal(master, party, (const uint8_t *) bytes.p, mac);
	memcpy(&asked_us, bytes.p, STAMP_SIZE);
	*ret_asked_us = asked_us;
	return crypto_equal(mac, bytes.p + HEAD_SIZE, sizeof mac) && asked_us <= now_us &&
	       now_us - asked_us < WEBAUTHN_LIFETIME_US;
}

/* ---- what the browser says ---- */

static struct str member(const json_t *json, const char *name)
{
	const json_t *text = json_object_get(json, name);
	return json_is_string(text) ? (struct str){json_string_value(text), json_string_length(text)}
				    : STR_NONE;
}

static RESULT read_client_data(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
			       const struct webauthn_party *party, struct str text, int64_t *ret_asked_us)
{
	AUTO_JSON json = text.n <= WEBAUTHN_CLIENT_DATA_MAX
				 ? json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL)
				 : NULL;
	if (!json_is_object(json))
		return fail(c, "What the browser says of the passkey is no JSON.");
	if (!str_is(member(json, "type"), party->is_new ? "webauthn.create" : "webauthn.get"))
		return fail(c, "The passkey's answer is to another question.");
	if (!open_challenge(c->arena, master, party, member(json, "challenge"), ret_asked_us))
		return fail(c, "The passkey's challenge is not of here, or is over.");
	if (!str_equal(member(json, "origin"), party->origin) ||
	    json_is_true(json_object_get(json, "crossOrigin")))
		return fail(c, "The passkey was used on another page.");
	return OK;
}

/* ---- what the authenticator says ---- */

static uint32_t read_number(const uint8_t *p, size_t size)
{
	uint32_t n = 0;
	for (size_t k = 0; k < size; k++)
		n = n << 8 | p[k];
	return n;
}

static RESULT read_credential(struct ctx *c, struct str data, struct str *ret_credential)
{
	const uint8_t *bytes = (const uint8_t *) data.p;
	size_t size = data.n > AT_CREDENTIAL ? read_number(bytes + AT_LENGTH, 2) : 0;
	if (!(bytes[AT_FLAGS] & FLAG_HAS_CREDENTIAL) || size < 1 || size > WEBAUTHN_CREDENTIAL_MAX ||
	    size > data.n - AT_CREDENTIAL)
		return fail(c, "The authenticator names no passkey.");
	*ret_credential = str_slice(data, AT_CREDENTIAL, AT_CREDENTIAL + size);
	return OK;
}

RESULT webauthn_read(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		     const struct webauthn_party *party, const struct webauthn_answer *answer,
		     struct webauthn_said *ret_said)
{
	struct webauthn_said said = {0};
	const uint8_t *bytes = (const uint8_t *) answer->data.p;
	uint8_t digest[SHA256_SIZE];
	TRY(read_client_data(c, master, party, answer->client_data, &said.asked_us));
	if (answer->data.n < DATA_SIZE_MIN || answer->data.n > WEBAUTHN_DATA_MAX)
		return fail(c, "The authenticator's data are too short, or too long.");
	crypto_sha256(party->rp, digest);
	if (!crypto_equal(digest, bytes, sizeof digest))
		return fail(c, "The passkey is for another host.");
	if (!(bytes[AT_FLAGS] & FLAG_PRESENT))
		return fail(c, "Nobody was there when the passkey was used.");
	said.is_verified = bytes[AT_FLAGS] & FLAG_VERIFIED;
	said.counter = read_number(bytes + AT_COUNTER, 4);
	if (party->is_new)
		TRY(read_credential(c, answer->data, &said.credential));
	*ret_said = said;
	return OK;
}

bool webauthn_has_signed(struct str public_key, struct arena *a, const struct webauthn_answer *answer)
{
	uint8_t digest[SHA256_SIZE];
	crypto_sha256(answer->client_data, digest);
	const struct str parts[] = {answer->data, {(const char *) digest, sizeof digest}};
	struct str signed_part = str_join(a, parts, sizeof parts / sizeof *parts);
	return signed_part.p && answer->signature.n <= WEBAUTHN_SIGNATURE_MAX &&
	       crypto_verify_der(public_key, signed_part, answer->signature);
}

bool webauthn_is_key(struct str public_key)
{
	return public_key.n <= WEBAUTHN_KEY_MAX && crypto_is_der_key(public_key);
}

bool webauthn_is_rp(struct str host)
{
	struct ip ip;
	return host.n && host.p[0] != '[' && !result_is_ok(ip_parse(host, &ip));
}
