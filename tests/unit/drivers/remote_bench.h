/* SPDX-License-Identifier: Apache-2.0
 * Tests of answers of clouds elsewhere: an arena with a context, and the results of reading an answer. To be included after the header of cmocka. */
#pragma once

#include "drivers/remote/json.h"

struct bench {
	struct arena *arena;
	struct ctx c;
	json_t *root; /* parsed last */
	struct remote_page page;
	struct remote_resource_page resources;
};

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.arena = arena_new(ARENA_FIRST_SIZE, 64 << 20)};
	ctx_init(&b.c, b.arena);
	*state = &b;
	return b.arena ? 0 : -1;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	json_decref(b->root);
	arena_free(b->arena);
	return 0;
}

/* Parses an answer that is a JSON object. Valid until the next call. */
static inline const json_t *parse(struct bench *b, const char *text)
{
	json_decref(b->root);
	b->root = NULL;
	ctx_clear_problem(&b->c);
	assert_true(result_is_ok(remote_parse_json(&b->c, str_from(text), &b->root)));
	return b->root;
}
