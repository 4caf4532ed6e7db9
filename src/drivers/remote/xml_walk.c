/* SPDX-License-Identifier: Apache-2.0
 * The walk over a document, with libxml2's reader. */
#include "drivers/remote/xml_walk.h"

#include <libxml/xmlreader.h>
#include <limits.h>
#include <string.h>

#include "base/buf.h"

enum { PATH_MAX_SIZE = 2048 };

struct walk {
	struct ctx *c;
	const struct xml_visitor *visitor;
	struct str *root;
	char path[PATH_MAX_SIZE]; /* "DescribeInstancesResponse/reservationSet/item" */
	size_t path_size;
	size_t ends[XML_DEPTH_MAX]; /* size of the path at each depth */
	size_t depth;
	struct buf text; /* text inside the current element */
};

RESULT remote_fail_answer(struct ctx *c, const char *what)
{
	return ctx_fail(c, ERR_IO, "The answer is not usable: %s.", what);
}

/* The path below the document's element; empty for that element itself. */
static struct str inner_path(const struct walk *w)
{
	size_t from = w->depth > 1 ? w->ends[0] + 1 : w->path_size;
	return (struct str){w->path + from, w->path_size - from};
}

#define XSI "http://www.w3.org/2001/XMLSchema-instance"

static void text_release(xmlChar **text)
{
	xmlFree(*text);
}
#define AUTO_TEXT __attribute__((cleanup(text_release))) xmlChar

static RESULT mark(struct walk *w, xmlTextReaderPtr reader)
{
	AUTO_TEXT *type = xmlTextReaderGetAttributeNs(reader, BAD_CAST "type", NULL);
	AUTO_TEXT *xsi_type = xmlTextReaderGetAttributeNs(reader, BAD_CAST "type", BAD_CAST XSI);
	AUTO_TEXT *cim_name = xmlTextReaderGetAttributeNs(reader, BAD_CAST "NAME", NULL);
	AUTO_TEXT *code = xmlTextReaderGetAttributeNs(reader, BAD_CAST "Code", NULL);
	AUTO_TEXT *name = xmlTextReaderGetAttributeNs(reader, BAD_CAST "Name", NULL);
	const struct xml_marks marks = {
		.space = str_from((const char *) xmlTextReaderConstNamespaceUri(reader)),
		.type = str_from((const char *) type),
		.xsi_type = str_from((const char *) xsi_type),
		.cim_name = str_from((const char *) cim_name),
		.code = str_from((const char *) code),
		.name = str_from((const char *) name)};
	return w->visitor->mark(w->visitor->self, inner_path(w), &marks);
}

static RESULT enter(struct walk *w, struct str name, xmlTextReaderPtr reader)
{
	if (w->depth == XML_DEPTH_MAX || name.n + 1 > sizeof w->path - w->path_size)
		return remote_fail_answer(w->c, "it is nested too deeply");
	if (w->depth)
		w->path[w->path_size++] = '/';
	memcpy(w->path + w->path_size, name.p, name.n);
	w->path_size += name.n;
	w->ends[w->depth++] = w->path_size;
	buf_done(&w->text);
	buf_init(&w->text, XML_TEXT_MAX);
	if (w->depth == 1)
		*w->root = str_copy(w->c->arena, name);
	if (w->visitor->mark)
		TRY(mark(w, reader));
	return w->visitor->enter(w->visitor->self, inner_path(w));
}

static RESULT leave(struct walk *w)
{
	TRY(w->visitor->leave(w->visitor->self, inner_path(w), str_trim(buf_str(&w->text))));
	w->depth--;
	w->path_size = w->depth ? w->ends[w->depth - 1] : 0;
	buf_done(&w->text);
	buf_init(&w->text, XML_TEXT_MAX);
	return OK;
}

static void be_quiet(void *arg, const char *message, xmlParserSeverities severity,
		     xmlTextReaderLocatorPtr locator)
{
	(void) arg, (void) message, (void) severity, (void) locator;
}

static RESULT take_node(struct walk *w, xmlTextReaderPtr reader)
{
	switch (xmlTextReaderNodeType(reader)) {
	case XML_READER_TYPE_ELEMENT:
		TRY(enter(w, str_from((const char *) xmlTextReaderConstLocalName(reader)), reader));
		return xmlTextReaderIsEmptyElement(reader) ? leave(w) : OK;
	case XML_READER_TYPE_END_ELEMENT:
		return leave(w);
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
		buf_add_str(&w->text, str_from((const char *) xmlTextReaderConstValue(reader)));
		return w->text.failed ? remote_fail_answer(w->c, "a text is too long") : OK;
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
	case XML_READER_TYPE_ENTITY:
		return remote_fail_answer(w->c, "it has a document type or entities");
	default:
		return OK;
	}
}

static RESULT read_all(struct walk *w, xmlTextReaderPtr reader)
{
	int more = 0;
	while ((more = xmlTextReaderRead(reader)) == 1)
		TRY(take_node(w, reader));
	if (more < 0 || !w->root->n)
		return remote_fail_answer(w->c, "it is no well-formed XML, or ends early");
	return arena_is_full(w->c->arena) ? ctx_no_memory(w->c) : OK;
}

RESULT remote_walk_xml(struct ctx *c, struct str text, const struct xml_visitor *visitor,
		       struct str *ret_root)
{
	struct walk *w = arena_new_object(c->arena, struct walk);
	*ret_root = STR_NONE;
	if (!w)
		return ctx_no_memory(c);
	*w = (struct walk){.c = c, .visitor = visitor, .root = ret_root};
	if (text.n > INT_MAX || !text.n)
		return remote_fail_answer(c, "it is empty or too large");
	xmlTextReaderPtr reader = xmlReaderForMemory(
		text.p, (int) text.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!reader)
		return ctx_no_memory(c);
	xmlTextReaderSetErrorHandler(reader, be_quiet, NULL);
	buf_init(&w->text, XML_TEXT_MAX);
	struct result result = read_all(w, reader);
	buf_done(&w->text);
	xmlFreeTextReader(reader);
	return result;
}
