/* SPDX-License-Identifier: Apache-2.0
 * Verification of SAML responses: the form of the document, then its signatures, then the Assertion that they cover. */
#include "auth/saml/saml_internal.h"
#include "base/clock.h"
#include "model/saml_provider.h"

#define FORMAT_PREFIX "urn:oasis:names:tc:SAML:2.0:nameid-format:"
#define SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"
#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"

struct reading {
	struct ctx *c;
	const struct saml_provider *provider;
	const struct saml_service *service; /* NULL: AWS */
	xmlNodePtr response, assertion;
	int64_t now_us;
	struct saml_assertion *out;
};

static RESULT expired(struct reading *r, const char *why)
{
	return ctx_fail_kind(r->c, ERR_EXPIRED, KIND_SAML_PROVIDER, "%s", why);
}

static struct str attribute(const struct reading *r, const xmlNode *node, const char *name)
{
	return saml_attribute(r->c->arena, node, name);
}

/* ---- the form of the document ---- */

/* Elements that a document may have at one place only: anywhere else they are there to be confused with those. */
struct census {
	size_t responses, assertions, signatures, id_count;
	struct str *ids; /* all ids, each in its attribute ID */
};

static bool is_named(const xmlNode *node, const char *name)
{
	return str_is(str_from((const char *) node->name), name);
}

/* Refuses ids in other spellings, xml:id among them: they mean the same to some programs. XML Signature itself has
 * "Id", which nothing here refers to. */
static bool count_ids(struct arena *a, const xmlNode *node, struct census *s)
{
	for (const xmlAttr *at = node->properties; at; at = at->next) {
		struct str name = str_from((const char *) at->name);
		if (!str_equal_nocase(name, STR("ID")))
			continue;
		if (!at->ns && str_is(name, "ID"))
			s->ids[s->id_count++] = saml_attribute(a, node, "ID");
		else if (at->ns || !saml_is(node, SAML_SIGNATURE_NS, (const char *) node->name))
			return false;
	}
	return true;
}

static bool count_all(struct arena *a, const xmlNode *node, unsigned depth, struct census *s)
{
	if (node->type == XML_ENTITY_REF_NODE || depth > SAML_DEPTH_MAX)
		return false;
	if (node->type != XML_ELEMENT_NODE)
		return true;
	if (s->id_count >= SAML_ELEMENTS_MAX || !count_ids(a, node, s))
		return false;
	s->responses += is_named(node, "Response");
	s->assertions += is_named(node, "Assertion");
	s->signatures += is_named(node, "Signature");
	for (const xmlNode *child = node->children; child; child = child->next)
		if (!count_all(a, child, depth + 1, s))
			return false;
	return true;
}

static int compare_ids(const void *a, const void *b)
{
	return str_compare(*(const struct str *) a, *(const struct str *) b);
}

static bool are_unique(struct census *s)
{
	qsort(s->ids, s->id_count, sizeof s->ids[0], compare_ids);
	for (size_t k = 1; k < s->id_count; k++)
		if (str_equal(s->ids[k - 1], s->ids[k]))
			return false;
	return true;
}

static RESULT check_form(struct reading *r, xmlDocPtr doc)
{
	struct census s = {.ids = arena_new_array(r->c->arena, struct str, SAML_ELEMENTS_MAX + 1)};
	xmlNodePtr root = xmlDocGetRootElement(doc);
	if (!s.ids)
		return ctx_no_memory(r->c);
	if (!saml_is(root, SAML_PROTOCOL_NS, "Response") || !count_all(r->c->arena, root, 1, &s))
		return saml_fail(r->c, "Invalid SAML response: it is not a Response of SAML 2.0.");
	if (saml_child(root, SAML_ASSERTION_NS, "EncryptedAssertion"))
		return saml_fail(r->c, "Invalid SAML response: encrypted assertions are not supported here.");
	r->response = root;
	r->assertion = saml_only_child(root, SAML_ASSERTION_NS, "Assertion");
	size_t signatures = (saml_child(root, SAML_SIGNATURE_NS, "Signature") != NULL) +
			    (saml_child(r->assertion, SAML_SIGNATURE_NS, "Signature") != NULL);
	bool is_good = s.responses == 1 && s.assertions == 1 && r->assertion && s.signatures == signatures &&
		       are_unique(&s) && str_is(attribute(r, root, "Version"), "2.0") &&
		       str_is(attribute(r, r->assertion, "Version"), "2.0");
	return is_good ? OK
		       : saml_fail(r->c, "Invalid SAML response: it must have one Assertion, whose ID is "
					 "unique, and no other signatures than those of both.");
}

/* The provider's own refusal. It need not be signed to be believed, because it gives nothing. */
static RESULT check_status(struct reading *r)
{
	xmlNodePtr status = saml_only_child(r->response, SAML_PROTOCOL_NS, "Status");
	xmlNodePtr code = saml_only_child(status, SAML_PROTOCOL_NS, "StatusCode");
	if (!code)
		return saml_fail(r->c, "Invalid SAML response: it has no StatusCode.");
	if (str_is(attribute(r, code, "Value"), SUCCESS))
		return OK;
	return ctx_fail_kind(r->c, ERR_DENIED, KIND_SAML_PROVIDER,
			     "The identity provider reported that authentication failed: %" STR_FMT,
			     STR_ARG(str_cut(attribute(r, code, "Value"), 256)));
}

/* Signatures of the Response and of the Assertion: one at least, and none that is wrong. */
static RESULT check_signatures(struct reading *r)
{
	bool has_outer = false, has_inner = false;
	TRY(saml_verify(r->c, r->response, r->provider->certificates, &has_outer));
	TRY(saml_verify(r->c, r->assertion, r->provider->certificates, &has_inner));
	return has_outer || has_inner ? OK : saml_fail(r->c, "Response signature invalid");
}

/* ---- for whom, from whom, when ---- */

/* "https://signin.aws.amazon.com/saml", or with a region: "https://eu-west-1.signin.aws.amazon.com/saml". */
static bool is_endpoint_of_aws(struct str url)
{
	struct str scheme = STR("https://"), rest = STR("signin.aws.amazon.com/saml");
	if (!str_starts_with(url, scheme) || !str_ends_with(url, rest) || url.n < scheme.n + rest.n)
		return false;
	struct str region = str_slice(url, scheme.n, url.n - rest.n);
	bool is_good = !region.n || (region.n > 1 && region.n <= 64 && region.p[region.n - 1] == '.');
	for (size_t k = 0; k + 1 < region.n && is_good; k++)
		is_good = str_is_alphanumeric(region.p[k]) || region.p[k] == '-';
	return is_good;
}

static bool is_endpoint(const struct reading *r, struct str url)
{
	return r->service ? str_equal(url, r->service->consumer) : is_endpoint_of_aws(url);
}

static bool is_audience(const struct reading *r, struct str said)
{
	return r->service ? str_equal(said, r->service->entity_id)
			  : str_is(said, "urn:amazon:webservices") || is_endpoint_of_aws(said);
}

/* The browser's own request. A response to none may come from anybody who has an account at the provider: it is accepted by setting. */
static bool answers(const struct reading *r, struct str request)
{
	return !r->service ||
	       (request.n ? str_equal(request, r->service->request) : r->service->takes_unasked);
}

static RESULT check_issuers(struct reading *r)
{
	xmlNodePtr outer = saml_child(r->response, SAML_ASSERTION_NS, "Issuer");
	struct arena *a = r->c->arena;
	r->out->issuer = saml_text(a, saml_only_child(r->assertion, SAML_ASSERTION_NS, "Issuer"));
	bool is_good = r->out->issuer.n && str_equal(r->out->issuer, r->provider->entity_id) &&
		       (!outer || str_equal(saml_text(a, outer), r->out->issuer));
	return is_good ? OK : saml_fail(r->c, "Issuer not present in specified provider");
}

static RESULT check_issued(struct reading *r)
{
	int64_t issued_us = 0;
	if (!saml_time(r->c->arena, r->assertion, "IssueInstant", &issued_us) || !issued_us)
		return saml_fail(r->c, "Invalid SAML response: the Assertion has no IssueInstant.");
	if (issued_us > r->now_us + SAML_SKEW_US)
		return saml_fail(r->c, "Invalid SAML response: the Assertion was issued in the future.");
	return issued_us + SAML_REDEEM_US > r->now_us
		       ? OK
		       : expired(r, "Token must be redeemed within 5 minutes of issuance");
}

/* NotBefore and NotOnOrAfter of an element, either of which may be absent. */
static RESULT check_window(struct reading *r, const xmlNode *node)
{
	int64_t from_us = 0, until_us = 0;
	if (!saml_time(r->c->arena, node, "NotBefore", &from_us) ||
	    !saml_time(r->c->arena, node, "NotOnOrAfter", &until_us))
		return saml_fail(r->c, "Invalid SAML response: a time is malformed.");
	if (from_us > r->now_us + SAML_SKEW_US)
		return saml_fail(r->c, "Invalid SAML response: the Assertion is not valid yet.");
	return !until_us || until_us + SAML_SKEW_US > r->now_us ? OK : expired(r, "Response has expired");
}

static bool has_audience(struct reading *r, const xmlNode *restriction)
{
	xmlNodePtr at = saml_child(restriction, SAML_ASSERTION_NS, "Audience");
	for (; at; at = saml_next(at, SAML_ASSERTION_NS, "Audience")) {
		if (is_audience(r, saml_text(r->c->arena, at)))
			return true;
	}
	return false;
}

/* Every AudienceRestriction must hold; a condition that is not understood makes the Assertion invalid (SAML 2.0 Core,
 * section 2.5.1). No assertion is used twice, so OneTimeUse holds anyway; ProxyRestriction binds identity providers only. */
static RESULT check_conditions(struct reading *r)
{
	xmlNodePtr conditions = saml_only_child(r->assertion, SAML_ASSERTION_NS, "Conditions");
	size_t restrictions = 0;
	if (conditions)
		TRY(check_window(r, conditions));
	for (const xmlNode *at = conditions ? conditions->children : NULL; at; at = at->next) {
		if (at->type != XML_ELEMENT_NODE || saml_is(at, SAML_ASSERTION_NS, "OneTimeUse") ||
		    saml_is(at, SAML_ASSERTION_NS, "ProxyRestriction"))
			continue;
		if (!saml_is(at, SAML_ASSERTION_NS, "AudienceRestriction"))
			return saml_fail(r->c, "Invalid SAML response: it has a condition of unknown type.");
		if (!has_audience(r, at))
			return saml_fail(r->c, "Response does not contain the required audience.");
		restrictions++;
	}
	return restrictions ? OK : saml_fail(r->c, "Response does not contain the required audience.");
}

/* ---- about whom ---- */

static RESULT check_confirmation(struct reading *r, const xmlNode *subject)
{
	xmlNodePtr confirmation = saml_only_child(subject, SAML_ASSERTION_NS, "SubjectConfirmation");
	xmlNodePtr data = saml_only_child(confirmation, SAML_ASSERTION_NS, "SubjectConfirmationData");
	if (!data || !str_is(attribute(r, confirmation, "Method"), BEARER))
		return saml_fail(r->c, "Invalid SAML response: it must have one SubjectConfirmation of the "
				       "method bearer, with data.");
	r->out->recipient = attribute(r, data, "Recipient");
	if (!is_endpoint(r, r->out->recipient))
		return saml_fail(r->c, r->service ? "Invalid SAML response: it has another Recipient."
						  : "Invalid SAML response: its Recipient is not "
						    "https://signin.aws.amazon.com/saml.");
	r->out->is_unasked = !attribute(r, data, "InResponseTo").n;
	if (!answers(r, attribute(r, data, "InResponseTo")))
		return saml_fail(r->c, "Invalid SAML response: it answers another request.");
	if (!attribute(r, data, "NotOnOrAfter").n)
		return saml_fail(r->c, "Invalid SAML response: SubjectConfirmationData has no NotOnOrAfter.");
	return check_window(r, data);
}

/* A response that names nobody is refused in the words for somebody who may not assume the role, as AWS documents. */
static RESULT read_subject(struct reading *r)
{
	xmlNodePtr subject = saml_only_child(r->assertion, SAML_ASSERTION_NS, "Subject");
	xmlNodePtr name = saml_only_child(subject, SAML_ASSERTION_NS, "NameID");
	struct str prefix = STR(FORMAT_PREFIX), format = attribute(r, name, "Format");
	r->out->subject = saml_text(r->c->arena, name);
	r->out->subject_type =
		str_starts_with(format, prefix) ? str_slice(format, prefix.n, format.n) : format;
	if (!r->out->subject.n)
		return ctx_fail(r->c, ERR_DENIED, "Not authorized to perform sts:AssumeRoleWithSAML");
	return check_confirmation(r, subject);
}

static RESULT read_session_end(struct reading *r)
{
	xmlNodePtr at = saml_child(r->assertion, SAML_ASSERTION_NS, "AuthnStatement");
	for (; at; at = saml_next(at, SAML_ASSERTION_NS, "AuthnStatement")) {
		int64_t end_us = 0, *least_us = &r->out->session_ends_us;
		if (!saml_time(r->c->arena, at, "SessionNotOnOrAfter", &end_us))
			return saml_fail(r->c, "Invalid SAML response: a time is malformed.");
		if (end_us && (!*least_us || end_us < *least_us))
			*least_us = end_us;
	}
	return !r->out->session_ends_us || r->out->session_ends_us > r->now_us
		       ? OK
		       : expired(r, "Response has expired");
}

/* ---- attributes ---- */

static RESULT read_values(struct reading *r, const xmlNode *from, struct strs *ret_values)
{
	size_t count = 0;
	xmlNodePtr first = saml_child(from, SAML_ASSERTION_NS, "AttributeValue");
	for (xmlNodePtr at = first; at; at = saml_next(at, SAML_ASSERTION_NS, "AttributeValue"))
		count++;
	if (count > SAML_CLAIM_VALUES_MAX)
		return saml_fail(r->c, "Invalid SAML response: an attribute has too many values.");
	struct str *values = arena_new_array(r->c->arena, struct str, count + 1);
	count = 0;
	for (xmlNodePtr at = values ? first : NULL; at;
	     at = saml_next(at, SAML_ASSERTION_NS, "AttributeValue")) {
		struct str value = saml_text(r->c->arena, at);
		if (value.n)
			values[count++] = value;
	}
	*ret_values = (struct strs){values, count};
	return values ? OK : ctx_no_memory(r->c);
}

/* An attribute that is given twice could mean either. */
static RESULT read_claim(struct reading *r, const xmlNode *from)
{
	struct saml_claim claim = {.name = attribute(r, from, "Name"),
				   .friendly_name = attribute(r, from, "FriendlyName")};
	if (r->out->claim_count == SAML_CLAIMS_MAX)
		return saml_fail(r->c, "Invalid SAML response: it has too many attributes.");
	for (size_t k = 0; k < r->out->claim_count; k++)
		if (str_equal(r->out->claims[k].name, claim.name))
			return saml_fail(r->c, "Invalid SAML response: it has an attribute twice.");
	TRY(read_values(r, from, &claim.values));
	r->out->claims[r->out->claim_count++] = claim;
	return OK;
}

static RESULT read_claims(struct reading *r)
{
	xmlNodePtr statement = saml_child(r->assertion, SAML_ASSERTION_NS, "AttributeStatement");
	for (; statement; statement = saml_next(statement, SAML_ASSERTION_NS, "AttributeStatement")) {
		xmlNodePtr at = saml_child(statement, SAML_ASSERTION_NS, "Attribute");
		for (; at; at = saml_next(at, SAML_ASSERTION_NS, "Attribute"))
			TRY(read_claim(r, at));
	}
	return OK;
}

/* ---- the whole ---- */

static RESULT read_verified(struct reading *r)
{
	struct str destination = attribute(r, r->response, "Destination");
	struct str request = attribute(r, r->response, "InResponseTo");
	r->out->id = attribute(r, r->assertion, "ID");
	if (!r->out->id.n)
		return saml_fail(r->c, "Invalid SAML response: the Assertion has no ID.");
	if (destination.n && !is_endpoint(r, destination))
		return saml_fail(r->c, "Invalid SAML response: it has another Destination.");
	if (r->service && request.n && !answers(r, request))
		return saml_fail(r->c, "Invalid SAML response: it answers another request.");
	TRY(check_issuers(r));
	TRY(check_issued(r));
	TRY(check_conditions(r));
	TRY(read_subject(r));
	TRY(read_session_end(r));
	return read_claims(r);
}

RESULT saml_read_response(struct ctx *c, struct str encoded, const struct saml_provider *provider,
			  const struct saml_service *service, struct saml_assertion *ret_assertion)
{
	struct str text = STR_NONE;
	struct reading r = {.c = c,
			    .provider = provider,
			    .service = service,
			    .now_us = clock_now_us(),
			    .out = ret_assertion};
	*ret_assertion = (struct saml_assertion){0};
	if (encoded.n > SAML_ENCODED_MAX || !result_is_ok(str_decode_base64(c->arena, encoded, &text)))
		return saml_fail(c, "Invalid base64 SAMLResponse");
	AUTO_DOC doc = saml_parse(text);
	if (!doc)
		return saml_fail(c, "Invalid SAML response: it is not well-formed, or has a document type.");
	TRY(check_form(&r, doc));
	TRY(check_status(&r));
	TRY(check_signatures(&r));
	if (provider->expires_us <= r.now_us)
		return saml_fail(c, "The provider's metadata are valid no more: see ValidUntil.");
	TRY(read_verified(&r));
	return arena_is_full(c->arena) ? ctx_no_memory(c) : OK;
}
