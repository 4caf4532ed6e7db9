/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes the reader of EC2 requests: parsing into pairs, then every action's parameter table. Two bytes name the action. */
#include "api/ec2/core/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ec2_action *actions[API_ACTIONS_MAX];
	static const char *const common[] = {"Action", "Version", "DryRun", 0};
	static size_t count;
	static struct arena *arena;
	if (!arena) {
		arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
		count = ec2_sum_actions(actions, API_ACTIONS_MAX);
	}
	if (size < 2)
		return 0;
	struct ctx c;
	struct pairs pairs;
	arena_reset(arena);
	ctx_init(&c, arena);
	const struct ec2_action *a = actions[(data[0] << 8 | data[1]) % count];
	struct str text = {(const char *) data + 2, size - 2};
	if (!result_is_ok(request_parse(&c, STR_NONE, text, &pairs)))
		return 0;
	void *args = arena_alloc(arena, a->args.size);
	IGNORE(request_read(&c, &request_ec2_dialect, &a->args, common, &pairs,
			    args)); /* any answer is acceptable, a crash is not */
	return 0;
}
