/* SPDX-License-Identifier: Apache-2.0
 * Parses dictionaries in Python's syntax. Cinder evaluates the filters `metadata` and `extra_specs` as
 * Python literals, and clients send str() of a dict. JSON objects of texts are valid, too. */
#include "api/openstack/volume/volumes.h"

/* Takes the character `c`, after blanks. */
static bool next_is(struct str *rest, char c)
{
	*rest = str_trim(*rest);
	if (!rest->n || rest->p[0] != c)
		return false;
	*rest = str_slice(*rest, 1, rest->n);
	return true;
}

/* Takes 'a', "a" or u'a' with escapes, otherwise a bare word such as 1 or True. */
static bool read_text(struct arena *a, struct str *rest, struct str *ret_text)
{
	*rest = str_trim(*rest);
	if (rest->n > 1 && rest->p[0] == 'u' && strchr("'\"", rest->p[1]))
		*rest = str_slice(*rest, 1, rest->n);
	bool is_quoted = rest->n && strchr("'\"", rest->p[0]);
	char quote = is_quoted ? rest->p[0] : 0;
	VEC(char) text = {0};
	size_t at = is_quoted;
	for (; at < rest->n && (is_quoted ? rest->p[at] != quote : !strchr(",:}", rest->p[at])); at++) {
		at += is_quoted && rest->p[at] == '\\' && at + 1 < rest->n;
		if (!VEC_PUSH(a, &text, rest->p[at]))
			return false;
	}
	if (at == rest->n)
		return false;
	*rest = str_slice(*rest, at + is_quoted, rest->n);
	*ret_text = (struct str){text.at, text.count};
	if (!is_quoted)
		*ret_text = str_trim(*ret_text);
	return is_quoted || ret_text->n;
}

bool os_read_literal(struct os_call *e, struct str text, struct tags *ret_tags)
{
	VEC(struct tag) tags = {0};
	if (!next_is(&text, '{'))
		return false;
	while (!next_is(&text, '}')) {
		struct tag tag;
		if ((tags.count && !next_is(&text, ',')) || !read_text(e->c->arena, &text, &tag.key) ||
		    !next_is(&text, ':') || !read_text(e->c->arena, &text, &tag.value) ||
		    !VEC_PUSH(e->c->arena, &tags, tag))
			return false;
	}
	*ret_tags = (struct tags){tags.at, tags.count};
	return str_is_empty(str_trim(text));
}

bool os_fits_literal(struct os_call *e, struct tags tags, struct str text)
{
	struct tags asked;
	if (!os_read_literal(e, text, &asked))
		return false;
	for (size_t k = 0; k < asked.count; k++) {
		const struct tag *tag = tags_find(tags, asked.at[k].key);
		if (!tag || !str_equal(tag->value, asked.at[k].value))
			return false;
	}
	return true;
}
