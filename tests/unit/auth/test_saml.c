/* SPDX-License-Identifier: Apache-2.0
 * SAML: responses that are signed here, and then changed as attackers have changed them; metadata documents. The key of
 * each provider is made anew in each run. */
#include "../base/test_base.h"

#include <libxml/parser.h>
#include <libxml/valid.h>

#include "auth/saml/saml_internal.h"
#include "auth/saml/xmlsec.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "model/saml_provider.h"

#define ENDPOINT "https://signin.aws.amazon.com/saml"
#define ISSUER "https://idp.example.com/saml"
#define ROLE "arn:aws:iam::111122223333:role/ops"
#define PROVIDER "arn:aws:iam::111122223333:saml-provider/corp"
#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"
#define PERSISTENT "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define DSIG "http://www.w3.org/2000/09/xmldsig#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define SHA256 "http://www.w3.org/2001/04/xmlenc#sha256"

static const int64_t NOW_US = INT64_C(1800000060) * SECOND; /* 2027-01-15T08:01:00Z */

struct world {
	struct ctx c;
	struct str certificate, key;             /* the provider's, in PEM */
	struct str other_certificate, other_key; /* somebody else's */
	struct saml_provider provider;
	struct saml_assertion *assertion;
	const struct saml_service *service; /* NULL: AWS */
};

/* The base64 of a certificate in PEM. */
static struct str body_of(struct ctx *c, struct str pem)
{
	struct str rest = pem, line = STR_NONE, body = STR_NONE;
	while (str_split_next(&rest, '\n', &line)) {
		const struct str parts[] = {body, line};
		if (!str_starts_with(line, STR("-----")))
			body = str_join(c->arena, parts, 2);
	}
	return body;
}

static void set_up(struct world *w)
{
	*w = (struct world){0};
	clock_set_us(NOW_US);
	ctx_init(&w->c, arena_new(ARENA_FIRST_SIZE, 64 << 20));
	assert_ok(crypto_make_certificate(&w->c, STR("idp"), HOUR, &w->certificate, &w->key));
	assert_ok(crypto_make_certificate(&w->c, STR("other"), HOUR, &w->other_certificate, &w->other_key));
	w->assertion = arena_new_object(w->c.arena, struct saml_assertion);
	struct str *at = arena_new_array(w->c.arena, struct str, 2);
	at[0] = body_of(&w->c, w->certificate);
	w->provider = (struct saml_provider){.name = STR("corp"),
					     .entity_id = STR(ISSUER),
					     .certificates = {at, 1},
					     .expires_us = NOW_US + HOUR};
}

static void tear_down(struct world *w)
{
	arena_free(w->c.arena);
	clock_set_us(0);
}

/* ---- making responses ---- */

/* Parts of a response; NULL: as a good one has it. */
struct parts {
	const char *root, *root_attributes, *before_assertion, *status, *issuer, *outer_issuer, *version;
	const char *issued, *name, *format, *confirmation, *conditions, *attributes, *statement,
		*assertion_id;
	const char *method, *digest, *transforms, *canonical, *uri, *references, *key_info, *object;
	bool signs_response, signs_nothing, is_by_other;
};

#define OR(part, text) ((part) ? (part) : (text))
#define ATTRIBUTE(name, value)                                                                               \
	"<saml:Attribute Name=\"" name "\"><saml:AttributeValue>" value                                      \
	"</saml:AttributeValue></saml:Attribute>"
#define ATTRIBUTES                                                                                           \
	ATTRIBUTE("https://aws.amazon.com/SAML/Attributes/Role", ROLE "," PROVIDER)                          \
	ATTRIBUTE("https://aws.amazon.com/SAML/Attributes/RoleSessionName", "ann@example.com")               \
	ATTRIBUTE("https://aws.amazon.com/SAML/Attributes/SessionDuration", "1800")                          \
	ATTRIBUTE("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "staff")
#define CONFIRMATION(method, data)                                                                           \
	"<saml:SubjectConfirmation Method=\"" method "\"><saml:SubjectConfirmationData " data                \
	"/></saml:SubjectConfirmation>"
#define DATA "NotOnOrAfter=\"2027-01-15T08:05:00Z\" Recipient=\"" ENDPOINT "\""
#define CONDITIONS(window, audience)                                                                         \
	"<saml:Conditions " window "><saml:AudienceRestriction><saml:Audience>" audience                     \
	"</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
#define WINDOW "NotBefore=\"2027-01-15T08:00:00Z\" NotOnOrAfter=\"2027-01-15T08:05:00Z\""

static struct str write_signature(struct ctx *c, const struct parts *p, const char *id)
{
	struct str uri = p->uri ? str_from(p->uri) : str_print(c->arena, "#%s", id);
	struct str reference = str_print(
		c->arena,
		"<ds:Reference URI=\"%" STR_FMT "\">%s<ds:DigestMethod Algorithm=\"%s\"/><ds:DigestValue/>"
		"</ds:Reference>",
		STR_ARG(uri),
		OR(p->transforms, "<ds:Transforms><ds:Transform Algorithm=\"" DSIG "enveloped-signature\"/>"
				  "<ds:Transform Algorithm=\"" C14N "\"/></ds:Transforms>"),
		OR(p->digest, SHA256));
	return str_print(c->arena,
			 "<ds:Signature xmlns:ds=\"" DSIG "\"><ds:SignedInfo><ds:CanonicalizationMethod "
			 "Algorithm=\"%s\"/><ds:SignatureMethod Algorithm=\"%s\"/>%" STR_FMT "%s"
			 "</ds:SignedInfo><ds:SignatureValue/>%s%s</ds:Signature>",
			 OR(p->canonical, C14N), OR(p->method, MORE "ecdsa-sha256"), STR_ARG(reference),
			 OR(p->references, ""), OR(p->key_info, ""), OR(p->object, ""));
}

static struct str write_assertion(struct ctx *c, const struct parts *p)
{
	const char *id = OR(p->assertion_id, "_a1");
	struct str signature = p->signs_nothing || p->signs_response ? STR_NONE : write_signature(c, p, id);
	return str_print(c->arena,
			 "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"%s\" "
			 "Version=\"2.0\" IssueInstant=\"%s\"><saml:Issuer>%s</saml:Issuer>%" STR_FMT
			 "<saml:Subject><saml:NameID Format=\"%s\">%s</saml:NameID>%s</saml:Subject>%s"
			 "<saml:AttributeStatement>%s</saml:AttributeStatement>%s</saml:Assertion>",
			 id, OR(p->issued, "2027-01-15T08:00:30.250Z"), OR(p->issuer, ISSUER),
			 STR_ARG(signature), OR(p->format, PERSISTENT), OR(p->name, "ann"),
			 OR(p->confirmation, CONFIRMATION(BEARER, DATA)),
			 OR(p->conditions, CONDITIONS(WINDOW, "urn:amazon:webservices")),
			 OR(p->attributes, ATTRIBUTES), OR(p->statement, "<saml:AuthnStatement/>"));
}

static struct str write_response(struct ctx *c, const struct parts *p)
{
	const char *root = OR(p->root, "Response");
	struct str signature = p->signs_response ? write_signature(c, p, "_r1") : STR_NONE;
	struct str assertion = write_assertion(c, p);
	return str_print(c->arena,
			 "<samlp:%s xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" "
			 "xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r1\" Version=\"%s\" "
			 "IssueInstant=\"2027-01-15T08:00:30Z\" %s><saml:Issuer>%s</saml:Issuer>%" STR_FMT
			 "<samlp:Status><samlp:StatusCode Value=\"%s\"/></samlp:Status>%s%" STR_FMT
			 "</samlp:%s>",
			 root, OR(p->version, "2.0"), OR(p->root_attributes, "Destination=\"" ENDPOINT "\""),
			 OR(p->outer_issuer, ISSUER), STR_ARG(signature), OR(p->status, SUCCESS),
			 OR(p->before_assertion, ""), STR_ARG(assertion), root);
}

static xmlNodePtr find(xmlNodePtr from, const char *name)
{
	for (xmlNodePtr n = from; n; n = n->next) {
		xmlNodePtr below = NULL;
		if (n->type == XML_ELEMENT_NODE && strcmp((const char *) n->name, name) == 0)
			return n;
		if (n->type == XML_ELEMENT_NODE && (below = find(n->children, name)))
			return below;
	}
	return NULL;
}

/* Fills in the text's only signature template. */
static struct str sign(struct ctx *c, struct str text, struct str key_pem)
{
	xmlDocPtr doc = xmlReadMemory(text.p, (int) text.n, NULL, "UTF-8", 0);
	assert_non_null(doc);
	xmlNodePtr signature = find(xmlDocGetRootElement(doc), "Signature");
	assert_non_null(signature);
	for (xmlNodePtr n = signature->parent; n && n->type == XML_ELEMENT_NODE; n = n->parent) {
		xmlAttrPtr id = xmlHasProp(n, BAD_CAST "ID");
		(void) xmlAddID(NULL, doc, id->children->content, id);
	}
	xmlSecDSigCtxPtr d = xmlSecDSigCtxCreate(NULL);
	d->signKey = xmlSecCryptoAppKeyLoadMemory((const xmlSecByte *) key_pem.p, (xmlSecSize) key_pem.n,
						  xmlSecKeyDataFormatPem, NULL, NULL, NULL);
	assert_non_null(d->signKey);
	if (xmlSecDSigCtxSign(d, signature) < 0)
		fail_msg("cannot sign: %.*s", (int) text.n, text.p);
	xmlSecDSigCtxDestroy(d);
	xmlChar *out = NULL;
	int size = 0;
	xmlDocDumpMemoryEnc(doc, &out, &size, "UTF-8");
	struct str copy = str_copy(c->arena, (struct str){(const char *) out, (size_t) size});
	xmlFree(out);
	xmlFreeDoc(doc);
	return copy;
}

static struct str make(struct world *w, const struct parts *p)
{
	struct str text = write_response(&w->c, p);
	return p->signs_nothing ? text : sign(&w->c, text, p->is_by_other ? w->other_key : w->key);
}

/* ---- reading them ---- */

static struct result read_text(struct world *w, struct str text)
{
	ctx_clear_problem(&w->c);
	return saml_read_response(&w->c, str_encode_base64(w->c.arena, text), &w->provider, w->service,
				  w->assertion);
}

static void accepts_text(struct world *w, struct str text)
{
	struct result result = read_text(w, text);
	if (result.code)
		print_error("%.*s\n", (int) w->c.problem.message.n, w->c.problem.message.p);
	assert_ok(result);
}

static void accepts(struct world *w, struct parts p)
{
	accepts_text(w, make(w, &p));
}

static void refuses_text(struct world *w, struct str text, enum err err, const char *why)
{
	struct result result = read_text(w, text);
	if (result.code != err || !str_contains(w->c.problem.message, str_from(why)))
		print_error("%d, %.*s; not: %s\n", (int) result.code, (int) w->c.problem.message.n,
			    w->c.problem.message.p, why);
	assert_int_equal(result.code, err);
	assert_true(str_contains(w->c.problem.message, str_from(why)));
}

static void refuses(struct world *w, struct parts p, const char *why)
{
	refuses_text(w, make(w, &p), ERR_INVALID, why);
}

/* The text with its first `from` replaced. */
static struct str replace(struct world *w, struct str text, const char *from, const char *to)
{
	const char *at = memmem(text.p, text.n, from, strlen(from));
	assert_non_null(at);
	size_t k = (size_t) (at - text.p);
	return str_print(w->c.arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(str_slice(text, 0, k)), to,
			 STR_ARG(str_slice(text, k + strlen(from), text.n)));
}

/* The text between two marks, both included. */
static struct str cut(struct world *w, struct str text, const char *from, const char *to)
{
	const char *start = memmem(text.p, text.n, from, strlen(from));
	assert_non_null(start);
	size_t left = text.n - (size_t) (start - text.p);
	const char *end = memmem(start, left, to, strlen(to));
	assert_non_null(end);
	(void) w;
	return (struct str){start, (size_t) (end - start) + strlen(to)};
}

/* ---- tests ---- */

static void good_responses(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	accepts(&w, (struct parts){0});
	assert_true(str_is(w.assertion->id, "_a1") && str_is(w.assertion->issuer, ISSUER));
	assert_true(str_is(w.assertion->subject, "ann") && str_is(w.assertion->subject_type, "persistent"));
	assert_true(str_is(w.assertion->recipient, ENDPOINT));
	assert_int_equal(w.assertion->session_ends_us, 0);
	accepts(&w, (struct parts){.signs_response = true});
	accepts(&w, (struct parts){.digest = "http://www.w3.org/2001/04/xmlenc#sha512",
				   .method = MORE "ecdsa-sha384"});
	accepts(&w, (struct parts){.conditions = CONDITIONS(WINDOW, ENDPOINT), .root_attributes = ""});
	accepts(&w, (struct parts){.confirmation = CONFIRMATION(
					   BEARER,
					   "NotOnOrAfter=\"2027-01-15T08:05:00Z\" "
					   "Recipient=\"https://eu-west-1.signin.aws.amazon.com/saml\"")});
	accepts(&w, (struct parts){.statement = "<saml:AuthnStatement "
						"SessionNotOnOrAfter=\"2027-01-15T08:11:00Z\"/>"});
	assert_int_equal(w.assertion->session_ends_us, NOW_US + 10 * MINUTE);
	/* A second certificate of the provider verifies, too. */
	struct str *at = arena_new_array(w.c.arena, struct str, 2);
	at[0] = body_of(&w.c, w.other_certificate), at[1] = w.provider.certificates.at[0];
	w.provider.certificates = (struct strs){at, 2};
	accepts(&w, (struct parts){0});
	tear_down(&w);
}

static void values(void **state)
{
	struct world w;
	struct str name = STR_NONE, number = STR("111122223333"), corp = STR("corp");
	int64_t seconds = 0;
	struct strs found = {0};
	(void) state;
	set_up(&w);
	accepts(&w, (struct parts){0});
	assert_ok(saml_find_session_name(&w.c, w.assertion, &name));
	assert_true(str_is(name, "ann@example.com"));
	assert_ok(saml_find_duration(&w.c, w.assertion, &seconds));
	assert_int_equal(seconds, 1800);
	assert_true(saml_has_role(w.assertion, STR(ROLE), STR(PROVIDER)));
	assert_true(saml_has_role(w.assertion, STR(PROVIDER), STR(ROLE)));
	assert_false(saml_has_role(w.assertion, STR(ROLE "2"), STR(PROVIDER)));
	assert_false(saml_has_role(w.assertion, STR(ROLE), STR(PROVIDER "2")));
	static const char *const keys[][2] = {{"saml:aud", ENDPOINT},
					      {"saml:iss", ISSUER},
					      {"saml:sub", "ann"},
					      {"saml:sub_type", "persistent"},
					      {"saml:doc", "111122223333/corp"},
					      {"saml:edupersonaffiliation", "staff"}};
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
		assert_true(
			saml_find_key(w.c.arena, w.assertion, number, corp, str_from(keys[k][0]), &found));
		assert_int_equal(found.count, 1);
		assert_true(str_is(found.at[0], keys[k][1]));
	}
	assert_false(saml_find_key(w.c.arena, w.assertion, number, corp, STR("saml:cn"), &found));
	assert_false(saml_find_key(w.c.arena, w.assertion, number, corp, STR("aws:sub"), &found));
	/* The example of STS's API Reference. */
	w.assertion->issuer = STR("https://example.com/saml");
	struct str hash = saml_name_qualifier(w.c.arena, w.assertion, STR("123456789012"), STR("MySAMLIdP"));
	assert_int_equal(hash.n, SAML_NAME_QUALIFIER_SIZE);
	assert_true(str_is(hash, "1uAJanUnBc2XeUkHURMht+xam2c="));
	tear_down(&w);
}

#define CLAIM(name, value) ATTRIBUTE("https://aws.amazon.com/SAML/Attributes/" name, value)
static void bad_values(void **state)
{
	struct world w;
	struct str name = STR_NONE;
	int64_t seconds = 0;
	(void) state;
	set_up(&w);
	static const char *const names[] = {"", CLAIM("RoleSessionName", "a"),
					    CLAIM("RoleSessionName", "a b"),
					    CLAIM("RoleSessionName", "<b/>ann")};
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
		accepts(&w, (struct parts){.attributes = names[k]});
		assert_int_equal(saml_find_session_name(&w.c, w.assertion, &name).code, ERR_INVALID);
	}
	static const char *const durations[] = {CLAIM("SessionDuration", "899"),
						CLAIM("SessionDuration", "x"),
						CLAIM("SessionDuration", "43201")};
	for (size_t k = 0; k < sizeof durations / sizeof durations[0]; k++) {
		accepts(&w, (struct parts){.attributes = durations[k]});
		assert_int_equal(saml_find_duration(&w.c, w.assertion, &seconds).code, ERR_INVALID);
	}
	refuses(&w, (struct parts){.attributes = ATTRIBUTES ATTRIBUTES}, "an attribute twice");
	tear_down(&w);
}

static void other_signatures(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	const char *why = "Response signature invalid";
	refuses(&w, (struct parts){.signs_nothing = true}, why);
	refuses(&w, (struct parts){.is_by_other = true}, why);
	struct str body = body_of(&w.c, w.other_certificate);
	const char *key_info =
		str_to_z(w.c.arena, str_print(w.c.arena,
					      "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%" STR_FMT
					      "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
					      STR_ARG(body)));
	refuses(&w, (struct parts){.is_by_other = true, .key_info = key_info}, why);
	accepts(&w, (struct parts){.key_info = key_info}); /* not read, whatever it says */
	refuses(&w, (struct parts){.method = MORE "ecdsa-sha1"}, why);
	refuses(&w, (struct parts){.digest = DSIG "sha1"}, why);
	refuses(&w, (struct parts){.canonical = C14N "WithComments"}, why);
	refuses(&w, (struct parts){.canonical = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}, why);
	refuses(&w, (struct parts){.uri = ""}, why);
	refuses(&w, (struct parts){.uri = "#xpointer(id('_a1'))"}, why);
	refuses(&w, (struct parts){.object = "<ds:Object/>"}, why);
	refuses(&w,
		(struct parts){.transforms = "<ds:Transforms><ds:Transform Algorithm=\"" DSIG
					     "enveloped-signature\"/></ds:Transforms>"},
		why);
	refuses(&w,
		(struct parts){.transforms = "<ds:Transforms><ds:Transform Algorithm=\"" DSIG
					     "enveloped-signature\"/><ds:Transform Algorithm=\"" C14N
					     "WithComments\"/></ds:Transforms>"},
		why);
	refuses(&w,
		(struct parts){.transforms = "<ds:Transforms><ds:Transform Algorithm=\"" DSIG
					     "enveloped-signature\"/><ds:Transform Algorithm=\"" C14N
					     "\"/><ds:Transform Algorithm=\"" C14N "\"/></ds:Transforms>"},
		why);
	refuses(&w,
		(struct parts){.references = "<ds:Reference URI=\"#_r1\"><ds:Transforms><ds:Transform "
					     "Algorithm=\"" DSIG "enveloped-signature\"/><ds:Transform "
					     "Algorithm=\"" C14N "\"/></ds:Transforms><ds:DigestMethod "
					     "Algorithm=\"" SHA256 "\"/><ds:DigestValue/></ds:Reference>"},
		why);
	refuses(&w, (struct parts){.assertion_id = "1a"}, why);
	w.provider.certificates.count = 0;
	refuses(&w, (struct parts){0}, why);
	tear_down(&w);
}

/* A signature that is right covers the text as it was: each change afterwards is noticed. */
static void changed_texts(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	struct str inner = make(&w, &(struct parts){0});
	struct str outer = make(&w, &(struct parts){.signs_response = true});
	static const char *const changes[][2] = {{">ann<", ">bob<"},
						 {"role/ops", "role/root"},
						 {"urn:amazon:webservices", "urn:amazon:webservices "},
						 {"08:00:30.250Z", "08:00:31.250Z"},
						 {"<saml:AuthnStatement", "<saml:AuthnStatement a=\"b\""}};
	for (size_t k = 0; k < sizeof changes / sizeof changes[0]; k++) {
		struct str one = replace(&w, inner, changes[k][0], changes[k][1]);
		refuses_text(&w, one, ERR_INVALID, "Response signature invalid");
		refuses_text(&w, replace(&w, outer, changes[k][0], changes[k][1]), ERR_INVALID,
			     "Response signature invalid");
	}
	/* Algorithms that are named afterwards. */
	refuses_text(&w, replace(&w, inner, MORE "ecdsa-sha256", DSIG "hmac-sha1"), ERR_INVALID, "signature");
	refuses_text(&w, replace(&w, inner, MORE "ecdsa-sha256", MORE "rsa-sha256"), ERR_INVALID,
		     "signature");
	refuses_text(&w, replace(&w, inner, SHA256, DSIG "sha1"), ERR_INVALID, "signature");
	refuses_text(&w,
		     replace(&w, inner, "<ds:Transform Algorithm=\"" C14N "\"",
			     "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\""),
		     ERR_INVALID, "signature");
	/* The right signature of a Response does not excuse the wrong one of its Assertion. */
	struct parts both = {.signs_response = true};
	struct str text = write_response(&w.c, &both);
	struct str wrong =
		cut(&w, make(&w, &(struct parts){.is_by_other = true}), "<ds:Signature", "</ds:Signature>");
	struct str with = str_print(w.c.arena, "</saml:Issuer>%" STR_FMT "<saml:Subject>", STR_ARG(wrong));
	text = replace(&w, text, "</saml:Issuer><saml:Subject>", str_to_z(w.c.arena, with));
	refuses_text(&w, sign(&w.c, text, w.key), ERR_INVALID, "Response signature invalid");
	tear_down(&w);
}

/* Signature wrapping: the signed Assertion is moved to where it is not read, and a forged one is put where it would be. */
static void wrapped_signatures(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	const char *why = "must have one Assertion";
	struct str good = make(&w, &(struct parts){0});
	struct str genuine = cut(&w, good, "<saml:Assertion", "</saml:Assertion>");
	struct str signature = cut(&w, genuine, "<ds:Signature", "</ds:Signature>");
	struct parts evil = {.signs_nothing = true, .name = "root", .assertion_id = "_evil"};
	struct str bare = replace(&w, genuine, str_to_z(w.c.arena, signature), "");
	const char *whole_z = str_to_z(w.c.arena, genuine);
	/* Before the forged one, and behind it. */
	evil.before_assertion = whole_z;
	refuses(&w, evil, why);
	evil.before_assertion = NULL;
	struct str text = make(&w, &evil);
	struct str behind = str_print(w.c.arena, "%" STR_FMT "</samlp:Response>", STR_ARG(genuine));
	refuses_text(&w, replace(&w, text, "</samlp:Response>", str_to_z(w.c.arena, behind)), ERR_INVALID,
		     why);
	/* In Extensions. */
	struct str in_extensions =
		str_print(w.c.arena, "<samlp:Extensions>%" STR_FMT "</samlp:Extensions>", STR_ARG(genuine));
	evil.before_assertion = str_to_z(w.c.arena, in_extensions);
	refuses(&w, evil, why);
	evil.before_assertion = NULL;
	/* In the forged one's Advice, and in its signature's Object with the reference still right. */
	struct str in_advice =
		str_print(w.c.arena, "<saml:Advice>%" STR_FMT "</saml:Advice>", STR_ARG(genuine));
	evil.statement = str_to_z(w.c.arena, in_advice);
	refuses(&w, evil, why);
	struct str object =
		str_print(w.c.arena, "<ds:Object>%" STR_FMT "</ds:Object></ds:Signature>", STR_ARG(bare));
	struct str moved = replace(&w, signature, "</ds:Signature>", str_to_z(w.c.arena, object));
	evil.statement = str_to_z(w.c.arena, moved);
	refuses(&w, evil, why);
	/* The same id twice; ids in other spellings. */
	refuses_text(&w, replace(&w, good, "<samlp:Status>", "<samlp:Status ID=\"_a1\">"), ERR_INVALID, why);
	refuses_text(&w, replace(&w, good, "<samlp:Status>", "<samlp:Status xml:id=\"_a1\">"), ERR_INVALID,
		     "not a Response");
	refuses_text(&w, replace(&w, good, "<samlp:Status>", "<samlp:Status Id=\"_a1\">"), ERR_INVALID,
		     "not a Response");
	/* The signature of another element, a Response within a Response, an encrypted Assertion. */
	refuses_text(&w, replace(&w, good, "<samlp:Status>", "<samlp:Status><samlp:Response/>"), ERR_INVALID,
		     why);
	evil = (struct parts){.root = "LogoutResponse"};
	refuses(&w, evil, "not a Response");
	refuses_text(&w, replace(&w, good, "<samlp:Status>", "<saml:EncryptedAssertion/><samlp:Status>"),
		     ERR_INVALID, "encrypted");
	struct str elsewhere = replace(&w, good, str_to_z(w.c.arena, signature), "");
	struct str status = str_print(w.c.arena, "<samlp:Status>%" STR_FMT, STR_ARG(signature));
	refuses_text(&w, replace(&w, elsewhere, "<samlp:Status>", str_to_z(w.c.arena, status)), ERR_INVALID,
		     why);
	tear_down(&w);
}

/* A canonical form leaves comments out: what is read must not end at one. */
static void comments(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	struct str good = make(&w, &(struct parts){.name = "ann@example.com.evil.com"});
	accepts_text(&w, replace(&w, good, ".com.evil", ".com<!-- x -->.evil"));
	assert_true(str_is(w.assertion->subject, "ann@example.com.evil.com"));
	accepts_text(&w, replace(&w, good, "<saml:Audience>urn", "<saml:Audience>ur<!---->n"));
	accepts_text(&w, replace(&w, make(&w, &(struct parts){.name = "<![CDATA[a<!-- -->n]]>n"}), "idp.",
				 "id<!--x-->p."));
	assert_true(str_is(w.assertion->subject, "a<!-- -->nn"));
	refuses(&w, (struct parts){.conditions = CONDITIONS(WINDOW, "urn:amazon:webservices<!-- -->.evil")},
		"audience");
	tear_down(&w);
}

static void bad_documents(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	const char *why = "not well-formed, or has a document type";
	struct str good = make(&w, &(struct parts){0});
	static const char *const types[] = {"<!DOCTYPE Response>", "<!DOCTYPE r [<!ENTITY a 'b'>]>",
					    "<!DOCTYPE r SYSTEM \"file:///etc/passwd\">", "<!ENTITY a 'b'>",
					    "<!DOCTYPE r [<!ATTLIST Assertion Id ID #IMPLIED>]>"};
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++) {
		struct str to = str_print(w.c.arena, "%s<samlp:Response", types[k]);
		refuses_text(&w, replace(&w, good, "<samlp:Response", str_to_z(w.c.arena, to)), ERR_INVALID,
			     why);
	}
	refuses_text(&w, replace(&w, good, "urn:amazon", "&a;urn:amazon"), ERR_INVALID, why);
	refuses_text(&w, str_slice(good, 0, good.n - 5), ERR_INVALID, why);
	refuses_text(&w, STR("mars"), ERR_INVALID, why);
	refuses_text(&w, STR("<a b='\">"), ERR_INVALID, why);
	refuses_text(&w, STR("<a>\xff</a>"), ERR_INVALID, why);
	refuses_text(&w, STR("\xff\xfe<\0a\0/\0>\0"), ERR_INVALID, why);
	/* Depth and numbers, at the limits and above. */
	static char deep[8 * 40000];
	size_t n = 0;
	for (size_t k = 0; k < 10000; k++, n += 3)
		memcpy(deep + n, "<a>", 3);
	refuses_text(&w, (struct str){deep, n}, ERR_INVALID, why);
	memcpy(deep, "<a>", n = 3);
	for (size_t k = 0; k < SAML_ELEMENTS_MAX; k++, n += 4)
		memcpy(deep + n, "<b/>", 4);
	memcpy(deep + n, "</a>", 4);
	refuses_text(&w, (struct str){deep, n + 4}, ERR_INVALID, why);
	memcpy(deep, "<a>", n = 3);
	for (size_t k = 0; k < SAML_ELEMENTS_MAX; k++, n += 7)
		memcpy(deep + n, "<!---->", 7);
	memcpy(deep + n, "</a>", 4);
	refuses_text(&w, (struct str){deep, n + 4}, ERR_INVALID, why);
	/* The encoding. */
	struct str huge = {deep, SAML_ENCODED_MAX};
	memset(deep, 'A', sizeof deep);
	refuses_text(&w, huge, ERR_INVALID, "Invalid base64");
	ctx_clear_problem(&w.c);
	assert_int_equal(saml_read_response(&w.c, STR("*"), &w.provider, NULL, w.assertion).code,
			 ERR_INVALID);
	tear_down(&w);
}

static void for_others(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	const char *audience = "required audience", *issuer = "Issuer not present";
	refuses(&w, (struct parts){.conditions = CONDITIONS(WINDOW, "urn:other")}, audience);
	refuses(&w, (struct parts){.conditions = CONDITIONS(WINDOW, ENDPOINT "x")}, audience);
	refuses(&w,
		(struct parts){.conditions =
				       CONDITIONS(WINDOW, "https://evil.com/signin.aws.amazon.com/saml")},
		audience);
	refuses(&w, (struct parts){.conditions = ""}, audience);
	refuses(&w, (struct parts){.conditions = "<saml:Conditions/>"}, audience);
	refuses(&w, (struct parts){.conditions = "<saml:Conditions><saml:Unknown/></saml:Conditions>"},
		"unknown type");
	refuses(&w, (struct parts){.issuer = "https://evil.com"}, issuer);
	refuses(&w, (struct parts){.outer_issuer = "https://evil.com"}, issuer);
	refuses(&w, (struct parts){.root_attributes = "Destination=\"https://evil.com/saml\""},
		"Destination");
	refuses(&w, (struct parts){.version = "1.1"}, "one Assertion");
	refuses(&w, (struct parts){.confirmation = ""}, "SubjectConfirmation");
	refuses(&w,
		(struct parts){.confirmation =
				       CONFIRMATION("urn:oasis:names:tc:SAML:2.0:cm:sender-vouches", DATA)},
		"bearer");
	refuses(&w, (struct parts){.confirmation = CONFIRMATION(BEARER, DATA) CONFIRMATION(BEARER, DATA)},
		"bearer");
	refuses(&w, (struct parts){.confirmation = CONFIRMATION(BEARER, "Recipient=\"" ENDPOINT "\"")},
		"NotOnOrAfter");
	refuses(&w,
		(struct parts){.confirmation =
				       CONFIRMATION(BEARER, "NotOnOrAfter=\"2027-01-15T08:05:00Z\" "
							    "Recipient=\"https://a.b.signin.aws.amazon.com/"
							    "saml\"")},
		"Recipient");
	struct parts nobody = {.name = " "};
	refuses_text(&w, make(&w, &nobody), ERR_DENIED, "Not authorized");
	struct parts failed = {.status = "urn:oasis:names:tc:SAML:2.0:status:Responder"};
	refuses_text(&w, make(&w, &failed), ERR_DENIED, "status:Responder");
	assert_int_equal(w.c.problem.kind, KIND_SAML_PROVIDER);
	tear_down(&w);
}

static void times(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	struct str good = make(&w, &(struct parts){0});
	/* Issued at 08:00:30.25; valid from 08:00:00 until 08:05:00, with a minute for differing clocks. */
	static const struct {
		int64_t at_us;
		enum err err;
		const char *why;
	} cases[] = {{-3 * MINUTE, ERR_INVALID, "in the future"},
		     {-90 * SECOND, ERR_INVALID, "in the future"},
		     {-80 * SECOND, ERR_NONE, ""},
		     {4 * MINUTE + 29 * SECOND, ERR_NONE, ""},
		     {4 * MINUTE + 31 * SECOND, ERR_EXPIRED, "within 5 minutes"}};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		clock_set_us(NOW_US + cases[k].at_us);
		if (cases[k].err)
			refuses_text(&w, good, cases[k].err, cases[k].why);
		else
			accepts_text(&w, good);
	}
	clock_set_us(NOW_US);
	struct parts ended = {.conditions = CONDITIONS("NotOnOrAfter=\"2027-01-15T08:00:00Z\"", ENDPOINT)};
	refuses_text(&w, make(&w, &ended), ERR_EXPIRED, "Response has expired");
	ended = (struct parts){.confirmation = CONFIRMATION(BEARER, "NotOnOrAfter=\"2027-01-15T08:00:00Z\" "
								    "Recipient=\"" ENDPOINT "\"")};
	refuses_text(&w, make(&w, &ended), ERR_EXPIRED, "Response has expired");
	ended = (struct parts){.statement =
				       "<saml:AuthnStatement SessionNotOnOrAfter=\"2027-01-15T08:00:59Z\"/>"};
	refuses_text(&w, make(&w, &ended), ERR_EXPIRED, "Response has expired");
	refuses(&w, (struct parts){.conditions = CONDITIONS("NotBefore=\"2027-01-15T08:03:00Z\"", ENDPOINT)},
		"not valid yet");
	refuses(&w, (struct parts){.conditions = CONDITIONS("NotBefore=\"soon\"", ENDPOINT)}, "malformed");
	refuses(&w, (struct parts){.issued = "soon"}, "IssueInstant");
	w.provider.expires_us = NOW_US;
	refuses(&w, (struct parts){0}, "ValidUntil");
	tear_down(&w);
}

/* ---- metadata ---- */

#define SSO(binding, place)                                                                                  \
	"<md:SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:" binding                    \
	"\" Location=\"" place "\"/>"

static struct str write_key(struct world *w, const char *use, struct str certificate)
{
	return str_print(
		w->c.arena,
		"<md:KeyDescriptor %s><ds:KeyInfo xmlns:ds=\"" DSIG "\"><ds:X509Data><ds:X509Certificate>"
		"\n%" STR_FMT "\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
		use, STR_ARG(certificate));
}

static struct str write_metadata(struct world *w, const char *attributes, const char *keys,
				 const char *services)
{
	return str_print(w->c.arena,
			 "<?xml version=\"1.0\"?>\n<md:EntityDescriptor "
			 "xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" %s><md:IDPSSODescriptor>%s%s"
			 "</md:IDPSSODescriptor></md:EntityDescriptor>",
			 attributes, keys, services);
}

static void refuses_metadata(struct world *w, struct str text, const char *why)
{
	struct saml_document d = {0};
	ctx_clear_problem(&w->c);
	assert_int_equal(saml_read_metadata(&w->c, text, &d).code, ERR_INVALID);
	assert_int_equal(w->c.problem.kind, KIND_SAML_PROVIDER);
	if (!str_contains(w->c.problem.message, str_from(why)))
		print_error("%.*s\n", (int) w->c.problem.message.n, w->c.problem.message.p);
	assert_true(str_contains(w->c.problem.message, str_from(why)));
}

static void metadata(void **state)
{
	struct world w;
	struct saml_document d = {0};
	(void) state;
	set_up(&w);
	struct str body = body_of(&w.c, w.certificate);
	const char *key = str_to_z(w.c.arena, write_key(&w, "use=\"signing\"", body));
	const char *sso = SSO("HTTP-POST", "https://idp/post") SSO("HTTP-Redirect", "https://idp/get");
	const char *id = "entityID=\"" ISSUER "\"";
	struct str text = write_metadata(&w, id, key, sso);
	assert_ok(saml_read_metadata(&w.c, text, &d));
	assert_true(str_is(d.entity_id, ISSUER) && str_is(d.sign_in_url, "https://idp/get"));
	assert_true(d.certificates.count == 1 && str_equal(d.certificates.at[0], body));
	assert_true(str_equal(d.text, text));
	assert_true(d.expires_us > NOW_US + 99 * 365 * 24 * HOUR);
	assert_ok(saml_read_metadata(
		&w.c, write_metadata(&w, "validUntil=\"2027-02-01T00:00:00Z\" entityID=\"urn:x\"", key, sso),
		&d));
	assert_int_equal(d.expires_us, INT64_C(1801440000) * SECOND);
	/* The same certificate twice is one; one for encryption alone is none. */
	struct str twice =
		str_print(w.c.arena, "%s%" STR_FMT "%" STR_FMT, key, STR_ARG(write_key(&w, "", body)),
			  STR_ARG(write_key(&w, "use=\"encryption\"", STR("mars"))));
	assert_ok(saml_read_metadata(&w.c, write_metadata(&w, id, str_to_z(w.c.arena, twice), sso), &d));
	assert_int_equal(d.certificates.count, 1);
	refuses_metadata(&w, write_metadata(&w, "", key, sso), "entityID");
	refuses_metadata(&w, write_metadata(&w, id, "", sso), "no signing certificate");
	refuses_metadata(&w, write_metadata(&w, id, key, ""), "SingleSignOnService");
	refuses_metadata(&w, write_metadata(&w, id, key, SSO("HTTP-POST", "javascript:x")),
			 "SingleSignOnService");
	refuses_metadata(&w, write_metadata(&w, id, str_to_z(w.c.arena, write_key(&w, "", STR("mars"))), sso),
			 "signing certificate");
	refuses_metadata(&w,
			 write_metadata(&w, "entityID=\"x\" validUntil=\"2026-01-01T00:00:00Z\"", key, sso),
			 "valid no more");
	refuses_metadata(&w, write_metadata(&w, "entityID=\"x\" validUntil=\"soon\"", key, sso),
			 "not a time");
	refuses_metadata(&w, STR("<a/>"), "Could not parse metadata");
	refuses_metadata(&w, str_slice(text, 0, text.n - 1), "Could not parse metadata");
	refuses_metadata(&w, replace(&w, text, "<md:Entity", "<!DOCTYPE a><md:Entity"),
			 "Could not parse metadata");
	tear_down(&w);
}

/* ---- this region as a service provider ---- */

#define SP "https://cloud.example.com/metadata"
#define ACS "https://cloud.example.com/acs"
#define SP_DATA(request) "NotOnOrAfter=\"2027-01-15T08:05:00Z\" Recipient=\"" ACS "\"" request

static struct parts for_service(const char *data)
{
	return (struct parts){.root_attributes = "Destination=\"" ACS "\"",
			      .conditions = CONDITIONS(WINDOW, SP),
			      .confirmation = data};
}

static void service_provider(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	struct saml_service service = {.entity_id = STR(SP), .consumer = STR(ACS), .request = STR("_q")};
	const char *asked = CONFIRMATION(BEARER, SP_DATA(" InResponseTo=\"_q\""));
	const char *unasked = CONFIRMATION(BEARER, SP_DATA(""));
	w.service = &service;
	accepts(&w, for_service(asked));
	assert_false(w.assertion->is_unasked);
	refuses(&w, for_service(CONFIRMATION(BEARER, SP_DATA(" InResponseTo=\"_other\""))),
		"another request");
	refuses(&w, for_service(unasked), "another request");
	struct parts p = for_service(asked);
	p.root_attributes = "Destination=\"" ACS "\" InResponseTo=\"_other\"";
	refuses(&w, p, "another request");
	refuses(&w, (struct parts){0}, "another Destination"); /* as for AWS */
	p = for_service(asked);
	p.conditions = NULL;
	refuses(&w, p, "audience");
	p = for_service(CONFIRMATION(BEARER, DATA));
	refuses(&w, p, "another Recipient");
	p = for_service(asked);
	p.root_attributes = NULL;
	refuses(&w, p, "another Destination");
	service.takes_unasked = true;
	service.request = STR_NONE;
	accepts(&w, for_service(unasked));
	assert_true(w.assertion->is_unasked);
	refuses(&w, for_service(asked), "another request"); /* this browser asked for nothing */
	w.service = NULL;
	refuses(&w, for_service(asked), "another Destination"); /* it is none for AWS's sign-in */
	tear_down(&w);
}

/* An envelope's response is verified like one that a browser brings. */
static void envelopes(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	struct saml_service service = {.entity_id = STR(SP), .consumer = STR(ACS), .request = STR("_q")};
	struct parts p = for_service(CONFIRMATION(BEARER, SP_DATA(" InResponseTo=\"_q\"")));
	struct str encoded = STR_NONE, relay = STR_NONE, response = make(&w, &p);
	size_t at = str_find_char(response, '>', 0) + 1; /* behind the declaration */
	struct str text = str_print(
		w.c.arena,
		"<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\"><S:Header><e:RelayState "
		"xmlns:e=\"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp\">back</e:RelayState></"
		"S:Header><S:Body>%" STR_FMT "</S:Body></S:Envelope>",
		STR_ARG(str_slice(response, at, response.n)));
	assert_ok(saml_read_envelope(&w.c, text, &encoded, &relay));
	assert_true(str_is(relay, "back"));
	assert_ok(saml_read_response(&w.c, encoded, &w.provider, &service, w.assertion));
	struct str changed = replace(&w, text, ">ann<", ">eve<");
	assert_ok(saml_read_envelope(&w.c, changed, &encoded, &relay));
	assert_int_equal(saml_read_response(&w.c, encoded, &w.provider, &service, w.assertion).code,
			 ERR_INVALID);
	assert_int_equal(saml_read_envelope(&w.c, response, &encoded, &relay).code, ERR_INVALID);
	assert_int_equal(saml_read_envelope(&w.c, STR("<!DOCTYPE a><a/>"), &encoded, &relay).code,
			 ERR_INVALID);
	tear_down(&w);
}

/* The request is a single stored block of DEFLATE. */
static void requests(void **state)
{
	struct world w;
	(void) state;
	set_up(&w);
	const struct saml_service service = {
		.entity_id = STR(SP "?a=1&b=\"2\""), .consumer = STR(ACS), .request = STR("_q")};
	struct str encoded = STR_NONE, packed = STR_NONE;
	assert_ok(saml_write_request(&w.c, &service, STR("https://idp.example.com/sso"), &encoded));
	assert_ok(str_decode_base64(w.c.arena, encoded, &packed));
	assert_int_equal(packed.p[0], 1);
	assert_int_equal((uint8_t) packed.p[1] | (uint8_t) packed.p[2] << 8, packed.n - 5);
	assert_int_equal((uint8_t) packed.p[1] ^ (uint8_t) packed.p[3], 0xff);
	struct str text = str_slice(packed, 5, packed.n);
	assert_true(
		str_contains(text, STR("ID=\"_q\" Version=\"2.0\" IssueInstant=\"2027-01-15T08:01:00Z\"")));
	assert_true(str_contains(text, STR(">" SP "?a=1&amp;b=&quot;2&quot;</saml:Issuer>")));
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service_provider),
		cmocka_unit_test(envelopes),
		cmocka_unit_test(requests),
		cmocka_unit_test(good_responses),
		cmocka_unit_test(values),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(other_signatures),
		cmocka_unit_test(changed_texts),
		cmocka_unit_test(wrapped_signatures),
		cmocka_unit_test(comments),
		cmocka_unit_test(bad_documents),
		cmocka_unit_test(for_others),
		cmocka_unit_test(times),
		cmocka_unit_test(metadata),
	};
	return saml_start() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
