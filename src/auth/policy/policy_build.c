/* SPDX-License-Identifier: Apache-2.0
 * The growing block of a policy under compilation. Growing moves the block, so only offsets into it are
 * kept. */
#include "auth/policy/policy_internal.h"

enum { BLOCK_FIRST_SIZE = 2048, ALIGNMENT = 8 };

static bool grow(struct policy_builder *b, size_t wanted)
{
	size_t capacity = b->capacity ? b->capacity : BLOCK_FIRST_SIZE;
	while (capacity < wanted)
		capacity *= 2;
	if (capacity == b->capacity)
		return true;
	char *block = arena_alloc(b->c->arena, capacity);
	if (!block)
		return false;
	if (b->size)
		memcpy(block, b->block, b->size);
	b->block = block;
	b->capacity = capacity;
	return true;
}

struct piece policy_reserve(struct policy_builder *b, size_t count, size_t size)
{
	size_t at = (b->size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!grow(b, at + count * size))
		return (struct piece){0, 0};
	b->size = at + count * size;
	return (struct piece){(uint32_t) at, (uint32_t) count};
}

struct piece policy_add_text(struct policy_builder *b, struct str text)
{
	struct piece piece = policy_reserve(b, text.n, 1);
	if (piece.count)
		memcpy(b->block + piece.at, text.p, text.n);
	return piece;
}

void policy_set_item(struct policy_builder *b, struct piece list, size_t n, const void *item, size_t size)
{
	if (n < list.count)
		memcpy(b->block + list.at + n * size, item, size);
}

static bool is_special(char c)
{
	return c == '*' || c == '?' || c == '\\';
}

/* End (behind the brace) of the variable that starts at `at`; 0: not closed. Quoted defaults may contain
 * braces. */
static size_t variable_end(struct str text, size_t at)
{
	bool is_quoted = false;
	for (size_t k = at + 2; k < text.n; k++) {
		if (text.p[k] == '\'')
			is_quoted = !is_quoted;
		else if (text.p[k] == '}' && !is_quoted)
			return k + 1;
	}
	return 0;
}

/* A pattern being written. */
struct writer {
	char *out;
	size_t n;
	struct pattern p;
};

/* "${*}" is a literal star. */
static void write_literal(struct writer *w, char c)
{
	if (w->p.is_matched && is_special(c)) {
		w->out[w->n++] = '\\';
		w->p.has_wildcard = true; /* the escape must be undone by str_matches() */
	}
	w->out[w->n++] = c;
}

static void write_plain(struct writer *w, char c)
{
	if (w->p.is_matched && c == '\\')
		w->out[w->n++] = c;
	w->p.has_wildcard = w->p.has_wildcard || (w->p.is_matched && is_special(c));
	w->out[w->n++] = c;
}

/* Writes the variable that ends at `end`. */
static void write_variable(struct writer *w, struct str text, size_t at, size_t end)
{
	char first = text.p[at + 2];
	/* "${$}{x}" is a literal "${x}" */
	bool looks_like_one = first == '$' && end < text.n && text.p[end] == '{';
	if (end == at + 4 && (first == '*' || first == '?' || first == '$') && !looks_like_one) {
		write_literal(w, first);
		return;
	}
	memcpy(w->out + w->n, text.p + at, end - at);
	w->n += end - at;
	w->p.has_variable = true;
}

static bool begins_variable(struct str text, size_t at)
{
	return text.p[at] == '$' && at + 1 < text.n && text.p[at + 1] == '{';
}

/* Escapes the text for str_matches(), which uses '\\' as escape; variables are kept for policy_fill(). */
RESULT policy_add_pattern(struct policy_builder *b, struct str text, bool may_have_variables,
			  bool has_wildcards, struct pattern *ret_pattern)
{
	struct writer w = {.out = arena_alloc(b->c->arena, 2 * text.n + 1),
			   .p = {.is_any = has_wildcards && str_is(text, "*"), .is_matched = has_wildcards}};
	bool has_variables = may_have_variables && b->has_variables;
	if (!w.out)
		return ctx_no_memory(b->c);
	for (size_t k = 0; k < text.n; k++) {
		if (!has_variables || !begins_variable(text, k)) {
			write_plain(&w, text.p[k]);
			continue;
		}
		size_t end = variable_end(text, k);
		if (!end)
			return ctx_fail(b->c, ERR_INVALID,
					"The policy variable in %" STR_FMT " is not closed", STR_ARG(text));
		write_variable(&w, text, k, end);
		k = end - 1;
	}
	w.p.text = policy_add_text(b, (struct str){w.out, w.n});
	*ret_pattern = w.p;
	return OK;
}

void policy_note_parts(const struct policy_builder *b, struct pattern *pattern)
{
	struct str text = {b->block + pattern->text.at, pattern->text.count};
	size_t at = 0;
	if (pattern->has_variable || pattern->is_any || !pattern->text.count)
		return;
	for (int n = 0; n < ARN_PARTS - 1; n++, at++) {
		at = str_find_char(text, ':', at);
		if (at >= text.n)
			return;
		pattern->parts[n] = (uint16_t) at;
	}
	pattern->has_parts = true;
}
