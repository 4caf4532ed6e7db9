/* SPDX-License-Identifier: Apache-2.0
 * Answers gathered from cached fragments: the bytes equal those of a copy, for all positions of fragments and
 * all sizes of reads. Cached items are released after sending, and also if memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/ec2/core/gathered_answer.h"
#include "base/fault.h"
#include "fake_http.h"

enum { CACHED = 5, FRAGMENTS_MAX = 8, LONG = 5000 };

static char long_text[LONG];
static struct ec2_item_cache *cache;

static struct ec2_item_key key_of(size_t number)
{
	struct ec2_item_key key;
	ec2_item_key_init(&key, (uuid){.b = {[15] = (uint8_t) number}});
	return key;
}

static int setup(void **state)
{
	(void) state;
	memset(long_text, 'l', sizeof long_text);
	const struct str texts[CACHED] = {STR("one"), STR("second"), {long_text, LONG}, STR_NONE, STR("5")};
	cache = ec2_item_cache_new();
	for (size_t k = 0; k < CACHED; k++) {
		struct ec2_item_key key = key_of(k);
		ec2_item_cache_add(cache, &key, texts[k]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void) state;
	ec2_item_cache_free(cache);
	return 0;
}

struct place {
	size_t at, which;
};

/* The expected text, made by copying. */
static struct str copied(struct arena *a, struct str own, const struct ec2_fragments *fragments)
{
	struct str text = STR("");
	size_t from = 0;
	for (size_t k = 0; k < fragments->count; k++) {
		struct str before = str_slice(own, from, fragments->at[k].at);
		struct str fragment = ec2_cached_text(fragments->at[k].cached);
		text = str_print(a, "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(text), STR_ARG(before),
				 STR_ARG(fragment));
		from = fragments->at[k].at;
	}
	return str_print(a, "%" STR_FMT "%" STR_FMT, STR_ARG(text), STR_ARG(str_slice(own, from, own.n)));
}

static void check(struct str own, const struct place *places, size_t count)
{
	struct fake_call f;
	struct buf body;
	struct ec2_cached_item
		*cached[CACHED]; /* the answer's, once there is one: who counts leaks counts these */
	struct ec2_fragment at[FRAGMENTS_MAX];
	const struct ec2_fragments fragments = {at, count};
	for (size_t k = 0; k < CACHED; k++) {
		struct ec2_item_key key = key_of(k);
		cached[k] = ec2_item_cache_take(cache, &key);
		assert_non_null(cached[k]);
	}
	fake_call_init(&f, "POST", STR("/"), STR_NONE, STR_NONE);
	buf_init(&body, BUF_ANSWER_CAP);
	buf_add_str(&body, own);
	for (size_t k = 0; k < count; k++)
		at[k] = (struct ec2_fragment){places[k].at, cached[places[k].which]};
	struct str wanted = copied(f.arena, own, &fragments);
	for (uint64_t n = 0; n < 3; n++) { /* each of what it allocates */
		fault_arm(FAULT_ALLOC, n, false);
		struct result result =
			ec2_answer_gathered(&f.call, "text/xml", &body, &fragments, cached, CACHED);
		fault_disarm();
		assert_int_equal(result.code, ERR_NO_MEMORY);
		assert_false(f.is_answered);
		assert_int_equal(body.size, own.n);
	}
	assert_int_equal(ec2_answer_gathered(&f.call, "text/xml", &body, &fragments, cached, CACHED).code,
			 ERR_NONE);
	assert_null(body.p);
	assert_true(str_equal(buf_str(&f.body), wanted));
	fake_call_done(&f);
}

static void test_text_is_what_copying_makes(void **state)
{
	(void) state;
	static const struct place in_between[] = {{4, 0}, {8, 1}}, at_ends[] = {{0, 1}, {12, 4}},
				  side_by_side[] = {{5, 0}, {5, 3}, {5, 1}, {5, 0}},
				  longer_than_asked[] = {{0, 2}, {3, 2}, {12, 2}}, empty[] = {{12, 3}};
	check(STR("own text ..."), in_between, 2);
	check(STR("own text ..."), at_ends, 2);
	check(STR("own text ..."), side_by_side, 4);
	check(STR("own text ..."), longer_than_asked, 3);
	check(STR("own text ..."), empty, 1);
	check((struct str){long_text, LONG}, longer_than_asked, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text_is_what_copying_makes)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
