/* SPDX-License-Identifier: Apache-2.0
 * The process is killed after every single step of an instance's life, and once more during recovery.
 * Afterwards everything settles, nothing is lost, duplicated or leaked, and no guest was stopped or started
 * only because of the restart. The user, who got no answer, repeats the request. */
#include <stdio.h>

#include "../cloud/cloud.h"
#include "engine/storage/image/image.h"
#include "model/states.h"
#include "store/instance.h"
#include "store/sql.h"

enum { SEEDS = 8, GUESTS_MAX = 8 };

struct story {
	struct cloud *c;
	uuid instance, address;
};

/* ---- the chapters: each may be told again from its start ---- */

static bool tell_launch(struct story *s)
{
	struct instance_launch wish = cloud_launch_wish(s->c, 1);
	wish.client_token = STR("once");
	wish.has_cdrom = true;
	if (!cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_create_instances_run, &wish)))
		return false;
	s->instance = wish.made.at[0];
	return cloud_lived_to_settle(s->c);
}

static bool tell_associate(struct story *s)
{
	struct address_wish wish = {0};
	if (uuid_is_none(s->address)) {
		if (!cloud_was_answered(s->c,
					cloud_call(s->c, &s->c->alice, engine_allocate_address_run, &wish)))
			return false;
		s->address = wish.address;
	}
	struct address_association association = {.address = cloud_ref(s->c, KIND_ADDRESS, s->address),
						  .instance = cloud_ref(s->c, KIND_INSTANCE, s->instance)};
	return cloud_was_answered(
		       s->c, cloud_call(s->c, &s->c->alice, engine_associate_address_run, &association)) &&
	       cloud_lived_to_settle(s->c);
}

static bool tell_power(struct story *s, op_run run)
{
	return cloud_was_answered(s->c, cloud_power(s->c, run, s->instance, false)) &&
	       cloud_lived_to_settle(s->c);
}

static bool tell_stop(struct story *s)
{
	return tell_power(s, engine_stop_instances_run);
}

static bool tell_start(struct story *s)
{
	return tell_power(s, engine_start_instances_run);
}

static bool tell_reboot(struct story *s)
{
	return tell_power(s, engine_reboot_instances_run);
}

static bool tell_pause(struct story *s)
{
	return tell_power(s, engine_pause_instances_run);
}

static bool tell_unpause(struct story *s)
{
	return tell_power(s, engine_unpause_instances_run);
}

static bool tell_suspend(struct story *s)
{
	return tell_power(s, engine_suspend_instances_run);
}

static bool is_resized(struct story *s)
{
	return !uuid_is_none(cloud_instance(s->c, s->instance).old_type);
}

static bool tell_resize(struct story *s)
{
	struct instance_resizing wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance),
					 .type = {.kind = KIND_INSTANCE_TYPE, .text = STR("t3.small")}};
	if (!is_resized(s) &&
	    !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_resize_instance_run, &wish)))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool tell_confirm(struct story *s)
{
	struct instance_target wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance)};
	if (is_resized(s) &&
	    !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_confirm_resize_run, &wish)))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool tell_rebuild(struct story *s)
{
	struct instance_rebuilding wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance),
					   .image = cloud_ref(s->c, KIND_IMAGE, s->c->image)};
	return cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_rebuild_instance_run, &wish)) &&
	       cloud_lived_to_settle(s->c);
}

/* Whichever of the two is due: what was asked without an answer may have been done. */
static bool tell_target(struct story *s, op_run run, bool is_due)
{
	struct instance_target wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance)};
	if (is_due && !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, run, &wish)))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool is_rescued(struct story *s)
{
	return !uuid_is_none(cloud_instance(s->c, s->instance).rescue_disk);
}

static bool tell_rescue(struct story *s)
{
	struct instance_rescuing wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance)};
	if (!is_rescued(s) &&
	    !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_rescue_instance_run, &wish)))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool tell_unrescue(struct story *s)
{
	return tell_target(s, engine_unrescue_instance_run, is_rescued(s));
}

static bool tell_shelve(struct story *s)
{
	return tell_target(s, engine_shelve_instance_run, !cloud_instance(s->c, s->instance).wanted_shelved);
}

static bool tell_unshelve(struct story *s)
{
	struct instance_unshelving wish = {.instance = cloud_ref(s->c, KIND_INSTANCE, s->instance)};
	bool is_due = cloud_instance(s->c, s->instance).wanted_shelved;
	if (is_due &&
	    !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, engine_unshelve_instance_run, &wish)))
		return false;
	return cloud_lived_to_settle(s->c);
}

/* The ISO, created unless a previous run of the story has done so. */
static uuid find_iso(struct story *s)
{
	struct image_creation made = {
		.id = {.b = {0xec, 2, 0x15, 0}},
		.form = {.name = STR("tools"), .disk_format = STR("iso"), .container_format = STR("bare")}};
	struct result r = cloud_call(s->c, &s->c->alice, engine_create_image_run, &made);
	if (r.code == ERR_GONE)
		return UUID_NONE;
	struct image_filling filling = {
		.image = cloud_ref(s->c, KIND_IMAGE, made.id),
		.data_size = 5,
		.md5 = STR("d5"),
		.data_sha256 = STR("da"),
		.sha512 = STR("d6"),
		.sha256 = STR("99112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
		.file_size = 1 << 20,
		.virtual_size = 1 << 20};
	r = cloud_call(s->c, &s->c->alice, engine_fill_image_run, &filling);
	return r.code == ERR_GONE ? UUID_NONE : made.id;
}

static bool change_medium(struct story *s, op_run run, bool is_due)
{
	uuid iso = is_due ? find_iso(s) : UUID_NONE;
	struct instance_medium wish = {cloud_ref(s->c, KIND_INSTANCE, s->instance),
				       cloud_ref(s->c, KIND_IMAGE, iso)};
	if (is_due &&
	    (uuid_is_none(iso) || !cloud_was_answered(s->c, cloud_call(s->c, &s->c->alice, run, &wish))))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool has_medium(struct story *s)
{
	AUTO_VIEW view = {0};
	view_open(s->c->store, &view);
	return engine_find_medium(view.tables, s->instance);
}

static bool tell_insert(struct story *s)
{
	return change_medium(s, engine_insert_medium_run, !has_medium(s));
}

static bool tell_eject(struct story *s)
{
	return change_medium(s, engine_eject_medium_run, has_medium(s));
}

static bool tell_destroy(struct story *s)
{
	return tell_power(s, engine_destroy_instances_run);
}

static bool tell_recover(struct story *s)
{
	bool is_due = cloud_instance(s->c, s->instance).destroyed_us;
	if (is_due &&
	    !cloud_was_answered(s->c, cloud_power(s->c, engine_recover_instances_run, s->instance, false)))
		return false;
	return cloud_lived_to_settle(s->c);
}

static bool tell_terminate(struct story *s)
{
	return tell_power(s, engine_terminate_instances_run);
}

static bool (*const chapters[])(struct story *s) = {
	tell_launch,   tell_associate, tell_stop,    tell_start,   tell_reboot,   tell_pause,
	tell_unpause,  tell_suspend,   tell_start,   tell_resize,  tell_confirm,  tell_rebuild,
	tell_insert,   tell_eject,     tell_insert,  tell_rescue,  tell_unrescue, tell_shelve,
	tell_unshelve, tell_destroy,   tell_recover, tell_destroy, tell_terminate};
enum { CHAPTERS = sizeof chapters / sizeof chapters[0] };

/* ---- the guests that a restart must not touch ---- */

struct bystander {
	uuid id;
	struct cloud_guest guest;
};

/* Guests that run as their rows want. */
static size_t find_bystanders(struct cloud *c, struct bystander *at)
{
	uuid ids[GUESTS_MAX];
	size_t count = 0, kept = 0;
	{
		AUTO_VIEW view = {0};
		view_open(c->store, &view);
		for (const struct instance *i = instance_first(view.tables); i && count < GUESTS_MAX;
		     i = instance_next(view.tables, i))
			if (row_is_live(&i->row) && i->wanted_power == INSTANCE_WANTED_POWER_ON &&
			    i->wanted_boots == i->seen_boots)
				ids[count++] = i->row.id;
	}
	for (size_t k = 0; k < count; k++) {
		at[kept] = (struct bystander){ids[k], cloud_guest(c, ids[k])};
		kept += at[kept].guest.is_on;
	}
	return kept;
}

static void recover(struct story *s)
{
	struct bystander bystanders[GUESTS_MAX];
	cloud_restart(s->c);
	size_t count = find_bystanders(s->c, bystanders);
	cloud_settle(s->c);
	if (cloud_was_killed(s->c)) {
		cloud_restart(s->c);
		cloud_settle(s->c);
	}
	for (size_t k = 0; k < count; k++) {
		struct cloud_guest now = cloud_guest(s->c, bystanders[k].id);
		assert_true(now.is_on);
		assert_int_equal(now.boots, bystanders[k].guest.boots);
	}
	assert_int_equal(cloud_count_leaks(s->c), 0);
}

static RESULT count_allocation(void *arg, const struct usage *usage)
{
	struct instance_allocation allocation;
	assert_true(engine_parse_allocation(usage->meter, &allocation));
	*(int *) arg += usage->level ? 1 : -1;
	return OK;
}

/* Count of instances whose allocation is still open. Each allocation must begin once and end once. */
static int count_usage(struct cloud *c)
{
	int open = 0;
	const struct usage_query query = {.kind = KIND_INSTANCE,
					  .account = c->alice.account,
					  .meter = STR(INSTANCE_ALLOCATION_METER),
					  .before_us = INT64_MAX};
	struct result r = store_read_usage(c->store, &c->c, &query, count_allocation, &open);
	assert_true(result_is_ok(r));
	return open;
}

/* False when the story had ended before the kill. */
static bool tell_with_kill(uint64_t seed, uint64_t at)
{
	struct story s = {.c = cloud_new(seed * 1000, 2)};
	uuid other = cloud_launch_running(s.c);
	bool was_killed = false;
	s.c->kill_at = s.c->steps + at;
	for (size_t k = 0; k < CHAPTERS;) {
		if (chapters[k](&s)) {
			k++;
			continue;
		}
		assert_false(was_killed);
		was_killed = true;
		s.c->kill_at = s.c->steps + 1 + at % 37;
		recover(&s);
		s.c->kill_at = 0;
	}
	s.c->kill_at = 0;
	assert_int_equal(cloud_state(s.c, s.instance), INSTANCE_TERMINATED);
	assert_int_equal(cloud_guest(s.c, other).boots, 1);
	assert_int_equal(cloud_count(s.c, KIND_INSTANCE), 2);
	assert_int_equal(count_usage(s.c), 1);
	cloud_done(s.c);
	return was_killed;
}

static void test_kill_after_each_step(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= SEEDS; seed = cloud_next_seed(seed)) {
		uint64_t at = 1;
		while (tell_with_kill(seed, at))
			at++;
		print_message("seed %llu: killed at %llu places\n", (unsigned long long) seed,
			      (unsigned long long) at - 1);
		assert_true(at > 30);
	}
}

/* Many at once, killed now and then. */
static void test_kill_many(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 10; seed = cloud_next_seed(seed)) {
		struct cloud *c = cloud_new(seed * 1000, 3);
		for (uint64_t round = 0; round < 5; round++) {
			struct instance_launch wish = cloud_launch_wish(c, 6);
			cloud_ok(c, &c->alice, engine_create_instances, &wish);
			for (size_t k = 0; k < wish.made.count; k += 3)
				cloud_terminate(c, wish.made.at[k]);
			c->kill_at = c->steps + 10 + round * 13 + seed;
			(void) cloud_step_until(c, cloud_is_settled, NULL, MINUTE);
			if (cloud_was_killed(c))
				cloud_restart(c);
		}
		cloud_done(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_after_each_step),
		cmocka_unit_test(test_kill_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
