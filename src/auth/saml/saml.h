/* SPDX-License-Identifier: Apache-2.0
 * SAML 2.0: parses identity providers' metadata, and verifies responses that people bring from them (Web Browser SSO
 * profile, HTTP POST binding). Errors have KIND_SAML_PROVIDER: ERR_INVALID, ERR_EXPIRED, ERR_DENIED (the provider
 * itself reports a failure). Sources: SAML 2.0 Core, Bindings, Profiles and Metadata; XML Signature Syntax and
 * Processing; IAM User Guide, "Configure SAML assertions for the authentication response" and "Troubleshoot SAML
 * federation with IAM", whose sentences the messages repeat.
 *
 * What is trusted, and why:
 *  - The text is scanned before libxml2 sees it: size, elements, depth; document types, and with them entities, are
 *    refused. libxml2 loads nothing else.
 *  - Only certificates of the provider's metadata verify a signature. KeyInfo of the response is not read.
 *  - A signature has one Reference, to the ID of the element that contains it, with the transforms enveloped-signature
 *    and exclusive canonicalisation, and SHA-256 or stronger. No other forms of signatures are read.
 *  - The document has one Response and one Assertion, and no ID twice. Values are read from the verified Assertion
 *    only, so that a second one, wrapped around or inside the first, is never read.
 *  - The text of an element is all of its text, with comments between left out, as the signature covers it.
 *  - Times, audience and recipient are checked here; the caller refuses an assertion that was used before.
 *
 * Pure except for the clock; any thread. */
#pragma once

#include "base/ctx.h"
#include "engine/people/credential/saml_provider.h"

struct buf;
struct saml_provider;

enum {
	SAML_ENCODED_MIN = 4,
	SAML_ENCODED_MAX = 100000, /* characters of base64 */
	SAML_DEPTH_MAX = 32,
	SAML_ELEMENTS_MAX = 4000,
	SAML_XML_ATTRIBUTES_MAX = 8000, /* in a document */
	SAML_CLAIMS_MAX = 100,          /* attributes in an assertion */
	SAML_CLAIM_VALUES_MAX = 400,    /* per attribute */
	SAML_NAME_QUALIFIER_SIZE = 28,
};
/* Time from an assertion's issue until it is refused, as in AWS. */
#define SAML_REDEEM_US (5 * MINUTE)
/* Tolerated difference of clocks. */
#define SAML_SKEW_US MINUTE

#define SAML_CLAIM(name) "https://aws.amazon.com/SAML/Attributes/" name

struct saml_claim {
	struct str name, friendly_name;
	struct strs values;
};

/* A verified assertion, in the arena of the call that verified it. */
struct saml_assertion {
	struct str id, issuer;
	struct str subject, subject_type; /* NameID and its format; the format without SAML's own prefix */
	struct str recipient;
	bool is_unasked;         /* it answers no request */
	int64_t session_ends_us; /* SessionNotOnOrAfter; 0: the provider says none */
	struct saml_claim claims[SAML_CLAIMS_MAX];
	size_t claim_count;
};

/* Parses a metadata document: entityID, signing certificates, SSO URL, validUntil. Sets all members of *ret_document. */
RESULT saml_read_metadata(struct ctx *c, struct str text, struct saml_document *ret_document);

/* This region as a service provider: the audience and the recipient of responses, and the request that they answer. */
struct saml_service {
	struct str entity_id; /* also the address of its metadata */
	struct str consumer;  /* URL of the assertion consumer service */
	struct str request;   /* ID of the browser's request; empty: it made none */
	bool takes_unasked;   /* also accepts responses to no request */
};

/* Decodes and verifies a response. The provider's name, entity_id, certificates and expires_us are read. service NULL: the response
 * is for AWS's sign-in, and answers any request. */
RESULT saml_read_response(struct ctx *c, struct str encoded, const struct saml_provider *provider,
			  const struct saml_service *service, struct saml_assertion *ret_assertion);

/* ---- request.c ---- */

/* Writes an AuthnRequest with service->request as its ID, in the form of the redirect binding (DEFLATE, base64). */
RESULT saml_write_request(struct ctx *c, const struct saml_service *service, struct str destination,
			  struct str *ret_encoded);
/* Likewise as the envelope that a program carries to the provider (Enhanced Client or Proxy profile), with a text that comes back. */
RESULT saml_write_envelope(struct ctx *c, const struct saml_service *service, struct str destination,
			   struct str relay, struct buf *ret_text);
/* Takes the Response, encoded as for saml_read_response(), and that text out of the envelope that the program brings. */
RESULT saml_read_envelope(struct ctx *c, struct str text, struct str *ret_encoded, struct str *ret_relay);
/* Writes the metadata of the service for the provider. program: where programs bring responses. */
RESULT saml_write_service(struct ctx *c, const struct saml_service *service, struct str program,
			  struct buf *ret_text);
/* True if the provider's metadata demand signed requests, which are not implemented. */
bool saml_wants_signed_requests(struct ctx *c, struct str metadata);

/* An attribute's values by its exact name; count 0: absent. */
struct strs saml_find_claim(const struct saml_assertion *s, const char *name);
struct strs saml_find_named(const struct saml_assertion *s, struct str name);
/* Checks that the Role attribute pairs the role with the provider, in either order. */
bool saml_has_role(const struct saml_assertion *s, struct str role_arn, struct str provider_arn);
/* The RoleSessionName attribute. ERR_INVALID: absent, or malformed. */
RESULT saml_find_session_name(struct ctx *c, const struct saml_assertion *s, struct str *ret_name);
/* The SessionDuration attribute in seconds; 0: absent. ERR_INVALID: not between 900 and 43200. */
RESULT saml_find_duration(struct ctx *c, const struct saml_assertion *s, int64_t *ret_seconds);
/* Hash of issuer, account and provider name that makes subjects unique. */
struct str saml_name_qualifier(struct arena *a, const struct saml_assertion *s, struct str account_number,
			       struct str provider_name);
/* Values of a condition key in lower case, such as "saml:sub" or "saml:edupersonaffiliation". False: no such value. */
bool saml_find_key(struct arena *a, const struct saml_assertion *s, struct str account_number,
		   struct str provider_name, struct str key, struct strs *ret_values);
