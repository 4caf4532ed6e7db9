/* SPDX-License-Identifier: Apache-2.0
 * Policy documents, of both forms: what compiles answers every question, and a copy of it the same. */
#include <stdlib.h>

#include "auth/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says of each key whether it is there. */
static enum policy_known find_key(const struct policy_question *q, struct str key, struct strs *ret_values)
{
	static const struct str values[] = {{"t3.micro", 8}, {"10.0.0.1", 8}, {"true", 4}, {"7", 1}};
	const uint8_t *data = q->request;
	switch ((*data >> key.n % 4 * 2) % 4) {
	case 0:
		return POLICY_ABSENT;
	case 1:
		return POLICY_NOT_YET;
	default:
		*ret_values = (struct strs){values + key.n % 3, 1 + key.n % 2};
		return POLICY_PRESENT;
	}
}

static void ask(struct arena *a, const uint8_t *data, const struct policy_code *p)
{
	struct policy_code *copy = arena_alloc(a, policy_size(p));
	struct policy_question q = {.action = STR("s3:GetObject"),
				    .permission = PERMISSION_NONE,
				    .find = find_key,
				    .request = data,
				    .arena = a};
	if (!copy)
		return;
	memcpy(copy, p, policy_size(p));
	for (int n = PERMISSION_NONE; n < PERMISSION_COUNT; n += 40) {
		static const char *const resources[] = {"", "*",
							"arn:aws:ec2:us-east-1:111122223333:instance/i-1"};
		for (size_t k = 0; k < sizeof resources / sizeof resources[0]; k++) {
			size_t one = 0, other = 0;
			q.permission = n;
			q.resource = str_from(resources[k]);
			enum policy_effect effect = policy_ask(p, &q, &one);
			if (effect != policy_ask(copy, &q, &other) || one != other)
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctx c;
	const struct policy_code *p = NULL;
	if (size < 1)
		return 0;
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct str text = {(const char *) data + 1, size - 1};
	for (int form = POLICY_OF_IDENTITY; form <= POLICY_OF_TRUST; form++) {
		ctx_init(&c, arena);
		if (result_is_ok(policy_compile(&c, text, (enum policy_form) form, &p)))
			ask(arena, data, p);
	}
	arena_free(arena);
	return 0;
}
