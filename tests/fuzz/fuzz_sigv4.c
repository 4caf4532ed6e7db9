/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes authentication of a request, by header and presigned: the input's lines are the query, up to eight
 * header lines "Name: value", a blank line, and the body. Only the owner of a key can sign, so no fuzzed
 * input may be accepted. */
#include <stdlib.h>

#include "../unit/api/world.h"

enum { HEADERS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_header(struct fake_call *f, struct arena *a, struct str line)
{
	size_t colon = str_find_char(line, ':', 0);
	fake_call_add_header(f, str_to_z(a, str_slice(line, 0, colon)),
			     str_trim(str_slice(line, colon + 1, line.n)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	if (!w.store)
		world_make(&w);
	struct fake_call f;
	struct str rest = {(const char *) data, size}, query = STR_NONE, line = STR_NONE;
	struct sigv4_answer answer = {0};
	(void) str_split_next(&rest, '\n', &query);
	fake_call_init(&f, size % 2 ? "POST" : "GET", STR("/"), query, STR_NONE);
	for (int n = 0; n < HEADERS_MAX && str_split_next(&rest, '\n', &line) && !str_is_empty(line); n++)
		add_header(&f, f.arena, line);
	f.call.body = rest;
	if (result_is_ok(sigv4_check(w.sigv4, &f.call, &answer)) && answer.fault == SIGV4_FINE)
		abort();
	fake_call_done(&f);
	return 0;
}
