/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions of filters. Nova passes them to its database, whose dialects differ. Here PCRE2
 * compiles them, with limits on time and memory, because any client may send one. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "api/openstack/core/list.h"
#include "api/openstack/core/pattern.h"

enum {
	PATTERN_MAX = 255, /* bytes of a pattern; Nova limits all query values to this */
	CODE_MAX = 8192,   /* bytes of the compiled code: short patterns such as (((a{99}){99}){99} can
	                    * expand greatly */
	MATCH_MAX = 20000, /* match steps of one search, which then finds nothing */
	HEAP_MAX = 64      /* KiB of heap of one search */
};

struct os_pattern {
	struct str text; /* points into the query */
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	struct os_pattern *next; /* next pattern of the call */
};

static void *take_memory(size_t size, void *arena)
{
	return arena_alloc(arena, size);
}

/* No-op: the arena frees all memory at once. */
static void leave_memory(void *memory, void *arena)
{
	(void) memory;
	(void) arena;
}

/* Escapes "|", as Nova does for MySQL. */
static size_t escape_bars(struct str text, char ret_escaped[2 * PATTERN_MAX])
{
	size_t count = 0;
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] == '|')
			ret_escaped[count++] = '\\';
		ret_escaped[count++] = text.p[k];
	}
	return count;
}

/* NULL: invalid, too large, or out of memory. */
static pcre2_code *compile(pcre2_general_context *memory, struct str text)
{
	int error = 0;
	size_t at = 0, size = 0;
	pcre2_compile_context *rules = pcre2_compile_context_create(memory);
	pcre2_code *code = rules ? pcre2_compile((PCRE2_SPTR) text.p, text.n, PCRE2_NEVER_BACKSLASH_C, &error,
						 &at, rules)
				 : NULL;
	bool is_fine = code && pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size) == 0 && size <= CODE_MAX;
	return is_fine ? code : NULL;
}

bool os_pattern_is_valid(struct arena *a, struct str text)
{
	pcre2_general_context *memory = pcre2_general_context_create(take_memory, leave_memory, a);
	return memory && text.n <= PATTERN_MAX && compile(memory, text);
}

struct os_pattern *os_pattern_new(struct arena *a, struct str text)
{
	char escaped[2 * PATTERN_MAX];
	if (text.n > PATTERN_MAX)
		return NULL;
	struct os_pattern *p = arena_new_object(a, struct os_pattern);
	pcre2_general_context *memory = pcre2_general_context_create(take_memory, leave_memory, a);
	if (!p || !memory)
		return NULL;
	size_t count = escape_bars(text, escaped);
	p->text = text;
	p->code = compile(memory, (struct str){escaped, count});
	if (!p->code)
		return NULL;
	p->data = pcre2_match_data_create(1, memory);
	p->limits = pcre2_match_context_create(memory);
	if (!p->data || !p->limits)
		return NULL;
	pcre2_set_match_limit(p->limits, MATCH_MAX);
	pcre2_set_heap_limit(p->limits, HEAP_MAX);
	return p;
}

bool os_pattern_is_found(const struct os_pattern *p, struct str text)
{
	static const char empty[1];
	PCRE2_SPTR from = (PCRE2_SPTR) (text.n ? text.p : empty);
	return pcre2_match(p->code, from, text.n, 0, 0, p->data, p->limits) >= 0;
}

bool os_is_pattern(struct os_call *e, struct str text)
{
	struct os_pattern *p = os_pattern_new(e->c->arena, text);
	if (!p)
		return false;
	p->next = e->patterns;
	e->patterns = p;
	return true;
}

bool os_pattern_fits(struct os_call *e, struct str pattern, struct str text)
{
	const struct os_pattern *p = e->patterns;
	while (p && p->text.p != pattern.p)
		p = p->next;
	if (!p && os_is_pattern(e, pattern))
		p = e->patterns;
	return p && os_pattern_is_found(p, text);
}
