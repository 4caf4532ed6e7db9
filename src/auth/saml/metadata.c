/* SPDX-License-Identifier: Apache-2.0
 * Metadata documents of SAML identity providers (SAML 2.0 Metadata, section 2.4.3). Their own signatures are not
 * verified: whoever may change the provider vouches for the document, as in AWS. */
#include "auth/saml/saml_internal.h"
#include "base/clock.h"
#include "base/crypto.h"

enum { ENTITY_ID_MAX = 1024, URL_MAX = 2048 };
/* Validity of metadata without validUntil. Guessed: AWS documents no value. */
#define VALID_YEARS 100
#define YEAR_US (INT64_C(8766) * HOUR) /* 365 days and a quarter */

static RESULT fail(struct ctx *c, const char *why)
{
	return ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER, "Could not parse metadata%s%s",
			     *why ? ": " : "", why);
}

struct keys {
	struct str at[SAML_CERTIFICATES_MAX];
	size_t count;
};

static bool has_key(const struct keys *keys, struct str text)
{
	for (size_t k = 0; k < keys->count; k++)
		if (str_equal(keys->at[k], text))
			return true;
	return false;
}

/* Stores a certificate in base64 without line ends. */
static RESULT add_certificate(struct ctx *c, const xmlNode *certificate, struct keys *keys)
{
	struct str der = STR_NONE;
	if (!result_is_ok(str_decode_base64(c->arena, saml_text(c->arena, certificate), &der)) ||
	    !crypto_is_verifier(der))
		return fail(c,
			    "a signing certificate has neither an RSA key of 2048 to 8192 bits nor a key on "
			    "P-256, P-384 or P-521.");
	struct str text = str_encode_base64(c->arena, der);
	if (has_key(keys, text))
		return OK;
	if (keys->count == SAML_CERTIFICATES_MAX)
		return ctx_fail_kind(c, ERR_QUOTA, KIND_SAML_PROVIDER,
				     "Cannot exceed quota for KeysPerSAMLProvider: %d",
				     SAML_CERTIFICATES_MAX);
	keys->at[keys->count++] = text;
	return OK;
}

/* A key without "use" is for signing, too. */
static RESULT add_keys(struct ctx *c, const xmlNode *descriptor, struct keys *keys)
{
	struct str use = saml_attribute(c->arena, descriptor, "use");
	if (use.p && !str_is(use, "signing"))
		return OK;
	xmlNodePtr info = saml_child(descriptor, SAML_SIGNATURE_NS, "KeyInfo");
	xmlNodePtr data = saml_child(info, SAML_SIGNATURE_NS, "X509Data");
	for (; data; data = saml_next(data, SAML_SIGNATURE_NS, "X509Data")) {
		xmlNodePtr at = saml_child(data, SAML_SIGNATURE_NS, "X509Certificate");
		for (; at; at = saml_next(at, SAML_SIGNATURE_NS, "X509Certificate"))
			TRY(add_certificate(c, at, keys));
	}
	return OK;
}

static RESULT read_keys(struct ctx *c, const xmlNode *role, struct strs *ret_certificates)
{
	struct keys *keys = arena_new_object(c->arena, struct keys);
	if (!keys)
		return ctx_no_memory(c);
	xmlNodePtr at = saml_child(role, SAML_METADATA_NS, "KeyDescriptor");
	for (; at; at = saml_next(at, SAML_METADATA_NS, "KeyDescriptor"))
		TRY(add_keys(c, at, keys));
	*ret_certificates = (struct strs){keys->at, keys->count};
	return keys->count ? OK : fail(c, "it has no signing certificate.");
}

/* Prefers the redirect binding, with which people's browsers are sent there. */
static RESULT read_sign_in(struct ctx *c, const xmlNode *role, struct str *ret_url)
{
	xmlNodePtr at = saml_child(role, SAML_METADATA_NS, "SingleSignOnService");
	for (; at; at = saml_next(at, SAML_METADATA_NS, "SingleSignOnService")) {
		struct str binding = saml_attribute(c->arena, at, "Binding");
		if (!ret_url->n || str_ends_with(binding, STR(":HTTP-Redirect")))
			*ret_url = saml_attribute(c->arena, at, "Location");
	}
	bool is_web = str_starts_with(*ret_url, STR("https://")) || str_starts_with(*ret_url, STR("http://"));
	return is_web && ret_url->n <= URL_MAX && str_is_line(*ret_url)
		       ? OK
		       : fail(c, "it has no SingleSignOnService with a web address.");
}

static RESULT read_end(struct ctx *c, const xmlNode *entity, const xmlNode *role, int64_t *ret_expires_us)
{
	int64_t now_us = clock_now_us(), of_entity_us = 0, of_role_us = 0;
	if (!saml_time(c->arena, entity, "validUntil", &of_entity_us) ||
	    !saml_time(c->arena, role, "validUntil", &of_role_us))
		return fail(c, "validUntil is not a time.");
	*ret_expires_us = now_us / SECOND * SECOND + VALID_YEARS * YEAR_US;
	if (of_entity_us)
		*ret_expires_us = of_entity_us;
	if (of_role_us && of_role_us < *ret_expires_us)
		*ret_expires_us = of_role_us;
	return *ret_expires_us > now_us ? OK : fail(c, "it is valid no more: see validUntil.");
}

RESULT saml_read_metadata(struct ctx *c, struct str text, struct saml_document *ret_document)
{
	AUTO_DOC doc = saml_parse(text);
	xmlNodePtr entity = doc ? xmlDocGetRootElement(doc) : NULL;
	if (!saml_is(entity, SAML_METADATA_NS, "EntityDescriptor"))
		return fail(c, "");
	xmlNodePtr role = saml_only_child(entity, SAML_METADATA_NS, "IDPSSODescriptor");
	struct saml_document d = {.text = text, .entity_id = saml_attribute(c->arena, entity, "entityID")};
	if (!role)
		return fail(c, "it has no IDPSSODescriptor, or several.");
	if (!d.entity_id.n || d.entity_id.n > ENTITY_ID_MAX || !str_is_line(d.entity_id))
		return fail(c, "entityID has 1 to 1024 characters.");
	TRY(read_keys(c, role, &d.certificates));
	TRY(read_sign_in(c, role, &d.sign_in_url));
	TRY(read_end(c, entity, role, &d.expires_us));
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	*ret_document = d;
	return OK;
}
