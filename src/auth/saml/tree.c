/* SPDX-License-Identifier: Apache-2.0
 * Trees of libxml2: parsing without network, entities or document types, and reading of elements. */
#include <libxml/parser.h>
#include <limits.h>

#include "auth/saml/saml_internal.h"
#include "base/clock.h"

RESULT saml_fail(struct ctx *c, const char *why)
{
	return ctx_fail_kind(c, ERR_INVALID, KIND_SAML_PROVIDER, "%s", why);
}

/* The encoding is given, so that the parser reads the bytes that the scan has read. */
xmlDocPtr saml_parse(struct str text)
{
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	if (text.n > INT_MAX || !saml_scan(text))
		return NULL;
	xmlDocPtr doc = xmlReadMemory(text.p, (int) text.n, NULL, "UTF-8", options);
	if (doc && (doc->intSubset || doc->extSubset || !xmlDocGetRootElement(doc))) {
		xmlFreeDoc(doc);
		return NULL;
	}
	return doc;
}

static struct str text_of(const xmlChar *z)
{
	return str_from((const char *) z);
}

bool saml_is(const xmlNode *node, const char *ns, const char *name)
{
	return node && node->type == XML_ELEMENT_NODE && node->ns && str_is(text_of(node->ns->href), ns) &&
	       str_is(text_of(node->name), name);
}

static xmlNodePtr find_from(xmlNodePtr node, const char *ns, const char *name)
{
	while (node && !saml_is(node, ns, name))
		node = node->next;
	return node;
}

xmlNodePtr saml_child(const xmlNode *parent, const char *ns, const char *name)
{
	return parent ? find_from(parent->children, ns, name) : NULL;
}

xmlNodePtr saml_next(const xmlNode *node, const char *ns, const char *name)
{
	return find_from(node->next, ns, name);
}

xmlNodePtr saml_only_child(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNodePtr found = saml_child(parent, ns, name);
	return found && !saml_next(found, ns, name) ? found : NULL;
}

/* libxml2 would also resolve references to entities; without a document type there are none. */
struct str saml_text(struct arena *a, const xmlNode *node)
{
	size_t count = 0;
	for (const xmlNode *n = node ? node->children : NULL; n; n = n->next)
		count++;
	struct str *parts = arena_new_array(a, struct str, count + 1);
	count = 0;
	for (const xmlNode *n = node && parts ? node->children : NULL; n; n = n->next) {
		if (n->type == XML_COMMENT_NODE || n->type == XML_PI_NODE)
			continue;
		if (n->type != XML_TEXT_NODE && n->type != XML_CDATA_SECTION_NODE)
			return STR_NONE;
		parts[count++] = text_of(n->content);
	}
	return parts ? str_trim(str_join(a, parts, count)) : STR_NONE;
}

struct str saml_attribute(struct arena *a, const xmlNode *node, const char *name)
{
	xmlChar *value = node ? xmlGetNoNsProp(node, BAD_CAST name) : NULL;
	struct str copy = value ? str_print(a, "%s", (const char *) value) : STR_NONE;
	xmlFree(value);
	return copy;
}

bool saml_time(struct arena *a, const xmlNode *node, const char *name, int64_t *ret_us)
{
	struct str text = saml_attribute(a, node, name);
	*ret_us = 0;
	return !text.p || (result_is_ok(clock_parse(text, ret_us)) && *ret_us > 0);
}
