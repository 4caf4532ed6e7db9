/* SPDX-License-Identifier: Apache-2.0
 * Messages of this region as a SAML service provider: requests for authentication by the redirect binding, and metadata.
 * Neither is signed: a request carries no secret, and a response counts only if the browser that brings it made the request. */
#include <libxml/entities.h>

#include "auth/saml/saml_internal.h"
#include "base/buf.h"
#include "base/clock.h"

#define POST_BINDING "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
#define PAOS_BINDING "urn:oasis:names:tc:SAML:2.0:bindings:PAOS"
#define PAOS_NS "urn:liberty:paos:2003-08"
#define ECP_NS "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
#define SOAP_NS "http://schemas.xmlsoap.org/soap/envelope/"

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

/* Writes a single stored block of DEFLATE (RFC 1951, section 3.2.4): a request is too small to be worth compressing. */
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

static struct str write_request(struct ctx *c, const struct saml_service *service, struct str destination,
				const char *binding)
{
	char now[CLOCK_TEXT_SIZE];
	struct arena *a = c->arena;
	return str_print(a,
			 "<samlp:AuthnRequest xmlns:samlp=\"" SAML_PROTOCOL_NS "\" ID=\"%" STR_FMT
			 "\" Version=\"2.0\" IssueInstant=\"%s\" Destination=\"%" STR_FMT
			 "\" AssertionConsumerServiceURL=\"%" STR_FMT
			 "\" ProtocolBinding=\"%s\"><saml:Issuer "
			 "xmlns:saml=\"" SAML_ASSERTION_NS "\">%" STR_FMT
			 "</saml:Issuer><samlp:NameIDPolicy AllowCreate=\"true\"/></samlp:AuthnRequest>",
			 STR_ARG(escape(a, service->request)), clock_write_s(clock_now_us(), now),
			 STR_ARG(escape(a, destination)), STR_ARG(escape(a, service->consumer)), binding,
			 STR_ARG(escape(a, service->entity_id)));
}

RESULT saml_write_request(struct ctx *c, const struct saml_service *service, struct str destination,
			  struct str *ret_encoded)
{
	struct str packed = deflate_stored(c->arena, write_request(c, service, destination, POST_BINDING));
	*ret_encoded = str_encode_base64(c->arena, packed);
	return packed.p && ret_encoded->p && !arena_is_full(c->arena) ? OK : ctx_no_memory(c);
}

/* ---- programs ---- */

#define FOR_NEXT "S:actor=\"http://schemas.xmlsoap.org/soap/actor/next\" S:mustUnderstand=\"1\""

RESULT saml_write_envelope(struct ctx *c, const struct saml_service *service, struct str destination,
			   struct str relay, struct buf *ret_text)
{
	struct arena *a = c->arena;
	struct str request = write_request(c, service, destination, PAOS_BINDING);
	buf_print(ret_text,
		  "<S:Envelope xmlns:S=\"" SOAP_NS "\"><S:Header><paos:Request xmlns:paos=\"" PAOS_NS
		  "\" " FOR_NEXT " responseConsumerURL=\"%" STR_FMT "\" service=\"" ECP_NS
		  "\"/><ecp:Request xmlns:ecp=\"" ECP_NS "\" " FOR_NEXT
		  " IsPassive=\"0\"><saml:Issuer xmlns:saml=\"" SAML_ASSERTION_NS "\">%" STR_FMT
		  "</saml:Issuer></ecp:Request><ecp:RelayState xmlns:ecp=\"" ECP_NS "\" " FOR_NEXT
		  ">%" STR_FMT "</ecp:RelayState></S:Header><S:Body>%" STR_FMT "</S:Body></S:Envelope>",
		  STR_ARG(escape(a, service->consumer)), STR_ARG(escape(a, service->entity_id)),
		  STR_ARG(escape(a, relay)), STR_ARG(request));
	return arena_is_full(a) ? ctx_no_memory(c) : OK;
}

/* The signature covers the Response or what is in it, in exclusive canonical form, which does not depend on the envelope. The copy keeps
 * prefixes, and declares on its root those that the envelope declares. */
static struct str encode_element(struct arena *a, xmlNodePtr element)
{
	xmlDocPtr alone = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr copy = alone ? xmlDocCopyNode(element, alone, 1) : NULL;
	xmlChar *text = NULL;
	int size = 0;
	if (copy) {
		xmlDocSetRootElement(alone, copy);
		xmlDocDumpMemoryEnc(alone, &text, &size, "UTF-8");
	}
	struct str encoded =
		text ? str_encode_base64(a, (struct str){(const char *) text, (size_t) size}) : STR_NONE;
	xmlFree(text);
	xmlFreeDoc(alone);
	return encoded;
}

RESULT saml_read_envelope(struct ctx *c, struct str text, struct str *ret_encoded, struct str *ret_relay)
{
	AUTO_DOC doc = text.n <= SAML_ENCODED_MAX ? saml_parse(text) : NULL;
	xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
	xmlNodePtr envelope = saml_is(root, SOAP_NS, "Envelope") ? root : NULL;
	xmlNodePtr header = saml_only_child(envelope, SOAP_NS, "Header");
	xmlNodePtr response =
		saml_only_child(saml_only_child(envelope, SOAP_NS, "Body"), SAML_PROTOCOL_NS, "Response");
	if (!response)
		return saml_fail(c, "Invalid SAML response: it is not in an envelope of SOAP.");
	*ret_relay = saml_text(c->arena, saml_only_child(header, ECP_NS, "RelayState"));
	*ret_encoded = encode_element(c->arena, response);
	return ret_encoded->p ? OK : ctx_no_memory(c);
}

/* ---- metadata ---- */

RESULT saml_write_service(struct ctx *c, const struct saml_service *service, struct str program,
			  struct buf *ret_text)
{
	struct arena *a = c->arena;
	buf_print(ret_text,
		  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		  "<md:EntityDescriptor xmlns:md=\"" SAML_METADATA_NS "\" entityID=\"%" STR_FMT "\">\n"
		  "  <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" "
		  "protocolSupportEnumeration=\"" SAML_PROTOCOL_NS "\">\n"
		  "    <md:AssertionConsumerService Binding=\"" POST_BINDING "\" Location=\"%" STR_FMT
		  "\" index=\"0\" isDefault=\"true\"/>\n"
		  "    <md:AssertionConsumerService Binding=\"" PAOS_BINDING "\" Location=\"%" STR_FMT
		  "\" index=\"1\"/>\n"
		  "  </md:SPSSODescriptor>\n"
		  "</md:EntityDescriptor>\n",
		  STR_ARG(escape(a, service->entity_id)), STR_ARG(escape(a, service->consumer)),
		  STR_ARG(escape(a, program)));
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
