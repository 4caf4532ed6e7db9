/* SPDX-License-Identifier: Apache-2.0
 * Finds the position of a statement in its document, for callers that show which statement decided. */
#include "auth/policy/policy.h"

/* A scan of a document that is known to be valid JSON. */
struct scan {
	struct str text;
	size_t at;
	struct policy_place place; /* position behind the last character read */
};

static char step(struct scan *s)
{
	char c = s->text.p[s->at++];
	if (c == '\n')
		s->place = (struct policy_place){s->place.line + 1, 1};
	else if (((unsigned char) c & 0xC0) != 0x80)
		s->place.column++;
	return c;
}

/* Called behind the opening quote; returns the raw text. */
static struct str skip_string(struct scan *s)
{
	size_t begin = s->at;
	while (s->at < s->text.n) {
		char c = step(s);
		if (c == '"')
			return str_slice(s->text, begin, s->at - 1);
		if (c == '\\' && s->at < s->text.n)
			(void) step(s);
	}
	return STR_NONE;
}

/* Called behind an opening bracket or brace; skips to behind the matching one. */
static void skip_nested(struct scan *s)
{
	for (int depth = 1; depth > 0 && s->at < s->text.n;) {
		char c = step(s);
		if (c == '"')
			(void) skip_string(s);
		depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
	}
}

/* Skips to behind the opening bracket or brace of the member Statement, and returns it; 0: none. */
static char find_statements(struct scan *s)
{
	bool is_key = true, is_sought = false;
	while (s->at < s->text.n) {
		char c = step(s);
		/* opens a value; the document's own brace comes while a key is expected */
		bool opens = (c == '{' || c == '[') && !is_key;
		if (opens && is_sought)
			return c;
		if (opens)
			skip_nested(s);
		if (c == '"') {
			struct str text = skip_string(s);
			is_sought = is_key ? str_is(text, "Statement") : is_sought;
		}
		is_key = c == ',' || (is_key && c != ':');
	}
	return 0;
}

bool policy_find_place(struct str document, size_t statement, struct policy_place *ret_start,
		       struct policy_place *ret_end)
{
	struct scan s = {document, 0, {1, 1}};
	char opened = find_statements(&s);
	struct policy_place start = s.place;
	if (opened == '{') {
		skip_nested(&s);
		*ret_start = start;
		*ret_end = s.place;
		return statement == 0;
	}
	for (size_t k = 0; opened && s.at < document.n;) {
		if (step(&s) != '{')
			continue;
		skip_nested(&s);
		if (k++ == statement) {
			*ret_start = start;
			*ret_end = s.place;
			return true;
		}
		start = s.place;
	}
	return false;
}
