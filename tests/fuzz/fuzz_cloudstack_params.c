/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the reader of CloudStack requests: two bytes choose the command, the first line is the query, the rest
 * the form. They are parsed into pairs, checked against their signature, which fuzzed input cannot forge, and
 * read by the command's parameter table. */
#include <stdlib.h>

#include "api/cloudstack/core/action.h"
#include "auth/key/cloudstack_signature.h"

enum { COMMANDS_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sum_commands(const struct api_action **ret_commands)
{
	const struct api_groups *groups = cloudstack_protocol.groups;
	size_t count = 0;
	for (size_t g = 0; g < groups->count; g++)
		for (size_t k = 0; k < groups->at[g]->count && count < COMMANDS_MAX; k++)
			ret_commands[count++] = api_action_at(groups->at[g], k);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct api_action *commands[COMMANDS_MAX];
	static size_t count;
	static struct arena *arena;
	if (!arena) {
		arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		count = sum_commands(commands);
	}
	if (size < 2)
		return 0;
	struct ctx c;
	struct pairs pairs;
	struct str rest = {(const char *) data + 2, size - 2}, query = STR_NONE;
	bool is_right = false;
	arena_reset(arena);
	ctx_init(&c, arena);
	c.kind_words = &cs_words;
	const struct params *table = &commands[(data[0] << 8 | data[1]) % count]->args;
	(void) str_split_next(&rest, '\n', &query);
	if (!result_is_ok(pairs_parse(&c, cloudstack_protocol.pairs, query, rest, &pairs)))
		return 0;
	if (result_is_ok(cloudstack_check_signature(&c, &pairs, STR("secret"), &is_right)) && is_right)
		abort();
	const struct params_request request = {
		.dialect = cloudstack_protocol.dialect,
		.body = document_of_pairs(&pairs, cloudstack_protocol.pairs->form)};
	void *args = arena_alloc(arena, table->size + 1);
	IGNORE(params_fill(&c, table, &request, args)); /* any answer is acceptable, a crash is not */
	return 0;
}
