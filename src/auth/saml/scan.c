/* SPDX-License-Identifier: Apache-2.0
 * Looks through XML before a parser does, and refuses whatever could make the parser work out of proportion. It knows
 * tags, comments, CDATA and processing instructions; everything else that begins with "<!" is a document type. */
#include "auth/saml/saml_internal.h"

struct scan {
	struct str text;
	size_t at;
	size_t elements, attributes, depth;
};

/* Position after the next `end`; false: there is none. */
static bool skip_past(struct scan *s, struct str end)
{
	for (; s->at + end.n <= s->text.n; s->at++)
		if (memcmp(s->text.p + s->at, end.p, end.n) == 0) {
			s->at += end.n;
			return true;
		}
	return false;
}

static bool begins(const struct scan *s, struct str with)
{
	return str_starts_with(str_slice(s->text, s->at, s->text.n), with);
}

/* Comments and the like make nodes of the tree, too. */
static bool skip_node(struct scan *s, struct str end)
{
	s->elements++;
	return skip_past(s, end);
}

/* From behind the tag's '<' to behind its '>'. Quoted values may contain '>' and '/'. */
static bool scan_tag(struct scan *s)
{
	bool closes = begins(s, STR("/"));
	char quote = 0, before = 0;
	for (; s->at < s->text.n; before = s->text.p[s->at++]) {
		char ch = s->text.p[s->at];
		if (quote) {
			quote = ch == quote ? 0 : quote;
		} else if (ch == '"' || ch == '\'') {
			quote = ch;
			s->attributes++;
		} else if (ch == '<') {
			return false;
		} else if (ch == '>') {
			s->at++;
			if (closes)
				return s->depth-- > 0;
			s->elements++;
			s->depth += before != '/';
			return true;
		}
	}
	return false;
}

static bool scan_markup(struct scan *s)
{
	if (begins(s, STR("!--")))
		return skip_node(s, STR("-->"));
	if (begins(s, STR("![CDATA[")))
		return skip_node(s, STR("]]>"));
	if (begins(s, STR("?")))
		return skip_node(s, STR("?>"));
	return !begins(s, STR("!")) && scan_tag(s);
}

bool saml_scan(struct str text)
{
	struct scan s = {.text = text};
	if (!str_is_xml_text(text))
		return false;
	while (skip_past(&s, STR("<")))
		if (!scan_markup(&s) || s.elements > SAML_ELEMENTS_MAX || s.depth > SAML_DEPTH_MAX ||
		    s.attributes > SAML_XML_ATTRIBUTES_MAX)
			return false;
	return s.elements > 0 && s.depth == 0;
}
