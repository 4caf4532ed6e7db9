/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by an identity provider: what the faces share. */
#include "auth/sign_in/federated.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/random.h"
#include "model/oidc_provider.h"
#include "model/saml_provider.h"

enum { SECRET_SIZE = 32, STAMP_SIZE = 8, EMAIL_MAX = 254 };

/* ---- providers ---- */

static struct strs copy_texts(struct arena *a, struct strs texts)
{
	struct str *at = arena_new_array(a, struct str, texts.count + 1);
	for (size_t k = 0; at && k < texts.count; k++)
		at[k] = str_copy(a, texts.at[k]);
	return (struct strs){at, at ? texts.count : 0};
}

RESULT federated_copy_oidc(struct ctx *c, const struct oidc_provider *p, struct oidc_provider *ret_provider)
{
	struct arena *a = c->arena;
	*ret_provider = (struct oidc_provider){.row.id = p->row.id,
					       .row.commit = p->row.commit,
					       .url = str_copy(a, p->url),
					       .thumbprints = copy_texts(a, p->thumbprints),
					       .client_ids = copy_texts(a, p->client_ids),
					       .sign_in_client = str_copy(a, p->sign_in_client),
					       .sign_in_secret = str_copy(a, p->sign_in_secret),
					       .sign_in_scopes = str_copy(a, p->sign_in_scopes),
					       .sign_in_group_claim = str_copy(a, p->sign_in_group_claim)};
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

RESULT federated_copy_saml(struct ctx *c, const struct saml_provider *p, struct saml_provider *ret_provider)
{
	struct arena *a = c->arena;
	*ret_provider = (struct saml_provider){.row.id = p->row.id,
					       .entity_id = str_copy(a, p->entity_id),
					       .sign_in_url = str_copy(a, p->sign_in_url),
					       .certificates = copy_texts(a, p->certificates),
					       .expires_us = p->expires_us,
					       .sign_in_unasked = p->sign_in_unasked,
					       .sign_in_subject_claim = str_copy(a, p->sign_in_subject_claim),
					       .sign_in_name_claim = str_copy(a, p->sign_in_name_claim),
					       .sign_in_group_claim = str_copy(a, p->sign_in_group_claim)};
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

/* ---- people ---- */

/* Keeps the e-mail address only if the provider has verified it. */
RESULT federated_take_oidc(struct ctx *c, const struct oidc_provider *p, const struct web_identity *w,
			   struct oidc_arrival *arrival)
{
	struct str email = web_identity_find_claim(w, "email");
	bool is_verified = str_is(web_identity_find_claim(w, "email_verified"), "true");
	if (w->subject.n > OIDC_SUBJECT_MAX)
		return ctx_fail_kind(c, ERR_INVALID, KIND_OIDC_PROVIDER, "The token's subject is too long.");
	arrival->subject = w->subject;
	arrival->email = is_verified && email.n <= EMAIL_MAX ? email : STR_NONE;
	arrival->names[0] = web_identity_find_claim(w, "preferred_username");
	arrival->names[1] = email;
	arrival->names[2] = w->subject;
	if (p->sign_in_group_claim.n)
		arrival->groups = web_identity_list_claim(w, p->sign_in_group_claim);
	return OK;
}

/* The first of these attributes that the assertion has. */
static struct str find_first(const struct saml_assertion *s, const char *const *names)
{
	for (; *names; names++) {
		struct strs values = saml_find_claim(s, *names);
		if (values.count)
			return values.at[0];
	}
	return STR_NONE;
}

static RESULT take_subject(struct ctx *c, const struct saml_provider *p, const struct saml_assertion *s,
			   struct saml_arrival *arrival)
{
	struct strs values = saml_find_named(s, p->sign_in_subject_claim);
	bool by_claim = p->sign_in_subject_claim.n;
	arrival->subject = !by_claim ? s->subject : values.count == 1 ? values.at[0] : STR_NONE;
	if (!by_claim && str_is(s->subject_type, "transient"))
		return ctx_fail_kind(
			c, ERR_INVALID, KIND_SAML_PROVIDER,
			"The NameID is transient: it is another at each sign-in. Name an attribute "
			"that identifies people, or have the provider send another NameID.");
	return arrival->subject.n && arrival->subject.n <= SAML_SUBJECT_MAX
		       ? OK
		       : ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER,
				       "The assertion does not say who the person is.");
}

RESULT federated_take_saml(struct ctx *c, const struct saml_provider *p, const struct saml_assertion *s,
			   struct saml_arrival *arrival)
{
	static const char *const emails[] = {
		"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
		"urn:oid:0.9.2342.19200300.100.1.3", "email", "mail", NULL};
	static const char *const names[] = {"urn:oid:0.9.2342.19200300.100.1.1", "username", "uid",
					    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
					    NULL};
	struct strs said = saml_find_named(s, p->sign_in_name_claim);
	struct str email = find_first(s, emails);
	TRY(take_subject(c, p, s, arrival));
	arrival->assertion = s->id;
	arrival->ends_us = s->session_ends_us;
	arrival->email = email.n <= EMAIL_MAX ? email : STR_NONE;
	arrival->names[0] = said.count ? said.at[0] : STR_NONE;
	if (!p->sign_in_name_claim.n)
		arrival->names[0] = find_first(s, names);
	arrival->names[1] = email;
	arrival->names[2] = arrival->subject;
	if (p->sign_in_group_claim.n)
		arrival->groups = saml_find_named(s, p->sign_in_group_claim);
	return OK;
}

/* ---- this region ---- */

static struct str place_of(struct arena *a, struct str endpoint, const char *before, uuid provider,
			   const char *behind)
{
	char id[UUID_TEXT_SIZE];
	return str_print(a, "%" STR_FMT "%s/%s/%s", STR_ARG(endpoint), before, uuid_write(provider, id),
			 behind);
}

struct str federated_browser_consumer(struct arena *a, struct str endpoint, uuid provider)
{
	return place_of(a, endpoint, "/api/v1/session/saml", provider, "acs");
}

struct str federated_program_consumer(struct arena *a, struct str endpoint, uuid provider)
{
	return place_of(a, endpoint, "/identity/v3/OS-FEDERATION/identity_providers", provider,
			"protocols/saml2/auth/ecp");
}

struct saml_service federated_service(struct arena *a, struct str endpoint, uuid provider, bool takes_unasked)
{
	return (struct saml_service){
		.entity_id = place_of(a, endpoint, "/api/v1/session/saml", provider, "metadata"),
		.takes_unasked = takes_unasked};
}

/* An ID of XML begins with a letter or "_". */
struct str federated_request(struct arena *a, struct str secret)
{
	return str_print(a, "_%" STR_FMT, STR_ARG(federated_derive(a, secret, "request")));
}

/* ---- secrets ---- */

/* Associated data of the sealed form: it opens for its provider and purpose only. */
static struct str bound_to(struct arena *a, const char *purpose, uuid provider)
{
	char id[UUID_TEXT_SIZE];
	return str_print(a, "%s %s", purpose, uuid_write(provider, id));
}

RESULT federated_seal(struct ctx *c, const uint8_t *master_key, const char *purpose, uuid provider,
		      struct str *ret_secret, struct str *ret_sealed)
{
	char *plain = arena_alloc(c->arena, SECRET_SIZE + STAMP_SIZE);
	int64_t now_us = clock_now_us();
	struct str sealed = STR_NONE;
	if (!plain)
		return ctx_no_memory(c);
	random_bytes(plain, SECRET_SIZE);
	memcpy(plain + SECRET_SIZE, &now_us, STAMP_SIZE);
	TRY(crypto_seal(c, master_key, bound_to(c->arena, purpose, provider),
			(struct str){plain, SECRET_SIZE + STAMP_SIZE}, &sealed));
	*ret_secret = (struct str){plain, SECRET_SIZE};
	*ret_sealed = str_encode_base64url(c->arena, sealed);
	return ret_sealed->p ? OK : ctx_no_memory(c);
}

bool federated_open(struct ctx *c, const uint8_t *master_key, const char *purpose, uuid provider,
		    struct str text, struct str *ret_secret, int64_t *ret_until_us)
{
	struct str sealed = STR_NONE, plain = STR_NONE;
	int64_t begun_us = 0;
	bool is_open = result_is_ok(str_decode_base64url(c->arena, text, &sealed)) &&
		       result_is_ok(crypto_open(c, master_key, bound_to(c->arena, purpose, provider), sealed,
						&plain)) &&
		       plain.n == SECRET_SIZE + STAMP_SIZE;
	ctx_clear_problem(c);
	if (!is_open)
		return false;
	memcpy(&begun_us, plain.p + SECRET_SIZE, STAMP_SIZE);
	*ret_secret = str_slice(plain, 0, SECRET_SIZE);
	*ret_until_us = begun_us + FEDERATED_BEGUN_US;
	return begun_us <= clock_now_us() && clock_now_us() < *ret_until_us;
}

struct str federated_derive(struct arena *a, struct str secret, const char *what)
{
	uint8_t mac[SHA256_SIZE];
	crypto_hmac_sha256(secret.p, secret.n, str_from(what), mac);
	return str_encode_base64url(a, (struct str){(const char *) mac, sizeof mac});
}
