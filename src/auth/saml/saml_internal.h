/* SPDX-License-Identifier: Apache-2.0
 * Private to auth/saml/: trees of libxml2 that were checked before, and signatures in them. */
#pragma once

#include <libxml/tree.h>

#include "auth/saml/saml.h"

#define SAML_ASSERTION_NS "urn:oasis:names:tc:SAML:2.0:assertion"
#define SAML_PROTOCOL_NS "urn:oasis:names:tc:SAML:2.0:protocol"
#define SAML_METADATA_NS "urn:oasis:names:tc:SAML:2.0:metadata"
#define SAML_SIGNATURE_NS "http://www.w3.org/2000/09/xmldsig#"

RESULT saml_fail(struct ctx *c, const char *why); /* ERR_INVALID with KIND_SAML_PROVIDER */

/* ---- scan.c ---- */

/* Checks a text before it is parsed: UTF-8 with neither document type nor more elements, attributes and depth than
 * saml.h allows. False: refused. */
bool saml_scan(struct str text);

/* ---- tree.c ---- */

static inline void saml_doc_autofree(xmlDocPtr *doc)
{
	xmlFreeDoc(*doc);
}
#define AUTO_DOC __attribute__((cleanup(saml_doc_autofree))) xmlDocPtr

/* Scans and parses a text. NULL: refused or not well-formed. */
xmlDocPtr saml_parse(struct str text);
bool saml_is(const xmlNode *node, const char *ns, const char *name);
/* First child element of that name, or the next such sibling; NULL: none. */
xmlNodePtr saml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNodePtr saml_next(const xmlNode *node, const char *ns, const char *name);
/* The only child element of that name; NULL: none, or several. */
xmlNodePtr saml_only_child(const xmlNode *parent, const char *ns, const char *name);
/* Trimmed text of an element that contains text alone, comments left out; empty: it has none, or has elements. */
struct str saml_text(struct arena *a, const xmlNode *node);
/* Value of an attribute without a namespace; p NULL: absent. */
struct str saml_attribute(struct arena *a, const xmlNode *node, const char *name);
/* Time in an attribute. False: malformed. Absent: *ret_us is 0. */
bool saml_time(struct arena *a, const xmlNode *node, const char *name, int64_t *ret_us);

/* ---- signature.c ---- */

/* Initialises libxmlsec1 at the first call. False: it cannot be used. */
bool saml_start(void);
/* Checks that the element's own signature (a child of it) covers the element as a whole and is by one of the
 * certificates (DER in base64). *ret_is_signed false: the element has no signature. ERR_INVALID. */
RESULT saml_verify(struct ctx *c, xmlNodePtr element, struct strs certificates, bool *ret_is_signed);
