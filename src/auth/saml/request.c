/* SPDX-License-Identifier: Apache-2.0
 * What this region sends as a SAML service provider: requests for authentication by the redirect binding, and its own metadata.
 * Neither is signed: a request carries no secret, and a response counts only if the browser that brings it made the request. */
#include <libxml/entities.h>

#include "auth/saml/saml_internal.h"
#include "base/buf.h"
#include "base/clock.h"

#define POST_BINDING "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

enum { DEFLATE_STORED_MAX = 65535 };

/* A text as the value of an attribute in quotation marks. p NULL: no memory. */
static struct str escape(struct arena *a, struct str text)
{
	const char *z = str_to_z(a, text);
	xmlChar *escaped = z ? xmlEncodeSpecialChars(NULL, BAD_CAST z) : NULL;
	struct str copy = escaped ? str_print(a, "%s", (const char *) escaped) : STR_NONE;
	xmlFree(escaped);
	return copy;
}

/* One stored block of DEFLATE (RFC 1951, section 3.2.4): a request is too small to be worth compressing. */
static struct str deflate_stored(struct arena *a, struct str text)
{
	enum { HEAD_SIZE = 5 };
	char *out = text.n <= DEFLATE_STORED_MAX ? arena_alloc(a, HEAD_SIZE + text.n) : NULL;
	if (!out)
		return STR_NONE;
	out[0] = 1; /* the last block, stored */
	out[1] = (char) (text.n & 0xff);
	out[2] = (char) (text.n >> 8);
	out[3] = (char) ~out[1];
	out[4] = (char) ~out[2];
	memcpy(out + HEAD_SIZE, text.p, text.n);
	return (struct str){out, HEAD_SIZE + text.n};
}

RESULT saml_write_request(struct ctx *c, const struct saml_service *service, struct str destination,
			  struct str *ret_encoded)
{
	char now[CLOCK_TEXT_SIZE];
	struct arena *a = c->arena;
	struct str text =
		str_print(a,
			  "<samlp:AuthnRequest xmlns:samlp=\"" SAML_PROTOCOL_NS "\" ID=\"%" STR_FMT
			  "\" Version=\"2.0\" IssueInstant=\"%s\" Destination=\"%" STR_FMT
			  "\" AssertionConsumerServiceURL=\"%" STR_FMT "\" ProtocolBinding=\"" POST_BINDING
			  "\"><saml:Issuer xmlns:saml=\"" SAML_ASSERTION_NS "\">%" STR_FMT
			  "</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>",
			  STR_ARG(escape(a, service->request)), clock_write_s(clock_now_us(), now),
			  STR_ARG(escape(a, destination)), STR_ARG(escape(a, service->consumer)),
			  STR_ARG(escape(a, service->entity_id)));
	struct str packed = deflate_stored(a, text);
	*ret_encoded = str_encode_base64(a, packed);
	return packed.p && ret_encoded->p && !arena_is_full(a) ? OK : ctx_no_memory(c);
}

RESULT saml_write_service(struct ctx *c, const struct saml_service *service, struct buf *ret_text)
{
	struct arena *a = c->arena;
	buf_print(ret_text,
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		  "<md:EntityDescriptor xmlns:md=\"" SAML_METADATA_NS "\" entityID=\"%" STR_FMT "\">\n"
		  "  <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" "
		  "protocolSupportEnumeration=\"" SAML_PROTOCOL_NS "\">\n"
		  "    <md:AssertionConsumerService Binding=\"" POST_BINDING "\" Location=\"%" STR_FMT
		  "\" index=\"0\" isDefault=\"true\"/>\n"
		  "  </md:SPSSODescriptor>\n"
		  "</md:EntityDescriptor>\n",
		  STR_ARG(escape(a, service->entity_id)), STR_ARG(escape(a, service->consumer)));
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

bool saml_wants_signed_requests(struct ctx *c, struct str metadata)
{
	AUTO_DOC doc = saml_parse(metadata);
	xmlNodePtr entity = doc ? xmlDocGetRootElement(doc) : NULL;
	struct str said =
		saml_attribute(c->arena, saml_only_child(entity, SAML_METADATA_NS, "IDPSSODescriptor"),
			       "WantAuthnRequestsSigned");
	return str_is(said, "true") || str_is(said, "1");
}
