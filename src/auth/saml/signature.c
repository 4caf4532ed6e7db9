/* SPDX-License-Identifier: Apache-2.0
 * XML signatures, verified by libxmlsec1 with OpenSSL. libxmlsec1 would accept many forms that SAML has no use for, and
 * that attacks have used: the form of a signature is checked first, element by element. */
#include <libxml/parser.h>
#include <libxml/valid.h>
#include <pthread.h>

#include "auth/saml/saml_internal.h"
#include "auth/saml/xmlsec.h"

#define C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENVELOPED SAML_SIGNATURE_NS "enveloped-signature"

static const char *const methods[] = {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
				      "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
				      "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
				      "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
				      "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
				      "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
				      NULL};
static const char *const digests[] = {"http://www.w3.org/2001/04/xmlenc#sha256",
				      "http://www.w3.org/2001/04/xmldsig-more#sha384",
				      "http://www.w3.org/2001/04/xmlenc#sha512", NULL};
static const char *const canonical[] = {C14N, NULL};

/* ---- the library ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_ready;

static void be_quiet(const char *file, int line, const char *function, const char *object,
		     const char *subject, int reason, const char *message)
{
	(void) file, (void) line, (void) function, (void) object, (void) subject, (void) reason,
		(void) message;
}

/* Without I/O callbacks the library opens neither files nor connections, whatever a URI says. */
static void start(void)
{
	xmlInitParser();
	is_ready = xmlSecInit() >= 0 && xmlSecCheckVersion() == 1 && xmlSecCryptoInit() >= 0;
	xmlSecErrorsSetCallback(be_quiet);
	xmlSecIOCleanupCallbacks();
}

bool saml_start(void)
{
	(void) pthread_once(&once, start);
	return is_ready;
}

/* ---- the form ---- */

static bool is_among(struct str text, const char *const *words)
{
	while (*words && !str_is(text, *words))
		words++;
	return *words;
}

static xmlNodePtr next_element(xmlNodePtr node)
{
	while (node && node->type != XML_ELEMENT_NODE)
		node = node->next;
	return node;
}

/* Moves over the next element if it has that name. */
static bool take(xmlNodePtr *at, const char *name, xmlNodePtr *ret_node)
{
	*ret_node = *at;
	if (!saml_is(*at, SAML_SIGNATURE_NS, name))
		return false;
	*at = next_element((*at)->next);
	return true;
}

static bool has_algorithm(struct arena *a, const xmlNode *node, const char *const *known)
{
	return is_among(saml_attribute(a, node, "Algorithm"), known);
}

/* First enveloped-signature, then exclusive canonicalisation. */
static bool are_good_transforms(struct arena *a, const xmlNode *transforms)
{
	static const char *const enveloped[] = {ENVELOPED, NULL};
	xmlNodePtr at = next_element(transforms->children), first, second;
	return take(&at, "Transform", &first) && has_algorithm(a, first, enveloped) &&
	       !next_element(first->children) && take(&at, "Transform", &second) &&
	       has_algorithm(a, second, canonical) && !at;
}

static bool is_good_reference(struct arena *a, const xmlNode *reference, struct str id)
{
	xmlNodePtr at = next_element(reference->children), transforms, method, value;
	struct str uri = saml_attribute(a, reference, "URI");
	return uri.n == id.n + 1 && uri.p[0] == '#' && str_equal(str_slice(uri, 1, uri.n), id) &&
	       take(&at, "Transforms", &transforms) && are_good_transforms(a, transforms) &&
	       take(&at, "DigestMethod", &method) && has_algorithm(a, method, digests) &&
	       take(&at, "DigestValue", &value) && !at;
}

/* SignedInfo, SignatureValue and perhaps KeyInfo; no Object, in which other elements could hide. */
static bool is_good_form(struct arena *a, const xmlNode *signature, struct str id)
{
	xmlNodePtr at = next_element(signature->children), info, value, key;
	if (!take(&at, "SignedInfo", &info) || !take(&at, "SignatureValue", &value))
		return false;
	(void) take(&at, "KeyInfo", &key);
	if (at)
		return false;
	xmlNodePtr canonicalisation, method, reference;
	at = next_element(info->children);
	return take(&at, "CanonicalizationMethod", &canonicalisation) &&
	       has_algorithm(a, canonicalisation, canonical) && take(&at, "SignatureMethod", &method) &&
	       has_algorithm(a, method, methods) && !next_element(method->children) &&
	       take(&at, "Reference", &reference) && !at && is_good_reference(a, reference, id);
}

/* An NCName of ASCII: "#" before it is a URI that can mean nothing but this id. */
static bool is_good_id(struct str id)
{
	bool is_good = id.n > 0 && id.n <= 256 && !strchr("-.0123456789", id.p[0]);
	for (size_t k = 0; k < id.n && is_good; k++)
		is_good = str_is_alphanumeric(id.p[k]) || strchr("-._", id.p[k]);
	return is_good;
}

/* ---- the mathematics ---- */

static bool set_up(xmlSecDSigCtxPtr d)
{
	const xmlSecTransformId references[] = {xmlSecTransformEnvelopedId, xmlSecTransformExclC14NId,
						xmlSecTransformSha256Id, xmlSecTransformSha384Id,
						xmlSecTransformSha512Id};
	const xmlSecTransformId signatures[] = {xmlSecTransformExclC14NId,    xmlSecTransformRsaSha256Id,
						xmlSecTransformRsaSha384Id,   xmlSecTransformRsaSha512Id,
						xmlSecTransformEcdsaSha256Id, xmlSecTransformEcdsaSha384Id,
						xmlSecTransformEcdsaSha512Id};
	bool is_good = true;
	d->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
	d->keyInfoReadCtx.retrievalMethodCtx.enabledUris = xmlSecTransformUriTypeNone;
	for (size_t k = 0; k < sizeof references / sizeof references[0]; k++)
		is_good &= xmlSecDSigCtxEnableReferenceTransform(d, references[k]) >= 0;
	for (size_t k = 0; k < sizeof signatures / sizeof signatures[0]; k++)
		is_good &= xmlSecDSigCtxEnableSignatureTransform(d, signatures[k]) >= 0;
	return is_good;
}

/* With a key given, the library does not look at KeyInfo. */
static bool is_signed_by(xmlNodePtr signature, struct str der)
{
	xmlSecDSigCtxPtr d = xmlSecDSigCtxCreate(NULL);
	if (!d)
		return false;
	d->signKey = xmlSecCryptoAppKeyLoadMemory((const xmlSecByte *) der.p, (xmlSecSize) der.n,
						  xmlSecKeyDataFormatCertDer, NULL, NULL, NULL);
	bool is_good = d->signKey && set_up(d) && xmlSecDSigCtxVerify(d, signature) >= 0 &&
		       d->status == xmlSecDSigStatusSucceeded;
	xmlSecDSigCtxDestroy(d);
	return is_good;
}

/* The id means this element while its signature is verified, and nothing afterwards. */
static bool is_signed_by_one(struct arena *a, xmlNodePtr element, xmlNodePtr signature, struct str id,
			     struct strs certificates)
{
	xmlAttrPtr attribute = xmlHasNsProp(element, BAD_CAST "ID", NULL);
	if (!attribute || xmlGetID(element->doc, BAD_CAST str_to_z(a, id)) ||
	    !xmlAddID(NULL, element->doc, BAD_CAST str_to_z(a, id), attribute))
		return false;
	bool is_good = false;
	for (size_t k = 0; k < certificates.count && !is_good; k++) {
		struct str der = STR_NONE; /* metadata has base64 of DER, without PEM's frame */
		is_good = result_is_ok(str_decode_base64(a, certificates.at[k], &der)) &&
			  is_signed_by(signature, der);
	}
	(void) xmlRemoveID(element->doc, attribute);
	return is_good;
}

RESULT saml_verify(struct ctx *c, xmlNodePtr element, struct strs certificates, bool *ret_is_signed)
{
	xmlNodePtr signature = saml_child(element, SAML_SIGNATURE_NS, "Signature");
	struct str id = saml_attribute(c->arena, element, "ID");
	*ret_is_signed = signature != NULL;
	if (!saml_start())
		return ctx_fail(c, ERR_INTERNAL, "libxmlsec1 cannot be used.");
	if (!signature)
		return OK;
	bool is_good = saml_only_child(element, SAML_SIGNATURE_NS, "Signature") && is_good_id(id) &&
		       is_good_form(c->arena, signature, id) &&
		       is_signed_by_one(c->arena, element, signature, id, certificates);
	return is_good ? OK : saml_fail(c, "Response signature invalid");
}
