/* SPDX-License-Identifier: Apache-2.0
 * Parses a request's text into a call. */
#include "made_call.h"

#include <stdlib.h>

static struct str next_line(struct str *rest)
{
	struct str line = STR_NONE;
	(void) str_split_next(rest, '\n', &line);
	return line.n && line.p[line.n - 1] == '\r' ? str_slice(line, 0, line.n - 1) : line;
}

void made_call_init(struct made_call *m, struct arena *arena, struct str text)
{
	struct str rest = text, line = next_line(&rest), target = STR_NONE;
	*m = (struct made_call){0};
	arena_reset(arena);
	ctx_init(&m->call.ctx, arena);
	m->call.p = &m->p;
	m->p.headers = m->headers;
	(void) str_split_next(&line, ' ', &m->call.method_name);
	(void) str_split_next(&line, ' ', &target);
	size_t mark = str_find_char(target, '?', 0);
	m->call.path = str_slice(target, 0, mark);
	m->call.query = str_slice(target, mark + 1, target.n);
	while ((line = next_line(&rest)).n) {
		size_t colon = str_find_char(line, ':', 0);
		if (m->p.header_count == sizeof m->headers / sizeof m->headers[0])
			abort();
		m->headers[m->p.header_count++] = (struct header){
			str_slice(line, 0, colon), str_trim(str_slice(line, colon + 1, line.n))};
	}
	m->call.body = rest;
}
