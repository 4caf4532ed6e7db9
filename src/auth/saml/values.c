/* SPDX-License-Identifier: Apache-2.0
 * Values of a verified assertion for AWS: role, session name, duration, and condition keys of trust policies. Source:
 * IAM User Guide, "Configure SAML assertions for the authentication response" (its tables of attributes). */
#include "auth/saml/saml.h"
#include "base/crypto.h"

static const struct saml_claim *find_claim(const struct saml_assertion *s, struct str name)
{
	for (size_t k = 0; k < s->claim_count; k++)
		if (str_equal(s->claims[k].name, name))
			return &s->claims[k];
	return NULL;
}

struct strs saml_find_named(const struct saml_assertion *s, struct str name)
{
	const struct saml_claim *claim = find_claim(s, name);
	return claim ? claim->values : (struct strs){0};
}

struct strs saml_find_claim(const struct saml_assertion *s, const char *name)
{
	return saml_find_named(s, str_from(name));
}

bool saml_has_role(const struct saml_assertion *s, struct str role_arn, struct str provider_arn)
{
	struct strs pairs = saml_find_claim(s, SAML_CLAIM("Role"));
	for (size_t k = 0; k < pairs.count; k++) {
		struct str pair = pairs.at[k];
		size_t comma = str_find_char(pair, ',', 0);
		struct str one = str_trim(str_slice(pair, 0, comma));
		struct str other = str_trim(str_slice(pair, comma + 1, pair.n));
		if ((str_equal(one, role_arn) && str_equal(other, provider_arn)) ||
		    (str_equal(one, provider_arn) && str_equal(other, role_arn)))
			return true;
	}
	return false;
}

RESULT saml_find_session_name(struct ctx *c, const struct saml_assertion *s, struct str *ret_name)
{
	struct strs values = saml_find_claim(s, SAML_CLAIM("RoleSessionName"));
	if (values.count != 1)
		return ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER,
				     "RoleSessionName is required in AuthnResponse");
	struct str name = values.at[0];
	bool is_good = name.n >= 2 && name.n <= 64;
	for (size_t k = 0; k < name.n && is_good; k++)
		is_good = str_is_alphanumeric(name.p[k]) || strchr("_+=,.@-", name.p[k]);
	*ret_name = name;
	return is_good ? OK
		       : ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER,
				       "RoleSessionName in AuthnResponse must match "
				       "[a-zA-Z_0-9+=,.@-]{2,64}");
}

RESULT saml_find_duration(struct ctx *c, const struct saml_assertion *s, int64_t *ret_seconds)
{
	enum { LEAST_S = 900, MOST_S = 43200 };
	struct strs values = saml_find_claim(s, SAML_CLAIM("SessionDuration"));
	*ret_seconds = 0;
	if (!values.count)
		return OK;
	bool is_good = values.count == 1 && result_is_ok(str_parse_int(values.at[0], ret_seconds)) &&
		       *ret_seconds >= LEAST_S && *ret_seconds <= MOST_S;
	return is_good ? OK
		       : ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER,
				       "SessionDuration in AuthnResponse must be between %d and %d", LEAST_S,
				       MOST_S);
}

struct str saml_name_qualifier(struct arena *a, const struct saml_assertion *s, struct str account_number,
			       struct str provider_name)
{
	uint8_t sum[20];
	struct str text = str_print(a, "%" STR_FMT "%" STR_FMT "/%" STR_FMT, STR_ARG(s->issuer),
				    STR_ARG(account_number), STR_ARG(provider_name));
	crypto_sha1(text, sum);
	return str_encode_base64(a, (struct str){(const char *) sum, sizeof sum});
}

/* ---- condition keys ---- */

/* Attributes by name, and the condition keys that they give. A key with several attributes takes the first that is
 * there: AWS maps one claim per key. */
static const struct {
	const char *attribute, *key;
} mapped[] = {
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "edupersonaffiliation"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "edupersonnickname"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "edupersonorgdn"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "edupersonorgunitdn"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "edupersonprimaryaffiliation"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "edupersonprincipalname"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "edupersonentitlement"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "edupersonprimaryorgunitdn"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "edupersonscopedaffiliation"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "edupersontargetedid"},
	{"urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "edupersonassurance"},
	{"urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "eduorghomepageuri"},
	{"urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "eduorgidentityauthnpolicyuri"},
	{"urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "eduorglegalname"},
	{"urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "eduorgsuperioruri"},
	{"urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "eduorgwhitepagesuri"},
	{"urn:oid:2.5.4.3", "cn"},
	{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "name"},
	{"http://schemas.xmlsoap.org/claims/CommonName", "commonname"},
	{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "givenname"},
	{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "surname"},
	{"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "mail"},
	{"http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid", "uid"},
	{"2.5.4.3", "commonname"},
	{"2.5.4.4", "surname"},
	{"2.4.5.42", "givenname"},
	{"2.5.4.45", "x500uniqueidentifier"},
	{"0.9.2342.19200300100.1.1", "uid"},
	{"0.9.2342.19200300100.1.3", "mail"},
	{"0.9.2342.19200300.100.1.45", "organizationstatus"},
};

static bool give(struct arena *a, struct str value, struct strs *ret_values)
{
	struct str *at = arena_new_object(a, struct str);
	if (!value.n || !at)
		return false;
	*at = value;
	*ret_values = (struct strs){at, 1};
	return true;
}

bool saml_find_key(struct arena *a, const struct saml_assertion *s, struct str account_number,
		   struct str provider_name, struct str key, struct strs *ret_values)
{
	struct str prefix = STR("saml:"), name = str_slice(key, prefix.n, key.n);
	if (!str_starts_with(key, prefix))
		return false;
	if (str_is(name, "aud"))
		return give(a, s->recipient, ret_values);
	if (str_is(name, "iss"))
		return give(a, s->issuer, ret_values);
	if (str_is(name, "sub"))
		return give(a, s->subject, ret_values);
	if (str_is(name, "sub_type"))
		return give(a, s->subject_type, ret_values);
	if (str_is(name, "namequalifier"))
		return give(a, saml_name_qualifier(a, s, account_number, provider_name), ret_values);
	if (str_is(name, "doc"))
		return give(a,
			    str_print(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(account_number),
				      STR_ARG(provider_name)),
			    ret_values);
	for (size_t k = 0; k < sizeof mapped / sizeof mapped[0]; k++) {
		struct strs values = str_is(name, mapped[k].key) ? saml_find_claim(s, mapped[k].attribute)
								 : (struct strs){0};
		if (values.count) {
			*ret_values = values;
			return true;
		}
	}
	return false;
}
