/* SPDX-License-Identifier: Apache-2.0
 * Fuzzes policy documents, in two ways: a compiled document answers every question, its copy gives the same
 * answers, and so does the naive evaluator. If the first byte is even, the rest chooses document and
 * questions from a grammar; if it is odd, the rest is the document, and the byte chooses the questions. */
#include <stdlib.h>

#include "../unit/auth/policy_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool agrees, json_t *document, enum policy_form form, struct random_request *r,
		  bool must_compile)
{
	if (agrees)
		return;
	if (document)
		random_tell(stderr, document, form, r, must_compile);
	abort();
}

/* A copy at another address gives the same answers, for one in forty permissions and for none. */
static void ask_copy(const struct random_pair *pair, const struct random_request *r)
{
	struct policy_code *copy = arena_alloc(pair->arena, policy_size(pair->code));
	struct policy_question q = r->q;
	q.arena = pair->arena;
	if (!copy)
		return;
	memcpy(copy, pair->code, policy_size(pair->code));
	for (q.permission = PERMISSION_NONE; q.permission < PERMISSION_COUNT; q.permission += 40) {
		size_t one = 0, other = 0;
		enum policy_effect effect = policy_ask(pair->code, &q, &one);
		if (effect != policy_ask(copy, &q, &other) || one != other)
			abort();
	}
}

static void ask(struct source *s, struct str text, enum policy_form form, bool must_compile)
{
	struct random_pair pair;
	struct random_request r = {0};
	struct random_answer a;
	bool is_read_alike = random_read(text, form, must_compile, &pair);
	random_question(s, form, pair.arena, &r);
	check(is_read_alike, pair.document, form, &r, must_compile);
	for (int n = 0; n < RANDOM_QUESTIONS && pair.code; n++) {
		check(random_ask(&pair, &r, &a), pair.document, form, &r, must_compile);
		if (n == 0)
			ask_copy(&pair, &r);
		random_question(s, form, pair.arena, &r);
	}
	random_free(&pair);
}

static void ask_of_grammar(struct source *s)
{
	enum policy_form form = source_pick(s, 4) ? POLICY_OF_IDENTITY : POLICY_OF_TRUST;
	bool is_mutated = source_pick(s, 4) == 3;
	json_t *document = random_policy(s, form);
	if (is_mutated)
		random_mutate(s, document);
	char *text = json_dumps(document, 0);
	ask(s, str_from(text), form, !is_mutated);
	free(text);
	json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	if (data[0] % 2 == 0) {
		struct source s = {.bytes = data + 1, .left = size - 1};
		ask_of_grammar(&s);
		return 0;
	}
	for (int form = POLICY_OF_IDENTITY; form <= POLICY_OF_TRUST; form++) {
		struct source s = {.seed = 0x9e3779b97f4a7c15u * data[0]};
		ask(&s, (struct str){(const char *) data + 1, size - 1}, (enum policy_form) form, false);
	}
	return 0;
}
