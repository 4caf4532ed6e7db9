/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes templates of Azure's deployments: every input is either refused or produces bodies and outputs,
 * within all bounds. */
#include <stdlib.h>

#include "api/azure/template/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct result nothing_is_known(void *arg, const struct template_reference *what, json_t **ret_body)
{
	(void) arg;
	(void) what;
	(void) ret_body;
	return (struct result){ERR_AGAIN};
}

/* A template can be opened again with the parameters that it reports. */
static void use(struct ctx *c, const struct template_wish *wish)
{
	AUTO(template) t = NULL;
	AUTO(template) again = NULL;
	json_t *made = NULL;
	if (!result_is_ok(template_open(c, wish, &t)))
		return;
	for (size_t k = 0; k < template_count(t); k++)
		IGNORE(template_make_body(t, k, k % 2, &made)); /* any result is acceptable */
	IGNORE(template_make_outputs(t, &made));
	if (!result_is_ok(template_make_parameters(t, true, &made)))
		return;
	struct template_wish second = *wish;
	second.parameters = made;
	ctx_clear_problem(c);
	struct result result = template_open(c, &second, &again);
	if (!result_is_ok(result) && result.code != ERR_INVALID && result.code != ERR_NO_MEMORY &&
	    result.code != ERR_TOO_LARGE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctx c;
	json_t *document = NULL;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&c, arena);
	if (result_is_ok(template_read_json(&c, (struct str){(const char *) data, size}, &document))) {
		const struct template_wish wish = {.place = {.subscription = STR("s"),
							     .tenant = STR("t"),
							     .group = STR("g"),
							     .group_location = STR("l"),
							     .deployment = STR("d"),
							     .now_us = 1},
						   .document = document,
						   .read = nothing_is_known};
		use(&c, &wish);
	}
	json_decref(document);
	arena_free(arena);
	return 0;
}
