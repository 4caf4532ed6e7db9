/* SPDX-License-Identifier: Apache-2.0
 * The cache of rendered items: alone, and in DescribeInstances, where after random changes an API with a warm
 * cache must answer byte for byte like one with an empty cache. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "api/core/response_cache.h"
#include "api/ec2/core/item_cache.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/random.h"
#include "base/reads.h"
#include "model/id.h"
#include "model/instance.h"
#include "world.h"

/* ---- by itself ---- */

enum { PLACES = 16384, THREADS = 4, THREAD_ROUNDS = 20000 };

static struct ec2_item_key key_of(uint64_t number, uint64_t commit, const char *reader)
{
	struct ec2_item_key key;
	uuid id = UUID_NONE;
	memcpy(id.b + 8, &(uint64_t){__builtin_bswap64(number)}, 8);
	ec2_item_key_init(&key, id);
	ec2_item_key_add_commit(&key, commit);
	ec2_item_key_add_text(&key, str_from(reader));
	return key;
}

static bool is_kept(struct ec2_item_cache *m, const struct ec2_item_key *key, struct str item)
{
	struct ec2_cached_item *found = ec2_item_cache_take(m, key);
	if (found)
		assert_true(str_equal(ec2_cached_text(found), item));
	ec2_cached_drop(found);
	return found;
}

static void test_key_is_compared_whole(void **state)
{
	(void) state;
	struct ec2_item_cache *m = ec2_item_cache_new();
	struct ec2_item_key key = key_of(1, 5, "111122223333"), newer = key_of(1, 6, "111122223333"),
			    other = key_of(1, 5, "111122223334"), longer = key;
	ec2_item_key_add_commit(&longer, 0);
	ec2_item_cache_add(m, &key, STR("abc"));
	assert_true(is_kept(m, &key, STR("abc")));
	assert_false(is_kept(m, &newer, STR_NONE));
	assert_false(is_kept(m, &other, STR_NONE));
	assert_false(is_kept(m, &longer, STR_NONE));
	ec2_item_cache_add(m, &newer, STR("abcd")); /* in the older one's place */
	assert_true(is_kept(m, &newer, STR("abcd")));
	assert_false(is_kept(m, &key, STR_NONE));
	ec2_item_cache_free(m);
	ec2_item_cache_free(NULL);
}

/* Keys have neither figures nor clock. An answer that contains an item depends on the item's kinds. */
static void test_sources(void **state)
{
	static void (*const notes[])(void) = {reads_note_figures, reads_note_clock, reads_note_outside};
	(void) state;
	struct ec2_item_cache *m = ec2_item_cache_new();
	struct ec2_item_key key = key_of(1, 5, "");
	for (size_t k = 0; k < sizeof notes / sizeof notes[0]; k++) {
		reads_begin(NULL);
		notes[k]();
		ec2_item_cache_add(m, &key, STR("abc"));
		assert_false(is_kept(m, &key, STR_NONE));
	}
	reads_begin(NULL);
	reads_note_kind(KIND_VOLUME);
	ec2_item_cache_add(m, &key, STR("abc"));
	reads_begin(NULL);
	struct ec2_cached_item *found = ec2_item_cache_take(m, &key);
	assert_non_null(found);
	ec2_cached_note_reads(found);
	assert_true(reads_here.kinds[KIND_VOLUME / 64] >> KIND_VOLUME % 64 & 1);
	ec2_cached_drop(found);
	ec2_item_cache_free(m);
	reads_begin(NULL);
}

static void test_texts_do_not_run_together(void **state)
{
	(void) state;
	struct ec2_item_key a, b;
	ec2_item_key_init(&a, UUID_NONE);
	ec2_item_key_init(&b, UUID_NONE);
	ec2_item_key_add_text(&a, STR("x"));
	ec2_item_key_add_text(&a, STR("yz"));
	ec2_item_key_add_text(&b, STR("xy"));
	ec2_item_key_add_text(&b, STR("z"));
	assert_int_equal(a.size, b.size);
	assert_memory_not_equal(a.bytes, b.bytes, a.size);
}

static void test_bounds(void **state)
{
	(void) state;
	static const char large[EC2_ITEM_CACHED_MAX + 1];
	struct ec2_item_cache *m = ec2_item_cache_new();
	struct ec2_item_key key = key_of(1, 1, "");
	ec2_item_cache_add(m, &key, (struct str){large, sizeof large});
	assert_false(is_kept(m, &key, STR_NONE));
	ec2_item_cache_add(m, &key, (struct str){large, sizeof large - 1});
	assert_true(is_kept(m, &key, (struct str){large, sizeof large - 1}));
	while (!key.is_too_long)
		ec2_item_key_add_commit(&key, 0);
	assert_true(key.size <= sizeof key.bytes);
	ec2_item_cache_add(m, &key, STR("x"));
	assert_false(is_kept(m, &key, STR_NONE));
	size_t found = 0;
	for (uint64_t n = 0; n < 5 * PLACES; n++) {
		key = key_of(n, 1, "");
		ec2_item_cache_add(m, &key, STR("item"));
	}
	for (uint64_t n = 0; n < 5 * PLACES; n++) {
		key = key_of(n, 1, "");
		found += is_kept(m, &key, STR("item"));
	}
	assert_int_equal(found, PLACES);
	ec2_item_cache_free(m);
}

static void test_memory_that_runs_out(void **state)
{
	(void) state;
	struct ec2_item_cache *m = ec2_item_cache_new();
	struct ec2_item_key key = key_of(1, 1, ""), next = key_of(2, 1, "");
	ec2_item_cache_add(m, &key, STR("item"));
	fault_arm(FAULT_ALLOC, 0, true);
	ec2_item_cache_add(m, &next, STR("item"));
	fault_disarm();
	assert_true(is_kept(m, &key, STR("item")));
	assert_false(is_kept(m, &next, STR_NONE));
	ec2_item_cache_free(m);
}

/* An item that an answer holds stays valid after its replacement in the cache. */
static void test_taken_stays(void **state)
{
	(void) state;
	struct ec2_item_cache *m = ec2_item_cache_new();
	struct ec2_item_key key = key_of(1, 1, ""), newer = key_of(1, 2, "");
	ec2_item_cache_add(m, &key, STR("old"));
	struct ec2_cached_item *taken = ec2_item_cache_take(m, &key);
	assert_non_null(taken);
	ec2_item_cache_add(m, &newer, STR("new"));
	assert_true(is_kept(m, &newer, STR("new")));
	ec2_item_cache_free(m);
	assert_true(str_equal(ec2_cached_text(taken), STR("old")));
	ec2_cached_drop(taken);
	ec2_cached_drop(NULL);
}

/* Few sets for many keys of several versions: what is found is always what belongs to the key. */
static void *read_and_keep(void *arg)
{
	for (uint64_t n = 0; n < THREAD_ROUNDS; n++) {
		uint64_t number = random_below(40) * 512, commit = random_below(3);
		struct ec2_item_key key = key_of(number, commit, "");
		char text[64];
		int size = snprintf(text, sizeof text, "%llu of %llu", (unsigned long long) number,
				    (unsigned long long) commit);
		struct str item = {text, (size_t) size};
		if (!is_kept(arg, &key, item))
			ec2_item_cache_add(arg, &key, item);
	}
	return NULL;
}

static void test_threads(void **state)
{
	(void) state;
	pthread_t threads[THREADS];
	struct ec2_item_cache *m = ec2_item_cache_new();
	for (size_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_create(&threads[k], NULL, read_and_keep, m), 0);
	for (size_t k = 0; k < THREADS; k++)
		assert_int_equal(pthread_join(threads[k], NULL), 0);
	ec2_item_cache_free(m);
}

/* ---- under DescribeInstances ---- */

enum { INSTANCES = 6, ROUNDS = 250, LONG_COUNT = 200, LONG_TAGS = 14 };

static int setup(void **state)
{
	static struct world w;
	world_make(&w);
	world_add_addresses(&w);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	world_done(*state);
	return 0;
}

static struct str describe(struct world *w, const char *more)
{
	struct world_answer answer =
		world_post(w, &w->alice, str_print(w->arena, "Action=DescribeInstances%s", more));
	assert_int_equal(answer.status, 200);
	const char *from = memmem(answer.body.p, answer.body.n, "<reservationSet>", 16);
	assert_non_null(from);
	return str_slice(answer.body, (size_t) (from - answer.body.p), answer.body.n);
}

/* A new face has nothing to remember. */
static void compare_with_new_face(struct world *w)
{
	const struct api_config config = {.store = w->store,
					  .sigv4 = w->sigv4,
					  .reconciler = w->reconciler,
					  .region = STR("us-east-1"),
					  .endpoint = STR("ec2.us-east-1.test:8773")};
	struct api_face *old = w->face;
	struct str ours = describe(w, ""), again = describe(w, "");
	assert_int_equal(api_face_new(&w->c, &ec2_protocol, &config, &w->face).code, ERR_NONE);
	struct str wanted = describe(w, "");
	api_face_free(w->face);
	w->face = old;
	if (!str_equal(ours, wanted))
		print_message("ours:\n%.*s\nwanted:\n%.*s\n", STR_ARG(ours), STR_ARG(wanted));
	assert_true(str_equal(ours, wanted) && str_equal(again, wanted));
}

/* A row of the kind, in turn; NULL: there is none. */
static const struct row *pick(const struct tables *t, enum kind kind)
{
	size_t at = (size_t) random_below(tables_count(t, kind) + 1);
	const struct row *row = tables_first(t, kind, 0, NULL, 0);
	for (; at > 1 && row; at--)
		row = tables_next(t, kind, 0, row, 0);
	return row;
}

/* Fields that DescribeInstances shows, which the test changes directly, without the engine's checks. */
static const struct {
	enum kind kind;
	const char *field;
} shown[] = {
	{KIND_INSTANCE_TYPE, "name"},     {KIND_ZONE, "name"},
	{KIND_SECURITY_GROUP, "name"},    {KIND_PORT, "description"},
	{KIND_PORT, "source_dest_check"}, {KIND_PORT, "attached_us"},
	{KIND_ADDRESS, "is_elastic"},     {KIND_VOLUME, "delete_on_termination"},
	{KIND_VOLUME, "device"},          {KIND_INSTANCE, "key_name"},
	{KIND_INSTANCE, "monitoring"},    {KIND_INSTANCE, "launched_us"},
};

static const struct field *field_named(enum kind kind, const char *name)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count; n++)
		if (strcmp(k->fields[n].name, name) == 0)
			return &k->fields[n];
	fail_msg("no field %s", name);
	return NULL;
}

static const struct row *pick_type(const struct tables *t)
{
	const struct instance *i = instance_of(pick(t, KIND_INSTANCE));
	return i ? tables_find(t, KIND_INSTANCE_TYPE, i->type) : NULL;
}

static RESULT touch(struct op *op, void *arg)
{
	size_t n = random_below(sizeof shown / sizeof shown[0]);
	const struct field *f = field_named(shown[n].kind, shown[n].field);
	const struct row *before = pick(op->head, shown[n].kind);
	if (shown[n].kind == KIND_INSTANCE_TYPE) /* only one of the types is in use */
		before = pick_type(op->head);
	if (!row_is_live(before))
		return OK;
	struct row *row = row_copy(op->ctx->arena, &model_kinds[shown[n].kind], before);
	void *at = (char *) row + f->offset;
	if (f->type == FIELD_BOOL)
		*(bool *) at = random_below(2);
	else if (f->type == FIELD_INT)
		*(int64_t *) at = (int64_t) random_below(INT64_MAX / 2);
	else
		*(struct str *) at = *(const struct str *) arg;
	return op_put(op, shown[n].kind, row);
}

static void touch_done(struct change *change, struct result result)
{
	*(const void **) change->arg = NULL;
	assert_int_equal(result.code, ERR_NONE);
}

static void touch_a_row(struct world *w, unsigned round)
{
	struct str name = str_print(w->arena, "name-%u", round);
	struct change change = {
		.run = touch, .arg = &name, .ctx = &w->c, .done = touch_done, .action = "test"};
	engine_act_by_roles(&w->c, NULL);
	store_submit(w->store, &change);
	while (name.p)
		assert_true(executor_step(w->executor, clock_now_us() + 1));
}

/* Random actions of users. Refusals do no harm. */
static void act(struct world *w, struct str instance, struct str allocation)
{
	static const char *const actions[] = {
		"CreateTags&Tag.1.Key=k&Tag.1.Value=v&ResourceId.1=",
		"DeleteTags&Tag.1.Key=k&ResourceId.1=",
		"StopInstances&InstanceId.1=",
		"StopInstances&Force=true&InstanceId.1=",
		"StartInstances&InstanceId.1=",
		"RebootInstances&InstanceId.1=",
		"AssociateAddress&AllowReassociation=true&InstanceId=",
	};
	size_t n = random_below(sizeof actions / sizeof actions[0]);
	bool is_address = str_starts_with(str_from(actions[n]), STR("Associate"));
	struct str address =
		is_address ? str_print(w->arena, "&AllocationId=%" STR_FMT, STR_ARG(allocation)) : STR_NONE;
	world_post(w, &w->alice,
		   str_print(w->arena, "Action=%s%" STR_FMT "%" STR_FMT, actions[n], STR_ARG(instance),
			     STR_ARG(address)));
}

static void launch(struct world *w, int count, const char *more)
{
	char image[EC2_ID_TEXT_SIZE];
	struct str form = str_print(
		w->arena, "Action=RunInstances&InstanceType=t3.nano&ImageId=%s&MinCount=1&MaxCount=%d%s",
		id_write_ec2(KIND_IMAGE, w->image, image), count, more);
	assert_int_equal(world_post(w, &w->alice, form).status, 200);
}

static struct str pick_instance(struct world *w)
{
	struct str body = describe(w, "&Filter.1.Name=instance-state-name&Filter.1.Value.1=running"
				      "&Filter.1.Value.2=stopped&Filter.1.Value.3=pending");
	struct str id = STR_NONE, next = world_element(body, "instanceId");
	for (size_t left = 1 + (size_t) random_below(INSTANCES); next.n && left; left--) {
		id = next;
		body = str_slice(body, (size_t) (id.p - body.p), body.n);
		next = world_element(body, "instanceId");
	}
	return id;
}

static void give_second_address(struct world *w, struct str instance)
{
	struct str body = describe(
		w, str_to_z(w->arena, str_print(w->arena, "&InstanceId.1=%" STR_FMT, STR_ARG(instance))));
	struct str nic = world_element(body, "networkInterfaceId");
	world_post(w, &w->alice,
		   str_print(w->arena,
			     "Action=AssignPrivateIpAddresses&SecondaryPrivateIpAddressCount=1"
			     "&NetworkInterfaceId=%" STR_FMT,
			     STR_ARG(nic)));
}

static void test_says_what_a_new_face_says(void **state)
{
	struct world *w = *state;
	random_set_seed(17);
	launch(w, INSTANCES, "");
	struct str allocation =
		world_element(world_post(w, &w->alice, STR("Action=AllocateAddress")).body, "allocationId");
	assert_false(str_is_empty(allocation));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct str instance = pick_instance(w);
		if (round % 20 == 10)
			give_second_address(w, instance);
		if (round % 50 == 25)
			world_post(w, &w->alice,
				   str_print(w->arena, "Action=TerminateInstances&InstanceId.1=%" STR_FMT,
					     STR_ARG(instance)));
		else if (random_below(2))
			touch_a_row(w, round);
		else
			act(w, instance, allocation);
		compare_with_new_face(w); /* on its way, and as the hosts have it then */
		if (random_below(2)) {
			world_settle(w, MINUTE);
			compare_with_new_face(w);
		}
	}
}

/* Instances with much to say of each: the second answer quotes what the first one wrote; and when half of
 * them have changed it quotes the other half. */
static void test_long_answer_quotes(void **state)
{
	struct world *w = *state;
	struct str tags = STR("&TagSpecification.1.ResourceType=instance");
	for (int k = 1; k <= LONG_TAGS; k++)
		tags = str_print(w->arena,
				 "%" STR_FMT "&TagSpecification.1.Tag.%d.Key=key-%d"
				 "&TagSpecification.1.Tag.%d.Value=%0200d",
				 STR_ARG(tags), k, k, k, k);
	for (char zone = 'a'; zone <= 'b'; zone++) /* a host in each */
		launch(w, LONG_COUNT / 2,
		       str_print(w->arena, "%" STR_FMT "&Placement.AvailabilityZone=us-east-1%c",
				 STR_ARG(tags), zone)
			       .p);
	world_settle(w, MINUTE);
	unsigned before = fake_answers_read;
	compare_with_new_face(w);
	assert_true(describe(w, "").n > RESPONSE_SIZE_MAX);
	assert_int_equal(fake_answers_read, before + 2);
	for (unsigned round = 0; round < LONG_COUNT / 2; round++)
		touch_a_row(w, round);
	compare_with_new_face(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_is_compared_whole),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_texts_do_not_run_together),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_memory_that_runs_out),
		cmocka_unit_test(test_taken_stays),
		cmocka_unit_test(test_threads),
		cmocka_unit_test_setup_teardown(test_says_what_a_new_face_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_answer_quotes, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
