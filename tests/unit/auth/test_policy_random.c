/* SPDX-License-Identifier: Apache-2.0
 * The policy language against a second evaluator written only from AWS's rules: random policies and
 * questions, with fixed seeds and a fresh one, for a few seconds. `test_auth_policy_random SEED` runs one
 * seed. */
#include "../base/test_base.h"

#include "base/clock.h"
#include "policy_random.h"

enum { SEEDS = 400, POLICIES = 20, LIMIT_US = 5000000 };

static const char *only; /* the seed that was asked for */

struct tally {
	size_t policies, refused, questions, compared, said;
};

/* Prints the shrunk disagreement and the seed that reproduces it. */
static void fail_for(uint64_t seed, json_t *document, enum policy_form form, struct random_request *r,
		     bool must_compile)
{
	(void) fprintf(stderr, "seed %llu:\n", (unsigned long long) seed);
	random_tell(stderr, document, form, r, must_compile);
	fail_msg("seed %llu: two answers", (unsigned long long) seed);
}

static void run_policy(struct source *s, uint64_t seed, struct tally *t)
{
	enum policy_form form = source_pick(s, 6) ? POLICY_OF_IDENTITY : POLICY_OF_TRUST;
	bool is_mutated = source_pick(s, 6) == 0;
	json_t *document = random_policy(s, form);
	struct random_pair pair;
	struct random_request r;
	struct random_answer a;
	if (is_mutated)
		random_mutate(s, document);
	char *text = json_dumps(document, 0);
	bool is_read_alike = random_read(str_from(text), form, !is_mutated, &pair);
	for (int n = 0; n < RANDOM_QUESTIONS; n++) {
		random_question(s, form, pair.arena, &r);
		if (!is_read_alike || !random_ask(&pair, &r, &a))
			fail_for(seed, document, form, &r, !is_mutated);
		t->compared += a.is_compared;
		t->said += a.is_compared && a.product != POLICY_SILENT;
		t->questions += pair.code != NULL;
	}
	t->policies++;
	t->refused += !pair.code;
	random_free(&pair);
	free(text);
	json_decref(document);
}

static void run_seed(uint64_t seed, struct tally *t)
{
	struct source s = {.seed = seed * 0x9e3779b97f4a7c15 + 1};
	struct arena *arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	assert_non_null(arena);
	for (int n = 0; n < POLICIES; n++) {
		run_policy(&s, seed, t);
		if (!random_decisions_agree(&s, arena, stderr))
			fail_msg("seed %llu: two decisions", (unsigned long long) seed);
		arena_reset(arena);
	}
	arena_free(arena);
}

static void test_policies_at_random(void **state)
{
	struct tally t = {0};
	int64_t start_us = clock_now_us();
	uint64_t fresh = only ? strtoull(only, NULL, 10) : (uint64_t) start_us;
	(void) state;
	print_message("the fresh seed is %llu\n", (unsigned long long) fresh);
	run_seed(fresh, &t);
	for (uint64_t seed = 1; seed <= SEEDS && !only && clock_now_us() - start_us < LIMIT_US; seed++)
		run_seed(seed, &t);
	print_message("%zu policies (%zu refused), %zu questions, %zu compared, of which %zu allow or deny\n",
		      t.policies, t.refused, t.questions, t.compared, t.said);
	if (!only) /* most are compared, and enough of them say something */
		assert_true(t.compared * 3 > t.questions * 2 && t.said * 8 > t.compared);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_policies_at_random)};
	only = argc > 1 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, 0, 0);
}
