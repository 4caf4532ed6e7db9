/* SPDX-License-Identifier: Apache-2.0
 * Reads libvirt's XML by XPath expressions, with libxml2. */
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <limits.h>

#include "base/heap.h"
#include "drivers/libvirt/host.h"

struct xml_tree {
	xmlDocPtr doc;
	xmlXPathContextPtr paths;
};

static void be_quiet(void *arg, const char *format, ...)
{
	(void) arg, (void) format;
}

RESULT xml_tree_parse(struct ctx *c, struct str text, struct xml_tree **ret_tree)
{
	if (text.n > INT_MAX)
		return ctx_fail(c, ERR_TOO_LARGE, "libvirt's XML of %zu bytes", text.n);
	AUTO(xml_tree) t = heap_new(struct xml_tree);
	if (!t)
		return ctx_no_memory(c);
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
	t->doc = xmlReadMemory(text.p, (int) text.n, NULL, NULL, options);
	if (!t->doc)
		return ctx_fail(c, ERR_IO, "libvirt's XML cannot be read: %.60s", str_to_z(c->arena, text));
	t->paths = xmlXPathNewContext(t->doc);
	if (!t->paths)
		return ctx_no_memory(c);
	xmlSetGenericErrorFunc(NULL, be_quiet); /* per thread */
	xmlXPathRegisterNs(t->paths, BAD_CAST "d", BAD_CAST DOMAIN_XMLNS);
	*ret_tree = TAKE(t);
	return OK;
}

void xml_tree_free(struct xml_tree *t)
{
	if (!t)
		return;
	xmlXPathFreeContext(t->paths);
	if (t->doc)
		xmlFreeDoc(t->doc);
	heap_free(t);
}

struct str xml_tree_find(struct ctx *c, struct xml_tree *t, const char *xpath)
{
	struct str found = STR_NONE;
	xmlXPathObjectPtr o = xmlXPathEvalExpression(BAD_CAST xpath, t->paths);
	if (o && o->nodesetval && o->nodesetval->nodeNr > 0) {
		xmlChar *text = xmlNodeGetContent(o->nodesetval->nodeTab[0]);
		found = str_copy(c->arena, str_from((const char *) text));
		xmlFree(text);
	}
	xmlXPathFreeObject(o);
	return found;
}

struct str xml_tree_write(struct ctx *c, struct xml_tree *t, const char *xpath)
{
	struct str found = STR_NONE;
	xmlXPathObjectPtr o = xmlXPathEvalExpression(BAD_CAST xpath, t->paths);
	xmlBufferPtr b = xmlBufferCreate();
	bool has = b && o && o->nodesetval && o->nodesetval->nodeNr > 0;
	if (has && xmlNodeDump(b, t->doc, o->nodesetval->nodeTab[0], 0, 0) >= 0)
		found = str_copy(c->arena, str_from((const char *) xmlBufferContent(b)));
	if (b)
		xmlBufferFree(b);
	xmlXPathFreeObject(o);
	return found;
}

RESULT xml_tree_list(struct ctx *c, struct xml_tree *t, const char *xpath, struct strs *ret_texts)
{
	xmlXPathObjectPtr o = xmlXPathEvalExpression(BAD_CAST xpath, t->paths);
	size_t count = o && o->nodesetval ? (size_t) o->nodesetval->nodeNr : 0;
	struct str *texts = arena_new_array(c->arena, struct str, count + 1);
	for (size_t k = 0; k < count && texts; k++) {
		xmlChar *text = xmlNodeGetContent(o->nodesetval->nodeTab[k]);
		texts[k] = str_copy(c->arena, str_from((const char *) text));
		xmlFree(text);
	}
	xmlXPathFreeObject(o);
	if (!texts)
		return ctx_no_memory(c);
	*ret_texts = (struct strs){texts, count};
	return OK;
}
